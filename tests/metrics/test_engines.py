"""The same call gives the same number on every engine, to the last digit."""

from __future__ import annotations

import warnings
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from random import Random
from typing import TYPE_CHECKING, Any

import duckdb
import narwhals as nw
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from polars.testing import assert_frame_equal

import plivo_analysis as pva
from plivo_analysis.api.columns import MESSAGES, SESSIONS
from plivo_analysis.errors import FilterError, PlivoAnalysisWarning, SchemaError
from plivo_analysis.metrics import engines
from plivo_analysis.tables.convert import from_rows, plain_arrow, to_backend
from plivo_analysis.values.masking import mask_number

if TYPE_CHECKING:
    from collections.abc import Callable

# From a quarter past six in UTC on the eve of Europe's clock change to a week after America's.
START = datetime(2026, 10, 24, 6, 15, tzinfo=UTC)
CHANNELS = ["sms", "sms", "voice", "whatsapp", None]
PRICES = [None, Decimal("0.08"), Decimal("0.0331"), Decimal("0.00000001")]


def rows_of_sessions(count: int = 120) -> list[dict[str, Any]]:
    random = Random(7)
    rows = []
    for number in range(count):
        created = START + timedelta(minutes=random.randrange(60 * 24 * 15))
        tried = [
            {
                "channel": random.choice(CHANNELS),
                "attempt_uuid": random.choice([f"{number}-{place}", f"{number}-0", None]),
                "status": random.choice(["delivered", "failed", "ANSWER", "sent", "odd", None]),
                "time": random.choice([None, created + timedelta(seconds=random.randrange(60))]),
            }
            for place in range(random.choice([0, 1, 1, 2, 3]))
        ]
        words = [one["channel"] or "unknown" for one in tried]
        rows.append(
            dict.fromkeys(SESSIONS.names)
            | {
                "session_uuid": f"s{number:03}",
                "status": random.choice(["verified", "Expired", "in-progress", "odd", None]),
                "destination_country_iso2": random.choice(["US", "GB", "ä", None]),
                "app_uuid": random.choice(["app", None]),
                "count": random.choice([None, len(tried)]),
                "attempt_details": random.choice([tried, tried or None]),
                "attempt_charges": [
                    {**{n: one[n] for n in ("attempt_uuid", "channel")}, "charge": charge}
                    for one in tried
                    if (charge := random.choice(PRICES)) or random.random() < 0.5
                ],
                "total_charge": random.choice([*PRICES, Decimal("0.161")]),
                "validation_charge": random.choice([None, Decimal(0), Decimal("0.01")]),
                "created_at": created,
                "attempts": len(tried),
                "entry_channel": words[0] if words else None,
                "path": " → ".join(words) or None,
            }
        )
    return rows


def rows_of_messages(count: int = 60) -> list[dict[str, Any]]:
    random = Random(8)
    return [
        dict.fromkeys(MESSAGES.names)
        | {
            "message_uuid": f"{number}-0",
            "message_direction": random.choice(["outbound", "Outbound", "inbound"]),
            "message_state": random.choice(["delivered", "read", "failed", "sent", None]),
            "message_type": random.choice(["sms", "whatsapp", None]),
            "error_code": random.choice(["000", "450", None]),
            "units": random.choice([1, 2, None]),
            "total_amount": random.choice(PRICES),
            "carrier_fees": None,
            "message_time": START + timedelta(minutes=random.randrange(60 * 24 * 15)),
        }
        for number in range(count)
    ]


SESSION_ROWS = from_rows(rows_of_sessions(), SESSIONS)
TABLES = {
    "sessions": SESSION_ROWS,
    "flat sessions": SESSION_ROWS.drop("attempt_details", "attempt_charges"),
    "attempts": pva.explode_attempts(SESSION_ROWS),
    "charges": pva.explode_charges(SESSION_ROWS),
    "messages": from_rows(rows_of_messages(), MESSAGES),
}


