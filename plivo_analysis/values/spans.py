"""Ranges of time: half-open, in whole microseconds since 1970, and their arithmetic.

Integers, because a bound that is rounded once is a row that is lost once. Requests and
completed ranges use whole minutes, rounded outward: a server that understands only minutes would
otherwise lose the rows at the edge of a range, and nothing would notice it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_us(instant: datetime) -> int:
    """An aware datetime as microseconds since 1970.

    Example:
        >>> to_us(datetime(1970, 1, 1, 0, 1, tzinfo=UTC))
        60000000
    """
    return (instant - _EPOCH) // _MICROSECOND


def from_us(us: int) -> datetime:
    """Microseconds since 1970 as a datetime in UTC.

    Example:
        >>> from_us(60_000_000).isoformat()
        '1970-01-01T00:01:00+00:00'
    """
    return _EPOCH + timedelta(microseconds=us)


def floor(us: int, step: int) -> int:
    """The last multiple of a step at or before an instant.

    Example:
        >>> floor(119 * SECOND, MINUTE) == MINUTE
        True
    """
    return us - us % step


def ceil(us: int, step: int) -> int:
    """The first multiple of a step at or after an instant.

    Example:
        >>> ceil(61 * SECOND, MINUTE) == 2 * MINUTE
        True
    """
    return -(-us // step) * step


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A range of time, ``start`` included, ``end`` not.

    Example:
        >>> Span(0, MINUTE).length == MINUTE
        True
    """

    start: int
    end: int

    @property
    def length(self) -> int:
        """Its length in microseconds; never negative."""
        return max(0, self.end - self.start)

    def __contains__(self, us: int) -> bool:
        return self.start <= us < self.end

    def clip(self, other: Span) -> Span:
        """The part that lies within another span; it may be empty."""
        return Span(max(self.start, other.start), min(self.end, other.end))

    def outward(self, step: int) -> Span:
        """The smallest span around this one that begins and ends on a step."""
        return Span(floor(self.start, step), ceil(self.end, step))

    def datetimes(self) -> tuple[datetime, datetime]:
        """The two ends as datetimes in UTC."""
        return from_us(self.start), from_us(self.end)


def merge(spans: Iterable[Span]) -> list[Span]:
    """The same instants as disjoint spans in order, touching ones joined.

    Example:
        >>> merge([Span(5, 9), Span(0, 5), Span(20, 30)])
        [Span(start=0, end=9), Span(start=20, end=30)]
    """
    merged: list[Span] = []
    # Sorted by their starts, a span can only touch the last one merged.
    for span in sorted(span for span in spans if span.length):
        if merged and span.start <= merged[-1].end:
            merged[-1] = Span(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return merged


def subtract(span: Span, parts: Iterable[Span]) -> list[Span]:
    """The gaps of a span that no part covers, in order.

    Example:
        >>> subtract(Span(0, 10), [Span(2, 4), Span(8, 20)])
        [Span(start=0, end=2), Span(start=4, end=8)]
    """
    gaps: list[Span] = []
    at = span.start
    for part in merge(part.clip(span) for part in parts):
        if part.start > at:
            gaps.append(Span(at, part.start))
        at = max(at, part.end)
    if at < span.end:
        gaps.append(Span(at, span.end))
    return gaps


EVER = Span(to_us(datetime.min.replace(tzinfo=UTC)), to_us(datetime.max.replace(tzinfo=UTC)))


def span_text(span: Span) -> str:
    """A span as text for people: in UTC, to the minute; to the microsecond within one.

    Example:
        >>> span_text(Span(0, DAY))
        '1970-01-01 00:00 to 1970-01-02 00:00 UTC'
        >>> span_text(Span(0, SECOND))
        '1970-01-01 00:00:00.000000 to 1970-01-01 00:00:01.000000 UTC'
    """
    start, end = span.datetimes()
    # The instant of a tie would else be a range from a minute to the same minute.
    is_within_one = span.start // MINUTE == span.end // MINUTE
    form = "%Y-%m-%d %H:%M:%S.%f" if is_within_one else "%Y-%m-%d %H:%M"
    return f"{start:{form}} to {end:{form}} UTC"
