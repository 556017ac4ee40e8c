"""The store's own Parquet and an export: on every engine the numbers of the loaded tables."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl
import pyarrow as pa
import pytest

import plivo_analysis as pva
from plivo_analysis.emulator import generate
from plivo_analysis.maintenance.export import export

if TYPE_CHECKING:
    from collections.abc import Callable

WHOLE_DAYS = {"since": date(2026, 10, 12), "until": date(2026, 10, 20)}
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "cluster.md"
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)

METRICS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "fallback": ("attempts", pva.fallback_rates),
    "outcomes": ("attempts", lambda f: pva.attempt_outcomes(f, ["channel", "status"])),
    "spend": ("charges", lambda f: pva.spend(f, every="1h", tz="America/St_Johns")),
    "success": ("sessions", lambda f: pva.success_rates(f, every="1d", tz="Asia/Kolkata")),
    "cost": ("sessions", lambda f: pva.cost_per_verified(f, ["alias", "created_at"])),
    "paths": ("sessions", pva.channel_paths),
    "message spend": ("messages", lambda f: pva.message_spend(f, every="1w", tz="Europe/Paris")),
    "delivery": ("messages", lambda f: pva.delivery_rates(f, "error_code")),
}
in_spark = pytest.mark.parametrize(
    "reader",
    [
        "polars",
        "DuckDB",
        pytest.param("Spark in another zone", marks=pytest.mark.slow),
    ],
)


@pytest.fixture
def account(serve: Any, connect: Any, tmp_path: Path) -> pva.Client:
    """An account of which eight whole days are in the store."""
    client: pva.Client = connect(serve(generate(sessions=900)), store=tmp_path / "store")
    pva.load_sessions(**WHOLE_DAYS, client=client)
    pva.load_messages(**WHOLE_DAYS, client=client)
    return client


@pytest.fixture
def tables(account: pva.Client) -> dict[str, pl.DataFrame]:
    """The tables as they are loaded into memory."""
    sessions = pva.load_sessions(**WHOLE_DAYS, client=account)
    return {
        "sessions": sessions,
        "attempts": pva.explode_attempts(sessions),
        "charges": pva.explode_charges(sessions),
        "messages": pva.load_messages(**WHOLE_DAYS, client=account),
    }


@pytest.fixture(params=["the store's own", "an export"])
def folder(request: pytest.FixtureRequest, account: pva.Client, tmp_path: Path) -> Path:
    if request.param == "an export":
        return export(account, tmp_path / "archive").folder
    assert account.store.folder is not None
    return account.store.folder / "parquet"


@pytest.fixture
def read(reader: str, folder: Path, request: pytest.FixtureRequest) -> Callable[[str], Any]:
    """The one line that reads a table in place."""
    if reader == "polars":
        return lambda table: pl.scan_parquet(folder / table / "*.parquet")
    if reader == "DuckDB":
        connection = duckdb.connect()
        connection.execute("SET TimeZone = 'Pacific/Auckland'")
        return lambda table: connection.read_parquet(f"{folder}/{table}/*.parquet")
    spark = request.getfixturevalue("spark")
    return lambda table: spark.read.parquet(f"{folder}/{table}")


@in_spark
def test_metrics_of_the_files_are_those_of_the_loaded_tables_to_the_last_digit(
    read: Callable[[str], Any], tables: dict[str, pl.DataFrame]
) -> None:
    for name, (table, metric) in METRICS.items():
        expected = metric(tables[table])
        assert expected.height
        assert metric(read(table)).equals(expected), name


@in_spark
def test_nested_columns_amounts_and_instants_come_through_whole(
    read: Callable[[str], Any], tables: dict[str, pl.DataFrame]
) -> None:
    sessions = read("sessions")
    if isinstance(sessions, pl.LazyFrame):
        exploded = pva.explode_attempts(sessions).collect()
    else:
        arrow = sessions.toArrow() if hasattr(sessions, "toArrow") else sessions.to_arrow_table()
        assert isinstance(arrow, pa.Table)
        exploded = pl.from_arrow(pva.explode_attempts(arrow))
    order = ["session_uuid", "attempt_number"]
    assert exploded.sort(order).equals(tables["attempts"].sort(order))


@pytest.mark.slow
def test_what_the_page_on_clusters_says_runs_as_it_stands(
    account: pva.Client, tmp_path: Path, spark: Any
) -> None:
    export(account, tmp_path / "archive", recipients="pseudonym")
    names: dict[str, Any] = {"client": account}
    for block in BLOCKS:
        # Spark looks from where its Java began, which no test can change.
        there = block.replace('"archive/', f'"{tmp_path}/archive/')
        exec(compile(there, str(PAGE), "exec"), names)  # noqa: S102 - the site's own words
        assert names.pop("rates")["sessions"].sum() == counted(account)
    assert names["spent"].height


def counted(account: pva.Client) -> int:
    return int(
        pva.fallback_rates(pva.load_sessions(**WHOLE_DAYS, client=account))["sessions"].sum()
    )
