"""The explorer in Jupyter Notebook 7: it loads, and draws."""

from __future__ import annotations

from typing import Any

import plivo_analysis as pva

SOURCE = """
import plivo_analysis as pva

pva.SessionExplorer(pva.demo(sessions=600), since="90d")
"""


def test_a_load_says_the_metrics_numbers_and_draws_a_figure(
    notebook: str, new_page: Any, write_notebook: Any, shot: Any
) -> None:
    page = new_page()
    page.goto(f"{notebook}/notebooks/{write_notebook('in-notebook', SOURCE)}")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell")
    page.wait_for_function("window.jupyterapp?.shell?.currentWidget?.sessionContext?.isReady")
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")
    page.locator("button.pva-load").click()
    page.wait_for_selector(".pva-status >> text=Complete.")
    with pva.demo(sessions=600) as client:
        spent = pva.spend(pva.load_sessions(since="90d", client=client), by=())["amount"].sum()
    spend = page.locator(".pva-cards > div", has_text="Spend").locator(".now")
    assert spend.inner_text() == f"${spent:,.2f}"
    page.locator(".pva .lm-TabBar-tab", has_text="Spend").click()
    page.wait_for_selector(".pva .js-plotly-plot svg")
    shot(page, "notebook")
