"""Run the benchmarks: ``python -m benchmarks [name ...] [--long]``; by default all short ones.

Each ``bench_<name>.py`` has a ``main()`` that prints what it measured, and a ``LONG`` that says
whether it takes so long that it runs only when it is named, or with ``--long``. A run of all is
also written to ``RESULTS.md``, with the date, the machine and the versions.
"""

from __future__ import annotations

import argparse
import io
import os
import platform
import sys
from contextlib import redirect_stdout
from datetime import UTC, datetime
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
NAMES = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
RESULTS = HERE / "RESULTS.md"

_PACKAGES = ("plivo_analysis", "polars", "duckdb", "pandas", "pyarrow", "narwhals")


class _Kept(io.StringIO):
    """What is printed, also shown at once."""

    def write(self, text: str) -> int:
        sys.__stdout__.write(text)
        sys.__stdout__.flush()
        return super().write(text)


def main() -> None:
    """Run those that are named, or all."""
    program = argparse.ArgumentParser(prog="python -m benchmarks")
    program.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}")
    program.add_argument("--long", action="store_true", help="run the long ones too")
    options = program.parse_args()
    if strange := set(options.names) - set(NAMES):
        program.error(f"there is no {', '.join(sorted(strange))}; there are {', '.join(NAMES)}")
    with redirect_stdout(_Kept()) as printed:
        for name in options.names or NAMES:
            benchmark = import_module(f"benchmarks.bench_{name}")
            if options.names or options.long or not benchmark.LONG:
                print(f"# {name}", flush=True)
                benchmark.main()
    if not options.names:
        RESULTS.write_text(_page(printed.getvalue(), long=options.long), encoding="utf-8")


def _page(printed: str, *, long: bool) -> str:
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    return (
        "# What the benchmarks measured\n\n"
        f"- {datetime.now(UTC):%Y-%m-%d}, `python -m benchmarks{' --long' if long else ''}`\n"
        f"- {platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}\n"
        f"- {versions}\n\n"
        "Ratios of candidates that took turns within one run mean something; times mean little.\n"
        "Goals stand beside what they are for.\n\n"
        f"```\n{printed}```\n"
    )


if __name__ == "__main__":
    main()
