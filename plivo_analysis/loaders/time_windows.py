"""Windows of time, read whole in the place of pages where a server's pages are those of no list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plivo_analysis.loaders.answer import stored
from plivo_analysis.sync.page_request import PAGE_ROWS
from plivo_analysis.sync.pull import answers
from plivo_analysis.sync.sampled_listing import order_of
from plivo_analysis.values.spans import MINUTE, Span, floor, subtract

if TYPE_CHECKING:
    from collections.abc import Callable

    from plivo_analysis.sync.pull import Question
    from plivo_analysis.sync.reader import Reader

_HALF_A_PAGE = PAGE_ROWS // 2
_PROBES = 64  # places at most where the number of rows in some time is counted
_PROBE = 4 * MINUTE  # how long the first one is
_FAILURES = 3  # fewer windows that cannot be read are no reason to give up,
_PART_FAILED = 20  # nor is one in so many


class TimeWindows:
    """The windows of a closed range, newest first, of which some are read.

    They are sized for half a page, so that most are read with one request or two. A window is
    read by keyset paging or bisection, whatever the server makes of offsets.

    Args:
        reader: Reads ranges and stores them.
        question: What is asked of the account.
        span: The range, on whole minutes.
        is_spent: Whether no further request is allowed.

    ``read`` has the numbers of the windows that are read whole; ``known_pages`` counts those that
    could not be read, too.
    """

    def __init__(
        self, reader: Reader, question: Question, span: Span, is_spent: Callable[[], bool]
    ) -> None:
        self._reader = reader
        self._question = question
        self._failed = self._whole = 0
        self.read: list[int] = []
        self.known_pages = 0
        width = self._width(span, is_spent)
        starts = range(span.end - width, span.start - width, -width)
        self.windows = [Span(max(start, span.start), start + width) for start in starts]
        self._order = order_of(reader, span, len(self.windows))

    @property
    def of_pages(self) -> int:
        """How many windows there are."""
        return len(self.windows)

    @property
    def is_counted(self) -> bool:
        """Whether it is known how many there are: always, unless they cannot be read."""
        return not self.is_unreadable

    @property
    def is_unreadable(self) -> bool:
        """Whether windows fail too often: busy ones do, so that the rest is no sample."""
        return self._failed >= max(_FAILURES, self._whole // _PART_FAILED)

    @property
    def done(self) -> bool:
        """Whether there is nothing left to read."""
        return self.is_unreadable or self.known_pages >= self.of_pages

    def read_next(self) -> None:
        """Read one more window.

        Raises:
            PlivoAnalysisError: The server could not be asked, or refused.
        """
        number = next(self._order)
        if self._is_read(self.windows[number]):
            self.read.append(number)
        self.known_pages += 1

    def _width(self, span: Span, is_spent: Callable[[], bool]) -> int:
        """The length of windows that hold about half a page, by the rows of a few short ones.

        These are stored, so that a later call finds the same length without a request.
        """
        width, rows, passed = _PROBE, 0, 0
        for place in order_of(self._reader, span, _PROBES):
            start = floor(span.start + span.length * place // _PROBES, MINUTE)
            probe = Span(start, start + width).clip(span)
            if self._is_read(probe):
                frame = stored(self._reader.client, self._question, probe)
                rows, passed = rows + frame.height, passed + probe.length
                # A quiet account: four times as much time at once, or the probes would be spent
                # before a single row tells how dense they are.
                if not rows:
                    width = min(4 * width, span.length)
            if rows >= PAGE_ROWS or is_spent() or self.is_unreadable:
                break
        return min(span.length, max(MINUTE, floor(_HALF_A_PAGE * passed // max(rows, 1), MINUTE)))

    def _is_read(self, span: Span) -> bool:
        """Read the missing parts of a window; whether it is complete then."""
        gaps = subtract(span, answers(self._reader.client, self._question, span))
        is_read = not any(self._reader.read(gap).missing for gap in gaps)
        self._whole += is_read
        self._failed += not is_read
        return is_read
