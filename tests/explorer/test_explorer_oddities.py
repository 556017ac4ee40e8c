"""The explorers on accounts that are odd, and in moments that are: nothing, one, all open, gone."""

from __future__ import annotations

import re
import threading
import time
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import plivo_analysis as pva
from plivo_analysis.emulator import Account, generate
from plivo_analysis.errors import TransportError
from plivo_analysis.explorer.messages import MessageExplorer
from plivo_analysis.explorer.sessions import SessionExplorer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LONG = 60  # seconds that no load here takes
RIGHT_TO_LEFT = "\u202egnihton\u202c <b>$\\href{javascript:1}{x}$</b>"
AT = "2026-11-02T04:00:00Z"
UUID = "6e8bfef5-3112-4b0b-a87f-03ddc8101480"


def attempt(channel: str | None, status: str | None = "delivered") -> dict[str, Any]:
    return {"channel": channel, "attempt_uuid": f"{channel}-1", "status": status, "time": AT}


UNPRICED = {"total_charge": None, "validation_charge": None, "attempt_charges": []}
SESSIONS: dict[str, list[dict[str, Any]]] = {
    "one session": [{}],
    "all open": [{"status": "in-progress"}] * 3,
    "unknown channels": [
        {"attempt_details": [attempt("pigeon"), attempt(None)], "channel": "pigeon"},
        {"attempt_details": [attempt("telex", "lost")], "channel": "telex", "status": "expired"},
    ],
    "no charges": [{"charges": None}, {"charges": UNPRICED}],
    "no attempts": [{"attempt_details": None, "charges": None, "status": "expired"}],
    "from right to left": [{"alias": RIGHT_TO_LEFT, "destination_country_iso2": RIGHT_TO_LEFT}],
}
MESSAGES: dict[str, list[dict[str, Any]]] = {
    "one message": [{}],
    "all on their way": [{"message_state": "queued"}] * 3,
    "no amounts": [{"total_amount": None, "total_rate": None, "units": None}],
    "only inbound": [{"message_direction": "inbound", "message_state": "received"}],
    "from right to left": [{"message_type": RIGHT_TO_LEFT, "error_code": RIGHT_TO_LEFT}],
}
ODD = [(SessionExplorer, name) for name in SESSIONS] + [
    (MessageExplorer, name) for name in MESSAGES
]


def message(number: int, fields: dict[str, Any]) -> dict[str, Any]:
    return {
        "message_uuid": f"00000000-0000-4000-8000-{number:012}",
        "message_time": AT,
        "message_direction": "outbound",
        "message_state": "delivered",
        "message_type": "sms",
        "from_number": "14155550100",
        "to_number": "447700900123",
        "destination_country_iso2": "GB",
        "units": 1,
        "total_rate": "0.05",
        "total_amount": "0.05",
        "error_code": "000",
    } | fields


@pytest.fixture
def odd(serve: Any, connect: Any, session: Any) -> Callable[..., Any]:
    """A client of an account that holds what is named."""

    def make(kind: type, name: str) -> Any:
        if kind is SessionExplorer:
            account = Account.of(sessions=[session(**fields) for fields in SESSIONS[name]])
        else:
            records = [message(*pair) for pair in enumerate(MESSAGES[name])]
            account = Account.of(messages=records)
        return connect(serve(account))

    return make


@pytest.fixture
def explore() -> Iterator[Callable[..., Any]]:
    """Make explorers, and close them with the test."""
    made: list[Any] = []

    def make(kind: Any, client: Any, **filters: Any) -> Any:
        made.append(kind(client, **filters))
        return made[-1]

    yield make
    for explorer in made:
        explorer.close()


def everything(widget: Any) -> Iterator[widgets.Widget]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from everything(child)


def said(explorer: Any) -> str:
    return " ".join(w.value for w in everything(explorer) if isinstance(w, widgets.HTML))


def until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + LONG
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


@pytest.mark.parametrize(("kind", "name"), ODD, ids=[f"{k.__name__}-{n}" for k, n in ODD])
def test_every_view_of_an_odd_account_is_drawn_and_its_code_gives_its_numbers(
    odd: Any, explore: Any, kind: Any, name: str
) -> None:
    client = odd(kind, name)
    explorer = explore(kind, client)
    explorer.load.click()
    assert explorer.wait(LONG)
    assert explorer.error is None
    assert explorer.frame.height
    for group in (explorer.group.options[0], "country", "day"):
        explorer.group.value = group
        for place in range(len(explorer.tabs.children)):
            explorer.tabs.selected_index = place
            names: dict[str, Any] = {"pva": pva, "client": client}
            *lines, last = explorer.code.split("\n")
            exec("\n".join(lines), names)  # noqa: S102 - the code is what is tested
            given = eval(last, names)  # noqa: S307 - the same
            small = pl.col(pl.Int8, pl.Int32).cast(pl.Int64)
            assert_frame_equal(given.with_columns(small), explorer.table.with_columns(small))
    # "None of the 2 settled sessions verified." is a sentence.
    shown = said(explorer).split("</style>")[1].replace("None of the", "")
    assert not re.search(r"\b(None|nan|inf)\b|<b>\$\\|\u202e", shown)


