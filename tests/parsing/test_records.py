"""One JSON record, one clean row: a case for every oddity of the API."""

import io
import itertools
import json
import re
from datetime import UTC, datetime
from decimal import Context, Decimal, Inexact, localcontext
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from plivo_analysis.api.columns import MESSAGES, SESSIONS
from plivo_analysis.parsing import fields
from plivo_analysis.parsing.messages import read_message as _read_message
from plivo_analysis.parsing.oddities import Code, Effect
from plivo_analysis.parsing.records import Record, note
from plivo_analysis.parsing.sessions import read_session as _read_session
from plivo_analysis.parsing.strict_json import _written, canonical, measure, parse_json
from plivo_analysis.values.spans import from_us, to_us
from plivo_analysis.values.table_types import Table

GOLDEN = Path(__file__).parents[1] / "golden" / "sessions.json"
SESSION_UUID = "51e965f3-65a5-4ca0-9542-571541180091"
CREATED = "2026-03-01T10:00:00.05Z"
NUMBER = "14155550100"
HIDDEN_NUMBER = "141" + "X" * 5 + "528"


def session(**changes: Any) -> dict[str, Any]:
    """A session with two attempts and a charge for each; changed as asked."""
    record: dict[str, Any] = {
        "session_uuid": SESSION_UUID,
        "app_uuid": "59728519-d145-45d6-8d46-60c06f7e8bbb",
        "recipient": NUMBER,
        "channel": "voice",
        "status": "verified",
        "count": 2,
        "attempt_details": [
            attempt("a1", "sms", "undelivered", "2026-03-01T10:00:00.1Z"),
            attempt("a2", "voice", "ANSWER", "2026-03-01T10:00:30.1Z"),
        ],
        "charges": charges(["a1", "sms", "0.00770"], ["a2", "voice", "0.01150"]),
        "created_at": CREATED,
        "updated_at": "2026-03-01T10:00:30.1Z",
    }
    return record | changes


def attempt(uuid: str, channel: str, status: str, time: str | None) -> dict[str, Any]:
    return {"channel": channel, "attempt_uuid": uuid, "status": status, "time": time}


def charges(*rows: list[str], total: object = "0.0192", validation: object = "0") -> dict[str, Any]:
    names = ("attempt_uuid", "channel", "charge")
    return {
        "total_charge": total,
        "validation_charge": validation,
        "attempt_charges": [dict(zip(names, row, strict=True)) for row in rows],
    }


def message(**changes: Any) -> dict[str, Any]:
    record: dict[str, Any] = {
        "message_uuid": "85ce8068-6fab-4f0a-9dc7-d6c852cdde91",
        "message_time": "2026-03-01 15:30:00+05:30",
        "message_direction": "outbound",
        "message_state": "failed",
        "message_type": "sms",
        "from_number": "12025550143",
        "to_number": NUMBER,
        "units": 1,
        "total_rate": "0.00350",
        "total_amount": "0.00000",
        "error_code": "000",
        "resource_uri": "/v1/Account/MA/Message/85ce8068-6fab-4f0a-9dc7-d6c852cdde91/",
    }
    return record | changes


def over_the_wire(record: object) -> object:
    """The record as the parser gives it, so that every case is one that can arrive."""
    return parse_json(canonical(record).encode())


def read_session(record: object) -> Record:
    return _read_session(over_the_wire(record))


def read_message(record: object) -> Record:
    return _read_message(over_the_wire(record))


def row_of(record: Record) -> dict[str, Any]:
    assert record.row is not None, record.notes
    return record.row


def codes(record: Record) -> list[str]:
    return [one.code for one in record.notes]


def test_an_ordinary_session_gives_every_column_and_no_note() -> None:
    record = read_session(session())
    row = row_of(record)
    assert list(row) == SESSIONS.names
    assert record.notes == ()
    assert record.key == row["session_uuid"] == SESSION_UUID
    assert row["created_at"] == datetime(2026, 3, 1, 10, 0, 0, 50_000, UTC)
    assert record.instant == to_us(row["created_at"])
    assert row["attempts"] == row["count"] == 2
    assert (row["entry_channel"], row["path"], row["channel"]) == ("sms", "sms → voice", "voice")
    assert [one["status"] for one in row["attempt_details"]] == ["undelivered", "answer"]
    assert row["total_charge"] == Decimal("0.0192")
    assert [one["charge"] for one in row["attempt_charges"]] == [
        Decimal("0.00770"),
        Decimal("0.01150"),
    ]
    assert row["alias"] is None
    assert row["extra"] is None


def test_an_ordinary_message_gives_every_column_and_no_note() -> None:
    record = read_message(message())
    row = row_of(record)
    assert list(row) == MESSAGES.names
    assert record.notes == ()
    assert row["message_time"] == datetime(2026, 3, 1, 10, tzinfo=UTC)
    assert record.instant == to_us(row["message_time"])
    assert row["error_code"] == "000"
    assert row["total_amount"] == 0


def test_the_golden_sessions_hold_only_what_their_labels_say() -> None:
    golden = json.loads(GOLDEN.read_text())
    noted = {
        label: codes(read_session(record))
        for label, record in zip(golden["labels"], golden["sessions"], strict=True)
    }
    assert noted.pop("H") == ["attempts_unordered"]
    assert noted.pop("I") == ["charges_differ"]
    assert set(itertools.chain(*noted.values())) == set()


