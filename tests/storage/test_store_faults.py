"""The store's file among faults: old, new, damaged, full, shared, or put there by somebody else."""

from __future__ import annotations

import gc
import os
import random
import shutil
import sqlite3
import stat
import subprocess
import sys
import threading
import traceback
from collections.abc import Callable
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest

import plivo_analysis as pva
from plivo_analysis.api.resources import SESSION_RESOURCE
from plivo_analysis.emulator import Account, Server, generate
from plivo_analysis.errors import PlivoAnalysisWarning
from plivo_analysis.parsing.sessions import read_session
from plivo_analysis.storage import database, folder, merging, migrations
from plivo_analysis.storage.account_key import key_file
from plivo_analysis.storage.completed_ranges import Checkpoint, CompletedRange
from plivo_analysis.storage.folder import FILE_NAME, quarantined_files
from plivo_analysis.storage.migrations import FORMS
from plivo_analysis.storage.store import Reading, Store
from plivo_analysis.values.spans import EVER, Span

Serve = Callable[..., Server]
Connect = Callable[..., pva.Client]
Make = Callable[..., dict[str, Any]]

CLOSED = {"since": date(2026, 10, 10), "until": date(2026, 10, 20)}


def fill(store: Store, session: Make, pages: int = 30) -> None:
    """Keep pages of 20 sessions each, and what is complete with them."""
    for number in range(pages):
        records = [read_session(session()) for _ in range(20)]
        body = f'{{"sessions":[{",".join(record.raw for record in records)}]}}'.encode()
        done = CompletedRange(Span(number * 60, number * 60 + 60), "", 1, ())
        store.keep(SESSION_RESOURCE, "", Reading("a page", body, records, 1, [done]))


def contents(store: Store) -> tuple[list[str], list[Span]]:
    ledger = store.completed_ranges(SESSION_RESOURCE)
    return store.records(SESSION_RESOURCE).raws(EVER), ledger.complete("")


def state(folder: Path) -> tuple[list[str], list[Span]] | str:
    """What a store holds, or why it cannot be read."""
    try:
        store = Store(folder)
        try:
            return contents(store)
        finally:
            store.close()
    except pva.StoreError as error:
        return str(error)


def refused(sentence: str) -> bool:
    reasons = ("quarantined", "newer release", "not written by", "without its key")
    return any(words in sentence for words in reasons)


def copy_key(account: Path, copy: Path) -> None:
    """A copy of a store is of use with its key only."""
    shutil.copy(key_file(account), key_file(copy))


@pytest.fixture
def filled(tmp_path: Path, session: Make) -> Path:
    """A folder with a store of 600 sessions, closed."""
    folder = tmp_path / "account"
    store = Store(folder)
    fill(store, session)
    store.close()
    return folder


def test_closing_deletes_nothing(filled: Path) -> None:
    for _ in range(2):
        store = Store(filled)
        rows, complete = contents(store)
        assert len(rows) == 600
        assert complete == [Span(0, 1800)]
        store.close()


def test_a_record_that_was_set_aside_and_is_fit_now_is_set_aside_no_more(
    serve: Serve, connect: Connect, session: Make
) -> None:
    odd = session(attempt_details={})
    account = Account.of([odd])
    client = connect(serve(account))
    with pytest.warns(PlivoAnalysisWarning, match="1 session of this range set aside"):
        assert pva.load_sessions(client=client).height == 0
    assert pva.issues(client=client)["set_aside"].to_list() == [True]
    account.replace({**odd, "attempt_details": []})
    with pytest.warns(PlivoAnalysisWarning, match="1 sessions were new"):
        assert pva.load_sessions(client=client, verify=True).height == 1
    assert not pva.issues(client=client)["set_aside"].any()
    assert client.store.records(SESSION_RESOURCE).count_set_aside() == 0


def test_a_store_of_a_newer_release_is_refused_untouched(filled: Path) -> None:
    path = filled / FILE_NAME
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version={len(FORMS) + 1}")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(pva.StoreError, match=r"newer release.*Upgrade plivo_analysis"):
        Store(filled)
    assert path.read_bytes() == before


