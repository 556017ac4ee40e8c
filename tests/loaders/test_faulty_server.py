"""Whole loads over real sockets from a server at fault: the same table, or a clear error."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from contextlib import contextmanager
from datetime import timedelta
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any

import pytest

import plivo_analysis as pva
from plivo_analysis.emulator import Account, Behaviour, Fault, Server, SlidingWindow, generate
from plivo_analysis.emulator.account import DEFAULT_NOW
from plivo_analysis.errors import PlivoAnalysisWarning

if TYPE_CHECKING:
    from collections.abc import Iterator

Serve = Callable[..., Server]
Connect = Callable[..., pva.Client]
Make = Callable[..., dict[str, Any]]

PASSING = {
    "server error": Fault.status(500),
    "unavailable in HTML": Fault.status(503, html=True),
    "reset": Fault.reset(),
    "reset in the body": Fault.reset(mid_body=True),
    "shorter than announced": Fault.cut(),
    "cut chunks": Fault.cut(chunked=True),
    "half a JSON text": Fault.cut(announced=False),
    "HTML under 200": Fault.body(b"<html>Sorry</html>", "text/html"),
    "nothing under 200": Fault.body(b""),
    "nothing under 204": Fault.body(b"", None, 204),
    "null": Fault.body(b"null"),
    "a bare list": Fault.body(b"[]"),
    "an object without its list": Fault.body(b'{"meta": {}}'),
    "an error under 200": Fault.body(b'{"error": "try later", "sessions": []}'),
    "an error object under 207": Fault.body(b'{"error": {"code": 7}}', status=207),
    "a spoilt encoding": Fault.encoded(broken=True),
    "two encodings": Fault.encoded(2),
    "another charset": Fault.charset(),
    "not a number": Fault.body(b'{"sessions": [{"charges": NaN}]}'),
    "a name twice": Fault.body(b'{"sessions": [], "sessions": null}'),
    "too many requests": Fault.rate_limited(),
    "too many, in HTML": Fault.rate_limited(html=True),
    "too many, until a date": Fault.rate_limited("Mon, 02 Nov 2026 06:59:00 GMT"),
    "too many, until a date that was": Fault.rate_limited("Mon, 02 Nov 2026 06:00:00 GMT"),
    "too many, for less than nothing": Fault.rate_limited("-5"),
    "too many, for no number": Fault.rate_limited("abc"),
}
NEVER_A_TABLE = [name for name, fault in PASSING.items() if fault.name != "429"]


@pytest.mark.parametrize("name", PASSING)
def test_a_fault_at_every_other_request_changes_no_row(
    name: str, serve: Serve, connect: Connect
) -> None:
    account = generate(sessions=150)
    expected = pva.load_sessions(since="90d", client=connect(serve(account)))
    server = serve(account, faults=chain.from_iterable(repeat([None, PASSING[name]])))
    assert pva.load_sessions(since="90d", client=connect(server)).equals(expected)


@pytest.mark.parametrize("name", PASSING)
def test_a_fault_that_stays_is_an_error_and_never_a_table_and_what_was_read_is_kept(
    name: str, serve: Serve, connect: Connect
) -> None:
    account = generate(sessions=150)
    expected = pva.load_sessions(since="90d", client=connect(serve(account)))
    server = serve(account, faults=chain([None] * 4, repeat(PASSING[name])))
    client = connect(server)
    with pytest.raises(pva.PlivoAnalysisError):
        pva.load_sessions(since="90d", client=client)
    server.faults, server.log[:] = [], []
    assert pva.load_sessions(since="90d", client=client).equals(expected)
    assert len(server.log) <= 9  # of the eight and the late hour, four are there


def test_a_list_that_is_not_there_is_an_error_not_an_empty_table(
    serve: Serve, connect: Connect
) -> None:
    client = connect(serve(generate(sessions=10), behaviour=Behaviour(list_key="")))
    with pytest.raises(pva.BadResponseError, match="has no list of sessions"):
        pva.load_sessions(client=client)


def test_a_row_twice_in_a_page_with_other_contents_is_one_row_and_noted(
    serve: Serve, connect: Connect
) -> None:
    account = generate(sessions=100)
    client = connect(serve(account, behaviour=Behaviour(duplicates="different")))
    frame = pva.load_sessions(since="90d", client=client)
    assert sorted(frame["session_uuid"]) == sorted(account.uuids())
    assert "record_twice" in set(pva.issues(since="90d", client=client)["code"])


@pytest.mark.parametrize("ties", ["stable", "random"])
@pytest.mark.parametrize("precision", [timedelta(microseconds=1), timedelta(minutes=1)])
def test_sixty_rows_of_one_minute_are_all_there_or_named_as_missing(
    ties: Any, precision: timedelta, serve: Serve, connect: Connect, session: Make
) -> None:
    minute = timedelta(hours=5)
    burst = [session(minute - timedelta(seconds=each * 0.9)) for each in range(60)]
    account = Account.of([session(timedelta(hours=9)), *burst, session(timedelta(hours=3))])
    server = serve(account, behaviour=Behaviour(ties=ties, precision=precision))
    frame = pva.load_sessions(client=connect(server), partial="raise")
    assert sorted(frame["session_uuid"]) == sorted(account.uuids())


def test_a_tie_that_the_server_will_not_part_is_named_as_missing(
    serve: Serve, connect: Connect, session: Make
) -> None:
    account = Account.of([session() for _ in range(60)] + [session(timedelta(hours=9))])
    server = serve(account, behaviour=Behaviour(paging="endless"))
    with pytest.raises(pva.IncompletePullError) as raised:
        pva.load_sessions(client=connect(server))
    held = {row["session_uuid"] for row in raised.value.frame.to_dicts()}
    lost = [account.record(key)["created_at"] for key in set(account.uuids()) - held]
    assert lost
    for text in lost:
        assert any(
            start.isoformat() <= text.replace("Z", "+00:00") < end.isoformat()
            for start, end in raised.value.missing
        )


def test_a_server_that_repeats_its_pages_is_left_after_a_bounded_number_of_requests(
    serve: Serve, connect: Connect
) -> None:
    account = generate(sessions=200)
    server = serve(account, behaviour=Behaviour(paging="endless"))
    since, until = DEFAULT_NOW - timedelta(days=80), DEFAULT_NOW - timedelta(days=1)
    wanted = account.uuids(since, until)
    try:
        frame = pva.load_sessions(since=since, until=until, client=connect(server))
    except pva.IncompletePullError as incomplete:
        assert incomplete.missing  # noqa: PT017 - either outcome is right, silence is not
    else:
        assert sorted(frame["session_uuid"]) == sorted(wanted)
    assert len(server.log) <= 2 * len(wanted) / 18 + 50


def test_what_was_learnt_of_a_coarse_server_saves_the_next_pull_its_doubts(
    serve: Serve, connect: Connect
) -> None:
    account = generate(sessions=600)
    asked = []
    for precision in (timedelta(minutes=1), timedelta(microseconds=1)):
        server = serve(account, behaviour=Behaviour(precision=precision))
        client = connect(server)
        pva.load_sessions(since="90d", until="45d", client=client)
        before = len(server.log)
        pva.load_sessions(since="45d", until="1d", client=client)
        asked.append(len(server.log) - before)
    assert asked[0] <= asked[1] + 2


def test_a_price_that_was_revised_is_told_by_verify_and_the_earlier_one_kept(
    serve: Serve, connect: Connect, session: Make
) -> None:
    billed = session(timedelta(hours=5))
    account = Account.of([billed])
    client = connect(serve(account))
    pva.load_sessions(client=client)
    charges = {**billed["charges"], "total_charge": "0.02"}
    account.replace({**billed, "charges": charges, "updated_at": "2026-11-01T00:00:00Z"})
    with pytest.warns(PlivoAnalysisWarning, match="1 sessions were new or had changed"):
        frame = pva.load_sessions(client=client, verify=True)
    assert [str(total) for total in frame["total_charge"]] == ["0.02000000"]
    ((earlier,),) = client.store.database.run("SELECT raw FROM history")
    assert '"total_charge":"0.0077"' in earlier


SET_BY = [timedelta(hours=1), timedelta(hours=-1), timedelta(days=1), timedelta(days=-1)]


@pytest.mark.filterwarnings("ignore:The server's clock is")
@pytest.mark.parametrize("set_by", SET_BY, ids=str)
def test_a_wall_clock_that_is_set_during_a_load_loses_nothing_and_neither_bursts_nor_stalls(
    set_by: timedelta, serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = generate(sessions=900)
    server = serve(account)
    client = connect(server, requests_per_minute=20)
    server.limiter = SlidingWindow(20, clock=client.clock.monotonic)
    before = client.clock.monotonic()
    right = type(client.clock).now
    monkeypatch.setattr(
        type(client.clock),
        "now",
        lambda clock: right(clock) + (set_by if len(server.log) > 10 else timedelta(0)),
    )
    since, until = DEFAULT_NOW - timedelta(days=80), DEFAULT_NOW - timedelta(days=2)
    frame = pva.load_sessions(since=since, until=until, client=client)
    assert sorted(frame["session_uuid"]) == sorted(account.uuids(since, until))
    assert {request.status for request in server.log} == {200}
    assert client.clock.monotonic() - before <= 61 * (len(server.log) // 20) + 10


@contextmanager
def listener() -> Iterator[tuple[int, list[Any]]]:
    """A second server: who connects to it?"""
    callers: list[Any] = []
    with socket.create_server(("127.0.0.1", 0)) as waiting:
        waiting.settimeout(0.02)
        ending = threading.Event()

        def hear() -> None:
            while not ending.is_set():
                try:
                    connection, caller = waiting.accept()
                except TimeoutError:
                    continue
                callers.append(caller)
                connection.close()

        thread = threading.Thread(target=hear)
        thread.start()
        try:
            yield waiting.getsockname()[1], callers
        finally:
            ending.set()
            thread.join()


FOREIGN = {
    "another host": "http://127.0.0.1:{port}/v1/Account/{id}/Verify/Session/?offset=20",
    "no scheme": "//127.0.0.1:{port}/v1/Account/{id}/Verify/Session/?offset=20",
    "a host behind an at": "https://api.plivo.com@127.0.0.1:{port}/?offset=20",
    "another scheme": "ftp://127.0.0.1:{port}/?offset=20",
    "a backslash": "\\\\127.0.0.1:{port}\\?offset=20",
    "another account": "/v1/Account/MAXXXXXXXXXXXXXXXXXX/Verify/Session/?offset=20",
    "another list": "/v1/Account/{id}/Message/?offset=20",
    "a climb": "/v1/Account/{id}/Verify/Session/../../Message/?offset=20",
}


@pytest.mark.parametrize("url", FOREIGN.values(), ids=list(FOREIGN))
@pytest.mark.parametrize("paging", ["offset", "cursor"])
def test_an_address_that_the_server_names_is_never_asked(
    url: str, paging: Any, serve: Serve, connect: Connect, session: Make
) -> None:
    account = Account.of([session() for _ in range(60)])  # a tie: offsets are the last resort
    with listener() as (port, callers):
        named = url.format(port=port, id=account.auth_id)
        server = serve(account, behaviour=Behaviour(next_url=named, paging=paging))
        try:
            frame = pva.load_sessions(client=connect(server))
        except pva.IncompletePullError as incomplete:
            assert incomplete.missing  # noqa: PT017 - either outcome is right, silence is not
        else:
            assert sorted(frame["session_uuid"]) == sorted(account.uuids())
    assert callers == []
    own = f"/v1/Account/{account.auth_id}/Verify/Session/"
    assert {request.path for request in server.log} == {own}
