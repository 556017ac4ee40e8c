"""Merging: what becomes of a record that was received, beside what is known of it.

======================  =====================================================================
received                becomes
======================  =====================================================================
not fit for analysis    set aside with its reason; a reading that stands, stands on
not known before        the reading that stands
the same text           the reading that stands, read once more
open, but known as      history, and a note: a copy of the server's that lags behind. A
settled                 settled record never opens again, and ``updated_at`` does not tell
                        which is later, since it does not move on verification
anything else           the reading that stands; the one that stood goes to the history
======================  =====================================================================

"Later" is the order in which answers are kept, not the time of their reading: a clock that was
wrong for an hour would else shut out every reading of that hour. Two processes may keep two
answers in the wrong order, which are then seconds apart.

The records of one answer are looked up together and written together: one statement a record
would cost more than all the rest of keeping a page.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from plivo_analysis.parsing.oddities import Code
from plivo_analysis.parsing.pages import READERS
from plivo_analysis.parsing.records import Note
from plivo_analysis.parsing.strict_json import parse_json
from plivo_analysis.storage.database import checksum
from plivo_analysis.storage.records import change_day, look_up
from plivo_analysis.values.spans import DAY, floor, from_us

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plivo_analysis.api.resources import Resource
    from plivo_analysis.parsing.records import Record
    from plivo_analysis.storage.database import Database
    from plivo_analysis.storage.recent_rows import RecentRows


@dataclass(slots=True)
class Tally:
    """What became of the records that were received: every one is counted once.

    Args:
        received: Records in the pages.
        new: Not known before.
        repeated: Known, and the same.
        updated: Known, and changed.
        set_aside: Not fit for analysis; kept, with the reason.
        forgotten: Of a number that the user had forgotten; not kept.
    """

    received: int = 0
    new: int = 0
    repeated: int = 0
    updated: int = 0
    set_aside: int = 0
    forgotten: int = 0

    def add(self, other: Tally) -> None:
        """Add another tally to this one."""
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def balanced(self) -> bool:
        """Whether nothing was lost or doubled on the way."""
        kept = self.new + self.repeated + self.updated
        return self.received == kept + self.set_aside + self.forgotten


@dataclass(slots=True)
class _Standing:
    """The reading of a record that stands, and whether this answer touched it."""

    instant: int
    open: bool
    final_at: int
    raw: str = field(repr=False)
    page: int
    read_at: int
    id: int | None = None  # of its row, if it has one
    touched: bool = True

    def row(self, resource: str, key: str) -> tuple[Any, ...]:
        place = (resource, key, self.instant, int(self.open), self.final_at)
        values = (*place, self.raw, self.page, self.read_at)
        return (self.id, *values, checksum(*values))


@dataclass(slots=True)
class _DayChange:
    """What becomes of one UTC day: its rows that are new or replace one, and the counts of it."""

    rows: list[dict[str, Any]] = field(default_factory=list, repr=False)
    added: int = 0
    changes: int = 0
    was_left: bool = False  # by a record, for another day


class Merging:
    """Keeps the records of one answer, within the transaction that keeps its page.

    Args:
        database: Where they are kept.
        recent: Takes their rows, which are parsed already.
        resource: What they are.
        page: The number of the page that they came with.
        read_at: When, in microseconds.
    """

    def __init__(
        self, database: Database, recent: RecentRows, resource: Resource, page: int, read_at: int
    ) -> None:
        self._database = database
        self._recent = recent
        self._resource = resource
        self._page = page
        self._read_at = read_at
        self._tally = Tally()
        self._standing: dict[str, _Standing] = {}
        self._set_aside: dict[str, Record] = {}
        self._set_aside_before: set[str] = set()
        self._cleared: set[str] = set()
        self._history: list[tuple[Any, ...]] = []
        self._notes: dict[str, list[tuple[Any, ...]]] = {}
        self._days: defaultdict[int, _DayChange] = defaultdict(_DayChange)

    def keep(self, records: Sequence[Record]) -> Tally:
        """Keep the records and count what became of them."""
        self._look_up([record.key for record in records])
        # In the order of the page: an id may come twice in it, and the second is the later reading.
        for record in records:
            if record.row is None or record.instant is None:
                self._keep_aside(record)
            else:
                self._merge(record, record.row, record.instant)
        self._tally.received = len(records)
        self._write()
        return self._tally

    def _look_up(self, keys: list[str]) -> None:
        name = self._resource.name
        columns = "key, instant, open, final_at, raw, page, read_at, id"
        for key, instant, is_open, final_at, raw, page, read_at, number in look_up(
            self._database, name, keys, columns
        ):
            self._standing[key] = _Standing(
                instant, bool(is_open), final_at, raw, page, read_at, number, touched=False
            )
        marks = ", ".join("?" * len(keys))
        found = self._database.run(
            f"SELECT key FROM set_aside WHERE resource = ? AND key IN ({marks})",  # noqa: S608 - marks only
            (name, *keys),
        )
        self._set_aside_before = {key for (key,) in found}

    def _keep_aside(self, record: Record) -> None:
        self._set_aside[record.key] = record
        self._note(record, *record.notes)
        self._tally.set_aside += 1

    def _merge(self, record: Record, row: dict[str, Any], instant: int) -> None:
        reading = _Standing(
            instant,
            self._resource.is_open(row),
            self._resource.final_at(row),
            record.raw,
            self._page,
            self._read_at,
        )
        standing = self._standing.get(record.key)
        if standing is None:
            self._replace(record, row, reading)
            self._tally.new += 1
        elif standing.raw == reading.raw:
            standing.page, standing.read_at, standing.touched = self._page, self._read_at, True
            self._tally.repeated += 1
        elif reading.open and not standing.open:
            # Listed, so that it did not vanish; but what stands was not read again by this.
            standing.page, standing.touched = self._page, True
            self._remember(record.key, reading)
            self._note(record, Note(Code.WENT_BACK.value, self._resource.status, "open again"))
            self._tally.repeated += 1
        else:
            self._remember(record.key, standing)
            reading.id = standing.id
            before_day = self._days[floor(standing.instant, DAY)]
            before_day.added -= 1
            before_day.changes += 1
            before_day.was_left |= floor(standing.instant, DAY) != floor(reading.instant, DAY)
            self._replace(record, row, reading)
            if standing.instant != reading.instant:  # one id at two places may be two records
                before = f"{from_us(standing.instant):%Y-%m-%dT%H:%M:%S.%fZ}"
                self._note(record, Note(Code.INSTANT_MOVED.value, self._resource.instant, before))
            # The text may differ in what no column holds. The old one is parsed for that, which
            # is dear; but few records change between two readings.
            if READERS[self._resource.name](parse_json(standing.raw.encode())).row == row:
                self._tally.repeated += 1
            else:
                self._tally.updated += 1

    def _replace(self, record: Record, row: dict[str, Any], reading: _Standing) -> None:
        known = record.key in self._standing or record.key in self._set_aside_before
        if known or record.key in self._set_aside:  # else there is nothing to clear
            self._set_aside.pop(record.key, None)
            self._notes.pop(record.key, None)
            self._cleared.add(record.key)
        self._standing[record.key] = reading
        day = self._days[floor(reading.instant, DAY)]
        day.rows.append(row)
        day.added += 1
        day.changes += 1
        self._note(record, *record.notes)

    def _remember(self, key: str, reading: _Standing) -> None:
        self._history.append((self._resource.name, key, reading.raw, reading.page, reading.read_at))

    def _note(self, record: Record, *notes: Note) -> None:
        if not notes:
            return
        place = (self._resource.name, record.key, record.instant)
        self._notes.setdefault(record.key, []).extend(
            (*place, note.code, note.path, note.value, self._read_at) for note in notes
        )

    def _write(self) -> None:
        # Notes on an earlier reading must not stay with the one that replaces it, so they go first.
        run_many, name, read_at = self._database.run_many, self._resource.name, self._read_at
        cleared = [(name, key) for key in self._cleared]
        run_many("DELETE FROM note WHERE resource = ? AND key = ?", cleared)
        run_many("DELETE FROM set_aside WHERE resource = ? AND key = ?", cleared)
        # An upsert, not a replacement: it leaves the indexes of unchanged columns alone.
        run_many(
            "INSERT INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET instant = excluded.instant,"
            " open = excluded.open, final_at = excluded.final_at, raw = excluded.raw,"
            " page = excluded.page, read_at = excluded.read_at, checksum = excluded.checksum",
            [
                standing.row(name, key)
                for key, standing in self._standing.items()
                if standing.touched
            ],
        )
        run_many("INSERT INTO history VALUES (?, ?, ?, ?, ?)", self._history)
        run_many(
            "INSERT OR REPLACE INTO set_aside VALUES (?, ?, ?, ?, ?, ?)",
            [
                (name, key, instant_of(record, read_at), record.raw, self._page, read_at)
                for key, record in self._set_aside.items()
            ],
        )
        run_many(
            "INSERT OR REPLACE INTO note VALUES (?, ?, ?, ?, ?, ?, ?)",
            [note for notes in self._notes.values() for note in notes],
        )
        # A repeated record changes no row of a table, so that its day's Parquet file stays valid.
        for start, day in self._days.items():
            after = change_day(self._database, name, start, records=day.added, changes=day.changes)
            if day.was_left:
                self._recent.discard(self._resource, start)
            else:
                self._recent.add(self._resource, start, day.rows, changes=day.changes, after=after)


def instant_of(record: Record, read_at: int) -> int:
    """When a record began, in microseconds; where it does not tell, when it was read."""
    return read_at if record.instant is None else record.instant
