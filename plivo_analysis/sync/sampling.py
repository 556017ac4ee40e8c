"""Samples the pages of a listing: in which order they are read, how many there are, checks.

The listing of a closed range is a list of N rows, newest first, and ``offset=k, limit=20`` is a
page of it. A :class:`Sampling` gives the next request and takes its answer; it sends nothing and
reads no field of a row, so that tests run it against simulated servers. Before any page may be
read, its requests check that the server lists as documented:

1. The first page, and where the last day of the range has no row, the time from the newest row
   to the end of that day. A server that cuts the upper bound to the day leaves out the rows of the
   last day, and lists them here.
2. The page that starts at the middle of the first one. If it does not begin with the second half
   of the first, an offset is not a number of rows.
3. How many rows there are: gallop from a guess until a page is empty, then bisect. All of these
   are whole pages, so that each request reads a page of the sample too.
4. The time before the oldest row: a list that is cut off silently ends too early.

Then pages are read in the order of :func:`spread`.

Only the pages are stored. A new ``Sampling`` that takes them in the same order reaches the same
state, so that a process killed at any moment repeats one request at most.
"""

from __future__ import annotations

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
_MOST_SHIFTED = 4  # rows that may be on the next page again, where new ones came in above them


class NotAListError(Exception):
    """A server's pages are not those of one list; the message says what shows it."""


def spread(key: bytes, pages: int) -> Iterator[int]:
    """All pages of a list, each once, in an order whose first n are spread evenly, for any n.

    The k-th place is the binary fraction whose digits are those of k in reverse: halves, then
    quarters, and so on (van der Corput). Each digit is flipped or not by a hash of those before
    it (Owen 1995). Without that, the places could keep step with a rhythm of the traffic, such
    as its days, and always read the same hour.

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
    seen: set[int] = set()
    for place in count():
        if len(seen) == pages:
            return
        digits, scrambled = 1, 0  # the leading 1 tells "0" from "00"
        for position in range(_DIGITS):
            digit = place >> position & 1
            flip = blake2b(digits.to_bytes(8, "big"), key=key[:64], digest_size=1).digest()[0] & 1
            scrambled = scrambled << 1 | digit ^ flip
            digits = digits << 1 | digit
        page = scrambled * pages >> _DIGITS  # the fraction times the number of pages
        if page not in seen:
            seen.add(page)
            yield page


@dataclass(slots=True)
class Sampling:
    """The pages of one listing that are read, and which to read next.

    Args:
        span: The listed range, on whole minutes; the server must keep to it.
        pages: The rows of each page, by its position from 0.
        rows_low: The least number of rows that there can be.
        rows_high: The largest; None while that is unknown.

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

    @property
    def is_counted(self) -> bool:
        """Whether it is known how many rows there are."""
        return self.rows_low == self.rows_high

    @property
    def of_pages(self) -> int:
        """How many pages there are, or at least are while rows are counted."""
        return -(-self.rows_low // PAGE_ROWS)

    @property
    def is_ready(self) -> bool:
        """Whether the rows are counted and all checks passed."""
        return self.request() is None

    def request(self) -> PageRequest | None:
        """The next request of the checks; None once any page may be read."""
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

    def receive(self, request: PageRequest, seen: PageSeen) -> Span | None:
        """Take the answer to a request.

        Returns:
            What it proves to be complete, as :meth:`proven` says; None unless it is a page with
            rows.

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
            position = request.offset // PAGE_ROWS
            self._take(position, seen)
            return self.proven(position) if seen.rows else None
        return None

    def _check_middle(self, seen: PageSeen) -> None:
        half = PAGE_ROWS // 2
        expected = [key for key, _ in self.pages[0].rows[half:]]
        # A late row or two may have come in above, or one have left.
        found = [key for key, _ in seen.rows[:half]]
        if len(set(expected) - set(found)) > _MOST_SHIFTED or len(found) < half:
            raise NotAListError("an offset does not lead to that row of the list")
        self._middle = seen

    def _take(self, position: int, seen: PageSeen) -> None:
        """Take a page of the sample: count rows by it, and check it against its neighbours."""
        first_row = position * PAGE_ROWS
        if not self.is_counted:
            # Once counted, the number stays: rows that come in above later are not of this sample,
            # and one more or less than counted is no anomaly.
            if seen.count:
                self.rows_low = max(self.rows_low, first_row + seen.count)
            if seen.count < PAGE_ROWS:
                end = first_row + seen.count
                self.rows_high = end if self.rows_high is None else min(self.rows_high, end)
            if self.rows_high is not None and self.rows_high < self.rows_low:
                raise NotAListError("the list ends before rows that it listed")
        if seen.count:
            self._check_place(position, seen)
            self.pages[position] = seen
        elif self.is_counted and first_row < self.rows_low:
            raise NotAListError("a page in the middle of the list is empty")
        else:
            self.pages.setdefault(0, seen)  # a list without rows

    def _check_place(self, position: int, seen: PageSeen) -> None:
        """Check that a page lies in time between its read neighbours, and repeats none."""
        before = max((page for page in self.pages if page < position), default=position)
        after = min((page for page in self.pages if page > position), default=position)
        for other in {before, after} - {position}:
            page = self.pages[other]
            newer, older = (page, seen) if other < position else (seen, page)
            # Rows that came in above between two requests push the last few onto the next page:
            # neighbours may share these, other pages none.
            shared = len(newer.keys & older.keys)
            if shared > _MOST_SHIFTED or (shared and abs(other - position) > 1):
                raise NotAListError("rows come again at another offset")
            # The shared rows aside, all of the newer page lies above all of the older one.
            bound = min(shared, len(newer.rows) - 1)
            if older.rows[0][1] > newer.rows[-1 - bound][1]:
                raise NotAListError("pages are not in the order of time")

    def _next_to_count(self) -> int:
        """The page that counts rows next: gallop to an empty page, then bisect."""
        if self.rows_high is None:
            # As many rows in the same time as on the first page; from there on twice as far.
            rows = self.pages[0].rows
            passed = max(rows[0][1] - rows[-1][1], 1)
            guess = len(rows) * self.span.length // passed // PAGE_ROWS
            return max(2 * max(self.pages), guess, 1)
        # The first page that is not full lies between these two. By pages, not by rows: each
        # request of the bisection is a page of the sample as well.
        first_not_full = self.rows_low // PAGE_ROWS
        return (first_not_full + -(-self.rows_high // PAGE_ROWS)) // 2

    def _top(self) -> Span | None:
        """From the newest row to the end of the last day; None if that day has a row.

        No row of the range may be in it.
        """
        rows = self.pages[0].rows
        day = floor(self.span.end - 1, DAY)
        return Span(ceil(rows[0][1] + 1, MINUTE), day + DAY) if rows and rows[0][1] < day else None

    def _end(self) -> Span | None:
        """From the start to the minute of the oldest row, where no row may be; None if empty."""
        last = self.pages.get(self.of_pages - 1)
        oldest = last.rows[-1][1] if last is not None and last.rows else self.span.start
        end = Span(self.span.start, floor(oldest, MINUTE))
        return end if end.length else None

    def proven(self, position: int) -> Span:
        """The whole minutes that a page proves to be complete; the span may be empty.

        These lie strictly between its newest and its oldest row, whose minutes may go on on the
        neighbouring pages; the first and the last page reach to the ends of the list.
        """
        rows = self.pages[position].rows
        last = self.is_ready and position == self.of_pages - 1
        start = self.span.start if last else ceil(rows[-1][1] + 1, MINUTE)
        end = floor(rows[0][1], MINUTE) if position else self.span.end
        return Span(start, end)
