"""Columns of the wire's words folded: each distinct word once, through the vocabulary."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from plivo_analysis.api import words

if TYPE_CHECKING:
    from collections.abc import Callable


def channels(column: pl.Series) -> pl.Series:
    """A column of channels, folded; nothing is ``unknown``.

    Example:
        >>> channels(pl.Series(["call", None])).to_list()
        ['voice', 'unknown']
    """
    return _each_once(column, words.fold_channel)


def outcomes(column: pl.Series) -> pl.Series:
    """A column of attempt statuses as outcomes.

    Example:
        >>> outcomes(pl.Series(["early media", "sent", None])).to_list()
        ['not_reached', 'pending', 'unknown']
    """
    return _each_once(column, words.outcome)


def _each_once(column: pl.Series, fold: Callable[[str | None], str]) -> pl.Series:
    known = column.unique().to_list()
    return column.replace_strict(known, [fold(word) for word in known], return_dtype=pl.String)
