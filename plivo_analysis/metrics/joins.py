"""Attempts beside the message records that carried them.

A session says nothing of why an SMS failed; the message record with the attempt's uuid does. The
same SMS is then billed once and shown in two tables, which is what ``amount_in_both`` warns of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from plivo_analysis.api.columns import MESSAGES
from plivo_analysis.metrics.cautions import one_currency
from plivo_analysis.metrics.intervals import ratio
from plivo_analysis.metrics.money import Money
from plivo_analysis.tables.checks import column_names, refuse_doubled, require
from plivo_analysis.tables.convert import result, select
from plivo_analysis.tables.explode import exploded
from plivo_analysis.tables.exploded_columns import ATTEMPTS

if TYPE_CHECKING:
    from decimal import Decimal

    from plivo_analysis.values.table_types import Table

_PREFIX = "message_"


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
