"""The client: an account, its credentials, its rate limit, its store and its time.

It sends no request by itself; loaders do.
"""

from __future__ import annotations

import functools
import hashlib
import threading
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING

from plivo_analysis.api.checks import checked_word, required_text
from plivo_analysis.http.credentials import Secret, resolve
from plivo_analysis.http.rate_limit.limiter import account_limiter
from plivo_analysis.http.transport import Transport
from plivo_analysis.storage.store import Store, account_folder
from plivo_analysis.system.clock import Clock
from plivo_analysis.system.folders import chosen_folder, data_folder
from plivo_analysis.tables.convert import BACKENDS

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path
    from typing import Literal, NoReturn, Self

SKEW_SEEN = timedelta(seconds=2)

_REMEMBERED = 1_000  # ids of answers


class Client:
    """One account: its credentials, its rate limit and what was read of it.

    Args:
        auth_id: Of the form ``MA…`` or, for a subaccount, ``SA…``; by default the
            environment's ``PLIVO_AUTH_ID``.
        auth_token: By default the environment's ``PLIVO_AUTH_TOKEN``. It is never shown.
        base_url: By default the environment's ``PLIVO_API_URL``, else the public API.
            ``http://`` is accepted for addresses of this computer only.
        store: The folder that keeps what was read; by default one in the user's data
            folder. ``False`` keeps nothing that was read on disk.
        requests_per_minute: What the account is granted; Plivo's default is 20.
        backend: What loaders return unless told otherwise: ``"polars"`` or ``"pandas"``.
        currency: The account's billing currency. The API names none, so it is a label.
        clock: Tells the time and waits; tests give their own.

    Raises:
        CredentialsError: None were found, or they are not of Plivo's form.
        FilterError: Another argument is wrong.

    Example:
        >>> import plivo_analysis as pva
        >>> with pva.demo(sessions=20) as client:
        ...     client.auth_id, client.backend, client.currency
        ('MADEMO00000000000000', 'polars', 'USD')
    """

    def __init__(
        self,
        auth_id: str | None = None,
        auth_token: str | Secret | None = None,
        *,
        base_url: str | None = None,
        store: str | Path | Literal[False] | None = None,
        requests_per_minute: float = 20,
        backend: str = "polars",
        currency: str = "USD",
        clock: Clock | None = None,
    ) -> None:
        # Wrapped at once: a verbose traceback prints the variables of every frame.
        secrets = Secret.of(auth_id), Secret.of(auth_token), Secret.of(base_url)
        auth_id = auth_token = base_url = None
        credentials = resolve(*secrets)
        self.base_url = credentials.base_url
        self.auth_id = credentials.auth_id
        self.backend = checked_word("backend", backend, BACKENDS)
        self.currency = required_text("currency", currency)
        root = data_folder() if store is None else store
        self._folder = (
            None
            if root is False
            else account_folder(chosen_folder(root, "store"), self.base_url, self.auth_id)
        )
        self.clock = clock or Clock()
        self.limiter = account_limiter(
            self.base_url, self.auth_id, requests_per_minute, clock=self.clock
        )
        self.transport = Transport(credentials, self.limiter)
        self._store: Store | None = None
        self._skew: timedelta | None = None
        self._api_ids: deque[str] = deque(maxlen=_REMEMBERED)
        self._lock = threading.Lock()

    @property
    def store(self) -> Store:
        """What was read of this account, opened on first use."""
        with self._lock:
            if self._store is None:
                self._store = Store(self._folder, f"{self.base_url} {self.auth_id}")
            return self._store

    def now(self) -> datetime:
        """The account's time: this computer's, corrected by what its server last said."""
        return self.clock.now() + self.skew

    def trusted_now(self) -> datetime | None:
        """The earlier of this computer's time and the server's; None where the server told none.

        Either clock may be fast, and what is called complete before its time is lost.
        """
        return None if self._skew is None else min(self.clock.now(), self.now())

    @property
    def skew(self) -> timedelta:
        """How far the server's clock is ahead of this computer's, as last heard."""
        return self._skew or timedelta(0)

    def hear(self, date: datetime | None) -> bool:
        """Take the server's time from an answer; say whether it moved the account's.

        A header tells whole seconds, so that up to two seconds are no difference.
        """
        if date is None:
            return False
        if abs(date - self.now()) <= SKEW_SEEN:
            self._skew = self.skew  # heard now, if it was not yet, and nothing moved
            return False
        self._skew = date - self.clock.now()
        return True

    def is_repeated(self, api_id: str | None) -> bool:
        """Whether an answer's id is that of an earlier one; it is remembered from now on.

        The server gives each request an id of its own, so that an answer with a known one comes
        from a cache.
        """
        if api_id is None:
            return False
        with self._lock:
            known = api_id in self._api_ids
            self._api_ids.append(api_id)
        return known

    def close(self) -> None:
        """Close connections and the store. What was read stays."""
        self.transport.close()
        with self._lock:
            if self._store is not None:
                self._store.close()
                self._store = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        raise TypeError("A client holds a token and connections; make one where it is needed.")

    def __repr__(self) -> str:
        # Half made, where the arguments were wrong and a traceback prints them.
        auth_id, base_url = getattr(self, "auth_id", None), getattr(self, "base_url", None)
        return f"Client({auth_id!r}, base_url={base_url!r})"


# Keyed by the token too: another one in the environment is another client.
@functools.cache
def _environment_client(auth_id: str, base_url: str, _token_digest: str) -> Client:
    return Client(auth_id, base_url=base_url)


def environment_client() -> Client:
    """The environment's account: one client a process, so that it has one rate limit.

    Raises:
        CredentialsError: The environment names none.
    """
    given = resolve(None, None, None)
    digest = hashlib.sha256(given.token.reveal().encode()).hexdigest()
    return _environment_client(given.auth_id, given.base_url, digest)
