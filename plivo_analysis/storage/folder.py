"""The store's folder: its rights, what file system it is on, and files in quarantine.

Telephone numbers lie here, so directories are 0700 and files 0600 whatever the umask. A folder
that somebody else owns or can write to is refused, and so is a link in place of a file.
"""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from plivo_analysis.errors import StoreError

FILE_NAME = "store.sqlite"

_DAMAGED = "damaged"
_COMPANIONS = ("", "-wal", "-shm", "-journal")  # of a SQLite file
_MOUNTS = Path("/proc/self/mounts")
_NETWORK = re.compile(
    r"nfs\d?|cifs|smb\w*|afs|9p|ceph|glusterfs|lustre|gpfs|beegfs|ncpfs|davfs\d?"
    r"|fuse\.(?:sshfs|s3fs|gcsfuse|rclone|glusterfs|ceph\w*|mfs\w*|juicefs|cifs|davfs\d?)"
)


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
        >>> with tempfile.TemporaryDirectory() as root:
        ...     oct(prepare(Path(root) / "account").stat().st_mode)
        '0o100600'
    """
    path = folder / FILE_NAME
    try:
        make_private(folder)
        refuse_link(folder)
        if os.name == "posix":
            status = folder.stat()
            if status.st_uid != os.getuid() or status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
                raise StoreError(
                    f"The store's folder {folder} can be written by others. Make it yours alone "
                    "(chmod 700), or give another: Client(store=...)."
                )
        for ending in _COMPANIONS:
            refuse_link(folder / f"{FILE_NAME}{ending}")
        # SQLite would make the file with the umask's rights; its companions take this one's.
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
        >>> with tempfile.TemporaryDirectory() as root:
        ...     make_private(Path(root) / "a" / "b")
        ...     oct((Path(root) / "a").stat().st_mode)
        '0o40700'
    """
    # From the top: mkdir(parents=True) would make the upper ones with the umask's rights.
    missing = [place for place in (folder, *folder.parents) if not place.exists()]
    for place in reversed(missing):
        with suppress(FileExistsError):  # another process was faster
            place.mkdir(mode=0o700)


def refuse_link(path: Path) -> None:
    """Refuse a symbolic link: somebody else may have put it there.

    Raises:
        StoreError: It is one.
    """
    if path.is_symlink():
        raise StoreError(
            f"{path} is a symbolic link; the store does not follow it. Give the place that it "
            "leads to: Client(store=...)."
        )


def is_on_network(folder: Path) -> bool:
    """Whether a folder is on a network file system, as far as the system tells.

    Linux lists its mounts; Windows names a share by two backslashes. Elsewhere it is not known.

    Example:
        >>> is_on_network(Path("/"))
        False
    """
    place = str(folder.absolute())
    if place.startswith("\\\\"):
        return True
    try:
        lines = _MOUNTS.read_text("utf-8", "replace").splitlines()
    except OSError:
        return False
    mounts = [line.split() for line in lines]
    # Blanks in a mount point are written as \040. The longest prefix is where the folder is, the
    # last of equal ones covers those before.
    kinds = {
        re.sub(r"\\(\d{3})", lambda code: chr(int(code[1], 8)), point).rstrip("/"): kind
        for _, point, kind, *_ in mounts
    }
    above = [point for point in kinds if place == point or place.startswith(f"{point}/")]
    return bool(above) and _NETWORK.fullmatch(kinds[max(above, key=len)]) is not None


def quarantine(path: Path) -> Path:
    """Give a damaged store another name, so that a new one can begin. Nothing is deleted.

    Args:
        path: The store's file.

    Returns:
        The file's new name, with the present time; its companions have it too, with their own
        endings.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as root:
        ...     path = prepare(Path(root))
        ...     quarantine(path).name
        'store.sqlite.damaged-...Z'
    """
    renamed = path.with_name(f"{path.name}.{_DAMAGED}-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}")
    for ending in _COMPANIONS:
        with suppress(FileNotFoundError):
            path.with_name(path.name + ending).rename(renamed.with_name(renamed.name + ending))
    return renamed


def quarantined_files(folder: Path) -> list[Path]:
    """Damaged stores that were quarantined here, with their companions.

    Example:
        >>> quarantined_files(Path("nowhere"))
        []
    """
    return sorted(folder.glob(f"{FILE_NAME}.{_DAMAGED}-*"))
