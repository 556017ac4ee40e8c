"""What every record has in common: its id, its instant, its text, and when it is set aside.

A record is set aside, whole, where no row of it could be trusted: without an id it cannot be
counted once, without its instant it belongs to no window. It is kept, with its reason, so
that rows in are rows used plus rows set aside.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

from plivo_analysis.parsing import fields
from plivo_analysis.parsing.canonical import canonical, measure
from plivo_analysis.parsing.notes import Note, Record, note, shown_number
from plivo_analysis.parsing.oddities import Code

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from plivo_analysis.parsing.fields import Wanted

DEEPEST = 20
LONGEST = 65_536  # characters of one text
MOST = 20_000  # members of one list

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NUMBER_CODES = frozenset({Code.NUMBER_ODD, Code.NUMBER_FROM_INT, Code.NUMBER_UNREADABLE})


class UnreadableError(Exception):
    """No row can be made of this record. It never leaves ``records``.

    Args:
        code: Why.
        path: The field that is to blame.
        value: What was seen there.

    Example:
        >>> UnreadableError(Code.ATTEMPTS_UNREADABLE, "attempt_details", {}).note.code
        'attempts_unreadable'
    """

    def __init__(self, code: Code, path: str = "", value: object = "") -> None:
        super().__init__(code.value)
        self.note = note(code, path, value)


class Notebook:
    """The notes on one record, as they are made.

    Example:
        >>> notebook = Notebook()
        >>> notebook.add(Code.COUNT_DIFFERS, "count", 3)
        >>> notebook.notes
        [Note(code='count_differs', path='count', value='3')]
    """

    __slots__ = ("notes",)

    def __init__(self) -> None:
        self.notes: list[Note] = []

    def add(self, code: Code, path: str, value: object = "") -> None:
        """Note one odd thing."""
        if code in _NUMBER_CODES:
            self.notes.append(Note(code.value, path, shown_number(value)))
        else:
            self.notes.append(note(code, path, value))

    def read(
        self,
        source: dict[str, Any],
        wanted: Wanted,
        path: str = "",
    ) -> dict[str, Any]:
        """Parse the wanted fields of an object; what is null or not there is null."""
        row: dict[str, Any] = {}
        for name, parse in wanted:
            value = source.get(name)
            if value is None:
                row[name] = None
                continue
            row[name], code = parse(value)
            if code is not None:
                self.add(code, path + name, value)
        return row


def read_record(
    record: object,
    *,
    key: str,
    instant: str,
    fill: Callable[[dict[str, Any], Notebook], dict[str, Any]],
) -> Record:
    """Read one record of any kind; whatever it holds, this never raises.

    Args:
        record: One JSON value as the strict parser gives it.
        key: The field with its id.
        instant: The field with the time that it belongs to.
        fill: Makes the row of an object that has both, or raises `UnreadableError`.

    Returns:
        The record with its row, or set aside.

    Example:
        >>> read_record([], key="id", instant="at", fill=dict).notes[0].code
        'not_an_object'
    """
    raw = canonical(record)
    if not isinstance(record, dict):
        return _set_aside(None, None, raw, note(Code.NOT_AN_OBJECT, "", record))
    name, at = _uuid(record.get(key)), fields.time(record.get(instant))[0]
    if limit := _beyond_limits(record, raw):
        return _set_aside(name, at, raw, limit)
    if name is None:
        return _set_aside(name, at, raw, note(Code.KEY_UNREADABLE, key, record.get(key)))
    if at is None:
        reason = note(Code.INSTANT_UNREADABLE, instant, record.get(instant))
        return _set_aside(name, at, raw, reason)
    notebook = Notebook()
    try:
        row = fill(record, notebook)
    except UnreadableError as unreadable:
        return _set_aside(name, at, raw, unreadable.note)
    row[key] = name
    return Record(name, at, row, tuple(notebook.notes), raw)


def _uuid(value: object) -> str | None:
    name, _ = fields.word(value)
    return name if name and _UUID.fullmatch(name) else None


def _beyond_limits(record: dict[str, Any], raw: str) -> Note | None:
    # A short text with few brackets and commas is within the limits: no need to look closer.
    brackets, commas = raw.count("{") + raw.count("["), raw.count(",")
    if len(raw) <= LONGEST and brackets <= DEEPEST and commas < MOST:
        return None
    depth, length, members = measure(record)
    if depth > DEEPEST:
        return note(Code.TOO_DEEP, "", f"{depth} deep")
    if members > MOST:
        return note(Code.TOO_LONG, "", f"{members} members")
    return note(Code.TOO_LONG, "", f"{length} characters") if length > LONGEST else None


def _set_aside(name: str | None, at: datetime | None, raw: str, reason: Note) -> Record:
    key = name or f"sha256:{hashlib.sha256(raw.encode()).hexdigest()}"
    return Record(key, at, None, (reason,), raw)


def unknown(source: dict[str, Any], known: frozenset[str]) -> dict[str, Any]:
    """The fields of an object that this package does not know, exactly as they came.

    Args:
        source: The object.
        known: The names of the fields that it knows.

    Returns:
        The others; those that are null are no news and left out.

    Example:
        >>> unknown({"status": "sent", "dtmf": 1, "brand": None}, frozenset({"status"}))
        {'dtmf': 1}
    """
    if source.keys() <= known:
        return {}
    return {
        name: value for name, value in source.items() if name not in known and value is not None
    }
