"""Figures: what they draw, in which order and colours, and that no label can do harm."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import plotly.io
import polars as pl
import pytest

from plivo_analysis import figures
from plivo_analysis.errors import SchemaError
from plivo_analysis.figures import style, time_axis
from plivo_analysis.tables.convert import to_backend

if TYPE_CHECKING:
    from collections.abc import Callable

HOSTILE = '<a href="https://evil.test">x</a>$\\href{javascript:1}$\u202e\x07'


def fallback_frame(
    groups: dict[str, list[Any]], counts: list[tuple[int, int, int]]
) -> pl.DataFrame:
    """Rows of (sessions, fell_back, rescued) with made-up intervals."""
    rows = [
        {
            "sessions": n,
            "fell_back": k,
            "fallback_rate": k / n if n else None,
            "fallback_rate_low": k / n / 2 if n else None,
            "fallback_rate_high": min(1.0, k / n * 1.5 + 0.01) if n else None,
            "retried": 0,
            "retry_rate": 0.0 if n else None,
            "rescued": saved,
            "rescue_rate": saved / k if k else None,
            "rescue_rate_low": 0.1 if k else None,
            "rescue_rate_high": 0.9 if k else None,
            "rescued_last_touch": saved // 2,
            "rescued_certain": saved // 4,
            "not_evaluable": 0,
        }
        for n, k, saved in counts
    ]
    schema = {"fallback_rate": pl.Float64, "rescue_rate": pl.Float64, "rescue_rate_low": pl.Float64}
    counted = pl.DataFrame(rows, schema_overrides=schema)
    return pl.DataFrame(groups | counted.to_dict(), schema_overrides=schema)


def spend_frame(groups: dict[str, list[Any]], amounts: list[str | None]) -> pl.DataFrame:
    known = [None if amount is None else Decimal(amount) for amount in amounts]
    counted = {"lines": [1] * len(known), "amount": known, "unpriced": [0] * len(known)}
    return pl.DataFrame(groups | counted, schema_overrides={"amount": pl.Decimal(38, 8)})


def outcomes_frame(channels: list[str], reached: list[int], pending: list[int]) -> pl.DataFrame:
    whole = len(channels)
    return pl.DataFrame(
        {
            "channel": channels,
            "attempts": [10] * whole,
            "reached": reached,
            "not_reached": [0] * whole,
            "pending": pending,
            "unknown": [0] * whole,
            "reached_rate": [count / 10 for count in reached],
            "reached_rate_low": [0.1] * whole,
            "reached_rate_high": [1.0] * whole,
            "charge": [None] * whole,
            "billed_not_reached": [None] * whole,
            "unpriced": [10] * whole,
        }
    )


def paths_frame(rows: list[tuple[str, int, int]]) -> pl.DataFrame:
    paths, sessions, verified = zip(*rows, strict=True)
    blank = {"total_charge": [None] * len(rows), "unpriced": sessions}
    return pl.DataFrame({"path": paths, "sessions": sessions, "verified": verified} | blank)


def days(number: int) -> list[datetime]:
    return [datetime(2026, 10, 1, tzinfo=UTC) + timedelta(days=n) for n in range(number)]


def texts(figure: Any) -> list[str]:
    """Every text of a figure that plotly reads as its pseudo-HTML."""
    found: list[str] = []

    def walk(node: Any, under: str) -> None:
        if isinstance(node, dict):
            for name, child in node.items():
                walk(child, name)
        elif isinstance(node, list):
            for child in node:
                walk(child, under)
        elif isinstance(node, str) and under not in {"tickformat", "tickprefix", "family"}:
            found.append(node)

    walk(json.loads(figure.to_json()), "")
    return found


def drawn(name: str, word: str) -> Any:
    """A figure in one of its forms, with a word wherever foreign text can stand."""
    several = {"period": days(3), "channel": [word] * 3}
    dated = {"period": days(3), "entry_channel": [word] * 3}
    country = {"destination_country_iso2": [word, "IN"]}
    forms: dict[str, Callable[[], Any]] = {
        "fallback": lambda: figures.fallback(
            fallback_frame({"entry_channel": [word]}, [(90, 9, 8)])
        ),
        "fallback over time": lambda: figures.fallback(fallback_frame(dated, [(9, 3, 2)] * 3)),
        "spend": lambda: figures.spend(spend_frame({"channel": [word]}, ["1"])),
        "spend over time": lambda: figures.spend(spend_frame(several, ["1", "2", "3"])),
        "spend in panels": lambda: figures.spend(
            spend_frame(several, ["1", "2", "3"]), panels=True
        ),
        "spend by country": lambda: figures.spend(spend_frame(country, ["1", "2"])),
        "paths": lambda: figures.paths(paths_frame([(f"{word} → sms", 10, 7), ("sms", 9, 8)])),
        "outcomes": lambda: figures.outcomes(outcomes_frame([word], [9], [1])),
    }
    return forms[name]()


FORMS = [
    "fallback",
    "fallback over time",
    "spend",
    "spend over time",
    "spend in panels",
    "spend by country",
    "paths",
    "outcomes",
]


@pytest.mark.parametrize("name", FORMS)
def test_a_hostile_name_is_inert_in_every_figure(name: str) -> None:
    figure = drawn(name, HOSTILE)
    told = " ".join(texts(figure))
    assert "evil.test" in told, "the name is shown"
    assert "<a" not in told, "no link"
    assert "\u202e" not in told, "no control"
    assert "\x07" not in told, "no bell"
    for text in texts(figure):
        assert text.count("$") < 2, f"a pair of dollar signs is a formula: {text}"


@pytest.mark.parametrize("name", FORMS)
def test_every_figure_leaves_its_theme_to_the_page(name: str) -> None:
    layout = drawn(name, "sms").layout
    assert layout.template == plotly.io.templates["none"]
    assert layout.paper_bgcolor == layout.plot_bgcolor == "rgba(0,0,0,0)"
    assert layout.showlegend is False


@pytest.mark.parametrize("name", FORMS)
def test_a_figures_json_holds_plain_lists(name: str) -> None:
    assert "bdata" not in drawn(name, "sms").to_json()


def test_drawing_sets_no_default_renderer() -> None:
    before = plotly.io.renderers.default
    for name in FORMS:
        drawn(name, "sms")
    assert plotly.io.renderers.default == before


def test_a_long_name_is_cut_to_eighty_characters() -> None:
    assert style.label("x" * 200) == "x" * 79 + "…"


def test_channels_stand_in_their_order_whatever_the_frames_is() -> None:
    words = ["unallocated", "zalo", "validation", "whatsapp", "unknown", "rcs", "voice", "sms"]
    frame = spend_frame({"period": days(1) * 8, "channel": words}, ["1"] * 8)
    names = [bar.name for bar in figures.spend(frame).data]
    assert names == [
        "SMS",
        "Voice",
        "WhatsApp",
        "RCS",
        "zalo",
        "Unknown",
        "Validation",
        "Unallocated",
    ]


def test_channels_have_their_colours_and_money_without_a_channel_is_hatched() -> None:
    words = ["sms", "voice", "whatsapp", "rcs", "validation", "unallocated"]
    frame = spend_frame({"period": days(1) * 6, "channel": words}, ["1"] * 6)
    bars = figures.spend(frame).data
    assert [bar.marker.color for bar in bars[:4]] == ["#3D6DB5", "#D27C14", "#17A58C", "#6C7079"]
    assert [bar.marker.pattern.shape for bar in bars] == [None, None, None, None, "-", "/"]


@pytest.mark.parametrize("backend", ["polars", "pandas"])
def test_both_backends_give_the_same_figure(backend: str) -> None:
    frame = spend_frame(
        {"period": days(2) * 2, "channel": ["sms", "sms", "voice", "voice"]}, ["1"] * 4
    )
    figure = figures.spend(to_backend(frame, backend))
    assert figure.to_json() == figures.spend(frame).to_json()


def test_a_stack_shows_the_exact_amount_of_its_highest_day() -> None:
    frame = spend_frame({"period": days(3), "channel": ["sms"] * 3}, ["1", "201.494", "2"])
    told = [note.text for note in figures.spend(frame).layout.annotations]
    assert any("<b>&#36;201.49</b> on Fri 2 Oct" in text for text in told)


def test_the_median_is_named_only_where_no_day_is_missing() -> None:
    amounts = ["1", "1", "1", "9", "1", "1", "1"]
    whole = spend_frame({"period": days(7), "channel": ["sms"] * 7}, amounts)
    gappy = whole.with_columns(pl.Series("period", [*days(6), days(9)[8]]))
    assert "9.0 times the median day" in " ".join(texts(figures.spend(whole)))
    assert "median" not in " ".join(texts(figures.spend(gappy)))


def test_an_unknown_amount_is_no_bar_and_a_negative_one_hangs_below_zero() -> None:
    frame = spend_frame({"channel": ["sms", "unallocated"]}, [None, "-0.5"])
    bars = {bar.y: bar.x for bar in figures.spend(frame).data}
    assert bars == {(): (), (1,): (-0.5,)}
    assert "−&#36;0.50" in " ".join(texts(figures.spend(frame)))


@pytest.mark.parametrize(("currency", "before"), [("EUR", "€"), ("JPY", "JPY ")])
def test_an_axis_of_amounts_sets_the_currency_as_the_amounts_do(currency: str, before: str) -> None:
    frame = spend_frame({"channel": ["sms", "voice"]}, ["2", "1"])
    figure = figures.spend(frame, currency=currency)
    assert figure.layout.xaxis.tickprefix == before
    assert f"<b>{before}2.00</b>" in figure.to_plotly_json()["layout"]["annotations"][0]["text"]


def test_a_bar_is_as_wide_as_its_bucket_however_far_the_next_one_is() -> None:
    days = [datetime(2026, 10, day, tzinfo=UTC) for day in (1, 2, 9)]
    frame = spend_frame({"period": days, "channel": ["sms", "voice", "voice"]}, ["1", "2", "3"])
    widths = {bar.width for bar in figures.spend(frame, panels=True).data}
    assert widths == {0.8 * 86_400_000}


def test_of_panels_on_their_own_scales_the_largest_is_twice_as_high() -> None:
    days = [datetime(2026, 10, 1, tzinfo=UTC)] * 3
    frame = spend_frame({"period": days, "channel": ["sms", "voice", "rcs"]}, ["1", "30", "2"])
    layout = figures.spend(frame, panels=True).layout
    heights = [axis.domain[1] - axis.domain[0] for axis in (layout.yaxis, layout.yaxis2)]
    assert heights == pytest.approx([0.2, 0.45])
    assert layout.yaxis3.domain[0] == pytest.approx(0.05)


def test_beyond_eight_panels_the_rest_is_one_panel_and_no_money_is_left_out() -> None:
    countries = [f"C{number:02}" for number in range(9)]
    frame = spend_frame(
        {
            "period": [day for day in days(2) for _ in countries],
            "destination_country_iso2": countries * 2,
        },
        [str(number + 1) for number in range(9)] * 2,
    )
    eight = frame.filter(pl.col("destination_country_iso2") != "C00")
    assert [bar.name for bar in figures.spend(eight).data] == countries[:0:-1]
    bars = figures.spend(frame).data
    assert [bar.name for bar in bars] == [*countries[:1:-1], "2 others"]
    assert sum(sum(bar.y) for bar in bars) == 2 * 45


def test_beyond_twelve_groups_the_rest_is_one_line_with_their_sum() -> None:
    codes = [f"{letter}{letter}" for letter in "ABCDEFGHIJKLMNO"]
    frame = spend_frame({"destination_country_iso2": codes}, [str(n) for n in range(15, 0, -1)])
    figure = figures.spend(frame)
    assert list(figure.layout.yaxis.ticktext[-2:]) == ["LL", "3 others"]
    assert figure.data[0].x[-1] == 3 + 2 + 1


def test_without_a_group_there_is_one_line_called_all() -> None:
    figure = figures.spend(spend_frame({}, ["1.5"]))
    assert list(figure.layout.yaxis.ticktext) == ["All"]
    assert figure.data[0].x == (1.5,)


def test_a_rates_interval_is_a_thin_line_without_caps() -> None:
    dot = figures.fallback(fallback_frame({"entry_channel": ["sms"]}, [(100, 10, 5)])).data[0]
    assert dot.x == (10.0,)
    assert (dot.error_x.thickness, dot.error_x.width) == (1.4, 0)
    assert dot.error_x.arrayminus == pytest.approx([5.0])
    assert dot.error_x.array == pytest.approx([6.0])


def test_all_stands_above_the_channels_when_it_is_given() -> None:
    groups = fallback_frame({"entry_channel": ["voice", "sms"]}, [(10, 5, 1), (90, 5, 1)])
    figure = figures.fallback(groups, overall=fallback_frame({}, [(100, 10, 2)]))
    assert list(figure.layout.yaxis.ticktext) == [
        "<b>All</b>",
        '<span style="color:#3D6DB5">■</span> SMS',
        '<span style="color:#D27C14">■</span> Voice',
    ]


def test_the_rescue_bar_runs_from_certain_to_possible_with_a_ring_at_the_last_channel() -> None:
    frame = fallback_frame({"entry_channel": ["sms"]}, [(100, 40, 32)])
    figure = figures.fallback(frame)
    bar, ring = figure.layout.shapes[0], figure.data[-1]
    assert (bar.x0, bar.x1) == (20.0, 80.0)
    assert (ring.x, ring.marker.symbol) == ((40.0,), "circle-open")


def test_the_words_of_a_rescue_range_stand_beyond_its_scale_and_cover_no_ring() -> None:
    figure = figures.fallback(fallback_frame({"entry_channel": ["sms"]}, [(100, 40, 40)]))
    (words,) = (note for note in figure.layout.annotations if "–100" in note.text)
    assert (words.x, words.xanchor) == (figure.layout.xaxis2.domain[1], "left")
    assert words.xshift > figure.data[-1].marker.size
    assert words.xshift + 62 < figure.layout.margin.r  # pixels that "75–100 %" takes


def test_a_very_small_groups_interval_leaves_the_scale_with_an_arrow() -> None:
    frame = fallback_frame({"entry_channel": ["sms", "rcs"]}, [(1000, 90, 50), (1, 0, 0)])
    wide = frame.with_columns(
        pl.when(pl.col("sessions") == 1)
        .then(0.8)
        .otherwise("fallback_rate_high")
        .alias("fallback_rate_high")
    )
    figure = figures.fallback(wide)
    top = figure.layout.xaxis.range[1]
    assert top < 20
    dot, arrow = (trace for trace in figure.data if trace.y == (1,))
    assert dot.x[0] + dot.error_x.array[0] == pytest.approx(top)
    assert arrow.marker.symbol == "triangle-right"


def test_where_none_fell_back_the_figure_says_so() -> None:
    figure = figures.fallback(fallback_frame({"entry_channel": ["sms"]}, [(100, 0, 0)]))
    assert "none fell back" in [note.text for note in figure.layout.annotations]


def test_a_group_without_sessions_has_no_dot() -> None:
    figure = figures.fallback(fallback_frame({"entry_channel": ["sms"]}, [(0, 0, 0)]))
    assert figure.data == ()


def test_rates_over_time_share_a_scale_and_a_line_at_the_ratio_of_sums() -> None:
    frame = fallback_frame(
        {"period": days(2) * 2, "entry_channel": ["sms", "sms", "voice", "voice"]},
        [(100, 10, 0), (300, 90, 0), (10, 1, 0), (10, 3, 0)],
    )
    layout = figures.fallback(frame).layout
    assert layout.yaxis.range == layout.yaxis2.range
    assert [shape.y0 for shape in layout.shapes] == [25.0, 20.0]


def test_a_panel_over_time_says_how_many_a_bucket_has_in_plain_words() -> None:
    frame = fallback_frame({"period": days(2)}, [(1, 0, 0), (1, 1, 0)])
    assert notes(figures.fallback(frame)) == ["■ All  by day, 1 session each"]


def test_pending_attempts_stand_beside_the_reached_rate() -> None:
    figure = figures.outcomes(outcomes_frame(["sms", "voice"], [9, 8], [1, 0]))
    told = notes(figure)
    assert "90.0\u202f%  of 10, 1 pending" in told
    assert "80.0\u202f%  of 10" in told


def notes(figure: Any) -> list[str]:
    """What a figure's notes say, without their markup."""
    return [re.sub(r"<[^>]+>", "", note.text) for note in figure.layout.annotations]


