"""A machine that does to an account and to its pulls whatever may happen to them, in any order.

Sessions begin, come in bursts of one instant, settle, age and turn up late; pulls of any range
and filter run, die at a request or at a commit, go on, refresh and verify. After every step
what the store calls complete must be complete, and every pull must return each session once,
or name the range that it lacks. The same script runs in this process, where it is quick, and
over HTTP.

Each run tries other scripts. The long search, of some ten minutes, after a change of what is
asked, kept or merged::

    MACHINE_EXAMPLES=2000 make slow SELECT='-k happens_for_long'
"""

from __future__ import annotations

import base64
import json
import math
import os
import shutil
import tempfile
import uuid
from collections import Counter
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from plivo_analysis import Client
from plivo_analysis.api.filters import Filter
from plivo_analysis.api.resources import SESSION_RESOURCE
from plivo_analysis.emulator import AUTH_ID, AUTH_TOKEN, Account, Behaviour, Server
from plivo_analysis.emulator.listing import SESSIONS
from plivo_analysis.emulator.responses import Service
from plivo_analysis.http.connection import Reply
from plivo_analysis.loaders.answer import stored
from plivo_analysis.storage.store import Store
from plivo_analysis.sync.pull import Question, pull
from plivo_analysis.sync.reader import RETENTION, SETTLE
from plivo_analysis.system.clock import Clock
from plivo_analysis.values.spans import HOUR, MINUTE, Span, floor, to_us

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from plivo_analysis.sync.pull import Pulled

APPS = ("6e8bfef5-3112-4b0b-a87f-03ddc8101480", "0a5f1c52-6d0e-4c3b-9f6e-2b1d7c4e8a01")
EVERYTHING = Filter.of(SESSION_RESOURCE)
FILTERS = [
    EVERYTHING,
    Filter.of(SESSION_RESOURCE, status="expired"),
    Filter.of(SESSION_RESOURCE, status="in-progress"),
    Filter.of(SESSION_RESOURCE, app_uuid=APPS[0]),
    Filter.of(SESSION_RESOURCE, brand_name="Shop"),
    Filter.of(SESSION_RESOURCE, brand_name="Shop", status="expired"),
]
BEHAVIOURS = {
    "quiet": Behaviour(),
    "inserts at the head": Behaviour(inserts=3),
    "ageing": Behaviour(ages=timedelta(seconds=7)),
    "random order of ties": Behaviour(ties="random"),
    "offset ignored, cursor": Behaviour(paging="cursor"),
    "next null on full pages": Behaviour(next_page="null"),
    "short pages with next set": Behaviour(short_by=3),
    "ascending": Behaviour(order="oldest"),
    "random order": Behaviour(order="random"),
    "bounds cut to the second": Behaviour(precision=timedelta(seconds=1)),
    "bounds cut to the minute": Behaviour(precision=timedelta(minutes=1)),
    "sessions settle meanwhile": Behaviour(settles=1),
}
EDGE = 10 * MINUTE  # rows so near to the end of retention may be there or not


class KilledError(BaseException):
    """The process would be dead."""


class Fuse:
    """Blows at a chosen moment: never, at a request, or around a commit."""

    def __init__(self) -> None:
        self.at: tuple[str, int] = ("never", 0)
        self.passed: Counter[str] = Counter()

    def set(self, where: str, after: int) -> None:
        self.at = (where, after)
        self.passed.clear()

    def reach(self, where: str) -> None:
        self.passed[where] += 1
        if (where, self.passed[where] - 1) == self.at:
            self.at = ("never", 0)
            raise KilledError


class FragileStore(Store):
    """A store whose process may die at each side of a commit."""

    def __init__(self, folder: Path, fuse: Fuse) -> None:
        super().__init__(folder)
        self._fuse = fuse

    @contextmanager
    def writing(self) -> Iterator[None]:
        with super().writing():
            yield
            self._fuse.reach("before the commit")
        self._fuse.reach("after the commit")


class Line:
    """The wire to an account in this process, or a real one; counts, and may be cut."""

    def __init__(self, inner: Any, fuse: Fuse) -> None:
        self._inner = inner
        self._fuse = fuse
        self.requests = 0

    def get(self, path: str, params: Mapping[str, str], cancel: Any) -> Reply:
        self._fuse.reach("before a request")
        self.requests += 1
        reply = self._inner.get(path, params, cancel)
        self._fuse.reach("after a request")
        return reply

    def close(self) -> None:
        self._inner.close()


