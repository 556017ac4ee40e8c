"""A table opened on the engine that holds it, and counted there.

polars, DuckDB and Spark count where their rows are. The rows of pandas and pyarrow frames are
in this process's memory, so polars counts them through Arrow, without Python objects between.
Only what every engine carries out alike is asked of it: filter, group, sum, count. Two steps
have no common form and are spelt for each engine here: an instant as a whole number
(``with_microseconds``), and a short key for a long one (``keyed``).
"""

from __future__ import annotations

from functools import reduce
from operator import xor
from typing import TYPE_CHECKING, Any

import narwhals as nw
import polars as pl
import polars.selectors as cs
import pyarrow as pa

from plivo_analysis.errors import SchemaError
from plivo_analysis.tables.checks import doubled_key
from plivo_analysis.tables.convert import select
from plivo_analysis.values.table_types import MONEY_SCALE, SUM_DIGITS, Kind

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from plivo_analysis.values.table_types import Table

COUNTED = "__rows"
"""The column of a frame that was counted once: how many rows of the table each of its rows is."""
ROWS = pl.col(COUNTED)
KEY = "__key"
TICK = "__tick"

_GROUPED_ROWS = 6_000_000  # grouped by key at a time: 100 bytes each
_KEYS = 16_000_000  # compared at a time: 8 bytes each, and as much to compare them
_ZONED = cs.datetime(time_zone="*")
_SUM = pl.Decimal(SUM_DIGITS, MONEY_SCALE)
_KINDS: dict[Kind, tuple[type[nw.dtypes.DType], ...]] = {
    Kind.TEXT: (nw.String, nw.Categorical, nw.Enum),
    # DuckDB gives a sum of whole numbers as a decimal.
    Kind.COUNT: (nw.dtypes.IntegerType, nw.Decimal),
    Kind.TIME: (nw.Datetime,),
    Kind.MONEY: (nw.Decimal, nw.dtypes.IntegerType),
}


def open_table(
    frame: Any, table: Table, needed: Iterable[str], own: Sequence[str] = ()
) -> nw.LazyFrame[Any]:
    """The wanted columns of a frame, on its engine.

    Args:
        frame: Any supported frame that has the columns.
        table: The table that it has to be.
        needed: The columns of that table that will be looked at.
        own: Further columns, of the table or the caller's own.

    Raises:
        SchemaError: Columns are of another kind than the table's, or hold what makes no groups.

    Example:
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> frame = pl.DataFrame({"status": ["verified"], "team": ["red"]})
        >>> open_table(frame, SESSIONS, ["status"], ["team"]).collect().rows()
        [('verified', 'red')]
    """
    wanted = list(dict.fromkeys([*needed, *own]))
    columns = [column for column in table.columns if column.name in wanted]
    if isinstance(frame, pa.Table) or nw.dependencies.is_pandas_dataframe(frame):
        # pandas groups objects one by one in Python; through Arrow polars has the same rows.
        frame = select(frame, columns, own=[name for name in wanted if name not in table.names])
    lazy: nw.LazyFrame[Any] = nw.from_native(frame).lazy().select(*wanted)
    if isinstance(frame, (pl.DataFrame, pl.LazyFrame)):
        # polars does not know the type of a column that holds nulls alone.
        native: pl.LazyFrame = lazy.to_native()
        types = dict.fromkeys(own, pl.String()) | {c.name: c.polars() for c in columns}
        blank = [name for name, dtype in native.collect_schema().items() if dtype == pl.Null]
        lazy = nw.from_native(native.with_columns(pl.col(name).cast(types[name]) for name in blank))
    schema = lazy.collect_schema()
    # An interval of SQL may be a month, which has no length, so polars cannot hold it.
    plain = isinstance(lazy.to_native(), pl.LazyFrame)
    strange = (nw.Object, nw.Unknown) if plain else (nw.Object, nw.Unknown, nw.Duration)
    for name in own:
        if schema[name].is_nested() or isinstance(schema[name], strange):
            held = "lists" if schema[name].is_nested() else "values of no plain type"
            raise SchemaError(
                f"Column {name!r} holds {held}, which make no groups. Cast it, as to text.",
                available=list(schema),
            )
    for column in columns:
        if column.kind in _KINDS and not isinstance(schema[column.name], _KINDS[column.kind]):
            raise SchemaError(
                f"Column {column.name!r} is {schema[column.name]}; it has to be of kind "
                f"{column.kind.value}. Cast it where it was read.",
                available=list(schema),
            )
    return lazy


def is_counted(names: Collection[str], table: Table) -> bool:
    """Whether a frame holds the rows of a table as ``count`` counted them: without their key.

    Example:
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> is_counted(["status", "__rows"], SESSIONS)
        True
    """
    return COUNTED in names and table.key[0] not in names


