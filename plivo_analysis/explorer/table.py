"""A table of rows to be read: one page at a time, sorted by a click on a column's head.

Sorting and paging happen in the frame, of which only the rows of one page are put in order and
become text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets

from plivo_analysis.explorer.html import Child, Markup, tag
from plivo_analysis.explorer.output import text, write
from plivo_analysis.values.typesetting import DASH, count

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import polars as pl

PAGE = 13

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class TableColumn:
    """One column on the screen.

    Args:
        title: Its head.
        sort: The columns of the frame that sort it.
        show: What a row shows in it.
        share: Its part of the table's width.
        number: Whether it is set to the right.
    """

    title: str
    sort: tuple[str, ...]
    show: Callable[[Row], Child]
    share: float = 1.0
    number: bool = False


@dataclass(frozen=True, slots=True)
class SortOrder:
    """By what rows are sorted.

    Args:
        names: The columns of the frame.
        down: Which of them from high to low.
        column: The place of the column on the screen; None for the usual order.
    """

    names: tuple[str, ...]
    down: tuple[bool, ...]
    column: int | None = None


class Paged:
    """A table on the screen.

    Args:
        columns: What it shows.
        usual: The order before anybody chose one; it also breaks ties.
        noun: What a row is, in the plural.
    """

    def __init__(self, columns: Sequence[TableColumn], usual: SortOrder, noun: str) -> None:
        self._columns = columns
        self._usual = usual
        self._noun = noun
        self._order = usual
        self._frame: pl.DataFrame | None = None
        self._start = 0
        self.heads = [self._head(place) for place in range(len(columns))]
        self._body = text("pva-rows")
        self._told = text("pva-told")
        self.newer = widgets.Button(description="‹ Back", tooltip="The page before")
        self.older = widgets.Button(description="Next ›", tooltip="The next page")
        self.newer.on_click(lambda _: self._turn(-PAGE))
        self.older.on_click(lambda _: self._turn(PAGE))
        total = sum(column.share for column in columns)
        self._widths = [f"{100 * column.share / total:.2f}%" for column in columns]
        top = widgets.Box(self.heads)
        top.add_class("pva-heads")
        top.layout.grid_template_columns = " ".join(f"{column.share:g}fr" for column in columns)
        foot = widgets.Box([self.newer, self._told, self.older])
        foot.add_class("pva-foot")
        self.box = widgets.VBox([top, self._body, foot])
        self.box.add_class("pva-table")

    def show(self, frame: pl.DataFrame) -> None:
        """Show the first page of a frame, in the order chosen."""
        self._frame = frame
        self._start = 0
        self._draw()

    def _head(self, place: int) -> widgets.Button:
        column = self._columns[place]
        head = widgets.Button(description=column.title, tooltip=f"Sort by {column.title}")
        if column.number:
            head.add_class("pva-number")
        head.on_click(lambda _: self._sort(place))
        return head

    def _sort(self, place: int) -> None:
        """Up, then down, then as usual."""
        names = self._columns[place].sort
        if self._order.column != place:
            self._order = SortOrder(names, (False,) * len(names), place)
        elif not self._order.down[0]:
            self._order = SortOrder(names, (True,) * len(names), place)
        else:
            self._order = self._usual
        for number, head in enumerate(self.heads):
            arrow = (
                ("  ↓" if self._order.down[0] else "  ↑") if number == self._order.column else ""
            )
            head.description = self._columns[number].title + arrow
        if self._frame is not None:
            self.show(self._frame)

    def _page(self, frame: pl.DataFrame) -> list[Row]:
        """The rows of the page, in order: the engine sorts no further than it has to."""
        rest = [
            (name, down)
            for name, down in zip(self._usual.names, self._usual.down, strict=True)
            if name not in self._order.names
        ]
        names = [*self._order.names, *(name for name, _ in rest)]
        down = [*self._order.down, *(way for _, way in rest)]
        ordered = frame.lazy().sort(names, descending=down, nulls_last=True)
        return ordered.slice(self._start, PAGE).collect().rows(named=True)

    def _turn(self, by: int) -> None:
        if self._frame is not None and 0 <= self._start + by < max(1, self._frame.height):
            self._start += by
            self._draw()

    def _draw(self) -> None:
        if self._frame is None:
            return
        rows = self._page(self._frame)
        write(self._body, self._rows(rows))
        last, total = self._start + len(rows), self._frame.height
        told = f"{count(self._start + 1)}{DASH}{count(last)} of {count(total)} {self._noun}"
        write(self._told, tag("span", told if total else f"No {self._noun}"))
        self.newer.disabled = self._start == 0
        self.older.disabled = last >= total

    def _rows(self, rows: Sequence[Row]) -> Markup:
        return tag(
            "table",
            tag("colgroup", *(tag("col", style=f"width:{width}") for width in self._widths)),
            tag("tbody", *(self._row(row) for row in rows)),
        )

    def _row(self, row: Row) -> Markup:
        return tag(
            "tr",
            *(
                tag("td", column.show(row), class_="pva-number" if column.number else None)
                for column in self._columns
            ),
        )
