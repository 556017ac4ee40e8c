"""Rates with their intervals: fallback and rescue, and what became of attempts.

An estimate is a dot and its interval a thin line through it. The rescue rate is no estimate
but a range, since every attempt carries the same code: a faint bar from what the log proves
to all that it allows, with a ring at the last channel used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plivo_analysis.figures import style
from plivo_analysis.figures.over_time import Rate, draw
from plivo_analysis.figures.rows import MetricRows, Row, hue, key, read, title, words
from plivo_analysis.values.typesetting import NARROW, count, percent, percent_range

if TYPE_CHECKING:
    import plotly.graph_objects as go

_FALLBACK = (
    "sessions",
    "fell_back",
    "fallback_rate",
    "fallback_rate_low",
    "fallback_rate_high",
    "retried",
    "retry_rate",
    "rescued",
    "rescue_rate",
    "rescue_rate_low",
    "rescue_rate_high",
    "rescued_last_touch",
    "rescued_certain",
    "not_evaluable",
)
_OUTCOMES = (
    "attempts",
    "reached",
    "not_reached",
    "pending",
    "unknown",
    "reached_rate",
    "reached_rate_low",
    "reached_rate_high",
    "charge",
    "billed_not_reached",
    "unpriced",
)
_DELIVERY = (
    "messages",
    "delivered",
    "undelivered",
    "failed",
    "other",
    "delivered_rate",
    "delivered_rate_low",
    "delivered_rate_high",
)
_DELIVERED_RATE = Rate("Delivered, %", "delivered_rate", "delivered", "final", "messages")
_FALLBACK_RATE = Rate("Fallback rate, %", "fallback_rate", "fell_back", "sessions", "sessions")
_REACHED_RATE = Rate("Reached, %", "reached_rate", "reached", "attempts", "attempts")
_LINE = 36
_LEFT, _RIGHT = (0.0, 0.36), (0.60, 0.90)
_WIDE = (0.0, 0.64)
_HALF_BAR = 0.17
_SMALL = 0.01  # of the largest group: an interval this wide would squeeze all others

_Named = list[tuple[Row, str, str]]  # a row, its label and its colour
_Shares = tuple[float, float, float]  # certain, last touch, possible, in percent


def fallback(frame: Any, *, overall: Any = None) -> go.Figure:
    """Draw fallback rates: who changed channel, and how many of those were rescued.

    Without a period: one line a group, left the fallback rate with its interval, right the
    rescue range of the sessions that fell back. With a period: the fallback rate over time,
    one panel a group.

    Args:
        frame: What ``fallback_rates`` gave, polars or pandas, with any grouping.
        overall: What ``fallback_rates(sessions, by=())`` gave, to draw "All" above the groups.

    Returns:
        A figure that takes the colours of its text and grid from the page.

    Raises:
        SchemaError: When the frame is not of ``fallback_rates``.

    Example:
        >>> import polars as pl
        >>> from plivo_analysis import figures
        >>> counts = {"sessions": [90], "fell_back": [9], "retried": [5], "rescued": [8],
        ...           "rescued_last_touch": [7], "rescued_certain": [4], "not_evaluable": [0]}
        >>> rates = {"fallback_rate": [0.1], "fallback_rate_low": [0.05],
        ...          "fallback_rate_high": [0.18], "retry_rate": [0.06], "rescue_rate": [0.89],
        ...          "rescue_rate_low": [0.57], "rescue_rate_high": [0.98]}
        >>> frame = pl.DataFrame({"entry_channel": ["sms"]} | counts | rates)
        >>> figures.fallback(frame).data[0].x
        (10.0,)
    """
    table = read(frame, _FALLBACK, "fallback_rates")
    if table.periodic:
        return draw(table, _FALLBACK_RATE)
    named = _named(table)
    if overall is not None:
        whole = read(overall, _FALLBACK, "fallback_rates")
        named = [(row, "<b>All</b>", style.ALL) for row in whole.rows[:1]] + named
    figure = _lines(named, _FALLBACK_RATE.said(words(table.by)))
    _dots(figure, named, _FALLBACK_RATE, _LEFT)
    for line, (row, _, _) in enumerate(named):
        of = f"{count(row['fell_back'])} of {count(row['sessions'])}"
        _beside(figure, line, _LEFT[1] + 0.02, percent(row["fallback_rate"]), of)
    _rescues(figure, named)
    return figure.figure()


def outcomes(frame: Any) -> go.Figure:
    """Draw what became of attempts: the share that reached a person, with its interval.

    Attempts still pending count against the rate, so they stand beside it.

    Args:
        frame: What ``attempt_outcomes`` gave, polars or pandas, with any grouping.

    Returns:
        One line a group; with a period, one panel a group over time.

    Raises:
        SchemaError: When the frame is not of ``attempt_outcomes``.

    Example:
        >>> import polars as pl
        >>> from plivo_analysis import figures
        >>> frame = pl.DataFrame({
        ...     "channel": ["sms"], "attempts": [10], "reached": [9], "not_reached": [1],
        ...     "pending": [0], "unknown": [0], "reached_rate": [0.9], "reached_rate_low": [0.6],
        ...     "reached_rate_high": [0.98], "charge": [None], "billed_not_reached": [None],
        ...     "unpriced": [10]})
        >>> figures.outcomes(frame).data[0].x
        (90.0,)
    """
    table = read(frame, _OUTCOMES, "attempt_outcomes")
    if table.periodic:
        return draw(table, _REACHED_RATE)
    named = _named(table)
    figure = _lines(named, _REACHED_RATE.said(words(table.by)))
    _dots(figure, named, _REACHED_RATE, _WIDE)
    for line, (row, _, _) in enumerate(named):
        beside = f"of {count(row['attempts'])}"
        beside += f", {count(row['pending'])} pending" if row["pending"] else ""
        beside += f", {count(row['unknown'])} unknown" if row["unknown"] else ""
        _beside(figure, line, _WIDE[1] + 0.02, percent(row["reached_rate"]), beside)
    return figure.figure()


def delivery(frame: Any) -> go.Figure:
    """Draw how many outbound messages arrived, of those in a final state, with the interval.

    Args:
        frame: What ``delivery_rates`` gave, polars or pandas, with any grouping.

    Returns:
        One line a group; with a period, one panel a group over time.

    Raises:
        SchemaError: When the frame is not of ``delivery_rates``.

    Example:
        >>> import polars as pl
        >>> from plivo_analysis import figures
        >>> frame = pl.DataFrame({
        ...     "message_type": ["sms"], "messages": [11], "delivered": [9], "undelivered": [1],
        ...     "failed": [0], "other": [1], "delivered_rate": [0.9], "delivered_rate_low": [0.6],
        ...     "delivered_rate_high": [0.98]})
        >>> "of 10, 1 to come" in figures.delivery(frame).layout.annotations[0].text
        True
    """
    table = read(frame, _DELIVERY, "delivery_rates")
    for row in table.rows:
        row["final"] = row["messages"] - row["other"]
    if table.periodic:
        return draw(table, _DELIVERED_RATE)
    named = _named(table)
    figure = _lines(named, _DELIVERED_RATE.said(words(table.by)))
    _dots(figure, named, _DELIVERED_RATE, _WIDE)
    for line, (row, _, _) in enumerate(named):
        beside = f"of {count(row['final'])}"
        beside += f", {count(row['other'])} to come" if row["other"] else ""
        _beside(figure, line, _WIDE[1] + 0.02, percent(row["delivered_rate"]), beside)
    return figure.figure()


def _named(table: MetricRows) -> _Named:
    order = table.groups(table.by)
    rows = sorted(table.rows, key=lambda row: order.index(key(row, table.by)))
    return [(row, *_name(table, key(row, table.by))) for row in rows]


def _name(table: MetricRows, group: tuple[Any, ...]) -> tuple[str, str]:
    shade, said = hue(group, table.by), style.label(title(group, table.by))
    if table.channel:
        said = f'<span style="color:{shade}">■</span> {said}'
    return said, shade


def _lines(named: _Named, heading: str) -> style.Sketch:
    figure = style.blank(64 + _LINE * max(1, len(named)), left=80)
    style.heading(figure, heading)
    figure.update_layout(
        yaxis=style.axis(
            showgrid=False,
            range=[len(named) - 0.5, -0.5],
            tickvals=list(range(len(named))),
            ticktext=[said for _, said, _ in named],
            tickfont={"size": 12},
            automargin=True,
            ticks="",
            showline=False,
        )
    )
    return figure


def _dots(figure: style.Sketch, named: _Named, rate: Rate, domain: tuple[float, float]) -> None:
    known = [(line, *entry) for line, entry in enumerate(named) if entry[0][rate.of] is not None]
    top = _top([row for _, row, _, _ in known], rate)
    for shade in dict.fromkeys(shade for *_, shade in known):
        of_it = [(line, row, said) for line, row, said, hue_ in known if hue_ == shade]
        figure.add_trace(_estimates(of_it, rate, shade, top))
        beyond = [line for line, row, _ in of_it if row[rate.columns[2]] * 100 > top]
        if beyond:
            figure.add_trace(_go_on(beyond, top, shade))
    scale = style.axis(domain=list(domain), showgrid=True, ticks="", range=[0, top])
    figure.update_layout(xaxis=scale, yaxis={"ticklabelstandoff": 8})


def _estimates(
    lines: list[tuple[int, Row, str]], rate: Rate, shade: str, top: float
) -> dict[str, Any]:
    """The dots and intervals of one colour."""
    bounds = [tuple(row[column] * 100 for column in rate.columns) for _, row, _ in lines]
    return {
        "type": "scatter",
        "x": [value for value, _, _ in bounds],
        "y": [line for line, _, _ in lines],
        "mode": "markers",
        "marker": {"size": 8, "color": shade},
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [min(high, top) - value for value, _, high in bounds],
            "arrayminus": [value - low for value, low, _ in bounds],
            "thickness": 1.4,
            "width": 0,
            "color": shade,
        },
        "hovertext": [
            f"{said}<br>{percent(row[rate.of])}, 95{NARROW}% interval "
            f"{percent_range(row[rate.columns[1]], row[rate.columns[2]])}"
            for _, row, said in lines
        ],
        "hoverinfo": "text",
        "cliponaxis": False,
    }


def _top(rows: list[Row], rate: Rate) -> float:
    """The end of a scale that holds every dot, and every interval but very small groups'."""
    fewest = _SMALL * max((row[rate.whole] for row in rows), default=0)
    ends = [row[rate.columns[2 if row[rate.whole] >= fewest else 0]] for row in rows]
    return min(100.0, (max(ends, default=0.0) or 1.0) * 105)


