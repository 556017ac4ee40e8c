"""A client of the emulator that knows nothing of the package: requests, and no more."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import requests

from plivo_analysis.emulator import AUTH_ID, AUTH_TOKEN, Account, Server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SESSIONS = "Verify/Session/"


@dataclass
class Caller:
    """Asks one server."""

    server: Server
    http: requests.Session

    def ask(self, path: str, params: Any = None, **options: Any) -> requests.Response:
        """Any address below the account."""
        url = f"{self.server.url}/v1/Account/{AUTH_ID}/{path}"
        return self.http.get(url, params=params, timeout=5, allow_redirects=False, **options)

    def page(self, path: str = SESSIONS, **params: Any) -> dict[str, Any]:
        """A page that must be there."""
        reply = self.ask(path, params)
        assert reply.status_code == 200, reply.text
        page: dict[str, Any] = reply.json()
        return page

    def keys(self, **params: Any) -> list[str]:
        """The sessions of a page."""
        return [row["session_uuid"] for row in self.page(**params)["sessions"] or ()]

    def walk(self, path: str = SESSIONS, **params: Any) -> Iterator[dict[str, Any]]:
        """Pages as ``next`` leads to them."""
        page = self.page(path, **params)
        yield page
        while page["meta"]["next"]:
            url = self.server.url + page["meta"]["next"]
            page = self.http.get(url, timeout=5).json()
            yield page


@pytest.fixture
def serve() -> Iterator[Callable[..., Caller]]:
    """Starts servers; ends them and their clients with the test."""
    with ExitStack() as running:

        def start(account: Account | None = None, **options: Any) -> Caller:
            server = running.enter_context(Server(account or Account.of(), **options))
            http = running.enter_context(requests.Session())
            http.trust_env = False
            http.auth = (AUTH_ID, AUTH_TOKEN)
            return Caller(server, http)

        yield start
