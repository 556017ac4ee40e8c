from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from plivo_analysis.api.columns import MESSAGES, SESSIONS
from plivo_analysis.api.vocabulary import fold_channel
from plivo_analysis.errors import SchemaError
from plivo_analysis.tables.convert import (
    as_polars,
    folded,
    from_rows,
    plain_arrow,
    result,
    to_backend,
)

if TYPE_CHECKING:
    from pathlib import Path

AT = datetime(2026, 3, 1, 10, 0, 0, 123456, tzinfo=UTC)
BLANK: dict[str, Any] = dict.fromkeys(SESSIONS.names)
ROWS = [
    BLANK
    | {
        "session_uuid": "a",
        "recipient": "0012025550143",
        "count": 1,
        "total_charge": Decimal("9999999999.99999999"),
        "validation_charge": Decimal("-0.00000001"),
        "attempt_details": [
            {"channel": "sms", "attempt_uuid": "x", "status": None, "time": AT},
            {"channel": None, "attempt_uuid": None, "status": "sent", "time": None},
        ],
        "attempt_charges": [{"attempt_uuid": "x", "channel": "sms", "charge": Decimal("0.08")}],
        "created_at": AT,
        "attempts": 2,
    },
    BLANK | {"session_uuid": "b", "attempt_details": [], "created_at": AT, "attempts": 0},
    BLANK | {"session_uuid": "c", "created_at": AT, "attempts": 0},
]
KINDS = {
    "polars": lambda frame: frame,
    "lazy": lambda frame: frame.lazy(),
    "pandas of Arrow": lambda frame: to_backend(frame, "pandas"),
    "pandas of objects": lambda frame: pd.DataFrame(frame.to_dicts(), dtype=object),
    "pandas as polars gives it": lambda frame: frame.to_pandas(),
    "pyarrow": plain_arrow,
    "pyarrow as polars gives it": lambda frame: frame.to_arrow(),
    "DuckDB": lambda frame: duckdb.from_arrow(plain_arrow(frame)),
}


def test_rows_become_a_frame_with_the_types_of_the_table_and_the_same_values() -> None:
    frame = from_rows(ROWS, SESSIONS)
    assert frame.schema == SESSIONS.polars()
    assert frame.to_dicts() == ROWS


def test_no_rows_become_an_empty_frame_of_the_same_types() -> None:
    assert from_rows([], MESSAGES).schema == MESSAGES.polars()


def test_an_instant_of_another_zone_stays_the_same_instant() -> None:
    there = AT.astimezone(timezone(timedelta(hours=5, minutes=30)))
    frame = from_rows([BLANK | {"session_uuid": "a", "created_at": there}], SESSIONS)
    assert frame["created_at"].to_list() == [AT]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("total_charge", Decimal("0.123456789")),
        ("total_charge", Decimal(12345678901)),
        ("total_charge", 0.1),
        ("recipient", 12025550143),
        ("count", "1"),
        ("created_at", "2026-03-01"),
        ("attempt_charges", [{"charge": Decimal("0.000000001")}]),
    ],
)
def test_a_value_that_does_not_fit_exactly_is_refused_and_not_shown(
    column: str, value: Any
) -> None:
    with pytest.raises(SchemaError, match=f"A value in column '{column}' does not fit") as caught:
        from_rows([BLANK | {column: value}], SESSIONS)
    assert "12025550143" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_row_without_a_column_is_refused_by_name() -> None:
    row = {name: None for name in SESSIONS.names if name != "alias"}
    with pytest.raises(SchemaError, match="lacks 'alias'") as caught:
        from_rows([row], SESSIONS)
    assert caught.value.missing == ["alias"]
    with pytest.raises(SchemaError, match="lacks 'alias'"):
        from_rows([ROWS[0], row], SESSIONS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_frame_becomes_the_same_polars_frame(kind: str) -> None:
    frame = from_rows(ROWS, SESSIONS)
    again = as_polars(KINDS[kind](frame), SESSIONS)
    assert again.schema == frame.schema
    assert again.to_dicts() == ROWS


@pytest.mark.parametrize("kind", KINDS)
def test_a_lacking_column_is_named_with_those_that_are_there(kind: str) -> None:
    given = KINDS[kind](from_rows(ROWS, SESSIONS).drop("alias", "status"))
    with pytest.raises(
        SchemaError, match=r"it lacks 'alias' and 'status'\. It has \d+ columns[;.]"
    ) as caught:
        as_polars(given, SESSIONS)
    assert caught.value.missing == ["alias", "status"]
    assert "recipient" in caught.value.available


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("column", "field", "kept"),
    [
        ("attempt_details", "status", ["channel", "attempt_uuid", "time"]),
        ("attempt_charges", "charge", ["attempt_uuid", "channel"]),
    ],
)
def test_records_that_lack_a_field_are_refused_as_a_frame_that_lacks_a_column_is(
    column: str, field: str, kept: list[str], kind: str
) -> None:
    other = pl.struct(pl.element().struct.field(*kept), amount=pl.lit(1))
    given = KINDS[kind](from_rows(ROWS, SESSIONS).with_columns(pl.col(column).list.eval(other)))
    with pytest.raises(
        SchemaError, match=f"'{column}' lack '{field}'. They have 'amount'"
    ) as error:
        as_polars(given, SESSIONS)
    assert error.value.missing == [f"{column}[].{field}"]
    assert error.value.available == [f"{column}[].{name}" for name in sorted([*kept, "amount"])]


