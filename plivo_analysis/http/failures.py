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
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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

# What a try of the exchange may raise; anything else is a fault of our own, and stays one. The
# exceptions of requests are each an OSError.
RAISED = (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, UnicodeError)


@dataclass(frozen=True, slots=True, eq=False)
class Failure:
    """What broke, as the library and the system below it tell it.

    Args:
        classes: The exceptions that say so.
        message: For the user, with the remedy.
        lasting: Whether asking again changes nothing. The others may be over a second later.
    """

    classes: tuple[type[BaseException], ...]
    message: str
    lasting: bool = False


_TRIED = f"in each of {TRIES[Cause.TROUBLE]} tries"
_CHECK = "Check the internet connection, and the address (base_url or PLIVO_API_URL)."
_CA = (
    "If your network replaces certificates, name the file of its own in REQUESTS_CA_BUNDLE or "
    "SSL_CERT_FILE."
)
_UNREACHABLE = f"{{host}} could not be reached {_TRIED}. {_CHECK}"
# What broke makes a chain of exceptions: those of requests are made from those of urllib3, which
# say more. The first failure that fits one of the chain is taken. Hence the order: what says most
# comes first, and a class before those that it is made from.
_FAILURES = (
    Failure(
        (
            requests.exceptions.InvalidProxyURL,
            urllib3.exceptions.ProxyError,
            urllib3.exceptions.ProxySchemeUnknown,
            urllib3.exceptions.ProxySchemeUnsupported,
        ),
        f"The proxy on the way to {{host}} could not be used {_TRIED}. Check HTTPS_PROXY, "
        "ALL_PROXY and NO_PROXY.",
    ),
    Failure(
        (ssl.SSLCertVerificationError,),
        f"The certificate of {{host}} could not be verified ({{reason}}). {_CA}",
        lasting=True,
    ),
    Failure(
        (
            urllib3.exceptions.ProtocolError,
            urllib3.exceptions.ClosedPoolError,
            urllib3.exceptions.InvalidHeader,
            urllib3.exceptions.HeaderParsingError,
            http.client.HTTPException,
            ssl.SSLEOFError,
            ssl.SSLZeroReturnError,
            ConnectionAbortedError,
            ConnectionResetError,
            BrokenPipeError,
        ),
        f"{{host}} broke the connection off {_TRIED}. Try again later.",
    ),
    Failure(
        (urllib3.exceptions.SSLError, ssl.SSLError),
        "No secure connection to {host} could be made. Check that the server there speaks TLS. "
        + _CA,
        lasting=True,
    ),
    Failure(
        (urllib3.exceptions.NameResolutionError, socket.gaierror),
        f"The name of {{host}} could not be resolved {_TRIED}. {_CHECK}",
    ),
    Failure(
        (ConnectionRefusedError,),
        f"Nothing listens at {{host}}: it refused the connection {_TRIED}. Check that a server "
        "runs there, and that the address (base_url or PLIVO_API_URL) is right.",
    ),
    # To the library also a timeout of the next failure, which no route to the host is not.
    Failure((urllib3.exceptions.NewConnectionError,), _UNREACHABLE),
    Failure(
        (urllib3.exceptions.ConnectTimeoutError,),
        f"{{host}} did not accept a connection in time {_TRIED}. {_CHECK}",
    ),
    Failure(
        (urllib3.exceptions.TimeoutError, TimeoutError),
        f"{{host}} did not finish an answer in time {_TRIED}. Try again later.",
    ),
    Failure(
        (urllib3.exceptions.DecodeError,),
        f"The answer of {{host}} could not be unpacked {_TRIED}. Try again later.",
    ),
    Failure(
        (requests.exceptions.InvalidURL, urllib3.exceptions.LocationValueError, UnicodeError),
        "The address {host} cannot be used. Correct base_url or PLIVO_API_URL.",
        lasting=True,
    ),
    Failure((urllib3.exceptions.PoolError, OSError), _UNREACHABLE),
)
UNEXPECTED = Failure(
    (), "The request to {host} failed unexpectedly ({name}). Please report it.", lasting=True
)


