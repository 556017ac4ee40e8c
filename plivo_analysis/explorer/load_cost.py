"""What a load will cost: how much of the range is stored, and how many requests the rest takes.

The server does not say how many records it has, so the estimate takes the density of what is
stored. Where nothing is, nothing is guessed.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from plivo_analysis.sync.coverage import State, stretches
from plivo_analysis.sync.page import PAGE_ROWS
from plivo_analysis.values.spans import HOUR, Span, merge, subtract, to_us

if TYPE_CHECKING:
    from datetime import datetime

    from plivo_analysis.api.filters import Filter
    from plivo_analysis.api.resources import Resource
    from plivo_analysis.client import Client


@dataclass(frozen=True, slots=True)
class LoadCost:
    """What is known before a load.

    Args:
        hours: Hours of the range.
        stored: How many of them are stored for this question.
        requests: About how many requests the rest takes; None where nothing tells.
        at_most: Whether a filter may make them fewer.
        seconds: How long they take at the limit; None where unknown.
        expired: Parts that are neither stored nor within the API's 90 days.
    """

    hours: int
    stored: int
    requests: int | None
    at_most: bool
    seconds: float | None
    expired: tuple[Span, ...] = ()


def load_cost(
    client: Client, resource: Resource, chosen: Filter, period: tuple[datetime, datetime]
) -> LoadCost:
    """Look at the store; the server is asked nothing.

    Example:
        >>> import plivo_analysis as pva
        >>> from datetime import timedelta
        >>> from plivo_analysis.api.filters import Filter
        >>> from plivo_analysis.api.resources import SESSION_RESOURCE
        >>> with pva.demo(sessions=20) as client:
        ...     day = client.now() - timedelta(hours=24), client.now()
        ...     found = load_cost(client, SESSION_RESOURCE, Filter.of(SESSION_RESOURCE), day)
        >>> found.hours, found.stored, found.requests
        (24, 0, None)
    """
    span = Span(to_us(period[0]), to_us(period[1]))
    entries = client.store.completed_ranges(resource).entries(chosen.scope)
    if chosen.unverifiable:
        entries = [entry for entry in entries if entry.scope == chosen.scope]
    known = merge(entry.span.clip(span) for entry in entries)
    states = stretches(client, resource, span)
    expired = [part.span for part in states if part.state is State.EXPIRED]
    live = sum(part.span.length for part in states if part.state is State.LIVE)
    lost = merge(part for out in expired for part in subtract(out, known))
    length = sum(part.length for part in known)
    to_read = span.length - length - sum(part.length for part in lost)
    requests = _requests(client, resource, span, to_read, live=bool(live))
    limiter = client.limiter.of(resource.path)
    return LoadCost(
        hours=ceil(span.length / HOUR),
        stored=round(length / HOUR) if to_read > live else ceil((length + live) / HOUR),
        requests=requests,
        at_most=bool(chosen.scope),
        seconds=None if requests is None else limiter.wait_estimate(requests),
        expired=tuple(lost),
    )


def _requests(
    client: Client, resource: Resource, span: Span, to_read: int, *, live: bool
) -> int | None:
    records = client.store.records(resource)
    unfinished = len(records.not_final(span))
    again = ceil(unfinished / PAGE_ROWS) + 2 * live  # what is open, the tail, the hour before
    if to_read <= 0:
        return again
    whole = [entry.span for entry in client.store.completed_ranges(resource).entries("")]
    near = merge(part.clip(span) for part in whole) or merge(whole)
    length = sum(part.length for part in near)
    if length < HOUR:
        return None
    density = sum(records.count(part) for part in near) / length
    return again + ceil(density * to_read / PAGE_ROWS)
