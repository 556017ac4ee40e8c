"""Every error that this package raises, in one tree.

::

    PlivoAnalysisError
    ├── FilterError (also ValueError)         an argument is wrong; nothing was asked
    ├── CredentialsError                      none given, or not of Plivo's form
    ├── TransportError                        no answer: refused, cut off, too slow, TLS, proxy
    ├── APIError .status_code .api_id         the server said no
    │   ├── AuthenticationError               401
    │   ├── PermissionDeniedError             403
    │   ├── ResourceNotFoundError             404
    │   ├── RateLimitError .retry_after .resume_at    429
    │   └── PlivoServerError                  5xx
    ├── BadResponseError                      answered, but not in the documented form
    ├── IncompletePullError .frame .missing   a time range could not be read whole
    ├── SchemaError .missing .available (also ValueError)    a frame lacks columns
    └── StoreError                            what was read cannot be kept or opened

Warnings are of one class, ``PlivoAnalysisWarning``, so that they can be filtered.

A message says what was wrong and what would be right. It never holds a token or a
telephone number: the code that raises one masks both first.

A class is chosen by what the caller can do about it, which is why a TLS fault and a refused
connection are one class and a 401 and a 403 are two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime


class PlivoAnalysisError(Exception):
    """The base of every error of this package.

    Example:
        >>> issubclass(FilterError, PlivoAnalysisError)
        True
    """


class PlivoAnalysisWarning(UserWarning):
    """Every warning of this package: what was given is right, but not all that one might think.

    Example:
        >>> import warnings
        >>> warnings.simplefilter("ignore", PlivoAnalysisWarning)
    """


class FilterError(PlivoAnalysisError, ValueError):
    """An argument is wrong. It is raised before any request is made.

    Example:
        >>> issubclass(FilterError, ValueError)
        True
    """


class CredentialsError(PlivoAnalysisError):
    """No credentials were found, or they cannot be Plivo's.

    Example:
        >>> str(CredentialsError("Set PLIVO_AUTH_ID and PLIVO_AUTH_TOKEN."))
        'Set PLIVO_AUTH_ID and PLIVO_AUTH_TOKEN.'
    """


class TransportError(PlivoAnalysisError):
    """The server could not be reached, or the connection broke in every try.

    Example:
        >>> str(TransportError("Nothing listens at 127.0.0.1:9."))
        'Nothing listens at 127.0.0.1:9.'
    """


class APIError(PlivoAnalysisError):
    """The server answered with an error status.

    Args:
        message: What was wrong and what would be right.
        status_code: The HTTP status.
        api_id: The server's id of this request, where it gave one; support asks for it.

    Example:
        >>> APIError("Refused.", status_code=405).status_code
        405
    """

    def __init__(self, message: str, *, status_code: int, api_id: str | None = None) -> None:
        super().__init__(message)
        self.status_code = status_code
        self.api_id = api_id


class AuthenticationError(APIError):
    """401: the credentials were refused.

    Example:
        >>> AuthenticationError("Refused.", status_code=401).status_code
        401
    """


class PermissionDeniedError(APIError):
    """403: the credentials are good, but not for this.

    Example:
        >>> PermissionDeniedError("Not enabled.", status_code=403).status_code
        403
    """


class ResourceNotFoundError(APIError):
    """404: there is no such record in this account.

    Example:
        >>> ResourceNotFoundError("No such session.", status_code=404).status_code
        404
    """


class RateLimitError(APIError):
    """429: the server asks for a longer pause than the caller allows.

    What was read is kept; the same call goes on from there.

    Args:
        message: What was wrong and what would be right.
        status_code: The HTTP status.
        api_id: The server's id of this request, where it gave one.
        retry_after: The pause that the server asked for, in seconds.
        resume_at: When a new call can succeed, in UTC.

    Example:
        >>> RateLimitError("Too many.", status_code=429, retry_after=300.0).retry_after
        300.0
    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int = 429,
        api_id: str | None = None,
        retry_after: float | None = None,
        resume_at: datetime | None = None,
    ) -> None:
        super().__init__(message, status_code=status_code, api_id=api_id)
        self.retry_after = retry_after
        self.resume_at = resume_at


class PlivoServerError(APIError):
    """5xx: the server failed in every try.

    Example:
        >>> PlivoServerError("Unavailable.", status_code=503).status_code
        503
    """


class BadResponseError(PlivoAnalysisError):
    """The server answered, but not in the documented form.

    HTML, no JSON, no list of records, another status of success than 200, or a 200 that
    contradicts itself: with an error, or with a count of records that it does not list. It is
    raised in place of an empty table, which would say that the account has no records.

    Example:
        >>> str(BadResponseError("The page is not JSON."))
        'The page is not JSON.'
    """


class IncompletePullError(PlivoAnalysisError):
    """Some part of the time range could not be read whole.

    Args:
        message: What is missing and what to do.
        frame: What was read, in the backend that was asked for.
        missing: The missing time ranges, as pairs of UTC datetimes, half-open.

    Example:
        >>> IncompletePullError("Hours are missing.", frame=None, missing=[]).missing
        []
    """

    def __init__(
        self, message: str, *, frame: Any, missing: Sequence[tuple[datetime, datetime]]
    ) -> None:
        super().__init__(message)
        self.frame = frame
        self.missing = list(missing)


class SchemaError(PlivoAnalysisError, ValueError):
    """A frame is not of the table that a function needs.

    Args:
        message: What was wrong and what would be right.
        missing: The columns that it lacks.
        available: The columns that it has.

    Example:
        >>> SchemaError("Lacks a column.", missing=["status"], available=["alias"]).missing
        ['status']
    """

    def __init__(
        self,
        message: str,
        *,
        missing: Sequence[str] = (),
        available: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.missing = list(missing)
        self.available = list(available)


class StoreError(PlivoAnalysisError):
    """What was read cannot be kept, or what was kept cannot be opened.

    Example:
        >>> str(StoreError("The disk is full."))
        'The disk is full.'
    """