def test_golden_paths_follow_the_order_of_time() -> None:
    golden = json.loads(GOLDEN.read_text())["sessions"]
    assert [row_of(read_session(record))["path"] for record in golden] == [
        "sms",
        "voice → sms → voice",
        "sms",
        "sms → voice",
        "sms → voice",
        "sms → sms",
        "sms",
        "sms → voice",
        "sms → voice",
        "sms → unknown",
        "sms",
        "sms",
    ]


# Money


@pytest.mark.parametrize(
    "text",
    ["0", "0.08", "0.113", "0.07100", "0.0000", "0.000000", "00.5", "999999999.99999999"],
)
def test_money_keeps_every_digit_of_a_text(text: str) -> None:
    amount, code = fields.money(text)
    assert str(amount) == str(Decimal(text))
    assert code is None


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "abc",
        "NaN",
        "sNaN",
        "Infinity",
        "1E+400",
        "1e-2",
        "1_000",
        "\uff11.\uff15",
        "\u0661.\u0665",
        "$0.08",
        "0,08",
        " 0.08",
        "0.08\n",
        "+0.08",
        ".5",
        "5.",
        "0.000000001",
        "0.123456789012",
        "1234567890",
        True,
        [],
        {},
        10**9,
        -(10**9),
        Decimal("1E+400"),
        Decimal("1E-9"),
        Decimal("0.123456789"),
        Decimal("999999999.999999999"),
        Decimal("NaN"),
        0.5,
    ],
)
def test_money_that_is_not_exactly_an_amount_is_null_and_noted(value: object) -> None:
    assert fields.money(value) == (None, Code.MONEY_UNREADABLE)


@pytest.mark.parametrize(
    ("value", "amount", "code"),
    [
        ("-0.05", "-0.05", Code.MONEY_NEGATIVE),
        ("-0", "0", Code.MONEY_NEGATIVE),
        (0, "0", Code.MONEY_NUMBER),
        (3, "3", Code.MONEY_NUMBER),
        (-3, "-3", Code.MONEY_NEGATIVE),
        (Decimal("0.0800"), "0.08", Code.MONEY_NUMBER),
        (Decimal("1E-2"), "0.01", Code.MONEY_NUMBER),
        (Decimal("1E+2"), "100", Code.MONEY_NUMBER),
        (Decimal("0.1200000000"), "0.12", Code.MONEY_NUMBER),
        (Decimal("0E+999"), "0", Code.MONEY_NUMBER),
        (Decimal("-1E-8"), "-0.00000001", Code.MONEY_NEGATIVE),
    ],
)
def test_unusual_money_is_kept_exactly_and_noted(value: object, amount: str, code: Code) -> None:
    assert fields.money(value) == (Decimal(amount), code)


@given(st.decimals(-999_999_999, 999_999_999, places=8) | st.integers(-(10**9) + 1, 10**9 - 1))
def test_money_text_is_the_identity(amount: Decimal | int) -> None:
    text = f"{amount:f}" if isinstance(amount, Decimal) else str(amount)
    assert fields.money(text)[0] == Decimal(text)
    on_the_wire = parse_json(text.encode())
    assert fields.money(on_the_wire)[0] == Decimal(text)


def test_money_does_not_depend_on_the_context_of_the_caller() -> None:
    with localcontext(Context(prec=3, traps=[Inexact])):
        assert fields.money(Decimal("123456.1200000000"))[0] == Decimal("123456.12")
        assert fields.money("123456.12345678")[0] == Decimal("123456.12345678")


# Time

TEN = datetime(2026, 3, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-01T10:00:00Z", TEN),
        ("2026-03-01 10:00:00Z", TEN),
        ("2026-03-01T10:00:00+00:00", TEN),
        ("2026-03-01T10:00:00-00:00", TEN),
        ("2026-03-01 15:30:00+05:30", TEN),
        ("2026-03-01T15:53:28+05:53", TEN.replace(second=28)),
        ("2026-02-28T22:00:00-12:00", TEN),
        ("2026-03-01T10:00:00.5Z", TEN.replace(microsecond=500_000)),
        ("2026-03-01T10:00:00.05Z", TEN.replace(microsecond=50_000)),
        ("2026-03-01T10:00:00.123Z", TEN.replace(microsecond=123_000)),
        ("2026-03-01T15:30:00.4336+05:30", TEN.replace(microsecond=433_600)),
        ("2026-03-01T15:30:00.85376+05:30", TEN.replace(microsecond=853_760)),
        ("2026-03-01T10:00:00.999999Z", TEN.replace(microsecond=999_999)),
        ("1970-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
        ("2024-02-29T00:00:00Z", datetime(2024, 2, 29, tzinfo=UTC)),
        ("2261-12-31T23:59:59Z", datetime(2261, 12, 31, 23, 59, 59, tzinfo=UTC)),
    ],
)
def test_times_are_read_to_the_instant(text: str, instant: datetime) -> None:
    assert fields.time(text) == (instant, None)
    found = fields.time(text)[0]
    assert found is not None
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "microsecond"),
    [
        ("2026-03-01T10:00:00.1234567Z", 123_456),
        ("2026-03-01T10:00:00.12345678Z", 123_456),
        ("2026-03-01T10:00:00.999999999Z", 999_999),
    ],
)
def test_a_long_fraction_is_cut_never_rounded(text: str, microsecond: int) -> None:
    assert fields.time(text) == (TEN.replace(microsecond=microsecond), Code.TIME_CUT)


