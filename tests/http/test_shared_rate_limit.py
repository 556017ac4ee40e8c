"""All processes of an account together keep to its limit, whatever befalls the file between."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from collections import defaultdict
from contextlib import closing, contextmanager
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from itertools import repeat
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plivo_analysis import Client
from plivo_analysis.emulator import AUTH_ID, AUTH_TOKEN, Account, Fault, Server, SlidingWindow
from plivo_analysis.errors import ResourceNotFoundError
from plivo_analysis.http.rate_limit import state, state_file
from plivo_analysis.http.rate_limit.limiter import Limiter, account_limiter
from plivo_analysis.http.rate_limit.state import SharedState
from plivo_analysis.http.rate_limit.state_file import (
    AccountState,
    Broken,
    StoredState,
    decode,
    encode,
)
from plivo_analysis.http.rate_limit.window import (
    FORGIVEN_SECONDS,
    PATIENCE_SECONDS,
    PERMIT_LEASE_SECONDS,
    WindowState,
    new_ticket,
)
from plivo_analysis.system.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

ACCOUNT = "http://127.0.0.1:9 MAXX"


class VirtualClock:
    """Time that passes only when somebody waits, and a wall's time that can be set."""

    def __init__(self, start: float = 100_000.0, origin: str | None = None) -> None:
        self.time = start
        self.begin = start
        self.origin = uuid4().hex if origin is None else origin
        self.set_by = timedelta(0)

    def now(self) -> datetime:
        passed = timedelta(seconds=self.time - self.begin)
        return datetime(2026, 11, 2, tzinfo=UTC) + passed + self.set_by

    def monotonic(self) -> float:
        return self.time

    def wait(self, seconds: float, cancel: threading.Event | None = None) -> bool:
        self.time += seconds
        return cancel is not None and cancel.is_set()

    @property
    def elapsed(self) -> float:
        return self.time - self.begin


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "rate_limit.sqlite"


def process(path: Path, clock: VirtualClock, limit: float = 20) -> Limiter:
    """What another process would hold: nothing but the file and the clock are common."""
    return Limiter(limit, clock=clock, states=SharedState(path, ACCOUNT, clock))


def spend(limiter: Limiter, requests: int) -> None:
    for _ in range(requests):
        limiter.acquire().release()


# Several processes, in real time

REQUESTER = """
import sys, time
from pathlib import Path
from plivo_analysis.system.clock import Clock
from plivo_analysis.http.credentials import Credentials, Secret
from plivo_analysis.emulator import AUTH_ID, AUTH_TOKEN
from plivo_analysis.http.rate_limit.limiter import Limiter
from plivo_analysis.http.rate_limit.state import SharedState
from plivo_analysis.http.transport import Transport

url, path, period, seconds = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3]), float(sys.argv[4])
clock = Clock()
states = SharedState(path, url, clock)
transport = Transport(
    Credentials(url, AUTH_ID, Secret(AUTH_TOKEN)),
    Limiter(20 * 60 / period, clock=clock, period=period, states=states),
)
sent = 0
print("ready", flush=True)
sys.stdin.readline()
end = time.monotonic() + seconds
while time.monotonic() < end:
    sent += transport.get("Verify/Session/", {}, read=len).tries
print(sent)
"""

NOTEBOOK = """
import sys, time
import plivo_analysis as pva
from plivo_analysis.emulator import AUTH_ID, AUTH_TOKEN

url, seconds = sys.argv[1], float(sys.argv[2])
with pva.Client(AUTH_ID, AUTH_TOKEN, base_url=url, store=False) as client:
    print("ready", flush=True)
    sys.stdin.readline()
    sent, end = 0, time.monotonic() + seconds
    while time.monotonic() + client.limiter.wait_estimate(1) < end:
        sent += client.transport.get("Verify/Session/", {}, read=len).tries
        time.sleep(0.05)  # a page is kept; without a pause a busy machine decides who sends
    print(sent)
"""


