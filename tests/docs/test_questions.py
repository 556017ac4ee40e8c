"""The page of questions: its recipes run one after another, and its table leads to each."""

from __future__ import annotations

import html
import re
import zipfile
from pathlib import Path

import polars as pl
import pytest

import plivo_analysis as pva
from plivo_analysis.cli import main
from plivo_analysis.cli.arguments import parser
from plivo_analysis.explorer.sessions import SessionExplorer

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "questions.md").read_text(encoding="utf-8")
HEADINGS = re.findall(r"^## (.+)$", PAGE, re.MULTILINE)[1:]
ROWS = [line.strip("|").split("|") for line in PAGE.splitlines() if line.startswith("| [")]


def anchor(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def test_the_recipes_run_as_they_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    try:
        for block in re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL):
            exec(compile(block, "docs/questions.md", "exec"), names)  # noqa: S102 - our own page
    finally:
        client = names.get("client")
        if isinstance(client, pva.Client):
            client.close()
    written = {path.name for path in tmp_path.iterdir()}
    assert {"tables", "october.xlsx", "sessions.csv", "attempts.csv", "shop.html"} <= written
    bridge = names["bridge"]
    assert isinstance(bridge, pl.DataFrame)
    largest = bridge.sort(pl.col("amount").abs(), descending=True).row(0, named=True)
    named = (largest["entry_channel"], largest["destination_country_iso2"])
    assert named == ("sms", "BD"), "the page says that SMS to Bangladesh leads"
    for file in ("sessions.csv", "attempts.csv"):
        assert "recipient" not in pl.read_csv(tmp_path / file, n_rows=1).columns


def test_the_table_leads_to_every_question_and_names_its_steps() -> None:
    linked = [re.search(r"\(#([^)]+)\)", row[0])[1] for row in ROWS]  # type: ignore[index]
    assert linked == [anchor(heading) for heading in HEADINGS]
    assert all(len(row) == 4 and all(cell.strip() for cell in row) for row in ROWS)


@pytest.mark.parametrize("word", ["GDPR", "Excel", "invoice", "compare", "subaccount", "BI tool"])
def test_a_word_that_people_search_for_is_on_the_page(word: str) -> None:
    assert word.lower() in PAGE.lower()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the report of a month stands, with its workbook and its tables."""
    folder = tmp_path_factory.mktemp("report")
    october = ["--since", "2026-10-01", "--until", "2026-11-01", "--compare", "--quiet"]
    written = ["--out", folder / "r.html", "--xlsx", folder / "r.xlsx", "--csv-dir", folder / "csv"]
    assert main(["report", "--demo", *october, *map(str, written)]) == 0
    return folder


def test_what_the_table_says_of_the_report_stands_in_it(files: Path) -> None:
    steps = " ".join(row[3] for row in ROWS)
    page = html.unescape((files / "r.html").read_text(encoding="utf-8"))
    with zipfile.ZipFile(files / "r.xlsx") as book:
        sheets = re.findall(r'sheet name="([^"]+)"', book.read("xl/workbook.xml").decode())
    named_sheets = re.findall(r"sheet \*([^*]+)\*", steps)
    named_parts = set(re.findall(r"\*([^*`]+)\*", steps)) - set(named_sheets)
    assert len(named_sheets) > 4
    assert len(named_parts) > 8
    assert [name for name in named_sheets if name not in sheets] == []
    assert [name for name in sorted(named_parts) if name not in page] == []


def test_what_the_table_says_of_the_command_line_can_be_typed() -> None:
    typed = {words for row in ROWS for words in re.findall(r"`((?:report|pull) --[^`]+)`", row[3])}
    assert len(typed) > 4
    for words in typed:
        command, option, *value = words.split(" ")
        about = ["sessions"] if command == "pull" else []
        value = value or ([] if option in ("--compare", "--dry-run") else ["here"])
        parser().parse_args([command, *about, option, *value])  # exits where it is not known


def test_what_the_table_says_of_the_explorer_is_on_its_screen() -> None:
    steps = " ".join(row[2] for row in ROWS)
    with pva.demo(sessions=60) as client:
        explorer = SessionExplorer(client)
        titles = {explorer.tabs.get_title(place) for place in range(len(explorer.tabs.children))}
        exports = {export.description for export in explorer.exports.values()}
        groups = set(explorer.group.options)
        explorer.close()
    assert {word for word in titles if word in steps} >= {"Overview", "Fallback", "Paths", "Spend"}
    assert exports <= set(re.findall(r"CSV|XLSX|Sessions CSV|Report", steps))
    assert set(re.findall(r"Group by (\w+)", steps)) <= groups
    assert explorer.compare.description in steps
