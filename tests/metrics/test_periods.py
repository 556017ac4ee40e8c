"""Periods of any zone: no session and no cent is lost between two of them, on any engine."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo, available_timezones

import duckdb
import narwhals as nw
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import plivo_analysis as pva
from plivo_analysis.api.columns import SESSIONS
from plivo_analysis.errors import FilterError
from plivo_analysis.metrics.periods import EVERY, Buckets, zone_of
from plivo_analysis.tables.convert import from_rows, plain_arrow, to_backend

if TYPE_CHECKING:
    from collections.abc import Callable

# Names that a system has beside those of the IANA name no place.
ZONES = sorted(
    name
    for name in available_timezones()
    if "/" in name and not name.startswith(("posix", "right"))
)
MICROSECOND = timedelta(microseconds=1)
START = datetime(2026, 1, 1, tzinfo=UTC)
EDGES = [
    ("Africa/Cairo", datetime(2026, 4, 23, 22, tzinfo=UTC)),
    ("America/Santiago", datetime(2026, 9, 6, 4, tzinfo=UTC)),
    ("America/New_York", datetime(2026, 11, 1, 6, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 4, 15, tzinfo=UTC)),
]


CONNECTIONS: list[duckdb.DuckDBPyConnection] = []  # DuckDB 1 closes one that nobody holds


def of_duckdb(frame: pl.DataFrame) -> Any:
    connection = duckdb.connect()
    CONNECTIONS.append(connection)
    connection.execute("SET TimeZone = 'Pacific/Auckland'")
    connection.register("given", plain_arrow(frame))
    return connection.sql("FROM given")


ENGINES: dict[str, Callable[[pl.DataFrame], Any]] = {
    "polars": lambda frame: frame,
    "polars, lazy": lambda frame: frame.lazy(),
    "pandas": lambda frame: to_backend(frame, "pandas"),
    "pyarrow": plain_arrow,
    "DuckDB in another zone": of_duckdb,
}
everies = st.sampled_from(EVERY)
zones = st.sampled_from(ZONES)
anywhere = st.tuples(
    zones, st.integers(0, 366 * 86_400).map(lambda s: START + timedelta(seconds=s))
)
# Half of the time close to where a clock is changed.
places = anywhere | st.tuples(st.sampled_from(EDGES), st.integers(-5400, 5400)).map(
    lambda drawn: (drawn[0][0], drawn[0][1] + timedelta(seconds=drawn[1]))
)


def sessions(instants: list[datetime]) -> pl.DataFrame:
    """Sessions that began then, of which the n-th cost n."""
    rows = [
        dict.fromkeys(SESSIONS.names)
        | {
            "session_uuid": str(number),
            "status": "verified",
            "created_at": instant,
            "total_charge": Decimal(number),
            "attempt_details": [],
            "attempt_charges": [],
        }
        for number, instant in enumerate(instants)
    ]
    return from_rows(rows, SESSIONS)


@given(
    place=places,
    hours=st.lists(st.integers(-90 * 24, 90 * 24), min_size=1, max_size=8),
    every=everies,
)
@settings(max_examples=60, deadline=None)
def test_over_all_periods_sessions_and_money_sum_to_the_total_on_every_engine(
    place: tuple[str, datetime], hours: list[int], every: str
) -> None:
    tz, middle = place
    instants = [middle + timedelta(hours=hour / 24) for hour in hours]
    table = sessions(instants)
    expected = pva.cost_per_verified(table, every=every, tz=tz)
    assert expected["period"].dtype == pl.Datetime("us", tz)
    assert expected["settled"].sum() == len(instants)
    assert expected["total_charge"].sum() == sum(range(len(instants)))
    starts = Buckets(every, tz).starts(min(instants), max(instants) + MICROSECOND)
    assert set(expected["period"].dt.convert_time_zone("UTC")) <= {
        start.astimezone(UTC) for start in starts
    }
    flat = table.drop("attempt_details", "attempt_charges")
    for engine in ENGINES.values():
        found = nw.from_native(pva.cost_per_verified(engine(flat), every=every, tz=tz)).to_polars()
        assert found.equals(expected)
    lines = pva.spend(table, (), every=every, tz=tz)
    assert lines["amount"].sum() == sum(range(len(instants)))


@given(
    place=places,
    every=everies,
    length=st.timedeltas(timedelta(microseconds=1), timedelta(days=40)),
    share=st.floats(0, 1, exclude_max=True),
)
@settings(max_examples=100, deadline=None)
def test_the_starts_of_a_range_part_it_without_a_gap(
    place: tuple[str, datetime], every: str, length: timedelta, share: float
) -> None:
    tz, first = place
    buckets, last = Buckets(every, tz), first + length

    def start_of(instant: datetime) -> datetime:
        return buckets.start(instant).astimezone(UTC)

    starts = [start.astimezone(UTC) for start in buckets.starts(first, last)]
    assert starts == sorted(set(starts))
    assert [start_of(start) for start in starts] == starts
    assert [start_of(end - MICROSECOND) for end in [*starts[1:], last]] == starts
    assert starts[0] == start_of(first) <= first
    assert start_of(first + share * length) in starts


@given(
    tz=zones,
    days=st.integers(-75 * 365, 5 * 365),
    hours=st.lists(st.floats(0, 400 * 24), min_size=1, max_size=8),
    every=everies,
)
@settings(max_examples=25, deadline=None)
def test_each_row_is_counted_in_the_bucket_that_its_own_instant_is_in(
    tz: str, days: int, hours: list[float], every: str
) -> None:
    instants = [START + timedelta(days=days, hours=hour) for hour in hours]
    flat = sessions(instants).drop("attempt_details", "attempt_charges")
    buckets = Buckets(every, tz)
    expected = Counter(buckets.start(instant).astimezone(UTC) for instant in instants)
    for engine in ENGINES.values():
        found = nw.from_native(pva.success_rates(engine(flat), every=every, tz=tz)).to_polars()
        starts = found["period"].dt.convert_time_zone("UTC").to_list()
        assert dict(zip(starts, found["sessions"], strict=True)) == expected


def test_no_range_has_no_start() -> None:
    assert Buckets("1d", "Europe/Berlin").starts(START, START) == []


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    ("tz", "instants", "day"),
    [
        (
            "Africa/Cairo",
            ["2026-04-23T12:00Z", "2026-04-23T22:30Z", "2026-04-24T20:59Z", "2026-04-24T21:00Z"],
            ["2026-04-23T00:00:00+02:00", "2026-04-24T01:00:00+03:00", "2026-04-25T00:00:00+03:00"],
        ),
        (
            "America/Santiago",
            ["2026-09-06T03:59Z", "2026-09-06T04:00Z", "2026-09-07T02:59Z", "2026-09-07T03:00Z"],
            ["2026-09-05T00:00:00-04:00", "2026-09-06T01:00:00-03:00", "2026-09-07T00:00:00-03:00"],
        ),
    ],
)
def test_a_day_without_a_midnight_begins_where_the_clock_goes_on_and_keeps_its_money(
    tz: str, instants: list[str], day: list[str], engine: str
) -> None:
    table = sessions([datetime.fromisoformat(text) for text in instants])
    flat = ENGINES[engine](table.drop("attempt_details", "attempt_charges"))
    days = nw.from_native(pva.cost_per_verified(flat, every="1d", tz=tz)).to_polars()
    assert [period.isoformat() for period in days["period"]] == day
    assert days["total_charge"].to_list() == [0, 1 + 2, 3]


@pytest.mark.parametrize("engine", ENGINES)
def test_the_hour_that_comes_twice_in_autumn_is_two_rows_that_differ_by_their_offset(
    engine: str,
) -> None:
    first, second = (datetime(2026, 11, 1, hour, 30, tzinfo=UTC) for hour in (5, 6))
    flat = sessions([first, second]).drop("attempt_details", "attempt_charges")
    given = ENGINES[engine](flat)
    hours = pva.success_rates(given, every="1h", tz="America/New_York")
    assert [period.isoformat() for period in hours["period"]] == [
        "2026-11-01T01:00:00-04:00",
        "2026-11-01T01:00:00-05:00",
    ]
    assert list(hours["sessions"]) == [1, 1]
    (day,) = pva.success_rates(given, every="1d", tz="America/New_York")["period"]
    assert day.isoformat() == "2026-11-01T00:00:00-04:00"
    midnights = (datetime(2026, 11, n, tzinfo=ZoneInfo("America/New_York")) for n in (1, 2))
    assert len(Buckets("1h", "America/New_York").starts(*midnights)) == 25


def test_a_zone_is_its_name_or_a_zoneinfo_of_it() -> None:
    table = sessions([START])
    by_name = pva.spend(table, every="1w", tz="Asia/Kathmandu")
    assert pva.spend(table, every="1w", tz=ZoneInfo("Asia/Kathmandu")).equals(by_name)


@pytest.mark.parametrize("tz", ["Mars/Base", "", "../etc/passwd", "Factory", None, 5, ["UTC"]])
def test_what_is_no_zone_is_refused_in_a_sentence(tz: Any) -> None:
    with pytest.raises(FilterError, match="it is the name of an IANA time zone, as 'Europe/Paris'"):
        zone_of(tz)