@contextmanager
def children(number: int, code: str, *arguments: object) -> Iterator[list[subprocess.Popen[str]]]:
    """So many processes of this code, each of which has said its first line."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    started = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(number)
    ]
    try:
        for child in started:
            assert child.stdout is not None
            assert child.stdout.readline().strip() == "ready"
        yield started
    finally:
        for child in started:
            child.kill()
            child.communicate()


def run_together(running: list[subprocess.Popen[str]], timeout: float) -> list[int]:
    """Let all begin at once; what each has sent."""
    for child in running:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    return [int(child.communicate(timeout=timeout)[0]) for child in running]


def most_in_any(period: float, times: list[float]) -> int:
    times = sorted(times)
    return max(sum(first <= at < first + period for at in times) for first in times)


def test_three_processes_share_one_limit_fairly(path: Path) -> None:
    period, seconds = 2.0, 5.0
    limiter = SlidingWindow(20, seconds=period)
    # An answer takes a while, as everywhere: how soon a process is woken matters little then.
    with (
        Server(Account.of([]), limiter=limiter, faults=repeat(Fault.delay(0.1))) as server,
        children(3, REQUESTER, server.url, path, period, seconds) as running,
    ):
        sent = run_together(running, 60)
        log = list(server.log)
    assert {request.status for request in log} == {200}
    assert most_in_any(period, [request.at for request in log]) <= 20
    assert sum(sent) == len(log) >= 20 * (seconds - 1) / period
    assert min(sent) >= sum(sent) / 5


@pytest.mark.slow
def test_three_notebooks_share_twenty_requests_a_minute_and_use_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLIVO_ANALYSIS_HOME", str(tmp_path))
    with (
        Server(Account.of([]), limiter=SlidingWindow(20)) as server,
        children(3, NOTEBOOK, server.url, 130) as running,
    ):
        sent = run_together(running, 300)
        log = list(server.log)
    times = [request.at for request in log]
    assert {request.status for request in log} == {200}
    assert most_in_any(60.0, times) <= 20
    assert len(log) >= 60
    assert sorted(times)[59] - min(times) <= 120 * 1.02
    assert min(sent) >= sum(sent) / 5


# Killed processes

HOLDER = """
import sys, time
from pathlib import Path
from plivo_analysis.system.clock import Clock
from plivo_analysis.http.rate_limit.limiter import Limiter
from plivo_analysis.http.rate_limit.state import SharedState

path, account, what = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
clock = Clock()
limit = 10**6 if what == "anything" else 1
limiter = Limiter(limit, clock=clock, states=SharedState(path, account, clock))
if what == "slot":
    permit = limiter.acquire()
    print("ready", flush=True)
elif what == "ticket":
    limiter.acquire(on_wait=lambda left: print("ready", flush=True))
elif what == "lock":
    with limiter.state() as window:
        window.in_flight["1"] = clock.monotonic()
        print("ready", flush=True)
        time.sleep(60)
elif what == "anything":
    print("ready", flush=True)
    while True:
        limiter.acquire().release()
