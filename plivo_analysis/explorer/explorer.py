"""The explorer: fields to load with in a sidebar, results beside it.

The results are of the last load, whatever the fields say meanwhile. Callbacks of widgets may
come from any thread, and so does what a load has read, so that whatever changes the results takes
one lock.
"""

from __future__ import annotations

import threading
from abc import abstractmethod
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qsl, urlencode

import ipywidgets as widgets
import polars.selectors as cs

from plivo_analysis.api.filters import masked_filters
from plivo_analysis.client import environment_client
from plivo_analysis.errors import FilterError, PlivoAnalysisError
from plivo_analysis.explorer import wording
from plivo_analysis.explorer.code_line import (
    code_line,
    entry_channel_filter,
    literal,
    loader_call,
)
from plivo_analysis.explorer.layout import Layout
from plivo_analysis.explorer.load_cost import LoadRequest, load_cost
from plivo_analysis.explorer.loading import Loading
from plivo_analysis.explorer.output import NOTHING, lines, write
from plivo_analysis.explorer.sidebar import DateRange, EntryChannels, FilterFields
from plivo_analysis.explorer.views.view import ViewState
from plivo_analysis.loaders.recipients import masked
from plivo_analysis.report.files import csv_bytes, table_workbook
from plivo_analysis.tables.convert import to_backend
from plivo_analysis.templates.rendering import render
from plivo_analysis.values.spans import Span
from plivo_analysis.values.typesetting import clean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup

    from plivo_analysis.api.resources import Resource
    from plivo_analysis.client import Client
    from plivo_analysis.explorer.dataset import Loaded
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
        self._state: ViewState | None = None
        self._frame: Any = None
        self._views = self._make_views(self._client.currency)
        self._dates = DateRange(self._client.now, self._changed)
        self._fields = FilterFields(self.resource, self._changed)
        self._entries = EntryChannels(self._choose)
        self.channels = self._entries.toggles
        self._layout = layout = Layout(
            self.groups,
            self.resource.name,
            [(view.title, view.box) for view in self._views],
            [self._dates.box, self._fields.box],
            self._entries.parts if self.has_channels else [],
        )
        self.load, self.cancel, self.compare = layout.load, layout.cancel, layout.compare
        self.group, self.tabs, self.exports = layout.group, layout.tabs, layout.exports
        self._loading = Loading(layout, self._show)
        super().__init__(layout.page)
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
        settings = dict(parse_qsl(query))
        # Kept until a load has found which channels there are; only then they have toggles.
        words = settings.get("channels", "").split(",")
        self._entries.wanted = tuple(word for word in words if word.isalpha())  # no number is
        if "since" in settings:
            with suppress(FilterError):
                self._dates.put(settings["since"], settings.get("until"))
        for name in self._in_address:
            with suppress(FilterError):
                self._fields.put({name: settings.get(name)})
        self.compare.value = "compare" in settings
        if settings.get("group") in self.groups:
            self.group.value = settings["group"]
        titles = [view.title for view in self._views]
        if settings.get("tab") in titles:
            self.tabs.selected_index = titles.index(settings["tab"])

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
        return type(self).__name__ + ("" if client is None else f" of {client.auth_id}")

    # Fields.

    def _changed(self) -> None:
        """A field changed: check all of them, and say what loading would cost."""
        with self._lock:
            is_wrong = self._check() is not None  # says so beside the field, also during a load
            if self._loading.worker.busy:  # what is written below is the load's meanwhile
                return
            # Between the look at `busy` and here no load can start: that takes this lock, too.
            write(self._layout.status, NOTHING if is_wrong else self._cost())
            self._mark_outdated()
            self._write_address()
            if self._loaded is None:
                self._write_code()

    def _check(self) -> Exception | None:
        """Check every field; return the first error."""
        errors = [self._dates.check(), *(field.check() for field in self._fields.fields)]
        return next((error for error in errors if error is not None), None)

    def _cost(self) -> Markup:
        try:
            request = self._request()
            span = request.span()
            if self.compare.value:
                # The period before ends where this one starts: together they are one range.
                span = Span(request.before(span).span().start, span.end)
            return lines(*wording.before(load_cost(request, span), self.resource.noun))
        except PlivoAnalysisError as error:
            return wording.failed(error, 0, self.resource.noun)

    def _request(self) -> LoadRequest:
        return LoadRequest(self._client, self.resource, self.filters)

    def _mark_outdated(self) -> None:
        is_outdated = (
            self._loaded is not None and dict(self._loaded.request.arguments) != self.filters
        )
        self._layout.set_outdated(wording.CHANGED if is_outdated else "")

    @property
    def _in_address(self) -> list[str]:
        """The filters that may stand in the page's address: not those by a telephone number."""
        return [one.name for one in self.resource.parameters if not one.kind.is_number]

    def _write_address(self) -> None:
        """Put the settings into the page's address; ``style.html`` has the page's side of it."""
        dates, filters = self._dates.arguments(), self._fields.arguments()
        settings = {
            # All names that may be there: the page deletes those that have no value any more.
            **dict.fromkeys(("since", "until", *self._in_address), ""),
            **{name: literal(at).strip('"') for name, at in dates.items()},
            **{name: filters[name] for name in self._in_address if name in filters},
            "compare": "yes" if self.compare.value else "",
            "channels": ",".join(self._entries.chosen),
            "group": self.group.value,
            "tab": self._view.title,
        }
        query = urlencode({name: value for name, value in settings.items() if value})
        address = render("explorer/address.html", query=query, names=" ".join(settings))
        write(self._layout.address, address)

    # A load.

    def _start(self) -> None:
        with self._lock:
            if self._loading.worker.busy:
                return
            self._loading.error = self._check()
            if self.error is None:
                self._loading.start(self._request())

    # Results.

    def _show(self, loaded: Loaded) -> None:
        """Put what was loaded on the screen; it comes from the thread of the load."""
        with self._lock:
            shown, self._loading.loaded = self._loaded, loaded
            if shown is not None and shown.dataset is loaded.dataset:
                # Cancelled when all of it was on the screen: only what is said of it changes.
                self._write_header()
                self._write_code()
                return
            self._frame = None
            # Before the choice: a channel that the page's address names is pressed as soon as its
            # toggle is there.
            for field in self._fields.fields:
                field.offer(loaded.dataset.known)
            self._entries.offer(loaded.dataset.channels)
            self._choose()

    def _choose(self) -> None:
        """Show the chosen part of what was loaded."""
        with self._lock:
            if self._loaded is None:
                return
            self._state = self._state_of(self._loaded)
            has_rows = bool(self._state.dataset.rows)
            write(self._layout.cards, self._cards(self._state) if has_rows else NOTHING)
            reason = NOTHING if has_rows else lines(wording.empty(self._loaded))
            write(self._layout.empty, reason)
            self._layout.set_results(has_rows=has_rows)
            self._write_header()
            self._mark_outdated()
            self._draw()

    def _regroup(self) -> None:
        """Show the same by another group; the cards are of all groups."""
        with self._lock:
            if self._loaded is not None:
                self._state = self._state_of(self._loaded)
            self._draw()

    def _state_of(self, loaded: Loaded) -> ViewState:
        column = self.groups[self.group.value]
        chosen = loaded.dataset.only(self._entries.chosen)
        # Of a part of what was read there is no estimate: nothing tells how much it is of.
        estimate = loaded.estimate if chosen is loaded.dataset else None
        return ViewState(
            dataset=chosen,
            complete=replace(loaded.complete, rows=chosen.rows, unpriced=chosen.unpriced),
            period=loaded.period,
            by=(column,),
            currency=self._client.currency,
            backend=self._client.backend,
            read_at=loaded.read_at,
            previous=None if loaded.previous is None else self._state_of(loaded.previous),
            estimate=estimate and estimate(column),
        )

    def _draw(self) -> None:
        """Draw the tab on the screen, if it is not drawn yet.

        A figure that is drawn while hidden keeps a wrong width, so that each tab is drawn when it
        is shown, and no number of another choice is left in one.
        """
        with self._lock:
            state, view = self._state, self._view
            if state is not None and state.dataset.rows and view.drawn is not state:
                view.draw(state)
                view.drawn = state
            self._write_code()
            self._layout.download.clear()  # a file is of the tab that was on the screen
            self._write_address()

    @property
    def _view(self) -> View:
        return self._views[self.tabs.selected_index or 0]

    @property
    def _loaded(self) -> Loaded | None:
        return self._loading.loaded

    def _write_header(self) -> None:
        write(self._layout.header, self._header())

    def _header(self) -> Markup:
        account = f"{self._client.auth_id} · {clean(self._client.currency, cap=8)}"
        return wording.header(self.heading, account, self._loaded, self._state)

    # Code line and exports.

    def _arguments(self) -> dict[str, Any]:
        """The loader's arguments for what is on the screen; before a load, the fields'."""
        if self._loaded is None:
            return self.filters
        has_failed = self._loaded.error is not None
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
        shown = masked_filters(texts)
        code = self._code({**arguments, **shown})
        # What is written here is saved with a notebook that keeps its widgets, the button with it.
        for name, text in shown.items():
            if text != texts[name]:
                code = code.replace(f"{name}={literal(text)}", f'{name}=input("{name}: ")')
        write(self._layout.code, code_line(code))

    def _export(self, kind: str) -> None:
        with self._lock:
            if self._state is None:
                return
            table, title, name = self.resource.table, self._view.title, self.resource.name
            frame, file = self._view.table(self._state), title.lower().replace(" ", "-")
            try:
                if kind == "html":
                    file, content = self.report_file, self._report(self._state)
                elif kind == "xlsx":
                    facts = {
                        "Title": f"{self.heading}: {title}",
                        "Account": self._client.auth_id,
                        "Currency": self._client.currency,
                        "Range": self._state.period.bounds,
                    }
                    file = f"{name}-{file}.xlsx"
                    content = table_workbook(title.lower(), masked(frame, table), facts)
                else:
                    file = f"{name}-{file}.csv"
                    if kind == "rows":
                        file = f"{name}.csv"
                        frame = self._state.dataset.frames["whole"].select(table.names)
                    content = csv_bytes(masked(frame.select(~cs.list()), table))
                self._layout.download.send(file, content)
            except PlivoAnalysisError as error:
                self._layout.download.fail(error)
