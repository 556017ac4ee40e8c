"""What each kind of filter value may be, and when a row's value is the same one.

``ParameterKind`` names the kinds for the declaration of a resource. The check of a value and its
comparison with a row's stand together because they must agree on what is one value: the case,
the separators, the spelling of a number.
"""

from __future__ import annotations

import re
import uuid
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING, Self

from plivo_analysis.api.vocabulary import fold_status
from plivo_analysis.errors import FilterError
from plivo_analysis.values.masking import mask_text

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

_LONGEST = 200  # characters of a free text
_SHOWN = 40  # characters of a wrong value that a message repeats

# The documentation gives the form of a subaccount's id. The others are rather too wide: a value
# that is wrongly refused cannot be asked for at all.
_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_SUBACCOUNT = re.compile(r"SA[A-Z0-9]{18}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_CODE = re.compile(r"[0-9]{1,6}")
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_NUMBER_SIGNS = re.compile(r"[\s().\-\u2010-\u2015]+")
_RECIPIENT = re.compile(r"[1-9][0-9]{5,14}")
_SHORT_OR_LONG = re.compile(r"[0-9]{1,15}")  # a short code or a telephone number
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ._&+-]{0,13}[A-Za-z0-9])?")
_HIDDEN_SIGNS = "Xx*•"  # what stands for a digit that the API hides
_HIDDEN_RUN = re.compile(rf"[{_HIDDEN_SIGNS}]+")
_HIDDEN = re.compile(rf"[0-9{_HIDDEN_SIGNS}]*[{_HIDDEN_SIGNS}][0-9{_HIDDEN_SIGNS}]*")
_SHORTEST_HIDDEN = 7  # signs; what is shorter is a sender's name, such as "XX" or "X1"


def checked_choice(name: str, value: object, choices: Sequence[str]) -> str:
    """One word of a closed set, in the API's own spelling.

    Raises:
        FilterError: It is none of them.

    Example:
        >>> checked_choice("status", "In Progress", ("in-progress", "verified"))
        'in-progress'
    """
    text = _text(name, value)
    for word in choices:
        if same_word(word, text):
            return word
    raise wrong_value(name, text, f"one of {', '.join(choices)}")


def checked_uuid(name: str, value: object) -> str:
    """A UUID, in lower case.

    Raises:
        FilterError: It is none.

    Example:
        >>> checked_uuid("app_uuid", "53CFE61C-0000-4000-8000-000000000000")
        '53cfe61c-0000-4000-8000-000000000000'
    """
    text = str(value) if isinstance(value, uuid.UUID) else value
    return _matching(name, text, _UUID, "a UUID, 32 hexadecimal digits in five groups").lower()


def checked_recipient(name: str, value: object) -> str:
    """A telephone number as digits with its country code, as the API writes it.

    Raises:
        FilterError: It is none.

    Example:
        >>> checked_recipient("recipient", "+1 (415) 555-0123")
        '14155550123'
    """
    digits = bare_number(_text(name, value))
    if not _RECIPIENT.fullmatch(digits):
        raise FilterError(
            f"{name} is not a telephone number; it takes 6 to 15 digits with the country code, "
            'such as "+1 415 555 0100".'
        )
    return digits


def checked_sender(name: str, value: object) -> str:
    """The number or the name of a sender or receiver of messages.

    What is wholly a number becomes its digits. A name is left as it is, since ``ACME OTP`` and
    ``ACMEOTP`` are two senders.

    Raises:
        FilterError: It is none.

    Example:
        >>> checked_sender("from_number", "+1 (415) 555-0123")
        '14155550123'
        >>> checked_sender("from_number", "ACME OTP")
        'ACME OTP'
    """
    text = _text(name, value)
    bare = bare_number(text)
    if _SHORT_OR_LONG.fullmatch(bare):
        return bare
    if not _NAME.fullmatch(text):
        raise FilterError(
            f"{name} is neither a telephone number nor a sender's name; it takes digits with the "
            'country code, such as "+1 415 555 0100", a short code, or up to 15 letters and digits '
            "with spaces, dots or hyphens between them."
        )
    return text


def _checked_country(name: str, value: object) -> str:
    text = _text(name, value)
    if not _COUNTRY.fullmatch(text.upper()):
        raise FilterError(f"{name} is {shown_value(text)}. Use a two-letter code, such as BD.")
    return text.upper()


def _checked_code(name: str, value: object) -> str:
    """An error code, as text with its leading zeros."""
    if isinstance(value, int) and not isinstance(value, bool):
        # A notebook's integer has lost its zeros; "000" is the only code that begins with them.
        value = str(value) if value else "000"
    return _matching(name, value, _CODE, 'up to six digits as text, such as "000" or "450"')


def same_word(wanted: str, found: str) -> bool:
    """Whether a row's word is the one asked for, whatever its case and separators.

    Example:
        >>> same_word("in-progress", "In Progress")
        True
    """
    return fold_status(wanted) == fold_status(found)


def same_code(wanted: str, found: str) -> bool:
    """Whether a row's error code is the one asked for, however many zeros lead it.

    Example:
        >>> same_code("000", "0"), same_code("20", "200")
        (True, False)
    """
    return wanted.lstrip("0") == found.strip().lstrip("0")


