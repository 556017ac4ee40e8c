"""The explorer in JupyterLab, by mouse and keyboard, as a person uses it."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import pytest

import plivo_analysis as pva

if TYPE_CHECKING:
    from pathlib import Path

START = "import plivo_analysis as pva\n\nclient = pva.demo(sessions={sessions}{options})\n"
SHOW = "explorer = pva.{kind}(client{filters})\nexplorer"
ROWS = "button.pva-load"


def expected() -> tuple[Any, dict[str, str]]:
    """What the page must say of the last 90 days' sessions to India that are final."""
    with pva.demo(sessions=600) as client:
        sessions = pva.load_sessions(since="90d", country="IN", status="verified", client=client)
        spent = pva.spend(sessions, by=())["amount"].sum()
        fallback = pva.fallback_rates(sessions, by=()).row(0, named=True)
    said = {
        "Sessions": f"{sessions.height:,}",
        "Success rate": "100.0\u202f%",
        "Fallback rate": f"{fallback['fallback_rate']:.1%}".replace("%", "\u202f%"),
        "Spend": f"${spent:,.2f}",
    }
    return sessions, said


def cell(page: Any, name: str) -> str:
    return str(page.locator(".pva-cards > div", has_text=name).locator(".now").inner_text())


def tab(page: Any, title: str) -> None:
    page.locator(".pva .lm-TabBar-tab", has_text=re.compile(f"^{title}$")).click()


def complete(page: Any) -> None:
    page.wait_for_selector(".pva-status >> text=Complete.")


@pytest.fixture
def explorer(open_in_lab: Any, write_notebook: Any) -> Any:
    """Open an explorer in Lab; further cells come after its own."""

    def open_it(
        name: str, *cells: str, kind: str = "SessionExplorer", filters: str = "", **options: Any
    ) -> Any:
        account = {"sessions": options.pop("sessions", 600), "options": options.pop("limit", "")}
        start = START.format(**account) + SHOW.format(kind=kind, filters=filters)
        return open_in_lab(write_notebook(name, start, *cells), **options)

    return open_it


def test_filters_are_set_by_mouse_and_keyboard_and_the_page_says_the_metrics_numbers(
    explorer: Any, shot: Any
) -> None:
    page = explorer("filters")
    page.get_by_role("button", name="90 d").click()
    status = page.get_by_label("Status", exact=True)
    status.focus()
    page.keyboard.press("v")  # the first choice that begins with it
    page.get_by_label("Country").click()
    page.keyboard.type("IN")
    page.keyboard.press("Tab")
    page.locator(".pva-code", has_text='country="IN"').wait_for()
    page.locator("button.pva-load").focus()
    page.keyboard.press("Enter")
    complete(page)
    sessions, said = expected()
    assert {name: cell(page, name) for name in said} == said
    assert f"{sessions.height:,} sessions" in page.locator(".pva-status").inner_text()
    shot(page, "lab-filters")


def test_wrong_input_is_named_beside_its_field(explorer: Any, shot: Any) -> None:
    page = explorer("wrong")
    page.get_by_label("Recipient").fill("nobody")
    page.keyboard.press("Tab")
    said = page.locator(".pva-of-recipient .pva-error >> text=is not a telephone number")
    said.wait_for()
    page.locator("button.pva-load").click()
    page.wait_for_timeout(500)
    assert page.locator(".pva-cards").count() == 0
    shot(page, "lab-wrong-input")


def test_a_number_that_was_typed_is_shown_masked(explorer: Any) -> None:
    page = explorer("masked")
    field = page.get_by_label("Recipient")
    field.fill("+1 415 555 0123")
    page.keyboard.press("Tab")
    page.wait_for_function(
        "() => document.querySelector('.pva-of-recipient input').value.endsWith('••23')"
    )
    assert "555" not in field.input_value()
    assert page.locator(".pva-of-recipient .pva-error").inner_text().strip() == ""


def test_progress_moves_while_another_cell_is_running_and_what_was_read_is_kept(
    explorer: Any, shot: Any, place: Path
) -> None:
    seen = place / "progress was seen"
    page = explorer(
        "busy",
        "explorer.load.click()\nimport time\nfrom pathlib import Path\n"
        f"while not Path({str(seen)!r}).exists():\n    time.sleep(0.1)",
        filters=", since='90d'",
        sessions=20000,
    )
    bar = page.locator(".pva-progress .progress-bar")
    page.wait_for_selector(".pva-status >> text=sessions read")
    first = bar.evaluate("bar => parseFloat(bar.style.width)")
    page.wait_for_function(
        """first => {
            const busy = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.status;
            const bar = document.querySelector('.pva-progress .progress-bar');
            return busy === 'busy' && parseFloat(bar.style.width) > first;
        }""",
        arg=first,
    )
    shot(page, "lab-loading")
    seen.touch()
    # Where the kernel answers widgets in the thread of its cells, the click waits for the cell.
    page.locator("button.pva-cancel").click()
    kept = page.locator(".pva-status", has_text="Stopped.")
    kept.wait_for()
    assert re.search(r"Stopped\. [1-9][\d,]* sessions kept", kept.inner_text())
    assert page.locator(".pva-accent", has_text="Estimates from").count()
    shot(page, "lab-cancelled")


