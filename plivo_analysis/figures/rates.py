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
from plivo_analysis.values.typesetting import count, percent, plural

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from plivo_analysis.figures.chart_data import Rate

_LEFT, _RIGHT = (0.0, 0.36), (0.64, 1.0)
_BESIDE = 78  # pixels for "75–100 %" after the right scale, however narrow the figure is
_WHOLE = [-0.5, 100.5]  # a scale of percents that cuts no edge of a bar at 0 or 100 in half
_WIDE = (0.0, 0.64)
_HALF_BAR = 0.17
_MOST_COLUMNS, _PANEL = 3, 170  # of panels over time, and the height of a line of them
_GAP, _HEADING = 0.12, 0.3  # between them, as parts of a panel's width and height
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
    figure = _by_group(table, named, FALLBACK, _LEFT, right=_BESIDE)
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
    # The rate divides by final messages, which are no column; those not final are named beside it.
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
    table: MetricRows, named: _Named, rate: Rate, domain: tuple[float, float], **margin: int
) -> style.Sketch:
    """One line a group: its dot and interval, beside them the rate and the counts it divides."""
    marks = []
    for row, label, colour in named:
        rest = f"of {count(row[rate.whole])}"
        if not rate.pending:
            rest = f"{count(row[rate.part])} {rest}"
        rest += "".join(f", {count(row[name])} {name}" for name in rate.pending if row[name])
        marks.append(Mark.of_rate(label, colour, RateEstimate.of(row, rate.of), rest))
    figure = blank_lines(marks, f"{rate.title}{grouped_by(table.by)}, %", **margin)
    # In percent, with a twentieth more room than needed; all of it where every rate is zero.
    end = min(100.0, (rate.scale_end([row for row, _, _ in named]) or 1.0) * 105)
    draw_dots(figure, marks, domain, end=end)
    return figure


def _rescues(figure: style.Sketch, named: _Named) -> None:
    figure.layout["xaxis2"] = style.axis(
        domain=list(_RIGHT), range=_WHOLE, showgrid=True, anchor="y", ticks="", dtick=25
    )
    heading = "<b>Rescued, % of those that fell back</b>"
    figure.write(heading, _RIGHT[0], 1, yanchor="bottom", yshift=4)
    for line, (row, name, colour) in enumerate(named):
        rescued = RescueRange.of(row)
        if rescued is None:
            figure.write("none fell back", _RIGHT[0], line, yref="y")
            continue
        figure.write(f"<b>{rescued.ends_text}</b>", 1, line, yref="y", xshift=10)
        left, right = rescued.certain * 100, rescued.possible * 100
        place = {"xref": "x2", "yref": "y", "y0": line - _HALF_BAR, "y1": line + _HALF_BAR}
        place["layer"] = "below"  # the ring is drawn over them
        bar = {"type": "rect", "fillcolor": style.faded(colour, 0.3), "line": {"width": 0}}
        edge = {"type": "line", "line": {"width": 2, "color": colour}}
        for shape, x0, x1 in ((bar, left, right), (edge, left, left), (edge, right, right)):
            figure.shapes.append(shape | place | {"x0": x0, "x1": x1})
        look = {"color": colour, "symbol": "circle-open", "line": {"width": 1.6}}
        ring = dots_at([rescued.last * 100], [line], [f"{name}<br>{rescued.text}"], **look)
        figure.traces.append(ring | {"xaxis": "x2"})


def _over_time(table: MetricRows, rate: Rate) -> go.Figure:
    """A rate over time: one panel a group, one dot and line a bucket, one scale for all.

    The dotted line is the group's rate over the whole time, a ratio of sums.
    """
    groups = table.groups(table.by)
    columns = min(_MOST_COLUMNS, max(1, len(groups)))
    lines = max(1, -(-len(groups) // columns))
    figure = style.blank(62 + _PANEL * lines, f"{rate.title} over time, %", top=46)
    # Plotly's grid gives each panel its axes and its place, from the top left.
    gaps = {"xgap": _GAP, "ygap": _HEADING}
    figure.layout["grid"] = {"rows": lines, "columns": columns, "pattern": "independent"} | gaps
    # One scale for all panels, so that they can be compared.
    highs = (row[f"{rate.of}_high"] or 0.0 for row in table.rows if row[rate.whole])
    end = min(100.0, max(highs, default=1.0) * 105)
    for number, (group, rows) in enumerate(groups.items()):
        suffix = style.axis_suffix(number)
        periods = [row[PERIOD] for row in rows]
        places, texts = time_axis.ticks(periods, most=_TICKS)
        figure.layout[f"xaxis{suffix}"] = style.axis(
            type="date", showgrid=False, tickvals=places, ticktext=texts, tickangle=0
        )
        figure.layout[f"yaxis{suffix}"] = style.axis(
            range=[0, end], showticklabels=number % columns == 0, showline=False
        )
        colour = table.colour(rows[0])
        label = f"{style.mark(None, colour)} <b>{style.label(group_title(group, table.by))}</b>"
        bucket = time_axis.bucket(periods)
        whole = sum(row[rate.whole] for row in rows)
        mean = plural(round(whole / len(rows)), rate.unit)
        rest = style.muted(f"by {bucket}, {mean} each")
        corner = {"xref": f"x{suffix} domain", "yref": f"y{suffix} domain"}
        figure.write(f"{label}  {rest}", 0, 1, yanchor="bottom", yshift=4, **corner)
        buckets = zip(
            time_axis.positions(periods), time_axis.bucket_names(periods, bucket), rows, strict=True
        )
        known = [
            (position, estimate.percents, _bucket_hover(rate, name, row, estimate))
            for position, name, row in buckets
            if (estimate := RateEstimate.of(row, rate.of))
        ]
        positions, ends, hovers = zip(*known, strict=True) if known else ((), (), ())
        dots = interval_dots("y", ends, positions, hovers, color=colour, size=6)
        figure.traces.append(dots | {"xaxis": f"x{suffix}", "yaxis": f"y{suffix}"})
        if whole:
            # A ratio of sums: a mean of ratios would count a quiet bucket as much as a busy one.
            level = sum(row[rate.part] for row in rows) / whole * 100
            dotted = {"width": 1, "dash": "dot", "color": style.ALL_COLOUR}
            place = {"xref": f"x{suffix} domain", "yref": f"y{suffix}", "x0": 0, "x1": 1}
            figure.shapes.append({"type": "line", "y0": level, "y1": level, "line": dotted} | place)
    return figure.figure()


def _bucket_hover(rate: Rate, bucket: str, row: Row, estimate: RateEstimate) -> str:
    counts = f"{count(row[rate.part])} of {count(row[rate.whole])}"
    return f"{bucket}<br>{percent(estimate.value)} ({estimate.interval}), {counts}"
