"""The console's export of message records, a CSV file, as the table of messages.

The console names its columns otherwise than the API does, and has two sets of them: a small
export is downloaded, a large one is mailed with fewer columns. Its values are read by the parsers
of the API's records (`parsing.messages`), so that a record is the same row from either source.
Only what is special to files is handled here: separators, local times, changes by a spreadsheet.

Source: Plivo's support page "How to Export Message Detail Records (MDR)". It names the columns, but
not the formats of times and amounts, nor the meaning of a column.
"""

from __future__ import annotations

import csv
import re
import warnings
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import polars as pl

from plivo_analysis.api.checks import checked_word
from plivo_analysis.api.columns import MESSAGES
from plivo_analysis.errors import FilterError, PlivoAnalysisWarning, SchemaError
from plivo_analysis.metrics.periods import zone_of
from plivo_analysis.parsing import fields
from plivo_analysis.parsing.messages import read_message
from plivo_analysis.parsing.oddities import Code, Effect
from plivo_analysis.parsing.records import shown
from plivo_analysis.parsing.strict_json import canonical
from plivo_analysis.tables.convert import BACKENDS, from_rows, to_backend
from plivo_analysis.values.masking import mask_text
from plivo_analysis.values.table_types import Kind
from plivo_analysis.values.typesetting import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from os import PathLike
    from zoneinfo import ZoneInfo

# In both sets. "Total Charge Per Unit" has no column in the table: it goes to `extra`.
COLUMNS: dict[str, str] = {
    "Message UUID": "message_uuid",
    "From": "from_number",
    "To": "to_number",
    "To Country ISO2": "destination_country_iso2",
    "Direction": "message_direction",
    "Message Time": "message_time",
    "Time": "message_time",
    "Status": "message_state",
    "Error Code": "error_code",
    "Error Reason": "error_message",
    "Units": "units",
    "Rate Per Unit": "total_rate",
    "Message Rate": "total_rate",
    "Carrier Surcharge Per Unit": "carrier_fees_rate",
    "Total Charge": "total_amount",
    "Amount": "total_amount",
    "Message Charge": "total_amount",
}
_FOLDED = {header.casefold(): name for header, name in COLUMNS.items()}
_CURRENCY = re.compile(r"(.*\S) ?\(([A-Z]{3})\)")
_PARSERS = fields.parsers(MESSAGES.columns)
_MONEY = {column.name for column in MESSAGES.columns if column.kind is Kind.MONEY}
_NUMBERS = {column.name for column in MESSAGES.columns if column.form.is_number}

# A comma that can only be a decimal one: "1,234" may be more than a thousand, "0,0035" may not.
_DECIMAL_COMMA = re.compile(r"\A(?!-?[1-9][0-9]{0,2},[0-9]{3}\Z)(-?[0-9]+),([0-9]+)\Z")
_ROUNDED = re.compile(r"[0-9](?:[.,][0-9]+)?[eE]\+[0-9]+")
_NAMED_UTC = re.compile(r"(.*[0-9]) ?(?:UTC|GMT)")

_AT_ONCE = 20_000  # rows held as Python objects, which take far more memory than a frame
_LINES_NAMED = 30
_SHOWN_HEADERS = 20


