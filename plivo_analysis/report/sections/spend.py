"""Where the money went: over time, what changed, by line of the bill, and what it bought."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from plivo_analysis.figures import style, svg
from plivo_analysis.figures.chart_data import add_up, largest
from plivo_analysis.metrics.certainty import Certainty
from plivo_analysis.report.countries import country
from plivo_analysis.report.measures import add, finder
from plivo_analysis.report.sections.header import section
from plivo_analysis.values.typesetting import count, decimals, plain, signed

if TYPE_CHECKING:
    from collections.abc import Callable

    from plivo_analysis.figures.chart_data import SpendOverTime
    from plivo_analysis.report.measures import Measures, Row, Subject

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


def spend_over_time(subject: Subject) -> Markup:
    """The chart, its channels with their amounts, and under it every amount to the last digit."""
    period, rows = subject.numbers.period, subject.numbers.rows("spend")
    if period is None or not rows:
        return Markup()
    spent = subject.numbers.spent_over_time(subject.currency)
    known = any(row["amount"] is not None for row in rows)
    mean = subject.mean_before(subject.before.spent) if subject.before else None
    unread = [n for n, c in enumerate(subject.numbers.certainty()) if c is not Certainty.EXACT]
    charts = [
        svg.stacked_bars(spent, width=width, height=height, mean=mean, unread=unread)
        for width, height in (_WIDE, _NARROW)
    ]
    channels = [
        (svg.square(series.channel, None if series.channel else series.colour), series)
        for series in reversed(spent.series)
    ]
    return section(
        "spend_over_time",
        subject,
        bucket=period.bucket,
        mean=mean,
        charts=charts if known else [],
        channels=channels,
        unread=bool(unread),
        table=_exact_amounts(subject, spent),
    )


def _exact_amounts(subject: Subject, spent: SpendOverTime) -> dict[str, Any]:
    """Every amount of the chart; a bucket that was not read has none, and is not zero."""
    numbers = subject.numbers
    series = [[amount or Decimal(0) for amount in group.amounts] for group in spent.series]
    digits = max((decimals(amount) for amounts in series for amount in amounts), default=2)
    lines = []
    for name, total, known, *amounts in zip(
        spent.names, spent.totals, numbers.certainty(), *series, strict=True
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


def change_of_spend(subject: Subject) -> Markup:
    """A row an effect, each bar beginning where the one above ended, and the change below."""
    if not subject.changes or subject.before is None:
        return Markup()
    rows = subject.changes["cost_bridge"].rows(named=True)
    if not rows:
        return Markup()
    parts = {effect: [row for row in rows if row["effect"] == effect] for effect in _EFFECTS}
    amounts = {effect: add_up(row["amount"] for row in part) for effect, part in parts.items()}
    known = {effect: amount for effect, amount in amounts.items() if amount is not None}
    # Where each bar ends the next one begins, so that the last end is the whole change.
    ends = [Decimal(0)]
    for amount in known.values():
        ends.append(ends[-1] + amount)
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
    unpriced = sum(
        measured.sessions["total_charge"].null_count()
        for measured in (subject.before, subject.numbers)
    )
    whole = line("Change", Decimal(0), ends[-1])
    return section("change_of_spend", subject, lines=lines, whole=whole, unpriced=unpriced)


def _largest(subject: Subject, rows: list[Row]) -> str:
    """The groups with the largest parts of an effect, in words."""
    ranked = sorted(rows, key=lambda row: -abs(row["amount"]))
    return ", ".join(
        f"{style.name(row['entry_channel'])} to {country(row['destination_country_iso2'])} "
        f"{signed(subject.money(row['amount']))}"
        for row in ranked[:_NAMED]
        if row["amount"]
    )


def spend_by_line(subject: Subject) -> Markup:
    """A row a channel, then validation and what no line accounts for, then the total."""
    numbers = subject.numbers
    rows, others = largest(numbers.rows("spend"), lambda row: row["amount"])
    # Validation and what no line accounts for have the last places.
    rows.sort(key=lambda row: style.place(row["channel"]))
    past = subject.before.amounts("spend", "channel") if subject.before else {}
    known = [row["amount"] for row in numbers.rows("spend") if row["amount"] is not None]
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
    return section(
        "spend_by_line",
        subject,
        lines=lines,
        change=subject.change(*subject.both(lambda found: found.spent)),
        digits=max((decimals(amount) for amount in known), default=2),
    )


def cost_breakdown(subject: Subject) -> Markup:
    """A bar of what verified sessions cost and what was wasted, and prices."""
    numbers = subject.numbers
    cost = numbers.total("cost")
    good = None if cost["total_charge"] is None else cost["total_charge"] - (cost["waste"] or 0)
    share = None
    # Credits can make either part negative, which no bar can show.
    if good is not None and cost["total_charge"] > 0:
        share = min(100.0, max(0.0, float(good / cost["total_charge"] * 100)))
    prices: list[tuple[str, str, str, Callable[[Measures], Any]]] = [
        (
            "Cost per verified session, all settled spend",
            "cost",
            "price",
            finder("cost", "cost_per_verified"),
        ),
        (
            "Direct cost per verified session, without waste",
            "",
            "price",
            finder("cost", "direct_cost_per_verified"),
        ),
        ("Waste share of settled spend", "", "percent", finder("cost", "waste_share")),
        (
            f"Spend on open sessions ({count(numbers.complete.may_verify)})",
            "",
            "amount",
            lambda found: found.spent_open,
        ),
    ]
    journey = finder("journey_rates", "cost_per_verified_journey")
    if "journey_rates" not in numbers.tables:
        unknown = "Cost per verified journey, not known: recipients are masked"
        prices.append((unknown, "journey", "price", journey))
    else:
        journeys = numbers.total("journey_rates")
        counts = f"{count(journeys['verified'])} of {count(journeys['settled'])}"
        verified = finder("journey_rates", "conversion_rate")
        prices += [
            ("Cost per verified journey", "journey", "price", journey),
            (f"Journeys verified ({counts} settled)", "", "percent", verified),
        ]
    lines = []
    for title, note, kind, find in prices:
        now, past = subject.both(find)
        lines.append((title, note, kind, now, past, subject.change(now, past, kind)))
    return section("cost_breakdown", subject, cost=cost, good=good, share=share, lines=lines)
