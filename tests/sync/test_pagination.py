"""The walk against imagined servers: every row once, or a named gap; never a silent loss."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plivo_analysis.sync.checkpoint import checkpoint_text, paginator_of
from plivo_analysis.sync.paginator import Paginator
from plivo_analysis.sync.steps import PAGE_ROWS, PageRequest, PageSeen
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


def read(server: Imagined, ladder: Paginator) -> set[str]:
    got: set[str] = set()
    while not ladder.done:
        seen = server.answer(ladder.query())
        got |= {key for key, at in seen.rows if at in ladder.span}
        ladder.receive(seen)
        assert server.asked < 2000, "the walk does not end"
    return got


def lost(server: Imagined, ladder: Paginator, got: set[str]) -> set[str]:
    """Rows that are neither returned nor within a range that is named as missing."""
    return {
        key
        for key, at in server.rows.items()
        if at in ladder.span and key not in got and not any(at in gap for gap in ladder.missing)
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
    ladder = Paginator(RANGE)
    got = read(server, ladder)
    assert lost(server, ladder, got) == set()
    assert not subtract(RANGE, [*ladder.covered(), *ladder.missing])


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
    ladder = Paginator(RANGE)
    got = read(server, ladder)
    if busiest < PAGE_ROWS:
        assert ladder.missing == []
        assert got == set(server.rows)


@pytest.mark.parametrize("rows", [0, 1, 19, 20, 21, 38, 39, 40, 41, 500])
def test_a_quiet_server_costs_a_request_for_each_19_rows(rows: int) -> None:
    server = Imagined(named(*(n * SECOND for n in range(rows))))
    ladder = Paginator(RANGE)
    assert len(read(server, ladder)) == rows
    assert server.asked <= rows // 19 + 1
    assert ladder.flags == set()


@pytest.mark.parametrize("rows", [500, 5000])
def test_a_server_that_lists_oldest_first_costs_a_request_for_each_17_rows(rows: int) -> None:
    random = Random(1)
    server = Imagined(named(*(random.randrange(LARGE.end) for _ in range(rows))), order="ascending")
    ladder = Paginator(LARGE)
    assert read(server, ladder) == set(server.rows)
    assert server.asked <= rows / 17 + 6  # to find out the order, and how many rows there are
    assert ladder.missing == []


def test_pages_of_ten_rows_are_soon_asked_for_once_only() -> None:
    server = Imagined(named(*(n * SECOND for n in range(900))), page_rows=10)
    ladder = Paginator(RANGE)
    assert read(server, ladder) == set(server.rows)
    assert server.asked <= 900 / 9 + 5
    assert ladder.flags == set()


def test_rows_that_vanish_while_a_part_is_climbed_are_no_reason_to_lose_others() -> None:
    server = Imagined(named(*(n * HOUR for n in range(1500))), order="ascending")
    ladder = Paginator(LARGE, ordered=False)
    got: set[str] = set()
    while not ladder.done:
        seen = server.answer(ladder.query())
        got |= seen.keys
        ladder.receive(seen)
        if server.asked == 5:  # the row at which the next page begins
            server.gone = {seen.rows[-1][0]}
    assert "witness" in ladder.flags
    assert lost(server, ladder, got) <= server.gone


def test_nothing_new_on_a_short_page_is_no_proof_of_the_end_while_next_is_set() -> None:
    """The witness alone comes back, thrice, and says that there is more; then the rest does."""
    ladder = Paginator(RANGE)
    top = tuple((f"row-{n}", 50 * MINUTE - n) for n in range(PAGE_ROWS))
    ladder.receive(PageSeen(rows=top, count=PAGE_ROWS, has_next=True))
    witness = top[-1:]
    for _ in range(3):
        ladder.receive(PageSeen(rows=witness, count=1, has_next=True))
        assert not ladder.done
    ladder.receive(PageSeen(rows=(*witness, ("late", 5)), count=2, has_next=False))
    assert ladder.done
    assert ladder.missing == []


def test_a_witness_that_stays_away_makes_the_grid_coarser() -> None:
    server = Imagined(named(*(n * SECOND + 5 for n in range(100))), step=MINUTE)
    ladder = Paginator(RANGE)
    read(server, ladder)
    assert ladder.grid == MINUTE
    assert "witness" in ladder.flags


@pytest.mark.parametrize("order", ["newest", "random"])
def test_more_ties_than_a_page_holds_are_read_by_passes_and_flagged(order: str) -> None:
    server = Imagined(named(*[7 * MINUTE] * 55, 3, 80 * MINUTE), order=order)
    ladder = Paginator(RANGE)
    assert read(server, ladder) == set(server.rows)
    assert "probable" in ladder.flags


def test_ties_that_no_offset_can_part_are_named_as_missing_and_the_walk_goes_on() -> None:
    server = Imagined(named(*[7 * MINUTE] * 55, 3), offset_ignored=True)
    ladder = Paginator(RANGE)
    got = read(server, ladder)
    assert ladder.missing == [Span(7 * MINUTE, 7 * MINUTE + 1)]
    assert "row-55" in got


def test_a_lower_bound_that_is_ignored_is_found_out() -> None:
    server = Imagined(named(5, 50 * MINUTE), lower_ignored=True)
    ladder = Paginator(Span(10 * MINUTE, 90 * MINUTE))
    read(server, ladder)
    assert ladder.not_honoured
    assert ladder.missing


def test_a_server_that_repeats_itself_is_not_asked_for_ever() -> None:
    page = tuple((f"row-{n}", 50 * MINUTE) for n in range(PAGE_ROWS))
    ladder = Paginator(RANGE)
    asked = 0
    while not ladder.done:
        ladder.receive(PageSeen(rows=page, count=PAGE_ROWS, has_next=True, next_cursor="x"))
        asked += 1
        assert asked < 500
    assert ladder.missing


@pytest.mark.parametrize("behaviour", BEHAVIOURS.values(), ids=list(BEHAVIOURS))
@settings(max_examples=30, deadline=None)
@given(instants=worlds, seed=st.integers(0, 2**16), random=st.randoms(use_true_random=False))
def test_a_walk_that_is_resumed_repeats_nothing_and_loses_nothing(
    behaviour: dict[str, object], instants: list[int], seed: int, random: Random
) -> None:
    """Left off after any page, and gone on with as a pull does it: from what is open down."""
    whole, other = (
        Imagined(named(*instants), random=Random(seed), **behaviour)  # type: ignore[arg-type] # a table of keywords
        for _ in range(2)
    )
    uninterrupted, ladder = Paginator(RANGE), Paginator(RANGE)
    got: set[str] = set()
    covered: list[Span] = []
    while not ladder.done:
        query = ladder.query()
        assert query == uninterrupted.query()
        uninterrupted.receive(whole.answer(query))
        seen = other.answer(query)
        got |= seen.keys
        ladder.receive(seen)
        covered += ladder.covered()
        if not ladder.done and random.random() < 0.3:
            resumed = paginator_of(checkpoint_text(ladder))
            assert resumed == ladder
            ladder = resumed
            ladder.keep_to(Span(RANGE.start, ladder.open_end))
    assert uninterrupted.done
    assert merge(covered) == uninterrupted.covered()
    assert (ladder.flags, ladder.grid_learnt) == (uninterrupted.flags, uninterrupted.grid_learnt)
    assert lost(other, uninterrupted, got) == set()


def test_a_place_that_another_release_wrote_is_not_gone_on_from() -> None:
    text = checkpoint_text(Paginator(RANGE))
    assert paginator_of(text) is not None
    assert paginator_of(text.replace('"grid_learnt":null', '"grid_found":null')) is None
    assert paginator_of("5") is None


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
    ladder = Paginator(LARGE)
    got = read(server, ladder)
    assert lost(server, ladder, got) == set()
    if order == "random" and step == MINUTE and crowd:
        return  # so many ties in random order may stay unproven, but never unsaid
    assert ladder.missing == []
    assert server.asked < 800


def test_rows_of_one_instant_are_no_proof_of_the_order() -> None:
    above = [40 * MINUTE + n for n in range(10)]
    server = Imagined(named(*[5 * MINUTE] * 30, *above), order="ascending")
    ladder = Paginator(RANGE)
    assert read(server, ladder) == set(server.rows)
    assert "order" in ladder.flags


@pytest.mark.parametrize("drop", [0, 3])
def test_a_page_that_is_in_order_by_chance_is_found_out(drop: int) -> None:
    for seed in range(60):
        rows = named(*[5 * MINUTE] * 100, *[40 * MINUTE] * 3)
        server = Imagined(rows, order="random", random=Random(seed), drop=drop)
        ladder = Paginator(RANGE)
        assert lost(server, ladder, read(server, ladder)) == set()


def test_ties_at_the_head_cost_one_request_more_on_a_quiet_server() -> None:
    server = Imagined(named(*[80 * MINUTE] * 18, *(n * SECOND for n in range(60))))
    ladder = Paginator(RANGE)
    assert read(server, ladder) == set(server.rows)
    assert ladder.flags == set()
    assert server.asked <= 78 // 19 + 2


@pytest.mark.parametrize("step", [1, SECOND, MINUTE])
def test_a_moving_filter_loses_nothing_on_a_coarse_server(step: int) -> None:
    server = Imagined(named(*(n * 7 * SECOND + 5 for n in range(100))), step=step)
    ladder = Paginator(RANGE, witness=False)
    assert lost(server, ladder, read(server, ladder)) == set()
    assert ladder.missing == []
    assert ladder.grid_learnt is None


@settings(max_examples=80, deadline=None)
@given(instants=worlds, leaving=st.integers(1, 3), step=st.sampled_from([1, SECOND, MINUTE]))
def test_rows_that_leave_a_moving_filter_take_no_other_with_them(
    instants: list[int], leaving: int, step: int
) -> None:
    server = Imagined(named(*instants), step=step)
    ladder = Paginator(RANGE, witness=False)
    got: set[str] = set()
    while not ladder.done:
        seen = server.answer(ladder.query())
        got |= seen.keys
        ladder.receive(seen)
        staying = [key for key in server.rows if key not in server.gone]
        server.gone |= set(staying[:: max(1, len(staying) // leaving)][:leaving])
    assert lost(server, ladder, got) <= server.gone


@pytest.mark.parametrize("order", ["newest", "ascending"])
def test_rows_that_age_out_meanwhile_cause_no_doubt(order: str) -> None:
    server = Imagined(named(*(n * 50 * SECOND for n in range(100))), order=order)
    ladder = Paginator(RANGE, ordered=order == "newest")
    got: set[str] = set()
    while not ladder.done:
        ladder.aged += 9 * MINUTE
        seen = server.answer(ladder.query())
        got |= seen.keys
        ladder.receive(seen)
        server.gone |= {key for key, at in server.rows.items() if at < ladder.aged}
    assert ladder.flags == set()
    assert ladder.missing == []
    assert got >= server.rows.keys() - server.gone


def test_a_grid_is_worth_remembering_only_if_it_put_an_end_to_doubt() -> None:
    rows = named(*(n * 20 * SECOND for n in range(200)))
    for step, learnt in ((1, None), (SECOND, SECOND), (MINUTE, MINUTE)):
        coarse = Paginator(RANGE)
        read(Imagined(rows, step=step), coarse)
        assert coarse.grid_learnt == learnt

    server, vanished = Imagined(rows), Paginator(RANGE)
    seen = server.answer(vanished.query())
    vanished.receive(seen)
    server.gone = {seen.rows[-1][0]}
    read(server, vanished)
    assert "witness" in vanished.flags
    assert vanished.grid_learnt is None
    assert vanished.missing == []
    assert server.asked < 200 / 19 + 9  # bisected around the place only


def test_a_row_that_vanishes_from_an_unordered_server_costs_one_part_not_the_rest() -> None:
    server = Imagined(named(*(n * 10 * SECOND for n in range(500))), order="random")
    ladder = Paginator(RANGE, ordered=False)
    got = set()
    while not ladder.done:
        seen = server.answer(ladder.query())
        got |= seen.keys
        ladder.receive(seen)
        if server.asked == 1:
            server.gone = {seen.rows[0][0]}
    assert lost(server, ladder, got) <= server.gone
    assert sum(gap.length for gap in ladder.missing) < 10 * MINUTE


def test_a_walk_can_leave_the_rest_to_somebody_else() -> None:
    server = Imagined(named(*(n * 5 * SECOND for n in range(1000))))
    ladder = Paginator(RANGE)
    first = server.answer(ladder.query())
    ladder.receive(first)
    ladder.stop_at(70 * MINUTE)
    got = first.keys | read(server, ladder)
    assert ladder.covered() == [Span(70 * MINUTE, 90 * MINUTE)]
    assert {key for key, at in server.rows.items() if at >= 70 * MINUTE} <= got
    ladder.stop_at(0)
    assert ladder.done
