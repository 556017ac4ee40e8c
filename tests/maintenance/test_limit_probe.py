"""The limit is met on purpose, and what a refusal tells is heeded by every process at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

import plivo_analysis as pva
from plivo_analysis.api.resources import MESSAGE_RESOURCE, SESSION_RESOURCE, Resource
from plivo_analysis.cli import main
from plivo_analysis.emulator import Fault, FixedWindow, Server, SlidingWindow, TokenBucket, generate
from plivo_analysis.errors import PlivoAnalysisWarning
from plivo_analysis.maintenance.doctor import examine
from plivo_analysis.maintenance.status import status
from plivo_analysis.system.folders import state_folder

if TYPE_CHECKING:
    from pathlib import Path

    from plivo_analysis.emulator.limiters import ServerLimiter as Counter

Serve = Callable[..., Server]
Connect = Callable[..., pva.Client]
Limited = Callable[..., tuple[Server, pva.Client]]

ONE, TWO = "sessions and messages share one", "sessions and messages have one each"
SCOPE, RETRY_AFTER = "scope of the limit", "Retry-After"


@pytest.fixture
def limited(serve: Serve, connect: Connect) -> Limited:
    """A server for which only the client's waits let time pass, and that client."""

    def start(kind: type[Counter] = SlidingWindow, *, apart: bool = False, **options: Any) -> Any:
        server = serve(generate(sessions=60))
        client = connect(server, requests_per_minute=20)
        clock: Any = client.clock
        # The client's time too: on a slow machine it would free requests that the server counts.
        clock.monotonic = lambda: clock.skipped
        options = {"clock": clock.monotonic, **options}
        server.limiter = kind(**options)
        server.message_limiter = kind(**options) if apart else None
        return server, client

    return start


def findings(client: pva.Client, *, limits: bool = True) -> dict[str, str]:
    return {finding.name: finding.answer for finding in examine(client, limits=limits)}


def ask(client: pva.Client, resource: Resource, times: int) -> None:
    for _ in range(times):
        client.transport.get(resource.path, {"limit": "1"}, read=len)


def refused(server: Server) -> int:
    return sum(request.status == 429 for request in server.log)


@pytest.mark.parametrize(("apart", "scope"), [(False, ONE), (True, TWO)])
@pytest.mark.parametrize(
    ("kind", "passed"),
    [(SlidingWindow, {20}), (FixedWindow, set(range(20, 41))), (TokenBucket, {20, 21})],
)
def test_the_doctor_finds_out_whether_lists_share_one_budget(
    kind: type[Counter], passed: set[int], apart: bool, scope: str, limited: Limited
) -> None:
    _, client = limited(kind, apart=apart)
    found = findings(client)
    assert found[SCOPE] == scope
    assert int(found["limit"].split()[0]) in passed
    assert status(client).facts[f"doctor {SCOPE}"] == scope
    assert findings(client, limits=False)[SCOPE] == scope


@pytest.mark.parametrize(
    ("retry_after", "said"),
    [("seconds", {"60 s"}), ("date", {"59 s", "60 s"}), (None, {"not given"})],
)
def test_the_doctor_finds_out_what_a_refusal_says_of_its_end(
    retry_after: Any, said: set[str], limited: Limited
) -> None:
    _, client = limited(retry_after=retry_after)
    assert findings(client)[RETRY_AFTER] in said


def test_without_being_told_to_the_doctor_is_never_refused(limited: Limited) -> None:
    server, client = limited()
    ask(client, SESSION_RESOURCE, 15)
    found = findings(client, limits=False)
    assert refused(server) == 0
    assert "--limits" in found[SCOPE]
    assert "--limits" in found[RETRY_AFTER]
    assert f"doctor {SCOPE}" not in status(client).facts


def test_after_the_limit_was_met_nothing_more_is_refused_and_nothing_is_learnt_of_it(
    limited: Limited,
) -> None:
    server, client = limited()
    findings(client)
    met = refused(server)
    assert 1 <= met <= 2
    before = client.clock.monotonic()
    ask(client, SESSION_RESOURCE, 40)
    assert refused(server) == met
    assert 120 <= client.clock.monotonic() - before <= 125
    with client.limiter.state() as window:
        assert (window.refusals, window.budget) == (0, 20)


def test_what_was_asked_before_is_not_counted_as_the_doctors(limited: Limited) -> None:
    server, client = limited(apart=True)
    ask(client, MESSAGE_RESOURCE, 20)
    assert findings(client)["limit"] == "20 requests passed, then one was refused"
    assert refused(server) == 2


def test_a_limit_that_is_not_there_is_asked_for_no_longer_than_it_takes(
    serve: Serve, connect: Connect
) -> None:
    server = serve(generate(sessions=60))
    found = findings(connect(server, requests_per_minute=20))
    assert found["limit"].startswith("not met by 41 requests in ")
    assert SCOPE not in found


def test_an_account_that_may_not_list_messages_keeps_one_budget(limited: Limited) -> None:
    server, client = limited()
    findings(client, limits=False)
    server.faults = [*[None] * (len(server.log) + 5), Fault.rate_limited("30"), Fault.status(403)]
    found = findings(client)
    assert found[SCOPE] == "unknown: messages are refused (PermissionDeniedError)"
    ask(client, SESSION_RESOURCE, 20)
    assert client.limiter.of(MESSAGE_RESOURCE.path).wait_estimate(1) > 0


