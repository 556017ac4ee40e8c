"""Telephone numbers in tables: full, masked, or under a pseudonym that joins like the number.

Everything that is not known to be free of numbers is masked. The declaration of a table says of
each column whether its values are numbers, are free of them, or may hold them anywhere; a column
that is not declared may hold them anywhere.

Two masked numbers may look the same, so that they must not be grouped or joined. A pseudonym is
a keyed hash (HMAC-SHA256) whose key stays in the store: a hash without a key could be undone by
trying all numbers.
"""

from __future__ import annotations

import hashlib
import hmac
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from plivo_analysis.errors import BadResponseError
from plivo_analysis.parsing.strict_json import canonical, parse_json
from plivo_analysis.values.masking import SHORTEST, mask_number, mask_text
from plivo_analysis.values.table_types import Form

if TYPE_CHECKING:
    from collections.abc import Callable

    from plivo_analysis.storage.store import Store
    from plivo_analysis.values.table_types import Column, Table

RECIPIENTS = ("full", "masked", "pseudonym")

_LENGTH = 16  # hexadecimal digits: no two numbers of one account will meet


def disguise(frame: pl.DataFrame, table: Table, recipients: str, store: Store) -> pl.DataFrame:
    """Show the numbers of a loaded table in one of three ways.

    Args:
        frame: A table.
        table: Says of each column what it holds of telephone numbers.
        recipients: ``"full"``, ``"masked"`` or ``"pseudonym"``; the last two mask the numbers
            in every text that may hold one.
        store: Holds the key of the pseudonyms.
    """
    if recipients == "full":
        return frame
    if recipients == "masked":
        return masked(frame, table)
    return _without_numbers(frame, table, pseudonymiser(store.database.key))


def masked(frame: pl.DataFrame, table: Table) -> pl.DataFrame:
    """A frame in which every telephone number is masked, in nested columns too.

    Args:
        frame: Some columns of a table, or what was counted of it.
        table: Says of each column what it holds of telephone numbers. A column that is not in
            it may hold them anywhere.

    Example:
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> frame = pl.DataFrame({"recipient": ["14155550100"], "note": ["ask +1 415 555 0100"]})
        >>> masked(frame, SESSIONS).row(0)
        ('1 ••• ••• ••00', 'ask 1 ••• ••• ••00')
    """
    return _without_numbers(frame, table, mask_number)


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


def _without_numbers(
    frame: pl.DataFrame, table: Table, number: Callable[[str], str]
) -> pl.DataFrame:
    columns = {column.name: column for column in table.columns}
    return frame.with_columns(
        _replaced(frame[name], columns.get(name), number) for name in frame.columns
    )


def _replaced(values: pl.Series, column: Column | None, number: Callable[[str], str]) -> pl.Series:
    if isinstance(values.dtype, pl.List):
        return _replaced_in_lists(values, column, number)
    changes = _changes(values, column, number)
    return values.replace(changes) if changes else values


def _replaced_in_lists(
    values: pl.Series, column: Column | None, number: Callable[[str], str]
) -> pl.Series:
    """A column of lists of texts or of records, with the texts replaced."""
    # Flat, to find out what is to be replaced; replaced in place, since a flat column has lost
    # which of its values were of one list.
    members = values.explode(empty_as_null=False)
    if not isinstance(members.dtype, pl.Struct):
        changes = _changes(members, column, number)
        return values.list.eval(pl.element().replace(changes)) if changes else values
    declared = {field.name: field for field in column.fields} if column else {}
    replaced = [
        pl.field(field.name).replace(changes)
        for field in members.struct.unnest()
        if (changes := _changes(field, declared.get(field.name), number))
    ]
    return values.list.eval(pl.element().struct.with_fields(*replaced)) if replaced else values


def _changes(
    values: pl.Series, column: Column | None, number: Callable[[str], str]
) -> dict[str, str]:
    """The replacement of each distinct text that needs one."""
    form = Form.FREE if column is None else column.form
    if values.dtype != pl.String or not form.may_hold_numbers:
        return {}
    # Any other text may be JSON, such as the column extra, in which escapes can hide a number.
    replace = number if form.is_number else mask_json
    # Masking is slow and values repeat, so that each distinct text is masked once.
    distinct = values.drop_nulls().unique().to_list()
    return {text: new for text in distinct if (new := replace(text)) != text}


def mask_json(text: str) -> str:
    """A JSON text that still is JSON, or any other text, with every telephone number masked.

    JSON escapes characters, so that a number may only show once its texts are decoded. A JSON
    number that looks like a telephone number becomes a text.

    Example:
        >>> print(mask_json('{"to":14155550126,"n":3}').encode().decode("unicode_escape"))
        {"n":3,"to":"1 ••• ••• ••26"}
        >>> mask_json("[+1 415 555 0126]")
        '[1 ••• ••• ••26]'
    """
    if text[:1] in ("{", "["):
        try:
            return canonical(_masked_value(parse_json(text.encode())))
        except (BadResponseError, UnicodeEncodeError):  # not JSON, only a bracket in front
            pass
    return mask_text(text)


def _masked_value(value: Any) -> Any:
    if isinstance(value, dict):
        return {mask_text(name): _masked_value(member) for name, member in value.items()}
    if isinstance(value, list):
        return [_masked_value(member) for member in value]
    if isinstance(value, str):
        return mask_text(value)
    # Bare numbers count as telephone numbers where a text of the same digits would.
    if isinstance(value, (int, Decimal)) and len(str(abs(value))) >= SHORTEST:
        text = mask_text(str(value))
        return value if text == str(value) else text
    return value
