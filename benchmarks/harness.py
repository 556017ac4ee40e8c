"""Candidates measured in turn within one run, and told as ratios.

Machines are noisy: a time means little, a ratio of two candidates that took turns means
something. The best of several runs is what the code takes; the rest is what else the machine
did meanwhile.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_LEAST = 3  # rounds, however long they take


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
