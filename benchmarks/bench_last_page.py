"""From the last page of a pull to its table, and the memory of the pull and of a scan after it.

The account is served by a process of its own, over real sockets and without a limit, so that
the memory measured is the client's alone.
"""

from __future__ import annotations

from contextlib import contextmanager
from multiprocessing import get_context
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks.harness import alone, judge, size
from plivo_analysis.emulator import Server, generate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

LONG = True
SIZES = {30_000: 0.8, 200_000: 2.0}  # sessions, and seconds

_CLIENT = """
import sys, time
import plivo_analysis as pva
from benchmarks.bench_pull import MadeUpClock
from plivo_analysis.emulator import AUTH_ID, AUTH_TOKEN
url, home = sys.argv[1:]
client = pva.Client(AUTH_ID, AUTH_TOKEN, base_url=url, store=home, clock=MadeUpClock())
"""
_PULL = (
    _CLIENT
    + """
pages = []
def seen(*_):
    pages.append(time.perf_counter())
with client:
    start = time.perf_counter()
    rows = pva.load_sessions(since="90d", client=client, progress=seen).height
    end = time.perf_counter()
print(rows, end - start, end - pages[-1])
"""
)
_SCAN = (
    _CLIENT
    + """
with client:
    start = time.perf_counter()
    pva.fallback_rates(pva.scan("attempts", client=client))
    pva.spend(pva.scan("charges", client=client))
print(time.perf_counter() - start)
"""
)


def main() -> None:
    """Pull each size into a new store; of the largest also scan."""
    for wanted, seconds in SIZES.items():
        with _served(size(wanted)) as url, TemporaryDirectory() as home:
            rows, took, late, held = alone(_PULL, url, home)
            print(f"  {rows:,.0f} sessions pulled in {took:.1f} s without a limit", flush=True)
            judge(f"last page to table, {wanted:,} sessions", late, seconds, "s")
            judge(f"peak of that pull, {wanted:,} sessions", held, 800, "MB")
            took, held = alone(_SCAN, url, home)
            print(f"  fallback_rates + spend of scan in {took:.2f} s", flush=True)
    judge("memory of fallback + spend of scan, 200,000 stored sessions", held, 450, "MB")


@contextmanager
def _served(sessions: int) -> Iterator[str]:
    """The address of an account of so many sessions, served by a process of its own."""
    spawn = get_context("spawn")
    here, there = spawn.Pipe()
    server = spawn.Process(target=_serve, args=(sessions, there))
    server.start()
    try:
        yield here.recv()
    finally:
        here.send("end")
        server.join()


def _serve(sessions: int, pipe: Connection) -> None:
    with Server(generate(sessions=sessions)) as server:
        pipe.send(server.url)
        pipe.recv()
