"""Frames of one kind made into frames of another, without a digit lost on the way.

polars is the engine of this package. The rows of a pandas frame or a pyarrow Table are in
this process's memory already, so they are read through Arrow, mostly without a copy; results
go back the same way.

Values are cast exactly or not at all, and Arrow does the casting: polars rounds excess digits
and turns an amount that is too large into a null without a word, Arrow refuses both. Where
Arrow is too lenient as well (a float for money, a number for text) the types are compared
first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from plivo_analysis.errors import SchemaError
from plivo_analysis.tables.checks import column_names, require
from plivo_analysis.values.table_types import SUM_DIGITS, Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from plivo_analysis.values.table_types import Column, Table

BACKENDS = ("polars", "pandas")
_FIRST = 1_000  # rows in which nearly every word of a column comes


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
        >>> from plivo_analysis.values.table_types import Column, Kind, Table
        >>> prices = Table("prices", "A price.", (Column("price", Kind.MONEY, "It."),))
        >>> from_rows([{"price": Decimal("0.08")}], prices)["price"].to_list()
        [Decimal('0.08000000')]
    """
    arrays = {}
    for column in table.columns:
        try:
            values = [row[column.name] for row in rows]
        except KeyError:
            raise SchemaError(
                f"A row of {table.name} lacks {column.name!r}.", missing=[column.name]
            ) from None
        arrays[column.name] = arrow_values(values, column)
    return _of_arrow(arrays, table.columns)


def to_backend(frame: pl.DataFrame, backend: str) -> Any:
    """A polars frame as a frame of a backend.

    Args:
        frame: The frame.
        backend: ``"polars"`` gives it back; ``"pandas"`` gives a pandas frame with
            Arrow-backed columns: exact decimals, real nulls, real nested columns. What its
            ``to_parquet`` writes, ``pandas.read_parquet(path, dtype_backend="pyarrow")`` reads.

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
    # Each chunk of each column is converted by itself, and a table of 90 days has 90 of them.
    table = frame.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())
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
        SchemaError: This is no frame that we know, columns are missing, or values do not fit
            their column exactly (``.missing``, ``.available``).

    Example:
        >>> from decimal import Decimal
        >>> import pandas as pd
        >>> from plivo_analysis.values.table_types import Column, Kind, Table
        >>> prices = Table("prices", "A price.", (Column("price", Kind.MONEY, "It."),))
        >>> as_polars(pd.DataFrame({"price": [Decimal("0.08"), None]}), prices).to_dicts()
        [{'price': Decimal('0.08000000')}, {'price': None}]
    """
    require(column_names(frame), table, table.names)
    return select(frame, table.columns)


