"""What travels between the page and the kernel beside widgets: large files and the address.

A Jupyter server drops a message that is larger than about a megabyte a second allows, so a file
goes in parts, each of which the page asks for when it has the one before. The page's part of
both is in ``templates/explorer/style.html``.
"""

from __future__ import annotations

import base64
import gzip
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

import ipywidgets as widgets

from plivo_analysis.explorer.output import NOTHING, box, lines, text, write
from plivo_analysis.templates.rendering import render

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

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
        names: Everything that may stand in it, so that the page knows what to replace.
    """

    def __init__(self, names: Collection[str]) -> None:
        self._names = names
        self.place = text("pva-address")

    def write(self, settings: Mapping[str, Any]) -> None:
        """Put settings into the address.

        Example:
            >>> address = Address(["since", "tab"])
            >>> address.write({"since": "30d", "tab": "Not adding up"})
            >>> 'data-query="since=30d&amp;tab=Not+adding+up"' in address.place.value
            True
        """
        query = urlencode({name: value for name, value in settings.items() if value})
        names = " ".join(self._names)
        write(self.place, render("explorer/address.html", query=query, names=names))

    def read(self, query: str) -> dict[str, str]:
        """The settings of a query; what is not ours is left out.

        Example:
            >>> Address(["since"]).read("token=abc&since=7d")
            {'since': '7d'}
        """
        return {name: value for name, value in parse_qsl(query) if name in self._names}


def _size(length: int) -> str:
    kilo = length / _KILO
    return f"{max(1, round(kilo)):,} kB" if kilo < _KILO else f"{kilo / _KILO:,.1f} MB"
