"""The cost report: its numbers are the metrics', it makes no request, and it does no harm."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
import zipfile
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pandas as pd
import polars as pl
import pytest

import plivo_analysis as pva
from plivo_analysis.api.columns import MESSAGES, SESSIONS
from plivo_analysis.emulator import generate
from plivo_analysis.emulator.listing import MESSAGES as MESSAGE_SHELF
from plivo_analysis.errors import FilterError, SchemaError, StoreError
from plivo_analysis.parsing.messages import read_message
from plivo_analysis.parsing.sessions import read_session
from plivo_analysis.report.cost import CostReport, cost_report
from plivo_analysis.report.countries import country
from plivo_analysis.report.files import csv_bytes, table_workbook
from plivo_analysis.report.period import Period
from plivo_analysis.tables.convert import from_rows, to_backend
from plivo_analysis.values.typesetting import percent, unit_price

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from plivo_analysis.emulator import Account

OCTOBER = (date(2026, 10, 1), date(2026, 11, 1))
HOSTILE = '</script><script src="https://evil.test/x.js"></script><img src=x onerror=alert(1)>'
PHONE = "12025550143"


@pytest.fixture(scope="module")
def account() -> Account:
    return generate(seed=1, sessions=1500)


@pytest.fixture(scope="module")
def sessions(account: Account) -> pl.DataFrame:
    records = (read_session(account.record(uuid)) for uuid in account.uuids())
    return from_rows([record.row for record in records if record.row], SESSIONS)


@pytest.fixture(scope="module")
def messages(account: Account) -> pl.DataFrame:
    uuids = account.uuids(listing=MESSAGE_SHELF)
    records = (read_message(account.record(uuid)) for uuid in uuids)
    return from_rows([record.row for record in records if record.row], MESSAGES)


@pytest.fixture(scope="module")
def october(sessions: pl.DataFrame) -> pl.DataFrame:
    return within(sessions, *OCTOBER)


@pytest.fixture(scope="module")
def report(october: pl.DataFrame) -> CostReport:
    return cost_report(october, period=OCTOBER)


def within(sessions: pl.DataFrame, start: date, end: date) -> pl.DataFrame:
    low, high = (datetime(at.year, at.month, at.day, tzinfo=UTC) for at in (start, end))
    return sessions.filter((pl.col("created_at") >= low) & (pl.col("created_at") < high))


class Page(HTMLParser):
    """What a browser would make of a page, as far as these tests ask."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.tables: list[list[list[str]]] = []
        self.words: list[str] = []
        self._raw, self._cell = "", False
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._raw = tag if tag in {"script", "style"} else ""
        if tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append([])
        elif tag in {"td", "th"} and self.tables and self.tables[-1]:
            self.tables[-1][-1].append("")
            self._cell = True

    def handle_endtag(self, tag: str) -> None:
        self._raw = ""
        self._cell = self._cell and tag not in {"td", "th"}

    def handle_data(self, data: str) -> None:
        if self._raw:
            return
        self.words.append(data)
        if self._cell:
            self.tables[-1][-1][-1] += data

    @property
    def text(self) -> str:
        return "".join(self.words)

    def table(self, first: str) -> list[list[str]]:
        """The rows under the head that begins with a word."""
        found = next(t for t in self.tables if t and t[0] and t[0][0] == first)
        return found[1:]


def amount(text: str) -> Decimal:
    return Decimal(text.replace("−", "-").replace("$", "").replace(",", ""))


def test_the_amounts_by_day_and_channel_are_the_accounts_own_to_the_last_digit(
    account: Account, report: CostReport
) -> None:
    low, high = (datetime(at.year, at.month, at.day, tzinfo=UTC) for at in OCTOBER)
    truth = account.expected(low, high)
    table = next(t for t in Page(report.html).tables if t[0][0] == "Day")
    names = {"SMS": "sms", "Voice": "voice", "WhatsApp": "whatsapp", "Unknown": "unknown"}
    channels = [names.get(name, name.lower()) for name in table[0][1:-1]]
    shown = {}
    for number, (_, *cells, _total) in enumerate(table[1:-1]):
        for channel, cell in zip(channels, cells, strict=True):
            if amount(cell):
                shown[OCTOBER[0] + timedelta(days=number), channel] = amount(cell)
    assert shown == {key: value for key, value in truth.lines.items() if value}
    assert amount(table[-1][-1]) == truth.spend


def test_the_fallback_rows_are_the_accounts_own(account: Account, report: CostReport) -> None:
    low, high = (datetime(at.year, at.month, at.day, tzinfo=UTC) for at in OCTOBER)
    truth = account.expected(low, high)
    rows = {row[0]: row for row in Page(report.html).table("Entry channel")}
    assert int(rows["All"][1].replace(",", "")) == sum(truth.evaluable.values())
    for name, channel in (("SMS", "sms"), ("Voice", "voice"), ("WhatsApp", "whatsapp")):
        counts = [int(cell.replace(",", "")) for cell in rows[name][1:3]]
        assert counts == [truth.evaluable[channel], truth.fell_back[channel]]


def test_the_lines_add_up_to_the_total_as_they_are_printed(report: CostReport) -> None:
    *lines, total = Page(report.html).table("Line of the bill")
    assert sum(amount(line[2].split(" ")[0]) for line in lines) == amount(total[2])


def test_the_headline_numbers_are_the_metrics(report: CostReport, october: pl.DataFrame) -> None:
    text = Page(report.html).text
    success = pva.success_rates(october).row(0, named=True)
    fallback = pva.fallback_rates(october, by=()).row(0, named=True)
    cost = pva.cost_per_verified(october).row(0, named=True)
    assert f"{success['success_rate']:.1%}".replace("%", "\u202f%") in text
    assert f"{fallback['fallback_rate']:.1%}".replace("%", "\u202f%") in text
    assert f"{cost['cost_per_verified'] * 100:.2f}\u202f¢" in text
    assert f"{pva.spend(october)['amount'].sum():.2f}" in text


def test_the_tables_are_the_metrics_frames(report: CostReport, october: pl.DataFrame) -> None:
    assert report.tables["spend"].equals(pva.spend(october))
    assert report.tables["fallback_by_entry_channel"].equals(pva.fallback_rates(october))
    assert report.tables["reconcile"].equals(pva.reconcile(october))


