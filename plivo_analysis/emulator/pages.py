"""What answers a request: a page of a list, or one record.

They are as the documentation prints them, but for the knobs of ``misbehaviour`` that are turned.
"""

from __future__ import annotations

import base64
import zlib
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode
from uuid import UUID

from plivo_analysis.emulator.listing import SESSIONS, BadRequest, matches, parse_request, visible
from plivo_analysis.emulator.misbehaviour import MICROSECOND, Behaviour
from plivo_analysis.emulator.session_plan import EXPIRED, IN_PROGRESS, VERIFIED
from plivo_analysis.emulator.times import DAY, MINUTE, read_time, to_micros, write_time
from plivo_analysis.emulator.traffic_model import APPLICATIONS, COUNTRIES

if TYPE_CHECKING:
    from collections.abc import Collection

    from plivo_analysis.emulator.account import Account
    from plivo_analysis.emulator.listing import Listing, ListRequest
    from plivo_analysis.emulator.record_index import RecordIndex

    Pairs = list[tuple[str, str]]

DEFAULT_WINDOW = DAY  # "List all sessions": a list without times is of the last day
_STEP = timedelta(milliseconds=1)  # between sessions that begin while the list is read


class Lister:
    """Makes the pages of an account's lists, and remembers what it must between requests.

    A page under a turned knob is made of the whole list, which is slow and plain: order,
    position, cut, then what the page says of itself. Afterwards the account may change, as the
    knobs say.

    Args:
        account: What is listed.
        behaviour: Departures from the documentation.

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
            page = self._page(listing, pairs)
            if self._behaviour.changes:
                self._change_account()
        return page

    def _page(self, listing: Listing, pairs: Pairs) -> dict[str, Any]:
        knobs = self._behaviour
        given = [(name, value) for name, value in pairs if name not in knobs.ignores]
        request = parse_request(given, listing, self._adjusted)
        self._check_range(request)
        index = self._account.records(listing)
        size = knobs.page_size or request.limit
        low, high, now = self._window(request)
        if self._as_documented:
            # A list may be long: only the page is looked up, and one row more, which says whether
            # there is a next page.
            handles = index.find(
                low, high, request.filters, now, skip=request.offset, count=size + 1
            )
            skipped, start = request.offset, 0
        else:
            found = self._listed(index, request, low, high, now)
            handles = self._ordered(index, found)[: knobs.longest_list]
            skipped, start = 0, self._start(index, handles, request, size, dict(given))
        # What the page says of a next one is decided before rows are taken from it: that is what
        # makes a short page with `next` set, or a gap between two pages.
        stop = start + size
        more = len(handles) > stop
        if knobs.skips_in_ties and _is_within_a_tie(index, handles, start):
            start, stop = start + 1, stop + 1
        chosen = handles[start:stop]
        following = start // size + 1 if knobs.offset_unit == "pages" else skipped + stop
        address = self._address(request, chosen, following, more=more)
        if (knobs.empty_first_time or knobs.short_by) and self._is_new(listing, pairs):
            if knobs.empty_first_time:
                handles, chosen, address = [], [], None
            else:
                address = self._address(request, chosen, following, more=True)
                chosen = chosen[: -knobs.short_by]
        rows = [self._shown(listing, index.record(handle, now)) for handle in chosen]
        return self._meta(request, address, len(handles)) | self._list(listing, rows)

    def _adjusted(self, suffix: str, micros: int) -> int:
        """A time bound as this service understands it."""
        micros -= micros % max(1, self._behaviour.precision // MICROSECOND)
        if "lt" in suffix:
            micros -= micros % max(1, self._behaviour.upper_precision // MICROSECOND)
        return micros + (self._behaviour.gte_is_gt and suffix == "__gte")

    def _check_range(self, request: ListRequest) -> None:
        longest = self._behaviour.longest_range
        if longest is None or request.low is request.high is None:
            return
        first, after, _ = self._account.served()
        low = first if request.low is None else request.low
        high = after if request.high is None else request.high
        if high - low > longest // MICROSECOND:
            name, days = request.listing.time_name, longest // timedelta(days=1)
            raise BadRequest(f"the range of {name} must not exceed {days} days")

    def _window(self, request: ListRequest) -> tuple[int, int, int]:
        """The window to answer, in microseconds, and the account's present.

        It ends at the present and begins no earlier than 90 days before it.
        """
        low, high, now = self._account.served()
        if request.low is request.high is None:
            return now - DEFAULT_WINDOW, high, now
        if request.low is not None:
            low = max(low, request.low)
        if request.high is not None:
            high = min(high, request.high)
        return low, high, now

    def _listed(
        self, index: RecordIndex, request: ListRequest, low: int, high: int, now: int
    ) -> list[int]:
        """Handles of the rows that this service has for the request."""
        lenient = self._behaviour.lenient_filters
        seen_until = now - self._behaviour.late // MICROSECOND
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
        self,
        index: RecordIndex,
        handles: list[int],
        request: ListRequest,
        size: int,
        given: Collection[str],
    ) -> int:
        """The position in the list at which the page begins."""
        knobs = self._behaviour
        if knobs.paging == "endless":
            return 0
        if knobs.paging == "offset" or (knobs.paging == "hybrid" and "offset" in given):
            offset = request.offset
            if knobs.largest_offset is not None:
                offset = min(offset, knobs.largest_offset)
            if knobs.empty_from is not None and offset >= knobs.empty_from:
                return len(handles)
            return offset * size if knobs.offset_unit == "pages" else offset
        # A cursor names the row that the page before ended with, by its handle.
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
            return self._address_of(request, "cursor", cursor)
        return self._address_of(request, "offset", following)

    def _address_of(self, request: ListRequest, position: str, value: int | str) -> str:
        """The relative address of another page: the limit, the filters, then its position."""
        # With the filters, as the sample of messages has them; that of sessions had none to repeat.
        names = urlencode([("limit", request.limit), *request.repeated, (position, value)])
        return f"/v1/Account/{self._account.auth_id}/{request.listing.path}?{names}"

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
        # Null at both ends, as in the documentation's samples.
        before = max(0, request.offset - request.limit)
        shown: dict[str, Any] = {
            "limit": request.limit,
            "offset": request.offset,
            "next": address,
            "previous": self._address_of(request, "offset", before) if request.offset else None,
        }
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


def retrieve(account: Account, listing: Listing, key: str) -> dict[str, Any] | None:
    """One record, or ``None`` where there is none or it is older than 90 days.

    A session is spelt as the documentation's page on retrieving one spells it: its status
    begins with a capital and the statuses of its calls are in small letters, while the list
    has them the other way round.

    Example:
        >>> from plivo_analysis.emulator.account import Account
        >>> call = {"channel": "voice", "status": "EARLY MEDIA"}
        >>> session = {"session_uuid": "a", "status": "expired", "attempt_details": [call]}
        >>> found = retrieve(Account.of([session]), SESSIONS, "a")
        >>> found["status"], found["attempt_details"][0]["status"]
        ('Expired', 'early media')
    """
    index = account.records(listing)
    with account.lock:
        low, high, now = account.served()
        handle = index.handle_of(key)
        if handle is None or not (low <= index.time(handle) < high and index.shows(handle, now)):
            return None
        record = visible(index.record(handle, now))
    return _as_retrieved(record) if listing is SESSIONS else record


def _as_retrieved(session: dict[str, Any]) -> dict[str, Any]:
    respelt = dict(session)
    if isinstance(session.get("status"), str):
        respelt["status"] = session["status"].capitalize()
    if isinstance(session.get("attempt_details"), list):
        respelt["attempt_details"] = [
            {**attempt, "status": attempt["status"].lower()}
            if isinstance(attempt, dict) and isinstance(attempt.get("status"), str)
            else attempt
            for attempt in session["attempt_details"]
        ]
    return respelt
