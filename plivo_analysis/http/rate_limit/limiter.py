"""The limiter: whoever wants to send waits here, in order of arrival, until it may."""

from __future__ import annotations

import copy
import math
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from plivo_analysis.errors import FilterError
from plivo_analysis.http.rate_limit.state import MemoryState
from plivo_analysis.system.clock import STEP, Cancelled

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator

    from plivo_analysis.http.rate_limit.state import StateStore
    from plivo_analysis.http.rate_limit.window import WindowState
    from plivo_analysis.system.clock import Clock

PERIOD_SECONDS = 60.0
_LEAST = 0.001  # seconds


class Permit:
    """The right to send one request. Leaving its ``with`` block stamps the response's end.

    Example:
        >>> from plivo_analysis.system.clock import SystemClock
        >>> with Limiter(clock=SystemClock()).acquire() as slot:
        ...     pass  # send, and read the response to its end
    """

    def __init__(self, limiter: Limiter, ticket: int, started: float) -> None:
        self._limiter = limiter
        self._ticket = ticket
        self._started = started

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def release(self) -> None:
        """The response has ended. A second call does nothing."""
        with self._limiter.pace() as pace:
            pace.land(self._ticket, self._limiter.clock.monotonic())

    def close(self, seconds: float) -> None:
        """Nobody sends for so many seconds, though nothing is to be learnt from it."""
        with self._limiter.pace() as pace:
            pace.close(seconds, self._limiter.clock.monotonic())

    def penalise(self, seconds: float) -> None:
        """The server refused this request (429): nobody sends for so many seconds."""
        with self._limiter.pace() as pace:
            pace.refuse(self._started, seconds, self._limiter.clock.monotonic())


class Limiter:
    """At most so many requests a minute, in order of arrival, whatever thread sends them.

    Args:
        requests_per_minute: What the account is granted; any positive number.
        clock: Tells the time and waits.
        period: Over how many seconds the server counts.
        ledger: Where the state of the pace lies; by default in memory, for this limiter alone.

    Raises:
        FilterError: The rate is not a positive number.

    Example:
        >>> from plivo_analysis.system.clock import SystemClock
        >>> limiter = Limiter(20, clock=SystemClock())
        >>> limiter.wait_estimate(20), limiter.wait_estimate(21), limiter.wait_estimate(60)
        (0.0, 60.5, 121.0)
    """

    def __init__(
        self,
        requests_per_minute: float = 20,
        *,
        clock: Clock,
        period: float = PERIOD_SECONDS,
        ledger: StateStore | None = None,
    ) -> None:
        rate = _checked_rate(requests_per_minute)
        share = rate * period / PERIOD_SECONDS
        # Less than one request in a period is one request in a longer period.
        self.period = period * max(1.0, 1 / share)
        self.limit = sys.maxsize if math.isinf(share) else max(1, math.floor(share))
        self.requests_per_minute = rate
        self.clock = clock
        self.ledger: StateStore = MemoryState() if ledger is None else ledger
        self.kind = ""

    def of(self, kind: str) -> Limiter:
        """The limiter of requests that list this kind of thing.

        It is no other than this one's, until it was found out that kinds are counted apart.

        Example:
            >>> from plivo_analysis.system.clock import SystemClock
            >>> limiter = Limiter(1, clock=SystemClock())
            >>> limiter.of("letters").acquire().release()
            >>> limiter.of("parcels").wait_estimate(1) > 60
            True
            >>> limiter.ledger.count_apart(True)
            >>> limiter.of("parcels").wait_estimate(1)
            0.0
        """
        other = copy.copy(self)
        other.kind = kind
        return other

    @contextmanager
    def pace(self) -> Iterator[WindowState]:
        """The state under this limit, for nobody else until the block ends."""
        with self.ledger.open(self.kind) as pace:
            pace.limit, pace.period = self.limit, self.period
            yield pace

    def acquire(
        self,
        cancel: threading.Event | None = None,
        on_wait: Callable[[float], None] | None = None,
    ) -> Permit:
        """Wait for a turn, telling ``on_wait`` about once a second how many seconds are left.

        Raises:
            Cancelled: The event was set, before or during the wait.
        """
        with self.pace() as pace:
            ticket = pace.join(self.clock.monotonic())
        try:
            started = self._wait(ticket, cancel, on_wait)
        except BaseException:
            with self.pace() as pace:
                pace.leave(ticket)
            raise
        return Permit(self, ticket, started)

    def overdraw(self) -> Permit:
        """A turn at once, room or none: for a request that is meant to be refused.

        What it spends counts like any other.
        """
        with self.pace() as pace:
            now = self.clock.monotonic()
            return Permit(self, pace.take(now), now)

    def _wait(
        self,
        ticket: int,
        cancel: threading.Event | None,
        on_wait: Callable[[float], None] | None,
    ) -> float:
        """Wait for a ticket's turn; when it came."""
        while cancel is None or not cancel.is_set():
            with self.pace() as pace:
                now = self.clock.monotonic()
                wait = pace.turn(ticket, now)
            if wait <= 0:
                return now
            if on_wait is not None:
                on_wait(wait)
            # In steps: somebody ahead may give up, or the server refuse, meanwhile. Never so
            # short that rounding could keep a clock from moving on.
            self.clock.wait(max(_LEAST, min(wait, STEP)), cancel)
        raise Cancelled

    def wait_estimate(self, requests: int) -> float:
        """Seconds until the last of so many further requests may begin."""
        with self.pace() as pace:
            return pace.estimate(requests, self.clock.monotonic())


def _checked_rate(rate: object) -> float:
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not rate > 0:
        raise FilterError(
            f"requests_per_minute is {rate!r}; it takes a positive number, by default 20."
        )
    return float(rate)
