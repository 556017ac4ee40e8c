"""Four ways in which a service may count requests. Which one the real service uses is unknown.

Each is asked once a request and answers with nothing, or with the seconds after which it would
have said yes. Time comes from a callable, so that a test can turn the clock.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from math import floor
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Callable

    RetryAfter = Literal["seconds", "date"] | None


class Limiter(ABC):
    """What the four have in common.

    Args:
        retry_after: What a refusal carries in its ``Retry-After`` header: whole seconds, a
            date, or no such header.
        clock: Seconds that only grow.

    Example:
        >>> issubclass(FixedWindow, Limiter)
        True
    """

    def __init__(
        self,
        *,
        retry_after: RetryAfter = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.retry_after = retry_after
        self._clock = clock
        self._lock = threading.Lock()

    def admit(self) -> float | None:
        """Let a request pass (nothing), or refuse it (the seconds until one would pass)."""
        with self._lock:
            return self._admit(self._clock())

    @abstractmethod
    def _admit(self, now: float) -> float | None: ...


class FixedWindow(Limiter):
    """So many requests in each window; the windows stand side by side.

    Example:
        >>> limiter = FixedWindow(1, seconds=60, clock=lambda: 90.0)
        >>> limiter.admit(), limiter.admit()
        (None, 30.0)
    """

    def __init__(
        self,
        requests: int = 20,
        *,
        seconds: float = 60.0,
        retry_after: RetryAfter = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(retry_after=retry_after, clock=clock)
        self._requests, self._seconds = requests, seconds
        self._window, self._used = -1, 0

    def _admit(self, now: float) -> float | None:
        window = floor(now / self._seconds)
        if window != self._window:
            self._window, self._used = window, 0
        if self._used >= self._requests:
            return (window + 1) * self._seconds - now
        self._used += 1
        return None


class SlidingWindow(Limiter):
    """So many requests in any span of that length. Refused ones do not count.

    Example:
        >>> limiter = SlidingWindow(1, seconds=60, clock=lambda: 90.0)
        >>> limiter.admit(), limiter.admit()
        (None, 60.0)
    """

    def __init__(
        self,
        requests: int = 20,
        *,
        seconds: float = 60.0,
        retry_after: RetryAfter = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(retry_after=retry_after, clock=clock)
        self._requests, self._seconds = requests, seconds
        self._passed: deque[float] = deque()

    def _admit(self, now: float) -> float | None:
        while self._passed and self._passed[0] <= now - self._seconds:
            self._passed.popleft()
        if len(self._passed) >= self._requests:
            return self._passed[0] + self._seconds - now
        self._passed.append(now)
        return None


class TokenBucket(Limiter):
    """A bucket of so many tokens that fills again within so many seconds.

    Example:
        >>> limiter = TokenBucket(2, seconds=60, clock=lambda: 90.0)
        >>> limiter.admit(), limiter.admit(), limiter.admit()
        (None, None, 30.0)
    """

    def __init__(
        self,
        requests: int = 20,
        *,
        seconds: float = 60.0,
        retry_after: RetryAfter = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(retry_after=retry_after, clock=clock)
        self._size, self._rate = requests, requests / seconds
        self._tokens, self._filled = float(requests), self._clock()

    def _admit(self, now: float) -> float | None:
        self._tokens = min(self._size, self._tokens + (now - self._filled) * self._rate)
        self._filled = now
        if self._tokens < 1:
            return (1 - self._tokens) / self._rate
        self._tokens -= 1
        return None


class StrictSpacing(Limiter):
    """One request, then none for so many seconds.

    Example:
        >>> limiter = StrictSpacing(3, clock=lambda: 90.0)
        >>> limiter.admit(), limiter.admit()
        (None, 3.0)
    """

    def __init__(
        self,
        seconds: float = 3.0,
        *,
        retry_after: RetryAfter = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(retry_after=retry_after, clock=clock)
        self._seconds = seconds
        self._last = float("-inf")

    def _admit(self, now: float) -> float | None:
        wait = self._last + self._seconds - now
        if wait > 0:
            return wait
        self._last = now
        return None
