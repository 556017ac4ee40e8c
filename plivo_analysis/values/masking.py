"""Telephone numbers as this package shows them: the calling code and the last two digits.

Whatever is shown rather than asked for (errors, logs, notes, figures, the report) passes
through here. Two numbers may look alike once masked: this is for reading, never for joining.

A masked number has no plus sign in front, so that no spreadsheet takes it for a formula, and
always the same length, so that it does not tell how long the number was.
"""

from __future__ import annotations

import re

HIDDEN = "••• ••• ••"
SHORTEST = 7  # digits; what is shorter is a short code or a name, and no person's number

# Calling codes of one and two digits, from ITU-T E.164; every other code has three.
_SHORT_CODE = re.compile(r"[17]|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]")
_HIDDEN_BY_THE_API = re.compile(r"\+?[\dXx*]{7,}")
_INTERNATIONAL_PREFIX = re.compile(r"^0{2,}(?=[1-9])")
_IN_TEXT = re.compile(
    r"""
    (?P<keep>
        \b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b            # a UUID
      | (?<!\d)\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?)?(?!\d)  # a time
      | (?<![\d.])\d{1,6}\.\d{1,8}(?![\d.])                                  # an amount
    )
    | \+?\(?\d(?:[\s().\-/]{0,2}\d){6,}                                      # a number
    """,
    re.VERBOSE,
)


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

    Names of senders and short codes, which have fewer than seven digits, are no person's
    number and stay. A number that the API has hidden in part is hidden in the same form.

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
    if _HIDDEN_BY_THE_API.fullmatch(text.strip()):
        digits = text.strip().removeprefix("+")
    else:
        digits = "".join(sign for sign in text if sign.isdigit())
        if len(digits) < SHORTEST:
            return text
    code = calling_code(_INTERNATIONAL_PREFIX.sub("", digits))
    shown = code if code.isascii() and code.isdigit() else ""
    return f"{shown} {HIDDEN}{digits[-2:]}".lstrip()


def is_masked(text: str) -> bool:
    """Whether a number has been masked, here or by the API, so that others may look like it.

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

    A run of seven digits or more looks like one, also with spaces, dots, hyphens or brackets
    between them. UUIDs, ISO times and amounts of money are left as they are.

    Args:
        text: Any text, such as what a server says of an error.

    Returns:
        The text with each number in the form of `mask_number`.

    Example:
        >>> mask_text("no route to +1 (415) 555-0126 at 2026-03-01 10:00:00")
        'no route to 1 ••• ••• ••26 at 2026-03-01 10:00:00'
    """
    return _IN_TEXT.sub(_masked, text)


def _masked(found: re.Match[str]) -> str:
    return found[0] if found["keep"] else mask_number(found[0])
