"""Numbers that were deleted are known again in any spelling, and no other number is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plivo_analysis.storage.tombstones import Tombstones, candidates, digest

KEY = b"key"
NUMBER, BRITISH = "14155550187", "447700900123"
FORGOTTEN = Tombstones(KEY, {digest(KEY, NUMBER): 11, digest(KEY, BRITISH): 12})

SPELLINGS = {
    "bare": NUMBER,
    "in the usual way": "+1 (415) 555-0187",
    "with slashes": "1/415/555/0187",
    "with dots": "1.415.555.0187",
    "in an address": "?recipient=%2B14155550187&limit=20",
    "in an address with blanks": "?recipient=%2B1%20415%20555%200187",
    "with leading zeros": "0014155550187",
    "with leading zeros apart": "00 1 415 555 0187",
    "with the prefix of North America": "01114155550187",
    "with signs that do not show": "1\u200b415\u00ad555\u202a0187",
    "with a mark set on a digit": "1\ufe0f\u20e34155550187",
    "with blanks that do not break": "1\u00a0415\u2009555\u202f0187",
    "with typographic hyphens": "1\u2011415\u2013555\u22120187",
    "with plus signs for blanks": "%2B1+415+555+0187",
    "with control signs": "1\x00415\x07555\x7f0187",
    "with blanks that are letters": "1\u2800415\u115f555\u11600187",
    "in full width": "\uff0b\uff11\uff14\uff11\uff15\uff15\uff15\uff15\uff10\uff11\uff18\uff17",
    "in Arabic digits": "\u0661\u0664\u0661\u0665\u0665\u0665\u0665\u0660\u0661\u0668\u0667",
    "in Devanagari digits": "\u0967\u096a\u0967\u096b\u096b\u096b\u096b\u0966\u0967\u096e\u096d",
    "in superscript": "\u00b9\u2074\u00b9\u2075\u2075\u2075\u2075\u2070\u00b9\u2078\u2077",
    "after a date": "2026-10-01 14155550187",
    "before a count": "14155550187 3",
    "between words": "tel14155550187x2",
    "as a float": "1.4155550187E+10",
    "with a trunk zero": "+44 (0)7700 900 123",
    "with its own zero in brackets": "1 415 555 (0)187",
}

OTHERS = {
    "somebody else's": "14155550188",
    "a longer one that ends alike": f"9{NUMBER}",
    "a longer one that begins alike": f"{NUMBER}1",
    "a part": "4155550187",
    "digits far apart": "1415, 5550187",
    "a uuid": "14155550-1870-4000-8000-000000000000",
    "a time": "2026-10-01T14:15:55.550187Z",
}


@pytest.mark.parametrize("text", SPELLINGS.values(), ids=list(SPELLINGS))
def test_a_number_is_known_in_any_spelling(text: str) -> None:
    assert FORGOTTEN.knows(text)
    assert FORGOTTEN.within({"a": [{"b": f"ask {text} now"}]})
    assert FORGOTTEN.within({text: None})
    for ascii_only in (True, False):
        assert FORGOTTEN.within_json(json.dumps({"a": [text]}, ensure_ascii=ascii_only))


@pytest.mark.parametrize("number", [NUMBER, BRITISH])
@pytest.mark.parametrize("text", [*SPELLINGS.values(), *OTHERS.values()])
def test_a_number_in_clear_is_known_exactly_where_its_hash_is(text: str, number: str) -> None:
    by_hash = Tombstones(KEY, {digest(KEY, number): len(number)})
    assert Tombstones.of(KEY, number).knows(text) == by_hash.knows(text)


@given(
    st.lists(st.sampled_from(["1", "415", "4", "15", "5550187", "0", "(0)", " ", "-", "a", "٤"]))
)
def test_no_text_hides_a_number_in_clear_from_a_search_that_finds_its_hash(
    parts: list[str],
) -> None:
    text = "".join(parts)
    by_hash = Tombstones(KEY, {digest(KEY, NUMBER): len(NUMBER)})
    assert Tombstones.of(KEY, NUMBER).knows(text) == by_hash.knows(text)


@pytest.mark.parametrize("text", OTHERS.values(), ids=list(OTHERS))
def test_what_is_not_the_number_is_not_taken_for_it(text: str) -> None:
    assert not FORGOTTEN.knows(text)
    assert not FORGOTTEN.within_json(json.dumps({"a": text}))


def test_a_number_is_known_as_a_json_number_too() -> None:
    assert FORGOTTEN.within({"caller": [14155550187]})
    assert not FORGOTTEN.within([1415, 5550187])
    assert not FORGOTTEN.within_json("[1415,5550187]")


SEPARATORS = st.text(alphabet=" .-()/\u00a0\u2011\u2013_", max_size=3)
SCRIPTS = st.sampled_from([0x30, 0x660, 0x6F0, 0x966, 0xFF10])
HIDDEN = st.text(alphabet="\u200b\u200d\u2060\ufeff\u00ad", max_size=2)


@given(
    prefix=st.sampled_from(["", "+", "00", "011", "%2B", "tel:"]),
    signs=st.lists(st.tuples(SCRIPTS, SEPARATORS, HIDDEN), min_size=11, max_size=11),
    before=st.sampled_from(["", "of ", '"', "7 "]),
    after=st.sampled_from(["", ".", " 2", "x"]),
)
def test_no_spelling_of_a_number_goes_unknown(
    prefix: str, signs: list[tuple[int, str, str]], before: str, after: str
) -> None:
    written = "".join(
        hidden + chr(zero + int(digit)) + (separator if place < 10 else "")
        for place, (digit, (zero, separator, hidden)) in enumerate(zip(NUMBER, signs, strict=True))
    )
    assert FORGOTTEN.knows(f"{before}{prefix}{written}{after}")


@given(st.text(alphabet="0123456789 -/x", max_size=60))
def test_every_candidate_is_made_of_whole_groups_of_digits(text: str) -> None:
    groups = "".join(sign if sign.isdigit() else " " for sign in text).split()
    for found in candidates(text, 6, 15):
        runs = [
            "".join(groups[first:last])
            for first in range(len(groups))
            for last in range(first + 1, len(groups) + 1)
        ]
        assert 6 <= len(found) <= 15
        assert any(found in (run, run.removeprefix("011"), run.lstrip("0")) for run in runs)