NEXT_FORM = "ALTER TABLE page ADD COLUMN colour TEXT;\nUPDATE page SET colour = 'red';\n"


def test_a_store_of_an_older_form_is_brought_to_the_present_one(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(filled)
    before = contents(store)
    store.close()
    monkeypatch.setattr(migrations, "FORMS", (*FORMS, NEXT_FORM))
    for _ in range(2):
        store = Store(filled)
        assert contents(store) == before
        assert store.database.run("SELECT DISTINCT colour FROM page") == [("red",)]
        store.close()


def test_a_migration_cut_short_leaves_the_old_form(
    filled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = state(filled)
    with monkeypatch.context() as patch:
        patch.setattr(migrations, "FORMS", (*FORMS, NEXT_FORM + "DROP TABLE nowhere;\n"))
        with pytest.raises(pva.StoreError, match="no such table: nowhere"):
            Store(filled)
    connection = sqlite3.connect(filled / FILE_NAME)
    assert connection.execute("PRAGMA user_version").fetchone() == (len(FORMS),)
    assert "colour" not in str(connection.execute("SELECT sql FROM sqlite_schema").fetchall())
    connection.close()
    assert state(filled) == before


@pytest.mark.parametrize("seed", range(6))
def test_a_flipped_bit_is_found_or_does_no_harm(seed: int, filled: Path, tmp_path: Path) -> None:
    body = (filled / FILE_NAME).read_bytes()
    expected = state(filled)
    chance = random.Random(seed)
    for number in range(25):
        folder = tmp_path / f"flipped-{number}"
        folder.mkdir(mode=0o700)
        copy_key(filled, folder)
        flipped = bytearray(body)
        flipped[chance.randrange(len(body))] ^= 1 << chance.randrange(8)
        (folder / FILE_NAME).write_bytes(flipped)
        found = state(folder)
        assert found == expected or refused(str(found)), number
        if "quarantined" in str(found):
            assert quarantined_files(folder)[0].stat().st_size == len(body)


def test_a_damaged_store_is_put_aside_whole_and_read_anew(
    serve: Serve, connect: Connect, tmp_path: Path
) -> None:
    server = serve(generate(sessions=300))
    client = connect(server, store=tmp_path)
    frame = pva.load_sessions(**CLOSED, client=client)
    path = client.store.path
    client.close()
    assert path is not None
    path.write_bytes(b"no database at all, but a text of some length" * 100)
    with pytest.raises(pva.StoreError, match=r"damaged.*nothing was deleted.*the last 90 days"):
        pva.load_sessions(**CLOSED, client=client)
    (aside,) = quarantined_files(path.parent)
    assert aside.read_bytes().startswith(b"no database at all")
    assert pva.load_sessions(**CLOSED, client=client).equals(frame)


def test_damage_found_while_in_use_is_named_and_the_next_call_begins_anew(
    serve: Serve, connect: Connect, tmp_path: Path
) -> None:
    client = connect(serve(generate(sessions=300)), store=tmp_path)
    frame = pva.load_sessions(**CLOSED, client=client)
    shutil.rmtree(client.store.folder / "parquet")
    other = sqlite3.connect(client.store.path)
    with other:
        other.execute("UPDATE record SET raw = replace(raw, '\"0.0', '\"9.0')")
    other.close()
    with pytest.raises(pva.StoreError, match="a record is not what was written"):
        pva.load_sessions(**CLOSED, client=client)
    assert pva.load_sessions(**CLOSED, client=client).equals(frame)


def test_a_damaged_bookmark_is_found(tmp_path: Path) -> None:
    store = Store(tmp_path / "account")
    ledger = store.completed_ranges(SESSION_RESOURCE)
    bookmark = Checkpoint(60, 55, '{"end":60}')
    ledger.set_checkpoint("", bookmark)
    assert ledger.checkpoint("", 60) == bookmark
    other = sqlite3.connect(store.path)
    with other:
        other.execute("UPDATE checkpoint SET state = replace(state, '60', '61')")
    other.close()
    with pytest.raises(pva.StoreError, match="a checkpoint is not what was written"):
        ledger.checkpoint("", 60)
    store.close()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.7, 0.99])
