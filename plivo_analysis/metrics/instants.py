"""An instant as a whole number: the one step that each engine spells for itself.

An engine's own hours and days are those of its session's zone. The number of ticks since 1970
in UTC is not, so that is what is asked of it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import narwhals as nw

from plivo_analysis.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Callable

TICK = "__tick"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = 1_000_000


def with_ticks(lazy: nw.LazyFrame[Any], instant: str, tick: int) -> nw.LazyFrame[Any]:
    """The frame with the column ``TICK``: an instant in whole ticks since 1970 in UTC.

    Args:
        lazy: A frame.
        instant: Its column of instants; without a zone they are UTC.
        tick: The length of a tick in microseconds, whole seconds.

    Raises:
        SchemaError: It is an ibis table of another engine than DuckDB.

    Example:
        >>> import polars as pl
        >>> from datetime import UTC, datetime
        >>> lazy = nw.from_native(pl.LazyFrame({"t": [datetime(1970, 1, 2, tzinfo=UTC)]}))
        >>> with_ticks(lazy, "t", 900_000_000).select(TICK).collect().rows()
        [(96,)]
    """
    native = lazy.to_native()
    for is_of, with_own in _OWN_WAYS:
        if is_of(native):
            ticked: nw.LazyFrame[Any] = nw.from_native(with_own(native, instant, tick))
            return ticked
    return lazy.with_columns((nw.col(instant).dt.timestamp("us") // tick).alias(TICK))


def _on_duckdb(relation: Any, instant: str, tick: int) -> Any:
    return relation.project(f'*, epoch_us("{instant}") // {tick} AS {TICK}')


def _on_spark(frame: Any, instant: str, tick: int) -> Any:
    # Spark takes an instant without a zone to be in its session's.
    naive = frame.schema[instant].dataType.typeName() == "timestamp_ntz"
    utc = f"CAST(CONCAT(`{instant}`, 'Z') AS TIMESTAMP)" if naive else f"`{instant}`"
    return frame.selectExpr("*", f"unix_micros({utc}) div {tick} AS {TICK}")


def _through_ibis(table: Any, instant: str, tick: int) -> Any:
    engine = table.get_backend().name
    if engine != "duckdb":
        raise SchemaError(
            f"Periods cannot be counted through ibis on {engine}: not every engine of its says an "
            "instant the same way. Give the engine's own table, or a frame: table.to_polars().",
            available=list(table.columns),
        )
    zoned = table.schema()[instant].timezone is not None
    since = _EPOCH if zoned else _EPOCH.replace(tzinfo=None)
    # Its epoch_seconds() would be those of the wall clock where the engine's session is.
    seconds = table[instant].delta(since, unit="second")
    return table.mutate(**{TICK: seconds // (tick // _SECOND)})


_OWN_WAYS: tuple[tuple[Callable[[Any], bool], Callable[[Any, str, int], Any]], ...] = (
    (nw.dependencies.is_duckdb_relation, _on_duckdb),
    (nw.dependencies.is_pyspark_dataframe, _on_spark),
    (nw.dependencies.is_ibis_table, _through_ibis),
)
