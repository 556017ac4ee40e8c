"""Reading: a response is read within its request's bounds, headers and body alike.

The library's timeouts are for one silence each, so that a server which sends a byte now and
then holds a caller for ever. Reading therefore goes through a reader of our own, beneath the
library, that knows the request's deadline, the most bytes it may bring and the event that
cancels it. It reads real sockets, so its time is the computer's, whatever clock the rest of
the package was given.

The bounds are those of the exchange under way in the thread; while there is one, the library
logs nothing, since its lines hold addresses with their queries.
"""

from __future__ import annotations

import http.client
import io
import time
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import urllib3.connection
import urllib3.connectionpool
from requests.adapters import HTTPAdapter

from plivo_analysis.system.clock import Cancelled

if TYPE_CHECKING:
    import logging
    import socket
    from collections.abc import Iterator
    from threading import Event

MOST = 8 * 1024 * 1024  # decoded bytes of one body
_HEADROOM = 1024 * 1024  # bytes on the wire beyond the body: headers and framing
_SLICE = 0.25  # seconds between two looks at the cancelling event


class Unreadable(Exception):  # noqa: N818 - faults.py makes the error of it
    """The answer is larger than any page, or encoded in a way that was not offered.

    Example:
        >>> str(Unreadable("it is too large"))
        'it is too large'
    """


@dataclass(slots=True)
class Deadline:
    """The bounds of one exchange.

    Args:
        gap: Seconds of silence that are borne.
        deadline: When it must have ended, on the computer's monotonic clock.
        cancel: Ends it.
        bytes_left: How much it may still bring.

    Example:
        >>> Deadline(gap=15.0, deadline=time.monotonic() + 60, cancel=None).check()
    """

    gap: float
    deadline: float
    cancel: Event | None
    bytes_left: int = MOST + _HEADROOM

    def check(self) -> None:
        """Go on, or stop because the event was set or the deadline has passed."""
        if self.cancel is not None and self.cancel.is_set():
            raise Cancelled
        if time.monotonic() >= self.deadline:
            raise TimeoutError("the request's deadline has passed")


_watch: ContextVar[Deadline | None] = ContextVar("watch", default=None)


@contextmanager
def watched(watch: Deadline) -> Iterator[Deadline]:
    """Until the block ends, every response in this thread is read within these bounds."""
    before = _watch.set(watch)
    try:
        yield watch
    finally:
        _watch.reset(before)


def is_not_ours(_: logging.LogRecord) -> bool:
    """Keeps the library from logging what happens within an exchange of ours."""
    return _watch.get() is None


class _Reader(io.RawIOBase):
    """Reads a socket within the bounds of the exchange under way."""

    def __init__(self, sock: socket.socket, held: io.BufferedIOBase, watch: Deadline) -> None:
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


class Adapter(HTTPAdapter):
    """The library's adapter with our connections, also through a proxy."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        """Connections to the server itself."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = _POOLS

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:
        """Connections that a proxy passes on."""
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = _POOLS
        return manager
