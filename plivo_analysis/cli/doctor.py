"""``plivo-analysis doctor``: find out what only a live account can tell, and remember it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plivo_analysis.cli.account import account
from plivo_analysis.upkeep import examine

if TYPE_CHECKING:
    import argparse


def run(options: argparse.Namespace) -> None:
    """Print each finding as it is made."""
    with account(options) as client:
        for finding in examine(client):
            print(f"{finding.name:<22}{finding.answer}", flush=True)
