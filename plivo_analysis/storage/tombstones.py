"""Tombstones: numbers whose records were deleted, known again by a keyed hash and kept out.

The number itself is not kept. All that is to be kept is searched for digits that may be a
number, in any spelling; each candidate is hashed and compared. A record that holds a forgotten
number is kept neither as a row nor within the raw page that it came with.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache, cached_property
from typing import TYPE_CHECKING, Self

from plivo_analysis.parsing.strict_json import parse_json
from plivo_analysis.values.masking import SEPARATORS, unfolded

if TYPE_CHECKING:
    from collections.abc import Iterator

LENGTHS = range(6, 16)  # digits of a number in E.164 form

_GROUP = re.compile(r"\d+")
_TRUNK = "(0)"  # as in +44 (0)7700 900123: not dialled from abroad
_INTERNATIONAL = re.compile(r"011|0+")  # dialled before the country code; ours holds none
_NO_DIGITS = {sign: None for sign in range(128) if not chr(sign).isdigit()}


def candidates(text: str, shortest: int, longest: int) -> Iterator[str]:
    """Every run of digits in a text that may be a number with its country code.

    A number begins and ends where a group of digits does: a shorter number that lies within
    a longer one is somebody else's. Groups that touch may belong to two numbers, so that every
    sequence of whole groups is a candidate. The first may begin with a prefix for calls abroad.

    Args:
        text: Any text.
        shortest: Digits of the shortest number.
        longest: Digits of the longest.

    Example:
        >>> sorted(candidates("call 00 1415 5550187 / 42", 11, 11))
        ['14155550187']
    """
    plain = unfolded(text)
    found = _runs(shortest).findall
    runs = found(plain)
    if _TRUNK in plain:  # which may be a digit of the number all the same
        runs += found(plain.replace(_TRUNK, ""))
    # Only runs of enough digits reach Python: most texts hold none, and end in the pattern.
    for run in runs:
        # Of the run's digits, without what separates them: where a number may begin and end.
        digits, ends, starts = "", [], set()
        for group in _GROUP.findall(run):
            prefix = _INTERNATIONAL.match(group)
            starts |= {len(digits), len(digits) + (prefix.end() if prefix else 0)}
            digits += group
            ends.append(len(digits))
        # A hash can only be compared with a whole number, so that each candidate is hashed.
        for start in starts:
            for end in ends:
                if shortest <= end - start <= longest:
                    yield digits[start:end]


@cache
def _runs(shortest: int) -> re.Pattern[str]:
    return re.compile(rf"\d(?:{SEPARATORS}\d){{{shortest - 1},}}")


def digest(key: bytes, number: str) -> str:
    """The hash under which a number, given as its digits, is known again.

    Example:
        >>> digest(b"key", "14155550100") == digest(b"key", "14155550101")
        False
    """
    # Another text than the pseudonyms' under the same key, so that the two cannot be compared.
    return hmac.digest(key, f"tombstone {number}".encode(), "sha256").hex()


def digests(key: bytes, text: str) -> frozenset[str]:
    """The hashes of all that may be a number in a text."""
    return frozenset(digest(key, found) for found in candidates(text, LENGTHS[0], LENGTHS[-1]))


@dataclass(frozen=True, slots=False)
class Tombstones:
    """The numbers to keep out.

    Args:
        key: The store's key.
        digits: How many digits each has, by its hash: a number's length tells little, and saves
            hashing what cannot be one.
        number: The only one of them, where it is known in clear, as while it is being forgotten.
    """

    key: bytes
    digits: dict[str, int]
    number: str = field(default="", repr=False)

    @classmethod
    def of(cls, key: bytes, number: str) -> Self:
        """The tombstone of one number, given as its digits."""
        return cls(key, {digest(key, number): len(number)}, number)

    def __bool__(self) -> bool:
        return bool(self.digits)

    @cached_property
    def _lengths(self) -> tuple[int, int]:
        return min(self.digits.values()), max(self.digits.values())

    def knows(self, text: str) -> bool:
        """Whether a text holds one of the numbers.

        Example:
            >>> tombstones = Tombstones.of(b"key", "14155550100")
            >>> tombstones.knows("+1 (415) 555-0100"), tombstones.knows("14155550101")
            (True, False)
        """
        return (
            not self._is_free_of_it(text)
            and bool(self.digits)
            and any(
                digest(self.key, found) in self.digits for found in candidates(text, *self._lengths)
            )
        )

    def _is_free_of_it(self, text: str) -> bool:
        """Whether a text lacks the digits of the number that is known in clear.

        Hashes can only be compared with every candidate of a text, which takes thirty times as
        long as to look for digits. A text of other scripts is left to that comparison.
        """
        plain = unfolded(text)
        if not self.number or not plain.isascii():
            return False
        spellings = (plain, plain.replace(_TRUNK, ""))
        return not any(self.number in spelling.translate(_NO_DIGITS) for spelling in spellings)

    def within_json(self, text: str) -> bool:
        r"""Whether a JSON text holds one of the numbers anywhere, names of fields included.

        Example:
            >>> tombstones = Tombstones.of(b"key", "14155550100")
            >>> tombstones.within_json('{"next": ["?to=%2B1\\u0034155550100"]}')
            True
        """
        if "\\" in text:  # a digit may be written as an escape
            return self.within(parse_json(text.encode()))
        return self.knows(text)

    def within(self, value: object) -> bool:
        """Whether a JSON value holds one of the numbers anywhere, names of fields included."""
        return any(map(self.knows, _texts(value)))


def _texts(value: object) -> Iterator[str]:
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
