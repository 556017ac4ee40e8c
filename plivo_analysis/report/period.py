"""The time that a report speaks of: its bounds, its buckets and its name.

Given bounds are taken as they are, half-open. Without them the report speaks of the whole days
from the first session to the last and says so, since nothing is known of the time around.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from plivo_analysis.errors import FilterError
from plivo_analysis.values.typesetting import DASH, MONTHS, day, days, plural

if TYPE_CHECKING:
    from collections.abc import Sequence
    from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
_STEPS = ((timedelta(days=3), "1h"), (timedelta(days=93), "1d"), (timedelta(days=731), "1w"))
_WORDS = {"1h": "hour", "1d": "day", "1w": "week", "1mo": "month"}
_DECEMBER = 12

Bound = datetime | date


@dataclass(frozen=True, slots=True)
class Period:
    """A half-open range of time, on the wall clock of one zone.

    Args:
        start: Its start, aware, in the zone.
        end: Its end, excluded.
        zone: The zone that days are counted in.
        given: Whether the caller named it; else it was read off the sessions.

    Example:
        >>> from zoneinfo import ZoneInfo
        >>> october = Period.of((date(2026, 10, 1), date(2026, 11, 1)), ZoneInfo("UTC"))
        >>> october.title, october.length, october.every
        ('October 2026', '31 days', '1d')
    """

    start: datetime
    end: datetime
    zone: ZoneInfo
    given: bool = True

    @classmethod
    def of(cls, bounds: tuple[Bound, Bound], zone: ZoneInfo) -> Period:
        """The period between two instants; a naive one is UTC, a date is its start in the zone.

        Raises:
            FilterError: When it ends before it starts.
        """
        start, end = (_instant(bound, zone) for bound in bounds)
        if start >= end:
            raise FilterError("The report's period ends before it starts: give (start, end).")
        return cls(start, end, zone)

    @classmethod
    def around(cls, instants: Sequence[datetime], zone: ZoneInfo) -> Period:
        """The whole days that hold some instants, of which there is at least one."""
        first, last = (edge(instants).astimezone(zone) for edge in (min, max))
        start, end = (_midnight(instant.date(), zone) for instant in (first, last + _DAY))
        return cls(start, end, zone, given=False)

    def before(self) -> Period:
        """The period of the same length that ends where this one starts."""
        start = self.start.replace(tzinfo=None) - (
            self.end.replace(tzinfo=None) - self.start.replace(tzinfo=None)
        )
        return Period(start.replace(tzinfo=self.zone), self.start, self.zone)

    @property
    def every(self) -> str:
        """How wide the buckets are that the report shows it in."""
        length = self.end - self.start
        return next((every for below, every in _STEPS if length < below), "1mo")

    @property
    def bucket(self) -> str:
        """The word for one bucket."""
        return _WORDS[self.every]

    @property
    def last(self) -> datetime:
        """The last instant within, for naming its day."""
        return self.end - timedelta(microseconds=1)

    @property
    def title(self) -> str:
        """Its name: a month's, or its days."""
        first, last = self.start.date(), self.last.date()
        following = (self.last + timedelta(seconds=1)).astimezone(self.zone)
        whole = self.start == _midnight(first, self.zone) and following.day == 1
        if whole and first.day == 1 and (first.year, first.month) == (last.year, last.month):
            return f"{MONTHS[first.month - 1]} {first.year}"
        if first.year == last.year:
            return f"{days(first, last)} {last.year}"
        return f"{day(first)} {first.year} {DASH} {day(last)} {last.year}"

    @property
    def said(self) -> str:
        """Its bounds to the minute, with the zone."""
        start, end = (f"{day(at)} {at:%H:%M}" for at in (self.start, self.end))
        return f"{start} {DASH} {end} {self.zone.key}"

    @property
    def length(self) -> str:
        """Its length in days where they are whole, else in hours."""
        wall = self.end.replace(tzinfo=None) - self.start.replace(tzinfo=None)
        if not wall % _DAY:
            return plural(wall // _DAY, "day")
        return plural(round((self.end - self.start) / timedelta(hours=1)), "hour")

    def starts(self) -> list[datetime]:
        """The starts of its buckets on the wall clock, as the metrics name them.

        Example:
            >>> from zoneinfo import ZoneInfo
            >>> days = Period.of((date(2026, 10, 30), date(2026, 11, 2)), ZoneInfo("UTC"))
            >>> [f"{start:%d}" for start in days.starts()][:2]
            ['30', '31']
        """
        end = self.end.astimezone(self.zone).replace(tzinfo=None)
        start = self._floor(self.start.astimezone(self.zone).replace(tzinfo=None))
        found = []
        while start < end:
            found.append(start)
            start = self._next(start)
        return found

    def _floor(self, wall: datetime) -> datetime:
        if self.every == "1h":
            return wall.replace(minute=0, second=0, microsecond=0)
        midnight = wall.replace(hour=0, minute=0, second=0, microsecond=0)
        if self.every == "1w":
            return midnight - timedelta(days=midnight.weekday())
        return midnight if self.every == "1d" else midnight.replace(day=1)

    def _next(self, wall: datetime) -> datetime:
        if self.every == "1mo":
            years, month = divmod(wall.month, _DECEMBER)
            return wall.replace(year=wall.year + years, month=month + 1)
        widths = {"1h": timedelta(hours=1), "1d": _DAY, "1w": timedelta(weeks=1)}
        return wall + widths[self.every]


def _instant(bound: Bound, zone: ZoneInfo) -> datetime:
    if not isinstance(bound, datetime):
        return _midnight(bound, zone)
    aware = bound if bound.tzinfo else bound.replace(tzinfo=UTC)
    return aware.astimezone(zone)


def _midnight(of: date, zone: ZoneInfo) -> datetime:
    return datetime(of.year, of.month, of.day, tzinfo=zone)
