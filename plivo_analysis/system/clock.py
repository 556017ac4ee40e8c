"""The clock as an argument: the time of day, monotonic time, and waits that can be cancelled.

Nothing else in the package reads the clock or sleeps. Tests pass a clock whose waits cost
nothing, and the demo account one whose wall time stands still while its waits are real.
"""

from __future__ import annotations

import functools
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

STEP_SECONDS = 1.0  # how often a listener is told how much of a wait is left
_SLICE_SECONDS = 0.25  # some systems deliver Ctrl-C only between two waits


class Cancelled(Exception):  # noqa: N818 - no error: the caller asked for it
    """The caller's event was set during a wait or a pull.

    It is not in the public tree of errors, because users of the package never see it: the code
    that passed the event catches it.

    Example:
        >>> issubclass(Cancelled, Exception)
        True
    """


class Clock:
    """The clock of this computer; a class for another one overrides its methods.

    Example:
        >>> clock = Clock()
        >>> clock.now().tzinfo
        datetime.timezone.utc
        >>> clock.wait(0.001)
        False
    """

    @functools.cached_property
    def origin(self) -> str:
        """The id of the computer's last start, from which :meth:`monotonic` counts.

        Only times of one origin compare. It is empty where the system has no such id.
        """
        try:
            return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
        except OSError:
            return ""

    def now(self) -> datetime:
        """The time of day, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Seconds since the computer started, the same for all of its processes; never going back.

        On Linux the time that it slept is included.
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


class FrozenWallClock(Clock):
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
        """The instant at which the wall time stands still."""
        return self._instant


def wait_in_steps(
    clock: Clock,
    seconds: float,
    cancel: threading.Event | None = None,
    on_wait: Callable[[float], None] | None = None,
) -> None:
    """Wait in steps, and call ``on_wait`` before each with the seconds that are left.

    Raises:
        Cancelled: The event was set.

    Example:
        >>> wait_in_steps(Clock(), 0.001, on_wait=lambda left: print(f"{left:.3f} s"))
        0.001 s
    """
    end = clock.monotonic() + seconds
    while (left := end - clock.monotonic()) > 0:
        if on_wait is not None:
            on_wait(left)
        if clock.wait(min(left, STEP_SECONDS), cancel):
            raise Cancelled
