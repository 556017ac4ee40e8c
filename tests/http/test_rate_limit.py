"""The limit is never met, nobody is passed over, and a wait ends when it should."""

from __future__ import annotations

import heapq
import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plivo_analysis.emulator import FixedWindow, SlidingWindow, TokenBucket
from plivo_analysis.errors import FilterError, PlivoAnalysisError
from plivo_analysis.http.rate_limit.limiter import Limiter
from plivo_analysis.http.rate_limit.window import PERMIT_LEASE_SECONDS, WindowState, new_ticket
from plivo_analysis.http.retries import Cause, Setback
from plivo_analysis.system.clock import Cancelled, Clock, FrozenWallClock, wait_in_steps


class Counting(Protocol):
    """A server's count of requests."""

    def admit(self) -> float | None: ...


class FakeClock:
    """Time that passes only when somebody waits."""

    def __init__(self, start: float = 1_000.0) -> None:
        self.time = start
        self.begin = start
        self.origin = uuid4().hex

    def now(self) -> datetime:
        return datetime(2026, 11, 2, tzinfo=UTC) + timedelta(seconds=self.time - self.begin)

    def monotonic(self) -> float:
        return self.time

    def wait(self, seconds: float, cancel: threading.Event | None = None) -> bool:
        self.time += seconds
        return cancel is not None and cancel.is_set()

    @property
    def elapsed(self) -> float:
        return self.time - self.begin


def send(clock: FakeClock, limiter: Limiter, server: Counting, duration: float = 0.0) -> int:
    """One request as the transport sends it, tried until the server takes it: the refusals."""
    refused = 0
    while True:
        with limiter.acquire() as permit:
            clock.wait(duration / 2)
            taken = server.admit() is None
            clock.wait(duration / 2)
            if taken:
                return refused
            refused += 1
            refusal = Setback(Cause.BUSY, PlivoAnalysisError())
            permit.back_off(refusal.pause(1, limiter.period))


SERVERS = {"fixed": FixedWindow, "sliding": SlidingWindow, "bucket": TokenBucket}


@pytest.mark.parametrize("duration", [0.0, 0.02, 1.7])
@pytest.mark.parametrize("server", SERVERS.values(), ids=SERVERS)
def test_no_usual_server_ever_refuses(server: type[Counting], duration: float) -> None:
    clock = FakeClock()
    limiter = Limiter(20, clock=clock)
    counting = server(20, clock=clock.monotonic)
    refused = [send(clock, limiter, counting, duration) for _ in range(60)]
    assert sum(refused) == 0


@pytest.mark.parametrize("server", SERVERS.values(), ids=SERVERS)
def test_sixty_requests_take_hardly_longer_than_the_limit_itself(server: type[Counting]) -> None:
    clock = FakeClock()
    limiter = Limiter(20, clock=clock)
    counting = server(20, clock=clock.monotonic)
    for _ in range(60):
        send(clock, limiter, counting, 0.01)
    assert 120 <= clock.elapsed <= 1.02 * 120


def test_a_server_that_wants_even_spacing_refuses_twice_and_then_never_again() -> None:
    clock = FakeClock()
    limiter = Limiter(20, clock=clock)
    strict = SlidingWindow(1, seconds=3.0, clock=clock.monotonic)
    refused = [send(clock, limiter, strict, 0.05) for _ in range(60)]
    assert sum(refused) == 2
    assert sum(refused[5:]) == 0


class Shared:
    """A server's count from which another program spends every six seconds, too."""

    def __init__(self, server: type[Counting], clock: FakeClock) -> None:
        self.times = [clock.time]
        self.clock = FakeClock()
        self.counting = server(20, clock=self.clock.monotonic)
        self.ours = clock

    def admit(self) -> float | None:
        while self.times[-1] <= self.ours.time:
            self.clock.time = self.times[-1]
            self.counting.admit()
            self.times.append(self.clock.time + 6.0)
        self.clock.time = self.ours.time
        return self.counting.admit()


@pytest.mark.parametrize("server", [FixedWindow, SlidingWindow])
def test_beside_another_program_few_requests_are_refused_and_most_of_the_rest_is_used(
    server: type[Counting],
) -> None:
    clock = FakeClock()
    limiter = Limiter(20, clock=clock)
    shared = Shared(server, clock)
    while clock.elapsed < 180:
        send(clock, limiter, shared, 0.05)
    sent = refused = 0
    while clock.elapsed < 180 + 3600:
        refused += send(clock, limiter, shared, 0.05)
        sent += 1
    assert refused / (sent + refused) <= 0.05
    assert sent >= 300  # of the 600 that are left in an hour


def test_what_was_halved_grows_back_when_the_other_program_ends() -> None:
    window = WindowState(limit=20, period=60.0)
    now = 0.0
    for _ in range(4):
        window.back_off(now, 60.0, now)
        now += 61.0
    assert (window.even, window.budget) == (True, 5.0)
    window.estimate(1, now + 60)
    assert 5.0 < window.budget < 10.0
    window.estimate(1, now + 3600)
    assert window.budget == 20.0


