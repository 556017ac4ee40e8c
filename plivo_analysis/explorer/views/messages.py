"""The views of messages: how many arrived and why others did not, what they cost, each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from plivo_analysis import figures
from plivo_analysis.api.columns import MESSAGES
from plivo_analysis.explorer import wording
from plivo_analysis.explorer.code_line import HOUR, PERIOD, Call
from plivo_analysis.explorer.dataset import COUNTRY
from plivo_analysis.explorer.output import NOTHING, Canvas, heading, remark, text, write
from plivo_analysis.explorer.table import PagedTable, SortOrder, TableColumn
from plivo_analysis.explorer.views.view import cell, largest_of, number_cell, text_cell, worst_first
from plivo_analysis.figures import style
from plivo_analysis.insights.delivery import delivery_times
from plivo_analysis.metrics.messages import delivery_rates, meaning, message_spend
from plivo_analysis.templates.rendering import render
from plivo_analysis.values.typesetting import clean, count, day, percent, plain, plural

if TYPE_CHECKING:
    import polars as pl
    from markupsafe import Markup

    from plivo_analysis.explorer.dataset import Messages
    from plivo_analysis.explorer.views.view import ViewState

TOTAL = Call(delivery_rates, "counted")

_TYPE = "message_type"
_BY_CODE = Call(delivery_rates, "counted", {"by": ("error_code",)})
_TIMES = Call(delivery_times, "messages")
_MOST = 10
_DIGITS = 5


class Delivery:
    """The tab "Delivery"."""

    title = "Delivery"

    def __init__(self) -> None:
        self._rates, self._codes, self._note = (
            Canvas("messages delivered", in_rows=True),
            text("pva-rows"),
            text(),
        )
        self._times_heading, self._times = text(), Canvas("delivery times", in_rows=True)
        parts = [self._rates.box, self._codes, self._note, self._times_heading, self._times.box]
        self.box = widgets.VBox(parts)

    def draw(self, state: ViewState[Messages]) -> None:
        """Draw the rate of each group, and list the error codes."""
        rates = self.table(state)
        drawn, left_out = rates, list[str]()
        if not state.over_time:
            drawn, left_out = worst_first(rates, "delivered_rate", "messages", descending=False)
        figure = figures.delivery(_as_channels(drawn)) if drawn.height else None
        partial = self._rates.draw(figure, state.bounds)
        write(self._codes, _codes(state.count(_BY_CODE)))
        of_final = "Of outbound messages in a final state."
        write(self._note, remark(*left_out, partial, of_final, wording.INTERVAL))
        every = state.count(_TIMES)
        times, _ = worst_first(every, "delivery_p50", "messages", descending=True)
        rest = largest_of(times, every)
        title = heading("Seconds until sent and until delivered, by network", rest)
        write(self._times_heading, title if times.height else NOTHING)
        self._times.draw(figures.delivery_times(times) if times.height else None)

    def table(self, state: ViewState[Messages]) -> pl.DataFrame:
        """Rates by group."""
        return state.count(Call(delivery_rates, "counted", {"by": state.by}))

    def code(self, state: ViewState[Messages], backend: str) -> list[str]:
        """The times by network, then the rates by group."""
        call = Call(delivery_rates, "counted", {"by": state.by})
        rates = call.lines("messages", backend, "message_time")
        return [_TIMES.text("messages"), *rates]


class MessageSpend:
    """The tab "Spend" of messages; carriers' fees are shown apart and never added."""

    title = "Spend"

    def __init__(self) -> None:
        self._heading, self._bars, self._note = text(), Canvas("spend"), text()
        self.box = widgets.VBox([self._heading, self._bars.box, self._note])

    def draw(self, state: ViewState[Messages]) -> None:
        """Draw bars over time, each group on its own scale; by day, one stack."""
        table = self.table(state)
        own = "" if state.over_time else ", each group on its own scale from 0"
        bucket = state.group if state.over_time else state.period.bucket
        write(self._heading, heading(f"Spend by {bucket}, {state.currency}", own))
        # Bars are drawn of charge lines: a message is one, and its type is its channel.
        lines = table.drop("units", "carrier_fees").rename({"messages": "lines"})
        drawn = figures.spend(
            _as_channels(lines), currency=state.currency, panels=state.by == (_TYPE,)
        )
        partial = self._bars.draw(drawn if table.height else None, state.bounds)
        fees = "Carrier fees are not in these amounts; whether they are billed is not documented."
        unknown = int(table["unpriced"].sum())
        without = [f"{plural(unknown, 'message')} without an amount."] * bool(unknown)
        write(self._note, remark(partial, fees, *without))

    def table(self, state: ViewState[Messages]) -> pl.DataFrame:
        """Spend by bucket and group."""
        return state.count(_spend_call(state))

    def code(self, state: ViewState[Messages], backend: str) -> list[str]:
        """Spend by bucket and group."""
        return _spend_call(state).lines("messages", backend, "message_time")