def test_a_time_without_an_offset_is_utc_and_noted() -> None:
    assert fields.time("2026-03-01 10:00:00") == (TEN, Code.TIME_NAIVE)


@pytest.mark.parametrize(
    "text",
    [
        "0001-01-01T05:53:28+05:53",
        "0001-01-01T00:00:00Z",
        "0001-01-01 00:00:00",
        "0000-12-31T19:03:58-04:56",
    ],
)
def test_the_zero_date_is_no_time_and_no_alarm(text: str) -> None:
    assert fields.time(text) == (None, Code.TIME_ZERO)
    assert Code.TIME_ZERO.effect is Effect.KEPT


@pytest.mark.parametrize("text", ["", "  "])
def test_a_blank_time_is_null(text: str) -> None:
    assert fields.time(text) == (None, None)


@pytest.mark.parametrize(
    "value",
    [
        "2026-03-01",
        "2026-03-01T10:00",
        "2026-03-01T10:00Z",
        "2026-03-01T10:00:00.Z",
        "2026-03-01T10:00:00.1234567890Z",
        "2026-03-01T10:00:60Z",
        "2026-03-01T24:00:00Z",
        "2026-03-01T10:60:00Z",
        "2026-02-30T10:00:00Z",
        "2025-02-29T10:00:00Z",
        "2026-13-01T10:00:00Z",
        "2026-W09-7T10:00:00Z",
        "2023-W22-4",
        "2026-060T10:00:00Z",
        "20260301T100000Z",
        "2026-03-01T10:00:00+0530",
        "2026-03-01T10:00:00+05",
        "2026-03-01T10:00:00+25:00",
        "2026-03-01T10:00:00+05:60",
        "2026-03-01T10:00:00 UTC",
        "2026-03-01T10:00:00z",
        "2026-03-01t10:00:00Z",
        "2026-03-01  10:00:00Z",
        "2026-03-01T10:00:00Z\n",
        "2026/03/01 10:00:00",
        "\u0662\u0660\u0662\u0666-03-01T10:00:00Z",
        "9999-12-31T23:59:59-01:00",
        "9999-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "2262-01-01T00:00:00Z",
        "2026-03-01 10:00:00 +0000",
        "2026-03-01 10:00:00 UTC",
        "2026-03-01 10:00:00 +0000 utc",
        "2026-03-01 10:00:00 +00:00 UTC",
        "2026-03-01 10:00:00 +0060 UTC",
        "999999999",
        str(1_772_359_200 * 10),
        "-1772359200",
        " 1772359200",
        1772359200.5,
        Decimal("1e11"),
        Decimal("1772359200.0000000001"),
        Decimal("1e999999"),
        Decimal("-1e-999999"),
        Decimal("NaN"),
        9_999_999_999,
        10**400,
        True,
        [],
    ],
)
def test_what_is_not_one_instant_is_null_and_noted(value: object) -> None:
    assert fields.time(value) == (None, Code.TIME_UNREADABLE)


@pytest.mark.parametrize(
    ("value", "microsecond", "code"),
    [
        ("2026-03-01 10:00:00.5 +0000 UTC", 500_000, Code.TIME_FORM),
        ("2026-03-01 15:30:00.05 +0530 IST", 50_000, Code.TIME_FORM),
        ("2026-03-01 15:30:00 +0530 +0530", 0, Code.TIME_FORM),
        ("2026-03-01 05:00:00.123456789 -0500 EST", 123_456, Code.TIME_CUT),
        ("1772359200", 0, Code.TIME_UNIX),
        (1772359200, 0, Code.TIME_UNIX),
        (Decimal("1772359200.5"), 500_000, Code.TIME_UNIX),
        (Decimal("1.7723592E+9"), 0, Code.TIME_UNIX),
        ("1772359200.123456789", 123_456, Code.TIME_UNIX),
        (str(1_772_359_200_050), 50_000, Code.TIME_UNIX),
        (1772359200999, 999_000, Code.TIME_UNIX),
    ],
)
def test_a_time_in_another_form_that_can_mean_one_instant_only_is_read_and_noted(
    value: object, microsecond: int, code: Code
) -> None:
    assert fields.time(value) == (TEN.replace(microsecond=microsecond), code)


@pytest.mark.parametrize("value", [0, "0", -62135596800, "0001-01-01 00:00:00 +0000 UTC"])
def test_the_zero_of_other_forms_is_no_time_either(value: object) -> None:
    assert fields.time(value) == (None, Code.TIME_ZERO)


@given(st.integers(10**15, 9 * 10**15))
def test_a_unix_number_is_exact_to_the_microsecond(us: int) -> None:
    seconds = Decimal(us).scaleb(-6)
    assert fields.time(seconds) == fields.time(f"{seconds:f}") == (from_us(us), Code.TIME_UNIX)


