"""The look of every figure: the palette, the order of channels, and how text is made safe.

Figures do not know the theme they are shown on. Marks have one colour that reads on white and
on near-black; text and grid are mid grey until the page's style sheet gives them its own. The
channels' hues stay apart under the common forms of colour blindness. Money without a channel
is hatched, so that it is not taken for one.
"""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from plivo_analysis.api.vocabulary import UNKNOWN
from plivo_analysis.values.typesetting import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    import plotly.graph_objects as go

CONFIG: dict[str, Any] = {"displayModeBar": False, "responsive": True}

ALL_COLOUR = "#7F868F"
VERIFIED_COLOUR = "#8A919C"
NOT_VERIFIED_COLOUR = "#C0487A"
OPEN_COLOUR = "#6C7079"
MUTED = "#767C86"  # text, until a page gives facts the colour of ink

_NUMBERED = {ord(sign): f"&#{ord(sign)};" for sign in "$\"'"}
_GRID = "rgba(128,134,143,0.25)"
_FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, Arial, sans-serif'


class _Look(NamedTuple):
    """How a channel is shown. One not seen before is grey, and comes after the common ones."""

    name: str
    colour: str = "#6C7079"
    place: int = 3
    hatch: str = ""
    square: str = "■"


_LOOKS = {
    "sms": _Look("SMS", "#3D6DB5", 0),
    "voice": _Look("Voice", "#D27C14", 1),
    "whatsapp": _Look("WhatsApp", "#17A58C", 2),
    "mms": _Look("MMS"),
    "rcs": _Look("RCS"),
    UNKNOWN: _Look("Unknown", place=4),
    "validation": _Look("Validation", "#7A6A4F", 5, "-", "▤"),
    "unallocated": _Look("Unallocated", place=6, hatch="/", square="▨"),
}


def _look(channel: str | None) -> _Look:
    word = channel or UNKNOWN
    return _LOOKS.get(word) or _Look(clean(word))


def colour(channel: str | None) -> str:
    """The colour of a channel or of a line of the bill; one not seen before is grey.

    Example:
        >>> colour("sms"), colour("rcs") == colour("unknown")
        ('#3D6DB5', True)
    """
    return _look(channel).colour


def faded(hue: str, opacity: float) -> str:
    """A colour with an opacity.

    Example:
        >>> faded("#3D6DB5", 0.42)
        'rgba(61,109,181,0.42)'
    """
    red, green, blue = bytes.fromhex(hue.removeprefix("#"))
    return f"rgba({red},{green},{blue},{opacity})"


def hatch(channel: str | None) -> str:
    """The hatching of money without a channel, in plotly's sign for it; else nothing.

    Example:
        >>> hatch("validation"), hatch("unallocated"), hatch("sms")
        ('-', '/', '')
    """
    return _look(channel).hatch


def place(channel: str | None) -> tuple[int, str]:
    """The key that sorts channels in every list.

    Example:
        >>> sorted(["unknown", "validation", "rcs", "whatsapp", "sms"], key=place)
        ['sms', 'whatsapp', 'rcs', 'unknown', 'validation']
    """
    return _look(channel).place, channel or UNKNOWN


def name(channel: str | None) -> str:
    """A channel's name for people, not yet escaped; one not seen before keeps its own.

    Example:
        >>> name("sms"), name("rcs"), name("zalo"), name(None)
        ('SMS', 'RCS', 'zalo', 'Unknown')
    """
    return _look(channel).name


def label(text: object, cap: int = 80) -> str:
    """Text for a figure: cleaned, and of no meaning to plotly's pseudo-HTML and MathJax.

    A pair of dollar signs would be read as a formula, so each is written as its entity. Quotes
    are written by number too: plotly does not know their names.

    Example:
        >>> label("<b>$x$</b>"), label('"')
        ('&lt;b&gt;&#36;x&#36;&lt;/b&gt;', '&#34;')
    """
    return html.escape(clean(text, cap), quote=False).translate(_NUMBERED)


def mark(channel: str | None, hue: str) -> str:
    """A square of a colour, hatched where the channel's bars are, for a label of a figure.

    Example:
        >>> mark("sms", "#3D6DB5")
        '<span style="color:#3D6DB5">■</span>'
    """
    return f'<span style="color:{hue}">{_look(channel).square}</span>'


def muted(text: str) -> str:
    """Text that is context, for a label of a figure; ``text`` is safe already.

    Example:
        >>> muted("of 30")
        '<span style="color:#767C86">of 30</span>'
    """
    return f'<span style="color:{MUTED}">{text}</span>'