def broken(error: BaseException, host: str) -> Setback:
    """What an exception of the library means: the one place that reads them.

    Args:
        error: One of ``RAISED``.
        host: The server's host and port, for the message.

    Example:
        >>> broken(TimeoutError(), "127.0.0.1:9").kind
        <Cause.TROUBLE: 'trouble'>
    """
    chain = list(_chain(error))
    failure = failure_of(*map(type, chain))
    reasons = (
        link.verify_message for link in chain if isinstance(link, ssl.SSLCertVerificationError)
    )
    reason = next(reasons, "not trusted")
    message = failure.message.format(host=host, name=type(error).__name__, reason=reason)
    return Setback(Cause.FINAL if failure.lasting else Cause.TROUBLE, TransportError(message))


def failure_of(*exceptions: type[BaseException]) -> Failure:
    """What exceptions of these classes, one of which led to the other, say about what broke.

    Example:
        >>> failure_of(ConnectionRefusedError).message[:26]
        'Nothing listens at {host}:'
    """
    fitting = (
        failure
        for failure in _FAILURES
        if any(issubclass(exception, failure.classes) for exception in exceptions)
    )
    return next(fitting, UNEXPECTED)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and those that it was made of.

    Not its ``__context__``: that leads to what the caller was handling at the time.
    """
    yield error
    # The library hands on what it caught as the first argument, and the system's as the cause.
    for link in (error.__cause__, *error.args):
        if isinstance(link, BaseException):
            yield from _chain(link)


# Answers that refuse

_PASSING = frozenset({408, 425})  # of a gateway; so is every 5xx
_REDIRECTS, _CLIENT_ERRORS, _SERVER_ERRORS = 300, 400, 500
_TOO_MANY = 429
_ERRORS = {
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: ResourceNotFoundError,
}
_REMEDIES = {
    400: "Plivo could not make sense of the request (400). Check its filters.",
    401: "Plivo refused the credentials (401). Check PLIVO_AUTH_ID and PLIVO_AUTH_TOKEN.",
    403: (
        "Plivo does not allow this to the account (403). It may not be verified, or the feature "
        "not enabled for it: look in Plivo's console or ask its support."
    ),
    404: (
        "Plivo has no such record in this account (404). Check the id, and that PLIVO_AUTH_ID "
        "names the account that it belongs to; records older than 90 days are gone."
    ),
    405: (
        "The server does not know this request (405). Check that base_url or PLIVO_API_URL is the "
        "address of Plivo's API."
    ),
    422: "Plivo could not accept the request (422). Check its filters.",
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
        kind = Cause.TROUBLE
        error = PlivoServerError if status >= _SERVER_ERRORS else APIError
        message = (
            f"Plivo's server failed ({status}) {_TRIED}. What was read is kept; try again later."
        )
    elif status < _CLIENT_ERRORS:
        kind, error = Cause.FINAL, APIError
        message = (
            f"The server sent the request elsewhere ({status}), which is never followed, as the "
            "credentials would go with it. Check base_url or PLIVO_API_URL."
        )
    else:
        kind, error = Cause.FINAL, _ERRORS.get(status, APIError)
        message = _REMEDIES.get(status, f"Plivo refused the request ({status}).")
    return Setback(kind, error(message + words, status_code=status, api_id=api_id))


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
    if isinstance(error, dict):  # documented as text; some answers hold an object
        error = error.get("error") or error.get("message")
    known = api_id if isinstance(api_id, str) and _API_ID.fullmatch(api_id) else None
    if not isinstance(error, str):
        return "", known
    # In this order: a token or a number that was cut in two would not be recognised any more.
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
        headers: Of the answer, found whatever the case of their names.
        now: This computer's time, in UTC.

    Example:
        >>> now = datetime(2026, 11, 2, 7, tzinfo=UTC)
        >>> server_time({"Date": "Mon, 02 Nov 2026 06:58:00 GMT"}, now).isoformat()
        '2026-11-02T06:58:00+00:00'
        >>> server_time({"Date": "Thu, 01 Jan 1970 00:00:00 GMT"}, now) is None
        True
    """
    date = _http_date(headers.get("Date", ""))
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
    value = headers.get("Retry-After", "").strip()
    if _SECONDS.fullmatch(value):
        return min(float(value), _FOREVER_SECONDS)
    date = _http_date(value)
    if date is None:
        return None
    seconds = (date - (server_time(headers, now) or now)).total_seconds()
    return min(seconds, _FOREVER_SECONDS) if seconds > 0 else None


def _http_date(value: str) -> datetime | None:
    try:
        date = email.utils.parsedate_to_datetime(value)
        return date.replace(tzinfo=UTC) if date.tzinfo is None else date.astimezone(UTC)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
