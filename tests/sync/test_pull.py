"""Pulls over real sockets: interrupted, resumed, repeated, verified, and at every edge of time."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections import Counter
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import plivo_analysis as pva
from plivo_analysis.api.filters import Filter
from plivo_analysis.api.resources import SESSION_RESOURCE
from plivo_analysis.emulator import Account, Behaviour, Fault, generate
from plivo_analysis.emulator.account import DEFAULT_NOW as NOW
from plivo_analysis.errors import PlivoAnalysisWarning
from plivo_analysis.storage.store import Store
from plivo_analysis.sync.pull import Question, pull
from plivo_analysis.system.clock import FrozenWallClock
from plivo_analysis.values.spans import EVER, MINUTE, Span, from_us, to_us

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from plivo_analysis.emulator import Server

    Serve = Callable[..., Server]
    Connect = Callable[..., pva.Client]
    Make = Callable[..., dict[str, Any]]

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

TWELVE = {
    "quiet": Behaviour(),
    "inserts at the head": Behaviour(inserts=3),
    "ageing at the 90-day edge": Behaviour(ages=timedelta(seconds=20)),
    "random order of ties": Behaviour(ties="random"),
    "offset ignored": Behaviour(paging="cursor"),
    "next null on full pages": Behaviour(next_page="null"),
    "short pages with next set": Behaviour(short_by=3),
    "ascending": Behaviour(order="oldest"),
    "random order": Behaviour(order="random"),
    "bounds cut to the second": Behaviour(precision=timedelta(seconds=1)),
    "bounds cut to the minute": Behaviour(precision=timedelta(minutes=1)),
    "late rows": Behaviour(late=timedelta(minutes=10)),
}


def once(frame: Any, expected: list[str]) -> None:
    """Every expected session exactly once, and no other."""
    assert Counter(frame["session_uuid"].to_list()) == Counter(expected)


@pytest.mark.parametrize("behaviour", TWELVE.values(), ids=list(TWELVE))
def test_an_interrupted_load_goes_on_and_a_second_one_asks_for_nothing(
    behaviour: Behaviour, serve: Serve, connect: Connect
) -> None:
    account = generate(sessions=400)
    window = {"since": NOW - 60 * DAY, "until": NOW - 3 * DAY}
    down = [Fault.status(503)] * 5
    server = serve(account, behaviour=behaviour, faults=[*[None] * 8, *down, *[None] * 3, *down])
    client = connect(server)
    for _ in range(2):
        with pytest.raises(pva.PlivoServerError):
            pva.load_sessions(**window, client=client)
    frame = pva.load_sessions(**window, client=client)
    once(frame, account.uuids(window["since"], window["until"]))
    asked = len(server.log)
    assert pva.load_sessions(**window, client=client).equals(frame)
    assert len(server.log) == asked


@pytest.mark.parametrize("behaviour", TWELVE.values(), ids=list(TWELVE))
def test_the_next_day_costs_the_new_hours_only(
    behaviour: Behaviour, serve: Serve, connect: Connect
) -> None:
    account = generate(sessions=600)
    account.now = NOW - DAY  # a day of sessions is yet to come
    server = serve(account, behaviour=behaviour)
    client = connect(server)
    pva.load_sessions(since=NOW - 20 * DAY, client=client)
    first = len(server.log)
    account.now = NOW
    expected = account.uuids(NOW - 20 * DAY, NOW)
    once(pva.load_sessions(since=NOW - 20 * DAY, until=NOW, client=client), expected)
    assert len(server.log) - first <= 25


def test_the_next_day_asks_for_the_new_hours_and_what_was_open_and_nothing_else(
    serve: Serve, connect: Connect, session: Make
) -> None:
    waiting = session(20 * HOUR, status="in-progress")
    account = Account.of([session(hours * HOUR) for hours in range(1, 48)] + [waiting])
    server = serve(account)
    client = connect(server)
    since = NOW - 3 * DAY
    pva.load_sessions(since=since, client=client)
    asked, account.now = len(server.log), NOW + DAY
    account.replace({**waiting, "status": "verified"})
    once(pva.load_sessions(since=since, client=client), account.uuids(since, NOW + DAY))
    tail, new, late, opened, settled = server.log[asked:]
    ranges = [
        tuple(f"{request.query[f'session_time__{end}']}Z" for end in ("gte", "lt"))
        for request in (tail, new, late)
    ]
    yesterday, edge = (to_us(at - timedelta(minutes=15)) for at in (NOW, NOW + DAY))
    assert [tuple(to_us(datetime.fromisoformat(at)) for at in range_) for range_ in ranges] == [
        (start - MINUTE, end + MINUTE)
        for start, end in [
            (edge, to_us(NOW + DAY)),
            (yesterday, edge),
            (yesterday - 60 * MINUTE, yesterday),  # was too young to be sure of late rows
        ]
    ]
    assert opened.query["status"] == "in-progress"
    assert settled.path.endswith(f"/{waiting['session_uuid']}/")


STILL = {name: knobs for name, knobs in TWELVE.items() if not (knobs.changes or knobs.late)}


@pytest.mark.parametrize("behaviour", STILL.values(), ids=list(STILL))
@pytest.mark.parametrize("status", ["in-progress", "expired"])
def test_a_status_filter_gives_what_has_that_status(
    behaviour: Behaviour, status: str, serve: Serve, connect: Connect
) -> None:
    account = generate(sessions=400)
    server = serve(account, behaviour=behaviour)
    frame = pva.load_sessions(
        since=NOW - 60 * DAY, until=NOW, status=status, client=connect(server)
    )
    records = [account.record(key) for key in account.uuids(NOW - 60 * DAY, NOW)]
    once(frame, [each["session_uuid"] for each in records if each["status"].lower() == status])


# --- the edges of time


class MovingClock(FrozenWallClock):
    """This computer's clock, wrong by so much."""

    def __init__(self, account: Account, wrong: timedelta) -> None:
        self._account, self._wrong = account, wrong

    def now(self) -> Any:
        return self._account.now + self._wrong

    def wait(self, seconds: float, cancel: Any = None) -> bool:
        return False


