"""Attempts: what became of them, and each of them in a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from plivo_analysis import figures
from plivo_analysis.api.words import SETTLED, fold_status
from plivo_analysis.explorer.dataset import COUNTRY
from plivo_analysis.explorer.groups import ENTRY, own_channel
from plivo_analysis.explorer.html import Child, Markup, join, tag
from plivo_analysis.explorer.output import canvas, draw, text, write
from plivo_analysis.explorer.source import HOUR, PERIOD, Call, with_own
from plivo_analysis.explorer.table import Paged, SortOrder, TableColumn
from plivo_analysis.explorer.views.view import leading, written
from plivo_analysis.figures import style, svg
from plivo_analysis.figures.prepared import Estimate, round_ends
from plivo_analysis.metrics.outcomes import attempt_outcomes
from plivo_analysis.tables.columns import ATTEMPTS
from plivo_analysis.tables.explode import explode_attempts
from plivo_analysis.templates.rendering import draw_svg
from plivo_analysis.values.masking import mask_number
from plivo_analysis.values.typesetting import clean, count, day, percent, plain

if TYPE_CHECKING:
    import polars as pl

    from plivo_analysis.explorer.dataset import Sessions
    from plivo_analysis.explorer.views.view import Scene

_WIDTH = 46
_SMALL = 0.01  # of the largest channel: an interval this wide would squeeze all others
_DIGITS = 5
_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "INR": "₹"}


class Attempts:
    """The tab "Attempts"."""

    title = "Attempts"

    def __init__(self, currency: str) -> None:
        self._strip, self._rates = text("pva-strip"), canvas()
        usual = SortOrder(("created_at", "session_uuid", "attempt_number"), (True, False, False))
        self.paged = Paged(_columns(currency), usual, "attempts")
        self.box = widgets.VBox([self._strip, self._rates, self.paged.box])

    def draw(self, scene: Scene[Sessions]) -> None:
        """Draw the reached rates, and show the newest attempts."""
        outcomes = scene.count(_outcomes(scene))
        by_channel = scene.by == (ENTRY,)
        write(self._strip, _strip(outcomes) if by_channel else Markup(""))
        shown = outcomes if scene.by[0] in (PERIOD, HOUR) else leading(outcomes, "attempts")[0]
        draw(self._rates, None if by_channel else figures.outcomes(scene.kept.named(shown)))
        self.paged.show(scene.kept.attempts)

    def table(self, scene: Scene[Sessions]) -> pl.DataFrame:
        """The attempts on the chosen channels."""
        return scene.kept.attempts.select(ATTEMPTS.names)

    def code(self, scene: Scene[Sessions], backend: str) -> list[str]:
        """The outcomes by group, and the attempts."""
        call = _outcomes(scene)
        if scene.kept.chosen is None:
            outcomes = written(call, "sessions", backend, "created_at")
            return [*outcomes, Call(explode_attempts, "sessions").text("sessions")]
        own = with_own(backend, "attempts", call.own, "created_at", to="timed")
        return [*own, call.text("timed" if own else "attempts"), "attempts"]


def _outcomes(scene: Scene[Sessions]) -> Call:
    kept = "steps" if scene.kept.chosen is None else "shown"
    return Call(attempt_outcomes, kept, {"by": own_channel(scene.by)})


def _strip(outcomes: pl.DataFrame) -> Markup:
    rows = sorted(outcomes.rows(named=True), key=lambda row: style.place(row["channel"]))
    rates = [row for row in rows if row["reached_rate"] is not None]
    if not rates:
        return Markup("")
    fewest = _SMALL * max(row["attempts"] for row in rates)
    large = [row for row in rates if row["attempts"] >= fewest]
    bounds = [row[f"reached_rate_{end}"] for row in large for end in ("low", "high")]
    ends = round_ends(bounds)
    scale = f"from {percent(ends[0], 0, unit=False)} to {percent(ends[1], 0, unit=False)}"
    head = tag("b", "Reached, %", title=f"Scale {scale}")
    each = tag("div", *(_rate(row, ends) for row in rates))
    return tag("div", head, each, class_="pva-rates")


def _rate(row: dict[str, Any], ends: tuple[float, float]) -> Markup:
    word = row["channel"]
    now = Estimate(*(row[f"reached_rate{end}"] for end in ("", "_low", "_high")))
    said = f"{style.name(word)} {percent(now.value)} reached"
    pending = f", {count(row['pending'])} pending" if row["pending"] else ""
    return tag(
        "span",
        draw_svg(svg.square(word)),
        tag("span", style.name(word), class_="pva-step"),
        tag("b", percent(now.value)),
        draw_svg(svg.estimate(now, ends, _WIDTH, colour=style.colour(word), label=said)),
        tag("span", f"of {count(row['attempts'])}{pending}", class_="pva-grey"),
    )


def _columns(currency: str) -> list[TableColumn]:
    money = f"Charge, {_SIGNS.get(currency, currency)}"
    return [
        TableColumn("Time, UTC", ("time",), _time, 1.3),
        TableColumn("Recipient", ("recipient",), _recipient, 1.3),
        TableColumn("Country", (COUNTRY,), lambda row: _shown(row[COUNTRY]), 0.6),
        TableColumn("Application", ("alias", "app_uuid"), _application, 1.1),
        TableColumn("Attempt", ("attempt_number", "attempts"), _number, 0.65, number=True),
        TableColumn("Channel", ("channel",), channel, 0.9),
        TableColumn("Step", ("step",), lambda row: row["step"], 0.7),
        TableColumn("Outcome", ("outcome", "status"), _outcome, 1.7),
        TableColumn(money, ("charge",), _charge, 0.8, number=True),
        TableColumn("Session", ("session_status",), _session, 0.9),
    ]


def _time(row: dict[str, Any]) -> Child:
    at = row["time"] or row["created_at"]
    return f"{day(at)} {at:%H:%M:%S}"


def _recipient(row: dict[str, Any]) -> Child:
    return None if row["recipient"] is None else mask_number(row["recipient"])


def _application(row: dict[str, Any]) -> Child:
    return _shown(row["alias"] or row["app_uuid"])


def _number(row: dict[str, Any]) -> Child:
    return f"{row['attempt_number']} of {row['attempts']}"


def channel(row: dict[str, Any]) -> Child:
    """A channel after the square of its colour.

    Example:
        >>> channel({"channel": "sms"}).endswith("SMS</span>")
        True
    """
    named = tag("span", style.name(row["channel"]), class_="pva-step")
    return join((draw_svg(svg.square(row["channel"])), named))


def _outcome(row: dict[str, Any]) -> Child:
    said = row["outcome"].replace("_", " ")
    return join((f"{said} ", tag("span", _shown(row["status"]), class_="pva-grey")))


def _charge(row: dict[str, Any]) -> Child:
    if row["charge"] is None:
        return tag("span", "unknown", class_="pva-grey")
    return plain(row["charge"], _DIGITS)


def _session(row: dict[str, Any]) -> Child:
    """The session's status, on its last attempt only."""
    if row["attempt_number"] != row["attempts"]:
        return None
    status = fold_status(row["session_status"])
    return _shown(row["session_status"]) if status in SETTLED else _open(row["session_status"])


def _open(status: str | None) -> Child:
    return tag("span", _shown(status), class_="pva-grey")


def _shown(text_of_the_wire: str | None) -> str:
    return "" if text_of_the_wire is None else clean(text_of_the_wire, cap=40)
