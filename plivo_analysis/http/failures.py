"""Faults: everything that can break on the way, in the errors of this package.

The library's exceptions hold the request with its credentials, and print the address with its
query. They end here: what leaves is an error of our own, made from the kind of the fault and
never from its text, with the remedy in its message.
"""

from __future__ import annotations

import http.client
import socket
import ssl
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import requests.exceptions as theirs
import urllib3.exceptions as beneath

from plivo_analysis.errors import TransportError
from plivo_analysis.http.retries import TRIES, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plivo_analysis.errors import PlivoAnalysisError

# What a try of the exchange may raise; anything else is a fault of our own, and stays one.
RAISED = (
    theirs.RequestException,
    beneath.HTTPError,
    http.client.HTTPException,
    OSError,
    UnicodeError,
)


@dataclass(frozen=True, slots=True)
class Setback:
    """A try that did not succeed: its kind, and the error to raise if it is the last one.

    Example:
        >>> Setback(Kind.FINAL, TransportError("No.")).retry_after is None
        True
    """

    kind: Kind
    error: PlivoAnalysisError
    retry_after: float | None = None


class Failure(IntEnum):
    """What broke. Of a chain of exceptions, the one highest in this list says most.

    Example:
        >>> max(Failure.UNREACHABLE, Failure.REFUSED).name
        'REFUSED'
    """

    UNEXPECTED = 0
    UNREACHABLE = 1
    ADDRESS = 2
    GARBLED = 3
    SLOW = 4
    NO_ROUTE = 5
    REFUSED = 6
    NAME = 7
    TLS = 8
    CUT = 9
    CERTIFICATE = 10
    PROXY = 11


_FAULTS: dict[type[BaseException], Failure] = {
    theirs.RequestException: Failure.UNEXPECTED,
    theirs.InvalidJSONError: Failure.UNEXPECTED,
    theirs.JSONDecodeError: Failure.UNEXPECTED,
    theirs.HTTPError: Failure.UNEXPECTED,
    theirs.ConnectionError: Failure.UNREACHABLE,
    theirs.ProxyError: Failure.PROXY,
    theirs.SSLError: Failure.TLS,
    theirs.Timeout: Failure.SLOW,
    theirs.ConnectTimeout: Failure.NO_ROUTE,
    theirs.ReadTimeout: Failure.SLOW,
    theirs.URLRequired: Failure.ADDRESS,
    theirs.TooManyRedirects: Failure.UNEXPECTED,
    theirs.MissingSchema: Failure.ADDRESS,
    theirs.InvalidSchema: Failure.ADDRESS,
    theirs.InvalidURL: Failure.ADDRESS,
    theirs.InvalidHeader: Failure.ADDRESS,
    theirs.InvalidProxyURL: Failure.PROXY,
    theirs.ChunkedEncodingError: Failure.CUT,
    theirs.ContentDecodingError: Failure.GARBLED,
    theirs.StreamConsumedError: Failure.UNEXPECTED,
    theirs.RetryError: Failure.UNEXPECTED,
    theirs.UnrewindableBodyError: Failure.UNEXPECTED,
    beneath.HTTPError: Failure.UNEXPECTED,
    beneath.PoolError: Failure.UNREACHABLE,
    beneath.RequestError: Failure.UNREACHABLE,
    beneath.SSLError: Failure.TLS,
    beneath.ProxyError: Failure.PROXY,
    beneath.DecodeError: Failure.GARBLED,
    beneath.ProtocolError: Failure.CUT,
    beneath.MaxRetryError: Failure.UNREACHABLE,
    beneath.HostChangedError: Failure.UNEXPECTED,
    beneath.TimeoutStateError: Failure.UNEXPECTED,
    beneath.TimeoutError: Failure.SLOW,
    beneath.ReadTimeoutError: Failure.SLOW,
    beneath.ConnectTimeoutError: Failure.NO_ROUTE,
    beneath.NewConnectionError: Failure.UNREACHABLE,
    beneath.NameResolutionError: Failure.NAME,
    beneath.EmptyPoolError: Failure.UNREACHABLE,
    beneath.FullPoolError: Failure.UNREACHABLE,
    beneath.ClosedPoolError: Failure.CUT,
    beneath.LocationValueError: Failure.ADDRESS,
    beneath.LocationParseError: Failure.ADDRESS,
    beneath.URLSchemeUnknown: Failure.ADDRESS,
    beneath.ResponseError: Failure.UNEXPECTED,
    beneath.ResponseNotChunked: Failure.CUT,
    beneath.BodyNotHttplibCompatible: Failure.UNEXPECTED,
    beneath.IncompleteRead: Failure.CUT,
    beneath.InvalidChunkLength: Failure.CUT,
    beneath.InvalidHeader: Failure.CUT,
    beneath.ProxySchemeUnknown: Failure.PROXY,
    beneath.ProxySchemeUnsupported: Failure.PROXY,
    beneath.HeaderParsingError: Failure.CUT,
    beneath.UnrewindableBodyError: Failure.UNEXPECTED,
    http.client.HTTPException: Failure.CUT,
    ConnectionError: Failure.CUT,
    ConnectionRefusedError: Failure.REFUSED,
    OSError: Failure.UNREACHABLE,
    TimeoutError: Failure.SLOW,
    UnicodeError: Failure.ADDRESS,
    socket.gaierror: Failure.NAME,
    ssl.SSLError: Failure.TLS,
    ssl.SSLEOFError: Failure.CUT,
    ssl.SSLZeroReturnError: Failure.CUT,
    ssl.SSLCertVerificationError: Failure.CERTIFICATE,
}

