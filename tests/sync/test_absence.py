"""Absence that is easily believed: each row once, or an error, whatever the server leaves out."""

from __future__ import annotations

import warnings
from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import plivo_analysis as pva
from plivo_analysis.api.filters import Filter
from plivo_analysis.api.resources import SESSION_RESOURCE
from plivo_analysis.emulator import Account, Behaviour, Fault, generate
from plivo_analysis.emulator.account import DEFAULT_NOW as NOW
from plivo_analysis.sync.pull import Question, pull
from plivo_analysis.system.clock import FrozenWallClock
from plivo_analysis.values.spans import MINUTE, Span, to_us

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from plivo_analysis.emulator import Server
    from plivo_analysis.sync.pull import Pulled

    Serve = Callable[..., Server]
    Connect = Callable[..., pva.Client]
    Make = Callable[..., dict[str, Any]]

SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)


class Unwatched:
    def page(self, *, requests: int, rows: int, share: float) -> None:
        pass

    def waiting(self, seconds: float) -> None:
        pass


def once(frame: Any, expected: Iterable[str]) -> None:
    """Every expected session exactly once, and no other."""
    assert Counter(frame["session_uuid"].to_list()) == Counter(expected)


def pulled(client: pva.Client, since: Any, until: Any, **filters: object) -> Pulled:
    chosen = Filter.of(SESSION_RESOURCE, **filters)
    question = Question(chosen, lambda now: (since, until))
    return pull(client, question, watch=Unwatched())


def complete(client: pva.Client) -> list[Span]:
    return client.store.completed_ranges(SESSION_RESOURCE).complete("")


def wire_time(instant: datetime) -> str:
    return instant.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def message(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "message_uuid": f"00000000-0000-4000-8000-{number:012d}",
        "message_time": (NOW - 2 * HOUR).strftime("%Y-%m-%d %H:%M:%S+00:00"),
        "message_state": "delivered",
        "message_direction": "outbound",
        "message_type": "sms",
        "from_number": "12025550143",
        "to_number": "14155550123",
        "total_amount": "0.0050",
        "error_code": None,
        **fields,
    }


# --- final only if it was read after it could change


def test_a_queued_message_is_read_again_after_the_moment_from_which_it_is_final(
    serve: Serve, connect: Connect
) -> None:
    later = {wire_time(NOW + 3 * HOUR): {"message_state": "delivered", "total_amount": "0.0050"}}
    queued = message(1, message_state="queued", total_amount=None, _changes=later)
    account = Account.of(messages=[queued])
    server = serve(account)
    client = connect(server)
    since = NOW - 3 * DAY
    assert pva.load_messages(since=since, client=client)["message_state"].to_list() == ["queued"]
    account.advance(DAY)  # past its final_at, which no reading knew of
    assert pva.coverage("messages", since=since, client=client)["open"].sum() == 1
    frame = pva.load_messages(since=since, client=client)
    assert frame["message_state"].to_list() == ["delivered"]
    assert frame["total_amount"].null_count() == 0
    assert pva.coverage("messages", since=since, client=client)["open"].sum() == 0
    account.advance(DAY)
    asked = len(server.log)
    pva.load_messages(since=since, until=NOW - HOUR, client=client)
    assert len(server.log) == asked


def test_a_price_that_comes_after_a_day_is_seen_by_the_last_reading(
    serve: Serve, connect: Connect, session: Make
) -> None:
    unpriced = {"charges": {"total_charge": None}}
    priced = {"charges": {"total_charge": "0.0077"}}
    waiting = session(2 * HOUR, **unpriced, _changes={wire_time(NOW + 3 * HOUR): priced})
    account = Account.of([waiting])
    client = connect(serve(account))
    assert pva.load_sessions(since=NOW - DAY, client=client)["total_charge"].null_count() == 1
    account.advance(26 * HOUR)
    assert pva.load_sessions(since=NOW - DAY, client=client)["total_charge"].null_count() == 0


