"""Estimates over real sockets: right, wider or refused, and nothing read twice."""

from __future__ import annotations

import math
import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import plivo_analysis as pva
from plivo_analysis.api.filters import Filter
from plivo_analysis.api.resources import SESSION_RESOURCE
from plivo_analysis.emulator import AUTH_ID, AUTH_TOKEN, Behaviour, Fault, Server, generate
from plivo_analysis.emulator.account import DEFAULT_NOW as NOW
from plivo_analysis.errors import (
    FilterError,
    PlivoAnalysisWarning,
    SchemaError,
)
from plivo_analysis.loaders.estimate_steps import Estimating
from plivo_analysis.metrics.samples import MEASURES
from plivo_analysis.sync.progress import Progress
from plivo_analysis.sync.pull import Question, pull
from plivo_analysis.system.clock import Cancelled, FrozenWallClock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Serve = Callable[..., Server]
    Connect = Callable[..., pva.Client]

SINCE = NOW - timedelta(days=80)
SESSIONS = 4_000


@pytest.fixture(scope="module")
def account() -> Any:
    return generate(sessions=SESSIONS, seed=3)


@pytest.fixture(scope="module")
def whole(account: Any) -> tuple[pl.DataFrame, int]:
    """All sessions, and how many requests it takes to load them without an estimate before."""
    clock = FrozenWallClock(account.now)
    with (
        Server(account) as server,
        pva.Client(
            *(AUTH_ID, AUTH_TOKEN),
            base_url=server.url,
            store=False,
            requests_per_minute=math.inf,
            clock=clock,
        ) as client,
    ):
        return pva.load_sessions(since=SINCE, client=client), len(server.log)


@pytest.fixture(scope="module")
def truth(whole: tuple[pl.DataFrame, int]) -> dict[str, float]:
    """What a client finds that reads everything."""
    sessions, _ = whole
    return {
        "sessions": sessions.height,
        "spend": float(pva.spend(sessions, by=())["amount"][0]),
        "success_rate": pva.success_rates(sessions)["success_rate"][0],
        "fallback_rate": pva.fallback_rates(sessions, by=())["fallback_rate"][0],
        "cost_per_verified": float(pva.cost_per_verified(sessions)["cost_per_verified"][0]),
    }


def holds(found: Any, truth: dict[str, float], *, slack: float = 0.0) -> None:
    """Each interval holds the truth; one in twenty need not, hence a slack."""
    for measure in MEASURES:
        low, high = found.frame[f"{measure}_low"][0], found.frame[f"{measure}_high"][0]
        assert low * (1 - slack) <= truth[measure] <= high * (1 + slack), measure


def test_an_estimate_knows_the_number_and_holds_the_rest(
    serve: Serve, connect: Connect, account: Any, truth: dict[str, float]
) -> None:
    client = connect(serve(account))
    found = pva.estimate(since=SINCE, requests=70, client=client)
    assert not found.exact
    assert found.requests == 70
    assert found.of == truth["sessions"]
    assert 800 < found.read < 1_400
    assert found.frame["sessions"][0] == truth["sessions"]
    holds(found, truth, slack=0.1)
    assert "≈" in repr(found)
    assert "at this moment" in found._repr_html_()


def test_called_again_it_reads_further_in_the_same_order(
    serve: Serve, connect: Connect, account: Any
) -> None:
    server = serve(account)
    client, other = connect(server), connect(server)
    first = pva.estimate(since=SINCE, requests=40, client=client)
    second = pva.estimate(since=SINCE, requests=30, client=client)
    in_two_calls = [request.query for request in server.log]
    at_once = pva.estimate(since=SINCE, requests=70, client=other)
    assert (first.requests, second.requests, at_once.requests) == (40, 30, 70)
    assert [request.query for request in server.log[70:]] == in_two_calls
    assert second.read == at_once.read > first.read
    # Floats are added up in another order: by call, by page.
    assert second.frame.row(0) == pytest.approx(at_once.frame.row(0), rel=1e-12)


