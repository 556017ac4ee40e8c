"""Rates with their intervals, from counts.

The Wilson score interval (Wilson 1927) keeps its coverage where the usual p ± z·s fails: in
small groups and near 0 and 1 (Brown, Cai & DasGupta 2001, who recommend it for small n). It
assumes that trials are independent; several attempts of one session are not quite that.
"""

from __future__ import annotations

from functools import lru_cache
from math import atan, cos, exp, hypot, lgamma, pi, sqrt, tan
from statistics import NormalDist

from plivo_analysis.api.checks import shown_value
from plivo_analysis.errors import FilterError


def ratio(part: int, whole: int) -> float | None:
    """A part of a whole; None where the whole is zero.

    Example:
        >>> ratio(1, 4), ratio(0, 0)
        (0.25, None)
    """
    return part / whole if whole else None


def normal_quantile(confidence: float) -> float:
    """How many standard deviations around a normal mean hold a share of it: z.

    A metric computes it before it counts, so that a wrong confidence is refused at once, even
    where there is nothing to count.

    Args:
        confidence: The share, between 0 and 1.

    Raises:
        FilterError: ``confidence`` does not lie between 0 and 1.

    Example:
        >>> round(normal_quantile(0.95), 6)
        1.959964
    """
    if isinstance(confidence, (int, float)) and 0 < confidence < 1:
        return NormalDist().inv_cdf((1 + confidence) / 2)
    raise FilterError(
        f"confidence is {shown_value(confidence)}; it lies between 0 and 1, as 0.95 does."
    )


_STEPS = 256  # of Simpson's rule: eight digits for any degrees of freedom


@lru_cache
def student_quantile(confidence: float, degrees: float) -> float:
    """How many standard errors around a mean hold a share of Student's distribution: t.

    With x = √degrees · tan θ the distribution is the integral of cos(θ) to the power of
    degrees − 1, which Simpson's rule adds up. It is concave, so that Newton's steps from the
    normal quantile, which is never too large, go up to the root and not past it.

    Args:
        confidence: The share, between 0 and 1.
        degrees: The degrees of freedom, at least 1; they need not be whole.

    Raises:
        FilterError: ``confidence`` does not lie between 0 and 1.

    Example:
        >>> round(student_quantile(0.95, 10), 6)
        2.228139
    """
    angle = atan(normal_quantile(confidence) / sqrt(degrees))
    power = degrees - 1
    scale = 2 * exp(lgamma((degrees + 1) / 2) - lgamma(degrees / 2)) / sqrt(pi)
    for _ in range(50):
        step = angle / _STEPS
        heights = [cos(k * step) ** power for k in range(_STEPS + 1)]
        inner = 4 * sum(heights[1:-1:2]) + 2 * sum(heights[2:-1:2])
        area = scale * step / 3 * (heights[0] + inner + heights[-1])
        change = (confidence - area) / (scale * heights[-1])
        angle += change
        if abs(change) <= 1e-12 * angle:
            break
    return sqrt(degrees) * tan(angle)


def wilson(successes: float, trials: float, z: float) -> tuple[float, float] | tuple[None, None]:
    """The two-sided Wilson score interval of a rate.

    With p = successes ÷ trials and n = trials, the ends are
    (p + z²/2n ± z·√(p(1−p)/n + z²/4n²)) ÷ (1 + z²/n). Between them lie the rates that a score
    test, whose standard error is that of the tested rate and not of p, does not reject.

    Args:
        successes: How many trials succeeded.
        trials: How many there were; an effective number need not be whole.
        z: The quantile of the coverage wanted, ``normal_quantile(confidence)``.

    Returns:
        The lower and the upper end; both None without trials.

    Example:
        >>> low, high = wilson(5, 10, normal_quantile(0.95))
        >>> round(low, 6), round(high, 6)
        (0.236593, 0.763407)
    """
    if not trials:
        return None, None
    p, square = successes / trials, z * z
    # The centre lies between p and one half: the fewer trials, the closer to one half.
    centre = p + square / (2 * trials)
    half = z * sqrt(p * (1 - p) / trials + square / (4 * trials * trials))
    scale = 1 + square / trials
    # At 0 and at 1 the interval ends there exactly; floats would miss it by a hair.
    low = (centre - half) / scale if successes else 0.0
    high = (centre + half) / scale if successes < trials else 1.0
    return low, high


def newcombe(
    before: tuple[int, int], after: tuple[int, int], z: float
) -> tuple[float, float] | tuple[None, None]:
    """The two-sided interval of a change of a rate: Newcombe's hybrid score interval.

    Each side of the change is as uncertain as the ends of the two Wilson intervals that lie
    there: for rates p, q with intervals (l, u) before and (m, v) after, from
    (q − p) − √((q − m)² + (u − p)²) to (q − p) + √((v − q)² + (p − l)²). Source: R. G. Newcombe,
    "Interval estimation for the difference between independent proportions", Statistics in
    Medicine 17 (1998), method 10. It is needed because the intervals of the two rates can overlap
    where the change between them is clear.

    Args:
        before: Successes and trials.
        after: Successes and trials.
        z: The quantile of the coverage wanted, ``normal_quantile(confidence)``.

    Returns:
        The lower and the upper end, within −1 and 1; both None where one side has no trials.

    Example:
        >>> low, high = newcombe((48, 80), (56, 70), normal_quantile(0.95))
        >>> round(low, 4), round(high, 4)
        (0.0524, 0.3339)
    """
    below, above = wilson(*before, z)
    low, high = wilson(*after, z)
    if below is None or above is None or low is None or high is None:
        return None, None
    # The change is least where the rate before is at its upper end and the rate after at its lower
    # end. Both are seldom there at once, so that the two distances are added as squares.
    p, q = before[0] / before[1], after[0] / after[1]
    change = q - p
    # Rounding alone could leave the range that a change can have.
    return (
        max(-1.0, change - hypot(q - low, above - p)),
        min(1.0, change + hypot(high - q, p - below)),
    )


def with_interval(name: str, successes: int, trials: int, z: float) -> dict[str, float | None]:
    """A rate and the two ends of its interval, under their names in a result.

    Example:
        >>> with_interval("success_rate", 0, 0, 1.96)
        {'success_rate': None, 'success_rate_low': None, 'success_rate_high': None}
    """
    low, high = wilson(successes, trials, z)
    return {name: ratio(successes, trials), f"{name}_low": low, f"{name}_high": high}
