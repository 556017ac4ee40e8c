"""Messages: each of them in a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from plivo_analysis.api.columns import MESSAGES
from plivo_analysis.explorer.dataset import COUNTRY
from plivo_analysis.explorer.html import Child, join, tag
from plivo_analysis.explorer.table import Paged, SortOrder, TableColumn
from plivo_analysis.figures import style, svg
from plivo_analysis.metrics.messages import meaning
from plivo_analysis.templates.rendering import draw_svg
from plivo_analysis.values.masking import mask_number
from plivo_analysis.values.typesetting import clean, day, plain

if TYPE_CHECKING:
    import polars as pl

    from plivo_analysis.explorer.dataset import Messages
    from plivo_analysis.explorer.views.view import Scene

_DIGITS = 5


class Records:
    """The tab "Messages"."""

    title = "Messages"

    def __init__(self, currency: str) -> None:
        usual = SortOrder(("message_time", "message_uuid"), (True, False))
        self.paged = Paged(_columns(currency), usual, "messages")
        self.box = widgets.VBox([self.paged.box])

    def draw(self, scene: Scene[Messages]) -> None:
        """Show the newest messages."""
        self.paged.show(scene.kept.frames["messages"])

    def table(self, scene: Scene[Messages]) -> pl.DataFrame:
        """The messages themselves."""
        return scene.kept.frames["messages"].select(MESSAGES.names)

    def code(self, scene: Scene[Messages], backend: str) -> list[str]:  # noqa: ARG002 - any scene, any backend
        """The messages themselves."""
        return ["messages"]


def _columns(currency: str) -> list[TableColumn]:
    return [
        TableColumn("Time, UTC", ("message_time",), _time, 1.1),
        TableColumn(
            "Way", ("message_direction",), lambda row: _shown(row, "message_direction"), 0.8
        ),
        TableColumn("Type", ("message_type",), _type, 0.9),
        TableColumn("From", ("from_number",), lambda row: _number(row["from_number"]), 1.15),
        TableColumn("To", ("to_number",), lambda row: _number(row["to_number"]), 1.15),
        TableColumn("Country", (COUNTRY,), lambda row: _shown(row, COUNTRY), 0.65),
        TableColumn("State", ("message_state", "error_code"), _state, 2),
        TableColumn("Parts", ("units",), lambda row: row["units"], 0.5, number=True),
        TableColumn(
            f"Amount, {clean(currency, cap=8)}", ("total_amount",), _amount, 0.9, number=True
        ),
    ]


def _time(row: dict[str, Any]) -> Child:
    at = row["message_time"]
    return f"{day(at)} {at:%H:%M:%S}"


def _type(row: dict[str, Any]) -> Child:
    word = row["message_type"]
    return join((draw_svg(svg.square(word)), tag("span", style.name(word), class_="pva-step")))


def _number(number: str | None) -> Child:
    return None if number is None else clean(mask_number(number))


def _state(row: dict[str, Any]) -> Child:
    code = row["error_code"]
    why = "" if code in (None, "000") else f" {clean(code)} {meaning(code) or ''}"
    return join((_shown(row, "message_state"), tag("span", why, class_="pva-grey")))


def _amount(row: dict[str, Any]) -> Child:
    amount = row["total_amount"]
    return tag("span", "unknown", class_="pva-grey") if amount is None else plain(amount, _DIGITS)


def _shown(row: dict[str, Any], name: str) -> str:
    return "" if row[name] is None else clean(row[name], cap=40)
