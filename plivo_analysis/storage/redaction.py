"""Records cut out of a raw page, which is then marked as cut: it is as received but for them."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from plivo_analysis.parsing.strict_json import canonical, parse_json

if TYPE_CHECKING:
    from collections.abc import Callable

_FAST = 1  # zlib level: pages are written far more often than read
_LONGEST = 16 * 2**20  # bytes; twice what is accepted over the wire
_LISTS = ("sessions", "objects")


def packed(body: bytes) -> bytes:
    """A page as it is kept.

    Example:
        >>> unpacked(packed(b"{}"))
        b'{}'
    """
    return zlib.compress(body, _FAST)


def unpacked(kept: bytes) -> bytes:
    """A page as it was received.

    Raises:
        zlib.error: It is not what was kept, or unpacks without end.

    Example:
        >>> unpacked(packed(b'{"sessions":[]}'))
        b'{"sessions":[]}'
    """
    reader = zlib.decompressobj()
    body = reader.decompress(kept, _LONGEST)
    if not reader.eof:
        raise zlib.error("cut short, or too long")
    return body


def cut(
    body: bytes, unwanted: Callable[[object], bool], told: Callable[[object], bool]
) -> tuple[bytes, int, int]:
    """A page without the records that are unwanted.

    Args:
        body: The page: a listing, or one record.
        unwanted: Whether a record is to go.
        told: Whether something beside the records is to go, such as the address of the next
            page, which repeats what was asked.

    Returns:
        The page, how many records were cut out, and how many are left. The very bytes where
        nothing was to go.

    Example:
        >>> cut(b'{"sessions":["a","b"],"meta":{}}', lambda record: record == "a", lambda _: False)
        (b'{"meta":{},"sessions":["b"]}', 1, 1)
    """
    page = parse_json(body)
    if not isinstance(page, dict):
        return body, 0, 0
    name = next((name for name in _LISTS if isinstance(page.get(name), list)), None)
    if name is None:
        return (b"{}", 1, 0) if unwanted(page) else (body, 0, 1)
    kept = [record for record in page[name] if not unwanted(record)]
    gone = len(page[name]) - len(kept)
    rest = {other: None if told(value) else value for other, value in page.items() if other != name}
    if not gone and all(rest[other] == page[other] for other in rest):
        return body, 0, len(kept)
    return canonical({**rest, name: kept}).encode(), gone, len(kept)
