"""A request brings its value or one clear error, and nothing of the credentials gets out."""

from __future__ import annotations

import base64
import contextlib
import http.client
import inspect
import json
import logging
import pickle
import socket
import ssl
import threading
import time
import traceback
import tracemalloc
import uuid
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
import requests
import urllib3.exceptions
from urllib3 import HTTPHeaderDict

from plivo_analysis import errors
from plivo_analysis.emulator import Account, Fault, Server, SlidingWindow
from plivo_analysis.emulator.faults import Response as Reply
from plivo_analysis.http import connection
from plivo_analysis.http.connection import Connection, _proxy
from plivo_analysis.http.credentials import Credentials, Secret
from plivo_analysis.http.failures import (
    UNEXPECTED,
    broken,
    failure_of,
    retry_after,
    server_time,
)
from plivo_analysis.http.rate_limit.limiter import Limiter
from plivo_analysis.http.retries import LONGEST_WAIT_SECONDS, Cause, Setback
from plivo_analysis.http.transport import Transport
from plivo_analysis.system.clock import Cancelled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

AUTH_ID = "MACANARYCANARYCANARY"
TOKEN = "canary-token-5d1f6a2b9c-canary"
HEADER = base64.b64encode(f"{AUTH_ID}:{TOKEN}".encode()).decode()
PHONE = "14155550147"
LIST = "Verify/Session/"
QUICK = {"SILENCE_SECONDS": 0.25, "WHOLE_SECONDS": 0.3}
SESSION = {
    "session_uuid": "0b9f0f0c-2d5b-4c52-9d3c-111111111111",
    "recipient": PHONE,
    "status": "verified",
    "created_at": "2026-11-02T06:00:00Z",
}


class FakeClock:
    """Time that passes only when somebody waits."""

    def __init__(self) -> None:
        self.time = 1_000.0
        self.origin = uuid.uuid4().hex
        self.waits: list[float] = []
        self.on_wait: Callable[[], None] = lambda: None

    def now(self) -> datetime:
        return datetime(2026, 11, 2, 6, 58, tzinfo=UTC) + timedelta(seconds=self.time - 1_000)

    def monotonic(self) -> float:
        return self.time

    def wait(self, seconds: float, cancel: threading.Event | None = None) -> bool:
        self.on_wait()
        self.time += seconds
        self.waits.append(seconds)
        return cancel is not None and cancel.is_set()

    @property
    def waited(self) -> float:
        return sum(self.waits)


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "NETRC"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def sent(transport: Transport) -> int:
    """How many requests were sent of late, whether or not a server saw them."""
    with transport._limiter.state() as window:
        return len(window.finished)


@pytest.fixture
def server() -> Iterator[Server]:
    account = Account.of([SESSION])
    account.auth_id, account.auth_token = AUTH_ID, TOKEN
    with Server(account) as serving:
        yield serving


@pytest.fixture
def connect(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., Transport]]:
    opened = []

    def build(url: str, rate: float = 1e9, timeouts: dict[str, float] | None = None) -> Transport:
        for name, seconds in (timeouts or {}).items():
            monkeypatch.setattr(connection, name, seconds)
        transport = Transport(Credentials(url, AUTH_ID, Secret(TOKEN)), Limiter(rate, clock=clock))
        opened.append(transport)
        return transport

    yield build
    for transport in opened:
        transport.close()


@pytest.fixture
def transport(server: Server, connect: Callable[..., Transport]) -> Transport:
    return connect(server.url)


def patience(fault: Fault) -> dict[str, float] | None:
    """Little of it where a fault is slow; elsewhere the usual, as computers are at times."""
    return QUICK if fault.name in {"hang", "dribble"} else None


def read(body: bytes) -> int:
    """How many sessions a page holds, as strictly as the real reader."""
    try:
        page = json.loads(body.decode("utf-8"))
    except ValueError:
        page = None
    if not isinstance(page, dict) or "sessions" not in page:
        raise errors.BadResponseError("The page is not of the documented form.")
    return len(page["sessions"])


@contextlib.contextmanager
def raw_server(play: Callable[[socket.socket], None]) -> Iterator[tuple[str, list[bytes]]]:
    """A listener that plays one script for each connection, and keeps what it was sent."""
    heard: list[bytes] = []
    ending = threading.Event()

    def serve() -> None:
        while not ending.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            with connection, contextlib.suppress(OSError):
                connection.settimeout(2)
                heard.append(connection.recv(65536))
                play(connection)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.02)
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", heard
        finally:
            ending.set()
            thread.join()


# --- what a good answer brings


def test_an_answer_brings_its_value_the_server_s_time_and_the_tries(
    transport: Transport, server: Server
) -> None:
    answer = transport.get(LIST, {"limit": "20"}, read=read)
    assert (answer.value, answer.tries) == (1, 1)
    assert answer.date == server.account.now.replace(microsecond=0)
    assert answer.date.tzinfo is UTC


