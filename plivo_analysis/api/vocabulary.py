"""The words of the trade: how channels, statuses and outcomes are folded.

The wire spells one thing in several ways (``Expired`` and ``expired``, ``EARLY MEDIA`` and
``early media``). Tables keep the wire's word, trimmed and lower-cased; folding happens when
they are counted, and only through the functions here. ``OUTCOMES`` may be edited: it is the
one place that says which statuses reached a person.

Sources: the attempt statuses of the API's documentation and of the records in the official
SDKs. Early media counts as not reached because the documentation's sample bills it nothing
while an answered call is billed.
"""

from __future__ import annotations

import re
from functools import lru_cache

UNKNOWN = "unknown"
ARROW = " → "

VERIFIED = "verified"
EXPIRED = "expired"
IN_PROGRESS = "in progress"
SETTLED = frozenset({VERIFIED, EXPIRED})
OPEN = frozenset({IN_PROGRESS})

OUTCOMES: dict[str, str] = {
    "delivered": "reached",
    "answer": "reached",
    "answered": "reached",
    "completed": "reached",
    "read": "reached",
    "undelivered": "not_reached",
    "failed": "not_reached",
    "rejected": "not_reached",
    "busy": "not_reached",
    "no answer": "not_reached",
    "timeout": "not_reached",
    "cancel": "not_reached",
    "canceled": "not_reached",
    "cancelled": "not_reached",
    "early media": "not_reached",
    "queued": "pending",
    "sent": "pending",
    "ringing": "pending",
    "initiated": "pending",
    "in progress": "pending",
}

_CHANNEL_SYNONYMS = {"call": "voice"}
_SEPARATORS = re.compile(r"[\s_-]+")


# Remembered: every record is asked for its status several times, and there are few of them.
@lru_cache(maxsize=1024)
def fold_status(status: str | None) -> str | None:
    """A status for comparison: lower case, and one space for each run of separators.

    Example:
        >>> fold_status(" No-Answer ")
        'no answer'
        >>> fold_status("  ") is None
        True
    """
    if status is None:
        return None
    return _SEPARATORS.sub(" ", status.casefold()).strip() or None


@lru_cache(maxsize=1024)
def fold_channel(channel: str | None) -> str:
    """A channel for comparison: ``call`` is ``voice``, nothing is ``unknown``.

    A name not seen before stays itself.

    Example:
        >>> [fold_channel(word) for word in ("SMS", "call", None, " rcs ")]
        ['sms', 'voice', 'unknown', 'rcs']
    """
    word = (channel or "").strip().casefold()
    return _CHANNEL_SYNONYMS.get(word, word) or UNKNOWN


def outcome(status: str | None) -> str:
    """What an attempt's status says of it: reached, not_reached, pending or unknown.

    Example:
        >>> [outcome(word) for word in ("ANSWER", "early_media", "sent", "lost", None)]
        ['reached', 'not_reached', 'pending', 'unknown', 'unknown']
    """
    return OUTCOMES.get(fold_status(status) or "", UNKNOWN)
