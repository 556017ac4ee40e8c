"""The explorer's rooms one by one: the thread, the estimate, the watch, the code, the table."""

from __future__ import annotations

import re
import threading
import time
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import plivo_analysis as pva
from plivo_analysis.api.columns import SESSIONS
from plivo_analysis.api.resources import SESSION_RESOURCE
from plivo_analysis.explorer.code_line import PERIOD, literal, loader_call
from plivo_analysis.explorer.dataset import (
    JOURNEYS,
    MESSAGE_GROUPS,
    SESSION_GROUPS,
    Dataset,
    with_day_and_hour,
)
from plivo_analysis.explorer.layout import Layout
from plivo_analysis.explorer.load_cost import LoadRequest, load_cost
from plivo_analysis.explorer.load_run import LoadProgress
from plivo_analysis.explorer.loading import Worker
from plivo_analysis.explorer.sidebar import DateRange
from plivo_analysis.explorer.table import PAGE, PagedTable, TableColumn, value_column
from plivo_analysis.http.rate_limit.limiter import Limiter
from plivo_analysis.system.clock import Clock
from plivo_analysis.values.spans import Span, to_us

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plivo_analysis import Client

NOW = datetime(2026, 11, 2, 6, 58, tzinfo=UTC)
LONG = 60  # seconds that no load here takes


@pytest.fixture(scope="module")
def demo() -> Iterator[Client]:
    with pva.demo(sessions=200) as client:
        yield client


# The thread.


def test_a_job_that_fails_leaves_the_worker_free(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", seen.append)

    def broken(_: threading.Event) -> None:
        raise RuntimeError("a fault of ours")

    worker = Worker()
    assert worker.start(broken)
    assert worker.wait(LONG)
    assert str(seen[0].exc_value) == "a fault of ours"
    assert worker.start(lambda _: None)


def test_many_callers_start_one_job() -> None:
    worker, gate, started = Worker(), threading.Barrier(8), []

    def call() -> None:
        gate.wait()
        started.append(worker.start(lambda cancel: cancel.wait(5)))

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    worker.close()
    assert sorted(started) == [False] * 7 + [True]


def test_a_cancel_is_of_the_job_that_runs_and_not_of_the_next() -> None:
    worker = Worker()
    worker.start(lambda cancel: cancel.wait(5))
    worker.cancel()
    assert worker.wait(LONG)
    ended: list[bool] = []
    worker.start(lambda cancel: ended.append(cancel.is_set()))
    assert worker.wait(LONG)
    assert ended == [False]


def test_waiting_within_the_job_itself_is_no_deadlock() -> None:
    worker, answers = Worker(), []
    worker.start(lambda _: answers.append(worker.wait()))
    assert worker.wait(LONG)
    assert answers == [False]


def test_a_closed_worker_takes_no_job() -> None:
    worker = Worker()
    worker.close()
    assert not worker.start(lambda _: None)


# The estimate.


def test_what_is_stored_whole_costs_no_request_and_what_is_open_a_page_of_them(
    demo: Client,
) -> None:
    day = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 15, tzinfo=UTC)
    pva.load_sessions(since=day[0], until=day[1], client=demo)
    seen = load_cost(LoadRequest(demo, SESSION_RESOURCE, {}), Span(*map(to_us, day)))
    assert (seen.stored, seen.hours, seen.requests) == (14 * 24, 14 * 24, 0)


def test_what_no_row_can_confirm_is_not_answered_by_what_is_stored(demo: Client) -> None:
    day = datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 2, tzinfo=UTC)
    pva.load_sessions(since=day[0], until=day[1], client=demo)
    span = Span(*map(to_us, day))
    known = load_cost(LoadRequest(demo, SESSION_RESOURCE, {"status": "verified"}), span)
    hidden = load_cost(LoadRequest(demo, SESSION_RESOURCE, {"brand_name": "b"}), span)
    assert (known.stored, hidden.stored) == (24, 0)
    assert hidden.at_most


# The watch.


