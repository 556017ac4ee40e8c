"""Exports: a table as CSV or workbook, KPI cards and tables as a page; numbers are masked."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
from markupsafe import Markup

from plivo_analysis.explorer.layout import css
from plivo_analysis.loaders.recipients import masked
from plivo_analysis.report.files import csv_bytes, table_workbook
from plivo_analysis.templates.rendering import render
from plivo_analysis.values.typesetting import NOT_KNOWN, clean, count, percent, plain, weekday

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plivo_analysis.values.table_types import Table

_DIGITS = 5  # of an amount, as the bill has them
_RATES = ("_rate", "_rate_low", "_rate_high")


def as_csv(frame: pl.DataFrame, table: Table) -> bytes:
    r"""A table as CSV without its nested columns, its telephone numbers masked.

    Example:
        >>> import polars as pl
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> frame = pl.DataFrame({"recipient": ["14155550100"]})
        >>> as_csv(frame, SESSIONS).decode().splitlines()
        ['\ufeffrecipient', '1 ••• ••• ••00']
    """
    flat = [name for name, kind in frame.schema.items() if not isinstance(kind, pl.List)]
    return csv_bytes(masked(frame.select(flat), table))


def as_workbook(name: str, frame: pl.DataFrame, table: Table, facts: Mapping[str, str]) -> bytes:
    """A table as a workbook, its telephone numbers masked.

    Example:
        >>> import polars as pl
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> as_workbook("spend", pl.DataFrame({"lines": [1]}), SESSIONS, {"Title": "t"})[:2]
        b'PK'
    """
    return table_workbook(name, masked(frame, table), facts)


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
