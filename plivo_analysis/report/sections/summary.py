"""The first sentences: what was spent, where it stands out, what a verified session cost.

Each sentence is chosen by what the numbers allow, so that none says more than is known: "at
least" where a total is missing, nothing of a rise without a period to compare with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plivo_analysis.report.burst import largest
from plivo_analysis.report.change import relative
from plivo_analysis.report.countries import country
from plivo_analysis.report.html import Markup, join, tag
from plivo_analysis.report.measures import COUNTRY
from plivo_analysis.values.typesetting import MINUS, count, days, percent, plural

if TYPE_CHECKING:
    from plivo_analysis.report.subject import Subject

_MOST_OF = 0.5


def lede(subject: Subject) -> Markup:
    """The sentences, as one paragraph."""
    if not subject.numbers.sessions.height:
        return tag("p", "No session began in this period, so nothing was spent.", class_="lede")
    sentences = (_spent(subject), _stands_out(subject), _price(subject))
    return tag("p", join((s for s in sentences if s), " "), class_="lede")


def _spent(subject: Subject) -> Markup:
    numbers, before = subject.numbers, subject.before
    least = "at least " if numbers.without_total else ""
    sentence = join(
        (
            f"You spent {least}",
            _bold(subject.money(numbers.spent)),
            " on ",
            plural(numbers.sessions.height, "verification session"),
        )
    )
    change = _change(subject)
    if before is None or change is None:
        return join((sentence, "."))
    known = not numbers.without_total and not before.without_total
    so_far = ", " if known else "; as far as totals have arrived, "
    if numbers.spent == before.spent:
        return join((sentence, so_far, f"as much as in {subject.interval}."))
    word = "less" if change.startswith(MINUS) else "more"
    said = _bold(f"{change.lstrip('+' + MINUS)} {word}")
    return join((sentence, so_far, said, f" than in {subject.interval}."))


def _change(subject: Subject) -> str | None:
    """By how much spend moved, where it is known of both periods."""
    if subject.before is None or not subject.numbers.spent:
        return None
    return relative(subject.numbers.spent, subject.before.spent)


def _stands_out(subject: Subject) -> Markup | None:
    burst, rise = largest(subject.numbers), _rise(subject)
    if burst is None:
        return join((rise[0], ".")) if rise else _largest_country(subject)
    began = (
        f"{plural(burst.sessions, 'session')} began on {days(burst.first, burst.last)}, where the "
        f"median day has {count(round(burst.usual)) if burst.usual else 'none'}; "
        f"{percent(burst.verified / burst.sessions, 0)} of them verified"
    )
    if rise and rise[1] == burst.country:
        return join((rise[0], f", where {began}."))
    cost = subject.money(burst.spent)
    return join(("In ", _bold(country(burst.country)), f" {began}, and they cost {cost}."))


def _rise(subject: Subject) -> tuple[Markup, str | None] | None:
    """Which country most of a rise or fall comes from, if one does."""
    if subject.before is None or _change(subject) is None:
        return None
    now = subject.numbers.amounts("spend_by_country", *COUNTRY)
    then = subject.before.amounts("spend_by_country", *COUNTRY)
    change = subject.numbers.spent - subject.before.spent
    if not change:
        return None
    shares = {code: (now.get(code, 0) - then.get(code, 0)) / change for code in now | then}
    code = max(shares, key=lambda code: (shares[code], code or ""))
    if not _MOST_OF <= shares[code] <= 1:
        return None
    word = "rise" if change > 0 else "fall"
    return join((_bold(percent(shares[code], 0)), f" of the {word} is {country(code)}")), code


def _largest_country(subject: Subject) -> Markup | None:
    amounts = subject.numbers.amounts("spend_by_country", *COUNTRY)
    if len(amounts) == 1 or subject.numbers.spent <= 0:
        return None
    code = max(amounts, key=lambda code: (amounts[code], code or ""))
    where = country(code) if code else "sessions without a country"
    share = percent(amounts[code] / subject.numbers.spent, 0)
    amount = _bold(subject.money(amounts[code]))
    return join(("The largest part, ", amount, f" or {share}, went to {where}."))


def _price(subject: Subject) -> Markup:
    cost = subject.numbers.total("cost")
    if not cost["settled"]:
        return join(("No session has settled yet, so what a verified one costs is not known.",))
    if not cost["verified"]:
        settled = plural(cost["settled"], "settled session")
        return join((f"None of the {settled} verified.",))
    if cost["cost_per_verified"] is None:
        return join(("What a verified session cost is not known: no charge has arrived.",))
    least = "at least " if cost["unpriced"] else ""
    price = _bold(subject.price(cost["cost_per_verified"]))
    past = subject.before.total("cost")["cost_per_verified"] if subject.before else None
    was = f"; it was {subject.price(past)}" if past is not None else ""
    return join((f"A verified session cost {least}", price, f"{was}."))


def _bold(text: str) -> Markup:
    return tag("strong", text)