time.sleep(60)
"""


def real_start() -> VirtualClock:
    """A clock that agrees with other processes on the time, but need not live through it."""
    system = Clock()
    return VirtualClock(system.monotonic(), system.origin)


def test_others_proceed_after_the_lease_of_a_process_killed_with_a_slot(path: Path) -> None:
    with children(1, HOLDER, path, ACCOUNT, "slot") as (holder,):
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    clock = real_start()
    process(path, clock, 1).acquire().release()
    assert PERMIT_LEASE_SECONDS + 60 - 5 <= clock.elapsed <= PERMIT_LEASE_SECONDS + 60.5 + 1


def test_others_proceed_soon_after_a_process_was_killed_while_it_waited(path: Path) -> None:
    clock = real_start()
    process(path, clock, 1).acquire().release()
    with children(1, HOLDER, path, ACCOUNT, "ticket") as (holder,):
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    clock = real_start()
    clock.wait(60.5)
    began = clock.time
    process(path, clock, 1).acquire().release()
    assert clock.time - began <= 1
    clock.wait(60.5)
    with process(path, clock, 1).state() as window:
        assert not window.queue


def test_a_process_killed_in_the_midst_of_a_change_changes_nothing(path: Path) -> None:
    with children(1, HOLDER, path, ACCOUNT, "lock") as (holder,):
        killed = threading.Event()

        def kill() -> None:
            killed.set()
            holder.kill()

        threading.Timer(0.3, kill).start()
        with process(path, real_start(), 1).state() as window:
            assert killed.is_set()
            assert window.in_flight == {}


def test_processes_killed_at_any_moment_leave_a_sound_file(path: Path) -> None:
    moments = random.Random(3)
    with children(6, HOLDER, path, ACCOUNT, "anything") as running:
        for child in running:
            time.sleep(moments.uniform(0, 0.15))
            child.send_signal(signal.SIGKILL)
            child.wait()
            with process(path, real_start()).state() as window:
                assert window.finished
    assert not path.with_name("rate_limit.sqlite.broken").exists()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


# Any interleaving

STEPS = st.lists(
    st.tuples(
        st.integers(0, 3),  # whose step it is
        st.sampled_from([0.0, 0.0, 0.01, 1.0, 9.0, 31.0, 60.2, 61.0]),  # what passes before
        st.sampled_from(["go", "go", "go", "go", "go", "killed"]),
        st.booleans(),  # whether the server counts early or late
        st.sampled_from([0, 0, 0, 3600, -3600, 86_400, -86_400]),  # how the wall's clock is set
    ),
    min_size=20,
    max_size=120,
)


class Process:
    """A virtual process that asks whenever it may; one step at a time."""

    def __init__(self, path: Path, clock: VirtualClock, limit: int) -> None:
        self.make = lambda: process(path, clock, limit)
        self.clock = clock
        self.counted: list[float] = []
        self.start()

    def start(self) -> None:
        self.limiter = self.make()
        self.waiting: str | None = None
        self.flying: tuple[str, float] | None = None

    def end_flight(self, *, early: bool) -> None:
        if self.flying is not None:
            # No request takes longer than the lease.
            latest = min(self.clock.time, self.flying[1] + PERMIT_LEASE_SECONDS)
            self.counted.append(self.flying[1] if early else latest)

    def step(self, act: str, *, early: bool) -> None:
        if act == "killed":
            self.end_flight(early=early)
            self.start()
            return
        with self.limiter.state() as window:
            now = self.clock.monotonic()
            if self.flying is not None:
                window.finish(self.flying[0], now)
                self.end_flight(early=early)
                self.flying = None
                return
            ticket = self.waiting or new_ticket()
            self.waiting = ticket
            if window.turn(ticket, now) <= 0:
                self.waiting, self.flying = None, (ticket, now)


@settings(max_examples=40, deadline=None)
@given(steps=STEPS, limit=st.integers(1, 4))
def test_no_interleaving_of_processes_exceeds_the_limit_in_any_minute(
    steps: list[tuple[int, float, str, bool, int]], limit: int
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        clock = VirtualClock()
        running = [Process(Path(folder) / "rate_limit.sqlite", clock, limit) for _ in range(4)]
        for who, passes, act, early, set_by in steps:
            clock.wait(passes)
            clock.set_by += timedelta(seconds=set_by)
            running[who].step(act, early=early)
        for worker in running:
            worker.end_flight(early=True)
    counted = sorted(time for worker in running for time in worker.counted)
    for first, later in zip(counted, counted[limit:], strict=False):
        assert later - first >= 60.0


def test_turns_go_in_order_of_arrival_across_processes(path: Path, clock: VirtualClock) -> None:
    spend(process(path, clock, 1), 1)
    limiters = [process(path, clock, 1) for _ in range(3)]
    tickets = [new_ticket() for _ in limiters]
    for limiter, ticket in zip(limiters, tickets, strict=True):
        with limiter.state() as window:
            assert window.turn(ticket, clock.time) > 0
    granted = []
    while len(granted) < 3:
        clock.wait(1)
        for limiter, ticket in reversed(list(zip(limiters, tickets, strict=True))):
            with limiter.state() as window:
                if ticket not in granted and window.turn(ticket, clock.time) <= 0:
                    window.finish(ticket, clock.time)
                    granted.append(ticket)
    assert granted == tickets


def test_a_refusal_met_by_one_process_makes_all_wait(path: Path, clock: VirtualClock) -> None:
    one, other = process(path, clock), process(path, clock)
    with one.acquire() as permit:
        permit.back_off(45.0)
    assert other.wait_estimate(1) == pytest.approx(45.0)


def test_processes_that_were_told_different_limits_each_keep_theirs(
    path: Path, clock: VirtualClock
) -> None:
    few, many = process(path, clock, 5), process(path, clock, 20)
    spend(few, 5)
    assert many.wait_estimate(15) == 0.0
    spend(many, 15)
    assert clock.elapsed == 0.0
    assert few.wait_estimate(1) == many.wait_estimate(1) == pytest.approx(60.5)


# Clocks

SET_BY = [timedelta(hours=1), timedelta(hours=-1), timedelta(days=1), timedelta(days=-1)]


@pytest.mark.parametrize("set_by", SET_BY, ids=str)
def test_a_wall_clock_that_is_set_neither_bursts_nor_stalls(
    set_by: timedelta, path: Path, clock: VirtualClock
) -> None:
    spend(process(path, clock), 20)
    clock.set_by = set_by
    spend(process(path, clock), 20)
    clock.set_by = timedelta(0)
    spend(process(path, clock), 20)
    assert clock.elapsed == pytest.approx(121.0, abs=0.1)


@pytest.mark.parametrize(
    ("uptime", "wait"), [(0.5, 60.0), (30.0, 30.5), (61.0, 0.0), (200_000.0, 0.0)]
)
def test_after_a_start_of_the_computer_earlier_requests_count_from_that_start(
    uptime: float, wait: float, path: Path, clock: VirtualClock
) -> None:
    spend(process(path, clock), 19)
    process(path, clock).acquire()  # and the computer goes down during this request
    assert process(path, VirtualClock(uptime)).wait_estimate(1) == pytest.approx(wait)


@pytest.mark.parametrize("uptime", [0.5, 30.0, 99_000.0])
def test_where_no_system_tells_its_starts_a_restart_costs_one_window_at_most(
    uptime: float, path: Path
) -> None:
    spend(process(path, VirtualClock(origin="")), 20)
    clock = VirtualClock(uptime, origin="")
    spend(process(path, clock), 20)
    assert clock.elapsed == pytest.approx(60.5, abs=0.01)
    assert process(path, clock).wait_estimate(1) == pytest.approx(60.5)


def test_computers_that_share_a_folder_each_count_their_own_time(path: Path) -> None:
    one, other = VirtualClock(1_000.0), VirtualClock(5_000_000.0)
    first, second = process(path, one), process(path, other)
    for _ in range(20):
        spend(first, 1)
        spend(second, 1)
    assert first.wait_estimate(1) == second.wait_estimate(1) == pytest.approx(60.5)


def test_lines_that_nobody_wrote_for_a_month_are_forgotten(path: Path) -> None:
    old = VirtualClock()
    spend(process(path, old), 1)
    new = VirtualClock()
    new.set_by = timedelta(days=31)
    spend(process(path, new), 1)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT origin FROM account_state").fetchall() == [(new.origin,)]


def test_processes_of_one_computer_agree_on_the_time() -> None:
    code = "from plivo_analysis.system.clock import Clock as C; print(C().monotonic(), C().origin)"
    before = Clock().monotonic()
    printed = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True
    )
    there, _, origin = printed.stdout.strip().partition(" ")
    assert before < float(there) < Clock().monotonic()
    assert origin == Clock().origin


# The file

ALONE = "does not see the others"


@contextmanager
def warned(count: int = 1) -> Iterator[list[warnings.WarningMessage]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught
    assert len(caught) == count


def file_for_folder(path: Path) -> None:
    path.parent.write_text("")


def folder_for_file(path: Path) -> None:
    path.mkdir(parents=True)


def folder_for_all(path: Path) -> None:
    path.parent.mkdir()
    path.parent.chmod(0o777)


OBSTACLES = [file_for_folder, folder_for_file, folder_for_all]


@pytest.mark.parametrize("obstacle", OBSTACLES)
def test_without_the_file_a_process_keeps_to_the_limit_alone_and_says_so_once(
    obstacle: Callable[[Path], None], path: Path, clock: VirtualClock
) -> None:
    obstacle(path)
    limiter = process(path, clock)
    with warned() as caught:
        spend(limiter, 60)
    assert ALONE in str(caught[0].message)
    assert str(path) in str(caught[0].message)
    assert clock.elapsed == pytest.approx(121.0, abs=0.1)


def test_the_file_of_a_newer_release_is_left_alone(path: Path, clock: VirtualClock) -> None:
    spend(process(path, clock), 1)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version=99")
    before = path.read_bytes()
    with warned() as caught:
        spend(process(path, clock), 21)
    assert "its form is 99, this release knows 1" in str(caught[0].message)
    assert path.read_bytes() == before
    assert clock.elapsed == pytest.approx(60.5, abs=0.1)


@contextmanager
def ordinary_user() -> Iterator[None]:
    """Root may write anywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.skipif(os.name != "posix", reason="rights are not the file's elsewhere")
