"""Read what is missing, shared with whoever else is reading it.

Each part is claimed before it is read. What somebody else has claimed is waited for: it comes
into the store, or its claim lapses and we read it. So two notebooks that ask for the same
range read it once between them.

Newest first, but for one part: while a long range is read its oldest end goes out of reach, so
the day before that end comes second, right after the first page shows the range to be long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from plivo_analysis.sync.reader import RETENTION
from plivo_analysis.system.clock import Cancelled
from plivo_analysis.values.spans import DAY, Span, merge, subtract, to_us

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plivo_analysis.sync.reader import Reader

_POLL = 0.5  # seconds between two looks at what others have read
_NEAR = DAY // 2  # of the end of retention: this part goes first


def read_gaps(reader: Reader, gaps: Sequence[Span]) -> list[Span]:
    """Read ranges that are missing; return what of them could not be read whole.

    Args:
        reader: Reads under the filter in question.
        gaps: Ranges on whole minutes.

    Raises:
        Cancelled: The reader's event was set while somebody else was waited for.
    """
    return _Gaps(reader, gaps).read()


class _Gaps:
    def __init__(self, reader: Reader, gaps: Sequence[Span]) -> None:
        self._reader = reader
        self._gaps = gaps
        store = reader.client.store
        self._claims = store.leases(reader.resource, reader.filter.scope)
        self._ledger = store.completed_ranges(reader.resource)
        self._read: list[Span] = []
        self._missing: list[Span] = []
        self._listed: list[Span] = []
        self._begun = False

    def read(self) -> list[Span]:
        clock, cancel = self._reader.client.clock, self._reader.cancel
        while left := self._left():
            claim = self._claims.take(self._in_order(left), at=clock.monotonic())
            if claim is None:
                if clock.wait(_POLL, cancel):
                    raise Cancelled
                continue
            with claim:
                self._list_open(claim.span)
                # The range may have come into the store between the look and the claim.
                pages = 1 if self._is_ageing(left) and not self._begun else None
                ladder = self._reader.read(claim.span, claim=claim, pages=pages)
            self._begun = True
            self._missing += ladder.missing
            self._read += [ladder.span] if ladder.done else ladder.missing
        return merge(self._missing)

    def _left(self) -> list[Span]:
        """What neither we nor others have read."""
        scope = self._reader.filter.scope
        done = [entry.span for entry in self._ledger.entries(scope) if entry.scope == scope]
        return [rest for gap in self._gaps for rest in subtract(gap, [*self._read, *done])]

    def _list_open(self, span: Span) -> None:
        """Keep what is open under a filter that it may come to pass, to be looked at again."""
        if self._reader.filter.stable:
            return
        for part in subtract(span, self._listed):
            self._missing += self._reader.list_open(part)[1]
        self._listed.append(span)

    def _in_order(self, left: list[Span]) -> list[Span]:
        newest_first = sorted(left, reverse=True)
        last = newest_first[-1]
        if not self._begun or not self._is_ageing(left):
            return newest_first
        edge = Span(last.start, min(last.end, last.start + DAY))
        return [edge, *newest_first[:-1], *subtract(last, [edge])]

    def _is_ageing(self, left: list[Span]) -> bool:
        """Whether a part of a long range is about to go out of reach."""
        oldest = to_us(self._reader.client.now()) - RETENTION
        long = sum(span.length for span in left) > DAY
        return long and min(left).start < oldest + _NEAR
