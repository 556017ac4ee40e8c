"""The Parquet cache: one file a UTC day and table, written where the day is complete.

A file is used only if it is what was written, and if its day has not changed since. The store
notes of each file the day's count of changes at which it was made, the release that made it, its
size and its checksum. A file that does not fit these, for whatever reason, is made anew. Files
are written atomically, within the transaction that notes them. They are not synced to the disk:
a power failure may cut one short, and its size and checksum then tell.

A range is read from one state of the store, so that a record that moves to another day or
settles while it is read comes once. Days that had to be read from the store are written on the
way; the next call finds them. ``read`` gives a range of a resource in memory, ``locate`` says
where a range of any table is, for engines that read files themselves.
"""

from __future__ import annotations

import logging
import os
import warnings
import zlib
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING, Any

import polars as pl

from plivo_analysis.api.resources import RESOURCES
from plivo_analysis.errors import PlivoAnalysisWarning, SchemaError, StoreError
from plivo_analysis.storage.day_files import (
    DERIVED,
    FOLDER,
    TABLES,
    batches,
    derived_tables,
    encode,
    file_name,
    file_of,
    parquet_files,
    parts_of,
    resource_of,
)
from plivo_analysis.storage.folder import make_private
from plivo_analysis.system.files import write_atomically
from plivo_analysis.system.versions import __version__
from plivo_analysis.tables.convert import from_rows
from plivo_analysis.values.spans import DAY, EVER, Span, ceil, subtract

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from plivo_analysis.api.resources import Resource
    from plivo_analysis.storage.records import Day
    from plivo_analysis.storage.store import Store
    from plivo_analysis.values.table_types import Table

_LOG = logging.getLogger(__name__)
_WORTH_WRITING = 5_000  # rows of closed days
_ROWS_AT_ONCE = 10_000  # rows that are Python objects at the same time: 5 kB each
# Which release makes a table, and of what columns: another one's files are made anew.
_MAKERS = {
    table.name: f"{__version__} {zlib.crc32(str(table.polars()).encode()):08x}"
    for tables in TABLES.values()
    for table in tables
}


@dataclass(slots=True)
class _Part:
    """A day as it was found: a file or its bytes, rows just received, or the store's records."""

    day: Day
    complete: bool
    checksums: Mapping[str, int]  # of its files by table; none, unless all of them are there
    file: Path | bytes | None = None
    rows: pl.DataFrame | None = field(default=None, repr=False)
    raws: list[str] = field(default_factory=list)


def read(
    store: Store,
    resource: Resource,
    span: Span,
    *,
    oldest: int = EVER.start,
    columns: Sequence[str] = (),
) -> pl.DataFrame:
    """What the store holds of a range, by instant and key.

    Args:
        store: The store.
        resource: What is asked for.
        span: The range.
        oldest: How far back the server goes, in microseconds. What is complete from there on
            will never be more complete.
        columns: The columns wanted; without, all of them.

    Returns:
        The resource's table, or these columns of it.

    Raises:
        StoreError: The store is damaged.

    Example:
        >>> from plivo_analysis.api.resources import SESSION_RESOURCE
        >>> from plivo_analysis.storage.store import Store
        >>> read(Store(None), SESSION_RESOURCE, EVER).height
        0
    """
    # Runs of days that are read alike go together: one scan for many files is far faster. It scans
    # bytes, not paths: another process may replace or remove a file after it was checked.
    needed = list(dict.fromkeys([*(columns or resource.table.names), resource.instant]))
    frames = []
    for files, unfiled in _runs(_find(store, resource.table, span, oldest, _body)):
        if files:
            frames.append(pl.scan_parquet(files).select(needed).collect())
        else:
            frames.append(_from_store(store, resource, unfiled).select(needed))
    if not frames:
        frames = [resource.table.polars().to_frame().select(needed)]
    (rows,) = parts_of(pl.concat(frames), resource.instant, [span])
    return rows.select(columns) if columns else rows


