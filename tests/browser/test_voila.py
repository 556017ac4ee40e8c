"""The explorer as a Voila page: for those who have no Python, and no notebook either."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import plivo_analysis as pva

if TYPE_CHECKING:
    from collections.abc import Iterator

APPS = Path(__file__).parents[2] / "notebooks" / "apps"


def complete(page: Any) -> None:
    page.wait_for_selector(".pva-status >> text=Complete.")


def value(page: Any, name: str) -> str:
    return str(page.locator(".pva-cards > div", has_text=name).locator(".now").inner_text())


@pytest.fixture
def app(place: Path, open_in_voila: Any) -> Any:
    """Open one of the pages that `make explore` serves."""

    def open_it(name: str, query: str = "", **options: Any) -> Any:
        shutil.copy(APPS / f"{name}.ipynb", place)
        return open_in_voila(f"{name}.ipynb", query, **options)

    return open_it


def test_the_page_loads_the_demo_account_and_says_its_numbers(
    app: Any, shot: Any, barriers: Any
) -> None:
    page = app("explorer")
    assert page.title() == "Verify sessions"
    assert page.locator(".jp-InputArea, .jp-Cell-inputArea").count() == 0  # no code
    page.get_by_text("Choose a range and press Load.").wait_for()
    page.locator("button.pva-load").click()
    complete(page)
    with pva.demo() as client:
        sessions = pva.load_sessions(since="30d", client=client)
    assert value(page, "Sessions") == f"{sessions.height:,}"
    page.locator(".pva-summary >> text=You spent").wait_for()
    shot(page, "voila-light")
    page.set_viewport_size({"width": 560, "height": 950})
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    cut = page.locator(".pva :is(.now, .kind, .name, .pva-right, td.pva-number:not(.pva-optional))")
    assert not cut.evaluate_all(
        "all => all.filter(text => text.scrollWidth > text.clientWidth + 1"
        " && getComputedStyle(text).overflow !== 'visible').length"
    )
    page.get_by_text("Not shown on a narrow page: Per verified.").wait_for()
    shot(page, "voila-narrow")
    page.set_viewport_size({"width": 400, "height": 950})
    page.wait_for_timeout(300)
    # On a phone's page the table still shows spend and waste, without being scrolled.
    assert page.locator(".pva-rows:visible").evaluate_all(
        "all => all.every(place => place.scrollWidth <= place.clientWidth + 1)"
    )
    page.set_viewport_size({"width": 560, "height": 950})
    page.locator(".pva .lm-TabBar-tab", has_text="Fallback").click()
    page.locator(".pva-in-rows .main-svg").first.wait_for()
    assert barriers(page) == []  # what scrolls sideways is reached by keyboard


def test_another_tab_and_one_entry_channel(app: Any, shot: Any) -> None:
    page = app("explorer", dark=True)
    page.locator("button.pva-load").click()
    complete(page)
    whole = int(value(page, "Sessions").replace(",", ""))
    page.locator("button.pva-channel", has_text="SMS").click()
    page.wait_for_function(
        "whole => !document.querySelector('.now').innerText.includes(whole)",
        arg=f"{whole:,}",
    )
    page.locator(".pva .lm-TabBar-tab", has_text="Paths").click()
    page.locator(".widget-tab-contents .sankey").first.wait_for(state="attached")
    assert int(value(page, "Sessions").replace(",", "")) < whole
    shot(page, "voila-paths")


@pytest.mark.parametrize("dark", [False, True])
def test_nothing_in_the_page_keeps_a_screen_reader_or_a_keyboard_out(
    app: Any, barriers: Any, dark: bool
) -> None:
    page = app("explorer", dark=dark)
    assert barriers(page) == []
    page.get_by_label("Country").fill("India")
    page.keyboard.press("Enter")  # loads
    complete(page)
    page.locator(".pva-filter >> text=Country IN").wait_for()
    for title in ("Overview", "Fallback", "Paths", "Spend", "Attempts", "Not adding up"):
        page.locator(".pva .lm-TabBar-tab", has_text=title).click()
        page.wait_for_timeout(300)
        assert barriers(page) == [], title
        # A label without words is hidden and has no tooltip to show.
        tooltips = page.locator(".pva [title=null]:visible, .pva [title=None]:visible")
        assert tooltips.count() == 0
    ink = page.locator(".pva h2").evaluate("found => getComputedStyle(found).color")
    assert (min(int(part) for part in ink[4:-1].split(",")[:3]) > 128) == dark


def test_settings_stand_in_the_address_and_survive_a_reload(app: Any) -> None:
    page = app("explorer", "theme=light&since=7d&country=BD&group=day&tab=Spend")
    assert page.get_by_label("Country").input_value() == "BD"
    page.locator("button.pva-load").click()
    complete(page)
    page.get_by_label("Group by").select_option(label="network")
    page.wait_for_function("location.search.includes('group=network')")
    query = page.evaluate("location.search")
    assert "theme=light" in query
    page.reload(wait_until="domcontentloaded")
    page.wait_for_selector(".pva-load")
    assert page.get_by_label("Group by").evaluate("one => one.selectedOptions[0].text") == "network"
    assert page.locator(".pva .lm-TabBar-tab.lm-mod-current").inner_text() == "Spend"


def test_a_file_of_any_size_arrives(open_in_voila: Any, write_notebook: Any) -> None:
    source = """
