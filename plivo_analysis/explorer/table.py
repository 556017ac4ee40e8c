"""A table of rows: one page at a time, sorted by a column's head, filtered by a text.

Sorting, filtering and paging happen in the frame, of which only the rows of one page are put in
order and become text. The buttons inside the table are HTML; what they ask for arrives in a
hidden field, see ``templates/explorer/style.html``.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import polars as pl

from plivo_analysis.explorer.output import NOTHING, box, button, lines, text, write
from plivo_analysis.templates.rendering import render
from plivo_analysis.values.typesetting import DASH, count

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from markupsafe import Markup

PAGE = 13

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class TableColumn:
    """One column on the screen.

    Args:
        title: Its head.
        sort: The columns of the frame that sort it.
        show: What a row shows in it: text, or what a template made.
        share: Its part of the table's width.
        is_number: Whether it is set to the right.
        is_optional: Whether a narrow screen leaves it out.
    """

    title: str
    sort: tuple[str, ...]
    show: Callable[[Row], str | Markup]
    share: float = 1.0
    is_number: bool = False
    is_optional: bool = False


def value_column(
    title: str, name: str, show: Callable[[Any], str | Markup], share: float, **look: bool
) -> TableColumn:
    """A column that shows one value of a row, and is sorted by it.

    Example:
        >>> value_column("Parts", "units", str, 0.5, is_number=True).show({"units": 2})
        '2'
    """
    return TableColumn(title, (name,), lambda row: show(row[name]), share, **look)


class PagedTable:
    """A table on the screen.

    Args:
        columns: What it shows.
        usual: The order at first, which also breaks ties: columns of the frame, and whether
            each goes from high to low.
        noun: What a row is, in the plural.
    """

    def __init__(
        self,
        columns: Sequence[TableColumn],
        usual: dict[str, bool],
        noun: str,
    ) -> None:
        self.columns = columns
        self._noun = noun
        self._usual = usual
        # What a person sorted by, and whether down; None for the usual order.
        self._sorted: tuple[tuple[str, ...], bool] | None = None
        self._details: Callable[[Row], Markup] | None = None
        self._frame: pl.DataFrame | None = None
        self._found: pl.DataFrame | None = None
        self._rows: list[Row] = []
        self._start = 0
        self._body, self._position = text("pva-rows"), text("pva-position")
        self._opened = text("pva-opened")
        self.find = widgets.Text(
            description="Find",
            placeholder=f"in these {noun}",
            continuous_update=False,
            tooltip="Find",
        )
        self.jump = widgets.BoundedIntText(
            description="Page", min=1, max=1, value=1, tooltip="Jump to a page"
        )
        self.action = widgets.Text().add_class("pva-action")
        self.back = button("‹ Back", "pva-back", "The page before")
        self.next = button("Next ›", "pva-next", "The next page")
        self.find.observe(lambda _: self._search(), "value")
        self.jump.observe(lambda change: self._turn_to((change["new"] - 1) * PAGE), "value")
        self.action.observe(lambda change: self.act(change["new"]), "value")
        self.back.on_click(lambda _: self._turn_to(self._start - PAGE))
        self.next.on_click(lambda _: self._turn_to(self._start + PAGE))
        self._foot = box("pva-foot", self.find, self.back, self._position, self.next, self.jump)
        self.box = box("pva-table", self._opened, self._body, self._foot, self.action)

    def show(
        self,
        frame: pl.DataFrame,
        usual: dict[str, bool] | None = None,
        details: Callable[[Row], Markup] | None = None,
    ) -> None:
        """Show the first page of a frame.

        Args:
            frame: What is shown, in the order that a person chose, else in the usual one.
            usual: A usual order of its own.
            details: Describes a row; a button in the first column shows it.
        """
        # A column that a person sorted by stays in force from choice to choice; a usual order is
        # the view's, and by time another one than by what was wasted.
        if self._sorted is not None and not {*self._sorted[0]} <= {*frame.columns}:
            self._sorted = None
        self._usual = usual or self._usual
        self._frame, self._details = frame, details
        write(self._opened, NOTHING)
        self._foot.layout.display = None if frame.height > PAGE else "none"
        self._search()

    def act(self, words: str) -> None:
        """Do what a button inside the table asks for, as ``sort 3``, ``open 5``, ``close 0``."""
        # Words from the page: the time behind them makes each press a change of the field, and
        # anybody can write there.
        what, number, *_ = [*words.split(" "), "", ""]
        if not number.isdecimal():
            return
        place = int(number)
        if what == "sort" and place < len(self.columns):
            self._sort(place)
        elif what == "open" and self._details is not None and place < len(self._rows):
            write(self._opened, self._details(self._rows[place]))
        elif what == "close":
            write(self._opened, NOTHING)

    def _search(self) -> None:
        if self._frame is None:
            return
        words = self.find.value.strip().casefold()
        self._found = self._frame
        if words:
            # Numbers of people are shown masked and must not be found by guessing digits.
            of_people = ("recipient", "from_number", "to_number")
            columns = [
                pl.col(name)
                for column in self.columns
                for name in column.sort
                if self._frame.schema[name] == pl.String and name not in of_people
            ]
            holds = (c.str.to_lowercase().str.contains(words, literal=True) for c in columns)
            self._found = self._frame.filter(pl.any_horizontal(pl.lit(value=False), *holds))
        # What was found may have fewer pages than the one that was shown.
        self._start = 0
        self._draw()

    def _sort(self, place: int) -> None:
        """Up, then down, then as usual."""
        names = self.columns[place].sort
        if self._sorted == (names, True):
            self._sorted = None
        else:
            self._sorted = names, self._sorted == (names, False)
        self._start = 0
        self._draw()

    def _page(self, frame: pl.DataFrame) -> list[Row]:
        """The rows of the page, in order: the engine sorts no further than it has to."""
        # The chosen order comes first and decides; the usual one breaks its ties.
        chosen = dict.fromkeys(*self._sorted) if self._sorted else {}
        order = chosen | self._usual | chosen
        ordered = frame.lazy().sort(list(order), descending=list(order.values()), nulls_last=True)
        return ordered.slice(self._start, PAGE).collect().rows(named=True)

    def _turn_to(self, start: int) -> None:
        if start == self._start:  # the number of the page follows it, and calls back
            return
        if self._found is not None and 0 <= start < max(1, self._found.height):
            self._start = start
            self._draw()

    def _draw(self) -> None:
        if self._found is None:
            return
        self._rows = self._page(self._found)
        write(self._body, self._table())
        last, total = self._start + len(self._rows), self._found.height
        pages = max(1, ceil(total / PAGE))
        position = f"{count(self._start + 1)}{DASH}{count(last)} of {count(total)} {self._noun}"
        write(self._position, lines(position if total else f"No {self._noun}"))
        # One notice with both: fewer pages alone would turn to the last of them on the way.
        with self.jump.hold_trait_notifications():
            self.jump.max, self.jump.value = pages, self._start // PAGE + 1
        self.back.disabled = self._start == 0
        self.next.disabled = last >= total

    def _table(self) -> Markup:
        return render(
            "explorer/table.html",
            columns=self.columns,
            whole=sum(column.share for column in self.columns),
            sorted_by=self._sorted and self._sorted[0],
            way="descending" if self._sorted and self._sorted[1] else "ascending",
            rows=[[column.show(row) for column in self.columns] for row in self._rows],
            opens=self._details is not None,
        )
