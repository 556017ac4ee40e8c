"""Three ways in which a service may count requests. Which one the real service uses is unknown.

Each is asked once a request and answers ``None``, or the seconds after which it would have said
yes. Time comes from a callable, so that a test can turn the clock.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from math import floor, inf
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    RetryAfter = Literal["seconds", "date"] | None


class ServerLimiter(ABC):
    """What the three have in common.

    Args:
        requests: How many requests pass in a window.
        seconds: How long a window is.
        retry_after: What a refusal carries in its ``Retry-After`` header: whole seconds, a
            date, or no such header.
        clock: Seconds that only grow.

    Example:
        >>> issubclass(FixedWindow, ServerLimiter)
        True
    """

    def __init__(
        self,
        requests: int = 20,
        *,
        seconds: float = 60.0,
        retry_after: RetryAfter = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.retry_after = retry_after
        self._requests, self._seconds, self._clock = requests, seconds, clock
        self._lock = threading.Lock()

    def admit(self) -> float | None:
        """Let a request pass (``None``), or refuse it (the seconds until one would pass)."""
        with self._lock:
            return self._admit(self._clock())

    @abstractmethod
    def _admit(self, now: float) -> float | None: ...


class FixedWindow(ServerLimiter):
    """So many requests in each window; the windows stand side by side.

    Example:
        >>> limiter = FixedWindow(1, seconds=60, clock=lambda: 90.0)
        >>> limiter.admit(), limiter.admit()
        (None, 30.0)
    """

    _window, _used = -1, 0

    def _admit(self, now: float) -> float | None:
        # Windows are counted from the clock's zero, not from the first request: a client that
        # begins late in one gets a whole further share as soon as the next one begins.
        window = floor(now / self._seconds)
        if window != self._window:
            self._window, self._used = window, 0
        if self._used >= self._requests:
            return (window + 1) * self._seconds - now
        self._used += 1
        return None


class SlidingWindow(ServerLimiter):
    """So many requests in any span of that length. Refused ones do not count.

    With one request in three seconds it is a server that wants its requests evenly spaced.

    Example:
        >>> limiter = SlidingWindow(1, seconds=60, clock=lambda: 90.0)
        >>> limiter.admit(), limiter.admit()
        (None, 60.0)
    """

    _passed: tuple[float, ...] = ()

    def _admit(self, now: float) -> float | None:
        # Times of requests are kept until they leave the span; each gives its place back alone.
        self._passed = tuple(at for at in self._passed if at > now - self._seconds)
        if len(self._passed) >= self._requests:
            return self._passed[0] + self._seconds - now
        self._passed += (now,)
        return None


class TokenBucket(ServerLimiter):
    """A bucket of so many tokens that fills again within so many seconds.

    Example:
        >>> limiter = TokenBucket(2, seconds=60, clock=lambda: 90.0)
        >>> limiter.admit(), limiter.admit(), limiter.admit()
        (None, None, 30.0)
    """

    _tokens, _counted_at = inf, -inf  # full at the first request

    def _admit(self, now: float) -> float | None:
        # Tokens of the time since the last request are added now: nothing runs in between. Refused
        # requests add theirs too, and take none.
        rate = self._requests / self._seconds
        self._tokens = min(self._requests, self._tokens + (now - self._counted_at) * rate)
        self._counted_at = now
        if self._tokens < 1:
            return (1 - self._tokens) / rate
        self._tokens -= 1
        return None
