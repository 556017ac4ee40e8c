from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

import plivo_analysis as pva
from plivo_analysis.api.columns import SESSIONS
from plivo_analysis.api.vocabulary import OUTCOMES
from plivo_analysis.errors import SchemaError
from plivo_analysis.tables.convert import from_rows
from plivo_analysis.tables.exploded_columns import ATTEMPTS, CHARGES

AT = datetime(2026, 3, 1, 10, tzinfo=UTC)


def attempt(uuid: str | None, seconds: int | None = 0, **fields: Any) -> dict[str, Any]:
    time = None if seconds is None else AT + timedelta(seconds=seconds)
    return {"channel": "sms", "attempt_uuid": uuid, "status": "sent", "time": time} | fields


def charge(uuid: str | None, amount: str | None, channel: str | None = "sms") -> dict[str, Any]:
    value = None if amount is None else Decimal(amount)
    return {"attempt_uuid": uuid, "channel": channel, "charge": value}


def session(*tried: Any, charges: Any = (), total: str | None = None, **fields: Any) -> Any:
    return (
        dict.fromkeys(SESSIONS.names)
        | {
            "session_uuid": "s",
            "attempt_details": list(tried),
            "attempt_charges": list(charges),
            "total_charge": None if total is None else Decimal(total),
            "validation_charge": Decimal(0),
            "created_at": AT,
        }
        | fields
    )


def attempts_of(*rows: Any) -> pl.DataFrame:
    frame: pl.DataFrame = pva.explode_attempts(from_rows(rows, SESSIONS))
    return frame


def lines_of(*rows: Any) -> list[Any]:
    lines = pva.explode_charges(from_rows(rows, SESSIONS))
    return list(lines.select("line", "channel", "attempt_uuid", "amount", "note").rows())


def amount(text: str) -> Decimal:
    return Decimal(text).quantize(Decimal("1E-8"))


def test_attempts_are_in_order_of_time_ties_as_listed_those_without_time_last() -> None:
    tried = attempts_of(
        session(
            attempt("none", None),
            attempt("b", 5),
            attempt("a", 5),
            attempt("first", 1),
            attempt("nor this", None),
        )
    )
    assert tried["attempt_uuid"].to_list() == ["first", "b", "a", "none", "nor this"]
    assert tried["attempt_number"].to_list() == [1, 2, 3, 4, 5]
    assert tried["attempts"].to_list() == [5] * 5


def test_a_session_listed_in_order_and_one_that_is_not_keep_apart() -> None:
    rows = [
        session(attempt("b", 2), attempt("a", 1), session_uuid="x"),
        session(attempt("c"), charges=[charge("c", "1")], session_uuid="y"),
        session(attempt("d", 3), attempt(None, 2), session_uuid="z"),
    ]
    tried = attempts_of(*rows)
    assert tried["session_uuid"].to_list() == ["x", "x", "y", "z", "z"]
    assert tried["attempt_uuid"].to_list() == ["a", "b", "c", None, "d"]


def test_attempts_equal_in_every_field_count_once_and_so_do_charges() -> None:
    tried = [attempt("a"), attempt("b", 1), attempt("a")]
    billed = [charge("a", "0.08"), charge("b", "0.03"), charge("a", "0.08")]
    row = session(*tried, charges=billed, total="0.11")
    assert attempts_of(row)["attempt_uuid"].to_list() == ["a", "b"]
    assert lines_of(row) == [
        ("attempt", "sms", "a", amount("0.08"), None),
        ("attempt", "sms", "b", amount("0.03"), None),
        ("validation", None, None, amount("0"), None),
        ("unallocated", None, None, amount("0"), None),
    ]


def test_equal_charge_rows_without_an_id_are_two_lines() -> None:
    row = session(charges=[charge(None, "0.08"), charge(None, "0.08")], total="0.16")
    assert [line[3] for line in lines_of(row) if line[0] == "orphan"] == [amount("0.08")] * 2
    assert lines_of(row)[-1][3] == 0
    spent = pva.spend(from_rows([row], SESSIONS)).select("channel", "amount").rows()
    assert ("sms", amount("0.16")) in spent


