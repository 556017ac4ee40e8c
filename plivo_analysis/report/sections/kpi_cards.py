"""The KPI cards: four amounts or counts with their sparklines, two rates with their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plivo_analysis.figures import svg
from plivo_analysis.figures.chart_data import RateEstimate, round_ends
from plivo_analysis.report.comparison import Difference, points, points_range
from plivo_analysis.report.measures import finder
from plivo_analysis.report.sections.header import section
from plivo_analysis.values.typesetting import count, day, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

    from plivo_analysis.figures.svg import Drawing
    from plivo_analysis.report.measures import Subject

_WIDTH = 148
_SIZES = ((13, "longest"), (9, "long"))  # letters that a card has no room for


@dataclass(slots=True)
class Card:
    """One card, in words.

    Args:
        title: The number's name.
        note: The footnote that defines it.
        shown: The number itself.
        kind: What may be said of it: exact, at least, its interval.
        was: What it was in the period before; empty where that is not known.
        change: The change since; empty where it cannot be said.
        apart: The same as an amount or an interval.
        clear: Whether the change is more than chance can cause.
        drawing: Its sparkline over the period, or its interval.
        ends: What stands at both ends under the drawing.
    """

    title: str
    note: str
    shown: str
    kind: str
    was: str = ""
    change: str = ""
    apart: str = ""
    clear: bool = False
    drawing: Drawing | None = None
    ends: tuple[str, str] | None = None

    @property
    def size(self) -> str:
        """A class for the number: the longer the smaller."""
        return next((word for over, word in _SIZES if len(self.shown) > over), "")


def kpi_cards(subject: Subject) -> Markup:
    """The row of cards and the line that explains them."""
    cards = [
        _spend(subject),
        _sessions(subject),
        _cost(subject),
        _waste(subject),
        _rate(subject, "Success rate", "success", whole="settled"),
        _rate(subject, "Fallback rate", "fallback", whole="sessions"),
    ]
    return section("kpi_cards", subject, cards=cards)


def _spend(subject: Subject) -> Card:
    numbers, before = subject.numbers, subject.before
    complete = numbers.complete
    known = [str(complete.money), *complete.reasons]
    # What is not known at all would be compared as if nothing had been spent.
    none_known = complete.rows and complete.unpriced == complete.rows
    past = None if before is None or none_known else before.spent
    card = Card("Spend", "spend", subject.money(numbers.spent), " · ".join(known))
    return _compared(subject, card, "amount", (numbers.spent, past), numbers.spent_by_period())


def _sessions(subject: Subject) -> Card:
    numbers = subject.numbers
    both = subject.both(lambda found: found.sessions.height)
    counts = numbers.by_period("success_by_period", "sessions", 0)
    card = Card("Sessions", "session", count(both[0]), str(numbers.complete.counts))
    card = _compared(subject, card, "count", both, counts)
    if numbers.complete.may_verify:
        card.kind += f" · {count(numbers.complete.may_verify)} may still verify"
    return card


def _cost(subject: Subject) -> Card:
    numbers = subject.numbers
    cost = numbers.total("cost")
    price, past = subject.both(finder("cost", "cost_per_verified"))
    kind = "none known"
    if price is not None:
        known = numbers.complete.ratio_of(cost["unpriced"])
        kind = f"{known} · {subject.price(cost['direct_cost_per_verified'])} direct"
    prices = numbers.by_period("cost_by_period", "cost_per_verified")
    card = Card("Per verified session", "cost", subject.price(price), kind)
    difference = Difference.of(subject.compared, "cost_per_verified")
    card.clear = difference is not None and difference.clear
    return _compared(subject, card, "price", (price, past), prices)


def _waste(subject: Subject) -> Card:
    numbers = subject.numbers
    cost = numbers.total("cost")
    waste, past = subject.both(finder("cost", "waste"))
    kind = "none known" if cost["settled"] else "of none"
    if waste is not None:
        share = f" · {percent(cost['waste_share'])} of settled" if cost["waste_share"] else ""
        kind = f"{numbers.complete.sum_of(cost['unpriced'])}{share}"
    wasted = numbers.by_period("cost_by_period", "waste")
    card = Card("Waste", "waste", subject.money(waste), kind)
    return _compared(subject, card, "amount", (waste, past), wasted)


def _compared(
    subject: Subject, card: Card, kind: str, both: tuple[Any, Any], values: Sequence[Any]
) -> Card:
    """A card of a number with its change, and with its sparkline over the period."""
    now, past = both
    if past is not None:
        # Beside a change, a card has room for one remark only.
        card.kind = card.kind.split(" · ")[0]
        card.was = subject.shown(past, kind)
    change, period = subject.change(now, past, kind), subject.numbers.period
    if change and change.percent:
        card.change = change.percent
        if kind == "amount":
            a_day = "/day" if subject.per_day else ""
            card.apart = f"({change.text(subject.money)}{a_day})"
    if period is not None:
        mean = past if kind == "price" else subject.mean_before(past)
        label = f"{card.title} by {period.bucket}"
        card.drawing = svg.sparkline(values, mean=mean, label=label)
        card.ends = (day(period.start), day(period.last))
    return card


def _rate(subject: Subject, title: str, table: str, *, whole: str) -> Card:
    column = f"{table}_rate"
    now = subject.numbers.total(table)
    then = subject.before.total(table) if subject.before else None
    estimate = RateEstimate.of(now, column)
    past = RateEstimate.of(then, column) if then else None
    was = percent(past.value) if past else ""
    if estimate is None:
        return Card(title, table, percent(None), "of none", was=was)
    kind = estimate.interval if past else f"{estimate.interval} of {count(now[whole])}"
    card = Card(title, table, percent(estimate.value), kind, was=was)
    if difference := Difference.of(subject.compared, column):
        card.change, card.apart = points(difference), f"({points_range(difference)})"
        card.clear = difference.clear
    # One scale for both periods, or the two dots could not be compared.
    drawn = [rate for rate in (estimate, past) if rate]
    low, high = round_ends([end for rate in drawn for end in (rate.value, rate.low, rate.high)])
    label = f"{title} {estimate.text}"
    card.drawing = svg.estimate(estimate, (low, high), _WIDTH, label=label, past=past)
    card.ends = (percent(low, 0), percent(high, 0))
    return card
