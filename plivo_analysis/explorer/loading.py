"""Loads on the screen: starts and cancels them, and says in the sidebar how they ended.

One load runs at a time, in a thread of its own. A callback of a widget may come from any thread,
so starting takes a lock. The thread is a daemon: it never keeps a kernel alive.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from plivo_analysis.explorer import wording
from plivo_analysis.explorer.load_cost import load_cost
from plivo_analysis.explorer.load_run import LoadProgress, LoadRun
from plivo_analysis.explorer.output import lines, write

if TYPE_CHECKING:
    from collections.abc import Callable

    from markupsafe import Markup

    from plivo_analysis.explorer.dataset import Loaded
    from plivo_analysis.explorer.layout import Layout
    from plivo_analysis.explorer.load_cost import LoadRequest

_CLOSING = 5.0  # seconds that closing waits for the thread to end


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


class Loading:
    """Runs loads for an explorer.

    Args:
        layout: Where it says how a load goes on.
        show: Puts what was read on the screen.

    Attributes:
        worker: Runs the load.
        loaded: What is on the screen; None before the first load.
        error: Why the last load failed; None when it did not.
    """

    def __init__(self, layout: Layout, show: Callable[[Loaded], None]) -> None:
        self._layout = layout
        self._show = show
        self.worker = Worker()
        self.loaded: Loaded | None = None
        self.error: BaseException | None = None

    def start(self, request: LoadRequest) -> None:
        """Start a load, where none is running."""
        layout, limiter = self._layout, request.client.limiter.of(request.resource.path)
        layout.set_running(is_running=True)
        # Before the thread starts, whose own requests would be counted among the others'.
        shared = [wording.SHARED] if limiter.asking() else []
        write(layout.status, lines(wording.ASKING, *shared))
        if self.loaded is None:
            write(layout.empty, lines(wording.LOADING))
        compare = layout.compare.value
        if not self.worker.start(lambda cancel: self._run(request, compare, cancel)):
            layout.set_running(is_running=False)  # the explorer is closed

    def stop(self) -> None:
        """Cancel the load that is running; what was read is kept."""
        if self.worker.busy:
            self._layout.cancel.disabled = True
            self.worker.cancel()
            write(self._layout.wait, lines(wording.STOPPING))

    def _run(self, request: LoadRequest, compare: bool, cancel: threading.Event) -> None:
        layout, noun = self._layout, request.resource.noun
        limiter = request.client.limiter.of(request.resource.path)
        try:
            progress = LoadProgress(layout, limiter, noun, lambda: self._show(run.read()))
            run = LoadRun(request, progress, cancel)
            run.ask(compare=compare)
            self.error, shown = run.error, self.loaded
            is_shown = shown is not None and shown.request is request and not progress.unseen
            if run.cancelled and shown is not None and is_shown:
                # Everything is on the screen already: to read and count it again would take
                # seconds where it is much, and Cancel is to answer at once.
                loaded = replace(shown, cancelled=True)
            else:
                loaded = run.read()
            self._show(loaded)
            write(layout.status, self._ending(loaded))
            layout.fold.value = not loaded.frame.height
        except Exception as error:  # noqa: BLE001 - an error of a thread is seen by nobody else
            self.error = error
            write(layout.status, wording.failed(error, 0, noun))
        finally:
            layout.set_running(is_running=False)

    def _ending(self, loaded: Loaded) -> Markup:
        """How a load ended."""
        rows, noun = loaded.frame.height, loaded.request.resource.noun
        if loaded.error is not None:
            return wording.failed(loaded.error, rows, noun)
        if loaded.cancelled:
            return wording.stopped(rows, noun)
        self._layout.set_progress(1.0, is_whole=True)
        return wording.done(loaded, load_cost(loaded.request, loaded.span))
