"""Estimates as dots on the thin lines of their intervals, one line a group.

Each line is prepared as plain data (``Mark``) and then written: the label before it, the dot and
its interval on the scale, the numbers beside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plivo_analysis.figures import style
from plivo_analysis.figures.rows import MetricRows, Row, hue, key, title

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go

WIDE = (0.0, 0.62)
"""The part of the width that one scale takes; what stands beside it takes the rest."""

_LINE = 36
_PAIR = ((0.0, 0.25), (0.5, 0.75))
_WIDEST = 4  # times the middle one of the upper ends: an interval beyond would squeeze all others


@dataclass(frozen=True, slots=True)
class Mark:
    """One line of a figure: a label, an estimate with its interval, and what stands beside it.

    Args:
        label: Its label, safe for a figure.
        colour: The dot's colour.
        ends: The estimate and the two ends of its interval, each None where it is not known.
        bold: What stands beside it in bold; empty for nothing.
        rest: What stands after that.
        words: What hovering tells after the label; both of these, unless given.

    Example:
        >>> Mark("SMS", "#3D6DB5", (0.5, 0.4, 0.6), "50 %", "of 30").ends[0]
        0.5
    """

    label: str
    colour: str
    ends: tuple[float | None, float | None, float | None]
    bold: str
    rest: str
    words: str = ""

    @property
    def hover(self) -> str:
        """What hovering tells after the label."""
        return self.words or f"{self.bold} {self.rest}"


def group_name(table: MetricRows, row: Row) -> str:
    """A group's label, after a square of its channel's colour; a step is "SMS → Voice"."""
    steps = [column for column in ("previous_channel", "channel") if column in table.by]
    others = [column for column in table.by if column not in steps]
    step = " → ".join(style.name(row[column]) for column in steps)
    parts = [step] if step else []
    if others or not parts:
        parts.append(title(key(row, others), others))
    mark = f"{style.mark(None, group_colour(table, row))} " if table.channel else ""
    return mark + style.label(" · ".join(parts))


def group_colour(table: MetricRows, row: Row) -> str:
    """A group's colour: its channel's, or the grey of "all".

    Example:
        >>> table = MetricRows(rows=[{"channel": "sms"}], by=("channel",), periodic=False)
        >>> group_colour(table, table.rows[0])
        '#3D6DB5'
    """
    return hue(key(row, table.by), table.by)


def blank_lines(marks: Sequence[Mark], heading: str) -> style.Sketch:
    """A figure of so many lines, each with its label, with nothing drawn; ``heading`` is safe."""
    figure = style.blank(64 + _LINE * max(1, len(marks)), left=80)
    style.heading(figure, heading)
    labels = [mark.label for mark in marks]
    figure.update_layout(yaxis=style.lines_axis(labels, ticklabelstandoff=8))
    return figure


def pair(panels: Sequence[tuple[str, Sequence[Mark]]]) -> go.Figure:
    """Two estimates of the same lines beside each other, each on a scale of its own.

    A scale holds every dot; the line of an interval that is far wider than most ends in an arrow.
    """
    figure = blank_lines(panels[0][1], "")
    for number, ((heading, marks), domain) in enumerate(zip(panels, _PAIR, strict=True)):
        style.note(figure, f"<b>{heading}</b>", domain[0], 1, yanchor="bottom", yshift=4)
        suffix = "" if number == 0 else str(number + 1)
        draw_dots(figure, marks, domain, suffix=suffix, end=_scale_end(marks))
    return figure.figure()


def _scale_end(marks: Sequence[Mark]) -> float | None:
    known = [_whole(mark) for mark in marks if mark.ends[0] is not None]
    if not known:
        return None
    highs = sorted(high for _, _, high in known)
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
    """Draw dots on the thin lines of their intervals, one trace a colour, and what stands beside.

    Args:
        figure: The figure.
        marks: Its lines from the top down.
        domain: From where to where the scale goes, as parts of the figure's width.
        suffix: The number of the axis, where there are several.
        zero: Whether zero is somewhere on the scale, with a rule, and not its left end.
        end: The end of a scale from zero; an interval beyond it ends in an arrow.
    """
    known = [(line, mark) for line, mark in enumerate(marks) if mark.ends[0] is not None]
    for colour in dict.fromkeys(mark.colour for _, mark in known):
        lines = [(line, mark) for line, mark in known if mark.colour == colour]
        ends = [_whole(mark) for _, mark in lines]
        on_this_axis = {"xaxis": f"x{suffix}", "cliponaxis": False}
        figure.add_trace(
            interval_dots("x", ends, colour, end=end)
            | on_this_axis
            | {
                "y": [line for line, _ in lines],
                "hovertext": [f"{mark.label}<br>{mark.hover}" for _, mark in lines],
            }
        )
        beyond = [
            line
            for (line, _), (_, _, high) in zip(lines, ends, strict=True)
            if end is not None and high > end
        ]
        if beyond:
            arrows = {"size": 8, "color": colour, "symbol": "triangle-right"}
            figure.add_trace(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "x": [end] * len(beyond),
                    "y": beyond,
                    "marker": arrows,
                    "hoverinfo": "skip",
                    **on_this_axis,
                }
            )
    scale = style.axis(domain=list(domain), showgrid=True, ticks="", anchor="y")
    if zero:
        scale |= {"rangemode": "normal", "zeroline": True, "zerolinecolor": style.ALL}
    if end is not None:
        scale |= {"range": [0, end]}
    figure.update_layout({f"xaxis{suffix}": scale})
    write_beside(figure, marks, domain)


def interval_dots(
    axis: str,
    ends: Sequence[tuple[float, float, float]],
    colour: str,
    *,
    size: int = 8,
    end: float | None = None,
) -> dict[str, Any]:
    """Estimates along an axis as a trace of dots on thin lines, cut where the scale ends.

    Args:
        axis: ``"x"`` or ``"y"``.
        ends: Each estimate with the two ends of its interval.
        colour: Their colour.
        size: The size of a dot.
        end: The end of the scale.

    Example:
        >>> interval_dots("x", [(50.0, 40.0, 65.0)], "#3D6DB5", end=60.0)["error_x"]["array"]
        [10.0]
    """
    highs = [high if end is None else min(high, end) for _, _, high in ends]
    return {
        "type": "scatter",
        axis: [value for value, _, _ in ends],
        "mode": "markers",
        "marker": {"size": size, "color": colour},
        f"error_{axis}": {
            "type": "data",
            "symmetric": False,
            "array": [high - value for high, (value, _, _) in zip(highs, ends, strict=True)],
            "arrayminus": [value - low for value, low, _ in ends],
            "thickness": 1.4,
            "width": 0,
            "color": colour,
        },
        "hoverinfo": "text",
        "cliponaxis": False,
    }


def _whole(mark: Mark) -> tuple[float, float, float]:
    """The estimate with the ends of its interval, or with itself where it has none."""
    value, low, high = mark.ends
    value = value or 0.0
    return value, value if low is None else low, value if high is None else high


def write_beside(figure: style.Sketch, marks: Sequence[Mark], domain: tuple[float, float]) -> None:
    """Write the numbers of each line to the right of its scale."""
    for line, mark in enumerate(marks):
        bold = f"<b>{mark.bold}</b>  " if mark.bold else ""
        text = f"{bold}{style.muted(mark.rest)}"
        style.note(figure, text, domain[1] + 0.02, line, yref="y")
