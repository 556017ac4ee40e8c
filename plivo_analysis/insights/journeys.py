"""Journeys: the sessions of one person who asks again after a session expired.

Sessions of one recipient in one application are sorted by time and cut into journeys where too
much time passed or the session before was verified. ``journeys`` lists them, ``journey_rates``
counts how many end verified, and what such a journey costs.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from plivo_analysis.api.checks import shown_value
from plivo_analysis.api.columns import SESSIONS
from plivo_analysis.api.times import read_length
from plivo_analysis.api.vocabulary import ARROW, EXPIRED, OPEN, VERIFIED, fold_status
from plivo_analysis.errors import FilterError, SchemaError
from plivo_analysis.metrics.columns import count_column, number_column, rate_columns, sum_column
from plivo_analysis.metrics.confidence_intervals import ratio
from plivo_analysis.metrics.engines import COUNTED, ROWS
from plivo_analysis.metrics.grouping import Grouping
from plivo_analysis.metrics.money import money_of
from plivo_analysis.tables.convert import folded, result
from plivo_analysis.values.masking import is_masked
from plivo_analysis.values.table_types import Column, Kind, Table, computed

if TYPE_CHECKING:
    from collections.abc import Iterable

_NEEDED = ["recipient", "app_uuid", "status", "attempts", "path", "total_charge", "created_at"]
# What is added up of a journey, by the names that counts of an engine have: its rows are sessions.
_ADDED = {
    "settled": "__settled",
    "verified": "__verified",
    "sessions": COUNTED,
    "total_charge": "__charge",
    "unpriced": "__no_charge",
}

JOURNEYS = Table(
    name="journeys",
    row="A journey: the sessions of one recipient that follow each other, in one application.",
    columns=(
        Column("recipient", Kind.TEXT, "The number verified; null where none was given."),
        Column("app_uuid", Kind.TEXT, "The Verify application."),
        computed("began_at", Kind.TIME, "When its first session began.", "UTC", nullable=True),
        computed("ended_at", Kind.TIME, "When its last session began.", "UTC", nullable=True),
        count_column("sessions", "Its sessions."),
        computed("verified", Kind.FLAG, "Whether its last session is verified."),
        computed(
            "open", Kind.FLAG, "Whether it is not verified and a session of it is in progress."
        ),
        count_column("attempts", "Attempts of its sessions.", unit="attempts"),
        computed("channels", Kind.TEXT, "The paths of its sessions, joined.", nullable=True),
        sum_column("total_charge", "What its sessions were billed."),
        count_column("unpriced", "Sessions without a total_charge."),
    ),
)

JOURNEY_RATES = Table(
    name="journey_rates",
    row="A group of journeys: how many end verified, and what one that does costs.",
    columns=(
        count_column("journeys", "All journeys.", unit="journeys"),
        count_column("settled", "Verified, or with expired sessions alone.", unit="journeys"),
        count_column("verified", "Verified.", unit="journeys"),
        *rate_columns("conversion_rate", "verified", "settled"),
        number_column("sessions_per_journey", "Sessions ÷ journeys.", "sessions"),
        sum_column(
            "cost_per_verified_journey", "The total_charge of settled journeys ÷ verified ones."
        ),
    ),
)


def journeys(sessions: Any, gap: str | timedelta = "30m") -> Any:
    """Sessions of one recipient that follow each other, as one journey each.

    Where a session expires and the same person verifies in a second one, success per session
    counts a failure and a success. Sessions of one recipient in one application, in order of
    time (ties by ``session_uuid``), belong to one journey while each begins less than ``gap``
    after the one before began and the one before is not verified. A session without a recipient,
    or of unknown time, is a journey of its own. The definition is ours: no vendor publishes one.

    A journey that begins before the table or goes on after it is cut: load a little more than
    the time in question. A journey is not a person, who may have several.

    Args:
        sessions: A sessions table (polars, pandas or pyarrow, also DuckDB or PySpark, whose
            rows are then read into memory). ``session_uuid, recipient, app_uuid, status,
            attempts, path, total_charge`` and ``created_at`` are read. Pseudonyms of recipients
            work; masked numbers do not.
        gap: The longest time between two beginnings, excluded: ``"90s"``, ``"30m"``, ``"2h"``,
            ``"1d"``, or a ``timedelta``.

    Returns:
        A frame (pandas for pandas, else polars), one row a journey, sorted by ``began_at``,
        ``recipient``, ``app_uuid``: ``recipient, app_uuid, began_at, ended_at`` (UTC, the start
        of its first and last session), ``sessions, verified`` (whether the last one is),
        ``open`` (not verified, and a session in progress), ``attempts, channels`` (the paths,
        joined: ``"sms → sms → voice"``; null where there was no attempt), ``total_charge``
        (decimal, the account's currency; null where none is known), ``unpriced`` (its sessions
        without one).

    Raises:
        SchemaError: A column is missing, a ``session_uuid`` comes twice, recipients are masked,
            or charges are of several currencies, by a column ``currency``.
        FilterError: ``gap`` is not such a time, or not positive.

    Example:
        >>> from datetime import UTC, datetime
        >>> from decimal import Decimal
        >>> import polars as pl
        >>> sessions = pl.DataFrame({
        ...     "session_uuid": ["a", "b"], "recipient": ["14155550126"] * 2,
        ...     "app_uuid": ["shop"] * 2, "status": ["expired", "verified"],
        ...     "attempts": [1, 2], "path": ["sms", "sms → voice"],
        ...     "total_charge": [Decimal("0.08"), Decimal("0.11")],
        ...     "created_at": [datetime(2026, 10, 1, 9, m, tzinfo=UTC) for m in (0, 12)]})
        >>> journeys(sessions).select("sessions", "verified", "channels", "total_charge").rows()
        [(2, True, 'sms → sms → voice', Decimal('0.19000000'))]
    """
    grouping = Grouping.of(sessions, (), JOURNEYS, SESSIONS, _NEEDED)
    found = _journeys(grouping, _length(gap)).sort(
        "began_at", "recipient", "app_uuid", "__first", nulls_last=True
    )
    return result(found.select(JOURNEYS.names).cast(JOURNEYS.polars()).collect(), sessions)


def journey_rates(
    sessions: Any,
    by: str | Iterable[str] = (),
    *,
    gap: str | timedelta = "30m",
    confidence: float = 0.95,
) -> Any:
    """How many journeys end verified, and what a verified journey costs.

    The conversion rate is verified ÷ settled journeys, where settled is verified, or with
    nothing but expired sessions; its interval is Wilson's (Wilson 1927), for which journeys are
    closer to independent than sessions are. The cost per verified journey is Σ
    ``total_charge`` of settled journeys ÷ verified ones: it does not count the session that
    expired first as another's failure. Where sessions have no total yet it is a lower bound.

    Args:
        sessions: A sessions table, as for ``journeys``.
        by: Columns of sessions to group by; a journey is in the group of its first session.
        gap: The longest time between two beginnings, as for ``journeys``.
        confidence: The coverage of the intervals.

    Returns:
        A small frame (pandas for pandas, else polars), one row a group: the ``by`` columns, then
        ``journeys, settled, verified`` (journeys), ``conversion_rate, conversion_rate_low,
        conversion_rate_high`` (parts of one), ``sessions_per_journey`` (over all journeys),
        ``cost_per_verified_journey`` (decimal of scale 8, half-even).

    Raises:
        SchemaError: As for ``journeys``, or ``by`` names ``channel`` (a session's last one).
        FilterError: ``gap`` is not such a time, or ``confidence`` not between 0 and 1.

    Example:
        >>> from datetime import UTC, datetime
        >>> from decimal import Decimal
        >>> import polars as pl
        >>> sessions = pl.DataFrame({
        ...     "session_uuid": ["a", "b"], "recipient": ["14155550126"] * 2,
        ...     "app_uuid": ["shop"] * 2, "status": ["expired", "verified"],
        ...     "attempts": [1, 2], "path": ["sms", "sms → voice"],
        ...     "total_charge": [Decimal("0.08"), Decimal("0.11")],
        ...     "created_at": [datetime(2026, 10, 1, 9, m, tzinfo=UTC) for m in (0, 12)]})
        >>> rates = journey_rates(sessions)
        >>> rates.select("journeys", "conversion_rate", "cost_per_verified_journey").rows()
        [(1, 1.0, Decimal('0.19000000'))]
    """
    grouping = Grouping.of(sessions, by, JOURNEY_RATES, SESSIONS, _NEEDED, confidence=confidence)
    found = _journeys(grouping, _length(gap))
    settled = pl.col("__settled")
    groups = grouping.sum(
        found.select(
            *(pl.col(f"__by_{name}").alias(name) for name in grouping.by),
            *(pl.col(name).alias(counted) for name, counted in _ADDED.items()),
        ).collect(),
        # A row is a journey here, and ``ROWS`` how many sessions it has.
        journeys=settled.is_not_null(),
        settled=settled,
        verified=pl.col("__verified"),
        sessions=ROWS,
        spent=money_of("charge", settled),
    )

    def averages(group: dict[str, Any]) -> dict[str, Any]:
        return {
            "sessions_per_journey": ratio(group["sessions"], group["journeys"]),
            "cost_per_verified_journey": group["spent"].per(group["verified"]),
        }

    return grouping.frame(groups, averages)


def _length(gap: object) -> timedelta:
    """The ``gap`` of the caller as a time, checked."""
    length = read_length(gap)
    if length is None or length <= timedelta(0):
        raise FilterError(
            f"gap is {shown_value(gap)}; it is a time longer than 0, as '90s', '30m', '2h' or "
            "'1d', or a timedelta."
        )
    return length


def _journeys(grouping: Grouping, gap: timedelta) -> pl.LazyFrame:
    """One row a journey: the columns of ``JOURNEYS``, and some that the callers need.

    These are ``settled``, ``__first`` (the uuid of its first session) and, as ``__by_…``, the
    columns to group by, with the values of its first session. The frame is lazy, so that polars
    computes only the columns that are used: joining paths costs most.
    """
    sessions = grouping.rows()
    masked = count_masked(sessions["recipient"])
    if masked:
        raise SchemaError(
            f"{masked} recipients of this table are masked. Two people can look alike once "
            "masked, and their sessions would make one journey. Load with recipients='full' or "
            "'pseudonym'."
        )
    status = folded(sessions["status"], fold_status)
    ordered = sessions.with_columns(
        __verified=(status == VERIFIED).fill_null(value=False),
        __expired=(status == EXPIRED).fill_null(value=False),
        __open=status.is_in(list(OPEN)).fill_null(value=False),
    ).sort("recipient", "app_uuid", "created_at", "session_uuid", nulls_last=True)
    # The row above is the session before, perhaps of another person. A session without a
    # recipient or a time follows none, since a comparison with a null is not true.
    recipient, began = pl.col("recipient"), pl.col("created_at")
    follows = (
        (recipient == recipient.shift())
        & pl.col("app_uuid").eq_missing(pl.col("app_uuid").shift())
        & (began - began.shift() < gap)
        & ~pl.col("__verified").shift()
    )
    # Each row that follows none begins a journey, whose number is how many have begun so far. Rows
    # of one number lie together; polars, told so, need not search for them.
    number = (~follows.fill_null(value=False)).cum_sum().set_sorted()
    charge = pl.col("total_charge")
    return (
        ordered.lazy()
        .with_columns(__journey=number)
        .group_by("__journey", maintain_order=True)
        .agg(
            recipient.first(),
            pl.col("app_uuid").first(),
            began.first().alias("began_at"),
            began.last().alias("ended_at"),
            pl.len().alias("sessions"),
            pl.col("__verified").last().alias("verified"),
            (pl.col("__open").any() & ~pl.col("__verified").last()).alias("open"),
            pl.col("attempts").sum(),
            pl.col("path").drop_nulls().str.join(ARROW).alias("channels"),
            pl.when(charge.count() > 0).then(charge.sum()).alias("total_charge"),
            charge.null_count().alias("unpriced"),
            # A session of any other status may still verify, or is not known to have ended.
            (pl.col("__verified").last() | pl.col("__expired").all()).alias("settled"),
            pl.col("session_uuid").first().alias("__first"),
            *(pl.col(name).first().alias(f"__by_{name}") for name in grouping.by),
        )
        .with_columns(pl.col("channels").replace("", None))
    )


def count_masked(recipients: pl.Series) -> int:
    """How many different recipients are masked, so that several people may look alike.

    Example:
        >>> count_masked(pl.Series(["14155550126", "141XXXXX528", "141XXXXX528", None]))
        1
    """
    # There may be millions, so that Python looks only at those with a sign that may hide digits.
    hidden = recipients.unique().drop_nulls()
    return sum(map(is_masked, hidden.filter(hidden.str.contains(r"[^0-9+ ]"))))
