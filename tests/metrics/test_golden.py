"""The golden records, read as records are, give every golden answer."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import plivo_analysis as pva
from plivo_analysis.api.columns import SESSIONS
from plivo_analysis.parsing.sessions import read_session
from plivo_analysis.tables.convert import from_rows

GOLDEN = Path(__file__).parents[1] / "golden"
EXPECTED = json.loads((GOLDEN / "expected.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def sessions() -> Any:
    records = json.loads((GOLDEN / "sessions.json").read_text(encoding="utf-8"))["sessions"]
    return from_rows([read_session(record).row or {} for record in records], SESSIONS)


def assert_row(row: dict[str, Any], expected: dict[str, Any]) -> None:
    for name, value in expected.items():
        if isinstance(value, str):
            assert row[name] == Decimal(value), name
            assert f"{row[name]:f}" == value, name
        elif isinstance(value, float):
            assert row[name] == pytest.approx(value, abs=1e-12), name
        else:
            assert row[name] == value, name


def by_first_column(frame: Any) -> dict[str, dict[str, Any]]:
    return {row[frame.columns[0]]: row for row in frame.to_dicts()}


def test_overall_fallback_is_the_golden_one(sessions: Any) -> None:
    (row,) = pva.fallback_rates(sessions, by=()).to_dicts()
    assert_row(row, EXPECTED["fallback_rates_overall"])


def test_overall_success_is_the_golden_one(sessions: Any) -> None:
    (row,) = pva.success_rates(sessions).to_dicts()
    assert_row(row, EXPECTED["success_rates"])


def test_overall_cost_is_the_golden_one(sessions: Any) -> None:
    (row,) = pva.cost_per_verified(sessions).to_dicts()
    assert_row(row, EXPECTED["cost_per_verified"])


@pytest.mark.parametrize(
    ("metric", "answer"),
    [
        ("fallback_rates", "fallback_rates_by_entry_channel"),
        ("spend", "spend"),
        ("attempt_outcomes", "attempt_outcomes"),
        ("channel_paths", "channel_paths"),
    ],
)
def test_groups_are_the_golden_ones(sessions: Any, metric: str, answer: str) -> None:
    rows = by_first_column(getattr(pva, metric)(sessions))
    assert rows.keys() == EXPECTED[answer].keys()
    for name, expected in EXPECTED[answer].items():
        assert_row(rows[name], expected)


def test_only_the_derived_charge_is_to_reconcile(sessions: Any) -> None:
    rows = pva.reconcile(sessions).select("session_uuid", "unpriced_attempts", "reasons").rows()
    assert rows == [("05b7d253-b549-539e-b3e9-8779e35be76b", 0, ["derived"])]


def test_the_entry_channel_is_of_the_earliest_attempt_not_of_the_first_listed(
    sessions: Any,
) -> None:
    attempts = pva.explode_attempts(sessions)
    one = attempts.filter(session_uuid="77bcb751-4fdf-54b1-a6e5-8fd92979d36c")
    assert one["channel"].to_list() == ["sms", "voice"]
    assert one["entry_channel"].to_list() == ["sms", "sms"]
    assert one["charge"].to_list() == [Decimal("0.08"), Decimal("0.033")]


def test_flat_columns_agree_with_the_exploded_ones(sessions: Any) -> None:
    attempts = pva.explode_attempts(sessions)
    first = attempts.filter(attempt_number=1)
    assert first["entry_channel"].to_list() == first["channel"].to_list()
    assert first["attempts"].to_list() == sessions["attempts"].to_list()
