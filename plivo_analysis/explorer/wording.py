"""The sentences of the explorer: what a load will cost, how far it is, how it ended."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from plivo_analysis.explorer.html import Markup, join, tag
from plivo_analysis.values.spans import from_us
from plivo_analysis.values.typesetting import DASH, count, day, days, plural

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from plivo_analysis.explorer.load_cost import LoadCost
    from plivo_analysis.values.spans import Span

_MINUTE = 60
_SOON = 90  # seconds

NOTHING = "Choose a range and press Load."
READING = "Reading. What has come shows here in a moment."
STOPPING = "Stopping. What was read is kept."
EMPTY = "No {noun} matches. The range is complete, so this is a true zero."
NOT_WHOLE = "No {noun} so far."
INTERVAL = (
    "Chance alone would move a rate about this much (95\u202f%, Wilson). "
    "Counts and money are exact and have none."
)
RESCUE = (
    "Rescued: every attempt carries the same code, so which one was used cannot be known. Left "
    "edge: rescues the log proves. Right edge: all it allows. Ring: last channel used."
)
OPEN = (
    "Until open sessions settle, the success rate lies between the two bounds; their money is a "
    "lower bound."
)


def lines(*said: Markup | str | None) -> Markup:
    """One short sentence a line.

    Example:
        >>> lines("a", None, "b")
        '<div>a</div><div>b</div>'
    """
    return join(tag("div", line) for line in said if line)


def before(seen: LoadCost) -> Markup:
    """What a load will cost, and how much of the range is stored.

    Example:
        >>> from plivo_analysis.explorer.load_cost import LoadCost
        >>> before(LoadCost(31, 12, 1900, False, 5700.0))
        '<div>About 1,900 requests, 95 min at the limit.</div><div>12 of 31 hours are stored.</div>'
        >>> before(LoadCost(24, 24, 0, False, 0.0))
        '<div>No request is needed.</div><div>24 of 24 hours are stored.</div>'
    """
    return lines(_cost(seen), _stored(seen), _expired(seen.expired))


def running(
    requests: int, expected: int, rows: int, noun: str, *, left: float, pace: float
) -> Markup:
    """How far a load is.

    Example:
        >>> running(412, 1900, 7816, "session", left=0, pace=20)
        '<div><b>412</b> of ~1,900 requests</div><div>7,816 sessions read</div>'
    """
    limit = None
    if left >= 1:
        limit = join((tag("b", _time(left)), f" left at the limit, {pace:g} a minute"))
    of = f" of ~{count(expected)} requests" if expected > requests else " requests"
    return lines(join((tag("b", count(requests)), of)), f"{plural(rows, noun)} read", limit)


def waiting(seconds: float) -> str:
    """How long until the next request.

    Example:
        >>> waiting(37.6)
        'Next request in 38 s.'
    """
    return f"Next request in {max(1, round(seconds))} s."


def done(seen: LoadCost, rows: int, still_open: int, noun: str) -> Markup:
    """That a load is complete, and what asking again would cost.

    Example:
        >>> from plivo_analysis.explorer.load_cost import LoadCost
        >>> done(LoadCost(744, 744, 3, False, 0.0), 35740, 43, "session").split("</div><div>")[1:]
        ['35,740 sessions, 43 still open', 'Loading again costs about 3 requests</div>']
    """
    again = (
        "Loading again costs no request"
        if seen.requests == 0
        else f"Loading again costs about {plural(seen.requests, 'request')}"
        if seen.requests is not None
        else None
    )
    return lines(
        join(
            (tag("b", "Complete."), f" {count(seen.stored)} of {plural(seen.hours, 'hour')} stored")
        ),
        f"{plural(rows, noun)}{f', {count(still_open)} still open' if still_open else ''}",
        again,
    )


def stopped(rows: int, noun: str) -> Markup:
    """That a load was cancelled, and that nothing is lost.

    Example:
        >>> stopped(7816, "session")
        '<div><b>Stopped.</b> 7,816 sessions kept; Load goes on from here.</div>'
    """
    return lines(
        join((tag("b", "Stopped."), f" {plural(rows, noun)} kept; Load goes on from here."))
    )


def failed(error: BaseException, rows: int, noun: str) -> Markup:
    """Why a load failed, and what was kept.

    Example:
        >>> failed(ValueError("No answer."), 0, "session")
        '<div class="pva-failed" role="alert">No answer.</div>'
    """
    kept = tag("div", f"{plural(rows, noun)} kept.") if rows else None
    return join((tag("div", str(error), class_="pva-failed", role="alert"), kept))


def coverage(covered: Sequence[Span], whole: Span) -> str:
    """What of the range has been read, where that is not all of it.

    Example:
        >>> from plivo_analysis.values.spans import DAY, Span
        >>> coverage([Span(23 * DAY, 31 * DAY)], Span(0, 31 * DAY))
        'Only 24–31 January so far; not a sample of the range'
    """
    if not covered:
        return "Nothing of the range so far"
    if len(covered) == 1:
        start, end = from_us(covered[0].start), from_us(covered[0].end - 1)
        if start.date() == end.date():
            told = f"{day(start)} {start:%H:%M}{DASH}{end:%H:%M}"
        else:
            told = days(start, end)
        return f"Only {told} so far; not a sample of the range"
    share = sum(span.length for span in covered) / (whole.length or 1)
    return f"Only {share * 100:.0f}\u202f% of the range so far; not a sample of it"


def span(bounds: tuple[datetime, datetime], read_at: datetime | None) -> str:
    """A range with the time at which it was read.

    Example:
        >>> from datetime import UTC, datetime
        >>> october = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
        >>> span(october, datetime(2026, 11, 2, 6, 58, tzinfo=UTC))
        '1 Oct – 31 Oct 2026, read 2 Nov 06:58 UTC'
    """
    start, end = bounds
    if (end - start).days < 2:  # noqa: PLR2004 - of a day or so, the hours matter
        told = f"{day(start)} {start:%H:%M} {DASH} {day(end)} {end:%H:%M} {end.year}"
    else:
        last = end - timedelta(microseconds=1)
        told = f"{day(start)} {DASH} {day(last)} {last.year}"
    return told if read_at is None else f"{told}, read {day(read_at)} {read_at:%H:%M} UTC"


def _cost(seen: LoadCost) -> str:
    if seen.requests is None:
        return "How many requests it takes shows with the first ones."
    if seen.requests == 0:
        return "No request is needed."
    about = "At most about" if seen.at_most else "About"
    time = f", {_time(seen.seconds)} at the limit" if (seen.seconds or 0) >= 1 else ""
    return f"{about} {plural(seen.requests, 'request')}{time}."


def _stored(seen: LoadCost) -> str:
    return f"{count(seen.stored)} of {plural(seen.hours, 'hour')} are stored."


def _expired(spans: Sequence[Span]) -> str | None:
    if not spans:
        return None
    told = ", ".join(days(from_us(part.start), from_us(part.end - 1)) for part in spans)
    return f"Not stored and older than 90 days: {told}."


def _time(seconds: float | None) -> str:
    if seconds is None or seconds < _SOON:
        return f"{max(1, round(seconds or 0))} s"
    return f"{round(seconds / _MINUTE):,} min"


def heading(title: str, rest: str = "") -> Markup:
    """The title of what is drawn.

    Example:
        >>> heading("Spend by day, USD", ", from 0")
        '<p class="pva-heading"><b>Spend by day, USD</b>, from 0</p>'
    """
    return tag("p", tag("b", title), rest, class_="pva-heading")
