"""The time that a report speaks of: its bounds, its buckets and its name.

Given bounds are taken as they are, half-open. Without them the report speaks of the whole days
from the first session to the last and says so, since nothing is known of the time around.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from plivo_analysis.api.checks import shown_value
from plivo_analysis.api.times import read_instant
from plivo_analysis.errors import FilterError
from plivo_analysis.metrics.periods import Buckets
from plivo_analysis.values.typesetting import DASH, MONTHS, day, days, plural

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
# Up to three days by hour, three months by day, two years by week: about a hundred bars at most.
_STEPS = ((timedelta(days=3), "1h"), (timedelta(days=93), "1d"), (timedelta(days=731), "1w"))
_WORDS = {"1h": "hour", "1d": "day", "1w": "week", "1mo": "month"}
_FORMS = 'a date such as "2026-10-01" (its midnight in tz), a datetime, or both as ISO text'

Bound = datetime | date | str


@dataclass(frozen=True)
class Period:
    """A half-open range of time, on the wall clock of one zone.

    Args:
        start: Its start, aware, in the zone.
        end: Its end, excluded.
        zone: The zone that days are counted in.
        given: Whether the caller named it; else it was read off the sessions.

    Example:
        >>> from zoneinfo import ZoneInfo
        >>> october = Period.of(("2026-10-01", "2026-11-01"), ZoneInfo("UTC"))
        >>> october.title, october.length, october.every
        ('October 2026', '31 days', '1d')
    """

    start: datetime
    end: datetime
    zone: ZoneInfo
    given: bool = True

    @classmethod
    def of(cls, bounds: Any, zone: ZoneInfo) -> Period:
        """The period between two instants.

        Args:
            bounds: Its start and its end, excluded. A date, as ``date`` or as text, is its
                start in the zone; a time without a zone is UTC, as in the loaders.
            zone: The zone that days are counted in.

        Raises:
            FilterError: A bound has no known form, or the period holds no time.
        """
        if not isinstance(bounds, (tuple, list)) or len(bounds) != 2:  # noqa: PLR2004
            shown = shown_value(bounds)
            raise FilterError(f"period is (start, end), each {_FORMS}; this is {shown}.")
        start, end = (_instant(bound, zone) for bound in bounds)
        # In UTC: of two times in one zone Python compares the wall clocks, which run twice through
        # the hour at which summer time ends.
        if start.astimezone(UTC) >= end.astimezone(UTC):
            raise FilterError("The report's period ends before it starts: give (start, end).")
        return cls(start, end, zone)

    @classmethod
    def around(cls, instants: Sequence[datetime], zone: ZoneInfo) -> Period:
        """The whole days that hold some instants, of which there is at least one."""
        day = Buckets("1d", zone.key)
        last = max(instants).astimezone(zone)
        return cls(day.start(min(instants)), day.start(last + _DAY), zone, given=False)

    def before(self) -> Period:
        """The period that this one is compared with: it ends where this one starts.

        Calendar months are compared with as many calendar months, though their lengths differ;
        any other period with one of the same length.

        Example:
            >>> from zoneinfo import ZoneInfo
            >>> march = Period.of(("2026-03-01", "2026-04-01"), ZoneInfo("UTC"))
            >>> march.before().title, march.before().days
            ('February 2026', 28)
        """
        start = self.start
        # The day before a start is in the month before, whose start is then known by its bucket:
        # a month has no length to subtract, and a day of summer time's end has 25 hours.
        if self.months:
            for _ in range(self.months):
                start = Buckets("1mo", self.zone.key).start(start - _DAY)
        elif self._whole_days:
            start = self._day.start(start - self.days * _DAY)
        else:  # to UTC and back, or it could be a time that the clock skipped in spring
            start = (start - self._wall).astimezone(UTC).astimezone(self.zone)
        return Period(start, self.start, self.zone)

    @property
    def months(self) -> int:
        """How many calendar months it is made of; 0 where it is not made of whole ones."""
        if not self._whole_days or self.start.day != 1 or self.end.day != 1:
            return 0
        return (self.end.year - self.start.year) * 12 + self.end.month - self.start.month

    @property
    def days(self) -> int:
        """How many days it has, a part of a day left out."""
        if self._whole_days:
            return (self.end.date() - self.start.date()).days
        return self._wall // _DAY

    @property
    def every(self) -> str:
        """How wide the buckets are that the report shows it in."""
        return next((every for below, every in _STEPS if self._wall < below), "1mo")

    @property
    def bucket(self) -> str:
        """The word for one bucket."""
        return _WORDS[self.every]

    @property
    def last(self) -> datetime:
        """The last instant within, for naming its day."""
        return (self.end.astimezone(UTC) - timedelta(microseconds=1)).astimezone(self.zone)

    @property
    def title(self) -> str:
        """Its name: a month's, or its days."""
        first, last = self.start.date(), self.last.date()
        if self.months == 1:
            return f"{MONTHS[first.month - 1]} {first.year}"
        if first.year == last.year:
            return f"{days(first, last)} {last.year}"
        return f"{day(first)} {first.year} {DASH} {day(last)} {last.year}"

    @property
    def bounds(self) -> str:
        """Its bounds to the minute, with the zone."""
        # A day without midnight is named by its date: the clock skips what is not shown.
        start, end = (f"{day(at)} {at:%H:%M}" for at in (self.start, self.end))
        return f"{start} {DASH} {end} {self.zone.key}"

    @property
    def length(self) -> str:
        """How long it is, in words."""
        if self._whole_days or not self._wall % _DAY:
            return plural(self.days, "day")
        elapsed = self.end.astimezone(UTC) - self.start.astimezone(UTC)
        if elapsed >= 3 * _DAY:  # 2,159 hours say little
            return f"{elapsed / _DAY:.1f} days"
        return plural(round(elapsed / timedelta(hours=1)), "hour")

    @cached_property
    def starts(self) -> list[datetime]:
        """The starts of its buckets, in the zone, as the metrics name them.

        Example:
            >>> from zoneinfo import ZoneInfo
            >>> night = Period.of(("2026-11-01", "2026-11-02"), ZoneInfo("America/New_York"))
            >>> len(night.starts)
            25
        """
        return Buckets(self.every, self.zone.key).starts(self.start, self.end)

    @property
    def _wall(self) -> timedelta:
        """Its length on the wall clock: from noon to noon is a day, also where it had 23 hours."""
        return self.end - self.start  # of two times in one zone, Python subtracts the wall clocks

    @property
    def _day(self) -> Buckets:
        return Buckets("1d", self.zone.key)

    @property
    def _whole_days(self) -> bool:
        return all(self._day.start(at) == at for at in (self.start, self.end))


def _instant(bound: Any, zone: ZoneInfo) -> datetime:
    instant = read_instant(bound, zone)
    if instant is None:
        shown = shown_value(bound)
        raise FilterError(f"period is (start, end), each {_FORMS}; {shown} is neither.")
    return instant.astimezone(zone)
