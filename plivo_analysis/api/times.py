"""Times that a caller gives: every form of ``since`` and ``until``, to one instant in UTC.

A form that could mean two things is refused rather than guessed, because a wrong range looks
like a right answer. A time without an offset is UTC, as everything of the API is; a date is a
midnight in the zone that its caller counts days in.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, tzinfo

from plivo_analysis.api.checks import wrong_value
from plivo_analysis.errors import FilterError

DEFAULT_SPAN = timedelta(hours=24)

_FORMS = 'a datetime, a date, a timedelta, "2026-10-01", "2026-10-01T12:00Z", "24h", "7d" or "2w"'
_LENGTH = re.compile(r"([0-9]{1,6}) ?([smhdw])", re.IGNORECASE)
_UNITS = {
    "s": timedelta(seconds=1),
    "m": timedelta(minutes=1),
    "h": timedelta(hours=1),
    "d": timedelta(days=1),
    "w": timedelta(weeks=1),
}
# Narrower than Python's own ISO reader, which takes weeks and times without any sign between.
_ISO = re.compile(
    r"(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})"
    r"(?:[T ](?P<clock>[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?)"
    r" ?(?P<zone>Z|[+-][0-9]{2}:?[0-9]{2})?)?",
    re.IGNORECASE,
)


def parse_instant(value: object, *, now: datetime, name: str, zone: tzinfo = UTC) -> datetime:
    """One bound of a time range, in UTC.

    Args:
        value: An aware or naive (= UTC) ``datetime``, a ``date`` (midnight at its start), an ISO
            string, or a ``timedelta`` or text such as ``"24h"`` to count back from ``now``.
        now: The account's now, aware.
        name: The argument's name, for the message.
        zone: Where a date begins at midnight.

    Raises:
        FilterError: The value is none of these.

    Example:
        >>> now = datetime(2026, 11, 2, 7, tzinfo=UTC)
        >>> parse_instant("7d", now=now, name="since").isoformat()
        '2026-10-26T07:00:00+00:00'
        >>> parse_instant("2026-10-01 12:00+05:30", now=now, name="since").isoformat()
        '2026-10-01T06:30:00+00:00'
        >>> from zoneinfo import ZoneInfo
        >>> kolkata = ZoneInfo("Asia/Kolkata")
        >>> parse_instant("2026-10-01", now=now, name="since", zone=kolkata).isoformat()
        '2026-09-30T18:30:00+00:00'
    """
    instant, back = None, read_length(value)
    if back is None:
        instant = read_instant(value, zone)
    elif back >= timedelta(0):  # a span that points ahead has no meaning here
        with suppress(ValueError, OverflowError):
            instant = _plain(now - back)
    if instant is None:
        raise wrong_value(name, value, _FORMS)
    return instant


def read_length(value: object) -> timedelta | None:
    """A ``timedelta``, or text such as ``"90s"``, ``"30m"``, ``"24h"``, ``"7d"``, as a length.

    Args:
        value: What a caller gave as a length of time; None is the answer to anything else.

    Example:
        >>> read_length("90s"), read_length("2 W"), read_length("2026-10-01")
        (datetime.timedelta(seconds=90), datetime.timedelta(days=14), None)
    """
    if isinstance(value, timedelta):
        return value
    length = _LENGTH.fullmatch(value.strip()) if isinstance(value, str) else None
    return int(length[1]) * _UNITS[length[2].lower()] if length else None


def read_instant(value: object, zone: tzinfo = UTC) -> datetime | None:
    """A datetime, a date or ISO text as an instant in UTC; None for anything else.

    Args:
        value: What a caller gave as a time; text may name a day that no calendar has.
        zone: Where a date begins at midnight.

    Example:
        >>> str(read_instant("2026-10-01")), read_instant("2026-10-32"), read_instant("7d")
        ('2026-10-01 00:00:00+00:00', None, None)
    """
    try:
        if isinstance(value, datetime):
            # NaT, pandas' missing time, is a datetime that differs from itself.
            return _plain(value) if value == value else None  # noqa: PLR0124
        if isinstance(value, date):
            return _midnight(value, zone)
        iso = _ISO.fullmatch(value.strip()) if isinstance(value, str) else None
        if iso is None:
            return None
        if iso["clock"] is None:
            return _midnight(date.fromisoformat(iso["day"]), zone)
        # Digits beyond the microsecond are finer than any time of the API.
        clock = iso["clock"][: len("00:00:00.000000")]
        offset = (iso["zone"] or "Z").upper()
        return _plain(datetime.fromisoformat(f"{iso['day']}T{clock}{offset}"))
    except (ValueError, OverflowError):  # the 32nd of a month, the year 10000
        return None


def parse_range(
    since: object, until: object, *, now: datetime, zone: tzinfo = UTC
) -> tuple[datetime, datetime]:
    """A half-open range ``[since, until)`` in UTC.

    Args:
        since: Its start; by default 24 hours before its end, as in the API.
        until: Its end; by default ``now``.
        now: The account's now, aware.
        zone: Where a date begins at midnight.

    Raises:
        FilterError: A bound has no known form, or the range holds no time.

    Example:
        >>> now = datetime(2026, 11, 2, 7, tzinfo=UTC)
        >>> [str(bound) for bound in parse_range("2026-11-01", None, now=now)]
        ['2026-11-01 00:00:00+00:00', '2026-11-02 07:00:00+00:00']
    """
    end = parse_instant(now if until is None else until, now=now, name="until", zone=zone)
    if since is None:
        start = parse_instant(DEFAULT_SPAN, now=end, name="since")
    else:
        start = parse_instant(since, now=now, name="since", zone=zone)
    if start >= end:
        how = "is empty" if start == end else "ends before it starts"
        raise FilterError(
            f"The time range {how}: since is {start:%Y-%m-%d %H:%M:%S} UTC and until is "
            f"{end:%Y-%m-%d %H:%M:%S} UTC. Give a since that is earlier than until."
        )
    return start, end


def api_time(instant: datetime) -> str:
    """An instant as the API takes it: UTC, a space between, a fraction only where there is one.

    Example:
        >>> api_time(datetime(2026, 10, 1, 12, 0, 0, 250000, tzinfo=UTC))
        '2026-10-01 12:00:00.250000'
    """
    return instant.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ")


def _midnight(day: date, zone: tzinfo) -> datetime:
    """The start of a day; where the clock skips midnight, the instant at which it does."""
    return _plain(datetime(day.year, day.month, day.day, tzinfo=zone))


def _plain(moment: datetime) -> datetime:
    """A datetime of the standard library in UTC, whatever subclass was given."""
    # A pandas Timestamp is a datetime that counts nanoseconds and compares in its own way.
    aware = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return datetime.combine(aware.date(), aware.time(), UTC)
