"""Writes files atomically: a reader finds the old file or the new one, never half of it.

Reports and exports are written by programs that run at night, and are read at any time. After a
full disk or a killed process, the old file is still there.
"""

from __future__ import annotations

import os
import secrets
from functools import partial
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_PRIVATE, _USUAL = 0o600, 0o666  # the latter less what the user's umask takes


def write_atomically(path: Path, body: bytes, *, private: bool = False) -> None:
    """Write a file atomically; a path that is no regular file, such as a pipe, is written directly.

    Args:
        path: The file; where it is a link, the file that it leads to.
        body: The whole content.
        private: Whether only the user may read it.

    Raises:
        OSError: It cannot be written. A file that was there is unchanged.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     write_atomically(Path(folder) / "a", b"1")
        ...     [(path.name, path.read_bytes()) for path in Path(folder).iterdir()]
        [('a', b'1')]
    """
    if path.exists() and not path.is_file():
        path.write_bytes(body)
        return
    target = path.resolve()
    # In the same folder, since a rename is atomic only within one file system; under a random
    # name, since two processes may write at once.
    unfinished = target.with_name(f".{target.name[:64]}.{secrets.token_hex(4)}")
    opener = partial(os.open, mode=_PRIVATE if private else _USUAL)
    try:
        with open(unfinished, "xb", opener=opener) as file:
            file.write(body)
        unfinished.replace(target)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