def test_where_nothing_is_billed_no_price_is_shown_and_none_is_called_exact(
    odd: Any, explore: Any
) -> None:
    explorer = explore(SessionExplorer, odd(SessionExplorer, "no charges"))
    explorer.load.click()
    assert explorer.wait(LONG)
    headline = said(explorer).split("Spend</p>")[1]
    assert "2 totals missing" in headline
    assert "no total known" in headline
    assert "exact" not in headline.split('class="kind"')[1]


def test_where_all_are_open_no_rate_is_shown(odd: Any, explore: Any) -> None:
    explorer = explore(SessionExplorer, odd(SessionExplorer, "all open"))
    explorer.load.click()
    assert explorer.wait(LONG)
    shown = said(explorer)
    assert "3 open" in shown
    assert "none verified" in shown
    assert "of none" in shown


@pytest.mark.parametrize("kind", [SessionExplorer, MessageExplorer])
def test_an_empty_account_is_a_true_zero_and_has_nothing_to_export(
    serve: Any, connect: Any, explore: Any, kind: Any
) -> None:
    explorer = explore(kind, connect(serve(Account.of())), since="90d")
    explorer.load.click()
    assert explorer.wait(LONG)
    assert explorer.error is None
    assert "so this is a true zero" in said(explorer)
    assert all(button.disabled for button in explorer.exports.values())
    for group in explorer.group.options:
        explorer.group.value = group
        explorer.tabs.selected_index = 1


@pytest.mark.parametrize(
    ("kind", "filters"),
    [
        (SessionExplorer, {"alias": "nobody's"}),
        (
            SessionExplorer,
            {"brand_name": RIGHT_TO_LEFT.replace("\u202e", "").replace("\u202c", "")},
        ),
        (SessionExplorer, {"brand_name": '<img src=x onerror=alert(1)>"&limit=1'}),
        (MessageExplorer, {"error_code": "999"}),
    ],
)
def test_a_filter_that_nothing_matches_asks_for_just_that_and_shows_it_as_text(
    serve: Any, connect: Any, explore: Any, kind: Any, filters: dict[str, str]
) -> None:
    server = serve(generate(sessions=20))
    explorer = explore(kind, connect(server), **filters)
    explorer.load.click()
    assert explorer.wait(LONG)
    assert explorer.error is None
    assert explorer.frame.height == 0
    assert "so this is a true zero" in said(explorer)
    (name, value), *_ = filters.items()
    assert {request.query.get(name) for request in server.log} <= {value, None}
    assert value in {request.query.get(name) for request in server.log}
    assert "<img" not in said(explorer).replace("&lt;img", "")


def test_a_server_that_goes_away_leaves_what_was_read_and_the_button_to_go_on(
    serve: Any, connect: Any, explore: Any, tmp_path: Any
) -> None:
    account = generate(sessions=400)
    server = serve(account)
    client = connect(server, store=tmp_path, requests_per_minute=1200)
    explorer = explore(SessionExplorer, client, since="90d")
    explorer.load.click()
    until(lambda: len(server.log) > 4)
    server.close()
    assert explorer.wait(LONG)
    assert isinstance(explorer.error, TransportError)
    assert str(explorer.error) in said(explorer).replace("&#39;", "'")
    assert 0 < explorer.frame.height < 400
    assert explorer.cancel.disabled
    assert not explorer.load.disabled


def test_cancelled_at_once_it_stops_and_the_same_button_goes_on_to_the_end(
    serve: Any, connect: Any, explore: Any
) -> None:
    server = serve(generate(sessions=200))
    explorer = explore(SessionExplorer, connect(server), since="90d")
    explorer.load.click()
    explorer.cancel.click()
    assert explorer.wait(LONG)
    assert explorer.error is None
    explorer.load.click()
    explorer.load.click()
    assert explorer.wait(LONG)
    assert explorer.error is None
    assert explorer.frame.height == 200
    assert "Complete." in said(explorer)
    assert not any(thread.name == "explorer load" for thread in threading.enumerate())


def test_while_the_first_pages_come_it_says_that_it_loads(
    serve: Any, connect: Any, explore: Any
) -> None:
    server = serve(generate(sessions=200))
    explorer = explore(SessionExplorer, connect(server, requests_per_minute=60), since="90d")
    explorer.load.click()
    assert "Loading." in said(explorer)
    explorer.cancel.click()
    assert explorer.wait(LONG)
    assert "Loading." not in said(explorer)
