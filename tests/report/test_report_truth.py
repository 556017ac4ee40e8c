"""The cost report says no more than is known: of time, of currencies, of what was not read."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import plivo_analysis as pva
from plivo_analysis.api.columns import SESSIONS
from plivo_analysis.errors import FilterError, SchemaError
from plivo_analysis.metrics.certainty import Completeness
from plivo_analysis.report.comparison import Change
from plivo_analysis.report.measures import count_up
from plivo_analysis.report.period import Period
from plivo_analysis.report.subject import Subject

CENT = Decimal("0.01")
ZONES = ("Africa/Cairo", "America/Santiago", "America/New_York", "Australia/Lord_Howe", "UTC")


def sessions_at(*times: datetime, charge: str = "1", **columns: Any) -> pl.DataFrame:
    """A verified session at each time, on SMS, of one charge."""
    amount = Decimal(charge)
    rows = [
        {
            "session_uuid": f"s{number}",
            "status": "verified",
            "channel": "sms",
            "count": 1,
            "attempts": 1,
            "entry_channel": "sms",
            "path": "sms",
            "destination_country_iso2": "US",
            "attempt_details": [
                {"channel": "sms", "attempt_uuid": f"a{number}", "status": "delivered", "time": at}
            ],
            "attempt_charges": [{"attempt_uuid": f"a{number}", "channel": "sms", "charge": amount}],
            "total_charge": amount,
            "validation_charge": Decimal(0),
            "created_at": at.astimezone(UTC),
        }
        for number, at in enumerate(times)
    ]
    schema = dict(SESSIONS.polars())
    filled = [{name: row.get(name) for name in schema} for row in rows]
    return pl.DataFrame(filled, schema=schema).with_columns(**columns).cast(schema)


def coverage(*parts: tuple[datetime, datetime, str]) -> pl.DataFrame:
    read_at = datetime(2026, 12, 1, tzinfo=UTC)
    rows = [
        {"start": a, "end": b, "state": state, "rows": 0, "open": 0, "read_at": read_at}
        for a, b, state in parts
    ]
    return pl.DataFrame(rows)


class Words(HTMLParser):
    """The text of a page, and the cells of its tables."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.text = ""
        self.tables: list[list[list[str]]] = []
        self._hidden = self._cell = False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self._hidden = tag in {"style", "title"}
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in {"td", "th"}:
            self.tables[-1][-1].append("")
            self._cell = True

    def handle_endtag(self, tag: str) -> None:
        self._hidden = self._hidden and tag not in {"style", "title"}
        self._cell = self._cell and tag not in {"td", "th"}

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        self.text += data
        if self._cell:
            self.tables[-1][-1][-1] += data

    def table(self, *first: str) -> list[list[str]]:
        return next(t for t in self.tables if t and t[0] and t[0][0] in first)


def exact(html: str) -> dict[str, str]:
    """The last column of the table of exact amounts, by the name of the bucket."""
    _, *rows = Words(html).table("Hour", "Day", "Week", "Month")
    return {row[0]: row[-1] for row in rows}


def number(text: str) -> Decimal:
    return Decimal(text.replace("−", "-").replace(",", ""))


# One calendar.


def test_a_day_that_has_no_midnight_has_its_money() -> None:
    days = [datetime(2026, 4, day, 12, tzinfo=UTC) for day in (23, 24, 25)]
    week = ("2026-04-20", "2026-04-27")
    report = pva.cost_report(sessions_at(*days), tz="Africa/Cairo", period=week)
    assert exact(report.html)["Fri 24 Apr"] == "1.00"


def test_every_hour_of_a_day_without_midnight_is_there() -> None:
    night = sessions_at(datetime(2026, 4, 23, 22, 30, tzinfo=UTC))
    report = pva.cost_report(night, tz="Africa/Cairo", period=("2026-04-24", "2026-04-25"))
    shown = exact(report.html)
    assert len(shown) == 23 + 1, "and the total"
    assert shown["Fri 24 Apr 01:00"] == "1.00"


def test_the_hour_that_comes_twice_is_two_rows_told_apart_by_their_offset() -> None:
    twice = [datetime(2026, 11, 1, hour, 30, tzinfo=UTC) for hour in (5, 6)]
    period = (date(2026, 11, 1), date(2026, 11, 2))
    report = pva.cost_report(sessions_at(*twice), tz="America/New_York", period=period)
    shown = exact(report.html)
    assert len(shown) == 25 + 1, "and the total"
    assert shown["Sun 1 Nov 01:00 UTC−4"] == shown["Sun 1 Nov 01:00 UTC−5"] == "1.00"
    assert "1 Nov 00:00 – 2 Nov 00:00 America/New_York (1 day)" in Words(report.html).text


