"""The shelf: a range of a resource as a frame, from files where they fit, else from the store.

Everything is taken from one state of the store, so that a record that moves or settles while
it is read comes once. Complete days that had to be read from the store are written as files
on the way: the next call finds them.
"""

from __future__ import annotations

import logging
import warnings
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

import polars as pl

from plivo_analysis.api.resources import RESOURCES
from plivo_analysis.errors import PlivoAnalysisWarning, SchemaError, StoreError
from plivo_analysis.storage.parquet import (
    PARTS,
    encode,
    fitting,
    is_there,
    lay_down,
    place,
    put_in_place,
    segment_files,
    stamp_of,
)
from plivo_analysis.tables.columns import ATTEMPTS, CHARGES
from plivo_analysis.tables.convert import from_rows
from plivo_analysis.tables.explode import explode_attempts, explode_charges
from plivo_analysis.values.spans import EVER, subtract

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from plivo_analysis.api.resources import Resource
    from plivo_analysis.storage.days import Day, Stamp
    from plivo_analysis.storage.store import Store
    from plivo_analysis.values.schema import Table
    from plivo_analysis.values.spans import Span

_LOG = logging.getLogger(__name__)


@dataclass(slots=True)
class _Found:
    """A day as it was found: a file's bytes, or the store's rows."""

    day: Day
    body: bytes | None = None
    raws: list[str] = field(default_factory=list)
    complete: bool = False


def read(store: Store, resource: Resource, span: Span, *, oldest: int = EVER.start) -> pl.DataFrame:
    """What the store holds of a range, by instant and key.

    Args:
        store: The store.
        resource: What is asked for.
        span: The range.
        oldest: How far back the server goes, in microseconds. What is complete from there on
            will never be more complete.

    Returns:
        The resource's table.

    Raises:
        StoreError: The store is damaged.

    Example:
        >>> from plivo_analysis.api.resources import SESSION_RESOURCE
        >>> from plivo_analysis.storage.store import Store
        >>> read(Store(None), SESSION_RESOURCE, EVER).height
        0
    """
    found = _find(store, resource, span, oldest)
    frames = [resource.table.polars().to_frame()]
    for of_file, together in groupby(found, key=lambda each: each.body is not None):
        run = list(together)
        frames.append(_decoded(run) if of_file else _from_store(store, resource, run))
    return _cut(pl.concat(frames), resource.instant, span)


def compact(store: Store, resource: Resource, *, oldest: int = EVER.start) -> None:
    """Write every complete day that has no file yet.

    Args:
        store: The store.
        resource: Whose days.
        oldest: As for `read`.

    Example:
        >>> from plivo_analysis.api.resources import SESSION_RESOURCE
        >>> from plivo_analysis.storage.store import Store
        >>> compact(Store(None), SESSION_RESOURCE)
    """
    found = _find(store, resource, EVER, oldest)
    _from_store(store, resource, [each for each in found if each.body is None and each.complete])


def discard_stale(store: Store) -> None:
    """Remove every file that the store does not vouch for: they may hold what it no longer has.

    Example:
        >>> from plivo_analysis.storage.store import Store
        >>> discard_stale(Store(None))
    """
    if store.folder is None:
        return
    with store.writing():
        good = set(_good_files(store, store.folder))
        for path in segment_files(store.folder):
            if path not in good:
                path.unlink(missing_ok=True)


def _good_files(store: Store, folder: Path) -> Iterator[Path]:
    for name, tables in PARTS.items():
        for day in store.days(RESOURCES[name]).within(EVER):
            for table in tables:
                if fitting(folder, table, day) is not None:
                    yield place(folder, table, day.start)


def _find(store: Store, resource: Resource, span: Span, oldest: int) -> list[_Found]:
    with store.reading():
        whole = store.completed_ranges(resource).complete("")
        archive = store.records(resource)
        found = []
        for day in store.days(resource).within(span):
            each = _Found(day, complete=_is_complete(day.span, whole, oldest))
            if store.folder is not None:
                each.body = _of_files(store.folder, resource, day)
            if each.body is None:
                each.raws = archive.raws(day.span)
            found.append(each)
    return found


def _of_files(folder: Path, resource: Resource, day: Day) -> bytes | None:
    """A day's main table, if it and what is derived with it are there and fit."""
    table, *others = PARTS[resource.name]
    if any(not is_there(folder, other, day) for other in others):
        return None
    body = fitting(folder, table, day)
    if body is None and day.stamps:
        _LOG.info("A segment of %s is stale, lost or damaged; it is made anew.", table.name)
    return body


def _is_complete(day: Span, whole: Sequence[Span], oldest: int) -> bool:
    """Whether all of a day was read without a filter, or all that the server still has of it."""
    rest = subtract(day, whole)
    return all(part.end <= oldest for part in rest) and rest != [day]


