"""What a view is: a tab that is drawn when it is shown, and the call behind its code line.

Beside it, what views have in common: the cells of tables, the largest groups, and one session
from the inside.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import ipywidgets as widgets
import polars as pl

from plivo_analysis.api.columns import SESSIONS
from plivo_analysis.api.vocabulary import UNKNOWN
from plivo_analysis.explorer.code_line import HOUR, PERIOD, added_columns
from plivo_analysis.explorer.output import fill
from plivo_analysis.figures import style, svg, time_axis
from plivo_analysis.metrics.certainty import Certainty
from plivo_analysis.report.countries import country
from plivo_analysis.tables.explode import explode_attempts, explode_charges
from plivo_analysis.templates.rendering import render
from plivo_analysis.values.masking import mask_number
from plivo_analysis.values.typesetting import NOT_KNOWN, clean, day, decimals, money, plain, weekday

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal

    from markupsafe import Markup

    from plivo_analysis.explorer.code_line import Call
    from plivo_analysis.explorer.dataset import Dataset
    from plivo_analysis.explorer.table import Row
    from plivo_analysis.metrics.certainty import Completeness
    from plivo_analysis.metrics.estimates import Estimate
    from plivo_analysis.report.period import Period

INTERVAL = "95\u202f% confidence interval (Wilson). Counts and money are exact and have none."
RESCUE = (
    "Rescued: every attempt carries the same code, so which one was used cannot be known. Left "
    "edge: rescues the log proves. Right edge: all it allows. Ring: last channel used."
)

_SHORTEST = 7  # digits of a telephone number with its country code; a short code has fewer
_DIGITS = 5  # of an amount, as the bill has them


@dataclass(slots=True)
class ViewState:
    """Everything that a view draws from: what was loaded and the choices on it.

    Args:
        dataset: What was loaded, or the part of it that was chosen.
        complete: How much of the range was read.
        period: The range of time, and how wide its buckets are.
        by: The column that it is grouped by.
        currency: The account's currency.
        backend: The kind of frames that the code line makes, ``"polars"`` or ``"pandas"``.
        read_at: When it was read.
        previous: The same of the period before; None where that is not stored.
        estimate: What the dataset says of all that is still being read; None where it is all.
    """

    dataset: Dataset
    complete: Completeness
    period: Period
    by: tuple[str, ...]
    currency: str
    backend: str
    read_at: datetime
    previous: ViewState | None = None
    estimate: Estimate | None = None

    @property
    def over_time(self) -> bool:
        """Whether it is grouped by day or by hour, whose groups have an order of their own."""
        return self.by[0] in (PERIOD, HOUR)

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """From when to when there was something to read: no further than the moment of reading."""
        return self.period.start, min(self.period.end, self.read_at)

    def count(self, call: Call) -> pl.DataFrame:
        """A metric's table of the dataset."""
        return self.dataset.count(call)

    def by_period(self, call: Call, column: str) -> list[Any]:
        """One value a bucket of the range; None where there was nothing or nothing was read."""
        call = replace(call, arguments={**call.arguments, "every": self.period.every})
        rows = self.count(call).select(PERIOD, column).rows()
        # A metric has no row for a bucket without records, so that values are found by its start.
        found = {time_axis.instant(period): value for period, value in rows}
        ends = [*self.period.starts[1:], self.period.end]
        return [
            None
            if self.complete.within(start, end) is Certainty.NOT_READ
            else found.get(time_axis.instant(start))
            for start, end in zip(self.period.starts, ends, strict=True)
        ]

    def total(self, call: Call) -> dict[str, Any]:
        """The one row of a metric without groups; without records, counts of 0 and nulls."""
        counted = self.count(call)
        if counted.height:
            return counted.row(0, named=True)
        return {name: 0 if kind.is_integer() else None for name, kind in counted.schema.items()}

    def code(self, call: Call) -> list[str]:
        """The lines that give a metric's table, after those that load the records."""
        resource, by = self.dataset.resource, call.arguments.get("by", ())
        added = added_columns(self.backend, resource.name, by, resource.instant)
        return [*added, call.text(resource.name)]


class View(ABC):
    """One tab.

    Args:
        children: What stands in it, from the top down.
    """

    title: ClassVar[str]

    def __init__(self, *children: widgets.Widget) -> None:
        self.box = widgets.VBox(children)
        self.drawn: ViewState | None = None  # what it shows

    @abstractmethod
    def draw(self, state: ViewState) -> None:
        """Show the dataset."""

    @abstractmethod
    def table(self, state: ViewState) -> pl.DataFrame:
        """The frame behind the view, the one that its code gives."""

    @abstractmethod
    def code(self, state: ViewState) -> list[str]:
        """The lines that follow the loader's; the last one gives the table."""


class MetricView(View):
    """A tab whose table is the one of a metric."""

    @abstractmethod
    def call(self, state: ViewState) -> Call:
        """The metric and its arguments."""

    def table(self, state: ViewState) -> pl.DataFrame:
        """The metric's table."""
        return state.count(self.call(state))

    def code(self, state: ViewState) -> list[str]:
        """The metric's call."""
        return state.code(self.call(state))


