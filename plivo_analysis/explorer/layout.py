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
    from collections.abc import Iterable, Sequence


class Layout:
    """The widgets of an explorer.

    Args:
        groups: What can be grouped by.
        records: What all records together are called, as on the button that exports them.
        tabs: The titles and the boxes of the tabs.
        fields: The fields of what is asked of Plivo.
        channels: The choice of channels. Only sessions have one, and they alone are compared with
            the period before.

    Attributes:
        page: Everything in its place.

    Example:
        >>> layout = Layout(["channel"], "sessions", [])
        >>> layout.cancel.disabled
        True
    """

    def __init__(
        self,
        groups: Iterable[str],
        records: str,
        tabs: Sequence[tuple[str, widgets.Box]],
        fields: Sequence[widgets.Widget] = (),
        channels: Sequence[widgets.Widget] = (),
    ) -> None:
        self.load = button("Load", "pva-load", "Load from Plivo what is not stored")
        self.cancel = button("Cancel", "pva-cancel", "Stop; what was read is kept")
        self.cancel.disabled = True
        self.compare = widgets.Checkbox(
            value=False,
            indent=False,
            description="Compare with the period before",
            tooltip="Load the period before too, and show what changed",
        ).add_class("pva-compare")
        progress = widgets.FloatProgress(min=0.0, max=1.0, tooltip="Progress")
        self.progress = progress.add_class("pva-progress")
        self.status, self.wait = text("pva-status"), text("pva-wait")
        self.header, self.cards = text("pva-header"), text("pva-headline")
        self.empty, self.changed = text("pva-empty"), text("pva-changed")
        self.code, self.download = text("pva-line"), Download()
        self.address = text("pva-address")
        self.group = widgets.Dropdown(
            options=list(groups), description="Group by", tooltip="Group the results by this"
        ).add_class("pva-group")
        labels = {"csv": "CSV", "xlsx": "XLSX", "rows": f"{records.capitalize()} CSV"}
        self.exports = {
            kind: button(label, f"pva-export-{kind}", f"Export as {label}")
            for kind, label in (labels | {"html": "Report"}).items()
        }
        self.tabs = widgets.Tab(
            [tab for _, tab in tabs],
            titles=[title for title, _ in tabs],
            selected_index=0 if tabs else None,
        )
        self.fold = widgets.ToggleButton(
            description="Fields and choices", value=True, tooltip="Show or hide the fields"
        ).add_class("pva-fold")
        sidebar = box(
            "pva-sidebar",
            self.fold,  # by the style sheet alone, so that it works while the kernel is busy
            title("Load from Plivo"),
            *fields,
            *[self.compare] * bool(channels),
            box("pva-actions", self.load, self.cancel),
            self.progress,
            self.status,
            self.wait,
            title("Explore loaded data", "instant"),
            self.group,
            *channels,
            title("Export"),
            box("pva-exports", *self.exports.values()),
            self.download.box,
        )
        self._results = box("pva-main", self.changed, self.cards, self.empty, self.tabs, self.code)
        style = text("pva-style", render("explorer/style.html", css=Markup(css())))  # noqa: S704 - our own file
        self.page = [style, self.header, box("pva-page", sidebar, self._results), self.address]

    def set_running(self, *, is_running: bool) -> None:
        """Show that a load has begun or ended."""
        self.load.disabled, self.cancel.disabled = is_running, not is_running
        write(self.wait, NOTHING)
        if is_running:
            self.set_progress(0.0)

    def set_progress(self, share: float, *, is_whole: bool = False) -> None:
        """Fill the progress bar; one of a complete load has another colour."""
        self.progress.value, self.progress.bar_style = share, "success" if is_whole else ""

    def set_results(self, *, has_rows: bool) -> None:
        """Show or hide what needs rows."""
        self.tabs.layout.display = None if has_rows else "none"
        for export in self.exports.values():
            export.disabled = not has_rows

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
    return text("pva-title", lines(["", words, aside], kind="part"))


@cache
def css() -> str:
    """The style sheet.

    Example:
        >>> ".pva" in css()
        True
    """
    return files("plivo_analysis.templates").joinpath("explorer/explorer.css").read_text("utf-8")
