"""Canaries: a token and a telephone number that must show up nowhere but where they belong."""

from __future__ import annotations

import base64
import copy
import io
import json
import logging
import pickle
import re
import sqlite3
import traceback
import unicodedata
import warnings
from itertools import repeat
from typing import TYPE_CHECKING, Any

import pytest
from IPython.core.ultratb import VerboseTB

import plivo_analysis as pva
from plivo_analysis.emulator import AUTH_ID, Account, Behaviour, Fault
from plivo_analysis.maintenance.deletion import forget

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from plivo_analysis.emulator import Server

    Serve = Callable[..., Server]
    Connect = Callable[..., pva.Client]
    Make = Callable[..., dict[str, Any]]

TOKEN = "canary7token7canary7token7canary7token77"
PHONE = "14155550199"

SPELT = json.dumps({"error": "no route to +1 (415) \uff15\uff15\uff15-01\u200b99"})
FAULTS = {
    "refused credentials": None,
    "bad request that repeats the question": Fault.status(400, error=f"no {PHONE} {TOKEN}"),
    "forbidden": Fault.status(403),
    "not found": Fault.status(404),
    "too many": Fault.rate_limited(retry_after="999999"),
    "server error": Fault.status(500),
    "unavailable in HTML": Fault.status(503, html=True),
    "a page in HTML": Fault.body(b"<html>Sorry</html>", "text/html"),
    "an error under 200": Fault.body(f'{{"error": "no {PHONE}"}}'.encode()),
    "a number in another spelling under 200": Fault.body(SPELT.encode()),
    "a number in another spelling": Fault.body(SPELT.encode(), status=400),
    "an empty answer of another status": Fault.body(b'{"sessions": []}', status=202),
    "trouble of a gateway": Fault.status(598, html=True),
    "a number for a page": Fault.body(PHONE.encode()),
    "reset": Fault.reset(),
    "cut": Fault.cut(),
    "elsewhere": Fault.redirect("http://127.0.0.1:9/"),
    "a broken encoding": Fault.encoded(broken=True),
}


def everything_said(error: BaseException) -> str:
    """The error as a verbose traceback prints it, with the variables of our frames."""
    trace = traceback.TracebackException.from_exception(error, capture_locals=True, limit=-50)
    for frame in trace.stack:
        if "tests" in (frame.filename or ""):
            frame.locals = None  # the test itself holds the canaries
    return "".join(trace.format()) + repr(error) + str(error) + repr(vars(error))


def shown_in_a_notebook(error: BaseException) -> str:
    """What ``%xmode Verbose`` prints, but for the test's own frames, which hold the canaries."""
    trace = error.__traceback__
    while trace is not None and "tests" in trace.tb_frame.f_code.co_filename:
        trace = trace.tb_next
    return str(VerboseTB(theme_name="nocolor").text(type(error), error, trace))


def no_canary(text: str) -> None:
    assert TOKEN not in text
    spelt = "[\\W_]{0,3}".join(PHONE[-7:])
    assert re.search(spelt, unicodedata.normalize("NFKC", text)) is None
    assert base64.b64encode(f"{AUTH_ID}:{TOKEN}".encode()).decode() not in text
    assert PHONE not in text


@pytest.fixture
def client(serve: Serve, connect: Connect, session: Make) -> tuple[Server, pva.Client]:
    account = Account.of([session(recipient=PHONE)])
    account.auth_token = TOKEN
    server = serve(account)
    made = pva.Client(
        AUTH_ID,
        TOKEN,
        base_url=server.url,
        store=False,
        requests_per_minute=1e9,
        clock=connect(server).clock,
    )
    return server, made


