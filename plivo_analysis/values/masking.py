"""Telephone numbers as this package shows them: the calling code and the last two digits.

All that the package shows by itself (errors, logs, notes, figures, the report) passes through
here. Two numbers may look alike once masked: this is for reading, never for joining.

A masked number has no plus sign in front, so that no spreadsheet takes it for a formula, and
always the same length, so that it does not tell how long the number was.

A number is found in any spelling: separators between its digits, invisible characters, digits
of other scripts, ``%`` and JSON escapes. A text is *unfolded* for the search, and each number
found is replaced in its place. Deletion (``storage.tombstones``) searches the same form.
"""

from __future__ import annotations

import json
import re
import unicodedata
from functools import lru_cache
from urllib.parse import unquote

HIDDEN = "••• ••• ••"
SHORTEST = 7  # digits; a shorter one is a short code or a name, and no person's number

# Calling codes of one and two digits, from ITU-T E.164; every other code has three.
_SHORT_CODE = re.compile(r"[17]|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]")
_HIDDEN_BY_THE_API = re.compile(r"\+?[\dXx*]{7,}")
_INTERNATIONAL_PREFIX = re.compile(r"^0{2,}(?=[1-9])")

# What people write between the digits of a number; the last ones are letters that show as blanks.
SEPARATORS = r"[\s().\-/+_*\\·•\u2010-\u2015\u2212\u2800\u115f\u1160]{0,3}"
_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![0-9a-fA-F])"
_DATE = r"(?:19|20)\d\d-\d\d-\d\d"
_CLOCK = r"[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)?"
_TIME = rf"{_DATE}(?:{_CLOCK}(?!\d)|(?!{SEPARATORS}\d)|(?={SEPARATORS}{_DATE}))"
# An amount looks like a number in two groups, such as 141555.50126. It is left as it is only where
# it is too short for one, begins with a zero or ends in zeros, and where no more digits follow.
_AMOUNT = (
    r"(?:0\.\d{1,8}|(?=[\d.]{3,10}(?![\d.]))[1-9]\d{0,5}\.\d{1,8}|[1-9]\d{0,5}\.\d{0,5}000)"
    rf"(?!\.?\d)(?:(?!{SEPARATORS}\d)|(?={SEPARATORS}{_DATE}))"
)
_IN_TEXT = re.compile(
    rf"""
    (?P<keep>
        (?<![0-9a-zA-Z]) {_UUID}
      | (?<!\d) {_TIME}
      | (?<![\d.]) {_AMOUNT}
    )
    # A number ends where a time or a UUID begins: its digits would otherwise include theirs.
    | [+(]{{0,2}} \d (?: {SEPARATORS} (?!(?<!\d)(?:{_TIME}|{_UUID})) \d){{6,}}
    """,
    re.VERBOSE,
)
_BEHIND_PERCENT = re.compile(rf"(?<!%[0-7][0-9A-Fa-f]%)(?<=%)\d{{{SHORTEST},}}")
_RUN = re.compile(rf"\d(?:{SEPARATORS}\d){{6}}")

# What is unfolded: escapes of a query in UTF-8 or of a JSON text, control characters, and all that
# is not ASCII.
_FOLDED = re.compile(
    r"%[0-7][0-9A-Fa-f]|%[C-Fc-f][0-9A-Fa-f](?:%[89ABab][0-9A-Fa-f]){1,3}"
    r"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\[bfnrt]"
    r"|[\x00-\x08\x0e-\x1b\x7f]|[^\x00-\x7f]"
)
_INVISIBLE = frozenset({"Cc", "Cf", "Mn", "Me"})  # zero-width, direction, marks on a digit


def calling_code(digits: str) -> str:
    """The country calling code that a number in E.164 form begins with.

    Args:
        digits: Digits without a plus sign.

    Returns:
        One to three digits; empty where the number begins with 0, which no code does.

    Example:
        >>> [calling_code(number) for number in ("14155550100", "447700900123", "88000000000")]
        ['1', '44', '880']
        >>> calling_code("07700900123")
        ''
    """
    if digits.startswith("0"):
        return ""
    short = _SHORT_CODE.match(digits)
    return short[0] if short else digits[:3]


