"""One load at a time, in a thread of its own, that ends when it is told to.

A callback of a widget may run in any thread, so whoever asks shares this room's lock. The
thread is a daemon: it never keeps a kernel alive.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_UNHURRIED = 5.0  # seconds that closing waits for the thread to end


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
        """Run a job, which is given the event that tells it to end; false while one is running.

        After :meth:`close` no job is run.
        """
        with self._lock:
            if self._closed or self.busy:
                return False
            self._idle.clear()
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
        """End the job and take no other."""
        with self._lock:
            self._closed = True
        self.cancel()
        self.wait(_UNHURRIED)

    def _run(self, job: Callable[[threading.Event], object], cancel: threading.Event) -> None:
        try:
            job(cancel)
        finally:
            self._idle.set()
