"""What insights give, drawn: changes, rates and times as dots with their intervals, and money.

Each line of a figure is prepared as plain data (``Mark``) and then written. A dot is the
estimate, the thin line through it its interval; what is beyond chance is in the accent colour,
everything else in that of its channel. Titles say what changed, and never why.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from plivo_analysis.errors import FilterError
from plivo_analysis.figures import style
from plivo_analysis.figures.rows import MetricRows, Row, hue, key, read, title, words
from plivo_analysis.values.typesetting import (
    NARROW,
    count,
    money,
    percent,
    plural,
    signed,
    unit_price,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import plotly.graph_objects as go

_LINE = 30
_WIDE = (0.0, 0.62)
_PAIR = ((0.0, 0.30), (0.55, 0.85))
_ACCENT = style.NOT_VERIFIED
_EFFECTS = ("price", "volume", "mix", "new", "ended")
_MANY = 5  # sessions of a journey from which on they are one bar
_NAMED = 3  # groups that hovering over an effect names
_ZERO = Decimal(0)

_RATES = ("success_rate", "fallback_rate")
_COST = "cost_per_verified"
_MEASURES = {
    "success_rate": "Change of the success rate, points",
    "fallback_rate": "Change of the fallback rate, points",
    _COST: "Change of the cost per verified session",
}
_COMPARED = ("sessions_before", "sessions_after", "spend_before", "spend_after", "spend_change")
_CHANGES = (
    *_COMPARED,
    *(
        f"{rate}_{part}"
        for rate in _RATES
        for part in ("before", "after", "change", "change_low", "change_high", "detectable")
    ),
    *(f"{_COST}_{part}" for part in ("before", "after", "change", "change_low", "change_high")),
)
_JOURNEYS = (
    "recipient",
    "app_uuid",
    "began_at",
    "ended_at",
    "sessions",
    "verified",
    "open",
    "attempts",
    "channels",
    "total_charge",
    "unpriced",
)
_DELIVERY_TIMES = (
    "messages",
    "queue_p50",
    "queue_p95",
    "delivery_p50",
    "delivery_p95",
    "unfinished",
    "untimed",
)


def _with_interval(rate: str) -> tuple[str, str, str]:
    return rate, f"{rate}_low", f"{rate}_high"


@dataclass(frozen=True, slots=True)
class Mark:
    """One line of a figure: a label, an estimate with its interval, and what stands beside it.

    Args:
        label: Its label, safe for a figure.
        colour: The dot's colour.
        ends: The estimate and the two ends of its interval, each None where it is not known.
        bold: What stands beside it in bold; empty for nothing.
        rest: What stands after that.

    Example:
        >>> Mark("SMS", "#3D6DB5", (0.5, 0.4, 0.6), "50 %", "of 30").ends[0]
        0.5
    """

    label: str
    colour: str
    ends: tuple[float | None, float | None, float | None]
    bold: str
    rest: str


def compare(frame: Any, *, measure: str = "success_rate", currency: str = "USD") -> go.Figure:
    """Draw what changed in each group, the worst change first, with its interval.

    Worst is the largest loss of success, or the largest rise of fallback or of cost. A change
    whose own interval leaves out 0 is in the accent colour.

    Args:
        frame: What ``compare`` gave, polars or pandas, with any grouping.
        measure: ``"success_rate"``, ``"fallback_rate"`` or ``"cost_per_verified"``.
        currency: The account's currency, a label.

    Returns:
        One line a group; groups without a change come last and say why.

    Raises:
        SchemaError: The frame is not of ``compare``.
        FilterError: There is no such measure.

    Example:
        >>> import polars as pl
        >>> from decimal import Decimal
        >>> from plivo_analysis import compare, figures
        >>> def sessions(verified, expired):
        ...     number = verified + expired
        ...     return pl.DataFrame({
        ...         "session_uuid": [str(n) for n in range(number)], "path": ["sms"] * number,
        ...         "status": ["verified"] * verified + ["expired"] * expired,
        ...         "total_charge": [Decimal("0.08")] * number})
        >>> figures.compare(compare(sessions(48, 32), sessions(56, 14))).data[0].x
        (20.0,)
    """
    if measure not in _MEASURES:
        allowed = ", ".join(map(repr, _MEASURES))
        raise FilterError(f"measure is {measure!r}; it can be {allowed}.")
    table = read(frame, _CHANGES, "compare")
    is_rate = measure != _COST
    scale = 100 if is_rate else 1
    better = 1 if measure == "success_rate" else -1

    def worst_first(row: Row) -> tuple[bool, float]:
        change = row[f"{measure}_change"]
        return change is None, 0.0 if change is None else better * float(change)

    def mark(row: Row) -> Mark:
        ends = [row[f"{measure}_change{end}"] for end in ("", "_low", "_high")]
        change, low, high = (None if end is None else float(end) * scale for end in ends)
        clear = low is not None and high is not None and (low > 0 or high < 0)
        before, after = row[f"{measure}_before"], row[f"{measure}_after"]
        if is_rate:
            shown = percent(ends[0], unit=False)
            values = f"{percent(before)} → {percent(after)}"
        else:
            shown = unit_price(ends[0], currency)
            values = f"{unit_price(before, currency)} → {unit_price(after, currency)}"
        if row["sessions_before"] is None or row["sessions_after"] is None:
            values = "only after" if row["sessions_before"] is None else "only before"
        bold = "" if change is None else style.label(signed(shown))
        colour = _ACCENT if clear else style.ALL
        return Mark(_name(table, row), colour, (change, low, high), bold, style.label(values))

    marks = [mark(row) for row in sorted(table.rows, key=worst_first)]
    figure = _blank(marks, f"{_MEASURES[measure]}{words(table.by)}")
    _dots(figure, marks, _WIDE, zero=True)
    return figure.figure()


def cost_bridge(frame: Any, *, currency: str = "USD") -> go.Figure:
    """Draw from what the change of spend is made: a bar for each effect, then the change.

    Each bar begins where the one before ended. Hovering names the groups with the largest
    parts.

    Args:
        frame: What ``cost_bridge`` gave, polars or pandas, with any grouping.
        currency: The account's currency, a label.

    Returns:
        A waterfall with the exact amount of each effect above its bar.

    Raises:
        SchemaError: The frame is not of ``cost_bridge``.

    Example:
        >>> import polars as pl
        >>> from decimal import Decimal
        >>> from plivo_analysis import figures
        >>> amounts = [Decimal("0.06"), Decimal("0.18"), Decimal("-0.04")]
        >>> frame = pl.DataFrame({"effect": ["price", "volume", "mix"], "amount": amounts})
        >>> drawn = figures.cost_bridge(frame).data[0]
        >>> drawn.base, drawn.y
        ((0.0, 0.06, 0.24, 0.0), (0.06, 0.18, -0.04, 0.2))
    """
    table = read(frame, ("effect", "amount"), "cost_bridge")
    found = {row["effect"] for row in table.rows}
    effects = [effect for effect in _EFFECTS if effect in found]
    sums = {
        effect: sum((row["amount"] for row in table.rows if row["effect"] == effect), _ZERO)
        for effect in effects
    }
    starts = [sum(list(sums.values())[:place], _ZERO) for place in range(len(effects))]
    amounts = [*sums.values(), sum(sums.values(), _ZERO)]
    bases = [*starts, _ZERO]
    names = [*(effect.capitalize() for effect in effects), "Change"]
    figure = style.blank(260, left=60)
    style.heading(figure, f"Change of spend{words(table.by)}")
    figure.update_layout(
        xaxis=style.axis(showgrid=False, tickvals=list(range(len(names))), ticktext=names),
        yaxis=style.axis(nticks=4, showline=False, zeroline=True, zerolinecolor=style.ALL),
    )
    figure.add_trace(
        {
            "type": "bar",
            "x": list(range(len(names))),
            "y": [float(amount) for amount in amounts],
            "base": [float(base) for base in bases],
            "marker": {"color": [*[style.VERIFIED] * len(effects), style.OPEN]},
            "hovertext": [*(_largest(table, effect, currency) for effect in effects), "All"],
            "hoverinfo": "text",
        }
    )
    for place, (base, amount) in enumerate(zip(bases, amounts, strict=True)):
        shown = style.label(signed(money(amount, currency)))
        top = float(max(base, base + amount))
        where = {"xref": "x", "yref": "y", "xanchor": "center", "yanchor": "bottom"}
        style.note(figure, f"<b>{shown}</b>", place, top, **where)
    return figure.figure()


def journeys(frame: Any) -> go.Figure:
    """Draw how many sessions journeys took, and how they ended.

    Args:
        frame: What ``journeys`` gave, polars or pandas.

    Returns:
        One bar for each number of sessions, from the left: verified, open, not verified.

    Raises:
        SchemaError: The frame is not of ``journeys``.

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
    table = read(frame, _JOURNEYS, "journeys")
    found: Counter[tuple[int, str]] = Counter()
    for row in table.rows:
        ending = "verified" if row["verified"] else "open" if row["open"] else "not verified"
        found[min(row["sessions"], _MANY), ending] += 1
    numbers = list(range(1, max((number for number, _ in found), default=1) + 1))
    names = [f"{plural(n, 'session')}{' or more' * (n == _MANY)}" for n in numbers]
    endings = {"verified": style.VERIFIED, "open": style.OPEN, "not verified": _ACCENT}
    # What is drawn is what the label beside the bar says, so nothing depends on a colour alone.
    marks = [
        Mark(
            name,
            style.ALL,
            (None, None, None),
            count(sum(found[number, ending] for ending in endings)),
            f"{count(found[number, 'verified'])} verified",
        )
        for number, name in zip(numbers, names, strict=True)
    ]
    figure = _blank(marks, "Journeys by number of sessions")
    figure.update_layout(barmode="stack", bargap=0.35)
    for ending, colour in endings.items():
        counts = [found[number, ending] for number in numbers]
        figure.add_trace(
            {
                "type": "bar",
                "orientation": "h",
                "x": counts,
                "y": list(range(len(numbers))),
                "marker": {"color": colour},
                "hovertext": [f"{count(number)} {ending}" for number in counts],
                "hoverinfo": "text",
            }
        )
    figure.update_layout(xaxis=style.axis(domain=list(_WIDE), showgrid=True, ticks=""))
    _beside(figure, marks, _WIDE)
    return figure.figure()


