"""Paths: the ways of sessions through the channels, how they ended, and the waits between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import polars.selectors as cs

from plivo_analysis import figures
from plivo_analysis.api.vocabulary import ARROW
from plivo_analysis.explorer.code_line import Call
from plivo_analysis.explorer.dataset import ENTRY
from plivo_analysis.explorer.output import Canvas, box, fill, lines, remark, text, write
from plivo_analysis.explorer.views.view import MetricView
from plivo_analysis.figures import svg
from plivo_analysis.figures.chart_data import RateEstimate, add_up
from plivo_analysis.figures.flows import stayed_and_changed
from plivo_analysis.figures.rows import group_title
from plivo_analysis.insights.delivery import waits
from plivo_analysis.metrics.sessions import channel_paths, success_rates
from plivo_analysis.tables.explode import explode_attempts
from plivo_analysis.values.typesetting import percent

if TYPE_CHECKING:
    from markupsafe import Markup

    from plivo_analysis.explorer.views.view import ViewState

_BY_STATUS = Call(channel_paths, "records", {"by": ("status",)})
_WAITS = Call(waits, "attempts")
_MOST = 11
_WIDTH = 92
_CHANGED, _EVERY = "Changed channel", "All sessions"
_LOWEST = 0.7


class Paths(MetricView):
    """The tab "Paths"."""

    title = "Paths"

    def __init__(self) -> None:
        self.which = widgets.ToggleButtons(
            options=[_CHANGED, _EVERY], tooltips=["Sessions that changed channel", _EVERY]
        ).add_class("pva-which")
        self._sentence, self._list, self._note = text("pva-stayed"), text("pva-rows"), text()
        self._flow, self._waits = Canvas("paths"), Canvas("verified by wait", in_rows=True)
        self.which.observe(lambda _: self._draw_flow(self.drawn), "value")
        top = box("pva-beside", self.which, self._sentence)
        halves = box("pva-halves", self._flow.box, self._list)
        super().__init__(top, halves, self._note, self._waits.box)

    def call(self, state: ViewState) -> Call:
        """Paths by group; a path begins with its entry channel."""
        return Call(channel_paths, "records", {"by": () if state.by == (ENTRY,) else state.by})

    def draw(self, state: ViewState) -> None:
        """Draw the flow from channel to channel, and list the paths."""
        self._draw_flow(state)
        write(self._sentence, lines(stayed_and_changed(state.count(_BY_STATUS))))
        write(self._list, _list(state, self.call(state)))
        write(self._note, remark("Verified: of settled sessions, with its 95\u202f% interval."))
        self._waits.draw(figures.waits(state.count(_WAITS)))

    def code(self, state: ViewState) -> list[str]:
        """The waits, then the paths by group."""
        attempts = Call(explode_attempts, "records").text("sessions")
        return [_WAITS.text(attempts), *super().code(state)]

    def _draw_flow(self, state: ViewState | None) -> None:
        if state is not None:
            every, frame = self.which.value == _EVERY, state.count(_BY_STATUS)
            self._flow.draw(figures.paths(frame, every_session=every, sentence=False))


def _list(state: ViewState, call: Call) -> Markup:
    by = call.arguments["by"]
    names = [*by, "path"]
    paths = state.count(call).sort("sessions", descending=True, maintain_order=True)
    listed, rest = paths.head(_MOST), paths.slice(_MOST)
    # Rates of the listed paths alone: by network there are hundreds of others.
    sessions = state.dataset.frames["records"].join(listed, on=names, how="semi", nulls_equal=True)
    rates = success_rates(sessions, by=names).select(*names, cs.starts_with("success_rate"))
    listed = listed.join(rates, on=names, how="left", nulls_equal=True, maintain_order="left")
    return fill(
        "paths",
        rows=[_row(row, by) for row in state.dataset.named(listed).rows(named=True)],
        whole=int(paths["sessions"].sum()),
        others=rest.height,
        sessions_of_others=int(rest["sessions"].sum()),
        spent_on_others=add_up(rest["total_charge"].to_list()),
        lowest=_LOWEST,
        currency=state.currency,
    )


def _row(row: dict[str, Any], by: tuple[str, ...]) -> dict[str, Any]:
    """A path with its group's name, and its rate drawn."""
    rate = RateEstimate.of(row, "success_rate")
    label = f"{percent(rate.value)} verified" if rate else ""
    # A rate below the scale would be drawn at its edge; it gets an arrow instead.
    is_below = rate is not None and rate.value < _LOWEST
    on_scale = rate if not is_below else None
    return row | {
        "group": group_title(tuple(row[name] for name in by), by) if by else "",
        "steps": row["path"].split(ARROW),
        "is_below": is_below,
        "estimate": on_scale and svg.estimate(on_scale, (_LOWEST, 1.0), _WIDTH, label=label),
    }
