"""Decide what has to be asked for one question, and ask it.

Order: the live tail first, since its answer tells the server's time; then what is missing,
shared with whoever else is reading it; then, where the range reaches the present, the hour
before the tail once more, for rows that became visible late; last, what was read by an earlier
call and is not final. A range that ended long ago and holds nothing open costs no request.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from plivo_analysis.errors import FilterError
from plivo_analysis.storage.filtering import matches
from plivo_analysis.storage.merging import Tally
from plivo_analysis.storage.parquet_cache import read
from plivo_analysis.sync.gaps import read_gaps
from plivo_analysis.sync.reader import RETENTION, SETTLE, Reader
from plivo_analysis.sync.refresh import refresh
from plivo_analysis.values.spans import HOUR, MINUTE, Span, floor, merge, subtract, to_us

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from plivo_analysis.api.filters import Filter
    from plivo_analysis.api.resources import Resource
    from plivo_analysis.client import Client
    from plivo_analysis.sync.progress import ProgressListener

_TOLERANCE = MINUTE  # "90d" was counted back a moment ago
_MARGIN = 5 * MINUTE  # what may age out before the first answers are there


@dataclass(slots=True)
class Pulled:
    """What a pull did.

    Args:
        span: The range asked for, exact.
        missing: What of it could not be read whole.
        expired: What of it is older than the API's 90 days and was not kept.
        tally: What became of the rows received.
        requests: How many requests it took.
        flags: What was out of the ordinary.
        differences: Rows that a verification found new or changed in complete ranges.
        vanished: Rows of complete ranges that a verification did not find; they are kept.
    """

    span: Span
    missing: list[Span] = field(default_factory=list)
    expired: list[Span] = field(default_factory=list)
    tally: Tally = field(default_factory=Tally)
    requests: int = 0
    flags: set[str] = field(default_factory=set)
    differences: int = 0
    vanished: int = 0


@dataclass(slots=True)
class Question:
    """What is asked of an account.

    Args:
        resource: What to list.
        filter: Which records.
        everything: The filter that asks for all of them.
        period: The range for a given now.
        verify: Whether to read complete ranges anew.
    """

    resource: Resource
    filter: Filter
    everything: Filter
    period: Callable[[datetime], tuple[datetime, datetime]]
    verify: bool = False


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
    reader = Reader(client, question.resource, question.filter, watch, cancel)
    pulled = _Pull(client, question, reader).run()
    pulled.tally, pulled.requests, pulled.flags = reader.tally, reader.requests, reader.flags
    return pulled


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
    ledger = client.store.completed_ranges(question.resource)
    scope = question.filter.scope
    own = [entry.span for entry in ledger.entries(scope) if entry.scope == scope]
    if not scope or question.filter.unverifiable:
        return merge(own)
    wider = [
        part
        for part in merge(entry.span.clip(span) for entry in ledger.entries(""))
        if not matches(read(client.store, question.resource, part), question.filter).null_count()
    ]
    return merge([*own, *wider])


class _Pull:
    def __init__(self, client: Client, question: Question, reader: Reader) -> None:
        self._client = client
        self._question = question
        self._reader = reader
        self._known = client.store.last_page()
        self._set_clock()

    def _set_clock(self) -> None:
        """Work out the range and its edges from the account's now."""
        now = to_us(self._client.now())
        start, end = self._question.period(self._client.now())
        self.span = Span(to_us(start), to_us(end))
        edge = floor(now - SETTLE, MINUTE)
        self._oldest = now - RETENTION
        self._held = Span(max(self.span.start, self._oldest), self.span.end)
        asked = self._held.outward(MINUTE)
        self._closed = Span(asked.start, min(asked.end, edge))
        self._tail = Span(max(asked.start, edge), asked.end)

    def run(self) -> Pulled:
        missing = self._read_tail()
        complete = answers(self._client, self._question, self._closed)
        missing += read_gaps(self._reader, subtract(self._closed, complete))
        missing += self._read_late(complete)
        missing += self._refresh()
        differences, vanished = self._verify(complete) if self._question.verify else (0, 0)
        return Pulled(
            span=self.span,
            missing=merge(span.clip(self.span) for span in missing),
            expired=self._expired(),
            differences=differences,
            vanished=vanished,
        )

    def _read_tail(self) -> list[Span]:
        """Read what is too young to be complete. Its answer tells the server's time."""
        self._plan([self._tail, *subtract(self._closed, self._complete_now())])
        if not self._tail.length:
            return []
        missing = self._reader.read(self._tail, settled=False).missing
        if not self._reader.moved:
            return missing
        self._set_clock()
        return self._reader.read(self._tail, settled=False).missing if self._tail.length else []

    def _complete_now(self) -> list[Span]:
        return self._client.store.completed_ranges(self._question.resource).complete(
            self._question.filter.scope
        )

    def _plan(self, spans: list[Span]) -> None:
        self._reader.to_do = sum(span.length for span in spans)

    def _read_late(self, complete: list[Span]) -> list[Span]:
        """Read the hour before the tail again, where an earlier call had closed it."""
        if not self._tail.length:
            return []
        hour = Span(self._tail.start - HOUR, self._tail.start).clip(self._closed)
        parts = [part for span in complete if (part := span.clip(hour)).length]
        late = self._read_again(parts)
        if not self._question.filter.stable:  # what is open may come to pass the filter yet
            late += [gap for part in parts for gap in self._reader.list_open(part)[1]]
        return late

    def _read_again(self, spans: Iterable[Span]) -> list[Span]:
        return [
            missing
            for span in sorted(spans, reverse=True)
            for missing in self._reader.read(span, again=True).missing
        ]

    def _refresh(self) -> list[Span]:
        reader = Reader(
            self._client,
            self._question.resource,
            self._question.everything,
            self._reader.watch,
            self._reader.cancel,
        )
        missing = refresh(
            reader, self._held, lasting=self._question.filter.lasting, known=self._known
        )
        self._reader.requests += reader.requests
        self._reader.tally.add(reader.tally)
        self._reader.flags |= reader.flags
        return missing

    def _verify(self, complete: list[Span]) -> tuple[int, int]:
        """Read complete ranges anew; count the rows that were new or had changed, or are gone."""
        tally, store = self._reader.tally, self._client.store
        before, page = tally.new + tally.updated, store.last_page()
        ranges = [part for span in complete if (part := span.clip(self._closed)).length]
        missing = self._read_again(ranges)
        archive = store.records(self._question.resource)
        # Rows near the end of retention may be gone; under a filter, any may have left.
        found = Span(to_us(self._client.now()) - RETENTION + _MARGIN, self._closed.end)
        vanished = (
            0
            if self._question.filter.scope
            else sum(
                archive.unseen(part.clip(found), page)
                for span in merge(ranges)
                for part in subtract(span, missing)
            )
        )
        return tally.new + tally.updated - before, vanished

    def _expired(self) -> list[Span]:
        """What is older than the server goes back, now that all is read, and is not kept."""
        oldest = min(to_us(self._client.now()) - RETENTION, self.span.end)
        beyond = Span(self.span.start, oldest)
        if beyond.length <= _TOLERANCE:
            return []
        at_the_edge = Span(self._oldest - _TOLERANCE, self._oldest + _MARGIN)
        known = answers(self._client, self._question, beyond)
        return [part for part in subtract(beyond, known) if subtract(part, [at_the_edge])]
