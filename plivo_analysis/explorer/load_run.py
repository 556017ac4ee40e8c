"""One load, without a screen: its estimate, its pull, and what the store holds of it."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from plivo_analysis.api.resources import SESSION_RESOURCE
from plivo_analysis.errors import APIError
from plivo_analysis.explorer.load_cost import load_cost
from plivo_analysis.explorer.loaded import Loaded, Outcome
from plivo_analysis.loaders.answer import shortfall, stored
from plivo_analysis.loaders.estimate_steps import Estimating
from plivo_analysis.metrics.certainty import Completeness
from plivo_analysis.metrics.samples import LEAST_PAGES
from plivo_analysis.storage.filtering import unconfirmed
from plivo_analysis.sync.pull import pull
from plivo_analysis.system.clock import Cancelled
from plivo_analysis.values.spans import subtract

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    import polars as pl

    from plivo_analysis.explorer.load_cost import LoadRequest
    from plivo_analysis.explorer.worker import LoadProgress
    from plivo_analysis.metrics.estimates import Estimate
    from plivo_analysis.metrics.samples import Sample
    from plivo_analysis.sync.pull import Pulled
    from plivo_analysis.values.spans import Span

ESTIMATED = ("destination_country_iso2", "app_uuid", "entry_channel", "destination_network")
"""The columns that a load's estimate is told by."""

_WITHIN = 0.05  # half the width of spend's interval, from which on all is read
_FIRST = 5  # requests from which on the length of a load is believed
_MANY = 2 * LEAST_PAGES  # requests; of fewer, half is read before an estimate says anything
_REFUSED = 400


class _ManyMoreError(Exception):
    """A load takes many more requests than were made so far."""


class LoadRun:
    """One load while it goes on: asks the server, and reads what the store holds so far.

    A long load of sessions begins with an estimate: some pages all over the range first, then
    all of it. How long it is shows after some pages, where it is not known before.

    Args:
        request: What is to be loaded.
        progress: Is told of every page.
        cancel: Ends it at the next page, or in the middle of a wait.
    """

    def __init__(
        self, request: LoadRequest, progress: LoadProgress, cancel: threading.Event
    ) -> None:
        self.request = request
        self._progress = progress
        self._cancel = cancel
        self._estimating: Estimating | None = None
        self._may_be_long = False

    def ask(self, *, compare: bool) -> Outcome:
        """Ask the server for what is missing. What is read is in the store, however it ends.

        Args:
            compare: Whether to ask for the period before too, where the API still has all of it.
                What is not whole is compared with nothing.
        """
        outcome = _outcome(self.request.span(), self._pull_with_estimate)
        if not compare or not outcome.whole:
            return outcome
        before = self.request.before(outcome.span)
        if load_cost(before).expired:
            return outcome
        self._progress.begin_part()
        return replace(outcome, error=_outcome(before.span(), lambda: self._pull(before)).error)

    def read(self, outcome: Outcome | None = None) -> Loaded:
        """Read what the store holds of the range; the server is asked nothing.

        Args:
            outcome: How asking ended; None while it goes on.
        """
        request = self.request
        outcome = outcome or Outcome(request.span())
        frame = stored(request.client, request.question(), outcome.span)
        loaded = Loaded(
            request=request,
            frame=frame,
            outcome=outcome,
            complete=_completeness(request, outcome, frame),
            read_at=request.client.now(),
            unconfirmed=tuple(unconfirmed(frame, request.filter)),
        )
        if outcome.whole:
            return replace(loaded, previous=_previous(loaded))
        if self._estimating is None:
            return loaded
        sample = self._estimating.sample()
        return replace(loaded, estimate=partial(_estimate_by, self._estimating, sample))

    def page(self, *, requests: int, rows: int, share: float) -> None:
        """A page was kept; ``share`` of the range is covered."""
        self._progress.page(requests=requests, rows=rows, share=share)
        if self._may_be_long and requests >= _FIRST and requests > _MANY * share:
            raise _ManyMoreError

    def waiting(self, seconds: float) -> None:
        """The next request waits for the limit."""
        self._progress.waiting(seconds)

    def _pull_with_estimate(self) -> Pulled:
        """Pull; where that takes many requests, an estimate says something first."""
        expected: int | None = 0
        if self.request.resource is SESSION_RESOURCE:
            expected = load_cost(self.request).requests
        # Where nothing is stored to tell from, the first pages have to: they are needed anyway,
        # whichever way it goes on.
        self._may_be_long = expected is None
        try:
            if expected is None or expected <= _MANY:
                return self._pull(self.request)
        except _ManyMoreError:
            self._progress.begin_part()
        finally:
            self._may_be_long = False
        self._estimate()
        # The pull after an estimate finds its pages in the store, and asks for the others.
        return self._pull(self.request)

    def _estimate(self) -> None:
        request = self.request
        self._estimating = Estimating(
            request.client,
            request.question(),
            watch=self,
            by=ESTIMATED,
            within=_WITHIN,
            cancel=self._cancel,
        )
        self._progress.is_estimating = True
        try:
            for _ in self._estimating.steps():
                pass
        except APIError as error:
            if error.status_code != _REFUSED:
                raise
            self._estimating = None  # no deep offsets here; the pull does without
        finally:
            self._progress.is_estimating = False
        self._progress.begin_part()

    def _pull(self, request: LoadRequest) -> Pulled:
        return pull(request.client, request.question(), watch=self, cancel=self._cancel)


def _outcome(span: Span, ask: Callable[[], Pulled]) -> Outcome:
    try:
        pulled = ask()
    except Cancelled:
        return Outcome(span, cancelled=True)
    except Exception as error:  # noqa: BLE001 - an error of a thread is seen by nobody else
        return Outcome(span, error=error)
    lacking = shortfall(pulled, None)
    return Outcome(pulled.span, whole=lacking is None, error=lacking)


def _estimate_by(estimating: Estimating, sample: Sample, column: str) -> Estimate:
    """The estimate by a column, or of all where there is none by that column."""
    return estimating.estimate(sample, (column,) if column in ESTIMATED else ())


def _completeness(request: LoadRequest, outcome: Outcome, frame: pl.DataFrame) -> Completeness:
    span, resource = outcome.span, request.resource
    # The young end of a range is never called complete by the store, but a pull that ended well
    # has read it all the same.
    unread = [] if outcome.whole else subtract(span, request.covered(span))
    notes = request.client.store.records(resource).notes(span)
    return Completeness(
        rows=frame.height,
        unpriced=frame[resource.amount].null_count(),
        period=span.datetimes(),
        unread=tuple(part.datetimes() for part in unread),
        set_aside=len({note["key"] for note in notes if note["set_aside"]}),
    )


def _previous(loaded: Loaded) -> pl.DataFrame | None:
    before = loaded.request.before(loaded.outcome.span)
    span = before.span()
    if subtract(span, before.covered(span)):
        return None
    return stored(before.client, before.question(), span)
