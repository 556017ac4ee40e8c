"""Fallback and rescue, by the channel that a session began on."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

from plivo_analysis.figures import style
from plivo_analysis.report import drawing
from plivo_analysis.report.footnotes import ref
from plivo_analysis.report.html import Markup, join, row, section, tag
from plivo_analysis.values.typesetting import DASH, clean, count, percent, percent_range, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plivo_analysis.report.measures import Row
    from plivo_analysis.report.subject import Subject

_DOTS, _RANGE = 246, 226
_SMALL = 0.01  # of all sessions
_TICKS = ((10, 2), (25, 5), (50, 10), (100, 25))  # a scale up to so many percent, and its step


def fallback(subject: Subject) -> Markup:
    """A row for all sessions and one for each channel."""
    groups = subject.numbers.rows("fallback_by_entry_channel")
    title = join(("Fallback and rescue, by the channel a session began on", ref("fallback")))
    if not groups:
        return section(title, tag("p", "No settled session has an attempt.", class_="grey"))
    groups.sort(key=lambda group: style.place(group["entry_channel"]))
    whole = subject.numbers.total("fallback")
    before = subject.before
    past = (
        {g["entry_channel"]: g for g in before.rows("fallback_by_entry_channel")} if before else {}
    )
    then = before.total("fallback") if before else None
    top, ticks = _scale([whole, *groups, *past.values(), *([then] if then else [])])
    lines = [_line("All", None, (whole, then), top, ticks)]
    lines += [
        _line(
            style.name(group["entry_channel"]),
            style.colour(group["entry_channel"]),
            (group, past.get(group["entry_channel"])),
            top,
            ticks,
        )
        for group in groups
    ]
    table = tag("table", _head(ticks, top), tag("tbody", *lines), class_="fallback")
    return section(title, table, _note(subject, whole))


def _scale(rows: Sequence[Row]) -> tuple[float, list[float]]:
    """An end that holds every dot and every interval but those of very small channels."""
    known = [row for row in rows if row["fallback_rate"] is not None]
    fewest = max((row["sessions"] for row in known), default=0) * _SMALL
    highs = [
        row["fallback_rate" if row["sessions"] < fewest else "fallback_rate_high"] for row in known
    ]
    percents = max(highs, default=0.1) * 100
    upto, step = next(pair for pair in _TICKS if percents <= pair[0] or pair[0] == 100)  # noqa: PLR2004 - percent
    top = min(upto, ceil(percents / step) * step)
    return top / 100, [tick / 100 for tick in range(0, top + 1, step)]


def _head(ticks: Sequence[float], top: float) -> Markup:
    rate = tag("th", tag("b", "Fallback rate, %"), _ends(ticks, top, _DOTS), class_="scale")
    quarters = [quarter / 4 for quarter in range(5)]
    saved = tag("b", "Rescued, % of those that fell back")
    rescued = tag("th", saved, _ends(quarters, 1, _RANGE), class_="scale")
    cells = [tag("th", "Entry channel")]
    cells += [tag("th", name, class_="n") for name in ("Sessions", "Fell back", "")]
    cells += [rate, tag("th", "95\u202f% interval", class_="n"), rescued]
    return tag("thead", tag("tr", *cells, tag("th", "Rescued", class_="n")))


def _ends(ticks: Sequence[float], top: float, width: int) -> Markup:
    labels = (
        tag("text", percent(tick, 0, unit=False), x=4 + tick / top * (width - 8), y=9)
        for tick in ticks
    )
    return drawing.svg(width, 11, *labels, said="scale", class_="ticks")


def _line(
    name: str, shade: str | None, rows: tuple[Row, Row | None], top: float, ticks: Sequence[float]
) -> Markup:
    group, past = rows
    cells: list[Any] = [
        tag("td", drawing.square(None, shade or "currentColor"), clean(name), class_="named"),
        count(group["sessions"]),
        count(group["fell_back"]),
        percent(group["fallback_rate"]),
        tag("td", _dot(group, past, shade, top, ticks), class_="drawn"),
        tag("td", _interval(group), class_="n grey"),
    ]
    cells += _rescued(group, shade)
    return row(*cells, class_=None if shade else "all")


def _dot(
    group: Row, past: Row | None, shade: str | None, top: float, ticks: Sequence[float]
) -> Markup | None:
    if group["fallback_rate"] is None:
        return None
    said = f"{percent(group['fallback_rate'])}, interval {_interval(group)}"
    known = past if past and past["fallback_rate"] is not None else None
    return drawing.estimate(
        _bounds(group),
        (0, top),
        _DOTS,
        shade=shade,
        said=said,
        past=_bounds(known) if known else None,
        grid=ticks,
    )


def _bounds(group: Row) -> tuple[float, float, float]:
    return group["fallback_rate"], group["fallback_rate_low"], group["fallback_rate_high"]


def _interval(group: Row) -> str:
    return percent_range(group["fallback_rate_low"], group["fallback_rate_high"])


def _rescued(group: Row, shade: str | None) -> list[Markup]:
    whole = group["fell_back"]
    if not whole:
        return [tag("td", "none fell back", class_="grey", colspan=2)]
    certain, last, possible = (
        group[column] / whole for column in ("rescued_certain", "rescued_last_touch", "rescued")
    )
    shown = f"{percent(certain, 0, unit=False)}{DASH}{percent(possible, 0)}"
    said = f"certain {percent(certain)}, possible {percent(possible)}"
    shares = (certain, last, possible)
    drawn = drawing.rescue(shares, _RANGE, shade=shade or "currentColor", said=said)
    return [tag("td", drawn, class_="drawn"), tag("td", shown, class_="n")]


def _note(subject: Subject, whole: Row) -> Markup:
    unjudged = whole["not_evaluable"]
    judged = (
        f" {plural(unjudged, 'settled session')} cannot be judged, because a channel is unknown."
        if unjudged
        else ""
    )
    grey = f" Grey: {subject.interval}." if subject.before else ""
    return tag(
        "p",
        "Of the sessions that fell back, the share that verified. Every attempt carries the same "
        "code, so which one the person used cannot be known: the left edge counts only rescues "
        "the log proves, the right edge every one it allows; the ring credits the last channel "
        "used.",
        ref("rescue"),
        grey + judged,
        class_="note",
    )