def locate(
    store: Store, table: Table, span: Span, *, oldest: int = EVER.start
) -> list[list[Path] | pl.DataFrame]:
    """Where the days of a range are, for an engine that reads Parquet itself.

    Complete days without a file get one first, few days at a time, so that the memory this
    takes is that of the days that are not complete, however many the range has.

    Args:
        store: The store.
        table: One of ``TABLES``.
        span: The range; the days that it touches are given whole.
        oldest: As for ``read``.

    Returns:
        Files of days, or rows of days without one, in the order of time.

    Raises:
        SchemaError: A session of a day without a file has money beyond all bounds.
        StoreError: The store is damaged.

    Example:
        >>> from plivo_analysis.storage.store import Store
        >>> from plivo_analysis.tables.exploded_columns import ATTEMPTS
        >>> locate(Store(None), ATTEMPTS, EVER)
        []
    """
    resource = resource_of(table)
    if store.folder is not None:
        with store.reading():
            lacking = [
                part.day
                for part in _parts(store, resource, span, oldest)
                if part.complete and _file(store.folder, table, part) is None
            ]
        # `read` looks at the file of the resource's own table alone, and would not see that this
        # one is damaged. A day that lacks one of its files it reads and writes anew.
        for day in lacking:
            with suppress(OSError):
                file_of(store.folder, table, day).unlink()
        for days in batches(lacking):
            read(store, resource, Span(days[0].start, days[-1].span.end), oldest=oldest)
    # Looked up anew: what could not be written, or has changed meanwhile, comes as rows.
    places: list[list[Path] | pl.DataFrame] = []
    for files, unfiled in _runs(_find(store, table, span, oldest, _file)):
        if files:
            places.append(files)
        else:
            rows = _rows(store, resource, unfiled)
            places.append(DERIVED[table.name](rows) if table.name in DERIVED else rows)
    return places


def write_closed(store: Store, resource: Resource, complete: Iterable[Span]) -> None:
    """Write the days that have closed, from the rows that came with their pages.

    So that the table is there when the last page is, in the memory of a few days. Days of few
    rows are written together, or with the first reading: to explode five rows costs as much as
    five thousand.

    Args:
        store: The store.
        resource: What a page held.
        complete: What is complete with the page. Pages come newest first, so that a day closes
            with its start.

    Example:
        >>> from plivo_analysis.api.resources import SESSION_RESOURCE
        >>> from plivo_analysis.storage.store import Store
        >>> write_closed(Store(None), SESSION_RESOURCE, [EVER])
    """
    store.recent.make_columns(resource)
    closes = any(ceil(span.start, DAY) < span.end for span in complete)
    if store.folder is None or not closes or store.recent.count(resource) < _WORTH_WRITING:
        return
    frames, days = [], []
    for part in _parts(store, resource, EVER, EVER.start):
        # None of a day whose rows this process did not see all arrive: the first reading writes it.
        rows = store.recent.of(resource, part.day) if part.complete else None
        if rows is not None:
            frames.append(rows)
            days.append(part.day)
    if sum(rows.height for rows in frames) >= _WORTH_WRITING:
        with suppress(OSError, StoreError):  # reading tries again, and warns
            _write(store, resource, days, pl.concat(frames))


def discard_stale(store: Store) -> None:
    """Remove every file that the store does not vouch for: they may hold what it no longer has.

    Example:
        >>> from plivo_analysis.storage.store import Store
        >>> discard_stale(Store(None))
    """
    folder = store.folder
    if folder is None:
        return
    # No other process may publish a file between the list of good ones and the removal.
    with store.writing():
        good = {
            _file(folder, table, part)
            for name, tables in TABLES.items()
            for part in _parts(store, RESOURCES[name], EVER, EVER.start)
            for table in tables
        }
        for path in parquet_files(folder):
            if path not in good:
                path.unlink(missing_ok=True)


def _find(
    store: Store,
    table: Table,
    span: Span,
    oldest: int,
    look: Callable[[Path, Table, _Part], Path | bytes | None],
) -> list[_Part]:
    """The days of a range: what ``look`` finds of their files, else their records."""
    # One transaction: between two, a record could move from a day not yet read to one read. Only
    # texts are fetched in it. To parse them takes far longer, and is done after it.
    resource = resource_of(table)
    with store.reading():
        parts = _parts(store, resource, span, oldest)
        for part in parts:
            if store.folder is not None:
                part.file = look(store.folder, table, part)
            if part.file is None:
                if part.checksums:
                    _LOG.info("A Parquet file of %s is damaged; it is made anew.", table.name)
                part.rows = store.recent.of(resource, part.day)
            if part.file is None and part.rows is None:
                part.raws = store.records(resource).raws(part.day.span)
    return parts


