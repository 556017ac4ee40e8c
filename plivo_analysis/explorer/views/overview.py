"""Overview: what happened and where, with the change from the period before where it is stored.

The paragraph is the report's; the table has one row a group, the one that wastes most first.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

import polars as pl
import polars.selectors as cs

from plivo_analysis.explorer.code_line import HOUR, PERIOD, Call, added_columns, literal
from plivo_analysis.explorer.dataset import APPLICATION, COUNTRY, ENTRY
from plivo_analysis.explorer.output import NOTHING, remark, text, write
from plivo_analysis.explorer.table import PagedTable, TableColumn
from plivo_analysis.explorer.views.estimated import estimated_columns
from plivo_analysis.explorer.views.view import View, cell
from plivo_analysis.figures import style
from plivo_analysis.insights.changes import compare
from plivo_analysis.insights.journeys import journey_rates
from plivo_analysis.metrics.fallback import fallback_rates
from plivo_analysis.metrics.sessions import cost_per_verified, success_rates
from plivo_analysis.metrics.spend import spend
from plivo_analysis.report.comparison import Difference, points
from plivo_analysis.report.countries import country
from plivo_analysis.report.estimated import estimated_summary
from plivo_analysis.report.measures import Measures
from plivo_analysis.report.sections.summary import summary
from plivo_analysis.report.subject import Subject
from plivo_analysis.values.typesetting import clean, count, percent, weekday

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup

    from plivo_analysis.explorer.dataset import Dataset
    from plivo_analysis.explorer.table import Row
    from plivo_analysis.explorer.views.view import ViewState

# Each metric of the table, and the columns that are taken of it.
_Part = tuple["Call", tuple[str, ...]]
_RATES = {
    name: (f"{name}_rate", f"{name}_rate_low", f"{name}_rate_high")
    for name in ("success", "fallback")
}
_PARTS: tuple[_Part, ...] = (
    (Call(success_rates, "records"), ("sessions", *_RATES["success"])),
    (Call(fallback_rates, "fallback"), _RATES["fallback"]),
    (Call(spend, "charges"), ("amount",)),
    (Call(cost_per_verified, "records"), ("cost_per_verified", "waste")),
)
_PER_JOURNEY = "cost_per_verified_journey"
_JOURNEYS: _Part = (Call(journey_rates, "journeys"), (_PER_JOURNEY,))
_JOINS = {
    "polars": 'overview.join({}, on=by, how="left", nulls_equal=True, maintain_order="left")',
    "pandas": 'overview.merge({}, on=by, how="left")',
}
_PRICES = ("cost_per_verified", _PER_JOURNEY)
_WAS = "_before"
_NAME, _ORDER = "__name", "__order"
_WORST_FIRST = {"waste": True, _ORDER: False}
_IN_ORDER = {_ORDER: False}
_NOT_STORED = (
    "The period before is not stored, so that no changes are shown: “Compare with the period "
    "before” loads it, up to 90 days back."
)
_WASTE = "Waste: what settled sessions that did not verify cost."
_JOURNEY = (
    "Per journey: one recipient's sessions in an application, each begun within half an hour of "
    "the one before, are one journey."
)


class Overview(View):
    """The tab "Overview"."""

    title = "Overview"

    def __init__(self, currency: str) -> None:
        self._summary, self._note = text("pva-summary"), text("pva-overview-note")
        self._subject: Subject | None = None
        self._dataset: Dataset | None = None
        self._estimated = estimated_columns(_NAME, currency)
        self.paged = PagedTable([], _WORST_FIRST, "groups")
        super().__init__(self._summary, self.paged.box, self._note)

    def draw(self, state: ViewState) -> None:
        """Write the summary, and list the groups."""
        is_listed = state.estimate is None or not state.over_time
        self.paged.box.layout.display = None if is_listed else "none"
        if state.estimate is not None:
            self._dataset = None
            write(self._summary, estimated_summary(state.estimate))
            write(self._note, NOTHING if is_listed else remark("There is no estimate by time."))
            if is_listed:
                self.paged.columns = self._estimated
                by_spend = {"spend": True, _NAME: False}
                self.paged.show(_with_names(state.estimate.frame, state), by_spend)
            return
        # A preview of a load that goes on brings another dataset, and so does another choice of
        # channels. The summary does not depend on the grouping.
        if self._subject is None or self._dataset is not state.dataset:
            self._dataset, self._subject = state.dataset, _subject(state)
            write(self._summary, summary(self._subject))
        frame, has_journeys = _frame(state), len(_parts(state)) > len(_PARTS)
        self.paged.columns = _columns(state, self._subject, has_journeys=has_journeys)
        self.paged.show(frame, _IN_ORDER if state.over_time else _WORST_FIRST)
        change = "" if state.by == (PERIOD,) else _NOT_STORED
        if _is_compared(state):
            change = (
                f"Grey: change from {self._subject.before_name}; in colour where its 95 % interval "
                "leaves out 0."
            )
        write(self._note, remark(change, _WASTE, _JOURNEY if has_journeys else ""))

    def table(self, state: ViewState) -> pl.DataFrame:
        """Sessions, rates, spend, cost per verified session and waste, by group."""
        if state.estimate is not None:
            estimated: pl.DataFrame = state.estimate.frame
            return estimated
        return _joined(_parts(state), state)

    def code(self, state: ViewState) -> list[str]:
        """The metrics by group, side by side."""
        if state.estimate is not None:
            return ["estimate.frame"]
        lines = [*added_columns(state.backend, "sessions", state.by, "created_at")]
        lines.append(f"by = [{literal(state.by)}]")
        for place, (call, columns) in enumerate(_parts(state)):
            taken = ", ".join(literal(column) for column in columns)
            part = f"pva.{call.metric.__name__}(sessions, by=by)[[*by, {taken}]]"
            lines.append(f"overview = {_JOINS[state.backend].format(part) if place else part}")
        return [*lines, "overview"]


def _columns(state: ViewState, subject: Subject, *, has_journeys: bool) -> list[TableColumn]:
    def measure(title: str, name: str, share: float = 1.3, *, is_optional: bool = False) -> Any:
        show = partial(_measured, name, subject, is_compared=_is_compared(state))
        return TableColumn(title, (name,), show, share, True, is_optional)

    return [
        TableColumn("Group", (_ORDER,), partial(_group, state), 1.9),
        measure("Sessions", "sessions", 1.1),
        measure("Verified, %", "success_rate"),
        measure("Fell back, %", "fallback_rate"),
        measure("Spend", "amount"),
        measure("Per verified", "cost_per_verified", 1.2, is_optional=True),
        measure("Waste", "waste", 1.2),
        *[measure("Per journey", _PER_JOURNEY, 1.2)] * has_journeys,
    ]


def _group(state: ViewState, row: Row) -> Markup:
    """The name of a group; a country's code, and whether a day was read whole, beside it."""
    (by,), name = state.by, row[_NAME]
    value, aside = row[by], ""
    if by == COUNTRY and value:
        aside = clean(value)
    elif by == PERIOD:
        start, end = state.bounds
        is_whole = start <= value and value + timedelta(days=1) <= end
        aside = "" if is_whole else "not the whole day"
    return cell(name, aside, channel=value if by == ENTRY and value else None)


