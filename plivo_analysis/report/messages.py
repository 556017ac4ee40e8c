"""The message records of a report, and how many of them are attempts too.

A message sent by Verify may stand in both tables. The two spends are therefore shown side by
side and never added, with the amount that both hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plivo_analysis.metrics.joins import join_messages
from plivo_analysis.metrics.messages import delivery_rates, message_spend
from plivo_analysis.tables.explode import explode_attempts

if TYPE_CHECKING:
    from decimal import Decimal

    import polars as pl


@dataclass(frozen=True, slots=True)
class Messages:
    """The counted message records.

    Args:
        records: How many there are.
        tables: The metrics' frames by name.
        matched: Attempts that have a message record.
        attempts: Attempts in all.
        in_both: The amount that both tables hold.

    Example:
        >>> Messages(records=0, tables={}, matched=0, attempts=0, in_both=None).records
        0
    """

    records: int
    tables: dict[str, pl.DataFrame]
    matched: int
    attempts: int
    in_both: Decimal | None


def count_messages(messages: pl.DataFrame, sessions: pl.DataFrame) -> Messages:
    """Count message records and those that are attempts of the sessions.

    Args:
        messages: A messages table in polars.
        sessions: The sessions table of the report, in polars.

    Example:
        >>> import polars as pl
        >>> from plivo_analysis.api.columns import MESSAGES, SESSIONS
        >>> empty = (pl.DataFrame(schema=table.polars()) for table in (MESSAGES, SESSIONS))
        >>> count_messages(*empty).matched
        0
    """
    joined = join_messages(explode_attempts(sessions), messages)
    return Messages(
        records=messages.height,
        tables={
            "message_spend": message_spend(messages),
            "delivery_rates": delivery_rates(messages, by="message_type"),
        },
        matched=joined.matched,
        attempts=joined.attempts,
        in_both=joined.amount_in_both,
    )