@pytest.mark.filterwarnings("ignore:The server's clock is")
@pytest.mark.parametrize("wrong", [-3 * HOUR, -timedelta(minutes=10), 3 * HOUR, 2 * DAY])
def test_nothing_is_called_complete_by_a_clock_that_is_wrong(
    wrong: timedelta, serve: Serve, connect: Connect, session: Make
) -> None:
    account = Account.of([session(minutes * timedelta(minutes=1)) for minutes in range(1, 200, 7)])
    client = connect(serve(account), clock=MovingClock(account, wrong))
    frame = pva.load_sessions(since=NOW - 4 * HOUR, until=NOW, client=client)
    once(frame, account.uuids(NOW - 4 * HOUR, NOW))
    entries = client.store.completed_ranges(SESSION_RESOURCE).entries()
    assert max(entry.span.end for entry in entries) <= to_us(NOW) - 15 * MINUTE


@pytest.mark.filterwarnings("ignore:The server's clock is")
def test_what_a_slow_clock_takes_for_within_reach_is_named_once_the_server_tells_the_time(
    serve: Serve, connect: Connect, session: Make
) -> None:
    account = Account.of([session(85 * DAY)])
    client = connect(serve(account), clock=MovingClock(account, -2 * DAY))
    with pytest.raises(pva.IncompletePullError, match="older than 90 days") as raised:
        pva.load_sessions(since=NOW - 91 * DAY, until=NOW - 80 * DAY, client=client)
    ((start, end),) = raised.value.missing
    assert start == NOW - 91 * DAY
    assert abs(end - (NOW - 90 * DAY)) <= timedelta(minutes=1)


@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_a_long_pull_reads_first_what_ages_out_meanwhile(
    order: str, serve: Serve, connect: Connect
) -> None:
    account = generate(sessions=1500)
    server = serve(account, behaviour=Behaviour(order=order, ages=timedelta(seconds=30)))
    since = NOW - 90 * DAY
    stays = account.uuids(since + timedelta(minutes=10), NOW)
    frame = pva.load_sessions(since=since, until=NOW, client=connect(server))
    assert account.now > NOW + 30 * timedelta(minutes=1)
    once(frame.filter(pl.col("created_at") >= since + timedelta(minutes=10)), stays)


def test_what_aged_out_before_it_was_read_is_named(serve: Serve, connect: Connect) -> None:
    account = generate(sessions=400)
    began = {key: account.record(key)["created_at"] for key in account.uuids()}
    client = connect(serve(account, behaviour=Behaviour(ages=timedelta(hours=2))))
    with pytest.raises(pva.IncompletePullError, match="older than 90 days") as raised:
        pva.load_sessions(since=NOW - 90 * DAY, until=NOW, client=client)
    lacking = began.keys() - set(raised.value.frame["session_uuid"])
    assert lacking
    for key in lacking:
        at = datetime.fromisoformat(began[key])
        assert any(start <= at < end for start, end in raised.value.missing)


# --- filters that move, and those that nothing confirms


