"""A table opened on the engine that holds it, and counted there.

polars, DuckDB and Spark count where their rows are. The rows of pandas and pyarrow frames are
in this process's memory, so polars counts them through Arrow, without Python objects between.
Only what every engine carries out alike is used: filter, group, sum, count.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import narwhals as nw
import polars as pl
import polars.selectors as cs
import pyarrow as pa

from plivo_analysis.errors import SchemaError
from plivo_analysis.tables.convert import missing_columns, select
from plivo_analysis.values.schema import MONEY_SCALE, SUM_DIGITS, Kind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from plivo_analysis.values.schema import Column, Table

KEY = "__key"

_ZONED = cs.datetime(time_zone="*")
_SUM = pl.Decimal(SUM_DIGITS, MONEY_SCALE)
_KINDS: dict[Kind, tuple[type[nw.dtypes.DType], ...]] = {
    Kind.TEXT: (nw.String, nw.Categorical, nw.Enum),
    Kind.COUNT: (nw.dtypes.IntegerType, nw.Decimal),
    Kind.TIME: (nw.Datetime,),
    Kind.MONEY: (nw.Decimal, nw.dtypes.IntegerType),
}


@dataclass(frozen=True, slots=True)
class Counted:
    """What an engine counted: few rows, read one by one.

    Args:
        frame: One row a group; what was counted is in columns that begin with ``__``.
        money: Those of them that are sums of money.

    Example:
        >>> from decimal import Decimal
        >>> list(Counted(pl.DataFrame({"__rows": [1], "__paid": [Decimal("0.08")]}), {"__paid"}))
        [{'__rows': 1, '__paid': 8000000}]
    """

    frame: pl.DataFrame
    money: Collection[str]

    @property
    def schema(self) -> Mapping[str, pl.DataType]:
        """The polars types of the columns."""
        return dict(self.frame.schema)

    def whole(self) -> pl.DataFrame:
        """The same with the types that it has in polars, whichever engine counted.

        Raises:
            SchemaError: A sum has more decimal places than money has here.
        """
        sums = [name for name in self.frame.columns if name.startswith("__")]
        counts = [name for name in sums if name not in self.money]
        money = pl.col(list(self.money)).cast(_SUM)
        whole = self.frame.with_columns(pl.col(counts).cast(pl.Int64), money)
        # polars would round the rest away without a word.
        cut = [name for name in self.money if (whole[name] != self.frame[name]).any()]
        if cut:
            raise SchemaError(
                f"Amounts of this frame have more than {MONEY_SCALE} decimal places, and no "
                "amount is rounded here. Round or cast them where they were read."
            )
        return whole

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Rows of Python values: counts as int, money in whole units of 10⁻⁸."""
        whole = self.whole().with_columns(pl.col(list(self.money)).to_physical())
        return whole.iter_rows(named=True)


def open_table(
    frame: Any, table: Table, needed: Iterable[str], own: Sequence[str] = ()
) -> nw.LazyFrame[Any]:
    """The wanted columns of a frame, on its engine.

    Args:
        frame: Any supported frame.
        table: The table that it has to be.
        needed: The columns of that table that will be looked at.
        own: Further columns, of the table or the caller's own.

    Raises:
        SchemaError: Columns are missing, or are of another kind than the table's.

    Example:
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> frame = pl.DataFrame({"status": ["verified"], "team": ["red"]})
        >>> open_table(frame, SESSIONS, ["status"], ["team"]).collect().rows()
        [('verified', 'red')]
    """
    wanted = dict.fromkeys([*needed, *own])
    require(frame, table, wanted)
    columns = [column for column in table.columns if column.name in wanted]
    if isinstance(frame, pa.Table) or nw.dependencies.is_pandas_dataframe(frame):
        known = {column.name for column in columns}
        frame = select(frame, columns, own=[name for name in wanted if name not in known])
    lazy: nw.LazyFrame[Any] = nw.from_native(frame).lazy().select(*wanted)
    if isinstance(frame, (pl.DataFrame, pl.LazyFrame)):
        lazy = nw.from_native(_typed(lazy.to_native(), columns))
    schema = lazy.collect_schema()
    _refuse_nested([name for name in own if schema[name].is_nested()], list(schema))
    for column in columns:
        if column.kind in _KINDS and not isinstance(schema[column.name], _KINDS[column.kind]):
            raise SchemaError(
                f"Column {column.name!r} is {schema[column.name]}; it has to be of kind "
                f"{column.kind.value}. Cast it where it was read.",
                available=list(schema),
            )
    return lazy


def require(frame: Any, table: Table, names: Iterable[str]) -> None:
    """Refuse a frame that lacks columns.

    Raises:
        SchemaError: Columns are missing.

    Example:
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> require(pl.DataFrame({"status": []}), SESSIONS, ["status"])
    """
    missing, available = missing_columns(frame, names)
    if missing:
        raise SchemaError(
            f"This frame lacks {', '.join(map(repr, missing))}, needed of the table of "
            f"{table.name}. It has {', '.join(map(repr, available)) or 'no columns'}.",
            missing=missing,
            available=available,
        )


