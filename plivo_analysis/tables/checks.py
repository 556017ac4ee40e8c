"""Checks of frames: that they have their columns, each by one name, and each key once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw

from plivo_analysis.errors import SchemaError
from plivo_analysis.values.table_types import describe_columns, quoted_names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    import polars as pl

    from plivo_analysis.values.table_types import Table

_SUPPORTED = "a polars, pandas or pyarrow frame, a DuckDB relation or a PySpark DataFrame"


def column_names(frame: Any) -> list[str]:
    """The names of a frame's columns, in order: texts, each of them once.

    Raises:
        SchemaError: This is no frame that we know, a name is no text, or two columns have the
            same one.

    Example:
        >>> import polars as pl
        >>> column_names(pl.DataFrame({"status": ["verified"]}))
        ['status']
    """
    try:
        names: list[str] = nw.from_native(frame).collect_schema().names()
    except TypeError:
        raise SchemaError(f"{type(frame).__name__} is no dataframe; give {_SUPPORTED}.") from None
    except nw.exceptions.DuplicateError:
        raise SchemaError(
            "Two columns of this frame have the same name. Rename one of them, or leave it out."
        ) from None
    strange = next((name for name in names if not isinstance(name, str)), None)
    if strange is not None:
        raise SchemaError(
            f"The names of columns have to be text; {strange!r} is of type "
            f"{type(strange).__name__}. Rename the columns."
        )
    return names


def require(available: Collection[str], table: Table, names: Iterable[str]) -> None:
    """Refuse a frame that lacks columns.

    Args:
        available: The columns that it has.
        table: The table that it has to be.
        names: The columns of that table that are needed.

    Raises:
        SchemaError: Columns are missing (``.missing``, ``.available``).

    Example:
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> require(["status", "alias"], SESSIONS, ["status"])
    """
    missing = [name for name in dict.fromkeys(names) if name not in available]
    if missing:
        raise _lacking(f"This is no table of {table.name}: it", missing, available)


def _lacking(subject: str, missing: list[str], available: Collection[str]) -> SchemaError:
    return SchemaError(
        f"{subject} lacks {quoted_names(missing)}. {describe_columns(available, missing)}",
        missing=missing,
        available=list(available),
    )


def table_rows(frame: Any, needed: Sequence[str], what: str) -> list[dict[str, Any]]:
    """The rows of a small table that a function of this package gave, as dictionaries.

    Args:
        frame: The table, polars, pandas or pyarrow.
        needed: The columns that it must have.
        what: What it has to be, as the beginning of a sentence.

    Raises:
        SchemaError: It is no table, or lacks a column.

    Example:
        >>> import polars as pl
        >>> table_rows(pl.DataFrame({"start": [1]}), ["start"], "This is what coverage gives")
        [{'start': 1}]
    """
    try:
        narrow = nw.from_native(frame, eager_only=True)
    except TypeError:
        raise SchemaError(f"{what}, a table; this is a {type(frame).__name__}.") from None
    available = [str(column) for column in narrow.columns]
    missing = [column for column in needed if column not in available]
    if missing:
        raise _lacking(f"{what}; the frame", missing, available)
    rows: list[dict[str, Any]] = narrow.to_arrow().to_pylist()
    return rows


def doubled_key(table: Table, available: Iterable[str]) -> SchemaError:
    """The error that says that a key of a table comes more than once.

    Example:
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> str(doubled_key(SESSIONS, ["session_uuid"])).partition(" comes")[0]
        'The key of the table of sessions, session_uuid,'
    """
    return SchemaError(
        f"The key of the table of {table.name}, {' and '.join(table.key)}, comes more than once. "
        "Keep one row of each; of sessions, a settled one before an open one.",
        available=list(available),
    )


def refuse_doubled(frame: pl.DataFrame, table: Table) -> None:
    """Refuse a table of which a key comes twice: its rows could not be told apart.

    Raises:
        SchemaError: A key comes twice.

    Example:
        >>> import polars as pl
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> refuse_doubled(pl.DataFrame({"session_uuid": ["a", "b"]}), SESSIONS)
    """
    if frame.n_unique(table.key) != frame.height:
        raise doubled_key(table, frame.columns)
