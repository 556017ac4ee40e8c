"""Reads what all records have in common: id, instant and text, with notes on all that is odd.

A record is set aside, whole, where no row of it could be trusted: without an id it cannot be
counted once, without its instant it belongs to no range of time. It is kept with the reason, so
that the rows received are the rows used plus the rows set aside. A note shows what was seen,
masked and short; the whole of it is in the record's text.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from plivo_analysis.parsing import fields
from plivo_analysis.parsing.oddities import Code
from plivo_analysis.parsing.strict_json import canonical, measure
from plivo_analysis.values.masking import mask_number, mask_text
from plivo_analysis.values.spans import to_us

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from plivo_analysis.parsing.fields import Wanted

DEEPEST = 20
LONGEST = 65_536  # characters of one text
MOST = 20_000  # members of one list

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NUMBER_CODES = frozenset({Code.NUMBER_ODD, Code.NUMBER_FROM_INT, Code.NUMBER_UNREADABLE})
_LONGEST_VALUE = 80
_LOOKED_AT = 400  # characters; masking shortens, and what lies beyond would not be shown


@dataclass(frozen=True, slots=True)
class Note:
    """One odd thing.

    Args:
        code: One of `Code`.
        path: The field, as in ``attempt_details[1].time``; empty for the whole record.
        value: What was seen: masked, at most 80 characters.

    Example:
        >>> Note("count_differs", "count", "3").path
        'count'
    """

    code: str
    path: str
    value: str


@dataclass(frozen=True, slots=True)
class Record:
    """One record of the API, read.

    Args:
        key: Its id, or ``sha256:…`` of its content where it has none.
        instant: The time that it belongs to, in microseconds since 1970; ``None`` where that is
            not readable.
        row: A value for every column of its table; ``None`` where the record is set aside.
        notes: Everything odd about it. The first one of a record set aside says why.
        raw: Its content as one line of JSON, with sorted keys and exact numbers. Neither it
            nor the row is in the ``repr``: they hold telephone numbers.

    Example:
        >>> Record("sha256:…", None, None, (), "null").row is None
        True
    """

    key: str
    instant: int | None
    row: dict[str, Any] | None = field(repr=False)
    notes: tuple[Note, ...]
    raw: str = field(repr=False)


def note(code: Code, path: str, value: object = "") -> Note:
    """A note with its value made fit to show: masked, printable, short.

    Args:
        code: What was odd. Of an odd telephone number the digits are hidden however they are
            spread in the text.
        path: The field.
        value: What was seen there, as parsed.

    Returns:
        The note.

    Example:
        >>> from plivo_analysis.parsing.oddities import Code
        >>> note(Code.MONEY_UNREADABLE, "total_charge", "call 14155550126")
        Note(code='money_unreadable', path='total_charge', value='call 1 ••• ••• ••26')
        >>> note(Code.NUMBER_ODD, "recipient", "1a4a1a5a5a5a5").value
        '1 ••• ••• ••55'
    """
    if code in _NUMBER_CODES and isinstance(value, str):
        value = mask_number(value)
    return Note(code.value, path, shown(value))


def shown(value: object) -> str:
    """A value from the wire in a form fit to show.

    Args:
        value: As parsed.

    Returns:
        At most 80 printable characters without a telephone number.

    Example:
        >>> shown({"to": 14155550126})
        '{"to":1 ••• ••• ••26}'
    """
    text = value if isinstance(value, str) else canonical(value)
    text = mask_text(text[:_LOOKED_AT])
    text = "".join(sign if sign.isprintable() else "�" for sign in text)
    return text if len(text) <= _LONGEST_VALUE else f"{text[: _LONGEST_VALUE - 1]}…"


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


class Notes(list[Note]):
    """The notes on one record, as they are made.

    Example:
        >>> notes = Notes()
        >>> notes.add(Code.COUNT_DIFFERS, "count", 3)
        >>> notes
        [Note(code='count_differs', path='count', value='3')]
    """

    __slots__ = ()

    def add(self, code: Code, path: str, value: object = "") -> None:
        """Note one odd thing."""
        self.append(note(code, path, value))

    def read(
        self,
        source: dict[str, Any],
        wanted: Wanted,
        row: dict[str, Any],
        path: str = "",
        place: int | None = None,
    ) -> dict[str, Any]:
        """Parse the wanted fields of an object into a row.

        Args:
            source: The object.
            wanted: Its known fields.
            row: Takes the values.
            path: Where the object is within its record; empty for the record itself.
            place: Its place, if it is one of a list there.

        Returns:
            The fields that are not known, exactly as they came.
        """
        # In the order of the table: one content gives the same notes, however the server sorts it.
        for name, parse in wanted.items():
            if parse is not None and (value := source.get(name)) is not None:
                row[name], code = parse(value)
                if code is not None:  # few fields are odd: a path is made only for those
                    listed = "" if place is None else f"[{place}]"
                    self.add(code, f"{path}{listed}.{name}" if path else name, value)
        if source.keys() <= wanted.keys():
            return {}
        unknown = source.keys() - wanted.keys()
        return {name: source[name] for name in unknown if source[name] is not None}


def read_record(
    record: object,
    *,
    key: str,
    instant: str,
    fill: Callable[[dict[str, Any], datetime, Notes], dict[str, Any]],
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
    # The text comes first: whatever fails below, a record that is set aside keeps all of it.
    raw = canonical(record)
    if not isinstance(record, dict):
        return _set_aside(None, None, raw, note(Code.NOT_AN_OBJECT, "", record))
    name = _uuid(record.get(key))
    at, odd = fields.time(record.get(instant))
    # Before any other field: reading takes time and memory by the length of lists and texts.
    if limit := _beyond_limits(record, raw):
        return _set_aside(name, at, raw, limit)
    if name is None:
        return _set_aside(name, at, raw, note(Code.KEY_UNREADABLE, key, record.get(key)))
    if at is None:
        reason = note(Code.INSTANT_UNREADABLE, instant, record.get(instant))
        return _set_aside(name, at, raw, reason)
    notes = Notes()
    if odd is not None:
        notes.add(odd, instant, record[instant])
    try:
        row = fill(record, at, notes)
    except UnreadableError as unreadable:
        return _set_aside(name, at, raw, unreadable.note)
    row[key], row[instant] = name, at
    return Record(name, to_us(at), row, tuple(notes), raw)


def _uuid(value: object) -> str | None:
    if isinstance(value, str) and _UUID.fullmatch(value):  # nearly always
        return value
    name, _ = fields.word(value)
    return name if name and _UUID.fullmatch(name) else None


def _beyond_limits(record: dict[str, Any], raw: str) -> Note | None:
    # A short text with few brackets is within the limits: no need to look closer.
    if len(raw) <= MOST and raw.count("{") + raw.count("[") <= DEEPEST:
        return None
    depth, length, members = measure(record)
    if depth > DEEPEST:
        return note(Code.TOO_DEEP, "", f"{depth} deep")
    if members > MOST:
        return note(Code.TOO_LONG, "", f"{members} members")
    return note(Code.TOO_LONG, "", f"{length} characters") if length > LONGEST else None


def _set_aside(name: str | None, at: datetime | None, raw: str, reason: Note) -> Record:
    # Without an id the content stands for it, so that the same record met again counts once.
    key = name or f"sha256:{hashlib.sha256(raw.encode()).hexdigest()}"
    return Record(key, None if at is None else to_us(at), None, (reason,), raw)
