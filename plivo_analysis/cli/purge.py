"""``plivo-analysis purge``: remove what began before a date, for good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plivo_analysis.cli.account import account
from plivo_analysis.maintenance.removal import purge

if TYPE_CHECKING:
    import argparse


def run(options: argparse.Namespace) -> None:
    """Remove, and say how much."""
    with account(options) as client:
        removed = purge(client, options.before)
    print(f"Removed {removed.records:,} records from the store and from {removed.pages:,} pages.")
