"""Decide what has to be asked for one question, and ask it.

Order: the live tail first, since its answer tells the server's time; then the gaps, shared with
the other processes that read them; then what may have come late; last, what was read by an
earlier call and is not final. A range that ended long ago and holds nothing open costs no request.

Each gap is leased before it is read. What another process has leased is waited for: it comes into
the store, or its lease lapses and we read it. So two notebooks that ask for the same range read
it once between them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from plivo_analysis.api.filters import Filter
from plivo_analysis.errors import FilterError
from plivo_analysis.storage.filtering import matches
from plivo_analysis.storage.merging import Tally
from plivo_analysis.storage.parquet_cache import read
from plivo_analysis.sync.reader import RETENTION, SETTLE, Reader
from plivo_analysis.sync.refresh import refresh
from plivo_analysis.system.clock import Cancelled
from plivo_analysis.values.spans import (
    DAY,
    HOUR,
    MINUTE,
    Span,
    floor,
    from_us,
    merge,
    subtract,
    to_us,
)

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from plivo_analysis.api.resources import Resource
    from plivo_analysis.client import Client
    from plivo_analysis.sync.progress import ProgressListener

LATE = SETTLE + HOUR  # a record that was younger than that when read may have had late neighbours

_TOLERANCE = MINUTE  # "90d" was counted back a moment ago
MARGIN = 5 * MINUTE  # what may age out before the first answers are there
_POLL_SECONDS = 0.5  # between two looks at what others have read
_NEAR = DAY // 2  # of the end of retention: this part goes first


@dataclass(slots=True)
class Pulled:
    """What a pull did.

    Args:
        span: The range asked for, exact.
        missing: What of it could not be read whole.
        expired: What of it is older than the API's 90 days and was not kept.
        tally: What became of the rows received.
        requests: How many requests it took.
        differences: Rows that a verification found new or changed in complete ranges.
        vanished: Rows of complete ranges that a verification did not find; they are kept.
    """

    span: Span
    missing: list[Span] = field(default_factory=list)
    expired: list[Span] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    requests: int = 0
    differences: int = 0
    vanished: int = 0


@dataclass(slots=True)
class Question:
    """What is asked of an account.

    Args:
        filter: Which records of which resource.
        period: The range for a given now.
        verify: Whether to read complete ranges anew.
    """

    filter: Filter
    period: Callable[[datetime], tuple[datetime, datetime]]
    verify: bool = False

    @property
    def resource(self) -> Resource:
        """What is listed."""
        return self.filter.resource


def pull(
    client: Client,
    question: Question,
    *,
    watch: ProgressListener,
    cancel: threading.Event | None = None,
) -> Pulled:
    """Ask the server for what is missing, late or not final, and keep it.

    Args:
        client: The account.
        question: What is asked.
        watch: Is told of every page.
        cancel: Ends the pull at the next page, or in the middle of a wait.

    Returns:
        What was done. The rows themselves are in the client's store.

    Raises:
        Cancelled: The event was set; what was read is kept.
        FilterError: The question names a number that was forgotten.
        PlivoAnalysisError: The server could not be asked.
    """
    _refuse_forgotten(client, question)
    return _Pull(client, question, watch, cancel).run()


def _refuse_forgotten(client: Client, question: Question) -> None:
    """No record of a forgotten number is kept, so that an answer would look like there is none."""
    forgotten = client.store.forgotten()
    for name, value in question.filter.params().items():
        if name in question.resource.numbers and forgotten.knows(value):
            raise FilterError(
                f"{name} is a number that was forgotten (plivo-analysis forget); nothing of it is "
                "kept, and nothing is asked."
            )


def answers(client: Client, question: Question, span: Span) -> list[Span]:
    """The parts of a range that the store can answer a question for, in order.

    A range that is complete without a filter answers every filter, provided that its rows
    carry what the filter looks at.
    """
    ranges = client.store.completed_ranges(question.resource)
    scope = question.filter.scope
    own = [entry.span for entry in ranges.entries(scope) if entry.scope == scope]
    if not scope or question.filter.unverifiable:
        return merge(own)
    columns = [parameter.column for parameter, _ in question.filter.confirmable()]
    wider = []
    # A row that lacks what the filter looks at neither matches nor misses: the server may know
    # more of it than it lists, so that the range has to be asked for with the filter.
    for part in merge(entry.span.clip(span) for entry in ranges.entries("")):
        rows = read(client.store, question.resource, part, columns=columns)
        if not matches(rows, question.filter).null_count():
            wider.append(part)
    return merge([*own, *wider])


def parts_of(question: Question, now: int, margin: int = 0) -> tuple[Span, Span, Span]:
    """The range that a question means at a moment, its closed part, and its live tail.

    The range is exact. The parts are on whole minutes and leave out what is out of retention.

    Args:
        question: What is asked.
        now: The moment, in microseconds.
        margin: What turns 90 days old within this time is left out as well.
    """
    exact = Span(*map(to_us, question.period(from_us(now))))
    edge = floor(now - SETTLE, MINUTE)
    held = Span(max(exact.start, now - RETENTION + margin), exact.end).outward(MINUTE)
    return exact, Span(held.start, min(held.end, edge)), Span(max(held.start, edge), held.end)


class _Pull:
    """One question, from its range to what was done."""

    def __init__(
        self,
        client: Client,
        question: Question,
        watch: ProgressListener,
        cancel: threading.Event | None,
    ) -> None:
        self._client = client
        self._question = question
        self._reader = Reader(client, question.filter, watch, cancel)
        self._ranges = client.store.completed_ranges(question.resource)
        self._last_page = client.store.last_page()
        self._set_clock()

    def _set_clock(self) -> None:
        """Work out the range and its edges from the account's now."""
        now = self._reader.now()
        self._oldest = now - RETENTION
        self.span, self._closed, self._tail = parts_of(self._question, now)

    def run(self) -> Pulled:
        resolution = self._resolution()
        # The tail first: its answer tells the server's time, from which all other bounds follow.
        missing = self._read_tail()
        complete = answers(self._client, self._question, self._closed)
        missing += self._read_gaps(subtract(self._closed, complete))
        if self._reader.disordered:  # what single pages had proven was taken back
            complete = answers(self._client, self._question, self._closed)
            missing += self._read_gaps(subtract(self._closed, [*complete, *missing]))
        if self._tail.length and self._resolution() == DAY != resolution:
            missing += self._reader.read(self._tail, settled=False).missing  # was cut to the day
        missing += self._read_late(complete)
        missing += self._refresh()
        differences, vanished = self._verify(complete) if self._question.verify else (0, 0)
        return Pulled(
            span=self.span,
            missing=merge(span.clip(self.span) for span in missing),
            expired=self._expired(),
            tally=self._reader.tally,
            requests=self._reader.requests,
            differences=differences,
            vanished=vanished,
        )

    def _resolution(self) -> int:
        return self._reader.profile.listing(self.span, self._reader.now()).resolution

    def _read_tail(self) -> list[Span]:
        """Read what is too young to be complete. Its answer tells the server's time."""
        complete = self._ranges.complete(self._question.filter.scope)
        spans = [self._tail, *subtract(self._closed, complete)]
        self._reader.to_do = sum(span.length for span in spans)
        if not self._tail.length:
            return []
        missing = self._reader.read(self._tail, settled=False).missing
        if not self._reader.moved:
            return missing
        self._set_clock()
        return self._reader.read(self._tail, settled=False).missing if self._tail.length else []

    def _read_gaps(self, gaps: Sequence[Span]) -> list[Span]:
        """Read what is missing, shared with the other processes that read it."""
        clock, cancel = self._client.clock, self._reader.cancel
        leases = self._client.store.leases(self._question.resource, self._question.filter.scope)
        read: list[Span] = []
        missing: list[Span] = []
        listed: list[Span] = []
        is_first = True
        while left := self._left(gaps, read):
            # Newest first, but for a day that goes out of reach while a long range is read. That
            # day comes second: only the first page shows whether there is much to read at all.
            ageing = self._ageing(left)
            wanted = sorted(left, reverse=True)
            if ageing and not is_first:
                wanted = [*ageing, *(part for span in wanted for part in subtract(span, ageing))]
            # A lease is a courtesy, not a lock: without it the same pages would be asked for
            # twice, but rows and ranges come out right no matter which process reads what.
            lease = leases.take(wanted, at=clock.monotonic())
            if lease is None:
                if clock.wait(_POLL_SECONDS, cancel):
                    raise Cancelled
                continue
            with lease:
                missing += self._list_open(subtract(lease.span, listed))
                listed.append(lease.span)
                # The range may have come into the store between the look and the lease.
                one_page = is_first and bool(ageing)
                paginator = self._reader.read(lease.span, lease=lease, one_page=one_page)
            is_first = False
            missing += paginator.missing
            read += [paginator.span] if paginator.done else paginator.missing
        return merge(missing)

    def _left(self, gaps: Sequence[Span], read: Sequence[Span]) -> list[Span]:
        """What neither we nor others have read."""
        scope = self._question.filter.scope
        done = [entry.span for entry in self._ranges.entries(scope) if entry.scope == scope]
        return [rest for gap in gaps for rest in subtract(gap, [*read, *done])]

    def _ageing(self, left: Sequence[Span]) -> list[Span]:
        """The oldest day of a long range, where it is about to be 90 days old."""
        oldest, length = min(left), sum(span.length for span in left)
        if length <= DAY or oldest.start >= self._reader.now() - RETENTION + _NEAR:
            return []
        return [oldest.clip(Span(oldest.start, oldest.start + DAY))]

    def _list_open(self, spans: Iterable[Span]) -> list[Span]:
        """Keep what is open under a filter that it may come to pass, to be looked at again."""
        if self._question.filter.stable:
            return []
        return [gap for span in spans for gap in self._reader.list_open(span)[1]]

    def _read_late(self, complete: list[Span]) -> list[Span]:
        """Read again where rows may have become visible after an earlier call.

        The hour before the tail, if an earlier call had closed it; and once more what was younger
        than that hour when it was closed and is older now, whenever this call comes.
        """
        hour = Span(self._tail.start - HOUR, self._tail.start)
        parts = [span.clip(hour) for span in complete] if self._tail.length else []
        parts += [span.clip(self._closed) for span in self._due()]
        parts = [part for part in merge(parts) if part.length]
        return self._read_again(parts) + self._list_open(parts)

    def _due(self) -> list[Span]:
        """What was younger than the late hour when it was last read, and is older now."""
        now = self._reader.now()
        young: list[Span] = []
        old: list[Span] = []
        # A range that was read with the filter may overlap one that was read without. What one of
        # the two read when it was old enough is not due, however young it was for the other one.
        for entry in self._ranges.entries(self._question.filter.scope):
            # Only the part that was young at the time of reading: the rest had settled by then.
            fresh = Span(max(entry.span.start, entry.read_at - LATE), entry.span.end)
            (young if fresh.length and fresh.end <= now - LATE else old).append(fresh)
            old.append(Span(entry.span.start, min(entry.span.end, entry.read_at - LATE)))
        return [rest for span in young for rest in subtract(span, old)]

    def _read_again(self, spans: Iterable[Span]) -> list[Span]:
        return [
            missing
            for span in sorted(spans, reverse=True)
            for missing in self._reader.read(span, again=True).missing
        ]

    def _refresh(self) -> list[Span]:
        everything = Filter(self._question.resource)
        reader = Reader(self._client, everything, self._reader.watch, self._reader.cancel)
        lasting = self._question.filter.lasting
        held = self.span.clip(Span(self._oldest, self.span.end))
        missing = refresh(reader, held, lasting=lasting, known=self._last_page)
        self._reader.requests += reader.requests
        self._reader.tally.add(reader.tally)
        return missing

    def _verify(self, complete: list[Span]) -> tuple[int, int]:
        """Read complete ranges anew; count the rows that were new or had changed, or are gone."""
        tally, store = self._reader.tally, self._client.store
        before, page = tally.new + tally.updated, store.last_page()
        ranges = [part for span in complete if (part := span.clip(self._closed)).length]
        missing = self._read_again(ranges)
        records = store.records(self._question.resource)
        # Rows near the end of retention may be gone; under a filter, any may have left.
        found = Span(self._reader.now() - RETENTION + MARGIN, self._closed.end)
        vanished = (
            0
            if self._question.filter.scope
            else sum(
                records.unseen(part.clip(found), page)
                for span in merge(ranges)
                for part in subtract(span, missing)
            )
        )
        return tally.new + tally.updated - before, vanished

    def _expired(self) -> list[Span]:
        """What is older than the server goes back, now that all is read, and is not kept."""
        # Retention has moved on while the gaps were read: what it reached before we did is lost as
        # well. But not the minutes at its edge: "90d" was counted back a moment before the first
        # request, so that each such pull would end in an error.
        oldest = min(self._reader.now() - RETENTION, self.span.end)
        beyond = Span(self.span.start, oldest)
        if beyond.length <= _TOLERANCE:
            return []
        at_the_edge = Span(self._oldest - _TOLERANCE, self._oldest + MARGIN)
        known = answers(self._client, self._question, beyond)
        return [part for part in subtract(beyond, known) if subtract(part, [at_the_edge])]
