"""Which page of a listing to read next: the order, the counting, and what is no list."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plivo_analysis.sync.page_request import PAGE_ROWS, PageRequest, PageSeen
from plivo_analysis.sync.sampling import NotAListError, Sampling, spread
from plivo_analysis.values.spans import DAY, HOUR, MINUTE, Span

RANGE = Span(0, 90 * DAY - 6 * HOUR)


def rows_of(number: int) -> list[tuple[str, int]]:
    """As many rows, newest first, evenly over the range."""
    return [
        (str(row), RANGE.end - 1 - row * (RANGE.length - 1) // max(number, 1))
        for row in range(number)
    ]


def listed(rows: list[tuple[str, int]], request: PageRequest, **knobs: Any) -> PageSeen:
    """A page as a server gives it that keeps to bounds and offsets."""
    inside = [row for row in rows if row[1] in request.span]
    page = tuple(inside[request.offset : request.offset + PAGE_ROWS])
    return PageSeen(page, len(page), knobs.get("next", request.offset + PAGE_ROWS < len(inside)))


def counted(rows: list[tuple[str, int]]) -> tuple[Sampling, int]:
    """The list once it is known, and the requests that took."""
    sampling, requests = Sampling(RANGE), 0
    while (request := sampling.request()) is not None:
        sampling.receive(request, listed(rows, request))
        requests += 1
    return sampling, requests


@given(number=st.integers(0, 3_000))
def test_rows_are_counted_exactly(number: int) -> None:
    sampling, requests = counted(rows_of(number))
    assert (sampling.rows_low, sampling.rows_high) == (number, number)
    assert sampling.of_pages == math.ceil(number / PAGE_ROWS)
    assert requests <= math.log2(number / PAGE_ROWS + 2) + 5


@pytest.mark.parametrize(("number", "most"), [(20_000, 15), (100_000, 18)])
def test_counting_takes_no_more_requests_than_promised(number: int, most: int) -> None:
    assert counted(rows_of(number))[1] <= most


@pytest.mark.parametrize("share", [0.1, 10])
def test_counting_takes_four_more_where_the_newest_hour_holds_a_tenth_or_tenfold(
    share: float,
) -> None:
    usual = RANGE.length // 100_000
    crowd = [(str(row), RANGE.end - 1 - int(row * usual / share)) for row in range(100)]
    rest = [(f"{row} later", at - 2_000 * usual) for row, (_, at) in enumerate(rows_of(100_000))]
    rows = [*crowd, *((key, at) for key, at in rest if at >= RANGE.start)]
    sampling, requests = counted(rows)
    assert sampling.rows_low == len(rows)
    assert requests <= 18 + 4


@given(key=st.binary(min_size=1, max_size=64), pages=st.integers(1, 400))
def test_every_page_comes_once(key: bytes, pages: int) -> None:
    assert sorted(spread(key, pages)) == list(range(pages))


@given(key=st.binary(min_size=1, max_size=64), power=st.integers(1, 6))
def test_every_beginning_is_spread_over_the_whole_list(key: bytes, power: int) -> None:
    parts = 2**power
    first = [page for page, _ in zip(spread(key, 64 * 16), range(parts), strict=False)]
    assert sorted(page * parts // (64 * 16) for page in first) == list(range(parts))


def test_another_account_or_range_has_another_order() -> None:
    assert list(spread(b"one", 50)) != list(spread(b"another", 50))


def test_a_page_proves_the_whole_minutes_between_its_rows() -> None:
    sampling, _ = counted(rows_of(1_000))
    newest, oldest = sampling.pages[0].rows[0][1], sampling.pages[0].rows[-1][1]
    proven = sampling.proven(0)
    assert proven.end == RANGE.end
    assert oldest < proven.start < oldest + MINUTE + 1
    last = sampling.proven(49)
    assert last.start == RANGE.start
    assert last.end <= sampling.pages[49].rows[0][1] < newest


def test_the_same_pages_lead_to_the_same_state() -> None:
    rows, asked = rows_of(3_000), []
    sampling = Sampling(RANGE)
    while (request := sampling.request()) is not None:
        asked.append((request, listed(rows, request)))
        sampling.receive(*asked[-1])
    again = Sampling(RANGE)
    for request, page in asked:
        again.receive(request, page)
    assert again == sampling


def test_a_late_row_that_shifts_the_rest_is_no_disorder() -> None:
    rows, sampling = rows_of(2_000), Sampling(RANGE)
    late = 0
    while (request := sampling.request()) is not None:
        sampling.receive(request, listed(rows, request))
    for position in range(100):
        if position % 25 == 24 and late < 3:
            late += 1
            rows.insert(1, (f"late {late}", rows[0][1]))
        if position not in sampling.pages:
            request = sampling.page(position)
            sampling.receive(request, listed(rows, request))
    assert len(sampling.pages) == 100


SERVERS: dict[str, Any] = {
    "ignores the offset": lambda rows, r: listed(rows, PageRequest(r.span)),
    "counts pages": lambda rows, r: listed(rows, PageRequest(r.span, r.offset * PAGE_ROWS)),
    "clamps the offset": lambda rows, r: listed(rows, PageRequest(r.span, min(r.offset, 400))),
    "caps the list in silence": lambda rows, r: listed(
        [row for row in rows if row[1] in r.span][:400], PageRequest(RANGE, r.offset)
    ),
    "lists the oldest first": lambda rows, r: listed(rows[::-1], r),
    "cuts upper bounds to the day": lambda rows, r: listed(
        rows, PageRequest(Span(r.span.start, r.span.end // DAY * DAY), r.offset)
    ),
    "ignores the bounds": lambda rows, r: listed(
        [("-1", RANGE.end + 5), *rows], PageRequest(Span(0, RANGE.end + 9), r.offset)
    ),
    "gives short pages": lambda rows, r: PageSeen(tuple(rows[:10]), 10, has_next=True),
}


@pytest.mark.parametrize("server", SERVERS)
def test_a_server_whose_pages_are_no_list_is_noticed(server: str) -> None:
    rows, sampling = rows_of(1_800), Sampling(RANGE)

    def count() -> None:
        while (request := sampling.request()) is not None:
            sampling.receive(request, SERVERS[server](rows, request))

    with pytest.raises(NotAListError):
        count()


def test_a_last_day_without_rows_is_no_disorder() -> None:
    rows = [(key, at - 2 * DAY) for key, at in rows_of(1_000) if at >= 2 * DAY]
    sampling, _ = counted(rows)
    assert sampling.rows_low == len(rows)


def test_a_list_of_another_order_is_noticed_between_pages() -> None:
    rows, sampling = rows_of(2_000), Sampling(RANGE)
    while (request := sampling.request()) is not None:
        sampling.receive(request, listed(rows, request))
    swapped = [*rows[:500], *rows[900:920], *rows[520:900], *rows[500:520], *rows[920:]]

    def read() -> None:
        for position in spread(b"key", 100):
            request = sampling.page(position)
            sampling.receive(request, listed(swapped, request))

    with pytest.raises(NotAListError):
        read()
