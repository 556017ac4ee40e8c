"""What a table and a column are, and their types in polars and in Arrow.

A column's kind says what its values are, not how an engine stores them.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from typing import TYPE_CHECKING

import polars as pl
import pyarrow as pa

from plivo_analysis.values.masking import mask_text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

MONEY_DIGITS = 18
MONEY_SCALE = 8
SUM_DIGITS = 38  # sums of many amounts; the scale stays
_FEW = 6  # names that a message can hold


class Kind(StrEnum):
    """What a value is.

    Example:
        >>> Kind.MONEY.value
        'money'
    """

    TEXT = "text"
    COUNT = "count"
    FLAG = "flag"
    RATE = "rate"
    NUMBER = "number"
    TIME = "time"
    MONEY = "money"
    SUM = "sum of money"
    TEXTS = "list of text"
    RECORDS = "list of records"


class Form(StrEnum):
    """What a text is, which decides how it is read from the API and how it is masked.

    Example:
        >>> Form.SENDER.is_number, Form.ID.may_hold_numbers
        (True, False)
    """

    FREE = "free"  # a name or a sentence, exactly as the API gives it
    LABEL = "label"  # names one of several things: trimmed, its case kept
    WORD = "word"  # a word of the API's own: trimmed and lower-cased
    SETTING = "setting"  # a word that may come as a JSON boolean
    CODE = "code"  # digits with their leading zeros
    ID = "id"  # an id or an address, whose digits are no telephone number
    NUMBER = "number"  # a telephone number
    SENDER = "sender"  # a telephone number, a short code or the name of a sender

    @property
    def is_number(self) -> bool:
        """Whether the whole text is a number, or stands in the place of one."""
        return self in (Form.NUMBER, Form.SENDER)

    @property
    def may_hold_numbers(self) -> bool:
        """Whether telephone numbers may stand in it."""
        return self is not Form.ID


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table.

    Args:
        name: Its name; the API's own where the API has one.
        kind: What its values are.
        meaning: One sentence.
        unit: The unit of its values, where they have one.
        nullable: Whether a value may be missing.
        computed: Whether it is ours rather than the API's.
        fields: The columns of each record, for ``Kind.RECORDS``.
        form: What its text is, for ``Kind.TEXT``.

    Example:
        >>> Column("alias", Kind.TEXT, "The application's name.").nullable
        True
    """

    name: str
    kind: Kind
    meaning: str
    unit: str = ""
    nullable: bool = True
    computed: bool = False
    fields: tuple[Column, ...] = ()
    form: Form = Form.FREE

    def polars(self) -> pl.DataType:
        """The type of this column in polars."""
        if self.kind is Kind.RECORDS:
            return pl.List(pl.Struct({field.name: field.polars() for field in self.fields}))
        return _TYPES[self.kind][0]

    def arrow(self) -> pa.DataType:
        """The type of this column in Arrow."""
        if self.kind is Kind.RECORDS:
            return pa.list_(pa.struct([(field.name, field.arrow()) for field in self.fields]))
        return _TYPES[self.kind][1]


def computed(
    name: str, kind: Kind, meaning: str, unit: str = "", *, nullable: bool = False
) -> Column:
    """A column that is ours rather than the API's.

    Example:
        >>> computed("verified", Kind.COUNT, "Verified.", "sessions").computed
        True
    """
    return Column(name, kind, meaning, unit, nullable, computed=True)


@dataclass(frozen=True, slots=True)
class Table:
    """A table: its name, what one row is, its key and its columns in order.

    Args:
        name: A plural noun.
        row: What one row is.
        columns: The columns in order.
        key: The columns that tell rows apart; empty where nothing does.

    Example:
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> SESSIONS.key
        ('session_uuid',)
    """

    name: str
    row: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """The names of the columns, in order."""
        return [column.name for column in self.columns]

    def polars(self) -> pl.Schema:
        """The schema of this table in polars."""
        return pl.Schema({column.name: column.polars() for column in self.columns})


_MONEY = (MONEY_DIGITS, MONEY_SCALE)
_SUM = (SUM_DIGITS, MONEY_SCALE)
_TYPES: dict[Kind, tuple[pl.DataType, pa.DataType]] = {
    Kind.TEXT: (pl.String(), pa.string()),
    Kind.COUNT: (pl.Int64(), pa.int64()),
    Kind.FLAG: (pl.Boolean(), pa.bool_()),
    Kind.RATE: (pl.Float64(), pa.float64()),
    Kind.NUMBER: (pl.Float64(), pa.float64()),
    Kind.TIME: (pl.Datetime("us", "UTC"), pa.timestamp("us", "UTC")),
    Kind.MONEY: (pl.Decimal(*_MONEY), pa.decimal128(*_MONEY)),
    Kind.SUM: (pl.Decimal(*_SUM), pa.decimal128(*_SUM)),
    Kind.TEXTS: (pl.List(pl.String()), pa.list_(pa.string())),
}


def describe_columns(available: Collection[str], missing: Collection[str] = ()) -> str:
    """A sentence on the columns of a frame, for an error about those that it lacks.

    It names all of them where they are few, else their number and the nearest to the missing ones.

    Example:
        >>> describe_columns(["alias", "status"], ["state"])
        "It has 'alias' and 'status'."
        >>> describe_columns([*map(str, range(60)), "statu"], ["status"])
        "It has 61 columns; the nearest name is 'statu'."
    """
    if len(available) <= _FEW:
        return f"It has {quoted_names(available) or 'no columns'}."
    close = [name for wanted in missing for name in get_close_matches(wanted, available, n=1)]
    nearest = dict.fromkeys(close)
    if not nearest:
        return f"It has {len(available)} columns."
    subject = "the nearest name is" if len(nearest) == 1 else "the nearest are"
    return f"It has {len(available)} columns; {subject} {quoted_names(nearest)}."


def quoted_names(names: Iterable[str]) -> str:
    """The first few names of columns for a message, with telephone numbers in them masked.

    Example:
        >>> quoted_names(["alias"]), quoted_names(map(str, range(9)))
        ("'alias'", "'0', '1', '2', '3', '4', '5' and 3 more")
    """
    quoted = [mask_text(repr(name)) for name in names]
    if len(quoted) > _FEW:
        quoted[_FEW:] = [f"{len(quoted) - _FEW} more"]
    return " and ".join(filter(None, [", ".join(quoted[:-1]), *quoted[-1:]]))
