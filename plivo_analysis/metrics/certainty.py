"""How certain a number is: exact, at least so much, or not known at all.

Report, explorer and command line all decide it here. A number is not exact where a part of the
period was not read, a record could not be read, or money has not arrived. A session that is
still open changes nothing about what was billed so far; that it may still verify is counted
under another name.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from plivo_analysis.api.vocabulary import OPEN, fold_status
from plivo_analysis.tables.checks import table_rows
from plivo_analysis.tables.convert import folded
from plivo_analysis.values.spans import HOUR, Span, subtract, to_us
from plivo_analysis.values.typesetting import plural

if TYPE_CHECKING:
    import polars as pl

Range = tuple[datetime, datetime]
"""A start and an end that is excluded, both aware."""

_COVERAGE_COLUMNS = ("start", "end", "state", "rows", "open", "read_at")
_ISSUES_COLUMNS = ("key", "code", "set_aside")

READ = frozenset({"complete", "live"})
"""The states of a part that was read; a live part may still grow."""

_SET_ASIDE = re.compile(r"([0-9]+) set aside")


class Certainty(StrEnum):
    """How certain a number is.

    Example:
        >>> str(Certainty.AT_LEAST)
        'at least'
    """

    EXACT = "exact"
    AT_LEAST = "at least"
    NOT_READ = "not read"
    PART = "of what was read"


@dataclass(frozen=True, slots=True)
class Completeness:
    """How complete a table is.

    Args:
        rows: The records in it.
        unpriced: How many of them have no total yet: their money has not arrived.
        may_verify: How many are still open: they may still verify.
        period: Its time range, where that is known.
        unread: The parts of the period that were not read whole, in order.
        set_aside: Records of the period that could not be read and are in no table.

    Example:
        >>> complete = Completeness(rows=20)
        >>> complete.counts.value, complete.money.value
        ('exact', 'exact')
        >>> Completeness(rows=20, unpriced=1).money.value
        'at least'
    """

    rows: int
    unpriced: int = 0
    may_verify: int = 0
    period: Range | None = None
    unread: tuple[Range, ...] = ()
    set_aside: int = 0

    @property
    def counts(self) -> Certainty:
        """How certain the number of records is."""
        # Without a period nothing says what should have been read: the table is taken as it is.
        nothing_read = self.period is not None and self.hours_read <= 0
        if not self.rows and (self.set_aside or nothing_read):
            return Certainty.NOT_READ
        return Certainty.AT_LEAST if self.unread or self.set_aside else Certainty.EXACT

    @property
    def nothing(self) -> bool:
        """Whether it is certain that there is no record at all: a true zero."""
        return not self.rows and self.counts is Certainty.EXACT

    @property
    def money(self) -> Certainty:
        """How certain the sum of all amounts is."""
        return self.sum_of(self.unpriced)

    def sum_of(self, unknown: int) -> Certainty:
        """How certain a sum is of which so many amounts are not known.

        Example:
            >>> str(Completeness(rows=20).sum_of(unknown=1))
            'at least'
        """
        return Certainty.AT_LEAST if self.counts is Certainty.EXACT and unknown else self.counts

    def ratio_of(self, unknown: int) -> Certainty:
        """How certain such a sum divided by a count is; records not read may move it either way.

        Example:
            >>> str(Completeness(rows=20, set_aside=1).ratio_of(unknown=0))
            'of what was read'
        """
        return self.sum_of(unknown) if self.counts is Certainty.EXACT else Certainty.PART

    def within(self, start: datetime, end: datetime) -> Certainty:
        """How certain the number of records in a part of the period is.

        Example:
            >>> from datetime import UTC
            >>> day = [datetime(2026, 10, d, tzinfo=UTC) for d in (1, 2, 3)]
            >>> part = Completeness(rows=1, period=(day[0], day[2]), unread=((day[1], day[2]),))
            >>> part.within(day[0], day[1]).value, part.within(day[1], day[2]).value
            ('exact', 'not read')
        """
        part = _span((start, end))
        missing = sum(_span(unread).clip(part).length for unread in self.unread)
        if not missing:
            return Certainty.EXACT
        return Certainty.NOT_READ if missing >= part.length else Certainty.AT_LEAST

    @property
    def hours(self) -> float:
        """The hours of the period."""
        return _span(self.period).length / HOUR if self.period else 0.0

    @property
    def hours_read(self) -> float:
        """How many of them were read whole."""
        return self.hours - sum(_span(unread).length for unread in self.unread) / HOUR

    @property
    def reasons(self) -> list[str]:
        """The reasons why numbers are not exact, as text; none where all are.

        Example:
            >>> Completeness(rows=20, unpriced=2, set_aside=1).reasons
            ['2 totals missing', '1 record could not be read']
        """
        found = []
        if self.unread:
            unread = self.hours - self.hours_read
            found.append(f"{unread:,.0f} of {plural(round(self.hours), 'hour')} not read")
        if self.unpriced:
            found.append(f"{plural(self.unpriced, 'total')} missing")
        if self.set_aside:
            found.append(f"{plural(self.set_aside, 'record')} could not be read")
        return found


def completeness(
    sessions: pl.DataFrame,
    period: Range | None = None,
    *,
    coverage: Any = None,
    issues: Any = None,
) -> Completeness:
    """How completely a sessions table covers its period.

    Without ``coverage`` it is assumed to be complete: a loader gives everything, or raises.

    Args:
        sessions: The table, in polars.
        period: Start and end (excluded), aware; by default the range of ``coverage``.
        coverage: The result of :func:`plivo_analysis.coverage` for the period.
        issues: The result of :func:`plivo_analysis.issues` for the period; without it,
            ``coverage`` says how many records were set aside.

    Raises:
        SchemaError: ``coverage`` or ``issues`` is another table.

    Example:
        >>> import polars as pl
        >>> from datetime import UTC
        >>> october = tuple(datetime(2026, m, 1, tzinfo=UTC) for m in (10, 11))
        >>> rows = {"start": [october[0]], "end": [october[1]], "state": ["missing"], "rows": [0],
        ...         "open": [0], "read_at": [None]}
        >>> empty = pl.DataFrame(schema={"status": pl.String, "total_charge": pl.Decimal(18, 8)})
        >>> completeness(empty, october, coverage=pl.DataFrame(rows)).counts.value
        'not read'
    """
    spans = [] if coverage is None else coverage_rows(coverage)
    if period is None and spans:
        period = min(span["start"] for span in spans), max(span["end"] for span in spans)
    if issues is None:
        set_aside = sum(set_aside_in(row.get("flags")) for row in spans)
    else:
        odd = table_rows(issues, _ISSUES_COLUMNS, "issues is what pva.issues(…) gives")
        set_aside = len({row["key"] for row in odd if row["set_aside"]})
    return Completeness(
        rows=sessions.height,
        unpriced=sessions["total_charge"].null_count(),
        may_verify=int(folded(sessions["status"], fold_status).is_in(list(OPEN)).sum()),
        period=period,
        unread=() if coverage is None or period is None else unread_ranges(spans, period),
        set_aside=set_aside,
    )


def coverage_rows(coverage: Any) -> list[dict[str, Any]]:
    """The rows of a coverage table.

    Raises:
        SchemaError: It is another table.
    """
    return table_rows(coverage, _COVERAGE_COLUMNS, "coverage is what pva.coverage(…) gives")


def set_aside_flag(records: int) -> str:
    """The flag by which a row of a coverage table says how many records were set aside."""
    return f"{records} set aside"


def set_aside_in(flags: str | None) -> int:
    """How many records were set aside, by the flags of a row of a coverage table.

    Example:
        >>> set_aside_in(f"probable, {set_aside_flag(2)}"), set_aside_in("probable")
        (2, 0)
    """
    return sum(map(int, _SET_ASIDE.findall(flags or "")))


def unread_ranges(coverage: list[dict[str, Any]], period: Range) -> tuple[Range, ...]:
    """The parts of a period that were not read, by a coverage table, in order.

    A part that was read with a filter only is not read: other records may be missing. A live part
    is too young to be called complete whether it was read or not: it was if the part before it
    was, as one load reads both.

    Example:
        >>> from datetime import UTC
        >>> hours = [datetime(2026, 10, 1, hour, tzinfo=UTC) for hour in (0, 2, 4)]
        >>> row = {"start": hours[0], "end": hours[1], "state": "complete"}
        >>> unread_ranges([row], (hours[0], hours[2])) == ((hours[1], hours[2]),)
        True
    """
    whole = _span(period)
    complete, live = (
        [
            _span((row["start"], row["end"]))
            for row in coverage
            if row["state"] == state and not row.get("filters")
        ]
        for state in ("complete", "live")
    )
    # Where a part that was read ends, or the period begins: a live part that goes on from there was
    # read by the same load.
    ends = {whole.start, *(span.end for span in complete)}
    read = [*complete, *(span for span in live if span.start < whole.start or span.start in ends)]
    return tuple(gap.datetimes() for gap in subtract(whole, read))


def _span(ends: Range) -> Span:
    # Python subtracts two times of one zone by their wall clocks, and a day in autumn has 25 hours.
    return Span(*map(to_us, ends))
