"""Every number of a report, counted once: the metrics' frames, by name.

Nothing is counted here by a formula of its own; sections only choose, add up and set what is
in these frames, so that the report cannot disagree with the metrics. Everything is counted in
polars, whatever the caller's frame is, because the numbers are the same on every engine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl

from plivo_analysis.api.words import OPEN, fold_status
from plivo_analysis.figures import time_axis
from plivo_analysis.metrics.cost import cost_per_verified
from plivo_analysis.metrics.fallback import fallback_rates
from plivo_analysis.metrics.outcomes import attempt_outcomes
from plivo_analysis.metrics.paths import channel_paths
from plivo_analysis.metrics.reconcile import reconcile
from plivo_analysis.metrics.spend import spend
from plivo_analysis.metrics.success import success_rates
from plivo_analysis.tables.explode import explode_attempts, explode_charges

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from plivo_analysis.report.period import Period

Row = dict[str, Any]

COUNTRY = ("destination_country_iso2",)
APPLICATION = ("app_uuid", "alias")


@dataclass(frozen=True, slots=True)
class Measures:
    """The counted sessions of one period.

    Args:
        sessions: The sessions, in polars.
        charges: The lines of their bill.
        period: The time that they are of; None where there are no sessions and none was given.
        tables: The metrics' frames by name.

    Example:
        >>> import polars as pl
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> empty = count_up(pl.DataFrame(schema=SESSIONS.polars()), None)
        >>> empty.spent, empty.total("success")["sessions"]
        (Decimal('0'), 0)
    """

    sessions: pl.DataFrame
    charges: pl.DataFrame
    period: Period | None
    tables: dict[str, pl.DataFrame] = field(default_factory=dict)

    def rows(self, table: str) -> list[Row]:
        """The rows of a table."""
        return self.tables[table].rows(named=True)

    def total(self, table: str) -> Row:
        """The one row of a table without groups; without sessions, counts of 0 and nulls."""
        rows = self.rows(table)
        if rows:
            return rows[0]
        counted = self.tables[table].schema
        return {name: 0 if kind.is_integer() else None for name, kind in counted.items()}

    def amounts(self, table: str, *columns: str) -> dict[Any, Decimal]:
        """The known amounts of a spend table, summed by a column's value or several columns'."""
        sums: dict[Any, Decimal] = {}
        for row in self.rows(table):
            key = tuple(row[column] for column in columns)
            group = key[0] if len(key) == 1 else key
            sums[group] = add((sums.get(group), row["amount"]))
        return sums

    def by_period(self, table: str, column: str) -> list[Any]:
        """One value a bucket of the period, None where the table has no row of it."""
        if self.period is None:
            return []
        found = {time_axis.wall(row["period"]): row[column] for row in self.rows(table)}
        return [found.get(start) for start in self.starts()]

    def spent_by_period(self, channel: str | None = None) -> list[Decimal]:
        """What each bucket of the period cost, in all or on one channel."""
        sums: dict[datetime, Decimal] = {}
        for row in self.rows("spend_by_period") if self.period else []:
            if channel in {None, row["channel"]}:
                start = time_axis.wall(row["period"])
                sums[start] = add((sums.get(start), row["amount"]))
        return [sums.get(start, Decimal(0)) for start in self.starts()]

    def starts(self) -> list[datetime]:
        """The starts of the period's buckets, on the wall clock."""
        return self.period.starts() if self.period else []

    @property
    def spent(self) -> Decimal:
        """What all sessions cost, as far as it is known."""
        return add(row["amount"] for row in self.rows("spend"))

    @property
    def spent_open(self) -> Decimal:
        """What sessions in progress have cost so far."""
        rows = self.rows("spend_by_status")
        return add(row["amount"] for row in rows if fold_status(row["session_status"]) in OPEN)

    @property
    def without_total(self) -> int:
        """Sessions whose total is not known: with any, spend is a lower bound."""
        return self.sessions["total_charge"].null_count()

    @property
    def spent_without_total(self) -> Decimal:
        """The known lines of the sessions whose total is not known."""
        open_ended = self.sessions.filter(self.sessions["total_charge"].is_null())
        lines = self.charges.join(open_ended, on="session_uuid", how="semi")
        return add(lines["amount"].to_list())


def count_up(sessions: pl.DataFrame, period: Period | None) -> Measures:
    """Count everything that a report says of some sessions.

    Args:
        sessions: A sessions table in polars.
        period: The time that they are of.

    Example:
        >>> import polars as pl
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> count_up(pl.DataFrame(schema=SESSIONS.polars()), None).rows("spend")
        []
    """
    sessions = _with_one_name(sessions)
    attempts, charges = explode_attempts(sessions), explode_charges(sessions)
    tables = {
        "spend": spend(charges),
        "spend_by_status": spend(charges, by="session_status"),
        "spend_by_country": spend(charges, by=(*COUNTRY, "channel")),
        "spend_by_application": spend(charges, by=(*APPLICATION, "channel")),
        "cost": cost_per_verified(sessions),
        "cost_by_country": cost_per_verified(sessions, by=COUNTRY),
        "cost_by_application": cost_per_verified(sessions, by=APPLICATION),
        "success": success_rates(sessions),
        "success_by_status": success_rates(sessions, by="status"),
        "success_by_country": success_rates(sessions, by=COUNTRY),
        "success_by_application": success_rates(sessions, by=APPLICATION),
        "fallback": fallback_rates(attempts, by=()),
        "fallback_by_entry_channel": fallback_rates(attempts),
        "paths": channel_paths(sessions),
        "outcomes": attempt_outcomes(attempts),
        "reconcile": reconcile(sessions),
    }
    if period:
        time: dict[str, Any] = {"every": period.every, "tz": period.zone.key}
        tables |= {
            "spend_by_period": spend(charges, **time),
            "cost_by_period": cost_per_verified(sessions, **time),
            "success_by_period": success_rates(sessions, **time),
        }
    return Measures(sessions, charges, period, tables)


def _with_one_name(sessions: pl.DataFrame) -> pl.DataFrame:
    """The sessions with each application under the name that it had last.

    A name is optional on the wire and may change, and the report has one line an application.
    """
    last = pl.col("alias").sort_by("created_at", "session_uuid").drop_nulls().last()
    named = pl.when(pl.col("app_uuid").is_null()).then("alias").otherwise(last.over("app_uuid"))
    return sessions.with_columns(named.alias("alias"))


def add(amounts: Iterable[Decimal | None]) -> Decimal:
    """The exact sum of the known ones of some amounts.

    Example:
        >>> add([Decimal("0.1"), None, Decimal("0.2")])
        Decimal('0.3')
    """
    return sum((amount for amount in amounts if amount is not None), Decimal(0))
