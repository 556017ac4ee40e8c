"""The results that a correct analysis of an account must arrive at.

They are computed from the plan that sessions are made from, not from the records that are
served, so that a program that pulls, parses and counts can be checked against numbers that went
through none of it. Records given by hand have no plan: their charge rows are taken as they stand,
which is exact for records whose rows are complete.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from plivo_analysis.emulator.plan import (
    EXPIRED,
    IN_PROGRESS,
    TOTAL_ABOVE,
    TOTAL_BELOW,
    VERIFIED,
    SessionState,
)
from plivo_analysis.emulator.times import read_time, to_datetime
from plivo_analysis.emulator.world import DOLLAR

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

UNKNOWN = "unknown"
VALIDATION = "validation"
UNALLOCATED = "unallocated"
_NOTHING = Decimal(0)


@dataclass
class ExpectedResults:
    """Exact totals of the sessions that began in a window and are served.

    Attributes:
        sessions: All of them.
        settled: Verified or expired.
        open: In progress.
        verified: Verified.
        unpriced: Without a total yet; their spend is not in any amount below.
        spend: The sum of all totals, in the account's currency.
        lines: The same by UTC day of the beginning and line: a channel, ``unknown``,
            ``validation`` or ``unallocated``. The lines sum to ``spend``; those of nothing are
            left out.
        settled_spend: The sum of the totals of settled sessions.
        verified_spend: The sum of the totals of verified sessions.
        evaluable: By entry channel, settled sessions of which can be said whether they
            changed the channel.
        fell_back: By entry channel, those of them that did.
        not_evaluable: Settled sessions with attempts of which it cannot be said.

    Example:
        >>> ExpectedResults().spend
        Decimal('0')
    """

    sessions: int = 0
    settled: int = 0
    open: int = 0
    verified: int = 0
    unpriced: int = 0
    spend: Decimal = _NOTHING
    lines: dict[tuple[date, str], Decimal] = field(default_factory=dict)
    settled_spend: Decimal = _NOTHING
    verified_spend: Decimal = _NOTHING
    evaluable: dict[str, int] = field(default_factory=dict)
    fell_back: dict[str, int] = field(default_factory=dict)
    not_evaluable: int = 0

    def line(self, name: str) -> Decimal:
        """A line over all days.

        Example:
            >>> ExpectedResults().line("sms")
            Decimal('0')
        """
        amounts = (amount for (_, line), amount in self.lines.items() if line == name)
        return sum(amounts, _NOTHING)


@dataclass(frozen=True)
class ExpectedSession:
    """One session, as it is expected in the results.

    Attributes:
        created: When it began, in microseconds.
        status: In small letters.
        channels: Of its attempts, in order; ``unknown`` where the service does not say.
        total: What it was billed, or nothing.
        lines: Names and amounts that make up the total.

    Example:
        >>> ExpectedSession(0, "verified", ("sms",), Decimal(1), (("sms", Decimal(1)),)).status
        'verified'
    """

    created: int
    status: str
    channels: tuple[str, ...]
    total: Decimal | None
    lines: tuple[tuple[str, Decimal], ...]


def session_of_state(state: SessionState) -> ExpectedSession:
    """A generated session.

    Example:
        >>> session_of_state(SessionState(0, 0, "expired", (), 0, 0, b"")).total
        Decimal('0')
    """
    named = [(attempt.channel or UNKNOWN, attempt.charge) for attempt in state.attempts]
    lines = [(channel, _amount(charge)) for channel, charge in named]
    if state.odd in (TOTAL_ABOVE, TOTAL_BELOW) and state.total is not None:
        gap = state.total - sum(charge for _, charge in named)
        lines.append((UNALLOCATED, _amount(gap)))
    return ExpectedSession(
        created=state.created,
        status=state.status,
        channels=tuple(channel for channel, _ in named),
        total=None if state.total is None else _amount(state.total),
        lines=() if state.total is None else tuple(lines),
    )


def session_of_record(record: dict[str, Any]) -> ExpectedSession:
    """A session given by hand.

    Example:
        >>> rows = [{"channel": "sms", "charge": "0.08"}]
        >>> charges = {"total_charge": "0.09", "attempt_charges": rows}
        >>> session_of_record({"status": "Expired", "charges": charges}).lines
        (('sms', Decimal('0.08')), ('validation', Decimal('0')), ('unallocated', Decimal('0.01')))
    """
    charges = record.get("charges") or {}
    rows = charges.get("attempt_charges") or ()
    lines = [
        (_channel(row.get("channel")), Decimal(row["charge"])) for row in rows if row["charge"]
    ]
    total = charges.get("total_charge")
    validation = Decimal(charges.get("validation_charge") or 0)
    if total is not None:
        known = validation + sum((amount for _, amount in lines), _NOTHING)
        lines += [(VALIDATION, validation), (UNALLOCATED, Decimal(total) - known)]
    attempts = record.get("attempt_details") or ()
    return ExpectedSession(
        created=read_time(record.get("created_at")) or 0,
        status=str(record.get("status")).lower(),
        channels=tuple(_channel(attempt.get("channel")) for attempt in attempts),
        total=None if total is None else Decimal(total),
        lines=tuple(lines),
    )


def sum_up(sessions: Iterable[ExpectedSession]) -> ExpectedResults:
    """The totals of some sessions.

    Example:
        >>> sms = ExpectedSession(0, "verified", ("sms",), Decimal(1), (("sms", Decimal(1)),))
        >>> results = sum_up([sms, sms])
        >>> results.verified, results.spend, results.evaluable
        (2, Decimal('2'), {'sms': 2})
    """
    results = ExpectedResults()
    lines: defaultdict[tuple[date, str], Decimal] = defaultdict(Decimal)
    evaluable: Counter[str] = Counter()
    fell_back: Counter[str] = Counter()
    for session in sessions:
        settled = session.status in (VERIFIED, EXPIRED)
        verified = session.status == VERIFIED
        results.sessions += 1
        results.settled += settled
        results.open += session.status == IN_PROGRESS
        results.verified += verified
        results.unpriced += session.total is None
        total = session.total or _NOTHING
        results.spend += total
        results.settled_spend += total if settled else _NOTHING
        results.verified_spend += total if verified else _NOTHING
        day = to_datetime(session.created).date()
        for line, amount in session.lines:
            lines[day, line] += amount
        if settled and session.channels:
            changed = _changed_channel(session.channels)
            results.not_evaluable += changed is None
            evaluable[session.channels[0]] += changed is not None
            fell_back[session.channels[0]] += bool(changed)
    results.lines = {place: amount for place, amount in lines.items() if amount}
    results.evaluable = dict(+evaluable)
    results.fell_back = dict(+fell_back)
    return results


def _changed_channel(channels: tuple[str, ...]) -> bool | None:
    """Whether two known channels follow each other that differ; nothing if it may be."""
    steps = [(first, then) for first, then in pairwise(channels)]
    known = [step for step in steps if UNKNOWN not in step]
    if any(first != then for first, then in known):
        return True
    return False if len(known) == len(steps) else None


def _channel(name: object) -> str:
    return str(name or "").strip().lower() or UNKNOWN


def _amount(units: int) -> Decimal:
    return Decimal(units) / DOLLAR
