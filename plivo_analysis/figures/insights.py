"""Figures of journeys, waits, delivery receipts and delivery times.

A dot is an estimate and the thin line through it its interval, in the colour of its channel;
``dots`` draws both.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from plivo_analysis.api.checks import required_text
from plivo_analysis.figures import style
from plivo_analysis.figures.chart_data import RateEstimate
from plivo_analysis.figures.dots import (
    WIDE,
    Mark,
    blank_lines,
    draw_pair,
    draw_rates,
    group_name,
    write_beside,
)
from plivo_analysis.figures.rows import MetricRows, Row, grouped_by, metric_rows
from plivo_analysis.insights.delivery import DELIVERY_TIMES, RECEIPTS, WAITS
from plivo_analysis.insights.journeys import JOURNEY_RATES, JOURNEYS
from plivo_analysis.tables.explode import CURRENCY
from plivo_analysis.values.typesetting import NARROW, count, plural, unit_price

if TYPE_CHECKING:
    import plotly.graph_objects as go

_MANY = 5  # journeys of so many sessions and more are one bar


def journeys(frame: Any) -> go.Figure:
    """Draw how many sessions journeys took, and how they ended.

    Args:
        frame: What ``journeys`` gave, polars or pandas.

    Returns:
        One bar for each number of sessions, from the left: verified, open, not verified.

    Raises:
        SchemaError: The frame is not a result of ``journeys``.

    Example:
        >>> import polars as pl
        >>> from plivo_analysis import figures
        >>> blank = dict.fromkeys(["recipient", "app_uuid", "began_at", "ended_at", "attempts",
        ...                        "channels", "total_charge", "unpriced"])
        >>> frame = pl.DataFrame([
        ...     {**blank, "sessions": 1, "verified": True, "open": False},
        ...     {**blank, "sessions": 2, "verified": False, "open": False}])
        >>> [bar.x for bar in figures.journeys(frame).data]
        [(1, 0), (0, 0), (0, 1)]
    """
    table = metric_rows(frame, JOURNEYS)
    found: Counter[tuple[int, str]] = Counter()
    for row in table.rows:
        ending = "verified" if row["verified"] else "open" if row["open"] else "not verified"
        found[min(row["sessions"], _MANY), ending] += 1
    numbers = list(range(1, max((number for number, _ in found), default=1) + 1))
    names = [f"{plural(n, 'session')}{' or more' * (n == _MANY)}" for n in numbers]
    endings = {
        "verified": style.VERIFIED_COLOUR,
        "open": style.OPEN_COLOUR,
        "not verified": style.NOT_VERIFIED_COLOUR,
    }
    # The text beside a bar gives its numbers too, for people who cannot tell the colours apart.
    marks = [
        Mark(
            name,
            style.ALL_COLOUR,
            None,
            count(sum(found[number, ending] for ending in endings)),
            f"{count(found[number, 'verified'])} verified",
        )
        for number, name in zip(numbers, names, strict=True)
    ]
    figure = blank_lines(marks, "Journeys by number of sessions")
    scale = style.axis(domain=list(WIDE), showgrid=True, ticks="")
    figure.layout |= {"barmode": "stack", "bargap": 0.35, "xaxis": scale}
    look = {"type": "bar", "orientation": "h", "hoverinfo": "text"}
    for ending, colour in endings.items():
        counts = [found[number, ending] for number in numbers]
        hovers = [f"{count(number)} {ending}" for number in counts]
        bars = {"x": counts, "y": list(range(len(numbers))), "hovertext": hovers}
        figure.traces.append(look | bars | {"marker": {"color": colour}})
    write_beside(figure, marks, WIDE)
    return figure.figure()


def journey_rates(frame: Any, *, currency: str = "USD") -> go.Figure:
    """Draw how many journeys end verified, with the interval, and what one that does costs.

    Args:
        frame: What ``journey_rates`` gave, polars or pandas, with any grouping.
        currency: The account's currency, a label; the frame's own ``currency`` column comes first.

    Returns:
        One line a group.

    Raises:
        SchemaError: The frame is not a result of ``journey_rates``.

    Example:
        >>> import polars as pl
        >>> from plivo_analysis import figures
        >>> frame = pl.DataFrame({
        ...     "journeys": [30], "settled": [20], "verified": [15], "conversion_rate": [0.75],
        ...     "conversion_rate_low": [0.53], "conversion_rate_high": [0.89],
        ...     "sessions_per_journey": [1.2], "cost_per_verified_journey": [None]})
        >>> figures.journey_rates(frame).data[0].x
        (75.0,)
    """
    table = metric_rows(frame, JOURNEY_RATES)
    currency = required_text("currency", currency)

    def rest(row: Row) -> str:
        cost = row["cost_per_verified_journey"]
        price = "" if cost is None else f", {unit_price(cost, row.get(CURRENCY) or currency)} each"
        return f"of {count(row['settled'])}{price}"

    marks = [_rate_mark(table, row, "conversion_rate", rest(row)) for row in table.rows]
    return draw_rates(marks, f"Journeys verified{grouped_by(table.by)}, %")


def waits(frame: Any) -> go.Figure:
    """Draw how many sessions were verified after waits of each length, with the interval.

    Args:
        frame: What ``waits`` gave, polars or pandas, with any grouping.

    Returns:
        One line a group and length.

    Raises:
        SchemaError: The frame is not a result of ``waits``.

    Example:
        >>> import polars as pl
        >>> from plivo_analysis import figures
        >>> frame = pl.DataFrame({
        ...     "previous_channel": ["sms"], "channel": ["voice"], "wait": ["under 15 s"],
        ...     "steps": [20], "median_seconds": [9.5], "verified": [15], "success_rate": [0.75],
        ...     "success_rate_low": [0.53], "success_rate_high": [0.89]})
        >>> figures.waits(frame).layout.yaxis.ticktext
        ('<span style="color:#D27C14">■</span> SMS → Voice, under 15 s',)
    """
    table = metric_rows(frame, WAITS)
    marks = []
    for row in table.rows:
        group = f"{group_name(table, row)}, " if table.by else ""
        label = group + style.label(row["wait"] or "time not known")
        rest = f"of {count(row['steps'])}"
        marks.append(_rate_mark(table, row, "success_rate", rest, label=label))
    return draw_rates(marks, f"Verified after a wait{grouped_by(table.by)}, %")


def receipts(frame: Any) -> go.Figure:
    """Draw how far delivery reports can be believed, each rate with its interval.

    Args:
        frame: What ``receipts`` gave, polars or pandas, with any grouping.

    Returns:
        One line a group: left the failures that were none, right the deliveries not used.

    Raises:
        SchemaError: The frame is not a result of ``receipts``.

    Example:
        >>> import polars as pl
        >>> from plivo_analysis import figures
        >>> frame = pl.DataFrame({
        ...     "delivered_verified": [80], "delivered_expired": [20], "failed_verified": [1],
        ...     "failed_expired": [3], "pending": [0], "false_failure_rate": [0.25],
        ...     "false_failure_rate_low": [0.05], "false_failure_rate_high": [0.7],
        ...     "unused_delivery_rate": [0.2], "unused_delivery_rate_low": [0.13],
        ...     "unused_delivery_rate_high": [0.29]})
        >>> [dots.x for dots in figures.receipts(frame).data]
        [(25.0,), (20.0,)]
    """
    panels = {
        "false_failure_rate": ("Reported failed, yet verified, %", "failed"),
        "unused_delivery_rate": ("Reported delivered, yet expired, %", "delivered"),
    }
    table = metric_rows(frame, RECEIPTS)

    def rest(row: Row, report: str) -> str:
        return f"of {count(row[f'{report}_verified'] + row[f'{report}_expired'])}"

    return draw_pair(
        [
            (heading, [_rate_mark(table, row, rate, rest(row, report)) for row in table.rows])
            for rate, (heading, report) in panels.items()
        ]
    )


def delivery_times(frame: Any) -> go.Figure:
    """Draw how long messages waited and travelled: a dot at the median, a line up to 95 of 100.

    Args:
        frame: What ``delivery_times`` gave, polars or pandas, with any grouping.

    Returns:
        One line a group: left the queue, right the delivery, in seconds.

    Raises:
        SchemaError: The frame is not a result of ``delivery_times``.

    Example:
        >>> import polars as pl
        >>> from plivo_analysis import figures
        >>> frame = pl.DataFrame({
        ...     "messages": [50], "queue_p50": [0.4], "queue_p95": [1.5], "delivery_p50": [3.0],
        ...     "delivery_p95": [None], "unfinished": [4], "untimed": [1]})
        >>> [dots.x for dots in figures.delivery_times(frame).data]
        [(0.4,), (3.0,)]
    """
    table = metric_rows(frame, DELIVERY_TIMES)

    def mark(row: Row, what: str) -> Mark:
        half, most = row[f"{what}_p50"], row[f"{what}_p95"]
        name, colour = group_name(table, row), table.colour(row)
        # A quantile is not there while the messages under way could still be the slower ones.
        if half is None:
            return Mark(name, colour, None, "", "half not there yet")
        rest = "95 % not there yet" if most is None else f"95 % in {_seconds(most)}"
        ends = (half, half, half if most is None else most)
        return Mark(name, colour, ends, _seconds(half), style.label(rest))

    headings = {"queue": "Waiting to be sent, s", "delivery": "From sent to delivered, s"}
    return draw_pair(
        [(heading, [mark(row, what) for row in table.rows]) for what, heading in headings.items()]
    )


def _rate_mark(table: MetricRows, row: Row, rate: str, rest: str, *, label: str = "") -> Mark:
    """One line: a rate of a row with its interval, and ``rest`` beside it."""
    label = label or group_name(table, row)
    return Mark.of_rate(label, table.colour(row), RateEstimate.of(row, rate), style.label(rest))


def _seconds(seconds: float) -> str:
    return f"{seconds:.{0 if seconds >= 100 else 1}f}{NARROW}s"  # noqa: PLR2004 - three digits
