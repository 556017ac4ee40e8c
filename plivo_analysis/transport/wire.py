"""The wire: one exchange of bytes with the server, and nothing that anybody else has set up.

What is refused here, because an HTTP library does it by itself: credentials from a netrc file,
proxies for loopback, redirects, cookies, log lines that hold the address with its query,
headers printed by a debug switch, bodies of any size.

The library's timeouts are for one silence each, so that a server which sends a byte now and
then holds a caller for ever, in the headers as well as in the body. Reading therefore goes
through a reader of our own, beneath the library, that knows the request's deadline, the most
bytes it may bring and the event that cancels it. It reads real sockets, so its time is the
computer's, whatever clock the rest of the package was given.
"""

from __future__ import annotations

import base64
import http.client
import io
import logging
import os
import platform
import time
import weakref
from contextvars import ContextVar
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from threading import Event, Lock, local
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

import requests
import urllib3.connection
import urllib3.connectionpool
from requests.adapters import HTTPAdapter
from requests.auth import AuthBase
from requests.utils import get_environ_proxies

from plivo_analysis import __version__
from plivo_analysis.clock import Cancelled
from plivo_analysis.credentials import is_loopback
from plivo_analysis.errors import TransportError

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping

    from plivo_analysis.credentials import Secret

MOST = 8 * 1024 * 1024  # decoded bytes of one body
_HEADROOM = 1024 * 1024  # bytes on the wire beyond the body: headers and framing
_CHUNK = 64 * 1024
_SLICE = 0.25  # seconds between two looks at the cancelling event
_ENCODINGS = frozenset({"", "identity", "gzip", "deflate"})
_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
_LOGGERS = (
    "urllib3.connection",
    "urllib3.connectionpool",
    "urllib3.poolmanager",
    "urllib3.response",
    "urllib3.util.retry",
)


class Unreadable(Exception):  # noqa: N818 - faults.py makes the error of it
    """The answer is larger than any page, or encoded in a way that was not offered.

    Example:
        >>> str(Unreadable("it is too large"))
        'it is too large'
    """


@dataclass(frozen=True, slots=True)
class Timeouts:
    """How long a request may take, in seconds of the computer's own time.

    Args:
        connect: To reach the server.
        gap: Of silence while its answer is read.
        whole: In all.

    Example:
        >>> Timeouts().whole
        60.0
    """

    connect: float = 5.0
    gap: float = 15.0
    whole: float = 60.0


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
class _Watch:
    """The bounds of the exchange under way in this thread."""

    gap: float
    deadline: float
    cancel: Event | None
    bytes_left: int = MOST + _HEADROOM

    def check(self) -> None:
        if self.cancel is not None and self.cancel.is_set():
            raise Cancelled
        if time.monotonic() >= self.deadline:
            raise TimeoutError("the request's deadline has passed")


_watch: ContextVar[_Watch | None] = ContextVar("watch", default=None)


class _Reader(io.RawIOBase):
    """Reads a socket within the bounds of the exchange under way."""

    def __init__(self, sock: socket.socket, held: io.BufferedIOBase, watch: _Watch) -> None:
        self._sock = sock
        self._held = held  # while it is open, so is the socket
        self._watch = watch

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        quiet_until = time.monotonic() + self._watch.gap
        while True:
            self._watch.check()
            left = min(self._watch.deadline, quiet_until) - time.monotonic()
            if left <= 0:
                raise TimeoutError("the server has gone silent")
            self._sock.settimeout(min(left, _SLICE))
            try:
                count = self._sock.recv_into(buffer)
            except TimeoutError:
                continue
            self._watch.bytes_left -= count
            if self._watch.bytes_left < 0:
                raise Unreadable("it is larger than any page of records")
            return count

    def close(self) -> None:
        if not self.closed:
            self._held.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """The library's response, reading through our reader."""

    def __init__(
        self,
        sock: socket.socket,
        debuglevel: int = 0,  # noqa: ARG002 - would print headers
        method: str | None = None,
        url: str | None = None,
    ) -> None:
        super().__init__(sock, 0, method, url)
        if (watch := _watch.get()) is not None:
            self.fp = io.BufferedReader(_Reader(sock, self.fp, watch))


class _Connection(urllib3.connection.HTTPConnection):
    response_class = _Response
    debuglevel = 0  # a debug switch on the library's class would print the token


class _SecureConnection(urllib3.connection.HTTPSConnection):
    response_class = _Response
    debuglevel = 0


class _Pool(urllib3.connectionpool.HTTPConnectionPool):
    ConnectionCls = _Connection


class _SecurePool(urllib3.connectionpool.HTTPSConnectionPool):
    ConnectionCls = _SecureConnection


_POOLS = {"http": _Pool, "https": _SecurePool}


