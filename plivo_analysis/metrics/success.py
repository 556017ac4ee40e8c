"""How many sessions end verified."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from plivo_analysis.api.words import OPEN, SETTLED, VERIFIED, fold_status
from plivo_analysis.metrics.columns import SUCCESS_RATES
from plivo_analysis.metrics.grouping import Grouping, Key
from plivo_analysis.metrics.inputs import open_sessions
from plivo_analysis.metrics.intervals import ratio, wilson, with_interval
from plivo_analysis.metrics.periods import Buckets
from plivo_analysis.tables.convert import result

if TYPE_CHECKING:
    from collections.abc import Iterable


def success_rates(
    sessions: Any,
    by: str | Iterable[str] = (),
    *,
    every: str | None = None,
    tz: str = "UTC",
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
        tz: The IANA time zone of the buckets.
        confidence: The coverage of the intervals.

    Returns:
        A small frame (pandas for pandas, else polars), one row a group: ``period`` and the
        ``by`` columns, then ``sessions, settled, open, verified`` (sessions), ``success_rate,
        success_rate_low, success_rate_high, success_rate_if_open_fail,
        success_rate_if_open_verify`` (parts of one; null where nothing is settled).

    Raises:
        SchemaError: A column is missing, or a ``session_uuid`` comes twice.
        FilterError: ``every``, ``tz`` or ``confidence`` is none of the above.

    Example:
        >>> import polars as pl
        >>> sessions = pl.DataFrame({
        ...     "session_uuid": ["a", "b", "c"], "status": ["verified", "Expired", "in-progress"]})
        >>> success_rates(sessions).select("settled", "open", "success_rate").rows()
        [(2, 1, 0.5)]
    """
    wilson(0, 0, confidence)
    buckets = Buckets.of(every=every, tz=tz)
    lazy, names = open_sessions(sessions, by, SUCCESS_RATES, ["status"], buckets)
    grouping = Grouping(names, SUCCESS_RATES, buckets)
    counted = grouping.count(lazy, "status")
    groups: defaultdict[Key, Counter[str]] = defaultdict(Counter)
    for row in counted:
        group, status = groups[grouping.key(row)], fold_status(row["status"])
        group["sessions"] += row["__rows"]
        group["settled"] += row["__rows"] * (status in SETTLED)
        group["open"] += row["__rows"] * (status in OPEN)
        group["verified"] += row["__rows"] * (status == VERIFIED)
    rates = {key: _rates(group, confidence) for key, group in groups.items()}
    return result(grouping.frame(rates, counted.schema), sessions)


def _rates(group: Counter[str], confidence: float) -> dict[str, Any]:
    verified, settled, still_open = group["verified"], group["settled"], group["open"]
    return {
        "sessions": group["sessions"],
        "settled": settled,
        "open": still_open,
        "verified": verified,
        **with_interval("success_rate", verified, settled, confidence),
        "success_rate_if_open_fail": ratio(verified, settled + still_open),
        "success_rate_if_open_verify": ratio(verified + still_open, settled + still_open),
    }
