"""Imagined accounts for estimates: pages of traffic with a rhythm, a trend, a burst, a new price.

Only sums of pages are made, so that hundreds of accounts take seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from plivo_analysis.metrics.samples import Sample, Sums
from plivo_analysis.sync.page_request import PAGE_ROWS, PageRequest, PageSeen
from plivo_analysis.sync.sampling import Sampling, spread
from plivo_analysis.values.spans import DAY, Span, floor

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_SATURDAY = 5  # of a week's days from 0
_SETTLED, _VERIFIED = 0.99, 0.8  # of all sessions

SAMPLE = ("spend", "success_rate", "fallback_rate", "cost_per_verified")


@dataclass(frozen=True)
class World:
    """One account's listing, newest first, as sums of pages, and what is true of all of it.

    Args:
        pages: The sums of each page.
        instants: When each session began.
        variation: The standard deviation of a session's cost, as a part of its mean.
        groups: The sums of each page by group, where there are any.
    """

    pages: list[Sums]
    instants: list[int]
    variation: float
    groups: list[dict[tuple[str | None, ...], Sums]] | None = None

    @property
    def rows(self) -> int:
        """How many sessions there are."""
        return len(self.instants)

    @property
    def truth(self) -> dict[str, float]:
        """What the measures are."""
        return _measures(sum(self.pages, Sums()))

    def truth_of(self, group: tuple[str | None, ...]) -> dict[str, float]:
        """What the measures are of one group."""
        pages = self.groups or []
        return _measures(sum((page[group] for page in pages if group in page), Sums()))

    @property
    def span(self) -> Span:
        """The range that they lie in."""
        return Span(floor(self.instants[-1], DAY), floor(self.instants[0], DAY) + DAY)

    def answer(self, request: PageRequest) -> PageSeen:
        """What a server lists that behaves as documented."""
        if request.span != self.span:
            return PageSeen((), 0, has_next=False)
        end = request.offset + PAGE_ROWS
        listed = self.instants[request.offset : end]
        numbered = enumerate(listed, request.offset)
        rows = tuple((str(number), instant) for number, instant in numbered)
        return PageSeen(rows, len(rows), has_next=end < self.rows)

    def read(self, key: bytes, stops: Iterable[int]) -> Iterator[tuple[int, Sample]]:
        """The sample after so many pages read beyond those that counted the rows."""
        sampling = Sampling(self.span)
        while (request := sampling.request()) is not None:
            sampling.receive(request, self.answer(request))
        counting = len(sampling.pages)
        order = spread(key, sampling.of_pages)
        for stop in stops:
            while len(sampling.pages) < min(counting + stop, sampling.of_pages):
                request = sampling.page(next(order))
                sampling.receive(request, self.answer(request))
            groups = self.groups or [{(): page} for page in self.pages]
            pages = {page: groups[page] for page in sampling.pages}
            yield stop, Sample(pages, sampling.of_pages, (self.rows, self.rows))


def _measures(total: Sums) -> dict[str, float]:
    return {
        "sessions": total.sessions,
        "spend": total.spend,
        "success_rate": total.verified / total.settled,
        "fallback_rate": total.fell_back / total.evaluable,
        "cost_per_verified": total.settled_charge / max(total.verified, 1),
    }


def account(
    seed: int,
    rows: int = 20_000,
    *,
    days: int | None = None,
    burst: float = 3.0,
    step: float = 1.5,
    success: float | None = None,
    rhythm: float = 0.8,
    drift: bool = True,
    shares: Sequence[float] = (),
) -> World:
    """An account: daily and weekly rhythm, drift, a step of the price, a burst of costly traffic.

    Args:
        seed: Another one gives another account.
        rows: How many sessions.
        days: Over how many days; by default 32 to 90.
        burst: Up to how many times the usual volume, of costly traffic that hardly verifies.
        step: Up to what the price is multiplied by at some moment.
        success: How many settled sessions verify; by default 60 to 95 %.
        rhythm: How much of the traffic comes and goes with the day.
        drift: Whether success and price drift over the range.
        shares: Of so many groups the shares of all sessions, each with a price of its own.
    """
    random = np.random.default_rng(seed)
    length = float(days or random.integers(32, 91))
    burst_start, burst_days = random.uniform(0, length * 0.9), random.uniform(0.1, 2.0)
    height = random.uniform(0, burst) if burst else 0.0
    phase, trend = random.uniform(0, 1), random.uniform(-0.5, 1.0)
    at = np.empty(0)
    while len(at) < rows:
        moment = random.uniform(0, length, 2 * rows)
        rate = 1 + rhythm * np.sin(2 * np.pi * (moment + phase))
        rate *= 1 - 0.4 * (np.floor(moment) % 7 >= _SATURDAY)
        rate *= 1 + trend * moment / length
        in_burst = (moment >= burst_start) & (moment < burst_start + burst_days)
        kept = random.uniform(0, 2 * (1 + abs(trend)) * (1 + height), len(moment)) < rate * (
            1 + height * in_burst
        )
        at = np.concatenate([at, moment[kept]])
    at = np.sort(at[:rows])[::-1]
    hour, part = 2 * np.pi * (at + phase), at / length
    in_burst = (at >= burst_start) & (at < burst_start + burst_days)
    of_burst = in_burst & (random.uniform(size=rows) < height / (1 + height))
    chance = success if success is not None else random.uniform(0.6, 0.95)
    odds = chance + (0.05 * np.sin(hour) + (0.1 * (part - 0.5) if drift else 0)) * (success is None)
    verified = random.uniform(size=rows) < np.where(of_burst, 0.05 * chance, np.clip(odds, 0, 1))
    settled = random.uniform(size=rows) < _SETTLED
    verified &= settled
    fell_back = settled & (random.uniform(size=rows) < np.clip(0.2 - 0.1 * np.sin(hour), 0, 1))
    price = random.choice([0.0077, 0.02, 0.055, 0.09], size=rows, p=[0.5, 0.3, 0.15, 0.05])
    price = price * np.where(part > random.uniform(0.2, 0.8), random.uniform(1, step), 1.0)
    price = np.where(of_burst, 0.09, price) * (1 + fell_back)
    names = None
    if shares:
        names = random.choice(len(shares), size=rows, p=shares)
        price = price * (1 + names)
    return of_rows(
        at,
        price=price,
        names=names,
        settled=settled,
        verified=verified,
        evaluable=settled,
        fell_back=fell_back,
    )


def of_rows(
    at: Any,
    *,
    price: Any,
    settled: Any,
    verified: Any,
    evaluable: Any,
    fell_back: Any,
    names: Any = None,
) -> World:
    """A world from what each session was billed and what became of it, newest first."""
    rows = len(price)
    starts = np.arange(0, rows, PAGE_ROWS)
    columns = [
        np.ones(rows),
        settled,
        verified,
        evaluable,
        fell_back,
        price,
        price * settled,
    ]
    instants = [int(day * DAY) for day in at]
    variation = float(np.std(price) / np.mean(price))

    def by_page(chosen: Any) -> list[Sums]:
        of_chosen = (np.asarray(column, dtype=float) * chosen for column in columns)
        sums = [np.add.reduceat(column, starts) for column in of_chosen]
        return [Sums(*map(float, page)) for page in zip(*sums, strict=True)]

    if names is None:
        return World(by_page(1.0), instants, variation)
    groups: list[dict[tuple[str | None, ...], Sums]] = [{} for _ in starts]
    for name in np.unique(names):
        for page, sums in zip(groups, by_page(names == name), strict=True):
            if sums.sessions:
                page[str(name),] = sums
    return World(by_page(1.0), instants, variation, groups)


def calm_account(seed: int, rows: int = 20_000, *, costly_days: int) -> World:
    """An account that does the same every day, but for a day or so of three times the cost."""
    random = np.random.default_rng(seed)
    at = np.sort(random.uniform(0, 60, rows))[::-1]
    costly = (at >= (day := random.uniform(0, 60 - costly_days))) & (at < day + costly_days)
    verified = random.uniform(size=rows) < _VERIFIED
    everything = np.ones(rows, dtype=bool)
    price = np.where(costly, 0.15, 0.05)
    return of_rows(
        at,
        price=price,
        settled=everything,
        verified=verified,
        evaluable=everything,
        fell_back=~verified,
    )
