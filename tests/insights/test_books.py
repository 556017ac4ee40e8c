"""Insights of a pulled account against what its emulator knows of it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import plivo_analysis as pva

if TYPE_CHECKING:
    from collections.abc import Iterator

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


@pytest.fixture(scope="module")
def halves(account: Account, sessions: pl.DataFrame) -> list[tuple[pl.DataFrame, Any]]:
    """The sessions before and after a moment, each with what the account expects of them."""
    moment = account.now - timedelta(days=25)
    began = pl.col("created_at")
    return [
        (sessions.filter(began < moment), account.expected(until=moment)),
        (sessions.filter(began >= moment), account.expected(since=moment)),
    ]


def test_what_changed_is_the_difference_of_the_accounts_own(
    halves: list[tuple[pl.DataFrame, Any]],
) -> None:
    (before, was), (after, now) = halves
    (row,) = pva.compare(before, after).to_dicts()
    rates = [truth.verified / truth.settled for truth in (was, now)]
    evaluable = [sum(truth.evaluable.values()) for truth in (was, now)]
    fell_back = [
        sum(truth.fell_back.values()) / number
        for truth, number in zip((was, now), evaluable, strict=True)
    ]
    assert [row["sessions_before"], row["sessions_after"]] == [was.sessions, now.sessions]
    assert [row["success_rate_before"], row["success_rate_after"]] == rates
    assert row["success_rate_change"] == pytest.approx(rates[1] - rates[0], abs=1e-15)
    assert [row["fallback_rate_before"], row["fallback_rate_after"]] == fell_back
    assert row["spend_change"] == now.spend - was.spend != 0
    costs = [truth.settled_spend / truth.verified for truth in (was, now)]
    change = row["cost_per_verified_change"]
    assert change == (costs[1] - costs[0]).quantize(Decimal("0.00000001"))
    assert row["cost_per_verified_change_low"] < change < row["cost_per_verified_change_high"]


@pytest.mark.filterwarnings("ignore:.*have no total yet:plivo_analysis.errors.PlivoAnalysisWarning")
@pytest.mark.parametrize("by", [(), ("entry_channel", "destination_country_iso2"), ("alias",)])
def test_the_parts_of_a_change_of_spend_make_up_that_of_the_account(
    by: tuple[str, ...], halves: list[tuple[pl.DataFrame, Any]]
) -> None:
    (before, was), (after, now) = halves
    assert sum(pva.cost_bridge(before, after, by)["amount"]) == now.spend - was.spend


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
