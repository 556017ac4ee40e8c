"""The results that a correct analysis of an account must arrive at.

They are computed from the plan that sessions are made from, not from the records that are
served, so that a program that pulls, parses and counts can be checked against numbers that went
through none of it. Records given by hand have no plan: their fields are taken as they stand,
which is exact for records that are complete.

The definitions are those of the package's documentation, written a second time in plain Python.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain, pairwise
from statistics import median
from typing import TYPE_CHECKING, Any

from plivo_analysis.emulator import session_plan as planning
from plivo_analysis.emulator.times import MINUTE, SECOND, read_time, to_datetime
from plivo_analysis.emulator.traffic_model import DOLLAR

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from plivo_analysis.emulator.session_state import SessionState

UNKNOWN = "unknown"
VALIDATION = "validation"
UNALLOCATED = "unallocated"
JOURNEY_GAP = 30 * MINUTE
_NOTHING = Decimal(0)
_BUCKETS = (
    (15 * SECOND, "under 15 s"),
    (30 * SECOND, "15–30 s"),
    (60 * SECOND, "30–60 s"),
    (120 * SECOND, "1–2 min"),
)
_REACHED, _NOT_REACHED, _PENDING = "delivered", "failed", "pending"
_OUTCOMES = (
    dict.fromkeys(("delivered", "answer", "answered", "completed", "read"), _REACHED)
    | dict.fromkeys(("undelivered", "failed", "rejected", "busy", "no answer"), _NOT_REACHED)
    | dict.fromkeys(("timeout", "cancel", "canceled", "cancelled", "early media"), _NOT_REACHED)
)


@dataclass(frozen=True)
class ExpectedAttempt:
    """One attempt; ``at`` in microseconds or ``None``, ``outcome`` a receipt's word.

    Example:
        >>> ExpectedAttempt("sms", 0, "delivered").channel
        'sms'
    """

    channel: str
    at: int | None
    outcome: str


@dataclass(frozen=True)
class ExpectedSession:
    """One session, as it is expected in the results.

    Attributes:
        key: Its ``session_uuid``.
        recipient: Who it was for, or ``None``.
        application: Its ``app_uuid``, or ``None``.
        network: As its record shows it, or ``None``.
        created: When it began, in microseconds.
        status: In small letters.
        attempts: In order of time.
        total: What it was billed, or ``None``.
        lines: Names and amounts that make up the total.

    Example:
        >>> one = ExpectedSession("a", None, None, None, 0, "verified", (), Decimal(1), ())
        >>> one.is_settled
        True
    """

    key: str
    recipient: str | None
    application: str | None
    network: str | None
    created: int
    status: str
    attempts: tuple[ExpectedAttempt, ...]
    total: Decimal | None
    lines: tuple[tuple[str, Decimal], ...]

    @property
    def is_settled(self) -> bool:
        """Whether it is verified or expired."""
        return self.status in (planning.VERIFIED, planning.EXPIRED)

    @property
    def is_verified(self) -> bool:
        """Whether it is verified."""
        return self.status == planning.VERIFIED


@dataclass(frozen=True)
class ExpectedWaits:
    """Steps to another attempt after a wait of that length.

    Attributes:
        steps: How many, in settled sessions.
        verified: Steps whose session was verified.
        median_seconds: Of the waits: the middle one, or the mean of the middle two.

    Example:
        >>> ExpectedWaits(2, 1, Decimal("3.5")).steps
        2
    """

    steps: int
    verified: int
    median_seconds: Decimal | None


@dataclass(frozen=True)
class ExpectedJourneys:
    """What became of people who asked again within half an hour of an unsuccessful session.

    Attributes:
        journeys: All of them.
        sessions: Their sessions.
        settled: Verified, or of expired sessions only.
        verified: Those whose last session is verified.
        open: Not verified, with an open session.
        spend: The sum of all known totals.
        settled_spend: The same over settled journeys.
        unpriced: Journeys that have a session without a total.

    Example:
        >>> sum_up([]).journeys.journeys
        0
    """

    journeys: int
    sessions: int
    settled: int
    verified: int
    open: int
    spend: Decimal
    settled_spend: Decimal
    unpriced: int


@dataclass(frozen=True)
class ExpectedResults:
    """Exact results of the sessions that began in a window and are served.

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
        evaluable: By entry channel, settled sessions of which it is known whether they
            changed the channel.
        fell_back: By entry channel, those of them that did.
        not_evaluable: Settled sessions with attempts of which it is not known.
        journeys: Sessions of one recipient and application put together.
        waits: By channel of the attempt before, channel, and length of the wait.
        receipts: By network, settled sessions with exactly one attempt by what its receipt said
            and how they ended: ``delivered_verified``, ``delivered_expired``,
            ``failed_verified``, ``failed_expired``, ``pending``.

    Example:
        >>> sum_up([]).spend
        Decimal('0')
    """

    sessions: int
    settled: int
    open: int
    verified: int
    unpriced: int
    spend: Decimal
    lines: dict[tuple[date, str], Decimal]
    settled_spend: Decimal
    verified_spend: Decimal
    evaluable: dict[str, int]
    fell_back: dict[str, int]
    not_evaluable: int
    journeys: ExpectedJourneys
    waits: dict[tuple[str, str, str | None], ExpectedWaits]
    receipts: dict[str | None, dict[str, int]]

    def line(self, name: str) -> Decimal:
        """A line over all days.

        Example:
            >>> sum_up([]).line("sms")
            Decimal('0')
        """
        amounts = (amount for (_, line), amount in self.lines.items() if line == name)
        return sum(amounts, _NOTHING)


def session_of_state(state: SessionState) -> ExpectedSession:
    """A generated session."""
    lines = [(attempt.channel or UNKNOWN, _amount(attempt.charge)) for attempt in state.attempts]
    # Everywhere else the lines make up the total, whatever of them the record shows.
    if state.odd in (planning.TOTAL_ABOVE, planning.TOTAL_BELOW) and state.total is not None:
        gap = state.total - sum(attempt.charge for attempt in state.attempts)
        lines.append((UNALLOCATED, _amount(gap)))
    return ExpectedSession(
        key=state.key(),
        recipient=str(state.recipient),
        application=state.application.app_uuid,
        network=state.shown_carrier,
        created=state.created,
        status=state.status,
        attempts=tuple(
            ExpectedAttempt(attempt.channel or UNKNOWN, attempt.at, _outcome(attempt.status))
            for attempt in state.attempts
        ),
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
    attempts = [
        ExpectedAttempt(
            _channel(attempt.get("channel")),
            read_time(attempt.get("time")),
            _outcome(attempt.get("status")),
        )
        for attempt in record.get("attempt_details") or ()
    ]
    # Those with a time first, by time; a stable sort keeps the array's order in ties.
    attempts.sort(key=lambda attempt: (attempt.at is None, attempt.at or 0))
    return ExpectedSession(
        key=str(record.get("session_uuid")),
        recipient=record.get("recipient") or None,
        application=record.get("app_uuid") or None,
        network=record.get("destination_network") or None,
        created=read_time(record.get("created_at")) or 0,
        status=str(record.get("status")).lower(),
        attempts=tuple(attempts),
        total=None if total is None else Decimal(total),
        lines=tuple(lines),
    )


def sum_up(sessions: Iterable[ExpectedSession]) -> ExpectedResults:
    """The results of some sessions.

    Example:
        >>> sms = {"status": "verified", "attempt_details": [{"channel": "sms"}]}
        >>> results = sum_up([session_of_record(sms), session_of_record(sms)])
        >>> results.verified, results.spend, results.evaluable
        (2, Decimal('0'), {'sms': 2})
    """
    everything = list(sessions)
    settled = [session for session in everything if session.is_settled]
    verified = [session for session in everything if session.is_verified]
    changes = [
        (session.attempts[0].channel, _changed_channel(session))
        for session in settled
        if session.attempts
    ]
    return ExpectedResults(
        sessions=len(everything),
        settled=len(settled),
        open=sum(session.status == planning.IN_PROGRESS for session in everything),
        verified=len(verified),
        unpriced=sum(session.total is None for session in everything),
        spend=_spend(everything),
        lines=_lines(everything),
        settled_spend=_spend(settled),
        verified_spend=_spend(verified),
        # Unknown is neither yes nor no: such a session is in no denominator.
        evaluable=dict(Counter(entry for entry, changed in changes if changed is not None)),
        fell_back=dict(Counter(entry for entry, changed in changes if changed)),
        not_evaluable=sum(changed is None for _, changed in changes),
        journeys=_journeys(everything),
        waits=_waits(settled),
        receipts=_receipts(settled),
    )


def _spend(sessions: Iterable[ExpectedSession]) -> Decimal:
    return sum((session.total or _NOTHING for session in sessions), _NOTHING)


def _lines(sessions: list[ExpectedSession]) -> dict[tuple[date, str], Decimal]:
    lines: defaultdict[tuple[date, str], Decimal] = defaultdict(Decimal)
    for session in sessions:
        for line, amount in session.lines:
            lines[to_datetime(session.created).date(), line] += amount
    return {place: amount for place, amount in lines.items() if amount}


def _changed_channel(session: ExpectedSession) -> bool | None:
    """Whether two known channels follow each other that differ; ``None`` if it may be."""
    steps = list(pairwise(attempt.channel for attempt in session.attempts))
    known = [step for step in steps if UNKNOWN not in step]
    if any(before != channel for before, channel in known):
        return True
    # No known step changes it: only where every step is known does that mean it never changed.
    return False if len(known) == len(steps) else None


def _journeys(sessions: list[ExpectedSession]) -> ExpectedJourneys:
    journeys: list[list[ExpectedSession]] = []
    latest: dict[tuple[str | None, ...], list[ExpectedSession]] = {}  # of each person
    # Sessions of one instant go by their key, as in the package's definition.
    for session in sorted(sessions, key=lambda session: (session.created, session.key)):
        # Without a recipient it is nobody's return, and nobody returns to it.
        person = (session.recipient, session.application if session.recipient else session.key)
        journey = latest.get(person)
        if (
            journey is None
            or journey[-1].is_verified
            or session.created - journey[-1].created >= JOURNEY_GAP
        ):
            journey = latest[person] = []
            journeys.append(journey)
        journey.append(session)
    # A verified session ends its journey, so that only the last one can be verified.
    verified = [journey for journey in journeys if journey[-1].is_verified]
    others = [journey for journey in journeys if not journey[-1].is_verified]
    expired = [
        journey
        for journey in others
        if all(session.status == planning.EXPIRED for session in journey)
    ]
    return ExpectedJourneys(
        journeys=len(journeys),
        sessions=len(sessions),
        settled=len(verified) + len(expired),
        verified=len(verified),
        open=sum(
            any(session.status == planning.IN_PROGRESS for session in journey) for journey in others
        ),
        spend=_spend(sessions),
        settled_spend=_spend(chain(*verified, *expired)),
        unpriced=sum(any(session.total is None for session in journey) for journey in journeys),
    )


def _waits(settled: list[ExpectedSession]) -> dict[tuple[str, str, str | None], ExpectedWaits]:
    steps: defaultdict[tuple[str, str, str | None], list[tuple[int | None, bool]]]
    steps = defaultdict(list)
    for session in settled:
        for before, attempt in pairwise(session.attempts):
            if UNKNOWN not in (before.channel, attempt.channel):
                wait = None
                if before.at is not None and attempt.at is not None:
                    wait = attempt.at - before.at
                step = (before.channel, attempt.channel, _bucket(wait))
                steps[step].append((wait, session.is_verified))
    found = {}
    for step, waits in steps.items():
        known = [Decimal(wait) for wait, _ in waits if wait is not None]
        found[step] = ExpectedWaits(
            steps=len(waits),
            verified=sum(verified for _, verified in waits),
            median_seconds=median(known) / SECOND if known else None,
        )
    return found


def _receipts(settled: list[ExpectedSession]) -> dict[str | None, dict[str, int]]:
    receipts: defaultdict[str | None, Counter[str]] = defaultdict(Counter)
    for session in settled:
        if len(session.attempts) == 1:
            outcome = session.attempts[0].outcome
            cell = outcome if outcome == _PENDING else f"{outcome}_{session.status}"
            receipts[session.network][cell] += 1
    return {network: dict(cells) for network, cells in receipts.items()}


def _bucket(wait: int | None) -> str | None:
    if wait is None:
        return None
    return next((name for below, name in _BUCKETS if wait < below), "over 2 min")


def _outcome(status: object) -> str:
    words = str(status).lower().replace("_", " ").replace("-", " ").split()
    return _OUTCOMES.get(" ".join(words), _PENDING)


def _channel(name: object) -> str:
    return str(name or "").strip().lower() or UNKNOWN


def _amount(units: int) -> Decimal:
    return Decimal(units) / DOLLAR
