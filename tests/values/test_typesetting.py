"""How numbers and foreign text are set."""

from __future__ import annotations

import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plivo_analysis.system.versions import show_versions
from plivo_analysis.values.typesetting import clean, for_terminal, money, plain, signed

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


@given(st.text(max_size=300), st.sampled_from(["ascii", "cp1252", "latin-1", "utf-8", None, "?"]))
def test_a_terminal_is_sent_what_it_can_show_and_nothing_that_steers_it(
    text: str, encoding: str | None
) -> None:
    shown = for_terminal(f"\x1b]0;{text}\x07\u202e", encoding)
    shown.encode(encoding if encoding not in (None, "?") else "ascii")
    unseen = {c for c in shown if unicodedata.category(c) in {"Cc", "Cf", "Cs", "Zl", "Zp"}}
    assert unseen <= {"\n", "\t"}
    assert for_terminal(shown, encoding) == shown
    assert shown.count("\n") == text.count("\n")


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("utf-8", "sms → voice: −$0.44, 12–15 Oct, 90\u202f%, É, ₹5, “x”…\n"),
        ("cp1252", "sms -> voice: -$0.44, 12–15 Oct, 90 %, É, INR 5, “x”…\n"),
        ("ascii", 'sms -> voice: -$0.44, 12-15 Oct, 90 %, E, INR 5, "x"...\n'),
        (None, 'sms -> voice: -$0.44, 12-15 Oct, 90 %, E, INR 5, "x"...\n'),
    ],
)
def test_signs_that_an_encoding_lacks_have_plain_ones(encoding: str | None, shown: str) -> None:
    text = "sms → voice: −$0.44, 12–15 Oct, 90\u202f%, É, ₹5, “x”…\n"
    assert for_terminal(text, encoding) == shown


@pytest.mark.parametrize(
    ("text", "expected"), [("1.0", "+1.0"), ("−1.0", "−1.0"), ("0.0", "0.0"), ("–", "–")]
)
def test_only_what_is_above_zero_gets_a_plus(text: str, expected: str) -> None:
    assert signed(text) == expected


def test_versions_name_the_packages_and_no_path(capsys: pytest.CaptureFixture[str]) -> None:
    show_versions()
    told = capsys.readouterr().out
    for name in ("python", "plivo_analysis", "polars", "plotly"):
        assert f"\n{name} " in f"\n{told}"
    assert "/" not in told
