"""Sums of money in whole units of 10⁻⁸, so that nothing is rounded before it is divided.

An engine's sum comes with the count of its nulls: engines differ in what they make of a sum
over nulls only, and a sum none of whose amounts is known is null here, never zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction

import polars as pl

from plivo_analysis.metrics.engines import ROWS
from plivo_analysis.values.table_types import MONEY_SCALE

_EXACT = Context(prec=80)  # the default of 28 digits rounds a large sum without a word


def decimal(units: int) -> Decimal:
    """Units of 10⁻⁸ as an amount.

    Example:
        >>> decimal(8000000)
        Decimal('0.08000000')
    """
    return Decimal(units).scaleb(-MONEY_SCALE, _EXACT)


def money_of(counted: str, where: pl.Expr | None = None) -> dict[str, pl.Expr]:
    """What a ``Money`` is made of, for ``Grouping.sum``: a sum, and how much of it is known.

    Args:
        counted: The sum that the engine gave.
        where: Which rows of what was counted are added up; all, unless given.

    Example:
        >>> list(money_of("charge"))
        ['units', 'known', 'unknown']
    """
    unknown = pl.col(f"__no_{counted}")
    parts = {"units": pl.col(f"__{counted}"), "known": ROWS - unknown, "unknown": unknown}
    return parts if where is None else {name: part.filter(where) for name, part in parts.items()}


@dataclass(frozen=True, slots=True)
class Money:
    """A sum of amounts, of which some may be unknown.

    Args:
        units: The sum of the known ones, in units of 10⁻⁸.
        known: How many are known.
        unknown: How many are not.

    Example:
        >>> Money(units=8000000, known=1, unknown=2).amount
        Decimal('0.08000000')
    """

    units: int
    known: int
    unknown: int

    @property
    def amount(self) -> Decimal | None:
        """The sum; None where no amount is known."""
        return decimal(self.units) if self.known else None

    def part(self, part: Money) -> Decimal | None:
        """The sum over some of these rows: zero where there are none of them.

        It is None where rows are there but none is known, and where nothing is known at all.
        """
        # Of rows none of which is known a part is unknown too, also where it has no row.
        if not self.known or (part.unknown and not part.known):
            return None
        return decimal(part.units)

    def per(self, count: int) -> Decimal | None:
        """The sum divided by a count, half-even to scale 8; None without amounts or count."""
        return decimal(round(Fraction(self.units, count))) if self.known and count else None
