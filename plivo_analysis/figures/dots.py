"""Estimates as dots on the thin lines of their intervals, one line a group.

Each line is prepared as plain data (``Mark``) and then drawn: its label on the left, the dot and
its interval on the scale, the numbers on the right.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plivo_analysis.figures import style
from plivo_analysis.figures.rows import MetricRows, Row, group_title, key
from plivo_analysis.values.typesetting import percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go

    from plivo_analysis.figures.chart_data import RateEstimate

WIDE = (0.0, 0.62)
"""The part of the width that one scale takes; the text beside it takes the rest."""

_LINE = 36
_PAIR = ((0.0, 0.25), (0.5, 0.75))
_WIDEST = 4  # times the median of the upper ends: a scale for more would squeeze all others


@dataclass(frozen=True, slots=True)
class Mark:
    """One line of a figure: a label, an estimate with its interval, and the text beside it.

    Args:
        label: Its label, safe for a figure.
        colour: The dot's colour.
        ends: The estimate and the two ends of its interval; None where it is not known.
        bold: The first part of the text beside it, in bold; empty for none.
        rest: What follows that.
        hover: What hovering tells below the label; ``bold`` and ``rest``, unless given.

    Example:
        >>> Mark("SMS", "#3D6DB5", (0.5, 0.4, 0.6), "50 %", "of 30").rest
        'of 30'
    """

    label: str
    colour: str
    ends: tuple[float, float, float] | None
    bold: str
    rest: str
    hover: str = ""

    @classmethod
    def of_rate(cls, label: str, colour: str, estimate: RateEstimate | None, rest: str) -> Mark:
        """A line for a rate; hovering tells its interval."""
        if estimate is None:
            return cls(label, colour, None, "", rest)
        return cls(label, colour, estimate.percents, percent(estimate.value), rest, estimate.text)


def group_name(table: MetricRows, row: Row) -> str:
    """A group's label, after a square of its channel's colour; a step is "SMS → Voice"."""
    steps = [column for column in ("previous_channel", "channel") if column in table.by]
    others = [column for column in table.by if column not in steps]
    step = " → ".join(style.name(row[column]) for column in steps)
    parts = [step] if step else []
    if others or not parts:
        parts.append(group_title(key(row, others), others))
    mark = f"{style.mark(None, table.colour(row))} " if table.channel else ""
    return mark + style.label(" · ".join(parts))


def blank_lines(marks: Sequence[Mark], heading: str = "", *, right: int = 12) -> style.Sketch:
    """A figure with a labelled line for each mark, still empty; ``heading`` is safe already."""
    figure = style.blank(64 + _LINE * max(1, len(marks)), heading, left=80, right=right)
    labels = [mark.label for mark in marks]
    figure.layout["yaxis"] = style.lines_axis(labels, ticklabelstandoff=8)
    return figure


def draw_rates(marks: Sequence[Mark], heading: str) -> go.Figure:
    """One estimate a line, on a scale that holds all of the intervals."""
    figure = blank_lines(marks, heading)
    draw_dots(figure, marks, WIDE)
    return figure.figure()


def draw_pair(panels: Sequence[tuple[str, Sequence[Mark]]]) -> go.Figure:
    """Two estimates of the same lines beside each other, each on a scale of its own.

    A scale holds every dot; the line of an interval that is far wider than most ends in an arrow.
    """
    figure = blank_lines(panels[0][1])
    for number, ((heading, marks), domain) in enumerate(zip(panels, _PAIR, strict=True)):
        figure.write(f"<b>{heading}</b>", domain[0], 1, yanchor="bottom", yshift=4)
        draw_dots(figure, marks, domain, suffix=style.axis_suffix(number), end=_scale_end(marks))
    return figure.figure()


def _scale_end(marks: Sequence[Mark]) -> float | None:
    known = [mark.ends for mark in marks if mark.ends]
    if not known:
        return None
    # By the median, which a single slow or small group does not move.
    highs = sorted(high for _, _, high in known)
    # No dot may be beyond the scale, however wide its interval is.
    widest = min(highs[-1], _WIDEST * highs[len(highs) // 2])
    return 1.05 * max(widest, *(value for value, _, _ in known)) or None


def draw_dots(
    figure: style.Sketch,
    marks: Sequence[Mark],
    domain: tuple[float, float],
    *,
    suffix: str = "",
    zero: bool = False,
    end: float | None = None,
) -> None:
    """Draw a dot on the thin line of its interval for each mark, and its text beside it.

    Args:
        figure: The figure.
        marks: Its lines from the top down.
        domain: The left and the right end of the scale, as parts of the figure's width.
        suffix: Of the names of the axes, where there are several.
        zero: Whether zero may be anywhere on the scale, with a rule, and is not its left end.
        end: The end of a scale from zero; an interval beyond it ends in an arrow.
    """
    scale = style.axis(domain=list(domain), showgrid=True, ticks="", anchor="y")
    if zero:
        scale |= {"rangemode": "normal", "zeroline": True, "zerolinecolor": style.ALL_COLOUR}
    if end is not None:
        scale |= {"range": [0, end]}
    figure.layout[f"xaxis{suffix}"] = scale
    on_this_axis = {"xaxis": f"x{suffix}"}
    for line, mark in enumerate(marks):
        if mark.ends is None:
            continue
        value, low, high = mark.ends
        # A dot at 0 or 100 % is not cut at the end of its scale, and so its interval would not be
        # either: what goes beyond the scale has to be cut here.
        shown = high if end is None else min(high, end)
        hover = f"{mark.label}<br>{mark.hover or f'{mark.bold} {mark.rest}'}"
        dot = interval_dots("x", [(value, low, shown)], [line], [hover], color=mark.colour)
        figure.traces.append(dot | on_this_axis)
        if shown < high:
            arrow = dots_at([shown], [line], color=mark.colour, symbol="triangle-right")
            figure.traces.append(arrow | on_this_axis)
    write_beside(figure, marks, domain)


def interval_dots(
    axis: str,
    ends: Sequence[tuple[float, float, float]],
    places: Sequence[Any],
    hovers: Sequence[str],
    **look: Any,
) -> dict[str, Any]:
    """Estimates along an axis as a trace of dots on thin lines.

    Args:
        axis: ``"x"`` or ``"y"``.
        ends: Each estimate with the two ends of its interval.
        places: Where they stand on the other axis.
        hovers: What hovering over each of them tells.
        look: The look of a dot, with its ``color``.

    Example:
        >>> dots = interval_dots("x", [(50.0, 40.0, 65.0)], [0], ["SMS"], color="#3D6DB5")
        >>> dots["error_x"]["array"]
        [15.0]
    """
    values = [value for value, _, _ in ends]
    x, y = (values, places) if axis == "x" else (places, values)
    intervals = {
        # Distances from the dot, not positions.
        "type": "data",
        "symmetric": False,
        "array": [high - value for value, _, high in ends],
        "arrayminus": [value - low for value, low, _ in ends],
        "thickness": 1.4,
        "width": 0,
        "color": look["color"],
    }
    return dots_at(x, y, hovers, **look) | {f"error_{axis}": intervals}


def dots_at(
    x: Sequence[Any], y: Sequence[Any], hovers: Sequence[str] | None = None, **look: Any
) -> dict[str, Any]:
    """Dots as a trace, which the end of a scale does not cut in half.

    Example:
        >>> dots_at([100.0], [0], color="#3D6DB5")["hoverinfo"]
        'skip'
    """
    dots = {"type": "scatter", "mode": "markers", "x": list(x), "y": list(y), "cliponaxis": False}
    hover = {"hoverinfo": "skip"} if hovers is None else {"hoverinfo": "text", "hovertext": hovers}
    return dots | hover | {"marker": {"size": 8} | look}


def write_beside(figure: style.Sketch, marks: Sequence[Mark], domain: tuple[float, float]) -> None:
    """Write the numbers of each line to the right of its scale."""
    for line, mark in enumerate(marks):
        bold = f"<b>{mark.bold}</b>  " if mark.bold else ""
        figure.write(f"{bold}{style.muted(mark.rest)}", domain[1] + 0.02, line, yref="y")
