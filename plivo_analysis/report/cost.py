"""``cost_report``: a period's sessions in, a report to open, print and take along out.

Everything is counted before anything is drawn, from the frame as it was given: no request is
made and no clock is read, so the same sessions give the same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import narwhals as nw

from plivo_analysis.api.columns import MESSAGES, SESSIONS
from plivo_analysis.errors import FilterError, StoreError
from plivo_analysis.report.html import tag
from plivo_analysis.report.measures import Measures, count_up
from plivo_analysis.report.messages import count_messages
from plivo_analysis.report.page import page
from plivo_analysis.report.period import Bound, Period
from plivo_analysis.report.sections.summary import lede
from plivo_analysis.report.sheets import csv_text, parquet_bytes, workbook
from plivo_analysis.report.subject import Subject
from plivo_analysis.system.files import write_whole
from plivo_analysis.tables.convert import as_polars, result
from plivo_analysis.values.typesetting import clean, count, plural

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from os import PathLike

    import polars as pl


@dataclass(frozen=True, slots=True, repr=False)
class CostReport:
    """A report: its page, its tables, and how to keep them.

    Args:
        html: The page, one document that makes no request.
        tables: The metrics' frames by name, pandas where the sessions were, else polars.

    Example:
        >>> import polars as pl
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> cost_report(pl.DataFrame(schema=SESSIONS.polars()))
        <CostReport 'No sessions': 0 sessions, $0.00>
    """

    html: str
    tables: dict[str, Any] = field(compare=False)
    _subject: Subject = field(compare=False)
    _frames: dict[str, pl.DataFrame] = field(compare=False)

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the page.

        Args:
            path: The file; folders on the way are made.

        Returns:
            The file's path.

        Raises:
            StoreError: When it cannot be written.
        """
        return _write(path, self.html.encode)

    def to_xlsx(self, path: str | PathLike[str]) -> Path:
        """Write every table as a typed sheet of one workbook. Needs xlsxwriter.

        Args:
            path: The file; folders on the way are made.

        Returns:
            The file's path.

        Raises:
            StoreError: When it cannot be written.
            PlivoAnalysisError: When xlsxwriter is not installed.
        """
        return _write(path, lambda: workbook(self._frames, _facts(self._subject)))

    def to_csv(self, folder: str | PathLike[str]) -> list[Path]:
        """Write every table as a CSV file named after it.

        Args:
            folder: Where; it is made where missing.

        Returns:
            The files' paths.

        Raises:
            StoreError: When one cannot be written.
        """
        return [
            _write(Path(folder) / f"{name}.csv", csv_text(table).encode)
            for name, table in self._frames.items()
        ]

    def to_parquet(self, folder: str | PathLike[str]) -> list[Path]:
        """Write every table as a Parquet file named after it, with its types.

        Args:
            folder: Where; it is made where missing.

        Returns:
            The files' paths.

        Raises:
            StoreError: When one cannot be written.
        """
        return [
            _write(Path(folder) / f"{name}.parquet", partial(parquet_bytes, table))
            for name, table in self._frames.items()
        ]

    def __repr__(self) -> str:
        numbers = self._subject.numbers
        sessions = plural(numbers.sessions.height, "session")
        spent = self._subject.money(numbers.spent)
        return f"<CostReport {self._subject.title!r}: {sessions}, {spent}>"

    def _repr_html_(self) -> str:
        return tag("div", tag("b", self._subject.title), lede(self._subject))


