"""What was spent, on which channel, when."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from plivo_analysis.metrics.cautions import refuse_mixed_currencies
from plivo_analysis.metrics.columns import SPEND
from plivo_analysis.metrics.grouping import Grouping, Key
from plivo_analysis.metrics.inputs import open_exploded
from plivo_analysis.metrics.money import Money
from plivo_analysis.metrics.periods import Buckets
from plivo_analysis.tables.columns import CHARGES
from plivo_analysis.tables.convert import result

if TYPE_CHECKING:
    from collections.abc import Iterable

_NO_CHANNEL = ("validation", "unallocated")


def spend(
    frame: Any,
    by: str | Iterable[str] = ("channel",),
    *,
    every: str | None = None,
    tz: str = "UTC",
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
        tz: The IANA time zone of the buckets.

    Returns:
        A small frame (pandas for pandas, else polars), one row a group of lines: ``period``
        and the ``by`` columns, then ``lines``, ``amount`` (decimal, the account's currency;
        null where none is known), ``unpriced`` (lines without an amount).

    Raises:
        SchemaError: The frame is neither table, a session comes twice, or the
            amounts are of several currencies, by a column ``currency``.
        FilterError: ``every`` or ``tz`` is none of the above.

    Example:
        >>> from decimal import Decimal
        >>> import polars as pl
        >>> lines = pl.DataFrame({"line": ["attempt", "validation"], "channel": ["sms", None],
        ...                       "amount": [Decimal("0.08"), Decimal("0.01")]})
        >>> spend(lines).rows()
        [('sms', 1, Decimal('0.08000000'), 0), ('validation', 1, Decimal('0.01000000'), 0)]
    """
    buckets = Buckets.of(every=every, tz=tz)
    needed = ["line", "amount"]
    lazy, names = open_exploded(frame, by, SPEND, CHARGES, needed, buckets=buckets)
    refuse_mixed_currencies(frame, names)
    grouping = Grouping(names, SPEND, buckets)
    counted = grouping.count(
        lazy,
        *(["line"] if "channel" in names else []),
        money={"amount": "amount"},
    )
    groups: defaultdict[Key, Money] = defaultdict(Money)
    for row in counted:
        if "channel" in names and row["line"] in _NO_CHANNEL:
            row["channel"] = row["line"]
        groups[grouping.key(row)].add(row["__amount"], row["__rows"], row["__no_amount"])
    lines = {key: _row(group) for key, group in groups.items()}
    return result(grouping.frame(lines, counted.schema), frame)


def _row(group: Money) -> dict[str, Any]:
    return {
        "lines": group.known + group.unknown,
        "amount": group.amount,
        "unpriced": group.unknown,
    }
