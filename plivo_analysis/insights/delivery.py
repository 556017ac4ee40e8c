"""When to switch the channel, whether delivery reports can be believed, how long messages take.

``waits`` looks at the steps between attempts, ``receipts`` at sessions of one attempt, where the
report and the outcome can be compared, ``delivery_times`` at message records.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw
import polars as pl

from plivo_analysis.api.columns import MESSAGES
from plivo_analysis.api.vocabulary import EXPIRED, SETTLED, VERIFIED, fold_status
from plivo_analysis.errors import SchemaError
from plivo_analysis.metrics.columns import count_column, number_column, rate_columns
from plivo_analysis.metrics.engines import ROWS
from plivo_analysis.metrics.grouping import Grouping
from plivo_analysis.metrics.messages import FINAL_STATES
from plivo_analysis.tables.convert import folded
from plivo_analysis.tables.exploded_columns import ATTEMPTS
from plivo_analysis.values.spans import MINUTE, SECOND
from plivo_analysis.values.table_types import Kind, Table, computed

if TYPE_CHECKING:
    from collections.abc import Iterable

# The start of each length, which ends before the next one starts; the last has no end.
_WAITS = {
    "under 15 s": 0,
    "15–30 s": 15 * SECOND,
    "30–60 s": 30 * SECOND,
    "1–2 min": MINUTE,
    "over 2 min": 2 * MINUTE,
}
_QUANTILES = {"p50": 50, "p95": 95}

WAITS = Table(
    name="waits",
    row="Steps to another attempt, by how long the user waited for it.",
    columns=(
        computed(
            "wait", Kind.TEXT, f"{', '.join(_WAITS)}; null where a time is missing.", nullable=True
        ),
        count_column("steps", "Retries and switches of settled sessions.", unit="steps"),
        number_column("median_seconds", "The median wait.", "seconds"),
        count_column("verified", "Steps whose session was verified.", unit="steps"),
        *rate_columns("success_rate", "verified", "steps"),
    ),
)

_OUTCOME, _STATUS = pl.col("__outcome"), pl.col("__session_status")
_DELIVERED, _FAILED = _OUTCOME == "reached", _OUTCOME == "not_reached"

RECEIPTS = Table(
    name="receipts",
    row="A group of settled sessions with one attempt: its report, and what became of them.",
    columns=(
        *(
            count_column(
                f"{report}_{ending}",
                f"Reported as {report}, and {ending}.",
                told & (ending == _STATUS),
            )
            for report, told in (("delivered", _DELIVERED), ("failed", _FAILED))
            for ending in (VERIFIED, EXPIRED)
        ),
        count_column(
            "pending", "Without a final report, or of an unknown status.", ~(_DELIVERED | _FAILED)
        ),
        *rate_columns(
            "false_failure_rate",
            "failed_verified",
            "failed",
            "failed_verified ÷ all reported as failed.",
        ),
        *rate_columns(
            "unused_delivery_rate",
            "delivered_expired",
            "delivered",
            "delivered_expired ÷ all reported as delivered.",
        ),
    ),
)

DELIVERY_TIMES = Table(
    name="delivery_times",
    row="A group of outbound messages: how long they waited, and how long they took.",
    columns=(
        count_column("messages", "Outbound messages.", unit="messages"),
        *(
            number_column(f"{what}_{quantile}", f"{meaning}, {percent} of 100 by then.", "seconds")
            for what, meaning in (
                ("queue", "Sent − message time"),
                ("delivery", "Updated − sent, of delivered"),
            )
            for quantile, percent in _QUANTILES.items()
        ),
        count_column("unfinished", "Neither delivered, read nor failed.", unit="messages"),
        count_column(
            "untimed",
            "Read, or delivered without all times or with a negative wait: in no quantile.",
            unit="messages",
        ),
    ),
)


def waits(
    attempts: Any,
    by: str | Iterable[str] = ("previous_channel", "channel"),
    *,
    confidence: float = 0.95,
) -> Any:
    """How long it was until the next attempt, and how many sessions were verified then.

    A wait is the time from the start of an attempt to the start of the next one. Counted are
    the retries and switches of settled sessions; a session of three attempts has two steps, and
    all of them share its outcome, whichever attempt it was. The definition is ours; intervals
    are Wilson's (Wilson 1927) and assume that steps are independent, which those of one session
    are not quite. The result says what happened after such waits, not what another wait would
    bring: people who wait longer are other people.

    Args:
        attempts: A sessions table (polars, pandas or pyarrow), or an attempts table with all
            attempts of its sessions (these, or DuckDB or PySpark, whose rows are then read into
            memory).
        by: Columns of attempts to group by; the step is in the group of the later attempt.
        confidence: The coverage of the intervals.

    Returns:
        A small frame (pandas for pandas, else polars): the ``by`` columns, then ``wait``
        (``under 15 s``, ``15–30 s``, ``30–60 s``, ``1–2 min``, ``over 2 min``: the start
        included, the end not; null where a time is missing), ``steps, median_seconds`` (the
        mean of the middle two), ``verified`` (steps), ``success_rate, success_rate_low,
        success_rate_high`` (parts of one). Sorted by the ``by`` columns, then by length.

    Raises:
        SchemaError: The frame is neither table, an attempt comes twice, or a session's attempts
            are not all there.
        FilterError: ``confidence`` does not lie between 0 and 1.

    Example:
        >>> from datetime import UTC, datetime
        >>> import polars as pl
        >>> attempts = pl.DataFrame({
        ...     "session_uuid": ["a", "a"], "attempt_number": [1, 2], "attempts": [2, 2],
        ...     "channel": ["sms", "voice"], "previous_channel": [None, "sms"],
        ...     "step": ["first", "switch"], "session_status": ["verified"] * 2,
        ...     "time": [datetime(2026, 10, 1, 9, 0, s, tzinfo=UTC) for s in (0, 40)]})
        >>> waits(attempts).select("channel", "wait", "steps", "median_seconds").rows()
        [('voice', '30–60 s', 1, 40.0)]
    """
    needed = ["attempts", "step", "time", "session_status"]
    grouping = Grouping.of(attempts, by, WAITS, ATTEMPTS, needed, confidence=confidence)
    rows = grouping.rows()
    if not _are_in_order(rows):  # what explode_attempts gives is, and sorting costs most of all
        rows = rows.sort("session_uuid", "attempt_number")
        if not _are_in_order(rows):
            raise SchemaError(
                "Sessions of this table have other attempts than their number says, and a wait "
                "needs the attempt before. Filter sessions, not attempts.",
                available=rows.columns,
            )
    status = folded(rows["session_status"], fold_status)
    # Attempts of a session stand together, in order and none missing: the row above a retry or a
    # switch is the attempt before it.
    seconds = (pl.col("time") - pl.col("time").shift()).dt.total_microseconds()
    steps = rows.with_columns(__wait=seconds, __verified=status == VERIFIED).filter(
        status.is_in(list(SETTLED)) & pl.col("step").is_in(["retry", "switch"])
    )
    # How many lengths start at or before the wait: the last of them is its own.
    length = pl.sum_horizontal(pl.col("__wait") >= start for start in _WAITS.values()) - 1
    length = pl.when(pl.col("__wait").is_not_null()).then(length).alias("__length")
    groups = steps.group_by(*grouping.by, length).agg(
        pl.len().alias("__steps"),
        pl.col("__wait").median().alias("__median"),
        pl.col("__verified").sum(),
    )
    names = list(_WAITS)

    def wait(group: dict[str, Any]) -> dict[str, Any]:
        length, median = group["length"], group["median"]
        return {
            "wait": None if length is None else names[length],
            # polars would multiply by the rounded 1 ÷ SECOND, and miss the last digit.
            "median_seconds": None if median is None else median / SECOND,
        }

    return grouping.frame(groups, wait, order={"__length": False})


def receipts(
    sessions: Any,
    by: str | Iterable[str] = ("destination_network",),
    *,
    confidence: float = 0.95,
) -> Any:
    """Whether delivery reports can be believed, from sessions with one attempt.

    Settled sessions with exactly one attempt are counted by their report and by their outcome. A
    code that was typed in had arrived, so that "failed, verified" is certainly a wrong report:
    at least ``false_failure_rate`` = failed_verified ÷ (failed_verified + failed_expired) of the
    reported failures are none. "Delivered, expired" may be a wrong report or a person who did
    not go on: ``unused_delivery_rate`` = delivered_expired ÷ (delivered_verified +
    delivered_expired) compares networks and proves nothing about one of them.
    Delivered is ``reached`` and failed ``not_reached`` of ``attempt_outcomes``. The definition
    is ours; intervals are Wilson's (Wilson 1927; Brown, Cai & DasGupta 2001).

    Args:
        sessions: A sessions table (polars, pandas or pyarrow), or an attempts table on any
            engine (these, a DuckDB relation, PySpark).
        by: Columns to group by.
        confidence: The coverage of the intervals.

    Returns:
        A small frame (pandas for pandas, else polars), one row a group of such sessions: the
        ``by`` columns, then ``delivered_verified, delivered_expired, failed_verified,
        failed_expired, pending`` (sessions; they sum to all of them), ``false_failure_rate,
        unused_delivery_rate`` (parts of one), each with ``_low`` and ``_high`` behind it.

    Raises:
        SchemaError: The frame is neither table, or a session or attempt comes twice.
        FilterError: ``confidence`` does not lie between 0 and 1.

    Example:
        >>> import polars as pl
        >>> attempts = pl.DataFrame({
        ...     "session_uuid": ["a", "b"], "attempt_number": [1, 1], "attempts": [1, 1],
        ...     "outcome": "not_reached", "session_status": ["verified", "expired"],
        ...     "destination_network": ["Alpha", "Alpha"]})
        >>> told = receipts(attempts)
        >>> told.select("failed_verified", "failed_expired", "false_failure_rate").rows()
        [(1, 1, 0.5)]
    """
    needed = ["attempts", "outcome", "session_status"]
    grouping = Grouping.of(sessions, by, RECEIPTS, ATTEMPTS, needed, confidence=confidence)
    # All attempts of a session carry the same code, so that of several nobody knows which arrived.
    counted = grouping.count(
        {"outcome": None, "session_status": fold_status}, where=nw.col("attempts") == 1
    )
    groups = grouping.sum(
        counted.filter(_STATUS.is_in(list(SETTLED))),
        failed=ROWS.filter(_FAILED),
        delivered=ROWS.filter(_DELIVERED),
    )
    return grouping.frame(groups)


def delivery_times(messages: Any, by: str | Iterable[str] = ("destination_network",)) -> Any:
    """How long outbound messages waited to be sent, and how long their delivery then took.

    The queue is ``message_sent_time`` − ``message_time``, the delivery ``message_updated_time``
    − ``message_sent_time`` of delivered messages, whose last update is their report. A quantile
    is the shortest time by which that share of the delivered and the unfinished messages had
    arrived: an unfinished one takes longer than any other, so that slow messages do not look
    fast while they are under way. It is the quantile of Kaplan & Meier (1958) where nothing is
    censored before the last arrival. Failed, undelivered and rejected messages are left out. In
    the queue an unfinished message that was sent counts with its own time.

    Args:
        messages: A messages table (polars, pandas or pyarrow; also DuckDB or PySpark, whose rows
            are then read into memory).
        by: Columns of messages to group by.

    Returns:
        A small frame (pandas for pandas, else polars), one row a group of outbound messages: the
        ``by`` columns, then ``messages``, ``queue_p50, queue_p95, delivery_p50, delivery_p95``
        (seconds; null where so many have not arrived), ``unfinished`` (neither delivered, read
        nor failed), ``untimed`` (delivered without all three times or with a negative wait, and
        read ones, whose last update is the reading: in no quantile).

    Raises:
        SchemaError: A column is missing, or a ``message_uuid`` comes twice.

    Example:
        >>> from datetime import UTC, datetime
        >>> import polars as pl
        >>> at = [datetime(2026, 10, 1, 9, 0, second, tzinfo=UTC) for second in range(10)]
        >>> messages = pl.DataFrame({
        ...     "message_uuid": ["a", "b", "c"], "message_direction": ["outbound"] * 3,
        ...     "message_state": ["delivered", "delivered", "sent"], "destination_network": "Alpha",
        ...     "message_time": [at[0]] * 3, "message_sent_time": [at[1], at[1], at[2]],
        ...     "message_updated_time": [at[4], at[9], None]})
        >>> delivery_times(messages).select("queue_p50", "delivery_p50", "delivery_p95").rows()
        [(1.0, 8.0, None)]
    """
    times = ["message_time", "message_sent_time", "message_updated_time"]
    grouping = Grouping.of(
        messages, by, DELIVERY_TIMES, MESSAGES, ["message_direction", "message_state", *times]
    )
    rows = grouping.rows()
    start, sent, updated = (pl.col(name) for name in times)
    outbound = rows.with_columns(
        __state=folded(rows["message_state"], fold_status),
        __queue=_wait(sent - start),
        __delivery=_wait(updated - sent),
        __all=0,  # polars cannot group by nothing, which an empty ``by`` would ask for
    ).filter(folded(rows["message_direction"], fold_status) == "outbound")
    delivered, read = (pl.col("__state") == word for word in ("delivered", "read"))
    # A message without a state is not known to be final.
    unfinished = ~pl.col("__state").is_in(list(FINAL_STATES)).fill_null(value=False)
    timed = delivered & pl.col("__queue").is_not_null() & pl.col("__delivery").is_not_null()
    queued = timed | (unfinished & pl.col("__queue").is_not_null())
    groups = outbound.group_by(*grouping.by, "__all").agg(
        pl.len().alias("__messages"),
        unfinished.sum().alias("__unfinished"),
        (read | (delivered & ~timed)).sum().alias("__untimed"),
        (timed | unfinished).sum().alias("__waiting"),
        pl.col("__queue").filter(queued).sort().alias("__queues"),
        pl.col("__delivery").filter(timed).sort().alias("__deliveries"),
    )
    quantiles = [
        _quantile(f"__{listed}", percent).alias(f"__{what}_{name}")
        for what, listed in (("queue", "queues"), ("delivery", "deliveries"))
        for name, percent in _QUANTILES.items()
    ]
    groups = groups.with_columns(quantiles).drop("__queues", "__deliveries")

    def seconds(group: dict[str, Any]) -> dict[str, Any]:
        quantiles = [name for name in group if "_p" in name and group[name] is not None]
        # As in ``waits``: polars would miss the last digit.
        return {name: group[name] / SECOND for name in quantiles}

    return grouping.frame(groups, seconds)


def _are_in_order(attempts: pl.DataFrame) -> bool:
    """Whether each session's attempts stand together, all of them, from the first to the last."""
    session, number, listed = (
        pl.col(name) for name in ("session_uuid", "attempt_number", "attempts")
    )
    begins = (session != session.shift()).fill_null(value=True)
    goes_on = (number == number.shift() + 1) & (listed == listed.shift())
    ends = begins.shift(-1, fill_value=True)
    is_right = pl.when(begins).then(number == 1).otherwise(goes_on) & (~ends | (number == listed))
    found = attempts.lazy().select(
        whole=is_right.fill_null(value=False).all(),
        # One that begins twice does not stand together.
        together=begins.sum() == session.filter(begins).n_unique(),
    )
    return all(found.collect().row(0))


def _wait(difference: pl.Expr) -> pl.Expr:
    """A difference of two times in microseconds; null where it is negative or not known."""
    microseconds = difference.dt.total_microseconds()
    return pl.when(microseconds >= 0).then(microseconds)


def _quantile(times: str, percent: int) -> pl.Expr:
    """The smallest of some sorted times by which so many of all that wait had arrived.

    The rank is a whole number: rounding of a float could miss it where exactly so many arrived.
    """
    # The estimate of Kaplan and Meier is a product over the arrivals of (1 − 1 ÷ still waiting).
    # As long as nothing is censored before the last arrival, each factor is (k − 1) ÷ k for k
    # still waiting, and the product is the share that has not arrived: a rank among all that wait.
    # The rank is rounded up: so many of a hundred must have arrived, not nearly so many.
    needed = (pl.col("__waiting").cast(pl.Int64) * percent + 99) // 100
    # No message, or fewer arrivals than needed: there is no such place, and so no quantile.
    return pl.col(times).list.get(needed - 1, null_on_oob=True)
