"""How numbers and foreign text are set."""

from __future__ import annotations

import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plivo_analysis.system.versions import show_versions
from plivo_analysis.values.typesetting import clean, money, plain, signed

AMOUNTS = st.decimals(min_value=-(10**9), max_value=10**9, places=8)


@given(AMOUNTS)
def test_an_amount_shown_whole_reads_back_as_itself(amount: Decimal) -> None:
    shown = money(amount, digits=None).replace("$", "").replace(",", "").replace("−", "-")
    assert Decimal(shown) == amount


@given(AMOUNTS, st.sampled_from(["USD", "EUR", "GBP", "INR", "AED"]))
def test_a_minus_stands_before_the_currency_and_no_zero_has_one(
    amount: Decimal, currency: str
) -> None:
    shown = money(amount, currency)
    assert "-" not in shown
    assert shown.startswith("−") == (plain(amount, 2).startswith("−"))
    assert shown.strip("−$€£₹AED\xa0") != "0.00" or not shown.startswith("−")


@given(st.text(max_size=300))
def test_cleaned_text_is_short_and_holds_nothing_unseen(text: str) -> None:
    cleaned = clean(text)
    assert len(cleaned) <= 80
    assert not [c for c in cleaned if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}]
    assert clean(cleaned) == cleaned


@pytest.mark.parametrize(
    ("text", "expected"), [("1.0", "+1.0"), ("−1.0", "−1.0"), ("0.0", "0.0"), ("–", "–")]
)
def test_only_what_is_above_zero_gets_a_plus(text: str, expected: str) -> None:
    assert signed(text) == expected


def test_versions_name_the_packages_and_no_path(capsys: pytest.CaptureFixture[str]) -> None:
    show_versions()
    told = capsys.readouterr().out
    for name in ("python", "plivo_analysis", "polars", "plotly", "msgspec", "jinja2", "nbformat"):
        assert f"\n{name} " in f"\n{told}"
    assert "/" not in told
