"""How a service may depart from its documentation when it lists: one knob for each way.

The knobs are independent and may be combined. With none turned the answers are those of
``listing``. Which of them the real service shows is unknown, so a client must survive them all.

A page under a turned knob is made of the whole list, which is slow and plain: order, position,
cut, then what the page says of itself. Afterwards the account may change, as the knobs say.
"""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass, fields
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from plivo_analysis.emulator.listing import SESSIONS, BadRequest, matches, parse_request, visible
from plivo_analysis.emulator.pages import list_page, meta, page_address, window
from plivo_analysis.emulator.session_plan import EXPIRED, IN_PROGRESS, VERIFIED
from plivo_analysis.emulator.times import MINUTE, read_time, to_micros, write_time
from plivo_analysis.emulator.traffic_model import APPLICATIONS, COUNTRIES

if TYPE_CHECKING:
    from plivo_analysis.emulator.account import Account
    from plivo_analysis.emulator.listing import Listing, ListRequest
    from plivo_analysis.emulator.record_index import RecordIndex

    Pairs = list[tuple[str, str]]

_NONE = timedelta(0)
_MICROSECOND = timedelta(microseconds=1)
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
        order: The order of the list. ``random`` is another one for each request, ``shuffled``
            the same one for all, which has nothing to do with time.
        ties: The order of rows of one instant. Random means anew for each request.
        skips_in_ties: Whether a page that begins within rows of one instant leaves its first
            row out.
        paging: ``offset``: as documented. ``cursor``: ``next`` holds a cursor, an offset is
            ignored. ``hybrid``: ``next`` holds a cursor, but an offset beside it wins.
            ``endless``: position is ignored, ``next`` is always set.
        offset_unit: What an offset counts.
        largest_offset: A greater offset is taken for this one.
        empty_from: Pages at this offset and above are empty, though ``next`` led there.
        longest_list: Rows that a list holds at most; it ends there as if nothing followed.
        longest_range: A request for a wider window is refused with a 400. One that names
            one end only is as wide as what it can list.
        next_page: ``true``: set where there are more rows. ``null``: never set. ``always``:
            set on the last page too, which leads to an empty one.
        next_url: What stands as ``next`` wherever it is set, such as another host's address.
        page_size: Rows a page, whatever limit is asked for.
        short_by: Rows that are left out at the end of a page, with ``next`` set, the first
            time that a question is asked.
        empty_first_time: Whether the first answer to each question is an empty page, as from
            a replica that lags.
        cached_answers: How often a cache in front of the service gives its answer again, for
            each list, whatever is asked.
        cache_heeds_no_cache: Whether a request with ``Cache-Control: no-cache`` passes by it.
        duplicates: A page's first row comes again at its end: the same, with another status,
            or with a time a minute earlier.
        empty: An empty list as ``[]`` or as null.
        list_key: Another name of the list; an empty text leaves the list out.
        meta: As documented, left out, null, or with its numbers as text.
        total_count: Left out; the true count; or a wrong one.
        ignores: Names of a query that are ignored: bounds, filters, the offset.
        lenient_filters: Whether a row that lacks a filter's field passes that filter.
        precision: What time bounds are truncated to: a second, a minute.
        upper_precision: What upper time bounds are truncated to, such as a day.
        gte_is_gt: Whether ``__gte`` leaves out rows of that very instant.
        oddity: What is odd about every listed row: it is a text, it has no key, or nobody can read
            its time. Records that are odd in other ways are given by hand.
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
    order: Literal["newest", "oldest", "random", "shuffled"] = "newest"
    ties: Literal["stable", "random"] = "stable"
    skips_in_ties: bool = False
    paging: Literal["offset", "cursor", "hybrid", "endless"] = "offset"
    offset_unit: Literal["rows", "pages"] = "rows"
    largest_offset: int | None = None
    empty_from: int | None = None
    longest_list: int | None = None
    longest_range: timedelta | None = None
    next_page: Literal["true", "null", "always"] = "true"
    next_url: str | None = None
    page_size: int | None = None
    short_by: int = 0
    empty_first_time: bool = False
    cached_answers: int = 0
    cache_heeds_no_cache: bool = True
    duplicates: Literal["none", "same", "different", "moved"] = "none"
    empty: Literal["list", "null"] = "list"
    list_key: str | None = None
    meta: Literal["full", "missing", "null", "text"] = "full"
    total_count: Literal["absent", "true", "wrong"] = "absent"
    ignores: tuple[str, ...] = ()
    lenient_filters: bool = False
    precision: timedelta = _MICROSECOND
    upper_precision: timedelta = _MICROSECOND
    gte_is_gt: bool = False
    oddity: Literal["none", "not a record", "no key", "unreadable time"] = "none"
    date: bool = True
    date_skew: timedelta = _NONE

    @property
    def changes(self) -> bool:
        """Whether the account changes by being asked."""
        return bool(self.inserts or self.ages or self.settles)

    @property
    def lists_as_documented(self) -> bool:
        """Whether a page is what the documentation says."""
        turned = {knob.name for knob in fields(self) if getattr(self, knob.name) != knob.default}
        return turned <= _BESIDE_THE_LIST


