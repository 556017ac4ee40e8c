"""Lays out small drawings for pages without scripts.

A drawing is plain numbers. ``templates/shared/drawings.html`` writes them as SVG, which prints
sharply and follows the theme. Every drawing has a text of what it shows, for screen readers and
for hovering. Bars start at zero; what is not known is a gap, never a zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING, Any

from plivo_analysis.figures import style, time_axis
from plivo_analysis.values.typesetting import clean, decimals, money

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from plivo_analysis.figures.chart_data import RateEstimate, RescueRange, SpendOverTime

# All lengths are in CSS pixels.
_ROW, _EDGE, _RADIUS = 18.0, 4.0, 3.6
_MIDDLE, _ABOVE, _BELOW = 9.0, 6.0, 13.0  # where in a row one estimate stands, and each of two
_INK = "currentColor"
_BAR = 0.8  # of a bucket's width
_TOP, _FOOT = 22.0, 24.0  # room above the bars for the peak's label, below for the times
_LETTER = 6.2  # the width of a letter of the labels
_STEPS = (1, 2, 5, 10)
_INTERVALS = 3  # between the ticks of an axis of money, at most
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawing in its box.

    Args:
        kind: Which macro of ``shared/drawings.html`` writes it.
        width: The width of its box.
        height: Its height.
        label: What it shows, as a text.
        marks: The numbers and colours of its parts; each kind has its own names for them.
    """

    kind: str
    width: float
    height: float
    label: str
    marks: dict[str, Any]


def fill(channel: str) -> str:
    """The fill of a channel's bar: its colour, or its hatching.

    Example:
        >>> fill("sms"), fill("validation")
        ('#3D6DB5', 'url(#hatch-validation)')
    """
    return f"url(#hatch-{channel})" if style.hatch(channel) else style.colour(channel)


def hatchings() -> list[dict[str, Any]]:
    """The hatchings of money without a channel, which a page defines once.

    Example:
        >>> [kind["word"] for kind in hatchings()]
        ['validation', 'unallocated']
    """
    return [
        {"word": word, "colour": style.colour(word), "right": right, "down": down, "part": part}
        for word, right, down, part in (
            ("validation", 0, 5, 0.2),
            ("unallocated", 2.5, 2.5, 0.28),
        )
    ]


def square(channel: str | None, colour: str | None = None) -> Drawing:
    """A small square of a channel's colour, before its name.

    Example:
        >>> square("whatsapp").marks["fill"]
        '#17A58C'
    """
    word = channel or ""
    edge = style.colour(word) if style.hatch(word) else None
    return Drawing("square", 9, 9, "", {"fill": colour or fill(word), "edge": edge})


def estimate(
    now: RateEstimate,
    scale: tuple[float, float],
    width: float,
    *,
    label: str,
    colour: str | None = None,
    past: RateEstimate | None = None,
    grid: Sequence[float] = (),
) -> Drawing:
    """An estimate as a dot on the thin line of its interval; the period before in grey below.

    A line that leaves the scale ends in an arrow.

    Args:
        now: The estimate.
        scale: The values at both ends.
        width: The width of the drawing.
        label: What it shows, as a text.
        colour: The dot's colour; the text's where None.
        past: The estimate of the period before.
        grid: Values that get a rule.

    Example:
        >>> from plivo_analysis.figures.chart_data import RateEstimate
        >>> drawn = estimate(RateEstimate(0.5, 0.4, 1.2), (0, 1), 100, label="50 %")
        >>> drawn.marks["intervals"][0]["arrows"]
        ['M92 6l4 3l-4 3']
    """
    upper = _MIDDLE if past is None else _ABOVE
    look = {"y": upper, "radius": _RADIUS, "colour": colour or _INK}
    intervals = [_interval(now, scale, width, upper) | look]
    if past is not None:
        look = {"y": _BELOW, "radius": _RADIUS - 1, "colour": "var(--faint)"}
        intervals.insert(0, _interval(past, scale, width, _BELOW) | look)
    rules = [_across(at, scale, width) for at in grid]
    return Drawing("estimate", width, _ROW, label, {"rules": rules, "intervals": intervals})


