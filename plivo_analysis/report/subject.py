"""What a report is of: a period's numbers beside those of the period before, and their currency."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

from plivo_analysis.figures.chart_data import largest
from plivo_analysis.insights.bridge import cost_bridge
from plivo_analysis.insights.changes import compare
from plivo_analysis.report.comparison import Change
from plivo_analysis.report.measures import COUNTRY, Group, add
from plivo_analysis.values.typesetting import count, money, percent, sign, unit_price

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

    from plivo_analysis.metrics.messages import MessageJoin
    from plivo_analysis.report.measures import Key, Measures, Row


@dataclass(frozen=True)
class Subject:
    """What every section of a report draws from.

    Args:
        numbers: The counted sessions.
        currency: The account's currency, a label.
        before: The counted sessions of the period before, where they were given.
        title: The report's title.
        account: The account's id, where it was given.
        messages: The attempts with their message records, where those were given.
        coverage: What was read of the period, where that was given.

    Example:
        >>> Subject(numbers=None, currency="EUR").money(Decimal("1.5"))
        '€1.50'
    """

    numbers: Measures
    currency: str
    before: Measures | None = None
    title: str = ""
    account: str | None = None
    messages: MessageJoin | None = None
    coverage: list[Row] | None = None

    @cached_property
    def changes(self) -> dict[str, pl.DataFrame]:
        """What changed since the period before: the insights' frames, by name; none without one."""
        if self.before is None:
            return {}
        both = self.before.sessions, self.numbers.sessions
        # The bridge warns of sessions without a total; the report says itself how many there are.
        priced = [sessions.drop_nulls("total_charge") for sessions in both]
        return {
            "compare": compare(*both),
            "compare_by_country": compare(*both, by=COUNTRY),
            "cost_bridge": cost_bridge(priced[0], priced[1]),
        }

    @property
    def compared(self) -> Row | None:
        """What changed in all sessions, as ``compare`` says it; None without a period before."""
        rows = self.changes["compare"].rows(named=True) if self.changes else []
        return rows[0] if rows else None

    def money(self, amount: Decimal | None, digits: int | None = 2) -> str:
        """An amount in the account's currency."""
        return money(amount, self.currency, digits)

    def price(self, amount: Decimal | None) -> str:
        """A small amount for one session in the account's currency."""
        return unit_price(amount, self.currency)

    def both(self, name: str) -> tuple[Any, Any]:
        """A number of all sessions now and in the period before; None where it is not known.

        Args:
            name: Its name in :attr:`Measures.totals`.
        """
        return self.numbers.totals.get(name), self.before and self.before.totals.get(name)

    @property
    def before_name(self) -> str:
        """The words for the period compared with: a month's name, else its length."""
        period = self.numbers.period
        if period is None:
            return "the period before"
        return period.before().title if period.months == 1 else f"the {period.length} before"

    def groups(self, grouping: str) -> list[Group]:
        """The groups of one of the ``GROUPINGS``, each with the same one in the period before."""

        def lasting(group: Group) -> Key:
            # An application may have another name later: what stays of it is its id.
            has_id = grouping == "application" and group.key[0] is not None
            return group.key[:1] if has_id else group.key

        groups = self.numbers.groups(grouping)
        if self.before is None:
            return groups
        past = {lasting(group): group for group in self.before.groups(grouping)}
        return [replace(group, before=past.get(lasting(group))) for group in groups]

    @cached_property
    def largest(self) -> dict[str, tuple[list[Group], Measures | None]]:
        """The countries and the applications by what they cost, the largest first.

        Beyond twelve the rest is one group, and last; what was counted of it stands beside. It is
        kept, since counting the sessions of the rest takes as long as counting all of them.
        """
        return {grouping: self._largest(grouping) for grouping in ("country", "application")}

    def _largest(self, grouping: str) -> tuple[list[Group], Measures | None]:
        named, left = largest(self.groups(grouping), lambda group: group.spent)
        if not left:
            return named, None
        measures = self.numbers.only(grouping, left)
        rest = measures.as_group(len(left))
        # What the named groups did not cost in the period before, the rest did, whichever groups
        # those were: only so do the changes add up to the whole's.
        if self.before:
            other = self.before.spent - add(group.spent_before for group in named)
            rest = replace(rest, before=Group((), parts={"": other}))
        return [*named, rest], measures

    @property
    def per_day(self) -> bool:
        """Whether amounts and counts are compared by day: where the two periods differ in days."""
        return self._days[0] != self._days[1]

    @property
    def change_title(self) -> str:
        """The title of a column of changes of amounts."""
        return f"Change, {sign(self.currency)}{' a day' if self.per_day else ''}"

    def change(self, now: Any, past: Any, kind: str = "amount") -> Change | None:
        """The change of a number; None where one of the two is not known.

        Args:
            now: The number.
            past: The number in the period before.
            kind: What it is, as in :meth:`shown`. Amounts and counts are compared per day where
                the two periods differ in days; a price or a rate is no sum, so that the length
                of its period does not matter.
        """
        if now is None or past is None:
            return None
        if kind == "percent":  # a share of a share would be taken for percentage points
            return Change(now - past, None)
        # Both are divided or neither is, so that changes of groups add up to the whole's.
        days = self._days if self.per_day and kind != "price" else (1, 1)
        return Change.of(Decimal(now) / days[0], Decimal(past) / days[1])

    def shown(self, number: Any, kind: str) -> str:
        """A number as text, by its kind: amount, price, percent or count."""
        shown: dict[str, Callable[[Any], str]] = {
            "amount": self.money,
            "price": self.price,
            "percent": percent,
            "count": count,
        }
        return shown[kind](number)

    def mean_before(self, total: Decimal | int | None) -> Decimal | None:
        """A bucket's mean in the period before, of an amount or a count."""
        buckets = len(self.before.starts) if self.before else 0
        return Decimal(total) / buckets if buckets and total is not None else None

    @property
    def _days(self) -> tuple[int, int]:
        period = self.numbers.period
        return (period.days, period.before().days) if period and self.before else (1, 1)