def test_countries_and_applications_add_up_to_all_sessions(
    report: CostReport, october: pl.DataFrame
) -> None:
    rows = Page(report.html).table("Country")
    split = next(n for n, row in enumerate(rows) if row[0] == "Application")
    for group in (rows[:split], rows[split + 1 :]):
        assert sum(int(row[4].replace(",", "")) for row in group) == october.height


def test_beyond_twelve_the_rest_is_one_row_with_the_rest_of_the_sessions(
    october: pl.DataFrame,
) -> None:
    many = october.with_row_index("n").with_columns(
        destination_country_iso2=pl.format("{}", pl.col("n") % 20 + 10)
    )
    page = Page(cost_report(many.drop("n")).html)
    rows = page.table("Country")
    assert rows[12][0] == "8 others"
    assert sum(int(row[4].replace(",", "")) for row in rows[:13]) == october.height


def test_an_application_has_one_row_under_the_name_it_had_last(october: pl.DataFrame) -> None:
    names = ["old", *[None] * (october.height - 2), "new"]
    renamed = october.sort("created_at", "session_uuid").with_columns(
        pl.Series("alias", names), app_uuid=pl.lit("5a0e3c6e-0000-4000-8000-000000000001")
    )
    page = Page(cost_report(renamed).html)
    rows = page.table("Country")
    split = next(n for n, row in enumerate(rows) if row[0] == "Application")
    assert [row[0] for row in rows[split + 1 :]] == ["new"]


def test_the_page_runs_nothing_and_asks_for_nothing(report: CostReport) -> None:
    html, page = report.html, Page(report.html)
    assert "script" not in {name for name, _ in page.tags}
    assert "<script" not in html.lower()
    for _, attributes in page.tags:
        for name in ("src", "href", "srcset", "action", "data", "poster", "xlink:href"):
            assert (attributes.get(name) or "#").startswith("#")
        assert not any(name.startswith("on") for name in attributes)
    assert not re.search(r"url\((?!#)", html)
    assert "@import" not in html
    assert "http" not in html.replace("http-equiv", "")
    policy = next(a["content"] for t, a in page.tags if t == "meta" and "http-equiv" in a)
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"


def test_a_report_is_made_without_the_program_of_notebooks() -> None:
    code = (
        "import sys, polars, plivo_analysis as pva\n"
        "from plivo_analysis.api.columns import SESSIONS\n"
        "pva.cost_report(polars.DataFrame(schema=SESSIONS.polars()))\n"
        "print('plotly' in sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "False\n"


def test_every_drawing_says_in_words_what_it_shows(report: CostReport) -> None:
    drawings = [attributes for name, attributes in Page(report.html).tags if name == "svg"]
    assert len(drawings) > 40
    for attributes in drawings:
        hidden = attributes.get("aria-hidden") == "true"
        assert hidden or (attributes["role"] == "img" and attributes["aria-label"])


def test_a_day_of_the_chart_tells_its_amounts_under_the_pointer(
    report: CostReport, october: pl.DataFrame
) -> None:
    titles = re.findall(r"<title>([^<]*)</title>", report.html)
    day = pva.spend(october, every="1d").filter(pl.col("period").dt.day() == 13)
    for row in day.rows(named=True):
        name = {"sms": "SMS", "whatsapp": "WhatsApp"}.get(row["channel"], row["channel"].title())
        amount = f"{row['amount']:,.2f}".replace("-", "")
        found = [title for title in titles if title.startswith("Tue 13 Oct: ")]
        assert len(found) == 2, "the chart of a desk and of a phone"
        assert f"${amount} {name}, " in found[0]


def test_the_same_sessions_give_the_same_bytes(october: pl.DataFrame, tmp_path: Path) -> None:
    first, second = (cost_report(october, period=OCTOBER) for _ in range(2))
    assert first.html == second.html
    one, two = (r.to_xlsx(tmp_path / f"{n}.xlsx") for n, r in enumerate((first, second)))
    assert one.read_bytes() == two.read_bytes()


def test_no_recipient_is_in_the_page_or_any_table(october: pl.DataFrame) -> None:
    marked = october.with_columns(recipient=pl.lit(PHONE), requestor_ip=pl.lit("192.0.2.77"))
    report = cost_report(marked)
    everything = report.html + "".join(str(t.rows()) for t in report.tables.values())
    assert PHONE not in everything
    assert "192.0.2.77" not in everything


def test_hostile_text_stays_text(october: pl.DataFrame) -> None:
    bad = october.with_columns(
        alias=pl.lit(HOSTILE),
        app_uuid=pl.lit(HOSTILE),
        destination_country_iso2=pl.lit(HOSTILE),
        attempt_details=pl.col("attempt_details").list.eval(
            pl.struct(
                pl.lit(HOSTILE).alias("channel"),
                pl.element().struct.field("attempt_uuid", "status", "time"),
            )
        ),
    )
    clean, hostile = (
        Page(cost_report(s, title=HOSTILE, account=HOSTILE).html) for s in (october, bad)
    )
    assert {name for name, _ in hostile.tags} <= {name for name, _ in clean.tags}
    assert "<script src=" in hostile.text, "it is shown"


def test_zero_sessions_is_a_true_zero() -> None:
    empty = pl.DataFrame(schema=SESSIONS.polars())
    report = cost_report(empty, period=OCTOBER)
    text = Page(report.html).text
    assert "October 2026" in text
    assert "No session began in this period, so nothing was spent." in text
    assert "Spend by day" not in text


def changed(sessions: pl.DataFrame, **columns: Any) -> pl.DataFrame:
    return sessions.with_columns(**columns).cast(dict(SESSIONS.polars()))


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"status": pl.lit("expired")}, "settled sessions verified."),
        ({"status": pl.lit("in-progress")}, "No session has settled yet"),
        (
            {
                "total_charge": pl.lit(None),
                "validation_charge": pl.lit(None),
                "attempt_charges": pl.lit(None),
            },
            "You spent at least $0.00 on",
        ),
    ],
)
def test_the_first_lines_say_no_more_than_is_known(
    october: pl.DataFrame, columns: dict[str, Any], sentence: str
) -> None:
    assert sentence in Page(cost_report(changed(october, **columns)).html).text


