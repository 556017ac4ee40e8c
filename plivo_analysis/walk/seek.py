"""Seek: newest first, each page asked for by the oldest instant seen so far.

The rows at that instant must come back with the next page: they are the witness that the two
pages meet. A page ends the range only if it is short and names no next one; "nothing new on a
short page" proves nothing while a next one is named. Such a page may have holes, so that it
counts only when the same question brings the same page twice. If it never moves, the page
that it names is asked for, and only an empty one that names no other ends the range.
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
        self._before: frozenset[str] | None = None
        self._probe: Query | None = None

    def query(self) -> Query:
        """All that is left of the range."""
        return self._probe or Query(Span(self.span.start, self.reached))

    def receive(self, seen: Seen) -> Doubt | None:
        """Move to the oldest row of the page, or end."""
        if self._probe is not None:
            return self._end_of_probe(seen)
        if (doubt := self._out_of_place(seen)) is not None:
            return doubt
        if seen.count < PAGE_ROWS and seen.has_next and seen.keys != self._before:
            self._before = seen.keys
            self._repeat(seen)
            return None
        return self._move(seen)

    def _out_of_place(self, seen: Seen) -> Doubt | None:
        instants = [instant for _, instant in seen.rows]
        if seen.outside(Span(self.span.start, self.reached)):
            return Doubt.FILTER
        if any(later > earlier for earlier, later in pairwise(instants)):
            return Doubt.ORDER
        return None

    def _move(self, seen: Seen) -> Doubt | None:
        full = seen.count >= PAGE_ROWS
        oldest = min((instant for _, instant in seen.rows), default=self.reached)
        reached = min(self.reached, floor(oldest, self.grid) + self.grid)
        if full and reached == self.reached:
            # Before the witnesses: of more ties than a page holds, any may have come back.
            return Doubt.TIE if seen.rows else Doubt.STUCK
        if not self.anchor <= seen.keys and self.reached > self._aged:
            return Doubt.WITNESS
        if seen.ends:
            self.skip_to(self.span.start)
        elif reached == self.reached:
            self._repeat(seen)
        else:
            self.skip_to(reached)
            if self._witness:
                self.anchor = frozenset(key for key, instant in seen.rows if instant == oldest)
        return None

    def _repeat(self, seen: Seen) -> None:
        """Ask the same once more, or after many times for what the page says is next."""
        self._repeats += 1
        if self._repeats >= _REPEATS:
            span = Span(self.span.start, self.reached)
            self._probe = Query(span, offset=seen.count, cursor=seen.next_cursor)

    def _end_of_probe(self, seen: Seen) -> Doubt | None:
        self._probe = None
        if seen.count or seen.has_next or self._before is None:
            return Doubt.STUCK
        self.skip_to(self.span.start)
        return None

    def skip_to(self, reached: int) -> None:
        """Go on below an instant; what lies above is covered, or somebody else's."""
        self.reached = reached
        self.anchor = frozenset()
        self.done = reached <= self.span.start
        self._before = None
        self._repeats = 0
