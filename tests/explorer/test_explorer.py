"""The explorers without a browser: what they ask, show, keep and give along."""

from __future__ import annotations

import html
import re
import threading
import time
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import plivo_analysis as pva
from plivo_analysis.api.resources import SESSION_RESOURCE
from plivo_analysis.emulator import AUTH_ID, AUTH_TOKEN, Account, Server, generate
from plivo_analysis.emulator.account import DEFAULT_NOW
from plivo_analysis.errors import (
    AuthenticationError,
    CredentialsError,
    FilterError,
    IncompletePullError,
)
from plivo_analysis.explorer.messages import MessageExplorer
from plivo_analysis.explorer.sessions import SessionExplorer
from plivo_analysis.sync.page_request import PAGE_ROWS
from plivo_analysis.system.clock import FrozenWallClock
from plivo_analysis.values.spans import Span, to_us

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from plivo_analysis import Client

HOSTILE = '<img src=x onerror=alert(1)>$\\href{javascript:1}{x}$"; import os #'
LONG = 60  # seconds that no load here takes
ALERT = '<p class="pva-failed" role="alert">{}</p>'


@pytest.fixture(scope="module")
def demo() -> Iterator[Client]:
    client = pva.demo(sessions=300)
    yield client
    client.close()


@pytest.fixture
def explore(demo: Client) -> Iterator[Callable[..., Any]]:
    """Make explorers, and close them with the test."""
    made: list[Any] = []

    def make(kind: type = SessionExplorer, client: Any = None, **filters: Any) -> Any:
        made.append(kind(client or demo, **filters))
        return made[-1]

    yield make
    for explorer in made:
        explorer.close()


@pytest.fixture
def small(serve: Any, connect: Any, session: Any) -> tuple[Server, Client]:
    """An account of one session."""
    server = serve(Account.of(sessions=[session()]))
    return server, connect(server)


def loaded(explorer: Any) -> Any:
    explorer.load.click()
    assert explorer.wait(LONG)
    return explorer


def everything(widget: Any) -> Iterator[widgets.Widget]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from everything(child)


def seen(explorer: Any) -> str:
    """Everything that the explorer shows or would send to a browser."""
    return "\n".join(str(widget.get_state()) for widget in everything(explorer))


def text(explorer: Any, name: str) -> str:
    """The HTML of the place with a class."""
    (place,) = (w for w in everything(explorer) if name in getattr(w, "_dom_classes", ()))
    return place.value


def entry(explorer: Any, label: str) -> Any:
    fields = (w for w in everything(explorer) if not isinstance(w, widgets.Button))
    (found,) = (w for w in fields if getattr(w, "description", None) == label)
    return found


def errors(explorer: Any) -> list[str]:
    places = (w for w in everything(explorer) if "pva-error" in getattr(w, "_dom_classes", ()))
    return [place.value for place in places if place.value]


def run(code: str, client: Client, ran: dict[str, dict[str, Any]] | None = None) -> Any:
    """The value of the last line of some code, as a notebook's cell gives it.

    With ``ran``, lines before the last one that were run already are not run again.
    """
    first, _, last = code.rpartition("\n")
    ran = {} if ran is None else ran
    if first not in ran:
        names: dict[str, Any] = {"pva": pva, "client": client}
        exec(first, names)  # noqa: S102 - the code is what is tested
        ran[first] = names
    return eval(last, ran[first])  # noqa: S307 - the same


# What is asked.


def test_the_frame_is_what_the_loader_gives_for_the_filters(
    explore: Callable[..., Any], demo: Client
) -> None:
    explorer = loaded(explore(since="30d", status="verified"))
    assert explorer.error is None
    assert explorer.filters == {"since": "30d", "status": "verified"}
    assert_frame_equal(explorer.frame, pva.load_sessions(**explorer.filters, client=demo))
    assert_frame_equal(explorer.attempts, pva.explode_attempts(explorer.frame))


