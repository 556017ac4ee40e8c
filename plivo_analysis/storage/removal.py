"""Removal: what the user wants gone is gone from rows, history, notes and raw pages alike.

Records are looked for in one pass that only reads, and removed in one transaction. What the
file system still holds of them afterwards (free pages, the write-ahead log) goes with
``Database.scour``; what is derived of them lies outside the store and is the caller's.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from plivo_analysis.parsing.strict_json import parse_json
from plivo_analysis.storage.days import Days
from plivo_analysis.storage.redaction import cut, packed, unpacked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from plivo_analysis.api.resources import Resource
    from plivo_analysis.storage.database import Database

_AT_ONCE = 200  # pages held in memory


@dataclass(slots=True)
class Removed:
    """What was removed.

    Args:
        records: Records, those set aside included.
        pages: Raw pages that records were cut out of, or that went whole.
    """

    records: int = 0
    pages: int = 0

    def add(self, other: Removed) -> None:
        """Add another count to this one."""
        self.records += other.records
        self.pages += other.pages


@dataclass(frozen=True, slots=True)
class Unwanted:
    """What is to go.

    Args:
        record: Whether a record is, given as JSON and with when it was read.
        told: Whether something else in a page is, such as an address that repeats a filter.
        emptied: Whether pages that hold no record any more are to go too.
    """

    record: Callable[[object, int], bool]
    told: Callable[[object], bool]
    emptied: bool = False


@dataclass(slots=True)
class _Found:
    keys: set[str] = field(default_factory=set)
    instants: list[int] = field(default_factory=list)
    histories: list[int] = field(default_factory=list)
    pages: list[tuple[bytes, int, int]] = field(default_factory=list)
    emptied: list[int] = field(default_factory=list)


def remove(database: Database, resource: Resource, unwanted: Unwanted) -> Removed:
    """Remove the records of a resource that are unwanted, wherever they are kept.

    Args:
        database: Where they are kept.
        resource: Whose records.
        unwanted: Which.

    Returns:
        How much it was.

    Raises:
        StoreError: The store is damaged, or cannot be written.
    """
    with database.reading():
        found = _look(database, resource, unwanted)
    with database.writing():
        _take_out(database, resource, found)
    return Removed(len(found.keys), len(found.pages) + len(found.emptied))


def drop_scopes(database: Database, resource: Resource, told: Callable[[object], bool]) -> None:
    """Forget what was asked with filters that name something unwanted."""
    for table in ("member", "complete", "bookmark", "claim"):
        scopes = database.run(
            f"SELECT DISTINCT scope FROM {table} WHERE resource = ?",  # noqa: S608 - a name of ours
            (resource.name,),
        )
        for (scope,) in scopes:
            if told(list(dict(parse_qsl(scope)).values())):
                database.run(
                    f"DELETE FROM {table} WHERE resource = ? AND scope = ?",  # noqa: S608 - as above
                    (resource.name, scope),
                )


def _look(database: Database, resource: Resource, unwanted: Unwanted) -> _Found:
    found = _Found()
    name = (resource.name,)
    for key, raw, read_at, instant in database.run(
        "SELECT key, raw, read_at, instant FROM record WHERE resource = ?", name
    ):
        if unwanted.record(parse_json(raw.encode()), read_at):
            found.keys.add(key)
            found.instants.append(instant)
    for key, raw, read_at in database.run(
        "SELECT key, raw, read_at FROM set_aside WHERE resource = ?", name
    ):
        if unwanted.record(parse_json(raw.encode()), read_at):
            found.keys.add(key)
    for rowid, raw, read_at in database.run(
        "SELECT rowid, raw, read_at FROM history WHERE resource = ?", name
    ):
        if unwanted.record(parse_json(raw.encode()), read_at):
            found.histories.append(rowid)
    for number, kept, read_at in _pages(database, resource):
        _look_into(database, found, (number, kept, read_at), unwanted)
    return found


def _pages(database: Database, resource: Resource) -> Iterator[tuple[int, bytes, int]]:
    last = 0
    while some := database.run(
        "SELECT id, body, read_at FROM page WHERE resource = ? AND id > ? ORDER BY id LIMIT ?",
        (resource.name, last, _AT_ONCE),
    ):
        yield from some
        last = some[-1][0]


def _look_into(
    database: Database, found: _Found, page: tuple[int, bytes, int], unwanted: Unwanted
) -> None:
    number, kept, read_at = page
    try:
        body = unpacked(kept)
    except zlib.error:
        body = b""
    if not body:
        raise database.damaged("a page is not what was received")
    rest, gone, left = cut(body, lambda record: unwanted.record(record, read_at), unwanted.told)
    if unwanted.emptied and not left:
        found.emptied.append(number)
    elif rest is not body:
        found.pages.append((packed(rest), gone, number))


def _take_out(database: Database, resource: Resource, found: _Found) -> None:
    def run(statement: str, *values: Any) -> None:
        database.run(statement, values)

    for key in found.keys:
        for table in ("record", "history", "note", "set_aside", "member"):
            run(
                f"DELETE FROM {table} WHERE resource = ? AND key = ?",  # noqa: S608 - a name of ours
                resource.name,
                key,
            )
    days = Days(database, resource.name)
    for instant in found.instants:
        days.change(instant, records=-1)
    for rowid in found.histories:
        run("DELETE FROM history WHERE rowid = ?", rowid)
    for body, gone, number in found.pages:
        run("UPDATE page SET body = ?, cut = cut + ? WHERE id = ?", body, gone, number)
    for number in found.emptied:
        run("DELETE FROM page WHERE id = ?", number)
