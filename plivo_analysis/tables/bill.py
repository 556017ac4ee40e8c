"""The money of each session taken apart, exactly: what each attempt cost, and what is left.

What is billed for a session is ``total_charge``. Of it, ``validation_charge`` and the charge
rows are named; what no row names stays ``unallocated``, shown also when it is negative. One
gap is closed: where exactly one attempt has no charge, the validation charge is known and a
positive remainder is left, that attempt's charge is the remainder, marked ``derived``.

Each charge row is used once. Attempts in their order take the first unused charge row of their
``attempt_uuid``, in array order; position is never trusted. In nearly every session, however,
both arrays name the same distinct uuids in the same order, and there the two rules agree. So
both arrays are laid side by side, the sessions where position proves nothing are found by
comparing columns, and only these go through a join, which costs ten times as much.

polars adds and subtracts decimals of scale 8 without rounding, with 38 digits of room. ``row``
is a session's place in its frame: a whole number, far cheaper to join by than a uuid.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from plivo_analysis.api.vocabulary import fold_channel
from plivo_analysis.errors import SchemaError
from plivo_analysis.tables.convert import folded
from plivo_analysis.values.table_types import MONEY_DIGITS, MONEY_SCALE

_MONEY = pl.Decimal(MONEY_DIGITS, MONEY_SCALE)
_MOST = 8  # attempts of a session compared pair by pair; a longer one goes through the join
_ATTEMPT = pl.col("attempt_details").struct
_CHARGE = pl.col("attempt_charges").struct
_OF_ATTEMPT = [_ATTEMPT.field(name) for name in ("channel", "attempt_uuid", "status", "time")]
_OF_CHARGE = [
    _CHARGE.field("channel").alias("charge_channel"),
    _CHARGE.field("attempt_uuid").alias("charge_uuid"),
    _CHARGE.field("charge"),
]
_AS_ORPHAN = [
    pl.col("row"),
    pl.col("charge_channel").alias("channel"),
    pl.col("charge_uuid").alias("attempt_uuid"),
    pl.col("charge"),
]
# An attempt without a charge row differs from none.
_OWN_CHANNEL = (
    pl.when("charged").then("charge_channel").otherwise("channel").alias("charge_channel")
)


@dataclass(frozen=True, slots=True)
class Bill:
    """The lines of sessions before they carry their session's columns.

    Args:
        attempts: One row an attempt, by session and time: ``row, channel,
            attempt_uuid, status, time, charge``, and whether the charge is ``derived``, whether
            its row names another channel (``differs``), whether another attempt of the session
            has the same uuid (``repeated``).
        orphans: The charge rows of no attempt, by session, as listed: ``row, channel,
            attempt_uuid, charge``. Channels are as they came.
    """

    attempts: pl.DataFrame
    orphans: pl.DataFrame


def settle(sessions: pl.DataFrame) -> Bill:
    """Say of each attempt what it cost, and which charge rows are of no attempt.

    Args:
        sessions: A frame of the sessions table; its two nested columns, its total and its
            validation charge are read.

    Returns:
        The bill.

    Raises:
        SchemaError: The amounts of a session add up to more than a money column holds.

    Example:
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> settle(SESSIONS.polars().to_frame()).orphans.columns
        ['row', 'channel', 'attempt_uuid', 'charge']
    """
    attempts, orphans = _paired(sessions.select("attempt_details", "attempt_charges"))
    channel, differs = attempts["channel"], pl.lit(value=False)
    if channel.ne_missing(attempts["charge_channel"]).any():
        # Two equal words are equal folded too, and folding looks at every word of a column.
        charge_channel = folded(attempts["charge_channel"], fold_channel)
        differs = pl.lit(folded(channel, fold_channel) != charge_channel)
    attempts = attempts.drop("charge_channel").with_columns(differs=differs, derived=False)
    return Bill(_with_derived(sessions, Bill(attempts, orphans)), orphans)


def leftovers(sessions: pl.DataFrame, bill: Bill) -> pl.DataFrame:
    """What of each session's total no line of its bill names.

    Args:
        sessions: A frame of the sessions table.
        bill: Its bill.

    Returns:
        One row a session, in their order: ``row, charged`` (the sum of its charge rows, null
        where none is known), ``unallocated`` (null without a total).

    Raises:
        SchemaError: The amounts of a session add up to more than a money column holds.

    Example:
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> empty = SESSIONS.polars().to_frame()
        >>> leftovers(empty, settle(empty)).columns
        ['row', 'charged', 'unallocated']
    """
    return _left(sessions.select("total_charge", "validation_charge").with_row_index("row"), bill)


def _left(sessions: pl.DataFrame, bill: Bill) -> pl.DataFrame:
    charge = pl.col("charge")
    lines = pl.concat(
        [
            bill.attempts.select("row", "charge", "derived"),
            bill.orphans.select("row", "charge", derived=False),
        ]
    )
    sums = (
        # The sum of no values would be 0 in polars: without its unknown charges, a session that
        # has no other has no row here, and null in the join.
        lines.filter(charge.is_not_null())
        .group_by("row")
        .agg(
            named=charge.sum(),
            charged=charge.filter(~pl.col("derived")).sum(),
            rows=(~pl.col("derived")).any(),
        )
    )
    # A missing validation charge counts as nothing here; a missing total leaves the rest unknown.
    named = pl.col("validation_charge").fill_null(0) + pl.col("named").fill_null(0)
    try:
        return sessions.join(sums, on="row", how="left", maintain_order="left").select(
            "row",
            charged=pl.when("rows").then("charged"),
            unallocated=(pl.col("total_charge") - named).cast(_MONEY),
        )
    except pl.exceptions.InvalidOperationError:
        raise SchemaError(
            f"The amounts of a session add up to more than {MONEY_DIGITS} digits hold."
        ) from None


def _with_derived(sessions: pl.DataFrame, bill: Bill) -> pl.DataFrame:
    """The attempts, those that alone lack a charge with the rest of their session's money."""
    attempts, charge = bill.attempts, bill.attempts["charge"]
    # `gaps` are rows of the attempts, `rows` the sessions that these are of. Few have any: only of
    # their sessions is the money added up.
    gaps = charge.is_null().arg_true()
    rows = attempts["row"].gather(gaps)
    # With two gaps, or an unknown validation charge, the rest is not known to be one attempt's.
    lone = rows.is_unique()
    gaps, rows = gaps.filter(lone), rows.filter(lone)
    totals = sessions.select(pl.col("total_charge", "validation_charge").gather(rows), row=rows)
    with_gap = pl.col("row").is_in(rows.implode())
    bill_with_gap = Bill(attempts.filter(with_gap), bill.orphans.filter(with_gap))
    left = _left(totals.filter(pl.col("validation_charge").is_not_null()), bill_with_gap)
    rest = left.filter(pl.col("unallocated") > 0)
    # Both are in the order of the sessions, and each of these sessions has one gap: so the n-th
    # amount belongs at the n-th gap.
    gaps = gaps.filter(rows.is_in(rest["row"].implode()))
    return attempts.with_columns(
        charge.scatter(gaps, rest["unallocated"]), attempts["derived"].scatter(gaps, True)
    )