_TRIED = f"in each of {TRIES[Kind.TROUBLE]} tries"
_CHECK = "Check the internet connection, and the address (base_url or PLIVO_API_URL)."
_CA = (
    "If your network replaces certificates, name the file of its own in REQUESTS_CA_BUNDLE or "
    "SSL_CERT_FILE."
)
_SAYINGS: dict[Failure, tuple[Kind, str]] = {
    Failure.UNEXPECTED: (
        Kind.FINAL,
        "The request to {host} failed in a way not foreseen ({name}). Please report it.",
    ),
    Failure.UNREACHABLE: (Kind.TROUBLE, f"{{host}} could not be reached {_TRIED}. {_CHECK}"),
    Failure.ADDRESS: (
        Kind.FINAL,
        "The address {host} cannot be used. Correct base_url or PLIVO_API_URL.",
    ),
    Failure.GARBLED: (
        Kind.TROUBLE,
        f"The answer of {{host}} could not be unpacked {_TRIED}. Try again later.",
    ),
    Failure.SLOW: (
        Kind.TROUBLE,
        f"{{host}} did not finish an answer in time {_TRIED}. Try again later.",
    ),
    Failure.NO_ROUTE: (
        Kind.TROUBLE,
        f"{{host}} did not accept a connection in time {_TRIED}. {_CHECK}",
    ),
    Failure.REFUSED: (
        Kind.TROUBLE,
        (
            f"Nothing listens at {{host}}: it refused the connection {_TRIED}. Check that a "
            "server runs there, and that the address (base_url or PLIVO_API_URL) is right."
        ),
    ),
    Failure.NAME: (Kind.TROUBLE, f"The name of {{host}} could not be resolved {_TRIED}. {_CHECK}"),
    Failure.TLS: (
        Kind.FINAL,
        "No secure connection to {host} could be made. Check that the server there speaks TLS. "
        + _CA,
    ),
    Failure.CUT: (
        Kind.TROUBLE,
        f"{{host}} broke the connection off {_TRIED}. Try again later.",
    ),
    Failure.CERTIFICATE: (
        Kind.FINAL,
        f"The certificate of {{host}} could not be verified ({{reason}}). {_CA}",
    ),
    Failure.PROXY: (
        Kind.TROUBLE,
        (
            f"The proxy on the way to {{host}} could not be used {_TRIED}. Check HTTPS_PROXY, "
            "ALL_PROXY and NO_PROXY."
        ),
    ),
}


def broken(error: BaseException, host: str) -> Setback:
    """What an exception of the library means: the one place that reads them.

    Args:
        error: One of ``RAISED``.
        host: The server's host and port, for the message.

    Example:
        >>> broken(theirs.ReadTimeout(), "127.0.0.1:9").kind
        <Kind.TROUBLE: 'trouble'>
    """
    chain = list(_chain(error))
    fault = max(_fault(link) for link in chain)
    kind, saying = _SAYINGS[fault]
    reasons = (link.verify_message for link in chain if isinstance(link, _UNVERIFIED))
    message = saying.format(
        host=host, name=type(error).__name__, reason=next(reasons, "not trusted")
    )
    return Setback(kind, TransportError(message))


_UNVERIFIED = ssl.SSLCertVerificationError


def _fault(error: BaseException) -> Failure:
    known = (_FAULTS[cls] for cls in type(error).__mro__ if cls in _FAULTS)
    return next(known, Failure.UNEXPECTED)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and those that it was made of.

    Not its ``__context__``: that leads to whatever the caller was handling at the time.
    """
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        link = waiting.pop()
        if not isinstance(link, BaseException) or id(link) in seen:
            continue
        seen.add(id(link))
        yield link
        waiting += [link.__cause__, getattr(link, "reason", None), *link.args]
