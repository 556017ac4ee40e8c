"""What a view is: a tab that is drawn when it is shown, and the call that stands behind it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from plivo_analysis.explorer.dataset import Dataset
from plivo_analysis.explorer.html import Markup, tag
from plivo_analysis.explorer.source import HOUR, PERIOD, with_own
from plivo_analysis.figures import time_axis

if TYPE_CHECKING:
    from collections.abc import Hashable

    import ipywidgets as widgets
    import polars as pl

    from plivo_analysis.explorer.source import Call
    from plivo_analysis.report.period import Period

K = TypeVar("K", bound=Dataset)

_PANELS = 8  # that figures.spend draws


@dataclass(slots=True)
class Scene(Generic[K]):
    """What is looked at, and how: everything that a view draws from.

    Args:
        kept: What was loaded, or the part of it that was chosen.
        group: By what it is grouped, as the rail names it.
        by: The columns that this means.
        currency: The account's currency.
        period: The range of time, and how wide its buckets are.
        counted: What was counted of it so far.
    """

    kept: K
    group: str
    by: tuple[str, ...]
    currency: str
    period: Period
    counted: dict[Hashable, pl.DataFrame] = field(default_factory=dict)

    def count(self, call: Call) -> pl.DataFrame:
        """What a metric says, counted once for all views and groupings."""
        key = (call.metric, call.kept, tuple(call.given.items()))
        if key not in self.counted:
            self.counted[key] = call.count(self.kept.frames)
        return self.counted[key]

    def course(self, call: Call, column: str) -> list[Any]:
        """One value a bucket of the range, None where there was nothing."""
        rows = self.count(call).select(PERIOD, column).rows()
        found = {time_axis.instant(period): value for period, value in rows}
        return [found.get(time_axis.instant(start)) for start in self.period.starts]

    def total(self, call: Call) -> dict[str, Any]:
        """The one row of a metric without groups; without records, counts of 0 and nulls."""
        frame = self.count(call)
        if frame.height:
            return frame.row(0, named=True)
        return {name: 0 if kind.is_integer() else None for name, kind in frame.schema.items()}


class View(Protocol[K]):
    """One tab."""

    title: str
    box: widgets.Box

    def draw(self, scene: Scene[K]) -> None:
        """Show what is looked at."""

    def table(self, scene: Scene[K]) -> pl.DataFrame:
        """The frame behind the view, the one that its code gives."""

    def code(self, scene: Scene[K], backend: str) -> list[str]:
        """The lines that follow the loader's; the last one gives the table."""


def written(call: Call, subject: str, backend: str, instant: str) -> list[str]:
    """The lines that make a call of a frame under this name.

    Example:
        >>> from plivo_analysis.explorer.source import Call
        >>> from plivo_analysis.metrics.success import success_rates
        >>> call = Call(success_rates, "sessions", {"by": ("hour",)})
        >>> written(call, "sessions", "pandas", "created_at")[-1]
        'pva.success_rates(sessions, by="hour")'
    """
    return [*with_own(backend, subject, call.own, instant), call.text(subject)]


def remark(*said: str | Markup) -> Markup:
    """A line of small print under a view.

    Example:
        >>> remark("a", "b")
        '<p class="pva-remark">a b</p>'
    """
    parts: list[str | Markup] = []
    for sentence in said:
        parts += [" ", sentence] if parts else [sentence]
    return tag("p", *parts, class_="pva-remark")


def undrawn(table: pl.DataFrame, by: tuple[str, ...]) -> list[str]:
    """That not every group is drawn over time, where that is so; channels all are.

    Example:
        >>> import polars as pl
        >>> undrawn(pl.DataFrame({"alias": list("abcdefghij")}), ("alias",))
        ['The 8 largest of 10 groups are drawn; Take along has them all.']
    """
    known = [name for name in by if name in table.columns and name != PERIOD]
    groups = table.select(known).n_unique() if known and "channel" not in known else 0
    if groups <= _PANELS or HOUR in by:
        return []
    return [f"The {_PANELS} largest of {groups} groups are drawn; Take along has them all."]


def leading(frame: pl.DataFrame, by: str, most: int = 12) -> tuple[pl.DataFrame, int]:
    """The rows of the largest groups in their order, and how many are left out.

    Example:
        >>> import polars as pl
        >>> leading(pl.DataFrame({"sessions": [1, 9, 5]}), "sessions", 2)[0]["sessions"].to_list()
        [9, 5]
    """
    if frame.height <= most:
        return frame, 0
    largest = frame.with_row_index("__at").top_k(most, by=by).sort("__at").drop("__at")
    return largest, frame.height - most