def watched() -> tuple[LoadProgress, Layout, list[float]]:
    layout, previews = Layout([], "sessions", []), list[float]()
    limiter = Limiter(20, clock=Clock())
    watch = LoadProgress(layout, limiter, "session", lambda: previews.append(time.monotonic()))
    return watch, layout, previews


def test_pages_are_told_no_faster_than_an_eye_can_follow() -> None:
    watch, layout, _ = watched()
    told: list[str] = []
    layout.status.observe(lambda change: told.append(change["new"]), "value")
    for requests in range(1, 500):
        watch.page(requests=requests, rows=20 * requests, share=requests / 1000)
    assert 1 <= len(told) < 20
    first = re.sub("<.*?>", " ", told[0])
    assert "1  of ~1,000 requests" in first
    assert "20 sessions read" in first
    (minutes,) = re.findall(r"(\d+) min", first)
    assert int(minutes) > 45  # 999 more at 20 a minute


def test_what_was_read_is_shown_once_when_the_limit_makes_it_wait() -> None:
    watch, layout, previews = watched()
    waits: list[str] = []
    layout.wait.observe(lambda change: waits.append(change["new"]), "value")
    watch.waiting(30)
    assert previews == []  # nothing has come yet
    watch.page(requests=1, rows=20, share=0.1)
    assert watch.unseen
    for second in range(5):
        watch.waiting(29 - second)
    assert len(previews) == 1
    assert "Next request in 25 s." in waits[-1]
    assert not watch.unseen


# The range.


@given(
    st.lists(
        st.one_of(
            st.sampled_from(["24h", "7d", "30d", "90d"]).map(lambda word: (word, None)),
            st.tuples(
                st.integers(1, 2000).map(lambda hours: NOW - timedelta(hours=hours)), st.just(NOW)
            ),
        ),
        min_size=1,
    )
)
def test_the_range_is_what_it_was_set_to_last(settings: list[tuple[Any, Any]]) -> None:
    dates, fresh = (DateRange(lambda: NOW, lambda: None) for _ in range(2))
    for since, until in settings:
        dates.put(since, until)
    fresh.put(*settings[-1])
    assert dates.arguments() == fresh.arguments()
    assert (dates.start.value, dates.end.value) == (fresh.start.value, fresh.end.value)


def test_a_picker_that_was_not_touched_keeps_the_microseconds() -> None:
    dates = DateRange(lambda: NOW, lambda: None)
    since = datetime(2026, 10, 1, 0, 0, 0, 123456, tzinfo=UTC)
    dates.put(since, NOW)
    assert dates.arguments()["since"] == since


# The code.


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_one_literal_of_python(text: str) -> None:
    assert eval(literal(text)) == text  # noqa: S307 - the code is what is tested


def test_a_long_call_has_one_argument_a_line() -> None:
    arguments = {f"argument_{number}": "x" * 20 for number in range(4)}
    code = loader_call("load_sessions", "sessions", arguments)
    assert code.splitlines()[1] == '    argument_0="xxxxxxxxxxxxxxxxxxxx",'
    compile(code, "code", "exec")


# The table and what is kept.


def table() -> tuple[PagedTable, pl.DataFrame]:
    columns = [value_column("N", "n", str, 1.0, is_number=True)]
    frame = pl.DataFrame({"n": [3, 1, 2] * 20, "key": range(60)})
    return PagedTable(columns, {"key": False}, "rows"), frame


def test_a_table_turns_its_pages_and_no_further() -> None:
    paged, frame = table()
    paged.show(frame)
    assert "1–13 of 60 rows" in paged._position.value
    for _ in range(10):
        paged.next.click()
    assert f"{4 * PAGE + 1}–60 of 60 rows" in paged._position.value
    assert paged.next.disabled
    for _ in range(10):
        paged.back.click()
    assert "1–13 of 60" in paged._position.value
    assert paged.back.disabled


def test_a_column_sorts_up_then_down_then_not_and_says_so() -> None:
    paged, frame = table()
    paged.show(frame)
    firsts = []
    for _ in range(3):
        paged.act("sort 0")
        firsts.append((re.findall(r"<td[^>]*>(\d)</td>", paged._body.value)[:2], said(paged)))
    assert firsts == [(["1", "1"], "ascending"), (["3", "3"], "descending"), (["3", "1"], "none")]


