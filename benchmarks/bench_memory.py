"""Ten thousand sessions to ten million: what they take in time on two engines, and in memory.

Each run is a process of its own, since a process tells only how much it held at most. The
sessions lie in Parquet files of a million each, exploded, as the store keeps them.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import plivo_analysis as pva
from benchmarks import data
from benchmarks.harness import log_plot

LONG = True
MILLION = 1_000_000
SIZES = (10_000, 100_000, MILLION, 10 * MILLION)
PLOT = Path(__file__).with_name("size.svg")

_POLARS = "import polars; read = polars.scan_parquet"
_DUCKDB = "import duckdb; read = duckdb.read_parquet"
_WHAT = {
    "fallback_rates": "pva.fallback_rates(read(f'{folder}/attempts-*.parquet'))",
    "spend": "pva.spend(read(f'{folder}/charges-*.parquet'))",
    "spend by day": "pva.spend(read(f'{folder}/charges-*.parquet'), every='1d', tz='Asia/Kolkata')",
    "fallback_rates + spend": (
        "pva.fallback_rates(read(f'{folder}/attempts-*.parquet')); "
        "pva.spend(read(f'{folder}/charges-*.parquet'))"
    ),
}
_RUN = """
import sys, time
import plivo_analysis as pva
from pathlib import Path
folder = sys.argv[1]
{engine}
start = time.perf_counter()
{what}
took = time.perf_counter() - start
status = Path("/proc/self/status").read_text()
kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
print(took, int(kilobytes) / 1024)
"""


def main() -> None:
    """A million on polars and DuckDB; then each size on polars, lazily, and a plot of it."""
    both = "fallback_rates + spend"
    cost = {}
    for size in SIZES:
        with TemporaryDirectory() as folder:
            _write(Path(folder), size)
            title = f"{size:,} sessions, {both} (goal at ten million: 1 GB)"
            cost[size] = _show(title, folder, both, {"polars, lazy": _POLARS})
            if size == MILLION:
                engines = {"polars": _POLARS, "DuckDB": _DUCKDB}
                for name in _WHAT:
                    _show(f"{size:,} sessions, {name}", folder, name, engines)
    PLOT.write_text(log_plot(cost, "sessions", ("seconds", "MB")), encoding="utf-8")
    print(f"plot: {PLOT.name}")


def _write(folder: Path, size: int) -> None:
    for seed in range(max(size // MILLION, 1)):
        sessions = data.sessions(min(size, MILLION), seed=seed)
        for name, explode in (("attempts", pva.explode_attempts), ("charges", pva.explode_charges)):
            explode(sessions).write_parquet(folder / f"{name}-{seed}.parquet", compression="zstd")


def _show(title: str, folder: str, name: str, engines: dict[str, str]) -> tuple[float, float]:
    """Run on each engine and print; the seconds and megabytes of the last one."""
    print(title, flush=True)
    for engine, opened in engines.items():
        code = _RUN.format(engine=opened, what=_WHAT[name])
        done = subprocess.run(  # noqa: S603 - this project's own code on this Python
            [sys.executable, "-c", code, folder], check=True, capture_output=True, text=True
        )
        seconds, megabytes = (float(word) for word in done.stdout.split())
        print(f"  {engine:<20}{seconds:>9.2f} s {megabytes:>9,.0f} MB", flush=True)
    return seconds, megabytes
