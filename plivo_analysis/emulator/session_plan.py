"""The plan of generated sessions: a few arrays, from which everything about a row follows.

A row takes 26 bytes. What filters look at, and what decides over money and status, is stored;
the rest (times of attempts and receipts, parts of an SMS, spelling) follows from a hash of seed
and row whenever the row is looked at. A row depends on the moment too: a session that will be
verified in a minute is still in progress, its last attempt may not have begun, a message may be
in the queue, and prices come later still.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from dataclasses import dataclass
from hashlib import blake2b
from itertools import product
from math import exp
from operator import attrgetter
from statistics import NormalDist
from typing import TYPE_CHECKING

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

    from plivo_analysis.emulator.traffic_model import Application, Country, Network

IN_PROGRESS, VERIFIED, EXPIRED = "in-progress", "verified", "expired"
REACHED, NOT_REACHED, FAILED, PENDING = range(4)
LONGEST_PATH = 4
PATHS = tuple(
    path
    for length in range(1, LONGEST_PATH + 1)
    for path in product(range(len(CHANNELS)), repeat=length)
)
PATH_INDEX = {path: index for index, path in enumerate(PATHS)}

# Sixteen numbers belong to a row: the session's, then those of its attempts, and the last one to a
# message of no session. From a number follows the key of its record.
KINDS = 16
SESSION = 0
UNRELATED = 15

_LAST = (1 << 48) - 1
_SCATTER = 0x9E3779B97F4B  # odd, so that its multiples spread over all 48 bits
_FORM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")

# What is odd about a row; one thing at most.
PLAIN = 0
TOTAL_ABOVE = 1
TOTAL_BELOW = 2
CHARGE_MISSING = 3
COUNT_DIFFERS = 4
NO_ATTEMPTS = 5
FIELDS_ABSENT = 6
CHANNEL_BLANK = 7
CHANNEL_NEW = 8
BURST = 9

SETTLE_UNIT = 4 * SECOND
TOTAL_ABOVE_BY = 770
NEW_CHANNEL = "rcs"
_PRICED_AFTER = 3 * MINUTE
_PRICED_LATE = 20 * HOUR
_LONGEST_RINGING = 20 * SECOND

# Until the next attempt: 6 to 168 seconds by a person's patience (0 to 255), even on a logarithmic
# scale. A hash moves each wait by up to 15 %.
PATIENCE_LEVELS = 256
WAITS: tuple[int, ...] = tuple(
    round(6 * SECOND * 28 ** (patience / 255)) for patience in range(PATIENCE_LEVELS)
)
# Factors on a network's median times, in thousandths: a log-normal spread, up to 5.7 times.
_SPREAD = tuple(
    round(1000 * exp(0.6 * NormalDist().inv_cdf((draw + 0.5) / 256))) for draw in range(256)
)
MOST_SPREAD = 5.8
_STUCK_FROM = 240  # of 256: messages of unverified sessions that wait for hours in the queue
_LATE_FROM = 253  # of 256: receipts that come hours after the message

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


@dataclass(slots=True)
class SessionState:
    """All that is true of a generated session at a moment.

    Attributes:
        seed: That of the plan, from which its keys follow.
        row: Its index in the plan.
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
    """

    seed: bytes
    row: int
    created: int
    status: str
    attempts: tuple[PlannedAttempt, ...]
    total: int | None
    odd: int
    draws: bytes
    recipient: int
    country: Country
    application: Application
    carrier: str

    def key(self, kind: int = SESSION) -> str:
        """Its ``session_uuid``, or the ``attempt_uuid`` of the attempt of that number."""
        return key_of(self.seed, self.row * KINDS + kind)

    @property
    def shown_carrier(self) -> str | None:
        """The name of its network, where its record shows it."""
        hidden = self.odd == FIELDS_ABSENT or happens(self.draws[35], 0.05)
        return None if hidden else self.carrier

    @property
    def requester(self) -> str:
        """The address that asked for it: one for the whole burst, else one of three networks'."""
        if self.odd == BURST:
            return BURST_ADDRESS
        return f"{ADDRESSES[self.draws[33] % 3]}.{1 + self.draws[34] % 250}"


def happens(draw: int, chance: float) -> bool:
    """Whether something of that chance happens, by a random byte.

    Example:
        >>> happens(0, 0.1), happens(255, 0.1)
        (True, False)
    """
    return draw < chance * 256


@dataclass(slots=True)
class Row:
    """What is drawn of one session; the rest of it follows from its place in the plan.

    Attributes:
        time: When it begins, in microseconds.
        open_for: How long until it settles, in microseconds.
        recipient: The number that the code goes to.
        country: The index of its country.
        network: The index in the country's carriers.
        application: The index of its application.
        patience: How long its person waits between attempts, 0 to 255.
        path: The index in ``PATHS`` of the channels of its attempts.
        outcomes: Two bits an attempt, the first one lowest.
        verified: Whether it will be.
        odd: What is odd about it.
    """

    time: int
    open_for: int
    recipient: int
    country: int
    network: int
    application: int
    patience: int
    path: int
    outcomes: int
    verified: bool
    odd: int = PLAIN


