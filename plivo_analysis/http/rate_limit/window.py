"""The arithmetic of the limit: who may send when, given what was sent before.

No clock, no lock and no waiting in here, only state and the rules that move it, so that the
rules can be tried on any history in no time, and the state can lie in memory or in a file
that several processes open in turn. The rules:

- At most ``limit`` requests in any ``window``, counted from the end of the response. A request
  under way holds its place. The server counts a request at some moment between its start and
  its end, so no window of the server's can ever hold more than ``limit`` of ours.
- The window is a little longer than the server's period (60.5 s for 60 s), for jitter.
- Turns go in order of arrival. A later ticket may pass an earlier one only if there is room
  for both.
- A refusal (429) that this arithmetic did not foresee means that the server counts otherwise,
  or that another program spends from the same budget. After the second, requests are spread
  evenly; after each further one the budget is halved, and it grows back by a twentieth of the
  limit for each window without a refusal. An hour after the last one all of it is forgotten.
- A place whose owner vanished is given up after a lease, a ticket nobody asks for sooner.
- A clock that lies before what it stamped has begun anew: the stamps move with it.
"""

from __future__ import annotations

import secrets
from bisect import insort
from collections import deque
from dataclasses import dataclass, field

MARGIN = 1 / 120  # of the period: 0.5 s in 60 s
SPREAD = 64 / 60  # even spacing, as a part of the period's share: 3.2 s for 20 in 60 s
LEASE = 90.0  # seconds: longer than any request can take
PATIENCE = 10.0  # seconds: whoever waits asks about once a second
FORGIVEN = 3600.0  # seconds
NEVER = float("-inf")
_REFUSALS_UNTIL_EVEN = 2
_GROWTH = 1 / 20
_TICKET_BITS = 62


