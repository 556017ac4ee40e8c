"""The explorer in both of its homes: what a browser alone can show of it."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

import plivo_analysis as pva

APPS = Path(__file__).parents[2] / "notebooks" / "apps"
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


def is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_kernel_that_nobody_has_used_for_long_ends_by_itself(
    tmp_path: Path, place: Path, write_notebook: Any
) -> None:
    # The settings that `make explore` is started with, with other numbers.
    settings = json.loads((APPS / "voila.json").read_text())
    assert settings["MappingKernelManager"]["cull_idle_timeout"] <= 3600
    settings["MappingKernelManager"] |= {"cull_idle_timeout": 3, "cull_interval": 1}
    (tmp_path / "voila.json").write_text(json.dumps(settings))
    number = tmp_path / "kernel"
    source = f"import os, pathlib\npathlib.Path({str(number)!r}).write_text(str(os.getpid()))\n"
    notebook = place / write_notebook("idle", source + DEMO)
    folders = {name: str(tmp_path) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR")}
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [sys.executable, "-m", "voila", str(notebook), "--no-browser", f"--port={port}"],
        cwd=tmp_path,
        env={**os.environ, **folders, "JUPYTER_PATH": str(APPS / "share")},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert server.stderr is not None
    try:
        lines = iter(server.stderr.readline, "")
        address = next(line.strip() for line in lines if re.match("http://", line))
        # What asks is no browser: nothing will tell the server that the page was closed.
        with urllib.request.urlopen(address, timeout=120) as answer:  # noqa: S310 - on loopback
            answer.read()
        kernel = int(number.read_text())
        deadline = time.monotonic() + 60
        while is_running(kernel) and time.monotonic() < deadline:
            time.sleep(0.5)
        assert not is_running(kernel)
    finally:
        server.terminate()
        server.wait(30)
        server.stderr.close()


@pytest.mark.slow
def test_a_long_load_shows_an_estimate_that_becomes_the_exact_number(
    open_in_voila: Any, write_notebook: Any, shot: Any, barriers: Any
) -> None:
    source = (
        "import plivo_analysis as pva\n"
        "client = pva.demo(sessions=2_400, requests_per_minute=120)\n"
        "pva.SessionExplorer(client, since='90d')"
    )
    page = open_in_voila(write_notebook("estimate", source))
    page.locator("button.pva-load").click()
    card = page.locator(".pva-cards > div", has_text="Spend")
    card.locator(".now", has_text="≈").wait_for()
    page.locator("button.pva-cancel").click()  # so that it stands still
    page.wait_for_selector(".pva-status >> text=Stopped.")
    page.locator(".pva-right", has_text="Estimates from").wait_for()
    page.locator(".pva-table:visible td", has_text="≈").first.wait_for()
    assert barriers(page) == []
    shot(page, "voila-estimate")
    page.locator("button.pva-load").click()
    page.wait_for_selector(".pva-status >> text=Complete.")
    with pva.demo(sessions=2_400) as client:
        sessions = pva.load_sessions(since="90d", client=client)
    spent = pva.spend(sessions, by=())["amount"].sum()
    assert card.locator(".now").inner_text() == f"${spent:,.2f}"
    assert "≈" not in page.locator(".pva-main").inner_text()
