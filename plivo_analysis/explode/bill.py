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
from plivo_analysis.explode.match import pair
from plivo_analysis.explode.words import channels
from plivo_analysis.schema.table import MONEY_DIGITS, MONEY_SCALE

MONEY = pl.Decimal(MONEY_DIGITS, MONEY_SCALE)


@dataclass(frozen=True, slots=True)
class Bill:
    """The lines of sessions before they carry their session's columns.

    Args:
        attempts: ``row, channel`` (folded)``, attempt_uuid, status, time, charge, derived,
            differs``; by session, in the attempts' order.
        orphans: ``row, channel`` (folded)``, attempt_uuid, charge``; by session.
        sessions: One row a session: ``row, charged`` (the sum of its charge rows, null where
            none is known)``, unallocated`` (null without a total).
    """

    attempts: pl.DataFrame
    orphans: pl.DataFrame
    sessions: pl.DataFrame


def settle(sessions: pl.DataFrame) -> Bill:
    """Take the money of sessions apart.

    Args:
        sessions: A frame of the sessions table.

    Returns:
        The bill: attempts with their charges, orphans, and what is left of each session.

    Raises:
        SchemaError: The amounts of a session add up to more than a money column holds.

    Example:
        >>> from plivo_analysis.schema import SESSIONS
        >>> settle(SESSIONS.polars().to_frame()).sessions.columns
        ['row', 'charged', 'unallocated']
    """
    pairs = pair(sessions)
    attempts = pairs.attempts.with_columns(
        channel=channels(pairs.attempts["channel"]),
        charge_channel=channels(pairs.attempts["charge_channel"]),
    ).with_columns(differs=pl.col("charged") & (pl.col("channel") != pl.col("charge_channel")))
    orphans = pairs.orphans.with_columns(channel=channels(pairs.orphans["channel"]))
    sums = _sums(sessions, attempts, orphans)
    derived = _derived(attempts, sums)
    attempts = _with_derived(attempts.drop("charge_channel", "charged"), derived)
    left = pl.col("remainder") - pl.col("derived").fill_null(0)
    try:
        money = sums.join(derived, on="row", how="left", maintain_order="left").select(
            "row", "charged", unallocated=left.cast(MONEY)
        )
    except pl.exceptions.InvalidOperationError:
        raise SchemaError(
            f"The amounts of a session add up to more than {MONEY_DIGITS} digits hold."
        ) from None
    return Bill(attempts, orphans, money)


def _sums(sessions: pl.DataFrame, attempts: pl.DataFrame, orphans: pl.DataFrame) -> pl.DataFrame:
    rows = pl.concat([attempts.select("row", "charge"), orphans.select("row", "charge")])
    known = rows.filter(pl.col("charge").is_not_null())
    charged = known.group_by("row").agg(charged=pl.col("charge").sum())
    named = pl.col("validation_charge").fill_null(0) + pl.col("charged").fill_null(0)
    return (
        sessions.select("total_charge", "validation_charge")
        .with_row_index("row")
        .join(charged, on="row", how="left", maintain_order="left")
        .with_columns(remainder=pl.col("total_charge") - named)
    )


def _derived(attempts: pl.DataFrame, sums: pl.DataFrame) -> pl.DataFrame:
    lone = (
        attempts.filter(pl.col("charge").is_null())
        .group_by("row")
        .len("gaps")
        .filter(pl.col("gaps") == 1)
    )
    return (
        sums.join(lone, on="row", how="semi")
        .filter(pl.col("validation_charge").is_not_null() & (pl.col("remainder") > 0))
        .select("row", derived="remainder")
    )


def _with_derived(attempts: pl.DataFrame, derived: pl.DataFrame) -> pl.DataFrame:
    if derived.is_empty():
        return attempts.with_columns(derived=pl.lit(False))
    filled = attempts.join(derived, on="row", how="left", maintain_order="left")
    gap = pl.col("charge").is_null() & pl.col("derived").is_not_null()
    return filled.with_columns(
        charge=pl.when(gap).then(pl.col("derived")).otherwise(pl.col("charge")).cast(MONEY),
        derived=gap,
    )
