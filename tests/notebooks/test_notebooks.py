"""The tutorials: that they keep what they say, and that the check of it bites.

Whether they still say it is no test of this file but of nbval, which ``make test`` runs on the
notebooks themselves.
"""

from __future__ import annotations

import copy
import importlib.util
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
REAL_ACCOUNT = "# client = pva.Client()  # … and this one in, for the account of PLIVO_AUTH_ID"
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")

every_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def load_execute() -> Any:
    """The script beside the notebooks: it lies in no package."""
    spec = importlib.util.spec_from_file_location("execute", FOLDER / "execute.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


execute = load_execute()


def cells(path: Path, kind: str) -> list[dict[str, Any]]:
    book = json.loads(path.read_text(encoding="utf-8"))
    return [cell for cell in book["cells"] if cell["cell_type"] == kind]


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def notebook(*outputs: dict[str, Any]) -> Any:
    cell = nbformat.v4.new_code_cell("1", outputs=[nbformat.from_dict(each) for each in outputs])
    return nbformat.v4.new_notebook(cells=[cell])


def shown(data: dict[str, Any]) -> dict[str, Any]:
    return {"output_type": "display_data", "metadata": {}, "data": data}


def test_there_are_notebooks() -> None:
    assert NOTEBOOKS


@every_notebook
def test_a_notebook_has_the_line_for_a_real_account_below_the_one_for_the_demo(path: Path) -> None:
    lines = [line for cell in cells(path, "code") for line in source(cell).splitlines()]
    place = lines.index(REAL_ACCOUNT)
    assert lines[place - 1].startswith("client = ")
    assert lines[place - 1].endswith("# a made-up account: take this line out …")


@every_notebook
def test_a_notebook_leaves_it_to_its_reader_how_figures_are_drawn(path: Path) -> None:
    assert not [cell for cell in cells(path, "code") if "renderer" in source(cell)]


@every_notebook
def test_a_figure_is_kept_alive_and_as_a_picture(path: Path) -> None:
    outputs = [output for cell in cells(path, "code") for output in cell["outputs"]]
    bundles = [output["data"] for output in outputs if execute.FIGURE in output.get("data", {})]
    assert all(execute.PICTURE in data for data in bundles)
    if "pva.figures." in path.read_text(encoding="utf-8"):
        assert bundles


@every_notebook
def test_a_link_of_a_notebook_leads_to_a_file(path: Path) -> None:
    targets = [link for cell in cells(path, "markdown") for link in LINK.findall(source(cell))]
    local = [target for target in targets if "://" not in target]
    assert local
    assert not [target for target in local if not (path.parent / target).exists()]


@every_notebook
def test_nothing_that_differs_from_run_to_run_is_kept(path: Path) -> None:
    book = nbformat.read(path, as_version=4)
    tidied = copy.deepcopy(book)
    execute.tidy(tidied)
    assert tidied == book


def test_a_picture_is_kept_while_its_figure_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execute, "draw", lambda figure: f"drawn {figure['layout']}")
    same, changed = {"data": [], "layout": {"a": 1}}, {"data": [], "layout": {"a": 2}}
    drawn = execute.pictures(notebook(shown({execute.FIGURE: same, execute.PICTURE: "old"})))
    again = notebook(shown({execute.FIGURE: same}), shown({execute.FIGURE: changed}))
    execute.illustrate(again, drawn)
    assert [data[execute.PICTURE] for data in execute._figures(again)] == ["old", "drawn {'a': 2}"]


def test_times_versions_and_widgets_are_left_out() -> None:
    book = notebook({**shown({"text/plain": "1"}), "metadata": {"model": "af3"}})
    book.metadata.update(widgets={"state": {}}, language_info={"version": "3.11.2"})
    book.cells[0].metadata.update(execution={"shell.execute_reply": "2026-11-02"})
    execute.tidy(book)
    assert "widgets" not in book.metadata
    assert "version" not in book.metadata.language_info
    assert book.cells[0].metadata == {}
    assert book.cells[0].outputs[0].metadata == {}


@pytest.mark.slow
@every_notebook
def test_the_check_notices_one_digit_in_a_table_and_in_a_figure(path: Path, tmp_path: Path) -> None:
    book = nbformat.read(path, as_version=4)
    touched = falsify(book)
    assert touched
    forged = tmp_path / path.name
    nbformat.write(book, forged)
    checked = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml")),
            *("--rootdir", str(ROOT), "-p", "no:cacheprovider", "-q"),
            *("--nbval", "--nbval-current-env", "--nbval-cell-timeout=120", str(forged)),
        ],
        cwd=tmp_path,
        env={
            **os.environ,
            **execute.SURROUNDINGS,
            "PLIVO_ANALYSIS_HOME": str(tmp_path),
            "PYTHONPATH": str(ROOT),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    failed = {int(cell) for cell in re.findall(r"(?m)^FAILED .*::Cell (\d+)", checked.stdout)}
    assert failed == touched, checked.stdout


def falsify(book: Any) -> set[int]:
    """Change one digit of the last text that has one, and one of the first figure's data.

    Returns:
        The numbers of the cells touched, as nbval counts them.
    """
    code = [cell for cell in book.cells if cell.cell_type == "code"]
    touched = set()
    for number, cell in reversed(list(enumerate(code))):
        texts = [each for each in cell.outputs if "text/plain" in each.get("data", {})]
        if texts and (changed := another_digit(texts[0].data["text/plain"])):
            texts[0].data["text/plain"] = changed
            touched.add(number)
            break
    for number, cell in enumerate(code):
        figures = [each for each in cell.outputs if execute.FIGURE in each.get("data", {})]
        if figures:
            whole = figures[0].data[execute.FIGURE]
            # The first: the last digits of a long fraction may be lost in reading it.
            changed = another_digit(json.dumps(whole["data"][0]), 0)
            assert changed is not None
            whole["data"][0] = nbformat.from_dict(json.loads(changed))
            touched.add(number)
            break
    return touched


def another_digit(text: str, which: int = -1) -> str | None:
    """The text with one digit that follows a digit changed; None where it has none."""
    digits = list(re.finditer(r"(?<=\d)\d", text))
    if not digits:
        return None
    place = digits[which].start()
    return text[:place] + str((int(text[place]) + 1) % 10) + text[place + 1 :]
