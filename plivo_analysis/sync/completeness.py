"""What is known of a range: which parts are complete, live, missing or out of reach."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from plivo_analysis.sync.reader import RETENTION, SETTLE
from plivo_analysis.values.spans import MINUTE, Span, floor, subtract, to_us

if TYPE_CHECKING:
    from plivo_analysis.api.resources import Resource
    from plivo_analysis.client import Client


class RangeState(StrEnum):
    """How sure the store is of a part.

    Example:
        >>> RangeState.LIVE.value
        'live'
    """

    COMPLETE = "complete"  # read whole; nothing can be added
    LIVE = "live"  # too young to be called complete
    MISSING = "missing"  # not read, or not whole
    EXPIRED = "expired"  # not read, and older than the server goes back


@dataclass(frozen=True, slots=True, order=True)
class Stretch:
    """A part of a range in one state.

    Args:
        span: The part.
        state: How sure the store is of it.
        read_at: When it was read, in microseconds, where it is complete.
        scope: The filter it was read with, as the store keeps it; empty for none.
        flags: What was out of the ordinary.
        filters: The filter with its numbers masked.
    """

    span: Span
    state: RangeState
    read_at: int | None = None
    scope: str = ""
    flags: tuple[str, ...] = ()
    filters: str = ""


def stretches(client: Client, resource: Resource, span: Span) -> list[Stretch]:
    """The parts of a range in order: what was read, with or without a filter, and the rest.

    What was read with a filter only is missing all the same, so that such parts overlap.
    """
    entries = client.store.completed_ranges(resource).entries()
    complete = [
        Stretch(part, RangeState.COMPLETE, entry.read_at, entry.scope, entry.flags, entry.shown)
        for entry in entries
        if (part := entry.span.clip(span)).length
    ]
    now = to_us(client.now())
    edges = [
        (RangeState.EXPIRED, Span(span.start, now - RETENTION)),
        (RangeState.MISSING, Span(now - RETENTION, floor(now - SETTLE, MINUTE))),
        (RangeState.LIVE, Span(floor(now - SETTLE, MINUTE), span.end)),
    ]
    whole = [entry.span for entry in entries if not entry.scope]
    rest = [
        Stretch(part, state) for state, edge in edges for part in subtract(edge.clip(span), whole)
    ]
    return sorted([*complete, *rest], key=lambda stretch: (stretch.span, stretch.scope))
