"""Time on an axis: the width of buckets, the positions of ticks and their texts.

Ticks are placed here, not by plotly, because its labels follow neither the week nor our
language. An axis knows no zones: positions are the wall clock of the period's own zone. Only
hours follow each other evenly, without the jump of a clock that is set back or forward.
"""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from plivo_analysis.values.typesetting import MINUS, MONTHS, day, weekday

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_HOUR = timedelta(hours=1)
_HOURS = (1, 2, 3, 6, 12, 24)
_DAY = timedelta(days=1)
_LENGTHS = {"hour": _HOUR, "day": _DAY, "week": timedelta(days=7)}
_NAMES = ((_DAY, "hour"), (timedelta(days=7), "day"), (timedelta(days=28), "week"))


def instant(period: datetime) -> datetime:
    """A period's start in UTC, by which periods are compared.

    Python compares two times of the same zone by their wall clocks, so that the hour that comes
    twice in autumn would be one.

    Example:
        >>> instant(datetime(2026, 10, 1)).isoformat()
        '2026-10-01T00:00:00+00:00'
    """
    return period.astimezone(UTC) if period.tzinfo else period.replace(tzinfo=UTC)


def positions(periods: Sequence[datetime]) -> list[datetime]:
    """The positions of buckets on an axis: datetimes without a zone, since plotly has none.

    Example:
        >>> from zoneinfo import ZoneInfo
        >>> positions([datetime(2026, 10, 1, tzinfo=ZoneInfo("Asia/Kolkata"))])
        [datetime.datetime(2026, 10, 1, 0, 0)]
    """
    walls = [period.replace(tzinfo=None) for period in periods]
    if not periods or bucket(periods) != "hour":
        return walls
    # Hours are spaced by the time that passes, as if the clock were never changed: else one of the
    # two hours of the same name would hide the other.
    first = min(periods, key=instant)
    return [first.replace(tzinfo=None) + (instant(at) - instant(first)) for at in periods]


def bucket(periods: Sequence[datetime]) -> str:
    """The word for the buckets that periods start: hour, day, week or month.

    Told from the smallest distance; a single period says nothing and is called a day.

    Example:
        >>> bucket([datetime(2026, 10, 5), datetime(2026, 10, 12)])
        'week'
    """
    # An hour of slack: where the clocks change a day has 23 hours.
    least = min(_distances(periods), default=_DAY) + _HOUR
    return next((name for below, name in _NAMES if least < below), "month")


def width(name: str) -> float | None:
    """The width of a bucket's bar, in the milliseconds of an axis; None for months, which vary.

    Without it, plotly makes bars as wide as the smallest gap between two of them.

    Example:
        >>> width("hour"), width("month")
        (2880000.0, None)
    """
    return 0.8 * 1000 * _LENGTHS[name].total_seconds() if name in _LENGTHS else None


def next_start(period: datetime, name: str) -> datetime:
    """The start of the bucket after one, on the same clock.

    Example:
        >>> next_start(datetime(2026, 12, 1), "month"), next_start(datetime(2026, 10, 5), "week")
        (datetime.datetime(2027, 1, 1, 0, 0), datetime.datetime(2026, 10, 12, 0, 0))
    """
    if name == "month":
        return (period.replace(day=1) + timedelta(days=31)).replace(day=1)
    return period + _LENGTHS[name]


def unbroken(periods: Sequence[datetime]) -> bool:
    """Whether no bucket is missing between the first and the last.

    Example:
        >>> unbroken([datetime(2026, 10, day) for day in (1, 2, 4)])
        False
    """
    apart = _distances(periods)
    # Months differ by three days at most, and no other bucket by more than the clocks' hour.
    months = bool(apart) and min(apart) > timedelta(days=27)
    return not apart or max(apart) - min(apart) < (timedelta(days=4) if months else 2 * _HOUR)


