"""The doctor: about nine requests that find out what only a live account can tell.

How fine its time filter is, in which order it lists, what it calls the next page, which
filters it keeps to. None of it is documented with certainty, and the walk copes with all of
it; knowing beforehand saves requests. What is found is remembered for the account, and the
walk begins with it. Nothing that is read here is kept, and no record is shown.

What only a refusal could tell, ``limits`` finds out, and only when asked to: the scope of the
limit, and how long a refusal asks to wait. When a price appears can only be watched, so what
was seen of it is told and no more.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from plivo_analysis.api.resources import MESSAGE_RESOURCE, SESSION_RESOURCE
from plivo_analysis.api.times import api_time
from plivo_analysis.errors import APIError, BadResponseError
from plivo_analysis.maintenance.finding import UNKNOWN, Finding
from plivo_analysis.maintenance.limit_probe import RETRY_AFTER, SCOPE, meet_limit
from plivo_analysis.parsing.pages import READERS, read_page
from plivo_analysis.sync.reader import RETENTION
from plivo_analysis.sync.steps import PAGE_ROWS
from plivo_analysis.values.spans import DAY, EVER, MINUTE, SECOND, Span, ceil, floor, to_us

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from plivo_analysis.api.resources import Resource
    from plivo_analysis.client import Client
    from plivo_analysis.parsing.pages import Page

_NOT_ASKED = "not asked: --limits finds out, by spending a minute's requests"

_GRIDS = {"microseconds": 1, "seconds": SECOND, "minutes": MINUTE}
# Values that no account has: a server that lists records all the same does not filter.
_IMPROBABLE = {
    "brand_name": "no such brand",
    "app_hash": "no-such-hash",
    "alias": "no such alias",
    "country": "ZZ",
}


def examine(client: Client, *, limits: bool = False) -> Iterator[Finding]:
    """Find out what only a live account can tell, and remember it.

    It takes about nine requests, at the pace of every other. With ``limits`` it also spends a
    minute's requests, and some more, until the server refuses one: see :mod:`.limits`.

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
        self._span = Span(ceil(now - RETENTION + DAY, MINUTE), ceil(now, MINUTE) + MINUTE)
        self._date: datetime | None = None

    def findings(self) -> Iterator[Finding]:
        first = self._ask(SESSION_RESOURCE, self._span)
        yield Finding("clock of the server", self._skew())
        order = _order(_instants(first))
        yield Finding("order", order)
        if order != UNKNOWN:
            self._learn("order", "newest first" if order == "newest first" else "unordered")
        yield Finding("next page", _next_page(first))
        yield Finding("offset", self._offset(first))
        precision = self._precision(first)
        yield Finding("precision of times", precision)
        if precision in _GRIDS:
            self._learn("grid", str(_GRIDS[precision]))
        for name, value in _IMPROBABLE.items():
            yield Finding(f"filter {name}", self._filter(first, name, value))
        yield Finding("prices", self._prices(first))
        yield Finding("prices in the store", self._prices_stored())
        yield Finding("messages", self._messages())

    def _ask(
        self, resource: Resource, span: Span, offset: int = 0, more: Mapping[str, str] | None = None
    ) -> Page:
        start, end = span.datetimes()
        answer = self._client.transport.get(
            resource.path,
            {
                f"{resource.time_parameter}__gte": api_time(start),
                f"{resource.time_parameter}__lt": api_time(end),
                "limit": str(PAGE_ROWS),
                "offset": str(offset),
                **(more or {}),
            },
            read=lambda body: read_page(
                body,
                list_key=resource.list_key,
                read=READERS[resource.name],
                expected_path=f"/v1/Account/{self._client.auth_id}/{resource.path}",
            ),
        )
        self._date = answer.date
        return answer.value

    def _learn(self, what: str, value: str) -> None:
        self._client.store.learn(f"{SESSION_RESOURCE.name} {what}", value)

    def _skew(self) -> str:
        if self._date is None:
            return "no Date header"
        seconds = (self._date - self._client.clock.now()).total_seconds()
        self._client.hear(self._date)
        return f"{seconds:+.0f} s from this computer's"

    def _offset(self, first: Page) -> str:
        """Whether an offset leads to other records than none."""
        if first.received < PAGE_ROWS:
            return UNKNOWN
        second = self._ask(SESSION_RESOURCE, self._span, offset=PAGE_ROWS)
        if not second.records:
            return UNKNOWN
        again = {record.key for record in first.records} & {record.key for record in second.records}
        return "ignored" if len(again) > PAGE_ROWS // 2 else "kept to"

    def _precision(self, first: Page) -> str:
        """Ask from just after a record, ever later, until it is not listed any more."""
        for record in first.records:
            instant = 0 if record.instant is None else to_us(record.instant)
            second = floor(instant, SECOND) + SECOND
            # A fraction tells microseconds from seconds, a minute not yet over seconds from
            # minutes.
            if instant % SECOND and second % MINUTE:
                break
        else:
            return UNKNOWN
        end = ceil(instant, MINUTE) + MINUTE
        for name, start in (("microseconds", instant + 1), ("seconds", second)):
            page = self._ask(SESSION_RESOURCE, Span(start, end))
            if page.received >= PAGE_ROWS:
                return UNKNOWN
            if all(other.key != record.key for other in page.records):
                return name
        return "minutes"

    def _filter(self, first: Page, name: str, value: str) -> str:
        if not first.records:
            return UNKNOWN
        try:
            page = self._ask(SESSION_RESOURCE, self._span, more={name: value})
        except (APIError, BadResponseError):
            return "refused"
        return "ignored" if page.records else "kept to"

    def _prices(self, first: Page) -> str:
        """How young a settled session was whose price was there, among the newest."""
        now = to_us(self._client.now())
        settled = [
            (now - to_us(record.instant), record.row[SESSION_RESOURCE.amount])
            for record in first.records
            if record.row is not None
            and record.instant is not None
            and not SESSION_RESOURCE.is_open(record.row)
        ]
        priced = [age for age, amount in settled if amount is not None]
        if not settled:
            return UNKNOWN
        without = len(settled) - len(priced)
        youngest = f", the youngest {min(priced) // SECOND:,} s old" if priced else ""
        return f"{len(priced)} of {without + len(priced)} settled sessions have one{youngest}"

    def _prices_stored(self) -> str:
        """What was seen of prices so far: nobody can be asked when they come."""
        records, now = self._client.store.records(SESSION_RESOURCE), to_us(self._client.now())
        kept = records.count(EVER)
        if not kept:
            return f"{UNKNOWN}: none is kept; when a price comes can only be watched"
        changing = records.not_final(EVER).values()
        waiting = [now - state.instant for state in changing if not state.open]
        oldest = f", the oldest for {max(waiting) // MINUTE:,} min" if waiting else ""
        return f"{len(waiting):,} of {kept:,} kept sessions wait for one{oldest}"

    def _messages(self) -> str:
        try:
            page = self._ask(MESSAGE_RESOURCE, self._span)
        except (APIError, BadResponseError) as error:
            return f"refused ({type(error).__name__})"
        return f"listed, {_order(_instants(page))}" if page.records else "none"


def _instants(page: Page) -> list[datetime]:
    return [record.instant for record in page.records if record.instant is not None]


def _order(instants: list[datetime]) -> str:
    """In which order instants stand.

    Example:
        >>> from plivo_analysis.values.spans import from_us
        >>> _order([from_us(2), from_us(1)]), _order([from_us(1), from_us(2), from_us(1)])
        ('newest first', 'no order')
    """
    if len(set(instants)) <= 1:
        return UNKNOWN
    if instants == sorted(instants, reverse=True):
        return "newest first"
    return "oldest first" if instants == sorted(instants) else "no order"


def _next_page(first: Page) -> str:
    if first.next_cursor is not None:
        return "cursor" if first.next_offset is None else "cursor and offset"
    if first.next_offset is not None:
        return "offset"
    if first.has_next:
        return "neither offset nor cursor"
    return UNKNOWN if first.received < PAGE_ROWS else "null, though more may follow"