@pytest.mark.parametrize("there", [False, True], ids=["no file", "a file"])
def test_in_a_read_only_folder_a_process_goes_alone_and_later_shares_what_it_did(
    there: bool, clock: VirtualClock
) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "rate_limit.sqlite"
        if os.geteuid() == 0:
            os.chown(folder, 65534, -1)
        with ordinary_user():
            limiter = process(path, clock)
            if there:
                spend(limiter, 3)
                path.chmod(0o400)
            folder.chmod(0o500)
            with warned() as caught:
                spend(limiter, 5)
            assert ALONE in str(caught[0].message)
            folder.chmod(0o700)
            if there:
                path.chmod(0o600)
            clock.wait(state.RETRY_SECONDS)
            spend(limiter, 1)  # and tries the file again
            left = 20 - (9 if there else 6)
            other = process(path, clock)
            assert other.wait_estimate(left) == 0.0
            assert other.wait_estimate(left + 1) == pytest.approx(60.5 - state.RETRY_SECONDS)


@contextmanager
def full_disk() -> Iterator[None]:
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_could_not_be_written_once_is_written_the_next_time(
    path: Path, clock: VirtualClock
) -> None:
    one, other = process(path, clock), process(path, clock)
    spend(other, 3)
    spend(one, 2)
    with full_disk(), one.state() as window:
        ticket = new_ticket()
        window.turn(ticket, clock.time)
        window.finish(ticket, clock.time)
    spend(other, 4)
    spend(one, 5)
    assert other.wait_estimate(5) == 0.0
    assert other.wait_estimate(6) == pytest.approx(60.5)