def test_the_query_reaches_the_server_as_it_was_given(transport: Transport, server: Server) -> None:
    query = {
        "session_time__gte": "2026-11-01 00:00:00",
        "alias": "ü & = + %",
        "recipient": f"+{PHONE}",
    }
    transport.get(LIST, query, read=len)
    assert server.log[0].query == query
    assert server.log[0].path == f"/v1/Account/{AUTH_ID}/Verify/Session/"


def test_the_headers_say_who_asks_and_what_is_understood(
    transport: Transport, server: Server
) -> None:
    transport.get(LIST, {}, read=read)
    sent = server.log[0].headers
    assert sent["user-agent"].startswith("plivo_analysis/")
    assert " (Python: 3." in sent["user-agent"]
    assert sent["accept"] == "application/json"
    assert sent["accept-encoding"] == "gzip, deflate"
    assert sent["cache-control"] == "no-cache"
    assert sent["authorization"] == f"Basic {HEADER}"


def test_packed_answers_are_unpacked(transport: Transport, server: Server) -> None:
    server.faults = [Fault.encoded(1)]
    assert transport.get(LIST, {}, read=read).value == 1


def test_every_try_is_counted(transport: Transport, server: Server) -> None:
    server.faults = [Fault.status(503), Fault.status(502), None]
    assert transport.get(LIST, {}, read=read).tries == 3
    assert transport.requests == len(server.log) == 3


def test_threads_share_one_transport(transport: Transport, server: Server) -> None:
    found: list[int] = []

    def work() -> None:
        found.extend(transport.get(LIST, {}, read=read).value for _ in range(5))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [1] * 30
    assert len(server.log) == 30


def test_cookies_are_not_kept(connect: Callable[..., Transport]) -> None:
    def play(connection: socket.socket) -> None:
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nContent-Length: 2\r\n"
            b"Connection: close\r\n\r\n{}"
        )

    with raw_server(play) as (url, heard):
        transport = connect(url)
        for _ in range(2):
            transport.get(LIST, {}, read=len)
    assert len(heard) == 2
    assert b"cookie" not in heard[1].lower()


# --- setbacks that pass

NOT_PACKED = Fault("not packed", Reply(200, b"plain", {"Content-Encoding": "gzip"}))

GATEWAYS = (408, 425, 501, 505, 520, 521, 522, 523, 524, 525, 526, 529, 530, 598)
NO_ANSWERS = (201, 202, 203, 204, 206, 207, 226)
PAGE = json.dumps({"sessions": []}).encode()

