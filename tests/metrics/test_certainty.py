"""What may be said of a number is decided in one place, from what was read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plivo_analysis.errors import SchemaError
from plivo_analysis.metrics.certainty import (
    Certainty,
    Completeness,
    completeness,
    coverage_rows,
    unread_ranges,
)

START = datetime(2026, 10, 1, tzinfo=UTC)
HOURS = 48
END = START + timedelta(hours=HOURS)


def hour(number: int) -> datetime:
    return START + timedelta(hours=number)


def rows(*parts: tuple[int, int, str, str]) -> list[dict[str, Any]]:
    return [
        {"start": hour(a), "end": hour(b), "state": state, "filters": filters}
        for a, b, state, filters in parts
    ]


PARTS = st.tuples(
    st.integers(-5, HOURS + 5),
    st.integers(1, 20),
    st.sampled_from(["complete", "live", "missing", "expired"]),
    st.sampled_from(["", "status=verified"]),
).map(lambda part: (part[0], part[0] + part[1], part[2], part[3]))


@given(st.lists(PARTS, max_size=8))
def test_an_hour_is_read_if_some_row_without_a_filter_says_so(
    parts: list[tuple[int, int, str, str]],
) -> None:
    unread = unread_ranges(rows(*parts), (START, END))
    for number in range(HOURS):
        ends = {b for a, b, state, filters in parts if state == "complete" and not filters}
        said = any(
            a <= number < b and not filters
            for a, b, state, filters in parts
            if state == "complete" or (state == "live" and (a <= 0 or a in ends))
        )
        lacking = any(low <= hour(number) < high for low, high in unread)
        assert lacking is not said
    assert all(a[1] < b[0] for a, b in pairwise(unread)), "in order, and apart"


@given(st.lists(PARTS, max_size=6), st.integers(0, HOURS - 1), st.integers(1, 24))
def test_a_part_is_exact_not_read_or_between(
    parts: list[tuple[int, int, str, str]], first: int, length: int
) -> None:
    complete = Completeness(
        rows=1, period=(START, END), unread=unread_ranges(rows(*parts), (START, END))
    )
    last = min(HOURS, first + length)
    hours = [complete.within(hour(n), hour(n + 1)) for n in range(first, last)]
    whole = complete.within(hour(first), hour(last))
    if len(set(hours)) == 1:
        assert whole is hours[0]
    else:
        assert whole is Certainty.AT_LEAST
    assert complete.hours == HOURS


@pytest.mark.parametrize(
    ("known", "counts", "money"),
    [
        (Completeness(rows=2), "exact", "exact"),
        (Completeness(rows=2, may_verify=2), "exact", "exact"),
        (Completeness(rows=2, unpriced=1), "exact", "at least"),
        (Completeness(rows=2, set_aside=1), "at least", "at least"),
        (Completeness(rows=0, set_aside=1), "not read", "not read"),
        (Completeness(rows=2, period=(START, END), unread=((START, END),)), *["at least"] * 2),
        (Completeness(rows=0, period=(START, END), unread=((START, END),)), *["not read"] * 2),
        (Completeness(rows=0, period=(START, END), unread=((START, hour(1)),)), *["at least"] * 2),
        (Completeness(rows=0), "exact", "exact"),
    ],
)
def test_what_may_be_said(known: Completeness, counts: str, money: str) -> None:
    assert (known.counts.value, known.money.value) == (counts, money)
    assert known.nothing == (not known.rows and counts == "exact")


def test_the_newest_minutes_of_a_range_that_was_not_read_were_not_read() -> None:
    table = pl.DataFrame(schema={"status": pl.String, "total_charge": pl.Decimal(18, 8)})
    parts = [(0, 47, "missing", ""), (47, 48, "live", "")]
    unread = pl.DataFrame(rows(*parts)).with_columns(rows=0, open=0, read_at=None)
    assert completeness(table, (START, END), coverage=unread).counts is Certainty.NOT_READ
    live = unread.with_columns(state=pl.lit("live")).tail(1)
    assert completeness(table, (hour(47), END), coverage=live).counts is Certainty.EXACT


def test_without_coverage_a_table_is_taken_as_whole() -> None:
    table = pl.DataFrame({"status": ["verified", "in-progress"], "total_charge": [None, 1]})
    known = completeness(table)
    assert (known.rows, known.unpriced, known.may_verify) == (2, 1, 1)
    assert known.counts is Certainty.EXACT


def test_another_table_is_refused_by_name() -> None:
    with pytest.raises(SchemaError, match=r"coverage is what pva\.coverage"):
        coverage_rows(pl.DataFrame({"alias": ["x"]}))