class MessageRecords:
    """The tab "Messages": each of them in a table."""

    title = "Messages"

    def __init__(self, currency: str) -> None:
        usual = SortOrder(("message_time", "message_uuid"), (True, False))
        self.paged = PagedTable(_columns(currency), usual, "messages")
        self.box = widgets.VBox([self.paged.box])

    def draw(self, state: ViewState[Messages]) -> None:
        """Show the newest messages."""
        self.paged.show(state.dataset.frames["messages"])

    def table(self, state: ViewState[Messages]) -> pl.DataFrame:
        """The messages themselves."""
        return state.dataset.frames["messages"].select(MESSAGES.names)

    def code(self, state: ViewState[Messages], backend: str) -> list[str]:  # noqa: ARG002 - any state, any backend
        """The messages themselves."""
        return ["messages"]


def _spend_call(state: ViewState[Messages]) -> Call:
    if state.by == (HOUR,):
        return Call(message_spend, "counted", {"by": (HOUR, _TYPE)})
    if state.by == (PERIOD,):
        return Call(message_spend, "counted", {"by": (_TYPE,), "every": "1d"})
    return Call(message_spend, "counted", {"by": state.by, "every": state.period.every})


def _as_channels(table: pl.DataFrame) -> pl.DataFrame:
    """A table in which the type of messages is the channel that they went by, for its colour."""
    return table.rename({_TYPE: "channel"}) if _TYPE in table.columns else table


def _codes(rates: pl.DataFrame) -> Markup:
    """Why messages did not arrive: the codes with the most of them."""
    lost = {row["error_code"]: row["undelivered"] + row["failed"] for row in rates.rows(named=True)}
    whole = sum(lost.values())
    if not whole:
        return NOTHING
    rows = [
        {
            "code": "no code" if code is None else clean(code),
            "meaning": meaning(code) or "",
            "messages": count(number),
            "share": percent(number / whole, unit=False),
        }
        for code, number in sorted(lost.items(), key=lambda pair: -pair[1])[:_MOST]
        if number
    ]
    return render("explorer/codes.html", rows=rows)


def _columns(currency: str) -> list[TableColumn]:
    amount = f"Amount, {clean(currency, cap=8)}"
    return [
        TableColumn("Time, UTC", ("message_time",), _time, 1.1),
        TableColumn("Way", ("message_direction",), _word("message_direction"), 0.8),
        TableColumn(
            "Type",
            (_TYPE,),
            lambda row: cell(style.name(row[_TYPE]), channel=row[_TYPE] or "unknown"),
            0.9,
        ),
        TableColumn("From", ("from_number",), _number("from_number"), 1.15),
        TableColumn("To", ("to_number",), _number("to_number"), 1.15),
        TableColumn("Country", (COUNTRY,), _word(COUNTRY), 0.65, is_optional=True),
        TableColumn("State", ("message_state", "error_code"), _state, 2),
        TableColumn("Parts", ("units",), _parts, 0.5, is_number=True, is_optional=True),
        TableColumn(amount, ("total_amount",), _amount, 0.9, is_number=True),
    ]


def _time(row: dict[str, Any]) -> str:
    at = row["message_time"]
    return f"{day(at)} {at:%H:%M:%S}"


def _word(column: str) -> Any:
    return lambda row: text_cell(row[column])


def _number(column: str) -> Any:
    return lambda row: number_cell(row[column])


def _state(row: dict[str, Any]) -> Markup:
    code = row["error_code"]
    why = "" if code in (None, "000") else f"{clean(code)} {meaning(code) or ''}"
    return cell(text_cell(row["message_state"]), why)


def _parts(row: dict[str, Any]) -> str:
    return "" if row["units"] is None else count(row["units"])


def _amount(row: dict[str, Any]) -> str | Markup:
    amount = row["total_amount"]
    return cell("", "unknown") if amount is None else plain(amount, _DIGITS)
