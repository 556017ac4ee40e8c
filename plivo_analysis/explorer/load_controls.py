"""Loads on the screen: starts and cancels them, and says in the sidebar how far they are.

One load runs at a time, in a thread of its own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from plivo_analysis.explorer import wording
from plivo_analysis.explorer.load_cost import load_cost
from plivo_analysis.explorer.load_run import LoadRun
from plivo_analysis.explorer.output import NOTHING, lines, write
from plivo_analysis.explorer.worker import LoadProgress, Worker

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from plivo_analysis.explorer.layout import Layout
    from plivo_analysis.explorer.load_cost import LoadRequest
    from plivo_analysis.explorer.load_run import Loaded, Outcome
    from plivo_analysis.http.rate_limit.limiter import Limiter


class Loading:
    """Runs loads for an explorer.

    Args:
        layout: Where it says how far a load is.
        noun: What a record is called, in the singular.
        limiter: The rate limit of what is loaded.
        show: Puts what was read on the screen.
        still_open: How many records of those on the screen may still change.
        ended: Is called with what was read when a load has ended.

    Attributes:
        loaded: What is on the screen; None before the first load.
        error: Why the last load failed; None when it did not.
    """

    def __init__(
        self,
        layout: Layout,
        noun: str,
        limiter: Limiter,
        *,
        show: Callable[[Loaded], None],
        still_open: Callable[[Loaded], int],
        ended: Callable[[Loaded], None],
    ) -> None:
        self._layout = layout
        self._noun = noun
        self._limiter = limiter
        self._show = show
        self._still_open = still_open
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
        # What the progress is told comes from within run.ask(), when there is a run.
        progress = LoadProgress(
            self._limiter,
            lambda *numbers: self._tell(
                *numbers, is_first=run.is_estimating, is_shared=progress.is_shared
            ),
            lambda seconds: write(self._layout.wait, wording.waiting(seconds)),
            lambda: self._show(run.read()),
        )
        run = LoadRun(request, progress, cancel)
        try:
            outcome = run.ask()
            if compare:
                outcome = run.ask_before(outcome)
            self.error = outcome.error
            # A preview that no page has followed is on the screen already.
            loaded = self._on_screen(request, outcome) if not progress.unseen else None
            if loaded is None:
                loaded = run.read(outcome, compare=True)
                self._show(loaded)
            self.loaded = loaded
            self._ended(loaded)
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

    def _tell(
        self,
        requests: int,
        expected: int,
        rows: int,
        share: float,
        left: float,
        *,
        is_first: bool,
        is_shared: bool,
    ) -> None:
        self._layout.set_progress(share)
        per_minute = self._limiter.requests_per_minute
        sentences = wording.running(
            requests, expected, rows, self._noun, left=left, per_minute=per_minute
        )
        notes = [wording.FIRST] * is_first + [wording.SHARED] * is_shared
        write(self._layout.status, sentences + (lines(*notes) if notes else NOTHING))
        write(self._layout.wait, NOTHING)

    def _tell_end(self, loaded: Loaded) -> None:
        rows, outcome = loaded.frame.height, loaded.outcome
        if outcome.error is not None:
            status = wording.failed(outcome.error, rows, self._noun)
        elif outcome.cancelled:
            status = wording.stopped(rows, self._noun)
        else:
            self._layout.set_progress(1.0, is_whole=True)
            cost = load_cost(loaded.request, loaded.bounds)
            status = wording.done(loaded, cost, self._still_open(loaded), self._noun)
        write(self._layout.status, status)
        self._layout.fold.value = not rows
