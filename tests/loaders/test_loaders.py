"""Loaders against the emulator over real sockets: every record once, or a named gap."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pandas as pd
import polars as pl
import pytest

import plivo_analysis as pva
from plivo_analysis.api.columns import MESSAGES as MESSAGE_TABLE
from plivo_analysis.api.columns import SESSIONS
from plivo_analysis.api.filters import Filter
from plivo_analysis.api.resources import SESSION_RESOURCE
from plivo_analysis.emulator import AUTH_ID, AUTH_TOKEN, Account, Behaviour, Fault, generate
from plivo_analysis.emulator.account import DEFAULT_NOW as NOW
from plivo_analysis.emulator.listing import MESSAGES
from plivo_analysis.errors import PlivoAnalysisWarning
from plivo_analysis.sync.pull import Question, pull
from plivo_analysis.system.clock import Cancelled, FrozenWallClock

if TYPE_CHECKING:
    from collections.abc import Callable

    from plivo_analysis.emulator import Server

    Serve = Callable[..., Server]
    Connect = Callable[..., pva.Client]
    Make = Callable[..., dict[str, Any]]

SIZES = [0, 1, 19, 20, 21, 40, 41]
HOUR = timedelta(hours=1)


def once(frame: Any, expected: list[str], key: str = "session_uuid") -> None:
    """Every expected record exactly once, and no other."""
    assert Counter(frame[key].to_list()) == Counter(expected)


@pytest.mark.parametrize("backend", ["polars", "pandas"])
@pytest.mark.parametrize("size", [*SIZES, pytest.param(10_000, marks=pytest.mark.slow)])
def test_an_account_of_any_size_is_loaded_whole(
    size: int, backend: str, serve: Serve, connect: Connect
) -> None:
    account = generate(sessions=size)
    server = serve(account)
    frame = pva.load_sessions(since="90d", client=connect(server), backend=backend)
    once(frame, account.uuids())
    assert len(frame) == size
    assert isinstance(frame, pl.DataFrame if backend == "polars" else pd.DataFrame)
    assert len(server.log) <= size / 18 + 5


@pytest.mark.parametrize("backend", ["polars", "pandas"])
def test_messages_are_loaded_whole(backend: str, serve: Serve, connect: Connect) -> None:
    account = generate(sessions=300)
    frame = pva.load_messages(since="90d", client=connect(serve(account)), backend=backend)
    once(frame, account.uuids(listing=MESSAGES), "message_uuid")
    assert list(frame.columns) == MESSAGE_TABLE.names


def test_the_table_has_the_columns_and_types_of_the_schema(serve: Serve, connect: Connect) -> None:
    for size in (0, 50):
        client = connect(serve(generate(sessions=size)))
        assert pva.load_sessions(since="90d", client=client).schema == SESSIONS.polars()
        frame = pva.load_sessions(since="90d", client=client, backend="pandas")
        arrow = {column.name: pd.ArrowDtype(column.arrow()) for column in SESSIONS.columns}
        assert frame.dtypes.to_dict() == arrow


BEHAVIOURS = {
    "quiet": Behaviour(),
    "inserts at the head": Behaviour(inserts=3),
    "ageing at the 90-day edge": Behaviour(ages=timedelta(seconds=20)),
    "random order of ties": Behaviour(ties="random"),
    "offset ignored, cursor": Behaviour(paging="cursor"),
    "offset and cursor": Behaviour(paging="hybrid"),
    "next null on full pages": Behaviour(next_page="null"),
    "next set at the end": Behaviour(next_page="always"),
    "short pages with next set": Behaviour(short_by=3),
    "ascending": Behaviour(order="oldest"),
    "random order": Behaviour(order="random"),
    "bounds cut to the second": Behaviour(precision=timedelta(seconds=1)),
    "bounds cut to the minute": Behaviour(precision=timedelta(minutes=1)),
    "null lists": Behaviour(empty="null"),
    "another container": Behaviour(list_key="objects"),
    "25 rows a page": Behaviour(page_size=25),
    "10 rows a page": Behaviour(page_size=10),
    "rows doubled in a page": Behaviour(duplicates="same"),
    "no meta": Behaviour(meta="missing"),
    "numbers as text in meta": Behaviour(meta="text"),
    "a wrong total": Behaviour(total_count="wrong"),
    "no Date header": Behaviour(date=False),
    "a next page on another host": Behaviour(next_url="https://attacker.invalid/v1/?offset=20"),
}


@pytest.mark.parametrize("behaviour", BEHAVIOURS.values(), ids=list(BEHAVIOURS))
def test_a_server_may_behave_in_many_ways_and_no_row_is_lost_or_doubled(
    behaviour: Behaviour, serve: Serve, connect: Connect
) -> None:
    account = generate(sessions=400)
    client = connect(serve(account, behaviour=behaviour))
    since, until = NOW - timedelta(days=90), NOW
    stays = since + timedelta(hours=1)  # the margin in which rows may age out meanwhile
    before = account.uuids(stays, until)
    frame = pva.load_sessions(since=since, until=until, client=client)
    once(frame.filter(pl.col("created_at") >= stays), before)


def test_sixty_rows_of_one_instant_are_all_loaded_and_flagged(
    serve: Serve, connect: Connect, session: Make
) -> None:
    account = Account.of([session() for _ in range(60)] + [session(3 * HOUR)])
    client = connect(serve(account, behaviour=Behaviour(ties="random")))
    once(pva.load_sessions(client=client), account.uuids())
    assert "probable" in " ".join(pva.coverage(client=client)["flags"])


def test_asking_again_for_a_closed_range_costs_no_request(serve: Serve, connect: Connect) -> None:
    server = serve(generate(sessions=300))
    client = connect(server)
    window = {"since": date(2026, 10, 1), "until": date(2026, 10, 20), "client": client}
    first = pva.load_sessions(**window)
    asked = len(server.log)
    assert pva.load_sessions(**window).equals(first)
    narrower = pva.load_sessions(
        since=date(2026, 10, 5), until=date(2026, 10, 9), status="verified", client=client
    )
    assert set(narrower["status"]) == {"verified"}
    assert len(server.log) == asked


def test_a_second_client_on_the_same_folder_reads_nothing_twice(
    serve: Serve, connect: Connect, tmp_path: Any
) -> None:
    server = serve(generate(sessions=200))
    window = {"since": date(2026, 10, 1), "until": date(2026, 10, 20)}
    first = pva.load_sessions(**window, client=connect(server, store=tmp_path))
    asked = len(server.log)
    assert pva.load_sessions(**window, client=connect(server, store=tmp_path)).equals(first)
    assert len(server.log) == asked


def test_a_range_that_reaches_the_present_asks_for_the_tail_and_the_late_hour_only(
    serve: Serve, connect: Connect, session: Make
) -> None:
    account = Account.of([session(hours * HOUR) for hours in range(1, 24)])
    server = serve(account)
    client = connect(server)
    pva.load_sessions(client=client)
    asked = len(server.log)
    pva.load_sessions(client=client)
    assert len(server.log) - asked == 2


def test_a_late_row_in_the_hour_before_the_tail_is_found(
    serve: Serve, connect: Connect, session: Make
) -> None:
    account = Account.of([session(2 * HOUR)])
    client = connect(serve(account))
    assert pva.load_sessions(client=client).height == 1
    account.insert(session(timedelta(minutes=40)))
    assert pva.load_sessions(client=client).height == 2


def test_verify_finds_a_late_row_anywhere_and_says_so(
    serve: Serve, connect: Connect, session: Make
) -> None:
    account = Account.of([session(20 * HOUR)])
    client = connect(serve(account))
    pva.load_sessions(client=client)
    account.insert(session(10 * HOUR))
    assert pva.load_sessions(client=client).height == 1
    with pytest.warns(PlivoAnalysisWarning, match="1 sessions were new or had changed"):
        assert pva.load_sessions(client=client, verify=True).height == 2


def test_a_session_that_verified_is_seen_by_the_next_call_though_updated_at_did_not_move(
    serve: Serve, connect: Connect, session: Make
) -> None:
    waiting = session(5 * HOUR, status="in-progress")
    account = Account.of([waiting, session(6 * HOUR, status="in-progress"), session(7 * HOUR)])
    server = serve(account)
    client = connect(server)
    pva.load_sessions(client=client)
    account.replace({**waiting, "status": "verified"})
    asked = len(server.log)
    frame = pva.load_sessions(client=client)
    assert Counter(frame["status"]) == {"verified": 2, "in-progress": 1}
    # the tail, the late hour, one listing of what is open, and the one that is gone from it
    assert len(server.log) - asked == 4


def test_a_price_that_came_later_is_seen_by_the_next_call(
    serve: Serve, connect: Connect, session: Make
) -> None:
    priced = session(5 * HOUR)
    account = Account.of([{**priced, "charges": {"total_charge": None}}])
    client = connect(serve(account))
    assert pva.load_sessions(client=client)["total_charge"].to_list() == [None]
    account.replace(priced)
    assert str(pva.load_sessions(client=client)["total_charge"][0]) == "0.00770000"


def test_a_settled_session_never_becomes_open_again(
    serve: Serve, connect: Connect, session: Make
) -> None:
    settled = session(timedelta(minutes=5))
    account = Account.of([settled])
    client = connect(serve(account))
    pva.load_sessions(client=client)
    account.replace({**settled, "status": "in-progress"})
    assert pva.load_sessions(client=client)["status"].to_list() == ["verified"]
    assert "went_back" in pva.issues(client=client)["code"].to_list()


def test_a_status_filter_misses_no_session_that_settles_between_two_calls(
    serve: Serve, connect: Connect, session: Make
) -> None:
    waiting = session(5 * HOUR, status="in-progress")
    account = Account.of([waiting, session(6 * HOUR, status="expired"), session(7 * HOUR)])
    client = connect(serve(account))
    assert pva.load_sessions(status="expired", client=client).height == 1
    account.replace({**waiting, "status": "expired"})
    assert pva.load_sessions(status="expired", client=client).height == 2


def test_rows_that_leave_a_status_filter_while_it_is_read_lose_no_other(
    serve: Serve, connect: Connect, session: Make
) -> None:
    opened = [session(timedelta(minutes=20 + n), status="in-progress") for n in range(70)]
    account = Account.of(opened)
    client = connect(serve(account, behaviour=Behaviour(settles=2)))
    kept = set(account.uuids())
    frame = pva.load_sessions(status="in-progress", client=client)
    still = {key for key in kept if account.record(key)["status"] == "in-progress"}
    assert still <= set(frame["session_uuid"])


def test_each_filter_gives_what_the_account_holds(serve: Serve, connect: Connect) -> None:
    account = generate(sessions=500)
    server = serve(account)
    everything = pva.load_sessions(since="90d", client=connect(server))
    row = everything.filter(
        pl.col("alias").is_not_null() & pl.col("destination_country_iso2").is_not_null()
    ).row(0, named=True)
    chosen = {
        "status": ("status", "verified"),
        "app_uuid": ("app_uuid", row["app_uuid"]),
        "recipient": ("recipient", row["recipient"]),
    }
    for argument, (column, value) in chosen.items():
        fresh = connect(server)
        frame = pva.load_sessions(since="90d", client=fresh, **{argument: value})
        expected = everything.filter(pl.col(column) == value)
        once(frame, expected["session_uuid"].to_list())
        assert frame.height > 0


@pytest.mark.parametrize("argument", ["brand_name", "app_hash", "subaccount"])
def test_a_filter_that_no_row_confirms_is_answered_by_what_the_server_listed(
    argument: str, serve: Serve, connect: Connect, session: Make
) -> None:
    value = "SAXXXXXXXXXXXXXXXXXX" if argument == "subaccount" else "Shop"
    wanted = session(5 * HOUR, **{f"_{argument}": value})
    account = Account.of([wanted, session(6 * HOUR)])
    client = connect(serve(account))
    assert pva.load_sessions(client=client).height == 2
    for _ in range(2):
        once(pva.load_sessions(client=client, **{argument: value}), [wanted["session_uuid"]])


def test_a_sender_s_name_is_matched_exactly_by_the_server_and_on_stored_rows(
    serve: Serve, connect: Connect, message: Make
) -> None:
    names = ["ACME OTP", "ACME-OTP", "ACMEOTP"]
    messages = {name: message(from_number=name) for name in names}
    server = serve(Account.of(messages=messages.values()))
    warm = connect(server)
    assert pva.load_messages(client=warm).height == 3
    for name in names:
        for client in (connect(server), warm):
            frame = pva.load_messages(client=client, from_number=name)
            assert frame["from_number"].to_list() == [name]


def test_a_filter_that_nothing_confirms_is_a_warning(
    serve: Serve, connect: Connect, session: Make
) -> None:
    records = [session(HOUR * hours, alias=None) for hours in (3, 4)]
    client = connect(serve(Account.of(records), behaviour=Behaviour(ignores=("alias",))))
    with pytest.warns(pva.PlivoAnalysisWarning, match="No row says anything of alias"):
        assert pva.load_sessions(alias="shop", client=client).height == 2


def test_a_number_that_the_api_hides_in_part_is_compared_by_the_digits_it_shows(
    serve: Serve, connect: Connect, message: Make
) -> None:
    fits = message(to_number="141XXXXX142")
    client = connect(
        serve(Account.of(messages=[fits]), behaviour=Behaviour(ignores=("to_number",)))
    )
    with pytest.warns(pva.PlivoAnalysisWarning, match="No row says anything of to_number"):
        assert pva.load_messages(to_number="14155550142", client=client).height == 1
    with pytest.raises(pva.BadResponseError, match="did not keep to the filter"):
        pva.load_messages(to_number="14155550143", client=client)


def test_a_filter_that_the_server_ignores_is_an_error_not_a_table(
    serve: Serve, connect: Connect
) -> None:
    behaviour = Behaviour(ignores=("app_uuid",))
    client = connect(serve(generate(sessions=50), behaviour=behaviour))
    with pytest.raises(pva.BadResponseError, match=r"did not keep to the filter \(app_uuid\)"):
        pva.load_sessions(
            since="90d", app_uuid="00000000-0000-4000-8000-000000000000", client=client
        )


@pytest.mark.parametrize("bound", ["session_time__gte", "session_time__lt"])
def test_a_bound_that_the_server_ignores_is_an_error_not_a_table(
    bound: str, serve: Serve, connect: Connect, session: Make
) -> None:
    account = Account.of([session(hours * HOUR) for hours in (1, 30, 60)])
    client = connect(serve(account, behaviour=Behaviour(ignores=(bound,))))
    with pytest.raises(pva.BadResponseError, match="outside of the time"):
        pva.load_sessions(since=NOW - 40 * HOUR, until=NOW - 20 * HOUR, client=client)


def test_a_pull_that_broke_off_goes_on_where_it_stood(serve: Serve, connect: Connect) -> None:
    account = generate(sessions=600)
    window = {"since": NOW - timedelta(days=80), "until": NOW - timedelta(days=1)}
    whole = serve(account)
    expected = pva.load_sessions(**window, client=connect(whole))
    down = [Fault.status(503)] * 5
    server = serve(account, faults=[None] * 9 + down)
    client = connect(server)
    with pytest.raises(pva.PlivoServerError, match="503"):
        pva.load_sessions(**window, client=client)
    assert pva.load_sessions(**window, client=client).equals(expected)
    answered = [request for request in server.log if request.status == 200]
    assert len(answered) == len(whole.log)


def test_ctrl_c_keeps_what_was_read(serve: Serve, connect: Connect) -> None:
    account = generate(sessions=600)
    server = serve(account)
    client = connect(server)
    window = {"since": NOW - timedelta(days=80), "until": NOW - timedelta(days=1)}

    def interrupt(done: int, total: int, message: str) -> None:
        if done >= 10:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pva.load_sessions(**window, client=client, progress=interrupt)
    once(
        pva.load_sessions(**window, client=client),
        account.uuids(window["since"], window["until"]),
    )
    fresh = serve(account)
    pva.load_sessions(**window, client=connect(fresh))
    assert len(server.log) == len(fresh.log)


def test_a_cancelled_pull_ends_at_once_and_keeps_what_was_read(
    serve: Serve, connect: Connect
) -> None:
    server = serve(generate(sessions=600))
    client = connect(server)
    cancel = threading.Event()

    class Watch:
        def page(self, *, requests: int, rows: int, share: float) -> None:
            if requests == 7:
                cancel.set()

        def waiting(self, seconds: float) -> None:
            pass

    everything = Filter.of(SESSION_RESOURCE)
    question = Question(everything, lambda now: (now - timedelta(days=80), now))
    with pytest.raises(Cancelled):
        pull(client, question, watch=Watch(), cancel=cancel)
    assert len(server.log) == 7
    assert pva.coverage(since="80d", client=client)["rows"].sum() >= 99


def test_progress_tells_requests_and_minutes_left(serve: Serve, connect: Connect) -> None:
    said: list[tuple[int, int, str]] = []
    client = connect(serve(generate(sessions=400)), requests_per_minute=100_000)
    pva.load_sessions(since="90d", client=client, progress=lambda *heard: said.append(heard))
    assert [done for done, _, _ in said] == list(range(1, len(said) + 1))
    assert all(done <= total for done, total, _ in said)
    assert f"{len(said):,} of" in said[-1][2]
    assert "sessions read" in said[-1][2]


def test_what_lies_beyond_ninety_days_is_named(serve: Serve, connect: Connect) -> None:
    account = generate(sessions=100)
    client = connect(serve(account))
    with pytest.raises(
        pva.IncompletePullError, match=r"older than 90 days: 2026-07-01 .* to 2026-08-04 06:58"
    ) as raised:
        pva.load_sessions(since="2026-07-01", client=client)
    once(raised.value.frame, account.uuids())
    start, end = raised.value.missing[0]
    assert start == datetime(2026, 7, 1, tzinfo=UTC)
    assert end == NOW - timedelta(days=90)


def test_partial_return_warns_and_gives_what_there_is(serve: Serve, connect: Connect) -> None:
    account = generate(sessions=100)
    client = connect(serve(account))
    with pytest.warns(PlivoAnalysisWarning, match="older than 90 days"):
        frame = pva.load_sessions(since="2026-07-01", client=client, partial="return")
    once(frame, account.uuids())


def test_old_data_outlive_the_ninety_days(serve: Serve, connect: Connect, session: Make) -> None:
    account = Account.of([session(timedelta(days=89))])
    client = connect(serve(account))
    since, until = NOW - timedelta(days=90), NOW - timedelta(days=80)
    assert pva.load_sessions(since=since, until=until, client=client).height == 1
    account.now = NOW + timedelta(days=30)
    assert pva.load_sessions(since=since, until=until, client=client).height == 1


def test_a_server_whose_clock_differs_is_followed(
    serve: Serve, connect: Connect, session: Make
) -> None:
    account = Account.of([session(23 * HOUR), session(timedelta(minutes=1))])
    account.now = NOW

    class Slow(type(connect(serve(account)).clock)):  # type: ignore[misc] # the test's clock, an hour late
        def now(self) -> datetime:
            return super().now() - HOUR

    client = connect(serve(account), clock=Slow(account))
    assert pva.load_sessions(client=client).height == 2
    assert client.now() == NOW


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"status": "pending"}, "in-progress"),
        ({"since": "2026-10-02", "until": "2026-10-01"}, "since"),
        ({"since": "yesterday"}, "since is 'yesterday'"),
        ({"recipient": "call me"}, "recipient"),
        ({"app_uuid": "../../Message"}, "app_uuid"),
        ({"country": "India"}, "country"),
        ({"backend": "spark"}, "backend is 'spark'; it can be 'polars' or 'pandas'"),
        ({"recipients": "hidden"}, "'full' or 'masked' or 'pseudonym'"),
        ({"recipients": "14155550123"}, r"recipients is '1 ••• ••• ••23'; it can be 'full'"),
        ({"partial": "maybe"}, "partial"),
        ({"partial": None}, "partial is of type NoneType; it can be 'raise' or 'return'"),
        ({"progress": "yes"}, "progress takes None, True, False or a callable"),
    ],
)
def test_a_wrong_argument_is_named_before_any_request(
    arguments: dict[str, Any], sentence: str, serve: Serve, connect: Connect
) -> None:
    server = serve(generate(sessions=10))
    with pytest.raises(pva.FilterError, match=sentence):
        pva.load_sessions(client=connect(server), **arguments)
    assert server.log == []


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (pva.coverage, "resource is of type DataFrame; it can be 'sessions'"),
        (pva.issues, "resource is of type DataFrame"),
        (lambda frame: pva.coverage("session"), "resource is 'session'; it can be 'sessions' or"),
        (lambda frame: pva.load_sessions(client=frame), "client is of type DataFrame"),
        (lambda frame: pva.load_sessions(since=frame), "since is "),
        (pva.load_session, "session_uuid is of type DataFrame"),
    ],
)
def test_a_frame_in_the_place_of_an_argument_is_named(
    call: Callable[[pl.DataFrame], Any], sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLIVO_AUTH_ID", AUTH_ID)
    monkeypatch.setenv("PLIVO_AUTH_TOKEN", AUTH_TOKEN)
    monkeypatch.setenv("PLIVO_API_URL", "http://127.0.0.1:9")
    with pytest.raises(pva.FilterError, match=sentence):
        call(pl.DataFrame({"status": ["verified"]}))


def test_fields_that_came_later_have_their_columns(
    serve: Serve, connect: Connect, message: Make
) -> None:
    record = message(
        mcc="310",
        mnc="004",
        log_preference=True,
        conversation_expiry_timestamp="2026-11-03 10:00:00+05:30",
    )
    both = message(
        conversation_expiration_timestamp="2026-11-03 10:00:00+00:00",
        conversation_expiry_timestamp="2026-11-04 10:00:00+00:00",
    )
    client = connect(serve(Account.of(messages=[record, both])))
    first, second = sorted(
        pva.load_messages(client=client).to_dicts(), key=lambda row: row["mcc"] is None
    )
    assert (first["mcc"], first["mnc"], first["log_preference"]) == ("310", "004", "true")
    expires = first["conversation_expiration_timestamp"]
    assert expires.isoformat() == "2026-11-03T04:30:00+00:00"
    assert first["extra"] is None
    assert second["conversation_expiration_timestamp"].day == 3
    assert "2026-11-04" in second["extra"]


def test_a_page_that_is_not_json_is_an_error_not_an_empty_table(
    serve: Serve, connect: Connect
) -> None:
    page = Fault.body(b"<html>Sorry</html>", "text/html")
    client = connect(serve(generate(sessions=10), faults=[page] * 9))
    with pytest.raises(pva.BadResponseError, match=r"JSON|web page|HTML"):
        pva.load_sessions(client=client)


def test_a_server_that_is_not_there_is_named(serve: Serve, connect: Connect) -> None:
    server = serve(generate(sessions=10))
    client = connect(server)
    server.close()
    with pytest.raises(pva.TransportError, match=r"127\.0\.0\.1"):
        pva.load_sessions(client=client)


def test_no_credentials_names_both_variables_and_the_demo() -> None:
    with pytest.raises(
        pva.CredentialsError, match=r"PLIVO_AUTH_ID and PLIVO_AUTH_TOKEN.*pva\.demo\(\)"
    ):
        pva.load_sessions()


def test_the_environment_names_the_account(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    server = serve(generate(sessions=10))
    monkeypatch.setenv("PLIVO_AUTH_ID", server.account.auth_id)
    monkeypatch.setenv("PLIVO_AUTH_TOKEN", server.account.auth_token)
    monkeypatch.setenv("PLIVO_API_URL", server.url)
    monkeypatch.setenv("PLIVO_ANALYSIS_HOME", str(tmp_path))
    monkeypatch.setattr("plivo_analysis.client.Clock", lambda: FrozenWallClock(NOW))
    frame = pva.load_sessions(since=NOW - timedelta(days=3), until=NOW)
    once(frame, server.account.uuids(NOW - timedelta(days=3), NOW))
    assert (tmp_path / "data").is_dir()


def test_recipients_can_be_masked_or_given_pseudonyms(serve: Serve, connect: Connect) -> None:
    client = connect(serve(generate(sessions=200)))
    full, masked, named = (
        pva.load_sessions(since="90d", client=client, recipients=how)["recipient"].to_list()
        for how in ("full", "masked", "pseudonym")
    )
    assert all(number.isdigit() for number in full)
    assert not set(full) & set(masked)
    assert all(number[-2:] == shown[-2:] for number, shown in zip(full, masked, strict=True))
    assert len(set(zip(full, named, strict=True))) == len(set(full)) == len(set(named))


def test_one_session_by_its_id(serve: Serve, connect: Connect) -> None:
    account = generate(sessions=30)
    server = serve(account)
    client = connect(server)
    key = account.uuids()[-1]
    frame = pva.load_session(key, client=client)
    assert frame["session_uuid"].to_list() == [key]
    assert frame.schema == SESSIONS.polars()
    assert pva.load_session(key.upper(), client=client).equals(frame)
    assert len(server.log) == 1
    listed = pva.load_sessions(since="90d", client=connect(server))
    assert listed.filter(pl.col("session_uuid") == key).equals(frame)


def test_an_unknown_session_and_a_wrong_id_are_told_apart(serve: Serve, connect: Connect) -> None:
    server = serve(generate(sessions=10))
    client = connect(server)
    with pytest.raises(pva.ResourceNotFoundError):
        pva.load_session("00000000-0000-4000-8000-000000000000", client=client)
    asked = len(server.log)
    for wrong in ("../../Message", "%2e%2e", "a?x=1", ""):
        with pytest.raises(pva.FilterError, match="session_uuid"):
            pva.load_session(wrong, client=client)
    assert len(server.log) == asked


def test_what_is_odd_is_listed_and_nothing_is_dropped(
    serve: Serve, connect: Connect, session: Make
) -> None:
    odd = session(2 * HOUR)
    odd["charges"]["total_charge"] = "1_000"
    account = Account.of([odd, session(3 * HOUR, attempt_details={"channel": "sms"})])
    client = connect(serve(account))
    with pytest.warns(pva.PlivoAnalysisWarning, match="1 session of this range set aside") as told:
        frame = pva.load_sessions(client=client)
    assert "The attempts are no list of objects. (1)" in str(told[0].message)
    assert "pva.issues('sessions')" in str(told[0].message)
    assert told[0].filename == __file__
    assert frame["total_charge"].to_list() == [None]
    listed = pva.issues(client=client)
    assert {"money_unreadable", "attempts_unreadable"} <= set(listed["code"])
    assert listed.filter(pl.col("set_aside"))["key"].n_unique() == 1


def test_two_accounts_of_one_folder_share_no_rows(
    serve: Serve, connect: Connect, tmp_path: Any
) -> None:
    first, second = generate(sessions=20, seed=1), generate(sessions=20, seed=2)
    for account in (first, second):
        client = connect(serve(account), store=tmp_path)
        once(pva.load_sessions(since="90d", client=client), account.uuids())


def test_several_threads_may_share_a_client(serve: Serve, connect: Connect) -> None:
    account = generate(sessions=200)
    client = connect(serve(account))
    frames: list[pl.DataFrame] = []

    def load() -> None:
        frames.append(pva.load_sessions(since="90d", client=client))

    threads = [threading.Thread(target=load) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for frame in frames:
        once(frame, account.uuids())
    assert len(frames) == 3
