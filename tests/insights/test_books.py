"""Insights of a pulled account against what its emulator knows of it."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

import plivo_analysis as pva

if TYPE_CHECKING:
    from collections.abc import Iterator

    import polars as pl

    from plivo_analysis.demo_account import DemoClient
    from plivo_analysis.emulator import Account


@pytest.fixture(scope="module")
def client() -> Iterator[DemoClient]:
    with pva.demo(sessions=3000, seed=4) as client:
        yield client


@pytest.fixture(scope="module")
def account(client: DemoClient) -> Account:
    return client.server.account


@pytest.fixture(scope="module")
def sessions(client: DemoClient) -> pl.DataFrame:
    return pva.load_sessions(since="90d", client=client, progress=False)


def test_journeys_are_the_accounts_own(account: Account, sessions: pl.DataFrame) -> None:
    truth = account.expected().journeys
    found = pva.journeys(sessions)
    assert found.height == truth.journeys < truth.sessions == found["sessions"].sum()
    assert found["verified"].sum() == truth.verified
    assert found["open"].sum() == truth.open > 0
    assert sum(found["total_charge"].drop_nulls(), Decimal(0)) == truth.spend
    assert (found["unpriced"] > 0).sum() == truth.unpriced
    rates = pva.journey_rates(sessions).to_dicts()[0]
    assert (rates["journeys"], rates["settled"]) == (truth.journeys, truth.settled)
    each = (truth.settled_spend / truth.verified).quantize(Decimal("0.00000001"))
    assert rates["cost_per_verified_journey"] == each


def test_waits_are_the_accounts_own(account: Account, sessions: pl.DataFrame) -> None:
    truth = account.expected().waits
    found = {
        (row["previous_channel"], row["channel"], row["wait"]): row
        for row in pva.waits(sessions).to_dicts()
    }
    assert found.keys() == truth.keys()
    for step, expected in truth.items():
        row = found[step]
        assert (row["steps"], row["verified"]) == (expected.steps, expected.verified)
        assert row["median_seconds"] == float(expected.median_seconds)


def test_receipts_are_the_accounts_own(account: Account, sessions: pl.DataFrame) -> None:
    cells = [
        "delivered_verified",
        "delivered_expired",
        "failed_verified",
        "failed_expired",
        "pending",
    ]
    found: dict[Any, Any] = {
        row["destination_network"]: {cell: row[cell] for cell in cells if row[cell]}
        for row in pva.receipts(sessions).to_dicts()
    }
    assert found == account.expected().receipts
    assert sum(told.get("failed_verified", 0) for told in found.values()) > 0


def test_delivery_times_are_the_accounts_own(client: DemoClient, account: Account) -> None:
    truth = account.expected_deliveries()
    messages = pva.load_messages(since="90d", client=client, progress=False)
    found = {row["destination_network"]: row for row in pva.delivery_times(messages).to_dicts()}
    assert found.keys() == truth.keys()
    for network, expected in truth.items():
        row = found[network]
        for count in ("messages", "unfinished", "untimed"):
            assert row[count] == getattr(expected, count)
        for quantile in ("queue_p50", "queue_p95", "delivery_p50", "delivery_p95"):
            seconds = getattr(expected, quantile)
            assert row[quantile] == (None if seconds is None else float(seconds))
