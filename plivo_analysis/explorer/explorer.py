"""The explorer: fields to load with in a sidebar, results beside it.

The results are of the last load, whatever the fields say meanwhile. Callbacks of widgets may
come from any thread, and so does what a load has read, so that whatever changes the results takes
one lock.
"""

from __future__ import annotations

import threading
from abc import abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

import ipywidgets as widgets

from plivo_analysis.api.filters import masked_filters
from plivo_analysis.client import environment_client
from plivo_analysis.errors import PlivoAnalysisError
from plivo_analysis.explorer import wording
from plivo_analysis.explorer.address import Address
from plivo_analysis.explorer.code_line import (
    code_line,
    entry_channel_filter,
    literal,
    loader_call,
)
from plivo_analysis.explorer.exporting import as_csv, as_workbook
from plivo_analysis.explorer.layout import Layout
from plivo_analysis.explorer.load_controls import Loading
from plivo_analysis.explorer.load_cost import LoadRequest, load_cost
from plivo_analysis.explorer.output import NOTHING, lines, write
from plivo_analysis.explorer.sidebar import DateRange, EntryChannels, FilterFields
from plivo_analysis.explorer.views.view import ViewState
from plivo_analysis.metrics.certainty import Completeness
from plivo_analysis.tables.convert import to_backend
from plivo_analysis.values.typesetting import clean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import polars as pl
    from markupsafe import Markup

    from plivo_analysis.api.resources import Resource
    from plivo_analysis.client import Client
    from plivo_analysis.explorer.dataset import Dataset
    from plivo_analysis.explorer.loaded import Loaded
    from plivo_analysis.explorer.views.view import View


