"""Generated sessions in the form of the wire, with the spellings that the service mixes.

Two zones, fractions without trailing zeros, calls in capitals or not, money with more or fewer
zeros, optional fields that are absent or empty. None of it changes what is true of a session.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plivo_analysis.emulator import session_plan as planning
from plivo_analysis.emulator.expected import (
    ExpectedSession,
    session_of_record,
    session_of_state,
)
from plivo_analysis.emulator.listing import SESSIONS
from plivo_analysis.emulator.session_state import SessionState, happens
from plivo_analysis.emulator.times import ZERO_DATE, write_time
from plivo_analysis.emulator.traffic_model import APPLICATIONS, CHANNELS, COUNTRIES, DOLLAR

if TYPE_CHECKING:
    from plivo_analysis.emulator.session_plan import Plan


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

    listing = SESSIONS
    expected_of = staticmethod(session_of_record)

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.times = plan.times

    def key(self, row: int) -> str:
        """The ``session_uuid`` of a row."""
        return planning.key_of(self.plan.seed, row * planning.KINDS + planning.SESSION)

    def row_of(self, key: str) -> int | None:
        """The row of a ``session_uuid``, if it is one of these."""
        number = planning.number_of(self.plan.seed, key)
        if number is None:
            return None
        row, kind = divmod(number, planning.KINDS)
        return row if kind == planning.SESSION and row < len(self.plan) else None

    def record(self, row: int, now: int) -> dict[str, Any]:
        """The session as the list shows it at that moment."""
        return session_record(SessionState(self.plan, row, now))

    def expected(self, row: int, now: int) -> ExpectedSession:
        """The session as it is expected in the results of that moment."""
        return session_of_state(SessionState(self.plan, row, now))

    def matches(self, row: int, filters: dict[str, str], now: int) -> bool:
        """Whether a row passes filters; for speed it looks at the plan's columns only."""
        return all(self._value(row, name, now) == value for name, value in filters.items())

    def _value(self, row: int, name: str, now: int) -> object:
        """What a filter of that name compares with; None where the row does not show it."""
        plan = self.plan
        if name == "status":
            return plan.status(row, now)
        if name == "recipient":
            return str(plan.recipients[row])
        if name in ("country", "alias") and plan.odds[row] == planning.FIELDS_ABSENT:
            return None
        if name == "country":
            return COUNTRIES[plan.countries[row]].iso
        return getattr(APPLICATIONS[plan.applications[row]], name)


def session_record(state: SessionState) -> dict[str, Any]:
    """A session in the form of the wire.

    Example:
        >>> from plivo_analysis.emulator import generate
        >>> account = generate(sessions=1)
        >>> list(account.record(account.uuids()[0]))[:3]
        ['session_uuid', 'app_uuid', 'recipient']
    """
    draws, application = state.draws, state.application
    # The documentation's samples write the same instants in either zone and a status in either
    # case, at times within one answer.
    in_india = happens(draws[29], 0.31)
    keys = [state.key(attempt.number) for attempt in state.attempts]
    times = [write_time(attempt.at, in_india=in_india) for attempt in state.attempts]
    record: dict[str, Any] = {
        "session_uuid": state.key(),
        "app_uuid": application.app_uuid,
        "recipient": str(state.recipient),
        "channel": state.attempts[-1].channel if state.attempts else CHANNELS[0],
        "status": state.status if happens(draws[30], 0.98) else state.status.capitalize(),
        "count": len(state.attempts) + (state.odd == planning.COUNT_DIFFERS),
        "attempt_details": _attempts(state, keys, times),
        "charges": _charges(state, keys),
        "created_at": write_time(state.created, in_india=in_india),
        # The last attempt's time; a verification does not move it.
        "updated_at": times[-1] if times else ZERO_DATE,
    }
    return record | _optional(state)


def _optional(state: SessionState) -> dict[str, Any]:
    draws, country = state.draws, state.country
    if state.odd == planning.FIELDS_ABSENT:
        blank = dict.fromkeys(("alias", "requestor_ip", "destination_country_iso2"), "")
        return {} if draws[31] & 1 else {**blank, "destination_network": None}
    is_unnamed = happens(draws[36], 0.03) and state.odd != planning.BURST
    fields = {
        "alias": state.application.alias,
        "requestor_ip": "" if is_unnamed else state.requester,
        "destination_country_iso2": country.iso,
        "destination_network": state.shown_carrier,
    }
    if not happens(draws[35], 0.10):
        fields["locale"] = country.locale
    return fields


def _attempts(
    state: SessionState, keys: list[str], times: list[str]
) -> list[dict[str, Any]] | None:
    draws = state.draws
    if state.odd == planning.NO_ATTEMPTS:
        return None if draws[37] & 1 else []
    details: dict[str, Any] = {}
    if happens(draws[37], 0.19):
        details = {
            "brand_name": state.application.brand_name,
            "app_hash": state.application.app_hash,
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
            **details,
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
    if state.odd == planning.CHARGE_MISSING:
        rows = rows[1:]
    return {
        "total_charge": money(state.total, trimmed=happens(draws[41], 0.75)),
        "validation_charge": ("0.0000", "0", "0.000000", "0.0000")[draws[42] & 3],
        "attempt_charges": rows if state.attempts else None,
    }
