"""The explorer's settings in the address of its page: they survive a reload, and can be sent.

The page's side of it is in ``templates/explorer/style.html``.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from plivo_analysis.errors import FilterError
from plivo_analysis.explorer.code_line import literal
from plivo_analysis.explorer.output import text, write
from plivo_analysis.templates.rendering import render

if TYPE_CHECKING:
    from plivo_analysis.explorer.layout import Layout
    from plivo_analysis.explorer.sidebar import DateRange, EntryChannels, FilterFields


class Address:
    """The settings of an explorer as the query of the page's address; no telephone number.

    Args:
        dates: The range.
        fields: The filters.
        channels: The entry channels.
        layout: The grouping, the tab, and whether to compare.

    Example:
        >>> import ipywidgets as widgets
        >>> from plivo_analysis.api.resources import SESSION_RESOURCE
        >>> from plivo_analysis.explorer.sidebar import DateRange, EntryChannels, FilterFields
        >>> from datetime import UTC, datetime
        >>> dates = DateRange(lambda: datetime(2026, 11, 2, tzinfo=UTC), lambda: None)
        >>> fields = FilterFields(SESSION_RESOURCE, lambda: None)
        >>> from plivo_analysis.explorer.layout import Layout
        >>> tabs = [("Not adding up", widgets.VBox())]
        >>> layout = Layout(["country"], {}, tabs)
        >>> address = Address(dates, fields, EntryChannels(lambda: None), layout)
        >>> address.restore("token=abc&since=7d&country=IN")
        >>> dates.arguments(), fields.arguments()
        ({'since': '7d'}, {'country': 'IN'})
        >>> address.write()
        >>> "since=7d&amp;country=IN&amp;group=country&amp;tab=Not+adding+up" in address.place.value
        True
    """

    def __init__(
        self,
        dates: DateRange,
        fields: FilterFields,
        channels: EntryChannels,
        layout: Layout,
    ) -> None:
        self._dates, self._fields, self._channels = dates, fields, channels
        self._layout = layout
        parameters = [one for field in fields.fields for one in field.parameters]
        self._filters = [one.name for one in parameters if not one.kind.is_number]
        self.place = text("pva-address")

    def write(self) -> None:
        """Put the settings into the address."""
        layout, filters = self._layout, self._fields.arguments()
        dates = {name: literal(at).strip('"') for name, at in self._dates.arguments().items()}
        known = {name: filters.get(name) for name in self._filters}
        choices = {
            "compare": "yes" if layout.compare.value else "",
            "channels": ",".join(self._channels.chosen),
            "group": layout.group.value,
            "tab": layout.titles[layout.tabs.selected_index or 0],
        }
        settings = {**dates, **known, **choices}
        query = urlencode({name: value for name, value in settings.items() if value})
        names = " ".join(["since", "until", *known, *choices])
        write(self.place, render("explorer/address.html", query=query, names=names))

    def restore(self, query: str) -> None:
        """Take settings from a query; what is not ours, or cannot be understood, is left out."""
        layout, settings = self._layout, dict(parse_qsl(query))
        words = settings.get("channels", "").split(",")
        self._channels.wanted = tuple(word for word in words if word.isalpha())  # no number is
        if "since" in settings:
            with suppress(FilterError):
                self._dates.put(settings["since"], settings.get("until"))
        for name in self._filters:
            if name in settings:
                with suppress(FilterError):
                    self._fields.put({name: settings[name]})
        layout.compare.value = "compare" in settings
        if settings.get("group") in layout.group.options:
            layout.group.value = settings["group"]
        if settings.get("tab") in layout.titles:
            layout.tabs.selected_index = layout.titles.index(settings["tab"])
