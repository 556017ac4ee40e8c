"""Time on an axis: how wide a bucket is, where ticks stand and what they say.

Ticks are placed here, not by plotly, because its labels follow neither the week nor our
language. Positions are the wall clock of the period's own time zone.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from typing import TYPE_CHECKING

from plivo_analysis.values.typesetting import MONTHS, WEEKDAYS, day, weekday

if TYPE_CHECKING:
    from collections.abc import Sequence

_HOUR = timedelta(hours=1)
_HOURS = (1, 2, 3, 6, 12, 24)
_DAY = timedelta(days=1)
_NAMES = ((_DAY, "hour"), (timedelta(days=7), "day"), (timedelta(days=28), "week"))


def wall(period: datetime) -> datetime:
    """The wall clock of an instant's own zone: plotly knows no zones.

    Example:
        >>> from zoneinfo import ZoneInfo
        >>> wall(datetime(2026, 10, 1, tzinfo=ZoneInfo("Asia/Kolkata")))
        datetime.datetime(2026, 10, 1, 0, 0)
    """
    return period.replace(tzinfo=None)


def bucket(periods: Sequence[datetime]) -> str:
    """The word for the buckets that periods start: hour, day, week or month.

    Told from the smallest distance; a single period says nothing and is called a day.

    Example:
        >>> bucket([datetime(2026, 10, 5), datetime(2026, 10, 12)])
        'week'
    """
    apart = sorted({wall(period) for period in periods})
    # An hour of slack: where the clocks change a day has 23 hours.
    least = min((b - a for a, b in pairwise(apart)), default=_DAY) + _HOUR
    return next((name for below, name in _NAMES if least < below), "month")


def width(name: str) -> float | None:
    """How wide a bar is that stands for a bucket, in an axis' milliseconds; months vary.

    Without it a bar would be as wide as the smallest gap between those there are.

    Example:
        >>> width("hour"), width("month")
        (2880000.0, None)
    """
    whole = {"hour": _HOUR, "day": _DAY, "week": 7 * _DAY}
    return 0.8 * 1000 * whole[name].total_seconds() if name in whole else None


def unbroken(periods: Sequence[datetime]) -> bool:
    """Whether no bucket is left out between the first and the last.

    Example:
        >>> unbroken([datetime(2026, 10, day) for day in (1, 2, 4)])
        False
    """
    starts = sorted({wall(period) for period in periods})
    apart = [b - a for a, b in pairwise(starts)]
    # Months differ by three days at most, and no other bucket by more than the clocks' hour.
    months = bool(apart) and min(apart) > timedelta(days=27)
    return not apart or max(apart) - min(apart) < (timedelta(days=4) if months else 2 * _HOUR)


def said(period: datetime, name: str) -> str:
    """One bucket in words.

    Example:
        >>> said(datetime(2026, 10, 13), "day"), said(datetime(2026, 10, 13, 4), "hour")
        ('Tue 13 Oct', 'Tue 13 Oct 04:00')
        >>> said(datetime(2026, 10, 12), "week"), said(datetime(2026, 10, 1), "month")
        ('the week of 12 Oct', 'October 2026')
    """
    if name == "hour":
        return f"{weekday(period)} {period:%H:%M}"
    if name == "week":
        return f"the week of {day(period)}"
    return f"{MONTHS[period.month - 1]} {period.year}" if name == "month" else weekday(period)


def ticks(periods: Sequence[datetime], most: int = 6) -> tuple[list[datetime], list[str]]:
    """Where ticks stand, at most so many, and what they say.

    Example:
        >>> days = [datetime(2026, 10, 1) + timedelta(days=n) for n in range(31)]
        >>> ticks(days)[1]
        ['1 Oct', 'Mon 5', 'Mon 12', 'Mon 19', 'Mon 26']
        >>> ticks([])
        ([], [])
    """
    starts = sorted({wall(period) for period in periods})
    if not starts:
        return [], []
    name = bucket(starts)
    if name == "hour":
        return _hours(starts, most)
    if name == "day" and starts[-1] - starts[0] > timedelta(days=most):
        return _mondays(starts, most)
    kept = _thinned(starts, most)
    if name == "month":
        return kept, [f"{MONTHS[start.month - 1][:3]} {start.year}" for start in kept]
    return kept, [day(start) for start in kept]


def _hours(starts: Sequence[datetime], most: int) -> tuple[list[datetime], list[str]]:
    first, last = starts[0], starts[-1]
    hours = (last - first) // _HOUR + 1
    step = next((width for width in _HOURS if hours <= width * most), _HOURS[-1])
    every = [first + n * _HOUR for n in range(hours)]
    kept = _thinned([start for start in every if start.hour % step == 0], most)
    return kept, [f"{start:%H:%M}" if start.hour else day(start) for start in kept]


def _mondays(starts: Sequence[datetime], most: int) -> tuple[list[datetime], list[str]]:
    first, last = starts[0], starts[-1]
    monday = first + timedelta(days=-first.weekday() % 7)
    mondays = [monday + timedelta(weeks=n) for n in range((last - monday).days // 7 + 1)]
    # A Monday too close to the first day would have its label run into that one's.
    apart = max(timedelta(days=3), (last - first) / (2 * most - 2))
    mondays = [start for start in mondays if start - first >= apart]
    kept = _thinned(mondays, most - 1)
    long = last - first > timedelta(days=45)
    texts = [day(m) if long else f"{WEEKDAYS[m.weekday()]} {m.day}" for m in kept]
    return [first, *kept], [day(first), *texts]


def _thinned(starts: Sequence[datetime], most: int) -> list[datetime]:
    return list(starts[:: max(1, -(-len(starts) // most))])
