"""One load, without a screen: its estimate, its pull, and what the store holds of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from plivo_analysis.api.resources import SESSION_RESOURCE
from plivo_analysis.errors import APIError
from plivo_analysis.explorer.load_cost import load_cost
from plivo_analysis.loaders.answer import shortfall, stored
from plivo_analysis.loaders.estimate_steps import Estimating
from plivo_analysis.metrics.certainty import Completeness
from plivo_analysis.metrics.samples import LEAST_PAGES
from plivo_analysis.report.period import Period
from plivo_analysis.storage.filtering import unconfirmed
from plivo_analysis.sync.pull import pull
from plivo_analysis.system.clock import Cancelled
from plivo_analysis.values.spans import Span, subtract

if TYPE_CHECKING:
    import threading
    from datetime import datetime
    from typing import Any

    import polars as pl

    from plivo_analysis.explorer.load_cost import LoadRequest
    from plivo_analysis.explorer.worker import LoadProgress
    from plivo_analysis.metrics.estimates import Estimate
    from plivo_analysis.metrics.samples import Sample
    from plivo_analysis.sync.progress import ProgressListener
    from plivo_analysis.sync.pull import Pulled

ESTIMATED = ("destination_country_iso2", "app_uuid", "entry_channel", "destination_network")
"""The columns that a load's estimate is told by."""

_WITHIN = 0.05  # half the width of spend's interval, from which on all is read
_FIRST = 5  # requests from which on the length of a load is believed
_MANY = 2 * LEAST_PAGES  # requests; of fewer, half is read before an estimate says anything
_REFUSED = 400


@dataclass(frozen=True, slots=True)
class Outcome:
    """How asking the server ended.

    Args:
        span: The range, exact.
        whole: Whether all of it was read.
        error: What ended it early or kept it from being whole.
        cancelled: Whether the user cancelled it.
    """

    span: Span
    whole: bool = False
    error: BaseException | None = None
    cancelled: bool = False

    @property
    def ended(self) -> bool:
        """Whether asking has ended, one way or another."""
        return self.whole or self.cancelled or self.error is not None


@dataclass(frozen=True, slots=True)
class Told:
    """What an estimate knows at one moment; it can be asked from any thread.

    Args:
        estimating: The estimate.
        sample: What was read.
    """

    estimating: Estimating
    sample: Sample

    def by(self, *columns: str) -> Estimate:
        """The estimate by some columns; those that there is no estimate by are left out."""
        known = tuple(name for name in columns if name in ESTIMATED)
        return self.estimating.estimate(self.sample, known)


@dataclass(frozen=True, slots=True)
class Loaded:
    """The result of a load.

    Args:
        request: What was to be loaded.
        frame: What the store holds of it.
        outcome: How asking ended; neither whole nor failed while it goes on.
        complete: How much of the range the frame holds.
        read_at: The account's time then.
        unconfirmed: Filters that no row says anything of, so that nothing shows they were kept.
        previous: The records of the period before; None where not all of it is stored.
        estimate: What was read says of all of it; None where it is all of it, or says nothing.
    """

    request: LoadRequest
    frame: pl.DataFrame
    outcome: Outcome
    complete: Completeness
    read_at: datetime
    unconfirmed: tuple[str, ...] = ()
    previous: pl.DataFrame | None = None
    estimate: Told | None = None

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """The range as datetimes."""
        return self.outcome.span.datetimes()

    @property
    def period(self) -> Period:
        """The range as the period of a report."""
        return Period.of(self.bounds, ZoneInfo("UTC"))

    @property
    def arguments(self) -> dict[str, Any]:
        """The loader's arguments that give the same again, later too: the range is fixed."""
        since, until = self.bounds
        return {"since": since, "until": until, **self.request.filters}


