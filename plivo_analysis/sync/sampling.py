"""Which page of a listing to read next, when not all of them can be: order, counting, checks.

The listing of a closed range is a list of N rows, newest first, and ``offset=k, limit=20`` is a
page of it. A :class:`Sampling` says which offset to ask for and takes what came; it sends
nothing, and knows nothing of what rows say, so that it can be tried against imagined servers.

1. The first page, and the one from its middle on: if that one does not begin with the first
   one's second half, offsets are not what they seem.
2. How many rows there are: gallop from a guess until a page is empty, then bisect, on whole
   pages, so that each of these requests reads a page of the sample too.
3. Whether anything is older than the last row: a list that is capped in silence ends too early.
   And before all that, where the last day has no row, whether its upper bound was kept to.

Then its pages may be read, in the order of :func:`spread`.

Nothing is kept but the pages: fed to a new ``Sampling`` in the order they came, they lead to the
same state, so that a process killed at any moment repeats one request at most.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import count
from typing import TYPE_CHECKING

from plivo_analysis.sync.page_request import PAGE_ROWS, PageRequest
from plivo_analysis.values.spans import DAY, MINUTE, Span, ceil, floor

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plivo_analysis.sync.page_request import PageSeen

_DIGITS = 28  # of a place in the order: more than any list has pages
_MOST_SHIFTED = 4  # rows that may come again on the next page, where others came in above


class NotAListError(Exception):
    """A server's pages do not behave like those of one list; the message says how."""


def spread(key: bytes, pages: int) -> Iterator[int]:
    """All pages of a list, each once, so that every beginning is spread over the whole list.

    The k-th place is the binary digits of k, reversed, behind a point: halves, then quarters,
    and so on (van der Corput). Each digit is flipped or not by a hash of those before it (Owen
    1995). Unflipped, the places keep step with a rhythm of the traffic, such as its days, and
    see the same hour again and again.

    Args:
        key: Another key gives another order.
        pages: How many there are.

    Example:
        >>> sorted(spread(b"account and range", 6))
        [0, 1, 2, 3, 4, 5]
        >>> first = list(spread(b"account and range", 64))[:8]
        >>> sorted(page // 8 for page in first)
        [0, 1, 2, 3, 4, 5, 6, 7]
    """
    met: set[int] = set()
    for place in count():
        if len(met) == pages:
            return
        digits, scrambled = 1, 0  # the leading 1 tells "0" from "00"
        for position in range(_DIGITS):
            digit = place >> position & 1
            flip = blake2b(digits.to_bytes(8, "big"), key=key[:64], digest_size=1).digest()[0] & 1
            scrambled = scrambled << 1 | digit ^ flip
            digits = digits << 1 | digit
        page = scrambled * pages >> _DIGITS
        if page not in met:
            met.add(page)
            yield page


