"""The report's tables as files: a workbook with typed sheets, or a folder of CSV or Parquet.

Foreign text can become a formula in a spreadsheet. The workbook stores text as text whatever it
begins with; a CSV file has no types, so there an apostrophe is set before what a spreadsheet
would run. Numbers stay numbers, identifiers text, and a second run gives the same bytes.

A spreadsheet holds fifteen digits of a number, which is its format's limit and is said on the
first sheet; CSV and Parquet have them all.
"""

from __future__ import annotations

import csv
import io
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import xlsxwriter

from plivo_analysis.values.masking import unfolded
from plivo_analysis.values.typesetting import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

# A sign begins a formula after blanks too, and after signs that do not show; a spreadsheet reads
# one of another width as a plain one. A tab, a line's end or a NUL is dropped on opening.
_RISKY = ("=", "+", "-", "@")
_DROPPED = ("\t", "\r", "\n", "\0")
_DIGITS = "A spreadsheet holds 15 digits of a number; the CSV files have every digit."
_MADE = datetime(2000, 1, 1)  # noqa: DTZ001 - a fixed stamp in place of the time of writing
_LONGEST_NAME = 31
_LONGEST_TEXT = 32767
_WIDEST = 46
_MONEY = "#,##0.00######"
_RATE = "0.0000"
_TIME = "yyyy-mm-dd hh:mm:ss"


def workbook(tables: Mapping[str, pl.DataFrame], facts: Mapping[str, str]) -> bytes:
    """A workbook with one sheet of facts and one a table.

    Args:
        tables: The tables by name.
        facts: What the tables are of, as pairs of text.

    Example:
        >>> import polars as pl
        >>> workbook({"spend": pl.DataFrame({"channel": ["sms"]})}, {"Title": "t"})[:2]
        b'PK'
    """
    file = io.BytesIO()
    options = {
        "in_memory": True,
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "remove_timezone": True,
    }
    with xlsxwriter.Workbook(file, options) as book:
        book.set_properties({"created": _MADE, "title": facts.get("Title", "")})
        looks = _looks(book)
        _facts(book.add_worksheet("about"), {**facts, "Digits": _DIGITS}, looks)
        for name, table in tables.items():
            _sheet(book.add_worksheet(name[:_LONGEST_NAME]), table, looks)
    return file.getvalue()


def parquet_bytes(table: pl.DataFrame) -> bytes:
    """A table as a Parquet file: every digit, every type.

    Example:
        >>> import polars as pl
        >>> parquet_bytes(pl.DataFrame({"lines": [1]}))[:4]
        b'PAR1'
    """
    file = io.BytesIO()
    table.write_parquet(file)
    return file.getvalue()


def csv_bytes(table: pl.DataFrame) -> bytes:
    r"""A table as a CSV file, with text that a spreadsheet would run made harmless.

    It begins with a byte-order mark, without which a spreadsheet opens it in the machine's own
    encoding and garbles the arrow of a path.

    Example:
        >>> import polars as pl
        >>> csv_bytes(pl.DataFrame({"alias": ["=1+1", "shop"], "lines": [-1, 2]})).decode()
        "\ufeffalias,lines\r\n'=1+1,-1\r\nshop,2\r\n"
    """
    file = io.StringIO()
    writer = csv.writer(file)  # CRLF, so that either sign in a cell is quoted
    writer.writerow(table.columns)
    writer.writerows([_csv(value) for value in row] for row in table.iter_rows())
    return file.getvalue().encode("utf-8-sig")


def _csv(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list):
        return _harmless("; ".join(map(str, value)))
    return _harmless(value) if isinstance(value, str) else "" if value is None else str(value)


def _harmless(text: str) -> str:
    risky = text.startswith(_DROPPED) or unfolded(text).lstrip().startswith(_RISKY)
    return f"'{text}" if risky else text


def _looks(book: Any) -> dict[str, Any]:
    return {
        "head": book.add_format({"bold": True, "bottom": 1}),
        "text": book.add_format({"num_format": "@"}),
        "money": book.add_format({"num_format": _MONEY}),
        "rate": book.add_format({"num_format": _RATE}),
        "time": book.add_format({"num_format": _TIME}),
        "count": book.add_format({"num_format": "#,##0"}),
    }


def _facts(sheet: Any, facts: Mapping[str, str], looks: dict[str, Any]) -> None:
    for line, (name, value) in enumerate(facts.items()):
        sheet.write_string(line, 0, name, looks["head"])
        sheet.write_string(line, 1, clean(value, cap=200), looks["text"])
    sheet.set_column(0, 0, 16)
    sheet.set_column(1, 1, _WIDEST)


def _sheet(sheet: Any, table: pl.DataFrame, looks: dict[str, Any]) -> None:
    for place, name in enumerate(table.columns):
        sheet.write_string(0, place, name, looks["head"])
        values = table.get_column(name).to_list()
        for line, value in enumerate(values, start=1):
            _cell(sheet, line, place, value, looks)
        widest = max([len(name), *(len(str(value)) for value in values[:200])])
        sheet.set_column(place, place, min(_WIDEST, widest + 2))
    sheet.freeze_panes(1, 0)


def _cell(sheet: Any, line: int, place: int, value: Any, looks: dict[str, Any]) -> None:
    if value is None:
        return
    if isinstance(value, str | list):
        text = value if isinstance(value, str) else ", ".join(map(str, value))
        sheet.write_string(line, place, text[:_LONGEST_TEXT], looks["text"])
    elif isinstance(value, datetime):
        sheet.write_datetime(line, place, value, looks["time"])
    else:
        look = (
            "money"
            if isinstance(value, Decimal)
            else "rate"
            if isinstance(value, float)
            else "count"
        )
        sheet.write_number(line, place, value, looks[look])