class InProcess:
    """The service of an account without a socket."""

    def __init__(self, service: Service) -> None:
        self._service = service
        pair = base64.b64encode(f"{AUTH_ID}:{AUTH_TOKEN}".encode()).decode()
        self._authorization = f"Basic {pair}"

    def get(self, path: str, params: Mapping[str, str], cancel: Any) -> Reply:
        target = f"{path}?{urlencode(params)}"
        answer = self._service.dated(self._service.answer("GET", target, self._authorization))
        return Reply(answer.status, answer.body, dict(answer.headers))

    def close(self) -> None:
        pass


class AccountClock(Clock):
    """The wall's time of the account; waits cost nothing."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def now(self) -> datetime:
        return self._account.now

    def wait(self, seconds: float, cancel: Any = None) -> bool:
        return False


class Unwatched:
    def page(self, *, requests: int, rows: int, share: float) -> None:
        pass

    def waiting(self, seconds: float) -> None:
        pass


class PullMachine(RuleBasedStateMachine):
    """An account, a store that dies and comes back, and what must hold between the two."""

    over_http = False

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.numbers = count(1)
        self.random = Random(0)
        self.excused: dict[str, set[str]] = {}  # rows that came late, by the scopes closed to them
        self.fuse = Fuse()
        self.client: Client | None = None
        self.last: tuple[datetime, datetime, Filter] | None = None

    # --- the account

    @initialize(
        behaviour=st.sampled_from(list(BEHAVIOURS)),
        sessions=st.sampled_from([0, 15, 45, 90]),
        spread=st.sampled_from([60, 3000]),
        usual=st.sampled_from([EVERYTHING, *FILTERS]),
        seed=st.integers(0, 2**16),
    )
    def begin(self, behaviour: str, sessions: int, spread: int, usual: Filter, seed: int) -> None:
        self.usual = usual
        self.random = Random(seed)
        self.behaviour = BEHAVIOURS[behaviour]
        self.account = Account.of()
        for _ in range(sessions):
            self._begin_session(timedelta(minutes=self.random.uniform(0, spread)))
        self.server = Server(self.account, behaviour=self.behaviour) if self.over_http else None
        self.service = Service(self.account, None, self.behaviour)
        self._open()
        self.a_day([], 0, again=False)

    def _begin_session(self, ago: timedelta, **fields: Any) -> str:
        number = next(self.numbers)
        at = (self.account.now - ago).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        key = str(uuid.UUID(int=number))
        brand = {"_brand_name": "Shop"} if number % 3 == 0 else {}
        self.account.insert(
            {
                "session_uuid": key,
                "app_uuid": APPS[number % 2],
                "recipient": f"141555501{number % 100:02d}",
                "channel": "sms",
                "status": self.random.choice(["in-progress", "verified", "expired"]),
                "count": 0,
                "attempt_details": [],
                "charges": {"total_charge": "0.0077", "attempt_charges": []},
                "created_at": at,
                "updated_at": at,
                **brand,
                **fields,
            }
        )
        return key

    @rule(ago=st.floats(0, 10))
    def insert(self, ago: float) -> None:
        self._begin_session(timedelta(minutes=ago))

    @rule(size=st.sampled_from([2, 19, 20, 21, 45]), ago=st.sampled_from([0.0, 1.0, 3.5]))
    def tie_burst(self, size: int, ago: float) -> None:
        for _ in range(size):
            self._begin_session(timedelta(minutes=ago))

    @rule(share=st.sampled_from([0.3, 1.0]), status=st.sampled_from(["verified", "expired"]))
    def flip(self, share: float, status: str) -> None:
        for record in self._records().values():
            young = self._instant(record) >= self._now() - RETENTION + EDGE
            if record["status"] == "in-progress" and young and self.random.random() < share:
                self.account.replace({**record, "status": status})

    @rule(minutes=st.sampled_from([1, 16, 30, 50, 200, 1500, 60_000]))
    def age(self, minutes: int) -> None:
        self.account.advance(timedelta(minutes=minutes))

    @rule(ago=st.one_of(st.floats(16, 76), st.floats(1, 3000)))
    def late(self, ago: float) -> None:
        key = self._begin_session(timedelta(minutes=ago))
        at = self._instant(self.account.record(key))
        entries = self._store.completed_ranges(SESSION_RESOURCE).entries()
        self.excused[key] = {entry.scope for entry in entries if at in entry.span}

    # --- pulls

    windows = st.sampled_from(
        [(1440, 0), (4320, 0), (300, 120), (3000, 1400), (129_600, 0), (90, 0)]
    )
    filters = st.one_of(st.none(), st.sampled_from(FILTERS))  # none: this account's usual one

    @rule(window=windows, chosen=filters)
    def pull(self, window: tuple[int, int], chosen: Filter | None) -> None:
        chosen = chosen or self.usual
        since, until = (self.account.now - timedelta(minutes=ago) for ago in window)
        self._pull(since, until, chosen)

    @precondition(lambda self: self.last is not None)
    @rule()
    def refresh(self) -> None:
        assert self.last is not None
        self._pull(*self.last)

    @rule(window=windows)
    def verify(self, window: tuple[int, int]) -> None:
        since, until = (self.account.now - timedelta(minutes=ago) for ago in window)
        self._pull(since, until, self.usual, verify=True)

    @rule(
        window=windows,
        chosen=filters,
        where=st.sampled_from(
            ["before a request", "after a request", "before the commit", "after the commit"]
        ),
        after=st.integers(0, 6),
    )
    def kill(self, window: tuple[int, int], chosen: Filter | None, where: str, after: int) -> None:
        since, until = (self.account.now - timedelta(minutes=ago) for ago in window)
        chosen = chosen or self.usual
        self.fuse.set(where, after)
        try:
            self._pull(since, until, chosen)
        except KilledError:
            self._open()
            self.last = (since, until, chosen)
        self.fuse.set("never", 0)

    @precondition(lambda self: self.last is not None)
    @rule()
    def resume(self) -> None:
        assert self.last is not None
        since, until, chosen = self.last
        self._pull(since, until, chosen)
        edge = floor(self._now() - SETTLE, MINUTE)
        if self._unsettled(since, until) or to_us(until) > edge or self.behaviour.changes:
            return
        asked = self.line.requests
        self._pull(since, until, chosen)
        assert self.line.requests == asked, "what is complete and final was asked for again"

    @rule(
        events=st.lists(st.sampled_from(["insert", "burst", "flip", "age", "late"]), max_size=3),
        minutes=st.sampled_from([16, 50, 1500]),
        again=st.booleans(),
    )
    def a_day(self, events: list[str], minutes: int, again: bool) -> None:
        """What an analyst's day is: things happen, then the usual is asked, maybe as before."""
        happen = {
            "insert": lambda: self.insert(5.0),
            "burst": lambda: self.tie_burst(21, 1.0),
            "flip": lambda: self.flip(1.0, self.random.choice(["verified", "expired", "expired"])),
            "age": lambda: self.age(minutes),
            "late": lambda: self.late(self.random.uniform(16, 76)),
        }
        for event in events:
            happen[event]()
        if again and self.last is not None:
            self._pull(*self.last)
        else:
            self.pull((4320, 0), self.usual)

    # --- what must hold

    @invariant()
    def what_is_called_complete_is_complete(self) -> None:
        if self.client is None:
            return
        records = self._records()
        raws = self._store.records(SESSION_RESOURCE).raws(Span(0, 2**60))
        kept = {json.loads(raw)["session_uuid"] for raw in raws}
        assert kept <= records.keys()
        for entry in self._store.completed_ranges(SESSION_RESOURCE).entries(""):
            assert entry.span.end <= floor(self._now() - SETTLE, MINUTE)
            for key, record in records.items():
                if self._instant(record) in entry.span and "" not in self.excused.get(key, ()):
                    assert key in kept, "a range that is called complete lacks a session"

    def _pull(
        self, since: datetime, until: datetime, chosen: Filter, *, verify: bool = False
    ) -> None:
        before = self._expected(since, until, chosen)
        assert self.client is not None
        question = Question(chosen, lambda now: (since, until), verify=verify)
        now = self._now()
        pulled = pull(self.client, question, watch=Unwatched())
        self.last = (since, until, chosen)
        frame = stored(self.client, question, pulled.span)
        after = self._expected(since, until, chosen)
        required = {key for key in before & after if not self._may_lack(key, chosen, verify=verify)}
        self._check(frame, required, pulled)
        self._check_status(frame, chosen)
        assert pulled.tally.balanced
        edge = floor(now - SETTLE, MINUTE)
        if to_us(until) > edge:  # the late hour was read again
            for key in self.excused:
                if self._instant(self.account.record(key)) in Span(edge - HOUR, edge):
                    assert key in set(frame["session_uuid"]) or key not in before & after

    def _check(self, frame: Any, required: set[str], pulled: Pulled) -> None:
        keys = Counter(frame["session_uuid"].to_list())
        assert set(keys.values()) <= {1}, "a session came twice"
        records = self._records()
        gaps = [*pulled.missing, *pulled.expired]
        lacking = [
            key
            for key in required - keys.keys()
            if not any(self._instant(records[key]) in gap for gap in gaps)
        ]
        assert not lacking, f"lost in silence: {lacking}"
        for row in frame.iter_rows(named=True):
            assert to_us(row["created_at"]) in pulled.span

    def _check_status(self, frame: Any, chosen: Filter) -> None:
        """What the server knows to be settled is settled in the table; nothing else is in it."""
        if self.behaviour.settles:
            return
        for row in frame.iter_rows(named=True):
            record = self.account.record(row["session_uuid"])
            if self._instant(record) >= self._now() - RETENTION + EDGE:
                assert row["status"] == record["status"]
            assert self._matches(record, chosen) or row["status"] != record["status"]

    # --- what a perfect reader would know

    def _expected(self, since: datetime, until: datetime, chosen: Filter) -> set[str]:
        span = Span(to_us(since), to_us(until))
        held = self._now() - RETENTION + EDGE
        return {
            key
            for key, record in self._records().items()
            if self._instant(record) in span
            and self._instant(record) >= held
            and self._matches(record, chosen)
        }

    def _may_lack(self, key: str, chosen: Filter, *, verify: bool) -> bool:
        closed = self.excused.get(key, set())
        scope = self._store.database.hashed(chosen.scope)  # as the store names it
        return not verify and not closed.isdisjoint({"", scope})

    def _unsettled(self, since: datetime, until: datetime) -> bool:
        span = Span(to_us(since), to_us(until))
        return (
            any(
                self._instant(record) in span and record["status"] == "in-progress"
                for record in self._records().values()
            )
            or to_us(since) < self._now() - RETENTION + EDGE
        )

    def _records(self) -> dict[str, dict[str, Any]]:
        index, now = self.account.records(SESSIONS), self._now()
        handles = index.find(-(2**60), 2**60, {}, now)
        return {index.key(handle): index.record(handle, now) for handle in handles}

    def _now(self) -> int:
        return to_us(self.account.now)

    @staticmethod
    def _instant(record: dict[str, Any]) -> int:
        return to_us(datetime.fromisoformat(record["created_at"]))

    @staticmethod
    def _matches(record: dict[str, Any], chosen: Filter) -> bool:
        hidden = {name.removeprefix("_"): value for name, value in record.items()}
        return all(hidden.get(name) == value for name, value in chosen.params().items())

    # --- life and death of a process

    @property
    def _store(self) -> Store:
        assert self.client is not None
        return self.client.store

    def _open(self) -> None:
        """A new process on the same folder."""
        if self.client is not None:
            self.client.close()
        url = self.server.url if self.server else "http://127.0.0.1:9"
        self.client = Client(
            AUTH_ID,
            AUTH_TOKEN,
            base_url=url,
            store=self.folder,
            requests_per_minute=math.inf,
            clock=AccountClock(self.account),
        )
        self.client._store = FragileStore(self.folder / "account", self.fuse)
        inner = self.client.transport._connection if self.server else InProcess(self.service)
        self.line = Line(inner, self.fuse)
        self.client.transport._connection = self.line  # type: ignore[assignment] # counted and cut

    def teardown(self) -> None:
        if self.client is not None:
            self.client.close()
            if self.server:
                self.server.close()
        shutil.rmtree(self.folder)


class HttpPullMachine(PullMachine):
    over_http = True


def run(machine: type[PullMachine], examples: int, steps: int) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_nothing_is_lost_or_doubled_whatever_happens() -> None:
    run(PullMachine, 40, 10)


@pytest.mark.slow
def test_nothing_is_lost_or_doubled_whatever_happens_for_long() -> None:
    run(PullMachine, int(os.environ.get("MACHINE_EXAMPLES", "250")), 12)


def test_nothing_is_lost_or_doubled_over_http() -> None:
    run(HttpPullMachine, 12, 6)


@pytest.mark.slow
def test_nothing_is_lost_or_doubled_over_http_for_long() -> None:
    run(HttpPullMachine, 50, 12)
