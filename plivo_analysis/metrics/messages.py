"""Message records: what they cost, how many arrived, and which of them carried a code."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from plivo_analysis.api.columns import MESSAGES
from plivo_analysis.api.words import fold_status
from plivo_analysis.metrics.cautions import refuse_mixed_currencies
from plivo_analysis.metrics.columns import DELIVERY_RATES, MESSAGE_SPEND
from plivo_analysis.metrics.engines import open_table, refuse_doubled
from plivo_analysis.metrics.grouping import Grouping, Key, names_of
from plivo_analysis.metrics.intervals import wilson, with_interval
from plivo_analysis.metrics.joins import MessageJoin, join_messages
from plivo_analysis.metrics.money import Money
from plivo_analysis.metrics.periods import Buckets
from plivo_analysis.tables.convert import column_names, result

if TYPE_CHECKING:
    from collections.abc import Iterable

    import narwhals as nw

    from plivo_analysis.values.schema import Table

__all__ = ["MessageJoin", "delivery_rates", "join_messages", "message_spend"]

OUTBOUND = "outbound"

_SUMMED = {"units": "units", "amount": "total_amount", "fees": "carrier_fees"}
_STATES = {
    "delivered": "delivered",
    "read": "delivered",
    "undelivered": "undelivered",
    "failed": "failed",
    "rejected": "failed",
}


def message_spend(
    messages: Any,
    by: str | Iterable[str] = ("message_type",),
    *,
    every: str | None = None,
    tz: str = "UTC",
) -> Any:
    """What messages cost, as billed; the carriers' surcharge is shown beside.

    ``amount`` is Σ ``total_amount``. Whether it includes ``carrier_fees`` is not documented,
    so these are summed beside it and never added. A verification's SMS may be a message
    record as well: do not add this to ``spend`` before ``join_messages`` has said how many are.

    Args:
        messages: A messages table on any engine: polars (eager, lazy), pandas, pyarrow, a
            DuckDB relation, PySpark.
        by: Columns of messages to group by.
        every: ``"1h"``, ``"1d"``, ``"1w"`` (from Monday) or ``"1mo"``: adds ``period``, of
            ``message_time``.
        tz: The IANA time zone of the buckets.

    Returns:
        A small frame (pandas for pandas, else polars), one row a group of messages of both
        directions: ``period`` and the ``by`` columns, then ``messages``, ``units`` (parts),
        ``amount, carrier_fees`` (decimals, the account's currency), ``unpriced`` (messages
        without an amount). A sum of which nothing is known is null.

    Raises:
        SchemaError: A column is missing, a ``message_uuid`` comes twice, or the
            amounts are of several currencies, by a column ``currency``.
        FilterError: ``every`` or ``tz`` is none of the above.

    Example:
        >>> from decimal import Decimal
        >>> import polars as pl
        >>> messages = pl.DataFrame({"message_uuid": ["a"], "message_type": ["sms"], "units": [2],
        ...     "total_amount": [Decimal("0.014")], "carrier_fees": [None]})
        >>> message_spend(messages).rows()
        [('sms', 1, 2, Decimal('0.01400000'), None, 0)]
    """
    buckets = Buckets.of(every=every, tz=tz)
    instant = ["message_time"] if buckets else []
    needed = ["units", "total_amount", "carrier_fees", *instant]
    lazy, names = _open(messages, by, MESSAGE_SPEND, needed, buckets)
    refuse_mixed_currencies(messages, names)
    grouping = Grouping(names, MESSAGE_SPEND, buckets, "message_time")
    counted = grouping.count(lazy, money=_SUMMED)
    groups: defaultdict[Key, dict[str, Money]] = defaultdict(
        lambda: {name: Money() for name in _SUMMED}
    )
    for row in counted:
        for name, money in groups[grouping.key(row)].items():
            money.add(row[f"__{name}"], row["__rows"], row[f"__no_{name}"])
    spent = {key: _spent(group) for key, group in groups.items()}
    return result(grouping.frame(spent, counted.schema), messages)


def _spent(group: dict[str, Money]) -> dict[str, Any]:
    units, amount, fees = group["units"], group["amount"], group["fees"]
    return {
        "messages": amount.known + amount.unknown,
        "units": None if units.amount is None else int(units.amount),
        "amount": amount.amount,
        "carrier_fees": fees.amount,
        "unpriced": amount.unknown,
    }


def delivery_rates(messages: Any, by: str | Iterable[str] = (), *, confidence: float = 0.95) -> Any:
    """How many outbound messages were delivered, of those in a final state.

    The rate is delivered ÷ (messages − other): ``delivered`` holds read ones too, ``failed``
    rejected ones, ``other`` all that is not final (queued, sent, any state not known here).
    By ``error_code`` it shows why messages failed; ``metrics.error_codes`` says what the codes
    mean. Intervals are Wilson's (Wilson 1927; Brown, Cai & DasGupta 2001).

    Args:
        messages: A messages table on any engine: polars (eager, lazy), pandas, pyarrow, a
            DuckDB relation, PySpark.
        by: Columns of messages to group by.
        confidence: The coverage of the intervals.

    Returns:
        A small frame (pandas for pandas, else polars), one row a group of outbound messages:
        the ``by`` columns, then ``messages, delivered, undelivered, failed, other`` (counts),
        ``delivered_rate, delivered_rate_low, delivered_rate_high`` (parts of one; null where
        none is final).

    Raises:
        SchemaError: A column is missing, or a ``message_uuid`` comes twice.
        FilterError: ``confidence`` does not lie between 0 and 1.

    Example:
        >>> import polars as pl
        >>> messages = pl.DataFrame({"message_uuid": ["a", "b", "c"],
        ...     "message_direction": ["outbound"] * 3, "message_state": ["read", "failed", "sent"]})
        >>> delivery_rates(messages).select("messages", "other", "delivered_rate").rows()
        [(3, 1, 0.5)]
    """
    wilson(0, 0, confidence)
    needed = ["message_direction", "message_state"]
    lazy, names = _open(messages, by, DELIVERY_RATES, needed)
    grouping = Grouping(names, DELIVERY_RATES)
    counted = grouping.count(lazy, *needed)
    groups: defaultdict[Key, Counter[str]] = defaultdict(Counter)
    for row in counted:
        if fold_status(row["message_direction"]) == OUTBOUND:
            state = _STATES.get(fold_status(row["message_state"]) or "", "other")
            groups[grouping.key(row)][state] += row["__rows"]
    rates = {key: _rates(group, confidence) for key, group in groups.items()}
    return result(grouping.frame(rates, counted.schema), messages)


def _rates(group: Counter[str], confidence: float) -> dict[str, Any]:
    final = group.total() - group["other"]
    return {
        "messages": group.total(),
        **{name: group[name] for name in ("delivered", "undelivered", "failed", "other")},
        **with_interval("delivered_rate", group["delivered"], final, confidence),
    }


def _open(
    messages: Any,
    by: str | Iterable[str],
    result_table: Table,
    needed: list[str],
    buckets: Buckets | None = None,
) -> tuple[nw.LazyFrame[Any], tuple[str, ...]]:
    names = names_of(by, result_table, column_names(messages), periods=buckets is not None)
    lazy = open_table(messages, MESSAGES, ["message_uuid", *needed], names)
    refuse_doubled(lazy, "message_uuid", MESSAGES)
    return lazy, names