def of_objects(frame: pl.DataFrame) -> pd.DataFrame:
    return pd.DataFrame(frame.to_dicts(), columns=frame.columns, dtype=object)


CONNECTIONS: list[duckdb.DuckDBPyConnection] = []  # DuckDB 1 closes one that nobody holds


def of_duckdb(frame: pl.DataFrame) -> Any:
    connection = duckdb.connect()
    CONNECTIONS.append(connection)
    connection.execute("SET TimeZone = 'Pacific/Auckland'")
    connection.register("given", plain_arrow(frame))
    connection.execute("CREATE TABLE held AS SELECT * FROM given")
    return connection.table("held")


def of_spark(frame: pl.DataFrame) -> Any:
    from pyspark.sql import SparkSession  # noqa: PLC0415 - `make test` has no Spark

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of the newest pandas, which is not used here
        return SparkSession.active().createDataFrame(plain_arrow(frame))


IN_MEMORY: dict[str, Callable[[pl.DataFrame], Any]] = {
    "polars": lambda frame: frame,
    "polars, lazy": lambda frame: frame.lazy(),
    "pandas of Arrow": lambda frame: to_backend(frame, "pandas"),
    "pandas of objects": of_objects,
    "pandas as polars gives it": lambda frame: frame.to_pandas(),
    "pyarrow": plain_arrow,
}
OUTSIDE: dict[str, Callable[[pl.DataFrame], Any]] = {"DuckDB in another zone": of_duckdb}
ENGINES = {**IN_MEMORY, **OUTSIDE}
SPARK = "Spark in another zone"
# A Java machine and a cluster of one: no part of a quick run.
IN_SPARK = pytest.param(
    SPARK, marks=[pytest.mark.slow, pytest.mark.filterwarnings("ignore:PySpark does not yet")]
)
EVERYWHERE = [*ENGINES, IN_SPARK]


@pytest.fixture(autouse=True)
def started(request: pytest.FixtureRequest) -> None:
    """Start Spark, for the tests of it alone."""
    callspec = getattr(request.node, "callspec", None)
    if callspec is not None and callspec.params.get("engine") == SPARK:
        request.getfixturevalue("spark")


def of_engine(engine: str, frame: pl.DataFrame) -> Any:
    return {**ENGINES, SPARK: of_spark}[engine](frame)


@cache
def held(engine: str, table: str) -> Any:
    return of_engine(engine, TABLES[table])


CALLS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "fallback": ("attempts", pva.fallback_rates),
    "fallback by none": ("attempts", lambda f: pva.fallback_rates(f, ())),
    "fallback by two": (
        "attempts",
        lambda f: pva.fallback_rates(f, ["destination_country_iso2", "session_status"]),
    ),
    "fallback of a path": ("attempts", lambda f: pva.fallback_rates(f, "path", confidence=0.8)),
    "fallback by number and time": (
        "attempts",
        lambda f: pva.fallback_rates(f, ["attempts", "created_at"]),
    ),
    "outcomes": ("attempts", pva.attempt_outcomes),
    "outcomes by two": ("attempts", lambda f: pva.attempt_outcomes(f, ["status", "step"])),
    "outcomes by number": ("attempts", lambda f: pva.attempt_outcomes(f, "attempt_number")),
    "spend": ("charges", pva.spend),
    "spend by none": ("charges", lambda f: pva.spend(f, ())),
    "spend by note": ("charges", lambda f: pva.spend(f, ["note", "line"])),
    "success": ("flat sessions", pva.success_rates),
    "success by two": (
        "flat sessions",
        lambda f: pva.success_rates(f, ["app_uuid", "entry_channel"]),
    ),
    "cost": ("flat sessions", pva.cost_per_verified),
    "cost by country": (
        "flat sessions",
        lambda f: pva.cost_per_verified(f, "destination_country_iso2"),
    ),
    "paths": ("flat sessions", pva.channel_paths),
    "paths by status": ("flat sessions", lambda f: pva.channel_paths(f, "status")),
    "message spend": ("messages", pva.message_spend),
    "message spend by none": ("messages", lambda f: pva.message_spend(f, ())),
    "delivery": ("messages", pva.delivery_rates),
    "delivery by code": ("messages", lambda f: pva.delivery_rates(f, "error_code")),
}


