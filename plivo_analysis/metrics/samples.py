"""Estimates of a whole listing from some of its pages, with intervals. It sends no request.

A listing of N rows, newest first, is cut into M pages, of which n are read, spread over it.
An unread page is assumed to be like its two read neighbours, so that each read page counts for
itself and for half of the unread ones on either side: its weight w. With a page's sums a of a
measure and b of what the measure is divided by (rows, for a total),

    R = Σwa ÷ Σwb                                     the ratio; a total is N · R
    z = a − R · b                                     a page's departure from it
    s² = Σ (z of a page − z of the next read one)² ÷ 2g
    v = s² · (Σ(w − 1)² + M − n) ÷ (Σwb)²             the variance of R

over the g pairs of neighbouring read pages that have unread ones between them. Differences of
neighbours, not departures from the mean, since traffic has a rhythm of days and weeks: a sample
that is spread over it evenly does not err by it, and s² must not count it as error. Sources:
Cochran 1977 (cluster sampling, ratio estimators), Wolter 2007 (successive differences), Brown,
Cai & DasGupta 2001 (Wilson's interval).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from math import exp, sqrt
from operator import add, mul
from typing import TYPE_CHECKING, NamedTuple

import polars as pl

from plivo_analysis.metrics.confidence_intervals import student_quantile, wilson
from plivo_analysis.metrics.fallback import fallback_rates
from plivo_analysis.metrics.sessions import cost_per_verified, success_rates
from plivo_analysis.metrics.spend import spend

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LEAST_PAGES = 20
"""Fewer pages give no estimate."""

# Kish's effective number: n unevenly weighted pages are worth (Σw)² ÷ Σw² evenly weighted ones.
_LEAST_SPREAD = 10
_LEAST_AMOUNTS = 30  # the same with the pages' amounts of money in the place of weights
_LEAST_GROUP_PAGES = 5  # a group on fewer shows how many sessions it has, and nothing else
_MOST_WAIT = 100  # pages after which a narrow interval is believed in any case
_WAIT_SHARE = 5  # or after one page in so many
_CARRIED = 2 / 3  # degrees of freedom of each pair: successive differences share their pages

# The sum that each measure is made of, and what it is divided by; nothing for a total.
_PARTS = {
    "sessions": ("sessions", ""),
    "spend": ("spend", ""),
    "success_rate": ("verified", "settled"),
    "fallback_rate": ("fell_back", "evaluable"),
    "cost_per_verified": ("settled_charge", "verified"),
}
# The sums of money: of which sessions, and how many of these have no known amount.
_MONEY = {"spend": ("sessions", "unpriced"), "settled_charge": ("settled", "settled_unpriced")}

MEASURES = tuple(_PARTS)
"""The estimates of each group, in the order of their columns."""


class Sums(NamedTuple):
    """The sums over the sessions of one group on one page.

    Args:
        sessions: All of them.
        settled: Verified or expired.
        verified: Verified.
        evaluable: Settled, with steps that tell whether they fell back.
        fell_back: Of the evaluable ones, those with a switch of channel.
        spend: Their known charges.
        settled_charge: The ``total_charge`` of the settled ones.
        unpriced: How many of all have no known charge.
        settled_unpriced: How many of the settled ones have no ``total_charge``.
    """

    sessions: float = 0.0
    settled: float = 0.0
    verified: float = 0.0
    evaluable: float = 0.0
    fell_back: float = 0.0
    spend: float = 0.0
    settled_charge: float = 0.0
    unpriced: float = 0.0
    settled_unpriced: float = 0.0

    def __add__(self, other: tuple[float, ...]) -> Sums:  # type: ignore[override]
        return Sums(*map(add, self, other))


class Interval(NamedTuple):
    """A number and the ends of its interval; all None where too little is read, or none is known.

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
    """The read pages of a listing and their sums.

    Args:
        pages: The sums of each read page by group, by the page's position from 0.
        of_pages: How many pages there are.
        of_rows: The least and the largest number of rows that there can be: the same once they
            are counted, the second None while it is not bounded. None where pages are windows of
            time, whose total is estimated from their number, not from rows.
        rows: How many rows each page holds, also those that no table takes; by default its
            sessions.

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
    _apart: list[int] = field(init=False)  # places of pages with unread ones before the next
    _all: list[Sums] = field(init=False)  # of each page, over its groups

    def __post_init__(self) -> None:
        self._positions = sorted(self.pages)
        gaps = [later - page - 1 for page, later in pairwise(self._positions)]
        weights = [1.0] * len(self._positions)
        if self._positions:  # unread pages at either end have one read neighbour only
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
        """Whether the read pages are enough for an estimate.

        They are not below 20 pages; nor while a few of them have nearly all of the weight, as
        when the newest part was read densely and hardly anything else; nor while nothing bounds
        the number of rows.
        """
        if self.of_rows is not None and self.of_rows[1] is None:
            return False
        if len(self._positions) >= self.of_pages:
            return True
        if len(self._positions) < LEAST_PAGES or not self._apart:
            return False
        # Ten pages read at one end and one at the other are worth little more than two.
        squares = sum(weight * weight for weight in self._weights)
        return sum(self._weights) ** 2 >= _LEAST_SPREAD * squares

    def groups(self) -> list[tuple[str | None, ...]]:
        """The groups seen so far, sorted as text, nulls last."""
        seen = {group for page in self.pages.values() for group in page}
        return sorted(seen, key=lambda group: [(word is None, word or "") for word in group])

    def regrouped(self, places: Sequence[int]) -> Sample:
        """The same pages grouped by some of the columns: those at these places.

        Example:
            >>> page = {("sms", "IN"): Sums(2), ("sms", "BD"): Sums(3), ("voice", "IN"): Sums(4)}
            >>> by_country = Sample({0: page}, 1, (9, 9)).regrouped([1])
            >>> by_country.groups(), by_country.estimate(("IN",), "sessions", 0.95).value
            ([('BD',), ('IN',)], 6.0)
        """
        pages: dict[int, dict[tuple[str | None, ...], Sums]] = {page: {} for page in self.pages}
        for page, groups in self.pages.items():
            for group, sums in groups.items():
                merged = tuple(group[place] for place in places)
                pages[page][merged] = pages[page].get(merged, Sums()) + sums
        return Sample(pages, self.of_pages, self.of_rows, self.rows)

    def is_narrow(self, within: float, confidence: float) -> bool:
        """Whether half of spend's interval is within a part of it, on enough pages to trust it."""
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
            part of one. ``TOO_EARLY`` where the pages are not enough.
        """
        part, whole = _PARTS[measure]
        is_total = not whole
        # The bounds of the number of rows bound each total.
        low, high = self.of_rows or (self.of_pages, self.of_pages)
        if high is None:
            return TOO_EARLY
        bounds = low, (low + high) / 2, high
        # Where each row is a session, counting rows has counted them: nothing is estimated.
        sessions = [page.sessions for page in self._all]
        if measure == "sessions" and group is None and self.of_rows and sessions == self._page_rows:
            return Interval.exact(1.0).times(*bounds)
        if not self.is_enough:
            return TOO_EARLY
        sums = [
            page if group is None else self.pages[position].get(group, Sums())
            for position, page in zip(self._positions, self._all, strict=True)
        ]
        if part in _MONEY:
            priced, unpriced = (sum(getattr(p, name) for p in sums) for name in _MONEY[part])
            if unpriced >= priced:  # nothing is known, which is not zero
                return TOO_EARLY
        pages_with_group = sum(bool(page.sessions) for page in sums)
        if len(sums) < self.of_pages:
            if measure != "sessions" and pages_with_group < _LEAST_GROUP_PAGES:
                return TOO_EARLY
            amounts = [page.spend for page in sums]
            squares = sum(amount**2 for amount in amounts)
            # Where few pages hold most of the money, one more such page would change the result.
            if part in _MONEY and sum(amounts) ** 2 < _LEAST_AMOUNTS * squares:
                return TOO_EARLY
        parts = [float(getattr(page, part)) for page in sums]
        # Only pages that hold something of the group tell how it spreads.
        if is_total:
            wholes, pages = self._page_rows, pages_with_group
        else:
            wholes = [float(getattr(page, whole)) for page in sums]
            pages = sum(map(bool, wholes))
        # The sessions of a window of time are no share of anything.
        is_share = part not in _MONEY and not (is_total and self.of_rows is None)
        interval = self._ratio(parts, wholes, pages, confidence, is_share=is_share)
        return interval.times(*bounds) if is_total else interval

    @property
    def _page_rows(self) -> list[float]:
        """What each page counts as in a total: its rows, or one where it is a window of time."""
        if self.of_rows is None:
            return [1.0] * len(self._positions)
        if self.rows is None:
            return [page.sessions for page in self._all]
        return [float(self.rows[position]) for position in self._positions]

    def _ratio(
        self,
        parts: Sequence[float],
        wholes: Sequence[float],
        pages: int,
        confidence: float,
        *,
        is_share: bool,
    ) -> Interval:
        """A ratio of sums over all pages, from the read ones, of which so many hold the group."""
        whole = sum(map(mul, self._weights, wholes))
        if not whole:
            return TOO_EARLY
        ratio = sum(map(mul, self._weights, parts)) / whole
        unread = self.of_pages - len(parts)
        if not unread:
            return Interval.exact(ratio)
        # The formulas of the module's docstring, by their names there: z, g, s², v.
        departures = [a - ratio * b for a, b in zip(parts, wholes, strict=True)]
        pairs = len(self._apart)
        squares = sum((departures[at + 1] - departures[at]) ** 2 for at in self._apart)
        carried = sum((weight - 1) ** 2 for weight in self._weights) + unread
        variance = squares / (2 * pairs) * carried / whole**2
        # Two degrees at least: with one, an interval of 95 % would be three times as wide.
        degrees = max(2.0, _CARRIED * pairs)
        if pages < len(parts):  # pages without the group tell nothing of its spread
            degrees = max(1.0, min(degrees, pages - 1.0))
        t = student_quantile(confidence, degrees)
        if is_share:
            # The trials of a simple random sample, with the correction for a finite population, or
            # fewer: the number of independent trials that would vary as the pages do. Pages that
            # do not vary, at a rate of 0 or 1, would be worth infinitely many, and the interval a
            # point.
            trials = sum(wholes) / (1 - len(parts) / self.of_pages)
            if variance and 0 < ratio < 1:
                trials = min(trials, ratio * (1 - ratio) / variance)
            return Interval(ratio, *wilson(ratio * trials, trials, t))
        if not ratio:
            return TOO_EARLY
        # An interval on the scale of logarithms: money is skewed, and its lower end stays above 0.
        factor = exp(t * sqrt(variance) / ratio)
        return Interval(ratio, ratio / factor, ratio * factor)


def earliest_stop(of_pages: int) -> int:
    """How many of so many pages must be read before a narrow interval is believed.

    In a calm account with one costly day the first pages agree, and the interval is narrow
    before that day is read: so not before a hundred pages, or a fifth of all.

    Example:
        >>> earliest_stop(5_000), earliest_stop(250), earliest_stop(30), earliest_stop(7)
        (100, 50, 20, 7)
    """
    return min(_MOST_WAIT, max(LEAST_PAGES, of_pages // _WAIT_SHARE), of_pages)


def page_sums(
    sessions: pl.DataFrame, by: Sequence[str] = ()
) -> dict[int, dict[tuple[str | None, ...], Sums]]:
    """The sums of each page by group, as the metrics count them.

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
        # Sums of floats depend on their order: the same pages must give the same last digit.
        .join(_measured(once), on="session_uuid", how="left", maintain_order="left")
        .group_by("page", *keys, maintain_order=True)
        .agg(pl.col(Sums._fields).sum())
    )
    for row in summed.iter_rows(named=True):
        group = tuple(row[name] for name in by)
        pages.setdefault(row["page"], {})[group] = Sums(*(row[name] for name in Sums._fields))
    return pages


def _measured(sessions: pl.DataFrame) -> pl.DataFrame:
    """What each session adds to the sums, from the metrics: each is defined in one place."""
    key = "session_uuid"
    success = success_rates(sessions, by=key).select(key, "sessions", "settled", "verified")
    fallback = fallback_rates(sessions, by=key).select(key, "fell_back", evaluable="sessions")
    billed = spend(sessions, by=key).select(
        key, spend="amount", unpriced=pl.col("amount").is_null()
    )
    cost = cost_per_verified(sessions, by=key).select(
        key, settled_charge="total_charge", settled_unpriced="unpriced"
    )
    joined: pl.DataFrame = success
    for part in (fallback, billed, cost):
        joined = joined.join(part, on=key, how="left")
    return joined.select(key, pl.col(Sums._fields).cast(pl.Float64).fill_null(0.0))
