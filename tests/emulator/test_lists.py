"""Lists: filters, times, pages, refusals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from plivo_analysis.emulator import AUTH_ID, AUTH_TOKEN, Account, Server, generate
from plivo_analysis.emulator.listing import SESSIONS
from plivo_analysis.emulator.misbehaviour import Behaviour
from plivo_analysis.emulator.pages import Lister

if TYPE_CHECKING:
    from collections.abc import Callable

NOW = datetime(2026, 11, 2, 6, 58, tzinfo=UTC)


def session(key: str, created_at: str = "2026-11-02T06:00:00Z", **fields: Any) -> dict[str, Any]:
    return {"session_uuid": key, "created_at": created_at, "status": "expired", **fields}


def message(key: str, **fields: Any) -> dict[str, Any]:
    return {"message_uuid": key, "message_time": "2026-11-02 11:30:00+05:30", **fields}


@pytest.mark.parametrize(
    ("filters", "fields"),
    [
        ({"app_uuid": "app-1"}, {"app_uuid": "app-1"}),
        ({"status": "verified"}, {"status": "verified"}),
        ({"status": "verified"}, {"status": "Verified"}),
        ({"recipient": "+14155550100"}, {"recipient": "14155550100"}),
        ({"recipient": "14155550100"}, {"recipient": "14155550100"}),
        ({"subaccount": "SA1"}, {"_subaccount": "SA1"}),
        ({"brand_name": "Halt"}, {"_brand_name": "Halt"}),
        ({"brand_name": "Halt"}, {"attempt_details": [{"brand_name": "Halt"}]}),
        ({"app_hash": "hash"}, {"_app_hash": "hash"}),
        ({"country": "BD"}, {"destination_country_iso2": "BD"}),
        ({"alias": "Rider app"}, {"alias": "Rider app"}),
    ],
)
def test_a_session_filter_keeps_what_matches(
    serve: Callable[..., Any], filters: dict[str, str], fields: dict[str, Any]
) -> None:
    caller = serve(Account.of([session("other"), session("wanted", **fields)]))
    assert caller.keys(**filters) == ["wanted"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("message_direction", "inbound"),
        ("message_state", "undelivered"),
        ("message_type", "mms"),
        ("error_code", "000"),
        ("powerpack_id", "pool"),
        ("from_number", "14155550100"),
        ("to_number", "14155550100"),
        ("tendlc_campaign_id", "C1"),
        ("tendlc_registration_status", "registered"),
        ("destination_country_iso2", "US"),
        ("conversation_id", "c-1"),
        ("conversation_origin", "authentication"),
        ("_subaccount", "SA1"),
    ],
)
def test_a_message_filter_keeps_what_matches(
    serve: Callable[..., Any], name: str, value: str
) -> None:
    caller = serve(Account.of(messages=[message("other"), message("wanted", **{name: value})]))
    page = caller.page("Message/", **{name.lstrip("_"): value})
    assert [row["message_uuid"] for row in page["objects"]] == ["wanted"]


def test_filters_are_joined_by_and(serve: Callable[..., Any]) -> None:
    rows = [
        session("one", alias="Rider app"),
        session("both", alias="Rider app", destination_country_iso2="GB"),
    ]
    assert serve(Account.of(rows)).keys(alias="Rider app", country="GB") == ["both"]


def test_what_is_hidden_is_not_shown(serve: Callable[..., Any]) -> None:
    caller = serve(Account.of([session("a", _subaccount="SA1")]))
    assert caller.page()["sessions"] == [session("a")]


@pytest.mark.parametrize("value", ["validated", "Expired", "pending"])
def test_an_unknown_status_is_an_empty_list(serve: Callable[..., Any], value: str) -> None:
    assert serve(Account.of([session("a")])).keys(status=value) == []


def test_an_unknown_name_is_ignored(serve: Callable[..., Any]) -> None:
    assert serve(Account.of([session("a")])).keys(BrandName="", channel="voice") == ["a"]


MOMENTS = {
    "before": "2026-11-01T10:00:29.999999Z",
    "at": "2026-11-01T15:30:30+05:30",
    "after": "2026-11-01T10:00:30.000001Z",
}


@pytest.mark.parametrize(
    ("form", "kept"),
    [
        ("", ["at"]),
        ("__gt", ["after"]),
        ("__gte", ["after", "at"]),
        ("__lt", ["before"]),
        ("__lte", ["at", "before"]),
    ],
)
@pytest.mark.parametrize("spelling", ["2026-11-01 10:00:30", "2026-11-01 10:00:30.0"])
def test_each_form_of_a_time_bound_is_exact_to_the_microsecond(
    serve: Callable[..., Any], form: str, kept: list[str], spelling: str
) -> None:
    caller = serve(Account.of([session(key, at) for key, at in MOMENTS.items()]))
    assert caller.keys(**{f"session_time{form}": spelling}) == kept


def test_bounds_may_be_whole_minutes_and_both_sided(serve: Callable[..., Any]) -> None:
    caller = serve(Account.of([session(key, at) for key, at in MOMENTS.items()]))
    assert (
        len(caller.keys(session_time__gte="2026-11-01 10:00", session_time__lt="2026-11-01 10:01"))
        == 3
    )
    assert (
        caller.keys(session_time__gte="2026-11-01 10:01", session_time__lt="2026-11-01 10:01") == []
    )


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-01",
        "2026-11-01T10:00:00",
        "2026-11-01 10:00:00Z",
        "2026-11-01 10:00:00:123456",
        "2026-11-01 10:00:00.1234567",
        "2026-13-01 10:00",
        "2026-11-01 25:00",
        "yesterday",
        "٢٠٢٦-11-01 10:00",
    ],
)
def test_a_malformed_time_is_refused(serve: Callable[..., Any], text: str) -> None:
    reply = serve().ask("Verify/Session/", {"session_time__lt": text})
    assert reply.status_code == 400
    assert reply.json()["error"] == (
        "session_time__lt should be in the format YYYY-MM-DD HH:MM[:ss[.uuuuuu]]"
    )


@pytest.mark.parametrize("limit", ["0", "21", "-1", "abc", "1.5", "²"])
def test_a_limit_outside_1_to_20_is_refused(serve: Callable[..., Any], limit: str) -> None:
    reply = serve().ask("Verify/Session/", {"limit": limit})
    assert reply.status_code == 400
    assert reply.json()["error"] == "limit should be between 1 and 20"


@pytest.mark.parametrize("offset", ["-1", "abc"])
def test_an_offset_below_nought_is_refused(serve: Callable[..., Any], offset: str) -> None:
    reply = serve().ask("Verify/Session/", {"offset": offset})
    assert (reply.status_code, reply.json()["error"]) == (400, "offset should be 0 or more")


def test_without_bounds_the_window_is_the_last_24_hours(serve: Callable[..., Any]) -> None:
    rows = [
        session("yesterday", "2026-11-01T06:58:00Z"),
        session("earlier", "2026-11-01T06:57:59.999999Z"),
    ]
    caller = serve(Account.of(rows))
    assert caller.keys() == ["yesterday"]
    assert caller.keys(session_time__lte="2026-11-02 00:00") == ["yesterday", "earlier"]


def test_older_than_90_days_is_neither_listed_nor_retrieved(serve: Callable[..., Any]) -> None:
    account = Account.of(
        [session("in", "2026-08-04T06:58:00Z"), session("out", "2026-08-04T06:57:59Z")]
    )
    caller = serve(account)
    assert caller.keys(session_time__gte="2020-01-01 00:00") == ["in"]
    assert caller.ask("Verify/Session/out/").status_code == 404
    account.advance(timedelta(seconds=1))
    assert caller.keys(session_time__gte="2020-01-01 00:00") == []


def test_what_has_not_begun_is_not_listed(serve: Callable[..., Any]) -> None:
    account = Account.of([session("soon", "2026-11-02T06:58:01Z")])
    caller = serve(account)
    assert caller.keys() == []
    account.advance(timedelta(seconds=1))
    assert caller.keys() == ["soon"]


def test_newest_first_and_of_one_instant_the_last_given_first(serve: Callable[..., Any]) -> None:
    rows = [
        session("b"),
        session("c"),
        session("a", "2026-11-02T05:00:00Z"),
        session("d", "2026-11-02T11:40:00.5+05:30"),
    ]
    assert serve(Account.of(rows)).keys() == ["d", "c", "b", "a"]


@settings(deadline=None)
@given(
    total=st.integers(0, 60),
    limit=st.integers(1, 20),
    filtered=st.booleans(),
)
def test_pages_of_any_limit_concatenate_to_the_whole(
    total: int, limit: int, *, filtered: bool
) -> None:
    rows = [session(f"{n}", alias="odd" if n % 2 else "even") for n in range(total)]
    lister = Lister(Account.of(rows), Behaviour())
    whole = [f"{n}" for n in reversed(range(total)) if not filtered or n % 2]
    pairs = [("limit", str(limit))] + ([("alias", "odd")] if filtered else [])
    seen: list[str] = []
    pages = 0
    following: str | None = "?"
    while following:
        page = lister.page(SESSIONS, pairs)
        assert len(page["sessions"]) <= limit
        seen += [row["session_uuid"] for row in page["sessions"]]
        following = page["meta"]["next"]
        pairs = parse_qsl(urlsplit(following or "").query)
        pages += 1
    assert seen == whole
    assert pages == max(1, -(-len(whole) // limit))


def test_next_and_previous_keep_limit_and_filters(serve: Callable[..., Any]) -> None:
    rows = [session(f"{n}", alias="Rider app") for n in range(9)]
    page = serve(Account.of(rows)).page(
        limit=3, offset=3, alias="Rider app", session_time__gte="2026-11-01 00:00"
    )
    base = f"/v1/Account/{AUTH_ID}/Verify/Session/?limit=3&alias=Rider+app"
    base += "&session_time__gte=2026-11-01+00%3A00"
    assert page["meta"] == {
        "limit": 3,
        "offset": 3,
        "next": f"{base}&offset=6",
        "previous": f"{base}&offset=0",
    }


def test_next_is_null_on_a_full_last_page_and_beyond_the_end(serve: Callable[..., Any]) -> None:
    caller = serve(Account.of([session(f"{n}") for n in range(20)]))
    assert caller.page()["meta"]["next"] is None
    beyond = caller.page(offset=100)
    assert (beyond["sessions"], beyond["meta"]["next"]) == ([], None)


@pytest.mark.parametrize(
    "auth",
    [None, (AUTH_ID, "wrong"), ("MAOTHER0000000000000", AUTH_TOKEN), (AUTH_ID, "")],
)
def test_other_credentials_are_refused(auth: tuple[str, str] | None) -> None:
    with Server(Account.of()) as server, requests.Session() as http:
        http.trust_env = False
        url = f"{server.url}/v1/Account/{AUTH_ID}/Verify/Session/"
        reply = http.get(url, auth=auth, timeout=5)
    assert reply.status_code == 401
    assert reply.json() == {"error": "authentication credentials were not provided"}
    assert reply.headers["WWW-Authenticate"] == 'Basic realm="api"'


@pytest.mark.parametrize("header", ["Bearer abc", "Basic", "Basic ???", "Basic bm8="])
def test_a_malformed_authorization_is_refused(header: str) -> None:
    with Server(Account.of()) as server, requests.Session() as http:
        http.trust_env = False
        url = f"{server.url}/v1/Account/{AUTH_ID}/Verify/Session/"
        assert http.get(url, headers={"Authorization": header}, timeout=5).status_code == 401


def test_another_account_is_not_found(serve: Callable[..., Any]) -> None:
    caller = serve()
    url = f"{caller.server.url}/v1/Account/MAOTHER0000000000000/Verify/Session/"
    assert caller.http.get(url, timeout=5).status_code == 404


@pytest.mark.parametrize(
    "path", ["", "Verify/", "Verify/Session", "Verify/Session/a/b/", "Message", "Call/"]
)
def test_an_unknown_address_is_not_found(serve: Callable[..., Any], path: str) -> None:
    reply = serve(Account.of([session("a")])).ask(path)
    assert (reply.status_code, reply.json()["error"]) == (404, "not found")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH"])
def test_another_method_is_not_allowed(serve: Callable[..., Any], method: str) -> None:
    caller = serve()
    url = f"{caller.server.url}/v1/Account/{AUTH_ID}/Verify/Session/"
    reply = caller.http.request(method, url, json={"recipient": "14155550100"}, timeout=5)
    assert (reply.status_code, reply.json()["error"]) == (405, "method not allowed")
    assert caller.page()["sessions"] == []


def test_a_message_is_retrieved_as_it_is_listed(serve: Callable[..., Any]) -> None:
    caller = serve(Account.of(messages=[message("m-1", message_state="Sent")]))
    record = caller.page("Message/m-1/")
    assert record.pop("api_id")
    assert record == message("m-1", message_state="Sent")


def test_a_record_is_replaced_and_inserted(serve: Callable[..., Any]) -> None:
    account = Account.of([session("a"), session("b")])
    caller = serve(account)
    account.replace(session("a", status="verified"))
    account.insert(session("c", "2026-11-02T01:00:00Z"))
    assert caller.keys(status="verified") == ["a"]
    assert sorted(caller.keys()) == ["a", "b", "c"]
    with pytest.raises(KeyError, match="unknown"):
        account.replace(session("unknown"))


def test_generated_records_are_replaced_and_inserted(serve: Callable[..., Any]) -> None:
    account = generate(sessions=50)
    before = account.uuids()
    account.replace({**account.record(before[20]), "alias": "New"})
    account.insert(session("new"))
    caller = serve(account)
    assert sorted(account.uuids()) == sorted([*before, "new"])
    assert caller.keys(alias="New", session_time__gte="2026-01-01 00:00") == [before[20]]
    assert caller.page(f"Verify/Session/{before[20]}/")["alias"] == "New"
    assert caller.page(f"Verify/Session/{before[21]}/")["session_uuid"] == before[21]


def test_a_record_changes_as_the_clock_goes_on(serve: Callable[..., Any]) -> None:
    changes = {
        "2026-11-02T09:00:00+02:00": {"message_state": "sent"},
        "2026-11-02T08:00:00Z": {"message_state": "delivered", "total_amount": "0.00770"},
    }
    queued = message("m", message_state="queued", total_amount=None)
    account = Account.of(messages=[{**queued, "_changes": changes}])
    caller = serve(account)
    assert caller.page("Message/")["objects"] == [queued]
    account.advance(timedelta(minutes=2))
    assert caller.page("Message/", message_state="sent")["objects"][0]["total_amount"] is None
    account.advance(timedelta(hours=1))
    later = {**queued, "message_state": "delivered", "total_amount": "0.00770"}
    assert caller.page("Message/", message_state="delivered")["objects"] == [later]
    assert caller.page("Message/m/").items() >= later.items()
    assert caller.page("Message/", message_state="queued")["objects"] == []


def test_a_record_may_become_visible_long_after_its_time(serve: Callable[..., Any]) -> None:
    late = session("late", "2026-11-02T06:42:00Z", _visible_from="2026-11-02T07:02:00Z")
    account = Account.of([session("old"), late, session("new", "2026-11-02T06:50:00Z")])
    caller = serve(account)
    assert caller.keys() == account.uuids() == ["new", "old"]
    assert caller.ask("Verify/Session/late/").status_code == 404
    account.advance(timedelta(minutes=4))
    assert caller.keys() == account.uuids() == ["new", "late", "old"]
    assert caller.page("Verify/Session/late/")["session_uuid"] == "late"
    assert account.expected().sessions == 3


def test_a_change_at_no_time_is_refused() -> None:
    account = Account.of([session("a", _changes={"soon": {}})])
    with pytest.raises(ValueError, match="'soon' is no time"):
        account.record("a")


def test_a_time_that_cannot_be_read_stands_a_minute_ago(serve: Callable[..., Any]) -> None:
    account = Account.of(
        [session("odd", "soon"), session("old"), session("new", "2026-11-02T06:57:30Z")]
    )
    assert serve(account).keys() == ["new", "odd", "old"]


def test_the_date_header_is_the_accounts_time(serve: Callable[..., Any]) -> None:
    account = Account.of()
    caller = serve(account)
    assert caller.ask("Verify/Session/").headers["Date"] == "Mon, 02 Nov 2026 06:58:00 GMT"
    account.now = datetime(2026, 12, 24, tzinfo=UTC)
    assert caller.ask("Verify/Session/").headers["Date"] == "Thu, 24 Dec 2026 00:00:00 GMT"


def test_a_running_clock_runs_and_a_frozen_one_stands() -> None:
    running, frozen = Account.of(frozen=False), Account.of()
    assert NOW < running.now < running.now < NOW + timedelta(minutes=5)
    assert frozen.now == frozen.now == NOW


def test_every_answer_has_an_id_of_its_own(serve: Callable[..., Any]) -> None:
    caller = serve()
    assert caller.page()["api_id"] != caller.page()["api_id"]


def test_the_log_says_what_was_asked(serve: Callable[..., Any]) -> None:
    caller = serve()
    caller.ask("Verify/Session/", {"limit": "99", "recipient": "+14155550100"})
    line = caller.server.log[-1]
    assert (line.method, line.path) == ("GET", f"/v1/Account/{AUTH_ID}/Verify/Session/")
    assert (line.query, line.status) == ({"limit": "99", "recipient": "+14155550100"}, 400)


def test_connections_stay_open_for_further_requests(serve: Callable[..., Any]) -> None:
    caller = serve()
    for _ in range(3):
        caller.page()
    assert len(caller.server._http.connections) == 1


def test_closing_twice_and_reusing_the_port(serve: Callable[..., Any]) -> None:
    first = serve()
    first.page()
    port = first.server.port
    first.server.close()
    first.server.close()
    with pytest.raises(requests.ConnectionError):
        first.page()
    assert serve(port=port).server.port == port
