"""A rate over time: one panel a group, one dot and line a bucket, one scale for all.

The dotted line is the group's rate over the whole time, a ratio of sums.
"""

from __future__ import annotations

from dataclasses import dataclass

import plotly.graph_objects as go

from plivo_analysis.figures import style, time_axis
from plivo_analysis.figures.rows import PERIOD, MetricRows, Row, hue, key, title
from plivo_analysis.values.typesetting import count, percent, percent_range

_ABREAST = 3
_GAP = 0.04
_PANEL = 170
_WHOLE = 100.0
_TICKS = 4


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate with an interval, and the counts that it divides.

    Args:
        title: What the figure says above it.
        of: The column of the rate; its interval's have ``_low`` and ``_high`` behind it.
        part: The column of the numerator.
        whole: The column of the denominator.
        unit: What the denominator counts.

    Example:
        >>> Rate("Reached, %", "reached_rate", "reached", "attempts", "attempts").columns
        ('reached_rate', 'reached_rate_low', 'reached_rate_high')
    """

    title: str
    of: str
    part: str
    whole: str
    unit: str

    @property
    def columns(self) -> tuple[str, str, str]:
        """The columns of the rate, its lower and its upper bound."""
        return self.of, f"{self.of}_low", f"{self.of}_high"

    def said(self, how: str) -> str:
        """What a figure says above it, with how it is divided."""
        what, unit = self.title.rsplit(", ", 1)
        return f"{what}{how}, {unit}"


def draw(table: MetricRows, rate: Rate) -> go.Figure:
    """Draw a rate over time, one panel a group.

    Example:
        >>> rate = Rate("Reached, %", "reached_rate", "reached", "attempts", "attempts")
        >>> draw(MetricRows(rows=[], by=("channel",), periodic=True), rate).data
        ()
    """
    groups = table.groups(table.by)
    abreast = min(_ABREAST, max(1, len(groups)))
    bands = -(-len(groups) // abreast)
    figure = style.blank(62 + _PANEL * max(1, bands), top=46)
    style.heading(figure, rate.said(" over time"))
    top = _top(table, rate)
    for number, group in enumerate(groups):
        rows = [row for row in table.rows if key(row, table.by) == group]
        _panel(figure, number, (abreast, bands), top)
        said, shade = style.label(title(group, table.by)), hue(group, table.by)
        said = f'<span style="color:{shade}">■</span> <b>{said}</b>'
        _heading(figure, number, said, rows=rows, rate=rate)
        _dots(figure, number, rows, rate, shade)
    return figure.figure()


def _top(table: MetricRows, rate: Rate) -> float:
    highest = (row[rate.columns[2]] or 0.0 for row in table.rows if row[rate.whole])
    return min(_WHOLE, max(highest, default=1.0) * 105)


def _panel(figure: style.Sketch, number: int, grid: tuple[int, int], top: float) -> None:
    abreast, bands = grid
    band, place = divmod(number, abreast)
    wide, high = (1 + _GAP) / abreast - _GAP, 1 / bands
    left, ceiling = place * (wide + _GAP), 1 - band * high
    x, y = _axes(number)
    figure.update_layout(
        {
            f"xaxis{x[1:]}": style.axis(
                domain=[left, left + wide], anchor=y, showgrid=False, type="date"
            ),
            f"yaxis{y[1:]}": style.axis(
                domain=[ceiling - high + 0.05 + 0.1 * (bands > 1), ceiling],
                anchor=x,
                range=[0, top],
                showticklabels=place == 0,
                showline=False,
            ),
        }
    )


def _axes(number: int) -> tuple[str, str]:
    suffix = "" if number == 0 else str(number + 1)
    return f"x{suffix}", f"y{suffix}"


def _heading(figure: style.Sketch, number: int, said: str, *, rows: list[Row], rate: Rate) -> None:
    x, y = _axes(number)
    bucket = time_axis.bucket([row[PERIOD] for row in rows])
    each = round(sum(row[rate.whole] for row in rows) / len(rows))
    rest = style.muted(f"by {bucket}, {count(each)} {rate.unit} each")
    ends = {"xref": f"{x} domain", "yref": f"{y} domain"}
    style.note(figure, f"{said}  {rest}", 0, 1, yanchor="bottom", yshift=4, **ends)


def _dots(figure: style.Sketch, number: int, rows: list[Row], rate: Rate, shade: str) -> None:
    x, y = _axes(number)
    places, texts = time_axis.ticks([row[PERIOD] for row in rows], most=_TICKS)
    ticks = {"tickvals": places, "ticktext": texts, "tickangle": 0}
    figure.update_layout({f"xaxis{x[1:]}": ticks})
    known = [row for row in rows if row[rate.of] is not None]
    bucket = time_axis.bucket([row[PERIOD] for row in rows])
    values, lows, highs = ([row[column] * 100 for row in known] for column in rate.columns)
    figure.add_trace(
        go.Scatter(
            x=[time_axis.wall(row[PERIOD]) for row in known],
            y=values,
            xaxis=x,
            yaxis=y,
            mode="markers",
            marker={"size": 6, "color": shade},
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [high - value for high, value in zip(highs, values, strict=True)],
                "arrayminus": [value - low for low, value in zip(lows, values, strict=True)],
                "thickness": 1.4,
                "width": 0,
                "color": shade,
            },
            hovertext=[_hover(row, rate, bucket) for row in known],
            hoverinfo="text",
            cliponaxis=False,
        )
    )
    _mean(figure, number, rows, rate)


def _hover(row: Row, rate: Rate, bucket: str) -> str:
    value, low, high = (row[column] for column in rate.columns)
    return (
        f"{time_axis.said(row[PERIOD], bucket)}<br>{percent(value)} "
        f"({percent_range(low, high)}), {count(row[rate.part])} of {count(row[rate.whole])}"
    )


def _mean(figure: style.Sketch, number: int, rows: list[Row], rate: Rate) -> None:
    whole = sum(row[rate.whole] for row in rows)
    if whole:
        x, y = _axes(number)
        level = sum(row[rate.part] for row in rows) / whole * 100
        figure.add_shape(
            type="line",
            xref=f"{x} domain",
            yref=y,
            x0=0,
            x1=1,
            y0=level,
            y1=level,
            line={"width": 1, "dash": "dot", "color": style.ALL},
        )
