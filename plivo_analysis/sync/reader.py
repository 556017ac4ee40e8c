"""Read one range: the paginator says what to ask, the transport answers, the store keeps.

Each answer is kept in one transaction with the checkpoint that it leads to, so that a process
killed at any moment repeats one request at most. What a range teaches of the server is
remembered for the account.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING

from plivo_analysis.api.filters import Query
from plivo_analysis.api.vocabulary import fold_status
from plivo_analysis.errors import APIError, BadResponseError, StoreError
from plivo_analysis.parsing.pages import read_page
from plivo_analysis.storage.completed_ranges import Checkpoint, CompletedRange
from plivo_analysis.storage.leases import LEASE_SECONDS
from plivo_analysis.storage.merging import Tally
from plivo_analysis.storage.parquet_cache import write_closed
from plivo_analysis.storage.store import Reading
from plivo_analysis.sync.page_request import Anomaly, PageSeen
from plivo_analysis.sync.paginator import Paginator
from plivo_analysis.sync.server_profile import ServerProfile
from plivo_analysis.values.spans import DAY, MINUTE, Span, ceil, floor, subtract, to_us

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from plivo_analysis.api.filters import Filter
    from plivo_analysis.api.resources import Resource
    from plivo_analysis.client import Client
    from plivo_analysis.parsing.pages import Page
    from plivo_analysis.parsing.records import Record
    from plivo_analysis.storage.leases import Lease
    from plivo_analysis.sync.page_request import PageRequest
    from plivo_analysis.sync.progress import ProgressListener

SETTLE = 15 * MINUTE  # what is younger is never called complete
RETENTION = 90 * DAY
EDGE = 2 * MINUTE  # how far from the end of retention a row may be gone already

NO_SNAPSHOT = "not a snapshot"
SAMPLED = "sample"  # proven by single pages, as far as the list is ordered
NOT_CONFIRMED = "filter not confirmed"  # by any row: it may have been ignored

_PAGES_AHEAD = 16  # what a lease is kept on: more than that is left to others


@dataclass(slots=True)
class Reader:
    """Asks for ranges of one resource under one filter, and counts what it did.

    Args:
        client: The account.
        filter: Which records of which resource.
        watch: Is told of every page.
        cancel: Ends the reading at the next page, or in the middle of a wait.
        requests: How many requests it took.
        tally: What became of the records.
        disordered: Whether a list was not newest first, which single pages cannot show.
        confirmed: Whether a row has shown that the server heeds the filter.
        newest: The latest instant of a record that came, in microseconds.
        moved: Whether an answer moved the account's clock.
        to_do: How much is to be read, in microseconds, for progress.
        done: How much of it is read.
    """

    client: Client
    filter: Filter
    watch: ProgressListener
    cancel: threading.Event | None = None
    requests: int = 0
    tally: Tally = field(default_factory=Tally)
    disordered: bool = False
    confirmed: bool = False
    newest: int = 0
    moved: bool = False
    to_do: int = 0
    done: int = 0

    @property
    def resource(self) -> Resource:
        """What is listed."""
        return self.filter.resource

    def read(
        self,
        span: Span,
        *,
        settled: bool = True,
        again: bool = False,
        lease: Lease | None = None,
        one_page: bool = False,
    ) -> Paginator:
        """Read a range, and keep what is read.

        Args:
            span: On whole minutes.
            settled: Whether to note what is read as complete, as far as it is old enough.
            again: Whether to read what is complete once more, rather than go on from a checkpoint.
            lease: Our right to read it; reading stops where another process goes on.
            one_page: Whether to leave off after a page.

        Returns:
            The paginator, which knows what it covered and what it could not.

        Raises:
            BadResponseError: The server kept neither to the time nor to the filter.
        """
        resumable = settled and not again
        ranges = self.client.store.completed_ranges(self.resource)
        # By the end of the range: what is above it is read, and a checkpoint knows how far down.
        checkpoint = ranges.checkpoint(self.filter.scope, span.end) if resumable else None
        paginator = Paginator.from_json(checkpoint.state) if checkpoint else None
        if paginator is None:
            paginator = self._paginator(span, confirm_empty=settled)
        paginator.keep_to(span)
        noted = paginator.minutes()
        for reading in self._pages(paginator, self.filter.params(), lease, one_page=one_page):
            self._refuse_foreign_rows(reading.records)
            # What is complete with this page, and no more: what was noted with an earlier one may
            # have been taken back by a purge since.
            fresh = [part for whole in paginator.minutes() for part in subtract(whole, noted)]
            noted = paginator.minutes()
            self._keep(paginator, reading, fresh if settled else [], resumable=resumable)
        self._learn(paginator)
        return paginator

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
        for listing in self.resource.open_listings:
            paginator = self._paginator(span, stable=False, confirm_empty=False)
            for reading in self._pages(paginator, Query({**lasting.params(), **listing})):
                self._store(lasting.scope, reading)
                keys.update(record.key for record in reading.records)
                rows = [record.row for record in reading.records if record.row is not None]
                if 2 * sum(map(self.resource.is_open, rows)) < len(rows):
                    break
            self._learn(paginator)
            missing += paginator.missing if paginator.done else [span]
        return frozenset(keys), missing

    def ask(
        self,
        request: PageRequest,
        params: Mapping[str, str],
        on_wait: Callable[[float], None] | None = None,
    ) -> tuple[PageSeen, Reading]:
        """Ask for a page: what it held, and what is to be kept of it.

        Args:
            request: The page.
            params: The filter's parameters.
            on_wait: Is told of waits; by default the one who watches.
        """
        offset = None if request.cursor else request.offset

        def read(body: bytes) -> tuple[bytes, Page]:
            page = read_page(body, self.resource, self.client.auth_id, offset)
            if self.client.is_repeated(page.api_id):  # raised in here, it is asked for again
                raise BadResponseError(
                    "The answer is a copy of an earlier one: a cache between here and the server "
                    "ignores the query. Bypass it, or exclude this address from it."
                )
            return body, page

        answer = self.client.transport.get(
            self.resource.path,
            request.query(self.resource, params),
            read=read,
            cancel=self.cancel,
            on_wait=on_wait or self.watch.waiting,
        )
        self.requests += answer.tries
        self.moved |= self.client.hear(answer.date)
        body, page = answer.value
        for record in page.records:
            if record.row is not None:
                # A row that lacks the filter's field says neither yes nor no.
                self.confirmed = self.confirmed or bool(self.filter.matches(record.row))
            if record.instant is not None:
                self.newest = max(self.newest, record.instant)
        start, end = request.span.datetimes()
        query = f"{start:%Y-%m-%dT%H:%M:%S.%fZ}/{end:%Y-%m-%dT%H:%M:%S.%fZ}"
        return seen(page), Reading(query, body, page.records, self.now())

    def keep_sample(self, reading: Reading, proven: Span | None) -> None:
        """Keep one page of a listing, read by its offset, with what it proves complete."""
        self._refuse_foreign_rows(reading.records)
        complete = self._complete([proven] if proven else [], reading, frozenset({SAMPLED}))
        self._store(self.filter.scope, replace(reading, complete=complete))

    def take_back_samples(self) -> None:
        """Call nothing complete any more that single pages proved: the list has no order."""
        ranges = self.client.store.completed_ranges(self.resource)
        with self.client.store.writing():
            for entry in ranges.entries(self.filter.scope):
                if SAMPLED in entry.flags:
                    ranges.discard(entry.span, entry.scope)

    @property
    def profile(self) -> ServerProfile:
        """What was learnt of the server."""
        return ServerProfile(self.client.store, self.resource.name)

    def now(self) -> int:
        """The account's time, in microseconds."""
        return to_us(self.client.now())

    def _paginator(
        self, span: Span, *, stable: bool = True, confirm_empty: bool = True
    ) -> Paginator:
        stable = stable and not self._asks_for_open
        listing = self.profile.listing(span, self.now(), stable=stable, confirm_empty=confirm_empty)
        return Paginator.of(listing)

    @property
    def _asks_for_open(self) -> bool:
        words = {fold_status(value) for value in self.filter.params().values()}
        return not self.filter.stable and not words.isdisjoint(self.resource.open_words)

    def _pages(
        self,
        paginator: Paginator,
        params: Mapping[str, str],
        lease: Lease | None = None,
        *,
        one_page: bool = False,
    ) -> Iterator[Reading]:
        """Ask until the range is read. Each page is to be kept before the next is asked for."""
        clock, before, pages, told = self.client.clock, self.done, 0, 0.0

        def hold() -> int:
            """Tell the others what we read next; return where one of them reads."""
            nonlocal told
            told = clock.monotonic()
            # As much as a few pages are likely to hold. To keep all of a long range would let other
            # processes wait for hours; to keep a page would let them meet us at every page.
            read = sum(span.length for span in paginator.covered())
            ahead = _PAGES_AHEAD * read // pages if read and pages else None
            return paginator.span.start if lease is None else lease.hold(paginator.reached, ahead)

        def wait(seconds: float) -> None:
            # A lease that is not renewed lapses. The range stays as it is: a page of it has been
            # asked for already.
            if clock.monotonic() - told > LEASE_SECONDS / 4:
                hold()
            self.watch.waiting(seconds)

        while True:
            # Up to where reading began, above what is left of a resumed pull: what an earlier call
            # believed up there may be named as missing by now.
            paginator.keep_to(Span(hold(), paginator.top))
            if paginator.done:
                return
            page, reading = self._ask_within_limit(paginator, params, wait)
            pages += 1
            # The server drops rows while they are paged. One that turned 90 days old between two
            # pages may be missing from the overlap, and that proves nothing against the server.
            paginator.listing.aged = self.now() - RETENTION + EDGE
            paginator.receive(page)
            self.done = before + sum(span.length for span in paginator.covered())
            yield reading
            share = self.done / self.to_do if self.to_do else 1.0
            self.watch.page(requests=self.requests, rows=self.tally.received, share=share)
            if one_page:
                return

    def _learn(self, paginator: Paginator) -> None:
        """Remember what reading a range has shown of the server."""
        if Anomaly.ORDER in paginator.flags:
            self.disordered = True
            self.take_back_samples()
        self.profile.learn(paginator, self.now())
        if paginator.not_honoured:
            raise BadResponseError(
                f"The server listed {self.resource.name} from outside of the time that was asked "
                "for, so that nothing proves the table complete. Ask for another range, or tell "
                "Plivo's support."
            )

    def _ask_within_limit(
        self, paginator: Paginator, params: Mapping[str, str], on_wait: Callable[[float], None]
    ) -> tuple[PageSeen, Reading]:
        """Ask for the next page, in a shorter range where a longer one is refused."""
        while True:
            try:
                return self.ask(paginator.request(), params, on_wait)
            except APIError as error:
                # 400 has many reasons; a shorter range is tried once, and the lesson is
                # remembered only with what it then lists.
                if error.status_code != HTTPStatus.BAD_REQUEST or not paginator.refuse():
                    raise
                self.requests += 1

    def _refuse_foreign_rows(self, records: Sequence[Record]) -> None:
        """What rows carry is checked again: an ignored filter must not look like an answer.

        A row that was open when the server chose it may have settled when it wrote it.
        """
        # More than half of a page cannot settle while it is written.
        foreign = [record for record in records if _misses(self.filter, record)]
        settled_meanwhile = (
            self._asks_for_open
            and 2 * len(foreign) <= len(records)
            and not any(_misses(self.filter.lasting, record) for record in foreign)
        )
        if foreign and not settled_meanwhile:
            names = ", ".join(self.filter.params())
            raise BadResponseError(
                f"The server did not keep to the filter ({names}): it listed "
                f"{self.resource.name} that do not match. Load without it and filter the table."
            )

    def _keep(
        self, paginator: Paginator, reading: Reading, fresh: Sequence[Span], *, resumable: bool
    ) -> None:
        """Keep a page with the ranges that are complete with it and the checkpoint after it."""
        store, scope = self.client.store, self.filter.scope
        if paginator.withdrawn:  # called complete before an anomaly showed that it was not proven
            with store.writing():
                for span in paginator.withdrawn:
                    store.completed_ranges(self.resource).discard(span, scope)
            paginator.withdrawn = []
        complete = self._complete(fresh, reading, paginator.flags)
        passed = checkpoint = None
        if resumable:
            passed = Span(paginator.reached, paginator.span.end)
        # In the same transaction as the page: a checkpoint ahead of its rows would lose them, and
        # rows ahead of their checkpoint would be asked for again.
        if resumable and not paginator.done:
            state = paginator.to_json()
            checkpoint = Checkpoint(paginator.open_end, paginator.reached, state)
        self._store(
            scope, replace(reading, complete=complete, passed=passed, checkpoint=checkpoint)
        )
        write_closed(store, self.resource, [] if scope else [entry.span for entry in complete])

    def _complete(
        self, spans: Sequence[Span], reading: Reading, flags: frozenset[str]
    ) -> list[CompletedRange]:
        """What is to be noted as complete, as far as it is old enough."""
        closed = self._closed()
        labels = tuple(sorted(flags | self._labels))
        return [
            CompletedRange(span.clip(closed), self.filter.scope, reading.read_at, labels)
            for span in spans
        ]

    def _closed(self) -> Span:
        """Where a range may be called complete."""
        oldest, end = self.now() - RETENTION, self.now() - SETTLE
        trusted = self.client.trusted_now()
        if trusted is not None:
            end = to_us(trusted) - SETTLE
        else:
            # The server tells no time, and this computer's may be fast. What it listed has
            # happened.
            kept = self.client.store.records(self.resource).extent()[1]
            end = min(end, max(self.newest, oldest if kept is None else kept))
        return Span(ceil(oldest, MINUTE), floor(end, MINUTE))

    @property
    def _labels(self) -> set[str]:
        """What a filter makes of a range: rows come and go, or cannot be checked."""
        moving = set() if self.filter.stable else {NO_SNAPSHOT}
        unverifiable = {f"{name} not checked" for name in self.filter.unverifiable}
        unconfirmed = set() if self.confirmed or not self.newest else {NOT_CONFIRMED}
        return moving | unverifiable | unconfirmed

    def _store(self, scope: str, reading: Reading) -> None:
        tally = self.client.store.keep(self.resource, scope, reading)
        self.tally.add(tally)
        if not self.tally.balanced:
            raise StoreError(
                f"Of {self.tally.received} rows received some are unaccounted for: {self.tally}. "
                "Please report this."
            )


def _misses(chosen: Filter, record: Record) -> bool:
    return record.row is not None and chosen.matches(record.row) is False


def seen(page: Page) -> PageSeen:
    """What a paginator is told of a page."""
    records = page.records
    return PageSeen(
        rows=tuple(
            (record.key, record.instant) for record in records if record.instant is not None
        ),
        count=page.received,
        has_next=page.has_next,
        next_cursor=page.next_cursor,
        # One record alone is set aside and said; several are a change of the API's form.
        unfit=len(records) > 1 and all(record.row is None for record in records),
        records=records,
    )
