"""The KPI cards of the explorer: six numbers, each with a drawing and what may be said of it.

A rate has its interval drawn on a scale whose ends are printed; a count or an amount shows how
it went over the range instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plivo_analysis.figures import svg
from plivo_analysis.figures.chart_data import RateEstimate, RescueRange, round_ends
from plivo_analysis.metrics.certainty import Certainty
from plivo_analysis.report.estimated import estimated_card
from plivo_analysis.report.sections.kpi_cards import Card
from plivo_analysis.templates.rendering import render
from plivo_analysis.values.typesetting import DASH, NOT_KNOWN, count, percent

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from decimal import Decimal

    from markupsafe import Markup

    from plivo_analysis.metrics.certainty import Completeness
    from plivo_analysis.metrics.estimates import Estimate

_WIDTH, _HEIGHT = 150, 27


def kpi_cards(*cards: Card) -> Markup:
    """The row of cards.

    Example:
        >>> kpi_cards(amount("Sessions", "3", Certainty.EXACT)).striptags().split()
        ['Sessions', '3', 'exact']
    """
    return render("explorer/kpi_cards.html", cards=cards)


def amount(
    title: str,
    shown: str,
    certainty: Certainty | None,
    values: Sequence[Decimal | int | None] = (),
    note: str = "",
) -> Card:
    """A count or an amount with bars over the range.

    Args:
        title: The number's name.
        shown: The number.
        certainty: What may be said of it; None where it is not known at all.
        values: The number in each bucket of the range, None where nothing was read.
        note: Further words below it.

    Example:
        >>> amount("Spend", "$3.00", Certainty.AT_LEAST, [1, 2], "2 totals missing").kind
        'at least · 2 totals missing'
    """
    card = Card(title, "", shown, " · ".join(filter(None, [certainty, note])))
    if len(values) > 1 and any(values):
        label = f"{title} over time"
        card.drawing = svg.columns(values, width=_WIDTH, height=_HEIGHT, label=label)
    return card


def rate(
    title: str, row: Mapping[str, Any], column: str, whole: int, complete: Completeness
) -> Card:
    r"""A rate with its interval.

    Args:
        title: The rate's name.
        row: A metric's row with the rate and its bounds.
        column: The rate's column.
        whole: Of how many.
        complete: How much of the range was read.

    Example:
        >>> from plivo_analysis.metrics.certainty import Completeness
        >>> row = {"r": 0.907, "r_low": 0.904, "r_high": 0.91}
        >>> rate("Success rate", row, "r", 35697, Completeness(rows=35697)).kind
        '90.4–91.0\u202f% · of 35,697'
    """
    estimate = RateEstimate.of(row, column)
    if estimate is None:
        return Card(title, "", NOT_KNOWN, "of none")
    # Printed under the drawing, so that both ends of the interval have to lie between them.
    low, high = round_ends([estimate.value, estimate.low, estimate.high])
    part = "" if complete.counts is Certainty.EXACT else " read"
    label = f"{title} {estimate.text}"
    return Card(
        title,
        "",
        percent(estimate.value),
        f"{estimate.interval} · of {count(whole)}{part}",
        drawing=svg.estimate(estimate, (low, high), _WIDTH, label=label),
        ends=(percent(low, 0), percent(high, 0)),
    )


def rescue(title: str, row: Mapping[str, Any]) -> Card:
    r"""The range of the rescue rate, from certain to possible.

    Example:
        >>> row = {"fell_back": 10, "rescued": 8, "rescued_certain": 5, "rescued_last_touch": 7}
        >>> rescue("Rescue range", row).shown
        '50–80\u202f%'
    """
    shares = RescueRange.of(row)
    if shares is None:
        return Card(title, "", NOT_KNOWN, "none fell back")
    return Card(
        title,
        "",
        shares.ends_text,
        f"certain{DASH}possible · of {count(row['fell_back'])}",
        drawing=svg.rescue(shares, _WIDTH, label=f"{title} {shares.text}"),
        ends=(percent(0, 0), percent(1, 0)),
    )


def estimated_cards(estimate: Estimate, fallback: Mapping[str, Any]) -> Markup:
    """The six cards while a load that begins with an estimate goes on.

    Every number has ≈ before it and its interval beside it. Exact numbers take their place when
    everything is read.

    Args:
        estimate: The estimate.
        fallback: The one row of fallback rates of what was read: rescues are not estimated.
    """
    rescued = rescue("Rescue range", fallback)
    rescued.kind = f"of {count(fallback['fell_back'])} read"
    measures = ("sessions", "success_rate", "fallback_rate", "spend", "cost_per_verified")
    cards = [estimated_card(estimate, measure) for measure in measures]
    cards[-1].title = "Cost per verified"  # as the exact number's card that follows
    return kpi_cards(*cards[:3], rescued, *cards[3:])