def count(
    lazy: nw.LazyFrame[Any],
    table: Table,
    keys: Iterable[str],
    sums: Mapping[str, str],
    where: nw.Expr | None = None,
) -> pl.DataFrame:
    """Count rows and sums by keys on the engine, each row of the table once.

    Args:
        lazy: A frame with the key of its table; or one that was counted here before, without
            sums, whose rows then stand for as many as ``__rows`` says.
        table: The table that it is.
        keys: The columns to group by; nulls are a group. Without keys all rows are one
            group; where there are none, there is no group.
        sums: Columns of exact numbers to sum, by the name of their sum.
        where: Which rows are counted.

    Returns:
        One row a group: the keys, ``__rows``, and for each sum ``__name`` (a decimal) and
        ``__no_name``, how many of its numbers are null: engines differ in what a sum over
        nulls alone is. No key has such a name.

    Raises:
        SchemaError: A key comes twice, or a sum has more decimal places than money has.

    Example:
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> frame = pl.LazyFrame({"session_uuid": ["x", "y"], "status": ["a", "a"]})
        >>> count(nw.from_native(frame), SESSIONS, ["status"], {}).rows()
        [('a', 2)]
    """
    if COUNTED not in lazy.collect_schema().names():  # else looked at when it was counted
        refuse_doubled_keys(lazy, table)
    (counted,) = collect(counting(lazy if where is None else lazy.filter(where), keys, sums))
    return exact(counted, sums)


def counting(
    lazy: nw.LazyFrame[Any], keys: Iterable[str], sums: Mapping[str, str]
) -> nw.LazyFrame[Any]:
    """What ``count`` asks an engine, not asked yet; ``__known_name`` counts what is not null.

    Example:
        >>> lazy = nw.from_native(pl.LazyFrame({"status": ["a", "a"]}))
        >>> counting(lazy, ["status"], {}).collect().rows()
        [('a', 2)]
    """
    # Sums and counts alone: means and quotients of decimals differ from engine to engine.
    counts = COUNTED in lazy.collect_schema().names()
    times = nw.col(COUNTED)
    wanted = [(times.sum() if counts else nw.len()).alias(COUNTED)]
    for name, column in sums.items():
        value = nw.col(column)
        # A row that was counted before stands for many rows of the table, which are all alike.
        known = nw.when(~value.is_null()).then(times).sum() if counts else value.count()
        total = (value * times).sum() if counts else value.sum()
        wanted += [total.alias(f"__{name}"), known.alias(f"__known_{name}")]
    names = list(dict.fromkeys(keys))
    # An engine cannot group by nothing: a whole table is selected from instead.
    return lazy.group_by(names).agg(*wanted) if names else lazy.select(*wanted)


def exact(counted: pl.DataFrame, sums: Mapping[str, str]) -> pl.DataFrame:
    """What an engine counted, with the types that it has in polars, whichever engine counted.

    Raises:
        SchemaError: A sum has more decimal places than money has here.

    Example:
        >>> exact(pl.DataFrame({"__rows": [0, 2]}, schema={"__rows": pl.UInt32}), {}).rows()
        [(2,)]
    """
    money = [f"__{name}" for name in sums]
    numbers = [name for name in counted.columns if name.startswith("__") and name not in money]
    # Without keys an engine gives a row for no rows, in which SQL has nulls for counts.
    found = counted.filter(ROWS > 0).with_columns(
        cs.categorical().cast(pl.String), cs.enum().cast(pl.String)
    )
    typed = found.with_columns(
        # What is grouped by may be a flag of ours as well, which stays one.
        (cs.by_name(numbers) - cs.boolean()).cast(pl.Int64),
        pl.col(money).cast(_SUM),
    )
    # polars would round the rest away without a word.
    if any((typed[name] != found[name]).any() for name in money):
        raise SchemaError(
            f"Amounts of this frame have more than {MONEY_SCALE} decimal places, and no "
            "amount is rounded here. Round or cast them where they were read."
        )
    unknown = {f"__no_{name}": ROWS - pl.col(f"__known_{name}") for name in sums}
    return typed.with_columns(**unknown).drop(f"__known_{name}" for name in sums)


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


def refuse_doubled_keys(lazy: nw.LazyFrame[Any], table: Table) -> None:
    """Refuse a frame of which a key comes twice: its rows cannot be told apart.

    Args:
        lazy: A frame with the key of its table.
        table: The table that it is.

    Raises:
        SchemaError: A key comes twice.

    Example:
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> refuse_doubled_keys(nw.from_native(pl.LazyFrame({"session_uuid": ["a"]})), SESSIONS)
    """
    native: Any = lazy.to_native()
    if isinstance(native, pl.LazyFrame):
        doubled = any(_holds_doubled(part, table.key) for part in _parts(native, table.key, _KEYS))
    else:
        # Equal hashes may be those of two keys, so that only different ones prove anything: the
        # keys themselves are looked at only where hashes are equal.
        doubled = all(_fewer_keys(part) for (part,) in keyed(lazy, table.key))
    if doubled:
        raise doubled_key(table, lazy.collect_schema().names())


