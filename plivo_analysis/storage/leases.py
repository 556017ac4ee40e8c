"""Leases: who is reading which range, so that two notebooks do not read the same one twice.

A lease is a courtesy, not a lock. Rows and completed ranges are right even if two read the same;
without leases the same requests would only be sent twice.

Pulls read downwards, newest first. A lease says what its owner reads now (``start`` to ``end``)
and how far down it means to go (``bottom``)::

        bottom            start     end
    ------|-----------------|========|--------->  time
          |   free: another |  being |   read
          |   may begin in  |  read  |
          |   its middle    |        |

The free part may be taken by somebody else, who begins in its middle, so that the two share it;
the owner learns of that at its next page and stops there.

A lease ends with its owner. Of a process of this computer the system tells whether it has ended.
Any other lease lapses when its ``beat`` has not changed for a while, measured by the clock of the
process that waits for it. So no two computers' clocks need agree, and a clock that is set while
pulls run does no harm.
"""

from __future__ import annotations

import os
import platform
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from plivo_analysis.values.spans import MINUTE, Span, ceil, floor, subtract

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plivo_analysis.storage.database import Database

# A lease that has not moved for so long has lapsed: longer than one request takes. A pull that
# waits longer, as for the rate limit, calls `hold` in between.
LEASE_SECONDS = 90.0

_ALIVE: set[str] = set()  # the owners of this process
_TOKEN_BYTES = 8


@dataclass(frozen=True, slots=True)
class _Held:
    """Somebody's lease as it stands in the store."""

    owner: str
    span: Span
    bottom: int
    beat: int


class Leases:
    """The leases on one resource under one filter.

    Args:
        database: Where they are kept.
        resource: The resource's name.
        scope: The canonical text of the filter.

    Example:
        >>> from plivo_analysis.storage.database import Database
        >>> leases = Leases(Database(None), "sessions", "")
        >>> with leases.take([Span(0, MINUTE)], at=0.0) as lease:
        ...     lease.span, leases.take([Span(0, MINUTE)], at=0.0)
        (Span(start=0, end=60000000), None)
    """

    def __init__(self, database: Database, resource: str, scope: str) -> None:
        self.database = database
        self.place = (resource, database.hashed(scope))
        self._watched: dict[str, tuple[int, float]] = {}  # a beat, and since when it stands

    def take(self, wanted: Iterable[Span], *, at: float) -> Lease | None:
        """Lease the first of the wanted ranges that nobody reads, or a part of it.

        Args:
            wanted: Ranges on whole minutes, the most wanted first.
            at: The caller's monotonic time, in seconds.

        Returns:
            The lease, or nothing where others are at work on all of it.
        """
        # One transaction: two processes that both looked first would both take the same range.
        with self.database.writing():
            others = [held for held in self.held() if not self._lapsed(held, at)]
            for span in wanted:
                # The newest part first, since pulls read downwards.
                for piece in reversed(subtract(span, [held.span for held in others])):
                    if (free := _part_to_take(piece, others)) is not None:
                        return self._insert(free)
        return None

    def held(self) -> list[_Held]:
        """The leases of all owners."""
        rows = self.database.run(
            'SELECT owner, start, "end", bottom, beat FROM lease'
            " WHERE resource = ? AND scope = ? ORDER BY start",
            self.place,
        )
        return [
            _Held(owner, Span(start, end), bottom, beat) for owner, start, end, bottom, beat in rows
        ]

    def _insert(self, span: Span) -> Lease:
        owner = f"{platform.node()}:{os.getpid()}:{secrets.token_hex(_TOKEN_BYTES)}"
        # At first all of it counts as being read. Once the owner knows how far a page reaches,
        # `hold` says what is free below.
        self.database.run(
            "INSERT INTO lease VALUES (?, ?, ?, ?, ?, ?, 0)",
            (owner, *self.place, span.start, span.end, span.start),
        )
        _ALIVE.add(owner)
        return Lease(self, owner, span)

    def _lapsed(self, held: _Held, at: float) -> bool:
        """Whether an owner is gone; its lease is then taken away."""
        # Met for the first time, its time begins now: when it last moved is not known.
        beat, since = self._watched.setdefault(held.owner, (held.beat, at))
        if beat != held.beat:
            self._watched[held.owner] = (held.beat, at)
            since = at
        alive = _is_alive(held.owner)
        if alive or (alive is None and at - since < LEASE_SECONDS):
            return False
        # An owner that was only slow writes it anew with its next `hold`: nothing is lost by that.
        self.database.run("DELETE FROM lease WHERE owner = ?", (held.owner,))
        return True


