"""Estimates from some pages: their intervals hold the truth in hundreds of imagined accounts."""

from __future__ import annotations

import importlib.util
import sys
from functools import cache
from pathlib import Path
from statistics import mean, median
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from plivo_analysis.metrics.confidence_intervals import student_quantile
from plivo_analysis.metrics.samples import MEASURES, TOO_EARLY, Interval, Sample, Sums

if TYPE_CHECKING:
    from collections.abc import Iterable

WORLDS = Path(__file__).parents[2] / "benchmarks" / "worlds.py"
RATES = ("success_rate", "fallback_rate")
MONEY = ("spend", "cost_per_verified")
CONFIDENCE = 0.95
HOLDS = 0.92  # of the accounts, at least


def _worlds() -> Any:
    spec = importlib.util.spec_from_file_location("worlds", WORLDS)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["worlds"] = module  # its dataclasses look their module up
    spec.loader.exec_module(module)
    return module


worlds = _worlds()


@cache
def accounts(number: int, **options: Any) -> list[Any]:
    return [worlds.account(seed, **options) for seed in range(number)]


def holds(interval: Interval, truth: float) -> bool:
    assert interval.low is not None
    assert interval.high is not None
    return interval.low <= truth <= interval.high


def coverage(of: Iterable[Any], pages: int) -> dict[str, tuple[float, int]]:
    """How often each measure's interval holds the truth, and in how many accounts it is shown."""
    found: dict[str, list[bool]] = {measure: [] for measure in (*RATES, *MONEY)}
    for seed, world in enumerate(of):
        ((_, sample),) = world.read(b"key %d" % seed, [pages])
        for measure, held in found.items():
            interval = sample.estimate(None, measure, CONFIDENCE)
            if interval != TOO_EARLY:
                held.append(holds(interval, world.truth[measure]))
    return {measure: (mean(held or [0]), len(held)) for measure, held in found.items()}


@pytest.mark.parametrize(
    "pages", [100, *(pytest.param(pages, marks=pytest.mark.slow) for pages in (20, 50, 200))]
)
def test_intervals_hold_in_accounts_with_rhythm_trend_burst_and_new_price(pages: int) -> None:
    found = coverage(accounts(200), pages)
    for measure in RATES:
        assert found[measure] == (pytest.approx(1, abs=1 - HOLDS), 200)
    for measure in MONEY:
        held, shown = found[measure]
        # On as few as 20 pages money is too early to tell.
        assert shown == (0 if pages == 20 else 200)
        assert not shown or held >= HOLDS


@pytest.mark.slow
def test_intervals_hold_where_reading_stops_as_soon_as_spend_is_narrow() -> None:
    found: dict[str, list[bool]] = {measure: [] for measure in (*RATES, *MONEY)}
    read = []
    for seed, world in enumerate(accounts(200)):
        for _, sample in world.read(b"key %d" % seed, range(20, world.rows, 4)):
            if sample.is_narrow(0.05, CONFIDENCE):
                break
        read.append(len(sample.pages))
        half = sample.estimate(None, "spend", CONFIDENCE).half_width
        assert half is not None
        assert half <= 0.05
        assert len(sample.pages) >= 100
        for measure, held in found.items():
            held.append(holds(sample.estimate(None, measure, CONFIDENCE), world.truth[measure]))
    assert {measure: mean(held) >= HOLDS for measure, held in found.items()} == dict.fromkeys(
        found, True
    )
    assert median(read) <= 118  # requests, counting included


@pytest.mark.slow
@pytest.mark.parametrize("pages", [50, 100, 200])
def test_a_daily_rhythm_does_not_resonate_with_the_order_of_pages(pages: int) -> None:
    found = coverage(accounts(200, days=32, burst=0, step=1, rhythm=0.95, drift=False), pages)
    assert min(held for held, _ in found.values()) >= HOLDS


def test_one_costly_day_of_a_calm_account_is_in_the_interval_from_100_pages() -> None:
    held = []
    for seed in range(100):
        world = worlds.calm_account(seed, costly_days=1)
        ((_, sample),) = world.read(b"key %d" % seed, [100])
        interval = sample.estimate(None, "spend", CONFIDENCE)
        held.append(interval != TOO_EARLY and holds(interval, world.truth["spend"]))
    assert mean(held) >= HOLDS


