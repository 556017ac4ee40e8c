"""What the command line understands; the filters come from the declaration of each resource.

A command is known here by its names alone, so that nothing loads what another one needs.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from plivo_analysis.api.resources import RESOURCES, SESSION_RESOURCE
from plivo_analysis.system.versions import __version__
from plivo_analysis.values.masking import mask_text

if TYPE_CHECKING:
    from plivo_analysis.api.resources import Parameter

_TIMES = 'a date, an ISO time, or a span counted back such as "24h" or "7d"'


class _Parser(argparse.ArgumentParser):
    """A parser, and those of its commands, whose errors show no telephone number."""

    def error(self, message: str) -> NoReturn:
        super().error(mask_text(message))


def parser() -> argparse.ArgumentParser:
    """The program's parser; its ``command`` names a module of this room and a function in it.

    Example:
        >>> parser().parse_args(["report", "--demo"]).demo
        True
    """
    program = _Parser(
        prog="plivo-analysis",
        description="One-time-password traffic on Plivo: sessions, fallback and spend.",
        epilog="Credentials: PLIVO_AUTH_ID and PLIVO_AUTH_TOKEN. Without an account: --demo.",
    )
    program.add_argument("--version", action="version", version=f"plivo_analysis {__version__}")
    commands = program.add_subparsers(required=True, metavar="COMMAND")
    _add_report(commands)
    _add_pull(commands)
    _add_estimate(commands)
    _add_maintenance(commands)
    _add_sql(commands)
    _add_emulator(commands)
    return program


def _add_report(commands: Any) -> None:
    report = _add_command(commands, "report", "report", "write a cost report as one HTML file")
    _add_range(report, "30d", ', or "last-month"')
    _add_filter(report, SESSION_RESOURCE.parameter("status"))
    report.add_argument(
        "--out", type=Path, default=Path("report.html"), help="default: report.html"
    )
    report.add_argument("--xlsx", type=Path, help="also write a workbook")
    report.add_argument("--csv-dir", type=Path, help="also write every table as CSV")
    report.add_argument("--tz", default="UTC", help="the time zone of days, such as Europe/Paris")
    report.add_argument("--title", help="the report's title")
    _add_flag(
        report,
        "--compare",
        "load the period before too; without it, it is compared with if it is stored",
    )
    _add_flag(
        report,
        "--estimate",
        "read some pages only, a few minutes' worth, and report what they say; marked as such",
    )
    _add_quiet(report)


def _add_pull(commands: Any) -> None:
    pull = commands.add_parser("pull", help="load sessions or messages, and keep them")
    kinds = pull.add_subparsers(required=True, metavar="sessions|messages", dest="resource")
    # --demo is understood before and after the word, since both read naturally.
    _add_account(pull)
    for resource in RESOURCES.values():
        kind = kinds.add_parser(resource.name, help=f"load {resource.name}")
        kind.set_defaults(command=("tables", "pull"))
        # Without SUPPRESS its default would undo a --demo that stands before the word.
        _add_account(kind, default=argparse.SUPPRESS)
        _add_range(kind, "24h")
        for parameter in resource.parameters:
            _add_filter(kind, parameter)
        kind.add_argument("--out", type=Path, help="a .parquet or .csv file")
        _add_recipients(kind, None, "default: full; masked in a .csv file")
        _add_flag(kind, "--dry-run", "say how many requests it takes, and send none")
        _add_quiet(kind)


def _add_estimate(commands: Any) -> None:
    meaning = "say within minutes what a range costs, and how sure that is"
    estimate = _add_command(commands, "tables", "estimate", meaning)
    _add_range(estimate, "90d")
    estimate.add_argument(
        "--within", help="read until spend is known within this, such as 5%%; default: 5%%"
    )
    estimate.add_argument("--requests", type=int, help="stop after so many requests")
    estimate.add_argument(
        "--by",
        action="append",
        default=[],
        help="a column of sessions to group by, such as country; may be given again",
    )
    for parameter in SESSION_RESOURCE.parameters:
        _add_filter(estimate, parameter)
    _add_quiet(estimate)


def _add_maintenance(commands: Any) -> None:
    add = partial(_add_command, commands, "maintenance")
    status = add("status", "say what is stored, and how fresh it is")
    _add_flag(status, "--json", "print JSON")
    export = add("export", "write all that is stored as Parquet files, one a day")
    export.add_argument("--out", type=Path, required=True, help="a folder")
    _add_recipients(export, "full", "default: full")
    _add_quiet(export)
    purge = add("purge", "remove all that began before a date, for good")
    purge.add_argument("--before", required=True, help=_TIMES)
    forget = add("forget", "remove all records of one number, for good")
    forget.add_argument(
        "--recipient",
        default="-",
        help='a number in E.164 form, or "-" for the first line of standard input, which no '
        "history keeps; default: -",
    )
    _add_flag(forget, "--dry-run", "only say how much would be removed")
    doctor = add("doctor", "check how a live account answers; takes about 10 requests")
    _add_flag(
        doctor,
        "--limits",
        "send requests until one is refused, to see how the limit of your account works",
    )


def _add_command(commands: Any, module: str, name: str, meaning: str) -> argparse.ArgumentParser:
    """A command on an account: the function of its name in a module of this room."""
    command: argparse.ArgumentParser = commands.add_parser(name, help=meaning)
    command.set_defaults(command=(module, name))
    _add_account(command)
    return command


def _add_sql(commands: Any) -> None:
    sql = _add_command(commands, "tables", "sql", "query what is stored in SQL")
    sql.add_argument(
        "statement",
        help="over the views sessions, attempts, charges and messages, such as "
        '"select channel, sum(amount) from charges group by all"',
    )
    sql.add_argument("--out", type=Path, help="a .parquet or .csv file; default: print a table")
    _add_recipients(sql, None, "default: masked; full in a .parquet file")


def _add_emulator(commands: Any) -> None:
    emulator = commands.add_parser("emulator", help="serve a made-up account on this computer")
    emulator.set_defaults(command=("accounts", "emulator"))
    emulator.add_argument("--port", type=int, default=0, help="default: a free one")
    emulator.add_argument("--sessions", type=int, default=2000, help="default: 2000")
    emulator.add_argument("--seed", type=int, default=0, help="default: 0")
    emulator.add_argument("--now", help="the account's time; default: this computer's")
    _add_flag(emulator, "--running", "let the account's clock run; default: it stands")
    _add_flag(emulator, "--limit", "refuse more than 20 listings in a minute")


def _add_account(command: argparse.ArgumentParser, default: Any = False) -> None:
    _add_flag(command, "--demo", "use the embedded account", default=default)


def _add_flag(
    command: argparse.ArgumentParser, name: str, meaning: str, *, default: Any = False
) -> None:
    command.add_argument(name, action="store_true", default=default, help=meaning)


def _add_filter(command: argparse.ArgumentParser, parameter: Parameter) -> None:
    # Not argparse's own choices, which refuse "Verified": the declaration folds case, and its
    # message is that of the loaders.
    takes = ", ".join(parameter.choices) or parameter.kind.value
    name = parameter.name.replace("_", "-")
    command.add_argument(
        f"--{name}", metavar=name.upper(), help=f"{parameter.meaning} ({takes})".replace("%", "%%")
    )


def _add_recipients(command: argparse.ArgumentParser, default: str | None, meaning: str) -> None:
    command.add_argument(
        "--recipients", default=default, choices=("full", "masked", "pseudonym"), help=meaning
    )


def _add_quiet(command: argparse.ArgumentParser) -> None:
    _add_flag(command, "--quiet", "print nothing but errors and warnings")


def _add_range(command: argparse.ArgumentParser, since: str, more: str = "") -> None:
    command.add_argument("--since", default=since, help=f"{_TIMES}{more}; default: {since}")
    command.add_argument("--until", help=f"{_TIMES}; default: now")
