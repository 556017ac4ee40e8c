"""What is on the screen of an explorer: what was loaded last, and the choices on it.

Nothing here asks the account. Callbacks of widgets may come from any thread, beside the thread
that loads, so that whatever changes the screen takes one lock.
"""

from __future__ import annotations

import threading
from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Generic
from zoneinfo import ZoneInfo

import ipywidgets as widgets

from plivo_analysis.api.filters import shown
from plivo_analysis.client import environment_client
from plivo_analysis.errors import PlivoAnalysisError
from plivo_analysis.explorer import wording
from plivo_analysis.explorer.code_line import code_line
from plivo_analysis.explorer.exporting import as_csv, as_workbook, saved
from plivo_analysis.explorer.html import Markup, tag
from plivo_analysis.explorer.layout import Layout
from plivo_analysis.explorer.output import write
from plivo_analysis.explorer.source import loader
from plivo_analysis.explorer.views.view import K, Scene, View
from plivo_analysis.report.period import Period
from plivo_analysis.tables.convert import to_backend
from plivo_analysis.values.typesetting import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    import polars as pl

    from plivo_analysis.api.resources import Resource
    from plivo_analysis.client import Client
    from plivo_analysis.explorer.loading import Loaded

Export = tuple[str, str, "Callable[[Scene[Any]], bytes]"]
"""A way to take something along: the button's word, the file's name, what makes the file."""

NONE = Markup("")


class ViewState(widgets.VBox, Generic[K]):  # type: ignore[misc]  # ipywidgets ships no types
    """What both explorers show.

    Args:
        client: The account; by default the environment's.
    """

    heading: ClassVar[str]
    noun: ClassVar[str]
    resource: ClassVar[Resource]
    loader: ClassVar[str]
    groups: ClassVar[Mapping[str, str]]

    def __init__(self, client: Client | None) -> None:
        self._screen = threading.RLock()
        self._client = client or environment_client()
        self._loaded: Loaded | None = None
        self._kept: K | None = None
        self._scene: Scene[K] | None = None
        self._converted: dict[str, Any] = {}
        self._counted: dict[tuple[str, ...] | None, dict[Any, pl.DataFrame]] = {}
        self._stale: set[int] = set()
        self._views = self._make_views(self._client.currency)
        tabs = [(view.title, view.box) for view in self._views]
        words = {kind: word for kind, (word, _, _) in self._exports().items()}
        self._on = Layout(self.groups, words, tabs)
        super().__init__(self._on.page(self._asks(), self._local()))
        self.add_class("pva")
        self._on.group.observe(lambda _: self._regroup(), "value")
        self._on.tabs.observe(lambda _: self._turn(), "selected_index")
        for kind, button in self._on.exports.items():
            button.on_click(lambda _, kind=kind: self._export(kind))
        self._write_header()
        write(self._on.empty, tag("p", wording.NOTHING))
        self._on.looked_at(something=False)

    # What an explorer says.

    @property
    @abstractmethod
    def filters(self) -> dict[str, Any]:
        """The loader's arguments that would be asked with now."""

    @abstractmethod
    def _asks(self) -> list[widgets.Widget]:
        """The fields of what costs requests."""

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

    def _offer(self, kept: K) -> None:
        """Offer what there is to choose from."""

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

    # What was loaded.

    def _show(self, loaded: Loaded) -> None:
        """Put what was loaded on the screen."""
        kept = self._keep(loaded.frame, loaded.bounds)
        with self._screen:
            self._loaded, self._kept, self._converted, self._counted = loaded, kept, {}, {}
            self._offer(kept)
            self._write_header()
            self._choose()

    def _choose(self) -> None:
        """Show the chosen part of what was loaded."""
        if self._kept is None or self._loaded is None:
            return
        self._scene = self._scene_of(self._narrow(self._kept), self._loaded)
        some = bool(self._scene.kept.rows)
        write(self._on.cells, self._headline(self._scene) if some else NONE)
        write(self._on.empty, NONE if some else tag("p", self._why_empty()))
        self._on.looked_at(something=some)
        self._stale = set(range(len(self._views)))
        self._turn()

    def _scene_of(self, kept: K, loaded: Loaded) -> Scene[K]:
        period = Period.of(loaded.bounds, ZoneInfo("UTC"))
        group = self._on.group.value
        by, currency = (self.groups[group],), self._client.currency
        counted = self._counted.setdefault(kept.chosen, {})
        return Scene(kept, group, by, currency, period, counted)

    def _why_empty(self) -> str:
        if self._kept is not None and self._kept.rows:
            return f"No {self._one} has an attempt on a chosen channel."
        whole = self._loaded is not None and self._loaded.end.whole
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
            write(self._on.saved, NONE)

    @property
    def _view(self) -> View[K]:
        return self._views[self._on.tabs.selected_index or 0]

    def _write_header(self) -> None:
        write(self._on.header, self._header())

    def _header(self) -> Markup:
        """What is shown, of which account and range."""
        right, accent, loaded = "", False, self._loaded
        if loaded is not None and loaded.end.whole:
            right = wording.span(loaded.bounds, loaded.read_at)
        elif loaded is not None:
            span, accent = loaded.end.span, True
            right = wording.coverage(loaded.order.covered(span), span)
        account = f"{self._client.auth_id} · {clean(self._client.currency, cap=8)}"
        return tag(
            "div",
            tag("h2", self.heading),
            tag("span", account, class_="pva-account"),
            tag("span", right, class_="pva-right pva-accent" if accent else "pva-right"),
            class_="pva-top",
        )

    # The code line and files.

    def _arguments(self) -> dict[str, Any]:
        """The loader's arguments for what is on the screen; for what is asked before a load."""
        if self._loaded is None:
            return self.filters
        lacking = self._loaded.end.error is not None
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
        return as_csv(self._view.table(scene), self.resource.table)

    def _workbook(self, scene: Scene[K]) -> bytes:
        facts = {
            "Title": f"{self.heading}: {self._view.title}",
            "Account": self._client.auth_id,
            "Currency": self._client.currency,
            "Range": scene.period.bounds,
        }
        name = self._view.title.lower()
        return as_workbook(name, self._view.table(scene), self.resource.table, facts)

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
