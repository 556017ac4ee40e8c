"""Spend by country and application, and countries by channel: the largest twelve, then the rest.

The rest is counted by the same metrics as any group, over its sessions together, so that its
rates and intervals are as true as the others' and the groups still add up to the whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import polars as pl

from plivo_analysis.figures import style, svg
from plivo_analysis.figures.prepared import RateEstimate, add_up, largest
from plivo_analysis.metrics.cost import cost_per_verified
from plivo_analysis.metrics.spend import spend
from plivo_analysis.metrics.success import success_rates
from plivo_analysis.report.countries import country
from plivo_analysis.report.measures import APPLICATION, COUNTRY, ENTRY_CHANNEL, Measures, Row, add
from plivo_analysis.report.sections.header import NUMBERS
from plivo_analysis.templates.rendering import render
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
    from collections.abc import Callable, Sequence

    from markupsafe import Markup

    from plivo_analysis.report.measures import Subject

_REST = "\x00the rest"  # no name on the wire, which is trimmed and free of controls
_BAR, _SCALE = 150, 106
_FROM, _TO = 0.8, 1.0  # the success rate's scale
_LONGEST = 44  # letters of a name: three lines
_WASTED = Decimal("0.3")
_RISEN = Decimal("1.5")

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class TopGroup:
    """A group of sessions and what they cost.

    Args:
        key: The values that make it a group; None for the rest.
        groups: How many groups it holds.
        parts: What was spent on each channel, where it is known.
        cost: Its row of ``cost_per_verified``.
        success: Its row of ``success_rates``.

    Example:
        >>> TopGroup(("IN",), 1, {"sms": Decimal(2), "voice": Decimal(1)}, {}, {}).spent
        Decimal('3')
    """

    key: Key | None
    groups: int
    parts: dict[str, Decimal]
    cost: Row
    success: Row

    @property
    def spent(self) -> Decimal | None:
        """What its sessions cost, as far as it is known; None where nothing is."""
        return add_up(self.parts.values())


def top_groups(subject: Subject) -> Markup:
    """Two tables in one grid of columns, and what is coloured."""
    widths = [152, _BAR + 12, 74, 58, 66, 66, 84, _SCALE + 22, 46, 72]
    if not subject.before:
        del widths[4]
    rise = "spend half as high again as before, or " if subject.before else ""
    whole = percent(subject.numbers.total("success")["success_rate"])
    return render(
        "report/top_groups.html",
        widths=widths,
        groups=[
            ("Country", _lines(subject, COUNTRY, _country)),
            ("Application", _lines(subject, APPLICATION, _application)),
        ],
        zero=subject.money(Decimal(0), 0),
        change=subject.change_title if subject.before else None,
        scale=[percent(end, 0, unit=False) for end in (_FROM, (_FROM + _TO) / 2, _TO)],
        note=(
            f"Thin line: 95{NARROW}% interval of the success rate, scale 80 to 100{NARROW}%; grey "
            f"rule: all sessions, {whole}. Coloured figures: {rise}more than 30{NARROW}% of it "
            "wasted. Amounts here are to the cent; the CSV files have every digit."
        ),
    )


def countries_by_channel(subject: Subject) -> Markup:
    """What a verified session cost by country and by the channel that sessions began on.

    A cell holds the cost per verified session, the success rate and the sessions, so that the
    channels are compared along a line.
    """
    numbers = subject.numbers
    whole = _by_key(numbers.tables["cost_by_entry_channel"], ENTRY_CHANNEL)
    rates = _by_key(numbers.tables["success_by_entry_channel"], ENTRY_CHANNEL)
    most, left_out = largest([key[0] for key in rates], lambda name: rates[name,]["sessions"], 5)
    channels = sorted(most, key=style.place)
    keys, others, sessions, _ = _with_rest(numbers, COUNTRY)
    by = (*COUNTRY, *ENTRY_CHANNEL)
    costs = _by_key(cost_per_verified(sessions, by=by), by)
    successes = _by_key(success_rates(sessions, by=by), by)
    of_country = _by_key(cost_per_verified(sessions, by=COUNTRY), COUNTRY)
    success_of_country = _by_key(success_rates(sessions, by=COUNTRY), COUNTRY)

    def cell(cost: Row | None, success: Row | None) -> dict[str, str]:
        if cost is None or success is None:
            return {"price": DASH, "below": ""}
        rate = percent(success["success_rate"], 0)
        return {
            "price": subject.price(cost["cost_per_verified"]),
            "below": f"{rate} of {count(success['settled'])}",
        }

    def line(key: Key) -> dict[str, Any]:
        name, code = _country(key) if key[0] != _REST else (f"{count(others)} others", "")
        cells = [cell(costs.get((*key, of)), successes.get((*key, of))) for of in channels]
        return {
            "name": name,
            "code": code,
            "cells": [cell(of_country[key], success_of_country[key]), *cells],
        }

    first = [cell(whole.get((of,)), rates.get((of,))) for of in channels]
    return render(
        "report/countries_by_channel.html",
        currency=subject.currency,
        channels=[(svg.square(of), channel_name(of)) for of in channels],
        whole=[cell(numbers.total("cost"), numbers.total("success")), *first],
        lines=[line(key) for key in keys] if len(keys) > 1 else [],
        left_out=plural(len(left_out), "channel") if left_out else "",
        notes=NUMBERS,
    )


def leading(numbers: Measures, by: Sequence[str]) -> list[TopGroup]:
    """The groups by what they cost, the largest first; beyond twelve the rest is one.

    Example:
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> from plivo_analysis.metrics.certainty import Completeness
        >>> from plivo_analysis.report.measures import count_up
        >>> empty = pl.DataFrame(schema=SESSIONS.polars())
        >>> leading(count_up(empty, None, Completeness(rows=0)), COUNTRY)
        []
    """
    named, rest, sessions, charges = _with_rest(numbers, by)
    costs = _by_key(cost_per_verified(sessions, by=by), by)
    successes = _by_key(success_rates(sessions, by=by), by)
    parts: dict[Key, dict[str, Decimal]] = {}
    for row in spend(charges, by=(*by, "channel")).rows(named=True):
        known = parts.setdefault(_key(row, by), {})
        if row["amount"] is not None:
            known[row["channel"]] = row["amount"]
    return [
        TopGroup(
            key=None if key[0] == _REST else key,
            groups=rest if key[0] == _REST else 1,
            parts=parts.get(key, {}),
            cost=costs[key],
            success=successes[key],
        )
        for key in named
    ]


def spent_before(
    groups: Sequence[TopGroup], before: Measures, by: Sequence[str]
) -> list[Decimal | None]:
    """What each group cost in the period before, whatever its rank and its name were then.

    The rest is all that the named ones are not, so that the changes add up to the whole's.
    A value is None where there were sessions but none of their amounts is known.

    Example:
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> from plivo_analysis.metrics.certainty import Completeness
        >>> from plivo_analysis.report.measures import count_up
        >>> before = count_up(pl.DataFrame(schema=SESSIONS.polars()), None, Completeness(rows=0))
        >>> spent_before([TopGroup(("IN",), 1, {"sms": Decimal(2)}, {}, {})], before, COUNTRY)
        [Decimal('0')]
    """
    amounts: dict[Any, Decimal | None] = {}
    for row in spend(before.charges, by=by).rows(named=True):
        group = same_group(_key(row, by))
        amounts[group] = add_up((amounts.get(group), row["amount"]))
    named = [amounts.get(same_group(group.key), Decimal(0)) for group in groups if group.key]
    return [*named, *[before.spent - add(named)] * (len(groups) - len(named))]


def _with_rest(
    numbers: Measures, by: Sequence[str]
) -> tuple[list[Key], int, pl.DataFrame, pl.DataFrame]:
    """The groups to show, how many the rest holds, and sessions and lines named after them."""
    sessions, charges = numbers.sessions, numbers.charges
    amounts = {_key(row, by): row["amount"] for row in spend(charges, by=by).rows(named=True)}
    keys = [_key(row, by) for row in success_rates(sessions, by=by).rows(named=True)]
    named, rest = largest(keys, amounts.get)
    if rest:
        # Rates and prices of the rest cannot be made of its groups' rates and prices: its
        # sessions and lines get one name, and are counted again as one group.
        kept = pl.DataFrame(named, schema=sessions.select(by).schema, orient="row")
        sessions, charges = (_folded(frame, kept, by) for frame in (sessions, charges))
        named.append((_REST,) * len(by))
    return named, len(rest), sessions, charges


def channel_name(entry_channel: str | None) -> str:
    """The name of the channel that sessions began on; a session without an attempt has none.

    Example:
        >>> channel_name("sms"), channel_name(None)
        ('SMS', 'No attempt')
    """
    return "No attempt" if entry_channel is None else style.name(entry_channel)


def same_group(key: Key) -> Key:
    """What stays of a group from period to period: an application's id, not its name.

    Example:
        >>> same_group(("IN",)), same_group(("an id", "a name"))
        (('IN',), ('an id',))
    """
    return key if key[0] is None else key[:1]


def _folded(frame: pl.DataFrame, kept: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    """A frame in which every group that is not kept has the name of the rest."""
    marked = frame.join(
        kept.with_columns(kept=pl.lit(value=True)),
        on=list(by),
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )
    named = (pl.when("kept").then(column).otherwise(pl.lit(_REST)).alias(column) for column in by)
    return marked.with_columns(named).drop("kept")


def _by_key(frame: pl.DataFrame, by: Sequence[str]) -> dict[Key, Row]:
    return {_key(row, by): row for row in frame.rows(named=True)}


def _key(row: Row, by: Sequence[str]) -> Key:
    return tuple(row[column] for column in by)


def _lines(
    subject: Subject, by: Sequence[str], named: Callable[[Key], tuple[str, str]]
) -> list[dict[str, Any]]:
    found = leading(subject.numbers, by)
    before = spent_before(found, subject.before, by) if subject.before else []
    longest = max((group.spent or Decimal(0) for group in found), default=Decimal(0))
    return [
        _line(subject, group, past, longest) | _name(group, named)
        for group, past in zip_longest(found, before)
    ]


def _name(group: TopGroup, named: Callable[[Key], tuple[str, str]]) -> dict[str, str]:
    name, code = named(group.key) if group.key else ("", "")
    others = "" if group.key else f"{count(group.groups)} others"
    return {"name": name, "code": code, "others": others}


def _line(
    subject: Subject, group: TopGroup, past: Decimal | None, longest: Decimal
) -> dict[str, Any]:
    spent, whole = group.spent, subject.numbers.spent
    parts = sorted(group.parts.items(), key=lambda part: style.place(part[0]))
    words = (f"{style.name(channel)} {subject.money(amount)}" for channel, amount in parts)
    now, then = (subject.change(amount or Decimal(0), Decimal(0)) for amount in (spent, past))
    risen = spent is not None and past is not None and 0 < then * _RISEN <= now
    rate = group.success["success_rate"]
    return {
        "bar": svg.parts(parts, longest, _BAR, label="; ".join(words) or "no known amount"),
        "spent": subject.money(spent) if spent is not None else NOT_KNOWN,
        # The amount to the cent carries all its digits along.
        "exact": "" if spent is None else plain(spent, decimals(spent)).replace(",", ""),
        "share": percent(spent / whole, unit=False) if whole and spent is not None else NOT_KNOWN,
        "change": subject.absolute(spent, past),
        "risen": risen and group.key is not None,
        "sessions": count(group.success["sessions"]),
        "price": subject.price(group.cost["cost_per_verified"]),
        "below": rate is not None and rate < _FROM,
        "estimate": _estimate(subject, group),
        "rate": percent(rate, unit=False),
        "waste": subject.money(group.cost["waste"]),
        "wasted": (group.cost["waste_share"] or 0) > _WASTED,
    }


def _estimate(subject: Subject, group: TopGroup) -> svg.Drawing | None:
    estimate = RateEstimate.of(group.success, "success_rate")
    if estimate is None or estimate.value < _FROM:
        return None
    whole = subject.numbers.total("success")["success_rate"]
    grid = [whole] if whole is not None and whole >= _FROM else []
    return svg.estimate(estimate, (_FROM, _TO), _SCALE, label=estimate.words, grid=grid)


def _country(key: Key) -> tuple[str, str]:
    code = key[0]
    name = country(code)
    return name, clean(code) if code and name != clean(code) else ""


def _application(key: Key) -> tuple[str, str]:
    uuid, alias = key
    return clean(alias or uuid or "not given", _LONGEST), ""
