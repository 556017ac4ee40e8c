"""Every number of a report, counted once: the metrics' frames, by name.

Nothing is counted here by a formula of its own; sections only choose, add up and set what is
in these frames, so that the report cannot disagree with the metrics. Everything is counted in
polars, whatever the caller's frame is, because the numbers are the same on every engine.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any

import polars as pl

from plivo_analysis.api.vocabulary import OPEN, fold_status
from plivo_analysis.figures.chart_data import TOP, SpendOverTime, add_up
from plivo_analysis.figures.rows import metric_rows
from plivo_analysis.figures.time_axis import instant
from plivo_analysis.insights.journeys import count_masked, journey_rates
from plivo_analysis.metrics.certainty import Certainty, Completeness
from plivo_analysis.metrics.fallback import fallback_rates
from plivo_analysis.metrics.outcomes import attempt_outcomes
from plivo_analysis.metrics.reconcile import reconcile
from plivo_analysis.metrics.sessions import channel_paths, cost_per_verified, success_rates
from plivo_analysis.metrics.spend import SPEND, spend
from plivo_analysis.tables.explode import explode_attempts, explode_charges
from plivo_analysis.values.typesetting import decimals

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from plivo_analysis.report.period import Period

Row = dict[str, Any]
Key = tuple[Any, ...]

COUNTRY = ("destination_country_iso2",)
ENTRY_CHANNEL = ("entry_channel",)
APPLICATION = ("app_uuid", "alias")
GROUPINGS = {
    "country": COUNTRY,
    "application": APPLICATION,
    "entry_channel": ENTRY_CHANNEL,
    "country_and_channel": (*COUNTRY, *ENTRY_CHANNEL),
}
"""The columns that a table's groups are of, by the end of its name, as in ``cost_by_country``."""
_SPLIT = ("country", "application")  # groups whose spend is told by channel, and their journeys


@dataclass(frozen=True, slots=True)
class Group:
    """A group of sessions and what they cost.

    Args:
        key: The values that make it a group; empty for several groups together.
        groups: How many groups it holds.
        parts: What was spent on each channel, where it is known.
        numbers: Its rows of ``cost_per_verified`` and ``success_rates`` as one; empty where it
            has no session.
        journeys: Its row of ``journey_rates``; empty where recipients are masked.
        before: The same group in the period before, where it had sessions then.

    Example:
        >>> Group(("IN",), 1, {"sms": Decimal(2), "voice": Decimal(1)}).spent
        Decimal('3')
    """

    key: Key
    groups: int = 1
    parts: dict[str, Decimal] = field(default_factory=dict)
    numbers: Row = field(default_factory=dict)
    journeys: Row = field(default_factory=dict)
    before: Group | None = None

    @property
    def spent(self) -> Decimal | None:
        """What its sessions cost, as far as it is known; None where nothing is."""
        return add_up(self.parts.values())

    @property
    def spent_before(self) -> Decimal | None:
        """What they cost in the period before; zero for a group that is new."""
        return self.before.spent if self.before else Decimal(0)


