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
from plivo_analysis.explorer.dataset import APPLICATION, COUNTRY, ENTRY, JOURNEYS
from plivo_analysis.explorer.output import NOTHING, remark, text, write
from plivo_analysis.explorer.table import PagedTable, TableColumn
from plivo_analysis.explorer.views.view import View, cell
from plivo_analysis.figures import style
from plivo_analysis.insights.changes import compare
from plivo_analysis.metrics.estimates import columns_of, group_text
from plivo_analysis.metrics.fallback import fallback_rates
from plivo_analysis.metrics.sessions import cost_per_verified, success_rates
from plivo_analysis.metrics.spend import spend
from plivo_analysis.report.comparison import Difference, points
from plivo_analysis.report.countries import country
from plivo_analysis.report.estimated import estimated_summary
from plivo_analysis.report.measures import Measures
from plivo_analysis.report.sections.summary import summary
from plivo_analysis.report.subject import Subject
from plivo_analysis.values.typesetting import clean, percent, weekday

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup

    from plivo_analysis.explorer.dataset import Dataset
    from plivo_analysis.explorer.table import Row
    from plivo_analysis.explorer.views.view import ViewState

# Each metric of the table, and the columns that are taken of it.
_Part = tuple[Call, tuple[str, ...]]
_PARTS: tuple[_Part, ...] = (
    (Call(success_rates, "records"), ("sessions", *columns_of("success_rate"))),
    (Call(fallback_rates, "fallback"), columns_of("fallback_rate")),
    (Call(spend, "charges"), ("amount",)),
    (Call(cost_per_verified, "records"), ("cost_per_verified", "waste")),
)
_PER_JOURNEY = "cost_per_verified_journey"
_JOURNEYS: _Part = (JOURNEYS, (_PER_JOURNEY,))
_JOINS = {
    "polars": 'overview.join({}, on=by, how="left", nulls_equal=True, maintain_order="left")',
    "pandas": 'overview.merge({}, on=by, how="left")',
}
# The columns on the screen, those that there are: title, what is shown, share of the width.
_MEASURES = {
    "sessions": ("Sessions", "count", 1.1),
    "success_rate": ("Verified, %", "rate", 1.3),
    "fallback_rate": ("Fell back, %", "rate", 1.3),
    "amount": ("Spend", "amount", 1.3),
    "cost_per_verified": ("Per verified", "price", 1.2),
    "waste": ("Waste", "amount", 1.2),
    _PER_JOURNEY: ("Per journey", "price", 1.2),
}
_ESTIMATED = ("sessions", "success_rate", "fallback_rate", "spend", "cost_per_verified")
_OPTIONAL = ("fallback_rate", "cost_per_verified")
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
        show = partial(_estimate, currency)
        titles = {name: title.removesuffix(", %") for name, (title, _, _) in _MEASURES.items()}
        titles["spend"] = titles["amount"]
        self._estimated = [TableColumn("Group", (_NAME,), lambda row: row[_NAME], 1.5)] + [
            TableColumn(titles[name], (name,), partial(show, name), 1.6, True, name in _OPTIONAL)
            for name in _ESTIMATED
        ]
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
        frame = _frame(state)
        self.paged.columns = _columns(state, self._subject, frame)
        self.paged.show(frame, _IN_ORDER if state.over_time else _WORST_FIRST)
        change = "" if state.by == (PERIOD,) else _NOT_STORED
        if _before(state) is not None:
            change = (
                f"Grey: change from {self._subject.before_name}; in colour where its 95 % interval "
                "leaves out 0."
            )
        write(self._note, remark(change, _WASTE, _JOURNEY if _PER_JOURNEY in frame else ""))

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


def _columns(state: ViewState, subject: Subject, frame: pl.DataFrame) -> list[TableColumn]:
    show = partial(_measure, subject, is_compared=_before(state) is not None)
    return [TableColumn("Group", (_ORDER,), partial(_group, state), 1.9)] + [
        TableColumn(title, (name,), partial(show, name), share, True, name == "cost_per_verified")
        for name, (title, _, share) in _MEASURES.items()
        if name in frame.columns
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


def _measure(subject: Subject, name: str, row: Row, *, is_compared: bool) -> Markup:
    """A number of a group, with its change from the period before beside it."""
    value, kind = row[name], _MEASURES[name][1]
    if kind == "rate":
        change = Difference.of(row if is_compared else None, name)
        accent = change is not None and change.clear
        aside = points(change) if change else ""
        return cell(percent(value, unit=False), aside, accent=accent)
    shown, before = subject.shown(value, kind), row.get(name + _WAS)
    if is_compared and before is None and kind == "count":
        return cell(shown, "new")
    since = subject.change(value, before, kind)
    return cell(shown, since.percent if since else "")


def _estimate(currency: str, name: str, row: Row) -> Markup:
    """An estimated number of a group, with its interval beside it."""
    words = group_text(row, name, currency)
    return cell(words.value, words.interval)


def _before(state: ViewState) -> ViewState | None:
    """The period before, where groups are compared: one day has nothing to do with another."""
    return None if state.by == (PERIOD,) else state.previous


def _parts(state: ViewState) -> tuple[_Part, ...]:
    """The parts of the table; a journey is within one application, where recipients are known."""
    if state.by != (APPLICATION,):
        return _PARTS
    # Both periods or none, since the table of the period before has the same columns.
    states = [one for one in (state, state.previous) if one is not None]
    is_known = all(one.dataset.names_recipients for one in states)
    return (*_PARTS, _JOURNEYS) if is_known else _PARTS


def _joined(parts: Sequence[_Part], state: ViewState) -> pl.DataFrame:
    """The parts of the table side by side, one row a group."""
    tables = [state.count(replace(call, arguments={"by": state.by})) for call, _ in parts]
    # All have the groups of the first, which counts every session.
    first, *rest = (
        table.select(*state.by, *columns) for table, (_, columns) in zip(tables, parts, strict=True)
    )
    # Sessions without a country are a group, too: a plain join would leave it out.
    for part in rest:
        first = first.join(part, on=state.by, how="left", nulls_equal=True, maintain_order="left")
    return first


def _frame(state: ViewState) -> pl.DataFrame:
    """The table with the period before beside it, and the names that it is read and sorted by."""
    by, parts, previous = state.by, _parts(state), _before(state)
    frame = _joined(parts, state)
    if previous is not None:
        of_group: dict[str, Any] = {"on": by, "how": "left", "nulls_equal": True}
        frame = frame.join(_joined(parts, previous), suffix=_WAS, **of_group)
        # Of a rate, compare also gives the interval of its change, which says if it is clear.
        was, now = (one.dataset.frames["records"] for one in (previous, state))
        changed = compare(was, now, by).select(*by, cs.contains("_rate_change"))
        frame = frame.join(changed, **of_group)
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
