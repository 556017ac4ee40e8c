"""Delivery: how many outbound messages arrived, and why the others did not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from plivo_analysis import figures
from plivo_analysis.explorer import wording
from plivo_analysis.explorer.html import Markup, tag
from plivo_analysis.explorer.output import canvas, draw, text, write
from plivo_analysis.explorer.source import HOUR, PERIOD, Call
from plivo_analysis.explorer.views.billing import as_channels
from plivo_analysis.explorer.views.view import leading, remark, written
from plivo_analysis.metrics.messages import delivery_rates, meaning
from plivo_analysis.values.typesetting import clean, count, percent

if TYPE_CHECKING:
    import polars as pl

    from plivo_analysis.explorer.dataset import Messages
    from plivo_analysis.explorer.views.view import Scene

TOTAL = Call(delivery_rates, "messages")

_BY_CODE = Call(delivery_rates, "messages", {"by": ("error_code",)})
_MOST = 10


class Delivery:
    """The tab "Delivery"."""

    title = "Delivery"

    def __init__(self) -> None:
        self._rates, self._codes, self._note = canvas(), text("pva-rows"), text()
        self.box = widgets.VBox([self._rates, self._codes, self._note])

    def draw(self, scene: Scene[Messages]) -> None:
        """Draw the rate of each group, and list the error codes."""
        rates = self.table(scene)
        shown, left_out = (
            (rates, 0) if scene.by[0] in (PERIOD, HOUR) else leading(rates, "messages")
        )
        draw(self._rates, figures.delivery(as_channels(shown)) if shown.height else None)
        write(self._codes, _codes(scene.count(_BY_CODE)))
        rest = [f"{left_out} smaller groups are not drawn; Take along has them."] * bool(left_out)
        final = "Of outbound messages in a final state."
        write(self._note, remark(*rest, final, wording.INTERVAL))

    def table(self, scene: Scene[Messages]) -> pl.DataFrame:
        """Rates by group."""
        return scene.count(_call(scene))

    def code(self, scene: Scene[Messages], backend: str) -> list[str]:
        """The rates by group."""
        return written(_call(scene), "messages", backend, "message_time")


def _call(scene: Scene[Messages]) -> Call:
    return Call(delivery_rates, "messages", {"by": scene.by})


def _codes(rates: pl.DataFrame) -> Markup:
    """Why messages did not arrive: the codes with the most of them."""
    rows = [row for row in rates.rows(named=True) if row["undelivered"] + row["failed"]]
    if not rows:
        return Markup("")
    rows.sort(key=_lost, reverse=True)
    whole = sum(_lost(row) for row in rows)
    names = ("Not delivered, by error code", "Messages", "%")
    head = (tag("th", name, class_="pva-number" if at else None) for at, name in enumerate(names))
    lines = [_line(row, whole) for row in rows[:_MOST]]
    return tag("table", tag("thead", tag("tr", *head)), tag("tbody", *lines), class_="pva-codes")


def _lost(row: dict[str, Any]) -> int:
    return int(row["undelivered"] + row["failed"])


def _line(row: dict[str, Any], whole: int) -> Markup:
    code = row["error_code"]
    shown = "no code" if code is None else clean(code)
    return tag(
        "tr",
        tag("td", tag("b", shown), f" {meaning(code) or ''}"),
        tag("td", count(_lost(row)), class_="pva-number"),
        tag("td", percent(_lost(row) / whole, unit=False), class_="pva-number"),
    )
