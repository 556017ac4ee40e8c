"""Estimates: how wide the intervals are after so many pages, and how often they hold.

Imagined accounts of 100,000 sessions, as in ``worlds``; minutes are at 20 requests a minute.
"""

from __future__ import annotations

from math import ceil
from statistics import mean, median

from benchmarks import worlds
from benchmarks.harness import judge, size

LONG = True

_ACCOUNTS, _SESSIONS, _A_MINUTE, _CONFIDENCE = 120, 100_000, 20, 0.95
_PAGES = (20, 38, 50, 88, 100, 188, 388, 412)
_GOALS = {38: 10, 100: 5, 412: 2}  # pages beyond the 18 that count, and the width of spend in %
_SHOWN = ("spend", "success_rate", "cost_per_verified")


def main() -> None:
    """Print the table of the page on estimates."""
    halves: dict[tuple[int, str], list[float]] = {(n, m): [] for n in _PAGES for m in _SHOWN}
    held: dict[tuple[int, str], list[bool]] = {key: [] for key in halves}
    counting = []
    for seed in range(_ACCOUNTS):
        world = worlds.account(seed, size(_SESSIONS))
        for pages, sample in world.read(b"account %d" % seed, _PAGES):
            counting.append(len(sample.pages) - pages)
            for measure in _SHOWN:
                number = sample.estimate(None, measure, _CONFIDENCE)
                if number.low is None or number.high is None:
                    continue  # too early to say
                halves[pages, measure].append(number.half_width or 0.0)
                held[pages, measure].append(number.low <= world.truth[measure] <= number.high)
    print(f"pages that counting read: {median(counting):.0f}")
    print("pages  minutes  " + "  ".join(f"{measure:>24}" for measure in _SHOWN))
    for pages in _PAGES:
        minutes = ceil((pages + 18) / _A_MINUTE)
        print(f"{pages:5}  {minutes:7}  ", end="")
        for measure in _SHOWN:
            wide, right = halves[pages, measure], held[pages, measure]
            text = f"±{median(wide):.1%} {mean(right):.2f} of {len(wide)}" if wide else "too early"
            print(f"{text:>24}", end="  ")
        print()
    for pages, percents in _GOALS.items():
        width = median(halves[pages, "spend"] or [1.0])
        judge(f"half width of spend after {pages + 18} requests", 100 * width, percents, "%")
