"""Where the money went: every line of the bill, to the last digit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plivo_analysis.figures import style
from plivo_analysis.report import drawing, sparklines
from plivo_analysis.report.change import absolute, visible
from plivo_analysis.report.html import Child, Markup, head, join, row, section, tag
from plivo_analysis.values.typesetting import NOT_KNOWN, count, decimals, money, percent, plain

if TYPE_CHECKING:
    from decimal import Decimal

    from plivo_analysis.report.measures import Row
    from plivo_analysis.report.subject import Subject


def lines(subject: Subject) -> Markup:
    """A row a channel, then validation and what no line accounts for, then the total."""
    rows = sorted(subject.numbers.rows("spend"), key=lambda entry: style.place(entry["channel"]))
    spent = subject.numbers.spent
    digits = max(
        [decimals(entry["amount"]) for entry in rows if entry["amount"] is not None] or [2]
    )
    bucket = subject.numbers.period.bucket if subject.numbers.period else "day"
    titles: list[Child] = ["Line", "Lines", "Spend", f"By {bucket}, own scale", "Share, %"]
    numbers = [1, 2, 4]
    if subject.before:
        titles.append(f"Change, {subject.sign}")
        numbers.append(5)
    body = join(_line(subject, entry, digits) for entry in rows)
    total: list[Child] = [tag("td", "Total"), None, money(spent, subject.currency, digits)]
    total += [None, percent(1, unit=False) if spent else NOT_KNOWN]
    if subject.before:
        total.append(absolute(spent, subject.before.spent, plain))
    foot = row(*total, class_="total")
    table = tag("table", head(*titles, numbers=numbers), tag("tbody", body, foot))
    return section("Where the money went, by line", table)


def _line(subject: Subject, entry: Row, digits: int) -> Markup:
    channel, amount = entry["channel"], entry["amount"]
    spent = subject.numbers.spent
    cells: list[Child] = [
        tag("td", drawing.square(channel), style.name(channel), class_="named"),
        count(entry["lines"]),
        tag("td", money(amount, subject.currency, digits), _unpriced(entry), class_="n"),
        tag("td", _course(subject, channel), class_="drawn"),
        _share(amount, spent),
    ]
    if subject.before:
        past = subject.before.amounts("spend", "channel").get(channel, spent * 0)
        cells.append(absolute(amount, past, plain))
    return row(*cells)


def _course(subject: Subject, channel: str) -> Markup | None:
    amounts = subject.numbers.spent_by_period(channel)
    if not any(amounts):
        return None
    return sparklines.columns(amounts, channel, said=f"{style.name(channel)} over time")


def _unpriced(entry: Row) -> Markup | None:
    if not entry["unpriced"]:
        return None
    return tag("small", f"{count(entry['unpriced'])} without a price")


def _share(amount: Decimal | None, spent: Decimal) -> str:
    if amount is None or not spent:
        return NOT_KNOWN
    return visible(amount / spent)
