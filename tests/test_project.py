"""The files that contributors and the code host read, held against pyproject.toml."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import plivo_analysis

ROOT = Path(__file__).parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SETTINGS = [
    ROOT / ".pre-commit-config.yaml",
    ROOT / "CITATION.cff",
    *sorted((ROOT / ".github").rglob("*.yml")),
]


def settings(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", SETTINGS, ids=lambda path: path.name)
def test_a_settings_file_parses_and_names_no_address(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert isinstance(yaml.safe_load(text), dict)
    assert "://" not in text


def test_the_workflow_makes_check_on_every_python_of_the_classifiers() -> None:
    job = settings(".github/workflows/check.yml")["jobs"]["check"]
    classifiers = " ".join(PYPROJECT["project"]["classifiers"])
    assert job["strategy"]["matrix"]["python"] == re.findall(r"Python :: (3\.\d+)", classifiers)
    assert job["steps"][-1] == {"run": "make check"}
    assert "timeout-minutes" in job


def test_the_workflow_may_read_the_code_and_do_nothing_else() -> None:
    workflow = settings(".github/workflows/check.yml")
    assert workflow["permissions"] == {"contents": "read"}
    assert "permissions" not in workflow["jobs"]["check"]


def test_a_commit_is_checked_by_the_tools_of_the_environment() -> None:
    (repository,) = settings(".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    tools = {hook["entry"] for hook in repository["hooks"] if hook["language"] == "system"}
    recipe = (ROOT / "Makefile").read_text(encoding="utf-8")
    check = recipe[recipe.index("\ncheck:") :]
    assert tools == {".venv/bin/ruff format", ".venv/bin/ruff check", ".venv/bin/mypy"}
    assert all(tool.replace(".venv/bin/", "$(BIN)/") in check for tool in tools)


@pytest.mark.parametrize(("length", "refused"), [(72, False), (73, True)])
def test_a_subject_may_have_72_characters(length: int, refused: bool) -> None:
    (repository,) = settings(".pre-commit-config.yaml")["repos"]
    (hook,) = [hook for hook in repository["hooks"] if hook["id"] == "subject"]
    message = "x" * length + "\n\n" + "The body may have longer lines. " * 5
    assert hook["stages"] == ["commit-msg"]
    assert bool(re.search(hook["entry"], message, re.MULTILINE | re.DOTALL)) is refused


def test_the_citation_says_what_the_package_says() -> None:
    citation = settings("CITATION.cff")
    project = PYPROJECT["project"]
    assert citation["title"] == project["name"]
    assert citation["version"] == plivo_analysis.__version__
    assert citation["license"] == project["license"]
    assert citation["abstract"] == project["description"]
    assert citation["keywords"] == project["keywords"]


def test_a_report_of_a_bug_must_say_the_versions() -> None:
    (field,) = [
        field
        for field in settings(".github/ISSUE_TEMPLATE/bug.yml")["body"]
        if field.get("id") == "versions"
    ]
    assert "plivo_analysis.show_versions()" in field["attributes"]["description"]
    assert "show_versions" in plivo_analysis.__all__
    assert field["validations"]["required"]


def test_coverage_has_a_floor_and_what_lands_is_held_to_it() -> None:
    assert PYPROJECT["tool"]["coverage"]["report"]["fail_under"] > 0
    assert "make check COVER=--cov\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
