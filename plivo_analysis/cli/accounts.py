"""Which account a command asks, and ``emulator``: a made-up account for other programs."""

from __future__ import annotations

import signal
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from plivo_analysis.api.times import parse_instant
from plivo_analysis.client import Client
from plivo_analysis.demo_account import demo
from plivo_analysis.emulator import AUTH_ID, AUTH_TOKEN, FixedWindow, Server, generate
from plivo_analysis.errors import FilterError

if TYPE_CHECKING:
    import argparse


def account(options: argparse.Namespace) -> Client:
    """The account of a command, which closes it: ``pva.demo()``, or the environment's."""
    return demo() if options.demo else Client()


def emulator(options: argparse.Namespace) -> None:
    """Serve until Ctrl-C or a request to end."""
    present = datetime.now(UTC)
    now = parse_instant(options.now, now=present, name="--now") if options.now else present
    try:
        served = generate(
            seed=options.seed, sessions=options.sessions, now=now, frozen=not options.running
        )
    except ValueError as error:
        raise FilterError(str(error)) from None
    stopped = threading.Event()
    # Before the server starts: a program that started this one may end it at any moment.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    limiter = FixedWindow() if options.limit else None
    try:
        server = Server(served, options.port, limiter=limiter)
    except (OSError, OverflowError) as error:
        raise FilterError(f"--port: {error}. Give a free port up to 65535, or 0.") from None
    with server:
        # Flushed, since a program that reads them through a pipe waits for them.
        print(f"PLIVO_API_URL={server.url}", flush=True)
        print(f"PLIVO_AUTH_ID={AUTH_ID}", flush=True)
        print(f"PLIVO_AUTH_TOKEN={AUTH_TOKEN}", flush=True)
        stopped.wait()