def test_a_table_stays_sorted_by_the_column_that_was_chosen_wherever_it_stands_then() -> None:
    paged, frame = table()
    paged.show(frame)
    paged.act("sort 0")
    number = paged.columns[0]
    paged.columns = [value_column("Key", "key", str, 1.0), number]
    paged.show(frame)
    heads = re.findall(r'<th[^>]*aria-sort="(\w+)"', paged._body.value)
    assert heads == ["none", "ascending"]


def said(paged: PagedTable) -> str:
    (order,) = re.findall(r'aria-sort="(\w+)"', paged._body.value)
    return str(order)


def test_a_table_finds_rows_by_a_text_and_jumps_to_a_page() -> None:
    columns = [TableColumn("Word", ("word",), lambda row: row["word"])]
    paged = PagedTable(columns, {"word": False}, "rows")
    paged.show(pl.DataFrame({"word": [f"{name} {n}" for n in range(30) for name in ("ab", "cd")]}))
    paged.jump.value = 5
    assert "53–60 of 60 rows" in paged._position.value
    paged.find.value = "CD"
    assert "1–13 of 30 rows" in paged._position.value
    assert "ab" not in re.findall(r"<td[^>]*>(.*?)</td>", paged._body.value)[0]
    paged.find.value = "nothing like it"
    assert "No rows" in paged._position.value
    paged.find.value = ""
    assert "1–13 of 60 rows" in paged._position.value


def test_a_table_is_drawn_once_whatever_turns_its_page() -> None:
    drawn: list[int] = []
    columns = [
        TableColumn("Row", ("row",), lambda row: drawn.append(row["row"]) or str(row["row"]))
    ]
    paged = PagedTable(columns, {"row": False}, "rows")
    frame = pl.DataFrame({"row": list(range(3 * PAGE)), "word": ["a"] * 3 * PAGE})
    steps = (
        (lambda: paged.show(frame), 0),
        (paged.next.click, 1),
        (lambda: setattr(paged.jump, "value", 3), 2),
        (lambda: paged.show(frame.head(PAGE + 1)), 0),
        (paged.next.click, 1),
        (lambda: paged.show(frame), 0),
    )
    for step, page in steps:
        drawn.clear()
        step()
        assert drawn == list(range(page * PAGE, page * PAGE + len(drawn)))
        assert paged.jump.value == page + 1


def test_a_table_finds_no_telephone_number() -> None:
    columns = [TableColumn("Recipient", ("recipient",), lambda row: "masked")]
    paged = PagedTable(columns, {"recipient": False}, "rows")
    paged.show(pl.DataFrame({"recipient": ["14155550100"]}))
    paged.find.value = "555"
    assert "No rows" in paged._position.value


@pytest.mark.parametrize("words", ["", "sort", "sort 7", "open 0", "open x y", "sort -1 2"])
def test_a_table_takes_no_harm_from_an_action_that_it_does_not_know(words: str) -> None:
    paged, frame = table()
    paged.show(frame)
    before = paged._body.value
    paged.action.value = words
    assert paged._body.value == before


def test_an_empty_table_says_so() -> None:
    paged, frame = table()
    paged.show(frame.clear())
    assert "No rows" in paged._position.value


def test_sessions_of_some_channels_are_those_that_began_on_them(demo: Client) -> None:
    sessions = pva.load_sessions(since="90d", client=demo)
    dataset = Dataset.of_sessions(sessions)
    for chosen in (("voice",), ("sms", "whatsapp")):
        part = dataset.only(chosen)
        expected = sessions.filter(pl.col("entry_channel").is_in(chosen))
        keys = set(expected["session_uuid"])
        assert 0 < len(keys) < sessions.height
        assert set(part.frames["whole"]["session_uuid"]) == keys
        assert part.rows == len(keys)
        assert set(part.frames["attempts"]["session_uuid"]) == keys
        assert part.frames["unreconciled"].height == pva.reconcile(expected).height
        lines = pva.spend(part.frames["charges"], by=())["amount"].sum()
        assert lines == pva.spend(expected, by=())["amount"].sum()
        assert part.unpriced == expected["total_charge"].null_count()


