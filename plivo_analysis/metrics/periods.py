"""Hours, days, weeks and months of any time zone, alike on every engine.

No engine buckets time for us: week starts, zones and a session's own zone differ. An engine
groups by ticks, whole quarters of an hour since 1970 in UTC, of which every offset in use is
a multiple; the few ticks that come back are put into buckets here, with the zone's own rules.
Metrics, report and figures all take the starts of their periods from here, as instants: two
calendars joined by the text of a wall clock lose what one of them spells another way.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from plivo_analysis.api.checks import shown_value
from plivo_analysis.errors import FilterError

EVERY = ("1h", "1d", "1w", "1mo")

_QUARTER = 900_000_000
_DAY = 86_400_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def zone_of(tz: str | ZoneInfo) -> ZoneInfo:
    """A time zone, checked.

    Args:
        tz: The name of an IANA time zone, or a ``ZoneInfo`` made of one.

    Raises:
        FilterError: There is no such zone.

    Example:
        >>> zone_of("Europe/Paris") is zone_of(ZoneInfo("Europe/Paris"))
        True
    """
    name = tz.key if isinstance(tz, ZoneInfo) else tz
    try:
        pl.Series(dtype=pl.Datetime("us", name))  # some systems name more than the IANA does
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError, TypeError, pl.exceptions.ComputeError):
        raise FilterError(
            f"tz is {shown_value(tz)}; it is the name of an IANA time zone, as 'Europe/Paris'."
        ) from None


@dataclass(frozen=True, slots=True)
class Buckets:
    """Buckets of time: their length and their zone.

    A day that has no midnight starts where the clock goes on; an hour that comes twice is two
    hours; where a clock is put back by half an hour, that hour has ninety minutes.

    Args:
        every: ``"1h"``, ``"1d"``, ``"1w"`` (from Monday) or ``"1mo"``.
        tz: The name of an IANA time zone.

    Example:
        >>> Buckets("1d", "Asia/Kolkata").tick
        900000000
    """

    every: str
    tz: str

    @classmethod
    def of(cls, *, every: str | None, tz: str | ZoneInfo) -> Buckets | None:
        """Checked buckets; None where no period is wanted.

        Raises:
            FilterError: There is no such length or zone.
        """
        name = zone_of(tz).key
        if every is None:
            return None
        if not isinstance(every, str) or every not in EVERY:
            choices = ", ".join(map(repr, EVERY))
            raise FilterError(f"every is {shown_value(every)}; it can be {choices}.")
        return cls(every, name)

    @property
    def tick(self) -> int:
        """The microseconds of a tick: a quarter of an hour, a day where that is fine enough."""
        return _DAY if self.tz == "UTC" and self.every != "1h" else _QUARTER

    def start(self, instant: datetime) -> datetime:
        """The start of the bucket that an instant is in, in the zone.

        Example:
            >>> cairo = Buckets("1d", "Africa/Cairo")  # where 24 April 2026 has no midnight
            >>> cairo.start(datetime(2026, 4, 24, 12, tzinfo=UTC)).isoformat()
            '2026-04-24T01:00:00+03:00'
        """
        start = _start(self.every, self.tz, (instant - _EPOCH) // _MICROSECOND)
        return (_EPOCH + start * _MICROSECOND).astimezone(zone_of(self.tz))

    def starts(self, first: datetime, last: datetime) -> list[datetime]:
        """The start of every bucket that ``[first, last)`` touches, in order, in the zone.

        A metric has no row for a bucket without rows; a page or an axis shows it all the same.

        Args:
            first: The start of the range, aware.
            last: Its end, excluded, aware.

        Example:
            >>> night = datetime(2026, 11, 1, 4, tzinfo=UTC), datetime(2026, 11, 1, 8, tzinfo=UTC)
            >>> [f"{at:%H %z}" for at in Buckets("1h", "America/New_York").starts(*night)]
            ['00 -0400', '01 -0400', '01 -0500', '02 -0500']
        """
        # Two times of one zone are subtracted by their wall clocks; in UTC they are instants.
        first, last = first.astimezone(UTC), last.astimezone(UTC)
        if first >= last:
            return []
        # No hour is shorter than a quarter, and no day than six hours.
        step = (_QUARTER if self.every == "1h" else _DAY // 4) * _MICROSECOND
        instants = [first + n * step for n in range((last - first) // step + 1)]
        within = [*(instant for instant in instants if instant < last), last - _MICROSECOND]
        found = {start.astimezone(UTC): start for start in map(self.start, within)}
        return list(found.values())

    def named(self, counted: pl.DataFrame, tick: str, period: str) -> pl.DataFrame:
        """What was counted by ticks, each tick replaced by the start of its bucket, put first.

        Args:
            counted: One row a group, of which ticks are a part.
            tick: The column of ticks; a null stays null.
            period: The name of the column that replaces it, in the zone.
        """
        ticks = counted[tick].cast(pl.Int64)
        known = ticks.drop_nulls().unique().to_list()
        starts = [_start(self.every, self.tz, number * self.tick) for number in known]
        instants = ticks.replace_strict(known, starts, default=None, return_dtype=pl.Int64)
        local = instants.cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(self.tz)
        return counted.drop(tick).insert_column(0, local.alias(period))


@lru_cache(maxsize=65536)
def _start(every: str, tz: str, microseconds: int) -> int:
    """The start of the bucket that an instant is in, both in microseconds since 1970 in UTC."""
    of_zone = ZoneInfo(tz)
    local = (_EPOCH + microseconds * _MICROSECOND).astimezone(of_zone)
    if every == "1h":
        # The fold stays, so that the two hours of one name in autumn keep apart.
        start = local.replace(minute=0, second=0, microsecond=0)
    else:
        day = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0, tzinfo=None)
        if every == "1w":
            day -= timedelta(days=day.weekday())
        elif every == "1mo":
            day = day.replace(day=1)
        # A midnight that the clock jumps over is taken with the offset before the jump, which
        # is the instant of the jump.
        start = day.replace(tzinfo=of_zone)
    return (start.astimezone(UTC) - _EPOCH) // _MICROSECOND
