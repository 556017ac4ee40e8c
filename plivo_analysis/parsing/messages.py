"""One message detail record (MDR) of the wire → one row of the messages table.

What the API does, as seen in its documentation and in the official SDKs:

- most fields came later than the record itself: any may be absent, blank or null;
- ``error_code`` is a text whose leading zeros count (``000`` is delivered), or null;
- ``log`` is a word although two of its words look like booleans;
- numbers may be hidden in part, at the end or in the middle.

What this package does not know goes to ``extra``, one JSON object of fields by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plivo_analysis.api.columns import MESSAGES
from plivo_analysis.parsing import fields
from plivo_analysis.parsing.oddities import Code
from plivo_analysis.parsing.records import Notes, read_record, unknown
from plivo_analysis.parsing.strict_json import canonical

if TYPE_CHECKING:
    from datetime import datetime

    from plivo_analysis.parsing.records import Record

_FLAT: fields.Wanted = (
    ("message_direction", fields.word),
    ("message_state", fields.word),
    ("message_type", fields.word),
    ("from_number", fields.sender),
    ("to_number", fields.number),
    ("units", fields.count),
    ("total_rate", fields.money),
    ("total_amount", fields.money),
    ("error_code", fields.error_code),
    ("error_message", fields.text),
    ("resource_uri", fields.text),
    ("powerpack_id", fields.label),
    ("requester_ip", fields.label),
    ("destination_country_iso2", fields.label),
    ("destination_network", fields.text),
    ("is_domestic", fields.flag),
    ("replaced_sender", fields.sender),
    ("carrier_fees", fields.money),
    ("carrier_fees_rate", fields.money),
    ("tendlc_campaign_id", fields.label),
    ("tendlc_registration_status", fields.word),
    ("dlt_entity_id", fields.label),
    ("dlt_template_id", fields.label),
    ("dlt_template_category", fields.word),
    ("conversation_id", fields.label),
    ("conversation_origin", fields.word),
    ("conversation_expiration_timestamp", fields.time),
    ("log", fields.setting),
    ("message_sent_time", fields.time),
    ("message_updated_time", fields.time),
)
_KNOWN = frozenset({"message_uuid", "message_time", *(name for name, _ in _FLAT)})
_NAMES = MESSAGES.names


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
    row = dict.fromkeys(_NAMES) | notes.read(record, _FLAT)
    if record.get("total_amount") is None:
        notes.add(Code.AMOUNT_MISSING, "total_amount")
    extra = unknown(record, _KNOWN)
    row["extra"] = canonical(extra) if extra else None
    return row
