"""The tables that analysis reads: one row an attempt, one row a line of the bill.

Denormalised on purpose: order, entry channel, path and step are settled once, when exploding,
and a metric is then filter, group and sum on any engine.
"""

from __future__ import annotations

from plivo_analysis.values.schema import Column, Kind, Table

_MONEY_UNIT = "the account's currency"

_OF_THE_SESSION = (
    Column("app_uuid", Kind.TEXT, "The Verify application."),
    Column("alias", Kind.TEXT, "The application's name."),
    Column("recipient", Kind.TEXT, "The number verified."),
    Column("destination_country_iso2", Kind.TEXT, "The recipient's country."),
    Column("destination_network", Kind.TEXT, "The recipient's carrier."),
)

ATTEMPTS = Table(
    name="attempts",
    row="One delivery of the code.",
    key=("session_uuid", "attempt_number"),
    columns=(
        Column("session_uuid", Kind.TEXT, "The session.", nullable=False),
        Column("attempt_uuid", Kind.TEXT, "Identifies the attempt."),
        Column(
            "attempt_number",
            Kind.COUNT,
            "Its place in the session in order of time, from 1.",
            nullable=False,
            computed=True,
        ),
        Column(
            "attempts",
            Kind.COUNT,
            "Attempts of that session.",
            unit="attempts",
            nullable=False,
            computed=True,
        ),
        Column("channel", Kind.TEXT, "Folded: sms, voice, whatsapp, unknown or another name."),
        Column("status", Kind.TEXT, "How the attempt went, in the API's word."),
        Column(
            "outcome",
            Kind.TEXT,
            "reached, not_reached, pending or unknown.",
            nullable=False,
            computed=True,
        ),
        Column("time", Kind.TIME, "When it was started.", unit="UTC"),
        Column("charge", Kind.MONEY, "Its price; null where unknown.", unit=_MONEY_UNIT),
        Column("charge_note", Kind.TEXT, "derived, where it is the remainder.", computed=True),
        Column(
            "entry_channel",
            Kind.TEXT,
            "The channel of the session's earliest attempt.",
            computed=True,
        ),
        Column("path", Kind.TEXT, "The session's channels in order.", computed=True),
        Column(
            "previous_channel", Kind.TEXT, "The attempt before; null for the first.", computed=True
        ),
        Column(
            "step",
            Kind.TEXT,
            "first, retry, switch or indeterminate.",
            nullable=False,
            computed=True,
        ),
        Column("session_status", Kind.TEXT, "The session's status."),
        *_OF_THE_SESSION,
        Column("created_at", Kind.TIME, "When the session began.", unit="UTC"),
    ),
)

CHARGES = Table(
    name="charges",
    row="One line of the bill; the lines of a session with a total sum to it exactly.",
    key=("session_uuid", "line_number"),
    columns=(
        Column("session_uuid", Kind.TEXT, "The session.", nullable=False),
        Column(
            "line_number",
            Kind.COUNT,
            "Its place among the lines of the session, from 1.",
            nullable=False,
            computed=True,
        ),
        Column(
            "line",
            Kind.TEXT,
            "attempt, orphan, validation or unallocated.",
            nullable=False,
            computed=True,
        ),
        Column("channel", Kind.TEXT, "Folded; null for validation and unallocated."),
        Column("attempt_uuid", Kind.TEXT, "The attempt charged."),
        Column("amount", Kind.MONEY, "Null where unknown.", unit=_MONEY_UNIT),
        Column(
            "note",
            Kind.TEXT,
            "derived, orphan or channel_differs, where the line is out of the ordinary.",
            computed=True,
        ),
        Column("time", Kind.TIME, "The attempt's time.", unit="UTC"),
        Column("created_at", Kind.TIME, "When the session began.", unit="UTC"),
        Column(
            "entry_channel",
            Kind.TEXT,
            "The channel of the session's earliest attempt.",
            computed=True,
        ),
        Column("path", Kind.TEXT, "The session's channels in order.", computed=True),
        Column("session_status", Kind.TEXT, "The session's status."),
        *_OF_THE_SESSION,
    ),
)