def test_a_received_message_is_read_once_more_when_it_is_a_day_old_and_not_before(
    serve: Serve, connect: Connect
) -> None:
    failed = {wire_time(NOW + HOUR): {"message_state": "undelivered"}}
    inbound = {"message_direction": "inbound", "message_state": "received"}
    account = Account.of(messages=[message(1, **inbound, _changes=failed), message(2, **inbound)])
    server = serve(account)
    client = connect(server)
    asked = {"since": NOW - 3 * HOUR, "until": NOW - 1.5 * HOUR, "client": client}
    pva.load_messages(**asked)
    account.advance(3 * HOUR)
    requests = len(server.log)
    assert set(pva.load_messages(**asked)["message_state"]) == {"received"}
    assert len(server.log) == requests
    account.advance(DAY)
    assert sorted(pva.load_messages(**asked)["message_state"]) == ["received", "undelivered"]
    requests = len(server.log)
    pva.load_messages(**asked)
    assert len(server.log) == requests


def test_one_session_comes_from_the_store_only_if_it_was_read_when_it_was_final(
    serve: Serve, connect: Connect, session: Make
) -> None:
    unpriced = session(2 * HOUR, charges={"total_charge": None})
    account = Account.of([unpriced])
    server = serve(account)
    client = connect(server)
    key = unpriced["session_uuid"]
    pva.load_session(key, client=client)
    account.advance(2 * DAY)
    for requests in (2, 2):  # once more after a day, then never
        pva.load_session(key, client=client)
        assert len(server.log) == requests


# --- set aside


def unfit(record: dict[str, Any]) -> dict[str, Any]:
    return {**record, "attempt_details": {"channel": "sms"}}


def test_what_a_pull_set_aside_is_counted_by_reason(
    serve: Serve, connect: Connect, session: Make
) -> None:
    sessions = [session(HOUR + n * SECOND) for n in range(20)]
    sessions[7] = unfit(sessions[7])
    client = connect(serve(Account.of(sessions)))
    found = pulled(client, NOW - DAY, NOW)
    assert found.missing == []
    assert found.tally.set_aside == 1
    issues = pva.issues(since=NOW - DAY, client=client).filter("set_aside")
    assert issues["code"].to_list() == ["attempts_unreadable"]


