"""Files on their way to the browser, whatever their size.

A Jupyter server drops a message that is larger than about a megabyte a second allows, so a file
goes in parts, each of which the page asks for when it has the one before. The page's side of it
is in ``templates/explorer/style.html``.
"""

from __future__ import annotations

import base64
import gzip

import ipywidgets as widgets

from plivo_analysis.explorer.output import NOTHING, box, lines, text, write
from plivo_analysis.templates.rendering import render

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
        self._next = widgets.Text().add_class("pva-next-part")
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


def _size(length: int) -> str:
    kilo = length / _KILO
    return f"{max(1, round(kilo)):,} kB" if kilo < _KILO else f"{kilo / _KILO:,.1f} MB"
