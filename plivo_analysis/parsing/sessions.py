"""One session of the wire → one row of the sessions table.

What the API does, as seen in its documentation and in the records of the official SDKs:

- ``attempt_details`` and ``attempt_charges`` are lists, or null where there are none;
- ``charges`` is an object; the table lays it flat;
- a time is the zero date where there was no attempt;
- fields come and go: ``alias``, ``requestor_ip`` and the ``destination_`` fields are there in
  one rendering of a record and absent from another;
- attempts may carry fields of their own (``brand_name``, ``dtmf``, …).

What this package does not know goes to ``extra``, one JSON object: a field of the session
under its name, those of ``charges`` under ``charges``, those of attempts under
``attempt_details`` and those of charge rows under ``charges``, ``attempt_charges``, both by
the place in the row's list, from 0: ``{"attempt_details":{"1":{"dtmf":4}}}``.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from plivo_analysis.api.columns import SESSIONS
from plivo_analysis.api.vocabulary import ARROW, fold_channel
from plivo_analysis.parsing import fields
from plivo_analysis.parsing.oddities import Code
from plivo_analysis.parsing.records import Notes, UnreadableError, read_record
from plivo_analysis.parsing.strict_json import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from plivo_analysis.parsing.records import Record

_COLUMNS = {column.name: column for column in SESSIONS.columns}
_OWN = ("session_uuid", "created_at", "extra")  # read by read_record and below
_OF_CHARGES = ("total_charge", "validation_charge")
_FLAT: fields.Wanted = {
    **fields.parsers(
        column
        for column in SESSIONS.columns
        if not (column.computed or column.fields) and column.name not in (*_OWN, *_OF_CHARGES)
    ),
    **dict.fromkeys(("session_uuid", "created_at", "attempt_details", "charges")),
}
_TOTALS: fields.Wanted = {
    **fields.parsers(_COLUMNS[name] for name in _OF_CHARGES),
    "attempt_charges": None,
}
_BLANK: dict[str, Any] = dict.fromkeys(SESSIONS.names)


@dataclass(frozen=True, slots=True)
class _Part:
    """A list of objects within a session."""

    path: str
    wanted: fields.Wanted
    repeated: Code


_ATTEMPTS = _Part(
    "attempt_details", fields.parsers(_COLUMNS["attempt_details"].fields), Code.ATTEMPT_REPEATED
)
_CHARGES = _Part(
    "charges.attempt_charges",
    fields.parsers(_COLUMNS["attempt_charges"].fields),
    Code.CHARGE_REPEATED,
)


def read_session(record: object) -> Record:
    """One JSON record → one clean row of the sessions table, with notes on all that was odd.

    Args:
        record: One element of a page, as the strict parser gives it.

    Returns:
        The record: ``row`` has every column of the sessions table, or is ``None`` where the
        record is set aside. It never raises.

    Example:
        >>> record = read_session({
        ...     "session_uuid": "51E965F3-65A5-4CA0-9542-571541180091",
        ...     "created_at": "2026-03-01T10:00:00.05Z",
        ...     "status": "Verified",
        ...     "count": 1,
        ...     "attempt_details": [{"channel": "sms", "time": "2026-03-01T10:00:00.1Z"}],
        ...     "charges": {"total_charge": "0.0077", "validation_charge": "0",
        ...                 "attempt_charges": [{"channel": "sms", "charge": "0.0077"}]},
        ... })
        >>> record.row["status"], record.row["path"], record.row["total_charge"], record.notes
        ('verified', 'sms', Decimal('0.0077'), ())
    """
    return read_record(record, key="session_uuid", instant="created_at", fill=_fill)


def _fill(record: dict[str, Any], created_at: datetime, notes: Notes) -> dict[str, Any]:
    row = _BLANK.copy()
    extra = notes.read(record, _FLAT, row)
    row["created_at"] = created_at
    _fill_attempts(row, record.get("attempt_details"), notes, extra)
    _fill_charges(row, record.get("charges"), notes, extra)
    row["extra"] = canonical(extra) if extra else None
    return row


def _fill_attempts(
    row: dict[str, Any], details: object, notes: Notes, extra: dict[str, Any]
) -> None:
    row["attempts"] = 0
    if details is not None:
        attempts = _attempts(details, notes, extra)
        row["attempt_details"] = attempts
        row["attempts"] = len(attempts)
        if attempts:
            in_order = _in_order(attempts, row["created_at"], notes)
            channels = [fold_channel(attempt["channel"]) for attempt in in_order]
            row["entry_channel"] = channels[0]
            row["path"] = ARROW.join(channels)
    if row["count"] is not None and row["count"] != row["attempts"]:
        notes.add(Code.COUNT_DIFFERS, "count", f"{row['count']}, listed {row['attempts']}")


def _attempts(details: object, notes: Notes, extra: dict[str, Any]) -> list[dict[str, Any]]:
    if not isinstance(details, list):
        raise UnreadableError(Code.ATTEMPTS_UNREADABLE, "attempt_details", details)
    for place, item in enumerate(details):
        if not isinstance(item, dict):
            raise UnreadableError(Code.ATTEMPTS_UNREADABLE, f"attempt_details[{place}]", item)
    attempts, strange = _once(enumerate(details), _ATTEMPTS, notes)
    if strange:
        extra["attempt_details"] = strange
    ids = [attempt["attempt_uuid"] for attempt in attempts if attempt["attempt_uuid"]]
    if len(set(ids)) < len(ids):
        for name, times in Counter(ids).items():
            if times > 1:
                notes.add(Code.ATTEMPT_UUID_TWICE, "attempt_details", name)
    return attempts


def _once(
    items: Iterable[tuple[int, dict[str, Any]]], part: _Part, notes: Notes
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Parsed objects, each once even if it is listed again, and their unknown fields by place."""
    rows: list[dict[str, Any]] = []
    strange: dict[str, Any] = {}
    firsts: dict[str, dict[str, Any]] = {}
    seen: set[tuple[Any, ...]] = set()
    for place, item in items:
        row: dict[str, Any] = dict.fromkeys(part.wanted)
        others = notes.read(item, part.wanted, row, part.path, place)
        # Equal to the last field under one id is the same thing listed again. Without an id,
        # equality proves nothing: two attempts of one price give two equal charges.
        # Only under an id met before: to hash a time or an amount costs as much as to read it.
        name = row["attempt_uuid"]
        if name in firsts:
            seen.add(tuple(firsts[name].values()))
            content = tuple(row.values())
            if content in seen:
                notes.add(part.repeated, f"{part.path}[{place}]", name)
                continue
            seen.add(content)
        elif name:
            firsts[name] = row
        if others:  # under the place in the row's list, from which repeated ones are gone
            strange[str(len(rows))] = others
        rows.append(row)
    return rows, strange


