"""Read one range: a walk says what to ask, the wire answers, the store keeps.

Each answer is kept in one transaction with the place that the walk has reached, so that a
process killed at any moment repeats one request at most. What a walk learns of the server,
how fine its time filter is and whether it keeps its order, is remembered for the account.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from plivo_analysis.api.filters import Query as Parameters
from plivo_analysis.api.times import api_time
from plivo_analysis.api.words import fold_status
from plivo_analysis.errors import BadResponseError, StoreError
from plivo_analysis.parsing.pages import READERS, read_page
from plivo_analysis.storage.completed_ranges import Checkpoint, CompletedRange
from plivo_analysis.storage.leases import LEASE_SECONDS
from plivo_analysis.storage.merging import Tally
from plivo_analysis.storage.store import Reading
from plivo_analysis.sync.checkpoint import checkpoint_text, paginator_of
from plivo_analysis.sync.paginator import Paginator
from plivo_analysis.sync.server_profile import Memory
from plivo_analysis.sync.single import fetch
from plivo_analysis.sync.steps import PAGE_ROWS, PageRequest, PageSeen
from plivo_analysis.values.spans import DAY, MINUTE, Span, ceil, floor, merge, subtract, to_us

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from plivo_analysis.api.filters import Filter
    from plivo_analysis.api.resources import Resource
    from plivo_analysis.client import Client
    from plivo_analysis.parsing.pages import Page
    from plivo_analysis.parsing.records import Record
    from plivo_analysis.storage.leases import Lease
    from plivo_analysis.sync.progress import ProgressListener
    from plivo_analysis.system.clock import Clock

SETTLE = 15 * MINUTE  # what is younger is never called complete
RETENTION = 90 * DAY
EDGE = 2 * MINUTE  # how far from the end of retention a row may be gone already

NO_SNAPSHOT = "not a snapshot"

_PAGES_AHEAD = 16  # what a walk claims: more than that it leaves to others


@dataclass(slots=True)
class Reader:
    """Asks for ranges of one resource under one filter, and counts what it did.

    Args:
        client: The account.
        resource: What to list.
        filter: Which records.
        watch: Is told of every page.
        cancel: Ends the reading at the next page, or in the middle of a wait.
    """

    client: Client
    resource: Resource
    filter: Filter
    watch: ProgressListener
    cancel: threading.Event | None = None
    requests: int = 0
    tally: Tally = field(default_factory=Tally)
    flags: set[str] = field(default_factory=set)
    moved: bool = False
    to_do: int = 0
    done: int = 0

    def read(
        self,
        span: Span,
        *,
        settled: bool = True,
        again: bool = False,
        claim: Lease | None = None,
        pages: int | None = None,
    ) -> Paginator:
        """Read a range, and keep what is read.

        Args:
            span: On whole minutes.
            settled: Whether to note what is read as complete, as far as it is old enough.
            again: Whether to read what is complete once more, rather than go on with a walk.
            claim: Our right to read it; the walk stops where somebody else goes on.
            pages: After how many pages to leave off; by default not before the end.

        Returns:
            The walk, which knows what it covered and what it could not.

        Raises:
            BadResponseError: The server kept neither to the time nor to the filter.
        """
        marks = settled and not again
        ladder = (self._unfinished(span) if marks else None) or self._ladder(span)
        noted = ladder.minutes()
        left = -1 if pages is None else pages

        def keep(page: _Answered) -> bool:
            nonlocal left
            self._refuse_strangers(page)
            fresh = self._keep(ladder, page, noted, settled=settled, marks=marks)
            noted[:] = merge([*noted, *fresh])
            left -= 1
            return left != 0

        self._walk(ladder, self.filter.params(), keep, claim)
        return ladder

    def _unfinished(self, span: Span) -> Paginator | None:
        """The walk that stands unfinished at the end of a range, to be gone on with."""
        bookmark = self.client.store.completed_ranges(self.resource).checkpoint(
            self.filter.scope, span.end
        )
        ladder = None if bookmark is None else paginator_of(bookmark.state)
        if ladder is not None:
            ladder.keep_to(span)
        return ladder

    def list_open(self, span: Span) -> tuple[frozenset[str], list[Span]]:
        """List what is open in a range, whatever may change for a record left aside.

        Rows come and go while they are listed. A page of which most are not open says that the
        server does not keep to the filter: there is no point in going on.

        Returns:
            The keys of all that was read, and what could not be read whole.
        """
        keys: set[str] = set()
        missing: list[Span] = []
        lasting = self.filter.lasting

        def keep(page: _Answered) -> bool:
            self._store(lasting.scope, Reading(page.query, page.body, page.records, self._now()))
            keys.update(record.key for record in page.records)
            rows = [record.row for record in page.records if record.row is not None]
            return 2 * sum(map(self.resource.is_open, rows)) >= len(rows)

        for listing in self.resource.open_listings:
            ladder = self._ladder(span, witness=False)
            self._walk(ladder, Parameters({**lasting.params(), **listing}), keep)
            missing += ladder.missing if ladder.done else [span]
        return frozenset(keys), missing

    def get(self, key: str) -> None:
        """Read one record by its key and keep it.

        Raises:
            ResourceNotFoundError: The server has it no more.
        """
        self.requests += 1
        self.tally.add(fetch(self.client, self.resource, key, cancel=self.cancel))

    def _ladder(self, span: Span, *, witness: bool = True) -> Paginator:
        now = self._now()
        return Paginator(
            span,
            grid=self._memory.grid(now),
            ordered=self._memory.ordered(now),
            witness=witness and not self._asks_for_open,
        )

    @property
    def _memory(self) -> Memory:
        return Memory(self.client.store, self.resource.name)

    @property
    def _asks_for_open(self) -> bool:
        words = {fold_status(value) for value in self.filter.params().values()}
        return not self.filter.stable and not words.isdisjoint(self.resource.open_words)

    def _walk(
        self,
        ladder: Paginator,
        params: Mapping[str, str],
        keep: Callable[[_Answered], bool],
        claim: Lease | None = None,
    ) -> None:
        """Ask until the walk is done, or until whoever keeps the pages has enough of them."""
        before = self.done
        hold = None if claim is None else _Hold(claim, ladder, self.client.clock)
        going_on = True
        while going_on:
            if hold is not None:
                hold.renew()
            if ladder.done:
                break
            page = self._ask(ladder.query(), params, hold)
            ladder.aged = self._now() - RETENTION + EDGE
            ladder.receive(page.seen)
            self.done = before + sum(span.length for span in ladder.covered())
            going_on = keep(page)
            self.watch.page(
                requests=self.requests,
                rows=self.tally.received,
                share=self.done / self.to_do if self.to_do else 1.0,
            )
        self.flags |= ladder.flags
        self._memory.learn(ladder, self._now())
        if ladder.not_honoured:
            raise BadResponseError(
                f"The server listed {self.resource.name} from outside of the time that was asked "
                "for, so that nothing proves the table complete. Ask for another range, or tell "
                "Plivo's support."
            )

    def _ask(
        self, query: PageRequest, params: Mapping[str, str], hold: _Hold | None = None
    ) -> _Answered:
        resource = self.resource
        start, end = query.span.datetimes()
        place = {"cursor": query.cursor} if query.cursor else {"offset": str(query.offset)}
        question = Parameters(
            {
                **params,
                f"{resource.time_parameter}__gte": api_time(start),
                f"{resource.time_parameter}__lt": api_time(end),
                "limit": str(PAGE_ROWS),
                **place,
            }
        )
        answer = self.client.transport.get(
            resource.path,
            question,
            read=lambda body: (
                body,
                read_page(
                    body,
                    list_key=resource.list_key,
                    read=READERS[resource.name],
                    expected_path=f"/v1/Account/{self.client.auth_id}/{resource.path}",
                ),
            ),
            cancel=self.cancel,
            on_wait=self._waiting(hold),
        )
        self.requests += answer.tries
        self._heard(answer.date)
        body, page = answer.value
        self.flags |= {note.code for note in page.notes}
        return _Answered(f"{start:%Y-%m-%dT%H:%M:%S.%fZ}/{end:%Y-%m-%dT%H:%M:%S.%fZ}", body, page)

    def _waiting(self, hold: _Hold | None) -> Callable[[float], None]:
        """Who is told of a wait: the watch, and whoever waits for what we read."""
        if hold is None:
            return self.watch.waiting

        def tell(seconds: float) -> None:
            hold.keep_alive()
            self.watch.waiting(seconds)

        return tell

    def _refuse_strangers(self, page: _Answered) -> None:
        """What rows carry is checked again: an ignored filter must not look like an answer.

        A row that was open when the server chose it may have settled when it wrote it.
        """
        strangers = [record for record in page.records if _misses(self.filter, record)]
        settled_meanwhile = (
            self._asks_for_open
            and 2 * len(strangers) <= len(page.records)
            and not any(_misses(self.filter.lasting, record) for record in strangers)
        )
        if strangers and not settled_meanwhile:
            names = ", ".join(self.filter.params())
            raise BadResponseError(
                f"The server did not keep to the filter ({names}): it listed "
                f"{self.resource.name} that do not match. Load without it and filter the table."
            )

    def _keep(
        self, ladder: Paginator, page: _Answered, noted: list[Span], *, settled: bool, marks: bool
    ) -> list[Span]:
        """Keep a page with the place it led to; return what is complete with it.

        Only that: what was noted earlier may have been taken back by a purge since.
        """
        now = self._now()
        fresh: list[Span] = []
        complete: list[CompletedRange] = []
        passed = bookmark = None
        if settled:
            closed = Span(ceil(now - RETENTION, MINUTE), floor(now - SETTLE, MINUTE))
            fresh = [part for span in ladder.minutes() for part in subtract(span, noted)]
            flags = tuple(sorted(ladder.flags | self._labels))
            complete = [
                CompletedRange(span.clip(closed), self.filter.scope, now, flags) for span in fresh
            ]
        if marks:
            passed = Span(ladder.reached, ladder.span.end)
        if marks and not ladder.done:
            bookmark = Checkpoint(ladder.open_end, ladder.reached, checkpoint_text(ladder))
        reading = Reading(page.query, page.body, page.records, now, complete, passed, bookmark)
        self._store(self.filter.scope, reading)
        return fresh

    @property
    def _labels(self) -> set[str]:
        """What a filter makes of a range: rows come and go, or cannot be checked."""
        moving = set() if self.filter.stable else {NO_SNAPSHOT}
        return moving | {f"{name} not checked" for name in self.filter.unverifiable}

    def _store(self, scope: str, reading: Reading) -> None:
        tally = self.client.store.keep(self.resource, scope, reading)
        self.tally.add(tally)
        if not self.tally.balanced:
            raise StoreError(
                f"Of {self.tally.received} rows received some are unaccounted for: {self.tally}. "
                "Please report this."
            )

    def _heard(self, date: datetime | None) -> None:
        self.moved |= self.client.hear(date)

    def _now(self) -> int:
        return to_us(self.client.now())


class _Hold:
    """A claim, kept up while its range is walked."""

    def __init__(self, claim: Lease, ladder: Paginator, clock: Clock) -> None:
        self._claim = claim
        self._ladder = ladder
        self._clock = clock
        self._pages = -1
        self._renewed = clock.monotonic()

    def renew(self) -> None:
        """Before a page: stop where somebody else reads, and say what we read next."""
        self._pages += 1
        self._ladder.stop_at(self._tell())

    def keep_alive(self) -> None:
        """During a wait: we are still there. What is asked for meanwhile stays as it is."""
        if self._clock.monotonic() - self._renewed > LEASE_SECONDS / 4:
            self._tell()

    def _tell(self) -> int:
        read = sum(span.length for span in self._ladder.covered())
        ahead = _PAGES_AHEAD * read // self._pages if read and self._pages else None
        self._renewed = self._clock.monotonic()
        return self._claim.hold(self._ladder.reached, ahead)


def _misses(chosen: Filter, record: Record) -> bool:
    return record.row is not None and chosen.matches(record.row) is False


@dataclass(frozen=True, slots=True)
class _Answered:
    """One page as it came."""

    query: str
    body: bytes = field(repr=False)
    page: Page

    @property
    def records(self) -> tuple[Record, ...]:
        return self.page.records

    @property
    def seen(self) -> PageSeen:
        return PageSeen(
            rows=tuple(
                (record.key, to_us(record.instant))
                for record in self.page.records
                if record.instant is not None
            ),
            count=self.page.received,
            has_next=self.page.has_next,
            next_cursor=self.page.next_cursor,
        )
