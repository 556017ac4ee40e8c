"""The wire: one exchange of bytes with the server, and nothing that anybody else has set up.

What is refused here, because an HTTP library does it by itself: credentials from a netrc file,
proxies for loopback, redirects, cookies, log lines that hold the address with its query,
headers printed by a debug switch, bodies of any size.

The bounds of an exchange are kept by ``reading``, beneath the library.
"""

from __future__ import annotations

import base64
import logging
import os
import platform
import time
import weakref
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from threading import Event, Lock, local
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urlsplit

import requests
from requests.auth import AuthBase
from requests.utils import get_environ_proxies

from plivo_analysis.errors import TransportError
from plivo_analysis.http.credentials import is_loopback
from plivo_analysis.http.reading import MOST, Adapter, Deadline, Unreadable, is_not_ours, watched
from plivo_analysis.system.versions import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plivo_analysis.http.credentials import Secret

_CHUNK = 64 * 1024
_ENCODINGS = frozenset({"", "identity", "gzip", "deflate"})
_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
_LOGGERS = (
    "urllib3.connection",
    "urllib3.connectionpool",
    "urllib3.poolmanager",
    "urllib3.response",
    "urllib3.util.retry",
)


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
            self.mount(scheme, Adapter(max_retries=0))

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
        >>> from plivo_analysis.http.credentials import Secret
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
            logging.getLogger(name).addFilter(is_not_ours)

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
        with (
            watched(Deadline(timeouts.gap, time.monotonic() + timeouts.whole, cancel)) as watch,
            self._session().get(
                self._base_url + path,
                params=params,
                stream=True,
                allow_redirects=False,
                timeout=(timeouts.connect, timeouts.gap),
                proxies=self._proxies,
                verify=self._verify,
            ) as response,
        ):
            return Reply(response.status_code, _body(response, watch), dict(response.headers))

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


def _body(response: requests.Response, watch: Deadline) -> bytes:
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