def test_a_figure_says_above_itself_by_what_it_is_grouped() -> None:
    heads = {
        column: figures.fallback(fallback_frame({column: ["sms"]}, [(9, 3, 1)])).layout.title.text
        for column in ("entry_channel", "destination_country_iso2", "own_column")
    }
    assert heads == {
        "entry_channel": "<b>Fallback rate by entry channel, %</b>",
        "destination_country_iso2": "<b>Fallback rate by country, %</b>",
        "own_column": "<b>Fallback rate by own column, %</b>",
    }


def test_rescues_all_proven_are_one_number_and_no_range() -> None:
    frame = fallback_frame({"entry_channel": ["sms"]}, [(9, 3, 3)])
    proven = frame.with_columns(rescued_certain=pl.col("rescued"))
    assert "100\u202f%" in notes(figures.fallback(proven))


def delivery_frame(groups: dict[str, list[Any]]) -> pl.DataFrame:
    counted = {"messages": [11], "delivered": [9], "undelivered": [1], "failed": [0], "other": [1]}
    rates = {"delivered_rate": [0.9], "delivered_rate_low": [0.6], "delivered_rate_high": [0.98]}
    return pl.DataFrame(groups | counted | rates)


def test_messages_that_are_not_final_stand_beside_the_delivered_rate() -> None:
    told = notes(figures.delivery(delivery_frame({"type": ["sms"]})))
    assert "90.0\u202f%  of 10, 1 pending" in told


