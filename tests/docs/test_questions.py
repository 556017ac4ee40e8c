"""The page of questions: its recipes run one after another, and its table leads to each."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

import plivo_analysis as pva

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


def test_what_the_table_says_of_the_report_is_in_the_report() -> None:
    templates = ROOT / "plivo_analysis" / "templates" / "report"
    report = "\n".join(path.read_text() for path in templates.glob("*.html"))
    report += "\n".join(path.read_text() for path in (ROOT / "plivo_analysis/report").rglob("*.py"))
    named = {name for row in ROWS for name in re.findall(r"\*([^*`]+)\*", row[3])}
    assert len(named) > 8
    assert not [name for name in sorted(named) if name not in report]
