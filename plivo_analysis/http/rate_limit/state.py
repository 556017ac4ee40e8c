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
from collections import defaultdict
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from plivo_analysis.errors import PlivoAnalysisWarning
from plivo_analysis.http.rate_limit.state_file import Broken, StoredState, Unusable
from plivo_analysis.http.rate_limit.window import WindowState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plivo_analysis.system.clock import Clock

RETRY_SECONDS = 60.0  # without the file after it failed


@dataclass(slots=True)
class _Remembered:
    """A state as this process last read or changed it."""

    state: WindowState = field(default_factory=WindowState)
    generation: str = ""  # of the line it was read from; empty while out of step with the file


class SharedState:
    """The state of one account: for all processes that name the same file, or in memory.

    It is one state, whatever the requests list, until it was found out that the server counts
    lists of different kinds apart. Then each kind has its own.

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
        ...         ticket = state.join(one.clock.monotonic())
        ...     with other.open() as state:
        ...         ticket in state.queue
        True
    """

    def __init__(self, path: Path | None, account: str, clock: Clock) -> None:
        self.path = path
        self.account = account
        self.clock = clock
        self._lock = threading.Lock()
        self._remembered: defaultdict[str, _Remembered] = defaultdict(_Remembered)
        self._apart = False
        self._alone_until = -math.inf
        self._failed_write = False
        self._warned = False

    @contextmanager
    def open(self, kind: str = "") -> Iterator[WindowState]:
        """The state, to be read and changed by one thread of one process until the block ends.

        Args:
            kind: What is listed. It matters only where kinds are counted apart.
        """
        with self._lock:
            stored = self._load(kind)
            remembered = self._of(kind)
            try:
                yield remembered.state
                if stored is not None:
                    self._save(stored, remembered)
            finally:
                if stored is not None:
                    stored.close()

    def count_apart(self, apart: bool) -> None:
        """Note whether the server counts kinds apart, for every process."""
        with self._lock:
            stored = self._load("")
            self._count(apart=apart)
            if stored is not None:
                with closing(stored), suppress(Unusable):  # known to this process at least
                    stored.count_apart(apart)

    def _count(self, *, apart: bool) -> None:
        """Count kinds apart or together from now on; together, what each sent is of all."""
        if self._apart and not apart:
            together = _Remembered()
            for remembered in self._remembered.values():
                together.state.merge(remembered.state)
            self._remembered = defaultdict(_Remembered, {"": together})
        self._apart = apart

    def _of(self, kind: str) -> _Remembered:
        return self._remembered[kind if self._apart else ""]

    def _load(self, kind: str) -> StoredState | None:
        """The account's line in the locked file, taken into memory; None to go alone."""
        if self.path is None or self.clock.monotonic() < self._alone_until:
            return None
        reason = ""
        for _ in range(2):  # a broken file is set aside, and another one made
            try:
                stored = StoredState(self.path, self.account, self.clock.origin, kind)
                self._count(apart=stored.apart)
                self._take_in(stored, self._of(kind))
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

    def _take_in(self, stored: StoredState, remembered: _Remembered) -> None:
        now = self.clock.monotonic()
        generation, state = stored.read() or (secrets.token_hex(8), self._before(stored, now))
        state.rewind(now)
        # The line we know holds all that we did, since we wrote it or read it after others did.
        # Another generation is a new file: it lacks what we remember of the old one. Without
        # this merge, a removed file would allow a burst.
        if generation != remembered.generation:
            state.merge(remembered.state)
        remembered.state, remembered.generation = state, generation

    @staticmethod
    def _before(stored: StoredState, now: float) -> WindowState:
        """What other starts of the computer left: it ended when this one began, at the latest."""
        state = WindowState()
        if now < state.window:
            for other in stored.others():
                tickets = [*other.in_flight, *(ticket for _, ticket in other.finished)]
                state.finished.extend((0.0, ticket) for ticket in tickets)
        return state

    def _save(self, stored: StoredState, remembered: _Remembered) -> None:
        try:
            stored.write(remembered.generation, remembered.state, self.clock.now().timestamp())
        except Unusable as unusable:
            reason = str(unusable)
        else:
            self._failed_write = False
            return
        # Not alone yet: the file may just have been removed. The next one is merged with memory.
        remembered.generation = ""
        if self._failed_write:
            self._go_alone(reason)
        self._failed_write = True

    def _go_alone(self, reason: str) -> None:
        for remembered in self._remembered.values():
            remembered.generation = ""
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
