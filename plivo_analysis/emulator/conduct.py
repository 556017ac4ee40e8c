"""A list request under a behaviour: the documented page, or one bent by the knobs.

A bent page is made of the whole list, which is slow and plain: order, position, cut, then what
the page says of itself. Afterwards the account may change, as the behaviour says.
"""

from __future__ import annotations

import base64
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any
from uuid import UUID

from plivo_analysis.emulator.listing import list_page, meta, page_address, window
from plivo_analysis.emulator.plan import EXPIRED, IN_PROGRESS, VERIFIED
from plivo_analysis.emulator.queries import SESSIONS, parse_query
from plivo_analysis.emulator.shelf import visible
from plivo_analysis.emulator.wiretime import to_micros, write_wire
from plivo_analysis.emulator.world import APPLICATIONS, COUNTRIES

if TYPE_CHECKING:
    from plivo_analysis.emulator.account import Account
    from plivo_analysis.emulator.behaviours import Behaviour
    from plivo_analysis.emulator.queries import Query, Resource
    from plivo_analysis.emulator.shelf import Shelf

    Pairs = list[tuple[str, str]]

_HEX_DIGITS = 16
_STEP = timedelta(milliseconds=1)  # between sessions that begin while the list is read


class Conduct:
    """One service's way of listing, with what it remembers from request to request.

    Args:
        behaviour: The knobs.

    Example:
        >>> from plivo_analysis.emulator.account import Account
        >>> from plivo_analysis.emulator.behaviours import Behaviour
        >>> conduct = Conduct(Behaviour(empty="null"))
        >>> conduct.page(Account.of(), SESSIONS, [])["sessions"] is None
        True
    """

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._random = Random(0)
        self._asked: set[tuple[str, ...]] = set()

    def page(self, account: Account, resource: Resource, pairs: Pairs) -> dict[str, Any]:
        """A page; then the account changes, if it is to.

        Raises:
            QueryError: The request is malformed.
        """
        with account.lock:
            if self._behaviour.lists_as_documented:
                page = list_page(account, resource, parse_query(pairs, resource))
            else:
                page = self._bent_page(account, resource, pairs)
            if self._behaviour.changes:
                self._change(account)
        return page

    def _bent_page(self, account: Account, resource: Resource, pairs: Pairs) -> dict[str, Any]:
        knobs = self._behaviour
        cut_to = max(1, _micros(knobs.precision))
        query = parse_query(pairs, resource, ignored=knobs.ignores, precision=cut_to)
        shelf = account.shelf(resource)
        places = self._ordered(shelf, self._seen(account, shelf, query))
        start = self._start(shelf, places, query, pairs)
        stop = start + (knobs.page_size or query.limit)
        chosen = places[start:stop]
        more = len(places) > stop
        address = self._address(account, resource, query, chosen, stop, more=more)
        if knobs.short_by and chosen and self._is_new(resource, pairs):
            address = self._address(account, resource, query, chosen, stop, more=True)
            chosen = chosen[: -knobs.short_by]
        now = to_micros(account.now)
        rows = [visible(shelf.record(place, now)) for place in chosen]
        return {
            **self._meta(account, resource, query, address, len(places)),
            **self._list(resource, rows),
        }

    def _seen(self, account: Account, shelf: Shelf, query: Query) -> list[int]:
        low, high, now = window(account, query)
        places = shelf.find(low, high, query.filters, now)
        late = _micros(self._behaviour.late)
        if not late:
            return places
        return [
            place
            for place in places
            if shelf.time(place) <= now - late or int(shelf.key(place)[-1], _HEX_DIGITS)
        ]

    def _ordered(self, shelf: Shelf, places: list[int]) -> list[int]:
        if self._behaviour.order == "random":
            return self._random.sample(places, len(places))
        if self._behaviour.ties == "random":
            mixed = self._random.sample(places, len(places))
            places = sorted(mixed, key=shelf.time, reverse=True)
        return places[::-1] if self._behaviour.order == "oldest" else places

    def _start(self, shelf: Shelf, places: list[int], query: Query, pairs: Pairs) -> int:
        paging = self._behaviour.paging
        if paging == "endless":
            return 0
        offset_wins = paging == "hybrid" and "offset" in dict(pairs)
        if paging == "offset" or offset_wins:
            return query.offset
        last = _read_cursor(query.cursor)
        if last is None:
            return 0
        if last in places:
            return places.index(last) + 1
        gone = shelf.time(last)
        return sum(shelf.time(place) >= gone for place in places)

    def _address(
        self,
        account: Account,
        resource: Resource,
        query: Query,
        chosen: list[int],
        stop: int,
        *,
        more: bool,
    ) -> str | None:
        knobs = self._behaviour
        always = knobs.paging == "endless" or knobs.next_page == "always"
        if not chosen or knobs.next_page == "null" or not (more or always):
            return None
        if knobs.next_url is not None:
            return knobs.next_url
        if knobs.paging in ("cursor", "hybrid"):
            cursor = base64.urlsafe_b64encode(f"after {chosen[-1]}".encode()).decode()
            return page_address(account, resource, query, cursor=cursor)
        return page_address(account, resource, query, offset=stop)

    def _is_new(self, resource: Resource, pairs: Pairs) -> bool:
        question = (resource.path, *sorted(f"{name}={value}" for name, value in pairs))
        is_new = question not in self._asked
        self._asked.add(question)
        return is_new

    def _meta(
        self, account: Account, resource: Resource, query: Query, address: str | None, total: int
    ) -> dict[str, Any]:
        knobs = self._behaviour
        if knobs.meta == "missing":
            return {}
        if knobs.meta == "null":
            return {"meta": None}
        said = {**meta(account, resource, query, None), "next": address}
        if knobs.meta == "text":
            said |= {"limit": str(query.limit), "offset": str(query.offset)}
        if knobs.total_count != "absent":
            said["total_count"] = total if knobs.total_count == "true" else total + 7
        return {"meta": said}

    def _list(self, resource: Resource, rows: list[dict[str, Any]]) -> dict[str, Any]:
        knobs = self._behaviour
        if rows and knobs.duplicates != "none":
            again = dict(rows[0])
            if knobs.duplicates == "different":
                again["status"] = EXPIRED if again.get("status") == VERIFIED else VERIFIED
            rows = [*rows, again]
        key = resource.list_key if knobs.list_key is None else knobs.list_key
        if not key:
            return {}
        return {key: rows if rows or knobs.empty == "list" else None}

    def _change(self, account: Account) -> None:
        knobs = self._behaviour
        _settle(account, knobs.settles)
        for _ in range(knobs.inserts):
            account.advance(_STEP)
            account.insert(_fresh_session(account, UUID(int=self._random.getrandbits(128))))
        account.advance(knobs.ages)