def assert_same(given: Any, expected: pl.DataFrame) -> None:
    frame = nw.from_native(given).to_polars()
    assert frame.columns == expected.columns
    assert frame.schema == expected.schema
    assert frame.equals(expected)


@pytest.mark.parametrize("engine", EVERYWHERE)
@pytest.mark.parametrize("call", CALLS)
def test_a_metric_is_the_same_on_every_engine(call: str, engine: str) -> None:
    table, metric = CALLS[call]
    assert_same(metric(held(engine, table)), metric(TABLES[table]))


LARGEST = Decimal("9999999999.99999999")


@pytest.mark.parametrize("engine", EVERYWHERE)
@pytest.mark.parametrize(
    ("table", "money", "metric", "summed"),
    [
        ("charges", "amount", lambda f: pva.spend(f, ()), "amount"),
        ("attempts", "charge", lambda f: pva.attempt_outcomes(f, ()), "charge"),
        ("flat sessions", "total_charge", pva.cost_per_verified, "total_charge"),
        ("messages", "total_amount", lambda f: pva.message_spend(f, ()), "amount"),
    ],
)
def test_a_sum_of_more_digits_than_an_amount_has_is_exact_on_every_engine(
    table: str, money: str, metric: Any, summed: str, engine: str
) -> None:
    large = TABLES[table].with_columns(pl.lit(LARGEST, pl.Decimal(18, 8)).alias(money))
    expected = metric(large)
    counted = int(expected["settled" if table == "flat sessions" else expected.columns[0]].item())
    assert expected[summed].item() == LARGEST * counted
    assert counted > 10  # so that the sum has a digit more than an amount
    assert_same(metric(of_engine(engine, large)), expected)


@pytest.mark.parametrize("engine", EVERYWHERE)
@pytest.mark.parametrize(
    ("every", "tz"),
    [
        ("1h", "UTC"),
        ("1h", "Europe/Berlin"),
        ("1h", "Australia/Lord_Howe"),
        ("1d", "UTC"),
        ("1d", "America/Havana"),
        ("1w", "Asia/Kathmandu"),
        ("1mo", "America/St_Johns"),
    ],
)
def test_periods_are_the_same_on_every_engine(every: str, tz: str, engine: str) -> None:
    for table, metric in (
        ("charges", pva.spend),
        ("flat sessions", pva.success_rates),
        ("messages", pva.message_spend),
    ):
        expected = metric(TABLES[table], every=every, tz=tz)
        assert expected["period"].dtype == pl.Datetime("us", tz)
        assert_same(metric(held(engine, table), every=every, tz=tz), expected)


@pytest.mark.parametrize("engine", EVERYWHERE)
def test_instants_without_a_zone_are_utc_on_every_engine(engine: str) -> None:
    naive = TABLES["charges"].with_columns(pl.col("created_at").dt.replace_time_zone(None))
    if engine == SPARK:  # which would take those of an Arrow table for its session's
        text = of_engine(engine, naive.with_columns(pl.col("created_at").cast(pl.String)))
        given = text.selectExpr("*", "CAST(created_at AS TIMESTAMP_NTZ) AS t").drop("created_at")
        given = given.withColumnRenamed("t", "created_at")
    else:
        given = of_engine(engine, naive)
    assert_same(pva.spend(given, every="1h"), pva.spend(TABLES["charges"], every="1h"))


