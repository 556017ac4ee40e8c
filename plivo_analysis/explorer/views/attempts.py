"""Attempts: how many reached the person, whether reports can be believed, and each in a table."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from plivo_analysis import figures
from plivo_analysis.api.vocabulary import SETTLED, fold_status
from plivo_analysis.explorer.code_line import Call
from plivo_analysis.explorer.dataset import COUNTRY, ENTRY
from plivo_analysis.explorer.output import NOTHING, Canvas, fill, heading, remark, text, write
from plivo_analysis.explorer.table import PagedTable, TableColumn, value_column
from plivo_analysis.explorer.views.view import (
    MetricView,
    cell,
    channel_cell,
    charge_cell,
    largest_of,
    number_cell,
    session_details,
    text_cell,
    time_cell,
    worst_first,
)
from plivo_analysis.figures import style, svg
from plivo_analysis.figures.chart_data import RateEstimate, round_ends
from plivo_analysis.insights.delivery import receipts
from plivo_analysis.metrics.outcomes import attempt_outcomes
from plivo_analysis.tables.explode import explode_attempts
from plivo_analysis.values.typesetting import clean, percent, sign

if TYPE_CHECKING:
    from markupsafe import Markup

    from plivo_analysis.explorer.table import Row
    from plivo_analysis.explorer.views.view import ViewState

_RECEIPTS = Call(receipts, "attempts")
_REPORTED = "__reported"
_WIDTH = 46
_SMALL = 0.01  # of the largest channel: an interval this wide would squeeze all others


class Attempts(MetricView):
    """The tab "Attempts"."""

    title = "Attempts"

    def __init__(self, currency: str) -> None:
        self._strip, self._rates = text("pva-strip"), Canvas("attempts reached", in_rows=True)
        self._note = text()
        usual = {"created_at": True, "session_uuid": False, "attempt_number": False}
        self.paged = PagedTable(_columns(currency), usual, "attempts")
        self._believed = Canvas("delivery reports", in_rows=True)
        rates = [self._strip, self._rates.box, self._note]
        super().__init__(*rates, self.paged.box, self._believed.box)

    def draw(self, state: ViewState) -> None:
        """Draw the reached rates, show the newest attempts, and draw what reports are worth."""
        outcomes = state.count(_outcomes(state))
        by_channel = state.by == (ENTRY,)
        write(self._strip, _strip(outcomes) if by_channel else NOTHING)
        drawn, left_out = worst_first(outcomes, "reached_rate", "attempts", descending=False)
        figure = None if by_channel else figures.outcomes(state.dataset.named(drawn))
        cut = self._rates.draw(figure, state.bounds)
        write(self._note, remark(*left_out, cut))
        self.paged.show(state.dataset.frames["attempts"], details=partial(session_details, state))
        told = state.count(_RECEIPTS).with_columns(
            pl.sum_horizontal("^(delivered|failed)_(verified|expired)$").alias(_REPORTED)
        )
        told = told.filter(pl.col(_REPORTED) > 0)  # without a report there is nothing to believe
        drawn, _ = worst_first(told, "false_failure_rate", _REPORTED, descending=True)
        title = "Delivery reports of sessions with one attempt, by network"
        figure = figures.receipts(drawn.drop(_REPORTED))
        self._believed.draw(figure, title=heading(title, largest_of(drawn, told)))

    def call(self, state: ViewState) -> Call:  # noqa: ARG002 - the same for any state
        """The attempts."""
        return Call(explode_attempts, "whole")

    def code(self, state: ViewState) -> list[str]:
        """The outcomes by group, the reports by network, and the attempts."""
        outcomes = state.code(_outcomes(state))
        return [*outcomes, _RECEIPTS.text("sessions"), *super().code(state)]


def _outcomes(state: ViewState) -> Call:
    # An attempt has a channel of its own, which need not be the one that its session began on.
    by = ("channel",) if state.by == (ENTRY,) else state.by
    return Call(attempt_outcomes, "steps", {"by": by})


def _strip(outcomes: pl.DataFrame) -> Markup:
    """The reached rate of each channel in one line."""
    rows = outcomes.drop_nulls("reached_rate").rows(named=True)
    rates = sorted(rows, key=lambda row: style.place(row["channel"]))
    if not rates:
        return NOTHING
    # All dots stand on one scale, and a rare channel's interval does not widen it.
    fewest = _SMALL * max(row["attempts"] for row in rates)
    large = [row for row in rates if row["attempts"] >= fewest]
    ends = round_ends([row[f"reached_rate_{end}"] for row in large for end in ("low", "high")])
    return fill("rates", ends=ends, rates=[row | _drawn(row, ends) for row in rates])


def _drawn(row: Row, ends: tuple[float, float]) -> Row:
    channel = row["channel"]
    rate = RateEstimate(*(row[f"reached_rate{end}"] for end in ("", "_low", "_high")))
    label = f"{style.name(channel)} {percent(rate.value)} reached"
    hue = style.colour(channel)
    return {"estimate": svg.estimate(rate, ends, _WIDTH, colour=hue, label=label)}


def _columns(currency: str) -> list[TableColumn]:
    charge = f"Charge, {clean(sign(currency), cap=8)}"
    return [
        TableColumn("Time, UTC", ("time",), _time, 1.3),
        value_column("Recipient", "recipient", number_cell, 1.3),
        value_column("Country", COUNTRY, text_cell, 0.6, is_optional=True),
        TableColumn("Application", ("alias", "app_uuid"), _application, 1.1, is_optional=True),
        TableColumn("Attempt", ("attempt_number", "attempts"), _number, 0.65, is_number=True),
        value_column("Channel", "channel", channel_cell, 0.9),
        value_column("Step", "step", str, 0.7, is_optional=True),
        TableColumn("Outcome", ("outcome", "status"), _outcome, 1.7),
        value_column(charge, "charge", charge_cell, 0.8, is_number=True),
        TableColumn("Session", ("session_status",), _session, 0.9, is_optional=True),
    ]


def _time(row: Row) -> str:
    return time_cell(row["time"] or row["created_at"])


def _application(row: Row) -> str:
    return text_cell(row["alias"] or row["app_uuid"])


def _number(row: Row) -> str:
    return f"{row['attempt_number']} of {row['attempts']}"


def _outcome(row: Row) -> Markup:
    return cell(row["outcome"].replace("_", " "), text_cell(row["status"]))


def _session(row: Row) -> str | Markup:
    """The session's status, on its last attempt only."""
    if row["attempt_number"] != row["attempts"]:
        return ""
    status = text_cell(row["session_status"])
    return status if fold_status(row["session_status"]) in SETTLED else cell("", status)
