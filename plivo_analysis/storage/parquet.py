"""Segment files: one day of one table, written whole or not at all, believed only if unchanged.

A file is written under another name and renamed in the same transaction that stamps it: the
day's counter, the release that made it, its size and its checksum. Whoever finds a file that
does not fit its stamp, for whatever reason, takes it for absent. They are not synced to the
disk, since a file cut short by a power failure is one that does not fit.
"""

from __future__ import annotations

import io
import tempfile
import zlib
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from plivo_analysis.api.columns import MESSAGES, SESSIONS
from plivo_analysis.storage.days import Day, Stamp
from plivo_analysis.storage.folder import make_private
from plivo_analysis.system.versions import __version__
from plivo_analysis.tables.columns import ATTEMPTS, CHARGES
from plivo_analysis.values.spans import from_us

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from plivo_analysis.values.schema import Table

PARTS: Mapping[str, tuple[Table, ...]] = {
    SESSIONS.name: (SESSIONS, ATTEMPTS, CHARGES),
    MESSAGES.name: (MESSAGES,),
}
FOLDER = "segments"

_UNFINISHED = "unfinished"
# Which release makes a table, and of what columns: another one's files are made anew.
_MAKERS = {
    table.name: f"{__version__} {zlib.crc32(str(table.polars()).encode()):08x}"
    for tables in PARTS.values()
    for table in tables
}


def place(folder: Path, table: Table, start: int) -> Path:
    """Where a day of a table lies.

    Args:
        folder: The account's folder.
        table: The table.
        start: The day's first instant, in microseconds.

    Example:
        >>> place(Path("account"), SESSIONS, 0).as_posix()
        'account/segments/sessions/1970-01-01.parquet'
    """
    return folder.joinpath(FOLDER, table.name, day_name(start))


def day_name(start: int) -> str:
    """The name of a day's file.

    Example:
        >>> day_name(0)
        '1970-01-01.parquet'
    """
    return f"{from_us(start).date().isoformat()}.parquet"


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
    frame.write_parquet(target, compression="zstd" if small else "lz4", statistics=small)
    return target.getvalue()


def lay_down(folder: Path, body: bytes) -> Path:
    """Write bytes to a file of no name yet, readable by the user alone.

    Example:
        >>> with tempfile.TemporaryDirectory() as root:
        ...     lay_down(Path(root), b"PAR1").read_bytes()
        b'PAR1'
    """
    unfinished = folder / FOLDER / _UNFINISHED
    make_private(unfinished)
    with tempfile.NamedTemporaryFile(dir=unfinished, delete=False) as file:
        path = Path(file.name)
        try:
            file.write(body)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
    return path


def put_in_place(unfinished: Path, path: Path) -> None:
    """Give a file its name; a file of that name is replaced at one stroke.

    Example:
        >>> with tempfile.TemporaryDirectory() as root:
        ...     path = place(Path(root), SESSIONS, 0)
        ...     put_in_place(lay_down(Path(root), b"PAR1"), path)
        ...     path.read_bytes()
        b'PAR1'
    """
    make_private(path.parent)
    unfinished.replace(path)


def is_there(folder: Path, table: Table, day: Day) -> bool:
    """Whether a file is there, of the size that was stamped, of what the store holds now.

    Example:
        >>> is_there(Path("nowhere"), SESSIONS, Day(0, 0, 1, {}))
        False
    """
    stamp = day.stamps.get(table.name)
    if stamp is None or (stamp.changes, stamp.maker) != (day.changes, _MAKERS[table.name]):
        return False
    try:
        return place(folder, table, day.start).stat().st_size == stamp.size
    except OSError:
        return False


def fitting(folder: Path, table: Table, day: Day) -> bytes | None:
    """The bytes of a file, if they are what was stamped and still what the store holds.

    Args:
        folder: The account's folder.
        table: What the file should hold.
        day: The day, as the store knows it now.

    Example:
        >>> fitting(Path("nowhere"), SESSIONS, Day(0, 0, 1, {})) is None
        True
    """
    if is_there(folder, table, day):
        with suppress(OSError):
            body = place(folder, table, day.start).read_bytes()
            if zlib.crc32(body) == day.stamps[table.name].crc:
                return body
    return None


def stamp_of(body: bytes, changes: int, table: Table) -> Stamp:
    """What to note of a file.

    Example:
        >>> stamp_of(b"PAR1", 1, SESSIONS).size
        4
    """
    return Stamp(changes, _MAKERS[table.name], len(body), zlib.crc32(body))


def segment_files(folder: Path) -> list[Path]:
    """Every file below an account's segments, unfinished ones included.

    Example:
        >>> segment_files(Path("nowhere"))
        []
    """
    return sorted(path for path in (folder / FOLDER).glob("*/*") if path.is_file())
