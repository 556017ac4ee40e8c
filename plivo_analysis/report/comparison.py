"""What changed from the period before, and whether that is more than chance can cause.

The interval of a difference of two independent rates is Newcombe's (1998), method 10: it is
made of the two rates' own Wilson intervals, so it needs nothing beyond the metric frames.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, NamedTuple

from plivo_analysis.values.typesetting import DASH, MINUS, NARROW, percent, signed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_MOST_DIGITS = 4


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
    return f"{_points(difference.value)}{NARROW}pts"


def points_range(difference: Difference) -> str:
    """The interval of a difference, in words that cannot be taken for a subtraction.

    Example:
        >>> points_range(Difference(-0.019, -0.023, -0.015))
        '−2.3 to −1.5'
    """
    return f"{_points(difference.low)} to {_points(difference.high)}"


def relative(now: Decimal | int | None, before: Decimal | int | None) -> str | None:
    r"""A change in percent of what was before, or nothing where that cannot be said.

    Example:
        >>> relative(115, 100), relative(9996, 10000), relative(5, 0)
        ('+15.0\u202f%', '−0.04\u202f%', None)
    """
    if now is None or not before:
        return None
    past = Decimal(before)
    # Credits can make a sum negative: divided by it, a rise would read as a fall.
    share = (now - past) / abs(past)
    return _with_visible_digits(float(share), lambda digits: percent(share, digits))


def absolute(now: Decimal | None, before: Decimal | None, shown: Callable[..., str]) -> str:
    """A change of an amount, set as the amount is.

    Example:
        >>> from decimal import Decimal
        >>> from plivo_analysis.values.typesetting import plain
        >>> absolute(Decimal("2.1"), Decimal("2"), plain)
        '+0.10'
    """
    if now is None or before is None:
        return DASH
    return _with_visible_digits(
        float(now - before), lambda digits: shown(now - before, digits), least=2
    )


def visible_percent(share: Decimal) -> str:
    """A share in percent without its unit, with as many digits as show that it is not zero.

    Example:
        >>> [visible_percent(Decimal(share)) for share in ("0.928", "-0.0002", "0")]
        ['92.8', '−0.02', '0.0']
    """
    return _with_visible_digits(
        float(share), lambda digits: percent(share, digits, unit=False)
    ).removeprefix("+")


def _points(value: float) -> str:
    return _with_visible_digits(value, lambda digits: percent(value, digits, unit=False))


def _with_visible_digits(value: float, shown: Callable[[int], str], least: int = 1) -> str:
    """One digit more where rounding would hide the sign."""
    # "+0.0" would tell a direction and no size, so a digit is added until one is not zero.
    for digits in range(least, _MOST_DIGITS + 1):
        text = shown(digits)
        if any(c in "123456789" for c in text):
            return signed(text)
        if not value:
            break
    return shown(least).replace(MINUS, "")
