"""Lays out the widgets: sidebar, KPI cards, tabs and code line; no behaviour."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import ipywidgets as widgets
from markupsafe import Markup

from plivo_analysis.explorer.download import Download
from plivo_analysis.explorer.output import NOTHING, box, button, lines, text, write
from plivo_analysis.templates.rendering import render

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


class Layout:
    """The widgets of an explorer.

    Args:
        groups: What can be grouped by.
        exports: The labels of the export buttons, by kind of file.
        tabs: The titles and the boxes of the tabs.

    Example:
        >>> layout = Layout(["channel"], {"csv": "CSV"}, [])
        >>> layout.cancel.disabled
        True
    """

    def __init__(
        self,
        groups: Iterable[str],
        exports: Mapping[str, str],
        tabs: Sequence[tuple[str, widgets.Box]],
    ) -> None:
        self.load = button("Load", "pva-load", "Load from Plivo what is not stored")
        self.cancel = button("Cancel", "pva-cancel", "Stop; what was read is kept")
        self.cancel.disabled = True
        self.compare = widgets.Checkbox(
            value=False,
            indent=False,
            description="Compare with the period before",
            tooltip="Load the period before too, and show what changed",
        )
        self.compare.add_class("pva-compare")
        self.progress = widgets.FloatProgress(min=0.0, max=1.0, value=0.0, tooltip="Progress")
        self.progress.add_class("pva-progress")
        self.status, self.wait = text("pva-status"), text("pva-wait")
        self.header, self.cards = text("pva-header"), text("pva-headline")
        self.empty, self.changed = text("pva-empty"), text("pva-changed")
        self.code, self.download = text("pva-line"), Download()
        self.group = widgets.Dropdown(
            options=list(groups), description="Group by", tooltip="Group the results by this"
        )
        self.group.add_class("pva-group")
        self.exports = {
            kind: button(label, f"pva-export-{kind}", f"Export as {label}")
            for kind, label in exports.items()
        }
        self.titles = [title for title, _ in tabs]
        self.tabs = widgets.Tab(
            [tab for _, tab in tabs], titles=self.titles, selected_index=0 if tabs else None
        )
        self.fold = widgets.ToggleButton(
            description="Fields and choices", value=True, tooltip="Show or hide the fields"
        )
        self.fold.add_class("pva-fold")
        self.fold.observe(lambda _: self._fold(), "value")
        self._sidebar = box("pva-sidebar")
        self._results = box("pva-main", self.changed, self.cards, self.empty, self.tabs, self.code)

    def page(
        self, fields: Sequence[widgets.Widget], choices: Sequence[widgets.Widget]
    ) -> list[widgets.Widget]:
        """Everything in its place.

        Args:
            fields: The fields of what is asked of Plivo.
            choices: Further choices on loaded data.
        """
        self._sidebar.children = [
            self.fold,
            title("Load from Plivo"),
            *fields,
            box("pva-actions", self.load, self.cancel),
            self.progress,
            self.status,
            self.wait,
            title("Explore loaded data", "instant"),
            self.group,
            *choices,
            title("Export"),
            box("pva-exports", *self.exports.values()),
            self.download.box,
        ]
        return [_style(), self.header, box("pva-page", self._sidebar, self._results)]

    def set_running(self, *, is_running: bool) -> None:
        """Show that a load has begun or ended."""
        self.load.disabled, self.cancel.disabled = is_running, not is_running
        write(self.wait, NOTHING)
        if is_running:
            self.set_progress(0.0)

    def set_progress(self, share: float, *, is_whole: bool = False) -> None:
        """Fill the progress bar; one of a complete load has another colour."""
        self.progress.value = share
        (self.progress.add_class if is_whole else self.progress.remove_class)("pva-whole")

    def set_results(self, *, has_rows: bool) -> None:
        """Show or hide what needs rows."""
        self.tabs.layout.display = None if has_rows else "none"
        for export in self.exports.values():
            export.disabled = not has_rows

    def _fold(self) -> None:
        """Show the sidebar or fold it into a line; the style sheet heeds it on narrow pages."""
        mark = self._sidebar.remove_class if self.fold.value else self._sidebar.add_class
        mark("pva-folded")

    def set_outdated(self, sentence: str) -> None:
        """Dim the results and say why; an empty sentence ends it."""
        write(self.changed, lines(sentence) if sentence else NOTHING)
        mark = self._results.add_class if sentence else self._results.remove_class
        mark("pva-outdated")


def title(words: str, aside: str = "") -> widgets.HTML:
    """The title of a part of the sidebar.

    Example:
        >>> title("Export").value
        '<p class="pva-part"><b>Export</b></p>'
    """
    place = text("pva-title")
    write(place, lines(["", words, aside], kind="part"))
    return place


def _style() -> widgets.HTML:
    place = text("pva-style")
    write(place, render("explorer/style.html", css=Markup(css())))  # noqa: S704 - our own file
    return place


@cache
def css() -> str:
    """The style sheet.

    Example:
        >>> ".pva" in css()
        True
    """
    return files("plivo_analysis.templates").joinpath("explorer/explorer.css").read_text("utf-8")