@pytest.mark.parametrize("oddity", ["not a record", "no key", "unreadable time"])
def test_a_page_of_which_no_record_can_be_read_is_no_empty_table(
    oddity: str, serve: Serve, connect: Connect, session: Make
) -> None:
    account = Account.of([session(HOUR + n * SECOND) for n in range(30)])
    server = serve(account, behaviour=Behaviour(oddity=oddity))
    client = connect(server)
    with pytest.raises(pva.IncompletePullError, match="set aside") as raised:
        pva.load_sessions(since=NOW - DAY, until=NOW - HOUR // 2, client=client)
    assert raised.value.missing == [(NOW - DAY, NOW - HOUR // 2)]
    assert complete(client) == []
    assert len(server.log) < 10


def test_an_unfit_page_among_others_makes_its_own_part_incomplete(
    serve: Serve, connect: Connect, session: Make
) -> None:
    sessions = [session(HOUR + n * timedelta(minutes=1)) for n in range(100)]
    sessions[19:60] = [unfit(record) for record in sessions[19:60]]
    client = connect(serve(Account.of(sessions)))
    found = pulled(client, NOW - DAY, NOW - HOUR // 2)
    fit = {record["session_uuid"] for record in [*sessions[:19], *sessions[60:]]}
    kept = client.store.records(SESSION_RESOURCE).count(Span(0, to_us(NOW)))
    assert kept == len(fit)
    issues = pva.issues(since=NOW - DAY, client=client).filter("set_aside")
    assert issues["key"].n_unique() == 41
    for gap in found.missing:
        assert NOW - 3 * HOUR < gap.datetimes()[0] < gap.datetimes()[1] < NOW - HOUR


# --- at most 30 days at a time


def test_a_server_that_lists_at_most_30_days_is_asked_for_no_more_and_that_is_remembered(
    serve: Serve, connect: Connect
) -> None:
    account = generate(sessions=400)
    server = serve(account, behaviour=Behaviour(longest_range=30 * DAY))
    client = connect(server)
    since = NOW - 89 * DAY
    once(pva.load_sessions(since=since, until=NOW, client=client), account.uuids(since, NOW))
    assert [request.status for request in server.log].count(400) == 1
    client.store.completed_ranges(SESSION_RESOURCE).discard(Span(0, to_us(NOW)), "")
    once(pva.load_sessions(since=since, until=NOW, client=client), account.uuids(since, NOW))
    assert [request.status for request in server.log].count(400) == 1
    assert client.store.facts()["sessions range"].startswith(str(30 * 24 * 60 * MINUTE))


def test_a_range_without_rows_is_read_in_parts_of_30_days(serve: Serve, connect: Connect) -> None:
    server = serve(Account.of([]), behaviour=Behaviour(longest_range=30 * DAY))
    assert pva.load_sessions(since="89d", client=connect(server)).is_empty()
    assert len(server.log) < 12


def test_a_refusal_of_a_short_range_stays_an_error(serve: Serve, connect: Connect) -> None:
    server = serve(Account.of([]), faults=[Fault.status(400)] * 9)
    with pytest.raises(pva.APIError):
        pva.load_sessions(since="10d", client=connect(server))
    assert len(server.log) == 1


# --- pages, bounds, ties


def test_pages_of_ten_rows_that_name_no_next_one_are_not_the_end(
    serve: Serve, connect: Connect
) -> None:
    account = generate(sessions=300)
    server = serve(account, behaviour=Behaviour(page_size=10, next_page="null"))
    client = connect(server)
    once(pva.load_sessions(since="90d", client=client), account.uuids())
    assert client.store.facts()["sessions page"].startswith("10 10")


@pytest.mark.parametrize("precision", [timedelta(microseconds=1), SECOND, timedelta(minutes=1)])
@pytest.mark.parametrize("order", ["newest", "oldest"])
def test_a_server_that_takes_gte_for_gt_loses_no_row(
    order: Any, precision: timedelta, serve: Serve, connect: Connect, session: Make
) -> None:
    since = NOW.replace(second=0, microsecond=0) - 20 * HOUR
    at_the_edge = [session(NOW - since, alias=str(n)) for n in range(3)]
    others = [session(NOW - since - n * timedelta(minutes=10)) for n in range(1, 100)]
    account = Account.of([*at_the_edge, *others])
    behaviour = Behaviour(gte_is_gt=True, order=order, precision=precision)
    frame = pva.load_sessions(
        since=since, until=NOW, client=connect(serve(account, behaviour=behaviour))
    )
    once(frame, account.uuids(since, NOW))


@pytest.mark.parametrize("hour", [0, 9])
@pytest.mark.parametrize("days", [1, 40])
def test_a_server_that_cuts_lt_to_the_day_loses_no_row(
    days: int, hour: int, serve: Serve, connect: Connect, session: Make
) -> None:
    until = NOW.replace(hour=hour, minute=0, second=0, microsecond=0) - 2 * DAY
    sessions = [session(NOW - until + n * timedelta(minutes=37 * days)) for n in range(1, 60)]
    newer = [session(n * timedelta(minutes=30)) for n in range(1, 60)]
    account = Account.of([*sessions, *newer])
    client = connect(serve(account, behaviour=Behaviour(upper_precision=DAY)))
    since = until - 80 * DAY
    once(pva.load_sessions(since=since, until=until, client=client), account.uuids(since, until))


@pytest.mark.parametrize("answers", [1, 2, 3, 4])
def test_what_an_interrupted_pull_believed_of_bounds_cut_to_the_day_is_read_again_or_named(
    answers: int, serve: Serve, connect: Connect, session: Make
) -> None:
    until = NOW.replace(hour=9, minute=0, second=0, microsecond=0) - 2 * DAY
    account = Account.of([session(NOW - until + n * 3 * HOUR) for n in range(1, 90)])
    down = [*[None] * answers, *[Fault.status(503)] * 5]
    server = serve(account, behaviour=Behaviour(upper_precision=DAY), faults=down)
    client = connect(server)
    asked = {"since": until - 30 * DAY, "until": until, "client": client}
    with pytest.raises(pva.PlivoServerError):
        pva.load_sessions(**asked)
    try:
        frame, missing = pva.load_sessions(**asked), []
    except pva.IncompletePullError as incomplete:
        frame, missing = incomplete.frame, incomplete.missing
    for key in set(account.uuids(asked["since"], until)) - set(frame["session_uuid"]):
        began = datetime.fromisoformat(account.record(key)["created_at"])
        assert any(start <= began < end for start, end in missing)
    once(pva.load_sessions(**asked), account.uuids(asked["since"], until))


@pytest.mark.parametrize(
    "precision", [timedelta(microseconds=1), SECOND, timedelta(minutes=1), DAY]
)
def test_a_range_of_one_page_is_read_whole_where_bounds_are_cut(
    precision: timedelta, serve: Serve, connect: Connect, session: Make
) -> None:
    until = NOW.replace(hour=9, minute=0, second=0, microsecond=0) - 2 * DAY
    account = Account.of([session(NOW - until + n * 7 * HOUR) for n in range(1, 7)])
    client = connect(serve(account, behaviour=Behaviour(upper_precision=precision)))
    since = until - 3 * DAY
    once(pva.load_sessions(since=since, until=until, client=client), account.uuids(since, until))


TIED = Behaviour(), Behaviour(empty_from=100), Behaviour(skips_in_ties=True)


@pytest.mark.parametrize("behaviour", TIED, ids=["honest", "offsets end at 100", "skips a row"])
def test_a_tie_is_read_whole_or_named_as_missing(
    behaviour: Behaviour, serve: Serve, connect: Connect, session: Make
) -> None:
    account = Account.of([session(9 * HOUR), *(session(5 * HOUR) for _ in range(300))])
    client = connect(serve(account, behaviour=behaviour))
    try:
        frame = pva.load_sessions(client=client)
    except pva.IncompletePullError as incomplete:
        assert behaviour != Behaviour()
        ((start, end),) = incomplete.missing
        assert start <= NOW - 5 * HOUR < end
    else:
        once(frame, account.uuids())


def test_a_list_that_is_capped_within_a_tie_is_found_out(
    serve: Serve, connect: Connect, session: Make
) -> None:
    account = Account.of([session(9 * HOUR), *(session(5 * HOUR) for _ in range(300))])
    client = connect(serve(account, behaviour=Behaviour(longest_list=100)))
    # In words, too, the instant is no range from a minute to the same minute.
    with pytest.raises(pva.IncompletePullError, match=r"01:58:00\.000000 to .* 01:58:00\.000001"):
        pva.load_sessions(client=client)


def test_a_cap_within_the_oldest_tie_is_not_noticed_and_the_range_is_marked_as_probable(
    serve: Serve, connect: Connect, session: Make
) -> None:
    account = Account.of([session(5 * HOUR) for _ in range(300)])
    client = connect(serve(account, behaviour=Behaviour(longest_list=110)))
    assert pva.load_sessions(client=client).height == 110
    flags = pva.coverage(client=client).filter(pl.col("rows") > 0)["flags"].to_list()
    assert flags == ["probable, tie"]


# --- answers that are none


def test_the_copy_that_a_cache_gives_is_no_answer(serve: Serve, connect: Connect) -> None:
    account = generate(sessions=200)
    knobs = Behaviour(cached_answers=2, cache_heeds_no_cache=False)
    client = connect(serve(account, behaviour=knobs))
    since = NOW - 60 * DAY
    once(pva.load_sessions(since=since, until=NOW, client=client), account.uuids(since, NOW))


def test_a_cache_that_answers_for_ever_ends_in_an_error(serve: Serve, connect: Connect) -> None:
    knobs = Behaviour(cached_answers=10**6, cache_heeds_no_cache=False)
    client = connect(serve(generate(sessions=200), behaviour=knobs))
    with pytest.raises(pva.BadResponseError, match="copy of an earlier one"):
        pva.load_sessions(since="60d", client=client)
    assert complete(client) == []


CONTRADICTIONS = {
    "202": Fault.emptied(202),
    "203": Fault.emptied(203),
    "206": Fault.emptied(206),
    "207": Fault.emptied(207),
    "226": Fault.emptied(226),
    "errors": Fault.emptied(errors=["no"]),
    "no success": Fault.emptied(success=False),
    "a count": Fault.emptied(total_count=300),
    "a count alone": Fault.body(b'{"sessions": [], "meta": {"total_count": 300}}'),
}


@pytest.mark.parametrize("name", CONTRADICTIONS)
def test_an_empty_list_that_contradicts_itself_is_no_empty_table(
    name: str, serve: Serve, connect: Connect
) -> None:
    account = generate(sessions=60)
    fault = CONTRADICTIONS[name]
    client = connect(serve(account, faults=[None, *[fault] * 2]))
    once(pva.load_sessions(since="90d", client=client), account.uuids())
    client = connect(serve(account, faults=[fault] * 9))
    with pytest.raises(pva.PlivoAnalysisError):
        pva.load_sessions(since="90d", client=client)
    assert complete(client) == []


@pytest.mark.parametrize("order", ["newest", "oldest"])
@pytest.mark.parametrize("page", [0, 1, 3])
def test_a_replica_that_answers_empty_once_is_asked_again(
    page: int, order: Any, serve: Serve, connect: Connect
) -> None:
    account = generate(sessions=100)
    faults = [*[None] * page, Fault.emptied()]
    client = connect(serve(account, behaviour=Behaviour(order=order), faults=faults))
    since, until = NOW - 60 * DAY, NOW - DAY
    once(pva.load_sessions(since=since, until=until, client=client), account.uuids(since, until))


def test_a_replica_that_answers_empty_to_each_new_request_loses_nothing_in_silence(
    serve: Serve, connect: Connect
) -> None:
    account = generate(sessions=100)
    client = connect(serve(account, behaviour=Behaviour(empty_first_time=True)))
    since, until = NOW - 60 * DAY, NOW - DAY
    once(pva.load_sessions(since=since, until=until, client=client), account.uuids(since, until))


# --- time


@pytest.mark.parametrize("next_load", [timedelta(minutes=50), timedelta(minutes=70), DAY])
def test_a_row_that_became_visible_late_is_found_by_the_next_load(
    next_load: timedelta, serve: Serve, connect: Connect, session: Make
) -> None:
    visible = (NOW + timedelta(minutes=4)).isoformat()
    late = session(timedelta(minutes=16), _visible_from=visible)
    account = Account.of([late, session(3 * HOUR)])
    client = connect(serve(account))
    since = NOW - DAY
    assert pva.load_sessions(since=since, client=client).height == 1
    account.advance(next_load)
    once(pva.load_sessions(since=since, client=client), account.uuids())


def test_what_was_read_too_young_is_read_once_more_though_the_call_ends_before_the_present(
    serve: Serve, connect: Connect, session: Make
) -> None:
    late = session(timedelta(minutes=16), _visible_from=(NOW + timedelta(minutes=4)).isoformat())
    account = Account.of([late])
    server = serve(account)
    client = connect(server)
    asked = {"since": NOW - DAY, "until": NOW, "client": client}
    pva.load_sessions(**asked)
    account.advance(10 * DAY)
    once(pva.load_sessions(**asked), account.uuids())
    requests = len(server.log)
    pva.load_sessions(**asked)
    assert len(server.log) == requests


AHEAD = [timedelta(minutes=40), 3 * HOUR, DAY, "Fri, 31 Dec 9999 23:59:59 GMT"]


@pytest.mark.filterwarnings("ignore:The server's clock is")
@pytest.mark.parametrize("ahead", AHEAD, ids=str)
def test_a_date_header_that_is_ahead_once_calls_no_hour_of_the_future_complete(
    ahead: Any, serve: Serve, connect: Connect, session: Make
) -> None:
    account = Account.of([session(n * HOUR) for n in range(1, 9)])
    client = connect(serve(account, faults=[Fault.date(ahead)]))
    pva.load_sessions(since=NOW - DAY, until=NOW + 2 * DAY, client=client)
    assert complete(client)[-1].end <= to_us(NOW) - 15 * MINUTE
    account.advance(HOUR)
    account.insert(session(-timedelta(minutes=20)))
    once(pva.load_sessions(since=NOW - DAY, client=client), account.uuids())


@pytest.mark.parametrize("date", [None, "Thu, 01 Jan 1970 00:00:00 GMT", "yesterday"], ids=str)
@pytest.mark.parametrize("fast", [timedelta(0), 5 * HOUR])
def test_without_a_date_nothing_after_the_newest_row_is_called_complete(
    fast: timedelta, date: Any, serve: Serve, connect: Connect, session: Make
) -> None:
    account = Account.of([session(n * HOUR) for n in range(1, 9)])
    server = serve(account, faults=[Fault.date(date)] * 99)
    client = connect(server, clock=FrozenWallClock(NOW + fast))
    once(pva.load_sessions(since=NOW - DAY, until=NOW + fast, client=client), account.uuids())
    assert complete(client)[-1].end <= to_us(NOW) - 15 * MINUTE


@pytest.mark.parametrize(
    ("skew", "told"), [(timedelta(minutes=50), ""), (2 * HOUR, "ahead of"), (-2 * HOUR, "behind")]
)
def test_a_skew_of_over_an_hour_is_told_and_never_refused(
    skew: timedelta, told: str, serve: Serve, connect: Connect, session: Make
) -> None:
    account = Account.of([session(n * HOUR) for n in range(3, 9)])
    server = serve(account, behaviour=Behaviour(date_skew=skew))
    client = connect(server, clock=FrozenWallClock(NOW))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        once(
            pva.load_sessions(since=NOW - DAY, until=NOW - 2.5 * HOUR, client=client),
            account.uuids(),
        )
    assert [told in str(warning.message) for warning in caught] == [True] * bool(told)


# --- records that are not what they seem


def test_one_id_at_two_instants_is_one_row_and_noted(
    serve: Serve, connect: Connect, session: Make
) -> None:
    account = Account.of([session(HOUR + n * timedelta(minutes=3)) for n in range(61)])
    client = connect(serve(account, behaviour=Behaviour(duplicates="moved")))
    once(pva.load_sessions(client=client), account.uuids())
    codes = set(pva.issues(client=client)["code"])
    assert codes & {"record_twice", "instant_moved"}


@pytest.mark.parametrize("alias", [None, "Shop"])
def test_a_filter_that_no_row_confirms_is_told(
    alias: str | None, serve: Serve, connect: Connect, session: Make
) -> None:
    account = Account.of([session(n * HOUR, alias=alias) for n in range(1, 5)])
    client = connect(serve(account, behaviour=Behaviour(lenient_filters=True)))
    assert pulled(client, NOW - DAY, NOW, alias="Shop").tally.new == 4
    flags = pva.coverage(since=NOW - DAY, client=client)["flags"]
    assert ("filter not confirmed" in " ".join(flags)) == (alias is None)


def test_an_id_that_comes_back_at_another_instant_is_noted(
    serve: Serve, connect: Connect, session: Make
) -> None:
    first = session(9 * HOUR)
    account = Account.of([first])
    client = connect(serve(account))
    pva.load_sessions(client=client)
    account.replace({**first, "created_at": wire_time(NOW - 5 * HOUR)})
    with pytest.warns(pva.PlivoAnalysisWarning, match="new or had changed"):
        once(pva.load_sessions(client=client, verify=True), account.uuids())
    assert "instant_moved" in set(pva.issues(client=client)["code"])
