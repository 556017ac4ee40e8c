"""``plivo-analysis forget``: remove what is of one telephone number, and keep it out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plivo_analysis.cli.account import account
from plivo_analysis.maintenance.removal import forget
from plivo_analysis.maintenance.status import status

if TYPE_CHECKING:
    import argparse


def run(options: argparse.Namespace) -> None:
    """Remove, and say how much, and what else may hold the number."""
    with account(options) as client:
        removed = forget(client, options.recipient)
        found = status(client)
    print(f"Removed {removed.records:,} records from the store and from {removed.pages:,} pages.")
    for place in (*found.exports, *found.quarantined):
        print(f"It may still be in {place}: not the store's to delete.")
    for place in found.others:
        print(f"It may still be in {place}: another account's, forget it there too.")
