"""What may be odd about one record: each function makes an odd record of an ordinary one.

``Behaviour(oddity=…)`` serves such records; a test can also call a function of ``ODDITIES`` and
insert the result. The original stays as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plivo_analysis.emulator.listing import MESSAGES, SESSIONS
from plivo_analysis.emulator.times import read_time, write_time

if TYPE_CHECKING:
    from collections.abc import Callable

    Record = dict[str, Any]

_NUMBER = "14155550123"
_OTHER_ACCOUNT = "MAXXXXXXXXXXXXXXXXXX"


def _with_time(record: Record, value: Any) -> Record:
    listing = MESSAGES if MESSAGES.time_field in record else SESSIONS
    return {**record, listing.time_field: value}


def _time_as_in_go(record: Record) -> Record:
    micros = read_time(record.get(MESSAGES.time_field) or record.get(SESSIONS.time_field)) or 0
    text = write_time(micros, separator=" ").removesuffix("Z")
    return _with_time(record, f"{text} +0000 UTC")


def _numbers_elsewhere(record: Record) -> Record:
    number = str(record.get("recipient") or record.get("to_number") or _NUMBER)
    spaced = f"+{number[:1]} {number[1:4]} {number[4:7]} {number[7:]}"
    attempts = record.get("attempt_details") or []
    return {
        **record,
        "masked_recipient": spaced,
        "error_message": f"Could not deliver to +{number}",
        "routing": {"hops": [{"callee": f"00{number}"}]},
        "attempt_details": [{**attempt, "to": f"+{number}"} for attempt in attempts],
    }


def _masked_number(record: Record) -> Record:
    numbers = {name: record[name] for name in ("recipient", "to_number") if record.get(name)}
    masked = {name: f"{number[:3]}XXXXX{number[-3:]}" for name, number in numbers.items()}
    return {**record, **masked}


def _other_account(record: Record) -> Record:
    key = record.get(MESSAGES.key)
    return {**record, "resource_uri": f"/v1/Account/{_OTHER_ACCOUNT}/{MESSAGES.path}{key}/"}


_KEYS = {SESSIONS.key, MESSAGES.key}
ODDITIES: dict[str, Callable[[Record], Any]] = {
    "not a record": str,
    "no key": lambda record: {name: record[name] for name in record if name not in _KEYS},
    "no time": lambda record: _with_time(record, None),
    "unreadable time": lambda record: _with_time(record, "soon"),
    "time as in Go": _time_as_in_go,
    "numbers elsewhere": _numbers_elsewhere,
    "masked number": _masked_number,
    "other account": _other_account,
    "huge units": lambda record: {**record, "units": 2**62},
    "Unix time": lambda record: {**record, "conversation_expiry_timestamp": 1_793_000_000},
}
"""By name: a text instead of a record; no key; a time that is null, that nobody can read, or
``2026-11-25 10:00:00.5 +0000 UTC``; the telephone number in three unknown fields and in an error
message; a number of which only both ends are shown; a message whose address names another
account; 2⁶² units; a time as seconds since 1970."""
