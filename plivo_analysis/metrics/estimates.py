"""``Estimate``: an estimate of a whole listing as users see it, in numbers and in text."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl

from plivo_analysis.metrics.samples import MEASURES, Interval
from plivo_analysis.values.typesetting import (
    DASH,
    NOT_KNOWN,
    count,
    money,
    percent,
    percent_range,
    plural,
    unit_price,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from plivo_analysis.metrics.samples import Sample

_RATES = ("success_rate", "fallback_rate")
_COARSE = 20  # an interval that many units of money wide is shown without cents


class NumberText(NamedTuple):
    """A number of an estimate as text.

    Args:
        value: The number, with "≈" unless it is exact; sessions are exact once they are counted.
        interval: The interval; empty where it is one number, or there is none.
    """

    value: str
    interval: str


def number_text(
    measure: str, number: Interval, currency: str, *, exact: bool = False
) -> NumberText:
    r"""A number of an estimate as screen, command line and report show it.

    Args:
        measure: One of ``samples.MEASURES``.
        number: The number and its interval.
        currency: What amounts are in.
        exact: Whether all sessions are read, and that is proven.

    Example:
        >>> from plivo_analysis.metrics.samples import Interval
        >>> number_text("spend", Interval(2453.2, 2351.1, 2554.4), "USD")
        NumberText(value='≈ $2,453', interval='$2,351–$2,554')
        >>> number_text("success_rate", Interval(0.908, 0.902, 0.914), "USD").interval
        '90.2–91.4\u202f%'
        >>> number_text("sessions", Interval.exact(20.0), "USD")
        NumberText(value='20', interval='')
        >>> number_text("spend", Interval(), "USD").value
        'too early to say'
        >>> number_text("spend", Interval(), "USD", exact=True).value
        '–'
    """
    value, low, high = number
    if value is None or low is None or high is None:
        return NumberText(NOT_KNOWN if exact else "too early to say", "")
    if measure in _RATES:
        text, interval = percent(value), percent_range(low, high)
    else:

        def amount(number: float) -> str:
            if measure == "sessions":
                return count(round(number))
            if measure == "cost_per_verified":
                return unit_price(Decimal(number), currency)
            # Cents would feign a precision that the interval denies.
            return money(Decimal(number), currency, 0 if high - low > _COARSE else 2)

        text, interval = amount(value), f"{amount(low)}{DASH}{amount(high)}"
    is_known = exact or (measure == "sessions" and low == high)
    return NumberText(text if is_known else f"≈ {text}", "" if low == high else interval)


def group_text(
    row: Mapping[str, Any], measure: str, currency: str, *, exact: bool = False
) -> NumberText:
    """A number of one group as text.

    Args:
        row: A row of :attr:`Estimate.frame`.
        measure: One of ``samples.MEASURES``.
        currency: What amounts are in.
        exact: Whether all sessions are read, and that is proven.

    Example:
        >>> row = {"sessions": 29.5, "sessions_low": 20.2, "sessions_high": 41.0}
        >>> group_text(row, "sessions", "USD")
        NumberText(value='≈ 30', interval='20–41')
    """
    number = Interval(*(row[name] for name in columns_of(measure)))
    return number_text(measure, number, currency, exact=exact)


def groups_of(sample: Sample, by: Sequence[str], confidence: float) -> pl.DataFrame:
    """The estimates of each group, as in :attr:`Estimate.frame`.

    Args:
        sample: The pages.
        by: The columns that it is grouped by; without any there is one row of all.
        confidence: The coverage of the intervals.

    Example:
        >>> from plivo_analysis.metrics.samples import Sample, Sums
        >>> page = {("IN",): Sums(2), (None,): Sums(3)}
        >>> groups_of(Sample({0: page}, 1, (5, 5)), ["country"], 0.95)["sessions"].to_list()
        [2.0, 3.0]
    """
    groups: list[Any] = sample.groups() if by else [None]
    if len(sample.pages) >= sample.of_pages and not any(sample.pages.values()):
        groups = []  # as in the metrics, there is no row without sessions
    rows = []
    for group in groups:
        row: dict[str, Any] = dict(zip(by, group or (), strict=False))
        for measure in MEASURES:
            number = sample.estimate(group, measure, confidence)
            row |= dict(zip(columns_of(measure), number, strict=True))
        rows.append(row)
    numbers = [column for measure in MEASURES for column in columns_of(measure)]
    return pl.DataFrame(
        rows, schema=dict.fromkeys(by, pl.String) | dict.fromkeys(numbers, pl.Float64)
    )


def columns_of(measure: str) -> tuple[str, str, str]:
    """The columns of a measure: its value and the ends of its interval.

    Example:
        >>> columns_of("spend")
        ('spend', 'spend_low', 'spend_high')
    """
    return measure, f"{measure}_low", f"{measure}_high"


@dataclass(frozen=True, slots=True, repr=False)
class Estimate:
    """An estimate of a whole listing from some of its pages, at this moment.

    Args:
        frame: One row a group: the ``by`` columns, then ``sessions``, ``spend``,
            ``success_rate``, ``fallback_rate``, ``cost_per_verified``, each followed by
            ``…_low`` and ``…_high`` (Float64; null where it is too early to say, or nothing is
            known; alike where the numbers are exact). Money is in the account's currency.
        requests: How many requests this call took.
        read: How many sessions are read, of earlier calls too.
        of: How many there are; the least and the largest number while that is not known (None
            for the largest where nothing bounds it yet).
        exact: Whether all of them are read, so that nothing is estimated.
        since: The start of the range.
        until: Its end.
        at: When it was made, by the account's clock.
        confidence: The coverage of the intervals.
        total: Each measure of all sessions, whatever ``by`` names.
        currency: The currency of all amounts.

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
    at: datetime
    confidence: float
    total: Mapping[str, Interval] = field(repr=False)
    currency: str

    def __repr__(self) -> str:
        """The numbers with their intervals in a sentence, of what and from what they are."""
        numbers = {name: self.text(name) for name in self.total if name != "sessions"}
        listed = "; ".join(
            f"{name.replace('_', ' ')} {number.value}"
            + (f" ({number.interval})" if number.interval else "")
            for name, number in numbers.items()
        )
        span = f"{self.since:%Y-%m-%d %H:%M} to {self.until:%Y-%m-%d %H:%M} UTC"
        if self.exact:
            return f"{plural(self.read, 'session')} of {span}, all read: {listed}."
        return (
            f"{self.how_many} sessions of {span}: {listed}. Estimated at this moment from "
            f"{self.part}, read evenly over it, with intervals of {percent(self.confidence, 0)}; "
            "call again to read further."
        )

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self))}</p>"

    def text(self, measure: str) -> NumberText:
        """One of the numbers of all sessions, as text."""
        return number_text(measure, self.total[measure], self.currency, exact=self.exact)

    @property
    def how_many(self) -> str:
        """How many sessions there are, or can be, as text."""
        if isinstance(self.of, int):
            return f"{self.of:,}"
        low, high = self.of
        return f"at least {low:,}" if high is None else f"{low:,} to {high:,}"

    @property
    def part(self) -> str:
        """How much of the range is read, as text."""
        if not isinstance(self.of, int):
            return plural(self.read, "session")
        # A part must not be rounded to 100 %.
        return f"{percent(min(0.999, self.read / self.of if self.of else 0.0))} of the range"
