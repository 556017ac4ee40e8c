"""Rows as they were parsed with their page, until their day has its Parquet file.

Parsing a record takes ten times as long as all that follows on its way to a table, so that a
table made of rows that were just received does not parse them a second time. Only days that were
filled from their first record on, by this process alone, are here: their count of changes then
equals the store's. Any other day is read from the store.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import polars as pl

from plivo_analysis.errors import SchemaError
from plivo_analysis.tables.convert import from_rows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plivo_analysis.api.resources import Resource
    from plivo_analysis.storage.records import Day

_MOST = 500_000  # rows, of 400 bytes; beyond, the day that was received first is given up
_AT_ONCE = 500  # rows that are made a frame together; fewer cost more each


@dataclass(slots=True)
class _Rows:
    """The rows of a day, in the order in which they were kept; of one key the last one counts."""

    changes: int = 0
    received: int = 0
    rows: list[dict[str, Any]] = field(default_factory=list, repr=False)
    frames: list[pl.DataFrame] = field(default_factory=list, repr=False)

    def columns(self, resource: Resource) -> None:
        """Make columns of the rows, which are a tenth of their size."""
        if self.rows:
            self.frames.append(from_rows(self.rows, resource.table))
            self.rows = []


class RecentRows:
    """The rows of days that this process has received since their first record."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._days: dict[tuple[str, int], _Rows] = {}

    def add(
        self, resource: Resource, day: int, rows: list[dict[str, Any]], *, changes: int, after: int
    ) -> None:
        """Take the rows that a page brought for a day.

        Args:
            resource: What they are.
            day: The day's first instant, in microseconds.
            rows: The rows that are new to the day, or replace one of its rows.
            changes: How many changes of the day the store counts for them.
            after: How many changes the day has seen with these.
        """
        with self._lock:
            # Taken out and put back last: the first of the dictionary is the first to be given up.
            known = self._days.pop((resource.name, day), None)
            if after == changes:  # the day's first ones, perhaps of a store that was begun anew
                known = _Rows()
            # Otherwise another process has written to the day, and its rows are not here.
            if known is None or known.changes != after - changes:
                return
            known.changes = after
            known.received += len(rows)
            known.rows += rows
            self._days[resource.name, day] = known

    def make_columns(self, resource: Resource) -> None:
        """Make columns of days that have many rows, and give up days where there are too many.

        Apart from ``add``, which is called while the store is locked for other processes.
        """
        with self._lock:
            long = [key for key, held in self._days.items() if len(held.rows) >= _AT_ONCE]
            for key in long:
                if key[0] != resource.name:
                    continue
                try:
                    self._days[key].columns(resource)
                except SchemaError:  # it is raised where the table is asked for
                    del self._days[key]
            while long and sum(held.received for held in self._days.values()) > _MOST:
                del self._days[next(iter(self._days))]

    def of(self, resource: Resource, day: Day) -> pl.DataFrame | None:
        """The rows of a day by instant and key; None where only the store has all of them.

        Raises:
            SchemaError: A value does not fit its column exactly.
        """
        with self._lock:
            known = self._days.get((resource.name, day.start))
            if known is None or known.changes != day.changes:
                return None
            known.columns(resource)
            frame = pl.concat(known.frames)
        # In the order in which they came: a row that replaces another comes after it.
        last = frame.unique(resource.key, keep="last")
        return last.sort(resource.instant, resource.key)

    def count(self, resource: Resource) -> int:
        """How many rows are here, of all days."""
        with self._lock:
            return sum(
                held.received for (name, _), held in self._days.items() if name == resource.name
            )

    def discard(self, resource: Resource, day: int) -> None:
        """Give up a day: a file holds it now, or a record left it."""
        with self._lock:
            self._days.pop((resource.name, day), None)

    @contextmanager
    def given_up_on_failure(self) -> Iterator[None]:
        """Give up everything if the transaction within fails: the store then lacks its rows.

        Otherwise another page of as many changes would make the two counts equal again.
        """
        try:
            yield
        except BaseException:
            self.clear()
            raise

    def clear(self) -> None:
        """Give up everything."""
        with self._lock:
            self._days.clear()
