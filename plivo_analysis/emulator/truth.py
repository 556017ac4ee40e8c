"""What the totals of an account are, by its own books.

The books are the plan from which sessions are made, not the records that are served: whoever
pulls, parses and counts can be checked against numbers that went through none of it. Records
given by hand have no plan; they are booked by their charge rows as they stand, which is exact
for records whose rows are complete.
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
    Facts,
)
from plivo_analysis.emulator.wiretime import read_wire, to_datetime
from plivo_analysis.emulator.world import DOLLAR

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

UNKNOWN = "unknown"
VALIDATION = "validation"
UNALLOCATED = "unallocated"
_NOTHING = Decimal(0)


@dataclass
class Truth:
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
        >>> Truth().spend
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
            >>> Truth().line("sms")
            Decimal('0')
        """
        amounts = (amount for (_, line), amount in self.lines.items() if line == name)
        return sum(amounts, _NOTHING)


@dataclass(frozen=True)
class Entry:
    """One session, as the books have it.

    Attributes:
        created: When it began, in microseconds.
        status: In small letters.
        channels: Of its attempts, in order; ``unknown`` where the service does not say.
        total: What it was billed, or nothing.
        lines: Names and amounts that make up the total.

    Example:
        >>> Entry(0, "verified", ("sms",), Decimal(1), (("sms", Decimal(1)),)).status
        'verified'
    """

    created: int
    status: str
    channels: tuple[str, ...]
    total: Decimal | None
    lines: tuple[tuple[str, Decimal], ...]


def entry_of_facts(facts: Facts) -> Entry:
    """The entry of a generated session.

    Example:
        >>> entry_of_facts(Facts(0, 0, "expired", (), 0, 0, b"")).total
        Decimal('0')
    """
    named = [(attempt.channel or UNKNOWN, attempt.charge) for attempt in facts.attempts]
    lines = [(channel, _amount(charge)) for channel, charge in named]
    if facts.odd in (TOTAL_ABOVE, TOTAL_BELOW) and facts.total is not None:
        gap = facts.total - sum(charge for _, charge in named)
        lines.append((UNALLOCATED, _amount(gap)))
    return Entry(
        created=facts.created,
        status=facts.status,
        channels=tuple(channel for channel, _ in named),
        total=None if facts.total is None else _amount(facts.total),
        lines=() if facts.total is None else tuple(lines),
    )


def entry_of_record(record: dict[str, Any]) -> Entry:
    """The entry of a session given by hand.

    Example:
        >>> rows = [{"channel": "sms", "charge": "0.08"}]
        >>> charges = {"total_charge": "0.09", "attempt_charges": rows}
        >>> entry_of_record({"status": "Expired", "charges": charges}).lines
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
    return Entry(
        created=read_wire(record.get("created_at")) or 0,
        status=str(record.get("status")).lower(),
        channels=tuple(_channel(attempt.get("channel")) for attempt in attempts),
        total=None if total is None else Decimal(total),
        lines=tuple(lines),
    )


def close_books(entries: Iterable[Entry]) -> Truth:
    """The totals of some sessions.

    Example:
        >>> sms = Entry(0, "verified", ("sms",), Decimal(1), (("sms", Decimal(1)),))
        >>> truth = close_books([sms, sms])
        >>> truth.verified, truth.spend, truth.evaluable
        (2, Decimal('2'), {'sms': 2})
    """
    truth = Truth()
    lines: defaultdict[tuple[date, str], Decimal] = defaultdict(Decimal)
    evaluable: Counter[str] = Counter()
    fell_back: Counter[str] = Counter()
    for entry in entries:
        settled = entry.status in (VERIFIED, EXPIRED)
        verified = entry.status == VERIFIED
        truth.sessions += 1
        truth.settled += settled
        truth.open += entry.status == IN_PROGRESS
        truth.verified += verified
        truth.unpriced += entry.total is None
        total = entry.total or _NOTHING
        truth.spend += total
        truth.settled_spend += total if settled else _NOTHING
        truth.verified_spend += total if verified else _NOTHING
        day = to_datetime(entry.created).date()
        for line, amount in entry.lines:
            lines[day, line] += amount
        if settled and entry.channels:
            changed = _changed_channel(entry.channels)
            truth.not_evaluable += changed is None
            evaluable[entry.channels[0]] += changed is not None
            fell_back[entry.channels[0]] += bool(changed)
    truth.lines = {place: amount for place, amount in lines.items() if amount}
    truth.evaluable = dict(+evaluable)
    truth.fell_back = dict(+fell_back)
    return truth


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
