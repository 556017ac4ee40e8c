"""Progress: what a pull has done and how long it will take, said where somebody reads it.

A bar in a terminal and in a notebook, silence under a test or a pipe. The limit of the API
makes a pull long and its length foreseeable, so that the time left is worked out from the
limit rather than from the pace so far.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Protocol

from tqdm.auto import tqdm

from plivo_analysis.values.typesetting import plural

if TYPE_CHECKING:
    from collections.abc import Callable

    from plivo_analysis.http.rate_limit.limiter import Limiter

SWITCH = "PLIVO_ANALYSIS_PROGRESS"

_DELAY = 1.0  # seconds; a pull that is over by then needs no bar
_MINUTE = 60
_HINT = 2  # seconds of waiting that are worth a word


class ProgressListener(Protocol):
    """Somebody who watches a pull."""

    def page(self, *, requests: int, rows: int, share: float) -> None:
        """A page was kept; ``share`` of the range is covered."""

    def waiting(self, seconds: float) -> None:
        """The next request waits for the limit."""


class Progress:
    """Tell somebody how far a pull is.

    Args:
        wanted: ``None`` decides by itself, a bool says so, a callable is called with
            requests done, requests expected and a sentence.
        noun: What a row is, in the singular.
        limiter: Knows how long further requests take.
    """

    def __init__(
        self,
        wanted: bool | Callable[[int, int, str], object] | None,
        *,
        noun: str,
        limiter: Limiter,
    ) -> None:
        self._call = wanted if callable(wanted) else None
        self._shown = somebody_reads() if wanted is None else wanted is True
        self._noun = noun
        self._limiter = limiter
        self._bar: Any = None
        self._last = (0, 0, "")

    def page(self, *, requests: int, rows: int, share: float) -> None:
        """A page was kept; ``share`` of the range is covered."""
        expected = max(requests, round(requests / share)) if share > 0 else requests
        left = self._limiter.wait_estimate(expected - requests) if expected > requests else 0
        sent = f"{requests:,} of ~{plural(expected, 'request')}"
        sentence = f"{sent}, {plural(rows, self._noun)} read"
        if left >= _MINUTE:
            sentence += f", {left / _MINUTE:,.0f} min left at the limit"
        self._last = (requests, expected, sentence)
        if self._call is not None:
            self._call(*self._last)
        self._show(*self._last)

    def waiting(self, seconds: float) -> None:
        """The next request waits for the limit."""
        if seconds >= _HINT:
            done, expected, sentence = self._last
            self._show(done, expected, f"{sentence}; next request in {seconds:.0f} s")

    def close(self) -> None:
        """Take the bar away, or leave it complete."""
        if self._bar is not None:
            self._bar.close()

    def _show(self, done: int, expected: int, sentence: str) -> None:
        if not self._shown:
            return
        if self._bar is None:
            self._bar = tqdm(
                total=expected, delay=_DELAY, leave=False, bar_format="{bar:30} {desc}"
            )
        self._bar.total = expected
        self._bar.set_description_str(sentence, refresh=False)
        self._bar.update(done - self._bar.n)


def somebody_reads() -> bool:
    """Whether a bar would be seen: in a terminal or a notebook, unless it is switched off."""
    if os.environ.get(SWITCH) == "0" or "PYTEST_CURRENT_TEST" in os.environ:
        return False
    return "ipykernel" in sys.modules or sys.stderr.isatty()
