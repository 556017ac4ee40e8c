"""Processes that pull and are killed: what they kept is whole, and nothing is asked for twice.

The account is served by the test's own process. A nursery imports the package once and forks a
child for each pull; the child kills itself, at a random moment or at each side of a commit.
"""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from plivo_analysis.emulator import AUTH_ID, AUTH_TOKEN, Behaviour, Fault, Server, generate
from plivo_analysis.emulator.account import DEFAULT_NOW as NOW

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="children are forked")

SIGKILL = 9
SESSIONS = 300
SINCE, UNTIL = NOW - timedelta(days=80), NOW - timedelta(days=1)
BARRIERS = ["before a commit", "after a commit", "before a request", "after an answer"]
BEHAVIOURS = {
    "oldest first": Behaviour(order="oldest"),
    "random order": Behaviour(order="random"),
    "bounds cut to the minute": Behaviour(precision=timedelta(minutes=1)),
    "short pages with next set": Behaviour(short_by=3),
    "10 rows a page": Behaviour(page_size=10),
    "next null on full pages": Behaviour(next_page="null"),
}
TIES = "45 sessions of one instant"
SERVERS = [*BEHAVIOURS, TIES]

NURSERY = """
import json, os, signal, sys, threading, traceback
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from plivo_analysis.client import Client
from plivo_analysis.system.clock import FrozenWallClock
from plivo_analysis.api.filters import Filter
from plivo_analysis.loaders.estimate import estimate
from plivo_analysis.sync.pull import Question, pull
from plivo_analysis.api.resources import SESSION_RESOURCE
from plivo_analysis.storage.store import Store


def die():
    os.kill(os.getpid(), signal.SIGKILL)


class Barriers:
    def __init__(self, name, after):
        self.name, self.left = name, after

    def reach(self, name):
        if name == self.name:
            self.left -= 1
            if self.left < 0:
                die()


class FragileStore(Store):
    barriers = Barriers("", 0)

    @contextmanager
    def writing(self):
        with super().writing():
            yield
            self.barriers.reach("before a commit")
        self.barriers.reach("after a commit")


class Line:
    def __init__(self, wire, barriers):
        self.wire, self.barriers = wire, barriers

    def get(self, *arguments):
        self.barriers.reach("before a request")
        reply = self.wire.get(*arguments)
        self.barriers.reach("after an answer")
        return reply

    def close(self):
        self.wire.close()


class Unwatched:
    def page(self, **told):
        pass

    def waiting(self, seconds):
        pass


def work(order):
    instant = datetime.fromisoformat
    client = Client(
        order["auth_id"], order["auth_token"], base_url=order["url"], store=order["folder"],
        requests_per_minute=float("inf"), clock=FrozenWallClock(instant(order["now"])),
    )
    barriers = Barriers(order.get("barrier", ""), order.get("after", 0))
    client._store = FragileStore(Path(order["folder"]))
    client._store.barriers = barriers
    client.transport._connection = Line(client.transport._connection, barriers)
    if "seconds" in order:
        threading.Timer(order["seconds"], die).start()
    everything = Filter.of(SESSION_RESOURCE)
    span = instant(order["since"]), instant(order["until"])
    if "estimate" in order:
        found = estimate(
            since=span[0], until=span[1], requests=order["estimate"], client=client,
            backend="polars", progress=False,
        )
        told = {"requests": found.requests, "of": found.of, **found.frame.row(0, named=True)}
        Path(order["folder"], "told.json").write_text(json.dumps(told))
        client.close()
        os._exit(0)
    question = Question(everything, lambda now: span)
    pulled = pull(client, question, watch=Unwatched())
    client.close()
    os._exit(0 if pulled.tally.balanced and not pulled.missing and not pulled.expired else 3)


for line in sys.stdin:
    orders = json.loads(line)
    children = []
    for order in orders:
        child = os.fork()
        if child == 0:
            try:
                work(order)
            except BaseException:
                traceback.print_exc()
                os._exit(4)
        children.append(child)
    states = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    print(json.dumps(states), flush=True)
"""


class Nursery:
    """Runs pulls in children of a process that has imported everything already."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", NURSERY],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def pull(self, server: Server, folder: Path, *orders: dict[str, Any]) -> list[int]:
        """Pull in as many children at once as there are orders; how each ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        common = {
            "auth_id": AUTH_ID,
            "auth_token": AUTH_TOKEN,
            "url": server.url,
            "folder": str(folder),
            "now": NOW.isoformat(),
            "since": SINCE.isoformat(),
            "until": UNTIL.isoformat(),
        }
        print(
            json.dumps([{**common, **order} for order in orders or ({},)]),
            file=self._process.stdin,
            flush=True,
        )
        return list(json.loads(self._process.stdout.readline()))

    def close(self) -> None:
        self._process.communicate()


