"""The headline: six numbers, each with what is drawn of it and how sure it is.

A rate has its interval drawn on a scale whose ends are printed; a count or an amount is exact
and shows its course over the range instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plivo_analysis.report import drawing
from plivo_analysis.report.html import Child, Markup, join, tag
from plivo_analysis.values.typesetting import DASH, NOT_KNOWN, count, percent, percent_range

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

WIDTH = 150
_HEIGHT = 27
_FULL = (0.0, 1.0)


def headline(*cells: Markup) -> Markup:
    """The row of cells.

    Example:
        >>> headline(tag("div", "a"))
        '<div class="pva-cells"><div>a</div></div>'
    """
    return tag("div", *cells, class_="pva-cells")


def cell(name: str, value: str, drawn: Markup | None, *caption: Child) -> Markup:
    """One number: its name, itself, a drawing, and a line of small print.

    Example:
        >>> cell("Sessions", "35,740", None, "exact").count("<p")
        3
    """
    return tag(
        "div",
        tag("p", name, class_="pva-name"),
        tag("p", value, class_="pva-value"),
        tag("div", drawn, class_="pva-drawn"),
        tag("p", *caption, class_="pva-caption"),
        class_="pva-cell",
    )


def exact(name: str, value: str, course: Sequence[Decimal | int | None], *rest: str) -> Markup:
    """A count or an amount: bars of its course from zero, and that it is exact.

    Example:
        >>> "exact" in exact("Sessions", "3", [1, 2])
        True
    """
    return cell(name, value, bars(course, said=f"{name} over time"), *_small("exact", *rest))


def at_least(name: str, value: str, course: Sequence[Decimal | int | None], *rest: str) -> Markup:
    """An amount of which a part is unknown.

    Example:
        >>> "at least" in at_least("Spend", "$3.00", [1, 2], "2 totals missing")
        True
    """
    return cell(name, value, bars(course, said=f"{name} over time"), *_small("at least", *rest))


def rate(name: str, row: Mapping[str, Any], column: str, whole: int) -> Markup:
    """A rate with its interval.

    Args:
        name: The cell's name.
        row: A metric's row with the rate and its bounds.
        column: The rate's column.
        whole: Of how many.

    Example:
        >>> row = {"r": 0.907, "r_low": 0.904, "r_high": 0.91}
        >>> "90.4–91.0" in rate("Success rate", row, "r", 35697)
        True
    """
    value, low, high = row[column], row[f"{column}_low"], row[f"{column}_high"]
    if value is None:
        return cell(name, NOT_KNOWN, None, *_small("of none"))
    ends = drawing.round_ends([value, low, high])
    said = f"{name} {percent(value)}, 95 % interval {percent_range(low, high)}"
    drawn = drawing.estimate((value, low, high), ends, WIDTH, shade=None, said=said)
    return cell(
        name,
        percent(value),
        join((drawn, _ends(*ends))),
        *_small(percent_range(low, high), f"of {count(whole)}"),
    )


def rescue(name: str, row: Mapping[str, Any]) -> Markup:
    """The range of the rescue rate, from certain to possible.

    Example:
        >>> row = {"fell_back": 10, "rescued": 8, "rescued_certain": 5, "rescued_last_touch": 7}
        >>> "50–80" in rescue("Rescue range", row)
        True
    """
    whole = row["fell_back"]
    if not whole:
        return cell(name, NOT_KNOWN, None, *_small("none fell back"))
    certain, last, possible = (
        row[column] / whole for column in ("rescued_certain", "rescued_last_touch", "rescued")
    )
    shown = percent_range(certain, possible, 0)
    said = f"{name} {shown}, by the last channel used {percent(last, 0)}"
    drawn = drawing.rescue((certain, last, possible), WIDTH, shade="currentColor", said=said)
    return cell(
        name,
        shown,
        join((drawn, _ends(*_FULL))),
        *_small(f"certain{DASH}possible", f"of {count(whole)}"),
    )


def bars(values: Sequence[Decimal | int | None], *, said: str) -> Markup | None:
    """Small bars from zero, one a bucket; what is unknown is a gap.

    Example:
        >>> bars([1, None, 3], said="by day").count("<rect")
        2
        >>> bars([5], said="by day") is None
        True
    """
    heights = [float(value or 0) for value in values]
    top, bottom = max([*heights, 0.0]), min([*heights, 0.0])
    if len(heights) < 2 or top == bottom:  # noqa: PLR2004 - one bar has nothing to be compared with
        return None
    step, scale = WIDTH / len(heights), _HEIGHT / (top - bottom)
    marks = (
        tag(
            "rect",
            x=round(place * step, 2),
            y=round((top - max(height, 0.0)) * scale, 2),
            width=round(step * 0.84, 2),
            height=round(abs(height) * scale, 2),
        )
        for place, height in enumerate(heights)
        if height
    )
    return drawing.svg(WIDTH, _HEIGHT, *marks, said=said, class_="pva-bars")


def _small(first: str, *rest: str) -> list[Markup]:
    return [tag("span", first), *(tag("span", said, class_="pva-grey") for said in rest if said)]


def _ends(low: float, high: float) -> Markup:
    return tag(
        "div", tag("span", percent(low, 0)), tag("span", percent(high, 0)), class_="pva-ends"
    )