def test_a_log_cut_short_gives_an_earlier_state_or_is_found(
    share: float, filled: Path, tmp_path: Path, session: Make
) -> None:
    store = Store(filled)
    fill(store, session, pages=10)
    folder = tmp_path / "copy"
    folder.mkdir(mode=0o700)
    copy_key(filled, folder)
    for ending in ("", "-wal"):
        shutil.copy(filled / f"{FILE_NAME}{ending}", folder)
    everything = set(contents(store)[0])
    store.close()
    log = folder / f"{FILE_NAME}-wal"
    os.truncate(log, int(log.stat().st_size * share))
    found = state(folder)
    if isinstance(found, str):
        assert refused(found)
    else:
        assert set(found[0]) <= everything
        assert len(found[0]) % 20 == 0  # a page is there whole, or not at all


def test_a_full_disk_keeps_no_half_page_and_the_call_goes_on_when_there_is_room(
    serve: Serve, connect: Connect, tmp_path: Path
) -> None:
    server = serve(generate(sessions=900))
    client = connect(server, store=tmp_path)
    database = client.store.database
    (size,) = database.run("PRAGMA page_count")[0]
    database.run(f"PRAGMA max_page_count={size + 20}")
    with pytest.raises(pva.StoreError, match=r"no room.*make room, then call again"):
        pva.load_sessions(**CLOSED, client=client)
    kept, asked = client.store.records(SESSION_RESOURCE).count(EVER), len(server.log)
    pages = client.store.records(SESSION_RESOURCE).count_pages()
    assert 0 < kept <= pages * 20
    assert pages == asked - 1
    database.run("PRAGMA max_page_count=1000000")
    frame = pva.load_sessions(**CLOSED, client=client)
    fresh = connect(server)
    again = len(server.log)
    assert frame.equals(pva.load_sessions(**CLOSED, client=fresh))
    assert again - 1 <= len(server.log) - again  # the full disk cost one request


