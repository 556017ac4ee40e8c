"""The command line: what it says, what it writes, and how it fails."""

from __future__ import annotations

import codecs
import inspect
import io
import os
import re
import signal
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import plivo_analysis as pva
from plivo_analysis.api.columns import SESSIONS
from plivo_analysis.cli import main
from plivo_analysis.cli.accounts import account
from plivo_analysis.cli.arguments import parser
from plivo_analysis.emulator import Account, Fault, Server, generate
from plivo_analysis.system.clock import FrozenWallClock
from plivo_analysis.values.typesetting import money

if TYPE_CHECKING:
    from collections.abc import Callable

    Serve = Callable[..., Server]


@pytest.fixture(autouse=True)
def small_demo(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A demo account of a size for tests, and a folder of its own for each."""
    monkeypatch.setattr("plivo_analysis.cli.accounts.demo", partial(pva.demo, sessions=600))
    monkeypatch.setenv("PLIVO_ANALYSIS_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def environment(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The emulator as the environment's account."""
    server = serve(generate(sessions=40))
    use(server, monkeypatch)
    return server


def use(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a server's account the environment's."""
    monkeypatch.setenv("PLIVO_AUTH_ID", server.account.auth_id)
    monkeypatch.setenv("PLIVO_AUTH_TOKEN", server.account.auth_token)
    monkeypatch.setenv("PLIVO_API_URL", server.url)
    now = server.account.now
    monkeypatch.setattr("plivo_analysis.client.Clock", lambda: FrozenWallClock(now))


def test_the_report_is_written_and_its_tables_are_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["report", "--demo", "--out", "r.html", "--xlsx", "r.xlsx", "--csv-dir", "t"]) == 0
    said = capsys.readouterr().out
    assert "Fallback by entry channel" in said
    assert "Spend by channel, USD" in said
    assert str(Path("r.html").resolve()) in said
    assert Path("r.html").read_text().lower().startswith("<!doctype html")
    assert Path("r.xlsx").stat().st_size > 0
    assert list(Path("t").glob("*.csv"))


def test_a_report_is_the_same_on_a_second_run() -> None:
    for name in ("a.html", "b.html"):
        assert main(["report", "--demo", "--since", "7d", "--quiet", "--out", name]) == 0
    assert Path("a.html").read_bytes() == Path("b.html").read_bytes()


def test_a_report_of_one_status_is_whole_where_that_status_was_read() -> None:
    words = ["report", "--demo", "--since", "7d", "--status", "expired", "--quiet"]
    assert main(words) == 0
    page = Path("report.html").read_text()
    assert "whole range read, no gap" in page
    assert "not read" not in page


def test_a_quiet_report_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "--demo", "--since", "last-month", "--quiet"]) == 0
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "")
    assert "October 2026" in Path("report.html").read_text()


@pytest.mark.parametrize("zone", ["Europe/Paris", "Asia/Kolkata", "America/New_York"])
def test_last_month_is_that_of_the_zone(zone: str) -> None:
    words = ["report", "--demo", "--since", "last-month", "--tz", zone, "--quiet"]
    assert main([*words, "--csv-dir", "tables"]) == 0
    assert f"1 Oct 00:00 – 1 Nov 00:00 {zone}" in Path("report.html").read_text()
    first = pl.read_csv("tables/success_by_period.csv", infer_schema=False)["period"][0]
    assert first.startswith("2026-10-01T00:00:00")
    assert not first.endswith("+00:00")


def test_the_report_of_a_month_that_is_not_over_ends_where_it_was_read() -> None:
    words = ["report", "--demo", "--since", "2026-11-01", "--until", "2026-12-01", "--compare"]
    assert main([*words, "--quiet"]) == 0
    page = Path("report.html").read_text()
    assert "1 Nov 00:00 – 2 Nov 06:58" in page
    assert "Sun 1 Nov" in page
    assert "3 Nov" not in page
    assert "a day than" not in page


def test_pull_writes_parquet_that_is_the_table() -> None:
    assert main(["pull", "--demo", "sessions", "--since", "30d", "--out", "s.parquet"]) == 0
    frame = pl.read_parquet("s.parquet")
    assert frame.schema == SESSIONS.polars()
    assert frame.height > 0


def test_pull_writes_csv_with_json_lists_and_masks_numbers_unless_told_not_to(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["pull", "messages", "--demo", "--since", "7d", "--out", "m.csv"]) == 0
    assert re.search(r"\d+ messages in .*m\.csv", capsys.readouterr().out)
    assert main(["pull", "sessions", "--demo", "--since", "7d", "--out", "s.csv"]) == 0
    assert Path("s.csv").read_bytes().startswith(codecs.BOM_UTF8)
    frame = pl.read_csv("s.csv", infer_schema=False)
    assert frame["attempt_details"].drop_nulls().str.json_path_match("$[0].channel").len() > 0
    assert frame["recipient"].str.contains("•").all()
    words = ["pull", "sessions", "--demo", "--since", "7d", "--recipients", "full"]
    assert main([*words, "--out", "s.csv"]) == 0
    frame = pl.read_csv("s.csv", infer_schema=False)
    assert frame["recipient"].str.contains(r"^\d+$").all()


def test_pull_takes_every_filter_of_the_loader(environment: Server) -> None:
    words = ["pull", "sessions", "--since", "90d", "--status", "expired", "--recipients", "masked"]
    assert main([*words, "--out", "s.parquet"]) == 0
    assert set(pl.read_parquet("s.parquet")["status"]) == {"expired"}
    assert environment.log[-1].query["status"] in {"expired", "in-progress"}


def test_a_dry_run_of_pull_says_how_long_it_takes_and_asks_nothing(
    environment: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["pull", "sessions", "--since", "90d", "--country", "IN", "--dry-run"]) == 0
    assert "per 10,000 sessions" in capsys.readouterr().out
    assert environment.log == []
    assert main(["pull", "sessions", "--since", "90d", "--quiet"]) == 0
    asked = len(environment.log)
    assert main(["pull", "sessions", "--since", "90d", "--dry-run"]) == 0
    shown = capsys.readouterr().out
    assert "requests" in shown
    assert "2,160 of 2,160 hours are stored." in shown
    assert len(environment.log) == asked


def test_a_second_pull_of_a_closed_range_asks_nothing(environment: Server) -> None:
    words = ["pull", "sessions", "--since", "2026-10-01", "--until", "2026-10-20"]
    assert main(words) == 0
    asked = len(environment.log)
    assert asked > 0
    assert main(words) == 0
    assert len(environment.log) == asked


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (["report", "--demo", "--since", "yesterday"], 2, "since is 'yesterday'"),
        (["report", "--demo", "--status", "done"], 2, "in-progress"),
        (
            ["report", "--demo", "--tz", "Mars/Phobos"],
            2,
            "tz is 'Mars/Phobos'; it is the name of an IANA",
        ),
        (["report", "--demo", "--out", "."], 2, "is a folder"),
        (["report", "--demo", "--csv-dir", "file"], 2, "is a file"),
        (["report", "--demo", "--since", "1d", "--until", "2d"], 2, "ends before it starts"),
        (["report", "--demo", "--since", "last-month", "--until", "1d"], 2, "whole month"),
        (["report", "--demo", "--since", "120d"], 1, "older than 90 days"),
        (["pull", "--demo", "sessions", "--out", "s.txt"], 2, ".parquet or a .csv"),
        (["pull", "--demo", "sessions", "--out", "no/s.csv"], 2, "no folder"),
        (["pull", "sessions"], 1, "PLIVO_AUTH_ID and PLIVO_AUTH_TOKEN"),
        (["emulator", "--sessions", "-1"], 2, "sessions is -1"),
        (["emulator", "--sessions", "1", "--port", "70000"], 2, "--port: "),
    ],
)
def test_a_mistake_is_one_sentence_and_an_exit_code(
    words: list[str], code: int, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("file").touch()
    assert main(words) == code
    printed = capsys.readouterr()
    assert sentence in printed.err
    assert printed.err.count("\n") == 1
    assert printed.out == ""


def test_words_that_are_no_command_are_wrong_usage(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as raised:
        main(["reprot"])
    assert raised.value.code == 2
    assert "reprot" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["pull"], ["forget"], ["export", "--recipients"], []])
def test_wrong_usage_repeats_no_telephone_number(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([*words, "+14155550123"])
    said = capsys.readouterr().err
    assert "1 ••• ••• ••23" in said
    assert "14155550123" not in said


def test_refused_credentials_say_what_to_check(
    environment: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PLIVO_AUTH_TOKEN", "canary-of-a-token")
    assert main(["report"]) == 1
    said = capsys.readouterr().err
    assert "Check PLIVO_AUTH_ID and PLIVO_AUTH_TOKEN" in said
    assert "canary" not in said
    assert len(environment.log) == 1


def test_a_night_that_failed_leaves_last_nights_report(
    environment: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["report", "--since", "last-month", "--quiet", "--xlsx", "r.xlsx", "--csv-dir", "t"]
    assert main(words) == 0
    before = {path: path.read_bytes() for path in Path().rglob("[!.]*") if path.is_file()}
    shown = [path for path in before if "home" not in path.parts]
    assert len(shown) > 10
    monkeypatch.setenv("PLIVO_AUTH_TOKEN", "changed-by-somebody")
    assert main([*words, "--since", "30d"]) == 1
    printed = capsys.readouterr()
    assert printed.err.count("\n") == 1
    assert (printed.out, "Check PLIVO_AUTH_ID" in printed.err) == ("", True)
    after = {path for path in Path().rglob("*") if path.is_file() and "home" not in path.parts}
    assert after == set(shown)
    assert all(path.read_bytes() == before[path] for path in shown)


def test_what_is_pulled_into_a_file_is_for_its_user_alone(environment: Server) -> None:
    for name in ("s.csv", "s.parquet"):
        assert main(["pull", "sessions", "--since", "90d", "--quiet", "--out", name]) == 0
        assert Path(name).stat().st_mode & 0o077 == 0


def test_a_server_that_answers_html_is_one_sentence(
    environment: Server, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("plivo_analysis.system.clock.Clock.wait", lambda *_: False)
    environment.faults = [Fault.body(b"<html>Sorry</html>", "text/html")] * 9
    assert main(["pull", "sessions"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_ctrl_c_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("plivo_analysis.cli.report.load_sessions", interrupt)
    assert main(["report", "--demo"]) == 1
    assert "goes on from here" in capsys.readouterr().err


def test_an_empty_account_makes_a_report_that_says_so(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(serve(Account.of([])), monkeypatch)
    assert main(["report", "--quiet"]) == 0
    assert "nothing was spent" in Path("report.html").read_text()


def test_the_emulator_says_where_it_is_and_ends_when_asked() -> None:
    words = [sys.executable, "-m", "plivo_analysis", "emulator", "--sessions", "20"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        lines = [process.stdout.readline().strip() for _ in range(3)]
        names, values = zip(*(line.split("=", 1) for line in lines), strict=True)
        assert names == ("PLIVO_API_URL", "PLIVO_AUTH_ID", "PLIVO_AUTH_TOKEN")
        environment = {**os.environ, **dict(zip(names, values, strict=True))}
        pulled = subprocess.run(
            [sys.executable, "-m", "plivo_analysis", "pull", "sessions", "--since", "90d"],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
        assert pulled.stdout.startswith("20 sessions")
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        process.stdout.close()


# Dates, comparison.


def report_header(*words: str) -> str:
    assert main(["report", "--demo", "--quiet", *words]) == 0
    return Path("report.html").read_text()


def test_a_date_is_a_midnight_of_the_zone() -> None:
    page = report_header("--since", "2026-10-01", "--until", "2026-11-01", "--tz", "Asia/Kolkata")
    assert "1 Oct 00:00 – 1 Nov 00:00 Asia/Kolkata" in page


def test_a_period_before_that_cannot_be_had_is_a_note_and_no_failure(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["report", "--demo", "--since", "60d"]) == 0
    said = capsys.readouterr().out
    assert "No comparison: the period before is older than Plivo's 90 days" in said
    assert Path("report.html").exists()


# Outputs of another encoding.


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
def test_every_command_can_be_read_whatever_the_output_s_encoding(encoding: str) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    for words in (
        ["report", "--demo", "--since", "7d"],
        ["pull", "sessions", "--demo", "--recipient", "+1 415 555 0100", "--out", "s.csv"],
        ["status", "--demo"],
        ["pull", "sessions", "--demo", "--alias", "\u202e→"],
    ):
        ran = subprocess.run(
            [sys.executable, "-m", "plivo_analysis", *words],
            env=environment,
            capture_output=True,
            check=False,
        )
        said = (ran.stdout + ran.stderr).decode(encoding)
        assert ran.returncode == (2 if "--alias" in words else 0), said
        assert "Traceback" not in said
        if words[0] == "report":
            assert ("┌" in said) == (encoding == "utf-8")
            assert ("+--" in said) == (encoding != "utf-8")


@pytest.mark.parametrize("currency", ["USD", "EUR", "GBP", "INR"])
def test_an_amount_names_its_currency_where_the_output_lacks_the_sign(currency: str) -> None:
    with pytest.raises(SystemExit):
        main(["--version"])  # a command makes the plain signs known
    shown = money(Decimal(5), currency).encode("ascii", "plivo_analysis.plain_signs").decode()
    assert shown.startswith("$" if currency == "USD" else currency)


def test_a_locale_of_ascii_alone_is_enough() -> None:
    plain = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    ran = subprocess.run(
        [sys.executable, "-m", "plivo_analysis", "report", "--demo", "--since", "7d"],
        env={**os.environ, **plain},
        capture_output=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.isascii()


def test_names_of_the_account_drive_no_terminal(
    serve: Serve,
    session: Callable[..., dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    name = "\x1b[31mred\u202e"
    record = session(attempt_details=[{"channel": name, "status": "delivered"}])
    use(serve(Account.of([record], now=datetime.now(UTC))), monkeypatch)
    assert main(["report", "--since", "2026-10-01", "--until", "2026-11-25"]) == 0
    said = capsys.readouterr().out
    assert "red" in said
    assert not {"\x1b", "\u202e"} & set(said)


# What was set aside.


def test_what_was_set_aside_is_said_and_counts_are_lower_bounds(
    serve: Serve,
    session: Callable[..., dict[str, Any]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    records = [session(), session(), session(attempt_details={})]
    use(serve(Account.of(records, now=datetime.now(UTC))), monkeypatch)
    since = ["--since", "2026-10-01", "--until", "2026-11-25"]
    assert main(["pull", "sessions", *since]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("at least 2 sessions")
    assert "plivo-analysis: 1 session of this range set aside" in printed.err
    assert main(["report", *since]) == 0
    printed = capsys.readouterr()
    assert "Spend by channel, USD, at least" in printed.out
    assert printed.err.count("\n") == 1


# Forgetting.


def test_a_number_to_forget_comes_from_standard_input_and_a_dry_run_removes_nothing(
    environment: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["pull", "sessions", "--since", "90d", "--out", "s.parquet", "--quiet"]) == 0
    number = pl.read_parquet("s.parquet")["recipient"][0]
    held = pl.read_parquet("s.parquet").filter(pl.col("recipient") == number).height
    for words, said in (
        (["--dry-run"], f"At least {held} session"),
        (["--recipient", "-"], f"Removed {held} record"),
        (["--dry-run"], "No stored record is of this number."),
    ):
        monkeypatch.setattr("sys.stdin", io.StringIO(f"+{number}\n"))
        assert main(["forget", *words]) == 0
        assert said in (printed := capsys.readouterr().out)
        assert number not in printed
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert main(["forget"]) == 2
    assert "standard input" in capsys.readouterr().err


def test_the_demo_of_the_command_line_is_the_demo_of_python(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.undo()  # the small account of the other tests
    assert inspect.signature(pva.demo).parameters["sessions"].default == 2000
    with account(parser().parse_args(["status", "--demo"])) as client, pva.demo() as other:
        served = [each.server.account for each in (client, other)]  # type: ignore[attr-defined]
        assert served[0].now == served[1].now
        assert served[0].uuids() == served[1].uuids()
