"""Every form of since and until becomes the right instant, or is refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plivo_analysis.api.times import api_time, parse_instant, parse_range
from plivo_analysis.errors import FilterError

NOW = datetime(2026, 11, 2, 6, 58, 30, tzinfo=UTC)
INDIA = timezone(timedelta(hours=5, minutes=30))


@pytest.mark.parametrize(
    ("value", "instant"),
    [
        (datetime(2026, 10, 1, 12, tzinfo=UTC), "2026-10-01T12:00:00+00:00"),
        (datetime(2026, 10, 1, 12, tzinfo=INDIA), "2026-10-01T06:30:00+00:00"),
        (datetime(2026, 10, 1, 12), "2026-10-01T12:00:00+00:00"),  # noqa: DTZ001 - naive is UTC
        (
            datetime(2026, 10, 25, 1, 30, fold=1, tzinfo=ZoneInfo("Europe/London")),
            "2026-10-25T01:30:00+00:00",
        ),
        (date(2026, 10, 1), "2026-10-01T00:00:00+00:00"),
        ("2026-10-01", "2026-10-01T00:00:00+00:00"),
        (" 2026-10-01 ", "2026-10-01T00:00:00+00:00"),
        ("2026-10-01T12:00", "2026-10-01T12:00:00+00:00"),
        ("2026-10-01 12:00:05", "2026-10-01T12:00:05+00:00"),
        ("2026-10-01T12:00:05.25Z", "2026-10-01T12:00:05.250000+00:00"),
        ("2026-10-01t12:00:05z", "2026-10-01T12:00:05+00:00"),
        ("2026-10-01 12:00:05 +05:30", "2026-10-01T06:30:05+00:00"),
        ("2026-10-01T12:00:05-0330", "2026-10-01T15:30:05+00:00"),
        ("2026-10-01T12:00:05.123456789Z", "2026-10-01T12:00:05.123456+00:00"),
        (timedelta(hours=6), "2026-11-02T00:58:30+00:00"),
        (timedelta(0), "2026-11-02T06:58:30+00:00"),
        ("24h", "2026-11-01T06:58:30+00:00"),
        ("30m", "2026-11-02T06:28:30+00:00"),
        ("7d", "2026-10-26T06:58:30+00:00"),
        ("7 D", "2026-10-26T06:58:30+00:00"),
        ("90d", "2026-08-04T06:58:30+00:00"),
        ("2w", "2026-10-19T06:58:30+00:00"),
        (pd.Timestamp("2026-10-01 12:00:00.123456789+05:30"), "2026-10-01T06:30:00.123456+00:00"),
        (pd.Timestamp("2026-10-01"), "2026-10-01T00:00:00+00:00"),
        (pd.Timedelta(days=1), "2026-11-01T06:58:30+00:00"),
        (
            pl.Series([datetime(2026, 10, 1, 12, tzinfo=UTC)])[0],
            "2026-10-01T12:00:00+00:00",
        ),
    ],
)
def test_every_form_is_read(value: Any, instant: str) -> None:
    found = parse_instant(value, now=NOW, name="since")
    assert found == datetime.fromisoformat(instant)
    assert type(found) is datetime
    assert found.tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [
        "yesterday",
        "",
        "24",
        "h",
        "1mo",
        "-7d",
        "1.5d",
        "٧d",
        "24h\n7d",
        "2026-W40-1",
        "2026-10",
        "20261001",
        "01.10.2026",
        "2026-02-30",
        "2026-10-01T24:00",
        "2026-10-01T12",
        "2026-10-01T12:00:60Z",
        "2026-10-01T12:00+25:00",
        "2026-10-01Z",
        "0001-01-01T00:00+05:53",
        "999999d",
        pd.NaT,
        timedelta(days=-1),
        timedelta(days=10**6),
        1_790_000_000,
        20261001.0,
        True,
        [],
        pd.Series([1, 2]),
    ],
    ids=repr,
)
def test_what_is_no_time_is_refused_with_the_forms_that_are(value: Any) -> None:
    with pytest.raises(FilterError, match=r"^since is .*; it takes a datetime, a date, .*\"24h\""):
        parse_instant(value, now=NOW, name="since")


def test_a_wrong_value_is_shown_short_and_without_a_telephone_number() -> None:
    with pytest.raises(FilterError) as caught:
        parse_instant("+1 415 555 0123 " * 20, now=NOW, name="until")
    assert "5550123" not in str(caught.value).replace(" ", "")
    assert len(str(caught.value)) < 200


def test_the_default_range_is_the_last_24_hours() -> None:
    assert parse_range(None, None, now=NOW) == (NOW - timedelta(hours=24), NOW)


def test_an_end_alone_begins_24_hours_before_it() -> None:
    start, end = parse_range(None, "2026-10-01", now=NOW)
    assert (start, end) == (datetime(2026, 9, 30, tzinfo=UTC), datetime(2026, 10, 1, tzinfo=UTC))


def test_both_bounds_count_back_from_now() -> None:
    assert parse_range("7d", "1d", now=NOW) == (NOW - timedelta(days=7), NOW - timedelta(days=1))


def test_a_range_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(FilterError, match=r"ends before it starts: since is 2026-11-01 06:58:30"):
        parse_range("1d", "2d", now=NOW)


def test_an_empty_range_is_refused() -> None:
    with pytest.raises(FilterError, match="is empty"):
        parse_range("1d", "1d", now=NOW)


def test_a_start_in_the_future_is_refused() -> None:
    with pytest.raises(FilterError, match="ends before it starts"):
        parse_range("2026-12-01", None, now=NOW)


def test_an_end_at_the_beginning_of_time_is_no_traceback() -> None:
    with pytest.raises(FilterError, match="since is"):
        parse_range(None, "0001-01-01", now=NOW)


def test_the_api_takes_a_space_and_a_fraction_only_where_there_is_one() -> None:
    assert api_time(datetime(2026, 10, 1, 12, tzinfo=INDIA)) == "2026-10-01 06:30:00"
    assert api_time(datetime(2026, 10, 1, 12, 0, 0, 7, tzinfo=UTC)) == "2026-10-01 12:00:00.000007"


@given(st.datetimes(min_value=datetime(1, 1, 2), timezones=st.just(UTC)))  # noqa: DTZ001 - hypothesis wants naive
def test_what_the_api_is_sent_is_read_back_as_the_same_instant(instant: datetime) -> None:
    assert parse_instant(api_time(instant), now=NOW, name="since") == instant


@given(st.text(max_size=30))
def test_any_text_is_an_instant_or_refused(text: str) -> None:
    try:
        found = parse_instant(text, now=NOW, name="since")
    except FilterError:
        return
    assert found.tzinfo is UTC
