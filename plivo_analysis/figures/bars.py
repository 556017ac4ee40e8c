"""Money as bars: stacked by channel over time, each on its own scale, or one line a group.

Bars start at zero and have no least width: a small amount looks small. An amount that is not
known is no bar at all, and a negative one hangs below zero.
"""

from __future__ import annotations

from decimal import Decimal
from itertools import islice
from typing import Any

import plotly.graph_objects as go

from plivo_analysis.api.words import UNKNOWN
from plivo_analysis.figures import style, time_axis
from plivo_analysis.figures.rows import HOUR, PERIOD, MetricRows, Row, hue, key, read, title
from plivo_analysis.values.typesetting import count, money, plural

_SPEND = ("lines", "amount", "unpriced")
_MOST = 12
_PANELS = 8
_LINE = 26
_PANEL = 78
_LABELS = 170
_BESIDE = 124
_SHORT = 16  # letters of a name beside the bars; hovering tells the whole
_ZERO = Decimal(0)

_Group = tuple[Any, ...]


def spend(frame: Any, *, currency: str = "USD", panels: bool = False) -> go.Figure:
    """Draw spend: bars over time, or one line a group.

    With a period, the bars of a bucket are stacked by channel; ``panels`` gives each group its
    own panel and scale instead, as does a grouping without channels. Without a period there
    is one bar a group, split by channel where the frame has it, the largest twelve by name.

    Args:
        frame: What ``spend`` gave, polars or pandas, with any grouping.
        currency: The account's currency, a label.
        panels: Whether each group is drawn on its own scale.

    Returns:
        A figure with the exact amount of each group beside it.

    Raises:
        SchemaError: When the frame is not of ``spend``.

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
    table = read(frame, _SPEND, "spend")
    if not table.periodic:
        return _lines(table, currency)
    if panels or (table.by and table.channel is None):
        return _own_scales(table, currency)
    return _stack(table, currency)


def _stack(table: MetricRows, currency: str) -> go.Figure:
    figure = style.blank(270, right=_LABELS)
    places, texts = time_axis.ticks([row[PERIOD] for row in table.rows])
    figure.update_layout(
        barmode="relative",
        xaxis=style.axis(
            type="date", showgrid=False, tickvals=places, ticktext=texts, ticks="outside"
        ),
        yaxis=style.axis(nticks=4, showline=False, **_amounts(currency)),
    )
    groups = table.groups(table.by)
    bucket = time_axis.bucket([row[PERIOD] for row in table.rows])
    for place, group in enumerate(groups):
        rows = _of(table, group)
        figure.add_trace(_columns(table, group, rows, bucket, currency))
        _beside(figure, table, group, _total(rows), currency, y=0, yshift=14 + 22 * place)
    _peak(figure, table, bucket, currency)
    return figure.figure()


def _own_scales(table: MetricRows, currency: str) -> go.Figure:
    totals = {group: _total(_of(table, group)) for group in table.groups(table.by)}
    totals = {group: total for group, total in totals.items() if _drawable(table, group)}
    if table.channel is None:
        largest = sorted(totals, key=lambda group: -(totals[group] or _ZERO))
        totals = {group: totals[group] for group in largest[:_PANELS]}
    figure = style.blank(48 + _PANEL * (len(totals) + 1), right=_BESIDE, top=12)
    places, texts = time_axis.ticks([row[PERIOD] for row in table.rows])
    bucket = time_axis.bucket([row[PERIOD] for row in table.rows])
    domains = _heights(list(totals.values()))
    for number, (group, total) in enumerate(totals.items()):
        suffix = "" if number == 0 else str(number + 1)
        domain = domains[number]
        trace = _columns(table, group, _of(table, group), bucket, currency)
        trace.update(xaxis="x", yaxis=f"y{suffix}")
        figure.add_trace(trace)
        scale = style.axis(domain=domain, nticks=3, showline=False, **_amounts(currency))
        figure.update_layout({f"yaxis{suffix}": scale})
        _beside(figure, table, group, total, currency, between="<br>", y=sum(domain) / 2)
    last = "" if len(totals) < 2 else str(len(totals))  # noqa: PLR2004 - the first has no number
    figure.update_layout(
        barmode="relative",
        xaxis=style.axis(
            type="date", showgrid=False, tickvals=places, ticktext=texts, anchor=f"y{last}"
        ),
    )
    return figure.figure()


def _heights(totals: list[Decimal | None]) -> list[list[float]]:
    """From where to where panels stand, from the top down: the largest twice as high."""
    amounts = [total or _ZERO for total in totals]
    parts = [2 if place == amounts.index(max(amounts)) else 1 for place in range(len(amounts))]
    part, domains, ceiling = 1 / max(1, sum(parts)), [], 1.0
    for parts_of_it in parts:
        floor = ceiling - parts_of_it * part
        domains.append([max(0.0, floor + 0.2 * part), ceiling])
        ceiling = floor
    return domains


def _lines(table: MetricRows, currency: str) -> go.Figure:
    shown = table.without(table.channel) or table.by
    lines = _largest(table, shown)
    figure = style.blank(52 + _LINE * max(1, len(lines)), left=150, right=_LABELS)
    figure.update_layout(
        barmode="relative",
        bargap=0.35,
        xaxis=style.axis(showgrid=True, ticks="", **_amounts(currency)),
        yaxis=style.axis(
            showgrid=False,
            range=[len(lines) - 0.5, -0.5],
            showline=False,
            tickvals=list(range(len(lines))),
            ticktext=[said for said, _ in lines],
            tickfont={"size": 12},
            automargin=True,
            ticks="",
        ),
    )
    words = {_part(table, row) for row in table.rows}
    for word in sorted(words, key=style.place):
        _bars(figure, [(said, _with(table, rows, word)) for said, rows in lines], word, currency)
    for place, (_, rows) in enumerate(lines):
        style.note(figure, f"<b>{_said(_total(rows), currency)}</b>", 1.01, place, yref="y")
    return figure.figure()


def _largest(table: MetricRows, columns: tuple[str, ...]) -> list[tuple[str, list[Row]]]:
    """Each line's label and rows: channels and hours in their order, else by amount, rest last."""
    rows: dict[_Group, list[Row]] = {group: [] for group in table.groups(columns)}
    for row in table.rows:
        rows[key(row, columns)].append(row)
    named = [(style.label(title(group, columns)), found) for group, found in rows.items()]
    if table.channel in columns:
        return [
            (style.square(group[0]) if len(columns) == 1 else said, found)
            for group, (said, found) in zip(rows, named, strict=True)
        ]
    if columns == (HOUR,):
        return named
    named.sort(key=lambda line: -(_total(line[1]) or _ZERO))
    if len(named) <= _MOST + 1:
        return named
    rest = [row for _, found in islice(named, _MOST, None) for row in found]
    return [*named[:_MOST], (f"{count(len(named) - _MOST)} others", rest)]


