"""Bisect: parts so small that each fits one page, whatever order the server keeps.

A part is complete when its page is short and names no next one. Rows known from a page that
was too full are the witnesses of its parts. The length of a part follows the density of the
rows, so that a part seldom has to be asked for twice. Parts begin on a whole minute or second
wherever they are that long: such a bound means the same to a server of coarser precision.

Where a full page is in order after all, oldest first, it is not lost: it holds all that lies
below its newest row, so that the part goes on from there. Such parts may be many pages long.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

from plivo_analysis.sync.steps import PAGE_ROWS, Anomaly, PageRequest, PageSeen
from plivo_analysis.values.spans import MINUTE, SECOND, Span, floor

_WANTED_ROWS = 12
_WANTED_ROWS_IN_ORDER = 200
_RISES = 5  # of 20 rows in random order one page in 1.8 million rises so often by chance
_GROWTH = 4
_FADES = 0.7  # what a part still tells of the density after the next one


@dataclass(slots=True)
class Bisection:
    """Read a range in parts from its end to its start.

    Args:
        span: The range.
        grid: How fine the server's bounds are taken to be, in microseconds.
        witness: Whether rows may be trusted to stay in the listing while it is read.

    Attributes:
        reached: What lies above this instant is covered.
        done: Whether there is nothing left to ask.
        aged: Rows before this instant may vanish at the edge of retention.
        gained: Whether the last page was in order, and covers the lower end of its part.
    """

    span: Span
    grid: int
    witness: bool = True
    reached: int = field(init=False)
    done: bool = field(init=False)
    aged: int = field(default=0, init=False)
    gained: bool = field(default=False, init=False)
    _length: int = field(init=False)
    _usual: int = field(default=0, init=False)
    _rows: float = field(default=0.0, init=False)
    _time: float = field(default=0.0, init=False)
    _known: dict[str, int] = field(default_factory=dict, init=False)
    _oldest_first: bool = field(default=False, init=False)
    _climbed: list[Span] = field(default_factory=list, init=False)  # read whole already, in order

    def __post_init__(self) -> None:
        self.reached = self.span.end
        self.done = not self.span.length
        self._length = self.span.length

    @property
    def part(self) -> Span:
        """The part that is asked for now."""
        unit = max(self.grid, next((unit for unit in (MINUTE, SECOND) if self._length >= unit), 1))
        start = floor(self.reached - max(1, self._length), unit)
        read = self._climbed[-1].end if self._climbed else self.span.start
        return Span(max(self.span.start, start, read), self.reached)

    def query(self) -> PageRequest:
        """The part below what is covered."""
        return PageRequest(self.part)

    def receive(self, seen: PageSeen) -> Anomaly | None:
        """Cover the part or its lower end, or make it smaller."""
        part = self.part
        self.gained = False
        if seen.outside(part):
            return Anomaly.FILTER
        if not seen.ends:
            if self._in_order(seen) and (newest := floor(seen.rows[-1][1], self.grid)) > part.start:
                return self._climb(part, Span(part.start, newest), seen)
            return self._go_closer(part, seen)
        if self._lacks_witness(part, seen):
            return Anomaly.WITNESS
        self._recall(part, len(seen.rows))
        self.skip_to(part.start)
        return None

    def skip_to(self, reached: int) -> None:
        """Go on below an instant; what lies above is covered, or somebody else's."""
        while self._climbed and self._climbed[-1].end >= reached:
            reached = min(reached, max(self.span.start, self._climbed.pop().start))
        self.reached = reached
        self._length = self._usual or self._length
        self._known = {key: at for key, at in self._known.items() if at < reached}
        self.done = reached <= self.span.start

    def stop_at(self, start: int) -> None:
        """Leave what lies below an instant to somebody else."""
        self.span = Span(max(start, self.span.start), self.span.end)
        self.done = self.reached <= self.span.start

    def _in_order(self, seen: PageSeen) -> bool:
        """Whether a page is full and oldest first, and that is no chance."""
        instants = [instant for _, instant in seen.rows]
        proven = self._oldest_first or len(set(instants)) > _RISES
        rising = all(below <= above for below, above in pairwise(instants))
        self._oldest_first = proven and rising and seen.count >= PAGE_ROWS and bool(instants)
        return self._oldest_first

    def _climb(self, part: Span, below: Span, seen: PageSeen) -> Anomaly | None:
        """Go on above what a page in order covers; in a shorter part, if this one is too long."""
        if self._lacks_witness(below, seen):
            return Anomaly.WITNESS
        if self.witness:
            self._known.update(seen.rows)
        rows = sum(instant in below for _, instant in seen.rows)
        goes_on = bool(self._climbed) and self._climbed[-1].end == below.start
        wanted = below.length * _WANTED_ROWS_IN_ORDER // max(1, rows)
        if not goes_on and part.length > _GROWTH * wanted:
            self._length = max(self.grid, wanted)
            return None
        self._climbed.append(Span(self._climbed.pop().start, below.end) if goes_on else below)
        self._recall(below, rows)
        self.gained = True
        return None

    def _go_closer(self, part: Span, seen: PageSeen) -> Anomaly | None:
        if part.length <= self.grid:
            return Anomaly.TIE
        if self.witness:
            self._known.update(seen.rows)
        self._length = self._shorter(part, seen)
        return None

    def _recall(self, part: Span, rows: int) -> None:
        """How long the next part should be, by what this one and those before it held."""
        self._rows = self._rows * _FADES + rows
        self._time = self._time * _FADES + part.length
        most = _WANTED_ROWS_IN_ORDER if self._oldest_first else _WANTED_ROWS
        wanted = int(self._time * most / max(1.0, self._rows))
        longest = wanted if self._oldest_first else part.length * _GROWTH
        self._usual = max(self.grid, min(wanted, longest))

    def _lacks_witness(self, part: Span, seen: PageSeen) -> bool:
        due = Span(max(part.start, self.aged), part.end)
        return any(at in due for key, at in self._known.items() if key not in seen.keys)

    def _shorter(self, part: Span, seen: PageSeen) -> int:
        """Half the part, or less if half the rows seen lie closer to its end."""
        instants = sorted(instant for _, instant in seen.rows)
        half = part.start + part.length // 2
        if not instants:
            return part.end - half
        above = floor(instants[len(instants) // 2], self.grid) + self.grid
        return max(self.grid, part.end - max(half, above))
