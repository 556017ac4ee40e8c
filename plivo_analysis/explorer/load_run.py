"""One load: it asks the server, says how far it is, and reads what the store holds."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from plivo_analysis.api.resources import SESSION_RESOURCE
from plivo_analysis.errors import APIError
from plivo_analysis.explorer import wording
from plivo_analysis.explorer.dataset import Dataset, Loaded
from plivo_analysis.explorer.load_cost import load_cost
from plivo_analysis.explorer.output import NOTHING, lines, write
from plivo_analysis.loaders.answer import shortfall, stored
from plivo_analysis.loaders.estimate_steps import Estimating
from plivo_analysis.metrics.certainty import Completeness
from plivo_analysis.metrics.samples import LEAST_PAGES
from plivo_analysis.storage.filtering import unconfirmed
from plivo_analysis.sync.pull import pull
from plivo_analysis.system.clock import Cancelled
from plivo_analysis.values.spans import subtract

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from typing import Any

    from plivo_analysis.explorer.layout import Layout
    from plivo_analysis.explorer.load_cost import LoadRequest
    from plivo_analysis.http.rate_limit.limiter import Limiter
    from plivo_analysis.metrics.estimates import Estimate
    from plivo_analysis.sync.pull import Pulled
    from plivo_analysis.values.spans import Span

ESTIMATED = ("destination_country_iso2", "app_uuid", "entry_channel", "destination_network")
"""The columns that a load's estimate is told by."""

_WITHIN = 0.05  # half the width of spend's interval, from which on all is read
_FIRST = 5  # requests from which on the length of a load is believed
_MANY = 2 * LEAST_PAGES  # requests; of fewer, half is read before an estimate says anything
_REFUSED = 400

_STEP = 0.1  # seconds between two updates of the progress
_PREVIEW = 1.0  # seconds before what was read is shown
_IDLE = 1.0  # seconds of waiting in which there is time to show it
_SHARE = 20  # a preview may take one part in so many of the time


class _LongLoadError(Exception):
    """A load takes many more requests than were made so far."""


@dataclass(eq=False, repr=False)
class LoadProgress:
    """Told of every page by the pull; updates the screen as often as an eye can follow.

    What was read so far is drawn when the rate limit makes the load wait, which costs nothing,
    and now and then where it does not, the less often the longer drawing takes: watching must
    not slow what is watched.

    Args:
        layout: Where it says how far the load is.
        limiter: Knows how long further requests take.
        noun: What a record is called, in the singular.
        preview: Shows what was read so far.

    Attributes:
        unseen: Whether a page has arrived since the last preview.
        is_estimating: Whether what is read now is for an estimate.
        may_be_long: Whether to end the pull at a page that shows that many more are to come.
    """

    layout: Layout
    limiter: Limiter
    noun: str
    preview: Callable[[], None]

    def __post_init__(self) -> None:
        self._updated = 0.0
        self._untold: tuple[int, int, float] | None = None  # requests, rows, share
        self._before = self._told = 0, 0  # requests and rows, of the parts before and in all
        self._previewed = time.monotonic()
        self._pause = _PREVIEW
        self.unseen = self.is_estimating = self.may_be_long = False

    def begin_part(self) -> None:
        """Another part of the load begins; requests and rows are counted on."""
        self._before = self._told

    def page(self, *, requests: int, rows: int, share: float) -> None:
        """A page was kept; ``share`` of the range is covered."""
        now = time.monotonic()
        self._told = self._before[0] + requests, self._before[1] + rows
        self._untold = (requests, rows, min(1.0, share))
        if now - self._updated >= _STEP:
            self._tell(now, asking=0)
        self.unseen = True
        if now - self._previewed >= self._pause:
            self._show()
        # At this pace all of it takes requests ÷ share of them. The page is kept already, so that
        # nothing is asked for twice, whatever reads on.
        if self.may_be_long and requests >= _FIRST and requests > _MANY * share:
            raise _LongLoadError

    def waiting(self, seconds: float) -> None:
        """The next request waits for the rate limit."""
        # Pages that came close after one another were not told. Our own request waits here.
        self._tell(time.monotonic(), asking=1)
        write(self.layout.wait, wording.waiting(seconds))
        if self.unseen and seconds >= _IDLE:
            self._show()

    def _tell(self, now: float, asking: int) -> None:
        if self._untold is None:
            return
        requests, rows, share = self._untold
        self._untold, self._updated = None, now
        # The rest of the range is taken to be as dense as what was read of it.
        expected = max(requests, round(requests / share)) if share > 0 else requests
        left = self.limiter.wait_estimate(expected - requests) if expected > requests else 0.0
        more, rows = self._before[0], self._before[1] + rows
        per_minute = self.limiter.requests_per_minute
        sentences = wording.running(
            more + requests, more + expected, rows, self.noun, left=left, per_minute=per_minute
        )
        # Requests that wait for the limit beside our own are another program's.
        is_shared = self.limiter.asking() > asking
        notes = [wording.FIRST] * self.is_estimating + [wording.SHARED] * is_shared
        self.layout.set_progress(share)
        write(self.layout.status, sentences + lines(*notes))
        write(self.layout.wait, NOTHING)

    def _show(self) -> None:
        began = time.monotonic()
        self.preview()
        self.unseen = False
        self._previewed = time.monotonic()
        self._pause = max(_PREVIEW, _SHARE * (self._previewed - began))


