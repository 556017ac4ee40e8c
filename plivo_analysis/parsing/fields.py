"""One field of the wire → one value of a column, exact or null, never guessed.

Each parser takes a value that is not null, as the strict JSON parser gives it, and returns
the value for the table with the code of what was odd, or ``None`` where nothing was.

The standard parsers are too kind for this edge: ``Decimal`` takes ``1_000`` and full-width
digits, ``datetime.fromisoformat`` takes week dates. A text that does not match its pattern here
becomes null, with a code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Context, Decimal
from functools import lru_cache
from typing import Any

from plivo_analysis.parsing.oddities import Code
from plivo_analysis.values.spans import from_us
from plivo_analysis.values.table_types import Column, Form, Kind

Parser = Callable[[object], tuple[Any, Code | None]]
Wanted = Mapping[str, Parser | None]
"""The known fields of an object with the parser of each; None for one that is read elsewhere."""

_MONEY = re.compile(r"-?[0-9]{1,9}(?:\.[0-9]{1,8})?")
_MONEY_SCALE = 8
_MONEY_END = 10**9
_MONEY_STEP = Decimal("0.00000001")
_EXACT = Context(prec=28, traps=[])  # whatever the caller's context is

# Nearly every time: in this form no code is due, and no part of it is looked at by itself.
_USUAL_TIME = re.compile(
    r"20[0-9]{2}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"\.[0-9]{1,6}(?:Z|[+-][0-9]{2}:[0-5][0-9])"
)
_TIME = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]"
    r"(?:\.([0-9]{1,9}))?(Z|[+-][0-9]{2}:[0-5][0-9])?"
)
_GO_TIME = re.compile(r"(.{19,29}) ([+-][0-9]{2})([0-5][0-9]) (?:[A-Z]{3,5}|\2\3)")
_UNIX = re.compile(r"(?P<seconds>[0-9]{10})(?:\.[0-9]{1,9})?|(?P<milliseconds>[0-9]{13})")
_UNIX_EXPONENTS = range(-9, 13)  # of the first digit: from a billionth to 13 digits
_UNIX_ZERO = ("0", "-62135596800")  # the second one is the zero date's
_ZERO_DATES = ("0001-01-01", "0000-12-31")  # the second one in offsets west of Greenwich
_FIRST_YEAR, _LAST_YEAR = 1970, 2261  # nanosecond clocks of other engines end in 2262
_MICROSECOND_DIGITS = 6

_NUMBER = re.compile(r"\+?([1-9][0-9]{0,14}|(?=[0-9]*[Xx*])[0-9Xx*]{1,20})")
_DIGITS_WITH_PLUS = re.compile(r"\+([0-9]+)")
_NUMBER_DIGITS = 15  # E.164: at most
_NUMBER_END = 10**_NUMBER_DIGITS

_COUNT = re.compile(r"[0-9]{1,18}")
_COUNT_MOST = 10**6  # a sum of counts stays far below the largest integer of a column
_FLAGS = {"true": True, "false": False}


def money(value: object) -> tuple[Decimal | None, Code | None]:
    """An amount: a text such as ``"0.08000"``, or a JSON number in the same range.

    Args:
        value: As parsed.

    Returns:
        The amount with the digits it came with, at most 9 before the point and 8 after it; it
        is never rounded. ``None`` with a code for anything else.

    Example:
        >>> money("0.08000")
        (Decimal('0.08000'), None)
        >>> [money(text)[0] for text in ("", "1_000", "$0.08", "0,08", "0.000000001")]
        [None, None, None, None, None]
    """
    if isinstance(value, str):
        return _amount_of(value)
    if isinstance(value, Decimal):
        amount = value
    elif isinstance(value, int) and not isinstance(value, bool):
        amount = Decimal(value)
    else:
        return None, Code.MONEY_UNREADABLE
    if not amount.is_finite() or amount.copy_abs() >= _MONEY_END:
        return None, Code.MONEY_UNREADABLE
    # A number may come with an exponent, as 8E-2 or 1E+2: it is taken if it is the same amount
    # within the column's digits. Quantizing rounds, so that the two are compared.
    if not -_MONEY_SCALE <= int(amount.as_tuple().exponent) <= 0:
        same = amount.quantize(_MONEY_STEP, context=_EXACT)
        if same != amount:
            return None, Code.MONEY_UNREADABLE
        amount = same
    return amount, Code.MONEY_NEGATIVE if amount.is_signed() else Code.MONEY_NUMBER


# An account is billed a few prices again and again. Only texts: to a cache the numbers 0.5 and
# 0.50 would be one, and so would 1 and true. Few: a text may be 64 kB.
@lru_cache(maxsize=256)
def _amount_of(digits: str) -> tuple[Decimal | None, Code | None]:
    if not _MONEY.fullmatch(digits):
        return None, Code.MONEY_UNREADABLE
    return Decimal(digits), Code.MONEY_NEGATIVE if digits[0] == "-" else None


def time(value: object) -> tuple[datetime | None, Code | None]:
    """An instant: ``2026-03-01T10:00:00.05Z`` and its kin.

    ``T`` or a space; a fraction of 1 to 9 digits or none; ``Z``, an offset or nothing, which
    is read as UTC and noted. A time as Go prints it (``… +0000 UTC``) is read and noted too, and
    so is a Unix number of 10 digits (seconds) or 13 (milliseconds), as a number or a text, since
    nothing else can be meant by it. Blank is null. So is the API's zero date, whatever its offset.

    Args:
        value: As parsed.

    Returns:
        The same instant in UTC, cut to microseconds. ``None`` with a code for anything that
        is not one instant between 1970 and 2261: it is never moved to another.

    Example:
        >>> time("2026-03-01 15:30:00.05+05:30")[0].isoformat()
        '2026-03-01T10:00:00.050000+00:00'
        >>> time("2026-03-01 15:30:00 +0530 IST")[0] == time(1772359200)[0]
        True
        >>> time("2026-03-01T10:00:60Z")[1].value, time("0001-01-01T05:53:28+05:53")[1].value
        ('time_unreadable', 'time_zero')
    """
    if not isinstance(value, str):
        return _unix_time(value)
    if _USUAL_TIME.fullmatch(value) and (instant := _instant(value)):
        return instant, None
    found = _TIME.fullmatch(value)
    if found is None:
        # Go prints the zone twice, as an offset and by its name; only the offset is unambiguous.
        if go := _GO_TIME.fullmatch(value):
            instant, code = time(f"{go[1]}{go[2]}:{go[3]}")
            return instant, code or Code.TIME_FORM
        return _unix_time(value) if value.strip() else (None, None)
    instant = _instant(value)
    fraction, offset = found.groups()
    if instant is None:
        code = Code.TIME_ZERO if value.startswith(_ZERO_DATES) else Code.TIME_UNREADABLE
    elif not offset:
        code = Code.TIME_NAIVE
    else:
        cut = fraction is not None and len(fraction) > _MICROSECOND_DIGITS
        code = Code.TIME_CUT if cut else None
    return instant, code


def _unix_time(value: object) -> tuple[datetime | None, Code | None]:
    digits = ""  # which is as unreadable as a number of another length
    if isinstance(value, str):
        digits = value
    elif isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        seconds = Decimal(value)
        # One of another size could take endless zeros to write out.
        if seconds.is_finite() and seconds.adjusted() in _UNIX_EXPONENTS:
            digits = f"{seconds:f}"
    if digits in _UNIX_ZERO:
        return None, Code.TIME_ZERO
    if found := _UNIX.fullmatch(digits):
        # As a Decimal and in whole microseconds: a float would round the last of them.
        seconds = Decimal(digits).scaleb(0 if found["seconds"] else -3, _EXACT)
        instant = from_us(int(seconds.scaleb(_MICROSECOND_DIGITS, _EXACT)))
        if instant.year <= _LAST_YEAR:
            return instant, Code.TIME_UNIX
    return None, Code.TIME_UNREADABLE


def _instant(value: str) -> datetime | None:
    try:
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is not UTC:
            instant = instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (ValueError, OverflowError):  # 30 February; an offset of a day; before year 1
        return None
    return instant if _FIRST_YEAR <= instant.year <= _LAST_YEAR else None


def text(value: object) -> tuple[str | None, Code | None]:
    r"""A name, stored exactly as it came; blank is null.

    Args:
        value: As parsed.

    Returns:
        The text, or ``None`` with a code where it is none or no file could hold it.

    Example:
        >>> text(" Acme = 1 "), text("  "), text("\ud800")[1].value
        ((' Acme = 1 ', None), (None, None), 'text_unstorable')
    """
    if not isinstance(value, str):
        return None, Code.TEXT_UNREADABLE
    if "\0" in value or not (value.isascii() or _encodes(value)):
        return None, Code.TEXT_UNSTORABLE
    return value if value.strip() else None, None


def label(value: object) -> tuple[str | None, Code | None]:
    """A text that names one of several things, such as a country: trimmed, its case kept.

    Args:
        value: As parsed.

    Returns:
        As `text`.

    Example:
        >>> label(" US ")
        ('US', None)
    """
    if isinstance(value, str) and value.isascii() and "\0" not in value:  # nearly always
        return value.strip() or None, None
    kept, code = text(value)
    return (kept.strip() if kept else None), code


def word(value: object) -> tuple[str | None, Code | None]:
    """A word of the API's own, such as a status or a UUID: trimmed and lower-cased.

    Args:
        value: As parsed.

    Returns:
        As `text`.

    Example:
        >>> word(" EARLY MEDIA ")
        ('early media', None)
    """
    if isinstance(value, str) and value.isascii() and "\0" not in value:  # nearly always
        return value.strip().lower() or None, None
    kept, code = text(value)
    return (kept.strip().casefold() if kept else None), code


def setting(value: object) -> tuple[str | None, Code | None]:
    """A word that may come as a JSON boolean, as ``log`` does.

    Args:
        value: As parsed.

    Returns:
        As `word`; ``true`` or ``false`` for a boolean.

    Example:
        >>> setting(True), setting("Content_Only")
        (('true', None), ('content_only', None))
    """
    if isinstance(value, bool):
        return str(value).lower(), None
    return word(value)


def error_code(value: object) -> tuple[str | None, Code | None]:
    """A code that is a text of digits, its leading zeros kept.

    Args:
        value: As parsed.

    Returns:
        As `label`; a JSON number gives its digits and a code.

    Example:
        >>> error_code("000"), error_code(200)[0]
        (('000', None), '200')
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value), Code.CODE_FROM_INT
    return label(value)