def test_one_missing_total_makes_spend_a_lower_bound(october: pl.DataFrame) -> None:
    totals = october["total_charge"].to_list()
    totals[0] = None
    less = october.with_columns(pl.Series("total_charge", totals, pl.Decimal(18, 8)))
    text = Page(cost_report(less).html).text
    assert "You spent at least $" in text
    assert "at least · 1 total missing" in text


def test_a_burst_in_one_country_is_found_and_told(october: pl.DataFrame) -> None:
    quiet = october.filter(pl.col("destination_country_iso2").is_in(["US", "IN"]))
    loud = quiet.head(60).with_columns(
        session_uuid=pl.format("burst-{}", pl.int_range(60)),
        destination_country_iso2=pl.lit("NG"),
        created_at=pl.lit(datetime(2026, 10, 20, 8, tzinfo=UTC)).cast(pl.Datetime("us", "UTC")),
        status=pl.lit("expired"),
    )
    both = pl.concat([quiet, loud.select(quiet.columns)])
    text = Page(cost_report(both, period=OCTOBER).html).text
    told = "In Nigeria 60 sessions began on 20 October (usually none a day); only 0\u202f% verified"
    assert told in text


def test_where_no_day_stands_out_no_burst_is_told(october: pl.DataFrame) -> None:
    first = pl.lit(datetime(2026, 10, 1, 8, tzinfo=UTC)).cast(pl.Datetime("us", "UTC"))
    even = october.head(62).with_columns(created_at=first + pl.duration(days=pl.int_range(62) % 31))
    one = even.with_columns(destination_country_iso2=pl.lit("US"))
    text = Page(cost_report(one, period=OCTOBER).html).text
    assert "the median day has" not in text


def test_the_period_before_brings_changes_and_only_then(
    sessions: pl.DataFrame, october: pl.DataFrame
) -> None:
    before = within(sessions, date(2026, 9, 1), date(2026, 10, 1))
    report = cost_report(october, period=OCTOBER, previous=before)
    text = Page(report.html).text
    now, then = (pva.spend(frame)["amount"].sum() for frame in (october, before))
    moved = (now / 31) / (then / 30) - 1
    word = "more" if moved > 0 else "less"
    assert f"{abs(moved) * 100:.1f}\u202f% {word} a day than in September 2026." in text
    assert "Compared with1 Sep – 30 Sep (September 2026; 30 days, so changes are per day)" in text
    assert "before_spend" in report.tables
    alone = Page(cost_report(october, period=OCTOBER).html).text
    assert "Change" not in alone
    assert "Compared withnothing (the period before was not given)" in alone
    assert "was $" not in alone


def changes(rows: list[list[str]]) -> Decimal:
    return sum((Decimal(row[4].replace("−", "-").replace("+", "")) for row in rows), Decimal(0))


def test_the_changes_of_countries_and_of_applications_add_up_to_the_whole_change(
    sessions: pl.DataFrame, october: pl.DataFrame
) -> None:
    before = within(sessions, date(2026, 9, 1), date(2026, 10, 1))
    # Twenty countries in another order, so that the twelve largest are others than before.
    now, then = (
        frame.with_row_index("n")
        .with_columns(destination_country_iso2=pl.format("{}", pl.col("n") ** power % 20 + 10))
        .drop("n")
        for frame, power in ((october, 1), (before, 2))
    )
    renamed = then.with_columns(alias=pl.lit("as it was called before"))
    report = cost_report(now, period=OCTOBER, previous=renamed)
    rows = Page(report.html).table("Country")
    split = next(n for n, row in enumerate(rows) if row[0] == "Application")
    whole = pva.spend(now)["amount"].sum() / 31 - pva.spend(then)["amount"].sum() / 30
    for group in (rows[:split], rows[split + 1 :]):
        assert abs(changes(group) - whole) <= Decimal("0.005") * len(group)
    for row in rows[split + 1 :]:
        cost = [
            pva.spend(frame.filter(pl.col("app_uuid").is_in(ids)))["amount"].sum()
            for frame in (now, then)
            for ids in [now.filter(pl.col("alias") == row[0])["app_uuid"].unique().to_list()]
        ]
        assert abs(changes([row]) - (cost[0] / 31 - cost[1] / 30)) <= Decimal("0.005")


def test_a_change_is_told_with_what_it_leaves_out(
    sessions: pl.DataFrame, october: pl.DataFrame
) -> None:
    before = within(sessions, date(2026, 9, 1), date(2026, 10, 1))
    totals = [None, *october["total_charge"].to_list()[1:]]
    less = october.with_columns(pl.Series("total_charge", totals, pl.Decimal(18, 8)))
    text = Page(cost_report(less, period=OCTOBER, previous=before).html).text
    assert re.search(r"; as far as totals have arrived, [\d.]+\u202f% (more|less) a day than", text)


def test_message_records_stand_beside_and_are_not_added(
    sessions: pl.DataFrame, messages: pl.DataFrame
) -> None:
    report = cost_report(sessions, messages=messages)
    text = Page(report.html).text
    joined = pva.join_messages(sessions, messages)
    assert f"{joined.matched:,} of {joined.attempts:,} attempts above have a message record" in text
    assert "so the two spends are not added" in text
    assert report.tables["message_spend"].equals(pva.message_spend(messages))


def test_coverage_names_what_was_not_read(october: pl.DataFrame) -> None:
    at = [datetime(2026, 10, 1, tzinfo=UTC) + timedelta(hours=n) for n in (0, 264, 267, 744)]
    spans = pl.DataFrame(
        {
            "start": at[:3],
            "end": at[1:],
            "state": ["complete", "missing", "complete"],
            "rows": [100, 0, 200],
            "open": [0, 0, 3],
            "read_at": [datetime(2026, 11, 2, 6, 58, tzinfo=UTC), None, None],
        }
    )
    text = Page(cost_report(october, period=OCTOBER, coverage=spans).html).text
    assert "Hours read whole741 of 744" in text
    assert "Not read (missing)12 Oct 00:00 – 12 Oct 03:00" in text
    assert "Mon 2 Nov 2026 06:58 UTC · not complete" in text