@pytest.fixture(scope="module")
def nursery() -> Iterator[Nursery]:
    nursery = Nursery()
    yield nursery
    nursery.close()


def kept(folder: Path) -> dict[str, list[Any]]:
    """What a store holds, read by nobody of ours, after SQLite has looked it through."""
    with closing(sqlite3.connect(folder / "store.sqlite")) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return {
            "records": connection.execute(
                "SELECT key, instant, open, final_at, raw FROM record ORDER BY key"
            ).fetchall(),
            "complete": connection.execute(
                'SELECT flags, MIN(start), MAX("end"), SUM("end" - start) FROM completed_range'
                " GROUP BY flags ORDER BY flags"
            ).fetchall(),
            "bookmarks": connection.execute("SELECT * FROM checkpoint").fetchall(),
        }


def claims(folder: Path) -> int:
    with closing(sqlite3.connect(folder / "store.sqlite")) as connection:
        return int(connection.execute("SELECT COUNT(*) FROM lease").fetchone()[0])


def serve(behaviour: str = "") -> Server:
    account = generate(sessions=SESSIONS)
    if behaviour == TIES:
        for number in range(45):
            account.insert(
                {
                    "session_uuid": str(uuid.UUID(int=number)),
                    "status": "verified",
                    "created_at": (NOW - timedelta(days=30)).isoformat(),
                    "charges": {"total_charge": "0"},
                }
            )
    return Server(account, behaviour=BEHAVIOURS.get(behaviour, Behaviour()))


@dataclass(frozen=True)
class Whole:
    """What a pull keeps that nobody kills, what it asks, and how long it takes."""

    kept: dict[str, list[Any]]
    requests: int
    asked_again: int
    seconds: float


def asked_again(server: Server) -> int:
    """How many requests asked what another one had asked."""
    questions = {tuple(sorted(request.query.items())) for request in server.log}
    return len(server.log) - len(questions)


Pulls = Callable[[str], Whole]


@pytest.fixture(scope="module")
def pulls(nursery: Nursery, tmp_path_factory: pytest.TempPathFactory) -> Pulls:
    """An uninterrupted pull of each server, made once."""

    @cache
    def pull(behaviour: str) -> Whole:
        folder = tmp_path_factory.mktemp("whole")
        with serve(behaviour) as server:
            began = time.monotonic()
            assert nursery.pull(server, folder) == [0]
            took = time.monotonic() - began
            found = kept(folder)
            uuids = server.account.uuids(SINCE, UNTIL)
            assert [row[0] for row in found["records"]] == sorted(uuids)
            return Whole(found, len(server.log), asked_again(server), took)

    return pull


@pytest.fixture(scope="module")
def uninterrupted(pulls: Pulls) -> Whole:
    return pulls("")


def check(
    nursery: Nursery, folder: Path, whole: Whole, deaths: list[dict[str, Any]], behaviour: str = ""
) -> int:
    """Pull, be killed, and pull again until it is done; return how many were killed."""
    killed = 0
    with serve(behaviour) as server:
        for death in deaths:
            before = set(kept(folder)["records"]) if killed else set()
            state = nursery.pull(server, folder, death)[0]
            assert state in (0, -SIGKILL)
            if state == -SIGKILL and (folder / "store.sqlite").exists():
                killed += 1
                found = kept(folder)
                assert before <= set(found["records"]) <= set(whole.kept["records"])
        assert nursery.pull(server, folder) == [0]
        assert kept(folder) == whole.kept
        assert asked_again(server) <= whole.asked_again + killed
        if behaviour != "random order":  # there, the number is a matter of chance
            assert len(server.log) <= whole.requests + killed
    return killed


@pytest.mark.parametrize("barrier", BARRIERS)
def test_a_pull_killed_at_a_barrier_goes_on_where_it_stood(
    barrier: str, nursery: Nursery, uninterrupted: Whole, tmp_path: Path
) -> None:
    deaths = [{"barrier": barrier, "after": after} for after in (2, 11)]
    assert check(nursery, tmp_path, uninterrupted, deaths) == 2


@pytest.mark.parametrize("behaviour", SERVERS)
def test_a_pull_of_any_server_repeats_one_request_at_most_for_each_kill(
    behaviour: str, nursery: Nursery, pulls: Pulls, tmp_path: Path
) -> None:
    deaths = [{"barrier": "after an answer", "after": after} for after in (3, 8)]
    assert check(nursery, tmp_path, pulls(behaviour), deaths, behaviour) == 2


