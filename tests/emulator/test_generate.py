"""Generated accounts: the same for the same seed, believable, and true to their books."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import pytest

from plivo_analysis.emulator import AUTH_ID, AUTH_TOKEN, Account, generate
from plivo_analysis.emulator.listing import MESSAGES

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 11, 2, 6, 58, tzinfo=UTC)


@pytest.fixture(scope="module")
def account() -> Account:
    return generate(sessions=10_000)


@pytest.fixture(scope="module")
def rows(account: Account) -> list[dict[str, Any]]:
    return [account.record(key) for key in account.uuids()]


@pytest.fixture(scope="module")
def messages(account: Account) -> list[dict[str, Any]]:
    # By their places: to look each up by its key would take the most of these tests' time.
    index, (low, high, now) = account.records(MESSAGES), account.served()
    return [index.record(handle, now) for handle in index.find(low, high, {}, now)]


def everything(account: Account) -> str:
    return json.dumps([account.record(key) for key in account.uuids()])


def begun(row: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(row["created_at"])


def test_the_credentials_have_the_form_of_the_real_ones() -> None:
    assert re.fullmatch(r"(M|S)A[A-Z0-9]{18}", AUTH_ID)
    assert len(AUTH_TOKEN) == 40


def test_seed_size_and_moment_give_the_account() -> None:
    first = everything(generate(seed=3, sessions=200))
    assert first == everything(generate(seed=3, sessions=200))
    assert first != everything(generate(seed=4, sessions=200))
    assert first != everything(generate(seed=3, sessions=200, now=NOW + timedelta(days=1)))


@pytest.mark.parametrize("sessions", [0, 1, 19, 20, 21, 40, 41, 100, 2000])
def test_so_many_sessions_are_served_as_were_asked_for(sessions: int) -> None:
    account = generate(sessions=sessions)
    keys = account.uuids()
    assert len(keys) == len(set(keys)) == sessions
    assert account.expected().sessions == sessions


@pytest.mark.parametrize("options", [{"sessions": -1}, {"days": 0}, {"days": 91}])
def test_an_impossible_account_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="an account has 0 or more sessions"):
        generate(**options)


def test_fewer_days_hold_all_sessions() -> None:
    account = generate(sessions=300, days=7)
    assert len(account.uuids(since=NOW - timedelta(days=7))) == 300


def test_some_sessions_are_too_old_to_be_served() -> None:
    account = generate(sessions=1000)
    assert len(account.uuids()) == 1000
    account.now = NOW - timedelta(days=8)
    assert any(key for key in account.uuids(until=NOW - timedelta(days=91)))


@pytest.mark.slow
def test_a_million_sessions_take_less_than_30_bytes_each() -> None:
    columns = generate(sessions=1_000_000)._plan.columns
    assert len(columns) == 11
    assert sum(len(column) * getattr(column, "itemsize", 1) for column in columns) < 30_000_000


def test_channels_and_fallback_are_believable(account: Account) -> None:
    truth = account.expected()
    rate = {name: truth.fell_back[name] / n for name, n in truth.evaluable.items() if n > 100}
    assert rate.keys() == {"sms", "voice", "whatsapp"}
    assert rate["sms"] == pytest.approx(0.086, abs=0.012)
    assert rate["voice"] == pytest.approx(0.178, abs=0.05)
    assert rate["whatsapp"] == pytest.approx(0.064, abs=0.025)
    assert truth.evaluable["sms"] > 15 * truth.evaluable["voice"]


def test_success_is_believable_by_country(rows: list[dict[str, Any]]) -> None:
    settled: Counter[str] = Counter()
    verified: Counter[str] = Counter()
    for row in rows:
        country = row.get("destination_country_iso2", "")
        settled[country] += row["status"].lower() != "in-progress"
        verified[country] += row["status"].lower() == "verified"
    rate = {country: verified[country] / settled[country] for country in settled if country}
    assert len(rate) == 13
    assert 0.90 < rate["US"] < 0.97
    assert rate["NG"] < rate["US"]
    assert rate["BD"] < 0.75
    assert 0.90 < sum(verified.values()) / sum(settled.values()) < 0.94


def test_a_burst_in_one_country_can_be_found(rows: list[dict[str, Any]]) -> None:
    first, last = datetime(2026, 10, 12, tzinfo=UTC), datetime(2026, 10, 16, tzinfo=UTC)
    burst = [row for row in rows if row.get("requestor_ip") == "203.0.113.254"]
    numbers = {int(row["recipient"]) for row in burst}
    assert 110 < len(burst) < 140
    assert all(first <= begun(row) < last for row in burst)
    assert {row["destination_country_iso2"] for row in burst} == {"BD"}
    assert numbers == set(range(min(numbers), max(numbers) + 1))
    assert Counter(row["alias"] for row in burst)["Web checkout"] > 0.8 * len(burst)
    verified = sum(row["status"].lower() == "verified" for row in burst)
    assert 0.08 < verified / len(burst) < 0.30


def test_weekends_and_nights_are_quieter(rows: list[dict[str, Any]]) -> None:
    days = Counter(begun(row).astimezone(UTC).weekday() for row in rows)
    hours = Counter(begun(row).astimezone(UTC).hour for row in rows)
    assert max(days[5], days[6]) < 0.9 * min(days[day] for day in range(5))
    assert 3 * hours[3] < hours[17]


def test_a_price_steps_on_one_day(messages: list[dict[str, Any]]) -> None:
    step = datetime(2026, 10, 19, tzinfo=UTC)
    prices = {
        (datetime.fromisoformat(row["message_time"]) >= step, row["total_rate"])
        for row in messages
        if row.get("destination_country_iso2") == "MX" and row["message_type"] == "sms"
    }
    assert prices == {(False, "0.07900"), (True, "0.08360")}


def test_only_recent_sessions_are_open(rows: list[dict[str, Any]]) -> None:
    ages = [NOW - begun(row) for row in rows if row["status"].lower() == "in-progress"]
    assert ages
    assert max(ages) < timedelta(hours=36)
    assert any(age < timedelta(minutes=15) for age in ages)


def test_an_open_session_settles_as_time_goes_by(account: Account) -> None:
    open_now = [key for key in account.uuids() if account.record(key)["status"] == "in-progress"]
    account.advance(timedelta(hours=37))
    later = {account.record(key)["status"].lower() for key in open_now}
    account.now = NOW
    assert later <= {"verified", "expired"}


def test_a_running_account_has_sessions_of_the_next_day_in_store() -> None:
    account = generate(sessions=2000, frozen=False)
    before = len(account.uuids())
    account.advance(timedelta(hours=23))
    assert before == 2000
    assert len(account.uuids(since=NOW)) > 10


def test_the_last_totals_come_late(rows: list[dict[str, Any]]) -> None:
    waiting = [row for row in rows if row["charges"]["total_charge"] is None]
    assert waiting
    assert all(NOW - begun(row) < timedelta(hours=21) for row in waiting)
    assert all(row["charges"]["attempt_charges"] is None for row in waiting)


def test_updated_at_is_the_last_attempts_time(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        attempts = row["attempt_details"]
        if attempts:
            assert row["updated_at"] == attempts[-1]["time"]
            assert row["channel"] == attempts[-1]["channel"]
        else:
            assert row["updated_at"] == "0001-01-01T05:53:28+05:53"


def test_nearly_all_sessions_add_up_and_a_handful_do_not(rows: list[dict[str, Any]]) -> None:
    gaps: Counter[str] = Counter()
    for row in rows:
        charges = row["charges"]
        if charges["total_charge"] is None:
            continue
        lines = charges["attempt_charges"] or []
        gap = Decimal(charges["total_charge"]) - sum(Decimal(line["charge"]) for line in lines)
        if len(lines) < len(row["attempt_details"] or []):
            gaps["missing"] += 1
        elif gap:
            gaps["above" if gap > 0 else "below"] += 1
        gaps["count"] += row["count"] != len(row["attempt_details"] or [])
    assert gaps.keys() == {"missing", "above", "below", "count"}
    assert all(1 <= gaps[kind] <= 10 for kind in gaps)


def test_every_oddity_of_the_wire_occurs(rows: list[dict[str, Any]]) -> None:
    text = "\n".join(json.dumps(row) for row in rows)
    for spelling in (
        '"attempt_details": null',
        '"attempt_details": []',
        '"attempt_charges": null',
        '"status": "Expired"',
        '"status": "ANSWER"',
        '"status": "answer"',
        '"status": "EARLY MEDIA"',
        '"channel": ""',
        '"channel": "rcs"',
        '"requestor_ip": ""',
        '"destination_network": null',
        '"total_charge": "0"',
        '"brand_name"',
        '+05:30"',
        'Z"',
    ):
        assert spelling in text, spelling
    digits = {len(match) for match in re.findall(r'created_at": "[^.]*?T[\d:]+(\.\d+)?[Z+]', text)}
    assert digits >= {0, 4, 5, 6, 7}
    assert any("alias" not in row for row in rows)


def test_a_verified_session_may_have_reached_nobody(rows: list[dict[str, Any]]) -> None:
    lost = {"undelivered", "failed"}
    assert any(
        row["status"] == "verified"
        and row["attempt_details"]
        and {attempt["status"] for attempt in row["attempt_details"]} <= lost
        for row in rows
    )


FICTION = (
    r"1\d{3}55501\d\d|447700900\d{3}|91000000\d{5}|880000000\d{4}|88000000\d{5}|5500000\d{5}"
    r"|5200000\d{5}|4900000\d{5,6}|3300000\d{5,6}|234000000\d{4}|23400000\d{5}|6200000\d{5}"
    r"|97100000\d{4,5}|65000\d{5}|9100000\d{5}|6500000\d{4}|490\d{8}|330\d{8}|9710\d{8}"
)


def test_all_numbers_and_addresses_are_fiction(
    rows: list[dict[str, Any]], messages: list[dict[str, Any]]
) -> None:
    numbers = {row["recipient"] for row in rows}
    numbers |= {row["to_number"] for row in messages} | {row["from_number"] for row in messages}
    numbers -= {"PLVRFY", "PLVSMS"}
    assert [number for number in numbers if not re.fullmatch(FICTION, number)] == []
    addresses = {row.get("requestor_ip", "") for row in rows} - {""}
    assert {address.rpartition(".")[0] for address in addresses} == {
        "192.0.2",
        "198.51.100",
        "203.0.113",
    }


def test_the_lines_of_the_books_sum_to_the_total(account: Account) -> None:
    truth = account.expected()
    assert sum(truth.lines.values()) == truth.spend > 0
    assert truth.settled + truth.open == truth.sessions
    assert truth.line("unallocated")
    assert truth.line("unknown") > 0


def test_the_books_agree_with_the_records(account: Account, rows: list[dict[str, Any]]) -> None:
    truth = account.expected()
    totals = [row["charges"]["total_charge"] for row in rows]
    assert truth.spend == sum(Decimal(total) for total in totals if total is not None)
    assert truth.unpriced == totals.count(None)
    assert truth.verified == sum(row["status"].lower() == "verified" for row in rows)


def test_the_books_of_two_windows_sum_to_those_of_both(account: Account) -> None:
    middle = datetime(2026, 10, 1, tzinfo=UTC)
    before, after, both = (
        account.expected(None, middle),
        account.expected(middle),
        account.expected(),
    )
    assert before.spend + after.spend == both.spend
    assert before.sessions + after.sessions == both.sessions
    assert max(day for day, _ in before.lines) < middle.date() <= min(day for day, _ in after.lines)


def test_the_books_know_what_was_given_by_hand() -> None:
    row = {
        "session_uuid": "a",
        "created_at": "2026-11-01T10:00:00Z",
        "status": "Expired",
        "attempt_details": [{"channel": "sms"}, {"channel": "voice"}],
        "charges": {
            "total_charge": "0.1",
            "validation_charge": "0.01",
            "attempt_charges": [{"channel": "sms", "charge": "0.08"}],
        },
    }
    truth = Account.of([row]).expected()
    day = datetime(2026, 11, 1, tzinfo=UTC).date()
    assert truth.lines == {
        (day, "sms"): Decimal("0.08"),
        (day, "validation"): Decimal("0.01"),
        (day, "unallocated"): Decimal("0.01"),
    }
    assert (truth.fell_back, truth.evaluable) == ({"sms": 1}, {"sms": 1})


def test_messages_tell_of_their_attempts(
    rows: list[dict[str, Any]], messages: list[dict[str, Any]]
) -> None:
    by_key = {message["message_uuid"]: message for message in messages}
    found = expected = 0
    for row in rows:
        charges = {
            line["attempt_uuid"]: line["charge"] for line in row["charges"]["attempt_charges"] or []
        }
        for attempt in row["attempt_details"] or []:
            if attempt["channel"] not in {"sms", "whatsapp"}:
                assert attempt["attempt_uuid"] not in by_key
                continue
            expected += 1
            message = by_key.get(attempt["attempt_uuid"])
            if message is None:
                continue
            found += 1
            assert message["message_type"] == attempt["channel"]
            assert message["message_state"] == attempt["status"]
            assert message["to_number"] == row["recipient"]
            begun_at = datetime.fromisoformat(attempt["time"])
            assert datetime.fromisoformat(message["message_time"]) == begun_at
            if attempt["attempt_uuid"] in charges:
                charge = Decimal(charges[attempt["attempt_uuid"]])
                assert Decimal(message["total_amount"]) == charge
    assert 0.97 < found / expected < 1
    assert len(messages) > found


def test_messages_carry_their_own_fields(messages: list[dict[str, Any]]) -> None:
    codes = {message["error_code"] for message in messages}
    assert {"000", None, "200", "450", "30"} <= codes
    assert {message["message_type"] for message in messages} == {"sms", "mms", "whatsapp"}
    assert {message["message_direction"] for message in messages} == {"inbound", "outbound"}
    assert {message["units"] for message in messages} == {1, 2, 3}
    times = [message["message_time"] for message in messages]
    assert all(re.fullmatch(r"\S{10} [\d:]{8}(\.\d{1,6})?\+05:30", time) for time in times)
    assert times == sorted(times, key=datetime.fromisoformat, reverse=True)
    with_fees = [message for message in messages if "carrier_fees" in message]
    assert {message["destination_country_iso2"] for message in with_fees} == {"US"}


def test_a_generated_record_is_found_by_its_key(
    serve: Callable[..., Any], account: Account
) -> None:
    caller = serve(account)
    for resource in ("Verify/Session/", "Message/"):
        page = caller.page(resource)
        listed = next(row for key, row in page.items() if key in {"sessions", "objects"})[0]
        key = listed.get("session_uuid") or listed["message_uuid"]
        single = caller.page(f"{resource}{key}/")
        assert single.pop("api_id")
        assert single.keys() == listed.keys()
    assert caller.ask(f"Verify/Session/{listed['message_uuid']}/").status_code == 404


@pytest.mark.parametrize(
    "asked",
    [
        {"country": "DE"},
        {"alias": "Web checkout"},
        {"status": "expired"},
        {"status": "in-progress"},
        {"brand_name": "Halt"},
        {"app_hash": "hAltDrive01"},
        {"subaccount": "SADEMO00000000000000"},
        {"status": "verified", "country": "NG"},
    ],
    ids=str,
)
def test_the_columns_filter_as_the_records_read(
    serve: Callable[..., Any], account: Account, asked: dict[str, str]
) -> None:
    fields = {"country": "destination_country_iso2"}
    hidden = {"brand_name", "app_hash", "subaccount"}
    expected = [
        key
        for key in account.uuids(since=NOW - timedelta(days=9))
        if all(
            name in hidden
            or account.record(key).get(fields.get(name, name), "").lower() == value.lower()
            for name, value in asked.items()
        )
    ]
    walk = serve(account).walk(session_time__gte="2026-10-24 06:58", **asked)
    found = [row["session_uuid"] for page in walk for row in page["sessions"]]
    if hidden & asked.keys():
        assert 0 < len(found) < len(expected)
    else:
        assert found == expected
        assert found
