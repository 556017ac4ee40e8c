"""What changed, drawn: changes with their intervals, and the parts of a change of spend.

What is beyond chance is in the accent colour. Titles say what changed, and never why.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from plivo_analysis.api.checks import checked_word, required_text
from plivo_analysis.figures import style
from plivo_analysis.figures.chart_data import sign_of
from plivo_analysis.figures.dots import WIDE, Mark, blank_lines, draw_dots, group_name
from plivo_analysis.figures.rows import MetricRows, Row, read, words
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
        currency: The account's currency, a label; a ``currency`` column of the frame names it
            itself.

    Returns:
        One line a group; groups without a change come last and say why.

    Raises:
        SchemaError: The frame is not of ``compare``, or costs are of several currencies.
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
    table = read(frame, COMPARE)
    is_rate = measure != _COST
    currency = required_text("currency", currency) if is_rate else sign_of(table, currency)
    scale = 100 if is_rate else 1
    better = 1 if measure == "success_rate" else -1

    def worst_first(row: Row) -> tuple[bool, float]:
        change = row[f"{measure}_change"]
        return change is None, 0.0 if change is None else better * float(change)

    def mark(row: Row) -> Mark:
        ends = [row[f"{measure}_change{end}"] for end in ("", "_low", "_high")]
        change, low, high = (None if end is None else float(end) * scale for end in ends)
        clear = low is not None and high is not None and (low > 0 or high < 0)
        before, after = row[f"{measure}_before"], row[f"{measure}_after"]
        if is_rate:
            shown = percent(ends[0], unit=False)
            values = f"{percent(before)} → {percent(after)}"
        else:
            shown = unit_price(ends[0], currency)
            values = f"{unit_price(before, currency)} → {unit_price(after, currency)}"
        if row["sessions_before"] is None or row["sessions_after"] is None:
            values = "only after" if row["sessions_before"] is None else "only before"
        bold = "" if change is None else style.label(signed(shown))
        colour = style.NOT_VERIFIED if clear else style.ALL
        return Mark(group_name(table, row), colour, (change, low, high), bold, style.label(values))

    marks = [mark(row) for row in sorted(table.rows, key=worst_first)]
    what, unit = _MEASURES[measure]
    heading = f"{what}{words(table.by)}, {unit or style.label(currency)}"
    figure = blank_lines(marks, heading)
    draw_dots(figure, marks, WIDE, zero=True)
    return figure.figure()


def cost_bridge(frame: Any, *, currency: str = "USD") -> go.Figure:
    """Draw from what the change of spend is made: a bar for each effect, then the change.

    Each bar begins where the one before ended. Hovering names the groups with the largest
    parts.

    Args:
        frame: What ``cost_bridge`` gave, polars or pandas, with any grouping.
        currency: The account's currency, a label; a ``currency`` column of the frame names it
            itself.

    Returns:
        A waterfall with the exact amount of each effect above its bar.

    Raises:
        SchemaError: The frame is not of ``cost_bridge``, or is of several currencies.

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
    table = read(frame, COST_BRIDGE)
    currency = sign_of(table, currency)
    found = {row["effect"] for row in table.rows}
    effects = [effect for effect in _EFFECTS if effect in found]
    sums = {
        effect: sum((row["amount"] for row in table.rows if row["effect"] == effect), _ZERO)
        for effect in effects
    }
    starts = [sum(list(sums.values())[:place], _ZERO) for place in range(len(effects))]
    amounts = [*sums.values(), sum(sums.values(), _ZERO)]
    bases = [*starts, _ZERO]
    names = [*(effect.capitalize() for effect in effects), "Change"]
    figure = style.blank(260, left=60)
    style.heading(figure, f"Change of spend{words(table.by)}, {style.label(currency)}")
    figure.update_layout(
        xaxis=style.axis(showgrid=False, tickvals=list(range(len(names))), ticktext=names),
        yaxis=style.axis(nticks=4, showline=False, zeroline=True, zerolinecolor=style.ALL),
    )
    figure.add_trace(
        {
            "type": "bar",
            "x": list(range(len(names))),
            "y": [float(amount) for amount in amounts],
            "base": [float(base) for base in bases],
            "marker": {"color": [*[style.VERIFIED] * len(effects), style.OPEN]},
            "hovertext": [*(_largest(table, effect, currency) for effect in effects), "All"],
            "hoverinfo": "text",
        }
    )
    for place, (base, amount) in enumerate(zip(bases, amounts, strict=True)):
        shown = style.label(signed(money(amount, currency)))
        top = float(max(base, base + amount))
        where = {"xref": "x", "yref": "y", "xanchor": "center", "yanchor": "bottom"}
        style.note(figure, f"<b>{shown}</b>", place, top, **where)
    return figure.figure()


def _largest(table: MetricRows, effect: str, currency: str) -> str:
    """The groups with the largest parts of an effect, for a pointer that rests on its bar."""
    rows = [row for row in table.rows if row["effect"] == effect]
    rows.sort(key=lambda row: -abs(row["amount"]))
    told = [
        f"{group_name(table, row)}: {style.label(signed(money(row['amount'], currency)))}"
        for row in rows[:_NAMED]
    ]
    if len(rows) > _NAMED:
        told.append(f"and {count(len(rows) - _NAMED)} more")
    return "<br>".join(told)