def same_number(wanted: str, found: str) -> bool | None:
    """Whether a row's number is the one asked for; None where the row hides what would tell.

    The API hides digits of some records (``141XXXXX123``). The digits that it shows are
    compared: one that differs tells that it is another number.

    Example:
        >>> same_number("14155550123", "+14155550123"), same_number("14155550123", "141XXXXX123")
        (True, None)
        >>> same_number("14155550123", "141XXXXX124")
        False
    """
    bare = bare_number(found)
    if bare == wanted:
        return True
    # Three answers: a row that hides digits proves neither that the server kept to the filter nor
    # that it did not, so that its own list decides.
    if len(bare) < _SHORTEST_HIDDEN or not _HIDDEN.fullmatch(bare):
        return False
    if len(bare) != len(wanted):  # how many digits are hidden is not known
        return None if re.fullmatch(_HIDDEN_RUN.sub("[0-9]*", bare), wanted) else False
    shown = (pair for pair in zip(wanted, bare, strict=True) if pair[1] not in _HIDDEN_SIGNS)
    return None if all(one == other for one, other in shown) else False


def same_sender(wanted: str, found: str) -> bool | None:
    """Whether a row's sender or receiver is the one asked for; None where only the server knows.

    A name that differs in its case alone may or may not be the same sender to the server, so
    that its own list decides.

    Example:
        >>> same_sender("ACME OTP", "ACME OTP"), same_sender("ACME OTP", "ACME-OTP")
        (True, False)
        >>> same_sender("ACME OTP", "Acme Otp") is None
        True
    """
    if wanted.isdecimal():
        return same_number(wanted, found)
    name = found.strip()
    if name == wanted:
        return True
    return None if name.casefold() == wanted.casefold() else False


def bare_number(number: str) -> str:
    """A number without what people write between its digits and before its country code.

    Example:
        >>> bare_number("+1 (415) 555-0123"), bare_number("0044 7700 900123")
        ('14155550123', '447700900123')
    """
    # Two spellings of one prefix: "+" and "00" both say that a country code follows.
    bare = _NUMBER_SIGNS.sub("", number)
    if bare.startswith("+"):
        return bare[1:]
    return bare.removeprefix("00")


def _matching(name: str, value: object, form: re.Pattern[str], takes: str) -> str:
    text = _text(name, value)
    if not form.fullmatch(text):
        raise wrong_value(name, text, takes)
    return text


def _text(name: str, value: object) -> str:
    """The value as one line of text without blanks around it."""
    text = required_text(name, value).strip()
    if not text:
        raise FilterError(f"{name} is empty; leave it out to ask for any.")
    if len(text) > _LONGEST:
        raise FilterError(f"{name} has {len(text)} characters; it takes at most {_LONGEST}.")
    # A line break would end a line of a log, and a mark of direction show the text as another.
    if not text.isprintable():
        raise FilterError(f"{name} holds a control character or a line break; it takes plain text.")
    return text


def required_text(name: str, value: object) -> str:
    """A value that is text, such as a label.

    Raises:
        FilterError: It is of another type.

    Example:
        >>> required_text("currency", "EUR")
        'EUR'
    """
    if not isinstance(value, str):
        raise FilterError(f"{name} is of type {type(value).__name__}; it takes text.")
    return value


def checked_word(name: str, value: object, allowed: Collection[str]) -> str:
    """A word of a closed set, written exactly so.

    Raises:
        FilterError: It is not one of them.

    Example:
        >>> checked_word("partial", "raise", ("raise", "return"))
        'raise'
    """
    choices = " or ".join(map(repr, allowed))
    if not isinstance(value, str):
        raise FilterError(f"{name} is of type {type(value).__name__}; it can be {choices}.")
    if value not in allowed:
        raise FilterError(f"{name} is {shown_value(value)}; it can be {choices}.")
    return value


def wrong_value(name: str, value: object, takes: str) -> FilterError:
    """An error on an argument's value, with what would be right.

    Example:
        >>> wrong_value("sessions", 1.5, "a whole number")
        FilterError('sessions is 1.5; it takes a whole number.')
    """
    return FilterError(f"{name} is {shown_value(value)}; it takes {takes}.")


def shown_value(value: object) -> str:
    """A wrong value for a message: short, on one line, and with no telephone number in it.

    Example:
        >>> shown_value("14155550100 or so")
        "'1 ••• ••• ••00 or so'"
    """
    shown = mask_text(" ".join(ascii(value).split()))
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}…"


class ParameterKind(StrEnum):
    """What a filter's value is; its text is shown in the documentation.

    ``checked`` returns a value as the API wants it, or raises; ``same`` compares that with what a
    row holds, and answers None where the row hides it.

    Example:
        >>> ParameterKind.COUNTRY.checked("country", "in")
        'IN'
        >>> ParameterKind.CODE.same("000", "0")
        True
    """

    checked: Callable[[str, object], str]
    same: Callable[[str, str], bool | None]

    def __new__(
        cls,
        words: str,
        checked: Callable[[str, object], str],
        same: Callable[[str, str], bool | None] = same_word,
    ) -> Self:
        """A kind with its words and its two functions."""
        kind = str.__new__(cls, words)
        kind._value_ = words
        kind.checked, kind.same = checked, same
        return kind

    CHOICE = "one of", _text
    UUID = "UUID", checked_uuid
    RECIPIENT = "telephone number", checked_recipient, same_number
    SENDER = "telephone number or sender's name", checked_sender, same_sender
    SUBACCOUNT = (
        "subaccount's auth id",
        partial(_matching, form=_SUBACCOUNT, takes="SA and 18 capital letters or digits"),
    )
    COUNTRY = "two-letter country code", _checked_country
    CODE = "error code", _checked_code, same_code
    # The form of these ids is not documented, so that only what cannot be an id is refused.
    ID = (
        "id",
        partial(_matching, form=_ID, takes="up to 64 letters, digits, hyphens and underscores"),
    )
    TEXT = "text", _text

    @property
    def is_number(self) -> bool:
        """Whether a value may be a telephone number, which is never shown."""
        return self in (ParameterKind.RECIPIENT, ParameterKind.SENDER)
