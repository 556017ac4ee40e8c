"""What walks learnt of a server, kept for the account: how fine its bounds are, and its order.

A server may change for the better, and a lesson may have been a chance. So it holds for a
week; then the walk tries the quickest way again, and learns again if it has to.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from plivo_analysis.sync.paginator import RESOLUTIONS
from plivo_analysis.values.spans import DAY, from_us, to_us

if TYPE_CHECKING:
    from plivo_analysis.storage.store import Store
    from plivo_analysis.sync.paginator import Paginator

_HOLDS = 7 * DAY
_UNORDERED = "unordered"
_SEEN = ", seen "


@dataclass(frozen=True, slots=True)
class Memory:
    """Lessons on one resource.

    Args:
        store: Where they are kept.
        resource: The resource's name.

    Example:
        >>> from plivo_analysis.storage.store import Store
        >>> memory = Memory(Store(None), "sessions")
        >>> memory.grid(0), memory.ordered(0)
        (1, True)
    """

    store: Store
    resource: str

    def grid(self, now: int) -> int:
        """How fine the server's bounds are taken to be, in microseconds."""
        value = self._fact("grid", now)
        return int(value) if value else RESOLUTIONS[0]

    def ordered(self, now: int) -> bool:
        """Whether the server is taken to list newest first."""
        return self._fact("order", now) != _UNORDERED

    def learn(self, ladder: Paginator, now: int) -> None:
        """Keep what a walk found out."""
        if ladder.grid_learnt is not None:
            self._keep("grid", str(ladder.grid_learnt), now)
        if not ladder.ordered and self.ordered(now):
            self._keep("order", _UNORDERED, now)

    def _fact(self, what: str, now: int) -> str | None:
        value, known, day = (self.store.fact(f"{self.resource} {what}") or "").partition(_SEEN)
        if value and not known:  # learnt by an examination of the account
            self._keep(what, value, now)
            return value
        holds = value and now < to_us(datetime.fromisoformat(day).replace(tzinfo=UTC)) + _HOLDS
        return value if holds else None

    def _keep(self, what: str, value: str, now: int) -> None:
        self.store.learn(f"{self.resource} {what}", f"{value}{_SEEN}{from_us(now):%Y-%m-%d}")
