"""One load, without a screen: pull, then read what the store holds, whatever became of the pull."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plivo_analysis.clock import Cancelled
from plivo_analysis.loaders import shortfall, stored
from plivo_analysis.pull import Question, pull
from plivo_analysis.spans import Span, merge, subtract, to_us
from plivo_analysis.times import parse_range

if TYPE_CHECKING:
    import threading
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any

    import polars as pl

    from plivo_analysis.client import Client
    from plivo_analysis.progress import Watch
    from plivo_analysis.pull.reader import Filter
    from plivo_analysis.resources import Resource


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be loaded.

    Args:
        client: The account.
        resource: What is listed.
        check: The constructor of the resource's filter.
        given: The loader's arguments: the range and the filters.

    Raises:
        FilterError: An argument is wrong.
    """

    client: Client
    resource: Resource
    check: Any
    given: Mapping[str, Any]

    @property
    def filters(self) -> dict[str, Any]:
        """The arguments without the range."""
        return {name: value for name, value in self.given.items() if name not in _RANGE}

    @property
    def filter(self) -> Filter:
        """The filter, checked."""
        made: Filter = self.check(**self.filters)
        return made

    def period(self, now: datetime) -> tuple[datetime, datetime]:
        """The range for a given now."""
        return parse_range(self.given.get("since"), self.given.get("until"), now=now)

    def question(self) -> Question:
        """What the server will be asked."""
        return Question(self.resource, self.filter, self.check(), self.period)

    def span(self) -> Span:
        """The range as of now."""
        start, end = self.period(self.client.now())
        return Span(to_us(start), to_us(end))

    def covered(self, span: Span) -> list[Span]:
        """The parts of a range that were read whole."""
        ledger = self.client.store.ledger(self.resource)
        return merge(part.clip(span) for part in ledger.complete(self.filter.scope))


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load came to.

    Args:
        order: What was to be loaded.
        frame: What the store holds of it.
        span: The range, exact.
        whole: Whether all of it was read.
        error: What ended it early or kept it from being whole.
        cancelled: Whether somebody ended it.
        read_at: The account's time at its end.
    """

    order: Order
    frame: pl.DataFrame
    span: Span
    whole: bool
    error: BaseException | None
    cancelled: bool
    read_at: datetime

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """The range as datetimes."""
        return self.span.datetimes()

    @property
    def arguments(self) -> dict[str, Any]:
        """The loader's arguments that give the same again, later too: the range is fixed."""
        since, until = self.bounds
        return {"since": since, "until": until, **self.order.filters}


def load(order: Order, watch: Watch, cancel: threading.Event) -> Loaded:
    """Ask for what is missing, and read what is there.

    A pull that is cancelled or fails leaves what it read in the store, so that it is in the
    frame all the same.
    """
    question = order.question()
    error: BaseException | None = None
    cancelled = whole = False
    span = order.span()
    try:
        pulled = pull(order.client, question, watch=watch, cancel=cancel)
    except Cancelled:
        cancelled = True
    except Exception as failed:  # noqa: BLE001 - an error of a thread is seen by nobody else
        error = failed
    else:
        span = pulled.span
        error = shortfall(pulled, None)
        whole = error is None
    return read(order, span, whole=whole, error=error, cancelled=cancelled)


def read(
    order: Order,
    span: Span,
    *,
    whole: bool = False,
    error: BaseException | None = None,
    cancelled: bool = False,
) -> Loaded:
    """What the store holds of a range; the server is asked nothing."""
    frame = stored(order.client, order.question(), span)
    return Loaded(order, frame, span, whole, error, cancelled, order.client.now())


def unread(order: Order, span: Span) -> list[Span]:
    """The parts of a range that were not read whole."""
    return subtract(span, order.covered(span))


_RANGE = ("since", "until")
