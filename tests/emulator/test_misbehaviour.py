"""Each knob does what it says, and nothing else."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from plivo_analysis.emulator import Account, Behaviour

if TYPE_CHECKING:
    from collections.abc import Callable


def rows(count: int, **fields: Any) -> list[dict[str, Any]]:
    """One session a minute, of which 0 is the oldest."""
    return [
        {
            "session_uuid": f"{n:032x}",
            "created_at": f"2026-11-02T05:{n:02}:30.5Z",
            "status": "expired",
            "alias": f"app {n % 2}",
            **fields,
        }
        for n in range(count)
    ]


def numbers(page: dict[str, Any], key: str = "sessions") -> list[int]:
    return [int(row["session_uuid"], 16) for row in page[key] or ()]


def walked(caller: Any, **params: Any) -> list[int]:
    return [number for page in caller.walk(**params) for number in numbers(page)]


NEWEST_FIRST = list(reversed(range(45)))


def test_the_default_is_the_documented_service(serve: Callable[..., Any]) -> None:
    assert walked(serve(Account.of(rows(45)), behaviour=Behaviour())) == NEWEST_FIRST


def test_inserts_arrive_at_the_head_and_push_rows_to_later_pages(
    serve: Callable[..., Any],
) -> None:
    caller = serve(Account.of(rows(45)), behaviour=Behaviour(inserts=3))
    first, second = caller.page(), caller.page(offset=20)
    assert numbers(second)[:3] == numbers(first)[-3:]
    newest = caller.page()["sessions"]
    assert [row["channel"] for row in newest[:6]] == ["sms"] * 6
    assert len({row["created_at"] for row in newest}) == 20
    assert len(caller.server.account.uuids()) == 45 + 9


def test_ages_moves_the_clock_and_rows_out_of_reach(serve: Callable[..., Any]) -> None:
    account = Account.of(rows(3))
    caller = serve(account, behaviour=Behaviour(ages=timedelta(days=45)))
    since = {"session_time__gte": "2026-01-01 00:00"}
    assert [len(caller.page(**since)["sessions"]) for _ in range(4)] == [3, 3, 0, 0]


def test_settles_takes_rows_out_of_a_status_filter(serve: Callable[..., Any]) -> None:
    account = Account.of(rows(45, status="in-progress"))
    caller = serve(account, behaviour=Behaviour(settles=5))
    assert numbers(caller.page(status="in-progress")) == NEWEST_FIRST[:20]
    assert numbers(caller.page(status="in-progress", offset=20)) == NEWEST_FIRST[25:45]
    assert len(caller.page(status="verified")["sessions"]) == 10


def test_late_rows_appear_when_their_time_has_come(serve: Callable[..., Any]) -> None:
    account = Account.of(rows(45))
    caller = serve(account, behaviour=Behaviour(late=timedelta(hours=2)))
    assert set(NEWEST_FIRST) - set(walked(caller)) == {0, 16, 32}
    account.advance(timedelta(minutes=20))
    assert set(NEWEST_FIRST) - set(walked(caller)) == {32}


def test_oldest_first(serve: Callable[..., Any]) -> None:
    caller = serve(Account.of(rows(45)), behaviour=Behaviour(order="oldest"))
    assert walked(caller) == list(range(45))


def test_random_order_is_anew_for_each_request(serve: Callable[..., Any]) -> None:
    caller = serve(Account.of(rows(45)), behaviour=Behaviour(order="random"))
    first, second = numbers(caller.page()), numbers(caller.page())
    assert first != second
    assert first != sorted(first, reverse=True)


def test_random_ties_mix_rows_of_one_instant_only(serve: Callable[..., Any]) -> None:
    tied = [{**row, "created_at": "2026-11-02T04:00:00Z"} for row in rows(30)]
    later = {**rows(1)[0], "session_uuid": f"{99:032x}"}
    caller = serve(Account.of([*tied, later]), behaviour=Behaviour(ties="random"))
    first, second = numbers(caller.page()), numbers(caller.page())
    assert first[0] == second[0] == 99
    assert first != second


def test_a_cursor_leads_through_and_an_offset_is_ignored(serve: Callable[..., Any]) -> None:
    caller = serve(Account.of(rows(45)), behaviour=Behaviour(paging="cursor"))
    assert "cursor=" in caller.page()["meta"]["next"]
    assert "offset=" not in caller.page()["meta"]["next"]
    assert walked(caller, limit=7) == NEWEST_FIRST
    assert numbers(caller.page(offset=20)) == NEWEST_FIRST[:20]
    assert numbers(caller.page(cursor="nonsense")) == NEWEST_FIRST[:20]


def test_a_cursor_survives_the_loss_of_its_row(serve: Callable[..., Any]) -> None:
    account = Account.of(rows(45, status="in-progress"))
    caller = serve(account, behaviour=Behaviour(paging="cursor"))
    following = caller.page(status="in-progress")["meta"]["next"]
    account.replace({**account.record(f"{25:032x}"), "status": "verified"})
    page = caller.http.get(caller.server.url + following, timeout=5).json()
    assert numbers(page) == NEWEST_FIRST[20:40]


def test_in_a_hybrid_service_an_offset_beside_the_cursor_wins(
    serve: Callable[..., Any],
) -> None:
    caller = serve(Account.of(rows(45)), behaviour=Behaviour(paging="hybrid"))
    assert walked(caller) == NEWEST_FIRST
    following = caller.server.url + caller.page()["meta"]["next"]
    pinned = caller.http.get(following, params={"offset": "0"}, timeout=5).json()
    assert numbers(pinned) == NEWEST_FIRST[:20]


def test_endless_pages_repeat_for_ever(serve: Callable[..., Any]) -> None:
    caller = serve(Account.of(rows(5)), behaviour=Behaviour(paging="endless"))
    walk = caller.walk()
    assert [numbers(next(walk)) for _ in range(4)] == [[4, 3, 2, 1, 0]] * 4


def test_next_is_null_on_full_pages(serve: Callable[..., Any]) -> None:
    caller = serve(Account.of(rows(45)), behaviour=Behaviour(next_page="null"))
    assert walked(caller) == NEWEST_FIRST[:20]
    assert numbers(caller.page(offset=20)) == NEWEST_FIRST[20:40]


@pytest.mark.parametrize("count", [5, 20])
def test_next_is_set_on_the_last_page_and_leads_to_an_empty_one(
    serve: Callable[..., Any], count: int
) -> None:
    caller = serve(Account.of(rows(count)), behaviour=Behaviour(next_page="always"))
    assert [len(page["sessions"]) for page in caller.walk()] == [count, 0]


@pytest.mark.parametrize(
    "url", ["https://evil.example/v1/", "//evil.example/", "/v1/Account/MAOTHER/Message/"]
)
def test_next_may_lead_elsewhere(serve: Callable[..., Any], url: str) -> None:
    caller = serve(Account.of(rows(45)), behaviour=Behaviour(next_url=url))
    assert caller.page()["meta"]["next"] == url
    assert caller.page(offset=40)["meta"]["next"] is None


def test_short_pages_have_next_set_and_are_whole_when_asked_again(
    serve: Callable[..., Any],
) -> None:
    caller = serve(Account.of(rows(22)), behaviour=Behaviour(short_by=3))
    assert [len(page["sessions"]) for page in caller.walk()] == [17, 0, 0]
    assert [len(page["sessions"]) for page in caller.walk()] == [20, 2]


@pytest.mark.parametrize("size", [10, 25])
def test_a_page_may_have_another_size(serve: Callable[..., Any], size: int) -> None:
    caller = serve(Account.of(rows(45)), behaviour=Behaviour(page_size=size))
    assert numbers(caller.page(limit=20)) == NEWEST_FIRST[:size]
    assert walked(caller) == NEWEST_FIRST


def test_a_row_may_come_twice(serve: Callable[..., Any]) -> None:
    caller = serve(Account.of(rows(45)), behaviour=Behaviour(duplicates="same"))
    page = caller.page()["sessions"]
    assert len(page) == 21
    assert page[0] == page[20]


def test_a_row_may_come_twice_with_another_status(serve: Callable[..., Any]) -> None:
    caller = serve(Account.of(rows(45)), behaviour=Behaviour(duplicates="different"))
    page = caller.page()["sessions"]
    assert page[20] == {**page[0], "status": "verified"}


def test_an_empty_list_may_be_null(serve: Callable[..., Any]) -> None:
    caller = serve(Account.of(rows(1)), behaviour=Behaviour(empty="null"))
    assert caller.page(alias="none")["sessions"] is None
    assert caller.page("Message/")["objects"] is None
    assert len(caller.page()["sessions"]) == 1


def test_the_list_may_have_another_name_or_none(serve: Callable[..., Any]) -> None:
    caller = serve(Account.of(rows(1)), behaviour=Behaviour(list_key="objects"))
    assert caller.page().keys() == {"api_id", "meta", "objects"}
    caller.server.behaviour = Behaviour(list_key="")
    assert caller.page().keys() == {"api_id", "meta"}


@pytest.mark.parametrize(
    ("form", "meta"),
    [
        ("null", None),
        ("text", {"limit": "20", "offset": "0", "next": None, "previous": None}),
    ],
)
def test_meta_may_be_odd(serve: Callable[..., Any], form: Any, meta: Any) -> None:
    assert serve(Account.of(rows(1)), behaviour=Behaviour(meta=form)).page()["meta"] == meta


def test_meta_may_be_missing(serve: Callable[..., Any]) -> None:
    caller = serve(Account.of(rows(1)), behaviour=Behaviour(meta="missing"))
    assert caller.page().keys() == {"api_id", "sessions"}


@pytest.mark.parametrize(("count", "total"), [("true", 45), ("wrong", 52)])
def test_meta_may_count(serve: Callable[..., Any], count: Any, total: int) -> None:
    caller = serve(Account.of(rows(45)), behaviour=Behaviour(total_count=count))
    assert caller.page(offset=40)["meta"]["total_count"] == total


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("session_time__lt", "2026-11-02 05:10"),
        ("session_time__gte", "2026-11-02 05:40"),
        ("alias", "app 1"),
        ("offset", "20"),
    ],
)
def test_a_name_may_be_ignored(serve: Callable[..., Any], name: str, value: str) -> None:
    caller = serve(Account.of(rows(45)), behaviour=Behaviour(ignores=(name,)))
    assert numbers(caller.page(**{name: value})) == NEWEST_FIRST[:20]
    caller.server.behaviour = Behaviour()
    assert numbers(caller.page(**{name: value})) != NEWEST_FIRST[:20]


@pytest.mark.parametrize(
    ("precision", "kept"),
    [
        (timedelta(microseconds=1), [5, 4, 3]),
        (timedelta(seconds=1), [4, 3]),
        (timedelta(minutes=1), [4, 3, 2]),
    ],
)
def test_bounds_may_be_cut(
    serve: Callable[..., Any], precision: timedelta, kept: list[int]
) -> None:
    caller = serve(Account.of(rows(10)), behaviour=Behaviour(precision=precision))
    bounds = {
        "session_time__gt": "2026-11-02 05:02:45",
        "session_time__lte": "2026-11-02 05:05:30.5",
    }
    assert numbers(caller.page(**bounds)) == kept


def test_the_date_may_be_off_or_missing(serve: Callable[..., Any]) -> None:
    caller = serve(behaviour=Behaviour(date_skew=timedelta(minutes=10)))
    assert caller.ask("Message/").headers["Date"] == "Mon, 02 Nov 2026 07:08:00 GMT"
    caller.server.behaviour = Behaviour(date=False)
    assert "Date" not in caller.ask("Message/").headers


def test_knobs_may_be_combined(serve: Callable[..., Any]) -> None:
    knobs = Behaviour(order="oldest", paging="cursor", page_size=7, total_count="true", inserts=1)
    caller = serve(Account.of(rows(45)), behaviour=knobs)
    seen = Counter(row["session_uuid"] for page in caller.walk() for row in page["sessions"])
    assert {f"{n:032x}" for n in range(45)} <= seen.keys()
    assert max(seen.values()) == 1


@pytest.mark.parametrize(
    ("bounds", "status"),
    [
        ({"session_time__gte": "2026-10-01 00:00", "session_time__lt": "2026-10-31 00:00"}, 200),
        ({"session_time__gte": "2026-10-01 00:00", "session_time__lt": "2026-10-31 00:01"}, 400),
        ({"session_time__gte": "2026-10-01 00:00"}, 400),
        ({"session_time__gte": "2026-10-04 00:00"}, 200),
        ({"session_time__lt": "2026-10-31 00:00"}, 400),
        ({}, 200),
    ],
    ids=str,
)
def test_a_range_may_be_too_wide(
    serve: Callable[..., Any], bounds: dict[str, str], status: int
) -> None:
    caller = serve(behaviour=Behaviour(longest_range=timedelta(days=30)))
    reply = caller.ask("Verify/Session/", bounds)
    assert reply.status_code == status
    if status == 400:
        assert reply.json()["error"] == "the range of session_time must not exceed 30 days"


def test_pages_of_ten_may_have_no_next_although_twenty_were_asked(
    serve: Callable[..., Any],
) -> None:
    knobs = Behaviour(page_size=10, next_page="null")
    caller = serve(Account.of(rows(45)), behaviour=knobs)
    assert walked(caller, limit=20) == NEWEST_FIRST[:10]
    assert numbers(caller.page(limit=20, offset=10)) == NEWEST_FIRST[10:20]


def test_at_or_after_may_mean_after(serve: Callable[..., Any]) -> None:
    caller = serve(Account.of(rows(3)), behaviour=Behaviour(gte_is_gt=True))
    bound = {"session_time__gte": "2026-11-02 05:01:30.5"}
    assert numbers(caller.page(**bound)) == [2]
    caller.server.behaviour = Behaviour()
    assert numbers(caller.page(**bound)) == [2, 1]


@pytest.mark.parametrize("name", ["session_time__lt", "session_time__lte"])
def test_upper_bounds_alone_may_be_cut_to_the_day(serve: Callable[..., Any], name: str) -> None:
    yesterday = {**rows(1)[0], "session_uuid": f"{99:032x}", "created_at": "2026-11-01T23:59:59Z"}
    knobs = Behaviour(upper_precision=timedelta(days=1))
    caller = serve(Account.of([*rows(10), yesterday]), behaviour=knobs)
    assert numbers(caller.page(**{name: "2026-11-02 05:05"})) == [99]
    assert numbers(caller.page(session_time__gte="2026-11-02 05:08")) == [9, 8]


def test_offsets_may_end_in_an_empty_page(serve: Callable[..., Any]) -> None:
    caller = serve(Account.of(rows(45)), behaviour=Behaviour(empty_from=40))
    pages = list(caller.walk())
    assert [len(page["sessions"]) for page in pages] == [20, 20, 0]
    assert pages[1]["meta"]["next"].endswith("offset=40")


def test_a_list_may_end_early_in_silence(serve: Callable[..., Any]) -> None:
    caller = serve(Account.of(rows(45)), behaviour=Behaviour(longest_list=30))
    pages = list(caller.walk())
    assert [len(page["sessions"]) for page in pages] == [20, 10]
    assert pages[1]["meta"]["next"] is None
    assert numbers(caller.page(offset=30)) == []


def test_an_offset_may_be_clamped(serve: Callable[..., Any]) -> None:
    caller = serve(Account.of(rows(45)), behaviour=Behaviour(largest_offset=20))
    assert numbers(caller.page(offset=40)) == numbers(caller.page(offset=20)) == NEWEST_FIRST[20:40]


def test_an_offset_may_count_pages(serve: Callable[..., Any]) -> None:
    caller = serve(Account.of(rows(45)), behaviour=Behaviour(offset_unit="pages"))
    assert numbers(caller.page(limit=10, offset=2)) == NEWEST_FIRST[20:30]
    assert walked(caller, limit=10) == NEWEST_FIRST


def test_the_list_may_have_an_order_of_its_own_that_stays(serve: Callable[..., Any]) -> None:
    caller = serve(Account.of(rows(45)), behaviour=Behaviour(order="shuffled"))
    assert walked(caller) == walked(caller) != NEWEST_FIRST
    assert sorted(walked(caller), reverse=True) == NEWEST_FIRST


def test_a_page_that_begins_in_a_tie_may_skip_a_row(serve: Callable[..., Any]) -> None:
    tied = [{**row, "created_at": "2026-11-02T04:00:00Z"} for row in rows(30)]
    caller = serve(Account.of(tied), behaviour=Behaviour(skips_in_ties=True))
    assert walked(caller) == [29 - n for n in range(30) if n != 20]
    assert numbers(caller.page(offset=19))[0] == 9
    caller = serve(Account.of(rows(30)), behaviour=Behaviour(skips_in_ties=True))
    assert walked(caller) == NEWEST_FIRST[-30:]


def test_a_cache_may_answer_another_question(serve: Callable[..., Any]) -> None:
    caller = serve(Account.of(rows(45)), behaviour=Behaviour(cached_answers=2))
    first = caller.page(session_time__gte="2026-11-02 06:00")
    assert first["sessions"] == []
    assert [caller.page(), caller.page(offset=20)] == [first, first]
    assert numbers(caller.page(offset=20)) == NEWEST_FIRST[20:40]
    assert caller.page("Message/")["objects"] == []


@pytest.mark.parametrize("heeds", [True, False])
def test_a_cache_may_heed_no_cache(serve: Callable[..., Any], *, heeds: bool) -> None:
    knobs = Behaviour(cached_answers=9, cache_heeds_no_cache=heeds)
    caller = serve(Account.of(rows(45)), behaviour=knobs)
    first = caller.page()
    again = caller.ask("Verify/Session/", headers={"Cache-Control": "no-cache"}).json()
    assert (again["api_id"] == first["api_id"]) is not heeds


def test_the_first_answer_to_a_question_may_be_empty(serve: Callable[..., Any]) -> None:
    caller = serve(Account.of(rows(45)), behaviour=Behaviour(empty_first_time=True))
    assert [numbers(page) for page in caller.walk()] == [[]]
    assert numbers(caller.page()) == NEWEST_FIRST[:20]
    assert numbers(caller.page(offset=20)) == []


def test_a_row_may_come_twice_at_two_instants(serve: Callable[..., Any]) -> None:
    page = serve(Account.of(rows(2)), behaviour=Behaviour(duplicates="moved")).page()["sessions"]
    assert page[2] == {**page[0], "created_at": "2026-11-02T05:00:30.5Z"}


def test_rows_without_the_field_may_pass_a_filter(serve: Callable[..., Any]) -> None:
    some = [*rows(3), {**rows(4)[3], "destination_country_iso2": "BD"}]
    caller = serve(Account.of(some), behaviour=Behaviour(lenient_filters=True))
    assert numbers(caller.page(country="BD")) == [3, 2, 1, 0]
    assert numbers(caller.page(country="GB")) == [2, 1, 0]
    assert numbers(caller.page(alias="app 1")) == [3, 1]
    caller.server.behaviour = Behaviour()
    assert numbers(caller.page(country="BD")) == [3]


@pytest.mark.parametrize("path", ["Verify/Session/", "Message/"])
def test_a_row_may_be_no_record_or_lack_its_key_or_its_time(
    serve: Callable[..., Any], path: str
) -> None:
    message = {"message_uuid": "m-1", "message_time": "2026-11-02 11:30:00.25+05:30"}
    caller = serve(Account.of(rows(1), [message]))
    (plain,) = caller.page(path).popitem()[1]
    key, time = list(plain)[:2]
    shown = {}
    for oddity in ("not a record", "no key", "unreadable time"):
        caller.server.behaviour = Behaviour(oddity=oddity)
        (shown[oddity],) = caller.page(path).popitem()[1]
    assert shown == {
        "not a record": str(plain),
        "no key": {name: value for name, value in plain.items() if name != key},
        "unreadable time": {**plain, time: "soon"},
    }


def test_a_record_given_by_hand_is_shown_whatever_its_fields_hold(
    serve: Callable[..., Any],
) -> None:
    odd = {
        **rows(1, recipient="141XXXXX123", units=2**62, attempt_details=[7])[0],
        "created_at": "2026-11-02 05:00:30.5 +0000 UTC",
        "routing": {"hops": [{"callee": "0014155550123"}]},
    }
    assert serve(Account.of([odd])).page()["sessions"] == [odd]


def test_one_id_may_stand_at_two_instants(serve: Callable[..., Any]) -> None:
    row = rows(1)[0]
    caller = serve(Account.of([row, {**row, "created_at": "2026-11-02T06:00:00Z"}]))
    assert numbers(caller.page()) == [0, 0]