def read_messages_csv(
    path: str | PathLike[str], *, tz: str | ZoneInfo = "UTC", backend: str | None = None
) -> Any:
    r"""Read the console's export of message records (MDR) into the table of messages.

    Both of the console's sets of columns are read, in any order, separated by commas or by
    semicolons, with or without a byte-order mark. Every metric of messages takes the result, and
    its ``message_uuid`` joins it with what `load_messages` gives.

    Nothing is guessed. A line without a readable uuid or time, or with more or fewer cells than
    the header, is left out. A value that cannot be read is null, and its text is in ``extra``
    under the name of its column. A warning lists both with their lines. A line that the file
    holds twice counts once.

    Args:
        path: The CSV file, in UTF-8.
        tz: The IANA time zone of times without an offset: the one that the console showed. A
            local time that the clocks of that zone skip or repeat cannot be read.
        backend: ``"polars"`` (the default) or ``"pandas"``.

    Returns:
        One row a message, oldest first, with the columns of the table "messages" in DATA.md. Those
        that the file lacks are null. Amounts are exact; ``total_amount`` is "Total Charge", or of
        a mailed file "Amount" and "Message Charge" where these agree, else null. Columns that
        the table does not have are in ``extra``.

    Raises:
        FilterError: An argument is wrong, or there is no such file.
        SchemaError: The file is no export of message records (``.missing``, ``.available``), is
            damaged, or has two different lines of one message.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> import plivo_analysis as pva
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder) / "messages.csv"
        ...     _ = file.write_text(
        ...         "Message UUID,Message Time,To,Status,Total Charge (USD)\n"
        ...         "51e965f3-65a5-4ca0-9542-571541180091,2026-03-01 05:00:00,14155550100,"
        ...         "delivered,0.00350\n"
        ...     )
        ...     messages = pva.read_messages_csv(file, tz="America/New_York")
        >>> messages.select("to_number", "total_amount").row(0)
        ('14155550100', Decimal('0.00350000'))
        >>> str(messages["message_time"][0])
        '2026-03-01 10:00:00+00:00'
    """
    local = zone_of(tz)
    backend = checked_word("backend", "polars" if backend is None else backend, BACKENDS)
    try:
        file = Path(path)
    except TypeError:
        raise FilterError(
            f"path is of type {type(path).__name__}; it takes the name of a CSV file."
        ) from None
    name = mask_text(file.name)
    try:
        # A header is one line. The others go to csv as they are: a quoted cell may hold several.
        with file.open(encoding="utf-8-sig", newline="") as lines:
            export = _Export.of(lines.readline(), name, local)
            frame = export.read(lines)
    except UnicodeDecodeError:
        raise SchemaError(
            f"{name} is not text in UTF-8. Export it from the console as CSV; a spreadsheet has to "
            "save it as CSV UTF-8."
        ) from None
    except OSError as failed:
        raise FilterError(
            f"path names {name}, which cannot be read ({failed.strerror}). Give the CSV file of "
            "the console's export."
        ) from None
    for doubt in export.doubts():
        warnings.warn(doubt, PlivoAnalysisWarning, stacklevel=2)
    return to_backend(frame, backend)


