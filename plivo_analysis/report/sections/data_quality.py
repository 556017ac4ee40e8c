"""How far the numbers can be trusted: what is pending, what does not add up, what was read.

And message records, which stand beside the sessions and are never added to them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from markupsafe import Markup

from plivo_analysis.api.vocabulary import OPEN, SETTLED, fold_status
from plivo_analysis.metrics.certainty import READ
from plivo_analysis.report.measures import add
from plivo_analysis.report.sections.header import section
from plivo_analysis.values.typesetting import DASH, day, decimals

if TYPE_CHECKING:
    from datetime import datetime

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
    other = sum(
        row["sessions"]
        for row in subject.numbers.rows("success_by_status")
        if fold_status(row["status"]) not in SETTLED | OPEN
    )
    return section("pending", subject, success=subject.numbers.total("success"), other=other)


def reconcile(subject: Subject) -> Markup:
    """How many sessions for each reason, and the money that no line accounts for."""
    found = subject.numbers.rows("reconcile")
    amounts = [row["unallocated"] for row in found if row["unallocated"]]
    above, below = [a for a in amounts if a > 0], [a for a in amounts if a < 0]
    charges = subject.numbers.charges
    derived = charges.filter(charges["note"] == "derived")["amount"].to_list()

    def having(reason: str) -> int:
        return sum(reason in row["reasons"] for row in found)

    lines = [
        ("Total above its lines", len(above), add(above)),
        ("Total below its lines", len(below), add(below)),
        ("One attempt’s charge missing, derived", having("derived"), add(derived)),
        *((words, having(reason), None) for reason, words in _REASONS.items()),
    ]
    return section(
        "reconcile",
        subject,
        lines=[line for line in lines if line[1]],
        net=add(amounts),
        found=len(found),
        # One number of digits for the table: enough for its smallest amount, and points in line.
        digits=max((decimals(amount) for amount in [*amounts, *derived]), default=2),
    )


def coverage(subject: Subject) -> Markup:
    """A bar over the period, hours read, rows, and the gaps by name."""
    spans, complete, period = subject.coverage, subject.numbers.complete, subject.numbers.period
    if not spans or complete.period is None or period is None:
        return Markup()
    # A range that was read with a filter holds a part of its sessions, so that it is not read.
    read = [row for row in spans if row["state"] in READ and not row.get("filters")]
    states = {(row["start"], row["end"]): row["state"] for row in spans}
    gaps = []
    for low, high in complete.unread:  # on the same clock as the rest of the report
        times = (f"{day(at)} {at:%H:%M}" for at in (x.astimezone(period.zone) for x in (low, high)))
        gaps.append((states.get((low, high), "missing"), f" {DASH} ".join(times)))
    return section(
        "coverage",
        subject,
        parts=_bar(complete.unread, *complete.period),
        rows=sum(row["rows"] or 0 for row in read),
        pending=sum(row["open"] or 0 for row in read),
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


def messages(subject: Subject) -> Markup:
    """A row for each type of message."""
    if subject.messages is None:
        return Markup()
    rates = {row["message_type"]: row for row in subject.numbers.rows("delivery_rates")}
    spends = subject.numbers.rows("message_spend")
    known = [row[column] for row in spends for column in ("amount", "carrier_fees")]
    return section(
        "messages",
        subject,
        lines=[(row, rates.get(row["message_type"])) for row in spends],
        digits=max((decimals(amount) for amount in known if amount is not None), default=2),
    )
