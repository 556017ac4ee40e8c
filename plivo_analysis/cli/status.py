"""``plivo-analysis status``: what the store holds, how fresh, and what may still change."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

from plivo_analysis.cli.account import account
from plivo_analysis.maintenance.status import status

if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from plivo_analysis.maintenance.status import Holding, Status

_MEGABYTE = 1_000_000


def run(options: argparse.Namespace) -> None:
    """Print it, for a person or for a program."""
    with account(options) as client:
        found = status(client)
    if options.json:
        print(json.dumps(asdict(found), default=_text, indent=2))
    else:
        print("\n".join(_lines(found)))


def _text(value: datetime | Path) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _lines(found: Status) -> list[str]:
    return [
        f"Account {found.auth_id} at {found.base_url}",
        f"Store   {found.path or 'in memory'}",
        f"        {found.size / _MEGABYTE:,.1f} MB, journal {found.journal}",
        f"Parquet {found.parquet_files:,} files, {found.parquet_size / _MEGABYTE:,.1f} MB",
        *(line for holding in found.holdings for line in _of(holding)),
        *([f"{found.forgotten:,} numbers are kept out (forget)"] if found.forgotten else []),
        *(f"Exported to {folder}" for folder in found.exports),
        *(f"Damaged, in quarantine: {path}" for path in found.quarantined),
        *(
            ["A deletion was cut short: run forget or purge once more."]
            if found.deletion_unfinished
            else []
        ),
        *(f"{name}: {answer}" for name, answer in found.facts.items()),
    ]


def _of(holding: Holding) -> list[str]:
    lines = [
        f"\n{holding.resource.capitalize()}: {holding.records:,} kept, {holding.pages:,} pages"
    ]
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
