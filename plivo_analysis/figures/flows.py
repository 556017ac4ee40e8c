"""The channels that sessions went through, as a Sankey diagram.

Nine sessions in ten never change channel and would fill the picture, so that only the others are
drawn unless all are asked for; a sentence above tells how many stayed.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from plivo_analysis.api.vocabulary import (
    ARROW,
    EXPIRED,
    OPEN,
    SETTLED,
    UNKNOWN,
    VERIFIED,
    fold_status,
)
from plivo_analysis.figures import style
from plivo_analysis.figures.rows import Row, metric_rows
from plivo_analysis.metrics.paths import CHANNEL_PATHS
from plivo_analysis.values.typesetting import count, percent, plural

if TYPE_CHECKING:
    import plotly.graph_objects as go

_COLUMNS = ("Began on", "Changed to", "Ended")
_BEGAN, _CHANGED, _ENDED = range(3)
_PLACES = (0.001, 0.45, 0.999)  # of the columns; plotly ignores a place of 0
_GAP = 0.05  # between two nodes of a column, of the height
_NOT_VERIFIED, _OPEN = "not verified", "open"
_ENDINGS = {
    VERIFIED: style.VERIFIED_COLOUR,
    EXPIRED: style.NOT_VERIFIED_COLOUR,
    _NOT_VERIFIED: style.NOT_VERIFIED_COLOUR,
    _OPEN: style.OPEN_COLOUR,
    UNKNOWN: style.OPEN_COLOUR,
}


class _Node(NamedTuple):
    """A channel or an ending in one of the three columns."""

    column: int
    word: str

    @property
    def order(self) -> tuple[int, tuple[int, str]]:
        """The key that sorts nodes: by column, then channels and endings in their order."""
        if self.column == _ENDED:
            return self.column, (list(_ENDINGS).index(self.word), "")
        return self.column, style.place(self.word)

    @property
    def colour(self) -> str:
        return _ENDINGS[self.word] if self.column == _ENDED else style.colour(self.word)

    @property
    def label(self) -> str:
        is_ending = self.column == _ENDED
        return style.label(self.word.capitalize() if is_ending else style.name(self.word))


def paths(frame: Any, *, every_session: bool = False, sentence: bool = True) -> go.Figure:
    """Draw the channels that sessions went through, and how they ended.

    Groups of the frame are added up. "Changed to" is the first channel other than the one
    that the session began on. Counted by ``status``, sessions end verified, expired, open or
    unknown; without it, all but the verified ones are "not verified".

    Args:
        frame: What ``channel_paths`` gave, polars or pandas, with any grouping.
        every_session: Whether sessions that stayed on one channel are drawn too.
        sentence: Whether the figure says above how many stayed on one channel and how many
            changed.

    Returns:
        A figure whose links have the colour of the channel that they leave.

    Raises:
        SchemaError: The frame is not a result of ``channel_paths``.

    Example:
        >>> import polars as pl
        >>> from plivo_analysis import figures
        >>> frame = pl.DataFrame({"path": ["sms", "sms → voice"], "sessions": [90, 10],
        ...                       "verified": [80, 7], "total_charge": [None, None],
        ...                       "unpriced": [90, 10]})
        >>> figures.paths(frame).data[0].link.value
        (10, 7, 3)
    """
    table = metric_rows(frame, CHANNEL_PATHS)
    flow = _Flow()
    for row in table.rows:
        flow.add(row, every_session=every_session)
    figure = style.blank(380, left=8, top=64 if sentence else 34)
    if sentence:
        figure.add_note(flow.sentence(), 0, 1, yanchor="bottom", yshift=34)
    for heading, x in zip(_COLUMNS, (0.0, _PLACES[_CHANGED], 1.0), strict=True):
        anchor = "right" if heading == _COLUMNS[_ENDED] else "left"
        figure.add_note(f"<b>{heading}</b>", x, 1, xanchor=anchor, yanchor="bottom", yshift=10)
    if flow.links:
        figure.add_trace(_sankey(flow))
    return figure.figure()


@dataclass(slots=True)
class _Flow:
    """Sessions on each link between two nodes, and how those that stayed or moved ended."""

    links: Counter[tuple[_Node, _Node]] = field(default_factory=Counter)
    stayed: Counter[str] = field(default_factory=Counter)
    moved: Counter[str] = field(default_factory=Counter)

    def add(self, row: Row, *, every_session: bool) -> None:
        """Count the sessions of one path."""
        began, *later = row["path"].split(ARROW)
        changed = next((channel for channel in later if channel != began), None)
        endings = _endings(row)
        (self.stayed if changed is None else self.moved).update(endings)
        if changed is None and not every_session:
            return
        start = _Node(_BEGAN, began)
        if changed is not None:
            self.links[start, _Node(_CHANGED, changed)] += row["sessions"]
            start = _Node(_CHANGED, changed)
        for ending, sessions in endings.items():
            if sessions:
                self.links[start, _Node(_ENDED, ending)] += sessions

    def sentence(self) -> str:
        """How many sessions stayed on one channel and how many changed."""
        parts = []
        for what, endings in (
            ("stayed on one channel", self.stayed),
            ("changed channel", self.moved),
        ):
            sessions = endings.total()
            number, noun = plural(sessions, "session").split(" ")
            part = f"<b>{number}</b> {noun} {what}"
            if sessions:
                part += f", {percent(endings[VERIFIED] / sessions, 0)} of them verified"
            parts.append(part)
        return "; ".join(parts)

    def nodes(self) -> list[_Node]:
        """Every node, sorted."""
        return sorted({node for link in self.links for node in link}, key=lambda node: node.order)

    def size(self, node: _Node) -> int:
        """How many sessions pass a node."""
        side = 1 if node.column == _ENDED else 0
        return sum(sessions for link, sessions in self.links.items() if link[side] == node)


def _endings(row: Row) -> dict[str, int]:
    """How the sessions of a row ended."""
    if "status" not in row:
        return {VERIFIED: row["verified"], _NOT_VERIFIED: row["sessions"] - row["verified"]}
    status = fold_status(row["status"]) or UNKNOWN
    if status not in SETTLED:
        status = _OPEN if status in OPEN else UNKNOWN
    return {status: row["sessions"]}


def _heights(flow: _Flow, nodes: list[_Node]) -> list[float]:
    """The middle of each node from the top, as a part of the height."""
    # Plotly's own layout moves nodes up and down to straighten the links, so that channels would
    # stand in another order in each figure.
    tallest = max(sum(flow.size(node) for node in nodes if node.column == c) for c in range(3))
    heights, tops = [], [0.0] * 3
    for node in nodes:
        height = 0.86 * flow.size(node) / tallest  # the rest is for the gaps
        heights.append(max(0.001, tops[node.column] + height / 2))  # plotly ignores a place of 0
        tops[node.column] += height + _GAP
    return heights


def _sankey(flow: _Flow) -> dict[str, Any]:
    nodes = flow.nodes()
    links = sorted(flow.links, key=lambda link: (link[0].order, link[1].order))
    return {
        "type": "sankey",
        "arrangement": "fixed",
        "textfont": {"shadow": "none", "size": 12},
        "node": {
            "label": [f"{node.label}  {count(flow.size(node))}" for node in nodes],
            "color": [node.colour for node in nodes],
            "x": [_PLACES[node.column] for node in nodes],
            "y": _heights(flow, nodes),
            "thickness": 9,
            "pad": 15,
            "line": {"width": 0},
            "hovertemplate": "%{label}<extra></extra>",
        },
        "link": {
            "source": [nodes.index(source) for source, _ in links],
            "target": [nodes.index(target) for _, target in links],
            "value": [flow.links[link] for link in links],
            "color": [style.faded(source.colour, 0.42) for source, _ in links],
            "hovertemplate": "%{source.label} → %{target.label}: %{value}<extra></extra>",
        },
    }
