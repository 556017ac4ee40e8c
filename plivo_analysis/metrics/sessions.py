"""Sessions by their own columns: how many end verified, what one costs, which paths they took."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw
import polars as pl

from plivo_analysis.api.columns import SESSIONS
from plivo_analysis.api.vocabulary import OPEN, SETTLED, VERIFIED, fold_status
from plivo_analysis.metrics.columns import (
    count_column,
    rate_column,
    rate_columns,
    sum_column,
    unpriced_column,
)
from plivo_analysis.metrics.confidence_intervals import ratio
from plivo_analysis.metrics.grouping import Grouping
from plivo_analysis.metrics.money import money_of
from plivo_analysis.values.table_types import Kind, Table, computed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from zoneinfo import ZoneInfo

_SETTLED = pl.col("__status").is_in(SETTLED)
_VERIFIED = pl.col("__status") == VERIFIED
_OPEN = pl.col("__status").is_in(OPEN)

SUCCESS_RATES = Table(
    name="success_rates",
    row="A group of sessions: how many were verified.",
    columns=(
        count_column("sessions", "All sessions, of any status."),
        count_column("settled", "Verified or expired.", _SETTLED),
        count_column("open", "In progress.", _OPEN),
        count_column("verified", "Verified.", _VERIFIED),
        *rate_columns("success_rate", "verified", "settled"),
        rate_column("success_rate_if_open_fail", meaning="verified ÷ (settled + open)."),
        rate_column("success_rate_if_open_verify", meaning="(verified + open) ÷ (settled + open)."),
    ),
)

COST_PER_VERIFIED = Table(
    name="cost_per_verified",
    row="A group of sessions: what one verification costs.",
    columns=(
        count_column("settled", "Verified or expired.", _SETTLED),
        count_column("verified", "Verified.", _VERIFIED),
        sum_column("total_charge", "What the settled sessions were billed.", "charge", _SETTLED),
        sum_column("cost_per_verified", "total_charge ÷ verified."),
        sum_column("direct_cost_per_verified", "The total_charge of the verified ones ÷ verified."),
        sum_column("waste", "The total_charge of the settled ones that are not verified."),
        rate_column("waste_share", meaning="waste ÷ total_charge."),
        unpriced_column("Settled sessions without a total_charge.", "charge", _SETTLED),
    ),
)

CHANNEL_PATHS = Table(
    name="channel_paths",
    row="A path of channels, and the sessions that took it.",
    columns=(
        computed("path", Kind.TEXT, "The channels in order: sms → voice.", nullable=True),
        count_column("sessions", "Of any status, with an attempt."),
        count_column("verified", "Of these, verified.", _VERIFIED),
        sum_column("total_charge", "What they were billed.", "charge"),
        unpriced_column("Sessions without a total_charge.", "charge"),
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
    grouping = Grouping.of(
        sessions,
        by,
        SUCCESS_RATES,
        SESSIONS,
        ["status"],
        every=every,
        tz=tz,
        confidence=confidence,
    )

    def bounds(group: dict[str, Any]) -> dict[str, Any]:
        verified, ended = group["verified"], group["settled"] + group["open"]
        return {
            "success_rate_if_open_fail": ratio(verified, ended),
            "success_rate_if_open_verify": ratio(verified + group["open"], ended),
        }

    return grouping.frame(grouping.sum(grouping.count({"status": fold_status})), bounds)


def cost_per_verified(
    sessions: Any,
    by: str | Iterable[str] = (),
    *,
    every: str | None = None,
    tz: str | ZoneInfo = "UTC",
) -> Any:
    """What a verified session costs: all that was spent on settled ones, divided by them.

    The cost per verified is Σ ``total_charge`` of settled sessions ÷ verified sessions, the
    full cost of Vonage's Verify analytics: a ratio of sums, never a mean of ratios. The direct
    cost counts the charges of the verified sessions alone; the rest is waste, and its share is
    waste ÷ total. Open sessions are in none of these. Money is in the account's currency; the
    API does not say which. Where ``unpriced`` is not 0, the sums are lower bounds.

    Args:
        sessions: A sessions table on any engine: polars (eager, lazy), pandas, pyarrow, a
            DuckDB relation, PySpark. Only ``session_uuid``, ``status``, ``total_charge``, the
            ``by`` columns and, with ``every``, ``created_at`` are read.
        by: Columns of sessions to group by.
        every: ``"1h"``, ``"1d"``, ``"1w"`` (from Monday) or ``"1mo"``: adds ``period``.
        tz: The IANA time zone of the buckets, a name or a ``ZoneInfo``.

    Returns:
        A small frame (pandas for pandas, else polars), one row a group of sessions:
        ``period`` and the ``by`` columns, then ``settled, verified`` (sessions),
        ``total_charge, cost_per_verified, direct_cost_per_verified, waste`` (decimals of
        scale 8, half-even; null where nothing was verified or no charge is known),
        ``waste_share`` (a part of one), ``unpriced`` (settled sessions without a total).

    Raises:
        SchemaError: A column is missing, ``by`` names ``channel`` (a session's last one), a
            ``session_uuid`` comes twice, or the
            charges are of several currencies, by a column ``currency``.
        FilterError: ``every`` or ``tz`` is none of the above.

    Example:
        >>> from decimal import Decimal
        >>> import polars as pl
        >>> sessions = pl.DataFrame({"session_uuid": ["a", "b"], "status": ["verified", "expired"],
        ...                          "total_charge": [Decimal("0.08"), Decimal("0.05")]})
        >>> cost_per_verified(sessions)["cost_per_verified"].to_list()
        [Decimal('0.13000000')]
    """
    needed = ["status", "total_charge"]
    grouping = Grouping.of(sessions, by, COST_PER_VERIFIED, SESSIONS, needed, every=every, tz=tz)
    groups = grouping.sum(
        grouping.count({"status": fold_status}, sums={"charge": "total_charge"}),
        direct=money_of("charge", _VERIFIED),
        wasted=money_of("charge", _SETTLED & ~_VERIFIED),
    )

    def costs(group: dict[str, Any]) -> dict[str, Any]:
        total = group["total_charge"]
        # Zero where every settled session is verified, null where nothing is known of the others.
        waste = total.part(group["wasted"])
        return {
            "cost_per_verified": total.per(group["verified"]),
            "direct_cost_per_verified": group["direct"].per(group["verified"]),
            "waste": waste,
            "waste_share": None if waste is None else ratio(group["wasted"].units, total.units),
        }

    return grouping.frame(groups, costs)


def channel_paths(sessions: Any, by: str | Iterable[str] = ()) -> Any:
    """How many sessions took each path of channels, how many of them ended verified.

    A path is the channels of a session's attempts in the order of time, ``"sms → voice"``. A
    second send on the same channel shows as such (``"sms → sms"``): a retry, as Didit and
    LOX24 count it. Sessions of every status are in, those without an attempt are not.

    Args:
        sessions: A sessions table on any engine: polars (eager, lazy), pandas, pyarrow, a
            DuckDB relation, PySpark. Only ``session_uuid``, ``path``, ``status``,
            ``total_charge`` and the ``by`` columns are read.
        by: Columns of sessions to group by.

    Returns:
        A small frame (pandas for pandas, else polars): the ``by`` columns, then ``path,
        sessions, verified`` (sessions), ``total_charge`` (decimal, the account's currency;
        null where none is known), ``unpriced`` (sessions without one). Sorted by the ``by``
        columns, then ``sessions`` descending, then ``path``.

    Raises:
        SchemaError: A column is missing, ``by`` names ``channel`` (a session's last one), a
            ``session_uuid`` comes twice, or the
            charges are of several currencies, by a column ``currency``.

    Example:
        >>> from decimal import Decimal
        >>> import polars as pl
        >>> sessions = pl.DataFrame({"session_uuid": ["a"], "path": ["sms → voice"],
        ...                          "status": ["verified"], "total_charge": [Decimal("0.113")]})
        >>> channel_paths(sessions).rows()
        [('sms → voice', 1, 1, Decimal('0.11300000'), 0)]
    """
    needed = ["path", "status", "total_charge"]
    grouping = Grouping.of(sessions, by, CHANNEL_PATHS, SESSIONS, needed)
    counted = grouping.count(
        {"path": None, "status": fold_status},
        sums={"charge": "total_charge"},
        where=~nw.col("path").is_null(),  # a session without an attempt took no path
    )
    groups = grouping.sum(counted, "__path")
    return grouping.frame(groups, order={"__sessions": True, "__path": False})