def _interval(
    rate: RateEstimate, scale: tuple[float, float], width: float, y: float
) -> dict[str, Any]:
    left, x, right = (_across(end, scale, width) for end in (rate.low, rate.value, rate.high))
    arrows = [f"M{left + 4:g} {y - 3:g}l-4 3l4 3"] if rate.low < scale[0] else []
    arrows += [f"M{right - 4:g} {y - 3:g}l4 3l-4 3"] if rate.high > scale[1] else []
    return {"left": left, "right": right, "x": x, "arrows": arrows}


def rescue(shares: RescueRange, width: float, *, label: str, colour: str | None = None) -> Drawing:
    """A range as a faint bar with two edges, and a ring at the last channel used.

    Example:
        >>> from plivo_analysis.figures.chart_data import RescueRange
        >>> rescue(RescueRange(0.5, 0.7, 0.9), 208, label="50–90 %").marks["edges"]
        [104.0, 184.0]
    """
    certain, last, possible = (
        _across(share, (0, 1), width) for share in (shares.certain, shares.last, shares.possible)
    )
    rules = [_across(quarter / 4, (0, 1), width) for quarter in range(5)]
    marks = {"rules": rules, "edges": [certain, possible], "ring": last, "colour": colour or _INK}
    return Drawing("rescue", width, _ROW, label, marks)


def step(
    start: float, end: float, scale: tuple[float, float], width: float, *, label: str
) -> Drawing:
    """One bar of a waterfall, from where the one before ended; zero has a rule.

    Args:
        start: The value at which it begins.
        end: The value at which it ends, smaller or larger than ``start``.
        scale: The smallest and the largest end of all bars.
        width: The width of the drawing.
        label: What it shows, as a text.

    Example:
        >>> step(0, 5, (0, 10), 108, label="+5").marks["bar"]
        (4.0, 50.0)
    """
    left, right = (_across(at, scale, width) for at in sorted((start, end)))
    marks = {"rules": [_across(0, scale, width)], "bar": (left, round(right - left, 2))}
    return Drawing("step", width, _ROW, label, marks)


def scale_ticks(ticks: Sequence[float], end: float, width: float) -> Drawing:
    """The numbers above a column of drawings, in percent.

    Example:
        >>> scale_ticks([0, 0.05], 0.1, 108).marks["texts"]
        [(4.0, '0'), (54.0, '5')]
    """
    texts = [(_across(tick, (0, end), width), f"{tick * 100:.0f}") for tick in ticks]
    return Drawing("ticks", width, 11, "scale", {"texts": texts})


def sparkline(
    values: Sequence[Decimal | int | None], *, label: str, mean: Decimal | None = None
) -> Drawing:
    """A line of one value a bucket, from zero up, broken where a value is missing.

    Example:
        >>> drawn = sparkline([1, 2, None, 3], label="by day")
        >>> len(drawn.marks["lines"]), len(drawn.marks["dots"])
        (1, 1)
    """
    width, height = 148.0, 34.0
    known = [value for value in values if value is not None]
    # Zero and the mean are on the scale whatever the values are, or the line would mislead.
    top, low = float(max([*known, mean or 0, 0])) or 1.0, float(min([*known, 0]))
    step = width / max(1, len(values) - 1)

    def up(value: float | Decimal) -> float:
        return round(2 + (height - 4) * (1 - (float(value) - low) / (top - low)), 1)

    runs: list[list[tuple[float, float]]] = [[]]
    for place, value in enumerate(values):
        if value is None:
            runs.append([])
        else:
            across = place * step if len(values) > 1 else width / 2
            runs[-1].append((round(across, 1), up(value)))
    marks = {
        "lines": [" ".join(f"{x:g},{y:g}" for x, y in run) for run in runs if len(run) > 1],
        "dots": [run[0] for run in runs if len(run) == 1],
        "mean": None if mean is None else up(mean),
    }
    return Drawing("sparkline", width, height, label, marks)


