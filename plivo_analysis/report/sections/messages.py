"""Message records: what they cost, how many arrived, how many are attempts of a session too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plivo_analysis.report.footnotes import ref
from plivo_analysis.report.html import Markup, head, join, row, section, tag
from plivo_analysis.values.typesetting import (
    clean,
    count,
    decimals,
    money,
    percent,
    percent_range,
    plural,
)

if TYPE_CHECKING:
    from plivo_analysis.report.measures import Row
    from plivo_analysis.report.messages import Messages
    from plivo_analysis.report.subject import Subject

_RIGHT = range(1, 7)


def messages(subject: Subject) -> Markup | None:
    """A row for each type of message."""
    counted = subject.messages
    if counted is None:
        return None
    title = join(("Message records", ref("messages")))
    if not counted.records:
        return section(title, tag("p", "No message record in this period.", class_="grey"))
    rates = {
        rate["message_type"]: rate for rate in counted.tables["delivery_rates"].rows(named=True)
    }
    spends = counted.tables["message_spend"].rows(named=True)
    known = [spent[column] for spent in spends for column in ("amount", "carrier_fees")]
    digits = max((decimals(amount) for amount in known if amount is not None), default=2)
    heading = head(
        "Type",
        "Messages",
        "Parts",
        "Amount",
        "Carrier fees, beside it",
        "Delivered",
        "95\u202f% interval",
        numbers=_RIGHT,
    )
    body = (_line(subject, spent, rates.get(spent["message_type"]), digits) for spent in spends)
    table = tag("table", heading, tag("tbody", join(body)))
    return section(title, table, _overlap(subject, counted))


def _line(subject: Subject, spent: Row, rate: Row | None, digits: int) -> Markup:
    amount, fees = (
        money(spent[column], subject.currency, digits) for column in ("amount", "carrier_fees")
    )
    delivered, low, high = (
        rate[f"delivered_rate{end}"] if rate else None for end in ("", "_low", "_high")
    )
    return row(
        tag("td", clean(spent["message_type"] or "not given")),
        count(spent["messages"]),
        count(spent["units"]),
        amount,
        fees,
        percent(delivered),
        tag("td", percent_range(low, high), class_="n grey"),
    )


def _overlap(subject: Subject, counted: Messages) -> Markup:
    both = f" and {subject.money(counted.in_both)} is in both" if counted.matched else ""
    return tag(
        "p",
        f"{count(counted.matched)} of {plural(counted.attempts, 'attempt')} above have a message "
        f"record here too{both}, so the two spends are not added.",
        class_="note",
    )
