"""Drawings for pages: well-formed, within their box, and of the same numbers as the figures."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import plivo_analysis as pva
from plivo_analysis import figures
from plivo_analysis.errors import SchemaError
from plivo_analysis.figures import svg
from plivo_analysis.figures.chart_data import RateEstimate, RescueRange, SpendOverTime
from plivo_analysis.figures.rows import metric_rows
from plivo_analysis.metrics.spend import SPEND
from plivo_analysis.templates.rendering import draw_svg

HOSTILE = '"/><script>alert(1)</script>&'
BAR = re.compile(r"M([\d.-]+) ([\d.-]+)h([\d.]+)v([\d.]+)h-[\d.]+z")
AMOUNTS = st.decimals(-1000, 1000, places=5) | st.none()


def element(drawing: svg.Drawing) -> ET.Element:
    return ET.fromstring(draw_svg(drawing))  # noqa: S314 - our own drawing


def frame(amounts: dict[str, list[Decimal | None]], starts: list[datetime]) -> pl.DataFrame:
    rows = [
        {"period": start, "channel": channel, "lines": 1, "amount": amount, "unpriced": 0}
        for channel, values in amounts.items()
        for start, amount in zip(starts, values, strict=True)
    ]
    return pl.DataFrame(rows, schema_overrides={"amount": pl.Decimal(38, 8)})


def prepared(amounts: dict[str, list[Decimal | None]], starts: list[datetime]) -> SpendOverTime:
    table = metric_rows(frame(amounts, starts), SPEND)
    return SpendOverTime.of(table, "USD")


def days(number: int) -> list[datetime]:
    return [datetime(2026, 10, 1, tzinfo=UTC) + timedelta(days=n) for n in range(number)]


DRAWINGS = {
    "square": svg.square("validation"),
    "estimate": svg.estimate(
        RateEstimate(0.9, 0.7, 0.95),
        (0.8, 0.92),
        100,
        label=HOSTILE,
        past=RateEstimate(0.8, 0.7, 0.9),
    ),
    "rescue": svg.rescue(RescueRange(0.2, 0.5, 0.8), 100, label=HOSTILE),
    "ticks": svg.scale_ticks([0, 0.5, 1], 1, 100),
    "sparkline": svg.sparkline([1, None, 2, Decimal(3)], label=HOSTILE, mean=Decimal(2)),
    "columns": svg.columns([1, None, -2], label=HOSTILE),
    "parts": svg.parts(
        [("sms", Decimal(1)), ("voice", Decimal(-1))], Decimal(2), 100, label=HOSTILE
    ),
    "stacked_bars": svg.stacked_bars(
        prepared({HOSTILE: [Decimal(1), None], "validation": [Decimal(-1), Decimal(9)]}, days(2)),
        width=400,
        height=200,
        mean=Decimal(2),
        unread=[1],
    ),
}


@pytest.mark.parametrize("kind", DRAWINGS)
def test_every_drawing_is_well_formed_and_hostile_words_stay_words(kind: str) -> None:
    drawing = DRAWINGS[kind]
    assert drawing.kind == kind
    names = {child.tag for child in element(drawing).iter()}
    assert names <= {"svg", "title", "line", "path", "rect", "circle", "polyline", "text", "tspan"}


@given(
    st.lists(AMOUNTS, min_size=1, max_size=20),
    st.lists(AMOUNTS, min_size=20, max_size=20),
)
def test_stacked_bars_stand_within_their_box_and_as_high_as_the_amounts(
    sms: list[Decimal | None], voice: list[Decimal | None]
) -> None:
    spent = prepared({"sms": sms, "voice": voice[: len(sms)]}, days(len(sms)))
    drawn = svg.stacked_bars(spent, width=400, height=200)
    bars = [
        [float(number) for number in bar]
        for path, _ in drawn.marks["bars"]
        for bar in BAR.findall(path)
    ]
    for x, y, width, height in bars:
        assert drawn.marks["left"] <= x <= x + width <= 400.2
        assert 21.8 <= y <= y + height <= 176.4
    ticks = [Decimal(text.strip("$").replace(",", "")) for _, text in drawn.marks["grid"]]
    whole = max([*ticks, *spent.heights]) - min(spent.depths)
    dollars = sum(abs(amount) for amount in [*sms, *voice[: len(sms)]] if amount)
    if whole:
        pixels = float(dollars / whole) * (200 - 22 - 24)
        rounding = 0.15 * 2 * len(sms)
        assert sum(height for *_, height in bars) == pytest.approx(pixels, abs=rounding)


@given(st.lists(st.none() | st.integers(-5, 9), max_size=12))
def test_a_line_is_broken_where_a_value_is_missing(values: list[int | None]) -> None:
    drawn = svg.sparkline(values, label="by day")
    points = sum(len(line.split()) for line in drawn.marks["lines"]) + len(drawn.marks["dots"])
    assert points == sum(value is not None for value in values)
    for line in drawn.marks["lines"]:
        for point in line.split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= drawn.width
            assert 0 <= y <= drawn.height


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_an_estimate_never_leaves_its_box_and_says_so_with_an_arrow(
    one: float, two: float, three: float
) -> None:
    low, value, high = sorted((one, two, three))
    drawn = svg.estimate(RateEstimate(value, low, high), (0.4, 0.6), 100, label="x")
    (interval,) = drawn.marks["intervals"]
    assert 0 <= interval["left"] <= interval["x"] <= interval["right"] <= 100
    assert len(interval["arrows"]) == (low < 0.4) + (high > 0.6)


def test_a_page_and_a_notebook_show_the_same_words_and_the_same_highest_day() -> None:
    amounts = {
        "sms": [Decimal(1), Decimal("201.494"), None],
        "voice": [None, Decimal(2), Decimal(3)],
    }
    drawn = svg.stacked_bars(prepared(amounts, days(3)), width=800, height=200)
    figure = figures.spend(frame(amounts, days(3)))
    hover = [text.replace("&#36;", "$") for bar in figure.data for text in bar.hovertext]
    assert "Fri 2 Oct<br>$201.49 SMS, 1 attempt" in hover
    assert drawn.marks["buckets"][1]["title"] == (
        "Fri 2 Oct: $201.49 SMS, 1 attempt; $2.00 Voice, 1 attempt"
    )
    assert drawn.marks["peak"]["amount"] == "$203.49"
    notes = [note.text for note in figure.layout.annotations]
    assert "<b>&#36;203.49</b> on Fri 2 Oct" in notes


def test_an_hour_that_comes_twice_has_two_bars() -> None:
    zone = ZoneInfo("America/New_York")
    hours = [datetime(2026, 11, 1, h, fold=f, tzinfo=zone) for h, f in ((0, 0), (1, 0), (1, 1))]
    table = frame({"sms": [Decimal(1)] * 3}, hours).with_columns(
        pl.Series("period", [hour.astimezone(UTC) for hour in hours]).dt.convert_time_zone(zone.key)
    )
    bars = figures.spend(table).data[0]
    assert len(set(bars.x)) == 3
    assert [text.split("<br>")[0] for text in bars.hovertext] == [
        "Sun 1 Nov 00:00",
        "Sun 1 Nov 01:00 UTC−4",
        "Sun 1 Nov 01:00 UTC−5",
    ]


def in_currencies(*words: str | None) -> Any:
    amounts = {"lines": 1, "amount": Decimal(1), "unpriced": 0}
    return pl.DataFrame([{"currency": word, "channel": "sms"} | amounts for word in words])


def test_amounts_of_two_currencies_have_no_scale_in_common() -> None:
    with pytest.raises(SchemaError, match=r"2 currencies \(INR, USD\)"):
        figures.spend(in_currencies("USD", "INR"))


def test_a_figure_takes_a_frames_own_currency() -> None:
    figure = figures.spend(in_currencies("inr"))
    assert figure.layout.annotations[0].text == "<b>₹1.00</b>"
    assert "$" not in figure.to_json()


def test_amounts_of_one_currency_are_drawn_with_its_sign() -> None:
    with pva.demo(sessions=300) as client:
        sessions = pva.load_sessions(since="90d", client=client)
    rupees = sessions.drop_nulls("total_charge").with_columns(currency=pl.lit("INR"))
    both = rupees.head(150), rupees.tail(150)
    for figure in (
        figures.spend(pva.spend(rupees)),
        figures.spend(pva.spend(rupees, every="1w")),
        figures.cost_bridge(pva.cost_bridge(*both)),
        figures.compare(pva.compare(*both), measure="cost_per_verified"),
        figures.journey_rates(pva.journey_rates(rupees)),
    ):
        text = json.dumps(json.loads(figure.to_json()), ensure_ascii=False)
        assert "₹" in text or "INR" in text
        assert "$" not in text
        assert "by currency" not in text
