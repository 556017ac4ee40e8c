"""Leases: a range is read by one at a time, shared by halves, and taken over from the dead."""

from __future__ import annotations

import os
import threading
import time
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from plivo_analysis.api.filters import Filter
from plivo_analysis.api.resources import SESSION_RESOURCE
from plivo_analysis.emulator import Fault, generate
from plivo_analysis.emulator.account import DEFAULT_NOW as NOW
from plivo_analysis.loaders.answer import stored
from plivo_analysis.storage.completed_ranges import CompletedRange
from plivo_analysis.storage.leases import LEASE_SECONDS
from plivo_analysis.storage.store import Store
from plivo_analysis.sync.completeness import stretches
from plivo_analysis.sync.pull import Question, pull
from plivo_analysis.system.clock import Cancelled, FrozenWallClock
from plivo_analysis.values.spans import DAY, EVER, HOUR, MINUTE, Span

if TYPE_CHECKING:
    from collections.abc import Callable

    import plivo_analysis as pva
    from plivo_analysis.emulator import Server
    from plivo_analysis.storage.leases import Leases

    Serve = Callable[..., Server]
    Connect = Callable[..., pva.Client]

EVERYTHING = Filter.of(SESSION_RESOURCE)
DAYS = Span(0, 10 * DAY)


@pytest.fixture
def store() -> Store:
    return Store(None)


def leases(store: Store, scope: str = "") -> Leases:
    """As another pull would have them."""
    return store.leases(SESSION_RESOURCE, scope)


def test_what_one_reads_nobody_else_may_take(store: Store) -> None:
    first = leases(store).take([DAYS], at=0.0)
    assert first is not None
    assert first.span == DAYS
    assert leases(store).take([DAYS], at=0.0) is None
    assert leases(store, "status=expired").take([DAYS], at=0.0) is not None
    first.release()
    assert leases(store).take([DAYS], at=0.0) is not None


def test_the_second_takes_the_lower_half_of_what_the_first_will_not_reach_soon(
    store: Store,
) -> None:
    first = leases(store).take([DAYS], at=0.0)
    assert first is not None
    assert first.hold(9 * DAY, ahead=DAY) == 0
    second = leases(store).take([Span(0, 9 * DAY)], at=0.0)
    assert second is not None
    assert second.span == Span(0, 4 * DAY)
    assert first.hold(8 * DAY, ahead=DAY) == 4 * DAY
    third = leases(store).take([Span(0, 8 * DAY)], at=0.0)
    assert third is not None
    assert third.span == Span(4 * DAY, 5 * DAY + 12 * HOUR)


def test_a_short_rest_is_left_to_whoever_comes_down_on_it(store: Store) -> None:
    first = leases(store).take([DAYS], at=0.0)
    assert first is not None
    first.hold(2 * DAY, ahead=DAY)
    assert leases(store).take([Span(0, 2 * DAY)], at=0.0) is None


def test_what_nobody_means_to_read_is_taken_whole(store: Store) -> None:
    first = leases(store).take([Span(5 * DAY, 10 * DAY)], at=0.0)
    second = leases(store).take([DAYS], at=0.0)
    assert first is not None
    assert second is not None
    assert second.span == Span(0, 5 * DAY)


def test_a_walk_stops_at_what_somebody_else_has_completed(store: Store) -> None:
    first = leases(store).take([DAYS], at=0.0)
    assert first is not None
    with store.writing():
        store.completed_ranges(SESSION_RESOURCE).record(
            CompletedRange(Span(DAY, 3 * DAY), "", 0, ())
        )
        store.completed_ranges(SESSION_RESOURCE).record(
            CompletedRange(Span(0, 6 * DAY), "status=expired", 0, ())
        )
    assert first.hold(9 * DAY) == 3 * DAY
    assert first.hold(2 * DAY) == 3 * DAY


def owned_by(store: Store, owner: str) -> Leases:
    """A claim on all days of an owner of whom only the name is known."""
    store.database.run("INSERT INTO lease VALUES (?, 'sessions', '', 0, ?, 0, 7)", (owner, DAY))
    return leases(store)


def test_a_lease_that_does_not_move_lapses_by_the_watch_of_whoever_waits(store: Store) -> None:
    other = owned_by(store, "another-computer:1:aa")
    assert other.take([Span(0, DAY)], at=1000.0) is None
    assert other.take([Span(0, DAY)], at=1000.0 + LEASE_SECONDS - 1) is None
    store.database.run("UPDATE lease SET beat = beat + 1")
    assert other.take([Span(0, DAY)], at=1000.0 + LEASE_SECONDS + 1) is None
    assert other.take([Span(0, DAY)], at=1000.0 + 2 * LEASE_SECONDS) is None
    assert other.take([Span(0, DAY)], at=1001.0 + 2 * LEASE_SECONDS) is not None


@pytest.mark.skipif(os.name != "posix", reason="elsewhere a process cannot be looked up")
def test_a_lease_lapses_at_once_with_a_process_of_this_computer(store: Store) -> None:
    child = os.posix_spawn("/bin/sh", ["sh", "-c", "exit"], {})
    os.waitpid(child, 0)
    other = owned_by(store, f"{os.uname().nodename}:{child}:aa")
    assert other.take([Span(0, DAY)], at=0.0) is not None


def test_a_lease_of_this_process_lapses_with_its_pull_only(store: Store) -> None:
    first = leases(store).take([DAYS], at=0.0)
    other = leases(store)
    assert first is not None
    assert other.take([DAYS], at=0.0) is None
    assert other.take([DAYS], at=100 * LEASE_SECONDS) is None