@settings(max_examples=25, deadline=None)
@given(
    st.sampled_from(ZONES),
    st.dates(date(2026, 1, 1), date(2026, 12, 1)),
    st.integers(1, 120),
    st.lists(st.floats(0, 0.999), min_size=1, max_size=4),
)
def test_in_any_zone_the_buckets_sum_to_the_total(
    zone: str, first: date, days: int, shares: list[float]
) -> None:
    period = Period.of((first, first + timedelta(days=days)), ZoneInfo(zone))
    start, end = period.start.astimezone(UTC), period.end.astimezone(UTC)
    table = sessions_at(*(start + (end - start) * share for share in shares))
    report = pva.cost_report(table, tz=zone, period=(first, first + timedelta(days=days)))
    shown = exact(report.html)
    total = number(shown.pop("Total"))
    assert total == len(shares)
    assert sum(number(amount) for amount in shown.values()) == total


@pytest.mark.parametrize(
    ("period", "tz"),
    [
        (("2026-10-01", "2026-11-01"), "Asia/Kolkata"),
        ((date(2026, 10, 1), date(2026, 11, 1)), ZoneInfo("Asia/Kolkata")),
        (("2026-10-01T00:00+05:30", datetime(2026, 10, 31, 18, 30)), "Asia/Kolkata"),  # noqa: DTZ001
    ],
)
def test_a_date_is_a_midnight_of_the_zone_however_it_is_given(period: Any, tz: Any) -> None:
    inside = sessions_at(datetime(2026, 9, 30, 18, 30, tzinfo=UTC))
    report = pva.cost_report(inside, period=period, tz=tz)
    assert "1 Oct 00:00 – 1 Nov 00:00 Asia/Kolkata (31 days)" in Words(report.html).text


# The period before.


def month(year: int, number: int) -> list[datetime]:
    first = datetime(year, number, 1, 12, tzinfo=UTC)
    days = [first + timedelta(days=day) for day in range(31)]
    return [day for day in days if day.month == number]


def test_months_of_two_lengths_are_compared_per_day_and_it_is_said() -> None:
    march, february = sessions_at(*month(2026, 3)), sessions_at(*month(2026, 2))
    period = ("2026-03-01", "2026-04-01")
    report = pva.cost_report(march, period=period, previous=february)
    text = Words(report.html).text
    assert (
        "You spent $31.00 on 31 verification sessions, as much a day as in February 2026." in text
    )
    assert "February 2026; 28 days, so changes are per day" in text
    assert "+10.7" not in text
    assert "was $28.00" in text
    assert "A verified session cost $1.00; it was $1.00." in text  # and no word of a difference


def test_of_two_months_sums_are_compared_per_day_and_prices_as_they_are() -> None:
    numbers, before = (
        count_up(
            sessions_at(*month(2026, number)),
            Period.of((f"2026-0{number}-01", f"2026-0{number + 1}-01"), ZoneInfo("UTC")),
            Completeness(rows=28),
        )
        for number in (3, 2)
    )
    subject = Subject(numbers, "USD", before)
    for kind, now, past in (("amount", 31, 28), ("count", 31, 28), ("price", 1, 1)):
        change = subject.change(now, past, kind)
        assert change is not None
        assert change == Change(Decimal(0), Decimal(0)), kind
    assert subject.change(0.75, 0.5, "percent") == Change(0.25, None)
    assert subject.change(None, 1) is None


def test_a_full_month_is_the_period_before_a_shorter_one() -> None:
    november, october = sessions_at(*month(2026, 11)), sessions_at(*month(2026, 10))
    report = pva.cost_report(november, period=("2026-11-01", "2026-12-01"), previous=october)
    assert "as much a day as in October 2026" in Words(report.html).text


@pytest.mark.parametrize(
    ("period", "before"),
    [
        (("2026-03-01", "2026-04-01"), "1 Feb 00:00 – 1 Mar 00:00 UTC"),
        (("2026-01-01", "2026-02-01"), "1 Dec 00:00 – 1 Jan 00:00 UTC"),
        (("2026-04-01", "2026-07-01"), "1 Jan 00:00 – 1 Apr 00:00 UTC"),
        (("2026-03-02", "2026-03-09"), "23 Feb 00:00 – 2 Mar 00:00 UTC"),
        (("2026-03-02T12:00", "2026-03-03T00:00"), "2 Mar 00:00 – 2 Mar 12:00 UTC"),
    ],
)
def test_the_period_before_is_as_many_months_or_as_long(period: Any, before: str) -> None:
    assert Period.of(period, ZoneInfo("UTC")).before().bounds == before


