"""What a figure shows, as plain data: series, colours, order and words, but no drawing yet.

Prepared once, written twice: by plotly for notebooks (``bars``, ``rates``) and as SVG for pages
that run no program (``svg``). What both would have to agree on is here.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import ceil, floor
from typing import TYPE_CHECKING, Any, TypeVar

from plivo_analysis.api.checks import required_text
from plivo_analysis.api.vocabulary import UNKNOWN
from plivo_analysis.errors import SchemaError
from plivo_analysis.figures import style, time_axis
from plivo_analysis.figures.rows import CURRENCY, PERIOD, MetricRows, Row, hue, key, title
from plivo_analysis.values.typesetting import money, percent, percent_range, plural

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from datetime import datetime

TOP = 12
"""How many groups are shown by name; what is left is shown as one."""


_STEPS = ((4, 1), (20, 5))  # below so many points, a scale with steps of so many
_WIDE_STEP = 10
_SMALL = 0.01  # of the largest group: an interval this wide would squeeze all others
_ZERO = Decimal(0)

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate with an interval, and the counts that it divides.

    Args:
        title: What the figure says above it.
        of: The column of the rate; its interval's have ``_low`` and ``_high`` behind it.
        part: The column of the numerator.
        whole: The column of the denominator.
        unit: What the denominator counts.

    Example:
        >>> REACHED.columns
        ('reached_rate', 'reached_rate_low', 'reached_rate_high')
    """

    title: str
    of: str
    part: str
    whole: str
    unit: str

    @property
    def columns(self) -> tuple[str, str, str]:
        """The columns of the rate, its lower and its upper bound."""
        return self.of, f"{self.of}_low", f"{self.of}_high"

    def heading(self, how: str) -> str:
        """What a figure says above it, with how it is divided."""
        what, unit = self.title.rsplit(", ", 1)
        return f"{what}{how}, {unit}"

    def scale_end(self, rows: Sequence[Row]) -> float:
        """The end of a scale that holds every dot, and every interval but very small groups'.

        Example:
            >>> rate = {"reached_rate": 0.5, "reached_rate_low": 0.4, "reached_rate_high": 0.6}
            >>> REACHED.scale_end([rate | {"attempts": 10}])
            0.6
        """
        known = [row for row in rows if row[self.of] is not None]
        fewest = _SMALL * max((row[self.whole] for row in known), default=0)
        ends = [row[self.columns[2 if row[self.whole] >= fewest else 0]] for row in known]
        return max(ends, default=0.0)


FALLBACK = Rate("Fallback rate, %", "fallback_rate", "fell_back", "sessions", "sessions")
REACHED = Rate("Reached, %", "reached_rate", "reached", "attempts", "attempts")
DELIVERED = Rate("Delivered, %", "delivered_rate", "delivered", "final", "messages")


@dataclass(frozen=True, slots=True)
class RateEstimate:
    """A rate and its interval, as fractions of 1, and the same in words.

    Example:
        >>> RateEstimate(0.5, 0.4, 0.6).words
        '50.0\u202f%, 95\u202f% interval 40.0–60.0\u202f%'
    """

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, row: Mapping[str, Any], column: str) -> RateEstimate | None:
        """The estimate of a metric's row; None where the rate is of nothing."""
        value, low, high = (row[f"{column}{end}"] for end in ("", "_low", "_high"))
        return None if value is None else cls(value, low, high)

    @property
    def percents(self) -> tuple[float, float, float]:
        """The rate and the two ends of its interval, of 100."""
        return self.value * 100, self.low * 100, self.high * 100

    @property
    def words(self) -> str:
        """The rate with its interval."""
        return f"{percent(self.value)}, 95\u202f% interval {self.interval}"

    @property
    def interval(self) -> str:
        """The interval alone."""
        return percent_range(self.low, self.high)


