"""Where the money went: over time, what changed, by line of the bill, and what it bought."""

from __future__ import annotations

from decimal import Decimal
from itertools import accumulate, chain
from typing import TYPE_CHECKING, Any

from plivo_analysis.figures import style, svg
from plivo_analysis.figures.chart_data import add_up, largest
from plivo_analysis.metrics.certainty import Certainty
from plivo_analysis.report.measures import add, most_decimals
from plivo_analysis.report.sections.header import section

if TYPE_CHECKING:
    from plivo_analysis.report.measures import Row
    from plivo_analysis.report.subject import Subject

_WIDE, _NARROW = (860.0, 264.0), (360.0, 250.0)  # the chart of a desk and of a phone
_EFFECTS = ("price", "volume", "mix", "new", "ended")
_NAMED = 2  # groups with the largest parts of an effect


@section
def spend_over_time(subject: Subject) -> dict[str, Any] | None:
    """The chart, its channels with their amounts, and under it every amount to the last digit."""
    period, rows = subject.numbers.period, subject.numbers.rows("spend")
    if period is None or not rows:
        return None
    spent = subject.numbers.spent_over_time(subject.currency)
    known = any(row["amount"] is not None for row in rows)
    mean = subject.mean_before(subject.before.spent) if subject.before else None
    unread = [n for n, c in enumerate(subject.numbers.certainty) if c is not Certainty.EXACT]
    charts = [
        svg.stacked_bars(spent, width=width, height=height, mean=mean, unread=unread)
        for width, height in (_WIDE, _NARROW)
    ]
    # A column a group and one of all; where no line is known, the template says whether that is
    # zero or was not read.
    columns = [[amount or Decimal(0) for amount in group.amounts] for group in spent.series]
    columns.append(spent.totals)
    buckets = zip(spent.names, subject.numbers.certainty, zip(*columns, strict=True), strict=True)
    return {
        "bucket": period.bucket,
        "mean": mean,
        "charts": charts if known else [],
        "series": spent.series,
        "unread": bool(unread),
        "buckets": list(buckets),
        "sums": [add(column) for column in columns],
        "digits": most_decimals(chain.from_iterable(columns)),
    }


@section
def change_of_spend(subject: Subject) -> dict[str, Any] | None:
    """A row an effect, each bar beginning where the one above ended, and the change below."""
    rows = subject.changes["cost_bridge"].rows(named=True) if subject.changes else []
    if subject.before is None or not rows:
        return None
    parts = {effect: [row for row in rows if row["effect"] == effect] for effect in _EFFECTS}
    amounts = {effect: add_up(row["amount"] for row in part) for effect, part in parts.items()}
    known = {effect: amount for effect, amount in amounts.items() if amount is not None}
    # Where each bar ends the next one begins, so that the last end is the whole change.
    ends = [Decimal(0), *accumulate(known.values())]
    steps = zip(known, ends, ends[1:], strict=False)
    # The bridge is built of sessions with a total: how many have none is said below it.
    unpriced = sum(numbers.complete.unpriced for numbers in (subject.before, subject.numbers))
    return {
        "lines": [(effect, start, end, _largest(parts[effect])) for effect, start, end in steps],
        "ends": ends,
        "scale": (float(min(ends)), float(max(ends))),
        "unpriced": unpriced,
    }


def _largest(rows: list[Row]) -> list[Row]:
    """The groups with the largest parts of an effect."""
    ranked = sorted(rows, key=lambda row: -abs(row["amount"]))
    return [row for row in ranked[:_NAMED] if row["amount"]]


@section
def spend_by_line(subject: Subject) -> dict[str, Any]:
    """A row a channel, then validation and what no line accounts for, then the total."""
    numbers = subject.numbers
    rows, others = largest(numbers.rows("spend"), lambda row: row["amount"])
    # Validation and what no line accounts for have the last places.
    rows.sort(key=lambda row: style.place(row["channel"]))
    past = subject.before.amounts("spend", "channel") if subject.before else {}
    series = numbers.spent_over_time(subject.currency).series if numbers.period else []
    amounts = {one.channel: one.amounts for one in series}
    lines = [(row, past.get(row["channel"], Decimal(0))) for row in rows]
    if others:  # without a channel, by which the template tells it from the rows of one
        rest = {key: sum(row[key] for row in others) for key in ("lines", "unpriced")}
        rest |= {"others": len(others), "amount": add_up(row["amount"] for row in others)}
        lines.append((rest, add(past.get(row["channel"]) for row in others)))
    return {
        "lines": lines,
        "amounts": amounts,
        "digits": most_decimals(row["amount"] for row in numbers.rows("spend")),
    }


@section
def cost_breakdown(subject: Subject) -> dict[str, Any]:
    """A bar of what verified sessions cost and what was wasted, and prices."""
    totals = subject.numbers.totals
    whole, good, share = totals["total_charge"], None, None
    if whole is not None:
        good = whole - (totals["waste"] or 0)
        # Credits can make either part negative, which no bar can show.
        share = min(100.0, max(0.0, float(good / whole * 100))) if whole > 0 else None
    return {"good": good, "share": share}
