"""What one would write without this package: with pandas from parsed pages, or by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
import polars as pl

if TYPE_CHECKING:
    import duckdb

_SETTLED = ["verified", "expired"]
_OF_THE_SESSION = [
    "session_uuid",
    "app_uuid",
    "alias",
    "recipient",
    "status",
    "created_at",
    "destination_country_iso2",
]
_COUNTS = [
    "sessions",
    "fell_back",
    "retried",
    "rescued",
    "rescued_last_touch",
    "rescued_certain",
]
_REACHED = ["delivered", "answer"]
_NOT_REACHED = ["undelivered", "early media"]

FALLBACK_SQL = """
WITH of_a_session AS (
    SELECT entry_channel, session_status = 'verified' AS verified,
        sum((step = 'switch')::INT) > 0 AS fell_back,
        sum((step = 'retry')::INT) > 0 AS retried,
        sum((step = 'indeterminate')::INT) = 0 AS clear,
        sum((channel <> 'unknown' AND channel <> entry_channel
             AND attempt_number = attempts)::INT) > 0 AS ends_elsewhere,
        sum((channel <> 'unknown' AND channel <> entry_channel
             AND outcome = 'reached')::INT) > 0 AS reached_elsewhere,
        sum(((channel = 'unknown' OR channel = entry_channel)
             AND outcome <> 'not_reached')::INT) = 0 AS not_at_home
    FROM attempts WHERE session_status IN ('verified', 'expired')
    GROUP BY session_uuid, entry_channel, session_status
)
SELECT entry_channel, sum((fell_back OR clear)::INT) AS sessions,
    sum(fell_back::INT) AS fell_back, sum((retried AND (fell_back OR clear))::INT) AS retried,
    sum((fell_back AND verified)::INT) AS rescued,
    sum((fell_back AND verified AND ends_elsewhere)::INT) AS rescued_last_touch,
    sum((fell_back AND verified AND reached_elsewhere AND not_at_home)::INT) AS rescued_certain,
    sum((NOT (fell_back OR clear))::INT) AS not_evaluable
FROM of_a_session GROUP BY entry_channel ORDER BY entry_channel
"""
DOUBLED_SQL = """
SELECT count(*) FROM (SELECT 1 FROM {table} GROUP BY session_uuid, {number} HAVING count(*) > 1)
"""
SPEND_SQL = """
SELECT coalesce(channel, line) AS channel, count(*) AS lines, sum(amount) AS amount,
    count(*) - count(amount) AS unpriced
FROM charges GROUP BY 1 ORDER BY 1
"""


def normalised(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Attempts with their charges: both nested lists flattened by pandas, and merged."""
    attempts = pd.json_normalize(
        rows,
        "attempt_details",
        _OF_THE_SESSION,
        record_prefix="attempt.",
    )
    charges = pd.json_normalize(
        rows, ["charges", "attempt_charges"], ["session_uuid"], record_prefix="charge."
    )
    merged = attempts.merge(
        charges,
        how="left",
        left_on=["session_uuid", "attempt.attempt_uuid"],
        right_on=["session_uuid", "charge.attempt_uuid"],
    )
    merged["attempt.time"] = pd.to_datetime(merged["attempt.time"], format="ISO8601", utc=True)
    merged["charge.charge"] = pd.to_numeric(merged["charge.charge"])
    return merged.sort_values(["session_uuid", "attempt.time"])