PASSING = {
    **{str(status): Fault.status(status) for status in GATEWAYS},
    "500": Fault.status(500),
    "502": Fault.status(502, html=True),
    "503": Fault.status(503, html=True),
    "504": Fault.status(504),
    "reset": Fault.reset(),
    "reset mid-body": Fault.reset(mid_body=True),
    "short body": Fault.cut(),
    "cut chunks": Fault.cut(chunked=True),
    "half JSON": Fault.cut(announced=False),
    "dribble": Fault.dribble(20),
    "hang": Fault.hang(),
    "broken gzip": Fault.encoded(1, broken=True),
    "two encodings": Fault.encoded(2),
    "charset": Fault.charset(),
    "HTML": Fault.body(b"<html></html>", "text/html"),
    "empty": Fault.body(b""),
    **{str(status): Fault.body(PAGE, status=status) for status in NO_ANSWERS if status != 204},
    "204": Fault.body(b"", None, 204),
    "null": Fault.body(b"null"),
    "list": Fault.body(b"[]"),
    "error under 200": Fault.body(b'{"error": "no"}'),
    "error under 207": Fault.body(b'{"error": {"a": 1}}', status=207),
    "429": Fault.rate_limited(),
    "429 with a header": Fault.rate_limited("3"),
    "429 HTML": Fault.rate_limited(html=True),
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_after_one_setback_the_result_is_the_same(
    fault: Fault, connect: Callable[..., Transport], server: Server, clock: FakeClock
) -> None:
    server.faults = [fault, None]
    answer = connect(server.url, timeouts=patience(fault)).get(LIST, {}, read=read)
    assert (answer.value, answer.tries) == (1, 2)
    assert clock.waited > 0


def test_a_server_that_comes_up_late_is_found(
    server: Server, connect: Callable[..., Transport], clock: FakeClock
) -> None:
    port = server.port
    server.close()
    late: list[Server] = []

    def start() -> None:
        if not late:
            late.append(Server(server.account, port))

    clock.on_wait = start
    try:
        assert connect(f"http://127.0.0.1:{port}").get(LIST, {}, read=read).tries == 2
    finally:
        late[0].close()


@pytest.mark.parametrize("part", [b"HTTP/1.1 200 OK\r\nX-Slow: ", b"HTTP/1.1 200 OK\r\n\r\n{"])
def test_a_server_that_dribbles_meets_the_deadline_in_headers_and_body(
    part: bytes, connect: Callable[..., Transport]
) -> None:
    done = []

    def play(connection: socket.socket) -> None:
        connection.sendall(part)
        for _ in range(200):
            connection.sendall(b"x")
            time.sleep(0.02)
        done.append(connection)

    with raw_server(play) as (url, heard):
        with pytest.raises(errors.TransportError, match="did not finish an answer in time"):
            connect(url, timeouts=QUICK).get(LIST, {}, read=read)
        assert len(heard) == 5
        assert not done  # nobody stayed for the four seconds of an answer


def test_a_silence_is_broken_off_before_the_deadline(
    server: Server, connect: Callable[..., Transport]
) -> None:
    server.faults = [Fault.hang(), None]
    transport = connect(server.url, timeouts={"SILENCE_SECONDS": 0.1})
    began = time.monotonic()
    transport.get(LIST, {}, read=read)
    assert time.monotonic() - began < connection.WHOLE_SECONDS


# --- setbacks that last


@pytest.mark.parametrize("status", [500, 502, 503, 504, *GATEWAYS])
def test_a_server_that_keeps_failing_is_given_up_after_five_tries(
    status: int, transport: Transport, server: Server, clock: FakeClock
) -> None:
    server.faults = [Fault.status(status, html=True)] * 9
    said = rf"Plivo's server failed \({status}\) in each of 5 tries. What was read is kept"
    with pytest.raises(errors.APIError, match=said) as caught:
        transport.get(LIST, {}, read=read)
    assert type(caught.value) is (errors.PlivoServerError if status >= 500 else errors.APIError)
    assert caught.value.status_code == status
    assert "html" not in str(caught.value)
    assert len(server.log) == 5
    assert clock.waited <= 1 + 2 + 4 + 8


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault.reset(), "broke the connection off in each of 5 tries"),
        (Fault.cut(), "broke the connection off in each of 5 tries"),
        (Fault.cut(chunked=True), "broke the connection off in each of 5 tries"),
        (Fault.hang(), "did not finish an answer in time in each of 5 tries"),
        (NOT_PACKED, "could not be unpacked in each of 5 tries"),
    ],
)
def test_a_broken_connection_is_given_up_after_five_tries(
    fault: Fault, said: str, connect: Callable[..., Transport], server: Server
) -> None:
    server.faults = [fault] * 9
    transport = connect(server.url, timeouts=patience(fault))
    with pytest.raises(errors.TransportError, match=rf"127\.0\.0\.1:{server.port}.* {said}"):
        transport.get(LIST, {}, read=read)
    assert len(server.log) == 5


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault.body(b"<html>", "text/html"), "The page is not of the documented form."),
        (Fault.cut(announced=False), "The page is not of the documented form."),
        (Fault.encoded(2), "is refused: it is encoded in a way that was not asked for"),
        (Fault.gzip_bomb(1 << 26), "is refused: it is larger than any page of records"),
        (Fault.body(b" " * (9 << 20)), "is refused: it is larger than any page of records"),
    ],
)
def test_a_malformed_answer_is_given_up_after_three_tries(
    fault: Fault, said: str, connect: Callable[..., Transport], server: Server
) -> None:
    server.faults = [fault] * 9
    transport = connect(server.url)
    with pytest.raises(errors.BadResponseError, match=said):
        transport.get(LIST, {}, read=read)
    assert len(server.log) == 3


@pytest.mark.parametrize("status", NO_ANSWERS)
def test_another_success_than_200_is_no_answer(
    status: int, transport: Transport, server: Server
) -> None:
    body = b"" if status == 204 else PAGE
    server.faults = [Fault.body(body, "application/json", status)] * 9
    with pytest.raises(errors.BadResponseError, match=f"status {status}, and only 200"):
        transport.get(LIST, {}, read=read)
    assert len(server.log) == 3


def test_a_bomb_does_not_fill_the_memory(connect: Callable[..., Transport], server: Server) -> None:
    server.faults = [Fault.gzip_bomb(1 << 27)] * 3
    transport = connect(server.url)
    tracemalloc.start()
    try:
        with pytest.raises(errors.BadResponseError):
            transport.get(LIST, {}, read=read)
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


