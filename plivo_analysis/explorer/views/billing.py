"""What messages cost, over time; the carriers' fees are shown beside and never added."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ipywidgets as widgets

from plivo_analysis import figures
from plivo_analysis.explorer import wording
from plivo_analysis.explorer.output import canvas, draw, text, write
from plivo_analysis.explorer.source import HOUR, PERIOD, Call
from plivo_analysis.explorer.views.view import remark, undrawn, written
from plivo_analysis.metrics.messages import message_spend
from plivo_analysis.values.typesetting import plural

if TYPE_CHECKING:
    import polars as pl

    from plivo_analysis.explorer.dataset import Messages
    from plivo_analysis.explorer.views.view import Scene

TYPE = "message_type"


class Billing:
    """The tab "Spend" of messages."""

    title = "Spend"

    def __init__(self) -> None:
        self._heading, self._bars, self._note = text(), canvas(), text()
        self.box = widgets.VBox([self._heading, self._bars, self._note])

    def draw(self, scene: Scene[Messages]) -> None:
        """Draw bars over time, each group on its own scale; by day, one stack."""
        table = self.table(scene)
        own = ", each group on its own scale from 0"
        stacked = scene.by[0] in (PERIOD, HOUR)
        write(self._heading, wording.heading(_title(scene), "" if stacked else own))
        panels = scene.by == (TYPE,)
        drawn = figures.spend(_as_lines(table), currency=scene.currency, panels=panels)
        draw(self._bars, drawn if table.height else None)
        unknown = int(table["unpriced"].sum())
        rest = undrawn(table, scene.by)
        lack = [f"{plural(unknown, 'message')} without an amount."] * bool(unknown)
        fees = "Carrier fees are not in these amounts; whether they are billed is not documented."
        write(self._note, remark(*rest, fees, *lack))

    def table(self, scene: Scene[Messages]) -> pl.DataFrame:
        """Spend by bucket and group."""
        return scene.count(_call(scene))

    def code(self, scene: Scene[Messages], backend: str) -> list[str]:
        """Spend by bucket and group."""
        return written(_call(scene), "messages", backend, "message_time")


def _call(scene: Scene[Messages]) -> Call:
    if scene.by == (HOUR,):
        return Call(message_spend, "messages", {"by": (HOUR, TYPE)})
    if scene.by == (PERIOD,):
        return Call(message_spend, "messages", {"by": (TYPE,), "every": "1d"})
    return Call(message_spend, "messages", {"by": scene.by, "every": scene.period.every})


def _title(scene: Scene[Messages]) -> str:
    if scene.by[0] in (PERIOD, HOUR):
        return f"Spend by {scene.group}, {scene.currency}"
    return f"Spend by {scene.period.bucket}, {scene.currency}"


def as_channels(table: pl.DataFrame) -> pl.DataFrame:
    """A table in which the type of messages is the channel that they went by, for its colour.

    Example:
        >>> import polars as pl
        >>> as_channels(pl.DataFrame({"message_type": ["sms"]})).columns
        ['channel']
    """
    return table.rename({TYPE: "channel"}) if TYPE in table.columns else table


def _as_lines(table: pl.DataFrame) -> pl.DataFrame:
    """A message a line: bars are drawn of lines."""
    return as_channels(table.drop("units", "carrier_fees").rename({"messages": "lines"}))
