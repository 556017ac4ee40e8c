"""``plivo-analysis emulator``: a made-up account for other programs, until it is stopped."""

from __future__ import annotations

import signal
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from plivo_analysis.api.times import parse_instant
from plivo_analysis.emulator import AUTH_ID, AUTH_TOKEN, FixedWindow, Server, generate
from plivo_analysis.errors import FilterError

if TYPE_CHECKING:
    import argparse


def run(options: argparse.Namespace) -> None:
    """Serve until Ctrl-C or a request to end."""
    present = datetime.now(UTC)
    now = parse_instant(options.now, now=present, name="--now") if options.now else present
    try:
        account = generate(
            seed=options.seed, sessions=options.sessions, now=now, frozen=not options.running
        )
    except ValueError as error:
        raise FilterError(str(error)) from None
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    limiter = FixedWindow() if options.limit else None
    with Server(account, options.port, limiter=limiter) as server:
        print(f"PLIVO_API_URL={server.url}", flush=True)
        print(f"PLIVO_AUTH_ID={AUTH_ID}", flush=True)
        print(f"PLIVO_AUTH_TOKEN={AUTH_TOKEN}", flush=True)
        stopped.wait()
