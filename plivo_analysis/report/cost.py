"""``cost_report``: a period's sessions in, a report to open, print and send out.

Everything is counted before anything is drawn, from the frame as it was given: no request is
made and no clock is read, so the same sessions give the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from markupsafe import Markup

from plivo_analysis.api.checks import required_text
from plivo_analysis.api.columns import MESSAGES, SESSIONS
from plivo_analysis.errors import FilterError, SchemaError, StoreError
from plivo_analysis.metrics.cautions import one_currency
from plivo_analysis.metrics.certainty import Certainty, Completeness, completeness, coverage_rows
from plivo_analysis.metrics.estimates import Estimate
from plivo_analysis.metrics.messages import delivery_rates, join_messages, message_spend
from plivo_analysis.metrics.periods import zone_of
from plivo_analysis.report.estimated import (
    Estimated,
    estimated_page,
    estimated_summary,
    estimated_workbook,
)
from plivo_analysis.report.files import csv_bytes, parquet_bytes
from plivo_analysis.report.finance import finance_workbook
from plivo_analysis.report.measures import Measures, count_up
from plivo_analysis.report.page import page
from plivo_analysis.report.period import Bound, Period
from plivo_analysis.report.sections.summary import summary
from plivo_analysis.report.subject import Subject
from plivo_analysis.system.files import write_atomically
from plivo_analysis.tables.convert import as_polars, result
from plivo_analysis.values.typesetting import clean, count, plural

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from os import PathLike
    from zoneinfo import ZoneInfo

    import polars as pl

_DEFAULT_CURRENCY = "USD"


@dataclass(frozen=True, slots=True, repr=False)
class CostReport:
    """A report: its page, its tables, and how to keep them.

    Args:
        html: The page, one static document: no script, no request, at most 300 kB.
        tables: The metrics' frames by name, pandas where the sessions were, else polars.

    Example:
        >>> import polars as pl
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> cost_report(pl.DataFrame(schema=SESSIONS.polars()))
        <CostReport 'No sessions': 0 sessions, $0.00>
    """

    # Two reports are equal if their pages are: frames do not compare to one truth.
    html: str
    tables: dict[str, Any] = field(compare=False)
    _title: str = field(compare=False)
    _says: str = field(compare=False)
    _summary: Callable[[], Markup] = field(compare=False)
    _frames: dict[str, pl.DataFrame] = field(compare=False)
    _workbook: Callable[[], bytes] = field(compare=False)

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the page.

        Args:
            path: The file; folders on the way are made.

        Returns:
            The file's path.

        Raises:
            FilterError: When ``path`` is no path.
            StoreError: When it cannot be written.
        """
        return _write(path, self.html.encode)

    def to_xlsx(self, path: str | PathLike[str]) -> Path:
        """Write the workbook for finance.

        Its sheets: summary, channels, countries, countries by channel, applications, the period
        in days (or hours, weeks, months), definitions; of an estimate the numbers, the groups and
        the definitions. A cell holds 15 digits of a number;
        ``to_csv`` and ``to_parquet`` write the metrics' tables with every column and digit.

        Args:
            path: The file; folders on the way are made.

        Returns:
            The file's path.

        Raises:
            FilterError: When ``path`` is no path.
            StoreError: When it cannot be written.
        """
        return _write(path, self._workbook)

    def to_csv(self, folder: str | PathLike[str]) -> list[Path]:
        """Write every table as a CSV file named after it, with every digit.

        Args:
            folder: Where; it is made where missing.

        Returns:
            The files' paths.

        Raises:
            StoreError: When one cannot be written.
        """
        return self._write_tables(folder, "csv", csv_bytes)

    def to_parquet(self, folder: str | PathLike[str]) -> list[Path]:
        """Write every table as a Parquet file named after it, with its types.

        Args:
            folder: Where; it is made where missing.

        Returns:
            The files' paths.

        Raises:
            StoreError: When one cannot be written.
        """
        return self._write_tables(folder, "parquet", parquet_bytes)

    def _write_tables(
        self, folder: str | PathLike[str], suffix: str, encode: Callable[[pl.DataFrame], bytes]
    ) -> list[Path]:
        return [
            _write(_path(folder) / f"{name}.{suffix}", partial(encode, table))
            for name, table in self._frames.items()
        ]

    def __repr__(self) -> str:
        return f"<CostReport {self._title!r}: {self._says}>"

    def _repr_html_(self) -> str:
        shown = Markup("<div><b>{}</b>{}</div>").format(self._title, self._summary())
        return str(shown)  # some notebooks refuse a subclass of str


