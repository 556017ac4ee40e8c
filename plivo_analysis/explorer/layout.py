"""What stands where: the rail, the headline, the tabs and the code line, without any conduct."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import ipywidgets as widgets

from plivo_analysis.explorer.html import Markup, join, tag
from plivo_analysis.explorer.output import text, write

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


_LEAVE_KEYS = (
    "this.closest('.pva').addEventListener('focusin', event => "
    "event.target.setAttribute('data-lm-suppress-shortcuts', 'true'))"
)


class Layout:
    """The widgets of a panel.

    Args:
        groups: By what can be grouped.
        exports: What can be taken along: the buttons' words by kind.
        tabs: The titles and the boxes of the tabs.

    Example:
        >>> controls = Layout(["channel"], {"csv": "CSV"}, [])
        >>> controls.cancel.disabled
        True
    """

    def __init__(
        self,
        groups: Iterable[str],
        exports: Mapping[str, str],
        tabs: Sequence[tuple[str, widgets.Box]],
    ) -> None:
        self.load = _button("Load", "pva-load", "Ask the account")
        self.cancel = _button("Cancel", "pva-cancel", "Stop; what was read is kept")
        self.cancel.disabled = True
        self.progress = widgets.FloatProgress(min=0.0, max=1.0, value=0.0)
        self.progress.add_class("pva-progress")
        self.status, self.waits = text("pva-status"), text("pva-waits")
        self.header, self.cells, self.empty = (
            text("pva-header"),
            text("pva-headline"),
            text("pva-empty"),
        )
        self.line, self.saved = text("pva-line"), text("pva-saved")
        self.group = widgets.Dropdown(options=list(groups), description="Group by")
        self.group.add_class("pva-group")
        self.exports = {kind: _button(said, f"pva-export-{kind}") for kind, said in exports.items()}
        self.tabs = widgets.Tab([box for _, box in tabs], selected_index=0 if tabs else None)
        for place, (title, _) in enumerate(tabs):
            self.tabs.set_title(place, title)

    def page(
        self, asks: Sequence[widgets.Widget], local: Sequence[widgets.Widget]
    ) -> list[widgets.Widget]:
        """Everything in its place.

        Args:
            asks: The fields of what costs requests.
            local: Further choices of what does not.
        """
        rail = named(
            "pva-rail",
            heading("Ask the account"),
            *asks,
            named("pva-asks", self.load, self.cancel),
            self.progress,
            self.status,
            self.waits,
            heading("On what was read", "no request"),
            self.group,
            *local,
            heading("Take along"),
            named("pva-takes", *self.exports.values()),
            self.saved,
        )
        right = named("pva-main", self.cells, self.empty, self.tabs, self.line)
        return [_style(), self.header, named("pva-page", rail, right)]

    def running(self, *, now: bool) -> None:
        """Show that a load has begun or ended."""
        self.load.disabled, self.cancel.disabled = now, not now
        write(self.waits, Markup(""))
        if now:
            self.fill(0.0)

    def fill(self, share: float, *, whole: bool = False) -> None:
        """Fill the progress bar; one that is whole looks it."""
        self.progress.value = share
        (self.progress.add_class if whole else self.progress.remove_class)("pva-whole")

    def looked_at(self, *, something: bool) -> None:
        """Show or hide what needs something to look at."""
        self.tabs.layout.display = None if something else "none"
        for button in self.exports.values():
            button.disabled = not something


def named(name: str, *children: widgets.Widget) -> widgets.Box:
    """A box with a class of ours, which the style sheet and the tests know it by.

    Example:
        >>> named("pva-rail")._dom_classes
        ('pva-rail',)
    """
    box = widgets.Box(list(children))
    box.add_class(name)
    return box


def heading(said: str, beside: str = "") -> widgets.HTML:
    """The heading of a part of the rail.

    Example:
        >>> heading("Take along").value
        '<div><b>Take along</b><span></span></div>'
    """
    place = text("pva-title")
    write(place, tag("div", tag("b", said), tag("span", beside)))
    return place


def _button(said: str, name: str, tooltip: str = "") -> widgets.Button:
    button = widgets.Button(description=said, tooltip=tooltip)
    button.add_class(name)
    return button


def _style() -> widgets.HTML:
    """The style sheet, and what leaves the panel's keys to it.

    JupyterLab takes letters and arrows for itself wherever no text is edited, so that a list
    could not be chosen from by keyboard, unless the element in focus carries an attribute that
    no widget can be given. An animation tells a page that an element is there, in any host.
    """
    place = text("pva-style")
    keys = tag("span", class_="pva-keys", onanimationstart=_LEAVE_KEYS)
    write(place, join((tag("style", Markup(css())), keys)))
    return place


@cache
def css() -> str:
    """The style sheet.

    Example:
        >>> ".pva" in css()
        True
    """
    return files("plivo_analysis.explorer").joinpath("explorer.css").read_text("utf-8")