class LoadRun:
    """One load while it goes on: asks the server, and reads what the store holds so far.

    A long load of sessions begins with an estimate: some pages all over the range first, then
    all of it. How long it is shows after some pages, where it is not known before.

    Args:
        request: What is to be loaded.
        listener: Is told of every page.
        cancel: Ends it at the next page, or in the middle of a wait.

    Attributes:
        is_estimating: Whether what is read now is for the estimate.
    """

    def __init__(
        self, request: LoadRequest, listener: LoadProgress, cancel: threading.Event
    ) -> None:
        self.request = request
        self._listener = listener
        self._cancel = cancel
        self._estimating: Estimating | None = None
        self.is_estimating = False

    def ask(self) -> Outcome:
        """Ask the server for what is missing. What is read is in the store, however it ends."""
        span = self.request.span()
        try:
            # The pull after an estimate finds its pages in the store, and asks for the others.
            pulled = self._pull_unless_long()
            if pulled is None:
                self._estimate()
                pulled = self._pull(self._listener)
        except Cancelled:
            return Outcome(span, cancelled=True)
        except Exception as error:  # noqa: BLE001 - an error of a thread is seen by nobody else
            return Outcome(span, error=error)
        lacking = shortfall(pulled, None)
        return Outcome(pulled.span, whole=lacking is None, error=lacking)

    def read(self, outcome: Outcome | None = None, *, compare: bool = False) -> Loaded:
        """Read what the store holds of the range; the server is asked nothing.

        Args:
            outcome: How asking ended; None while it goes on.
            compare: Whether to read the period before, too.
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
        if self._estimating is not None and not outcome.whole:
            told = Told(self._estimating, self._estimating.sample())
            return replace(loaded, estimate=told)
        return replace(loaded, previous=_previous(loaded)) if compare and outcome.whole else loaded

    def ask_before(self, outcome: Outcome) -> Outcome:
        """Ask for the period before too, where the API still has all of it.

        Args:
            outcome: How asking for the range ended; what is not whole is compared with nothing.

        Returns:
            The outcome, with the error of the period before where there was one.
        """
        before = self.request.before(outcome.span)
        if not outcome.whole or load_cost(before).expired:
            return outcome
        self._listener.begin_part()
        try:
            pulled = pull(
                before.client, before.question(), watch=self._listener, cancel=self._cancel
            )
        except Cancelled:
            return outcome
        except Exception as error:  # noqa: BLE001 - an error of a thread is seen by nobody else
            return replace(outcome, error=error)
        return replace(outcome, error=shortfall(pulled, None))

    def _pull_unless_long(self) -> Pulled | None:
        """Pull; None where it takes so many requests that an estimate says something first."""
        expected: int | None = 0
        if self.request.resource is SESSION_RESOURCE:
            expected = load_cost(self.request).requests
        if expected is not None:
            return self._pull(self._listener) if expected <= _MANY else None
        # Nothing is stored to tell from, so that its first pages have to: they are needed anyway,
        # whichever way it goes on.
        try:
            return self._pull(_FirstPages(self._listener))
        except _ManyMoreError:
            self._listener.begin_part()
            return None

    def _estimate(self) -> None:
        request = self.request
        self._estimating = Estimating(
            request.client,
            request.question(),
            watch=self._listener,
            by=ESTIMATED,
            within=_WITHIN,
            cancel=self._cancel,
        )
        self.is_estimating = True
        try:
            for _ in self._estimating.steps():
                pass
        except APIError as error:
            if error.status_code != _REFUSED:
                raise
            self._estimating = None  # no deep offsets here; the pull does without
        finally:
            self.is_estimating = False
        self._listener.begin_part()

    def _pull(self, watch: ProgressListener) -> Pulled:
        request = self.request
        return pull(request.client, request.question(), watch=watch, cancel=self._cancel)


class _ManyMoreError(Exception):
    """A load takes many more requests than were made so far."""


class _FirstPages:
    """Passes on what a pull tells, until its first pages show that it is a long one."""

    def __init__(self, listener: ProgressListener) -> None:
        self._listener = listener

    def page(self, *, requests: int, rows: int, share: float) -> None:
        """A page was kept; ``share`` of the range is covered."""
        self._listener.page(requests=requests, rows=rows, share=share)
        if requests >= _FIRST and requests > _MANY * share:
            raise _ManyMoreError

    def waiting(self, seconds: float) -> None:
        """The next request waits for the limit."""
        self._listener.waiting(seconds)


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