def bucket_names(periods: Sequence[datetime], name: str) -> list[str]:
    """What buckets are called; an hour that comes twice has its offset from UTC added.

    Example:
        >>> tuesday = datetime(2026, 10, 13, 4)
        >>> [bucket_names([tuesday], name)[0] for name in ("hour", "day", "week", "month")]
        ['Tue 13 Oct 04:00', 'Tue 13 Oct', 'the week of 13 Oct', 'October 2026']
        >>> from zoneinfo import ZoneInfo
        >>> hours = [datetime(2026, 11, 1, 1, fold=f, tzinfo=ZoneInfo("America/New_York"))
        ...          for f in (0, 1)]
        >>> bucket_names(hours, "hour")
        ['Sun 1 Nov 01:00 UTC−4', 'Sun 1 Nov 01:00 UTC−5']
    """
    written: dict[str, Callable[[datetime], str]] = {
        "hour": lambda period: f"{weekday(period)} {period:%H:%M}",
        "day": weekday,
        "week": lambda period: f"the week of {day(period)}",
        "month": lambda period: f"{MONTHS[period.month - 1]} {period.year}",
    }
    names = [written[name](period) for period in periods]
    counts = Counter(names)
    return [
        f"{text} {_offset(period)}" if counts[text] > 1 else text
        for text, period in zip(names, periods, strict=True)
    ]


def ticks(periods: Sequence[datetime], most: int = 6) -> tuple[list[datetime], list[str]]:
    """The positions of at most so many ticks, and their texts.

    Example:
        >>> days = [datetime(2026, 10, 1) + timedelta(days=n) for n in range(31)]
        >>> ticks(days)[1]
        ['1 Oct', 'Mon 5 Oct', 'Mon 12 Oct', 'Mon 19 Oct', 'Mon 26 Oct']
        >>> ticks([])
        ([], [])
    """
    starts = sorted({instant(period): period for period in periods}.values(), key=instant)
    if not starts:
        return [], []
    name = bucket(starts)
    if name == "hour":
        return _hour_ticks(starts, most)
    walls = positions(starts)
    if name == "day" and walls[-1] - walls[0] > timedelta(days=most):
        return _monday_ticks(walls[0], walls[-1], most)
    ticked = _thinned(walls, most)
    if name == "month":
        return ticked, [f"{MONTHS[start.month - 1][:3]} {start.year}" for start in ticked]
    return ticked, [day(start) for start in ticked]


def _hour_ticks(starts: Sequence[datetime], most: int) -> tuple[list[datetime], list[str]]:
    # Ticks stand at hours of the day that the step divides: 00:00, 06:00, 12:00.
    hours = (instant(starts[-1]) - instant(starts[0])) // _HOUR + 1
    step = next((width for width in _HOURS if hours <= width * most), _HOURS[-1])
    pairs = zip(positions(starts), starts, strict=True)
    ticked = _thinned([pair for pair in pairs if pair[1].hour % step == 0], most)
    texts = [f"{start:%H:%M}" if start.hour else day(start) for _, start in ticked]
    return [position for position, _ in ticked], texts


def _monday_ticks(first: datetime, last: datetime, most: int) -> tuple[list[datetime], list[str]]:
    # Python counts Monday as 0, so that this goes forward to the next one, or stays on it.
    monday = first + timedelta(days=-first.weekday() % 7)
    mondays = [monday + timedelta(weeks=n) for n in range((last - monday).days // 7 + 1)]
    # The label of a Monday too close to the first day would run into that day's label.
    apart = max(timedelta(days=3), (last - first) / (2 * most - 2))
    ticked = _thinned([monday for monday in mondays if monday - first >= apart], most - 1)
    text = day if last - first > timedelta(days=45) else weekday
    return [first, *ticked], [day(first), *map(text, ticked)]


def _thinned(starts: Sequence[Any], most: int) -> list[Any]:
    """Every second, third or further one, so that at most so many are left."""
    return list(starts[:: max(1, -(-len(starts) // most))])


def _distances(periods: Sequence[datetime]) -> list[timedelta]:
    return [after - at for at, after in pairwise(sorted({instant(period) for period in periods}))]


def _offset(period: datetime) -> str:
    hours = (period.utcoffset() or timedelta()) / _HOUR
    return f"UTC{MINUS if hours < 0 else '+'}{abs(hours):g}"
