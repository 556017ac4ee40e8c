"""Seek: newest first, each page asked for by the oldest instant seen so far.

The rows at that instant must come back with the next page: they are the witness that the two
pages meet. A page ends the range only if it is short and names no next one; "nothing new on a
short page" proves nothing while a next one is named. Such a page may have holes, so that it
counts only when the same question brings the same page twice. If it never moves, the page
that it names is asked for, and only an empty one that names no other ends the range. Where the
first short pages all came twice alike and are of one length, that is what the server's pages
hold: they are not short.

Newest first is itself to be proven: rows of one instant fit any order, and so may a few rows
by chance. Until a page has fallen through enough instants, what lies above its oldest row is
asked for once more before the walk goes below it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from plivo_analysis.sync.steps import PAGE_ROWS, Anomaly, PageRequest, PageSeen
from plivo_analysis.values.spans import MINUTE, Span, floor

_REPEATS = 8
_ALIKE = 3
_FALLS = 5  # of 20 rows in random order one page in 1.8 million falls so often by chance


@dataclass(slots=True)
class SeekPage:
    """A page that the walk may go below, once its order is proven.

    Args:
        keys: Its rows.
        anchor: Those of its oldest instant.
        falls: How often its instants fall.
        above: What it covers.
    """

    keys: frozenset[str]
    anchor: frozenset[str]
    falls: int
    above: Span


@dataclass(slots=True)
class KeysetPaging:
    """Walk down a range by time.

    Args:
        span: The range.
        grid: How fine the server's bounds are taken to be, in microseconds.
        witness: Whether rows may be trusted to stay in the listing while it is read. If not,
            they are witnesses only where that can still be told from a coarser grid.

    Attributes:
        reached: What lies above this instant is covered.
        anchor: The rows that must come back with the next page.
        done: Whether there is nothing left to ask.
        aged: Rows before this instant may vanish at the edge of retention.
    """

    span: Span
    grid: int
    witness: bool = True
    reached: int = field(init=False)
    anchor: frozenset[str] = field(default=frozenset(), init=False)
    done: bool = field(init=False)
    aged: int = field(default=0, init=False)
    _repeats: int = field(default=0, init=False)
    _before: frozenset[str] | None = field(default=None, init=False)
    _full: int = field(default=PAGE_ROWS, init=False)
    _alike: list[int] = field(default_factory=list, init=False)
    _probe: PageRequest | None = field(default=None, init=False)
    _newest_first: bool = field(default=False, init=False)
    _doubted: SeekPage | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.reached = self.span.end
        self.done = not self.span.length

    def query(self) -> PageRequest:
        """All that is left of the range, or a question about the page before."""
        if self._doubted is not None:
            return PageRequest(self._doubted.above)
        return self._probe or PageRequest(Span(self.span.start, self.reached))

    def receive(self, seen: PageSeen) -> Anomaly | None:
        """Move to the oldest row of the page, or end."""
        if self._doubted is not None:
            return self._end_of_proof(self._doubted, seen)
        if self._probe is not None:
            return self._end_of_probe(seen)
        if (doubt := self._out_of_place(seen)) is not None:
            return doubt
        if self._may_have_holes(seen) and seen.keys != self._before:
            self._alike = self._alike if self._before is None else []
            self._before = seen.keys
            self._repeat(seen)
            return None
        return self._move(seen)

    def skip_to(self, reached: int) -> None:
        """Go on below an instant; what lies above is covered, or somebody else's."""
        self.reached = reached
        self.anchor = frozenset()
        self.done = reached <= self.span.start
        self._before = None
        self._repeats = 0

    def expect(self, anchor: frozenset[str]) -> None:
        """Take these rows as the witnesses of the next page."""
        trusted = self.witness or self.grid < MINUTE
        self.anchor = anchor if trusted else frozenset()

    def stop_at(self, start: int) -> None:
        """Leave what lies below an instant to somebody else."""
        self.span = Span(max(start, self.span.start), self.span.end)
        self.done = self.reached <= self.span.start

    def _out_of_place(self, seen: PageSeen) -> Anomaly | None:
        instants = [instant for _, instant in seen.rows]
        if seen.outside(Span(self.span.start, self.reached)):
            return Anomaly.FILTER
        if any(later > earlier for earlier, later in pairwise(instants)):
            return Anomaly.ORDER
        return None

    def _may_have_holes(self, seen: PageSeen) -> bool:
        return seen.count < self._full and seen.has_next

    def _learn_length(self, seen: PageSeen) -> None:
        """After some short pages of one length that came twice alike, such pages are full."""
        if self._may_have_holes(seen):
            self._alike = [*self._alike[1 - _ALIKE :], seen.count]
            self._full = seen.count if self._alike == [seen.count] * _ALIKE else self._full

    def _move(self, seen: PageSeen) -> Anomaly | None:
        full = seen.count >= self._full
        oldest = min((instant for _, instant in seen.rows), default=self.reached)
        reached = min(self.reached, floor(oldest, self.grid) + self.grid)
        if full and reached == self.reached:
            # Before the witnesses: of more ties than a page holds, any may have come back.
            return Anomaly.TIE if seen.rows else Anomaly.STUCK
        if not self.anchor <= seen.keys and self.reached > self.aged:
            return Anomaly.WITNESS
        if seen.ends:
            self.skip_to(self.span.start)
        elif reached == self.reached:
            self._repeat(seen)
        else:
            self._learn_length(seen)
            anchor = frozenset(key for key, at in seen.rows if at == oldest)
            falls = len({instant for _, instant in seen.rows}) - 1
            self._go_below(SeekPage(seen.keys, anchor, falls, Span(reached, self.reached)))
        return None

    def _go_below(self, page: SeekPage) -> None:
        """Move below what a page covers, if it is certain that the page covers it."""
        self._newest_first = self._newest_first or page.falls >= _FALLS
        if not self._newest_first and self._doubted is None:
            self._doubted = page
            self._before = None
            return
        self._doubted = None
        self.skip_to(page.above.start)
        self.expect(page.anchor)

    def _end_of_proof(self, page: SeekPage, seen: PageSeen) -> Anomaly | None:
        """What lies above a page's oldest row must be of that page."""
        if seen.outside(page.above):
            self._doubted = None
            return Anomaly.FILTER
        if seen.count >= PAGE_ROWS or not seen.keys <= page.keys:
            self._doubted = None
            return Anomaly.ORDER
        if self._may_have_holes(seen) and seen.keys != self._before:
            self._before = seen.keys
        else:
            self._go_below(page)
        return None

    def _repeat(self, seen: PageSeen) -> None:
        """Ask the same once more, or after many times for what the page says is next."""
        self._repeats += 1
        if self._repeats >= _REPEATS:
            span = Span(self.span.start, self.reached)
            self._probe = PageRequest(span, offset=seen.count, cursor=seen.next_cursor)

    def _end_of_probe(self, seen: PageSeen) -> Anomaly | None:
        self._probe = None
        if seen.count or seen.has_next or self._before is None:
            return Anomaly.STUCK
        self.skip_to(self.span.start)
        return None