def channel_label(channel: str | None) -> str:
    """The channel's name after a square of its colour, for a label of a figure.

    Example:
        >>> channel_label("sms")
        '<span style="color:#3D6DB5">■</span> SMS'
    """
    return f"{mark(channel, colour(channel))} {label(name(channel))}"


@dataclass(slots=True)
class Sketch:
    """A figure in the making, as plain dictionaries that plotly checks once, in the end.

    Plotly checks all texts and shapes anew with each that is added to a figure, which makes one
    of many lines slow.

    Args:
        layout: The layout, without texts and shapes.
        traces: What is drawn, each above those before it.
        shapes: Lines and rectangles.
        notes: Texts, as ``write`` puts them down.

    Example:
        >>> sketch = blank(100, "Fallback rate, %")
        >>> sketch.traces.append({"type": "bar", "x": [1], "y": [2]})
        >>> sketch.figure().data[0].y
        (2,)
    """

    layout: dict[str, Any]
    traces: list[dict[str, Any]] = field(default_factory=list)
    shapes: list[dict[str, Any]] = field(default_factory=list)
    notes: list[dict[str, Any]] = field(default_factory=list)

    def write(self, text: str, x: Any, y: Any, **settings: Any) -> None:
        """Write a text, which is safe already, at a place, by default in parts of the figure.

        Example:
            >>> sketch = blank(100)
            >>> sketch.write(label("12 of 30"), 0, 1)
            >>> sketch.figure().layout.annotations[0].showarrow
            False
        """
        place = {"xref": "paper", "yref": "paper", "xanchor": "left", "yanchor": "middle"}
        look = {"align": "left", "showarrow": False}
        self.notes.append({"text": text, "x": x, "y": y} | place | look | settings)

    def figure(self) -> go.Figure:
        """The finished figure, checked by plotly."""
        import plotly.graph_objects as go  # noqa: PLC0415 - half a second that a page never needs

        drawn = {**self.layout, "annotations": self.notes, "shapes": self.shapes}
        return go.Figure(data=self.traces, layout=drawn)


def blank(
    height: int, heading: str = "", *, left: int = 48, right: int = 12, top: int = 28
) -> Sketch:
    """A figure with the look and nothing drawn.

    Args:
        height: Its height, in pixels, as are the widths of its margins.
        heading: What it shows, above its left edge; safe already.
        left: The left margin.
        right: The right margin.
        top: The margin above.

    Example:
        >>> blank(240).figure().layout.paper_bgcolor
        'rgba(0,0,0,0)'
    """
    place = {"x": 0, "xref": "container", "xanchor": "left", "y": 1, "yanchor": "top"}
    title = {"text": f"<b>{heading}</b>", "font": {"size": 12}, "pad": {"l": 2, "t": 11}}
    return Sketch(
        {
            # Plotly's own template would set a background, and colours that know no theme.
            "template": "none",
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "showlegend": False,
            "autosize": True,
            "height": height,
            "bargap": 0.2,
            "font": {"size": 12, "family": _FONT, "color": MUTED},
            "margin": {"l": left, "r": right, "t": top, "b": 26},
            "hoverlabel": {"align": "left"},
            **({"title": title | place} if heading else {}),
        }
    )


def axis_suffix(number: int) -> str:
    """What plotly puts behind "x" and "y" in the names of the axes of panel ``number``, from 0.

    Example:
        >>> [f"xaxis{axis_suffix(number)}" for number in range(3)]
        ['xaxis', 'xaxis2', 'xaxis3']
    """
    return "" if number == 0 else str(number + 1)


def axis(**settings: Any) -> dict[str, Any]:
    """The settings of an axis: quiet, from zero, at most four ticks.

    Example:
        >>> axis(showgrid=False)["rangemode"]
        'tozero'
    """
    return {
        "gridcolor": _GRID,
        "linecolor": _GRID,
        "zeroline": False,
        "rangemode": "tozero",
        "nticks": 5,
        "tickfont": {"size": 11},
        "fixedrange": True,
    } | settings


def lines_axis(labels: Sequence[str], **settings: Any) -> dict[str, Any]:
    """The settings of an axis whose places are lines from the top down, each with its label.

    Example:
        >>> lines_axis(["SMS", "Voice"])["range"]
        [1.5, -0.5]
    """
    return axis(
        showgrid=False,
        # From the larger end to the smaller one: line 0 is at the top.
        range=[max(1, len(labels)) - 0.5, -0.5],
        showline=False,
        tickvals=list(range(len(labels))),
        ticktext=list(labels),
        tickfont={"size": 12},
        automargin=True,
        ticks="",
        **settings,
    )