@dataclass(eq=False, repr=False)
class LoadRun:
    """One load while it goes on: asks the server, and reads what the store holds so far.

    A long load of sessions begins with an estimate: some pages all over the range first, then
    all of it. How long it is shows after some pages, where it is not known before.

    Args:
        request: What is to be loaded.
        progress: Is told of every page.
        cancel: Ends it at the next page, or in the middle of a wait.

    Attributes:
        error: As in :class:`Loaded`.
        cancelled: Likewise.
    """

    request: LoadRequest
    progress: LoadProgress
    cancel: threading.Event

    def __post_init__(self) -> None:
        # Fixed here: "the last 7 days" would move on with the clock from preview to preview. The
        # pull, which knows the server's clock, has the last word.
        self._span = self.request.span()
        self._whole = self.cancelled = False
        self.error: BaseException | None = None
        self._estimating: Estimating | None = None

    def ask(self, *, compare: bool) -> None:
        """Ask the server for what is missing. What is read is in the store, however it ends.

        Args:
            compare: Whether to ask for the period before too, where the API still has all of it.
                What is not whole is compared with nothing.
        """
        try:
            pulled = self._pull_with_estimate()
            self._span, self.error = pulled.span, shortfall(pulled, None)
            self._whole = self.error is None
            before = self.request.before(self._span)
            if compare and self._whole and not load_cost(before).expired:
                self.progress.begin_part()
                self.error = shortfall(self._pull(before), None)
        except Cancelled:
            # Where the range is whole, only the load of the period before was cancelled.
            self.cancelled = not self._whole
        except Exception as error:  # noqa: BLE001 - an error of a thread is seen by nobody else
            self.error = error

    def read(self) -> Loaded:
        """Read what the store holds of the range; the server is asked nothing."""
        span, whole, previous = self._span, self._whole, None
        before = self.request.before(span)
        if whole and not subtract(before.span(), before.covered(before.span())):
            previous = self._read(before, before.span(), whole=True)
        return self._read(
            self.request,
            span,
            whole=whole,
            cancelled=self.cancelled,
            error=self.error,
            previous=previous,
            estimate=None if whole else self._estimate_by(),
        )

    def _read(self, request: LoadRequest, span: Span, *, whole: bool, **ended: Any) -> Loaded:
        frame = stored(request.client, request.question(), span)
        # The young end of a range is never called complete by the store, but a pull that ended
        # well has read it all the same.
        unread = [] if whole else subtract(span, request.covered(span))
        notes = request.client.store.records(request.resource).notes(span)
        complete = Completeness(
            rows=frame.height,
            unpriced=frame[request.resource.amount].null_count(),
            period=span.datetimes(),
            unread=tuple(part.datetimes() for part in unread),
            set_aside=len({note["key"] for note in notes if note["set_aside"]}),
        )
        return Loaded(
            request=request,
            frame=frame,
            dataset=Dataset.of(request.resource, frame),
            span=span,
            complete=complete,
            read_at=request.client.now(),
            whole=whole,
            unconfirmed=tuple(unconfirmed(frame, request.filter)),
            **ended,
        )

    def _pull(self, request: LoadRequest) -> Pulled:
        return pull(request.client, request.question(), watch=self.progress, cancel=self.cancel)

    def _pull_with_estimate(self) -> Pulled:
        """Pull; where that takes many requests, an estimate says something first."""
        expected: int | None = 0
        if self.request.resource is SESSION_RESOURCE:
            expected = load_cost(self.request).requests
        # Where nothing is stored to tell from, the first pages have to: they are needed anyway,
        # whichever way it goes on.
        self.progress.may_be_long = expected is None
        try:
            if expected is None or expected <= _MANY:
                return self._pull(self.request)
        except _LongLoadError:
            self.progress.begin_part()
        finally:
            self.progress.may_be_long = False
        self._estimate()
        # The pull after an estimate finds its pages in the store, and asks for the others.
        return self._pull(self.request)

    def _estimate(self) -> None:
        request = self.request
        self._estimating = Estimating(
            request.client,
            request.question(),
            watch=self.progress,
            by=ESTIMATED,
            within=_WITHIN,
            cancel=self.cancel,
        )
        self.progress.is_estimating = True
        try:
            # Each step reads a page. What they say is asked for by the previews alone, since
            # estimating takes longer than a page where there is no limit to wait for.
            for _ in self._estimating.steps():
                pass
        except APIError as error:
            if error.status_code != _REFUSED:
                raise
            self._estimating = None  # no deep offsets here; the pull does without
        finally:
            self.progress.is_estimating = False
        self.progress.begin_part()

    def _estimate_by(self) -> Callable[[str], Estimate] | None:
        """Gives the estimate by a column, or of all where there is none by that column."""
        if self._estimating is None:
            return None
        # Of the pages that are read now: the load goes on while a grouping is looked at.
        estimating, sample = self._estimating, self._estimating.sample()
        return lambda column: estimating.estimate(sample, (column,) if column in ESTIMATED else ())