@dataclass(frozen=True)
class Measures:
    """The counted sessions of one period.

    Args:
        sessions: The sessions, in polars.
        charges: The lines of their bill.
        period: The time that they are of; None where there are no sessions and none was given.
        complete: How much of what there was they hold.
        tables: The metrics' frames by name.

    Example:
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> empty = count_up(pl.DataFrame(schema=SESSIONS.polars()), None, Completeness(rows=0))
        >>> empty.spent, empty.totals["settled"]
        (Decimal('0'), 0)
    """

    sessions: pl.DataFrame
    charges: pl.DataFrame
    period: Period | None
    complete: Completeness
    tables: dict[str, pl.DataFrame] = field(default_factory=dict)

    def rows(self, table: str) -> list[Row]:
        """The rows of a table."""
        return self.tables[table].rows(named=True)

    def total(self, table: str) -> Row:
        """The one row of a table without groups; without sessions, counts of 0 and nulls."""
        rows = self.rows(table)
        if rows:
            return rows[0]
        # A metric gives no row at all of an empty input, and the page reads its numbers by name.
        counted = self.tables[table].schema
        return {name: 0 if kind.is_integer() else None for name, kind in counted.items()}

    @cached_property
    def totals(self) -> Row:
        """The numbers of all sessions, by name; those of a table that was not counted are missing.

        They are the columns of the metrics' rows without groups, and beside them ``spent``,
        ``sessions``, ``may_verify``, ``without_total`` and ``unallocated``.
        """
        # "settled" and "verified" are of journeys too: the later table is the one that counts.
        found: Row = {}
        for table in ("journey_rates", "fallback", "success", "cost"):
            found |= self.total(table) if table in self.tables else {}
        return found | {
            "spent": self.spent,
            "sessions": self.sessions.height,
            "may_verify": self.complete.may_verify,
            "without_total": self.complete.unpriced,
            "unallocated": self.amounts("spend", "channel").get("unallocated", Decimal(0)),
        }

    def amounts(self, table: str, column: str) -> dict[Any, Decimal]:
        """The known amounts of a spend table, summed by a column's value."""
        # The sum of decimals is exact in polars; that of none, or of nulls alone, is zero.
        sums = self.tables[table].group_by(column, maintain_order=True).agg(pl.col("amount").sum())
        return dict(sums.iter_rows())

    def keyed(self, table: str) -> dict[Key, Row]:
        """The rows of a table of one of the ``GROUPINGS``, by their groups."""
        by = GROUPINGS[table.partition("_by_")[2]]
        # Journeys are not counted where recipients are masked: then no group has any.
        rows = self.rows(table) if table in self.tables else []
        return {tuple(row[column] for column in by): row for row in rows}

    def groups(self, grouping: str) -> list[Group]:
        """The groups of one of the ``GROUPINGS``, with what was counted of each."""
        tables = ("cost", "success", "journey_rates")
        cost, success, journeys = (self.keyed(f"{table}_by_{grouping}") for table in tables)
        parts: dict[Key, dict[str, Decimal]] = {}
        for row in self.rows(f"spend_by_{grouping}") if grouping in _SPLIT else []:
            known = parts.setdefault(tuple(row[column] for column in GROUPINGS[grouping]), {})
            if row["amount"] is not None:
                known[row["channel"]] = row["amount"]
        # `success_rates` has a row for every group that has a session, whatever is known of it.
        return [
            Group(key, 1, parts.get(key, {}), cost[key] | row, journeys.get(key, {}))
            for key, row in success.items()
        ]

    def only(self, grouping: str, groups: Sequence[Group]) -> Measures:
        """The same counted of the sessions of some groups.

        Rates and prices of several groups cannot be made of each one's: a ratio of sums is no
        mean of ratios.
        """
        by = GROUPINGS[grouping]
        # With the columns' own types, since a list of nulls alone would have none to join by.
        schema = self.sessions.select(by).schema
        keys = pl.DataFrame([group.key for group in groups], schema=schema, orient="row")
        of_groups = self.sessions.join(keys, on=by, how="semi", nulls_equal=True)
        return count_up(of_groups, None, self.complete)

    def as_group(self, groups: int) -> Group:
        """All sessions as one group, which stands for so many, as for the rest beyond twelve."""
        known = {row["channel"]: row["amount"] for row in self.rows("spend")}
        parts = {channel: amount for channel, amount in known.items() if amount is not None}
        journeys = self.total("journey_rates") if "journey_rates" in self.tables else {}
        return Group((), groups, parts, self.totals, journeys)

    @property
    def starts(self) -> list[datetime]:
        """The starts of the period's buckets, in its zone."""
        return self.period.starts if self.period else []

    @cached_property
    def certainty(self) -> list[Certainty]:
        """What may be said of each bucket's numbers."""
        if self.period is None:
            return []
        ends = [*self.starts[1:], self.period.end]
        starts = [self.period.start, *self.starts[1:]]  # a week may begin before the period
        return [self.complete.within(a, b) for a, b in zip(starts, ends, strict=True)]

    @cached_property
    def buckets(self) -> list[Row]:
        """The numbers of each bucket of the period, by name.

        They are the columns of ``cost_by_period`` and ``success_by_period``, and beside them
        ``start``, ``known`` (how certain they are), ``spent`` and ``parts``, the spend on each
        channel. Where nothing was read, each is None or missing.
        """
        if self.period is None:
            return []
        # Keyed by instant: where a clock is put back, two hours have one wall time, which Python
        # takes for equal, and the second would overwrite the first.
        found: dict[datetime, Row] = {}
        for row in (*self.rows("cost_by_period"), *self.rows("success_by_period")):
            found.setdefault(instant(row["period"]), {}).update(row)
        spent = {
            (instant(r["period"]), r["channel"]): r["amount"] for r in self.rows("spend_by_period")
        }
        # Those of any bucket: each has a part in every bucket, be it zero.
        channels = {channel for _, channel in spent}
        buckets = []
        for start, known in zip(self.starts, self.certainty, strict=True):
            row = {"start": start, "known": known, "spent": None, "parts": {}}
            if known is not Certainty.NOT_READ:
                at = instant(start)
                parts = {channel: spent.get((at, channel), Decimal(0)) for channel in channels}
                # The metrics have no row for a bucket without a session: its counts are zero, and
                # its rates and prices stay undefined, which breaks their lines.
                row |= {"sessions": 0, "verified": 0} | found.get(at, {})
                row |= {"spent": add(parts.values()), "parts": parts}
            buckets.append(row)
        return buckets

    def spent_over_time(self, currency: str) -> SpendOverTime:
        """What each bucket of the period cost, by channel."""
        table = metric_rows(self.tables["spend_by_period"], SPEND)
        return SpendOverTime.of(table, currency, self.starts, most=TOP)

    @property
    def spent(self) -> Decimal:
        """What all sessions cost, as far as it is known."""
        return add(row["amount"] for row in self.rows("spend"))

    @property
    def spent_open(self) -> Decimal:
        """What sessions in progress have cost so far."""
        # The rows are of statuses as the API spells them: several spellings may mean "open".
        rows = self.rows("spend_by_status")
        return add(row["amount"] for row in rows if fold_status(row["session_status"]) in OPEN)

    @property
    def spent_without_total(self) -> Decimal:
        """The known lines of the sessions whose total is not known."""
        # The charges of attempts can be there before the session's total is.
        open_ended = self.sessions.filter(self.sessions["total_charge"].is_null())
        lines = self.charges.join(open_ended, on="session_uuid", how="semi")
        return add(lines["amount"].to_list())