def _parts(store: Store, resource: Resource, span: Span, oldest: int) -> list[_Part]:
    """The days of a range, each with the checksums of its files if all of them are there.

    A file counts if it has the size that was noted, and was made by this release of the day as it
    now is.
    """
    sizes = {table.name: _sizes(store.folder, table) for table in TABLES[resource.name]}
    noted: defaultdict[tuple[int, int], dict[str, int]] = defaultdict(dict)
    for start, changes, name, maker, size, checksum in store.database.run(
        "SELECT day, changes, name, maker, size, checksum FROM parquet_file WHERE resource = ?",
        (resource.name,),
    ):
        if maker == _MAKERS[name] and sizes[name].get(file_name(start)) == size:
            noted[start, changes][name] = checksum
    complete = store.completed_ranges(resource).complete("")
    parts = []
    for day in store.records(resource).days(span):
        # Complete, if all of it was read without a filter, or all but what the server has given up
        # since. A day of which no part was read so holds what filters listed: it stays in SQLite.
        rest = subtract(day.span, complete)
        whole = rest != [day.span] and all(gap.end <= oldest for gap in rest)
        files = noted[day.start, day.changes]
        parts.append(_Part(day, whole, files if files.keys() == sizes.keys() else {}))
    return parts


def _sizes(folder: Path | None, table: Table) -> dict[str, int]:
    """The files of a table by name: to list a folder costs less than to look for each file."""
    sizes = {}
    if folder is not None:
        with suppress(OSError), os.scandir(folder / FOLDER / table.name) as listed:
            for entry in listed:
                with suppress(OSError):  # another process has just renamed a temporary file
                    sizes[entry.name] = entry.stat().st_size
    return sizes


def _runs(parts: list[_Part]) -> Iterator[tuple[list[Any], list[_Part]]]:
    """Runs of days that are read alike: their files, or the days that have none."""
    for filed, group in groupby(parts, key=lambda part: part.file is not None):
        run = list(group)
        yield ([part.file for part in run], []) if filed else ([], run)


def _body(folder: Path, table: Table, part: _Part) -> bytes | None:
    """The bytes of a day's file, if it fits and is what was written."""
    with suppress(OSError, KeyError):
        expected = part.checksums[table.name]
        body = file_of(folder, table, part.day).read_bytes()
        if zlib.crc32(body) == expected:
            return body
    return None


def _file(folder: Path, table: Table, part: _Part) -> Path | None:
    """Where a day's file is, if it fits."""
    return None if _body(folder, table, part) is None else file_of(folder, table, part.day)


def _rows(store: Store, resource: Resource, parts: Sequence[_Part]) -> pl.DataFrame:
    """The rows of days without a file."""
    records = store.records(resource)
    frames = [resource.table.polars().to_frame()]
    for part in parts:
        if part.rows is not None:
            frames.append(part.rows)
        # As Python objects the rows of a large day would take ten times the memory of its columns.
        for start in range(0, len(part.raws), _ROWS_AT_ONCE):
            raws = part.raws[start : start + _ROWS_AT_ONCE]
            frames.append(from_rows(list(records.rows(raws)), resource.table))
    return pl.concat(frames)


def _from_store(store: Store, resource: Resource, parts: Sequence[_Part]) -> pl.DataFrame:
    frame = _rows(store, resource, parts)
    try:
        _write(store, resource, [part.day for part in parts if part.complete], frame)
    except (OSError, StoreError) as error:  # what is derived can wait; the answer is here
        reason = error.strerror if isinstance(error, OSError) else error
        warnings.warn(
            f"No Parquet files were written: {reason}", PlivoAnalysisWarning, stacklevel=2
        )
    return frame


def _write(store: Store, resource: Resource, days: Sequence[Day], frame: pl.DataFrame) -> None:
    """Write the files of days, unless a day has changed since its rows were read."""
    if store.folder is None or not days:
        return
    spans = [day.span for day in days]
    try:
        tables = derived_tables(resource, frame)
    except SchemaError:  # a session whose money is beyond all bounds: its day stays in the store
        if len(days) > 1:
            for day, rows in zip(days, parts_of(frame, resource.instant, spans), strict=True):
                _write(store, resource, [day], rows)
        return
    cut = [parts_of(rows, resource.instant, spans) for _, rows in tables]
    for day, *frames in zip(days, *cut, strict=True):
        bodies = [encode(rows) for rows in frames]  # before other processes have to wait
        with store.writing():
            # The day may have changed since, perhaps because something had to be forgotten: a file
            # written now would bring it back, and nothing would remove it.
            if store.records(resource).days(day.span) != [day]:
                continue
            for (table, _), body in zip(tables, bodies, strict=True):
                path = file_of(store.folder, table, day)
                make_private(path.parent)
                write_atomically(path, body, private=True)
                stamp = (day.changes, _MAKERS[table.name], len(body), zlib.crc32(body))
                store.database.run(
                    "INSERT OR REPLACE INTO parquet_file VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (resource.name, day.start, table.name, *stamp),
                )
        store.recent.discard(resource, day.start)
