"""Deletion from a large store: one person forgotten, then all that is older than a month."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path

import plivo_analysis as pva
from benchmarks.bench_store import SERVER, fill, pages
from benchmarks.harness import judge, once, size
from plivo_analysis.emulator import AUTH_ID, AUTH_TOKEN
from plivo_analysis.emulator.account import DEFAULT_NOW
from plivo_analysis.maintenance.deletion import forget, purge
from plivo_analysis.storage.store import Store, account_folder
from plivo_analysis.system.clock import FrozenWallClock

LONG = True
SESSIONS = 300_000


def main() -> None:
    """Measure ``forget``, then ``purge``."""
    with tempfile.TemporaryDirectory() as root:
        store = Store(account_folder(Path(root), SERVER, AUTH_ID))
        fill(store, pages(size(SESSIONS)))
        store.close()
        clock = FrozenWallClock(DEFAULT_NOW + timedelta(days=2))
        with pva.Client(AUTH_ID, AUTH_TOKEN, base_url=SERVER, store=root, clock=clock) as client:
            number = pva.scan("sessions", client=client).first().collect()["recipient"][0]
            forgetting = once(lambda: forget(client, number))
            judge(f"forget one of {SESSIONS:,} sessions", forgetting, 30, "s")
            purging = once(lambda: purge(client, "30d"))
            judge(f"purge two months of {SESSIONS:,} sessions", purging, 12, "s")
