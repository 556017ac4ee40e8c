"""Hours, days, weeks and months of any time zone, alike on every engine.

No engine buckets time for us: week starts, zones and a session's own zone differ. An engine
groups by ticks, whole quarters of an hour since 1970 in UTC, of which every offset in use is
a multiple; the few ticks that come back are put into buckets here, with the zone's own rules.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from plivo_analysis.errors import FilterError

EVERY = ("1h", "1d", "1w", "1mo")

_QUARTER = 900_000_000
_DAY = 86_400_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Buckets:
    """Buckets of time: their length and their zone.

    Args:
        every: ``"1h"``, ``"1d"``, ``"1w"`` (from Monday) or ``"1mo"``.
        tz: An IANA time zone.

    Example:
        >>> Buckets.of(every="1d", tz="Asia/Kolkata").tick
        900000000
    """

    every: str
    tz: str

    @classmethod
    def of(cls, *, every: str | None, tz: str) -> Buckets | None:
        """Checked buckets; None where no period is wanted.

        Raises:
            FilterError: There is no such length or zone.
        """
        _zone(tz)
        if every is None:
            return None
        if every not in EVERY:
            raise FilterError(f"every is {every!r}; it can be {', '.join(map(repr, EVERY))}.")
        return cls(every, tz)

    @property
    def tick(self) -> int:
        """The microseconds of a tick: a quarter of an hour, a day where that is fine enough."""
        return _DAY if self.tz == "UTC" and self.every != "1h" else _QUARTER

    def start(self, tick: int | None) -> int | None:
        """The start of the bucket that a tick is in, in microseconds since 1970 in UTC.

        A day that has no midnight starts where the clock goes on; an hour that comes twice
        is two hours; where a clock is put back by half an hour, that hour has ninety minutes.

        Example:
            >>> Buckets("1d", "Asia/Kolkata").start(0)
            -19800000000
        """
        return None if tick is None else _start(self.every, self.tz, tick * self.tick)


@lru_cache(maxsize=65536)
def _start(every: str, tz: str, microseconds: int) -> int:
    zone = _zone(tz)
    local = (_EPOCH + timedelta(microseconds=microseconds)).astimezone(zone)
    if every == "1h":
        start = local.replace(minute=0, second=0, microsecond=0)
    else:
        day = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0, tzinfo=None)
        if every == "1w":
            day -= timedelta(days=day.weekday())
        elif every == "1mo":
            day = day.replace(day=1)
        start = day.replace(tzinfo=zone)
    return (start.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)


@lru_cache(maxsize=64)
def _zone(tz: str) -> ZoneInfo:
    try:
        pl.Series(dtype=pl.Datetime("us", tz))  # some systems name more than the IANA does
        return ZoneInfo(tz)
    except (ZoneInfoNotFoundError, OSError, ValueError, TypeError, pl.exceptions.ComputeError):
        raise FilterError(
            f"tz is {tz!r}; it is the name of an IANA time zone, as 'Europe/Paris'."
        ) from None
