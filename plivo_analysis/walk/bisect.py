"""Bisect: parts so small that each fits one page, whatever order the server keeps.

A part is complete when its page is short and names no next one. Rows known from a page that
was too full are the witnesses of its parts. The length of a part follows the density of the
rows, so that a part seldom has to be asked for twice. Parts begin on a whole minute or second
wherever they are that long: such a bound means the same to a server of coarser precision.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from plivo_analysis.spans import MINUTE, SECOND, Span, floor
from plivo_analysis.walk.steps import Doubt, Query, Seen

_WANTED_ROWS = 12
_GROWTH = 4
_FADES = 0.7  # what a part still tells of the density after the next one


@dataclass(slots=True)
class Bisect:
    """Read a range in parts from its end to its start.

    Args:
        span: The range.
        grid: How fine the server's bounds are taken to be, in microseconds.
        witness: Whether rows may be trusted to stay in the listing while it is read.

    Attributes:
        reached: What lies above this instant is covered.
        done: Whether there is nothing left to ask.
        aged: Rows before this instant may vanish at the edge of retention.
    """

    span: Span
    grid: int
    witness: bool = True
    reached: int = field(init=False)
    done: bool = field(init=False)
    aged: int = field(default=0, init=False)
    _length: int = field(init=False)
    _usual: int = field(default=0, init=False)
    _rows: float = field(default=0.0, init=False)
    _time: float = field(default=0.0, init=False)
    _known: dict[str, int] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self.reached = self.span.end
        self.done = not self.span.length
        self._length = self.span.length

    @property
    def part(self) -> Span:
        """The part that is asked for now."""
        unit = max(self.grid, next((unit for unit in (MINUTE, SECOND) if self._length >= unit), 1))
        start = floor(self.reached - max(1, self._length), unit)
        return Span(max(self.span.start, start), self.reached)

    def query(self) -> Query:
        """The part below what is covered."""
        return Query(self.part)

    def receive(self, seen: Seen) -> Doubt | None:
        """Cover the part, or make it smaller."""
        part = self.part
        if seen.outside(part):
            return Doubt.FILTER
        if not seen.ends:
            if part.length <= self.grid:
                return Doubt.TIE
            if self.witness:
                self._known.update(seen.rows)
            self._length = self._shorter(part, seen)
            return None
        if self._lacks_witness(part, seen):
            return Doubt.WITNESS
        self._recall(part, len(seen.rows))
        self.skip_to(part.start)
        return None

    def skip_to(self, reached: int) -> None:
        """Go on below an instant; what lies above is covered, or somebody else's."""
        self.reached = reached
        self._length = self._usual or self._length
        self._known = {key: at for key, at in self._known.items() if at < reached}
        self.done = reached <= self.span.start

    def stop_at(self, start: int) -> None:
        """Leave what lies below an instant to somebody else."""
        self.span = Span(max(start, self.span.start), self.span.end)
        self.done = self.reached <= self.span.start

    def _recall(self, part: Span, rows: int) -> None:
        """How long the next part should be, by what this one and those before it held."""
        self._rows = self._rows * _FADES + rows
        self._time = self._time * _FADES + part.length
        wanted = int(self._time * _WANTED_ROWS / max(1.0, self._rows))
        self._usual = max(self.grid, min(wanted, part.length * _GROWTH))

    def _lacks_witness(self, part: Span, seen: Seen) -> bool:
        due = Span(max(part.start, self.aged), part.end)
        return any(at in due for key, at in self._known.items() if key not in seen.keys)

    def _shorter(self, part: Span, seen: Seen) -> int:
        """Half the part, or less if half the rows seen lie closer to its end."""
        instants = sorted(instant for _, instant in seen.rows)
        half = part.start + part.length // 2
        if not instants:
            return part.end - half
        above = floor(instants[len(instants) // 2], self.grid) + self.grid
        return max(self.grid, part.end - max(half, above))