def test_framing_counts_as_well_as_content(connect: Callable[..., Transport]) -> None:
    def play(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:  # one byte of content to thirty thousand of framing
            connection.sendall(b"1;" + b"x" * 30_000 + b"\r\n \r\n")

    with (
        raw_server(play) as (url, _),
        pytest.raises(errors.BadResponseError, match="larger than any page"),
    ):
        connect(url).get(LIST, {}, read=read)


@pytest.mark.parametrize(
    ("status", "kind", "said"),
    [
        (400, errors.APIError, r"could not make sense of the request \(400\). Check its filters"),
        (
            401,
            errors.AuthenticationError,
            r"refused the credentials \(401\). Check PLIVO_AUTH_ID and PLIVO_AUTH_TOKEN",
        ),
        (403, errors.PermissionDeniedError, r"does not allow this to the account \(403\)"),
        (404, errors.ResourceNotFoundError, r"no such record in this account \(404\). Check"),
        (405, errors.APIError, r"does not know this request \(405\). Check that base_url"),
        (409, errors.APIError, r"refused the request \(409\)"),
        (422, errors.APIError, r"could not accept the request \(422\). Check its filters"),
    ],
)
def test_a_refusal_is_final_and_says_what_to_do(
    status: int,
    kind: type[errors.APIError],
    said: str,
    transport: Transport,
    server: Server,
) -> None:
    server.faults = [Fault.status(status, error="it broke")] * 9
    with pytest.raises(kind, match=f'{said}.* The server said: "it broke"') as caught:
        transport.get(LIST, {}, read=read)
    assert type(caught.value) is kind
    assert caught.value.status_code == status
    assert caught.value.api_id == "00000000-0000-4000-8000-000000000000"
    assert len(server.log) == 1


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ({"error": f"no route to +{PHONE}"}, 'said: "no route to 1 ••• ••• ••47".'),
        ({"error": f"bad {TOKEN} and {HEADER}"}, 'said: "bad *** and ***".'),
        ({"error": {"error": "nested"}}, 'said: "nested".'),
        ({"error": {"message": "deeper"}}, 'said: "deeper".'),
        ({"error": "two\r\nlines \x1b[31m"}, 'said: "two lines [31m".'),
        ({"error": "long " * 100}, None),
        ({"error": 7}, ""),
        ({"error": None, "api_id": "<script>"}, ""),
        ([1], ""),
    ],
)
def test_the_server_s_words_are_shown_short_plain_and_masked(
    said: object, shown: str | None, transport: Transport, server: Server
) -> None:
    server.faults = [Fault.body(json.dumps(said).encode(), status=400)]
    with pytest.raises(errors.APIError, match=r"\(400\)") as caught:
        transport.get(LIST, {}, read=read)
    message = str(caught.value)
    assert len(message) < 250
    assert message.isprintable()
    if shown is not None:
        assert message.endswith(shown or "Check its filters.")
    assert caught.value.api_id is None


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 304])
def test_a_redirect_is_never_followed(status: int, transport: Transport, server: Server) -> None:
    with raw_server(lambda _: None) as (elsewhere, heard):
        server.faults = [Fault.redirect(f"{elsewhere}/", status)]
        with pytest.raises(errors.APIError, match=rf"elsewhere \({status}\).*Check base_url"):
            transport.get(LIST, {}, read=read)
        time.sleep(0.05)
    assert heard == []
    assert len(server.log) == 1


def test_a_redirect_to_the_same_server_is_not_followed_either(
    transport: Transport, server: Server
) -> None:
    server.faults = [Fault.redirect(f"{server.url}/v1/Account/{AUTH_ID}/Message/")]
    with pytest.raises(errors.APIError, match="elsewhere"):
        transport.get(LIST, {}, read=read)
    assert len(server.log) == 1


def test_a_server_that_is_not_there_is_named_with_what_to_check(
    server: Server, connect: Callable[..., Transport]
) -> None:
    transport = connect(server.url)
    server.close()
    said = rf"Nothing listens at 127\.0\.0\.1:{server.port}: .*5 tries. Check .* PLIVO_API_URL"
    with pytest.raises(errors.TransportError, match=said):
        transport.get(LIST, {}, read=read)
    assert sent(transport) == 5


def test_a_name_that_does_not_exist_is_named(connect: Callable[..., Transport]) -> None:
    transport = connect("https://nowhere.invalid")
    with pytest.raises(errors.TransportError, match=r"The name of nowhere\.invalid could not"):
        transport.get(LIST, {}, read=read)


def test_a_server_without_tls_is_asked_once(
    server: Server, connect: Callable[..., Transport]
) -> None:
    transport = connect(server.url.replace("http:", "https:"))
    with pytest.raises(errors.TransportError, match=r"No secure connection .*REQUESTS_CA_BUNDLE"):
        transport.get(LIST, {}, read=read)
    assert sent(transport) == 1


