"""The channels that sessions went through, as a Sankey diagram.

Nine sessions in ten never change channel and would fill the picture, so that only the others are
drawn unless all are asked for; a sentence above tells how many stayed.
"""

from __future__ import annotations

from collections import Counter
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
from plivo_analysis.metrics.sessions import CHANNEL_PATHS
from plivo_analysis.values.typesetting import count, percent

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


_Links = Counter[tuple[_Node, _Node]]  # the sessions on each link


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
    links = _links(metric_rows(frame, CHANNEL_PATHS).rows, every_session=every_session)
    figure = style.blank(380, left=8, top=64 if sentence else 34)
    if sentence:
        parts = enumerate(stayed_and_changed(frame))
        text = "".join(f"<b>{part}</b>" if place % 2 else part for place, part in parts)
        figure.write(text, 0, 1, yanchor="bottom", yshift=34)
    for heading, x in zip(_COLUMNS, (0.0, _PLACES[_CHANGED], 1.0), strict=True):
        anchor = "right" if heading == _COLUMNS[_ENDED] else "left"
        figure.write(f"<b>{heading}</b>", x, 1, xanchor=anchor, yanchor="bottom", yshift=10)
    if links:
        figure.traces.append(_sankey(links))
    return figure.figure()


def stayed_and_changed(frame: Any) -> list[str]:
    """How many sessions stayed on one channel and how many changed: plain and bold parts in turn.

    Args:
        frame: What ``channel_paths`` gave, with any grouping.

    Example:
        >>> import polars as pl
        >>> frame = pl.DataFrame({"path": ["sms"], "sessions": [9], "verified": [6],
        ...                       "total_charge": [None], "unpriced": [9]})
        >>> "".join(stayed_and_changed(frame))
        '9 sessions stayed on one channel, 67\u202f% of them verified; 0 sessions changed channel'
    """
    sessions, verified = Counter[bool](), Counter[bool]()
    for row in metric_rows(frame, CHANNEL_PATHS).rows:
        has_changed = len(set(row["path"].split(ARROW))) > 1
        sessions[has_changed] += row["sessions"]
        verified[has_changed] += row["verified"]
    parts = [""]
    for has_changed, what in ((False, "stayed on one channel"), (True, "changed channel")):
        number = sessions[has_changed]
        share = f", {percent(verified[has_changed] / number, 0)} of them verified" if number else ""
        parts += [count(number), f" {'session' if number == 1 else 'sessions'} {what}{share}"]
    parts[2] += "; "
    return parts


def _links(rows: list[Row], *, every_session: bool) -> _Links:
    """The sessions that go from the channel they began on to another, and to their ending."""
    links: _Links = Counter()
    # Only the first change has a column: further ones would each add many links of few sessions.
    for row in rows:
        began, *later = row["path"].split(ARROW)
        start = _Node(_BEGAN, began)
        changed = next((channel for channel in later if channel != began), None)
        if changed is not None:
            links[start, _Node(_CHANGED, changed)] += row["sessions"]
            start = _Node(_CHANGED, changed)
        elif not every_session:
            continue
        for ending, sessions in _endings(row).items():
            if sessions:
                links[start, _Node(_ENDED, ending)] += sessions
    return links


def _endings(row: Row) -> dict[str, int]:
    """How the sessions of a row ended."""
    if "status" not in row:
        return {VERIFIED: row["verified"], _NOT_VERIFIED: row["sessions"] - row["verified"]}
    status = fold_status(row["status"]) or UNKNOWN
    if status not in SETTLED:
        status = _OPEN if status in OPEN else UNKNOWN
    return {status: row["sessions"]}


def _sankey(links: _Links) -> dict[str, Any]:
    # How many sessions pass a node: all that come to an ending, and all that leave a channel.
    sizes: Counter[_Node] = Counter()
    for (source, target), sessions in links.items():
        sizes[source] += sessions
        if target.column == _ENDED:
            sizes[target] += sessions
    nodes = sorted(sizes, key=lambda node: node.order)
    ordered = sorted(links, key=lambda link: (link[0].order, link[1].order))
    return {
        "type": "sankey",
        "arrangement": "fixed",
        "textfont": {"shadow": "none", "size": 12},
        "node": {
            "label": [f"{node.label}  {count(sizes[node])}" for node in nodes],
            "color": [node.colour for node in nodes],
            "x": [_PLACES[node.column] for node in nodes],
            "y": _middles(nodes, sizes),
            "thickness": 9,
            "pad": 15,
            "line": {"width": 0},
            "hovertemplate": "%{label}<extra></extra>",
        },
        "link": {
            "source": [nodes.index(source) for source, _ in ordered],
            "target": [nodes.index(target) for _, target in ordered],
            "value": [links[link] for link in ordered],
            "color": [style.faded(source.colour, 0.42) for source, _ in ordered],
            "hovertemplate": "%{source.label} → %{target.label}: %{value}<extra></extra>",
        },
    }


def _middles(nodes: list[_Node], sizes: Counter[_Node]) -> list[float]:
    """The middle of each node from the top, as a part of the height."""
    # Plotly's own layout moves nodes up and down to straighten the links, so that channels would
    # stand in another order in each figure.
    tallest = max(sum(sizes[node] for node in nodes if node.column == c) for c in range(3))
    middles, tops = [], [0.0] * 3
    for node in nodes:
        height = 0.86 * sizes[node] / tallest  # the rest is for the gaps
        middles.append(max(0.001, tops[node.column] + height / 2))  # plotly ignores a place of 0
        tops[node.column] += height + _GAP
    return middles