@pytest.mark.parametrize("uuid", [None, "", " "])
def test_equal_attempts_without_an_id_are_two_attempts(uuid: str | None) -> None:
    row = session(attempt(uuid), attempt(uuid), attempt("a", 1), attempt("a", 1), count=3)
    assert attempts_of(row)["attempt_uuid"].to_list() == [uuid, uuid, "a"]
    assert "count_differs" not in pva.reconcile(from_rows([row], SESSIONS))["reasons"].item()


def test_lines_are_numbered_within_their_session() -> None:
    rows = [
        session(attempt("a"), attempt("b", 1), session_uuid="x", total="0"),
        session(charges=[charge("c", "1")], session_uuid="y"),
    ]
    lines = pva.explode_charges(from_rows(rows, SESSIONS))
    assert lines.select("session_uuid", "line_number", "line").rows() == [
        ("x", 1, "attempt"),
        ("x", 2, "attempt"),
        ("x", 3, "validation"),
        ("x", 4, "unallocated"),
        ("y", 1, "orphan"),
        ("y", 2, "validation"),
    ]


def test_of_two_attempts_with_one_uuid_the_earlier_takes_the_first_charge() -> None:
    tried = [attempt("a", 9), attempt("a", 1, status="failed")]
    billed = [charge("a", "0.08"), charge("a", "0.03")]
    row = session(*tried, charges=billed, total="0.11")
    assert attempts_of(row).select("status", "charge").rows() == [
        ("failed", amount("0.08")),
        ("sent", amount("0.03")),
    ]
    reasons = pva.reconcile(from_rows([row], SESSIONS))["reasons"].to_list()
    assert reasons == [["duplicate_attempt"]]


@pytest.mark.parametrize("uuid", [None, "", "  "])
def test_a_blank_uuid_matches_nothing(uuid: str | None) -> None:
    row = session(attempt(uuid), charges=[charge(uuid, "0.08")], validation_charge=None)
    assert lines_of(row) == [
        ("attempt", "sms", uuid, None, None),
        ("orphan", "sms", uuid, amount("0.08"), "orphan"),
    ]


def test_a_charge_is_matched_within_its_session_only() -> None:
    rows = [
        session(attempt("a"), charges=[charge("b", "1")], session_uuid="x"),
        session(attempt("b"), charges=[charge("a", "2")], session_uuid="y"),
    ]
    assert attempts_of(*rows)["charge"].to_list() == [None, None]


def test_the_attempts_channel_wins_and_the_line_says_so() -> None:
    row = session(attempt("a"), charges=[charge("a", "0.08", "call")], total="0.08")
    assert lines_of(row)[0] == ("attempt", "sms", "a", amount("0.08"), "channel_differs")


def test_another_spelling_of_the_same_channel_does_not_differ() -> None:
    row = session(attempt("a", channel="Call"), charges=[charge("a", "0.08", "voice")])
    assert lines_of(row)[0] == ("attempt", "voice", "a", amount("0.08"), None)


@pytest.mark.parametrize(
    ("total", "validation", "charges", "derived"),
    [
        ("0.113", "0", [charge("a", "0.08")], "0.033"),
        ("0.113", "0.01", [charge("a", "0.08")], "0.023"),
        ("0.113", "0", [charge("a", "0.08"), charge("b", None)], "0.033"),
        ("0.113", "0", [charge("a", "0.08"), charge("c", "0.03")], "0.003"),
        ("0.08", "0", [charge("a", "0.08")], None),
        ("0.07", "0", [charge("a", "0.08")], None),
        ("0.113", None, [charge("a", "0.08")], None),
        (None, "0", [charge("a", "0.08")], None),
        ("0.113", "0", [], None),
    ],
)
def test_a_charge_is_derived_only_for_a_lone_gap_with_money_left(
    total: str | None, validation: str | None, charges: Any, derived: str | None
) -> None:
    row = session(
        attempt("a"),
        attempt("b", 1),
        charges=charges,
        total=total,
        validation_charge=None if validation is None else Decimal(validation),
    )
    second = attempts_of(row).filter(attempt_number=2)
    expected = None if derived is None else amount(derived)
    assert second.select("charge", "charge_note").rows() == [
        (expected, None if derived is None else "derived")
    ]
    lines = pva.explode_charges(from_rows([row], SESSIONS))
    if total is not None:
        assert lines["amount"].sum() == Decimal(total)