@pytest.mark.parametrize(
    "barrier",
    [
        pytest.param(barrier, marks=() if barrier == "after an answer" else pytest.mark.slow)
        for barrier in BARRIERS
    ],
)
def test_an_estimate_killed_at_a_barrier_says_what_it_would_have_said(
    barrier: str, nursery: Nursery, tmp_path: Path
) -> None:
    whole, killed, wanted = tmp_path / "whole", tmp_path / "killed", 40
    # The last answer that is not kept is asked for again; before a request, all are kept.
    lost = int(barrier in ("before a commit", "after an answer"))
    with Server(generate(sessions=1_200)) as server:
        assert nursery.pull(server, whole, {"estimate": wanted}) == [0]
        uninterrupted = [request.query for request in server.log]
        for after in (5, 25):  # while rows are counted, and later
            begun = len(server.log)
            death = {"estimate": wanted, "barrier": barrier, "after": after}
            assert nursery.pull(server, killed, death) == [-SIGKILL]
            asked = {tuple(query.items()) for query in (r.query for r in server.log[begun:])}
            wanted -= len(asked) - lost
        assert nursery.pull(server, killed, {"estimate": wanted}) == [0]
        again = [request.query for request in server.log[len(uninterrupted) :]]
        assert len(again) == len(uninterrupted) + 2 * lost
        assert set(map(str, again)) == set(map(str, uninterrupted))
        told = [json.loads((folder / "told.json").read_text()) for folder in (whole, killed)]
        for one in told:
            del one["requests"]  # of the last call alone
        assert told[0] == pytest.approx(told[1], rel=1e-12)
        assert told[0]["spend_low"] < told[0]["spend"] < told[0]["spend_high"]
        assert nursery.pull(server, killed) == [0]
        keys = [row[0] for row in kept(killed)["records"]]
        assert keys == sorted(server.account.uuids(SINCE, UNTIL))


@pytest.mark.slow
@pytest.mark.parametrize("barrier", BARRIERS)
@pytest.mark.parametrize("behaviour", SERVERS)
def test_a_pull_of_any_server_goes_on_where_it_stood_whatever_killed_it(
    behaviour: str, barrier: str, nursery: Nursery, pulls: Pulls, tmp_path: Path
) -> None:
    deaths = [{"barrier": barrier, "after": after} for after in (1, 2, 3, 4)]
    assert check(nursery, tmp_path, pulls(behaviour), deaths, behaviour) == len(deaths)


@pytest.mark.slow
@pytest.mark.parametrize("barrier", BARRIERS)
def test_a_pull_killed_at_every_turn_goes_on_where_it_stood(
    barrier: str, nursery: Nursery, uninterrupted: Whole, tmp_path: Path
) -> None:
    for after in range(14):
        folder = tmp_path / str(after)
        folder.mkdir(mode=0o700)
        assert check(nursery, folder, uninterrupted, [{"barrier": barrier, "after": after}]) == 1


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(50))
def test_a_pull_killed_at_random_times_goes_on_where_it_stood(
    seed: int, nursery: Nursery, pulls: Pulls, tmp_path: Path
) -> None:
    random = Random(seed)
    behaviour = random.choice(["", *SERVERS])
    whole = pulls(behaviour)
    times = [{"seconds": random.uniform(0.01, whole.seconds)} for _ in range(2)]
    check(nursery, tmp_path, whole, times, behaviour)


def test_two_processes_that_ask_for_the_same_range_read_it_once_between_them(
    nursery: Nursery, uninterrupted: Whole, tmp_path: Path
) -> None:
    slow = [Fault.delay(0.1)] * 100  # long enough for the two to meet
    with Server(generate(sessions=SESSIONS), faults=slow) as server:
        assert nursery.pull(server, tmp_path, {}, {}) == [0, 0]
        assert len(server.log) <= 1.1 * uninterrupted.requests
    found = kept(tmp_path)
    assert found["records"] == uninterrupted.kept["records"]
    assert found["complete"] == uninterrupted.kept["complete"]
    assert claims(tmp_path) == 0


def test_the_claim_of_a_killed_process_is_taken_over_at_once(
    nursery: Nursery, uninterrupted: Whole, tmp_path: Path
) -> None:
    with Server(generate(sessions=SESSIONS), faults=[Fault.delay(0.05)] * 100) as server:
        death = {"barrier": "after a commit", "after": 9}
        assert nursery.pull(server, tmp_path, death) == [-SIGKILL]
        assert claims(tmp_path) == 1
        began = time.monotonic()
        assert nursery.pull(server, tmp_path, {}) == [0]
        assert time.monotonic() - began < 10
        assert len(server.log) <= uninterrupted.requests + 1
    assert kept(tmp_path) == uninterrupted.kept
