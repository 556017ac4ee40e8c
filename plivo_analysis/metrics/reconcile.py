"""Which sessions do not add up, and why."""

from __future__ import annotations

from typing import Any

import polars as pl

from plivo_analysis.api.columns import SESSIONS
from plivo_analysis.metrics.columns import MONEY_UNIT, count_column, sum_column
from plivo_analysis.tables.bill import leftovers, settle
from plivo_analysis.tables.checks import refuse_doubled
from plivo_analysis.tables.convert import result, select
from plivo_analysis.tables.explode import read_sessions
from plivo_analysis.values.table_types import Column, Kind, Table, computed

RECONCILE = Table(
    name="reconcile",
    row="A session whose money or counts do not add up.",
    key=("session_uuid",),
    columns=(
        Column("session_uuid", Kind.TEXT, "The session.", nullable=False),
        Column("total_charge", Kind.MONEY, "What it was billed.", unit=MONEY_UNIT),
        sum_column("attempt_charges", "The sum of its charge rows."),
        Column("validation_charge", Kind.MONEY, "The part for the check.", unit=MONEY_UNIT),
        computed(
            "unallocated",
            Kind.MONEY,
            "The part of the total that no line names.",
            MONEY_UNIT,
            nullable=True,
        ),
        count_column(
            "unpriced_attempts", "Attempts without a known or derived charge.", unit="attempts"
        ),
        count_column("orphan_charges", "Charge rows of no attempt.", unit="charge rows"),
        computed(
            "reasons",
            Kind.TEXTS,
            "total_missing, unallocated, unpriced, derived, orphan, channel_differs, "
            "count_differs, duplicate_attempt.",
        ),
    ),
)

_READ = ("session_uuid", "count", "total_charge", "validation_charge")
_REASONS = {
    "total_missing": pl.col("total_charge").is_null(),
    "unallocated": pl.col("unallocated") != 0,
    "unpriced": pl.col("unpriced_attempts") > 0,
    "derived": pl.col("derived") > 0,
    "orphan": pl.col("orphan_charges") > 0,
    "channel_differs": pl.col("differs") > 0,
    # Null where the API gave no count: then nothing contradicts the list.
    "count_differs": pl.col("count") != pl.col("listed"),
    "duplicate_attempt": pl.col("repeated") > 0,
}


def reconcile(sessions: Any) -> Any:
    """One row for each session whose money or counts do not add up, with the reasons.

    ``total_missing``: it has no ``total_charge``. ``unallocated``: the total less validation,
    charge rows and a derived charge is not 0 (the total is what was billed; the gap is shown).
    ``unpriced``: an attempt has no charge. ``derived``: an attempt's charge is the
    remainder. ``orphan``: a charge row is of no attempt. ``channel_differs``: an attempt and
    its charge row name different channels. ``count_differs``: ``count`` is not the number of
    attempts listed. ``duplicate_attempt``: two different attempts have one ``attempt_uuid``.

    Args:
        sessions: A sessions table: polars (eager or lazy), pandas or pyarrow.

    Returns:
        A frame (pandas for pandas, else polars), sorted by ``session_uuid``: ``session_uuid,
        total_charge, attempt_charges`` (the sum of the charge rows; null where none is
        known), ``validation_charge, unallocated`` (decimals, the account's currency; null
        without a total), ``unpriced_attempts, orphan_charges`` (counts), ``reasons`` (a list
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
    refuse_doubled(known, SESSIONS)
    bill = settle(known)
    unpriced = pl.col("charge").is_null()
    # Few attempts are out of the ordinary; grouping only these is faster.
    odd = bill.attempts.filter(
        unpriced | pl.col("derived") | pl.col("differs") | pl.col("repeated")
    )
    counts = (
        bill.attempts.group_by("row").agg(listed=pl.len()),
        bill.orphans.group_by("row").agg(orphan_charges=pl.len()),
        odd.group_by("row").agg(
            pl.col("derived", "differs", "repeated").sum(), unpriced_attempts=unpriced.sum()
        ),
    )
    table = leftovers(known, bill).rename({"charged": "attempt_charges"}).hstack(known[_READ])
    for counted in counts:
        table = table.join(counted, on="row", how="left")
    table = table.with_columns(
        pl.col(name).fill_null(0) for counted in counts for name in counted.columns[1:]
    )
    listed = table.filter(pl.any_horizontal(_REASONS.values())).with_columns(
        reasons=pl.concat_list(
            pl.when(condition).then(pl.lit(reason)) for reason, condition in _REASONS.items()
        ).list.drop_nulls()
    )
    return result(select(listed.sort("session_uuid"), RECONCILE.columns), sessions)
