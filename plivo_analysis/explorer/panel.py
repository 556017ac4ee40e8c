"""The panel that both explorers are: ask, load, look, take along.

What is on the screen is what was loaded last, whatever the rail says meanwhile; the code line
speaks of it too. Callbacks of widgets may come from any thread, beside the thread that loads,
so that whatever changes the screen takes one lock.
"""

from __future__ import annotations

import threading
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Generic
from zoneinfo import ZoneInfo

import ipywidgets as widgets

from plivo_analysis.client import environment_client
from plivo_analysis.errors import PlivoAnalysisError
from plivo_analysis.explorer import wording
from plivo_analysis.explorer.code_line import code_line
from plivo_analysis.explorer.controls import Controls
from plivo_analysis.explorer.dates import Dates
from plivo_analysis.explorer.exporting import as_csv, as_workbook, saved
from plivo_analysis.explorer.fields import Rail
from plivo_analysis.explorer.loading import Loaded, Order, load, read
from plivo_analysis.explorer.outlook import outlook
from plivo_analysis.explorer.source import loader
from plivo_analysis.explorer.stage import write
from plivo_analysis.explorer.views.view import K, Scene, View
from plivo_analysis.explorer.watching import Watching
from plivo_analysis.explorer.worker import Worker
from plivo_analysis.filters import shown
from plivo_analysis.frames import to_backend
from plivo_analysis.report.html import Markup, tag
from plivo_analysis.report.period import Period
from plivo_analysis.typeset import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    import polars as pl

    from plivo_analysis.client import Client
    from plivo_analysis.explorer.fields import Field
    from plivo_analysis.resources import Resource

Export = tuple[str, str, "Callable[[Scene[Any]], bytes]"]
"""A way to take something along: the button's word, the file's name, what makes the file."""

_NONE = Markup("")


