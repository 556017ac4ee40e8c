"""HTML and SVG from nested calls: what is text is escaped, always.

``tag`` returns ``Markup``; a child that is Markup is taken as it stands and any other is
escaped. There is no other way to make an element, so no foreign text can become one.
"""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import markupsafe

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_VOID = frozenset({"br", "col", "hr", "link", "meta"})

Attribute = str | int | float | bool | None


class Markup(markupsafe.Markup):
    """Text that is HTML already, as templates give it too.

    Example:
        >>> tag("p", Markup("<b>x</b>"), "<b>")
        '<p><b>x</b>&lt;b&gt;</p>'
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return str.__repr__(self)


Child = str | int | None
"""What may stand in an element: Markup as it is, text escaped, None left out."""


def tag(name: str, /, *children: Child, **attributes: Attribute) -> Markup:
    """An element. ``class_`` is ``class``; ``data_x`` is ``data-x``; None and False are left out.

    Example:
        >>> tag("td", "a & b", class_="n", colspan=2, hidden=None)
        '<td class="n" colspan="2">a &amp; b</td>'
        >>> tag("br")
        '<br>'
    """
    opening = name + "".join(_attribute(*pair) for pair in attributes.items())
    if name in _VOID:
        return Markup(f"<{opening}>")
    return Markup(f"<{opening}>{join(children)}</{name}>")


def join(children: Iterable[Child], between: str = "") -> Markup:
    """Several children after each other, each escaped unless it is Markup.

    Example:
        >>> join(["<", tag("b", "x"), None, 3])
        '&lt;<b>x</b>3'
    """
    return Markup(between.join(_safe(child) for child in children if child is not None))


def head(*titles: Child, numbers: Sequence[int] = ()) -> Markup:
    """The head of a table; the columns numbered from 0 that hold numbers are set to the right.

    Example:
        >>> head("Line", "Spend", numbers=[1])
        '<thead><tr><th scope="col">Line</th><th scope="col" class="n">Spend</th></tr></thead>'
    """
    cells = (
        tag("th", title, scope="col", class_="n" if place in numbers else None)
        for place, title in enumerate(titles)
    )
    return tag("thead", tag("tr", join(cells)))


def row(*cells: Child, class_: str | None = None) -> Markup:
    """A row of a table: a Markup ``td`` is taken as it stands, anything else becomes a number.

    Example:
        >>> row(tag("td", "SMS"), "33,740")
        '<tr><td>SMS</td><td class="n">33,740</td></tr>'
    """
    return tag("tr", join(_cell(cell) for cell in cells), class_=class_)


def section(title: Child, *body: Child, aside: Child = None, class_: str | None = None) -> Markup:
    """A section with its title and something beside it.

    Example:
        >>> section("Not final yet", tag("p", "x"))
        '<section><h2>Not final yet</h2><p>x</p></section>'
    """
    heading = tag("h2", title)
    if aside is not None:
        heading = tag("div", heading, tag("span", aside, class_="aside"), class_="headed")
    return tag("section", heading, *body, class_=class_)


def _cell(cell: Child) -> Markup:
    if isinstance(cell, markupsafe.Markup) and cell.startswith("<td"):
        return Markup(cell)
    return tag("td", cell, class_="n")


def _attribute(name: str, value: Attribute) -> str:
    if value is None or value is False:
        return ""
    written = name.rstrip("_").replace("_", "-")
    if value is True:
        return f" {written}"
    shown = f"{value:.6g}" if isinstance(value, float) else str(value)
    return f' {written}="{html.escape(shown)}"'


def _safe(child: Child) -> str:
    return child if isinstance(child, markupsafe.Markup) else html.escape(str(child))