@dataclass(slots=True)
class WindowState:
    """What was sent, what is under way, who waits, and how fast it may go.

    All times are seconds on one monotonic clock, given by the caller. A ticket is a number that
    no other process draws.

    Args:
        limit: How many requests the account grants in one period.
        period: The server's period in seconds.
        ended: When which ticket's response ended, in order.
        flying: Which ticket's request is under way, and since when.
        queue: Which tickets wait, in order, and when each last asked.
        last: When a response last ended.
        cap: What refusals have left of the limit.
        refusals: How many there were, of late.
        refused_at: When the last one came.
        changed_at: When the cap last changed.
        closed_until: When a refusal's pause ends.

    Example:
        >>> pace = WindowState(limit=1, period=60.0)
        >>> first, second = pace.join(0.0), pace.join(0.0)
        >>> pace.turn(first, 0.0)
        0.0
        >>> pace.land(first, 2.0)
        >>> pace.turn(second, 2.0)
        60.5
    """

    limit: int = 20
    period: float = 60.0
    ended: deque[tuple[float, int]] = field(default_factory=deque)
    flying: dict[int, float] = field(default_factory=dict)
    queue: dict[int, float] = field(default_factory=dict)
    last: float = NEVER
    cap: float = float("inf")
    refusals: int = 0
    refused_at: float = NEVER
    changed_at: float = NEVER
    closed_until: float = NEVER

    @property
    def budget(self) -> float:
        """How many requests go in one window, at present."""
        return min(self.cap, float(self.limit))

    @property
    def window(self) -> float:
        """How long a request counts after its response ended."""
        return self.period * (1 + MARGIN)

    @property
    def even(self) -> bool:
        """Whether requests are spread evenly rather than sent as they come."""
        return self.refusals >= _REFUSALS_UNTIL_EVEN

    def join(self, now: float) -> int:
        """A ticket at the end of the queue."""
        ticket = secrets.randbits(_TICKET_BITS)
        self.queue[ticket] = now
        return ticket

    def take(self, now: float) -> int:
        """A ticket that goes at once, room or none: for a request that is meant to be refused."""
        ticket = secrets.randbits(_TICKET_BITS)
        self._advance(now)
        self.flying[ticket] = now
        return ticket

    def leave(self, ticket: int) -> None:
        """Give a ticket back unused."""
        self.queue.pop(ticket, None)
        self.flying.pop(ticket, None)

    def turn(self, ticket: int, now: float) -> float:
        """Seconds until this ticket's turn; 0.0 lets it go, and it holds its place from then."""
        self._advance(now)
        self.queue[ticket] = now  # keeps its place; one that was given up queues again
        wait = self._opening(list(self.queue).index(ticket), now)
        if wait > 0:
            return wait
        del self.queue[ticket]
        self.flying[ticket] = now
        return 0.0

    def land(self, ticket: int, now: float) -> None:
        """The response of this ticket's request ended."""
        if self.flying.pop(ticket, None) is not None:
            insort(self.ended, (now, ticket))
            self.last = max(self.last, now)

    def refuse(self, started: float, pause: float, now: float) -> None:
        """The server refused a request that began at ``started``: nothing goes for ``pause``.

        Several refusals of one burst are one lesson.
        """
        self.close(pause, now)
        if started < self.refused_at:
            return
        if self.even:
            self.cap = max(1.0, self.budget / 2)
        self.refusals += 1
        self.refused_at = now
        self.changed_at = now + pause

    def close(self, pause: float, now: float) -> None:
        """Nothing goes for ``pause``."""
        self.closed_until = max(self.closed_until, now + pause)

    def estimate(self, requests: int, now: float) -> float:
        """Seconds until the last of so many further requests may begin."""
        if requests < 1:
            return 0.0
        self._advance(now)
        return self._opening(len(self.queue) + requests - 1, now)

    def merge(self, other: WindowState) -> None:
        """Take in what another record of the same requests knows.

        What only one of them knows did happen. A request that one of them saw end is under way
        no more.
        """
        ends = {ticket: end for end, ticket in (*self.ended, *other.ended)}
        self.ended = deque(sorted((end, ticket) for ticket, end in ends.items()))
        flying = {**other.flying, **self.flying}
        self.flying = {ticket: at for ticket, at in flying.items() if ticket not in ends}
        queue = {**self.queue, **{t: at for t, at in other.queue.items() if t not in self.queue}}
        gone = self.flying.keys() | ends.keys()
        self.queue = {ticket: at for ticket, at in queue.items() if ticket not in gone}
        self.cap = min(self.cap, other.cap)
        self.refusals = max(self.refusals, other.refusals)
        for name in ("last", "refused_at", "changed_at", "closed_until"):
            setattr(self, name, max(getattr(self, name), getattr(other, name)))

    def settle(self, now: float) -> None:
        """Move all stamps back by as much as the latest lies ahead of the clock.

        A clock that began anew says nothing of how long ago a stamp was. Taken for just now, it
        costs at most one window of waiting, and no burst.
        """
        stamps = [self.last, self.refused_at, *self.flying.values(), *self.queue.values()]
        ahead = max(stamps) - now
        if ahead > 0:
            self.ended = deque((end - ahead, ticket) for end, ticket in self.ended)
            self.flying = {ticket: at - ahead for ticket, at in self.flying.items()}
            self.queue = {ticket: at - ahead for ticket, at in self.queue.items()}
            for name in ("last", "refused_at", "changed_at", "closed_until"):
                setattr(self, name, getattr(self, name) - ahead)

    def _opening(self, place: int, now: float) -> float:
        """Seconds until the request with so many others ahead of it in the queue may begin."""
        if not self.even:
            return self._room(place, now)
        budget = int(self.budget)
        spacing = self.period / budget * SPREAD
        last = now if self.flying else max(self.last, now - spacing)
        first = max(0.0, self.closed_until - now, last + spacing - now)
        # One ahead may have to wait for room in the window; the others follow it evenly. Those
        # after the first few need no room made for them: spacing leaves enough.
        held = len(self.ended) + len(self.flying)
        rooms = (
            self._room(ahead, now) + (place - ahead) * spacing
            for ahead in range(max(0, budget - held), min(place + 1, budget))
        )
        return max([first + place * spacing, *rooms])

    def _room(self, place: int, now: float) -> float:
        """Seconds until it may begin as far as the window and a refusal's pause go.

        The n-th further request needs the request ``budget`` places earlier to be out of the
        window. Where that one is itself still to come, whole windows are counted from it.
        """
        budget = int(self.budget)
        held = len(self.ended) + len(self.flying)
        earlier = held + place - budget
        windows = max(0, (earlier - held) // budget + 1)
        earlier -= windows * budget
        wait = max(0.0, self.closed_until - now)
        if earlier >= 0:
            freed = self.ended[earlier][0] if earlier < len(self.ended) else now
            wait = max(wait, freed + self.window - now)
        return windows * self.window + wait

    def _advance(self, now: float) -> None:
        """Forget what is out of the window or was given up, and let the budget grow back."""
        for ticket, started in list(self.flying.items()):
            if started <= now - LEASE:
                self.land(ticket, started + LEASE)
        while self.ended and self.ended[0][0] <= now - self.window:
            self.ended.popleft()
        for ticket, seen in list(self.queue.items()):
            if seen <= now - PATIENCE:
                del self.queue[ticket]
        while self.budget < self.limit and self.changed_at <= now - self.window:
            self.cap = self.budget + max(1.0, self.limit * _GROWTH)
            self.changed_at += self.window
        if self.refused_at <= now - FORGIVEN:
            self.refusals, self.cap = 0, float("inf")