def cost_report(
    sessions: Any = None,
    path: str | PathLike[str] | None = None,
    *,
    estimate: Estimate | None = None,
    messages: Any = None,
    previous: Any = None,
    coverage: Any = None,
    issues: Any = None,
    title: str | None = None,
    period: tuple[Bound, Bound] | None = None,
    account: str | None = None,
    tz: str | ZoneInfo = "UTC",
    currency: str = _DEFAULT_CURRENCY,
) -> CostReport:
    """Make the cost report of some sessions, or of an estimate.

    What each number means, with its formula, is printed in the report; the intervals are
    Wilson's (1927) for rates and Newcombe's (1998) for changes of rates.

    Args:
        sessions: A sessions table: polars (eager or lazy), pandas or pyarrow.
        path: Where to write the page; None writes nothing.
        estimate: What :func:`estimate` says, in place of the sessions. Every page of the report
            says that it is an estimate, each number carries ``≈`` and its interval, and what an
            estimate cannot give is left out and named. Only ``title``, ``account`` and ``tz`` go
            with it: range, currency and groups are its own.
        messages: A messages table of the same time, for a section on message records.
        previous: The sessions of the period before, for the changes from it: of as many
            calendar months for a period of whole months, else of a period of the same length.
            Where the two differ in days, amounts and counts are compared per day.
        coverage: What ``coverage()`` says of the period: what was not read is then named, and
            no number is called exact that is not. Without it the sessions are taken for all
            that there were, as loaders give them.
        issues: What ``issues()`` says of the period: records that could not be read.
        title: The title; by default the month or the days of the period.
        period: Start and end (excluded) of the time that the sessions are of. A date, also as
            text such as ``"2026-10-01"``, is its midnight in ``tz``; a datetime without a zone
            is UTC. By default the whole days from the first session to the last.
        account: The account's id, to be printed.
        tz: The zone that days are counted in, by its IANA name or as a ``ZoneInfo``.
        currency: The account's currency, a label: USD, EUR, GBP, INR or any other code. A
            ``currency`` column of the sessions names it itself.

    Returns:
        The report: ``.html``, ``.tables``, ``.save(path)``, ``.to_xlsx(path)``,
        ``.to_csv(folder)``, ``.to_parquet(folder)``. Recipients are in none of them.

    Raises:
        FilterError: When an argument is wrong, the estimate is exact, or a session lies outside
            ``period``, or one of ``previous`` not in the period before it.
        SchemaError: When a frame is not of its table, a session has no ``created_at``, or
            amounts are of several currencies.
        StoreError: When ``path`` cannot be written.

    Example:
        >>> import polars as pl
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> report = cost_report(pl.DataFrame(schema=SESSIONS.polars()), title="A quiet month")
        >>> "so nothing was spent" in report.html
        True
    """
    zone = zone_of(tz)
    for name, text in {"title": title, "account": account, "currency": currency}.items():
        if text is not None or name == "currency":
            required_text(name, text)
    if estimate is not None:
        made = _of_estimate(
            estimate,
            title,
            account,
            zone,
            sessions=sessions,
            messages=messages,
            previous=previous,
            coverage=coverage,
            issues=issues,
            period=period,
        )
        if path is not None:
            made.save(path)
        return made
    if sessions is None:
        raise FilterError("cost_report takes a sessions table, or estimate=.")
    # Before the frames become tables of ours, which have no column for it.
    currency = _currency(currency, sessions, previous, messages)
    table = _dated(as_polars(sessions, SESSIONS))
    span = _period(table, period, zone)
    bounds = (span.start, span.end) if span else None
    complete = completeness(table, bounds, coverage=coverage, issues=issues)
    numbers = count_up(table, span, complete)
    before = None if previous is None else _before(as_polars(previous, SESSIONS), numbers)
    joined = None
    if messages is not None:
        # A message of Verify's may stand in both tables: the two spends are never added.
        records = as_polars(messages, MESSAGES)
        joined = join_messages(table, records)
        numbers.tables["message_spend"] = message_spend(records)
        numbers.tables["delivery_rates"] = delivery_rates(records, by="message_type")
    subject = Subject(
        numbers=numbers,
        before=before,
        title=clean(title or (numbers.period.title if numbers.period else "No sessions")),
        account=account,
        currency=clean(currency, cap=8),
        messages=joined,
        coverage=None if coverage is None else coverage_rows(coverage),
    )
    # All are written into one folder, where two tables of one name would be one file.
    past = {f"before_{name}": frame for name, frame in before.tables.items()} if before else {}
    frames = numbers.tables | past | subject.changes
    spent = subject.money(numbers.spent)
    least = "" if complete.money is Certainty.EXACT else f"{complete.money} "
    report = CostReport(
        html=str(page(subject)),
        tables={name: result(frame, sessions) for name, frame in frames.items()},
        _title=subject.title,
        _says=f"{plural(numbers.sessions.height, 'session')}, {least}{spent}",
        _summary=partial(summary, subject),
        _frames=frames,
        _workbook=partial(finance_workbook, subject),
    )
    if path is not None:
        report.save(path)
    return report


