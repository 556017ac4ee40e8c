"""``estimate``: what the first minutes of a pull can say of all of it, and how sure that is."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from html import escape
from typing import TYPE_CHECKING, Any

import polars as pl

from plivo_analysis.api.columns import SESSIONS
from plivo_analysis.api.resources import SESSION_RESOURCE
from plivo_analysis.errors import FilterError, PlivoAnalysisWarning, SchemaError
from plivo_analysis.loaders.answer import Request, set_aside_warnings, shortfall, stored
from plivo_analysis.metrics.cost import cost_per_verified
from plivo_analysis.metrics.estimates import (
    LEAST_PAGES,
    MEASURES,
    Interval,
    Sample,
    Sums,
    earliest_stop,
)
from plivo_analysis.metrics.fallback import fallback_rates
from plivo_analysis.metrics.intervals import normal_quantile
from plivo_analysis.metrics.spend import spend
from plivo_analysis.metrics.success import success_rates
from plivo_analysis.sync.page_request import PAGE_ROWS
from plivo_analysis.sync.progress import Progress
from plivo_analysis.sync.pull import answers, pull
from plivo_analysis.sync.reader import RETENTION, SETTLE, Reader
from plivo_analysis.sync.sampled_listing import SampledListing, begun_earlier
from plivo_analysis.sync.sampling import NotAListError, spread
from plivo_analysis.tables.convert import from_rows, to_backend
from plivo_analysis.values.schema import Kind
from plivo_analysis.values.spans import MINUTE, Span, ceil, floor, from_us, subtract, to_us, words
from plivo_analysis.values.typesetting import percent

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from plivo_analysis.client import Client
    from plivo_analysis.loaders.answer import Instant, Watcher
    from plivo_analysis.parsing.records import Record

_WITHIN = 0.05
_MARGIN = 5 * MINUTE  # from the end of retention: what ages out while pages are read
_CHECK_EVERY = 20  # the width is looked at whenever a twentieth more pages are read
_WINDOWS = 50  # at least, where pages do not behave like those of a list
_HALF_A_PAGE = PAGE_ROWS // 2
_NUMBERS = [name for measure in MEASURES for name in (measure, f"{measure}_low", f"{measure}_high")]


@dataclass(frozen=True, slots=True, repr=False)
class Estimate:
    """What some pages of a listing say of all of it, at this moment.

    Args:
        frame: One row a group: the ``by`` columns, then ``sessions``, ``spend``,
            ``success_rate``, ``fallback_rate``, ``cost_per_verified``, each followed by
            ``…_low`` and ``…_high`` (Float64; null where it is too early to say; alike where
            the numbers are exact). Money is in the account's currency.
        requests: How many requests this call took.
        read: How many sessions are read, of earlier calls too.
        of: How many there are; between how many and how many, while that is not known (None
            where nothing bounds them yet).
        exact: Whether all of them are read, so that nothing is estimated.
        since: The start of the range.
        until: Its end.
        confidence: The coverage of the intervals.
        total: Each measure of all sessions, whatever ``by`` names.
        currency: What amounts are in.

    Example:
        >>> import plivo_analysis as pva
        >>> with pva.demo(sessions=200) as client:
        ...     found = pva.estimate(since="30d", client=client)
        >>> found.read == found.of
        True
    """

    frame: Any
    requests: int
    read: int
    of: int | tuple[int, int | None]
    exact: bool
    since: datetime
    until: datetime
    confidence: float
    total: Mapping[str, Interval] = field(repr=False)
    currency: str

    def __repr__(self) -> str:
        """The numbers in a sentence: what they are, how sure, of what, and as of when."""
        about = "" if self.exact else "≈ "
        money = f"{{:,.2f}} {self.currency}".format
        shown = [
            _shown("spend", self.total["spend"], money, about),
            _shown("success", self.total["success_rate"], percent, about),
            _shown("fallback", self.total["fallback_rate"], percent, about),
            _shown("cost per verified", self.total["cost_per_verified"], _unit(self), about),
        ]
        span = f"{self.since:%Y-%m-%d %H:%M} to {self.until:%Y-%m-%d %H:%M} UTC"
        if self.exact:
            return f"{self.read:,} sessions of {span}, all read: {'; '.join(shown)}."
        if isinstance(self.of, int):
            of = f"{self.of:,} sessions"
            part = f"{percent(self.read / self.of if self.of else 0)} of the range"
        else:
            low, high = self.of
            of = f"at least {low:,} sessions" if high is None else f"{low:,} to {high:,} sessions"
            part = f"{self.read:,} sessions"
        return (
            f"{of} of {span}: {'; '.join(shown)}. Estimated at this moment from {part}, read "
            f"evenly over it, with intervals of {percent(self.confidence, 0)}; call again to read "
            "further."
        )

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self))}</p>"


def _unit(of: Estimate) -> Any:
    return f"{{:,.4f}} {of.currency}".format


def _shown(name: str, number: Interval, form: Any, about: str) -> str:
    if number.value is None or number.low is None or number.high is None:
        return f"{name} too early to say"
    between = f" ({form(number.low)} to {form(number.high)})" if about else ""
    return f"{name} {about}{form(number.value)}{between}"


def estimate(
    *,
    since: Instant = None,
    until: Instant = None,
    by: str | Iterable[str] = (),
    within: float | None = None,
    requests: int | None = None,
    confidence: float = 0.95,
    status: str | None = None,
    app_uuid: str | None = None,
    recipient: str | None = None,
    subaccount: str | None = None,
    brand_name: str | None = None,
    app_hash: str | None = None,
    country: str | None = None,
    alias: str | None = None,
    client: Client | None = None,
    backend: str | None = None,
    progress: Watcher = None,
) -> Estimate:
    """What the sessions of a range cost and how they fared, from a few minutes of reading.

    Pages of the listing are read in an order that is spread over the whole range, and each
    unread page is taken to be like its read neighbours. Called again within a day it goes on
    where it stopped, with the first call's bounds; ``load_sessions`` skips what it has read.
    Where the whole range is read, or nearly so, the rest is read too and the numbers are exact.

    Not promised: that all intervals shown over a long pull hold at once; an account in which
    one in a hundred sessions carries most of the money; a stretch that is shorter than the gap
    between two read pages, which can be missed whole.

    Args:
        since: As in :func:`load_sessions`; at most 90 days ago.
        until: As in :func:`load_sessions`.
        by: Text columns of sessions to group by, such as ``"destination_country_iso2"``.
        within: Read until half the width of spend's interval is this part of it; by default
            0.05, unless ``requests`` is given.
        requests: Stop after so many requests of this call.
        confidence: The coverage of the intervals.
        status: As in :func:`load_sessions`.
        app_uuid: As in :func:`load_sessions`.
        recipient: As in :func:`load_sessions`.
        subaccount: As in :func:`load_sessions`.
        brand_name: As in :func:`load_sessions`.
        app_hash: As in :func:`load_sessions`.
        country: As in :func:`load_sessions`.
        alias: As in :func:`load_sessions`.
        client: As in :func:`load_sessions`.
        backend: As in :func:`load_sessions`; the kind of ``.frame``.
        progress: As in :func:`load_sessions`.

    Returns:
        The estimate; see :class:`Estimate`.

    Raises:
        FilterError: An argument is wrong; nothing was asked.
        SchemaError: ``by`` names no text column of sessions, or ``channel``.
        CredentialsError: There are no credentials, or they are not of Plivo's form.
        IncompletePullError: What was to be exact could not be read whole.
        PlivoAnalysisError: The server could not be asked, or refused; see ``errors``.

    Warns:
        PlivoAnalysisWarning: The server's pages do not behave like those of one list, so that
            windows of time were read; the range begins over 90 days ago; sessions were set aside.

    Source: Cochran 1977 (cluster sampling, ratio estimators), Wolter 2007 (successive
    differences), Owen 1995 (scrambling), Brown, Cai & DasGupta 2001 (Wilson's interval).

    Example:
        >>> import plivo_analysis as pva
        >>> with pva.demo(sessions=200) as client:
        ...     found = pva.estimate(since="30d", client=client)
        >>> found.exact, found.frame.columns[:3]
        (True, ['sessions', 'sessions_low', 'sessions_high'])
    """
    arguments = {**locals(), "recipients": "full", "partial": "raise", "verify": False}
    request = Request.of(SESSION_RESOURCE, arguments)
    del recipient, arguments  # a verbose traceback prints the variables of every frame
    normal_quantile(confidence)
    if within is not None and not (isinstance(within, (int, float)) and 0 < within < 1):
        raise FilterError(f"within is {within!r}; it lies between 0 and 1, as 0.05 for 5 % does.")
    if requests is not None and not (isinstance(requests, int) and requests > 0):
        raise FilterError(f"requests is {requests!r}; it is a whole number above 0.")
    if within is None and requests is None:
        within = _WITHIN
    columns = _checked_by(by)
    limiter = request.client.limiter.of(SESSION_RESOURCE.path)
    bar = Progress(request.progress, noun=SESSION_RESOURCE.name, limiter=limiter)
    try:
        return _Estimating(
            request, bar, by=columns, within=within, requests=requests, confidence=confidence
        ).run()
    finally:
        bar.close()


def _checked_by(by: str | Iterable[str]) -> tuple[str, ...]:
    columns = (by,) if isinstance(by, str) else tuple(by)
    known = [c.name for c in SESSIONS.columns if c.kind is Kind.TEXT and c.name != "channel"]
    if strange := [name for name in columns if name not in known]:
        raise SchemaError(
            f"by names {', '.join(map(repr, strange))}; an estimate is grouped by text columns of "
            "sessions, and not by 'channel', which is a session's last one.",
            missing=strange,
            available=known,
        )
    return columns


class _Estimating:
    """One call: what is read, and what it says."""

    def __init__(
        self,
        request: Request,
        bar: Progress,
        *,
        by: tuple[str, ...],
        within: float | None,
        requests: int | None,
        confidence: float,
    ) -> None:
        self._client = request.client
        self._question = request.question
        self._backend = request.backend
        self._by = by
        self._within = within
        self._most = requests
        self._confidence = confidence
        self._bar = bar
        question = request.question
        self._reader = Reader(self._client, question.resource, question.filter, bar)
        earlier = begun_earlier(self._reader, lambda begun: self._bounds(begun)[1])
        self._goes_on = earlier is not None
        self._set_clock(self._reader.now() if earlier is None else earlier)
        self._measured = pl.DataFrame()  # what each session adds to the sums
        self._frames: dict[int, pl.DataFrame] = {}  # of each page read, by its position

    def _bounds(self, begun: int) -> tuple[Span, Span, Span]:
        """At a moment: the exact range, the closed listing in it, and the live tail after that."""
        exact = Span(*map(to_us, self._question.period(from_us(begun))))
        asked, edge = exact.outward(MINUTE), floor(begun - SETTLE, MINUTE)
        oldest = ceil(begun - RETENTION + _MARGIN, MINUTE)
        listing = Span(max(asked.start, oldest), min(asked.end, edge))
        return exact, listing, Span(max(asked.start, edge), asked.end)

    def _set_clock(self, begun: int) -> None:
        self._begun = begun
        exact, self._listing, self._tail = self._bounds(begun)
        self._exact = Span(min(max(exact.start, self._listing.start), exact.end), exact.end)
        self._left_out = Span(exact.start, self._exact.start - 2 * _MARGIN)

    def run(self) -> Estimate:
        if self._is_nearly_read() or not self._listing.length:
            return self._read_whole()
        if not self._goes_on and self._tail.length:
            self._reader.read(self._tail, settled=False)
            if self._reader.moved:
                self._set_clock(self._reader.now())
                self._reader.read(self._tail, settled=False)
        if self._left_out.length:
            self._warn(f"Not estimated, since it is older than 90 days: {words(self._left_out)}.")
        listing = SampledListing(self._reader, self._listing, self._begun)
        try:
            return self._read_pages(listing)
        except NotAListError as reason:
            self._reader.take_back_samples()
            self._warn(
                f"The server's pages do not behave like those of one list ({reason}), so that "
                "windows of time are read instead."
            )
            first = listing.records().get(0, ())
        return self._read_windows(first)

    def _read_pages(self, listing: SampledListing) -> Estimate:
        check_at = 0
        while True:
            read = len(listing.records())
            if listing.is_counted:
                too_few = listing.of_pages <= LEAST_PAGES
                most = self._within is not None and 2 * read > listing.of_pages
                if (too_few or most or listing.done) and self._affords(listing.of_pages - read):
                    return self._read_whole()
                if read >= max(check_at, earliest_stop(listing.of_pages)):
                    check_at = read + 1 + read // _CHECK_EVERY
                    sample = self._sample(listing)
                    if self._is_narrow(sample):
                        return self._answer(sample)
            if listing.done or self._is_spent:
                return self._answer(self._sample(listing))
            listing.read_next(self._is_inside)
            self._bar.page(
                requests=self._reader.requests,
                rows=self._reader.tally.received,
                share=len(listing.records()) / max(1, listing.of_pages),
            )

    def _read_windows(self, first: Sequence[Record]) -> Estimate:
        """Read windows of time whole, in the order of pages, and take them for pages."""
        span = self._listing
        instants = [to_us(record.instant) for record in first if record.instant is not None]
        passed = max(instants) - min(instants) if instants else 0
        rows = len(instants) * span.length // passed if passed else 0
        width = max(MINUTE, floor(span.length // max(_WINDOWS, rows // _HALF_A_PAGE), MINUTE))
        starts = range(span.end - width, span.start - width, -width)
        windows = [Span(max(start, span.start), start + width) for start in starts]
        key = f"{self._client.base_url} {self._client.auth_id} {span.start}/{span.end}"
        read: dict[int, pl.DataFrame] = {}
        check_at = LEAST_PAGES
        for window in spread(key.encode()[:64], len(windows)):
            if 2 * len(read) > len(windows) and self._affords(len(windows) - len(read)):
                return self._read_whole()
            if self._is_spent:
                break
            gaps = subtract(windows[window], answers(self._client, self._question, span))
            missing = [part for gap in gaps for part in self._reader.read(gap).missing]
            if not missing:
                read[window] = self._stored(windows[window])
            if len(read) >= check_at:
                check_at = len(read) + 1 + len(read) // _CHECK_EVERY
                if self._is_narrow(self._sample_of(read, len(windows), None)):
                    break
        return self._answer(self._sample_of(read, len(windows), None))

    @property
    def _is_spent(self) -> bool:
        return self._most is not None and self._reader.requests >= self._most

    def _affords(self, requests: int) -> bool:
        """Whether a pull of so many pages stays within what was set."""
        return self._most is None or self._reader.requests + 2 * requests + 5 <= self._most

    def _is_narrow(self, sample: Sample) -> bool:
        return self._within is not None and sample.is_narrow(self._within, self._confidence)

    def _is_inside(self, record: Record) -> bool:
        return record.instant is not None and to_us(record.instant) in self._exact

    def _is_nearly_read(self) -> bool:
        """Whether the store holds so much that reading the rest takes no more than an estimate."""
        known = answers(self._client, self._question, self._listing)
        left = subtract(self._listing, known)
        missing = sum(gap.length for gap in left)
        covered = self._listing.length - missing
        if not left or not covered:
            return not left and self._listing.length > 0
        records = self._client.store.records(self._question.resource)
        rows = records.count(self._listing) * missing / covered
        expected = len(left) + round(rows / PAGE_ROWS)
        return expected <= LEAST_PAGES and self._affords(expected)

    def _stored(self, span: Span) -> pl.DataFrame:
        return stored(self._client, self._question, span.clip(self._exact))

    def _sample(self, listing: SampledListing) -> Sample:
        """The pages and, as one more before them, the live tail, which is read whole."""
        records = listing.records()
        for page, of_page in records.items():
            if page not in self._frames:
                inside = [r.row for r in of_page if r.row is not None and self._is_inside(r)]
                self._frames[page] = from_rows(inside, SESSIONS)
        frames = {page + 1: frame for page, frame in self._frames.items()}
        frames[0] = self._stored(self._tail)
        rows = {page + 1: sum(map(self._is_inside, of_page)) for page, of_page in records.items()}
        rows[0] = frames[0].height
        outside = sum(map(len, records.values())) - sum(rows.values()) + rows[0]
        low, high = listing.of_rows
        of_rows = low, high if high is not None else max(low, self._guess(records))
        shift = rows[0] - outside
        return self._sample_of(
            frames,
            listing.of_pages + 1,
            (max(0, of_rows[0] + shift), max(0, of_rows[1] + shift)),
            rows,
        )

    def _guess(self, records: Mapping[int, Sequence[Record]]) -> int:
        """How many rows there might be, before a page was met that is empty."""
        return 2 * PAGE_ROWS * (max(records, default=0) + 1)

    def _sample_of(
        self,
        frames: Mapping[int, pl.DataFrame],
        of_pages: int,
        of_rows: tuple[int, int] | None,
        rows: Mapping[int, int] | None = None,
    ) -> Sample:
        """Pages as sums by group. What each session adds is worked out once."""
        everything = pl.concat(
            [frame.with_columns(pl.lit(page).alias("page")) for page, frame in frames.items()]
            or [from_rows([], SESSIONS).with_columns(pl.lit(0).alias("page"))]
        )
        new = everything.unique("session_uuid", maintain_order=True).drop("page")
        if self._measured.height:
            new = new.join(self._measured, on="session_uuid", how="anti")
        if new.height:
            self._measured = pl.concat([self._measured, _measured(new)], how="diagonal")
        groups: dict[int, dict[tuple[str | None, ...], Sums]] = {page: {} for page in frames}
        if everything.height:
            keys = list(dict.fromkeys(self._by))
            summed = (
                everything.select("page", "session_uuid", *keys)
                .join(self._measured, on="session_uuid", how="left")
                .group_by("page", *keys)
                .agg(pl.col(Sums._fields).sum())
            )
            for row in summed.iter_rows(named=True):
                group = tuple(row[name] for name in self._by)
                groups[row["page"]][group] = Sums(*(row[name] for name in Sums._fields))
        return Sample(groups, of_pages, of_rows, rows)

    def _read_whole(self) -> Estimate:
        """Read what is left by a pull, whose proof makes the numbers exact."""
        start, end = self._exact.datetimes()
        question = replace(self._question, period=lambda _: (start, end))
        pulled = pull(self._client, question, watch=self._bar)
        self._reader.requests += pulled.requests
        frame = stored(self._client, question, pulled.span)
        lacking = shortfall(pulled, to_backend(frame, self._backend))
        if lacking is not None:
            raise lacking
        sample = self._sample_of({0: frame}, 1, (frame.height, frame.height))
        return self._answer(sample, exact=True)

    def _answer(self, sample: Sample, *, exact: bool = False) -> Estimate:
        for doubt in set_aside_warnings(self._client, self._question.resource, self._exact):
            self._warn(doubt)
        rows = []
        groups: list[Any] = sample.groups() if self._by else [None]
        if exact and not any(sample.pages.values()):
            groups = []  # as in the metrics: no row without sessions
        for group in groups:
            row: dict[str, Any] = dict(zip(self._by, group or (), strict=False))
            for measure in MEASURES:
                number = sample.estimate(group, measure, self._confidence)
                row |= {
                    measure: number.value,
                    f"{measure}_low": number.low,
                    f"{measure}_high": number.high,
                }
            rows.append(row)
        schema = dict.fromkeys(self._by, pl.String) | dict.fromkeys(_NUMBERS, pl.Float64)
        total = {m: sample.estimate(None, m, self._confidence) for m in MEASURES}
        read = round(sum(sums.sessions for page in sample.pages.values() for sums in page.values()))
        of: tuple[int, int | None] = sample.of_rows or (read, None)
        if sample.of_rows is None and total["sessions"].high is not None:
            of = round(total["sessions"].low or 0), round(total["sessions"].high)
        since, until = self._exact.datetimes()
        return Estimate(
            frame=to_backend(pl.DataFrame(rows, schema=schema), self._backend),
            requests=self._reader.requests,
            read=read,
            of=of[0] if of[0] == of[1] else of,
            exact=exact,
            since=since,
            until=until,
            confidence=self._confidence,
            total=total,
            currency=self._client.currency,
        )

    @staticmethod
    def _warn(sentence: str) -> None:
        warnings.warn(sentence, PlivoAnalysisWarning, stacklevel=5)


def _measured(sessions: pl.DataFrame) -> pl.DataFrame:
    """What each session adds to the sums, by the metrics themselves: one definition of each."""
    key = "session_uuid"
    success = success_rates(sessions, by=key).select(key, "sessions", "settled", "verified")
    fallback = fallback_rates(sessions, by=key).select(key, "fell_back", evaluable="sessions")
    billed = spend(sessions, by=key).select(key, spend="amount")
    cost = cost_per_verified(sessions, by=key).select(key, settled_charge="total_charge")
    joined: pl.DataFrame = success
    for part in (fallback, billed, cost):
        joined = joined.join(part, on=key, how="left")
    return joined.select(key, pl.col(Sums._fields).cast(pl.Float64).fill_null(0.0))
