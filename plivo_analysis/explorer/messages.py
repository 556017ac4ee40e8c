"""The explorer of message records."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from plivo_analysis.api.resources import MESSAGE_RESOURCE
from plivo_analysis.explorer import kpi_cards
from plivo_analysis.explorer.dataset import Messages
from plivo_analysis.explorer.groups import MESSAGE_GROUPS
from plivo_analysis.explorer.html_page import sheet
from plivo_analysis.explorer.panel import Panel
from plivo_analysis.explorer.source import Call
from plivo_analysis.explorer.views.billing import Billing
from plivo_analysis.explorer.views.delivery import TOTAL, Delivery
from plivo_analysis.explorer.views.records import Records
from plivo_analysis.metrics.messages import message_spend
from plivo_analysis.values.typesetting import count, money

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import polars as pl

    from plivo_analysis.api.resources import Resource
    from plivo_analysis.explorer.html import Markup
    from plivo_analysis.explorer.view_state import Export
    from plivo_analysis.explorer.views.view import Scene, View


class MessageExplorer(Panel[Messages]):
    """Choose message records, load them, look at them, and take the code along.

    The same panel as :class:`SessionExplorer`, over messages. Both numbers of a message are
    masked.

    Args:
        client: The account; by default the environment's.
        filters: What to begin with: the arguments of ``load_messages`` that choose messages.

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
    """

    heading = "Messages"
    noun = "messages"
    resource: ClassVar[Resource] = MESSAGE_RESOURCE
    loader = "load_messages"
    groups = MESSAGE_GROUPS
    folded = "Campaign, conversation"

    def _make_views(self, currency: str) -> Sequence[View[Messages]]:
        return (Delivery(), Billing(), Records(currency))

    def _keep(self, frame: pl.DataFrame, bounds: tuple[datetime, datetime]) -> Messages:
        return Messages.of(frame, bounds)

    def _exports(self) -> dict[str, Export]:
        return {**super()._exports(), "html": ("Report", "messages", self._report)}

    def _report(self, scene: Scene[Messages]) -> bytes:
        delivery, billing, _ = self._views
        counted = {view.title: view.table(scene) for view in (delivery, billing)}
        return sheet(self.heading, self._header(), self._headline(scene), counted)

    def _still_open(self, scene: Scene[Messages]) -> int:
        return int(scene.total(TOTAL)["other"])

    def _headline(self, scene: Scene[Messages]) -> Markup:
        total = scene.total(TOTAL)
        spent = scene.total(Call(message_spend, "messages", {"by": ()}))
        by_time = Call(message_spend, "messages", {"by": (), "every": scene.period.every})
        lost = total["undelivered"] + total["failed"]
        unpriced = spent["unpriced"]
        told = kpi_cards.at_least if unpriced else kpi_cards.exact
        amount = money(spent["amount"], scene.currency)
        fees = money(spent["carrier_fees"], scene.currency)
        to_come = f"{count(total['other'])} not final" if total["other"] else ""
        return kpi_cards.headline(
            kpi_cards.exact(
                "Messages", count(spent["messages"]), scene.course(by_time, "messages")
            ),
            kpi_cards.rate(
                "Delivered rate", total, "delivered_rate", total["messages"] - total["other"]
            ),
            kpi_cards.exact("Not delivered", count(lost), [], to_come),
            kpi_cards.exact("Parts", count(spent["units"]), scene.course(by_time, "units")),
            told(
                "Spend",
                amount,
                scene.course(by_time, "amount"),
                f"{count(unpriced)} without an amount" if unpriced else "",
            ),
            kpi_cards.exact(
                "Carrier fees", fees, scene.course(by_time, "carrier_fees"), "beside Spend"
            ),
        )
