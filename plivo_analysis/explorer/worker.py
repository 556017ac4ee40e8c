"""A load in the background: one thread at a time, and what it tells the screen.

A callback of a widget may come from any thread, beside the one that loads, so starting takes a
lock. The thread is a daemon: it never keeps a kernel alive.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from plivo_analysis.http.rate_limit.limiter import Limiter

_CLOSING = 5.0  # seconds that closing waits for the thread to end
_STEP = 0.1  # seconds between two updates of the progress
_PREVIEW = 1.0  # seconds before what was read is shown
_IDLE = 1.0  # seconds of waiting in which there is time to show it
_SHARE = 20  # a preview may take one part in so many of the time


class Worker:
    """Runs one job at a time.

    Example:
        >>> worker = Worker()
        >>> worker.start(lambda cancel: cancel.wait(60))
        True
        >>> worker.start(print), worker.busy
        (False, True)
        >>> worker.cancel()
        >>> worker.wait(10)
        True
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._cancel = threading.Event()
        self._idle = threading.Event()
        self._idle.set()
        self._thread: threading.Thread | None = None
        self._closed = False

    @property
    def busy(self) -> bool:
        """Whether a job is running."""
        return not self._idle.is_set()

    @property
    def cancelling(self) -> bool:
        """Whether a job is running that was told to end."""
        return self.busy and self._cancel.is_set()

    def start(self, job: Callable[[threading.Event], object]) -> bool:
        """Run a job with the event that tells it to end; false while another one is running.

        After :meth:`close` no job is run.
        """
        with self._lock:
            if self._closed or self.busy:
                return False
            self._idle.clear()
            # An event of its own: a cancel that comes late must not end the next job.
            self._cancel = threading.Event()
            self._thread = threading.Thread(
                target=self._run, args=(job, self._cancel), name="explorer load", daemon=True
            )
            self._thread.start()
            return True

    def cancel(self) -> None:
        """Tell the job to end. It does so at once, also in the middle of a wait."""
        self._cancel.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until no job is running; false if one still is after so many seconds."""
        if threading.current_thread() is self._thread:
            return not self.busy  # a callback of the job itself would wait for ever
        return self._idle.wait(timeout)

    def close(self) -> None:
        """End the job and take no further one."""
        with self._lock:
            self._closed = True
        self.cancel()
        self.wait(_CLOSING)

    def _run(self, job: Callable[[threading.Event], object], cancel: threading.Event) -> None:
        try:
            job(cancel)
        finally:  # also after a fault of ours, or the explorer would be busy for ever
            self._idle.set()


class LoadProgress:
    """Told of every page by the pull; updates the screen as often as an eye can follow.

    What was read so far is drawn when the rate limit makes the load wait, which costs nothing,
    and now and then where it does not, the less often the longer drawing takes: watching must
    not slow what is watched.

    Args:
        limiter: Knows how long further requests take.
        page: Called with requests, requests expected, rows, share of the range, seconds left.
        wait: Called with the seconds until the next request.
        preview: Shows what was read so far.

    Attributes:
        unseen: Whether a page has arrived since the last preview.
        is_shared: Whether another load of the account was running when a page was last told of.
    """

    def __init__(
        self,
        limiter: Limiter,
        page: Callable[[int, int, int, float, float], None],
        wait: Callable[[float], None],
        preview: Callable[[], None],
    ) -> None:
        self._limiter = limiter
        self._page = page
        self._wait = wait
        self._preview = preview
        self._updated = 0.0
        self._untold: tuple[int, int, float] | None = None  # requests, rows, share
        self._before = self._told = 0, 0  # requests and rows, of the parts before and in all
        self._previewed = time.monotonic()
        self._pause = _PREVIEW
        self.unseen = self.is_shared = False

    def begin_part(self) -> None:
        """Another part of the load begins; requests and rows are counted on."""
        self._before = self._told

    def page(self, *, requests: int, rows: int, share: float) -> None:
        """A page was kept; ``share`` of the range is covered."""
        now = time.monotonic()
        self._told = self._before[0] + requests, self._before[1] + rows
        self._untold = (requests, rows, min(1.0, share))
        if now - self._updated >= _STEP:
            self._tell(now, asking=0)
        self.unseen = True
        if now - self._previewed >= self._pause:
            self._show()

    def waiting(self, seconds: float) -> None:
        """The next request waits for the rate limit."""
        # Pages that came close after one another were not told. Our own request waits here.
        self._tell(time.monotonic(), asking=1)
        self._wait(seconds)
        if self.unseen and seconds >= _IDLE:
            self._show()

    def _tell(self, now: float, asking: int) -> None:
        if self._untold is None:
            return
        requests, rows, share = self._untold
        self._untold, self._updated = None, now
        expected = max(requests, round(requests / share)) if share > 0 else requests
        left = self._limiter.wait_estimate(expected - requests) if expected > requests else 0.0
        more, rows = self._before[0], self._before[1] + rows
        self.is_shared = self._limiter.asking() > asking
        self._page(more + requests, more + expected, rows, share, left)

    def _show(self) -> None:
        began = time.monotonic()
        self._preview()
        self.unseen = False
        self._previewed = time.monotonic()
        self._pause = max(_PREVIEW, _SHARE * (self._previewed - began))