def test_a_file_system_without_shared_memory_gets_another_journal(
    serve: Serve, connect: Connect, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_shared_memory(path: Path) -> sqlite3.Connection:
        return sqlite3.connect(
            f"file:{path}?vfs=unix-dotfile",
            uri=True,
            timeout=10,
            isolation_level=None,
            check_same_thread=False,
        )

    monkeypatch.setattr(database, "_connect", without_shared_memory)
    client = connect(serve(generate(sessions=300)), store=tmp_path)
    frame = pva.load_sessions(**CLOSED, client=client)
    assert frame.height > 0
    assert client.store.database.journal == "delete"
    other = Store(client.store.folder)
    assert len(contents(other)[0]) >= frame.height
    other.close()


def test_a_network_file_system_gets_a_journal_that_computers_can_share(
    filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local = Store(filled)
    before = contents(local)
    assert local.database.journal == "wal"
    local.close()
    mounts = tmp_path / "mounts"
    place = str(filled.parent).replace(" ", "\\040")
    mounts.write_text(f"/dev/sda / ext4 rw 0 0\nserver:/shared {place} nfs4 rw,vers=4.2 0 0\n")
    monkeypatch.setattr(folder, "_MOUNTS", mounts)
    shared = [Store(filled) for _ in range(2)]
    assert [store.database.journal for store in shared] == ["delete", "delete"]
    assert shared[0].database.run("PRAGMA synchronous") == [(2,)]
    assert contents(shared[1]) == before
    assert not (filled / f"{FILE_NAME}-wal").exists()
    for store in shared:
        store.close()
    mounts.write_text("/dev/sda / ext4 rw 0 0\n")
    again = Store(filled)
    assert again.database.journal == "wal"
    assert contents(again) == before
    again.close()


@pytest.mark.parametrize(
    ("mounts", "expected"),
    [
        ("/dev/sda / ext4 rw 0 0", False),
        ("server:/h / nfs rw 0 0", True),
        ("server:/h / nfs rw 0 0\n/dev/sdb /mnt ext4 rw 0 0", False),
        ("/dev/sda / ext4 rw 0 0\nshare /mnt/a\\040b cifs rw 0 0", True),
        ("/dev/sda / ext4 rw 0 0\nshare /mnt/a cifs rw 0 0", False),
        ("/dev/sda / ext4 rw 0 0\nme@host: /mnt fuse.sshfs rw 0 0", True),
        ("server:/h /mnt nfs rw 0 0\n/dev/sdb /mnt ext4 rw 0 0", False),
        ("", False),
    ],
)
def test_a_folder_is_on_the_file_system_of_its_nearest_mount(
    mounts: str, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mounts").write_text(mounts)
    monkeypatch.setattr(folder, "_MOUNTS", tmp_path / "mounts")
    assert folder.is_on_network(Path("/mnt/a b/store")) is expected


def test_the_second_to_meet_a_damaged_file_leaves_the_new_store_alone(
    filled: Path, session: Make
) -> None:
    first, second = Store(filled), Store(filled)
    with pytest.raises(pva.StoreError, match="quarantined as"):
        raise first.database.damaged("a record is not what was written")
    fill(first, session, pages=1)
    with pytest.raises(pva.StoreError, match=r"quarantined; nothing was deleted"):
        raise second.database.damaged("a record is not what was written")
    assert len(contents(second)[0]) == 20
    for store in (first, second):
        store.close()


def shown_in_a_notebook(error: BaseException) -> str:
    """The error as a notebook in verbose mode shows it, less the test's own variables."""
    trace = traceback.TracebackException.from_exception(error, capture_locals=True)
    for frame in trace.stack:
        if "tests" in frame.filename:
            frame.locals = None
    return "".join(trace.format()) + repr(error)


@pytest.mark.parametrize("trouble", ["full", "interrupted", "damaged", "forgotten"])
def test_no_error_of_the_store_shows_a_number_in_a_verbose_traceback(
    trouble: str, tmp_path: Path, session: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = "14155550187"
    store = Store(tmp_path / "account")
    records = [read_session(session(recipient=number)) for _ in range(20)]
    body = f'{{"sessions":[{",".join(record.raw for record in records)}]}}'.encode()
    reading = Reading("a page", body, records, 1)
    scope = f"recipient={number}"
    store.keep(SESSION_RESOURCE, scope, reading)
    if trouble == "full":
        (size,) = store.database.run("PRAGMA page_count")[0]
        store.database.run(f"PRAGMA max_page_count={size}")
        records[:] = [read_session(session(recipient=number)) for _ in range(200)]
    elif trouble == "interrupted":
        monkeypatch.setattr(merging, "checksum", interrupt)
    elif trouble == "damaged":
        store.database.run("UPDATE record SET raw = replace(raw, '0.0', '9.0')")
    else:
        store.forget(number)
    reading_back = partial(store.records(SESSION_RESOURCE).raws, EVER)
    keeping = partial(store.keep, SESSION_RESOURCE, scope, reading)
    with pytest.raises((pva.PlivoAnalysisError, KeyboardInterrupt)) as caught:
        (reading_back if trouble == "damaged" else keeping)()
    assert caught.traceback[-1].name == "shielded"
    assert number not in shown_in_a_notebook(caught.value)
    store.close()


def interrupt(*_: object) -> int:
    raise KeyboardInterrupt


def test_files_and_folders_are_the_users_alone_under_any_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = Store(tmp_path / "deep" / "down" / "account")
        store.learn("a", "fact")
        for path in (tmp_path / "deep").rglob("*"):
            assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
        assert stat.S_IMODE((tmp_path / "deep").stat().st_mode) == 0o700
        store.close()
    finally:
        os.umask(before)


@pytest.mark.parametrize("name", [FILE_NAME, f"{FILE_NAME}-wal", "."])
def test_a_link_in_the_stores_place_is_refused(name: str, tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "account", tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    if name == ".":
        folder.symlink_to(elsewhere)
    else:
        folder.mkdir(mode=0o700)
        (folder / name).symlink_to(elsewhere / "target")
    with pytest.raises(pva.StoreError, match="is a symbolic link"):
        Store(folder)
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("mode", [0o770, 0o707])
def test_a_folder_that_others_can_write_to_is_refused(mode: int, tmp_path: Path) -> None:
    folder = tmp_path / "account"
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(pva.StoreError, match=r"can be written by others.*chmod 700"):
        Store(folder)


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can give away")
def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "account"
    folder.mkdir(mode=0o700)
    os.chown(folder, 65534, 65534)
    with pytest.raises(pva.StoreError, match="can be written by others"):
        Store(folder)


HOSTILE = {
    "a trigger": "CREATE TRIGGER t AFTER INSERT ON page BEGIN DELETE FROM record; END",
    "a view": "CREATE VIEW v AS SELECT load_extension('evil') FROM page",
    "a view in a table's place": "DROP TABLE note; CREATE VIEW note AS SELECT 1",
}


@pytest.mark.parametrize("script", HOSTILE.values(), ids=list(HOSTILE))
def test_a_file_that_could_act_by_itself_is_refused(script: str, filled: Path) -> None:
    connection = sqlite3.connect(filled / FILE_NAME)
    connection.executescript(script)
    connection.close()
    with pytest.raises(pva.StoreError, match="was not written by this package"):
        Store(filled)


def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "account" / FILE_NAME
    path.parent.mkdir(mode=0o700)
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE songs (name)")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(pva.StoreError, match="was not written by this package"):
        Store(path.parent)
    assert path.read_bytes() == before


WORKER = """
import sys
from pathlib import Path
from plivo_analysis.parsing.sessions import read_session
from plivo_analysis.api.resources import SESSION_RESOURCE as SESSIONS
from plivo_analysis.values.spans import EVER
from plivo_analysis.storage.store import Reading, Store
folder, name = Path(sys.argv[1]), int(sys.argv[2])
seen = 0
for turn in range(30):
    if turn % 10 == 0:
        store = Store(folder)
    key = f"00000000-0000-4000-8000-{name:04}{turn:08}"
    record = read_session({"session_uuid": key, "created_at": f"2026-10-{turn + 1:02}T00:00:00Z"})
    store.keep(SESSIONS, "", Reading("", b'{"sessions":[]}', [record], 1))
    count = len(store.records(SESSIONS).raws(EVER))
    assert count >= max(seen, turn + 1), (count, seen)
    seen = count
    if turn % 10 == 9:
        store.close()
"""


def test_processes_that_read_and_write_at_once_are_never_told_it_is_locked(tmp_path: Path) -> None:
    folder = tmp_path / "account"
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(folder), str(number)],
            stderr=subprocess.PIPE,
            text=True,
        )
        for number in range(3)
    ]
    for worker in workers:
        _, said = worker.communicate(timeout=120)
        assert (worker.returncode, said) == (0, "")
    store = Store(folder)
    assert len(contents(store)[0]) == 90
    store.close()


def test_a_reader_sees_one_state_while_another_connection_writes(
    tmp_path: Path, session: Make
) -> None:
    reader, writer = Store(tmp_path / "account"), Store(tmp_path / "account")
    fill(writer, session, pages=1)
    with reader.reading():
        first = contents(reader)
        fill(writer, session, pages=1)
        assert contents(reader) == first
    assert len(contents(reader)[0]) == 40
    reader.close()
    writer.close()


def test_threads_share_one_store(tmp_path: Path, session: Make) -> None:
    store = Store(tmp_path / "account")
    failures: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(10):
                fill(store, session, pages=1)
                contents(store)
        except BaseException as error:  # noqa: BLE001 - shown by the assertion below
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(contents(store)[0]) == 800
    store.close()


def test_a_store_is_not_opened_after_it_was_closed(tmp_path: Path) -> None:
    store = Store(tmp_path / "account")
    store.close()
    store.close()
    with pytest.raises(pva.StoreError, match="closed"):
        store.fact("anything")


def test_a_store_that_nobody_closed_is_closed_with_its_last_user(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    connection = store.database._connected()
    del store
    gc.collect()
    with pytest.raises(sqlite3.ProgrammingError, match="closed database"):
        connection.execute("SELECT 1")
