"""The store: what keeping a page costs, and how fast stored sessions are there again.

Stored sessions are compared with what one would do with the raw pages: parse their JSON and
hand it to ``pandas.json_normalize``, which leaves attempts and charges nested and money text.
"""

from __future__ import annotations

import functools
import json
import shutil
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd

import plivo_analysis as pva
from benchmarks.harness import judge, measure, once, show, size
from plivo_analysis.api.resources import SESSION_RESOURCE
from plivo_analysis.emulator import AUTH_ID, AUTH_TOKEN, generate
from plivo_analysis.emulator.account import DEFAULT_NOW
from plivo_analysis.emulator.listing import visible
from plivo_analysis.parsing.pages import read_page
from plivo_analysis.storage.completed_ranges import CompletedRange
from plivo_analysis.storage.day_files import FOLDER, parquet_files
from plivo_analysis.storage.parquet_cache import write_closed
from plivo_analysis.storage.store import Reading, Store, account_folder
from plivo_analysis.system.clock import FrozenWallClock
from plivo_analysis.values.spans import DAY, MINUTE, Span, ceil, floor, to_us

LONG = False
SESSIONS = 100_000
BY_PANDAS = "json_normalize on the raw pages"
POLARS = "load_sessions, polars"

SERVER = "http://127.0.0.1:9"  # nothing listens there: what is stored needs no request
_ROWS = 20


def main() -> None:
    """Measure keeping, then reading again."""
    bodies = pages(size(SESSIONS))
    with tempfile.TemporaryDirectory() as root:
        folder = account_folder(Path(root), SERVER, AUTH_ID)
        store = Store(folder)
        parsing, keeping, writing = (1000 * part / len(bodies) for part in fill(store, bodies))
        print(
            f"  a page of {_ROWS} parsed {parsing:.2f} ms, kept {keeping:.2f} ms; its share of the "
            f"tables, as Parquet, {writing:.2f} ms"
        )
        judge(f"parse and keep a page, {SESSIONS:,} sessions", parsing + keeping, 1.2, "ms")
        store.close()
        _reopen(Path(root), folder, bodies)


def _reopen(root: Path, folder: Path, bodies: list[bytes]) -> None:
    with pva.Client(
        AUTH_ID,
        AUTH_TOKEN,
        base_url=SERVER,
        store=root,
        clock=FrozenWallClock(DEFAULT_NOW + timedelta(days=2)),
    ) as client:
        load = functools.partial(
            pva.load_sessions,
            since=DEFAULT_NOW - timedelta(days=87),
            until=DEFAULT_NOW + timedelta(hours=12),
            client=client,
        )
        number = load()["recipient"][0]
        first = once(lambda: _without_cache(folder, load))
        best = measure(
            {
                BY_PANDAS: lambda: _normalised(bodies),
                POLARS: load,
                "load_sessions, pandas": functools.partial(load, backend="pandas"),
                "load_sessions, one status": functools.partial(load, status="verified"),
                "load_sessions, one recipient": functools.partial(load, recipient=number),
            },
            seconds=20,
        )
        show("stored sessions again", best, against=BY_PANDAS)
        judge("stored sessions again, polars", best[BY_PANDAS] / best[POLARS], 50, "×", least=True)
        print(f"  with all files lost, every record parsed again: {first:.1f} s, ", end="")
        print(f"{first / best[POLARS]:.0f} times as long")
    files = parquet_files(folder)
    print(f"  {sum(path.stat().st_size for path in files) / 1e6:.1f} MB of Parquet, ", end="")
    print(f"{(folder / 'store.sqlite').stat().st_size / 1e6:.1f} MB of SQLite")


def pages(sessions: int) -> list[bytes]:
    """So many sessions as the pages that list them, newest first."""
    account = generate(sessions=sessions)
    records = [json.dumps(_final(account.record(key))) for key in reversed(account.uuids())]
    return [
        f'{{"meta":{{"next":null}},"sessions":[{",".join(records[at : at + _ROWS])}]}}'.encode()
        for at in range(0, len(records), _ROWS)
    ]


def fill(store: Store, bodies: list[bytes]) -> tuple[float, float, float]:
    """Parse pages and keep them as a pull does, each with what is complete with it.

    Args:
        store: A new store.
        bodies: The pages, newest first.

    Returns:
        The seconds that parsing took, those that keeping took, and those of making tables.
    """
    resource = SESSION_RESOURCE
    now = to_us(DEFAULT_NOW) + 2 * DAY  # so long after the last one that none may come late
    start = end = floor(now, DAY)
    parsing = keeping = writing = 0.0
    for number, body in enumerate(bodies, 1):
        begun = time.perf_counter()
        page = read_page(body, resource, AUTH_ID)
        parsed = time.perf_counter()
        start = min(ceil(record.instant, MINUTE) for record in page.records)
        if number == len(bodies):
            start = floor(now - 93 * DAY, DAY)
        complete = [Span(start, end)] if start < end else []
        ranges = [CompletedRange(span, "", now, ()) for span in complete]
        reading = Reading("", body, page.records, now, ranges)
        ready = time.perf_counter()
        store.keep(resource, "", reading)
        kept = time.perf_counter()
        write_closed(store, resource, complete)
        end = min(start, end)
        parsing, keeping = parsing + parsed - begun, keeping + kept - ready
        writing += time.perf_counter() - kept
    return parsing, keeping, writing


def _final(record: dict[str, Any]) -> dict[str, Any]:
    """A session that may not change any more: one that may would cost a request."""
    return {**visible(record), "status": "verified"}


def _without_cache(folder: Path, load: Any) -> None:
    shutil.rmtree(folder / FOLDER)
    load()


def _normalised(bodies: list[bytes]) -> pd.DataFrame:
    return pd.json_normalize([row for body in bodies for row in json.loads(body)["sessions"]])
