"""The two exploded tables, put together from a settled bill."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from plivo_analysis.api.words import UNKNOWN
from plivo_analysis.errors import SchemaError
from plivo_analysis.tables.bill import leftovers, settle
from plivo_analysis.tables.columns import ATTEMPTS, CHARGES
from plivo_analysis.tables.words import outcomes

if TYPE_CHECKING:
    from collections.abc import Sequence

OF_THE_SESSION = (
    "session_uuid",
    "entry_channel",
    "path",
    "app_uuid",
    "alias",
    "recipient",
    "destination_country_iso2",
    "destination_network",
    "created_at",
)
READ = (
    *OF_THE_SESSION,
    "status",
    "attempt_details",
    "total_charge",
    "validation_charge",
    "attempt_charges",
)


def attempts_of(sessions: pl.DataFrame, carry: Sequence[str] = ()) -> pl.DataFrame:
    """The attempts table of sessions.

    Args:
        sessions: A frame with the columns ``READ`` of the sessions table.
        carry: Further columns of the sessions that each attempt shall carry.

    Raises:
        SchemaError: A ``session_uuid`` comes twice.

    Example:
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> attempts_of(SESSIONS.polars().to_frame()).columns == ATTEMPTS.names
        True
    """
    refuse_doubled(sessions)
    attempts = settle(sessions).attempts
    place = pl.int_range(pl.len(), dtype=pl.Int64)
    first = pl.col("row") != pl.col("row").shift()
    last = pl.col("row") != pl.col("row").shift(-1)
    known = (pl.col("channel") != UNKNOWN) & (pl.col("previous_channel") != UNKNOWN)
    same = pl.col("channel") == pl.col("previous_channel")
    return (
        attempts.lazy()
        .with_columns(
            first=pl.when(first.fill_null(value=True)).then(place).forward_fill(),
            last=pl.when(last.fill_null(value=True)).then(place).backward_fill(),
            outcome=outcomes(attempts["status"]),
            charge_note=pl.when("derived").then(pl.lit("derived")),
        )
        .with_columns(
            attempt_number=place - pl.col("first") + 1,
            attempts=pl.col("last") - pl.col("first") + 1,
            previous_channel=pl.when(place != pl.col("first")).then(pl.col("channel").shift()),
        )
        .with_columns(
            step=pl.when(pl.col("previous_channel").is_null())
            .then(pl.lit("first"))
            .when(~known)
            .then(pl.lit("indeterminate"))
            .when(same)
            .then(pl.lit("retry"))
            .otherwise(pl.lit("switch"))
        )
        .collect()
        .hstack(_of_their_sessions(sessions, attempts["row"], carry))
        .select(*ATTEMPTS.names, *carry)
    )


def charges_of(sessions: pl.DataFrame, carry: Sequence[str] = ()) -> pl.DataFrame:
    """The charges table of sessions, by session: attempts, orphans, validation, unallocated.

    Args:
        sessions: A frame with the columns ``READ`` of the sessions table.
        carry: Further columns of the sessions that each line shall carry.

    Raises:
        SchemaError: A ``session_uuid`` comes twice.

    Example:
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> charges_of(SESSIONS.polars().to_frame()).columns == CHARGES.names
        True
    """
    refuse_doubled(sessions)
    bill = settle(sessions)
    note = (
        pl.when("derived").then(pl.lit("derived")).when("differs").then(pl.lit("channel_differs"))
    )
    validation = sessions.select(amount="validation_charge").with_row_index("row")
    lines = pl.concat(
        [
            bill.attempts.select(
                "row",
                "channel",
                "attempt_uuid",
                "time",
                line=pl.lit("attempt"),
                amount="charge",
                note=note,
            ),
            bill.orphans.select(
                "row",
                "channel",
                "attempt_uuid",
                line=pl.lit("orphan"),
                amount="charge",
                note=pl.lit("orphan"),
            ),
            _known(validation, "validation"),
            _known(leftovers(sessions, bill).select("row", amount="unallocated"), "unallocated"),
        ],
        how="diagonal",
    ).sort("row", maintain_order=True)
    return lines.hstack(_of_their_sessions(sessions, lines["row"], carry)).select(
        *CHARGES.names, *carry
    )


def refuse_doubled(sessions: pl.DataFrame) -> None:
    """Refuse sessions of which one comes twice: its attempts could not be told apart.

    Raises:
        SchemaError: A ``session_uuid`` comes twice.

    Example:
        >>> refuse_doubled(pl.DataFrame({"session_uuid": ["a", "b"]}))
    """
    if sessions["session_uuid"].n_unique() != sessions.height:
        raise SchemaError(
            "A session_uuid comes more than once; keep one row of each, a settled one before an "
            "open one.",
            available=sessions.columns,
        )


def _known(amounts: pl.DataFrame, line: str) -> pl.DataFrame:
    return amounts.filter(pl.col("amount").is_not_null()).with_columns(line=pl.lit(line))


def _of_their_sessions(
    sessions: pl.DataFrame, rows: pl.Series, carry: Sequence[str]
) -> pl.DataFrame:
    wanted = sessions.select(*OF_THE_SESSION, *carry, session_status="status")
    return wanted.select(pl.all().gather(rows))
