"""Refresh: read again what may have changed since it was read, and nothing else.

A session is not final while it is in progress, or while its price is yet to come. One listing
of what is open tells which are unchanged; only those that are gone from it are read again, in
ranges or one by one, whichever takes fewer requests. Where the server does not keep to the
listing's filter, what its pages did not hold is read again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plivo_analysis.errors import ResourceNotFoundError
from plivo_analysis.sync.steps import PAGE_ROWS
from plivo_analysis.values.spans import MINUTE, Span

if TYPE_CHECKING:
    from collections.abc import Mapping

    from plivo_analysis.api.filters import Filter
    from plivo_analysis.sync.reader import Reader


def refresh(reader: Reader, span: Span, *, lasting: Filter, known: int) -> list[Span]:
    """Read again what of a range is not final.

    Args:
        reader: Reads without a filter: a record that left the filter is read all the same.
        span: The part of the range asked for that the server still holds.
        lasting: Which records were asked for, without what may change for a record.
        known: The last page of earlier pulls; rows read since are fresh enough.

    Returns:
        What could not be read whole.
    """
    archive = reader.client.store.records(reader.resource)
    stale = {
        key: state
        for key, state in archive.not_final(span).items()
        if state.page <= known and _asked_for(archive.row(key), lasting)
    }
    if not stale:
        return []
    instants = [state.instant for state in stale.values()]
    around = Span(min(instants), max(instants) + 1).outward(MINUTE)
    is_open = any(state.open for state in stale.values())
    seen = reader.list_open(around)[0] if is_open else frozenset()
    return _read_again(
        reader, {key: state.instant for key, state in stale.items() if key not in seen}
    )


def _asked_for(row: Mapping[str, Any] | None, lasting: Filter) -> bool:
    return row is not None and lasting.matches(row) is not False


def _read_again(reader: Reader, gone: Mapping[str, int]) -> list[Span]:
    """Read the rows that are gone, in ranges or one by one."""
    ranges = _ranges(reader, sorted(gone.values()))
    if len(ranges) < len(gone):
        return [gap for span in ranges for gap in reader.read(span, settled=False).missing]
    for key in gone:
        try:
            reader.get(key)
        except ResourceNotFoundError:
            reader.flags.add("gone")  # listed once and now unknown: what was read is kept
    return []


def _ranges(reader: Reader, instants: list[int]) -> list[Span]:
    """Ranges of whole minutes around instants, each of about a page's rows."""
    archive = reader.client.store.records(reader.resource)
    ranges: list[Span] = []
    for instant in instants:
        minute = Span(instant, instant + 1).outward(MINUTE)
        longer = Span(ranges[-1].start, minute.end) if ranges else minute
        if ranges and archive.count(longer) < PAGE_ROWS:
            ranges[-1] = longer
        elif not ranges or minute.end > ranges[-1].end:
            ranges.append(minute)
    return ranges
