"""The largest groups of sessions by what they cost, the rest as one group.

The rest is counted by the same metrics as any group, over its sessions together, so that its
rates and intervals are as true as the others' and the groups still add up to the whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from plivo_analysis.metrics.cost import cost_per_verified
from plivo_analysis.metrics.spend import spend
from plivo_analysis.metrics.success import success_rates
from plivo_analysis.report.measures import Measures, Row, add

if TYPE_CHECKING:
    from collections.abc import Sequence

_MOST = 12
_REST = "\x00the rest"  # no name on the wire, which is trimmed and free of controls

Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class TopGroup:
    """A group of sessions and what they cost.

    Args:
        key: The values that make it a group; None for the rest.
        groups: How many groups it holds.
        parts: What was spent on each channel, where it is known.
        cost: Its row of ``cost_per_verified``.
        success: Its row of ``success_rates``.

    Example:
        >>> TopGroup(("IN",), 1, {"sms": Decimal(2), "voice": Decimal(1)}, {}, {}).spent
        Decimal('3')
    """

    key: Key | None
    groups: int
    parts: dict[str, Decimal]
    cost: Row
    success: Row

    @property
    def spent(self) -> Decimal | None:
        """What its sessions cost, as far as it is known; None where nothing is."""
        return add(self.parts.values()) if self.parts else None


def leading(numbers: Measures, by: Sequence[str]) -> list[TopGroup]:
    """The groups by what they cost, the largest first; beyond twelve the rest is one.

    Example:
        >>> from plivo_analysis.report.measures import COUNTRY, count_up
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> leading(count_up(pl.DataFrame(schema=SESSIONS.polars()), None), COUNTRY)
        []
    """
    sessions, charges = numbers.sessions, numbers.charges
    ranked = _ranked(success_rates(sessions, by=by), spend(charges, by=by), by)
    rest = len(ranked) - _MOST
    if rest > 1:
        kept = pl.DataFrame(ranked[:_MOST], schema=sessions.select(by).schema, orient="row")
        sessions, charges = (_folded(frame, kept, by) for frame in (sessions, charges))
        ranked = [*ranked[:_MOST], (_REST,) * len(by)]
    costs = _by_key(cost_per_verified(sessions, by=by), by)
    successes = _by_key(success_rates(sessions, by=by), by)
    parts: dict[Key, dict[str, Decimal]] = {}
    for row in spend(charges, by=(*by, "channel")).rows(named=True):
        known = parts.setdefault(_key(row, by), {})
        if row["amount"] is not None:
            known[row["channel"]] = row["amount"]
    return [
        TopGroup(
            key=None if key[0] == _REST else key,
            groups=rest if key[0] == _REST else 1,
            parts=parts.get(key, {}),
            cost=costs[key],
            success=successes[key],
        )
        for key in ranked
    ]


def spent_before(
    places: Sequence[TopGroup], before: Measures, by: Sequence[str]
) -> list[Decimal | None]:
    """What each place cost in the period before, whatever its rank and its name were then.

    The rest is all that the named ones are not, so that the changes add up to the whole's.
    None is where sessions were, and no amount of theirs is known.

    Example:
        >>> from plivo_analysis.report.measures import COUNTRY, count_up
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> india = TopGroup(("IN",), 1, {"sms": Decimal(2)}, {}, {})
        >>> spent_before([india], count_up(pl.DataFrame(schema=SESSIONS.polars()), None), COUNTRY)
        [Decimal('0')]
    """
    amounts: dict[Any, Decimal | None] = {}
    for row in spend(before.charges, by=by).rows(named=True):
        group = _same(_key(row, by))
        known = [each for each in (amounts.get(group), row["amount"]) if each is not None]
        amounts[group] = add(known) if known else None
    named = [amounts.get(_same(place.key), Decimal(0)) for place in places if place.key]
    return [*named, *[before.spent - add(named)] * (len(places) - len(named))]


def _same(key: Key) -> Key:
    """What stays of a group from period to period: an application's id, not its name."""
    return key if key[0] is None else key[:1]


def _ranked(counted: pl.DataFrame, spent: pl.DataFrame, by: Sequence[str]) -> list[Key]:
    amounts = {_key(row, by): row["amount"] or Decimal(0) for row in spent.rows(named=True)}
    keys = [_key(row, by) for row in counted.rows(named=True)]
    # A stable sort: what cost the same stays in the metrics' order, by name.
    return sorted(keys, key=lambda key: -amounts.get(key, Decimal(0)))


def _folded(frame: pl.DataFrame, kept: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    marked = frame.join(
        kept.with_columns(kept=pl.lit(value=True)),
        on=list(by),
        how="left",
        nulls_equal=True,
        maintain_order="left",
    )
    named = (pl.when("kept").then(column).otherwise(pl.lit(_REST)).alias(column) for column in by)
    return marked.with_columns(named).drop("kept")


def _by_key(frame: pl.DataFrame, by: Sequence[str]) -> dict[Key, Row]:
    return {_key(row, by): row for row in frame.rows(named=True)}


def _key(row: Row, by: Sequence[str]) -> Key:
    return tuple(row[column] for column in by)