def _in_order(
    attempts: list[dict[str, Any]], created_at: datetime, notes: Notes
) -> list[dict[str, Any]]:
    """By time, ties as listed; those without a time last, as listed."""
    listed = [attempt for attempt in attempts if attempt["time"] is not None]
    timed = sorted(listed, key=itemgetter("time"))
    if timed != listed:
        notes.add(Code.ATTEMPTS_UNORDERED, "attempt_details")
    if timed and (first := timed[0]["time"]) < created_at:
        notes.add(Code.ATTEMPT_EARLY, "attempt_details", f"{created_at - first} before")
    return timed + [attempt for attempt in attempts if attempt["time"] is None]


def _fill_charges(
    row: dict[str, Any], charges: object, notes: Notes, extra: dict[str, Any]
) -> None:
    # Unknown, not 0: a price often comes later than its session.
    if charges is None or charges == {}:
        notes.add(Code.AMOUNT_MISSING, "charges")
        return
    if not isinstance(charges, dict):
        notes.add(Code.CHARGES_UNREADABLE, "charges", charges)
        return
    others = notes.read(charges, _TOTALS, row, "charges")
    for name in _OF_CHARGES:
        if charges.get(name) is None:
            notes.add(Code.AMOUNT_MISSING, f"charges.{name}")
    listed = charges.get("attempt_charges")
    if isinstance(listed, list):
        row["attempt_charges"], strange = _charges(listed, notes)
        if strange:
            others["attempt_charges"] = strange
        _note_match(row, notes)
    elif listed is not None:
        notes.add(Code.CHARGES_UNREADABLE, _CHARGES.path, listed)
    elif row["attempts"]:
        notes.add(Code.AMOUNT_MISSING, _CHARGES.path)
    if others:
        extra["charges"] = others


def _charges(listed: list[Any], notes: Notes) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """The charge rows; an element that is none is noted and left to the raw text."""
    items = []
    for place, item in enumerate(listed):
        if not isinstance(item, dict):
            notes.add(Code.CHARGES_UNREADABLE, f"{_CHARGES.path}[{place}]", item)
            continue
        if item.get("charge") is None:
            notes.add(Code.AMOUNT_MISSING, f"{_CHARGES.path}[{place}].charge")
        items.append((place, item))
    return _once(items, _CHARGES, notes)


def _note_match(row: dict[str, Any], notes: Notes) -> None:
    attempts = [attempt["attempt_uuid"] for attempt in row["attempt_details"] or ()]
    charges = [charge["attempt_uuid"] for charge in row["attempt_charges"]]
    # The server lists both in the same order nearly always: only what differs is sorted. An id
    # may be null, which does not sort beside text.
    if attempts != charges and sorted(map(str, attempts)) != sorted(map(str, charges)):
        notes.add(
            Code.CHARGES_DIFFER,
            _CHARGES.path,
            f"{len(charges)} for {len(attempts)} attempts",
        )