@dataclass(slots=True)
class Sampling:
    """The pages of one listing that are read, and which to read next.

    Args:
        span: The range that is listed, on whole minutes; the server must keep to it.
        pages: What each page held, by its position from 0.
        rows_low: So many rows there are at least.
        rows_high: So many at most; None while that is unknown.

    Example:
        >>> Sampling(Span(0, MINUTE)).request()
        PageRequest(span=Span(start=0, end=60000000), offset=0, cursor=None)
    """

    span: Span
    pages: dict[int, PageSeen] = field(default_factory=dict)
    rows_low: int = 0
    rows_high: int | None = None
    _middle: PageSeen | None = None
    _top_checked: bool = False
    _end_checked: bool = False
    _positions: list[int] = field(default_factory=list)  # of the pages, in order

    @property
    def is_counted(self) -> bool:
        """Whether it is known how many rows there are."""
        return self.rows_low == self.rows_high

    @property
    def of_pages(self) -> int:
        """How many pages there are, or are known to be while rows are counted."""
        return -(-self.rows_low // PAGE_ROWS)

    @property
    def is_ready(self) -> bool:
        """Whether the rows are counted and the list ends where it says."""
        return self.request() is None

    def request(self) -> PageRequest | None:
        """What to ask for before any page may be; None once the list is known."""
        if 0 not in self.pages:
            return PageRequest(self.span)
        top = self._top()
        if not self._top_checked and top is not None:
            return PageRequest(top)
        if not self.is_counted:
            if self._middle is None:
                return PageRequest(self.span, PAGE_ROWS // 2)
            return self.page(self._next_to_count())
        end = self._end()
        return None if self._end_checked or end is None else PageRequest(end)

    def page(self, position: int) -> PageRequest:
        """The request for one page."""
        return PageRequest(self.span, PAGE_ROWS * position)

    def receive(self, request: PageRequest, seen: PageSeen) -> None:
        """Take what came back.

        Raises:
            NotAListError: The pages are not those of one list, newest first.
        """
        instants = [instant for _, instant in seen.rows]
        if seen.outside(request.span) or seen.count > PAGE_ROWS:
            raise NotAListError("rows were listed that were not asked for")
        if seen.count and not seen.rows:
            raise NotAListError("no row of a page can be read")
        if instants != sorted(instants, reverse=True):
            raise NotAListError("rows are not listed newest first")
        if seen.count < PAGE_ROWS and seen.has_next:
            raise NotAListError("a page is short although it names a next one")
        if request.span.end > self.span.end:
            full_of_later = seen.count == PAGE_ROWS and instants[-1] >= self.span.end
            if full_of_later or any(instant < self.span.end for instant in instants):
                raise NotAListError("the upper bound is cut to the day")
            self._top_checked = True
        elif request.span != self.span:
            if seen.count:
                raise NotAListError("the list ends before its oldest row")
            self._end_checked = True
        elif request.offset % PAGE_ROWS:
            self._check_middle(seen)
        else:
            self._take(request.offset // PAGE_ROWS, seen)

    def _check_middle(self, seen: PageSeen) -> None:
        half = PAGE_ROWS // 2
        expected = [key for key, _ in self.pages[0].rows[half:]]
        # A late row or two may have come in above, or one have left.
        begun = [key for key, _ in seen.rows[:half]]
        if len(set(expected) - set(begun)) > _MOST_SHIFTED or len(begun) < half:
            raise NotAListError("an offset does not lead to that row of the list")
        self._middle = seen

    def _take(self, position: int, seen: PageSeen) -> None:
        """A page of the sample; what it says of the number of rows, and whether it fits in."""
        first_row = position * PAGE_ROWS
        if not self.is_counted:
            if seen.count:
                self.rows_low = max(self.rows_low, first_row + seen.count)
            if seen.count < PAGE_ROWS:
                end = first_row + seen.count
                self.rows_high = end if self.rows_high is None else min(self.rows_high, end)
            if self.rows_high is not None and self.rows_high < self.rows_low:
                raise NotAListError("the list ends before rows that it listed")
        if seen.count:
            self._check_place(position, seen)
            if position not in self.pages:
                insort(self._positions, position)
            self.pages[position] = seen
        elif self.is_counted and first_row < self.rows_low:
            raise NotAListError("a page in the middle of the list is empty")
        else:
            self.pages.setdefault(0, seen)  # a list without rows

    def _check_place(self, position: int, seen: PageSeen) -> None:
        """A page lies in time between the read ones around it, and repeats none of them."""
        for other, page in self._neighbours(position):
            newer, older = (page, seen) if other < position else (seen, page)
            # Rows that came in above between two requests push a few onto the next page.
            shared = len(newer.keys & older.keys)
            if shared > _MOST_SHIFTED or (shared and abs(other - position) > 1):
                raise NotAListError("rows come again at another offset")
            bound = min(shared, len(newer.rows) - 1)
            if older.rows[0][1] > newer.rows[-1 - bound][1]:
                raise NotAListError("pages are not in the order of time")

    def _neighbours(self, position: int) -> list[tuple[int, PageSeen]]:
        place = bisect_left(self._positions, position)
        after = place + (position in self.pages)
        around = self._positions[max(place - 1, 0) : place] + self._positions[after : after + 1]
        return [(page, self.pages[page]) for page in around]

    def _next_to_count(self) -> int:
        """Gallop to a page that is empty, then halve what lies between."""
        full = self.rows_low // PAGE_ROWS  # the first page not known to hold rows
        if self.rows_high is None:
            rows = self.pages[0].rows
            passed = max(rows[0][1] - rows[-1][1], 1)
            guess = len(rows) * self.span.length // passed // PAGE_ROWS
            furthest = max(self.pages)
            return max(2 * furthest, guess, 1) if furthest else max(guess, 1)
        return (full + -(-self.rows_high // PAGE_ROWS)) // 2

    def _top(self) -> Span | None:
        """Where nothing of the range may be: above the newest row, if that is not of its last day.

        A server that cuts upper bounds to the day leaves out the last day, and shows it here.
        """
        rows = self.pages[0].rows
        day = floor(self.span.end - 1, DAY)
        return Span(ceil(rows[0][1] + 1, MINUTE), day + DAY) if rows and rows[0][1] < day else None

    def _end(self) -> Span | None:
        """Where nothing may be: below the minute of the last row. None if there is no such."""
        last = self.pages.get(self.of_pages - 1)
        oldest = last.rows[-1][1] if last is not None and last.rows else self.span.start
        end = Span(self.span.start, floor(oldest, MINUTE))
        return end if end.length else None

    def proven(self, position: int) -> Span:
        """The whole minutes that a page proves to be complete; it may be empty.

        Those strictly between its newest and its oldest row, since others may share these
        instants with rows of the next page; up to the list's end on the first and last page.
        """
        rows = self.pages[position].rows
        last = self.is_ready and position == self.of_pages - 1
        start = self.span.start if last else ceil(rows[-1][1] + 1, MINUTE)
        end = floor(rows[0][1], MINUTE) if position else self.span.end
        return Span(start, end)