def number(value: object) -> tuple[str | None, Code | None]:
    """A telephone number: text for ever, digits without a plus sign.

    Args:
        value: As parsed.

    Returns:
        Its digits; a number that the API has hidden in part as it is; any other text as it
        is, with a code. A JSON number gives its digits with a code, unless it is written as a
        fraction or with an exponent, from which digits may be gone: ``None`` with a code.

    Example:
        >>> number("+14155550100"), number(14155550100)[0]
        (('14155550100', None), '14155550100')
        >>> number("0012025550143")
        ('0012025550143', <Code.NUMBER_ODD: 'number_odd'>)
    """
    if not isinstance(value, str):
        # `bool` is a subclass of `int` in Python: true must not become the number 1.
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < _NUMBER_END:
            return str(value), Code.NUMBER_FROM_INT
        return None, Code.NUMBER_UNREADABLE
    if value.isascii() and value.isdigit() and value[0] != "0" and len(value) <= _NUMBER_DIGITS:
        return value, None  # nearly always
    if found := _NUMBER.fullmatch(value.strip()):
        return found[1], None
    kept, code = label(value)
    return (_without_plus(kept), Code.NUMBER_ODD) if kept else (None, code)


def sender(value: object) -> tuple[str | None, Code | None]:
    """The sender of a message: a telephone number, a short code or a name.

    Args:
        value: As parsed.

    Returns:
        As `number`, but a name is nothing odd and keeps its case.

    Example:
        >>> sender("PLVRFY"), sender("+14155550100")
        (('PLVRFY', None), ('14155550100', None))
    """
    if not isinstance(value, str):
        return number(value)
    kept, code = label(value)
    return (_without_plus(kept) if kept else None), code


