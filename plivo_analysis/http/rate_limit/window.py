"""The arithmetic of the rate limit: who may send when, given what was sent before.

It has no clock, no lock and no waiting, only state and the rules that move it. So tests can try
the rules on any history in no time, and the state can be in memory or in a file that several
processes open in turn. The rules:

- At most ``limit`` requests in any ``window``, counted from the end of the response. A request
  in flight holds its place. The server counts a request at some moment between its start and
  its end, so no window of the server's can ever hold more than ``limit`` of ours.
- The window is a little longer than the server's period (60.5 s for 60 s), for jitter.
- Turns go in order of arrival. A later ticket may pass an earlier one only if there is room
  for both.
- A refusal (429) that this arithmetic did not foresee means that the server counts otherwise,
  or that another program spends from the same budget. After the second, requests are spread
  evenly; after each further one the budget is halved, and it grows back by a twentieth of the
  limit for each window without a refusal. An hour after the last one all of it is forgotten.
- The place of a process that vanished is given up after a lease, its ticket in the queue sooner.
- A clock that is behind what it stamped was restarted: the stamps move with it.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from itertools import takewhile
from operator import itemgetter

MARGIN = 1 / 120  # of the period: 0.5 s in 60 s
SPREAD = 64 / 60  # even spacing, as a part of the period's share: 3.2 s for 20 in 60 s
PERMIT_LEASE_SECONDS = 90.0  # longer than any request can take
PATIENCE_SECONDS = 10.0  # a waiting process asks about once a second
FORGIVEN_SECONDS = 3600.0
NEVER = float("-inf")
_REFUSALS_UNTIL_EVEN = 2
_GROWTH = 1 / 20
BY_TICKET = ("finished", "in_flight", "queue")
STAMPS = ("last_finished", "refused_at", "cap_changed_at", "paused_until")


@dataclass(slots=True)
class WindowState:
    """What was sent, what is in flight, who waits, and how fast it may go.

    All times are seconds on one monotonic clock, given by the caller. A ticket names one
    request among those of all processes.

    Args:
        limit: How many requests the account grants in one period.
        period: The server's period in seconds.
        finished: Which tickets' responses ended when, the earliest first.
        in_flight: Which ticket's request is under way, and since when.
        queue: Which tickets wait, in order, and when each last asked.
        last_finished: When a response last ended.
        cap: What refusals have left of the limit.
        refusals: How many there were, of late.
        refused_at: When the last one came.
        cap_changed_at: When the cap last changed.
        paused_until: When a refusal's pause ends.

    Example:
        >>> state = WindowState(limit=1, period=60.0)
        >>> first, second = new_ticket(), new_ticket()
        >>> state.turn(first, 0.0)
        0.0
        >>> state.finish(first, 2.0)
        >>> state.turn(second, 2.0)
        60.5
    """

    limit: int = 20
    period: float = 60.0
    finished: dict[str, float] = field(default_factory=dict)
    in_flight: dict[str, float] = field(default_factory=dict)
    queue: dict[str, float] = field(default_factory=dict)
    last_finished: float = NEVER
    cap: float = float("inf")
    refusals: int = 0
    refused_at: float = NEVER
    cap_changed_at: float = NEVER
    paused_until: float = NEVER

    @property
    def budget(self) -> float:
        """How many requests go in one window, at present."""
        return min(self.cap, float(self.limit))

    @property
    def window(self) -> float:
        """How long a request counts after its response ended, in seconds."""
        return self.period * (1 + MARGIN)

    @property
    def even(self) -> bool:
        """Whether requests are spread evenly rather than sent as they come."""
        return self.refusals >= _REFUSALS_UNTIL_EVEN

    def probe(self, now: float) -> str:
        """A ticket that goes at once, room or none: for a request that is meant to be refused."""
        ticket = new_ticket()
        self._advance(now)
        self.in_flight[ticket] = now
        return ticket

    def turn(self, ticket: str, now: float) -> float:
        """Seconds until this ticket's turn; 0.0 lets it go, and it holds its place from then.

        One that asks for the first time queues at the end. Until its turn it has to ask again
        every few seconds, or it loses its place.
        """
        self._advance(now)
        self.queue[ticket] = now  # a dict keeps the place of a key that it has
        wait = self._opening(list(self.queue).index(ticket), now)
        if wait > 0:
            return wait
        del self.queue[ticket]
        self.in_flight[ticket] = now
        return 0.0

    def leave(self, ticket: str) -> None:
        """Give up waiting, or a turn that came and was not used."""
        self.queue.pop(ticket, None)
        self.in_flight.pop(ticket, None)

    def finish(self, ticket: str, now: float) -> None:
        """The response of this ticket's request ended."""
        if self.in_flight.pop(ticket, None) is not None:
            self.finished[ticket] = now
            if now < self.last_finished:  # a lease that ended before somebody noticed
                self.finished = _by_time(self.finished)
            self.last_finished = max(self.last_finished, now)

    def back_off(self, started: float, seconds: float, now: float) -> None:
        """The server refused a request that began at ``started``: nothing goes for so long."""
        self.pause(seconds, now)
        # Several refusals of one burst are one lesson: those that began before the last refusal
        # was known say nothing about what was changed because of it.
        if started < self.refused_at:
            return
        if self.even:
            self.cap = max(1.0, self.budget / 2)
        self.refusals += 1
        self.refused_at = now
        self.cap_changed_at = now + seconds  # the budget grows from the end of the pause on

    def pause(self, seconds: float, now: float) -> None:
        """Nothing goes for so many seconds."""
        self.paused_until = max(self.paused_until, now + seconds)

    def estimate(self, requests: int, now: float) -> float:
        """Seconds until the last of so many further requests may begin."""
        if requests < 1:
            return 0.0
        self._advance(now)
        return self._opening(len(self.queue) + requests - 1, now)

    def asking(self, now: float) -> int:
        """How many requests are under way or wait for their turn."""
        self._advance(now)
        return len(self.in_flight) + len(self.queue)

    def merge(self, other: WindowState) -> None:
        """Take in what another record of the same requests knows.

        A request that only one of them knows counts as well. One that either of them saw end is no
        longer in flight, one that was sent is no longer in the queue.
        """
        ends = {**self.finished, **other.finished}
        self.finished = _by_time(ends)
        in_flight = {**other.in_flight, **self.in_flight}
        self.in_flight = {ticket: at for ticket, at in in_flight.items() if ticket not in ends}
        # Our own order first: the queue's order is the order of the dict.
        queue = {**self.queue, **{t: at for t, at in other.queue.items() if t not in self.queue}}
        sent = self.in_flight.keys() | ends.keys()
        self.queue = {ticket: at for ticket, at in queue.items() if ticket not in sent}
        self.cap = min(self.cap, other.cap)
        self.refusals = max(self.refusals, other.refusals)
        for name in STAMPS:
            setattr(self, name, max(getattr(self, name), getattr(other, name)))

    def rewind(self, now: float) -> None:
        """Move all stamps back by as much as the latest is ahead of the clock.

        A restarted clock says nothing of how long ago a stamp was. Taken for just now, it costs
        at most one window of waiting, and no burst.
        """
        stamps = (
            self.last_finished,
            self.refused_at,
            *self.in_flight.values(),
            *self.queue.values(),
        )
        ahead = max(stamps) - now
        if ahead > 0:
            for name in BY_TICKET:
                times = getattr(self, name)
                setattr(self, name, {ticket: at - ahead for ticket, at in times.items()})
            for name in STAMPS:
                setattr(self, name, getattr(self, name) - ahead)

    def _opening(self, place: int, now: float) -> float:
        """Seconds until the request with so many others ahead of it in the queue may begin."""
        if not self.even:
            return self._room(place, now)
        budget = int(self.budget)
        spacing = self.period / budget * SPREAD
        # Spacing counts from the last end; while a request is in flight, its end is not before
        # now. A quiet time before does not add up to a burst.
        last = now if self.in_flight else max(self.last_finished, now - spacing)
        first = max(0.0, self.paused_until - now, last + spacing - now)
        # One ahead may have to wait for room in the window; the others follow it evenly. Those
        # after the first few need no room made for them: spacing leaves enough.
        held = len(self.finished) + len(self.in_flight)
        rooms = (
            self._room(ahead, now) + (place - ahead) * spacing
            for ahead in range(max(0, budget - held), min(place + 1, budget))
        )
        return max([first + place * spacing, *rooms])

    def _room(self, place: int, now: float) -> float:
        """Seconds until it may begin as far as the window and a refusal's pause go.

        Number all requests in the order in which they leave the window: first those finished,
        oldest first, then those in flight (which cannot end before now), then the queue. The
        request at ``held + place`` may begin when the one ``budget`` numbers earlier has left.
        Where that one is itself still to come, it is a whole window behind the one ``budget``
        numbers before it: go back by budgets until one is met that was sent.
        """
        # With a budget of 20 and 20 sent, the 3rd in the queue is number 22 and waits for number
        # 2 to leave; the 23rd is number 42, which waits for number 22, a window after number 2.
        budget = int(self.budget)
        held = len(self.finished) + len(self.in_flight)
        earlier = held + place - budget
        windows = max(0, (earlier - held) // budget + 1)
        earlier -= windows * budget
        wait = max(0.0, self.paused_until - now)
        if earlier >= 0:
            freed = [*self.finished.values(), now][min(earlier, len(self.finished))]
            wait = max(wait, freed + self.window - now)
        return windows * self.window + wait

    def _advance(self, now: float) -> None:
        """Forget what is out of the window or was given up, and let the budget grow back."""
        for ticket, started in list(self.in_flight.items()):
            if started <= now - PERMIT_LEASE_SECONDS:
                # Its owner vanished. It may have been counted as late as the lease's end, so
                # that it leaves the window a whole window after that, however late this is seen.
                self.finish(ticket, started + PERMIT_LEASE_SECONDS)
        # Looked at from the front only: without a limit there may be many thousands.
        for ticket in list(
            takewhile(lambda t: self.finished[t] <= now - self.window, self.finished)
        ):
            del self.finished[ticket]
        for ticket, asked in list(self.queue.items()):
            if asked <= now - PATIENCE_SECONDS:
                del self.queue[ticket]
        # One step for each window that passed, however long nobody asked.
        while self.budget < self.limit and self.cap_changed_at <= now - self.window:
            self.cap = self.budget + max(1.0, self.limit * _GROWTH)
            self.cap_changed_at += self.window
        if self.refused_at <= now - FORGIVEN_SECONDS:
            self.refusals, self.cap = 0, float("inf")


def new_ticket() -> str:
    """A ticket that no other process draws.

    Example:
        >>> len(new_ticket())
        16
    """
    return secrets.token_hex(8)


def _by_time(times: dict[str, float]) -> dict[str, float]:
    return dict(sorted(times.items(), key=itemgetter(1)))
