"""The shared ledger: the state of an account's pace in a file, for every process of the user.

Whoever opens the ledger holds the file's lock until the block ends, which takes about a
millisecond, so that processes take turns as threads do. Times are the computer's monotonic
ones, which nobody who sets the clock can move.

The file may be removed, broken, locked or forbidden at any time. Each process therefore
remembers what it last read. It goes on alone with that, says so once, and tries the file again
a minute later; whatever is in the file then and whatever it remembers are merged.
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

RETRY = 60.0  # seconds without the file after it failed


@dataclass(slots=True)
class _Line:
    """A line of the file as this process last read it."""

    pace: WindowState = field(default_factory=WindowState)
    birth: str = ""  # empty while out of step with the file


class SharedState:
    """The state in a file: shared by all processes that name the same file and account.

    Args:
        path: The file. It and its folder are made where they are missing.
        account: Whose state it is. The file holds a digest of it only.
        clock: Tells the time; clocks of one origin share the state.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> from plivo_analysis.system.clock import SystemClock
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder) / "pacing.sqlite"
        ...     one, other = (SharedState(path, "an account", SystemClock()) for _ in range(2))
        ...     with one.open() as pace:
        ...         ticket = pace.join(one.clock.monotonic())
        ...     with other.open() as pace:
        ...         ticket in pace.queue
        True
    """

    def __init__(self, path: Path, account: str, clock: Clock) -> None:
        self.path = path
        self.account = account
        self.clock = clock
        self._lock = threading.Lock()
        self._lines: defaultdict[str, _Line] = defaultdict(_Line)
        self._apart = False
        self._alone_until = -math.inf
        self._stumbled = False
        self._warned = False

    @contextmanager
    def open(self, kind: str = "") -> Iterator[WindowState]:
        """The state, to be read and changed by nobody else until the block ends."""
        with self._lock:
            page = self._turn_to(kind)
            line = self._line(kind)
            try:
                yield line.pace
                if page is not None:
                    self._keep(page, line)
            finally:
                if page is not None:
                    page.close()

    def count_apart(self, apart: bool) -> None:
        """Note whether the server counts kinds apart, for every process."""
        with self._lock:
            page = self._turn_to("")
            self._count(apart=apart)
            if page is not None:
                with closing(page), suppress(Unusable):  # known to this process at least
                    page.count_apart(apart)

    def _count(self, *, apart: bool) -> None:
        """Count kinds apart or together from now on; together, what each did is of all."""
        if self._apart and not apart:
            together = _Line()
            for line in self._lines.values():
                together.pace.merge(line.pace)
            self._lines = defaultdict(_Line, {"": together})
        self._apart = apart

    def _line(self, kind: str) -> _Line:
        return self._lines[kind if self._apart else ""]

    def _turn_to(self, kind: str) -> StoredState | None:
        """The account's page, with its state taken in; None to go alone."""
        if self.clock.monotonic() < self._alone_until:
            return None
        reason = ""
        for _ in range(2):  # a broken file is set aside, and another one made
            try:
                page = StoredState(self.path, self.account, self.clock.origin, kind)
                self._count(apart=page.apart)
                self._take(page, self._line(kind))
            except Broken as broken:
                reason = str(broken)
            except Unusable as unusable:
                reason = str(unusable)
                break
            else:
                if reason:
                    self._warn(f"{reason}; a new one was made.")
                return page
        self._go_alone(reason)
        return None

    def _take(self, page: StoredState, line: _Line) -> None:
        now = self.clock.monotonic()
        birth, pace = page.read() or (secrets.token_hex(8), self._before(page, now))
        pace.settle(now)
        if birth != line.birth:
            pace.merge(line.pace)
        line.pace, line.birth = pace, birth

    @staticmethod
    def _before(page: StoredState, now: float) -> WindowState:
        """What other starts of the computer left: it ended when this one began, at the latest."""
        pace = WindowState()
        if now < pace.window:
            for other in page.others():
                tickets = [*other.flying, *(ticket for _, ticket in other.ended)]
                pace.ended.extend((0.0, ticket) for ticket in tickets)
        return pace

    def _keep(self, page: StoredState, line: _Line) -> None:
        try:
            page.write(line.birth, line.pace, self.clock.now().timestamp())
        except Unusable as unusable:
            reason = str(unusable)
        else:
            self._stumbled = False
            return
        # Once: it may have been removed just now, and the next page is merged with what is here.
        line.birth = ""
        if self._stumbled:
            self._go_alone(reason)
        self._stumbled = True

    def _go_alone(self, reason: str) -> None:
        for line in self._lines.values():
            line.birth = ""
        self._alone_until = self.clock.monotonic() + RETRY
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
