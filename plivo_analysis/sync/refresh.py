"""Refresh: read again what may have changed since it was read, and nothing else.

A record is final only if it was read after the moment from which it may no longer change. Until
then it is read again by each pull: while it is open, or while its price is yet to come; and once
more when that moment has passed. One listing of what is open tells which are unchanged; only
those that are gone from it are read again, in ranges or one by one, whichever takes fewer
requests. Where the server does not keep to the listing's filter, what its pages did not hold is
read again.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from plivo_analysis.errors import BadResponseError, FilterError, ResourceNotFoundError
from plivo_analysis.parsing.pages import read_one
from plivo_analysis.storage.store import Reading
from plivo_analysis.sync.page_request import PAGE_ROWS
from plivo_analysis.values.spans import MINUTE, Span, to_us

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterable, Mapping

    from plivo_analysis.api.filters import Filter
    from plivo_analysis.api.resources import Resource
    from plivo_analysis.client import Client
    from plivo_analysis.storage.merging import Tally
    from plivo_analysis.storage.records import RecordState
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
    resource, records = reader.resource, reader.client.store.records(reader.resource)
    now = reader.now()
    due: dict[str, RecordState] = {}
    for key, state in records.not_final(span).items():
        if state.page <= known:
            row = records.row(key)
            if (
                row is not None
                and lasting.matches(row) is not False
                # Again now, rather than once it can no longer change?
                and (state.open or row[resource.amount] is None or state.final_at <= now)
            ):
                due[key] = state
    if not due:
        return []
    # One listing tells what is still open; to read each of them again would cost a request each.
    opened = [state.instant for state in due.values() if state.open]
    listed: frozenset[str] = frozenset()
    if opened:
        listed = reader.list_open(Span(min(opened), max(opened) + 1).outward(MINUTE))[0]
    gone = {key: state.instant for key, state in due.items() if key not in listed}
    return _read_again(reader, gone)


def _read_again(reader: Reader, gone: Mapping[str, int]) -> list[Span]:
    """Read records again, in ranges or one by one."""
    records = reader.client.store.records(reader.resource)
    ranges = _ranges(reader, sorted(gone.values()))
    # A page of a range brings one row that the page before had, too.
    requests = sum(1 + records.count(span) // (PAGE_ROWS - 1) for span in ranges)
    if requests < len(gone):
        return [gap for span in ranges for gap in reader.read(span, settled=False).missing]
    for key in gone:
        reader.requests += 1
        with suppress(ResourceNotFoundError):  # listed once and now unknown: what was read is kept
            reader.tally.add(fetch(reader.client, reader.resource, key, cancel=reader.cancel))
    return []


def _ranges(reader: Reader, instants: Iterable[int]) -> list[Span]:
    """Ranges of whole minutes around instants; two are one where less than a page lies between."""
    records = reader.client.store.records(reader.resource)
    ranges: list[Span] = []
    for instant in instants:
        minute = Span(instant, instant + 1).outward(MINUTE)
        if ranges and minute.end <= ranges[-1].end:
            continue
        if ranges and records.count(Span(ranges[-1].end, minute.start)) < PAGE_ROWS:
            ranges[-1] = Span(ranges[-1].start, minute.end)
        else:
            ranges.append(minute)
    return ranges


def read_one_record(client: Client, resource: Resource, key: str) -> dict[str, Any]:
    """One clean row by its key: from the store where it is final, else from the server.

    Raises:
        FilterError: It is of a number that was forgotten.
        ResourceNotFoundError: The account has no such record.
        BadResponseError: The record is not fit for analysis.
    """
    records = client.store.records(resource)
    if not records.is_final(key) and fetch(client, resource, key).forgotten:
        raise FilterError(
            f"The record {key} is of a number that was forgotten (plivo-analysis forget); "
            "nothing of it is kept."
        )
    row = records.row(key)
    if row is None:
        raise BadResponseError(
            f"The record {key} is not fit for analysis; it is set aside. pva.issues() says why."
        )
    return row


def fetch(
    client: Client, resource: Resource, key: str, *, cancel: threading.Event | None = None
) -> Tally:
    """Read one record from the server and keep it.

    Single records have a limit of their own, far above that of listings.

    Raises:
        ResourceNotFoundError: The server has it no more.
    """
    answer = client.transport.get(
        f"{resource.path}{key}/",
        {},
        read=lambda body: (body, read_one(body, resource)),
        cancel=cancel,
        paced=False,
    )
    client.hear(answer.date)
    body, record = answer.value
    return client.store.keep(resource, "", Reading(key, body, [record], to_us(client.now())))
