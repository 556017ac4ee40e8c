"""Days: how many records each UTC day holds, how often it changed, and what is derived of it.

Every change of a record moves its day's counter in the transaction that makes it. A segment
carries the counter that it was made at, and is valid as long as the two are equal: no clock
and no guess is involved. The number of records is a witness: a day that gives fewer than it
counted lost some to a damaged file.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plivo_analysis.values.spans import DAY, Span, floor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plivo_analysis.storage.database import Database


@dataclass(frozen=True, slots=True)
class Stamp:
    """What is known of one part of a derived day.

    Args:
        changes: The day's counter when it was made.
        maker: Which release made it.
        size: Its bytes.
        crc: Their checksum.
    """

    changes: int
    maker: str
    size: int
    crc: int


@dataclass(frozen=True, slots=True)
class Day:
    """One UTC day of a resource.

    Args:
        start: Its first instant, in microseconds.
        records: How many records it holds.
        changes: How often one of them was new, changed or removed.
        stamps: What is derived of it, by part.
    """

    start: int
    records: int
    changes: int
    stamps: dict[str, Stamp]

    @property
    def span(self) -> Span:
        """The day as a range."""
        return Span(self.start, self.start + DAY)


class Days:
    """The days of one resource.

    Args:
        database: Where they are kept.
        resource: The resource's name.
    """

    def __init__(self, database: Database, resource: str) -> None:
        self._database = database
        self._resource = resource

    def change(self, instant: int, *, records: int = 0, times: int = 1) -> None:
        """Note, within the transaction that makes them, changes of a day's records.

        Args:
            instant: Any of the day, in microseconds.
            records: How many more it holds; fewer if negative.
            times: How many changes there were.
        """
        self._database.run(
            "INSERT INTO day VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO UPDATE"
            " SET records = records + ?3, changes = changes + ?4",
            (self._resource, floor(instant, DAY), records, times),
        )

    def within(self, span: Span) -> list[Day]:
        """The days that hold records of a range, in order."""
        bounds = (self._resource, floor(span.start, DAY), span.end)
        stamps: dict[int, dict[str, Stamp]] = {}
        for start, part, *stamp in self._database.run(
            "SELECT day, part, changes, maker, size, crc FROM segment"
            " WHERE resource = ? AND day >= ? AND day < ?",
            bounds,
        ):
            stamps.setdefault(start, {})[part] = Stamp(*stamp)
        return [
            Day(start, records, changes, stamps.get(start, {}))
            for start, records, changes in self._database.run(
                "SELECT day, records, changes FROM day"
                " WHERE resource = ? AND day >= ? AND day < ? ORDER BY day",
                bounds,
            )
        ]

    def changes(self, start: int) -> int:
        """A day's counter; 0 where nothing was ever kept."""
        found = self._database.run(
            "SELECT changes FROM day WHERE resource = ? AND day = ?", (self._resource, start)
        )
        return int(found[0][0]) if found else 0

    def stamp(self, start: int, stamps: Iterable[tuple[str, Stamp]]) -> None:
        """Note what was derived of a day."""
        for part, stamp in stamps:
            self._database.run(
                "INSERT OR REPLACE INTO segment VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    self._resource,
                    start,
                    part,
                    stamp.changes,
                    stamp.maker,
                    stamp.size,
                    stamp.crc,
                ),
            )
