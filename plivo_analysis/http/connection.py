"""One exchange of bytes with the server, within its bounds, and with no settings of other programs.

Requests are sent through the library's adapter and without a session of it. A session would read
a netrc file, follow redirects and keep cookies, and is not made for several threads. What is taken
from the environment, the proxy and the certificates, is read here. Refused are proxies for
loopback, log lines that hold the address with its query, headers printed by a debug switch, bodies
of any size.

The library's timeouts are for one silence each, so that a server which sends a byte now and
then holds a caller for ever. A reader of our own below the library therefore knows the request's
deadline, the most bytes it may bring and the event that cancels it. It reads real sockets, so
its time is the computer's, whatever clock the rest of the package was given.
"""

from __future__ import annotations

import http.client
import io
import logging
import os
import platform
import re
import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import requests
import urllib3.connection
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies

from plivo_analysis.errors import BadResponseError, TransportError
from plivo_analysis.http.credentials import is_loopback
from plivo_analysis.system.clock import Cancelled
from plivo_analysis.system.versions import __version__

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping
    from threading import Event

    from plivo_analysis.http.credentials import Credentials

# How long a request may take, in seconds of the computer's own time.
CONNECT_SECONDS = 5.0
SILENCE_SECONDS = 15.0  # while its answer is read
WHOLE_SECONDS = 60.0
MOST_BYTES = 8 * 1024 * 1024  # decoded, of one body
_HEADROOM_BYTES = 1024 * 1024  # on the wire beyond the body: headers and framing
_CHUNK_BYTES = 64 * 1024
_SLICE_SECONDS = 0.25  # between two looks at the cancelling event
_ENCODINGS = frozenset({"", "identity", "gzip", "deflate"})
_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
_PROXY = re.compile(
    r"(?:https?://)?(?:[^/@]*@)?(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]+)?/?"
)
_HEADERS = {
    "User-Agent": f"plivo_analysis/{__version__} (Python: {platform.python_version()})",
    "Accept": "application/json",
    "Accept-Encoding": "gzip, deflate",
    # A cache in between may ignore the query and repeat another page's answer.
    "Cache-Control": "no-cache",
}
_TOO_LARGE = "The server's answer is refused: it is larger than any page of records."


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server answered. Its ``repr`` leaves out the body, which holds numbers.

    Example:
        >>> Reply(200, b"{}", {})
        Reply(status=200, headers={})
    """

    status: int
    body: bytes = field(repr=False)
    headers: Mapping[str, str]


@dataclass(slots=True)
class Bounds:
    """The bounds of one exchange.

    Args:
        deadline: When it must have ended, on the computer's monotonic clock.
        cancel: Ends it.
        bytes_left: How much it may still bring.

    Example:
        >>> Bounds(deadline=time.monotonic() + 60, cancel=None).check()
    """

    deadline: float
    cancel: Event | None
    bytes_left: int = MOST_BYTES + _HEADROOM_BYTES

    def check(self) -> None:
        """Go on, or stop because the event was set or the deadline has passed."""
        if self.cancel is not None and self.cancel.is_set():
            raise Cancelled
        if time.monotonic() >= self.deadline:
            raise TimeoutError("the request's deadline has passed")


# The bounds of the exchange under way in this thread.
_bounds: ContextVar[Bounds | None] = ContextVar("bounds", default=None)


def _is_not_ours(_: logging.LogRecord) -> bool:
    """Keeps the library from logging what happens within an exchange of ours."""
    return _bounds.get() is None


class _Reader(io.RawIOBase):
    """Reads a socket within the bounds of the exchange under way."""

    def __init__(self, sock: socket.socket, held: io.BufferedIOBase, bounds: Bounds) -> None:
        self._sock = sock
        self._held = held  # while it is open, so is the socket
        self._bounds = bounds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        quiet_until = time.monotonic() + SILENCE_SECONDS
        # The socket waits in short slices: one long wait would notice neither a cancel nor the
        # deadline of the whole request, which every byte of a slow server would put off.
        while True:
            self._bounds.check()
            left = min(self._bounds.deadline, quiet_until) - time.monotonic()
            if left <= 0:
                raise TimeoutError("the server has gone silent")
            self._sock.settimeout(min(left, _SLICE_SECONDS))
            try:
                count = self._sock.recv_into(buffer)
            except TimeoutError:
                continue
            self._bounds.bytes_left -= count
            if self._bounds.bytes_left < 0:
                raise BadResponseError(_TOO_LARGE)
            return count

    def close(self) -> None:
        if not self.closed:
            self._held.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """The library's response, reading through our reader: headers as well as the body."""

    def __init__(self, sock: socket.socket, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        # Here, since the library reads the headers before anybody else sees the response: a
        # server that sends endless headers would else hold us without a deadline.
        if (bounds := _bounds.get()) is not None:
            self.fp = io.BufferedReader(_Reader(sock, self.fp, bounds))


class _PlainConnection(urllib3.connection.HTTPConnection):
    response_class = _Response
    debuglevel = 0  # a debug switch on the library's class would print the token


class _SecureConnection(urllib3.connection.HTTPSConnection):
    response_class = _Response
    debuglevel = 0


class _Adapter(HTTPAdapter):
    """The library's adapter with our connections, to the server itself or through a proxy."""

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        """The pool of connections for a request; it makes them when they are needed."""
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = _SecureConnection if pool.scheme == "https" else _PlainConnection
        return pool


class Connection:
    """Exchanges with one server, from any thread.

    Args:
        credentials: The account, its address and its token.

    Raises:
        TransportError: The environment names a proxy that cannot be used, or a file of
            certificates that is not there.

    Example:
        >>> from plivo_analysis.http.credentials import resolve
        >>> given = resolve("MA" + "X" * 18, "not-a-real-token", "http://127.0.0.1:9")
        >>> Connection(given)
        Connection('http://127.0.0.1:9')
    """

    def __init__(self, credentials: Credentials) -> None:
        self._credentials = credentials
        self._proxy = _proxy(credentials.base_url)
        self._verify = _certificates(credentials.base_url)
        self._adapter = _Adapter(max_retries=0)
        for name in list(logging.root.manager.loggerDict):
            if name.startswith("urllib3."):
                logging.getLogger(name).addFilter(_is_not_ours)

    def __repr__(self) -> str:
        return f"Connection({self._credentials.base_url!r})"

    def get(self, path: str, params: Mapping[str, str], cancel: Event | None) -> Reply:
        """Ask once and read the answer to its end.

        Raises:
            Cancelled: The event was set.
            BadResponseError: The answer is larger than any page, or encoded in a way that was
                not offered.
            Exception: Whatever the library raises; ``failures`` knows each of them.
        """
        request = requests.Request(
            "GET",
            self._credentials.base_url + path,
            params=params,
            headers={**_HEADERS, "Authorization": f"Basic {self._credentials.basic}"},
        )
        bounds = Bounds(time.monotonic() + WHOLE_SECONDS, cancel)
        before = _bounds.set(bounds)
        try:
            with self._adapter.send(
                request.prepare(),
                stream=True,
                timeout=(CONNECT_SECONDS, SILENCE_SECONDS),
                verify=self._verify,
                proxies={"https": self._proxy} if self._proxy else {},
            ) as response:
                return Reply(response.status_code, _body(response, bounds), response.headers)
        finally:
            _bounds.reset(before)

    def close(self) -> None:
        """Close the connections of every thread."""
        self._adapter.close()


def _body(response: requests.Response, bounds: Bounds) -> bytes:
    if response.headers.get("Content-Encoding", "").strip().lower() not in _ENCODINGS:
        raise BadResponseError(
            "The server's answer is refused: it is encoded in a way that was not asked for."
        )
    # The reader counts bytes on the wire; these are unpacked, which may be a thousand times more.
    body = bytearray()
    for chunk in response.iter_content(_CHUNK_BYTES):
        bounds.check()
        body += chunk
        if len(body) > MOST_BYTES:
            raise BadResponseError(_TOO_LARGE)
    return bytes(body)


def _proxy(base_url: str) -> str | None:
    """The environment's proxy for this address; none for loopback."""
    if is_loopback(urlsplit(base_url).hostname or ""):
        return None
    found = get_environ_proxies(base_url)
    scheme = "https" if "https" in found else "all"
    proxy = found.get(scheme)
    if proxy is None or _PROXY.fullmatch(proxy):
        return proxy
    # An address may hold a password: it is not shown, nor are variables by a verbose traceback.
    del found, proxy
    names = (f"{scheme}_proxy", f"{scheme}_proxy".upper())
    variable = next((name for name in names if name in os.environ), "The system's settings")
    raise TransportError(
        f"{variable} names a proxy that cannot be used. It takes the form http://host:port or "
        "https://host:port (SOCKS is not supported). Correct or unset it, or add the API's host "
        "to NO_PROXY."
    )


def _certificates(base_url: str) -> bool | str:
    """The file or folder of certificates to trust; True for those that come with the library."""
    for variable in _CA_VARIABLES:
        if base_url.startswith("https:") and (path := os.environ.get(variable)):
            if not Path(path).exists():
                raise TransportError(
                    f"{variable} names a file of certificates that is not there: {path}. "
                    "Correct or unset it."
                )
            return path
    return True
