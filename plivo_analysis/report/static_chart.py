"""The stacked bars of spend over time as a still drawing: for print, and without a program.

The same picture as the interactive figure, from the same amounts. A figure drawn by a program
keeps the width of the screen; paper needs one that fits it.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from plivo_analysis.figures import style, time_axis
from plivo_analysis.report.drawing import fill, svg
from plivo_analysis.report.html import Markup, tag
from plivo_analysis.values.typesetting import clean, decimals, money

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

_WIDTH, _HEIGHT = 972, 264
_LEFT, _RIGHT, _TOP, _BOTTOM = 48, 170, 22, 24
_BAR = 0.8
_STEPS = (1, 2, 5, 10)
_INTERVALS = 3
_LINE = 22
_SHORT = 16


@dataclass(frozen=True, slots=True)
class _Scale:
    """From amounts and buckets to places in the drawing."""

    low: Decimal
    high: Decimal
    buckets: int

    def up(self, amount: Decimal) -> float:
        span = (self.high - self.low) or Decimal(1)
        room = _HEIGHT - _TOP - _BOTTOM
        return round(_TOP + float((self.high - amount) / span) * room, 2)

    @property
    def step(self) -> float:
        return (_WIDTH - _LEFT - _RIGHT) / max(1, self.buckets)

    def across(self, bucket: int) -> float:
        return round(_LEFT + bucket * self.step, 2)


def still(
    starts: Sequence[datetime],
    series: Sequence[tuple[str, Sequence[Decimal]]],
    *,
    currency: str,
    mean: Decimal | None = None,
) -> Markup:
    """Draw stacked bars: one a bucket, its channels from the axis on in their order.

    Args:
        starts: The buckets' starts on the wall clock.
        series: Each channel with one amount a bucket.
        currency: The account's currency.
        mean: What a bucket cost in the period before.

    Example:
        >>> from datetime import datetime
        >>> days = [datetime(2026, 10, 1), datetime(2026, 10, 2)]
        >>> drawn = still(days, [("sms", [Decimal(2), Decimal(3)])], currency="USD")
        >>> drawn.count("<rect"), "SMS" in drawn
        (3, True)
    """
    buckets = [tuple(parts) for parts in zip(*(amounts for _, amounts in series), strict=True)]
    highs = [_sum(part for part in parts if part > 0) for parts in buckets]
    lows = [_sum(part for part in parts if part < 0) for parts in buckets]
    ticks = _ticks(max([*highs, mean or Decimal(0)]))
    scale = _Scale(min([*lows, Decimal(0)]), max(ticks[-1], *highs), len(buckets))
    marks = [*_axis(scale, ticks, currency), *_bars(scale, series, buckets)]
    if mean is not None:
        y = scale.up(mean)
        marks.append(tag("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y, y2=y, class_="mean"))
    marks += [*_peak(scale, starts, buckets, currency), *_times(scale, starts)]
    marks += _names(series, currency)
    return svg(_WIDTH, _HEIGHT, *marks, said="Spend over time by channel", class_="still")


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))


def _ticks(top: Decimal) -> list[Decimal]:
    """Round amounts from zero to just below or at the top."""
    if top <= 0:
        return [Decimal(0)]
    unit = Decimal(1).scaleb((top / _INTERVALS).adjusted())
    step = next(unit * times for times in _STEPS if unit * times * (_INTERVALS + 1) > top)
    return [step * place for place in range(int(top / step) + 1)]


def _axis(scale: _Scale, ticks: Sequence[Decimal], currency: str) -> list[Markup]:
    digits = max(decimals(tick, least=0) for tick in ticks)
    marks = []
    for tick in ticks:
        y = scale.up(tick)
        look = "grid" if tick else "floor"
        marks.append(tag("line", x1=_LEFT, x2=_WIDTH - _RIGHT, y1=y, y2=y, class_=look))
        said = money(tick, currency, digits)
        marks.append(tag("text", said, x=_LEFT - 6, y=y + 4, text_anchor="end"))
    return marks


def _bars(
    scale: _Scale,
    series: Sequence[tuple[str, Sequence[Decimal]]],
    buckets: Sequence[tuple[Decimal, ...]],
) -> list[Markup]:
    marks = []
    for bucket, parts in enumerate(buckets):
        above, below = Decimal(0), Decimal(0)
        for (channel, _), part in zip(series, parts, strict=True):
            if not part:
                continue
            base = above if part > 0 else below
            top, foot = scale.up(max(base, base + part)), scale.up(min(base, base + part))
            marks.append(
                tag(
                    "rect",
                    x=scale.across(bucket) + round(scale.step * (1 - _BAR) / 2, 2),
                    y=top,
                    width=round(scale.step * _BAR, 2),
                    height=round(foot - top, 2),
                    fill=fill(channel),
                )
            )
            above, below = (base + part, below) if part > 0 else (above, base + part)
    return marks


def _peak(
    scale: _Scale,
    starts: Sequence[datetime],
    buckets: Sequence[tuple[Decimal, ...]],
    currency: str,
) -> list[Markup]:
    """The amount of the highest bucket, where there are several to compare."""
    totals = [_sum(parts) for parts in buckets]
    highest = max(totals)
    if len(totals) == 1 or highest <= 0:
        return []
    place = totals.index(highest)
    name = time_axis.said(starts[place], time_axis.bucket(starts))
    amount = tag("tspan", money(highest, currency), font_weight=650)
    x = scale.across(place) + round(scale.step / 2, 2)
    anchor = ("start", "middle", "end")[3 * place // len(totals)]
    y = scale.up(_sum(part for part in buckets[place] if part > 0)) - 5
    return [tag("text", amount, f" on {name}", x=x, y=y, text_anchor=anchor)]


def _times(scale: _Scale, starts: Sequence[datetime]) -> list[Markup]:
    places, texts = time_axis.ticks(starts)
    at = {start: number for number, start in enumerate(starts)}
    return [
        tag(
            "text",
            text,
            x=scale.across(at[place]) + round(scale.step / 2, 2),
            y=_HEIGHT - 6,
            text_anchor="middle",
        )
        for place, text in zip(places, texts, strict=True)
        if place in at
    ]


def _names(series: Sequence[tuple[str, Sequence[Decimal]]], currency: str) -> list[Markup]:
    marks = []
    foot = _HEIGHT - _BOTTOM - 6
    for place, (channel, amounts) in enumerate(series):
        x, y = _WIDTH - _RIGHT + 8, foot - place * _LINE
        edge = style.colour(channel) if style.hatch(channel) else None
        marks.append(tag("rect", x=x, y=y - 9, width=9, height=9, fill=fill(channel), stroke=edge))
        name = tag("tspan", clean(style.name(channel), _SHORT), font_weight=650)
        said = money(_sum(amounts), currency)
        marks.append(tag("text", name, f" {said}", x=x + 15, y=y))
    return marks
