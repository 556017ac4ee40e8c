"""Files written at one stroke: the old one or the new one, for the eyes that they are meant for."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from plivo_analysis.system.files import write_atomically

# A limit on the size of files stands for a full disk: the write fails in its middle.
FULL = """
import resource, signal, sys
from pathlib import Path
from plivo_analysis.system.files import write_atomically
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_atomically(Path(sys.argv[1]), b"new" * 10_000)
except OSError:
    sys.exit(7)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on the size of files.")
@pytest.mark.parametrize("before", [b"old", None])
def test_a_full_disk_leaves_what_was_there(before: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    if before is not None:
        path.write_bytes(before)
    done = subprocess.run([sys.executable, "-c", FULL, str(path)], check=False)
    assert done.returncode == 7
    assert [each.read_bytes() for each in tmp_path.iterdir()] == ([before] if before else [])


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes.")
@pytest.mark.parametrize(("private", "mode"), [(True, 0o600), (False, 0o640)])
def test_a_private_file_is_its_users_alone_and_any_other_follows_the_umask(
    private: bool, mode: int, tmp_path: Path
) -> None:
    usual = os.umask(0o027)
    try:
        write_atomically(tmp_path / "file", b"1", private=private)
    finally:
        os.umask(usual)
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == mode


def test_a_link_leads_to_the_new_file_and_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "october.html").write_bytes(b"old")
    link = tmp_path / "latest.html"
    link.symlink_to("october.html")
    write_atomically(link, b"new")
    assert link.is_symlink()
    assert (tmp_path / "october.html").read_bytes() == b"new"


@pytest.mark.skipif(not Path("/dev/null").exists(), reason="This system has no /dev/null.")
def test_what_is_no_file_is_written_to_and_stays_what_it_is() -> None:
    write_atomically(Path("/dev/null"), b"1")
    assert Path("/dev/null").is_char_device()
