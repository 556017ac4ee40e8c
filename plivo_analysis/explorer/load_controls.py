"""Loads on the screen: starts and cancels them, and says in the sidebar how they ended.

One load runs at a time, in a thread of its own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from plivo_analysis.explorer import wording
from plivo_analysis.explorer.load_cost import load_cost
from plivo_analysis.explorer.load_run import LoadRun
from plivo_analysis.explorer.output import lines, write
from plivo_analysis.explorer.worker import LoadProgress, Worker

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from plivo_analysis.explorer.layout import Layout
    from plivo_analysis.explorer.load_cost import LoadRequest
    from plivo_analysis.explorer.loaded import Loaded, Outcome
    from plivo_analysis.http.rate_limit.limiter import Limiter


class Loading:
    """Runs loads for an explorer.

    Args:
        layout: Where it says how a load goes on.
        noun: What a record is called, in the singular.
        limiter: The rate limit of what is loaded.
        show: Puts what was read on the screen.
        ended: Is called when a load has ended.

    Attributes:
        loaded: What is on the screen; None before the first load.
        error: Why the last load failed; None when it did not.
    """

    def __init__(
        self,
        layout: Layout,
        noun: str,
        limiter: Limiter,
        show: Callable[[Loaded], None],
        ended: Callable[[], None],
    ) -> None:
        self._layout = layout
        self._noun = noun
        self._limiter = limiter
        self._show = show
        self._ended = ended
        self.worker = Worker()
        self.loaded: Loaded | None = None
        self.error: BaseException | None = None

    def start(self, request: LoadRequest) -> None:
        """Start a load; nothing happens while one is running."""
        if self.worker.busy:
            return
        # Before the thread starts, whose own requests would be counted among the others'.
        self._layout.set_running(is_running=True)
        shared = [wording.SHARED] if self._limiter.asking() else []
        write(self._layout.status, lines(wording.ASKING, *shared))
        if self.loaded is None:
            write(self._layout.empty, lines(wording.LOADING))
        compare = self._layout.compare.value
        if not self.worker.start(lambda cancel: self._run(request, compare, cancel)):
            self._layout.set_running(is_running=False)

    def stop(self) -> None:
        """Cancel the load that is running; what was read is kept."""
        if self.worker.busy:
            self._layout.cancel.disabled = True
            self.worker.cancel()
            write(self._layout.wait, lines(wording.STOPPING))

    def _run(self, request: LoadRequest, compare: bool, cancel: threading.Event) -> None:
        progress = LoadProgress(
            self._layout, self._limiter, self._noun, lambda: self._show(run.read())
        )
        run = LoadRun(request, progress, cancel)
        try:
            outcome = run.ask(compare=compare)
            self.error = outcome.error
            # A preview that no page has followed is on the screen already.
            loaded = self._on_screen(request, outcome) if not progress.unseen else None
            if loaded is None:
                loaded = run.read(outcome)
                self._show(loaded)
            self.loaded = loaded
            self._ended()
            self._tell_end(loaded)
        except Exception as error:  # noqa: BLE001 - an error of a thread is seen by nobody else
            self.error = error
            write(self._layout.status, wording.failed(error, 0, self._noun))
        finally:
            self._layout.set_running(is_running=False)

    def _on_screen(self, request: LoadRequest, outcome: Outcome) -> Loaded | None:
        """What is on the screen, if a cancel found all of it there: it then answers at once."""
        shown = self.loaded
        if not outcome.cancelled or shown is None or shown.request is not request:
            return None
        return replace(shown, outcome=outcome) if shown.outcome.span == outcome.span else None

    def _tell_end(self, loaded: Loaded) -> None:
        rows, outcome = loaded.frame.height, loaded.outcome
        if outcome.error is not None:
            status = wording.failed(outcome.error, rows, self._noun)
        elif outcome.cancelled:
            status = wording.stopped(rows, self._noun)
        else:
            self._layout.set_progress(1.0, is_whole=True)
            cost = load_cost(loaded.request, loaded.bounds)
            status = wording.done(loaded, cost, self._noun)
        write(self._layout.status, status)
        self._layout.fold.value = not rows
