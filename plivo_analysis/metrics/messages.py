"""Message records: what they cost, how many arrived, and what their error codes mean.

A verification's attempt carries no code; it is reached through the message record with the same
uuid (``join_messages``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from plivo_analysis.api.columns import MESSAGES
from plivo_analysis.api.vocabulary import fold_status
from plivo_analysis.metrics.columns import (
    count_column,
    rate_columns,
    sum_column,
    unpriced_column,
)
from plivo_analysis.metrics.engines import ROWS
from plivo_analysis.metrics.grouping import Grouping
from plivo_analysis.metrics.money import money_of
from plivo_analysis.values.table_types import Kind, Table, computed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

MESSAGE_SPEND = Table(
    name="message_spend",
    row="A group of messages: what they were billed.",
    columns=(
        count_column("messages", "All messages, in both directions.", unit="messages"),
        computed("units", Kind.COUNT, "Parts billed.", "parts", nullable=True),
        sum_column("amount", "The sum of total_amount.", "amount"),
        sum_column("carrier_fees", "The carriers' surcharge, beside and never added.", "fees"),
        unpriced_column("Messages without a total_amount.", "amount", unit="messages"),
    ),
)

FINAL_STATES = {
    "delivered": "delivered",
    "read": "delivered",
    "undelivered": "undelivered",
    "failed": "failed",
    "rejected": "failed",
}
"""States that do not change any more, with the column of ``delivery_rates`` that counts each."""

_ENDS = {
    "delivered": "Delivered or read.",
    "undelivered": "Undelivered.",
    "failed": "Failed or rejected.",
    "other": "Not final.",
}
_STATE = pl.col("__message_state")

DELIVERY_RATES = Table(
    name="delivery_rates",
    row="A group of outbound messages: how many arrived.",
    columns=(
        count_column("messages", "Outbound messages.", unit="messages"),
        *(
            count_column(end, meaning, _STATE.eq(end), unit="messages")
            for end, meaning in _ENDS.items()
        ),
        *rate_columns("delivered_rate", "delivered", "final", "delivered ÷ (messages − other)."),
    ),
)

# Sources: the documentation's messages and Verify pages, the carriers' codes in the vendor's
# support pages. The table is open: a code that is not in it is kept as it is.
_MEANINGS = {
    "000": "Delivered; no error.",
    "10": "Invalid message: the carrier refused its content.",
    "20": "Network error at the carrier; temporary.",
    "30": "Taken for spam.",
    "40": "Invalid sender.",
    "50": "Invalid receiver.",
    "60": "Dropped: it went in a loop or had no way to go.",
    "70": "The receiver is out of reach for good.",
    "80": "The receiver is out of reach for now.",
    "90": "No route to the receiver.",
    "100": "Not allowed by the carrier.",
    "110": "Too long.",
    "200": "The receiver has opted out.",
    "201": "US toll-free senders cannot write to Canada.",
    "420": "Waited too long in the queue; not billed.",
    "450": "The destination country is switched off; not billed.",
    "451": "Stopped by the fraud threshold.",
    "452": "Stopped as possible pumping by Fraud Shield.",
    "900": "Not enough credit.",
    "1000": "Unknown error.",
}


def message_spend(
    messages: Any,
    by: str | Iterable[str] = ("message_type",),
    *,
    every: str | None = None,
    tz: str | ZoneInfo = "UTC",
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
        tz: The IANA time zone of the buckets, a name or a ``ZoneInfo``.

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
    needed = ["units", "total_amount", "carrier_fees"]
    grouping = Grouping.of(messages, by, MESSAGE_SPEND, MESSAGES, needed, every=every, tz=tz)
    summed = {"parts": "units", "amount": "total_amount", "fees": "carrier_fees"}
    groups = grouping.sum(grouping.count({}, sums=summed), parts=money_of("parts"))

    def units(group: dict[str, Any]) -> dict[str, Any]:
        parts = group["parts"].amount  # parts are whole, but are summed as money is
        return {"units": None if parts is None else int(parts)}

    return grouping.frame(groups, units)


def delivery_rates(messages: Any, by: str | Iterable[str] = (), *, confidence: float = 0.95) -> Any:
    """How many outbound messages were delivered, of those in a final state.

    The rate is delivered ÷ (messages − other): ``delivered`` holds read ones too, ``failed``
    rejected ones, ``other`` all that is not final (queued, sent, any state not known here).
    By ``error_code`` it shows why messages failed; ``metrics.messages.meaning`` says what the codes
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
    needed = ["message_direction", "message_state"]
    grouping = Grouping.of(messages, by, DELIVERY_RATES, MESSAGES, needed, confidence=confidence)
    counted = grouping.count({"message_direction": fold_status, "message_state": _state})
    outbound = counted.filter(pl.col("__message_direction") == "outbound")
    return grouping.frame(grouping.sum(outbound, final=ROWS.filter(_STATE != "other")))


def _state(word: str | None) -> str:
    return FINAL_STATES.get(fold_status(word) or "", "other")


def meaning(code: str | None) -> str | None:
    """What a code means; None where that is not known here.

    Args:
        code: An error code as the API writes it, leading zeros kept.

    Example:
        >>> meaning("450")
        'The destination country is switched off; not billed.'
    """
    return None if code is None else _MEANINGS.get(code)
