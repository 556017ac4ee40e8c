"""Segments: the answer is the store's, whatever happened to the files."""

from __future__ import annotations

import sqlite3
import stat
from collections.abc import Callable
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import plivo_analysis as pva
from plivo_analysis.api.filters import Filter
from plivo_analysis.api.resources import MESSAGE_RESOURCE, SESSION_RESOURCE
from plivo_analysis.emulator import Account, Server, generate
from plivo_analysis.emulator.account import DEFAULT_NOW as NOW
from plivo_analysis.errors import PlivoAnalysisWarning
from plivo_analysis.storage import parquet_cache
from plivo_analysis.storage.day_files import parquet_files
from plivo_analysis.storage.filtering import chosen, matches
from plivo_analysis.storage.parquet_cache import read
from plivo_analysis.storage.records import change_day
from plivo_analysis.values.spans import DAY, Span, to_us

if TYPE_CHECKING:
    from pathlib import Path

Serve = Callable[..., Server]
Connect = Callable[..., pva.Client]
Make = Callable[..., dict[str, Any]]

CLOSED = {"since": date(2026, 10, 10), "until": date(2026, 10, 20)}
HOUR = timedelta(hours=1)


@pytest.fixture
def loaded(serve: Serve, connect: Connect, tmp_path: Path) -> tuple[pva.Client, pl.DataFrame]:
    """A client that has ten whole days in its store, and their sessions."""
    client = connect(serve(generate(sessions=900)), store=tmp_path)
    return client, pva.load_sessions(**CLOSED, client=client)


def files(client: pva.Client, table: str = "sessions") -> list[Path]:
    folder = client.store.folder
    assert folder is not None
    return [path for path in parquet_files(folder) if path.parent.name == table]


def delete_rows(client: pva.Client) -> None:
    """Take the records from under the store, so that only files can answer."""
    assert client.store.path is not None
    connection = sqlite3.connect(client.store.path)
    with connection:
        connection.execute("DELETE FROM record")
    connection.close()


def test_a_complete_day_is_answered_from_its_file(
    loaded: tuple[pva.Client, pl.DataFrame],
) -> None:
    client, frame = loaded
    assert [path.stem for path in files(client)] == [f"2026-10-{day}" for day in range(10, 20)]
    delete_rows(client)
    assert pva.load_sessions(**CLOSED, client=client).equals(frame)


@pytest.mark.parametrize("since", ["2026-10-10", "2026-10-12T07:30:00", "2026-10-15"])
@pytest.mark.parametrize("until", ["2026-10-15T00:00:01", "2026-10-18T23:59:59.999999"])
def test_a_range_that_cuts_days_gives_exactly_its_rows(
    since: str, until: str, loaded: tuple[pva.Client, pl.DataFrame]
) -> None:
    client, frame = loaded
    at = [pl.lit(text).str.to_datetime(time_zone="UTC") for text in (since, until)]
    inside = frame.filter((pl.col("created_at") >= at[0]) & (pl.col("created_at") < at[1]))
    assert inside.height < frame.height
    assert pva.load_sessions(since=since, until=until, client=client).equals(inside)


def test_rows_come_by_instant_and_key_from_files_and_store_alike(
    serve: Serve, connect: Connect, session: Make, tmp_path: Path
) -> None:
    ties = [session(ago) for ago in (50 * HOUR, 50 * HOUR, 74 * HOUR, 50 * HOUR, 2 * HOUR)]
    client = connect(serve(Account.of(ties)), store=tmp_path)
    for _ in range(2):
        frame = pva.load_sessions(since="5d", client=client)
        assert frame.equals(frame.sort("created_at", "session_uuid"))
        assert frame.height == 5


def test_the_derived_tables_are_those_of_the_sessions(
    loaded: tuple[pva.Client, pl.DataFrame],
) -> None:
    client, frame = loaded
    for table, explode in (("attempts", pva.explode_attempts), ("charges", pva.explode_charges)):
        assert pl.read_parquet(files(client, table)).equals(explode(frame))


def test_other_engines_read_the_files_in_one_line(
    loaded: tuple[pva.Client, pl.DataFrame],
) -> None:
    client, frame = loaded
    pattern = f"{client.store.folder}/parquet/attempts/*.parquet"
    (told,) = duckdb.read_parquet(pattern).aggregate("count(*), sum(charge)").fetchall()
    attempts = pl.scan_parquet(pattern).collect()
    assert told == (attempts.height, attempts["charge"].sum())
    assert attempts.height == frame["attempts"].sum()


def damage_nothing(path: Path) -> None:
    path.touch()


def lose(path: Path) -> None:
    path.unlink()


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-100])


