"""What changed from the period before, and whether chance alone would do that.

The interval of a difference of two independent rates is Newcombe's (1998), method 10: it is
made of the two rates' own Wilson intervals, so it needs nothing beyond the metric frames.
"""

from __future__ import annotations

from decimal import Decimal
from math import hypot
from typing import TYPE_CHECKING, Any, NamedTuple

from plivo_analysis.values.typesetting import DASH, MINUS, NARROW, percent, signed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_MOST_DIGITS = 4


class Difference(NamedTuple):
    """A difference of two rates with its interval, as fractions of 1.

    Example:
        >>> Difference(-0.019, -0.023, -0.015).beyond_chance
        True
    """

    value: float
    low: float
    high: float

    @property
    def beyond_chance(self) -> bool:
        """Whether its own interval excludes zero."""
        return self.low > 0 or self.high < 0


def newcombe(now: Mapping[str, Any], before: Mapping[str, Any], rate: str) -> Difference | None:
    """The difference of a rate between two rows of a metric, or nothing where one is null.

    Source: R. G. Newcombe, "Interval estimation for the difference between independent
    proportions", Statistics in Medicine 17 (1998), method 10.

    Args:
        now: A row with ``rate``, ``rate_low`` and ``rate_high``.
        before: The same of the period before.
        rate: The rate's column.

    Example:
        >>> now = {"r": 0.8, "r_low": 0.6892, "r_high": 0.8776}
        >>> before = {"r": 0.6, "r_low": 0.4939, "r_high": 0.6980}
        >>> [round(bound, 3) for bound in newcombe(now, before, "r")]
        [0.2, 0.052, 0.331]
    """
    value, low, high = (now[column] for column in (rate, f"{rate}_low", f"{rate}_high"))
    past, below, above = (before[column] for column in (rate, f"{rate}_low", f"{rate}_high"))
    if value is None or past is None:
        return None
    apart = value - past
    return Difference(
        apart,
        max(-1.0, apart - hypot(value - low, above - past)),
        min(1.0, apart + hypot(high - value, past - below)),
    )


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
    share = (now - past) / abs(past)
    return _told(float(share), lambda digits: percent(share, digits))


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
    return _told(float(now - before), lambda digits: shown(now - before, digits), least=2)


def visible(share: Decimal) -> str:
    """A share in percent without its unit, with as many digits as show that it is not zero.

    Example:
        >>> visible(Decimal("0.928")), visible(Decimal("-0.0002")), visible(Decimal(0))
        ('92.8', '−0.02', '0.0')
    """
    return _told(float(share), lambda digits: percent(share, digits, unit=False)).removeprefix("+")


def _points(value: float) -> str:
    return _told(value, lambda digits: percent(value, digits, unit=False))


def _told(value: float, shown: Callable[[int], str], least: int = 1) -> str:
    """One digit more where rounding would hide the sign."""
    # "+0.0" would tell a direction and no size, so a digit is added until one is not zero.
    for digits in range(least, _MOST_DIGITS + 1):
        text = shown(digits)
        if any(c in "123456789" for c in text):
            return signed(text)
        if not value:
            break
    return shown(least).replace(MINUS, "")
