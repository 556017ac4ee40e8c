"""A Plivo account: its credentials, its clock, its sessions and its messages.

The clock is part of the account, since most of what the service answers depends on it: the
default window, the 90 days, what is still in progress. It stands still unless asked to run.
"""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from plivo_analysis.emulator.queries import MESSAGES, SESSIONS
from plivo_analysis.emulator.shelf import Shelf
from plivo_analysis.emulator.truth import Entry, Truth, close_books, entry_of_record
from plivo_analysis.emulator.wiretime import DAY, to_micros

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from plivo_analysis.emulator.queries import Resource
    from plivo_analysis.emulator.shelf import Record

AUTH_ID = "MADEMO00000000000000"
AUTH_TOKEN = "demo-token-of-the-emulator-not-a-secret-"  # noqa: S105 - public on purpose
SUBACCOUNT_ID = "SADEMO00000000000000"
RETENTION = 90 * DAY
DEFAULT_NOW = datetime(2026, 11, 2, 6, 58, tzinfo=UTC)


class Account:
    """What the emulator serves.

    Args:
        sessions: The shelf of sessions.
        messages: Makes the shelf of messages, once, when it is first asked for.
        books: Gives the entry of a generated session at a moment, for the truth.
        now: The account's time at the start, aware.
        frozen: Whether that time stands still.

    Example:
        >>> account = Account.of([{"session_uuid": "a", "created_at": "2026-11-01T09:00:00Z"}])
        >>> account.uuids()
        ['a']
    """

    def __init__(
        self,
        sessions: Shelf,
        messages: Callable[[], Shelf],
        *,
        books: Callable[[int, int], Entry] | None = None,
        now: datetime = DEFAULT_NOW,
        frozen: bool = True,
    ) -> None:
        self._sessions = sessions
        self._make_messages = messages
        self._books = books
        self.auth_id = AUTH_ID
        self.auth_token = AUTH_TOKEN
        self.frozen = frozen
        self.lock = threading.RLock()
        self.now = now

    @classmethod
    def of(
        cls,
        sessions: Iterable[dict[str, Any]] = (),
        messages: Iterable[dict[str, Any]] = (),
        *,
        now: datetime = DEFAULT_NOW,
        frozen: bool = True,
    ) -> Account:
        """An account of records written out by hand, in the form of the wire.

        A filter's name with an underscore before it (``_subaccount``, ``_brand_name``,
        ``_app_hash``) filters but is not shown. Of two records of one instant the later given
        is listed first.

        Example:
            >>> len(Account.of([]).uuids())
            0
        """
        account = cls(Shelf(SESSIONS), lambda: Shelf(MESSAGES), now=now, frozen=frozen)
        for record in sessions:
            account.insert(record)
        for record in messages:
            account.insert(record)
        return account

    @property
    def now(self) -> datetime:
        """The account's time, aware, UTC. May be set."""
        ran = 0.0 if self.frozen else time.monotonic() - self._set_at
        return self._now + timedelta(seconds=ran)

    @now.setter
    def now(self, instant: datetime) -> None:
        self._now, self._set_at = instant.astimezone(UTC), time.monotonic()

    def advance(self, by: timedelta) -> None:
        """Move the account's time on.

        Example:
            >>> account = Account.of()
            >>> account.advance(timedelta(minutes=2))
            >>> account.now.isoformat()
            '2026-11-02T07:00:00+00:00'
        """
        self.now = self.now + by

    def shelf(self, resource: Resource) -> Shelf:
        """The shelf of sessions or of messages.

        Example:
            >>> len(Account.of().shelf(SESSIONS))
            0
        """
        return self._sessions if resource is SESSIONS else self._messages

    @cached_property
    def _messages(self) -> Shelf:
        return self._make_messages()

    def insert(self, record: dict[str, Any]) -> None:
        """Add a session, or a message if it has a ``message_uuid``.

        Example:
            >>> account = Account.of()
            >>> account.insert({"session_uuid": "a", "created_at": "2026-11-01T09:00:00Z"})
            >>> account.uuids()
            ['a']
        """
        with self.lock:
            self._shelf_of(record).put(record, to_micros(self.now))

    def replace(self, record: dict[str, Any]) -> None:
        """Put a record in the place of the one with the same key.

        Raises:
            KeyError: The account has none of that key.

        Example:
            >>> session = {"session_uuid": "a", "created_at": "2026-11-01T09:00:00Z"}
            >>> account = Account.of([session])
            >>> account.replace({**session, "status": "verified"})
            >>> account.record("a")["status"]
            'verified'
        """
        shelf = self._shelf_of(record)
        with self.lock:
            shelf.remove(str(record[shelf.resource.key]))
            shelf.put(record, to_micros(self.now))

    def record(self, key: str) -> dict[str, Any]:
        """The session or message of that key, as the account knows it.

        Raises:
            KeyError: The account has none of that key.

        Example:
            >>> Account.of([{"session_uuid": "a", "status": "expired"}]).record("a")["status"]
            'expired'
        """
        with self.lock:
            for resource in (SESSIONS, MESSAGES):
                shelf = self.shelf(resource)
                place = shelf.place_of(key)
                if place is not None:
                    return shelf.record(place, to_micros(self.now))
        raise KeyError(key)

    def uuids(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        resource: Resource = SESSIONS,
    ) -> list[str]:
        """The keys of all records of ``[since, until)`` that are served, newest first.

        Example:
            >>> session = {"session_uuid": "a", "created_at": "2026-11-01T09:00:00Z"}
            >>> Account.of([session]).uuids(until=datetime(2026, 11, 1, tzinfo=UTC))
            []
        """
        with self.lock:
            low, high, now = self.served(since, until)
            shelf = self.shelf(resource)
            return [shelf.key(place) for place in shelf.find(low, high, {}, now)]

    def truth(self, since: datetime | None = None, until: datetime | None = None) -> Truth:
        """Exact totals of the sessions of ``[since, until)`` that are served.

        Example:
            >>> Account.of().truth().sessions
            0
        """
        with self.lock:
            low, high, now = self.served(since, until)
            shelf = self.shelf(SESSIONS)
            places = shelf.find(low, high, {}, now)
            return close_books(
                self._books(place, now)
                if self._books and place >= 0
                else entry_of_record(shelf.record(place, now))
                for place in places
            )

    def served(
        self, since: datetime | None = None, until: datetime | None = None
    ) -> tuple[int, int, int]:
        """The window, cut to the last 90 days and the present, and the present; microseconds.

        Example:
            >>> low, high, now = Account.of().served()
            >>> (now - low) // DAY, high - now
            (90, 1)
        """
        now = to_micros(self.now)
        low = now - RETENTION if since is None else max(to_micros(since), now - RETENTION)
        high = now + 1 if until is None else min(to_micros(until), now + 1)
        return low, high, now

    def _shelf_of(self, record: Record) -> Shelf:
        return self.shelf(MESSAGES if MESSAGES.key in record else SESSIONS)
