"""The explorer of message records."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from plivo_analysis.api.resources import MESSAGE_RESOURCE
from plivo_analysis.explorer.code_line import Call
from plivo_analysis.explorer.dataset import MESSAGE_GROUPS, Dataset
from plivo_analysis.explorer.explorer import Explorer
from plivo_analysis.explorer.exporting import as_page
from plivo_analysis.explorer.kpi_cards import amount, kpi_cards, rate
from plivo_analysis.explorer.views.messages import TOTAL, Delivery, MessageRecords
from plivo_analysis.explorer.views.spend import Spend
from plivo_analysis.metrics.messages import message_spend
from plivo_analysis.values.typesetting import count, money

if TYPE_CHECKING:
    from collections.abc import Sequence

    import polars as pl
    from markupsafe import Markup

    from plivo_analysis.api.resources import Resource
    from plivo_analysis.explorer.views.view import View, ViewState


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
        return (Delivery(), Spend.of_messages(), MessageRecords(currency))

    def _make_dataset(self, frame: pl.DataFrame) -> Dataset:
        return Dataset.of_messages(frame)

    def _report(self, state: ViewState) -> bytes:
        delivery, spending, _ = self._views
        tables = {view.title: view.table(state) for view in (delivery, spending)}
        return as_page(self.heading, self._header(), self._cards(state), tables)

    def _cards(self, state: ViewState) -> Markup:
        total, counts = state.total(TOTAL), state.complete.counts
        spent = state.total(Call(message_spend, "records", {"by": ()}))
        over_time = Call(message_spend, "records", {"by": (), "every": state.period.every})
        unpriced = spent["unpriced"]
        final = total["messages"] - total["other"]
        pending = f"{count(total['other'])} pending" if total["other"] else ""
        return kpi_cards(
            amount(
                "Messages",
                count(spent["messages"]),
                counts,
                state.by_period(over_time, "messages"),
            ),
            rate("Delivered rate", total, "delivered_rate", final, state.complete),
            amount(
                "Not delivered", count(total["undelivered"] + total["failed"]), counts, [], pending
            ),
            amount("Parts", count(spent["units"]), counts, state.by_period(over_time, "units")),
            amount(
                "Spend",
                money(spent["amount"], state.currency),
                state.complete.sum_of(unpriced),
                state.by_period(over_time, "amount"),
                f"{count(unpriced)} without an amount" if unpriced else "",
            ),
            amount(
                "Carrier fees",
                money(spent["carrier_fees"], state.currency),
                counts,
                state.by_period(over_time, "carrier_fees"),
                "not included in Spend",
            ),
        )
