"""The ledger: which ranges are complete for which question, and where walks stand.

A scope is the canonical text of a filter, empty for none. A range that is complete without a
filter answers every filter, so ``complete`` of a scope includes it. Complete ranges begin
and end on whole minutes.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plivo_analysis.storage.opening import seal
from plivo_analysis.values.spans import HOUR, Span, merge, subtract

if TYPE_CHECKING:
    from plivo_analysis.storage.database import Database


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where an unfinished walk stands.

    Args:
        end: The end of what it has yet to read: whoever goes on finds it by that.
        reached: How far it has come down, in microseconds.
        state: All that it knows, as text.
    """

    end: int
    reached: int
    state: str


@dataclass(frozen=True, slots=True)
class CompletedRange:
    """A complete range as it was read.

    Args:
        span: The range.
        scope: The filter it was read with, empty for none.
        read_at: When, in microseconds.
        flags: What was out of the ordinary.
    """

    span: Span
    scope: str
    read_at: int
    flags: tuple[str, ...]


class CompletedRanges:
    """Complete ranges and bookmarks of one resource.

    Args:
        database: Where they are kept.
        resource: The resource's name.
    """

    def __init__(self, database: Database, resource: str) -> None:
        self._database = database
        self._resource = resource

    def complete(self, scope: str) -> list[Span]:
        """The ranges that need no request for this scope, in order."""
        return merge(entry.span for entry in self.entries(scope))

    def entries(self, scope: str | None = None) -> list[CompletedRange]:
        """Complete ranges as they were read, in order; all scopes when none is named."""
        rows = self._database.run(
            'SELECT start, "end", scope, read_at, flags, seal FROM complete'
            " WHERE resource = ?1 AND (?2 IS NULL OR scope IN ('', ?2)) ORDER BY start, scope",
            (self._resource, scope),
        )
        for start, end, stored, read_at, flags, sealed in rows:
            if seal(self._resource, stored, start, end, read_at, flags) != sealed:
                raise self._database.damaged("its ledger is not what was written")
        return [
            CompletedRange(Span(start, end), scope, read_at, tuple(json.loads(flags)))
            for start, end, scope, read_at, flags, _ in rows
        ]

    def record(self, entry: CompletedRange) -> None:
        """Note a range as complete, in place of what the same scope said of it before.

        Of one walk it is noted page by page: ranges that touch, were read within the hour and
        are flagged alike are one, as old as the older of them.
        """
        if not entry.span.length:
            return
        self._cut(entry.span, entry.scope)
        span, read_at, flags = entry.span, entry.read_at, json.dumps(sorted(entry.flags))
        for rowid, start, end, other_read_at in self._database.run(
            'SELECT rowid, start, "end", read_at FROM complete WHERE resource = ? AND scope = ?'
            ' AND flags = ? AND (start = ? OR "end" = ?) AND read_at BETWEEN ? AND ?',
            (
                self._resource,
                entry.scope,
                flags,
                span.end,
                span.start,
                entry.read_at - HOUR,
                entry.read_at + HOUR,
            ),
        ):
            self._database.run("DELETE FROM complete WHERE rowid = ?", (rowid,))
            span = Span(min(span.start, start), max(span.end, end))
            read_at = min(read_at, other_read_at)
        self._insert(span, entry.scope, read_at, flags)

    def forget(self, span: Span, scope: str) -> None:
        """Take a range out of what is complete for a scope, so that it is read again."""
        self._cut(span, scope)

    def cut_before(self, instant: int) -> None:
        """Call nothing complete that lies before an instant, and resume no walk there."""
        for entry in self.entries():
            if entry.span.start < instant:
                self._cut(Span(entry.span.start, instant), entry.scope)
        self._database.run(
            'DELETE FROM bookmark WHERE resource = ? AND (reached < ? OR "end" <= ?)',
            (self._resource, instant, instant),
        )

    def _cut(self, span: Span, scope: str) -> None:
        overlapping = self._database.run(
            'SELECT rowid, start, "end", read_at, flags FROM complete'
            ' WHERE resource = ? AND scope = ? AND start < ? AND "end" > ?',
            (self._resource, scope, span.end, span.start),
        )
        for rowid, start, end, read_at, flags in overlapping:
            self._database.run("DELETE FROM complete WHERE rowid = ?", (rowid,))
            for rest in subtract(Span(start, end), [span]):
                self._insert(rest, scope, read_at, flags)

    def _insert(self, span: Span, scope: str, read_at: int, flags: str) -> None:
        row = (self._resource, scope, span.start, span.end, read_at, flags)
        self._database.run("INSERT INTO complete VALUES (?, ?, ?, ?, ?, ?, ?)", (*row, seal(*row)))

    def checkpoint(self, scope: str, end: int) -> Checkpoint | None:
        """Where an unfinished walk stands that has yet to read what ends here, if there is one.

        Raises:
            StoreError: It is not what was written; the file was put aside.
        """
        rows = self._database.run(
            "SELECT reached, walk, seal FROM bookmark"
            ' WHERE resource = ? AND scope = ? AND "end" = ?',
            (self._resource, scope, end),
        )
        for reached, walk, sealed in rows:
            if seal(self._resource, scope, end, reached, walk) != sealed:
                raise self._database.damaged("a bookmark is not what was written")
            return Checkpoint(end, reached, walk)
        return None

    def set_checkpoint(self, scope: str, bookmark: Checkpoint) -> None:
        """Note where a walk stands."""
        row = (self._resource, scope, bookmark.end, bookmark.reached, bookmark.state)
        self._database.run(
            "INSERT OR REPLACE INTO bookmark VALUES (?, ?, ?, ?, ?, ?)", (*row, seal(*row))
        )

    def drop_checkpoints(self, scope: str, span: Span) -> None:
        """Forget where walks stood within a range that they have passed."""
        self._database.run(
            'DELETE FROM bookmark WHERE resource = ? AND scope = ? AND "end" > ? AND "end" <= ?',
            (self._resource, scope, span.start, span.end),
        )
