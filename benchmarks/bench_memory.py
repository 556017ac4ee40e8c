"""A million sessions and more: what they take in time on two engines, and in memory lazily.

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

LONG = True
MILLIONS = 10

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
print(took, next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")))
"""


def main() -> None:
    """One million on polars and DuckDB, then ten on polars, lazily."""
    with TemporaryDirectory() as folder:
        _write(Path(folder), range(1))
        for name in _WHAT:
            _show(
                f"1,000,000 sessions, {name}", folder, name, {"polars": _POLARS, "DuckDB": _DUCKDB}
            )
        _write(Path(folder), range(1, MILLIONS))
        name = "fallback_rates + spend"
        print("goal for polars: 2 GB at most")
        _show(f"{MILLIONS},000,000 sessions, {name}", folder, name, {"polars, lazy": _POLARS})


def _write(folder: Path, seeds: range) -> None:
    for seed in seeds:
        sessions = data.sessions(1_000_000, seed=seed)
        for name, explode in (("attempts", pva.explode_attempts), ("charges", pva.explode_charges)):
            explode(sessions).write_parquet(folder / f"{name}-{seed}.parquet", compression="zstd")


def _show(title: str, folder: str, name: str, engines: dict[str, str]) -> None:
    print(title, flush=True)
    for engine, opened in engines.items():
        code = _RUN.format(engine=opened, what=_WHAT[name])
        done = subprocess.run(  # noqa: S603 - this project's own code on this Python
            [sys.executable, "-c", code, folder], check=True, capture_output=True, text=True
        )
        took, kilobytes = done.stdout.split()
        print(f"  {engine:<20}{float(took):>9.2f} s {int(kilobytes) / 1024:>9,.0f} MB", flush=True)
