"""The plan of generated sessions: a few arrays, from which everything about a row follows.

A row takes 26 bytes. What filters look at, and what decides over money and status, is stored;
``session_state`` works out the rest whenever a row is looked at.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from hashlib import blake2b
from itertools import product
from operator import attrgetter
from typing import NamedTuple

from plivo_analysis.emulator.times import SECOND
from plivo_analysis.emulator.traffic_model import CHANNELS

IN_PROGRESS, VERIFIED, EXPIRED = "in-progress", "verified", "expired"
REACHED, NOT_REACHED, FAILED, PENDING = range(4)
# The channels of one to four attempts, in every order.
PATHS = tuple(
    path for length in (1, 2, 3, 4) for path in product(range(len(CHANNELS)), repeat=length)
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
# Until the next attempt: 6 to 168 seconds by a person's patience (0 to 255), even on a logarithmic
# scale. A hash moves each wait by up to 15 %.
PATIENCE_LEVELS = 256
WAITS: tuple[int, ...] = tuple(
    round(6 * SECOND * 28 ** (patience / 255)) for patience in range(PATIENCE_LEVELS)
)


class Row(NamedTuple):
    """What is drawn of one session, in the order of the plan's columns.

    The rest of it follows from its place in the plan.

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
        self.settles = array("H")  # in SETTLE_UNITs, so that two bytes reach 72 hours
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
        values = (row.time, row.open_for // SETTLE_UNIT + 1, *row[2:])
        for column, value in zip(self.columns, values, strict=True):
            column.append(value)

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