def flags(client: pva.Client, **window: Any) -> set[str]:
    return set(", ".join(pva.coverage(client=client, **window)["flags"]).split(", ")) - {""}


def test_a_pull_under_a_moving_filter_is_labelled_as_no_snapshot(
    serve: Serve, connect: Connect
) -> None:
    client = connect(serve(generate(sessions=100)))
    pva.load_sessions(since="30d", app_uuid="0a5f1c52-6d0e-4c3b-9f6e-2b1d7c4e8a01", client=client)
    assert flags(client, since="30d") == set()
    pva.load_sessions(since="30d", status="expired", client=client)
    assert flags(client, since="30d") == {"not a snapshot"}


def test_a_filter_that_no_row_confirms_is_named(serve: Serve, connect: Connect) -> None:
    client = connect(serve(generate(sessions=100)))
    pva.load_sessions(since="30d", brand_name="Halt", client=client)
    assert flags(client, since="30d") == {"brand_name not checked"}


def test_a_session_of_a_brand_that_settles_later_is_found_under_brand_and_status(
    serve: Serve, connect: Connect, session: Make
) -> None:
    waiting = session(5 * HOUR, status="in-progress", _brand_name="Shop")
    other = session(6 * HOUR, status="in-progress", _brand_name="Another")
    account = Account.of([waiting, other])
    client = connect(serve(account))
    asked = {"brand_name": "Shop", "status": "expired", "client": client}
    assert pva.load_sessions(**asked).height == 0
    for record in (waiting, other):
        account.replace({**record, "status": "expired"})
    once(pva.load_sessions(**asked), [waiting["session_uuid"]])


def message(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "message_uuid": f"00000000-0000-4000-8000-{number:012d}",
        "message_time": "2026-11-01 12:00:00+00:00",
        "message_state": "queued",
        "message_direction": "outbound",
        "message_type": "sms",
        "from_number": "12025550143",
        "to_number": "14155550123",
        "total_amount": "0.0050",
        "error_code": None,
        **fields,
    }


def test_a_message_that_fails_later_is_found_by_its_error_code(
    serve: Serve, connect: Connect
) -> None:
    account = Account.of(messages=[message(1), message(2)])
    client = connect(serve(account))
    assert pva.load_messages(error_code="30", client=client).height == 0
    account.replace(message(1, message_state="failed", error_code="30"))
    account.replace(message(2, message_state="delivered", error_code="000"))
    found = pva.load_messages(error_code="30", client=client)
    assert found["message_uuid"].to_list() == [message(1)["message_uuid"]]


def test_an_open_session_that_turned_up_late_is_found_when_it_settles(
    serve: Serve, connect: Connect, session: Make
) -> None:
    account = Account.of([session(2 * HOUR)])
    client = connect(serve(account))
    pva.load_sessions(status="expired", client=client)
    late = session(timedelta(minutes=40), status="in-progress")
    account.insert(late)
    assert pva.load_sessions(status="expired", client=client).height == 0
    account.replace({**late, "status": "expired"})
    account.advance(3 * HOUR)
    once(pva.load_sessions(status="expired", client=client), [late["session_uuid"]])


def test_a_row_that_settled_while_the_server_wrote_it_is_no_breach_of_the_filter(
    serve: Serve, connect: Connect, session: Make
) -> None:
    opened = [session(n * HOUR, status="in-progress") for n in range(1, 5)]
    body = [{**opened[0], "status": "verified"}, *opened[1:]]
    page = Fault.body(
        json.dumps({"sessions": body, "meta": {"next": None}}).encode(), "application/json"
    )
    account = Account.of([body[0], *opened[1:]])
    client = connect(serve(account, faults=[None, None, page]))
    frame = pva.load_sessions(status="in-progress", client=client)
    once(frame, [each["session_uuid"] for each in opened[1:]])


# --- what a server taught, and for how long


def test_a_server_that_became_precise_again_is_read_as_such_after_a_week(
    serve: Serve, connect: Connect
) -> None:
    account = generate(sessions=1200)
    server = serve(account, behaviour=Behaviour(precision=timedelta(minutes=1), order="oldest"))
    client = connect(server)
    pva.load_sessions(since="90d", client=client)
    facts = client.store.facts()
    assert facts["sessions order"] == "unordered, seen 2026-11-02"
    server.behaviour = Behaviour()
    window = {"since": NOW - 50 * DAY, "until": NOW - 40 * DAY}
    costs = []
    for days in (0, 3, 8):
        account.now = NOW + days * DAY
        client.store.completed_ranges(SESSION_RESOURCE).discard(EVER, "")
        asked = len(server.log)
        once(pva.load_sessions(**window, client=client), account.uuids(*window.values()))
        costs.append(len(server.log) - asked)
    rows = len(account.uuids(*window.values()))
    assert costs[0] == costs[1] > costs[2]
    assert costs[2] <= rows / 19 + 1