def exploded(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """The same by ``explode``, then flattened."""
    frame = pd.json_normalize(rows)
    attempts = _flat(frame, "attempt_details")
    charges = _flat(frame[["session_uuid", "charges.attempt_charges"]], "charges.attempt_charges")
    merged = attempts.merge(charges, how="left", on=["session_uuid", "attempt_uuid"])
    merged["time"] = pd.to_datetime(merged["time"], format="ISO8601", utc=True)
    return merged.sort_values(["session_uuid", "time"])


def fallback_and_spend(rows: list[dict[str, Any]]) -> tuple[pd.DataFrame, pd.Series[float]]:
    """The counts of fallback by entry channel and spend by channel, with pandas alone."""
    merged = normalised(rows)
    tried = merged[merged["status"].isin(_SETTLED)]
    by_session = tried.groupby("session_uuid")["attempt.channel"]
    channel, status = tried["attempt.channel"], tried["attempt.status"]
    entry, before = by_session.transform("first"), by_session.shift()
    marked = tried.assign(
        entry_channel=entry,
        fell_back=before.notna() & (before != channel),
        retried=before == channel,
        reached=(channel != entry) & status.isin(_REACHED),
        perhaps=(channel == entry) & ~status.isin(_NOT_REACHED),
    )
    sessions = marked.groupby("session_uuid").agg(
        entry_channel=("entry_channel", "first"),
        last_channel=("attempt.channel", "last"),
        status=("status", "first"),
        fell_back=("fell_back", "any"),
        retried=("retried", "any"),
        reached=("reached", "any"),
        perhaps=("perhaps", "any"),
    )
    rescued = sessions["fell_back"] & (sessions["status"] == "verified")
    counts = sessions.assign(
        sessions=True,
        rescued=rescued,
        rescued_last_touch=rescued & (sessions["last_channel"] != sessions["entry_channel"]),
        rescued_certain=rescued & sessions["reached"] & ~sessions["perhaps"],
    )
    rates = counts.groupby("entry_channel")[_COUNTS].sum()
    return rates, merged.groupby("attempt.channel")["charge.charge"].sum()


def by_hand_in_polars(
    attempts: pl.DataFrame, charges: pl.DataFrame
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The counts of ``fallback_rates`` and ``spend``, written for polars alone."""
    channel, entry = pl.col("channel"), pl.col("entry_channel")
    elsewhere = (channel != "unknown") & (channel != entry)
    at_home = (channel == "unknown") | (channel == entry)
    fell_back, verified = pl.col("switches") > 0, pl.col("session_status") == "verified"
    evaluable = fell_back | (pl.col("unclear") == 0)
    rescued = fell_back & verified
    fallback = (
        attempts.lazy()
        .filter(pl.col("session_status").is_in(_SETTLED))
        .group_by("session_uuid", "entry_channel", "session_status")
        .agg(
            switches=(pl.col("step") == "switch").sum(),
            retries=(pl.col("step") == "retry").sum(),
            unclear=(pl.col("step") == "indeterminate").sum(),
            last=(elsewhere & (pl.col("attempt_number") == pl.col("attempts"))).sum(),
            there=(elsewhere & (pl.col("outcome") == "reached")).sum(),
            here=(at_home & (pl.col("outcome") != "not_reached")).sum(),
        )
        .group_by("entry_channel")
        .agg(
            sessions=evaluable.sum(),
            fell_back=fell_back.sum(),
            retried=(evaluable & (pl.col("retries") > 0)).sum(),
            rescued=rescued.sum(),
            rescued_last_touch=(rescued & (pl.col("last") > 0)).sum(),
            rescued_certain=(rescued & (pl.col("there") > 0) & (pl.col("here") == 0)).sum(),
            not_evaluable=(~evaluable).sum(),
        )
        .sort("entry_channel")
    )
    spend = (
        charges.lazy()
        .group_by(channel=pl.coalesce("channel", "line"))
        .agg(lines=pl.len(), amount=pl.col("amount").sum(), unpriced=pl.col("amount").null_count())
        .sort("channel")
    )
    return fallback.collect(), spend.collect()


def spend_by_day(charges: pl.DataFrame, tz: str) -> tuple[pl.DataFrame, bool]:
    """The counts of ``spend`` by day and channel, and whether a key comes twice."""
    day = pl.col("created_at").dt.convert_time_zone(tz).dt.truncate("1d")
    counted = (
        charges.lazy()
        .group_by(period=day, channel=pl.coalesce("channel", "line"))
        .agg(lines=pl.len(), amount=pl.col("amount").sum(), unpriced=pl.col("amount").null_count())
        .sort("period", "channel")
    )
    return counted.collect(), charges.select("session_uuid", "line_number").is_duplicated().any()


def refused_in_polars(attempts: pl.DataFrame, charges: pl.DataFrame) -> bool:
    """Whether a key comes twice, as one would ask polars for it."""
    return any(
        frame.select("session_uuid", number).is_duplicated().any()
        for number, frame in (("attempt_number", attempts), ("line_number", charges))
    )


def by_hand_in_duckdb(connection: duckdb.DuckDBPyConnection) -> tuple[Any, Any]:
    """The same in SQL, over the tables ``attempts`` and ``charges`` of a connection."""
    return connection.sql(FALLBACK_SQL).fetchall(), connection.sql(SPEND_SQL).fetchall()


def refused_in_duckdb(connection: duckdb.DuckDBPyConnection) -> bool:
    """Whether a key comes twice in its tables, as one would ask for it in SQL."""
    return any(
        connection.sql(DOUBLED_SQL.format(table=table, number=number)).fetchall() != [(0,)]
        for table, number in (("attempts", "attempt_number"), ("charges", "line_number"))
    )


def _flat(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    rows = frame.explode(column, ignore_index=True).dropna(subset=column).reset_index(drop=True)
    return pd.concat([rows.drop(columns=column), pd.json_normalize(rows[column])], axis=1)