def _measured(name: str, subject: Subject, row: Row, *, is_compared: bool) -> Markup:
    """A number of a group, with its change from the period before beside it."""
    value = row[name]
    if name in ("success_rate", "fallback_rate"):
        change = Difference.of(row if f"{name}_change" in row else None, name)
        aside = points(change) if change else ""
        accent = change is not None and change.clear
        return cell(percent(value, unit=False), aside, accent=accent)
    if name == "sessions":
        shown = count(value)
    else:
        shown = subject.price(value) if name in _PRICES else subject.money(value)
    if not is_compared:
        return cell(shown)
    before = row[name + _WAS]
    if before is None and name == "sessions":
        return cell(shown, "new")
    since = subject.change(value, before, "price" if name in _PRICES else "amount")
    return cell(shown, since.percent if since else "")


def _is_compared(state: ViewState) -> bool:
    """Whether each group has its change beside it; one day has nothing to do with another."""
    return state.previous is not None and state.by != (PERIOD,)


def _parts(state: ViewState) -> tuple[_Part, ...]:
    """The parts of the table; a journey is within one application, where recipients are known."""
    if state.by != (APPLICATION,):
        return _PARTS
    states = [one for one in (state, state.previous) if one is not None]
    is_known = all(one.dataset.frames["journeys"].height for one in states)
    return (*_PARTS, _JOURNEYS) if is_known else _PARTS


def _joined(parts: Sequence[_Part], state: ViewState) -> pl.DataFrame:
    """The parts of the table side by side, one row a group."""
    tables = [
        # Journeys were found when the sessions were loaded, which takes longer than all the rest.
        state.dataset.frames["journeys"]
        if call.metric is journey_rates
        else state.count(replace(call, arguments={"by": state.by}))
        for call, _ in parts
    ]
    first, *rest = (
        table.select(*state.by, *columns) for table, (_, columns) in zip(tables, parts, strict=True)
    )
    # Sessions without a country are a group, too: a plain join would leave it out.
    for part in rest:
        first = first.join(part, on=state.by, how="left", nulls_equal=True, maintain_order="left")
    return first


def _frame(state: ViewState) -> pl.DataFrame:
    """The table with the period before beside it, and the names that it is read and sorted by."""
    by, parts = state.by, _parts(state)
    frame = _joined(parts, state)
    if state.previous is not None and _is_compared(state):
        before = _joined(parts, replace(state.previous, by=by))
        measures = [column for _, columns in parts for column in columns]
        before = before.rename({column: column + _WAS for column in measures})
        frame = frame.join(before, on=by, how="left", nulls_equal=True)
        # Of a rate, compare also gives the interval of its change, which says if it is clear.
        was, now = (one.dataset.frames["records"] for one in (state.previous, state))
        changed = compare(was, now, by).select(*by, cs.contains("_rate_change"))
        frame = frame.join(changed, on=by, how="left", nulls_equal=True)
    return _with_names(frame, state)


def _with_names(frame: pl.DataFrame, state: ViewState) -> pl.DataFrame:
    (by,) = state.by
    values = frame[by].to_list()
    names = [_name(by, value, state.dataset.names) for value in values]
    order = [str(value) for value in values] if by == PERIOD else names
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


def _subject(state: ViewState) -> Subject:
    """What the report's summary needs of the sessions and of those of the period before."""
    before = None if state.previous is None else _measures(state.previous)
    return Subject(_measures(state), state.currency, before)


def _measures(state: ViewState) -> Measures:
    tables = {
        "spend": state.count(Call(spend, "charges")),
        "spend_by_country": state.count(Call(spend, "charges", {"by": (COUNTRY, "channel")})),
        "cost": state.count(Call(cost_per_verified, "records")),
    }
    frames = state.dataset.frames
    return Measures(frames["records"], frames["charges"], state.period, state.complete, tables)
