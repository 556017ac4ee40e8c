"""What is expected of an account, against the same numbers counted on its records another way."""

from __future__ import annotations

from bisect import bisect
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from statistics import median
from typing import Any

import pytest

from plivo_analysis.emulator import Account, ExpectedDeliveries, ExpectedResults, generate
from plivo_analysis.emulator.listing import MESSAGES
from plivo_analysis.emulator.session_state import SessionState
from plivo_analysis.emulator.times import to_micros

NOW = datetime(2026, 11, 2, 6, 58, tzinfo=UTC)
HALF_AN_HOUR = timedelta(minutes=30)
REACHED = {"delivered", "answer", "read"}
PENDING = {"queued", "sent", "ringing"}
NAMES = ["under 15 s", "15–30 s", "30–60 s", "1–2 min", "over 2 min"]


@pytest.fixture(scope="module", params=[(0, 10_000), (1, 3_000), (2, 150)], ids=str)
def account(request: pytest.FixtureRequest) -> Account:
    seed, sessions = request.param
    return generate(seed=seed, sessions=sessions)


@pytest.fixture(scope="module")
def rows(account: Account) -> list[dict[str, Any]]:
    return [account.record(key) for key in account.uuids()]


@pytest.fixture(scope="module")
def results(account: Account) -> ExpectedResults:
    return account.expected()


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def status(row: dict[str, Any]) -> str:
    return str(row["status"]).lower()


def total(rows: list[dict[str, Any]]) -> Decimal:
    return sum((Decimal(row["charges"]["total_charge"] or 0) for row in rows), Decimal(0))


