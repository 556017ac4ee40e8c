"""Telephone numbers in tables: full, masked, or under a pseudonym that joins like the number.

Two masked numbers may look the same, so that they must not be grouped or joined. A pseudonym
is a keyed hash (HMAC-SHA256): without the key, which stays in the store, a plain hash of a
number could be undone by trying all numbers.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

import polars as pl

from plivo_analysis.values.masking import mask_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from plivo_analysis.api.resources import Resource
    from plivo_analysis.storage.store import Store

RECIPIENTS = ("full", "masked", "pseudonym")

_LENGTH = 16  # hexadecimal digits: no two numbers of one account will meet


def disguise(
    frame: pl.DataFrame, resource: Resource, recipients: str, store: Store
) -> pl.DataFrame:
    """Show the numbers of a table in one of three ways.

    Args:
        frame: A table of the resource.
        resource: Knows which columns hold numbers.
        recipients: ``"full"``, ``"masked"`` or ``"pseudonym"``.
        store: Holds the key of the pseudonyms.
    """
    if recipients == "full":
        return frame
    replace = mask_number if recipients == "masked" else pseudonymiser(store.pseudonym_key())
    return frame.with_columns(replaced(frame[name], replace) for name in resource.numbers)


def pseudonymiser(key: bytes) -> Callable[[str], str]:
    """A function that gives each number its pseudonym under a key.

    Example:
        >>> name = pseudonymiser(b"key")
        >>> name("14155550100") == name("14155550100"), name("14155550100") == name("14155550101")
        (True, False)
    """

    def pseudonym(number: str) -> str:
        digest = hmac.new(key, number.encode(), hashlib.sha256).hexdigest()
        return f"p{digest[:_LENGTH]}"

    return pseudonym


def replaced(numbers: pl.Series, replace: Callable[[str], str]) -> pl.Series:
    """A column with each distinct number replaced once.

    Example:
        >>> replaced(pl.Series(["14155550100", None]), mask_number).to_list()
        ['1 ••• ••• ••00', None]
    """
    known = numbers.drop_nulls().unique().to_list()
    return numbers.replace_strict(
        known, [replace(number) for number in known], default=None, return_dtype=pl.String
    )
