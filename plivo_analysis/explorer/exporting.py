"""Exports: the view as CSV or workbook, the page as HTML, by a link that saves the file.

The file travels in the link itself, so that it reaches a browser whose user has no Python and
no folder here. A large one is compressed; the link saves a ZIP or a GZ file then.
"""

from __future__ import annotations

import base64
import gzip
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from plivo_analysis.explorer.layout import css
from plivo_analysis.loaders.recipients import masked
from plivo_analysis.report.files import csv_bytes, workbook
from plivo_analysis.templates.rendering import render
from plivo_analysis.values.typesetting import NOT_KNOWN, clean, count, percent, plain, weekday

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from plivo_analysis.values.schema import Table

_LARGE = 400_000  # bytes
_KINDS = {
    "csv": "text/csv;charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "html": "text/html;charset=utf-8",
    "gz": "application/gzip",
}
_DIGITS = 5  # of an amount, as the bill has them
_RATES = ("_rate", "_rate_low", "_rate_high")
_KILO = 1000


def as_csv(frame: pl.DataFrame, table: Table) -> bytes:
    r"""A table as CSV, its telephone numbers masked.

    Example:
        >>> import polars as pl
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> frame = pl.DataFrame({"recipient": ["14155550100"]})
        >>> as_csv(frame, SESSIONS).decode().splitlines()
        ['\ufeffrecipient', '1 ••• ••• ••00']
    """
    return csv_bytes(masked(frame, table))


def as_workbook(name: str, frame: pl.DataFrame, table: Table, facts: Mapping[str, str]) -> bytes:
    """A table as a workbook, its telephone numbers masked.

    Example:
        >>> import polars as pl
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> as_workbook("spend", pl.DataFrame({"lines": [1]}), SESSIONS, {"Title": "t"})[:2]
        b'PK'
    """
    return workbook({name: masked(frame, table)}, facts)


def as_page(title: str, header: Markup, cards: Markup, tables: Mapping[str, pl.DataFrame]) -> bytes:
    r"""KPI cards and tables as a page that stands alone: it asks for nothing and runs nothing.

    Args:
        title: The title of the page's tab.
        header: The header of the explorer.
        cards: Its KPI cards.
        tables: Tables of metrics under their titles.

    Example:
        >>> import polars as pl
        >>> rates = pl.DataFrame({"message_type": ["<b>"], "delivered_rate": [0.5]})
        >>> page = as_page("t", Markup(""), Markup(""), {"Delivery": rates}).decode()
        >>> "&lt;b&gt;" in page, "50.0\u202f%" in page, "<script" in page
        (True, True, False)
    """
    shown = {
        name: {
            "titles": [column.replace("_", " ") for column in frame.columns],
            "numbers": [kind.is_numeric() for kind in frame.dtypes],
            "rows": [
                [_shown(column, value) for column, value in zip(frame.columns, row, strict=True)]
                for row in frame.iter_rows()
            ],
        }
        for name, frame in tables.items()
    }
    styles = Markup(css())  # noqa: S704 - our own file
    page = render(
        "explorer/page.html", title=title, header=header, cards=cards, tables=shown, css=styles
    )
    return page.encode()


def link(name: str, kind: str, content: bytes) -> Markup:
    """A link that saves a file, compressed where it is large.

    Args:
        name: The file's name without its kind.
        kind: csv, xlsx or html.
        content: What is in it.

    Example:
        >>> 'download="spend.csv"' in link("spend", "csv", b"lines")
        True
        >>> 'download="spend.csv.gz"' in link("spend", "csv", b"lines" * 100_000)
        True
    """
    file = f"{name}.{kind}"
    if len(content) > _LARGE and kind != "xlsx":  # a workbook is compressed already
        content, file, kind = gzip.compress(content, mtime=0), f"{file}.gz", "gz"
    data = base64.b64encode(content).decode()
    address = f"data:{_KINDS[kind]};base64,{data}"
    return render("explorer/link.html", file=file, size=_size(content), address=address)


def _size(content: bytes) -> str:
    kilo = len(content) / _KILO
    return f"{max(1, round(kilo)):,} kB" if kilo < _KILO else f"{kilo / _KILO:,.1f} MB"


def _shown(column: str, value: Any) -> str:
    if value is None:
        return NOT_KNOWN
    if isinstance(value, Decimal):
        return plain(value, _DIGITS)
    if isinstance(value, datetime):
        return weekday(value)
    if column.endswith(_RATES):
        return percent(value)
    return count(value) if isinstance(value, int) else clean(value)
