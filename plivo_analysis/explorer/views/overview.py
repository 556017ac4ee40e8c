"""Overview: what happened and where, with the change from the period before where it is stored.

The paragraph is the report's; the table has one row a group, the one that wastes most first.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import polars as pl
import polars.selectors as cs

from plivo_analysis.explorer.code_line import HOUR, PERIOD, Call, added_columns, literal
from plivo_analysis.explorer.dataset import APPLICATION, COUNTRY, ENTRY
from plivo_analysis.explorer.output import NOTHING, remark, text, write
from plivo_analysis.explorer.table import PagedTable, SortOrder, TableColumn
from plivo_analysis.explorer.views.estimated import EstimatedGroups
from plivo_analysis.explorer.views.view import cell
from plivo_analysis.figures import style
from plivo_analysis.insights.changes import compare
from plivo_analysis.insights.journeys import journey_rates
from plivo_analysis.metrics.certainty import Completeness
from plivo_analysis.metrics.cost import cost_per_verified
from plivo_analysis.metrics.fallback import fallback_rates
from plivo_analysis.metrics.spend import spend
from plivo_analysis.metrics.success import success_rates
from plivo_analysis.report.comparison import Difference, points
from plivo_analysis.report.countries import country
from plivo_analysis.report.estimated import estimated_summary
from plivo_analysis.report.measures import Measures, Subject, changes_since
from plivo_analysis.report.sections.summary import summary
from plivo_analysis.values.typesetting import clean, count, percent, weekday

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from markupsafe import Markup

    from plivo_analysis.explorer.dataset import Sessions
    from plivo_analysis.explorer.views.view import ViewState

# Each metric of the table, the frame that it counts here, and the columns that are taken of it.
_Part = tuple["Callable[..., Any]", str, tuple[str, ...]]
_PARTS: tuple[_Part, ...] = (
    (
        success_rates,
        "sessions",
        ("sessions", "success_rate", "success_rate_low", "success_rate_high"),
    ),
    (fallback_rates, "fallback", ("fallback_rate", "fallback_rate_low", "fallback_rate_high")),
    (spend, "charges", ("amount",)),
    (cost_per_verified, "sessions", ("cost_per_verified", "waste")),
)
_PER_JOURNEY = "cost_per_verified_journey"
_JOURNEYS: _Part = (journey_rates, "journeys", (_PER_JOURNEY,))
_JOINS = {
    "polars": 'overview.join({}, on=by, how="left", nulls_equal=True, maintain_order="left")',
    "pandas": 'overview.merge({}, on=by, how="left")',
}
_WAS = "_before"
_NAME, _ORDER = "__name", "__order"
_WORST_FIRST = SortOrder(("waste", _ORDER), (True, False))
_IN_ORDER = SortOrder((_ORDER,), (False,))


class Overview:
    """The tab "Overview"."""

    title = "Overview"

    def __init__(self, currency: str) -> None:
        self._summary, self._note = text("pva-summary"), text("pva-overview-note")
        self._subject: Subject | None = None
        self._dataset: Sessions | None = None
        self._by = ""
        self._bounds: tuple[datetime, datetime] | None = None
        self._columns = self._columns_of_all()
        self._columns_with_journeys = [*self._columns, self._column_of_journeys()]
        self.paged = PagedTable(self._columns, _WORST_FIRST, "groups")
        self.estimated = EstimatedGroups(currency)
        self.box = widgets.VBox(
            [self._summary, self.paged.box, self.estimated.paged.box, self._note]
        )

    def draw(self, state: ViewState[Sessions]) -> None:
        """Write the summary, and list the groups."""
        estimate = state.estimate
        tables = self.paged.box.layout, self.estimated.paged.box.layout
        tables[0].display = None if estimate is None else "none"
        tables[1].display = "none" if estimate is None or state.over_time else None
        if estimate is not None:
            self._dataset = None
            write(self._summary, estimated_summary(estimate))
            write(
                self._note, remark("There is no estimate by time.") if state.over_time else NOTHING
            )
            if not state.over_time:
                name = partial(_name, state.by[0], applications=state.dataset.names)
                self.estimated.draw(estimate, state.by[0], name)
            return
        # A preview of a load that goes on brings another dataset, and so does another choice of
        # channels.
        if self._dataset is not state.dataset:  # the summary does not depend on the grouping
            self._dataset, self._subject = state.dataset, _subject(state)
            write(self._summary, summary(self._subject))
        self._by, self._bounds = state.by[0], state.bounds
        frame, order = _frame(state), _IN_ORDER if state.over_time else _WORST_FIRST
        has_journeys = _PER_JOURNEY in frame.columns
        self.paged.columns = self._columns_with_journeys if has_journeys else self._columns
        self.paged.show(frame, order)
        compared = state.previous is not None and self._by != PERIOD
        before = self._subject.before_name if self._subject and compared else ""
        change = (
            f"Grey: change from {before}; in colour where its 95 % interval leaves out 0."
            if compared
            else "The period before is not stored, so that no changes are shown: “Compare with the "
            "period before” loads it, up to 90 days back."
        )
        waste = "Waste: what settled sessions that did not verify cost."
        journey = (
            "Per journey: one recipient's sessions in an application, each begun within half an "
            "hour of the one before, are one journey."
        )
        sentences = ["" if self._by == PERIOD else change, waste, journey if has_journeys else ""]
        write(self._note, remark(*sentences))

    def table(self, state: ViewState[Sessions]) -> pl.DataFrame:
        """Sessions, rates, spend, cost per verified session and waste, by group."""
        if state.estimate is not None:
            estimated: pl.DataFrame = state.estimate.frame
            return estimated
        return _joined(_parts(state), state.by, state.dataset, state.count)

    def code(self, state: ViewState[Sessions], backend: str) -> list[str]:
        """The metrics by group, side by side."""
        if state.estimate is not None:
            return ["estimate.frame"]
        lines = [*added_columns(backend, "sessions", state.by, "created_at")]
        lines.append(f"by = [{literal(state.by)}]")
        for place, (metric, _, columns) in enumerate(_parts(state)):
            taken = ", ".join(literal(column) for column in columns)
            part = f"pva.{metric.__name__}(sessions, by=by)[[*by, {taken}]]"
            lines.append(f"overview = {_JOINS[backend].format(part) if place else part}")
        return [*lines, "overview"]

    def _columns_of_all(self) -> list[TableColumn]:
        return [
            TableColumn("Group", (_ORDER,), self._group, 1.9),
            TableColumn("Sessions", ("sessions",), self._sessions, 1.1, is_number=True),
            TableColumn("Verified, %", ("success_rate",), self._rate("success"), 1.3, True),
            TableColumn("Fell back, %", ("fallback_rate",), self._rate("fallback"), 1.3, True),
            TableColumn("Spend", ("amount",), self._spent, 1.3, is_number=True),
            TableColumn(
                "Per verified",
                ("cost_per_verified",),
                self._price,
                1.2,
                is_number=True,
                is_optional=True,
            ),
            TableColumn("Waste", ("waste",), self._waste, 1.2, is_number=True),
        ]

    def _column_of_journeys(self) -> TableColumn:
        def show(row: dict[str, Any]) -> Markup:
            aside = self._relative(row, _PER_JOURNEY)
            return cell(self._shown.price(row[_PER_JOURNEY]), aside)

        return TableColumn("Per journey", (_PER_JOURNEY,), show, 1.2, is_number=True)

    def _group(self, row: dict[str, Any]) -> Markup:
        value, name = row[self._by], row[_NAME]
        if self._by == ENTRY:
            return cell(name, channel=value) if value else cell(name)
        if self._by == PERIOD and self._bounds is not None:
            start, end = self._bounds
            is_whole = start <= value and value + timedelta(days=1) <= end
            return cell(name, "" if is_whole else "not the whole day")
        return cell(name, clean(value) if self._by == COUNTRY and value else "")

    def _sessions(self, row: dict[str, Any]) -> Markup:
        return cell(count(row["sessions"]), self._relative(row, "sessions"))

    def _rate(self, name: str) -> Callable[[dict[str, Any]], Markup]:
        column = f"{name}_rate"

        def show(row: dict[str, Any]) -> Markup:
            change = Difference.of(row if f"{column}_change" in row else None, column)
            aside = points(change) if change else ""
            accent = change is not None and change.clear
            return cell(percent(row[column], unit=False), aside, accent=accent)

        return show

    def _spent(self, row: dict[str, Any]) -> Markup:
        return cell(self._shown.money(row["amount"]), self._relative(row, "amount"))

    def _price(self, row: dict[str, Any]) -> Markup:
        aside = self._relative(row, "cost_per_verified")
        return cell(self._shown.price(row["cost_per_verified"]), aside)

    def _waste(self, row: dict[str, Any]) -> Markup:
        return cell(self._shown.money(row["waste"]), self._relative(row, "waste"))

    @property
    def _shown(self) -> Subject:
        assert self._subject is not None  # noqa: S101 - a table is drawn after its subject
        return self._subject

    def _relative(self, row: dict[str, Any], column: str) -> str:
        if self._shown.before is None or self._by == PERIOD:
            return ""
        before = row[column + _WAS]
        if before is None and column == "sessions":
            return "new"
        kind = "price" if column.startswith("cost_per") else "amount"
        change = self._shown.change(row[column], before, kind)
        return change.percent if change else ""


def _parts(state: ViewState[Sessions]) -> tuple[_Part, ...]:
    """The parts of the table; a journey is within one application, where recipients are known."""
    if state.by != (APPLICATION,):
        return _PARTS
    datasets = [dataset for dataset in (state.dataset, state.previous) if dataset is not None]
    is_known = all(dataset.frames["journeys"].height for dataset in datasets)
    return (*_PARTS, _JOURNEYS) if is_known else _PARTS


def _joined(
    parts: Sequence[_Part],
    by: tuple[str, ...],
    dataset: Sessions,
    counted: Callable[[Call], pl.DataFrame],
) -> pl.DataFrame:
    """The parts of the table side by side, one row a group."""
    tables = (
        # Journeys were found when the sessions were loaded, which takes longer than all the rest.
        dataset.frames[frame]
        if metric is journey_rates
        else counted(Call(metric, frame, {"by": by}))
        for metric, frame, _ in parts
    )
    first, *rest = (
        table.select(*by, *columns) for table, (_, _, columns) in zip(tables, parts, strict=True)
    )
    # Sessions without a country are a group, too: a plain join would leave it out.
    for part in rest:
        first = first.join(part, on=by, how="left", nulls_equal=True, maintain_order="left")
    return first


def _frame(state: ViewState[Sessions]) -> pl.DataFrame:
    """The table with the period before beside it, and the names that it is read and sorted by."""
    by, parts = state.by, _parts(state)
    frame = _joined(parts, by, state.dataset, state.count)
    if state.previous is not None and by[0] != PERIOD:
        frames = state.previous.frames
        before = _joined(parts, by, state.previous, lambda call: call.count(frames))
        measures = [column for _, _, columns in parts for column in columns]
        before = before.rename({column: column + _WAS for column in measures})
        frame = frame.join(before, on=by, how="left", nulls_equal=True)
        # Of a rate, compare also gives the interval of its change, which says if it is clear.
        changes = compare(state.previous.frames["sessions"], state.dataset.frames["sessions"], by)
        changed = changes.select(*by, cs.contains("_rate_change"))
        frame = frame.join(changed, on=by, how="left", nulls_equal=True)
    values = frame[by[0]].to_list()
    names = [_name(by[0], value, state.dataset.names) for value in values]
    order = [str(value) for value in values] if by == (PERIOD,) else names
    return frame.with_columns(
        pl.Series(_NAME, names, pl.String), pl.Series(_ORDER, order, pl.String)
    )


def _name(column: str, value: Any, applications: Mapping[str, str]) -> str:
    if column == COUNTRY:
        return country(value)
    if column == ENTRY:
        return style.name(value) if value else "no attempt"
    if column == PERIOD:
        return weekday(value)
    if column == HOUR:
        return f"{value:02}:00"
    return "not given" if value is None else clean(applications.get(value, value))


def _subject(state: ViewState[Sessions]) -> Subject:
    """What the report's summary needs of the sessions and of those of the period before."""
    previous = state.previous
    before = None
    if previous is not None:
        complete = Completeness(previous.rows, previous.unpriced)
        before = _measures(
            state, previous.frames, lambda call: call.count(previous.frames), complete
        )
    numbers = _measures(state, state.dataset.frames, state.count, state.complete)
    return Subject(
        numbers=numbers,
        before=before,
        title="",
        account=None,
        currency=state.currency,
        messages=None,
        coverage=None,
        changes=changes_since(before, numbers) if before else {},
    )


def _measures(
    state: ViewState[Sessions],
    frames: Mapping[str, pl.DataFrame],
    counted: Callable[[Call], pl.DataFrame],
    complete: Completeness,
) -> Measures:
    tables = {
        "spend": counted(Call(spend, "charges")),
        "spend_by_country": counted(Call(spend, "charges", {"by": (COUNTRY, "channel")})),
        "cost": counted(Call(cost_per_verified, "sessions")),
    }
    period = state.period if frames is state.dataset.frames else state.period.before()
    return Measures(frames["sessions"], frames["charges"], period, complete, tables)
