"""The paginator against imagined servers: every row once, or a named gap; no silent loss."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plivo_analysis.sync.page_request import PAGE_ROWS, Listing, PageRequest, PageSeen
from plivo_analysis.sync.paginator import Paginator
from plivo_analysis.values.spans import DAY, HOUR, MINUTE, SECOND, Span, floor, merge, subtract

RANGE = Span(0, 90 * MINUTE)
LARGE = Span(0, 90 * DAY)


@dataclass
class Imagined:
    """A server's listing, with the departures from good behaviour that a test asks for."""

    rows: dict[str, int]
    order: str = "newest"
    step: int = 1
    offset_ignored: bool = False
    cursor: bool = False
    next_null: bool = False
    next_always: bool = False
    drop: int = 0
    page_rows: int = PAGE_ROWS
    lower_ignored: bool = False
    gone: set[str] = field(default_factory=set)
    random: Random = field(default_factory=lambda: Random(0))
    mixes_ties: bool = True
    asked: int = 0
    sorted: list[tuple[int, str]] = field(default_factory=list)  # of a large one: ties stay put

    def listing(self, span: Span) -> list[tuple[str, int]]:
        start, end = floor(span.start, self.step), floor(span.end, self.step)
        if self.sorted:
            first, last = (bisect_left(self.sorted, (at, "")) for at in (start, end))
            rows = [(key, at) for at, key in self.sorted[first:last]]
            if self.order == "random":
                return self.random.sample(rows, len(rows))
            return rows[::-1] if self.order == "newest" else rows
        rows = [
            (key, at)
            for key, at in self.rows.items()
            if key not in self.gone and at < end and (self.lower_ignored or at >= start)
        ]
        if self.mixes_ties:
            self.random.shuffle(rows)
        if self.order != "random":
            rows.sort(key=lambda row: row[1], reverse=self.order == "newest")
        return rows

    def answer(self, query: PageRequest) -> PageSeen:
        self.asked += 1
        rows = self.listing(query.span)
        offset = int(query.cursor) if query.cursor else 0 if self.offset_ignored else query.offset
        page = rows[offset : offset + self.page_rows]
        more = len(rows) > offset + self.page_rows
        if self.drop and more:
            page = sorted(self.random.sample(page, len(page) - self.drop), key=page.index)
        has_next = (more and not self.next_null) or (self.next_always and bool(page))
        return PageSeen(
            rows=tuple(page),
            count=len(page),
            has_next=has_next,
            next_cursor=str(offset + self.page_rows) if self.cursor and has_next else None,
        )


def read(server: Imagined, paginator: Paginator) -> set[str]:
    got: set[str] = set()
    while not paginator.done:
        seen = server.answer(paginator.request())
        got |= {key for key, at in seen.rows if at in paginator.span}
        paginator.receive(seen)
        assert server.asked < 2000, "reading does not end"
    return got


def lost(server: Imagined, paginator: Paginator, got: set[str]) -> set[str]:
    """Rows that are neither returned nor within a range that is named as missing."""
    return {
        key
        for key, at in server.rows.items()
        if at in paginator.span
        and key not in got
        and not any(at in gap for gap in paginator.missing)
    }


def named(*instants: int) -> dict[str, int]:
    return {f"row-{number}": at for number, at in enumerate(instants)}


spread = st.lists(st.integers(0, RANGE.end - 1), max_size=130)
minutes = st.lists(st.integers(0, 89).map(lambda n: n * MINUTE + 7), max_size=130)
counts = st.integers(0, 45)
bursts = st.tuples(counts, counts, counts).map(
    lambda sizes: [
        at
        for size, at in zip(sizes, [5 * MINUTE, 5 * MINUTE + 1, 40 * MINUTE], strict=True)
        for _ in range(size)
    ]
)
worlds = st.one_of(spread, minutes, bursts, st.tuples(spread, bursts).map(lambda p: p[0] + p[1]))

BEHAVIOURS = {
    "quiet": {},
    "next null on full pages": {"next_null": True},
    "next set at the end": {"next_always": True},
    "short pages with next set": {"drop": 3},
    "10 rows a page": {"page_rows": 10},
    "ascending": {"order": "ascending"},
    "ascending, bounds cut to the second": {"order": "ascending", "step": SECOND},
    "ascending, bounds cut to the minute": {"order": "ascending", "step": MINUTE},
    "ascending, short pages": {"order": "ascending", "drop": 3},
    "random order": {"order": "random"},
    "bounds cut to the second": {"step": SECOND},
    "bounds cut to the minute": {"step": MINUTE},
    "offset ignored": {"offset_ignored": True},
    "offset ignored, cursor": {"offset_ignored": True, "cursor": True},
}


