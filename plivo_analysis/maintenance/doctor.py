"""The doctor: about ten requests that find out what only a live account can tell.

How fine its time filter is, how long a range and a page it lists, in which order, whether that
holds at a deep offset, what it calls the next page, which filters it keeps to. None of it is
documented with certainty. Pulls cope with all of it, but knowing beforehand saves requests: what
is found is remembered in the server's profile. No record that is read here is kept or shown.

``limit_probe`` finds out what only a refusal can tell, and only when asked to. When a price
appears can only be watched: the doctor says what was seen of it.
"""

from __future__ import annotations

from http import HTTPStatus
from itertools import chain
from typing import TYPE_CHECKING

from plivo_analysis.api.resources import MESSAGE_RESOURCE, SESSION_RESOURCE
from plivo_analysis.errors import APIError, BadResponseError
from plivo_analysis.maintenance.limit_probe import (
    RETRY_AFTER,
    SCOPE,
    UNKNOWN,
    Finding,
    meet_limit,
)
from plivo_analysis.parsing.pages import read_page
from plivo_analysis.sync.page_request import PAGE_ROWS, PageRequest
from plivo_analysis.sync.paginator import LONGEST_RANGE
from plivo_analysis.sync.reader import RETENTION, seen
from plivo_analysis.sync.sampling import NotAListError, Sampling
from plivo_analysis.sync.server_profile import ServerProfile
from plivo_analysis.values.spans import DAY, EVER, MINUTE, SECOND, Span, ceil, to_us
from plivo_analysis.values.typesetting import plural

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from plivo_analysis.api.resources import Resource
    from plivo_analysis.client import Client
    from plivo_analysis.parsing.pages import Page

_DEPTH = 4  # a deep offset lies after this part of the rows that there may be
_KEPT_TO, _NOT_KEPT_TO, _ENDS = "kept to", "not kept to", "the list ends"
_NOT_ASKED = "not asked: --limits finds out, by spending a minute's requests"

_RESOLUTIONS = {"microseconds": 1, "seconds": SECOND, "minutes": MINUTE}
# Values that no account has: a server that lists records all the same does not filter.
_IMPROBABLE = {
    "brand_name": "no such brand",
    "app_hash": "no-such-hash",
    "alias": "no such alias",
    "country": "ZZ",
}


def examine(client: Client, *, limits: bool = False) -> Iterator[Finding]:
    """Find out what only a live account can tell, and remember it.

    It takes about ten requests, within the rate limit, and about as many again where the list
    ends early, to tell whether it ends or is cut. With ``limits`` it also spends a minute's
    requests, and some more, until the server refuses one: see :mod:`.limit_probe`.

    Args:
        client: The account.
        limits: Whether to meet the limit on purpose.

    Yields:
        Each finding as soon as it is made.

    Raises:
        PlivoAnalysisError: The server could not be asked, or refused the first request.

    Example:
        >>> import plivo_analysis as pva
        >>> with pva.demo(sessions=200) as client:
        ...     found = {finding.name: finding.answer for finding in examine(client)}
        >>> found["order"], found["precision of times"], found["filter brand_name"]
        ('newest first', 'microseconds', 'kept to')
    """
    store = client.store
    for finding in chain(_Examination(client).findings(), meet_limit(client) if limits else ()):
        store.learn(f"doctor {finding.name}", finding.answer)
        yield finding
    if not limits:
        for name in (RETRY_AFTER, SCOPE):
            yield Finding(name, store.fact(f"doctor {name}") or _NOT_ASKED)


