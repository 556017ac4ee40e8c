"""Estimates over real sockets: right, wider or refused, and nothing read twice."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import plivo_analysis as pva
from plivo_analysis.emulator import AUTH_ID, AUTH_TOKEN, Behaviour, Fault, Server, generate
from plivo_analysis.emulator.account import DEFAULT_NOW as NOW
from plivo_analysis.errors import (
    FilterError,
    PlivoAnalysisWarning,
    SchemaError,
)
from plivo_analysis.metrics.samples import MEASURES

if TYPE_CHECKING:
    from collections.abc import Callable

    Serve = Callable[..., Server]
    Connect = Callable[..., pva.Client]

SINCE = NOW - timedelta(days=80)
SESSIONS = 4_000


@pytest.fixture(scope="module")
def account() -> Any:
    return generate(sessions=SESSIONS, seed=3)


@pytest.fixture(scope="module")
def truth(account: Any) -> dict[str, float]:
    """What a client finds that reads everything."""
    with (
        Server(account) as server,
        pva.Client(
            AUTH_ID, AUTH_TOKEN, base_url=server.url, store=False, requests_per_minute=1e9
        ) as client,
        # The account's clock stands still, and this client has the wall's.
        pytest.warns(PlivoAnalysisWarning, match="clock"),
    ):
        sessions = pva.load_sessions(since=SINCE, client=client)
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
    client = connect(serve(account))
    first = pva.estimate(since=SINCE, requests=40, client=client)
    second = pva.estimate(since=SINCE, requests=30, client=client)
    other = connect(serve(account))
    at_once = pva.estimate(since=SINCE, requests=70, client=other)
    assert (first.requests, second.requests) == (40, 30)
    assert second.read > first.read
    # The address of a server is part of the order, so that the pages may be others.
    assert abs(second.read - at_once.read) <= 40


def test_a_full_pull_reads_each_sampled_page_with_one_request_more_at_most(
    serve: Serve, connect: Connect, account: Any, truth: dict[str, float]
) -> None:
    plain, sampled = serve(account), serve(account)
    pva.load_sessions(since=SINCE, client=connect(plain))
    client = connect(sampled)
    found = pva.estimate(since=SINCE, requests=60, client=client)
    sessions = pva.load_sessions(since=SINCE, client=client)
    assert sessions.height == truth["sessions"]
    assert len(sampled.log) <= len(plain.log) + found.requests + 5
    exact = pva.estimate(since=SINCE, client=client)
    assert exact.exact
    for measure in MEASURES:
        expected = [pytest.approx(truth[measure])] * 3
        assert [exact.frame[f"{measure}{end}"][0] for end in ("", "_low", "_high")] == expected


def test_a_small_range_is_read_whole_and_exact(
    serve: Serve, connect: Connect, account: Any
) -> None:
    client = connect(serve(account))
    found = pva.estimate(since="2d", client=client)
    sessions = pva.load_sessions(since="2d", client=client)
    assert found.exact
    assert found.read == found.of == sessions.height
    assert "≈" not in repr(found)


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
        Behaviour(ignores=("offset",)),
        Behaviour(offset_unit="pages"),
        Behaviour(largest_offset=300),
        Behaviour(empty_from=300),
        Behaviour(longest_list=500),
        Behaviour(page_size=10),
        Behaviour(order="oldest"),
        Behaviour(order="random"),
    ],
    ids=str,
)
def test_a_server_whose_pages_are_no_list_is_read_by_windows_of_time(
    serve: Serve, connect: Connect, account: Any, truth: dict[str, float], behaviour: Behaviour
) -> None:
    client = connect(serve(account, behaviour=behaviour))
    with pytest.warns(PlivoAnalysisWarning, match="windows of time are read instead"):
        found = pva.estimate(since=SINCE, requests=150, client=client)
    for measure in MEASURES:
        low, high = found.frame[f"{measure}_low"][0], found.frame[f"{measure}_high"][0]
        assert low is None or low * 0.85 <= truth[measure] <= high * 1.15, measure
    # Nothing that a page seemed to prove is missing: a part that cannot be read whole is named.
    sessions = pva.load_sessions(since=SINCE, client=client, partial="return")
    missing = pva.coverage(since=SINCE, client=client).filter(pl.col("state") == "missing")
    assert (sessions.height == truth["sessions"]) == missing.is_empty()


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


def test_an_estimate_that_is_killed_goes_on_from_its_pages(
    serve: Serve, connect: Connect, account: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(account)
    killed = connect(server, store=tmp_path)
    get, asked = killed.transport.get, []

    def dying(*given: Any, **more: Any) -> Any:
        asked.append(given)
        if len(asked) > 30:
            raise KeyboardInterrupt
        return get(*given, **more)

    monkeypatch.setattr(killed.transport, "get", dying)
    with pytest.raises(KeyboardInterrupt):
        pva.estimate(since=SINCE, requests=70, client=killed)
    killed.close()
    again = connect(server, store=tmp_path)
    pva.estimate(since=SINCE, requests=40, client=again)
    queries = [request.query for request in server.log]
    assert len(set(map(str, queries))) >= len(queries) - 1


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"within": 5}, FilterError),
        ({"requests": 0}, FilterError),
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
