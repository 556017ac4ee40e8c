"""The cost report in a real browser: opened from the disk, in both themes, and on paper."""

from __future__ import annotations

import io
import re
import unicodedata
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import plivo_analysis as pva
from plivo_analysis.api.columns import SESSIONS
from plivo_analysis.emulator import generate
from plivo_analysis.parsing.sessions import read_session
from plivo_analysis.tables.convert import from_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Shown = Callable[..., Any]
    Take = Callable[[Any, str], None]

OCTOBER = (date(2026, 10, 1), date(2026, 11, 1))
A4 = (842, 595)  # points, the long side across
SECTIONS = (
    "Spend by day and channel, USD",
    "Where the money went, by line",
    "What it bought",
    "Spend by country and by application",
    "Fallback and rescue, by the channel a session began on",
    "Not final yet",
    "Does not add up",
    "What the numbers mean",
)
COLOURS = {"light": ("#ffffff", "#1b1f26"), "dark": ("#14171c", "#e8eaee")}


@pytest.fixture(scope="module")
def sessions() -> pl.DataFrame:
    account = generate(sessions=4000)
    records = (read_session(account.record(uuid)) for uuid in account.uuids())
    return from_rows([record.row for record in records if record.row], SESSIONS)


@pytest.fixture(scope="module")
def report(sessions: pl.DataFrame) -> str:
    before = within(sessions, datetime(2026, 9, 1, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC))
    return pva.cost_report(october(sessions), period=OCTOBER, previous=before).html


def october(sessions: pl.DataFrame) -> pl.DataFrame:
    return within(sessions, datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC))


def within(sessions: pl.DataFrame, low: datetime, high: datetime) -> pl.DataFrame:
    return sessions.filter((pl.col("created_at") >= low) & (pl.col("created_at") < high))


@pytest.fixture
def show(browser: Any, tmp_path: Path) -> Iterator[Shown]:
    """Open a page from the disk; it may ask for nothing, and complain of nothing."""
    contexts = []
    file = tmp_path / "report.html"
    asked: list[str] = []

    def open_it(html: str, *, theme: str = "light", width: int = 1176) -> Any:
        file.write_text(html, encoding="utf-8")
        context = browser.new_context(
            viewport={"width": width, "height": 900},
            color_scheme=theme,
            device_scale_factor=1.4,
            java_script_enabled=False,
        )
        contexts.append(context)
        context.on("request", lambda request: asked.append(request.url))
        page = context.new_page()
        page.on("console", lambda message: asked.append(message.text))
        page.on("pageerror", lambda error: asked.append(str(error)))
        page.goto(file.as_uri())
        page.wait_for_selector("footer")
        return page

    yield open_it
    for context in contexts:
        context.close()
    assert [each for each in asked if each != file.as_uri() and not each.startswith("data:")] == []


def style(page: Any, selector: str, name: str) -> str:
    script = "([selector, name]) => getComputedStyle(document.querySelector(selector))[name]"
    found = page.evaluate(script, [selector, name])
    parts = [int(part) for part in re.findall(r"\d+", found)[:3]]
    return "#" + "".join(f"{part:02x}" for part in parts)


def printed(page: Any) -> Any:
    """The page as its reader would print it: the paper is the style sheet's choice."""
    from pypdf import PdfReader  # noqa: PLC0415 - not installed everywhere

    return PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))


