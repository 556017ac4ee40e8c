"""Requests sampled pages of a listing one at a time, stores them, and finds them again later.

A page is stored under a name of the filter, the moment when sampling began, the range and the
offset. Nothing else is stored: the same pages in the same order lead back to the same state, and
a process killed at any moment repeats one request at most.
"""

from __future__ import annotations

from dataclasses import replace
from hashlib import blake2b
from http import HTTPStatus
from typing import TYPE_CHECKING

from plivo_analysis.errors import APIError
from plivo_analysis.parsing.pages import read_page
from plivo_analysis.sync.page_request import PageRequest
from plivo_analysis.sync.paginator import LONGEST_RANGE
from plivo_analysis.sync.reader import seen
from plivo_analysis.sync.sampling import NotAListError, Sampling, spread
from plivo_analysis.values.spans import DAY, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from plivo_analysis.parsing.records import Record
    from plivo_analysis.sync.reader import Reader


class SampledListing:
    """The pages of a closed range, newest first, of which some are read.

    Where the server lists a limited number of days, there are several lists one after another,
    the newest first.

    Args:
        reader: Requests pages and stores them.
        span: The range, on whole minutes.
        begun: When sampling began, in microseconds.
        is_inside: Whether a record is of the exact range. Those outside lie at both ends of the
            list, and are counted there.

    ``newest_known`` is the number of the newest pages that need no request, because a pull has
    completed their part of the range.
    """

    def __init__(
        self, reader: Reader, span: Span, begun: int, is_inside: Callable[[Record], bool]
    ) -> None:
        self._reader = reader
        self._span = span
        self._is_inside = is_inside
        self._name = f"{_names(reader)}{begun} {span.start}/{span.end} "
        self.newest_known = 0
        self._lists: list[Sampling] = []
        self._order: Iterator[int] | None = None
        self._split(reader.profile.listing(span, reader.now()).longest_range or span.length)
        self._replay()

    @property
    def is_counted(self) -> bool:
        """Whether the rows are counted and each list has passed its checks."""
        return all(part.is_ready for part in self._lists)

    @property
    def of_rows(self) -> tuple[int, int | None]:
        """The least and the largest number of rows; None for the largest while unbounded."""
        highs = [part.rows_high for part in self._lists]
        low = sum(part.rows_low for part in self._lists)
        return low, sum(high for high in highs if high is not None) if None not in highs else None

    @property
    def of_pages(self) -> int:
        """How many pages there are, as far as is known."""
        return sum(part.of_pages for part in self._lists)

    @property
    def known_pages(self) -> int:
        """How many pages are read, or need no request."""
        return self.newest_known + sum(page >= self.newest_known for page in self.records())

    @property
    def done(self) -> bool:
        """Whether every page is known."""
        return self.is_counted and self.known_pages >= self.of_pages

    def records(self) -> dict[int, tuple[Record, ...]]:
        """The records of each page that is read, by its position from 0."""
        found: dict[int, tuple[Record, ...]] = {}
        start = 0
        for part in self._lists:
            pages = sorted(part.pages.items())
            found |= {start + at: page.records for at, page in pages if page.records}
            start += part.of_pages
        return found

    def read_next(self) -> None:
        """Read one more page.

        Raises:
            NotAListError: The pages are not those of a list, newest first.
            PlivoAnalysisError: The server could not be asked, or refused.
        """
        for part in self._lists:
            request = part.request()
            if request is not None:
                self._ask_within_limit(part, request)
                return
        read = self.records()
        if self._order is None:
            self._order = order_of(self._reader, self._span, self.of_pages)
        edge = next(_edges(self.of_pages, read, self._is_inside), None)
        unread = (p for p in self._order if p not in read and p >= self.newest_known)
        page = next(unread) if edge is None else edge
        for part in self._lists:
            if page < part.of_pages:
                self._ask(part, part.page(page))
                return
            page -= part.of_pages

    def _ask_within_limit(self, part: Sampling, request: PageRequest) -> None:
        """Ask for a page of the checks, in shorter lists where the range is refused as too long."""
        try:
            self._ask(part, request)
        except APIError as error:
            if error.status_code != HTTPStatus.BAD_REQUEST:
                raise
            if request.offset:
                raise NotAListError("a deep offset is refused") from error
            if request.span.length <= LONGEST_RANGE:
                raise
            self._reader.requests += 1
            self._split(LONGEST_RANGE)
            # 400 has many reasons. That it was the length is noted once a shorter range is listed.
            self._ask(self._lists[0], PageRequest(self._lists[0].span))
            self._reader.profile.keep("range", str(LONGEST_RANGE), self._reader.now())

    def _split(self, longest: int) -> None:
        ends = range(self._span.end, self._span.start, -longest)
        parts = (Span(max(self._span.start, end - longest), end) for end in ends)
        self._lists = [Sampling(part) for part in parts]

    def _ask(self, part: Sampling, request: PageRequest) -> None:
        page, reading = self._reader.ask(request, self._reader.filter.params())
        proven = part.receive(request, page)  # raises where it shows that this is no list
        name = f"{self._name}{request.span.start}/{request.span.end} {request.offset}"
        self._reader.keep_sample(replace(reading, query=name), proven)

    def _replay(self) -> None:
        """Take the pages that an earlier call has stored, in their order."""
        reader = self._reader
        for name, body in reader.client.store.pages(reader.resource, self._name):
            *_, bounds, offset = name.split(" ")
            request = PageRequest(_span(bounds), int(offset))
            page = read_page(body, reader.resource, reader.client.auth_id)
            for part in self._lists:
                if request.span.start in part.span:
                    part.receive(request, seen(page))


def order_of(reader: Reader, span: Span, pages: int) -> Iterator[int]:
    """The order in which an account's pages of a range are read, the same in each call.

    Args:
        reader: Of the account.
        span: The range.
        pages: How many pages there are.
    """
    key = f"{reader.client.auth_id} {span.start}/{span.end}".encode()
    return spread(blake2b(key).digest(), pages)


def begun_earlier(reader: Reader, span_of: Callable[[int], Span]) -> int | None:
    """When sampling for the same question began, in microseconds; None if not in the last day.

    It is the same question if it would have meant the same range at that moment: the same dates
    do, and so does "90d".

    Args:
        reader: Of the account and the filter.
        span_of: The range that the question means at a moment.
    """
    now, found = reader.now(), set()
    for name, _ in reader.client.store.pages(reader.resource, _names(reader)):
        *_, begun, bounds, _, _ = name.split(" ")
        # It may lie ahead of now: a new client has not heard yet how far this computer's clock is
        # behind the server's.
        if abs(now - int(begun)) < DAY and span_of(int(begun)) == _span(bounds):
            found.add(int(begun))
    return max(found, default=None)


def _names(reader: Reader) -> str:
    return f"sample {reader.client.store.database.hashed(reader.filter.scope)} "


def _span(bounds: str) -> Span:
    return Span(*map(int, bounds.split("/")))


def _edges(
    pages: int, read: dict[int, tuple[Record, ...]], is_inside: Callable[[Record], bool]
) -> Iterator[int]:
    """The unread pages at both ends, up to the first one with a row of the exact range."""
    ends: tuple[Iterable[int], ...] = (range(pages), reversed(range(pages)))
    for end in ends:
        for page in end:
            if page not in read:
                yield page
            if any(map(is_inside, read.get(page, ()))):
                break
