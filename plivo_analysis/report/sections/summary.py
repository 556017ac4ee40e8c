"""The report's first paragraph: what was spent, what stands out, what a verified session cost.

Each sentence is chosen by what the numbers allow, so that none says more than is known: "at
least" where something is missing, "not read" where nothing was, nothing of a rise without a
period to compare with.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from statistics import median
from typing import TYPE_CHECKING, Any

from plivo_analysis.figures.time_axis import instant
from plivo_analysis.metrics.certainty import Certainty
from plivo_analysis.metrics.spend import spend
from plivo_analysis.metrics.success import success_rates
from plivo_analysis.report.comparison import Difference
from plivo_analysis.report.countries import country
from plivo_analysis.report.measures import COUNTRY, Measures, add, finder
from plivo_analysis.report.sections.header import section
from plivo_analysis.values.typesetting import MINUS, count, days, percent, plural

if TYPE_CHECKING:
    from datetime import datetime

    from markupsafe import Markup

    from plivo_analysis.report.measures import Row, Subject

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


def summary(subject: Subject) -> Markup:
    """The sentences, as one paragraph: a list of each sentence's plain and bold parts."""
    sentences = [_nothing(subject)]
    if subject.numbers.complete.rows:
        found = (_spent(subject), _stands_out(subject), _price(subject))
        sentences = [sentence for sentence in found if sentence]
    return section("summary", subject, sentences=sentences)


# A sentence is parts of text; every second one is bold.
_Sentence = list[str]


def _nothing(subject: Subject) -> _Sentence:
    complete = subject.numbers.complete
    if complete.counts is Certainty.NOT_READ:
        why = f" ({', '.join(complete.reasons)})" if complete.reasons else ""
        return [f"Nothing of this period was read{why}, so what was spent is not known."]
    if complete.counts is Certainty.AT_LEAST:
        why = ", ".join(complete.reasons)
        return [f"No session was found in what was read of this period ({why})."]
    sentence = "No session began in this period, so nothing was spent"
    if subject.before is None or not subject.before.complete.rows:
        return [f"{sentence}."]
    past = plural(subject.before.complete.rows, "session")
    spent = subject.money(subject.before.spent)
    return [f"{sentence}; in {subject.before_name} it was ", spent, f" on {past}."]


def _spent(subject: Subject) -> _Sentence:
    numbers, before = subject.numbers, subject.before
    least = "" if numbers.complete.money is Certainty.EXACT else "at least "
    sessions = plural(numbers.complete.rows, "verification session")
    if numbers.complete.counts is not Certainty.EXACT:
        sessions = f"the {sessions} that were read"
    parts = [f"You spent {least}", subject.money(numbers.spent), f" on {sessions}"]
    change = _change(subject)
    if before is None or not change:
        return [*parts[:2], f"{parts[2]}."]
    lacking = [n.complete for n in (numbers, before) if n.complete.money is not Certainty.EXACT]
    unread = any(complete.counts is not Certainty.EXACT for complete in lacking)
    so_far = ", "
    if lacking:
        so_far = "; as far as it was read, " if unread else "; as far as totals have arrived, "
    a_day = " a day" if subject.per_day else ""
    # A change that rounds to nothing is neither more nor less.
    if not any(digit in change for digit in "123456789"):
        return [*parts[:2], f"{parts[2]}{so_far}as much{a_day} as in {subject.before_name}."]
    word = "less" if change.startswith(MINUS) else "more"
    moved = f"{change.lstrip('+' + MINUS)} {word}{a_day}"
    return [*parts[:2], f"{parts[2]}{so_far}", moved, f" than in {subject.before_name}."]


def _change(subject: Subject) -> str:
    """By how much spend moved; empty where it is not known of both periods."""
    change = subject.change(*subject.both(lambda found: found.spent))
    return change.percent if change and subject.numbers.spent else ""


def _stands_out(subject: Subject) -> _Sentence | None:
    burst, rise = largest_burst(subject.numbers), _rise(subject)
    if burst is None:
        return ["", rise[0], f" of the {rise[1]}."] if rise else _largest_country(subject)
    usual = f"usually {count(round(burst.usual))}" if burst.usual else "usually none"
    verified = percent(burst.verified / burst.sessions, 0)
    began = (
        f"{plural(burst.sessions, 'session')} began there on {days(burst.first, burst.last)} "
        f"({usual} a day); only {verified} verified"
    )
    if rise and rise[2] == burst.country:
        return ["", rise[0], f" of the {rise[1]}: {began}."]
    name, spent = country(burst.country), subject.money(burst.spent)
    return ["In ", name, f" {began.replace(' there', '')}, and they cost {spent}."]


def _rise(subject: Subject) -> tuple[str, str, str | None] | None:
    """Which country most of a rise or fall comes from, if one does: share, words, its letters."""
    compared = subject.compared
    if compared is None or not _change(subject):
        return None

    def moved(row: Row) -> Decimal:
        change = subject.change(row["spend_after"] or _ZERO, row["spend_before"] or _ZERO)
        return change.value if change else _ZERO

    rows = subject.changes["compare_by_country"].rows(named=True)
    changes = {row[COUNTRY[0]]: moved(row) for row in rows}
    # Of the same source as its parts: sessions without a total are in neither.
    whole = moved(compared)
    if not whole:
        return None
    shares = {code: change / whole for code, change in changes.items()}
    code = max(shares, key=lambda code: (shares[code], code or ""))
    # More than the whole: others went the other way, so that the change is not "of" one country.
    if not _MOST_OF <= shares[code] <= 1:
        return None
    word = "rise" if whole > 0 else "fall"
    return percent(shares[code], 0), f"{word} is {country(code)}", code


def _largest_country(subject: Subject) -> _Sentence | None:
    amounts = subject.numbers.amounts("spend_by_country", *COUNTRY)
    if len(amounts) == 1 or subject.numbers.spent <= 0:
        return None
    code = max(amounts, key=lambda code: (amounts[code], code or ""))
    where = country(code) if code else "sessions without a country"
    share = percent(amounts[code] / subject.numbers.spent, 0)
    return ["The largest part, ", subject.money(amounts[code]), f" or {share}, went to {where}."]


def _price(subject: Subject) -> _Sentence:
    cost = subject.numbers.total("cost")
    price, past = subject.both(finder("cost", "cost_per_verified"))
    if not cost["settled"]:
        return ["No session has settled yet, so what a verified one costs is not known."]
    if not cost["verified"]:
        return [f"None of the {plural(cost['settled'], 'settled session')} verified."]
    if price is None:
        return ["What a verified session cost is not known: no charge has arrived."]
    known = subject.numbers.complete.ratio_of(cost["unpriced"])
    least = "at least " if known is Certainty.AT_LEAST else ""
    verified = (
        "A verified session"
        if known is not Certainty.PART
        else "Of what was read, a verified session"
    )
    was = f"; it was {subject.price(past)}" if past is not None else ""
    # A change that chance can cause must not read like a finding.
    difference = Difference.of(subject.compared, "cost_per_verified")
    if difference is not None and difference.value and not difference.clear:
        was += ", and the difference is within what chance can cause"
    return [f"{verified} cost {least}", subject.price(price), f"{was}."]


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
        if code := row[COUNTRY[0]]:
            by_day = by_country.setdefault(code, [None] * len(starts))
            by_day[place[instant(row["period"])]] = row
    # A day that was read in part would pull the median down, and make a burst of the day beside it.
    read = [known is Certainty.EXACT for known in numbers.certainty()]
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
    if sessions[first] < level * 1.5:
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
