"""The tables that come from the API: sessions and messages.

Names are the API's own, so that its documentation explains them. A column marked computed is
ours. Sources: the API's documentation of "List sessions", "Retrieve a session" and "List
messages", and the fields that the official SDKs know beyond it.
"""

from __future__ import annotations

from plivo_analysis.values.schema import Column, Form, Kind, Table

_MONEY_UNIT = "the account's currency"

SESSIONS = Table(
    name="sessions",
    row="One verification: one recipient within the life of one code.",
    key=("session_uuid",),
    columns=(
        Column(
            "session_uuid",
            Kind.TEXT,
            "Identifies the session.",
            nullable=False,
            form=Form.ID,
        ),
        Column("app_uuid", Kind.TEXT, "The Verify application.", form=Form.WORD),
        Column("alias", Kind.TEXT, "The application's name."),
        Column(
            "recipient",
            Kind.TEXT,
            "The number verified, digits without a plus sign.",
            form=Form.NUMBER,
        ),
        Column("channel", Kind.TEXT, "The last channel used.", form=Form.WORD),
        Column("status", Kind.TEXT, "in-progress, verified or expired.", form=Form.WORD),
        Column("count", Kind.COUNT, "Attempts, as the API counts them.", unit="attempts"),
        Column("locale", Kind.TEXT, "The language of the message.", form=Form.LABEL),
        Column("destination_country_iso2", Kind.TEXT, "The recipient's country.", form=Form.LABEL),
        Column("destination_network", Kind.TEXT, "The recipient's carrier."),
        Column("requestor_ip", Kind.TEXT, "The address that asked for the code.", form=Form.ID),
        Column(
            "attempt_details",
            Kind.RECORDS,
            "The attempts in the API's order.",
            fields=(
                Column(
                    "channel",
                    Kind.TEXT,
                    "sms, voice, whatsapp or one not seen before.",
                    form=Form.WORD,
                ),
                Column("attempt_uuid", Kind.TEXT, "Identifies the attempt.", form=Form.WORD),
                Column("status", Kind.TEXT, "How the attempt went.", form=Form.WORD),
                Column("time", Kind.TIME, "When it was started.", unit="UTC"),
            ),
        ),
        Column(
            "total_charge",
            Kind.MONEY,
            "What the session was billed; null where unknown.",
            unit=_MONEY_UNIT,
        ),
        Column(
            "validation_charge",
            Kind.MONEY,
            "The part billed for the check of the code.",
            unit=_MONEY_UNIT,
        ),
        Column(
            "attempt_charges",
            Kind.RECORDS,
            "The parts billed for attempts, in the API's order.",
            fields=(
                Column("attempt_uuid", Kind.TEXT, "The attempt charged.", form=Form.WORD),
                Column("channel", Kind.TEXT, "The channel charged.", form=Form.WORD),
                Column("charge", Kind.MONEY, "The amount.", unit=_MONEY_UNIT),
            ),
        ),
        Column("created_at", Kind.TIME, "When the session began.", unit="UTC", nullable=False),
        Column(
            "updated_at",
            Kind.TIME,
            "The last attempt's time. It does not move on verification.",
            unit="UTC",
        ),
        Column("extra", Kind.TEXT, "Fields not known to this package, as JSON."),
        Column(
            "attempts",
            Kind.COUNT,
            "Attempts listed, each counted once.",
            unit="attempts",
            nullable=False,
            computed=True,
        ),
        Column("entry_channel", Kind.TEXT, "The channel of the earliest attempt.", computed=True),
        Column("path", Kind.TEXT, "The channels in order: sms → voice.", computed=True),
    ),
)

