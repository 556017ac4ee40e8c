"""Spend: what all records cost, over time, by channel or any other group."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from plivo_analysis import figures
from plivo_analysis.explorer.code_line import HOUR, PERIOD
from plivo_analysis.explorer.dataset import ENTRY, MESSAGE_TYPE
from plivo_analysis.explorer.output import Canvas, heading, remark, text, write
from plivo_analysis.explorer.views.view import MetricView
from plivo_analysis.metrics.certainty import Certainty
from plivo_analysis.values.typesetting import plural

if TYPE_CHECKING:
    import polars as pl

    from plivo_analysis.explorer.code_line import Call
    from plivo_analysis.explorer.views.view import ViewState


_BUCKETS = {PERIOD: "day", HOUR: "hour of day"}


class Spend(MetricView):
    """The tab "Spend".

    Args:
        metric: What counts the money, and of which frame.
        channel: The column of the channel that the money was spent on.
        note: What else is to be said of the amounts.
    """

    title = "Spend"

    def __init__(self, metric: Call, channel: str, note: str) -> None:
        self._metric, self._channel, self._remark = metric, channel, note
        self._bars, self._note = Canvas("spend"), text()
        super().__init__(self._bars.box, self._note)

    def call(self, state: ViewState) -> Call:
        """Spend by bucket and group; by day or hour, it is split by channel."""
        if state.by == (HOUR,):
            return replace(self._metric, arguments={"by": (HOUR, self._channel)})
        # Money has a channel of its own: the one of the attempt that was charged.
        by = (self._channel,) if state.by[0] in (PERIOD, ENTRY) else state.by
        every = "1d" if state.by == (PERIOD,) else state.period.every
        return replace(self._metric, arguments={"by": by, "every": every})

    def draw(self, state: ViewState) -> None:
        """Draw bars over time, each group on its own scale; by day, one stack."""
        table = self.table(state)
        own = "all channels on one" if state.over_time else "each group on its own"
        bucket = _BUCKETS.get(state.by[0], state.period.bucket)
        title = heading(f"Spend by {bucket}, {state.currency}", f", {own} scale from 0")
        # Bars are drawn of charge lines: a message is one, and its type is its channel.
        lines = state.dataset.named(table).drop("units", "carrier_fees", strict=False)
        lines = lines.rename({"messages": "lines", MESSAGE_TYPE: "channel"}, strict=False)
        panels = state.by[0] in (ENTRY, MESSAGE_TYPE)
        drawn = figures.spend(lines, currency=state.currency, panels=panels)
        partial = self._bars.draw(drawn, state.bounds, title)
        write(self._note, remark(partial, self._remark, _certainty(state, table)))


def _certainty(state: ViewState, table: pl.DataFrame) -> str:
    unknown = int(table["unpriced"].sum())
    if state.complete.sum_of(unknown) is Certainty.EXACT:
        return "Exact to the last digit."
    lines = [f"{plural(unknown, 'amount')} unknown"] * bool(unknown)
    reasons = [] if state.complete.counts is Certainty.EXACT else state.complete.reasons
    return f"At least this much: {', '.join([*lines, *reasons])}."
