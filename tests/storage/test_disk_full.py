"""A disk that is really full: a clear error, no half page, and the call goes on when there is room.

The file system refuses the bytes here. ``test_store_faults`` shows the same of a database that
may not grow.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

import plivo_analysis as pva
from plivo_analysis.api.resources import SESSION_RESOURCE
from plivo_analysis.emulator import Server, generate
from plivo_analysis.emulator.account import DEFAULT_NOW
from plivo_analysis.values.spans import EVER

if TYPE_CHECKING:
    from pathlib import Path

Serve = Callable[..., Server]
Connect = Callable[..., pva.Client]

CLOSED: dict[str, Any] = {
    "since": DEFAULT_NOW - timedelta(days=80),
    "until": DEFAULT_NOW - timedelta(days=1),
}
ROOM = 400_000  # bytes


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own, with little room."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={ROOM},mode=700", "tmpfs", str(folder)]
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("only root can mount a file system")
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("this system lets nobody mount")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def small_files() -> Iterator[None]:
    """Every file ends where a quota would end it."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (ROOM, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def assert_whole_pages(client: pva.Client, server: Server) -> None:
    archive = client.store.records(SESSION_RESOURCE)
    assert 0 < archive.count(EVER) <= archive.count_pages() * 20
    # The room may end with a page, or with the note before it of what is read next.
    assert archive.count_pages() in (len(server.log) - 1, len(server.log))


def test_a_disk_without_room_costs_at_most_one_request_and_no_row(
    small_disk: Path, serve: Serve, connect: Connect
) -> None:
    account = generate(sessions=900)
    fresh = serve(account)
    expected = pva.load_sessions(**CLOSED, client=connect(fresh))
    server = serve(account)
    client = connect(server, store=small_disk)
    with pytest.raises(pva.StoreError, match=r"no room.*make room, then call again"):
        pva.load_sessions(**CLOSED, client=client)
    client.close()
    grow = ["mount", "-o", "remount,size=64m", str(small_disk)]
    subprocess.run(grow, check=True)
    assert_whole_pages(client, server)
    assert pva.load_sessions(**CLOSED, client=client).equals(expected)
    assert len(server.log) <= len(fresh.log) + 1
    client.close()


def test_a_quota_costs_at_most_one_request_and_no_row(
    tmp_path: Path, serve: Serve, connect: Connect
) -> None:
    account = generate(sessions=900)
    fresh = serve(account)
    expected = pva.load_sessions(**CLOSED, client=connect(fresh))
    server = serve(account)
    client = connect(server, store=tmp_path)
    assert client.store.path is not None
    with small_files(), pytest.raises(pva.StoreError, match=r"committed is safe.*then call again"):
        pva.load_sessions(**CLOSED, client=client)
    assert_whole_pages(client, server)
    assert pva.load_sessions(**CLOSED, client=client).equals(expected)
    assert len(server.log) <= len(fresh.log) + 1
