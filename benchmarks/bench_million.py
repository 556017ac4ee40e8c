"""Fallback and spend of a million sessions, in memory and from Parquet, beside what is by hand."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import polars as pl

import plivo_analysis as pva
from benchmarks import data, peers
from benchmarks.engines import connected
from benchmarks.harness import measure, show

LONG = False
SESSIONS = 1_000_000
BY_HAND = "polars by hand"


def main() -> None:
    """Measure both on polars and DuckDB."""
    sessions = data.sessions(SESSIONS)
    attempts, charges = pva.explode_attempts(sessions), pva.explode_charges(sessions)
    del sessions
    connection = connected(attempts=attempts, charges=charges)
    with TemporaryDirectory() as folder:
        tried, billed = (str(Path(folder) / f"{name}.parquet") for name in ("tried", "billed"))
        attempts.write_parquet(tried)
        charges.write_parquet(billed)
        on_polars, on_duckdb = pl.scan_parquet, duckdb.read_parquet
        best = measure(
            {
                BY_HAND: partial(peers.by_hand_in_polars, attempts, charges),
                "DuckDB by hand": partial(peers.by_hand_in_duckdb, connection),
                "polars": partial(_both, attempts, charges),
                "DuckDB": lambda: _both(connection.table("attempts"), connection.table("charges")),
                "polars, from Parquet": lambda: _both(on_polars(tried), on_polars(billed)),
                "DuckDB, from Parquet": lambda: _both(on_duckdb(tried), on_duckdb(billed)),
            }
        )
    goal = "polars ≥ 0.83 ×, which is 1.2 × the time"
    show(f"fallback + spend of {SESSIONS:,} sessions", best, against=BY_HAND, goal=goal)


def _both(attempts: object, charges: object) -> None:
    pva.fallback_rates(attempts)
    pva.spend(charges)