def journey_rates(frame: Any, *, currency: str = "USD") -> go.Figure:
    """Draw how many journeys end verified, with the interval, and what one that does costs.

    Args:
        frame: What ``journey_rates`` gave, polars or pandas, with any grouping.
        currency: The account's currency, a label.

    Returns:
        One line a group.

    Raises:
        SchemaError: The frame is not of ``journey_rates``.

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
    rate = _with_interval("conversion_rate")
    columns = ("journeys", "settled", "verified", *rate, "sessions_per_journey")
    table = read(frame, (*columns, "cost_per_verified_journey"), "journey_rates")

    def rest(row: Row) -> str:
        cost = row["cost_per_verified_journey"]
        paid = "" if cost is None else f", {unit_price(cost, currency)} each"
        return f"of {count(row['settled'])}{paid}"

    return _rates(table, "Journeys verified, %", "conversion_rate", rest)


def waits(frame: Any) -> go.Figure:
    """Draw how many sessions were verified after waits of each length, with the interval.

    Args:
        frame: What ``waits`` gave, polars or pandas, with any grouping.

    Returns:
        One line a group and length.

    Raises:
        SchemaError: The frame is not of ``waits``.

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
    rate = _with_interval("success_rate")
    table = read(frame, ("wait", "steps", "median_seconds", "verified", *rate), "waits")

    def name(row: Row) -> str:
        length = row["wait"] or "time not known"
        group = f"{_name(table, row)}, " if table.by else ""
        return f"{group}{style.label(length)}"

    return _rates(
        table, "Verified after a wait, %", "success_rate", lambda r: f"of {count(r['steps'])}", name
    )


