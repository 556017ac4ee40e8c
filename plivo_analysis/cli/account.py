"""The account that a command asks: the embedded one, or the environment's."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from plivo_analysis.cli.arguments import DEMO_SESSIONS
from plivo_analysis.client import Client
from plivo_analysis.demo_account import demo

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator


@contextmanager
def account(options: argparse.Namespace) -> Iterator[Client]:
    """The account of a command, closed at its end."""
    with demo(sessions=DEMO_SESSIONS) if options.demo else Client() as client:
        yield client
