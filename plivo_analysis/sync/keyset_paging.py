"""Keyset paging: newest first, each page asked for by the oldest instant seen so far.

The rows at that instant must come back with the next page: the overlap proves that the two
pages meet. Whatever a page claims beyond that is checked by one more request, before it is
believed:

==================  =====================================  ==================================
the page claims     the request                            the claim stands if
==================  =====================================  ==================================
to be the end       up to its newest row, from its last    nothing but that row comes
newest first        what lies above its oldest row         nothing else comes
to name a next one  the same                               the same page comes
that a row is gone  what the page before held              all its other rows come
==================  =====================================  ==================================

Requests begin a minute before the range, and the first one ends a minute after it; rows out
there are cut off here. So a server that takes ``gte`` for ``gt`` loses no row. (A minute later on
every page would read the same rows again and again on a server of minute precision.)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from plivo_analysis.sync.page_request import Anomaly, Listing, PageRequest
from plivo_analysis.values.spans import MINUTE, Span, ceil, floor

if TYPE_CHECKING:
    from plivo_analysis.sync.page_request import PageSeen

_REPEATS = 8
# Rows at six instants or more prove the order: 20 rows in random order, 15 of them ties, stand
# newest first on one page in 20! / 15! = 1.8 million, and with more instants on fewer.
_FALLS = 5


@dataclass(slots=True)
class Claim:
    """What a page claims and one more request has to show.

    Args:
        kind: ``end``, ``order``, ``next`` or ``gone``.
        request: Shows it.
        rows: The rows of the page, by key.
        reached: How far down the page leads.
    """

    kind: str
    request: PageRequest
    rows: dict[str, int]
    reached: int


@dataclass(slots=True)
class KeysetPaging:
    """Go down a range page by page.

    Where rows do not stay in the listing, the overlap is checked only where it can tell a coarser
    resolution.

    Args:
        listing: What is read.
        reached: What lies above this instant is covered; at first the end of the first request.
        known: The rows of the page before, by key; the oldest have to come back.
        repeated: What the same request brought the last time, if it is repeated.
        repeats: How often a request was repeated.
        claim: What has to be shown before the next page.
        newest_first: Whether a page has proven the order.
    """

    listing: Listing
    reached: int
    known: dict[str, int] = field(default_factory=dict)
    repeated: frozenset[str] | None = None
    repeats: int = 0
    claim: Claim | None = None
    newest_first: bool = False

    @property
    def is_checking(self) -> bool:
        """Whether the next page has to show that a row is gone."""
        return self.claim is not None and self.claim.kind == "gone"

    @property
    def asked(self) -> Span:
        """The bounds of the next page: all that is left, or as much as the server lists."""
        listing = self.listing
        end = ceil(self.reached, listing.resolution)
        start = floor(listing.span.start - MINUTE, listing.resolution)
        if listing.longest_range is not None:
            start = max(start, ceil(end - listing.longest_range, listing.resolution))
        return Span(start, end)

    def request(self) -> PageRequest:
        """The next page, or a request about the page before."""
        return PageRequest(self.asked) if self.claim is None else self.claim.request

    def receive(self, seen: PageSeen) -> Anomaly | None:
        """Move to the oldest row of the page, or end."""
        if self.claim is not None:
            return self._check(self.claim, seen)
        # Before all else: rows out of order say nothing of where the page ends.
        if any(later > earlier for (_, earlier), (_, later) in pairwise(seen.rows)):
            return Anomaly.ORDER
        return self._take(seen)

    def _take(self, seen: PageSeen) -> Anomaly | None:
        """Go below a page within the bounds and in order, unless something speaks against it."""
        listing = self.listing
        is_full = listing.is_full(seen.count)
        may_have_holes = not is_full and seen.has_next
        if may_have_holes and seen.keys != self.repeated:
            # "Nothing new on a short page" proves nothing while a next one is named: such a page
            # counts only when the same request brings the same page twice.
            if self.repeated is not None:
                listing.alike = []
            self._repeat(seen)
            return None
        oldest = min((instant for _, instant in seen.rows), default=self.reached)
        # One step above the oldest instant: its rows come back with the next page.
        reached = min(self.reached, listing.bound_above(oldest))
        if is_full and reached == self.reached:
            # A full page within one step: the next request would be this one again.
            # Before the overlap: of more ties than a page holds, any may have come back.
            return Anomaly.TIE if seen.rows else Anomaly.STUCK
        # Rows that age out of retention between two pages are missing rightly.
        if self.reached > listing.aged and self._lacking(seen):
            return Anomaly.OVERLAP
        if not seen.has_next and not is_full:
            self._end(seen, reached)
            return None
        if reached == self.reached:
            # Nothing new, and yet a next page is named: to believe that this is the end would
            # lose what a server left out of a page that it cut short.
            self._repeat(seen)
            return None
        if may_have_holes:
            listing.see_named_next(seen.count)
        self._go_below(dict(seen.rows), reached)
        return None

    def skip_to(self, reached: int) -> None:
        """Go on below an instant; what lies above is covered, or read by somebody else."""
        self.reached = reached
        self.known = {}
        self.repeated = self.claim = None
        self.repeats = 0

    def expect(self, rows: dict[str, int]) -> None:
        """Take these rows for those of the page before."""
        # Rows that leave by themselves prove nothing, but for this: bounds that a server cuts to
        # the second or the minute lose a page's oldest rows every time.
        self.known = rows if self.listing.stable or self.listing.resolution < MINUTE else {}

    def check_bounds(self) -> None:
        """Ask for the page before once more: is one row gone, or does the server cut bounds?

        Within bounds that include all its rows even where the server cuts them to the minute.
        """
        newest = max(self.known.values())
        start, end = self.reached - self.listing.resolution, self.listing.bound_above(newest)
        self.claim = Claim("gone", PageRequest(Span(start, end)), self.known, self.reached)

    def _lacking(self, seen: PageSeen) -> set[str]:
        """The rows at the oldest instant of the page before that did not come back."""
        # Only these: the next request ends one step above them, so that of the page before no
        # other row must come again.
        oldest = min(self.known.values(), default=0)
        return {key for key, at in self.known.items() if at == oldest} - seen.keys

    def _end(self, seen: PageSeen, reached: int) -> None:
        """Take a page that names no next one for the end, if that is proven."""
        if not seen.count or self.listing.is_short(seen.count):
            self._skip_below_asked()
        else:
            # Up to the newest row and from the last one on: so a server that cuts the upper bound
            # shows, too, which no overlap can show where there is but one page.
            newest = max((at for _, at in seen.rows), default=self.reached)
            end = min(self.asked.end, self.listing.bound_above(newest))
            request = PageRequest(Span(self.asked.start, end), offset=max(0, len(seen.rows) - 1))
            self.claim = Claim("end", request, dict(seen.rows), reached)
            self.repeated = None

    def _skip_below_asked(self) -> None:
        """Nothing more was listed in what was asked for."""
        # A range that the server bounds is read in several: the last minute above its start is
        # asked for again, since ``gte`` may mean ``gt`` there.
        start = self.asked.start
        bottom = self.listing.span.start
        self.skip_to(bottom if start < bottom else start + MINUTE)

    def _repeat(self, seen: PageSeen) -> None:
        """Ask the same once more, or after many times for what the page says is next."""
        self.repeated = seen.keys
        self.repeats += 1
        if self.repeats >= _REPEATS:
            request = PageRequest(self.asked, offset=seen.count, cursor=seen.next_cursor)
            self.claim = Claim("next", request, dict(seen.rows), self.reached)

    def _go_below(self, rows: dict[str, int], reached: int) -> None:
        """Move below what a page covers, if it is certain that the page covers it.

        Rows of one instant fit any order, and so may a few rows by chance.
        """
        falls = len(set(rows.values())) - 1
        self.newest_first = self.newest_first or falls >= _FALLS
        if self.newest_first:
            self._move(rows, reached)
        else:
            above = PageRequest(Span(reached, ceil(self.reached, self.listing.resolution)))
            self.claim = Claim("order", above, rows, reached)
            self.repeated = None

    def _move(self, rows: dict[str, int], reached: int) -> None:
        self.skip_to(reached)
        self.expect(rows)

    def _check(self, claim: Claim, seen: PageSeen) -> Anomaly | None:
        """Take the answer to a request that has to show a claim."""
        is_full = self.listing.is_full(seen.count)
        may_have_holes = seen.has_next and not is_full
        if claim.kind in ("end", "order") and may_have_holes and seen.keys != self.repeated:
            # As any page that is short and names a next one: it counts when it comes twice.
            self.repeated = seen.keys
            return None
        self.claim = None
        if claim.kind == "order":
            # What lies above the oldest row of a page must be of that page.
            if is_full or not seen.keys <= claim.rows.keys():
                return Anomaly.ORDER
            self._move(claim.rows, claim.reached)
        elif claim.kind == "next":
            # What follows the page that came again and again must be nothing. Anything else would
            # be rows that this method can never reach.
            if seen.count or seen.has_next or self.repeated is None:
                return Anomaly.STUCK
            self._skip_below_asked()
        elif claim.kind == "gone":
            # A row that was deleted leaves all others there. Where bounds are cut, others of the
            # page are missing as well.
            if self._lacking(seen) != claim.rows.keys() - seen.keys or not seen.rows:
                return Anomaly.BOUNDS
            self.known = {}
        else:
            return self._check_end(claim, seen)
        return None

    def _check_end(self, claim: Claim, seen: PageSeen) -> Anomaly | None:
        """Nothing but the last row of the page may come."""
        new = seen.keys - claim.rows.keys()
        # The request began with the last row of the page, so that not even that one came back: as
        # where the overlap of two pages lacks a row.
        aged, stays = self.listing.aged, self.listing.stable or self.listing.resolution < MINUTE
        if not seen.count and stays and min(claim.rows.values(), default=aged) > aged:
            return Anomaly.OVERLAP
        if not new and len(seen.rows) <= 1 and not seen.has_next:
            self._skip_below_asked()
        elif new:
            # The page was cut though it named no next one: so many rows does a page hold.
            self.listing.see_full(claim.request.offset + 1)
            # All rows of the page lie within one step: to go below it would lose the new ones.
            if claim.reached == self.reached:
                return Anomaly.TIE
            self._go_below(claim.rows, claim.reached)
        elif claim.reached < self.reached:
            # The server ignores offsets. The next page down shows what there is.
            self._go_below(claim.rows, claim.reached)
        else:
            self._skip_below_asked()  # no bound and no offset parts these rows from others
        return None
