"""Rates with their intervals, from counts.

The Wilson score interval (Wilson 1927) keeps its coverage where the usual p ± z·s fails: in
small groups and near 0 and 1 (Brown, Cai & DasGupta 2001, who recommend it for small n). It
takes the trials for independent; several attempts of one session are not quite that.
"""

from __future__ import annotations

from functools import lru_cache
from math import sqrt
from statistics import NormalDist

from plivo_analysis.errors import FilterError


def ratio(part: int, whole: int) -> float | None:
    """A part of a whole; None where the whole is zero.

    Example:
        >>> ratio(1, 4), ratio(0, 0)
        (0.25, None)
    """
    return part / whole if whole else None


def wilson(
    successes: int, trials: int, confidence: float = 0.95
) -> tuple[float, float] | tuple[None, None]:
    """The two-sided Wilson score interval of a rate.

    With p = successes ÷ trials and z the normal quantile of (1 + confidence) ÷ 2, the ends are
    (p + z²/2n ± z·√(p(1−p)/n + z²/4n²)) ÷ (1 + z²/n).

    Args:
        successes: How many trials succeeded.
        trials: How many there were.
        confidence: The coverage wanted, between 0 and 1.

    Returns:
        The lower and the upper end; both None without trials.

    Raises:
        FilterError: ``confidence`` does not lie between 0 and 1.

    Example:
        >>> low, high = wilson(5, 10)
        >>> round(low, 6), round(high, 6)
        (0.236593, 0.763407)
    """
    z = _quantile(confidence)
    if not trials:
        return None, None
    p, square = successes / trials, z * z
    centre = p + square / (2 * trials)
    half = z * sqrt(p * (1 - p) / trials + square / (4 * trials * trials))
    scale = 1 + square / trials
    # At the borders the interval ends there exactly; floats would miss it by a hair.
    low = (centre - half) / scale if successes else 0.0
    high = (centre + half) / scale if successes < trials else 1.0
    return low, high


def with_interval(
    name: str, successes: int, trials: int, confidence: float
) -> dict[str, float | None]:
    """A rate and the two ends of its interval, under their names in a result.

    Example:
        >>> with_interval("success_rate", 0, 0, 0.95)
        {'success_rate': None, 'success_rate_low': None, 'success_rate_high': None}
    """
    low, high = wilson(successes, trials, confidence)
    return {name: ratio(successes, trials), f"{name}_low": low, f"{name}_high": high}


@lru_cache(maxsize=16)
def _quantile(confidence: float) -> float:
    if not 0 < confidence < 1:
        raise FilterError(f"confidence is {confidence!r}; it lies between 0 and 1, as 0.95 does.")
    return NormalDist().inv_cdf((1 + confidence) / 2)