class _Examination:
    def __init__(self, client: Client) -> None:
        self._client = client
        now = to_us(client.now())
        # A day short of what the API keeps: its oldest records could leave the list meanwhile.
        self._span = Span(ceil(now - RETENTION + DAY, MINUTE), ceil(now, MINUTE) + MINUTE)
        self._date: datetime | None = None

    def findings(self) -> Iterator[Finding]:
        first, longest = self._first_page()
        yield Finding("clock of the server", self._skew())
        yield Finding("longest range", longest)
        order = _order(_instants(first))
        yield Finding("order", order)
        if order != UNKNOWN:
            self._learn("order", "newest first" if order == "newest first" else "unordered")
        yield Finding("next page", _next_page(first))
        yield from self._offsets(first)
        precision = self._precision(first)
        yield Finding("precision of times", precision)
        if precision in _RESOLUTIONS:
            self._learn("resolution", str(_RESOLUTIONS[precision]))
        for name, value in _IMPROBABLE.items():
            yield Finding(f"filter {name}", self._filter(first, name, value))
        yield Finding("prices", self._prices(first))
        yield Finding("prices in the store", self._prices_stored())
        yield Finding("messages", self._messages())

    def _ask(self, resource: Resource, request: PageRequest, **filters: str) -> Page:
        answer = self._client.transport.get(
            resource.path,
            request.query(resource, filters),
            read=lambda body: read_page(body, resource, self._client.auth_id),
        )
        self._date = answer.date
        return answer.value

    def _learn(self, what: str, value: str) -> None:
        profile = ServerProfile(self._client.store, SESSION_RESOURCE.name)
        profile.keep(what, value, to_us(self._client.now()))

    def _skew(self) -> str:
        if self._date is None:
            return "no Date header"
        seconds = (self._date - self._client.clock.now()).total_seconds()
        self._client.hear(self._date)
        return f"{seconds:+.0f} s from this computer's"

    def _first_page(self) -> tuple[Page, str]:
        """The newest records, and how long a range the server lists."""
        try:
            page = self._ask(SESSION_RESOURCE, PageRequest(self._span))
        except APIError as error:
            if error.status_code != HTTPStatus.BAD_REQUEST:
                raise
        else:
            return page, f"{self._span.length // DAY} days or more"
        self._span = Span(self._span.end - LONGEST_RANGE, self._span.end)
        page = self._ask(SESSION_RESOURCE, PageRequest(self._span))
        self._learn("range", str(LONGEST_RANGE))
        return page, f"{LONGEST_RANGE // DAY} days: a longer one is refused"

    def _offsets(self, first: Page) -> Iterator[Finding]:
        """Whether an offset leads to that row, where a page ends, and whether that holds deep."""
        offset = length = deep = UNKNOWN
        # From the middle of a page on, so that its second half has to come again.
        half = first.received // 2
        if half:
            second = self._ask(SESSION_RESOURCE, PageRequest(self._span, half))
            offset = _offset(first, second)
            others_follow = {r.key for r in second.records} - {r.key for r in first.records}
            if first.received >= PAGE_ROWS or others_follow:
                # A page that is full, or that others follow: so many rows does a page hold.
                length = f"{first.received} of the {PAGE_ROWS} rows asked for"
                # The longest page, and how long one is that another follows.
                self._learn("page", f"{first.received} {first.received}")
            if offset == _KEPT_TO:
                deep = self._deep_offset(first)
        yield Finding("offset", offset)
        yield Finding("deep offset", deep)
        yield Finding("page length", length)
        reason = offset if deep == UNKNOWN else deep
        is_list = deep.startswith((_KEPT_TO, _ENDS))
        windows = f"by windows of time, which takes more requests: {reason}"
        yield Finding("estimates", UNKNOWN if not half else "by pages" if is_list else windows)

    def _deep_offset(self, first: Page) -> str:
        """Whether a row far down is where its offset says: what estimates from pages need.

        Where nothing is that far down, it finds out whether the list ends there or is cut.
        """
        instants = _instants(first)
        passed = max(instants) - min(instants) if instants else 0
        # As many as there would be if the whole range were as dense as its newest page.
        rows = len(instants) * self._span.length // max(passed, 1)
        position = max(2, rows // PAGE_ROWS // _DEPTH)
        listing = Sampling(self._span)
        try:
            listing.receive(PageRequest(self._span), seen(first))
            request = listing.page(position)
            deep = self._sampled(listing, request)
            if not deep.records:
                while (following := listing.request()) is not None:
                    self._sampled(listing, following)
                return f"{_ENDS} after {plural(listing.rows_low, 'record')}, and none is older"
            half = deep.received // 2
            below = self._ask(SESSION_RESOURCE, PageRequest(self._span, request.offset + half))
        except NotAListError as reason:
            return f"{_NOT_KEPT_TO}: {reason}"
        except (APIError, BadResponseError):
            return f"refused at {PAGE_ROWS * position:,}"
        if half and _offset(deep, below) != _KEPT_TO:
            return f"{_NOT_KEPT_TO} at {request.offset:,}: rows come again, or others come"
        return f"{_KEPT_TO} at {request.offset:,}, in the order of time"

    def _sampled(self, listing: Sampling, request: PageRequest) -> Page:
        page = self._ask(SESSION_RESOURCE, request)
        listing.receive(request, seen(page))
        return page

    def _precision(self, first: Page) -> str:
        """Ask from just after a record, ever later, until it is not listed any more."""
        # A fraction tells microseconds from seconds, a minute not yet over seconds from minutes.
        telling = [
            (record.key, record.instant)
            for record in first.records
            if record.instant and record.instant % SECOND and ceil(record.instant, SECOND) % MINUTE
        ]
        if not telling:
            return UNKNOWN
        key, instant = telling[0]
        end = ceil(instant, MINUTE) + MINUTE
        for name, start in (("microseconds", instant + 1), ("seconds", ceil(instant, SECOND))):
            page = self._ask(SESSION_RESOURCE, PageRequest(Span(start, end)))
            if page.received >= PAGE_ROWS:
                return UNKNOWN
            if all(record.key != key for record in page.records):
                return name
        return "minutes"

    def _filter(self, first: Page, name: str, value: str) -> str:
        if not first.records:
            return UNKNOWN
        try:
            page = self._ask(SESSION_RESOURCE, PageRequest(self._span), **{name: value})
        except (APIError, BadResponseError):
            return "refused"
        return "ignored" if page.records else "kept to"

    def _prices(self, first: Page) -> str:
        """How young a settled session was whose price was there, among the newest."""
        now = to_us(self._client.now())
        # An open session is not billed yet, so that its missing price says nothing.
        settled = [
            (now - record.instant, record.row[SESSION_RESOURCE.amount])
            for record in first.records
            if record.row is not None
            and record.instant is not None
            and not SESSION_RESOURCE.is_open(record.row)
        ]
        priced = [age for age, amount in settled if amount is not None]
        if not settled:
            return UNKNOWN
        youngest = f", the youngest {min(priced) // SECOND:,} s old" if priced else ""
        return f"{len(priced)} of {len(settled)} settled sessions have one{youngest}"

    def _prices_stored(self) -> str:
        """How long kept sessions have waited for a price: the API does not say when one comes."""
        records, now = self._client.store.records(SESSION_RESOURCE), to_us(self._client.now())
        kept = records.count(EVER)
        if not kept:
            return f"{UNKNOWN}: none is kept; when a price comes can only be watched"
        changing = records.not_final(EVER).values()
        # What is settled and not final yet lacks nothing but its price.
        waiting = [now - state.instant for state in changing if not state.open]
        oldest = f", the oldest for {max(waiting) // MINUTE:,} min" if waiting else ""
        return f"{len(waiting):,} of {kept:,} kept sessions wait for one{oldest}"

    def _messages(self) -> str:
        try:
            page = self._ask(MESSAGE_RESOURCE, PageRequest(self._span))
        except (APIError, BadResponseError) as error:
            return f"refused ({type(error).__name__})"
        return f"listed, {_order(_instants(page))}" if page.records else "none"


def _instants(page: Page) -> list[int]:
    return [record.instant for record in page.records if record.instant is not None]


def _order(instants: list[int]) -> str:
    """In which order instants stand.

    Example:
        >>> _order([2, 1]), _order([1, 2, 1])
        ('newest first', 'no order')
    """
    if len(set(instants)) <= 1:
        return UNKNOWN
    if instants == sorted(instants, reverse=True):
        return "newest first"
    return "oldest first" if instants == sorted(instants) else "no order"


def _offset(page: Page, below: Page) -> str:
    """Whether the page that was asked for from the middle of another one on begins there."""
    half = page.received // 2
    keys, shifted = ([record.key for record in of.records] for of in (page, below))
    if keys == shifted:
        return "ignored"
    # A row or two may have come in above, or settled out of a list that is filtered.
    lacking = set(keys[half:]) - set(shifted)
    if len(lacking) <= half // 2:
        return _KEPT_TO
    return "counts pages, or the list has another order each time"


def _next_page(first: Page) -> str:
    if first.next_cursor is not None:
        return "cursor" if first.next_offset is None else "cursor and offset"
    if first.next_offset is not None:
        return "offset"
    if first.has_next:
        return "neither offset nor cursor"
    return UNKNOWN if first.received < PAGE_ROWS else "null, though more may follow"
