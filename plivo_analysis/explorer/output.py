"""Where text and figures are shown: HTML widgets that take markup only, output widgets.

A figure is given to an output widget as data, which works from any thread, in Lab and in
Voila. One that is drawn while hidden keeps a wrong width, so views draw when they are shown;
one that is hidden and shown again forgets how high it is, so its place keeps the height.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
from markupsafe import Markup

from plivo_analysis.figures import style, svg, time_axis
from plivo_analysis.templates.rendering import render

if TYPE_CHECKING:
    import plotly.graph_objects as go

    Bounds = tuple[datetime, datetime]

NOTHING = Markup("")

_PLOTLY = "application/vnd.plotly.v1+json"
# The style sheet hides plotly's own button, which the page presses.
_CONFIG = style.CONFIG | {
    "displayModeBar": True,
    "displaylogo": False,  # a link to another host
    "modeBarButtons": [["toImage"]],
}


def text(name: str = "", markup: Markup = NOTHING) -> widgets.HTML:
    """A place for text, which has a class of its own where it is named.

    Example:
        >>> text("pva-note").value
        ''
    """
    place = widgets.HTML(str(markup))
    return place.add_class(name) if name else place


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


def fill(template: str, /, **values: Any) -> Markup:
    """A template of the explorer, filled in.

    Args:
        template: Its name.
        **values: What it shows. It sets channels by ``channel_name`` and ``square``.

    Example:
        >>> fill("codes", lost={"50": 2000}, most=10, meaning=lambda code: "lost").striptags()[-17:]
        '50 lost2,000100.0'
    """
    return render(f"explorer/{template}.html", channel_name=style.name, square=svg.square, **values)


def lines(*sentences: str | list[str], kind: str = "") -> Markup:
    """Short sentences, one a line.

    Args:
        *sentences: Each is a text, or a list of texts of which every second one is bold.
        kind: A class of the style sheet, such as ``"failed"``, which is read out at once.

    Example:
        >>> lines("a", ["", "12", " of <31>"])
        Markup('<p class="pva-sentence">a</p><p class="pva-sentence"><b>12</b> of &lt;31&gt;</p>')
    """
    parts = [[part] if isinstance(part, str) else part for part in sentences]
    return render("explorer/lines.html", sentences=parts, kind=kind)


def heading(title: str, rest: str = "") -> Markup:
    """The title of what is drawn.

    Example:
        >>> heading("Spend by day, USD", ", from 0")
        Markup('<p class="pva-heading"><b>Spend by day, USD</b>, from 0</p>')
    """
    return lines(["", title, rest], kind="heading")


def remark(*sentences: str) -> Markup:
    """Small print under a view; empty sentences are left out.

    Example:
        >>> remark("a", "", "b")
        Markup('<p class="pva-remark">a b</p>')
    """
    words = " ".join(filter(None, sentences))
    return lines(words, kind="remark") if words else NOTHING


def box(name: str, *children: widgets.Widget) -> widgets.Box:
    """A box with a class, which the style sheet and the tests know it by.

    Example:
        >>> box("pva-sidebar")._dom_classes
        ('pva-sidebar',)
    """
    return widgets.Box(list(children)).add_class(name)


def button(label: str, name: str, tooltip: str = "") -> widgets.Button:
    """A button with a class of its own.

    Example:
        >>> button("Load", "pva-load").description
        'Load'
    """
    return widgets.Button(description=label, tooltip=tooltip or label).add_class(name)


class Canvas:
    """A place for one figure, and the buttons that save its picture.

    Plotly makes the picture: the page hands a press to the button of its own that plotly keeps
    in each figure, which a keyboard does not reach.

    Args:
        name: What its pictures are called, in words.
        in_rows: Whether words stand beside each row, for which a narrow page has no room: it
            scrolls sideways there.

    Example:
        >>> place = Canvas("spend")
        >>> dots = style.blank(100)
        >>> dots.traces.append({"type": "scatter", "x": [1], "y": [1]})
        >>> place.draw(dots.figure())
        ''
        >>> place.output.outputs[0]["output_type"], place.output.layout.height
        ('display_data', '100px')
        >>> 'data-picture="svg"' in place.pictures.value
        True
    """

    def __init__(self, name: str, *, in_rows: bool = False) -> None:
        self._name = name
        self.title, self.pictures = text(), text("pva-pictures")
        self.output = widgets.Output().add_class("pva-figure")
        if in_rows:
            self.output.add_class("pva-in-rows")
        self.box = box("pva-canvas", self.title, self.output, self.pictures)

    def draw(
        self, figure: go.Figure | None, bounds: Bounds | None = None, title: Markup = NOTHING
    ) -> str:
        """Put a figure in its place; None, or one that draws nothing, leaves the place empty.

        Args:
            figure: The figure.
            bounds: From when to when it was read, where it is drawn over time.
            title: What stands above it, where it has no title of its own.

        Returns:
            What is to be said of the buckets that these bounds cut; empty where there is none.
        """
        if figure is None or not figure.data:
            self.output.layout.height, self.output.outputs = None, ()
            write(self.title, NOTHING)
            write(self.pictures, NOTHING)
            return ""
        note = "" if bounds is None else mark_partial(figure, bounds)
        self.output.layout.height = f"{figure.layout.height}px"
        write(self.title, title)
        # As plain data: a message of Jupyter carries no arrays of numpy, which plotly keeps.
        drawn: dict[str, Any] = json.loads(figure.to_json()) | {"config": _CONFIG}
        self.output.outputs = (
            {
                "output_type": "display_data",
                "data": {_PLOTLY: drawn, "text/plain": "A figure, drawn by plotly."},
                "metadata": {},
            },
        )
        write(self.pictures, render("explorer/pictures.html", name=self._name))
        return note


def mark_partial(figure: go.Figure, bounds: Bounds) -> str:
    """Make dots hollow and bars faint that stand for a part of a bucket only.

    The first and the last day of a range, and today, hold less than a whole day does, and would
    be taken for a fall.

    Args:
        figure: A figure over time, in UTC.
        bounds: From when to when it was read.

    Returns:
        What is to be said of them; empty where every bucket is whole.

    Example:
        >>> from datetime import UTC, datetime
        >>> figure = style.blank(100)
        >>> days = [datetime(2026, 10, day) for day in (1, 2, 3)]
        >>> figure.traces.append({"type": "bar", "x": days, "y": [1, 2, 1]})
        >>> drawn = figure.figure()
        >>> noon = datetime(2026, 10, 3, 12, tzinfo=UTC)
        >>> mark_partial(drawn, (datetime(2026, 10, 1, tzinfo=UTC), noon))
        'Hollow or faint: not a whole day.'
        >>> drawn.data[0].marker.opacity
        (1.0, 1.0, 0.4)
    """
    start, end = (bound.astimezone(UTC).replace(tzinfo=None) for bound in bounds)
    cut: dict[str, None] = {}  # the names of the buckets, each once
    for trace in figure.data:
        starts = [] if trace.x is None else list(trace.x)
        if not all(isinstance(at, datetime) for at in starts):  # its x axis is not time
            continue
        name = time_axis.bucket(starts)
        parts = [at < start or time_axis.next_start(at, name) > end for at in starts]
        if not any(parts):
            continue
        cut[name] = None
        if trace.type == "bar":
            trace.marker.opacity = [0.4 if part else 1.0 for part in parts]
        else:
            trace.marker.symbol = ["circle-open" if part else "circle" for part in parts]
        if trace.hovertext:
            trace.hovertext = [
                f"{words}<br>not the whole {name}" if part else words
                for words, part in zip(trace.hovertext, parts, strict=True)
            ]
    return f"Hollow or faint: not a whole {' or '.join(cut)}." if cut else ""