def test_records_may_have_fields_of_their_own_and_lists_no_record_at_all() -> None:
    more = pl.struct(pl.element().struct.field("*"), note=pl.lit("x"))
    frame = from_rows(ROWS, SESSIONS)
    given = frame.with_columns(pl.col("attempt_details").list.eval(more))
    for kind in ("polars", "pandas of Arrow", "pandas of objects", "pyarrow", "DuckDB"):
        assert as_polars(KINDS[kind](given), SESSIONS).to_dicts() == ROWS
    empty = pd.DataFrame(frame.to_dicts(), dtype=object).assign(attempt_details=[[], None, []])
    assert as_polars(empty, SESSIONS)["attempt_details"].to_list() == [[], None, []]


def test_a_pandas_table_comes_back_from_parquet_with_columns_of_arrow(tmp_path: Path) -> None:
    frame = to_backend(from_rows(ROWS, SESSIONS), "pandas")
    frame.to_parquet(tmp_path / "sessions.parquet")
    again = pd.read_parquet(tmp_path / "sessions.parquet", dtype_backend="pyarrow")
    assert as_polars(again, SESSIONS).to_dicts() == ROWS


@pytest.mark.parametrize(
    ("column", "dtype"),
    [("total_charge", pl.Float64), ("recipient", pl.Int64), ("created_at", pl.String)],
)
@pytest.mark.parametrize("kind", ["polars", "pandas of Arrow", "pyarrow"])
def test_a_column_of_another_kind_is_refused(kind: str, column: str, dtype: Any) -> None:
    given = KINDS[kind](from_rows(ROWS, SESSIONS).with_columns(pl.lit(None, dtype).alias(column)))
    with pytest.raises(SchemaError, match=f"Column '{column}' is .*; it has to be"):
        as_polars(given, SESSIONS)


def test_kinds_that_lose_nothing_are_cast() -> None:
    loose = from_rows(ROWS, SESSIONS).with_columns(
        pl.col("count").cast(pl.Int8),
        pl.col("session_uuid").cast(pl.Categorical),
        pl.col("created_at").cast(pl.Datetime("ns", "UTC")),
        pl.col("total_charge").cast(pl.Decimal(38, 8)),
        alias=pl.lit(None),
    )
    assert as_polars(loose, SESSIONS).to_dicts() == ROWS


def test_an_amount_beyond_the_column_is_refused_rather_than_made_null() -> None:
    wide = from_rows(ROWS, SESSIONS).with_columns(
        total_charge=pl.lit(Decimal("12345678901.5"), pl.Decimal(38, 8))
    )
    with pytest.raises(SchemaError, match="'total_charge' does not fit decimal128"):
        as_polars(wide, SESSIONS)


def test_what_is_no_frame_is_refused() -> None:
    with pytest.raises(SchemaError, match="list is no dataframe; give a polars, pandas or pyarrow"):
        as_polars([1], SESSIONS)


def test_pandas_columns_are_backed_by_plain_arrow_types() -> None:
    frame = to_backend(from_rows(ROWS, SESSIONS), "pandas")
    for column in SESSIONS.columns:
        assert frame.dtypes[column.name] == pd.ArrowDtype(column.arrow())


def test_an_unknown_backend_is_refused() -> None:
    with pytest.raises(ValueError, match="backend is 'spark'; it can be 'polars' or 'pandas'"):
        to_backend(pl.DataFrame(), "spark")


@pytest.mark.parametrize(
    ("like", "kind"),
    [
        (pd.DataFrame(), pd.DataFrame),
        (pa.table({}), pl.DataFrame),
        (pl.LazyFrame(), pl.DataFrame),
    ],
)
def test_a_result_is_pandas_for_pandas_and_else_polars(like: Any, kind: type) -> None:
    assert isinstance(result(pl.DataFrame({"n": [1]}), like), kind)


@pytest.mark.parametrize("last", ["CALL", "sms", "new", None])
def test_a_word_that_comes_after_thousands_of_others_is_folded_too(last: str | None) -> None:
    words = [*["SMS", "call", None] * 2_000, last]
    expected = [fold_channel(word) for word in words]
    assert folded(pl.Series("channel", words), fold_channel).to_list() == expected
