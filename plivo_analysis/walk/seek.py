"""Seek: newest first, each page asked for by the oldest instant seen so far.

The rows at that instant must come back with the next page: they are the witness that the two
pages meet. A page ends the range only if it is short and names no next one; "nothing new on a
short page" proves nothing while a next one is named. Such a page is asked for again, eight
times; if it never moves, the page that it names is asked for, and only an empty one that
names no other ends the range.
"""

from __future__ import annotations

from itertools import pairwise

from plivo_analysis.spans import Span, floor
from plivo_analysis.walk.steps import PAGE_ROWS, Doubt, Query, Seen

_REPEATS = 8


class Seek:
    """Walk down a range by time.

    Args:
        span: The range.
        grid: How fine the server's bounds are taken to be, in microseconds.
        witness: Whether rows may be trusted to stay in the listing while it is read.
        aged: Rows before this instant may vanish: they reach the edge of retention.
    """

    def __init__(self, span: Span, *, grid: int, witness: bool = True, aged: int = 0) -> None:
        self.span = span
        self.grid = grid
        self.reached = span.end
        self.anchor: frozenset[str] = frozenset()
        self.done = False
        self._witness = witness
        self._aged = aged
        self._repeats = 0
        self._probe: Query | None = None

    def query(self) -> Query:
        """All that is left of the range."""
        return self._probe or Query(Span(self.span.start, self.reached))

    def receive(self, seen: Seen) -> Doubt | None:
        """Move to the oldest row of the page, or end."""
        if self._probe is not None:
            return self._end_of_probe(seen)
        instants = [instant for _, instant in seen.rows]
        if seen.outside(Span(self.span.start, self.reached)):
            return Doubt.FILTER
        if any(later > earlier for earlier, later in pairwise(instants)):
            return Doubt.ORDER
        if not self.anchor <= seen.keys and self.reached > self._aged:
            return Doubt.WITNESS
        if seen.ends:
            self.skip_to(self.span.start)
            return None
        return self._move(seen, min(instants, default=self.reached))

    def _move(self, seen: Seen, oldest: int) -> Doubt | None:
        reached = min(self.reached, floor(oldest, self.grid) + self.grid)
        if reached < self.reached:
            self._repeats = 0
        elif seen.count >= PAGE_ROWS:
            return Doubt.TIE if seen.rows else Doubt.STUCK
        else:
            self._repeats += 1
            if self._repeats >= _REPEATS:
                span = Span(self.span.start, self.reached)
                self._probe = Query(span, offset=seen.count, cursor=seen.next_cursor)
                return None
        self.reached = reached
        if self._witness:
            self.anchor = frozenset(key for key, instant in seen.rows if instant == oldest)
        return None

    def _end_of_probe(self, seen: Seen) -> Doubt | None:
        self._probe = None
        if seen.count or seen.has_next:
            return Doubt.STUCK
        self.skip_to(self.span.start)
        return None

    def skip_to(self, reached: int) -> None:
        """Go on below an instant; what lies above is somebody else's."""
        self.reached = reached
        self.anchor = frozenset()
        self._repeats = 0
        self.done = reached <= self.span.start