def _settle(account: Account, count: int) -> None:
    low, high, now = account.served()
    shelf = account.shelf(SESSIONS)
    for place in shelf.find(low, high, {"status": IN_PROGRESS}, now, count=count):
        account.replace({**shelf.record(place, now), "status": VERIFIED})


def _fresh_session(account: Account, key: UUID) -> dict[str, Any]:
    at = write_wire(to_micros(account.now))
    attempt = {"channel": "sms", "attempt_uuid": str(UUID(int=key.int ^ 1))}
    return {
        "session_uuid": str(key),
        "app_uuid": APPLICATIONS[0].uuid,
        "recipient": str(COUNTRIES[0].number(0.0)),
        "channel": "sms",
        "status": EXPIRED,
        "count": 1,
        "attempt_details": [{**attempt, "status": "delivered", "time": at}],
        "charges": {
            "total_charge": "0.0077",
            "validation_charge": "0.0000",
            "attempt_charges": [{**attempt, "charge": "0.00770"}],
        },
        "created_at": at,
        "updated_at": at,
    }


def _read_cursor(cursor: str | None) -> int | None:
    try:
        text = base64.urlsafe_b64decode(cursor or "").decode()
        return int(text.removeprefix("after "))
    except ValueError:  # a cursor that is none begins at the beginning
        return None


def _micros(span: timedelta) -> int:
    return span // timedelta(microseconds=1)
