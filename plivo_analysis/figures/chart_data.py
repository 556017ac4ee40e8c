"""The data of a figure before it is drawn: series, colours, order and texts.

Plotly draws it for notebooks (``bars``, ``rates``), and ``svg`` for pages without scripts. What
the two drawings must have in common is prepared here once.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import ceil, floor
from typing import TYPE_CHECKING, Any, TypeVar

from plivo_analysis.api.checks import required_text
from plivo_analysis.errors import SchemaError
from plivo_analysis.figures import style, time_axis
from plivo_analysis.figures.rows import MetricRows, Row, group_title
from plivo_analysis.metrics.grouping import PERIOD
from plivo_analysis.values.typesetting import money, percent, percent_range, plural

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

TOP = 12
"""How many groups are shown by name; the rest is shown as one."""

_STEPS = ((4, 1), (20, 5))  # a range below so many points gets a scale in steps of so many
_WIDE_STEP = 10
_SMALL = 0.01  # of the largest group: the intervals of smaller ones would squeeze all others
_FEWEST_FOR_A_MEDIAN = 6  # buckets
_UNUSUAL = Decimal("1.5")  # times the median
_ZERO = Decimal(0)

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate with an interval, and the counts that it divides.

    Args:
        title: What the rate is; it is drawn in percent.
        of: The column of the rate; those of its interval have ``_low`` and ``_high`` behind it.
        part: The column of the numerator.
        whole: The column of the denominator.
        unit: One of what the denominator counts.
        pending: Columns of counts without an outcome, which a figure names beside the rate.

    Example:
        >>> REACHED.title, REACHED.unit
        ('Reached', 'attempt')
    """

    title: str
    of: str
    part: str
    whole: str
    unit: str
    pending: tuple[str, ...] = ()

    def scale_end(self, rows: Sequence[Row]) -> float:
        """The end of a scale for every dot, and for the intervals of all but very small groups.

        Example:
            >>> rate = {"reached_rate": 0.5, "reached_rate_low": 0.4, "reached_rate_high": 0.6}
            >>> REACHED.scale_end([rate | {"attempts": 10}])
            0.6
        """
        known = [row for row in rows if row[self.of] is not None]
        fewest = _SMALL * max((row[self.whole] for row in known), default=0)
        high = f"{self.of}_high"
        ends = [row[high if row[self.whole] >= fewest else self.of] for row in known]
        return max(ends, default=0.0)


FALLBACK = Rate("Fallback rate", "fallback_rate", "fell_back", "sessions", "session")
REACHED = Rate("Reached", "reached_rate", "reached", "attempts", "attempt", ("pending", "unknown"))
DELIVERED = Rate("Delivered", "delivered_rate", "delivered", "final", "message", ("pending",))


@dataclass(frozen=True, slots=True)
class RateEstimate:
    """A rate and its interval, as fractions of 1 and as text.

    Example:
        >>> RateEstimate(0.5, 0.4, 0.6).text
        '50.0\u202f%, 95\u202f% interval 40.0–60.0\u202f%'
    """

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, row: Mapping[str, Any], column: str) -> RateEstimate | None:
        """The estimate of a metric's row; None where its denominator is zero."""
        value, low, high = (row[f"{column}{end}"] for end in ("", "_low", "_high"))
        return None if value is None else cls(value, low, high)

    @property
    def percents(self) -> tuple[float, float, float]:
        """The rate and the two ends of its interval, in percent."""
        return self.value * 100, self.low * 100, self.high * 100

    @property
    def text(self) -> str:
        """The rate with its interval."""
        return f"{percent(self.value)}, 95\u202f% interval {self.interval}"

    @property
    def interval(self) -> str:
        """The interval alone, as text."""
        return percent_range(self.low, self.high)


@dataclass(frozen=True, slots=True)
class RescueRange:
    """The rescued share of the sessions that fell back: from what the log proves to what it allows.

    This is a range and no confidence interval: every attempt carries the same code, so that
    nothing tells which one was used.

    Args:
        certain: The share that the log proves.
        last: The share whose last channel was not the entry channel.
        possible: The share that the log allows.

    Example:
        >>> RescueRange(0.5, 0.7, 0.8).ends_text
        '50–80\u202f%'
    """

    certain: float
    last: float
    possible: float

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> RescueRange | None:
        """The range of a row of ``fallback_rates``; None where no session fell back."""
        if not row["fell_back"]:
            return None
        columns = ("rescued_certain", "rescued_last_touch", "rescued")
        return cls(*(row[column] / row["fell_back"] for column in columns))

    @property
    def ends_text(self) -> str:
        """The two ends in percent."""
        return percent_range(self.certain, self.possible, 0)

    @property
    def text(self) -> str:
        """Both ends, and the share by the last channel used."""
        return (
            f"certain {percent(self.certain)}, by the last channel used {percent(self.last)}, "
            f"possible {percent(self.possible)}"
        )


