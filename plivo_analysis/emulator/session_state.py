"""What is true of a generated session at a moment, worked out from its row in the plan.

Times of attempts and receipts, parts of an SMS and spelling follow from a hash of seed and row
whenever the row is looked at. A row depends on the moment too: a session that will be verified in
a minute is still in progress, its last attempt may not have begun, a message may be in the queue,
and prices come later still.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from math import exp
from statistics import NormalDist
from typing import TYPE_CHECKING

from plivo_analysis.emulator import session_plan as planning
from plivo_analysis.emulator.times import HOUR, MINUTE, SECOND
from plivo_analysis.emulator.traffic_model import (
    ADDRESSES,
    APPLICATIONS,
    BURST_ADDRESS,
    CHANNELS,
    COUNTRIES,
    SMS,
    STEP_COUNTRY,
    STEP_PRICE_BEFORE,
    VOICE,
    network_named,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plivo_analysis.emulator.session_plan import Plan
    from plivo_analysis.emulator.traffic_model import Network

_TOTAL_ABOVE_BY = 770
_NEW_CHANNEL = "rcs"
_PRICED_AFTER = 3 * MINUTE
_PRICED_LATE = 20 * HOUR  # one session in twenty
_LONGEST_RINGING = 20 * SECOND

# Factors on a network's median times, in thousandths: a log-normal spread, up to 5.7 times.
_SPREAD = tuple(
    round(1000 * exp(0.6 * NormalDist().inv_cdf((draw + 0.5) / 256))) for draw in range(256)
)
MOST_SPREAD = 5.8
_STUCK_FROM = 240  # of 256: messages of unverified sessions that wait for hours in the queue
_LATE_FROM = 253  # of 256: receipts that come hours after the message

# The words of the list, by channel and by outcome.
_STATUSES = (
    ("delivered", "undelivered", "failed", "sent"),
    ("ANSWER", "EARLY MEDIA", "failed", "ringing"),
    ("delivered", "undelivered", "failed", "sent"),
)
_UNANSWERED = ("EARLY MEDIA", "EARLY MEDIA", "NO ANSWER", "BUSY")


@dataclass(slots=True)  # not frozen: freezing doubles the time to make one
class PlannedAttempt:
    """One attempt of a generated session at a moment. Money in hundred-thousandths of a dollar.

    Attributes:
        number: From 1.
        channel: Its name on the wire; empty where the service does not say.
        status: As the list spells it.
        at: When it began, in microseconds.
        sent: When its message left the queue, or ``None`` if it did not, or was a call.
        updated: When its message's state changed last, or ``None`` if it did not yet.
        parts: Parts of an SMS, else 1.
        price: Of one part.
        charge: What it is billed.
        priced: Whether that is known yet.

    Example:
        >>> PlannedAttempt(1, "sms", "delivered", 0, 1, 2, 2, 770, 1540, True).charge
        1540
    """

    number: int
    channel: str
    status: str
    at: int
    sent: int | None
    updated: int | None
    parts: int
    price: int
    charge: int
    priced: bool


class SessionState:
    """All that is true of a generated session at a moment.

    Args:
        plan: The plan of all sessions.
        row: The session's index in it.
        now: The moment, in microseconds.

    Attributes:
        created: When it began, in microseconds.
        status: ``in-progress``, ``verified`` or ``expired``.
        attempts: Those begun by then.
        total: What it was billed in all; ``None`` where that is not known yet.
        odd: What is odd about it.
        draws: Random bytes for its spelling.
        recipient: The number that the code went to.
        country: Where that number is.
        application: Which one asked for the code.
        carrier: The name of its network.

    Example:
        >>> from plivo_analysis.emulator.session_plan import Plan, Row
        >>> plan = Plan(b"seed", 0)
        >>> plan.append(Row(0, MINUTE, 14155550100, 0, 0, 0, 0, 0, planning.REACHED, True))
        >>> SessionState(plan, 0, HOUR).attempts[0].status
        'delivered'
    """

    def __init__(self, plan: Plan, row: int, now: int) -> None:
        self._seed, self._row = plan.seed, row
        # 64 random bytes that belong to the row alone: it looks the same whatever page shows it,
        # in whatever order, and after whatever else was drawn. Bytes 0-2 are the first attempt's
        # delay, 6-13 waits, 21-28 parts and final words, 29-45 spelling and late prices, 48-63
        # deliveries. Two facts that read one byte go together more often than chance would have it.
        self.draws = blake2b(row.to_bytes(8, "big"), key=plan.seed, digest_size=64).digest()
        self.odd = plan.odds[row]
        self.created = plan.times[row]
        self.status = plan.status(row, now)
        self.recipient = plan.recipients[row]
        self.country = COUNTRIES[plan.countries[row]]
        self.application = APPLICATIONS[plan.applications[row]]
        self.carrier = self.country.carriers[plan.networks[row]]
        self.attempts = tuple(self._attempts(plan, row, now))
        self.total = self._total()

    def key(self, kind: int = planning.SESSION) -> str:
        """Its ``session_uuid``, or the ``attempt_uuid`` of the attempt of that number."""
        return planning.key_of(self._seed, self._row * planning.KINDS + kind)

    @property
    def shown_carrier(self) -> str | None:
        """The name of its network, where its record shows it."""
        hidden = self.odd == planning.FIELDS_ABSENT or happens(self.draws[35], 0.05)
        return None if hidden else self.carrier

    @property
    def requester(self) -> str:
        """The address that asked for it: one for the whole burst, else one of three networks'."""
        if self.odd == planning.BURST:
            return BURST_ADDRESS
        return f"{ADDRESSES[self.draws[33] % 3]}.{1 + self.draws[34] % 250}"

    def _attempts(self, plan: Plan, row: int, now: int) -> Iterator[PlannedAttempt]:
        if self.odd == planning.NO_ATTEMPTS:
            return
        draws, verified, patience = self.draws, plan.verified[row], plan.patience[row]
        path, carrier = planning.PATHS[plan.paths[row]], network_named(self.carrier)
        late_price = happens(draws[40], 0.05)
        at = self.created
        if not happens(draws[0], 0.12):
            at += (10 + draws[1] % 60) * 1000 + draws[2]
        # Everything is planned to its end, then shown as far as it has come by now: so a session
        # that is looked at again later tells the same story.
        for number, channel in enumerate(path, 1):
            if number > 1:
                draw = draws[3 * number] << 8 | draws[3 * number + 1]
                at += planning.WAITS[patience] * (85_000 + 30_000 * draw // 65_536) // 100_000
                if at > now:
                    return  # it has not begun; the first attempt begins with its session
            name = CHANNELS[channel]
            if number == len(path) and self.odd in (planning.CHANNEL_BLANK, planning.CHANNEL_NEW):
                name = _NEW_CHANNEL if self.odd == planning.CHANNEL_NEW else ""
            outcome = plan.outcomes[row] >> 2 * (number - 1) & 3  # two bits an attempt
            failed, is_call = outcome == planning.FAILED, channel == VOICE
            sent_at, final_at = at, at + _LONGEST_RINGING
            # A call rings at once, and its last word comes when the ringing ends; a message waits
            # in its network's queue and has its last word from the receipt.
            if not is_call:
                sent_at, final_at = _delivery(carrier, at, draws[44 + 4 * number :], verified)
            if failed:
                final_at = sent_at  # it never left
            sent = None if is_call or failed or sent_at > now else sent_at
            # The receipt of a pending message never comes: it stays "sent" for ever.
            is_final = final_at <= now and (is_call or outcome != planning.PENDING)
            if is_final:
                status = _final_status(channel, outcome, draws[24 + number])
            elif is_call:
                status = "ringing"
            else:
                status = "queued" if sent is None else "sent"
            parts, price = 1, self.country.prices[channel]
            if channel == SMS:
                if happens(draws[20 + number], self.country.parts):
                    parts = 3 if draws[20 + number] == 0 else 2
                if self.country.iso == STEP_COUNTRY and at < plan.price_step:
                    price = STEP_PRICE_BEFORE
            # What never left is not billed, nor is a call that nobody answered.
            free = failed or (is_call and outcome != planning.REACHED)
            yield PlannedAttempt(
                number=number,
                channel=name,
                status=status,
                at=at,
                sent=sent,
                updated=final_at if is_final and not is_call else sent,
                parts=parts,
                price=price,
                charge=0 if free else parts * price,
                priced=now >= max(sent_at, at + (_PRICED_LATE if late_price else _PRICED_AFTER)),
            )

    def _total(self) -> int | None:
        if not all(attempt.priced for attempt in self.attempts):
            return None
        total = sum(attempt.charge for attempt in self.attempts)
        # Two of the oddities lie in the total alone, so that its lines stay believable.
        if self.odd == planning.TOTAL_ABOVE:
            return total + _TOTAL_ABOVE_BY
        return total - total // 2 if self.odd == planning.TOTAL_BELOW else total


def happens(draw: int, chance: float) -> bool:
    """Whether something of that chance happens, by a random byte.

    Example:
        >>> happens(0, 0.1), happens(255, 0.1)
        (True, False)
    """
    return draw < chance * 256


def _delivery(carrier: Network, at: int, draws: bytes, verified: int) -> tuple[int, int]:
    """When a message leaves the queue, and when its receipt comes."""
    sent = at + round(carrier.queue * 1000) * _SPREAD[draws[0]] + draws[1]
    if draws[0] >= _STUCK_FROM and not verified:
        sent += HOUR + draws[1] * 2 * MINUTE
    received = sent + round(carrier.delivery * 1000) * _SPREAD[draws[2]] + draws[3]
    if draws[2] >= _LATE_FROM:
        received += MINUTE + draws[3] * MINUTE
    return sent, received


def _final_status(channel: int, outcome: int, draw: int) -> str:
    if outcome == planning.NOT_REACHED and channel == VOICE:
        return _UNANSWERED[draw & 3]
    if outcome == planning.REACHED and channel not in (SMS, VOICE) and happens(draw, 0.55):
        return "read"
    return _STATUSES[channel][outcome]
