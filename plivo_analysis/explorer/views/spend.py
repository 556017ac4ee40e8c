"""Spend: what all sessions cost, over time, by channel or whatever else."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as widgets

from plivo_analysis import figures
from plivo_analysis.explorer import wording
from plivo_analysis.explorer.groups import ENTRY, own_channel
from plivo_analysis.explorer.output import canvas, draw, text, write
from plivo_analysis.explorer.source import HOUR, PERIOD, Call
from plivo_analysis.explorer.views.view import remark, undrawn, written
from plivo_analysis.metrics.spend import spend
from plivo_analysis.values.typesetting import plural

if TYPE_CHECKING:
    import polars as pl

    from plivo_analysis.explorer.dataset import Sessions
    from plivo_analysis.explorer.views.view import Scene


class Spend:
    """The tab "Spend"."""

    title = "Spend"

    def __init__(self) -> None:
        self._heading, self._note = text(), text()
        self._bars = canvas()
        self.box = widgets.VBox([self._heading, self._bars, self._note])

    def draw(self, scene: Scene[Sessions]) -> None:
        """Draw bars over time, each group on its own scale; by day, one stack."""
        table = self.table(scene)
        write(self._heading, wording.heading(_title(scene), _scales(scene)))
        panels = scene.by == (ENTRY,)
        drawn = figures.spend(scene.kept.named(table), currency=scene.currency, panels=panels)
        draw(self._bars, drawn if table.height else None)
        unknown = int(table["unpriced"].sum())
        whose = "Money of all sessions, open and expired ones too."
        write(self._note, remark(*undrawn(table, scene.by), whose, _exact(unknown)))

    def table(self, scene: Scene[Sessions]) -> pl.DataFrame:
        """Spend by bucket and group."""
        return scene.count(_call(scene))

    def code(self, scene: Scene[Sessions], backend: str) -> list[str]:
        """Spend by bucket and group."""
        return written(_call(scene), "sessions", backend, "created_at")


def _call(scene: Scene[Sessions]) -> Call:
    if scene.by == (HOUR,):
        return Call(spend, "charges", {"by": (HOUR, "channel")})
    if scene.by == (PERIOD,):
        return Call(spend, "charges", {"by": ("channel",), "every": "1d"})
    return Call(spend, "charges", {"by": own_channel(scene.by), "every": scene.period.every})


def _title(scene: Scene[Sessions]) -> str:
    if scene.by[0] in (PERIOD, HOUR):
        return f"Spend by {scene.group}, {scene.currency}"
    return f"Spend by {scene.period.bucket}, {scene.currency}"


def _scales(scene: Scene[Sessions]) -> str:
    if scene.by[0] in (PERIOD, HOUR):
        return ", all channels on one scale"
    return f", each {scene.group} on its own scale from 0"


def _exact(unknown: int) -> str:
    if not unknown:
        return "Exact to the last digit."
    lines = plural(unknown, "line has", "lines have")
    return f"{lines} no known amount, so that the sums are lower bounds."