@given(
    st.datetimes(datetime(1971, 1, 1), datetime(2260, 1, 1)),  # noqa: DTZ001 - the offset is drawn
    st.integers(-14 * 60, 14 * 60),
    st.sampled_from("T "),
)
def test_a_time_in_any_offset_is_the_same_instant(
    wall: datetime, minutes: int, between: str
) -> None:
    sign = "-" if minutes < 0 else "+"
    offset = f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    text = wall.isoformat(sep=between) + offset
    found, code = fields.time(text)
    assert code is None
    assert found == datetime.fromisoformat(text)


# Telephone numbers


@pytest.mark.parametrize(
    ("value", "kept", "code"),
    [
        (NUMBER, NUMBER, None),
        (f"+{NUMBER}", NUMBER, None),
        (f" {NUMBER} ", NUMBER, None),
        ("2025550143", "2025550143", None),
        (HIDDEN_NUMBER, HIDDEN_NUMBER, None),
        ("14155550***", "14155550***", None),
        ("", None, None),
        ("   ", None, None),
        ("0012025550143", "0012025550143", Code.NUMBER_ODD),
        ("+0012025550143", "0012025550143", Code.NUMBER_ODD),
        ("1234567890123456", "1234567890123456", Code.NUMBER_ODD),
        ("+1 (202) 555-0143", "+1 (202) 555-0143", Code.NUMBER_ODD),
        ("call me", "call me", Code.NUMBER_ODD),
        ("12025550143.0", "12025550143.0", Code.NUMBER_ODD),
        ("1.2025550143E10", "1.2025550143E10", Code.NUMBER_ODD),
        ("\u0661\u0662\u0660\u0662", "\u0661\u0662\u0660\u0662", Code.NUMBER_ODD),
        ("1202\x00", None, Code.TEXT_UNSTORABLE),
        (14155550100, NUMBER, Code.NUMBER_FROM_INT),
        (Decimal("14155550100.0"), None, Code.NUMBER_UNREADABLE),
        (Decimal("1E+12"), None, Code.NUMBER_UNREADABLE),
        (10**15, None, Code.NUMBER_UNREADABLE),
        (-14155550100, None, Code.NUMBER_UNREADABLE),
        (True, None, Code.NUMBER_UNREADABLE),
        ([NUMBER], None, Code.NUMBER_UNREADABLE),
    ],
)
def test_a_number_is_text_and_never_guessed(
    value: object, kept: str | None, code: Code | None
) -> None:
    assert fields.number(value) == (kept, code)


@pytest.mark.parametrize(
    ("value", "kept"),
    [("PLVRFY", "PLVRFY"), ("+12025550143", "12025550143"), ("58671", "58671"), (" ", None)],
)
def test_a_sender_may_be_a_name(value: str, kept: str | None) -> None:
    assert fields.sender(value) == (kept, None)


def test_a_long_hostile_number_is_read_in_no_time() -> None:
    record = read_session(session(recipient="X" * 60_000 + "!"))
    assert codes(record) == ["number_odd"]


# Other fields


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("in-progress", "in-progress"),
        ("EARLY MEDIA", "early media"),
        (" Expired\n", "expired"),
        ("No_Answer", "no_answer"),
        ("ÉCHEC", "échec"),
        ("rcs", "rcs"),
        ("", None),
        (" \t", None),
    ],
)
def test_a_word_is_the_wires_own_trimmed_and_lower_cased(value: str, kept: str | None) -> None:
    assert fields.word(value) == (kept, None)


@pytest.mark.parametrize("value", [7, Decimal("1.5"), True, [], {"a": 1}])
def test_a_status_that_is_no_text_is_null_and_noted(value: object) -> None:
    record = read_session(session(status=value))
    assert row_of(record)["status"] is None
    assert [(one.code, one.path) for one in record.notes] == [("text_unreadable", "status")]


@pytest.mark.parametrize(
    "name",
    [
        " Acme ",
        "Acme 🚗",
        "\u202egnp.exe",
        "e\u0301" * 200,
        "<script>alert(1)</script>",
        "$x$",
        "=cmd|' /C calc'!A0",
        "two\nlines",
        "ACME",
    ],
)
def test_a_name_is_stored_exactly(name: str) -> None:
    record = read_session(session(alias=name, destination_network=name))
    assert row_of(record)["alias"] == row_of(record)["destination_network"] == name
    assert record.notes == ()


@pytest.mark.parametrize("text", ["\ud800", "a\udfffb", "nul\x00nul", "é\x00"])
@pytest.mark.parametrize("field", ["alias", "status", "recipient", "locale", "app_uuid"])
def test_a_text_that_no_file_can_hold_is_null_and_noted(field: str, text: str) -> None:
    record = read_session(session(**{field: text}))
    row = row_of(record)
    assert row[field] is None
    assert codes(record) == ["text_unstorable"]
    record.notes[0].value.encode()
    record.raw.encode("ascii")


