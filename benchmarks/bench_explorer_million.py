"""The explorer of a million sessions: every view after every choice."""

from __future__ import annotations

import plivo_analysis as pva
from benchmarks import data
from benchmarks.bench_explorer import choices, opened
from benchmarks.harness import judge, size

LONG = True
SESSIONS = 1_000_000


def main() -> None:
    """Measure the slowest redraw."""
    with pva.demo(sessions=20) as client:
        explorer = opened(client, data.sessions(size(SESSIONS)))
        judge("slowest redraw, 1,000,000 sessions", choices(explorer, rounds=2), 300, "ms")
