"""Pulls: rows a request, time over the limit's floor, and refusals under four kinds of limit.

The account is served over real sockets. Time is made up, and the same for both sides: it
passes while somebody waits, and for a while with each request, so that an hour at the limit
takes seconds. The floor is what any client takes that sends as many requests at the limit's speed,
one after the other, since each page says where the next one begins.
"""

from __future__ import annotations

import os
import tempfile
import zlib
from datetime import timedelta
from statistics import mean
from typing import TYPE_CHECKING, Any

import plivo_analysis as pva
from benchmarks.harness import judge, size
from plivo_analysis.api.resources import SESSION_RESOURCE
from plivo_analysis.emulator import (
    AUTH_ID,
    AUTH_TOKEN,
    Behaviour,
    FixedWindow,
    Server,
    SlidingWindow,
    TokenBucket,
    generate,
)
from plivo_analysis.emulator.account import DEFAULT_NOW
from plivo_analysis.parsing.pages import read_page
from plivo_analysis.system.clock import FrozenWallClock
from plivo_analysis.system.folders import HOME_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable

    from plivo_analysis.emulator import Account
    from plivo_analysis.emulator.limiters import ServerLimiter as Limiter

LONG = False
SESSIONS = 3000

_MINUTE, _AT_ONCE = 60.0, 20  # the documented limit
_TAKES = 0.35  # seconds of made-up time that a request takes
_REFUSED = 429
_ROWS = 20  # of a full page
_BEHAVIOURS = {
    "as documented": Behaviour(),
    "bounds cut to the minute": Behaviour(precision=timedelta(minutes=1)),
    "oldest first": Behaviour(order="oldest"),
    "random order": Behaviour(order="random"),
    "10 rows a page": Behaviour(page_size=10),
}


class MadeUpClock(FrozenWallClock):
    """Time that passes only where it is told to."""

    def __init__(self) -> None:
        super().__init__(DEFAULT_NOW)
        self._passed = 0.0

    @property
    def origin(self) -> str:
        """Nobody else's."""
        return f"made up {id(self)}"

    def monotonic(self) -> float:
        """Seconds that have passed."""
        return self._passed

    def wait(self, seconds: float, cancel: Any = None) -> bool:
        """Let them pass at once."""
        self._passed += seconds
        return cancel is not None and cancel.is_set()


def main() -> None:
    """Measure each limiter, then each behaviour."""
    sessions = size(SESSIONS)
    account = generate(sessions=sessions)
    print(f"{sessions:,} sessions of 90 days, pulled at {_AT_ONCE} a minute")
    limiters: dict[str, tuple[Callable[[MadeUpClock], Limiter], Callable[[int], float]]] = {
        "fixed window": (lambda clock: FixedWindow(clock=clock.monotonic), _by_windows),
        "sliding window": (lambda clock: SlidingWindow(clock=clock.monotonic), _by_windows),
        "token bucket": (lambda clock: TokenBucket(clock=clock.monotonic), _by_drops),
        "one in 3 seconds": (
            lambda clock: SlidingWindow(1, seconds=3.0, clock=clock.monotonic),
            _evenly,
        ),
    }
    print(f"  {'limiter':<24}{'requests':>10}{'rows each':>11}{'time ÷ floor':>14}{'refused':>9}")
    for name, (make, floor) in limiters.items():
        clock = MadeUpClock()
        server, _ = _pull(account, clock, limiter=make(clock))
        asked = sum(request.status != _REFUSED for request in server.log)
        refused = 1 - asked / len(server.log)
        over = clock.monotonic() / floor(asked)
        print(f"  {name:<24}{asked:>10}{sessions / asked:>11.2f}{over:>14.3f}{refused:>9.1%}")
        judge(f"pull against the floor of a limit, {name}", over, 1.02, "×")
    print(f"  {'behaviour':<24}{'requests':>10}{'rows each':>11}{'on full pages':>15}")
    for name, behaviour in _BEHAVIOURS.items():
        server, full = _pull(account, MadeUpClock(), behaviour=behaviour)
        asked = len(server.log)
        print(f"  {name:<24}{asked:>10}{sessions / asked:>11.2f}{full:>15.2f}")
        if name == "as documented":
            judge("rows a request on full pages", full, 19, "rows", least=True)


def _pull(account: Account, clock: MadeUpClock, **options: Any) -> tuple[Server, float]:
    """Pull all of an account into a new store; also how many new rows a full page brought."""
    with tempfile.TemporaryDirectory() as home, Server(account, **options) as server:
        os.environ[HOME_VARIABLE] = home
        try:
            with pva.Client(AUTH_ID, AUTH_TOKEN, base_url=server.url, clock=clock) as client:
                pva.load_sessions(
                    since="90d",
                    client=client,
                    progress=lambda _done, _total, _words: clock.wait(_TAKES) and None,
                )
                full = _new_rows_of_full_pages(client)
        finally:
            del os.environ[HOME_VARIABLE]
    return server, full


def _new_rows_of_full_pages(client: pva.Client) -> float:
    """How many new rows a full page brought; the others are the ends of what was asked for."""
    known: set[str] = set()
    counts = []
    for (body,) in client.store.database.run("SELECT body FROM page ORDER BY id"):
        page = read_page(zlib.decompress(body), SESSION_RESOURCE, AUTH_ID)
        keys = {record.key for record in page.records}
        if page.received == _ROWS:
            counts.append(len(keys - known))
        known |= keys
    return mean(counts) if counts else 0.0


def _by_windows(requests: int) -> float:
    """The seconds that so many take: a whole window for each full one, then the last ones."""
    full, last = divmod(requests - 1, _AT_ONCE)
    return _MINUTE * full + _TAKES * (last + 1)


def _by_drops(requests: int) -> float:
    """The seconds that so many take: a full bucket at once, then drop by drop."""
    return _MINUTE / _AT_ONCE * max(0, requests - _AT_ONCE) + _TAKES


def _evenly(requests: int) -> float:
    """The seconds that so many take, evenly."""
    return _MINUTE / _AT_ONCE * (requests - 1) + _TAKES
