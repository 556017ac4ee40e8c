"""The report's first paragraph: what was spent, what stands out, what a verified session cost.

Here are the facts. The template chooses the sentences by them, so that none says more than is
known.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from statistics import median
from typing import TYPE_CHECKING, Any

from plivo_analysis.figures.time_axis import instant
from plivo_analysis.metrics.certainty import Certainty
from plivo_analysis.metrics.sessions import success_rates
from plivo_analysis.metrics.spend import spend
from plivo_analysis.report.comparison import Difference
from plivo_analysis.report.measures import COUNTRY, Measures, add
from plivo_analysis.report.sections.header import section
from plivo_analysis.values.typesetting import MINUS

if TYPE_CHECKING:
    from datetime import datetime

    from plivo_analysis.report.measures import Row
    from plivo_analysis.report.subject import Subject

_MOST_OF = Decimal("0.5")  # of a rise: from here on one country is named for it
_ZERO = Decimal(0)
_FEWEST_DAYS = 8
_FEWEST_SESSIONS = 20
_LEAST_SHARE = Decimal("0.01")  # of all spend


@dataclass(frozen=True, slots=True)
class Burst:
    """Days on which one country had far more sessions than it usually has.

    A reading aid, not a verdict: the largest run of days around a country's highest day on
    which it had at least twice its median day, and three times at the highest. Medians count
    every day that was read whole, so a country that is new has a median of 0.

    Args:
        country: Its two letters.
        first: The first of the days.
        last: The last of the days.
        sessions: Sessions that began on them.
        verified: How many of those verified.
        spent: What they cost, as far as it is known.
        usual: The median day's sessions.

    Example:
        >>> from datetime import datetime
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


@section
def summary(subject: Subject) -> dict[str, Any]:
    """The paragraph; its template chooses the sentences by these facts."""
    numbers, before = subject.numbers, subject.before
    change = subject.change(*subject.both("spent"))
    moved = change.percent if change and numbers.spent else ""
    price, past = subject.both("cost_per_verified")
    difference = Difference.of(subject.compared, "cost_per_verified")
    return {
        "moved": moved.lstrip("+" + MINUS),
        # A change that rounds to nothing is neither more nor less.
        "direction": ("less" if moved.startswith(MINUS) else "more")
        if any(digit in moved for digit in "123456789")
        else "",
        "periods": [measured.complete for measured in (numbers, before) if measured],
        "burst": largest_burst(numbers),
        "rise": _rise(subject) if moved else None,
        "largest": _largest_country(numbers),
        "price": price,
        "past": past,
        "known": numbers.complete.ratio_of(numbers.totals["unpriced"]),
        # A change that chance can cause must not read like a finding.
        "by_chance": difference and difference.value and not difference.clear,
    }


def _rise(subject: Subject) -> dict[str, Any] | None:
    """Which country most of a rise or fall comes from, if one does."""
    if subject.compared is None:
        return None

    def moved(row: Row) -> Decimal:
        change = subject.change(row["spend_after"] or _ZERO, row["spend_before"] or _ZERO)
        return change.value if change else _ZERO

    rows = subject.changes["compare_by_country"].rows(named=True)
    # A country that only one period has cost nothing in the other, where `compare` gives null.
    changes = {row[COUNTRY[0]]: moved(row) for row in rows}
    # Of the same source as its parts: sessions without a total are in neither.
    whole = moved(subject.compared)
    if not whole:
        return None
    shares = {code: change / whole for code, change in changes.items()}
    code = max(shares, key=lambda code: (shares[code], code or ""))
    # More than the whole: others went the other way, so that the change is not "of" one country.
    if not _MOST_OF <= shares[code] <= 1:
        return None
    return {"share": shares[code], "name": "rise" if whole > 0 else "fall", "code": code}


def _largest_country(numbers: Measures) -> tuple[str | None, Decimal] | None:
    """The country that cost most, by its letters, where there are several."""
    amounts = numbers.amounts("spend_by_country", *COUNTRY)
    # Of one country it goes without saying, and of a sum below zero no part is the largest.
    if len(amounts) == 1 or numbers.spent <= 0:
        return None
    return max(amounts.items(), key=lambda one: (one[1], one[0] or ""))


def largest_burst(numbers: Measures) -> Burst | None:
    """The burst that cost most, where any cost at least one part in a hundred of all spend.

    Example:
        >>> import polars as pl
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> from plivo_analysis.metrics.certainty import Completeness
        >>> from plivo_analysis.report.measures import count_up
        >>> empty = pl.DataFrame(schema=SESSIONS.polars())
        >>> largest_burst(count_up(empty, None, Completeness(rows=0))) is None
        True
    """
    starts = numbers.starts
    if numbers.period is None or numbers.period.every != "1d" or len(starts) < _FEWEST_DAYS:
        return None
    time: dict[str, Any] = {"every": "1d", "tz": numbers.period.zone.key}
    rates = success_rates(numbers.sessions, by=COUNTRY, **time)
    spends = spend(numbers.charges, by=COUNTRY, **time)
    place = {instant(start): number for number, start in enumerate(starts)}
    by_country: dict[str, list[Row | None]] = {}
    for row in rates.join(spends, on=["period", *COUNTRY], how="left").rows(named=True):
        if code := row[COUNTRY[0]]:  # sessions without a country are of no country with a burst
            by_day = by_country.setdefault(code, [None] * len(starts))
            by_day[place[instant(row["period"])]] = row
    # A day that was read in part would pull the median down, and make a burst of the day beside it.
    read = [known is Certainty.EXACT for known in numbers.certainty]
    found = (_burst(code, by_day, starts, read) for code, by_day in by_country.items())
    bursts = [burst for burst in found if burst and burst.spent > numbers.spent * _LEAST_SHARE]
    return max(bursts, key=lambda burst: (burst.spent, burst.country), default=None)


def _burst(
    code: str, by_day: list[Row | None], starts: list[datetime], read: list[bool]
) -> Burst | None:
    sessions = [row["sessions"] if row else 0 for row in by_day]
    whole = [began for began, known in zip(sessions, read, strict=True) if known]
    if len(whole) < _FEWEST_DAYS:
        return None
    usual = float(median(whole))
    level = 2 * max(usual, 1.0)  # twice the median of a new country, 0, would be any day
    first = last = sessions.index(max(sessions))
    if sessions[first] < level * 1.5:  # three times the median at the highest, twice beside it
        return None
    # From the highest day outwards, as long as the days beside it are high too.
    while first > 0 and sessions[first - 1] >= level:
        first -= 1
    while last + 1 < len(sessions) and sessions[last + 1] >= level:
        last += 1
    run = [row for row in by_day[first : last + 1] if row]
    counted = sum(row["sessions"] for row in run)
    # What lasts for a quarter of the period is growth, and a handful of sessions is chance.
    if len(run) > len(sessions) // 4 or counted < _FEWEST_SESSIONS:
        return None
    return Burst(
        country=code,
        first=starts[first],
        last=starts[last],
        sessions=counted,
        verified=sum(row["verified"] for row in run),
        spent=add(row["amount"] for row in run),
        usual=usual,
    )
