"""The site's words against the code: every name, link, command and test that it mentions is there.

The site itself is built by ``make docs``, where a warning is an error.
"""

from __future__ import annotations

import ast
import os
import re
import shlex
import subprocess
import sys
import tomllib
from html import unescape
from itertools import chain
from pathlib import Path

import pytest

import plivo_analysis
from plivo_analysis.cli import main
from plivo_analysis.cli.arguments import parser

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
PROSE = [*PAGES, ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
REFERENCE = "\n".join(path.read_text() for path in sorted((DOCS / "reference").glob("*.md")))

NAMED_TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
FENCED = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"plivo-analysis [a-z][^#>&|`\n]*")

every_page = pytest.mark.parametrize("path", PROSE, ids=lambda path: str(path.relative_to(ROOT)))


def blocks(path: Path, *languages: str) -> list[str]:
    return [
        body
        for language, body in FENCED.findall(path.read_text(encoding="utf-8"))
        if language in languages
    ]


def claims_of(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize(
    ("file", "name"),
    sorted({each for path in PAGES for each in NAMED_TEST.findall(path.read_text())}),
)
def test_a_test_that_the_site_names_exists(file: str, name: str) -> None:
    assert name in claims_of(ROOT / file)


def test_a_file_of_tests_that_the_site_names_exists() -> None:
    named = {
        file for path in PAGES for file in re.findall(r"`(tests/[\w/]+\.py)`", path.read_text())
    }
    assert "tests/notebooks/test_hosts.py" in named
    assert not [file for file in named if not (ROOT / file).exists()]


def test_every_promise_names_the_tests_that_show_it() -> None:
    sections = re.split(r"^## ", (DOCS / "promises.md").read_text(), flags=re.MULTILINE)[1:]
    bare = [text.splitlines()[0] for text in sections if not NAMED_TEST.search(text)]
    assert len(sections) > 10
    assert bare == ["What we do not promise"]


def test_every_fault_names_the_test_that_plays_it() -> None:
    lines = (DOCS / "faults.md").read_text().splitlines()
    faults = [line for line in lines if re.match(r"\| (?!fault )[^-]", line)]
    assert len(faults) > 80
    assert not [line for line in faults if not NAMED_TEST.search(line.split("|")[3])]


@pytest.mark.parametrize("name", sorted({*plivo_analysis.__all__} - {"__version__", "figures"}))
def test_a_public_name_has_a_place_in_the_reference(name: str) -> None:
    of_errors = getattr(plivo_analysis, name).__module__ == "plivo_analysis.errors"
    assert of_errors or re.search(rf":: plivo_analysis\.{name}$", REFERENCE, re.MULTILINE)


def test_the_reference_has_the_groups_and_the_order_of_the_list_of_public_names() -> None:
    stub = (ROOT / "plivo_analysis" / "__init__.pyi").read_text(encoding="utf-8")
    groups = re.findall(r"^# .*\n((?:from .*\n)+)", stub, re.MULTILINE)
    page = (DOCS / "reference" / "index.md").read_text(encoding="utf-8")
    rows = [line.split("|")[2] for line in page.splitlines() if line.startswith("| [")]
    assert len(groups) > 8
    assert [re.findall(r"`(\w+)`", row) for row in rows] == [
        re.findall(r" as (\w+)$", group, re.MULTILINE) for group in groups
    ]


def test_the_page_of_versions_says_what_the_project_declares() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    floors = {"python": declared["requires-python"].removeprefix(">=")}
    for line in chain(declared["dependencies"], *declared["optional-dependencies"].values()):
        name, _, floor = line.partition(">=")
        floors.setdefault(name, floor)
    page = (DOCS / "versions.md").read_text(encoding="utf-8")
    rows = [line.split("|")[1:3] for line in page.splitlines() if re.match(r"\| [A-Za-z]", line)]
    said = [
        (name.strip().lower(), floor.strip())
        for names, lowest in rows
        for name, floor in zip(
            re.sub(r", with .*", "", names).split(","), lowest.split(","), strict=True
        )
    ]
    assert len(said) > 8
    assert said == [(name, floors[name]) for name, _ in said]


def test_the_readme_says_what_the_demo_reports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8")
    (command,) = re.findall(
        r"^\t\$\(BIN\)/plivo-analysis (report --demo .*)$", recipe, re.MULTILINE
    )
    monkeypatch.chdir(tmp_path)
    assert main(shlex.split(command)) == 0
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    shown = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", unescape(page)))
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    sentence = r"is then (.*) of that account: (.*) sessions for (.*), and (.*) for each\sthat was"
    said = re.search(sentence, readme)
    assert said is not None
    month, sessions, spent, each = said.groups()
    assert f"You spent {spent} on {sessions} verification sessions" in shown
    assert f"A verified session cost {each}" in shown
    assert month in shown
    tutorial = (ROOT / "notebooks" / "06_cost_report.ipynb").read_text(encoding="utf-8")
    assert f"<CostReport '{month}': {sessions} sessions, {spent}>" in tutorial


def test_every_table_is_in_the_reference() -> None:
    tables = re.findall(r"^### (\w+)$", (ROOT / "DATA.md").read_text(), re.MULTILINE)
    shown = re.findall(r':start-after: "### (\w+)"', REFERENCE)
    assert sorted(shown) == sorted(tables)


def test_every_rate_has_a_definition() -> None:
    text = (DOCS / "reference" / "definitions.md").read_text()
    data = (ROOT / "DATA.md").read_text()
    rates = set(re.findall(r"^\| \*`(\w+?)(?:_low|_high)?`\* \| rate \|", data, re.MULTILINE))
    assert rates
    assert not [name for name in sorted(rates) if f"`{name}`" not in text]


def test_every_definition_has_a_formula_and_a_source() -> None:
    text = (DOCS / "reference" / "definitions.md").read_text()
    rows = [line.strip("|").split("|") for line in text.splitlines() if line.startswith("|")]
    heads = [row for row in rows if row[-1].strip() == "source"]
    assert len(heads) == 9
    assert len(rows) > 25
    assert not [row for row in rows if len(row) != 3 or not all(cell.strip() for cell in row)]


def test_every_notebook_is_a_tutorial() -> None:
    listed = re.findall(r"(?m)^\.\./notebooks/(\w+)$", (DOCS / "tutorials.md").read_text())
    assert listed == sorted(path.stem for path in (ROOT / "notebooks").glob("*.ipynb"))


def test_the_map_names_every_room_and_nothing_that_is_not_there() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    package = ROOT / "plivo_analysis"
    folders = {f"{path.parent.name}/" for path in package.glob("*/__init__.py")}
    modules = {path.stem for path in package.glob("[!_]*.py")}
    rooms = re.findall(r"^\| ((?:`\w+/?` ?)+)\|", text, re.MULTILINE)
    named = {name for row in rooms for name in re.findall(r"`([\w/]+)`", row)}
    assert named == folders | modules | {"notebooks/", "docs/"}
    files = re.findall(r"`([\w/.]+\.(?:py|md))`", text)
    assert files
    assert not [
        name for name in files if not any((base / name).exists() for base in (ROOT, package))
    ]


@every_page
def test_a_link_leads_to_a_file(path: Path) -> None:
    targets = [link for link in LINK.findall(path.read_text()) if "://" not in link]
    assert not [link for link in targets if not (path.parent / link).exists()]


@every_page
def test_an_example_is_python_and_uses_public_names(path: Path) -> None:
    for block in blocks(path, "python"):
        tree = ast.parse(block)
        used = {
            node.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Attribute)
            and isinstance(node.value, ast.Name)
            and node.value.id == "pva"
        }
        assert used <= set(plivo_analysis.__all__)


@pytest.mark.slow
@pytest.mark.parametrize(
    "path", [ROOT / "README.md", DOCS / "index.md"], ids=lambda path: path.name
)
def test_the_first_lines_that_one_reads_run_and_leave_a_report(path: Path, tmp_path: Path) -> None:
    (block,) = blocks(path, "python")
    lines = [line for line in block.splitlines() if line.strip()]
    assert len(lines) <= 20
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", block],
        cwd=tmp_path,
        env={**os.environ, "PLOTLY_RENDERER": "json", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert 50_000 < (tmp_path / "report.html").stat().st_size < 300_000


@every_page
def test_a_command_is_understood(path: Path) -> None:
    for block in blocks(path, "sh", ""):
        for command in COMMAND.findall(block):
            parser().parse_args(shlex.split(command)[1:])
