"""Statuses: what an answer that is no success means, and what its headers say of time.

A message holds the remedy. Of the server's own words only a short, masked part is repeated,
and only where it is JSON: an error page of a proxy helps nobody.
"""

from __future__ import annotations

import email.utils
import json
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from plivo_analysis.errors import (
    APIError,
    AuthenticationError,
    PermissionDeniedError,
    PlivoServerError,
    RateLimitError,
    ResourceNotFoundError,
)
from plivo_analysis.http.failures import Setback
from plivo_analysis.http.retries import LONGEST, TRIES, Kind
from plivo_analysis.values.masking import mask_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from plivo_analysis.http.session import Reply

_PASSING = frozenset({500, 502, 503, 504})
_SECONDS = re.compile(r"[0-9]{1,9}")
_DIGITS = re.compile(r"[0-9]{10,}")
_FOREVER = 999_999_999.0  # seconds; a header with more digits says no more than this
_API_ID = re.compile(r"[0-9A-Za-z-]{8,64}")
_SHOWN = 120  # characters of the server's own words
_BLANKS = re.compile(r"\s+")

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


def refused(reply: Reply, *, now: datetime, redact: Callable[[str], str]) -> Setback:
    """What an answer with another status than 2xx means.

    Args:
        reply: The answer.
        now: The wall's time, for a header that names a moment rather than a span.
        redact: Removes the credentials from a text.

    Example:
        >>> from plivo_analysis.http.session import Reply
        >>> refused(Reply(401, b"", {}), now=datetime.now(UTC), redact=str).error
        ... # doctest: +ELLIPSIS
        AuthenticationError('Plivo refused the credentials (401). Check ...')
    """
    status = reply.status
    said, api_id = _said(reply.body, redact)
    if status == 429:  # noqa: PLR2004 - too many requests
        return _busy(retry_after(reply.headers, now), now, api_id)
    if status in _PASSING:
        message = (
            f"Plivo's server failed ({status}) in each of {TRIES[Kind.TROUBLE]} tries. What was "
            "read is kept; try again later."
        )
        return Setback(
            Kind.TROUBLE, PlivoServerError(message + said, status_code=status, api_id=api_id)
        )
    error, remedy = _REMEDIES.get(status) or _other(status)
    return Setback(Kind.FINAL, error(remedy + said, status_code=status, api_id=api_id))


def server_time(headers: Mapping[str, str]) -> datetime | None:
    """The server's time in UTC, from its ``Date`` header; None where it has no valid one.

    Example:
        >>> server_time({"Date": "Mon, 02 Nov 2026 06:58:00 GMT"}).isoformat()
        '2026-11-02T06:58:00+00:00'
    """
    return _moment(_header(headers, "date"))


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds to wait by the ``Retry-After`` header; None where it is absent or makes no sense.

    A moment is counted from the server's own time where it tells it. One that has passed makes
    no sense.

    Example:
        >>> retry_after({"Retry-After": "30"}, datetime.now(UTC))
        30.0
    """
    value = _header(headers, "retry-after").strip()
    if _SECONDS.fullmatch(value):
        return float(value)
    if _DIGITS.fullmatch(value):
        return _FOREVER
    moment = _moment(value)
    if moment is None:
        return None
    seconds = (moment - (server_time(headers) or now)).total_seconds()
    return seconds if seconds > 0 else None


def _busy(wait: float | None, now: datetime, api_id: str | None) -> Setback:
    """429: wait, or tell when a new call can succeed."""
    pause = LONGEST if wait is None else wait
    resume_at = now + timedelta(seconds=pause)
    if wait is not None and wait > LONGEST:
        why = f"and asks for a pause of {wait:.0f} s, longer than a call waits ({LONGEST:.0f} s)"
    else:
        why = (
            f"{TRIES[Kind.BUSY]} times over; another program may be spending from the same "
            "account's limit"
        )
    error = RateLimitError(
        f"Plivo refuses further requests for now (429), {why}. What was read is kept; call again "
        f"after {resume_at:%Y-%m-%d %H:%M:%S} UTC.",
        api_id=api_id,
        retry_after=wait,
        resume_at=resume_at,
    )
    return Setback(Kind.BUSY, error, wait)


def _other(status: int) -> tuple[type[APIError], str]:
    if status >= 500:  # noqa: PLR2004 - the server's own fault
        return PlivoServerError, f"Plivo's server failed ({status}). Try again later."
    if status < 400:  # noqa: PLR2004 - redirects, and what is no answer at all
        return APIError, (
            f"The server sent the request elsewhere ({status}), which is never followed, as the "
            "credentials would go with it. Check base_url or PLIVO_API_URL."
        )
    return APIError, f"Plivo refused the request ({status})."


def _said(body: bytes, redact: Callable[[str], str]) -> tuple[str, str | None]:
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
    words = mask_text(_BLANKS.sub(" ", plain).strip())[:_SHOWN]
    return (f' The server said: "{words}".' if words else ""), known


def _header(headers: Mapping[str, str], name: str) -> str:
    return next((value for key, value in headers.items() if key.lower() == name), "")


def _moment(value: str) -> datetime | None:
    try:
        moment = email.utils.parsedate_to_datetime(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None