@dataclass(slots=True)
class _Export:
    """A file while it is read, with the lines and values that cannot be read.

    Args:
        file: Its name, masked.
        zone: The zone of times without an offset.
        delimiter: The separator of cells.
        headers: The headers as the file has them.
        sources: For each column of the table, the positions of the headers that fill it.
        others: The positions of headers without a column in the table.
        lines: How many lines held a record.
        set_aside: The lines that are left out, by the reason.
        unread: The lines of values that are null, by the column and the reason.
    """

    file: str
    zone: ZoneInfo
    delimiter: str
    headers: tuple[str, ...]
    sources: Mapping[str, tuple[int, ...]]
    others: tuple[int, ...]
    lines: int = 0
    set_aside: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    unread: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def of(cls, line: str, file: str, zone: ZoneInfo) -> Self:
        """Read a header.

        Raises:
            SchemaError: It is not the header of an export of messages, has a column twice, or names
                two currencies.
        """
        by_delimiter = {delimiter: _cells(line, delimiter) for delimiter in ",;"}
        # Only the right separator gives known headers.
        delimiter, headers = max(
            by_delimiter.items(), key=lambda item: sum(_named(cell)[0] != "" for cell in item[1])
        )
        named = [_named(header) for header in headers]
        names = [name for name, _ in named]
        required = {"message_uuid": "Message UUID", "message_time": "Message Time"}
        missing = [header for name, header in required.items() if name not in names]
        # Masked: in a file without a header these are values, and some are telephone numbers.
        available = [shown(header) for header in headers if header][:_SHOWN_HEADERS]
        if missing:
            raise SchemaError(
                f"{file} is no export of message records: its first line lacks "
                f"{' and '.join(map(repr, missing))}. It has "
                f"{', '.join(map(repr, available)) or 'nothing'}. Give the CSV file that the "
                "console exports under Messaging, Logs, with its header.",
                missing=missing,
                available=available,
            )
        folded = Counter(header.casefold() for header in headers if header)
        if doubled := [header for header in headers if folded[header.casefold()] > 1]:
            raise SchemaError(
                f"{file} has two columns that are called {shown(doubled[0])!r}. Keep one of them.",
                available=available,
            )
        if len(currencies := sorted({currency for _, currency in named if currency})) > 1:
            raise SchemaError(
                f"{file} has amounts in {' and '.join(currencies)}; a table of messages has one "
                "currency. Export it anew.",
                available=available,
            )
        sources = {
            name: tuple(at for at, filled in enumerate(names) if filled == name)
            for name in names
            if name
        }
        others = tuple(at for at, name in enumerate(names) if not name)
        return cls(file, zone, delimiter, headers, sources, others)

    def read(self, text: Iterator[str]) -> pl.DataFrame:
        """The lines below the header as the table of messages.

        Raises:
            SchemaError: A quote is not closed, or two lines of one message differ.
        """
        frames: list[pl.DataFrame] = []
        rows: dict[int, dict[str, Any]] = {}  # by their lines
        for line, cells in self._records(text):
            self.lines += 1
            if (row := self._row(line, cells)) is not None:
                rows[line] = row
            if len(rows) == _AT_ONCE:
                frames.append(_frame(rows))
                rows = {}
        frame = pl.concat([*frames, _frame(rows)])
        # Overlapping exports that were joined into one file hold the same line twice.
        frame = frame.unique(MESSAGES.names, keep="first", maintain_order=True)
        doubled = frame.filter(pl.col("message_uuid").is_duplicated())
        if doubled.height:
            first = doubled["message_uuid"][0]
            pair = doubled.filter(pl.col("message_uuid") == first)["line"].to_list()
            raise SchemaError(
                f"Lines {_listed(pair)} of {self.file} are of one message and differ, which is so "
                f"of {plural(doubled['message_uuid'].n_unique(), 'message')}. Nothing says which "
                "is later: keep one line of each."
            )
        return frame.drop("line").sort("message_time", "message_uuid")

    def _records(self, text: Iterator[str]) -> Iterator[tuple[int, list[str]]]:
        """Each record with the number of the line on which it begins, without blank lines."""
        reader = csv.reader(text, delimiter=self.delimiter, strict=True)
        line = 2
        try:
            for cells in reader:
                if any(cell.strip() for cell in cells):
                    yield line, cells
                # The next record begins one line on, and the header is a line that csv did not see.
                line = reader.line_num + 2
        except csv.Error as error:
            raise SchemaError(
                f"Line {line} of {self.file} is no line of a CSV file ({error}). Export it anew."
            ) from None

    def _row(self, line: int, cells: list[str]) -> dict[str, Any] | None:
        if len(cells) != len(self.headers):
            self.set_aside["More or fewer cells than the header."].append(line)
            return None
        record: dict[str, str | None] = {}
        unread: dict[int, str] = {}  # the reason, by the position of the cell
        for name, positions in self.sources.items():
            texts = {at: text for at in positions if (text := cells[at].strip())}
            record[name], reason = self._value(name, [*texts.values()])
            if reason:
                unread |= dict.fromkeys(texts, reason)
        read = read_message(record)
        if read.row is None:
            (note,) = read.notes
            # The reason found in the cell says more than the parser's, which saw a null.
            reasons = (unread[at] for at in self.sources.get(note.path, ()) if at in unread)
            self.set_aside[next(reasons, Code(note.code).meaning)].append(line)
            return None
        for note in read.notes:
            if Code(note.code).effect is Effect.NULLED:
                unread |= dict.fromkeys(self.sources[note.path], Code(note.code).meaning)
        for at, reason in unread.items():
            self.unread[f"{shown(self.headers[at])}: {reason}"].append(line)
        extra = {self.headers[at]: cells[at] for at in (*self.others, *unread) if cells[at].strip()}
        return read.row | {"extra": canonical(extra) if extra else None}

    def _value(self, name: str, texts: list[str]) -> tuple[str | None, str]:
        """The value in the API's format, or None and the reason why it cannot be known."""
        if not texts:
            return None, ""
        if name in _MONEY:
            texts = [_DECIMAL_COMMA.sub(r"\1.\2", text) for text in texts]
        if len(texts) > 1 and len({_PARSERS[name](text)[0] for text in texts}) > 1:
            return None, "It differs from another column that should say the same."
        if name == "message_time":
            return self._time(texts[0])
        # 14155550126 becomes 1.41556E+10 where a spreadsheet takes it for a number.
        if name in _NUMBERS and _ROUNDED.fullmatch(texts[0]):
            return None, "A spreadsheet has rounded it, and its last digits are lost."
        return texts[0], ""

    def _time(self, text: str) -> tuple[str | None, str]:
        instant, code = fields.time(text)
        if instant is None and (named := _NAMED_UTC.fullmatch(text)):
            instant, code = fields.time(f"{named[1]}Z")
        if instant is None:
            return None, Code.INSTANT_UNREADABLE.meaning
        if code is Code.TIME_NAIVE:
            instant = instant.replace(tzinfo=self.zone)
            # Only a time that the clocks skip or repeat has two offsets.
            if instant.utcoffset() != instant.replace(fold=1).utcoffset():
                return None, f"A local time that the clocks of {self.zone.key} skip or repeat."
        return instant.astimezone(UTC).isoformat(), ""

    def doubts(self) -> Iterator[str]:
        """Sentences for warnings: what could not be read."""
        if self.set_aside:
            number = sum(map(len, self.set_aside.values()))
            yield (
                f"{number:,} of {plural(self.lines, 'record')} of {self.file} set aside. "
                f"{_reasons(self.set_aside)} They are in no table, so that counts and sums are "
                "lower bounds."
            )
        if self.unread:
            number = sum(map(len, self.unread.values()))
            yield (
                f"{plural(number, 'value')} of {self.file} could not be read. "
                f"{_reasons(self.unread)} They are null, and their text is in the column extra."
            )