def test_lists_counted_apart_do_not_wait_for_each_other_whoever_asks(
    limited: Limited, connect: Connect
) -> None:
    server, client = limited(apart=True)
    running = connect(server, requests_per_minute=20, clock=client.clock)
    findings(client)
    met = refused(server)
    later = connect(server, requests_per_minute=20, clock=client.clock)
    for other in (client, running, later):
        began = client.clock.monotonic()
        other.limiter.of(MESSAGE_RESOURCE.path).acquire().release()
        client.clock.wait(120 - (client.clock.monotonic() - began))
        began = client.clock.monotonic()
        ask(other, SESSION_RESOURCE, 20)
        ask(other, MESSAGE_RESOURCE, 20)
        assert client.clock.monotonic() - began < 5
        assert other.limiter.of(MESSAGE_RESOURCE.path).wait_estimate(1) > 50
        client.clock.wait(120)
    assert refused(server) == met


def test_what_is_asked_beyond_the_limit_counts_from_its_start(limited: Limited) -> None:
    _, client = limited()
    under_way = [client.limiter.probe() for _ in range(20)]
    assert client.limiter.wait_estimate(1) > 50
    client.clock.wait(30)
    for permit in under_way:
        permit.release()
    assert client.limiter.wait_estimate(1) > 50


@pytest.mark.parametrize(("asked", "closed"), [("5", 60), ("100", 100), ("5000", 120)])
def test_a_refusal_that_was_provoked_makes_all_wait_as_long_as_it_asks_within_reason(
    asked: str, closed: int, limited: Limited, connect: Connect
) -> None:
    server, client = limited()
    other = connect(server, requests_per_minute=20, clock=client.clock)
    server.faults = [Fault.rate_limited(asked)]
    assert isinstance(client.transport.probe(SESSION_RESOURCE.path), pva.RateLimitError)
    assert closed - 5 < other.limiter.wait_estimate(1) <= closed


def test_counting_apart_begins_with_a_window_in_which_nothing_is_sent(limited: Limited) -> None:
    _, client = limited(apart=True)
    assert findings(client)[SCOPE] == TWO
    for resource in (SESSION_RESOURCE, MESSAGE_RESOURCE):
        assert client.limiter.of(resource.path).wait_estimate(1) > 50


def test_lists_counted_together_wait_for_each_other(limited: Limited) -> None:
    _, client = limited()
    findings(client)
    client.clock.wait(120)
    ask(client, SESSION_RESOURCE, 20)
    assert client.limiter.of(MESSAGE_RESOURCE.path).wait_estimate(1) > 50


def test_what_was_found_is_taken_back_when_it_is_true_no_more(limited: Limited) -> None:
    server, client = limited(apart=True)
    assert findings(client)[SCOPE] == TWO
    server.message_limiter = None
    client.clock.wait(120)
    assert findings(client)[SCOPE] == ONE
    client.clock.wait(120)
    ask(client, SESSION_RESOURCE, 20)
    assert client.limiter.of(MESSAGE_RESOURCE.path).wait_estimate(1) > 50


class Restarted:
    """The clock after another start of the computer."""

    def __init__(self, clock: Any) -> None:
        self._clock = clock
        self.origin = uuid4().hex

    def __getattr__(self, name: str) -> Any:
        return getattr(self._clock, name)


def test_what_was_found_outlives_the_computers_restart_but_not_its_file(
    limited: Limited, connect: Connect
) -> None:
    server, client = limited(apart=True)
    findings(client)
    options = {"requests_per_minute": 20, "clock": Restarted(client.clock)}
    client.clock.wait(120)
    restarted = connect(server, **options)
    restarted.limiter.of(SESSION_RESOURCE.path).acquire().release()
    assert restarted.limiter.of(MESSAGE_RESOURCE.path).wait_estimate(20) == 0.0
    ask(restarted, SESSION_RESOURCE, 19)
    (state_folder() / "rate_limit.sqlite").unlink()
    assert restarted.limiter.of(MESSAGE_RESOURCE.path).wait_estimate(1) > 50
    assert restarted.limiter.of(SESSION_RESOURCE.path).wait_estimate(1) > 50


def test_without_the_file_what_was_found_holds_for_the_process(
    limited: Limited, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = tmp_path / "home"
    blocked.write_text("")
    monkeypatch.setenv("PLIVO_ANALYSIS_HOME", str(blocked))
    _, client = limited(apart=True)
    with pytest.warns(PlivoAnalysisWarning, match="does not see the others"):
        assert findings(client)[SCOPE] == TWO
    client.clock.wait(120)
    ask(client, SESSION_RESOURCE, 20)
    assert client.limiter.of(MESSAGE_RESOURCE.path).wait_estimate(20) == 0.0


def test_the_command_says_beforehand_what_it_will_spend(
    limited: Limited, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    server, client = limited(apart=True, retry_after="seconds")
    monkeypatch.setattr("plivo_analysis.client.Clock", lambda: client.clock)
    monkeypatch.setenv("PLIVO_AUTH_ID", server.account.auth_id)
    monkeypatch.setenv("PLIVO_AUTH_TOKEN", server.account.auth_token)
    monkeypatch.setenv("PLIVO_API_URL", server.url)
    assert main(["doctor", "--limits"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("This spends a minute's requests on purpose")
    assert f"scope of the limit    {TWO}" in said
    assert main(["status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["facts"][f"doctor {SCOPE}"] == TWO
    assert main(["doctor"]) == 0
    assert f"scope of the limit    {TWO}" in capsys.readouterr().out
