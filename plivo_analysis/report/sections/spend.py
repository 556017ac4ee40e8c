"""Where the money went: over time, what changed, by line of the bill, and what it bought."""

from __future__ import annotations

from decimal import Decimal
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from plivo_analysis.figures import style, svg
from plivo_analysis.figures.chart_data import add_up, largest
from plivo_analysis.metrics.certainty import Certainty
from plivo_analysis.report.countries import country
from plivo_analysis.report.measures import add, most_decimals
from plivo_analysis.report.sections.header import section
from plivo_analysis.values.typesetting import plain, signed

if TYPE_CHECKING:
    from plivo_analysis.figures.chart_data import SpendOverTime
    from plivo_analysis.report.measures import Row, Subject

_WIDE, _NARROW = (860.0, 264.0), (360.0, 250.0)  # the chart of a desk and of a phone
_NOT_READ = "not read"
_EFFECTS = {
    "price": "Price",
    "volume": "Volume",
    "mix": "Mix",
    "new": "New groups",
    "ended": "Ended groups",
}
_BRIDGE = 260  # pixels of the widest bar of an effect
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
    channels = [
        (svg.square(series.channel, None if series.channel else series.colour), series)
        for series in reversed(spent.series)
    ]
    return {
        "bucket": period.bucket,
        "mean": mean,
        "charts": charts if known else [],
        "channels": channels,
        "unread": bool(unread),
        "table": _exact_amounts(subject, spent),
    }


def _exact_amounts(subject: Subject, spent: SpendOverTime) -> dict[str, Any]:
    """Every amount of the chart; a bucket that was not read has none, and is not zero."""
    numbers = subject.numbers
    series = [[amount or Decimal(0) for amount in group.amounts] for group in spent.series]
    digits = most_decimals(amount for amounts in series for amount in amounts)
    lines = []
    for name, total, known, *amounts in zip(
        spent.names, spent.totals, numbers.certainty, *series, strict=True
    ):
        # Sessions may be given of a time that coverage calls unread: what they cost is shown.
        unread = known is Certainty.NOT_READ
        cells = [
            _NOT_READ if unread and not amount else plain(amount, digits)
            for amount in [*amounts, total]
        ]
        lines.append((f"{name}, not read whole" if known is Certainty.AT_LEAST else name, cells))
    sums = [add(amounts) for amounts in series]
    return {
        "titles": [*(group.name for group in spent.series), "All"],
        "lines": lines,
        "total": [plain(amount, digits) for amount in [*sums, numbers.spent]],
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
    scale = (float(min(ends)), float(max(ends)))

    def line(name: str, start: Decimal, end: Decimal, largest: str = "") -> dict[str, Any]:
        amount = signed(subject.money(end - start))
        drawn = svg.step(float(start), float(end), scale, _BRIDGE, label=f"{name}: {amount}")
        return {"name": name, "amount": amount, "drawing": drawn, "largest": largest}

    lines = [
        line(_EFFECTS[effect], start, end, _largest(subject, parts[effect]))
        for effect, start, end in zip(known, ends, ends[1:], strict=False)
    ]
    # The bridge is built of sessions with a total: how many have none is said below it.
    unpriced = sum(numbers.complete.unpriced for numbers in (subject.before, subject.numbers))
    return {"lines": [*lines, line("Change", Decimal(0), ends[-1])], "unpriced": unpriced}


def _largest(subject: Subject, rows: list[Row]) -> str:
    """The groups with the largest parts of an effect, in words."""
    ranked = sorted(rows, key=lambda row: -abs(row["amount"]))
    return ", ".join(
        f"{style.name(row['entry_channel'])} to {country(row['destination_country_iso2'])} "
        f"{signed(subject.money(row['amount']))}"
        for row in ranked[:_NAMED]
        if row["amount"]
    )


@section
def spend_by_line(subject: Subject) -> dict[str, Any]:
    """A row a channel, then validation and what no line accounts for, then the total."""
    numbers = subject.numbers
    rows, others = largest(numbers.rows("spend"), lambda row: row["amount"])
    # Validation and what no line accounts for have the last places.
    rows.sort(key=lambda row: style.place(row["channel"]))
    past = subject.before.amounts("spend", "channel") if subject.before else {}
    by_channel = {}
    if numbers.period:
        shown = numbers.spent_over_time(subject.currency).series
        by_channel = {series.channel: series.amounts for series in shown}

    def line(name: str, row: Row, before: Decimal, **drawn: Any) -> dict[str, Any]:
        return drawn | {"name": name, "row": row, "change": subject.change(row["amount"], before)}

    lines = []
    for row in rows:
        channel, name = row["channel"], style.name(row["channel"])
        amounts = by_channel.get(channel, [])
        drawing = None
        if any(amounts):
            label = f"{name} over time"
            drawing = svg.columns(amounts, label=label, colour=style.colour(channel))
        before = past.get(channel, Decimal(0))
        lines.append(line(name, row, before, square=svg.square(channel), drawing=drawing))
    if others:
        sums = {key: sum(row[key] for row in others) for key in ("lines", "unpriced")}
        rest: Row = {"amount": add_up(row["amount"] for row in others), **sums}
        before = add(past.get(row["channel"]) for row in others)
        lines.append(line(f"{len(others)} others", rest, before, square=None, drawing=None))
    return {
        "lines": lines,
        "change": subject.change(*subject.both("spent")),
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
