"""The explorer of Verify sessions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from plivo_analysis.api.columns import SESSIONS
from plivo_analysis.api.resources import SESSION_RESOURCE
from plivo_analysis.explorer.code_line import Call, loader_call
from plivo_analysis.explorer.dataset import SESSION_GROUPS
from plivo_analysis.explorer.explorer import Explorer
from plivo_analysis.explorer.kpi_cards import amount, estimated_cards, kpi_cards, rate, rescue
from plivo_analysis.explorer.views.attempts import Attempts
from plivo_analysis.explorer.views.fallback import OVERALL, Fallback
from plivo_analysis.explorer.views.overview import Overview
from plivo_analysis.explorer.views.paths import Paths
from plivo_analysis.explorer.views.reconcile import Reconcile
from plivo_analysis.explorer.views.spend import Spend
from plivo_analysis.figures.chart_data import add_up
from plivo_analysis.loaders.coverage import coverage, issues
from plivo_analysis.metrics.sessions import cost_per_verified, success_rates
from plivo_analysis.metrics.spend import spend
from plivo_analysis.report.cost import cost_report
from plivo_analysis.tables.explode import explode_attempts
from plivo_analysis.values.typesetting import count, money, plural, unit_price

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup

    from plivo_analysis.api.resources import Resource
    from plivo_analysis.explorer.views.view import View, ViewState
    from plivo_analysis.report.sections.kpi_cards import Card

_SUCCESS = Call(success_rates, "records")
_COST = Call(cost_per_verified, "records")
_SPEND = Call(spend, "charges", {"by": ()})


class SessionExplorer(Explorer):
    """Choose sessions, load them, look at them, and copy the code.

    A widget for a notebook or a Voila page. What is asked of Plivo stands apart from what is
    not: filters load when Load is pressed, while grouping, channels and tabs work on loaded
    data at once. Recipients are masked.

    Args:
        client: The account; by default the environment's.
        filters: The first settings: the arguments of ``load_sessions`` that choose sessions.

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
        >>> client.close()
    """

    heading = "Verify sessions"
    resource: ClassVar[Resource] = SESSION_RESOURCE
    groups = SESSION_GROUPS
    report_file = "cost-report.html"
    has_channels = True

    @property
    def attempts(self) -> Any:
        """The attempts of ``frame``, exploded, in the client's backend; None before a load."""
        frame = self.frame
        return None if frame is None else explode_attempts(frame)

    def _make_views(self, currency: str) -> Sequence[View]:
        return (
            Overview(currency),
            Fallback(),
            Paths(),
            Spend(_SPEND, "channel", "Money of all sessions, open and expired ones too."),
            Attempts(currency),
            Reconcile(currency),
        )

    def _report(self, state: ViewState) -> bytes:
        client, since, until = self._client, state.period.start, state.period.end
        if state.estimate is not None and not state.estimate.exact:
            return cost_report(estimate=state.estimate, account=client.auth_id).html.encode()
        # Coverage counts what was read without a filter; of a filtered table it says nothing.
        is_whole = not state.complete.unread
        read = None if is_whole else coverage(since=since, until=until, client=client)
        report = cost_report(
            state.dataset.frames["whole"].select(SESSIONS.names),
            period=(since, until),
            account=client.auth_id,
            currency=client.currency,
            coverage=read,
            issues=issues(since=since, until=until, client=client),
        )
        return report.html.encode()

    def _code(self, arguments: Mapping[str, Any]) -> str:
        state = self._state
        estimate = state and isinstance(self._view, Overview) and state.estimate
        if not state or not estimate:
            return super()._code(arguments)
        asked = {**arguments, "since": estimate.since, "until": estimate.until}
        asked.pop("partial", None)  # which an estimate does not have
        by = {} if state.over_time else {"by": state.by}
        call = loader_call("estimate", "estimate", {**asked, **by})
        return "\n".join([call, *self._view.code(state)])

    # KPI cards.

    def _cards(self, state: ViewState) -> Markup:
        success, fallback = state.total(_SUCCESS), state.total(OVERALL)
        if state.estimate is not None:
            return estimated_cards(state.estimate, fallback)
        sessions, counts = count(success["sessions"]), state.complete.counts
        by_period = state.by_period(_SUCCESS, "sessions")
        still_open = f"{count(success['open'])} open" if success["open"] else ""
        return kpi_cards(
            amount("Sessions", sessions, counts, by_period, still_open),
            rate("Success rate", success, "success_rate", success["settled"], state.complete),
            rate("Fallback rate", fallback, "fallback_rate", fallback["sessions"], state.complete),
            rescue("Rescue range", fallback),
            _spend_card(state),
            _price_card(state),
        )


def _spend_card(state: ViewState) -> Card:
    values = state.by_period(_SPEND, "amount")
    spent = add_up(values)
    unpriced, waste = state.complete.unpriced, state.total(_COST)["waste"]
    if unpriced:
        note = f"{plural(unpriced, 'total')} missing"
    else:
        note = f"{money(waste, state.currency)} wasted" if waste is not None else ""
    certainty = None if spent is None and unpriced else state.complete.money
    return amount("Spend", money(spent, state.currency), certainty, values, note)


def _price_card(state: ViewState) -> Card:
    cost, known, values = state.total(_COST), None, []
    price, direct = cost["cost_per_verified"], cost["direct_cost_per_verified"]
    note = "" if direct is None else f"{unit_price(direct, state.currency)} direct"
    if price is None:
        note = "no total known" if cost["verified"] else "none verified"
    else:
        known = state.complete.ratio_of(cost["unpriced"])
        values = state.by_period(_COST, "cost_per_verified")
    return amount("Cost per verified", unit_price(price, state.currency), known, values, note)