@pytest.mark.parametrize("engine", EVERYWHERE)
def test_a_session_of_no_known_time_is_in_a_period_of_its_own_sorted_last(engine: str) -> None:
    known = pl.when(pl.col("line") == "attempt").then("created_at")
    lines = TABLES["charges"].with_columns(created_at=known)
    expected = pva.spend(lines, (), every="1mo", tz="America/St_Johns")
    assert expected["period"].is_null().to_list() == [False, False, True]
    assert expected["lines"].sum() == lines.height
    assert_same(
        pva.spend(of_engine(engine, lines), (), every="1mo", tz="America/St_Johns"), expected
    )


@pytest.mark.parametrize("engine", IN_MEMORY)
@pytest.mark.parametrize(
    ("metric", "table"),
    [(pva.fallback_rates, "attempts"), (pva.attempt_outcomes, "attempts"), (pva.spend, "charges")],
)
def test_sessions_are_exploded_on_the_way(metric: Any, table: str, engine: str) -> None:
    assert_same(metric(IN_MEMORY[engine](SESSION_ROWS)), metric(TABLES[table]))


@pytest.mark.parametrize("engine", IN_MEMORY)
def test_sessions_reconcile_alike_on_every_engine(engine: str) -> None:
    assert_same(pva.reconcile(IN_MEMORY[engine](SESSION_ROWS)), pva.reconcile(SESSION_ROWS))


@pytest.mark.parametrize("engine", IN_MEMORY)
@pytest.mark.parametrize(
    ("explode", "table"),
    [(pva.explode_attempts, "attempts"), (pva.explode_charges, "charges")],
)
def test_exploding_gives_back_the_kind_that_it_was_given(
    explode: Any, table: str, engine: str
) -> None:
    sessions = IN_MEMORY[engine](SESSION_ROWS)
    given = explode(sessions)
    assert type(given) is type(sessions)
    if isinstance(given, pl.LazyFrame):
        given = given.collect()
    assert_same(given, TABLES[table])


@pytest.mark.parametrize("engine", EVERYWHERE)
def test_a_message_is_joined_to_its_attempt_on_every_engine(engine: str) -> None:
    expected = pva.join_messages(TABLES["attempts"], TABLES["messages"])
    join = pva.join_messages(held(engine, "attempts"), held(engine, "messages"))
    assert repr(join) == repr(expected)
    assert (join.attempts, join.matched) == (expected.attempts, expected.matched)
    assert (join.match_rate, join.amount_in_both) == (expected.match_rate, expected.amount_in_both)
    assert_same(join.frame, expected.frame)


@pytest.mark.parametrize("engine", ENGINES)
def test_the_result_is_pandas_for_pandas_and_else_polars(engine: str) -> None:
    kind = type(pva.spend(ENGINES[engine](TABLES["charges"])))
    assert kind is (pd.DataFrame if "pandas" in engine else pl.DataFrame)


@pytest.mark.parametrize("engine", [*OUTSIDE, IN_SPARK])
@pytest.mark.parametrize(
    "metric", [pva.fallback_rates, pva.attempt_outcomes, pva.spend, pva.reconcile]
)
def test_a_sessions_table_outside_is_refused_with_what_to_give_instead(
    metric: Any, engine: str
) -> None:
    named = r"in _?(duckdb|pyspark).*explode_attempts.*as Parquet"
    with pytest.raises(SchemaError, match=named):
        metric(held(engine, "sessions"))


@pytest.mark.parametrize("engine", EVERYWHERE)
@pytest.mark.parametrize(
    "call",
    ["fallback", "outcomes", "spend", "success", "cost", "paths", "delivery", "message spend"],
)
def test_a_doubled_key_is_refused_on_every_engine(call: str, engine: str) -> None:
    table, metric = CALLS[call]
    frame = TABLES[table]
    doubled = of_engine(engine, pl.concat([frame, frame.tail(1)]))
    with pytest.raises(SchemaError, match="comes more than once"):
        metric(doubled)


