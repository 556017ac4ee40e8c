"""The explorer of message records, its views, and its report: one page that stands alone."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from markupsafe import Markup

from plivo_analysis import figures
from plivo_analysis.api.columns import MESSAGES
from plivo_analysis.api.resources import MESSAGE_RESOURCE
from plivo_analysis.explorer.code_line import Call
from plivo_analysis.explorer.dataset import COUNTRY, MESSAGE_GROUPS, MESSAGE_TYPE
from plivo_analysis.explorer.explorer import Explorer
from plivo_analysis.explorer.kpi_cards import amount, kpi_cards, rate
from plivo_analysis.explorer.layout import css
from plivo_analysis.explorer.output import NOTHING, Canvas, fill, heading, remark, text, write
from plivo_analysis.explorer.table import PagedTable, TableColumn, value_column
from plivo_analysis.explorer.views.spend import Spend
from plivo_analysis.explorer.views.view import (
    INTERVAL,
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
from plivo_analysis.metrics.messages import delivery_rates, meaning, message_spend
from plivo_analysis.templates.rendering import render
from plivo_analysis.values.typesetting import (
    NOT_KNOWN,
    clean,
    count,
    money,
    percent,
    plain,
    weekday,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

    from plivo_analysis.api.resources import Resource
    from plivo_analysis.explorer.table import Row
    from plivo_analysis.explorer.views.view import ViewState

_TOTAL = Call(delivery_rates, "records")
_SPEND = Call(message_spend, "records", {"by": ()})

_BY_CODE = Call(delivery_rates, "records", {"by": ("error_code",)})
_TIMES = Call(delivery_times, "whole")
_MOST = 10
_DIGITS = 5  # of an amount, as the bill has them
_RATES = ("_rate", "_rate_low", "_rate_high")


class Delivery(MetricView):
    """The tab "Delivery"."""

    title = "Delivery"

    def __init__(self) -> None:
        self._rates = Canvas("messages delivered", in_rows=True)
        self._codes, self._note = text("pva-rows"), text()
        self._times = Canvas("delivery times", in_rows=True)
        super().__init__(self._rates.box, self._codes, self._note, self._times.box)

    def call(self, state: ViewState) -> Call:
        """Rates by group."""
        return Call(delivery_rates, "records", {"by": state.by})

    def draw(self, state: ViewState) -> None:
        """Draw the rate of each group, and list the error codes."""
        rates = self.table(state)
        drawn, left_out = worst_first(rates, "delivered_rate", "messages", descending=False)
        # The type of messages is the channel that they went by, which gives it its colour.
        drawn = drawn.rename({MESSAGE_TYPE: "channel"}, strict=False)
        partial = self._rates.draw(figures.delivery(drawn), state.bounds)
        write(self._codes, _codes(state.count(_BY_CODE)))
        of_final = "Of outbound messages in a final state."
        write(self._note, remark(*left_out, partial, of_final, INTERVAL))
        every = state.count(_TIMES)
        times, _ = worst_first(every, "delivery_p50", "messages", descending=True)
        title = "Seconds until sent and until delivered, by network"
        figure = figures.delivery_times(times)
        self._times.draw(figure, title=heading(title, largest_of(times, every)))

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


class MessageExplorer(Explorer):
    """Choose message records, load them, look at them, and copy the code.

    The same as :class:`SessionExplorer`, over messages. Both numbers of a message are masked.

    Args:
        client: The account; by default the environment's.
        filters: The first settings: the arguments of ``load_messages`` that choose messages.

    Attributes:
        load: The button that starts a load, as ``load.click()`` does.
        cancel: The button that ends one; what was read is kept.
        error: Why the last load failed; None when it did not.

    Raises:
        FilterError: An argument is wrong.
        CredentialsError: No client was given and the environment names no account.

    Example:
        >>> import plivo_analysis as pva
        >>> client = pva.demo(sessions=60)
        >>> explorer = MessageExplorer(client, since="90d", message_type="sms")
        >>> explorer.load.click()
        >>> explorer.wait(60), explorer.error
        (True, None)
        >>> set(explorer.frame["message_type"])
        {'sms'}
        >>> explorer.close()
        >>> client.close()
    """

    heading = "Messages"
    resource: ClassVar[Resource] = MESSAGE_RESOURCE
    groups = MESSAGE_GROUPS
    report_file = "messages-report.html"

    def _make_views(self, currency: str) -> Sequence[View]:
        # They are shown apart and never added.
        note = "Carrier fees are not in these amounts; whether they are billed is not documented."
        return (Delivery(), Spend(_SPEND, MESSAGE_TYPE, note), MessageRecords(currency))

    def _report(self, state: ViewState) -> bytes:
        delivery, spending, _ = self._views
        tables = {view.title: view.table(state) for view in (delivery, spending)}
        return as_page(self.heading, self._header(), self._cards(state), tables)

    def _cards(self, state: ViewState) -> Markup:
        total, counts = state.total(_TOTAL), state.complete.counts
        spent = state.total(_SPEND)
        unpriced, currency = spent["unpriced"], state.currency
        final = total["messages"] - total["other"]
        pending = f"{count(total['other'])} pending" if total["other"] else ""
        lost = count(total["undelivered"] + total["failed"])
        without = f"{count(unpriced)} without an amount" if unpriced else ""
        spending, fees = money(spent["amount"], currency), money(spent["carrier_fees"], currency)
        known, apart = state.complete.sum_of(unpriced), "not included in Spend"

        def over_time(column: str) -> list[Any]:
            return state.by_period(_SPEND, column)

        return kpi_cards(
            amount("Messages", count(spent["messages"]), counts, over_time("messages")),
            rate("Delivered rate", total, "delivered_rate", final, state.complete),
            amount("Not delivered", lost, counts, [], pending),
            amount("Parts", count(spent["units"]), counts, over_time("units")),
            amount("Spend", spending, known, over_time("amount"), without),
            amount("Carrier fees", fees, counts, over_time("carrier_fees"), apart),
        )


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


def as_page(title: str, header: Markup, cards: Markup, tables: Mapping[str, pl.DataFrame]) -> bytes:
    r"""KPI cards and tables as a page that stands alone: it asks for nothing and runs nothing.

    Args:
        title: The title of the page's tab.
        header: The header of the explorer.
        cards: Its KPI cards.
        tables: Tables of metrics under their titles.

    Example:
        >>> import polars as pl
        >>> rates = pl.DataFrame({"message_type": ["<b>"], "delivered_rate": [0.5]})
        >>> page = as_page("t", Markup(""), Markup(""), {"Delivery": rates}).decode()
        >>> "&lt;b&gt;" in page, "50.0\u202f%" in page, "<script" in page
        (True, True, False)
    """
    shown = {
        name: {
            "titles": [column.replace("_", " ") for column in frame.columns],
            "numbers": [kind.is_numeric() for kind in frame.dtypes],
            "rows": [
                [_shown(column, value) for column, value in zip(frame.columns, row, strict=True)]
                for row in frame.iter_rows()
            ],
        }
        for name, frame in tables.items()
    }
    styles = Markup(css())  # noqa: S704 - our own file
    page = render(
        "explorer/page.html", title=title, header=header, cards=cards, tables=shown, css=styles
    )
    return page.encode()


def _shown(column: str, value: Any) -> str:
    if value is None:
        return NOT_KNOWN
    if isinstance(value, Decimal):
        return plain(value, _DIGITS)
    if isinstance(value, datetime):
        return weekday(value)
    if column.endswith(_RATES):
        return percent(value)
    return count(value) if isinstance(value, int) else clean(value)
