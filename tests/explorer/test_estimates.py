"""A long load in the explorer: an estimate first, tightening until it is exact."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

import plivo_analysis as pva
from plivo_analysis.emulator import Account, Behaviour, Fault, Server, generate
from plivo_analysis.explorer.sessions import SessionExplorer
from plivo_analysis.values.typesetting import count, money

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import ipywidgets as widgets

    from plivo_analysis import Client

LONG = 120  # seconds that no load here takes
SESSIONS = 2_000


@pytest.fixture(scope="module")
def account() -> Account:
    return generate(sessions=SESSIONS, seed=4)


@pytest.fixture
def server(serve: Any, account: Account) -> Server:
    return serve(account)


@pytest.fixture
def client(server: Server, connect: Any) -> Client:
    return connect(server)


@pytest.fixture
def explore(client: Client, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """Make explorers that show what was read as often as they can."""
    monkeypatch.setattr("plivo_analysis.explorer.load_run._PREVIEW", 0.0)
    monkeypatch.setattr("plivo_analysis.explorer.load_run._SHARE", 1)
    monkeypatch.setattr("plivo_analysis.explorer.load_run._STEP", 0.0)
    made: list[Any] = []

    def make(client: Client = client, **filters: Any) -> Any:
        made.append(SessionExplorer(client, **filters))
        return made[-1]

    yield make
    for explorer in made:
        explorer.close()


def place(explorer: Any, name: str) -> widgets.HTML:
    (found,) = (w for w in everything(explorer) if name in getattr(w, "_dom_classes", ()))
    return found


def everything(widget: Any) -> Iterator[Any]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from everything(child)


def cards(html: str) -> dict[str, tuple[str, str]]:
    """Each card's number and what is said of it."""
    parts = re.findall(
        r'class="name">(.*?)</p>\s*<p class="now[^"]*">(.*?)</p>.*?class="kind">(.*?)</p>',
        html,
        re.DOTALL,
    )
    return {name: (now, kind) for name, now, kind in parts}


class Watch:
    """Keeps every state of a place."""

    def __init__(self, found: widgets.HTML) -> None:
        self.seen: list[str] = []
        found.observe(lambda change: self.seen.append(change["new"]), "value")


def width(interval: str) -> int:
    low, _, high = interval.replace("$", "").partition("–")
    return float(high or low) - float(low)