def count(
    lazy: nw.LazyFrame[Any],
    keys: Iterable[str],
    money: Mapping[str, str] | None = None,
    **counts: nw.Expr,
) -> Counted:
    """Count rows and sums by keys, on the engine.

    Args:
        lazy: A frame.
        keys: The columns to group by; nulls are a group. Without keys all rows are one
            group; where there are none, there is no group.
        money: Columns to sum by the name of their sum; ``no_`` and the name counts the nulls.
        counts: Further counts, beside ``rows``.

    Returns:
        One row a group. The names of what was counted begin with ``__``, so that none of them
        is the name of a key.

    Example:
        >>> lazy = nw.from_native(pl.LazyFrame({"status": ["a", "a", None]}))
        >>> sorted((row["status"] or "", row["__rows"]) for row in count(lazy, ["status"]))
        [('', 1), ('a', 2)]
    """
    (frame,) = collect(counting(lazy, keys, money, **counts))
    # Without keys an engine gives a row for no rows, in which SQL has nulls for counts.
    return Counted(frame.filter(pl.col("__rows") > 0), {f"__{name}" for name in money or ()})


def counting(
    lazy: nw.LazyFrame[Any],
    keys: Iterable[str],
    money: Mapping[str, str] | None = None,
    **counts: nw.Expr,
) -> nw.LazyFrame[Any]:
    """What ``count`` asks an engine, not asked yet.

    Example:
        >>> lazy = nw.from_native(pl.LazyFrame({"status": ["a", "a"]}))
        >>> counting(lazy, ["status"]).collect().rows()
        [('a', 2)]
    """
    wanted = {"rows": nw.len(), **counts}
    unknown = {}
    for name, column in (money or {}).items():
        unknown[f"__no_{name}"] = nw.col(column).is_null().cast(nw.Int64)
        wanted |= {name: nw.col(column).sum(), f"no_{name}": nw.col(f"__no_{name}").sum()}
    aggregates = [value.alias(f"__{name}") for name, value in wanted.items()]
    names = list(dict.fromkeys(keys))
    if unknown:
        lazy = lazy.with_columns(**unknown)
    if money and not names and nw.dependencies.is_dask_dataframe(lazy.to_native()):
        # Dask adds decimals within a group only: all rows are made one.
        one = lazy.with_columns(nw.lit(1).alias(KEY)).group_by(KEY)
        return one.agg(*aggregates).drop(KEY)
    return lazy.group_by(names).agg(*aggregates) if names else lazy.select(*aggregates)


def collect(*queries: nw.LazyFrame[Any]) -> list[pl.DataFrame]:
    """Ask an engine several things; polars answers them together, streaming what it scans.

    Example:
        >>> lazy = nw.from_native(pl.LazyFrame({"status": ["a", "a"]}))
        >>> [frame.height for frame in collect(lazy, lazy.head(1))]
        [2, 1]
    """
    natives = [query.to_native() for query in queries]
    if all(isinstance(native, pl.LazyFrame) for native in natives):
        return pl.collect_all(natives, engine="streaming")
    frames = [query.collect(backend="polars").to_native() for query in queries]
    # DuckDB gives instants the zone of its session.
    return [frame.with_columns(_ZONED.dt.convert_time_zone("UTC")) for frame in frames]


def keyed(lazy: nw.LazyFrame[Any], key: str) -> Iterator[nw.LazyFrame[Any]]:
    """The frame with the column ``KEY``, by which rows are told apart: two of them, to try in turn.

    Texts of 36 letters fill the memory where there are millions of them. polars first gets
    their hashes: where these are all different so are the keys. Where two are equal, or on
    another engine, the second frame has the keys themselves.

    Example:
        >>> lazy = nw.from_native(pl.LazyFrame({"session_uuid": ["a", "b"]}))
        >>> [frame.collect_schema()[KEY] for frame in keyed(lazy, "session_uuid")]
        [UInt64, String]
    """
    native: Any = lazy.to_native()
    if isinstance(native, pl.LazyFrame):
        yield nw.from_native(native.with_columns(pl.col(key).hash().alias(KEY)))
    yield lazy.with_columns(nw.col(key).alias(KEY))


def refuse_doubled(lazy: nw.LazyFrame[Any], key: str, table: Table) -> None:
    """Refuse rows of which one key comes twice.

    Raises:
        SchemaError: A key comes more than once.

    Example:
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> lazy = nw.from_native(pl.LazyFrame({"session_uuid": ["a", "b"]}))
        >>> refuse_doubled(lazy, "session_uuid", SESSIONS)
    """
    for each in keyed(lazy, key):
        (seen,) = collect(distinct(each))
        if not doubled(seen):
            return
    raise_doubled(lazy, table)


def distinct(lazy: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """How many rows there are, and how many different keys; not asked yet.

    Example:
        >>> doubled(distinct(nw.from_native(pl.LazyFrame({KEY: ["a", "a"]}))).collect().to_native())
        True
    """
    return counting(lazy, [], distinct=nw.col(KEY).n_unique())


def doubled(seen: pl.DataFrame) -> bool:
    """Whether of what ``distinct`` counted one key came twice."""
    rows, keys = seen.select("__rows", "__distinct").row(0)
    return bool(rows and rows != keys)  # of no rows, DuckDB counts the keys as null


def raise_doubled(lazy: nw.LazyFrame[Any], table: Table) -> NoReturn:
    """Say that a key came more than once."""
    raise SchemaError(
        f"The key of the table of {table.name}, {' and '.join(table.key)}, comes more "
        "than once. Keep one row of each.",
        available=lazy.collect_schema().names(),
    )


def _typed(lazy: pl.LazyFrame, columns: Iterable[Column]) -> pl.LazyFrame:
    """Columns that hold nulls alone, of which polars does not know the type, with their own."""
    schema = lazy.collect_schema()
    blank = [column for column in columns if schema[column.name] == pl.Null]
    return lazy.with_columns(pl.col(each.name).cast(each.polars()) for each in blank)


def _refuse_nested(names: Sequence[str], available: Sequence[str]) -> None:
    if names:
        raise SchemaError(
            f"{', '.join(map(repr, names))} holds lists, which make no groups.",
            available=available,
        )
