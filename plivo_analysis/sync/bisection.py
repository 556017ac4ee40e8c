"""Bisection: parts of a range so short that each fits one page, whatever order the server keeps.

A part is complete when its page is short and names no next one. Rows known from a page that was
too full must come back in the parts that they lie in. How long the next part is follows from how
dense the rows were, so that a part seldom has to be asked for twice. Parts begin on a whole
minute or second wherever they are that long: such a bound means the same to a server of coarser
resolution.

More rows in one step of the resolution than a page holds are ties: no bound parts them, so that
offsets or the server's cursor are the last resort. Each page of a pass begins with the last row
of the page before; two passes have to agree row by row. What is not proven so is no answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from plivo_analysis.sync.page import Anomaly, PageRequest
from plivo_analysis.values.spans import DAY, MINUTE, SECOND, Span, ceil, floor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plivo_analysis.sync.page import PageLength, PageSeen

_WANTED = 0.6  # of a full page: denser parts are asked for again in two, sparser ones cost requests
_GROWTH = 4
_FADES = 0.7  # what a part still tells of the density after the next one
_PASSES = 3


@dataclass(slots=True)
class Bisection:
    """Read a range in parts from its end to its start.

    Args:
        span: The range.
        reached: What lies above this instant is covered; at first the end of the first request.
        resolution: How fine the server's bounds are taken to be, in microseconds.
        stable: Whether rows stay in the listing while it is read.
        confirm_empty: Whether a long part without rows is asked for twice.
        longest: How long a range the server lists at most, in microseconds.
        length: How long the next part is to be.
        usual: How long a part may be by what the last ones held.
        rows: How many rows the last parts held, the older ones counting less.
        time: How long they were, weighted likewise.
        known: Rows below ``reached`` that have to come back, by key.
        was_empty: Whether the part has been empty once.
        probe: Asks what follows a page whose length proves nothing.

    Attributes:
        done: Whether there is nothing left to ask.
    """

    span: Span
    reached: int
    resolution: int
    stable: bool = True
    confirm_empty: bool = True
    longest: int | None = None
    length: int = 0
    usual: int = 0
    rows: float = 0.0
    time: float = 0.0
    known: dict[str, int] = field(default_factory=dict)
    was_empty: bool = False
    probe: PageRequest | None = None

    def __post_init__(self) -> None:
        self.length = self.length or self.reached - self.span.start

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Self:
        """The state that ``dataclasses.asdict`` took apart."""
        probe = plain["probe"]
        return cls(
            **{
                **plain,
                "span": Span(**plain["span"]),
                "probe": None if probe is None else PageRequest.from_dict(probe),
            }
        )

    @property
    def done(self) -> bool:
        """Whether there is nothing left to ask."""
        return self.reached <= self.span.start

    @property
    def part(self) -> Span:
        """The part that is read now."""
        length = self.length
        if self.longest is not None:
            length = min(length, self.longest - 3 * max(MINUTE, self.resolution))
        unit = max(self.resolution, next((u for u in (MINUTE, SECOND) if length >= u), 1))
        start = floor(self.reached - max(1, length), unit)
        return Span(max(self.span.start, start), self.reached)

    @property
    def asked(self) -> Span:
        """The bounds of the next page: one step early, where ``gte`` may mean ``gt``."""
        start = floor(self.part.start, self.resolution) - self.resolution
        return Span(start, ceil(self.reached, self.resolution))

    def request(self) -> PageRequest:
        """The part below what is covered, or what follows its page."""
        return self.probe or PageRequest(self.asked)

    def receive(self, seen: PageSeen, length: PageLength, aged: int) -> Anomaly | None:
        """Cover the part, or make it shorter.

        Args:
            seen: The page.
            length: What is known of the length of pages.
            aged: Rows before this instant may vanish at the edge of retention.
        """
        part = self.part
        if seen.outside(self.asked):
            return Anomaly.BOUNDS
        probe, self.probe = self.probe, None
        if probe is not None:
            if not seen.count and not seen.has_next:
                self.skip_to(part.start)
                return None
            if not seen.keys <= self.known.keys():
                length.see_full(probe.offset)
            return self._shorten(part, seen, length)
        inside = {key: at for key, at in seen.rows if at in part}
        if length.is_full(seen.count) or seen.has_next:
            return self._shorten(part, seen, length)
        due = Span(max(part.start, aged), part.end)
        if any(at in due and key not in inside for key, at in self.known.items()):
            return Anomaly.OVERLAP
        self._count(part, len(inside), length)
        if not seen.count and self.confirm_empty and part.length > DAY and not self.was_empty:
            self.was_empty = True
        elif not seen.count or length.is_short(seen.count):
            self.skip_to(part.start)
        else:
            self.expect(dict(seen.rows))
            self.probe = PageRequest(self.asked, offset=seen.count)
        return None

    def skip_to(self, reached: int) -> None:
        """Go on below an instant; what lies above is covered, or read by somebody else."""
        self.reached = reached
        self.length = max(self.usual, self.resolution) if self.usual else self.length
        self.known = {key: at for key, at in self.known.items() if at < reached}
        self.was_empty = False
        self.probe = None

    def stop_at(self, start: int) -> None:
        """Leave what lies below an instant to somebody else."""
        self.span = Span(max(start, self.span.start), self.span.end)

    def expect(self, rows: Mapping[str, int]) -> None:
        """Take these rows for some that have to come back."""
        if self.stable:
            self.known |= {key: at for key, at in rows.items() if at < self.reached}

    def _shorten(self, part: Span, seen: PageSeen, length: PageLength) -> Anomaly | None:
        """Half the part, or less if half the rows seen lie closer to its end."""
        if part.length <= self.resolution:
            self.usual //= _GROWTH  # more ties may be near
            return Anomaly.TIE
        self.expect(dict(seen.rows))
        half = part.start + part.length // 2
        instants = sorted(instant for _, instant in seen.rows if instant in part)
        if instants:
            median = instants[len(instants) // 2]
            half = max(half, floor(median, self.resolution) + self.resolution)
        self.length = max(self.resolution, part.end - half)
        return None

    def _count(self, part: Span, rows: int, length: PageLength) -> None:
        """How long the next part should be, by what this one and those before it held."""
        self.rows = self.rows * _FADES + rows
        self.time = self.time * _FADES + part.length
        wanted = int(self.time * _WANTED * length.full / max(1.0, self.rows))
        self.usual = max(self.resolution, min(wanted, part.length * _GROWTH))


@dataclass(slots=True)
class Ties:
    """Read one step of the resolution by repeated passes.

    Args:
        span: The step.
        asked: The bounds to ask with.
        newest_first: Whether a row below the step proves that the step has been passed.
        listed: The keys of this pass, in order.
        before: Those of the pass before.
        cursor: Where the server says that the next page is.
        at_end: Whether a page brought nothing new and yet named a next one.
        passes: How many passes have ended.

    Attributes:
        done: Whether two passes agree.
    """

    span: Span
    asked: Span
    newest_first: bool
    listed: list[str] = field(default_factory=list)
    before: list[str] | None = None
    cursor: str | None = None
    at_end: bool = False
    passes: int = 0
    done: bool = False

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> Self:
        """The state that ``dataclasses.asdict`` took apart."""
        return cls(**{**plain, "span": Span(**plain["span"]), "asked": Span(**plain["asked"])})

    def request(self) -> PageRequest:
        """The next page of this pass: from its last row on, so that a gap would show."""
        if self.cursor is not None:
            return PageRequest(self.asked, cursor=self.cursor)
        return PageRequest(self.asked, offset=max(0, len(self.listed) - (not self.at_end)))

    def receive(self, seen: PageSeen, length: PageLength) -> Anomaly | None:
        """Go on with the pass, or end it."""
        if seen.outside(self.asked):
            return Anomaly.BOUNDS
        keys = [key for key, _ in seen.rows]
        if self.at_end:
            return Anomaly.STUCK if seen.count else self._end_pass()
        if self.listed and self.cursor is None:
            if keys[:1] != self.listed[-1:]:
                return Anomaly.STUCK  # offsets end here, skip a row, or rows change places
            keys = keys[1:]
        short = not length.is_full(seen.count)
        self.at_end = short and not keys and seen.has_next
        if not set(keys).isdisjoint(self.listed) or not (keys or short):
            return Anomaly.STUCK  # neither offset nor cursor moves it on
        self.listed += keys
        self.cursor = None if self.at_end else seen.next_cursor
        passed = self.newest_first and any(at < self.span.start for _, at in seen.rows)
        if passed or (short and not seen.has_next):
            return self._end_pass()
        return None

    def _end_pass(self) -> Anomaly | None:
        self.passes += 1
        self.done = self.listed == self.before
        self.before, self.listed, self.cursor, self.at_end = self.listed, [], None, False
        return Anomaly.STUCK if self.passes >= _PASSES and not self.done else None
