"""Generated message records: one for nearly every SMS and WhatsApp attempt, and some others.

The record of an attempt has the attempt's key and tells the same story, with what a session
does not say: parts, price, error code. A few are missing. The others are incoming texts,
picture messages and texts outside verification.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

from plivo_analysis.emulator import session_plan as planning
from plivo_analysis.emulator.expected_deliveries import ExpectedMessage, message_of_record
from plivo_analysis.emulator.listing import MESSAGES, matches
from plivo_analysis.emulator.session_records import money
from plivo_analysis.emulator.session_state import SessionState, happens
from plivo_analysis.emulator.times import DAY, MINUTE, SECOND, write_time
from plivo_analysis.emulator.traffic_model import (
    AUTH_ID,
    COUNTRIES,
    OWN_NUMBER,
    OWN_SENDERS,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plivo_analysis.emulator.session_plan import Plan
    from plivo_analysis.emulator.session_state import PlannedAttempt

_FAR = 1 << 62  # later than any attempt: every attempt of a plan has begun
_MISSING = 0.015
_US_FEE = 300  # a part, beside the price
_UNDELIVERED = ("30", "50", "70", "80", "80", "90", "20", "100")
_FAILED = (("450", "Destination Country Disabled"), ("40", ""), ("10", ""), ("420", ""))
_PUMPING = ("452", "Potential SMS Pumping")
_NOT_FORWARDED = 10  # of so many unrelated messages an inbound one turns undelivered
_OTHERS = ("inbound", "inbound", "inbound", "picture", "blocked")
_RECORDED = ("sms", "whatsapp")  # the channels whose attempts have message records


class GeneratedMessages:
    """The message records of a plan, as an index asks for them.

    Args:
        plan: The sessions whose attempts were messages.
        unrelated: The times of the messages that belong to no session.

    Example:
        >>> from plivo_analysis.emulator.session_plan import Plan
        >>> len(GeneratedMessages(Plan(b"seed", 0), []).times)
        0
    """

    listing = MESSAGES
    expected_of = staticmethod(message_of_record)

    def __init__(self, plan: Plan, unrelated: Iterable[int]) -> None:
        self.plan = plan
        # Each is packed into one integer with its time on top: a million sort without tuples.
        found = [
            time << 32 | row * planning.KINDS + planning.UNRELATED
            for row, time in enumerate(sorted(unrelated))
        ]
        for row in range(len(plan)):
            state = SessionState(plan, row, _FAR)
            found += [
                attempt.at << 32 | row * planning.KINDS + attempt.number
                for attempt in state.attempts
                if attempt.channel in _RECORDED and not happens(state.draws[43], _MISSING)
            ]
        found.sort()
        self.times = array("q", (packed >> 32 for packed in found))
        self._numbers = array("I", (packed & 0xFFFF_FFFF for packed in found))

    def key(self, row: int) -> str:
        """The ``message_uuid`` of a row."""
        return planning.key_of(self.plan.seed, self._numbers[row])

    def row_of(self, key: str) -> int | None:
        """The row of a ``message_uuid``, if it is one of these."""
        number = planning.number_of(self.plan.seed, key)
        if number is None or number not in self._numbers:
            return None
        return self._numbers.index(number)

    def matches(self, row: int, filters: dict[str, str], now: int) -> bool:
        """Whether a row passes filters, by its record written out."""
        return matches(self.record(row, now), filters)

    def record(self, row: int, now: int) -> dict[str, Any]:
        """The message as the list shows it at that moment."""
        session, kind = divmod(self._numbers[row], planning.KINDS)
        if kind == planning.UNRELATED:
            return _unrelated(self.key(row), self.times[row], session, now)
        state = SessionState(self.plan, session, now)
        return _of_attempt(state, state.attempts[kind - 1])

    def expected(self, row: int, now: int) -> ExpectedMessage:
        """The message as it is expected in the results of that moment."""
        session, kind = divmod(self._numbers[row], planning.KINDS)
        if kind == planning.UNRELATED:  # these are written out by hand, not planned
            return message_of_record(self.record(row, now))
        state = SessionState(self.plan, session, now)
        attempt = state.attempts[kind - 1]
        is_bare = _is_bare(state)
        return ExpectedMessage(
            is_outbound=True,
            network=None if is_bare else state.carrier,
            state=attempt.status,
            at=attempt.at,
            sent=None if is_bare else attempt.sent,
            updated=None if is_bare else attempt.updated,
        )


def _is_bare(state: SessionState) -> bool:
    """Whether its records have no more fields than in the first years of the interface."""
    return happens(state.draws[45], 0.06)


def _of_attempt(state: SessionState, attempt: PlannedAttempt) -> dict[str, Any]:
    draws, country = state.draws, state.country
    key = state.key(attempt.number)
    code, text = _error(attempt.status, draws[44], in_burst=state.odd == planning.BURST)
    record: dict[str, Any] = {
        **_core(key, attempt.at),
        "message_direction": "outbound",
        "message_state": attempt.status,
        "message_type": attempt.channel,
        "from_number": OWN_SENDERS[draws[45] & 1],
        "to_number": str(state.recipient),
        "units": attempt.parts,
        "total_rate": money(attempt.price),
        "total_amount": money(attempt.charge) if attempt.priced else None,
        "error_code": code,
    }
    if _is_bare(state):
        return record
    record |= {
        "error_message": text,
        "powerpack_id": "",
        "requester_ip": state.requester,
        "destination_country_iso2": country.iso,
        "destination_network": state.carrier,
        "mcc": country.mcc,
        "mnc": f"{1 + country.carriers.index(state.carrier):02d}",
        "is_domestic": False,
        "replaced_sender": "",
        "log": "true",
        "log_preference": "true",
        "message_sent_time": _spelt(attempt.sent),
        "message_updated_time": _spelt(attempt.updated),
        "_subaccount": state.application.subaccount,
    }
    if country.iso == "US" and attempt.channel == "sms":
        record |= {
            "carrier_fees": money(_US_FEE * attempt.parts),
            "carrier_fees_rate": money(_US_FEE),
            "tendlc_campaign_id": "CDEMO01",
            "tendlc_registration_status": "registered",
        }
    if attempt.channel == "whatsapp":
        record["conversation_id"] = key.replace("-", "")
        record["conversation_origin"] = "authentication"
        # Two names are in use for it, one of them with a Unix number.
        if draws[43] & 1:
            record["conversation_expiration_timestamp"] = _spelt(attempt.at + DAY)
        else:
            record["conversation_expiry_timestamp"] = (attempt.at + DAY) // SECOND
    return record


def _unrelated(key: str, at: int, number: int, now: int) -> dict[str, Any]:
    """An incoming text, a picture message or a text that a recipient's STOP blocked."""
    person = str(COUNTRIES[0].number(number * 37 % 4800 / 4800))
    updated = at + MINUTE
    record = {
        **_core(key, at),
        "message_direction": "outbound",
        "message_state": "failed",
        "message_type": "sms",
        "from_number": OWN_NUMBER,
        "to_number": person,
        "units": 1,
        "total_rate": money(770),
        "total_amount": money(0),
        "error_code": "200",
        "destination_country_iso2": "US",
    }
    # By its number and not by chance, so that every account has some of each kind.
    kind = _OTHERS[number % len(_OTHERS)]
    if kind == "inbound":
        record["message_direction"], record["message_state"] = "inbound", "received"
        record["from_number"], record["to_number"] = person, OWN_NUMBER
        record["total_rate"] = record["total_amount"] = money(550)
        record["error_code"] = "000"
        given_up = at + (20 + number % 35) * MINUTE
        if number % _NOT_FORWARDED == 0 and given_up <= now:
            record["message_state"], record["error_code"], updated = "undelivered", "20", given_up
        return {**record, "message_updated_time": _spelt(updated)}
    if kind == "picture":
        sent = at + SECOND * (50 + number * 37 % 100) // 100
        updated = sent + SECOND * (300 + number * 97 % 900) // 100
        delivered = updated <= now
        record["message_type"] = "mms"
        record["message_state"] = "delivered" if delivered else "sent" if sent <= now else "queued"
        record["error_code"] = "000" if delivered else None
        record["total_rate"] = record["total_amount"] = money(1800)
        record["carrier_fees"] = record["carrier_fees_rate"] = money(1000)
        record["message_sent_time"] = _spelt(sent if sent <= now else None)
    record["message_updated_time"] = _spelt(updated if updated <= now else None)
    return record


def _core(key: str, at: int) -> dict[str, Any]:
    return {
        "message_uuid": key,
        "message_time": _spelt(at),
        "resource_uri": f"/v1/Account/{AUTH_ID}/{MESSAGES.path}{key}/",
    }


def _error(status: str, draw: int, *, in_burst: bool) -> tuple[str | None, str]:
    if status in ("delivered", "read"):
        return "000", ""
    if status == "undelivered":
        return _UNDELIVERED[draw % len(_UNDELIVERED)], ""
    if status == "failed":
        return _PUMPING if in_burst else _FAILED[draw % len(_FAILED)]
    return None, ""


def _spelt(at: int | None) -> str | None:
    return None if at is None else write_time(at, in_india=True, separator=" ")
