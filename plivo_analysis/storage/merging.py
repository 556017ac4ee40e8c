"""Merging: what becomes of a record that was received, beside what is known of it.

======================  =====================================================================
received                becomes
======================  =====================================================================
not fit for analysis    set aside with its reason; a current reading stays current
not known before        the current reading
the same text           the current reading, read once more
open, but known as      history, and a note: it comes from a copy of the server's that lags
settled                 behind. A settled record never opens again, and ``updated_at`` does
                        not tell which is later, since it does not move on verification
anything else           the current reading; the one before it goes to the history
======================  =====================================================================

"Later" is the order in which answers are kept, not the time of their reading. By time, a clock
that ran an hour ahead once would make every reading of the next hour look old. Two processes may
keep two answers in the wrong order; these are seconds apart.

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
class _Current:
    """The current reading of a record, and whether this answer changed its row."""

    instant: int
    open: bool
    final_at: int
    raw: str = field(repr=False)
    page: int
    read_at: int
    id: int | None = None  # of its row, if it has one
    changed: bool = True  # only such rows are written

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
    was_left: bool = False  # by a record that is now of another day


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
        self._current: dict[str, _Current] = {}
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
            self._current[key] = _Current(
                instant, bool(is_open), final_at, raw, page, read_at, number, changed=False
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
        reading = _Current(
            instant,
            self._resource.is_open(row),
            self._resource.final_at(row),
            record.raw,
            self._page,
            self._read_at,
        )
        current = self._current.get(record.key)
        if current is None:
            self._replace(record, row, reading)
            self._tally.new += 1
        elif current.raw == reading.raw:
            current.page, current.read_at, current.changed = self._page, self._read_at, True
            self._tally.repeated += 1
        elif reading.open and not current.open:
            # The page says that the record is still listed. The time of reading stays: what was
            # read is an older state, by which the current one is not confirmed.
            current.page, current.changed = self._page, True
            self._remember(record.key, reading)
            self._note(record, Note(Code.WENT_BACK.value, self._resource.status, "open again"))
            self._tally.repeated += 1
        else:
            self._remember(record.key, current)
            reading.id = current.id
            # Under the same id its row is overwritten: a second row would not be refused, since the
            # table's keys are under no constraint. The day that it was of has changed as well.
            start = floor(current.instant, DAY)
            day = self._days[start]
            day.added -= 1
            day.changes += 1
            day.was_left |= start != floor(reading.instant, DAY)
            self._replace(record, row, reading)
            if current.instant != reading.instant:  # one id at two places may be two records
                before = f"{from_us(current.instant):%Y-%m-%dT%H:%M:%S.%fZ}"
                self._note(record, Note(Code.INSTANT_MOVED.value, self._resource.instant, before))
            # The text may differ in what no column holds. To tell, the old one is parsed, which
            # is slow; but few records change between two readings.
            if READERS[self._resource.name](parse_json(current.raw.encode())).row == row:
                self._tally.repeated += 1
            else:
                self._tally.updated += 1

    def _replace(self, record: Record, row: dict[str, Any], reading: _Current) -> None:
        known = record.key in self._current or record.key in self._set_aside_before
        # Nearly every record is new: there is nothing to clear, and two statements less to run.
        if known or record.key in self._set_aside:
            self._set_aside.pop(record.key, None)
            self._notes.pop(record.key, None)
            self._cleared.add(record.key)
        self._current[record.key] = reading
        day = self._days[floor(reading.instant, DAY)]
        day.rows.append(row)
        day.added += 1
        day.changes += 1
        self._note(record, *record.notes)

    def _remember(self, key: str, reading: _Current) -> None:
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
            [current.row(name, key) for key, current in self._current.items() if current.changed],
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
            if day.was_left:  # rows received can be replaced by their key, not taken away
                self._recent.discard(self._resource, start)
            else:
                self._recent.add(self._resource, start, day.rows, changes=day.changes, after=after)


def instant_of(record: Record, read_at: int) -> int:
    """When a record began, in microseconds; where it does not tell, when it was read."""
    return read_at if record.instant is None else record.instant
