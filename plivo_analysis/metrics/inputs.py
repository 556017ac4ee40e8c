"""Which table a frame is, and how a metric gets the one that it counts.

A frame says what it is by its columns: a sessions table has ``attempt_details``, an attempts
table ``attempt_number``, a charges table ``line``. A sessions table is exploded on the way
where a metric counts attempts or lines.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from plivo_analysis.api.columns import SESSIONS
from plivo_analysis.errors import SchemaError
from plivo_analysis.metrics.engines import open_table, refuse_doubled
from plivo_analysis.metrics.grouping import names_of
from plivo_analysis.tables.columns import ATTEMPTS, CHARGES
from plivo_analysis.tables.convert import column_names
from plivo_analysis.tables.explode import exploded, read_sessions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import narwhals as nw

    from plivo_analysis.metrics.periods import Buckets
    from plivo_analysis.values.schema import Table

_MARKS = {"attempt_details": SESSIONS, "attempt_number": ATTEMPTS, "line": CHARGES}
_GIVES = {ATTEMPTS.name: "explode_attempts", CHARGES.name: "explode_charges"}


def open_sessions(
    sessions: Any,
    by: str | Iterable[str],
    result: Table,
    needed: Sequence[str],
    buckets: Buckets | None = None,
) -> tuple[nw.LazyFrame[Any], tuple[str, ...]]:
    """A sessions table opened on its engine, each session once, and the names to group by.

    Raises:
        SchemaError: It is no sessions table, lacks columns, or has a session twice.

    Example:
        >>> from plivo_analysis.metrics.columns import SUCCESS_RATES
        >>> frame = pl.DataFrame({"session_uuid": ["a"], "status": ["verified"]})
        >>> open_sessions(frame, "status", SUCCESS_RATES, ["status"])[1]
        ('status',)
    """
    available = column_names(sessions)
    given = _table_of(available)
    if given in (ATTEMPTS, CHARGES):
        raise SchemaError(
            f"{result.name} counts sessions and cannot read a table of {given.name}: give the "
            "sessions table.",
            missing=[name for name in needed if name not in available],
            available=available,
        )
    names = names_of(by, result, available, periods=buckets is not None)
    instant = ["created_at"] if buckets else []
    lazy = open_table(sessions, SESSIONS, ["session_uuid", *needed, *instant], names)
    refuse_doubled(lazy, "session_uuid", SESSIONS)
    return lazy, names


def open_exploded(
    frame: Any,
    by: str | Iterable[str],
    result: Table,
    table: Table,
    needed: Sequence[str],
    *,
    buckets: Buckets | None = None,
    refused: Mapping[str, str] | None = None,
) -> tuple[nw.LazyFrame[Any], tuple[str, ...]]:
    """An exploded table opened on its engine, made from sessions if need be.

    Args:
        frame: The table itself, or a sessions table, whose own columns can then be grouped
            by as well.
        by: What to group by.
        result: The table of the result.
        table: The exploded table wanted.
        needed: The columns of it that will be looked at.
        buckets: The periods, of ``created_at``.
        refused: Columns that make no group here, with the reason.

    Raises:
        SchemaError: It is neither of the two, lacks columns, or has a session twice.

    Example:
        >>> from plivo_analysis.metrics.columns import SPEND
        >>> empty = SESSIONS.polars().to_frame()
        >>> open_exploded(empty, "channel", SPEND, CHARGES, ["amount"])[1]
        ('channel',)
    """
    available = column_names(frame)
    given = _table_of(available)
    if given not in (table, SESSIONS):
        missing = [name for name in needed if name not in available]
        raise SchemaError(
            f"{result.name} reads a sessions table, or what {_GIVES[table.name]} makes of one. "
            f"This frame is neither: it lacks {', '.join(missing)}, and has "
            f"{', '.join(available) or 'no columns'}.",
            missing=missing,
            available=available,
        )
    offered = available
    if given is SESSIONS:
        offered = list(dict.fromkeys([*table.names, *available]))
    periods = buckets is not None
    names = names_of(by, result, offered, periods=periods, refused=refused)
    if given is SESSIONS:
        frame = _exploded(frame, table, [name for name in names if name not in table.names])
    instant = ["created_at"] if buckets else []
    return open_table(frame, table, [*needed, *instant], names), names


def _exploded(sessions: Any, table: Table, carry: Sequence[str]) -> pl.DataFrame | pl.LazyFrame:
    if isinstance(sessions, pl.LazyFrame):
        # Several things are asked of the exploded table, and it would be exploded for each.
        sessions = read_sessions(sessions, carry)
    return exploded(sessions, table, carry)


def _table_of(names: Sequence[str]) -> Table | None:
    return next((table for mark, table in _MARKS.items() if mark in names), None)
