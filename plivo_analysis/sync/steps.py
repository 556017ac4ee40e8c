"""What passes between a walk and its driver: a query, what was seen, a doubt."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from plivo_analysis.values.spans import Span

PAGE_ROWS = 20


class Anomaly(StrEnum):
    """Why a page cannot be trusted to be what was asked for.

    Example:
        >>> Anomaly.ORDER.value
        'order'
    """

    FILTER = "filter"  # a row lies outside the bounds
    ORDER = "order"  # rows are not newest first
    WITNESS = "witness"  # a row that must come back did not
    TIE = "tie"  # more rows within one step of the grid than a page holds
    STUCK = "stuck"  # a short page says that there is more, again and again


@dataclass(frozen=True, slots=True)
class PageRequest:
    """One page to ask for: both bounds always, and an offset or cursor as a last resort."""

    span: Span
    offset: int = 0
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class PageSeen:
    """What a page held: keys and instants in its order, and what it says of the next one.

    Args:
        rows: Key and instant of each row that has both, in the page's order.
        count: How many rows the page held, readable or not.
        has_next: Whether the server says that there is more.
        next_cursor: The cursor it names, if it does.
    """

    rows: tuple[tuple[str, int], ...]
    count: int
    has_next: bool
    next_cursor: str | None = None

    @property
    def keys(self) -> frozenset[str]:
        """The keys of the rows."""
        return frozenset(key for key, _ in self.rows)

    @property
    def ends(self) -> bool:
        """Whether the page proves that nothing follows it."""
        return self.count < PAGE_ROWS and not self.has_next

    def outside(self, span: Span) -> bool:
        """Whether a row lies outside of a span."""
        return any(instant not in span for _, instant in self.rows)
