"""Hours, days, weeks and months of any time zone, alike on every engine.

Engines do not bucket time alike: the starts of weeks, the zones they know and a session's own
zone differ. So an engine groups by ticks, whole numbers that it computes from microseconds since
1970: days of the zone's own calendar, or parts of an hour. The few ticks that come back are put
into buckets here, by the zone's own rules. Metrics, report and figures take the starts of their
periods from here, as instants: two tables joined by the text of a wall clock lose the rows that
one of them spells in another way.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import gcd
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import narwhals as nw
import polars as pl

from plivo_analysis.api.checks import checked_word, shown_value
from plivo_analysis.errors import FilterError
from plivo_analysis.metrics.engines import TICK, collect, with_microseconds
from plivo_analysis.values.spans import DAY, HOUR, from_us, to_us

EVERY = ("1h", "1d", "1w", "1mo")
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
        >>> berlin = Buckets("1w", "Europe/Berlin")
        >>> berlin.start(datetime(2026, 10, 14, tzinfo=UTC)).isoformat()
        '2026-10-12T00:00:00+02:00'
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
        return cls(checked_word("every", every, EVERY), name)

    def start(self, instant: datetime) -> datetime:
        """The start of the bucket that an instant is in, in the zone.

        Example:
            >>> cairo = Buckets("1d", "Africa/Cairo")  # where 24 April 2026 has no midnight
            >>> cairo.start(datetime(2026, 4, 24, 12, tzinfo=UTC)).isoformat()
            '2026-04-24T01:00:00+03:00'
        """
        local = instant.astimezone(ZoneInfo(self.tz))
        if self.every == "1h":
            # The fold stays, so that the two hours of one name in autumn keep apart.
            start = local.replace(minute=0, second=0, microsecond=0)
        else:
            start = self._midnight(local)
        # Through UTC and back, a wall time that a jump leaves out becomes the one after the jump.
        return start.astimezone(UTC).astimezone(start.tzinfo)

    def starts(self, first: datetime, last: datetime) -> list[datetime]:
        """The start of every bucket that ``[first, last)`` touches, in order, in the zone.

        A metric has no row for a bucket without rows, but a page or an axis shows it.

        Args:
            first: The start of the range, aware.
            last: Its end, excluded, aware.

        Example:
            >>> night = datetime(2026, 11, 1, 4, tzinfo=UTC), datetime(2026, 11, 1, 8, tzinfo=UTC)
            >>> [f"{at:%H %z}" for at in Buckets("1h", "America/New_York").starts(*night)]
            ['00 -0400', '01 -0400', '01 -0500', '02 -0500']
        """
        # Python subtracts two times of one zone by their wall clocks; in UTC they are instants.
        first, last = first.astimezone(UTC), last.astimezone(UTC)
        if first >= last:
            return []
        # No hour is shorter than a quarter, and no day than six hours.
        step = timedelta(minutes=15) if self.every == "1h" else timedelta(hours=6)
        instants = [first + n * step for n in range((last - first) // step + 1)]
        within = [*(instant for instant in instants if instant < last), last - _MICROSECOND]
        found = {start.astimezone(UTC): start for start in map(self.start, within)}
        return list(found.values())

    def ticked(self, lazy: nw.LazyFrame[Any], instant: str) -> nw.LazyFrame[Any]:
        """The frame with the column ``TICK``, of which every bucket has a few values.

        A tick of days is the midnight before the instant on the zone's own clock, as if that
        clock were UTC: one group a day, where quarters of an hour would be a hundred. The clock's
        difference from UTC is constant between the few instants at which it is changed, so that
        an engine can add it without knowing zones. A tick of hours stays in UTC, where the hour
        that comes twice in autumn is two; it is as long as hours and changes of the zone allow.

        Args:
            lazy: A frame. Its first and last instant are computed at once.
            instant: Its column of instants.
        """
        lazy, us = with_microseconds(lazy, instant), nw.col(TICK)
        (ends,) = collect(lazy.select(us.min().alias("first"), us.max().alias("last")))
        first, last = ends.row(0)
        at_first, changes = (0, {}) if first is None else _clock(ZoneInfo(self.tz), first, last)
        if self.every == "1h":
            # In a zone that is half an hour off, or whose clock is changed by half an hour, a whole
            # hour of UTC would lie in two buckets.
            tick = gcd(HOUR, at_first, *changes, *changes.values())
            return lazy.with_columns((us // tick * tick).alias(TICK))
        wall = us + at_first
        # In the order of time: of all changes before an instant the last one is in force.
        for since, difference in changes.items():
            wall = nw.when(us >= since).then(us + difference).otherwise(wall)
        return lazy.with_columns((wall // DAY * DAY).alias(TICK))

    def named(self, counted: pl.DataFrame, period: str) -> pl.DataFrame:
        """Counts by tick, with the start of each tick's bucket as the first column instead.

        Several ticks of a bucket stay rows of their own, which the caller adds up.

        Args:
            counted: One row for each tick and group; a null tick becomes a null start.
            period: The name of the new column, whose times are in the zone.
        """
        ticks = counted[TICK].cast(pl.Int64)
        # A tick of hours is an instant, whose hour begins in the zone. A tick of days is a midnight
        # on the zone's own clock, and becomes an instant only here.
        known = [from_us(us) for us in ticks.drop_nulls().unique()]
        starts = map(self.start if self.every == "1h" else self._midnight, known)
        instants = ticks.replace_strict(
            list(map(to_us, known)), list(map(to_us, starts)), default=None, return_dtype=pl.Int64
        )
        local = instants.cast(pl.Datetime("us", "UTC")).dt.convert_time_zone(self.tz)
        return counted.drop(TICK).insert_column(0, local.alias(period))

    def _midnight(self, wall: datetime) -> datetime:
        """The first midnight of the day, week or month of a wall clock, read in the zone.

        A midnight that the clock jumps over gets the offset before the jump, which makes it the
        instant of the jump.
        """
        day = wall.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        if self.every == "1w":
            day -= timedelta(days=day.weekday())
        elif self.every == "1mo":
            day = day.replace(day=1)
        return day.replace(tzinfo=ZoneInfo(self.tz))


def _clock(zone: ZoneInfo, first: int, last: int) -> tuple[int, dict[int, int]]:
    """A zone's difference from UTC, in microseconds, and its changes.

    No zone changes its clock twice within a day, so that comparing each day with the next finds
    every change; bisection then finds its instant.

    Args:
        zone: The zone.
        first: The start of a range, in microseconds since 1970 in UTC.
        last: Its end.

    Returns:
        The difference at the start, and each later difference by the instant at which it begins.
    """

    def difference(us: int) -> int:
        return (from_us(us).astimezone(zone).utcoffset() or timedelta()) // _MICROSECOND

    # False before the change and true from it on, so that bisection finds where it begins.
    def beginning(of: int, day: int) -> int:
        return day + bisect_left(range(day, day + DAY), x=True, key=lambda us: difference(us) == of)

    at_first = known = difference(first)
    changes: dict[int, int] = {}
    for day in range(first, last, DAY):
        following = difference(min(day + DAY, last))
        if following != known:
            changes[beginning(following, day)] = known = following
    return at_first, changes
