"""Whose store a file is: the account that it was filled from, and the key that it is hashed with.

Both are checked each time a file is opened. Another account's file copied into a folder would
give that account's rows as this one's. And under another key nothing that was hashed would be
known again: numbers that were deleted would come back, pseudonyms would change.

The key lies beside the account's folder, not in it. With a copy of the store alone, nobody
can undo its hashes by trying all telephone numbers.
"""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING

from plivo_analysis.errors import StoreError
from plivo_analysis.storage.folder import refuse_link
from plivo_analysis.system.files import write_atomically

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

ACCOUNT, KEY_CHECK = "account", "key check"

_KEY_BYTES = 32


def identify(connection: sqlite3.Connection, folder: Path | None, account: str) -> bytes:
    """Check whose file it is, and stamp a new one.

    Args:
        connection: The file, in the present form.
        folder: The account's folder; ``None`` for a store in memory, whose key is its own.
        account: Base URL and auth id; empty to take the file as whose it says it is.

    Returns:
        The key.

    Raises:
        StoreError: It is another account's, or its key is not there.
    """
    if folder is None:
        return secrets.token_bytes(_KEY_BYTES)
    stamps = _stamps(connection)
    if KEY_CHECK not in stamps or (account and ACCOUNT not in stamps):
        stamps = _stamp(connection, folder, account)
    if account and stamps[ACCOUNT] != account:
        raise StoreError(
            f"The store in {folder} is of another account: {stamps[ACCOUNT]}, not {account}. "
            "Put it back where it came from, or give another folder: Client(store=...)."
        )
    key = _read_key(folder)
    if _check(key) != stamps[KEY_CHECK]:
        raise _no_key(folder)
    return key


def _stamps(connection: sqlite3.Connection) -> dict[str, str]:
    return dict(
        connection.execute(
            "SELECT name, value FROM fact WHERE name IN (?, ?)", (ACCOUNT, KEY_CHECK)
        ).fetchall()
    )


def _stamp(connection: sqlite3.Connection, folder: Path, account: str) -> dict[str, str]:
    """Stamp a file in one transaction, so that two processes that begin it agree on one key."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        # The key before the stamp: a process that dies in between leaves a key, which the next one
        # takes. A stamp without its key would make the store unusable.
        if KEY_CHECK not in _stamps(connection) and not key_file(folder).exists():
            write_atomically(key_file(folder), secrets.token_hex(_KEY_BYTES).encode(), private=True)
        stamps = {KEY_CHECK: _check(_read_key(folder)), **({ACCOUNT: account} if account else {})}
        connection.executemany("INSERT OR IGNORE INTO fact VALUES (?, ?)", stamps.items())
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise
    return _stamps(connection)


def _check(key: bytes) -> str:
    return hmac.digest(key, b"check", "sha256").hex()


def key_file(folder: Path) -> Path:
    """Where the key of an account's folder lies.

    Example:
        >>> from pathlib import Path
        >>> key_file(Path("data/account")).as_posix()
        'data/account.key'
    """
    return folder.with_name(f"{folder.name}.key")


def _read_key(folder: Path) -> bytes:
    path = key_file(folder)
    refuse_link(path)
    try:
        return bytes.fromhex(path.read_text("ascii"))
    except (OSError, ValueError):
        pass
    raise _no_key(folder)


def _no_key(folder: Path) -> StoreError:
    return StoreError(
        f"The store in {folder} cannot be used without its key, {key_file(folder)}: it is missing, "
        "cannot be read, or is another store's. Put it there from where the store came from; or "
        "delete the folder, to read anew what the server still has, the last 90 days."
    )