def test_an_empty_month_after_a_busy_one_shows_zero_beside_what_was() -> None:
    october = sessions_at(*month(2026, 10))
    report = pva.cost_report(october.head(0), period=("2026-11-01", "2026-12-01"), previous=october)
    text = Words(report.html).text
    assert "so nothing was spent; in October 2026 it was $31.00 on 31 sessions." in text
    assert re.search(r"Spend\d+\s*\$0\.00\s*−100\.0\u202f% ", text)
    assert "exact · was $31.00" in text
    assert "exact · was 31" in text


def test_without_a_period_before_it_is_a_note() -> None:
    report = pva.cost_report(sessions_at(*month(2026, 10)), period=("2026-10-01", "2026-11-01"))
    assert "Compared withnothing (the period before was not given)" in (
        Words(report.html).text.replace("\n", "")
    )


def test_nothing_but_a_change_stands_in_a_column_called_change() -> None:
    place = pl.int_range(pl.len())
    status = pl.when(place < 9).then(pl.lit("in-progress")).otherwise(pl.lit("verified"))
    now, before = (sessions_at(*month(2026, m), status=status) for m in (11, 10))
    report = pva.cost_report(now, period=("2026-11-01", "2026-12-01"), previous=before)
    change = re.compile(r"–|0\.0+(\u202f(%|pts))?|[+−][\d,.]+(\u202f(%|pts))?")
    checked = 0
    for table in Words(report.html).tables:
        places: list[int] = []
        for row in table:
            titles = [n for n, title in enumerate(row) if title.startswith("Change")]
            for place_of in [] if titles else places:
                assert change.fullmatch(row[place_of]), row
                checked += 1
            places = titles or places
    assert checked == 4 + 6 + 1 + 1, "lines, what it bought, countries, applications"


# Currencies.


def test_amounts_of_two_currencies_make_no_report() -> None:
    mixed = sessions_at(*month(2026, 10)[:2]).with_columns(currency=pl.Series(["USD", "INR"]))
    with pytest.raises(SchemaError, match=r"2 currencies \(INR, USD\), which make no sum"):
        pva.cost_report(mixed)


def test_a_frames_own_currency_stands_on_every_amount() -> None:
    rupees = sessions_at(*month(2026, 10)).with_columns(currency=pl.lit("INR"))
    report = pva.cost_report(rupees)
    assert "You spent ₹31.00" in Words(report.html).text
    assert "$" not in report.html


def test_a_currency_that_contradicts_the_frame_is_refused() -> None:
    rupees = sessions_at(*month(2026, 10)).with_columns(currency=pl.lit("INR"))
    with pytest.raises(FilterError, match=r"several currencies \(INR, EUR\)"):
        pva.cost_report(rupees, currency="EUR")
    dollars = sessions_at(*month(2026, 9)).with_columns(currency=pl.lit("USD"))
    with pytest.raises(FilterError, match=r"several currencies \(INR, USD\)"):
        pva.cost_report(rupees, previous=dollars, period=("2026-10-01", "2026-11-01"))


# What was not read.

NOVEMBER = ("2026-11-01", "2026-12-01")
EDGES = [datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)]


def test_of_a_period_that_was_not_read_nothing_is_said_to_be_spent_or_not() -> None:
    empty = pl.DataFrame(schema=SESSIONS.polars())
    spans = coverage((*EDGES, "missing"))
    text = Words(pva.cost_report(empty, period=NOVEMBER, coverage=spans).html).text
    assert "Nothing of this period was read (720 of 720 hours not read)" in text
    assert "nothing was spent" not in text
    assert "exact" not in text.replace("Counts and money have none", "")


def test_a_period_that_was_read_and_is_empty_is_a_true_zero() -> None:
    empty = pl.DataFrame(schema=SESSIONS.polars())
    spans = coverage((*EDGES, "complete"))
    text = Words(pva.cost_report(empty, period=NOVEMBER, coverage=spans).html).text
    assert "so nothing was spent." in text


def test_of_two_days_read_of_a_month_every_number_is_at_least() -> None:
    two = sessions_at(*month(2026, 11)[:2])
    third = EDGES[0] + timedelta(days=2)
    spans = coverage((EDGES[0], third, "complete"), (third, EDGES[1], "missing"))
    report = pva.cost_report(two, period=NOVEMBER, coverage=spans)
    text = Words(report.html).text
    assert "You spent at least $2.00 on the 2 verification sessions that were read." in text
    assert text.count("at least · 672 of 720 hours not read") == 1
    assert "Of what was read, a verified session cost $1.00." in text
    assert repr(report) == "<CostReport 'November 2026': 2 sessions, at least $2.00>"
    assert "Every amount of this chart, USD, at least" in text
    assert not re.search(r"exact\b", text)
    shown = exact(report.html)
    assert shown["Mon 2 Nov"] == "1.00"
    assert shown["Tue 3 Nov"] == shown["Mon 30 Nov"] == "not read"


