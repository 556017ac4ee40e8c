"""Candidates measured in turn within one run, and told as ratios.

Machines are noisy: a time means little, a ratio of two candidates that took turns means
something. The best of several runs is what the code takes; the rest is what else the machine
did meanwhile.
"""

from __future__ import annotations

import math
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

QUICK = "PLIVO_ANALYSIS_QUICK_BENCHMARKS"
"""The variable of the environment that asks for few rows."""

_LEAST = 3  # rounds, however long they take
_FEWER = 50


def size(rows: int) -> int:
    """How many rows to measure on: so many, or few where a quick run is asked for."""
    return max(min(rows, 1000), rows // _FEWER) if QUICK in os.environ else rows


def judge(what: str, measured: float, goal: float, unit: str, *, least: bool = False) -> None:
    """Print a row of the table of goals.

    Args:
        what: What was measured.
        measured: What came out.
        goal: The most that it should be.
        unit: Of both.
        least: Whether the goal is the least that it should be.
    """
    kept = measured >= goal if least else measured <= goal
    told = "few rows" if QUICK in os.environ else "yes" if kept else "**no**"
    sign = "≥" if least else "≤"
    print(f"| {what} | {measured:,.4g} {unit} | {sign} {goal:,.4g} {unit} | {told} |", flush=True)


def alone(code: str, *arguments: object) -> list[float]:
    """Numbers that code prints in a process of its own, and its peak of memory in MB behind them.

    A process tells only how much it held at most, so that each run needs one of its own.
    """
    told = "\nfrom benchmarks.harness import peak\nprint(peak())"
    done = subprocess.run(  # noqa: S603 - this project's own code on this Python
        [sys.executable, "-c", code + told, *map(str, arguments)],
        check=True,
        cwd=Path(__file__).parent.parent,
        stdout=subprocess.PIPE,
        text=True,
    )
    return [float(word) for word in done.stdout.split()]


def peak() -> float:
    """How much memory this process held at most, in MB."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return int(kilobytes) / 1024


def measure(
    candidates: Mapping[str, Callable[[], object]], *, seconds: float = 5.0, share: float = 0.0
) -> dict[str, float]:
    """Run candidates in turn, round after round.

    Args:
        candidates: What to run, by name.
        seconds: For how long to begin new rounds.
        share: Quick candidates then take further turns, until each has taken this part of
            what the slowest one took at best: its best of three would otherwise be
            compared with a best that noise hardly moves.

    Returns:
        The best time of each in seconds.
    """
    best = dict.fromkeys(candidates, float("inf"))
    last, rounds = time.perf_counter() + seconds, 0
    while rounds < _LEAST or time.perf_counter() < last:
        for name, run in candidates.items():
            best[name] = min(best[name], once(run))
        turn = share * max(best.values())
        quick = [name for name, took in best.items() if took < turn]
        end = time.perf_counter() + turn * len(quick)
        while time.perf_counter() < end:
            for name in quick:
                best[name] = min(best[name], once(candidates[name]))
        rounds += 1
    return best


def once(run: Callable[[], object]) -> float:
    """How many seconds one run takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def show(title: str, best: Mapping[str, float], *, against: str, goal: str = "") -> None:
    """Print times, and how many times faster each is than one of them."""
    print(f"{title}{f' (goal: {goal})' if goal else ''}")
    for name, took in best.items():
        print(f"  {name:<44}{took * 1000:>12,.2f} ms {best[against] / took:>9,.2f} ×")


def log_plot(cost: Mapping[int, Sequence[float]], across: str, up: Sequence[str]) -> str:
    """Costs against sizes as an SVG, both on logarithmic axes.

    Args:
        cost: What each size costs, one number for each of ``up``.
        across: What the sizes are of.
        up: What the costs are of; each has a line of its own.
    """
    logs = [[math.log10(value) for value in values] for values in zip(*cost.values(), strict=True)]
    low = math.floor(min(map(min, logs)))
    high = math.ceil(max(map(max, logs)))
    xs = [60 + 400 * place / max(len(cost) - 1, 1) for place in range(len(cost))]

    def y(log: float) -> float:
        return 290 - 260 * (log - low) / (high - low)

    parts = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 560 330" font-size="12">']
    for power in range(low, high + 1):
        parts.append(f'<path d="M60 {y(power):.0f}H460" stroke="#ddd"/>')
        parts.append(f'<text x="52" y="{y(power):.0f}" text-anchor="end">{10.0**power:g}</text>')
    for x, size in zip(xs, cost, strict=True):
        parts.append(f'<text x="{x:.0f}" y="310" text-anchor="middle">{size:,}</text>')
    for name, values, colour in zip(up, logs, ("#1f6f8b", "#c1440e", "#666"), strict=False):
        points = " ".join(f"{x:.0f},{y(log):.0f}" for x, log in zip(xs, values, strict=True))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}"/>')
        parts.append(f'<text x="468" y="{y(values[-1]):.0f}" fill="{colour}">{name}</text>')
    parts.append(f'<text x="260" y="326" text-anchor="middle">{across}</text></svg>')
    return "\n".join(parts) + "\n"
