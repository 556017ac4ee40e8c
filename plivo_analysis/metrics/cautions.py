"""What a sum or a group would hide: amounts of several currencies, numbers that are masked.

The API names no currency: an account has one. A frame of several accounts can name it in a column
``currency``, and amounts of two currencies are then never added: metrics and report ask
``one_currency``, and a metric's result names the currency again. Two numbers may look alike once
masked, so that a group by masked numbers may be of several people. Its counts and sums are right
all the same, so that this is a warning and no error.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import narwhals as nw
import polars as pl

from plivo_analysis.errors import PlivoAnalysisWarning, SchemaError
from plivo_analysis.metrics.engines import collect, counting
from plivo_analysis.tables.checks import column_names
from plivo_analysis.tables.explode import CURRENCY
from plivo_analysis.values.masking import is_masked

if TYPE_CHECKING:
    from collections.abc import Collection

_NUMBER_COLUMNS = frozenset({"recipient", "from_number", "to_number"})


def one_currency(frame: Any) -> str | None:
    """The currency that a frame's own column names; None without one.

    Args:
        frame: A frame of any engine, of which amounts will be summed or drawn.

    Raises:
        SchemaError: It has a column ``currency`` with more than one currency in it.

    Example:
        >>> one_currency(pl.DataFrame({"currency": ["USD", "usd", None]}))
        'USD'
    """
    known = currencies(frame)
    if len(known) > 1:
        raise SchemaError(
            f"These amounts are in {len(known)} currencies ({', '.join(known)}), which make no "
            f"sum. Group by {CURRENCY!r} as well, or take one currency at a time.",
            available=column_names(frame),
        )
    return known[0] if known else None


def currencies(frame: Any) -> list[str]:
    """The currencies that a frame's own column names, in upper case; none without the column.

    Example:
        >>> currencies(pl.DataFrame({"currency": ["USD", "usd ", None]}))
        ['USD']
    """
    if CURRENCY not in column_names(frame):
        return []
    # The engine finds the few different labels: the rows stay where they are.
    lazy = nw.from_native(frame).lazy()
    (distinct,) = collect(counting(lazy.select(CURRENCY), [CURRENCY], {}))
    return sorted({str(name).strip().upper() for name in distinct[CURRENCY].drop_nulls()})


def warn_of_masked(result: pl.DataFrame, by: Collection[str], *, stacklevel: int) -> None:
    """Warn where groups are of masked numbers.

    Args:
        result: A metric's result.
        by: The columns that it is grouped by.
        stacklevel: The user's own line, as ``warnings.warn`` counts it from the caller.

    Example:
        >>> result = pl.DataFrame({"recipient": ["14155550126"]})
        >>> warn_of_masked(result, ["recipient"], stacklevel=2)
    """
    for name in _NUMBER_COLUMNS.intersection(by):
        if result.schema[name] == pl.String:
            masked = sum(map(is_masked, result[name].drop_nulls()))
            if masked:
                warnings.warn(
                    f"{masked} of {result.height} groups are of masked numbers in {name!r}. Two "
                    "people can look alike once masked, so such a group may be of several. "
                    "recipients='full' or 'pseudonym' of the loaders tells them apart.",
                    PlivoAnalysisWarning,
                    stacklevel=stacklevel + 1,
                )
