"""End to end: what is read over HTTP, counted and reported agrees with the account's own books."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

import plivo_analysis as pva
from plivo_analysis.emulator import generate
from plivo_analysis.emulator.account import DEFAULT_NOW as NOW

if TYPE_CHECKING:
    from collections.abc import Callable

    from plivo_analysis.emulator import Account, Server

    Serve = Callable[..., Server]
    Connect = Callable[..., pva.Client]

SINCE = NOW - timedelta(days=31)


@pytest.fixture(scope="module")
def account() -> Account:
    return generate(sessions=6000, seed=7)


@pytest.fixture
def sessions(account: Account, serve: Serve, connect: Connect) -> Any:
    return pva.load_sessions(since=SINCE, until=NOW, client=connect(serve(account)))


def records(frame: Any) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = (
        frame.to_dicts() if hasattr(frame, "to_dicts") else frame.to_dict("records")
    )
    return rows


@pytest.mark.parametrize("backend", ["polars", "pandas"])
def test_spend_by_day_and_channel_is_the_accounts_own(
    backend: str, account: Account, serve: Serve, connect: Connect
) -> None:
    client = connect(serve(account))
    frame = pva.load_sessions(since=SINCE, until=NOW, client=client, backend=backend)
    truth = account.expected(SINCE, NOW)
    spent = {
        (row["period"].date(), row["channel"]): row["amount"]
        for row in records(pva.spend(frame, every="1d"))
        if row["amount"] is not None and row["amount"] == row["amount"]
    }
    booked = {place: amount for place, amount in truth.lines.items() if amount}
    assert {place: amount for place, amount in spent.items() if amount} == booked
    assert sum(spent.values(), Decimal(0)) == truth.spend


def test_fallback_by_entry_channel_is_the_accounts_own(sessions: Any, account: Account) -> None:
    truth = account.expected(SINCE, NOW)
    rows = records(pva.fallback_rates(sessions))
    assert {row["entry_channel"]: row["sessions"] for row in rows if row["sessions"]} == {
        entry: number for entry, number in truth.evaluable.items() if number
    }
    assert {row["entry_channel"]: row["fell_back"] for row in rows if row["fell_back"]} == {
        entry: number for entry, number in truth.fell_back.items() if number
    }
    assert sum(row["not_evaluable"] for row in rows) == truth.not_evaluable


def test_success_and_cost_are_the_accounts_own(sessions: Any, account: Account) -> None:
    truth = account.expected(SINCE, NOW)
    (rates,) = records(pva.success_rates(sessions))
    assert (rates["sessions"], rates["settled"], rates["open"], rates["verified"]) == (
        truth.sessions,
        truth.settled,
        truth.open,
        truth.verified,
    )
    (cost,) = records(pva.cost_per_verified(sessions))
    assert cost["total_charge"] == truth.settled_spend
    assert cost["waste"] == truth.settled_spend - truth.verified_spend


def test_the_report_shows_the_accounts_own_numbers(sessions: Any, account: Account) -> None:
    truth = account.expected(SINCE, NOW)
    report = pva.cost_report(sessions, period=(SINCE, NOW))
    assert f"${truth.spend:,.2f}" in report.html
    assert f"{truth.sessions:,}" in report.html
    by_line = {row["channel"]: row["amount"] for row in records(pva.spend(sessions))}
    for name, amount in by_line.items():
        assert truth.line(name) == (amount or 0)