@pytest.mark.parametrize("behaviour", BEHAVIOURS.values(), ids=list(BEHAVIOURS))
@settings(max_examples=60, deadline=None)
@given(instants=worlds, seed=st.integers(0, 2**16))
def test_no_row_is_lost_in_silence(
    behaviour: dict[str, object], instants: list[int], seed: int
) -> None:
    server = Imagined(named(*instants), random=Random(seed), **behaviour)  # type: ignore[arg-type] # a table of keywords
    paginator = Paginator.of(Listing(RANGE))
    got = read(server, paginator)
    assert lost(server, paginator, got) == set()
    assert not subtract(RANGE, [*paginator.covered(), *paginator.missing])


@pytest.mark.parametrize(
    "name",
    [
        "quiet",
        "next null on full pages",
        "next set at the end",
        "ascending",
        "ascending, bounds cut to the second",
        "random order",
        "bounds cut to the second",
        "bounds cut to the minute",
        "offset ignored",
        "short pages with next set",
    ],
)
@settings(max_examples=40, deadline=None)
@given(instants=spread, seed=st.integers(0, 2**16))
def test_rows_that_a_bound_can_part_are_all_read(name: str, instants: list[int], seed: int) -> None:
    busiest = max((sum(at // MINUTE == m for at in instants) for m in range(90)), default=0)
    server = Imagined(named(*instants), random=Random(seed), **BEHAVIOURS[name])  # type: ignore[arg-type] # a table of keywords
    paginator = Paginator.of(Listing(RANGE))
    got = read(server, paginator)
    if busiest < PAGE_ROWS:
        assert paginator.missing == []
        assert got == set(server.rows)


@pytest.mark.parametrize("rows", [0, 1, 19, 20, 21, 38, 39, 40, 41, 500])
def test_a_quiet_server_costs_a_request_for_each_19_rows(rows: int) -> None:
    server = Imagined(named(*(n * SECOND for n in range(rows))))
    paginator = Paginator.of(Listing(RANGE))
    assert len(read(server, paginator)) == rows
    proof = 0 < rows < PAGE_ROWS  # that the server puts more rows on a page than came
    assert server.asked <= rows // 19 + 1 + proof
    assert paginator.flags == set()


def test_pages_of_ten_rows_are_soon_asked_for_once_only() -> None:
    server = Imagined(named(*(n * SECOND for n in range(900))), page_rows=10)
    paginator = Paginator.of(Listing(RANGE))
    assert read(server, paginator) == set(server.rows)
    assert server.asked <= 900 / 9 + 5
    assert paginator.flags == set()


def test_nothing_new_on_a_short_page_is_no_proof_of_the_end_while_next_is_set() -> None:
    """The overlap alone comes back, thrice, and names a next page; then the rest comes."""
    paginator = Paginator.of(Listing(RANGE))
    top = tuple((f"row-{n}", 50 * MINUTE - n) for n in range(PAGE_ROWS))
    paginator.receive(PageSeen(rows=top, count=PAGE_ROWS, has_next=True))
    overlap = top[-1:]
    for _ in range(3):
        paginator.receive(PageSeen(rows=overlap, count=1, has_next=True))
        assert not paginator.done
    paginator.receive(PageSeen(rows=(*overlap, ("late", 5)), count=2, has_next=False))
    assert paginator.done
    assert paginator.missing == []


def test_a_row_that_does_not_come_back_makes_the_resolution_coarser() -> None:
    server = Imagined(named(*(n * SECOND + 5 for n in range(100))), step=MINUTE)
    paginator = Paginator.of(Listing(RANGE))
    read(server, paginator)
    assert paginator.listing.resolution == MINUTE
    assert "overlap" in paginator.flags


TIED = named(*[7 * MINUTE] * 55, 3, 80 * MINUTE)


@pytest.mark.parametrize("mixes_ties", [False, True])
@pytest.mark.parametrize("order", ["newest", "random"])
def test_more_ties_than_a_page_holds_are_read_by_passes_and_flagged(
    order: str, *, mixes_ties: bool
) -> None:
    server = Imagined(TIED, order=order, mixes_ties=mixes_ties)
    paginator = Paginator.of(Listing(RANGE))
    assert read(server, paginator) == set(server.rows)
    assert paginator.missing == []
    assert "probable" in paginator.flags


def test_ties_that_no_offset_can_part_are_named_as_missing_and_the_walk_goes_on() -> None:
    server = Imagined(named(*[7 * MINUTE] * 55, 3), offset_ignored=True)
    paginator = Paginator.of(Listing(RANGE))
    got = read(server, paginator)
    assert paginator.missing == [Span(7 * MINUTE, 7 * MINUTE + 1)]
    assert "row-55" in got


def test_a_lower_bound_that_is_ignored_is_found_out() -> None:
    server = Imagined(named(5, 3 * DAY + 50 * MINUTE), lower_ignored=True)
    paginator = Paginator.of(Listing(Span(3 * DAY + 10 * MINUTE, 3 * DAY + 90 * MINUTE)))
    read(server, paginator)
    assert paginator.not_honoured
    assert paginator.missing


def test_a_server_that_repeats_itself_is_not_asked_for_ever() -> None:
    page = tuple((f"row-{n}", 50 * MINUTE) for n in range(PAGE_ROWS))
    paginator = Paginator.of(Listing(RANGE))
    asked = 0
    while not paginator.done:
        paginator.receive(PageSeen(rows=page, count=PAGE_ROWS, has_next=True, next_cursor="x"))
        asked += 1
        assert asked < 500
    assert paginator.missing


@pytest.mark.parametrize("behaviour", BEHAVIOURS.values(), ids=list(BEHAVIOURS))
@settings(max_examples=30, deadline=None)
@given(instants=worlds, seed=st.integers(0, 2**16), random=st.randoms(use_true_random=False))
def test_a_paginator_that_is_resumed_repeats_nothing_and_loses_nothing(
    behaviour: dict[str, object], instants: list[int], seed: int, random: Random
) -> None:
    """Left off after any page, and gone on with as a pull does it: from what is open down."""
    whole, other = (
        Imagined(named(*instants), random=Random(seed), **behaviour)  # type: ignore[arg-type] # a table of keywords
        for _ in range(2)
    )
    uninterrupted, paginator = Paginator.of(Listing(RANGE)), Paginator.of(Listing(RANGE))
    got: set[str] = set()
    covered: list[Span] = []
    while not paginator.done:
        query = paginator.request()
        assert query == uninterrupted.request()
        uninterrupted.receive(whole.answer(query))
        seen = other.answer(query)
        got |= seen.keys
        paginator.receive(seen)
        covered += paginator.covered()
        if not paginator.done and random.random() < 0.3:
            resumed = Paginator.from_json(paginator.to_json())
            assert resumed == paginator
            paginator = resumed
            paginator.keep_to(Span(RANGE.start, paginator.open_end))
    assert uninterrupted.done
    assert merge(covered) == uninterrupted.covered()
    assert (paginator.flags, paginator.resolution_learnt) == (
        uninterrupted.flags,
        uninterrupted.resolution_learnt,
    )
    assert lost(other, uninterrupted, got) == set()


def test_a_checkpoint_that_another_release_wrote_is_not_resumed() -> None:
    text = Paginator.of(Listing(RANGE)).to_json()
    assert Paginator.from_json(text) is not None
    assert Paginator.from_json(text.replace('"version":2', '"version":1')) is None
    assert Paginator.from_json("{}") is None


def large(crowd: int, within: int) -> dict[str, int]:
    """Six thousand rows in 90 days, so many of them within a short time."""
    random = Random(1)
    quiet = [int(random.triangular(0, LARGE.end, 60 * DAY)) for _ in range(6_000 - crowd)]
    return named(*quiet, *(50 * DAY + random.randrange(within) for _ in range(crowd)))


@pytest.mark.parametrize("step", [1, MINUTE])
@pytest.mark.parametrize("order", ["newest", "ascending", "random"])
@pytest.mark.parametrize(("crowd", "within"), [(0, HOUR), (1200, HOUR), (1500, MINUTE)])
def test_a_large_account_is_read_whole_in_any_order(
    order: str, step: int, crowd: int, within: int
) -> None:
    rows = large(crowd, within)
    server = Imagined(
        rows, order=order, step=step, sorted=sorted((at, k) for k, at in rows.items())
    )
    paginator = Paginator.of(Listing(LARGE))
    got = read(server, paginator)
    assert lost(server, paginator, got) == set()
    if order == "random" and step == MINUTE and crowd:
        return  # so many ties in random order may stay unproven, but never unsaid
    assert paginator.missing == []
    assert server.asked < 900  # a step early at each bound: dense minutes are read twice


def test_rows_of_one_instant_are_no_proof_of_the_order() -> None:
    above = [40 * MINUTE + n for n in range(10)]
    server = Imagined(named(*[5 * MINUTE] * 30, *above), order="ascending")
    paginator = Paginator.of(Listing(RANGE))
    assert read(server, paginator) == set(server.rows)
    assert "order" in paginator.flags


@pytest.mark.parametrize("drop", [0, 3])
def test_a_page_that_is_in_order_by_chance_is_found_out(drop: int) -> None:
    for seed in range(60):
        rows = named(*[5 * MINUTE] * 100, *[40 * MINUTE] * 3)
        server = Imagined(rows, order="random", random=Random(seed), drop=drop)
        paginator = Paginator.of(Listing(RANGE))
        assert lost(server, paginator, read(server, paginator)) == set()


def test_ties_at_the_head_cost_one_request_more_on_a_quiet_server() -> None:
    server = Imagined(named(*[80 * MINUTE] * 18, *(n * SECOND for n in range(60))))
    paginator = Paginator.of(Listing(RANGE))
    assert read(server, paginator) == set(server.rows)
    assert paginator.flags == set()
    assert server.asked <= 78 // 19 + 2


@pytest.mark.parametrize("step", [1, SECOND, MINUTE])
def test_a_moving_filter_loses_nothing_on_a_coarse_server(step: int) -> None:
    server = Imagined(named(*(n * 7 * SECOND + 5 for n in range(100))), step=step)
    paginator = Paginator.of(Listing(RANGE, stable=False))
    assert lost(server, paginator, read(server, paginator)) == set()
    assert paginator.missing == []
    assert paginator.resolution_learnt is None


@settings(max_examples=80, deadline=None)
@given(instants=worlds, leaving=st.integers(1, 3), step=st.sampled_from([1, SECOND, MINUTE]))
def test_rows_that_leave_a_moving_filter_take_no_other_with_them(
    instants: list[int], leaving: int, step: int
) -> None:
    server = Imagined(named(*instants), step=step)
    paginator = Paginator.of(Listing(RANGE, stable=False))
    got: set[str] = set()
    while not paginator.done:
        seen = server.answer(paginator.request())
        got |= seen.keys
        paginator.receive(seen)
        staying = [key for key in server.rows if key not in server.gone]
        server.gone |= set(staying[:: max(1, len(staying) // leaving)][:leaving])
    assert lost(server, paginator, got) <= server.gone


@pytest.mark.parametrize("order", ["newest", "ascending"])
def test_rows_that_age_out_meanwhile_cause_no_doubt(order: str) -> None:
    server = Imagined(named(*(n * 50 * SECOND for n in range(100))), order=order)
    paginator = Paginator.of(Listing(RANGE, ordered=order == "newest"))
    got: set[str] = set()
    while not paginator.done:
        paginator.listing.aged += 9 * MINUTE
        seen = server.answer(paginator.request())
        got |= seen.keys
        paginator.receive(seen)
        server.gone |= {key for key, at in server.rows.items() if at < paginator.listing.aged}
    assert paginator.flags == set()
    assert paginator.missing == []
    assert got >= server.rows.keys() - server.gone


def test_a_resolution_is_worth_remembering_only_if_it_put_an_end_to_anomalies() -> None:
    rows = named(*(n * 20 * SECOND for n in range(200)))
    for step, learnt in ((1, None), (SECOND, SECOND), (MINUTE, MINUTE)):
        coarse = Paginator.of(Listing(RANGE))
        read(Imagined(rows, step=step), coarse)
        assert coarse.resolution_learnt == learnt

    server, vanished = Imagined(rows), Paginator.of(Listing(RANGE))
    seen = server.answer(vanished.request())
    vanished.receive(seen)
    server.gone = {seen.rows[-1][0]}
    read(server, vanished)
    assert "overlap" in vanished.flags
    assert vanished.resolution_learnt is None
    assert vanished.missing == []
    assert server.asked < 200 / 19 + 9  # bisected around the place only


def test_a_row_that_vanishes_from_an_unordered_server_costs_one_part_not_the_rest() -> None:
    server = Imagined(named(*(n * 10 * SECOND for n in range(500))), order="random")
    paginator = Paginator.of(Listing(RANGE, ordered=False))
    got = set()
    while not paginator.done:
        seen = server.answer(paginator.request())
        got |= seen.keys
        paginator.receive(seen)
        if server.asked == 1:
            server.gone = {seen.rows[0][0]}
    assert lost(server, paginator, got) <= server.gone
    assert sum(gap.length for gap in paginator.missing) < 10 * MINUTE


def test_a_paginator_can_leave_the_rest_to_others() -> None:
    server = Imagined(named(*(n * 5 * SECOND for n in range(1000))))
    paginator = Paginator.of(Listing(RANGE))
    first = server.answer(paginator.request())
    paginator.receive(first)
    paginator.keep_to(Span(70 * MINUTE, RANGE.end))
    got = first.keys | read(server, paginator)
    assert paginator.covered() == [Span(70 * MINUTE, 90 * MINUTE)]
    assert {key for key, at in server.rows.items() if at >= 70 * MINUTE} <= got
    paginator.keep_to(RANGE)
    assert paginator.done