def keyed(lazy: nw.LazyFrame[Any], key: Sequence[str]) -> Iterator[list[nw.LazyFrame[Any]]]:
    """The frame with a short key, ``KEY``, beside a long one: two lists of parts, to try in turn.

    Texts of 36 letters are slow to compare, and fill the memory where there are millions of
    them, so an engine that has a hash gets hashes first. Two different keys may have the same
    hash, so hashes prove one thing only: where all hashes differ, so do all keys. Where two are
    equal, the second list, which has the keys themselves, decides.

    Even groups of hashes fill a gigabyte where there are ten million of them. polars therefore
    looks at a large frame in parts, one after the other; rows of the same key are in the same
    part.

    Args:
        lazy: A frame.
        key: The columns of the key.

    Example:
        >>> lazy = nw.from_native(pl.LazyFrame({"session_uuid": ["a", "b"]}))
        >>> [parts[0].collect_schema()[KEY] for parts in keyed(lazy, ["session_uuid"])]
        [UInt64, String]
    """
    native: Any = lazy.to_native()
    if isinstance(native, pl.LazyFrame):
        yield [nw.from_native(part) for part in _parts(native, key, _GROUPED_ROWS)]
    elif nw.dependencies.is_duckdb_relation(native):
        hashed = native.project(f"*, hash({', '.join(map(_quoted, key))}) AS {KEY}")
        yield [nw.from_native(hashed)]
    # A key is an id, or an id and a number. The number is what follows the last space, so that no
    # two keys have the same text.
    texts = [nw.col(column).cast(nw.String) for column in key]
    yield [lazy.with_columns(nw.concat_str(texts, separator=" ").alias(KEY))]


def _parts(lazy: pl.LazyFrame, key: Sequence[str], most: int) -> Iterator[pl.LazyFrame]:
    """Parts of about so many rows at most, by the hash of the key, which is ``KEY`` in them."""
    # Equal keys have equal hashes and so stand in the same part, whatever else is in it.
    hashed = lazy.with_columns(reduce(xor, (pl.col(column).hash() for column in key)).alias(KEY))
    parts = 1 + lazy.select(pl.len()).collect(engine="streaming").item() // most
    for part in range(parts):
        yield hashed.filter(pl.col(KEY) % parts == part) if parts > 1 else hashed


def _holds_doubled(part: pl.LazyFrame, key: Sequence[str]) -> bool:
    # Collected, a hash takes 8 bytes; to count different ones while streaming takes several times
    # as much.
    hashes = part.select(KEY).collect(engine="streaming")[KEY]
    if hashes.n_unique() == len(hashes):
        return False
    # Of millions of keys few share a hash, and only theirs are read as texts.
    suspects = hashes.filter(hashes.is_duplicated()).unique()
    rows = part.filter(pl.col(KEY).is_in(suspects.implode())).select(key)
    return rows.collect(engine="streaming").is_duplicated().any()


def _fewer_keys(lazy: nw.LazyFrame[Any]) -> bool:
    """Whether there are fewer different keys than rows."""
    (seen,) = collect(lazy.select(nw.len().alias("__rows"), nw.col(KEY).n_unique().alias("__keys")))
    # Of no rows, DuckDB counts the keys as null.
    return not seen.filter(ROWS > 0, pl.col("__keys") != ROWS).is_empty()


def with_microseconds(lazy: nw.LazyFrame[Any], instant: str) -> nw.LazyFrame[Any]:
    """The frame with the column ``TICK``: an instant in microseconds since 1970 in UTC.

    An engine's own hours and days are those of its session's zone. The number of microseconds
    since 1970 in UTC is not, so that is what is asked of it.

    Args:
        lazy: A frame.
        instant: Its column of instants; without a zone they are UTC.

    Example:
        >>> from datetime import UTC, datetime
        >>> lazy = nw.from_native(pl.LazyFrame({"t": [datetime(1970, 1, 2, tzinfo=UTC)]}))
        >>> with_microseconds(lazy, "t").select(TICK).collect().rows()
        [(86400000000,)]
    """
    native: Any = lazy.to_native()
    if nw.dependencies.is_duckdb_relation(native):
        native = native.project(f"*, epoch_us({_quoted(instant)}) AS {TICK}")
    elif nw.dependencies.is_pyspark_dataframe(native):
        # Spark takes an instant without a zone to be in its session's.
        naive = native.schema[instant].dataType.typeName() == "timestamp_ntz"
        utc = f"CAST(CONCAT(`{instant}`, 'Z') AS TIMESTAMP)" if naive else f"`{instant}`"
        native = native.selectExpr("*", f"unix_micros({utc}) AS {TICK}")
    else:
        return lazy.with_columns(nw.col(instant).dt.timestamp("us").alias(TICK))
    counted: nw.LazyFrame[Any] = nw.from_native(native)
    return counted


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
