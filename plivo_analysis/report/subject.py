"""What a report is about: the numbers, what they are compared with, and how they are named."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plivo_analysis.values.typesetting import money, sign, unit_price

if TYPE_CHECKING:
    from decimal import Decimal

    from plivo_analysis.report.measures import Measures, Row
    from plivo_analysis.report.messages import Messages


@dataclass(frozen=True, slots=True)
class Subject:
    """What every section of a report draws from.

    Args:
        numbers: The counted sessions.
        before: The counted sessions of the period before, where they were given.
        title: The report's title.
        account: The account's id, where it was given.
        currency: The account's currency, a label.
        messages: The counted message records, where they were given.
        coverage: What was read of the period, where that was given.
        plotlyjs: Where the interactive figure's program comes from: inline, cdn or none.

    Example:
        >>> from decimal import Decimal
        >>> Subject(numbers=None, before=None, title="t", account=None, currency="EUR",
        ...         messages=None, coverage=None, plotlyjs="none").money(Decimal("1.5"))
        '€1.50'
    """

    numbers: Measures
    before: Measures | None
    title: str
    account: str | None
    currency: str
    messages: Messages | None
    coverage: list[Row] | None
    plotlyjs: str

    def money(self, amount: Decimal | None, digits: int | None = 2) -> str:
        """An amount in the account's currency."""
        return money(amount, self.currency, digits)

    def price(self, amount: Decimal | None) -> str:
        """A small amount for one session in the account's currency."""
        return unit_price(amount, self.currency)

    @property
    def sign(self) -> str:
        """What stands for the currency in the head of a column."""
        return sign(self.currency)

    @property
    def interval(self) -> str:
        """The words for the period compared with."""
        period = self.numbers.period
        return f"the {period.length} before" if period else "the period before"