@pytest.mark.parametrize(
    ("value", "kept", "code"),
    [
        (3, 3, None),
        ("3", 3, None),
        (" 03 ", 3, None),
        (0, 0, None),
        (10**6, 10**6, None),
        ("", None, None),
        (10**6 + 1, None, Code.COUNT_LARGE),
        ("1000001", None, Code.COUNT_LARGE),
        (2**62, None, Code.COUNT_LARGE),
        (2**63, None, Code.COUNT_LARGE),
        (-1, None, Code.COUNT_UNREADABLE),
        ("-1", None, Code.COUNT_UNREADABLE),
        ("3.0", None, Code.COUNT_UNREADABLE),
        ("\u0663", None, Code.COUNT_UNREADABLE),
        ("9" * 19, None, Code.COUNT_UNREADABLE),
        (Decimal("3.0"), None, Code.COUNT_UNREADABLE),
        (True, None, Code.COUNT_UNREADABLE),
        ([], None, Code.COUNT_UNREADABLE),
    ],
)
def test_a_count_is_a_whole_number(value: object, kept: int | None, code: Code | None) -> None:
    assert fields.count(value) == (kept, code)


@pytest.mark.parametrize(
    ("value", "kept", "code"),
    [
        (True, True, None),
        (False, False, None),
        ("true", True, None),
        (" FALSE ", False, None),
        ("", None, None),
        ("yes", None, Code.FLAG_UNREADABLE),
        (0, None, Code.FLAG_UNREADABLE),
    ],
)
def test_a_flag_is_true_or_false(value: object, kept: bool | None, code: Code | None) -> None:
    assert fields.flag(value) == (kept, code)


@pytest.mark.parametrize(
    ("value", "kept", "noted"),
    [
        ("000", "000", []),
        ("010", "010", []),
        (" 450 ", "450", []),
        ("", None, []),
        (None, None, []),
        (200, "200", ["code_from_int"]),
        (0, "0", ["code_from_int"]),
        (Decimal("200.0"), None, ["text_unreadable"]),
        (True, None, ["text_unreadable"]),
    ],
)
def test_an_error_code_is_text_with_its_zeros(
    value: object, kept: str | None, noted: list[str]
) -> None:
    record = read_message(message(error_code=value))
    assert row_of(record)["error_code"] == kept
    assert codes(record) == noted


@pytest.mark.parametrize(
    ("changes", "column", "kept", "noted"),
    [
        ({"total_amount": None}, "total_amount", None, ["amount_missing"]),
        ({"total_amount": ""}, "total_amount", None, ["money_unreadable"]),
        ({"units": 0}, "units", 0, []),
        ({"units": "2"}, "units", 2, []),
        ({"log": True}, "log", "true", []),
        ({"log": "Content_Only"}, "log", "content_only", []),
        ({"is_domestic": "false"}, "is_domestic", False, []),
        ({"message_sent_time": ""}, "message_sent_time", None, []),
        ({"to_number": HIDDEN_NUMBER}, "to_number", HIDDEN_NUMBER, []),
        ({"from_number": "PLVSMS"}, "from_number", "PLVSMS", []),
        ({"error_message": ""}, "error_message", None, []),
        ({"carrier_fees": "0.00300"}, "carrier_fees", Decimal("0.003"), []),
        ({"cloud_rate": "0.1"}, "extra", '{"cloud_rate":"0.1"}', []),
        (
            {"conversation_expiration_timestamp": "0001-01-01T00:00:00Z"},
            "conversation_expiration_timestamp",
            None,
            ["time_zero"],
        ),
    ],
)
def test_fields_of_a_message(
    changes: dict[str, Any], column: str, kept: object, noted: list[str]
) -> None:
    record = read_message(message(**changes))
    assert row_of(record)[column] == kept
    assert codes(record) == noted


# Attempts


@pytest.mark.parametrize(("details", "kept"), [(None, None), ([], [])])
def test_a_session_without_attempts_has_no_path(details: object, kept: object) -> None:
    record = read_session(
        session(
            attempt_details=details,
            count=0,
            charges={"total_charge": "0", "validation_charge": "0", "attempt_charges": None},
            updated_at="0001-01-01T05:53:28+05:53",
        )
    )
    row = row_of(record)
    assert row["attempt_details"] == kept
    assert (row["attempts"], row["entry_channel"], row["path"]) == (0, None, None)
    assert row["updated_at"] is None
    assert codes(record) == ["time_zero"]


def test_attempts_are_read_in_order_of_time_and_kept_as_listed() -> None:
    details = [
        attempt("a1", "whatsapp", "sent", None),
        attempt("a2", "CALL", "answer", "2026-03-01T10:00:30Z"),
        attempt("a3", "sms", "sent", "2026-03-01T15:30:10+05:30"),
        attempt("a4", "", "sent", "2026-03-01T10:00:10Z"),
        attempt("a5", "rcs", "sent", None),
    ]
    record = read_session(session(attempt_details=details, count=5))
    row = row_of(record)
    assert row["path"] == "sms → unknown → voice → whatsapp → rcs"
    assert row["entry_channel"] == "sms"
    assert [one["attempt_uuid"] for one in row["attempt_details"]] == ["a1", "a2", "a3", "a4", "a5"]
    assert [one["channel"] for one in row["attempt_details"]][1:4] == ["call", "sms", None]
    assert "attempts_unordered" in codes(record)


