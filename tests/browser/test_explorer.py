"""The explorer in both of its homes: what a browser alone can show of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

DEMO = "import plivo_analysis as pva\npva.SessionExplorer(pva.demo(sessions=400), since='90d')"
SIGNATURES = {"png": b"\x89PNG", "svg": b"<svg"}


@pytest.mark.parametrize("home", ["open_in_voila", "open_in_lab"])
def test_a_figure_is_saved_as_a_picture_by_keyboard(
    home: str, request: pytest.FixtureRequest, write_notebook: Any
) -> None:
    page = request.getfixturevalue(home)(write_notebook("pictures", DEMO))
    page.locator("button.pva-load").click()
    page.wait_for_selector(".pva-status >> text=Complete.")
    page.locator(".pva .lm-TabBar-tab", has_text="Fallback").click()
    page.locator(".pva-figure:visible .modebar-btn").first.wait_for(state="attached")
    assert page.locator(".pva .modebar-btn:visible").count() == 0
    for kind, signature in SIGNATURES.items():
        save = page.get_by_label(f"Save the figure of fallback rate as {kind.upper()}", exact=True)
        with page.expect_download() as download:
            save.focus()
            page.keyboard.press("Enter")
        assert download.value.suggested_filename == f"fallback-rate.{kind}"
        assert Path(download.value.path()).read_bytes().startswith(signature)
