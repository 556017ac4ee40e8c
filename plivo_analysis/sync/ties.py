"""Ties: more rows within one step of the grid than a page holds, so no bound parts them.

The last resort: offsets, or the server's cursor, inside that step. One pass proves nothing,
since the order of ties may change between requests. Passes are repeated until they add
nothing: two that agree in order are enough, otherwise several must add nothing in a row. The
result is probable, and flagged so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from plivo_analysis.sync.steps import PAGE_ROWS, Anomaly, PageRequest, PageSeen

if TYPE_CHECKING:
    from plivo_analysis.values.spans import Span

_QUIET_PASSES = 6
_QUIET_PAGES = 3  # of one pass: neither offset nor cursor moves it on


@dataclass(slots=True)
class Ties:
    """Read one step of the grid by repeated passes.

    Args:
        span: The step.

    Attributes:
        done: Whether enough passes added nothing.
        gained: Whether the last page held a row that no page before it did.
    """

    span: Span
    done: bool = field(default=False, init=False)
    gained: bool = field(default=False, init=False)
    _known: frozenset[str] = field(default=frozenset(), init=False)
    _pass: list[str] = field(default_factory=list, init=False)
    _before: list[str] | None = field(default=None, init=False)
    _quiet: int = field(default=0, init=False)
    _cursor: str | None = field(default=None, init=False)
    _quiet_pages: int = field(default=0, init=False)

    def query(self) -> PageRequest:
        """The next page of this pass."""
        return PageRequest(self.span, offset=len(self._pass), cursor=self._cursor)

    def receive(self, seen: PageSeen) -> Anomaly | None:
        """Go on with the pass, or end it."""
        if seen.outside(self.span):
            return Anomaly.FILTER
        keys = [key for key, _ in seen.rows]
        self.gained = not self._known.issuperset(keys) and not set(self._pass).issuperset(keys)
        self._quiet_pages = 0 if set(keys) - set(self._pass) else self._quiet_pages + 1
        if self._quiet_pages >= _QUIET_PAGES:
            return Anomaly.STUCK
        self._pass.extend(keys)
        self._cursor = seen.next_cursor
        if seen.count < PAGE_ROWS and (not keys or not seen.has_next):
            self._end_pass()
        return None

    def _end_pass(self) -> None:
        fresh = frozenset(self._pass) - self._known
        agrees = self._pass == self._before and len(self._pass) == len(self._known | fresh)
        self._known |= fresh
        self._quiet = 0 if fresh else self._quiet + 1
        self._before, self._pass, self._cursor = self._pass, [], None
        self._quiet_pages = 0
        if agrees or self._quiet >= _QUIET_PASSES:
            self.done = True
