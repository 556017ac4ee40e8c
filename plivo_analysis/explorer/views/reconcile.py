"""Not adding up: the sessions whose money or counts do not, and why."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from plivo_analysis.explorer.code_line import Call
from plivo_analysis.explorer.output import heading, lines, text, write
from plivo_analysis.explorer.table import PagedTable, value_column
from plivo_analysis.explorer.views.view import MetricView, exact_money, session_details
from plivo_analysis.metrics.certainty import Certainty
from plivo_analysis.metrics.reconcile import reconcile
from plivo_analysis.values.typesetting import NOT_KNOWN, count, plural

if TYPE_CHECKING:
    from decimal import Decimal

    from plivo_analysis.explorer.table import TableColumn
    from plivo_analysis.explorer.views.view import ViewState

_MEANINGS = {
    "total_missing": "no total was billed",
    "unallocated": "total and lines differ",
    "unpriced": "an attempt has no price",
    "derived": "a price was worked out from the rest",
    "orphan": "a charge of no attempt",
    "channel_differs": "attempt and charge name two channels",
    "count_differs": "the count is not the number of attempts",
    "duplicate_attempt": "two attempts have one id",
}


class Reconcile(MetricView):
    """The tab "Not adding up"."""

    title = "Not adding up"

    def __init__(self, currency: str) -> None:
        self._summary, self._reasons = text(), text("pva-reasons")
        self.paged = PagedTable(_columns(currency), {"session_uuid": False}, "sessions")
        super().__init__(self._summary, self._reasons, self.paged.box)

    def draw(self, state: ViewState) -> None:
        """Say how many do not add up for which reason, and list them."""
        # Found with the load, so that a choice of channels only filters it.
        table = state.dataset.frames["unreconciled"]
        sessions = plural(state.dataset.rows, "session")
        if table.height:
            rest = f" of {sessions} do not add up. The total billed is taken; the gap is shown."
            write(self._summary, heading(count(table.height), rest))
        elif state.complete.counts is Certainty.EXACT:
            write(self._summary, heading("Every session adds up to the last digit."))
        else:
            write(self._summary, heading(f"Each of the {sessions} that were read adds up."))
        # A session may have several reasons, and is counted for each.
        reasons = (
            table.explode("reasons", empty_as_null=False)["reasons"]
            .drop_nulls()
            .value_counts(sort=True)
        )
        meanings = [["", count(n), f" {_MEANINGS[reason]}"] for reason, n in reasons.iter_rows()]
        write(self._reasons, lines(*meanings))
        self.paged.box.layout.display = None if table.height else "none"
        self.paged.show(table, details=partial(session_details, state))

    def call(self, state: ViewState) -> Call:  # noqa: ARG002 - the same for any state
        """The sessions that do not add up."""
        return Call(reconcile, "whole")


def _columns(currency: str) -> list[TableColumn]:
    def amount(value: Decimal | None) -> str:
        return NOT_KNOWN if value is None else exact_money(value, currency)

    def why(reasons: list[str]) -> str:
        return "; ".join(_MEANINGS[reason] for reason in reasons)

    return [
        value_column("Session", "session_uuid", str, 3),
        value_column("Total", "total_charge", amount, 0.9, is_number=True),
        value_column("Attempts", "attempt_charges", amount, 0.9, is_number=True),
        value_column("Validation", "validation_charge", amount, 0.9, is_number=True),
        value_column("Unallocated", "unallocated", amount, 0.9, is_number=True),
        value_column("Why", "reasons", why, 2.6),
    ]
