from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from plivo_analysis.values.spans import MINUTE, Span, ceil, floor, from_us, merge, subtract, to_us

small = st.integers(min_value=0, max_value=60)
spans = st.builds(Span, small, small)


def instants(parts: list[Span]) -> set[int]:
    return {at for part in parts for at in range(part.start, part.end)}


@given(st.lists(spans))
def test_merged_spans_hold_the_same_instants_and_never_touch(parts: list[Span]) -> None:
    merged = merge(parts)
    assert instants(merged) == instants(parts)
    assert all(a.end < b.start for a, b in pairwise(merged))


@given(spans, st.lists(spans))
def test_a_span_is_its_parts_and_its_gaps_without_overlap(whole: Span, parts: list[Span]) -> None:
    gaps = subtract(whole, parts)
    inside = [part.clip(whole) for part in parts]
    assert instants(gaps) | instants(inside) == instants([whole])
    assert not instants(gaps) & instants(inside)


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1)))  # noqa: DTZ001 - given as UTC below
def test_an_instant_survives_the_way_to_microseconds_and_back(naive: datetime) -> None:
    instant = naive.replace(tzinfo=UTC)
    assert from_us(to_us(instant)) == instant


@given(st.integers(min_value=0, max_value=10**16))
def test_rounding_outward_never_loses_an_instant(us: int) -> None:
    around = Span(us, us + 1).outward(MINUTE)
    assert us in around
    assert around.length == MINUTE
    assert floor(us, MINUTE) <= us <= ceil(us, MINUTE)


def test_an_offset_does_not_move_an_instant() -> None:
    india = datetime.fromisoformat("2026-10-01T05:30:00+05:30")
    assert from_us(to_us(india)) - datetime(2026, 10, 1, tzinfo=UTC) == timedelta(0)
