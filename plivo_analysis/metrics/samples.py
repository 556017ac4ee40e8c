"""What some pages of a listing say of all of it, with intervals. It asks nothing.

A listing of N rows, newest first, is cut into M pages, of which some are read, spread over it.
An unread page is taken to be like its two read neighbours, so that each read page counts for
itself and half of the unread ones on either side: its weight w. With a and b a page's sums of a
measure and of what it is divided by (rows, for a total),

    R = Σwa ÷ Σwb                                     the ratio; a total is N · R
    z = a − R · b                                     a page's departure from it
    s² = Σ (z of a page − z of the next read one)² ÷ 2g
    v = s² · (Σ(w − 1)² + M − n) ÷ (Σwb)²             the variance of R

over the g neighbouring read pages that have unread ones between them. Differences of neighbours,
not departures from the mean: traffic has days and weeks, and a sample that is spread over them
does not err by them. Sources: Cochran 1977 (cluster sampling, ratio estimators), Wolter 2007
(successive differences), Brown, Cai & DasGupta 2001 (Wilson's interval).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from math import exp, sqrt
from operator import add, mul
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from plivo_analysis.metrics.cost import cost_per_verified
from plivo_analysis.metrics.fallback import fallback_rates
from plivo_analysis.metrics.intervals import student_quantile
from plivo_analysis.metrics.spend import spend
from plivo_analysis.metrics.success import success_rates

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LEAST_PAGES = 20
"""Nothing is said of fewer pages."""

_LEAST_SPREAD = 10  # pages that an unevenly read half is worth: (Σw)² ÷ Σw²
_LEAST_GROUP_PAGES = 5  # a group on fewer shows how many sessions it has, and nothing else
_LEAST_AMOUNTS = 30  # pages of like money that the pages are worth: (Σy)² ÷ Σy²
_MOST_WAIT = 100  # pages after which a wanted width may end the reading at any rate
_WAIT_SHARE = 5  # or after one page of so many
_CARRIED = 2 / 3  # of the pairs: what successive differences carry as degrees of freedom

_PARTS = {
    "sessions": ("sessions", ""),
    "spend": ("spend", ""),
    "success_rate": ("verified", "settled"),
    "fallback_rate": ("fell_back", "evaluable"),
    "cost_per_verified": ("settled_charge", "verified"),
}  # a sum and what it is divided by; nothing for a total
_MONEY = ("spend", "settled_charge")

MEASURES = tuple(_PARTS)
"""What is estimated of each group, in the order of the columns."""


class Sums(NamedTuple):
    """What sessions of one group on one page add up to.

    Args:
        sessions: All of them.
        settled: Verified or expired.
        verified: Verified.
        evaluable: Settled, with steps that tell whether they fell back.
        fell_back: Of the evaluable ones, those with a switch of channel.
        spend: What they were billed, as far as it is known.
        settled_charge: The ``total_charge`` of the settled ones.
    """

    sessions: float = 0.0
    settled: float = 0.0
    verified: float = 0.0
    evaluable: float = 0.0
    fell_back: float = 0.0
    spend: float = 0.0
    settled_charge: float = 0.0

    def __add__(self, other: tuple[float, ...]) -> Sums:  # type: ignore[override]
        return Sums(*map(add, self, other))


@dataclass(frozen=True, slots=True)
class Interval:
    """A number, and between what it lies; all None where it is too early to say.

    Example:
        >>> Interval.exact(0.5)
        Interval(value=0.5, low=0.5, high=0.5)
    """

    value: float | None = None
    low: float | None = None
    high: float | None = None

    @classmethod
    def exact(cls, value: float | None) -> Interval:
        """A number that is known."""
        return cls(value, value, value)

    def times(self, low: float, value: float, high: float) -> Interval:
        """A share of a total that is itself known between bounds."""
        if self.value is None or self.low is None or self.high is None:
            return self
        return Interval(self.value * value, self.low * low, self.high * high)

    @property
    def half_width(self) -> float | None:
        """Half of its width as a part of the number; None where there is none."""
        if not self.value or self.low is None or self.high is None:
            return None
        return (self.high - self.low) / 2 / self.value


TOO_EARLY = Interval()


@dataclass(slots=True)
class Sample:
    """Which pages of a listing are read, and what they hold.

    Args:
        pages: The sums of each read page by group, by the page's position from 0.
        of_pages: How many pages there are.
        of_rows: Between how many and how many rows there are; alike where they are counted, the
            second None where nothing bounds them yet. None where pages are windows of time: then
            a total is of windows, not of rows.
        rows: How many rows each page holds, also those that are not fit for a table; by default
            its sessions.

    Example:
        >>> read = {page: {(): Sums(20, spend=1.0)} for page in range(0, 140, 4)}
        >>> Sample(read, 140, (2800, 2800)).estimate((), "spend", 0.95)
        Interval(value=140.0, low=140.0, high=140.0)
    """

    pages: Mapping[int, Mapping[tuple[str | None, ...], Sums]]
    of_pages: int
    of_rows: tuple[int, int | None] | None
    rows: Mapping[int, int] | None = None
    _positions: list[int] = field(init=False)
    _weights: list[float] = field(init=False)
    _apart: list[int] = field(init=False)
    _all: list[Sums] = field(init=False)

    def __post_init__(self) -> None:
        self._positions = sorted(self.pages)
        gaps = [later - page - 1 for page, later in pairwise(self._positions)]
        weights = [1.0] * len(self._positions)
        if self._positions:  # unread pages at either end count whole to the page at that end
            weights[0] += self._positions[0]
            weights[-1] += self.of_pages - 1 - self._positions[-1]
        for place, gap in enumerate(gaps):
            weights[place] += gap / 2
            weights[place + 1] += gap / 2
        self._weights = weights
        self._apart = [place for place, gap in enumerate(gaps) if gap]
        self._all = [sum(self.pages[page].values(), Sums()) for page in self._positions]

    @property
    def is_enough(self) -> bool:
        """Whether the pages say anything of those that are not read.

        Not below 20 pages; nor while nearly all of the weight lies on a few of them, as when the
        newest part was read densely and hardly anything of the rest; nor while it is not known
        at all how many there are.
        """
        if self.of_rows is not None and self.of_rows[1] is None:
            return False
        if len(self._positions) >= self.of_pages:
            return True
        if len(self._positions) < LEAST_PAGES or not self._apart:
            return False
        squares = sum(weight * weight for weight in self._weights)
        return sum(self._weights) ** 2 >= _LEAST_SPREAD * squares

    def groups(self) -> list[tuple[str | None, ...]]:
        """The groups met so far, by text, nulls last."""
        met = {group for page in self.pages.values() for group in page}
        return sorted(met, key=lambda group: [(word is None, word or "") for word in group])

    def regrouped(self, places: Sequence[int]) -> Sample:
        """The same pages, their groups told by some of the columns: those at these places.

        Example:
            >>> page = {("sms", "IN"): Sums(2), ("sms", "BD"): Sums(3), ("voice", "IN"): Sums(4)}
            >>> by_country = Sample({0: page}, 1, (9, 9)).regrouped([1])
            >>> by_country.groups(), by_country.estimate(("IN",), "sessions", 0.95).value
            ([('BD',), ('IN',)], 6.0)
        """
        pages: dict[int, dict[tuple[str | None, ...], Sums]] = {page: {} for page in self.pages}
        for page, groups in self.pages.items():
            for group, sums in groups.items():
                kept = tuple(group[place] for place in places)
                pages[page][kept] = pages[page].get(kept, Sums()) + sums
        return Sample(pages, self.of_pages, self.of_rows, self.rows)

    def is_narrow(self, within: float, confidence: float) -> bool:
        """Whether spend is known within a part of itself, on enough pages to trust that."""
        if len(self._positions) < earliest_stop(self.of_pages):
            return False
        half = self.estimate(None, "spend", confidence).half_width
        return half is not None and half <= within

    def estimate(
        self, group: tuple[str | None, ...] | None, measure: str, confidence: float
    ) -> Interval:
        """One measure of one group.

        Args:
            group: The group; None for all sessions.
            measure: One of ``MEASURES``.
            confidence: The coverage of the interval.

        Returns:
            The number and its interval: sessions; money in the account's currency; a rate as a
            part of one. ``TOO_EARLY`` where the pages do not say enough.
        """
        of_sum, of_whole = _PARTS[measure]
        in_total = not of_whole
        # A total is known as well as the number of rows is.
        low, high = self.of_rows or (self.of_pages, self.of_pages)
        if high is None:
            return TOO_EARLY
        bounds = low, (low + high) / 2, high
        everything = [float(page.sessions) for page in self._all]
        if self.of_rows is None:
            rows = [1.0] * len(everything)
        elif self.rows is None:
            rows = everything
        else:
            rows = [float(self.rows[page]) for page in self._positions]
        counted = self.of_rows is not None and everything == rows
        if measure == "sessions" and group is None and counted:
            return Interval.exact(1.0).times(*bounds)  # counted, not estimated
        if not self.is_enough:
            return TOO_EARLY
        sums = [
            page if group is None else self.pages[position].get(group, Sums())
            for position, page in zip(self._positions, self._all, strict=True)
        ]
        met = sum(bool(page.sessions) for page in sums)
        is_sample = len(sums) < self.of_pages
        if measure != "sessions" and is_sample and met < _LEAST_GROUP_PAGES:
            return TOO_EARLY
        if of_sum in _MONEY and is_sample:
            spent, squares = sum(page.spend for page in sums), sum(page.spend**2 for page in sums)
            # Where few pages hold most of the money, the next such page decides.
            if spent * spent < _LEAST_AMOUNTS * squares:
                return TOO_EARLY
        parts = [float(getattr(page, of_sum)) for page in sums]
        wholes = [float(getattr(page, of_whole)) for page in sums] if of_whole else rows
        # Sessions a window of time are no share of anything.
        is_share = of_sum not in _MONEY and not (in_total and self.of_rows is None)
        pages = met if in_total else sum(map(bool, wholes))
        interval = self._ratio(parts, wholes, pages, confidence, is_share=is_share)
        return interval.times(*bounds) if in_total else interval

    def _ratio(
        self,
        parts: Sequence[float],
        wholes: Sequence[float],
        met: int,
        confidence: float,
        *,
        is_share: bool,
    ) -> Interval:
        """A ratio of sums over all pages, from those read, met on so many of these."""
        whole = sum(map(mul, self._weights, wholes))
        if not whole:
            return TOO_EARLY
        ratio = sum(map(mul, self._weights, parts)) / whole
        unread = self.of_pages - len(parts)
        if not unread:
            return Interval.exact(ratio)
        departures = [part - ratio * of for part, of in zip(parts, wholes, strict=True)]
        pairs = len(self._apart)
        squares = sum((departures[at + 1] - departures[at]) ** 2 for at in self._apart)
        carried = sum((weight - 1) ** 2 for weight in self._weights) + unread
        variance = squares / (2 * pairs) * carried / whole**2
        degrees = max(2.0, _CARRIED * pairs)
        if met < len(parts):  # a group that few pages hold is known from these few
            degrees = max(1.0, min(degrees, met - 1.0))
        t = student_quantile(confidence, degrees)
        if is_share:
            plain = sum(wholes) / (1 - len(parts) / self.of_pages)
            return _wilson(ratio, variance, plain, t)
        if not ratio:
            return TOO_EARLY
        factor = exp(t * sqrt(variance) / ratio)
        return Interval(ratio, ratio / factor, ratio * factor)


def earliest_stop(of_pages: int) -> int:
    """After how many of so many pages a narrow interval may be believed.

    In a calm account with one costly day the first pages agree, and the interval is narrow
    before the day was met: so not before a hundred pages, or a fifth of all.

    Example:
        >>> earliest_stop(5_000), earliest_stop(250), earliest_stop(30), earliest_stop(7)
        (100, 50, 20, 7)
    """
    return min(_MOST_WAIT, max(LEAST_PAGES, of_pages // _WAIT_SHARE), of_pages)


def _wilson(rate: float, variance: float, trials: float, t: float) -> Interval:
    """Wilson's interval for as many independent trials as would vary like the pages do.

    Where the pages do not vary, at a rate of 0 or 1, it takes them for as many trials as they
    have rows: else the interval would be a point. So it does where they vary less than that.
    """
    if variance:
        trials = min(trials, rate * (1 - rate) / variance)
    square = t * t
    centre = trials * rate + square / 2
    half = t * sqrt(max(0.0, trials * rate * (1 - rate)) + square / 4)
    low, high = (centre - half) / (trials + square), (centre + half) / (trials + square)
    # At 0 and at 1 the interval ends there; floats would miss it by a hair.
    return Interval(rate, min(rate, max(0.0, low)), max(rate, min(1.0, high)))


def page_sums(
    sessions: pl.DataFrame, by: Sequence[str] = ()
) -> dict[int, dict[tuple[str | None, ...], Sums]]:
    """What the sessions of each page add up to, by group, by the metrics themselves.

    Args:
        sessions: A sessions table in polars, with a column ``page``. A session may be on two
            pages, where rows came in above while they were read.
        by: The columns to group by.

    Example:
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> page_sums(pl.DataFrame(schema=SESSIONS.polars()).with_columns(page=0))
        {}
    """
    pages: dict[int, dict[tuple[str | None, ...], Sums]] = {}
    if not sessions.height:
        return pages
    once = sessions.unique("session_uuid", maintain_order=True).drop("page")
    keys = list(dict.fromkeys(by))
    summed = (
        sessions.select("page", "session_uuid", *keys)
        # In one order, so that the same pages give the same numbers to the last digit.
        .join(_measured(once), on="session_uuid", how="left", maintain_order="left")
        .group_by("page", *keys, maintain_order=True)
        .agg(pl.col(Sums._fields).sum())
    )
    for row in summed.iter_rows(named=True):
        group = tuple(row[name] for name in by)
        pages.setdefault(row["page"], {})[group] = Sums(*(row[name] for name in Sums._fields))
    return pages


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