def test_a_calm_account_is_not_believed_before_100_pages() -> None:
    world = worlds.calm_account(0, costly_days=0)
    narrow = [
        stop for stop, sample in world.read(b"key", range(20, 120)) if sample.is_narrow(0.05, 0.95)
    ]
    first = next(
        len(sample.pages)
        for stop, sample in world.read(b"key", range(20, 120))
        if stop == narrow[0]
    )
    assert first == 100


@pytest.mark.slow
@pytest.mark.parametrize("pages", [50, 100, 200])
def test_intervals_hold_where_the_price_grows_twentyfold(pages: int) -> None:
    found = coverage(accounts(200, step=20), pages)
    assert min(held for held, _ in found.values()) >= HOLDS


@pytest.mark.slow
@pytest.mark.parametrize("success", [0.0, 0.003, 0.997, 1.0])
@pytest.mark.parametrize("pages", [50, 200])
def test_rates_near_0_and_1_stay_within_them_and_hold(success: float, pages: int) -> None:
    of = accounts(200, success=success, burst=0)
    assert coverage(of, pages)["success_rate"][0] >= HOLDS
    ((_, sample),) = of[0].read(b"key", [pages])
    interval = sample.estimate(None, "success_rate", CONFIDENCE)
    assert interval.low is not None
    assert interval.high is not None
    assert 0 <= interval.low < interval.high <= 1


@pytest.mark.slow
def test_intervals_hold_and_are_narrow_when_most_pages_are_read() -> None:
    found = coverage(accounts(200), 900)
    assert min(held for held, _ in found.values()) >= HOLDS
    ((_, sample),) = accounts(200)[0].read(b"key", [900])
    half = sample.estimate(None, "spend", CONFIDENCE).half_width
    assert half is not None
    assert half < 0.02


def test_when_every_page_is_read_the_numbers_are_exact() -> None:
    world = accounts(200)[0]
    ((_, sample),) = world.read(b"key", [1_000])
    for measure, truth in world.truth.items():
        assert sample.estimate(None, measure, CONFIDENCE) == Interval.exact(pytest.approx(truth))


def test_money_of_which_nothing_is_known_is_not_zero() -> None:
    sums = {
        ("free",): Sums(2, 2, 1, 2),
        ("unpriced",): Sums(2, 2, 1, 2, unpriced=2, settled_unpriced=2),
        ("by its lines",): Sums(2, 2, 1, 2, spend=0.5, settled_unpriced=2),
    }
    sample = Sample({0: sums}, 1, (6, 6))
    told = {
        group[0]: [sample.estimate(group, measure, CONFIDENCE).value for measure in MONEY]
        for group in sums
    }
    assert told == {"free": [0, 0], "unpriced": [None, None], "by its lines": [0.5, None]}


def test_a_densely_read_newest_part_does_not_pull_the_numbers_to_itself() -> None:
    held = []
    for seed, world in enumerate(accounts(200)):
        ((_, sample),) = world.read(b"key %d" % seed, [100])
        newest = {page: {(): world.pages[page]} for page in range(300)}
        mixed = Sample({**sample.pages, **newest}, sample.of_pages, sample.of_rows)
        held.append(
            [
                holds(mixed.estimate(None, measure, CONFIDENCE), world.truth[measure])
                for measure in (*RATES, *MONEY)
            ]
        )
    assert np.mean(held, axis=0).min() >= HOLDS


def test_the_newest_part_alone_says_nothing_of_the_rest() -> None:
    world = accounts(200)[0]
    newest = {page: {(): world.pages[page]} for page in range(300)}
    for more in ({}, {900: {(): world.pages[900]}}):
        sample = Sample({**newest, **more}, len(world.pages), (world.rows, world.rows))
        assert sample.estimate(None, "success_rate", CONFIDENCE) == TOO_EARLY