def _part(table: MetricRows, row: Row) -> str:
    return str(row[table.channel] or UNKNOWN) if table.channel else ""


def _with(table: MetricRows, rows: list[Row], word: str) -> list[Row]:
    return [row for row in rows if _part(table, row) == word]


def _bars(
    figure: style.Sketch, lines: list[tuple[str, list[Row]]], word: str, currency: str
) -> None:
    known = [
        (place, said, total)
        for place, (said, rows) in enumerate(lines)
        if (total := _total(rows)) is not None
    ]
    what = f" {style.label(style.name(word))}" if word else ""
    figure.add_trace(
        go.Bar(
            orientation="h",
            x=[float(total) for _, _, total in known],
            y=[place for place, _, _ in known],
            marker=_marker(style.colour(word) if word else style.ALL, word),
            hovertext=[f"{said}<br>{_said(total, currency)}{what}" for _, said, total in known],
            hoverinfo="text",
        )
    )


def _columns(
    table: MetricRows, group: _Group, rows: list[Row], bucket: str, currency: str
) -> go.Bar:
    part = _part(table, rows[0])
    known = [row for row in rows if row["amount"] is not None]
    if style.hatch(part):
        known = [row for row in known if row["amount"]]  # nothing has no edge to be drawn
    said = style.label(title(group, table.by))
    return go.Bar(
        name=said,
        width=time_axis.width(bucket),
        x=[time_axis.wall(row[PERIOD]) for row in known],
        y=[float(row["amount"]) for row in known],
        marker=_marker(hue(group, table.by), part),
        hovertext=[
            f"{time_axis.said(row[PERIOD], bucket)}<br>{_said(row['amount'], currency)} {said}"
            f"<br>{plural(row['lines'], 'line')}"
            for row in known
        ],
        hoverinfo="text",
    )


