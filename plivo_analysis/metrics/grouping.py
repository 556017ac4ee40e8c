"""From a frame to the groups of a result: what is given, by what it is grouped, in what order.

A frame says which table it is by its columns: a sessions table has ``attempt_details``, an
attempts table ``attempt_number``, a charges table ``line_number``. A sessions table is exploded
on the way where a metric counts attempts or lines. ``by`` is checked before anything is counted.
What ``engines.count`` counted without sums is a frame for a metric, too: it has no key, and each
of its rows stands for as many as it says, so that one who asks often has counted most before.

Every metric then goes the same way: the engine counts rows and sums by the groups and by the
words that the metric tells apart (``count``), words that mean the same fall together and what the
result's columns declare is added up (``sum``), and the few groups are finished in exact Python
arithmetic (``frame``).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from plivo_analysis.api.checks import shown_value
from plivo_analysis.api.columns import MESSAGES, SESSIONS
from plivo_analysis.errors import SchemaError
from plivo_analysis.metrics.cautions import one_currency, warn_of_masked
from plivo_analysis.metrics.columns import ResultColumn
from plivo_analysis.metrics.confidence_intervals import normal_quantile, with_interval
from plivo_analysis.metrics.engines import COUNTED, TICK, count, is_counted, open_table
from plivo_analysis.metrics.money import Money
from plivo_analysis.metrics.periods import Buckets
from plivo_analysis.tables.checks import column_names, refuse_doubled, require
from plivo_analysis.tables.convert import folded, result, select
from plivo_analysis.tables.explode import CURRENCY, exploded, read_sessions
from plivo_analysis.tables.exploded_columns import ATTEMPTS, CHARGES
from plivo_analysis.values.table_types import Kind, Table, describe_columns, quoted_names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from zoneinfo import ZoneInfo

    import narwhals as nw

    from plivo_analysis.metrics.columns import Addends

PERIOD = "period"

_MARKS = {"attempt_details": SESSIONS, "attempt_number": ATTEMPTS, "line_number": CHARGES}
_EXPLODED_BY = {ATTEMPTS.name: "explode_attempts", CHARGES.name: "explode_charges"}
_OF_SESSIONS = {
    "channel": "A session's 'channel' is its last one, and {name} counts sessions: a channel would "
    "be judged by the sessions that ended on it. Group by 'entry_channel' or 'path'."
}


@dataclass(frozen=True, slots=True)
class Grouping:
    """A frame opened on its engine, and by what it is grouped.

    Args:
        given: The frame as it was given: its kind is that of the result.
        lazy: The columns that are looked at, on its engine.
        table: What one row of it is.
        by: The columns to group by.
        result: The table of the result, without ``period`` and ``by`` before it.
        buckets: The periods; None without.
        instant: The column of instants that falls into them.
        z: The quantile of the intervals' coverage.
        currency: What the frame's own column says that the amounts are in; None where it says
            nothing, or they are grouped by it.
    """

    given: Any
    lazy: nw.LazyFrame[Any]
    table: Table
    by: tuple[str, ...]
    result: Table
    buckets: Buckets | None
    instant: str
    z: float
    currency: str | None

    @classmethod
    def of(
        cls,
        frame: Any,
        by: str | Iterable[str],
        result: Table,
        table: Table,
        needed: Sequence[str],
        *,
        every: str | None = None,
        tz: str | ZoneInfo = "UTC",
        confidence: float = 0.95,
        refused: Mapping[str, str] | None = None,
    ) -> Grouping:
        """A frame checked and opened.

        Args:
            frame: The table wanted on any engine; or a sessions table where attempts or lines
                are wanted, whose own columns can then be grouped by as well; or the table's
                rows counted by the columns that will be looked at.
            by: A name or several.
            result: The table of the result, whose names are taken.
            table: What is counted: sessions, attempts, charges or messages.
            needed: The columns of it that will be looked at, besides its key.
            every: The length of the periods; None without.
            tz: The zone of the periods.
            confidence: The coverage of the intervals.
            refused: Columns that make no group here, with the reason.

        Raises:
            SchemaError: The frame is another table, lacks columns, has a session twice, or
                ``by`` names what makes no group; or the result has sums of money, and the
                frame amounts of several currencies.
            FilterError: There is no such length or zone, or ``confidence`` does not lie between 0
                and 1.
        """
        z, buckets = normal_quantile(confidence), Buckets.of(every=every, tz=tz)
        available = column_names(frame)
        counted = is_counted(available, table)
        # A table is known by a column that no other has.
        given = next((known for mark, known in _MARKS.items() if mark in available), None)
        if not counted:
            _refuse_another(given, available, result, table, needed)
        explode = given is SESSIONS and table in (ATTEMPTS, CHARGES)
        offered = list(dict.fromkeys([*table.names, *available])) if explode else available
        if table is SESSIONS:
            refused = {name: text.format(name=result.name) for name, text in _OF_SESSIONS.items()}
        names = _checked(by, result, offered, refused or {}, periods=buckets is not None)
        instant = "message_time" if table is MESSAGES else "created_at"
        # Rows that were counted before have no key, and doubled ones were refused then.
        key = (COUNTED,) if counted else table.key
        looked_at = [*key, *needed, *([instant] if buckets else [])]
        currency = None
        if any(column.kind is Kind.SUM for column in result.columns) and CURRENCY not in names:
            currency = one_currency(frame)
        opened = frame
        if explode:
            own = [name for name in names if name not in table.names]
            # Several things are asked of an exploded table, and a lazy one would be exploded
            # for each of them.
            held = read_sessions(frame, own) if isinstance(frame, pl.LazyFrame) else frame
            opened = exploded(held, table, own)
        else:
            require(available, table, looked_at)
        lazy = open_table(opened, table, looked_at, names)
        return cls(frame, lazy, table, names, result, buckets, instant, z, currency)

    @property
    def keys(self) -> list[str]:
        """The columns that come first in the result."""
        return [*([PERIOD] if self.buckets else []), *self.by]

    def count(
        self,
        words: Mapping[str, Callable[[Any], str | None] | None],
        *,
        sums: Mapping[str, str] | None = None,
        where: nw.Expr | None = None,
    ) -> pl.DataFrame:
        """Count on the engine, by the groups and by the words that the metric tells apart.

        Args:
            words: Columns of words, with what folds those that mean the same; None as they are.
            sums: Columns to sum, by the name of their sum.
            where: Which rows are counted; of all of them each key comes once.

        Returns:
            As ``engines.count``: the ``period`` and ``by`` columns as they are, each folded
            word as ``__`` and its column's name, and what was counted.

        Raises:
            SchemaError: A key comes twice, or an amount has too many decimal places.
        """
        # Engines do not fold words alike. They count by the words as they are, of which there are
        # few, and the few groups are folded here.
        keys, lazy = [*self.by, *words], self.lazy
        if self.buckets is not None:
            lazy = self.buckets.ticked(lazy, self.instant)
            keys.insert(0, TICK)
        counted = count(lazy, self.table, keys, sums or {}, where)
        if self.buckets is not None:
            counted = self.buckets.named(counted, PERIOD)
        folded_words = (
            (counted[name] if fold is None else folded(counted[name], fold)).alias(f"__{name}")
            for name, fold in words.items()
        )
        # A word may be grouped by as well: the group keeps it as it is.
        return counted.with_columns(folded_words).drop(
            name for name in words if name not in self.by
        )

    def rows(self) -> pl.DataFrame:
        """The rows themselves, in polars and with their table's types, each key once.

        For what no engine counts alike: the order of a person's sessions, a quantile.

        Raises:
            SchemaError: A key comes twice.
        """
        names = self.lazy.collect_schema().names()
        known = [column for column in self.table.columns if column.name in names]
        own = [name for name in names if name not in self.table.names]
        found = select(self.lazy.to_native(), known, own=own)
        refuse_doubled(found, self.table)
        return found

    def sum(self, counted: pl.DataFrame, *words: str, **sums: Addends) -> pl.DataFrame:
        """What was counted, summed by the groups: what the result's columns declare, and more.

        Args:
            counted: What ``count`` gave.
            words: Further columns to group by.
            sums: What else to add up, by name.

        Returns:
            One row a group: its keys, the words, and each sum as ``__name``; money in whole units
            of 10⁻⁸.
        """
        declared = {
            column.name: column.adds
            for column in self.result.columns
            if isinstance(column, ResultColumn) and column.adds is not None
        }
        # An engine counted by the wire's words. Those that fold to one word are added up here.
        wanted = [_added_up(adds).alias(f"__{name}") for name, adds in (declared | sums).items()]
        keys = [*self.keys, *words]
        if keys:
            return counted.group_by(keys).agg(wanted)
        return counted.select(wanted).head(counted.height)  # of no rows there is no group

    def frame(
        self,
        groups: pl.DataFrame,
        finish: Callable[[dict[str, Any]], Mapping[str, Any]] | None = None,
        order: Mapping[str, bool] | None = None,
    ) -> Any:
        """The result: by period, then by the ``by`` columns, nulls last, text by code point.

        Args:
            groups: What ``sum`` gave.
            finish: From the sums of a group, by name, money as ``Money``, to what its row of the
                result has besides them and the declared rates; None where it has nothing.
            order: What sorts rows of the same group, and whether descending.

        Returns:
            A pandas frame for a pandas frame, else a polars one.
        """
        # polars compares texts by their bytes in UTF-8, which is by code point.
        order = {**dict.fromkeys(self.keys, False), **(order or {})}
        if order:
            groups = groups.sort(*order, descending=list(order.values()), nulls_last=True)
        sums = groups.drop(self.keys).rename(lambda name: name.removeprefix("__"))
        rates = {
            column.name: column.divides
            for column in self.result.columns
            if isinstance(column, ResultColumn) and column.divides
        }
        rows = []
        for row in sums.iter_rows(named=True):
            group = {name: _with_money(value) for name, value in row.items()}
            finished = {**group, **(finish(group) if finish else {})}
            for name, (part, whole) in rates.items():
                # Also a rate that shows no interval: the two ends are then no column.
                finished |= with_interval(name, finished[part], finished[whole], self.z)
            rows.append({name: _amount(finished[name]) for name in self.result.names})
        found = pl.from_dicts(rows, schema=self.result.polars())
        found = pl.DataFrame([*groups.select(self.keys), *found])
        if self.currency is not None:  # a sum must not forget what it is a sum of
            found = found.with_columns(pl.lit(self.currency).alias(CURRENCY))
        warn_of_masked(found, self.by, stacklevel=3)
        return result(found, self.given)


def _added_up(addends: Addends) -> pl.Expr:
    if isinstance(addends, pl.Expr):
        # Units of money are Python integers later on, which have no last digit to round.
        return addends.sum().to_physical()
    return pl.struct(_added_up(part).alias(name) for name, part in addends.items())


def _with_money(value: Any) -> Any:
    """A sum in Python: money as ``Money``, several that belong together as a dictionary."""
    if not isinstance(value, dict):
        return value
    parts = {name: _with_money(part) for name, part in value.items()}
    return Money(**parts) if "units" in parts else parts


def _amount(value: Any) -> Any:
    return value.amount if isinstance(value, Money) else value


def _refuse_another(
    given: Table | None,
    available: Sequence[str],
    result: Table,
    table: Table,
    needed: Sequence[str],
) -> None:
    """Refuse a frame that is not the table that a metric counts, and say what to give."""
    explode = _EXPLODED_BY.get(table.name)
    wrong = given not in (table, SESSIONS) if explode else table is SESSIONS and given is not None
    if not wrong or given is table:
        return
    missing = [name for name in (*table.key, *needed) if name not in available]
    other = f"a table of {given.name}" if given else f"a frame without {quoted_names(missing)}"
    raise SchemaError(
        f"{result.name} cannot read {other}: give the sessions table"
        f"{f', or what {explode} makes of one' if explode else ''}. "
        f"{describe_columns(available, missing)}",
        missing=missing,
        available=available,
    )


def _checked(
    by: str | Iterable[str],
    result: Table,
    available: Sequence[str],
    refused: Mapping[str, str],
    *,
    periods: bool,
) -> tuple[str, ...]:
    """The columns to group by: there, each once, and not needed by the result itself."""
    names = (by,) if isinstance(by, str) or not isinstance(by, Iterable) else tuple(by)
    if not all(isinstance(name, str) for name in names):
        raise SchemaError(f"by is {shown_value(by)}; it is the name of a column, or several.")
    for name in names:
        if name in refused:
            raise SchemaError(refused[name], missing=[name], available=available)
    missing = [name for name in dict.fromkeys(names) if name not in available]
    if missing:
        raise SchemaError(
            f"There is no column {quoted_names(missing)} to group by. "
            f"{describe_columns(available, missing)}",
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
