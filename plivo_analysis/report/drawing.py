"""Small drawings as inline SVG: they need no program, print sharp and follow the theme.

Ink is ``currentColor`` and rules have classes, so that the style sheet decides both. Every
drawing says in words what it shows, for those who hear the page.
"""

from __future__ import annotations

from math import ceil, floor
from typing import TYPE_CHECKING

from plivo_analysis.figures import style
from plivo_analysis.report.html import Markup, join, tag

if TYPE_CHECKING:
    from collections.abc import Sequence

_STEPS = ((4, 1), (20, 5))  # below so many points, a scale with steps of so many
_WIDE_STEP = 10
_HEIGHT, _EDGE, _RADIUS = 18, 4, 3.6
_ABOVE, _MIDDLE, _BELOW = 6.0, 9.0, 13.0

Bounds = tuple[float, float, float]
"""Three values: of an estimate itself, low and high; of a rescue range from low to high."""


def svg(
    width: float, height: float, *marks: Markup, said: str, class_: str | None = None
) -> Markup:
    """A drawing with its words.

    Example:
        >>> svg(10, 5, said="nothing")
        '<svg viewBox="0 0 10 5" width="10" height="5" role="img" aria-label="nothing"></svg>'
    """
    return tag(
        "svg",
        *marks,
        viewBox=f"0 0 {width:g} {height:g}",
        width=width,
        height=height,
        role="img",
        aria_label=said,
        class_=class_,
    )


def hatches() -> Markup:
    """The hatchings that other drawings fill with, once a page.

    They are gradients with hard edges: a printer's file keeps those as they are, where it makes
    a picture of megabytes of each pattern.

    Example:
        >>> hatches().count("<linearGradient")
        2
    """
    across = {"validation": (0, 5, 0.2), "unallocated": (2.5, 2.5, 0.28)}
    lines = (
        tag(
            "linearGradient",
            tag("stop", offset=part, stop_color=style.colour(word)),
            tag("stop", offset=part, style="stop-color:var(--paper)"),
            id=f"hatch-{word}",
            gradientUnits="userSpaceOnUse",
            spreadMethod="repeat",
            x1=0,
            y1=0,
            x2=right,
            y2=down,
        )
        for word, (right, down, part) in across.items()
    )
    return tag("svg", tag("defs", join(lines)), width=0, height=0, class_="hidden")


def fill(channel: str) -> str:
    """What a channel's bar is filled with: its colour or its hatching.

    Example:
        >>> fill("sms"), fill("validation")
        ('#3D6DB5', 'url(#hatch-validation)')
    """
    return f"url(#hatch-{channel})" if style.hatch(channel) else style.colour(channel)


def square(channel: str | None, shade: str | None = None) -> Markup:
    """A small square of a channel's colour, before its name.

    Example:
        >>> 'fill="#17A58C"' in square("whatsapp")
        True
    """
    word = channel or ""
    hatched = bool(style.hatch(word))
    mark = tag(
        "rect",
        x=0.5,
        y=0.5,
        width=8,
        height=8,
        fill=shade or fill(word),
        stroke=style.colour(word) if hatched else None,
    )
    return tag("svg", mark, viewBox="0 0 9 9", class_="square", aria_hidden="true")


def estimate(
    bounds: Bounds,
    scale: tuple[float, float],
    width: float,
    *,
    shade: str | None,
    said: str,
    past: Bounds | None = None,
    grid: Sequence[float] = (),
) -> Markup:
    """An estimate as a dot on the thin line of its interval; the period before in grey below.

    A line that leaves the scale ends in an arrow.

    Args:
        bounds: The estimate, its lower and its upper bound.
        scale: The values at both ends.
        width: The width of the drawing.
        shade: The dot's colour; ink where None.
        said: What it shows, in words.
        past: The same of the period before.
        grid: Values that get a rule.

    Example:
        >>> estimate((0.5, 0.4, 0.6), (0, 1), 100, shade=None, said="50 %").count("<circle")
        1
        >>> estimate((0.5, 0.4, 1.2), (0, 1), 100, shade=None, said="50 %").count("<path")
        1
    """
    rules = (_rule(_across(at, scale, width)) for at in grid)
    if past is None:
        marks = [_interval(bounds, scale, width, (_MIDDLE, _RADIUS, shade or "currentColor"))]
    else:
        marks = [
            _interval(past, scale, width, (_BELOW, _RADIUS - 1, "var(--faint)")),
            _interval(bounds, scale, width, (_ABOVE, _RADIUS, shade or "currentColor")),
        ]
    return svg(width, _HEIGHT, *rules, *marks, said=said)


def _interval(
    bounds: Bounds, scale: tuple[float, float], width: float, look: tuple[float, float, str]
) -> Markup:
    (value, low, high), (y, radius, hue) = bounds, look
    left, right = _across(low, scale, width), _across(high, scale, width)
    line = tag("line", x1=left, x2=right, y1=y, y2=y, stroke=hue, stroke_width=1.4)
    dot = tag("circle", cx=_across(value, scale, width), cy=y, r=radius, fill=hue)
    arrows = [f"M{left + 4:g} {y - 3:g}l-4 3l4 3"] if low < scale[0] else []
    arrows += [f"M{right - 4:g} {y - 3:g}l4 3l-4 3"] if high > scale[1] else []
    ends = (tag("path", d=arrow, stroke=hue, stroke_width=1.4, fill="none") for arrow in arrows)
    return join((line, *ends, dot))


def round_ends(bounds: Sequence[float]) -> tuple[float, float]:
    """Round ends of a scale of rates, close enough around for intervals to be seen.

    Example:
        >>> round_ends([0.907, 0.904, 0.91])
        (0.9, 0.91)
    """
    low, high = min(bounds) * 100, max(bounds) * 100
    step = next((step for below, step in _STEPS if high - low < below), _WIDE_STEP)
    return floor(low / step) * step / 100, ceil(high / step) * step / 100


def rescue(shares: Bounds, width: float, *, shade: str, said: str) -> Markup:
    """A range as a faint bar with two edges, and a ring at the last channel used.

    Args:
        shares: Certain, by the last channel used, and possible.
        width: The width of the drawing.
        shade: Its colour.
        said: What it shows, in words.

    Example:
        >>> rescue((0.5, 0.7, 0.9), 200, shade="#3D6DB5", said="50–90 %").count("<circle")
        1
    """
    certain, last, possible = (_across(share, (0, 1), width) for share in shares)
    rules = (_rule(_across(quarter / 4, (0, 1), width)) for quarter in range(5))
    bar = tag(
        "rect", x=certain, y=5, width=possible - certain, height=8, fill=shade, fill_opacity=0.3
    )
    edges = (
        tag("line", x1=edge, x2=edge, y1=4, y2=14, stroke=shade, stroke_width=2)
        for edge in (certain, possible)
    )
    ring = tag(
        "circle", cx=last, cy=_MIDDLE, r=3, fill="var(--paper)", stroke=shade, stroke_width=1.5
    )
    return svg(width, _HEIGHT, *rules, bar, *edges, ring, said=said)


def _rule(x: float) -> Markup:
    return tag("line", x1=x, x2=x, y1=0, y2=_HEIGHT, class_="grid")


def _across(value: float, scale: tuple[float, float], width: float) -> float:
    """Where a value stands; room is left at both ends for half a dot."""
    share = (value - scale[0]) / ((scale[1] - scale[0]) or 1.0)
    return round(_EDGE + min(1.0, max(0.0, share)) * (width - 2 * _EDGE), 2)
