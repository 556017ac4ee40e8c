"""Columns of the wire's words folded: each distinct word once, through the vocabulary."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from plivo_analysis import vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable


def channels(words: pl.Series) -> pl.Series:
    """A column of channels, folded; nothing is ``unknown``.

    Example:
        >>> channels(pl.Series(["call", None])).to_list()
        ['voice', 'unknown']
    """
    return _each_once(words, vocabulary.fold_channel)


def outcomes(words: pl.Series) -> pl.Series:
    """A column of attempt statuses as outcomes.

    Example:
        >>> outcomes(pl.Series(["early media", "sent", None])).to_list()
        ['not_reached', 'pending', 'unknown']
    """
    return _each_once(words, vocabulary.outcome)


def _each_once(words: pl.Series, fold: Callable[[str | None], str]) -> pl.Series:
    known = words.unique().to_list()
    return words.replace_strict(known, [fold(word) for word in known], return_dtype=pl.String)