def columns(
    values: Sequence[Decimal | int | None],
    *,
    label: str,
    width: float = 94.0,
    height: float = 15.0,
    colour: str | None = None,
) -> Drawing:
    """One small bar a bucket, on a scale of its own; a negative one hangs below zero.

    Example:
        >>> columns([1, None, 2], label="by day", width=30, height=10).marks["path"]
        'M0 5h8v5h-8zM20 0h8v10h-8z'
    """
    heights = [float(value or 0) for value in values]
    # Zero is always on the scale, at the foot unless a value is negative.
    top, bottom = max([*heights, 0.0]), min([*heights, 0.0])
    scale, step = height / ((top - bottom) or 1.0), width / max(1, len(values))
    bars = (
        _bar(place * step, (top - max(value, 0.0)) * scale, step * _BAR, abs(value) * scale)
        for place, value in enumerate(heights)
        if value
    )
    marks = {"path": "".join(bars), "colour": colour or _INK}
    return Drawing("columns", width, height, label, marks)


def parts(
    amounts: Sequence[tuple[str, Decimal]], whole: Decimal, width: float, *, label: str
) -> Drawing:
    """The parts of a whole as one bar, a colour for each channel; negative ones are not drawn.

    Example:
        >>> parts([("sms", Decimal(3))], Decimal(4), 100, label="SMS $3").marks["parts"]
        [(0.0, 75.0, '#3D6DB5')]
    """
    # A credit makes the other parts longer than the whole: the bar is then cut where its box ends.
    at, marks = 0.0, []
    for channel, amount in amounts:
        if whole > 0 and amount > 0:
            long = float(amount / whole) * width
            marks.append((round(at, 2), round(long, 2), fill(channel)))
            at += long
    return Drawing("parts", width, 10, label, {"parts": marks})


