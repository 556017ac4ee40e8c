"""Which sessions do not add up, and why."""

from __future__ import annotations

from typing import Any

import polars as pl

from plivo_analysis.metrics.columns import RECONCILE
from plivo_analysis.tables.bill import Bill, leftovers, settle
from plivo_analysis.tables.convert import result, select
from plivo_analysis.tables.explode import read_sessions
from plivo_analysis.tables.exploded import refuse_doubled

_READ = ("session_uuid", "count", "total_charge", "validation_charge")


def reconcile(sessions: Any) -> Any:
    """One row for each session whose money or counts do not add up, with the reasons.

    ``total_missing``: it has no ``total_charge``. ``unallocated``: the total less validation,
    charge rows and a derived charge is not 0 (what the API bills is the truth; the gap is
    shown). ``unpriced``: an attempt has no charge. ``derived``: an attempt's charge is the
    remainder. ``orphan``: a charge row is of no attempt. ``channel_differs``: an attempt and
    its charge row name different channels. ``count_differs``: ``count`` is not the number of
    attempts listed. ``duplicate_attempt``: two different attempts have one ``attempt_uuid``.

    Args:
        sessions: A sessions table: polars (eager or lazy), pandas or pyarrow.

    Returns:
        A frame (pandas for pandas, else polars), sorted by ``session_uuid``: ``session_uuid,
        total_charge, attempt_charges`` (the sum of the charge rows; null where none is
        known)``, validation_charge, unallocated`` (decimals, the account's currency; null
        without a total)``, unpriced_attempts, orphan_charges`` (counts)``, reasons`` (a list
        of the words above, in that order). A session is listed if and only if it has a reason.

    Raises:
        SchemaError: The frame is no sessions table, a ``session_uuid`` comes twice, or the
            frame is of an engine that cannot carry nested columns through.

    Example:
        >>> from plivo_analysis.tables.convert import from_rows
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> row = dict.fromkeys(SESSIONS.names) | {"session_uuid": "s", "count": 1}
        >>> reconcile(from_rows([row], SESSIONS))["reasons"].to_list()
        [['total_missing', 'count_differs']]
    """
    known = read_sessions(sessions, carry=["count"])
    refuse_doubled(known)
    bill = settle(known)
    judged = _judged(known, bill).with_columns(
        reasons=pl.concat_list(
            pl.when(condition).then(pl.lit(reason)) for reason, condition in _reasons().items()
        ).list.drop_nulls()
    )
    listed = judged.filter(pl.col("reasons").list.len() > 0).sort("session_uuid")
    return result(select(listed, RECONCILE.columns), sessions)


def _reasons() -> dict[str, pl.Expr]:
    return {
        "total_missing": pl.col("total_charge").is_null(),
        "unallocated": pl.col("unallocated") != 0,
        "unpriced": pl.col("unpriced_attempts") > 0,
        "derived": pl.col("derived") > 0,
        "orphan": pl.col("orphan_charges") > 0,
        "channel_differs": pl.col("differ") > 0,
        "count_differs": pl.col("count") != pl.col("listed"),
        "duplicate_attempt": pl.col("doubled") > 0,
    }


def _judged(sessions: pl.DataFrame, bill: Bill) -> pl.DataFrame:
    """One row a session, with all that the reasons ask for."""
    attempts = bill.attempts.group_by("row").agg(
        listed=pl.len(),
        unpriced_attempts=pl.col("charge").null_count(),
        derived=pl.col("derived").sum(),
        differ=pl.col("differs").sum(),
    )
    orphans = bill.orphans.group_by("row").agg(orphan_charges=pl.len())
    counts = pl.col("listed", "unpriced_attempts", "derived", "differ", "orphan_charges", "doubled")
    return (
        sessions.select(_READ)
        .with_row_index("row")
        .hstack(leftovers(sessions, bill).select("unallocated", attempt_charges="charged"))
        .join(attempts, on="row", how="left")
        .join(orphans, on="row", how="left")
        .join(_doubled(bill.attempts), on="row", how="left")
        .with_columns(counts.fill_null(0).cast(pl.Int64))
    )


def _doubled(attempts: pl.DataFrame) -> pl.DataFrame:
    """How many attempts of each session share a uuid with another one of it."""
    named = attempts.filter(pl.col("attempt_uuid").str.strip_chars().str.len_bytes() > 0)
    again = named.filter(named.select("row", "attempt_uuid").is_duplicated())
    return again.group_by("row").agg(doubled=pl.len())