def test_an_attempt_before_its_session_is_noted() -> None:
    details = [attempt("a1", "sms", "sent", "2026-03-01T09:59:59.05Z")]
    record = read_session(
        session(attempt_details=details, count=1, charges=charges(["a1", "sms", "0.0192"]))
    )
    assert [(one.code, one.value) for one in record.notes] == [("attempt_early", "0:00:01 before")]


def test_equal_attempts_and_charges_count_once_and_the_count_is_compared_after() -> None:
    first = attempt("a1", "sms", "sent", "2026-03-01T10:00:00.1Z")
    again = attempt("A1 ", "SMS", "Sent", "2026-03-01 15:30:00.100000+05:30")
    record = read_session(
        session(
            attempt_details=[first, again],
            count=1,
            charges=charges(["a1", "sms", "0.0192"], ["A1", "SMS", "0.01920"]),
        )
    )
    row = row_of(record)
    assert len(row["attempt_details"]) == len(row["attempt_charges"]) == row["attempts"] == 1
    assert [(one.code, one.path) for one in record.notes] == [
        ("attempt_repeated", "attempt_details[1]"),
        ("charge_repeated", "charges.attempt_charges[1]"),
    ]


def test_attempts_that_differ_under_one_id_both_stay() -> None:
    details = [
        attempt("a1", "sms", "sent", "2026-03-01T10:00:00.1Z"),
        attempt("a1", "sms", "delivered", "2026-03-01T10:00:00.1Z"),
    ]
    record = read_session(
        session(
            attempt_details=details,
            charges=charges(["a1", "sms", "0.0077"], ["a1", "sms", "0.0115"]),
        )
    )
    row = row_of(record)
    assert row["attempts"] == 2
    assert sum(one["charge"] for one in row["attempt_charges"]) == row["total_charge"]
    assert [(one.code, one.value) for one in record.notes] == [("attempt_uuid_twice", "a1")]


def test_equal_charges_and_attempts_without_an_id_are_two() -> None:
    details = [attempt("", "sms", "sent", "2026-03-01T10:00:01Z")] * 2
    record = read_session(
        session(
            attempt_details=details,
            count=2,
            charges={
                "total_charge": "0.16",
                "validation_charge": "0",
                "attempt_charges": [{"channel": "sms", "charge": "0.08000"}] * 2,
            },
        )
    )
    row = row_of(record)
    assert row["attempts"] == len(row["attempt_details"]) == 2
    assert sum(one["charge"] for one in row["attempt_charges"]) == row["total_charge"]
    assert record.notes == ()


def test_attempts_without_an_id_are_not_taken_for_one() -> None:
    details = [attempt("", "sms", "sent", "2026-03-01T10:00:01Z"), attempt("", "sms", "sent", None)]
    record = read_session(session(attempt_details=details))
    assert row_of(record)["attempts"] == 2
    assert "attempt_uuid_twice" not in codes(record)


@pytest.mark.parametrize("count", [3, "3", 0])
def test_a_count_that_differs_is_kept_and_noted(count: object) -> None:
    record = read_session(session(count=count))
    row = row_of(record)
    assert (row["count"], row["attempts"]) == (int(str(count)), 2)
    assert [(one.code, one.value) for one in record.notes] == [
        ("count_differs", f"{count}, listed 2")
    ]


def test_ten_thousand_attempts_work() -> None:
    details = [attempt(f"a{n}", "sms", "sent", "2026-03-01T10:00:01Z") for n in range(10_000)]
    record = read_session(session(attempt_details=details, count=10_000))
    assert row_of(record)["attempts"] == 10_000


# Charges


@pytest.mark.parametrize(
    ("value", "noted"),
    [
        (None, [("amount_missing", "charges")]),
        ({}, [("amount_missing", "charges")]),
        ([], [("charges_unreadable", "charges")]),
        ("0.08", [("charges_unreadable", "charges")]),
        (
            charges(total=None, validation=None) | {"attempt_charges": None},
            [
                ("amount_missing", "charges.total_charge"),
                ("amount_missing", "charges.validation_charge"),
                ("amount_missing", "charges.attempt_charges"),
            ],
        ),
        (
            charges(total="abc") | {"attempt_charges": {}},
            [
                ("money_unreadable", "charges.total_charge"),
                ("charges_unreadable", "charges.attempt_charges"),
            ],
        ),
    ],
)
def test_charges_that_are_not_there_are_null_never_zero(
    value: object, noted: list[tuple[str, str]]
) -> None:
    record = read_session(session(charges=value))
    row = row_of(record)
    assert row["total_charge"] is None
    assert row["attempt_charges"] is None
    assert [(one.code, one.path) for one in record.notes] == noted


@pytest.mark.parametrize(
    ("rows", "noted"),
    [
        ([], "0 for 2 attempts"),
        ([["a1", "sms", "0.1"]], "1 for 2 attempts"),
        (
            [["a1", "sms", "0.1"], ["a2", "voice", "0.1"], ["a3", "sms", "0.1"]],
            "3 for 2 attempts",
        ),
        ([["a1", "sms", "0.1"], ["a9", "voice", "0.1"]], "2 for 2 attempts"),
    ],
)
def test_charges_that_are_not_one_for_each_attempt_are_kept_and_noted(
    rows: list[list[str]], noted: str
) -> None:
    record = read_session(session(charges=charges(*rows)))
    assert len(row_of(record)["attempt_charges"]) == len(rows)
    assert [(one.code, one.value) for one in record.notes] == [("charges_differ", noted)]