def test_coverage_is_told_on_the_clock_of_the_report(october: pl.DataFrame) -> None:
    zone = ZoneInfo("Asia/Kolkata")
    start, gap, end = (
        datetime(2026, *at, tzinfo=zone).astimezone(UTC) for at in ((10, 1), (10, 31), (11, 1))
    )
    inside = october.filter(pl.col("created_at").is_between(start, gap, closed="left"))
    spans = pl.DataFrame(
        {
            "start": [start, gap],
            "end": [gap, end],
            "state": ["complete", "missing"],
            "rows": [100, 0],
            "open": [0, 0],
            "read_at": [datetime(2026, 11, 2, tzinfo=UTC), None],
        }
    )
    report = cost_report(inside, period=("2026-10-01", "2026-11-01"), coverage=spans, tz=zone)
    text = Page(report.html).text
    assert "Not read (missing)31 Oct 00:00 – 1 Nov 00:00" in text
    assert "1 Octgaps in colour31 Oct" in text


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tz": "Mars/Olympus"}, "the name of an IANA time zone"),
        ({"tz": 5}, "the name of an IANA time zone"),
        ({"period": (date(2026, 11, 1), date(2026, 10, 1))}, "ends before it starts"),
        ({"period": (date(2026, 10, 1), date(2026, 10, 2))}, "began outside the period 1 Oct"),
        ({"period": ("2026-10-01", "October")}, "'October' is neither"),
        ({"period": ("2026-10-01", None)}, "None is neither"),
        ({"period": (pd.NaT, "2026-11-01")}, "NaT is neither"),
        ({"period": "2026-10"}, r"period is \(start, end\), each a date such as"),
        ({"period": 7}, r"period is \(start, end\), each a date such as"),
    ],
)
def test_a_wrong_argument_is_named(
    october: pl.DataFrame, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(FilterError, match=message):
        cost_report(october, **options)


def test_a_period_before_that_is_not_before_is_refused(october: pl.DataFrame) -> None:
    with pytest.raises(
        FilterError, match=r"previous holds .* sessions outside the 30 days before, Sep"
    ):
        cost_report(october, period=OCTOBER, previous=october)


def test_a_frame_that_is_no_sessions_table_is_refused() -> None:
    with pytest.raises(SchemaError, match="session_uuid"):
        cost_report(pl.DataFrame({"alias": ["x"]}))


def test_pandas_in_gives_the_same_page_and_pandas_out(october: pl.DataFrame) -> None:
    ours = cost_report(october)
    theirs = cost_report(to_backend(october, "pandas"))
    assert theirs.html == ours.html
    assert isinstance(theirs.tables["spend"], pd.DataFrame)


def test_days_are_counted_in_the_zone_asked_for(october: pl.DataFrame) -> None:
    late = october.head(1).with_columns(
        created_at=pl.lit(datetime(2026, 10, 9, 20, tzinfo=UTC)).cast(pl.Datetime("us", "UTC"))
    )
    report = cost_report(late, tz="Asia/Kolkata")
    assert repr(report).startswith("<CostReport '10 October 2026': 1 session, ")


def test_a_period_begins_and_ends_in_the_zone_asked_for(sessions: pl.DataFrame) -> None:
    india = timedelta(hours=5, minutes=30)
    low, high = (datetime(2026, month, 1, tzinfo=UTC) - india for month in (10, 11))
    created = pl.col("created_at")
    october = sessions.filter((created >= low) & (created < high))
    report = cost_report(october, period=OCTOBER, tz="Asia/Kolkata")
    assert "1 Oct 00:00 – 1 Nov 00:00 Asia/Kolkata (31 days)" in Page(report.html).text
    assert report.tables["success_by_period"]["sessions"].sum() == october.height
    with pytest.raises(FilterError, match="began outside the period"):
        cost_report(october, period=OCTOBER, tz="UTC")


@pytest.mark.parametrize(
    ("end", "length"),
    [
        (datetime(2026, 10, 2, tzinfo=UTC), "1 day"),
        (datetime(2026, 10, 2, 3, tzinfo=UTC), "27 hours"),
        (datetime(2026, 10, 3, 23, 40, tzinfo=UTC), "72 hours"),
        (datetime(2026, 12, 29, 22, 48, tzinfo=UTC), "90.0 days"),
    ],
)
def test_a_period_of_days_and_hours_is_told_in_hours_only_while_it_is_short(
    end: datetime, length: str
) -> None:
    assert Period.of((datetime(2026, 10, 1, tzinfo=UTC), end), ZoneInfo("UTC")).length == length


def test_a_currency_is_a_label_on_every_amount(october: pl.DataFrame) -> None:
    text = Page(cost_report(october, currency="GBP").html).text
    assert "£" in text
    assert "$" not in text.replace("plotly", "")
    assert 'currency="GBP"' in text


def test_saving_makes_the_folder_and_writes_the_page(report: CostReport, tmp_path: Path) -> None:
    file = report.save(tmp_path / "deep" / "october.html")
    assert file.read_text("utf-8") == report.html


def test_a_page_that_cannot_be_written_is_one_clear_error(
    report: CostReport, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"The report was not written to october\.html: "):
        report.save(tmp_path / "file" / "october.html")


def cells(workbook: Path) -> Iterator[ET.Element]:
    with zipfile.ZipFile(workbook) as book:
        for name in book.namelist():
            if name.startswith("xl/worksheets/sheet"):
                for element in ET.fromstring(book.read(name)).iter():  # noqa: S314 - our own file
                    if element.tag.endswith("}c"):
                        yield element


def test_a_workbook_has_no_formula_and_numbers_are_numbers(
    october: pl.DataFrame, tmp_path: Path
) -> None:
    risky = october.with_columns(alias=pl.lit("=1+1"), app_uuid=pl.lit("http://evil.test"))
    report = cost_report(risky)
    found = list(cells(report.to_xlsx(tmp_path / "r.xlsx")))
    assert not [cell for cell in found if any(part.tag.endswith("}f") for part in cell)]
    with zipfile.ZipFile(tmp_path / "r.xlsx") as book:
        assert "xl/externalLinks" not in " ".join(book.namelist())
        assert not [name for name in book.namelist() if "worksheets/_rels" in name], "no link"
        assert b"=1+1" in book.read("xl/sharedStrings.xml")
    kinds = {cell.get("t") for cell in found}
    assert kinds <= {"s", None}, "text and numbers, nothing else"


def column(reference: str) -> int:
    letters = re.sub(r"\d", "", reference)
    return sum((ord(c) - 64) * 26**place for place, c in enumerate(reversed(letters))) - 1


def read_sheet(book: zipfile.ZipFile, number: int) -> list[dict[int, str | float]]:
    """The rows of a sheet: text where the cell holds text, a number where it holds a number."""
    space = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    shared = ET.fromstring(book.read("xl/sharedStrings.xml"))  # noqa: S314 - our own file
    texts = ["".join(text.itertext()) for text in shared]
    sheet = ET.fromstring(book.read(f"xl/worksheets/sheet{number}.xml"))  # noqa: S314 - the same
    rows: list[dict[int, str | float]] = []
    for row in sheet.iter(f"{space}row"):
        rows.append({})
        for cell in row.iter(f"{space}c"):
            value = cell.findtext(f"{space}v")
            if value is not None:
                said: str | float = texts[int(value)] if cell.get("t") == "s" else float(value)
                rows[-1][column(cell.get("r", ""))] = said
    return rows


def test_a_workbook_of_one_table_holds_each_value_in_its_type(tmp_path: Path) -> None:
    # Ids and names that look like numbers are text all the same.
    table = pl.DataFrame(
        {
            "alias": ["1e5", "0012", None],
            "amount": [Decimal("0.12345678"), None, Decimal(-3)],
            "rate": [0.5, None, 1.0],
            "lines": [1, 2, None],
            "reasons": [["a", "b"], [], None],
            "period": [datetime(2026, 10, 1, tzinfo=UTC), None, None],
        }
    )
    (tmp_path / "t.xlsx").write_bytes(table_workbook("spend", table, {"Title": "t"}))
    with zipfile.ZipFile(tmp_path / "t.xlsx") as book:
        head, *rows = read_sheet(book, 2)
    assert list(head.values()) == table.columns
    october = 46296.0  # days since the spreadsheet's own first day
    assert [[row.get(place) for place in range(6)] for row in rows] == [
        ["1e5", 0.12345678, 0.5, 1, "a, b", october],
        ["0012", None, None, 2, "", None],
        [None, -3, 1, None, None, None],
    ]


Line = dict[str, Any]


def sheets_of(book: zipfile.ZipFile) -> dict[str, list[Line]]:
    """The rows of each sheet by heading; the lines above the headings are left out."""
    names = re.findall(r'<sheet name="([^"]+)"', book.read("xl/workbook.xml").decode())
    found = {}
    for number, name in enumerate(names, start=1):
        xml = book.read(f"xl/worksheets/sheet{number}.xml").decode()
        top = int(re.search(r'<autoFilter ref="A(\d+):', xml)[1])  # type: ignore[index]
        frozen = re.search(r'<pane [^>]*ySplit="(\d+)"[^>]*state="frozen"', xml)
        assert frozen, name
        assert int(frozen[1]) == top, name
        rows = read_sheet(book, number)
        # Rows without a cell are not written: the first row of the table is found by its filter.
        last = int(re.search(r'<autoFilter ref="A\d+:[A-Z]+(\d+)"', xml)[1])  # type: ignore[index]
        head, *lines = rows[-(last - top) - 1 :]
        found[name] = [{head[place]: row.get(place) for place in head} for row in lines]
    return found


@pytest.fixture(scope="module")
def compared(sessions: pl.DataFrame, october: pl.DataFrame) -> CostReport:
    september = within(sessions, date(2026, 9, 1), date(2026, 10, 1))
    return cost_report(october, period=OCTOBER, previous=september)


@pytest.fixture(scope="module")
def book(compared: CostReport, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Line]]:
    path = compared.to_xlsx(tmp_path_factory.mktemp("book") / "r.xlsx")
    with zipfile.ZipFile(path) as opened:
        return sheets_of(opened)


