"""``sql``: what is stored, asked in SQL from the command line."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
import pytest

import plivo_analysis as pva
from plivo_analysis.cli import main
from plivo_analysis.emulator import Server, generate

if TYPE_CHECKING:
    from collections.abc import Callable

    Serve = Callable[..., Server]


@pytest.fixture(autouse=True)
def stored(serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Server:
    """The environment's account, of which ten days are stored."""
    server = serve(generate(sessions=300))
    monkeypatch.setenv("PLIVO_AUTH_ID", server.account.auth_id)
    monkeypatch.setenv("PLIVO_AUTH_TOKEN", server.account.auth_token)
    monkeypatch.setenv("PLIVO_API_URL", server.url)
    monkeypatch.setenv("PLIVO_ANALYSIS_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    words = ["pull", "sessions", "--since", "2026-10-10", "--until", "2026-10-20", "--quiet"]
    assert main([*words, "--out", "loaded.parquet"]) == 0
    return server


def test_sql_answers_from_what_is_stored_and_asks_nothing(
    stored: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    loaded = pl.read_parquet("loaded.parquet")
    asked = len(stored.log)
    assert main(["sql", "select count(*) as n, sum(total_charge) as spent from sessions"]) == 0
    printed = capsys.readouterr().out
    assert f"{loaded.height} " in printed
    assert f"{loaded['total_charge'].sum()}" in printed
    assert len(stored.log) == asked


def test_sql_writes_parquet_in_full_and_masks_what_it_prints_or_a_spreadsheet_opens(
    capsys: pytest.CaptureFixture[str],
) -> None:
    numbers = pl.read_parquet("loaded.parquet")["recipient"].to_list()
    select = "select recipient, 'to ' || recipient as note from sessions order by created_at"
    assert main(["sql", select, "--out", "answer.parquet"]) == 0
    assert pl.read_parquet("answer.parquet")["recipient"].sort().to_list() == sorted(numbers)
    assert main(["sql", select, "--out", "answer.csv"]) == 0
    capsys.readouterr()
    assert main(["sql", select]) == 0
    for text in (capsys.readouterr().out, Path("answer.csv").read_text(encoding="utf-8")):
        assert text.count("•") > len(numbers)
        assert not any(number in text for number in numbers)
    assert main(["sql", select, "--recipients", "full"]) == 0
    assert numbers[0] in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["selekt 1"], "Parser Error"),
        (["select * from session"], "session does not exist"),
        (["select recipient::date from sessions"], "•••"),
        (["create table mine (n integer)"], "begins with SELECT"),
        (["delete from sessions"], "begins with SELECT"),
        (["select 1; select 2"], "begins with SELECT"),
        (["select 1", "--out", "s.txt"], ".parquet or a .csv"),
    ],
)
def test_a_statement_that_cannot_be_answered_is_one_sentence(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sql", *words]) == 2
    printed = capsys.readouterr()
    assert sentence in printed.err
    assert printed.err.count("\n") == 1
    assert printed.out == ""


def test_sql_of_the_demo_account_is_answered_though_nothing_was_pulled(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("plivo_analysis.cli.accounts.demo", partial(pva.demo, sessions=10))
    assert main(["sql", "--demo", "select count(*) as n from attempts"]) == 0
    assert "0" in capsys.readouterr().out
    assert main(["sql", "--demo", "select session_uuid from attempts"]) == 0
    assert "session_uuid" in capsys.readouterr().out
