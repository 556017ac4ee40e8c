"""The views of messages: how many arrived and why others did not, and each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plivo_analysis import figures
from plivo_analysis.api.columns import MESSAGES
from plivo_analysis.explorer import wording
from plivo_analysis.explorer.code_line import Call
from plivo_analysis.explorer.dataset import COUNTRY, MESSAGE_TYPE
from plivo_analysis.explorer.output import NOTHING, Canvas, fill, heading, remark, text, write
from plivo_analysis.explorer.table import PagedTable, TableColumn, value_column
from plivo_analysis.explorer.views.view import (
    MetricView,
    View,
    cell,
    channel_cell,
    charge_cell,
    largest_of,
    number_cell,
    text_cell,
    time_cell,
    worst_first,
)
from plivo_analysis.insights.delivery import delivery_times
from plivo_analysis.metrics.messages import delivery_rates, meaning
from plivo_analysis.values.typesetting import clean, count

if TYPE_CHECKING:
    import polars as pl
    from markupsafe import Markup

    from plivo_analysis.explorer.table import Row
    from plivo_analysis.explorer.views.view import ViewState

TOTAL = Call(delivery_rates, "records")

_BY_CODE = Call(delivery_rates, "records", {"by": ("error_code",)})
_TIMES = Call(delivery_times, "whole")
_MOST = 10


class Delivery(MetricView):
    """The tab "Delivery"."""

    title = "Delivery"

    def __init__(self) -> None:
        self._rates = Canvas("messages delivered", in_rows=True)
        self._codes, self._note = text("pva-rows"), text()
        self._times_heading, self._times = text(), Canvas("delivery times", in_rows=True)
        super().__init__(
            self._rates.box, self._codes, self._note, self._times_heading, self._times.box
        )

    def call(self, state: ViewState) -> Call:
        """Rates by group."""
        return Call(delivery_rates, "records", {"by": state.by})

    def draw(self, state: ViewState) -> None:
        """Draw the rate of each group, and list the error codes."""
        rates = self.table(state)
        drawn, left_out = worst_first(rates, "delivered_rate", "messages", descending=False)
        # The type of messages is the channel that they went by, which gives it its colour.
        drawn = drawn.rename({MESSAGE_TYPE: "channel"}, strict=False)
        figure = figures.delivery(drawn) if drawn.height else None
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

    def code(self, state: ViewState) -> list[str]:
        """The times by network, then the rates by group."""
        return [_TIMES.text("messages"), *super().code(state)]


class MessageRecords(View):
    """The tab "Messages": each of them in a table."""

    title = "Messages"

    def __init__(self, currency: str) -> None:
        usual = {"message_time": True, "message_uuid": False}
        self.paged = PagedTable(_columns(currency), usual, "messages")
        super().__init__(self.paged.box)

    def draw(self, state: ViewState) -> None:
        """Show the newest messages."""
        self.paged.show(state.dataset.frames["whole"])

    def table(self, state: ViewState) -> pl.DataFrame:
        """The messages themselves."""
        return state.dataset.frames["whole"].select(MESSAGES.names)

    def code(self, state: ViewState) -> list[str]:  # noqa: ARG002 - the same for any state
        """The messages themselves."""
        return ["messages"]


def _codes(rates: pl.DataFrame) -> Markup:
    """Why messages did not arrive: the codes with the most of them."""
    lost = {row["error_code"]: row["undelivered"] + row["failed"] for row in rates.rows(named=True)}
    lost = {code: lost[code] for code in sorted(lost, key=lambda code: -lost[code]) if lost[code]}
    return fill("codes", lost=lost, most=_MOST, meaning=meaning) if lost else NOTHING


def _columns(currency: str) -> list[TableColumn]:
    amount = f"Amount, {clean(currency, cap=8)}"
    return [
        value_column("Time, UTC", "message_time", time_cell, 1.1),
        value_column("Way", "message_direction", text_cell, 0.8),
        value_column("Type", MESSAGE_TYPE, channel_cell, 0.9),
        value_column("From", "from_number", number_cell, 1.15),
        value_column("To", "to_number", number_cell, 1.15),
        value_column("Country", COUNTRY, text_cell, 0.65, is_optional=True),
        TableColumn("State", ("message_state", "error_code"), _state, 2),
        value_column("Parts", "units", _parts, 0.5, is_number=True, is_optional=True),
        value_column(amount, "total_amount", charge_cell, 0.9, is_number=True),
    ]


def _state(row: Row) -> Markup:
    code = row["error_code"]
    why = "" if code in (None, "000") else f"{clean(code)} {meaning(code) or ''}"
    return cell(text_cell(row["message_state"]), why)


def _parts(units: int | None) -> str:
    return "" if units is None else count(units)