def test_delivery_over_time_is_drawn_of_final_messages() -> None:
    day = {"period": [datetime(2026, 10, 1, tzinfo=UTC)], "type": ["sms"]}
    figure = figures.delivery(delivery_frame(day))
    assert figure.data[0].hovertext == ("Thu 1 Oct<br>90.0\u202f% (60.0–98.0\u202f%), 9 of 10",)


def test_paths_draw_those_that_changed_channel_and_tell_of_the_rest() -> None:
    frame = paths_frame([("sms", 90, 81), ("sms → voice → sms", 10, 7), ("voice → sms", 4, 4)])
    figure = figures.paths(frame)
    link, label = figure.data[0].link, figure.data[0].node.label
    flows = {
        (label[a], label[b]): n
        for a, b, n in zip(link.source, link.target, link.value, strict=True)
    }
    assert flows == {
        ("SMS  10", "Voice  10"): 10,
        ("Voice  4", "SMS  4"): 4,
        ("Voice  10", "Verified  11"): 7,
        ("Voice  10", "Not verified  3"): 3,
        ("SMS  4", "Verified  11"): 4,
    }
    assert figure.layout.annotations[0].text == (
        "<b>90</b> sessions stayed on one channel, 90\u202f% of them verified; "
        "<b>14</b> sessions changed channel, 79\u202f% of them verified"
    )