import plivo_analysis as pva
from plivo_analysis.explorer import download
download.PART = 40_000  # so that a small account's file goes in several parts
explorer = pva.SessionExplorer(pva.demo(sessions=600), since="90d")
explorer
"""
    page = open_in_voila(write_notebook("large", source))
    page.locator("button.pva-load").click()
    complete(page)
    with page.expect_download() as download:
        page.locator("button.pva-export-rows").click()
    assert download.value.suggested_filename == "sessions.csv"
    rows = Path(download.value.path()).read_text("utf-8-sig").splitlines()
    assert len(rows) == 601


def test_a_row_opens_its_session(app: Any, shot: Any) -> None:
    page = app("explorer")
    page.locator("button.pva-load").click()
    complete(page)
    page.locator(".pva .lm-TabBar-tab", has_text="Attempts").click()
    page.locator("button.pva-open:visible").first.click()
    page.locator(".pva-session:visible >> text=Charge line").wait_for()
    page.locator("th button:visible", has_text="Charge").click()
    page.locator("th[aria-sort=ascending]:visible", has_text="Charge").wait_for()
    shot(page, "voila-session")


def test_the_page_of_messages_loads(app: Any, shot: Any) -> None:
    page = app("messages")
    page.locator("button.pva-load").click()
    complete(page)
    assert page.locator(".pva-cards > div").count() == 6
    shot(page, "voila-messages")


def test_a_page_that_asks_for_anything_beyond_this_computer_is_found_out(
    new_page: Any, outside: list[str]
) -> None:
    page = new_page()
    page.set_content("<img src='http://outside.test/a.png'><script>alert('seen')</script>")
    page.wait_for_timeout(200)
    assert set(outside) == {"http://outside.test/a.png", "dialog: seen"}
    outside.clear()


def test_cancel_acts_in_a_wait_for_the_limit(open_in_voila: Any, write_notebook: Any) -> None:
    source = (
        "import plivo_analysis as pva\nclient = pva.demo(sessions=600, requests_per_minute=3)\n"
    )
    name = write_notebook("limited", source + "pva.SessionExplorer(client, since='90d')")
    page = open_in_voila(name)
    page.locator("button.pva-load").click()
    page.wait_for_selector(".pva-wait >> text=/Next request in [0-9]+ s/")
    began = time.monotonic()
    page.locator("button.pva-cancel").click()
    page.wait_for_selector(".pva-status >> text=Stopped.")
    assert time.monotonic() - began < 15  # of a minute's wait; the half second is held elsewhere


def test_leaving_the_page_ends_the_load(
    open_in_voila: Any, write_notebook: Any, tmp_path: Path
) -> None:
    log = tmp_path / "requests"
    source = f"""
import os, threading, time
import plivo_analysis as pva
client = pva.demo(sessions=20_000, requests_per_minute=100_000)
def report():
    while True:
        open({str(log) + ".new"!r}, "w").write(str(len(client.server.log)))
        os.replace({str(log) + ".new"!r}, {str(log)!r})  # whole, whenever it is read
        time.sleep(0.1)
threading.Thread(target=report, daemon=True).start()
pva.SessionExplorer(client, since="90d")
"""
    page = open_in_voila(write_notebook("leaving", source))
    page.locator("button.pva-load").click()
    page.wait_for_selector(".pva-status >> text=sessions read")
    page.goto("about:blank")
    deadline = time.monotonic() + 15
    seen = ""
    while time.monotonic() < deadline and (now := log.read_text()) != seen:
        seen = now
        time.sleep(2)
    assert log.read_text() == seen
    assert int(seen) < 1000  # the whole range takes more


@pytest.fixture
def page_with_token(tmp_path: Path) -> Iterator[str]:
    """The address, with its token, of a Voila that was started as `make explore` starts it."""
    folders = {
        name: str(tmp_path) for name in ("HOME", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR")
    }
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "voila", "explorer.ipynb", "--no-browser", f"--port={port}"],
        cwd=APPS,
        env={**os.environ, **folders, "JUPYTER_PATH": str(APPS / "share")},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    lines = iter(process.stderr.readline, "")
    yield next(line.strip() for line in lines if re.match("http://", line))
    process.terminate()
    process.wait(30)
    process.stderr.close()


def status(address: str, host: str | None = None) -> int:
    request = urllib.request.Request(address, headers={"Host": host} if host else {})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 - on loopback
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_the_page_asks_for_its_token_and_answers_to_names_of_this_computer_only(
    page_with_token: str,
) -> None:
    base = page_with_token.partition("?")[0]
    kernels = "api/kernels/00000000-0000-4000-8000-000000000000"
    assert base.startswith("http://127.0.0.1:")
    assert status(page_with_token) == 200
    assert status(base + kernels) == 403
    assert status(page_with_token, host="attacker.example") == 403
