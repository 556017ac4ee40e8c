"""What a metric is given: right, or refused in a sentence that says what would be right."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import plivo_analysis as pva
from plivo_analysis.api.columns import MESSAGES, SESSIONS
from plivo_analysis.errors import SchemaError
from plivo_analysis.tables.convert import from_rows, to_backend

METRICS = [
    pva.success_rates,
    pva.cost_per_verified,
    pva.channel_paths,
    pva.fallback_rates,
    pva.attempt_outcomes,
    pva.spend,
    pva.message_spend,
    pva.delivery_rates,
]
SESSIONS_OF_OCTOBER = from_rows(
    [
        dict.fromkeys(SESSIONS.names)
        | {"session_uuid": str(n), "status": "verified", "attempt_details": []}
        for n in range(4)
    ],
    SESSIONS,
)
IN_PANDAS = to_backend(SESSIONS_OF_OCTOBER, "pandas")
MONTHS = pd.Series(pd.PeriodIndex(["2026-10", "2026-11", None, "2026-10"], freq="M"))
AGES = pd.Series([1, 5, None, 2])
COLUMNS = {
    "periods": (MONTHS, {"2026-10": 2, "2026-11": 1, None: 1}),
    "periods as categories": (MONTHS.astype("category"), {"2026-10": 2, "2026-11": 1, None: 1}),
    "intervals": (pd.cut(AGES, [0, 4, 9]), {"(0, 4]": 2, "(4, 9]": 1, None: 1}),
    "plain intervals": (
        pd.Series(pd.arrays.IntervalArray.from_breaks([0, 1, 2, 3, 4])),
        {f"({n}, {n + 1}]": 1 for n in range(4)},
    ),
    "text categories": (
        pd.Series(["b", "a", None, "b"], dtype="category"),
        {"a": 1, "b": 2, None: 1},
    ),
    "number categories": (pd.Series([2, 1, 1, 2]).astype("category"), {1: 2, 2: 2}),
    "nullable numbers": (pd.Series([2, None, 2, 1], dtype="Int64"), {1: 1, 2: 2, None: 1}),
}


@pytest.mark.parametrize("kind", COLUMNS)
@pytest.mark.parametrize("metric", [pva.success_rates, pva.cost_per_verified])
def test_a_pandas_column_of_any_kind_groups_by_what_it_shows(metric: Any, kind: str) -> None:
    column, groups = COLUMNS[kind]
    counted = metric(IN_PANDAS.assign(team=column), "team")
    teams = [None if pd.isna(team) else team for team in counted["team"]]
    assert dict(zip(teams, counted["settled"], strict=True)) == groups
    assert list(dict.fromkeys(teams)) == list(groups)


@pytest.mark.parametrize(
    "column",
    [pd.arrays.SparseArray([0, 0, 1, 1]), [1j, 2j, 3j, 4j], [pd.Period("2026", "Y"), 1, "a", None]],
)
def test_a_pandas_column_that_no_engine_holds_is_refused(column: Any) -> None:
    with pytest.raises(SchemaError, match="Column 'team' holds values of several kinds, or of one"):
        pva.success_rates(IN_PANDAS.assign(team=column), "team")


def test_objects_and_sql_intervals_make_no_group() -> None:
    duckdb = pytest.importorskip("duckdb")
    objects = pl.Series("team", [object()] * 4, dtype=pl.Object)
    given = [SESSIONS_OF_OCTOBER.with_columns(objects)]
    given.append(
        duckdb.sql("SELECT 'a' AS session_uuid, 'verified' AS status, INTERVAL 1 MONTH AS team")
    )
    for frame in given:
        with pytest.raises(SchemaError, match="'team' holds values of no plain type"):
            pva.success_rates(frame, "team")


@pytest.mark.parametrize("metric", [*METRICS, pva.reconcile, pva.explode_attempts])
@pytest.mark.parametrize(
    ("frame", "message"),
    [
        (pd.DataFrame([[1, 2]]), "names of columns have to be text; 0 is of type int"),
        (
            pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "b"), ("c", "d")])),
            r"have to be text; \('a', 'b'\) is of type tuple",
        ),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "Two columns of this frame have the same"),
        (pa.table([[1], [2]], names=["a", "a"]), "Two columns of this frame have the same"),
    ],
)
def test_names_of_columns_that_are_no_text_or_come_twice_are_refused(
    metric: Any, frame: Any, message: str
) -> None:
    with pytest.raises(SchemaError, match=message):
        metric(frame)


@pytest.mark.parametrize("metric", METRICS)
def test_a_group_must_be_named_by_a_column(metric: Any) -> None:
    messages = metric in (pva.message_spend, pva.delivery_rates)
    frame = MESSAGES.polars().to_frame() if messages else SESSIONS_OF_OCTOBER
    for by in (5, None, ["nobody"], [None], frame):
        with pytest.raises(SchemaError, match=r"by is|There is no column"):
            metric(frame, by=by)


@pytest.mark.parametrize(
    ("metric", "argument"),
    [
        (pva.spend, "every"),
        (pva.spend, "tz"),
        (pva.success_rates, "confidence"),
        (pva.fallback_rates, "confidence"),
    ],
)
def test_a_table_in_an_arguments_place_is_refused_and_none_of_it_shown(
    metric: Any, argument: str
) -> None:
    numbers = SESSIONS_OF_OCTOBER.with_columns(recipient=pl.lit("14155550123"))
    for table in (numbers, to_backend(numbers, "pandas")):
        with pytest.raises(pva.FilterError, match=f"^{argument} is ") as raised:
            metric(SESSIONS_OF_OCTOBER, **{argument: table})
        assert "14155550123" not in str(raised.value)
        assert len(str(raised.value)) < 300


@pytest.mark.parametrize("nothing", [None, "spend.csv", 5])
def test_what_is_no_table_is_named_by_figures_and_insights(nothing: Any) -> None:
    for table in (nothing, pl.LazyFrame()):
        with pytest.raises(SchemaError, match="draws what spend gives, a table; this is a"):
            pva.figures.spend(table)
    for insight in (pva.compare, pva.cost_bridge):
        with pytest.raises(SchemaError, match="is no dataframe; give a polars"):
            insight(SESSIONS_OF_OCTOBER, nothing)


def test_a_metric_of_a_polars_frame_imports_no_pandas() -> None:
    code = (
        "import sys\n"
        "import polars as pl\n"
        "import plivo_analysis as pva\n"
        "from plivo_analysis.api.columns import SESSIONS\n"
        "empty = SESSIONS.polars().to_frame()\n"
        "one = empty.clear(1)\n"
        "for frame in (empty, one.with_columns(session_uuid=pl.lit('a'))):\n"
        "    pva.success_rates(frame), pva.fallback_rates(frame)\n"
        "    pva.spend(frame, every='1d', tz='Europe/Paris'), pva.reconcile(frame)\n"
        "    pva.compare(frame, frame)\n"
        "print('pandas' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert ran.stdout.strip() == "False", ran.stderr
