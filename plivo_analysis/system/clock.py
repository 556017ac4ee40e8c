"""Time as an argument: what the time is, and how to wait so that a cancel acts at once.

Nothing else in the package reads the clock or sleeps. Tests pass a clock whose waits cost
nothing, and the demo account one whose wall time stands still while its waits are real.
"""

from __future__ import annotations

import functools
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

STEP_SECONDS = 1.0  # how often a listener is told what is left of a wait
_SLICE_SECONDS = 0.25  # some systems deliver Ctrl-C only between two waits


class Cancelled(Exception):  # noqa: N818 - no error: the caller asked for it
    """The caller's event was set while something was under way.

    It lies outside the public tree, because no caller of the package ever sees it: the one that
    passed the event catches it.

    Example:
        >>> issubclass(Cancelled, Exception)
        True
    """


class Clock(Protocol):
    """What the package needs of time."""

    @property
    def origin(self) -> str:
        """From where :meth:`monotonic` counts. Only times of one origin can be compared."""

    def now(self) -> datetime:
        """The wall's time, aware, in UTC."""

    def monotonic(self) -> float:
        """Seconds since some fixed moment, never going back."""

    def wait(self, seconds: float, cancel: threading.Event | None = None) -> bool:
        """Let ``seconds`` pass. Stops early and returns true if ``cancel`` is set."""


class SystemClock:
    """The clock of this computer.

    Example:
        >>> clock = SystemClock()
        >>> clock.now().tzinfo
        datetime.timezone.utc
        >>> clock.wait(0.001)
        False
    """

    @property
    def origin(self) -> str:
        """Which start of the computer it was; empty where the system does not tell."""
        return _boot()

    def now(self) -> datetime:
        """The wall's time, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since the computer was started, the same for all of its processes.

        Those that it slept count, where the system counts them.
        """
        linux = sys.platform == "linux"
        return time.clock_gettime(time.CLOCK_BOOTTIME) if linux else time.monotonic()

    def wait(self, seconds: float, cancel: threading.Event | None = None) -> bool:
        """Let ``seconds`` pass. Stops early and returns true if ``cancel`` is set."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if cancel is None:
                time.sleep(min(left, _SLICE_SECONDS))
            elif cancel.wait(min(left, _SLICE_SECONDS)):
                return True
        return cancel is not None and cancel.is_set()


class FrozenWallClock(SystemClock):
    """A clock whose wall time stands still, for an account whose data end at one instant.

    Waits and the monotonic time are real.

    Args:
        instant: What :meth:`now` always answers; aware.

    Example:
        >>> FrozenWallClock(datetime(2026, 11, 2, 6, 58, tzinfo=UTC)).now().isoformat()
        '2026-11-02T06:58:00+00:00'
    """

    def __init__(self, instant: datetime) -> None:
        self._instant = instant.astimezone(UTC)

    def now(self) -> datetime:
        """The instant at which the wall's time stands."""
        return self._instant


@functools.cache
def _boot() -> str:
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def rest(
    clock: Clock,
    seconds: float,
    cancel: threading.Event | None = None,
    on_wait: Callable[[float], None] | None = None,
) -> None:
    """Wait in steps, telling ``on_wait`` before each how many seconds are left.

    Raises:
        Cancelled: The event was set.

    Example:
        >>> rest(SystemClock(), 0.001, on_wait=lambda left: print(f"{left:.3f} s"))
        0.001 s
    """
    end = clock.monotonic() + seconds
    while (left := end - clock.monotonic()) > 0:
        if on_wait is not None:
            on_wait(left)
        if clock.wait(min(left, STEP_SECONDS), cancel):
            raise Cancelled