def select(frame: Any, columns: Sequence[Column], *, own: Sequence[str] = ()) -> pl.DataFrame:
    """The given columns of any supported frame, with their types, as a polars frame.

    Args:
        frame: A frame that has the columns.
        columns: The columns wanted, cast to their types.
        own: Columns of the caller's own, taken as they are.

    Raises:
        SchemaError: The values of a column do not fit its type exactly, or are of no one type.

    Example:
        >>> from plivo_analysis.values.table_types import Column, Kind
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


def folded(column: pl.Series, fold: Callable[[Any], str | None]) -> pl.Series:
    """A column of words, folded: each distinct word once, however long the column is.

    Example:
        >>> folded(pl.Series(["SMS", "sms", None]), lambda word: word and word.lower()).to_list()
        ['sms', 'sms', None]
    """
    return fold_columns(column.to_frame("words"), words=fold).to_series().alias(column.name)


def fold_columns(frame: pl.DataFrame, **folds: Callable[[Any], str | None]) -> pl.DataFrame:
    """Columns of words, folded at the same time.

    Args:
        frame: Has the columns, of text.
        folds: What each of them is folded by.

    Returns:
        The columns named, and no others.

    Example:
        >>> frame = pl.DataFrame({"channel": ["SMS", "call"]})
        >>> fold_columns(frame, channel=lambda word: word and word.lower()).rows()
        [('sms',), ('call',)]
    """
    columns = frame.select(list(folds))
    # A word is replaced by its number (an Enum's), and the number by what the word is folded to.
    # The first rows nearly always hold every word; to look for words in all rows costs a third
    # of folding. A word that they lack becomes null, and only then are all rows looked at.
    words = {name: columns[name].head(_FIRST).drop_nulls().unique() for name in folds}
    known = columns.select(pl.col(name).cast(pl.Enum(words[name]), strict=False) for name in folds)
    found = []
    for name, fold in folds.items():
        column, places = columns[name], known[name]
        if places.null_count() > column.null_count():
            words[name] = column.drop_nulls().unique()
            places = column.cast(pl.Enum(words[name]))
        wanted = [*map(fold, words[name]), fold(None)]
        if wanted != [*words[name], None]:  # the loaders give words that are folded already
            at = places.to_physical().fill_null(len(words[name]))
            column = pl.Series(name, wanted, dtype=pl.String).gather(at)
        found.append(column)
    return pl.DataFrame(found)


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


def arrow_values(values: Any, column: Column) -> Any:
    """Python values, or a pandas column of Python objects, as an Arrow array of a column.

    Raises:
        SchemaError: A value does not fit the column exactly.

    Example:
        >>> from decimal import Decimal
        >>> from plivo_analysis.values.table_types import Column, Kind
        >>> arrow_values([Decimal("0.1")], Column("price", Kind.MONEY, "It.")).to_pylist()
        [Decimal('0.10000000')]
    """
    return _checked(column, lambda: pa.array(values, type=column.arrow(), from_pandas=True))


def cast(values: Any, column: Column) -> Any:
    """An Arrow array as an array of a column's type.

    A fraction of a second beyond six digits is cut, as everywhere in this package.

    Raises:
        SchemaError: The types differ in kind, or a value would change.

    Example:
        >>> from plivo_analysis.values.table_types import Column, Kind
        >>> cast(pa.array([1]), Column("price", Kind.MONEY, "It.")).to_pylist()
        [Decimal('1.00000000')]
    """
    if values.type == column.arrow():
        return values
    # Arrow would fill fields that a record lacks with nulls; see `_of_pandas`.
    if column.kind is Kind.RECORDS and _is_list(values.type):
        records = values.type.value_type
        if pa.types.is_struct(records):
            _require_fields(column, [field.name for field in records])
    if not _accepts(column, values.type):
        raise SchemaError(
            f"Column {column.name!r} is {values.type}; it has to be {column.arrow()}, and casting "
            "one to the other could change values. Cast it where it was read."
        )
    if pa.types.is_integer(values.type) and pa.types.is_decimal(column.arrow()):
        # Arrow judges by the widest integer, not by the values, unless there is room for it.
        values = values.cast(pa.decimal128(SUM_DIGITS, column.arrow().scale))
    options = pc.CastOptions(target_type=column.arrow(), allow_time_truncate=True)
    return _checked(column, lambda: values.cast(options=options))


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
    if series.dtype != object:
        return cast(pa.array(series, from_pandas=True), column)
    if column.kind is Kind.RECORDS:
        # Arrow fills a field that no record has with nulls, and a null charge counts as unknown.
        records = (record for listed in series.dropna() for record in listed)
        known = (record for record in records if isinstance(record, dict))
        _require_fields(column, {name for record in known for name in record})
    return arrow_values(series, column)


def _own(series: Any, name: str) -> Any:
    # Of categories it is their values that Arrow has to take, not the numbers that stand for them.
    values = getattr(series.dtype, "categories", series)
    try:
        array = pa.array(values, from_pandas=True)
        if isinstance(array.type, pa.BaseExtensionType):
            # A Period is a whole number in Arrow, an Interval a struct: only their text is clear.
            array = pa.array(series.astype(object).map(str, na_action="ignore"), pa.string())
        elif values is not series:
            array = pa.array(series, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        # The cause quotes a value, which may be a recipient.
        raise SchemaError(
            f"Column {name!r} holds values of several kinds, or of one that only pandas knows. "
            "Cast it to one kind, as to text."
        ) from None
    return array


def _plain(dtype: pa.DataType) -> pa.DataType:
    if pa.types.is_large_string(dtype):
        return pa.string()
    if pa.types.is_large_list(dtype) or pa.types.is_list(dtype):
        return pa.list_(_plain(dtype.value_type))
    if pa.types.is_struct(dtype):
        return pa.struct([(field.name, _plain(field.type)) for field in dtype])
    return dtype


def _require_fields(column: Column, found: Collection[str]) -> None:
    """Refuse records that lack a field; a list without any record lacks none."""
    missing = [field.name for field in column.fields if field.name not in found]
    if found and missing:
        raise SchemaError(
            f"The records in column {column.name!r} lack {', '.join(map(repr, missing))}. They "
            f"have {', '.join(map(repr, sorted(found)))}.",
            missing=[f"{column.name}[].{name}" for name in missing],
            available=[f"{column.name}[].{name}" for name in sorted(found)],
        )


def _checked(column: Column, convert: Callable[[], Any]) -> Any:
    try:
        return convert()
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        # The cause is cut off: it can quote the value, and the value can be a recipient.
        raise SchemaError(
            f"A value in column {column.name!r} does not fit {column.arrow()} exactly "
            f"({type(error).__name__}). Cast it where it was read."
        ) from None


def _accepts(column: Column, dtype: pa.DataType) -> bool:
    if pa.types.is_null(dtype):
        return True
    if column.kind is Kind.RECORDS:
        return _is_list(dtype) and _accepts_records(column, dtype.value_type)
    return _ACCEPTS[column.kind](dtype.value_type if pa.types.is_dictionary(dtype) else dtype)


def _accepts_records(column: Column, dtype: pa.DataType) -> bool:
    if not pa.types.is_struct(dtype):
        return bool(pa.types.is_null(dtype))
    return all(_accepts(field, dtype.field(field.name).type) for field in column.fields)


def _is_text(dtype: pa.DataType) -> bool:
    return dtype in (pa.string(), pa.large_string(), pa.string_view())


def _is_exact(dtype: pa.DataType) -> bool:
    return bool(pa.types.is_integer(dtype) or pa.types.is_decimal(dtype))


def _is_number(dtype: pa.DataType) -> bool:
    return _is_exact(dtype) or bool(pa.types.is_floating(dtype))


def _is_list(dtype: pa.DataType) -> bool:
    return bool(pa.types.is_list(dtype) or pa.types.is_large_list(dtype))


# A number is never taken for text (its leading zeros are gone), nor a float for money.
_ACCEPTS: dict[Kind, Callable[[pa.DataType], bool]] = {
    Kind.TEXT: _is_text,
    Kind.COUNT: _is_number,
    Kind.FLAG: pa.types.is_boolean,
    Kind.RATE: _is_number,
    Kind.NUMBER: _is_number,
    Kind.TIME: pa.types.is_timestamp,
    Kind.MONEY: _is_exact,
    Kind.SUM: _is_exact,
    Kind.TEXTS: _is_list,
}
