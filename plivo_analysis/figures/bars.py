"""Money as bars: stacked by channel over time, each on its own scale, or one line a group.

Bars start at zero and have no least width: a small amount looks small. An amount that is not
known is no bar at all, and a negative one hangs below zero.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from plivo_analysis.figures import style, time_axis
from plivo_analysis.figures.chart_data import (
    Series,
    SpendOverTime,
    add_up,
    channel_of,
    largest,
    sign_of,
)
from plivo_analysis.figures.rows import HOUR, MetricRows, Row, key, read, title
from plivo_analysis.metrics.spend import SPEND
from plivo_analysis.values.typesetting import count, money

if TYPE_CHECKING:
    import plotly.graph_objects as go

_PANELS = 8
_LINE = 26
_PANEL = 78
_LABELS = 170
_BESIDE = 124
_SHORT = 16  # letters of a name beside the bars; hovering tells the whole
_ZERO = Decimal(0)


def spend(frame: Any, *, currency: str = "USD", panels: bool = False) -> go.Figure:
    """Draw spend: bars over time, or one line a group.

    With a period, the bars of a bucket are stacked by channel; ``panels`` gives each group its
    own panel and scale instead, as does a grouping without channels. Without a period there
    is one bar a group, split by channel where the frame has it, the largest twelve by name.

    Args:
        frame: What ``spend`` gave, polars or pandas, with any grouping.
        currency: The account's currency, a label; a ``currency`` column of the frame names it
            itself.
        panels: Whether each group is drawn on its own scale.

    Returns:
        A figure with the exact amount of each group beside it.

    Raises:
        SchemaError: When the frame is not of ``spend``, or is of several currencies.

    Example:
        >>> import polars as pl
        >>> from decimal import Decimal
        >>> from plivo_analysis import figures
        >>> frame = pl.DataFrame({"channel": ["voice", "sms"], "lines": [1, 4],
        ...                       "amount": [Decimal("0.03"), Decimal("0.32")],
        ...                       "unpriced": [0, 0]})
        >>> [bar.x for bar in figures.spend(frame).data]
        [(0.32,), (0.03,)]
    """
    table = read(frame, SPEND)
    if not table.periodic:
        return _lines(table, sign_of(table, currency))
    prepared = SpendOverTime.of(table, currency)
    if panels or (table.by and table.channel is None):
        return _panels(prepared, keep_all=table.channel is not None)
    return _stack(prepared)


def _stack(spent: SpendOverTime) -> go.Figure:
    figure = style.blank(270, right=_LABELS)
    figure.update_layout(
        barmode="relative",
        xaxis=_time(spent, ticks="outside"),
        yaxis=style.axis(nticks=4, showline=False, **_amounts(spent.currency)),
    )
    for number, series in enumerate(spent.series):
        figure.add_trace(_bars_over_time(spent, series))
        _beside(figure, series, spent.currency, y=0, yshift=14 + 22 * number)
    _peak(figure, spent)
    return figure.figure()


def _panels(spent: SpendOverTime, *, keep_all: bool) -> go.Figure:
    drawn = [series for series in spent.series if any(series.amounts)]
    if not keep_all:
        drawn = largest(drawn, lambda series: series.total, _PANELS)[0][:_PANELS]
    figure = style.blank(48 + _PANEL * (len(drawn) + 1), right=_BESIDE, top=12)
    domains = _panel_domains([series.total for series in drawn])
    for number, (series, domain) in enumerate(zip(drawn, domains, strict=True)):
        suffix = "" if number == 0 else str(number + 1)
        figure.add_trace(_bars_over_time(spent, series) | {"xaxis": "x", "yaxis": f"y{suffix}"})
        scale = style.axis(domain=domain, nticks=3, showline=False, **_amounts(spent.currency))
        figure.update_layout({f"yaxis{suffix}": scale})
        _beside(figure, series, spent.currency, between="<br>", y=sum(domain) / 2)
    last = "" if len(drawn) < 2 else str(len(drawn))  # noqa: PLR2004 - the first has no number
    figure.update_layout(barmode="relative", xaxis=_time(spent, anchor=f"y{last}"))
    return figure.figure()


def _panel_domains(totals: list[Decimal | None]) -> list[list[float]]:
    """From where to where panels stand, from the top down: the largest twice as high."""
    amounts = [total or _ZERO for total in totals]
    parts = [2 if place == amounts.index(max(amounts)) else 1 for place in range(len(amounts))]
    part, domains, ceiling = 1 / max(1, sum(parts)), [], 1.0
    for parts_of_it in parts:
        floor = ceiling - parts_of_it * part
        domains.append([max(0.0, floor + 0.2 * part), ceiling])
        ceiling = floor
    return domains


def _bars_over_time(spent: SpendOverTime, series: Series) -> dict[str, Any]:
    # An amount of nothing has no edge to be drawn where bars are hatched and have one.
    hatched = bool(style.hatch(series.channel))
    shown = [
        (at, float(amount), f"{style.label(name)}<br>{style.label(words)}")
        for at, amount, name, words in zip(
            time_axis.positions(spent.starts),
            series.amounts,
            spent.names,
            series.words,
            strict=True,
        )
        if amount is not None and (amount or not hatched)
    ]
    return {
        "type": "bar",
        "name": style.label(series.name),
        "width": time_axis.width(spent.bucket),
        "x": [at for at, _, _ in shown],
        "y": [amount for _, amount, _ in shown],
        "marker": _marker(series.colour, series.channel),
        "hovertext": [words for _, _, words in shown],
        "hoverinfo": "text",
    }


def _lines(table: MetricRows, currency: str) -> go.Figure:
    lines = _named_lines(table)
    figure = style.blank(52 + _LINE * max(1, len(lines)), left=150, right=_LABELS)
    figure.update_layout(
        barmode="relative",
        bargap=0.35,
        xaxis=style.axis(showgrid=True, ticks="", **_amounts(currency)),
        yaxis=style.lines_axis([name for name, _ in lines]),
    )
    channels = sorted({channel_of(table, row) for row in table.rows}, key=style.place)
    for channel in channels:
        parts = [
            (name, _total([row for row in rows if channel_of(table, row) == channel]))
            for name, rows in lines
        ]
        known = [(at, name, part) for at, (name, part) in enumerate(parts) if part is not None]
        what = f" {style.label(style.name(channel))}" if channel else ""
        colour = style.colour(channel) if channel else style.ALL
        figure.add_trace(
            style.bars_across(
                [float(part) for _, _, part in known],
                [at for at, _, _ in known],
                marker=_marker(colour, channel),
                hovertext=[f"{n}<br>{_label(part, currency)}{what}" for _, n, part in known],
            )
        )
    for place, (_, rows) in enumerate(lines):
        style.note(figure, f"<b>{_label(_total(rows), currency)}</b>", 1.01, place, yref="y")
    return figure.figure()


def _named_lines(table: MetricRows) -> list[tuple[str, list[Row]]]:
    """Each line's label and rows: channels and hours in their order, else by amount, rest last."""
    columns = table.without(table.channel) or table.by
    rows: dict[tuple[Any, ...], list[Row]] = {group: [] for group in table.groups(columns)}
    for row in table.rows:
        rows[key(row, columns)].append(row)
    named = [(style.label(title(group, columns)), found) for group, found in rows.items()]
    if table.channel in columns:
        if len(columns) > 1:
            return named
        return [(style.square(channel), found) for (channel,), found in rows.items()]
    if columns == (HOUR,):
        return named
    shown, rest = largest(named, lambda line: _total(line[1]))
    if rest:
        shown.append((f"{count(len(rest))} others", [row for _, found in rest for row in found]))
    return shown


