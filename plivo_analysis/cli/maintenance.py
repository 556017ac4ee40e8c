"""The commands on what is stored: ``status``, ``export``, ``purge``, ``forget``, ``doctor``."""

from __future__ import annotations

import getpass
import json
import sys
from dataclasses import asdict
from datetime import datetime
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING

from plivo_analysis.api.filters import Filter
from plivo_analysis.api.resources import RESOURCES
from plivo_analysis.cli.accounts import account
from plivo_analysis.errors import FilterError
from plivo_analysis.maintenance import deletion
from plivo_analysis.maintenance.doctor import examine
from plivo_analysis.maintenance.export import export as export_store
from plivo_analysis.maintenance.status import status as status_of
from plivo_analysis.storage.filtering import matches
from plivo_analysis.storage.parquet_cache import read
from plivo_analysis.sync.reader import RETENTION
from plivo_analysis.sync.server_profile import in_words
from plivo_analysis.values.spans import EVER, to_us
from plivo_analysis.values.typesetting import plural

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from plivo_analysis.client import Client
    from plivo_analysis.maintenance.status import Holding, Status

_MEGABYTE = 1_000_000

_LIMITS_WARNING = (
    "This spends a minute's requests on purpose, up to twice as many as are granted, until one is "
    "refused.\nMeanwhile, and for two minutes more, other programs of this account may be made to "
    "wait or be refused.\nCtrl-C stops it."
)


def status(options: argparse.Namespace) -> None:
    """Print what the store holds, for a person or for a program."""
    with account(options) as client:
        found = status_of(client)
    if options.json:
        print(json.dumps(asdict(found), default=_text, indent=2))
    else:
        print("\n".join(_lines(found)))


def export(options: argparse.Namespace) -> None:
    """Write everything that the store holds, and say what and where."""
    with account(options) as client:
        made = export_store(client, options.out, recipients=options.recipients)
    if not options.quiet:
        print(f"{made.folder}: {plural(made.days, 'day')}")
        for table, rows in made.rows.items():
            print(f"  {table + '/*.parquet':<20} {plural(rows, 'row'):>15}")


def purge(options: argparse.Namespace) -> None:
    """Remove what began before a date, and say how much."""
    with account(options) as client:
        removed = deletion.purge(client, options.before)
    _print_removed(removed.records, removed.pages)


def forget(options: argparse.Namespace) -> None:
    """Remove what is of one number, and say how much, and what else may hold it."""
    number = _number() if options.recipient == "-" else options.recipient
    with account(options) as client:
        if options.dry_run:
            # "At least": a page may hold records that are in no table, or name it within a text.
            rows = _rows_of(client, number)
            found = ", ".join(plural(count, name) for name, count in rows.items())
            least = f"At least {found} would be removed, with their pages."
            none = "No stored record is of this number."
            print(least if any(rows.values()) else none, "Nothing was removed.")
        else:
            removed = deletion.forget(client, number)
            _print_removed(removed.records, removed.pages)
        known = status_of(client)
    for place in (*known.exports, *known.quarantined):
        print(f"It may still be in {place}, which this command does not change.")
    for place in known.others:
        print(f"It may still be in {place}, another account's store: run forget for it too.")


def doctor(options: argparse.Namespace) -> None:
    """Print each finding about the account as it is made."""
    with account(options) as client:
        if options.limits:
            print(_LIMITS_WARNING, flush=True)
        for finding in examine(client, limits=options.limits):
            print(f"{finding.name:<22}{finding.answer}", flush=True)


def _number() -> str:
    """The number from standard input, which neither a list of processes nor a history shows."""
    if sys.stdin.isatty():
        number = getpass.getpass("Telephone number (not shown): ")
    else:
        number = sys.stdin.readline()
    if not number.strip():
        raise FilterError("No telephone number came on standard input; give one on its first line.")
    return number.strip()


def _rows_of(client: Client, number: str) -> dict[str, int]:
    """How many stored records of each kind name a number in a column for numbers."""
    found = {}
    for resource in RESOURCES.values():
        rows = read(client.store, resource, EVER, oldest=to_us(client.now()) - RETENTION)
        # A number may stand in any of these columns, such as the sender's or the receiver's. Where
        # one is hidden, the comparison is null, which the sum leaves out.
        named = [
            matches(rows, Filter.of(resource, **{parameter.name: number}))
            for parameter in resource.parameters
            if parameter.kind.is_number
        ]
        found[resource.noun] = int(reduce(or_, named).sum() or 0)
    return found


def _print_removed(records: int, pages: int) -> None:
    print(f"Removed {plural(records, 'record')} from the store and from {plural(pages, 'page')}.")


def _text(value: datetime | Path) -> str:
    """What JSON has no type for, as text."""
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _lines(found: Status) -> list[str]:
    return [
        f"Account {found.auth_id} at {found.base_url}",
        f"Store   {found.path or 'in memory'}",
        f"        {found.size / _MEGABYTE:,.1f} MB, journal {found.journal}",
        f"Parquet {plural(found.parquet_files, 'file')}, {found.parquet_size / _MEGABYTE:,.1f} MB",
        *(line for holding in found.holdings for line in _holding(holding)),
        *([f"{plural(found.forgotten, 'number')} kept out (forget)"] if found.forgotten else []),
        *(f"Exported to {folder}" for folder in found.exports),
        *(f"Damaged, in quarantine: {path}" for path in found.quarantined),
        *(
            ["A deletion was cut short: run forget or purge once more."]
            if found.deletion_unfinished
            else []
        ),
        *(in_words(fact, value) for fact, value in found.facts.items()),
    ]


def _holding(holding: Holding) -> list[str]:
    kept = f"{holding.records:,} kept, {plural(holding.pages, 'page')}"
    lines = [f"\n{holding.resource.capitalize()}: {kept}"]
    if holding.first and holding.last:
        lines.append(f"  from {_minute(holding.first)} to {_minute(holding.last)}")
    lines.extend(f"  complete {_minute(a)} to {_minute(b)}" for a, b in holding.complete)
    if holding.read_at:
        lines.append(f"  last read whole at {_minute(holding.read_at)}")
    if holding.not_final:
        lines.append(f"  {holding.not_final:,} may still change, {holding.open:,} of them open")
    if holding.set_aside:
        lines.append(f"  {holding.set_aside:,} set aside: pva.issues() says why")
    lines.extend(f"  also read with {scope}" for scope in holding.filters)
    return lines


def _minute(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d %H:%M} UTC"
