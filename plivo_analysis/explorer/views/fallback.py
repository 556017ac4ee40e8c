"""Fallback: how many sessions left the channel they began on, and how many that saved."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from plivo_analysis.explorer.code_line import PERIOD, Call
from plivo_analysis.explorer.dataset import ENTRY
from plivo_analysis.explorer.output import Canvas, remark, text, write
from plivo_analysis.explorer.views.view import INTERVAL, RESCUE, MetricView, worst_first
from plivo_analysis.figures import fallback
from plivo_analysis.metrics.fallback import fallback_rates

if TYPE_CHECKING:
    from plivo_analysis.explorer.views.view import ViewState

OVERALL = Call(fallback_rates, "fallback", {"by": ()})

_ENOUGH = 100  # sessions a bucket; with fewer, the buckets are wider
_SMALL = 0.01  # of the sessions; a channel with fewer is not drawn over time
_WIDTHS = ("1h", "1d", "1w")


class Fallback(MetricView):
    """The tab "Fallback"."""

    title = "Fallback"

    def __init__(self) -> None:
        self._rates = Canvas("fallback rate", in_rows=True)
        self._over_time, self._note = Canvas("fallback rate over time"), text()
        super().__init__(self._rates.box, self._over_time.box, self._note)

    def call(self, state: ViewState) -> Call:
        """Rates by group."""
        return Call(fallback_rates, "fallback", {"by": state.by})

    def draw(self, state: ViewState) -> None:
        """Draw rates and rescue of each group, and the rate over time of each channel."""
        rates = self.table(state)
        shown, left_out = worst_first(rates, "fallback_rate", "sessions", descending=True)
        overall = None if state.over_time else state.count(OVERALL)
        figure = fallback(state.dataset.named(shown), overall=overall)
        partial = [self._rates.draw(figure, state.bounds)]
        over_time = _over_time(state, rates) if state.by == (ENTRY,) else rates.clear()
        partial.append(self._over_time.draw(fallback(over_time), state.bounds))
        rescue = [] if PERIOD in rates.columns else [RESCUE]
        write(self._note, remark(*left_out, *partial, INTERVAL, *rescue))


def _over_time(state: ViewState, rates: pl.DataFrame) -> pl.DataFrame:
    """The rate of each entry channel over time, in buckets wide enough to say something.

    A channel takes the finest width at which its buckets hold enough sessions on average; what
    is too rare for days is drawn by week. Empty where each channel has one bucket only.
    """
    finest = state.period.every if state.period.every in _WIDTHS else _WIDTHS[-1]
    widths = _WIDTHS[_WIDTHS.index(finest) :]
    is_drawn = pl.col("sessions") >= _SMALL * pl.sum("sessions")
    drawn = rates.filter(pl.col(ENTRY).is_not_null(), is_drawn)
    parts = []
    for channel, sessions in drawn.select(ENTRY, "sessions").iter_rows():
        of_channel = state.dataset.frames["fallback"].filter(pl.col(ENTRY) == channel)
        for every in widths:
            # The counts are by hour: any wider bucket is a sum of them.
            start = pl.col("created_at").dt.truncate(every)
            buckets = of_channel.with_columns(start.alias(PERIOD))
            if sessions >= _ENOUGH * buckets[PERIOD].n_unique():
                break
        parts.append(buckets)  # by week where no width suits
    if not parts:
        return rates.clear()
    over_time: pl.DataFrame = fallback_rates(pl.concat(parts), by=(PERIOD, ENTRY))
    # One bucket a channel is no course over time: the rates above say it all.
    return over_time if over_time.height > len(parts) else over_time.clear()
