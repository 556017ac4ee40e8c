"""Which ranges were read whole under which filter, and the checkpoints of unfinished pulls.

A scope is the canonical text of a filter, empty for none. A range that is complete without a
filter answers every filter, so that ``complete`` of a scope includes it. Completed ranges begin
and end on whole minutes. Scopes are kept as keyed hashes, with a text beside them that can be
shown.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plivo_analysis.storage.database import checksum
from plivo_analysis.values.spans import HOUR, Span, merge, subtract

if TYPE_CHECKING:
    from plivo_analysis.storage.database import Database


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Where an unfinished pull stands.

    Args:
        end: The end of what it has yet to read, by which the next pull finds it.
        reached: How far down it has read, in microseconds.
        state: All that the paginator knows, as text.
    """

    end: int
    reached: int
    state: str


@dataclass(frozen=True, slots=True)
class CompletedRange:
    """A range that was read whole.

    Args:
        span: The range.
        scope: The filter it was read with, empty for none; its hash, where ranges of all
            filters were asked for.
        read_at: When, in microseconds.
        flags: What was out of the ordinary.
        shown: The filter with its numbers masked; known of ranges of all filters.
    """

    span: Span
    scope: str
    read_at: int
    flags: tuple[str, ...]
    shown: str = ""


class CompletedRanges:
    """Completed ranges and checkpoints of one resource.

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
        """Ranges as they were read, in order: of a filter and of none, or of all filters.

        Raises:
            StoreError: One is not what was written; the file was quarantined.
        """
        # Null for ranges of all filters. Else those of the filter and those of none, whose scope is
        # empty: what was read whole without a filter holds what any filter would give.
        hashed = None if scope is None else self._database.hashed(scope)
        rows = self._database.run(
            "SELECT start, \"end\", c.scope, read_at, flags, checksum, COALESCE(s.shown, '')"
            " FROM completed_range c LEFT JOIN scope s ON s.scope = c.scope"
            " WHERE resource = ? AND (? IS NULL OR c.scope IN ('', ?)) ORDER BY start, c.scope",
            (self._resource, hashed, hashed),
        )
        for start, end, scope_hash, read_at, flags, expected, _ in rows:
            if checksum(self._resource, scope_hash, start, end, read_at, flags) != expected:
                raise self._database.damaged("a completed range is not what was written")
        return [
            CompletedRange(
                Span(start, end),
                scope if scope is not None and scope_hash == hashed else scope_hash,
                read_at,
                tuple(json.loads(flags)),
                shown,
            )
            for start, end, scope_hash, read_at, flags, _, shown in rows
        ]

    def record(self, entry: CompletedRange) -> None:
        """Note a range as complete, in place of earlier ranges of the same scope.

        A pull notes its ranges page by page. Ranges that touch, were read within the hour and
        are flagged alike become one, as old as the older of them. Otherwise there would be one
        row for every page ever read.
        """
        if not entry.span.length:
            return
        scope = self._database.hashed(entry.scope)
        self._remove(entry.span, scope)
        span, read_at, flags = entry.span, entry.read_at, json.dumps(sorted(entry.flags))
        # What overlapped is cut off above, so that at most one range ends where this one begins,
        # and at most one begins where it ends. Flags tell how sure a range is, and must not
        # spread to a neighbour. Nor must the time of reading, by more than an hour: by it a pull
        # knows what to read again, since records may have come late.
        touching = self._database.run(
            'SELECT rowid, start, "end", read_at FROM completed_range WHERE resource = ?'
            ' AND scope = ? AND flags = ? AND (start = ? OR "end" = ?) AND ABS(read_at - ?) <= ?',
            (self._resource, scope, flags, span.end, span.start, read_at, HOUR),
        )
        for rowid, start, end, other_read_at in touching:
            self._database.run("DELETE FROM completed_range WHERE rowid = ?", (rowid,))
            span = Span(min(span.start, start), max(span.end, end))
            read_at = min(read_at, other_read_at)
        self._insert(span, scope, read_at, flags)

    def discard(self, span: Span, scope: str) -> None:
        """Take a range out of what is complete for a scope, so that it is read again."""
        self._remove(span, self._database.hashed(scope))

    def discard_before(self, instant: int) -> None:
        """Call nothing complete that lies before an instant, and resume no pull there."""
        for entry in self.entries():  # of all filters, so that a scope is already its hash
            if entry.span.start < instant:
                self._remove(Span(entry.span.start, instant), entry.scope)
        # A pull that had read below the instant would go on below what was deleted.
        self._database.run(
            'DELETE FROM checkpoint WHERE resource = ? AND (reached < ? OR "end" <= ?)',
            (self._resource, instant, instant),
        )

    def _remove(self, span: Span, scope: str) -> None:
        overlapping = self._database.run(
            'SELECT rowid, start, "end", read_at, flags FROM completed_range'
            ' WHERE resource = ? AND scope = ? AND start < ? AND "end" > ?',
            (self._resource, scope, span.end, span.start),
        )
        for rowid, start, end, read_at, flags in overlapping:
            self._database.run("DELETE FROM completed_range WHERE rowid = ?", (rowid,))
            # What lies outside of the span was not read again: it keeps its own time and flags.
            for rest in subtract(Span(start, end), [span]):
                self._insert(rest, scope, read_at, flags)

    def _insert(self, span: Span, scope: str, read_at: int, flags: str) -> None:
        row = (self._resource, scope, span.start, span.end, read_at, flags)
        self._database.run(
            "INSERT INTO completed_range VALUES (?, ?, ?, ?, ?, ?, ?)", (*row, checksum(*row))
        )

    def checkpoint(self, scope: str, end: int) -> Checkpoint | None:
        """Where an unfinished pull stands that has yet to read what ends here, if there is one.

        Raises:
            StoreError: It is not what was written; the file was quarantined.
        """
        hashed = self._database.hashed(scope)
        for reached, state, expected in self._database.run(
            "SELECT reached, state, checksum FROM checkpoint"
            ' WHERE resource = ? AND scope = ? AND "end" = ?',
            (self._resource, hashed, end),
        ):
            if checksum(self._resource, hashed, end, reached, state) != expected:
                raise self._database.damaged("a checkpoint is not what was written")
            return Checkpoint(end, reached, state)
        return None

    def set_checkpoint(self, scope: str, checkpoint: Checkpoint) -> None:
        """Note where a pull stands."""
        row = (
            self._resource,
            self._database.hashed(scope),
            checkpoint.end,
            checkpoint.reached,
            checkpoint.state,
        )
        self._database.run(
            "INSERT OR REPLACE INTO checkpoint VALUES (?, ?, ?, ?, ?, ?)", (*row, checksum(*row))
        )

    def drop_checkpoints(self, scope: str, span: Span) -> None:
        """Forget where pulls stood within a range that has been read past."""
        self._database.run(
            'DELETE FROM checkpoint WHERE resource = ? AND scope = ? AND "end" > ? AND "end" <= ?',
            (self._resource, self._database.hashed(scope), span.start, span.end),
        )
