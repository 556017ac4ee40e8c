"""Export: everything that the store holds, as Parquet that other programs read in one line.

One folder a table, one file a UTC day, plain names: no engine needs to be told anything::

    duckdb.sql("from 'out/attempts/*.parquet'")
    polars.scan_parquet("out/attempts/*.parquet")
    spark.read.parquet("out/attempts")

An export into the folder of an earlier one makes it equal to the store.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from plivo_analysis.api.checks import checked_word
from plivo_analysis.api.resources import RESOURCES
from plivo_analysis.errors import FilterError
from plivo_analysis.loaders.recipients import RECIPIENTS, disguise
from plivo_analysis.storage.day_files import (
    TABLES,
    batches,
    derived_tables,
    encode,
    file_name,
    parts_of,
)
from plivo_analysis.storage.folder import make_private
from plivo_analysis.storage.parquet_cache import read
from plivo_analysis.sync.reader import RETENTION
from plivo_analysis.system.files import write_atomically
from plivo_analysis.system.folders import chosen_folder
from plivo_analysis.values.spans import EVER, Span, to_us

if TYPE_CHECKING:
    from pathlib import Path

    from plivo_analysis.api.resources import Resource
    from plivo_analysis.client import Client

_DAY_NAME = re.compile(r"\d{4}-\d\d-\d\d\.parquet")


@dataclass(slots=True)
class Exported:
    """What was exported.

    Args:
        folder: Where to.
        rows: Rows by table.
        days: How many days they are of.
    """

    folder: Path
    rows: dict[str, int] = field(default_factory=dict)
    days: int = 0


def export(client: Client, out: str | Path, *, recipients: str = "full") -> Exported:
    """Write everything that the store holds as Parquet files. It asks the server nothing.

    Args:
        client: The account.
        out: The folder; made if it is not there. Files and new folders are the user's alone.
        recipients: ``"full"`` numbers, ``"masked"`` or a ``"pseudonym"``, as for the loaders.

    Returns:
        What was written: the tables ``sessions``, ``attempts``, ``charges`` and ``messages``,
        as described in DATA.md.

    Raises:
        FilterError: An argument is wrong.
        OSError: The folder cannot be written.

    Example:
        >>> import tempfile
        >>> import polars as pl
        >>> import plivo_analysis as pva
        >>> with pva.demo(sessions=100) as client, tempfile.TemporaryDirectory() as out:
        ...     sessions = pva.load_sessions(since="90d", client=client)
        ...     export(client, out).rows["sessions"] == sessions.height
        ...     pl.scan_parquet(f"{out}/sessions/*.parquet").collect().equals(sessions)
        True
        True
    """
    checked_word("recipients", recipients, RECIPIENTS)
    folder = chosen_folder(out, "out").resolve()
    if folder.exists() and not folder.is_dir():
        raise FilterError(f"{out} is a file; give a folder.")
    made = Exported(folder)
    # Before the first file: `forget` names every folder that may hold a number.
    client.store.remember_export(str(folder))
    for resource in RESOURCES.values():
        _export(client, resource, made, recipients)
    return made


def _export(client: Client, resource: Resource, made: Exported, recipients: str) -> None:
    store = client.store
    oldest = to_us(client.now()) - RETENTION
    names = {file_name(day.start) for day in store.records(resource).days(EVER) if day.records}
    for table in TABLES[resource.name]:
        made.rows[table.name] = 0
        make_private(made.folder / table.name)
        # Days that are gone from the store go from an earlier export too; files of other names are
        # not ours to remove.
        for path in (made.folder / table.name).iterdir():
            if _DAY_NAME.fullmatch(path.name) and path.name not in names:
                path.unlink()
    for days in batches(store.records(resource).days(EVER)):
        rows = read(store, resource, Span(days[0].start, days[-1].span.end), oldest=oldest)
        shown = disguise(rows, resource.table, recipients, store)
        spans = [day.span for day in days]
        for table, frame in derived_tables(resource, shown):
            of_days = parts_of(frame, resource.instant, spans)
            for day, of_day in zip(days, of_days, strict=True):
                path = made.folder / table.name / file_name(day.start)
                write_atomically(path, encode(of_day, small=True), private=True)
            made.rows[table.name] += frame.height
        made.days += len(days)
