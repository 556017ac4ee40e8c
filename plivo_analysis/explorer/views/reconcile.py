"""Not adding up: the sessions whose money or counts do not, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from plivo_analysis.explorer.code_line import Call
from plivo_analysis.explorer.output import NOTHING, heading, lines, text, write
from plivo_analysis.explorer.table import PagedTable, SortOrder, TableColumn
from plivo_analysis.explorer.views.session import session_details
from plivo_analysis.metrics.certainty import Certainty
from plivo_analysis.metrics.reconcile import RECONCILE, reconcile
from plivo_analysis.values.typesetting import count, decimals, money, plural

if TYPE_CHECKING:
    from decimal import Decimal

    import polars as pl
    from markupsafe import Markup

    from plivo_analysis.explorer.dataset import Sessions
    from plivo_analysis.explorer.views.view import ViewState

_DIGITS = 5  # of an amount, as the bill has them
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


class Reconcile:
    """The tab "Not adding up"."""

    title = "Not adding up"

    def __init__(self, currency: str) -> None:
        self._summary, self._reasons = text(), text("pva-reasons")
        usual = SortOrder(("session_uuid",), (False,))
        self._state: ViewState[Sessions] | None = None
        self.paged = PagedTable(
            _columns(currency), usual, "sessions", self._details, key="session_uuid"
        )
        self.box = widgets.VBox([self._summary, self._reasons, self.paged.box])

    def draw(self, state: ViewState[Sessions]) -> None:
        """Say how many do not add up for which reason, and list them."""
        self._state = state
        table = self.table(state)
        sessions = plural(state.dataset.rows, "session")
        if table.height:
            rest = f" of {sessions} do not add up. The total billed is taken; the gap is shown."
            write(self._summary, heading(count(table.height), rest))
        elif state.complete.counts is Certainty.EXACT:
            write(self._summary, heading("Every session adds up to the last digit."))
        else:
            write(self._summary, heading(f"Each of the {sessions} that were read adds up."))
        reasons = (
            table.explode("reasons", empty_as_null=False)["reasons"]
            .drop_nulls()
            .value_counts(sort=True)
        )
        meanings = [["", count(n), f" {_MEANINGS[reason]}"] for reason, n in reasons.iter_rows()]
        write(self._reasons, lines(*meanings))
        self.paged.box.layout.display = None if table.height else "none"
        self.paged.show(table)

    def table(self, state: ViewState[Sessions]) -> pl.DataFrame:
        """The sessions that do not add up."""
        return state.dataset.frames["unreconciled"].select(RECONCILE.names)

    def code(self, state: ViewState[Sessions], backend: str) -> list[str]:  # noqa: ARG002 - any state, any backend
        """The sessions that do not add up."""
        return [Call(reconcile, "sessions").text("sessions")]

    def _details(self, uuid: str) -> Markup:
        if self._state is None:
            return NOTHING
        return session_details(self._state.dataset.frames["whole"], uuid, self._state.currency)


def _columns(currency: str) -> list[TableColumn]:
    def amount(title: str, name: str) -> TableColumn:
        def show(row: dict[str, Any]) -> str:
            value: Decimal | None = row[name]
            digits = max(_DIGITS, decimals(value)) if value is not None else None
            return money(value, currency, digits)

        return TableColumn(title, (name,), show, 0.9, is_number=True)

    return [
        TableColumn("Session", ("session_uuid",), lambda row: row["session_uuid"], 3),
        amount("Total", "total_charge"),
        amount("Attempts", "attempt_charges"),
        amount("Validation", "validation_charge"),
        amount("Unallocated", "unallocated"),
        TableColumn("Why", ("reasons",), _why, 2.6),
    ]


def _why(row: dict[str, Any]) -> str:
    return "; ".join(_MEANINGS[reason] for reason in row["reasons"])
