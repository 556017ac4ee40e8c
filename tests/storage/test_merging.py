"""Two readings of one record: which stands, what is counted, and that the other one is kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plivo_analysis.api.resources import SESSION_RESOURCE
from plivo_analysis.emulator.account import DEFAULT_NOW as NOW
from plivo_analysis.parsing.sessions import read_session
from plivo_analysis.storage.merging import Tally
from plivo_analysis.storage.records import look_up
from plivo_analysis.storage.store import Reading, Store
from plivo_analysis.values.spans import DAY, EVER, HOUR

Make = Callable[..., dict[str, Any]]


def read(store: Store, *records: dict[str, Any], at: int = 1) -> Tally:
    """One page of these records, kept."""
    page = [read_session(record) for record in records]
    return store.keep(SESSION_RESOURCE, "", Reading("", b"{}", page, at))


def stands(store: Store) -> list[dict[str, Any]]:
    return [json.loads(raw) for raw in store.records(SESSION_RESOURCE).raws(EVER)]


def history(store: Store) -> list[dict[str, Any]]:
    rows = store.database.run("SELECT raw FROM history ORDER BY rowid")
    return [json.loads(raw) for (raw,) in rows]


def days(store: Store) -> list[tuple[int, int]]:
    return [(day.records, day.changes) for day in store.records(SESSION_RESOURCE).days(EVER)]


def test_a_settled_reading_beats_an_open_one_though_updated_at_did_not_move(session: Make) -> None:
    store, waiting = Store(None), session(status="in-progress")
    settled = {**waiting, "status": "verified"}
    read(store, waiting)
    assert read(store, settled) == Tally(received=1, updated=1)
    assert stands(store) == [settled]
    assert history(store) == [waiting]


def test_an_open_reading_of_a_settled_record_is_kept_beside_it(session: Make) -> None:
    store, settled = Store(None), session(status="expired")
    back = {**settled, "status": "in-progress", "updated_at": "2030-01-01T00:00:00Z"}
    read(store, settled)
    assert read(store, back) == Tally(received=1, repeated=1)
    assert stands(store) == [settled]
    assert history(store) == [back]
    assert [note["code"] for note in store.records(SESSION_RESOURCE).notes(EVER)] == ["went_back"]


def test_of_two_settled_readings_the_later_stands_and_every_earlier_one_is_kept(
    session: Make,
) -> None:
    store, first = Store(None), session(charges={"total_charge": None})
    prices = [{**first, "charges": {"total_charge": price}} for price in ("0.0077", "0.0080")]
    for reading in (first, *prices):
        read(store, reading)
    assert stands(store) == prices[-1:]
    assert history(store) == [first, prices[0]]


def test_the_same_reading_again_changes_nothing(session: Make) -> None:
    store, record = Store(None), session()
    read(store, record)
    assert read(store, record) == Tally(received=1, repeated=1)
    assert history(store) == []
    assert days(store) == [(1, 1)]


def test_two_keys_that_begin_alike_are_two_records(session: Make) -> None:
    store, first = Store(None), session(session_uuid="51e965f3-65a5-4ca0-9542-571541180091")
    second = {**first, "session_uuid": "51e965f3-65a5-4ca0-9542-571541180092", "status": "expired"}
    last = {**first, "session_uuid": "51e965f3-65a5-4ca0-9542-571541180093"}
    assert read(store, first, second) == Tally(received=2, new=2)
    assert read(store, second, last) == Tally(received=2, repeated=1, new=1)
    records = store.records(SESSION_RESOURCE)
    assert (records.row(second["session_uuid"]) or {})["status"] == "expired"
    assert (records.row(last["session_uuid"]) or {})["status"] == first["status"]
    assert records.count(EVER) == 3
    store.forget(first["recipient"])
    assert records.row(first["session_uuid"]) is None


@pytest.mark.parametrize("keys", [1, 20])
def test_records_are_looked_up_by_the_index_of_their_keys(keys: int) -> None:
    database = Store(None).database
    plans = []

    class Explaining:
        def run(self, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
            plans.extend(database.run(f"EXPLAIN QUERY PLAN {statement}", values))
            return []

    look_up(cast("Any", Explaining()), "sessions", ["a"] * keys, "raw")
    assert [plan[-1] for plan in plans] == ["SEARCH record USING INDEX record_by_key (<expr>=?)"]


def test_a_record_that_comes_twice_in_a_page_is_one_and_the_later_stands(session: Make) -> None:
    store, first, other = Store(None), session(), session()
    later = {**first, "destination_network": "other"}
    assert read(store, first, other, later) == Tally(received=3, new=2, updated=1)
    assert sorted(record["session_uuid"] for record in stands(store)) == sorted(
        record["session_uuid"] for record in (first, other)
    )
    assert later in stands(store)
    assert history(store) == [first]
    assert sum(records for records, _ in days(store)) == 2


@given(
    readings=st.lists(
        st.lists(
            st.tuples(st.integers(0, 3), st.sampled_from(["in-progress", "verified", "expired"])),
            max_size=5,
        ),
        max_size=6,
    )
)
def test_nothing_received_is_lost_and_nothing_settled_opens_again(
    readings: list[list[tuple[int, str]]],
) -> None:
    store, seen, settled = Store(None), set[tuple[str, str]](), set[str]()
    for page in readings:
        records = [
            {"session_uuid": f"0000000{n}-0000-4000-8000-000000000000", "status": status}
            | {"created_at": "2026-10-01T00:00:00Z"}
            for n, status in page
        ]
        assert read(store, *records).balanced
        seen |= {(record["session_uuid"], record["status"]) for record in records}
        settled |= {key for key, status in seen if status != "in-progress"}
        standing = {record["session_uuid"]: record["status"] for record in stands(store)}
        assert standing.keys() == {key for key, _ in seen}
        assert all(standing[key] != "in-progress" for key in settled)
        kept = {(record["session_uuid"], record["status"]) for record in history(store)}
        assert kept | set(standing.items()) == seen
        assert [records for records, _ in days(store)] == ([len(standing)] if standing else [])


def test_a_record_that_is_fit_after_all_is_set_aside_no_more_within_one_page(
    session: Make,
) -> None:
    store, fit = Store(None), session()
    assert read(store, {**fit, "created_at": "soon"}, fit) == Tally(received=2, new=1, set_aside=1)
    assert store.records(SESSION_RESOURCE).count_set_aside() == 0
    assert stands(store) == [fit]


def test_a_settled_record_that_a_lagging_copy_lists_as_open_did_not_vanish(session: Make) -> None:
    store, settled = Store(None), session(status="expired")
    read(store, settled)
    page = store.last_page()
    read(store, {**settled, "status": "in-progress"})
    assert store.records(SESSION_RESOURCE).unseen(EVER, page) == 0


def test_a_record_is_final_only_once_it_was_read_when_it_could_no_longer_change(
    session: Make,
) -> None:
    store, unpriced = Store(None), session(charges={"total_charge": None})
    records, key = store.records(SESSION_RESOURCE), unpriced["session_uuid"]
    begun = read_session(unpriced).instant or NOW
    for age, final in ((HOUR, False), (23 * HOUR, False), (DAY, True), (2 * HOUR, False)):
        read(store, unpriced, at=begun + age)
        assert records.is_final(key) is final
        assert (key in records.not_final(EVER)) is not final
        if not final:
            assert records.not_final(EVER)[key].final_at == begun + DAY
    read(store, {**unpriced, "charges": {"total_charge": "0.0077"}}, at=begun + HOUR)
    assert records.is_final(key)
    assert not records.is_final("unknown")


def everything(store: Store) -> list[list[tuple[Any, ...]]]:
    """All rows of a store but for what tells the pages apart."""
    columns = {
        "record": "key, instant, open, final_at, raw, read_at",
        "history": "key, raw",
        "note": "key, instant, code, path, value",
        "set_aside": "key, instant, raw",
        "day": "day, records",
    }
    return [
        sorted(store.database.run(f"SELECT {names} FROM {table}"), key=repr)  # noqa: S608 - names above
        for table, names in columns.items()
    ]


@given(
    received=st.lists(
        st.tuples(
            st.integers(0, 3),
            st.sampled_from(["in-progress", "verified", "expired"]),
            st.sampled_from(["2026-10-01T00:00:00Z", "2026-10-02T00:00:00Z", "soon"]),
            st.sampled_from([None, "0.0077", "a lot"]),
        ),
        max_size=12,
    ),
    pages=st.lists(st.integers(1, 4), max_size=12),
)
def test_a_page_kept_at_once_gives_what_its_records_give_one_by_one(
    received: list[tuple[int, str, str, str | None]], pages: list[int]
) -> None:
    records = [
        {
            "session_uuid": f"0000000{n}-0000-4000-8000-000000000000",
            "status": status,
            "created_at": begun,
            "charges": {"total_charge": price},
        }
        for n, status, begun, price in received
    ]
    single, paged = Store(None), Store(None)
    tallies = Tally(), Tally()
    for record in records:
        tallies[0].add(read(single, record))
    rest = records
    for size in [*pages, len(records)]:
        tallies[1].add(read(paged, *rest[:size]))
        rest = rest[size:]
    assert everything(paged) == everything(single)
    assert tallies[0] == tallies[1]
    assert tallies[0].balanced