def near(line: Line) -> Line:
    """The cells that a sheet must hold, numbers as a spreadsheet keeps them."""
    return {
        name: pytest.approx(float(value), rel=1e-12, abs=1e-12)
        if isinstance(value, int | float | Decimal)
        else value
        for name, value in line.items()
    }


def a_day(now: Decimal | int, past: Decimal | int) -> Decimal:
    return Decimal(now) / 31 - Decimal(past) / 30


def total(amounts: pl.Series) -> Decimal:
    return sum(amounts.drop_nulls().to_list(), Decimal(0))


def rates(row: Line) -> Line:
    names = {"Sessions": "sessions", "Settled": "settled", "Verified": "verified"}
    return {title: row[name] for title, name in (names | {"Success rate": "success_rate"}).items()}


CHANNELS = {
    "sms": "SMS",
    "voice": "Voice",
    "whatsapp": "WhatsApp",
    "rcs": "RCS",
    "unknown": "Unknown",
    "validation": "Validation",
    "unallocated": "Unallocated",
    None: "No attempt",
}


def test_a_workbook_has_plain_sheets_in_the_order_of_reading(book: dict[str, list[Line]]) -> None:
    assert list(book) == [
        "Summary",
        "Channels",
        "Countries",
        "Countries by channel",
        "Applications",
        "By day",
        "Definitions",
    ]


