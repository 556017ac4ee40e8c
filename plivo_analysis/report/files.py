"""Tables as files: a workbook with typed sheets, CSV or Parquet.

Foreign text can become a formula in a spreadsheet. The workbook stores text as text whatever it
begins with; a CSV file has no types, so there an apostrophe is set before what a spreadsheet
would run. Numbers stay numbers, identifiers text, and a second run gives the same bytes.

A spreadsheet holds fifteen digits of a number, which is its format's limit and is said in the
workbook; CSV and Parquet have them all.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from math import ceil
from typing import TYPE_CHECKING, Any, NamedTuple

import xlsxwriter

from plivo_analysis.values.masking import unfolded
from plivo_analysis.values.typesetting import clean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl

# A sign begins a formula after blanks too, and after signs that do not show; a spreadsheet reads
# one of another width as a plain one. A tab, a line's end or a NUL is dropped on opening.
_RISKY = ("=", "+", "-", "@")
_DROPPED = ("\t", "\r", "\n", "\0")
DIGITS = "A spreadsheet holds 15 digits of a number; the CSV files have every digit."
_MADE = datetime(2000, 1, 1)  # noqa: DTZ001 - a fixed stamp in place of the time of writing
# The file format's limits: the library refuses a longer name and leaves a longer text out.
_LONGEST_NAME = 31
_LONGEST_TEXT = 32767
_WIDEST, _WIDEST_WRAPPED = 46, 90
_LINE = 15  # points
_FORMATS = {
    "text": "@",
    "count": "#,##0",
    "amount": "#,##0.00",
    "price": "#,##0.0000",
    "money": "#,##0.00######",
    "percent": "0.0%",
    "points": '+0.0" pts";-0.0" pts";0.0" pts"',
    "rate": "0.0000",
    "date": "yyyy-mm-dd",
    "time": "yyyy-mm-dd hh:mm:ss",
}


class Cell(NamedTuple):
    """A value with a format of its own, where those of one column differ.

    Args:
        value: The value.
        kind: A key of the formats: text, count, amount, price, money, percent, points,
            rate, date, time.
    """

    value: Any
    kind: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet of a workbook: a line of headings over rows of values.

    Args:
        name: Its name on the tab.
        columns: Each column's heading and the kind of its values, as in ``Cell``.
        rows: The values, one list a row; None is an empty cell.
        above: Lines over the headings, each a term and a value.
        wrapped: Whether long text goes on below, in a wide column; all values are then text.

    Example:
        >>> Sheet("Spend", [("Channel", "text")], [["sms"]]).above
        ()
    """

    name: str
    columns: Sequence[tuple[str, str]]
    rows: Sequence[Sequence[Any]]
    above: Sequence[tuple[str, str]] = ()
    wrapped: bool = False


def workbook(sheets: Sequence[Sheet], title: str) -> bytes:
    """A workbook: headings stay in view and filter what is below them.

    Args:
        sheets: Its sheets in their order.
        title: Its title.

    Example:
        >>> workbook([Sheet("Spend", [("Channel", "text")], [["sms"]])], "October")[:2]
        b'PK'
    """
    file = io.BytesIO()
    # A spreadsheet knows no zone, so that a time is written as the wall clock that it was given in.
    with xlsxwriter.Workbook(file, {"in_memory": True, "remove_timezone": True}) as book:
        book.set_properties({"created": _MADE, "title": title})
        looks = {
            kind: book.add_format({"num_format": form, "valign": "top"})
            for kind, form in _FORMATS.items()
        }
        for kind in ("text", "date", "time"):  # a step from the numbers to the left of them
            looks[kind].set_align("left")
            looks[kind].set_indent(1)
        looks["wrapped"] = book.add_format({"text_wrap": True, "valign": "top"})
        looks["term"] = book.add_format({"bold": True})
        heading = {"bold": True, "bottom": 1, "text_wrap": True, "valign": "bottom"}
        looks["number_heading"] = book.add_format(heading | {"align": "right"})
        looks["heading"] = book.add_format(heading | {"align": "left", "indent": 1})
        for sheet in sheets:
            _write(book.add_worksheet(sheet.name[:_LONGEST_NAME]), sheet, looks)
    return file.getvalue()