def test_a_lease_that_was_taken_over_meanwhile_does_not_read_on(store: Store) -> None:
    slept = leases(store).take([DAYS], at=0.0)
    assert slept is not None
    slept.hold(8 * DAY, ahead=DAY)
    store.database.run("DELETE FROM lease")
    other = leases(store).take([Span(0, 8 * DAY)], at=0.0)
    assert other is not None
    assert slept.hold(8 * DAY, ahead=DAY) == 8 * DAY


class Unwatched:
    def page(self, *, requests: int, rows: int, share: float) -> None:
        pass

    def waiting(self, seconds: float) -> None:
        pass


def question(days: int, until: int = 1) -> Question:
    span = NOW - timedelta(days=days), NOW - timedelta(days=until)
    return Question(EVERYTHING, lambda now: span)


def load(client: pva.Client, asked: Question, errors: list[BaseException], **options: Any) -> None:
    try:
        pull(client, asked, watch=Unwatched(), **options)
    except BaseException as error:  # noqa: BLE001 - the test looks at it in its own thread
        errors.append(error)


def test_two_notebooks_share_a_range_and_its_requests(
    serve: Serve, connect: Connect, tmp_path: Any
) -> None:
    account = generate(sessions=1500)
    alone = serve(account)
    pull(connect(alone), question(80), watch=Unwatched())
    server = serve(account, faults=[Fault.delay(0.03)] * 1000)
    clients = [connect(server, store=tmp_path, clock=FrozenWallClock(NOW)) for _ in range(2)]
    errors: list[BaseException] = []
    threads = [threading.Thread(target=load, args=(each, question(80), errors)) for each in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert len(server.log) <= 1.1 * len(alone.log)
    for client in clients:
        frame = stored(client, question(80), EVER)
        expected = account.uuids(NOW - timedelta(days=80), NOW - timedelta(days=1))
        assert Counter(frame["session_uuid"]) == Counter(expected)


def test_a_short_range_does_not_wait_for_the_end_of_a_long_one(
    serve: Serve, connect: Connect, tmp_path: Any
) -> None:
    server = serve(generate(sessions=3000), faults=[Fault.delay(0.03)] * 1000)
    long, short = (connect(server, store=tmp_path, clock=FrozenWallClock(NOW)) for _ in range(2))
    errors: list[BaseException] = []
    cancel = threading.Event()
    thread = threading.Thread(
        target=load, args=(long, question(85), errors), kwargs={"cancel": cancel}
    )
    thread.start()
    while len(server.log) < 5:
        time.sleep(0.01)
    pull(short, question(70, 69), watch=Unwatched())
    assert len(server.log) < 60  # of about 150
    cancel.set()
    thread.join()
    assert [type(error) for error in errors] == [Cancelled]


def test_sharing_in_the_middle_of_a_wait_casts_no_doubt_on_the_page_waited_for(
    serve: Serve, connect: Connect, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLIVO_ANALYSIS_HOME", str(tmp_path))
    account = generate(sessions=300)
    client = connect(serve(account), requests_per_minute=2)
    asked = question(80)

    class Sharing(Unwatched):
        pages = 0

        def page(self, *, requests: int, rows: int, share: float) -> None:
            self.pages += 1
            if taken:
                client.store.database.run("DELETE FROM lease WHERE owner LIKE 'another%'")

        def waiting(self, seconds: float) -> None:
            if self.pages >= 5 and not taken:
                read = client.store.completed_ranges(SESSION_RESOURCE).complete("")
                taken.append(read[0].start - MINUTE)
                client.store.database.run(
                    "INSERT INTO lease VALUES ('another:1:a', 'sessions', '', 0, ?, 0, 0)", taken
                )

    taken: list[int] = []
    pulled = pull(client, asked, watch=Sharing())
    assert taken
    assert not any(stretch.flags for stretch in stretches(client, SESSION_RESOURCE, pulled.span))
    assert stored(client, asked, EVER).height == len(account.uuids(*asked.period(NOW)))


def test_whoever_waits_for_another_can_be_cancelled(
    serve: Serve, connect: Connect, tmp_path: Any
) -> None:
    server = serve(generate(sessions=100), faults=[Fault.delay(3)])
    clock = FrozenWallClock(NOW)
    first, second = (connect(server, store=tmp_path, clock=clock) for _ in range(2))
    errors: list[BaseException] = []
    thread = threading.Thread(target=load, args=(first, question(20), []))
    thread.start()
    while not server.log and not leases(first.store).held():
        time.sleep(0.01)
    cancel = threading.Event()
    waiting = threading.Thread(
        target=load, args=(second, question(20), errors), kwargs={"cancel": cancel}
    )
    waiting.start()
    time.sleep(0.2)
    cancel.set()
    waiting.join()
    assert [type(error) for error in errors] == [Cancelled]
    thread.join()


def test_a_range_before_1970_is_read_down_to_its_own_start(store: Store) -> None:
    first = leases(store).take([Span(-10 * DAY, -DAY)], at=0.0)
    assert first is not None
    assert first.hold(-2 * DAY, ahead=DAY) == -10 * DAY
    assert first.hold(-3 * DAY) == -10 * DAY


def test_an_error_gives_the_lease_up(serve: Serve, connect: Connect) -> None:
    client = connect(serve(generate(sessions=100), faults=[Fault.status(403)]))
    errors: list[BaseException] = []
    load(client, question(20), errors)
    assert len(errors) == 1
    assert leases(client.store).held() == []