def test_refusals_of_one_burst_are_one_lesson() -> None:
    window = WindowState(limit=20, period=60.0)
    for _ in range(20):
        window.back_off(started=0.0, seconds=60.0, now=1.0)
    assert (window.refusals, window.budget, window.even) == (1, 20.0, False)
    assert window.estimate(1, 1.0) == 60.0


def test_even_requests_are_three_point_two_seconds_apart_at_twenty_a_minute() -> None:
    clock = FakeClock()
    limiter = Limiter(20, clock=clock)
    for _ in range(2):
        with limiter.acquire() as permit:
            permit.back_off(60.0)
        clock.wait(70)
    began = clock.elapsed
    for _ in range(11):
        limiter.acquire().release()
    assert clock.elapsed - began == pytest.approx(32.0)


@settings(max_examples=100, deadline=None)
@given(
    requests=st.lists(
        st.tuples(st.floats(0, 70), st.floats(0, 1), st.floats(0, 30)), min_size=1, max_size=80
    ),
    workers=st.integers(1, 30),
    limit=st.integers(1, 20),
)
def test_no_minute_of_the_server_ever_holds_more_than_the_limit(
    requests: list[tuple[float, float, float]], workers: int, limit: int
) -> None:
    """Each request takes so long, is counted somewhere within, and comes so long after."""
    window = WindowState(limit=limit, period=60.0)
    counted = []
    landings = []  # what is under way: when it ends, and its ticket
    now = 0.0
    for duration, share, idle in requests:
        now += idle if share > 0.7 else 0.0
        while landings and (len(landings) >= workers or landings[0][0] <= now):
            end, ticket = heapq.heappop(landings)
            now = max(now, end)
            window.finish(ticket, now)
        ticket = new_ticket()
        while (wait := window.turn(ticket, now)) > 0:
            if landings and landings[0][0] <= now + wait:
                end, landed = heapq.heappop(landings)
                now = max(now, end)
                window.finish(landed, now)
            else:
                now += max(wait, 0.001)
        counted.append(now + share * duration)
        heapq.heappush(landings, (now + duration, ticket))
    counted.sort()
    for first, later in zip(counted, counted[limit:], strict=False):
        assert later - first >= 60.0


@settings(max_examples=50, deadline=None)
@given(
    limit=st.integers(1, 25),
    before=st.integers(0, 30),
    further=st.integers(1, 30),
    refusals=st.integers(0, 4),
    idle=st.floats(0, 100),
)
def test_the_estimate_is_what_the_requests_then_take(
    limit: int, before: int, further: int, refusals: int, idle: float
) -> None:
    clock = FakeClock()
    limiter = Limiter(limit, clock=clock)
    for _ in range(before):
        limiter.acquire().release()
    for _ in range(refusals):
        clock.wait(1.0)
        with limiter.acquire() as permit:
            permit.back_off(5.0)
    clock.wait(idle)
    with limiter.state() as window:
        window.cap_changed_at = float("inf")  # growth is not foreseen, so none happens here
    estimate = limiter.wait_estimate(further)
    began = clock.time
    for _ in range(further):
        limiter.acquire().release()
    assert clock.time - began == pytest.approx(estimate, abs=0.01 * further)


def test_turns_go_in_order_of_arrival() -> None:
    window = WindowState(limit=2, period=60.0)
    for _ in range(2):
        window.finish(window.probe(0.0), 0.0)
    waiting = [new_ticket() for _ in range(7)]
    assert all(window.turn(ticket, 1.0) > 0 for ticket in waiting)
    granted, now = [], 1.5
    while len(granted) < 7:
        for ticket in reversed([ticket for ticket in waiting if ticket not in granted]):
            if window.turn(ticket, now) <= 0:
                granted.append(ticket)
                window.finish(ticket, now)
        now += 0.5
    pairs = [set(granted[place : place + 2]) for place in range(0, 7, 2)]
    assert pairs == [set(waiting[place : place + 2]) for place in range(0, 7, 2)]


def test_threads_share_alike() -> None:
    limiter = Limiter(6000, clock=Clock(), period=0.05)  # five in each 0.05 s
    began = time.monotonic()
    grants = [0, 0, 0]
    all_here = threading.Barrier(3)

    def work(number: int) -> None:
        all_here.wait()
        while sum(grants) < 60:
            limiter.acquire().release()
            grants[number] += 1

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert min(grants) >= sum(grants) / 5
    assert sum(grants) <= 5 * ((time.monotonic() - began) / 0.05 + 2)