@pytest.mark.parametrize(
    ("sheet", "by", "first"),
    [
        ("Countries", "destination_country_iso2", ("Country", "Code")),
        ("Applications", "app_uuid", ("Application", "Id")),
    ],
)
def test_every_cell_of_a_groups_sheet_is_its_tables(
    compared: CostReport,
    book: dict[str, list[Line]],
    sheet: str,
    by: str,
    first: tuple[str, str],
) -> None:
    word = first[0].lower()
    tables = compared.tables
    spends, before = (tables[f"{past}spend_by_{word}"] for past in ("", "before_"))
    whole = total(spends["amount"])
    success = tables[f"success_by_{word}"].to_dicts()
    costs, journeys = (
        {row[by]: row for row in tables[f"{table}_by_{word}"].to_dicts()}
        for table in ("cost", "journey_rates")
    )
    assert len(book[sheet]) == len(success)
    lines = {line[first[1]]: line for line in book[sheet]}
    for row in success:
        group = row[by]
        parts = spends.filter(pl.col(by).eq_missing(pl.lit(group)))
        past = total(before.filter(pl.col(by).eq_missing(pl.lit(group)))["amount"])
        spent = total(parts["amount"])
        name = country(group) if word == "country" else row["alias"] or group or "not given"
        channels = dict.fromkeys(spends["channel"]) | dict(parts.select("channel", "amount").rows())
        expected: Line = {
            first[0]: name,
            first[1]: group,
            "Spend, USD": spent,
            "Share of spend": spent / whole,
            "Spend before, USD": past,
            "Change, USD a day": a_day(spent, past),
            **rates(row),
            "Cost per verified session, USD": costs[group]["cost_per_verified"],
            "Cost per verified journey, USD": journeys[group]["cost_per_verified_journey"],
            "Journeys verified (÷ settled)": journeys[group]["conversion_rate"],
            "Waste, USD": costs[group]["waste"],
            **{f"{CHANNELS[channel]}, USD": amount for channel, amount in channels.items()},
        }
        assert lines[group] == near(expected)


def test_the_channels_of_a_workbook_have_one_order_in_every_run(
    sessions: pl.DataFrame, tmp_path: Path
) -> None:
    # The two last named have one place among channels, which left their order to that of a set.
    with zipfile.ZipFile(cost_report(sessions).to_xlsx(tmp_path / "r.xlsx")) as opened:
        channels = [line["Channel"] for line in sheets_of(opened)["Channels"]]
    assert channels[3:6] == ["RCS", "Unknown", "No attempt"]


def test_every_cell_of_the_channels_sheet_is_its_tables(
    compared: CostReport, book: dict[str, list[Line]]
) -> None:
    tables = compared.tables
    spends = {row["channel"]: row for row in tables["spend"].to_dicts()}
    past = dict(tables["before_spend"].select("channel", "amount").rows())
    whole = total(tables["spend"]["amount"])
    success, costs, before = (
        {row["entry_channel"]: row for row in tables[f"{name}_by_entry_channel"].to_dicts()}
        for name in ("success", "cost", "before_cost")
    )
    assert {line["Channel"] for line in book["Channels"]} == {
        CHANNELS[channel] for channel in {*spends, *success}
    }
    names = {name: channel for channel, name in CHANNELS.items()}
    for line in book["Channels"]:
        channel = names[line["Channel"]]
        spent = spends.get(channel, {}).get("amount")
        was = past.get(channel, Decimal(0))
        price, price_before = (
            found.get(channel, {}).get("cost_per_verified") for found in (costs, before)
        )
        assert line == near(
            {
                "Channel": CHANNELS[channel],
                "Attempts billed": spends.get(channel, {}).get("lines"),
                "Spend, USD": spent,
                "Share of spend": None if spent is None else spent / whole,
                "Spend before, USD": was,
                "Change, USD a day": None if spent is None else a_day(spent, was),
                **(rates(success[channel]) if channel in success else rates(NO_SESSION)),
                "Cost per verified session, USD": price,
                "Cost per verified before, USD": price_before,
                "Change of cost per verified, USD": (
                    None if price is None or price_before is None else price - price_before
                ),
                "Waste, USD": costs.get(channel, {}).get("waste"),
            }
        )


NO_SESSION = dict.fromkeys(["sessions", "settled", "verified", "success_rate"])


def test_every_cell_of_countries_by_channel_is_its_tables(
    compared: CostReport, book: dict[str, list[Line]]
) -> None:
    success, costs = (
        compared.tables[f"{name}_by_country_and_channel"].to_dicts() for name in ("success", "cost")
    )
    key = "destination_country_iso2", "entry_channel"
    cost_of = {tuple(row[name] for name in key): row for row in costs}
    lines = {(line["Code"], line["First channel"]): line for line in book["Countries by channel"]}
    assert len(lines) == len(success) == len(book["Countries by channel"])
    for row in success:
        code, channel = (row[name] for name in key)
        cost = cost_of.get((code, channel), {})
        assert lines[code, CHANNELS[channel]] == near(
            {
                "Country": country(code),
                "Code": code,
                "First channel": CHANNELS[channel],
                **rates(row),
                "Spend of settled sessions, USD": cost.get("total_charge"),
                "Cost per verified session, USD": cost.get("cost_per_verified"),
                "Waste, USD": cost.get("waste"),
            }
        )


def test_every_cell_of_the_days_is_its_tables(
    compared: CostReport, book: dict[str, list[Line]]
) -> None:
    tables = compared.tables
    spends = tables["spend_by_period"]
    success, costs = (
        {row["period"]: row for row in tables[f"{name}_by_period"].to_dicts()}
        for name in ("success", "cost")
    )
    assert len(book["By day"]) == 31
    for number, line in enumerate(book["By day"]):
        start = datetime(2026, 10, 1, tzinfo=UTC) + timedelta(days=number)
        of_day = spends.filter(pl.col("period") == start)
        amounts = dict.fromkeys(spends["channel"], Decimal(0))
        amounts |= dict(of_day.select("channel", "amount").rows())
        assert line == near(
            {
                "Day": 46296 + number,
                "Spend, USD": total(of_day["amount"]),
                **{f"{CHANNELS[name]}, USD": amount for name, amount in amounts.items()},
                "Sessions": success[start]["sessions"],
                "Verified": success[start]["verified"],
                "Success rate": success[start]["success_rate"],
                "Cost per verified session, USD": costs[start]["cost_per_verified"],
                "Known": "exact",
            }
        )


