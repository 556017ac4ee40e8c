"""Claims: who is reading which range, so that two notebooks do not read the same one twice.

A claim is a courtesy, not a lock. Rows and ledger come out right whoever reads what; without
claims the same request would only be sent twice. Each claim says what its owner reads now and
how far down it means to go. What lies below may be taken by somebody else, who begins in the
middle of it; the owner notices at its next page and stops there.

A claim lapses with its owner. On this computer a process that has ended is known to have; of
any other owner a claim lapses when it has not moved for a while by the watch of whoever waits
for it, so that clocks need not agree.
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
    from types import TracebackType

    from plivo_analysis.storage.database import Database

LEASE_SECONDS = 90.0  # seconds: longer than one request takes, and its wait is told of in between

_ALIVE: set[str] = set()  # the owners of this process
_TOKEN_BYTES = 8


@dataclass(frozen=True, slots=True)
class _Held:
    """Somebody's claim as it stands in the store."""

    owner: str
    span: Span
    bottom: int
    beat: int


class Leases:
    """The claims on one resource under one filter.

    Args:
        database: Where they are kept.
        resource: The resource's name.
        scope: The canonical text of the filter.

    Example:
        >>> from plivo_analysis.storage.database import Database
        >>> claims = Leases(Database(None), "sessions", "")
        >>> with claims.take([Span(0, MINUTE)], at=0.0) as claim:
        ...     claim.span, claims.take([Span(0, MINUTE)], at=0.0)
        (Span(start=0, end=60000000), None)
    """

    def __init__(self, database: Database, resource: str, scope: str) -> None:
        self.database = database
        self.place = (resource, scope)
        self._watched: dict[str, tuple[int, float]] = {}

    def take(self, wanted: Iterable[Span], *, at: float) -> Lease | None:
        """Lease the first of the wanted ranges that nobody reads, or a part of it.

        Args:
            wanted: Ranges on whole minutes, the most wanted first.
            at: The caller's monotonic time, in seconds.

        Returns:
            The claim, or nothing where others are at work on all of it.
        """
        with self.database.writing():
            others = [held for held in self.held() if not self._lapsed(held, at)]
            for span in wanted:
                for piece in reversed(subtract(span, [held.span for held in others])):
                    if (free := _beside(piece, others)) is not None:
                        return self._claim(free)
        return None

    def held(self) -> list[_Held]:
        """All claims, whoever holds them."""
        rows = self.database.run(
            'SELECT owner, start, "end", bottom, beat FROM claim'
            " WHERE resource = ? AND scope = ? ORDER BY start",
            self.place,
        )
        return [
            _Held(owner, Span(start, end), bottom, beat) for owner, start, end, bottom, beat in rows
        ]

    def _claim(self, span: Span) -> Lease:
        owner = f"{platform.node()}:{os.getpid()}:{secrets.token_hex(_TOKEN_BYTES)}"
        self.database.run(
            "INSERT INTO claim VALUES (?, ?, ?, ?, ?, ?, 0)",
            (owner, *self.place, span.start, span.end, span.start),
        )
        _ALIVE.add(owner)
        return Lease(self, owner, span)

    def _lapsed(self, held: _Held, at: float) -> bool:
        """Whether an owner is gone; its claim is then taken away."""
        beat, since = self._watched.setdefault(held.owner, (held.beat, at))
        if beat != held.beat:
            self._watched[held.owner] = (held.beat, at)
            since = at
        alive = _is_alive(held.owner)
        if alive or (alive is None and at - since < LEASE_SECONDS):
            return False
        self.database.run("DELETE FROM claim WHERE owner = ?", (held.owner,))
        return True


class Lease:
    """A range that is ours to read. Leaving its ``with`` block gives it up.

    Args:
        claims: Where it stands.
        owner: Its owner's name.
        span: The range.
    """

    def __init__(self, claims: Leases, owner: str, span: Span) -> None:
        self._claims = claims
        self._owner = owner
        self.span = span

    def hold(self, reached: int, ahead: int | None = None) -> int:
        """Say how far we are; learn where to stop, since somebody else reads or has read on.

        Args:
            reached: Above this instant all is read.
            ahead: How far below it we shall be busy for a while; unknown at first.

        Returns:
            The instant to stop at, on a whole minute.
        """
        database, (resource, scope) = self._claims.database, self._claims.place
        with database.writing():
            done = database.run(
                'SELECT MAX("end") FROM complete'
                ' WHERE resource = ? AND scope = ? AND start < ? AND "end" > ?',
                (resource, scope, reached, self.span.start),
            )
            others = [
                held.span.end
                for held in self._claims.held()
                if held.owner != self._owner and held.span.start < reached
            ]
            limit = max([self.span.start, done[0][0] or 0, *others])
            start = limit if ahead is None else max(limit, floor(reached - ahead, MINUTE))
            top = ceil(reached, MINUTE)
            database.run(
                "INSERT INTO claim VALUES (?1, ?2, ?3, ?4, ?5, ?6, 1)"
                " ON CONFLICT (owner) DO UPDATE"
                ' SET start = ?4, "end" = ?5, bottom = ?6, beat = beat + 1',
                (self._owner, resource, scope, min(start, top), top, limit),
            )
        return limit

    def release(self) -> None:
        """Give it up. A second call does nothing."""
        _ALIVE.discard(self._owner)
        self._claims.database.run("DELETE FROM claim WHERE owner = ?", (self._owner,))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()


def _beside(piece: Span, others: list[_Held]) -> Span | None:
    """What of a free piece to take: where somebody comes down on it, its lower half, if any."""
    above = next((held for held in others if held.span.end > held.span.start == piece.end), None)
    if above is None or above.bottom >= piece.end:
        return piece
    if piece.length <= above.span.length:
        return None  # it will be there before long
    half = Span(piece.start, floor(piece.start + piece.length // 2, MINUTE))
    return half if half.length else None


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
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except OSError:
        return None
    return None  # there is such a process; whether it is still that one only the beat tells