def test_a_cancel_ends_a_wait_and_gives_the_place_back() -> None:
    limiter = Limiter(1, clock=Clock())  # the second permit is a minute away
    limiter.acquire().release()
    cancel = threading.Event()
    stopped = []

    def work() -> None:
        with pytest.raises(Cancelled):
            limiter.acquire(cancel)
        stopped.append(limiter.wait_estimate(1))

    thread = threading.Thread(target=work)
    thread.start()
    while limiter.wait_estimate(1) < 61:  # until the thread is in the queue
        time.sleep(0.01)
    began, behind = time.monotonic(), limiter.wait_estimate(1)
    cancel.set()
    thread.join()
    passed = time.monotonic() - began
    assert stopped[0] > 30  # most of that minute was left when the wait ended
    assert 60.4 < behind - stopped[0] < 60.6 + passed


def test_a_cancelled_caller_is_not_granted_even_a_free_turn() -> None:
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        Limiter(20, clock=FakeClock()).acquire(cancel)


def test_whoever_watches_a_wait_hears_the_seconds_count_down() -> None:
    limiter = Limiter(1, clock=FakeClock())
    limiter.acquire().release()
    heard = []
    limiter.acquire(on_wait=heard.append)
    assert heard[:3] == [60.5, 59.5, 58.5]
    assert heard[-1] == 0.5


def test_a_request_under_way_holds_its_place() -> None:
    limiter = Limiter(1, clock=FakeClock())
    permit = limiter.acquire()
    assert limiter.wait_estimate(1) == 60.5
    limiter.clock.wait(30)
    assert limiter.wait_estimate(1) == 60.5
    permit.release()
    limiter.clock.wait(30)
    assert limiter.wait_estimate(1) == 30.5


def test_what_nobody_gives_back_is_given_up_after_a_lease() -> None:
    clock = FakeClock()
    limiter = Limiter(1, clock=clock)
    limiter.acquire()  # and its owner vanishes
    limiter.acquire().release()
    assert PERMIT_LEASE_SECONDS + 60 <= clock.elapsed <= PERMIT_LEASE_SECONDS + 62


def test_a_slot_given_up_counts_from_the_end_of_its_lease_however_late_that_is_seen() -> None:
    window = WindowState(limit=1, period=60.0)
    window.turn(new_ticket(), 0.0)
    later = new_ticket()
    assert window.turn(later, PERMIT_LEASE_SECONDS + 50) == 10.5
    window.leave(later)
    assert window.turn(new_ticket(), PERMIT_LEASE_SECONDS + 3600) == 0.0


def test_a_ticket_that_nobody_asks_for_holds_up_nobody_for_ever() -> None:
    window = WindowState(limit=1, period=60.0)
    window.finish(window.probe(-60.0), -60.0)
    abandoned, later = new_ticket(), new_ticket()
    assert window.turn(abandoned, 0.0) > 0
    assert window.turn(later, 1.0) == 60.5
    assert window.turn(later, PERMIT_LEASE_SECONDS) == 0.0


@pytest.mark.parametrize("rate", [1e9, float("inf")])
def test_a_very_high_rate_is_never_waited_for(rate: Any) -> None:
    limiter = Limiter(rate, clock=FakeClock())
    for _ in range(5_000):
        limiter.acquire().release()
    assert limiter.clock.elapsed == 0
    assert limiter.wait_estimate(10**6) == 0.0


def test_less_than_one_request_a_minute_is_one_in_a_longer_time() -> None:
    clock = FakeClock()
    limiter = Limiter(0.5, clock=clock)
    for _ in range(3):
        limiter.acquire().release()
    assert clock.elapsed == pytest.approx(2 * 121)


def test_waits_end_on_a_clock_with_coarse_digits() -> None:
    clock = FakeClock(start=1e9 / 3)
    limiter = Limiter(3, clock=clock)
    for _ in range(30):
        limiter.acquire().release()
        clock.wait(1 / 3)
    assert 9 * 60.5 - 1 <= clock.elapsed <= 9 * 60.5 + 1


@pytest.mark.parametrize("rate", [0, -1, float("nan"), "20", None, True])
def test_a_rate_that_is_no_positive_number_is_refused(rate: Any) -> None:
    with pytest.raises(FilterError, match="takes a positive number, by default 20"):
        Limiter(rate, clock=FakeClock())


def test_the_frozen_clock_stands_still_and_yet_waits() -> None:
    clock = FrozenWallClock(datetime(2026, 11, 2, 6, 58, tzinfo=UTC))
    began, before = clock.monotonic(), clock.now()
    assert clock.wait(0.02) is False
    assert clock.monotonic() - began >= 0.02
    assert clock.now() == before


def test_the_system_clock_tells_the_time_in_utc() -> None:
    assert abs(Clock().now() - datetime.now(UTC)) < timedelta(seconds=1)


def test_rest_does_not_go_on_after_a_cancel() -> None:
    cancel = threading.Event()
    threading.Timer(0.05, cancel.set).start()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        wait_in_steps(Clock(), 600.0, cancel)
    assert time.monotonic() - began < 60  # of ten minutes