@pytest.mark.parametrize(
    ("given", "filters"),
    [
        ({}, {"since": "24h"}),
        ({"since": " 7D "}, {"since": "7d"}),
        (
            {"since": date(2026, 10, 1), "until": "2026-11-01"},
            {
                "since": datetime(2026, 10, 1, tzinfo=UTC),
                "until": datetime(2026, 11, 1, tzinfo=UTC),
            },
        ),
        (
            {"since": timedelta(hours=3), "status": "IN_PROGRESS", "country": "in"},
            {
                "since": DEFAULT_NOW - timedelta(hours=3),
                "until": DEFAULT_NOW,
                "status": "in-progress",
                "country": "in",
            },
        ),
        ({"alias": "Web checkout"}, {"since": "24h", "alias": "Web checkout"}),
        (
            {"app_uuid": "6e8bfef5-3112-4b0b-a87f-03ddc8101480"},
            {"since": "24h", "app_uuid": "6e8bfef5-3112-4b0b-a87f-03ddc8101480"},
        ),
        (
            {"brand_name": "b", "app_hash": "h"},
            {"since": "24h", "brand_name": "b", "app_hash": "h"},
        ),
    ],
)
def test_arguments_show_in_the_fields(
    explore: Callable[..., Any], given: dict[str, Any], filters: dict[str, Any]
) -> None:
    assert explore(**given).filters == filters


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"status": "done"}, "status is 'done'; it takes one of in-progress, verified, expired"),
        ({"since": "soon"}, "since is 'soon'; it takes a datetime"),
        ({"since": "2026-10-02", "until": "2026-10-01"}, "ends before it starts"),
        ({"colour": "red"}, "There is no filter 'colour'. There is since, until, status, app_uuid"),
        ({"alias": "shop", "app_uuid": "x"}, "takes one of app_uuid and alias, not both"),
    ],
)
def test_a_wrong_argument_is_refused_at_once(
    demo: Client, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(FilterError, match=message):
        SessionExplorer(demo, **given)


def test_without_a_client_the_environment_is_asked_for_one() -> None:
    with pytest.raises(CredentialsError, match="PLIVO_AUTH_ID"):
        SessionExplorer()


@pytest.mark.parametrize(
    ("label", "value", "said"),
    [
        ("Recipient", "call me", "Recipient is not a telephone number"),
        ("Recipient", "+1 415 555 0100 9999 9999", "Recipient is not a telephone number"),
        ("Application", "a\tb", "Application holds a control character"),
        ("Country", "Atlantis", "Country is"),
        ("Country", "<b>", "Country is &#39;&lt;b&gt;&#39;"),
        ("Brand", "x" * 5000, "Brand has 5000 characters"),
        ("App hash", "a\x00b", "App hash holds a control character"),
        ("Subaccount", "MA1", "Subaccount is"),
    ],
)
def test_wrong_input_is_named_beside_its_field_before_any_request(
    small: tuple[Server, Client], explore: Any, label: str, value: str, said: str
) -> None:
    server, client = small
    explorer = explore(client=client)
    entry(explorer, label).value = value
    (shown,) = errors(explorer)
    assert said in shown
    explorer.load.click()
    assert explorer.wait(LONG)
    assert isinstance(explorer.error, FilterError)
    assert server.log == []
    entry(explorer, label).value = ""
    assert errors(explorer) == []
    assert loaded(explorer).error is None


def test_a_range_that_ends_before_it_starts_is_named_beside_it(explore: Any) -> None:
    explorer = explore()
    entry(explorer, "To (not included), UTC").value = datetime(2026, 10, 1)  # noqa: DTZ001 - as a picker gives it
    entry(explorer, "From, UTC").value = datetime(2026, 10, 2)  # noqa: DTZ001 - the same
    assert errors(explorer) == [ALERT.format("Ends before it starts.")]
    entry(explorer, "From, UTC").value = None
    assert errors(explorer) == [ALERT.format("Choose when the range starts.")]


def test_touching_a_picker_makes_the_range_a_fixed_one(explore: Any) -> None:
    explorer = explore(since="7d")
    entry(explorer, "From, UTC").value = datetime(2026, 10, 30)  # noqa: DTZ001 - as a picker gives it
    assert explorer.filters == {
        "since": datetime(2026, 10, 30, tzinfo=UTC),
        "until": DEFAULT_NOW,
    }


# The law of widgets: what they show depends on what they are set to, never on the way there.

STATES: list[dict[str, Any]] = [
    {"since": "90d"},
    {"since": "30d", "status": "expired"},
    {"since": "2026-10-01", "until": "2026-10-20", "country": "IN"},
]


def put(explorer: Any, state: dict[str, Any]) -> None:
    explorer._dates.put(state.get("since"), state.get("until"))
    for label, name in (("Status", "status"), ("Country", "country")):
        entry(explorer, label).value = state.get(name, "")


def shown(explorer: Any) -> Iterator[tuple[Any, ...]]:
    """The code, the table and the screen of every tab in three groupings."""
    for group in ("channel", "country", "hour of day"):
        for place in range(6):
            explorer.group.value = group
            explorer.tabs.selected_index = place
            yield explorer.code, explorer.table, screen(explorer)


@pytest.mark.parametrize("then", STATES)
def test_set_one_way_then_another_equals_fresh_at_the_other(
    explore: Callable[..., Any], then: dict[str, Any]
) -> None:
    fresh = loaded(explore(**then))
    expected = list(shown(fresh))
    for first in STATES:
        changed = loaded(explore(**first))
        changed.group.value = "day"
        changed.tabs.selected_index = 3
        put(changed, then)
        loaded(changed)
        assert changed.filters == fresh.filters
        assert_frame_equal(changed.frame, fresh.frame)
        for given, wanted in zip(shown(changed), expected, strict=True):
            code, table, page = given
            assert code == wanted[0]
            assert_frame_equal(table, wanted[1])
            assert page == wanted[2]


def screen(explorer: Any) -> list[Any]:
    """What is on the screen beside the sidebar: text and figures, but for tabs that are hidden."""
    page = [
        explorer._layout.header,
        explorer._layout.cards,
        explorer._layout.code,
        explorer._view.box,
    ]
    shown = [widget for part in page for widget in everything(part)]
    return [getattr(widget, "outputs", getattr(widget, "value", None)) for widget in shown]


def test_a_table_sorted_and_turned_and_set_back_is_as_it_was(explore: Any) -> None:
    explorer = loaded(explore(since="90d"))
    explorer.tabs.selected_index = 4
    paged = explorer._views[4].paged
    before = paged._body.value
    paged.next.click()
    assert paged._body.value != before
    for _ in range(3):  # up, down, and as usual
        paged.act("sort 8")
    assert paged._body.value == before


# The code line.


@pytest.mark.parametrize("backend", ["polars", "pandas"])
@pytest.mark.parametrize(
    ("kind", "channels"),
    [(SessionExplorer, None), (SessionExplorer, ["voice"]), (MessageExplorer, None)],
)
def test_the_code_runs_and_gives_the_numbers_on_the_screen(
    demo: Client, explore: Any, kind: Any, backend: str, channels: list[str] | None
) -> None:
    demo.backend = backend
    try:
        explorer = loaded(explore(kind, since="2026-09-01", until="2026-11-01"))
        if channels:
            for name, toggle in explorer.channels.items():
                toggle.value = name in channels
        ran: dict[str, dict[str, Any]] = {}
        for group in explorer.group.options:
            explorer.group.value = group
            for place in range(len(explorer.tabs.children)):
                explorer.tabs.selected_index = place
                given = run(explorer.code, demo, ran)
                assert type(given) is type(explorer.table)
                assert_frame_equal(_polars(given), _polars(explorer.table))
    finally:
        demo.backend = "polars"


def _polars(frame: Any) -> pl.DataFrame:
    made = frame if isinstance(frame, pl.DataFrame) else pl.from_arrow(_arrow(frame))
    assert isinstance(made, pl.DataFrame)
    return made.with_columns(pl.col(pl.Int8, pl.Int32).cast(pl.Int64))


def _arrow(frame: Any) -> Any:
    import pyarrow as pa  # noqa: PLC0415 - for pandas frames only

    return pa.Table.from_pandas(frame, preserve_index=False)


def test_before_a_load_the_code_is_of_what_would_be_asked(explore: Any, demo: Client) -> None:
    explorer = explore(since="30d", status="expired")
    assert (
        explorer.code
        == 'sessions = pva.load_sessions(since="30d", status="expired", client=client)'
    )


def test_the_code_is_of_what_is_on_the_screen_while_the_fields_say_something_else(
    explore: Any,
) -> None:
    explorer = loaded(explore(since="7d"))
    before = explorer.code
    entry(explorer, "Status").value = "expired"
    assert explorer.code == before
    assert 'since="2026-10-26T06:58Z"' in before


def test_hostile_text_in_a_filter_stays_one_string_of_the_code(explore: Any, demo: Client) -> None:
    explorer = loaded(explore(since="7d", brand_name=HOSTILE))
    assert explorer.frame.height == 0
    assert run(explorer.code, demo).height == 0
    assert explorer.code.count("import os") == 1


def test_the_code_on_the_screen_asks_for_the_number_that_it_needs(
    explore: Any, demo: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = pva.load_sessions(since="90d", client=demo)["recipient"][0]
    explorer = loaded(explore(since="90d", recipient=number))
    assert number in explorer.code
    (copied,) = re.findall(r'data-code="([^"]*)"', text(explorer, "pva-line"))
    monkeypatch.setattr("builtins.input", lambda _prompt: number)
    assert run(html.unescape(copied), demo).equals(run(explorer.code, demo))


@pytest.mark.parametrize("typed", [False, True])
def test_no_widget_that_may_be_saved_holds_the_number_that_was_asked_for(
    explore: Any, demo: Client, typed: bool
) -> None:
    number = pva.load_sessions(since="90d", client=demo)["recipient"][0]
    explorer = explore(since="90d", **({} if typed else {"recipient": f"+{number}"}))
    if typed:
        entry(explorer, "Recipient").value = f"+{number}"
    loaded(explorer)
    assert explorer.filters["recipient"] == f"+{number}"
    assert set(explorer.frame["recipient"]) == {number}
    assert entry(explorer, "Recipient").value.endswith(f"•{number[-2:]}")
    assert not [w for w in everything(explorer) if number in str(w.get_state())]
    entry(explorer, "Recipient").value = ""
    assert "recipient" not in explorer.filters


# Loading.


class Slow(FrozenWallClock):
    """An account's clock whose waits are real."""


@pytest.fixture
def limited(serve: Any) -> Iterator[Callable[..., tuple[Server, Client]]]:
    """An account that may be asked a few times a minute, by the computer's own clock."""
    clients: list[Client] = []

    def connect(account: Account, per_minute: float, store: Any = False) -> tuple[Server, Client]:
        server = serve(account)
        clients.append(
            pva.Client(
                AUTH_ID,
                AUTH_TOKEN,
                base_url=server.url,
                store=store,
                requests_per_minute=per_minute,
                clock=Slow(account.now),
            )
        )
        return server, clients[-1]

    yield connect
    for client in clients:
        client.close()


def test_cancel_acts_in_the_middle_of_a_wait_and_keeps_what_was_read(
    limited: Any, explore: Any
) -> None:
    server, client = limited(generate(sessions=300), per_minute=4)
    explorer = explore(client=client, since="30d")
    explorer.load.click()
    until = time.monotonic() + LONG
    while "Next request in" not in text(explorer, "pva-wait") and time.monotonic() < until:
        time.sleep(0.02)
    assert int(re.findall(r"Next request in (\d+) s", text(explorer, "pva-wait"))[0]) > 10
    assert explorer.load.disabled
    assert not explorer.cancel.disabled
    explorer.cancel.click()
    assert explorer.wait(LONG)
    assert len(server.log) == 4
    assert explorer.error is None
    everything_read = Span(0, to_us(client.now()))
    assert explorer.frame.height == client.store.records(SESSION_RESOURCE).count(everything_read)
    assert explorer.frame.height > 2 * PAGE_ROWS
    assert "Stopped." in text(explorer, "pva-status")
    assert "not a sample of the range" in text(explorer, "pva-header")
    assert not explorer.load.disabled
    assert explorer.cancel.disabled


def test_a_load_that_was_cancelled_goes_on_from_there(
    limited: Any, explore: Any, connect: Any, tmp_path: Any
) -> None:
    server, client = limited(generate(sessions=200), per_minute=8, store=tmp_path)
    explorer = explore(client=client, since="90d")
    explorer.load.click()
    while len(server.log) < 8:
        time.sleep(0.02)
    explorer.cancel.click()
    assert explorer.wait(LONG)
    kept = explorer.frame.height
    assert 0 < kept < 200
    again = loaded(explore(client=connect(server, store=tmp_path), since="90d"))
    assert again.error is None
    assert again.frame.height == 200
    alone = serve_alone(explore, connect, server)
    assert len(server.log) - 8 < alone


def serve_alone(explore: Any, connect: Any, server: Server) -> int:
    """How many requests the whole range takes where nothing is stored."""
    before = len(server.log)
    loaded(explore(client=connect(server), since="90d"))
    alone = len(server.log) - before
    del server.log[before:]
    return alone


def test_one_load_at_a_time(limited: Any, explore: Any) -> None:
    server, client = limited(generate(sessions=200), per_minute=2)
    explorer = explore(client=client, since="90d")
    for _ in range(5):
        explorer.load.click()
    assert sum(thread.name == "explorer load" for thread in threading.enumerate()) == 1
    assert not explorer.wait(0.1)
    explorer.cancel.click()
    assert explorer.wait(LONG)
    assert len(server.log) <= 2


def test_closing_ends_the_thread(limited: Any) -> None:
    _, client = limited(generate(sessions=200), per_minute=1)
    explorer = SessionExplorer(client, since="90d")
    explorer.load.click()
    time.sleep(0.2)
    explorer.close()
    assert not any(thread.name == "explorer load" for thread in threading.enumerate())
    explorer.load.click()
    assert explorer.wait(0)


def test_progress_tells_requests_rows_and_minutes(limited: Any, explore: Any) -> None:
    _, client = limited(generate(sessions=2000), per_minute=5)
    explorer = explore(client=client, since="90d")
    explorer.load.click()
    until = time.monotonic() + LONG
    while "left at the limit" not in text(explorer, "pva-status") and time.monotonic() < until:
        time.sleep(0.01)
    said = text(explorer, "pva-status")
    explorer.cancel.click()
    assert explorer.wait(LONG)
    assert "requests" in said
    assert "min</b> left at the limit, 5 a minute" in said


def test_before_a_load_it_says_what_is_stored_and_what_the_rest_will_cost(
    limited: Any, explore: Any
) -> None:
    _, client = limited(generate(sessions=9000), per_minute=60)
    explorer = explore(client=client, since="24h")
    assert "0 of 24 hours are stored" in text(explorer, "pva-status")
    assert "min per 10,000 sessions at the limit" in text(explorer, "pva-status")
    loaded(explorer)
    explorer._dates.preset.value = "90d"
    said = text(explorer, "pva-status")
    assert "24 of 2,160 hours are stored" in said
    about = int(said.split("About ")[1].split(" requests")[0].replace(",", ""))
    assert 300 < about < 700  # 9,000 sessions are 450 pages; one day is the sample
    assert "min at the limit" in said


def test_what_is_out_of_reach_is_said_before_a_load(explore: Any) -> None:
    explorer = explore(since="2026-07-01", until="2026-08-10")
    assert "Not stored and older than 90 days: 1 July – 4 August" in text(explorer, "pva-status")
    loaded(explorer)
    assert isinstance(explorer.error, IncompletePullError)
    assert 'partial="return"' in explorer.code


def test_a_failed_load_is_shown_and_kept_and_wait_never_raises(
    serve: Any, session: Any, explore: Any
) -> None:
    server = serve(Account.of(sessions=[session()]))
    with pva.Client(AUTH_ID, "0" * 40, base_url=server.url, store=False) as client:
        explorer = loaded(explore(client=client))
        assert isinstance(explorer.error, AuthenticationError)
        assert "401" in text(explorer, "pva-status")
        assert explorer.frame.height == 0
        assert not explorer.load.disabled


def test_an_unexpected_error_is_shown_too(explore: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("a fault of ours")

    explorer = explore()
    monkeypatch.setattr("plivo_analysis.explorer.load_run.pull", broken)
    loaded(explorer)
    assert str(explorer.error) == "a fault of ours"
    assert "a fault of ours" in text(explorer, "pva-status")


def test_a_load_that_ends_well_takes_the_last_error_away(explore: Any) -> None:
    explorer = explore()
    entry(explorer, "Country").value = "x"
    loaded(explorer)
    assert explorer.error is not None
    entry(explorer, "Country").value = ""
    assert loaded(explorer).error is None


# What is shown.


def test_an_empty_range_that_was_read_whole_is_called_a_true_zero(explore: Any) -> None:
    explorer = loaded(explore(since="90d", app_hash="none"))
    assert "so this is a true zero" in text(explorer, "pva-empty")
    assert explorer.tabs.layout.display == "none"
    assert all(button.disabled for button in explorer.exports.values())


def test_the_headline_is_the_metrics(explore: Any) -> None:
    explorer = loaded(explore(since="90d"))
    shown = text(explorer, "pva-headline")
    success = pva.success_rates(explorer.frame).row(0, named=True)
    fallback = pva.fallback_rates(explorer.frame, by=()).row(0, named=True)
    cost = pva.cost_per_verified(explorer.frame).row(0, named=True)
    spent = pva.spend(explorer.frame, by=())["amount"].sum()
    for number in (
        f"{success['sessions']:,}<",
        f"{success['success_rate']:.1%}".replace("%", "\u202f%"),
        f"{fallback['fallback_rate']:.1%}".replace("%", "\u202f%"),
        f"of {fallback['fell_back']}<",
        f"${spent:,.2f}",
        f"{cost['cost_per_verified'] * 100:.2f}\u202f¢",
    ):
        assert number in shown


def test_a_choice_of_entry_channels_asks_nothing_and_keeps_the_frame(
    serve: Any, connect: Any, explore: Any
) -> None:
    server = serve(generate(sessions=200))
    explorer = loaded(explore(client=connect(server), since="90d"))
    asked, whole = len(server.log), explorer.frame.height
    explorer.tabs.selected_index = 4
    explorer.channels["sms"].value = True
    assert set(explorer.table["entry_channel"]) == {"sms"}
    assert "began on SMS" in text(explorer, "pva-header")
    explorer.channels["voice"].value = True
    assert set(explorer.table["entry_channel"]) == {"sms", "voice"}
    assert len(server.log) == asked
    assert explorer.frame.height == whole
    for toggle in explorer.channels.values():
        toggle.value = False
    assert explorer.table.height == explorer.attempts.height
    assert "began on" not in text(explorer, "pva-header")


def test_a_figure_shows_the_group_with_the_worst_rate_first(explore: Any) -> None:
    explorer = loaded(explore(since="90d"))
    explorer.tabs.selected_index = 1
    (output,) = explorer._views[1]._rates.output.outputs
    drawn = output["data"]["application/vnd.plotly.v1+json"]
    words = [note["text"] for note in drawn["layout"]["annotations"] if " of " in note["text"]]
    rates = [float(number) for text in words for number in re.findall(r"^<b>([0-9.]+)", text)]
    assert len(rates) > 5
    assert rates[1:] == sorted(rates[1:], reverse=True)  # behind the one of all sessions


def test_attempts_show_the_networks_whose_reports_of_failure_are_wrong_first(explore: Any) -> None:
    explorer = loaded(explore(since="90d"))
    explorer.tabs.selected_index = 4
    heading = explorer._views[4]._believed.title.value
    networks = explorer.frame["destination_network"].n_unique()
    found = re.search(r"Delivery reports .*, by network</b>, the largest 12 of (\d+)", heading)
    assert found is not None
    assert 12 < int(found[1]) <= networks
    (output,) = explorer._views[4]._believed.output.outputs
    drawn = output["data"]["application/vnd.plotly.v1+json"]
    wrong = [float(x) for x in drawn["data"][0]["x"]]
    assert wrong
    assert wrong == sorted(wrong, reverse=True)
    assert "pva.receipts(sessions)\n" in explorer.code


def test_a_range_that_ends_in_the_future_is_read_and_compared_up_to_now(
    serve: Any, connect: Any, explore: Any
) -> None:
    client = connect(serve(generate(sessions=200)))
    now = client.now()
    since, until = now - timedelta(days=10), now + timedelta(days=20)
    explorer = explore(client=client, since=since, until=until)
    explorer.compare.value = True
    loaded(explorer)
    period = explorer._state.period
    assert (period.start, period.end) == (since, now)
    assert explorer._state.previous.dataset.frames["whole"]["created_at"].min() >= now - timedelta(
        days=20
    )
    assert "</b> 240 of 240 hours stored" in text(explorer, "pva-status")
    assert f'until="{now:%Y-%m-%dT%H:%M}' in explorer.code


def test_a_filter_by_outcome_says_that_rates_are_of_what_it_leaves(explore: Any) -> None:
    by_outcome = loaded(explore(since="90d", status="verified"))
    assert "Status verified: rates are of these alone" in text(by_outcome, "pva-header")
    by_country = loaded(explore(since="90d", country="IN"))
    assert "Country IN</span>" in text(by_country, "pva-header")


def test_only_the_tab_on_the_screen_is_drawn(explore: Any) -> None:
    explorer = loaded(explore(since="90d"))
    figures = [
        [w for w in everything(box) if isinstance(w, widgets.Output)]
        for box in explorer.tabs.children
    ]
    assert not any(place.outputs for boxes in figures for place in boxes)
    explorer.tabs.selected_index = 3
    assert figures[3][0].outputs
    assert not figures[1][0].outputs


def test_a_day_that_the_range_cuts_is_drawn_apart_and_said(explore: Callable[..., Any]) -> None:
    explorer = loaded(explore(since="7d"))
    explorer.group.value = "day"
    days = re.findall(r"<td[^>]*>(?=Sun|Mon|Tue|Wed|Thu|Fri|Sat)(.*?)</td>", seen(explorer))
    assert ["not the whole day" in day for day in days] == [True, *[False] * 6, True]
    explorer.tabs.selected_index = 1
    box = explorer.tabs.children[1]
    (place, *_) = (w for w in everything(box) if isinstance(w, widgets.Output))
    (figure,) = (output["data"]["application/vnd.plotly.v1+json"] for output in place.outputs)
    (dots,) = figure["data"]
    # The range of the last seven days begins and ends in the middle of a day.
    first, *whole, last = dots["marker"]["symbol"]
    assert (first, set(whole), last) == ("circle-open", {"circle"}, "circle-open")
    assert dots["hovertext"][0].endswith("not the whole day")
    assert "Hollow or faint: not a whole day." in seen(box)


def hostile_account(session: Any) -> Account:
    records = [
        session(alias=HOSTILE, destination_network=HOSTILE, status=HOSTILE),
        session(
            alias=HOSTILE,
            attempt_details=[
                {
                    "channel": HOSTILE,
                    "attempt_uuid": HOSTILE,
                    "status": HOSTILE,
                    "time": "2026-11-02T05:00:00Z",
                }
            ],
        ),
        session(app_uuid="6e8bfef5-3112-4b0b-a87f-03ddc8101481", alias="=1+1"),
    ]
    return Account.of(sessions=records)


@pytest.mark.parametrize("group", ["channel", "country", "application", "day", "hour of day"])
def test_hostile_text_is_shown_as_text(
    serve: Any, connect: Any, session: Any, explore: Any, group: str
) -> None:
    explorer = loaded(explore(client=connect(serve(hostile_account(session)))))
    assert explorer.error is None
    explorer.group.value = group
    for place in range(len(explorer.tabs.children)):
        explorer.tabs.selected_index = place
    markup = [w.value for w in everything(explorer) if isinstance(w, widgets.HTML)]
    drawn = [str(w.outputs) for w in everything(explorer) if isinstance(w, widgets.Output)]
    assert any("&lt;img" in value for value in [*markup, *drawn])
    assert not any("<img" in value for value in [*markup, *drawn])
    assert not any("$\\\\href" in value for value in drawn)


def test_numbers_are_masked_wherever_they_are_shown(explore: Any, demo: Client) -> None:
    numbers = set(pva.load_sessions(since="90d", client=demo)["recipient"].drop_nulls())
    explorer = loaded(explore(since="90d"))
    shown = ""
    for place in range(len(explorer.tabs.children)):
        explorer.tabs.selected_index = place
        explorer.exports["csv"].click()
        shown += seen(explorer)
    assert "••• ••• ••" in shown
    assert not [number for number in numbers if number in shown]


def test_no_secret_is_in_what_is_sent_to_a_browser(explore: Any) -> None:
    assert AUTH_TOKEN not in seen(loaded(explore(since="30d")))


# Exports.


def content(explorer: Any) -> bytes:
    import base64  # noqa: PLC0415 - here only

    link = text(explorer, "pva-saved")
    return base64.b64decode(link.split("base64,")[1].split('"')[0])


def test_csv_is_the_table_of_the_view(explore: Any) -> None:
    explorer = loaded(explore(since="90d"))
    explorer.exports["csv"].click()
    lines = content(explorer).decode("utf-8-sig").splitlines()
    assert lines[0].startswith("destination_country_iso2,sessions,success_rate")
    assert len(lines) == 1 + explorer.table.height
    assert 'download="sessions-overview.csv"' in text(explorer, "pva-saved")


def test_a_workbook_holds_no_formula(serve: Any, connect: Any, session: Any, explore: Any) -> None:
    explorer = loaded(explore(client=connect(serve(hostile_account(session)))))
    explorer.tabs.selected_index = 4
    explorer.exports["xlsx"].click()
    assert content(explorer)[:2] == b"PK"
    explorer.exports["csv"].click()
    assert "'=1+1" in content(explorer).decode()


def test_a_report_of_what_is_on_the_screen(explore: Any) -> None:
    explorer = loaded(explore(since="2026-10-01", until="2026-11-01"))
    explorer.exports["html"].click()
    assert "October 2026" in content(explorer).decode()


# Messages.


def test_the_message_explorer_loads_messages(explore: Any, demo: Client) -> None:
    explorer = loaded(explore(MessageExplorer, since="90d", message_direction="outbound"))
    assert explorer.error is None
    assert_frame_equal(explorer.frame, pva.load_messages(**explorer.filters, client=demo))
    rate = pva.delivery_rates(explorer.frame)["delivered_rate"][0]
    assert f"{rate:.1%}".replace("%", "\u202f%") in text(explorer, "pva-headline")
    numbers = {*explorer.frame["to_number"].drop_nulls()}
    explorer.tabs.selected_index = 2
    assert not [number for number in numbers if number in seen(explorer)]


def test_a_report_of_messages_is_a_page_of_their_numbers_that_runs_nothing(explore: Any) -> None:
    explorer = loaded(explore(MessageExplorer, since="90d"))
    explorer.exports["html"].click()
    page = content(explorer).decode()
    rates = pva.delivery_rates(explorer.frame, by="message_type")
    assert page.count("<tr>") >= rates.height
    for rate in rates["delivered_rate"].drop_nulls():
        assert f"{rate:.1%}".replace("%", "\u202f%") in page
    assert f"{pva.message_spend(explorer.frame, by=())['amount'][0]:.2f}" in page
    assert not re.search(r"<script|https?:|\son\w+=", page)
    assert not [number for number in explorer.frame["to_number"].drop_nulls() if number in page]


@pytest.mark.parametrize(
    ("label", "value"),
    [("Error code", "4x"), ("From", "no such sender!"), ("Country", "Atlantis")],
)
def test_the_message_explorer_names_wrong_input_beside_its_field(
    explore: Any, label: str, value: str
) -> None:
    explorer = explore(MessageExplorer)
    entry(explorer, label).value = value
    assert len(errors(explorer)) == 1


def test_a_saved_notebook_shows_the_account_and_no_filter_in_the_widgets_place(
    explore: Callable[..., Any],
) -> None:
    explorer = explore(recipient="+12025550143")
    assert repr(explorer) == f"SessionExplorer of {AUTH_ID}"