def _paired(lists: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Attempts with what was charged for them, and the charge rows of no attempt.

    The attempts have ``row, channel, attempt_uuid, status, time, charge_channel`` (the attempt's
    own where there is no charge row), ``charge, repeated``.
    """
    lists = lists.with_row_index("row")
    attempts = _listed(lists, "attempt_details", _OF_ATTEMPT)
    charges = _listed(lists, "attempt_charges", _OF_CHARGE)
    lengths = lists.select(
        listed=pl.col("attempt_details").list.len().fill_null(0).cast(pl.Int64),
        charged=pl.col("attempt_charges").list.len().fill_null(0).cast(pl.Int64),
    )
    beside = attempts.hstack(_at_its_place(attempts["row"], charges, lengths))
    longest = lengths.select(pl.col("listed").max()).item() or 0
    # As columns of their own, which polars compares at the same time.
    doubtful = beside.select(**_unproven(longest)).select(pl.any_horizontal(pl.all())).to_series()
    # More charge rows than attempts: some are of no attempt, wherever they stand.
    longer = lengths.select(
        (pl.col("charged") > pl.col("listed")) | (pl.col("listed") > _MOST)
    ).to_series()
    unproven = pl.concat([beside["row"].filter(doubtful), lists["row"].filter(longer)])
    by_position = beside.with_columns(_OWN_CHANNEL, repeated=False).drop("charge_uuid", "charged")
    if unproven.is_empty():  # as in most accounts
        return _in_order(by_position), charges.clear().select(_AS_ORPHAN)
    in_unproven = pl.col("row").is_in(unproven.implode())
    by_position = _in_order(by_position.filter(~in_unproven))
    by_uuid, orphans = _joined(attempts.filter(in_unproven), charges.filter(in_unproven))
    return pl.concat([by_position, by_uuid]).sort("row", maintain_order=True), orphans


def _at_its_place(rows: pl.Series, charges: pl.DataFrame, lengths: pl.DataFrame) -> pl.DataFrame:
    """For each attempt the charge row at its place in the other array, if there is one.

    Args:
        rows: The session of each attempt.
        charges: The charge rows, by session.
        lengths: How many attempts and how many charge rows are listed of each session.

    Returns:
        ``charge_channel, charge_uuid, charge`` and ``charged``, whether there is one.
    """
    # How many attempts, and how many charge rows, the sessions before have. An attempt's place in
    # its own session is its place in the frame less those.
    before = lengths.select(pl.all().cum_sum() - pl.all())
    place = pl.int_range(rows.len(), eager=True) - before["listed"].gather(rows)
    charged = place < lengths["charged"].gather(rows)
    # What is gathered from a place that is null is null.
    at = (place + before["charged"].gather(rows)).set(~charged, None)
    return charges.drop("row").select(pl.all().gather(at), charged=charged)


def _unproven(longest: int) -> dict[str, pl.Expr]:
    """Why place may not prove which charge row an attempt's session has for it.

    It does where the uuids of a session's attempts are distinct and those of its charge rows
    are the same, as far as they go: no charge row is then left for a later attempt.
    """
    uuid, row = pl.col("attempt_uuid"), pl.col("row")
    # The first and the last visible sign of ASCII: every uuid lies between them, no blank does.
    plain = uuid.is_between(pl.lit("!"), pl.lit("~")).fill_null(value=False)
    # A session of four attempts has two with one uuid if some row equals the one 1, 2 or 3 above.
    doubled = {
        f"doubled {lag} before": (row == row.shift(lag)) & (uuid == uuid.shift(lag))
        for lag in range(1, min(longest, _MOST))
    }
    other = pl.col("charged") & uuid.ne_missing(pl.col("charge_uuid"))
    return {"blank": ~plain, "other": other, **doubled}


def _joined(attempts: pl.DataFrame, charges: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The same by uuid: the n-th attempt of a uuid takes the n-th charge row of it."""
    # In the order of time, since the attempts choose in it; the charge rows stay as listed.
    left = _with_turns(_in_order(_once(attempts, "attempt_uuid")))
    right = _with_turns(_once(charges, "charge_uuid"))
    on = ["row", "key", "turn"]
    paired = left.join(
        right.drop("charge_uuid").with_columns(charged=True),
        on=on,
        how="left",
        maintain_order="left",
    )
    # A null key equals nothing: a charge row without a uuid is an orphan.
    orphans = right.join(left, on=on, how="anti", maintain_order="left")
    several = pl.col("key").is_not_null() & pl.struct("row", "key").is_duplicated()
    return (
        paired.with_columns(_OWN_CHANNEL, repeated=several).drop("key", "turn", "charged"),
        orphans.select(_AS_ORPHAN),
    )


def _listed(lists: pl.DataFrame, column: str, fields: list[pl.Expr]) -> pl.DataFrame:
    """The records of a nested column, one a row."""
    # By default polars makes a row of a session that lists nothing: an attempt there never was.
    exploded = lists.select("row", column).explode(column, empty_as_null=False, keep_nulls=False)
    return exploded.select("row", *fields)


def _once(records: pl.DataFrame, uuid: str) -> pl.DataFrame:
    """The records, with the ``key`` to match by: their uuid, null where it is blank.

    Records with a uuid that are equal in every field are one, sent twice. Without a uuid two
    equal records may as well be two sends at one price, so both count.
    """
    named = pl.col(uuid).str.strip_chars().str.len_bytes() > 0
    keyed = records.with_columns(key=pl.when(named).then(uuid))
    return keyed.filter(pl.col("key").is_null() | pl.struct(pl.all()).is_first_distinct())


def _with_turns(records: pl.DataFrame) -> pl.DataFrame:
    """The records, and which one of its session and uuid each is."""
    # Counting within groups is slow, and nearly no uuid comes twice in a session.
    if not records.select("row", "key").is_duplicated().any():
        return records.with_columns(turn=pl.lit(0, pl.Int64))
    return records.with_columns(turn=pl.int_range(pl.len(), dtype=pl.Int64).over("row", "key"))


def _in_order(attempts: pl.DataFrame) -> pl.DataFrame:
    """By session, then time; ties in array order, attempts without a time last."""
    before = pl.col("time").shift()
    later = (pl.col("time") < before) | (pl.col("time").is_not_null() & before.is_null())
    # Most accounts list attempts in order, and a look is far cheaper than a sort.
    if not attempts.select((later & (pl.col("row") == pl.col("row").shift())).any()).item():
        return attempts
    return attempts.sort("row", "time", nulls_last=True, maintain_order=True)
