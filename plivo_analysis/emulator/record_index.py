"""Records ordered by time, most of which exist only as numbers until a page shows them.

A generated account of a million sessions is a few arrays. Beside its rows stand records given
by hand. Both share one sorted array of handles: a handle that is not negative is the row of a
generated record, a negative one is the complement (``~n``) of the index of a given record.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, cast

from plivo_analysis.emulator.listing import CHANGES, VISIBLE_FROM, matches
from plivo_analysis.emulator.times import MINUTE, read_time

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, MutableSequence, Sequence

    from plivo_analysis.emulator.listing import Listing

    Record = dict[str, Any]

T = TypeVar("T")


class Generated(Protocol):
    """Records that follow from a plan, by the number of their row, oldest first."""

    @property
    def times(self) -> MutableSequence[int]:
        """The times of the rows, which must not be changed."""

    def key(self, index: int) -> str:
        """The key of a row."""

    def row_of(self, key: str) -> int | None:
        """The row of a key, if it is one of these."""

    def matcher(self, filters: dict[str, str], now: int) -> Callable[[int], bool]:
        """A test of rows against filters."""

    def record(self, index: int, now: int) -> Record:
        """The record of a row as a list shows it at that moment."""

    def expected(self, index: int, now: int) -> object:
        """What is expected of the row in the results of that moment."""


class RecordIndex:
    """All records of one kind, by time.

    Args:
        listing: Their kind.
        generated: Those that follow from a plan, if there is one.

    Example:
        >>> from plivo_analysis.emulator.listing import SESSIONS
        >>> index = RecordIndex(SESSIONS)
        >>> index.insert({"session_uuid": "a", "created_at": "1970-01-01T00:00:00Z"}, now=0)
        >>> [index.record(handle, 0)["session_uuid"] for handle in index.find(0, 1, {}, now=0)]
        ['a']
    """

    def __init__(self, listing: Listing, generated: Generated | None = None) -> None:
        self.listing = listing
        self._generated = generated
        self._times: MutableSequence[int] = generated.times if generated else array("q")
        # A range until a record is inserted or removed: no memory, and a slice of it is free.
        self._handles: Sequence[int] = range(len(self._times))
        self._given: list[Record] = []
        self._given_times: list[int] = []
        self._given_by_key: dict[str, int] = {}
        self._some_hidden = False

    def __len__(self) -> int:
        return len(self._times)

    def insert(self, record: Record, now: int) -> None:
        """Add a record given by hand, after those of the same instant.

        A record whose time cannot be read stands a minute before ``now``.
        """
        read = read_time(record.get(self.listing.time_field))
        time = now - MINUTE if read is None else read
        position = bisect_right(self._times, time)
        times, handles = self._own_arrays()
        times.insert(position, time)
        handles.insert(position, ~len(self._given))
        self._some_hidden |= VISIBLE_FROM in record
        if self.listing.key in record:
            self._given_by_key[str(record[self.listing.key])] = len(self._given)
        self._given.append(record)
        self._given_times.append(time)

    def remove(self, key: str) -> None:
        """Take the record of that key away.

        Raises:
            KeyError: There is none.
        """
        if (handle := self.handle_of(key)) is None:
            raise KeyError(key)
        times, handles = self._own_arrays()
        position = handles.index(handle)
        del times[position]
        del handles[position]
        self._given_by_key.pop(key, None)

    def handle_of(self, key: str) -> int | None:
        """The handle of the record of that key, if there is one."""
        if key in self._given_by_key:
            return ~self._given_by_key[key]
        row = self._generated.row_of(key) if self._generated else None
        # The plan knows the key for ever, also when its record has been replaced by hand.
        if row is None or isinstance(self._handles, range) or row in self._handles:
            return row
        return None

    def record(self, handle: int, now: int) -> Record:
        """The record of a handle at that moment, with its hidden fields."""
        if handle >= 0 and self._generated:
            return self._generated.record(handle, now)
        record = self._given[~handle]
        # In the order of time: the later of two changes of one field is the one that holds.
        changes = {_micros(at): fields for at, fields in record.get(CHANGES, {}).items()}
        for at in sorted(changes):
            if at <= now:
                record = {**record, **changes[at]}
        return record

    def expected(
        self, low: int, high: int, now: int, of_record: Callable[[Record], T]
    ) -> Iterator[T]:
        """What is expected of the records of ``[low, high)``.

        Of a generated record the plan says it; ``of_record`` reads it from a given one.
        """
        for handle in self.find(low, high, {}, now):
            if handle >= 0 and self._generated:
                yield cast("T", self._generated.expected(handle, now))
            else:
                yield of_record(self.record(handle, now))

    def shows(self, handle: int, now: int) -> bool:
        """Whether the record of a handle is visible at that moment."""
        if handle >= 0 or not self._some_hidden:
            return True
        visible_from = self._given[~handle].get(VISIBLE_FROM)
        return visible_from is None or _micros(visible_from) <= now

    def key(self, handle: int) -> str:
        """The key of the record of a handle."""
        if handle >= 0 and self._generated:
            return self._generated.key(handle)
        return str(self._given[~handle].get(self.listing.key))

    def time(self, handle: int) -> int:
        """The time of the record of a handle."""
        if handle >= 0 and self._generated:
            return self._generated.times[handle]
        return self._given_times[~handle]

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
        return list(islice(self._matching(first, last, filters, now), skip, stop))

    def _matching(self, first: int, last: int, filters: dict[str, str], now: int) -> Iterator[int]:
        generated = self._generated.matcher(filters, now) if self._generated else None
        for position in range(last - 1, first - 1, -1):
            handle = self._handles[position]
            if handle < 0:
                if self.shows(handle, now) and matches(self.record(handle, now), filters):
                    yield handle
            elif generated and generated(handle):
                yield handle

    def _own_arrays(self) -> tuple[array[int], array[int]]:
        """The times and handles as arrays that may change; the plan's own times must not."""
        if not isinstance(self._handles, array):
            self._times = array("q", self._times)
            self._handles = array("q", self._handles)
        assert isinstance(self._times, array)  # noqa: S101 - for the type checker
        return self._times, self._handles


def _micros(instant: str) -> int:
    micros = read_time(instant)
    if micros is None:
        raise ValueError(f"{instant!r} is no time at which a record could change.")
    return micros
