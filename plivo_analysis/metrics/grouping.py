"""By what a metric groups, and the result put in order.

``by`` is checked before anything is counted: an unknown name, a name given twice, a name that
the result needs for itself. Groups are folded here: an engine groups by the wire's word, and
words that mean the same fall together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from plivo_analysis.errors import SchemaError
from plivo_analysis.metrics.cautions import warn_of_masked
from plivo_analysis.metrics.engines import Counted, count
from plivo_analysis.metrics.instants import TICK, with_ticks
from plivo_analysis.tables.casting import arrow_values

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import narwhals as nw

    from plivo_analysis.metrics.periods import Buckets
    from plivo_analysis.values.schema import Table

PERIOD = "period"

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Grouping:
    """By what to group: columns, and buckets of an instant.

    Args:
        by: The columns.
        result: The table of the result.
        buckets: The periods; None without.
        instant: The column of instants that falls into them.
    """

    by: tuple[str, ...]
    result: Table
    buckets: Buckets | None = None
    instant: str = "created_at"

    def count(
        self, lazy: nw.LazyFrame[Any], *keys: str, money: Mapping[str, str] | None = None
    ) -> Counted:
        """Count on the engine, by the groups and by further keys."""
        if self.buckets is None:
            return count(lazy, [*self.by, *keys], money)
        ticked = with_ticks(lazy, self.instant, self.buckets.tick)
        counted = count(ticked, [TICK, *self.by, *keys], money)
        return _in_periods(counted, self.buckets)

    def key(self, row: Mapping[str, Any]) -> Key:
        """The group of a counted row: its period first, in microseconds."""
        values = tuple(row[name] for name in self.by)
        return values if self.buckets is None else (row[TICK], *values)

    def frame(
        self,
        groups: Mapping[Key, Mapping[str, Any]] | Iterable[tuple[Key, Mapping[str, Any]]],
        schema: Mapping[str, pl.DataType],
        order: Callable[[Mapping[str, Any]], Any] = lambda _: 0,
    ) -> pl.DataFrame:
        """The result: periods, then the by columns, nulls last, text by code point.

        Args:
            groups: The values of each group, under the names of the result's columns.
            schema: The polars types of the by columns.
            order: What sorts rows of the same group.
        """
        rows = groups.items() if isinstance(groups, Mapping) else groups
        ranked = sorted(rows, key=lambda item: (_rank(item[0]), order(item[1])))
        names = self.by if self.buckets is None else (PERIOD, *self.by)
        columns = [
            self._key_column(name, [key[place] for key, _ in ranked], schema)
            for place, name in enumerate(names)
        ]
        for column in self.result.columns:
            values = arrow_values([row[column.name] for _, row in ranked], column)
            columns.append(pl.Series(column.name, values, dtype=column.polars()))
        frame = pl.DataFrame(columns)
        warn_of_masked(frame, self.by, stacklevel=3)
        return frame

    def _key_column(
        self, name: str, values: list[Any], schema: Mapping[str, pl.DataType]
    ) -> pl.Series:
        if name == PERIOD and self.buckets is not None:
            instants = pl.Series(name, values, dtype=pl.Int64).cast(pl.Datetime("us", "UTC"))
            return instants.dt.convert_time_zone(self.buckets.tz)
        dtype = schema[name]
        text = isinstance(dtype, (pl.Categorical, pl.Enum))
        return pl.Series(name, values, dtype=pl.String() if text else dtype)


def names_of(
    by: str | Iterable[str],
    result: Table,
    available: Sequence[str],
    *,
    periods: bool = False,
    refused: Mapping[str, str] | None = None,
) -> tuple[str, ...]:
    """The columns to group by, checked.

    Args:
        by: A name or several.
        result: The table of the result, whose names are taken.
        available: The columns there are to group by.
        periods: Whether the result has a period column, too.
        refused: Columns that are there but make no group here, with the reason.

    Raises:
        SchemaError: A name is unknown, refused, given twice or taken by the result.

    Example:
        >>> from plivo_analysis.metrics.columns import SPEND
        >>> names_of("channel", SPEND, ["channel", "line"])
        ('channel',)
    """
    names = (by,) if isinstance(by, str) else tuple(by)
    for name in names:
        if refused and name in refused:
            raise SchemaError(refused[name], missing=[name], available=available)
    missing = [name for name in dict.fromkeys(names) if name not in available]
    if missing:
        raise SchemaError(
            f"There is no column {', '.join(map(repr, missing))} to group by. There is "
            f"{', '.join(map(repr, available))}.",
            missing=missing,
            available=available,
        )
    taken = {*result.names, *([PERIOD] if periods else [])}.intersection(names)
    if taken:
        raise SchemaError(
            f"by names {', '.join(map(repr, sorted(taken)))}, which the result of {result.name} "
            "has of its own. Rename the column first.",
            available=available,
        )
    if len(set(names)) != len(names):
        raise SchemaError(f"by names a column twice: {', '.join(names)}.", available=available)
    return names


def _in_periods(counted: Counted, buckets: Buckets) -> Counted:
    """What was counted by ticks, counted by the buckets that they are in.

    A quarter has up to 9,000 ticks, in each of which every group may come: they are put
    together before each of them is looked at.
    """
    frame = counted.whole()
    ticks = frame[TICK].unique().to_list()
    found = [buckets.start(tick) for tick in ticks]
    starts = frame[TICK].replace_strict(ticks, found, return_dtype=pl.Int64)
    sums = [name for name in frame.columns if name.startswith("__") and name != TICK]
    keys = [name for name in frame.columns if name not in sums]
    by_start = frame.with_columns(starts).group_by(keys).agg(pl.col(sums).sum())
    return Counted(by_start, counted.money)


def _rank(key: Key) -> tuple[tuple[bool, bool, Any], ...]:
    """What sorts groups: a null comes last, and before it what is not even equal to itself."""
    return tuple((value is None, value != value, value) for value in key)  # noqa: PLR0124 - NaN