def _marker(shade: str, word: str) -> dict[str, Any]:
    if not style.hatch(word):
        return {"color": shade, "line": {"width": 0}}
    pattern = {"shape": style.hatch(word), "fgcolor": shade, "bgcolor": "rgba(0,0,0,0)"}
    return {
        "color": shade,
        "line": {"width": 0.8, "color": shade},
        "pattern": pattern | {"size": 5, "solidity": 0.35, "fillmode": "replace"},
    }


def _beside(
    figure: style.Sketch,
    table: MetricRows,
    group: _Group,
    total: Decimal | None,
    currency: str,
    *,
    between: str = " ",
    **where: Any,
) -> None:
    mark = style.mark(_part(table, _of(table, group)[0]), hue(group, table.by))
    named = f"{mark} <b>{style.label(title(group, table.by), _SHORT)}</b>"
    style.note(figure, f"{named}{between}{_said(total, currency)}", 1.01, **where)


def _peak(figure: style.Sketch, table: MetricRows, bucket: str, currency: str) -> None:
    """Say the amount of the highest bucket, where there are several to compare."""
    amounts: dict[Any, Decimal] = {}
    heights: dict[Any, Decimal] = {}
    for row in table.rows:
        amount = row["amount"] or _ZERO
        amounts[row[PERIOD]] = amounts.get(row[PERIOD], _ZERO) + amount
        heights[row[PERIOD]] = heights.get(row[PERIOD], _ZERO) + max(amount, _ZERO)
    if len(amounts) < 2 or not any(heights.values()):  # noqa: PLR2004 - one is its own highest
        return
    highest = max(amounts, key=lambda period: amounts[period])
    whole = time_axis.unbroken(list(amounts))
    times = _times(amounts[highest], sorted(amounts.values()), bucket) if whole else ""
    style.note(
        figure,
        f"<b>{_said(amounts[highest], currency)}</b> {_on(bucket)}"
        f"{time_axis.said(highest, bucket)}{times}",
        time_axis.wall(highest),
        float(heights[highest]),
        xref="x",
        yref="y",
        xanchor="center" if _central(highest, list(amounts)) else "auto",
        yanchor="bottom",
        yshift=2,
    )


def _central(period: Any, periods: list[Any]) -> bool:
    place = sorted(periods).index(period) / len(periods)
    return 0.2 < place < 0.8  # noqa: PLR2004 - nearer the edge the text would leave the figure


def _on(bucket: str) -> str:
    return "in " if bucket in {"week", "month"} else "on "


def _times(highest: Decimal, amounts: list[Decimal], bucket: str) -> str:
    median = amounts[len(amounts) // 2]
    if len(amounts) < _MOST // 2 or median <= 0 or highest / median < Decimal("1.5"):
        return ""
    return f", {highest / median:.1f} times the median {bucket}"


def _of(table: MetricRows, group: _Group) -> list[Row]:
    return [row for row in table.rows if key(row, table.by) == group]


def _drawable(table: MetricRows, group: _Group) -> bool:
    return any(row["amount"] for row in _of(table, group))


def _total(rows: list[Row]) -> Decimal | None:
    known = [row["amount"] for row in rows if row["amount"] is not None]
    return sum(known, _ZERO) if known else None


def _said(amount: Decimal | None, currency: str) -> str:
    return style.label(money(amount, currency))


def _amounts(currency: str) -> dict[str, str]:
    """How an axis writes amounts; plotly puts a minus before its own dollar sign only."""
    if currency == "USD":
        return {"tickformat": "$,~f"}
    before = money(_ZERO, currency, 0)[:-1]
    gap = " " if before[-1:].isspace() else ""  # which a label is trimmed of
    return {"tickformat": ",~f", "tickprefix": style.label(before) + gap}