@pytest.mark.parametrize("chosen", [(), ("sms",), ("voice", "whatsapp")])
def test_sessions_counted_beforehand_give_the_numbers_that_sessions_give(
    chosen: tuple[str, ...], demo: Client
) -> None:
    loaded = pva.load_sessions(since="90d", client=demo)
    dataset = Dataset.of_sessions(loaded).only(chosen)
    kept = pl.col("entry_channel").is_in(chosen) if chosen else pl.lit(value=True)
    sessions = with_day_and_hour(loaded, "created_at").filter(kept)
    metrics = (
        (pva.success_rates, "records", (None, "1h", "1d", "1w")),
        (pva.cost_per_verified, "records", (None, "1h", "1d", "1w")),
        (pva.spend, "charges", (None, "1h", "1d", "1w")),
        (pva.channel_paths, "records", (None,)),
        (pva.fallback_rates, "fallback", (None,)),
        (pva.attempt_outcomes, "steps", (None,)),
    )
    for metric, frame, lengths in metrics:
        for by, every in product([*SESSION_GROUPS.values(), ()], lengths):
            if by == PERIOD and every is not None:
                continue
            arguments = {"by": by} | ({} if every is None else {"every": every})
            found = metric(dataset.frames[frame], **arguments)
            assert_frame_equal(found, metric(sessions, **arguments))
    assert_frame_equal(dataset.count(JOURNEYS), pva.journey_rates(sessions, by="app_uuid"))
    both = (dataset.frames["records"], Dataset.of_sessions(loaded).frames["records"])
    assert_frame_equal(pva.compare(*both), pva.compare(sessions, loaded))
    priced = [table.drop_nulls("total_charge") for table in (*both, sessions, loaded)]
    assert_frame_equal(pva.cost_bridge(*priced[:2]), pva.cost_bridge(*priced[2:]))


def test_messages_counted_beforehand_give_the_numbers_that_messages_give(demo: Client) -> None:
    loaded = pva.load_messages(since="90d", client=demo)
    counted = Dataset.of_messages(loaded).frames["records"]
    messages = with_day_and_hour(loaded, "message_time")
    for by in MESSAGE_GROUPS.values():
        assert_frame_equal(pva.delivery_rates(counted, by), pva.delivery_rates(messages, by))
        assert_frame_equal(pva.message_spend(counted, by), pva.message_spend(messages, by))
    by_day = pva.message_spend(counted, every="1d")
    assert_frame_equal(by_day, pva.message_spend(messages, every="1d"))


def test_no_channel_chosen_is_every_session(demo: Client) -> None:
    for frame in (pl.DataFrame(schema=SESSIONS.polars()), pva.load_sessions(client=demo)):
        dataset = Dataset.of_sessions(frame)
        assert dataset.only(()) is dataset
        assert dataset.only(("no such channel",)).rows == 0
        assert dataset.chosen is None


# One session from the inside.


def test_a_row_opens_its_session_with_its_attempts_and_the_lines_of_its_bill(
    demo: Client,
) -> None:
    explorer = pva.SessionExplorer(demo, since="90d")
    explorer.load.click()
    assert explorer.wait(60)
    explorer.tabs.selected_index = 4
    paged = explorer._views[4].paged
    paged.action.value = "open 2 1764000000000"
    uuid = paged._rows[2]["session_uuid"]
    opened = paged._opened.value
    sessions = explorer.frame.filter(pl.col("session_uuid") == uuid)
    assert uuid in opened
    assert f"+{sessions['recipient'][0]}"[:2] in opened
    assert sessions["recipient"][0] not in opened
    attempts, lines = pva.explode_attempts(sessions), pva.explode_charges(sessions)
    assert opened.count("<tr>") == 2 + attempts.height + lines.height
    for amount in lines["amount"].drop_nulls():
        assert f"{amount:.5f}" in opened
    paged.action.value = "close 0 1764000000001"
    assert paged._opened.value == ""
    explorer.close()
