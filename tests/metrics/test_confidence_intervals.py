from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from plivo_analysis.errors import FilterError
from plivo_analysis.metrics.confidence_intervals import newcombe, normal_quantile, ratio, wilson


@given(
    trials=st.integers(1, 10_000_000),
    share=st.floats(0, 1),
    confidence=st.sampled_from([0.5, 0.8, 0.9, 0.95, 0.99, 0.999]),
)
def test_the_wilson_interval_is_that_of_statsmodels(
    trials: int, share: float, confidence: float
) -> None:
    successes = round(trials * share)
    expected = proportion_confint(successes, trials, alpha=1 - confidence, method="wilson")
    assert wilson(successes, trials, normal_quantile(confidence)) == pytest.approx(
        expected, abs=1e-12
    )


@given(trials=st.integers(1, 10_000), confidence=st.floats(0.01, 0.999))
def test_the_interval_holds_the_rate_and_ends_at_the_borders(
    trials: int, confidence: float
) -> None:
    z = normal_quantile(confidence)
    assert wilson(0, trials, z)[0] == 0.0
    assert wilson(trials, trials, z)[1] == 1.0
    low, high = wilson(trials // 2, trials, z)
    assert low is not None
    assert high is not None
    assert 0 <= low <= trials // 2 / trials <= high <= 1


@given(
    before=st.tuples(st.integers(0, 50), st.integers(0, 50)),
    after=st.tuples(st.integers(0, 2000), st.integers(0, 2000)),
    confidence=st.sampled_from([0.5, 0.95, 0.999]),
)
def test_the_interval_of_a_change_is_that_of_statsmodels(
    before: tuple[int, int], after: tuple[int, int], confidence: float
) -> None:
    (k0, more0), (k1, more1) = before, after
    counts = (k0, k0 + more0), (k1, k1 + more1)
    found = newcombe(*counts, normal_quantile(confidence))
    if not (counts[0][1] and counts[1][1]):
        assert found == (None, None)
        return
    wanted = confint_proportions_2indep(
        *counts[1], *counts[0], method="newcomb", compare="diff", alpha=1 - confidence
    )
    assert found == pytest.approx(wanted, abs=1e-9)


def test_without_trials_there_is_no_interval_and_no_rate() -> None:
    assert wilson(0, 0, 1.96) == (None, None)
    assert ratio(0, 0) is None


@pytest.mark.parametrize("confidence", [0, 1, -0.5, 95, float("nan"), "0.95", None])
def test_a_confidence_outside_of_0_and_1_is_refused(confidence: Any) -> None:
    with pytest.raises(FilterError, match=r"confidence is .*; it lies between 0 and 1"):
        normal_quantile(confidence)
