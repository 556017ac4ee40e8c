"""What went wrong, as an error of this package: exceptions of the library, refusing answers.

The library's exceptions hold the request with its credentials, and print the address with its
query. They end here: what leaves is an error of our own, made from the kind of the failure and
never from its text, with the remedy in its message. Of the server's own words only a short,
masked part is repeated, and only where it is JSON: an error page of a proxy is of no use.
"""

from __future__ import annotations

import email.utils
import http.client
import json
import re
import socket
import ssl
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import TYPE_CHECKING

import requests.exceptions
import urllib3.exceptions

from plivo_analysis.errors import (
    APIError,
    AuthenticationError,
    BadResponseError,
    PermissionDeniedError,
    PlivoServerError,
    RateLimitError,
    ResourceNotFoundError,
    TransportError,
)
from plivo_analysis.http.retries import LONGEST_WAIT_SECONDS, TRIES, Cause, Setback
from plivo_analysis.values.masking import mask_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from plivo_analysis.http.connection import Reply

# What a try of the exchange may raise; anything else is a fault of our own, and stays one.
RAISED = (
    requests.exceptions.RequestException,
    urllib3.exceptions.HTTPError,
    http.client.HTTPException,
    OSError,
    UnicodeError,
)


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


# The nearest ancestor of an exception decides; what has none here is UNEXPECTED.
_FAILURES: dict[type[BaseException], Failure] = {
    requests.exceptions.ConnectionError: Failure.UNREACHABLE,
    requests.exceptions.ProxyError: Failure.PROXY,
    requests.exceptions.SSLError: Failure.TLS,
    requests.exceptions.Timeout: Failure.SLOW,
    requests.exceptions.ConnectTimeout: Failure.NO_ROUTE,
    requests.exceptions.URLRequired: Failure.ADDRESS,
    requests.exceptions.MissingSchema: Failure.ADDRESS,
    requests.exceptions.InvalidSchema: Failure.ADDRESS,
    requests.exceptions.InvalidURL: Failure.ADDRESS,
    requests.exceptions.InvalidHeader: Failure.ADDRESS,
    requests.exceptions.InvalidProxyURL: Failure.PROXY,
    requests.exceptions.ChunkedEncodingError: Failure.CUT,
    requests.exceptions.ContentDecodingError: Failure.GARBLED,
    requests.exceptions.RequestException: Failure.UNEXPECTED,  # also an OSError
    urllib3.exceptions.PoolError: Failure.UNREACHABLE,
    urllib3.exceptions.SSLError: Failure.TLS,
    urllib3.exceptions.ProxyError: Failure.PROXY,
    urllib3.exceptions.DecodeError: Failure.GARBLED,
    urllib3.exceptions.ProtocolError: Failure.CUT,
    urllib3.exceptions.HostChangedError: Failure.UNEXPECTED,
    urllib3.exceptions.TimeoutError: Failure.SLOW,
    urllib3.exceptions.ConnectTimeoutError: Failure.NO_ROUTE,
    urllib3.exceptions.NewConnectionError: Failure.UNREACHABLE,
    urllib3.exceptions.NameResolutionError: Failure.NAME,
    urllib3.exceptions.ClosedPoolError: Failure.CUT,
    urllib3.exceptions.LocationValueError: Failure.ADDRESS,
    urllib3.exceptions.InvalidHeader: Failure.CUT,
    urllib3.exceptions.HeaderParsingError: Failure.CUT,
    urllib3.exceptions.ProxySchemeUnknown: Failure.PROXY,
    urllib3.exceptions.ProxySchemeUnsupported: Failure.PROXY,
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

_TRIED = f"in each of {TRIES[Cause.TROUBLE]} tries"
_CHECK = "Check the internet connection, and the address (base_url or PLIVO_API_URL)."
_CA = (
    "If your network replaces certificates, name the file of its own in REQUESTS_CA_BUNDLE or "
    "SSL_CERT_FILE."
)
_MESSAGES: dict[Failure, str] = {
    Failure.UNEXPECTED: "The request to {host} failed unexpectedly ({name}). Please report it.",
    Failure.UNREACHABLE: f"{{host}} could not be reached {_TRIED}. {_CHECK}",
    Failure.ADDRESS: "The address {host} cannot be used. Correct base_url or PLIVO_API_URL.",
    Failure.GARBLED: f"The answer of {{host}} could not be unpacked {_TRIED}. Try again later.",
    Failure.SLOW: f"{{host}} did not finish an answer in time {_TRIED}. Try again later.",
    Failure.NO_ROUTE: f"{{host}} did not accept a connection in time {_TRIED}. {_CHECK}",
    Failure.REFUSED: (
        f"Nothing listens at {{host}}: it refused the connection {_TRIED}. Check that a server "
        "runs there, and that the address (base_url or PLIVO_API_URL) is right."
    ),
    Failure.NAME: f"The name of {{host}} could not be resolved {_TRIED}. {_CHECK}",
    Failure.TLS: (
        "No secure connection to {host} could be made. Check that the server there speaks TLS. "
        + _CA
    ),
    Failure.CUT: f"{{host}} broke the connection off {_TRIED}. Try again later.",
    Failure.CERTIFICATE: f"The certificate of {{host}} could not be verified ({{reason}}). {_CA}",
    Failure.PROXY: (
        f"The proxy on the way to {{host}} could not be used {_TRIED}. Check HTTPS_PROXY, "
        "ALL_PROXY and NO_PROXY."
    ),
}
# Asking again changes none of these. The others may be over a second later.
_LASTING = {Failure.UNEXPECTED, Failure.ADDRESS, Failure.TLS, Failure.CERTIFICATE}


def broken(error: BaseException, host: str) -> Setback:
    """What an exception of the library means: the one place that reads them.

    Args:
        error: One of ``RAISED``.
        host: The server's host and port, for the message.

    Example:
        >>> broken(requests.exceptions.ReadTimeout(), "127.0.0.1:9").kind
        <Cause.TROUBLE: 'trouble'>
    """
    chain = list(_chain(error))
    failure = max(failure_of(type(link)) for link in chain)
    reasons = (
        link.verify_message for link in chain if isinstance(link, ssl.SSLCertVerificationError)
    )
    reason = next(reasons, "not trusted")
    message = _MESSAGES[failure].format(host=host, name=type(error).__name__, reason=reason)
    return Setback(Cause.FINAL if failure in _LASTING else Cause.TROUBLE, TransportError(message))


def failure_of(exception: type[BaseException]) -> Failure:
    """What an exception of this class says about what broke.

    Example:
        >>> failure_of(ConnectionRefusedError).name
        'REFUSED'
    """
    known = (_FAILURES[base] for base in exception.__mro__ if base in _FAILURES)
    return next(known, Failure.UNEXPECTED)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and those that it was made of.

    Not its ``__context__``: that leads to what the caller was handling at the time.
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


# Answers that refuse

_PASSING = frozenset({408, 425})  # of a gateway; so is every 5xx
_REDIRECTS, _SERVER_ERRORS = 300, 500
_TOO_MANY = 429
_REMEDIES: dict[int, tuple[type[APIError], str]] = {
    400: (APIError, "Plivo could not make sense of the request (400). Check its filters."),
    401: (
        AuthenticationError,
        "Plivo refused the credentials (401). Check PLIVO_AUTH_ID and PLIVO_AUTH_TOKEN.",
    ),
    403: (
        PermissionDeniedError,
        (
            "Plivo does not allow this to the account (403). It may not be verified, or the "
            "feature not enabled for it: look in Plivo's console or ask its support."
        ),
    ),
    404: (
        ResourceNotFoundError,
        (
            "Plivo has no such record in this account (404). Check the id, and that PLIVO_AUTH_ID "
            "names the account that it belongs to; records older than 90 days are gone."
        ),
    ),
    405: (
        APIError,
        (
            "The server does not know this request (405). Check that base_url or PLIVO_API_URL is "
            "the address of Plivo's API."
        ),
    ),
    422: (APIError, "Plivo could not accept the request (422). Check its filters."),
}
_API_ID = re.compile(r"[0-9A-Za-z-]{8,64}")
_SHOWN_CHARACTERS = 120  # of the server's own words
_BLANKS = re.compile(r"\s+")


def refused(reply: Reply, *, now: datetime, redact: Callable[[str], str]) -> Setback:
    """What an answer with another status than 200 means.

    Args:
        reply: The answer.
        now: This computer's time, in UTC.
        redact: Takes the credentials out of the server's words, should it repeat them.

    Example:
        >>> from plivo_analysis.http.connection import Reply
        >>> refused(Reply(401, b"", {}), now=datetime.now(UTC), redact=str).error
        AuthenticationError('Plivo refused the credentials (401). Check ...')
    """
    status = reply.status
    if status < _REDIRECTS:
        # 202 and 204 promise or hold no records, 206 a part of them, 207 and 226 something else:
        # an empty list under one of these would be taken for an account without records.
        message = (
            f"The server answered with status {status}, and only 200 is an answer that holds what "
            "was asked for. Try again in a minute; if it stays so, check the base URL "
            "(PLIVO_API_URL)."
        )
        return Setback(Cause.MALFORMED, BadResponseError(message))
    words, api_id = _server_words(reply.body, redact)
    if status == _TOO_MANY:
        return _too_many(retry_after(reply.headers, now), now, api_id)
    if status in _PASSING or status >= _SERVER_ERRORS:
        error = PlivoServerError if status >= _SERVER_ERRORS else APIError
        message = (
            f"Plivo's server failed ({status}) {_TRIED}. What was read is kept; try again later."
        )
        return Setback(Cause.TROUBLE, error(message + words, status_code=status, api_id=api_id))
    error, message = _REMEDIES.get(status) or (APIError, f"Plivo refused the request ({status}).")
    if status < 400:  # noqa: PLR2004 - redirects
        message = (
            f"The server sent the request elsewhere ({status}), which is never followed, as the "
            "credentials would go with it. Check base_url or PLIVO_API_URL."
        )
    return Setback(Cause.FINAL, error(message + words, status_code=status, api_id=api_id))


def _too_many(wait: float | None, now: datetime, api_id: str | None) -> Setback:
    """429: wait, or tell when a new call can succeed."""
    resume_at = now + timedelta(seconds=LONGEST_WAIT_SECONDS if wait is None else wait)
    if wait is not None and wait > LONGEST_WAIT_SECONDS:
        why = (
            f"and asks for a pause of {wait:.0f} s, longer than a call waits "
            f"({LONGEST_WAIT_SECONDS:.0f} s)"
        )
    else:
        why = (
            f"{TRIES[Cause.BUSY]} times over; another program may be spending from the same "
            "account's limit"
        )
    error = RateLimitError(
        f"Plivo refuses further requests for now (429), {why}. What was read is kept; call again "
        f"after {resume_at:%Y-%m-%d %H:%M:%S} UTC.",
        api_id=api_id,
        retry_after=wait,
        resume_at=resume_at,
    )
    return Setback(Cause.BUSY, error, wait)


def _server_words(body: bytes, redact: Callable[[str], str]) -> tuple[str, str | None]:
    """The server's own words, fit to be shown, and its id of the request."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return "", None
    if not isinstance(answer, dict):
        return "", None
    error, api_id = answer.get("error"), answer.get("api_id")
    if isinstance(error, dict):
        error = error.get("error") or error.get("message")
    known = api_id if isinstance(api_id, str) and _API_ID.fullmatch(api_id) else None
    if not isinstance(error, str):
        return "", known
    plain = "".join(sign if sign.isprintable() else " " for sign in redact(error))
    words = mask_text(_BLANKS.sub(" ", plain).strip())[:_SHOWN_CHARACTERS]
    return (f' The server said: "{words}".' if words else ""), known


# What headers say of time

_SECONDS = re.compile(r"[0-9]+")
_FOREVER_SECONDS = 999_999_999.0  # a header that says more says no more than this
_FIRST_PLAUSIBLE = datetime(2020, 1, 1, tzinfo=UTC)
_FARTHEST = timedelta(days=366)


def server_time(headers: Mapping[str, str], now: datetime) -> datetime | None:
    """The server's time in UTC, from its ``Date`` header; None where it has no plausible one.

    A server or proxy that lost its clock says 1970 or 9999. One before 2020, or over a year from
    this computer's time, says nothing of the account's time.

    Args:
        headers: Of the answer.
        now: This computer's time, in UTC.

    Example:
        >>> now = datetime(2026, 11, 2, 7, tzinfo=UTC)
        >>> server_time({"Date": "Mon, 02 Nov 2026 06:58:00 GMT"}, now).isoformat()
        '2026-11-02T06:58:00+00:00'
        >>> server_time({"Date": "Thu, 01 Jan 1970 00:00:00 GMT"}, now) is None
        True
    """
    date = _http_date(_header(headers, "date"))
    if date is None or date < _FIRST_PLAUSIBLE or abs(date - now) > _FARTHEST:
        return None
    return date


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds to wait by the ``Retry-After`` header; None where it is absent or makes no sense.

    A date is counted from the server's own time where it tells it. One that has passed makes no
    sense.

    Example:
        >>> retry_after({"Retry-After": "30"}, datetime.now(UTC))
        30.0
    """
    value = _header(headers, "retry-after").strip()
    if _SECONDS.fullmatch(value):
        return min(float(value), _FOREVER_SECONDS)
    date = _http_date(value)
    if date is None:
        return None
    seconds = (date - (server_time(headers, now) or now)).total_seconds()
    return min(seconds, _FOREVER_SECONDS) if seconds > 0 else None


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name), "")


def _http_date(value: str) -> datetime | None:
    try:
        date = email.utils.parsedate_to_datetime(value)
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