class Panel(widgets.VBox, Generic[K]):  # type: ignore[misc]  # ipywidgets ships no types
    """What both explorers share.

    Args:
        client: The account; by default the environment's.
        filters: What to begin with: the loader's arguments, the range included.
    """

    heading: ClassVar[str]
    noun: ClassVar[str]
    resource: ClassVar[Resource]
    loader: ClassVar[str]
    check: ClassVar[Callable[..., Any]]
    fields: ClassVar[Sequence[Field]]
    folded: ClassVar[str]
    groups: ClassVar[Mapping[str, str]]

    def __init__(self, client: Client | None = None, **filters: Any) -> None:
        self._screen = threading.RLock()
        self._worker = Worker()
        self._client = client or environment_client()
        self._loaded: Loaded | None = None
        self._kept: K | None = None
        self._scene: Scene[K] | None = None
        self._converted: dict[str, Any] = {}
        self._stale: set[int] = set()
        self.error: BaseException | None = None
        self._dates = Dates(self._client.now, self._changed)
        self._rail = Rail(self.fields, self.check, self._changed, self.folded)
        self._views = self._make_views(self._client.currency)
        tabs = [(view.title, view.box) for view in self._views]
        words = {kind: word for kind, (word, _, _) in self._exports().items()}
        self._on = Controls(self.groups, words, tabs)
        asks = [self._dates.box, self._rail.box]
        super().__init__(self._on.page(asks, self._local()))
        self.add_class("pva")
        self._dates.put(filters.pop("since", None), filters.pop("until", None))
        self._rail.put(filters)
        self._listen()
        self._write_header("")
        write(self._on.empty, tag("p", wording.NOTHING))
        self._on.looked_at(something=False)
        self._changed()

    # What an explorer says.

    @abstractmethod
    def _make_views(self, currency: str) -> Sequence[View[K]]:
        """The tabs."""

    @abstractmethod
    def _keep(self, frame: pl.DataFrame, bounds: tuple[datetime, datetime]) -> K:
        """What was loaded, in the form that views count."""

    @abstractmethod
    def _headline(self, scene: Scene[K]) -> Markup:
        """The six numbers."""

    @abstractmethod
    def _still_open(self, scene: Scene[K]) -> int:
        """How many records may still change."""

    def _local(self) -> list[widgets.Widget]:
        """Further choices on what was read."""
        return []

    def _narrow(self, kept: K) -> K:
        """The part of what was loaded that is chosen."""
        return kept

    def _narrowing(self, scene: Scene[K]) -> list[str]:  # noqa: ARG002 - for those that narrow
        """The code lines that choose that part."""
        return []

    def _exports(self) -> dict[str, Export]:
        """What can be taken along, by kind: the button's word, the file's name, what makes it."""
        return {"csv": ("CSV", "", self._csv), "xlsx": ("XLSX", "", self._workbook)}

    # What the next cell takes.

    @property
    def load(self) -> widgets.Button:
        """The button that starts a load."""
        return self._on.load

    @property
    def cancel(self) -> widgets.Button:
        """The button that ends a load; what was read is kept."""
        return self._on.cancel

    @property
    def group(self) -> widgets.Dropdown:
        """By what the views are grouped."""
        return self._on.group

    @property
    def tabs(self) -> widgets.Tab:
        """The views."""
        return self._on.tabs

    @property
    def exports(self) -> dict[str, widgets.Button]:
        """The buttons that take something along, by the kind of file."""
        return self._on.exports

    @property
    def filters(self) -> dict[str, Any]:
        """The loader's arguments that the rail gives now."""
        return {**self._dates.given(), **self._rail.given()}

    @property
    def frame(self) -> Any:
        """What was loaded last, in the client's backend; None before the first load.

        A load that was cancelled or failed leaves here what had been read.
        """
        return self._in_backend("frame", lambda frame: frame)

    @property
    def table(self) -> Any:
        """The frame behind the tab on the screen, in the client's backend: what ``code`` gives."""
        with self._screen:
            if self._scene is None:
                return None
            return to_backend(self._view.table(self._scene), self._client.backend)

    @property
    def code(self) -> str:
        """The Python that gives what is on the screen, where ``pva`` and ``client`` are defined."""
        with self._screen:
            return self._code(self._arguments())

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

    def _listen(self) -> None:
        self._on.load.on_click(lambda _: self._start())
        self._on.cancel.on_click(lambda _: self._stop())
        self._on.group.observe(lambda _: self._regroup(), "value")
        self._on.tabs.observe(lambda _: self._turn(), "selected_index")
        for kind, button in self._on.exports.items():
            button.on_click(lambda _, kind=kind: self._export(kind))

    def _changed(self) -> None:
        """The rail says something else: check it, and say what it would cost."""
        with self._screen:
            if not hasattr(self, "_on") or self._worker.busy:
                return
            wrong = self._review() is not None
            write(self._on.status, _NONE if wrong else self._foreseen())
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
            return wording.before(outlook(self._client, self.resource, order.filter, period))
        except PlivoAnalysisError as error:
            return wording.failed(error, 0, self._one)

    def _order(self) -> Order:
        return Order(self._client, self.resource, self.check, self.filters)

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
            if not self._worker.start(lambda cancel: self._run(order, cancel)):
                self._on.running(now=False)

    def _stop(self) -> None:
        if self._worker.busy:
            self._on.cancel.disabled = True
            self._worker.cancel()

    def _run(self, order: Order, cancel: threading.Event) -> None:
        watch = Watching(
            self._client.limiter, self._tell, self._tell_wait, lambda: self._preview(order)
        )
        try:
            loaded = load(order, watch, cancel)
            with self._screen:
                self.error = loaded.error
                self._show(loaded)
                write(self._on.status, self._ended(loaded))
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
        write(self._on.waits, _NONE)

    def _tell_wait(self, seconds: float) -> None:
        write(self._on.waits, tag("div", wording.waiting(seconds)))

    def _preview(self, order: Order) -> None:
        loaded = read(order, order.span())
        with self._screen:
            self._show(loaded)

    def _ended(self, loaded: Loaded) -> Markup:
        rows = loaded.frame.height
        if loaded.error is not None:
            return wording.failed(loaded.error, rows, self._one)
        if loaded.cancelled:
            return wording.stopped(rows, self._one)
        self._on.fill(1.0, whole=True)
        seen = outlook(self._client, self.resource, loaded.order.filter, loaded.bounds)
        still = 0 if self._kept is None else self._still_open(self._scene_of(self._kept, loaded))
        return wording.done(seen, rows, still, self._one)

    # What was loaded.

    def _show(self, loaded: Loaded) -> None:
        """Put what was loaded on the screen."""
        self._loaded, self._converted = loaded, {}
        self._kept = self._keep(loaded.frame, loaded.bounds)
        self._rail.offer(self._kept.known)
        if loaded.whole:
            self._write_header(wording.span(loaded.bounds, loaded.read_at))
        else:
            covered = loaded.order.covered(loaded.span)
            self._write_header(wording.coverage(covered, loaded.span), accent=True)
        self._choose()

    def _choose(self) -> None:
        """Show the chosen part of what was loaded."""
        if self._kept is None or self._loaded is None:
            return
        self._scene = self._scene_of(self._narrow(self._kept), self._loaded)
        some = bool(self._scene.kept.rows)
        write(self._on.cells, self._headline(self._scene) if some else _NONE)
        write(self._on.empty, _NONE if some else tag("p", self._why_empty()))
        self._on.looked_at(something=some)
        self._stale = set(range(len(self._views)))
        self._turn()

    def _scene_of(self, kept: K, loaded: Loaded) -> Scene[K]:
        period = Period.of(loaded.bounds, ZoneInfo("UTC"))
        group = self._on.group.value
        return Scene(kept, group, (self.groups[group],), self._client.currency, period)

    def _why_empty(self) -> str:
        if self._kept is not None and self._kept.rows:
            return f"No {self._one} has an attempt on a chosen channel."
        whole = self._loaded is not None and self._loaded.whole
        return (wording.EMPTY if whole else wording.NOT_WHOLE).format(noun=self._one)

    def _regroup(self) -> None:
        with self._screen:
            if self._scene is not None:
                self._scene.group = self._on.group.value
                self._scene.by = (self.groups[self._scene.group],)
                self._stale = set(range(len(self._views)))
                self._turn()

    def _turn(self) -> None:
        """Draw the tab on the screen, if it is not drawn yet."""
        with self._screen:
            place = self._on.tabs.selected_index or 0
            if self._scene is not None and self._scene.kept.rows and place in self._stale:
                self._view.draw(self._scene)
                self._stale.discard(place)
            self._write_code()
            write(self._on.saved, _NONE)

    @property
    def _view(self) -> View[K]:
        return self._views[self._on.tabs.selected_index or 0]

    def _write_header(self, right: str, *, accent: bool = False) -> None:
        account = f"{self._client.auth_id} · {clean(self._client.currency, cap=8)}"
        said = tag(
            "div",
            tag("h2", self.heading),
            tag("span", account, class_="pva-account"),
            tag("span", right, class_="pva-right pva-accent" if accent else "pva-right"),
            class_="pva-top",
        )
        write(self._on.header, said)

    # The code line and files.

    def _arguments(self) -> dict[str, Any]:
        """The loader's arguments for what is on the screen; for what is asked before a load."""
        if self._loaded is None:
            return self.filters
        lacking = self._loaded.error is not None
        return self._loaded.arguments | ({"partial": "return"} if lacking else {})

    def _code(self, arguments: Mapping[str, Any]) -> str:
        lines = [loader(self.loader, self.noun, arguments)]
        if self._scene is not None:
            lines += self._narrowing(self._scene)
            lines += self._view.code(self._scene, self._client.backend)
        return "\n".join(lines)

    def _write_code(self) -> None:
        arguments = self._arguments()
        texts = {name: value for name, value in arguments.items() if isinstance(value, str)}
        masked = self._code({**arguments, **shown(texts)})
        write(self._on.line, code_line(masked, self._code(arguments)))

    def _export(self, kind: str) -> None:
        with self._screen:
            if self._scene is None:
                return
            _, name, make = self._exports()[kind]
            name = name or self._view.title.lower().replace(" ", "-")
            try:
                write(self._on.saved, saved(name, kind, make(self._scene)))
            except PlivoAnalysisError as error:
                said = tag("span", str(error), class_="pva-failed", role="alert")
                write(self._on.saved, said)

    def _csv(self, scene: Scene[K]) -> bytes:
        return as_csv(self._view.table(scene), self.resource.numbers)

    def _workbook(self, scene: Scene[K]) -> bytes:
        facts = {
            "Title": f"{self.heading}: {self._view.title}",
            "Account": self._client.auth_id,
            "Currency": self._client.currency,
            "Range": scene.period.said,
        }
        name = self._view.title.lower()
        return as_workbook(name, self._view.table(scene), self.resource.numbers, facts)

    # Small things.

    @property
    def _one(self) -> str:
        return self.noun.removesuffix("s")

    def _in_backend(self, name: str, of: Callable[[pl.DataFrame], pl.DataFrame]) -> Any:
        with self._screen:
            if self._loaded is None:
                return None
            if name not in self._converted:
                frame = of(self._loaded.frame)
                self._converted[name] = to_backend(frame, self._client.backend)
            return self._converted[name]