def test_the_summary_sheet_sets_each_number_beside_the_one_before(
    compared: CostReport, book: dict[str, list[Line]]
) -> None:
    now, past = (
        {
            name: compared.tables[f"{prefix}{name}"].to_dicts()[0]
            for name in ("cost", "success", "fallback", "journey_rates")
        }
        | {"spent": total(compared.tables[f"{prefix}spend"]["amount"])}
        for prefix in ("", "before_")
    )
    table = {line["Measure"]: line for line in book["Summary"]}
    title = "September 2026"
    for measure, of in {
        "Spend, USD": lambda found: found["spent"],
        "Sessions": lambda found: found["success"]["sessions"],
        "Sessions settled": lambda found: found["cost"]["settled"],
        "Sessions verified": lambda found: found["cost"]["verified"],
        "Waste: spend on sessions that expired, USD": lambda found: found["cost"]["waste"],
    }.items():
        first, second = of(now), of(past)
        change = a_day(first, second)
        share = change / (Decimal(second) / 30)
        cells = [measure, first, second, change, share]
        heads = ["Measure", "This period", title, "Change, amounts and counts a day", "Change, %"]
        assert table.pop(measure) == near(dict(zip(heads, cells, strict=True)))
    for measure, name, column in (
        ("Success rate (verified ÷ settled)", "success", "success_rate"),
        ("Fallback rate", "fallback", "fallback_rate"),
        ("Journeys verified (÷ settled)", "journey_rates", "conversion_rate"),
        ("Waste as a share of settled spend", "cost", "waste_share"),
    ):
        first, second = now[name][column], past[name][column]
        cells = [measure, first, second, (first - second) * 100, None]
        assert table.pop(measure) == near(dict(zip(heads, cells, strict=True)))
    direct = "Direct cost per verified session, without waste, USD"
    journey = "Cost per verified journey, USD"
    for measure, name, column in (
        ("Cost per verified session, USD", "cost", "cost_per_verified"),
        (direct, "cost", "direct_cost_per_verified"),
        (journey, "journey_rates", "cost_per_verified_journey"),
    ):
        first, second = now[name][column], past[name][column]
        cells = [measure, first, second, first - second, (first - second) / second]
        assert table.pop(measure) == near(dict(zip(heads, cells, strict=True)))
    assert list(table) == [
        "Sessions that may still verify",
        "Sessions whose money has not arrived",
        "Billed beyond the lines of the bill, USD",
    ]
    assert table["Sessions that may still verify"]["This period"] == now["success"]["open"]


def test_rates_in_a_workbook_are_shown_as_percentages(compared: CostReport, tmp_path: Path) -> None:
    space = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
    with zipfile.ZipFile(compared.to_xlsx(tmp_path / "r.xlsx")) as opened:
        styles = ET.fromstring(opened.read("xl/styles.xml"))  # noqa: S314 - our own file
        sheet = ET.fromstring(opened.read("xl/worksheets/sheet4.xml"))  # noqa: S314 - the same
        place = list(sheets_of(opened)["Countries by channel"][0]).index("Success rate")
    formats = {one.get("numFmtId"): one.get("formatCode") for one in styles.iter(f"{space}numFmt")}
    looks = [one.get("numFmtId") for one in next(styles.iter(f"{space}cellXfs"))]
    shown = {
        formats[looks[int(cell.get("s", "0"))]]
        for row in list(sheet.iter(f"{space}row"))[1:]
        for cell in row
        if column(cell.get("r", "")) == place
    }
    assert shown == {"0.0%"}


def test_a_workbook_says_how_many_digits_it_holds(book: dict[str, list[Line]]) -> None:
    meanings = {line["Term"]: line["Meaning"] for line in book["Definitions"]}
    assert meanings["Digits"].startswith("A spreadsheet holds 15 digits of a number")
    assert meanings["Waste"] == "Spend of settled sessions that did not verify."


def test_masked_recipients_leave_journeys_unknown_and_it_is_said(
    october: pl.DataFrame, tmp_path: Path
) -> None:
    report = cost_report(october.with_columns(recipient=pl.lit("141XXXXX528")))
    text = Page(report.html).text
    assert "Cost per verified journey, not known: recipients are masked" in text
    assert "journey_rates" not in report.tables
    with zipfile.ZipFile(report.to_xlsx(tmp_path / "r.xlsx")) as opened:
        said = [row.get(1) for row in read_sheet(opened, 1)]
        (line,) = [
            line
            for line in sheets_of(opened)["Summary"]
            if line["Measure"] == "Cost per verified journey, USD"
        ]
    assert "Not known: recipients are masked, so that two may look alike." in said
    assert line["This period"] is None


def test_countries_by_channel_are_the_metrics_by_first_channel(
    report: CostReport, october: pl.DataFrame
) -> None:
    by = ["destination_country_iso2", "entry_channel"]
    price, success = (
        {(row[by[0]], row[by[1]]): row for row in metric(october, by=by).to_dicts()}
        for metric in (pva.cost_per_verified, pva.success_rates)
    )
    head, _, *lines = next(
        table for table in Page(report.html).tables if table[0][:2] == ["Country", "All channels"]
    )
    words = {name: channel for channel, name in CHANNELS.items()}
    checked = 0
    for name, _, *shown in lines:
        code = name.split(" ")[-1]
        for title, cell in zip(head[2:], shown, strict=True):
            key = (code, words[title])
            if key in price:
                assert cell.startswith(unit_price(price[key]["cost_per_verified"]))
                row = success[key]
                assert cell.endswith(f"{percent(row['success_rate'], 0)} of {row['settled']}")
                checked += 1
            elif len(code) == 2 and code.isupper():
                assert cell == "–"
    assert checked > 15


def test_csv_holds_every_digit_and_runs_nothing(october: pl.DataFrame, tmp_path: Path) -> None:
    risky = october.with_columns(
        alias=pl.lit("=cmd|' /C calc'!A0"),
        app_uuid=pl.lit("@sum"),
        destination_country_iso2=pl.lit("-1"),
    )
    report = cost_report(risky)
    files = report.to_csv(tmp_path / "csv")
    assert [file.stem for file in files] == list(report.tables)
    for file in files:
        with file.open(newline="", encoding="utf-8-sig") as opened:
            for row in csv.DictReader(opened):
                for cell in row.values():
                    number = re.fullmatch(r"-?\d+(\.\d+)?(e-?\d+)?", cell)
                    assert number or not cell.startswith(("=", "+", "-", "@"))
    with (tmp_path / "csv" / "spend.csv").open(newline="", encoding="utf-8-sig") as opened:
        read = [Decimal(row["amount"]) for row in csv.DictReader(opened)]
    assert read == report.tables["spend"]["amount"].to_list()


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "＝1+1",
        " =1+1",
        "\u3000＋1",
        "\t=1",
        "\rx",
        "-2+3",
        "－2",
        "@sum",
        "＠sum",
        "\u200b=1",
        "\x1b=1",
        "\ufe661",
    ],
)
def test_a_csv_cell_that_a_spreadsheet_would_run_is_text(text: str) -> None:
    cell = csv_bytes(pl.DataFrame({"alias": [text, "plain"]})).decode("utf-8-sig")
    assert next(csv.reader(io.StringIO(cell.partition("\n")[2], newline=""))) == [f"'{text}"]


