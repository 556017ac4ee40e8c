"""One request, permitted by the rate limit and tried again, to its value or one clear error.

Errors are raised from :meth:`Transport.get` alone, outside any ``except`` block and with no
answer, header or query within reach: a verbose traceback prints every variable of every
frame, and of every exception that led to it.
"""

from __future__ import annotations

import logging
import re
import time
from collections import Counter
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Generic, NoReturn, TypeVar
from urllib.parse import urlsplit

from plivo_analysis.api.filters import Query
from plivo_analysis.errors import BadResponseError, FilterError, RateLimitError
from plivo_analysis.http.connection import Connection
from plivo_analysis.http.failures import RAISED, broken, refused, server_time
from plivo_analysis.http.rate_limit.limiter import account_limiter
from plivo_analysis.http.retries import LONGEST_WAIT_SECONDS, Cause, Setback
from plivo_analysis.system.clock import Cancelled, wait_in_steps

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime
    from threading import Event

    from plivo_analysis.http.credentials import Credentials
    from plivo_analysis.http.rate_limit.limiter import Limiter

T = TypeVar("T")

_log = logging.getLogger("plivo_analysis")

# The account's limit on requests of every kind is 300 in 5 s; lists need 20 of these.
_SINGLES_PERIOD_SECONDS = 5.0
_SINGLES_A_MINUTE = 280 * 60 / _SINGLES_PERIOD_SECONDS
_OK = 200
# The path of an id that a caller gives may lead to no other account, query or host.
_PATH = re.compile(r"(?:[A-Za-z0-9-]+/)+")
_ID_IN_PATH = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")
_LEAST_TOKEN = 6  # characters; a shorter one would be cut out of ordinary words


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What a request brought.

    Args:
        value: What its reader made of the body.
        date: The server's time when it answered, in UTC; None where it gave no plausible one.
        tries: How many requests it took.

    Example:
        >>> Answer(b"{}", None, 1).tries
        1
    """

    value: T
    date: datetime | None
    tries: int


class Transport:
    """Requests to one account. Safe to use from several threads.

    Args:
        credentials: The account, its address and its token.
        limiter: The account's rate limit, whose clock tells the time and waits.

    Attributes:
        requests: How many were sent.

    Raises:
        TransportError: The environment names a proxy that cannot be used, or a file of
            certificates that is not there.

    Example:
        >>> from plivo_analysis.system.clock import Clock
        >>> from plivo_analysis.http.credentials import resolve
        >>> from plivo_analysis.http.rate_limit.limiter import Limiter
        >>> given = resolve("MA" + "X" * 18, "not-a-real-token", "http://127.0.0.1:9")
        >>> Transport(given, Limiter(20, clock=Clock()))
        Transport('http://127.0.0.1:9', 'MAXXXXXXXXXXXXXXXXXX')
    """

    def __init__(self, credentials: Credentials, limiter: Limiter) -> None:
        self._credentials = credentials
        self._host = urlsplit(credentials.base_url).netloc
        self._limiter = limiter
        self._clock = limiter.clock
        # An account that was granted more lists than that was granted more of all requests.
        self._singles = account_limiter(
            credentials.base_url,
            credentials.auth_id,
            max(limiter.requests_per_minute, _SINGLES_A_MINUTE),
            clock=limiter.clock,
            period=_SINGLES_PERIOD_SECONDS,
        )
        self._connection = Connection(credentials)
        self.requests = 0
        self._lock = Lock()

    def get(
        self,
        path: str,
        params: Mapping[str, str],
        *,
        read: Callable[[bytes], T],
        cancel: Event | None = None,
        paced: bool = True,
        on_wait: Callable[[float], None] | None = None,
    ) -> Answer[T]:
        """Ask, until an answer can be read or trying again has no point.

        Args:
            path: Below the account, such as ``Verify/Session/``.
            params: The query.
            read: Makes a value of the body. A ``BadResponseError`` from it is a setback
                like others: the request is tried again.
            cancel: Stops waiting and reading as soon as it is set.
            paced: Whether the request counts towards the limit on lists. One of a single
                record does not: it has only the account's wide one.
            on_wait: Told about once a second of a wait how many seconds are left.

        Raises:
            Cancelled: The event was set.
            FilterError: The path is not one of the API.
            TransportError: No answer, in every try.
            APIError: The server said no.
            BadResponseError: The answers were not of the documented form.
        """
        if not _PATH.fullmatch(path):
            raise FilterError("An id in the address holds characters that no id has.")
        params = Query(params)  # whose repr masks numbers
        limiter = self._limiter.of(path) if paced else self._singles
        met: Counter[Cause] = Counter()
        while True:
            # Each try takes a permit of its own: the server counts it, whatever becomes of it.
            with limiter.acquire(cancel, on_wait) as permit:
                outcome = self._try(path, params, read, cancel, tries=met.total() + 1)
                if isinstance(outcome, Answer):
                    return outcome
                met[outcome.kind] += 1
                wait = outcome.pause(met[outcome.kind], limiter.period)
                if wait is None:
                    raise outcome.error
                if outcome.kind is Cause.BUSY:
                    # A 429 concerns every request of the account: all wait for their permits, and
                    # this one for its next.
                    permit.back_off(wait)
                    continue
            wait_in_steps(self._clock, wait, cancel, on_wait)

    def probe(self, path: str) -> RateLimitError | None:
        """Ask for a list once and at once, whether or not the rate limit allows it.

        It is a question about the limit: no turn is waited for and nothing is tried again. What
        it spends counts like any other, and a refusal makes all requests wait for a window.

        Returns:
            The server's refusal; None where the request passed.

        Raises:
            PlivoAnalysisError: It failed in another way.
        """
        limiter = self._limiter.of(path)
        with limiter.probe() as permit:
            outcome = self._try(path, Query(limit="1"), bytes, None)
            if isinstance(outcome, Answer):
                return None
            if not isinstance(outcome.error, RateLimitError):
                raise outcome.error
            wait = max(limiter.period, outcome.retry_after or 0.0)
            permit.pause(min(wait, LONGEST_WAIT_SECONDS))
            return outcome.error

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def __repr__(self) -> str:
        return f"Transport({self._credentials.base_url!r}, {self._credentials.auth_id!r})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A connection to an account holds its token and does not pickle.")

    def _try(
        self,
        path: str,
        params: Mapping[str, str],
        read: Callable[[bytes], T],
        cancel: Event | None,
        tries: int = 1,
    ) -> Answer[T] | Setback:
        """Ask once. Nothing of the exchange but its outcome leaves this frame."""
        began = time.monotonic()
        with self._lock:
            self.requests += 1
        try:
            account = f"/v1/Account/{self._credentials.auth_id}/"
            reply = self._connection.get(account + path, params, cancel)
            _log.debug(
                "GET %s <%s>: %d in %.2f s",
                _ID_IN_PATH.sub("{id}", path),
                ", ".join(params),
                reply.status,
                time.monotonic() - began,
            )
            now = self._clock.now()
            if reply.status != _OK:
                return refused(reply, now=now, redact=self._redact)
            return Answer(read(reply.body), server_time(reply.headers, now), tries)
        except BadResponseError as error:
            # The reader may quote the server, which may repeat what it was sent.
            return Setback(Cause.MALFORMED, BadResponseError(self._redact(str(error))))
        except RAISED as error:
            return broken(error, self._host)
        except (Cancelled, KeyboardInterrupt) as stop:
            # A new one: the old one's frames hold the request's header.
            return Setback(Cause.FINAL, type(stop)())

    def _redact(self, text: str) -> str:
        """A text of the server's without the credentials, should it repeat them."""
        token = self._credentials.token.reveal()
        if len(token) < _LEAST_TOKEN:
            return text
        return text.replace(token, "***").replace(self._credentials.basic, "***")
