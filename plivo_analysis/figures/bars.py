"""Money as bars: stacked by channel over time, each on its own scale, or one line a group.

Bars start at zero and have no least width: a small amount looks small. An amount that is not
known is no bar at all, and a negative one hangs below zero.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

from plivo_analysis.figures import style, time_axis
from plivo_analysis.figures.chart_data import (
    Series,
    SpendOverTime,
    add_up,
    currency_of,
    largest,
    with_rest,
)
from plivo_analysis.figures.rows import HOUR_COLUMN, MetricRows, Row, group_title, metric_rows
from plivo_analysis.metrics.spend import SPEND
from plivo_analysis.values.typesetting import count, money

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go

_PANELS = 8  # at most, where groups are not channels
_LINE = 26
_PANEL = 78
_LABELS = 170
_BESIDE = 124
_SHORT = 16  # letters of a name beside the bars; hovering tells the whole name
_ZERO = Decimal(0)


def spend(frame: Any, *, currency: str = "USD", panels: bool = False) -> go.Figure:
    """Draw spend: bars over time, or one line a group.

    With a period, the bars of a bucket are stacked by channel; ``panels`` gives each group its
    own panel and scale instead. So does a grouping without channels, the largest seven by name.
    Without a period there is one bar a group, split by channel where the frame has it, the
    largest twelve by name. Groups that are not named are drawn as one.

    Args:
        frame: What ``spend`` gave, polars or pandas, with any grouping.
        currency: The account's currency, a label; the frame's own ``currency`` column comes first.
        panels: Whether each group is drawn on its own scale.

    Returns:
        A figure with the exact amount of each group beside it.

    Raises:
        SchemaError: The frame is not a result of ``spend``, or is of several currencies.

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
    table = metric_rows(frame, SPEND)
    if not table.periodic:
        return _draw_groups(table, currency_of(table, currency))
    spent = SpendOverTime.of(table, currency)
    if panels or (table.by and table.channel is None):
        return _draw_panels(spent, keep_all=table.channel is not None)
    return _draw_stack(spent)


def _draw_stack(spent: SpendOverTime) -> go.Figure:
    figure = style.blank(270, right=_LABELS)
    figure.layout |= {
        "barmode": "relative",
        "xaxis": _time_axis(spent, ticks="outside"),
        "yaxis": style.axis(nticks=4, showline=False, **_tick_format(spent.currency)),
    }
    for number, series in enumerate(spent.series):
        figure.traces.append(_bars_over_time(spent, series))
        _label_series(figure, series, spent.currency, y=0, yshift=14 + 22 * number)
    _label_peak(figure, spent)
    return figure.figure()


def _draw_panels(spent: SpendOverTime, *, keep_all: bool) -> go.Figure:
    drawn = [series for series in spent.series if any(series.amounts)]
    if not keep_all:  # channels are few; of countries or networks there may be hundreds
        drawn = with_rest(drawn, _PANELS - 1, spent.currency)
    figure = style.blank(48 + _PANEL * (len(drawn) + 1), right=_BESIDE, top=12)
    domains = _panel_domains([series.total for series in drawn])
    for number, (series, domain) in enumerate(zip(drawn, domains, strict=True)):
        suffix = style.axis_suffix(number)
        figure.traces.append(_bars_over_time(spent, series) | {"yaxis": f"y{suffix}"})
        figure.layout[f"yaxis{suffix}"] = style.axis(
            domain=domain, nticks=3, showline=False, **_tick_format(spent.currency)
        )
        _label_series(figure, series, spent.currency, separator="<br>", y=sum(domain) / 2)
    lowest = style.axis_suffix(max(0, len(drawn) - 1))
    figure.layout |= {"barmode": "relative", "xaxis": _time_axis(spent, anchor=f"y{lowest}")}
    return figure.figure()


def _panel_domains(totals: list[Decimal | None]) -> list[list[float]]:
    """The lower and upper end of each panel, from the top down: the largest is twice as high."""
    amounts = [total or _ZERO for total in totals]
    # The largest gets two shares: as one of many equal panels it would look like the smallest.
    shares = [1 + (place == amounts.index(max(amounts))) for place in range(len(amounts))]
    unit = 1 / max(1, sum(shares))
    ceilings = [1 - unit * above for above in accumulate(shares, initial=0)]
    # A fifth of a share is left between a panel and the next; floats can miss zero by a hair.
    return [[max(0.0, floor + 0.2 * unit), top] for top, floor in pairwise(ceilings)]


def _bars_over_time(spent: SpendOverTime, series: Series) -> dict[str, Any]:
    names = [style.label(name) for name in spent.names]
    bars = _bars(series, time_axis.positions(spent.starts), names)
    return bars | {"width": time_axis.width(spent.bucket)}


