"""Keys of generated records, which lead back to the record without a table of keys.

A key looks random: its first half is a hash of seed, row and kind; its last digits hold the
row and the kind, hidden under a number that follows from the first half.
"""

from __future__ import annotations

import re
from hashlib import blake2b

SESSION = 0  # 1 and up: the attempt of that number
UNRELATED = 15

_KINDS = 16
_LAST = (1 << 48) - 1
_SCATTER = 0x9E3779B97F4B  # odd, so that its multiples spread over all 48 bits
_FORM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")


def key_of(seed: bytes, row: int, kind: int) -> str:
    """The key of a row and kind.

    Example:
        >>> key_of(b"seed", 7, SESSION) == key_of(b"seed", 7, SESSION)
        True
    """
    number = row * _KINDS + kind
    head = blake2b(number.to_bytes(8, "big"), key=seed, digest_size=8).hexdigest()
    last = number ^ (int(head, 16) * _SCATTER & _LAST)
    variant = "89ab"[int(head[15], 16) & 3]
    return f"{head[:8]}-{head[8:12]}-4{head[12:15]}-{variant}{head[13:16]}-{last:012x}"


def row_of(seed: bytes, key: str) -> tuple[int, int] | None:
    """The row and kind that a key was made of, or nothing if it was not made here.

    Example:
        >>> row_of(b"seed", key_of(b"seed", 7, UNRELATED))
        (7, 15)
        >>> row_of(b"seed", "../../Message") is None
        True
    """
    if not _FORM.fullmatch(key):
        return None
    head = key[:8] + key[9:13] + key[15:18] + key[22]
    number = int(key[24:], 16) ^ (int(head, 16) * _SCATTER & _LAST)
    row, kind = divmod(number, _KINDS)
    return (row, kind) if key_of(seed, row, kind) == key else None
