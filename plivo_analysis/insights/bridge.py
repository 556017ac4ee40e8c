"""What makes up a change of spend: the price, the volume and the mix of each group.

The parts are exact fractions until the last step, which rounds them so that they still sum to
the change to the last digit.
"""

from __future__ import annotations

import warnings
from fractions import Fraction
from math import floor
from typing import TYPE_CHECKING, Any

import polars as pl

from plivo_analysis.errors import PlivoAnalysisWarning
from plivo_analysis.insights.changes import SIDES, count_both
from plivo_analysis.metrics.columns import MONEY_UNIT
from plivo_analysis.metrics.money import Money, decimal, money_of
from plivo_analysis.values.table_types import Kind, Table, computed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_HALF = Fraction(1, 2)

COST_BRIDGE = Table(
    name="cost_bridge",
    row="A part of the change of spend: a group of sessions, and one effect in it.",
    columns=(
        computed("effect", Kind.TEXT, "price, volume, mix, new or ended."),
        computed(
            "amount", Kind.SUM, "Its part of the change; all parts sum to it exactly.", MONEY_UNIT
        ),
    ),
)


def cost_bridge(
    before: Any,
    after: Any,
    by: str | Iterable[str] = ("entry_channel", "destination_country_iso2"),
) -> Any:
    """What makes up the change of spend: price, volume, mix, cells that began and ended.

    A cell is a group of sessions with a known total: q of them, at p = their spend ÷ q, of Q in
    all cells. The parts are Bennet's (Bennet 1920; Diewert 2005), which are symmetric in time:

    - ``price``: ½(q₀ + q₁)(p₁ − p₀), the same sessions at other prices;
    - the rest of the cell's change, ½(p₀ + p₁)(q₁ − q₀), is divided between ``volume``,
      ½(p₀ + p₁)·½(q₀/Q₀ + q₁/Q₁)(Q₁ − Q₀), all cells growing alike, and ``mix``,
      ½(p₀ + p₁)·½(Q₀ + Q₁)(q₁/Q₁ − q₀/Q₀), the cell's share of all sessions;
    - a cell with no sessions before is ``new``, one with none after ``ended``: all of its money.

    A price here is an average over a cell: a dearer path within it shows as price. Everything
    is exact. Each part is rounded down to 8 digits and the missing units of 10⁻⁸ go to the
    largest remainders, so that the rows sum to the change of spend to the last digit. Swapping
    the tables turns every sign, except for the last digit, and ``new`` into ``ended``.

    Args:
        before: A sessions table on any engine, as for ``compare``. Only ``session_uuid``,
            ``total_charge`` and the ``by`` columns are read.
        after: The other one, on the same engine.
        by: Columns of sessions; each combination of their values is a cell.

    Returns:
        A small frame (pandas for pandas, else polars): the ``by`` columns, ``effect`` and
        ``amount`` (decimal, the account's currency). Sorted by cell, then price, volume, mix,
        new, ended.

    Raises:
        SchemaError: As for ``compare``.

    Warns:
        PlivoAnalysisWarning: Sessions have no total yet. They are left out.

    Example:
        >>> from decimal import Decimal
        >>> import polars as pl
        >>> def sessions(number, price):
        ...     return pl.DataFrame({
        ...         "session_uuid": [str(n) for n in range(number)], "entry_channel": "sms",
        ...         "total_charge": [Decimal(price)] * number})
        >>> bridge = cost_bridge(sessions(2, "0.08"), sessions(4, "0.10"), by="entry_channel")
        >>> [(effect, f"{amount:.2f}") for _, effect, amount in bridge.rows()]
        [('price', '0.06'), ('volume', '0.18'), ('mix', '0.00')]
    """
    grouping, counted = count_both(before, after, by, COST_BRIDGE, ["total_charge"], words={})
    sums = {side: money_of("charge", of_side) for side, of_side in SIDES.items()}
    cells = grouping.sum(counted, **sums)
    if grouping.by:  # the order in which the last units are given out
        cells = cells.sort(*grouping.by, nulls_last=True)
    sides = [[Money(**cell) for cell in cells[f"__{side}"]] for side in SIDES]
    unpriced = [sum(cell.unknown for cell in side) for side in sides]
    if any(unpriced):
        warnings.warn(
            f"Sessions that have no total yet: {unpriced[0]:,} before, {unpriced[1]:,} after. The "
            "bridge leaves them out, so that the change of spend may still move.",
            PlivoAnalysisWarning,
            stacklevel=2,
        )
    parts = _parts(*sides)
    change = sum(after.units - before.units for before, after in zip(*sides, strict=True))
    amounts = _rounded([part for _, _, part in parts], change)
    groups = pl.DataFrame(
        [
            *(cells[name][[place for place, _, _ in parts]] for name in grouping.by),
            pl.Series("__effect", [effect for _, effect, _ in parts], dtype=pl.String),
            pl.Series("__amount", amounts, dtype=pl.Int128),
        ]
    ).with_row_index("__row")
    return grouping.frame(
        groups, lambda row: {"amount": decimal(row["amount"])}, order={"__row": False}
    )


def _parts(before: Sequence[Money], after: Sequence[Money]) -> list[tuple[int, str, Fraction]]:
    """Each part of each cell: the cell's position, the effect, the unrounded units of money."""
    parts: list[tuple[int, str, Fraction]] = []
    all_before, all_after = (sum(cell.known for cell in side) for side in (before, after))
    for place, (first, second) in enumerate(zip(before, after, strict=True)):
        q0, q1 = first.known, second.known
        if q0 and q1:
            p0, p1 = Fraction(first.units, q0), Fraction(second.units, q1)
            share0, share1 = Fraction(q0, all_before), Fraction(q1, all_after)
            # Prices and shares are the means of before and after. With those of before alone
            # (Laspeyres) or of after alone (Paasche) the parts depend on the direction: swapping
            # the tables would do more than turn the signs. As q = share · Q, a change of q is
            # exactly the change of Q at the mean share plus the change of the share at the mean Q.
            price = _HALF * (p0 + p1)
            volume = _HALF * (share0 + share1) * (all_after - all_before)
            mix = _HALF * (all_before + all_after) * (share1 - share0)
            parts += [
                (place, "price", _HALF * (q0 + q1) * (p1 - p0)),
                (place, "volume", price * volume),
                (place, "mix", price * mix),
            ]
        # A cell on one side alone has no price on the other, so that nothing can be divided.
        elif q1:
            parts.append((place, "new", Fraction(second.units)))
        elif q0:
            parts.append((place, "ended", Fraction(-first.units)))
    return parts


def _rounded(parts: Sequence[Fraction], total: int) -> list[int]:
    """The parts of a whole number, rounded to whole numbers that still sum to it.

    Each is rounded down, and the missing units go to the largest remainders, the first of equal
    ones before the next. Rounding each to the nearest would miss the total by a few units.
    """
    rounded = [floor(part) for part in parts]
    # A stable sort, so that ties stay in the order of the rows.
    by_remainder = sorted(range(len(parts)), key=lambda n: rounded[n] - parts[n])
    for place in by_remainder[: total - sum(rounded)]:
        rounded[place] += 1
    return rounded