def told_apart(rows: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Journeys, by looking for the session before each one among all of its person's."""
    by_person = defaultdict(list)
    for row in rows:
        by_person[row["recipient"], row["app_uuid"]].append(row)
    journeys: list[list[dict[str, Any]]] = []
    for own in by_person.values():
        ordered = sorted(own, key=lambda row: (at(row["created_at"]), row["session_uuid"]))
        begins = [0]
        for number in range(1, len(ordered)):
            gap = at(ordered[number]["created_at"]) - at(ordered[number - 1]["created_at"])
            if gap >= HALF_AN_HOUR or status(ordered[number - 1]) == "verified":
                begins.append(number)
        journeys += [ordered[first:last] for first, last in pairwise([*begins, len(ordered)])]
    return journeys


def test_journeys_are_those_of_the_records(
    results: ExpectedResults, rows: list[dict[str, Any]]
) -> None:
    journeys = told_apart(rows)
    verified = [journey for journey in journeys if status(journey[-1]) == "verified"]
    expired = [journey for journey in journeys if {status(row) for row in journey} == {"expired"}]
    expected = results.journeys
    assert expected.journeys == len(journeys)
    assert expected.sessions == len(rows)
    assert expected.verified == len(verified)
    assert expected.settled == len(verified) + len(expired)
    assert expected.open == len(journeys) - len(verified) - len(expired)
    assert expected.spend == total(rows) == results.spend
    assert expected.settled_spend == total([row for one in [*verified, *expired] for row in one])
    assert expected.unpriced == sum(
        any(row["charges"]["total_charge"] is None for row in journey) for journey in journeys
    )


def test_waits_are_those_of_the_records(
    results: ExpectedResults, rows: list[dict[str, Any]]
) -> None:
    found = defaultdict(list)
    for row in rows:
        if status(row) == "in-progress":
            continue
        for before, attempt in pairwise(row["attempt_details"] or []):
            if before["channel"] and attempt["channel"]:
                wait = (at(attempt["time"]) - at(before["time"])) / timedelta(microseconds=1)
                name = NAMES[bisect([15e6, 30e6, 60e6, 120e6], wait)]
                step = before["channel"], attempt["channel"], name
                found[step].append((wait, status(row) == "verified"))
    expected = results.waits
    assert expected.keys() == found.keys()
    for step, waits in found.items():
        assert expected[step].steps == len(waits)
        assert expected[step].verified == sum(verified for _, verified in waits)
        middle = median(Decimal(wait) for wait, _ in waits)
        assert expected[step].median_seconds == Decimal(middle) / 1_000_000


def test_receipts_are_those_of_the_records(
    results: ExpectedResults, rows: list[dict[str, Any]]
) -> None:
    found: defaultdict[str | None, Counter[str]] = defaultdict(Counter)
    for row in rows:
        attempts = row["attempt_details"] or []
        if len(attempts) != 1 or status(row) == "in-progress":
            continue
        receipt = attempts[0]["status"].lower()
        cell = "delivered" if receipt in REACHED else "failed"
        cell = "pending" if receipt in PENDING else f"{cell}_{status(row)}"
        found[row.get("destination_network")][cell] += 1
    assert results.receipts == found


def test_delivery_times_are_those_of_the_records(account: Account) -> None:
    by_network = defaultdict(list)
    index, (low, high, now) = account.records(MESSAGES), account.served()
    for handle in index.find(low, high, {}, now):
        message = index.record(handle, now)
        if message["message_direction"] == "outbound":
            by_network[message.get("destination_network")].append(message)
    expected = account.expected_deliveries()
    assert expected.keys() == by_network.keys()
    for network, messages in by_network.items():
        queue, delivery, unfinished, untimed = [], [], 0, 0
        for message in messages:
            begun, sent, updated = (
                message.get(f"message_{name}") and at(message[f"message_{name}"])
                for name in ("time", "sent_time", "updated_time")
            )
            if message["message_state"] in {"queued", "sent"}:
                unfinished += 1
                queue.append(sent - begun if sent else timedelta.max)
                delivery.append(timedelta.max)
            elif message["message_state"] == "delivered" and sent and updated:
                queue.append(sent - begun)
                delivery.append(updated - sent)
            else:
                untimed += message["message_state"] in {"delivered", "read"}
        assert expected[network] == ExpectedDeliveries(
            len(messages),
            *(slow_quantile(times, q) for times in (queue, delivery) for q in (50, 95)),
            unfinished,
            untimed,
        )


def slow_quantile(times: list[timedelta], percent: int) -> Decimal | None:
    """By counting, for each time, how many are no longer."""
    ordered = sorted(times)
    for time in ordered:
        if 100 * bisect(ordered, time) >= percent * len(times):
            return None if time == timedelta.max else Decimal(time // timedelta.resolution) / 10**6
    return None


def test_the_results_of_two_windows_have_the_sessions_of_both(
    account: Account, results: ExpectedResults
) -> None:
    middle = datetime(2026, 10, 1, tzinfo=UTC)
    parts = account.expected(None, middle), account.expected(middle)
    assert sum(part.journeys.sessions for part in parts) == results.journeys.sessions
    assert sum(part.journeys.spend for part in parts) == results.journeys.spend
    # A journey over the border is cut in two.
    assert 0 <= sum(part.journeys.journeys for part in parts) - results.journeys.journeys < 3


def session(key: str, created_at: str, status: str = "expired", **fields: Any) -> dict[str, Any]:
    common = {"recipient": "14155550100", "app_uuid": "app"}
    return {"session_uuid": key, "created_at": created_at, "status": status, **common, **fields}


@pytest.mark.parametrize(
    ("second", "journeys"),
    [
        ({"created_at": "2026-11-01T10:29:59.999999Z"}, 1),
        ({"created_at": "2026-11-01T10:30:00Z"}, 2),
        ({"created_at": "2026-11-01T10:00:00Z"}, 1),
        ({"created_at": "2026-11-01T10:10:00Z", "app_uuid": "other"}, 2),
        ({"created_at": "2026-11-01T10:10:00Z", "recipient": "14155550101"}, 2),
    ],
    ids=str,
)
def test_a_journey_is_one_person_in_one_application_within_half_an_hour(
    second: dict[str, Any], journeys: int
) -> None:
    rows = [session("a", "2026-11-01T10:00:00Z"), {**session("b", ""), **second}]
    assert Account.of(rows).expected().journeys.journeys == journeys


@pytest.mark.parametrize(
    ("fields", "journeys"),
    [({"app_uuid": None}, 1), ({"recipient": None}, 2), ({"recipient": ""}, 2)],
    ids=str,
)
def test_nobody_is_a_person_and_no_application_is_one(
    fields: dict[str, Any], journeys: int
) -> None:
    rows = [session(key, "2026-11-01T10:00:00Z", **fields) for key in "ab"]
    assert Account.of(rows).expected().journeys.journeys == journeys


def test_a_journey_ends_with_what_was_verified() -> None:
    rows = [
        session("a", "2026-11-01T10:00:00Z", "expired", charges={"total_charge": "0.1"}),
        session("b", "2026-11-01T10:20:00Z", "verified", charges={"total_charge": "0.2"}),
        session("c", "2026-11-01T10:25:00Z", "in-progress", charges={"total_charge": None}),
        session("d", "2026-11-01T10:26:00Z", "expired", charges={"total_charge": "0.4"}),
    ]
    found = Account.of(rows).expected().journeys
    assert (found.journeys, found.settled, found.verified, found.open) == (2, 1, 1, 1)
    assert (found.spend, found.settled_spend) == (Decimal("0.7"), Decimal("0.3"))
    assert (found.sessions, found.unpriced) == (4, 1)


def attempt(time: str | None, channel: str = "sms", status: str = "delivered") -> dict[str, Any]:
    return {"channel": channel, "time": time, "status": status}


@pytest.mark.parametrize(
    ("second", "bucket"),
    [
        ("2026-11-01T10:00:14.999999Z", "under 15 s"),
        ("2026-11-01T10:00:15Z", "15–30 s"),
        ("2026-11-01T10:00:30Z", "30–60 s"),
        ("2026-11-01T10:01:00Z", "1–2 min"),
        ("2026-11-01T10:02:00Z", "over 2 min"),
        (None, None),
    ],
    ids=str,
)
def test_a_wait_that_ends_on_a_border_belongs_to_the_longer_ones(
    second: str | None, bucket: str | None
) -> None:
    attempts = [attempt(second, "voice"), attempt("2026-11-01T10:00:00Z")]
    row = session("a", "2026-11-01T10:00:00Z", attempt_details=attempts)
    assert list(Account.of([row]).expected().waits) == [("sms", "voice", bucket)]


def test_a_step_by_an_unknown_channel_or_in_an_open_session_has_no_wait() -> None:
    steps = [attempt("2026-11-01T10:00:00Z"), attempt("2026-11-01T10:00:20Z", "")]
    known = [attempt("2026-11-01T10:00:00Z"), attempt("2026-11-01T10:00:20Z")]
    rows = [
        session("a", "2026-11-01T10:00:00Z", attempt_details=steps),
        session("b", "2026-11-01T10:00:00Z", "in-progress", attempt_details=known),
    ]
    assert Account.of(rows).expected().waits == {}


def test_a_receipt_is_counted_where_there_is_one_attempt() -> None:
    words = ["NO ANSWER", "canceled", "early_media", "ANSWER", "Read", "sent", "new word"]
    rows = [
        session(word, "2026-11-01T10:00:00Z", attempt_details=[attempt(None, "sms", word)])
        for word in words
    ]
    rows.append(session("two", "2026-11-01T10:00:00Z", attempt_details=[attempt(None)] * 2))
    receipts = Account.of(rows).expected().receipts
    assert receipts == {None: {"failed_expired": 3, "delivered_expired": 2, "pending": 2}}


def message(key: str, state: str, sent: int | None, updated: int | None) -> dict[str, Any]:
    def spelt(second: int | None) -> str | None:
        return None if second is None else f"2026-11-01 10:00:{second:02}+00:00"

    return {
        "message_uuid": key,
        "message_direction": "outbound",
        "message_state": state,
        "message_time": spelt(10),
        "message_sent_time": spelt(sent),
        "message_updated_time": spelt(updated),
    }


def test_delivery_times_leave_out_what_has_none() -> None:
    messages = [
        message("a", "delivered", 11, 13),
        message("b", "delivered", 13, 20),
        message("c", "sent", 12, 12),
        message("d", "queued", None, None),
        message("read", "read", 11, 15),
        message("untimed", "delivered", None, 15),
        message("before it began", "delivered", 9, 15),
        message("before it was sent", "delivered", 20, 15),
        message("failed", "failed", None, 11),
        message("undelivered", "undelivered", 11, 30),
        {**message("in", "received", 11, 12), "message_direction": "inbound"},
    ]
    assert Account.of(messages=messages).expected_deliveries() == {
        None: ExpectedDeliveries(
            messages=10,
            queue_p50=Decimal(2),
            queue_p95=None,
            delivery_p50=Decimal(7),
            delivery_p95=None,
            unfinished=2,
            untimed=4,
        )
    }


def test_people_come_back_after_an_expired_session() -> None:
    expected = generate(sessions=10_000).expected()
    found = expected.journeys
    again = found.sessions - found.journeys
    assert 0.01 * found.sessions < again < 0.03 * found.sessions
    assert found.verified / found.settled > expected.verified / 9_950


def test_networks_lie_and_dawdle_as_they_are_made_to() -> None:
    account = generate(sessions=20_000)
    receipts, times = account.expected().receipts, account.expected_deliveries()

    def share(network: str, cell: str, other: str) -> float:
        return receipts[network][cell] / (receipts[network][cell] + receipts[network][other])

    assert share("Onda Livre", "failed_verified", "failed_expired") > 0.8
    assert share("Vivo", "failed_verified", "failed_expired") < 0.6
    assert share("Nube Alta", "delivered_expired", "delivered_verified") > 0.12
    assert share("Telcel", "delivered_expired", "delivered_verified") < 0.08
    slow, usual = times["Savanna Tel"], times["MTN Nigeria"]
    assert slow.queue_p50 is not None
    assert usual.queue_p50 is not None
    assert slow.queue_p50 > 5 * usual.queue_p50


def test_waits_are_short_and_long_and_patience_helps_a_little() -> None:
    steps: Counter[str | None] = Counter()
    verified: Counter[str | None] = Counter()
    for (_, _, bucket), waits in generate(sessions=60_000).expected().waits.items():
        steps[bucket] += waits.steps
        verified[bucket] += waits.verified
    assert set(steps) == set(NAMES)
    assert min(steps.values()) > 0.08 * steps.total()
    hasty, patient = (verified[name] / steps[name] for name in ("under 15 s", "over 2 min"))
    assert 0.02 < patient - hasty < 0.15


def test_nothing_is_verified_before_its_message_was_sent() -> None:
    account = generate(sessions=5_000)
    plan = account._plan
    verified = [row for row in range(len(plan)) if plan.verified[row]]
    for row in verified:
        sent = SessionState(plan, row, 2**62).attempts[-1].sent
        assert sent is None or sent < plan.times[row] + plan.settles[row] * 4_000_000


def test_a_generated_account_is_ordered_by_time() -> None:
    times = list(generate(sessions=3_000)._sessions._times)
    assert times == sorted(times)


def test_messages_are_sent_delivered_and_priced_as_the_clock_goes_on() -> None:
    account = generate(sessions=3_000)
    index = account._messages
    changed: Counter[tuple[str, ...]] = Counter()
    for handle in index.find(to_micros(NOW - timedelta(days=89)), to_micros(NOW), {}, 2**62):
        begun = index.time(handle)
        hours = (0, 1 / 60, 1, 36)
        shown = [index.record(handle, begun + int(h * 3_600_000_000)) for h in hours]
        states = [record["message_state"] for record in shown]
        order = ["queued", "sent", "delivered"]
        if set(states) <= set(order):
            assert states == sorted(states, key=order.index)
        sent = [record.get("message_sent_time") for record in shown]
        assert all(later == time for time, later in pairwise(sent) if time)
        amounts = [record["total_amount"] for record in shown]
        assert all(later == amount for amount, later in pairwise(amounts) if amount)
        assert amounts[-1] is not None
        changed[states[0], states[1], states[-1]] += 1
        if states[0] == "received":
            assert states[2] == states[3]
        changed["priced", "later"] += amounts[2] is None
    assert changed["queued", "delivered", "delivered"]
    assert changed["queued", "queued", "delivered"]
    assert changed["queued", "sent", "delivered"]
    assert changed["received", "received", "undelivered"]
    assert changed["received", "received", "received"]
    assert changed["priced", "later"]


def test_a_verified_session_may_be_priced_later(serve: Any) -> None:
    account = generate(sessions=3_000, frozen=False)
    waiting = [
        key
        for key in account.uuids()
        if account.record(key)["charges"]["total_charge"] is None
        and status(account.record(key)) == "verified"
    ]
    account.advance(timedelta(hours=21))
    assert waiting
    assert all(account.record(key)["charges"]["total_charge"] for key in waiting)
