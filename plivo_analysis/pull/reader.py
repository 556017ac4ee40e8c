"""Read one range: a walk says what to ask, the wire answers, the store keeps.

Each answer is kept in one transaction with the place that the walk has reached, so that a
process killed at any moment repeats one request at most. What a walk learns of the server,
how fine its time filter is and whether it keeps its order, is remembered for the account.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from plivo_analysis.errors import BadResponseError, StoreError
from plivo_analysis.filters import Query as Parameters
from plivo_analysis.filters import api_time
from plivo_analysis.pages import read_page
from plivo_analysis.pull.single import fetch
from plivo_analysis.spans import DAY, MINUTE, Span, ceil, floor, to_us
from plivo_analysis.store import Bookmark, Entry, Reading, Tally
from plivo_analysis.vocabulary import fold_status
from plivo_analysis.walk import GRIDS, PAGE_ROWS, Ladder, Query, Seen

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from typing import Any, Self

    from plivo_analysis.client import Client
    from plivo_analysis.filters import Confirmation
    from plivo_analysis.pages import Page
    from plivo_analysis.progress import Watch
    from plivo_analysis.records import Record
    from plivo_analysis.resources import Resource

SETTLE = 15 * MINUTE  # what is younger is never called complete
RETENTION = 90 * DAY
EDGE = 2 * MINUTE  # how far from the end of retention a row may be gone already

_UNORDERED = "unordered"


class Filter(Protocol):
    """What a pull needs of a filter; ``SessionFilter`` and ``MessageFilter`` are the two."""

    @property
    def scope(self) -> str:
        """The ledger's key."""

    @property
    def stable(self) -> bool:
        """Whether no record enters or leaves the listing while it is read."""

    @property
    def lasting(self) -> Self:
        """The same filter without what may change for a record."""

    @property
    def unverifiable(self) -> tuple[str, ...]:
        """The parameters that no row can confirm."""

    def params(self) -> Mapping[str, str]:
        """The query parameters."""

    def matches(self, row: Mapping[str, Any]) -> bool | None:
        """Whether a row is one that was asked for."""

    def confirmations(self) -> list[Confirmation]:
        """The columns that tell the same of a table."""


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
    watch: Watch
    cancel: threading.Event | None = None
    requests: int = 0
    tally: Tally = field(default_factory=Tally)
    flags: set[str] = field(default_factory=set)
    moved: bool = False
    to_do: int = 0
    done: int = 0

    def read(self, span: Span, *, settled: bool = True) -> list[Span]:
        """Read a range; return what of it could not be read whole.

        Args:
            span: On whole minutes.
            settled: Whether to note what is read as complete, as far as it is old enough.

        Raises:
            BadResponseError: The server kept neither to the time nor to the filter.
        """
        ladder = self._ladder(span)
        ledger = self.client.store.ledger(self.resource)
        bookmark = ledger.bookmark(self.filter.scope, span.end) if settled else None
        if bookmark is not None:
            ladder.resume(bookmark.reached, bookmark.anchor)
        for page in self._pages(ladder, self.filter.params()):
            self._refuse_strangers(page)
            self._keep(ladder, page, settled=settled)
        return ladder.missing

    def list_open(self, span: Span) -> tuple[set[str], bool]:
        """List what is open in a range: the keys, and whether the server kept to the filter.

        Rows come and go while they are listed, so that they are no witnesses.
        """
        keys: set[str] = set()
        honoured = True
        for listing in self.resource.open_listings:
            ladder = self._ladder(span, witness=False)
            for page in self._pages(ladder, Parameters({**self.filter.params(), **listing})):
                self._keep(ladder, page)
                keys |= {record.key for record in page.records}
                honoured &= all(
                    self.resource.is_open(record.row)
                    for record in page.records
                    if record.row is not None
                )
            honoured &= not ladder.missing
        return keys, honoured

    def get(self, key: str) -> None:
        """Read one record by its key and keep it.

        Raises:
            ResourceNotFoundError: The server has it no more.
        """
        self.requests += 1
        self.tally.add(fetch(self.client, self.resource, key, cancel=self.cancel))

    def _ladder(self, span: Span, *, witness: bool = True) -> Ladder:
        store = self.client.store
        return Ladder(
            span,
            grid=int(store.fact(f"{self.resource.name} grid") or GRIDS[0]),
            ordered=store.fact(f"{self.resource.name} order") != _UNORDERED,
            witness=witness and not self._asks_for_open,
        )

    @property
    def _asks_for_open(self) -> bool:
        words = {fold_status(value) for value in self.filter.params().values()}
        return not self.filter.stable and not words.isdisjoint(self.resource.open_words)

    def _pages(self, ladder: Ladder, params: Mapping[str, str]) -> Iterator[_Answered]:
        """Ask until the walk is done, handing each page on before the next is asked for."""
        before = self.done
        while not ladder.done:
            page = self._ask(ladder.query(), params)
            ladder.aged = self._now() - RETENTION + EDGE
            ladder.receive(page.seen)
            self.done = before + sum(span.length for span in ladder.covered())
            yield page
            self.watch.page(
                requests=self.requests,
                rows=self.tally.received,
                share=self.done / self.to_do if self.to_do else 1.0,
            )
        self.flags |= ladder.flags
        self._remember(ladder)
        if ladder.not_honoured:
            raise BadResponseError(
                f"The server listed {self.resource.name} from outside of the time that was asked "
                "for, so that nothing proves the table complete. Ask for another range, or tell "
                "Plivo's support."
            )

    def _ask(self, query: Query, params: Mapping[str, str]) -> _Answered:
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
                    read=resource.read,
                    expected_path=f"/v1/Account/{self.client.auth_id}/{resource.path}",
                ),
            ),
            cancel=self.cancel,
            on_wait=self.watch.waiting,
        )
        self.requests += answer.tries
        self._heard(answer.date)
        body, page = answer.value
        self.flags |= {note.code for note in page.notes}
        return _Answered(f"{start:%Y-%m-%dT%H:%M:%S.%fZ}/{end:%Y-%m-%dT%H:%M:%S.%fZ}", body, page)

    def _refuse_strangers(self, page: _Answered) -> None:
        """What rows carry is checked again: an ignored filter must not look like an answer."""
        for record in page.records:
            if record.row is not None and self.filter.matches(record.row) is False:
                names = ", ".join(self.filter.params())
                raise BadResponseError(
                    f"The server did not keep to the filter ({names}): it listed "
                    f"{self.resource.name} that do not match. Load without it and filter the table."
                )

    def _keep(self, ladder: Ladder, page: _Answered, *, settled: bool = False) -> None:
        now = self._now()
        complete: list[Entry] = []
        bookmark = None
        if settled:
            closed = Span(ceil(now - RETENTION, MINUTE), floor(now - SETTLE, MINUTE))
            flags = tuple(sorted(ladder.flags))
            complete = [
                Entry(span.clip(closed), self.filter.scope, now, flags) for span in ladder.minutes()
            ]
            if ladder.place is not None and ladder.place[0] < ladder.span.end:
                reached, anchor = ladder.place
                bookmark = (ceil(reached, MINUTE), Bookmark(reached, anchor))
        self._store(Reading(page.query, page.body, page.records, now, complete, bookmark))

    def _store(self, reading: Reading) -> None:
        tally = self.client.store.keep(self.resource, self.filter.scope, reading)
        self.tally.add(tally)
        if not self.tally.balanced:
            raise StoreError(
                f"Of {self.tally.received} rows received some are unaccounted for: {self.tally}. "
                "Please report this."
            )

    def _remember(self, ladder: Ladder) -> None:
        store = self.client.store
        if ladder.grid_learnt is not None:
            store.learn(f"{self.resource.name} grid", str(ladder.grid_learnt))
        if not ladder.ordered:
            store.learn(f"{self.resource.name} order", _UNORDERED)

    def _heard(self, date: datetime | None) -> None:
        self.moved |= self.client.hear(date)

    def _now(self) -> int:
        return to_us(self.client.now())


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
    def seen(self) -> Seen:
        return Seen(
            rows=tuple(
                (record.key, to_us(record.instant))
                for record in self.page.records
                if record.instant is not None
            ),
            count=self.page.received,
            has_next=self.page.has_next,
            next_cursor=self.page.next_cursor,
        )