def count_up(sessions: pl.DataFrame, period: Period | None, complete: Completeness) -> Measures:
    """Count everything that a report says of some sessions.

    Args:
        sessions: A sessions table in polars.
        period: The time that they are of.
        complete: How much of what there was they hold.

    Example:
        >>> import polars as pl
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> empty = pl.DataFrame(schema=SESSIONS.polars())
        >>> count_up(empty, None, Completeness(rows=0)).rows("spend")
        []
    """
    sessions = _with_one_name(sessions)
    # Exploded once here: each metric would do it again, which takes longer than counting.
    attempts, charges = explode_attempts(sessions), explode_charges(sessions)
    tables = {
        "spend": spend(charges),
        "spend_by_status": spend(charges, by="session_status"),
        "cost": cost_per_verified(sessions),
        "success": success_rates(sessions),
        "success_by_status": success_rates(sessions, by="status"),
        "fallback": fallback_rates(attempts, by=()),
        "fallback_by_entry_channel": fallback_rates(attempts),
        "paths": channel_paths(sessions),
        "outcomes": attempt_outcomes(attempts),
        "reconcile": reconcile(sessions),
    }
    for name, by in GROUPINGS.items():
        tables[f"cost_by_{name}"] = cost_per_verified(sessions, by=by)
        tables[f"success_by_{name}"] = success_rates(sessions, by=by)
    for name in _SPLIT:
        tables[f"spend_by_{name}"] = spend(charges, by=(*GROUPINGS[name], "channel"))
    if period:
        time: dict[str, Any] = {"every": period.every, "tz": period.zone.key}
        tables |= {
            "spend_by_period": spend(charges, **time),
            "cost_by_period": cost_per_verified(sessions, **time),
            "success_by_period": success_rates(sessions, **time),
        }
    if not count_masked(sessions["recipient"]):  # else two people could make one journey
        tables["journey_rates"] = journey_rates(sessions)
        for name in _SPLIT:
            tables[f"journey_rates_by_{name}"] = journey_rates(sessions, by=GROUPINGS[name])
    return Measures(sessions, charges, period, complete, tables)


def _with_one_name(sessions: pl.DataFrame) -> pl.DataFrame:
    """The sessions with each application under the name that it had last.

    A name is optional on the wire and may change, and the report has one line an application.
    """
    # By the key too, or two sessions of one instant would let the name differ from run to run.
    last = pl.col("alias").sort_by("created_at", "session_uuid").drop_nulls().last()
    # Without an id, sessions are one application only as far as they have one name.
    named = pl.when(pl.col("app_uuid").is_null()).then("alias").otherwise(last.over("app_uuid"))
    return sessions.with_columns(named.alias("alias"))


def most_decimals(amounts: Iterable[Decimal | None]) -> int:
    """How many digits after the point show each of some amounts exactly; two at least.

    Example:
        >>> most_decimals([Decimal("0.1"), Decimal("0.0462"), None])
        4
    """
    return max((decimals(amount) for amount in amounts if amount is not None), default=2)


def add(amounts: Iterable[Decimal | None]) -> Decimal:
    """The exact sum of the known ones of some amounts; zero where none is known.

    Example:
        >>> add([Decimal("0.1"), None]), add([None])
        (Decimal('0.1'), Decimal('0'))
    """
    return add_up(amounts) or Decimal(0)
