"""``plivo-analysis doctor``: find out what only a live account can tell, and remember it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plivo_analysis.cli.account import account
from plivo_analysis.maintenance.doctor import examine

if TYPE_CHECKING:
    import argparse


_WARNING = (
    "This spends a minute's requests on purpose, up to twice as many as are granted, until one is "
    "refused.\nMeanwhile, and for two minutes more, other programs of this account may be made to "
    "wait or be refused.\nCtrl-C stops it."
)


def run(options: argparse.Namespace) -> None:
    """Print each finding as it is made."""
    with account(options) as client:
        if options.limits:
            print(_WARNING, flush=True)
        for finding in examine(client, limits=options.limits):
            print(f"{finding.name:<22}{finding.answer}", flush=True)
