"""The places beside JupyterLab and Voila where notebooks run or are read: docs/where-it-runs.md.

What a host of another company can only show on its own servers is tested by what it is given:
figures and widgets of kinds that it documents.
"""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
from html import unescape
from pathlib import Path
from typing import Any

import nbformat
import plotly.io as pio
import pytest
from ipywidgets.embed import dependency_state

import plivo_analysis as pva

ROOT = Path(__file__).parents[2]
NOTEBOOKS = ROOT / "notebooks"
TUTORIAL = NOTEBOOKS / "06_cost_report.ipynb"
FIGURE = "application/vnd.plotly.v1+json"


def run(folder: Path, module: str, *arguments: str | Path) -> None:
    """Run a program of the host, as its command would."""
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed: make slow does")
    ran = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=folder,
        env={
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "PLIVO_ANALYSIS_HOME": str(folder / "home"),
            "PLIVO_ANALYSIS_PROGRESS": "0",
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, f"{ran.stdout}{ran.stderr}"


def shown(book: Any, source: str, kind: str = "text/plain") -> str:
    """What the only cell that begins so has shown."""
    (cell,) = [cell for cell in book.cells if cell.source.startswith(source)]
    (output,) = cell.outputs
    return str(output.data[kind])


@pytest.mark.slow
def test_papermill_reports_on_another_month_and_the_numbers_are_its_own(tmp_path: Path) -> None:
    month = ("-p", "month", "2026-11")
    run(tmp_path, "papermill", "--no-progress-bar", TUTORIAL, "november.ipynb", *month)
    book = nbformat.read(tmp_path / "november.ipynb", as_version=4)
    with pva.demo() as client:
        sessions = pva.load_sessions(since="2026-11-01", until="2026-12-01", client=client)
        before = pva.load_sessions(since="2026-10-01", until="2026-11-01", client=client)
        messages = pva.load_messages(since="2026-11-01", until="2026-12-01", client=client)
    heights = (sessions.height, before.height, messages.height)
    assert shown(book, "first = ") == str(heights)
    cost = pva.cost_per_verified(sessions)
    assert shown(book, "spend = ", "text/html") == pva.spend(sessions)._repr_html_()
    assert shown(book, "pva.cost_per_verified(", "text/html") == cost._repr_html_()
    assert "2026-11.html" in shown(book, "folder = ")


@pytest.mark.slow
def test_a_page_that_nbconvert_writes_holds_every_figure_as_a_picture(tmp_path: Path) -> None:
    path = NOTEBOOKS / "02_fallback.ipynb"
    run(tmp_path, "nbconvert", "--to", "html", "--output-dir", tmp_path, path)
    page = (tmp_path / "02_fallback.html").read_text(encoding="utf-8")
    book = nbformat.read(path, as_version=4)
    figures = [
        output.data
        for cell in book.cells
        for output in cell.get("outputs", ())
        if FIGURE in output.get("data", {})
    ]
    held = {picture.replace("\n", "") for picture in re.findall(r"base64,([^\"]+)", page)}
    assert figures
    assert {data["image/png"].replace("\n", "") for data in figures} <= held


MARIMO = """
import marimo

app = marimo.App()


@app.cell
def load():
    import plivo_analysis as pva

    with pva.demo() as client:
        sessions = pva.load_sessions(since="2026-10-01", until="2026-11-01", client=client)
    return pva, sessions


@app.cell
def table(pva, sessions):
    pva.spend(sessions)


@app.cell
def figure(pva, sessions):
    pva.figures.spend(pva.spend(sessions))


@app.cell
def report(pva, sessions):
    pva.cost_report(sessions)
"""


@pytest.mark.slow
def test_marimo_shows_a_table_a_figure_and_a_report(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(MARIMO, encoding="utf-8")
    run(tmp_path, "marimo", "-q", "-y", "export", "html", "app.py", "-o", "page.html")
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "48.88578000" in page
    assert "marimo-plotly" in page
    assert "You spent " in unescape(page)


@pytest.mark.parametrize(("host", "kind"), [("vscode", FIGURE), ("colab", "text/html")])
def test_a_figure_is_of_the_kind_that_plotly_gives_to_a_host(host: str, kind: str) -> None:
    with pva.demo(sessions=50) as client:
        sessions = pva.load_sessions(since="90d", client=client)
    figure = pva.figures.spend(pva.spend(sessions))
    assert kind in pio.renderers[host].to_mimebundle(figure.to_plotly_json())


def test_the_explorer_is_made_of_the_widgets_that_every_host_knows() -> None:
    with pva.demo(sessions=50) as client:
        explorer = pva.SessionExplorer(client)
        explorer.load.click()
        assert explorer.wait(60)
        models = dependency_state([explorer]).values()
        bundle = explorer._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    modules = {model["model_module"] for model in models}
    assert modules == {
        "@jupyter-widgets/base",
        "@jupyter-widgets/controls",
        "@jupyter-widgets/output",
    }
    texts = [str(model["state"].get("value")) for model in models]
    scripts = [text for text in texts if "querySelector" in text]
    assert scripts
    assert not [text for text in scripts if re.search(r"jupyterapp|require\(|\bIPython\b", text)]