def receipts(frame: Any) -> go.Figure:
    """Draw how far delivery reports can be believed, each rate with its interval.

    Args:
        frame: What ``receipts`` gave, polars or pandas, with any grouping.

    Returns:
        One line a group: left the failures that were none, right the deliveries not used.

    Raises:
        SchemaError: The frame is not of ``receipts``.

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
    cells = [
        f"{report}_{end}" for report in ("delivered", "failed") for end in ("verified", "expired")
    ]
    columns = (*cells, "pending", *(name for rate in panels for name in _with_interval(rate)))
    table = read(frame, columns, "receipts")
    drawn = []
    for rate, (heading, report) in panels.items():
        marks = [
            _rate_mark(
                row,
                _name(table, row),
                _colour(table, row),
                rate,
                f"of {count(row[f'{report}_verified'] + row[f'{report}_expired'])}",
            )
            for row in table.rows
        ]
        drawn.append((heading, marks))
    return _pair(drawn)


def delivery_times(frame: Any) -> go.Figure:
    """Draw how long messages waited and travelled: a dot at the median, a line up to 95 of 100.

    Args:
        frame: What ``delivery_times`` gave, polars or pandas, with any grouping.

    Returns:
        One line a group: left the queue, right the delivery, in seconds.

    Raises:
        SchemaError: The frame is not of ``delivery_times``.

    Example:
        >>> import polars as pl
        >>> from plivo_analysis import figures
        >>> frame = pl.DataFrame({
        ...     "messages": [50], "queue_p50": [0.4], "queue_p95": [1.5], "delivery_p50": [3.0],
        ...     "delivery_p95": [None], "unfinished": [4], "untimed": [1]})
        >>> [dots.x for dots in figures.delivery_times(frame).data]
        [(0.4,), (3.0,)]
    """
    table = read(frame, _DELIVERY_TIMES, "delivery_times")

    def mark(row: Row, what: str) -> Mark:
        half, most = row[f"{what}_p50"], row[f"{what}_p95"]
        if half is None:
            return Mark(
                _name(table, row), _colour(table, row), (None,) * 3, "", "half not there yet"
            )
        rest = "95 % not there yet" if most is None else f"95 % in {_seconds(most)}"
        ends = (half, half, half if most is None else most)
        return Mark(_name(table, row), _colour(table, row), ends, _seconds(half), style.label(rest))

    headings = {"queue": "Waiting to be sent, s", "delivery": "From sent to delivered, s"}
    return _pair(
        [(heading, [mark(row, what) for row in table.rows]) for what, heading in headings.items()]
    )


def _rates(
    table: MetricRows,
    heading: str,
    rate: str,
    rest: Callable[[Row], str],
    name: Callable[[Row], str] | None = None,
) -> go.Figure:
    marks = [
        _rate_mark(
            row, name(row) if name else _name(table, row), _colour(table, row), rate, rest(row)
        )
        for row in table.rows
    ]
    what, unit = heading.rsplit(", ", 1)
    figure = _blank(marks, f"{what}{words(table.by)}, {unit}")
    _dots(figure, marks, _WIDE)
    return figure.figure()


def _rate_mark(row: Row, label: str, colour: str, rate: str, rest: str) -> Mark:
    value, low, high = (
        None if row[end] is None else row[end] * 100 for end in _with_interval(rate)
    )
    bold = "" if row[rate] is None else percent(row[rate])
    return Mark(label, colour, (value, low, high), bold, style.label(rest))


def _name(table: MetricRows, row: Row) -> str:
    """A group's label, after a square of its channel's colour; a step is "SMS → Voice"."""
    steps = [column for column in ("previous_channel", "channel") if column in table.by]
    others = [column for column in table.by if column not in steps]
    step = " → ".join(style.name(row[column]) for column in steps)
    parts = [step] if step else []
    if others or not parts:
        parts.append(title(key(row, others), others))
    mark = f"{style.mark(None, _colour(table, row))} " if table.channel else ""
    return mark + style.label(" · ".join(parts))


def _colour(table: MetricRows, row: Row) -> str:
    return hue(key(row, table.by), table.by)


def _largest(table: MetricRows, effect: str, currency: str) -> str:
    """The groups with the largest parts of an effect, for a pointer that rests on its bar."""
    rows = [row for row in table.rows if row["effect"] == effect]
    rows.sort(key=lambda row: -abs(row["amount"]))
    told = [
        f"{_name(table, row)}: {style.label(signed(money(row['amount'], currency)))}"
        for row in rows[:_NAMED]
    ]
    if len(rows) > _NAMED:
        told.append(f"and {count(len(rows) - _NAMED)} more")
    return "<br>".join(told)


def _seconds(seconds: float) -> str:
    return f"{seconds:.{0 if seconds >= 100 else 1}f}{NARROW}s"  # noqa: PLR2004 - three digits


def _blank(marks: Sequence[Mark], heading: str) -> style.Sketch:
    figure = style.blank(64 + _LINE * max(1, len(marks)), left=80)
    style.heading(figure, heading)
    figure.update_layout(
        yaxis=style.axis(
            showgrid=False,
            range=[max(1, len(marks)) - 0.5, -0.5],
            tickvals=list(range(len(marks))),
            ticktext=[mark.label for mark in marks],
            tickfont={"size": 12},
            automargin=True,
            ticks="",
            showline=False,
            ticklabelstandoff=8,
        )
    )
    return figure


def _pair(panels: Sequence[tuple[str, Sequence[Mark]]]) -> go.Figure:
    """Two estimates of the same lines beside each other, each on a scale of its own."""
    figure = _blank(panels[0][1], "")
    for number, ((heading, marks), domain) in enumerate(zip(panels, _PAIR, strict=True)):
        style.note(figure, f"<b>{heading}</b>", domain[0], 1, yanchor="bottom", yshift=4)
        _dots(figure, marks, domain, suffix="" if number == 0 else str(number + 1))
    return figure.figure()


def _dots(
    figure: style.Sketch,
    marks: Sequence[Mark],
    domain: tuple[float, float],
    *,
    suffix: str = "",
    zero: bool = False,
) -> None:
    """Dots on the thin lines of their intervals, one trace a colour, and what stands beside."""
    known = [(line, mark) for line, mark in enumerate(marks) if mark.ends[0] is not None]
    for colour in dict.fromkeys(mark.colour for _, mark in known):
        lines = [(line, mark) for line, mark in known if mark.colour == colour]
        ends = [_whole(mark) for _, mark in lines]
        figure.add_trace(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [value for value, _, _ in ends],
                "y": [line for line, _ in lines],
                "xaxis": f"x{suffix}",
                "marker": {"size": 8, "color": colour},
                "error_x": {
                    "type": "data",
                    "symmetric": False,
                    "array": [high - value for value, _, high in ends],
                    "arrayminus": [value - low for value, low, _ in ends],
                    "thickness": 1.4,
                    "width": 0,
                    "color": colour,
                },
                "hovertext": [f"{mark.label}<br>{mark.bold} {mark.rest}" for _, mark in lines],
                "hoverinfo": "text",
                "cliponaxis": False,
            }
        )
    scale = style.axis(domain=list(domain), showgrid=True, ticks="", anchor="y")
    if zero:
        scale |= {"rangemode": "normal", "zeroline": True, "zerolinecolor": style.ALL}
    figure.update_layout({f"xaxis{suffix}": scale})
    _beside(figure, marks, domain)


def _whole(mark: Mark) -> tuple[float, float, float]:
    """The estimate with the ends of its interval, or with itself where it has none."""
    value, low, high = mark.ends
    value = value or 0.0
    return value, value if low is None else low, value if high is None else high


def _beside(figure: style.Sketch, marks: Sequence[Mark], domain: tuple[float, float]) -> None:
    for line, mark in enumerate(marks):
        bold = f"<b>{mark.bold}</b>  " if mark.bold else ""
        text = f"{bold}{style.muted(mark.rest)}"
        style.note(figure, text, domain[1] + 0.02, line, yref="y")