class Plan:
    """The columns. The generator appends to them; nothing else changes them.

    Args:
        seed: The key of all hashes.
        price_step: When the price of one country's SMS changed, in microseconds.

    Example:
        >>> plan = Plan(b"seed", 0)
        >>> plan.append(Row(0, 59 * SECOND, 14155550100, 0, 0, 0, 0, 0, REACHED, True))
        >>> plan.status(0, 59 * SECOND), plan.status(0, 60 * SECOND)
        ('in-progress', 'verified')
    """

    def __init__(self, seed: bytes, price_step: int) -> None:
        self.seed = seed
        self.price_step = price_step
        self.times = array("q")
        self.settles = array("H")
        self.recipients = array("q")
        self.countries = bytearray()
        self.networks = bytearray()
        self.applications = bytearray()
        self.patience = bytearray()
        self.paths = bytearray()
        self.outcomes = bytearray()
        self.verified = bytearray()
        self.odds = bytearray()
        self.columns = [column for column in vars(self).values() if hasattr(column, "append")]

    def __len__(self) -> int:
        return len(self.times)

    def append(self, row: Row) -> None:
        """Add a session at the end."""
        self.times.append(row.time)
        self.settles.append(row.open_for // SETTLE_UNIT + 1)
        self.recipients.append(row.recipient)
        self.countries.append(row.country)
        self.networks.append(row.network)
        self.applications.append(row.application)
        self.patience.append(row.patience)
        self.paths.append(row.path)
        self.outcomes.append(row.outcomes)
        self.verified.append(row.verified)
        self.odds.append(row.odd)

    def merge(self, rows: list[Row]) -> None:
        """Put further sessions where their times belong, behind those of the same instant.

        Example:
            >>> first, between, last = (
            ...     Row(time, 0, 14155550100, 0, 0, 0, 0, 0, REACHED, False) for time in (1, 2, 3)
            ... )
            >>> plan = Plan(b"seed", 0)
            >>> plan.append(first)
            >>> plan.append(last)
            >>> plan.merge([between])
            >>> list(plan.times)
            [1, 2, 3]
        """
        later = Plan(self.seed, self.price_step)
        for row in sorted(rows, key=attrgetter("time")):
            later.append(row)
        positions = [bisect_right(self.times, time) for time in later.times]
        # By slices: inserting row by row would move every column once for each of them.
        for column, values in zip(self.columns, later.columns, strict=True):
            start, old = 0, column[:]
            del column[:]
            for position, value in zip(positions, values, strict=True):
                column.extend(old[start:position])
                column.append(value)
                start = position
            column.extend(old[start:])

    def status(self, row: int, now: int) -> str:
        """The status of a session at a moment; the example is that of the class."""
        if now < self.times[row] + self.settles[row] * SETTLE_UNIT:
            return IN_PROGRESS
        return VERIFIED if self.verified[row] else EXPIRED

    def state(self, row: int, now: int) -> SessionState:
        """All that is true of a session at a moment."""
        # 64 random bytes that belong to the row alone: it looks the same whatever page shows it,
        # in whatever order, and after whatever else was drawn. Bytes 0-2 are the first attempt's
        # delay, 6-13 waits, 21-28 parts and final words, 29-45 spelling and late prices, 48-63
        # deliveries. Two facts that read one byte go together more often than chance would have it.
        draws = blake2b(row.to_bytes(8, "big"), key=self.seed, digest_size=64).digest()
        odd, country = self.odds[row], COUNTRIES[self.countries[row]]
        carrier = country.carriers[self.networks[row]]
        attempts: tuple[PlannedAttempt, ...] = ()
        if odd != NO_ATTEMPTS:
            attempts = tuple(self._attempts(row, now, odd, draws, network_named(carrier)))
        return SessionState(
            seed=self.seed,
            row=row,
            created=self.times[row],
            status=self.status(row, now),
            attempts=attempts,
            total=_total(odd, attempts),
            odd=odd,
            draws=draws,
            recipient=self.recipients[row],
            country=country,
            application=APPLICATIONS[self.applications[row]],
            carrier=carrier,
        )

    def _attempts(
        self, row: int, now: int, odd: int, draws: bytes, carrier: Network
    ) -> Iterator[PlannedAttempt]:
        path = PATHS[self.paths[row]]
        country, verified = self.countries[row], self.verified[row]
        late_price = happens(draws[40], 0.05)
        at = self.times[row]
        if not happens(draws[0], 0.12):
            at += (10 + draws[1] % 60) * 1000 + draws[2]
        # Everything is planned to its end, then shown as far as it has come by now: so a session
        # that is looked at again later tells the same story.
        for number, channel in enumerate(path, 1):
            if number > 1:
                draw = draws[3 * number] << 8 | draws[3 * number + 1]
                at += WAITS[self.patience[row]] * (85_000 + 30_000 * draw // 65_536) // 100_000
            if at > now and number > 1:
                return  # it has not begun; the first attempt begins with its session
            name = CHANNELS[channel]
            if number == len(path) and odd in (CHANNEL_BLANK, CHANNEL_NEW):
                name = NEW_CHANNEL if odd == CHANNEL_NEW else ""
            outcome = self.outcomes[row] >> 2 * (number - 1) & 3
            sent_at, final_at = at, at + _LONGEST_RINGING
            if channel != VOICE:
                sent_at, final_at = _delivery(carrier, at, draws[44 + 4 * number :], verified)
            if outcome == FAILED:
                final_at = sent_at  # it never left
            sent = None if channel == VOICE or outcome == FAILED or sent_at > now else sent_at
            is_final = final_at <= now and (channel == VOICE or outcome != PENDING)
            if is_final:
                status = _final_status(channel, outcome, draws[24 + number])
            elif channel == VOICE:
                status = "ringing"
            else:
                status = "queued" if sent is None else "sent"
            parts = _parts(channel, country, draws[20 + number])
            price = self._price(country, channel, at)
            # What never left is not billed, nor is a call that nobody answered.
            free = outcome == FAILED or (channel == VOICE and outcome != REACHED)
            yield PlannedAttempt(
                number=number,
                channel=name,
                status=status,
                at=at,
                sent=sent,
                updated=final_at if is_final and channel != VOICE else sent,
                parts=parts,
                price=price,
                charge=0 if free else parts * price,
                priced=now >= max(sent_at, at + (_PRICED_LATE if late_price else _PRICED_AFTER)),
            )

    def _price(self, country: int, channel: int, at: int) -> int:
        """The price of one part, call or message at a time."""
        if country == STEP_COUNTRY and channel == SMS and at < self.price_step:
            return STEP_PRICE_BEFORE
        return COUNTRIES[country].prices[channel]


def _parts(channel: int, country: int, draw: int) -> int:
    if channel != SMS or not happens(draw, COUNTRIES[country].parts):
        return 1
    return 3 if draw == 0 else 2


def _delivery(carrier: Network, at: int, draws: bytes, verified: int) -> tuple[int, int]:
    """When a message leaves the queue, and when its receipt comes."""
    sent = at + round(carrier.queue * 1000) * _SPREAD[draws[0]] + draws[1]
    if draws[0] >= _STUCK_FROM and not verified:
        sent += HOUR + draws[1] * 2 * MINUTE
    received = sent + round(carrier.delivery * 1000) * _SPREAD[draws[2]] + draws[3]
    if draws[2] >= _LATE_FROM:
        received += MINUTE + draws[3] * MINUTE
    return sent, received


def _total(odd: int, attempts: tuple[PlannedAttempt, ...]) -> int | None:
    if not all(attempt.priced for attempt in attempts):
        return None
    total = sum(attempt.charge for attempt in attempts)
    # Two of the oddities lie in the total alone, so that its lines stay believable.
    if odd == TOTAL_ABOVE:
        return total + TOTAL_ABOVE_BY
    return total - total // 2 if odd == TOTAL_BELOW else total


def _final_status(channel: int, outcome: int, draw: int) -> str:
    if outcome == NOT_REACHED and channel == VOICE:
        return _UNANSWERED[draw & 3]
    if outcome == REACHED and channel not in (SMS, VOICE) and happens(draw, 0.55):
        return "read"
    return _STATUSES[channel][outcome]


def key_of(seed: bytes, number: int) -> str:
    """The key of the record of that number, in the form of a random UUID.

    Example:
        >>> number_of(b"seed", key_of(b"seed", 127))
        127
    """
    # The number stands in the last 12 digits, hidden by the others: a record is found by its key
    # in no time, without a table of a million keys, and keys look as random as real ones.
    head = blake2b(number.to_bytes(8, "big"), key=seed, digest_size=8).hexdigest()
    last = number ^ (int(head, 16) * _SCATTER & _LAST)
    variant = "89ab"[int(head[15], 16) & 3]
    return f"{head[:8]}-{head[8:12]}-4{head[12:15]}-{variant}{head[13:16]}-{last:012x}"


def number_of(seed: bytes, key: str) -> int | None:
    """The number that a key was made of, or ``None`` if it was not made here.

    Example:
        >>> number_of(b"seed", "../../Message") is None
        True
    """
    if not _FORM.fullmatch(key):
        return None
    head = key[:8] + key[9:13] + key[15:18] + key[22]
    number = int(key[24:], 16) ^ (int(head, 16) * _SCATTER & _LAST)
    return number if key_of(seed, number) == key else None