def flip_a_bit(path: Path) -> None:
    body = bytearray(path.read_bytes())
    body[len(body) // 2] ^= 1
    path.write_bytes(body)


def put_another_day(path: Path) -> None:
    path.write_bytes((path.parent / "2026-10-11.parquet").read_bytes())


def put_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "inside").touch()


@pytest.mark.parametrize("harm", [damage_nothing, lose, cut_short, flip_a_bit, put_another_day])
@pytest.mark.parametrize("table", ["sessions", "charges"])
def test_a_file_that_is_not_what_was_written_is_made_anew(
    table: str, harm: Callable[[Path], None], loaded: tuple[pva.Client, pl.DataFrame]
) -> None:
    client, frame = loaded
    victim = files(client, table)[5]
    before = victim.read_bytes()
    harm(victim)
    assert pva.load_sessions(**CLOSED, client=client).equals(frame)
    if table == "sessions" or harm in (lose, cut_short):
        assert victim.read_bytes() == before
    assert pva.load_sessions(**CLOSED, client=client).equals(frame)
    assert pva.scan(table, client=client).collect().height == sum(
        pl.read_parquet(path).height for path in files(client, table)
    )
    assert victim.read_bytes() == before


def test_files_that_cannot_be_written_spoil_no_answer(
    loaded: tuple[pva.Client, pl.DataFrame],
) -> None:
    client, frame = loaded
    put_a_folder(files(client)[3])
    with pytest.warns(PlivoAnalysisWarning, match="No Parquet files were written"):
        assert pva.load_sessions(**CLOSED, client=client).equals(frame)


def test_a_record_that_changes_is_in_the_next_answer_and_in_its_file(
    serve: Serve, connect: Connect, session: Make, tmp_path: Path
) -> None:
    waiting = session(50 * HOUR, status="in-progress")
    account = Account.of([waiting, session(51 * HOUR)])
    client = connect(serve(account), store=tmp_path)
    assert "in-progress" in pva.load_sessions(since="4d", client=client)["status"].to_list()
    account.replace({**waiting, "status": "expired"})
    for _ in range(2):
        assert "expired" in pva.load_sessions(since="4d", client=client)["status"].to_list()
    assert set(pl.read_parquet(files(client))["status"]) == {"expired", "verified"}


def test_a_record_whose_instant_moves_to_another_day_comes_once(
    serve: Serve, connect: Connect, session: Make, tmp_path: Path
) -> None:
    waiting = session(50 * HOUR, status="in-progress")
    account = Account.of([waiting, session(51 * HOUR), session(75 * HOUR)])
    client = connect(serve(account), store=tmp_path)
    assert pva.load_sessions(since="5d", client=client).height == 3
    moved = session(75 * HOUR)["created_at"]
    account.replace({**waiting, "status": "verified", "created_at": moved})
    frame = pva.load_sessions(since="5d", client=client, verify=True, progress=False)
    assert frame["session_uuid"].n_unique() == frame.height == 3


def test_a_day_that_is_not_complete_or_only_under_a_filter_has_no_file(
    serve: Serve, connect: Connect, tmp_path: Path
) -> None:
    client = connect(serve(generate(sessions=300)), store=tmp_path)
    pva.load_sessions(**CLOSED, status="verified", client=client)
    assert files(client) == []
    pva.load_sessions(since="2026-10-10T01:00", until="2026-10-10T20:00", client=client)
    assert files(client) == []
    pva.load_sessions(since="24h", client=client)
    assert files(client) == []


def test_the_day_at_the_edge_of_what_the_server_has_counts_as_complete(
    serve: Serve, connect: Connect, tmp_path: Path
) -> None:
    client = connect(serve(generate(sessions=300)), store=tmp_path)
    pva.load_sessions(since="90d", client=client)
    assert files(client)[0].stem == (NOW - timedelta(days=90)).strftime("%Y-%m-%d")


def test_a_day_that_changed_while_its_file_was_made_gets_none(
    loaded: tuple[pva.Client, pl.DataFrame],
) -> None:
    client, frame = loaded
    store, folder = client.store, client.store.folder
    assert folder is not None
    first = to_us(frame["created_at"][0])
    (day,) = store.records(SESSION_RESOURCE).days(Span(first, first + 1))
    with store.writing():
        change_day(store.database, "sessions", day.start)
    path = files(client)[0]
    path.unlink()
    parquet_cache._write(store, SESSION_RESOURCE, [day], frame)
    assert not path.exists()
    assert not any(path.name.startswith(".") for path in parquet_files(folder))


