"""What is shown of a load that begins with an estimate: the cards, and the groups.

Every number has ≈ before it and its interval beside it. Exact numbers take their place when
everything is read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plivo_analysis.explorer.kpi_cards import kpi_cards, rescue
from plivo_analysis.explorer.table import TableColumn
from plivo_analysis.explorer.views.view import cell
from plivo_analysis.metrics.estimates import group_text
from plivo_analysis.report.estimated import estimated_card
from plivo_analysis.values.typesetting import count

if TYPE_CHECKING:
    from markupsafe import Markup

    from plivo_analysis.explorer.table import Row
    from plivo_analysis.metrics.estimates import Estimate

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


def estimated_columns(name: str, currency: str) -> list[TableColumn]:
    """The columns of the table of groups.

    Args:
        name: The column of the groups' names.
        currency: The account's currency.
    """

    def column(measure: str, title: str) -> TableColumn:
        def show(row: Row) -> Markup:
            words = group_text(row, measure, currency)
            return cell(words.value, words.interval)

        return TableColumn(title, (measure,), show, 1.6, True, measure in _OPTIONAL)

    columns = [column(*pair) for pair in _COLUMNS.items()]
    return [TableColumn("Group", (name,), lambda row: row[name], 1.5), *columns]
