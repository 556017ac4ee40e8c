"""One account's store: ledger and archive over one connection, and where it lies."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from plivo_analysis.api.resources import RESOURCES
from plivo_analysis.parsing.pages import READERS
from plivo_analysis.storage.completed_ranges import Checkpoint, CompletedRange, CompletedRanges
from plivo_analysis.storage.database import Database
from plivo_analysis.storage.days import Days
from plivo_analysis.storage.forgotten import Forgotten, digest
from plivo_analysis.storage.leases import Leases
from plivo_analysis.storage.merging import Merging, Tally
from plivo_analysis.storage.records import Records
from plivo_analysis.storage.redaction import cut, packed
from plivo_analysis.storage.removal import Removed, Unwanted, drop_scopes, remove
from plivo_analysis.values.spans import to_us

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from plivo_analysis.api.resources import Resource
    from plivo_analysis.parsing.records import Record
    from plivo_analysis.values.spans import Span


_KEY = "pseudonym_key"
_UNFINISHED = "removal unfinished"
_EXPORTS = "exports"
_OWN = frozenset({_KEY, _UNFINISHED, _EXPORTS})


@dataclass(frozen=True, slots=True)
class Reading:
    """One answered request, ready to be kept.

    Args:
        query: What was asked, as text without numbers or secrets.
        body: The page as received.
        records: Its records.
        read_at: When, in microseconds.
        complete: The ranges that are complete with it.
        passed: The range of the walk, if it may be gone on with: older bookmarks in what it has
            read or named are out of date.
        checkpoint: Where the walk stands after it.
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
    """

    def __init__(self, folder: Path | None) -> None:
        self._database = Database(folder)
        self.folder = folder
        self.path = self._database.path

    def records(self, resource: Resource) -> Records:
        """The records of a resource."""
        return Records(self._database, resource)

    def completed_ranges(self, resource: Resource) -> CompletedRanges:
        """The complete ranges of a resource."""
        return CompletedRanges(self._database, resource.name)

    def leases(self, resource: Resource, scope: str) -> Leases:
        """Who reads which range of a resource under a filter."""
        return Leases(self._database, resource.name, scope)

    def days(self, resource: Resource) -> Days:
        """The days of a resource, and what is derived of them."""
        return Days(self._database, resource.name)

    def writing(self) -> AbstractContextManager[None]:
        """One transaction over ledger and archive."""
        return self._database.writing()

    def reading(self) -> AbstractContextManager[None]:
        """One state of ledger and archive for several questions."""
        return self._database.reading()

    @property
    def journal(self) -> str:
        """How transactions are kept: ``wal``, ``delete`` or ``memory``."""
        return self._database.journal

    def keep(self, resource: Resource, scope: str, reading: Reading) -> Tally:
        """Keep a page, its records and the place reached, all or nothing."""
        with self.writing():
            reading, gone = self._without_forgotten(reading)
            page = self._database.insert(
                "INSERT INTO page (resource, query, body, read_at, cut) VALUES (?, ?, ?, ?, ?)",
                (resource.name, reading.query, packed(reading.body), reading.read_at, gone),
            )
            tally = Tally(received=gone, forgotten=gone)
            Merging(self._database, resource, page, reading.read_at, tally).keep(reading.records)
            if scope:
                self.records(resource).join(scope, reading.records)
            ledger = self.completed_ranges(resource)
            for entry in reading.complete:
                ledger.record(entry)
                ledger.drop_checkpoints(scope, entry.span)
            if reading.passed is not None:
                ledger.drop_checkpoints(scope, reading.passed)
            if reading.checkpoint is not None:
                ledger.set_checkpoint(scope, reading.checkpoint)
        return tally

    def _without_forgotten(self, reading: Reading) -> tuple[Reading, int]:
        """A reading without the records of numbers that are to stay forgotten."""
        forgotten = self.forgotten()
        if not forgotten:
            return reading, 0
        records = [record for record in reading.records if not forgotten.of(record)]
        body, _, _ = cut(reading.body, forgotten.within, forgotten.within)
        return (
            replace(reading, records=records, body=body),
            len(reading.records) - len(records),
        )

    def forgotten(self) -> Forgotten:
        """The numbers that are to stay forgotten, known by their hashes only."""
        rows = self._database.run("SELECT digest FROM forgotten")
        if not rows:
            return Forgotten(b"", frozenset())
        return Forgotten(self.pseudonym_key(), frozenset(text for (text,) in rows))

    def forget(self, number: str) -> Removed:
        """Remove what is of a telephone number, and keep it from coming back.

        What is to go is noted first, the number by its hash: whatever removal comes next after
        a process died half-way finishes what it began.

        Raises:
            StoreError: It cannot be written.
        """
        key = self.pseudonym_key()
        with self.writing():
            self._database.run("INSERT OR IGNORE INTO forgotten VALUES (?)", (digest(key, number),))
            self._note_removal(forget=1)
        return self._remove()

    def purge(self, before: int) -> Removed:
        """Remove what began before an instant; nothing keeps it from being read again.

        Args:
            before: In microseconds, on a whole minute.

        Raises:
            StoreError: It cannot be written.
        """
        with self.writing():
            self._note_removal(purge=before)
        return self._remove()

    def _note_removal(self, **wanted: int) -> None:
        noted = self._removals()
        for what, until in wanted.items():
            noted[what] = max(until, noted.get(what, until))
        self._database.run(
            "INSERT OR REPLACE INTO fact VALUES (?, ?)", (_UNFINISHED, json.dumps(noted))
        )

    def _removals(self) -> dict[str, int]:
        return dict(json.loads(self.fact(_UNFINISHED) or "{}"))

    def _remove(self) -> Removed:
        removed = Removed()
        noted = self._removals()
        if "purge" in noted:
            removed.add(self._remove_older(noted["purge"]))
        if "forget" in noted:
            removed.add(self._remove_forgotten())
        return removed

    def _remove_older(self, before: int) -> Removed:
        removed = Removed()
        for resource in RESOURCES.values():
            with self.writing():  # first: what is not there must not be called complete
                self.completed_ranges(resource).cut_before(before)
            removed.add(remove(self._database, resource, _older(resource, before)))
        return removed

    def _remove_forgotten(self) -> Removed:
        forgotten = self.forgotten()
        unwanted = Unwanted(lambda record, _: forgotten.within(record), forgotten.within)
        removed = Removed()
        for resource in RESOURCES.values():
            removed.add(remove(self._database, resource, unwanted))
            with self.writing():
                drop_scopes(self._database, resource, forgotten.within)
        return removed

    @property
    def removal_unfinished(self) -> bool:
        """Whether a removal was begun and its traces may still be in the files."""
        return bool(self._removals())

    def scour(self) -> None:
        """Overwrite what removed records left in the store's files.

        Raises:
            StoreError: Another process is reading; close it and call again.
        """
        self._database.scour()

    def end_removal(self) -> None:
        """Note that no file holds anything of what was removed."""
        with self.writing():
            self._database.run("DELETE FROM fact WHERE name = ?", (_UNFINISHED,))

    def last_page(self) -> int:
        """The number of the page kept last, 0 before the first."""
        return int(self._database.run("SELECT COALESCE(MAX(id), 0) FROM page")[0][0])

    def fact(self, name: str) -> str | None:
        """Something learnt of the account, such as how fine its time filter is."""
        values = self._database.run("SELECT value FROM fact WHERE name = ?", (name,))
        return str(values[0][0]) if values else None

    def learn(self, name: str, value: str) -> None:
        """Remember something of the account."""
        with self.writing():
            self._database.run("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, value))

    def facts(self) -> dict[str, str]:
        """What was learnt of the account, by name."""
        rows = self._database.run("SELECT name, value FROM fact ORDER BY name")
        return {name: value for name, value in rows if name not in _OWN}

    def exports(self) -> list[str]:
        """The folders that were exported to."""
        return list(json.loads(self.fact(_EXPORTS) or "[]"))

    def remember_export(self, folder: str) -> None:
        """Remember a folder that was exported to: it is not the store's to clean."""
        self.learn(_EXPORTS, json.dumps(sorted({*self.exports(), folder})))

    def pseudonym_key(self) -> bytes:
        """The random key under which this store's telephone numbers are hashed."""
        if self.fact(_KEY) is None:
            with self.writing():
                self._database.run(
                    "INSERT OR IGNORE INTO fact VALUES (?, ?)", (_KEY, secrets.token_hex(32))
                )
        return bytes.fromhex(self.fact(_KEY) or "")

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def _older(resource: Resource, before: int) -> Unwanted:
    read = READERS[resource.name]

    def is_older(value: object, read_at: int) -> bool:
        instant = read(value).instant
        return (read_at if instant is None else to_us(instant)) < before

    return Unwanted(is_older, lambda _: False, emptied=True)


def account_folder(root: Path, base_url: str, auth_id: str) -> Path:
    """An account's folder: two accounts, or two servers, never share one.

    Example:
        >>> from pathlib import Path
        >>> account_folder(Path("data"), "http://127.0.0.1:80", "MAXXXXXXXXXXXXXXXXXX").name
        'http_127.0.0.1_80_MAXXXXXXXXXXXXXXXXXX'
    """
    return root / f"{re.sub(r'[^a-z0-9.]+', '_', base_url.lower())}_{auth_id}"