# --- verify


def test_verify_says_what_is_listed_no_more_and_keeps_it(
    serve: Serve, connect: Connect, session: Make
) -> None:
    gone = session(20 * HOUR)
    account = Account.of([gone, session(10 * HOUR)])
    client = connect(serve(account))
    pva.load_sessions(client=client)
    account._sessions.remove(gone["session_uuid"])
    with pytest.warns(PlivoAnalysisWarning, match="1 sessions of ranges .* are listed no more"):
        assert pva.load_sessions(client=client, verify=True).height == 2


def test_verify_of_an_unchanged_range_has_nothing_to_say(serve: Serve, connect: Connect) -> None:
    client = connect(serve(generate(sessions=200)))
    frame = pva.load_sessions(since="30d", client=client)
    assert pva.load_sessions(since="30d", client=client, verify=True).equals(frame)


# --- others on the same store


def test_what_is_purged_while_it_is_read_is_not_called_complete(
    serve: Serve, connect: Connect
) -> None:
    account = generate(sessions=600)
    client = connect(serve(account))
    everything = Filter.of(SESSION_RESOURCE)
    before = to_us(NOW - 20 * DAY) // MINUTE * MINUTE

    class Purging:
        def page(self, *, requests: int, rows: int, share: float) -> None:
            entries = client.store.completed_ranges(SESSION_RESOURCE).entries()
            if entries and entries[0].span.start < to_us(NOW - 40 * DAY) and not purged:
                purged.append(True)
                client.store.purge(before)

        def waiting(self, seconds: float) -> None:
            pass

    purged: list[bool] = []
    span = NOW - 80 * DAY, NOW - DAY
    question = Question(everything, lambda now: span)
    pull(client, question, watch=Purging())
    assert purged
    frame = pva.load_sessions(since=span[0], until=span[1], client=client)
    once(frame, account.uuids(*span))


def test_a_ledger_of_many_pages_has_few_entries(serve: Serve, connect: Connect) -> None:
    client = connect(serve(generate(sessions=1000)))
    pva.load_sessions(since="80d", until=NOW - DAY, client=client)
    entries = client.store.completed_ranges(SESSION_RESOURCE).entries()
    assert [from_us(entries[0].span.start), from_us(entries[-1].span.end)] == [
        NOW - 80 * DAY,
        NOW - DAY,
    ]
    assert len(entries) == 1


# --- Ctrl-C


class TornStore(Store):
    """A store in the middle of whose third page somebody presses Ctrl-C."""

    pages = 0

    @contextmanager
    def writing(self) -> Iterator[None]:
        with super().writing():
            yield
            self.pages += 1
            if self.pages == 3:
                raise KeyboardInterrupt


def press_ctrl_c(when: Callable[[], bool]) -> None:
    def press() -> None:
        while not when():
            time.sleep(0.01)
        time.sleep(0.3)  # the answer is there, if there is one
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press, daemon=True).start()


@pytest.mark.parametrize("moment", ["wait", "read", "write"])
def test_ctrl_c_stops_cleanly_and_what_was_stored_is_used(
    moment: str,
    serve: Serve,
    connect: Connect,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PLIVO_ANALYSIS_HOME", str(tmp_path / "home"))
    account = generate(sessions=200)
    window = {"since": NOW - 80 * DAY, "until": NOW - DAY}
    fresh = serve(account)
    expected = pva.load_sessions(**window, client=connect(fresh))
    server = serve(account, faults=[None] * 4 + [Fault.hang()] * (moment == "read"))
    folder = tmp_path / "store"
    options: dict[str, Any] = {"clock": FrozenWallClock(NOW), "store": folder}
    client = connect(server, requests_per_minute=5 if moment == "wait" else 1e9, **options)
    if moment == "write":
        client._store = TornStore(client._folder)
    else:
        press_ctrl_c(lambda: len(server.log) >= 5)
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        pva.load_sessions(**window, client=client)
    assert time.monotonic() - began < 10
    client.close()

    server.faults = []
    again = connect(server, **options)
    assert again.store.records(SESSION_RESOURCE).count(Span(0, EVER.end)) >= 38
    assert pva.load_sessions(**window, client=again).equals(expected)
    assert len(server.log) <= len(fresh.log) + (moment != "wait")
