"""A real browser, and the places where the explorer is shown: JupyterLab, Notebook and Voila.

Everything lies in a temporary folder and listens on loopback only. The browser resolves no
other name, and each page's requests are checked in the end: none may leave this computer. Tests
run beside one another, each worker with a browser and servers of its own.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).parents[2]
ARTIFACTS = ROOT / "artifacts"
APPS = ROOT / "notebooks" / "apps"
SECONDS = 120  # that a server may take to start, and a page to be complete

Open = Callable[..., Any]
Pages = Callable[[list[str]], AbstractContextManager[Open]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's program, or the plain sentence that there is none."""
    pytest.importorskip("playwright", reason="Playwright is not installed: make browser-test does")
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("Chromium is not installed: no browser test was run.")
    return found


@pytest.fixture(scope="session")
def browser(chromium: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - not installed everywhere

    quiet = (
        "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
        "--disable-background-networking --disable-component-update --disable-sync"
    )
    resolver = "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1"
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=chromium, args=[*quiet.split(), resolver]
        )
        yield opened
        opened.close()


@pytest.fixture
def outside() -> Iterator[list[str]]:
    """What pages asked for beyond this computer: in the end it must be nothing."""
    asked: list[str] = []
    yield asked
    assert asked == []


@pytest.fixture
def new_page(pages: Pages, outside: list[str]) -> Iterator[Open]:
    """Open pages, closed with the test."""
    with pages(outside) as open_page:
        yield open_page


@pytest.fixture(scope="session")
def pages(browser: Any) -> Pages:
    """Open pages that note whatever they ask for beyond this computer, and every alert."""
    return contextmanager(partial(_pages, browser))


def _pages(browser: Any, outside: list[str]) -> Iterator[Open]:
    contexts: list[Any] = []

    def note(address: str) -> None:
        if not _near(address):
            outside.append(address)

    def answer(dialog: Any) -> None:
        outside.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def open_page(*, dark: bool = False, width: int = 1440) -> Any:
        context = browser.new_context(
            viewport={"width": width, "height": 950},
            color_scheme="dark" if dark else "light",
            permissions=["clipboard-read", "clipboard-write"],
            device_scale_factor=1.4,
        )
        context.on("request", lambda request: note(request.url))
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(SECONDS * 1000)
        page.on("websocket", lambda socket: note(socket.url))
        page.on("dialog", answer)
        return page

    yield open_page
    for context in contexts:
        context.close()


def _near(address: str) -> bool:
    parts = urlsplit(address)
    return parts.scheme in {"data", "blob", "about"} or parts.hostname == "127.0.0.1"


@pytest.fixture(scope="session")
def shot() -> Callable[[Any, str], None]:
    """Keep a picture of a page, to be looked at."""
    ARTIFACTS.mkdir(exist_ok=True)

    def take(page: Any, name: str) -> None:
        page.wait_for_timeout(300)  # figures settle
        page.screenshot(path=ARTIFACTS / f"{name}.png")

    return take


@pytest.fixture(scope="session")
def barriers() -> Callable[[Any], list[str]]:
    """What keeps a person with a screen reader or a keyboard out of the explorer, by axe-core."""
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright",
        reason="axe-playwright-python is not installed: make browser-test does",
    ).Axe()

    def find(page: Any) -> list[str]:
        found = axe.run(page, context=".pva").response["violations"]
        return [
            f"{rule['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
            for rule in found
            if rule["impact"] in ("serious", "critical")
            for node in rule["nodes"]
        ]

    return find


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where notebooks are served from."""
    return tmp_path_factory.mktemp("notebooks")


@pytest.fixture(scope="session")
def lab(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a JupyterLab that serves the place."""
    expose = "--LabApp.expose_app_in_browser=True"
    yield from _jupyter("jupyterlab", expose, place, tmp_path_factory.mktemp("jupyter"))


