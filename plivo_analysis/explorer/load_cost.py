"""What is to be loaded, and what that will cost; the server is asked nothing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from plivo_analysis.api.filters import Filter
from plivo_analysis.api.times import parse_range
from plivo_analysis.report.period import Period
from plivo_analysis.sync.completeness import RangeState, stretches
from plivo_analysis.sync.page_request import PAGE_ROWS
from plivo_analysis.sync.pull import Question, answers
from plivo_analysis.values.spans import HOUR, MINUTE, Span, merge, subtract, to_us

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any

    from plivo_analysis.api.resources import Resource
    from plivo_analysis.client import Client

SAMPLE_ROWS = 10_000  # the number of records that an unknown duration is given for

_RANGE = ("since", "until")


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """What is to be loaded.

    Args:
        client: The account.
        resource: What is listed.
        arguments: The loader's arguments: the range and the filters.
    """

    client: Client
    resource: Resource
    arguments: Mapping[str, Any]

    @property
    def filters(self) -> dict[str, Any]:
        """The arguments without the range."""
        return {name: value for name, value in self.arguments.items() if name not in _RANGE}

    @property
    def filter(self) -> Filter:
        """The filter, checked.

        Raises:
            FilterError: An argument is wrong.
        """
        return Filter.of(self.resource, **self.filters)

    def period(self, now: datetime) -> tuple[datetime, datetime]:
        """The range for a given now, no further than that.

        Days to come would be drawn as days without a session, and a whole period before would
        be compared with the part of this one that has passed.
        """
        bounds = self.arguments.get("since"), self.arguments.get("until")
        since, until = parse_range(*bounds, now=now)
        return since, (min(until, now) if since < now else until)

    def question(self) -> Question:
        """What the server will be asked."""
        return Question(self.filter, self.period)

    def span(self) -> Span:
        """The range as of now."""
        since, until = self.period(self.client.now())
        return Span(to_us(since), to_us(until))

    def before(self, span: Span) -> LoadRequest:
        """The same question of the period before a range."""
        period = Period.of(span.datetimes(), ZoneInfo("UTC")).before()
        return replace(self, arguments={**self.filters, "since": period.start, "until": period.end})

    def covered(self, span: Span) -> list[Span]:
        """The parts of a range that were read whole."""
        return merge(part.clip(span) for part in answers(self.client, self.question(), span))


@dataclass(frozen=True, slots=True)
class LoadCost:
    """What is known before a load.

    Args:
        hours: Hours of the range.
        stored: How many of them are stored for this question.
        requests: About how many requests the rest takes; None where nothing is known of it.
        at_most: Whether a filter may make them fewer.
        seconds: How long they take at the rate limit; None where unknown.
        sample_seconds: How long it takes to load ``SAMPLE_ROWS`` records.
        expired: Parts that are neither stored nor within the API's 90 days.
    """

    hours: int
    stored: int
    requests: int | None
    at_most: bool
    seconds: float | None
    sample_seconds: float
    expired: tuple[Span, ...] = ()


def load_cost(request: LoadRequest, span: Span | None = None) -> LoadCost:
    """Estimate what a load costs from the density of what is stored; the server is asked nothing.

    Args:
        request: What would be loaded.
        span: The range; by default the request's as of now.

    Raises:
        FilterError: An argument is wrong.

    Example:
        >>> import plivo_analysis as pva
        >>> from plivo_analysis.api.resources import SESSION_RESOURCE
        >>> with pva.demo(sessions=20) as client:
        ...     cost = load_cost(LoadRequest(client, SESSION_RESOURCE, {"since": "24h"}))
        >>> cost.hours, cost.stored, cost.requests
        (24, 0, None)
    """
    client, resource = request.client, request.resource
    span = span or request.span()
    known = request.covered(span)
    parts = stretches(client, resource, span)
    # The clock goes on between two looks at it: less than a minute at the edge is no gap.
    expired = [p.span for p in parts if p.state is RangeState.EXPIRED and p.span.length >= MINUTE]
    live = sum(part.span.length for part in parts if part.state is RangeState.LIVE)
    out_of_reach = merge(part for gone in expired for part in subtract(gone, known))
    length = sum(part.length for part in known)
    to_read = span.length - length - sum(part.length for part in out_of_reach)
    requests = _requests(request, span, to_read, is_live=bool(live))
    limiter = client.limiter.of(resource.path)
    return LoadCost(
        hours=ceil(span.length / HOUR),
        stored=round(length / HOUR) if to_read > live else ceil((length + live) / HOUR),
        requests=requests,
        at_most=bool(request.filters),
        seconds=None if requests is None else limiter.wait_estimate(requests),
        sample_seconds=limiter.wait_estimate(SAMPLE_ROWS // PAGE_ROWS),
        expired=tuple(out_of_reach),
    )


def _requests(request: LoadRequest, span: Span, to_read: int, *, is_live: bool) -> int | None:
    store, resource = request.client.store, request.resource
    records = store.records(resource)
    unfinished = len(records.not_final(span))
    # What is open is listed anew, and what is young: the live tail and the hour before it.
    again = ceil(unfinished / PAGE_ROWS) + 2 * is_live
    if to_read <= 0:
        return again
    # The density of records is taken from what was read without a filter: near the range where
    # there is any, else anywhere.
    whole = [entry.span for entry in store.completed_ranges(resource).entries("")]
    sample = merge(part.clip(span) for part in whole) or merge(whole)
    length = sum(part.length for part in sample)
    if length < HOUR:
        return None
    density = sum(records.count(part) for part in sample) / length
    return again + ceil(density * to_read / PAGE_ROWS)