MESSAGES = Table(
    name="messages",
    row="One message detail record (MDR).",
    key=("message_uuid",),
    columns=(
        Column(
            "message_uuid",
            Kind.TEXT,
            "Identifies the message.",
            nullable=False,
            form=Form.ID,
        ),
        Column(
            "message_time",
            Kind.TIME,
            "When the message was begun or received.",
            unit="UTC",
            nullable=False,
        ),
        Column("message_direction", Kind.TEXT, "inbound or outbound.", form=Form.WORD),
        Column(
            "message_state",
            Kind.TEXT,
            "queued, sent, delivered, undelivered, failed, …",
            form=Form.WORD,
        ),
        Column("message_type", Kind.TEXT, "sms, mms or whatsapp.", form=Form.WORD),
        Column("from_number", Kind.TEXT, "The sender, as the API gives it.", form=Form.SENDER),
        Column(
            "to_number",
            Kind.TEXT,
            "The receiver, digits without a plus sign.",
            form=Form.NUMBER,
        ),
        Column("units", Kind.COUNT, "Parts billed.", unit="parts"),
        Column("total_rate", Kind.MONEY, "The price of one part.", unit=_MONEY_UNIT),
        Column("total_amount", Kind.MONEY, "What the message was billed.", unit=_MONEY_UNIT),
        Column(
            "error_code",
            Kind.TEXT,
            "Why it failed; 000 for delivered. Zeros are kept.",
            form=Form.CODE,
        ),
        Column("error_message", Kind.TEXT, "The error in words."),
        Column("resource_uri", Kind.TEXT, "The record's address within the API."),
        Column("powerpack_id", Kind.TEXT, "The pool of senders used.", form=Form.ID),
        Column(
            "requester_ip",
            Kind.TEXT,
            "The address that asked for the message.",
            form=Form.ID,
        ),
        Column("destination_country_iso2", Kind.TEXT, "The receiver's country.", form=Form.LABEL),
        Column("destination_network", Kind.TEXT, "The receiver's carrier."),
        Column(
            "mcc", Kind.TEXT, "The mobile country code of the receiver's carrier.", form=Form.CODE
        ),
        Column(
            "mnc", Kind.TEXT, "The mobile network code of the receiver's carrier.", form=Form.CODE
        ),
        Column("is_domestic", Kind.FLAG, "Whether it stayed within one country."),
        Column(
            "replaced_sender",
            Kind.TEXT,
            "The sender that took the asked one's place.",
            form=Form.SENDER,
        ),
        Column("carrier_fees", Kind.MONEY, "The carriers' surcharge.", unit=_MONEY_UNIT),
        Column("carrier_fees_rate", Kind.MONEY, "The surcharge of one part.", unit=_MONEY_UNIT),
        Column("tendlc_campaign_id", Kind.TEXT, "The US campaign.", form=Form.ID),
        Column(
            "tendlc_registration_status", Kind.TEXT, "registered or unregistered.", form=Form.WORD
        ),
        Column("dlt_entity_id", Kind.TEXT, "The Indian sender's registration.", form=Form.ID),
        Column(
            "dlt_template_id",
            Kind.TEXT,
            "The Indian template's registration.",
            form=Form.ID,
        ),
        Column(
            "dlt_template_category", Kind.TEXT, "The Indian template's category.", form=Form.WORD
        ),
        Column("conversation_id", Kind.TEXT, "The WhatsApp conversation.", form=Form.ID),
        Column("conversation_origin", Kind.TEXT, "What began the conversation.", form=Form.WORD),
        Column("conversation_expiration_timestamp", Kind.TIME, "When it ends.", unit="UTC"),
        Column(
            "log",
            Kind.TEXT,
            "What the record may show: true, false, content_only, …",
            form=Form.SETTING,
        ),
        Column(
            "log_preference", Kind.TEXT, "The same, as newer records give it.", form=Form.SETTING
        ),
        Column("message_sent_time", Kind.TIME, "When it left.", unit="UTC"),
        Column("message_updated_time", Kind.TIME, "When its state last changed.", unit="UTC"),
        Column("extra", Kind.TEXT, "Fields not known to this package, as JSON."),
    ),
)