def test_below_20_pages_only_the_number_of_sessions_is_known() -> None:
    world = accounts(200)[0]
    sample = Sample({n * 60: {(): world.pages[n * 60]} for n in range(16)}, 1_000, (19_000, 20_000))
    assert sample.estimate(None, "sessions", CONFIDENCE) == Interval(19_500, 19_000, 20_000)
    for measure in (*RATES, *MONEY):
        assert sample.estimate(None, measure, CONFIDENCE) == TOO_EARLY


def test_totals_carry_the_bounds_between_which_the_rows_are_counted() -> None:
    world = accounts(200)[0]
    ((_, sample),) = world.read(b"key", [100])
    known = sample.estimate(None, "spend", CONFIDENCE)
    between = Sample(sample.pages, 1_000, (18_000, 22_000)).estimate(None, "spend", CONFIDENCE)
    assert known.low is not None
    assert known.high is not None
    low, high = pytest.approx(known.low * 0.9), pytest.approx(known.high * 1.1)
    assert (between.value, between.low, between.high) == (known.value, low, high)


def _grouped(pages: int, every: int) -> Sample:
    """Two groups: one on every page, another on one in so many."""
    usual, rare = Sums(19, 19, 15, 19, 4, 1.0, 1.0), Sums(1, 1, 1, 1, 0, 0.5, 0.5)
    read = range(0, 1_000, 1_000 // pages)
    return Sample(
        {
            page: {("US",): usual} | ({(None,): rare} if number % every == 0 else {})
            for number, page in enumerate(read)
        },
        1_000,
        (20_000, 20_000),
    )


def test_a_group_on_fewer_than_five_pages_shows_its_sessions_only() -> None:
    sample = _grouped(100, 25)
    assert sample.groups() == [("US",), (None,)]
    shown = [m for m in MEASURES if sample.estimate((None,), m, CONFIDENCE) != TOO_EARLY]
    assert shown == ["sessions"]


@pytest.mark.slow
@pytest.mark.parametrize("pages", [100, 200])
def test_intervals_of_groups_hold_large_and_small(pages: int) -> None:
    held: dict[tuple[str, str], list[bool]] = {}
    for seed, world in enumerate(accounts(200, shares=(0.6, 0.3, 0.08, 0.02))):
        ((_, sample),) = world.read(b"key %d" % seed, [pages])
        for group in sample.groups():
            for measure, truth in world.truth_of(group).items():
                interval = sample.estimate(group, measure, CONFIDENCE)
                if interval != TOO_EARLY:
                    held.setdefault((group[0] or "", measure), []).append(holds(interval, truth))
    # Of the smallest group money is too early to tell at 100 pages.
    assert len(held) == 4 * len(MEASURES) - (2 if pages == 100 else 0)
    assert {key: mean(of) >= HOLDS for key, of in held.items()} == dict.fromkeys(held, True)


def test_groups_add_up_to_all_sessions_and_all_spend() -> None:
    sample = _grouped(100, 2)
    for measure in ("sessions", "spend"):
        parts = [sample.estimate(group, measure, CONFIDENCE).value for group in sample.groups()]
        whole = sample.estimate(None, measure, CONFIDENCE).value
        assert sum(part or 0 for part in parts) == pytest.approx(whole)


def test_rows_that_no_table_takes_are_not_counted_as_sessions() -> None:
    sample = Sample(
        {page: {(): Sums(10, 10, 5, 10, 1, 1.0, 1.0)} for page in range(0, 1_000, 10)},
        1_000,
        (20_000, 20_000),
        rows=dict.fromkeys(range(0, 1_000, 10), 20),
    )
    assert sample.estimate(None, "sessions", CONFIDENCE).value == 10_000
    assert sample.estimate(None, "spend", CONFIDENCE).value == pytest.approx(1_000)


@given(
    confidence=st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99, 0.999]),
    degrees=st.one_of(st.integers(1, 30).map(float), st.floats(2, 100_000)),
)
def test_student_quantiles_are_those_of_scipy(confidence: float, degrees: float) -> None:
    expected = stats.t.ppf((1 + confidence) / 2, degrees)
    assert student_quantile(confidence, degrees) == pytest.approx(expected, rel=1e-6)
