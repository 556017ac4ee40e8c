"""The headline: six numbers, each with what is drawn of it and how sure it is.

A rate has its interval drawn on a scale whose ends are printed; a count or an amount is exact
and shows its course over the range instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plivo_analysis.explorer.html import Child, Markup, join, tag
from plivo_analysis.figures import svg
from plivo_analysis.figures.prepared import Estimate, RescueRange, round_ends
from plivo_analysis.templates.rendering import draw_svg
from plivo_analysis.values.typesetting import DASH, NOT_KNOWN, count, percent

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
    now = Estimate.of(row, column)
    if now is None:
        return cell(name, NOT_KNOWN, None, *_small("of none"))
    ends = round_ends([now.value, now.low, now.high])
    drawn = draw_svg(svg.estimate(now, ends, WIDTH, label=f"{name} {now.words}"))
    return cell(
        name,
        percent(now.value),
        join((drawn, _ends(*ends))),
        *_small(now.interval, f"of {count(whole)}"),
    )


def rescue(name: str, row: Mapping[str, Any]) -> Markup:
    """The range of the rescue rate, from certain to possible.

    Example:
        >>> row = {"fell_back": 10, "rescued": 8, "rescued_certain": 5, "rescued_last_touch": 7}
        >>> "50–80" in rescue("Rescue range", row)
        True
    """
    shares = RescueRange.of(row)
    if shares is None:
        return cell(name, NOT_KNOWN, None, *_small("none fell back"))
    drawn = draw_svg(svg.rescue(shares, WIDTH, label=f"{name} {shares.words}"))
    return cell(
        name,
        shares.shown,
        join((drawn, _ends(*_FULL))),
        *_small(f"certain{DASH}possible", f"of {count(row['fell_back'])}"),
    )


def bars(values: Sequence[Decimal | int | None], *, said: str) -> Markup | None:
    """Small bars from zero, one a bucket; what is unknown is a gap.

    Example:
        >>> bars([1, None, 3], said="by day").count("<path")
        1
        >>> bars([5], said="by day") is None
        True
    """
    if len(values) < 2 or not any(values):  # noqa: PLR2004 - one bar has nothing to be compared with
        return None
    return Markup(draw_svg(svg.columns(values, width=WIDTH, height=_HEIGHT, label=said)))


def _small(first: str, *rest: str) -> list[Markup]:
    return [tag("span", first), *(tag("span", said, class_="pva-grey") for said in rest if said)]


def _ends(low: float, high: float) -> Markup:
    return tag(
        "div", tag("span", percent(low, 0)), tag("span", percent(high, 0)), class_="pva-ends"
    )
