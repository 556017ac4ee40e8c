"""Numbers that the user had forgotten: known again by a keyed hash, and kept out from then on.

The number itself is nowhere. Whatever is to be kept is searched for what looks like a number,
each is hashed under the store's key, and a record in which one is known is not kept: neither
as a row nor within the raw page that it came with. Without the key, which is the store's own,
a hash of a telephone number could be undone by trying all of them.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from plivo_analysis.api.checks import bare_number
from plivo_analysis.parsing.strict_json import parse_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plivo_analysis.parsing.records import Record

_RUN = re.compile(r"(?<!\d)\d{6,15}(?!\d)")
_SPELT = re.compile(r"(?<!\d)\d(?:[\s().\-/\u2010-\u2015]{0,2}\d){5,14}(?!\d)")


def digest(key: bytes, number: str) -> str:
    """The hash under which a number is known again.

    Example:
        >>> digest(b"key", "14155550100") == digest(b"key", "+1 (415) 555-0100")
        True
    """
    # Another text than the pseudonyms' under the same key, so that the two cannot be compared.
    text = f"forgotten {bare_number(number)}"
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Forgotten:
    """The numbers that are to stay forgotten.

    Args:
        key: The store's key.
        digests: Their hashes under it.
    """

    key: bytes
    digests: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.digests)

    def knows(self, number: str) -> bool:
        """Whether a number, in any spelling, was forgotten.

        Example:
            >>> forgotten = Forgotten(b"key", frozenset({digest(b"key", "14155550100")}))
            >>> forgotten.knows("+1 415 555 0100"), forgotten.knows("14155550101")
            (True, False)
        """
        return digest(self.key, number) in self.digests

    def within(self, value: object) -> bool:
        """Whether a JSON value holds such a number anywhere.

        Example:
            >>> forgotten = Forgotten(b"key", frozenset({digest(b"key", "14155550100")}))
            >>> forgotten.within({"next": ["?recipient=%2B14155550100"]})
            True
        """
        return any(
            self.knows(found)
            for text in _texts(value)
            for pattern in (_RUN, _SPELT)
            for found in pattern.findall(text)
        )

    def of(self, record: Record) -> bool:
        """Whether a record is of such a number, or names one."""
        return self.within(parse_json(record.raw.encode()))


def _texts(value: object) -> Iterator[str]:
    """Every text and number in a JSON value, names of fields included."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            waiting.extend(item)
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, (str, int, Decimal)):
            yield str(item)
