"""What was spent, on which channel, when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from plivo_analysis.metrics.columns import count_column, sum_column, unpriced_column
from plivo_analysis.metrics.grouping import Grouping
from plivo_analysis.tables.exploded_columns import CHARGES
from plivo_analysis.values.table_types import Table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

SPEND = Table(
    name="spend",
    row="A group of lines of the bill.",
    columns=(
        count_column("lines", "Lines, also those without a known amount.", unit="lines"),
        sum_column("amount", "Their known amounts.", "amount"),
        unpriced_column("Lines without a known amount.", "amount", unit="lines"),
    ),
)


def spend(
    frame: Any,
    by: str | Iterable[str] = ("channel",),
    *,
    every: str | None = None,
    tz: str | ZoneInfo = "UTC",
) -> Any:
    """What all sessions cost, open and expired ones too: sums over the lines of the bill.

    In every grouping the amounts sum to Σ ``total_charge`` exactly, but for sessions that have
    no total: their lines are what is known, and the sum is a lower bound. A missing amount is
    not zero; ``unpriced`` counts them. Periods are of the session's ``created_at``, for every
    line of it, so that money by day and sessions by day speak of the same sessions.

    Args:
        frame: A sessions table (polars, pandas or pyarrow), or a charges table on any engine
            (these, a DuckDB relation, PySpark).
        by: Columns of lines to group by. The ``channel`` of a ``validation`` or
            ``unallocated`` line is that word.
        every: ``"1h"``, ``"1d"``, ``"1w"`` (from Monday) or ``"1mo"``: adds ``period``.
        tz: The IANA time zone of the buckets, a name or a ``ZoneInfo``.

    Returns:
        A small frame (pandas for pandas, else polars), one row a group of lines: ``period``
        and the ``by`` columns, then ``lines``, ``amount`` (decimal, the account's currency;
        null where none is known), ``unpriced`` (lines without an amount).

    Raises:
        SchemaError: The frame is neither table, a session or a line comes twice, or the
            amounts are of several currencies, by a column ``currency``.
        FilterError: ``every`` or ``tz`` is none of the above.

    Example:
        >>> from decimal import Decimal
        >>> import polars as pl
        >>> lines = pl.DataFrame({"session_uuid": ["s", "s"], "line_number": [1, 2],
        ...     "line": ["attempt", "validation"], "channel": ["sms", None],
        ...     "amount": [Decimal("0.08"), Decimal("0.01")]})
        >>> spend(lines).rows()
        [('sms', 1, Decimal('0.08000000'), 0), ('validation', 1, Decimal('0.01000000'), 0)]
    """
    grouping = Grouping.of(frame, by, SPEND, CHARGES, ["line", "amount"], every=every, tz=tz)
    # Lines of validation, and unallocated ones, have no channel: they show their own word there.
    by_channel = "channel" in grouping.by
    counted = grouping.count({"line": None} if by_channel else {}, sums={"amount": "amount"})
    if by_channel:
        of_no_channel = pl.col("__line").is_in(["validation", "unallocated"])
        counted = counted.with_columns(
            channel=pl.when(of_no_channel).then("__line").otherwise("channel")
        )
    return grouping.frame(grouping.sum(counted))
