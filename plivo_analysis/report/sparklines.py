"""The course of amounts as small inline drawings: a line, columns, one stacked bar.

Bars start at zero. A missing value is a gap in a line, never a zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plivo_analysis.figures import style
from plivo_analysis.report.drawing import fill, svg
from plivo_analysis.report.html import Markup, tag

if TYPE_CHECKING:
    from collections.abc import Sequence
    from decimal import Decimal


def spark(values: Sequence[Decimal | int | None], *, mean: Decimal | None, said: str) -> Markup:
    """A line of one value a bucket, from zero up; where a value is missing the line is broken.

    Example:
        >>> "<polyline" in spark([1, 2, None, 3, 1], mean=None, said="by day")
        True
    """
    width, height = 148.0, 34.0
    known = [value for value in values if value is not None]
    top = float(max([*known, mean or 0, 0])) or 1.0
    low = float(min([*known, 0]))
    step = width / max(1, len(values) - 1)

    def across(place: int) -> float:
        return place * step if len(values) > 1 else width / 2

    def up(value: float | Decimal) -> float:
        return 2 + (height - 4) * (1 - (float(value) - low) / (top - low))

    marks = [
        tag(
            "polyline",
            points=" ".join(f"{across(place):.1f},{up(value):.1f}" for place, value in run),
            class_="spark",
        )
        if len(run) > 1
        else tag("circle", cx=across(run[0][0]), cy=up(run[0][1]), r=1.6, class_="dot")
        for run in _runs(values)
    ]
    if mean is not None:
        marks.insert(0, tag("line", x1=0, x2=width, y1=up(mean), y2=up(mean), class_="before"))
    floor = tag("line", x1=0, x2=width, y1=height - 0.5, y2=height - 0.5, class_="rule")
    return svg(width, height, floor, *marks, said=said)


def columns(values: Sequence[Decimal | None], channel: str, *, said: str) -> Markup:
    """One small bar a bucket, on a scale of its own; what is below zero hangs down.

    Example:
        >>> from decimal import Decimal
        >>> columns([Decimal(1), None, Decimal(2)], "sms", said="by day").count("<rect")
        2
    """
    width, height = 94.0, 15.0
    heights = [float(value or 0) for value in values]
    top, bottom = max([*heights, 0.0]), min([*heights, 0.0])
    scale = height / ((top - bottom) or 1.0)
    step = width / max(1, len(values))
    bars = (
        tag(
            "rect",
            x=round(place * step, 2),
            y=round((top - max(value, 0.0)) * scale, 2),
            width=round(step * 0.8, 2),
            height=round(abs(value) * scale, 2),
            fill=style.colour(channel),
        )
        for place, value in enumerate(heights)
        if value
    )
    return svg(width, height, *bars, said=said)


def stack(
    parts: Sequence[tuple[str, Decimal]], whole: Decimal, width: float, *, said: str
) -> Markup:
    """One bar of several parts, as long as they are of the whole; none below zero is drawn.

    Example:
        >>> from decimal import Decimal
        >>> stack([("sms", Decimal(3))], Decimal(4), 100, said="$3").count('width="75"')
        1
    """
    at, bars = 0.0, []
    for channel, amount in parts:
        if whole <= 0 or amount <= 0:
            continue
        long = float(amount / whole) * width
        bars.append(
            tag("rect", x=round(at, 2), y=0, width=round(long, 2), height=10, fill=fill(channel))
        )
        at += long
    return svg(width, 10, *bars, said=said)


def _runs(values: Sequence[Decimal | int | None]) -> list[list[tuple[int, Decimal | int]]]:
    runs: list[list[tuple[int, Decimal | int]]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((place, value))
    return [run for run in runs if run]
