"""What the change of spend is made of: a waterfall of price, volume, mix, new and ended groups."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from plivo_analysis.figures import style, svg
from plivo_analysis.figures.prepared import add_up
from plivo_analysis.report.countries import country
from plivo_analysis.report.sections.header import NUMBERS
from plivo_analysis.templates.rendering import render
from plivo_analysis.values.typesetting import plural, signed

if TYPE_CHECKING:
    from markupsafe import Markup

    from plivo_analysis.report.measures import Row, Subject

_EFFECTS = {
    "price": "Price",
    "volume": "Volume",
    "mix": "Mix",
    "new": "New groups",
    "ended": "Ended groups",
}
_WIDTH = 260
_NAMED = 2  # groups with the largest parts of an effect


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
    ends = [Decimal(0)]
    for amount in known.values():
        ends.append(ends[-1] + amount)
    scale = (float(min(ends)), float(max(ends)))

    def bar(start: Decimal, end: Decimal, name: str) -> svg.Drawing:
        label = f"{name}: {signed(subject.money(end - start))}"
        return svg.step(float(start), float(end), scale, _WIDTH, label=label)

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
    unpriced = sum(
        measured.sessions["total_charge"].null_count()
        for measured in (subject.before, subject.numbers)
    )
    return render(
        "report/change_of_spend.html",
        title=f"What the change of spend is made of, {subject.currency}",
        lines=lines,
        whole=whole,
        before=subject.before_name,
        per_day=subject.per_day,
        left_out=f"{plural(unpriced, 'session')} without a total" if unpriced else "",
        notes=NUMBERS,
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