def table_workbook(name: str, table: pl.DataFrame, facts: Mapping[str, str]) -> bytes:
    """A workbook of one table as it is, after a sheet of facts.

    Args:
        name: The table's name.
        table: The table.
        facts: What the table is of, as pairs of text.

    Example:
        >>> import polars as pl
        >>> table_workbook("spend", pl.DataFrame({"channel": ["sms"]}), {"Title": "t"})[:2]
        b'PK'
    """
    columns = [(column, _kind(kind)) for column, kind in table.schema.items()]
    about = [[term, clean(value, cap=200)] for term, value in facts.items()]
    return workbook(
        [
            Sheet("about", [("About", "text"), ("", "text")], [*about, ["Digits", DIGITS]]),
            Sheet(name, columns, table.rows()),
        ],
        facts.get("Title", ""),
    )


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
    encoding and garbles the arrow of a path. A cell holds one text: a list of words is joined, and
    any other list is JSON.

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
        return f"{value:f}"  # str() writes a hundred-millionth as 1E-8
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list):  # words as they are read; attempts and charges have fields
        words = value and all(isinstance(item, str) for item in value)
        joined = "; ".join(value) if words else json.dumps(value, default=_csv, ensure_ascii=False)
        return _harmless(joined)
    return _harmless(value) if isinstance(value, str) else "" if value is None else str(value)


def _harmless(text: str) -> str:
    risky = text.startswith(_DROPPED) or unfolded(text).lstrip().startswith(_RISKY)
    return f"'{text}" if risky else text


def _kind(dtype: pl.DataType) -> str:
    """The kind of a table's column."""
    if dtype.is_decimal():
        return "money"
    if dtype.is_temporal():
        return "time"
    if dtype.is_float():
        return "rate"
    return "count" if dtype.is_integer() else "text"


def _write(sheet: Any, content: Sheet, looks: dict[str, Any]) -> None:
    for line, (term, value) in enumerate(content.above):
        sheet.write_string(line, 0, term, looks["term"])
        sheet.write_string(line, 1, value)
    top = len(content.above) + 1 if content.above else 0  # an empty line below what is above
    lines_of_heading = 1
    for place, (heading, kind) in enumerate(content.columns):
        words = kind in ("text", "date", "time")
        sheet.write_string(top, place, heading, looks["heading" if words else "number_heading"])
        # A heading may break into lines, but not within a word.
        widest = max((len(word) for word in heading.split()), default=0)
        for line, row in enumerate(content.rows, start=top + 1):
            value, own = row[place] if isinstance(row[place], Cell) else (row[place], kind)
            shown = ", ".join(map(str, value)) if isinstance(value, list) else value
            look = looks["wrapped" if content.wrapped else own]
            # `write` would look for formulas, addresses and numbers in a text: an application's
            # name can be "=1+1" or "0012", and stays the text that it is.
            if isinstance(shown, str):
                sheet.write_string(line, place, shown[:_LONGEST_TEXT], look)
            elif shown is not None:
                sheet.write(line, place, shown, look)
            if own == "text" and line < top + 200:  # the first rows tell how wide a column is
                widest = max(widest, len(str(value or "")))
        widest = max(widest, 0 if kind == "text" else 11)
        width = min(_WIDEST_WRAPPED if content.wrapped else _WIDEST, widest + 3)
        sheet.set_column(place, place, width)
        # Bold letters are wider than the digits that a column's width is counted in.
        lines_of_heading = max(lines_of_heading, ceil(len(heading) * 1.3 / width))
    # Not every program that opens the file makes room for text of several lines by itself.
    sheet.set_row(top, _LINE * lines_of_heading)
    for line, row in enumerate(content.rows if content.wrapped else (), start=top + 1):
        longest = max(len(value) for value in row)
        sheet.set_row(line, _LINE * ceil(longest / (_WIDEST_WRAPPED - 5)))
    sheet.freeze_panes(top + 1, 1)
    if content.rows:
        sheet.autofilter(top, 0, top + len(content.rows), len(content.columns) - 1)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(top)
