"""How far the numbers can be trusted: what is pending, what does not add up, what was read.

And message records, which stand beside the sessions and are never added to them.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from plivo_analysis.api.vocabulary import OPEN, SETTLED, fold_status
from plivo_analysis.metrics.certainty import READ
from plivo_analysis.report.measures import add, most_decimals
from plivo_analysis.report.sections.header import section
from plivo_analysis.values.typesetting import DASH, day

if TYPE_CHECKING:
    from datetime import datetime

    from plivo_analysis.report.subject import Subject

_MOST_GAPS = 4
_LEAST_WIDTH = 0.2  # percent of the bar: what is narrower would be thousands of marks unseen


@section
def pending(subject: Subject) -> dict[str, Any]:
    """Sessions that may still verify, sessions whose money has not arrived, and what that means."""
    statuses = subject.numbers.rows("success_by_status")
    others = [row for row in statuses if fold_status(row["status"]) not in SETTLED | OPEN]
    return {"other": sum(row["sessions"] for row in others)}


@section
def reconcile(subject: Subject) -> dict[str, Any]:
    """How many sessions for each reason, and the money that no line accounts for."""
    found, charges = subject.numbers.rows("reconcile"), subject.numbers.charges
    amounts = [row["unallocated"] for row in found if row["unallocated"]]
    derived = charges.filter(charges["note"] == "derived")["amount"].to_list()
    reasons = Counter(reason for row in found for reason in row["reasons"])
    return {
        "above": [amount for amount in amounts if amount > 0],
        "below": [amount for amount in amounts if amount < 0],
        "derived": derived,
        "reasons": reasons,
        "add": add,
        "found": len(found),
        # One number of digits for the table: enough for its smallest amount, and points in line.
        "digits": most_decimals([*amounts, *derived]),
    }


@section
def coverage(subject: Subject) -> dict[str, Any] | None:
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
        gaps.append((states.get((low, high), "missing"), f" {DASH} ".join(times)))
    return {
        "parts": _bar(complete.unread, *complete.period),
        "rows": sum(row["rows"] or 0 for row in read),
        "pending": sum(row["open"] or 0 for row in read),
        "gaps": gaps[:_MOST_GAPS],
        "more": len(gaps) - _MOST_GAPS,
    }


def _bar(
    unread: tuple[tuple[datetime, datetime], ...], start: datetime, end: datetime
) -> list[tuple[str, str]]:
    """Where the bar has gaps, in percent of it, gaps that run into each other as one."""
    parts: list[list[float]] = []
    for low, high in unread:  # in order, so that a gap can only run into the one before it
        left, right = ((at - start) / (end - start) * 100 for at in (low, high))
        right = max(right, left + _LEAST_WIDTH)
        if parts and left <= parts[-1][1] + _LEAST_WIDTH:
            parts[-1][1] = max(parts[-1][1], right)
        else:
            parts.append([left, right])
    return [(f"{left:.2f}", f"{right - left:.2f}") for left, right in parts]


@section
def messages(subject: Subject) -> dict[str, Any] | None:
    """A row for each type of message."""
    if subject.messages is None:
        return None
    rates = {row["message_type"]: row for row in subject.numbers.rows("delivery_rates")}
    spends = subject.numbers.rows("message_spend")
    known = [row[column] for row in spends for column in ("amount", "carrier_fees")]
    return {
        "lines": [(row, rates.get(row["message_type"])) for row in spends],
        "digits": most_decimals(known),
    }