@pytest.mark.parametrize(
    "reason", ["self-signed certificate", "certificate has expired", "Hostname mismatch"]
)
def test_a_certificate_that_does_not_hold_is_final_and_the_remedy_is_a_file_of_certificates(
    reason: str,
) -> None:
    cause = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED]")
    cause.verify_message = reason
    setback = broken(
        requests.exceptions.SSLError(urllib3.exceptions.SSLError(cause)), "api.example.com"
    )
    assert setback.kind is Cause.FINAL
    assert str(setback.error) == (
        f"The certificate of api.example.com could not be verified ({reason}). If your network "
        "replaces certificates, name the file of its own in REQUESTS_CA_BUNDLE or SSL_CERT_FILE."
    )


UNFORESEEN = {  # nothing that we do leads to these
    "BodyNotHttplibCompatible",
    "HTTPError",
    "ResponseError",
    "TimeoutStateError",
    "UnrewindableBodyError",
}


def test_every_exception_of_the_library_is_mapped() -> None:
    classes = {
        value
        for value in vars(urllib3.exceptions).values()
        if inspect.isclass(value)
        and issubclass(value, Exception)
        and not issubclass(value, Warning)
        and value.__module__ == urllib3.exceptions.__name__
    }
    assert len(classes) > 20
    assert {cls.__name__ for cls in classes if failure_of(cls) is UNEXPECTED} == UNFORESEEN


def test_what_the_caller_was_handling_does_not_change_the_meaning() -> None:
    error = TimeoutError()
    error.__context__ = ssl.SSLCertVerificationError(1, "the caller's own")
    assert broken(error, "host").kind is Cause.TROUBLE


def test_a_fault_of_our_own_is_not_taken_for_one_of_the_network(
    transport: Transport, server: Server
) -> None:
    def wrong(_: bytes) -> None:
        raise KeyError("ours")

    with pytest.raises(KeyError, match="ours"):
        transport.get(LIST, {}, read=wrong)
    assert len(server.log) == 1


# --- the rate limit


@pytest.mark.parametrize("header", ["7", "Mon, 02 Nov 2026 06:58:07 GMT"])
def test_a_short_pause_that_the_server_asks_for_is_kept(
    header: str, transport: Transport, server: Server, clock: FakeClock
) -> None:
    server.faults = [Fault.rate_limited(header), None]
    transport.get(LIST, {}, read=read)
    assert 7.0 <= clock.waited <= 8.0


@pytest.mark.parametrize("header", ["-7", "abc", "7.5", "Mon, 02 Nov 2026 06:57:00 GMT"])
def test_a_pause_that_makes_no_sense_is_a_whole_period(
    header: str, transport: Transport, server: Server, clock: FakeClock
) -> None:
    server.faults = [Fault.rate_limited(header), None]
    transport.get(LIST, {}, read=read)
    assert clock.waited == pytest.approx(60.0)


def test_without_a_header_the_whole_period_is_waited_and_then_double(
    transport: Transport, server: Server, clock: FakeClock
) -> None:
    server.faults = [Fault.rate_limited(), None]
    transport.get(LIST, {}, read=read)
    assert clock.waited == pytest.approx(60.0)
    clock.waits.clear()
    server.faults = [Fault.rate_limited()] * 2 + [None]
    transport.get(LIST, {}, read=read)
    assert 60 + 120 <= clock.waited <= 60 + 120 * 1.1 + 1


@pytest.mark.parametrize("header", ["121", "999999", "9" * 40, "Wed, 04 Nov 2026 06:58:00 GMT"])
def test_a_long_pause_stops_at_once_and_says_when_to_go_on(
    header: str, transport: Transport, server: Server, clock: FakeClock
) -> None:
    server.faults = [Fault.rate_limited(header)]
    with pytest.raises(errors.RateLimitError, match=r"call again after 2.* UTC") as caught:
        transport.get(LIST, {}, read=read)
    error = caught.value
    assert error.retry_after is not None
    assert error.retry_after > LONGEST_WAIT_SECONDS
    assert error.resume_at == clock.now() + timedelta(seconds=error.retry_after)
    assert (len(server.log), clock.waited) == (1, 0)