def test_a_list_in_a_csv_cell_keeps_its_digits_and_its_time() -> None:
    time = datetime(2026, 10, 1, 8, tzinfo=UTC)
    charges = [[{"charge": Decimal("0.00000001"), "time": time}], []]
    table = pl.DataFrame({"charges": charges, "reasons": [["orphan", "derived"], ["orphan"]]})
    first, second = csv.DictReader(io.StringIO(csv_bytes(table).decode("utf-8-sig"), newline=""))
    digits = {"charge": "0.00000001", "time": "2026-10-01T08:00:00+00:00"}
    assert json.loads(first["charges"]) == [digits]
    assert first["reasons"] == "orphan; derived"
    assert second == {"charges": "[]", "reasons": "orphan"}


def test_a_csv_file_begins_with_a_byte_order_mark(report: CostReport, tmp_path: Path) -> None:
    for file in report.to_csv(tmp_path / "csv"):
        assert file.read_bytes().startswith(b"\xef\xbb\xbf")
        assert pl.read_csv(file).columns == report.tables[file.stem].columns


def test_a_notebook_is_given_plain_text(report: CostReport) -> None:
    shown = report._repr_html_()
    assert type(shown) is str
    assert type(report.html) is str
    assert shown.startswith("<div><b>October 2026</b><p")


def test_the_parquet_files_are_the_tables(report: CostReport, tmp_path: Path) -> None:
    files = report.to_parquet(tmp_path / "parquet")
    assert [file.stem for file in files] == list(report.tables)
    for file in files:
        assert pl.read_parquet(file).equals(report.tables[file.stem])


@pytest.fixture(scope="module")
def september(sessions: pl.DataFrame) -> pl.DataFrame:
    return within(sessions, date(2026, 9, 1), date(2026, 10, 1))


def test_the_parts_of_the_change_of_spend_are_the_bridges_and_add_up(
    september: pl.DataFrame, october: pl.DataFrame
) -> None:
    report = cost_report(october, period=OCTOBER, previous=september)
    priced = (frame.drop_nulls("total_charge") for frame in (september, october))
    bridge = pva.cost_bridge(*priced)
    assert report.tables["cost_bridge"].equals(bridge)
    names = {"Price": "price", "Volume": "volume", "Mix": "mix"}
    names |= {"New groups": "new", "Ended groups": "ended"}
    *parts, (change, whole, *_) = Page(report.html).table("Part")
    assert change == "Change"
    for name, shown, *_ in parts:
        found = bridge.filter(pl.col("effect") == names[name])["amount"].sum()
        assert abs(amount(shown.replace("+", "")) - found) <= Decimal("0.005")
    assert abs(amount(whole.replace("+", "")) - bridge["amount"].sum()) <= Decimal("0.005")
    assert len(parts) == bridge["effect"].n_unique()


def test_without_a_period_before_nothing_is_said_of_what_a_change_is_made_of(
    report: CostReport,
) -> None:
    assert "change of spend" not in Page(report.html).text
    assert "cost_bridge" not in report.tables


def test_changes_of_rates_are_those_of_compare(
    september: pl.DataFrame, october: pl.DataFrame
) -> None:
    report = cost_report(october, period=OCTOBER, previous=september)
    changed = pva.compare(september, october)
    assert report.tables["compare"].equals(changed)
    shown = f"{abs(changed['success_rate_change'][0]) * 100:.1f}\u202fpts"
    assert shown in Page(report.html).text


def test_a_cost_that_chance_may_have_moved_is_said_to_be_such(
    september: pl.DataFrame, october: pl.DataFrame
) -> None:
    words = "and the difference is within what chance can cause"
    few = cost_report(october.head(40), period=OCTOBER, previous=september.head(40))
    assert words in Page(few.html).text
    dearer = october.with_columns(total_charge=pl.lit(Decimal(9), pl.Decimal(18, 8)))
    far = cost_report(dearer, period=OCTOBER, previous=september)
    assert words not in Page(far.html).text


def test_a_verified_journey_stands_beside_a_verified_session_in_each_application(
    report: CostReport,
) -> None:
    costs = dict(report.tables["cost_by_application"]["alias", "cost_per_verified"].rows())
    found = report.tables["journey_rates_by_application"].to_dicts()
    journeys = {row["alias"]: row for row in found}
    rows = Page(report.html).table("Country")
    split = next(n for n, row in enumerate(rows) if row[0] == "Application")
    heads = [re.sub(r"\d+$", "", head) for head in rows[split]]
    places = [heads.index(f"Per verified {word}") for word in ("session", "journey")]
    assert len(rows) - split - 1 == len(costs)
    for row in rows[split + 1 :]:
        of = journeys[row[0]]
        below = f"{percent(of['conversion_rate'], 0)} of {of['settled']}"
        price = unit_price(of["cost_per_verified_journey"]) + below
        assert [row[place] for place in places] == [unit_price(costs[row[0]]), price]


def test_journeys_stand_beside_sessions_where_people_can_be_told_apart(
    october: pl.DataFrame,
) -> None:
    report = cost_report(october)
    rates = pva.journey_rates(october)
    assert report.tables["journey_rates"].equals(rates)
    row = rates.to_dicts()[0]
    text = Page(report.html).text
    assert f"Journeys verified ({row['verified']:,} of {row['settled']:,} settled)" in text


def test_the_footnotes_of_a_report_are_numbered_without_a_gap(
    october: pl.DataFrame, report: CostReport
) -> None:
    for page in (report.html, cost_report(october[:0]).html):
        notes = [int(number) for number in re.findall(r'id="note-(\d+)"', page)]
        assert notes == list(range(1, len(notes) + 1))
        assert {int(number) for number in re.findall(r'href="#note-(\d*)"', page)} <= set(notes)