@dataclass(frozen=True, slots=True)
class Series:
    """Amounts of one group over time.

    Args:
        name: The group's name for people, not escaped.
        channel: The channel that its colour and hatching are of; empty where it is of none.
        colour: Its colour.
        amounts: One amount a bucket, None where none is known.
        hovers: What hovering over a bucket tells; empty where the group has no row in it.
    """

    name: str
    channel: str
    colour: str
    amounts: list[Decimal | None]
    hovers: list[str]

    @property
    def total(self) -> Decimal | None:
        """The sum of the known amounts."""
        return add_up(self.amounts)


@dataclass(frozen=True, slots=True)
class SpendOverTime:
    """What was spent in each bucket of time, by group.

    Args:
        starts: The buckets' starts.
        bucket: The word for one: hour, day, week or month.
        names: What each bucket is called.
        series: The groups, channels in their order.
        currency: The currency of all amounts.
    """

    starts: list[datetime]
    bucket: str
    names: list[str]
    series: list[Series]
    currency: str

    @classmethod
    def of(
        cls,
        table: MetricRows,
        currency: str,
        starts: Sequence[datetime] | None = None,
        most: int | None = None,
    ) -> SpendOverTime:
        """Prepare the result of ``spend`` with a period.

        Args:
            table: Its rows.
            currency: The account's currency.
            starts: All buckets to show; by default those that have rows.
            most: How many groups are shown by name, the dearest ones; by default all.

        Raises:
            SchemaError: The amounts are of several currencies.
        """
        currency = currency_of(table, currency)
        # Rows find their bucket by the instant: two rows of the hour that comes twice in autumn
        # have one wall clock, and a day that has no midnight is written in two ways.
        if starts is None:
            found = {time_axis.instant(row[PERIOD]): row[PERIOD] for row in table.rows}
            starts = [found[instant] for instant in sorted(found)]
        place = {time_axis.instant(start): number for number, start in enumerate(starts)}
        series = []
        for group, rows in table.groups(table.by).items():
            name, channel = group_title(group, table.by), table.channel_of(rows[0])
            # Money without a channel is a line a session; on a channel, each attempt has a line.
            line = "session" if style.hatch(channel) else "attempt" if channel else "line"
            amounts: list[Decimal | None] = [None] * len(starts)
            hovers = [""] * len(starts)
            for row in rows:
                at = place[time_axis.instant(row[PERIOD])]
                amounts[at] = row["amount"]
                lines = plural(row["lines"], line)
                hovers[at] = f"{money(row['amount'], currency)} {name}, {lines}"
            series.append(Series(name, channel, table.colour(rows[0]), amounts, hovers))
        if most is not None:
            # Chosen by amount, but shown in the order that channels have everywhere.
            order = {group.name: place for place, group in enumerate(series)}
            shown = with_rest(series, most, currency)
            series = sorted(shown, key=lambda group: order.get(group.name, len(order)))
        bucket = time_axis.bucket(starts)
        return cls(list(starts), bucket, time_axis.bucket_names(starts, bucket), series, currency)

    @property
    def totals(self) -> list[Decimal]:
        """The cost of each bucket."""
        return [add_up(parts) or _ZERO for parts in self._buckets()]

    @property
    def heights(self) -> list[Decimal]:
        """How high the bars of each bucket stand above zero."""
        return [add_up(p for p in parts if p and p > 0) or _ZERO for parts in self._buckets()]

    @property
    def depths(self) -> list[Decimal]:
        """How far the bars of each bucket hang below zero: zero, or negative."""
        return [add_up(p for p in parts if p and p < 0) or _ZERO for parts in self._buckets()]

    def peak(self, unread: Collection[int] = ()) -> tuple[int, str, str] | None:
        """The place of the highest bucket, its amount and its name, where there are several.

        The name is followed by how many times the median it is, where that is unusual and no
        bucket is missing. Buckets that were not read whole (``unread``) are not in the median.
        """
        totals = self.totals
        # Where credits outweigh the costs of every bucket, nothing stands above zero to be named.
        if len(totals) < 2 or max(self.heights) <= 0:  # noqa: PLR2004 - one is its own highest
            return None
        at = totals.index(max(totals))
        on = "in" if self.bucket in {"week", "month"} else "on"
        name = f"{on} {self.names[at]}"
        # A bucket that was read in part would make the median too low, and others look unusual.
        read = sorted(total for place, total in enumerate(totals) if place not in unread)
        median = read[len(read) // 2] if len(read) >= _FEWEST_FOR_A_MEDIAN else _ZERO
        unusual = median > 0 and totals[at] / median >= _UNUSUAL
        if unusual and time_axis.unbroken(self.starts):
            name += f", {totals[at] / median:.1f} times the median {self.bucket}"
        return at, money(totals[at], self.currency), name

    def _buckets(self) -> list[tuple[Decimal | None, ...]]:
        if not self.series:
            return [()] * len(self.starts)
        return list(zip(*(series.amounts for series in self.series), strict=True))


def largest(
    groups: Sequence[_T], amount: Callable[[_T], Decimal | None], most: int = TOP
) -> tuple[list[_T], list[_T]]:
    """The groups to name, the largest first, and the rest; a rest of one is named as well.

    Groups of the same amount keep their order.

    Example:
        >>> largest([Decimal(1), Decimal(3), Decimal(2)], lambda amount: amount, most=1)
        ([Decimal('3')], [Decimal('2'), Decimal('1')])
    """
    ranked = sorted(groups, key=lambda group: -(amount(group) or _ZERO))
    # "1 other" would take the line that the group itself can have.
    named = len(ranked) if len(ranked) <= most + 1 else most
    return ranked[:named], ranked[named:]


def add_up(amounts: Any) -> Decimal | None:
    """The exact sum of those amounts that are known; None where none is.

    Example:
        >>> add_up([Decimal("0.1"), None, Decimal("0.2")]), add_up([None])
        (Decimal('0.3'), None)
    """
    known = [amount for amount in amounts if amount is not None]
    return sum(known, _ZERO) if known else None


def currency_of(table: MetricRows, currency: str) -> str:
    """The currency of a table's amounts: the one that the table names, else the one given.

    Raises:
        SchemaError: They are of several currencies, which have no common scale.
        FilterError: The one given is no text.

    Example:
        >>> currency_of(MetricRows(rows=[], by=(), periodic=False, currencies=("INR",)), "USD")
        'INR'
    """
    named = table.currencies
    if len(named) > 1:
        raise SchemaError(
            f"These amounts are in {len(named)} currencies ({', '.join(named)}), which have no "
            "scale in common. Draw the rows of one currency at a time.",
            available=table.by,
        )
    return named[0] if named else required_text("currency", currency)


def round_ends(bounds: Sequence[float]) -> tuple[float, float]:
    """The ends of a scale around some rates, rounded outward to whole percents or steps of 5 or 10.

    Example:
        >>> round_ends([0.907, 0.904, 0.91])
        (0.9, 0.91)
    """
    low, high = min(bounds) * 100, max(bounds) * 100
    step = next((step for below, step in _STEPS if high - low < below), _WIDE_STEP)
    return floor(low / step) * step / 100, ceil(high / step) * step / 100


def with_rest(groups: Sequence[Series], most: int, currency: str) -> list[Series]:
    """So many groups, the largest first, and behind them all others added up as one.

    Example:
        >>> a, b, c = (Series(n, "", "#000000", [Decimal(1), None], ["", ""]) for n in "abc")
        >>> [(group.name, group.amounts) for group in with_rest([a, b, c], 1, "USD")]
        [('a', [Decimal('1'), None]), ('2 others', [Decimal('2'), None])]
    """
    named, rest = largest(groups, lambda group: group.total, most)
    if not rest:
        return named
    amounts = [add_up(parts) for parts in zip(*(group.amounts for group in rest), strict=True)]
    name = f"{len(rest)} others"
    hovers = ["" if amount is None else f"{money(amount, currency)} {name}" for amount in amounts]
    return [*named, Series(name, "", style.ALL_COLOUR, amounts, hovers)]
