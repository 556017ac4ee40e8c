"""Pacing: every request waits here for its turn, so that the account's limit is never met.

The rules are :mod:`plivo_analysis.pace`; this room adds what they need to be lived by: the
clock, the waiting and the exclusive access of one thread at a time. Where the state lies is
the ``Ledger``'s business. The one here keeps it in memory for this process; one that keeps it
in a file for every process of the account has only to offer the same ``open``.
"""

from __future__ import annotations

import math
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, Self

from plivo_analysis.clock import STEP, Cancelled
from plivo_analysis.errors import FilterError
from plivo_analysis.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from plivo_analysis.clock import Clock

MINUTE = 60.0
_LEAST = 0.001  # seconds


class Ledger(Protocol):
    """Where the state of the pace lies."""

    def open(self) -> AbstractContextManager[Pace]:
        """The state, to be read and changed by nobody else until the block ends."""


class MemoryLedger:
    """The state in memory: shared by the threads of this process.

    Args:
        pace: The state to begin with.

    Example:
        >>> with MemoryLedger(Pace(limit=20, period=60.0)).open() as pace:
        ...     pace.limit
        20
    """

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        self._lock = threading.Lock()

    @contextmanager
    def open(self) -> Iterator[Pace]:
        """The state, to be read and changed by nobody else until the block ends."""
        with self._lock:
            yield self._pace


class Slot:
    """The right to send one request. Leaving its ``with`` block stamps the response's end.

    Example:
        >>> from plivo_analysis.clock import SystemClock
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
        with self._limiter.ledger.open() as pace:
            pace.land(self._ticket, self._limiter.clock.monotonic())

    def penalise(self, seconds: float) -> None:
        """The server refused this request (429): nobody sends for so many seconds."""
        with self._limiter.ledger.open() as pace:
            pace.refuse(self._started, seconds, self._limiter.clock.monotonic())


class Limiter:
    """At most so many requests a minute, in order of arrival, whatever thread sends them.

    Args:
        requests_per_minute: What the account is granted; any positive number.
        clock: Tells the time and waits.
        period: Over how many seconds the server counts.

    Raises:
        FilterError: The rate is not a positive number.

    Example:
        >>> from plivo_analysis.clock import SystemClock
        >>> limiter = Limiter(20, clock=SystemClock())
        >>> limiter.wait_estimate(20), limiter.wait_estimate(21), limiter.wait_estimate(60)
        (0.0, 60.5, 121.0)
    """

    def __init__(
        self, requests_per_minute: float = 20, *, clock: Clock, period: float = MINUTE
    ) -> None:
        rate = _checked_rate(requests_per_minute)
        share = rate * period / MINUTE
        # Less than one request in a period is one request in a longer period.
        self.period = period * max(1.0, 1 / share)
        limit = sys.maxsize if math.isinf(share) else max(1, math.floor(share))
        self.requests_per_minute = rate
        self.clock = clock
        self.ledger: Ledger = MemoryLedger(Pace(limit=limit, period=self.period))

    def acquire(
        self,
        cancel: threading.Event | None = None,
        on_wait: Callable[[float], None] | None = None,
    ) -> Slot:
        """Wait for a turn, telling ``on_wait`` about once a second how many seconds are left.

        Raises:
            Cancelled: The event was set, before or during the wait.
        """
        with self.ledger.open() as pace:
            ticket = pace.join(self.clock.monotonic())
        try:
            while True:
                if cancel is not None and cancel.is_set():
                    raise Cancelled
                with self.ledger.open() as pace:
                    now = self.clock.monotonic()
                    wait = pace.turn(ticket, now)
                if wait <= 0:
                    return Slot(self, ticket, now)
                if on_wait is not None:
                    on_wait(wait)
                # In steps: somebody ahead may give up, or the server refuse, meanwhile. Never so
                # short that rounding could keep a clock from moving on.
                self.clock.wait(max(_LEAST, min(wait, STEP)), cancel)
        finally:
            with self.ledger.open() as pace:
                pace.leave(ticket)

    def wait_estimate(self, requests: int) -> float:
        """Seconds until the last of so many further requests may begin."""
        with self.ledger.open() as pace:
            return pace.estimate(requests, self.clock.monotonic())


def _checked_rate(rate: object) -> float:
    if isinstance(rate, bool) or not isinstance(rate, (int, float)) or not rate > 0:
        raise FilterError(
            f"requests_per_minute is {rate!r}; it takes a positive number, by default 20."
        )
    return float(rate)
