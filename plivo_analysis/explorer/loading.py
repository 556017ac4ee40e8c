"""One load, without a screen: pull, then read what the store holds, whatever became of the pull."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plivo_analysis.api.filters import Filter
from plivo_analysis.api.times import parse_range
from plivo_analysis.loaders.answer import shortfall, stored
from plivo_analysis.sync.pull import Question, pull
from plivo_analysis.system.clock import Cancelled
from plivo_analysis.values.spans import Span, merge, to_us

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any

    import polars as pl

    from plivo_analysis.api.resources import Resource
    from plivo_analysis.client import Client
    from plivo_analysis.sync.progress import ProgressListener


@dataclass(frozen=True, slots=True)
class LoadRequest:
    """What is to be loaded.

    Args:
        client: The account.
        resource: What is listed.
        given: The loader's arguments: the range and the filters.

    Raises:
        FilterError: An argument is wrong.
    """

    client: Client
    resource: Resource
    given: Mapping[str, Any]

    @property
    def filters(self) -> dict[str, Any]:
        """The arguments without the range."""
        return {name: value for name, value in self.given.items() if name not in _RANGE}

    @property
    def filter(self) -> Filter:
        """The filter, checked."""
        return Filter.of(self.resource, **self.filters)

    def period(self, now: datetime) -> tuple[datetime, datetime]:
        """The range for a given now."""
        return parse_range(self.given.get("since"), self.given.get("until"), now=now)

    def question(self) -> Question:
        """What the server will be asked."""
        return Question(self.resource, self.filter, Filter.of(self.resource), self.period)

    def span(self) -> Span:
        """The range as of now."""
        start, end = self.period(self.client.now())
        return Span(to_us(start), to_us(end))

    def covered(self, span: Span) -> list[Span]:
        """The parts of a range that were read whole."""
        ledger = self.client.store.completed_ranges(self.resource)
        return merge(part.clip(span) for part in ledger.complete(self.filter.scope))


@dataclass(frozen=True, slots=True)
class End:
    """How asking came to its end.

    Args:
        span: The range, exact.
        whole: Whether all of it was read.
        error: What ended it early or kept it from being whole.
        cancelled: Whether somebody ended it.
    """

    span: Span
    whole: bool = False
    error: BaseException | None = None
    cancelled: bool = False


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load came to.

    Args:
        order: What was to be loaded.
        frame: What the store holds of it.
        end: How asking came to its end, or that it has not yet.
        read_at: The account's time then.
    """

    order: LoadRequest
    frame: pl.DataFrame
    end: End
    read_at: datetime

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """The range as datetimes."""
        return self.end.span.datetimes()

    @property
    def arguments(self) -> dict[str, Any]:
        """The loader's arguments that give the same again, later too: the range is fixed."""
        since, until = self.bounds
        return {"since": since, "until": until, **self.order.filters}


def ask(order: LoadRequest, watch: ProgressListener, cancel: threading.Event) -> End:
    """Ask for what is missing. What is read is in the store, however it ends."""
    span = order.span()
    try:
        pulled = pull(order.client, order.question(), watch=watch, cancel=cancel)
    except Cancelled:
        return End(span, cancelled=True)
    except Exception as failed:  # noqa: BLE001 - an error of a thread is seen by nobody else
        return End(span, error=failed)
    lacking = shortfall(pulled, None)
    return End(pulled.span, whole=lacking is None, error=lacking)


def read(order: LoadRequest, end: End) -> Loaded:
    """What the store holds of the range; the server is asked nothing."""
    frame = stored(order.client, order.question(), end.span)
    return Loaded(order, frame, end, order.client.now())


_RANGE = ("since", "until")
