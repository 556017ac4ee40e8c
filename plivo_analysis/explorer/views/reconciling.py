"""Not adding up: the sessions whose money or counts do not, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from plivo_analysis.explorer.html import Markup, join, tag
from plivo_analysis.explorer.output import text, write
from plivo_analysis.explorer.source import Call
from plivo_analysis.explorer.table import Paged, SortOrder, TableColumn
from plivo_analysis.metrics.reconcile import RECONCILE, reconcile
from plivo_analysis.values.typesetting import count, decimals, money

if TYPE_CHECKING:
    from decimal import Decimal

    import polars as pl

    from plivo_analysis.explorer.dataset import Sessions
    from plivo_analysis.explorer.views.view import Scene

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


class Reconciling:
    """The tab "Not adding up"."""

    title = "Not adding up"

    def __init__(self, currency: str) -> None:
        self._summary = text()
        self.paged = Paged(_columns(currency), SortOrder(("session_uuid",), (False,)), "sessions")
        self.box = widgets.VBox([self._summary, self.paged.box])

    def draw(self, scene: Scene[Sessions]) -> None:
        """Say how many do not add up for which reason, and list them."""
        table = self.table(scene)
        write(self._summary, _summary(table, scene.kept.rows))
        self.paged.box.layout.display = None if table.height else "none"
        self.paged.show(table)

    def table(self, scene: Scene[Sessions]) -> pl.DataFrame:
        """The sessions that do not add up."""
        return scene.kept.frames["unreconciled"].select(RECONCILE.names)

    def code(self, scene: Scene[Sessions], backend: str) -> list[str]:  # noqa: ARG002 - any scene, any backend
        """The sessions that do not add up."""
        return [Call(reconcile, "sessions").text("sessions")]


def _summary(table: pl.DataFrame, sessions: int) -> Markup:
    if not table.height:
        return tag("p", "Every session adds up to the last digit.", class_="pva-heading")
    counts = table.explode("reasons")["reasons"].value_counts(sort=True).iter_rows()
    reasons = [
        tag("li", tag("b", count(number)), f" {_MEANINGS[reason]}") for reason, number in counts
    ]
    return join(
        (
            tag(
                "p",
                tag("b", count(table.height)),
                f" of {count(sessions)} sessions do not add up. What was billed is the truth; "
                "the gap is shown, never hidden.",
                class_="pva-heading",
            ),
            tag("ul", *reasons, class_="pva-reasons"),
        )
    )


def _columns(currency: str) -> list[TableColumn]:
    def amount(title: str, name: str) -> TableColumn:
        def show(row: dict[str, Any]) -> str:
            value: Decimal | None = row[name]
            digits = max(_DIGITS, decimals(value)) if value is not None else None
            return money(value, currency, digits)

        return TableColumn(title, (name,), show, 0.9, number=True)

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
