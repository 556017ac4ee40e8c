"""A load in the background: one thread at a time, and what it tells the screen.

A callback of a widget may come from any thread, beside the one that loads, so starting takes a
lock. The thread is a daemon: it never keeps a kernel alive.
"""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from plivo_analysis.explorer import wording
from plivo_analysis.explorer.output import NOTHING, lines, write

if TYPE_CHECKING:
    from collections.abc import Callable

    from plivo_analysis.explorer.layout import Layout
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
        self._thread: threading.Thread | None = None
        self._closed = False

    @property
    def busy(self) -> bool:
        """Whether a job is running."""
        return self._thread is not None and self._thread.is_alive()

    def start(self, job: Callable[[threading.Event], object]) -> bool:
        """Run a job with the event that tells it to end; false while another one is running.

        After :meth:`close` no job is run.
        """
        with self._lock:
            if self._closed or self.busy:
                return False
            # An event of its own: a cancel that comes late must not end the next job.
            self._cancel = threading.Event()
            self._thread = threading.Thread(
                target=job, args=(self._cancel,), name="explorer load", daemon=True
            )
            self._thread.start()
            return True

    def cancel(self) -> None:
        """Tell the job to end. It does so at once, also in the middle of a wait."""
        self._cancel.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until no job is running; false if one still is after so many seconds."""
        thread = self._thread
        # A callback of the job itself would wait for ever.
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)
        return not self.busy

    def close(self) -> None:
        """End the job and take no further one."""
        with self._lock:
            self._closed = True
        self.cancel()
        self.wait(_CLOSING)


class LoadProgress:
    """Told of every page by the pull; updates the screen as often as an eye can follow.

    What was read so far is drawn when the rate limit makes the load wait, which costs nothing,
    and now and then where it does not, the less often the longer drawing takes: watching must
    not slow what is watched.

    Args:
        layout: Where it says how far the load is.
        limiter: Knows how long further requests take.
        noun: What a record is called, in the singular.
        preview: Shows what was read so far.

    Attributes:
        unseen: Whether a page has arrived since the last preview.
        is_estimating: Whether what is read now is for an estimate.
    """

    def __init__(
        self, layout: Layout, limiter: Limiter, noun: str, preview: Callable[[], None]
    ) -> None:
        self._layout = layout
        self._limiter = limiter
        self._noun = noun
        self._preview = preview
        self._updated = 0.0
        self._untold: tuple[int, int, float] | None = None  # requests, rows, share
        self._before = self._told = 0, 0  # requests and rows, of the parts before and in all
        self._previewed = time.monotonic()
        self._pause = _PREVIEW
        self.unseen = self.is_estimating = False

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
        write(self._layout.wait, wording.waiting(seconds))
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
        per_minute = self._limiter.requests_per_minute
        sentences = wording.running(
            more + requests, more + expected, rows, self._noun, left=left, per_minute=per_minute
        )
        is_shared = self._limiter.asking() > asking
        notes = [wording.FIRST] * self.is_estimating + [wording.SHARED] * is_shared
        self._layout.set_progress(share)
        write(self._layout.status, sentences + lines(*notes))
        write(self._layout.wait, NOTHING)

    def _show(self) -> None:
        began = time.monotonic()
        self._preview()
        self.unseen = False
        self._previewed = time.monotonic()
        self._pause = max(_PREVIEW, _SHARE * (self._previewed - began))
