"""What comes of reading one record: the row, the notes on it and its text.

A note shows what was seen, masked and short. The whole of it is in the record's text.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from plivo_analysis.parsing.canonical import canonical
from plivo_analysis.values.masking import mask_number, mask_text

if TYPE_CHECKING:
    from datetime import datetime

    from plivo_analysis.parsing.oddities import Code

LONGEST_VALUE = 80
_LOOKED_AT = 400  # characters; masking shortens, and what lies beyond would not be shown


@dataclass(frozen=True, slots=True)
class Note:
    """One odd thing.

    Args:
        code: One of `Code`.
        path: The field, as in ``attempt_details[1].time``; empty for the whole record.
        value: What was seen: masked, at most 80 characters.

    Example:
        >>> Note("count_differs", "count", "3").path
        'count'
    """

    code: str
    path: str
    value: str


@dataclass(frozen=True, slots=True)
class Record:
    """One record of the API, read.

    Args:
        key: Its id, or ``sha256:…`` of its content where it has none.
        instant: The time that it belongs to, in UTC; ``None`` where that is not readable.
        row: A value for every column of its table; ``None`` where the record is set aside.
        notes: Everything odd about it. The first one of a record set aside says why.
        raw: Its content as one line of JSON, with sorted keys and exact numbers. Neither it
            nor the row is in the ``repr``: they hold telephone numbers.

    Example:
        >>> Record("sha256:…", None, None, (), "null").row is None
        True
    """

    key: str
    instant: datetime | None
    row: dict[str, Any] | None = field(repr=False)
    notes: tuple[Note, ...]
    raw: str = field(repr=False)


def note(code: Code, path: str, value: object = "") -> Note:
    """A note with its value made fit to show: masked, printable, short.

    Args:
        code: What was odd.
        path: The field.
        value: What was seen there, as parsed.

    Returns:
        The note.

    Example:
        >>> from plivo_analysis.parsing.oddities import Code
        >>> note(Code.MONEY_UNREADABLE, "total_charge", "call 14155550126")
        Note(code='money_unreadable', path='total_charge', value='call 1 ••• ••• ••26')
    """
    return Note(code.value, path, shown(value))


def shown(value: object) -> str:
    """A value from the wire in a form fit to show.

    Args:
        value: As parsed.

    Returns:
        At most 80 printable characters without a telephone number.

    Example:
        >>> shown({"to": 14155550126})
        '{"to":1 ••• ••• ••26}'
    """
    text = value if isinstance(value, str) else canonical(value)
    text = mask_text(text[:_LOOKED_AT])
    text = "".join(sign if sign.isprintable() else "�" for sign in text)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


def shown_number(value: object) -> str:
    """A value of a field for telephone numbers in a form fit to show.

    Args:
        value: As parsed.

    Returns:
        At most 80 printable characters; the digits hidden however they are spread.

    Example:
        >>> shown_number("1a4a1a5a5a5a5")
        '1 ••• ••• ••55'
    """
    return shown(mask_number(value) if isinstance(value, str) else value)