class _Adapter(HTTPAdapter):
    """The library's adapter with our connections, also through a proxy."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager


class _Basic(AuthBase):
    """Adds the credentials to a request; the header exists on that request alone."""

    def __init__(self, auth_id: str, token: Secret) -> None:
        self._auth_id = auth_id
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = basic(self._auth_id, self._token)
        return request


class _Session(requests.Session):
    """A session that takes nothing from the environment and leads nowhere else."""

    def __init__(self, auth: AuthBase) -> None:
        super().__init__()
        self.trust_env = False
        self.auth = auth
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
        self.headers.update(
            {
                "User-Agent": f"plivo_analysis/{__version__} (Python: {platform.python_version()})",
                "Accept": "application/json",
                "Accept-Encoding": "gzip, deflate",
            }
        )
        for scheme in ("https://", "http://"):
            self.mount(scheme, _Adapter(max_retries=0))

    def get_redirect_target(self, _: requests.Response) -> None:
        """Nowhere. The library would read the whole body of a redirect to find out."""

    def __getstate__(self) -> NoReturn:
        raise TypeError("A session holds credentials and does not pickle.")


class Wire:
    """Exchanges with one server, from any thread.

    A session for each thread: the library promises nothing about one session in two threads,
    and a lock would make one thread wait for another's slow answer.

    Args:
        base_url: Scheme, host and port.
        auth_id: The account.
        token: Its token.
        timeouts: How long an exchange may take.

    Raises:
        TransportError: The file of certificates that the environment names is not there.

    Example:
        >>> from plivo_analysis.credentials import Secret
        >>> Wire("http://127.0.0.1:9", "MA" + "X" * 18, Secret("not-a-real-token"), Timeouts())
        Wire('http://127.0.0.1:9')
    """

    def __init__(self, base_url: str, auth_id: str, token: Secret, timeouts: Timeouts) -> None:
        self._base_url = base_url
        self._auth = _Basic(auth_id, token)
        self._timeouts = timeouts
        self._proxies = _proxies(base_url)
        self._verify = _certificates(base_url)
        self._own = local()
        self._sessions: weakref.WeakSet[_Session] = weakref.WeakSet()
        self._lock = Lock()
        for name in _LOGGERS:
            logging.getLogger(name).addFilter(_is_not_ours)

    def __repr__(self) -> str:
        return f"Wire({self._base_url!r})"

    def get(self, path: str, params: Mapping[str, str], cancel: Event | None) -> Reply:
        """Ask once and read the answer to its end.

        Raises:
            Cancelled: The event was set.
            Unreadable: The answer is not one that is read.
            Exception: Whatever the library raises; ``faults`` knows each of them.
        """
        timeouts = self._timeouts
        watch = _Watch(timeouts.gap, time.monotonic() + timeouts.whole, cancel)
        before = _watch.set(watch)
        try:
            with self._session().get(
                self._base_url + path,
                params=params,
                stream=True,
                allow_redirects=False,
                timeout=(timeouts.connect, timeouts.gap),
                proxies=self._proxies,
                verify=self._verify,
            ) as response:
                return Reply(response.status_code, _body(response, watch), dict(response.headers))
        finally:
            _watch.reset(before)

    def close(self) -> None:
        """Close the connections of every thread."""
        with self._lock:
            sessions = list(self._sessions)
        for session in sessions:
            session.close()

    def _session(self) -> _Session:
        session: _Session | None = getattr(self._own, "session", None)
        if session is None:
            session = self._own.session = _Session(self._auth)
            with self._lock:
                self._sessions.add(session)
        return session


def basic(auth_id: str, token: Secret) -> str:
    """The value of the header that carries the credentials."""
    return "Basic " + base64.b64encode(f"{auth_id}:{token.reveal()}".encode()).decode()


def _body(response: requests.Response, watch: _Watch) -> bytes:
    if response.headers.get("Content-Encoding", "").strip().lower() not in _ENCODINGS:
        raise Unreadable("it is encoded in a way that was not asked for")
    body = bytearray()
    for chunk in response.iter_content(_CHUNK):
        watch.check()
        body += chunk
        if len(body) > MOST:
            raise Unreadable("it is larger than any page of records")
    return bytes(body)


def _proxies(base_url: str) -> dict[str, str]:
    """The environment's proxies for this address, decided once; none for loopback."""
    if is_loopback(urlsplit(base_url).hostname or ""):
        return {}
    found = get_environ_proxies(base_url)
    return {scheme: found[scheme] for scheme in ("https", "all") if scheme in found}


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


def _is_not_ours(_: logging.LogRecord) -> bool:
    """Keeps the library from logging our addresses, whose queries hold telephone numbers."""
    return _watch.get() is None
