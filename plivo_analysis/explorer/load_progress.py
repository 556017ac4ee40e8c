"""How far a load is: told by the pull page by page, passed on as often as an eye can follow.

The screen is drawn anew from what has been read so far when the limit makes the load wait, which
costs nothing, and now and then where it does not, the less often the longer it takes: watching
must not slow what is watched.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from plivo_analysis.http.rate_limit.limiter import Limiter

_STEP = 0.1  # seconds between two words on the progress
_PREVIEW = 1.0  # seconds before what was read is shown
_IDLE = 1.0  # seconds of waiting in which there is time to show it
_SHARE = 20  # a preview may take one part in so many of the time


class LoadProgress:
    """Told of every page.

    Args:
        limiter: Knows how long further requests take.
        page: Is told requests, requests expected, rows, share of the range, seconds left.
        wait: Is told the seconds until the next request.
        preview: Shows what was read so far.
    """

    def __init__(
        self,
        limiter: Limiter,
        page: Callable[[int, int, int, float, float], None],
        wait: Callable[[float], None],
        preview: Callable[[], None],
    ) -> None:
        self._limiter = limiter
        self._page = page
        self._wait = wait
        self._preview = preview
        self._told = 0.0
        self._previewed = time.monotonic()
        self._pause = _PREVIEW
        self.unseen = False  # whether a page has come since the last preview

    def page(self, *, requests: int, rows: int, share: float) -> None:
        """A page was kept; ``share`` of the range is covered."""
        now = time.monotonic()
        if now - self._told >= _STEP:
            self._told = now
            share = min(1.0, share)
            expected = max(requests, round(requests / share)) if share > 0 else requests
            left = self._limiter.wait_estimate(expected - requests) if expected > requests else 0.0
            self._page(requests, expected, rows, share, left)
        self.unseen = True
        if now - self._previewed >= self._pause:
            self._show()

    def waiting(self, seconds: float) -> None:
        """The next request waits for the limit."""
        self._wait(seconds)
        if self.unseen and seconds >= _IDLE:
            self._show()

    def _show(self) -> None:
        began = time.monotonic()
        self._preview()
        self.unseen = False
        self._previewed = time.monotonic()
        self._pause = max(_PREVIEW, _SHARE * (self._previewed - began))
