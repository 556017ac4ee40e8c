"""Accounts: one pace for each, whoever asks for it.

An account is a base URL and an auth id, so that an emulator never slows a real one. Clients of
one account in one process get the same ledger, and processes the same file, whatever store
each of them uses: the server counts them together.
"""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING

from plivo_analysis.http.rate_limit.limiter import PERIOD_SECONDS, Limiter
from plivo_analysis.http.rate_limit.shared_state import SharedState
from plivo_analysis.http.rate_limit.state import MemoryState, StateStore
from plivo_analysis.system.folders import state_folder

if TYPE_CHECKING:
    from pathlib import Path

    from plivo_analysis.system.clock import Clock

FILE_NAME = "pacing.sqlite"
FASTEST_SHARED = 300.0  # requests a minute; above it a file would cost more than it saves

_ledgers: dict[tuple[Path | None, str, float, str], StateStore] = {}
_lock = threading.Lock()


def account_limiter(
    base_url: str,
    auth_id: str,
    requests_per_minute: float,
    *,
    clock: Clock,
    period: float = PERIOD_SECONDS,
) -> Limiter:
    """A limiter for an account, which all that ask for this account and period share.

    Up to 300 requests a minute they share it with other processes, above with the threads of
    this one only. Without a limit there is nothing to share.

    Args:
        base_url: Where the account is asked.
        auth_id: The account.
        requests_per_minute: What it is granted; any positive number.
        clock: Tells the time and waits.
        period: Over how many seconds the server counts.

    Raises:
        FilterError: The rate is not a positive number.

    Example:
        >>> from plivo_analysis.system.clock import SystemClock
        >>> one, other = (
        ...     account_limiter("http://127.0.0.1:9", "MAXX", 3360, clock=SystemClock(), period=5)
        ...     for _ in range(2)
        ... )
        >>> one.ledger is other.ledger
        True
    """
    limiter = Limiter(requests_per_minute, clock=clock, period=period)
    rate = limiter.requests_per_minute
    if math.isfinite(rate):
        path = state_folder() / FILE_NAME if rate <= FASTEST_SHARED else None
        limiter.ledger = _ledger(path, f"{base_url} {auth_id}", period, clock)
    return limiter


def _ledger(path: Path | None, account: str, period: float, clock: Clock) -> StateStore:
    key = (path, account, period, clock.origin)
    with _lock:
        if key not in _ledgers:
            _ledgers[key] = MemoryState() if path is None else SharedState(path, account, clock)
        return _ledgers[key]