def test_a_limit_that_stays_spent_ends_after_five_tries(
    transport: Transport, server: Server, clock: FakeClock
) -> None:
    server.faults = [Fault.rate_limited()] * 9
    with pytest.raises(errors.RateLimitError, match="another program") as caught:
        transport.get(LIST, {}, read=read)
    assert len(server.log) == 5
    assert caught.value.retry_after is None
    assert caught.value.resume_at is not None
    assert clock.waited <= 60 + 3 * 132 + 5


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry-After": "30"}, 30.0),
        ({"retry-after": " 0 "}, 0.0),
        ({"Retry-After": "Mon, 02 Nov 2026 06:59:00 GMT"}, 60.0),
        (
            {
                "Retry-After": "Mon, 02 Nov 2026 09:00:30 GMT",
                "Date": "Mon, 02 Nov 2026 09:00:00 GMT",
            },
            30.0,
        ),
        (
            {
                "Retry-After": "Mon, 02 Nov 2026 06:59:00 GMT",
                "Date": "Thu, 01 Jan 1970 00:00:00 GMT",
            },
            60.0,
        ),
        ({"Retry-After": "Fri, 31 Dec 9999 23:59:59 GMT"}, 999_999_999.0),
        ({"Retry-After": "Mon, 02 Nov 2026 06:57:00 GMT"}, None),
        ({"Retry-After": "-5"}, None),
        ({"Retry-After": "abc"}, None),
        ({"Retry-After": "1.5"}, None),
        ({"Retry-After": "٣"}, None),
        ({"Retry-After": ""}, None),
        ({}, None),
    ],
)
def test_a_retry_after_that_makes_no_sense_counts_as_absent(
    headers: dict[str, str], seconds: float | None
) -> None:
    assert retry_after(HTTPHeaderDict(headers), datetime(2026, 11, 2, 6, 58, tzinfo=UTC)) == seconds


@pytest.mark.parametrize(
    ("date", "plausible"),
    [
        ("Mon, 02 Nov 2026 07:38:00 GMT", True),
        ("Tue, 03 Nov 2026 06:58:00 GMT", True),
        ("Thu, 01 Jan 1970 00:00:00 GMT", False),
        ("Tue, 31 Dec 2019 23:59:59 GMT", False),
        ("Mon, 06 Dec 2027 06:58:00 GMT", False),
        ("Fri, 31 Dec 9999 23:59:59 GMT", False),
        ("Fri, 31 Dec 9999 23:59:59 -1400", False),
        ("yesterday", False),
        (None, False),
    ],
)
def test_a_server_s_time_is_taken_where_it_is_plausible(
    date: str | None, plausible: bool, connect: Callable[..., Transport]
) -> None:
    now = datetime(2026, 11, 2, 6, 58, tzinfo=UTC)
    headers = HTTPHeaderDict({} if date is None else {"date": date})
    assert (server_time(headers, now) is not None) is plausible

    def play(connection: socket.socket) -> None:
        line = f"Date: {date}\r\n" if date else ""
        connection.sendall(
            f"HTTP/1.1 200 OK\r\n{line}Content-Length: 2\r\nConnection: close\r\n\r\n{{}}".encode()
        )

    with raw_server(play) as (url, _):
        assert (connect(url).get(LIST, {}, read=len).date is not None) is plausible


def test_no_server_that_slides_refuses_a_paced_transport(
    server: Server, connect: Callable[..., Transport], clock: FakeClock
) -> None:
    server.limiter = SlidingWindow(20, clock=clock.monotonic)
    transport = connect(server.url, rate=20)
    for _ in range(60):
        transport.get(LIST, {}, read=read)
    assert {line.status for line in server.log} == {200}
    assert len(server.log) == 60
    assert 120 <= clock.waited <= 1.02 * 120


def test_single_records_have_only_the_account_s_wide_limit(
    server: Server, connect: Callable[..., Transport], clock: FakeClock
) -> None:
    transport = connect(server.url, rate=1)
    for _ in range(280):
        transport.get(f"{LIST}{SESSION['session_uuid']}/", {}, read=len, paced=False)
    assert clock.waited == 0
    transport.get(f"{LIST}{SESSION['session_uuid']}/", {}, read=len, paced=False)
    assert 5 <= clock.waited < 5.1


def test_whoever_watches_hears_of_both_kinds_of_wait(
    server: Server, connect: Callable[..., Transport]
) -> None:
    heard: list[float] = []
    server.faults = [Fault.status(503), Fault.rate_limited("5"), None]
    connect(server.url).get(LIST, {}, read=read, on_wait=heard.append)
    assert heard[0] <= 1.0
    assert 5.0 <= max(heard) <= 6.0


@pytest.mark.parametrize("kind", Cause)
def test_no_wait_but_a_header_s_exceeds_its_cap_and_none_is_nothing(kind: Cause) -> None:
    setback = Setback(kind, errors.PlivoAnalysisError())
    for _ in range(200):
        for met in range(1, 6):
            wait = setback.pause(met, 60.0)
            assert wait is None or 0.1 <= wait <= (132.0 if kind is Cause.BUSY else 30.0)


# --- a cancel


@pytest.mark.parametrize("fault", [Fault.status(503), Fault.rate_limited("100")])
def test_a_cancel_ends_a_wait(
    fault: Fault, transport: Transport, server: Server, clock: FakeClock
) -> None:
    cancel = threading.Event()
    clock.on_wait = cancel.set
    server.faults = [fault] * 9
    with pytest.raises(Cancelled):
        transport.get(LIST, {}, read=read, cancel=cancel)
    assert len(server.log) == 1
    assert len(clock.waits) == 1


