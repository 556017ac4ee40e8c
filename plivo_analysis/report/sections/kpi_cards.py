"""The KPI cards: four amounts or counts with their sparklines, two rates with their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from plivo_analysis.figures import svg
from plivo_analysis.figures.chart_data import RateEstimate, round_ends
from plivo_analysis.report.comparison import Difference, points, points_range
from plivo_analysis.report.sections.header import section
from plivo_analysis.values.typesetting import count, day, percent

if TYPE_CHECKING:
    from plivo_analysis.figures.svg import Drawing
    from plivo_analysis.report.subject import Subject

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


@section
def kpi_cards(subject: Subject) -> dict[str, Any]:
    """The row of cards and the line that explains them."""
    totals, complete = subject.numbers.totals, subject.numbers.complete
    priced, wasted = ["none known"], ["none known" if totals["settled"] else "of none"]
    if totals["cost_per_verified"] is not None:
        direct = subject.price(totals["direct_cost_per_verified"])
        priced = [complete.ratio_of(totals["unpriced"]), f"{direct} direct"]
    if totals["waste"] is not None:
        share = totals["waste_share"]
        of_settled = [f"{percent(share)} of settled"] if share else []
        wasted = [complete.sum_of(totals["unpriced"]), *of_settled]
    card = partial(_number, subject)
    spent = card("Spend", "spend", "spent", "amount", complete.money, *complete.reasons)
    sessions = card("Sessions", "session", "sessions", "count", complete.counts)
    if complete.may_verify:
        sessions.kind += f" · {count(complete.may_verify)} may still verify"
    price = card("Per verified session", "cost", "cost_per_verified", "price", *priced)
    difference = Difference.of(subject.compared, "cost_per_verified")
    price.clear = difference is not None and difference.clear
    waste = card("Waste", "waste", "waste", "amount", *wasted)
    success = _rate(subject, "Success rate", "success", whole="settled")
    fallback = _rate(subject, "Fallback rate", "fallback", whole="sessions")
    return {"cards": [spent, sessions, price, waste, success, fallback]}


def _number(subject: Subject, title: str, note: str, name: str, kind: str, *remarks: str) -> Card:
    """A card of an amount or a count with its change, and with its sparkline over the period."""
    numbers, (now, past) = subject.numbers, subject.both(name)
    # What is not known at all would be compared as if nothing had been spent.
    if name == "spent" and numbers.complete.rows == numbers.complete.unpriced > 0:
        past = None
    # Beside a change, a card has room for one remark only.
    said = remarks if past is None else remarks[:1]
    card = Card(title, note, subject.shown(now, kind), " · ".join(said))
    card.was = "" if past is None else subject.shown(past, kind)
    # Whether a sum's change is more than chance is not known: only a price's colour says so.
    change, period = subject.change(now, past, kind), numbers.period
    if change and change.percent:
        card.change = change.percent
        if kind == "amount":
            a_day = "/day" if subject.per_day else ""
            card.apart = f"({change.text(subject.money)}{a_day})"
    if period is not None:
        # The level of the period before: a price as it was, a sum spread evenly over its buckets.
        mean = past if kind == "price" else subject.mean_before(past)
        values = [bucket.get(name) for bucket in numbers.buckets]
        card.drawing = svg.sparkline(values, mean=mean, label=f"{title} by {period.bucket}")
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