def test_a_new_client_goes_on_although_its_computers_clock_is_behind_the_servers(
    serve: Serve, connect: Connect, tmp_path: Path
) -> None:
    account = generate(sessions=SESSIONS, seed=3)
    server = serve(account, behaviour=Behaviour(date_skew=timedelta(hours=3)))
    first = pva.estimate(since="80d", requests=40, client=connect(server, store=tmp_path))
    account.advance(timedelta(minutes=5))
    second = pva.estimate(since="80d", requests=40, client=connect(server, store=tmp_path))
    assert second.read > first.read
    assert second.until == first.until


def test_a_full_pull_reads_each_sampled_page_with_one_request_more_at_most(
    serve: Serve,
    connect: Connect,
    account: Any,
    truth: dict[str, float],
    whole: tuple[pl.DataFrame, int],
) -> None:
    server = serve(account)
    client = connect(server)
    found = pva.estimate(since=SINCE, requests=60, client=client)
    sessions = pva.load_sessions(since=SINCE, client=client)
    assert sessions.height == sessions["session_uuid"].n_unique() == truth["sessions"]
    assert len(server.log) <= whole[1] + found.requests
    exact = pva.estimate(since=SINCE, client=client)
    assert exact.exact
    for measure in MEASURES:
        expected = [pytest.approx(truth[measure])] * 3
        assert [exact.frame[f"{measure}{end}"][0] for end in ("", "_low", "_high")] == expected


def test_ranges_of_several_estimates_and_pulls_join_without_a_gap_or_a_double(
    serve: Serve,
    connect: Connect,
    account: Any,
    truth: dict[str, float],
    whole: tuple[pl.DataFrame, int],
) -> None:
    server = serve(account)
    client = connect(server)
    overlapping = {"since": NOW - timedelta(days=50), "until": NOW - timedelta(days=10)}
    estimated = [
        pva.estimate(since=SINCE, requests=40, client=client),
        pva.estimate(**overlapping, requests=40, client=client),
    ]
    # A part that begins and ends within pages that were sampled, then all of it.
    part = pva.load_sessions(
        since=NOW - timedelta(days=33, hours=5), until=NOW - timedelta(days=20), client=client
    )
    sessions = pva.load_sessions(since=SINCE, client=client)
    assert sessions.height == sessions["session_uuid"].n_unique() == truth["sessions"]
    assert set(part["session_uuid"]) < set(sessions["session_uuid"])
    assert len(server.log) <= whole[1] + sum(found.requests for found in estimated) + 2
    assert pva.coverage(since=SINCE, client=client)["state"].unique().sort().to_list() == [
        "complete",
        "live",
    ]


def test_an_estimate_takes_in_what_a_pull_has_read_of_the_newest_part(
    serve: Serve, connect: Connect, account: Any, truth: dict[str, float]
) -> None:
    server = serve(account)
    client = connect(server)
    newest = pva.load_sessions(since=NOW - timedelta(days=30), client=client)
    pulled = len(server.log)
    found = pva.estimate(since=SINCE, requests=60, client=client)
    assert not found.exact
    assert found.read > newest.height + 500
    holds(found, truth, slack=0.1)
    # Nothing of what is read is asked for again, but for what counting needs.
    deep = [int(request.query.get("offset", 0)) for request in server.log[pulled:]]
    known = newest.height // 20 * 20
    assert sum(offset < known - 40 for offset in deep) <= 12


def test_rows_that_come_late_are_no_disorder_and_in_the_pull_that_follows(
    serve: Serve, connect: Connect, session: Callable[..., dict[str, Any]]
) -> None:
    account = generate(sessions=1_200, seed=4)
    client = connect(serve(account))
    first = pva.estimate(since=SINCE, requests=30, client=client)
    late = [session(timedelta(minutes=40 + number)) for number in range(3)]
    for record in late:
        account.insert(record)
    second = pva.estimate(since=SINCE, requests=15, client=client)
    assert second.until == first.until
    assert second.read > first.read
    sessions = pva.load_sessions(since=SINCE, client=client)
    assert {record["session_uuid"] for record in late} <= set(sessions["session_uuid"])


