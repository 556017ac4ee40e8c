"""HTTP on loopback: one account, its three calls, and a log of what was asked.

Every connection has a thread of its own and stays open for further requests. The order of
things is: the script of faults, credentials, method, the address, the limiter, the answer.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import json
import socket
import struct
import threading
import time
import uuid
from dataclasses import dataclass, field, replace
from datetime import timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import ceil
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, urlsplit

from plivo_analysis.emulator.behaviours import Behaviour
from plivo_analysis.emulator.conduct import Conduct
from plivo_analysis.emulator.faults import Answer
from plivo_analysis.emulator.listing import retrieve
from plivo_analysis.emulator.queries import MESSAGES, SESSIONS, QueryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from types import TracebackType

    from plivo_analysis.emulator.account import Account
    from plivo_analysis.emulator.faults import Fault
    from plivo_analysis.emulator.limiters import Limiter
    from plivo_analysis.emulator.queries import Resource

_JSON = json.JSONEncoder(separators=(",", ":"))
_NO_CREDENTIALS = {"error": "authentication credentials were not provided"}


@dataclass(frozen=True)
class Request:
    """One line of the log.

    Attributes:
        method: GET, POST, …
        path: The address without its query.
        query: The names and values of the query; of repeated names the last.
        status: What was answered; 0 where a fault left no status.
        at: Seconds of a clock that only grows, when the request was read.
        headers: What the client sent beside, names in small letters.

    Example:
        >>> Request("GET", "/v1/", {}, 200, 0.0).status
        200
    """

    method: str
    path: str
    query: dict[str, str]
    status: int
    at: float
    headers: dict[str, str] = field(default_factory=dict, repr=False)


class Server:
    """A Plivo account on loopback.

    Args:
        account: What is served.
        port: The port, or 0 for a free one.
        limiter: Counts list requests and refuses those too many.
        behaviour: Departures from the documentation.
        faults: A script: each request takes the next entry; ``None`` lets it pass.

    Example:
        >>> from plivo_analysis.emulator.account import Account
        >>> with Server(Account.of()) as server:
        ...     server.url.rpartition(":")[0]
        'http://127.0.0.1'
    """

    def __init__(
        self,
        account: Account,
        port: int = 0,
        *,
        limiter: Limiter | None = None,
        behaviour: Behaviour | None = None,
        faults: Iterable[Fault | None] = (),
    ) -> None:
        self.account = account
        self.limiter = limiter
        self.behaviour = behaviour or Behaviour()
        self.log: list[Request] = []
        self.faults = faults
        self._lock = threading.Lock()
        self._http = _Http(self, port)
        self._thread = threading.Thread(
            target=self._http.serve_forever, args=(0.02,), name="emulator", daemon=True
        )
        self._thread.start()

    @property
    def faults(self) -> Iterator[Fault | None]:
        """What is left of the script. May be set to a new one at any time."""
        return self._faults

    @faults.setter
    def faults(self, script: Iterable[Fault | None]) -> None:
        self._faults = iter(script)

    @property
    def behaviour(self) -> Behaviour:
        """Departures from the documentation. May be set at any time."""
        return self._behaviour

    @behaviour.setter
    def behaviour(self, behaviour: Behaviour) -> None:
        self._behaviour, self._conduct = behaviour, Conduct(behaviour)

    @property
    def port(self) -> int:
        """The port that the server listens on."""
        return int(self._http.server_address[1])

    @property
    def url(self) -> str:
        """Scheme, host and port; no path."""
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        """End the server, its connections and its threads. May be called twice."""
        if self._thread.is_alive():
            self._http.shutdown()
            self._thread.join()
            self._http.end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _next_fault(self) -> Fault | None:
        with self._lock:
            return next(self._faults, None)

    def _answer(self, method: str, target: str, authorization: str) -> Answer:
        parts = urlsplit(target)
        if not self._knows(authorization):
            return _as_json(401, _NO_CREDENTIALS, {"WWW-Authenticate": 'Basic realm="api"'})
        if method != "GET":
            return _refusal(405, "method not allowed")
        prefix, _, rest = parts.path.removeprefix("/v1/Account/").partition("/")
        if prefix != self.account.auth_id:
            return _refusal(404, "not found")
        for resource in (SESSIONS, MESSAGES):
            if rest == resource.path:
                return self._limited() or self._list(resource, parts.query)
            key = rest.removeprefix(resource.path).removesuffix("/")
            if rest == f"{resource.path}{key}/" and "/" not in key:
                found = retrieve(self.account, resource, key)
                return _success(found) if found else _refusal(404, "not found")
        return _refusal(404, "not found")

    def _list(self, resource: Resource, query: str) -> Answer:
        pairs = parse_qsl(query, keep_blank_values=True)
        try:
            return _success(self._conduct.page(self.account, resource, pairs))
        except QueryError as refused:
            return _refusal(400, str(refused))

    def _limited(self) -> Answer | None:
        wait = self.limiter.admit() if self.limiter else None
        if wait is None or self.limiter is None:
            return None
        seconds = ceil(wait)
        headers = {}
        if self.limiter.retry_after == "seconds":
            headers["Retry-After"] = str(seconds)
        elif self.limiter.retry_after == "date":
            free = self.account.now + timedelta(seconds=seconds)
            headers["Retry-After"] = format_datetime(free, usegmt=True)
        return _refusal(429, "too many requests", headers)

    def _knows(self, authorization: str) -> bool:
        kind, _, given = authorization.partition(" ")
        try:
            pair = base64.b64decode(given, validate=True)
        except binascii.Error:
            return False
        own = f"{self.account.auth_id}:{self.account.auth_token}".encode()
        return kind.lower() == "basic" and hmac.compare_digest(pair, own)


def _success(content: dict[str, Any]) -> Answer:
    return _as_json(200, {"api_id": str(uuid.uuid4()), **content})


def _refusal(status: int, error: str, headers: dict[str, str] | None = None) -> Answer:
    return _as_json(status, {"api_id": str(uuid.uuid4()), "error": error}, headers)


def _as_json(status: int, content: dict[str, Any], headers: dict[str, str] | None = None) -> Answer:
    return Answer(status, _JSON.encode(content).encode(), headers or {})


class _Http(ThreadingHTTPServer):
    """The listening socket and the open connections."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, server: Server, port: int) -> None:
        self.server = server
        self.ending = threading.Event()
        self.connections: dict[socket.socket, threading.Thread] = {}
        super().__init__(("127.0.0.1", port), _Handler)

    def server_bind(self) -> None:
        # The usual one asks the name service for this host's name, which may take seconds.
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        self.connections[request] = threading.current_thread()
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.connections.pop(request, None)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no event; anything else is a fault of the emulator."""

    def end(self) -> None:
        self.ending.set()
        open_now = dict(self.connections)
        for connection in open_now:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # the client was faster
        for thread in open_now.values():
            thread.join(5)
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    """One connection; also the ``Line`` that faults play on."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Http

    def __getattr__(self, name: str) -> Any:
        if name.startswith("do_"):  # every method is answered, most of them with a 405
            return self._serve
        raise AttributeError(name)

    def _serve(self) -> None:
        at = time.monotonic()
        server = self.server.server
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = server._next_fault()  # noqa: SLF001 - the two classes are one server
        answer = fault.replaces if fault else None
        if answer is None:
            authorization = self.headers.get("Authorization", "")
            answer = server._answer(  # noqa: SLF001
                self.command, self.path, authorization
            )
        self._note(server, answer, at)
        if server.behaviour.date:
            now = server.account.now + server.behaviour.date_skew
            date = {"Date": format_datetime(now, usegmt=True)}
            answer = replace(answer, headers={**date, **answer.headers})
        if fault and fault.deliver:
            fault.deliver(self, answer)
        else:
            self.send(answer.head(length=len(answer.body)) + answer.body)

    def _note(self, server: Server, answer: Answer, at: float) -> None:
        parts = urlsplit(self.path)
        server.log.append(
            Request(
                method=self.command,
                path=parts.path,
                query=dict(parse_qsl(parts.query, keep_blank_values=True)),
                status=answer.status,
                at=at,
                headers={name.lower(): value for name, value in self.headers.items()},
            )
        )

    def send(self, data: bytes) -> None:
        try:
            self.wfile.write(data)
        except OSError:
            self.close_connection = True

    def drop(self) -> None:
        self.close_connection = True

    def reset(self) -> None:
        # Lingering for no time makes the kernel answer with a reset instead of an end.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True

    def wait(self, seconds: float) -> bool:
        return self.server.ending.wait(min(seconds, threading.TIMEOUT_MAX))

    def log_message(self, *_args: object) -> None:
        """Nothing is printed: the log is a list."""
