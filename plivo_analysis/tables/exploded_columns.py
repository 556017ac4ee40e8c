"""The tables that analysis reads: one row an attempt, one row a line of the bill.

Denormalised on purpose: order, entry channel, path and step are settled once, when exploding,
and a metric is then filter, group and sum on any engine.
"""

from __future__ import annotations

from dataclasses import replace

from plivo_analysis.api.columns import SESSIONS
from plivo_analysis.values.table_types import Column, Kind, Table, computed

OF_THE_SESSION = (
    "session_uuid",
    "entry_channel",
    "path",
    "app_uuid",
    "alias",
    "recipient",
    "destination_country_iso2",
    "destination_network",
    "created_at",
)
"""The columns that each attempt and each line has of its session, beside ``session_status``."""

_MONEY_UNIT = "the account's currency"
_SESSION = {column.name: column for column in SESSIONS.columns}
_UUID, _ENTRY, _PATH, *_APP_TO_NETWORK, _CREATED_AT = (_SESSION[name] for name in OF_THE_SESSION)
_STATUS = replace(_SESSION["status"], name="session_status", meaning="The session's status.")


ATTEMPTS = Table(
    name="attempts",
    row="One delivery of the code.",
    key=("session_uuid", "attempt_number"),
    columns=(
        _UUID,
        Column("attempt_uuid", Kind.TEXT, "Identifies the attempt."),
        computed("attempt_number", Kind.COUNT, "Its place in the session by time, from 1."),
        replace(_SESSION["attempts"], meaning="Attempts of that session."),
        Column("channel", Kind.TEXT, "Folded: sms, voice, whatsapp, unknown or another name."),
        Column("status", Kind.TEXT, "How the attempt went, in the API's word."),
        computed("outcome", Kind.TEXT, "reached, not_reached, pending or unknown."),
        Column("time", Kind.TIME, "When it was started.", unit="UTC"),
        Column("charge", Kind.MONEY, "Its price; null where unknown.", unit=_MONEY_UNIT),
        computed("charge_note", Kind.TEXT, "derived, where it is the remainder.", nullable=True),
        _ENTRY,
        _PATH,
        computed("previous_channel", Kind.TEXT, "Null for the first attempt.", nullable=True),
        computed("step", Kind.TEXT, "first, retry, switch or indeterminate."),
        _STATUS,
        *_APP_TO_NETWORK,
        _CREATED_AT,
    ),
)

CHARGES = Table(
    name="charges",
    row="One line of the bill; the lines of a session with a total sum to it exactly.",
    key=("session_uuid", "line_number"),
    columns=(
        _UUID,
        computed("line_number", Kind.COUNT, "Its place in the session's bill, from 1."),
        computed("line", Kind.TEXT, "attempt, orphan, validation or unallocated."),
        Column("channel", Kind.TEXT, "Folded; null for validation and unallocated."),
        Column("attempt_uuid", Kind.TEXT, "The attempt charged."),
        Column("amount", Kind.MONEY, "Null where unknown.", unit=_MONEY_UNIT),
        computed(
            "note",
            Kind.TEXT,
            "derived, orphan or channel_differs, where the line is out of the ordinary.",
            nullable=True,
        ),
        Column("time", Kind.TIME, "The attempt's time.", unit="UTC"),
        _CREATED_AT,
        _ENTRY,
        _PATH,
        _STATUS,
        *_APP_TO_NETWORK,
    ),
)