def test_a_store_in_memory_writes_no_files(serve: Serve, connect: Connect) -> None:
    client = connect(serve(generate(sessions=100)))
    assert pva.load_sessions(**CLOSED, client=client).height > 0
    assert client.store.folder is None


def test_files_and_folders_are_the_users_alone(loaded: tuple[pva.Client, pl.DataFrame]) -> None:
    client, _ = loaded
    for path in files(client):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_session_beyond_all_bounds_of_money_leaves_other_days_their_files(
    serve: Serve, connect: Connect, session: Make, tmp_path: Path
) -> None:
    huge = session(50 * HOUR)
    huge["charges"]["attempt_charges"] = [
        {"attempt_uuid": f"{n}", "channel": "sms", "charge": "999999999.99999999"}
        for n in range(12)
    ]
    with pytest.raises(pva.SchemaError, match="more than 18 digits"):
        pva.explode_charges(
            pva.load_sessions(client=connect(serve(Account.of([huge]))), since="4d")
        )
    account = Account.of([huge, session(51 * HOUR), session(76 * HOUR)])
    client = connect(serve(account), store=tmp_path)
    for _ in range(2):
        assert pva.load_sessions(since="5d", client=client).height == 3
    written = {path.stem for path in files(client)}
    assert written == {(NOW - 76 * HOUR).strftime("%Y-%m-%d")}


@pytest.mark.parametrize(
    "filters",
    [
        {"status": "verified"},
        {"status": "in-progress"},
        {"country": "US", "status": "expired"},
        {"brand_name": "Shop"},
    ],
)
def test_a_filter_gives_the_same_rows_from_files_as_from_the_store(
    filters: dict[str, str], serve: Serve, connect: Connect, tmp_path: Path
) -> None:
    server = serve(generate(sessions=600))
    stored = connect(server, store=tmp_path)
    pva.load_sessions(**CLOSED, client=stored)
    fresh = pva.load_sessions(**CLOSED, client=connect(server), **filters)
    assert pva.load_sessions(**CLOSED, client=stored, **filters).equals(fresh)


NUMBERS = st.one_of(
    st.none(),
    st.sampled_from(
        [
            "14155550123",
            "+1 415-555-0123",
            "0014155550123",
            "141XXXXX123",
            "PLVSMS",
            "plvsms",
            "",
            "4155550123",
        ]
    ),
    st.text(alphabet="0123456789+X ", max_size=12),
)
WORDS = st.one_of(st.none(), st.sampled_from(["verified", "Verified", "in progress", "delivered"]))
CODES = st.one_of(st.none(), st.sampled_from(["000", "0", "00", "450", "0450", " 450 "]))
FILTERS = [
    Filter.of(SESSION_RESOURCE, recipient="14155550123"),
    Filter.of(SESSION_RESOURCE, recipient="14155550123", status="verified"),
    Filter.of(SESSION_RESOURCE, status="in-progress", brand_name="Shop"),
    Filter.of(MESSAGE_RESOURCE, from_number="PLVSMS"),
    Filter.of(MESSAGE_RESOURCE, to_number="14155550123", error_code="000"),
    Filter.of(MESSAGE_RESOURCE, message_state="delivered", error_code="450"),
]


@pytest.mark.parametrize("asked", FILTERS, ids=repr)
@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.tuples(NUMBERS, WORDS, CODES), max_size=12))
def test_a_filter_on_columns_says_what_it_says_of_each_row(
    asked: Filter,
    rows: list[tuple[str | None, str | None, str | None]],
) -> None:
    records = [
        {
            "key": str(place),
            "recipient": number,
            "from_number": number,
            "to_number": number,
            "status": word,
            "message_state": word,
            "error_code": code,
        }
        for place, (number, word, code) in enumerate(rows)
    ]
    schema = dict.fromkeys(
        [
            "key",
            "recipient",
            "from_number",
            "to_number",
            "status",
            "message_state",
            "error_code",
        ],
        pl.String,
    )
    frame = pl.DataFrame(records, schema=schema)
    said = [asked.matches(record) for record in records]
    assert matches(frame, asked).to_list() == said
    listed = {"0", "3"}
    expected = [
        record["key"]
        for record, match in zip(records, said, strict=True)
        if (record["key"] in listed if match is None or (match and asked.unverifiable) else match)
    ]
    assert chosen(frame, asked, "key", listed)["key"].to_list() == expected


def test_reading_far_beyond_what_is_stored_gives_an_empty_table(
    loaded: tuple[pva.Client, pl.DataFrame],
) -> None:
    client, frame = loaded
    empty = read(client.store, SESSION_RESOURCE, Span(0, DAY))
    assert empty.schema == frame.schema
    assert empty.height == 0
