"""What the page for those who come from the official SDK says of it, tried with that SDK."""

from __future__ import annotations

import inspect
import re
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import plivo
import pytest

import plivo_analysis as pva
from plivo_analysis.emulator import Account, Server, generate
from plivo_analysis.system.clock import FrozenWallClock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PAGE = (Path(__file__).parents[2] / "docs" / "coming-from" / "sdk.md").read_text()
RANGE = {"session_time__gte": "2026-08-04 07:00", "session_time__lt": "2026-11-02 07:00"}


@pytest.fixture
def server(serve: Callable[..., Server]) -> Server:
    return serve(generate(sessions=90))


@pytest.fixture
def sdk(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(plivo.rest.client, "PLIVO_API_BASE_URI", f"{server.url}/v1/Account")
    with plivo.RestClient(server.account.auth_id, server.account.auth_token) as client:
        client.session.trust_env = False
        yield client


@pytest.fixture
def client(server: Server) -> Iterator[pva.Client]:
    account = server.account
    options = {"base_url": server.url, "store": False, "requests_per_minute": 100_000}
    clock = FrozenWallClock(account.now)
    with pva.Client(account.auth_id, account.auth_token, clock=clock, **options) as opened:
        yield opened


def paged(sdk: Any, between: Callable[[], None] = lambda: None, **asked: str) -> list[str]:
    """Turn pages by offset, as one does with the SDK; something may happen between two pages."""
    found: list[str] = []
    while page := sdk.verify_session.list(limit=20, offset=len(found), **asked, **RANGE).sessions:
        found += [session.session_uuid for session in page]
        between()
    return found


def test_both_take_the_filters_that_the_page_names() -> None:
    row = next(line for line in PAGE.splitlines() if line.endswith("| the same names |"))
    names = re.findall(r"`(\w+)=`", row)
    assert len(names) == 8
    assert set(names) <= set(
        inspect.signature(
            plivo.RestClient("MA" + "X" * 18, "x" * 40).verify_session.list
        ).parameters
    )
    assert set(names) <= set(inspect.signature(pva.load_sessions).parameters)


def test_both_give_the_same_sessions_of_an_account_at_rest(sdk: Any, client: pva.Client) -> None:
    listed = paged(sdk)
    loaded = pva.load_sessions(since="90d", client=client)["session_uuid"]
    assert len(listed) == 90
    assert sorted(listed) == sorted(loaded)
    one = pva.load_session(listed[7], client=client)
    assert one["status"].to_list() == [sdk.verify_session.get(listed[7]).status.lower()]


def test_a_loop_over_the_sdks_sessions_gives_nothing(sdk: Any) -> None:
    assert len(sdk.verify_session.list(**RANGE)) > 0
    assert list(sdk.verify_session) == []


def test_a_sum_of_floats_is_off_where_a_sum_here_is_not(sdk: Any, client: pva.Client) -> None:
    sessions = (sdk.verify_session.get(key) for key in paged(sdk))
    totals = [each.charges.total_charge for each in sessions if each.charges.total_charge]
    exact = sum(map(Decimal, totals))
    assert Decimal(sum(map(float, totals))) != exact
    loaded = pva.load_sessions(since="90d", client=client)
    assert loaded["total_charge"].sum() == exact


def test_a_page_of_the_sdk_holds_twenty_at_most(sdk: Any) -> None:
    with pytest.raises(plivo.exceptions.ValidationError, match="limit <= 20"):
        sdk.verify_session.list(limit=21)


def test_the_sdk_refuses_to_list_what_was_received(sdk: Any, client: pva.Client) -> None:
    with pytest.raises(plivo.exceptions.ValidationError, match="message_state"):
        sdk.messages.list(message_state="received")
    received = pva.load_messages(since="90d", message_state="received", client=client)
    assert set(received["message_state"]) <= {"received"}


def test_pages_by_offset_double_what_is_pushed_on(sdk: Any, server: Server) -> None:
    account = server.account
    newest = account.record(account.uuids()[0])
    fresh = [f"00000000-0000-4000-8000-{number:012}" for number in range(3)]

    def one_more() -> None:
        if fresh:
            account.insert({**newest, "session_uuid": fresh.pop()})

    found = paged(sdk, one_more)
    assert len(found) > len(set(found))


def test_pages_by_offset_lose_what_is_pulled_forward(sdk: Any, server: Server) -> None:
    account = server.account
    expected = [key for key in account.uuids() if _is(account, key, "verified")]
    leaving = iter(expected)

    def one_less() -> None:
        account.replace({**account.record(next(leaving)), "status": "expired"})

    found = paged(sdk, one_less, status="verified")
    assert set(found) < set(expected)


def _is(account: Account, key: str, status: str) -> bool:
    return bool(account.record(key)["status"].lower() == status)
