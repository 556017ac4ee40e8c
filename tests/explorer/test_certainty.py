"""What the explorer says of numbers that are not known in full: never exact, never complete."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
import pytest

import plivo_analysis as pva
from plivo_analysis.emulator import AUTH_ID, AUTH_TOKEN, Account, generate
from plivo_analysis.emulator.misbehaviour import Behaviour
from plivo_analysis.explorer.messages import MessageExplorer
from plivo_analysis.explorer.sessions import SessionExplorer
from plivo_analysis.system.clock import Clock, FrozenWallClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LONG = 60  # seconds that no load here takes


@pytest.fixture
def explore() -> Iterator[Callable[..., Any]]:
    """Make explorers, and close them with the test."""
    made: list[Any] = []

    def make(client: Any, kind: Any = SessionExplorer, **filters: Any) -> Any:
        made.append(kind(client, **filters))
        return made[-1]

    yield make
    for explorer in made:
        explorer.close()


def loaded(explorer: Any) -> Any:
    explorer.load.click()
    assert explorer.wait(LONG)
    return explorer


def everything(widget: Any) -> Iterator[widgets.Widget]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from everything(child)


def words(explorer: Any) -> str:
    """Everything that is read on the screen, without its markup."""
    shown = [w.value for w in everything(explorer) if isinstance(w, widgets.HTML)]
    pages = (re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL) for page in shown)
    return " ".join(re.sub(r"<[^>]+>", " ", page) for page in pages)


def on_every_tab(explorer: Any) -> str:
    seen = []
    for place in range(len(explorer.tabs.children)):
        explorer.tabs.selected_index = place
        seen.append(words(explorer))
    return " ".join(seen)


@pytest.mark.parametrize("kind", [SessionExplorer, MessageExplorer])
def test_a_load_that_was_cancelled_calls_no_number_exact(
    serve: Any, explore: Any, kind: Any
) -> None:
    account = generate(sessions=300)
    with pva.Client(
        AUTH_ID,
        AUTH_TOKEN,
        base_url=serve(account).url,
        store=False,
        requests_per_minute=4,
        clock=FrozenWallClock(account.now),
    ) as client:
        explorer = explore(client, kind, since="30d")
        explorer.load.click()
        until = time.monotonic() + LONG
        while_loading = ""
        # The cards are written before the header: a look between the two sees half of a screen.
        while "not a sample" not in while_loading and time.monotonic() < until:
            time.sleep(0.02)
            while_loading = words(explorer)
        explorer.cancel.click()
        assert explorer.wait(LONG)
        for seen in (while_loading, on_every_tab(explorer)):
            assert "at least" in seen
            assert "not a sample" in seen
            for word in ("exact to", "true zero", "Complete.", "Exact to"):
                assert word not in seen
            assert not re.search(r"\bexact\b(?! and have none)", seen)


def test_a_record_that_could_not_be_read_is_named_and_takes_exact_away(
    serve: Any, connect: Any, session: Any, explore: Any
) -> None:
    records = [session() for _ in range(19)] + [session(created_at="yesterday")]
    client = connect(serve(Account.of(sessions=records)))
    with pytest.warns(pva.PlivoAnalysisWarning, match="1 session of this range set aside"):
        pva.load_sessions(client=client)
    explorer = loaded(explore(client))
    assert explorer.frame.height == 19
    assert "1 record could not be read: pva.issues('sessions') lists them" in words(
        explorer
    ).replace("&#39;", "'")
    seen = on_every_tab(explorer)
    assert "at least" in seen
    assert "1 record could not be read" in seen
    assert "Exact to" not in seen
    assert "Every session adds up" not in seen


def test_a_range_that_was_read_whole_is_exact(
    serve: Any, connect: Any, session: Any, explore: Any
) -> None:
    records = [session(ago=timedelta(hours=hours)) for hours in (2, 30)]
    explorer = loaded(explore(connect(serve(Account.of(sessions=records)))))
    assert words(explorer).count(" exact") >= 2
    assert "Exact to the last digit." in on_every_tab(explorer)


def test_a_filter_that_no_row_confirms_is_said(
    serve: Any, connect: Any, session: Any, explore: Any
) -> None:
    account = Account.of(sessions=[session(alias=None)])
    explorer = explore(
        connect(serve(account, behaviour=Behaviour(ignores=("alias",)))), alias="Web checkout"
    )
    assert "No row shows whether the server kept to alias." in words(loaded(explorer))


def test_open_and_unpriced_are_two_numbers(
    serve: Any, connect: Any, session: Any, explore: Any
) -> None:
    unpriced = {"total_charge": None, "validation_charge": None, "attempt_charges": []}
    records = [
        *(session(status="in-progress") for _ in range(2)),
        *(session(charges=unpriced) for _ in range(3)),
    ]
    seen = words(loaded(explore(connect(serve(Account.of(sessions=records))))))
    assert "5 sessions, 2 still open" in seen
    assert "2 open" in seen
    assert "3 totals missing" in seen


# Before a load, and while fields say something else.


def test_changed_fields_dim_the_results_until_they_are_loaded(
    serve: Any, connect: Any, explore: Any
) -> None:
    explorer = loaded(explore(connect(serve(generate(sessions=50))), since="30d"))
    assert "Not loaded yet" not in words(explorer)
    explorer._dates.preset.value = "7d"
    assert "Not loaded yet" in words(explorer)
    assert "pva-outdated" in explorer._layout._results._dom_classes
    explorer._dates.preset.value = "30d"
    assert "Not loaded yet" not in words(explorer)
    assert "pva-outdated" not in explorer._layout._results._dom_classes
    explorer._dates.preset.value = "7d"
    loaded(explorer)
    assert "Not loaded yet" not in words(explorer)


def test_what_was_loaded_with_stands_in_the_header_with_its_numbers_masked(
    serve: Any, connect: Any, explore: Any
) -> None:
    filters = {"status": "verified", "recipient": "14155550123", "country": "us"}
    explorer = loaded(explore(connect(serve(generate(sessions=50))), since="30d", **filters))
    header = explorer._layout.header.value
    assert "Status verified" in header
    assert "14155550123" not in header
    assert "23<" in header


class Moving(Clock):
    """An account's time that goes on from where the account is."""

    def __init__(self, account: Account) -> None:
        self._offset = account.now - super().now()

    def now(self) -> Any:
        return super().now() + self._offset


