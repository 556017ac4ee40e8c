"""Generated message records: one for nearly every SMS and WhatsApp attempt, and some others.

The record of an attempt has the attempt's key and tells the same story, with what a session
does not say: parts, price, error code. A few are missing. The others are incoming texts,
picture messages and texts outside verification.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any

from plivo_analysis.emulator.account import AUTH_ID, SUBACCOUNT_ID
from plivo_analysis.emulator.expected_deliveries import ExpectedMessage, message_of_record
from plivo_analysis.emulator.listing import MESSAGES, matches
from plivo_analysis.emulator.session_plan import (
    BURST,
    UNRELATED,
    PlannedAttempt,
    happens,
    key_of,
    row_of,
)
from plivo_analysis.emulator.session_records import money
from plivo_analysis.emulator.times import DAY, MINUTE, SECOND, write_time
from plivo_analysis.emulator.traffic_model import (
    APPLICATIONS,
    COUNTRIES,
    OWN_NUMBER,
    OWN_SENDERS,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from plivo_analysis.emulator.session_plan import Plan, SessionState

_FAR = 1 << 62  # later than any attempt: every attempt of a plan has begun
_KINDS = 16
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

    def __init__(self, plan: Plan, unrelated: Iterable[int]) -> None:
        self.plan = plan
        # Each is packed into one integer with its time on top: a million sort without tuples.
        found = list(_of_attempts(plan))
        found += [
            time << 32 | number * _KINDS + UNRELATED
            for number, time in enumerate(sorted(unrelated))
        ]
        found.sort()
        self.times = array("q", (packed >> 32 for packed in found))
        self._sources = array("I", (packed & 0xFFFF_FFFF for packed in found))

    def key(self, index: int) -> str:
        """The ``message_uuid`` of a row."""
        row, kind = divmod(self._sources[index], _KINDS)
        return key_of(self.plan.seed, row, kind)

    def row_of(self, key: str) -> int | None:
        """The row of a ``message_uuid``, if it is one of these."""
        found = row_of(self.plan.seed, key)
        if found is None:
            return None
        row, kind = found
        source = row * _KINDS + kind
        return self._sources.index(source) if source in self._sources else None

    def matcher(self, filters: dict[str, str], now: int) -> Callable[[int], bool]:
        """A test of rows, on the record written out."""
        return lambda index: matches(self.record(index, now), filters)

    def record(self, index: int, now: int) -> dict[str, Any]:
        """The message as the list shows it at that moment."""
        row, kind = divmod(self._sources[index], _KINDS)
        if kind == UNRELATED:
            return _unrelated(key_of(self.plan.seed, row, kind), self.times[index], row, now)
        state = self.plan.state(row, now)
        return _of_attempt(self.plan, state, state.attempts[kind - 1])

    def expected(self, index: int, now: int) -> ExpectedMessage:
        """The message as it is expected in the results of that moment."""
        row, kind = divmod(self._sources[index], _KINDS)
        if kind == UNRELATED:  # these are written out by hand, not planned
            return message_of_record(self.record(index, now))
        state = self.plan.state(row, now)
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


def _of_attempts(plan: Plan) -> list[int]:
    found = []
    for row in range(len(plan)):
        state = plan.state(row, _FAR)
        found += [
            attempt.at << 32 | row * _KINDS + attempt.number
            for attempt in state.attempts
            if attempt.channel in _RECORDED and not happens(state.draws[43], _MISSING)
        ]
    return found


def _is_bare(state: SessionState) -> bool:
    """Whether its records have no more fields than in the first years of the interface."""
    return happens(state.draws[45], 0.06)


def _of_attempt(plan: Plan, state: SessionState, attempt: PlannedAttempt) -> dict[str, Any]:
    draws = state.draws
    country = COUNTRIES[state.country]
    key = key_of(plan.seed, state.row, attempt.number)
    code, text = _error(attempt.status, draws[44], in_burst=state.odd == BURST)
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
    application = APPLICATIONS[state.application]
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
        "_subaccount": SUBACCOUNT_ID if application.subaccount else "",
    }
    if country.iso == "US" and attempt.channel == "sms":
        record |= {
            "carrier_fees": money(_US_FEE * attempt.parts),
            "carrier_fees_rate": money(_US_FEE),
            "tendlc_campaign_id": "CDEMO01",
            "tendlc_registration_status": "registered",
        }
    if attempt.channel == "whatsapp":
        expiry = attempt.at + DAY
        record |= {
            "conversation_id": key.replace("-", ""),
            "conversation_origin": "authentication",
            # Two names are in use for it, one of them with a Unix number.
            **(
                {"conversation_expiration_timestamp": _spelt(expiry)}
                if draws[43] & 1
                else {"conversation_expiry_timestamp": expiry // SECOND}
            ),
        }
    return record


def _unrelated(key: str, at: int, number: int, now: int) -> dict[str, Any]:
    """An incoming text, a picture message or a text that a recipient's STOP blocked."""
    person = str(COUNTRIES[0].number(number * 37 % 4800 / 4800))
    updated = at + MINUTE
    record = {
        **_core(key, at),
        "message_direction": "outbound",
        "message_state": "delivered",
        "message_type": "sms",
        "from_number": OWN_NUMBER,
        "to_number": person,
        "units": 1,
        "total_rate": money(770),
        "total_amount": money(770),
        "error_code": "000",
        "destination_country_iso2": "US",
    }
    # By its number and not by chance, so that every account has some of each kind.
    kind = _OTHERS[number % len(_OTHERS)]
    if kind == "inbound":
        record["message_direction"], record["message_state"] = "inbound", "received"
        record["from_number"], record["to_number"] = person, OWN_NUMBER
        record["total_rate"] = record["total_amount"] = money(550)
        given_up = at + (20 + number % 35) * MINUTE
        if number % _NOT_FORWARDED == 0 and given_up <= now:
            record["message_state"], record["error_code"], updated = "undelivered", "20", given_up
        return {**record, "message_updated_time": _spelt(updated)}
    if kind == "picture":
        record["message_type"] = "mms"
        record["total_rate"] = record["total_amount"] = money(1800)
        record["carrier_fees"] = record["carrier_fees_rate"] = money(1000)
        sent = at + SECOND * (50 + number * 37 % 100) // 100
        updated = sent + SECOND * (300 + number * 97 % 900) // 100
        delivered = updated <= now
        state = "delivered" if delivered else "sent" if sent <= now else "queued"
        record["message_state"] = state
        record["error_code"] = "000" if delivered else None
        record["message_sent_time"] = _spelt(sent if sent <= now else None)
    else:
        record["message_state"], record["error_code"] = "failed", "200"
        record["total_amount"] = money(0)
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
