"""The columns of a result: what each one means, and what is added up or divided for it.

A metric declares each of its columns once. ``Grouping`` adds up and divides what is declared, so
that a metric computes by itself only what is neither a sum nor a rate.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypeAlias

from plivo_analysis.metrics.engines import ROWS
from plivo_analysis.metrics.money import money_of
from plivo_analysis.values.table_types import Column, Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

Addends: TypeAlias = "pl.Expr | Mapping[str, Addends]"
"""What is added up by the groups: one expression, or several by name that belong together."""

MONEY_UNIT = "the account's currency"


@dataclass(frozen=True, slots=True)
class ResultColumn(Column):
    """A column of a result.

    Args:
        adds: What is added up for it; None where the metric computes it.
        divides: The columns or sums that it divides, for a rate; None where the metric does.
    """

    adds: Addends | None = field(default=None, compare=False)
    divides: tuple[str, str] | None = None


def count_column(
    name: str, meaning: str, where: pl.Expr | None = None, *, unit: str = "sessions"
) -> ResultColumn:
    """A number of rows: of all, or of some of them.

    Example:
        >>> count_column("sessions", "All sessions.").nullable
        False
    """
    adds = ROWS if where is None else ROWS.filter(where)
    return ResultColumn(name, Kind.COUNT, meaning, unit, nullable=False, computed=True, adds=adds)


def unpriced_column(
    meaning: str, of: str, where: pl.Expr | None = None, *, unit: str = "sessions"
) -> ResultColumn:
    """The number of rows without an amount, beside the sum ``of`` that an engine counted.

    Example:
        >>> unpriced_column("Lines without a known amount.", "amount", unit="lines").name
        'unpriced'
    """
    adds = money_of(of, where)["unknown"]
    column = count_column("unpriced", meaning, unit=unit)
    return replace(column, adds=adds)


def rate_column(name: str, part: str = "", whole: str = "", meaning: str = "") -> ResultColumn:
    """A part of one, null where the whole is zero.

    Args:
        name: The name of the column.
        part: The column or the sum that is divided; empty where the metric divides.
        whole: What it is divided by.
        meaning: One sentence; by default the two names.

    Example:
        >>> rate_column("retry_rate", "retried", "sessions").meaning
        'retried ÷ sessions.'
    """
    divides = (part, whole) if part else None
    meaning = meaning or f"{part} ÷ {whole}."
    return ResultColumn(name, Kind.RATE, meaning, "part of one", computed=True, divides=divides)


def rate_columns(name: str, part: str, whole: str, meaning: str = "") -> tuple[ResultColumn, ...]:
    """A rate and the two ends of its interval.

    Example:
        >>> [column.name for column in rate_columns("rate", "a", "b")]
        ['rate', 'rate_low', 'rate_high']
    """
    return (
        rate_column(name, part, whole, meaning),
        rate_column(f"{name}_low", meaning="The lower end of its Wilson interval."),
        rate_column(f"{name}_high", meaning="The upper end of its Wilson interval."),
    )


def number_column(name: str, meaning: str, unit: str) -> ResultColumn:
    """A number that is no share and no exact money, null where unknown.

    Example:
        >>> number_column("median_seconds", "The median wait.", "seconds").kind.value
        'number'
    """
    return ResultColumn(name, Kind.NUMBER, meaning, unit, computed=True)


def sum_column(name: str, meaning: str, of: str = "", where: pl.Expr | None = None) -> ResultColumn:
    """A sum of money with room for 38 digits, null where none is known.

    Args:
        name: The name of the column.
        meaning: One sentence.
        of: The sum that an engine counted; empty where the metric computes it.
        where: Which rows of what was counted are added up; all, unless given.

    Example:
        >>> sum_column("amount", "Their known amounts.", "amount").kind.value
        'sum of money'
    """
    adds = money_of(of, where) if of else None
    return ResultColumn(name, Kind.SUM, meaning, MONEY_UNIT, computed=True, adds=adds)