def stacked_bars(
    spent: SpendOverTime,
    *,
    width: float,
    height: float,
    mean: Decimal | None = None,
    unread: Collection[int] = (),
) -> Drawing:
    """Bars over time, stacked by channel; hovering over a bucket tells its amounts.

    Args:
        spent: What was spent.
        width: The width of the drawing.
        height: Its height.
        mean: The mean cost of a bucket in the period before.
        unread: The positions of the buckets that were not read whole.

    Example:
        >>> from datetime import UTC, datetime
        >>> from plivo_analysis.figures.chart_data import Series, SpendOverTime
        >>> day = datetime(2026, 10, 1, tzinfo=UTC)
        >>> sms = Series("SMS", "sms", "#3D6DB5", [Decimal(2)], ["$2.00 SMS"])
        >>> spent = SpendOverTime([day], "day", ["Thu 1 Oct"], [sms], "USD")
        >>> drawn = stacked_bars(spent, width=400, height=200)
        >>> drawn.marks["buckets"][0]["title"]
        'Thu 1 Oct: $2.00 SMS'
    """
    heights, depths = spent.heights, spent.depths
    ticks = _money_ticks(max([*heights, mean or _ZERO], default=_ZERO))
    # All ticks have as many decimals as the one that needs most: $0.00, $0.25, $0.50.
    digits = max(decimals(tick, least=0) for tick in ticks)
    texts = [money(tick, spent.currency, digits) for tick in ticks]
    left = max(len(text) for text in texts) * _LETTER + 10
    # Where negative amounts hang below zero, the scale grows downwards and zero moves up.
    high, low = max([ticks[-1], *heights]), min([*depths, _ZERO])
    room, step = height - _TOP - _FOOT, (width - left) / max(1, len(spent.starts))

    def up(amount: Decimal) -> float:
        return round(_TOP + float((high - amount) / ((high - low) or 1)) * room, 1)

    def across(place: int) -> float:
        return round(left + place * step, 1)

    # What is above zero is stacked upwards and what is below it downwards, each from zero, so
    # that a negative amount never hides a part of a positive one. One path a channel, since a
    # quarter of days and channels would be thousands of elements.
    paths = [""] * len(spent.series)
    for place in range(len(spent.starts)):
        above, below = _ZERO, _ZERO
        for number, series in enumerate(spent.series):
            amount = series.amounts[place] or _ZERO
            base = above if amount > 0 else below
            top, foot = up(max(base, base + amount)), up(min(base, base + amount))
            if foot > top:
                x = across(place) + step * (1 - _BAR) / 2
                paths[number] += _bar(x, top, step * _BAR, foot - top)
            above, below = (base + amount, below) if amount > 0 else (above, base + amount)
    peak = None
    if found := spent.peak(unread):
        place, cost, name = found
        if (len(cost) + len(name)) * _LETTER > width / 2:
            name = name.split(",")[0]  # the day alone, without how unusual it is
        peak = {
            "x": round(across(place) + step / 2, 1),
            "y": up(heights[place]) - 5,
            # In the outer thirds a centred text could leave the box.
            "anchor": ("start", "middle", "end")[3 * place // len(spent.starts)],
            "amount": cost,
            "name": name,
        }
    marks = {
        "left": round(left, 1),
        "floor": up(_ZERO),
        "grid": [(up(tick), text) for tick, text in zip(ticks, texts, strict=True)],
        "bars": [
            (path, fill(series.channel) if series.channel else series.colour)
            for path, series in zip(paths, spent.series, strict=True)
        ],
        "buckets": [
            {"x": across(place), "width": round(step, 1), "title": _hover(spent, place, unread)}
            for place in range(len(spent.starts))
        ],
        "unread": [(across(place), round(step, 1)) for place in sorted(unread)],
        "mean": None if mean is None else up(mean),
        "peak": peak,
        "times": _time_labels(spent, across, step, width - left),
    }
    label = f"Spend by {spent.bucket} and channel; each amount is in the table below"
    return Drawing("stacked_bars", width, height, label, marks)


def _time_labels(
    spent: SpendOverTime, across: Callable[[int], float], step: float, room: float
) -> list[tuple[float, str]]:
    most = 6 if room > 500 else 4  # noqa: PLR2004 - how many labels fit into so many pixels
    ticks, texts = time_axis.ticks(spent.starts, most)
    # A Monday's tick is at midnight, where a day that has no midnight begins later: compared by
    # the hour, that day would lose its label.
    precision = "%Y-%m-%d %H" if spent.bucket == "hour" else "%Y-%m-%d"
    positions = time_axis.positions(spent.starts)
    places = {f"{position:{precision}}": place for place, position in enumerate(positions)}
    found = [(places.get(f"{at:{precision}}"), text) for at, text in zip(ticks, texts, strict=True)]
    return [(across(at) + round(step / 2, 1), text) for at, text in found if at is not None]


def _hover(spent: SpendOverTime, place: int, unread: Collection[int]) -> str:
    parts = [clean(series.hovers[place]) for series in spent.series if series.hovers[place]]
    if place in unread:
        parts.append("not read whole")
    return f"{spent.names[place]}: {'; '.join(parts) or 'nothing'}"


def _money_ticks(top: Decimal) -> list[Decimal]:
    """Two to four round amounts, from zero to the last one that is not above the top."""
    if top <= 0:
        return [_ZERO]
    # From the power of ten of a third of the top: the smallest round step of which at most three
    # fit below the top.
    unit = Decimal(1).scaleb((top / _INTERVALS).adjusted())
    step = next(unit * times for times in _STEPS if unit * times * (_INTERVALS + 1) > top)
    return [step * place for place in range(int(top / step) + 1)]


def _bar(x: float, y: float, width: float, height: float) -> str:
    x, y, width, height = (round(number, 1) for number in (x, y, width, height))
    return f"M{x:g} {y:g}h{width:g}v{height:g}h{-width:g}z"


def _across(value: float, scale: tuple[float, float], width: float) -> float:
    """The position of a value on a scale; half a dot fits in at both ends."""
    # A scale without width, or amounts too large for a float, put the mark at the left end.
    share = (value - scale[0]) / ((scale[1] - scale[0]) or 1.0)
    share = min(1.0, max(0.0, share)) if isfinite(share) else 0.0
    return round(_EDGE + share * (width - 2 * _EDGE), 2)
