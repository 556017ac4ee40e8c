"""Formats numbers, amounts, days and foreign text for people.

Figures, report and explorer write the same number in the same way: a true minus sign, a narrow
no-break space before a unit, an en dash in a range, English names of months whatever the
machine's locale. Amounts stay decimal; they are rounded half-even when fewer digits are shown
than they have.
"""

from __future__ import annotations

import unicodedata
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import date

MINUS = "−"
DASH = "–"
NARROW = "\u202f"
NOT_KNOWN = DASH

MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")

_SIGNS = {"USD": "$", "EUR": "€", "GBP": "£", "INR": "₹"}
_WITH_CENTS = frozenset({"USD", "EUR"})
_CAP = 80
_HIDDEN = frozenset({"Cc", "Cf", "Co", "Cs", "Cn", "Zl", "Zp"})
# The usual 28 digits are too few for a sum with all its decimal places.
_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)


def clean(text: object, cap: int = _CAP) -> str:
    r"""Foreign text without invisible characters: controls, bidi marks, lone surrogates.

    Runs of white space become one space and a long text is cut, so that a name cannot turn
    a line around, break it or fill the page. Whatever writes the text into HTML or a figure
    has to escape it.

    Example:
        >>> clean("Web\u202e check\nout")
        'Web check out'
        >>> clean("x" * 90, cap=5)
        'xxxx…'
    """
    # White space first: a line break is a control character, and would leave no space behind.
    spaced = "".join(" " if c.isspace() else c for c in str(text))
    visible = "".join(c for c in spaced if unicodedata.category(c) not in _HIDDEN)
    visible = " ".join(visible.split())
    return visible if len(visible) <= cap else visible[: cap - 1] + "…"


def count(number: int | None) -> str:
    """A whole number with its thousands apart.

    Example:
        >>> count(35740), count(-3), count(None)
        ('35,740', '−3', '–')
    """
    return NOT_KNOWN if number is None else _signed_minus(f"{number:,}")


def plural(number: int, one: str, many: str | None = None) -> str:
    """A number and its noun.

    Example:
        >>> plural(1, "session"), plural(2000, "session"), plural(0, "country", "countries")
        ('1 session', '2,000 sessions', '0 countries')
    """
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def percent(rate: float | Decimal | None, digits: int = 1, *, unit: bool = True) -> str:
    r"""A rate of 0 to 1 in percent.

    Example:
        >>> percent(0.907), percent(0.907, unit=False), percent(None)
        ('90.7\u202f%', '90.7', '–')
    """
    if rate is None:
        return NOT_KNOWN
    return _signed_minus(f"{rate * 100:.{digits}f}") + (f"{NARROW}%" if unit else "")


def percent_range(low: float | None, high: float | None, digits: int = 1) -> str:
    r"""An interval of rates in percent, with one unit at its end; ends that read alike are one.

    Example:
        >>> percent_range(0.904, 0.91), percent_range(1.0, 1.0, 0)
        ('90.4–91.0\u202f%', '100\u202f%')
    """
    if low is None or high is None:
        return NOT_KNOWN
    start, end = percent(low, digits, unit=False), percent(high, digits)
    return end if end.startswith(f"{start}{NARROW}") else f"{start}{DASH}{end}"


def money(amount: Decimal | None, currency: str = "USD", digits: int | None = 2) -> str:
    r"""An amount with its currency; ``digits=None`` shows every digit that it has.

    Example:
        >>> money(Decimal("2465.4700")), money(Decimal("-0.44")), money(None)
        ('$2,465.47', '−$0.44', '–')
        >>> money(Decimal("0.04620000"), digits=None), money(Decimal("12"), "AED")
        ('$0.0462', 'AED\xa012.00')
    """
    if amount is None:
        return NOT_KNOWN
    before = sign(currency) if currency in _SIGNS else f"{currency}\u00a0"
    number = plain(amount, decimals(amount) if digits is None else digits)
    return f"{MINUS}{before}{number[1:]}" if number.startswith(MINUS) else f"{before}{number}"


def sign(currency: str) -> str:
    """The sign of a currency, or its code, for an amount or the head of a column.

    Example:
        >>> sign("EUR"), sign("AED")
        ('€', 'AED')
    """
    return _SIGNS.get(currency, currency)


def unit_price(amount: Decimal | None, currency: str = "USD") -> str:
    r"""A small amount for one session: in cents where the currency has them and it is below 1.

    Example:
        >>> unit_price(Decimal("0.0760")), unit_price(Decimal("1.5")), unit_price(None)
        ('7.60\u202f¢', '$1.50', '–')
        >>> unit_price(Decimal("0.0760"), "INR")
        '₹0.0760'
    """
    if amount is None or abs(amount) >= 1:
        return money(amount, currency)
    if currency not in _WITH_CENTS:
        return money(amount, currency, 4)
    return f"{plain(amount * 100, 2)}{NARROW}¢"


def plain(amount: Decimal, digits: int) -> str:
    """A decimal number with so many digits after the point and its thousands apart.

    Example:
        >>> plain(Decimal("-1234.565"), 2), plain(Decimal("-0.001"), 2)
        ('−1,234.56', '0.00')
    """
    rounded = amount.quantize(Decimal(1).scaleb(-digits), context=_EXACT)
    # A zero that rounding left negative has no sign.
    return _signed_minus(f"{rounded or abs(rounded):,f}")


def decimals(amount: Decimal, least: int = 2) -> int:
    """How many digits after the point show an amount exactly.

    Example:
        >>> decimals(Decimal("0.04620000")), decimals(Decimal("3.00000000"))
        (4, 2)
    """
    exponent = amount.normalize(_EXACT).as_tuple().exponent
    return max(least, -exponent) if isinstance(exponent, int) else least


def signed(text: str) -> str:
    """A formatted number with a plus sign where it is above zero.

    Example:
        >>> signed("16.9"), signed("−1.2"), signed("0.00"), signed("$3.10")
        ('+16.9', '−1.2', '0.00', '+$3.10')
    """
    if text.startswith((MINUS, DASH)) or not any(c in "123456789" for c in text):
        return text
    return f"+{text}"


def day(when: date) -> str:
    """A day of the year.

    Example:
        >>> from datetime import date
        >>> day(date(2026, 10, 13))
        '13 Oct'
    """
    return f"{when.day} {MONTHS[when.month - 1][:3]}"


def weekday(when: date) -> str:
    """A day of the year with the day of the week.

    Example:
        >>> from datetime import date
        >>> weekday(date(2026, 10, 13))
        'Tue 13 Oct'
    """
    return f"{WEEKDAYS[when.weekday()]} {day(when)}"


def days(first: date, last: date) -> str:
    """A range of days, both included; a month that they share is written once.

    Example:
        >>> from datetime import date
        >>> days(date(2026, 10, 12), date(2026, 10, 15))
        '12–15 October'
        >>> days(date(2026, 9, 28), date(2026, 10, 4))
        '28 September – 4 October'
    """
    end = f"{last.day} {MONTHS[last.month - 1]}"
    if first == last:
        return end
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}{DASH}{end}"
    return f"{first.day} {MONTHS[first.month - 1]} {DASH} {end}"


def _signed_minus(text: str) -> str:
    return text.replace("-", MINUS)
