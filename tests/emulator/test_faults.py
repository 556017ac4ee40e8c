"""Each fault looks to a client as it says, and leaves the next request alone."""

from __future__ import annotations

import gzip
import itertools
import json
import threading
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests

from plivo_analysis.emulator import Account, Fault, Server

if TYPE_CHECKING:
    from collections.abc import Callable

SESSION = {"session_uuid": "a", "created_at": "2026-11-02T06:00:00Z"}


@pytest.fixture
def faulty(serve: Callable[..., Any]) -> Callable[..., Any]:
    def start(*faults: Fault | None) -> Any:
        return serve(Account.of([SESSION]), faults=faults)

    return start


def test_a_script_is_taken_one_entry_a_request(faulty: Callable[..., Any]) -> None:
    caller = faulty(None, Fault.status(503), None)
    statuses = [caller.ask("Verify/Session/").status_code for _ in range(4)]
    assert statuses == [200, 503, 200, 200]
    assert [line.status for line in caller.server.log] == statuses


def test_a_script_may_have_no_end_and_be_replaced(faulty: Callable[..., Any]) -> None:
    caller = faulty()
    caller.server.faults = itertools.repeat(Fault.status(500))
    assert {caller.ask("Message/").status_code for _ in range(5)} == {500}
    caller.server.faults = []
    assert caller.ask("Message/").status_code == 200


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 422, 500, 502, 503, 504])
def test_any_status_has_an_error_in_json(faulty: Callable[..., Any], status: int) -> None:
    reply = faulty(Fault.status(status, error={"field": "bad"})).ask("Message/")
    assert (reply.status_code, reply.json()["error"]) == (status, {"field": "bad"})


def test_a_status_may_have_a_page_in_html(faulty: Callable[..., Any]) -> None:
    reply = faulty(Fault.status(503, html=True)).ask("Message/")
    assert reply.headers["Content-Type"] == "text/html"
    assert reply.text.startswith("<html>")


@pytest.mark.parametrize("retry_after", ["7", "Mon, 02 Nov 2026 07:00:00 GMT", "-1", "abc", None])
@pytest.mark.parametrize("html", [False, True])
def test_too_many_requests_with_any_retry_after(
    faulty: Callable[..., Any], retry_after: str | None, *, html: bool
) -> None:
    reply = faulty(Fault.rate_limited(retry_after, html=html)).ask("Message/")
    assert reply.status_code == 429
    assert reply.headers.get("Retry-After") == retry_after
    assert reply.headers["Content-Type"] == ("text/html" if html else "application/json")


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_names_another_place(faulty: Callable[..., Any], status: int) -> None:
    reply = faulty(Fault.redirect("https://evil.example/", status)).ask("Message/")
    assert (reply.status_code, reply.headers["Location"]) == (status, "https://evil.example/")


@pytest.mark.parametrize("body", [b"", b"null", b"[]", b"<html>", b'{"error":"x"}', b"\xff"])
def test_any_body_may_come_under_200(faulty: Callable[..., Any], body: bytes) -> None:
    reply = faulty(Fault.body(body, "text/plain")).ask("Message/")
    assert (reply.status_code, reply.content) == (200, body)


def test_an_answer_without_content(faulty: Callable[..., Any]) -> None:
    caller = faulty(Fault.body(b"", status=204))
    assert caller.ask("Message/").status_code == 204
    assert caller.ask("Message/").status_code == 200


@pytest.mark.parametrize("mid_body", [False, True])
def test_a_reset(faulty: Callable[..., Any], *, mid_body: bool) -> None:
    caller = faulty(Fault.reset(mid_body=mid_body))
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        caller.ask("Message/")
    assert caller.ask("Message/").status_code == 200


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_that_is_cut(faulty: Callable[..., Any], *, chunked: bool) -> None:
    caller = faulty(Fault.cut(chunked=chunked))
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        caller.ask("Message/")
    assert caller.ask("Message/").status_code == 200


def test_a_half_body_in_good_order(faulty: Callable[..., Any]) -> None:
    reply = faulty(Fault.cut(announced=False)).ask("Message/")
    assert reply.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        json.loads(reply.text)


def test_a_body_byte_by_byte(faulty: Callable[..., Any]) -> None:
    caller = faulty(Fault.dribble(bytes_per_second=4000), Fault.dribble(bytes_per_second=1))
    assert caller.ask("Verify/Session/").json()["sessions"] == [SESSION]
    with pytest.raises(requests.RequestException, match="timed out"):
        caller.http.get(f"{caller.server.url}/v1/", timeout=0.2)


