"""Scanning: the same rows and numbers as loading gives, whatever the store keeps as files."""

from __future__ import annotations

import math
import shutil
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl
import pytest

import plivo_analysis as pva
from plivo_analysis.emulator import AUTH_ID, AUTH_TOKEN, Account, Server, generate
from plivo_analysis.errors import FilterError
from plivo_analysis.maintenance.deletion import forget
from plivo_analysis.storage.parquet_cache import locate
from plivo_analysis.system.clock import FrozenWallClock
from plivo_analysis.tables.exploded_columns import CHARGES
from plivo_analysis.values.spans import Span, to_us

if TYPE_CHECKING:
    from pathlib import Path

Serve = Callable[..., Server]
Connect = Callable[..., pva.Client]

METRICS: dict[str, tuple[str, Callable[[Any], pl.DataFrame]]] = {
    "fallback": ("attempts", pva.fallback_rates),
    "fallback of sessions": ("sessions", pva.fallback_rates),
    "outcomes": ("attempts", pva.attempt_outcomes),
    "outcomes of sessions": ("sessions", pva.attempt_outcomes),
    "spend": ("charges", pva.spend),
    "spend of sessions by month": ("sessions", lambda f: pva.spend(f, every="1mo")),
    "success": ("sessions", lambda f: pva.success_rates(f, every="1d", tz="Europe/Paris")),
    "cost": ("sessions", pva.cost_per_verified),
    "paths": ("sessions", pva.channel_paths),
    "reconcile": ("sessions", pva.reconcile),
    "message spend": ("messages", pva.message_spend),
    "delivery": ("messages", lambda f: pva.delivery_rates(f, "error_code")),
}


def load(client: pva.Client, since: str = "90d", until: str | None = None) -> dict[str, Any]:
    sessions = pva.load_sessions(since=since, until=until, client=client)
    return {
        "sessions": sessions,
        "attempts": pva.explode_attempts(sessions),
        "charges": pva.explode_charges(sessions),
        "messages": pva.load_messages(since=since, until=until, client=client),
    }


@pytest.fixture(scope="module")
def account() -> Account:
    return generate(sessions=600)


