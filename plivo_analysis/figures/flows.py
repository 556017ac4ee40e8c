"""The way of sessions from channel to channel, as a Sankey diagram.

Nine sessions in ten never change channel and would fill the picture, so only those that did
are drawn unless all are asked for; the rest is a sentence above.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

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
from plivo_analysis.figures.rows import Row, read
from plivo_analysis.metrics.paths import CHANNEL_PATHS
from plivo_analysis.values.typesetting import count, percent

if TYPE_CHECKING:
    import plotly.graph_objects as go

_COLUMNS = ("Began on", "Changed to", "Ended")
_BEGAN, _CHANGED, _ENDED = range(3)
_PLACES = (0.001, 0.45, 0.999)
_GAP = 0.05
_NOT, _OPEN = "not verified", "open"
_ENDINGS = {
    VERIFIED: style.VERIFIED,
    EXPIRED: style.NOT_VERIFIED,
    _NOT: style.NOT_VERIFIED,
    _OPEN: style.OPEN,
    UNKNOWN: style.OPEN,
}

_Node = tuple[int, str]  # the column and the channel or ending


def paths(frame: Any, *, every_session: bool = False, sentence: bool = True) -> go.Figure:
    """Draw the channels that sessions went through, and how they ended.

    Groups of the frame are added up. "Changed to" is the first channel other than the one
    the session began on. Counted by ``status``, sessions end verified, expired, open or
    unknown; else "not verified" holds all of those but the first.

    Args:
        frame: What ``channel_paths`` gave, polars or pandas, with any grouping.
        every_session: Whether sessions that stayed on one channel are drawn too.
        sentence: Whether to say above how many stayed on one channel and how many changed.

    Returns:
        A figure whose links have the colour of the channel that they leave.

    Raises:
        SchemaError: When the frame is not of ``channel_paths``.

    Example:
        >>> import polars as pl
        >>> from plivo_analysis import figures
        >>> frame = pl.DataFrame({"path": ["sms", "sms → voice"], "sessions": [90, 10],
        ...                       "verified": [80, 7], "total_charge": [None, None],
        ...                       "unpriced": [90, 10]})
        >>> figures.paths(frame).data[0].link.value
        (10, 7, 3)
    """
    table = read(frame, CHANNEL_PATHS)
    flow = _Flow()
    for row in table.rows:
        flow.add(row, every_session=every_session)
    figure = style.blank(380, left=8, top=64 if sentence else 34)
    if sentence:
        style.note(figure, flow.sentence(), 0, 1, yanchor="bottom", yshift=34)
    for heading, x in zip(_COLUMNS, (0.0, _PLACES[_CHANGED], 1.0), strict=True):
        anchor = "right" if heading == _COLUMNS[_ENDED] else "left"
        style.note(figure, f"<b>{heading}</b>", x, 1, xanchor=anchor, yanchor="bottom", yshift=10)
    if flow.links:
        figure.add_trace(_sankey(flow))
    return figure.figure()


@dataclass(slots=True)
class _Flow:
    """Sessions from node to node, and the counts of the sentence."""

    links: Counter[tuple[_Node, _Node]] = field(default_factory=Counter)
    stayed: Counter[str] = field(default_factory=Counter)
    moved: Counter[str] = field(default_factory=Counter)

    def add(self, row: Row, *, every_session: bool) -> None:
        """Count the sessions of one path."""
        channels = row["path"].split(ARROW)
        began = channels[0]
        changed = next((channel for channel in channels if channel != began), None)
        ends = _ends(row)
        (self.stayed if changed is None else self.moved).update(ends)
        if changed is None and not every_session:
            return
        start = (_BEGAN, began)
        if changed is not None:
            self.links[start, (_CHANGED, changed)] += row["sessions"]
            start = (_CHANGED, changed)
        for end, sessions in ends.items():
            if sessions:
                self.links[start, (_ENDED, end)] += sessions

    def sentence(self) -> str:
        """How many stayed on one channel and how many changed."""
        return "; ".join(
            f"<b>{count(sum(ends.values()))}</b> sessions {did}"
            + (f", {percent(ends[VERIFIED] / sum(ends.values()), 0)} of them verified" * any(ends))
            if sum(ends.values())
            else f"<b>0</b> sessions {did}"
            for did, ends in (
                ("stayed on one channel", self.stayed),
                ("changed channel", self.moved),
            )
        )

    def nodes(self) -> list[_Node]:
        """Every node in its order."""
        return sorted({node for link in self.links for node in link}, key=_order)

    def size(self, node: _Node) -> int:
        """The sessions that pass a node."""
        side = 1 if node[0] == _ENDED else 0
        return sum(value for link, value in self.links.items() if link[side] == node)


def _ends(row: Row) -> dict[str, int]:
    """How the sessions of a row ended."""
    if "status" not in row:
        return {VERIFIED: row["verified"], _NOT: row["sessions"] - row["verified"]}
    status = fold_status(row["status"]) or UNKNOWN
    open_or_not = _OPEN if status in OPEN else UNKNOWN
    return {status if status in SETTLED else open_or_not: row["sessions"]}


def _order(node: _Node) -> tuple[int, tuple[int, str]]:
    column, word = node
    if column == _ENDED:
        return column, (list(_ENDINGS).index(word), "")
    return column, style.place(word)


def _hue(node: _Node) -> str:
    column, word = node
    if column == _ENDED:
        return _ENDINGS[word]
    return style.colour(word)


def _node_label(node: _Node) -> str:
    column, word = node
    return style.label(word.capitalize() if column == _ENDED else style.name(word))


def _heights(flow: _Flow, nodes: list[_Node]) -> list[float]:
    """The middle of each node, so that channels keep their order from top to bottom."""
    tallest = max(
        sum(flow.size(node) for node in nodes if node[0] == column) for column in range(3)
    )
    heights, below = [], dict.fromkeys(range(3), 0.0)
    for node in nodes:
        share = 0.86 * flow.size(node) / tallest
        heights.append(max(0.001, below[node[0]] + share / 2))
        below[node[0]] += share + _GAP
    return heights


def _sankey(flow: _Flow) -> dict[str, Any]:
    nodes = flow.nodes()
    links = sorted(flow.links, key=lambda link: (_order(link[0]), _order(link[1])))
    return {
        "type": "sankey",
        "arrangement": "fixed",
        "textfont": {"shadow": "none", "size": 12},
        "node": {
            "label": [f"{_node_label(node)}  {count(flow.size(node))}" for node in nodes],
            "color": [_hue(node) for node in nodes],
            "x": [_PLACES[column] for column, _ in nodes],
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
            "color": [style.faded(_hue(source), 0.42) for source, _ in links],
            "hovertemplate": "%{source.label} → %{target.label}: %{value}<extra></extra>",
        },
    }
