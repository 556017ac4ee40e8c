"""What a registry would hand out: the sdist, the wheel made of it, and both in fresh environments.

Every environment is made here, from the package registry that pip is set up for.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email import message_from_string
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PYTHONS = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["classifiers"]))

pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path, **environment: str) -> str:
    """Run a command that sees nothing of the source tree; what it printed if it failed."""
    clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    ran = subprocess.run(
        command, cwd=cwd, env=clean | environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, f"{ran.stdout}{ran.stderr}"
    return ran.stdout


def tracked() -> set[str]:
    listed = run("git", "ls-files", "-z", cwd=ROOT).split("\0")
    return {name for name in listed if name and (ROOT / name).is_file()}


def fresh(folder: Path, interpreter: str, *requirements: str | Path) -> Path:
    """The interpreter of a new environment with some packages in it."""
    folder.mkdir()
    run(interpreter, "-m", "venv", ".", cwd=folder, PYENV_VERSION=Path(interpreter).name[6:])
    python = folder / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", *requirements, cwd=folder)
    return python


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist and with the wheel that was built from it."""
    folder = tmp_path_factory.mktemp("dist")
    for name in tracked():
        (folder / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / "source" / name)
    python = fresh(folder / "builder", sys.executable, "build")
    run(python, "-m", "build", "--outdir", folder, folder / "source", cwd=folder)
    return folder


@pytest.fixture
def wheel(dist: Path) -> Path:
    (path,) = dist.glob("*.whl")
    return path


def test_the_sdist_holds_every_file_of_the_repository(dist: Path) -> None:
    (path,) = dist.glob("*.tar.gz")
    with tarfile.open(path) as packed:
        files = {member.name.partition("/")[2] for member in packed if member.isfile()}
    made = {name for name in files if name in {"PKG-INFO", "setup.cfg"} or ".egg-info/" in name}
    assert files - made == tracked()


def test_the_wheel_holds_the_whole_package_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        files = {name for name in packed.namelist() if ".dist-info/" not in name}
    assert files == {name for name in tracked() if name.startswith("plivo_analysis/")}


def test_the_description_has_no_link_that_a_registry_cannot_follow(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as packed:
        (name,) = [name for name in packed.namelist() if name.endswith(".dist-info/METADATA")]
        metadata = message_from_string(packed.read(name).decode())
    description = str(metadata.get_payload())
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert "pva.load_sessions(" in description
    assert "![" not in description
    links = re.findall(r"\]\(([^)]*)\)", description)
    assert links
    assert not [link for link in links if "://" not in link]


@pytest.mark.parametrize("version", PYTHONS)
def test_the_wheel_works_on_python(version: str, wheel: Path, tmp_path: Path) -> None:
    name = f"python{version}"
    environment = {**os.environ, "PYENV_VERSION": version}
    if (
        shutil.which(name) is None
        or subprocess.run(
            [name, "-c", ""], env=environment, capture_output=True, check=False
        ).returncode
    ):
        pytest.skip(f"There is no {name} on this machine.")
    smoke_test(fresh(tmp_path / "environment", name, wheel), tmp_path)


def test_the_wheel_works_with_the_lowest_versions_that_it_allows(
    wheel: Path, tmp_path: Path
) -> None:
    sql = PROJECT["optional-dependencies"]["sql"]
    required = [Requirement(line) for line in [*PROJECT["dependencies"], *sql]]
    here = [each for each in required if each.marker is None or each.marker.evaluate()]
    lowest = [f"{each.name}{str(each.specifier).replace('>=', '==')}" for each in here]
    assert not [each for each in lowest if "==" not in each]
    python = fresh(tmp_path / "environment", f"python{PYTHONS[0]}", wheel, *lowest)
    smoke_test(python, tmp_path)


def smoke_test(python: Path, folder: Path) -> None:
    empty = folder / "empty"
    empty.mkdir()
    home = str(folder / "home")
    run(python, "-I", ROOT / "tests" / "smoke.py", cwd=empty, PLIVO_ANALYSIS_HOME=home)
