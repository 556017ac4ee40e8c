"""What is shown of a number, and that nothing more of it is."""

import json
import re
import unicodedata
from datetime import datetime
from decimal import Decimal
from urllib.parse import unquote
from uuid import UUID

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from plivo_analysis.loaders.recipients import mask_json
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
        ("\u0661\u0664\u0661\u0665\u0665\u0665\u0665", "1 ••• ••• ••55"),
        ("\uff0b\uff11415\u200b555\u2060 0126", "1 ••• ••• ••26"),
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
        ("recipient=%2B14155550126&x", "recipient=1 ••• ••• ••26&x"),
        ("?to=%31%34155550126&n=1", "?to=1 ••• ••• ••26&n=1"),
        ("?to=1+415%20555%2D0126", "?to=1 ••• ••• ••26"),
        ("call 1/415/555/0126", "call 1 ••• ••• ••26"),
        ("1_415_555_0126; 1*415*555*0126", "1 ••• ••• ••26; 1 ••• ••• ••26"),
        ("1 \u2013 415 \u2013 555 \u2013 0126", "1 ••• ••• ••26"),
        (
            '"\\uff11\\uff14\\uff11\\uff15\\uff15\\uff15\\uff10\\uff11\\uff12\\uff16"',
            '"1 ••• ••• ••26"',
        ),
        ("1\ufe0f\u20e34\ufe0f\u20e3155550126", "1 ••• ••• ••26"),
        ("141555.50126", "1 ••• ••• ••26"),
        ("415.555 0126", "41 ••• ••• ••26"),
        ("1415-55-50 126", "1 ••• ••• ••26"),
        ("2010-01-23 4567", "20 ••• ••• ••67"),
        ("14155550126 2026-03-01 10:00:00", "1 ••• ••• ••26 2026-03-01 10:00:00"),
        ("2026-03-01 10:00:00 14155550126", "2026-03-01 10:00:00 1 ••• ••• ••26"),
        (
            "14155550126 51e965f3-65a5-4ca0-9542-571541180091",
            "1 ••• ••• ••26 51e965f3-65a5-4ca0-9542-571541180091",
        ),
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
        "2026-03-01/2026-03-02",
        "2026-03-01 10:00:00+00:00 2026-03-02 10:00:00+00:00",
        "$2465.4700, 0.08000, 1,234,567 rows",
        "café 51e965f3-65a5-4ca0-9542-571541180091 2026-03-01",
        "12345.67000000 of 0.00000001",
        "status 429 after 20 tries",
    ],
)
def test_ids_times_and_amounts_stay(text: str) -> None:
    assert mask_text(text) == text


@given(st.from_regex(r"[1-9][0-9]{7,14}", fullmatch=True), st.text(max_size=5))
@example("10000000", "%")
def test_no_more_than_five_digits_of_a_number_are_ever_shown(number: str, around: str) -> None:
    around = re.sub(r"[\d.\-/]", "", around)
    shown = mask_text(f"{around}{number}{around}")
    assert sum(sign.isdecimal() for sign in shown) <= 5
    assert number not in shown


NUMBERS = ("14155550126", "12025550143", "447700900123", "447700900987")
SEPARATORS = ["", " ", "-", ".", "/", "(", ")", ") ", " - ", "_", "\u2011", "\u00a0", "%20", "+"]
UNSEEN = ["", "", "", "\u200b", "\u200d", "\u2060", "\ufeff", "\u202e", "\u00ad", "\ufe0f"]
ZEROS = "0\uff10\u0660\u06f0\u0966\U0001d7ce"  # the zeros of six scripts or widths
AROUND = st.sampled_from(
    ["", "to ", "tel:", "(", '{"to":"', "\u202b", "call me at ", "?recipient=", "é "]
)


@st.composite
def spellings(draw: st.DrawFn) -> tuple[str, str]:
    """One of a known set of numbers, and a way to write it."""
    number = draw(st.sampled_from(NUMBERS))
    zero = draw(st.sampled_from(ZEROS))
    signs = []
    for digit in number:
        sign = chr(ord(zero) + int(digit)) if draw(st.booleans()) else digit
        if draw(st.integers(0, 5)) == 0:
            sign = "".join(f"%{byte:02X}" for byte in sign.encode())
        signs += [sign, draw(st.sampled_from(UNSEEN)), draw(st.sampled_from(SEPARATORS))]
    prefix = draw(st.sampled_from(["", "+", "00", "%2B", "+(", "0"]))
    return number, draw(AROUND) + prefix + "".join(signs) + draw(AROUND)


def digits_of(text: str) -> str:
    seen = unicodedata.normalize("NFKC", unquote(text))
    return "".join(str(unicodedata.digit(sign)) for sign in seen if sign.isdecimal())


@settings(max_examples=500)
@given(spelt=spellings(), as_json=st.booleans())
def test_no_number_survives_in_any_spelling(spelt: tuple[str, str], as_json: bool) -> None:
    number, text = spelt
    if as_json:
        text = json.dumps({"note": text})
        shown = json.loads(mask_json(text))["note"]
    else:
        shown = mask_text(text)
    assert number[-7:] not in digits_of(shown)
    assert len(digits_of(shown)) <= 5
    assert number[-7:] not in digits_of(mask_number(text))


@given(uuid=st.uuids(), spelt=spellings())
def test_a_uuid_beside_a_number_stays(uuid: UUID, spelt: tuple[str, str]) -> None:
    shown = mask_text(f"{uuid} {spelt[1]}, {str(uuid).upper()}")
    assert shown.startswith(f"{uuid} ")
    assert shown.endswith(f", {str(uuid).upper()}")


@given(st.datetimes(datetime(1971, 1, 1), datetime(2099, 1, 1)), st.sampled_from("T "))  # noqa: DTZ001
def test_a_time_stays(when: datetime, between: str) -> None:
    for text in (when.isoformat(between), f"{when.isoformat(between)}+05:30", str(when.date())):
        assert mask_text(f"at {text}, then") == f"at {text}, then"


@given(st.decimals(0, 9999, places=5), st.integers(0, 999_999))
def test_an_amount_stays(amount: Decimal, whole: int) -> None:
    for text in (f"{amount}", f"{amount}000", f"{whole}.00000000", f"{whole}.2"):
        assert mask_text(f"paid {text}, then") == f"paid {text}, then"


@given(st.text())
def test_masking_twice_changes_nothing_more(text: str) -> None:
    assert mask_text(mask_text(text)) == mask_text(text)


@given(st.from_regex(r"[1-9][0-9]{6,14}", fullmatch=True))
def test_a_calling_code_is_what_the_number_begins_with(number: str) -> None:
    code = calling_code(number)
    assert number.startswith(code)
    assert 1 <= len(code) <= 3
