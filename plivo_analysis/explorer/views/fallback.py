"""Fallback: how many sessions left the channel they began on, and how many that saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import polars as pl

from plivo_analysis.explorer import wording
from plivo_analysis.explorer.code_line import PERIOD, Call
from plivo_analysis.explorer.dataset import ENTRY
from plivo_analysis.explorer.output import Canvas, remark, text, write
from plivo_analysis.explorer.views.view import worst_first
from plivo_analysis.figures import fallback
from plivo_analysis.metrics.fallback import fallback_rates

if TYPE_CHECKING:
    from plivo_analysis.explorer.dataset import Sessions
    from plivo_analysis.explorer.views.view import ViewState

OVERALL = Call(fallback_rates, "fallback", {"by": ()})

_ENOUGH = 100  # sessions a bucket; with fewer, the buckets are wider
_SMALL = 0.01  # of the sessions; a channel with fewer is not drawn over time
_WIDTHS = ("1h", "1d", "1w")


class Fallback:
    """The tab "Fallback"."""

    title = "Fallback"

    def __init__(self) -> None:
        self._rates, self._over_time = (
            Canvas("fallback rate", in_rows=True),
            Canvas("fallback rate over time"),
        )
        self._note = text()
        self.box = widgets.VBox([self._rates.box, self._over_time.box, self._note])

    def draw(self, state: ViewState[Sessions]) -> None:
        """Draw rates and rescue of each group, and the rate over time of each channel."""
        rates = self.table(state)
        notes: list[str] = []
        if state.over_time:
            notes.append(self._rates.draw(fallback(rates) if rates.height else None, state.bounds))
        else:
            shown, notes = worst_first(rates, "fallback_rate", "sessions", descending=True)
            overall = state.count(OVERALL)
            self._rates.draw(fallback(state.dataset.named(shown), overall=overall))
        over_time = _over_time(state) if state.by == (ENTRY,) else None
        drawn = None if over_time is None else fallback(over_time)
        notes.append(self._over_time.draw(drawn, state.bounds))
        rescue = [] if PERIOD in rates.columns else [wording.RESCUE]
        write(self._note, remark(*notes, wording.INTERVAL, *rescue))

    def table(self, state: ViewState[Sessions]) -> pl.DataFrame:
        """Rates by group."""
        return state.count(_call(state))

    def code(self, state: ViewState[Sessions], backend: str) -> list[str]:
        """The rates by group."""
        return _call(state).lines("sessions", backend, "created_at")


def _call(state: ViewState[Sessions]) -> Call:
    return Call(fallback_rates, "fallback", {"by": state.by})


def _over_time(state: ViewState[Sessions]) -> pl.DataFrame | None:
    """The rate of each entry channel over time, in buckets wide enough to say something.

    A channel takes the finest width at which its buckets hold enough sessions on average; what
    is too rare for days is drawn by week. None where each channel has one bucket only.
    """
    counted = state.dataset.frames["fallback"]
    sessions = {row[ENTRY]: row["sessions"] for row in state.count(_call(state)).rows(named=True)}
    # From the finest width to the widest: each channel is drawn at the first that suits it, and
    # those that none suits before at the last.
    fewest = _SMALL * sum(sessions.values())
    waiting = {channel: number for channel, number in sessions.items() if number >= fewest}
    finest = state.period.every if state.period.every in _WIDTHS else _WIDTHS[-1]
    parts: list[Any] = []
    for every in _WIDTHS[_WIDTHS.index(finest) :]:
        of_these = counted.filter(pl.col(ENTRY).is_in(list(waiting)))
        if every != "1d":  # days are there already
            of_these = of_these.with_columns(pl.col("created_at").dt.truncate(every).alias(PERIOD))
        buckets = of_these.group_by(ENTRY).agg(pl.col(PERIOD).n_unique()).iter_rows()
        enough = [
            channel
            for channel, number in buckets
            if every == _WIDTHS[-1] or waiting[channel] >= _ENOUGH * number
        ]
        if enough:
            shown = of_these.filter(pl.col(ENTRY).is_in(enough))
            parts.append(fallback_rates(shown, by=(PERIOD, ENTRY)))
        waiting = {channel: n for channel, n in waiting.items() if channel not in enough}
    # One bucket a channel is no course over time: the rates above say it all.
    over_time: pl.DataFrame | None = pl.concat(parts) if parts else None
    if over_time is None or over_time.height <= over_time[ENTRY].n_unique():
        return None
    return over_time