def _bars(
    series: Series, places: Sequence[Any], names: Sequence[str], *, across: bool = False
) -> dict[str, Any]:
    """The bars of one series as a trace; the names of their places are safe already."""
    # A hatched bar has an edge, which would be seen as a line where the amount is zero.
    hatched = bool(style.hatch(series.channel))
    bars = [
        (place, float(amount), f"{name}<br>{style.label(hover)}")
        for place, name, amount, hover in zip(
            places, names, series.amounts, series.hovers, strict=True
        )
        if amount is not None and (amount or not hatched)
    ]
    at, lengths, hovers = ([bar[part] for bar in bars] for part in range(3))
    axes = {"x": lengths, "y": at, "orientation": "h"} if across else {"x": at, "y": lengths}
    return {
        "type": "bar",
        "name": style.label(series.name),
        "marker": _marker(series.colour, series.channel),
        "hovertext": hovers,
        "hoverinfo": "text",
        **axes,
    }


def _draw_groups(table: MetricRows, currency: str) -> go.Figure:
    lines = _named_lines(table)
    names = [name for name, _ in lines]
    figure = style.blank(52 + _LINE * max(1, len(lines)), left=150, right=_LABELS)
    figure.layout |= {
        "barmode": "relative",  # a negative part is drawn to the left of zero, not over the others
        "bargap": 0.35,
        "xaxis": style.axis(showgrid=True, ticks="", **_tick_format(currency)),
        "yaxis": style.lines_axis(names),
    }
    for channel in sorted({table.channel_of(row) for row in table.rows}, key=style.place):
        parts = [[row for row in rows if table.channel_of(row) == channel] for _, rows in lines]
        amounts = [_total(part) for part in parts]
        name = style.name(channel) if channel else ""
        colour = style.colour(channel) if channel else style.ALL_COLOUR
        hovers = [f"{money(amount, currency)} {name}" for amount in amounts]
        series = Series(name, channel, colour, amounts, hovers)
        figure.traces.append(_bars(series, range(len(lines)), names, across=True))
    for line, (_, rows) in enumerate(lines):
        figure.write(f"<b>{_label(_total(rows), currency)}</b>", 1.01, line, yref="y")
    return figure.figure()


def _named_lines(table: MetricRows) -> list[tuple[str, list[Row]]]:
    """Each line's label and rows: channels and hours in their order, else by amount, rest last."""
    columns = tuple(column for column in table.by if column != table.channel) or table.by
    is_channel = columns == (table.channel,)
    lines = []
    for group, rows in table.groups(columns).items():
        name = style.label(group_title(group, columns))
        lines.append((style.channel_label(group[0]) if is_channel else name, rows))
    if is_channel or columns == (HOUR_COLUMN,):
        return lines
    named, rest = largest(lines, lambda line: _total(line[1]))
    if rest:
        named.append((f"{count(len(rest))} others", [row for _, rows in rest for row in rows]))
    return named


def _marker(colour: str, channel: str) -> dict[str, Any]:
    hatch = style.hatch(channel)
    if not hatch:
        return {"color": colour, "line": {"width": 0}}
    ink = {"shape": hatch, "fgcolor": colour, "bgcolor": "rgba(0,0,0,0)", "fillmode": "replace"}
    edge = {"width": 0.8, "color": colour}
    return {"color": colour, "line": edge, "pattern": ink | {"size": 5, "solidity": 0.35}}


def _label_series(
    figure: style.Sketch, series: Series, currency: str, *, separator: str = " ", **place: Any
) -> None:
    """Write a series' name and sum to the right of its bars."""
    mark = style.mark(series.channel, series.colour)
    name = f"{mark} <b>{style.label(series.name, _SHORT)}</b>"
    figure.write(f"{name}{separator}{_label(series.total, currency)}", 1.01, **place)


def _label_peak(figure: style.Sketch, spent: SpendOverTime) -> None:
    peak = spent.peak()
    if peak is None:
        return
    at, amount, name = peak
    # In the middle the label stands over its bar; near an edge plotly chooses the side with room.
    central = 0.2 < at / len(spent.starts) < 0.8  # noqa: PLR2004 - else it leaves the figure
    figure.write(
        f"<b>{style.label(amount)}</b> {style.label(name)}",
        time_axis.positions(spent.starts)[at],
        float(spent.heights[at]),
        xref="x",
        yref="y",
        xanchor="center" if central else "auto",
        yanchor="bottom",
        yshift=2,
    )


def _time_axis(spent: SpendOverTime, **settings: Any) -> dict[str, Any]:
    places, texts = time_axis.ticks(spent.starts)
    return style.axis(type="date", showgrid=False, tickvals=places, ticktext=texts, **settings)


def _total(rows: list[Row]) -> Decimal | None:
    return add_up(row["amount"] for row in rows)


def _label(amount: Decimal | None, currency: str) -> str:
    return style.label(money(amount, currency))


def _tick_format(currency: str) -> dict[str, str]:
    """The settings that make an axis write amounts of a currency."""
    # Plotly writes a negative amount as −$5 only with its own dollar sign: a prefix gives $−5.
    if currency == "USD":
        return {"tickformat": "$,~f"}
    prefix = money(_ZERO, currency, 0)[:-1]
    gap = " " if prefix[-1:].isspace() else ""  # ``label`` strips it
    return {"tickformat": ",~f", "tickprefix": style.label(prefix) + gap}
