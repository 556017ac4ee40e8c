"""The archive: records as last read, and what was set aside or odd about them.

Each record carries a seal over what matters of it, and each day counts its records, so that a
damaged file is found out rather than believed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plivo_analysis.parsing.pages import READERS
from plivo_analysis.parsing.strict_json import parse_json
from plivo_analysis.storage.days import Days
from plivo_analysis.storage.opening import seal
from plivo_analysis.values.spans import DAY, floor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from plivo_analysis.api.resources import Resource
    from plivo_analysis.parsing.records import Record
    from plivo_analysis.storage.database import Database
    from plivo_analysis.values.spans import Span


@dataclass(frozen=True, slots=True)
class State:
    """What is known of a record that may still change.

    Args:
        instant: When it began, in microseconds.
        open: Whether its status may change; otherwise its price is yet to come.
        page: The page that it was last read with.
    """

    instant: int
    open: bool
    page: int


class Records:
    """Records of one resource.

    Args:
        database: Where they are kept.
        resource: What they are.
    """

    def __init__(self, database: Database, resource: Resource) -> None:
        self._database = database
        self._resource = resource
        self._days = Days(database, resource.name)

    def rows(self, raws: Iterable[str]) -> Iterator[dict[str, Any]]:
        """The clean rows of records as received."""
        for raw in raws:
            row = self._read(raw).row
            if row is not None:
                yield row

    def raws(self, span: Span) -> list[str]:
        """The records of a range as received, oldest first.

        Raises:
            StoreError: A record is not what was written, or one is missing from its day; the
                file was put aside.
        """
        with self._database.reading():
            found = self._database.run(
                "SELECT key, instant, open, final_at, raw, seal FROM record"
                " WHERE resource = ? AND instant >= ? AND instant < ? ORDER BY instant, key",
                (self._resource.name, span.start, span.end),
            )
            self._check(span, found)
        return [row[4] for row in found]

    def _check(self, span: Span, found: list[tuple[Any, ...]]) -> None:
        for *values, sealed in found:
            if seal(self._resource.name, *values) != sealed:
                raise self._database.damaged("a record is not what was written")
        whole = [day for day in self._days.within(span) if day.span.clip(span) == day.span]
        counts = Counter(floor(instant, DAY) for _, instant, *_ in found)
        if any(counts[day.start] != day.records for day in whole):
            raise self._database.damaged("records are missing from it")

    def row(self, key: str) -> dict[str, Any] | None:
        """One clean row, if it is known."""
        raws = self._database.run(
            "SELECT raw FROM record WHERE resource = ? AND key = ?", (self._resource.name, key)
        )
        return self._read(raws[0][0]).row if raws else None

    def join(self, scope: str, records: Iterable[Record]) -> None:
        """Note that the server listed these records under a filter."""
        for record in records:
            self._database.run(
                "INSERT OR IGNORE INTO member VALUES (?, ?, ?)",
                (self._resource.name, scope, record.key),
            )

    def members(self, scope: str) -> frozenset[str]:
        """The keys that the server listed under a filter."""
        return frozenset(
            key
            for (key,) in self._database.run(
                "SELECT key FROM member WHERE resource = ? AND scope = ?",
                (self._resource.name, scope),
            )
        )

    def count(self, span: Span) -> int:
        """How many records of a range are kept."""
        return int(
            self._database.run(
                "SELECT COUNT(*) FROM record WHERE resource = ? AND instant >= ? AND instant < ?",
                (self._resource.name, span.start, span.end),
            )[0][0]
        )

    def unseen(self, span: Span, page: int) -> int:
        """How many records of a range no page after that one held."""
        return int(
            self._database.run(
                "SELECT COUNT(*) FROM record WHERE resource = ? AND instant >= ? AND instant < ?"
                " AND page <= ?",
                (self._resource.name, span.start, span.end, page),
            )[0][0]
        )

    def extent(self) -> tuple[int | None, int | None]:
        """The earliest and the latest instant, if there are any records."""
        first, last = self._database.run(
            "SELECT MIN(instant), MAX(instant) FROM record WHERE resource = ?",
            (self._resource.name,),
        )[0]
        return first, last

    def count_set_aside(self) -> int:
        """How many records are not fit for analysis."""
        return self._count("set_aside")

    def count_pages(self) -> int:
        """How many raw pages are kept."""
        return self._count("page")

    def _count(self, table: str) -> int:
        statement = f"SELECT COUNT(*) FROM {table} WHERE resource = ?"  # noqa: S608 - a name of ours
        return int(self._database.run(statement, (self._resource.name,))[0][0])

    def not_final(self, span: Span, now: int) -> dict[str, State]:
        """What of a range may still change, by key."""
        return {
            key: State(instant, bool(is_open), page)
            for key, instant, is_open, page in self._database.run(
                "SELECT key, instant, open, page FROM record WHERE resource = ?"
                " AND final_at > 0 AND final_at > ? AND instant >= ? AND instant < ?",
                (self._resource.name, now, span.start, span.end),
            )
        }

    def notes(self, span: Span) -> list[dict[str, Any]]:
        """What was odd about the records of a range, as rows."""
        return [
            {
                "key": key,
                "instant": instant,
                "code": code,
                "path": path,
                "value": value,
                "set_aside": bool(set_aside),
                "read_at": read_at,
            }
            for key, instant, code, path, value, set_aside, read_at in self._database.run(
                "SELECT n.key, n.instant, n.code, n.path, n.value, s.key IS NOT NULL, n.read_at"
                " FROM note n LEFT JOIN set_aside s ON s.resource = n.resource AND s.key = n.key"
                " WHERE n.resource = ?"
                " AND (n.instant IS NULL OR (n.instant >= ? AND n.instant < ?))"
                " ORDER BY n.instant, n.key, n.path, n.code",
                (self._resource.name, span.start, span.end),
            )
        ]

    def _read(self, raw: str) -> Record:
        return READERS[self._resource.name](parse_json(raw.encode()))