@pytest.fixture(scope="module")
def full(account: Account, tmp_path_factory: pytest.TempPathFactory) -> Iterator[pva.Client]:
    """A client whose store holds the whole account, for tests that do not change it."""
    options = {"clock": FrozenWallClock(account.now), "requests_per_minute": math.inf}
    store = tmp_path_factory.mktemp("full")
    with (
        Server(account) as server,
        pva.Client(AUTH_ID, AUTH_TOKEN, base_url=server.url, store=store, **options) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def tables(full: pva.Client) -> dict[str, Any]:
    return load(full)


@pytest.fixture
def server(account: Account, serve: Serve) -> Server:
    return serve(account)


@pytest.fixture
def client(server: Server, connect: Connect, tmp_path: Path) -> pva.Client:
    """A client of a store of its own, empty at first."""
    return connect(server, store=tmp_path)


@pytest.mark.parametrize("of", ["files", "memory"])
def test_a_scan_is_the_loaded_table_from_files_and_from_memory(
    of: str, full: pva.Client, server: Server, connect: Connect
) -> None:
    client = full if of == "files" else connect(server)
    for name, loaded in load(client).items():
        assert loaded.height > 0
        assert pva.scan(name, client=client).collect().equals(loaded)


@pytest.mark.parametrize(
    ("since", "until"),
    [("30d", None), ("2026-10-10T01:02:03", "2026-10-20"), ("45d", "12h"), ("3h", None)],
)
def test_a_scan_of_a_range_is_the_loaded_table_of_that_range(
    since: str, until: str | None, full: pva.Client, tables: dict[str, Any]
) -> None:
    for name, loaded in load(full, since, until).items():
        assert loaded.height < tables[name].height
        assert pva.scan(name, since=since, until=until, client=full).collect().equals(loaded)


@pytest.mark.parametrize("call", METRICS)
def test_a_metric_of_a_scan_is_that_of_the_loaded_table(
    call: str, full: pva.Client, tables: dict[str, Any]
) -> None:
    table, metric = METRICS[call]
    expected = metric(tables[table])
    assert expected.height > 0
    assert metric(pva.scan(table, client=full)).equals(expected)


def test_messages_of_a_scan_are_joined_to_attempts(
    full: pva.Client, tables: dict[str, Any]
) -> None:
    join = pva.join_messages(*(pva.scan(name, client=full) for name in ("attempts", "messages")))
    assert repr(join) == repr(pva.join_messages(tables["attempts"], tables["messages"]))


def test_a_scan_asks_the_server_nothing(server: Server, client: pva.Client) -> None:
    assert pva.scan("sessions", client=client).collect().is_empty()
    load(client, "10d")
    asked = len(server.log)
    for name in ("sessions", "attempts", "charges", "messages"):
        assert pva.scan(name, since="90d", client=client).collect().height > 0
    with pva.connect(client) as sql:
        assert sql.sql("FROM sessions").fetchall()
    assert len(server.log) == asked


@pytest.mark.usefixtures("tables")
def test_a_scan_opens_no_day_outside_of_its_range(full: pva.Client) -> None:
    span = Span(*(to_us(datetime(2026, 10, day, tzinfo=UTC)) for day in (10, 12)))
    (files,) = locate(full.store, CHARGES, span)
    assert [path.stem for path in files] == ["2026-10-10", "2026-10-11"]
    outside = pva.scan("charges", since="2020-01-01", until="2020-01-02", client=full)
    assert outside.collect().is_empty()
    assert outside.collect_schema() == pva.scan("charges", client=full).collect_schema()


@pytest.mark.parametrize("table", ["sessions", "attempts", "messages"])
def test_files_that_are_lost_or_damaged_are_made_anew(table: str, client: pva.Client) -> None:
    loaded = load(client)[table]
    folder = client.store.folder
    assert folder is not None
    files = sorted((folder / "parquet" / table).iterdir())
    body = bytearray(files[7].read_bytes())
    body[len(body) // 2] ^= 1
    files[7].write_bytes(body)
    files[9].unlink()
    assert pva.scan(table, client=client).collect().equals(loaded)
    shutil.rmtree(folder / "parquet")
    assert pva.scan(table, client=client).collect().equals(loaded)
    assert sorted((folder / "parquet" / table).iterdir()) == files


def test_what_was_forgotten_is_in_no_later_scan(client: pva.Client) -> None:
    number = load(client)["sessions"]["recipient"][0]
    forget(client, number)
    for name in ("sessions", "attempts", "charges"):
        assert number not in pva.scan(name, client=client).collect()["recipient"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"table": "session"}, "it can be 'sessions' or 'attempts' or 'charges' or 'messages'"),
        ({"table": "sessions", "since": "soon"}, "since is 'soon'"),
        ({"table": "sessions", "since": "1d", "until": "2d"}, "holds no time"),
    ],
)
def test_a_wrong_argument_says_what_would_be_right(
    arguments: dict[str, str], sentence: str, client: pva.Client
) -> None:
    with pytest.raises(FilterError, match=sentence):
        pva.scan(**arguments, client=client)


def test_the_views_hold_the_loaded_tables_and_metrics_take_them(
    full: pva.Client, tables: dict[str, Any]
) -> None:
    with pva.connect(full) as sql:
        assert {name for (name,) in sql.sql("SHOW TABLES").fetchall()} == tables.keys()
        for name, loaded in tables.items():
            view = sql.table(name).pl()
            assert view.columns == loaded.columns
            assert (
                view.cast(dict(loaded.schema))
                .sort(pl.all().exclude(pl.List))
                .equals(loaded.sort(pl.all().exclude(pl.List)))
            )
        fallback = pva.fallback_rates(sql.table("attempts"))
        assert fallback.equals(pva.fallback_rates(tables["attempts"]))
        spent = pva.spend(sql.table("charges"), every="1mo", tz="Europe/Paris")
        assert spent.equals(pva.spend(tables["charges"], every="1mo", tz="Europe/Paris"))


def test_the_views_tell_time_in_utc_and_cannot_be_written(
    full: pva.Client, tables: dict[str, Any]
) -> None:
    first = tables["sessions"]["created_at"][0]
    with pva.connect(full) as sql:
        (day,) = sql.sql("SELECT min(created_at)::DATE FROM sessions").fetchall()
        assert day == (first.date(),)
        for statement in ("DELETE FROM sessions", "INSERT INTO charges FROM charges"):
            with pytest.raises(duckdb.Error):
                sql.execute(statement)


def test_a_folder_with_a_quotation_mark_is_read(
    server: Server, connect: Connect, tmp_path: Path
) -> None:
    client = connect(server, store=tmp_path / "the shop's")
    sessions = pva.load_sessions(since="2026-10-10", until="2026-10-20", client=client)
    with pva.connect(client) as sql:
        assert sql.sql("SELECT count(*) FROM sessions").fetchall() == [(sessions.height,)]


def test_without_duckdb_the_error_names_the_extra(
    client: pva.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    with pytest.raises(pva.PlivoAnalysisError, match=r"pip install 'plivo_analysis\[sql\]'"):
        pva.connect(client)