def words(page: Any) -> str:
    """The words of a printed page, without what layout puts between them."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", page.extract_text()))


@pytest.mark.parametrize("theme", COLOURS)
def test_a_report_from_the_disk_draws_its_figure_in_the_readers_theme(
    report: str, show: Shown, shot: Take, theme: str
) -> None:
    page = show(report, theme=theme)
    paper, ink = COLOURS[theme]
    assert page.locator(".desk .stacked_bars .hover title").count() == 31
    assert page.locator(".desk").is_visible()
    assert not page.locator(".phone").is_visible()
    assert style(page, "body", "backgroundColor") == paper
    assert style(page, "h1", "color") == ink
    assert style(page, ".desk .stacked_bars text", "fill") == ink
    shot(page, f"report-{theme}")


@pytest.mark.parametrize("width", [360, 480, 900, 1176, 1600])
def test_nothing_of_a_report_leaves_the_window_sideways(
    report: str, show: Shown, width: int
) -> None:
    page = show(report, width=width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_phone_has_a_chart_of_its_own_and_tables_that_move_within_themselves(
    report: str, show: Shown, shot: Take
) -> None:
    page = show(report, width=400)
    assert page.locator(".phone").is_visible()
    assert not page.locator(".desk").is_visible()
    sizes = "e => [e.scrollWidth > e.clientWidth, getComputedStyle(e).overflowX]"
    assert page.locator("section > .wide:has(.groups)").evaluate(sizes) == [True, "auto"]
    assert page.locator(".groups").locator("xpath=../following-sibling::p[1]").is_visible()
    shot(page, "report-phone")


def test_the_headline_numbers_stand_in_rows_of_one_height(report: str, show: Shown) -> None:
    page = show(report)
    for part in ("now", "moved", "drawing", "kind"):
        script = f"[...document.querySelectorAll('.kpi-cards .{part}')].map(e => e.offsetTop)"
        tops = page.evaluate(script)
        assert len(tops) == 6
        assert len(set(tops)) == 1, part


@pytest.mark.parametrize("digits", [0, 3, 6])
def test_no_headline_number_runs_into_the_next(
    sessions: pl.DataFrame, show: Shown, digits: int
) -> None:
    times = pl.col("total_charge") * 10**digits
    much = october(sessions).with_columns(total_charge=times).cast(dict(SESSIONS.polars()))
    page = show(pva.cost_report(much, period=OCTOBER).html)
    script = (
        "[...document.querySelectorAll('.kpi-cards .now')].map(e => e.scrollWidth - e.clientWidth)"
    )
    assert max(page.evaluate(script)) <= 0


@pytest.mark.parametrize("theme", COLOURS)
def test_a_report_prints_on_a_few_sheets_of_a4_with_every_section(
    report: str, show: Shown, theme: str
) -> None:
    page = show(report, theme=theme)
    pdf = printed(page)
    sizes = {tuple(round(float(side)) for side in sheet.mediabox[2:]) for sheet in pdf.pages}
    assert sizes == {A4}
    assert 3 <= len(pdf.pages) <= 5
    sheets = [words(sheet) for sheet in pdf.pages]
    for title in SECTIONS:
        assert title.replace(" ", "") in "".join(sheets)
    assert "October2026" in sheets[0]
    assert "norequestleavesthispage" in sheets[-1]
    page.emulate_media(media="print")
    assert style(page, "body", "backgroundColor") == COLOURS["light"][0]
    assert page.locator(".desk svg").is_visible()


def test_the_first_sheet_holds_the_numbers_and_the_chart(show: Shown) -> None:
    with pva.demo() as client:
        months = (date(2026, 9, 1), *OCTOBER)
        before, now = (
            pva.load_sessions(since=since, until=until, client=client)
            for since, until in pairwise(months)
        )
    made = pva.cost_report(now, previous=before, period=OCTOBER, account="MAXXXXXXXXXXXXXXXXXX")
    assert SECTIONS[0].replace(" ", "") in words(printed(show(made.html)).pages[0])


def test_every_sheet_of_an_estimate_says_that_it_is_one(show: Shown) -> None:
    with pva.demo(sessions=6_000) as client:
        by = ("alias", "destination_network")
        found = pva.estimate(since="90d", requests=60, by=by, client=client)
    pdf = printed(show(pva.cost_report(estimate=found).html))
    assert len(pdf.pages) >= 3
    assert all(words(sheet).startswith("≈Estimatefrom") for sheet in pdf.pages)


def test_what_is_printed_is_lines_and_letters_and_no_pictures(report: str, show: Shown) -> None:
    pdf = printed(show(report))
    assert [image.name for sheet in pdf.pages for image in sheet.images] == []
    assert len(show(report).pdf(prefer_css_page_size=True)) < 500_000


@pytest.mark.parametrize("length", [10, 11, 12, 13])
def test_no_row_is_cut_between_two_sheets(sessions: pl.DataFrame, show: Shown, length: int) -> None:
    names = [f"n{number:02}WW " * length for number in range(12)]  # several lines each
    row = pl.int_range(pl.len()) % len(names)
    named = row.replace_strict(dict(enumerate(names)))
    many = october(sessions).with_columns(destination_country_iso2=named)
    pdf = printed(show(pva.cost_report(many, period=OCTOBER).html))
    sheets = [words(sheet) for sheet in pdf.pages[1:]]  # the first has sentences
    # Two tables have a row for each name, and a row is whole on its sheet.
    on = [[sheet.count(f"n{number:02}WW") for sheet in sheets] for number in range(12)]
    assert {times for sheet in on for times in sheet if times} <= {length, 2 * length}
    assert [sum(times) for times in on] == [2 * length] * 12
    assert sum(map(any, zip(*on, strict=True))) > 1, "the tables fill more than one sheet"
