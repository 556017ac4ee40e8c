"""Run the benchmarks: ``python -m benchmarks [name ...] [--long]``; by default all short ones.

Each ``bench_<name>.py`` has a ``main()`` that prints what it measured, and a ``LONG`` that says
whether it takes so long that it runs only when it is named, or with ``--long``.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from pathlib import Path

NAMES = sorted(
    path.stem.removeprefix("bench_") for path in Path(__file__).parent.glob("bench_*.py")
)


def main() -> None:
    """Run those that are named, or all."""
    program = argparse.ArgumentParser(prog="python -m benchmarks")
    program.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}")
    program.add_argument("--long", action="store_true", help="run the long ones too")
    options = program.parse_args()
    if strange := set(options.names) - set(NAMES):
        program.error(f"there is no {', '.join(sorted(strange))}; there are {', '.join(NAMES)}")
    for name in options.names or NAMES:
        benchmark = import_module(f"benchmarks.bench_{name}")
        if options.names or options.long or not benchmark.LONG:
            print(f"# {name}", flush=True)
            benchmark.main()


if __name__ == "__main__":
    main()
