"""What one verification costs, the failed ones included."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from plivo_analysis.api.words import SETTLED, VERIFIED, fold_status
from plivo_analysis.metrics.cautions import refuse_mixed_currencies
from plivo_analysis.metrics.columns import COST_PER_VERIFIED
from plivo_analysis.metrics.grouping import Grouping, Key
from plivo_analysis.metrics.inputs import open_sessions
from plivo_analysis.metrics.intervals import ratio
from plivo_analysis.metrics.money import Money
from plivo_analysis.metrics.periods import Buckets
from plivo_analysis.tables.convert import result

if TYPE_CHECKING:
    from collections.abc import Iterable


def cost_per_verified(
    sessions: Any,
    by: str | Iterable[str] = (),
    *,
    every: str | None = None,
    tz: str = "UTC",
) -> Any:
    """What a verified session costs: all that was spent on settled ones, divided by them.

    The cost per verified is Σ ``total_charge`` of settled sessions ÷ verified sessions, the
    full cost of Vonage's Verify analytics: a ratio of sums, never a mean of ratios. The direct
    cost counts the charges of the verified sessions alone; the rest is waste, and its share is
    waste ÷ total. Open sessions are in none of these. Money is in the account's currency; the
    API does not say which. Where ``unpriced`` is not 0, the sums are lower bounds.

    Args:
        sessions: A sessions table on any engine: polars (eager, lazy), pandas, pyarrow, a
            DuckDB relation, PySpark. Only ``session_uuid``, ``status``, ``total_charge``, the
            ``by`` columns and, with ``every``, ``created_at`` are read.
        by: Columns of sessions to group by.
        every: ``"1h"``, ``"1d"``, ``"1w"`` (from Monday) or ``"1mo"``: adds ``period``.
        tz: The IANA time zone of the buckets.

    Returns:
        A small frame (pandas for pandas, else polars), one row a group of sessions:
        ``period`` and the ``by`` columns, then ``settled, verified`` (sessions),
        ``total_charge, cost_per_verified, direct_cost_per_verified, waste`` (decimals of
        scale 8, half-even; null where nothing was verified or no charge is known),
        ``waste_share`` (a part of one), ``unpriced`` (settled sessions without a total).

    Raises:
        SchemaError: A column is missing, a ``session_uuid`` comes twice, or the
            charges are of several currencies, by a column ``currency``.
        FilterError: ``every`` or ``tz`` is none of the above.

    Example:
        >>> from decimal import Decimal
        >>> import polars as pl
        >>> sessions = pl.DataFrame({"session_uuid": ["a", "b"], "status": ["verified", "expired"],
        ...                          "total_charge": [Decimal("0.08"), Decimal("0.05")]})
        >>> cost_per_verified(sessions)["cost_per_verified"].to_list()
        [Decimal('0.13000000')]
    """
    buckets = Buckets.of(every=every, tz=tz)
    needed = ["status", "total_charge"]
    lazy, names = open_sessions(sessions, by, COST_PER_VERIFIED, needed, buckets)
    refuse_mixed_currencies(sessions, names)
    grouping = Grouping(names, COST_PER_VERIFIED, buckets)
    counted = grouping.count(
        lazy,
        "status",
        money={"charge": "total_charge"},
    )
    groups: defaultdict[Key, _Cost] = defaultdict(_Cost)
    for row in counted:
        groups[grouping.key(row)].add(row)
    costs = {key: group.row() for key, group in groups.items()}
    return result(grouping.frame(costs, counted.schema), sessions)


@dataclass(slots=True)
class _Cost:
    settled: int = 0
    verified: int = 0
    total: Money = field(default_factory=Money)
    direct: Money = field(default_factory=Money)
    waste: Money = field(default_factory=Money)

    def add(self, row: dict[str, Any]) -> None:
        status = fold_status(row["status"])
        if status not in SETTLED:
            return
        counts = row["__charge"], row["__rows"], row["__no_charge"]
        self.settled += row["__rows"]
        self.total.add(*counts)
        if status == VERIFIED:
            self.verified += row["__rows"]
            self.direct.add(*counts)
        else:
            self.waste.add(*counts)

    def row(self) -> dict[str, Any]:
        waste = self.total.part(self.waste)
        return {
            "settled": self.settled,
            "verified": self.verified,
            "total_charge": self.total.amount,
            "cost_per_verified": self.total.per(self.verified),
            "direct_cost_per_verified": self.direct.per(self.verified),
            "waste": waste,
            "waste_share": None if waste is None else ratio(self.waste.units, self.total.units),
            "unpriced": self.total.unknown,
        }
