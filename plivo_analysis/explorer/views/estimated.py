"""What is shown of a load that begins with an estimate: the cards, and the groups.

Every number has ≈ before it and its interval beside it. Exact numbers take their place when
everything is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from plivo_analysis.explorer.kpi_cards import kpi_cards, rescue
from plivo_analysis.explorer.table import PagedTable, SortOrder, TableColumn
from plivo_analysis.explorer.views.view import cell
from plivo_analysis.metrics.estimates import group_text
from plivo_analysis.report.estimated import estimated_card
from plivo_analysis.values.typesetting import count

if TYPE_CHECKING:
    from collections.abc import Callable

    from markupsafe import Markup

    from plivo_analysis.metrics.estimates import Estimate

_NAME = "__name"
_COLUMNS = {
    "sessions": "Sessions",
    "success_rate": "Verified",
    "fallback_rate": "Fell back",
    "spend": "Spend",
    "cost_per_verified": "Per verified",
}
_OPTIONAL = ("fallback_rate", "cost_per_verified")


def estimated_cards(estimate: Estimate, fallback: dict[str, Any]) -> Markup:
    """The six cards.

    Args:
        estimate: The estimate.
        fallback: The one row of fallback rates of what was read: rescues are not estimated.
    """
    rescued = rescue("Rescue range", fallback)
    rescued.kind = f"of {count(fallback['fell_back'])} read"
    measures = ("sessions", "success_rate", "fallback_rate", "spend", "cost_per_verified")
    cards = [estimated_card(estimate, measure) for measure in measures]
    cards[-1].title = "Cost per verified"  # as the exact number's card that follows
    return kpi_cards(*cards[:3], rescued, *cards[3:])


class EstimatedGroups:
    """The table of groups.

    Args:
        currency: The account's currency.
    """

    def __init__(self, currency: str) -> None:
        def column(measure: str, title: str) -> TableColumn:
            def told(row: dict[str, Any]) -> Markup:
                words = group_text(row, measure, currency)
                return cell(words.value, words.interval)

            is_optional = measure in _OPTIONAL
            return TableColumn(title, (measure,), told, 1.6, True, is_optional)

        name = TableColumn("Group", (_NAME,), lambda row: row[_NAME], 1.5)
        columns = [name, *(column(*pair) for pair in _COLUMNS.items())]
        self.paged = PagedTable(columns, SortOrder(("spend", _NAME), (True, False)), "groups")

    def draw(self, estimate: Estimate, by: str, name: Callable[[Any], str]) -> None:
        """List the groups of an estimate.

        Args:
            estimate: The estimate, in polars.
            by: The column that it is grouped by.
            name: Names a value of that column.
        """
        names = [name(value) for value in estimate.frame[by].to_list()]
        self.paged.show(estimate.frame.with_columns(pl.Series(_NAME, names, pl.String)))
