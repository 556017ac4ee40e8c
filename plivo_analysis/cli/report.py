"""``plivo-analysis report``: load a period, write its cost report, print its two main tables."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import polars as pl

from plivo_analysis.api.times import parse_range
from plivo_analysis.cli.account import account
from plivo_analysis.errors import FilterError
from plivo_analysis.loaders.coverage import coverage
from plivo_analysis.loaders.load import load_sessions
from plivo_analysis.metrics.fallback import fallback_rates
from plivo_analysis.metrics.spend import spend
from plivo_analysis.report.cost import cost_report
from plivo_analysis.report.period import Period

if TYPE_CHECKING:
    import argparse

    from plivo_analysis.client import Client

LAST_MONTH = "last-month"

_FALLBACK = (
    "entry_channel",
    "sessions",
    "fell_back",
    "fallback_rate",
    "fallback_rate_low",
    "fallback_rate_high",
    "rescued",
    "rescue_rate",
)
# A terminal is narrow.
_SHORT = {"fallback_rate_low": "low", "fallback_rate_high": "high"}


def run(options: argparse.Namespace) -> None:
    """Write the report and say where it is."""
    zone = _zone(options.tz)
    _refuse_what_cannot_be_written(options)
    with account(options) as client:
        since, until = _period(options, client.now(), zone)
        bar = False if options.quiet else None
        sessions = load_sessions(
            since=since, until=until, status=options.status, client=client, progress=bar
        )
        period = Period.of((since, until), zone)
        report = cost_report(
            sessions,
            options.out,
            previous=_previous(options, client, period),
            coverage=coverage(since=since, until=until, client=client),
            title=options.title,
            period=(since, until),
            account=client.auth_id,
            tz=options.tz,
            currency=client.currency,
        )
        said = [f"Report: {options.out.resolve()}"]
        if options.xlsx:
            said.append(f"Workbook: {report.to_xlsx(options.xlsx).resolve()}")
        if options.csv_dir:
            report.to_csv(options.csv_dir)
            said.append(f"Tables: {options.csv_dir.resolve()}")
        if not options.quiet:
            rates = fallback_rates(sessions).select(_FALLBACK).rename(_SHORT)
            _print("Fallback by entry channel, with 95 % intervals", rates)
            _print(f"Spend by channel, {client.currency}", spend(sessions))
            print("\n".join(said))


def _period(
    options: argparse.Namespace, now: datetime, zone: ZoneInfo
) -> tuple[datetime, datetime]:
    if options.since != LAST_MONTH:
        return parse_range(options.since, options.until, now=now)
    if options.until is not None:
        raise FilterError("--since last-month is a whole month; leave --until out.")
    local = now.astimezone(zone)
    end = datetime(local.year, local.month, 1, tzinfo=zone)
    before = end - timedelta(days=1)
    return datetime(before.year, before.month, 1, tzinfo=zone), end


def _previous(options: argparse.Namespace, client: Client, period: Period) -> pl.DataFrame | None:
    """The period before: loaded if asked for, else if it is here and costs no request."""
    before = period.before()
    known = coverage(since=before.start, until=before.end, client=client)
    if not (options.compare or options.demo or set(known["state"]) == {"complete"}):
        return None
    frame: pl.DataFrame = load_sessions(
        since=before.start,
        until=before.end,
        status=options.status,
        client=client,
        progress=False if options.quiet else None,
    )
    return frame


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise FilterError(f"--tz is {name!r}; it takes a zone such as Europe/Paris or UTC.")


def _refuse_what_cannot_be_written(options: argparse.Namespace) -> None:
    """It is better known before the pull than after it."""
    for path in (options.out, options.xlsx):
        if path is not None and path.is_dir():
            raise FilterError(f"{path} is a folder; give the name of a file.")
    if options.csv_dir is not None and options.csv_dir.is_file():
        raise FilterError(f"{options.csv_dir} is a file; give the name of a folder.")


def _print(title: str, frame: pl.DataFrame) -> None:
    print(title)
    with pl.Config(
        tbl_hide_dataframe_shape=True,
        tbl_hide_column_data_types=True,
        tbl_formatting="UTF8_FULL_CONDENSED",
        tbl_rows=-1,
        tbl_cols=-1,
        tbl_width_chars=120,
        tbl_cell_numeric_alignment="RIGHT",
        float_precision=4,
    ):
        print(frame)
    print()
