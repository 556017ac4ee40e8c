"""Records at fault, over a real socket: kept, null or set aside, and nothing dropped or broken."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

import plivo_analysis as pva
from plivo_analysis.emulator import Account, Behaviour, Fault, Server

Serve = Callable[..., Server]
Connect = Callable[..., pva.Client]
Make = Callable[..., dict[str, Any]]
Change = Callable[[dict[str, Any]], Any]

HOUR = timedelta(hours=1)


def nested(depth: int) -> Any:
    return [nested(depth - 1)] if depth else 1


def charge(key: str, value: object) -> Change:
    return lambda record: record["charges"].update({key: value})


def field(key: str, value: object) -> Change:
    return lambda record: record.update({key: value})


def attempt(key: str, value: object) -> Change:
    return lambda record: record["attempt_details"][0].update({key: value})


def without(key: str) -> Change:
    return lambda record: record.pop(key)


def again(change: Change) -> Change:
    """A second attempt like the first, but for a change."""

    def add(record: dict[str, Any]) -> None:
        second = dict(record["attempt_details"][0])
        change(second)
        record["attempt_details"].append(second)
        record["count"] = 2

    return add


D = Decimal
AT = datetime(2026, 11, 2, 4, 58, tzinfo=UTC)
HOSTILE = (
    "=cmd|' /C calc'!A0 <script>x</script> $\\href{javascript:1}$ "
    "\u202eevil\u202c é\u0301\U0001f600\n-"
)

# What is changed in one record, what its row then holds, and the codes of what is listed as odd.
KEPT: dict[str, tuple[Change, dict[str, Any], set[str]]] = {
    "a total that is not the sum": (charge("total_charge", "9"), {"total_charge": D(9)}, set()),
    "no charges": (without("charges"), {"total_charge": None}, {"amount_missing"}),
    "null charges": (field("charges", None), {"total_charge": None}, {"amount_missing"}),
    "empty charges": (field("charges", {}), {"total_charge": None}, {"amount_missing"}),
    "no charge of the attempt": (
        charge("attempt_charges", None),
        {"attempt_charges": None, "total_charge": D("0.0077")},
        set(),
    ),
    "a charge of no attempt": (
        charge("attempt_charges", [{"attempt_uuid": "x", "channel": "sms", "charge": "1"}]),
        {"total_charge": D("0.0077")},
        {"charges_differ"},
    ),
    **{
        f"money {word!r}": (charge("total_charge", word), {"total_charge": None}, {code})
        for word, code in [
            ("sNaN", "money_unreadable"),
            ("Infinity", "money_unreadable"),
            ("1E+400", "money_unreadable"),
            ("1_000", "money_unreadable"),
            ("１.５", "money_unreadable"),
            ("abc", "money_unreadable"),
            ("$0.08", "money_unreadable"),
            ("0,08", "money_unreadable"),
            ("0.0000001234567", "money_unreadable"),
        ]
    },
    "no money": (charge("total_charge", ""), {"total_charge": None}, set()),
    "money below zero": (
        charge("total_charge", "-0.5"),
        {"total_charge": D("-0.5")},
        {"money_negative"},
    ),
    "money as a number": (
        charge("total_charge", 0.08),
        {"total_charge": D("0.08")},
        {"money_number"},
    ),
    "an attempt twice": (again(lambda _: None), {"attempts": 1}, {"attempt_repeated"}),
    "two attempts under one id": (
        again(field("status", "failed")),
        {"attempts": 2},
        {"attempt_uuid_twice"},
    ),
    "attempts that are null": (
        field("attempt_details", None),
        {"attempts": 0, "path": None},
        set(),
    ),
    "no attempts": (field("attempt_details", []), {"attempts": 0}, set()),
    "another count": (field("count", 7), {"count": 7, "attempts": 1}, {"count_differs"}),
    "a count as text": (field("count", "1"), {"count": 1}, set()),
    "no fraction": (field("created_at", "2026-11-02T04:58:00Z"), {"created_at": AT}, set()),
    "nine digits and another zone": (
        field("created_at", "2026-11-02T10:28:00.000000999+05:30"),
        {"created_at": AT},
        set(),
    ),
    "no zone": (field("created_at", "2026-11-02 04:58:00"), {"created_at": AT}, {"time_naive"}),
    "the zero date": (
        field("updated_at", "0001-01-01T05:53:28+05:53"),
        {"updated_at": None},
        {"time_zero"},
    ),
    **{
        f"time {word!r}": (field("updated_at", word), {"updated_at": None}, {"time_unreadable"})
        for word in ("2026-11-02T04:58:60Z", "2026-11-02T24:00:00Z", "2026-W45-1", 179300000, "x")
    },
    "a time as a Unix number": (
        field("updated_at", 1793000000),
        {"updated_at": datetime(2026, 10, 26, 7, 33, 20, tzinfo=UTC)},
        {"time_unix"},
    ),
    "a time as Go prints it": (
        field("updated_at", "2026-11-02 04:58:00.5 +0000 UTC"),
        {"updated_at": datetime(2026, 11, 2, 4, 58, 0, 500_000, UTC)},
        {"time_form"},
    ),
    "a count that no record has": (
        field("count", 2**62),
        {"count": None},
        {"count_large"},
    ),
    "an attempt before its session": (
        attempt("time", "2026-11-02T03:00:00Z"),
        {"attempts": 1},
        {"attempt_early"},
    ),
    "an unknown status": (field("status", "Blocked"), {"status": "blocked"}, set()),
    "another case": (field("status", " Verified "), {"status": "verified"}, set()),
    "no status": (field("status", None), {"status": None}, set()),
    "a status that is a number": (field("status", 7), {"status": None}, {"text_unreadable"}),
    "an unknown channel": (field("channel", "rcs"), {"channel": "rcs"}, set()),
    "a plus": (field("recipient", "+14155550101"), {"recipient": "14155550101"}, set()),
    "zeros in front": (field("recipient", "0012025550143"), {"recipient": "0012025550143"}, set()),
    "a masked number": (field("recipient", "141XXXXX528"), {"recipient": "141XXXXX528"}, set()),
    "a number that is a number": (
        field("recipient", 14155550101),
        {"recipient": "14155550101"},
        {"number_from_int"},
    ),
    "a number in floating point": (
        field("recipient", 1.4155550101e10),
        {"recipient": None},
        {"number_unreadable"},
    ),
    "unknown fields": (field("new", {"a": [1]}), {"extra": '{"new":{"a":[1]}}'}, set()),
    "hostile text": (field("alias", HOSTILE), {"alias": HOSTILE}, set()),
    "half a surrogate": (field("alias", "a\ud800"), {"alias": None}, {"text_unstorable"}),
    "a NUL": (field("alias", "a\x00b"), {"alias": None}, {"text_unstorable"}),
}


@pytest.mark.parametrize("name", KEPT)
def test_an_odd_record_is_a_row_and_its_oddity_is_listed(
    name: str, serve: Serve, connect: Connect, session: Make
) -> None:
    change, expected, codes = KEPT[name]
    odd, plain = session(2 * HOUR), session(3 * HOUR)
    change(odd)
    client = connect(serve(Account.of([odd, plain])))
    frame = pva.load_sessions(client=client)
    assert frame.height == 2
    row = frame.row(by_predicate=pl.col("session_uuid") == odd["session_uuid"], named=True)
    assert {column: row[column] for column in expected} == expected
    assert codes <= set(pva.issues(client=client)["code"])


ASIDE: dict[str, Change] = {
    "attempts that are an object": field("attempt_details", {"channel": "sms"}),
    "a time that is none": field("created_at", "yesterday"),
    "nested thirty deep": field("new", nested(30)),
    "a megabyte of text": field("new", "x" * 1_000_000),
    "no id": without("session_uuid"),
    "an id that is none": field("session_uuid", "../../Message"),
}


@pytest.mark.parametrize("change", ASIDE.values(), ids=list(ASIDE))
def test_a_record_that_no_table_can_hold_is_set_aside_and_the_others_are_rows(
    change: Change, serve: Serve, connect: Connect, session: Make
) -> None:
    odd, plain = session(2 * HOUR), session(3 * HOUR)
    change(odd)
    client = connect(serve(Account.of([odd, plain])))
    with pytest.warns(pva.PlivoAnalysisWarning, match="1 session of this range set aside"):
        frame = pva.load_sessions(client=client)
    assert frame["session_uuid"].to_list() == [plain["session_uuid"]]
    listed = pva.issues(client=client).filter(pl.col("set_aside"))
    assert listed["key"].n_unique() == 1
    covered = pva.coverage(client=client)
    assert ", ".join(covered["flags"]).count("1 set aside") == 1  # once, with or without a time
    assert "at least" in pva.cost_report(frame, coverage=covered).html


def test_a_page_of_nothing_but_records_that_no_table_can_hold_is_an_error_that_says_why(
    serve: Serve, connect: Connect, session: Make
) -> None:
    server = serve(
        Account.of([session() for _ in range(3)]), behaviour=Behaviour(oddity="unreadable time")
    )
    client = connect(server)
    why = r"Not read whole: .* 3 sessions of this range set aside\. .*time is not a time\. \(3\)"
    with pytest.raises(pva.IncompletePullError, match=why):
        pva.load_sessions(client=client)
    with pytest.warns(pva.PlivoAnalysisWarning, match=f"{why}.* The table lacks these"):
        assert pva.load_sessions(client=client, partial="return").is_empty()


@pytest.mark.filterwarnings("ignore:.* sessions of this range set aside")
def test_all_that_is_odd_at_once_spoils_no_file_no_sum_and_no_report(
    serve: Serve, connect: Connect, session: Make
) -> None:
    """Whoever is set aside is counted, and the lines of every bill add up."""
    changes = [change for change, _, _ in KEPT.values()]
    records = [session(2 * HOUR + timedelta(minutes=each)) for each in range(len(changes))]
    unfit = [session(6 * HOUR + timedelta(minutes=each)) for each in range(len(ASIDE))]
    for record, change in zip([*records, *unfit], [*changes, *ASIDE.values()], strict=True):
        change(record)
    client = connect(serve(Account.of([*records, *unfit])))
    frame = pva.load_sessions(client=client)
    aside = pva.issues(client=client).filter(pl.col("set_aside"))
    assert (frame.height, aside["key"].n_unique()) == (len(records), len(unfit))
    file = io.BytesIO()
    frame.write_parquet(file)
    file.seek(0)
    assert pl.read_parquet(file).equals(frame)
    assert pva.load_sessions(client=client, backend="pandas").shape == frame.shape
    lines = pva.explode_charges(frame)
    for uuid, total in frame.select("session_uuid", "total_charge").iter_rows():
        if total is not None:
            of_session = lines.filter(pl.col("session_uuid") == uuid)["amount"].drop_nulls()
            assert sum(of_session, Decimal(0)) == total
    assert pva.explode_attempts(frame).height == frame["attempts"].sum()
    assert pva.reconcile(frame).height > 0
    assert pva.cost_report(frame).html.lower().startswith("<!doctype html")


REFUSED = {
    "a bare NaN": b'{"sessions": [{"charges": {"total_charge": NaN}}]}',
    "a bare Infinity": b'{"sessions": [{"count": Infinity}]}',
    "a name twice": b'{"sessions": [{"status": "verified", "status": "expired"}]}',
    "no UTF-8": b'{"sessions": [{"alias": "\xff"}]}',
    "five thousand digits": b'{"sessions": [{"count": %s}]}' % (b"7" * 5_000),
    "nested without end": b'{"sessions": ' + b"[" * 100_000,
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=list(REFUSED))
def test_a_page_that_is_not_strict_json_is_not_believed_and_asked_for_again(
    body: bytes, serve: Serve, connect: Connect, session: Make
) -> None:
    account = Account.of([session(2 * HOUR)])
    server = serve(account, faults=[Fault.body(body), Fault.body(body)])
    assert pva.load_sessions(client=connect(server)).height == 1
    server = serve(account, faults=[Fault.body(body)] * 3)
    with pytest.raises(pva.BadResponseError, match="Try again"):
        pva.load_sessions(client=connect(server))


def test_a_byte_order_mark_is_no_fault(serve: Serve, connect: Connect) -> None:
    bodies = (
        b'\xef\xbb\xbf{"api_id": "%d", "meta": {"next": null}, "sessions": []}' % n
        for n in range(9)
    )
    assert pva.load_sessions(
        client=connect(serve(Account.of([]), faults=[Fault.body(body) for body in bodies]))
    ).is_empty()


def test_rows_of_another_time_or_application_than_asked_for_are_an_error_not_a_table(
    serve: Serve, connect: Connect, session: Make
) -> None:
    account = Account.of([session(), session(app_uuid="00000000-0000-4000-8000-000000000000")])
    client = connect(serve(account, behaviour=Behaviour(ignores=("app_uuid",))))
    with pytest.raises(pva.BadResponseError, match="app_uuid"):
        pva.load_sessions(app_uuid="6e8bfef5-3112-4b0b-a87f-03ddc8101480", client=client)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (field("error_code", "000"), {"error_code": "000"}),
        (field("error_code", None), {"error_code": None}),
        (field("error_code", 30), {"error_code": "30"}),
        (field("total_amount", None), {"total_amount": None}),
        (field("units", 0), {"units": 0}),
        (field("units", "2"), {"units": 2}),
    ],
)
def test_an_odd_message_is_a_row(
    change: Change, expected: dict[str, Any], serve: Serve, connect: Connect
) -> None:
    message = {
        "message_uuid": "00000000-0000-4000-8000-000000000001",
        "message_time": "2026-11-02 04:58:00+00:00",
        "message_direction": "outbound",
        "message_state": "delivered",
        "message_type": "sms",
        "from_number": "PLVRFY",
        "to_number": "14155550101",
        "units": 1,
        "total_rate": "0.0077",
        "total_amount": "0.0077",
        "error_code": "000",
    }
    change(message)
    frame = pva.load_messages(client=connect(serve(Account.of([], [message]))))
    assert {name: frame[name][0] for name in expected} == expected
    assert pva.message_spend(frame)["amount"][0] == frame["total_amount"][0]