@pytest.mark.parametrize("engine", IN_MEMORY)
@pytest.mark.parametrize(
    "metric", [pva.fallback_rates, pva.attempt_outcomes, pva.spend, pva.reconcile]
)
def test_a_doubled_session_is_refused_before_it_is_exploded(metric: Any, engine: str) -> None:
    doubled = pl.concat([SESSION_ROWS, SESSION_ROWS.head(1)])
    with pytest.raises(SchemaError, match=r"session_uuid.* comes more than once"):
        metric(IN_MEMORY[engine](doubled))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("call", CALLS)
def test_an_empty_table_gives_an_empty_result_of_the_same_types(call: str, engine: str) -> None:
    table, metric = CALLS[call]
    empty = ENGINES[engine](TABLES[table].clear())
    assert_same(metric(empty), metric(TABLES[table]).clear())


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("call", "column"),
    [
        ("fallback", "outcome"),
        ("spend", "amount"),
        ("success", "status"),
        ("delivery", "message_state"),
    ],
)
def test_a_lacking_column_is_named_with_those_that_are_there(
    call: str, column: str, engine: str
) -> None:
    table, metric = CALLS[call]
    with pytest.raises(SchemaError, match=f"lacks '{column}'.*It has ") as caught:
        metric(ENGINES[engine](TABLES[table].drop(column)))
    assert caught.value.missing == [column]
    assert caught.value.available == [n for n in TABLES[table].columns if n != column]


@pytest.mark.parametrize("engine", EVERYWHERE)
def test_an_amount_of_more_than_eight_places_is_refused_not_rounded(engine: str) -> None:
    for amount, fits in ((Decimal("0.0000000001"), False), (Decimal("0.1000000000"), True)):
        lines = TABLES["charges"].with_columns(amount=pl.lit(amount, pl.Decimal(20, 10)))
        if fits:
            spent = pva.spend(of_engine(engine, lines), ())["amount"]
            assert list(spent) == [lines.height * amount]
        else:
            with pytest.raises(SchemaError, match=r"more than 8 decimal places|does not fit"):
                pva.spend(of_engine(engine, lines), ())


@pytest.mark.parametrize("engine", EVERYWHERE)
def test_amounts_of_two_currencies_are_added_on_no_engine(engine: str) -> None:
    for table, metric in (("charges", pva.spend), ("flat sessions", pva.cost_per_verified)):
        frame = TABLES[table].with_row_index()
        word = pl.when(pl.col("index") % 3 == 0).then(pl.lit("INR")).otherwise(pl.lit("USD"))
        given = of_engine(engine, frame.with_columns(currency=word).drop("index"))
        with pytest.raises(SchemaError, match=r"in 2 currencies \(INR, USD\), which make no sum"):
            metric(given)
        assert list(metric(given, "currency")["currency"]) == ["INR", "USD"]


@pytest.mark.parametrize("engine", EVERYWHERE)
def test_groups_of_masked_numbers_are_said_to_be_such_on_every_engine(engine: str) -> None:
    masked = TABLES["charges"].with_columns(recipient=pl.lit(mask_number("14155550126")))
    given = of_engine(engine, masked)
    with pytest.warns(
        PlivoAnalysisWarning, match="1 of 1 groups are of masked numbers in 'recipient'"
    ):
        spent = pva.spend(given, "recipient")
    assert list(spent["lines"]) == [masked.height]


@pytest.mark.parametrize("engine", ["polars", "polars, lazy", "pandas of objects", "pyarrow"])
def test_a_column_of_nulls_alone_need_not_say_its_type(engine: str) -> None:
    lines = TABLES["charges"].with_columns(amount=pl.lit(None))
    given = nw.from_native(pva.spend(IN_MEMORY[engine](lines), ())).to_polars()
    assert given.rows() == [(lines.height, None, lines.height)]