def test_a_long_load_shows_estimates_that_tighten_and_then_the_exact_numbers(
    explore: Any, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So that views take a fifth of the time: without a limit, a sample is read within few of them.
    monkeypatch.setattr("plivo_analysis.explorer.load_run._SHARE", 0.25)
    explorer = explore(since="90d")
    watch = Watch(place(explorer, "pva-headline"))
    header = Watch(place(explorer, "pva-header"))
    status = Watch(place(explorer, "pva-status"))
    explorer.load.click()
    assert explorer.wait(LONG)
    assert explorer.error is None
    told = [cards(html) for html in watch.seen]
    # Where every page is read before the proof is there, no interval is left to tighten.
    spans = [width(state["Spend"][1]) for state in told if "–" in state["Spend"][1]]
    assert len(spans) > 3
    assert spans[-1] < spans[0] / 2
    assert any("Estimates from" in html and "they tighten" in html for html in header.seen)
    assert any("First an estimate" in html for html in status.seen)
    sessions = pva.load_sessions(since="90d", client=client)
    assert told[-1]["Sessions"] == (count(sessions.height), told[-1]["Sessions"][1])
    assert told[-1]["Spend"][0] == money(pva.spend(sessions, by=())["amount"].sum())
    assert "≈" not in watch.seen[-1]
    assert "Estimate" not in header.seen[-1]


def test_the_bar_of_a_long_load_does_not_begin_full(explore: Any) -> None:
    explorer = explore(since="90d")
    told: list[float] = []
    bar = explorer._layout.progress
    place(explorer, "pva-status").observe(lambda _: told.append(bar.value), "value")
    stopped(explorer)
    assert len(told) > 10
    assert max(told[:10]) < 0.5


def stopped(explorer: Any) -> dict[str, tuple[str, str]]:
    """Load, cancel as soon as spend is estimated, and give the cards."""
    headline = place(explorer, "pva-headline")

    def stop(change: Any) -> None:
        if "≈" in cards(change["new"]).get("Spend", ("", ""))[0]:
            explorer.cancel.click()

    headline.observe(stop, "value")
    explorer.load.click()
    assert explorer.wait(LONG)
    headline.unobserve(stop, "value")
    assert explorer.error is None
    return cards(headline.value)


def test_cancel_keeps_the_estimate_on_the_screen_and_says_that_it_is_one(
    explore: Any, client: Client, server: Server
) -> None:
    explorer = explore(since="90d")
    shown = stopped(explorer)
    estimated = {name for name, (now, _) in shown.items() if "≈" in now}
    assert estimated >= {"Success rate", "Fallback rate", "Spend", "Cost per verified"}
    assert shown["Rescue range"][1].endswith(" read")
    header = place(explorer, "pva-header").value
    assert re.search("Estimates from [0-9.]+\u202f% of the range, read evenly over it", header)
    assert "Load goes on from here" in header
    assert "Stopped." in place(explorer, "pva-status").value
    asked = len(server.log)
    assert explorer.table.columns[:2] == ["destination_country_iso2", "sessions"]
    explorer.group.value = "application"
    assert explorer.table.columns[0] == "app_uuid"
    assert explorer.code.startswith("estimate = pva.estimate(")
    assert explorer.code.endswith("estimate.frame")
    explorer.group.value = "day"
    assert explorer.table.height == 1
    assert "no estimate by time" in place(explorer, "pva-overview-note").value
    # A part of what was read is of nobody knows how much.
    channel = next(iter(explorer.channels.values()))
    channel.value = True
    assert "≈" not in place(explorer, "pva-headline").value
    assert "at least" in place(explorer, "pva-headline").value
    channel.value = False
    assert "≈" in place(explorer, "pva-headline").value
    assert len(server.log) == asked


def test_the_code_beside_an_estimate_gives_the_estimate(explore: Any, client: Client) -> None:
    explorer = explore(since="90d")
    stopped(explorer)
    *lines, last = explorer.code.split("\n")
    names: dict[str, Any] = {"pva": pva, "client": client}
    # One request more, so that it tells of nearly the same pages.
    exec("\n".join(lines).replace("client=client", "client=client, requests=1"), names)  # noqa: S102 - is tested
    again, table = eval(last, names), explorer.table  # noqa: S307 - the same
    assert again.columns == table.columns
    assert again["sessions"].sum() == pytest.approx(table["sessions"].sum(), rel=0.05)


@pytest.mark.slow
def test_load_after_a_cancel_goes_on_to_the_exact_numbers(explore: Any, client: Client) -> None:
    explorer = explore(since="90d")
    stopped(explorer)
    explorer.load.click()
    assert explorer.wait(LONG)
    assert explorer.error is None
    assert explorer.frame.equals(pva.load_sessions(since="90d", client=client))
    assert "≈" not in place(explorer, "pva-headline").value


def test_a_short_load_asks_no_more_than_a_pull_does(
    explore: Any, server: Server, serve: Any, connect: Any
) -> None:
    explorer = explore(since="7d")
    explorer.load.click()
    assert explorer.wait(LONG)
    assert "≈" not in place(explorer, "pva-headline").value
    again = serve(server.account)
    pva.load_sessions(since="7d", client=connect(again))
    assert len(server.log) == len(again.log)


def test_a_server_that_refuses_what_an_estimate_asks_is_read_without_one(
    explore: Any, serve: Any, connect: Any
) -> None:
    server = serve(generate(sessions=1_200, days=20))
    explorer = explore(client=connect(server), since="20d")
    status = place(explorer, "pva-status")

    def refuse(change: Any) -> None:
        if "First an estimate" in change["new"]:
            server.faults = [Fault.status(400)]

    status.observe(refuse, "value")
    explorer.load.click()
    assert explorer.wait(LONG)
    assert explorer.error is None
    assert [request.status for request in server.log].count(400) == 1
    assert explorer.frame.height == 1_200
    assert "≈" not in place(explorer, "pva-headline").value


@pytest.mark.slow
def test_where_offsets_are_ignored_windows_of_time_are_read_and_the_end_is_exact(
    explore: Any, serve: Any, connect: Any, account: Account
) -> None:
    client = connect(serve(account, behaviour=Behaviour(ignores=("offset",))))
    explorer = explore(client=client, since="90d")
    watch = Watch(place(explorer, "pva-headline"))
    explorer.load.click()
    assert explorer.wait(LONG)
    assert explorer.error is None
    told = [cards(html) for html in watch.seen]
    assert any("≈" in state["Spend"][0] for state in told)
    sessions = pva.load_sessions(since="90d", client=client)
    assert told[-1]["Spend"][0] == money(pva.spend(sessions, by=())["amount"].sum())