def test_what_no_line_names_is_unallocated_also_when_it_is_negative() -> None:
    row = session(attempt("a"), charges=[charge("a", "0.08")], total="0.05")
    assert lines_of(row)[-1] == ("unallocated", None, None, amount("-0.03"), None)


def test_a_session_without_total_or_validation_has_only_the_lines_it_has() -> None:
    row = session(attempt("a"), charges=[charge("a", "0.08")], validation_charge=None)
    assert [line[0] for line in lines_of(row)] == ["attempt"]


@pytest.mark.parametrize(("tried", "charges"), [(None, None), ([], []), (None, [])])
def test_a_session_without_attempts_has_no_attempt_but_its_money(tried: Any, charges: Any) -> None:
    row = session(total="0.05") | {"attempt_details": tried, "attempt_charges": charges}
    assert attempts_of(row).height == 0
    assert [line[0] for line in lines_of(row)] == ["validation", "unallocated"]


def test_steps_next_to_an_unknown_channel_are_indeterminate() -> None:
    words = ["sms", "SMS", None, "voice", "call", "rcs"]
    tried = attempts_of(session(*(attempt(str(n), n, channel=w) for n, w in enumerate(words))))
    assert tried.select("channel", "previous_channel", "step").rows() == [
        ("sms", None, "first"),
        ("sms", "sms", "retry"),
        ("unknown", "sms", "indeterminate"),
        ("voice", "unknown", "indeterminate"),
        ("voice", "voice", "retry"),
        ("rcs", "voice", "switch"),
    ]


@pytest.mark.parametrize("word", ["timeout", "canceled", "cancelled", "Cancelled"])
def test_a_call_that_timed_out_or_was_cancelled_reached_nobody(word: str) -> None:
    tried = attempts_of(session(attempt("a", channel="voice", status=word)))
    assert tried["outcome"].to_list() == ["not_reached"]


@pytest.mark.parametrize("word", [*OUTCOMES, "never seen"])
def test_an_outcome_is_found_however_the_status_is_spelt(word: str) -> None:
    spelt = word.upper().replace(" ", "_")
    (row,) = attempts_of(session(attempt("a", status=spelt))).to_dicts()
    assert (row["status"], row["outcome"]) == (spelt, OUTCOMES.get(word, "unknown"))


def test_ten_thousand_attempts_of_one_session_are_as_good_as_two() -> None:
    many = range(10_000)
    row = session(
        *(attempt(f"u{n}", n) for n in many),
        charges=[charge(f"u{n}", "0.00000001") for n in many],
        total="0.0001",
    )
    lines = pva.explode_charges(from_rows([row], SESSIONS))
    assert lines.height == 10_002
    assert lines.filter(line="unallocated")["amount"].to_list() == [Decimal(0)]


def test_amounts_that_no_column_holds_are_refused_rather_than_rounded() -> None:
    row = session(
        *(attempt(f"u{n}", n) for n in range(2)),
        charges=[charge(f"u{n}", "9999999999.99999999") for n in range(2)],
        total="0",
    )
    with pytest.raises(SchemaError, match="amounts of a session add up to more than 18 digits"):
        lines_of(row)


def test_tables_have_the_columns_and_types_that_the_schema_says() -> None:
    frame = from_rows([session(attempt("a"))], SESSIONS)
    assert pva.explode_attempts(frame).schema == ATTEMPTS.polars()
    assert pva.explode_charges(frame).schema == CHARGES.polars()


def test_a_doubled_session_is_refused() -> None:
    frame = from_rows([session(), session()], SESSIONS)
    for explode in (pva.explode_attempts, pva.explode_charges):
        with pytest.raises(SchemaError, match="session_uuid, comes more than once"):
            explode(frame)


def test_what_is_no_sessions_table_is_refused_with_what_it_lacks() -> None:
    with pytest.raises(
        SchemaError, match="no table of sessions: it lacks 'entry_channel'"
    ) as caught:
        pva.explode_attempts(pl.LazyFrame({"session_uuid": ["a"]}))
    assert caught.value.available == ["session_uuid"]
    assert "attempt_details" in caught.value.missing
