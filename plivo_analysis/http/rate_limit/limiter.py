"""Limiters: a request waits here, in order of arrival, until it may be sent.

An account is a base URL and an auth id, so that an emulator never slows a real account. Clients
of one account in one process share one state, and processes the same file, whatever store each
of them uses: the server counts them together.
"""

from __future__ import annotations

import math
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from plivo_analysis.api.checks import wrong_value
from plivo_analysis.http.rate_limit.state import SharedState
from plivo_analysis.http.rate_limit.window import new_ticket
from plivo_analysis.system.clock import STEP_SECONDS, Cancelled
from plivo_analysis.system.folders import state_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from plivo_analysis.http.rate_limit.window import WindowState
    from plivo_analysis.system.clock import Clock

PERIOD_SECONDS = 60.0
FILE_NAME = "rate_limit.sqlite"
FASTEST_SHARED = 300.0  # requests a minute; above it a file would cost more than it saves
_LEAST_SECONDS = 0.001

_states: dict[tuple[Path | None, str, float, str], SharedState] = {}
_lock = threading.Lock()


def account_limiter(
    base_url: str,
    auth_id: str,
    requests_per_minute: float,
    *,
    clock: Clock,
    period: float = PERIOD_SECONDS,
) -> Limiter:
    """A limiter for an account, which all that ask for this account and period share.

    Up to 300 requests a minute they share it with other processes, above with the threads of
    this one only. Without a limit there is nothing to share.

    Args:
        base_url: Where the account is asked.
        auth_id: The account.
        requests_per_minute: What it is granted; any positive number.
        clock: Tells the time and waits.
        period: Over how many seconds the server counts.

    Raises:
        FilterError: The rate is not a positive number.
        StoreError: The user has no home folder for the state file.

    Example:
        >>> from plivo_analysis.system.clock import Clock
        >>> one, other = (
        ...     account_limiter("http://127.0.0.1:9", "MAXX", 3360, clock=Clock(), period=5)
        ...     for _ in range(2)
        ... )
        >>> one.states is other.states
        True
    """
    limiter = Limiter(requests_per_minute, clock=clock, period=period)
    rate = limiter.requests_per_minute
    if math.isfinite(rate):
        path = state_folder() / FILE_NAME if rate <= FASTEST_SHARED else None
        account = f"{base_url} {auth_id}"
        # One state for all, also for clients made at once: with two, each would see half of what
        # is sent, and the server twice the limit.
        with _lock:
            limiter.states = _states.setdefault(
                (path, account, period, clock.origin), SharedState(path, account, clock)
            )
    return limiter


class Permit:
    """The right to send one request. Leaving its ``with`` block stamps the response's end.

    Example:
        >>> from plivo_analysis.system.clock import Clock
        >>> with Limiter(clock=Clock()).acquire() as permit:
        ...     pass  # send, and read the response to its end
    """

    def __init__(self, limiter: Limiter, ticket: str, started: float) -> None:
        self._limiter = limiter
        self._ticket = ticket
        self._started = started

    def __enter__(self) -> Self:
        return self

    def release(self, *_: object) -> None:
        """The response has ended. A second call does nothing."""
        with self._limiter.state() as window:
            window.finish(self._ticket, self._limiter.clock.monotonic())

    __exit__ = release

    def pause(self, seconds: float) -> None:
        """No request goes for so many seconds; the budget stays as it is."""
        with self._limiter.state() as window:
            window.pause(seconds, self._limiter.clock.monotonic())

    def back_off(self, seconds: float) -> None:
        """The server refused this request (429): no request goes for so many seconds."""
        with self._limiter.state() as window:
            window.back_off(self._started, seconds, self._limiter.clock.monotonic())