def mask_number(text: str) -> str:
    """One number with all but its calling code and its last two digits hidden.

    Names of senders and short codes, which have fewer than seven digits, are no person's number
    and stay as they are. A number that the API has masked in part gets the same form.

    Args:
        text: A number in any spelling, or the name of a sender.

    Returns:
        The same text, or the number in masked form.

    Example:
        >>> mask_number("14155550126")
        '1 ••• ••• ••26'
        >>> mask_number("+44 7700 900123")
        '44 ••• ••• ••23'
        >>> mask_number("PLVRFY")
        'PLVRFY'
    """
    if _HIDDEN_BY_THE_API.fullmatch(text.strip()) and text.isascii():
        digits = text.strip().removeprefix("+")
    else:
        digits = "".join(sign for sign in unfolded(text) if sign.isdecimal())
        if len(digits) < SHORTEST:
            return text
    code = calling_code(_INTERNATIONAL_PREFIX.sub("", digits))
    code = code if code.isdecimal() else ""  # the API may have hidden a part of it
    return f"{code} {HIDDEN}{digits[-2:]}".lstrip()


def is_masked(text: str) -> bool:
    """Whether a number is masked, by this package or the API, so that others may look like it.

    Example:
        >>> [is_masked(text) for text in ("1 ••• ••• ••26", "141XXXXX528", "14155550126", "PLVRFY")]
        [True, True, False, False]
    """
    number = text.strip()
    return HIDDEN in number or bool(
        _HIDDEN_BY_THE_API.fullmatch(number) and not number.removeprefix("+").isdecimal()
    )


def mask_text(text: str) -> str:
    """A text in which everything that looks like a telephone number is masked.

    Seven digits or more look like one, however they are written. UUIDs, ISO times and amounts of
    money are left as they are.

    Args:
        text: Any text, such as a server's error message.

    Returns:
        The text with each number in the form of `mask_number`.

    Example:
        >>> mask_text("no route to +1 (415) 555-0126 at 2026-03-01 10:00:00")
        'no route to 1 ••• ••• ••26 at 2026-03-01 10:00:00'
    """
    # Digits right behind a percent sign: two of them could be an escape, or all of them a number.
    text = _BEHIND_PERCENT.sub(lambda found: mask_number(found[0]), text)
    plain = unfolded(text)
    if _RUN.search(plain) is None:  # so in most texts, which need no slower search
        return text
    places = _places(text)
    parts, at = [], 0
    for found in _IN_TEXT.finditer(plain):
        if not found["keep"]:
            parts += [text[at : places[found.start()][0]], mask_number(found[0])]
            at = places[found.end() - 1][1]
    return "".join([*parts, text[at:]])


class Private(str):
    """A text that is used as it is and printed masked: a verbose traceback prints its ``repr``.

    Example:
        >>> scope = Private("recipient=14155550126")
        >>> scope, scope == "recipient=14155550126"
        ('recipient=1 ••• ••• ••26', True)
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(mask_text(self))


def unfolded(text: str) -> str:
    """A text in which a number looks the same however its digits were written.

    Escapes are resolved, characters of other widths and scripts become plain ASCII where it has
    them, and invisible ones are left out.

    Example:
        >>> unfolded("%2B1\u200b415\uff15\u0665\u0665")
        '+1415555'
    """
    # Most texts hold nothing to unfold, and these checks take a tenth of the search's time.
    if text.isascii() and text.isprintable() and "%" not in text and "\\" not in text:
        return text
    return _FOLDED.sub(lambda found: _unfold(found[0]), text)


def _places(text: str) -> list[tuple[int, int]]:
    """Where each character of the unfolded text begins and ends in the original text."""
    places: list[tuple[int, int]] = []
    at = 0
    for found in _FOLDED.finditer(text):
        places += [(place, place + 1) for place in range(at, found.start())]
        places += [found.span()] * len(_unfold(found[0]))
        at = found.end()
    return places + [(place, place + 1) for place in range(at, len(text))]


@lru_cache(maxsize=4096)
def _unfold(character: str) -> str:
    """One character, or one escape, as a person reads it; empty where it is invisible."""
    if len(character) > 1:
        is_percent = character[0] == "%"
        character = unquote(character) if is_percent else json.loads(f'"{character}"')
    plain = ""
    for part in unicodedata.normalize("NFKC", character):
        if part.isspace() or unicodedata.category(part) not in _INVISIBLE:
            digit = unicodedata.digit(part, None)
            plain += part if digit is None else str(digit)
    return plain
