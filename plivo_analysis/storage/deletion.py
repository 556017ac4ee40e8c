"""Deletion: what the user wants gone is gone from rows, history, notes and raw pages alike.

It goes in batches, each looked through and removed within one write transaction. Looking first
and writing later would write back what another process deleted in between; one transaction over
everything would keep every pull waiting for a minute. A process that dies on the way leaves a
part undone: ``Store`` notes beforehand what is to go, and the next deletion finishes it.

What the file still holds of removed rows (free space, the write-ahead log) goes with
``Database.secure_vacuum``; files derived from them lie outside the store, and are the caller's.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from plivo_analysis.parsing.pages import READERS
from plivo_analysis.parsing.strict_json import canonical, parse_json
from plivo_analysis.storage.records import Records, change_day
from plivo_analysis.values.spans import EVER, Span

if TYPE_CHECKING:
    from plivo_analysis.api.resources import Resource
    from plivo_analysis.storage.database import Database
    from plivo_analysis.storage.tombstones import Tombstones

OnProgress = Callable[[float], object]
"""Is told which share of the work is done, from 0 to 1."""

_ROWS, _PAGES = 5_000, 250  # of a batch: well under a second each
_FAST = 1  # zlib level: pages are written far more often than read
_LONGEST = 16 * 2**20  # bytes; twice what is accepted over the wire
_LISTS = ("sessions", "objects")


@dataclass(slots=True)
class Deleted:
    """What was deleted.

    Args:
        records: Records, those set aside included.
        pages: Raw pages that records were cut out of, or that went whole.
    """

    records: int = 0
    pages: int = 0

    def add(self, other: Deleted) -> None:
        """Add another count to this one."""
        self.records += other.records
        self.pages += other.pages


def delete_older(
    database: Database, resource: Resource, before: int, progress: OnProgress
) -> Deleted:
    """Delete what began before an instant.

    Args:
        database: Where it is kept.
        resource: What is deleted.
        before: In microseconds.
        progress: Is told how far it is.

    Raises:
        StoreError: The store is damaged, or cannot be written.
    """
    name, deleted = resource.name, Deleted()

    def delete(table: str, condition: str, *values: int) -> int:
        return len(
            database.run(
                f"DELETE FROM {table} WHERE resource = ? AND {condition} RETURNING 1",  # noqa: S608 - words of ours
                (name, *values),
            )
        )

    days = Records(database, resource).days(Span(EVER.start, before))
    # A day at a time: its count of changes must move with its records, or its Parquet file, which
    # still holds them, would be taken for valid.
    for number, day in enumerate(days):
        with database.writing():
            end = min(day.span.end, before)
            if gone := delete("record", "instant >= ? AND instant < ?", day.start, end):
                change_day(database, name, day.start, records=-gone, changes=gone)
        deleted.records += gone
        progress(number / len(days) / 2)
    with database.writing():
        deleted.records += delete("set_aside", "instant < ?", before)
        deleted.pages += delete("page", "last < ?", before)

    def cut(number: int, body: bytes, first: int, read_at: int) -> None:
        def is_older(record: object) -> bool:
            instant = READERS[resource.name](record).instant
            return (read_at if instant is None else instant) < before

        # `first` is the earliest instant of the page. Most pages lie wholly after `before`.
        if first < before:
            rest, gone = redact(_unpacked(database, body), is_older, lambda _: False)
            # From here on the page is known to hold nothing older, and the next purge skips it.
            _write_page(database, number, rest, gone, first=before)
            deleted.pages += 1

    columns = "body, first, read_at"
    _scan(database, name, "page", columns, cut, progress=lambda n: progress((1 + n) / 2))
    _delete_orphans(database, name)
    return deleted


def delete_numbers(
    database: Database, resource: Resource, tombstones: Tombstones, progress: OnProgress
) -> Deleted:
    """Delete every record in which one of the numbers is found, and what was asked with one.

    Args:
        database: Where they are kept.
        resource: Whose records.
        tombstones: The numbers.
        progress: Is told how far it is.

    Raises:
        StoreError: The store is damaged, or cannot be written.
    """
    name, deleted = resource.name, Deleted()

    def clean_page(number: int, body: bytes, first: int) -> None:
        page = _unpacked(database, body)
        if tombstones.within_json(page.decode("utf-8-sig")):
            rest, gone = redact(page, tombstones.within, tombstones.within)
            _write_page(database, number, rest, gone, first=first)
            deleted.pages += 1

    def clean_row(table: str, number: int, raw: str, instant: int) -> None:
        if tombstones.within_json(raw):
            database.run(f"DELETE FROM {table} WHERE rowid = ?", (number,))  # noqa: S608 - a name of ours
            deleted.records += table != "history"
            if table == "record":
                change_day(database, name, instant, records=-1)

    _scan(database, name, "page", "body, first", clean_page, progress=lambda n: progress(n / 2))
    for table, columns in (("set_aside", "raw, instant"), ("history", "raw, 0")):
        _scan(database, name, table, columns, partial(clean_row, table))
    columns, clean = "raw, instant", partial(clean_row, "record")
    _scan(database, name, "record", columns, clean, progress=lambda n: progress((1 + n) / 2))
    _delete_orphans(database, name)
    return deleted


def delete_scopes(database: Database, tombstones: Tombstones) -> None:
    """Forget what was asked with filters that name one of the numbers."""
    # The filter itself is kept as a hash only; the hashes of its numbers stand beside it.
    with database.writing():
        for scope, numbers in database.run("SELECT scope, numbers FROM scope"):
            if tombstones.digits.keys() & set(json.loads(numbers)):
                for table in ("listed", "completed_range", "checkpoint", "lease", "scope"):
                    database.run(f"DELETE FROM {table} WHERE scope = ?", (scope,))  # noqa: S608 - a name of ours


def _scan(
    database: Database,
    resource: str,
    table: str,
    columns: str,
    clean: Callable[..., None],
    *,
    progress: OnProgress = lambda _: None,
) -> None:
    """Call a function with the number and the columns of every row of a table, in batches."""
    (last,) = database.run(f"SELECT COALESCE(MAX(rowid), 1) FROM {table}")[0]  # noqa: S608 - names of ours
    reached = 0
    while True:
        with database.writing():
            # By rowid, not by offset: rows that are deleted on the way would shift what follows.
            # The plus keeps SQLite from an index on the resource, which it would have to sort.
            rows = database.run(
                f"SELECT rowid, {columns} FROM {table} WHERE +resource = ? AND rowid > ?"  # noqa: S608 - names of ours
                " ORDER BY rowid LIMIT ?",
                (resource, reached, _PAGES if table == "page" else _ROWS),
            )
            for row in rows:
                clean(*row)
        # Rows that are kept meanwhile come at the end, and are looked at too.
        if not rows:
            return
        reached = rows[-1][0]
        progress(min(1.0, reached / last))


def _delete_orphans(database: Database, resource: str) -> None:
    """Delete what hangs on records that are not there any more."""
    # Of both expressions over `key` below, the one with substr finds the record by its index, the
    # other tells it from those of the same beginning; pluses keep SQLite from slower indexes.
    with database.writing():
        for table in ("history", "note", "listed"):
            database.run(
                f"DELETE FROM {table} WHERE resource = ? AND NOT EXISTS (SELECT 1 FROM record r"  # noqa: S608 - a name of ours
                f" WHERE substr(r.key, 1, 8) = substr({table}.key, 1, 8) AND +r.key = {table}.key"
                f" AND +r.resource = {table}.resource) AND NOT EXISTS (SELECT 1 FROM set_aside a"
                f" WHERE a.resource = {table}.resource AND a.key = {table}.key)",
                (resource,),
            )


def _write_page(database: Database, number: int, body: bytes, gone: int, *, first: int) -> None:
    database.run(
        "UPDATE page SET body = ?, first = ?, redacted = redacted + ? WHERE id = ?",
        (packed(body), first, gone, number),
    )


def _unpacked(database: Database, compressed: bytes) -> bytes:
    try:
        return unpacked(compressed)
    except zlib.error:
        pass
    raise database.damaged("a page is not what was received")


def packed(body: bytes) -> bytes:
    """A page as it is kept.

    Example:
        >>> unpacked(packed(b"{}"))
        b'{}'
    """
    return zlib.compress(body, _FAST)


def unpacked(compressed: bytes) -> bytes:
    """A page as it was received.

    Raises:
        zlib.error: It is not what `packed` gave, or unpacks without end.
    """
    # A damaged or hostile file could unpack without end: the limit is the unpacker's own.
    reader = zlib.decompressobj()
    body = reader.decompress(compressed, _LONGEST)
    if not reader.eof or not body:
        raise zlib.error("cut short, or too long")
    return body


def redact(
    body: bytes, unwanted: Callable[[object], bool], hidden: Callable[[object], bool]
) -> tuple[bytes, int]:
    """A page without the records that are unwanted.

    Args:
        body: The page: a listing, or one record.
        unwanted: Whether a record is to go.
        hidden: Whether something beside the records is to become null, such as the address of
            the next page, which repeats what was asked.

    Returns:
        The page and how many records were cut out; the very bytes where nothing was to go.

    Example:
        >>> redact(b'{"sessions":["a","b"],"meta":{}}', lambda text: text == "a", lambda _: False)
        (b'{"meta":{},"sessions":["b"]}', 1)
    """
    page = parse_json(body)
    if not isinstance(page, dict):
        return body, 0
    name = next((name for name in _LISTS if isinstance(page.get(name), list)), None)
    if name is None:
        return (b"{}", 1) if unwanted(page) else (body, 0)
    kept = [record for record in page[name] if not unwanted(record)]
    gone = len(page[name]) - len(kept)
    rest = {other: value for other, value in page.items() if other != name}
    cleaned = {other: None if hidden(value) else value for other, value in rest.items()}
    if not gone and cleaned == rest:
        return body, 0
    return canonical({**cleaned, name: kept}).encode(), gone
