"""Ten thousand sessions to ten million: what they take in time on two engines, and in memory.

The sessions lie in Parquet files of a million each, exploded, as the store keeps them.
"""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import plivo_analysis as pva
from benchmarks import data
from benchmarks.harness import alone, judge, log_plot, size
from plivo_analysis.storage.day_files import encode

LONG = True
MILLION = 1_000_000
SIZES = (10_000, 100_000, MILLION, 10 * MILLION)
PLOT = Path(__file__).with_name("size.svg")

_POLARS = "import polars; read = polars.scan_parquet"
# A query of more than two seconds would otherwise print how far it is, among the numbers.
_DUCKDB = "import duckdb; duckdb.sql('SET enable_progress_bar = false'); read = duckdb.read_parquet"
_FALLBACK = "pva.fallback_rates(read(f'{folder}/attempts-*.parquet'))"
_SPEND = "pva.spend(read(f'{folder}/charges-*.parquet'))"
_BOTH = f"{_FALLBACK}; {_SPEND}"
_WHAT = {
    "fallback_rates": _FALLBACK,
    "spend": _SPEND,
    "spend by day": "pva.spend(read(f'{folder}/charges-*.parquet'), every='1d', tz='Asia/Kolkata')",
    "fallback_rates + spend": _BOTH,
}
_RUN = """
import sys, time
import plivo_analysis as pva
folder = sys.argv[1]
{engine}
start = time.perf_counter()
{what}
print(time.perf_counter() - start)
"""


def main() -> None:
    """Each size on polars, lazily, and a plot of it; a million on polars and DuckDB."""
    cost: dict[int, tuple[float, float]] = {}
    for wanted in SIZES:
        rows = size(wanted)
        with TemporaryDirectory() as folder:
            _write(Path(folder), rows)
            cost[rows] = _show(f"{rows:,} sessions, fallback_rates + spend", folder, _BOTH, _POLARS)
            if wanted == MILLION:
                for name, what in _WHAT.items():
                    for engine, opened in {"polars": _POLARS, "DuckDB": _DUCKDB}.items():
                        _show(f"{rows:,} sessions, {name}, {engine}", folder, what, opened)
    judge("memory of fallback + spend of 10,000,000 sessions", cost[rows][1], 1024, "MB")
    if size(MILLION) == MILLION:
        PLOT.write_text(log_plot(cost, "sessions", ("seconds", "MB")), encoding="utf-8")
        print(f"plot: {PLOT.name}")


def _write(folder: Path, size: int) -> None:
    for seed in range(max(size // MILLION, 1)):
        sessions = data.sessions(min(size, MILLION), seed=seed)
        for name, explode in (("attempts", pva.explode_attempts), ("charges", pva.explode_charges)):
            (folder / f"{name}-{seed}.parquet").write_bytes(encode(explode(sessions)))


def _show(title: str, folder: str, what: str, engine: str) -> tuple[float, float]:
    """Run once, alone, and print; the seconds and the megabytes."""
    seconds, megabytes = alone(_RUN.format(engine=engine, what=what), folder)
    print(f"  {title:<60}{seconds:>9.2f} s {megabytes:>9,.0f} MB", flush=True)
    return seconds, megabytes
