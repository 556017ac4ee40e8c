"""Attempts beside their charges: each charge row used once, by uuid, never by position.

Attempts in their order take the first unused charge row of their ``attempt_uuid``, in array
order. In nearly every session the two arrays already name the same distinct uuids in the same
order; there the pairing is their position, found by one comparison of two columns. The rest
(repeats, gaps, strangers) goes through a join. ``row`` is the session's place in its frame.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

_MOST = 8  # attempts of a session compared pair by pair; a longer one takes the long way
_ATTEMPT = ["channel", "attempt_uuid", "status", "time"]
_CHARGE = {"channel": "charge_channel", "attempt_uuid": "charge_uuid", "charge": "charge"}


@dataclass(frozen=True, slots=True)
class Pairs:
    """Attempts with what was charged for them, and the charges of no attempt.

    Args:
        attempts: ``row, channel, attempt_uuid, status, time, charge, charge_channel, charged``,
            one row an attempt, by session and time; ``charged`` says that a charge row was found.
        orphans: ``row, channel, attempt_uuid, charge``, by session and array order.
    """

    attempts: pl.DataFrame
    orphans: pl.DataFrame


def pair(sessions: pl.DataFrame) -> Pairs:
    """Pair the attempts of sessions with their charge rows.

    Args:
        sessions: A frame with ``attempt_details`` and ``attempt_charges`` of the sessions
            table.

    Returns:
        The pairs and the orphans, in the words of the wire.

    Example:
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> empty = SESSIONS.polars().to_frame()
        >>> pair(empty).attempts.height
        0
    """
    attempts = _listed(sessions, "attempt_details").select("row", *_ATTEMPT)
    charges = _listed(sessions, "attempt_charges").select("row", *_CHARGE).rename(_CHARGE)
    lengths = sessions.select(
        listed=pl.col("attempt_details").list.len().fill_null(0),
        charged=pl.col("attempt_charges").list.len().fill_null(0),
    )
    beside = _side_by_side(attempts, charges, lengths)
    hard = _hard(beside, lengths)
    if not hard.any():
        return Pairs(_in_order(beside.drop("charge_uuid")), _orphans(charges.clear()))
    chosen = hard.gather(attempts["row"])
    easy = _in_order(beside.filter(~chosen).drop("charge_uuid"))
    slow = _by_uuid(attempts.filter(chosen), charges.filter(hard.gather(charges["row"])))
    both = pl.concat([easy, slow.attempts]).sort("row", maintain_order=True)
    return Pairs(both, slow.orphans)


def _listed(sessions: pl.DataFrame, column: str) -> pl.DataFrame:
    return (
        sessions.select(column)
        .with_row_index("row")
        .explode(column, empty_as_null=False, keep_nulls=False)
        .unnest(column)
    )


def _side_by_side(
    attempts: pl.DataFrame, charges: pl.DataFrame, lengths: pl.DataFrame
) -> pl.DataFrame:
    """Each attempt with the charge row at its place in the array, if there is one."""
    charged = charges.drop("row")
    if not (lengths["listed"] == lengths["charged"]).all():
        row = attempts["row"]
        before = lengths.select(pl.all().cast(pl.Int64).cum_sum() - pl.all())
        place = pl.int_range(attempts.height, eager=True) - before["listed"].gather(row)
        there = place < lengths["charged"].gather(row)
        # A place beyond the array is null, and what is gathered there is null.
        at = (place + before["charged"].gather(row)).set(~there, None)
        charged = charged.select(pl.all().gather(at))
    return attempts.hstack(charged).with_columns(charged=True)


def _hard(beside: pl.DataFrame, lengths: pl.DataFrame) -> pl.Series:
    """For each session, whether position does not tell which charge is whose."""
    hard = (lengths["listed"] != lengths["charged"]) | (lengths["listed"] > _MOST)
    longest = lengths.select(pl.col("listed").max()).item() or 0
    uuid = pl.col("attempt_uuid")
    # Every uuid lies between these two, and no blank text does.
    plain = uuid.is_between(pl.lit("!"), pl.lit("~")).fill_null(value=False)
    doubled = [
        (pl.col("row") == pl.col("row").shift(lag)) & (uuid == uuid.shift(lag))
        for lag in range(1, min(longest, _MOST))
    ]
    strange = ~plain | uuid.ne_missing(pl.col("charge_uuid"))
    odd = beside.filter(pl.any_horizontal(strange, *doubled))["row"]
    if odd.is_empty():
        return hard
    return hard | pl.select(pl.int_range(hard.len()).is_in(odd.implode())).to_series()


def _named(column: str) -> pl.Expr:
    return pl.col(column).str.strip_chars().str.len_bytes().fill_null(0) > 0


def _by_uuid(attempts: pl.DataFrame, charges: pl.DataFrame) -> Pairs:
    attempts = _in_order(attempts.unique(keep="first", maintain_order=True))
    charges = charges.unique(keep="first", maintain_order=True)
    left = _with_turns(attempts, "attempt_uuid")
    right = _with_turns(charges, "charge_uuid")
    on = ["row", "key", "turn"]
    paired = left.join(
        right.select(*on, "charge_channel", "charge", charged=True),
        on=on,
        how="left",
        maintain_order="left",
    ).with_columns(pl.col("charged").fill_null(False))
    return Pairs(
        paired.drop("key", "turn"),
        _orphans(right.join(left.select(on), on=on, how="anti", maintain_order="left")),
    )


def _orphans(charges: pl.DataFrame) -> pl.DataFrame:
    return charges.select(
        "row", channel="charge_channel", attempt_uuid="charge_uuid", charge="charge"
    )


def _with_turns(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    """The key to match by, null for a blank uuid, and which row of that uuid it is."""
    frame = frame.with_columns(key=pl.when(_named(column)).then(column))
    if not frame.select("row", column).is_duplicated().any():
        return frame.with_columns(turn=pl.lit(0, pl.Int64))
    return frame.with_columns(turn=pl.int_range(pl.len()).over("row", column))


def _in_order(attempts: pl.DataFrame) -> pl.DataFrame:
    """By session, then time, ties and missing times in array order; by session they are."""
    before = pl.col("time").shift()
    later = (pl.col("time") < before) | (pl.col("time").is_not_null() & before.is_null())
    if not attempts.select((later & (pl.col("row") == pl.col("row").shift())).any()).item():
        return attempts
    return attempts.sort("row", "time", nulls_last=True, maintain_order=True)