def _cells(line: str, delimiter: str) -> tuple[str, ...]:
    try:
        cells = next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:  # a cell of more than 131,072 characters
        return ()
    return tuple(" ".join(cell.split()) for cell in cells)


def _named(header: str) -> tuple[str, str]:
    """The table's column for a header, and the header's currency; either may be empty."""
    if found := _CURRENCY.fullmatch(header):
        name = _FOLDED.get(found[1].casefold(), "")
        return (name, found[2]) if name in _MONEY else ("", "")
    return _FOLDED.get(header.casefold(), ""), ""


def _frame(rows: Mapping[int, dict[str, Any]]) -> pl.DataFrame:
    lines = pl.Series("line", [*rows], pl.Int64)
    return from_rows([*rows.values()], MESSAGES).with_columns(lines)


def _reasons(lines: Mapping[str, list[int]]) -> str:
    return " ".join(
        f"{reason} ({'line' if len(at) == 1 else 'lines'} {_listed(at)})"
        for reason, at in lines.items()
    )


def _listed(lines: list[int]) -> str:
    """Numbers of lines, in order, neighbours as a range.

    Example:
        >>> _listed([2, 3, 4, 9])
        '2-4, 9'
    """
    ranges: list[list[int]] = []
    for line in lines:
        if ranges and line == ranges[-1][1] + 1:
            ranges[-1][1] = line
        else:
            ranges.append([line, line])
    named = [f"{first}-{last}" if last > first else str(first) for first, last in ranges]
    more = sum(last - first + 1 for first, last in ranges[_LINES_NAMED:])
    return ", ".join(named[:_LINES_NAMED]) + (f" and {more:,} more" if more else "")