def _marker(colour: str, channel: str) -> dict[str, Any]:
    if not style.hatch(channel):
        return {"color": colour, "line": {"width": 0}}
    pattern = {"shape": style.hatch(channel), "fgcolor": colour, "bgcolor": "rgba(0,0,0,0)"}
    return {
        "color": colour,
        "line": {"width": 0.8, "color": colour},
        "pattern": pattern | {"size": 5, "solidity": 0.35, "fillmode": "replace"},
    }


def _beside(
    figure: style.Sketch, series: Series, currency: str, *, between: str = " ", **where: Any
) -> None:
    mark = style.mark(series.channel, series.colour)
    named = f"{mark} <b>{style.label(series.name, _SHORT)}</b>"
    style.note(figure, f"{named}{between}{_label(series.total, currency)}", 1.01, **where)


def _peak(figure: style.Sketch, spent: SpendOverTime) -> None:
    peak = spent.peak()
    if peak is None:
        return
    at, amount, words = peak
    central = 0.2 < at / len(spent.starts) < 0.8  # noqa: PLR2004 - else it leaves the figure
    style.note(
        figure,
        f"<b>{style.label(amount)}</b> {style.label(words)}",
        time_axis.positions(spent.starts)[at],
        float(spent.heights[at]),
        xref="x",
        yref="y",
        xanchor="center" if central else "auto",
        yanchor="bottom",
        yshift=2,
    )


def _time(spent: SpendOverTime, **settings: Any) -> dict[str, Any]:
    places, texts = time_axis.ticks(spent.starts)
    return style.axis(type="date", showgrid=False, tickvals=places, ticktext=texts, **settings)


def _total(rows: list[Row]) -> Decimal | None:
    return add_up(row["amount"] for row in rows)


def _label(amount: Decimal | None, currency: str) -> str:
    return style.label(money(amount, currency))


def _amounts(currency: str) -> dict[str, str]:
    """How an axis writes amounts; plotly puts a minus before its own dollar sign only."""
    if currency == "USD":
        return {"tickformat": "$,~f"}
    before = money(_ZERO, currency, 0)[:-1]
    gap = " " if before[-1:].isspace() else ""  # which a label is trimmed of
    return {"tickformat": ",~f", "tickprefix": style.label(before) + gap}