def count(value: object) -> tuple[int | None, Code | None]:
    """A whole number from 0 to a million, also as a text of digits.

    Args:
        value: As parsed.

    Returns:
        The number; ``None`` for a blank, and with a code for anything else.

    Example:
        >>> count(3), count("3"), count(-1)[1].value, count(2**62)[1].value
        ((3, None), (3, None), 'count_unreadable', 'count_large')
    """
    if isinstance(value, str):
        digits = value.strip()
        if not _COUNT.fullmatch(digits):
            return None, Code.COUNT_UNREADABLE if digits else None
        value = int(digits)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        return None, Code.COUNT_UNREADABLE
    return (value, None) if value <= _COUNT_MOST else (None, Code.COUNT_LARGE)


def flag(value: object) -> tuple[bool | None, Code | None]:
    """True or false, also as a text.

    Args:
        value: As parsed.

    Returns:
        The boolean; ``None`` for a blank, and with a code for anything else.

    Example:
        >>> flag(True), flag("False"), flag(1)[1].value
        ((True, None), (False, None), 'flag_unreadable')
    """
    if isinstance(value, bool):
        return value, None
    if not isinstance(value, str):
        return None, Code.FLAG_UNREADABLE
    answer = _FLAGS.get(value.strip().casefold())
    return answer, Code.FLAG_UNREADABLE if answer is None and value.strip() else None


def _encodes(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:  # half of a pair of surrogates
        return False
    return True


def _without_plus(value: str) -> str:
    found = _DIGITS_WITH_PLUS.fullmatch(value)
    return found[1] if found else value


_OF_KIND: Mapping[Kind, Parser] = {
    Kind.COUNT: count,
    Kind.FLAG: flag,
    Kind.TIME: time,
    Kind.MONEY: money,
}
_OF_FORM: Mapping[Form, Parser] = {
    Form.FREE: text,
    Form.LABEL: label,
    Form.WORD: word,
    Form.SETTING: setting,
    Form.CODE: error_code,
    Form.ID: label,
    Form.NUMBER: number,
    Form.SENDER: sender,
}


def parsers(columns: Iterable[Column]) -> dict[str, Parser]:
    """The fields that fill some columns, each with the parser of the column's kind and form.

    Example:
        >>> list(parsers([Column("log", Kind.TEXT, "What it may show.", form=Form.SETTING)]))
        ['log']
    """
    return {
        column.name: _OF_FORM[column.form] if column.kind is Kind.TEXT else _OF_KIND[column.kind]
        for column in columns
    }