def test_values_of_several_kinds_make_no_group_and_are_not_quoted() -> None:
    sessions = of_objects(SESSION_ROWS.head(2)).assign(team=[1, "14155550123"])
    with pytest.raises(SchemaError, match=r"'team' holds values of several kinds") as caught:
        pva.spend(sessions, "team")
    assert "14155550123" not in str(caught.value)


@pytest.mark.parametrize("engine", ["polars", "polars, lazy", "DuckDB in another zone"])
def test_what_is_not_a_number_is_sorted_behind_all_numbers(engine: str) -> None:
    weights = pl.Series("weight", [2.0, float("nan"), None, 1.0])
    sessions = TABLES["flat sessions"].head(4).with_columns(weights)
    found = pva.success_rates(ENGINES[engine](sessions), "weight")["weight"].to_list()
    assert [str(weight) for weight in found] == ["1.0", "2.0", "nan", "None"]


@pytest.mark.parametrize("engine", ENGINES)
def test_money_in_floats_is_refused_on_every_engine(engine: str) -> None:
    floats = TABLES["charges"].with_columns(amount=pl.lit(0.5))
    with pytest.raises(SchemaError, match="'amount'"):
        pva.spend(ENGINES[engine](floats))


@pytest.mark.parametrize("call", ["fallback", "outcomes", "success", "delivery"])
def test_a_confidence_that_is_none_is_refused_also_where_there_is_nothing_to_count(
    call: str,
) -> None:
    metric = {
        "fallback": pva.fallback_rates,
        "outcomes": pva.attempt_outcomes,
        "success": pva.success_rates,
        "delivery": pva.delivery_rates,
    }[call]
    with pytest.raises(FilterError, match="confidence is 95; it lies between 0 and 1"):
        metric(TABLES[CALLS[call][0]].clear(), confidence=95)


@pytest.mark.parametrize("engine", EVERYWHERE)
@pytest.mark.parametrize("numbers", [[1, 3, 3, 3], [1, 2, 2, 4], [1, 2, 3, 5], [0, 1, 2, 3]])
def test_attempts_whose_numbers_are_not_one_to_their_count_are_refused(
    numbers: list[int], engine: str
) -> None:
    attempts = pl.DataFrame(
        {
            "session_uuid": ["s"] * 4,
            "attempt_number": numbers,
            "attempts": [4] * 4,
            "channel": ["sms", "voice", "voice", "voice"],
            "outcome": ["not_reached"] * 4,
            "step": ["first", "switch", "retry", "retry"],
            "entry_channel": ["sms"] * 4,
            "session_status": ["verified"] * 4,
        }
    )
    with pytest.raises(SchemaError, match=r"more than once|other attempts than their number says"):
        pva.fallback_rates(of_engine(engine, attempts))
    right = attempts.with_columns(attempt_number=pl.int_range(1, 5))
    assert list(pva.fallback_rates(of_engine(engine, right))["fell_back"]) == [1]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_second_attempt_of_a_session_that_has_one_is_refused(engine: str) -> None:
    single = TABLES["attempts"].filter(pl.col("attempts") == 1)
    second = single.head(1).with_columns(attempt_number=pl.lit(2, pl.Int64))
    with pytest.raises(SchemaError, match="1 session with other attempts than their number says"):
        pva.fallback_rates(of_engine(engine, pl.concat([single, second])))


