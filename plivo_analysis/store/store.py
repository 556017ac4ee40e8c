"""One account's store: ledger and archive over one connection, and where it lies."""

from __future__ import annotations

import os
import re
import secrets
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import platformdirs

from plivo_analysis.store.archive import Archive, Tally
from plivo_analysis.store.database import Database
from plivo_analysis.store.days import Days
from plivo_analysis.store.ledger import Bookmark, Entry, Ledger

if TYPE_CHECKING:
    from collections.abc import Sequence
    from contextlib import AbstractContextManager

    from plivo_analysis.records import Record
    from plivo_analysis.resources import Resource

HOME_VARIABLE = "PLIVO_ANALYSIS_HOME"

_APP = "plivo_analysis"
_FAST = 1  # zlib level: pages are written far more often than read


@dataclass(frozen=True, slots=True)
class Reading:
    """One answered request, ready to be kept.

    Args:
        query: What was asked, as text without numbers or secrets.
        body: The page as received.
        records: Its records.
        read_at: When, in microseconds.
        complete: The ranges that are complete with it.
        bookmark: Where the walk stands after it: the end of its open part, and the place.
    """

    query: str
    body: bytes = field(repr=False)
    records: Sequence[Record]
    read_at: int
    complete: Sequence[Entry] = ()
    bookmark: tuple[int, Bookmark] | None = None


class Store:
    """Everything that was read of one account.

    Args:
        folder: The account's folder; ``None`` keeps everything in memory, by the same code.
    """

    def __init__(self, folder: Path | None) -> None:
        self._database = Database(folder)
        self.folder = folder
        self.path = self._database.path

    def archive(self, resource: Resource) -> Archive:
        """The records of a resource."""
        return Archive(self._database, resource)

    def ledger(self, resource: Resource) -> Ledger:
        """The complete ranges of a resource."""
        return Ledger(self._database, resource.name)

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
        tally = Tally()
        with self.writing():
            page = self._database.insert(
                "INSERT INTO page (resource, query, body, read_at) VALUES (?, ?, ?, ?)",
                (
                    resource.name,
                    reading.query,
                    zlib.compress(reading.body, _FAST),
                    reading.read_at,
                ),
            )
            archive = self.archive(resource)
            for record in reading.records:
                archive.keep(record, page=page, read_at=reading.read_at, tally=tally)
            if scope:
                archive.join(scope, reading.records)
            ledger = self.ledger(resource)
            for entry in reading.complete:
                ledger.record(entry)
                ledger.drop_bookmarks(scope, entry.span)
            if reading.bookmark is not None:
                ledger.set_bookmark(scope, *reading.bookmark)
        return tally

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

    def pseudonym_key(self) -> bytes:
        """The random key under which this store's telephone numbers are hashed."""
        with self.writing():
            self._database.run(
                "INSERT OR IGNORE INTO fact VALUES ('pseudonym_key', ?)", (secrets.token_hex(32),)
            )
        return bytes.fromhex(self.fact("pseudonym_key") or "")

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def default_folder() -> Path:
    """Where stores lie unless told otherwise: under ``PLIVO_ANALYSIS_HOME``, or the user's data."""
    home = os.environ.get(HOME_VARIABLE)
    if home:
        return Path(home) / "data"
    return Path(platformdirs.user_data_dir(_APP, appauthor=False))


def account_folder(root: Path, base_url: str, auth_id: str) -> Path:
    """An account's folder: two accounts, or two servers, never share one.

    Example:
        >>> account_folder(Path("data"), "http://127.0.0.1:80", "MAXXXXXXXXXXXXXXXXXX").name
        'http_127.0.0.1_80_MAXXXXXXXXXXXXXXXXXX'
    """
    return root / f"{re.sub(r'[^a-z0-9.]+', '_', base_url.lower())}_{auth_id}"
