"""The Parquet files of a day: which tables they hold, where they lie, how they are written."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import polars as pl

from plivo_analysis.api.columns import MESSAGES, SESSIONS
from plivo_analysis.api.resources import RESOURCES
from plivo_analysis.tables.explode import explode_attempts, explode_charges
from plivo_analysis.tables.exploded_columns import ATTEMPTS, CHARGES
from plivo_analysis.values.spans import from_us

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from plivo_analysis.api.resources import Resource
    from plivo_analysis.storage.records import Day
    from plivo_analysis.values.spans import Span
    from plivo_analysis.values.table_types import Table

TABLES: Mapping[str, tuple[Table, ...]] = {
    SESSIONS.name: (SESSIONS, ATTEMPTS, CHARGES),
    MESSAGES.name: (MESSAGES,),
}
"""The tables that are written of a resource; the first is the resource's own."""

DERIVED = {ATTEMPTS.name: explode_attempts, CHARGES.name: explode_charges}
"""What makes the others from the first."""

FOLDER = "parquet"
"""The folder of the files within an account's."""

_AT_ONCE = 50_000  # records of several days that are read together
# Rows. While polars streams, it holds a dozen row groups: with eight columns of attempts that is
# 200 MB for groups of this size, and 800 MB for those of 262,144 rows that it writes by itself.
_ROW_GROUP = 16_384


def resource_of(table: Table) -> Resource:
    """The resource whose records a table is made of; its instant says which day a row is of.

    Example:
        >>> resource_of(CHARGES).name, resource_of(MESSAGES).instant
        ('sessions', 'message_time')
    """
    (found,) = (RESOURCES[name] for name, tables in TABLES.items() if table in tables)
    return found


def parquet_files(folder: Path) -> list[Path]:
    """Every file of an account's cache, temporary ones included.

    Example:
        >>> from pathlib import Path
        >>> parquet_files(Path("nowhere"))
        []
    """
    return sorted(path for path in (folder / FOLDER).glob("*/*") if path.is_file())


def file_of(folder: Path, table: Table, day: Day) -> Path:
    """Where a day of a table lies in an account's folder.

    Example:
        >>> from pathlib import Path
        >>> from plivo_analysis.storage.records import Day
        >>> file_of(Path("account"), SESSIONS, Day(0, 1, 1)).as_posix()
        'account/parquet/sessions/1970-01-01.parquet'
    """
    return folder.joinpath(FOLDER, table.name, file_name(day.start))


def file_name(day: int) -> str:
    """The name of the file of the day that begins at so many microseconds.

    Example:
        >>> file_name(0)
        '1970-01-01.parquet'
    """
    return f"{from_us(day).date().isoformat()}.parquet"


def encode(frame: pl.DataFrame, *, small: bool = False) -> bytes:
    """A frame as the bytes of a Parquet file.

    Args:
        frame: The frame.
        small: Whether size counts more than the time of reading it back.

    Example:
        >>> encode(SESSIONS.polars().to_frame())[:4]
        b'PAR1'
    """
    target = io.BytesIO()
    frame.write_parquet(
        target, compression="zstd" if small else "lz4", statistics=True, row_group_size=_ROW_GROUP
    )
    return target.getvalue()


def batches(days: Iterable[Day]) -> Iterator[list[Day]]:
    """Days that hold records, as many together as fit the memory with ease.

    Example:
        >>> from plivo_analysis.storage.records import Day
        >>> days = [Day(0, 40_000, 1), Day(1, 0, 1), Day(2, 20_000, 1), Day(3, 9, 1)]
        >>> [[day.start for day in batch] for batch in batches(days)]
        [[0], [2, 3]]
    """
    batch: list[Day] = []
    for day in days:
        if not day.records:
            continue
        if batch and sum(earlier.records for earlier in batch) + day.records > _AT_ONCE:
            yield batch
            batch = []
        batch.append(day)
    if batch:
        yield batch


def derived_tables(resource: Resource, frame: pl.DataFrame) -> list[tuple[Table, pl.DataFrame]]:
    """A resource's table and those derived of it.

    Args:
        resource: What the frame holds.
        frame: Its table.

    Raises:
        SchemaError: A session's money is beyond all bounds.

    Example:
        >>> from plivo_analysis.api.resources import SESSION_RESOURCE
        >>> empty = SESSION_RESOURCE.table.polars().to_frame()
        >>> [table.name for table, _ in derived_tables(SESSION_RESOURCE, empty)]
        ['sessions', 'attempts', 'charges']
    """
    main, *others = TABLES[resource.name]
    return [(main, frame), *((table, DERIVED[table.name](frame)) for table in others)]


def parts_of(frame: pl.DataFrame, instant: str, spans: Iterable[Span]) -> list[pl.DataFrame]:
    """The rows of each range.

    Args:
        frame: A table in the order of time.
        instant: The column that says when.
        spans: The ranges.

    Example:
        >>> from plivo_analysis.values.spans import DAY, Span
        >>> frame = pl.DataFrame({"at": [from_us(1), from_us(DAY), from_us(DAY + 1)]})
        >>> spans = [Span(DAY, 2 * DAY), Span(0, DAY)]
        >>> [part.height for part in parts_of(frame, "at", spans)]
        [2, 1]
    """
    instants = frame[instant]
    # Two searches for all ranges together. Each finds the first row at or after a bound, so that
    # a range holds its start and not its end.
    bounds = [
        pl.Series(at, dtype=instants.dtype)
        for at in zip(*(span.datetimes() for span in spans), strict=True)
    ]
    starts, ends = (instants.search_sorted(bound).to_list() for bound in bounds)
    return [frame.slice(start, end - start) for start, end in zip(starts, ends, strict=True)]
