"""Message records: what they cost, how many arrived, and which attempts they carried.

A session says nothing of why an SMS failed; the message record with the attempt's uuid has an
error code (``join_messages``, ``meaning``). The same SMS is then billed once and shown in two
tables, which is what ``amount_in_both`` warns of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from plivo_analysis.api.columns import MESSAGES
from plivo_analysis.api.vocabulary import fold_status
from plivo_analysis.metrics.cautions import one_currency
from plivo_analysis.metrics.columns import count_column, rate_columns, sum_column, unpriced_column
from plivo_analysis.metrics.confidence_intervals import ratio
from plivo_analysis.metrics.engines import ROWS
from plivo_analysis.metrics.grouping import Grouping
from plivo_analysis.metrics.money import Money, money_of
from plivo_analysis.tables.checks import column_names, refuse_doubled, require
from plivo_analysis.tables.convert import result, select
from plivo_analysis.tables.explode import exploded
from plivo_analysis.tables.exploded_columns import ATTEMPTS
from plivo_analysis.values.table_types import Kind, Table, computed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from decimal import Decimal
    from zoneinfo import ZoneInfo

MESSAGE_SPEND = Table(
    name="message_spend",
    row="A group of messages: what they were billed.",
    columns=(
        count_column("messages", "All messages, in both directions.", unit="messages"),
        computed("units", Kind.COUNT, "Parts billed.", "parts", nullable=True),
        sum_column("amount", "The sum of total_amount.", "amount"),
        sum_column(
            "carrier_fees", "The carriers' surcharge, shown beside and never added.", "fees"
        ),
        unpriced_column("Messages without a total_amount.", "amount", unit="messages"),
    ),
)

_PREFIX = "message_"
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


@dataclass(frozen=True, slots=True, repr=False)
class MessageJoin:
    """Attempts with their message records, and what that says of money.

    Args:
        frame: The attempts, each with ``matched`` and the columns of its message record, whose
            names begin with ``message_``.
        attempts: How many attempts there are.
        matched: How many of them have a message record.
        match_rate: matched ÷ attempts; None without attempts. An attempt by voice has none.
        amount_in_both: The ``total_amount`` of the matched records, each once, in the
            account's currency: money that ``spend`` and ``message_spend`` both count. It is
            None where none of it is known.

    Example:
        >>> MessageJoin(frame=None, attempts=4, matched=3, match_rate=0.75, amount_in_both=None)
        MessageJoin: 3 of 4 attempts have a message record; what it cost is not known.
    """

    frame: Any
    attempts: int
    matched: int
    match_rate: float | None
    amount_in_both: Decimal | None

    def __repr__(self) -> str:
        cost = "what it cost is not known"
        if self.amount_in_both is not None:
            both = "is counted by spend and by message_spend, so do not add the two"
            cost = f"{self.amount_in_both} {both}"
        found = f"{self.matched} of {self.attempts} attempts have a message record"
        return f"MessageJoin: {found}; {cost}." if self.matched else f"MessageJoin: {found}."


def join_messages(attempts: Any, messages: Any) -> MessageJoin:
    """Put each attempt beside the message record that has its uuid.

    A record brings what a session lacks: ``message_error_code`` (``metrics.messages.meaning``
    says what it means), parts, rate and amount. The amount may differ from the attempt's
    ``charge``. Verify's SMS may be listed as messages too: adding ``spend`` and
    ``message_spend`` then counts ``amount_in_both`` twice.

    Args:
        attempts: An attempts or a sessions table of any supported kind.
        messages: A messages table of any supported kind; columns that it lacks stay away, but
            ``message_uuid`` and ``total_amount`` have to be there.

    Returns:
        The join: ``.frame`` (pandas for pandas attempts, else polars) with all columns of the
        attempts in their order, ``matched`` (true or false) and the record's columns, all
        beginning with ``message_`` (``units`` is ``message_units``), null without a record;
        ``.attempts``, ``.matched``, ``.match_rate``, ``.amount_in_both``.

    Raises:
        SchemaError: A column is missing, an attempt or a ``message_uuid`` comes twice, or the
            messages are billed in several currencies, by a column ``currency``.

    Example:
        >>> from decimal import Decimal
        >>> attempts = pl.DataFrame({"session_uuid": ["s", "s"], "attempt_number": [1, 2],
        ...                          "attempt_uuid": ["a", None]})
        >>> messages = pl.DataFrame({"message_uuid": ["a"], "error_code": ["450"],
        ...                          "total_amount": [Decimal("0.05")]})
        >>> join_messages(attempts, messages).frame["message_error_code"].to_list()
        ['450', None]
    """
    one_currency(messages)
    if "attempt_details" in column_names(attempts):
        sent = exploded(attempts, ATTEMPTS).lazy().collect()
    else:
        sent = _whole(attempts, ATTEMPTS, ["session_uuid", "attempt_number", "attempt_uuid"])
    refuse_doubled(sent, ATTEMPTS)
    records = _whole(messages, MESSAGES, ["message_uuid", "total_amount"])
    refuse_doubled(records, MESSAGES)
    records = records.rename(lambda name: name if name.startswith(_PREFIX) else _PREFIX + name)
    # The same attempt_uuid may be listed twice: each attempt keeps its row, and its order.
    joined = sent.join(
        records.with_columns(matched=True, attempt_uuid="message_uuid"),
        on="attempt_uuid",
        how="left",
        maintain_order="left",
    ).with_columns(pl.col("matched").fill_null(value=False))
    matched = int(joined["matched"].sum())
    # A record may match two attempts of one uuid: what it cost counts once.
    billed = records.filter(pl.col("message_uuid").is_in(sent["attempt_uuid"].implode()))
    return MessageJoin(
        frame=result(joined.select(*sent.columns, "matched", *records.columns), attempts),
        attempts=sent.height,
        matched=matched,
        match_rate=ratio(matched, sent.height),
        amount_in_both=_total(billed["message_total_amount"]),
    )


def _whole(frame: Any, table: Table, needed: list[str]) -> pl.DataFrame:
    """All columns of a frame: the table's with their types, the caller's own as they are."""
    names = column_names(frame)
    require(names, table, needed)
    known = [column for column in table.columns if column.name in names]
    own = [name for name in names if name not in table.names]
    return select(frame, known, own=own).select(names)


def _total(amounts: pl.Series) -> Decimal | None:
    units = int(amounts.to_physical().sum())
    return Money(units, len(amounts) - amounts.null_count(), amounts.null_count()).amount
