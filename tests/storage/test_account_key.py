"""Whose store a file is: another account's is refused, and so is one without its key."""

from __future__ import annotations

import os
import shutil
import stat
import threading
from typing import TYPE_CHECKING

import pytest

import plivo_analysis as pva
from plivo_analysis.emulator import generate
from plivo_analysis.storage.account_key import key_file
from plivo_analysis.storage.folder import FILE_NAME
from plivo_analysis.storage.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from plivo_analysis.emulator import Server

    Serve = Callable[..., Server]
    Connect = Callable[..., pva.Client]

OURS = "https://api.example.com MAXXXXXXXXXXXXXXXXXX"
OTHERS = "https://api.example.com SAXXXXXXXXXXXXXXXXXX"


def test_another_accounts_file_in_the_folder_is_refused_with_both_names(
    serve: Serve, connect: Connect, tmp_path: Path
) -> None:
    ours, others = (connect(serve(generate(sessions=30)), store=tmp_path) for _ in range(2))
    pva.load_sessions(since="80d", client=others)
    source, folder = others.store.folder, ours.store.folder
    assert source is not None
    assert folder is not None
    ours.close()
    others.close()
    shutil.copy(source / FILE_NAME, folder / FILE_NAME)
    shutil.copy(key_file(source), key_file(folder))
    with pytest.raises(pva.StoreError, match="is of another account") as refusal:
        pva.load_sessions(since="80d", client=ours)
    assert others.base_url in str(refusal.value)
    assert f"not {ours.base_url} {ours.auth_id}" in str(refusal.value)


def test_a_store_is_of_the_account_that_opened_it_first(tmp_path: Path) -> None:
    for account in ("", OURS, OURS, ""):
        Store(tmp_path / "account", account).close()
    with pytest.raises(pva.StoreError, match="is of another account"):
        Store(tmp_path / "account", OTHERS)


def test_a_store_without_its_key_is_refused_and_works_again_with_it(tmp_path: Path) -> None:
    folder = tmp_path / "account"
    store = Store(folder)
    key = store.database.key
    store.close()
    hidden = key_file(folder).rename(tmp_path / "elsewhere")
    for _ in range(2):
        with pytest.raises(pva.StoreError, match=r"without its key.*account\.key"):
            Store(folder)
    key_file(folder).write_text("00" * 32)
    with pytest.raises(pva.StoreError, match=r"or is another store's"):
        Store(folder)
    hidden.replace(key_file(folder))
    store = Store(folder)
    assert store.database.key == key
    store.close()


def test_the_key_is_the_users_alone_and_no_file_of_the_folder_holds_it(tmp_path: Path) -> None:
    folder = tmp_path / "account"
    before = os.umask(0)
    try:
        store = Store(folder, OURS)
    finally:
        os.umask(before)
    assert stat.S_IMODE(key_file(folder).stat().st_mode) == 0o600
    store.forget("14155550187")
    key = store.database.key
    store.close()
    for path in folder.rglob("*"):
        assert key not in path.read_bytes()
        assert key.hex().encode() not in path.read_bytes()


def test_a_link_in_the_keys_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("00" * 32)
    key_file(tmp_path / "account").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(pva.StoreError, match="is a symbolic link"):
        Store(tmp_path / "account")


def test_those_who_begin_a_store_at_once_agree_on_its_key(tmp_path: Path) -> None:
    keys: list[bytes] = []

    def begin() -> None:
        store = Store(tmp_path / "account", OURS)
        keys.append(store.database.key)
        store.close()

    threads = [threading.Thread(target=begin) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(keys) == 8
    assert len(set(keys)) == 1


def test_the_store_that_follows_a_damaged_one_has_its_key(tmp_path: Path) -> None:
    store = Store(tmp_path / "account")
    key = store.database.key
    store.close()
    assert store.path is not None
    store.path.write_bytes(b"no database at all" * 1000)
    with pytest.raises(pva.StoreError, match="quarantined"):
        Store(tmp_path / "account")
    store = Store(tmp_path / "account")
    assert store.database.key == key
    store.close()