def _go_on(lines: list[int], top: float, shade: str) -> dict[str, Any]:
    """Arrows where intervals leave the scale."""
    return {
        "type": "scatter",
        "x": [top] * len(lines),
        "y": lines,
        "mode": "markers",
        "marker": {"size": 8, "color": shade, "symbol": "triangle-right"},
        "hoverinfo": "skip",
        "cliponaxis": False,
    }


def _beside(figure: style.Sketch, line: int, x: float, bold: str, rest: str) -> None:
    style.note(figure, f"<b>{bold}</b>  {style.muted(rest)}", x, line, yref="y")


def _rescues(figure: style.Sketch, named: _Named) -> None:
    figure.update_layout(
        xaxis2=style.axis(
            domain=list(_RIGHT), range=[0, 100], showgrid=True, anchor="y", ticks="", dtick=25
        )
    )
    heading = "<b>Rescued, % of those that fell back</b>"
    style.note(figure, heading, _RIGHT[0], 1, yanchor="bottom", yshift=4)
    shares: dict[str, list[tuple[int, _Shares, str]]] = {}
    for line, (row, said, shade) in enumerate(named):
        whole = row["fell_back"]
        if not whole:
            style.note(figure, "none fell back", _RIGHT[0], line, yref="y")
            continue
        certain, last, possible = (
            row[column] / whole * 100
            for column in ("rescued_certain", "rescued_last_touch", "rescued")
        )
        shares.setdefault(shade, []).append((line, (certain, last, possible), said))
        shown = percent_range(certain / 100, possible / 100, 0)
        style.note(figure, f"<b>{shown}</b>", 1, line, yref="y", xanchor="right")
    for shade, lines in shares.items():
        _rescue(figure, lines, shade)


