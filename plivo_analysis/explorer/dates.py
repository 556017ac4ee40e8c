"""The range of time: five presets and two pickers, in UTC.

A preset counts back from the account's now and stays relative, so that pressing Load later
asks for later days. Touching a picker makes the range a fixed one.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from plivo_analysis.api.times import parse_range
from plivo_analysis.errors import FilterError
from plivo_analysis.explorer.fields import note, say

if TYPE_CHECKING:
    from collections.abc import Callable

PRESETS = ("24h", "7d", "30d", "90d")
_FIXED = ""


class Dates:
    """The range on the screen.

    Args:
        now: Tells the account's time.
        changed: Is called when the range changed.
    """

    def __init__(self, now: Callable[[], datetime], changed: Callable[[], None]) -> None:
        self._now = now
        self._changed = changed
        self._setting = False
        self.preset = widgets.ToggleButtons(
            options=[*((f"{text[:-1]} {text[-1]}", text) for text in PRESETS), ("Other", _FIXED)],
            tooltips=[f"The last {text}" for text in PRESETS] + ["From and before, as set below"],
        )
        self.preset.add_class("pva-presets")
        self.start = widgets.NaiveDatetimePicker(description="From, UTC")
        self.end = widgets.NaiveDatetimePicker(description="Before, UTC")
        self._note = note()
        self.box = widgets.VBox([self.preset, self.start, self.end, self._note])
        self.box.add_class("pva-dates")
        self._show_preset()
        self.preset.observe(self._chose, "value")
        self.start.observe(self._touched, "value")
        self.end.observe(self._touched, "value")

    def put(self, since: object, until: object) -> None:
        """Show a range that came as arguments, in any form that the loaders take.

        Raises:
            FilterError: It is none, or empty.
        """
        start, end = parse_range(since, until, now=self._now())
        short = since.strip().casefold().replace(" ", "") if isinstance(since, str) else since
        if until is None and (short is None or short in PRESETS):
            self.preset.value = short or PRESETS[0]
            return
        self._set(start, end)
        self.preset.value = _FIXED

    def given(self) -> dict[str, Any]:
        """The loader's arguments ``since`` and ``until``."""
        if self.preset.value != _FIXED:
            return {"since": self.preset.value}
        bounds = {"since": self.start.value, "until": self.end.value}
        return {
            name: bound.replace(tzinfo=UTC) for name, bound in bounds.items() if bound is not None
        }

    def review(self) -> FilterError | None:
        """Check the range, show beside it what is wrong with it, and return that."""
        given = self.given()
        error = None
        if "since" not in given:
            error = FilterError("since is empty; choose when the range starts.")
        try:
            parse_range(given.get("since"), given.get("until"), now=self._now())
        except FilterError as wrong:
            error = error or wrong
        say(self._note, "" if error is None else _short(given, error))
        return error

    def _chose(self, _: object) -> None:
        if self._setting:
            return
        if self.preset.value != _FIXED:
            self._show_preset()
        self._changed()

    def _touched(self, _: object) -> None:
        if self._setting:
            return
        self._setting = True
        try:
            self.preset.value = _FIXED
        finally:
            self._setting = False
        self._changed()

    def _show_preset(self) -> None:
        self._set(*parse_range(self.preset.value, None, now=self._now()))

    def _set(self, start: datetime, end: datetime) -> None:
        self._setting = True
        try:
            self.start.value, self.end.value = start.replace(tzinfo=None), end.replace(tzinfo=None)
        finally:
            self._setting = False


def _short(given: dict[str, Any], error: FilterError) -> str:
    """The error in few words, since the range stands right above it."""
    if "since" not in given:
        return "Choose when the range starts."
    if "until" in given and given["since"] >= given["until"]:
        return "Ends before it starts." if given["since"] > given["until"] else "Holds no time."
    return str(error)
