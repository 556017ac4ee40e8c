"""How attempts went, and what those that reached nobody cost."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import narwhals as nw

from plivo_analysis.errors import SchemaError
from plivo_analysis.metrics.cautions import refuse_mixed_currencies
from plivo_analysis.metrics.columns import ATTEMPT_OUTCOMES
from plivo_analysis.metrics.engines import count
from plivo_analysis.metrics.grouping import Grouping, Key
from plivo_analysis.metrics.inputs import open_exploded
from plivo_analysis.metrics.intervals import wilson, with_interval
from plivo_analysis.metrics.money import Money
from plivo_analysis.tables.columns import ATTEMPTS
from plivo_analysis.tables.convert import result

if TYPE_CHECKING:
    from collections.abc import Iterable

_NEEDED = ["session_uuid", "attempt_number", "outcome", "charge"]


def attempt_outcomes(
    frame: Any,
    by: str | Iterable[str] = ("channel",),
    *,
    confidence: float = 0.95,
) -> Any:
    """How many attempts reached someone, by channel or whatever else, and their price.

    The reached rate is reached ÷ attempts, over all attempts of all sessions, as the delivery
    part of Twilio's verification attempts summary. Attempts that are pending or of an unknown
    status stay in the denominator: close to now the rate is biased down, and ``pending``
    beside it says how much. Reached does not mean verified, and not reached does not mean free:
    ``billed_not_reached`` is what was paid for attempts that reached nobody. The intervals are
    Wilson's (Wilson 1927; Brown, Cai & DasGupta 2001) and take attempts for independent, which
    several of one session are not quite: read them as a little too narrow.

    Args:
        frame: A sessions table (polars, pandas or pyarrow), or an attempts table on any engine
            (these, a DuckDB relation, PySpark).
        by: Columns of attempts to group by.
        confidence: The coverage of the intervals.

    Returns:
        A small frame (pandas for pandas, else polars), one row a group of attempts: the ``by``
        columns, then ``attempts, reached, not_reached, pending, unknown`` (attempts),
        ``reached_rate, reached_rate_low, reached_rate_high`` (parts of one), ``charge,
        billed_not_reached`` (decimals, the account's currency; null where none is known),
        ``unpriced`` (attempts without a known charge).

    Raises:
        SchemaError: The frame is neither table, an attempt comes twice, or the charges are of
            several currencies, by a column ``currency``.
        FilterError: ``confidence`` does not lie between 0 and 1.

    Example:
        >>> from decimal import Decimal
        >>> import polars as pl
        >>> attempts = pl.DataFrame({"session_uuid": ["a", "b"], "attempt_number": [1, 1],
        ...     "channel": ["sms", "sms"], "outcome": ["reached", "not_reached"],
        ...     "charge": [Decimal("0.08"), Decimal("0.08")]})
        >>> attempt_outcomes(attempts).select("reached_rate", "billed_not_reached").rows()
        [(0.5, Decimal('0.08000000'))]
    """
    wilson(0, 0, confidence)
    lazy, names = open_exploded(frame, by, ATTEMPT_OUTCOMES, ATTEMPTS, _NEEDED)
    refuse_mixed_currencies(frame, names)
    _refuse_doubled(lazy)
    grouping = Grouping(names, ATTEMPT_OUTCOMES)
    counted = grouping.count(lazy, "outcome", money={"charge": "charge"})
    groups: defaultdict[Key, _Outcomes] = defaultdict(_Outcomes)
    for row in counted:
        groups[grouping.key(row)].add(row)
    outcomes = {key: group.row(confidence) for key, group in groups.items()}
    return result(grouping.frame(outcomes, counted.schema), frame)


@dataclass(slots=True)
class _Outcomes:
    attempts: Counter[str] = field(default_factory=Counter)
    charge: Money = field(default_factory=Money)
    missed: Money = field(default_factory=Money)

    def add(self, row: dict[str, Any]) -> None:
        counts = row["__charge"], row["__rows"], row["__no_charge"]
        self.attempts[row["outcome"]] += row["__rows"]
        self.charge.add(*counts)
        if row["outcome"] == "not_reached":
            self.missed.add(*counts)

    def row(self, confidence: float) -> dict[str, Any]:
        attempts = self.attempts.total()
        return {
            "attempts": attempts,
            **{name: self.attempts[name] for name in ("reached", "not_reached", "pending")},
            "unknown": self.attempts["unknown"],
            **with_interval("reached_rate", self.attempts["reached"], attempts, confidence),
            "charge": self.charge.amount,
            "billed_not_reached": self.charge.part(self.missed),
            "unpriced": self.charge.unknown,
        }


def _refuse_doubled(lazy: nw.LazyFrame[Any]) -> None:
    distinct = nw.col("session_uuid").n_unique()
    for row in count(lazy, ["attempt_number"], distinct=distinct):
        if row["__rows"] != row["__distinct"]:
            raise SchemaError(
                "The key of the table of attempts, session_uuid and attempt_number, comes more "
                "than once. Keep one row of each.",
                available=lazy.collect_schema().names(),
            )
