"""One message detail record (MDR) of the wire → one row of the messages table.

What the API does, as seen in its documentation and in the official SDKs:

- most fields came later than the record itself: any may be absent, blank or null;
- ``error_code`` is a text whose leading zeros count (``000`` is delivered), or null;
- ``log`` is a word although two of its words look like booleans;
- numbers may be hidden in part, at the end or in the middle;
- the end of a conversation has two names.

What this package does not know goes to ``extra``, one JSON object of fields by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plivo_analysis.api.columns import MESSAGES
from plivo_analysis.parsing import fields
from plivo_analysis.parsing.oddities import Code
from plivo_analysis.parsing.records import Notes, read_record
from plivo_analysis.parsing.strict_json import canonical

if TYPE_CHECKING:
    from datetime import datetime

    from plivo_analysis.parsing.records import Record

_OWN = ("message_uuid", "message_time", "extra")  # read by read_record and below
_FLAT: fields.Wanted = {
    **fields.parsers(column for column in MESSAGES.columns if column.name not in _OWN),
    "message_uuid": None,
    "message_time": None,
}
_BLANK: dict[str, Any] = dict.fromkeys(MESSAGES.names)
_EXPIRY = "conversation_expiration_timestamp"
_EXPIRY_IN_PROSE = "conversation_expiry_timestamp"  # the API's documentation, in its text


def read_message(record: object) -> Record:
    """One JSON record → one clean row of the messages table, with notes on all that was odd.

    Args:
        record: One element of a page, as the strict parser gives it.

    Returns:
        The record: ``row`` has every column of the messages table, or is ``None`` where the
        record is set aside. It never raises.

    Example:
        >>> record = read_message({
        ...     "message_uuid": "51e965f3-65a5-4ca0-9542-571541180091",
        ...     "message_time": "2026-03-01 15:30:00+05:30",
        ...     "to_number": "14155550100",
        ...     "error_code": "000",
        ...     "total_amount": "0.00350",
        ... })
        >>> record.row["error_code"], record.row["total_amount"], record.notes
        ('000', Decimal('0.00350'), ())
    """
    return read_record(record, key="message_uuid", instant="message_time", fill=_fill)


def _fill(record: dict[str, Any], _: datetime, notes: Notes) -> dict[str, Any]:
    if record.get(_EXPIRY) is None and _EXPIRY_IN_PROSE in record:
        record = {**record}
        record[_EXPIRY] = record.pop(_EXPIRY_IN_PROSE)
    row = _BLANK.copy()
    extra = notes.read(record, _FLAT, row)
    if record.get("total_amount") is None:
        notes.add(Code.AMOUNT_MISSING, "total_amount")
    row["extra"] = canonical(extra) if extra else None
    return row
