"""What travels between the page and the kernel beside widgets: large files and the address.

A Jupyter server drops a message that is larger than about a megabyte a second allows, so a file
goes in parts, each of which the page asks for when it has the one before. The page's part of
both is in ``templates/explorer/style.html``.
"""

from __future__ import annotations

import base64
import gzip
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

import ipywidgets as widgets

from plivo_analysis.errors import FilterError
from plivo_analysis.explorer.code_line import literal
from plivo_analysis.explorer.output import NOTHING, box, lines, text, write
from plivo_analysis.templates.rendering import render

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from plivo_analysis.explorer.layout import Layout
    from plivo_analysis.explorer.sidebar import DateRange, FilterFields

PART = 300_000  # letters of base64 in one message

_COMPRESSED = 400_000  # bytes from which on a file of text is compressed
_KINDS = {
    "csv": "text/csv;charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "html": "text/html;charset=utf-8",
    "gz": "application/gzip",
}
_KILO = 1000


class Download:
    """Sends files to the browser, whatever their size.

    Example:
        >>> download = Download()
        >>> download.send("spend.csv", b"lines")
        >>> 'download="spend.csv"' in download.status.value
        True
    """

    def __init__(self) -> None:
        self.status = text("pva-saved")
        self._part = text("pva-part-of-file")
        self._next = widgets.Text()
        self._next.add_class("pva-next-part")
        self._next.observe(lambda change: self._send(change["new"]), "value")
        self.box = box("pva-download", self.status, self._part, self._next)
        self._file, self._kind, self._parts = "", "", [""]

    def send(self, file: str, content: bytes) -> None:
        """Offer a file: by a link where it is small, else in parts that the page puts together.

        Args:
            file: The file's name; a large file of text gets ``.gz`` after it.
            content: What is in it.
        """
        if len(content) > _COMPRESSED and not file.endswith(".xlsx"):  # is compressed already
            content, file = gzip.compress(content, mtime=0), f"{file}.gz"
        data = base64.b64encode(content).decode()
        self._file, self._kind = file, _KINDS[file.rsplit(".", 1)[1]]
        self._parts = [data[start : start + PART] for start in range(0, len(data), PART)]
        size = _size(len(content))
        if len(self._parts) > 1:
            write(self.status, lines(f"Sending {file} · {size}"))
            self._send("0")
            return
        address = f"data:{self._kind};base64,{data}"
        write(self.status, render("explorer/link.html", file=file, size=size, address=address))

    def fail(self, error: Exception) -> None:
        """Say why there is no file."""
        write(self.status, lines(str(error), kind="failed"))

    def clear(self) -> None:
        """Take the last file's link away."""
        self._parts = [""]
        write(self.status, NOTHING)
        write(self._part, NOTHING)

    def _send(self, words: str) -> None:
        """Send the part of this number: the page writes it here, with the time after it."""
        # A part that was asked for twice is sent twice; the page leaves out the second.
        number = words.split(" ", maxsplit=1)[0]
        if number.isdecimal() and int(number) < len(self._parts) > 1:
            part = render(
                "explorer/part.html",
                file=self._file,
                kind=self._kind,
                number=int(number),
                parts=len(self._parts),
                data=self._parts[int(number)],
            )
            write(self._part, part)


class Address:
    """The settings of an explorer as the query of the page's address; no telephone number.

    Args:
        dates: The range.
        fields: The filters.
        layout: The grouping, the tab, and whether to compare.
        channels: The entry channels that are chosen.

    Attributes:
        channels: The entry channels that the address named: they can be chosen after a load.

    Example:
        >>> from plivo_analysis.api.resources import SESSION_RESOURCE
        >>> from plivo_analysis.explorer.sidebar import DateRange, FilterFields
        >>> from datetime import UTC, datetime
        >>> dates = DateRange(lambda: datetime(2026, 11, 2, tzinfo=UTC), lambda: None)
        >>> fields = FilterFields(SESSION_RESOURCE, lambda: None)
        >>> from plivo_analysis.explorer.layout import Layout
        >>> tabs = [("Not adding up", widgets.VBox())]
        >>> address = Address(dates, fields, Layout(["country"], {}, tabs), tuple)
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
        layout: Layout,
        channels: Callable[[], Iterable[str]],
    ) -> None:
        self._dates, self._fields, self._chosen = dates, fields, channels
        self.channels: tuple[str, ...] = ()
        self._group, self._tabs, self._compare = layout.group, layout.tabs, layout.compare
        parameters = [one for field in fields.fields for one in field.parameters]
        self._filters = [one.name for one in parameters if not one.kind.is_number]
        self.place = text("pva-address")

    def write(self) -> None:
        """Put the settings into the address."""
        dates = {name: literal(at).strip('"') for name, at in self._dates.arguments().items()}
        filters = self._fields.arguments()
        known = {name: filters[name] for name in self._filters if name in filters}
        choices = {
            "channels": ",".join(self._chosen()),
            "group": self._group.value,
            "tab": self._tab,
        }
        compare = {"compare": "yes" if self._compare.value else ""}
        settings = {**dates, **known, **compare, **choices}
        query = urlencode({name: value for name, value in settings.items() if value})
        names = " ".join(["since", "until", *self._filters, "compare", *choices])
        write(self.place, render("explorer/address.html", query=query, names=names))

    def restore(self, query: str) -> None:
        """Take settings from a query; what is not ours, or cannot be understood, is left out."""
        settings = dict(parse_qsl(query))
        words = settings.get("channels", "").split(",")
        self.channels = tuple(word for word in words if word.isalpha())  # a number never is
        if "since" in settings:
            with suppress(FilterError):
                self._dates.put(settings["since"], settings.get("until"))
        for name in self._filters:
            if name in settings:
                with suppress(FilterError):
                    self._fields.put({name: settings[name]})
        self._compare.value = "compare" in settings
        if settings.get("group") in self._group.options:
            self._group.value = settings["group"]
        titles = [self._tabs.get_title(place) for place in range(len(self._tabs.children))]
        if settings.get("tab") in titles:
            self._tabs.selected_index = titles.index(settings["tab"])

    @property
    def _tab(self) -> str:
        title: str = self._tabs.get_title(self._tabs.selected_index or 0)
        return title


def _size(length: int) -> str:
    kilo = length / _KILO
    return f"{max(1, round(kilo)):,} kB" if kilo < _KILO else f"{kilo / _KILO:,.1f} MB"