class Lease:
    """A range that is ours to read. Leaving its ``with`` block gives it up.

    Args:
        leases: Where it stands.
        owner: Its owner's name.
        span: The range.
    """

    def __init__(self, leases: Leases, owner: str, span: Span) -> None:
        self._leases = leases
        self._owner = owner
        self.span = span

    def hold(self, reached: int, ahead: int | None = None) -> int:
        """Say how far we are; learn where to stop, since somebody else reads or has read on.

        The lease is written anew where it lapsed meanwhile, as after a laptop's sleep: the
        one who took it over is among the others, and we stop above them.

        Args:
            reached: Above this instant all is read.
            ahead: How far below it we shall be busy for a while; unknown at first.

        Returns:
            The instant to stop at, on a whole minute.
        """
        database, (resource, scope) = self._leases.database, self._leases.place
        with database.writing():
            completed = database.run(
                'SELECT "end" FROM completed_range'
                ' WHERE resource = ? AND scope = ? AND start < ? AND "end" > ?',
                (resource, scope, reached, self.span.start),
            )
            # Of the others only those below us count: who reads above us comes down later.
            others = [
                held.span.end
                for held in self._leases.held()
                if held.owner != self._owner and held.span.start < reached
            ]
            # No default for "nothing completed": instants before 1970 are negative, so that 0
            # would be a limit above all that is to be read, and the pull would never end.
            bottom: int = max([self.span.start, *(end for (end,) in completed), *others])
            # Before the first page it is not known what can be shared: all counts as being read.
            start = bottom if ahead is None else max(bottom, floor(reached - ahead, MINUTE))
            top = ceil(reached, MINUTE)
            database.run(
                "INSERT INTO lease VALUES (?, ?, ?, ?, ?, ?, 1)"
                " ON CONFLICT (owner) DO UPDATE SET start = excluded.start,"
                ' "end" = excluded."end", bottom = excluded.bottom, beat = beat + 1',
                (self._owner, resource, scope, min(start, top), top, bottom),
            )
        return bottom

    def release(self) -> None:
        """Give it up. A second call does nothing."""
        _ALIVE.discard(self._owner)
        self._leases.database.run("DELETE FROM lease WHERE owner = ?", (self._owner,))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()


def _part_to_take(piece: Span, others: list[_Held]) -> Span | None:
    """What of a free piece to take: its lower half, if somebody comes down on it from above.

    Nothing, where it is no longer than what the other reads now: the other will be there before
    two could have shared it.
    """
    above = next((held for held in others if held.span.end > held.span.start == piece.end), None)
    # Nobody reads right above it, or only down to its upper end.
    if above is None or above.bottom >= piece.end:
        return piece
    if piece.length <= above.span.length:
        return None
    half = Span(piece.start, floor(piece.start + piece.length // 2, MINUTE))
    return half if half.length else None  # of a single minute


def _is_alive(owner: str) -> bool | None:
    """Whether an owner is at work; None where this computer cannot know."""
    node, pid, _ = owner.rsplit(":", 2)
    if node != platform.node():
        return None
    if int(pid) == os.getpid():
        return owner in _ALIVE
    if os.name != "posix":
        return None
    try:
        os.kill(int(pid), 0)  # sends nothing; fails where there is no such process
    except ProcessLookupError:
        return False
    except OSError:
        return None
    return None  # there is such a process; whether it is still that one only the beat tells
