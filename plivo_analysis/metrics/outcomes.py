"""How attempts went, and what those that reached nobody cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from plivo_analysis.metrics.columns import count_column, rate_columns, sum_column, unpriced_column
from plivo_analysis.metrics.grouping import Grouping
from plivo_analysis.metrics.money import money_of
from plivo_analysis.tables.exploded_columns import ATTEMPTS
from plivo_analysis.values.table_types import Table

if TYPE_CHECKING:
    from collections.abc import Iterable

_OUTCOME = pl.col("__outcome")
_OUTCOMES = {
    "reached": "Delivered, answered or read.",
    "not_reached": "Failed, refused, busy or not answered.",
    "pending": "Not final.",
    "unknown": "With a status not known here.",
}

ATTEMPT_OUTCOMES = Table(
    name="attempt_outcomes",
    row="A group of attempts: how they went and what they cost.",
    columns=(
        count_column("attempts", "All attempts.", unit="attempts"),
        *(
            count_column(word, meaning, _OUTCOME.eq(word), unit="attempts")
            for word, meaning in _OUTCOMES.items()
        ),
        *rate_columns("reached_rate", "reached", "attempts"),
        sum_column("charge", "What they were billed.", "charge"),
        sum_column("billed_not_reached", "The part billed for attempts not reached."),
        unpriced_column("Attempts without a known charge.", "charge", unit="attempts"),
    ),
)


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
    grouping = Grouping.of(
        frame, by, ATTEMPT_OUTCOMES, ATTEMPTS, ["outcome", "charge"], confidence=confidence
    )
    groups = grouping.sum(
        grouping.count({"outcome": None}, sums={"charge": "charge"}),
        missed=money_of("charge", _OUTCOME == "not_reached"),
    )
    return grouping.frame(
        groups, lambda group: {"billed_not_reached": group["charge"].part(group["missed"])}
    )
