"""Records as last read, what was set aside or odd about them, and how many each day holds.

Each record carries a checksum, and each UTC day counts its records, so that a damaged file is
found out rather than believed: a day that gives fewer than it counted has lost some.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from plivo_analysis.parsing.pages import READERS
from plivo_analysis.parsing.strict_json import parse_json
from plivo_analysis.storage.database import checksum, shows_no_values
from plivo_analysis.values.spans import DAY, Span, floor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from plivo_analysis.api.resources import Resource
    from plivo_analysis.storage.database import Database


@dataclass(frozen=True, slots=True)
class RecordState:
    """What is known of a record that may still change.

    Args:
        instant: When it began, in microseconds.
        open: Whether its status may change; otherwise its price is yet to come.
        page: The page that it was last read with.
        final_at: The moment from which it may no longer change. It is final once it was read
            after that; when the moment has passed, it is due to be read once more.
    """

    instant: int
    open: bool
    page: int
    final_at: int


@dataclass(frozen=True, slots=True)
class Day:
    """One UTC day of a resource.

    Args:
        start: Its first instant, in microseconds.
        records: How many records it holds.
        changes: How often one of them was new, changed or removed.
    """

    start: int
    records: int
    changes: int

    @property
    def span(self) -> Span:
        """The day as a range."""
        return Span(self.start, self.start + DAY)


class Records:
    """Records of one resource.

    Args:
        database: Where they are kept.
        resource: What they are.
    """

    def __init__(self, database: Database, resource: Resource) -> None:
        self._database = database
        self._resource = resource

    def rows(self, raws: Iterable[str]) -> Iterator[dict[str, Any]]:
        """The clean rows of records as received."""
        for raw in raws:
            row = self._row(raw)
            if row is not None:
                yield row

    @shows_no_values
    def raws(self, span: Span) -> list[str]:
        """The records of a range as received, oldest first.

        Raises:
            StoreError: A record is not what was written, or one is missing from its day; the
                file was quarantined.
        """
        # One state: a page kept between the two questions would look like records gone missing.
        with self._database.reading():
            found = self._database.run(
                "SELECT key, instant, open, final_at, raw, page, read_at, checksum FROM record"
                " WHERE resource = ? AND instant >= ? AND instant < ? ORDER BY instant, key",
                (self._resource.name, span.start, span.end),
            )
            for *values, expected in found:
                if checksum(self._resource.name, *values) != expected:
                    raise self._database.damaged("a record is not what was written")
            # A damaged index gives a record twice in place of another, or out of order.
            places = [(instant, key) for key, instant, *_ in found]
            if any(first >= second for first, second in pairwise(places)):
                raise self._database.damaged("its index is not what was written")
            # The count of a day is known for whole days only.
            counts = Counter(floor(instant, DAY) for _, instant, *_ in found)
            for day in self.days(span):
                if day.span.clip(span) == day.span and counts[day.start] != day.records:
                    raise self._database.damaged("records are missing from it")
        return [raw for _, _, _, _, raw, *_ in found]

    @shows_no_values
    def row(self, key: str) -> dict[str, Any] | None:
        """One clean row, if it is known."""
        found = look_up(self._database, self._resource.name, [key], "raw")
        return self._row(found[0][0]) if found else None

    def is_final(self, key: str) -> bool:
        """Whether a record is known, and was read when it could no longer change."""
        found = look_up(self._database, self._resource.name, [key], "final_at <= read_at")
        return found == [(1,)]

    def not_final(self, span: Span) -> dict[str, RecordState]:
        """What of a range may have changed since it was read, by key."""
        return {
            key: RecordState(instant, bool(is_open), page, final_at)
            for key, instant, is_open, page, final_at in self._where(
                # Word for word the condition of the partial index `record_not_final`: SQLite
                # takes the index only then, and few of many records are open.
                "SELECT key, instant, open, page, final_at FROM record",
                "final_at > read_at AND instant >= ? AND instant < ?",
                span.start,
                span.end,
            )
        }

    def members(self, scope: str) -> frozenset[str]:
        """The keys that the server listed under a filter."""
        hashed = self._database.hashed(scope)
        return frozenset(
            key for (key,) in self._where("SELECT key FROM listed", "scope = ?", hashed)
        )

    def count(self, span: Span) -> int:
        """How many records of a range are kept."""
        return self._number("record", "instant >= ? AND instant < ?", span.start, span.end)

    def unseen(self, span: Span, page: int) -> int:
        """How many records of a range no page after that one held."""
        condition = "instant >= ? AND instant < ? AND page <= ?"
        return self._number("record", condition, span.start, span.end, page)

    def count_set_aside(self) -> int:
        """How many records are not fit for analysis."""
        return self._number("set_aside")

    def count_pages(self) -> int:
        """How many raw pages are kept."""
        return self._number("page")

    def extent(self) -> tuple[int | None, int | None]:
        """The earliest and the latest instant, if there are any records."""
        first, last = self._where("SELECT MIN(instant), MAX(instant) FROM record")[0]
        return first, last

    def days(self, span: Span) -> list[Day]:
        """The days that hold, or once held, records of a range, in order."""
        return [
            Day(*row)
            for row in self._where(
                "SELECT day, records, changes FROM day",
                "day >= ? AND day < ? ORDER BY day",
                floor(span.start, DAY),
                span.end,
            )
        ]

    def notes(self, span: Span) -> list[dict[str, Any]]:
        """What was odd about the records of a range, as rows; those without a time always."""
        names = ("key", "instant", "code", "path", "value", "set_aside", "read_at")
        found = self._database.run(
            "SELECT n.key, n.instant, n.code, n.path, n.value, s.key IS NOT NULL, n.read_at"
            " FROM note n LEFT JOIN set_aside s ON s.resource = n.resource AND s.key = n.key"
            " WHERE n.resource = ?"
            " AND (n.instant IS NULL OR (n.instant >= ? AND n.instant < ?))"
            " ORDER BY n.instant, n.key, n.path, n.code",
            (self._resource.name, span.start, span.end),
        )
        rows = [dict(zip(names, row, strict=True)) for row in found]
        return [{**row, "set_aside": bool(row["set_aside"])} for row in rows]

    def _where(self, select: str, condition: str = "1", *values: Any) -> list[tuple[Any, ...]]:
        statement = f"{select} WHERE resource = ? AND {condition}"
        return self._database.run(statement, (self._resource.name, *values))

    def _number(self, table: str, condition: str = "1", *values: Any) -> int:
        return int(self._where(f"SELECT COUNT(*) FROM {table}", condition, *values)[0][0])  # noqa: S608 - a name of ours

    def _row(self, raw: str) -> dict[str, Any] | None:
        return READERS[self._resource.name](parse_json(raw.encode())).row


def look_up(
    database: Database, resource: str, keys: Sequence[str], columns: str
) -> list[tuple[Any, ...]]:
    """Columns of the records that have one of the keys, as far as there are such records.

    Args:
        database: Where they are kept.
        resource: The resource's name.
        keys: The keys.
        columns: The columns, as in SQL.
    """
    marks = ", ".join("?" * len(keys))
    return database.run(
        # SQLite takes the index of records by key only where its expression stands word for word.
        # The pluses keep it from an index that begins with the resource, and from putting a single
        # key in the expression's place.
        f"SELECT {columns} FROM record WHERE substr(key, 1, 8) IN ({marks})"  # noqa: S608 - names of ours
        f" AND +key IN ({marks}) AND +resource = ?",
        (*(key[:8] for key in keys), *keys, resource),
    )


def change_day(
    database: Database, resource: str, instant: int, *, records: int = 0, changes: int = 1
) -> int:
    """Note, within the transaction that makes them, changes of a day's records.

    Args:
        database: Where they are kept.
        resource: The resource's name.
        instant: Any of the day, in microseconds.
        records: How many more it holds; fewer if negative.
        changes: How many changes there were.

    Returns:
        How many changes the day has seen with these.
    """
    ((seen,),) = database.run(
        "INSERT INTO day VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE"
        " SET records = records + excluded.records, changes = changes + excluded.changes"
        " RETURNING changes",
        (resource, floor(instant, DAY), records, changes),
    )
    return int(seen)
