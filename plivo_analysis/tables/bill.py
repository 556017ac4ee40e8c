"""The money of each session taken apart, exactly.

What is billed for a session is ``total_charge``. Of it, ``validation_charge`` and the charge
rows are named; what no row names stays ``unallocated``, shown also when it is negative. One
gap is closed: where exactly one attempt has no charge, the validation charge is known and a
positive remainder is left, that attempt's charge is the remainder, marked ``derived``.

polars adds and subtracts decimals of scale 8 without rounding, with 38 digits of room.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from plivo_analysis.errors import SchemaError
from plivo_analysis.tables.matching import pair
from plivo_analysis.tables.words import channels
from plivo_analysis.values.schema import MONEY_DIGITS, MONEY_SCALE

MONEY = pl.Decimal(MONEY_DIGITS, MONEY_SCALE)


@dataclass(frozen=True, slots=True)
class Bill:
    """The lines of sessions before they carry their session's columns.

    Args:
        attempts: ``row, channel`` (folded)``, attempt_uuid, status, time, charge, derived,
            differs``; by session, in the attempts' order.
        orphans: ``row, channel`` (folded)``, attempt_uuid, charge``; by session.
    """

    attempts: pl.DataFrame
    orphans: pl.DataFrame


def settle(sessions: pl.DataFrame) -> Bill:
    """Say of each attempt what it cost, and which charges are of no attempt.

    Args:
        sessions: A frame of the sessions table.

    Returns:
        The bill.

    Example:
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> settle(SESSIONS.polars().to_frame()).orphans.columns
        ['row', 'channel', 'attempt_uuid', 'charge']
    """
    pairs = pair(sessions)
    attempts = _with_folded(pairs.attempts)
    orphans = pairs.orphans.with_columns(channel=channels(pairs.orphans["channel"]))
    gaps = attempts.filter(pl.col("charge").is_null())["row"]
    lone = gaps.filter(gaps.is_unique())
    bill = Bill(attempts.with_columns(derived=pl.lit(value=False)), orphans)
    return (
        Bill(_with_derived(attempts, _derived(sessions, bill, lone)), orphans)
        if lone.len()
        else bill
    )


def leftovers(sessions: pl.DataFrame, bill: Bill) -> pl.DataFrame:
    """What of each session's total no line of its bill names.

    Args:
        sessions: A frame of the sessions table.
        bill: Its settled bill.

    Returns:
        One row a session: ``row, charged`` (the sum of its charge rows, null where none is
        known)``, unallocated`` (null without a total).

    Raises:
        SchemaError: The amounts of a session add up to more than a money column holds.

    Example:
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> empty = SESSIONS.polars().to_frame()
        >>> leftovers(empty, settle(empty)).columns
        ['row', 'charged', 'unallocated']
    """
    derived = bill.attempts.filter("derived").select("row", derived="charge")
    left = pl.col("remainder") - pl.col("derived").fill_null(0)
    try:
        return (
            _remainders(sessions, bill)
            .join(derived, on="row", how="left", maintain_order="left")
            .select("row", "charged", unallocated=left.cast(MONEY))
        )
    except pl.exceptions.InvalidOperationError:
        raise SchemaError(
            f"The amounts of a session add up to more than {MONEY_DIGITS} digits hold."
        ) from None


def _with_folded(attempts: pl.DataFrame) -> pl.DataFrame:
    """Channels folded, and where a charge row names another channel than its attempt."""
    other = pl.col("charged") & pl.col("channel").ne_missing(pl.col("charge_channel"))
    spelt = attempts.with_row_index("place").filter(other)
    differ = spelt.filter(channels(spelt["channel"]) != channels(spelt["charge_channel"]))
    return attempts.drop("charge_channel", "charged").with_columns(
        channel=channels(attempts["channel"]),
        differs=pl.int_range(pl.len()).is_in(differ["place"].implode()),
    )


def _remainders(sessions: pl.DataFrame, bill: Bill) -> pl.DataFrame:
    own = bill.attempts.filter(~pl.col("derived")).select("row", "charge")
    known = pl.concat([own, bill.orphans.select("row", "charge")]).drop_nulls("charge")
    charged = known.group_by("row").agg(charged=pl.col("charge").sum())
    named = pl.col("validation_charge").fill_null(0) + pl.col("charged").fill_null(0)
    return (
        sessions.select("total_charge", "validation_charge")
        .with_row_index("row")
        .join(charged, on="row", how="left", maintain_order="left")
        .with_columns(remainder=pl.col("total_charge") - named)
    )


def _derived(sessions: pl.DataFrame, bill: Bill, lone: pl.Series) -> pl.DataFrame:
    """The remainder of each session whose only attempt without a charge it pays for."""
    few = Bill(*(_of(frame, lone) for frame in (bill.attempts, bill.orphans)))
    return (
        _remainders(sessions, few)
        .filter(pl.col("row").is_in(lone.implode()))
        .filter(pl.col("validation_charge").is_not_null() & (pl.col("remainder") > 0))
        .select("row", remainder=pl.col("remainder").cast(MONEY))
    )


def _of(frame: pl.DataFrame, rows: pl.Series) -> pl.DataFrame:
    return frame.filter(pl.col("row").is_in(rows.implode()))


def _with_derived(attempts: pl.DataFrame, derived: pl.DataFrame) -> pl.DataFrame:
    gap = pl.col("charge").is_null() & pl.col("remainder").is_not_null()
    return (
        attempts.join(derived, on="row", how="left", maintain_order="left")
        .with_columns(charge=pl.coalesce("charge", "remainder"), derived=gap)
        .drop("remainder")
    )
