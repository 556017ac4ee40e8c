"""How far the numbers can be trusted: what is pending, what does not add up, what was read.

And message records, which stand beside the sessions and are never added to them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plivo_analysis.api.vocabulary import OPEN, SETTLED, fold_status
from plivo_analysis.metrics.certainty import READ
from plivo_analysis.report.measures import Row, add
from plivo_analysis.report.sections.header import section
from plivo_analysis.values.typesetting import (
    DASH,
    clean,
    count,
    day,
    decimals,
    money,
    percent,
    percent_range,
    plural,
)

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from markupsafe import Markup

    from plivo_analysis.report.measures import Subject

_MOST_GAPS = 4
_LEAST_WIDTH = 0.2  # percent of the bar: what is narrower would be thousands of marks unseen
_REASONS = {
    "unpriced": "An attempt has no price",
    "orphan": "A charge has no attempt",
    "channel_differs": "Charge and attempt differ in channel",
    "count_differs": "Count differs from attempts listed",
    "duplicate_attempt": "Two attempts share an id",
    "total_missing": "The total is missing",
}


def pending(subject: Subject) -> Markup:
    """Sessions that may still verify, sessions whose money has not arrived, and what that means."""
    numbers = subject.numbers
    complete, success = numbers.complete, numbers.total("success")
    other = sum(
        row["sessions"]
        for row in numbers.rows("success_by_status")
        if fold_status(row["status"]) not in SETTLED | OPEN
    )
    lines: list[tuple[str, str, str]] = []
    if complete.may_verify or complete.unpriced or other:
        fail, verify = (
            percent(success[f"success_rate_if_open_{end}"], 2) for end in ("fail", "verify")
        )
        without = f"at least {subject.money(numbers.spent_without_total)}"
        lines = [
            (
                "Sessions that may still verify",
                count(complete.may_verify),
                subject.money(numbers.spent_open),
            ),
            (
                "Sessions whose money has not arrived",
                count(complete.unpriced),
                without if complete.unpriced else "",
            ),
            ("Success rate if all open ones fail", "", fail),
            ("… if all open ones verify", "", verify),
        ]
    if other:
        lines.append(("Sessions of another status, in no rate", count(other), ""))
    return section("pending", lines=lines)


def reconcile(subject: Subject) -> Markup:
    """How many sessions for each reason, and the money that no line accounts for."""
    found = subject.numbers.rows("reconcile")
    amounts = [row["unallocated"] for row in found if row["unallocated"]]
    above, below = [a for a in amounts if a > 0], [a for a in amounts if a < 0]
    charges = subject.numbers.charges
    derived = charges.filter(charges["note"] == "derived").get_column("amount").to_list()
    # One number of digits for the table: enough for its smallest amount, and points in line.
    digits = max((decimals(amount) for amount in [*amounts, *derived]), default=2)

    def exact(values: list[Decimal]) -> str:
        return money(add(values), subject.currency, digits)

    def having(reason: str) -> int:
        return sum(reason in row["reasons"] for row in found)

    lines = [
        ("Total above its lines", len(above), exact(above)),
        ("Total below its lines", len(below), exact(below)),
        ("One attempt’s charge missing, derived", having("derived"), exact(derived)),
        *((words, having(reason), "") for reason, words in _REASONS.items()),
    ]
    return section(
        "reconcile",
        lines=[(words, count(sessions), amount) for words, sessions, amount in lines if sessions],
        net=exact(amounts),
        found=plural(len(found), "session") if found else "",
        of=count(subject.numbers.sessions.height),
    )


def coverage(subject: Subject) -> Markup | None:
    """A bar over the period, hours read, rows, and the gaps by name."""
    spans, complete, period = subject.coverage, subject.numbers.complete, subject.numbers.period
    if not spans or complete.period is None or period is None:
        return None
    # A range that was read with a filter holds a part of its sessions, so that it is not read.
    read = [row for row in spans if row["state"] in READ and not row.get("filters")]
    states = {(row["start"], row["end"]): row["state"] for row in spans}
    gaps = []
    for low, high in complete.unread:  # on the same clock as the rest of the report
        times = (f"{day(at)} {at:%H:%M}" for at in (x.astimezone(period.zone) for x in (low, high)))
        gaps.append((clean(states.get((low, high), "missing")), f" {DASH} ".join(times)))
    return section(
        "coverage",
        parts=_bar(complete.unread, *complete.period),
        ends=(day(period.start), day(period.last)),
        hours=f"{complete.hours_read:,.0f} of {complete.hours:,.0f}",
        rows=count(sum(row["rows"] or 0 for row in read)),
        pending=count(sum(row["open"] or 0 for row in read)),
        set_aside=count(complete.set_aside) if complete.set_aside else "",
        gaps=gaps[:_MOST_GAPS],
        more=len(gaps) - _MOST_GAPS,
    )


def _bar(
    unread: tuple[tuple[datetime, datetime], ...], start: datetime, end: datetime
) -> list[tuple[str, str]]:
    """Where the bar has gaps, in percent of it, gaps that run into each other as one."""
    parts: list[list[float]] = []
    for low, high in unread:
        left, right = ((at - start) / (end - start) * 100 for at in (low, high))
        right = max(right, left + _LEAST_WIDTH)
        if parts and left <= parts[-1][1] + _LEAST_WIDTH:
            parts[-1][1] = max(parts[-1][1], right)
        else:
            parts.append([left, right])
    return [(f"{left:.2f}", f"{right - left:.2f}") for left, right in parts]


def messages(subject: Subject) -> Markup | None:
    """A row for each type of message."""
    counted = subject.messages
    if counted is None:
        return None
    rates = {row["message_type"]: row for row in subject.numbers.rows("delivery_rates")}
    spends = subject.numbers.rows("message_spend")
    known = [row[column] for row in spends for column in ("amount", "carrier_fees")]
    digits = max((decimals(amount) for amount in known if amount is not None), default=2)
    # Said beside the table, because two spends on one page invite adding them.
    both = f" and {subject.money(counted.amount_in_both)} is in both" if counted.matched else ""
    return section(
        "messages",
        lines=[
            _message_line(subject, row, rates.get(row["message_type"]), digits) for row in spends
        ],
        overlap=(
            f"{count(counted.matched)} of {plural(counted.attempts, 'attempt')} above have a "
            f"message record here too{both}, so the two spends are not added."
        ),
    )


def _message_line(subject: Subject, spent: Row, rate: Row | None, digits: int) -> dict[str, Any]:
    amount, fees = (
        money(spent[column], subject.currency, digits) for column in ("amount", "carrier_fees")
    )
    delivered, low, high = (
        rate[f"delivered_rate{end}"] if rate else None for end in ("", "_low", "_high")
    )
    return {
        "type": clean(spent["message_type"] or "not given"),
        "messages": count(spent["messages"]),
        "units": count(spent["units"]),
        "amount": amount,
        "fees": fees,
        "delivered": percent(delivered),
        "interval": percent_range(low, high),
    }
