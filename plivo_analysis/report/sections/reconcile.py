"""What does not add up: sessions whose total is not the sum of its lines, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plivo_analysis.report.footnotes import ref
from plivo_analysis.report.html import Child, Markup, join, row, section, tag
from plivo_analysis.report.measures import Row, add
from plivo_analysis.values.typesetting import count, decimals, money, plural

if TYPE_CHECKING:
    from decimal import Decimal

    from plivo_analysis.report.subject import Subject

_WORDS = {
    "unpriced": "An attempt has no price",
    "orphan": "A charge has no attempt",
    "channel_differs": "Charge and attempt differ in channel",
    "count_differs": "Count differs from attempts listed",
    "duplicate_attempt": "Two attempts share an id",
    "total_missing": "The total is missing",
}


def reconcile(subject: Subject) -> Markup:
    """How many sessions for each reason, and the money that no line accounts for."""
    title = join(("Does not add up", ref("reconcile")))
    found = subject.numbers.rows("reconcile")
    if not found:
        said = "Every session adds up to the last digit."
        return section(title, tag("p", said, class_="grey"))
    amounts = [entry["unallocated"] for entry in found if entry["unallocated"]]
    above = [amount for amount in amounts if amount > 0]
    below = [amount for amount in amounts if amount < 0]
    derived = _derived(subject)
    digits = max(decimals(amount) for amount in [*amounts, *derived, add([])])

    def exact(values: list[Decimal]) -> str:
        return money(add(values), subject.currency, digits)

    rows = [
        _line("Total above its lines", len(above), exact(above)),
        _line("Total below its lines", len(below), exact(below)),
        _line("One attempt’s charge missing, derived", _having(found, "derived"), exact(derived)),
        *(_line(words, _having(found, reason), None) for reason, words in _WORDS.items()),
    ]
    net = row(tag("td", "Unallocated, net"), None, exact(amounts), class_="total")
    said = (
        f"{plural(len(found), 'session')} of {count(subject.numbers.sessions.height)}; one may "
        "have several reasons. Each is listed in the workbook, sheet “reconcile”."
    )
    table = tag("table", tag("tbody", *rows, net))
    return section(title, table, tag("p", said, class_="note"))


def _derived(subject: Subject) -> list[Decimal]:
    charges = subject.numbers.charges
    return charges.filter(charges["note"] == "derived").get_column("amount").to_list()


def _having(found: list[Row], reason: str) -> int:
    return sum(reason in entry["reasons"] for entry in found)


def _line(words: str, sessions: int, amount: Child) -> Markup | None:
    return row(tag("td", words), count(sessions), amount) if sessions else None
