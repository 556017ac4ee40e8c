"""How a service may depart from its documentation when it lists: one knob for each way.

The knobs are independent and may be combined. With none turned the answers are those of
``listing``. Which of them the real service shows is unknown, so a client must survive them all.

A page under a turned knob is made of the whole list, which is slow and plain: order, position,
cut, then what the page says of itself. Afterwards the account may change, as the knobs say.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from plivo_analysis.emulator.listing import (
    SESSIONS,
    list_page,
    meta,
    page_address,
    parse_request,
    visible,
    window,
)
from plivo_analysis.emulator.plan import EXPIRED, IN_PROGRESS, VERIFIED
from plivo_analysis.emulator.times import to_micros, write_time
from plivo_analysis.emulator.world import APPLICATIONS, COUNTRIES

if TYPE_CHECKING:
    from plivo_analysis.emulator.account import Account
    from plivo_analysis.emulator.listing import Listing, ListRequest
    from plivo_analysis.emulator.record_index import RecordIndex

    Pairs = list[tuple[str, str]]

_NONE = timedelta(0)
_HEX_DIGITS = 16
_STEP = timedelta(milliseconds=1)  # between sessions that begin while the list is read


@dataclass(frozen=True)
class Behaviour:
    """The knobs. The default of each is the documented behaviour.

    Attributes:
        inserts: Sessions that begin after each list request, at the head of the list. The
            account's clock moves by a millisecond for each.
        ages: How far the account's clock moves after each list request.
        settles: Sessions in progress, the newest first, that are verified after each list
            request.
        late: How long one row in sixteen stays unseen after its time.
        order: The order of the list. Random means anew for each request.
        ties: The order of rows of one instant. Random means anew for each request.
        paging: ``offset``: as documented. ``cursor``: ``next`` holds a cursor, an offset is
            ignored. ``hybrid``: ``next`` holds a cursor, but an offset beside it wins.
            ``endless``: position is ignored, ``next`` is always set.
        next_page: ``true``: set where there are more rows. ``null``: never set. ``always``:
            set on the last page too, which leads to an empty one.
        next_url: What stands as ``next`` wherever it is set, such as another host's address.
        short_by: Rows that are left out at the end of a page, with ``next`` set, the first
            time that a question is asked.
        page_size: Rows a page, whatever limit is asked for.
        duplicates: A page's first row comes again at its end: the same, or with another
            status.
        empty: An empty list as ``[]`` or as null.
        list_key: Another name of the list; an empty text leaves the list out.
        meta: As documented, left out, null, or with its numbers as text.
        total_count: Left out; the true count; or a wrong one.
        ignores: Names of a query that are not heeded: bounds, filters, the offset.
        precision: What time bounds are cut to: a second, a minute.
        date: Whether answers have a ``Date`` header.
        date_skew: How far that header is off.

    Example:
        >>> Behaviour(order="oldest").lists_as_documented, Behaviour(ages=timedelta(1)).changes
        (False, True)
    """

    inserts: int = 0
    ages: timedelta = _NONE
    settles: int = 0
    late: timedelta = _NONE
    order: Literal["newest", "oldest", "random"] = "newest"
    ties: Literal["stable", "random"] = "stable"
    paging: Literal["offset", "cursor", "hybrid", "endless"] = "offset"
    next_page: Literal["true", "null", "always"] = "true"
    next_url: str | None = None
    short_by: int = 0
    page_size: int | None = None
    duplicates: Literal["none", "same", "different"] = "none"
    empty: Literal["list", "null"] = "list"
    list_key: str | None = None
    meta: Literal["full", "missing", "null", "text"] = "full"
    total_count: Literal["absent", "true", "wrong"] = "absent"
    ignores: tuple[str, ...] = ()
    precision: timedelta = timedelta(microseconds=1)
    date: bool = True
    date_skew: timedelta = _NONE

    @property
    def changes(self) -> bool:
        """Whether the account changes by being asked."""
        return bool(self.inserts or self.ages or self.settles)

    @property
    def lists_as_documented(self) -> bool:
        """Whether a page is what the documentation says."""
        return self == Behaviour(
            inserts=self.inserts,
            ages=self.ages,
            settles=self.settles,
            date=self.date,
            date_skew=self.date_skew,
        )


class Lister:
    """Lists an account under a behaviour; remembers what it must from request to request.

    Args:
        behaviour: The knobs.

    Example:
        >>> from plivo_analysis.emulator.account import Account
        >>> lister = Lister(Behaviour(empty="null"))
        >>> lister.page(Account.of(), SESSIONS, [])["sessions"] is None
        True
    """

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._random = Random(0)
        self._asked: set[tuple[str, ...]] = set()

    def page(self, account: Account, listing: Listing, pairs: Pairs) -> dict[str, Any]:
        """A page; then the account changes, if it is to.

        Raises:
            BadRequest: The request is malformed.
        """
        with account.lock:
            if self._behaviour.lists_as_documented:
                page = list_page(account, listing, parse_request(pairs, listing))
            else:
                page = self._bent_page(account, listing, pairs)
            if self._behaviour.changes:
                self._change(account)
        return page

    def _bent_page(self, account: Account, listing: Listing, pairs: Pairs) -> dict[str, Any]:
        knobs = self._behaviour
        cut_to = max(1, _micros(knobs.precision))
        request = parse_request(pairs, listing, ignored=knobs.ignores, precision=cut_to)
        index = account.records(listing)
        handles = self._ordered(index, self._listed(account, index, request))
        start = self._start(index, handles, request, pairs)
        stop = start + (knobs.page_size or request.limit)
        chosen = handles[start:stop]
        more = len(handles) > stop
        address = self._address(account, listing, request, chosen, stop, more=more)
        if knobs.short_by and chosen and self._is_new(listing, pairs):
            address = self._address(account, listing, request, chosen, stop, more=True)
            chosen = chosen[: -knobs.short_by]
        now = to_micros(account.now)
        rows = [visible(index.record(handle, now)) for handle in chosen]
        return {
            **self._meta(account, listing, request, address, len(handles)),
            **self._list(listing, rows),
        }

    def _listed(self, account: Account, index: RecordIndex, request: ListRequest) -> list[int]:
        low, high, now = window(account, request)
        handles = index.find(low, high, request.filters, now)
        late = _micros(self._behaviour.late)
        if not late:
            return handles
        return [
            handle
            for handle in handles
            if index.time(handle) <= now - late or int(index.key(handle)[-1], _HEX_DIGITS)
        ]

    def _ordered(self, index: RecordIndex, handles: list[int]) -> list[int]:
        if self._behaviour.order == "random":
            return self._random.sample(handles, len(handles))
        if self._behaviour.ties == "random":
            mixed = self._random.sample(handles, len(handles))
            handles = sorted(mixed, key=index.time, reverse=True)
        return handles[::-1] if self._behaviour.order == "oldest" else handles

    def _start(
        self, index: RecordIndex, handles: list[int], request: ListRequest, pairs: Pairs
    ) -> int:
        paging = self._behaviour.paging
        if paging == "endless":
            return 0
        offset_wins = paging == "hybrid" and "offset" in dict(pairs)
        if paging == "offset" or offset_wins:
            return request.offset
        last = _read_cursor(request.cursor)
        if last is None:
            return 0
        if last in handles:
            return handles.index(last) + 1
        gone = index.time(last)
        return sum(index.time(handle) >= gone for handle in handles)

    def _address(
        self,
        account: Account,
        listing: Listing,
        request: ListRequest,
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
            return page_address(account, listing, request, cursor=cursor)
        return page_address(account, listing, request, offset=stop)

    def _is_new(self, listing: Listing, pairs: Pairs) -> bool:
        question = (listing.path, *sorted(f"{name}={value}" for name, value in pairs))
        is_new = question not in self._asked
        self._asked.add(question)
        return is_new

    def _meta(
        self,
        account: Account,
        listing: Listing,
        request: ListRequest,
        address: str | None,
        total: int,
    ) -> dict[str, Any]:
        knobs = self._behaviour
        if knobs.meta == "missing":
            return {}
        if knobs.meta == "null":
            return {"meta": None}
        shown = {**meta(account, listing, request, None), "next": address}
        if knobs.meta == "text":
            shown |= {"limit": str(request.limit), "offset": str(request.offset)}
        if knobs.total_count != "absent":
            shown["total_count"] = total if knobs.total_count == "true" else total + 7
        return {"meta": shown}

    def _list(self, listing: Listing, rows: list[dict[str, Any]]) -> dict[str, Any]:
        knobs = self._behaviour
        if rows and knobs.duplicates != "none":
            again = dict(rows[0])
            if knobs.duplicates == "different":
                again["status"] = EXPIRED if again.get("status") == VERIFIED else VERIFIED
            rows = [*rows, again]
        key = listing.list_key if knobs.list_key is None else knobs.list_key
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
    index = account.records(SESSIONS)
    for handle in index.find(low, high, {"status": IN_PROGRESS}, now, count=count):
        account.replace({**index.record(handle, now), "status": VERIFIED})


def _fresh_session(account: Account, key: UUID) -> dict[str, Any]:
    at = write_time(to_micros(account.now))
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
