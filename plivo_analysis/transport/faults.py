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
from plivo_analysis.transport.retries import TRIES, Kind

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


class Fault(IntEnum):
    """What broke. Of a chain of exceptions, the one highest in this list says most.

    Example:
        >>> max(Fault.UNREACHABLE, Fault.REFUSED).name
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


_FAULTS: dict[type[BaseException], Fault] = {
    theirs.RequestException: Fault.UNEXPECTED,
    theirs.InvalidJSONError: Fault.UNEXPECTED,
    theirs.JSONDecodeError: Fault.UNEXPECTED,
    theirs.HTTPError: Fault.UNEXPECTED,
    theirs.ConnectionError: Fault.UNREACHABLE,
    theirs.ProxyError: Fault.PROXY,
    theirs.SSLError: Fault.TLS,
    theirs.Timeout: Fault.SLOW,
    theirs.ConnectTimeout: Fault.NO_ROUTE,
    theirs.ReadTimeout: Fault.SLOW,
    theirs.URLRequired: Fault.ADDRESS,
    theirs.TooManyRedirects: Fault.UNEXPECTED,
    theirs.MissingSchema: Fault.ADDRESS,
    theirs.InvalidSchema: Fault.ADDRESS,
    theirs.InvalidURL: Fault.ADDRESS,
    theirs.InvalidHeader: Fault.ADDRESS,
    theirs.InvalidProxyURL: Fault.PROXY,
    theirs.ChunkedEncodingError: Fault.CUT,
    theirs.ContentDecodingError: Fault.GARBLED,
    theirs.StreamConsumedError: Fault.UNEXPECTED,
    theirs.RetryError: Fault.UNEXPECTED,
    theirs.UnrewindableBodyError: Fault.UNEXPECTED,
    beneath.HTTPError: Fault.UNEXPECTED,
    beneath.PoolError: Fault.UNREACHABLE,
    beneath.RequestError: Fault.UNREACHABLE,
    beneath.SSLError: Fault.TLS,
    beneath.ProxyError: Fault.PROXY,
    beneath.DecodeError: Fault.GARBLED,
    beneath.ProtocolError: Fault.CUT,
    beneath.MaxRetryError: Fault.UNREACHABLE,
    beneath.HostChangedError: Fault.UNEXPECTED,
    beneath.TimeoutStateError: Fault.UNEXPECTED,
    beneath.TimeoutError: Fault.SLOW,
    beneath.ReadTimeoutError: Fault.SLOW,
    beneath.ConnectTimeoutError: Fault.NO_ROUTE,
    beneath.NewConnectionError: Fault.UNREACHABLE,
    beneath.NameResolutionError: Fault.NAME,
    beneath.EmptyPoolError: Fault.UNREACHABLE,
    beneath.FullPoolError: Fault.UNREACHABLE,
    beneath.ClosedPoolError: Fault.CUT,
    beneath.LocationValueError: Fault.ADDRESS,
    beneath.LocationParseError: Fault.ADDRESS,
    beneath.URLSchemeUnknown: Fault.ADDRESS,
    beneath.ResponseError: Fault.UNEXPECTED,
    beneath.ResponseNotChunked: Fault.CUT,
    beneath.BodyNotHttplibCompatible: Fault.UNEXPECTED,
    beneath.IncompleteRead: Fault.CUT,
    beneath.InvalidChunkLength: Fault.CUT,
    beneath.InvalidHeader: Fault.CUT,
    beneath.ProxySchemeUnknown: Fault.PROXY,
    beneath.ProxySchemeUnsupported: Fault.PROXY,
    beneath.HeaderParsingError: Fault.CUT,
    beneath.UnrewindableBodyError: Fault.UNEXPECTED,
    http.client.HTTPException: Fault.CUT,
    ConnectionError: Fault.CUT,
    ConnectionRefusedError: Fault.REFUSED,
    OSError: Fault.UNREACHABLE,
    TimeoutError: Fault.SLOW,
    UnicodeError: Fault.ADDRESS,
    socket.gaierror: Fault.NAME,
    ssl.SSLError: Fault.TLS,
    ssl.SSLEOFError: Fault.CUT,
    ssl.SSLZeroReturnError: Fault.CUT,
    ssl.SSLCertVerificationError: Fault.CERTIFICATE,
}

_TRIED = f"in each of {TRIES[Kind.TROUBLE]} tries"
_CHECK = "Check the internet connection, and the address (base_url or PLIVO_API_URL)."
_CA = (
    "If your network replaces certificates, name the file of its own in REQUESTS_CA_BUNDLE or "
    "SSL_CERT_FILE."
)
_SAYINGS: dict[Fault, tuple[Kind, str]] = {
    Fault.UNEXPECTED: (
        Kind.FINAL,
        "The request to {host} failed in a way not foreseen ({name}). Please report it.",
    ),
    Fault.UNREACHABLE: (Kind.TROUBLE, f"{{host}} could not be reached {_TRIED}. {_CHECK}"),
    Fault.ADDRESS: (
        Kind.FINAL,
        "The address {host} cannot be used. Correct base_url or PLIVO_API_URL.",
    ),
    Fault.GARBLED: (
        Kind.TROUBLE,
        f"The answer of {{host}} could not be unpacked {_TRIED}. Try again later.",
    ),
    Fault.SLOW: (
        Kind.TROUBLE,
        f"{{host}} did not finish an answer in time {_TRIED}. Try again later.",
    ),
    Fault.NO_ROUTE: (
        Kind.TROUBLE,
        f"{{host}} did not accept a connection in time {_TRIED}. {_CHECK}",
    ),
    Fault.REFUSED: (
        Kind.TROUBLE,
        (
            f"Nothing listens at {{host}}: it refused the connection {_TRIED}. Check that a "
            "server runs there, and that the address (base_url or PLIVO_API_URL) is right."
        ),
    ),
    Fault.NAME: (Kind.TROUBLE, f"The name of {{host}} could not be resolved {_TRIED}. {_CHECK}"),
    Fault.TLS: (
        Kind.FINAL,
        "No secure connection to {host} could be made. Check that the server there speaks TLS. "
        + _CA,
    ),
    Fault.CUT: (
        Kind.TROUBLE,
        f"{{host}} broke the connection off {_TRIED}. Try again later.",
    ),
    Fault.CERTIFICATE: (
        Kind.FINAL,
        f"The certificate of {{host}} could not be verified ({{reason}}). {_CA}",
    ),
    Fault.PROXY: (
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


def _fault(error: BaseException) -> Fault:
    known = (_FAULTS[cls] for cls in type(error).__mro__ if cls in _FAULTS)
    return next(known, Fault.UNEXPECTED)


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