@pytest.fixture(scope="session")
def notebook(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Jupyter Notebook that serves the place."""
    expose = "--JupyterNotebookApp.expose_app_in_browser=True"
    yield from _jupyter("notebook", expose, place, tmp_path_factory.mktemp("notebook"))


@pytest.fixture(scope="session")
def voila(place: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Voila that serves the place."""
    home = tmp_path_factory.mktemp("voila")
    port = _free()
    command = [
        *_python("voila"),
        str(place),
        "--no-browser",
        f"--port={port}",
        "--Voila.ip=127.0.0.1",
        "--template=quiet",
    ]
    yield from _served(command, home, port, "/")


@pytest.fixture(scope="session")
def write_notebook(place: Path) -> Callable[..., str]:
    """Write a notebook of some cells; return its name."""

    def write(name: str, *cells: str) -> str:
        written = {
            "cells": [
                {
                    "cell_type": "code",
                    "execution_count": None,
                    "id": f"cell{number}",
                    "metadata": {},
                    "outputs": [],
                    "source": cell,
                }
                for number, cell in enumerate(cells)
            ],
            "metadata": {
                "kernelspec": {
                    "display_name": "Python 3",
                    "language": "python",
                    "name": "python3",
                },
                "language_info": {"name": "python"},
            },
            "nbformat": 4,
            "nbformat_minor": 5,
        }
        (place / f"{name}.ipynb").write_text(json.dumps(written))
        return f"{name}.ipynb"

    return write


@pytest.fixture
def open_in_lab(lab_opener: Callable[[Open], Open], new_page: Open) -> Open:
    """Open a notebook in Lab and run its cells."""
    return lab_opener(new_page)


@pytest.fixture(scope="session")
def lab_opener(lab: str) -> Callable[[Open], Open]:
    """The same, on pages that live longer than a test."""
    return partial(partial, _open_in_lab, lab)


def _open_in_lab(
    lab: str,
    new_page: Open,
    name: str,
    *,
    dark: bool = False,
    wait: str = ".pva-load",
    **options: Any,
) -> Any:
    page = new_page(dark=dark, **options)
    page.goto(f"{lab}/lab/tree/{name}?reset")
    page.wait_for_selector(".jp-Notebook .jp-CodeCell")
    page.wait_for_function("window.jupyterapp?.shell?.currentWidget?.sessionContext?.isReady")
    theme = "JupyterLab Dark" if dark else "JupyterLab Light"
    page.evaluate(
        "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", theme
    )
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.info")
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")
    page.evaluate("() => window.jupyterapp.shell.collapseLeft()")
    page.wait_for_selector(wait)
    return page


@pytest.fixture
def open_in_voila(voila_opener: Callable[[Open], Open], new_page: Open) -> Open:
    """Open a notebook as a Voila page."""
    return voila_opener(new_page)


@pytest.fixture(scope="session")
def voila_opener(voila: str) -> Callable[[Open], Open]:
    """The same, on pages that live longer than a test."""
    return partial(partial, _open_in_voila, voila)


def _open_in_voila(
    voila: str, new_page: Open, name: str, query: str = "", *, dark: bool = False, **options: Any
) -> Any:
    page = new_page(dark=dark, **options)
    page.goto(f"{voila}/voila/render/{name}?{query}", wait_until="domcontentloaded")
    page.wait_for_selector(".pva-load")
    return page


def _jupyter(module: str, expose: str, place: Path, home: Path) -> Iterator[str]:
    settings = home / "settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    news = {"fetchNews": "false", "checkForUpdates": False}
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(news))
    port = _free()
    command = [
        *_python(module),
        "--no-browser",
        "--allow-root",
        "--ip=127.0.0.1",
        f"--port={port}",
        "--ServerApp.port_retries=0",
        "--IdentityProvider.token=",
        "--ServerApp.password=",
        f"--ServerApp.root_dir={place}",
        expose,
    ]
    yield from _served(command, home, port, "/api/status")


def _python(module: str) -> list[str]:
    pytest.importorskip(module, reason=f"{module} is not installed: make browser-test does")
    return [sys.executable, "-m", module]


def _free() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _served(command: list[str], home: Path, port: int, answers: str) -> Iterator[str]:
    folders = {
        f"JUPYTER_{kind}_DIR" if kind != "PATH" else kind: str(home / kind.lower())
        for kind in ("CONFIG", "DATA", "RUNTIME")
    }
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PLIVO_")},
        **folders,
        "JUPYTER_PATH": str(APPS / "share"),
        "JUPYTERLAB_SETTINGS_DIR": str(home / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(home / "workspaces"),
        "IPYTHONDIR": str(home / "ipython"),
        "PLIVO_ANALYSIS_HOME": str(home / "plivo"),
    }
    log = (home / "log").open("w")
    process = subprocess.Popen(
        command, env=environment, cwd=home, stdout=log, stderr=subprocess.STDOUT
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _await(address + answers, process, home / "log")
        yield address
    finally:
        process.terminate()
        process.wait(30)
        log.close()


def _await(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(address, timeout=5):  # noqa: S310 - on loopback
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"No answer from {address}:\n{log.read_text()[-2000:]}")
