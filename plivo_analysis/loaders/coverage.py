"""What is stored of a range: how completely, and what was odd about it. No request is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plivo_analysis.api.checks import checked_word
from plivo_analysis.api.resources import RESOURCES
from plivo_analysis.api.times import parse_range
from plivo_analysis.loaders.answer import account
from plivo_analysis.metrics.certainty import set_aside_flag
from plivo_analysis.parsing.oddities import Code
from plivo_analysis.sync.completeness import stretches
from plivo_analysis.tables.convert import from_rows, to_backend
from plivo_analysis.values.spans import Span, from_us, to_us
from plivo_analysis.values.table_types import Column, Kind, Table

if TYPE_CHECKING:
    from plivo_analysis.api.resources import Resource
    from plivo_analysis.client import Client
    from plivo_analysis.loaders.answer import Instant

COVERAGE = Table(
    name="coverage",
    row="A part of a range of time in one state.",
    key=("start", "filters"),
    columns=(
        Column("start", Kind.TIME, "Where the part begins.", unit="UTC", nullable=False),
        Column("end", Kind.TIME, "Where it ends, not included.", unit="UTC", nullable=False),
        Column("state", Kind.TEXT, "complete, live, missing or expired.", nullable=False),
        Column("rows", Kind.COUNT, "Records kept.", unit="records", nullable=False),
        Column("open", Kind.COUNT, "How many may still change.", unit="records", nullable=False),
        Column("read_at", Kind.TIME, "When it was read.", unit="UTC"),
        Column("filters", Kind.TEXT, "What it was read with; empty for everything."),
        Column("flags", Kind.TEXT, "What was out of the ordinary, such as 2 set aside."),
    ),
)

ISSUES = Table(
    name="issues",
    row="Something odd about one record.",
    key=("key", "code", "path"),
    columns=(
        Column("key", Kind.TEXT, "The record's uuid, or a hash of it.", nullable=False),
        Column("instant", Kind.TIME, "When the record began.", unit="UTC"),
        Column("code", Kind.TEXT, "What was odd.", nullable=False),
        Column("meaning", Kind.TEXT, "The same in words.", nullable=False),
        Column("path", Kind.TEXT, "The field.", nullable=False),
        Column("value", Kind.TEXT, "What was there, numbers masked.", nullable=False),
        Column("set_aside", Kind.FLAG, "Whether the record is in no table.", nullable=False),
        Column("read_at", Kind.TIME, "When it was read.", unit="UTC", nullable=False),
    ),
)


def coverage(
    resource: str = "sessions",
    *,
    since: Instant = None,
    until: Instant = None,
    client: Client | None = None,
) -> Any:
    """How completely a range is stored. No request is sent.

    Args:
        resource: ``"sessions"`` or ``"messages"``.
        since: As in :func:`load_sessions`.
        until: As in :func:`load_sessions`.
        client: The account; by default the environment's.

    Returns:
        One row a part of the range, in order, in the client's backend: ``start``, ``end``,
        ``state`` (``complete``, ``live``: too young to be called complete, ``missing``,
        ``expired``: not kept and older than the API goes back), ``rows`` kept, ``open`` (how
        many of them may still change), ``read_at``, ``filters`` (what it was read with,
        empty for everything) and ``flags``, among them how many records were set aside (those
        without a time in the first part).

    Raises:
        FilterError: An argument is wrong.

    Example:
        >>> import plivo_analysis as pva
        >>> client = pva.demo(sessions=50)
        >>> sessions = pva.load_sessions(since="7d", client=client)
        >>> pva.coverage(since="7d", client=client)["state"].to_list()
        ['complete', 'live']
    """
    client, declared, span = _checked(resource, since, until, client)
    records = client.store.records(declared)
    noted = {note["key"]: note["instant"] for note in records.notes(span) if note["set_aside"]}
    aside = [span.start if instant is None else instant for instant in noted.values()]
    rows = []
    for part in stretches(client, declared, span):
        # Parts that were read with a filter overlap the others, in which each record counts once.
        lacking = 0 if part.scope else sum(instant in part.span for instant in aside)
        start, end = part.span.datetimes()
        rows.append(
            {
                "start": start,
                "end": end,
                "state": part.state.value,
                "rows": records.count(part.span),
                "open": len(records.not_final(part.span)),
                "read_at": None if part.read_at is None else from_us(part.read_at),
                "filters": part.filters,
                "flags": ", ".join([*part.flags, *([set_aside_flag(lacking)] if lacking else [])]),
            }
        )
    return to_backend(from_rows(rows, COVERAGE), client.backend)


def issues(
    resource: str = "sessions",
    *,
    since: Instant = None,
    until: Instant = None,
    client: Client | None = None,
) -> Any:
    """What was odd about the records of a range. No request is sent.

    Nothing is dropped: a field that cannot be read is null and listed here, and a
    record that cannot be analysed is set aside and listed here.

    Args:
        resource: ``"sessions"`` or ``"messages"``.
        since: As in :func:`load_sessions`.
        until: As in :func:`load_sessions`.
        client: The account; by default the environment's.

    Returns:
        One row an oddity, in the client's backend: ``key`` (the record's uuid), ``instant``,
        ``code``, ``meaning``, ``path`` (the field), ``value`` (masked), ``set_aside`` and
        ``read_at``. Records set aside without a time are listed for every range.

    Raises:
        FilterError: An argument is wrong.

    Example:
        >>> import plivo_analysis as pva
        >>> client = pva.demo(sessions=50)
        >>> sessions = pva.load_sessions(since="7d", client=client)
        >>> pva.issues(since="7d", client=client).columns[:3]
        ['key', 'instant', 'code']
    """
    client, declared, span = _checked(resource, since, until, client)
    rows = [
        {
            # Notes are stored with a code; its meaning is of this release.
            **note,
            "instant": None if note["instant"] is None else from_us(note["instant"]),
            "meaning": Code.__members__[note["code"].upper()].meaning,
            "read_at": from_us(note["read_at"]),
        }
        for note in client.store.records(declared).notes(span)
    ]
    return to_backend(from_rows(rows, ISSUES), client.backend)


def _checked(
    resource: str, since: Instant, until: Instant, client: Client | None
) -> tuple[Client, Resource, Span]:
    declared = RESOURCES[checked_word("resource", resource, tuple(RESOURCES))]
    client = account(client)
    start, end = parse_range(since, until, now=client.now())
    return client, declared, Span(to_us(start), to_us(end))
