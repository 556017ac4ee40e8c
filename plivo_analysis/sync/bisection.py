"""Bisection: parts of a range so short that each fits one page, whatever order the server keeps.

A part is complete when its page is short and names no next one. Rows known from a page that was
too full must come back in the parts that they lie in. How long the next part is follows from how
dense the rows were, so that a part seldom has to be asked for twice. Parts begin on a whole
minute or second wherever they are that long: such a bound means the same to a server of coarser
resolution.

More rows in one step of the resolution than a page holds are ties: no bound parts them, so that
offsets or the server's cursor are the last resort. What they do not prove is no answer.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from plivo_analysis.sync.page_request import PAGE_ROWS, Anomaly, Listing, PageRequest
from plivo_analysis.values.spans import MINUTE, SECOND, Span, ceil, floor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plivo_analysis.sync.page_request import PageSeen

_WANTED = 0.6  # of a full page: denser parts are asked for again in two, sparser ones cost requests
_GROWTH = 4
_FADES = 0.7  # what a part still tells of the density after the next one
_QUIET_PASSES = 6
_ASTRAY = 3 * PAGE_ROWS  # rows gone by beyond those known: pages repeat themselves


@dataclass(slots=True)
class Bisection:
    """Read a range in parts from its end to its start.

    Args:
        listing: What is read.
        reached: What lies above this instant is covered; at first the end of the first request.
        length: How long the next part is to be.
        usual: How long a part may be by what the last ones held.
        rows: How many rows the last parts held, the older ones counting less.
        time: How long they were, weighted likewise.
        known: Rows below ``reached`` that have to come back, by key.
        probe: Asks what follows a page whose length proves nothing.
    """

    listing: Listing
    reached: int
    length: int = 0
    usual: int = 0
    rows: float = 0.0
    time: float = 0.0
    known: dict[str, int] = field(default_factory=dict)
    probe: PageRequest | None = None

    def __post_init__(self) -> None:
        self.length = self.length or self.reached - self.listing.span.start

    @property
    def part(self) -> Span:
        """The part that is read now."""
        listing, length = self.listing, max(1, self.length)
        if listing.longest_range is not None:
            # What is asked for is longer: by a step below the part, and by rounding at both ends.
            length = min(length, listing.longest_range - 3 * max(MINUTE, listing.resolution))
        # Whole minutes or seconds, if it is that long: a server of coarser resolution would cut a
        # finer bound, and list rows that look like an anomaly.
        unit = max(listing.resolution, next((u for u in (MINUTE, SECOND) if length >= u), 1))
        return Span(max(listing.span.start, floor(self.reached - length, unit)), self.reached)

    @property
    def asked(self) -> Span:
        """The bounds of the next page: one step early, where ``gte`` may mean ``gt``."""
        step = self.listing.resolution
        return Span(floor(self.part.start, step) - step, ceil(self.reached, step))

    def request(self) -> PageRequest:
        """The part below what is covered, or what follows its page."""
        return self.probe or PageRequest(self.asked)

    def receive(self, seen: PageSeen) -> Anomaly | None:
        """Cover the part, or make it shorter."""
        listing, part = self.listing, self.part
        probe, self.probe = self.probe, None
        if probe is not None:
            # Nothing behind a page of unknown length: it held all. Else it was cut, or offsets
            # are ignored, and only a shorter part can tell.
            if not seen.count and not seen.has_next:
                self.skip_to(part.start)
                return None
            if not seen.keys <= self.known.keys():  # so many rows does a page hold
                listing.see_full(probe.offset)
            return self._shorten(part, seen)
        inside = {key: at for key, at in seen.rows if at in part}
        # A page that may have been cut proves nothing of what it left out: which rows those are
        # depends on the server's order, and bisection relies on none.
        if listing.is_full(seen.count) or seen.has_next:
            return self._shorten(part, seen)
        # Rows seen on a page that was too full for a longer part: where one of them is not listed
        # now, this part's list has a gap, and nothing says that it is the only one.
        due = Span(max(part.start, listing.aged), part.end)
        if any(at in due and key not in inside for key, at in self.known.items()):
            return Anomaly.OVERLAP
        self._count(part, len(inside))
        if not seen.count or listing.is_short(seen.count):
            self.skip_to(part.start)
        else:
            self.expect(dict(seen.rows))
            self.probe = PageRequest(self.asked, offset=seen.count)
        return None

    def skip_to(self, reached: int) -> None:
        """Go on below an instant; what lies above is covered, or read by somebody else."""
        self.reached = reached
        # Until a part was covered nothing is known of the density, and the length stays.
        self.length = max(self.usual, self.listing.resolution) if self.usual else self.length
        self.known = {key: at for key, at in self.known.items() if at < reached}
        self.probe = None

    def expect(self, rows: Mapping[str, int]) -> None:
        """Take these rows for some that have to come back."""
        if self.listing.stable:
            self.known |= {key: at for key, at in rows.items() if at < self.reached}

    def _shorten(self, part: Span, seen: PageSeen) -> Anomaly | None:
        """Half the part, or less if half the rows seen lie closer to its end."""
        if part.length <= self.listing.resolution:
            self.usual //= _GROWTH  # more ties may be near
            return Anomaly.TIE
        self.expect(dict(seen.rows))
        half = part.start + part.length // 2
        # Where half the rows lie close to the end, so does what fits a page: a part that is
        # halved only would be asked for again and again in a burst.
        instants = sorted(instant for _, instant in seen.rows if instant in part)
        if instants:
            median = instants[len(instants) // 2]
            half = max(half, self.listing.bound_above(median))
        self.length = max(self.listing.resolution, part.end - half)
        return None

    def _count(self, part: Span, rows: int) -> None:
        """How long the next part should be, by what this one and those before it held."""
        # A mean that fades: traffic follows the hours, so that the last parts tell most.
        self.rows = self.rows * _FADES + rows
        self.time = self.time * _FADES + part.length
        # The time in which there are _WANTED of a page's rows; after a quiet part, no more than
        # _GROWTH times as long as it, since a burst may follow.
        wanted = int(self.time * _WANTED * self.listing.full_page / max(1.0, self.rows))
        self.usual = max(self.listing.resolution, min(wanted, part.length * _GROWTH))


@dataclass(slots=True)
class Ties:
    """Read one step of the resolution by passes over its pages.

    Each page begins with the last row of the page before, so that the place at which a pass ends
    tells how many rows there are. The step is read whole when as many keys are known. A server
    that skips rows, ends early or lists rows at two places never comes to that number; where
    rows change places between requests, it takes several passes. Where only the server's cursor
    leads on, two passes have to list the same.

    Args:
        span: The step.
        asked: The bounds to ask with.
        newest_first: Whether rows below the step come after those of the step.
        stable: Whether rows stay in the listing while it is read. If not, a pass counts alone,
            and only if each of its pages begins with the row that it should.
        known: The keys of the step's rows.
        place: How many rows of the step this pass has gone by.
        listed: The keys of this pass.
        last: The key of the last row of the page before.
        meets: Whether each page of this pass began with the last row of the page before.
        before: The keys known at the end of the pass before; those it listed, if by a cursor.
        cursor: Where the server says that the next page is.
        by_cursor: Whether the cursor leads this pass.
        at_end: Whether a page brought nothing new and yet named a next one: nothing may follow it.
        passed: Whether the last page had a row below the step.
        below: Whether the next page has to show that nothing lies below the step.
        quiet: How many passes in a row brought nothing new.
        done: Whether the step is read whole.
    """

    span: Span
    asked: Span
    newest_first: bool
    stable: bool
    known: frozenset[str] = frozenset()
    place: int = 0
    listed: frozenset[str] = frozenset()
    last: str | None = None
    meets: bool = True
    before: frozenset[str] | None = None
    cursor: str | None = None
    by_cursor: bool = False
    at_end: bool = False
    passed: bool = False
    below: bool = False
    quiet: int = 0
    done: bool = False

    def request(self) -> PageRequest:
        """The next page of this pass."""
        if self.below:
            return PageRequest(Span(self.asked.start, self.span.start))
        if self.cursor is not None:
            return PageRequest(self.asked, cursor=self.cursor)
        return PageRequest(self.asked, offset=max(0, self.place - (not self.at_end)))

    def receive(self, seen: PageSeen, listing: Listing) -> Anomaly | None:
        """Go on with the pass, or end it."""
        request = self.request()
        if self.below:
            self.done = not seen.count
            return None if self.done else Anomaly.STUCK
        if self.at_end:
            return Anomaly.STUCK if seen.count or seen.has_next else self._end_pass()
        keys = [key for key, at in seen.rows if at in self.span or not self.newest_first]
        new = frozenset(keys) - self.known
        self.by_cursor = self.by_cursor or request.cursor is not None
        self.meets = self.meets and (self.last is None or keys[:1] == [self.last])
        self.last = keys[-1] if keys else self.last
        # Rows, not what the page counts: a row that is listed twice would move the place.
        self.place = request.offset + len(keys)
        self.known |= new
        self.listed |= set(keys)
        self.passed = len(keys) < len(seen.rows)
        is_short = not listing.is_full(seen.count)
        if not (new or is_short) and self.place >= len(self.known) + _ASTRAY:
            return Anomaly.STUCK  # neither offset nor cursor leads on
        self.at_end = is_short and seen.has_next and not new
        self.cursor = None if self.at_end else seen.next_cursor
        if self.passed or (is_short and not seen.has_next):
            return self._end_pass()
        return None

    def _end_pass(self) -> Anomaly | None:
        # More keys than places: this pass skipped rows that another listed, or ended early.
        goes_astray = self.stable and not self.by_cursor and len(self.known) > self.place
        if self.by_cursor:  # a cursor's pages have no place to count by
            is_whole = self.listed == self.before
        elif self.stable:
            is_whole = len(self.known) == self.place
        else:  # rows leave while they are listed, so that earlier passes prove nothing
            is_whole = self.meets and len(self.listed) == self.place
        self.quiet = self.quiet + 1 if self.before and self.known <= self.before else 0
        self.before = self.known if not self.by_cursor else self.listed
        self.place, self.listed, self.cursor, self.last = 0, frozenset(), None, None
        self.by_cursor, self.at_end, self.meets = False, False, True
        if is_whole:
            # A list that ended within the step was all there is only if nothing lies below; else
            # the server caps its lists, and rows of the step may be beyond the cap.
            self.below = self.newest_first and not self.passed
            self.done = not self.below
        elif goes_astray or self.quiet >= _QUIET_PASSES:
            return Anomaly.STUCK
        return None