class Limiter:
    """At most so many requests a minute, in order of arrival, whatever thread sends them.

    Args:
        requests_per_minute: What the account is granted; any positive number.
        clock: Tells the time and waits.
        period: Over how many seconds the server counts.
        states: Where the window's state is; by default in memory, for this limiter alone.
        kind: What its requests list, should the server count kinds apart.

    Raises:
        FilterError: The rate is not a positive number.

    Example:
        >>> from plivo_analysis.system.clock import Clock
        >>> limiter = Limiter(20, clock=Clock())
        >>> limiter.wait_estimate(20), limiter.wait_estimate(21), limiter.wait_estimate(60)
        (0.0, 60.5, 121.0)
    """

    def __init__(
        self,
        requests_per_minute: float = 20,
        *,
        clock: Clock,
        period: float = PERIOD_SECONDS,
        states: SharedState | None = None,
        kind: str = "",
    ) -> None:
        rate: object = requests_per_minute
        if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not rate > 0:
            raise wrong_value("requests_per_minute", rate, "a positive number, by default 20")
        self.requests_per_minute = float(rate)
        self.clock = clock
        self.period = period
        self.states = states or SharedState(None, "", clock)
        self.kind = kind
        # A rate that is told by the minute, in the period that the server counts by. Less than
        # one request in a period is one request in a longer period.
        share = rate * period / PERIOD_SECONDS
        self.limit = sys.maxsize if math.isinf(share) else max(1, math.floor(share))
        self._limit_period = period * max(1.0, 1 / share)

    def of(self, kind: str) -> Limiter:
        """The limiter of requests that list this kind of thing.

        It shares this one's window unless the server was found to count kinds apart.

        Example:
            >>> from plivo_analysis.system.clock import Clock
            >>> limiter = Limiter(1, clock=Clock())
            >>> limiter.of("letters").acquire().release()
            >>> limiter.of("parcels").wait_estimate(1) > 60
            True
            >>> with limiter.states.open() as account:
            ...     account.count_apart(True)
            >>> limiter.of("parcels").wait_estimate(1)
            0.0
        """
        return Limiter(
            self.requests_per_minute,
            clock=self.clock,
            period=self.period,
            states=self.states,
            kind=kind,
        )

    @contextmanager
    def state(self) -> Iterator[WindowState]:
        """The window's state under this limit; no other thread or process changes it meanwhile."""
        with self.states.open() as account:
            window = account.window(self.kind)
            # Set each time, not kept: two clients of one account may be told different limits.
            window.limit, window.period = self.limit, self._limit_period
            yield window

    def acquire(
        self,
        cancel: threading.Event | None = None,
        on_wait: Callable[[float], None] | None = None,
    ) -> Permit:
        """Wait for a turn, telling ``on_wait`` about once a second how many seconds are left.

        Raises:
            Cancelled: The event was set, before or during the wait.
        """
        ticket, permit = new_ticket(), None
        try:
            while not (cancel is not None and cancel.is_set()):
                with self.state() as window:
                    now = self.clock.monotonic()
                    wait = window.turn(ticket, now)
                if wait <= 0:
                    permit = Permit(self, ticket, now)
                    return permit
                if on_wait is not None:
                    on_wait(wait)
                # In steps: one ahead may give up, or the server refuse, meanwhile. Never so short
                # that rounding could keep a clock from moving on.
                self.clock.wait(max(_LEAST_SECONDS, min(wait, STEP_SECONDS)), cancel)
        finally:
            if permit is None:
                with self.state() as window:
                    window.leave(ticket)
        raise Cancelled

    def probe(self) -> Permit:
        """A permit at once, room or none: for a request that is meant to be refused.

        What it spends counts like any other.
        """
        with self.state() as window:
            now = self.clock.monotonic()
            return Permit(self, window.probe(now), now)

    def asking(self) -> int:
        """How many requests are under way or wait here, those of other processes too.

        While a load runs, it has one or the other, but for the moment in which it keeps a page.

        Example:
            >>> from plivo_analysis.system.clock import Clock
            >>> limiter = Limiter(clock=Clock())
            >>> with limiter.acquire():
            ...     limiter.asking()
            1
            >>> limiter.asking()
            0
        """
        with self.state() as window:
            return window.asking(self.clock.monotonic())

    def wait_estimate(self, requests: int) -> float:
        """Seconds until the last of so many further requests may begin."""
        with self.state() as window:
            return window.estimate(requests, self.clock.monotonic())
