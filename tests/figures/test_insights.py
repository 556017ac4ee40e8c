"""Figures of insights: what they draw, in which order, and that no label can do harm."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import plotly.io
import polars as pl
import pytest

import plivo_analysis as pva
from plivo_analysis import figures
from plivo_analysis.errors import FilterError, SchemaError
from plivo_analysis.figures import style
from plivo_analysis.tables.convert import to_backend

if TYPE_CHECKING:
    from collections.abc import Callable

HOSTILE = '<a href="https://evil.test">x</a>$\\href{javascript:1}$\u202e\x07'
START = datetime(2026, 10, 1, 8, tzinfo=UTC)


def sessions(groups: dict[Any, tuple[int, int, str]]) -> pl.DataFrame:
    """Per country: verified and expired sessions, and the price of each."""
    rows = [
        {
            "session_uuid": f"{country}-{number}",
            "status": "verified" if number < verified else "expired",
            "path": "sms" if number % 3 else "sms → voice",
            "entry_channel": "sms",
            "total_charge": Decimal(price),
            "destination_country_iso2": country,
            "destination_network": country,
            "recipient": f"1415555010{number % 4}",
            "app_uuid": "app",
            "attempts": 1,
            "created_at": START + timedelta(minutes=number),
        }
        for country, (verified, expired, price) in groups.items()
        for number in range(verified + expired)
    ]
    return pl.DataFrame(rows, schema_overrides={"destination_country_iso2": pl.String})


BEFORE = sessions({"US": (80, 20, "0.08"), "GB": (80, 20, "0.05"), "IN": (50, 50, "0.02")})
AFTER = sessions({"US": (40, 60, "0.10"), "GB": (82, 18, "0.05"), "FR": (10, 10, "0.03")})
COUNTRY = "destination_country_iso2"
CHANGES = pva.compare(BEFORE, AFTER, COUNTRY)
BRIDGE = pva.cost_bridge(BEFORE, AFTER)


def attempts(label: str | None = "Alpha") -> pl.DataFrame:
    rows = [
        {
            "session_uuid": f"s{number}",
            "attempt_number": place,
            "attempts": 1 + number % 2,
            "channel": "voice" if place > 1 else "sms",
            "previous_channel": "sms" if place > 1 else None,
            "step": "switch" if place > 1 else "first",
            "outcome": "reached" if number % 4 else "not_reached",
            "session_status": "verified" if number % 3 else "expired",
            "time": START + timedelta(seconds=20 * place),
            "destination_network": label,
        }
        for number in range(40)
        for place in range(1, 2 + number % 2)
    ]
    return pl.DataFrame(rows, schema_overrides={"destination_network": pl.String})


def messages(label: str | None = "Alpha") -> pl.DataFrame:
    rows = [
        {
            "message_uuid": f"m{number}",
            "message_direction": "outbound",
            "message_state": "delivered" if number % 5 else "sent",
            "destination_network": label,
            "message_time": START,
            "message_sent_time": START + timedelta(seconds=1 + number % 3),
            "message_updated_time": START + timedelta(seconds=4 + number),
        }
        for number in range(20)
    ]
    return pl.DataFrame(rows, schema_overrides={"destination_network": pl.String})


DRAWN: dict[str, tuple[Callable[..., Any], pl.DataFrame]] = {
    "compare": (figures.compare, CHANGES),
    "cost_bridge": (figures.cost_bridge, BRIDGE),
    "journeys": (figures.journeys, pva.journeys(AFTER)),
    "journey_rates": (figures.journey_rates, pva.journey_rates(AFTER, COUNTRY)),
    "waits": (figures.waits, pva.waits(attempts())),
    "receipts": (figures.receipts, pva.receipts(attempts())),
    "delivery_times": (figures.delivery_times, pva.delivery_times(messages())),
}


def texts(figure: Any) -> str:
    return " ".join(note.text for note in figure.layout.annotations)


def labels(figure: Any) -> list[str]:
    return list(figure.layout.yaxis.ticktext)


@pytest.mark.parametrize("name", DRAWN)
def test_a_pandas_frame_and_a_polars_one_draw_the_same_figure(name: str) -> None:
    draw, frame = DRAWN[name]
    assert draw(frame).to_json() == draw(to_backend(frame, "pandas")).to_json()


@pytest.mark.parametrize("name", DRAWN)
def test_an_empty_frame_draws_a_figure_and_another_frame_is_refused(name: str) -> None:
    draw, frame = DRAWN[name]
    assert draw(frame.clear()).layout.template.layout == plotly.io.templates["none"].layout
    with pytest.raises(SchemaError, match=f"This draws what {name} gives"):
        draw(frame.drop(frame.columns[-1]))


@pytest.mark.parametrize("name", DRAWN)
def test_a_figure_knows_no_theme_and_has_no_legend(name: str) -> None:
    draw, frame = DRAWN[name]
    layout = draw(frame).layout
    assert (layout.paper_bgcolor, layout.plot_bgcolor) == ("rgba(0,0,0,0)", "rgba(0,0,0,0)")
    assert layout.showlegend is False


@pytest.mark.parametrize("label", [HOSTILE, None])
@pytest.mark.parametrize(
    "draw",
    [
        lambda text: figures.compare(pva.compare(*[sessions({text: (3, 1, "0.1")})] * 2, COUNTRY)),
        lambda text: figures.cost_bridge(pva.cost_bridge(*[sessions({text: (3, 1, "0.1")})] * 2)),
        lambda text: figures.journey_rates(
            pva.journey_rates(sessions({text: (3, 1, "0.1")}), COUNTRY)
        ),
        lambda text: figures.waits(pva.waits(attempts(text), "destination_network")),
        lambda text: figures.receipts(pva.receipts(attempts(text))),
        lambda text: figures.delivery_times(pva.delivery_times(messages(text))),
    ],
)
def test_no_label_can_do_harm_and_a_group_of_none_is_named(draw: Any, label: str | None) -> None:
    written = json.loads(draw(label).to_json())
    shown = json.dumps(written, ensure_ascii=False)
    # Text stays text, no pair of dollar signs is a formula, and nothing turns or hides letters.
    for harmful in ("<a", "$", "\u202e", "\\u0007"):
        assert harmful not in shown
    assert ("evil.test" if label else "not given") in shown


def test_the_worst_change_is_the_first_line_and_groups_without_one_come_last() -> None:
    assert labels(figures.compare(CHANGES)) == ["US", "GB", "FR", "IN"]
    costs = figures.compare(CHANGES, measure="cost_per_verified", currency="EUR")
    assert labels(costs)[:2] == ["US", "GB"]
    assert style.label("10.00\u202f¢ → 25.00\u202f¢") in texts(costs)
    assert "only after" in texts(costs)
    assert "only before" in texts(costs)


def test_a_change_beyond_chance_is_in_the_accent_colour() -> None:
    figure = figures.compare(CHANGES)
    colours = {trace.y: trace.marker.color for trace in figure.data}
    assert colours == {(0,): style.NOT_VERIFIED_COLOUR, (1,): style.ALL_COLOUR}
    assert "<b>−40.0</b>" in texts(figure)
    assert "<b>+2.0</b>" in texts(figure)


def test_a_measure_that_is_not_compared_is_refused() -> None:
    with pytest.raises(
        FilterError, match="'success_rate' or 'fallback_rate' or 'cost_per_verified'"
    ):
        figures.compare(CHANGES, measure="spend")


def test_each_bar_of_the_waterfall_begins_where_the_one_before_ended() -> None:
    (bars,) = figures.cost_bridge(BRIDGE).data
    ends = [base + height for base, height in zip(bars.base, bars.y, strict=True)]
    assert bars.base[1:-1] == pytest.approx(ends[:-2])
    change = sum(AFTER["total_charge"]) - sum(BEFORE["total_charge"])
    assert (bars.base[-1], bars.y[-1]) == (0, pytest.approx(float(change)))
    assert ends[-2] == pytest.approx(float(change))
    names = list(figures.cost_bridge(BRIDGE).layout.xaxis.ticktext)
    assert names == ["Price", "Volume", "Mix", "New", "Ended", "Change"]
    assert style.label("SMS · FR: +$0.60") in bars.hovertext[names.index("New")]
    assert f"<b>{style.label('−$2.00')}</b>" in texts(figures.cost_bridge(BRIDGE))


def test_journeys_of_five_sessions_and_more_are_one_bar_and_none_is_lost() -> None:
    frame = pva.journeys(sessions({"US": (0, 40, "0.1"), "GB": (3, 0, "0.1")}))
    figure = figures.journeys(frame)
    assert labels(figure)[-1] == "5 sessions or more"
    assert sum(sum(bar.x) for bar in figure.data) == frame.height


def test_a_step_is_named_by_both_its_channels_and_coloured_by_the_later_one() -> None:
    figure = figures.waits(DRAWN["waits"][1])
    assert labels(figure) == [
        f"{style.channel_label('voice').split(' Voice')[0]} SMS → Voice, 15–30 s"
    ]
    assert figure.data[0].marker.color == style.colour("voice")


def test_one_slow_network_does_not_squeeze_the_times_of_the_others() -> None:
    frame = DRAWN["delivery_times"][1].with_columns(delivery_p50=3.0, delivery_p95=9.0)
    slow = frame.with_columns(destination_network=pl.lit("slow"), delivery_p95=6000.0)
    figure = figures.delivery_times(pl.concat([frame, frame, slow]))
    arrow = figure.data[-1]
    assert arrow.marker.symbol == "triangle-right"
    assert arrow.y == (2,)
    assert figure.layout.xaxis2.range[1] < 40
    assert "95 % in 6000" in texts(figure)


def test_times_that_are_not_reached_are_said_and_not_drawn() -> None:
    frame = DRAWN["delivery_times"][1]
    figure = figures.delivery_times(frame)
    queue, delivery = figure.data
    assert queue.error_x.array[0] == frame["queue_p95"][0] - frame["queue_p50"][0]
    assert delivery.error_x.array == (0,)
    assert "95 % not there yet" in texts(figure)
    none = frame.with_columns(delivery_p50=None)
    assert "half not there yet" in texts(figures.delivery_times(none))
