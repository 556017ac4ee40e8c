"""What changed from the period before, and whether that is more than chance can cause.

The intervals are those of ``compare``: Newcombe's (1998), method 10, for rates.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from plivo_analysis.values.typesetting import MINUS, NARROW, percent, plain, signed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_MOST_DIGITS = 4


class Change(NamedTuple):
    """By how much a number moved.

    Args:
        value: The later number less the earlier one.
        share: The same as a share of the earlier one; None where that is zero.

    Example:
        >>> Change.of(Decimal("2.1"), Decimal("2"))
        Change(value=Decimal('0.1'), share=Decimal('0.05'))
    """

    value: Decimal
    share: Decimal | None

    @classmethod
    def of(cls, now: Decimal | int, before: Decimal | int) -> Change:
        """The change from one number to another."""
        past = Decimal(before)
        # Credits can make a sum negative: divided by it, a rise would read as a fall.
        return cls(now - past, (now - past) / abs(past) if past else None)

    @property
    def percent(self) -> str:
        r"""The change in percent of what was before; empty where that cannot be said.

        Example:
            >>> Change.of(115, 100).percent, Change.of(9996, 10000).percent, Change.of(5, 0).percent
            ('+15.0\u202f%', '−0.04\u202f%', '')
        """
        return "" if self.share is None else visible_percent(self.share, "%")

    def text(self, shown: Callable[[Decimal, int], str] = plain) -> str:
        """The change of an amount, set as the amount is.

        Args:
            shown: Formats an amount with so many digits.

        Example:
            >>> Change.of(Decimal("2.1"), Decimal("2")).text()
            '+0.10'
        """
        return _with_visible_digits(self.value, lambda digits: shown(self.value, digits), least=2)


class Difference(NamedTuple):
    """A difference of two rates with its interval, as fractions of 1.

    Example:
        >>> Difference(-0.019, -0.023, -0.015).clear
        True
    """

    value: float
    low: float
    high: float

    @classmethod
    def of(cls, compared: Mapping[str, Any] | None, measure: str) -> Difference | None:
        """The change of a rate or of a cost; None where one period has none, or no interval.

        Args:
            compared: A row of ``compare``.
            measure: Its measure, as ``"success_rate"``.

        Example:
            >>> Difference.of({"r_change": 0.2, "r_change_low": 0.1, "r_change_high": 0.3}, "r")
            Difference(value=0.2, low=0.1, high=0.3)
        """
        if compared is None or compared[f"{measure}_change_low"] is None:
            return None
        ends = ("change", "change_low", "change_high")
        return cls(*(float(compared[f"{measure}_{end}"]) for end in ends))

    @property
    def clear(self) -> bool:
        """Whether its own interval excludes zero."""
        return self.low > 0 or self.high < 0


def points(difference: Difference) -> str:
    r"""A difference of rates in percentage points.

    Example:
        >>> points(Difference(-0.019, -0.023, -0.015)), points(Difference(0.0004, 0, 0))
        ('−1.9\u202fpts', '+0.04\u202fpts')
    """
    return visible_percent(difference.value, "pts")


def points_range(difference: Difference) -> str:
    """The interval of a difference, in words that cannot be taken for a subtraction.

    Example:
        >>> points_range(Difference(-0.019, -0.023, -0.015))
        '−2.3 to −1.5'
    """
    return f"{visible_percent(difference.low)} to {visible_percent(difference.high)}"


def visible_percent(share: Decimal | float, unit: str = "") -> str:
    """A signed share in percent, with as many digits as show that it is not zero.

    Example:
        >>> [visible_percent(Decimal(share)) for share in ("0.928", "-0.0002", "0")]
        ['+92.8', '−0.02', '0.0']
    """
    text = _with_visible_digits(share, lambda digits: percent(share, digits, unit=False))
    return f"{text}{NARROW}{unit}" if unit else text


def _with_visible_digits(
    value: Decimal | float, shown: Callable[[int], str], least: int = 1
) -> str:
    """One digit more where rounding would hide the sign."""
    # "+0.0" would tell a direction and no size, so a digit is added until one is not zero.
    for digits in range(least, _MOST_DIGITS + 1):
        text = shown(digits)
        if any(c in "123456789" for c in text):
            return signed(text)
        if not value:
            break
    return shown(least).replace(MINUS, "")