def test_every_session_is_drawn_when_all_are_asked_for() -> None:
    frame = paths_frame([("sms", 90, 80), ("sms → voice", 10, 7)])
    assert sum(figures.paths(frame, every_session=True).data[0].link.value) == 90 + 10 + 10


def test_counted_by_status_paths_end_verified_expired_open_or_unknown() -> None:
    statuses = ["verified", "expired", "in-progress", "lost", None]
    frame = pl.DataFrame(
        {
            "status": statuses,
            "path": ["sms → voice"] * 5,
            "sessions": [5, 4, 3, 2, 1],
            "verified": [5, 0, 0, 0, 0],
            "total_charge": [None] * 5,
            "unpriced": [0] * 5,
        }
    )
    (sankey,) = figures.paths(frame, sentence=False).data
    assert sankey.node.label[2:] == ("Verified  5", "Expired  4", "Open  3", "Unknown  3")


def test_hours_keep_their_order_and_are_written_as_a_clock() -> None:
    frame = spend_frame({"hour": list(range(24))}, [str(hour) for hour in range(24)])
    scale = figures.spend(frame).layout.yaxis
    assert scale.ticktext[8:10] == ("08:00", "09:00")
    assert len(scale.ticktext) == 24


@pytest.mark.parametrize(
    ("draw", "metric"),
    [
        (figures.fallback, "fallback_rates"),
        (figures.outcomes, "attempt_outcomes"),
        (figures.paths, "channel_paths"),
        (figures.spend, "spend"),
    ],
)
def test_a_frame_of_another_metric_is_refused_by_name(draw: Any, metric: str) -> None:
    with pytest.raises(SchemaError, match=f"what {metric} gives; the frame lacks .* has 'alias'"):
        draw(pl.DataFrame({"alias": ["x"]}))


