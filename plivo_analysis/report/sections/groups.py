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
from plivo_analysis.report.countries import country
from plivo_analysis.report.measures import add, same_group
from plivo_analysis.report.sections.header import section
from plivo_analysis.values.typesetting import (
    DASH,
    NARROW,
    NOT_KNOWN,
    clean,
    count,
    decimals,
    percent,
    plain,
    plural,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from markupsafe import Markup

    from plivo_analysis.report.measures import Group, Key, Measures, Row, Subject

_BAR, _SCALE = 92, 106
_FROM, _TO = 0.8, 1.0  # the success rate's scale
_LONGEST = 44  # letters of a name: three lines
_WASTED = Decimal("0.3")
_RISEN = Decimal("1.5")
_DOTS, _RANGE = 246, 226
_TICKS = ((10, 2), (25, 5), (50, 10), (100, 25))  # a scale up to so many percent, and its step


def top_groups(subject: Subject) -> Markup:
    """Two tables in one grid of columns, and what is coloured."""
    journeys = "journey_rates" in subject.numbers.tables
    change, prices = [64] if subject.before else [], [70, 136] if journeys else [76]
    rise = "spend half as high again as before, or " if subject.before else ""
    whole = percent(subject.numbers.total("success")["success_rate"])
    return section(
        "top_groups",
        widths=[150, _BAR + 12, 72, 54, *change, 60, *prices, _SCALE + 22, 44, 64],
        groups=[
            ("Country", _lines(subject, "country")),
            ("Application", _lines(subject, "application")),
        ],
        zero=subject.money(Decimal(0), 0),
        change=subject.change_title if subject.before else None,
        journeys=journeys,
        scale=[percent(end, 0, unit=False) for end in (_FROM, (_FROM + _TO) / 2, _TO)],
        note=(
            f"Thin line: 95{NARROW}% interval of the success rate, scale 80 to 100{NARROW}%; grey "
            f"line: all sessions, {whole}. Coloured figures: {rise}more than 30{NARROW}% of it "
            "wasted. Amounts here are to the cent; the CSV files have every digit."
        ),
    )


def countries_by_channel(subject: Subject) -> Markup:
    """What a verified session cost by country and by the channel that sessions began on.

    A cell holds the cost per verified session, the success rate and the sessions, so that the
    channels are compared along a line.
    """
    numbers = subject.numbers
    by_channel = {group.key: group for group in numbers.groups("entry_channel")}
    # Five channels fit beside the countries; the note below counts the others.
    most, left_out = largest([*by_channel], lambda key: by_channel[key].success["sessions"], 5)
    channels = sorted(most, key=lambda key: style.place(key[0]))
    groups, rest = _largest(numbers, "country")
    by_both = {group.key: group for group in numbers.groups("country_and_channel")}
    if rest:  # together they have no country, so that the channel alone is the key
        by_both |= {group.key: group for group in rest.groups("entry_channel")}

    def cell(group: Group | None) -> dict[str, str]:
        if group is None:
            return {"price": DASH, "below": ""}
        rate = percent(group.success["success_rate"], 0)
        return {
            "price": subject.price(group.cost["cost_per_verified"]),
            "below": f"{rate} of {count(group.success['settled'])}",
        }

    lines = [
        {"cells": [cell(group), *(cell(by_both.get(group.key + key)) for key in channels)]}
        | _name(group, "country")
        for group in groups
    ]
    return section(
        "countries_by_channel",
        currency=subject.currency,
        channels=[(svg.square(key[0]), channel_name(key[0])) for key in channels],
        whole=[cell(numbers.as_group(1)), *(cell(by_channel[key]) for key in channels)],
        lines=lines if len(lines) > 1 else [],
        left_out=plural(len(left_out), "channel") if left_out else "",
    )


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


def _largest(numbers: Measures, grouping: str) -> tuple[list[Group], Measures | None]:
    """The groups by what they cost, the largest first; beyond twelve the rest is one, and last."""
    # The rest as one group has no key, by which `_name` knows it.
    named, left = largest(numbers.groups(grouping), lambda group: group.spent)
    rest = numbers.only(grouping, left) if left else None
    return [*named, *([rest.as_group(len(left))] if rest else [])], rest


def _lines(subject: Subject, grouping: str) -> list[dict[str, Any]]:
    groups, rest = _largest(subject.numbers, grouping)
    known = subject.spent_before(grouping)
    past = [known.get(same_group(group.key), Decimal(0)) for group in groups]
    if rest and subject.before:  # all that the named ones are not: the changes add up
        past[-1] = subject.before.spent - add(past[:-1])
    longest = max((group.spent or Decimal(0) for group in groups), default=Decimal(0))
    return [
        _line(subject, group, was, longest) | _name(group, grouping)
        for group, was in zip(groups, past, strict=True)
    ]


def _name(group: Group, grouping: str) -> dict[str, str]:
    if not group.key:
        return {"name": "", "code": "", "others": f"{count(group.groups)} others"}
    if grouping == "application":
        return {"name": clean(application_name(*group.key), _LONGEST), "code": "", "others": ""}
    code = clean(group.key[0] or "")
    name = country(group.key[0])
    return {"name": name, "code": code if code != name else "", "others": ""}


def _line(subject: Subject, group: Group, past: Decimal | None, longest: Decimal) -> dict[str, Any]:
    spent, whole = group.spent, subject.numbers.spent
    parts = sorted(group.parts.items(), key=lambda part: style.place(part[0]))
    # The text alternative says in words what the colours show.
    words = (f"{style.name(channel)} {subject.money(amount)}" for channel, amount in parts)
    # Per day where the periods differ in length, like the change that is printed beside it.
    now, then = (subject.change(amount or Decimal(0), Decimal(0)) for amount in (spent, past))
    risen = spent is not None and past is not None and 0 < then * _RISEN <= now
    # `risen` and `wasted` are where a reader should look first; the note below says so.
    rate, journeys = group.success["success_rate"], group.journeys
    return {
        "bar": svg.parts(parts, longest, _BAR, label="; ".join(words) or "no known amount"),
        "spent": subject.money(spent) if spent is not None else NOT_KNOWN,
        # The amount to the cent carries all its digits along.
        "exact": "" if spent is None else plain(spent, decimals(spent)).replace(",", ""),
        "share": percent(spent / whole, unit=False) if whole and spent is not None else NOT_KNOWN,
        "change": subject.absolute(spent, past),
        "risen": risen and group.groups == 1,
        "sessions": count(group.success["sessions"]),
        "price": subject.price(group.cost["cost_per_verified"]),
        "journey": subject.price(journeys.get("cost_per_verified_journey")),
        "journeys": journeys
        and f"{percent(journeys['conversion_rate'], 0)} of {count(journeys['settled'])}",
        "below": rate is not None and rate < _FROM,
        "estimate": _estimate(subject, group),
        "rate": percent(rate, unit=False),
        "waste": subject.money(group.cost["waste"]),
        "wasted": (group.cost["waste_share"] or 0) > _WASTED,
    }


def _estimate(subject: Subject, group: Group) -> svg.Drawing | None:
    estimate = RateEstimate.of(group.success, "success_rate")
    if estimate is None or estimate.value < _FROM:
        return None
    whole = subject.numbers.total("success")["success_rate"]
    grid = [whole] if whole is not None and whole >= _FROM else []
    return svg.estimate(estimate, (_FROM, _TO), _SCALE, label=estimate.text, grid=grid)


def fallback(subject: Subject) -> Markup:
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
    ticks = _ticks([whole, *groups, *past.values()])
    lines = [_fallback_line("All", None, whole, past.get(()), ticks)]
    for group in groups:
        channel = group["entry_channel"]
        name, colour = style.name(channel), style.colour(channel)
        lines.append(_fallback_line(name, colour, group, past.get((channel,)), ticks))
    quarters = [quarter / 4 for quarter in range(5)]
    return section(
        "fallback",
        lines=lines if groups else [],
        others=plural(len(others), "entry channel") if others else "",
        rate_scale=svg.scale_ticks(ticks, ticks[-1], _DOTS),
        rescue_scale=svg.scale_ticks(quarters, 1, _RANGE),
        before=subject.before_name if subject.before else "",
        unjudged=plural(whole["not_evaluable"], "settled session")
        if whole["not_evaluable"]
        else "",
    )


def _ticks(rows: Sequence[Row]) -> list[float]:
    """Round steps up to an end that holds every dot; the last one is the end of the scale."""
    percents = (FALLBACK.scale_end(rows) or 0.1) * 100  # where none fell back: up to 10 %
    upto, step = next(pair for pair in _TICKS if percents <= pair[0] or pair[0] == 100)  # noqa: PLR2004 - percent
    end = min(upto, ceil(percents / step) * step)
    return [tick / 100 for tick in range(0, end + 1, step)]


def _fallback_line(
    name: str, colour: str | None, group: Row, past: Row | None, ticks: Sequence[float]
) -> dict[str, Any]:
    now, then = (RateEstimate.of(row, "fallback_rate") if row else None for row in (group, past))
    drawn = None
    if now:
        drawn = svg.estimate(
            now, (0, ticks[-1]), _DOTS, label=now.text, colour=colour, past=then, grid=ticks
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
        "rescue": rescued and svg.rescue(rescued, _RANGE, label=rescued.text, colour=colour),
        "rescued": rescued.ends_text if rescued else "",
    }
