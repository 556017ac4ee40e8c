"""The store's folder: its rights, who else could write there, and files put aside.

Telephone numbers lie here, so directories are 0700 and files 0600 whatever the umask, and a
folder that somebody else owns or can write to is refused, as is a link in place of a file.
"""

from __future__ import annotations

import os
import stat
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from plivo_analysis.errors import StoreError

if TYPE_CHECKING:
    from pathlib import Path

FILE_NAME = "store.sqlite"
DAMAGED = "damaged"

_COMPANIONS = ("", "-wal", "-shm", "-journal")


def prepare(folder: Path) -> Path:
    """Make the folder and an empty file that only the user can read.

    Args:
        folder: The account's folder.

    Returns:
        The file.

    Raises:
        StoreError: It cannot be made, or is not the user's alone.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> with tempfile.TemporaryDirectory() as root:
        ...     oct(prepare(Path(root) / "account").stat().st_mode)
        '0o100600'
    """
    path = folder / FILE_NAME
    try:
        make_private(folder)
        refuse_strangers(folder)
        for name in _COMPANIONS:
            _refuse_link(folder / f"{FILE_NAME}{name}")
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        path.chmod(0o600)
    except OSError as error:
        reason = error.strerror
    else:
        return path
    raise StoreError(
        f"The store's folder {folder} cannot be used ({reason}). Give another: Client(store=...) "
        "or PLIVO_ANALYSIS_HOME; or store=False, to keep nothing."
    )


def make_private(folder: Path) -> None:
    """Make a folder, and those above it that are missing, for the user alone.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> with tempfile.TemporaryDirectory() as root:
        ...     make_private(Path(root) / "a" / "b")
        ...     oct((Path(root) / "a").stat().st_mode)
        '0o40700'
    """
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    for place in reversed(missing):
        with suppress(FileExistsError):  # another process was faster
            place.mkdir(mode=0o700)


def refuse_strangers(folder: Path) -> None:
    """Refuse a folder that is a link, or that others own or can write to.

    Raises:
        StoreError: It is one of these; the message says what to do.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> with tempfile.TemporaryDirectory() as root:
        ...     refuse_strangers(Path(root))
    """
    _refuse_link(folder)
    if os.name != "posix":
        return
    status = folder.stat()
    if status.st_uid != os.getuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise StoreError(
            f"The store's folder {folder} can be written by others. Make it yours alone "
            "(chmod 700), or give another: Client(store=...)."
        )


def put_aside(path: Path, moment: datetime | None = None) -> Path:
    """Give a damaged store another name, so that a new one can begin. Nothing is deleted.

    Args:
        path: The store's file.
        moment: Becomes part of the name; by default the present.

    Returns:
        The file's new name; its companions have it too, with their own endings.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> with tempfile.TemporaryDirectory() as root:
        ...     path = prepare(Path(root))
        ...     put_aside(path, datetime(2026, 11, 2, tzinfo=UTC)).name
        'store.sqlite.damaged-20261102T000000.000000Z'
    """
    moment = moment or datetime.now(UTC)
    aside = path.with_name(f"{path.name}.{DAMAGED}-{moment:%Y%m%dT%H%M%S.%fZ}")
    for ending in _COMPANIONS:
        with suppress(FileNotFoundError):
            path.with_name(path.name + ending).rename(aside.with_name(aside.name + ending))
    return aside


def set_aside_files(folder: Path) -> list[Path]:
    """Damaged stores that were put aside here, with their companions.

    Example:
        >>> from pathlib import Path
        >>> set_aside_files(Path("nowhere"))
        []
    """
    return sorted(folder.glob(f"{FILE_NAME}.{DAMAGED}-*"))


def _refuse_link(path: Path) -> None:
    if path.is_symlink():
        raise StoreError(
            f"{path} is a symbolic link; the store does not follow it. Give the place that it "
            "leads to: Client(store=...)."
        )
