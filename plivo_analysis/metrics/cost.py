"""What one verification costs, the failed ones included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from plivo_analysis.api.columns import SESSIONS
from plivo_analysis.api.vocabulary import SETTLED, VERIFIED, fold_status
from plivo_analysis.metrics.engines import ROWS
from plivo_analysis.metrics.grouping import Grouping, count_column, rate_column, sum_column
from plivo_analysis.metrics.intervals import ratio
from plivo_analysis.metrics.money import money_of
from plivo_analysis.values.table_types import Table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

COST_PER_VERIFIED = Table(
    name="cost_per_verified",
    row="A group of sessions: what one verification costs.",
    columns=(
        count_column("settled", "Verified or expired.", "sessions"),
        count_column("verified", "Verified.", "sessions"),
        sum_column("total_charge", "What the settled sessions were billed."),
        sum_column("cost_per_verified", "total_charge ÷ verified."),
        sum_column("direct_cost_per_verified", "The total_charge of the verified ones ÷ verified."),
        sum_column("waste", "The total_charge of the settled ones that are not verified."),
        rate_column("waste_share", "waste ÷ total_charge."),
        count_column("unpriced", "Settled sessions without a total_charge.", "sessions"),
    ),
)


def cost_per_verified(
    sessions: Any,
    by: str | Iterable[str] = (),
    *,
    every: str | None = None,
    tz: str | ZoneInfo = "UTC",
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
        tz: The IANA time zone of the buckets, a name or a ``ZoneInfo``.

    Returns:
        A small frame (pandas for pandas, else polars), one row a group of sessions:
        ``period`` and the ``by`` columns, then ``settled, verified`` (sessions),
        ``total_charge, cost_per_verified, direct_cost_per_verified, waste`` (decimals of
        scale 8, half-even; null where nothing was verified or no charge is known),
        ``waste_share`` (a part of one), ``unpriced`` (settled sessions without a total).

    Raises:
        SchemaError: A column is missing, ``by`` names ``channel`` (a session's last one), a
            ``session_uuid`` comes twice, or the
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
    needed = ["status", "total_charge"]
    grouping = Grouping.of(sessions, by, COST_PER_VERIFIED, SESSIONS, needed, every=every, tz=tz)
    counted = grouping.count({"status": fold_status}, sums={"charge": "total_charge"})
    settled = pl.col("__status").is_in(SETTLED)
    verified = pl.col("__status") == VERIFIED
    groups = grouping.sum(
        counted,
        settled=ROWS.filter(settled),
        verified=ROWS.filter(verified),
        total_charge=money_of("charge", settled),
        direct=money_of("charge", verified),
        waste=money_of("charge", settled & ~verified),
    )

    def costs(group: dict[str, Any]) -> dict[str, Any]:
        total, waste = group["total_charge"], group["waste"]
        wasted = total.part(waste)
        return {
            "cost_per_verified": total.per(group["verified"]),
            "direct_cost_per_verified": group["direct"].per(group["verified"]),
            "waste": wasted,
            "waste_share": None if wasted is None else ratio(waste.units, total.units),
            "unpriced": total.unknown,
        }

    return grouping.frame(groups, costs)
