"""Sessions exploded: one row an attempt, one row a line of the bill.

A session is looked at as a whole here once (``bill`` says what its money was for), and order,
entry channel, path and step are settled, so that every metric is then filter, group and sum on
any engine. All of it is columns in polars.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw
import polars as pl
import pyarrow as pa

from plivo_analysis.api.columns import SESSIONS
from plivo_analysis.api.vocabulary import UNKNOWN, fold_channel, outcome
from plivo_analysis.errors import SchemaError
from plivo_analysis.tables.bill import leftovers, settle
from plivo_analysis.tables.checks import column_names, refuse_doubled, require
from plivo_analysis.tables.convert import fold_columns, plain_arrow, result, select
from plivo_analysis.tables.exploded_columns import ATTEMPTS, CHARGES, OF_THE_SESSION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plivo_analysis.values.table_types import Table

_STEPS = pl.Series(["first", "indeterminate", "retry", "switch"])
CURRENCY = "currency"  # a column of the caller's own, which the API does not have

_READ = (
    *OF_THE_SESSION,
    "status",
    "attempt_details",
    "total_charge",
    "validation_charge",
    "attempt_charges",
)


def explode_attempts(sessions: Any) -> Any:
    """One row an attempt, in the order of time, with its charge and its step.

    Attempts with a time come first, by time, ties in the API's order; those without follow.
    Attempts, and charge rows, that have an id and are equal in every field count once; without
    an id equality proves no repetition. Each charge row is used once: attempts in their order
    take the first unused one of their ``attempt_uuid``. If exactly one attempt has no charge,
    the validation charge is known and the rest of the money leaves a positive remainder, its
    charge is that remainder (``charge_note`` is ``derived``). A step is a ``switch`` where both
    channels are known and differ, a ``retry`` where they are equal, ``indeterminate`` where
    either is unknown.

    Args:
        sessions: A sessions table: a polars DataFrame or LazyFrame, a pandas DataFrame
            (Arrow-backed or of plain objects) or a pyarrow Table. A LazyFrame stays lazy; when
            it is collected, it is exploded in memory. What is larger than that is exploded in
            parts, or read from the attempts and charges that the store keeps as Parquet.

    Returns:
        The attempts table (``ATTEMPTS`` of :mod:`plivo_analysis.tables.exploded_columns`) in the
        kind that was given: ``session_uuid, attempt_uuid, attempt_number`` (from 1), ``attempts``
        (in that session), ``channel`` (folded), ``status, outcome`` (reached, not_reached,
        pending, unknown), ``time`` (UTC), ``charge`` (decimal, the account's currency; null where
        unknown), ``charge_note, entry_channel, path, previous_channel, step, session_status,
        app_uuid, alias, recipient, destination_country_iso2, destination_network, created_at``
        (UTC). A session without attempts has no row. A column ``currency`` of your own, for
        sessions of several accounts, comes last.

    Raises:
        SchemaError: The frame is no sessions table, or a ``session_uuid`` comes twice, or it
            is of an engine that cannot carry nested columns through.

    Example:
        >>> from datetime import UTC, datetime
        >>> from plivo_analysis.tables.convert import from_rows
        >>> blank = dict.fromkeys(SESSIONS.names)
        >>> second = {"channel": "call", "attempt_uuid": "b", "status": "answer",
        ...           "time": datetime(2026, 3, 1, 10, 1, tzinfo=UTC)}
        >>> first = {"channel": "sms", "attempt_uuid": "a", "status": "failed",
        ...          "time": datetime(2026, 3, 1, 10, 0, tzinfo=UTC)}
        >>> row = {**blank, "session_uuid": "s", "attempt_details": [second, first]}
        >>> attempts = explode_attempts(from_rows([row], SESSIONS))
        >>> attempts.select("attempt_number", "channel", "outcome", "step").rows()
        [(1, 'sms', 'not_reached', 'first'), (2, 'voice', 'reached', 'switch')]
    """
    return _in_kind(exploded(sessions, ATTEMPTS, _currency(sessions)), sessions)


def explode_charges(sessions: Any) -> Any:
    """One row a line of the bill; the lines of a session with a total sum to it exactly.

    One line for each attempt (its amount null where unknown), one for each charge row of no
    attempt (``orphan``), one ``validation`` line where ``validation_charge`` is not null (also
    0), and one ``unallocated`` line where ``total_charge`` is not null (also 0): the total
    less the validation charge, all charge rows and a derived charge; it may be negative.

    Args:
        sessions: A sessions table, as for ``explode_attempts``.

    Returns:
        The charges table (``CHARGES`` of :mod:`plivo_analysis.tables.exploded_columns`) in the
        kind that was given: ``session_uuid, line_number`` (from 1), ``line, channel`` (folded;
        null for validation and unallocated), ``attempt_uuid, amount`` (decimal, the account's
        currency), ``note`` (derived, orphan, channel_differs: the attempt's channel wins),
        ``time`` (of attempts), ``created_at, entry_channel, path, session_status, app_uuid, alias,
        recipient, destination_country_iso2, destination_network``. Lines of a session stay
        together.

    Raises:
        SchemaError: As for ``explode_attempts``.

    Example:
        >>> from decimal import Decimal
        >>> from plivo_analysis.tables.convert import from_rows
        >>> row = dict.fromkeys(SESSIONS.names) | {"session_uuid": "s",
        ...     "total_charge": Decimal("0.09"), "validation_charge": Decimal("0.01")}
        >>> explode_charges(from_rows([row], SESSIONS)).select("line", "amount").rows()
        [('validation', Decimal('0.01000000')), ('unallocated', Decimal('0.08000000'))]
    """
    return _in_kind(exploded(sessions, CHARGES, _currency(sessions)), sessions)


def exploded(sessions: Any, table: Table, carry: Sequence[str] = ()) -> pl.DataFrame | pl.LazyFrame:
    """A sessions table exploded, in polars: lazily if it is lazy.

    Args:
        sessions: A sessions table, as for ``explode_attempts``.
        table: ``ATTEMPTS`` or ``CHARGES``.
        carry: Further columns of the sessions, which may be the caller's own.

    Raises:
        SchemaError: As for ``explode_attempts``.

    Example:
        >>> exploded(SESSIONS.polars().to_frame(), CHARGES).columns == CHARGES.names
        True
    """
    _require_sessions(sessions, carry)
    explode = _attempts_of if table is ATTEMPTS else _charges_of
    if not isinstance(sessions, pl.LazyFrame):
        return explode(read_sessions(sessions, carry), carry)
    given = sessions.collect_schema()
    return sessions.select(*dict.fromkeys([*_READ, *carry])).map_batches(
        lambda batch: explode(read_sessions(batch, carry), carry),
        schema={**table.polars(), **{name: given[name] for name in carry}},
        # A query of polars that runs inside of one that streams can wait for ever.
        streamable=False,
    )


def read_sessions(sessions: Any, carry: Sequence[str] = ()) -> pl.DataFrame:
    """What exploding reads of a sessions table, as a polars frame.

    Args:
        sessions: A sessions table, as for ``explode_attempts``.
        carry: Further columns to read, which may be the caller's own.

    Raises:
        SchemaError: The frame is no sessions table, or cannot be exploded.

    Example:
        >>> read_sessions(SESSIONS.polars().to_frame()).height
        0
    """
    _require_sessions(sessions, carry)
    known = [column for column in SESSIONS.columns if column.name in {*_READ, *carry}]
    return select(sessions, known, own=[name for name in carry if name not in SESSIONS.names])


def _currency(sessions: Any) -> list[str]:
    return [name for name in column_names(sessions) if name == CURRENCY]


def _in_kind(frame: pl.DataFrame | pl.LazyFrame, like: Any) -> Any:
    if isinstance(frame, pl.LazyFrame):
        return frame
    return plain_arrow(frame) if isinstance(like, pa.Table) else result(frame, like)


def _require_sessions(frame: Any, carry: Sequence[str]) -> None:
    available = column_names(frame)
    require(available, SESSIONS, [*_READ, *carry])
    in_memory = isinstance(frame, (pl.DataFrame, pl.LazyFrame, pa.Table))
    if not in_memory and not nw.dependencies.is_pandas_dataframe(frame):
        engine = type(frame).__module__.partition(".")[0]
        raise SchemaError(
            f"A sessions table cannot be exploded in {engine}. Give "
            "what explode_attempts or explode_charges makes of a polars, pandas or pyarrow "
            "sessions table, or the attempts and charges tables that the store keeps as Parquet.",
            available=available,
        )


def _attempts_of(sessions: pl.DataFrame, carry: Sequence[str]) -> pl.DataFrame:
    # Two rows of one session would be two sessions here, and their money would count twice.
    refuse_doubled(sessions, SESSIONS)
    attempts = settle(sessions).attempts
    words = fold_columns(attempts, channel=fold_channel, status=outcome)
    number, last = _numbers()
    channel, previous = pl.col("channel"), pl.col("previous_channel")
    return (
        attempts.with_columns(
            attempt_number=number,
            attempts=last,
            channel=words["channel"],
            outcome=words["status"],
            charge_note=pl.when("derived").then(pl.lit("derived")),
        )
        # The row above is the attempt before, except where it is the last one of another session.
        .with_columns(previous_channel=pl.when(pl.col("attempt_number") > 1).then(channel.shift()))
        .with_columns(
            # To choose a number and look its word up costs half of choosing a word.
            step=pl.lit(_STEPS).gather(
                pl.when(previous.is_null())
                .then(0)
                .when((channel == UNKNOWN) | (previous == UNKNOWN))
                .then(1)
                .when(channel == previous)
                .then(2)
                .otherwise(3)
            )
        )
        # Last, so that nine more columns are not copied at each step before.
        .hstack(_of_their_sessions(sessions, attempts["row"], carry))
        .select(*ATTEMPTS.names, *carry)
    )


def _charges_of(sessions: pl.DataFrame, carry: Sequence[str]) -> pl.DataFrame:
    refuse_doubled(sessions, SESSIONS)
    bill = settle(sessions)
    left = leftovers(sessions, bill)
    attempts, orphans = (
        rows.with_columns(fold_columns(rows, channel=fold_channel))
        for rows in (bill.attempts, bill.orphans)
    )
    of_session = {"validation": sessions["validation_charge"], "unallocated": left["unallocated"]}
    note = (
        pl.when("derived").then(pl.lit("derived")).when("differs").then(pl.lit("channel_differs"))
    )
    named = ["row", "channel", "attempt_uuid"]
    attempt, orphan = pl.lit("attempt"), pl.lit("orphan")
    lines = pl.concat(
        [
            attempts.select(*named, "time", line=attempt, amount="charge", note=note),
            orphans.select(*named, line=orphan, amount="charge", note=orphan),
            *(
                left.select("row", line=pl.lit(line), amount=amounts).drop_nulls("amount")
                for line, amounts in of_session.items()
            ),
        ],
        how="diagonal",  # columns that some lines lack are null there
    ).sort("row", maintain_order=True)  # lines of a session keep the order of this list
    return (
        lines.hstack(_of_their_sessions(sessions, lines["row"], carry))
        .with_columns(line_number=_numbers()[0])
        .select(*CHARGES.names, *carry)
    )


def _numbers() -> tuple[pl.Expr, pl.Expr]:
    """The place of each row within its session, from 1, and the last place of that session.

    The rows of a session stand together, so that the lengths of runs say it, which costs a
    fraction of a window over each session.
    """
    row = pl.col("row")
    lengths = row.rle().struct.field("len").cast(pl.Int64)
    before = (lengths.cum_sum() - lengths).gather(row.rle_id())
    return pl.int_range(1, pl.len() + 1, dtype=pl.Int64) - before, lengths.gather(row.rle_id())


def _of_their_sessions(
    sessions: pl.DataFrame, rows: pl.Series, carry: Sequence[str]
) -> pl.DataFrame:
    wanted = sessions.select(*OF_THE_SESSION, *carry, session_status="status")
    return wanted.select(pl.all().gather(rows))
