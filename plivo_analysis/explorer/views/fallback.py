"""Fallback: who left the channel they began on, and how many that saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import polars as pl

from plivo_analysis.explorer import wording
from plivo_analysis.explorer.groups import ENTRY
from plivo_analysis.explorer.output import canvas, draw, text, write
from plivo_analysis.explorer.source import HOUR, PERIOD, Call
from plivo_analysis.explorer.views.view import leading, remark, written
from plivo_analysis.figures import fallback
from plivo_analysis.metrics.fallback import fallback_rates

if TYPE_CHECKING:
    from plivo_analysis.explorer.dataset import Sessions
    from plivo_analysis.explorer.views.view import Scene

OVERALL = Call(fallback_rates, "steps", {"by": ()})

_ENOUGH = 100  # sessions a bucket; with fewer, the buckets are wider
_SMALL = 0.01  # of the sessions; a channel with fewer has no course
_LADDER = ("1h", "1d", "1w")


class Fallback:
    """The tab "Fallback"."""

    title = "Fallback"

    def __init__(self) -> None:
        self._rates, self._course = canvas(), canvas()
        self._note = text()
        self.box = widgets.VBox([self._rates, self._course, self._note])

    def draw(self, scene: Scene[Sessions]) -> None:
        """Draw rates and rescue of each group, and the rate over time of each channel."""
        rates = self.table(scene)
        left_out = 0
        if scene.by[0] in (PERIOD, HOUR):
            draw(self._rates, fallback(rates) if rates.height else None)
        else:
            shown, left_out = leading(rates, "sessions")
            draw(self._rates, fallback(scene.kept.named(shown), overall=scene.count(OVERALL)))
        course = _over_time(scene) if scene.by == (ENTRY,) else None
        draw(self._course, None if course is None else fallback(course))
        rest = [f"{left_out} smaller groups are not drawn; Take along has them."] * bool(left_out)
        rescue = [] if PERIOD in rates.columns else [wording.RESCUE]
        write(self._note, remark(*rest, wording.INTERVAL, *rescue))

    def table(self, scene: Scene[Sessions]) -> pl.DataFrame:
        """Rates by group."""
        return scene.count(_call(scene))

    def code(self, scene: Scene[Sessions], backend: str) -> list[str]:
        """The rates by group."""
        return written(_call(scene), "sessions", backend, "created_at")


def _call(scene: Scene[Sessions]) -> Call:
    return Call(fallback_rates, "steps", {"by": scene.by})


def _over_time(scene: Scene[Sessions]) -> pl.DataFrame | None:
    """The rate of each entry channel over time, in buckets wide enough to say something."""
    steps = scene.kept.frames["steps"]
    counted = {row[ENTRY]: row["sessions"] for row in scene.count(_call(scene)).rows(named=True)}
    fewest = _SMALL * sum(counted.values())
    waiting = {channel: sessions for channel, sessions in counted.items() if sessions >= fewest}
    finest = scene.period.every if scene.period.every in _LADDER else _LADDER[-1]
    parts: list[Any] = []
    for every in _LADDER[_LADDER.index(finest) :]:
        of_these = steps.filter(pl.col(ENTRY).is_in(list(waiting)))
        if every != "1d":  # days are there already
            of_these = of_these.with_columns(pl.col("created_at").dt.truncate(every).alias(PERIOD))
        per_channel = of_these.group_by(ENTRY).agg(pl.col(PERIOD).n_unique()).iter_rows()
        enough = [
            channel
            for channel, buckets in per_channel
            if every == _LADDER[-1] or waiting[channel] >= _ENOUGH * buckets
        ]
        if enough:
            shown = of_these.filter(pl.col(ENTRY).is_in(enough))
            parts.append(fallback_rates(shown, by=(PERIOD, ENTRY)))
        waiting = {channel: n for channel, n in waiting.items() if channel not in enough}
    course: pl.DataFrame | None = pl.concat(parts) if parts else None
    if course is None or course.height <= course[ENTRY].n_unique():
        return None  # a bucket for each channel has no course
    return course