@dataclass(frozen=True, slots=True)
class RescueRange:
    """The share of sessions that fell back and verified, from what is proven to what may be.

    It is a range and no interval: every attempt carries the same code, so that which one was
    used cannot be known.

    Args:
        certain: The share that the log proves.
        last: The share whose last channel was not the entry channel.
        possible: The share that the log allows.

    Example:
        >>> RescueRange(0.5, 0.7, 0.8).shown
        '50–80\u202f%'
    """

    certain: float
    last: float
    possible: float

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> RescueRange | None:
        """The range of a row of ``fallback_rates``; None where no session fell back."""
        whole = row["fell_back"]
        if not whole:
            return None
        columns = ("rescued_certain", "rescued_last_touch", "rescued")
        return cls(*(row[column] / whole for column in columns))

    @property
    def shown(self) -> str:
        """The range in percent."""
        return percent_range(self.certain, self.possible, 0)

    @property
    def words(self) -> str:
        """The range with the last channel used."""
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
        words: What hovering over a bucket says of it; empty where it has no row.
    """

    name: str
    channel: str
    colour: str
    amounts: list[Decimal | None]
    words: list[str]

    @property
    def total(self) -> Decimal | None:
        """The sum of what is known."""
        return add_up(self.amounts)


@dataclass(frozen=True, slots=True)
class SpendOverTime:
    """What was spent in each bucket of time, by group.

    Args:
        starts: The buckets' starts.
        bucket: The word for one: hour, day, week or month.
        names: The buckets in words.
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
        """Prepare what ``spend`` gave with a period.

        Args:
            table: Its rows.
            currency: The account's currency.
            starts: All buckets to show; by default those of which there are rows.
            most: How many groups are shown by name, by what they cost; by default all.

        Raises:
            SchemaError: The amounts are of several currencies.
        """
        currency = sign_of(table, currency)
        # Rows find their bucket by the instant: two rows of the hour that comes twice in autumn
        # have one wall clock, and a day that has no midnight is written in two ways.
        found = {time_axis.instant(row[PERIOD]): row[PERIOD] for row in table.rows}
        every = list(starts) if starts is not None else [found[at] for at in sorted(found)]
        place = {time_axis.instant(start): number for number, start in enumerate(every)}
        bucket = time_axis.bucket(every)
        series = []
        for group in table.groups(table.by):
            rows = [row for row in table.rows if key(row, table.by) == group]
            name = title(group, table.by)
            amounts: list[Decimal | None] = [None] * len(every)
            words = [""] * len(every)
            for row in rows:
                at = place[time_axis.instant(row[PERIOD])]
                amounts[at] = row["amount"]
                words[at] = f"{money(row['amount'], currency)} {name}, {_lines(table, row)}"
            channel = channel_of(table, rows[0])
            series.append(Series(name, channel, hue(group, table.by), amounts, words))
        if most is not None:
            named, rest = largest(series, lambda group: group.total, most)
            series = [group for group in series if group in named]
            series += [_together(rest, currency)] if rest else []
        return cls(every, bucket, time_axis.bucket_names(every, bucket), series, currency)

    @property
    def totals(self) -> list[Decimal]:
        """What each bucket cost, in all."""
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
        """The highest bucket, its amount and its name, where there are several to compare.

        The median is named where no bucket is missing and the highest is well above it; what
        was not read whole is in no median.
        """
        totals = self.totals
        if len(totals) < 2 or max(self.heights) <= 0:  # noqa: PLR2004 - one is its own highest
            return None
        at = totals.index(max(totals))
        on = "in" if self.bucket in {"week", "month"} else "on"
        words = f"{on} {self.names[at]}"
        whole = sorted(total for place, total in enumerate(totals) if place not in unread)
        median = whole[len(whole) // 2] if len(whole) >= TOP // 2 else _ZERO
        unusual = median > 0 and totals[at] / median >= Decimal("1.5")
        if unusual and time_axis.unbroken(self.starts):
            words += f", {totals[at] / median:.1f} times the median {self.bucket}"
        return at, money(totals[at], self.currency), words

    def _buckets(self) -> list[tuple[Decimal | None, ...]]:
        if not self.series:
            return [()] * len(self.starts)
        return list(zip(*(series.amounts for series in self.series), strict=True))


def largest(
    groups: Sequence[_T], amount: Callable[[_T], Decimal | None], most: int = TOP
) -> tuple[list[_T], list[_T]]:
    """The groups to name, by amount, and the rest; a rest of one is named as well.

    The order is stable: groups of one amount stay as they were.

    Example:
        >>> largest([Decimal(1), Decimal(3), Decimal(2)], lambda amount: amount, most=1)
        ([Decimal('3')], [Decimal('2'), Decimal('1')])
    """
    ranked = sorted(groups, key=lambda group: -(amount(group) or _ZERO))
    named = len(ranked) if len(ranked) <= most + 1 else most
    return ranked[:named], ranked[named:]


def add_up(amounts: Any) -> Decimal | None:
    """The exact sum of the known ones of some amounts; None where none is known.

    Example:
        >>> add_up([Decimal("0.1"), None, Decimal("0.2")]), add_up([None])
        (Decimal('0.3'), None)
    """
    known = [amount for amount in amounts if amount is not None]
    return sum(known, _ZERO) if known else None


def sign_of(table: MetricRows, currency: str) -> str:
    """The currency of a table's amounts: its own word for it before the one given.

    Raises:
        SchemaError: They are of several currencies, which make no sum and no common scale.
        FilterError: The one given is no text.

    Example:
        >>> sign_of(MetricRows(rows=[], by=(), periodic=False, currency="INR"), "USD")
        'INR'
    """
    if CURRENCY not in table.by:
        return table.currency or required_text("currency", currency)
    words = {str(row[CURRENCY]).strip().upper() for row in table.rows if row[CURRENCY] is not None}
    if len(words) > 1:
        raise SchemaError(
            f"These amounts are in {len(words)} currencies ({', '.join(sorted(words))}), which "
            "have no scale in common. Draw the rows of one currency at a time.",
            available=table.by,
        )
    return words.pop() if words else currency


def channel_of(table: MetricRows, row: Row) -> str:
    """The channel of a row; empty where the table has no channels."""
    return str(row[table.channel] or UNKNOWN) if table.channel else ""


def round_ends(bounds: Sequence[float]) -> tuple[float, float]:
    """Round ends of a scale of rates, close enough around for intervals to be seen.

    Example:
        >>> round_ends([0.907, 0.904, 0.91])
        (0.9, 0.91)
    """
    low, high = min(bounds) * 100, max(bounds) * 100
    step = next((step for below, step in _STEPS if high - low < below), _WIDE_STEP)
    return floor(low / step) * step / 100, ceil(high / step) * step / 100


def _together(groups: Sequence[Series], currency: str) -> Series:
    """What is left of the groups, as one."""
    amounts = [add_up(parts) for parts in zip(*(g.amounts for g in groups), strict=True)]
    name = f"{len(groups)} others"
    words = ["" if amount is None else f"{money(amount, currency)} {name}" for amount in amounts]
    return Series(name, "", style.ALL, amounts, words)


def _lines(table: MetricRows, row: Row) -> str:
    if not table.channel:
        return plural(row["lines"], "line")
    # Money without a channel is one line a session; on a channel a line is an attempt's charge.
    without = style.hatch(channel_of(table, row))
    return plural(row["lines"], "session" if without else "attempt")
