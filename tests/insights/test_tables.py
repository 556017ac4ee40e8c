"""Insights on every kind of table, and what they refuse, in sentences."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import TYPE_CHECKING, Any

import duckdb
import narwhals as nw
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import plivo_analysis as pva
from plivo_analysis.api.columns import MESSAGES, SESSIONS
from plivo_analysis.errors import FilterError, SchemaError
from plivo_analysis.tables.convert import from_rows, plain_arrow, to_backend
from plivo_analysis.values.masking import mask_number

if TYPE_CHECKING:
    from collections.abc import Callable

START = datetime(2026, 10, 1, 8, tzinfo=UTC)
PRICES = [None, Decimal("0.08"), Decimal("0.0331"), Decimal("0.00000001"), Decimal(9999999999)]


def rows_of_sessions(seed: int, count: int = 90) -> list[dict[str, Any]]:
    random = Random(seed)
    rows = []
    for number in range(count):
        created = START + timedelta(minutes=random.randrange(240))
        tried = [
            {
                "channel": random.choice(["sms", "sms", "voice", None]),
                "attempt_uuid": f"{number}-{place}",
                "status": random.choice(["delivered", "failed", "ANSWER", "sent", None]),
                "time": random.choice([None, created + timedelta(seconds=random.randrange(200))]),
            }
            for place in range(random.choice([0, 1, 1, 2, 3]))
        ]
        listed = sorted(tried, key=lambda one: (one["time"] is None, one["time"] or created))
        words = [one["channel"] or "unknown" for one in listed]
        rows.append(
            dict.fromkeys(SESSIONS.names)
            | {
                "session_uuid": f"s{number:03}",
                "status": random.choice(["verified", "Expired", "in-progress", "odd", None]),
                "recipient": random.choice(["14155550126", "447700900123", None]),
                "app_uuid": random.choice(["app", None]),
                "destination_country_iso2": random.choice(["US", "GB", "ä", None]),
                "destination_network": random.choice(["Alpha", "Beta", None]),
                "attempt_details": tried,
                "total_charge": random.choice(PRICES),
                "created_at": created,
                "attempts": len(tried),
                "entry_channel": words[0] if words else None,
                "path": " → ".join(words) or None,
            }
        )
    return rows


def rows_of_messages() -> list[dict[str, Any]]:
    random = Random(3)
    times = [None, *(START + timedelta(seconds=second) for second in (0, 1, 2.5, 61))]
    states = ["delivered", "delivered", "Read", "failed", "sent", None]
    return [
        dict.fromkeys(MESSAGES.names)
        | {
            "message_uuid": f"m{number}",
            "message_direction": random.choice(["outbound", "Outbound", "inbound"]),
            "message_state": random.choice(states),
            "destination_network": random.choice(["Alpha", None]),
            "message_time": START,
            "message_sent_time": random.choice(times),
            "message_updated_time": random.choice(times),
        }
        for number in range(60)
    ]


SESSIONS_BEFORE = from_rows(rows_of_sessions(1), SESSIONS)
SESSIONS_AFTER = from_rows(rows_of_sessions(2, 120), SESSIONS)
NESTED = ["attempt_details", "attempt_charges"]
BEFORE = SESSIONS_BEFORE.drop(NESTED)
AFTER = SESSIONS_AFTER.drop(NESTED)
ATTEMPTS = pva.explode_attempts(SESSIONS_AFTER)
LETTERS = from_rows(rows_of_messages(), MESSAGES)


def of_objects(frame: pl.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(frame.to_dicts(), columns=frame.columns, dtype=object)


CONNECTION = duckdb.connect()
CONNECTION.execute("SET TimeZone = 'Pacific/Auckland'")


def of_duckdb(frame: pl.DataFrame) -> Any:
    return CONNECTION.from_arrow(plain_arrow(frame))


IN_MEMORY: dict[str, Callable[[pl.DataFrame], Any]] = {
    "polars, lazy": lambda frame: frame.lazy(),
    "pandas of Arrow": lambda frame: to_backend(frame, "pandas"),
    "pandas of objects": of_objects,
    "pyarrow": plain_arrow,
}
ENGINES = IN_MEMORY | {"DuckDB": of_duckdb}
COUNTRY = "destination_country_iso2"
CALLS: dict[str, tuple[Callable[..., Any], list[pl.DataFrame]]] = {
    "compare": (pva.compare, [BEFORE, AFTER]),
    "compare by": (lambda a, b: pva.compare(a, b, [COUNTRY, "attempts"]), [BEFORE, AFTER]),
    "cost_bridge by": (lambda a, b: pva.cost_bridge(a, b, [COUNTRY]), [BEFORE, AFTER]),
    "cost_bridge": (lambda a, b: pva.cost_bridge(a, b, ()), [BEFORE, AFTER]),
    "journeys": (pva.journeys, [AFTER]),
    "journey_rates": (pva.journey_rates, [AFTER]),
    "journey_rates by": (lambda f: pva.journey_rates(f, ["app_uuid", "status"]), [AFTER]),
    "waits": (pva.waits, [ATTEMPTS]),
    "waits by": (lambda f: pva.waits(f, [COUNTRY, "step"]), [ATTEMPTS]),
    "receipts": (pva.receipts, [ATTEMPTS]),
    "receipts by": (lambda f: pva.receipts(f, ["channel", COUNTRY]), [ATTEMPTS]),
    "delivery_times": (pva.delivery_times, [LETTERS]),
    "delivery_times by": (lambda f: pva.delivery_times(f, "message_direction"), [LETTERS]),
}


@pytest.mark.filterwarnings("ignore:.*have no total yet:plivo_analysis.errors.PlivoAnalysisWarning")
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("call", CALLS)
def test_an_insight_is_the_same_on_every_engine_to_the_last_digit(call: str, engine: str) -> None:
    insight, frames = CALLS[call]
    expected = insight(*frames)
    found = insight(*map(ENGINES[engine], frames))
    assert isinstance(found, pd.DataFrame if engine.startswith("pandas") else pl.DataFrame)
    assert nw.from_native(found).to_polars().equals(expected)
    assert nw.from_native(found).to_polars().schema == expected.schema


@pytest.mark.slow  # a Java machine and a cluster of one
@pytest.mark.filterwarnings("ignore:PySpark does not yet")
@pytest.mark.filterwarnings("ignore:.*have no total yet:plivo_analysis.errors.PlivoAnalysisWarning")
@pytest.mark.parametrize("call", CALLS)
def test_an_insight_is_the_same_on_spark(call: str, spark: Any) -> None:
    insight, frames = CALLS[call]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of the newest pandas, which is not used here
        given = [spark.createDataFrame(plain_arrow(frame)) for frame in frames]
    assert insight(*given).equals(insight(*frames))


@pytest.mark.parametrize("engine", IN_MEMORY)
@pytest.mark.parametrize("insight", [pva.waits, pva.receipts])
def test_a_sessions_table_is_exploded_on_the_way(insight: Any, engine: str) -> None:
    by = ["alias", COUNTRY]
    found = insight(IN_MEMORY[engine](SESSIONS_AFTER), by)
    assert nw.from_native(found).to_polars().equals(insight(ATTEMPTS, by))


@pytest.mark.parametrize(
    ("insight", "frames", "rows"),
    [
        (pva.compare, [BEFORE.clear()] * 2, 0),
        (pva.compare, [BEFORE.clear(), AFTER], 1),
        (pva.cost_bridge, [BEFORE.clear()] * 2, 0),
        (pva.journeys, [BEFORE.clear()], 0),
        (pva.journey_rates, [BEFORE.clear()], 0),
        (lambda frame: pva.waits(frame, ()), [ATTEMPTS.clear()], 0),
        (lambda frame: pva.receipts(frame, ()), [ATTEMPTS.clear()], 0),
        (lambda frame: pva.delivery_times(frame, ()), [LETTERS.clear()], 0),
    ],
)
def test_nothing_makes_no_group_and_keeps_its_columns(
    insight: Any, frames: list[pl.DataFrame], rows: int
) -> None:
    found = insight(*frames)
    assert found.height == rows
    assert nw.from_native(insight(*map(of_objects, frames))).to_polars().schema == found.schema


def test_the_group_that_one_table_lacks_has_nulls_there_and_in_the_change() -> None:
    here = BEFORE.with_columns(pl.lit(None, pl.String).alias("app_uuid"))
    found = pva.compare(here, AFTER.filter(pl.col("app_uuid") == "app"), "app_uuid")
    assert found["app_uuid"].to_list() == ["app", None]
    new, ended = found.to_dicts()
    for row, side in ((new, "before"), (ended, "after")):
        missing = [name for name in row if side in name or "change" in name or "detect" in name]
        assert [row[name] for name in missing] == [None] * len(missing)
        assert None not in [row[name] for name in row if name not in {*missing, "app_uuid"}]


def test_groups_of_nulls_alone_match_those_of_the_other_tables_kind() -> None:
    numbered = AFTER.with_columns(team=pl.int_range(pl.len()) % 2)
    nulls = BEFORE.with_columns(team=None)
    assert pva.compare(nulls, numbered, "team")["team"].to_list() == [0, 1, None]
    assert pva.compare(numbered, nulls, "team")["team"].to_list() == [0, 1, None]
    with pytest.raises(SchemaError, match="'team' is Int64 before and String after"):
        pva.compare(numbered, AFTER.with_columns(team=pl.lit("red")), "team")


PAIRS = [pva.compare, pva.cost_bridge]


@pytest.mark.parametrize("insight", PAIRS)
def test_tables_on_two_engines_are_refused(insight: Any) -> None:
    with pytest.raises(SchemaError, match="on polars and pandas"):
        insight(BEFORE, to_backend(AFTER, "pandas"))
    with pytest.raises(SchemaError, match="on pyarrow and polars"):
        insight(plain_arrow(BEFORE), AFTER.lazy())


@pytest.mark.parametrize("insight", PAIRS)
def test_amounts_of_two_currencies_are_refused_in_one_table_and_over_both(insight: Any) -> None:
    dollars, rupees = (BEFORE.with_columns(currency=pl.lit(word)) for word in ("USD", "INR"))
    with pytest.raises(SchemaError, match=r"2 currencies \(INR, USD\)"):
        insight(dollars, rupees)
    mixed = dollars.with_columns(currency=pl.Series(["USD", "INR"] * 45))
    with pytest.raises(SchemaError, match=r"2 currencies \(INR, USD\)"):
        insight(mixed, mixed)
    assert insight(
        dollars.drop_nulls("total_charge"), rupees.drop_nulls("total_charge"), "currency"
    )["currency"].unique().sort().to_list() == ["INR", "USD"]


@pytest.mark.parametrize("insight", [pva.journeys, pva.journey_rates])
def test_masked_recipients_make_no_journeys_and_pseudonyms_do(insight: Any) -> None:
    numbers = ["14155550126", "447700900123"]
    masked = AFTER.with_columns(
        pl.col("recipient").replace(numbers, [mask_number(n) for n in numbers])
    )
    with pytest.raises(SchemaError, match="2 recipients of this table are masked") as caught:
        insight(masked)
    assert not any(number in str(caught.value) for number in numbers)
    named = AFTER.with_columns(pl.col("recipient").replace(numbers, ["p-1", "p-2"]))
    assert (
        insight(named)
        .drop("recipient", strict=False)
        .equals(insight(AFTER).drop("recipient", strict=False))
    )


@pytest.mark.parametrize(
    "gap", ["", "30", "m", "0m", "-5m", "1y", "30 minutes", 30, None, timedelta(0), timedelta(-1)]
)
def test_a_gap_that_is_no_positive_time_is_refused(gap: Any) -> None:
    for insight in (pva.journeys, lambda frame, gap: pva.journey_rates(frame, gap=gap)):
        with pytest.raises(FilterError, match="longer than 0"):
            insight(AFTER, gap)


@pytest.mark.parametrize("gap", ["999999d", "999999 W", timedelta.max])
def test_a_gap_may_be_longer_than_any_table(gap: Any) -> None:
    people = AFTER.drop_nulls("recipient").with_columns(status=pl.lit("expired"))
    pairs = people.select("recipient", "app_uuid").n_unique()
    assert pva.journeys(people, gap).height == pairs


def test_sessions_of_unknown_time_follow_nobody() -> None:
    timeless = AFTER.with_columns(created_at=pl.lit(None, pl.Datetime("us", "UTC")))
    assert pva.journeys(timeless).height == AFTER.height


def test_attempts_that_are_not_all_there_have_no_waits() -> None:
    with pytest.raises(SchemaError, match="Filter sessions, not attempts"):
        pva.waits(ATTEMPTS.filter(pl.col("channel") != "sms"))


def double(frame: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([frame, frame.tail(1)])


@pytest.mark.parametrize(
    ("insight", "frame"),
    [
        (lambda f: pva.compare(f, BEFORE), BEFORE),
        (lambda f: pva.cost_bridge(BEFORE, f), BEFORE),
        (pva.journeys, BEFORE),
        (pva.journey_rates, BEFORE),
        (pva.waits, ATTEMPTS),
        (pva.receipts, ATTEMPTS),
        (pva.receipts, SESSIONS_AFTER),
        (pva.delivery_times, LETTERS),
    ],
)
def test_a_key_that_comes_twice_and_a_missing_column_are_refused(
    insight: Any, frame: pl.DataFrame
) -> None:
    with pytest.raises(SchemaError, match=r"comes more\s+than once"):
        insight(double(frame))
    with pytest.raises(SchemaError) as caught:
        insight(frame.rename({frame.columns[0]: "id"}))
    assert caught.value.available


@pytest.mark.parametrize(
    "insight",
    [
        lambda by: pva.compare(BEFORE, AFTER, by),
        lambda by: pva.cost_bridge(BEFORE, AFTER, by),
        lambda by: pva.journey_rates(AFTER, by),
    ],
)
def test_sessions_are_not_grouped_by_the_channel_that_they_ended_on(insight: Any) -> None:
    with pytest.raises(SchemaError, match="A session's 'channel' is its last one"):
        insight("channel")


@pytest.mark.parametrize("confidence", [0, 1, -1, "0.95", None])
def test_a_confidence_outside_of_0_and_1_is_refused(confidence: Any) -> None:
    for call in (
        lambda: pva.compare(BEFORE, AFTER, confidence=confidence),
        lambda: pva.journey_rates(AFTER, confidence=confidence),
        lambda: pva.waits(ATTEMPTS, confidence=confidence),
        lambda: pva.receipts(ATTEMPTS, confidence=confidence),
    ):
        with pytest.raises(FilterError, match="between 0 and 1"):
            call()


def test_a_higher_confidence_has_wider_intervals() -> None:
    for insight in (
        lambda level: pva.compare(BEFORE, AFTER, confidence=level).select(
            low="success_rate_change_low", high="success_rate_change_high"
        ),
        lambda level: pva.compare(BEFORE, AFTER, confidence=level).select(
            low="cost_per_verified_change_low", high="cost_per_verified_change_high"
        ),
        lambda level: pva.journey_rates(AFTER, confidence=level).select(
            low="conversion_rate_low", high="conversion_rate_high"
        ),
    ):
        (low, high), (lower, higher) = (insight(level).row(0) for level in (0.5, 0.99))
        assert lower < low < high < higher


def test_amounts_of_too_many_digits_are_refused_and_not_rounded() -> None:
    fine = BEFORE.with_columns(total_charge=pl.lit(Decimal("0.123456789"), pl.Decimal(38, 9)))
    with pytest.raises(SchemaError):
        pva.compare(fine, fine)
    arrow = pa.table(
        {"session_uuid": ["a"], "total_charge": pa.array([0.5]), "entry_channel": ["x"]}
    )
    with pytest.raises(SchemaError):
        pva.cost_bridge(arrow, arrow, "entry_channel")