def test_the_order_of_charges_is_free() -> None:
    rows = (["a2", "voice", "0.01150"], ["a1", "sms", "0.00770"])
    assert read_session(session(charges=charges(*rows))).notes == ()


def test_a_charge_that_is_no_object_is_noted_and_stays_in_the_raw_text() -> None:
    broken = charges(["a1", "sms", "0.1"])
    broken["attempt_charges"] += ["lost", {"attempt_uuid": "a2", "channel": "voice"}]
    record = read_session(session(charges=broken))
    row = row_of(record)
    assert [one["charge"] for one in row["attempt_charges"]] == [Decimal("0.1"), None]
    assert [(one.code, one.path, one.value) for one in record.notes] == [
        ("charges_unreadable", "charges.attempt_charges[1]", "lost"),
        ("amount_missing", "charges.attempt_charges[2].charge", ""),
    ]
    assert '"lost"' in record.raw


def test_a_total_that_does_not_add_up_is_kept_as_billed() -> None:
    record = read_session(session(charges=charges(["a1", "sms", "9"], ["a2", "voice", "9"])))
    assert row_of(record)["total_charge"] == Decimal("0.0192")
    assert record.notes == ()


# Unknown fields


def test_unknown_fields_are_kept_where_they_were() -> None:
    record = session(
        zeta=Decimal("0.10"), total_charge="9", brand={"b": "\ud800", "a": [1]}, gone=None
    )
    record["attempt_details"][1] |= {"dtmf": 4, "fraud_check": "disabled"}
    record["charges"] |= {"currency": "USD"}
    record["charges"]["attempt_charges"][0] |= {"parts": 3}
    row = row_of(read_session(record))
    assert row["extra"] == (
        '{"attempt_details":{"1":{"dtmf":4,"fraud_check":"disabled"}},'
        '"brand":{"a":[1],"b":"\\ud800"},'
        '"charges":{"attempt_charges":{"0":{"parts":3}},"currency":"USD"},'
        '"total_charge":"9","zeta":0.10}'
    )
    assert row["total_charge"] == Decimal("0.0192")


def test_unknown_fields_of_attempts_stand_at_their_place_in_the_row() -> None:
    same = attempt("a1", "sms", "sent", "2026-03-01T10:00:00.1Z")
    other = attempt("a2", "sms", "sent", "2026-03-01T10:00:01Z") | {"code_length": 6}
    row = row_of(read_session(session(attempt_details=[same, same, other])))
    assert row["attempt_details"][1]["attempt_uuid"] == "a2"
    assert json.loads(row["extra"]) == {"attempt_details": {"1": {"code_length": 6}}}


# Set aside


def nested(depth: int) -> object:
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (None, "not_an_object"),
        ([], "not_an_object"),
        ("text", "not_an_object"),
        ({}, "key_unreadable"),
        (session(session_uuid=None), "key_unreadable"),
        (session(session_uuid=""), "key_unreadable"),
        (session(session_uuid="../../Message"), "key_unreadable"),
        (session(session_uuid=SESSION_UUID + "0"), "key_unreadable"),
        (session(session_uuid=SESSION_UUID.replace("-", "")), "key_unreadable"),
        (session(session_uuid=7), "key_unreadable"),
        (session(created_at=None), "instant_unreadable"),
        (session(created_at="yesterday"), "instant_unreadable"),
        (session(created_at=177235920), "instant_unreadable"),
        (session(created_at="0001-01-01T05:53:28+05:53"), "instant_unreadable"),
        (session(attempt_details={}), "attempts_unreadable"),
        (session(attempt_details="sms"), "attempts_unreadable"),
        (session(attempt_details=[None]), "attempts_unreadable"),
        (session(attempt_details=[["sms"]]), "attempts_unreadable"),
        (session(new=nested(20)), "too_deep"),
        (session(new=nested(30)), "too_deep"),
        (session(alias="a" * 65_537), "too_long"),
        (session(new=["a" * 1_000_000]), "too_long"),
        (session(new=[1] * 20_001), "too_long"),
        (session(**{"n" * 65_537: 1}), "too_long"),
    ],
)
def test_a_record_of_which_no_row_can_be_trusted_is_set_aside(record: object, code: str) -> None:
    found = read_session(record)
    assert found.row is None
    assert codes(found) == [code]
    assert Code(code).effect is Effect.SET_ASIDE
    assert found.raw == canonical(record)


def test_the_limits_of_depth_and_length_are_inclusive() -> None:
    record = read_session(session(new=nested(19), alias="a" * 65_536, more=[1] * 20_000))
    assert record.notes == ()
    assert row_of(record)["alias"] == "a" * 65_536


def test_a_record_set_aside_keeps_the_id_and_the_instant_that_it_has() -> None:
    late = read_session(session(created_at="never"))
    assert (late.key, late.instant) == (SESSION_UUID, None)
    lost = read_session(session(session_uuid="?"))
    assert re.fullmatch(r"sha256:[0-9a-f]{64}", lost.key)
    assert lost.instant == to_us(datetime(2026, 3, 1, 10, 0, 0, 50_000, UTC))
    shuffled = dict(reversed(session(session_uuid="?").items()))
    assert read_session(shuffled).key == lost.key
    assert read_session(session(session_uuid="!")).key != lost.key