@pytest.mark.parametrize(
    "draw",
    [
        lambda: figures.fallback(fallback_frame({"entry_channel": ["sms"]}, [(1, 0, 0)]).head(0)),
        lambda: figures.spend(spend_frame({"channel": ["sms"]}, ["1"]).head(0)),
        lambda: figures.spend(spend_frame({"period": days(1), "channel": ["sms"]}, ["1"]).head(0)),
        lambda: figures.outcomes(outcomes_frame(["sms"], [1], [0]).head(0)),
        lambda: figures.paths(paths_frame([("sms", 1, 1)]).head(0)),
    ],
)
def test_an_empty_frame_is_an_empty_figure(draw: Any) -> None:
    assert draw().data == ()


@pytest.mark.parametrize(
    ("step", "number", "name"),
    [
        (timedelta(hours=1), 48, "hour"),
        (timedelta(days=1), 31, "day"),
        (timedelta(weeks=1), 30, "week"),
        (timedelta(days=30), 24, "month"),
    ],
)
def test_buckets_are_told_by_their_distance_and_have_at_most_six_ticks(
    step: timedelta, number: int, name: str
) -> None:
    periods = [datetime(2026, 1, 1, tzinfo=UTC) + n * step for n in range(number)]
    places, labels = time_axis.ticks(periods)
    assert time_axis.bucket(periods) == name
    assert 2 <= len(places) == len(labels) <= 6
