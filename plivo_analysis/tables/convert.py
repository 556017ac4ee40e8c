"""Frames of one kind made into frames of another, without a digit lost on the way.

polars is the engine of this package. The rows of a pandas frame or a pyarrow Table lie in
this process's memory already, so they are read through Arrow, mostly where they lie; what
comes back to their owner goes the same way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw
import polars as pl
import pyarrow as pa

from plivo_analysis.errors import SchemaError
from plivo_analysis.tables.casting import arrow_values, cast

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from plivo_analysis.values.schema import Column, Table

BACKENDS = ("polars", "pandas")

_SUPPORTED = "a polars, pandas or pyarrow frame, a DuckDB relation or a PySpark DataFrame"


def from_rows(rows: Sequence[Mapping[str, Any]], table: Table) -> pl.DataFrame:
    """Rows of Python values as a polars frame of a table.

    Args:
        rows: One mapping a row, with every column of the table: str, int, bool, Decimal,
            aware datetime, or a list of such mappings; None where there is no value.
        table: The table that they are rows of.

    Returns:
        The columns of the table with its types, in the order of the rows.

    Raises:
        SchemaError: A row lacks a column, or a value does not fit its column exactly.

    Example:
        >>> from decimal import Decimal
        >>> from plivo_analysis.values.schema import Column, Kind, Table
        >>> prices = Table("prices", "A price.", (), (Column("price", Kind.MONEY, "It."),))
        >>> from_rows([{"price": Decimal("0.08")}], prices)["price"].to_list()
        [Decimal('0.08000000')]
    """
    arrays = {}
    for column in table.columns:
        try:
            values = [row[column.name] for row in rows]
        except KeyError:
            available = sorted({name for row in rows for name in row})
            _require(table, [name for name in table.names if name not in available], available)
            raise SchemaError(
                f"A row of {table.name} lacks {column.name!r}.",
                missing=[column.name],
                available=available,
            ) from None
        arrays[column.name] = arrow_values(values, column)
    return _of_arrow(arrays, table.columns)


def to_backend(frame: pl.DataFrame, backend: str) -> Any:
    """A polars frame as a frame of a backend.

    Args:
        frame: The frame.
        backend: ``"polars"`` gives it back; ``"pandas"`` gives a pandas frame with
            Arrow-backed columns: exact decimals, real nulls, real nested columns.

    Returns:
        A polars or a pandas DataFrame with the same values.

    Raises:
        ValueError: There is no such backend.

    Example:
        >>> to_backend(pl.DataFrame({"count": [1, None]}), "pandas").dtypes["count"]
        int64[pyarrow]
    """
    if backend not in BACKENDS:
        raise ValueError(f"backend is {backend!r}; it can be 'polars' or 'pandas'.")
    if backend == "polars":
        return frame
    import pandas as pd  # noqa: PLC0415 - half a second, and only this backend needs it

    return plain_arrow(frame).to_pandas(types_mapper=pd.ArrowDtype)


def plain_arrow(frame: pl.DataFrame) -> pa.Table:
    """A polars frame as a pyarrow Table with plain ``string`` and ``list`` columns.

    polars itself would give their large forms, which DuckDB and Spark take but which read
    as other types in a pandas frame.

    Example:
        >>> plain_arrow(pl.DataFrame({"alias": ["shop"]})).schema.field("alias").type
        DataType(string)
    """
    table = frame.to_arrow(compat_level=pl.CompatLevel.oldest())
    return table.cast(pa.schema([(field.name, _plain(field.type)) for field in table.schema]))


def as_polars(frame: Any, table: Table) -> pl.DataFrame:
    """Any supported frame as a polars frame with exactly the columns of a table.

    Args:
        frame: A polars DataFrame or LazyFrame, a pandas DataFrame (Arrow-backed or of plain
            objects: Decimals, lists of dicts), a pyarrow Table, a DuckDB relation or a
            PySpark DataFrame. Columns that the table does not have are left out.
        table: The table that it must be.

    Returns:
        The columns of the table, with its types and in its order.

    Raises:
        SchemaError: Columns are missing, or values do not fit their column exactly
            (``.missing``, ``.available``).
        TypeError: This is no frame that we know.

    Example:
        >>> from decimal import Decimal
        >>> import pandas as pd
        >>> from plivo_analysis.values.schema import Column, Kind, Table
        >>> prices = Table("prices", "A price.", (), (Column("price", Kind.MONEY, "It."),))
        >>> as_polars(pd.DataFrame({"price": [Decimal("0.08"), None]}), prices).to_dicts()
        [{'price': Decimal('0.08000000')}, {'price': None}]
    """
    _require(table, *missing_columns(frame, table.names))
    return select(frame, table.columns)


def missing_columns(frame: Any, needed: Iterable[str]) -> tuple[list[str], list[str]]:
    """Which of the needed columns a frame lacks, and which columns it has.

    Raises:
        TypeError: This is no frame that we know.

    Example:
        >>> missing_columns(pl.DataFrame({"status": []}), ["status", "alias"])
        (['alias'], ['status'])
    """
    available = column_names(frame)
    return [name for name in needed if name not in set(available)], available


def column_names(frame: Any) -> list[str]:
    """The names of a frame's columns, in order.

    Raises:
        TypeError: This is no frame that we know.

    Example:
        >>> column_names(pa.table({"status": ["verified"]}))
        ['status']
    """
    try:
        native = nw.from_native(frame)
    except TypeError:
        raise TypeError(f"{type(frame).__name__} is no dataframe; give {_SUPPORTED}.") from None
    names: list[str] = native.collect_schema().names()
    return names


def select(frame: Any, columns: Sequence[Column], *, own: Sequence[str] = ()) -> pl.DataFrame:
    """The given columns of any supported frame, with their types, as a polars frame.

    Args:
        frame: A frame that has the columns.
        columns: The columns wanted, cast to their types.
        own: Columns of the caller's own, taken as they are.

    Raises:
        SchemaError: The values of a column do not fit its type exactly, or are of no one type.

    Example:
        >>> from plivo_analysis.values.schema import Column, Kind
        >>> frame = pa.table({"n": [1], "team": ["red"], "m": [2]})
        >>> select(frame, [Column("n", Kind.COUNT, "It.")], own=["team"]).to_dicts()
        [{'n': 1, 'team': 'red'}]
    """
    names = [*(column.name for column in columns), *own]
    if nw.dependencies.is_pandas_dataframe(frame):
        arrays = {column.name: _of_pandas(frame[column.name], column) for column in columns}
        return _of_arrow(arrays | {name: _own(frame[name], name) for name in own}, columns)
    if isinstance(frame, pl.LazyFrame):
        return _of_polars(frame.select(names).collect(), columns)
    if isinstance(frame, pl.DataFrame):
        return _of_polars(frame.select(names), columns)
    if isinstance(frame, pa.Table):
        arrow = frame.select(names)
    else:
        arrow = nw.from_native(frame).lazy().select(names).collect(backend="pyarrow").to_native()
    cast_columns = {column.name: cast(arrow.column(column.name), column) for column in columns}
    return _of_arrow(cast_columns | {name: arrow.column(name) for name in own}, columns)


def result(frame: pl.DataFrame, like: Any) -> Any:
    """A small result in the form that its reader works with: pandas for pandas, else polars.

    Args:
        frame: The result.
        like: The frame that it was counted from.

    Returns:
        An Arrow-backed pandas DataFrame if ``like`` is one of pandas, else ``frame``.

    Example:
        >>> type(result(pl.DataFrame({"n": [1]}), like=pa.table({"n": [1]}))).__module__
        'polars.dataframe.frame'
    """
    return to_backend(frame, "pandas" if nw.dependencies.is_pandas_dataframe(like) else "polars")


def _require(table: Table, missing: Sequence[str], available: Sequence[str]) -> None:
    if missing:
        raise SchemaError(
            f"This is no table of {table.name}: it lacks {', '.join(missing)}. "
            f"It has {', '.join(available) or 'no columns'}.",
            missing=missing,
            available=available,
        )


def _of_arrow(arrays: Mapping[str, Any], columns: Sequence[Column]) -> pl.DataFrame:
    frame = pl.from_arrow(pa.table(dict(arrays)))
    schema = {column.name: column.polars() for column in columns}
    return pl.DataFrame(frame, schema_overrides=schema)


def _of_polars(frame: pl.DataFrame, columns: Sequence[Column]) -> pl.DataFrame:
    schema = frame.schema
    odd = [column for column in columns if schema[column.name] != column.polars()]
    if not odd:
        return frame
    arrays = {column.name: cast(frame[column.name].to_arrow(), column) for column in odd}
    return frame.with_columns(_of_arrow(arrays, odd).get_columns())


def _of_pandas(series: Any, column: Column) -> Any:
    if series.dtype == object:
        return arrow_values(series, column)
    return cast(pa.array(series, from_pandas=True), column)


def _own(series: Any, name: str) -> Any:
    try:
        return pa.array(series, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        # The cause quotes a value, which may be a recipient.
        raise SchemaError(
            f"Column {name!r} holds values of several kinds, which make no column elsewhere. "
            "Cast it to one, as to text."
        ) from None


def _plain(dtype: pa.DataType) -> pa.DataType:
    if pa.types.is_large_string(dtype):
        return pa.string()
    if pa.types.is_large_list(dtype) or pa.types.is_list(dtype):
        return pa.list_(_plain(dtype.value_type))
    if pa.types.is_struct(dtype):
        return pa.struct([(field.name, _plain(field.type)) for field in dtype])
    return dtype
