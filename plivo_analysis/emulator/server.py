"""HTTP on loopback: an account over real sockets, and a log of what was asked.

Every connection has a thread of its own and stays open for further requests. A request first
takes the next entry of the script of faults, then it is answered.
"""

from __future__ import annotations

import socket
import struct
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qsl, urlsplit

from plivo_analysis.emulator.faults import Fault
from plivo_analysis.emulator.responses import Service

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from plivo_analysis.emulator.account import Account
    from plivo_analysis.emulator.limiters import ServerLimiter
    from plivo_analysis.emulator.misbehaviour import Behaviour


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


class Server(Service):
    """A Plivo account on loopback: its service over real sockets.

    Args:
        account: What is served.
        port: The port, or 0 for a free one.
        limiter: Counts list requests and refuses those too many.
        message_limiter: Counts lists of messages apart from those of sessions, where given.
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
        limiter: ServerLimiter | None = None,
        message_limiter: ServerLimiter | None = None,
        behaviour: Behaviour | None = None,
        faults: Iterable[Fault | None] = (),
    ) -> None:
        super().__init__(account, limiter, behaviour, message_limiter)
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

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def next_fault(self) -> Fault | None:
        """Take the next entry of the script."""
        with self._lock:
            return next(self._faults, None)


class _Http(ThreadingHTTPServer):
    """The listening socket and the open connections."""

    daemon_threads = True
    request_queue_size = 64  # the usual five refuse connections that a test opens at once

    def __init__(self, server: Server, port: int) -> None:
        self.server = server
        self.ending = threading.Event()
        self.connections: dict[socket.socket, threading.Thread] = {}
        super().__init__(("127.0.0.1", port), _Handler)

    def server_bind(self) -> None:
        # The usual one asks the name service for this host's name, which may take seconds.
        TCPServer.server_bind(self)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        self.connections[request] = threading.current_thread()
        # A thread that starts only now has a connection that `end` may not have seen.
        if self.ending.is_set():
            self.shutdown_request(request)
        else:
            super().process_request_thread(request, client_address)
        del self.connections[request]

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):  # a client that goes away is no event
            super().handle_error(request, client_address)

    def end(self) -> None:
        self.ending.set()
        # A thread that waits for its client's next request ends only with the connection.
        open_now = dict(self.connections)
        for connection in open_now:
            with suppress(OSError):  # the client was faster
                connection.shutdown(socket.SHUT_RDWR)
        for thread in open_now.values():
            thread.join(5)
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    """One connection, on which faults play."""

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
        # A body that nobody reads would be taken for the next request on this connection.
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = server.next_fault() or Fault("none")
        response = fault.replaces
        if response is None:
            authorization = self.headers.get("Authorization", "")
            cache_control = self.headers.get("Cache-Control", "")
            response = server.answer(self.command, self.path, authorization, cache_control)
        response = server.dated(response)
        if fault.changes:
            response = fault.changes(response)
        parts = urlsplit(self.path)
        server.log.append(
            Request(
                method=self.command,
                path=parts.path,
                query=dict(parse_qsl(parts.query, keep_blank_values=True)),
                status=response.status,
                at=at,
                headers={name.lower(): value for name, value in self.headers.items()},
            )
        )
        if fault.deliver:
            self._deliver(fault.deliver(response))
        else:  # to HEAD the headers of the whole response, and no body
            self._deliver([response.head() + (b"" if self.command == "HEAD" else response.body)])
        self.close_connection |= fault.ends != "open"
        if fault.ends == "reset":
            # Lingering for no time makes the kernel answer with a reset instead of an end.
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self.connection.close()

    def _deliver(self, steps: Iterable[bytes | float]) -> None:
        """Send bytes and let seconds pass, until the client has gone or the server ends."""
        for step in steps:
            if isinstance(step, bytes):
                try:
                    self.wfile.write(step)
                except OSError:
                    self.close_connection = True
                    return
            # The event is that of the server's end, so that a hanging request does not hold it up.
            elif self.server.ending.wait(min(step, threading.TIMEOUT_MAX)):
                self.close_connection = True
                return

    def log_message(self, *_args: object) -> None:
        """Nothing is printed: the log is a list."""
