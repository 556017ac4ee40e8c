"""Groups compared: countries, applications, first channels; the largest twelve, then the rest.

The rest is counted by the same metrics as any group, over its sessions together, so that its
rates and intervals are as true as the others' and the groups still add up to the whole.
"""

from __future__ import annotations

from decimal import Decimal
from math import ceil
from typing import TYPE_CHECKING, Any

from plivo_analysis.figures import style, svg
from plivo_analysis.figures.chart_data import FALLBACK, RateEstimate, RescueRange, largest
from plivo_analysis.report.sections.header import section
from plivo_analysis.values.typesetting import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plivo_analysis.report.measures import Group, Key, Row
    from plivo_analysis.report.subject import Subject

_BAR, _SCALE = 92, 106
_FROM, _TO = 0.8, 1.0  # the success rate's scale
_WASTED = Decimal("0.3")
_RISEN = Decimal("0.5")
_TICKS = ((10, 2), (25, 5), (50, 10), (100, 25))  # a scale up to so many percent, and its step


@section
def top_groups(subject: Subject) -> dict[str, Any]:
    """Two tables in one grid of columns, and what is coloured."""
    return {
        "tables": [(name, _lines(subject, name)) for name in ("country", "application")],
        "journeys": "journey_rates" in subject.numbers.tables,
        "zero": Decimal(0),
        "application_name": application_name,
    }


@section
def countries_by_channel(subject: Subject) -> dict[str, Any]:
    """What a verified session cost by country and by the channel that sessions began on.

    A cell holds the cost per verified session, the success rate and the sessions, so that the
    channels are compared along a line.
    """
    numbers = subject.numbers
    by_channel = {group.key: group for group in numbers.groups("entry_channel")}
    # By their keys, which also find a channel's sessions within each country. Five channels fit
    # beside the countries; the note below counts the others.
    most, left_out = largest([*by_channel], lambda key: by_channel[key].numbers["sessions"], 5)
    channels = sorted(most, key=lambda key: style.place(key[0]))
    groups, rest = subject.largest["country"]
    by_both = {group.key: group for group in numbers.groups("country_and_channel")}
    if rest:  # together they have no country, so that the channel alone is the key
        by_both |= {group.key: group for group in rest.groups("entry_channel")}
    return {
        "channels": [key[0] for key in channels],
        "channel_name": channel_name,
        "whole": [numbers.as_group(1), *(by_channel[key] for key in channels)],
        # A country and a channel that no session had together are an empty cell.
        "lines": [[group, *(by_both.get(group.key + key) for key in channels)] for group in groups],
        "left_out": len(left_out),
    }


def channel_name(entry_channel: str | None) -> str:
    """The name of the channel that sessions began on; a session without an attempt has none.

    Example:
        >>> channel_name("sms"), channel_name(None)
        ('SMS', 'No attempt')
    """
    return "No attempt" if entry_channel is None else style.name(entry_channel)


def application_name(app_uuid: str | None, alias: str | None) -> str:
    """An application's name, else its id.

    Example:
        >>> application_name("an id", "shop"), application_name(None, None)
        ('shop', 'not given')
    """
    return clean(alias or app_uuid or "not given")


def _lines(subject: Subject, grouping: str) -> list[dict[str, Any]]:
    groups, _ = subject.largest[grouping]
    longest = max((group.spent or Decimal(0) for group in groups), default=Decimal(0))
    return [_line(subject, group, longest) for group in groups]


def _line(subject: Subject, group: Group, longest: Decimal) -> dict[str, Any]:
    parts = sorted(group.parts.items(), key=lambda part: style.place(part[0]))
    # The text alternative says in words what the colours show.
    words = (f"{style.name(channel)} {subject.money(amount)}" for channel, amount in parts)
    past = group.spent_before
    change = subject.change(group.spent, past)
    # Of a group that is new, or that credits had made negative, no share can be said.
    share = change.share if change and past and past > 0 else None
    return {
        "group": group,
        "bar": svg.parts(parts, longest, _BAR, label="; ".join(words) or "no known amount"),
        "change": change,
        "estimate": _estimate(subject, group),
        # These two are where a reader should look first; the note below the table says so.
        "risen": share is not None and share >= _RISEN and group.groups == 1,
        "wasted": (group.numbers["waste_share"] or 0) > _WASTED,
    }


def _estimate(subject: Subject, group: Group) -> svg.Drawing | None:
    estimate = RateEstimate.of(group.numbers, "success_rate")
    if estimate is None or estimate.value < _FROM:  # the template says "below the scale"
        return None
    whole = subject.numbers.totals["success_rate"]
    grid = [whole] if whole is not None and whole >= _FROM else []
    return svg.estimate(estimate, (_FROM, _TO), _SCALE, label=estimate.text, grid=grid)


@section
def fallback(subject: Subject) -> dict[str, Any]:
    """A row for all sessions and one for each channel, the largest twelve."""
    groups, others = largest(
        subject.numbers.rows("fallback_by_entry_channel"), lambda group: group["sessions"]
    )
    # The largest were chosen by size and stand in the order that channels have everywhere.
    groups.sort(key=lambda group: style.place(group["entry_channel"]))
    whole = subject.numbers.total("fallback")
    past: dict[Key, Row] = {}
    if subject.before:
        past = subject.before.keyed("fallback_by_entry_channel")
        past[()] = subject.before.total("fallback")
    lines = [
        (style.name(channel), style.colour(channel), group, past.get((channel,)))
        for group in groups
        for channel in [group["entry_channel"]]
    ]
    return {
        "lines": [("All", None, whole, past.get(())), *lines] if groups else [],
        "others": len(others),
        "ticks": _ticks([whole, *groups, *past.values()]),
        "unjudged": whole["not_evaluable"],
        "RateEstimate": RateEstimate,
        "RescueRange": RescueRange,
    }


def _ticks(rows: Sequence[Row]) -> list[float]:
    """Round steps up to an end that holds every dot; the last one is the end of the scale."""
    percents = (FALLBACK.scale_end(rows) or 0.1) * 100  # where none fell back: up to 10 %
    # Whole steps within the first scale that is long enough: 0, 2 … 8 up to 10 %, by 5 up to 25 %.
    upto, step = next(pair for pair in _TICKS if percents <= pair[0] or pair[0] == 100)  # noqa: PLR2004 - percent
    end = min(upto, ceil(percents / step) * step)
    return [tick / 100 for tick in range(0, end + 1, step)]
