"""Where the money went: over time, what changed, by line of the bill, and what it bought."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from plivo_analysis.figures import style, svg
from plivo_analysis.figures.chart_data import add_up, largest
from plivo_analysis.metrics.certainty import Certainty
from plivo_analysis.report.comparison import relative, visible_percent
from plivo_analysis.report.countries import country
from plivo_analysis.report.measures import add, finder
from plivo_analysis.report.sections.header import section
from plivo_analysis.values.typesetting import (
    NARROW,
    NOT_KNOWN,
    clean,
    count,
    decimals,
    money,
    percent,
    plain,
    plural,
    signed,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from markupsafe import Markup

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


def spend_over_time(subject: Subject) -> Markup | None:
    """The chart, its channels with their amounts, and under it every amount to the last digit."""
    period, rows = subject.numbers.period, subject.numbers.rows("spend")
    if period is None or not rows:
        return None
    spent = subject.numbers.spent_over_time(subject.currency)
    known = any(row["amount"] is not None for row in rows)
    mean = subject.mean_before(subject.before.spent) if subject.before else None
    unread = [n for n, c in enumerate(subject.numbers.certainty()) if c is not Certainty.EXACT]
    charts = [
        svg.stacked_bars(spent, width=width, height=height, mean=mean, unread=unread)
        for width, height in (_WIDE, _NARROW)
    ]
    channels = [
        (
            svg.square(series.channel, series.colour if not series.channel else None),
            clean(series.name, cap=24),
            subject.money(series.total),
        )
        for series in reversed(spent.series)
    ]
    aside = (
        "" if mean is None else f"{subject.before_name}: {subject.money(mean)} a {period.bucket}"
    )
    return section(
        "spend_over_time",
        title=f"Spend by {period.bucket} and channel, {subject.currency}",
        currency=subject.currency,
        bucket=period.bucket,
        aside=aside,
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
        "certainty": str(numbers.complete.money),
    }


def change_of_spend(subject: Subject) -> Markup | None:
    """A row an effect, each bar beginning where the one above ended, and the change below."""
    if not subject.changes or subject.before is None:
        return None
    rows = subject.changes["cost_bridge"].rows(named=True)
    if not rows:
        return None
    amounts = {
        effect: add_up(row["amount"] for row in rows if row["effect"] == effect)
        for effect in _EFFECTS
    }
    known = {effect: amount for effect, amount in amounts.items() if amount is not None}
    # Where each bar ends the next one begins, so that the last end is the whole change.
    ends = [Decimal(0)]
    for amount in known.values():
        ends.append(ends[-1] + amount)
    scale = (float(min(ends)), float(max(ends)))

    def bar(start: Decimal, end: Decimal, name: str) -> svg.Drawing:
        label = f"{name}: {signed(subject.money(end - start))}"
        return svg.step(float(start), float(end), scale, _BRIDGE, label=label)

    lines = [
        {
            "name": _EFFECTS[effect],
            "drawing": bar(start, end, _EFFECTS[effect]),
            "amount": signed(subject.money(amount)),
            "largest": _largest(subject, [row for row in rows if row["effect"] == effect]),
        }
        for (effect, amount), start, end in zip(known.items(), ends, ends[1:], strict=False)
    ]
    whole = {
        "drawing": bar(Decimal(0), ends[-1], "Change"),
        "amount": signed(subject.money(ends[-1])),
    }
    # The bridge is built of sessions with a total: how many have none is said below it.
    unpriced = sum(
        measured.sessions["total_charge"].null_count()
        for measured in (subject.before, subject.numbers)
    )
    return section(
        "change_of_spend",
        title=f"What the change of spend is made of, {subject.currency}",
        lines=lines,
        whole=whole,
        before=subject.before_name,
        per_day=subject.per_day,
        left_out=f"{plural(unpriced, 'session')} without a total" if unpriced else "",
    )


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
    digits = max((decimals(amount) for amount in known), default=2)
    by_channel = {}
    if numbers.period:
        shown = numbers.spent_over_time(subject.currency).series
        by_channel = {series.channel: series.amounts for series in shown}

    def line(name: str, row: Row, before: Decimal, **drawn: Any) -> dict[str, Any]:
        amount = row["amount"]
        share = NOT_KNOWN
        if amount is not None and numbers.spent:
            share = visible_percent(amount / numbers.spent)
        return drawn | {
            "name": name,
            "lines": count(row["lines"]),
            "amount": money(amount, subject.currency, digits),
            "unpriced": row["unpriced"] and f"{count(row['unpriced'])} without a price",
            "share": share,
            "change": subject.absolute(amount, before),
        }

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
    total = {
        "amount": money(numbers.spent, subject.currency, digits),
        "share": percent(1, unit=False) if numbers.spent else NOT_KNOWN,
        "change": subject.absolute(numbers.spent, subject.before.spent) if subject.before else "",
    }
    return section(
        "spend_by_line",
        lines=lines,
        total=total,
        bucket=numbers.period.bucket if numbers.period else "day",
        change=subject.change_title if subject.before else None,
    )


def cost_breakdown(subject: Subject) -> Markup:
    """A bar of what verified sessions cost and what was wasted, and prices."""
    numbers, before = subject.numbers, subject.before
    cost = numbers.total("cost")
    whole, waste = cost["total_charge"], cost["waste"]
    split = None
    if whole is not None:
        good = whole - (waste or 0)
        split = {
            "good": subject.money(good),
            "verified": plural(cost["verified"], "verified session"),
            "waste": subject.money(waste) if waste is not None else "not known",
            "failed": plural(cost["settled"] - cost["verified"], "expired one"),
            # Credits can make either part negative, which no bar can show.
            "share": min(100.0, max(0.0, float(good / whole * 100))) if whole > 0 else None,
        }

    def line(
        name: str, find: Callable[[Measures], Any], shown: Callable[[Any], str], note: str = ""
    ) -> dict[str, str]:
        now, past = subject.both(find)
        change = None
        if now is not None and past is not None and shown == percent:
            change = f"{signed(percent(now - past, unit=False))}{NARROW}pts"
        elif shown == subject.price:  # a price is no sum: the length of the period is no matter
            change = relative(now, past)
        elif shown == subject.money:
            change = subject.relative(now, past)
        change = change or NOT_KNOWN
        return {"name": name, "note": note, "now": shown(now), "was": shown(past), "change": change}

    price, share = subject.price, percent
    prices = [
        line(
            "Cost per verified session, all settled spend",
            finder("cost", "cost_per_verified"),
            price,
            "cost",
        ),
        line(
            "Direct cost per verified session, without waste",
            finder("cost", "direct_cost_per_verified"),
            price,
        ),
        line("Waste share of settled spend", finder("cost", "waste_share"), share),
        line(
            f"Spend on open sessions ({count(numbers.complete.may_verify)})",
            lambda found: found.spent_open,
            subject.money,
        ),
    ]
    found = finder("journey_rates", "cost_per_verified_journey")
    if "journey_rates" not in numbers.tables:
        unknown = "Cost per verified journey, not known: recipients are masked"
        prices.append(line(unknown, found, price, "journey"))
    else:
        journeys = numbers.total("journey_rates")
        counts = f"{count(journeys['verified'])} of {count(journeys['settled'])}"
        title = f"Journeys verified ({counts} settled)"
        prices += [
            line("Cost per verified journey", found, price, "journey"),
            line(title, finder("journey_rates", "conversion_rate"), share),
        ]
    return section("cost_breakdown", split=split, prices=prices, before=before is not None)