def cost_report(
    sessions: Any,
    path: str | PathLike[str] | None = None,
    *,
    messages: Any = None,
    previous: Any = None,
    coverage: Any = None,
    title: str | None = None,
    period: tuple[Bound, Bound] | None = None,
    account: str | None = None,
    tz: str = "UTC",
    currency: str = "USD",
    plotlyjs: str = "inline",
) -> CostReport:
    """Make the cost report of some sessions.

    What each number means, with its formula, is printed in the report; the intervals are
    Wilson's (1927) for rates and Newcombe's (1998) for changes of rates.

    Args:
        sessions: A sessions table: polars (eager or lazy), pandas or pyarrow.
        path: Where to write the page; None writes nothing.
        messages: A messages table of the same time, for a section on message records.
        previous: The sessions of the period before, for the changes from it.
        coverage: What ``coverage()`` says of the period, for a section on what was read.
        title: The title; by default the month or the days of the period.
        period: Start and end (excluded) of the time that the sessions are of, as datetimes
            (naive ones are UTC) or dates (their start in ``tz``). By default the whole days
            from the first session to the last.
        account: The account's id, to be printed.
        tz: The IANA name of the zone that days are counted in.
        currency: The account's currency, a label: USD, EUR, GBP, INR or any other code.
        plotlyjs: ``"inline"`` (one file of about 5 MB, no request), ``"cdn"`` (a small file
            that asks plotly's CDN) or ``"none"`` (a small file with a still figure).

    Returns:
        The report: ``.html``, ``.tables``, ``.save(path)``, ``.to_xlsx(path)``,
        ``.to_csv(folder)``, ``.to_parquet(folder)``. Recipients are in none of them.

    Raises:
        FilterError: When an argument is wrong, or a session lies outside ``period``, or one of
            ``previous`` not before it.
        SchemaError: When a frame is not of its table.
        StoreError: When ``path`` cannot be written.

    Example:
        >>> import polars as pl
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> report = cost_report(pl.DataFrame(schema=SESSIONS.polars()), title="A quiet month")
        >>> "so nothing was spent" in report.html
        True
    """
    zone = _zone(tz)
    table = as_polars(sessions, SESSIONS)
    numbers = count_up(table, _period(table, period, zone))
    before = None if previous is None else _before(as_polars(previous, SESSIONS), numbers)
    counted = None
    if messages is not None:
        counted = count_messages(as_polars(messages, MESSAGES), table)
    subject = Subject(
        numbers=numbers,
        before=before,
        title=clean(title or (numbers.period.title if numbers.period else "No sessions")),
        account=account,
        currency=clean(currency, cap=8),
        messages=counted,
        coverage=None if coverage is None else _rows(coverage),
        plotlyjs=plotlyjs,
    )
    frames = numbers.tables | (counted.tables if counted else {})
    if before:
        frames |= {f"before_{name}": frame for name, frame in before.tables.items()}
    report = CostReport(
        html=page(subject),
        tables={name: result(frame, sessions) for name, frame in frames.items()},
        _subject=subject,
        _frames=frames,
    )
    if path is not None:
        report.save(path)
    return report


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as unknown:
        raise FilterError(
            f'tz is the IANA name of a time zone such as "Europe/Berlin", not {name!r}.'
        ) from unknown


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
            f"{period.said}. Give the period that they were loaded for, or leave them out."
        )
    return period


def _before(previous: pl.DataFrame, numbers: Measures) -> Measures:
    if numbers.period is None:
        raise FilterError("previous has nothing to be compared with: there are no sessions.")
    period = numbers.period.before()
    if outside := _outside(previous["created_at"], period):
        raise FilterError(
            f"previous holds {count(outside)} sessions outside the {period.length} before: "
            f"{period.said}. Load that period."
        )
    return count_up(previous, period)


def _outside(created: pl.Series, period: Period) -> int:
    start, end = (at.astimezone(UTC) for at in (period.start, period.end))
    return len(created.filter((created < start) | (created >= end)))


def _rows(frame: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = nw.from_native(frame, eager_only=True).to_arrow().to_pylist()
    return rows


def _facts(subject: Subject) -> dict[str, str]:
    period = subject.numbers.period
    facts = {
        "Title": subject.title,
        "Account": subject.account or "",
        "Period": f"{period.said} ({period.length})" if period else "",
        "Amounts": f"{subject.currency}, as billed; the currency is declared, not on the wire",
        "Sessions read": count(subject.numbers.sessions.height),
        "Times": f"period: {period.zone.key}" if period else "",
    }
    return {name: value for name, value in facts.items() if value}


def _write(path: str | PathLike[str], content: Callable[[], bytes]) -> Path:
    file, written = Path(path), content()
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, written)
    except OSError as failed:
        reason = failed.strerror or "it cannot be written"
        raise StoreError(f"The report was not written to {file.name}: {reason}.") from failed
    return file
