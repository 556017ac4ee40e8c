"""The explorer: fields to load with in a sidebar, results beside it.

The results are of the last load, whatever the fields say meanwhile. Callbacks of widgets may
come from any thread, and so does what a load has read, so that whatever changes the results takes
one lock.
"""

from __future__ import annotations

import threading
from abc import abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic

import ipywidgets as widgets

from plivo_analysis.api.filters import masked_filters
from plivo_analysis.client import environment_client
from plivo_analysis.errors import PlivoAnalysisError
from plivo_analysis.explorer import wording
from plivo_analysis.explorer.address import Address
from plivo_analysis.explorer.code_line import code_line, literal, loader_call
from plivo_analysis.explorer.exporting import as_csv, as_workbook
from plivo_analysis.explorer.layout import Layout
from plivo_analysis.explorer.load_controls import Loading
from plivo_analysis.explorer.load_cost import LoadRequest, load_cost
from plivo_analysis.explorer.output import NOTHING, lines, write
from plivo_analysis.explorer.sidebar import DateRange, FilterFields
from plivo_analysis.explorer.views.view import K, View, ViewState
from plivo_analysis.tables.convert import to_backend
from plivo_analysis.values.typesetting import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import polars as pl
    from markupsafe import Markup

    from plivo_analysis.api.resources import Resource
    from plivo_analysis.client import Client
    from plivo_analysis.explorer.load_run import Loaded

Export = tuple[str, str, "Callable[[ViewState[Any]], bytes]"]
"""One way to export: the button's label, the file's name, the function that makes the file. A
name that begins with a point follows the name of the view."""


