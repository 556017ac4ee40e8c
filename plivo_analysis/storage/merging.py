"""Merging: what becomes of a record that was received, beside what is known of it.

Two readings of one record are merged so that the truth can only gain: a settled one beats an
open one, whatever ``updated_at`` says (it does not move on verification); otherwise the later
reading stands. The reading that lost is kept as history.

The records of one answer are looked up together, and their days counted together: most of what
a page costs would otherwise be looking for what is not there.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from plivo_analysis.parsing.oddities import Code
from plivo_analysis.parsing.pages import READERS
from plivo_analysis.parsing.records import Note
from plivo_analysis.parsing.strict_json import parse_json
from plivo_analysis.storage.days import Days
from plivo_analysis.storage.opening import seal
from plivo_analysis.values.spans import DAY, floor, to_us

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plivo_analysis.api.resources import Resource
    from plivo_analysis.parsing.records import Record
    from plivo_analysis.storage.database import Database


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
        self.received += other.received
        self.new += other.new
        self.repeated += other.repeated
        self.updated += other.updated
        self.set_aside += other.set_aside
        self.forgotten += other.forgotten

    @property
    def balanced(self) -> bool:
        """Whether nothing was lost or doubled on the way."""
        kept = self.new + self.repeated + self.updated
        return self.received == kept + self.set_aside + self.forgotten


@dataclass(frozen=True, slots=True)
class _Known:
    """The reading of a record that stands."""

    raw: str
    open: bool
    page: int
    read_at: int
    instant: int


@dataclass(slots=True)
class Merging:
    """Keeps the records of one answer, within the transaction that keeps its page.

    Args:
        database: Where they are kept.
        resource: What they are.
        page: The number of the page that they came with.
        read_at: When, in microseconds.
        tally: What became of them.
    """

    database: Database
    resource: Resource
    page: int
    read_at: int
    tally: Tally = field(default_factory=Tally)
    _known: dict[str, _Known] = field(default_factory=dict, init=False)
    _aside: set[str] = field(default_factory=set, init=False)
    _come: Counter[int] = field(default_factory=Counter, init=False)
    _changed: Counter[int] = field(default_factory=Counter, init=False)

    def keep(self, records: Sequence[Record]) -> None:
        """Keep the records and count what became of them."""
        self._look_up([record.key for record in records])
        for record in records:
            self._keep(record)
        days = Days(self.database, self.resource.name)
        for day, times in self._changed.items():
            days.change(day, records=self._come[day], times=times)

    def _look_up(self, keys: list[str]) -> None:
        values = (self.resource.name, *keys)
        place = f"resource = ? AND key IN ({', '.join('?' * len(keys))})"
        for key, raw, is_open, *rest in self.database.run(
            f"SELECT key, raw, open, page, read_at, instant FROM record WHERE {place}",  # noqa: S608 - marks only
            values,
        ):
            self._known[key] = _Known(raw, bool(is_open), *rest)
        self._aside = {
            key
            for (key,) in self.database.run(
                f"SELECT key FROM set_aside WHERE {place}",  # noqa: S608 - marks only
                values,
            )
        }

    def _keep(self, record: Record) -> None:
        self.tally.received += 1
        known = self._known.get(record.key)
        if record.row is None:
            self._set_aside(record)
            self.tally.set_aside += 1
        elif known is None:
            self._write(record, record.row, None)
            self.tally.new += 1
        elif known.raw == record.raw:
            self._seen_again(record.key)
            self.tally.repeated += 1
        elif self.resource.is_open(record.row) and not known.open:
            self._remember(record.key, record.raw, self.page, self.read_at)
            self._note(record, Note(Code.WENT_BACK.value, self.resource.status, "open again"))
            self.tally.repeated += 1
        else:
            self._remember(record.key, known.raw, known.page, known.read_at)
            self._write(record, record.row, known)
            if READERS[self.resource.name](parse_json(known.raw.encode())).row == record.row:
                self.tally.repeated += 1
            else:
                self.tally.updated += 1

    def _write(self, record: Record, row: dict[str, Any], known: _Known | None) -> None:
        instant, is_open = to_us(row[self.resource.instant]), self.resource.is_open(row)
        final_at = self.resource.final_at(row)
        name, key = self.resource.name, record.key
        sealed = (name, key, instant, int(is_open), final_at, record.raw)
        self.database.run(
            "INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*sealed, self.page, self.read_at, seal(*sealed)),
        )
        self._known[key] = _Known(record.raw, is_open, self.page, self.read_at, instant)
        if known is not None:
            self._count(known.instant, -1)
        self._count(instant, 1)
        if known is not None or key in self._aside:  # of what was never seen there are no notes
            for table in ("set_aside", "note"):
                self.database.run(
                    f"DELETE FROM {table} WHERE resource = ? AND key = ?",  # noqa: S608 - a name of ours
                    (name, key),
                )
            self._aside.discard(key)
        self._note(record, *record.notes)

    def _count(self, instant: int, records: int) -> None:
        self._come[floor(instant, DAY)] += records
        self._changed[floor(instant, DAY)] += 1

    def _seen_again(self, key: str) -> None:
        self.database.run(
            "UPDATE record SET page = ?, read_at = ? WHERE resource = ? AND key = ?",
            (self.page, self.read_at, self.resource.name, key),
        )

    def _set_aside(self, record: Record) -> None:
        self._aside.add(record.key)
        self.database.run(
            "INSERT OR REPLACE INTO set_aside VALUES (?, ?, ?, ?, ?)",
            (self.resource.name, record.key, record.raw, self.page, self.read_at),
        )
        self._note(record, *record.notes)

    def _remember(self, key: str, raw: str, page: int, read_at: int) -> None:
        self.database.run(
            "INSERT INTO history VALUES (?, ?, ?, ?, ?)",
            (self.resource.name, key, raw, page, read_at),
        )

    def _note(self, record: Record, *notes: Note) -> None:
        instant = None if record.instant is None else to_us(record.instant)
        for note in notes:
            self.database.run(
                "INSERT OR REPLACE INTO note VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    self.resource.name,
                    record.key,
                    instant,
                    note.code,
                    note.path,
                    note.value,
                    self.read_at,
                ),
            )