def test_ninety_days_do_not_fall_off_their_own_edge_while_the_clock_goes_on(
    serve: Any, connect: Any, explore: Any
) -> None:
    account = generate(sessions=50)
    client = connect(serve(account), clock=Moving(account))
    explorer = explore(client, since="90d")
    time.sleep(0.01)
    assert "older than 90 days" not in words(explorer)
    assert explorer._dates.start.value.second == 0
    loaded(explorer)
    assert explorer.error is None
    assert "Complete." in words(explorer)


def test_a_wrong_field_is_named_during_a_load_too(serve: Any, explore: Any) -> None:
    account = generate(sessions=300)
    with pva.Client(
        AUTH_ID,
        AUTH_TOKEN,
        base_url=serve(account).url,
        store=False,
        requests_per_minute=4,
        clock=FrozenWallClock(account.now),
    ) as client:
        explorer = explore(client, since="30d")
        explorer.load.click()
        explorer._dates.start.value = None
        assert "Choose when the range starts." in words(explorer)
        explorer.cancel.click()
        assert explorer.wait(LONG)


@pytest.mark.parametrize(
    ("sizes", "doing"),
    [((300, 4), "sessions read"), ((3_000, 10), "First an estimate")],
    ids=["pulling", "sampling"],
)
def test_who_meets_a_running_load_of_the_account_is_told_so(
    sizes: tuple[int, int], doing: str, serve: Any, explore: Any, tmp_path: Any
) -> None:
    sessions, per_minute = sizes
    account = generate(sessions=sessions)
    options = {
        "base_url": serve(account).url,
        "store": tmp_path,
        "requests_per_minute": per_minute,
        "clock": FrozenWallClock(account.now),
    }
    told = "Another load of this account is running"
    with pva.Client(AUTH_ID, AUTH_TOKEN, **options) as one:
        first = explore(one, since="30d")
        first.load.click()
        until = time.monotonic() + LONG
        while "Next request in" not in words(first) and time.monotonic() < until:
            time.sleep(0.02)
        assert doing in words(first)
        assert told not in words(first)
        with pva.Client(AUTH_ID, AUTH_TOKEN, **options) as other:
            second = explore(other, since="10d")
            second.load.click()
            assert told in words(second)
            for explorer in (first, second):
                explorer.cancel.click()
                assert explorer.wait(LONG)


