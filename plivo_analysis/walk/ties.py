"""Ties: more rows within one step of the grid than a page holds, so no bound parts them.

The last resort: offsets, or the server's cursor, inside that step. One pass proves nothing,
since the order of ties may change between requests. Passes are repeated until they add
nothing: two that agree in order are enough, otherwise several must add nothing in a row. The
result is probable, and flagged so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plivo_analysis.walk.steps import Doubt, Query, Seen

if TYPE_CHECKING:
    from plivo_analysis.spans import Span

_QUIET_PASSES = 6


class Ties:
    """Read one step of the grid by repeated passes.

    Args:
        span: The step.
    """

    def __init__(self, span: Span) -> None:
        self.span = span
        self.done = False
        self._known: set[str] = set()
        self._pass: list[str] = []
        self._before: list[str] | None = None
        self._quiet = 0
        self._cursor: str | None = None
        self._last_page: tuple[str, ...] = ()

    def query(self) -> Query:
        """The next page of this pass."""
        return Query(self.span, offset=len(self._pass), cursor=self._cursor)

    def receive(self, seen: Seen) -> Doubt | None:
        """Go on with the pass, or end it."""
        if seen.outside(self.span):
            return Doubt.FILTER
        keys = tuple(key for key, _ in seen.rows)
        if keys and keys == self._last_page and seen.next_cursor is None:
            return Doubt.STUCK  # neither offset nor cursor is honoured
        self._last_page = keys
        self._pass.extend(keys)
        self._cursor = seen.next_cursor
        if not seen.has_next and not seen.ends and keys:
            return None  # a full page with no next one named: ask for proof
        if seen.ends or not keys or not seen.has_next:
            self._end_pass()
        return None

    def _end_pass(self) -> None:
        fresh = set(self._pass) - self._known
        agrees = self._pass == self._before and len(self._pass) == len(self._known | fresh)
        self._known |= fresh
        self._quiet = 0 if fresh else self._quiet + 1
        self._before, self._pass, self._last_page, self._cursor = self._pass, [], (), None
        if agrees or self._quiet >= _QUIET_PASSES:
            self.done = True