@pytest.mark.parametrize("name", FAULTS)
def test_no_error_shows_a_token_or_a_number(
    name: str,
    client: tuple[Server, pva.Client],
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    server, account = client
    caplog.set_level(logging.DEBUG)
    if FAULTS[name] is None:
        server.account.auth_token = "another"
    else:
        server.faults = repeat(FAULTS[name])
    with pytest.raises(pva.PlivoAnalysisError) as raised, account:
        pva.load_sessions(recipient=PHONE, client=account, progress=True)
    printed = capsys.readouterr()
    no_canary(shown_in_a_notebook(raised.value))
    no_canary(everything_said(raised.value) + caplog.text + printed.out + printed.err)


def test_secrets_of_other_programs_stay_in_their_variables(
    client: tuple[Server, pva.Client],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for name in ("DATABASE_PASSWORD", "HTTPS_PROXY", "ALL_PROXY", "PIP_INDEX_URL"):
        monkeypatch.setenv(name, f"http://somebody:{TOKEN}@127.0.0.1:9")
    caplog.set_level(logging.DEBUG)
    server, _ = client
    server.faults = repeat(Fault.status(500))
    other = pva.Client(AUTH_ID, "another-token", base_url="https://api.example.com", store=False)
    monkeypatch.setattr(other.clock, "wait", lambda *_: False)
    monkeypatch.setattr(other.clock, "monotonic", iter(range(0, 10**6, 100)).__next__)
    for asked in (client[1], other):
        with pytest.raises(pva.PlivoAnalysisError) as raised, asked:
            pva.load_sessions(client=asked)
        no_canary(shown_in_a_notebook(raised.value))
        no_canary(everything_said(raised.value) + caplog.text)


STOPS = {
    "Ctrl-C while a page is read": ("plivo_analysis.http.connection._body", KeyboardInterrupt),
    "Ctrl-C while a page is parsed": ("plivo_analysis.parsing.fields._instant", KeyboardInterrupt),
    "Ctrl-C while a page is kept": ("plivo_analysis.storage.store.Store.keep", KeyboardInterrupt),
    "a full database": ("plivo_analysis.storage.store.Store.keep", pva.StoreError),
    "a fault of our own": ("plivo_analysis.storage.store.Store.keep", sqlite3.OperationalError),
}


@pytest.mark.parametrize("name", STOPS)
def test_what_stops_a_load_shows_no_token_or_number(
    name: str, client: tuple[Server, pva.Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    place, kind = STOPS[name]

    def stop(*_: object, **__: object) -> None:
        raise kind("database or disk is full")

    monkeypatch.setattr(place, stop)
    _, account = client
    with pytest.raises(kind) as raised, account:
        pva.load_sessions(recipient=PHONE, client=account)
    no_canary(shown_in_a_notebook(raised.value))
    no_canary(everything_said(raised.value))


MISTYPED = f"{PHONE}x"
MISTAKES: dict[str, Any] = {
    "a recipient": lambda client: pva.load_sessions(recipient=MISTYPED, client=client),
    "a sender": lambda client: pva.load_messages(from_number=f"{PHONE}_", client=client),
    "a session": lambda client: pva.load_session(MISTYPED, client=client),
    "an estimate": lambda client: pva.estimate(recipient=MISTYPED, client=client),
    "a number to forget": lambda client: forget(client, MISTYPED),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistyped_number_is_in_no_part_of_its_error(
    name: str, client: tuple[Server, pva.Client]
) -> None:
    _, account = client
    with pytest.raises(pva.FilterError) as raised, account:
        MISTAKES[name](account)
    no_canary(shown_in_a_notebook(raised.value))
    no_canary(everything_said(raised.value))


def test_a_filter_that_is_not_honoured_shows_no_number(
    client: tuple[Server, pva.Client], session: Make
) -> None:
    server, account = client
    server.behaviour = Behaviour(ignores=("recipient",))
    server.account.insert(session(recipient="14155550142"))
    with pytest.raises(pva.BadResponseError) as raised, account:
        pva.load_sessions(recipient=PHONE, client=account)
    no_canary(everything_said(raised.value))
    assert "14155550142" not in everything_said(raised.value)


def test_a_client_shows_copies_and_pickles_no_token(client: tuple[Server, pva.Client]) -> None:
    _, account = client
    said = [repr(account), str(account), f"{account}"]
    for way in (pickle.dumps, copy.copy, copy.deepcopy):
        try:
            said.append(repr(way(account)))
        except TypeError as error:
            said.append(str(error))
    account.close()
    no_canary("".join(said))


def test_the_report_its_files_and_its_figures_show_no_number(
    client: tuple[Server, pva.Client], tmp_path: Path
) -> None:
    _, account = client
    with account, warnings.catch_warnings(record=True) as warned:
        sessions = pva.load_sessions(client=account)
        report = pva.cost_report(sessions, tmp_path / "r.html", account=account.auth_id)
        report.to_csv(tmp_path / "csv")
        figure = pva.figures.fallback(pva.fallback_rates(sessions)).to_json()
        issues = pva.issues(client=account).write_json()
    files = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    no_canary(files.decode("utf-8", "replace") + figure + issues + repr(warned) + repr(report))


def test_masked_tables_show_no_number_in_a_notebook(client: tuple[Server, pva.Client]) -> None:
    _, account = client
    with account:
        frame = pva.load_sessions(client=account, recipients="masked")
        other = pva.load_sessions(client=account, recipients="pseudonym", backend="pandas")
    text = io.StringIO()
    other.to_csv(text)
    no_canary(frame._repr_html_() + repr(frame) + frame.write_json() + text.getvalue())


def test_the_store_is_for_its_user_alone(
    serve: Serve, connect: Connect, session: Make, tmp_path: Path
) -> None:
    client = connect(serve(Account.of([session()])), store=tmp_path / "store")
    pva.load_sessions(client=client)
    kept = [*(tmp_path / "store").rglob("*")]
    assert kept
    for path in kept:
        assert path.stat().st_mode & 0o077 == 0, path
    everything = b"".join(path.read_bytes() for path in kept if path.is_file())
    assert client.transport is not None
    assert b"demo-token" not in everything
