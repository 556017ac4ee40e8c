"""The house rules: what keeps the project findable, honest and clean."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import FunctionType, ModuleType

import pytest
from packaging.requirements import Requirement

import plivo_analysis

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "plivo_analysis"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
MODULES = sorted(PACKAGE.rglob("*.py"))
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

# Names that the registries spell differently.
CONDA = {"duckdb": "python-duckdb"}
PIP_ONLY = {"plivo"}  # not on conda-forge


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True
    ).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def texts() -> list[tuple[Path, str]]:
    found = []
    for path in tracked():
        try:
            found.append((path, path.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue
    return found


def test_the_public_names_are_there_and_named_once() -> None:
    names = plivo_analysis.__all__
    assert len(set(names)) == len(names)
    for name in names:
        assert getattr(plivo_analysis, name) is not None
    assert set(dir(plivo_analysis)) == set(names)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_code_in_a_docstring_is_marked_so_that_the_site_shows_it_as_code(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            parts = (ast.get_docstring(node) or "").split("``")
            assert len(parts) % 2, parts[-1]
            for before, code, after in zip(parts[::2], parts[1::2], parts[2::2], strict=False):
                # Where reStructuredText sees no mark, the site shows the marks themselves.
                assert not before or before[-1].isspace() or before[-1] in "'\"([{<-/:", code
                assert code == code.strip(), code
                assert not after[:1].isalnum(), code


PUBLIC = [name for name in plivo_analysis.__all__ if callable(getattr(plivo_analysis, name))]


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_is_documented_with_an_example(name: str) -> None:
    thing = getattr(plivo_analysis, name)
    assert inspect.getdoc(thing)
    assert ">>>" in (inspect.getdoc(thing) or "")


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_every_module_says_what_it_owns(path: Path) -> None:
    docstring = ast.get_docstring(ast.parse(path.read_text()))
    assert docstring
    assert len(docstring.splitlines()[0]) > 10


@pytest.mark.parametrize("room", sorted(PACKAGE.rglob("__init__.py")), ids=lambda p: p.parent.name)
def test_a_room_names_the_modules_that_it_has(room: Path) -> None:
    named = set(re.findall("``([a-z_]+)``", ast.get_docstring(ast.parse(room.read_text())) or ""))
    assert named <= {path.stem for path in room.parent.iterdir()}


def test_no_room_is_without_a_purpose_in_its_name() -> None:
    vague = {"utils", "util", "helpers", "helper", "constants", "models", "misc", "common"}
    assert not [path for path in MODULES if path.stem in vague or path.parent.name in vague]


def test_nothing_is_left_open_in_the_code() -> None:
    # Written in halves, so that this file does not find itself.
    left = re.compile("|".join(["TO" + "DO", "FIX" + "ME", "NotImplemented" + "Error"]))
    python = [(path, text) for path, text in texts() if path.suffix == ".py"]
    assert not [str(path) for path, text in python if left.search(text)]


def test_an_import_loads_nothing_heavy() -> None:
    heavy = ["pandas", "polars", "plotly", "ipywidgets", "requests", "narwhals", "pyarrow"]
    code = f"import sys, plivo_analysis; print([n for n in {heavy} if n in sys.modules])"
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True, cwd=ROOT
    ).stdout
    assert said.strip() == "[]"


def test_the_emulator_is_made_of_the_standard_library_alone() -> None:
    for path in sorted((PACKAGE / "emulator").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            for name in names:
                first = name.split(".")[0]
                own = name.startswith("plivo_analysis.emulator")
                assert own or first in sys.stdlib_module_names, f"{path.name} imports {name}"


def test_one_room_alone_knows_the_http_library() -> None:
    users = {
        path.relative_to(PACKAGE).parts[0]
        for path in MODULES
        if re.search(r"^\s*(import|from) (requests|urllib3)\b", path.read_text(), re.MULTILINE)
    }
    assert users == {"http"}


@pytest.mark.parametrize("name", ["requests", "pandas", "polars", "plotly", "ipywidgets"])
def test_the_packages_its_users_asked_for_are_what_it_is_made_of(name: str) -> None:
    # They chose these by name: another library may stand beside one of them, not in its place.
    assert any(re.match(rf"{name}\b", dependency) for dependency in PROJECT["dependencies"])
    imported = re.compile(rf"^\s*(?:import|from) {name}\b", re.MULTILINE)
    assert any(imported.search(path.read_text()) for path in PACKAGE.rglob("*.py"))


def test_nothing_is_unpickled_or_evaluated() -> None:
    risky = re.compile(
        r"^\s*(import|from) (pickle|marshal|shelve|yaml)\b|(?<![\w.])(eval|exec)\(", re.MULTILINE
    )
    assert not [str(path) for path in MODULES if risky.search(path.read_text())]


def test_data_md_is_fresh() -> None:
    written = subprocess.run(
        [sys.executable, "docs/data_page.py"], cwd=ROOT, capture_output=True, check=True
    ).stdout.decode()
    assert (ROOT / "DATA.md").read_text(encoding="utf-8") == written, "run: make data"


def requirements(extra: str | None = None) -> dict[str, Requirement]:
    lines = PROJECT["dependencies"] if extra is None else PROJECT["optional-dependencies"][extra]
    parsed = [Requirement(line) for line in lines]
    found = {each.name: each for each in parsed if each.name != "plivo_analysis"}
    for each in parsed:
        if each.name == "plivo_analysis":
            for inner in each.extras:
                found |= requirements(inner)
    return found


def test_environment_yml_is_the_mirror_of_pyproject() -> None:
    text = (ROOT / "environment.yml").read_text()
    listed = re.findall(r"^ +- ([A-Za-z0-9_-]+)((?:[<>=!]=?[^\s]+)?)$", text, re.MULTILINE)
    found = dict(listed)
    channels = re.search(r"channels:\n((?:  - .*\n)+)", text)
    assert channels is not None
    assert channels.group(1) == "  - conda-forge\n"
    found.pop("conda-forge")
    assert found.pop("python") == PROJECT["requires-python"]
    found.pop("pip")
    wanted = {
        CONDA.get(name, name): str(each.specifier) if each.marker is None else ""
        for name, each in (requirements() | requirements("test")).items()
    }
    assert found == wanted
    assert "      - -e .\n" in text
    inside = text[text.index("- pip:") :]
    assert all(f"- {name}" in inside for name in PIP_ONLY)


def test_every_dependency_has_a_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    block = text[text.index("dependencies = [") : text.index("[project.scripts]")]
    lines = [line for line in block.splitlines() if re.match(r'\s+"', line)]
    assert lines
    assert not [line for line in lines if "#" not in line and "plivo_analysis[" not in line]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_was_run_in_order_and_is_clean(path: Path) -> None:
    book = json.loads(path.read_text(encoding="utf-8"))
    code = [cell for cell in book["cells"] if cell["cell_type"] == "code" and cell["source"]]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    outputs = [output for cell in code for output in cell["outputs"]]
    assert not [output for output in outputs if output["output_type"] == "error"]
    assert "widgets" not in book["metadata"]
    assert path.stat().st_size < 300_000


# The fiction ranges: US and Canada 555-01xx, the UK's 07700 900xxx, and codes followed by zeros.
FICTION = re.compile(r"1[2-9]\d{2}55501\d{2}|447700900\d{3}|[1-9]\d{0,2}0000\d+|1[0-9]{3}55501.*")


def test_no_real_telephone_number_is_in_the_project() -> None:
    suspects = []
    for path, text in texts():
        if path.suffix in {".py", ".md", ".ipynb", ".json", ".yml"}:
            quoted = re.findall(r"[\"'](\+?[1-9]\d{10,14})[\"']", text)
            suspects += [
                f"{path.relative_to(ROOT)}: {number}"
                for number in quoted
                if not FICTION.fullmatch(number.lstrip("+"))
            ]
    assert suspects == []


def test_no_account_but_made_up_ones_is_in_the_project() -> None:
    ids = {
        (str(path.relative_to(ROOT)), match)
        for path, text in texts()
        for match in re.findall(r"\b[MS]A[A-Z0-9]{18}\b", text)
    }
    assert not [(path, each) for path, each in ids if not plausible_fiction(each)]


def plausible_fiction(auth_id: str) -> bool:
    """Few different characters, or a word: what a random id never has."""
    return len(set(auth_id[2:])) <= 6


def test_no_path_of_a_machine_is_in_the_project() -> None:
    home = re.compile(r"(?<![\w./])/(root|home|work|Users)/[a-z]")
    found = [str(path.relative_to(ROOT)) for path, text in texts() if home.search(text)]
    assert found == []


def public_functions(module: ModuleType) -> list[FunctionType]:
    return [
        thing
        for name, thing in vars(module).items()
        if isinstance(thing, FunctionType)
        and not name.startswith("_")
        and thing.__module__ == module.__name__
    ]


def test_metrics_and_loaders_are_typed_whole() -> None:
    for name in PUBLIC:
        module = importlib.import_module(getattr(plivo_analysis, name).__module__)
        for function in public_functions(module):
            signature = inspect.signature(function)
            assert signature.return_annotation is not inspect.Signature.empty
            for parameter in signature.parameters.values():
                assert parameter.annotation is not inspect.Parameter.empty, function.__name__