@pytest.mark.parametrize("text", [SESSION_UUID.upper(), f" {SESSION_UUID} "])
def test_an_id_in_any_case_is_one_id(text: str) -> None:
    assert read_session(session(session_uuid=text)).key == SESSION_UUID


def test_a_record_nested_beyond_pythons_own_stack_is_set_aside() -> None:
    record = _read_session(session(new=nested(50_000)))
    assert codes(record) == ["too_deep"]
    assert record.raw.count("[") > 50_000


def test_messages_are_set_aside_by_the_same_rules() -> None:
    assert codes(read_message(message(message_uuid="x"))) == ["key_unreadable"]
    assert codes(read_message(message(message_time=""))) == ["instant_unreadable"]
    assert codes(read_message([1])) == ["not_an_object"]


# Notes


def test_no_note_shows_a_number() -> None:
    canary = "14155550126"
    spread = " ".join(canary)
    everywhere: list[object] = [
        canary,
        int(canary),
        Decimal(canary + ".5"),
        {canary: canary},
        spread,
    ]
    for name, value in itertools.product(session(), everywhere):
        record = read_session(session(**{name: value}))
        shown = "".join(one.path + one.value for one in record.notes)
        assert canary not in shown
        assert "55550" not in shown.replace(" ", "")


def test_a_note_is_short_and_printable() -> None:
    shown = note(Code.TEXT_UNREADABLE, "alias", "line\n\x1b[2J\u202e" + "é" * 500).value
    assert len(shown) == 80
    assert shown.isprintable()


def test_every_code_says_what_it_means() -> None:
    for code in Code:
        assert re.fullmatch(r"[a-z_]+", code.value)
        assert Code[code.value.upper()] is code
        assert code.meaning.endswith(".")
        assert isinstance(code.effect, Effect)
    assert len({code.meaning for code in Code}) == len(Code)


# Laws


def is_fraction(number: Decimal) -> bool:
    """Whether JSON writes it so that it is no integer."""
    return not str(number).lstrip("-").isdigit()


SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False).filter(is_fraction)
    | st.text()
    | st.just("\ud800\x00")
    | st.sampled_from([CREATED, NUMBER, "0.0770", "sms", "-1", SESSION_UUID])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)
ATTEMPT = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(["channel", "attempt_uuid", "status", "time", "dtmf"], SCALARS)
)
CHARGE = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(["attempt_uuid", "channel", "charge"], SCALARS)
)
CHARGES = st.fixed_dictionaries(
    {},
    optional={
        "total_charge": SCALARS,
        "validation_charge": SCALARS,
        "attempt_charges": st.lists(CHARGE | JSON, max_size=3) | JSON,
    },
)
SESSION = st.fixed_dictionaries(
    {"session_uuid": st.just(SESSION_UUID), "created_at": st.just(CREATED)},
    optional=dict.fromkeys(["alias", "recipient", "status", "count", "updated_at", "new"], JSON)
    | {
        "attempt_details": st.none() | st.lists(ATTEMPT, max_size=4),
        "charges": CHARGES | JSON,
    },
)
MESSAGE = st.fixed_dictionaries(
    {"message_uuid": st.just(SESSION_UUID), "message_time": st.just(CREATED)},
    optional=dict.fromkeys(set(MESSAGES.names) - {"message_uuid", "message_time"}, JSON),
)


def as_frame(record: Record, table: Table) -> pl.DataFrame:
    return pl.DataFrame([row_of(record)], schema=table.polars())


@given(JSON)
def test_any_json_value_gives_a_record(value: object) -> None:
    for read in (_read_session, _read_message):
        record = read(value)
        assert record.row is None
        assert record.notes


@given(SESSION)
def test_any_session_that_is_read_fits_its_table(value: dict[str, Any]) -> None:
    record = _read_session(value)
    row = row_of(record)
    frame = as_frame(record, SESSIONS)
    back = frame.row(0, named=True)
    assert back == row
    assert row["attempts"] == len(row["attempt_details"] or ())
    frame.write_parquet(io.BytesIO())


@given(MESSAGE)
def test_any_message_that_is_read_fits_its_table(value: dict[str, Any]) -> None:
    record = _read_message(value)
    assert as_frame(record, MESSAGES).row(0, named=True) == row_of(record)


@given(SESSION)
def test_the_raw_text_is_the_record_and_reads_the_same(value: dict[str, Any]) -> None:
    record = _read_session(value)
    assert parse_json(record.raw.encode()) == value
    assert _read_session(parse_json(record.raw.encode())) == record


@given(JSON)
@example({"\x7f": "\0\n\x1f~"})
def test_both_ways_of_writing_a_value_agree(value: object) -> None:
    text = _written(value)
    assert canonical(value) == text
    assert canonical(parse_json(text.encode())) == text


def test_a_depth_and_a_length_are_measured() -> None:
    assert measure(7) == (0, 0, 0)
    assert measure([]) == (1, 0, 0)
    assert measure({"long name": [["x"]], "b": 1}) == (3, 9, 2)
