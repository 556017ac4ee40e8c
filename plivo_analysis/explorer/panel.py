"""The panel that both explorers are: a rail to ask with, beside the screen.

What is on the screen is what was loaded last, whatever the rail says meanwhile. One load runs
at a time, in a thread of its own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from plivo_analysis.errors import PlivoAnalysisError
from plivo_analysis.explorer import wording
from plivo_analysis.explorer.dates import Dates
from plivo_analysis.explorer.fields import Rail
from plivo_analysis.explorer.html import Markup, tag
from plivo_analysis.explorer.load_cost import load_cost
from plivo_analysis.explorer.load_progress import LoadProgress
from plivo_analysis.explorer.loading import End, Loaded, LoadRequest, ask, read
from plivo_analysis.explorer.output import write
from plivo_analysis.explorer.view_state import NONE, ViewState
from plivo_analysis.explorer.views.view import K
from plivo_analysis.explorer.worker import Worker

if TYPE_CHECKING:
    import threading

    import ipywidgets as widgets

    from plivo_analysis.client import Client


class Panel(ViewState[K]):
    """What both explorers share.

    Args:
        client: The account; by default the environment's.
        filters: What to begin with: the loader's arguments, the range included.
    """

    folded: ClassVar[str]

    def __init__(self, client: Client | None = None, **filters: Any) -> None:
        self._worker = Worker()
        self.error: BaseException | None = None
        super().__init__(client)
        self._dates.put(filters.pop("since", None), filters.pop("until", None))
        self._rail.put(filters)
        self._on.load.on_click(lambda _: self._start())
        self._on.cancel.on_click(lambda _: self._stop())
        self._changed()

    @property
    def load(self) -> widgets.Button:
        """The button that starts a load."""
        return self._on.load

    @property
    def cancel(self) -> widgets.Button:
        """The button that ends a load; what was read is kept."""
        return self._on.cancel

    @property
    def filters(self) -> dict[str, Any]:
        """The loader's arguments that the rail gives now."""
        return {**self._dates.given(), **self._rail.given()}

    def __repr__(self) -> str:
        # Stands in a saved notebook where the widget would be: no number, nothing that varies.
        client = getattr(self, "_client", None)  # a panel whose arguments were wrong has none
        return (
            type(self).__name__ if client is None else f"{type(self).__name__} of {client.auth_id}"
        )

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing is loading.

        Args:
            timeout: For how many seconds at most; None for as long as it takes.

        Returns:
            Whether nothing is loading now. Why a load failed is in ``error``.
        """
        return self._worker.wait(timeout)

    def close(self) -> None:
        """End what is loading and take the panel away."""
        worker = getattr(self, "_worker", None)  # a panel whose arguments were wrong has none
        if worker is not None:
            worker.close()
        super().close()

    # Before a load.

    def _asks(self) -> list[widgets.Widget]:
        self._dates = Dates(self._client.now, self._changed)
        self._rail = Rail(self.resource, self._changed, self.folded)
        return [self._dates.box, self._rail.box]

    def _changed(self) -> None:
        """The rail says something else: check it, and say what it would cost."""
        with self._screen:
            if self._worker.busy:
                return
            wrong = self._review() is not None
            write(self._on.status, NONE if wrong else self._foreseen())
            if self._loaded is None:
                self._write_code()

    def _review(self) -> Exception | None:
        """Check every field; return the first error."""
        found = [part.review() for part in (self._dates, self._rail)]
        return next((error for error in found if error is not None), None)

    def _foreseen(self) -> Markup:
        order = self._order()
        try:
            period = order.period(self._client.now())
            return wording.before(load_cost(self._client, self.resource, order.filter, period))
        except PlivoAnalysisError as error:
            return wording.failed(error, 0, self._one)

    def _order(self) -> LoadRequest:
        return LoadRequest(self._client, self.resource, self.filters)

    def _offer(self, kept: K) -> None:
        self._rail.offer(kept.known)

    # A load.

    def _start(self) -> None:
        with self._screen:
            if self._worker.busy:
                return
            self.error = self._review()
            if self.error is not None:
                return
            order = self._order()
            self._on.running(now=True)
            write(self._on.status, wording.lines("Asking …"))
            if self._loaded is None:
                write(self._on.empty, tag("p", wording.READING))
            if not self._worker.start(lambda cancel: self._run(order, cancel)):
                self._on.running(now=False)

    def _stop(self) -> None:
        if self._worker.busy:
            self._on.cancel.disabled = True
            self._worker.cancel()
            write(self._on.waits, tag("div", wording.STOPPING))

    def _run(self, order: LoadRequest, cancel: threading.Event) -> None:
        limiter = self._client.limiter.of(self.resource.path)
        watch = LoadProgress(limiter, self._tell, self._tell_wait, lambda: self._preview(order))
        try:
            end = ask(order, watch, cancel)
            loaded = self._seen(order, end) if not watch.unseen else None
            if loaded is None:
                loaded = read(order, end)
                self._show(loaded)
            with self._screen:
                self.error = end.error
                self._tell_end(loaded)
        except Exception as failed:  # noqa: BLE001 - an error of a thread is seen by nobody else
            self.error = failed
            write(self._on.status, wording.failed(failed, 0, self._one))
        finally:
            self._on.running(now=False)

    def _tell(self, requests: int, expected: int, rows: int, share: float, left: float) -> None:
        self._on.fill(share)
        pace = self._client.limiter.requests_per_minute
        said = wording.running(requests, expected, rows, self._one, left=left, pace=pace)
        write(self._on.status, said)
        write(self._on.waits, NONE)

    def _tell_wait(self, seconds: float) -> None:
        write(self._on.waits, tag("div", wording.waiting(seconds)))

    def _preview(self, order: LoadRequest) -> None:
        self._show(read(order, End(order.span())))

    def _seen(self, order: LoadRequest, end: End) -> Loaded | None:
        """What is on the screen already, where nothing was read since."""
        before = self._loaded
        same = before is not None and before.order is order and before.end.span == end.span
        return replace(before, end=end) if before and same and end.cancelled else None

    def _tell_end(self, loaded: Loaded) -> None:
        """Say how a load ended."""
        self._loaded = loaded
        self._write_header()
        self._write_code()
        write(self._on.status, self._ended(loaded))

    def _ended(self, loaded: Loaded) -> Markup:
        rows, end = loaded.frame.height, loaded.end
        if end.error is not None:
            return wording.failed(end.error, rows, self._one)
        if end.cancelled:
            return wording.stopped(rows, self._one)
        self._on.fill(1.0, whole=True)
        seen = load_cost(self._client, self.resource, loaded.order.filter, loaded.bounds)
        still = 0 if self._kept is None else self._still_open(self._scene_of(self._kept, loaded))
        return wording.done(seen, rows, still, self._one)
