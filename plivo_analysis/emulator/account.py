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

from plivo_analysis.emulator.expected import ExpectedResults, sum_up
from plivo_analysis.emulator.expected_deliveries import ExpectedDeliveries, deliveries
from plivo_analysis.emulator.listing import MESSAGES, SESSIONS
from plivo_analysis.emulator.message_records import GeneratedMessages
from plivo_analysis.emulator.record_index import RecordIndex
from plivo_analysis.emulator.session_plan import Plan
from plivo_analysis.emulator.session_records import GeneratedSessions
from plivo_analysis.emulator.times import DAY, to_micros
from plivo_analysis.emulator.traffic_model import AUTH_ID

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from plivo_analysis.emulator.listing import Listing
    from plivo_analysis.emulator.record_index import Record

AUTH_TOKEN = "demo-token-of-the-emulator-not-a-secret-"  # noqa: S105 - public on purpose
RETENTION = 90 * DAY  # "List all sessions": those of the last 90 days
DEFAULT_NOW = datetime(2026, 11, 2, 6, 58, tzinfo=UTC)


class Account:
    """What the emulator serves.

    Args:
        plan: The generated sessions.
        unrelated: The times of generated messages that belong to no session.
        now: The account's time at the start, aware.
        frozen: Whether that time stands still.

    Example:
        >>> account = Account.of([{"session_uuid": "a", "created_at": "2026-11-01T09:00:00Z"}])
        >>> account.uuids()
        ['a']
    """

    def __init__(
        self,
        plan: Plan,
        unrelated: Sequence[int] = (),
        *,
        now: datetime = DEFAULT_NOW,
        frozen: bool = True,
    ) -> None:
        self._plan, self._unrelated = plan, unrelated
        self._sessions = RecordIndex(GeneratedSessions(plan))
        self.auth_id = AUTH_ID
        self.auth_token = AUTH_TOKEN
        self.frozen = frozen
        # A list that changes the account takes it again while it holds it.
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

        Fields that begin with an underscore are not shown. A filter's name with one
        (``_subaccount``, ``_brand_name``, ``_app_hash``) filters. ``_changes`` maps times to
        fields that the record has from then on, such as a status or a price.
        ``_visible_from`` is the time before which the record is neither listed nor retrieved.
        Of two records of one instant the later given is listed first.

        Example:
            >>> later = {"2026-11-02T09:00:00Z": {"status": "verified"}}
            >>> session = {"session_uuid": "a", "status": "in-progress", "_changes": later}
            >>> account = Account.of([session])
            >>> account.advance(timedelta(hours=3))
            >>> account.record("a")["status"]
            'verified'
        """
        account = cls(Plan(b"", 0), now=now, frozen=frozen)
        for record in (*sessions, *messages):
            account.insert(record)
        return account

    @property
    def now(self) -> datetime:
        """The account's time, aware, UTC. May be set."""
        # By a clock that only grows: this computer's may be set while the account runs.
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

    def records(self, listing: Listing) -> RecordIndex:
        """The sessions or the messages.

        Example:
            >>> len(Account.of().records(SESSIONS))
            0
        """
        return self._sessions if listing is SESSIONS else self._messages

    @cached_property
    def _messages(self) -> RecordIndex:
        # Made when first asked for: it looks at every attempt of every session.
        return RecordIndex(GeneratedMessages(self._plan, self._unrelated))

    def insert(self, record: dict[str, Any]) -> None:
        """Add a session, or a message if it has a ``message_uuid``.

        Example:
            >>> account = Account.of()
            >>> account.insert({"session_uuid": "a", "created_at": "2026-11-01T09:00:00Z"})
            >>> account.uuids()
            ['a']
        """
        with self.lock:
            self._index_of(record).insert(record, to_micros(self.now))

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
        index = self._index_of(record)
        with self.lock:
            index.remove(str(record[index.listing.key]))
            index.insert(record, to_micros(self.now))

    def record(self, key: str) -> dict[str, Any]:
        """The session or message of that key, as the account knows it.

        Raises:
            KeyError: The account has none of that key.

        Example:
            >>> Account.of([{"session_uuid": "a", "status": "expired"}]).record("a")["status"]
            'expired'
        """
        with self.lock:
            for index in (self._sessions, self._messages):
                if (handle := index.handle_of(key)) is not None:
                    return index.record(handle, to_micros(self.now))
        raise KeyError(key)

    def uuids(
        self,
        since: datetime | None = None,
        until: datetime | None = None,
        *,
        listing: Listing = SESSIONS,
    ) -> list[str]:
        """The keys of all records of ``[since, until)`` that are served, newest first.

        Example:
            >>> session = {"session_uuid": "a", "created_at": "2026-11-01T09:00:00Z"}
            >>> Account.of([session]).uuids(until=datetime(2026, 11, 1, tzinfo=UTC))
            []
        """
        index = self.records(listing)
        with self.lock:
            low, high, now = self.served(since, until)
            return [index.key(handle) for handle in index.find(low, high, {}, now)]

    def expected(
        self, since: datetime | None = None, until: datetime | None = None
    ) -> ExpectedResults:
        """Exact results of the sessions of ``[since, until)`` that are served.

        Example:
            >>> Account.of().expected().sessions
            0
        """
        with self.lock:
            window = self.served(since, until)
            return sum_up(self._sessions.expected(*window))

    def expected_deliveries(
        self, since: datetime | None = None, until: datetime | None = None
    ) -> dict[str | None, ExpectedDeliveries]:
        """Delivery times by network, of the messages of ``[since, until)`` that are served.

        Example:
            >>> Account.of().expected_deliveries()
            {}
        """
        with self.lock:
            window = self.served(since, until)
            return deliveries(self._messages.expected(*window))

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
        # The end is excluded, so that a record of this very microsecond needs one more.
        low = now - RETENTION if since is None else max(to_micros(since), now - RETENTION)
        high = now + 1 if until is None else min(to_micros(until), now + 1)
        return low, high, now

    def _index_of(self, record: Record) -> RecordIndex:
        return self.records(MESSAGES if MESSAGES.key in record else SESSIONS)
