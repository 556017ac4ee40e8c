"""Generated sessions in the form of the wire, with the spellings that the service mixes.

Two zones, fractions without trailing zeros, calls in capitals or not, money with more or fewer
zeros, optional fields that are absent or empty. None of it changes what is true of a session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plivo_analysis.emulator.account import SUBACCOUNT_ID
from plivo_analysis.emulator.expected import ExpectedSession, session_of_state
from plivo_analysis.emulator.session_plan import (
    BURST,
    CHARGE_MISSING,
    COUNT_DIFFERS,
    FIELDS_ABSENT,
    NO_ATTEMPTS,
    SESSION,
    happens,
    key_of,
    row_of,
)
from plivo_analysis.emulator.times import ZERO_DATE, write_time
from plivo_analysis.emulator.traffic_model import (
    APPLICATIONS,
    CHANNELS,
    COUNTRIES,
    DOLLAR,
)

if TYPE_CHECKING:
    from collections.abc import Callable, MutableSequence

    from plivo_analysis.emulator.session_plan import Plan, SessionState


def money(amount: int, *, trimmed: bool = False) -> str:
    """Hundred-thousandths of a dollar as the service writes them.

    Example:
        >>> money(8000), money(11300, trimmed=True), money(0, trimmed=True)
        ('0.08000', '0.113', '0')
    """
    text = f"{amount // DOLLAR}.{amount % DOLLAR:05d}"
    return text.rstrip("0").rstrip(".") if trimmed else text


class GeneratedSessions:
    """The sessions of a plan, as an index asks for them.

    Args:
        plan: What is true of them.

    Example:
        >>> from plivo_analysis.emulator.session_plan import Plan
        >>> GeneratedSessions(Plan(b"seed", 0)).row_of("unknown") is None
        True
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    @property
    def times(self) -> MutableSequence[int]:
        """When each began, ascending."""
        return self.plan.times

    def key(self, index: int) -> str:
        """The ``session_uuid`` of a row."""
        return key_of(self.plan.seed, index, SESSION)

    def row_of(self, key: str) -> int | None:
        """The row of a ``session_uuid``, if it is one of these."""
        found = row_of(self.plan.seed, key)
        if found and found[1] == SESSION and found[0] < len(self.plan):
            return found[0]
        return None

    def record(self, index: int, now: int) -> dict[str, Any]:
        """The session as the list shows it at that moment."""
        return session_record(self.plan, self.plan.state(index, now))

    def expected(self, index: int, now: int) -> ExpectedSession:
        """The session as it is expected in the results of that moment."""
        return session_of_state(self.key(index), self.plan.state(index, now))

    def matcher(self, filters: dict[str, str], now: int) -> Callable[[int], bool]:
        """A test of rows that looks at the plan's columns only."""
        wanted = dict(filters)
        if "recipient" in wanted:
            wanted["recipient"] = wanted["recipient"].strip().removeprefix("+")
        return lambda row: all(
            _value(self.plan, row, now, name) == value for name, value in wanted.items()
        )


def session_record(plan: Plan, state: SessionState) -> dict[str, Any]:
    """A session in the form of the wire.

    Example:
        >>> from plivo_analysis.emulator import generate
        >>> account = generate(sessions=1)
        >>> list(account.record(account.uuids()[0]))[:3]
        ['session_uuid', 'app_uuid', 'recipient']
    """
    draws, row = state.draws, state.row
    application = APPLICATIONS[state.application]
    # The documentation's samples write the same instants in either zone and a status in either
    # case, at times within one answer.
    in_india = happens(draws[29], 0.31)
    keys = [key_of(plan.seed, row, attempt.number) for attempt in state.attempts]
    times = [write_time(attempt.at, in_india=in_india) for attempt in state.attempts]
    record: dict[str, Any] = {
        "session_uuid": key_of(plan.seed, row, SESSION),
        "app_uuid": application.uuid,
        "recipient": str(state.recipient),
        "channel": state.attempts[-1].channel if state.attempts else CHANNELS[0],
        "status": state.status if happens(draws[30], 0.98) else state.status.capitalize(),
        "count": len(state.attempts) + (state.odd == COUNT_DIFFERS),
        "attempt_details": _attempts(state, keys, times),
        "charges": _charges(state, keys),
        "created_at": write_time(state.created, in_india=in_india),
        # The last attempt's time; a verification does not move it.
        "updated_at": times[-1] if times else ZERO_DATE,
    }
    if state.odd == FIELDS_ABSENT and draws[31] & 1:
        return record
    return record | _optional(state)


def _optional(state: SessionState) -> dict[str, Any]:
    draws = state.draws
    if state.odd == FIELDS_ABSENT:
        return {
            "alias": "",
            "requestor_ip": "",
            "destination_country_iso2": "",
            "destination_network": None,
        }
    country = COUNTRIES[state.country]
    fields: dict[str, Any] = {
        "alias": APPLICATIONS[state.application].alias,
        "requestor_ip": state.requester,
        "destination_country_iso2": country.iso,
        "destination_network": state.shown_carrier,
    }
    if not happens(draws[35], 0.10):
        fields["locale"] = country.locale
    if happens(draws[36], 0.03) and state.odd != BURST:
        fields["requestor_ip"] = ""
    return fields


def _attempts(
    state: SessionState, keys: list[str], times: list[str]
) -> list[dict[str, Any]] | None:
    draws = state.draws
    if state.odd == NO_ATTEMPTS:
        return None if draws[37] & 1 else []
    detailed = happens(draws[37], 0.19)
    application = APPLICATIONS[state.application]
    details = {
        "brand_name": application.brand_name,
        "app_hash": application.app_hash,
        "code_length": 6,
        "dtmf": 0,
        "fraud_check": "enabled",
    }
    return [
        {
            "channel": attempt.channel,
            "attempt_uuid": key,
            "status": attempt.status.lower() if happens(draws[38], 0.25) else attempt.status,
            "time": time,
            **(details if detailed else {}),
        }
        for key, time, attempt in zip(keys, times, state.attempts, strict=True)
    ]


def _charges(state: SessionState, keys: list[str]) -> dict[str, Any]:
    draws = state.draws
    if state.total is None:  # the fields are there before their values are
        return {"total_charge": None, "validation_charge": None, "attempt_charges": None}
    rows = [
        {
            "attempt_uuid": key,
            "channel": attempt.channel,
            "charge": money(attempt.charge, trimmed=happens(draws[39], 0.15)),
        }
        for key, attempt in zip(keys, state.attempts, strict=True)
    ]
    if state.odd == CHARGE_MISSING:
        rows = rows[1:]
    return {
        "total_charge": money(state.total, trimmed=happens(draws[41], 0.75)),
        "validation_charge": ("0.0000", "0", "0.000000", "0.0000")[draws[42] & 3],
        "attempt_charges": rows if state.attempts else None,
    }


def _value(plan: Plan, row: int, now: int, name: str) -> object:
    """What a filter of that name compares with; None where the row does not show it."""
    application = APPLICATIONS[plan.applications[row]]
    if name == "status":
        return plan.status(row, now)
    if name == "recipient":
        return str(plan.recipients[row])
    if name == "subaccount":
        return SUBACCOUNT_ID if application.subaccount else None
    if name in ("brand_name", "app_hash"):
        return getattr(application, name)
    if name == "app_uuid":
        return application.uuid
    if plan.odds[row] == FIELDS_ABSENT:
        return None
    return application.alias if name == "alias" else COUNTRIES[plan.countries[row]].iso
