"""Rates with their intervals: fallback and rescue, and what became of attempts.

An estimate is a dot on the thin line of its interval. The rescue rate is no estimate but a
range, since every attempt carries the same code: a faint bar from what the log proves to all
that it allows, with a ring at the last channel used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from plivo_analysis.figures import style, time_axis
from plivo_analysis.figures.chart_data import (
    DELIVERED,
    FALLBACK,
    REACHED,
    RateEstimate,
    RescueRange,
)
from plivo_analysis.figures.dots import (
    Mark,
    blank_lines,
    dots_at,
    draw_dots,
    group_name,
    interval_dots,
)
from plivo_analysis.figures.rows import MetricRows, Row, group_title, grouped_by, metric_rows
from plivo_analysis.metrics.fallback import FALLBACK_RATES
from plivo_analysis.metrics.grouping import PERIOD
from plivo_analysis.metrics.messages import DELIVERY_RATES
from plivo_analysis.metrics.outcomes import ATTEMPT_OUTCOMES
from plivo_analysis.values.typesetting import count, percent

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from plivo_analysis.figures.chart_data import Rate

_LEFT, _RIGHT = (0.0, 0.36), (0.64, 1.0)
_BESIDE = 78  # pixels for "75–100 %" after the right scale, however narrow the figure is
_WHOLE = [-0.5, 100.5]  # a scale of percents that cuts no edge of a bar at 0 or 100 in half
_WIDE = (0.0, 0.64)
_HALF_BAR = 0.17
_MOST_COLUMNS, _GAP, _PANEL = 3, 0.04, 170  # of panels over time
_TICKS = 4

_Named = list[tuple[Row, str, str]]  # a row, its label and its colour


def fallback(frame: Any, *, overall: Any = None) -> go.Figure:
    """Draw fallback rates: who changed channel, and how many of those were rescued.

    Without a period: one line a group, left the fallback rate with its interval, right the
    rescue range of the sessions that fell back. With a period: the fallback rate over time,
    one panel a group.

    Args:
        frame: What ``fallback_rates`` gave, polars or pandas, with any grouping.
        overall: What ``fallback_rates(sessions, by=())`` gave, to draw "All" above the groups.

    Returns:
        A figure that takes the colours of its text and grid from the page.

    Raises:
        SchemaError: The frame is not a result of ``fallback_rates``.

    Example:
        >>> import polars as pl
        >>> from plivo_analysis import figures
        >>> counts = {"sessions": [90], "fell_back": [9], "retried": [5], "rescued": [8],
        ...           "rescued_last_touch": [7], "rescued_certain": [4], "not_evaluable": [0]}
        >>> rates = {"fallback_rate": [0.1], "fallback_rate_low": [0.05],
        ...          "fallback_rate_high": [0.18], "retry_rate": [0.06], "rescue_rate": [0.89],
        ...          "rescue_rate_low": [0.57], "rescue_rate_high": [0.98]}
        >>> frame = pl.DataFrame({"entry_channel": ["sms"]} | counts | rates)
        >>> figures.fallback(frame).data[0].x
        (10.0,)
    """
    table = metric_rows(frame, FALLBACK_RATES)
    if table.periodic:
        return _over_time(table, FALLBACK)
    named = _named(table)
    if overall is not None:
        rows = metric_rows(overall, FALLBACK_RATES).rows[:1]
        named = [(row, "<b>All</b>", style.ALL_COLOUR) for row in rows] + named
    figure = _by_group(table, named, FALLBACK, _LEFT)
    _rescues(figure, named)
    return figure.figure()


def outcomes(frame: Any) -> go.Figure:
    """Draw what became of attempts: the share that reached a person, with its interval.

    Attempts still pending count against the rate, so they stand beside it.

    Args:
        frame: What ``attempt_outcomes`` gave, polars or pandas, with any grouping.

    Returns:
        One line a group; with a period, one panel a group over time.

    Raises:
        SchemaError: The frame is not a result of ``attempt_outcomes``.

    Example:
        >>> import polars as pl
        >>> from plivo_analysis import figures
        >>> frame = pl.DataFrame({
        ...     "channel": ["sms"], "attempts": [10], "reached": [9], "not_reached": [1],
        ...     "pending": [0], "unknown": [0], "reached_rate": [0.9], "reached_rate_low": [0.6],
        ...     "reached_rate_high": [0.98], "charge": [None], "billed_not_reached": [None],
        ...     "unpriced": [10]})
        >>> figures.outcomes(frame).data[0].x
        (90.0,)
    """
    return _draw_rates(metric_rows(frame, ATTEMPT_OUTCOMES), REACHED)


def delivery(frame: Any) -> go.Figure:
    """Draw how many outbound messages arrived, of those in a final state, with the interval.

    Args:
        frame: What ``delivery_rates`` gave, polars or pandas, with any grouping.

    Returns:
        One line a group; with a period, one panel a group over time.

    Raises:
        SchemaError: The frame is not a result of ``delivery_rates``.

    Example:
        >>> import polars as pl
        >>> from plivo_analysis import figures
        >>> frame = pl.DataFrame({
        ...     "message_type": ["sms"], "messages": [11], "delivered": [9], "undelivered": [1],
        ...     "failed": [0], "other": [1], "delivered_rate": [0.9], "delivered_rate_low": [0.6],
        ...     "delivered_rate_high": [0.98]})
        >>> "of 10, 1 pending" in figures.delivery(frame).layout.annotations[0].text
        True
    """
    table = metric_rows(frame, DELIVERY_RATES)
    for row in table.rows:
        row["final"], row["pending"] = row["messages"] - row["other"], row["other"]
    return _draw_rates(table, DELIVERED)


def _draw_rates(table: MetricRows, rate: Rate) -> go.Figure:
    if table.periodic:
        return _over_time(table, rate)
    return _by_group(table, _named(table), rate, _WIDE).figure()


def _named(table: MetricRows) -> _Named:
    rows = (row for group in table.groups(table.by).values() for row in group)
    return [(row, group_name(table, row), table.colour(row)) for row in rows]


def _by_group(
    table: MetricRows, named: _Named, rate: Rate, domain: tuple[float, float]
) -> style.Sketch:
    """One line a group: its dot and interval, beside them the rate and the counts it divides."""
    marks = []
    for row, label, colour in named:
        rest = f"of {count(row[rate.whole])}"
        if not rate.pending:
            rest = f"{count(row[rate.part])} {rest}"
        rest += "".join(f", {count(row[name])} {name}" for name in rate.pending if row[name])
        marks.append(Mark.of_rate(label, colour, RateEstimate.of(row, rate.of), rest))
    figure = blank_lines(marks, f"{rate.title}{grouped_by(table.by)}, %")
    # In percent, with a twentieth more room than needed; all of it where every rate is zero.
    end = min(100.0, (rate.scale_end([row for row, _, _ in named]) or 1.0) * 105)
    draw_dots(figure, marks, domain, end=end)
    return figure


def _rescues(figure: style.Sketch, named: _Named) -> None:
    figure.update_layout(
        margin={"r": _BESIDE},
        xaxis2=style.axis(
            domain=list(_RIGHT), range=_WHOLE, showgrid=True, anchor="y", ticks="", dtick=25
        ),
    )
    heading = "<b>Rescued, % of those that fell back</b>"
    figure.add_note(heading, _RIGHT[0], 1, yanchor="bottom", yshift=4)
    rings: list[tuple[float, int, str, str]] = []
    for line, (row, name, colour) in enumerate(named):
        rescued = RescueRange.of(row)
        if rescued is None:
            figure.add_note("none fell back", _RIGHT[0], line, yref="y")
            continue
        rings.append((rescued.last * 100, line, f"{name}<br>{rescued.text}", colour))
        figure.add_note(f"<b>{rescued.ends_text}</b>", 1, line, yref="y", xshift=10)
        left, right = rescued.certain * 100, rescued.possible * 100
        place = {"xref": "x2", "yref": "y", "y0": line - _HALF_BAR, "y1": line + _HALF_BAR}
        place["layer"] = "below"  # the ring is drawn over them
        faint = {"fillcolor": style.faded(colour, 0.3), "line": {"width": 0}}
        figure.add_shape(type="rect", **place, x0=left, x1=right, **faint)
        for edge in (left, right):
            bold = {"width": 2, "color": colour}
            figure.add_shape(type="line", **place, x0=edge, x1=edge, line=bold)
    if rings:
        x, y, hovers, colours = zip(*rings, strict=True)
        look = {"color": list(colours), "symbol": "circle-open", "line": {"width": 1.6}}
        figure.add_trace(dots_at(x, y, hovers, **look) | {"xaxis": "x2"})


def _over_time(table: MetricRows, rate: Rate) -> go.Figure:
    """A rate over time: one panel a group, one dot and line a bucket, one scale for all.

    The dotted line is the group's rate over the whole time, a ratio of sums.
    """
    groups = table.groups(table.by)
    columns = min(_MOST_COLUMNS, max(1, len(groups)))
    lines = -(-len(groups) // columns)
    figure = style.blank(62 + _PANEL * max(1, lines), top=46)
    figure.heading(f"{rate.title} over time, %")
    # One scale for all panels, so that they can be compared.
    highs = (row[f"{rate.of}_high"] or 0.0 for row in table.rows if row[rate.whole])
    end = min(100.0, max(highs, default=1.0) * 105)
    for number, (group, rows) in enumerate(groups.items()):
        suffix = style.axis_suffix(number)
        _place_panel(figure, number, (columns, lines), end)
        colour = table.colour(rows[0])
        label = f"{style.mark(None, colour)} <b>{style.label(group_title(group, table.by))}</b>"
        periods = [row[PERIOD] for row in rows]
        bucket = time_axis.bucket(periods)
        mean = count(round(sum(row[rate.whole] for row in rows) / len(rows)))
        rest = style.muted(f"by {bucket}, {mean} {rate.unit} each")
        corner = {"xref": f"x{suffix} domain", "yref": f"y{suffix} domain"}
        figure.add_note(f"{label}  {rest}", 0, 1, yanchor="bottom", yshift=4, **corner)
        places, texts = time_axis.ticks(periods, most=_TICKS)
        ticks = {"tickvals": places, "ticktext": texts, "tickangle": 0}
        figure.update_layout(**{f"xaxis{suffix}": ticks})
        buckets = zip(
            time_axis.positions(periods), time_axis.bucket_names(periods, bucket), rows, strict=True
        )
        known = [
            (position, estimate.percents, _bucket_hover(rate, name, row, estimate))
            for position, name, row in buckets
            if (estimate := RateEstimate.of(row, rate.of))
        ]
        positions, ends, hovers = zip(*known, strict=True) if known else ((), (), ())
        dots = interval_dots("y", ends, positions, hovers, end=100.0, color=colour, size=6)
        figure.add_trace(dots | {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}"})
        # A ratio of sums: a mean of ratios would count a quiet bucket as much as a busy one.
        whole = sum(row[rate.whole] for row in rows)
        if whole:
            level = sum(row[rate.part] for row in rows) / whole * 100
            dotted = {"width": 1, "dash": "dot", "color": style.ALL_COLOUR}
            place = {"xref": f"x{suffix} domain", "yref": f"y{suffix}", "x0": 0, "x1": 1}
            figure.add_shape(type="line", **place, y0=level, y1=level, line=dotted)
    return figure.figure()


def _bucket_hover(rate: Rate, bucket: str, row: Row, estimate: RateEstimate) -> str:
    counts = f"{count(row[rate.part])} of {count(row[rate.whole])}"
    return f"{bucket}<br>{percent(estimate.value)} ({estimate.interval}), {counts}"


def _place_panel(figure: style.Sketch, number: int, grid: tuple[int, int], end: float) -> None:
    """Set the axes of one panel in a grid of so many columns and lines, from the top left."""
    columns, lines = grid
    line, column = divmod(number, columns)
    suffix = style.axis_suffix(number)
    width, height = (1 + _GAP) / columns - _GAP, 1 / lines
    left, top = column * (width + _GAP), 1 - line * height
    x = style.axis(domain=[left, left + width], anchor=f"y{suffix}", type="date", showgrid=False)
    y = style.axis(
        # Room below each panel for its tick labels, and for the next one's heading if there is one.
        domain=[top - height + 0.05 + 0.1 * (lines > 1), top],
        anchor=f"x{suffix}",
        range=[0, end],
        showticklabels=column == 0,
        showline=False,
    )
    figure.update_layout(**{f"xaxis{suffix}": x, f"yaxis{suffix}": y})