@pytest.mark.parametrize("call", CALLS)
def test_a_large_frame_is_looked_at_in_parts_with_the_same_result(
    call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, metric = CALLS[call]
    expected = metric(TABLES[table])
    monkeypatch.setattr(engines, "_GROUPED_ROWS", 20)
    monkeypatch.setattr(engines, "_KEYS", 20)
    assert_same(metric(TABLES[table]), expected)
    with pytest.raises(SchemaError, match="comes more than once"):
        metric(pl.concat([TABLES[table], TABLES[table].tail(1)]))


@pytest.mark.parametrize("call", CALLS)
def test_keys_of_the_same_hash_are_told_apart_by_the_keys_themselves(
    call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, metric = CALLS[call]
    expected = metric(TABLES[table])
    monkeypatch.setattr(pl.Expr, "hash", lambda key: key.is_null().cast(pl.UInt64))
    assert_same(metric(TABLES[table]), expected)
    with pytest.raises(SchemaError, match="comes more than once"):
        metric(pl.concat([TABLES[table], TABLES[table].tail(1)]))


@pytest.mark.parametrize("engine", EVERYWHERE)
def test_lines_of_a_bill_that_come_twice_are_refused(engine: str) -> None:
    charges = TABLES["charges"]
    with pytest.raises(SchemaError, match="session_uuid and line_number, comes more than once"):
        pva.spend(of_engine(engine, pl.concat([charges, charges])))


@pytest.mark.parametrize("engine", IN_MEMORY)
@pytest.mark.parametrize(
    "metric",
    [pva.success_rates, pva.cost_per_verified, pva.channel_paths, pva.fallback_rates],
)
def test_no_metric_of_sessions_is_grouped_by_the_channel_that_they_ended_on(
    metric: Any, engine: str
) -> None:
    with pytest.raises(SchemaError, match="is its last one") as caught:
        metric(IN_MEMORY[engine](SESSION_ROWS), by="channel")
    assert "entry_channel" in str(caught.value)


@pytest.mark.parametrize("name", ["channel", "status", "outcome", "step", "charge", "attempt_uuid"])
@pytest.mark.parametrize("table", ["attempts", "sessions"])
def test_fallback_by_an_attempts_own_column_is_refused_with_the_reason(
    table: str, name: str
) -> None:
    with pytest.raises(SchemaError, match=f"'{name}' is an attempt's own, and fallback_rates"):
        pva.fallback_rates(TABLES[table], name)


@pytest.mark.parametrize(
    ("by", "message"),
    [
        ("chanel", r"no column 'chanel' to group by. It has \d+ columns; the nearest .* 'channel'"),
        (["alias", "alias"], "by names a column twice: alias, alias"),
        ("settled", "by names 'settled', which the result of success_rates has of its own"),
        ("attempt_details", "'attempt_details' holds lists"),
        (None, "by is None; it is the name of a column, or several"),
        ([5], r"by is \[5\]; it is the name of a column, or several"),
    ],
)
def test_a_name_that_makes_no_group_is_refused(by: Any, message: str) -> None:
    frame = SESSION_ROWS.with_columns(settled=pl.lit(1))
    with pytest.raises(SchemaError, match=message):
        pva.success_rates(frame, by)


def test_a_table_of_the_wrong_kind_is_refused() -> None:
    with pytest.raises(SchemaError, match="cannot read a table of attempts: give the sessions"):
        pva.success_rates(TABLES["attempts"])
    with pytest.raises(SchemaError, match="or what explode_attempts makes of one"):
        pva.fallback_rates(TABLES["charges"])
    with pytest.raises(SchemaError, match="or what explode_charges makes of one"):
        pva.spend(TABLES["attempts"])


def test_a_session_with_some_of_its_attempts_gone_is_refused_for_fallback() -> None:
    attempts = TABLES["attempts"].filter(pl.col("attempt_number") != 2)
    with pytest.raises(SchemaError, match="sessions with other attempts than their number says"):
        pva.fallback_rates(attempts)
    assert pva.attempt_outcomes(attempts, ())["attempts"].to_list() == [attempts.height]


def test_own_columns_of_sessions_are_groups_also_of_attempts_and_lines() -> None:
    teams = SESSION_ROWS.with_columns(team=pl.col("app_uuid").fill_null("none"))
    for kind in (teams, teams.lazy()):
        assert pva.fallback_rates(kind, "team")["team"].to_list() == ["app", "none"]
        assert pva.spend(kind, ["team", "locale"])["lines"].sum() == TABLES["charges"].height


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"every": "2d"}, "every is '2d'; it can be '1h' or '1d' or '1w' or '1mo'"),
        ({"every": "1d", "tz": "Mars/Base"}, "tz is 'Mars/Base'; it is the name of an IANA"),
        ({"tz": "../etc/passwd"}, "it is the name of an IANA time zone"),
        ({"tz": "Factory"}, "it is the name of an IANA time zone"),
        ({"tz": 5}, "tz is 5; it is the name of an IANA time zone"),
        ({"tz": ["UTC"], "every": "1d"}, "it is the name of an IANA time zone"),
        ({"every": ["1d"]}, "it can be '1h' or '1d' or '1w' or '1mo'"),
    ],
)
def test_periods_that_do_not_exist_are_refused(options: Any, message: str) -> None:
    with pytest.raises(FilterError, match=message):
        pva.spend(TABLES["charges"], **options)


