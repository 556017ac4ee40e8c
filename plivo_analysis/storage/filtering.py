"""A filter applied to columns: the answers of ``filter.matches``, row by row, at once.

Each distinct value is compared once, by the very function that compares one row, so that the
two cannot differ. Telephone numbers are nearly all distinct: those that are plain digits are
compared as texts, since nothing else can be the same number.
"""

from __future__ import annotations

from functools import reduce
from operator import and_
from typing import TYPE_CHECKING

import polars as pl

from plivo_analysis.api.checks import same_number, same_sender

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from plivo_analysis.api.filters import Filter
    from plivo_analysis.api.resources import Parameter

_PLAIN = r"^[1-9][0-9]*$"


def matches(frame: pl.DataFrame, asked: Filter) -> pl.Series:
    """Whether each row is one that was asked for, as far as its columns tell.

    Args:
        frame: A table of the filter's resource.
        asked: The filter.

    Returns:
        A boolean a row; null where the row lacks what would tell.

    Example:
        >>> from plivo_analysis.api.filters import Filter
        >>> from plivo_analysis.api.resources import SESSION_RESOURCE
        >>> frame = pl.DataFrame({"status": ["verified", "expired", None]})
        >>> matches(frame, Filter.of(SESSION_RESOURCE, status="verified")).to_list()
        [True, False, None]
    """
    # One false outweighs what is not known: the three-valued "and" of polars is the filter's.
    everything = pl.repeat(value=True, n=frame.height, dtype=pl.Boolean, eager=True)
    return reduce(
        and_,
        (
            _confirmed(frame[parameter.column], parameter, wanted)
            for parameter, wanted in asked.confirmable()
        ),
        everything,
    )


def unconfirmed(frame: pl.DataFrame, asked: Filter) -> list[str]:
    """The parameters that no row says anything of, so that nothing shows they were kept to.

    Args:
        frame: The rows that a filter gave; none of an empty table says anything, rightly.
        asked: The filter.

    Example:
        >>> from plivo_analysis.api.filters import Filter
        >>> from plivo_analysis.api.resources import SESSION_RESOURCE
        >>> frame = pl.DataFrame({"alias": [None, None]}, {"alias": pl.String})
        >>> unconfirmed(frame, Filter.of(SESSION_RESOURCE, alias="shop"))
        ['alias']
    """
    return [
        parameter.name
        for parameter, wanted in asked.confirmable()
        if frame.height and not _confirmed(frame[parameter.column], parameter, wanted).any()
    ]


def chosen(
    frame: pl.DataFrame,
    asked: Filter,
    key: str,
    listed: Collection[str],
    lasting: Collection[str] = (),
) -> pl.DataFrame:
    """The rows that a filter asks for; where they cannot tell, those that the server listed.

    Args:
        frame: A table of the filter's resource.
        asked: The filter.
        key: The column that tells records apart.
        listed: The keys that the server listed under this filter.
        lasting: Those that it listed when what may change for a record was left aside.

    Example:
        >>> from plivo_analysis.api.filters import Filter
        >>> from plivo_analysis.api.resources import SESSION_RESOURCE
        >>> frame = pl.DataFrame({"session_uuid": ["a", "b"], "status": ["verified", None]})
        >>> verified = Filter.of(SESSION_RESOURCE, status="verified")
        >>> chosen(frame, verified, "session_uuid", {"b"}).height
        2
    """
    # What the columns tell comes before what the server listed: a record listed as open may have
    # settled since. Where no column tells, the server's list is all there is. A parameter that no
    # column shows at all, such as a brand, the columns cannot confirm: the row must be listed too.
    by_columns = matches(frame, asked)
    is_listed = frame[key].is_in(pl.Series(list(listed), dtype=pl.String).implode())
    if asked.unverifiable:
        lasts = frame[key].is_in(pl.Series(list(lasting), dtype=pl.String).implode())
        by_columns &= is_listed | lasts
    return frame.filter(pl.select(pl.coalesce(by_columns, is_listed)).to_series())


def _confirmed(values: pl.Series, parameter: Parameter, wanted: str) -> pl.Series:
    if parameter.same not in (same_number, same_sender):
        return _compared_once(values, parameter, wanted)
    plain = values.str.contains(_PLAIN)
    odd = _compared_once(values.set(plain.fill_null(value=False), None), parameter, wanted)
    equal = values == wanted
    return pl.select(pl.when(plain).then(equal).otherwise(odd)).to_series()


def _compared_once(values: pl.Series, parameter: Parameter, wanted: str) -> pl.Series:
    known: Iterable[str] = values.drop_nulls().unique().to_list()
    answers = {value: parameter.same(wanted, value) for value in known}
    return values.replace_strict(answers, default=None, return_dtype=pl.Boolean)
