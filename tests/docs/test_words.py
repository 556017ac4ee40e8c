"""Words that were found hard to read and are not to come back, wherever somebody reads."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

import pytest

from plivo_analysis.figures import style
from plivo_analysis.values.typesetting import plural, weekday

ROOT = Path(__file__).parents[2]
# Code with its texts and templates, the site, the tutorials, and what the code host shows.
READ = [
    *(ROOT / "plivo_analysis").rglob("*.py"),
    *(ROOT / "plivo_analysis").rglob("*.html"),
    *(ROOT / "docs").rglob("*.md"),
    *(ROOT / "notebooks").glob("*.ipynb"),
    *ROOT.glob("*.md"),
]
GONE = {
    "shows with the first ones": "The time needed is known after the first requests.",
    "Take along": "Export",
    "Ask the account": "Load from Plivo",
    "On what was read": "Explore loaded data",
    "Before, UTC": "To (not included), UTC",
    "What has come shows": "Loading. Results appear as they arrive.",
    "with an attempt on these": "Show sessions that used these channels.",
    "takes the two letters": "Use a two-letter code, such as BD.",
    "where the median day": "(usually 4 a day)",
    "chance alone": "95 % confidence interval; within what chance can cause",
    "beside Spend": "not included in Spend",
    r"\d+ to come\b": "8 pending",
    r"\b1 (records|pages|sessions|requests|lines)\b": "1 record from 1 page",
    "whoever": "everyone who",
}
# A number put into a text before a plural noun is wrong for 1: `plural` writes both. What stands
# after "of" is a whole, which is said in the plural, as a range of numbers and a fraction are.
COUNTED = re.compile(
    r"(?<![Oo]f )(?<!of the )(?<!for )\{(?!self\.how_many)[^{}]+(?<!\.1f)\}(?:</b>)? "
    r"(?:sessions|messages|records|rows|pages|requests|attempts|lines|files|hours|minutes)\b"
)
NAMES_OF_TESTS = re.compile(r"test_\w+")


@pytest.mark.parametrize("phrase", GONE)
def test_a_phrase_that_nobody_understood_is_gone(phrase: str) -> None:
    found = []
    for path in READ:
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
            if re.search(phrase, NAMES_OF_TESTS.sub("", line), re.IGNORECASE):
                found.append(f"{path.relative_to(ROOT)}:{number}: {line.strip()[:90]}")
    assert not found, f"say {GONE[phrase]!r}: {found}"


def test_names_and_counts_are_said_as_people_say_them() -> None:
    assert [style.name(word) for word in ("rcs", "mms", "sms")] == ["RCS", "MMS", "SMS"]
    assert [plural(1, "record"), plural(2, "record")] == ["1 record", "2 records"]
    assert weekday(datetime(2026, 11, 2)).startswith("Mon 2 Nov")  # noqa: DTZ001 - a wall clock


def test_a_number_before_a_noun_counts_one_as_well() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:90]}"
        for path in (ROOT / "plivo_analysis").rglob("*")
        if path.suffix in {".py", ".html"}
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if COUNTED.search(line)
    ]
    assert not found, f"write it with plural(number, noun): {found}"
