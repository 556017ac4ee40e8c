"""Spend by country and by application: the largest twelve, the rest as one line."""

from __future__ import annotations

from decimal import Decimal
from itertools import zip_longest
from typing import TYPE_CHECKING

from plivo_analysis.figures import style
from plivo_analysis.report import drawing, sparklines
from plivo_analysis.report.change import absolute
from plivo_analysis.report.countries import country
from plivo_analysis.report.html import Child, Markup, join, row, section, tag
from plivo_analysis.report.measures import APPLICATION, COUNTRY
from plivo_analysis.report.top_groups import Key, TopGroup, leading, spent_before
from plivo_analysis.values.typesetting import (
    NARROW,
    NOT_KNOWN,
    clean,
    count,
    decimals,
    percent,
    percent_range,
    plain,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from plivo_analysis.report.subject import Subject

_BAR, _SCALE = 150, 106
_FROM, _TO = 0.8, 1.0  # the success rate's scale
_LONGEST = 44  # letters of a name: three lines
_WASTED = Decimal("0.3")
_RISEN = Decimal("1.5")


def places(subject: Subject) -> Markup:
    """Two tables in one grid of columns, and what is coloured."""
    countries = _group(subject, "Country", COUNTRY, _country)
    applications = _group(subject, "Application", APPLICATION, _application)
    table = tag("table", _columns(subject), countries, applications, class_="places")
    return section("Spend by country and by application", table, _note(subject))


def _columns(subject: Subject) -> Markup:
    widths = [152, _BAR + 12, 74, 58, 66, 66, 84, _SCALE + 22, 46, 72]
    if not subject.before:
        del widths[4]
    return tag("colgroup", join(tag("col", style=f"width:{width}px") for width in widths))


def _group(
    subject: Subject, title: str, by: Sequence[str], named: Callable[[Key], Markup]
) -> Markup:
    found = leading(subject.numbers, by)
    before = spent_before(found, subject.before, by) if subject.before else []
    longest = max((place.spent or Decimal(0) for place in found), default=Decimal(0))
    lines = [
        _line(subject, place, past, longest, named) for place, past in zip_longest(found, before)
    ]
    if not lines:
        lines = [row(tag("td", "none", colspan=9, class_="grey"))]
    return tag("tbody", _head(subject, title), *lines)


def _head(subject: Subject, title: str) -> Markup:
    ends = tag("span", tag("i", percent(_FROM, 0, unit=False)), tag("i", "90"), tag("i", "100"))
    scale = tag("th", tag("b", "Success rate, %"), ends, class_="scale")
    zero = subject.money(Decimal(0), 0)
    numbers = ["Spend", "Share, %"]
    if subject.before:
        numbers.append(f"Change, {subject.sign}")
    numbers += ["Sessions", "Per verified"]
    cells = [tag("th", title), tag("th", f"Spend by channel, from {zero}")]
    cells += [tag("th", number, class_="n") for number in numbers]
    cells += [scale, tag("th", class_="n"), tag("th", "Waste", class_="n")]
    return tag("tr", *cells, class_="head")


def _line(
    subject: Subject,
    place: TopGroup,
    past: Decimal | None,
    longest: Decimal,
    named: Callable[[Key], Markup],
) -> Markup:
    others = f"{count(place.groups)} others"
    parts = sorted(place.parts.items(), key=lambda part: style.place(part[0]))
    spent = place.spent
    rate, wasted = place.success["success_rate"], place.cost["waste_share"] or 0
    bar = sparklines.stack(parts, longest, _BAR, said=_parts(subject, parts))
    cells: list[Child] = [
        tag("td", named(place.key) if place.key else tag("span", others, class_="grey")),
        tag("td", bar, class_="drawn"),
        tag("td", NOT_KNOWN, class_="n") if spent is None else _exactly(subject, spent),
        _share(spent, subject.numbers.spent),
    ]
    if subject.before:
        risen = spent is not None and past is not None and 0 < past * _RISEN <= spent
        change = absolute(spent, past, plain)
        cells.append(tag("td", change, class_="n accent" if risen and place.key else "n"))
    cells += [
        count(place.success["sessions"]),
        subject.price(place.cost["cost_per_verified"]),
        tag("td", _rate(subject, place), class_="drawn"),
        percent(rate, unit=False),
        tag(
            "td", subject.money(place.cost["waste"]), class_="n accent" if wasted > _WASTED else "n"
        ),
    ]
    return row(*cells)


def _share(spent: Decimal | None, whole: Decimal) -> str:
    return percent(spent / whole, unit=False) if whole and spent is not None else NOT_KNOWN


def _exactly(subject: Subject, amount: Decimal) -> Markup:
    """An amount to the cent that carries all its digits along."""
    exact = plain(amount, decimals(amount)).replace(",", "")
    return tag("td", tag("data", subject.money(amount), value=exact, title=exact), class_="n")


def _parts(subject: Subject, parts: Sequence[tuple[str, Decimal]]) -> str:
    return ", ".join(f"{style.name(channel)} {subject.money(amount)}" for channel, amount in parts)


def _rate(subject: Subject, place: TopGroup) -> Markup | None:
    success = place.success
    rate, low, high = (success[f"success_rate{end}"] for end in ("", "_low", "_high"))
    if rate is None:
        return None
    if rate < _FROM:
        arrow = tag("svg", tag("path", d="M6 1L2 5L6 9", class_="arrow"), viewBox="0 0 8 10")
        return tag("span", arrow, "below the scale", class_="below accent")
    said = f"{percent(rate)}, interval {percent_range(low, high)}"
    whole = subject.numbers.total("success")["success_rate"]
    grid = [whole] if whole is not None and whole >= _FROM else []
    bounds, scale = (rate, low, high), (_FROM, _TO)
    return drawing.estimate(bounds, scale, _SCALE, shade=None, said=said, grid=grid)


def _country(key: Key) -> Markup:
    code = key[0]
    name = country(code)
    letters = clean(code) if code and name != clean(code) else None
    return join((name, tag("span", f" {letters}", class_="grey") if letters else None))


def _application(key: Key) -> Markup:
    uuid, alias = key
    return join((clean(alias or uuid or "not given", _LONGEST),))


def _note(subject: Subject) -> Markup:
    whole = percent(subject.numbers.total("success")["success_rate"])
    rise = "spend half as high again as before, or " if subject.before else ""
    return tag(
        "p",
        f"Thin line: 95{NARROW}% interval of the success rate, scale 80 to 100{NARROW}%; grey "
        f"rule: all sessions, {whole}. Coloured figures: {rise}more than 30{NARROW}% of it "
        "wasted. Amounts here are to the cent; the workbook has every digit.",
        class_="note",
    )
