"""The report of an estimate: marked on every page, each number with its interval."""

from __future__ import annotations

import re
import zipfile
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import plivo_analysis as pva
from plivo_analysis.api.columns import SESSIONS
from plivo_analysis.cli import main
from plivo_analysis.emulator import Server, generate
from plivo_analysis.emulator.account import DEFAULT_NOW as NOW
from plivo_analysis.errors import FilterError
from plivo_analysis.report.countries import country
from plivo_analysis.report.estimated import LEFT_OUT
from plivo_analysis.values.typesetting import percent_range

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from plivo_analysis.metrics.estimates import Estimate

    Serve = Callable[..., Server]
    Connect = Callable[..., pva.Client]

SINCE = NOW - timedelta(days=80)
COUNTRY = "destination_country_iso2"


@pytest.fixture(scope="module")
def account() -> Any:
    return generate(sessions=3_000, seed=5)


@pytest.fixture
def found(serve: Serve, connect: Connect, account: Any) -> Estimate:
    client = connect(serve(account))
    return pva.estimate(since=SINCE, requests=60, by=COUNTRY, client=client)


def test_the_report_of_an_estimate_says_so_on_every_page_and_gives_intervals(
    found: Estimate, account: Any
) -> None:
    report = pva.cost_report(estimate=found, account=account.auth_id)
    page = re.sub(r"[ \n]+", " ", report.html)
    # The head of a table is repeated on each sheet of paper.
    assert re.search(r'<div class="running"><p><b>≈ Estimate</b> from [\d.]+\u202f% of', page)
    assert re.search(r"\.running \{ display: table-header-group; break-inside: avoid; \}", page)
    assert "<title>Estimate: " in page
    for measure in found.total:
        number = found.text(measure)
        assert number.value in page
        assert number.interval in page
    assert all(reason in page for reason in LEFT_OUT)
    assert "estimate, spend ≈ $" in repr(report)
    assert "<strong>estimate</strong>" in report._repr_html_()
    assert "src=" not in page
    assert "<script" not in page


def test_its_groups_are_rows_with_intervals_by_spend(found: Estimate) -> None:
    report = pva.cost_report(estimate=found)
    spent = found.frame.sort("spend", "sessions", descending=True, nulls_last=True)
    names = re.findall(r'<td class="named">([^<]+)', report.html)
    assert names == [country(code) for code in spent[COUNTRY]]
    known = spent.drop_nulls("spend").row(0, named=True)
    low, high = (known[f"success_rate_{end}"] for end in ("low", "high"))
    assert percent_range(low, high) in report.html


def test_its_workbook_and_tables_are_of_the_estimate(found: Estimate, tmp_path: Path) -> None:
    report = pva.cost_report(path=tmp_path / "page.html", estimate=found)
    assert list(report.tables) == ["estimate"]
    (written,) = report.to_csv(tmp_path)
    assert written.name == "estimate.csv"
    assert pl.read_csv(written).height == found.frame.height
    with zipfile.ZipFile(report.to_xlsx(tmp_path / "book.xlsx")) as book:
        sheets = re.findall(r'<sheet name="([^"]+)"', book.read("xl/workbook.xml").decode())
        text = book.read("xl/sharedStrings.xml").decode()
    assert sheets == ["Estimate", "Groups, estimated", "Definitions"]
    assert "Spend, from" in text
    assert all(reason in text for reason in LEFT_OUT)
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == report.html


def test_an_estimate_that_is_exact_or_of_people_is_refused(
    serve: Serve, connect: Connect, account: Any, found: Estimate
) -> None:
    client = connect(serve(account))
    exact = pva.estimate(since="1d", client=client)
    with pytest.raises(FilterError, match=r"This estimate is exact.*load_sessions"):
        pva.cost_report(estimate=exact)
    people = pva.estimate(since=SINCE, requests=50, by="recipient", client=client)
    with pytest.raises(FilterError, match="names no person"):
        pva.cost_report(estimate=people)
    with pytest.raises(FilterError, match="leave sessions and period out"):
        pva.cost_report(pl.DataFrame(schema=SESSIONS.polars()), estimate=found, period=("a", "b"))
    with pytest.raises(FilterError, match="takes a sessions table, or estimate="):
        pva.cost_report()


def test_too_few_pages_make_a_report_without_numbers_of_money(
    serve: Serve, connect: Connect, account: Any
) -> None:
    found = pva.estimate(since=SINCE, requests=5, client=connect(serve(account)))
    page = pva.cost_report(estimate=found).html
    assert "What you spent is too early to say." in page
    assert "too few pages are read" in page


def test_the_command_reports_an_estimate_where_the_range_is_not_read(
    serve: Serve,
    connect: Connect,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    # In more pages than the width of 5 % takes.
    client = connect(serve(generate(sessions=8_000, seed=5)))

    @contextmanager
    def opened(_: Any) -> Iterator[pva.Client]:
        yield client

    monkeypatch.setattr("plivo_analysis.cli.report.account", opened)
    page, tables = tmp_path / "report.html", tmp_path / "tables"
    words = ["report", "--since", SINCE.isoformat(), "--out", str(page), "--csv-dir", str(tables)]
    assert main([*words, "--estimate"]) == 0
    printed = capsys.readouterr().out
    assert "Estimated at this moment from" in printed
    assert f"Report: {page.resolve()}" in printed
    assert "≈ Estimate" in page.read_text(encoding="utf-8")
    assert [file.name for file in tables.iterdir()] == ["estimate.csv"]


def test_the_command_reports_all_sessions_where_few_were_left_to_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "report.html"
    words = ["report", "--demo", "--since", "7d", "--estimate", "--out", str(page), "--quiet"]
    assert main(words) == 0
    assert "Estimate:" not in page.read_text(encoding="utf-8")
    assert main([*words, "--compare"]) == 2
    assert "compared with nothing" in capsys.readouterr().err