def test_a_wait_for_the_limit_is_counted_down_and_cancelled(explorer: Any) -> None:
    page = explorer("limit", filters=", since='90d'", limit=", requests_per_minute=3")
    page.locator("button.pva-load").click()
    page.wait_for_selector(".pva-wait >> text=/Next request in [0-9]+ s/")
    began = time.monotonic()
    page.locator("button.pva-cancel").click()
    page.wait_for_selector(".pva-status >> text=Stopped.")
    assert time.monotonic() - began < 15  # of a minute's wait; the half second is held elsewhere
    assert page.locator("button.pva-load").is_enabled()


DRAWN = {
    "Overview": ".pva-table tbody tr",
    "Fallback": ".xaxislayer-above",
    "Paths": ".sankey",
    "Spend": ".barlayer .point",
    "Attempts": ".pva-rows tbody tr",
    "Not adding up": ".pva-heading",
}


def test_every_view_is_drawn_and_every_number_can_be_read_in_either_theme(
    explorer: Any, shot: Any, barriers: Any
) -> None:
    page = explorer("views", filters=", since='90d'")
    page.locator("button.pva-load").click()
    complete(page)
    page.get_by_label("Group by").select_option(label="channel")
    for theme in ("Light", "Dark"):
        page.evaluate(
            "name => window.jupyterapp.commands.execute('apputils:change-theme', {theme: name})",
            f"JupyterLab {theme}",
        )
        light = str(theme == "Light").lower()
        page.wait_for_selector(f"body[data-jp-theme-light={light}]", state="attached")
        for title, mark in DRAWN.items():
            tab(page, title)
            page.locator(f".widget-tab-contents {mark}").first.wait_for(state="attached")
            shot(page, f"lab-{theme.lower()}-{title.lower().replace(' ', '-')}")
            assert barriers(page) == [], (theme, title)
        for name in (".now", ".kind", ".pva-account", ".pva-code", ".pva-hint", ".lm-TabBar-tab"):
            assert contrast(page, f".pva {name}") >= 4.5, (theme, name)
        tab(page, "Spend")
        assert contrast(page, ".pva .main-svg text", "fill") >= 4.5, theme
        tab(page, "Fallback")
        assert contrast(page, ".pva .main-svg tspan[style*='#767C86']", "fill") >= 4.5, theme
    assert page.locator(".pva-figure:visible").count() == 2
    first, second = (page.locator(".pva-figure:visible").nth(n).bounding_box() for n in range(2))
    assert first["height"] > 200  # a figure that is shown again is as high as before
    assert first["y"] + first["height"] <= second["y"]


def contrast(page: Any, selector: str, paint: str = "color") -> float:
    """The contrast of a text with what lies behind it, as WCAG has it."""
    return float(
        page.locator(selector).first.evaluate(
            """(text, paint) => {
                const light = colour => {
                    const [r, g, b] = colour.match(/[\\d.]+/g).map(part => part / 255).map(
                        part => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
                    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
                };
                let behind = text;
                const seen = node => getComputedStyle(node).backgroundColor;
                while (/, 0\\)|transparent/.test(seen(behind))) behind = behind.parentElement;
                const pair = [light(getComputedStyle(text)[paint]), light(seen(behind))];
                return (Math.max(...pair) + 0.05) / (Math.min(...pair) + 0.05);
            }""",
            paint,
        )
    )


def test_local_choices_change_the_view_and_the_code_that_is_copied_gives_its_numbers(
    explorer: Any, shot: Any
) -> None:
    page = explorer("choices", filters=", since='90d'")
    page.locator("button.pva-load").click()
    complete(page)
    page.get_by_label("Group by").select_option(label="country")
    page.locator("button.pva-channel", has_text="WhatsApp").click()
    tab(page, "Spend")
    page.locator(".pva-code", has_text='pva.spend(sessions, by="destination_country').wait_for()
    page.locator(".pva-copy").click()
    page.wait_for_selector(".pva-copy >> text=Copied")
    code = page.evaluate("navigator.clipboard.readText()")
    shot(page, "lab-choices")
    sessions = int(cell(page, "Sessions").replace(",", ""))
    spent = cell(page, "Spend")
    with pva.demo(sessions=600) as client:
        *lines, last = code.splitlines()
        names: dict[str, Any] = {"pva": pva, "client": client}
        exec("\n".join(lines), names)  # noqa: S102 - the code is what is tested
        table = eval(last, names)  # noqa: S307 - the same
    assert names["sessions"].height == sessions
    assert f"${table['amount'].sum():,.2f}" == spent


