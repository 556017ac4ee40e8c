"""Days on which one country had far more sessions than it usually has.

A reading aid for the report's first lines, not a verdict: the largest run of days around a
country's highest day on which it had at least twice its median day, and three times at the
highest. Medians count every day of the period, so a country that is new has a median of 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import median
from typing import TYPE_CHECKING, Any

from plivo_analysis.figures import time_axis
from plivo_analysis.metrics.spend import spend
from plivo_analysis.metrics.success import success_rates
from plivo_analysis.report.measures import COUNTRY

if TYPE_CHECKING:
    from plivo_analysis.report.measures import Measures

_FEWEST_DAYS = 8
_FEWEST_SESSIONS = 20
_LEAST_SHARE = Decimal("0.01")
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Burst:
    """A country's days above its usual.

    Args:
        country: Its two letters.
        first: The first of the days.
        last: The last of the days.
        sessions: Sessions that began on them.
        verified: How many of those verified.
        spent: What they cost, as far as it is known.
        usual: The median day's sessions.

    Example:
        >>> day = datetime(2026, 10, 12)
        >>> Burst("BD", day, day, 300, 60, Decimal(90), 15.0).country
        'BD'
    """

    country: str
    first: datetime
    last: datetime
    sessions: int
    verified: int
    spent: Decimal
    usual: float


def largest(numbers: Measures) -> Burst | None:
    """The burst that cost most, where any cost at least one part in a hundred of all spend.

    Example:
        >>> import polars as pl
        >>> from plivo_analysis.report.measures import count_up
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> largest(count_up(pl.DataFrame(schema=SESSIONS.polars()), None)) is None
        True
    """
    days = numbers.starts()
    if numbers.period is None or numbers.period.every != "1d" or len(days) < _FEWEST_DAYS:
        return None
    time: dict[str, Any] = {"every": "1d", "tz": numbers.period.zone.key}
    counts: dict[str, dict[datetime, tuple[int, int]]] = {}
    for row in success_rates(numbers.sessions, by=COUNTRY, **time).rows(named=True):
        if country := row[COUNTRY[0]]:
            at = time_axis.wall(row["period"])
            counts.setdefault(country, {})[at] = (row["sessions"], row["verified"])
    spent = {
        (row[COUNTRY[0]], time_axis.wall(row["period"])): row["amount"] or Decimal(0)
        for row in spend(numbers.charges, by=COUNTRY, **time).rows(named=True)
    }
    found = (_burst(country, by_day, days, spent) for country, by_day in counts.items())
    bursts = [burst for burst in found if burst and burst.spent > numbers.spent * _LEAST_SHARE]
    return max(bursts, key=lambda burst: (burst.spent, burst.country), default=None)


def _burst(
    country: str,
    by_day: dict[datetime, tuple[int, int]],
    days: list[datetime],
    spent: dict[tuple[str, datetime], Decimal],
) -> Burst | None:
    sessions = {day: by_day.get(day, (0, 0))[0] for day in days}
    usual = float(median(sessions.values()))
    level = 2 * max(usual, 1.0)
    peak = max(days, key=lambda day: sessions[day])
    if sessions[peak] < level * 1.5:
        return None
    run = [peak]
    while sessions.get(run[0] - _DAY, 0) >= level:
        run.insert(0, run[0] - _DAY)
    while sessions.get(run[-1] + _DAY, 0) >= level:
        run.append(run[-1] + _DAY)
    counted = sum(sessions[day] for day in run)
    if len(run) > len(days) // 4 or counted < _FEWEST_SESSIONS:
        return None
    return Burst(
        country=country,
        first=run[0],
        last=run[-1],
        sessions=counted,
        verified=sum(by_day[day][1] for day in run),
        spent=sum((spent.get((country, day), Decimal(0)) for day in run), Decimal(0)),
        usual=usual,
    )