def test_told_while_a_pull_goes_on_the_numbers_tighten_until_all_is_read(
    serve: Serve, connect: Connect, account: Any, truth: dict[str, float]
) -> None:
    client = connect(serve(account))
    everything = Filter.of(SESSION_RESOURCE)
    question = Question(everything, lambda now: (SINCE, now))
    told: list[Any] = []

    class Watch:
        pages = 0

        def page(self, **_: Any) -> None:
            self.pages += 1
            if estimating is not None and self.pages % 8 == 0:
                told.append(estimating.estimate())

        def waiting(self, seconds: float) -> None: ...

    estimating = None
    reading = Estimating(client, question, watch=Watch(), requests=45)
    assert list(reading.steps())
    estimating = reading
    pull(client, question, watch=Watch())
    read = [found.read for found in told]
    assert read == sorted(read)
    assert read[-1] >= 0.9 * truth["sessions"]
    assert not any(found.exact for found in told)  # that is for the pull to say
    widths = [found.total["spend"].half_width for found in told]
    assert widths[-1] < widths[0] / 2
    for found in told[::4]:
        holds(found, truth, slack=0.1)


def test_a_cancelled_estimate_keeps_what_it_read(
    serve: Serve, connect: Connect, account: Any
) -> None:
    client, cancel = connect(serve(account)), threading.Event()
    everything = Filter.of(SESSION_RESOURCE)
    question = Question(everything, lambda now: (SINCE, now))
    bar = Progress(False, noun="session", limiter=client.limiter.of(""))
    estimating = Estimating(client, question, watch=bar, within=0.02, cancel=cancel)
    steps = estimating.steps()
    for _ in range(40):
        next(steps)
    cancel.set()
    with pytest.raises(Cancelled):
        next(steps)
    found = estimating.estimate()
    assert found.read > 600
    assert found.total["spend"].low is not None
    assert "≈" in repr(found)


def test_before_the_number_of_sessions_is_bounded_no_number_is_made_up(
    serve: Serve, connect: Connect, account: Any
) -> None:
    found = pva.estimate(since=SINCE, requests=3, client=connect(serve(account)))
    assert isinstance(found.of, tuple)
    assert found.of[1] is None
    assert "at least" in repr(found)
    assert found.frame.row(0) == (None,) * 15


def test_a_small_range_is_read_whole_and_exact(
    serve: Serve, connect: Connect, account: Any
) -> None:
    client = connect(serve(account))
    found = pva.estimate(since="2d", client=client)
    sessions = pva.load_sessions(since="2d", client=client)
    assert found.exact
    assert found.read == found.of == sessions.height
    assert "≈" not in repr(found)


def test_what_is_older_than_the_api_goes_back_is_named_in_each_call(
    serve: Serve, connect: Connect
) -> None:
    client = connect(serve(generate(sessions=300, seed=3)))
    for _ in range(2):  # the second finds everything stored
        with pytest.warns(PlivoAnalysisWarning, match="Left out, since older than 90 days"):
            found = pva.estimate(since="200d", client=client)
        assert found.exact
        assert found.since > NOW - timedelta(days=91)


def test_groups_are_rows_and_filters_are_kept_to(
    serve: Serve, connect: Connect, account: Any
) -> None:
    client = connect(serve(account))
    by = "destination_country_iso2"
    found = pva.estimate(since=SINCE, requests=70, by=by, client=client)
    assert found.frame.columns[:4] == [by, "sessions", "sessions_low", "sessions_high"]
    assert found.frame.height > 3
    assert found.frame["sessions"].sum() == pytest.approx(found.of)
    verified = pva.estimate(since=SINCE, requests=70, status="verified", client=client)
    assert verified.frame["success_rate"][0] == 1.0
    assert verified.of < found.of


