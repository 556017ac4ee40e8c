"""The ledger: where the state of the pace lies, and that one at a time changes it.

The state is that of the account, whatever its requests list, unless it was found out that the
server counts lists of different things apart. Then each has a state of its own.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from plivo_analysis.http.rate_limit.window import WindowState

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager


class StateStore(Protocol):
    """Where the state of the pace lies."""

    def open(self, kind: str = "") -> AbstractContextManager[WindowState]:
        """The state, to be read and changed by nobody else until the block ends.

        Its limit is the business of whoever opens it: two clients may have been told
        different ones.

        Args:
            kind: What is listed. It matters only where kinds are counted apart.
        """

    def count_apart(self, apart: bool) -> None:
        """Note whether the server counts kinds apart, for all that share this ledger."""


class MemoryState:
    """The state in memory: shared by the threads of this process.

    Example:
        >>> with MemoryState().open() as pace:
        ...     pace.limit
        20
    """

    def __init__(self) -> None:
        self._paces: defaultdict[str, WindowState] = defaultdict(WindowState)
        self._apart = False
        self._lock = threading.Lock()

    @contextmanager
    def open(self, kind: str = "") -> Iterator[WindowState]:
        """The state, to be read and changed by nobody else until the block ends."""
        with self._lock:
            yield self._paces[kind if self._apart else ""]

    def count_apart(self, apart: bool) -> None:
        """Note whether the server counts kinds apart."""
        with self._lock:
            self._apart = apart
