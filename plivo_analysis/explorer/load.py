"""One load, without a screen: what it will cost, its estimate and its pull, and what is stored."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from plivo_analysis.api.filters import Filter
from plivo_analysis.api.resources import SESSION_RESOURCE
from plivo_analysis.api.times import parse_range
from plivo_analysis.errors import APIError
from plivo_analysis.loaders.answer import shortfall, stored
from plivo_analysis.loaders.estimating import Estimating
from plivo_analysis.metrics.certainty import Completeness
from plivo_analysis.metrics.samples import LEAST_PAGES
from plivo_analysis.report.period import Period
from plivo_analysis.storage.filtering import unconfirmed
from plivo_analysis.sync.completeness import RangeState, stretches
from plivo_analysis.sync.page_request import PAGE_ROWS
from plivo_analysis.sync.pull import Question, answers, pull
from plivo_analysis.system.clock import Cancelled
from plivo_analysis.values.spans import HOUR, MINUTE, Span, merge, subtract, to_us

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any

    import polars as pl

    from plivo_analysis.api.resources import Resource
    from plivo_analysis.client import Client
    from plivo_analysis.explorer.worker import LoadProgress
    from plivo_analysis.metrics.estimates import Estimate
    from plivo_analysis.metrics.samples import Sample
    from plivo_analysis.sync.progress import ProgressListener
    from plivo_analysis.sync.pull import Pulled

SAMPLE_ROWS = 10_000  # the number of records that an unknown duration is given for

ESTIMATED = ("destination_country_iso2", "app_uuid", "entry_channel", "destination_network")
"""The columns that a load's estimate is told by."""

_RANGE = ("since", "until")
_WITHIN = 0.05  # half the width of spend's interval, from which on all is read
_FIRST = 5  # requests from which on the length of a load is believed
_MANY = 2 * LEAST_PAGES  # requests; of fewer, half is read before an estimate says anything
_REFUSED = 400


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """What is to be loaded.

    Args:
        client: The account.
        resource: What is listed.
        arguments: The loader's arguments: the range and the filters.
    """

    client: Client
    resource: Resource
    arguments: Mapping[str, Any]

    @property
    def filters(self) -> dict[str, Any]:
        """The arguments without the range."""
        return {name: value for name, value in self.arguments.items() if name not in _RANGE}

    @property
    def filter(self) -> Filter:
        """The filter, checked.

        Raises:
            FilterError: An argument is wrong.
        """
        return Filter.of(self.resource, **self.filters)

    def period(self, now: datetime) -> tuple[datetime, datetime]:
        """The range for a given now."""
        return parse_range(self.arguments.get("since"), self.arguments.get("until"), now=now)

    def question(self) -> Question:
        """What the server will be asked."""
        return Question(self.resource, self.filter, Filter.of(self.resource), self.period)

    def span(self) -> Span:
        """The range as of now."""
        return _span(self.period(self.client.now()))

    def before(self, span: Span) -> LoadRequest:
        """The same question of the period before a range."""
        period = Period.of(span.datetimes(), ZoneInfo("UTC")).before()
        return replace(self, arguments={**self.filters, "since": period.start, "until": period.end})

    def is_shared(self) -> bool:
        """Whether another load of the account is reading a part of the range just now."""
        span = self.span()
        leases = self.client.store.leases(self.resource, self.filter.scope)
        return any(held.span.clip(span).length for held in leases.held())

    def covered(self, span: Span) -> list[Span]:
        """The parts of a range that were read whole."""
        return merge(part.clip(span) for part in answers(self.client, self.question(), span))


@dataclass(frozen=True, slots=True)
class LoadCost:
    """What is known before a load.

    Args:
        hours: Hours of the range.
        stored: How many of them are stored for this question.
        requests: About how many requests the rest takes; None where nothing is known of it.
        at_most: Whether a filter may make them fewer.
        seconds: How long they take at the rate limit; None where unknown.
        sample_seconds: How long it takes to load ``SAMPLE_ROWS`` records.
        expired: Parts that are neither stored nor within the API's 90 days.
    """

    hours: int
    stored: int
    requests: int | None
    at_most: bool
    seconds: float | None
    sample_seconds: float
    expired: tuple[Span, ...] = ()


def load_cost(request: LoadRequest, period: tuple[datetime, datetime] | None = None) -> LoadCost:
    """Estimate what a load costs from the density of what is stored; the server is asked nothing.

    Args:
        request: What would be loaded.
        period: The range; by default the request's as of now.

    Raises:
        FilterError: An argument is wrong.

    Example:
        >>> import plivo_analysis as pva
        >>> from plivo_analysis.api.resources import SESSION_RESOURCE
        >>> with pva.demo(sessions=20) as client:
        ...     cost = load_cost(LoadRequest(client, SESSION_RESOURCE, {"since": "24h"}))
        >>> cost.hours, cost.stored, cost.requests
        (24, 0, None)
    """
    client, resource = request.client, request.resource
    span = _span(period or request.period(client.now()))
    known = request.covered(span)
    parts = stretches(client, resource, span)
    # The clock goes on between two looks at it: less than a minute at the edge is no gap.
    expired = [p.span for p in parts if p.state is RangeState.EXPIRED and p.span.length >= MINUTE]
    live = sum(part.span.length for part in parts if part.state is RangeState.LIVE)
    out_of_reach = merge(part for gone in expired for part in subtract(gone, known))
    length = sum(part.length for part in known)
    to_read = span.length - length - sum(part.length for part in out_of_reach)
    requests = _requests(request, span, to_read, is_live=bool(live))
    limiter = client.limiter.of(resource.path)
    return LoadCost(
        hours=ceil(span.length / HOUR),
        stored=round(length / HOUR) if to_read > live else ceil((length + live) / HOUR),
        requests=requests,
        at_most=bool(request.filters),
        seconds=None if requests is None else limiter.wait_estimate(requests),
        sample_seconds=limiter.wait_estimate(SAMPLE_ROWS // PAGE_ROWS),
        expired=tuple(out_of_reach),
    )


def _requests(request: LoadRequest, span: Span, to_read: int, *, is_live: bool) -> int | None:
    store, resource = request.client.store, request.resource
    records = store.records(resource)
    unfinished = len(records.not_final(span))
    # What is open is listed anew, and what is young: the live tail and the hour before it.
    again = ceil(unfinished / PAGE_ROWS) + 2 * is_live
    if to_read <= 0:
        return again
    # The density of records is taken from what was read without a filter: near the range where
    # there is any, else anywhere.
    whole = [entry.span for entry in store.completed_ranges(resource).entries("")]
    sample = merge(part.clip(span) for part in whole) or merge(whole)
    length = sum(part.length for part in sample)
    if length < HOUR:
        return None
    density = sum(records.count(part) for part in sample) / length
    return again + ceil(density * to_read / PAGE_ROWS)


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
        return self.estimating.tell(self.sample, known)


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


def _span(period: tuple[datetime, datetime]) -> Span:
    return Span(to_us(period[0]), to_us(period[1]))