def test_what_coverage_does_not_speak_of_was_not_read() -> None:
    two = sessions_at(*month(2026, 11)[:2])
    spans = coverage((EDGES[0], EDGES[0] + timedelta(days=2), "complete"))
    report = pva.cost_report(two, period=NOVEMBER, coverage=spans)
    assert "672 of 720 hours not read" in Words(report.html).text


def test_a_day_read_in_part_says_so_and_keeps_its_money() -> None:
    noon = EDGES[0] + timedelta(hours=13)
    spans = coverage((EDGES[0], noon, "complete"), (noon, EDGES[1], "missing"))
    report = pva.cost_report(sessions_at(month(2026, 11)[0]), period=NOVEMBER, coverage=spans)
    assert exact(report.html)["Sun 1 Nov, not read whole"] == "1.00"


def issues(*keys: str, set_aside: bool = True) -> pl.DataFrame:
    return pl.DataFrame({"key": keys, "code": ["bad"] * len(keys), "set_aside": set_aside})


def test_a_record_that_could_not_be_read_makes_every_number_at_least() -> None:
    found = sessions_at(*month(2026, 11))
    report = pva.cost_report(found, period=NOVEMBER, issues=issues("a", "a", "b"))
    text = Words(report.html).text
    assert "at least · 2 records could not be read" in text
    unharmed = pva.cost_report(found, period=NOVEMBER, issues=issues("a", set_aside=False))
    assert "You spent $30.00" in Words(unharmed.html).text


def test_where_every_record_could_not_be_read_nothing_is_not_said() -> None:
    empty = pl.DataFrame(schema=SESSIONS.polars())
    report = pva.cost_report(empty, period=NOVEMBER, issues=issues("a", "b"))
    text = Words(report.html).text
    assert "Nothing of this period was read (2 records could not be read)" in text


def test_open_sessions_and_missing_money_are_two_numbers_with_two_names() -> None:
    table = sessions_at(*month(2026, 11))
    place = pl.int_range(pl.len())
    mixed = table.with_columns(
        status=pl.when(place < 7).then(pl.lit("in-progress")).otherwise("status"),
        total_charge=pl.when(place >= 27).then(None).otherwise("total_charge"),
    )
    text = Words(pva.cost_report(mixed, period=NOVEMBER).html).text.replace("\n", "")
    assert "Sessions that may still verify7$7.00" in text
    assert "Sessions whose money has not arrived3at least" in text
    assert "7 may still verify" in text
    assert "still open" not in text


@pytest.mark.parametrize("name", ["coverage", "issues"])
@pytest.mark.parametrize("table", [pl.DataFrame({"alias": ["x"]}), "october", 7])
def test_another_table_in_place_of_coverage_is_refused_by_name(name: str, table: Any) -> None:
    with pytest.raises(SchemaError, match=rf"{name} is what pva\.{name}\(…\) gives"):
        pva.cost_report(sessions_at(*month(2026, 11)), **{name: table})


def test_a_session_without_a_time_is_refused_with_a_remedy() -> None:
    table = sessions_at(*month(2026, 11)).with_columns(
        created_at=pl.when(pl.int_range(pl.len()) > 1).then("created_at")
    )
    with pytest.raises(SchemaError, match="2 sessions of 30 lack created_at"):
        pva.cost_report(table)


def test_a_quarter_of_forty_channels_is_no_more_than_a_mail_can_carry() -> None:
    start = datetime(2026, 8, 1, tzinfo=UTC)
    table = sessions_at(*(start + timedelta(hours=n) for n in range(92 * 24)))
    number = pl.element().struct.field("attempt_uuid").str.slice(1).cast(pl.Int64) % 40
    crowded = table.with_columns(
        attempt_details=pl.col("attempt_details").list.eval(
            pl.struct(
                pl.format("channel {} of a very long name", number).alias("channel"),
                pl.element().struct.field("attempt_uuid", "status", "time"),
            )
        )
    )
    report = pva.cost_report(crowded, period=("2026-08-01", "2026-11-01"))
    assert len(report.html.encode()) < 300_000
    assert "30 others" in Words(report.html).text
