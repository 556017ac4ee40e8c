"""Status: what the store holds of an account, how fresh it is, and what may still change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plivo_analysis.api.resources import RESOURCES
from plivo_analysis.storage.day_files import parquet_files
from plivo_analysis.storage.folder import quarantined_files
from plivo_analysis.values.spans import EVER, from_us, merge

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from plivo_analysis.api.resources import Resource
    from plivo_analysis.client import Client


@dataclass(frozen=True, slots=True)
class Holding:
    """What is kept of one resource.

    Args:
        resource: ``sessions`` or ``messages``.
        records: Records kept.
        first: The earliest record's instant, in UTC.
        last: The latest record's instant, in UTC.
        complete: The ranges that were read whole, in UTC, half-open.
        read_at: When a range was last read whole.
        open: Records whose status may still change.
        not_final: The same and those whose price is yet to come.
        set_aside: Records that are not fit for analysis.
        filters: The filters that ranges were read with, numbers masked.
        pages: Raw pages kept, which is the requests that they took.
    """

    resource: str
    records: int
    first: datetime | None
    last: datetime | None
    complete: list[tuple[datetime, datetime]]
    read_at: datetime | None
    open: int
    not_final: int
    set_aside: int
    filters: list[str]
    pages: int


@dataclass(frozen=True, slots=True)
class Status:
    """What is kept of an account.

    Args:
        auth_id: The account.
        base_url: Its server.
        now: The account's time.
        path: The store's file; None in memory.
        size: The bytes of the store's files.
        journal: ``wal``; ``delete`` where the file system cannot share memory; ``memory``.
        parquet_files: How many Parquet files are derived of it.
        parquet_size: Their bytes.
        quarantined: Damaged stores in quarantine, which hold numbers too.
        others: Stores of other accounts in the same folder, which ``forget`` does not touch.
        deletion_unfinished: Whether ``purge`` or ``forget`` has to be run once more.
        forgotten: How many numbers are kept out.
        exports: Folders that were exported to.
        facts: What was learnt of the server.
        holdings: What is kept, by resource.
    """

    auth_id: str
    base_url: str
    now: datetime
    path: Path | None
    size: int
    journal: str
    parquet_files: int
    parquet_size: int
    quarantined: list[Path]
    others: list[Path]
    deletion_unfinished: bool
    forgotten: int
    exports: list[str]
    facts: dict[str, str]
    holdings: list[Holding]


def status(client: Client) -> Status:
    """Say what the store holds of an account. It asks the server nothing.

    Args:
        client: The account.

    Returns:
        What is kept, where, and how sure it is.

    Raises:
        StoreError: The store cannot be opened.

    Example:
        >>> import plivo_analysis as pva
        >>> with pva.demo(sessions=50) as client:
        ...     sessions = pva.load_sessions(since="7d", client=client)
        ...     status(client).holdings[0].records == sessions.height
        True
    """
    store = client.store
    folder = store.folder
    files = [] if folder is None else parquet_files(folder)
    # The database and what SQLite keeps beside it: its log, its shared memory, its journal.
    own = [] if store.path is None else sorted(store.path.parent.glob(f"{store.path.name}*"))
    quarantined = [] if folder is None else quarantined_files(folder)
    # One state for all questions: a pull that runs meanwhile would let the numbers disagree.
    with store.reading():
        return Status(
            auth_id=client.auth_id,
            base_url=client.base_url,
            now=client.now(),
            path=store.path,
            size=sum(path.stat().st_size for path in own if path not in quarantined),
            journal=store.database.journal,
            parquet_files=len(files),
            parquet_size=sum(path.stat().st_size for path in files),
            quarantined=quarantined,
            others=store.others(),
            deletion_unfinished=store.deletion_unfinished,
            forgotten=len(store.forgotten().digits),
            exports=store.exports(),
            facts=store.facts(),
            holdings=[_holding(client, resource) for resource in RESOURCES.values()],
        )


def _holding(client: Client, resource: Resource) -> Holding:
    records = client.store.records(resource)
    entries = client.store.completed_ranges(resource).entries()
    whole = [entry for entry in entries if not entry.scope]
    changing = records.not_final(EVER).values()
    first, last = records.extent()
    return Holding(
        resource=resource.name,
        records=records.count(EVER),
        first=None if first is None else from_us(first),
        last=None if last is None else from_us(last),
        complete=[span.datetimes() for span in merge(entry.span for entry in whole)],
        read_at=from_us(max(entry.read_at for entry in whole)) if whole else None,
        open=sum(state.open for state in changing),
        not_final=len(changing),
        set_aside=records.count_set_aside(),
        filters=sorted({entry.shown for entry in entries if entry.scope}),
        pages=records.count_pages(),
    )
