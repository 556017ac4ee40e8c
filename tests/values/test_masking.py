"""What is shown of a number, and that nothing more of it is."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plivo_analysis.values.masking import calling_code, mask_number, mask_text

HIDDEN_DIGITS = "X" * 5  # as the API hides them


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("14155550126", "1 ••• ••• ••26"),
        ("+14155550126", "1 ••• ••• ••26"),
        ("0014155550126", "1 ••• ••• ••26"),
        ("1 (415) 555-0126", "1 ••• ••• ••26"),
        ("447700900123", "44 ••• ••• ••23"),
        ("07700900123", "••• ••• ••23"),
        ("88000000017", "880 ••• ••• ••17"),
        (f"141{HIDDEN_DIGITS}528", "1 ••• ••• ••28"),
        ("*******", "••• ••• ••**"),
        ("\u0661\u0664\u0661\u0665\u0665\u0665\u0665", "••• ••• ••\u0665\u0665"),
        ("tel 1a4a1a5a5a5a5", "1 ••• ••• ••55"),
    ],
)
def test_a_number_shows_its_calling_code_and_its_last_two_digits(number: str, masked: str) -> None:
    assert mask_number(number) == masked


@pytest.mark.parametrize("name", ["PLVRFY", "58671", "", "Acme 24/7"])
def test_names_of_senders_and_short_codes_stay(name: str) -> None:
    assert mask_number(name) == name


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("to 14155550126.", "to 1 ••• ••• ••26."),
        ("recipient=%2B14155550126&x", "recipient=%2B1 ••• ••• ••26&x"),
        ('{"to":"447700900123","n":1}', '{"to":"44 ••• ••• ••23","n":1}'),
        ("14155550126,447700900123", "1 ••• ••• ••26,44 ••• ••• ••23"),
        ("+1 415.555.0126", "1 ••• ••• ••26"),
        ("tel14155550126x", "tel1 ••• ••• ••26x"),
        ("14155550126.5", "1 ••• ••• ••65"),
    ],
)
def test_numbers_are_found_in_any_text(text: str, masked: str) -> None:
    assert mask_text(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        "",
        "session 51e965f3-65a5-4ca0-9542-571541180091 at 2026-03-01T10:00:00.123456789Z",
        "12345678-1234-1234-1234-123456789012",
        "2026-03-01 10:00:00.123456+05:30",
        "since 2026-03-01 until 2026-03-02",
        "12345.67000000 of 0.00000001",
        "status 429 after 20 tries",
    ],
)
def test_ids_times_and_amounts_stay(text: str) -> None:
    assert mask_text(text) == text


@given(st.from_regex(r"[1-9][0-9]{7,14}", fullmatch=True), st.text(max_size=5))
def test_no_more_than_five_digits_of_a_number_are_ever_shown(number: str, around: str) -> None:
    around = re.sub(r"[\d.\-/]", "", around)
    shown = mask_text(f"{around}{number}{around}")
    assert sum(sign.isdecimal() for sign in shown) <= 5
    assert number not in shown


@given(st.text())
def test_masking_twice_changes_nothing_more(text: str) -> None:
    assert mask_text(mask_text(text)) == mask_text(text)


@given(st.from_regex(r"[1-9][0-9]{6,14}", fullmatch=True))
def test_a_calling_code_is_what_the_number_begins_with(number: str) -> None:
    code = calling_code(number)
    assert number.startswith(code)
    assert 1 <= len(code) <= 3