class Explorer(widgets.VBox):  # type: ignore[misc]  # ipywidgets ships no types
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
        channels: The toggles of the entry channels.
    """

    heading: ClassVar[str]
    resource: ClassVar[Resource]
    groups: ClassVar[Mapping[str, str]]
    report_file: ClassVar[str]
    # Whether there are entry channels to choose and changes to show, as sessions have them.
    has_channels: ClassVar[bool] = False

    def __init__(self, client: Client | None = None, **filters: Any) -> None:
        # A callback that holds it sets widgets, whose own callbacks come here again.
        self._lock = threading.RLock()
        self._client = client or environment_client()
        self._dataset: Dataset | None = None
        self._previous: Dataset | None = None
        self._state: ViewState | None = None
        self._frame: Any = None
        # What was counted of each dataset and choice of channels, so that going back to one costs
        # nothing.
        self._counted: dict[tuple[str, tuple[str, ...] | None], dict[Any, pl.DataFrame]] = {}
        self._undrawn: set[int] = set()
        self._views = self._make_views(self._client.currency)
        labels = {"csv": "CSV", "xlsx": "XLSX", "rows": f"{self.resource.name.capitalize()} CSV"}
        labels["html"] = "Report"
        layout = Layout(self.groups, labels, [(view.title, view.box) for view in self._views])
        self.load, self.cancel, self.compare = layout.load, layout.cancel, layout.compare
        self.group, self.tabs, self.exports = layout.group, layout.tabs, layout.exports
        self._layout = layout
        self._loading = Loading(
            layout,
            self.resource.noun,
            self._client.limiter.of(self.resource.path),
            self._show,
            self._end,
        )
        self._dates = DateRange(self._client.now, self._changed)
        self._fields = FilterFields(self.resource, self._changed)
        self._entries = EntryChannels(self._choose)
        self.channels = self._entries.toggles
        self._address = Address(self._dates, self._fields, self._entries, layout)
        fields, choices = [self._dates.box, self._fields.box], []
        if self.has_channels:
            fields, choices = [*fields, self.compare], self._entries.parts
        super().__init__([*layout.page(fields, choices), self._address.place])
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
    def _make_views(self, currency: str) -> Sequence[View]:
        """The tabs."""

    @abstractmethod
    def _make_dataset(self, frame: pl.DataFrame) -> Dataset:
        """What was loaded, in the form that views count."""

    @abstractmethod
    def _cards(self, state: ViewState) -> Markup:
        """The KPI cards."""

    @abstractmethod
    def _report(self, state: ViewState) -> bytes:
        """The report."""

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
        with self._lock:
            if self._loaded is not None and self._frame is None:
                self._frame = to_backend(self._loaded.frame, self._client.backend)
            return self._frame

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
            return lines(*wording.before(load_cost(request, (start, end)), self.resource.noun))
        except PlivoAnalysisError as error:
            return wording.failed(error, 0, self.resource.noun)

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

    def _end(self) -> None:
        with self._lock:
            self._write_header()
            self._write_code()

    # Results.

    def _show(self, loaded: Loaded) -> None:
        """Put what was loaded on the screen; it comes from the thread of the load."""
        # Counting takes longest and needs nothing of the screen, which stays usable meanwhile.
        dataset = self._make_dataset(loaded.frame)
        previous = None if loaded.previous is None else self._make_dataset(loaded.previous)
        with self._lock:
            self._loading.loaded, self._dataset, self._previous = loaded, dataset, previous
            self._frame, self._counted = None, {}
            self._fields.offer(dataset.known)
            self._entries.offer(dataset.channels)
            self._choose()

    def _choose(self) -> None:
        """Show the chosen part of what was loaded."""
        with self._lock:
            if self._dataset is None or self._loaded is None:
                return
            self._state = self._state_of(self._dataset, self._loaded)
            has_rows = bool(self._state.dataset.rows)
            write(self._layout.cards, self._cards(self._state) if has_rows else NOTHING)
            reason = NOTHING if has_rows else lines(wording.empty(self._loaded, self.resource.noun))
            write(self._layout.empty, reason)
            self._layout.set_results(has_rows=has_rows)
            self._write_header()
            self._mark_outdated()
            self._redraw()

    def _regroup(self) -> None:
        """Show the same by another group; the cards are of all groups."""
        with self._lock:
            if self._dataset is not None and self._loaded is not None:
                self._state = self._state_of(self._dataset, self._loaded)
            self._redraw()

    def _redraw(self) -> None:
        # A figure that is drawn while hidden keeps a wrong width, so that each tab is drawn when
        # it is shown, and no number of another choice is left in one.
        self._undrawn = set(range(len(self._views)))
        self._draw()

    def _state_of(self, dataset: Dataset, loaded: Loaded) -> ViewState:
        chosen, column = dataset.only(self._entries.chosen), self.groups[self.group.value]
        state = ViewState(
            dataset=chosen,
            complete=replace(loaded.complete, rows=chosen.rows, unpriced=chosen.unpriced),
            period=loaded.period,
            group=self.group.value,
            by=(column,),
            currency=self._client.currency,
            backend=self._client.backend,
            read_at=loaded.read_at,
            counted=self._counted.setdefault(("now", chosen.chosen), {}),
        )
        if self._previous is not None:
            previous = self._previous.only(self._entries.chosen)
            state.previous = replace(
                state,
                dataset=previous,
                complete=Completeness(previous.rows, previous.unpriced),
                period=loaded.period.before(),
                counted=self._counted.setdefault(("before", chosen.chosen), {}),
            )
        # Of a part of what was read there is no estimate: nothing tells how much it is of.
        if loaded.estimate is not None and not chosen.chosen:
            state.estimate = loaded.estimate(column)
        return state

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
    def _view(self) -> View:
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
        code = [loader_call(f"load_{self.resource.name}", self.resource.name, arguments)]
        if self._state is not None:
            chosen = self._state.dataset.chosen
            if chosen is not None:
                code.append(entry_channel_filter(self._client.backend, chosen))
            code += self._view.code(self._state)
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
            view = f"{self.resource.name}-{self._view.title.lower().replace(' ', '-')}"
            file, make = {
                "csv": (f"{view}.csv", self._csv),
                "xlsx": (f"{view}.xlsx", self._workbook),
                "rows": (f"{self.resource.name}.csv", self._rows),
                "html": (self.report_file, self._report),
            }[kind]
            try:
                self._layout.download.send(file, make(self._state))
            except PlivoAnalysisError as error:
                self._layout.download.fail(error)

    def _rows(self, state: ViewState) -> bytes:
        table = self.resource.table
        return as_csv(state.dataset.frames["whole"].select(table.names), table)

    def _csv(self, state: ViewState) -> bytes:
        return as_csv(self._view.table(state), self.resource.table)

    def _workbook(self, state: ViewState) -> bytes:
        facts = {
            "Title": f"{self.heading}: {self._view.title}",
            "Account": self._client.auth_id,
            "Currency": self._client.currency,
            "Range": state.period.bounds,
        }
        name = self._view.title.lower()
        return as_workbook(name, self._view.table(state), self.resource.table, facts)
