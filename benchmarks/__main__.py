"""Run the benchmarks: ``python -m benchmarks [name ...] [--long] [--quick] [--minutes N]``.

Without names all short ones run, with ``--long`` all; ``--quick`` runs them on a fiftieth of their
rows, to see that they work. Each ``bench_<name>.py`` has a ``main()`` that prints what it measured
and, with ``harness.judge``, a row for each number that has a goal; ``LONG`` says whether it takes
minutes. Each runs in a process of its own, so that one that fails or takes too long costs its own
rows alone, and no peak of memory is another's. A run of all at full size is written to
``RESULTS.md``, with the date, the machine and the versions.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from threading import Timer

from benchmarks.harness import QUICK

HERE = Path(__file__).parent
TEXTS = {path.stem.removeprefix("bench_"): path.read_text() for path in HERE.glob("bench_*.py")}
# The short ones first: where the time is up early, fewer goals are missing. Their texts are
# looked at, since importing them all would take seconds, and memory beside what they measure.
LONG = {name for name, text in TEXTS.items() if "\nLONG = True\n" in text}
NAMES = sorted(TEXTS, key=lambda name: (name in LONG, name))
RESULTS = HERE / "RESULTS.md"
_PACKAGES = ("plivo_analysis", "polars", "duckdb", "pandas", "pyarrow", "narwhals")
_MOST = 420  # seconds that one benchmark may take
_HEAD = "| what | measured | goal | kept |\n| --- | --- | --- | --- |\n"


def main() -> None:
    """Run those that are named, or all."""
    program = argparse.ArgumentParser(prog="python -m benchmarks")
    program.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}")
    program.add_argument("--long", action="store_true", help="run the long ones too")
    program.add_argument("--quick", action="store_true", help="on few rows; writes no results")
    program.add_argument("--minutes", type=float, default=20, help="when to stop; default: 20")
    options = program.parse_args()
    if strange := set(options.names) - set(NAMES):
        program.error(f"there is no {', '.join(sorted(strange))}; there are {', '.join(NAMES)}")
    end = time.monotonic() + 60 * options.minutes
    chosen = options.names or [name for name in NAMES if options.long or name not in LONG]
    printed = {name: _run(name, end, quick=options.quick) for name in chosen}
    if not (options.names or options.quick):
        RESULTS.write_text(_page(printed, long=options.long), encoding="utf-8")


def _run(name: str, end: float, *, quick: bool) -> str:
    """What a benchmark printed, which is shown at once; its failure is a row like the others."""
    print(f"# {name}", flush=True)
    start, seconds = time.monotonic(), min(_MOST, end - time.monotonic())
    if seconds <= 0:
        return _told(f"| {name} | not run: the time was up | | no |\n")
    code = f"from benchmarks.bench_{name} import main; main()"
    process = subprocess.Popen(  # noqa: S603 - this project's own code on this Python
        [sys.executable, "-c", code],
        cwd=HERE.parent,
        env={**os.environ, **({QUICK: "1"} if quick else {})},
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # so that its own processes end with it
    )
    watch = Timer(seconds, os.killpg, (process.pid, signal.SIGKILL))
    watch.start()
    with process:
        try:
            lines = [_told(line) for line in process.stdout or ()]
        except KeyboardInterrupt:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        finally:
            watch.cancel()
    took = time.monotonic() - start
    if process.returncode:
        why = f"stopped after {took:.0f} s" if took >= seconds else "failed"
        lines.append(_told(f"| {name} | {why} | | no |\n"))
    return "".join([*lines, _told(f"({took:.0f} s)\n")])


def _told(line: str) -> str:
    print(line, end="", flush=True)
    return line


def _page(printed: dict[str, str], *, long: bool) -> str:
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    rows = [line for text in printed.values() for line in text.splitlines() if line[:1] == "|"]
    details = "\n".join(
        f"# {name}\n" + "\n".join(line for line in text.splitlines() if line[:1] != "|")
        for name, text in printed.items()
    )
    return (
        "# What the benchmarks measured\n\n"
        f"- {datetime.now(UTC):%Y-%m-%d}, `python -m benchmarks{' --long' if long else ''}`\n"
        f"- {platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}\n"
        f"- {versions}\n\n"
        "Ratios of candidates that took turns within one run mean something; times mean little.\n\n"
        + _HEAD
        + "\n".join(rows)
        + ("\n\n![Cost against size](size.svg)" if long else "")
        + f"\n\n```\n{details}\n```\n"
    )


if __name__ == "__main__":
    main()