def test_a_slow_answer_ends_when_its_client_has_gone(faulty: Callable[..., Any]) -> None:
    caller = faulty(Fault.dribble(bytes_per_second=50))
    with pytest.raises(requests.RequestException, match="timed out"):
        caller.http.get(f"{caller.server.url}/v1/", timeout=0.015)
    caller.http.close()
    deadline = time.monotonic() + 60
    while caller.server._http.connections and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not caller.server._http.connections


def test_no_answer_at_all(faulty: Callable[..., Any]) -> None:
    caller = faulty(Fault.hang(), Fault.hang(0.05))
    with pytest.raises(requests.exceptions.ReadTimeout):
        caller.http.get(f"{caller.server.url}/v1/", timeout=0.2)
    with pytest.raises(requests.ConnectionError):
        caller.ask("Message/")


def test_a_late_answer(faulty: Callable[..., Any]) -> None:
    caller = faulty(Fault.delay(0.2))
    started = time.monotonic()
    assert caller.ask("Verify/Session/").json()["sessions"] == [SESSION]
    assert time.monotonic() - started > 0.2


def test_a_small_body_that_unpacks_to_a_large_one(faulty: Callable[..., Any]) -> None:
    reply = faulty(Fault.gzip_bomb(8 << 20)).ask("Message/", stream=True)
    packed = reply.raw.read(decode_content=False)
    assert len(packed) < 20_000
    assert len(gzip.decompress(packed)) == 8 << 20


def test_two_encodings(faulty: Callable[..., Any]) -> None:
    reply = faulty(Fault.encoded(2)).ask("Message/", stream=True)
    assert reply.headers["Content-Encoding"] == "gzip, gzip"
    packed = reply.raw.read(decode_content=False)
    assert json.loads(gzip.decompress(gzip.decompress(packed)))["objects"] == []


def test_a_broken_encoding(faulty: Callable[..., Any]) -> None:
    with pytest.raises(requests.exceptions.RequestException):
        faulty(Fault.encoded(1, broken=True)).ask("Message/")


def test_another_charset(faulty: Callable[..., Any]) -> None:
    reply = faulty(Fault.charset("utf-16")).ask("Message/")
    assert json.loads(reply.content.decode("utf-16"))["objects"] == []


def test_closing_ends_a_server_that_hangs() -> None:
    before = threading.active_count()
    with (
        Server(Account.of(), faults=[Fault.hang()]) as server,
        requests.Session() as http,
        pytest.raises(requests.exceptions.ReadTimeout),
    ):
        http.get(server.url, timeout=0.1)
    assert threading.active_count() == before


@pytest.mark.parametrize(
    "status", [408, 425, 500, 502, 503, 504, *range(520, 527), 529, 530, 598], ids=str
)
def test_a_gateway_may_answer(faulty: Callable[..., Any], status: int) -> None:
    caller = faulty(Fault.status(status, html=True))
    assert [caller.ask("Verify/Session/").status_code for _ in range(2)] == [status, 200]


@pytest.mark.parametrize("status", [200, 202, 203, 206, 207, 226])
def test_an_empty_list_may_come_with_another_status(
    faulty: Callable[..., Any], status: int
) -> None:
    caller = faulty(Fault.emptied(status))
    reply = caller.ask("Verify/Session/")
    assert (reply.status_code, caller.server.log[-1].status) == (status, status)
    assert reply.json().keys() == {"api_id", "meta", "sessions"}
    assert reply.json()["sessions"] == []
    assert caller.keys() == ["a"]


def test_an_empty_list_may_contradict_itself(faulty: Callable[..., Any]) -> None:
    caller = faulty(
        Fault.emptied(errors=["shard 2 did not answer"]),
        Fault.emptied(success=False),
        Fault.emptied(total_count=300),
    )
    errors, failure, count = caller.page(), caller.page("Message/"), caller.page()
    assert (errors["sessions"], errors["errors"]) == ([], ["shard 2 did not answer"])
    assert (failure["objects"], failure["success"]) == ([], False)
    assert (count["sessions"], count["meta"]["total_count"]) == ([], 300)


@pytest.mark.parametrize(
    ("date", "shown"),
    [
        (timedelta(minutes=40), "Mon, 02 Nov 2026 07:38:00 GMT"),
        (timedelta(days=1), "Tue, 03 Nov 2026 06:58:00 GMT"),
        ("Thu, 01 Jan 1970 00:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"),
        ("Fri, 31 Dec 9999 23:59:59 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"),
        (None, None),
    ],
    ids=str,
)
def test_the_date_may_be_off_once(
    faulty: Callable[..., Any], date: str | timedelta | None, shown: str | None
) -> None:
    caller = faulty(Fault.date(date))
    dates = [caller.ask("Message/").headers.get("Date") for _ in range(2)]
    assert dates == [shown, "Mon, 02 Nov 2026 06:58:00 GMT"]
