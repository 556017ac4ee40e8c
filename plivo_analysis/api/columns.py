"""The tables that come from the API: sessions and messages.

Names are the API's own, so that its documentation explains them. A column marked computed is
ours. Sources: the API's documentation of "List sessions", "Retrieve a session" and "List
messages", and the fields that the official SDKs know beyond it.
"""

from __future__ import annotations

from typing import Any

from plivo_analysis.values.table_types import Column, Form, Kind, Table, computed

_MONEY_UNIT = "the account's currency"


def _text(name: str, meaning: str, form: Form = Form.FREE, **more: Any) -> Column:
    return Column(name, Kind.TEXT, meaning, form=form, **more)


def _time(name: str, meaning: str, **more: Any) -> Column:
    return Column(name, Kind.TIME, meaning, unit="UTC", **more)


def _money(name: str, meaning: str) -> Column:
    return Column(name, Kind.MONEY, meaning, unit=_MONEY_UNIT)


SESSIONS = Table(
    name="sessions",
    row="One verification: one recipient within the life of one code.",
    key=("session_uuid",),
    columns=(
        _text("session_uuid", "Identifies the session.", Form.ID, nullable=False),
        _text("app_uuid", "The Verify application.", Form.WORD),
        # Not a word: a name keeps its own case, and may hold a telephone number.
        _text("alias", "The application's name."),
        _text("recipient", "The number verified, digits without a plus sign.", Form.NUMBER),
        _text("channel", "The last channel used.", Form.WORD),
        _text("status", "in-progress, verified or expired.", Form.WORD),
        Column("count", Kind.COUNT, "Attempts, as the API counts them.", unit="attempts"),
        _text("locale", "The language of the message.", Form.LABEL),
        _text("destination_country_iso2", "The recipient's country.", Form.LABEL),
        _text("destination_network", "The recipient's carrier."),
        _text("requestor_ip", "The address that asked for the code.", Form.ID),
        Column(
            "attempt_details",
            Kind.RECORDS,
            "The attempts in the API's order.",
            fields=(
                _text("channel", "sms, voice, whatsapp or one not seen before.", Form.WORD),
                _text("attempt_uuid", "Identifies the attempt.", Form.WORD),
                _text("status", "How the attempt went.", Form.WORD),
                _time("time", "When it was started."),
            ),
        ),
        _money("total_charge", "What the session was billed; null where unknown."),
        _money("validation_charge", "The part billed for the check of the code."),
        Column(
            "attempt_charges",
            Kind.RECORDS,
            "The parts billed for attempts, in the API's order.",
            fields=(
                _text("attempt_uuid", "The attempt charged.", Form.WORD),
                _text("channel", "The channel charged.", Form.WORD),
                _money("charge", "The amount."),
            ),
        ),
        _time("created_at", "When the session began.", nullable=False),
        _time("updated_at", "The last attempt's time. It does not move on verification."),
        _text("extra", "Fields not known to this package, as JSON."),
        computed("attempts", Kind.COUNT, "Attempts listed, each counted once.", "attempts"),
        _text("entry_channel", "The channel of the earliest attempt.", computed=True),
        _text("path", "The channels in order: sms → voice.", computed=True),
    ),
)

MESSAGES = Table(
    name="messages",
    row="One message detail record (MDR).",
    key=("message_uuid",),
    columns=(
        _text("message_uuid", "Identifies the message.", Form.ID, nullable=False),
        _time("message_time", "When the message was begun or received.", nullable=False),
        _text("message_direction", "inbound or outbound.", Form.WORD),
        _text("message_state", "queued, sent, delivered, undelivered, failed, …", Form.WORD),
        _text("message_type", "sms, mms or whatsapp.", Form.WORD),
        _text("from_number", "The sender, as the API gives it.", Form.SENDER),
        _text("to_number", "The receiver, digits without a plus sign.", Form.NUMBER),
        Column("units", Kind.COUNT, "Parts billed.", unit="parts"),
        _money("total_rate", "The price of one part."),
        _money("total_amount", "What the message was billed."),
        _text("error_code", "Why it failed; 000 for delivered. Zeros are kept.", Form.CODE),
        _text("error_message", "The error in words."),
        _text("resource_uri", "The record's address within the API."),
        _text("powerpack_id", "The pool of senders used.", Form.ID),
        _text("requester_ip", "The address that asked for the message.", Form.ID),
        _text("destination_country_iso2", "The receiver's country.", Form.LABEL),
        _text("destination_network", "The receiver's carrier."),
        _text("mcc", "The mobile country code of the receiver's carrier.", Form.CODE),
        _text("mnc", "The mobile network code of the receiver's carrier.", Form.CODE),
        Column("is_domestic", Kind.FLAG, "Whether it stayed within one country."),
        _text("replaced_sender", "The sender that took the asked one's place.", Form.SENDER),
        _money("carrier_fees", "The carriers' surcharge."),
        _money("carrier_fees_rate", "The surcharge of one part."),
        _text("tendlc_campaign_id", "The US campaign.", Form.ID),
        _text("tendlc_registration_status", "registered or unregistered.", Form.WORD),
        _text("dlt_entity_id", "The Indian sender's registration.", Form.ID),
        _text("dlt_template_id", "The Indian template's registration.", Form.ID),
        _text("dlt_template_category", "The Indian template's category.", Form.WORD),
        _text("conversation_id", "The WhatsApp conversation.", Form.ID),
        _text("conversation_origin", "What began the conversation.", Form.WORD),
        _time("conversation_expiration_timestamp", "When it ends."),
        _text("log", "What the record may show: true, false, content_only, …", Form.SETTING),
        _text("log_preference", "The same, as newer records give it.", Form.SETTING),
        _time("message_sent_time", "When it left."),
        _time("message_updated_time", "When its state last changed."),
        _text("extra", "Fields not known to this package, as JSON."),
    ),
)
