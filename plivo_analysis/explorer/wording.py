"""The sentences of the explorer: what a load will cost, how far it is, how it ended."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from plivo_analysis.api.filters import masked_filters
from plivo_analysis.explorer.load_cost import SAMPLE_ROWS
from plivo_analysis.explorer.output import lines
from plivo_analysis.figures import style
from plivo_analysis.templates.rendering import render
from plivo_analysis.values.spans import from_us
from plivo_analysis.values.typesetting import DASH, clean, count, day, days, plural

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from markupsafe import Markup

    from plivo_analysis.explorer.dataset import Loaded
    from plivo_analysis.explorer.load_cost import LoadCost
    from plivo_analysis.explorer.views.view import ViewState
    from plivo_analysis.metrics.estimates import Estimate
    from plivo_analysis.values.spans import Span

_MINUTE = 60
_SOON = 90  # seconds

NOT_LOADED = "Choose a range and press Load."
LOADING = "Loading. Results appear as they arrive."
ASKING = "Asking …"
SHARED = (
    "Another load of this account is running: both take turns at the limit, and what both want is "
    "read once."
)
FIRST = "First an estimate, from pages all over the range; then all of it."
STOPPING = "Stopping. What was read is kept."
CHANGED = "Not loaded yet: the results below are those of the last load."


def before(cost: LoadCost, noun: str) -> list[str]:
    """What a load will cost, and how much of the range is stored, one sentence each.

    Example:
        >>> from plivo_analysis.explorer.load_cost import LoadCost
        >>> before(LoadCost(31, 12, 1900, False, 5700.0, 1500.0), "session")
        ['About 1,900 requests, 95 min at the limit.', '12 of 31 hours are stored.']
        >>> before(LoadCost(24, 0, None, False, None, 1500.0), "session")[0]
        'About 25 min per 10,000 sessions at the limit.'
    """
    sentences = [
        _cost(cost, noun),
        f"{count(cost.stored)} of {plural(cost.hours, 'hour')} are stored.",
    ]
    if cost.expired:
        parts = (days(from_us(part.start), from_us(part.end - 1)) for part in cost.expired)
        sentences.append(f"Not stored and older than 90 days: {', '.join(parts)}.")
    return sentences


def running(
    requests: int, expected: int, rows: int, noun: str, *, left: float, per_minute: float
) -> Markup:
    """How far a load is.

    Example:
        >>> running(412, 1900, 7816, "session", left=0, per_minute=20).striptags()
        '412 of ~1,900 requests7,816 sessions read'
    """
    number, word = plural(max(requests, expected), "request").split(" ")
    total = f" of ~{number} {word}" if expected > requests else f" {word}"
    sentences: list[str | list[str]] = [["", count(requests), total], f"{plural(rows, noun)} read"]
    if left >= 1:
        limit = f" left at the limit, {per_minute:g} a minute"
        sentences.append(["", _duration(left), limit])
    return lines(*sentences)


def waiting(seconds: float) -> Markup:
    """How long until the next request.

    Example:
        >>> waiting(37.6).striptags()
        'Next request in 38 s.'
    """
    return lines(f"Next request in {max(1, round(seconds))} s.")


def done(loaded: Loaded, cost: LoadCost) -> Markup:
    """That a load is complete, what is lacking all the same, and what loading again would cost."""
    still_open, resource = loaded.still_open, loaded.request.resource
    open_words = f", {count(still_open)} still open" if still_open else ""
    sentences: list[str | list[str]] = [
        ["", "Complete.", f" {count(cost.stored)} of {plural(cost.hours, 'hour')} stored"],
        f"{plural(loaded.frame.height, resource.noun)}{open_words}",
    ]
    if loaded.complete.set_aside:
        records = plural(loaded.complete.set_aside, "record")
        sentences.append(f"{records} could not be read: pva.issues({resource.name!r}) lists them.")
    if loaded.unconfirmed:
        names = " and ".join(loaded.unconfirmed)
        sentences.append(f"No row shows whether the server kept to {names}.")
    if cost.requests is not None:
        again = plural(cost.requests, "request") if cost.requests else "no request"
        sentences.append(f"Loading again costs {'about ' if cost.requests else ''}{again}")
    return lines(*sentences)


def stopped(rows: int, noun: str) -> Markup:
    """That a load was cancelled, and that nothing is lost.

    Example:
        >>> stopped(7816, "session").striptags()
        'Stopped. 7,816 sessions kept; Load goes on from here.'
    """
    return lines(["", "Stopped.", f" {plural(rows, noun)} kept; Load goes on from here."])


def failed(error: BaseException, rows: int, noun: str) -> Markup:
    """Why a load failed, and what was kept.

    Example:
        >>> failed(ValueError("No answer."), 0, "session")
        Markup('<p class="pva-failed" role="alert">No answer.</p>')
    """
    message = lines(str(error), kind="failed")
    return message + lines(f"{plural(rows, noun)} kept.") if rows else message


def empty(loaded: Loaded) -> str:
    """Why nothing is shown: there is nothing, nothing was read, or nothing so far."""
    complete, noun = loaded.complete, loaded.request.resource.noun
    if complete.nothing:
        return f"No {noun} matches. The range is complete, so this is a true zero."
    if loaded.whole:
        return f"No {noun} could be shown: {', '.join(complete.reasons)}."
    return f"No {noun} so far."


def header(heading: str, account: str, loaded: Loaded | None, state: ViewState | None) -> Markup:
    """What is shown: the account, the filters and the range of the last load.

    Args:
        heading: What the explorer is of.
        account: The account and its currency.
        loaded: What is on the screen; None before the first load.
        state: What the views draw of it.
    """
    time, filters = "", []
    is_whole = loaded is not None and loaded.whole
    if loaded is not None:
        if is_whole:
            time = time_range(loaded.bounds, loaded.read_at)
        elif state is not None and state.estimate is not None:
            has_ended = loaded.cancelled or loaded.error is not None
            time = estimated(state.estimate, has_ended=has_ended)
        else:
            time = so_far(loaded.request.covered(loaded.span), loaded.span)
        values = masked_filters(loaded.request.filters)
        for parameter in loaded.request.resource.parameters:
            if parameter.name in values:
                # To choose by what became of a session or message decides its rates.
                rates = ": rates are of these alone" if parameter.changes else ""
                filters.append(f"{parameter.label} {clean(values[parameter.name], cap=40)}{rates}")
    if state is not None and state.dataset.chosen is not None:
        names = (clean(style.name(channel), cap=24) for channel in state.dataset.chosen)
        filters.append(f"began on {', '.join(names)}")
    return render(
        "explorer/header.html",
        heading=heading,
        account=account,
        filters=filters,
        time=time,
        is_partial=loaded is not None and not is_whole,
    )


def estimated(estimate: Estimate, *, has_ended: bool) -> str:
    """From how much the numbers on the screen are estimated, and whether they will tighten."""
    rest = "Load goes on from here" if has_ended else "they tighten as the load goes on"
    if estimate.total["success_rate"].value is None:
        rest = rest if has_ended else "an estimate follows"
        return f"{plural(estimate.read, 'session')} read so far; {rest}"
    return f"Estimates from {estimate.part}, read evenly over it; {rest}"


def so_far(covered: Sequence[Span], whole: Span) -> str:
    """What of the range has been read, where that is not all of it.

    Example:
        >>> from plivo_analysis.values.spans import DAY, Span
        >>> so_far([Span(23 * DAY, 31 * DAY)], Span(0, 31 * DAY))
        'Only 24–31 January so far; not a sample of the range'
    """
    if not covered:
        return "Nothing of the range so far"
    if len(covered) > 1:
        share = sum(span.length for span in covered) / (whole.length or 1)
        return f"Only {share * 100:.0f}\u202f% of the range so far; not a sample of it"
    start, end = from_us(covered[0].start), from_us(covered[0].end - 1)
    if start.date() == end.date():
        times = f"{day(start)} {start:%H:%M}{DASH}{end:%H:%M}"
    else:
        times = days(start, end)
    return f"Only {times} so far; not a sample of the range"


def time_range(bounds: tuple[datetime, datetime], read_at: datetime) -> str:
    """A range with the time at which it was read.

    Example:
        >>> from datetime import UTC, datetime
        >>> october = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)
        >>> time_range(october, datetime(2026, 11, 2, 6, 58, tzinfo=UTC))
        '1 Oct – 31 Oct 2026, read 2 Nov 06:58 UTC'
    """
    start, end = bounds
    if (end - start).days < 2:  # noqa: PLR2004 - of a day or so, the hours matter
        words = f"{day(start)} {start:%H:%M} {DASH} {day(end)} {end:%H:%M} {end.year}"
    else:
        last = end - timedelta(microseconds=1)
        words = f"{day(start)} {DASH} {day(last)} {last.year}"
    return f"{words}, read {day(read_at)} {read_at:%H:%M} UTC"


def _cost(cost: LoadCost, noun: str) -> str:
    if cost.requests is None:
        per = f"per {plural(SAMPLE_ROWS, noun)}"
        if cost.sample_seconds < 1:
            return f"The time needed is known after the first requests: seconds {per}."
        return f"About {_duration(cost.sample_seconds)} {per} at the limit."
    if cost.requests == 0:
        return "No request is needed."
    about = "At most about" if cost.at_most else "About"
    seconds = cost.seconds or 0
    time = f", {_duration(seconds)} at the limit" if seconds >= 1 else ""
    return f"{about} {plural(cost.requests, 'request')}{time}."


def _duration(seconds: float) -> str:
    if seconds < _SOON:
        return f"{max(1, round(seconds))} s"
    return f"{round(seconds / _MINUTE):,} min"
