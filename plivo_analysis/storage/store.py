"""One account's store: pages, records, completed ranges and facts over one connection."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from plivo_analysis.api.filters import masked_scope
from plivo_analysis.api.resources import RESOURCES
from plivo_analysis.errors import FilterError
from plivo_analysis.storage.account_key import ACCOUNT, KEY_CHECK
from plivo_analysis.storage.completed_ranges import Checkpoint, CompletedRange, CompletedRanges
from plivo_analysis.storage.database import Database, shows_no_values
from plivo_analysis.storage.deletion import (
    Deleted,
    delete_numbers,
    delete_older,
    delete_scopes,
    packed,
    redact,
    unpacked,
)
from plivo_analysis.storage.folder import FILE_NAME
from plivo_analysis.storage.leases import Leases
from plivo_analysis.storage.merging import Merging, Tally, instant_of
from plivo_analysis.storage.recent_rows import RecentRows
from plivo_analysis.storage.records import Records
from plivo_analysis.storage.tombstones import Tombstones, digests
from plivo_analysis.values.masking import mask_text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from plivo_analysis.api.resources import Resource
    from plivo_analysis.parsing.records import Record
    from plivo_analysis.storage.deletion import OnProgress
    from plivo_analysis.values.spans import Span

_UNFINISHED = "deletion unfinished"
_EXPORTS = "exports"
_OWN = frozenset({ACCOUNT, KEY_CHECK, _UNFINISHED, _EXPORTS})


@dataclass(frozen=True, slots=True)
class Reading:
    """One answered request, ready to be kept.

    Args:
        query: What was asked, as text without numbers or secrets.
        body: The page as received.
        records: Its records.
        read_at: When, in microseconds.
        complete: The ranges that are complete with it.
        passed: What a pull that can be resumed has read so far: older checkpoints within it are
            out of date.
        checkpoint: Where the pull stands after it.
    """

    query: str
    body: bytes = field(repr=False)
    records: Sequence[Record]
    read_at: int
    complete: Sequence[CompletedRange] = ()
    passed: Span | None = None
    checkpoint: Checkpoint | None = None


class Store:
    """Everything that was read of one account.

    Args:
        folder: The account's folder; ``None`` keeps everything in memory, by the same code.
        account: Whose store it must be, as base URL and auth id; empty for anybody's.

    Raises:
        StoreError: It cannot be opened, or is another account's.
    """

    def __init__(self, folder: Path | None, account: str = "") -> None:
        self.database = Database(folder, account)
        self.recent = RecentRows()
        self.folder = folder
        self.path = self.database.path

    def records(self, resource: Resource) -> Records:
        """The records of a resource."""
        return Records(self.database, resource)

    def completed_ranges(self, resource: Resource) -> CompletedRanges:
        """The completed ranges of a resource, and its checkpoints."""
        return CompletedRanges(self.database, resource.name)

    def leases(self, resource: Resource, scope: str) -> Leases:
        """Who reads which range of a resource under a filter."""
        return Leases(self.database, resource.name, scope)

    def writing(self) -> AbstractContextManager[None]:
        """One transaction over everything in the store."""
        return self.database.writing()

    def reading(self) -> AbstractContextManager[None]:
        """One state of the store for several questions."""
        return self.database.reading()

    @shows_no_values
    def keep(self, resource: Resource, scope: str, reading: Reading) -> Tally:
        """Keep a page, its records, its ranges and its checkpoint, all or nothing.

        Tombstones are looked up within the transaction: a number that another process had
        forgotten while this one asked for it must not be written back, be it as a record, in
        the page, or as the filter that was asked with.

        Raises:
            FilterError: The filter names a number that was forgotten; nothing is kept.
            StoreError: It cannot be written.
        """
        with self.recent.given_up_on_failure(), self.writing():
            tombstones = self.forgotten()
            if scope:
                self._note_scope(scope, tombstones)
            records, body = reading.records, reading.body
            gone = 0
            # The page is cut as well as the rows: a raw page would keep the number for ever.
            if tombstones:
                records = [record for record in records if not tombstones.within_json(record.raw)]
                gone = len(reading.records) - len(records)
                if tombstones.within_json(body.decode("utf-8-sig")):
                    body, _ = redact(body, tombstones.within, tombstones.within)
            instants = [instant_of(record, reading.read_at) for record in records]
            ((page,),) = self.database.run(
                "INSERT INTO page (resource, query, body, read_at, first, last, redacted)"
                " VALUES (?, ?, ?, ?, ?, ?, ?) RETURNING id",
                (
                    resource.name,
                    reading.query,
                    packed(body),
                    reading.read_at,
                    min(instants, default=reading.read_at),
                    max(instants, default=reading.read_at),
                    gone,
                ),
            )
            merging = Merging(self.database, self.recent, resource, page, reading.read_at)
            tally = merging.keep(records)
            tally.add(Tally(received=gone, forgotten=gone))
            hashed = self.database.hashed(scope)
            if scope:
                self.database.run_many(
                    "INSERT OR IGNORE INTO listed VALUES (?, ?, ?)",
                    [(resource.name, hashed, record.key) for record in records],
                )
            # What is complete, and where to go on, only in the transaction that keeps the rows:
            # written before them, they would be taken for read; after them, read twice.
            ranges = self.completed_ranges(resource)
            for entry in reading.complete:
                ranges.record(entry)
                ranges.drop_checkpoints(scope, entry.span)
            if reading.passed is not None:
                ranges.drop_checkpoints(scope, reading.passed)
            if reading.checkpoint is not None:
                ranges.set_checkpoint(scope, reading.checkpoint)
        return tally

    def _note_scope(self, scope: str, tombstones: Tombstones) -> None:
        """Note a filter by its hash: how it may be shown, and the hashes of its numbers."""
        values = [value for _, value in parse_qsl(scope)]
        numbers = sorted({found for text in values for found in digests(self.database.key, text)})
        if not tombstones.digits.keys().isdisjoint(numbers):
            raise FilterError(
                "The filter names a number that was forgotten (plivo-analysis forget); nothing of "
                "it is kept, and nothing more is asked."
            )
        self.database.run(
            "INSERT OR IGNORE INTO scope VALUES (?, ?, ?)",
            (self.database.hashed(scope), mask_text(masked_scope(scope)), json.dumps(numbers)),
        )

    def forgotten(self) -> Tombstones:
        """The numbers that are to stay forgotten, known by their hashes only."""
        rows = self.database.run("SELECT digest, digits FROM tombstone")
        return Tombstones(self.database.key, dict(rows))

    @shows_no_values
    def forget(self, number: str, progress: OnProgress = lambda _: None) -> Deleted:
        """Delete what is of a telephone number, and keep it from coming back.

        What is to go is noted first, the number by its hash: the next deletion after a process
        died half-way finishes what it began.

        Args:
            number: Its digits, country code first.
            progress: Is told how far it is.

        Raises:
            StoreError: It cannot be written.
        """
        tombstones = Tombstones.of(self.database.key, number)
        with self.writing():
            self.database.run_many(
                "INSERT OR IGNORE INTO tombstone VALUES (?, ?)", list(tombstones.digits.items())
            )
            if "forget" in self._deletions():  # another number's was cut short; its hash is known
                tombstones = self.forgotten()
            self._note_deletion("forget", 1)
        return self._delete(progress, tombstones)

    @shows_no_values
    def purge(self, before: int, progress: OnProgress = lambda _: None) -> Deleted:
        """Delete what began before an instant; nothing keeps it from being read again.

        Args:
            before: In microseconds, on a whole minute.
            progress: Is told how far it is.

        Raises:
            StoreError: It cannot be written.
        """
        with self.writing():
            self._note_deletion("purge", before)
        return self._delete(progress, self.forgotten())

    def _note_deletion(self, what: str, until: int) -> None:
        noted = self._deletions()
        # An earlier purge that was cut short may have reached further; this one does its rest.
        noted[what] = max(until, noted.get(what, until))
        self._set_fact(_UNFINISHED, json.dumps(noted))

    def _deletions(self) -> dict[str, int]:
        return dict(json.loads(self.fact(_UNFINISHED) or "{}"))

    def _delete(self, progress: OnProgress, tombstones: Tombstones) -> Deleted:
        """Delete all that is noted to go, of this call and of any that was cut short."""
        noted, deleted = self._deletions(), Deleted()
        self.recent.clear()
        steps = len(noted) * len(RESOURCES)
        done = 0
        if "forget" in noted:
            delete_scopes(self.database, tombstones)

        def tell(share: float) -> None:
            progress((done + share) / steps)

        for resource in RESOURCES.values():
            if "purge" in noted:
                with self.writing():  # first: what is not there must not be called complete
                    self.completed_ranges(resource).discard_before(noted["purge"])
                deleted.add(delete_older(self.database, resource, noted["purge"], tell))
                done += 1
            if "forget" in noted:
                deleted.add(delete_numbers(self.database, resource, tombstones, tell))
                done += 1
        return deleted

    @property
    def deletion_unfinished(self) -> bool:
        """Whether a deletion was begun and its traces may still be in the files."""
        return bool(self._deletions())

    def end_deletion(self) -> None:
        """Note that no file holds anything of what was deleted."""
        with self.writing():
            self.database.run("DELETE FROM fact WHERE name = ?", (_UNFINISHED,))

    def pages(self, resource: Resource, name: str) -> list[tuple[str, bytes]]:
        """Pages as they were received whose query begins with a name, in the order they came."""
        return [
            (query, unpacked(body))
            for query, body in self.database.run(
                "SELECT query, body FROM page WHERE resource = ? AND query >= ? AND query < ?"
                " ORDER BY id",
                (resource.name, name, f"{name}\uffff"),
            )
        ]

    def last_page(self) -> int:
        """The number of the page kept last, 0 before the first."""
        return int(self.database.run("SELECT COALESCE(MAX(id), 0) FROM page")[0][0])

    def fact(self, name: str) -> str | None:
        """Something learnt of the account, such as how fine its time filter is."""
        values = self.database.run("SELECT value FROM fact WHERE name = ?", (name,))
        return str(values[0][0]) if values else None

    def learn(self, name: str, value: str) -> None:
        """Remember something of the account."""
        with self.writing():
            self._set_fact(name, value)

    def _set_fact(self, name: str, value: str) -> None:
        self.database.run("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, value))

    def facts(self) -> dict[str, str]:
        """What was learnt of the account, by name."""
        rows = self.database.run("SELECT name, value FROM fact ORDER BY name")
        return {name: value for name, value in rows if name not in _OWN}

    def exports(self) -> list[str]:
        """The folders that were exported to."""
        return list(json.loads(self.fact(_EXPORTS) or "[]"))

    def remember_export(self, folder: str) -> None:
        """Remember a folder that was exported to: it is not the store's to clean."""
        with self.writing():
            self._set_fact(_EXPORTS, json.dumps(sorted({*self.exports(), folder})))

    def others(self) -> list[Path]:
        """Other accounts' stores in the same folder, such as a subaccount's."""
        if self.folder is None:
            return []
        stores = self.folder.parent.glob(f"*/{FILE_NAME}")
        return sorted(path.parent for path in stores if path.parent != self.folder)

    def close(self) -> None:
        """Close the file."""
        self.database.close()


def account_folder(root: Path, base_url: str, auth_id: str) -> Path:
    """An account's folder: two accounts, or two servers, never share one.

    Example:
        >>> from pathlib import Path
        >>> account_folder(Path("data"), "http://127.0.0.1:80", "MAXXXXXXXXXXXXXXXXXX").name
        'http_127.0.0.1_80_MAXXXXXXXXXXXXXXXXXX'
    """
    return root / f"{re.sub(r'[^a-z0-9.]+', '_', base_url.lower())}_{auth_id}"
