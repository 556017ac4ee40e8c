"""Records ordered by time, most of which exist only as numbers until a page shows them.

A generated account of a million sessions is a few arrays. Beside its rows stand records given
by hand. Both share one sorted array of handles: a handle that is not negative is the row of a
generated record, a negative one is the complement (``~n``) of the index of a given record.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from itertools import islice
from typing import TYPE_CHECKING, Any

from plivo_analysis.emulator.listing import CHANGES, VISIBLE_FROM, matches
from plivo_analysis.emulator.times import MINUTE, read_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plivo_analysis.emulator.message_records import GeneratedMessages
    from plivo_analysis.emulator.session_records import GeneratedSessions

    Record = dict[str, Any]


class RecordIndex:
    """All records of one kind, by time.

    Args:
        generated: Those that follow from a plan, which may be empty, by the number of their row,
            oldest first.

    Example:
        >>> from plivo_analysis.emulator.session_plan import Plan
        >>> from plivo_analysis.emulator.session_records import GeneratedSessions
        >>> index = RecordIndex(GeneratedSessions(Plan(b"", 0)))
        >>> index.insert({"session_uuid": "a", "created_at": "1970-01-01T00:00:00Z"}, now=0)
        >>> [index.record(handle, 0)["session_uuid"] for handle in index.find(0, 1, {}, now=0)]
        ['a']
    """

    def __init__(self, generated: GeneratedSessions | GeneratedMessages) -> None:
        self.listing = generated.listing
        self._generated = generated
        self._times = generated.times[:]
        self._handles = array("q", range(len(self._times)))
        self._given: list[tuple[int, Record]] = []  # with its time
        self._given_by_key: dict[str, int] = {}
        self._removed: set[int] = set()
        self._some_hidden = False

    def __len__(self) -> int:
        return len(self._times)

    def insert(self, record: Record, now: int) -> None:
        """Add a record given by hand, after those of the same instant.

        A record whose time cannot be read stands a minute before ``now``.
        """
        # Behind those of its instant: the list is read backwards, so that of two records of one
        # instant the later given is shown first.
        read = read_time(record.get(self.listing.time_field))
        time = now - MINUTE if read is None else read
        position = bisect_right(self._times, time)
        handle = ~len(self._given)
        self._times.insert(position, time)
        self._handles.insert(position, handle)
        self._some_hidden |= VISIBLE_FROM in record
        if self.listing.key in record:
            self._given_by_key[str(record[self.listing.key])] = handle
        self._given.append((time, record))

    def remove(self, key: str) -> None:
        """Take the record of that key away.

        Raises:
            KeyError: There is none.
        """
        if (handle := self.handle_of(key)) is None:
            raise KeyError(key)
        position = self._handles.index(handle)
        del self._times[position]
        del self._handles[position]
        self._removed.add(handle)
        self._given_by_key.pop(key, None)

    def handle_of(self, key: str) -> int | None:
        """The handle of the record of that key, if there is one."""
        if key in self._given_by_key:
            return self._given_by_key[key]
        row = self._generated.row_of(key)
        # The plan knows the key for ever, also when its record has been replaced by hand.
        return None if row in self._removed else row

    def record(self, handle: int, now: int) -> Record:
        """The record of a handle at that moment, with its hidden fields."""
        if handle >= 0:
            return self._generated.record(handle, now)
        _, record = self._given[~handle]
        # In the order of time: the later of two changes of one field is the one that holds.
        changes = {_micros(at): fields for at, fields in record.get(CHANGES, {}).items()}
        for at in sorted(changes):
            if at <= now:
                record = {**record, **changes[at]}
        return record

    def expected(self, low: int, high: int, now: int) -> Iterator[Any]:
        """What is expected of the records of ``[low, high)`` in the results of that moment."""
        for handle in self.find(low, high, {}, now):
            if handle >= 0:
                yield self._generated.expected(handle, now)
            else:
                yield self._generated.expected_of(self.record(handle, now))

    def shows(self, handle: int, now: int) -> bool:
        """Whether the record of a handle is visible at that moment."""
        if handle >= 0 or not self._some_hidden:
            return True
        visible_from = self._given[~handle][1].get(VISIBLE_FROM)
        return visible_from is None or _micros(visible_from) <= now

    def key(self, handle: int) -> str:
        """The key of the record of a handle."""
        if handle >= 0:
            return self._generated.key(handle)
        return str(self._given[~handle][1].get(self.listing.key))

    def time(self, handle: int) -> int:
        """The time of the record of a handle."""
        return self._generated.times[handle] if handle >= 0 else self._given[~handle][0]

    def find(
        self,
        low: int,
        high: int,
        filters: dict[str, str],
        now: int,
        *,
        skip: int = 0,
        count: int | None = None,
    ) -> list[int]:
        """Handles of the records of ``[low, high)`` that match, newest first."""
        first, last = bisect_left(self._times, low), bisect_left(self._times, high)
        # Without a filter a page is a slice, however long the list; with one, rows are looked at
        # until the page is full.
        if not filters and not self._some_hidden:
            newest = last - skip
            oldest = first if count is None else max(first, newest - count)
            return list(reversed(self._handles[oldest : max(oldest, newest)]))
        stop = None if count is None else skip + count
        newest_first = map(self._handles.__getitem__, range(last - 1, first - 1, -1))
        found = (handle for handle in newest_first if self._matches(handle, filters, now))
        return list(islice(found, skip, stop))

    def _matches(self, handle: int, filters: dict[str, str], now: int) -> bool:
        if handle >= 0:
            return self._generated.matches(handle, filters, now)
        return self.shows(handle, now) and matches(self.record(handle, now), filters)


def _micros(instant: str) -> int:
    micros = read_time(instant)
    if micros is None:
        raise ValueError(f"{instant!r} is no time at which a record could change.")
    return micros
