"""The ledger: where the state of the pace lies, and that one at a time changes it."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

from plivo_analysis.pacing.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager


class Ledger(Protocol):
    """Where the state of the pace lies."""

    def open(self) -> AbstractContextManager[Pace]:
        """The state, to be read and changed by nobody else until the block ends.

        Its limit is the business of whoever opens it: two clients may have been told
        different ones.
        """


class MemoryLedger:
    """The state in memory: shared by the threads of this process.

    Example:
        >>> with MemoryLedger().open() as pace:
        ...     pace.limit
        20
    """

    def __init__(self) -> None:
        self._pace = Pace()
        self._lock = threading.Lock()

    @contextmanager
    def open(self) -> Iterator[Pace]:
        """The state, to be read and changed by nobody else until the block ends."""
        with self._lock:
            yield self._pace
