"""The explorer of Verify sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import ipywidgets as widgets

from plivo_analysis.api.columns import SESSIONS
from plivo_analysis.api.resources import SESSION_RESOURCE
from plivo_analysis.explorer import kpi_cards
from plivo_analysis.explorer.dataset import Sessions
from plivo_analysis.explorer.groups import SESSION_GROUPS
from plivo_analysis.explorer.html import Markup, tag
from plivo_analysis.explorer.output import text, write
from plivo_analysis.explorer.panel import Panel
from plivo_analysis.explorer.source import Call, with_channels
from plivo_analysis.explorer.views.attempts import Attempts
from plivo_analysis.explorer.views.fallback import OVERALL, Fallback
from plivo_analysis.explorer.views.paths import Paths
from plivo_analysis.explorer.views.reconciling import Reconciling
from plivo_analysis.explorer.views.spend import Spend
from plivo_analysis.figures import style
from plivo_analysis.metrics.cost import cost_per_verified
from plivo_analysis.metrics.spend import spend
from plivo_analysis.metrics.success import success_rates
from plivo_analysis.report.cost import cost_report
from plivo_analysis.tables.explode import explode_attempts
from plivo_analysis.values.typesetting import clean, count, money, plural, unit_price

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from decimal import Decimal

    import polars as pl

    from plivo_analysis.api.resources import Resource
    from plivo_analysis.explorer.view_state import Export
    from plivo_analysis.explorer.views.view import Scene, View


class SessionExplorer(Panel[Sessions]):
    """Choose sessions, load them, look at them, and take the code along.

    A widget for a notebook or a Voila page. What costs requests stands apart from what does
    not: filters ask the account when Load is pressed, while grouping, channels and tabs work
    on what was read. Recipients are masked.

    Args:
        client: The account; by default the environment's.
        filters: What to begin with: the arguments of ``load_sessions`` that choose sessions.

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
        >>> explorer = SessionExplorer(client, since="90d", status="expired")
        >>> explorer.load.click()
        >>> explorer.wait(60), explorer.error
        (True, None)
        >>> set(explorer.frame["status"]), explorer.filters
        ({'expired'}, {'since': '90d', 'status': 'expired'})
        >>> explorer.close()
    """

    heading = "Verify sessions"
    noun = "sessions"
    resource: ClassVar[Resource] = SESSION_RESOURCE
    loader = "load_sessions"
    groups = SESSION_GROUPS
    folded = "Subaccount, brand, app hash"

    def __init__(self, client: Any = None, **filters: Any) -> None:
        self.channels: dict[str, widgets.ToggleButton] = {}
        self._toggles = widgets.Box()
        self._toggles.add_class("pva-channels")
        super().__init__(client, **filters)

    @property
    def attempts(self) -> Any:
        """The attempts of ``frame``, exploded, in the client's backend; None before a load."""
        return self._in_backend("attempts", explode_attempts)

    def _make_views(self, currency: str) -> Sequence[View[Sessions]]:
        return (Fallback(), Paths(), Spend(), Attempts(currency), Reconciling(currency))

    def _keep(self, frame: pl.DataFrame, bounds: tuple[datetime, datetime]) -> Sessions:
        return Sessions.of(frame, bounds)

    def _still_open(self, scene: Scene[Sessions]) -> int:
        return int(scene.total(_SUCCESS)["open"])

    def _exports(self) -> dict[str, Export]:
        return {**super()._exports(), "html": ("Report", "report", self._report)}

    def _report(self, scene: Scene[Sessions]) -> bytes:
        report = cost_report(
            scene.kept.frames["whole"].select(SESSIONS.names),
            period=scene.kept.bounds,
            account=self._client.auth_id,
            currency=self._client.currency,
        )
        return report.html.encode()

    # Channels.

    def _local(self) -> list[widgets.Widget]:
        title = text("pva-label")
        write(title, tag("span", "Channels of attempts"))
        note = text("pva-hint")
        write(
            note, tag("span", "Sessions with an attempt on these. Applied here, to what was read.")
        )
        return [title, self._toggles, note]

    def _offer(self, kept: Sessions) -> None:
        """Show a toggle for each channel too; one that was there keeps its state."""
        super()._offer(kept)
        for channel in kept.channels:
            if channel not in self.channels:
                toggle = widgets.ToggleButton(
                    value=True, description=clean(style.name(channel), cap=_SHORT)
                )
                toggle.add_class("pva-channel")
                toggle.add_class(f"pva-is-{channel}" if channel in _KNOWN else "pva-is-unknown")
                toggle.observe(lambda _: self._rechoose(), "value")
                self.channels[channel] = toggle
        self._toggles.children = [self.channels[channel] for channel in kept.channels]

    def _rechoose(self) -> None:
        with self._screen:
            self._choose()

    def _narrow(self, kept: Sessions) -> Sessions:
        return kept.only([name for name in kept.channels if self.channels[name].value])

    def _narrowing(self, scene: Scene[Sessions]) -> list[str]:
        chosen = scene.kept.chosen
        return [] if chosen is None else with_channels(self._client.backend, chosen)

    # The headline.

    def _headline(self, scene: Scene[Sessions]) -> Markup:
        total, cost = scene.total(_SUCCESS), scene.total(_COST)
        fallback = scene.total(OVERALL)
        every = {"every": scene.period.every}
        spent = scene.course(Call(spend, "charges", {"by": (), **every}), "amount")
        sessions = scene.course(Call(success_rates, "sessions", every), "sessions")
        prices = scene.course(Call(cost_per_verified, "sessions", every), "cost_per_verified")
        missing = scene.kept.frames["sessions"]["total_charge"].null_count()
        still_open = f"{count(total['open'])} open" if total["open"] else ""
        return kpi_cards.headline(
            kpi_cards.exact("Sessions", count(total["sessions"]), sessions, still_open),
            kpi_cards.rate("Success rate", total, "success_rate", total["settled"]),
            kpi_cards.rate("Fallback rate", fallback, "fallback_rate", fallback["sessions"]),
            kpi_cards.rescue("Rescue range", fallback),
            _spent(scene.currency, spent, cost, missing),
            _price(scene.currency, cost, prices),
        )


_SUCCESS = Call(success_rates, "sessions")
_COST = Call(cost_per_verified, "sessions")
_SHORT = 24  # signs of a name on a button of the rail
_KNOWN = ("sms", "voice", "whatsapp", "unknown")


def _spent(
    currency: str, course: list[Decimal | None], cost: dict[str, Any], missing: int
) -> Markup:
    known = [amount for amount in course if amount is not None]
    amount = sum(known[1:], known[0]) if known else None
    if missing:
        told = f"{plural(missing, 'total')} missing"
        if amount is None:
            return kpi_cards.cell("Spend", money(amount, currency), None, told)
        return kpi_cards.at_least("Spend", money(amount, currency), course, told)
    wasted = f"{money(cost['waste'], currency)} wasted" if cost["waste"] is not None else ""
    return kpi_cards.exact("Spend", money(amount, currency), course, wasted)


def _price(currency: str, cost: dict[str, Any], course: list[Decimal | None]) -> Markup:
    price, direct = cost["cost_per_verified"], cost["direct_cost_per_verified"]
    if price is None:
        why = "no total known" if cost["verified"] else "none verified"
        return kpi_cards.cell("Cost per verified", unit_price(price, currency), None, why)
    told = "" if direct is None else f"{unit_price(direct, currency)} direct"
    said = kpi_cards.at_least if cost["unpriced"] else kpi_cards.exact
    return said("Cost per verified", unit_price(price, currency), course, told)