def _of_estimate(
    estimate: object,
    title: str | None,
    account: str | None,
    zone: ZoneInfo,
    **given: object,
) -> CostReport:
    if not isinstance(estimate, Estimate):
        named = type(estimate).__name__
        raise FilterError(f"estimate is of type {named}; it takes what pva.estimate() gives.")
    if names := [name for name, value in given.items() if value is not None]:
        raise FilterError(
            f"estimate= stands in place of the sessions and of what goes with them: leave "
            f"{' and '.join(names)} out."
        )
    subject = Estimated.of(estimate, title=title, account=account, zone=zone)
    return CostReport(
        html=estimated_page(subject),
        tables={"estimate": estimate.frame},
        _title=subject.title,
        _says=f"estimate, spend {estimate.text('spend').value}",
        _summary=partial(estimated_summary, estimate),
        _frames={"estimate": subject.frame},
        _workbook=partial(estimated_workbook, subject),
    )


def _currency(label: str, *frames: Any) -> str:
    """The currency of all amounts: what the frames say of it, else the label."""
    named = [one_currency(frame) for frame in frames if frame is not None]
    found = list(dict.fromkeys(name for name in named if name))
    # The default is a label that nobody chose, so that it contradicts no column.
    if len(found) > 1 or (found and label not in (_DEFAULT_CURRENCY, *found)):
        words = ", ".join([*found, *([label] if label != _DEFAULT_CURRENCY else [])])
        raise FilterError(
            f"These amounts are in several currencies ({words}), which make no sum. Make one "
            "report a currency, and leave currency= to the frame's own column."
        )
    return found[0] if found else label


def _dated(sessions: pl.DataFrame) -> pl.DataFrame:
    """The sessions, of which each must have a time to belong to a period."""
    lacking = sessions["created_at"].null_count()
    if lacking:
        raise SchemaError(
            f"{plural(lacking, 'session')} of {count(sessions.height)} lack created_at, so that "
            "they belong to no period. Leave them out, or fill the column.",
            available=sessions.columns,
        )
    return sessions


def _period(
    sessions: pl.DataFrame, bounds: tuple[Bound, Bound] | None, zone: ZoneInfo
) -> Period | None:
    created = sessions["created_at"]
    if bounds is None:
        ends = [cast("datetime", created.min()), cast("datetime", created.max())]
        return Period.around(ends, zone) if sessions.height else None
    period = Period.of(bounds, zone)
    if outside := _outside(created, period):
        raise FilterError(
            f"{count(outside)} of {count(sessions.height)} sessions began outside the period "
            f"{period.bounds}. Give the period that they were loaded for, or leave them out."
        )
    return period


def _before(previous: pl.DataFrame, numbers: Measures) -> Measures:
    if numbers.period is None:
        raise FilterError(
            "previous has nothing to be compared with: there are no sessions. Give period=."
        )
    period = numbers.period.before()
    table = _dated(previous)
    if outside := _outside(table["created_at"], period):
        raise FilterError(
            f"previous holds {plural(outside, 'session')} outside the {period.length} before, "
            f"{period.title}: {period.bounds}. Load that period."
        )
    return count_up(
        table, period, Completeness(previous.height, table["total_charge"].null_count())
    )


def _outside(created: pl.Series, period: Period) -> int:
    # Half-open like the loaders' range, so that a session of midnight is in one month only. In
    # UTC as the column is: polars refuses to compare it with a time of another zone.
    start, end = (at.astimezone(UTC) for at in (period.start, period.end))
    return len(created.filter((created < start) | (created >= end)))


def _path(path: str | PathLike[str]) -> Path:
    try:
        return Path(path)
    except TypeError:
        named = type(path).__name__
    raise FilterError(f"A path is the name of a file or folder; this is of type {named}.")


def _write(path: str | PathLike[str], content: Callable[[], bytes]) -> Path:
    file, written = _path(path), content()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, written)
    except OSError as failed:
        reason = failed.strerror or "it cannot be written"
        raise StoreError(f"The report was not written to {file.name}: {reason}.") from failed
    return file