def cell(
    words: str, aside: str = "", *, channel: str | None = None, accent: bool = False
) -> Markup:
    """What a cell of a table shows: a text, and something beside it.

    Args:
        words: The text.
        aside: Smaller words after it.
        channel: The channel whose square stands before it.
        accent: Whether ``aside`` wants attention.

    Example:
        >>> print(cell("<b>", "unknown"))
        &lt;b&gt; <span class="pva-grey">unknown</span>
    """
    square = None if channel is None else svg.square(channel)
    return render("explorer/cell.html", square=square, text=words, aside=aside, accent=accent)


def channel_cell(channel: str | None) -> Markup:
    """A channel after the square of its colour.

    Example:
        >>> channel_cell("sms").striptags()
        'SMS'
    """
    return cell(style.name(channel), channel=channel or UNKNOWN)


def text_cell(word: str | None, cap: int = 40) -> str:
    """A text of the wire, cleaned and cut; empty for null.

    Example:
        >>> text_cell("a\u202eb"), text_cell(None)
        ('ab', '')
    """
    return "" if word is None else clean(word, cap=cap)


def number_cell(number: str | None) -> str:
    """A telephone number, masked, with the plus sign of its country code; empty for null.

    Senders may have a short code or a name, which are shown as they are.

    Example:
        >>> number_cell("14155550100"), number_cell("ACME"), number_cell(None)
        ('+1 ••• ••• ••00', 'ACME', '')
    """
    if number is None:
        return ""
    plus = "+" if number.isdecimal() and len(number) >= _SHORTEST else ""
    return plus + clean(mask_number(number))


def time_cell(at: datetime) -> str:
    """A day and a time to the second.

    Example:
        >>> from datetime import datetime
        >>> time_cell(datetime(2026, 10, 1, 8, 30, 5))
        '1 Oct 08:30:05'
    """
    return f"{day(at)} {at:%H:%M:%S}"


def charge_cell(amount: Decimal | None) -> str | Markup:
    """An amount under a title that names its currency, with the digits of the bill.

    Example:
        >>> from decimal import Decimal
        >>> charge_cell(Decimal("0.08"))
        '0.08000'
    """
    return cell("", "unknown") if amount is None else plain(amount, _DIGITS)


def exact_money(amount: Decimal, currency: str) -> str:
    """An amount with its currency and all of its digits, at least those of the bill.

    Example:
        >>> from decimal import Decimal
        >>> exact_money(Decimal("0.0812345"), "USD")
        '$0.0812345'
    """
    return money(amount, currency, max(_DIGITS, decimals(amount)))


def largest_of(drawn: pl.DataFrame, every: pl.DataFrame) -> str:
    """What follows the heading of a figure of the largest groups, of which Export has none.

    Example:
        >>> import polars as pl
        >>> networks = pl.DataFrame({"destination_network": ["Alpha", "Beta", "Gamma"]})
        >>> largest_of(networks.head(2), networks), largest_of(networks, networks)
        (', the largest 2 of 3', '')
    """
    if drawn.height == every.height:
        return ""
    return f", the largest {drawn.height} of {every.height}"


def worst_first(
    frame: pl.DataFrame, rate: str, by: str, *, descending: bool, most: int = 12
) -> tuple[pl.DataFrame, list[str]]:
    """The rows of the largest groups by a rate, and a sentence where some are left out.

    A figure keeps the order of the rows that it is given, but for channels, which have their own.
    Days and hours are kept as they are.

    Args:
        frame: A metric's table.
        rate: The column to sort by; nulls last.
        by: The count whose largest are kept.
        descending: Whether a high rate is a bad one.
        most: How many are kept.

    Example:
        >>> import polars as pl
        >>> rates = pl.DataFrame({"sessions": [9, 1, 5], "rate": [0.1, 0.9, 0.3]})
        >>> worst_first(rates, "rate", "sessions", descending=True, most=2)[0]["rate"].to_list()
        [0.3, 0.1]
    """
    largest, others = frame, list[str]()
    # Days and hours have an order of their own.
    if not {PERIOD, HOUR}.isdisjoint(frame.columns):
        return frame, others
    if frame.height > most:
        # The largest and not the worst: with few sessions any rate is chance.
        largest = frame.top_k(most, by=by)
        others = [f"{frame.height - most} smaller groups are not drawn; Export has them."]
    return largest.sort(rate, by, descending=[descending, True], nulls_last=True), others


def session_details(state: ViewState, row: Row) -> Markup:
    """Describes the session of a row, with its attempts and charge lines.

    Args:
        state: What was loaded; its sessions have all of their columns.
        row: A row with the ``session_uuid``.
    """

    def amount(value: Decimal | None) -> str:
        return "unknown" if value is None else exact_money(value, state.currency)

    sessions = state.dataset.frames["whole"].select(SESSIONS.names)
    found = sessions.filter(pl.col("session_uuid") == row["session_uuid"])
    return fill(
        "session",
        session=found.row(0, named=True),
        attempts=explode_attempts(found).rows(named=True),
        lines=explode_charges(found).rows(named=True),
        amount=amount,
        country=country,
        instant=_instant,
        number=number_cell,
        word=_word,
    )


def _word(word: str | None) -> str:
    return NOT_KNOWN if word is None else clean(word, cap=40)


def _instant(at: Any) -> str:
    return NOT_KNOWN if at is None else f"{weekday(at)} {at:%H:%M:%S} UTC"
