"""Rows that were just received: the table is theirs while, and only while, nobody changed it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

import plivo_analysis as pva
from plivo_analysis.api.resources import SESSION_RESOURCE
from plivo_analysis.emulator import Account, Server, generate
from plivo_analysis.errors import PlivoAnalysisWarning, StoreError
from plivo_analysis.maintenance.deletion import forget
from plivo_analysis.storage.database import Database
from plivo_analysis.storage.day_files import parquet_files
from plivo_analysis.storage.recent_rows import RecentRows
from plivo_analysis.storage.records import Day, Records
from plivo_analysis.values.spans import DAY

if TYPE_CHECKING:
    from pathlib import Path

    import polars as pl

Serve = Callable[..., Server]
Connect = Callable[..., pva.Client]
Make = Callable[..., dict[str, Any]]


def parsed_anew(client: pva.Client, connect: Connect, server: Server) -> pl.DataFrame:
    """What a process that received nothing makes of the store's records."""
    folder = client.store.folder
    assert folder is not None
    for path in parquet_files(folder):
        path.unlink()
    frame: pl.DataFrame = pva.scan(
        "sessions", client=connect(server, store=folder.parent)
    ).collect()
    return frame


@pytest.mark.parametrize("on_disk", [True, False])
def test_no_record_is_parsed_a_second_time_for_the_table_of_its_pull(
    *,
    on_disk: bool,
    serve: Serve,
    connect: Connect,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: Any) -> Any:
        raise AssertionError("a record was parsed again")

    server = serve(generate(sessions=500))
    client = connect(server, store=tmp_path if on_disk else False)
    with monkeypatch.context() as patched:
        patched.setattr(Records, "rows", refuse)
        sessions = pva.load_sessions(since="30d", client=client)
        messages = pva.load_messages(since="3d", client=client)
    assert messages.height > 10
    assert sessions.height > 100
    if on_disk:
        assert parsed_anew(client, connect, server).equals(sessions)


def test_the_files_of_closed_days_are_there_while_the_pull_goes_on(
    serve: Serve, connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plivo_analysis.storage.parquet_cache._WORTH_WRITING", 1)
    client = connect(serve(generate(sessions=500)), store=tmp_path)
    counted = []

    def watch(*_: object) -> None:
        folder = client.store.folder
        counted.append(0 if folder is None else len(parquet_files(folder)))

    pva.load_sessions(since="2026-10-01", until="2026-10-20", client=client, progress=watch)
    assert counted[-1] == 3 * 19  # sessions, attempts and charges of each day
    assert len(set(counted)) > len(counted) / 2


def test_what_another_process_wrote_between_two_pulls_is_in_the_table(
    serve: Serve, connect: Connect, session: Make, tmp_path: Path
) -> None:
    waiting = session(timedelta(hours=5), status="in-progress")
    account = Account.of([waiting, *(session(timedelta(minutes=20 * n)) for n in range(1, 60))])
    server = serve(account)
    ours, other = connect(server, store=tmp_path), connect(server, store=tmp_path)
    pva.load_sessions(since="2h", client=ours)
    pva.load_sessions(since="10h", client=other)
    account.replace({**waiting, "status": "verified"})
    pva.load_sessions(since="10h", client=ours)
    loaded = pva.load_sessions(since="24h", client=other)
    assert set(loaded["status"]) == {"verified"}
    assert loaded.height == 60
    assert pva.load_sessions(since="24h", client=ours).equals(loaded)
    assert parsed_anew(ours, connect, server).equals(loaded)


def test_a_record_that_settles_or_moves_to_another_day_comes_once(
    serve: Serve, connect: Connect, session: Make
) -> None:
    waiting = session(timedelta(hours=3), status="in-progress")
    moving = session(timedelta(hours=4), status="in-progress")
    account = Account.of([waiting, moving, session(timedelta(hours=30))])
    client = connect(serve(account))
    assert pva.load_sessions(since="3d", client=client).height == 3
    account.replace({**waiting, "status": "verified"})
    before = session(timedelta(hours=31))["created_at"]
    account.replace({**moving, "status": "expired", "created_at": before})
    with pytest.warns(PlivoAnalysisWarning, match="had changed"):
        frame = pva.load_sessions(since="3d", client=client, verify=True)
    assert frame["status"].to_list() == ["expired", "verified", "verified"]
    assert frame["created_at"].is_sorted()


def test_a_number_that_was_forgotten_is_not_kept_in_memory(serve: Serve, connect: Connect) -> None:
    client = connect(serve(generate(sessions=60)))
    number = pva.load_sessions(since="90d", client=client)["recipient"][0]
    forget(client, number)
    assert number not in pva.scan("sessions", client=client).collect()["recipient"]
    assert number not in repr(vars(client.store.recent))


def test_a_page_that_could_not_be_kept_is_in_no_table(
    serve: Serve, connect: Connect, session: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = Account.of([session(timedelta(hours=3))])
    client = connect(serve(account))
    pva.load_sessions(since="24h", client=client)
    account.insert(session(timedelta(minutes=5)))
    run = Database.run

    def fail(self: Database, statement: str, values: Any = ()) -> Any:
        if statement == "COMMIT" and self.run("SELECT count(*) FROM record") == [(2,)]:
            raise StoreError("no room")
        return run(self, statement, values)

    with monkeypatch.context() as patched:
        patched.setattr(Database, "run", fail)
        with pytest.raises(StoreError):
            pva.load_sessions(since="24h", client=client)
    assert pva.scan("sessions", client=client).collect().height == 1


def test_no_more_rows_are_kept_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("plivo_analysis.storage.recent_rows._MOST", 3)
    monkeypatch.setattr("plivo_analysis.storage.recent_rows._AT_ONCE", 1)
    recent = RecentRows()
    row = dict.fromkeys(SESSION_RESOURCE.table.names)
    for day in range(3):
        rows = [{**row, "session_uuid": f"{number}"} for number in range(2)]
        recent.add(SESSION_RESOURCE, day * DAY, rows, changes=2, after=2)
        recent.make_columns(SESSION_RESOURCE)
    found = [recent.of(SESSION_RESOURCE, Day(day * DAY, 2, 2)) for day in range(3)]
    assert [frame is None for frame in found] == [True, True, False]
    assert recent.of(SESSION_RESOURCE, Day(2 * DAY, 2, 3)) is None