# The overview.


def test_the_period_before_is_loaded_on_demand_where_the_api_still_has_it(
    serve: Any, connect: Any, explore: Any
) -> None:
    client = connect(serve(generate(sessions=600)))
    explorer = explore(client, since="30d")
    explorer.compare.value = True
    assert "of 1,440 hours are stored" in words(explorer)
    loaded(explorer)
    assert explorer.frame.equals(pva.load_sessions(since="30d", client=client))
    assert "than in the 30 days before" in words(explorer)
    explorer._dates.put("90d", None)
    assert "older than 90 days" in words(explorer)
    loaded(explorer)
    assert "The period before is not stored" in words(explorer)


def test_a_channel_that_is_new_in_the_period_is_not_compared_with_all_channels_before(
    serve: Any, connect: Any, session: Any, explore: Any
) -> None:
    voice = {"channel": "voice", "status": "delivered"}
    records = [
        session(ago=timedelta(hours=5), attempt_details=[voice]),
        session(ago=timedelta(hours=5)),
        session(ago=timedelta(hours=30)),
    ]
    explorer = explore(connect(serve(Account.of(sessions=records))))
    explorer.compare.value = True
    loaded(explorer)
    (now,) = explorer._views[0].paged._rows
    assert (now["sessions"], now["sessions_before"]) == (2, 1)
    explorer.channels["voice"].value = True
    (now,) = explorer._views[0].paged._rows
    assert (now["sessions"], now["sessions_before"]) == (1, None)


def test_a_verified_journey_has_its_cost_by_application(
    serve: Any, connect: Any, explore: Any
) -> None:
    client = connect(serve(generate(sessions=600)))
    explorer = loaded(explore(client, since="90d"))
    by_country = explorer.table
    explorer.group.value = "application"
    overview = explorer._views[0].paged
    overview.act("sort 7")  # up to here this table has a column more
    rates = pva.journey_rates(explorer.frame, by="app_uuid")
    shown = explorer.table.sort("app_uuid")
    assert shown["cost_per_verified_journey"].equals(
        rates.sort("app_uuid")["cost_per_verified_journey"]
    )
    explorer.group.value = "country"
    assert explorer.table.equals(by_country)
    assert "Bangladesh" in overview._body.value


def test_the_overview_lists_who_wastes_most_first_with_names_and_changes(
    serve: Any, connect: Any, explore: Any
) -> None:
    client = connect(serve(generate(sessions=600)))
    explorer = loaded(explore(client, since="30d"))
    assert "The period before is not stored" in words(explorer)
    pva.load_sessions(since="60d", client=client)
    loaded(explorer)
    seen = words(explorer)
    assert "You spent" in seen
    assert "than in the 30 days before" in seen
    assert "pts" in explorer._views[0].paged._body.value
    wasted = explorer.table.sort("waste", descending=True, nulls_last=True)
    first = explorer._views[0].paged._rows[0]
    assert first["destination_country_iso2"] == wasted["destination_country_iso2"][0]
    assert "Bangladesh" in explorer._views[0].paged._body.value


def test_the_changes_of_the_overview_are_those_of_the_metrics(
    serve: Any, connect: Any, explore: Any
) -> None:
    client = connect(serve(generate(sessions=600)))
    pva.load_sessions(since="2026-08-31", until="2026-11-01", client=client)
    explorer = loaded(explore(client, since="2026-10-01", until="2026-10-31"))
    before = pva.load_sessions(since="2026-09-01", until="2026-10-01", client=client)
    spent = dict(
        pva.spend(before, by="destination_country_iso2")
        .select("destination_country_iso2", "amount")
        .iter_rows()
    )
    for row in explorer._views[0].paged._rows:
        assert row["amount_before"] == spent.get(row["destination_country_iso2"])


def test_a_country_may_be_named_in_words(serve: Any, connect: Any, explore: Any) -> None:
    explorer = explore(connect(serve(generate(sessions=20))), country="bangladesh")
    assert explorer.filters["country"] == "BD"
