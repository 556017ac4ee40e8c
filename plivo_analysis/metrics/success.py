"""How many sessions end verified."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from plivo_analysis.api.columns import SESSIONS
from plivo_analysis.api.vocabulary import OPEN, SETTLED, VERIFIED, fold_status
from plivo_analysis.metrics.engines import ROWS
from plivo_analysis.metrics.grouping import Grouping, count_column, rate_column, rate_columns
from plivo_analysis.metrics.intervals import normal_quantile, ratio, with_interval
from plivo_analysis.values.table_types import Table

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

SUCCESS_RATES = Table(
    name="success_rates",
    row="A group of sessions: how many were verified.",
    columns=(
        count_column("sessions", "All sessions, of any status.", "sessions"),
        count_column("settled", "Verified or expired.", "sessions"),
        count_column("open", "In progress.", "sessions"),
        count_column("verified", "Verified.", "sessions"),
        *rate_columns("success_rate", "verified ÷ settled."),
        rate_column("success_rate_if_open_fail", "verified ÷ (settled + open)."),
        rate_column("success_rate_if_open_verify", "(verified + open) ÷ (settled + open)."),
    ),
)


def success_rates(
    sessions: Any,
    by: str | Iterable[str] = (),
    *,
    every: str | None = None,
    tz: str | ZoneInfo = "UTC",
    confidence: float = 0.95,
) -> Any:
    """How many settled sessions were verified, with bounds for those still open.

    The success rate is verified ÷ settled, where settled is verified or expired: success over
    finished sessions, as in Vonage's Verify analytics and Twilio's attempt conversion. Had all
    open sessions failed it would be ``success_rate_if_open_fail``, had all been verified
    ``success_rate_if_open_verify``. A session of any other status is counted in ``sessions``
    and in no rate. Intervals are Wilson's (Wilson 1927; Brown, Cai & DasGupta 2001).

    Args:
        sessions: A sessions table on any engine: polars (eager, lazy), pandas, pyarrow, a
            DuckDB relation, PySpark. Only ``session_uuid``, ``status``, the ``by`` columns
            and, with ``every``, ``created_at`` are read.
        by: Columns of sessions to group by.
        every: ``"1h"``, ``"1d"``, ``"1w"`` (from Monday) or ``"1mo"``: adds ``period``, the
            start of the bucket of ``created_at``.
        tz: The IANA time zone of the buckets, a name or a ``ZoneInfo``.
        confidence: The coverage of the intervals.

    Returns:
        A small frame (pandas for pandas, else polars), one row a group: ``period`` and the
        ``by`` columns, then ``sessions, settled, open, verified`` (sessions), ``success_rate,
        success_rate_low, success_rate_high, success_rate_if_open_fail,
        success_rate_if_open_verify`` (parts of one; null where nothing is settled).

    Raises:
        SchemaError: A column is missing, ``by`` names ``channel`` (a session's last one), or a
            ``session_uuid`` comes twice.
        FilterError: ``every``, ``tz`` or ``confidence`` is none of the above.

    Example:
        >>> import polars as pl
        >>> sessions = pl.DataFrame({
        ...     "session_uuid": ["a", "b", "c"], "status": ["verified", "Expired", "in-progress"]})
        >>> success_rates(sessions).select("settled", "open", "success_rate").rows()
        [(2, 1, 0.5)]
    """
    z = normal_quantile(confidence)
    grouping = Grouping.of(sessions, by, SUCCESS_RATES, SESSIONS, ["status"], every=every, tz=tz)
    status = pl.col("__status")
    groups = grouping.sum(
        grouping.count({"status": fold_status}),
        sessions=ROWS,
        settled=ROWS.filter(status.is_in(SETTLED)),
        open=ROWS.filter(status.is_in(OPEN)),
        verified=ROWS.filter(status == VERIFIED),
    )

    def rates(group: dict[str, Any]) -> dict[str, Any]:
        verified, settled, unsettled = group["verified"], group["settled"], group["open"]
        return {
            **with_interval("success_rate", verified, settled, z),
            "success_rate_if_open_fail": ratio(verified, settled + unsettled),
            "success_rate_if_open_verify": ratio(verified + unsettled, settled + unsettled),
        }

    return grouping.frame(groups, rates)
