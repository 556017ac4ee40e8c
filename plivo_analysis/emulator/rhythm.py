"""When things happen in a generated account: hours of the day, weekdays, a little growth."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

from plivo_analysis.emulator.wiretime import DAY, HOUR, SECOND

if TYPE_CHECKING:
    from random import Random

_HOURS = (
    *(30, 22, 18, 18, 22, 32, 46, 62, 78, 90, 96, 98),
    *(100, 98, 95, 94, 96, 100, 104, 102, 94, 80, 62, 44),
)
_WEEKDAYS = (100, 103, 101, 102, 100, 74, 68)  # from Monday
_FIRST_WEEKDAY = 3  # 1 January 1970 was a Thursday
_GROWTH = 0.0006  # a day
_COARSE = ((0.01, SECOND), (0.05, 1000), (0.08, 100))


def rhythmic_times(random: Random, count: int, first: int, last: int) -> list[int]:
    """Moments of ``[first, last)`` in microseconds, unsorted, after the rhythm.

    Example:
        >>> from random import Random
        >>> [0 <= time < HOUR for time in rhythmic_times(Random(1), 2, 0, HOUR)]
        [True, True]
    """
    starts = range(first, last, HOUR)
    weights = accumulate(_weight(start, first) for start in starts)
    chosen = random.choices(starts, cum_weights=list(weights), k=count)
    draw = random.random
    return [
        coarsened(start + int(draw() * min(HOUR, last - start)), draw(), start) for start in chosen
    ]


def even_times(random: Random, count: int, first: int, last: int) -> list[int]:
    """Moments of ``[first, last)`` without a rhythm.

    Example:
        >>> from random import Random
        >>> even_times(Random(1), 1, 5, 6)
        [5]
    """
    return [first + int(random.random() * (last - first)) for _ in range(count)]


def coarsened(time: int, draw: float, first: int) -> int:
    """A time cut to fewer digits, as some of the service's are; never before ``first``.

    Example:
        >>> coarsened(1_234_567, 0.0, 0), coarsened(1_234_567, 0.5, 0)
        (1000000, 1234567)
    """
    for chance, unit in _COARSE:
        if draw < chance:
            return max(first, time - time % unit)
    return time


def _weight(start: int, first: int) -> float:
    day, in_day = divmod(start, DAY)
    weekday = _WEEKDAYS[(day + _FIRST_WEEKDAY) % 7]
    return _HOURS[in_day // HOUR] * weekday * (1 + _GROWTH * (start - first) / DAY)
