"""The window's state: shared by the threads of this process and, in a file, by all processes.

A thread that opens the state holds the file's lock until the block ends, which takes about a
millisecond, so that processes take turns as threads do. Times are the computer's monotonic
ones, which do not change when the wall clock is set.

The file may be removed, broken, locked or forbidden at any time. Each process therefore
remembers what it last read. It goes on alone with that, says so once, and tries the file again
a minute later; what is in the file then and what it remembers are merged.
"""

from __future__ import annotations

import math
import secrets
import threading
import warnings
from contextlib import closing, contextmanager, nullcontext
from typing import TYPE_CHECKING

from plivo_analysis.errors import PlivoAnalysisWarning
from plivo_analysis.http.rate_limit.state_file import AccountState, Broken, StoredState, Unusable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plivo_analysis.system.clock import Clock

RETRY_SECONDS = 60.0  # without the file after it failed


class SharedState:
    """The state of one account: for all processes that name the same file, or in memory.

    Args:
        path: The file. It and its folder are made where they are missing. None keeps the state
            in memory, for the threads of this process.
        account: Whose state it is. The file holds a digest of it only.
        clock: Tells the time; clocks of one origin share the state.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from plivo_analysis.system.clock import Clock
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "rate_limit.sqlite"
        ...     one, other = (SharedState(path, "an account", Clock()) for _ in range(2))
        ...     with one.open() as state:
        ...         ticket = state.window("").probe(one.clock.monotonic())
        ...     with other.open() as state:
        ...         ticket in state.window("").in_flight
        True
    """

    def __init__(self, path: Path | None, account: str, clock: Clock) -> None:
        self.path = path
        self.account = account
        self.clock = clock
        self._lock = threading.Lock()
        self._state = AccountState()  # as this process last read or changed it
        self._generation = ""  # of the line it was read from; empty while out of step with it
        self._alone_until = -math.inf
        self._failed_write = False
        self._warned = False

    @contextmanager
    def open(self) -> Iterator[AccountState]:
        """The state, to be read and changed by one thread of one process until the block ends."""
        with self._lock:
            stored = self._load()
            with closing(stored) if stored is not None else nullcontext():
                yield self._state
                if stored is not None:
                    self._save(stored)

    def _load(self) -> StoredState | None:
        """The account's line in the locked file, taken into memory; None to go alone."""
        if self.path is None or self.clock.monotonic() < self._alone_until:
            return None
        reason = ""
        for _ in range(2):  # a broken file is set aside, and another one made
            try:
                stored = StoredState(self.path, self.account, self.clock.origin)
                self._take_in(stored)
            except Broken as broken:
                reason = str(broken)
            except Unusable as unusable:
                reason = str(unusable)
                break
            else:
                if reason:
                    self._warn(f"{reason}; a new one was made.")
                return stored
        self._go_alone(reason)
        return None

    def _take_in(self, stored: StoredState) -> None:
        now = self.clock.monotonic()
        generation, state = stored.read() or (secrets.token_hex(8), self._before(stored, now))
        for window in state.windows.values():
            window.rewind(now)
        # The line we know holds all that we did, since we wrote it or read it after others did.
        # Another generation is a new file: it lacks what we remember of the old one. Without
        # this merge, a removed file would allow a burst.
        if generation != self._generation:
            state.merge(self._state)
        self._state, self._generation = state, generation

    @staticmethod
    def _before(stored: StoredState, now: float) -> AccountState:
        """What other starts of the computer left: it ended when this one began, at the latest."""
        # Times count from this start, so that all before it ended at 0 or earlier. Taken for 0,
        # a request is never forgotten too early; after one window nothing of it counts.
        state, others = AccountState(), stored.others()
        if others:
            state.apart = others[0].apart
        for other in others:
            for kind, window in other.windows.items():
                if now < window.window:
                    tickets = (*window.in_flight, *window.finished)
                    state.windows[kind].finished.update(dict.fromkeys(tickets, 0.0))
        return state

    def _save(self, stored: StoredState) -> None:
        try:
            stored.write(self._generation, self._state, self.clock.now().timestamp())
            self._failed_write = False
        except Unusable as unusable:
            # Not alone yet: the file may just have been removed. The next one is merged with
            # memory.
            self._generation = ""
            if self._failed_write:
                self._go_alone(str(unusable))
            self._failed_write = True

    def _go_alone(self, reason: str) -> None:
        self._generation = ""
        self._alone_until = self.clock.monotonic() + RETRY_SECONDS
        self._warn(f"{reason}. This process keeps to the limit, but it does not see the others.")

    def _warn(self, text: str) -> None:
        if self._warned:
            return
        self._warned = True
        warnings.warn(
            f"The file {self.path} lets all programs of an account share its limit: {text}",
            PlivoAnalysisWarning,
            stacklevel=2,
        )
