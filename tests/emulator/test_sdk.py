"""The official SDK, a client that was not written here, against the emulator."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import plivo
import pytest

from plivo_analysis.emulator import AUTH_ID, AUTH_TOKEN, Account, FixedWindow, Server, generate

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def account() -> Account:
    return generate(sessions=300)


@pytest.fixture
def server(account: Account, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with Server(account) as running:
        monkeypatch.setattr(plivo.rest.client, "PLIVO_API_BASE_URI", f"{running.url}/v1/Account")
        yield running


@pytest.fixture
def client(server: Server) -> Iterator[Any]:
    assert server.url.startswith("http://127.0.0.1:")
    with plivo.RestClient(AUTH_ID, AUTH_TOKEN) as sdk:
        sdk.session.trust_env = False
        yield sdk


def _ninety_days() -> dict[str, str]:
    return {"session_time__gte": "2026-08-04 07:00", "session_time__lt": "2026-11-02 07:00"}


def test_it_lists_all_sessions(client: Any, account: Account) -> None:
    listed: list[str] = []
    while page := client.verify_session.list(limit=20, offset=len(listed), **_ninety_days()):
        listed += [session.session_uuid for session in page.sessions]
    assert listed == account.uuids()
    assert len(listed) == 300


@pytest.mark.parametrize(
    "asked",
    [
        {"status": "verified"},
        {"country": "BR"},
        {"alias": "Driver app"},
        {"app_uuid": "2c7f3e74-8f20-4e5d-9b80-4d3f9e60ac03"},
        {"brand_name": "Halt Pay"},
        {"app_hash": "hAltRider01"},
        {"subaccount": "SADEMO00000000000000"},
    ],
    ids=lambda asked: next(iter(asked)),
)
def test_it_filters_sessions(client: Any, server: Server, asked: dict[str, str]) -> None:
    found = client.verify_session.list(**asked, **_ninety_days())
    everything = client.verify_session.list(**_ninety_days())
    assert 0 < len(found) <= 20
    name, value = next(iter(asked.items()))
    assert server.log[0].query[name] == value
    assert [row.session_uuid for row in found.sessions] != [
        row.session_uuid for row in everything.sessions
    ]


def test_it_retrieves_a_session(client: Any, account: Account) -> None:
    key = account.uuids()[7]
    session = client.verify_session.get(key)
    assert session.session_uuid == key
    assert session.status.lower() == account.record(key)["status"].lower()


def test_it_lists_and_filters_messages(client: Any) -> None:
    bounds = {"message_time__gte": datetime(2026, 8, 4, 7), "message_time__lt": "2026-11-03 07:00"}  # noqa: DTZ001 - the SDK sends naive times, meant as UTC
    listed: list[Any] = []
    while page := client.messages.list(limit=20, offset=len(listed), **bounds).objects:
        listed += page
    inbound = client.messages.list(message_direction="inbound", **bounds).objects
    undelivered = client.messages.list(message_state="undelivered", **bounds).objects
    assert len(listed) > 250
    assert {message.message_direction for message in inbound} == {"inbound"}
    assert {message.message_state for message in undelivered} == {"undelivered"}
    assert {message.message_uuid for message in inbound} < {
        message.message_uuid for message in listed
    }


def test_it_reads_refusals(client: Any, server: Server) -> None:
    with pytest.raises(plivo.exceptions.ResourceNotFoundError, match="not found"):
        client.verify_session.get("no-such-session")
    with pytest.raises(plivo.exceptions.ValidationError, match="session_time__gt should be"):
        client.verify_session.list(session_time__gt="yesterday")
    server.limiter = FixedWindow(0)
    with pytest.raises(plivo.exceptions.PlivoRestError, match="429"):
        client.verify_session.list()


def test_it_is_refused_with_another_token(server: Server) -> None:
    with (
        plivo.RestClient(AUTH_ID, "another") as sdk,
        pytest.raises(plivo.exceptions.AuthenticationError, match="Failed to authenticate"),
    ):
        sdk.verify_session.list()
    assert server.log[-1].status == 401


def test_no_session_is_an_empty_page(client: Any, account: Account) -> None:
    account.now = datetime(2030, 1, 1, tzinfo=UTC)
    assert len(client.verify_session.list()) == 0
