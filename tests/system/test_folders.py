"""Files have a place of the user's own, or a word on how to give them one."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

import plivo_analysis as pva
from plivo_analysis.system.folders import data_folder, state_folder

if TYPE_CHECKING:
    from pathlib import Path

ACCOUNT = {"auth_id": "MAXXXXXXXXXXXXXXXXXX", "auth_token": "not-a-real-token"}

pytestmark = pytest.mark.skipif(os.name != "posix", reason="other systems keep no list of users")


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A user without HOME and without an entry in the list of users, as in some containers."""
    for name in ("HOME", "PLIVO_ANALYSIS_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"):
        monkeypatch.delenv(name, raising=False)

    def missing(uid: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    monkeypatch.setattr("pwd.getpwuid", missing)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.skipif(sys.platform != "linux", reason="the usual folders are named otherwise")
def test_without_a_home_the_error_names_the_variable_and_nothing_is_made(homeless: Path) -> None:
    for ask in (data_folder, state_folder, lambda: pva.Client(**ACCOUNT)):
        with pytest.raises(pva.StoreError, match=r"Set PLIVO_ANALYSIS_HOME to a folder .* HOME\."):
            ask()
    assert list(homeless.iterdir()) == []


def test_without_a_home_the_variable_makes_it_work(
    homeless: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLIVO_ANALYSIS_HOME", str(homeless / "own"))
    with pva.Client(**ACCOUNT) as client:
        assert client.limiter.wait_estimate(1) == 0.0
    assert (data_folder(), state_folder()) == (homeless / "own/data", homeless / "own/state")
    assert [path.name for path in homeless.iterdir()] == ["own"]
