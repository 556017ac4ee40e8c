"""The store: what keeping a page costs, and how fast stored sessions are there again.

Stored sessions are compared with what one would do with the raw pages: parse their JSON and
hand it to ``pandas.json_normalize``, which leaves attempts and charges nested and money text.
"""

from __future__ import annotations

import functools
import json
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

import plivo_analysis as pva
from benchmarks.harness import measure, once, show
from plivo_analysis.api.resources import SESSION_RESOURCE
from plivo_analysis.emulator import AUTH_ID, AUTH_TOKEN, generate
from plivo_analysis.emulator.account import DEFAULT_NOW
from plivo_analysis.emulator.listing import visible
from plivo_analysis.parsing.pages import READERS, read_page
from plivo_analysis.storage.completed_ranges import CompletedRange
from plivo_analysis.storage.parquet_cache import FOLDER, parquet_files, read, write_closed
from plivo_analysis.storage.store import Reading, Store, account_folder
from plivo_analysis.system.clock import FrozenWallClock
from plivo_analysis.values.spans import DAY, EVER, MINUTE, Span, ceil, floor, to_us

if TYPE_CHECKING:
    from plivo_analysis.parsing.pages import Page

LONG = False
SESSIONS = 100_000
BY_PANDAS = "json_normalize on the raw pages"

_SERVER = "http://127.0.0.1:9"  # nothing listens there: what is stored needs no request
_ROWS = 20


def main() -> None:
    """Measure keeping, then reading again."""
    bodies = _pages(SESSIONS)
    parsed: list[Page] = []
    with tempfile.TemporaryDirectory() as root:
        folder = account_folder(Path(root), _SERVER, AUTH_ID)
        store = Store(folder)
        reading = once(lambda: parsed.extend(map(_read, bodies)))
        keeping = once(lambda: _keep(store, bodies, parsed))
        parsed.clear()
        pages = len(bodies)
        print(f"A page of {_ROWS} sessions, {pages:,} of them")
        print(
            f"  parsed {reading / pages * 1000:.2f} ms, kept {keeping / pages * 1000:.2f} ms ",
            end="",
        )
        print("with their days' Parquet (goal: 1.2 ms together),")
        print(f"  together {(reading + keeping) / pages / 3:.4%} of a slot of 3 s at the limit")
        rows: list[object] = []
        late = once(lambda: rows.append(read(store, SESSION_RESOURCE, EVER)))
        print(f"  from the last page to the table {late:.2f} s (goal: 2 s for 200,000)")
        store.close()
        _reopen(Path(root), folder, bodies)


def _reopen(root: Path, folder: Path, bodies: list[bytes]) -> None:
    with pva.Client(
        AUTH_ID,
        AUTH_TOKEN,
        base_url=_SERVER,
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
                "load_sessions, polars": load,
                "load_sessions, pandas": functools.partial(load, backend="pandas"),
                "load_sessions, one status": functools.partial(load, status="verified"),
                "load_sessions, one recipient": functools.partial(load, recipient=number),
            },
            seconds=60,
        )
        show("stored sessions again", best, against=BY_PANDAS, goal="polars ≥ 50 ×")
        print(f"  the first time, writing the cache: {first:.1f} s, ", end="")
        print(f"{first / best['load_sessions, polars']:.0f} times the second")
    files = parquet_files(folder)
    print(f"  {sum(path.stat().st_size for path in files) / 1e6:.1f} MB of Parquet, ", end="")
    print(f"{(folder / 'store.sqlite').stat().st_size / 1e6:.1f} MB of SQLite")


def _pages(sessions: int) -> list[bytes]:
    account = generate(sessions=sessions)
    records = [json.dumps(_final(account.record(key))) for key in reversed(account.uuids())]
    return [
        f'{{"meta":{{"next":null}},"sessions":[{",".join(records[at : at + _ROWS])}]}}'.encode()
        for at in range(0, len(records), _ROWS)
    ]


def _final(record: dict[str, Any]) -> dict[str, Any]:
    """A session that may not change any more: one that may would cost a request."""
    return {**visible(record), "status": "verified"}


def _read(body: bytes) -> Page:
    resource = SESSION_RESOURCE
    return read_page(
        body, list_key=resource.list_key, read=READERS[resource.name], expected_path=""
    )


def _keep(store: Store, bodies: list[bytes], parsed: list[Page]) -> None:
    """Keep pages as a pull does, newest first, each with what is complete with it."""
    now = to_us(DEFAULT_NOW) + 2 * DAY  # so long after the last one that none may come late
    starts = [min(ceil(to_us(r.instant), MINUTE) for r in page.records) for page in parsed]
    starts[-1], end = floor(now - 93 * DAY, DAY), floor(now, DAY)
    for body, page, start in zip(bodies, parsed, starts, strict=True):
        complete = [Span(start, end)] if start < end else []
        ranges = [CompletedRange(span, "", now, ()) for span in complete]
        store.keep(SESSION_RESOURCE, "", Reading("", body, page.records, now, ranges))
        write_closed(store, SESSION_RESOURCE, complete)
        end = min(start, end)


def _without_cache(folder: Path, load: Any) -> None:
    shutil.rmtree(folder / FOLDER)
    load()


def _normalised(bodies: list[bytes]) -> pd.DataFrame:
    return pd.json_normalize([row for body in bodies for row in json.loads(body)["sessions"]])
