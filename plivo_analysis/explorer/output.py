"""Where a view stands: figures in output widgets, text as HTML that was escaped on the way.

A figure is given to an output widget as data, which works from any thread, in Lab and in
Voila. One that is drawn while hidden keeps a wrong width, so views draw when they are shown;
one that is hidden and shown again forgets how high it is, so its place keeps the height.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import ipywidgets as widgets

from plivo_analysis.explorer.html import Markup
from plivo_analysis.figures import style

if TYPE_CHECKING:
    import plotly.graph_objects as go

_PLOTLY = "application/vnd.plotly.v1+json"


def canvas() -> widgets.Output:
    """A place for one figure.

    Example:
        >>> canvas().outputs
        ()
    """
    place = widgets.Output()
    place.add_class("pva-figure")
    return place


def draw(place: widgets.Output, figure: go.Figure | None) -> None:
    """Put a figure in its place; None leaves the place empty.

    Example:
        >>> place = canvas()
        >>> draw(place, style.blank(100).figure())
        >>> place.outputs[0]["output_type"], place.layout.height
        ('display_data', '100px')
    """
    place.layout.height = None if figure is None else f"{figure.layout.height}px"
    if figure is None:
        place.outputs = ()
        return
    drawn = json.loads(figure.to_json()) | {"config": style.CONFIG}
    place.outputs = (
        {
            "output_type": "display_data",
            "data": {_PLOTLY: drawn, "text/plain": "A figure, drawn by plotly."},
            "metadata": {},
        },
    )


def text(*classes: str) -> widgets.HTML:
    """A place for text.

    Example:
        >>> text("pva-note").value
        ''
    """
    place = widgets.HTML()
    for name in classes:
        place.add_class(name)
    return place


def write(place: widgets.HTML, markup: Markup) -> None:
    """Put text in its place. Only Markup is taken: nothing else is known to be escaped.

    Example:
        >>> place = text()
        >>> write(place, Markup("<b>x</b>"))
        >>> place.value
        '<b>x</b>'
        >>> write(place, "<script>")
        Traceback (most recent call last):
        TypeError: str is no Markup
    """
    if not isinstance(markup, Markup):
        raise TypeError(f"{type(markup).__name__} is no Markup")
    place.value = str(markup)
