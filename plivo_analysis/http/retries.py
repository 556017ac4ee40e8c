"""Retry rules: for each kind of setback, how often to try and how long to wait before.

==========================  ==========================================  ==========
setback                     wait                                        tries
==========================  ==========================================  ==========
busy (429), with a header   what it says, plus up to 1 s                5
busy, header over 120 s     none: stop                                  1
busy, without one           one period of the limit, then double, to    5
                            at most 120 s, plus up to a tenth
trouble (408, 425, 5xx,     1·2ⁿ s, at most 30 s, full jitter           5
connection, timeout)
malformed (a 200 that is    as for trouble                              3
no answer, another 2xx)
final (other 4xx, 3xx,      none: stop                                  1
TLS)
==========================  ==========================================  ==========

One loop of our own (in ``transport``) rather than the library's: that one never tries a broken
body again, and may sleep for hours because a header says so. Every try passes the limiter, which
adds its own wait.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from random import Random

LONGEST_WAIT_SECONDS = 120.0
_BACKOFF_SECONDS = 1.0
_BACKOFF_CAP_SECONDS = 30.0
_LEAST_SECONDS = 0.1  # full jitter may give zero, and the first retry must wait, too
_HEADER_JITTER_SECONDS = 1.0
_PERIOD_JITTER = 0.1  # of the wait

# Programs that met one fault together would else try again together.
_jitter = Random()


class Cause(Enum):
    """What sort of setback a try met.

    Example:
        >>> Cause.FINAL.value
        'final'
    """

    BUSY = "busy"
    TROUBLE = "trouble"
    MALFORMED = "malformed"
    FINAL = "final"


TRIES = {
    Cause.BUSY: 5,
    Cause.TROUBLE: 5,
    Cause.MALFORMED: 3,
    Cause.FINAL: 1,
}


@dataclass(frozen=True, slots=True)
class Setback:
    """A try that did not succeed: its kind, and the error to raise if it is the last one.

    Args:
        kind: Decides whether and when to try again.
        error: What to raise otherwise.
        retry_after: The pause that the server asked for, in seconds.
    """

    kind: Cause
    error: BaseException
    retry_after: float | None = None

    def pause(self, met: int, period: float) -> float | None:
        """Seconds to wait before the next try; None to stop.

        Args:
            met: How often this request has met this kind, this time included.
            period: Over how many seconds the server counts requests.

        Example:
            >>> refusal = Setback(Cause.BUSY, Exception())
            >>> [refusal.pause(met, 60.0) for met in (1, 5)]
            [60.0, None]
        """
        if met >= TRIES[self.kind]:
            return None
        if self.kind is not Cause.BUSY:
            longest = min(_BACKOFF_CAP_SECONDS, _BACKOFF_SECONDS * 2.0 ** (met - 1))
            return max(_LEAST_SECONDS, _jitter.uniform(0, longest))
        if self.retry_after is None:
            wait = min(LONGEST_WAIT_SECONDS, period * 2.0 ** (met - 1))
            # The first wait is a whole period without jitter: by then the window is empty.
            return wait * (1 + (_jitter.uniform(0, _PERIOD_JITTER) if met > 1 else 0))
        if self.retry_after > LONGEST_WAIT_SECONDS:
            return None
        return self.retry_after + _jitter.uniform(0, _HEADER_JITTER_SECONDS)
