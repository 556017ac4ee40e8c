"""What is not final yet: sessions that may still verify, money that has not arrived."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plivo_analysis.api.words import OPEN, SETTLED, fold_status
from plivo_analysis.report.footnotes import ref
from plivo_analysis.report.html import Markup, join, row, section, tag
from plivo_analysis.values.typesetting import count, percent

if TYPE_CHECKING:
    from plivo_analysis.report.measures import Measures
    from plivo_analysis.report.subject import Subject

_DIGITS = 2


def final(subject: Subject) -> Markup:
    """Counts, what they cost so far, and the bounds of the success rate."""
    numbers = subject.numbers
    success = numbers.total("success")
    title = join(("Not final yet", ref("open")))
    odd = _other_statuses(numbers)
    if not success["open"] and not numbers.without_total and not odd:
        said = "Every session has settled and every total has arrived."
        return section(title, tag("p", said, class_="grey"))
    bounds = ("success_rate_if_open_fail", "success_rate_if_open_verify")
    fail, verify = (percent(success[column], _DIGITS) for column in bounds)
    rows = [
        row(
            tag("td", "Sessions still in progress"),
            count(success["open"]),
            subject.money(numbers.spent_open),
        ),
        row(
            tag("td", "Sessions without a total yet"),
            count(numbers.without_total),
            f"at least {subject.money(numbers.spent_without_total)}"
            if numbers.without_total
            else None,
        ),
        row(tag("td", "Success rate if all open fail"), None, fail),
        row(tag("td", "… if all open verify"), None, verify),
    ]
    if odd:
        rows.append(row(tag("td", "Sessions of another status, in no rate"), count(odd), None))
    table = tag("table", tag("tbody", *rows))
    said = (
        "These sessions can still verify or be charged. Until they settle, the success rate lies "
        "between the two bounds, and their money is a lower bound."
    )
    return section(title, table, tag("p", said, class_="note"))


def _other_statuses(numbers: Measures) -> int:
    known = SETTLED | OPEN
    rows = numbers.rows("success_by_status")
    return sum(entry["sessions"] for entry in rows if fold_status(entry["status"]) not in known)
