"""The result of a load: the records that the store holds, and how much of the range they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from plivo_analysis.api.vocabulary import fold_status
from plivo_analysis.report.period import Period

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from typing import Any

    import polars as pl

    from plivo_analysis.explorer.load_cost import LoadRequest
    from plivo_analysis.metrics.certainty import Completeness
    from plivo_analysis.metrics.estimates import Estimate
    from plivo_analysis.values.spans import Span


@dataclass(frozen=True, slots=True)
class Outcome:
    """How asking the server ended.

    Args:
        span: The range, exact.
        whole: Whether all of it was read.
        error: What ended it early or kept it from being whole.
        cancelled: Whether the user cancelled it.
    """

    span: Span
    whole: bool = False
    error: BaseException | None = None
    cancelled: bool = False

    @property
    def ended(self) -> bool:
        """Whether asking has ended, one way or another."""
        return self.whole or self.cancelled or self.error is not None


@dataclass(frozen=True, slots=True)
class Loaded:
    """The result of a load.

    Args:
        request: What was to be loaded.
        frame: What the store holds of it.
        outcome: How asking ended; neither whole nor failed while it goes on.
        complete: How much of the range the frame holds.
        read_at: The account's time then.
        unconfirmed: Filters that no row says anything of, so that nothing shows they were kept.
        previous: The records of the period before; None where not all of it is stored.
        estimate: Gives by a column what was read says of all of it; None where that is all of it,
            or says nothing.
    """

    request: LoadRequest
    frame: pl.DataFrame
    outcome: Outcome
    complete: Completeness
    read_at: datetime
    unconfirmed: tuple[str, ...] = ()
    previous: pl.DataFrame | None = None
    estimate: Callable[[str], Estimate] | None = None

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """The range as datetimes."""
        return self.outcome.span.datetimes()

    @property
    def period(self) -> Period:
        """The range as the period of a report."""
        return Period.of(self.bounds, ZoneInfo("UTC"))

    @property
    def still_open(self) -> int:
        """How many of the records may still change."""
        resource = self.request.resource
        counts = self.frame[resource.status].value_counts().iter_rows()
        return sum(number for word, number in counts if fold_status(word) in resource.open_words)

    @property
    def arguments(self) -> dict[str, Any]:
        """The loader's arguments that give the same again, later too: the range is fixed."""
        since, until = self.bounds
        return {"since": since, "until": until, **self.request.filters}