def test_a_lazy_table_stays_lazy_and_is_exploded_also_in_a_query_that_streams() -> None:
    lazy = pl.concat(
        [
            SESSION_ROWS.lazy().with_columns(session_uuid=pl.col("session_uuid") + str(n))
            for n in range(8)
        ]
    )
    tried, lines = pva.explode_attempts(lazy), pva.explode_charges(lazy)
    assert isinstance(tried, pl.LazyFrame)
    counts = [each.select(pl.len()) for each in (tried, lines, tried, lines)]
    heights = [frame.item() for frame in pl.collect_all(counts, engine="streaming")]
    assert heights == [8 * TABLES["attempts"].height, 8 * TABLES["charges"].height] * 2
    (sessions,) = pva.fallback_rates(lazy, ())["sessions"]
    assert sessions == 8 * pva.fallback_rates(SESSION_ROWS, ())["sessions"].item()


def test_an_unpriced_match_says_so_rather_than_zero() -> None:
    messages = TABLES["messages"].with_columns(total_amount=pl.lit(None, dtype=pl.Decimal(18, 8)))
    join = pva.join_messages(TABLES["attempts"], messages)
    assert join.amount_in_both is None
    assert "what it cost is not known" in repr(join)
    with pytest.raises(SchemaError, match="message_uuid, comes more than once"):
        pva.join_messages(TABLES["attempts"], pl.concat([messages, messages]))


def test_doubled_attempts_are_refused_beside_messages_too() -> None:
    attempts, messages = TABLES["attempts"], TABLES["messages"]
    with pytest.raises(SchemaError, match="attempt_number, comes more than once"):
        pva.join_messages(pl.concat([attempts, attempts.tail(1)]), messages)


def test_an_amount_in_both_is_counted_once_however_many_attempts_share_the_record() -> None:
    attempts = pa.table(
        {"session_uuid": ["a", "b"], "attempt_number": [1, 1], "attempt_uuid": ["m", "m"]}
    )
    messages = pl.DataFrame({"message_uuid": ["m"], "total_amount": [Decimal("0.05")]})
    join = pva.join_messages(attempts, messages)
    assert (join.matched, join.match_rate, join.amount_in_both) == (2, 1.0, Decimal("0.05"))
    assert "do not add the two" in repr(join)


def test_a_column_of_ones_own_named_as_counts_are_changes_no_number() -> None:
    with pva.demo(sessions=30) as client:
        sessions = pva.load_sessions(since="90d", client=client)
    named = sessions.with_columns(pl.lit("7").alias("__rows"))
    assert_frame_equal(pva.success_rates(named), pva.success_rates(sessions))
    attempts, charges = pva.explode_attempts(sessions), pva.explode_charges(sessions)
    own = pl.lit(7).alias("__rows")
    assert_frame_equal(pva.fallback_rates(attempts.with_columns(own)), pva.fallback_rates(attempts))
    assert_frame_equal(pva.spend(charges.with_columns(own)), pva.spend(charges))