class Explorer(widgets.VBox, Generic[K]):  # type: ignore[misc]  # ipywidgets ships no types
    """What both explorers share.

    Args:
        client: The account; by default the environment's.
        filters: The first settings: the loader's arguments, the range included.

    Attributes:
        load: The button that starts a load.
        cancel: The button that ends a load; what was read is kept.
        compare: Whether Load takes the period before too.
        group: What the views are grouped by.
        tabs: The views.
        exports: The export buttons, by kind of file.
    """

    heading: ClassVar[str]
    noun: ClassVar[str]
    resource: ClassVar[Resource]
    loader: ClassVar[str]
    groups: ClassVar[Mapping[str, str]]
    compares: ClassVar[bool] = False  # whether its views show changes

    def __init__(self, client: Client | None = None, **filters: Any) -> None:
        # A callback that holds it sets widgets, whose own callbacks come here again.
        self._lock = threading.RLock()
        self._client = client or environment_client()
        self._dataset: K | None = None
        self._previous: K | None = None
        self._state: ViewState[K] | None = None
        self._converted: dict[str, Any] = {}
        # What was counted of each choice of channels, so that going back to one costs nothing.
        self._counted: dict[tuple[str, ...] | None, dict[Any, pl.DataFrame]] = {}
        self._undrawn: set[int] = set()
        self._views = self._make_views(self._client.currency)
        labels = {kind: label for kind, (label, _, _) in self._exports().items()}
        layout = Layout(self.groups, labels, [(view.title, view.box) for view in self._views])
        self.load, self.cancel, self.compare = layout.load, layout.cancel, layout.compare
        self.group, self.tabs, self.exports = layout.group, layout.tabs, layout.exports
        self._layout = layout
        self._loading = Loading(
            layout,
            self._one,
            self._client.limiter.of(self.resource.path),
            show=self._show,
            still_open=self._count_open,
            ended=self._end,
        )
        self._dates = DateRange(self._client.now, self._changed)
        self._fields = FilterFields(self.resource, self._changed)
        fields = [self._dates.box, self._fields.box]
        fields += [self.compare] if self.compares else []
        self._address = Address(self._dates, self._fields, layout, self._chosen_channels)
        super().__init__([*layout.page(fields, self._choices()), self._address.place])
        self.add_class("pva")
        self._dates.put(filters.pop("since", None), filters.pop("until", None))
        self._fields.put(filters)
        # Only now: the first settings are no choices of a person.
        self.load.on_click(lambda _: self._start())
        self.cancel.on_click(lambda _: self._loading.stop())
        self.compare.observe(lambda _: self._changed(), "value")
        self.group.observe(lambda _: self._regroup(), "value")
        self.tabs.observe(lambda _: self._draw(), "selected_index")
        for kind, export in self.exports.items():
            export.on_click(lambda _, kind=kind: self._export(kind))
        write(layout.empty, lines(wording.NOT_LOADED))
        layout.set_results(has_rows=False)
        self._write_header()
        self._changed()

    # What an explorer of one resource gives.

    @abstractmethod
    def _make_views(self, currency: str) -> Sequence[View[K]]:
        """The tabs."""

    @abstractmethod
    def _make_dataset(self, frame: pl.DataFrame) -> K:
        """What was loaded, in the form that views count."""

    @abstractmethod
    def _cards(self, state: ViewState[K]) -> Markup:
        """The KPI cards."""

    @abstractmethod
    def _still_open(self, state: ViewState[K]) -> int:
        """How many records may still change."""

    def _choices(self) -> list[widgets.Widget]:
        """Further choices on loaded data."""
        return []

    def _chosen_channels(self) -> Sequence[str]:
        """The entry channels that are chosen."""
        return ()

    def _offer(self, dataset: K) -> None:
        """Offer what there is to choose from."""
        self._fields.offer(dataset.known)

    def _chosen_part(self, dataset: K) -> K:
        """The part of a dataset that is chosen."""
        return dataset

    def _choice_code(self, state: ViewState[K]) -> list[str]:  # noqa: ARG002 - for those that choose
        """The code lines that choose that part."""
        return []

    def _exports(self) -> dict[str, Export]:
        """The ways to export."""
        rows = self.noun.capitalize()
        return {
            "csv": ("CSV", ".csv", self._csv),
            "xlsx": ("XLSX", ".xlsx", self._workbook),
            "rows": (f"{rows} CSV", f"{self.noun}.csv", self._rows),
        }

    # What the next cell takes.

    @property
    def error(self) -> BaseException | None:
        """Why the last load failed; None when it did not."""
        return self._loading.error

    @property
    def filters(self) -> dict[str, Any]:
        """The loader's arguments that the fields give now."""
        return {**self._dates.arguments(), **self._fields.arguments()}

    @property
    def frame(self) -> Any:
        """What was loaded last, in the client's backend; None before the first load.

        A load that was cancelled or failed leaves here what had been read.
        """
        return self._in_backend("frame", lambda frame: frame)

    @property
    def table(self) -> Any:
        """The frame behind the tab on the screen, in the client's backend: what ``code`` gives."""
        with self._lock:
            if self._state is None:
                return None
            return to_backend(self._view.table(self._state), self._client.backend)

    @property
    def code(self) -> str:
        """The Python that gives what is on the screen, where ``pva`` and ``client`` are defined."""
        with self._lock:
            return self._code(self._arguments())

    def restore(self, query: str) -> None:
        """Take range, filters, entry channels, grouping and tab from the query of a page's address.

        Voila gives the query as the environment's ``QUERY_STRING``, and the page keeps the
        settings in its address, so that they outlive a reload and can be sent to a colleague.
        A telephone number is never in it; what cannot be understood is left out.

        Args:
            query: Such as ``"since=30d&country=IN&tab=Spend"``.
        """
        self._address.restore(query)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing is loading.

        Args:
            timeout: For how many seconds at most; None for as long as it takes.

        Returns:
            Whether nothing is loading now. Why a load failed is in ``error``.
        """
        return self._loading.worker.wait(timeout)

    def close(self) -> None:
        """End what is loading and take the explorer away."""
        loading = getattr(self, "_loading", None)  # one whose arguments were wrong may have none
        if loading is not None:
            loading.worker.close()
        super().close()

    def __repr__(self) -> str:
        # Stands in a saved notebook where the widget would be: no number, nothing that varies.
        client = getattr(self, "_client", None)
        return (
            type(self).__name__ if client is None else f"{type(self).__name__} of {client.auth_id}"
        )

    # Fields.

    def _changed(self) -> None:
        """A field changed: check all of them, and say what loading would cost."""
        with self._lock:
            is_wrong = self._check() is not None  # says so beside the field, also during a load
            if self._loading.worker.busy:  # what is written below is the load's meanwhile
                return
            write(self._layout.status, NOTHING if is_wrong else self._cost())
            self._mark_outdated()
            self._address.write()
            if self._loaded is None:
                self._write_code()

    def _check(self) -> Exception | None:
        """Check every field; return the first error."""
        errors = [part.check() for part in (self._dates, self._fields)]
        return next((error for error in errors if error is not None), None)

    def _cost(self) -> Markup:
        try:
            request = self._request()
            start, end = request.period(self._client.now())
            if self.compare.value:
                start = request.before(request.span()).arguments["since"]
            return lines(*wording.before(load_cost(request, (start, end)), self._one))
        except PlivoAnalysisError as error:
            return wording.failed(error, 0, self._one)

    def _request(self) -> LoadRequest:
        return LoadRequest(self._client, self.resource, self.filters)

    def _mark_outdated(self) -> None:
        is_outdated = (
            self._loaded is not None and dict(self._loaded.request.arguments) != self.filters
        )
        self._layout.set_outdated(wording.CHANGED if is_outdated else "")

    # A load.

    def _start(self) -> None:
        with self._lock:
            if self._loading.worker.busy:
                return
            self._loading.error = self._check()
            if self.error is None:
                self._loading.start(self._request())

    def _end(self, _: Loaded) -> None:
        with self._lock:
            self._write_header()
            self._write_code()

    def _count_open(self, loaded: Loaded) -> int:
        with self._lock:
            if self._dataset is None:
                return 0
            return self._still_open(self._state_of(self._dataset, loaded))

    # Results.

    def _show(self, loaded: Loaded) -> None:
        """Put what was loaded on the screen; it comes from the thread of the load."""
        # Counting takes longest and needs nothing of the screen, which stays usable meanwhile.
        dataset = self._make_dataset(loaded.frame)
        previous = None if loaded.previous is None else self._make_dataset(loaded.previous)
        with self._lock:
            self._loading.loaded, self._dataset, self._previous = loaded, dataset, previous
            self._converted, self._counted = {}, {}
            self._offer(dataset)
            self._choose()

    def _choose(self) -> None:
        """Show the chosen part of what was loaded."""
        if self._dataset is None or self._loaded is None:
            return
        self._state = self._state_of(self._chosen_part(self._dataset), self._loaded)
        has_rows = bool(self._state.dataset.rows)
        write(self._layout.cards, self._cards(self._state) if has_rows else NOTHING)
        reason = NOTHING if has_rows else lines(wording.empty(self._loaded, self._one))
        write(self._layout.empty, reason)
        self._layout.set_results(has_rows=has_rows)
        self._write_header()
        self._mark_outdated()
        # A figure that is drawn while hidden keeps a wrong width, so that each tab is drawn when
        # it is shown, and no number of another choice is left in one.
        self._undrawn = set(range(len(self._views)))
        self._draw()

    def _state_of(self, dataset: K, loaded: Loaded) -> ViewState[K]:
        group, told = self.group.value, loaded.estimate
        return ViewState(
            dataset=dataset,
            complete=replace(loaded.complete, rows=dataset.rows, unpriced=dataset.unpriced),
            period=loaded.period,
            group=group,
            by=(self.groups[group],),
            currency=self._client.currency,
            read_at=loaded.read_at,
            previous=None if self._previous is None else self._chosen_part(self._previous),
            counted=self._counted.setdefault(dataset.chosen, {}),
            # Of a part of what was read there is no estimate: nothing tells how much it is of.
            estimate=None if told is None or dataset.chosen else told.by(self.groups[group]),
        )

    def _regroup(self) -> None:
        with self._lock:
            if self._state is not None and self._loaded is not None:
                self._state = self._state_of(self._state.dataset, self._loaded)
                self._undrawn = set(range(len(self._views)))
                self._draw()

    def _draw(self) -> None:
        """Draw the tab on the screen, if it is not drawn yet."""
        with self._lock:
            place = self.tabs.selected_index or 0
            if self._state is not None and self._state.dataset.rows and place in self._undrawn:
                self._view.draw(self._state)
                self._undrawn.discard(place)
            self._write_code()
            self._layout.download.clear()  # a file is of the tab that was on the screen
            self._address.write()

    @property
    def _view(self) -> View[K]:
        return self._views[self.tabs.selected_index or 0]

    @property
    def _loaded(self) -> Loaded | None:
        return self._loading.loaded

    def _write_header(self) -> None:
        write(self._layout.header, self._header())

    def _header(self) -> Markup:
        return wording.header(
            self.heading,
            f"{self._client.auth_id} · {clean(self._client.currency, cap=8)}",
            self.resource,
            self._loaded,
            estimate=self._state.estimate if self._state else None,
            chosen=self._state.dataset.chosen if self._state else None,
        )

    # Code line and exports.

    def _arguments(self) -> dict[str, Any]:
        """The loader's arguments for what is on the screen; before a load, the fields'."""
        if self._loaded is None:
            return self.filters
        has_failed = self._loaded.outcome.error is not None
        return self._loaded.arguments | ({"partial": "return"} if has_failed else {})

    def _code(self, arguments: Mapping[str, Any]) -> str:
        code = [loader_call(self.loader, self.noun, arguments)]
        if self._state is not None:
            code += self._choice_code(self._state)
            code += self._view.code(self._state, self._client.backend)
        return "\n".join(code)

    def _write_code(self) -> None:
        arguments = self._arguments()
        texts = {name: value for name, value in arguments.items() if isinstance(value, str)}
        masked = masked_filters(texts)
        code = self._code({**arguments, **masked})
        # What is written here is saved with a notebook that keeps its widgets, the button with it.
        for name, shown in masked.items():
            if shown != texts[name]:
                code = code.replace(f"{name}={literal(shown)}", f'{name}=input("{name}: ")')
        write(self._layout.code, code_line(code))

    def _export(self, kind: str) -> None:
        with self._lock:
            if self._state is None:
                return
            _, file, make = self._exports()[kind]
            if file.startswith("."):
                file = f"{self.noun}-{self._view.title.lower().replace(' ', '-')}{file}"
            try:
                self._layout.download.send(file, make(self._state))
            except PlivoAnalysisError as error:
                self._layout.download.fail(error)

    @abstractmethod
    def _rows(self, state: ViewState[K]) -> bytes:
        """The records themselves as CSV, one a row."""

    def _csv(self, state: ViewState[K]) -> bytes:
        return as_csv(self._view.table(state), self.resource.table)

    def _workbook(self, state: ViewState[K]) -> bytes:
        facts = {
            "Title": f"{self.heading}: {self._view.title}",
            "Account": self._client.auth_id,
            "Currency": self._client.currency,
            "Range": state.period.bounds,
        }
        name = self._view.title.lower()
        return as_workbook(name, self._view.table(state), self.resource.table, facts)

    @property
    def _one(self) -> str:
        return self.noun.removesuffix("s")

    def _in_backend(self, name: str, made_of: Callable[[pl.DataFrame], pl.DataFrame]) -> Any:
        with self._lock:
            if self._loaded is None:
                return None
            if name not in self._converted:
                frame = made_of(self._loaded.frame)
                self._converted[name] = to_backend(frame, self._client.backend)
            return self._converted[name]
