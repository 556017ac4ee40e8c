"""Fallback and rescue, by the channel that a session began on."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING, Any

from plivo_analysis.figures import style, svg
from plivo_analysis.figures.prepared import FALLBACK, RateEstimate, RescueRange, largest
from plivo_analysis.report.sections.header import NUMBERS
from plivo_analysis.templates.rendering import render
from plivo_analysis.values.typesetting import clean, count, percent, plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

    from plivo_analysis.report.measures import Row, Subject

_DOTS, _RANGE = 246, 226
_TICKS = ((10, 2), (25, 5), (50, 10), (100, 25))  # a scale up to so many percent, and its step


def fallback(subject: Subject) -> Markup:
    """A row for all sessions and one for each channel, the largest twelve."""
    groups, others = largest(
        subject.numbers.rows("fallback_by_entry_channel"), lambda group: group["sessions"]
    )
    groups.sort(key=lambda group: style.place(group["entry_channel"]))
    whole = subject.numbers.total("fallback")
    past: dict[Any, Row] = {}
    if subject.before:
        rows = subject.before.rows("fallback_by_entry_channel")
        past = {row["entry_channel"]: row for row in rows}
        past[None] = subject.before.total("fallback")
    ticks = _ticks([whole, *groups, *past.values()])
    lines = [_line("All", None, whole, past.get(None), ticks)]
    for group in groups:
        channel = group["entry_channel"]
        colour = style.colour(channel)
        lines.append(_line(style.name(channel), colour, group, past.get(channel), ticks))
    quarters = [quarter / 4 for quarter in range(5)]
    return render(
        "report/fallback.html",
        lines=lines if groups else [],
        others=plural(len(others), "entry channel") if others else "",
        rate_scale=svg.scale_ticks(ticks, ticks[-1], _DOTS),
        rescue_scale=svg.scale_ticks(quarters, 1, _RANGE),
        before=subject.before_name if subject.before else "",
        unjudged=plural(whole["not_evaluable"], "settled session")
        if whole["not_evaluable"]
        else "",
        notes=NUMBERS,
    )


def _ticks(rows: Sequence[Row]) -> list[float]:
    """Round steps up to an end that holds every dot; the last one is the end of the scale."""
    percents = (FALLBACK.scale_end(rows) or 0.1) * 100
    upto, step = next(pair for pair in _TICKS if percents <= pair[0] or pair[0] == 100)  # noqa: PLR2004 - percent
    end = min(upto, ceil(percents / step) * step)
    return [tick / 100 for tick in range(0, end + 1, step)]


def _line(
    name: str, colour: str | None, group: Row, past: Row | None, ticks: Sequence[float]
) -> dict[str, Any]:
    now, then = (RateEstimate.of(row, "fallback_rate") if row else None for row in (group, past))
    drawn = None
    if now:
        drawn = svg.estimate(
            now, (0, ticks[-1]), _DOTS, label=now.words, colour=colour, past=then, grid=ticks
        )
    rescued = RescueRange.of(group)
    return {
        "square": svg.square(None, colour or "currentColor"),
        "name": clean(name),
        "all": colour is None,
        "sessions": count(group["sessions"]),
        "fell_back": count(group["fell_back"]),
        "rate": percent(group["fallback_rate"]),
        "estimate": drawn,
        "interval": now.interval if now else "",
        "rescue": rescued and svg.rescue(rescued, _RANGE, label=rescued.words, colour=colour),
        "rescued": rescued.shown if rescued else "",
    }