@pytest.mark.parametrize("fault", [Fault.hang(), Fault.dribble(5)])
def test_a_cancel_ends_a_read_that_brings_nothing(
    fault: Fault, server: Server, connect: Callable[..., Transport]
) -> None:
    cancel = threading.Event()
    server.faults = [fault]
    threading.Timer(0.1, cancel.set).start()
    patient = {"SILENCE_SECONDS": 300.0, "WHOLE_SECONDS": 600.0}
    began = time.monotonic()
    with pytest.raises(Cancelled):
        connect(server.url, timeouts=patient).get(LIST, {}, read=read, cancel=cancel)
    assert time.monotonic() - began < 60


# --- what gets out

CANARIES = (TOKEN, HEADER, PHONE)
LEAKS: dict[str, Fault] = {
    **{name: fault for name, fault in PASSING.items() if fault.name != "dribble"},
    "400": Fault.status(400, error=f"bad recipient {PHONE} for {AUTH_ID} {TOKEN}"),
    "401": Fault.status(401),
    "404": Fault.status(404),
    "302": Fault.redirect(f"http://127.0.0.1:9/?recipient={PHONE}"),
    "bomb": Fault.gzip_bomb(1 << 24),
    "echo under 200": Fault.body(f'{{"error": "{TOKEN} {PHONE}"}}'.encode()),
    "429 for long": Fault.rate_limited("5000"),
}


