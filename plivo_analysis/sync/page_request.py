"""What a paginator, its methods and the reader share: requests, pages, and their listing."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from plivo_analysis.api.filters import Query
from plivo_analysis.api.times import api_time
from plivo_analysis.values.spans import Span, floor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plivo_analysis.api.resources import Resource
    from plivo_analysis.parsing.records import Record

PAGE_ROWS = 20

_ALIKE = 3  # short pages of one length in a row: that is the server's page length


class Anomaly(StrEnum):
    """Why a page cannot be trusted to be what was asked for.

    Example:
        >>> Anomaly.ORDER.value
        'order'
    """

    BOUNDS = "bounds"  # a row lies outside the bounds
    ORDER = "order"  # rows are not newest first
    OVERLAP = "overlap"  # a row that two pages share is on one of them only
    TIE = "tie"  # more rows within one step of the resolution than a page holds
    STUCK = "stuck"  # a page leads nowhere, again and again


@dataclass(frozen=True, slots=True)
class PageRequest:
    """One page to ask for: both bounds always, and an offset or cursor as a last resort."""

    span: Span
    offset: int = 0
    cursor: str | None = None

    def query(self, resource: Resource, filters: Mapping[str, str]) -> Query:
        """The request as the API takes it."""
        start, end = map(api_time, self.span.datetimes())
        bounds = {
            f"{resource.time_parameter}__gte": start,
            f"{resource.time_parameter}__lt": end,
            "limit": str(PAGE_ROWS),
        }
        place = {"cursor": self.cursor} if self.cursor else {"offset": str(self.offset)}
        return Query({**filters, **bounds, **place})


@dataclass(frozen=True, slots=True)
class PageSeen:
    """What a page held: keys and instants in its order, and what it says of the next one.

    Args:
        rows: Key and instant of each row that has both, in the page's order.
        count: How many rows the page held, readable or not.
        has_next: Whether the server says that there is more.
        next_cursor: The cursor it names, if it does.
        unfit: Whether none of its rows is fit for a table.
        records: The rows as they were read; a paginator needs none of them.
    """

    rows: tuple[tuple[str, int], ...]
    count: int
    has_next: bool
    next_cursor: str | None = None
    unfit: bool = False
    records: tuple[Record, ...] = ()

    @property
    def keys(self) -> frozenset[str]:
        """The keys of the rows."""
        return frozenset(key for key, _ in self.rows)

    def outside(self, span: Span) -> bool:
        """Whether a row lies outside of a span."""
        return any(instant not in span for _, instant in self.rows)


@dataclass(slots=True)
class Listing:
    """The listing of a range, and what is known of how the server lists it.

    A paginator learns more of it while it reads. Above all, how many rows the server puts on a
    page, whatever number was asked for: a page of fewer rows than were asked for ends a list only
    if the server is known to put more on a page. A server of ten rows a page that names no next
    one would else lose all but ten.

    Args:
        span: The range, on whole minutes.
        resolution: How fine the server's bounds are taken to be, in microseconds.
        ordered: Whether the server lists newest first.
        stable: Whether rows stay in the listing while it is read.
        confirm_empty: Whether a long part without rows is asked for twice.
        longest_range: How long a range the server lists at most, in microseconds.
        longest_page: The rows of the longest page seen, 0 before the first.
        full_page: A page of so many rows may be followed by another.
        page_seen: Whether a page has shown both, rather than what is remembered of the account.
        alike: The lengths of the last short pages that named a next one.
        aged: Rows before this instant may vanish at the edge of retention.

    Example:
        >>> listing = Listing(Span(0, 10))
        >>> listing.see(7)
        >>> listing.is_short(6), listing.is_short(7), listing.is_full(7)
        (True, False, False)
    """

    span: Span
    resolution: int = 1
    ordered: bool = True
    stable: bool = True
    confirm_empty: bool = True
    longest_range: int | None = None
    longest_page: int = 0
    full_page: int = PAGE_ROWS
    page_seen: bool = False
    alike: list[int] = field(default_factory=list)
    aged: int = 0

    def bound_above(self, instant: int) -> int:
        """The next bound above an instant that the server tells from it."""
        return floor(instant, self.resolution) + self.resolution

    def see(self, count: int) -> None:
        """Learn from a page of so many rows; an empty one teaches nothing."""
        self.page_seen = self.page_seen or count >= max(1, self.longest_page)
        self.longest_page = max(self.longest_page, count)
        if self.longest_page > self.full_page:
            self.full_page = PAGE_ROWS

    def see_full(self, count: int) -> None:
        """Learn that more rows followed a page of so many."""
        self.full_page = min(PAGE_ROWS, max(count, self.longest_page))

    def see_named_next(self, count: int) -> None:
        """Learn from a short page that came twice the same and named a next one."""
        self.alike = [*self.alike[1 - _ALIKE :], count]
        if self.alike == [count] * _ALIKE:
            self.see_full(count)

    def is_full(self, count: int) -> bool:
        """Whether more rows may follow a page of so many."""
        return count >= self.full_page

    def is_short(self, count: int) -> bool:
        """Whether the server would have put more rows on this page if it had any."""
        return count < min(self.longest_page, self.full_page)
