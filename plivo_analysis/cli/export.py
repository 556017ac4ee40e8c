"""``plivo-analysis export``: everything that the store holds, as Parquet by day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plivo_analysis.cli.account import account
from plivo_analysis.maintenance.export import export

if TYPE_CHECKING:
    import argparse


def run(options: argparse.Namespace) -> None:
    """Write, and say what and where."""
    with account(options) as client:
        made = export(client, options.out, recipients=options.recipients)
    if not options.quiet:
        print(f"{made.folder}: {made.days:,} days")
        for table, rows in made.rows.items():
            print(f"  {table + '/*.parquet':<20} {rows:>10,} rows")
