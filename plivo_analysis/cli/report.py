"""``report``: load a period, write its cost report, print its two main tables."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl

from plivo_analysis.api.times import parse_range
from plivo_analysis.cli.accounts import account
from plivo_analysis.cli.tables import print_table
from plivo_analysis.errors import FilterError, IncompletePullError
from plivo_analysis.loaders.coverage import coverage, issues
from plivo_analysis.loaders.estimate import estimate
from plivo_analysis.loaders.load import load_sessions
from plivo_analysis.metrics.fallback import fallback_rates
from plivo_analysis.metrics.periods import zone_of
from plivo_analysis.metrics.spend import spend
from plivo_analysis.report.cost import cost_report
from plivo_analysis.report.measures import COUNTRY
from plivo_analysis.report.period import Period

if TYPE_CHECKING:
    import argparse
    from zoneinfo import ZoneInfo

    from plivo_analysis.report.cost import CostReport

LAST_MONTH = "last-month"

_FALLBACK = (
    *("entry_channel", "sessions", "fell_back", "fallback_rate"),
    pl.col("fallback_rate_low").alias("low"),  # a terminal is narrow
    pl.col("fallback_rate_high").alias("high"),
    *("rescued", "rescue_rate"),
)


def report(options: argparse.Namespace) -> None:
    """Write the report and say where it is."""
    zone = zone_of(options.tz)
    _refuse_what_cannot_be_written(options)
    if options.estimate and options.compare:
        raise FilterError(
            "An estimate is compared with nothing: leave --estimate or --compare out."
        )
    with account(options) as client:
        # Of the server's time, as the loaders: this computer's clock may be a day off.
        since, until = _period(options, client.now(), zone)
        span: dict[str, Any] = {"since": since, "until": until, "client": client}
        asked = span | {
            "status": options.status,
            "progress": False if options.quiet else None,
        }
        named = {"title": options.title, "account": client.auth_id, "tz": options.tz}
        if options.estimate:
            found = estimate(**asked, by=COUNTRY, backend="polars")
            if not found.exact:  # else the report of all sessions costs hardly a request more
                made = cost_report(path=options.out, estimate=found, **named)
                lines = _written(options, made)
                if not options.quiet:
                    print("\n".join([str(found), *lines]))
                return
        sessions = load_sessions(**asked)
        # What was set aside is in no table, so that its counts and sums are lower bounds.
        oddities = issues(**span)
        known = coverage(**span)
        if options.status:
            # What was read with this filter is whole for a report of nothing else.
            filters = ["", f"status={options.status}"]
            known = known.filter(pl.col("filters").is_in(filters)).with_columns(filters=pl.lit(""))
        previous, note = _previous(options, asked, Period.of((since, until), zone))
        made = cost_report(
            sessions,
            options.out,
            previous=previous,
            coverage=known,
            issues=oddities,
            period=(since, until),
            currency=client.currency,
            **named,
        )
        lines = [*note, *_written(options, made)]
        if not options.quiet:
            at_least = ", at least" if oddities["set_aside"].any() else ""
            print(f"Fallback by entry channel, with 95 % intervals{at_least}")
            print_table(fallback_rates(sessions).select(_FALLBACK))
            print(f"\nSpend by channel, {client.currency}{at_least}")
            print_table(spend(sessions))
            print()
            print("\n".join(lines))


def _written(options: argparse.Namespace, made: CostReport) -> list[str]:
    """Write what was asked for beside the page, and say where everything is."""
    lines = [f"Report: {options.out.resolve()}"]
    if options.xlsx:
        lines.append(f"Workbook: {made.to_xlsx(options.xlsx).resolve()}")
    if options.csv_dir:
        made.to_csv(options.csv_dir)
        lines.append(f"Tables: {options.csv_dir.resolve()}")
    return lines


def _period(
    options: argparse.Namespace, now: datetime, zone: ZoneInfo
) -> tuple[datetime, datetime]:
    if options.since != LAST_MONTH:
        since, until = parse_range(options.since, options.until, now=now, zone=zone)
        # Days to come are neither days without spend nor days to divide a change by.
        return since, (min(until, now) if since < now else until)
    if options.until is not None:
        raise FilterError("--since last-month is a whole month; leave --until out.")
    # The month of the report's zone: around midnight UTC is in another one.
    local = now.astimezone(zone)
    end = datetime(local.year, local.month, 1, tzinfo=zone)
    return (end - timedelta(days=1)).replace(day=1), end


def _previous(
    options: argparse.Namespace, asked: dict[str, Any], period: Period
) -> tuple[pl.DataFrame | None, list[str]]:
    """The period before, and a note where it cannot be had.

    It is loaded if asked for, else taken if it is here and costs no request. Nobody asked for
    it as such, so that a report is made without it where it is not whole.
    """
    before = period.before()
    span: dict[str, Any] = {"since": before.start, "until": before.end}
    known = coverage(**span, client=asked["client"])
    # The demo's requests cost nothing, and its first report is to show changes.
    if not (options.compare or options.demo or set(known["state"]) == {"complete"}):
        return None, []
    if "expired" in set(known["state"]):
        why = "the period before is older than Plivo's 90 days and is not stored whole"
        return None, [f"No comparison: {why}."]
    try:
        return load_sessions(**asked | span), []
    except IncompletePullError as error:
        return None, [f"No comparison with the period before. {error}"]


def _refuse_what_cannot_be_written(options: argparse.Namespace) -> None:
    """It is better known before the pull than after it."""
    for path in (options.out, options.xlsx):
        if path is not None and path.is_dir():
            raise FilterError(f"{path} is a folder; give the name of a file.")
    if options.csv_dir is not None and options.csv_dir.is_file():
        raise FilterError(f"{options.csv_dir} is a file; give the name of a folder.")
