"""What the money bought: verified sessions, and the waste beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plivo_analysis.report.change import relative
from plivo_analysis.report.footnotes import ref
from plivo_analysis.report.html import Child, Markup, head, join, row, section, tag
from plivo_analysis.values.typesetting import NARROW, percent, plural, signed

if TYPE_CHECKING:
    from plivo_analysis.report.subject import Subject

_Cost = dict[str, Any]


def bought(subject: Subject) -> Markup:
    """A bar of what verified sessions cost and what was wasted, and prices."""
    cost = subject.numbers.total("cost")
    return section("What it bought", _split(subject, cost), _prices(subject, cost))


def _split(subject: Subject, cost: _Cost) -> Markup:
    whole, waste = cost["total_charge"], cost["waste"]
    if whole is None:
        return tag("p", "No settled session has a known charge.", class_="grey")
    good = whole - (waste or 0)
    failed = cost["settled"] - cost["verified"]
    on_waste = join((f"on {plural(failed, 'expired one')}: waste", ref("waste")))
    share = float(good / whole * 100) if whole > 0 else 0.0
    bar = tag("div", tag("i", style=f"width:{min(100.0, max(0.0, share)):.2f}%"), class_="split")
    return join(
        (
            tag(
                "div",
                _amount(subject.money(good), f"on {plural(cost['verified'], 'verified session')}"),
                _amount(
                    subject.money(waste) if waste is not None else "not known", on_waste, "accent"
                ),
                class_="two",
            ),
            bar if whole > 0 else None,
        )
    )


def _amount(shown: str, said: Child, class_: str | None = None) -> Markup:
    return tag("div", tag("strong", shown, class_=class_), tag("span", said, class_="grey"))


def _prices(subject: Subject, cost: _Cost) -> Markup:
    then = subject.before.total("cost") if subject.before else None
    rows = [
        _price(subject, "Cost per verified, all settled spend", "cost_per_verified", cost, then),
        _price(
            subject,
            "Direct cost per verified, without waste",
            "direct_cost_per_verified",
            cost,
            then,
        ),
        _share(cost, then),
        _open(subject),
    ]
    titles = ["", "This period", *(["Before", "Change"] if subject.before else [])]
    heading = head(*titles, numbers=[1, 2, 3])
    return tag("table", heading, tag("tbody", *rows))


def _price(subject: Subject, name: str, column: str, now: _Cost, then: _Cost | None) -> Markup:
    cells: list[Child] = [_named(name, "cost" if column == "cost_per_verified" else None)]
    cells.append(subject.price(now[column]))
    if then:
        cells += [subject.price(then[column]), relative(now[column], then[column])]
    return row(*cells)


def _share(now: _Cost, then: _Cost | None) -> Markup:
    cells: list[Child] = [_named("Waste share of settled spend"), percent(now["waste_share"])]
    if then:
        apart = None
        if now["waste_share"] is not None and then["waste_share"] is not None:
            moved = percent(now["waste_share"] - then["waste_share"], unit=False)
            apart = f"{signed(moved)}{NARROW}pts"
        cells += [percent(then["waste_share"]), apart]
    return row(*cells)


def _open(subject: Subject) -> Markup:
    now = subject.numbers.spent_open
    still = plural(subject.numbers.total("success")["open"], "session")
    cells: list[Child] = [_named("Spend on sessions still open"), subject.money(now)]
    if subject.before:
        cells += [subject.money(subject.before.spent_open), still]
    return row(*cells)


def _named(name: str, note: str | None = None) -> Markup:
    return tag("td", name, ref(note) if note else None)
