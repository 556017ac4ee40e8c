"""Spend: what all sessions cost, over time, by channel or any other group."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as widgets

from plivo_analysis import figures
from plivo_analysis.explorer.code_line import HOUR, PERIOD, Call
from plivo_analysis.explorer.dataset import ENTRY
from plivo_analysis.explorer.output import Canvas, heading, remark, text, write
from plivo_analysis.metrics.certainty import Certainty
from plivo_analysis.metrics.spend import spend
from plivo_analysis.values.typesetting import plural

if TYPE_CHECKING:
    import polars as pl

    from plivo_analysis.explorer.dataset import Sessions
    from plivo_analysis.explorer.views.view import ViewState


class Spend:
    """The tab "Spend"."""

    title = "Spend"

    def __init__(self) -> None:
        self._heading, self._bars, self._note = text(), Canvas("spend"), text()
        self.box = widgets.VBox([self._heading, self._bars.box, self._note])

    def draw(self, state: ViewState[Sessions]) -> None:
        """Draw bars over time, each group on its own scale; by day, one stack."""
        table = self.table(state)
        over_time = state.over_time
        own = "all channels on one scale" if over_time else "each group on its own scale from 0"
        bucket = state.group if over_time else state.period.bucket
        write(self._heading, heading(f"Spend by {bucket}, {state.currency}", f", {own}"))
        panels = state.by == (ENTRY,)
        named = state.dataset.named(table)
        drawn = figures.spend(named, currency=state.currency, panels=panels)
        partial = self._bars.draw(drawn if table.height else None, state.bounds)
        sentences = ["Money of all sessions, open and expired ones too.", _certainty(state, table)]
        write(self._note, remark(partial, *sentences))

    def table(self, state: ViewState[Sessions]) -> pl.DataFrame:
        """Spend by bucket and group."""
        return state.count(_call(state))

    def code(self, state: ViewState[Sessions], backend: str) -> list[str]:
        """Spend by bucket and group."""
        return _call(state).lines("sessions", backend, "created_at")


def _call(state: ViewState[Sessions]) -> Call:
    if state.by == (HOUR,):
        return Call(spend, "charges", {"by": (HOUR, "channel")})
    if state.by == (PERIOD,):
        return Call(spend, "charges", {"by": ("channel",), "every": "1d"})
    # Money has a channel of its own: the one of the attempt that was charged.
    by = ("channel",) if state.by == (ENTRY,) else state.by
    return Call(spend, "charges", {"by": by, "every": state.period.every})


def _certainty(state: ViewState[Sessions], table: pl.DataFrame) -> str:
    unknown = int(table["unpriced"].sum())
    if state.complete.sum_of(unknown) is Certainty.EXACT:
        return "Exact to the last digit."
    lines = [f"{plural(unknown, 'amount')} unknown"] * bool(unknown)
    reasons = [] if state.complete.counts is Certainty.EXACT else state.complete.reasons
    return f"At least this much: {', '.join([*lines, *reasons])}."
