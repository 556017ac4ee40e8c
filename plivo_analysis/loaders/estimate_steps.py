"""An estimate while it is made: which pages are read, their sums, and when they are enough."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING

import polars as pl

from plivo_analysis.api.columns import SESSIONS
from plivo_analysis.loaders.answer import set_aside_warnings, shortfall, stored
from plivo_analysis.loaders.time_windows import TimeWindows
from plivo_analysis.metrics.estimates import Estimate, groups_of
from plivo_analysis.metrics.samples import (
    LEAST_PAGES,
    MEASURES,
    Sample,
    earliest_stop,
    page_sums,
)
from plivo_analysis.sync.page_request import PAGE_ROWS
from plivo_analysis.sync.pull import MARGIN, answers, parts_of, pull
from plivo_analysis.sync.reader import Reader
from plivo_analysis.sync.sampled_listing import SampledListing, begun_earlier
from plivo_analysis.sync.sampling import NotAListError
from plivo_analysis.tables.convert import from_rows, to_backend
from plivo_analysis.values.spans import Span, span_text, subtract

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Iterator, Mapping

    from plivo_analysis.client import Client
    from plivo_analysis.metrics.samples import Sums
    from plivo_analysis.parsing.records import Record
    from plivo_analysis.sync.progress import ProgressListener
    from plivo_analysis.sync.pull import Question

_CHECK_EVERY = 20  # the width is computed again whenever a twentieth more pages are read


@dataclass(eq=False, repr=False)
class Estimating:
    """An estimate while it is made: pages are read one after another, and the numbers tighten.

    Reading and estimating are two calls, so that a screen chooses how often it estimates. An
    estimate made while a pull goes on includes what the pull has read from the newest end on.

    Args:
        client: The account.
        question: Which sessions of which range.
        watch: Is called with the progress after every page.
        by: The columns to group by.
        within: Read until half the width of spend's interval is this part of it; None reads as
            far as ``requests`` allow, or everything.
        requests: Stop after so many requests.
        confidence: The coverage of the intervals.
        backend: The kind of the estimate's frame.
        cancel: Ends the reading at the next page, or in the middle of a wait: ``Cancelled`` is
            raised, and an estimate can still be made of what was read.

    Example:
        >>> from datetime import timedelta
        >>> import plivo_analysis as pva
        >>> from plivo_analysis.api.filters import Filter
        >>> from plivo_analysis.api.resources import SESSION_RESOURCE
        >>> from plivo_analysis.sync.progress import Progress
        >>> from plivo_analysis.sync.pull import Question
        >>> since = timedelta(days=60)
        >>> with pva.demo(sessions=2_000) as client:
        ...     bar = Progress(False, noun="session", limiter=client.limiter.of(""))
        ...     asked = Question(Filter.of(SESSION_RESOURCE), lambda now: (now - since, now))
        ...     estimating = Estimating(client, asked, watch=bar, requests=40)
        ...     read = [estimating.estimate().read for _ in estimating.steps()]
        >>> read == sorted(read), read[-1] > 500
        (True, True)
    """

    client: Client
    question: Question
    _: KW_ONLY
    watch: ProgressListener
    by: tuple[str, ...] = ()
    within: float | None = None
    requests: int | None = None
    confidence: float = 0.95
    backend: str = "polars"
    cancel: threading.Event | None = None

    def __post_init__(self) -> None:
        question = self.question
        self._reader = Reader(self.client, question.filter, self.watch, self.cancel)
        earlier = begun_earlier(self._reader, lambda begun: parts_of(question, begun, MARGIN)[1])
        self._is_continued = earlier is not None
        self._set_clock(self._reader.now() if earlier is None else earlier)
        # The live tail and windows are small parts of the range: none of them is all of it.
        self._reader.to_do = self._exact.length
        self._doubts: list[str] = []
        # The sums and the number of rows of each page. Page 0 is the live tail, which is read
        # whole; the pages of the listing, or the windows of time, follow from 1.
        self._sums: dict[int, Mapping[tuple[str | None, ...], Sums]] = {}
        self._rows: dict[int, int] = {}
        self._newest_from = self._listing.end
        self._source: SampledListing | TimeWindows | None = None
        self._is_proven = False  # a pull has read everything
        # How many pages are thought to be enough, for the progress; before the interval is first
        # computed, as many as a large account takes at least.
        self._expected = earliest_stop(sys.maxsize)
        self._check_at = 0  # pages at which the width is computed again

    def steps(self) -> Iterator[None]:
        """Read on until the estimate is as narrow as wanted; each step is a page.

        Raises:
            Cancelled: The event was set; what was read is kept.
            IncompletePullError: The whole range was to be read, and a part of it could not be.
            PlivoAnalysisError: The server could not be asked, or refused.
        """
        if self._is_nearly_read() or not self._listing.length:
            self._read_whole()
            return
        # An estimate that goes on keeps its first bounds, whose tail the first call has read.
        if not self._is_continued and self._tail.length:
            self._reader.read(self._tail, settled=False)
            # The first answer tells how far the server's clock is from this computer's. Where that
            # moves the account's now, the range and its live tail move with it.
            if self._reader.moved:
                self._set_clock(self._reader.now())
                self._reader.read(self._tail, settled=False)
        try:
            listing = SampledListing(self._reader, self._listing, self._begun, self._is_inside)
            self._take_newest(listing)
            self._source = listing
            yield from self._read_on(listing)
        except NotAListError as reason:
            # What the pages added up to is no sample of the range: it is neither shown nor mixed
            # with the windows.
            self._source = None
            self._sums, self._check_at = {}, 0
            self._reader.take_back_samples()
            self._doubts.append(
                f"The server's pages do not behave like those of one list ({reason}), so that "
                "windows of time are read instead."
            )
            windows = TimeWindows(self._reader, self.question, self._listing, self._is_spent)
            self._source = windows
            yield from self._read_on(windows)
            if windows.is_unreadable:
                self._doubts.append(
                    "Windows of time cannot be read whole either, and those that can are not like "
                    "the others, so that nothing is estimated."
                )

    def estimate(self, sample: Sample | None = None, by: tuple[str, ...] | None = None) -> Estimate:
        """The estimate from a sample. It sends no request.

        Args:
            sample: What :meth:`sample` gave; with it, any thread may call this while another
                reads on. By default what is read now.
            by: Some of the columns that the estimate is grouped by; by default all of them.
        """
        sample = self.sample() if sample is None else sample
        by = self.by if by is None else by
        if by != self.by:
            sample = sample.regrouped([self.by.index(name) for name in by])
        total = {m: sample.estimate(None, m, self.confidence) for m in MEASURES}
        read = round(sum(sums.sessions for page in sample.pages.values() for sums in page.values()))
        of: tuple[int, int | None] = sample.of_rows or (read, None)
        # Windows of time are not rows: how many sessions there are is itself estimated.
        if sample.of_rows is None and total["sessions"].high is not None:
            of = round(total["sessions"].low or 0), round(total["sessions"].high)
        since, until = self._exact.datetimes()
        return Estimate(
            frame=to_backend(groups_of(sample, by, self.confidence), self.backend),
            requests=self._reader.requests,
            read=read,
            of=of[0] if of[0] == of[1] else of,
            exact=self._is_proven,
            since=since,
            until=until,
            at=self.client.now(),
            confidence=self.confidence,
            total=total,
            currency=self.client.currency,
        )

    def doubts(self) -> list[str]:
        """Sentences for warnings about the numbers."""
        left_out = [self._left_out] if self._left_out.length else []
        return [
            *(f"Left out, since older than 90 days: {span_text(span)}." for span in left_out),
            *self._doubts,
            *set_aside_warnings(self.client, self.question.resource, self._exact),
        ]

    def _set_clock(self, begun: int) -> None:
        self._begun = begun
        exact, self._listing, self._tail = parts_of(self.question, begun, MARGIN)
        # Without what has expired; a few minutes of that are the margin, and not worth a warning.
        self._exact = Span(min(max(exact.start, self._listing.start), exact.end), exact.end)
        self._left_out = Span(exact.start, self._exact.start - 2 * MARGIN)

    def _read_on(self, source: SampledListing | TimeWindows) -> Iterator[None]:
        """Read pages, or windows of time in their place, until there are enough."""
        while True:
            known = source.known_pages
            if source.is_counted:
                too_few = source.of_pages <= LEAST_PAGES
                most = self.within is not None and 2 * known > source.of_pages
                # Exact numbers for little more than the estimate would cost.
                if (too_few or most or source.done) and self._affords(source.of_pages - known):
                    self._read_whole()
                    return
                if self._is_narrow(source):
                    return
            if source.done or self._is_spent():
                return
            source.read_next()
            self._report(source.known_pages)
            yield

    def _report(self, pages: int) -> None:
        """Report the progress towards what was wanted, not towards the end of the range."""
        requests = self._reader.requests
        share = (
            pages / max(pages, self._expected)
            if self.requests is None
            else requests / self.requests
        )
        self.watch.page(requests=requests, rows=self._reader.tally.received, share=min(1.0, share))

    def _is_spent(self) -> bool:
        return self.requests is not None and self._reader.requests >= self.requests

    def _affords(self, requests: int) -> bool:
        """Whether a pull of so many pages stays within the requests that were allowed."""
        # A pull starts and ends each gap between sampled pages with a request of its own.
        return self.requests is None or self._reader.requests + 2 * requests + 5 <= self.requests

    def _is_narrow(self, source: SampledListing | TimeWindows) -> bool:
        """Whether the interval is as narrow as wanted; computed now and then, for it takes long."""
        pages = source.known_pages
        if self.within is None or pages < max(earliest_stop(source.of_pages), self._check_at):
            return False
        self._check_at = pages + 1 + pages // _CHECK_EVERY
        sample = self.sample()
        half = sample.estimate(None, "spend", self.confidence).half_width
        if half is not None:  # an interval narrows with the root of the number of pages
            self._expected = max(pages + 1, round(pages * (half / self.within) ** 2))
        return sample.is_narrow(self.within, self.confidence)

    def _is_inside(self, record: Record) -> bool:
        return record.instant is not None and record.instant in self._exact

    def _is_nearly_read(self) -> bool:
        """Whether so much is stored that reading the rest takes no more than an estimate."""
        gaps = subtract(self._listing, answers(self.client, self.question, self._listing))
        missing = sum(gap.length for gap in gaps)
        stored_time = self._listing.length - missing
        if not gaps or not stored_time:
            return not gaps and self._listing.length > 0
        records = self.client.store.records(self.question.resource)
        # As many rows an hour as in the stored part, and a request more for each gap. More than
        # the fewest pages of an estimate are not worth reading for the sake of exactness alone.
        rows = records.count(self._listing) * missing / stored_time
        expected = len(gaps) + round(rows / PAGE_ROWS)
        return expected <= LEAST_PAGES and self._affords(expected)

    def _read_whole(self) -> None:
        """Pull the rest; a complete range makes the numbers exact."""
        start, end = self._exact.datetimes()
        question = replace(self.question, period=lambda _: (start, end))
        pulled = pull(self.client, question, watch=self.watch, cancel=self.cancel)
        self._reader.requests += pulled.requests
        frame = stored(self.client, question, pulled.span)
        lacking = shortfall(pulled, to_backend(frame, self.backend))
        if lacking is not None:
            raise lacking
        self._sums = {}
        self._take([0], frame.with_columns(page=0))
        self._is_proven = True

    def _stored(self, span: Span) -> pl.DataFrame:
        return stored(self.client, self.question, span.clip(self._exact))

    def sample(self) -> Sample:
        """What is read, as pages; to be called in the thread that reads."""
        if self._is_proven:  # everything is page 0 of 1
            rows = self._rows[0]
            return Sample(dict(self._sums), 1, (rows, rows))
        if 0 not in self._sums:
            self._take([0], self._stored(self._tail).with_columns(page=0))
        source = self._source
        if isinstance(source, TimeWindows) and not source.is_unreadable:
            for number in source.read:
                if number + 1 not in self._sums:
                    window = self._stored(source.windows[number])
                    self._take([number + 1], window.with_columns(page=number + 1))
            return Sample(dict(self._sums), source.of_pages + 1, None)
        if not isinstance(source, SampledListing):  # nothing is read yet, or it is no sample
            return Sample({}, 1, (0, None))
        return self._sample_of_pages(source)

    def _sample_of_pages(self, listing: SampledListing) -> Sample:
        self._take_newest(listing)
        records = listing.records()
        new = {page: rows for page, rows in records.items() if page + 1 not in self._sums}
        inside = [
            (page + 1, record)
            for page, of_page in new.items()
            for record in of_page
            if self._is_inside(record)
        ]
        fit = [(page, record.row) for page, record in inside if record.row is not None]
        sessions = from_rows([row for _, row in fit], SESSIONS)
        paged = sessions.with_columns(pl.Series("page", [page for page, _ in fit], pl.Int64))
        self._take([page + 1 for page in new], paged)
        self._rows |= Counter(page for page, _ in inside)  # also those that no table takes
        # The listing counts whole minutes. Rows outside the exact range lie at its two ends, whose
        # pages are read first, so that they are known and can be subtracted; the tail is added.
        low, high = listing.of_rows
        low = max(low, PAGE_ROWS * listing.newest_known)
        listed = [record for of_page in records.values() for record in of_page]
        outside = len(listed) - sum(map(self._is_inside, listed))
        shift = self._rows[0] - outside
        return Sample(
            dict(self._sums),
            max(listing.of_pages, listing.newest_known) + 1,
            (max(0, low + shift), None if high is None else max(0, max(low, high) + shift)),
            dict(self._rows),
        )

    def _take_newest(self, listing: SampledListing) -> None:
        """Take what is complete from the newest end on, which a running pull reads first."""
        span, last = self._listing, self._listing.end - 1
        known = answers(self.client, self.question, span)
        # The complete part that ends where the listing does; an empty one if there is none.
        newest = next((part.clip(span) for part in known if last in part), Span(last, last))
        if newest.start >= self._newest_from:
            return
        self._newest_from = newest.start
        sessions = stored(self.client, self.question, newest)
        # Whole pages alone: the rest of the last one is still to be read, and a page counted with
        # a part of its rows would weigh as much as any other.
        before, pages = listing.newest_known, sessions.height // PAGE_ROWS
        paged = sessions.sort("created_at", descending=True).with_columns(
            page=1 + pl.int_range(pl.len()) // PAGE_ROWS
        )
        start, end = self._exact.datetimes()
        inside = pl.col("created_at").is_between(start, end, closed="left")
        numbers = range(before + 1, pages + 1)
        self._take(numbers, paged.filter(inside & pl.col("page").is_in(numbers)))
        listing.newest_known = max(before, pages)

    def _take(self, pages: Iterable[int], sessions: pl.DataFrame) -> None:
        """Add up the sessions of some pages, of each once."""
        summed = page_sums(sessions, self.by)
        for page in pages:
            self._sums[page] = summed.get(page, {})
            self._rows[page] = round(sum(sums.sessions for sums in self._sums[page].values()))
