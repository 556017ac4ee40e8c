"""Records in order of time, newest first to the reader, of which most are never written out.

A generated account of a million sessions is a few arrays; a record comes into being when a
page shows it. Beside the generated rows stand records given by hand. Both are places in one
sorted array: a place holds a number that is not negative for a generated row and the
complement (``~n``) of its index for a record given by hand.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from itertools import islice
from typing import TYPE_CHECKING, Any, Protocol

from plivo_analysis.emulator.queries import MESSAGES, SESSIONS
from plivo_analysis.emulator.wiretime import MINUTE, read_wire

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, MutableSequence, Sequence

    from plivo_analysis.emulator.queries import Resource

    Record = dict[str, Any]


_HIDDEN = frozenset(f"_{name}" for name in SESSIONS.filters | MESSAGES.filters)


class Generated(Protocol):
    """Rows that exist as a plan. ``times`` ascends; a row is named by its index in it.

    Example:
        >>> hasattr(Generated, "record")
        True
    """

    @property
    def times(self) -> MutableSequence[int]:
        """When each row began, ascending."""

    def record(self, index: int, now: int) -> Record:
        """The row as the service would show it at that moment."""

    def index_of(self, key: str) -> int | None:
        """The row of that key, if there is one."""

    def key(self, index: int) -> str:
        """The key of that row."""

    def matcher(self, filters: dict[str, str], now: int) -> Callable[[int], bool]:
        """A test whether a row has these values."""


def visible(record: Record) -> Record:
    """A record without what the account knows of it but does not show.

    That is what a filter's name names with an underscore before it: ``_subaccount``.

    Example:
        >>> visible({"status": "expired", "_subaccount": "SA1"})
        {'status': 'expired'}
    """
    if _HIDDEN.isdisjoint(record):
        return record
    return {name: value for name, value in record.items() if name not in _HIDDEN}


class Shelf:
    """All records of one kind, by time.

    Example:
        >>> from plivo_analysis.emulator.queries import SESSIONS
        >>> shelf = Shelf(SESSIONS)
        >>> shelf.put({"session_uuid": "a", "created_at": "1970-01-01T00:00:00Z"}, now=0)
        >>> [shelf.record(row, 0)["session_uuid"] for row in shelf.find(0, 1, {}, now=0)]
        ['a']
    """

    def __init__(self, resource: Resource, generated: Generated | None = None) -> None:
        self.resource = resource
        self._generated = generated
        self._times: MutableSequence[int] = generated.times if generated else array("q")
        self._places: Sequence[int] = range(len(self._times))
        self._given: list[Record] = []
        self._given_times: list[int] = []
        self._given_by_key: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._times)

    def put(self, record: Record, now: int) -> None:
        """Add a record given by hand, behind those of the same instant.

        A record whose time cannot be read stands a minute before ``now``.
        """
        if not isinstance(self._places, array):
            self._times = array("q", self._times)
            self._places = array("q", self._places)
        read = read_wire(record.get(self.resource.time_field))
        time = now - MINUTE if read is None else read
        position = bisect_right(self._times, time)
        self._times.insert(position, time)
        self._places.insert(position, ~len(self._given))
        if self.resource.key in record:
            self._given_by_key[str(record[self.resource.key])] = len(self._given)
        self._given.append(record)
        self._given_times.append(time)

    def remove(self, key: str) -> None:
        """Take the record of that key away.

        Raises:
            KeyError: There is none.
        """
        place = self.place_of(key)
        if place is None:
            raise KeyError(key)
        if not isinstance(self._places, array):
            self._times = array("q", self._times)
            self._places = array("q", self._places)
        position = self._places.index(place)
        del self._times[position]
        del self._places[position]
        self._given_by_key.pop(key, None)

    def place_of(self, key: str) -> int | None:
        """Where the record of that key stands, if there is one."""
        if key in self._given_by_key:
            return ~self._given_by_key[key]
        place = self._generated.index_of(key) if self._generated else None
        if place is None or isinstance(self._places, range) or place in self._places:
            return place
        return None

    def record(self, place: int, now: int) -> Record:
        """The record at a place, with what is not shown."""
        if place >= 0 and self._generated:
            return self._generated.record(place, now)
        return self._given[~place]

    def key(self, place: int) -> str:
        """The key of the record at a place."""
        if place >= 0 and self._generated:
            return self._generated.key(place)
        return str(self._given[~place].get(self.resource.key))

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
        """Places of the rows of ``[low, high)`` that match, newest first."""
        first, last = bisect_left(self._times, low), bisect_left(self._times, high)
        if not filters:
            newest = last - skip
            oldest = first if count is None else max(first, newest - count)
            return list(reversed(self._places[oldest : max(oldest, newest)]))
        stop = None if count is None else skip + count
        return list(islice(self._matching(first, last, filters, now), skip, stop))

    def time(self, place: int) -> int:
        """The time at a place."""
        if place >= 0 and self._generated:
            return self._generated.times[place]
        return self._given_times[~place]

    def _matching(self, first: int, last: int, filters: dict[str, str], now: int) -> Iterator[int]:
        generated = self._generated.matcher(filters, now) if self._generated else None
        for position in range(last - 1, first - 1, -1):
            place = self._places[position]
            if place < 0:
                if matches(self._given[~place], filters):
                    yield place
            elif generated and generated(place):
                yield place


_FIELDS = {"country": "destination_country_iso2"}
_NUMBERS = frozenset({"recipient", "from_number", "to_number"})
_OF_ATTEMPTS = frozenset({"brand_name", "app_hash"})


def matches(record: Record, filters: dict[str, str]) -> bool:
    """Whether a written-out record has these values.

    A telephone number matches with and without its plus sign. A status matches whatever the
    record's case; the filter's own case counts, as the service's does.

    Example:
        >>> matches({"recipient": "14155550100"}, {"recipient": "+14155550100"})
        True
        >>> matches({"status": "Expired"}, {"status": "expired"})
        True
        >>> matches({"status": "expired"}, {"status": "Expired"})
        False
    """
    return all(_has(record, name, value) for name, value in filters.items())


def _has(record: Record, name: str, value: str) -> bool:
    if name in _NUMBERS:
        return _digits(record.get(name)) == _digits(value)
    if name == "status":
        return str(record.get(name)).lower() == value
    known = [record.get(_FIELDS.get(name, name)), record.get(f"_{name}")]
    if name in _OF_ATTEMPTS:
        known += [attempt.get(name) for attempt in record.get("attempt_details") or ()]
    return value in known


def _digits(number: object) -> str:
    return str(number).removeprefix("+").strip()
