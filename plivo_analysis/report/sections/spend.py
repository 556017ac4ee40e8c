"""Where the money went: by time and channel, by line of the bill, and what it bought."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from plivo_analysis.figures import style, svg
from plivo_analysis.figures.prepared import add_up, largest
from plivo_analysis.metrics.certainty import Certainty
from plivo_analysis.report.change import relative, visible
from plivo_analysis.report.measures import add
from plivo_analysis.report.sections.header import NUMBERS
from plivo_analysis.templates.rendering import render
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
    from markupsafe import Markup

    from plivo_analysis.figures.prepared import SpendOverTime
    from plivo_analysis.report.measures import Row, Subject

_WIDE, _NARROW = (860.0, 264.0), (360.0, 250.0)  # the chart of a desk and of a phone
_NOT_READ = "not read"


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
    return render(
        "report/spend_over_time.html",
        title=f"Spend by {period.bucket} and channel, {subject.currency}",
        currency=subject.currency,
        bucket=period.bucket,
        aside=aside,
        charts=charts if known else [],
        channels=channels,
        unread=bool(unread),
        table=_exact_amounts(subject, spent),
        notes=NUMBERS,
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
        unread = known is Certainty.NOT_READ
        cells = [
            _NOT_READ if unread and not amount else plain(amount, digits)
            for amount in [*amounts, total]
        ]
        lines.append((f"{name}, not read whole" if known is Certainty.AT_LEAST else name, cells))
    sums = [add_up(amounts) or Decimal(0) for amounts in series]
    return {
        "titles": [*(group.name for group in spent.series), "All"],
        "lines": lines,
        "total": [plain(amount, digits) for amount in [*sums, numbers.spent]],
        "certainty": str(numbers.complete.money),
    }


def spend_by_line(subject: Subject) -> Markup:
    """A row a channel, then validation and what no line accounts for, then the total."""
    numbers = subject.numbers
    rows, others = largest(numbers.rows("spend"), lambda row: row["amount"])
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
            share = visible(amount / numbers.spent)
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
    return render(
        "report/spend_by_line.html",
        lines=lines,
        total=total,
        bucket=numbers.period.bucket if numbers.period else "day",
        change=subject.change_title if subject.before else None,
    )


def cost_breakdown(subject: Subject) -> Markup:
    """A bar of what verified sessions cost and what was wasted, and prices."""
    cost = subject.numbers.total("cost")
    past = subject.before.total("cost") if subject.before else None
    whole, waste = cost["total_charge"], cost["waste"]
    split = None
    if whole is not None:
        good = whole - (waste or 0)
        failed = cost["settled"] - cost["verified"]
        split = {
            "good": subject.money(good),
            "verified": plural(cost["verified"], "verified session"),
            "waste": subject.money(waste) if waste is not None else "not known",
            "failed": plural(failed, "expired one"),
            "share": min(100.0, max(0.0, float(good / whole * 100))) if whole > 0 else None,
        }
    prices = [
        _price(
            subject, "Cost per verified session, all settled spend", "cost_per_verified", cost, past
        ),
        _price(
            subject,
            "Direct cost per verified session, without waste",
            "direct_cost_per_verified",
            cost,
            past,
        ),
        _waste_share(cost, past),
        _open(subject),
        *_journeys(subject),
    ]
    return render(
        "report/cost_breakdown.html",
        split=split,
        prices=prices,
        before=subject.before is not None,
        notes=NUMBERS,
    )


def _price(subject: Subject, name: str, column: str, now: Row, past: Row | None) -> dict[str, Any]:
    return {
        "name": name,
        "note": "cost" if column == "cost_per_verified" else "",
        "now": subject.price(now[column]),
        "was": subject.price(past[column]) if past else "",
        "change": (relative(now[column], past[column]) if past else None) or NOT_KNOWN,
    }


def _journeys(subject: Subject) -> list[dict[str, Any]]:
    """The same per journey, where recipients can be told apart: who comes back counts once."""
    name = "Cost per verified journey"
    if "journey_rates" not in subject.numbers.tables:
        masked = f"{name}, not known: recipients are masked"
        return [_share(masked, None, None) | {"note": "journey"}]
    now, past = subject.numbers.total("journey_rates"), None
    if subject.before and "journey_rates" in subject.before.tables:
        past = subject.before.total("journey_rates")
    column = "cost_per_verified_journey"
    price = _price(subject, name, column, now, past)
    verified = f"Journeys verified ({count(now['verified'])} of {count(now['settled'])} settled)"
    rates = _share(verified, now["conversion_rate"], past["conversion_rate"] if past else None)
    return [price | {"note": "journey"}, rates]


def _waste_share(now: Row, past: Row | None) -> dict[str, Any]:
    was = past["waste_share"] if past else None
    return _share("Waste share of settled spend", now["waste_share"], was)


def _share(name: str, share: float | None, was: float | None) -> dict[str, Any]:
    change = NOT_KNOWN
    if share is not None and was is not None:
        change = f"{signed(percent(share - was, unit=False))}{NARROW}pts"
    return {
        "name": name,
        "note": "",
        "now": percent(share),
        "was": percent(was),
        "change": change,
    }


def _open(subject: Subject) -> dict[str, Any]:
    now, past = subject.numbers.spent_open, subject.before.spent_open if subject.before else None
    open_sessions = count(subject.numbers.complete.may_verify)
    return {
        "name": f"Spend on open sessions ({open_sessions})",
        "note": "",
        "now": subject.money(now),
        "was": subject.money(past),
        "change": subject.relative(now, past) or NOT_KNOWN,
    }