def _rescue(figure: style.Sketch, lines: list[tuple[int, _Shares, str]], shade: str) -> None:
    """The ranges of one colour: a bar each, its two edges, and a ring."""
    edges: list[float | None] = []
    ends: list[float | None] = []
    for line, (certain, _, possible), _ in lines:
        low, high = line - _HALF_BAR, line + _HALF_BAR
        figure.add_shape(
            type="rect",
            xref="x2",
            yref="y",
            x0=certain,
            x1=possible,
            y0=low,
            y1=high,
            fillcolor=style.faded(shade, 0.3),
            line={"width": 0},
            layer="below",
        )
        edges += [certain, certain, None, possible, possible, None]
        ends += [low, high, None, low, high, None]
    on_the_right = {"type": "scatter", "xaxis": "x2", "cliponaxis": False}
    figure.add_trace(
        {
            **on_the_right,
            "x": edges[:-1],
            "y": ends[:-1],
            "mode": "lines",
            "line": {"width": 2, "color": shade},
            "hoverinfo": "skip",
        }
    )
    ring = {"size": 8, "color": shade, "symbol": "circle-open", "line": {"width": 1.6}}
    figure.add_trace(
        {
            **on_the_right,
            "x": [last for _, (_, last, _), _ in lines],
            "y": [line for line, _, _ in lines],
            "mode": "markers",
            "marker": ring,
            "hovertext": [
                f"{said}<br>certain {percent(certain / 100)}, by the last channel used "
                f"{percent(last / 100)}, possible {percent(possible / 100)}"
                for _, (certain, last, possible), said in lines
            ],
            "hoverinfo": "text",
        }
    )
