"""What is shown while a load is an estimate: the cards, the first paragraph, the groups.

Every number has ≈ before it and its interval beside it, and the words say from how much it is
estimated. Exact numbers take the place of all of it when everything is read.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from plivo_analysis.explorer.kpi_cards import estimated, kpi_cards, rescue
from plivo_analysis.explorer.output import lines
from plivo_analysis.explorer.table import PagedTable, SortOrder, TableColumn
from plivo_analysis.explorer.views.view import cell
from plivo_analysis.metrics.samples import Interval
from plivo_analysis.values.typesetting import (
    DASH,
    NARROW,
    count,
    days,
    money,
    percent,
    unit_price,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from markupsafe import Markup

    from plivo_analysis.metrics.estimates import Estimate

NAME = "__name"
"""The column of the groups' names."""

_LARGE = 100  # of an amount: from here on its cents say nothing
_USUAL = SortOrder(("spend", NAME), (True, False))


def estimated_cards(estimate: Estimate, fallback: dict[str, Any], currency: str) -> Markup:
    """The six cards.

    Args:
        estimate: The estimate.
        fallback: The one row of fallback rates of what was read: rescues are not estimated.
        currency: The account's currency.
    """
    total = estimate.total
    rescued = rescue("Rescue range", fallback)
    rescued.kind = f"of {count(fallback['fell_back'])} read" if fallback["fell_back"] else "of none"
    return kpi_cards(
        estimated("Sessions", total["sessions"], _sessions),
        estimated("Success rate", total["success_rate"], percent),
        estimated("Fallback rate", total["fallback_rate"], percent),
        rescued,
        estimated("Spend", total["spend"], _money(currency)),
        estimated("Cost per verified", total["cost_per_verified"], _price(currency)),
    )


def estimated_summary(estimate: Estimate, currency: str) -> Markup:
    """The first paragraph: what was spent, and how many sessions verified at what price."""
    spent, sessions = estimate.total["spend"], estimate.total["sessions"]
    if spent.value is None or sessions.value is None:
        found = count(estimate.read)
        return lines(
            ["It is too early to say anything of the whole range: ", found, " read so far."]
        )
    verified, price = estimate.total["success_rate"], estimate.total["cost_per_verified"]
    range_of_days = days(estimate.since, estimate.until)
    return lines(
        [
            "You spent ",
            _words(spent, _money(currency)),
            f" in {range_of_days} on ",
            _words(sessions, _sessions),
            " sessions. Of those that are settled ",
            _words(verified, percent),
            " verified; each verified one cost ",
            _words(price, _price(currency)),
            f". Intervals are of {percent(estimate.confidence, 0)}, at this moment.",
        ]
    )


class EstimatedGroups:
    """The table of groups.

    Args:
        currency: The account's currency.
    """

    def __init__(self, currency: str) -> None:
        columns = [TableColumn("Group", (NAME,), lambda row: row[NAME], 1.5)]
        for title, name, show, is_optional in (
            ("Sessions", "sessions", _sessions, False),
            ("Verified, %", "success_rate", _rate, False),
            ("Fell back, %", "fallback_rate", _rate, True),
            ("Spend", "spend", _money(currency), False),
            ("Per verified", "cost_per_verified", _price(currency), True),
        ):
            told = _told(name, show)
            columns.append(TableColumn(title, (name,), told, 1.6, True, is_optional))
        self.paged = PagedTable(columns, _USUAL, "groups")

    def draw(self, estimate: Estimate, by: str, name: Callable[[Any], str]) -> None:
        """List the groups of an estimate.

        Args:
            estimate: The estimate, in polars.
            by: The column that it is grouped by.
            name: Names a value of that column.
        """
        names = [name(value) for value in estimate.frame[by].to_list()]
        self.paged.show(estimate.frame.with_columns(pl.Series(NAME, names, pl.String)))


def _told(name: str, show: Callable[[float], str]) -> Callable[[dict[str, Any]], Markup]:
    def told(row: dict[str, Any]) -> Markup:
        number = Interval(row[name], row[f"{name}_low"], row[f"{name}_high"])
        if number.value is None:
            return cell("", "too early")
        return cell(f"≈{NARROW}{show(number.value)}", _between(number, show))

    return told


def _words(number: Interval, show: Callable[[float], str]) -> str:
    if number.value is None:
        return "an amount that it is too early to tell"
    between = _between(number, show)
    return f"≈{NARROW}{show(number.value)}" + (f" ({between})" if between else "")


def _between(number: Interval, show: Callable[[float], str]) -> str:
    if number.low is None or number.high is None or show(number.low) == show(number.high):
        return ""
    return f"{show(number.low)}{DASH}{show(number.high)}"


def _sessions(number: float) -> str:
    return count(round(number))


def _rate(number: float) -> str:
    return percent(number, unit=False)


def _money(currency: str) -> Callable[[float], str]:
    return lambda amount: money(Decimal(amount), currency, 0 if amount >= _LARGE else 2)


def _price(currency: str) -> Callable[[float], str]:
    return lambda amount: unit_price(Decimal(amount), currency)
