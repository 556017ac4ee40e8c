"""The cost report of odd accounts: little or much, unknown or hostile, of any zone and currency."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import plivo_analysis as pva
from plivo_analysis.api.columns import SESSIONS
from plivo_analysis.emulator import generate
from plivo_analysis.parsing.sessions import read_session
from plivo_analysis.tables.convert import from_rows

if TYPE_CHECKING:
    from collections.abc import Callable

DAYS = 31
START = datetime(2026, 10, 1, tzinfo=UTC)
LARGEST = 300_000  # bytes of a page
OCTOBER = (date(2026, 10, 1), date(2026, 11, 1))


@pytest.fixture(scope="module")
def sessions() -> pl.DataFrame:
    account = generate(sessions=600)
    records = (read_session(account.record(uuid)) for uuid in account.uuids())
    return from_rows([record.row for record in records if record.row], SESSIONS)


def of_days(sessions: pl.DataFrame, first: float, days: float) -> pl.DataFrame:
    """The sessions of some days, counted from the first of October."""
    low = START + timedelta(days=first)
    created = pl.col("created_at")
    return sessions.filter((created >= low) & (created < low + timedelta(days=days)))


def changed(**columns: Any) -> Callable[[pl.DataFrame], pl.DataFrame]:
    return lambda frame: frame.with_columns(**columns).cast(dict(SESSIONS.polars()))


def numbered(column: str, text: str, groups: int) -> Callable[[pl.DataFrame], pl.DataFrame]:
    """A column with as many different values as there are to be groups."""
    row = pl.int_range(pl.len()) % groups
    return changed(**{column: pl.format(text, row)})


def of_channels(frame: pl.DataFrame, channels: int) -> pl.DataFrame:
    """Every attempt on one of so many channels, each of a long name."""
    number = pl.element().struct.field("attempt_uuid").hash() % channels
    name = pl.format("channel {} of a very long name indeed", number)
    return frame.with_columns(
        attempt_details=pl.col("attempt_details").list.eval(
            pl.struct(
                name.alias("channel"),
                pl.element().struct.field("attempt_uuid", "status", "time"),
            )
        )
    )


ODDITIES = {
    "no session": lambda frame: frame.head(0),
    "one session": lambda frame: frame.head(1),
    "all open": changed(status=pl.lit("in-progress")),
    "all expired": changed(status=pl.lit("expired")),
    "a status of tomorrow": changed(status=pl.lit("abandoned")),
    "no charges": changed(
        total_charge=pl.lit(None), validation_charge=pl.lit(None), attempt_charges=pl.lit(None)
    ),
    "no attempts": changed(attempt_details=pl.lit(None), attempt_charges=pl.lit(None)),
    "forty countries": numbered("destination_country_iso2", "{}", 40),
    "no countries": changed(destination_country_iso2=pl.lit(None)),
    "long names": numbered("alias", "Ein Name, der nicht enden will, " * 9 + "{}", 30),
    "names without a gap": numbered("alias", "W" * 300 + "{}", 30),
    "forty channels": lambda frame: of_channels(frame, 40),
    "names that are markup": numbered("alias", "</td><script>alert({})</script>", 3),
    "names from right to left": numbered("alias", "\u202e\u05d0\u05d1 {}", 3),
    "large amounts": changed(total_charge=pl.col("total_charge") * 1_000_000),
    "credits": changed(total_charge=-pl.col("total_charge")),
}
NO_NUMBER = re.compile(r"\b(None(?! of the \d)|nan|NaN|inf|null|Decimal|datetime)\b")


def words(html: str) -> str:
    shown = re.sub(r"<(script|style)\b.*?</\1>", " ", html, flags=re.DOTALL)
    return re.sub(r"<[^>]*>", " ", shown)


@pytest.mark.parametrize("compared", ["with the month before", "with an empty month", "alone"])
@pytest.mark.parametrize("oddity", ODDITIES)
def test_an_odd_account_has_a_report_of_words_and_true_numbers(
    sessions: pl.DataFrame, oddity: str, compared: str
) -> None:
    odd = ODDITIES[oddity](of_days(sessions, 0, DAYS))
    before = of_days(sessions, -30, 30)
    previous = {"alone": None, "with an empty month": before.head(0)}.get(compared, before)
    report = pva.cost_report(odd, period=OCTOBER, previous=previous)
    text = words(report.html)
    assert not NO_NUMBER.search(text)
    assert "October 2026" in text
    assert len(report.html.encode()) < LARGEST
    assert f"{odd.height:,}" in text or not odd.height
    lines = report.tables["spend"]["amount"].drop_nulls().to_list()
    assert sum(lines, Decimal(0)) == sum(odd["total_charge"].drop_nulls().to_list(), Decimal(0))


@pytest.mark.parametrize(
    ("first", "days", "title", "bucket"),
    [
        (12, 1, "13 October 2026", "hour"),
        (12.5, 1 / 24, "13 October 2026", "hour"),
        (12, 2, "13–14 October 2026", "hour"),
        (0, 7, "1–7 October 2026", "day"),
        (-56, 90, "6 August – 3 November 2026", "day"),
        (-56, 98, "6 August – 11 November 2026", "week"),
    ],
)
def test_a_period_of_any_length_is_named_and_cut_into_buckets(
    sessions: pl.DataFrame, first: float, days: float, title: str, bucket: str
) -> None:
    start = START + timedelta(days=first)
    part = of_days(sessions, first, days)
    period = (start, start + timedelta(days=days))
    text = words(pva.cost_report(part, period=period).html)
    assert title in text
    assert f"Spend by {bucket} and channel" in text


@pytest.mark.parametrize(
    ("currency", "spent"),
    [("JPY", "JPY\u00a0"), ("EUR", "€"), ("INR", "₹"), ("<b>", "&lt;b&gt;\u00a0")],
)
def test_a_currency_stands_before_what_was_spent(
    sessions: pl.DataFrame, currency: str, spent: str
) -> None:
    text = words(pva.cost_report(sessions, currency=currency).html)
    assert re.search(f"You spent +(at least +)?{re.escape(spent)}\\d", text)


@pytest.mark.parametrize("zone", ["America/St_Johns", "Asia/Kathmandu", "Pacific/Apia"])
def test_a_month_of_any_zone_is_that_zones(sessions: pl.DataFrame, zone: str) -> None:
    wall = pl.col("created_at").dt.convert_time_zone(zone)
    there = sessions.filter((wall.dt.year() == 2026) & (wall.dt.month() == 10))
    report = pva.cost_report(there, period=OCTOBER, tz=zone)
    assert f"1 Oct 00:00 – 1 Nov 00:00 {zone}" in words(report.html)
    assert report.tables["success_by_period"]["sessions"].sum() == there.height


def test_where_no_amount_is_known_none_is_said_to_have_fallen(sessions: pl.DataFrame) -> None:
    unknown = ODDITIES["no charges"](of_days(sessions, 0, DAYS))
    before = of_days(sessions, -30, 30)
    text = words(pva.cost_report(unknown, period=OCTOBER, previous=before).html)
    assert "−100.0\u202f%" not in text


def test_a_country_of_which_no_price_is_known_has_no_amount_and_no_change(
    sessions: pl.DataFrame,
) -> None:
    now, before = of_days(sessions, 0, DAYS), of_days(sessions, -30, 30)
    at_home = pl.col("destination_country_iso2") == "US"
    unpriced = ODDITIES["no charges"](now.filter(at_home)).vstack(now.filter(~at_home))
    html = pva.cost_report(unpriced, period=OCTOBER, previous=before).html
    line = re.search(r"<td>United States.*?</tr>", html)
    assert line is not None
    spend, share, change, _, each, journey, _, waste = re.findall(
        r'<td class="n[^>]*>(.*?)</td>', line[0]
    )
    assert {spend, share, change, each, journey.partition("<")[0], waste} == {"–"}
