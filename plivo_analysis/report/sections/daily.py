"""Spend over time, stacked by channel: the one interactive figure, and its exact amounts.

The still drawing takes its place on paper and where no program is wanted.
"""

from __future__ import annotations

import json
from decimal import Decimal
from typing import TYPE_CHECKING

from plivo_analysis.figures import spend as draw
from plivo_analysis.figures import style, time_axis
from plivo_analysis.report.footnotes import ref
from plivo_analysis.report.html import Markup, head, join, row, section, tag
from plivo_analysis.report.static_chart import still
from plivo_analysis.values.typesetting import decimals, plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from plotly.graph_objects import Figure

    from plivo_analysis.report.subject import Subject

_ID = "pva-spend"
_HEIGHT = 270
_ESCAPES = {
    "<": "\\u003c",
    ">": "\\u003e",
    "&": "\\u0026",
    "\u2028": "\\u2028",
    "\u2029": "\\u2029",
}


def daily(subject: Subject) -> Markup | None:
    """The figure, and under it its amounts to the last digit."""
    period, rows = subject.numbers.period, subject.numbers.rows("spend")
    if period is None or not rows:
        return None
    title = join((f"Spend by {period.bucket} and channel, {subject.currency}", ref("spend")))
    if all(entry["amount"] is None for entry in rows):
        return section(title, tag("p", "No amount is known yet.", class_="grey"))
    aside, mean = None, _mean(subject)
    if mean is not None:
        said = f"{subject.interval}: {subject.money(mean)} a {period.bucket}"
        aside = join((tag("span", class_="dotted"), said))
    live = None if subject.plotlyjs == "none" else _interactive(subject, mean)
    drawn = tag("div", _still(subject, mean), class_="paper" if live else None)
    return section(title, live, drawn, _amounts(subject), aside=aside, class_="daily")


def _mean(subject: Subject) -> Decimal | None:
    buckets = len(subject.before.starts()) if subject.before else 0
    return subject.before.spent / buckets if subject.before and buckets else None


def _interactive(subject: Subject, mean: Decimal | None) -> Markup:
    figure = draw(subject.numbers.tables["spend_by_period"], currency=subject.currency)
    _over_all_of_it(figure, subject.numbers.starts())
    if mean is not None:
        dotted = {"width": 1, "dash": "dot", "color": style.ALL}
        figure.add_shape(
            type="line", xref="paper", x0=0, x1=1, y0=float(mean), y1=float(mean), line=dotted
        )
    drawn, config = _inert(figure.to_json()), _inert(json.dumps(style.CONFIG))
    call = f'(f=>Plotly.newPlot("{_ID}",f.data,f.layout,{config}))({drawn})'
    place = tag("div", id=_ID, style=f"height:{_HEIGHT}px", class_="figure")
    return join((place, tag("script", Markup(call))))


def _over_all_of_it(figure: Figure, starts: Sequence[datetime]) -> None:
    """Let the figure show the whole period, also where nothing was spent at its ends."""
    if len(starts) > 1:
        places, texts = time_axis.ticks(starts)
        half = (starts[1] - starts[0]) / 2
        ends = [starts[0] - half, starts[-1] + half]
        figure.update_xaxes(range=ends, tickvals=places, ticktext=texts)


def _inert(text: str) -> str:
    """JSON that no HTML parser can take for the end of a script."""
    for sign, escaped in _ESCAPES.items():
        text = text.replace(sign, escaped)
    return text


def _still(subject: Subject, mean: Decimal | None) -> Markup:
    numbers = subject.numbers
    series = [(channel, numbers.spent_by_period(channel)) for channel in _channels(subject)]
    return still(numbers.starts(), series, currency=subject.currency, mean=mean)


def _channels(subject: Subject) -> list[str]:
    found = {entry["channel"] for entry in subject.numbers.rows("spend")}
    return sorted(found, key=style.place)


def _amounts(subject: Subject) -> Markup:
    numbers = subject.numbers
    channels = _channels(subject)
    series = [numbers.spent_by_period(channel) for channel in channels]
    totals = numbers.spent_by_period()
    digits = max((decimals(amount) for amounts in series for amount in amounts), default=2)
    bucket = numbers.period.bucket if numbers.period else "day"

    def cells(amounts: Sequence[Decimal]) -> list[str]:
        return [plain(amount, digits) for amount in amounts]

    lines = (
        row(tag("td", time_axis.said(start, bucket)), *cells([*amounts, total]))
        for start, total, *amounts in zip(numbers.starts(), totals, *series, strict=True)
    )
    sums = [sum(amounts, Decimal(0)) for amounts in series]
    foot = row(tag("td", "Total"), *cells([*sums, numbers.spent]), class_="total")
    names = [style.name(channel) for channel in channels]
    heading = head(bucket.capitalize(), *names, "All", numbers=range(1, len(channels) + 2))
    table = tag("table", heading, tag("tbody", join(lines), foot))
    return tag(
        "details",
        tag("summary", f"Every amount of this figure, {subject.currency}, exact"),
        tag("div", table, class_="wide"),
    )