@pytest.mark.filterwarnings("default::plivo_analysis.errors.PlivoAnalysisWarning")
@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(Behaviour(ignores=("offset",)), id="ignored"),
        pytest.param(Behaviour(largest_offset=300), id="clamped", marks=pytest.mark.slow),
        pytest.param(Behaviour(empty_from=300), id="empty from 300", marks=pytest.mark.slow),
        pytest.param(Behaviour(longest_list=500), id="capped", marks=pytest.mark.slow),
        pytest.param(Behaviour(page_size=10), id="pages of 10", marks=pytest.mark.slow),
        pytest.param(Behaviour(order="oldest"), id="oldest first", marks=pytest.mark.slow),
        pytest.param(Behaviour(order="shuffled"), id="shuffled", marks=pytest.mark.slow),
        pytest.param(Behaviour(order="random"), id="random", marks=pytest.mark.slow),
    ],
)
def test_a_server_whose_pages_are_no_list_is_read_by_windows_of_time(
    serve: Serve, connect: Connect, account: Any, truth: dict[str, float], behaviour: Behaviour
) -> None:
    client = connect(serve(account, behaviour=behaviour))
    with pytest.warns(PlivoAnalysisWarning, match="windows of time are read instead"):
        found = pva.estimate(since=SINCE, requests=100, client=client)
    assert found.read > 300  # one or two requests a window, each of about half a page
    assert 100 <= found.requests <= 110
    for measure in ("sessions", "success_rate", "fallback_rate"):
        low, high = found.frame[f"{measure}_low"][0], found.frame[f"{measure}_high"][0]
        assert low * 0.9 <= truth[measure] <= high * 1.1, measure
    for measure in ("spend", "cost_per_verified"):
        low, high = found.frame[f"{measure}_low"][0], found.frame[f"{measure}_high"][0]
        assert low is None or low * 0.9 <= truth[measure] <= high * 1.1, measure
    # Nothing that a page seemed to prove is missing: a part that cannot be read whole is named.
    sessions = pva.load_sessions(since=SINCE, client=client, partial="return")
    missing = pva.coverage(since=SINCE, client=client).filter(pl.col("state") == "missing")
    assert (sessions.height == truth["sessions"]) == missing.is_empty()


def test_where_neither_pages_nor_windows_can_be_read_nothing_is_estimated(
    serve: Serve, connect: Connect, account: Any
) -> None:
    # Its days have more rows than a page, and it is taken for one that cuts bounds to the day.
    server = serve(account, behaviour=Behaviour(offset_unit="pages"))
    client = connect(server)
    with (
        pytest.warns(PlivoAnalysisWarning, match="windows of time are read instead"),
        pytest.warns(PlivoAnalysisWarning, match="so that nothing is estimated"),
    ):
        found = pva.estimate(since=SINCE, client=client)
    assert found.frame.row(0) == (None,) * 15
    assert "too early to say" in repr(found)
    assert found.requests < 60


@pytest.mark.filterwarnings("default::plivo_analysis.errors.PlivoAnalysisWarning")
def test_a_refused_deep_offset_is_no_limit_of_the_range(
    serve: Serve, connect: Connect, account: Any, truth: dict[str, float]
) -> None:
    server = serve(account, faults=[*[None] * 8, Fault.status(400)])
    client = connect(server)
    with pytest.warns(PlivoAnalysisWarning, match="a deep offset is refused"):
        found = pva.estimate(since=SINCE, requests=120, client=client)
    holds(found, truth, slack=0.15)
    assert client.store.fact("sessions range") is None


def test_a_server_of_30_days_at_most_is_sampled_list_by_list(
    serve: Serve, connect: Connect, account: Any, truth: dict[str, float]
) -> None:
    behaviour = Behaviour(longest_range=timedelta(days=30))
    client = connect(serve(account, behaviour=behaviour))
    found = pva.estimate(since=SINCE, requests=110, client=client)
    assert found.of == truth["sessions"]
    holds(found, truth, slack=0.1)
    assert client.store.fact("sessions range").startswith(str(30 * 86_400_000_000))


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"within": 5}, FilterError),
        ({"requests": 0}, FilterError),
        ({"requests": True}, FilterError),
        ({"confidence": 1}, FilterError),
        ({"by": "channel"}, SchemaError),
        ({"by": ("nothing",)}, SchemaError),
        ({"since": "yesterday"}, FilterError),
    ],
)
def test_a_wrong_argument_is_refused_before_anything_is_asked(
    serve: Serve, connect: Connect, account: Any, wrong: dict[str, Any], error: type[Exception]
) -> None:
    server = serve(account)
    with pytest.raises(error):
        pva.estimate(client=connect(server), **wrong)
    assert not server.log


def test_pandas_gets_a_pandas_frame(serve: Serve, connect: Connect, account: Any) -> None:
    found = pva.estimate(since="2d", backend="pandas", client=connect(serve(account)))
    assert list(found.frame.columns)[:2] == ["sessions", "sessions_low"]
    assert not isinstance(found.frame, pl.DataFrame)