# These change the account, the headers or what a cache says, but not how a list is made.
_BESIDE_THE_LIST = {"inserts", "ages", "settles", "date", "date_skew"}
_BESIDE_THE_LIST |= {"cached_answers", "cache_heeds_no_cache"}


class Lister:
    """Lists an account under a behaviour; remembers what it must from request to request.

    Args:
        account: What is listed.
        behaviour: The knobs.

    Example:
        >>> from plivo_analysis.emulator.account import Account
        >>> lister = Lister(Account.of(), Behaviour(empty="null"))
        >>> lister.page(SESSIONS, [])["sessions"] is None
        True
    """

    def __init__(self, account: Account, behaviour: Behaviour) -> None:
        self._account = account
        self._behaviour = behaviour
        self._random = Random(0)
        self._asked: set[tuple[str, ...]] = set()
        self._as_documented = behaviour.lists_as_documented

    def page(self, listing: Listing, pairs: Pairs) -> dict[str, Any]:
        """A page; then the account changes, if it is to.

        Raises:
            BadRequest: The request is malformed, or its range too wide.
        """
        with self._account.lock:
            if self._as_documented:
                page = list_page(self._account, parse_request(pairs, listing))
            else:
                page = self._departing_page(listing, pairs)
            if self._behaviour.changes:
                self._change_account()
        return page

    def _departing_page(self, listing: Listing, pairs: Pairs) -> dict[str, Any]:
        knobs = self._behaviour
        request = parse_request(pairs, listing, ignored=knobs.ignores, adjust=self._adjusted)
        self._check_range(request)
        index = self._account.records(listing)
        handles = self._ordered(index, self._listed(index, request))[: knobs.longest_list]
        size = knobs.page_size or request.limit
        start = self._start(index, handles, request, pairs, size)
        # What the page says of a next one is decided before rows are taken from it: that is what
        # makes a short page with `next` set, or a gap between two pages.
        stop = start + size
        more = len(handles) > stop
        if knobs.skips_in_ties and _is_within_a_tie(index, handles, start):
            start, stop = start + 1, stop + 1
        chosen = handles[start:stop]
        following = start // size + 1 if knobs.offset_unit == "pages" else stop
        address = self._address(request, chosen, following, more=more)
        is_new = self._is_new(listing, pairs)
        if knobs.empty_first_time and is_new:
            handles, chosen, address = [], [], None
        if knobs.short_by and chosen and is_new:
            address = self._address(request, chosen, following, more=True)
            chosen = chosen[: -knobs.short_by]
        now = to_micros(self._account.now)
        rows = [self._shown(listing, index.record(handle, now)) for handle in chosen]
        return self._meta(request, address, len(handles)) | self._list(listing, rows)

    def _adjusted(self, suffix: str, micros: int) -> int:
        """A time bound as this service understands it."""
        micros -= micros % max(1, self._behaviour.precision // _MICROSECOND)
        if "lt" in suffix:
            micros -= micros % max(1, self._behaviour.upper_precision // _MICROSECOND)
        return micros + (self._behaviour.gte_is_gt and suffix == "__gte")

    def _check_range(self, request: ListRequest) -> None:
        longest = self._behaviour.longest_range
        if longest is None or request.low is request.high is None:
            return
        first, after, _ = self._account.served()
        low = first if request.low is None else request.low
        high = after if request.high is None else request.high
        if high - low > longest // _MICROSECOND:
            name, days = request.listing.time_name, longest // timedelta(days=1)
            raise BadRequest(f"the range of {name} must not exceed {days} days")

    def _listed(self, index: RecordIndex, request: ListRequest) -> list[int]:
        """Handles of the rows that this service has for the request."""
        low, high, now = window(self._account, request)
        lenient = self._behaviour.lenient_filters
        seen_until = now - self._behaviour.late // _MICROSECOND
        # A key's last hexadecimal digit picks the late rows: one in sixteen, and always the same.
        return [
            handle
            for handle in index.find(low, high, {} if lenient else request.filters, now)
            if index.time(handle) <= seen_until or index.key(handle)[-1] != "0"
            if not lenient or matches(index.record(handle, now), request.filters, lenient=True)
        ]

    def _ordered(self, index: RecordIndex, handles: list[int]) -> list[int]:
        order = self._behaviour.order
        # A checksum of the key has nothing to do with time and is the same for every request.
        if order == "random":
            return self._random.sample(handles, len(handles))
        if order == "shuffled":
            return sorted(handles, key=lambda handle: zlib.crc32(index.key(handle).encode()))
        # Sorting is stable, so that rows of one instant stay in the order they were mixed in.
        if self._behaviour.ties == "random":
            mixed = self._random.sample(handles, len(handles))
            handles = sorted(mixed, key=index.time, reverse=True)
        return handles[::-1] if order == "oldest" else handles

    def _start(
        self, index: RecordIndex, handles: list[int], request: ListRequest, pairs: Pairs, size: int
    ) -> int:
        """The position in the list at which the page begins."""
        knobs = self._behaviour
        if knobs.paging == "endless":
            return 0
        if knobs.paging == "offset" or (knobs.paging == "hybrid" and "offset" in dict(pairs)):
            offset = request.offset
            if knobs.largest_offset is not None:
                offset = min(offset, knobs.largest_offset)
            if knobs.empty_from is not None and offset >= knobs.empty_from:
                return len(handles)
            return offset * size if knobs.offset_unit == "pages" else offset
        last = _read_cursor(request.cursor)
        if last is None:
            return 0
        if last in handles:  # the row that ended the page before is where this one goes on
            return handles.index(last) + 1
        # Its row has gone since: go on behind the rows that are as new as it was.
        gone = index.time(last)
        return sum(index.time(handle) >= gone for handle in handles)

    def _address(
        self, request: ListRequest, chosen: list[int], following: int, *, more: bool
    ) -> str | None:
        knobs = self._behaviour
        always = knobs.paging == "endless" or knobs.next_page == "always"
        if not chosen or knobs.next_page == "null" or not (more or always):
            return None
        if knobs.next_url is not None:
            return knobs.next_url
        if knobs.paging in ("cursor", "hybrid"):
            cursor = base64.urlsafe_b64encode(f"after {chosen[-1]}".encode()).decode()
            return page_address(self._account, request, cursor=cursor)
        return page_address(self._account, request, offset=following)

    def _is_new(self, listing: Listing, pairs: Pairs) -> bool:
        # By what was asked and in any order: a client that asks again asks the same question.
        question = (listing.path, *sorted(f"{name}={value}" for name, value in pairs))
        is_new = question not in self._asked
        self._asked.add(question)
        return is_new

    def _shown(self, listing: Listing, record: dict[str, Any]) -> Any:
        shown, oddity = dict(visible(record)), self._behaviour.oddity
        if oddity == "no key":
            shown.pop(listing.key, None)
        if oddity == "unreadable time":
            shown[listing.time_field] = "soon"
        return str(shown) if oddity == "not a record" else shown

    def _meta(self, request: ListRequest, address: str | None, total: int) -> dict[str, Any]:
        knobs = self._behaviour
        if knobs.meta == "missing":
            return {}
        if knobs.meta == "null":
            return {"meta": None}
        shown = {**meta(self._account, request, None), "next": address}
        if knobs.meta == "text":
            shown |= {"limit": str(request.limit), "offset": str(request.offset)}
        if knobs.total_count != "absent":
            shown["total_count"] = total if knobs.total_count == "true" else total + 7
        return {"meta": shown}

    def _list(self, listing: Listing, rows: list[Any]) -> dict[str, Any]:
        knobs = self._behaviour
        if rows and isinstance(rows[0], dict) and knobs.duplicates != "none":
            again = dict(rows[0])
            if knobs.duplicates == "different":
                again["status"] = EXPIRED if again.get("status") == VERIFIED else VERIFIED
            if knobs.duplicates == "moved":
                time = read_time(again.get(listing.time_field)) or 0
                again[listing.time_field] = write_time(time - MINUTE)
            rows = [*rows, again]
        key = listing.list_key if knobs.list_key is None else knobs.list_key
        if not key:
            return {}
        return {key: rows if rows or knobs.empty == "list" else None}

    def _change_account(self) -> None:
        # The page is made by now: its `next` leads into a list that has moved on meanwhile.
        account, knobs = self._account, self._behaviour
        low, high, now = account.served()
        index = account.records(SESSIONS)
        for handle in index.find(low, high, {"status": IN_PROGRESS}, now, count=knobs.settles):
            account.replace({**index.record(handle, now), "status": VERIFIED})
        for _ in range(knobs.inserts):
            account.advance(_STEP)
            account.insert(_fresh_session(account, UUID(int=self._random.getrandbits(128))))
        account.advance(knobs.ages)


def _is_within_a_tie(index: RecordIndex, handles: list[int], start: int) -> bool:
    """Whether the row at that position has the time of the row before it."""
    if not 0 < start < len(handles):
        return False
    return index.time(handles[start]) == index.time(handles[start - 1])


def _fresh_session(account: Account, key: UUID) -> dict[str, Any]:
    at = write_time(to_micros(account.now))
    attempt = {"channel": "sms", "attempt_uuid": str(UUID(int=key.int ^ 1))}
    return {
        "session_uuid": str(key),
        "app_uuid": APPLICATIONS[0].app_uuid,
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
    except ValueError:  # a malformed cursor begins at the beginning
        return None