@pytest.fixture
def talkative(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything below says all that it can."""
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
    for name in ("", "urllib3", "urllib3.connectionpool", "requests"):
        caplog.set_level(logging.DEBUG, logger=name)


@pytest.mark.parametrize("fault", LEAKS.values(), ids=LEAKS)
@pytest.mark.usefixtures("talkative")
def test_no_fault_lets_the_token_or_a_number_out(
    fault: Fault,
    connect: Callable[..., Transport],
    server: Server,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    server.faults = [fault] * 9
    transport = connect(server.url, timeouts=patience(fault))
    with pytest.raises(errors.PlivoAnalysisError) as caught:
        transport.get(LIST, {"recipient": PHONE}, read=read)
    assert_clean(caught.value, caplog, capsys)
    assert caught.value.__context__ is None
    assert caught.value.__cause__ is None


@pytest.mark.usefixtures("talkative")
def test_a_connection_that_fails_lets_nothing_out(
    server: Server,
    connect: Callable[..., Transport],
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    transport = connect(server.url)
    server.close()
    with pytest.raises(errors.TransportError) as caught:
        transport.get(LIST, {"recipient": PHONE}, read=read)
    assert_clean(caught.value, caplog, capsys)


@pytest.mark.usefixtures("talkative")
def test_an_interrupt_lets_nothing_out(
    transport: Transport, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: bytes) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt) as caught:
        transport.get(LIST, {"recipient": PHONE}, read=interrupted)
    assert_clean(caught.value, caplog, capsys)


def assert_clean(
    error: BaseException, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """No canary in what an error, a log or a verbose traceback shows outside this file."""
    printed = traceback.TracebackException.from_exception(error, capture_locals=True)
    frames = [frame for frame in printed.stack if frame.filename != __file__]
    assert frames
    shown = [str(error), repr(error), str(vars(error)), caplog.text, *capsys.readouterr()]
    shown += [str(frame.locals) for frame in frames]
    for canary in CANARIES:
        assert [text for text in shown if canary in text] == []


def test_our_own_log_names_parameters_and_no_values(
    transport: Transport, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    transport.get(LIST, {"recipient": PHONE, "limit": "20"}, read=read)
    transport.get(f"{LIST}{SESSION['session_uuid']}/", {}, read=len, paced=False)
    ours = [record.getMessage() for record in caplog.records if record.name == "plivo_analysis"]
    assert ours[0].startswith("GET Verify/Session/ <recipient, limit>: 200 in ")
    assert ours[1].startswith("GET Verify/Session/{id}/ <>: 200 in ")
    assert not [record for record in caplog.records if record.name.startswith("urllib3")]


def test_other_programs_requests_are_still_logged(
    transport: Transport, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    transport.get(LIST, {}, read=read)
    caplog.set_level(logging.DEBUG, logger="urllib3.connectionpool")
    requests.get(server.url, timeout=5)
    assert any(record.name == "urllib3.connectionpool" for record in caplog.records)


def test_reprs_name_the_account_and_no_token(transport: Transport, server: Server) -> None:
    assert repr(transport) == f"Transport('{server.url}', '{AUTH_ID}')"
    assert TOKEN not in repr(vars(transport))


@pytest.mark.parametrize("part", [lambda x: x, lambda x: x._connection])
def test_nothing_that_holds_the_token_is_pickled(
    part: Callable[[Transport], object], transport: Transport
) -> None:
    with pytest.raises(TypeError, match="pickle"):
        pickle.dumps(part(transport))


@pytest.mark.parametrize(
    "path",
    [
        "../../Message/",
        "Verify/Session/../",
        "Verify/Session/%2e%2e/",
        "Verify/Session/a?x=1/",
        "/Verify/Session/",
        "Verify//Session/",
        "Verify/Session",
        "Verify/Session/\n",
        "//evil.example/",
        "",
    ],
)
def test_a_path_that_leads_elsewhere_is_refused_before_it_is_sent(
    path: str, transport: Transport, server: Server
) -> None:
    with pytest.raises(errors.FilterError, match="holds characters that no id has"):
        transport.get(path, {}, read=read)
    assert server.log == []


# --- what the environment may not do


def test_a_netrc_file_is_not_used(
    transport: Transport, server: Server, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert requests.utils.get_netrc_auth(server.url) == ("somebody", "else")
    transport.get(LIST, {}, read=read)
    assert server.log[0].headers["authorization"] == f"Basic {HEADER}"


def test_loopback_is_never_asked_through_a_proxy(
    server: Server, connect: Callable[..., Transport], monkeypatch: pytest.MonkeyPatch
) -> None:
    with raw_server(lambda _: None) as (proxy, heard):
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy)
        assert connect(server.url).get(LIST, {}, read=read).value == 1
    assert heard == []


def test_a_proxy_is_asked_for_a_tunnel_and_never_shown_the_credentials(
    connect: Callable[..., Transport], monkeypatch: pytest.MonkeyPatch
) -> None:
    def play(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")

    with raw_server(play) as (proxy, heard):
        monkeypatch.setenv("HTTPS_PROXY", proxy)
        transport = connect("https://api.example.com")
        with pytest.raises(errors.TransportError, match=r"proxy on the way to api.* HTTPS_PROXY"):
            transport.get(LIST, {}, read=read)
    assert len(heard) == 5
    assert heard[0].startswith(b"CONNECT api.example.com:443 ")
    assert HEADER.encode() not in b"".join(heard)


def test_a_proxy_is_given_its_own_user_and_password(
    connect: Callable[..., Transport], monkeypatch: pytest.MonkeyPatch
) -> None:
    def play(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")

    with raw_server(play) as (proxy, heard):
        monkeypatch.setenv("HTTPS_PROXY", proxy.replace("//", "//us%40er:pass%20word@"))
        with pytest.raises(errors.TransportError, match="proxy on the way"):
            connect("https://api.example.com").get(LIST, {}, read=read)
    login = base64.b64encode(b"us@er:pass word")
    assert b"Proxy-Authorization: Basic " + login in heard[0]


def test_no_proxy_is_heeded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:3128")
    assert _proxy("https://api.example.com") == "http://127.0.0.1:3128"
    monkeypatch.setenv("NO_PROXY", "example.com")
    assert _proxy("https://api.example.com") is None


PASSWORD = "a-password-of-the-proxy"


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"])
@pytest.mark.parametrize(
    "address",
    [
        "socks5h://127.0.0.1:9",
        f"socks5://someone:{PASSWORD}@127.0.0.1:9",
        f"http://someone:{PASSWORD}@[::1",
        "http://",
        "http://proxy:port",
        "http://proxy:1/path",
        "ftp://proxy",
        "http://a b:1",
    ],
)
def test_a_proxy_that_cannot_be_used_is_named_by_its_variable_with_what_can(
    address: str,
    variable: str,
    connect: Callable[..., Transport],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(variable, address)
    said = rf"^{variable} names a proxy .* http://host:port .* \(SOCKS is not supported\)"
    with pytest.raises(errors.TransportError, match=said) as caught:
        connect("https://api.example.com")
    assert "base_url" not in str(caught.value)
    printed = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    frames = [frame for frame in printed.stack if frame.filename != __file__]
    assert PASSWORD not in str(caught.value) + str([frame.locals for frame in frames])


@pytest.mark.parametrize(
    "address",
    ["http://127.0.0.1:3128", "proxy.example:3128", "https://u:p@proxy.example", "http://[::1]:1/"],
)
def test_a_usual_proxy_is_taken(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", address)
    assert _proxy("https://api.example.com") == address


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_file_of_certificates_is_taken_from_the_environment(
    variable: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "ca.pem"
    given = Credentials("https://api.example.com", AUTH_ID, Secret(TOKEN))
    monkeypatch.setenv(variable, str(file))
    with pytest.raises(errors.TransportError, match=f"{variable} names a file .* not there"):
        Connection(given)
    file.write_text("")
    assert Connection(given)._verify == str(file)
