"""Estimates: how wide the intervals are after so many pages, and how often they hold.

Imagined accounts of 5,000 to 500,000 sessions, as in ``worlds``; minutes are at 20 requests a
minute. The last column is what no sample of pages can be much narrower than: the interval of a
mean of as many sessions, each drawn by lot. It depends on nothing but how much the cost of a
session varies, here by 1.1 times its mean.
"""

from __future__ import annotations

from math import ceil, exp, log, sqrt
from random import Random
from statistics import mean, median

from benchmarks import worlds
from benchmarks.harness import judge, size
from plivo_analysis.metrics.confidence_intervals import normal_quantile
from plivo_analysis.sync.page_request import PAGE_ROWS

LONG = True

_ACCOUNTS, _SESSIONS, _A_MINUTE, _CONFIDENCE = 160, (5_000, 500_000), 20, 0.95
_PAGES = (20, 38, 50, 88, 100, 188, 388, 412)
_GOALS = {38: 10, 100: 5, 412: 2}  # pages beyond the 18 that count, and the width of spend in %
_SHOWN = ("spend", "success_rate", "cost_per_verified")
_ROUNDING = 1e-12  # of sums of floats, where all pages are read and the interval is a point


def main() -> None:
    """Print the table of the page on estimates."""
    halves: dict[tuple[int, str], list[float]] = {(n, m): [] for n in _PAGES for m in _SHOWN}
    held: dict[tuple[int, str], list[bool]] = {key: [] for key in halves}
    by_lot: dict[int, list[float]] = {pages: [] for pages in _PAGES}
    counting = []
    for seed in range(_ACCOUNTS):
        # As many accounts between 5,000 and 50,000 sessions as between 50,000 and 500,000.
        sessions = round(exp(Random(seed).uniform(*map(log, _SESSIONS))))
        world = worlds.account(seed, size(sessions))
        for pages, sample in world.read(b"account %d" % seed, _PAGES):
            read = len(sample.pages)
            if read < sample.of_pages:
                counting.append(read - pages)
            left = 1 - read / sample.of_pages
            z = normal_quantile(_CONFIDENCE)
            by_lot[pages].append(z * world.variation * sqrt(left / (PAGE_ROWS * read)))
            for measure in _SHOWN:
                number = sample.estimate(None, measure, _CONFIDENCE)
                if number.low is None or number.high is None:
                    continue  # too early to say
                halves[pages, measure].append(number.half_width or 0.0)
                low, high = number.low * (1 - _ROUNDING), number.high * (1 + _ROUNDING)
                held[pages, measure].append(low <= world.truth[measure] <= high)
    print(f"pages that counting read: {median(counting):.0f}")
    titles = "  ".join(f"{measure:>24}" for measure in _SHOWN)
    print(f"pages  minutes  {titles}  spend, by lot")
    for pages in _PAGES:
        minutes = ceil((pages + 18) / _A_MINUTE)
        print(f"{pages:5}  {minutes:7}  ", end="")
        for measure in _SHOWN:
            wide, right = halves[pages, measure], held[pages, measure]
            text = f"±{median(wide):.1%} {mean(right):.2f} of {len(wide)}" if wide else "too early"
            print(f"{text:>24}", end="  ")
        print(f"{f'±{median(by_lot[pages]):.1%}':>13}")
    for pages, percents in _GOALS.items():
        width = median(halves[pages, "spend"] or [1.0])
        judge(f"half width of spend after {pages + 18} requests", 100 * width, percents, "%")