def test_the_attempts_table_turns_and_sorts(explorer: Any) -> None:
    page = explorer("table", filters=", since='90d'")
    page.locator("button.pva-load").click()
    complete(page)
    tab(page, "Attempts")
    rows = page.locator(".widget-tab-contents .pva-rows:visible tbody tr")
    rows.first.wait_for()
    first = rows.first.inner_text()
    page.locator("button.pva-next:visible").click()
    page.locator(".pva-position:visible", has_text="14–26 of").wait_for()
    assert rows.first.inner_text() != first
    for _ in range(2):  # up, then down
        page.locator("th button:visible", has_text="Charge").click()
    page.locator("th[aria-sort=descending]:visible", has_text="Charge").wait_for()
    charges = rows.locator("td:nth-child(9)").all_inner_texts()
    assert charges == sorted(charges, reverse=True)


def test_files_are_exported_by_a_link(explorer: Any) -> None:
    page = explorer("files", filters=", since='90d'")
    page.locator("button.pva-load").click()
    complete(page)
    for kind, name in (
        ("csv", "sessions-overview.csv"),
        ("xlsx", "sessions-overview.xlsx"),
        ("html", "cost-report.html"),
    ):
        page.locator(f"button.pva-export-{kind}").click()
        with page.expect_download() as download:
            page.locator(f"a.pva-save >> text={name}").click()
        assert download.value.suggested_filename == name


def test_the_message_explorer_shows_delivery(explorer: Any, shot: Any) -> None:
    page = explorer("messages", kind="MessageExplorer", filters=", since='90d'")
    page.locator("button.pva-load").click()
    complete(page)
    with pva.demo(sessions=600) as client:
        rate = pva.delivery_rates(pva.load_messages(since="90d", client=client))
    shown = f"{rate['delivered_rate'][0]:.1%}".replace("%", "\u202f%")
    assert cell(page, "Delivered rate") == shown
    shot(page, "lab-messages")


HOSTILE = """
import plivo_analysis as pva
from plivo_analysis.emulator import AUTH_ID, AUTH_TOKEN, Account, Server
evil = "<img src=x onerror=alert(1)><a href='https://evil.test'>x</a>$\\\\href{javascript:alert(1)}{x}$"
at = "2026-11-02T05:00:00Z"
records = [
    {"session_uuid": f"00000000-0000-4000-8000-00000000000{n}", "alias": evil, "status": evil,
     "app_uuid": f"6e8bfef5-3112-4b0b-a87f-03ddc810148{n}", "recipient": "14155550100",
     "destination_country_iso2": evil, "created_at": at, "count": 1,
     "attempt_details": [{"channel": evil, "attempt_uuid": f"a{n}", "status": evil, "time": at}],
     "charges": {"total_charge": "0.08", "validation_charge": "0", "attempt_charges": []}}
    for n in range(3)
] + [
    {"session_uuid": "00000000-0000-4000-8000-000000000009", "alias": evil, "status": "verified",
     "app_uuid": "6e8bfef5-3112-4b0b-a87f-03ddc8101489", "recipient": "14155550101",
     "created_at": at, "count": 2, "attempt_details": [
        {"channel": evil, "attempt_uuid": "b1", "status": "failed", "time": at},
        {"channel": "sms", "attempt_uuid": "b2", "status": "delivered", "time": at}]}
]
server = Server(Account.of(sessions=records))
client = pva.Client(AUTH_ID, AUTH_TOKEN, base_url=server.url, store=False,
                    requests_per_minute=1e6)
explorer = pva.SessionExplorer(client, since="2026-11-01", until="2026-11-02T06:00Z")
explorer
"""


def test_hostile_names_are_text_on_the_page_and_nothing_else(
    open_in_lab: Any, write_notebook: Any, shot: Any
) -> None:
    page = open_in_lab(write_notebook("hostile", HOSTILE))
    page.locator("button.pva-load").click()
    page.wait_for_selector(".pva-cards")
    for group in ("channel", "country", "application"):
        page.get_by_label("Group by").select_option(label=group)
        for title in ("Overview", "Fallback", "Paths", "Spend", "Attempts", "Not adding up"):
            tab(page, title)
            page.wait_for_timeout(150)  # the figure is drawn
            harmful = page.locator(".pva :is(img:not(.plot-img), script, a[href], mjx-container)")
            assert harmful.evaluate_all("found => found.map(one => one.outerHTML)") == []
    page.get_by_label("Group by").select_option(label="channel")
    tab(page, "Attempts")
    page.locator(".pva-table .pva-rows:visible").get_by_text("<img src=x").first.wait_for()
    rates = page.locator(".pva-rates > div > span")  # a long name leaves room for its number
    assert rates.evaluate_all("all => all.every(one => one.scrollWidth <= one.clientWidth)")
    shot(page, "lab-hostile")
