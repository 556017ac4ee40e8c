"""Figures of what changed: changes with their intervals, and the parts of a change of spend.

A change beyond chance is in the accent colour. Titles say what changed, and never why.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import accumulate
from typing import TYPE_CHECKING, Any

from plivo_analysis.api.checks import checked_word, required_text
from plivo_analysis.figures import style
from plivo_analysis.figures.chart_data import add_up, currency_of
from plivo_analysis.figures.dots import WIDE, Mark, blank_lines, draw_dots, group_name
from plivo_analysis.figures.rows import MetricRows, Row, grouped_by, metric_rows
from plivo_analysis.insights.bridge import COST_BRIDGE
from plivo_analysis.insights.changes import COMPARE
from plivo_analysis.values.typesetting import count, money, percent, signed, unit_price

if TYPE_CHECKING:
    import plotly.graph_objects as go

_EFFECTS = ("price", "volume", "mix", "new", "ended")
_NAMED = 3  # groups that hovering over an effect names
_ZERO = Decimal(0)

_COST = "cost_per_verified"
_MEASURES = {
    "success_rate": ("Change of the success rate", "points"),
    "fallback_rate": ("Change of the fallback rate", "points"),
    _COST: ("Change of the cost per verified session", ""),
}


def compare(frame: Any, *, measure: str = "success_rate", currency: str = "USD") -> go.Figure:
    """Draw what changed in each group, the worst change first, with its interval.

    Worst is the largest loss of success, or the largest rise of fallback or of cost. A change
    whose own interval leaves out 0 is in the accent colour.

    Args:
        frame: What ``compare`` gave, polars or pandas, with any grouping.
        measure: ``"success_rate"``, ``"fallback_rate"`` or ``"cost_per_verified"``.
        currency: The account's currency, a label; the frame's own ``currency`` column comes first.

    Returns:
        One line a group; groups without a change come last and say why.

    Raises:
        SchemaError: The frame is not a result of ``compare``, or costs are of several currencies.
        FilterError: There is no such measure.

    Example:
        >>> import polars as pl
        >>> from decimal import Decimal
        >>> from plivo_analysis import compare, figures
        >>> def sessions(verified, expired):
        ...     number = verified + expired
        ...     return pl.DataFrame({
        ...         "session_uuid": [str(n) for n in range(number)], "path": ["sms"] * number,
        ...         "status": ["verified"] * verified + ["expired"] * expired,
        ...         "total_charge": [Decimal("0.08")] * number})
        >>> figures.compare(compare(sessions(48, 32), sessions(56, 14))).data[0].x
        (20.0,)
    """
    checked_word("measure", measure, _MEASURES)
    table = metric_rows(frame, COMPARE)
    is_rate = measure != _COST
    currency = required_text("currency", currency) if is_rate else currency_of(table, currency)
    better = 1 if measure == "success_rate" else -1

    def worst_first(row: Row) -> tuple[bool, float]:
        change = row[f"{measure}_change"]
        return change is None, 0.0 if change is None else better * float(change)

    def mark(row: Row) -> Mark:
        change, before, after = (row[f"{measure}_{when}"] for when in ("change", "before", "after"))
        low, high = row[f"{measure}_change_low"], row[f"{measure}_change_high"]
        if is_rate:
            amount = percent(change, unit=False)
            values = f"{percent(before)} → {percent(after)}"
        else:
            amount = unit_price(change, currency)
            values = f"{unit_price(before, currency)} → {unit_price(after, currency)}"
        if row["sessions_before"] is None or row["sessions_after"] is None:
            values = "only after" if row["sessions_before"] is None else "only before"
        name, colour = group_name(table, row), style.ALL_COLOUR
        if change is None:
            return Mark(name, colour, None, "", style.label(values))
        if low is None or high is None:  # one session has a cost and no interval of it
            low = high = change
        elif low > 0 or high < 0:
            colour = style.NOT_VERIFIED_COLOUR
        # Plotly draws floats: a rate in points of a percent, a cost, which is a decimal, as it is.
        scale = 100 if is_rate else 1
        ends = (float(change) * scale, float(low) * scale, float(high) * scale)
        return Mark(name, colour, ends, style.label(signed(amount)), style.label(values))

    marks = [mark(row) for row in sorted(table.rows, key=worst_first)]
    what, unit = _MEASURES[measure]
    heading = f"{what}{grouped_by(table.by)}, {unit or style.label(currency)}"
    figure = blank_lines(marks, heading)
    draw_dots(figure, marks, WIDE, zero=True)
    return figure.figure()


def cost_bridge(frame: Any, *, currency: str = "USD") -> go.Figure:
    """Draw what makes up a change of spend: a bar for each effect, then the change.

    Each bar begins where the one before ended. Hovering names the groups with the largest
    parts.

    Args:
        frame: What ``cost_bridge`` gave, polars or pandas, with any grouping.
        currency: The account's currency, a label; the frame's own ``currency`` column comes first.

    Returns:
        A waterfall with the exact amount of each effect above its bar.

    Raises:
        SchemaError: The frame is not a result of ``cost_bridge``, or is of several currencies.

    Example:
        >>> import polars as pl
        >>> from decimal import Decimal
        >>> from plivo_analysis import figures
        >>> amounts = [Decimal("0.06"), Decimal("0.18"), Decimal("-0.04")]
        >>> frame = pl.DataFrame({"effect": ["price", "volume", "mix"], "amount": amounts})
        >>> drawn = figures.cost_bridge(frame).data[0]
        >>> drawn.base, drawn.y
        ((0.0, 0.06, 0.24, 0.0), (0.06, 0.18, -0.04, 0.2))
    """
    table = metric_rows(frame, COST_BRIDGE)
    currency = currency_of(table, currency)
    # In the order of the definition, whatever the frame's; an effect that no group has is no bar.
    rows = {name: [row for row in table.rows if row["effect"] == name] for name in _EFFECTS}
    effects = {name: of_effect for name, of_effect in rows.items() if of_effect}
    sums = [add_up(row["amount"] for row in of_effect) or _ZERO for of_effect in effects.values()]
    *bases, change = accumulate(sums, initial=_ZERO)
    bases.append(_ZERO)  # the bar of the change is the last, and begins at zero again
    amounts = [*sums, change]
    names = [*(effect.capitalize() for effect in effects), "Change"]
    heading = f"Change of spend{grouped_by(table.by)}, {style.label(currency)}"
    figure = style.blank(260, heading, left=60)
    figure.layout |= {
        "xaxis": style.axis(showgrid=False, tickvals=list(range(len(names))), ticktext=names),
        "yaxis": style.axis(
            nticks=4, showline=False, zeroline=True, zerolinecolor=style.ALL_COLOUR
        ),
    }
    hovers = [_largest_groups(table, of_effect, currency) for of_effect in effects.values()]
    figure.traces.append(
        {
            "type": "bar",
            "x": list(range(len(names))),
            "y": [float(amount) for amount in amounts],
            "base": [float(base) for base in bases],
            "marker": {"color": [*[style.VERIFIED_COLOUR] * len(effects), style.OPEN_COLOUR]},
            "hovertext": [*hovers, "All"],
            "hoverinfo": "text",
        }
    )
    for place, (base, amount) in enumerate(zip(bases, amounts, strict=True)):
        label = style.label(signed(money(amount, currency)))
        top = float(max(base, base + amount))
        anchors = {"xref": "x", "yref": "y", "xanchor": "center", "yanchor": "bottom"}
        figure.write(f"<b>{label}</b>", place, top, **anchors)
    return figure.figure()


def _largest_groups(table: MetricRows, rows: list[Row], currency: str) -> str:
    """The groups with the largest parts of an effect, for the hover text of its bar."""
    ranked = sorted(rows, key=lambda row: -abs(row["amount"]))
    lines = [
        f"{group_name(table, row)}: {style.label(signed(money(row['amount'], currency)))}"
        for row in ranked[:_NAMED]
    ]
    if len(ranked) > _NAMED:
        lines.append(f"and {count(len(ranked) - _NAMED)} more")
    return "<br>".join(lines)
