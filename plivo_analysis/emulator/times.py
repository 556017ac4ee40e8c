"""Times: whole microseconds since 1970 inside, the service's several spellings outside.

Integers compare, sort and pack into arrays; the clock arithmetic of the account never meets a
rounded float. Spellings written: ``T`` or space, ``Z`` or an Indian offset, and a fraction
without its trailing zeros, as in the records that the service's documentation prints.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
ZERO_DATE = "0001-01-01T05:53:28+05:53"  # how the service spells a time that never was

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INDIA = 5 * HOUR + 30 * MINUTE
_MICROSECOND = timedelta(microseconds=1)
_BOUND = re.compile(r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?", re.ASCII)


def to_micros(instant: datetime) -> int:
    """An aware time as microseconds since 1970.

    Example:
        >>> to_micros(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
        1000000
    """
    return (instant - _EPOCH) // _MICROSECOND


def to_datetime(micros: int) -> datetime:
    """Microseconds since 1970 as an aware time in UTC.

    Example:
        >>> to_datetime(1_000_000).isoformat()
        '1970-01-01T00:00:01+00:00'
    """
    return _EPOCH + timedelta(microseconds=micros)


def read_bound(text: str) -> int:
    """A time of a filter, ``YYYY-MM-DD HH:MM[:ss[.uuuuuu]]`` in UTC.

    Raises:
        ValueError: The text is not of that form, or no such date exists.

    Example:
        >>> read_bound("1970-01-01 00:01")
        60000000
    """
    if not _BOUND.fullmatch(text):
        raise ValueError(text)
    return to_micros(datetime.fromisoformat(text).replace(tzinfo=UTC))


def read_time(text: object) -> int | None:
    """A time of a record, in any spelling; nothing where it cannot be read.

    Example:
        >>> read_time("1970-01-01T05:30:00.5+05:30"), read_time("soon")
        (500000, None)
    """
    try:
        instant = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return to_micros(instant if instant.tzinfo else instant.replace(tzinfo=UTC))


def write_time(micros: int, *, in_india: bool = False, separator: str = "T") -> str:
    """A time as the service writes it: up to six digits of fraction, no trailing zeros.

    Example:
        >>> write_time(1_433_600)
        '1970-01-01T00:00:01.4336Z'
        >>> write_time(1_000_000, in_india=True, separator=" ")
        '1970-01-01 05:30:01+05:30'
    """
    wall = to_datetime(micros + _INDIA if in_india else micros).replace(tzinfo=None)
    # The fraction is always printed, so that only its zeros and its point can be stripped.
    text = wall.isoformat(separator, "microseconds").rstrip("0").rstrip(".")
    return text + ("+05:30" if in_india else "Z")