def _decoded(run: Sequence[_Found]) -> pl.DataFrame:
    return pl.scan_parquet([each.body for each in run if each.body is not None]).collect()


def _from_store(store: Store, resource: Resource, run: Sequence[_Found]) -> pl.DataFrame:
    archive = store.records(resource)
    frame = from_rows(list(archive.rows(raw for each in run for raw in each.raws)), resource.table)
    days = [each.day for each in run if each.complete]
    if store.folder is not None:
        try:
            _write(store, resource, store.folder, days, frame)
        except (OSError, StoreError) as error:  # what is derived can wait; the answer is here
            reason = error.strerror if isinstance(error, OSError) else error
            warnings.warn(
                f"No Parquet segments were written: {reason}", PlivoAnalysisWarning, stacklevel=2
            )
    return frame


def _write(
    store: Store, resource: Resource, folder: Path, days: Sequence[Day], frame: pl.DataFrame
) -> None:
    if not days:
        return
    try:
        tables = parts(resource, frame)
    except SchemaError:  # a session whose money is beyond all bounds: its day stays in the store
        if len(days) > 1:
            for day, of_day in zip(days, by_day(frame, resource.instant, days), strict=True):
                _write(store, resource, folder, [day], of_day)
        return
    cut = [by_day(frame, instant, days) for _, instant, frame in tables]
    for day, *frames in zip(days, *cut, strict=True):
        named = [(table, frame) for (table, _, _), frame in zip(tables, frames, strict=True)]
        _write_day(store, resource, folder, day, named)


def _write_day(
    store: Store,
    resource: Resource,
    folder: Path,
    day: Day,
    tables: Sequence[tuple[Table, pl.DataFrame]],
) -> None:
    written: list[tuple[Table, Path, Stamp]] = []
    try:
        for table, frame in tables:
            body = encode(frame)
            written.append((table, lay_down(folder, body), stamp_of(body, day.changes, table)))
        days = store.days(resource)
        with store.writing():
            if days.changes(day.start) != day.changes:
                return  # it changed meanwhile, perhaps because something had to be forgotten
            for table, unfinished, _ in written:
                put_in_place(unfinished, place(folder, table, day.start))
            days.stamp(day.start, ((table.name, stamp) for table, _, stamp in written))
    finally:
        for _, unfinished, _ in written:
            unfinished.unlink(missing_ok=True)


def parts(resource: Resource, frame: pl.DataFrame) -> list[tuple[Table, str, pl.DataFrame]]:
    """The tables derived of a frame, each with the column that says which day a row is of.

    Args:
        resource: What the frame holds.
        frame: Its table.

    Raises:
        SchemaError: A session's money is beyond all bounds.

    Example:
        >>> from plivo_analysis.api.resources import SESSION_RESOURCE
        >>> empty = SESSION_RESOURCE.table.polars().to_frame()
        >>> [table.name for table, _, _ in parts(SESSION_RESOURCE, empty)]
        ['sessions', 'attempts', 'charges']
    """
    whole = (resource.table, resource.instant, frame)
    if len(PARTS[resource.name]) == 1:
        return [whole]
    return [
        whole,
        (ATTEMPTS, "created_at", explode_attempts(frame)),
        (CHARGES, "created_at", explode_charges(frame)),
    ]


def by_day(frame: pl.DataFrame, instant: str, days: Sequence[Day]) -> list[pl.DataFrame]:
    """The rows of each day.

    Args:
        frame: A table in the order of time.
        instant: The column that says when.
        days: The days.

    Example:
        >>> from plivo_analysis.values.spans import DAY, from_us
        >>> from plivo_analysis.storage.days import Day
        >>> frame = pl.DataFrame({"at": [from_us(1), from_us(DAY), from_us(DAY + 1)]})
        >>> [part.height for part in by_day(frame, "at", [Day(DAY, 2, 1, {}), Day(0, 1, 1, {})])]
        [2, 1]
    """
    return [
        frame.slice(start, end - start)
        for start, end in _places(frame[instant], [day.span for day in days])
    ]


def _cut(frame: pl.DataFrame, instant: str, span: Span) -> pl.DataFrame:
    ((start, end),) = _places(frame[instant], [span])
    return frame.slice(start, end - start)


def _places(instants: pl.Series, spans: Sequence[Span]) -> list[tuple[int, int]]:
    """Where in a sorted column each range begins and ends."""
    bounds = [
        pl.Series(at, dtype=instants.dtype)
        for at in zip(*(span.datetimes() for span in spans), strict=True)
    ]
    starts, ends = (instants.search_sorted(bound).to_list() for bound in bounds)
    return list(zip(starts, ends, strict=True))
