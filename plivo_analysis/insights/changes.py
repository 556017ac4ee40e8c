"""What changed between two sessions tables.

Each table is counted as the metrics count it. The counts of both, told apart by the column
``__after``, are then one frame, which is finished as a metric is. Causes are not looked for.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from math import sqrt
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import narwhals as nw
import polars as pl

from plivo_analysis.api.columns import SESSIONS
from plivo_analysis.api.vocabulary import ARROW, SETTLED, UNKNOWN, VERIFIED, fold_status
from plivo_analysis.errors import SchemaError
from plivo_analysis.metrics.cautions import currencies, one_currency
from plivo_analysis.metrics.columns import MONEY_UNIT, number_column, rate_column, sum_column
from plivo_analysis.metrics.confidence_intervals import newcombe, normal_quantile, ratio
from plivo_analysis.metrics.engines import ROWS
from plivo_analysis.metrics.grouping import Grouping
from plivo_analysis.metrics.money import decimal, money_of
from plivo_analysis.tables.explode import CURRENCY
from plivo_analysis.values.table_types import MONEY_SCALE, Column, Kind, Table, computed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from plivo_analysis.metrics.columns import Addends

_POWER = 0.8  # the customary one: a detectable change is seen in four of five samples
_AFTER = pl.col("__after")
SIDES = {"before": ~_AFTER, "after": _AFTER}
"""The rows of each table in the counts that ``count_both`` gives."""

# The counts that each rate divides.
_RATES = {"success_rate": ("verified", "settled"), "fallback_rate": ("fell_back", "evaluable")}
_LIMB = 2**30
_UNITS = 10**MONEY_SCALE


def _rate_change(name: str, meaning: str) -> tuple[Column, ...]:
    return (
        rate_column(f"{name}_before", meaning=f"{meaning} Before."),
        rate_column(f"{name}_after", meaning="The same after."),
        rate_column(f"{name}_change", meaning="After − before."),
        rate_column(f"{name}_change_low", meaning="The lower end of its interval (Newcombe)."),
        rate_column(f"{name}_change_high", meaning="The upper end of its interval (Newcombe)."),
        rate_column(
            f"{name}_detectable", meaning="The change that so many sessions show 4 times of 5."
        ),
    )


COMPARE = Table(
    name="compare",
    row="A group of sessions of two tables: before, after, and what changed.",
    columns=(
        computed("sessions_before", Kind.COUNT, "All sessions before.", "sessions", nullable=True),
        computed("sessions_after", Kind.COUNT, "All sessions after.", "sessions", nullable=True),
        sum_column("spend_before", "What all sessions before were billed, as far as known."),
        sum_column("spend_after", "The same after."),
        sum_column("spend_change", "After − before."),
        *_rate_change("success_rate", "verified ÷ settled."),
        *_rate_change("fallback_rate", "Fell back ÷ evaluable."),
        sum_column("cost_per_verified_before", "total_charge of settled ÷ verified. Before."),
        sum_column("cost_per_verified_after", "The same after."),
        sum_column("cost_per_verified_change", "After − before, rounded once."),
        number_column("cost_per_verified_change_low", "The lower end of its interval.", MONEY_UNIT),
        number_column(
            "cost_per_verified_change_high", "The upper end of its interval.", MONEY_UNIT
        ),
    ),
)


def compare(
    before: Any, after: Any, by: str | Iterable[str] = (), *, confidence: float = 0.95
) -> Any:
    """What changed from one sessions table to another: two periods, applications or countries.

    The rates are those of ``success_rates`` and ``fallback_rates``, the cost that of
    ``cost_per_verified``, spend is of all sessions. The interval of a change of a rate is
    Newcombe's (Newcombe 1998, method 10); where it leaves out 0, the change is clear: more than
    chance can cause. ``…_detectable`` is the change that samples of these sizes would show in
    four of five cases: (z + z₀.₈)·√(p̄(1 − p̄)(1/n₀ + 1/n₁)), z that of the interval, with p̄ of
    both together; null where p̄ is 0 or 1. "No clear change" means less where it is large.

    The interval of the change of cost per verified is normal. The cost is a ratio of sums T/V
    over n settled sessions (Cochran 1977, chapter 6): with e = charge − (T/V)·verified its
    variance is n/(n − 1)·Σe²/V², null for one session. A session without a total counts 0 there.

    All intervals assume that sessions are independent. Those of one person who asks again are
    not: where many do, these intervals are too narrow, and ``journey_rates``, which counts such
    sessions as one, says more. No result is a cause.

    Args:
        before: A sessions table on any engine: polars (eager, lazy), pandas, pyarrow, a DuckDB
            relation, PySpark. Only ``session_uuid``, ``status``, ``path``, ``total_charge`` and
            the ``by`` columns are read.
        after: The other one, on the same engine. The two may share sessions.
        by: Columns of sessions to group by; a null is a group, the same one in both tables.
        confidence: The coverage of the intervals.

    Returns:
        A small frame (pandas for pandas, else polars), one row a group that either table has:
        the ``by`` columns, then ``sessions_before, sessions_after`` (all sessions),
        ``spend_before, spend_after, spend_change`` (decimals, the account's currency); for each
        of ``success_rate`` and ``fallback_rate``: ``…_before, …_after, …_change,
        …_change_low, …_change_high, …_detectable`` (parts of one); ``cost_per_verified_before,
        …_after, …_change`` (decimals of scale 8) and ``…_change_low, …_change_high`` (floats).
        Where one table lacks a group, all that would be of it is null, and so is the change.

    Raises:
        SchemaError: A column is missing, ``by`` names ``channel`` (a session's last one), a
            ``session_uuid`` comes twice in one table, the tables are of two engines or hold
            different kinds of values in a ``by`` column, or the charges are of several
            currencies, by a column ``currency``.
        FilterError: ``confidence`` does not lie between 0 and 1.

    Example:
        >>> from decimal import Decimal
        >>> import polars as pl
        >>> def sessions(verified, expired):
        ...     number = verified + expired
        ...     return pl.DataFrame({
        ...         "session_uuid": [str(n) for n in range(number)], "path": ["sms"] * number,
        ...         "status": ["verified"] * verified + ["expired"] * expired,
        ...         "total_charge": [Decimal("0.08")] * number})
        >>> changed = compare(sessions(48, 32), sessions(56, 14))
        >>> changed.select("success_rate_before", "success_rate_after", "spend_change").rows()
        [(0.6, 0.8, Decimal('-0.80000000'))]
        >>> [round(changed[f"success_rate_change{end}"][0], 4) for end in ("", "_low", "_high")]
        [0.2, 0.0524, 0.3339]
        >>> [str(changed[f"cost_per_verified_{when}"][0]) for when in ("before", "after")]
        ['0.13333333', '0.10000000']
    """
    z = normal_quantile(confidence)
    needed = ["status", "path", "total_charge"]
    grouping, counted = count_both(
        before,
        after,
        by,
        COMPARE,
        needed,
        # By each charge, since the variance of the cost needs the sum of their squares.
        words={"status": fold_status, "path": _channel_change, "total_charge": None},
    )
    settled, verified = pl.col("__status").is_in(SETTLED), pl.col("__status") == VERIFIED
    changed = pl.col("__path") == "changed"
    # As in fallback_rates: a path with an unknown step and no switch is in neither part.
    evaluable = settled & (changed | (pl.col("__path") == "kept"))
    charge = pl.col("__charge").to_physical()
    charge_of_one = charge // ROWS  # all sessions of a row of the counts have the same charge
    sums: dict[str, Addends] = {
        side: {
            "sessions": ROWS.filter(of_side),
            "settled": ROWS.filter(of_side & settled),
            "verified": ROWS.filter(of_side & verified),
            "evaluable": ROWS.filter(of_side & evaluable),
            "fell_back": ROWS.filter(of_side & evaluable & changed),
            "of_verified": charge.filter(of_side & verified),
            # Sums of squares of large amounts can exceed 128 bits, and polars would give a wrong
            # number and no error. So one factor is cut at 30 bits; _variance adds the two parts.
            "squares_high": (charge * (charge_of_one // _LIMB)).filter(of_side & settled),
            "squares_low": (charge * (charge_of_one % _LIMB)).filter(of_side & settled),
            "spend": money_of("charge", of_side),
            "total": money_of("charge", of_side & settled),
        }
        for side, of_side in SIDES.items()
    }
    groups = grouping.sum(counted, **sums)

    def changes(group: dict[str, Any]) -> dict[str, Any]:
        first, second = group["before"], group["after"]
        spent = first["spend"], second["spend"]
        row = {
            "sessions_before": first["sessions"] or None,
            "sessions_after": second["sessions"] or None,
            "spend_before": spent[0].amount,
            "spend_after": spent[1].amount,
            "spend_change": decimal(spent[1].units - spent[0].units)
            if spent[0].known and spent[1].known
            else None,
        }
        for name, (part, whole) in _RATES.items():
            row |= _rate(name, *((side[part], side[whole]) for side in (first, second)), z=z)
        return row | _costs(first, second, z)

    return grouping.frame(groups, changes)


def count_both(
    before: Any,
    after: Any,
    by: str | Iterable[str],
    result: Table,
    needed: Sequence[str],
    *,
    words: Mapping[str, Callable[[Any], str | None] | None],
) -> tuple[Grouping, pl.DataFrame]:
    """Count both tables into one frame, whose column ``__after`` tells them apart.

    Args:
        before: A sessions table on any engine.
        after: The other one, on the same engine.
        by: Columns of sessions to group by.
        result: The table of the result.
        needed: The columns that are read, besides the key.
        words: As for ``Grouping.count``.

    Returns:
        The grouping of the first table, and the counts with the sum ``charge`` of the totals.

    Raises:
        SchemaError: As for ``compare``.
    """
    first_grouping = Grouping.of(before, by, result, SESSIONS, needed)
    by = first_grouping.by  # an iterable of the caller's may give its names only once
    groupings = [first_grouping, Grouping.of(after, by, result, SESSIONS, needed)]
    engines = [nw.from_native(frame).implementation for frame in (before, after)]
    if engines[0] is not engines[1]:
        raise SchemaError(
            f"The two tables are on {engines[0].value} and {engines[1].value}; {result.name} "
            "needs both on one engine. Convert one of them."
        )
    if CURRENCY not in by:
        labels = [label for frame in (before, after) for label in currencies(frame)]
        one_currency(pl.DataFrame({CURRENCY: labels}, schema={CURRENCY: pl.String}))
    first, second = (
        grouping.count(words, sums={"charge": "total_charge"}) for grouping in groupings
    )
    for name in by:
        kinds = first.schema[name], second.schema[name]
        if kinds[0] == kinds[1] or all(kind.is_numeric() for kind in kinds):
            continue
        if first[name].null_count() == first.height:  # a column of nulls fits any kind
            first = first.with_columns(pl.col(name).cast(kinds[1]))
        elif second[name].null_count() == second.height:
            second = second.with_columns(pl.col(name).cast(kinds[0]))
        else:
            raise SchemaError(
                f"Column {name!r} is {kinds[0]} before and {kinds[1]} after; nothing tells which "
                "of its groups are the same. Cast one of them."
            )
    marked = first.with_columns(__after=pl.lit(False)), second.with_columns(__after=pl.lit(True))
    # Relaxed: one engine may have counted a number in 32 bits in one table, in 64 in the other.
    return groupings[0], pl.concat(marked, how="vertical_relaxed")


def _channel_change(path: str | None) -> str | None:
    """Whether a session left its channel, by its path: changed, kept, or unclear.

    A session that is not unclear is evaluable, as in ``fallback_rates``.
    """
    if path is None:
        return None
    steps = list(pairwise(path.split(ARROW)))
    known = [step for step in steps if UNKNOWN not in step]
    if any(channel != next_channel for channel, next_channel in known):
        return "changed"
    return "kept" if len(known) == len(steps) else "unclear"


def _cost(side: Mapping[str, Any]) -> Fraction | None:
    """Units of money per verified session, exactly; None as ``cost_per_verified`` is null."""
    total, verified = side["total"], side["verified"]
    return Fraction(total.units, verified) if total.known and verified else None


def _variance(side: Mapping[str, Any], cost: Fraction) -> Fraction | None:
    """The variance of a cost as a ratio of sums, in square units; None for one session."""
    settled: int = side["settled"]
    verified: int = side["verified"]
    if settled < 2:  # noqa: PLR2004 - one session shows no spread
        return None
    squares = side["squares_high"] * _LIMB + side["squares_low"]
    # Σe² with e = charge − cost·verified, multiplied out; verified is 0 or 1.
    errors: Fraction = squares - 2 * cost * side["of_verified"] + cost**2 * verified
    # n − 1, because the cost that the errors are from is of the same sessions.
    return Fraction(settled, settled - 1) * errors / verified**2


def _rate(
    name: str, before: tuple[int, int], after: tuple[int, int], *, z: float
) -> dict[str, float | None]:
    low, high = newcombe(before, after, z)
    change = detectable = None
    if before[1] and after[1]:
        change = float(Fraction(*after) - Fraction(*before))
        successes, trials = before[0] + after[0], before[1] + after[1]
        if 0 < successes < trials:
            # Without a change both sides would be samples of one rate, so that the rate of both
            # together estimates it best.
            pooled = successes / trials
            spread = pooled * (1 - pooled) * (1 / before[1] + 1 / after[1])
            detectable = (z + NormalDist().inv_cdf(_POWER)) * sqrt(spread)
    return {
        f"{name}_before": ratio(*before),
        f"{name}_after": ratio(*after),
        f"{name}_change": change,
        f"{name}_change_low": low,
        f"{name}_change_high": high,
        f"{name}_detectable": detectable,
    }


def _costs(before: Mapping[str, Any], after: Mapping[str, Any], z: float) -> dict[str, Any]:
    change = low = high = None
    costs = _cost(before), _cost(after)
    if costs[0] is not None and costs[1] is not None:
        change = costs[1] - costs[0]
        variances = _variance(before, costs[0]), _variance(after, costs[1])
        if variances[0] is not None and variances[1] is not None:
            # The two tables are independent samples, so that their variances add up.
            # Divided before it becomes a float: the square of units could exceed a float.
            half = z * sqrt(Fraction(variances[0] + variances[1], _UNITS**2))
            low, high = (float(change / _UNITS) + sign * half for sign in (-1, 1))
    return {
        "cost_per_verified_before": before["total"].per(before["verified"]),
        "cost_per_verified_after": after["total"].per(after["verified"]),
        "cost_per_verified_change": None if change is None else decimal(round(change)),
        "cost_per_verified_change_low": low,
        "cost_per_verified_change_high": high,
    }
