"""Retries: for each kind of setback, how often to try and how long to wait before.

==========================  ==========================================  ==========
setback                     wait                                        tries
==========================  ==========================================  ==========
busy (429), with a header   what it says, plus up to 1 s                5
busy, header over 120 s     none: stop                                  1
busy, without one           one period of the limit, then double, to    5
                            at most 120 s, plus up to a tenth
trouble (5xx, connection)   1·2ⁿ s, at most 30 s, full jitter           5
malformed                   as for trouble                              3
final (4xx, 3xx, TLS)       none: stop                                  1
==========================  ==========================================  ==========

One loop of our own rather than the library's: that one never tries a broken body again, and
may sleep for hours on a header's word. Every try passes the limiter, which adds its own wait.
"""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

LONGEST = 120.0  # seconds that one wait may take
_BACKOFF = 1.0
_BACKOFF_CAP = 30.0
_LEAST = 0.1  # full jitter may say zero, and the first retry must wait, too
_HEADER_JITTER = 1.0
_PERIOD_JITTER = 0.1


class Kind(Enum):
    """What sort of setback a try met.

    Example:
        >>> Kind.FINAL.value
        'final'
    """

    BUSY = "busy"
    TROUBLE = "trouble"
    MALFORMED = "malformed"
    FINAL = "final"


TRIES = {Kind.BUSY: 5, Kind.TROUBLE: 5, Kind.MALFORMED: 3, Kind.FINAL: 1}


def pause(
    kind: Kind, met: int, *, retry_after: float | None, period: float, random: Random
) -> float | None:
    """Seconds to wait before the next try; None to stop.

    Args:
        kind: The setback.
        met: How often this request has met this kind, this time included.
        retry_after: What the server asked for, in seconds.
        period: Over how many seconds the server counts requests.
        random: Where jitter comes from.

    Example:
        >>> from random import Random
        >>> pause(Kind.FINAL, 1, retry_after=None, period=60.0, random=Random(0)) is None
        True
        >>> pause(Kind.BUSY, 1, retry_after=None, period=60.0, random=Random(0))
        60.0
    """
    if met >= TRIES[kind]:
        return None
    if kind is not Kind.BUSY:
        return max(_LEAST, random.uniform(0, min(_BACKOFF_CAP, _BACKOFF * 2.0 ** (met - 1))))
    if retry_after is None:
        wait = min(LONGEST, period * 2.0 ** (met - 1))
        return wait * (1 + (random.uniform(0, _PERIOD_JITTER) if met > 1 else 0))
    if retry_after > LONGEST:
        return None
    return retry_after + random.uniform(0, _HEADER_JITTER)
