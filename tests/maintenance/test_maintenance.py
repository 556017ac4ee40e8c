"""Upkeep: the state told, everything handed out, what is removed gone for good."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
import traceback
import zlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl
import pytest
from tqdm.auto import tqdm

import plivo_analysis as pva
from plivo_analysis.api.filters import Filter
from plivo_analysis.api.resources import SESSION_RESOURCE
from plivo_analysis.cli import main
from plivo_analysis.cli.maintenance import _lines
from plivo_analysis.emulator import Account, Behaviour, Fault, Server, generate
from plivo_analysis.emulator.account import DEFAULT_NOW as NOW
from plivo_analysis.errors import PlivoAnalysisWarning
from plivo_analysis.maintenance import deletion
from plivo_analysis.maintenance.deletion import forget, purge
from plivo_analysis.maintenance.doctor import examine
from plivo_analysis.maintenance.export import export
from plivo_analysis.maintenance.status import status
from plivo_analysis.storage.day_files import parquet_files
from plivo_analysis.storage.store import Store
from plivo_analysis.sync.pull import Question, pull
from plivo_analysis.values.spans import EVER

if TYPE_CHECKING:
    from pathlib import Path

Serve = Callable[..., Server]
Connect = Callable[..., pva.Client]
Make = Callable[..., dict[str, Any]]

# Some records here are unfit on purpose; that a loader says so is for its own tests.
pytestmark = pytest.mark.filterwarnings("ignore:.* of this range set aside")

HOUR = timedelta(hours=1)
NUMBER = "14155550187"
SPELT = "+1 (415) 555-0187"


def everything(client: pva.Client) -> bytes:
    """All that any file of the account says, packed or not."""
    folder = client.store.folder
    assert folder is not None
    parts = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    parts += [str(pl.read_parquet(path).to_dicts()).encode() for path in parquet_files(folder)]
    connection = sqlite3.connect(folder / "store.sqlite")
    parts += [zlib.decompress(body) for (body,) in connection.execute("SELECT body FROM page")]
    connection.close()
    return b"\n".join(parts)


# Status


def test_status_tells_what_is_kept_how_fresh_and_what_may_change(
    serve: Serve, connect: Connect, session: Make, tmp_path: Path
) -> None:
    rows = [session(3 * HOUR, status="in-progress"), session(40 * HOUR)]
    unpriced = session(4 * HOUR, charges={"total_charge": None})
    odd = session(5 * HOUR, attempt_details={})
    client = connect(serve(Account.of([*rows, unpriced, odd])), store=tmp_path)
    pva.load_sessions(since="3d", client=client)
    pva.load_sessions(since="5d", until="3d", recipient=SPELT, client=client)
    found = status(client)
    sessions, messages = found.holdings
    assert (sessions.records, sessions.open, sessions.not_final, sessions.set_aside) == (3, 1, 2, 1)
    assert (sessions.first, sessions.last) == (NOW - 40 * HOUR, NOW - 3 * HOUR)
    assert sessions.complete == [(NOW - timedelta(days=3), NOW - timedelta(minutes=15))]
    assert sessions.read_at == NOW
    assert sessions.filters == ["recipient=1 ••• ••• ••87"]
    assert sessions.pages == 5  # the end of each range is proven by one more
    assert (messages.records, messages.complete, messages.first) == (0, [], None)
    assert found.journal == "wal"
    assert found.path == client.store.path
    assert found.size > 0
    assert found.parquet_files == 3
    assert not found.deletion_unfinished


def test_status_says_in_words_what_was_learnt_of_the_server(serve: Serve, connect: Connect) -> None:
    odd = Behaviour(order="random", longest_range=timedelta(days=30))
    client = connect(serve(generate(sessions=60), behaviour=odd))
    pva.load_sessions(since="60d", client=client)
    printed = "\n".join(_lines(status(client)))
    assert "sessions: at most 30 days a request (seen 2026-11-02)" in printed
    assert "sessions: listed in no order of time (seen 2026-11-02)" in printed
    assert str(30 * 86_400_000_000) not in printed


def test_coverage_and_status_show_no_number_in_clear(
    serve: Serve, connect: Connect, session: Make
) -> None:
    client = connect(serve(Account.of([session(recipient=NUMBER)])))
    pva.load_sessions(recipient=NUMBER, client=client)
    assert "recipient=1 ••• ••• ••87" in pva.coverage(client=client)["filters"].to_list()
    assert NUMBER not in str(status(client))


def test_status_names_damaged_stores_that_were_put_aside(
    serve: Serve, connect: Connect, tmp_path: Path
) -> None:
    client = connect(serve(generate(sessions=20)), store=tmp_path)
    path = client.store.path
    client.close()
    assert path is not None
    path.write_bytes(b"nothing of ours" * 100)
    with pytest.raises(pva.StoreError, match="quarantined"):
        status(client)
    assert [each.name.split("-")[0] for each in status(client).quarantined] == [
        "store.sqlite.damaged"
    ]


# Export


@pytest.fixture
def loaded(serve: Serve, connect: Connect, tmp_path: Path) -> pva.Client:
    """A client with sessions and messages of 14 days in its store."""
    client = connect(serve(generate(sessions=400)), store=tmp_path / "store")
    pva.load_sessions(since="14d", client=client)
    pva.load_messages(since="14d", client=client)
    return client


def test_an_export_holds_every_table_and_other_engines_read_it_in_one_line(
    loaded: pva.Client, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    made = export(loaded, out)
    sessions = pva.load_sessions(since="14d", client=loaded)
    tables = {
        "sessions": sessions,
        "attempts": pva.explode_attempts(sessions),
        "charges": pva.explode_charges(sessions),
        "messages": pva.load_messages(since="14d", client=loaded),
    }
    for name, frame in tables.items():
        assert pl.scan_parquet(f"{out}/{name}/*.parquet").collect().equals(frame)
        assert pl.scan_parquet(out / name).collect().equals(frame)
        assert duckdb.read_parquet(f"{out}/{name}/*.parquet").shape[0] == frame.height
        assert made.rows[name] == frame.height
    assert pva.spend(duckdb.read_parquet(f"{out}/charges/*.parquet")).equals(pva.spend(sessions))


@pytest.mark.parametrize("recipients", ["masked", "pseudonym"])
def test_an_export_can_hide_every_number(
    recipients: str, loaded: pva.Client, tmp_path: Path
) -> None:
    export(loaded, tmp_path / "out", recipients=recipients)
    numbers = set(pva.load_sessions(since="14d", client=loaded)["recipient"])
    for table in ("sessions", "attempts", "charges"):
        shown = set(pl.read_parquet(tmp_path / "out" / table)["recipient"])
        assert shown
        assert not shown & numbers


def test_an_export_is_the_users_alone_and_made_equal_to_the_store_by_the_next(
    loaded: pva.Client, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    before = os.umask(0)
    try:
        export(loaded, out)
    finally:
        os.umask(before)
    assert {stat.S_IMODE(path.stat().st_mode) for path in out.glob("*/*")} == {0o600}
    (out / "sessions" / "mine.txt").touch()
    purge(loaded, "7d")
    made = export(loaded, out)
    assert pl.read_parquet(f"{out}/sessions/*.parquet").height == made.rows["sessions"]
    assert min(path.stem for path in out.glob("sessions/*.parquet")) >= "2026-10-26"
    assert (out / "sessions" / "mine.txt").exists()
    assert status(loaded).exports == [str(out)]


def test_an_export_that_cannot_be_is_refused(loaded: pva.Client, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(pva.FilterError, match="is a file; give a folder"):
        export(loaded, tmp_path / "file")
    with pytest.raises(pva.FilterError, match="'full' or 'masked' or 'pseudonym'"):
        export(loaded, tmp_path / "out", recipients="hidden")


# Purge


def test_a_purge_leaves_nothing_older_in_any_file_and_everything_younger(
    serve: Serve, connect: Connect, session: Make, tmp_path: Path
) -> None:
    old = session(60 * HOUR, recipient=NUMBER, alias="an old word")
    young = session(30 * HOUR)
    odd = session(61 * HOUR, attempt_details={}, alias="an old word")
    account = Account.of([old, young, odd])
    client = connect(serve(account), store=tmp_path)
    pva.load_sessions(since="5d", client=client)
    account.replace({**old, "updated_at": young["updated_at"]})
    with pytest.warns(PlivoAnalysisWarning, match="1 sessions were new or had changed"):
        pva.load_sessions(since="5d", client=client, verify=True)
    assert b"an old word" in everything(client)
    removed = purge(client, NOW - 48 * HOUR)
    assert removed.records == 2
    assert b"an old word" not in everything(client)
    assert NUMBER.encode() not in everything(client)
    assert young["session_uuid"].encode() in everything(client)
    states = pva.coverage(since="5d", client=client)
    assert states["state"].to_list() == ["missing", "complete", "live"]
    assert states["start"][1] == NOW - 48 * HOUR
    assert pva.load_sessions(since="5d", client=client).height == 2  # read again, the odd one too


def test_what_was_purged_and_is_gone_from_the_server_is_named_not_left_out_in_silence(
    serve: Serve, connect: Connect, session: Make, tmp_path: Path
) -> None:
    account = Account.of([session(timedelta(days=89))])
    client = connect(serve(account), store=tmp_path)
    span = {"since": NOW - timedelta(days=90), "until": NOW - timedelta(days=80), "client": client}
    pva.load_sessions(**span)
    account.now = NOW + timedelta(days=30)
    purge(client, NOW - timedelta(days=85))
    with pytest.raises(pva.IncompletePullError, match="Not stored and older than 90 days"):
        pva.load_sessions(**span)


# Forget


def told_of(number: str, session: Make) -> list[dict[str, Any]]:
    """Sessions that hold a number in every place and spelling, and one of somebody else."""
    return [
        session(30 * HOUR, recipient=number),
        session(31 * HOUR, recipient=SPELT),
        session(32 * HOUR, recipient=number, attempt_details={}),
        session(33 * HOUR, alias=f"asked by\n{number}"),
        session(34 * HOUR, unknown_field={"caller": [int(number)]}),
        session(35 * HOUR, recipient="14155550199"),
    ]


def message(number: str) -> dict[str, Any]:
    return {
        "message_uuid": "51e965f3-65a5-4ca0-9542-571541180091",
        "message_time": f"{NOW - 30 * HOUR:%Y-%m-%d %H:%M:%S}+00:00",
        "message_state": "delivered",
        "message_direction": "outbound",
        "from_number": "PLVSMS",
        "to_number": number,
        "total_amount": "0.0077",
    }


@pytest.fixture
def told(serve: Serve, connect: Connect, session: Make, tmp_path: Path) -> pva.Client:
    """A client whose store holds a number in every way it can."""
    rows = told_of(NUMBER, session)
    account = Account.of(rows, [message(NUMBER)])
    client = connect(serve(account), store=tmp_path)
    pva.load_sessions(since="5d", client=client)
    pva.load_messages(since="5d", client=client)
    pva.load_sessions(since="9d", until="5d", recipient=NUMBER, client=client)
    pva.load_sessions(since="5d", brand_name="Shop", recipient=NUMBER, client=client)
    account.replace({**rows[0], "locale": "en"})
    with pytest.warns(PlivoAnalysisWarning, match="1 sessions were new or had changed"):
        pva.load_sessions(since="5d", client=client, verify=True)
    assert everything(client).count(NUMBER.encode()) > 10
    return client


def test_a_number_that_is_forgotten_is_in_no_file(told: pva.Client) -> None:
    assert forget(told, SPELT).records == 6
    left = everything(told)
    for spelling in (NUMBER, SPELT, NUMBER[1:]):
        assert spelling.encode() not in left
    assert b"14155550199" in left
    frame = pva.load_sessions(since="5d", client=told)
    assert frame["recipient"].to_list() == ["14155550199"]
    assert status(told).forgotten == 1


def test_pages_that_records_were_cut_out_of_are_marked(told: pva.Client) -> None:
    forget(told, NUMBER)
    pages = told.store.database.run("SELECT redacted FROM page WHERE resource = 'sessions'")
    assert max(redacted for (redacted,) in pages) == 5


def test_a_number_that_is_forgotten_does_not_come_back(told: pva.Client) -> None:
    forget(told, NUMBER)
    pva.load_sessions(since="5d", client=told, verify=True)
    pva.load_sessions(since="20d", client=told)
    pva.load_messages(since="20d", client=told, verify=True)
    assert NUMBER.encode() not in everything(told)
    assert NUMBER not in pva.load_sessions(since="20d", client=told)["recipient"].to_list()


def test_asking_for_what_was_forgotten_is_refused_without_a_request(
    told: pva.Client, serve: Serve, session: Make
) -> None:
    key = pva.load_sessions(since="5d", recipient=NUMBER, client=told)["session_uuid"][0]
    forget(told, NUMBER)
    with pytest.raises(pva.FilterError, match="recipient is a number that was forgotten"):
        pva.load_sessions(since="5d", recipient=SPELT, client=told)
    with pytest.raises(pva.FilterError, match="to_number is a number that was forgotten"):
        pva.load_messages(since="5d", to_number=NUMBER, client=told)
    with pytest.raises(pva.FilterError, match="of a number that was forgotten"):
        pva.load_session(key, client=told)
    assert NUMBER.encode() not in everything(told)


def test_other_records_are_as_they_were_after_a_number_was_forgotten(
    loaded: pva.Client, tmp_path: Path
) -> None:
    frame = pva.load_sessions(since="14d", client=loaded)
    number = frame["recipient"][7]
    forget(loaded, number)
    rest = frame.filter(pl.col("recipient") != number)
    assert pva.load_sessions(since="14d", client=loaded).equals(rest)


BARRIERS = ["Store._delete", "Database.secure_vacuum", "Store.end_deletion"]
KILLED = """
import os, signal, sys
from pathlib import Path
from plivo_analysis.storage.parquet_cache import discard_stale
from plivo_analysis.storage.store import Store
from plivo_analysis.storage.database import Database
kind, name = sys.argv[2].split(".")
place = {"Store": Store, "Database": Database}[kind]
setattr(place, name, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
store = Store(Path(sys.argv[1]))
store.forget(sys.argv[3])
discard_stale(store)
store.database.secure_vacuum()
store.end_deletion()
"""


@pytest.mark.parametrize("barrier", BARRIERS)
def test_a_removal_that_was_killed_is_told_and_finished_by_the_next(
    barrier: str, told: pva.Client
) -> None:
    folder = told.store.folder
    assert folder is not None
    told.close()
    worker = subprocess.run(
        [sys.executable, "-c", KILLED, str(folder), barrier, NUMBER], check=False, timeout=60
    )
    assert worker.returncode == -9
    assert status(told).deletion_unfinished
    forget(told, NUMBER)
    assert not status(told).deletion_unfinished
    assert NUMBER.encode() not in everything(told)
    assert b"14155550199" in everything(told)


@pytest.mark.parametrize(
    "finish",
    [lambda client: purge(client, "80d"), lambda client: forget(client, "14155550123")],
    ids=["purge", "another number"],
)
def test_another_removal_finishes_one_that_was_cut_short(
    finish: Callable[[pva.Client], Any], told: pva.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Store, "_delete", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            forget(told, NUMBER)
    assert NUMBER.encode() in everything(told)
    assert finish(told).records == 6
    assert NUMBER.encode() not in everything(told)
    assert not status(told).deletion_unfinished


def test_a_reader_that_keeps_the_log_is_named(told: pva.Client, monkeypatch: Any) -> None:
    other = Store(told.store.folder)
    with other.reading():
        other.records(SESSION_RESOURCE).count(EVER)
        told.store.database.run("PRAGMA busy_timeout=10")
        with pytest.raises(pva.StoreError, match=r"Another program reads the store.*again") as busy:
            forget(told, NUMBER)
    frames = traceback.TracebackException.from_exception(busy.value, capture_locals=True).stack
    ours = [frame for frame in frames if "tests" not in frame.filename]
    assert NUMBER not in str([(frame.name, frame.locals) for frame in ours])
    assert [frame.name for frame in ours] == ["shielded"]
    other.close()
    assert status(told).deletion_unfinished
    forget(told, NUMBER)
    assert NUMBER.encode() not in everything(told)


def test_the_filter_that_asked_for_a_number_holds_it_in_no_file(
    serve: Serve, connect: Connect, tmp_path: Path
) -> None:
    client = connect(serve(Account.of()), store=tmp_path)
    asked = {"recipient": NUMBER, "status": "verified"}
    pva.load_sessions(since="5d", client=client, **asked)
    assert NUMBER.encode() not in everything(client)
    shown = "recipient=1 ••• ••• ••87, status=verified"
    assert status(client).holdings[0].filters == [shown]
    assert shown in pva.coverage(since="5d", client=client)["filters"].to_list()
    forget(client, NUMBER)
    assert status(client).holdings[0].filters == []
    assert "••87".encode() not in everything(client)


class ForgetsAfterAPage:
    """Watches a pull, and forgets the number that it asks for while it is under way."""

    def __init__(self, client: pva.Client) -> None:
        self.client = client

    def page(self, **_: Any) -> None:
        forget(self.client, NUMBER)

    def waiting(self, seconds: float) -> None:
        pass


def test_a_pull_of_a_number_that_is_forgotten_meanwhile_ends_and_writes_nothing_back(
    serve: Serve, connect: Connect, session: Make, tmp_path: Path
) -> None:
    rows = [session(n * HOUR, recipient=NUMBER) for n in range(1, 80)]
    server = serve(Account.of(rows))
    pulling, other = (connect(server, store=tmp_path) for _ in range(2))
    asked = Filter.of(SESSION_RESOURCE, recipient=NUMBER)
    question = Question(
        asked,
        lambda now: (now - timedelta(days=5), now),
    )
    with pytest.raises(pva.FilterError, match="names a number that was forgotten"):
        pull(pulling, question, watch=ForgetsAfterAPage(other))
    assert len(server.log) == 2
    pulling.close()
    assert NUMBER.encode() not in everything(other)
    for table in ("record", "scope", "listed", "completed_range", "checkpoint", "lease"):
        scopes = other.store.database.run(f"SELECT * FROM {table}")  # noqa: S608 - names above
        assert scopes == [], table


TWO_NUMBERS = """
import sys
from pathlib import Path
from plivo_analysis.storage.store import Store
store = Store(Path(sys.argv[1]))
store.forget(sys.argv[2])
store.close()
"""


def test_two_who_forget_at_once_write_nothing_back_that_the_other_removed(
    serve: Serve, connect: Connect, session: Make, tmp_path: Path
) -> None:
    numbers = [f"141555501{n}" for n in range(80, 84)]
    rows = [session(n * HOUR / 10, recipient=numbers[n % 4]) for n in range(600)]
    kept = session(61 * HOUR, recipient="14155550199")
    client = connect(serve(Account.of([*rows, kept])), store=tmp_path)
    pva.load_sessions(since="5d", client=client)
    folder = str(client.store.folder)
    workers = [
        subprocess.Popen([sys.executable, "-c", TWO_NUMBERS, folder, number], stderr=-1, text=True)
        for number in numbers
    ]
    for worker in workers:
        _, said = worker.communicate(timeout=120)
        assert (worker.returncode, said) == (0, "")
    purge(client, "90d")  # finishes what they noted
    left = everything(client)
    assert not any(number.encode() in left for number in numbers)
    assert b"14155550199" in left


def test_a_subaccounts_store_in_the_same_home_is_named(
    environment: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    main_account = environment.account.auth_id
    monkeypatch.setenv("PLIVO_AUTH_ID", "SAXXXXXXXXXXXXXXXXXX")
    assert main(["status"]) == 0
    monkeypatch.setenv("PLIVO_AUTH_ID", main_account)
    assert main(["forget", "--recipient", SPELT]) == 0
    (line,) = [said for said in capsys.readouterr().out.splitlines() if "It may still" in said]
    assert "SAXXXXXXXXXXXXXXXXXX, another account's store: run forget for it too" in line


@pytest.mark.parametrize("delete", [lambda c: purge(c, "2d"), lambda c: forget(c, NUMBER)])
def test_a_deletion_says_how_far_it_is(
    delete: Callable[..., Any], told: pva.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[int] = []

    class Bar(tqdm):
        def update(self, n: int = 1) -> None:
            super().update(n)
            shown.append(self.n)

    monkeypatch.setattr(deletion, "tqdm", Bar)
    monkeypatch.setattr(deletion, "somebody_reads", lambda: True)
    delete(told)
    assert shown == sorted(shown)
    assert len(shown) > 3
    assert 0 <= shown[0] < shown[-1] == 100


def test_a_purge_leaves_pages_alone_that_are_wholly_younger(told: pva.Client) -> None:
    pages = told.store.database.run("SELECT id, body FROM page")
    removed = purge(told, NOW - 32 * HOUR - HOUR / 2)  # in the middle of the page of sessions
    left = dict(told.store.database.run("SELECT id, body FROM page"))
    changed = [number for number, body in pages if left.get(number) != body]
    assert len(changed) == removed.pages < len(pages)
    assert removed.records == 3


def test_what_is_no_number_is_refused_and_not_repeated(loaded: pva.Client) -> None:
    with pytest.raises(pva.FilterError, match="recipient is not a telephone number"):
        forget(loaded, "PLVSMS")


# Doctor


def findings(client: pva.Client) -> dict[str, str]:
    return {finding.name: finding.answer for finding in examine(client)}


WINDOWS = "by windows of time, which takes more requests: "
NOT_NEWEST = "not kept to: rows are not listed newest first"
OTHER_ROWS = "counts pages, or the list has another order each time"
CLAMPED = "not kept to at 80: rows come again, or others come"
CAPPED = "not kept to: the list ends before its oldest row"
DIAGNOSES = {
    "as documented": (Behaviour(), {"order": "newest first", "next page": "offset"}),
    "ascending": (
        Behaviour(order="oldest"),
        {"order": "oldest first", "estimates": WINDOWS + NOT_NEWEST},
    ),
    "random order": (
        Behaviour(order="random"),
        {"order": "no order", "offset": OTHER_ROWS, "estimates": WINDOWS + OTHER_ROWS},
    ),
    "shuffled": (
        Behaviour(order="shuffled"),
        {"order": "no order", "deep offset": NOT_NEWEST, "estimates": WINDOWS + NOT_NEWEST},
    ),
    "a cursor": (
        Behaviour(paging="cursor"),
        {"next page": "cursor", "offset": "ignored", "estimates": WINDOWS + "ignored"},
    ),
    "offsets count pages": (
        Behaviour(offset_unit="pages"),
        {"offset": OTHER_ROWS, "deep offset": "unknown", "estimates": WINDOWS + OTHER_ROWS},
    ),
    "offsets are clamped": (
        Behaviour(largest_offset=60),
        {"deep offset": CLAMPED, "estimates": WINDOWS + CLAMPED},
    ),
    "both": (Behaviour(paging="hybrid"), {"next page": "cursor", "offset": "kept to"}),
    "next null": (Behaviour(next_page="null"), {"next page": "null, though more may follow"}),
    "to the second": (Behaviour(precision=timedelta(seconds=1)), {"precision of times": "seconds"}),
    "to the minute": (Behaviour(precision=timedelta(minutes=1)), {"precision of times": "minutes"}),
    "filters ignored": (
        Behaviour(ignores=("brand_name", "alias")),
        {"filter brand_name": "ignored", "filter alias": "ignored", "filter app_hash": "kept to"},
    ),
    "pages of ten": (
        Behaviour(page_size=10, next_page="null"),
        {"page length": "10 of the 20 rows asked for", "offset": "kept to"},
    ),
    "offsets that end": (
        Behaviour(longest_list=60),
        {"deep offset": CAPPED, "estimates": WINDOWS + CAPPED},
    ),
    "offsets that are empty": (
        Behaviour(empty_from=40),
        {"deep offset": CAPPED, "estimates": WINDOWS + CAPPED},
    ),
    "no date": (Behaviour(date=False), {"clock of the server": "no Date header"}),
    "offsets": (
        Behaviour(),
        {"deep offset": "kept to at 80, in the order of time", "estimates": "by pages"},
    ),
    "pages": (
        Behaviour(),
        {"page length": "20 of the 20 rows asked for", "longest range": "89 days or more"},
    ),
}


@pytest.mark.parametrize(("behaviour", "expected"), DIAGNOSES.values(), ids=list(DIAGNOSES))
def test_the_doctor_finds_out_how_a_server_behaves_in_about_ten_requests(
    behaviour: Behaviour, expected: dict[str, str], serve: Serve, connect: Connect
) -> None:
    server = serve(generate(sessions=400), behaviour=behaviour)
    client = connect(server)
    found = findings(client)
    assert found | expected == found
    # More only to tell a list that ends from one that is cut.
    assert len(server.log) <= (20 if found["deep offset"] == CAPPED else 11)
    assert status(client).facts["doctor order"] == found["order"]


def test_what_the_doctor_found_saves_the_next_pull_requests(serve: Serve, connect: Connect) -> None:
    asked = []
    for examined in (False, True):
        behaviour = Behaviour(precision=timedelta(minutes=1))
        server = serve(generate(sessions=400), behaviour=behaviour)
        client = connect(server)
        if examined:
            findings(client)
        before = len(server.log)
        frame = pva.load_sessions(since="90d", client=client)
        assert frame["session_uuid"].n_unique() == frame.height
        asked.append(len(server.log) - before)
    assert asked[1] <= asked[0]


def test_the_doctor_finds_the_longest_range_from_a_refusal_and_it_is_remembered(
    serve: Serve, connect: Connect
) -> None:
    behaviour = Behaviour(longest_range=timedelta(days=30))
    client = connect(serve(generate(sessions=400), behaviour=behaviour))
    assert findings(client)["longest range"] == "30 days: a longer one is refused"
    assert client.store.fact("sessions range").startswith(f"{30 * 86_400_000_000}, seen ")


def test_the_doctor_reaches_deep_where_there_are_records(serve: Serve, connect: Connect) -> None:
    server = serve(generate(sessions=1200))
    assert findings(connect(server))["deep offset"].startswith("kept to at ")
    assert max(int(request.query.get("offset", 0)) for request in server.log) > 200


def test_the_doctor_tells_a_list_that_ends_from_one_that_is_cut(
    serve: Serve, connect: Connect
) -> None:
    client = connect(serve(generate(sessions=30)))
    found = findings(client)
    assert found["deep offset"] == "the list ends after 30 records, and none is older"
    assert found["estimates"] == "by pages"


def test_the_doctor_says_unknown_where_an_account_is_empty(serve: Serve, connect: Connect) -> None:
    found = findings(connect(serve(Account.of())))
    assert {
        found[name]
        for name in (
            "order",
            "offset",
            "deep offset",
            "estimates",
            "page length",
            "precision of times",
            "prices",
        )
    } == {"unknown"}
    assert found["messages"] == "none"


def test_a_deep_offset_that_the_server_refuses_is_told_as_refused(
    serve: Serve, connect: Connect
) -> None:
    server = serve(generate(sessions=400), faults=[None, None, Fault.status(400)])
    found = findings(connect(server))
    assert found["deep offset"] == "refused at 80"
    assert found["estimates"] == f"{WINDOWS}refused at 80"


def test_a_filter_that_the_server_refuses_is_told_as_refused(
    serve: Serve, connect: Connect
) -> None:
    # The list, from its middle on, a deep offset twice, the precision of times.
    before = [None] * 5
    server = serve(generate(sessions=400), faults=[*before, Fault.status(400)])
    assert findings(connect(server))["filter brand_name"] == "refused"


# The command line


@pytest.fixture
def environment(serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Server:
    """The environment names an emulated account, and a home."""
    server = serve(generate(sessions=60, now=datetime.now(UTC)))
    monkeypatch.setenv("PLIVO_AUTH_ID", server.account.auth_id)
    monkeypatch.setenv("PLIVO_AUTH_TOKEN", server.account.auth_token)
    monkeypatch.setenv("PLIVO_API_URL", server.url)
    monkeypatch.setenv("PLIVO_ANALYSIS_HOME", str(tmp_path / "home"))
    return server


def test_the_commands_do_what_they_say(
    environment: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["pull", "sessions", "--since", "80d", "--quiet"]) == 0
    assert main(["status", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    kept = told["holdings"][0]["records"]
    assert kept > 30
    assert main(["export", "--out", str(tmp_path / "out"), "--recipients", "masked"]) == 0
    assert f"{kept:,} rows" in capsys.readouterr().out
    number = pl.read_parquet(tmp_path / "out" / "sessions").height
    assert number == kept
    assert main(["purge", "--before", "30d"]) == 0
    assert "Removed" in capsys.readouterr().out
    assert main(["forget", "--recipient", SPELT]) == 0
    said = capsys.readouterr().out
    assert f"It may still be in {(tmp_path / 'out').resolve()}" in said
    assert main(["status"]) == 0
    said = capsys.readouterr().out
    assert "1 number kept out" in said
    assert "journal wal" in said


def test_the_doctors_command_prints_each_finding(
    environment: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["doctor"]) == 0
    said = capsys.readouterr().out
    assert "precision of times    microseconds" in said


NONSENSE = [
    (["purge", "--before", "long ago"], 2, "before is 'long ago'; it takes"),
    (["purge", "--before", "2026-13-45"], 2, "'; it takes a datetime, a date"),
    (["purge", "--before", ""], 2, "before is ''; it takes"),
    (["forget", "--recipient", "nobody"], 2, "not a telephone number; it takes 6 to 15 digits"),
    (["forget", "--recipient", " "], 2, "recipient is blank; it takes a number"),
    (["export", "--out", " "], 2, "out is blank; it takes a folder"),
    (["export", "--out", "~nobody-of-that-name/x"], 2, "no such home; give another folder"),
    (["export", "--out", "{file}"], 2, "is a file; give a folder"),
    (["export", "--out", "{file}/below"], 1, "Not a directory); give another place"),
]


@pytest.mark.parametrize("case", NONSENSE, ids=lambda case: " ".join(case[0]))
def test_nonsense_is_one_sentence_with_the_remedy_and_an_exit_code(
    case: tuple[list[str], int, str],
    environment: Server,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    words, code, said = case
    file = tmp_path / "file"
    file.write_text("")
    assert main([word.format(file=file) for word in words]) == code
    printed = capsys.readouterr()
    assert said in printed.err
    assert printed.err.count("\n") == 1
    assert environment.log == []


EVERY_COMMAND = [
    ["status"],
    ["status", "--json"],
    ["purge", "--before", "1d"],
    ["forget", "--recipient", SPELT],
    ["export", "--out", "out"],
    ["doctor"],
    ["doctor", "--limits"],
]


@pytest.mark.parametrize("words", EVERY_COMMAND, ids=" ".join)
def test_without_credentials_every_command_says_what_to_set(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 1
    printed = capsys.readouterr()
    assert "Set PLIVO_AUTH_ID and PLIVO_AUTH_TOKEN" in printed.err
    assert (printed.out, printed.err.count("\n")) == ("", 1)


@pytest.mark.parametrize("words", EVERY_COMMAND[:-1], ids=" ".join)
def test_where_no_folder_can_be_made_every_command_says_what_to_change(
    words: list[str],
    environment: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "data").write_text("")
    monkeypatch.chdir(tmp_path)
    assert main(words) == 1
    said = capsys.readouterr().err
    assert "cannot be used (Not a directory). Give another: Client(store=...) or PLIVO" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("words", EVERY_COMMAND[:-2], ids=" ".join)
def test_with_nothing_stored_every_command_works_and_asks_nothing(
    words: list[str], environment: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(words) == 0
    assert environment.log == []


def test_what_is_of_another_account_is_neither_told_nor_removed(
    environment: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["pull", "sessions", "--since", "80d", "--quiet"]) == 0
    monkeypatch.setenv("PLIVO_AUTH_ID", "MAXXXXXXXXXXXXXXXXXX")
    assert main(["purge", "--before", "1d"]) == 0
    assert "Removed 0 records" in capsys.readouterr().out
    monkeypatch.setenv("PLIVO_AUTH_ID", environment.account.auth_id)
    assert main(["status", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["holdings"][0]["records"] > 30