def test_on_a_full_disk_a_process_goes_alone_and_later_shares_what_it_did(
    path: Path, clock: VirtualClock
) -> None:
    limiter = process(path, clock)
    spend(limiter, 3)
    with warned() as caught, full_disk():
        spend(limiter, 5)
    assert ALONE in str(caught[0].message)
    clock.wait(state.RETRY_SECONDS)
    spend(limiter, 1)
    assert process(path, clock).wait_estimate(11) == 0.0
    assert process(path, clock).wait_estimate(12) == pytest.approx(60.5 - state.RETRY_SECONDS)


def garbage(path: Path) -> None:
    path.write_bytes(random.Random(1).randbytes(8192))


def no_more_than_half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def garbage_within(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(random.Random(1).randbytes(8192))


def another_state(text: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("UPDATE account_state SET state = ?", (text,))
            connection.commit()

    return write


def another_database(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE account_state (speed REAL)")


def spent() -> AccountState:
    account = AccountState()
    account.window("").finished[new_ticket()] = 1.0
    return account


BREAKS = {
    "another database": another_database,
    "garbage": garbage,
    "half": no_more_than_half,
    "garbage within": garbage_within,
    "no JSON": another_state("{"),
    "no state": another_state("{}"),
    "no object": another_state("[1, 2]"),
    "no number": another_state(encode(spent()).replace("-Infinity", "NaN")),
    "no numbers": another_state(encode(spent()).replace("-Infinity", "null")),
}


@pytest.mark.parametrize("harm", BREAKS.values(), ids=BREAKS)
def test_a_broken_file_is_set_aside_and_made_anew_without_a_burst(
    harm: Callable[[Path], None], path: Path, clock: VirtualClock
) -> None:
    one, other = process(path, clock), process(path, clock)
    spend(one, 10)
    spend(other, 10)
    harm(path)
    with warned() as caught:
        assert other.wait_estimate(1) == pytest.approx(60.5)
        assert one.wait_estimate(1) == pytest.approx(60.5)
    assert "lies now at rate_limit.sqlite.broken; a new one was made" in str(caught[0].message)
    assert path.with_name("rate_limit.sqlite.broken").exists()
    assert process(path, clock).wait_estimate(1) == pytest.approx(60.5)


def test_a_file_that_another_process_has_made_anew_is_not_set_aside(
    path: Path, clock: VirtualClock
) -> None:
    spend(process(path, clock), 1)
    with closing(StoredState(path, ACCOUNT, clock.origin)) as page:
        path.replace(path.with_name("rate_limit.sqlite.broken"))
        spend(process(path, clock), 2)
        assert isinstance(page._set_aside(), Broken)
    assert process(path, clock).wait_estimate(19) == pytest.approx(60.5)


@pytest.mark.parametrize("whole_folder", [False, True])
def test_a_file_removed_meanwhile_is_made_anew_without_a_burst(
    whole_folder: bool, path: Path, clock: VirtualClock
) -> None:
    one, other, third = (process(path, clock) for _ in range(3))
    spend(one, 6)
    under_way = [other.acquire() for _ in range(4)]
    clock.wait(1)
    spend(third, 5)
    path.unlink()
    if whole_folder:
        path.parent.rmdir()
    spend(one, 5)  # nobody has told it of those of the third
    clock.wait(1)
    for permit in under_way:
        permit.release()
    assert third.wait_estimate(1) == pytest.approx(58.5)
    assert process(path, clock).wait_estimate(1) == pytest.approx(58.5)
    assert process(path, clock).wait_estimate(20) == pytest.approx(60.5)


def test_a_file_removed_while_one_holds_it_loses_nothing(path: Path, clock: VirtualClock) -> None:
    limiter = process(path, clock)
    with limiter.state() as window:
        for _ in range(20):
            ticket = new_ticket()
            window.turn(ticket, clock.time)
            window.finish(ticket, clock.time)
        path.unlink()
    assert limiter.wait_estimate(1) == pytest.approx(60.5)
    assert process(path, clock).wait_estimate(1) == pytest.approx(60.5)


def test_a_file_that_somebody_frozen_holds_is_not_waited_for(
    path: Path, clock: VirtualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_file, "_BUSY_SECONDS", 0.05)
    limiter = process(path, clock)
    spend(limiter, 3)
    with closing(sqlite3.connect(path, isolation_level=None)) as frozen:
        frozen.execute("BEGIN IMMEDIATE")
        with warned() as caught:
            spend(limiter, 5)
    assert "locked" in str(caught[0].message)
    assert clock.elapsed == 0.0
    clock.wait(state.RETRY_SECONDS)
    spend(limiter, 1)
    assert process(path, clock).wait_estimate(12) == pytest.approx(60.5 - state.RETRY_SECONDS)


@pytest.mark.skipif(os.name != "posix", reason="there are no such rights elsewhere")
def test_only_the_user_can_read_the_file_whatever_the_mask(path: Path, clock: VirtualClock) -> None:
    mask = os.umask(0)
    try:
        spend(process(path, clock), 1)
    finally:
        os.umask(mask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_the_file_does_not_name_the_account(path: Path, clock: VirtualClock) -> None:
    spend(process(path, clock), 1)
    assert b"MAXX" not in path.read_bytes()


TIMES = st.floats(0, 200)
TICKETS = st.text("0123456789abcdef", min_size=1, max_size=16)


def in_order(times: dict[str, float]) -> dict[str, float]:
    return dict(sorted(times.items(), key=itemgetter(1)))


STATES = st.builds(
    WindowState,
    finished=st.dictionaries(TICKETS, TIMES, max_size=5).map(in_order),
    in_flight=st.dictionaries(TICKETS, TIMES, max_size=3),
    queue=st.dictionaries(TICKETS, TIMES, max_size=3),
    last_finished=TIMES | st.just(float("-inf")),
    cap=st.floats(1, 20) | st.just(float("inf")),
    refusals=st.integers(0, 5),
    refused_at=TIMES,
    cap_changed_at=TIMES,
    paused_until=st.floats(0, 400),
)


@given(windows=st.dictionaries(st.text(), STATES, max_size=3), apart=st.booleans())
def test_a_state_is_read_as_it_was_written(windows: dict[str, WindowState], apart: bool) -> None:
    account = AccountState(defaultdict(WindowState, windows), apart)
    again = decode(encode(account))
    assert again == account
    for kind, window in windows.items():
        assert list(again.windows[kind].finished) == list(window.finished)
        assert list(again.windows[kind].queue) == list(window.queue)


@given(one=STATES, other=STATES)
def test_merging_forgets_nothing_and_merging_again_adds_nothing(
    one: WindowState, other: WindowState
) -> None:
    known = one.finished.keys() | other.finished.keys()
    going = (one.in_flight.keys() | other.in_flight.keys()) - known
    waiting = (one.queue.keys() | other.queue.keys()) - known - going
    one.merge(other)
    assert one.finished.keys() == known
    assert (one.in_flight.keys(), one.queue.keys()) == (going, waiting)
    assert list(one.finished.values()) == sorted(one.finished.values())
    once = deepcopy(one)
    one.merge(other)
    assert one == once
    assert list(one.finished) == list(once.finished)
    assert list(one.queue) == list(once.queue)


@given(window=STATES, now=st.floats(0, 300))
def test_a_clock_before_its_stamps_moves_them_all_alike(window: WindowState, now: float) -> None:
    window.last_finished = max([window.last_finished, *window.finished.values()])
    before = deepcopy(window)
    window.rewind(now)
    stamps = [
        window.last_finished,
        window.refused_at,
        *window.in_flight.values(),
        *window.queue.values(),
    ]
    assert max(stamps) <= now + 1e-9
    moved = before.refused_at - window.refused_at
    assert moved >= 0
    for ticket, end in window.finished.items():
        assert before.finished[ticket] - end == pytest.approx(moved)


def test_an_hour_after_the_last_refusal_all_is_forgotten() -> None:
    window = WindowState(limit=20, period=60.0)
    for now in (0.0, 100.0, 200.0):
        window.back_off(now, 60.0, now)
    assert (window.even, window.budget) == (True, 10.0)
    window.estimate(1, 200.0 + FORGIVEN_SECONDS)
    assert (window.even, window.budget) == (False, 20.0)


def test_a_ticket_is_given_up_long_before_a_slot() -> None:
    assert 5 <= PATIENCE_SECONDS <= PERMIT_LEASE_SECONDS / 5


# Clients

DEAD = "http://127.0.0.1:9"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PLIVO_ANALYSIS_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def client(clock: VirtualClock, url: str = DEAD, **options: object) -> Client:
    options = {"store": False, "clock": clock, **options}
    return Client(AUTH_ID, AUTH_TOKEN, base_url=url, **options)  # type: ignore[arg-type]


def test_clients_of_an_account_share_its_limit_whatever_store_they_use(
    home: Path, tmp_path: Path, clock: VirtualClock
) -> None:
    with client(clock) as one, client(clock, store=tmp_path / "another") as other:
        spend(one.limiter, 20)
        assert other.limiter.wait_estimate(1) == pytest.approx(60.5)
    with client(clock) as later:
        assert later.limiter.wait_estimate(1) == pytest.approx(60.5)
    assert [file.relative_to(home) for file in home.rglob("*") if file.is_file()] == [
        Path("state/rate_limit.sqlite")
    ]


def test_clients_of_an_account_share_its_limit_without_the_file(
    home: Path, clock: VirtualClock
) -> None:
    home.write_text("")
    with client(clock) as one, client(clock) as other:
        with warned():
            spend(one.limiter, 20)
        assert other.limiter.wait_estimate(1) == pytest.approx(60.5)


def test_above_three_hundred_a_minute_clients_of_one_process_share_and_no_file_is_kept(
    home: Path, clock: VirtualClock
) -> None:
    with (
        client(clock, requests_per_minute=301) as one,
        client(clock, requests_per_minute=301) as other,
    ):
        spend(one.limiter, 301)
        assert other.limiter.wait_estimate(1) == pytest.approx(60.5)
    assert not home.exists()


def test_without_a_limit_nothing_is_shared_or_kept(home: Path, clock: VirtualClock) -> None:
    endless = float("inf")
    with (
        client(clock, requests_per_minute=endless) as one,
        client(clock, requests_per_minute=endless) as other,
    ):
        spend(one.limiter, 1000)
        assert one.limiter.wait_estimate(1000) == 0.0
        assert one.limiter.states is not other.limiter.states
    assert not home.exists()


def test_another_account_or_server_is_not_slowed(home: Path, clock: VirtualClock) -> None:
    with client(clock) as one, client(clock, "http://127.0.0.1:10") as other:
        spend(one.limiter, 20)
        assert other.limiter.wait_estimate(20) == 0.0
    assert account_limiter(DEAD, "MAOTHER", 20, clock=clock).wait_estimate(20) == 0.0


def test_lists_of_sessions_and_of_messages_spend_from_one_limit_and_single_records_do_not(
    home: Path, clock: VirtualClock
) -> None:
    with Server(Account.of([])) as server, client(clock, server.url) as one:
        for number in range(20):
            path = "Verify/Session/" if number % 2 else "Message/"
            one.transport.get(path, {}, read=len)
        assert one.limiter.wait_estimate(1) == pytest.approx(60.5)
        before = clock.elapsed
        with pytest.raises(ResourceNotFoundError, match="404"):
            one.transport.get(f"Message/{uuid4()}/", {}, read=len, paced=False)
        assert clock.elapsed == before


def test_single_records_of_one_account_share_the_wide_limit_of_a_process(
    home: Path, clock: VirtualClock
) -> None:
    with client(clock) as one, client(clock) as other:
        spend(one.transport._singles, 280)
        assert other.transport._singles.wait_estimate(1) == pytest.approx(5.0, abs=0.1)


def test_one_who_asks_is_counted_until_the_answer_or_until_it_has_vanished() -> None:
    window = WindowState()
    window.limit = 1
    sent, waiting = window.probe(0.0), new_ticket()
    assert window.turn(waiting, 0.0) > 0
    assert window.asking(0.0) == 2
    window.finish(sent, 1.0)
    assert window.asking(1.0) == 1
    assert window.turn(waiting, PATIENCE_SECONDS - 1) > 0
    assert window.asking(PATIENCE_SECONDS) == 1
    assert window.asking(2 * PATIENCE_SECONDS) == 0
    window.probe(2 * PATIENCE_SECONDS)
    assert window.asking(PERMIT_LEASE_SECONDS) == 1
    assert window.asking(2 * PATIENCE_SECONDS + PERMIT_LEASE_SECONDS) == 0
