"""The console's export of message records, written here with the standard library's csv."""

from __future__ import annotations

import csv
import io
import re
import uuid
import warnings
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import plivo_analysis as pva
from plivo_analysis.api.columns import MESSAGES
from plivo_analysis.loaders import console_export

ROOT = Path(__file__).parents[2]
HOW_TO = ROOT / "docs" / "how-to" / "console-export.md"

# The two sets of columns, as Plivo's support page "How to Export Message Detail Records" has them.
DOWNLOADED = {
    "Message UUID": "message_uuid",
    "From": "from_number",
    "To": "to_number",
    "To Country ISO2": "destination_country_iso2",
    "Direction": "message_direction",
    "Message Time": "message_time",
    "Status": "message_state",
    "Error Code": "error_code",
    "Error Reason": "error_message",
    "Units": "units",
    "Rate Per Unit (USD)": "total_rate",
    "Carrier Surcharge Per Unit (USD)": "carrier_fees_rate",
    "Total Charge Per Unit (USD)": "",
    "Total Charge (USD)": "total_amount",
}
MAILED = {
    "Message UUID": "message_uuid",
    "From": "from_number",
    "To": "to_number",
    "Direction": "message_direction",
    "Time": "message_time",
    "Status": "message_state",
    "Units": "units",
    "Amount": "total_amount",
    "Message Rate": "total_rate",
    "Message Charge": "total_amount",
}
ZONES = ["UTC", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]
KEY = "51e965f3-65a5-4ca0-9542-571541180091"
LINE = {
    "Message UUID": KEY,
    "Message Time": "2026-03-01 10:00:00",
    "From": "PLVRFY",
    "To": "14155550100",
    "Direction": "outbound",
    "Status": "delivered",
    "Error Code": "000",
    "Units": "1",
    "Rate Per Unit (USD)": "0.0035",
    "Total Charge (USD)": "0.0035",
}

Write = Callable[..., Path]


def export(rows: Sequence[dict[str, Any]], headers: Sequence[str], **dialect: Any) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, headers, **dialect)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def plain(value: object) -> str:
    return "" if value is None else f"{value:f}" if isinstance(value, Decimal) else str(value)


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file of one line, or of several, each with what is changed in it."""

    def file(*changes: dict[str, str | None]) -> Path:
        rows = [LINE | {"Message UUID": str(uuid.UUID(int=n))} for n in range(len(changes))]
        whole = [row | change for row, change in zip(rows, changes, strict=True)]
        headers = list(dict.fromkeys(header for row in whole for header in row))
        path = tmp_path / "messages.csv"
        path.write_text(export(whole, headers), encoding="utf-8")
        return path

    return file


def read(path: Path, **options: Any) -> tuple[pl.DataFrame, list[str]]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        frame = pva.read_messages_csv(path, **options)
    assert {warning.category for warning in caught} <= {pva.PlivoAnalysisWarning}
    assert {warning.filename for warning in caught} <= {__file__}
    return frame, [str(warning.message) for warning in caught]


amounts = st.decimals(0, 10**9, allow_nan=False, places=8).filter(lambda amount: amount < 10**9)
sentences = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30).map(
    str.strip
)
instants = st.datetimes(datetime(2000, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis takes naive bounds
messages = st.fixed_dictionaries(
    {
        "message_uuid": st.uuids().map(str),
        "from_number": st.sampled_from(["PLVRFY", "22395", "14155550199", None]),
        "to_number": st.sampled_from(["14155550100", "447700900123", "0012025550143", None]),
        "destination_country_iso2": st.sampled_from(["US", "GB", None]),
        "message_direction": st.sampled_from(["inbound", "outbound", None]),
        "message_time": instants,
        "message_state": st.sampled_from(["delivered", "sent", "rejected", None]),
        "error_code": st.sampled_from(["000", "10", "450", None]),
        "error_message": st.one_of(st.none(), sentences.map(lambda text: text or None)),
        "units": st.one_of(st.none(), st.integers(0, 10**6)),
        "total_rate": st.one_of(st.none(), amounts),
        "carrier_fees_rate": st.one_of(st.none(), amounts),
        "total_amount": st.one_of(st.none(), amounts),
    }
)


def said_once(instant: datetime) -> bool:
    """Whether no clock of these zones is turned within two hours of an instant."""
    near = [instant + timedelta(hours=hours) for hours in (-2, 2)]
    return all(len({at.astimezone(ZoneInfo(tz)).utcoffset() for at in near}) == 1 for tz in ZONES)


@given(st.data())
def test_what_the_console_wrote_is_read_back_exactly(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    columns = data.draw(st.sampled_from([DOWNLOADED, MAILED]), label="columns")
    headers = data.draw(st.permutations(list(columns)), label="headers")
    rows = data.draw(
        st.lists(
            messages.filter(lambda row: said_once(row["message_time"])),
            max_size=8,
            unique_by=lambda row: row["message_uuid"],
        ),
        label="rows",
    )
    # csv quotes a lone carriage return from Python 3.13 on only.
    minimal = (
        [] if any("\r" in (row["error_message"] or "") for row in rows) else [csv.QUOTE_MINIMAL]
    )
    tz = data.draw(st.sampled_from([*ZONES, None]), label="tz")  # None: written with an offset

    def cell(row: dict[str, Any], name: str) -> str:
        value = row[name] if name else Decimal("0.01")
        if isinstance(value, datetime):
            if tz is None:
                return value.astimezone(ZoneInfo("Asia/Kolkata")).isoformat(" ")
            return value.astimezone(ZoneInfo(tz)).replace(tzinfo=None).isoformat(" ")
        return plain(value)

    text = export(
        [{header: cell(row, columns[header]) for header in headers} for row in rows],
        headers,
        delimiter=data.draw(st.sampled_from(",;"), label="delimiter"),
        lineterminator=data.draw(st.sampled_from(["\n", "\r\n"]), label="line end"),
        quoting=data.draw(st.sampled_from([csv.QUOTE_ALL, *minimal]), label="quoting"),
    )
    file = tmp_path_factory.mktemp("export") / "messages.csv"
    mark = data.draw(st.sampled_from(["utf-8", "utf-8-sig"]), label="encoding")
    file.write_bytes(text.encode(mark))

    frame = pva.read_messages_csv(file, tz="Pacific/Auckland" if tz is None else tz)

    assert frame.schema == MESSAGES.polars()
    filled = {name for name in columns.values() if name}
    for row, given_row in zip(
        frame.to_dicts(),
        sorted(rows, key=lambda row: (row["message_time"], row["message_uuid"])),
        strict=True,
    ):
        assert {name: row[name] for name in filled} == {name: given_row[name] for name in filled}
        assert {row[name] for name in row.keys() - filled - {"extra"}} == {None}
        per_unit = '{"Total Charge Per Unit (USD)":"0.01"}'
        assert row["extra"] == (per_unit if columns is DOWNLOADED else None)


@pytest.mark.parametrize("columns", [DOWNLOADED, MAILED], ids=["downloaded", "mailed"])
@pytest.mark.parametrize("backend", ["polars", "pandas"])
def test_an_export_of_an_account_counts_as_its_pulled_records_do(
    tmp_path: Path, columns: dict[str, str], backend: str
) -> None:
    with pva.demo(sessions=400) as client:
        pulled = pva.load_messages(since="30d", client=client)
        attempts = pva.explode_attempts(pva.load_sessions(since="30d", client=client))
    rows = [
        {header: plain(row[name]) if name else "" for header, name in columns.items()}
        for row in pulled.reverse().to_dicts()
    ]
    file = tmp_path / "messages.csv"
    file.write_text(export(rows, list(columns)), encoding="utf-8")

    exported = pva.read_messages_csv(file, backend=backend)

    assert len(exported) == pulled.height > 100
    as_polars = exported if backend == "polars" else pl.from_pandas(exported)
    filled = [name for name in columns.values() if name]
    for name in filled:
        assert as_polars[name].to_list() == pulled[name].to_list()
    by = ["message_direction", "message_state"]
    for metric, figures in [
        (pva.message_spend, ["messages", "units", "amount", "unpriced"]),
        (pva.delivery_rates, ["messages", "delivered", "other", "delivered_rate"]),
    ]:
        counted = metric(exported, by=by)
        counted = counted if backend == "polars" else pl.from_pandas(counted)
        assert counted.select(figures).rows() == metric(pulled, by=by).select(figures).rows()
    joined = pva.join_messages(attempts, exported)
    assert joined.matched == pva.join_messages(attempts, pulled).matched > 0


def test_a_local_time_that_the_clocks_repeat_or_skip_is_set_aside_and_listed(write: Write) -> None:
    file = write(
        {"Message Time": "2026-10-25 02:30:00"},  # twice in Paris
        {"Message Time": "2026-03-29 02:30:00"},  # never in Paris
        {"Message Time": "2026-10-25 02:30:00+02:00"},
        {"Message Time": "2026-10-25 00:30:00 UTC"},
        {"Message Time": "2026-10-25T03:30:00"},
    )
    frame, (warning,) = read(file, tz="Europe/Paris")
    assert [f"{at:%H:%M}" for at in frame["message_time"]] == ["00:30", "00:30", "02:30"]
    assert warning == (
        "2 of 5 records of messages.csv set aside. A local time that the clocks of Europe/Paris "
        "skip or repeat. (lines 2-3) They are in no table, so that counts and sums are lower "
        "bounds."
    )
    frame, doubts = read(file)
    assert (frame.height, doubts) == (5, [])


@pytest.mark.parametrize(
    ("header", "text", "name", "why"),
    [
        ("Total Charge (USD)", "1,234", "total_amount", "Not an amount"),
        ("Total Charge (USD)", "102,345", "total_amount", "Not an amount"),
        ("Total Charge (USD)", "1,234.50", "total_amount", "Not an amount"),
        ("Total Charge (USD)", "$0.05", "total_amount", "Not an amount"),
        ("Total Charge (USD)", "3.5E-03", "total_amount", "Not an amount"),
        ("Rate Per Unit (USD)", "0.000000001", "total_rate", "Not an amount"),
        ("Units", "2 parts", "units", "Not a whole number"),
        ("To", "1.41556E+10", "to_number", "A spreadsheet has rounded it"),
        ("From", "1,41556E+10", "from_number", "A spreadsheet has rounded it"),
        ("Status", "sent\0", "message_state", "A NUL"),
    ],
)
def test_a_value_that_cannot_be_read_is_null_kept_as_text_and_listed(
    write: Write, header: str, text: str, name: str, why: str
) -> None:
    frame, (warning,) = read(write({}, {header: text}, {}))
    assert frame[name].null_count() == 1
    (extra,) = frame["extra"].drop_nulls()
    assert pl.Series([extra]).str.json_decode(pl.Struct({header: pl.String})).to_list() == [
        {header: text}
    ]
    assert warning.startswith(f"1 value of messages.csv could not be read. {header}: {why}")
    assert warning.endswith(" (line 3) They are null, and their text is in the column extra.")


@pytest.mark.parametrize(
    ("text", "amount"),
    [("0,0035", "0.0035"), ("-0,5", "-0.5"), ("0,035", "0.035"), ("12,3456", "12.3456")],
)
def test_a_comma_that_can_only_be_a_decimal_one_is_read_as_such(
    write: Write, text: str, amount: str
) -> None:
    frame, doubts = read(write({"Total Charge (USD)": text}))
    assert (frame["total_amount"].to_list(), doubts) == ([Decimal(amount)], [])


def test_the_two_amounts_of_a_mailed_file_are_one_where_they_agree(write: Write) -> None:
    file = write(
        {"Total Charge (USD)": None, "Amount": "0.0070", "Message Charge": "0.007"},
        {"Total Charge (USD)": None, "Amount": "", "Message Charge": "0.008"},
        {"Total Charge (USD)": None, "Amount": "0.007", "Message Charge": "0.0105"},
    )
    frame, (warning,) = read(file)
    assert frame["total_amount"].to_list() == [Decimal("0.007"), Decimal("0.008"), None]
    assert frame["extra"].to_list() == [None, None, '{"Amount":"0.007","Message Charge":"0.0105"}']
    assert warning.startswith("2 values of messages.csv could not be read. Amount: It differs")


def test_a_line_that_names_no_message_is_set_aside_and_listed(write: Write) -> None:
    file = write({}, {"Message UUID": ""}, {"Message Time": "3/1/2026 10:00"}, {"Message Time": ""})
    with file.open("a", encoding="utf-8") as text:
        text.write("\n,,,,,,,,,\n" + f"{KEY},2026-03-01 10:00:00\n")
    frame, (warning,) = read(file)
    assert frame.height == 1
    assert warning == (
        "4 of 5 records of messages.csv set aside. The record's own id is missing or not a UUID. "
        "(line 3) The record's own time is not a time. (lines 4-5) More or fewer cells than the "
        "header. (line 8) They are in no table, so that counts and sums are lower bounds."
    )


def test_lines_are_numbered_as_an_editor_does_where_a_text_has_several(write: Write) -> None:
    _, (warning,) = read(write({"Error Reason": "two\nlines"}, {"Units": "x"}))
    assert "(line 4)" in warning


def test_many_lines_are_named_in_part_and_counted_whole(write: Write) -> None:
    _, (warning,) = read(write(*[{"Units": "x"}, {}] * 50))
    assert warning.startswith("50 values")
    assert " 58, 60 and 20 more)" in warning


def test_a_line_that_stands_twice_counts_once(tmp_path: Path) -> None:
    file = tmp_path / "messages.csv"
    file.write_text(export([LINE, LINE], list(LINE)), encoding="utf-8")
    frame, doubts = read(file)
    assert (frame.height, doubts) == (1, [])


def test_a_file_of_any_length_is_read_alike(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(*({"Units": str(number)} for number in range(10)))
    whole = pva.read_messages_csv(file)
    for at_once in (1, 3, 5, 10):
        monkeypatch.setattr(console_export, "_AT_ONCE", at_once)
        assert pva.read_messages_csv(file).equals(whole)


HEADER = "Message UUID,Message Time,To\n"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "its first line lacks 'Message UUID' and 'Message Time'. It has nothing."),
        (b"\xff\xfeM\0e\0", "is not text in UTF-8"),
        (b"PK\x03\x04\x14\0\xd0\xcf", "is not text in UTF-8"),
        (b"Call UUID,Message Time\n", "lacks 'Message UUID'. It has 'Call UUID', 'Message Time'"),
        (b"x,2026-03-01 10:00:00,14155550100\n", "'1 ••• ••• ••00'. Give the CSV file".encode()),
        (f"{HEADER[:-1]},to\n".encode(), "has two columns that are called 'To'. Keep one"),
        (
            f"{HEADER[:-1]},Amount (EUR),Message Charge (USD)\n".encode(),
            "has amounts in EUR and USD; a table of messages has one currency.",
        ),
        (f'{HEADER}{KEY},"2026-03-01\n14155550100'.encode(), "Line 2 of messages.csv is no line"),
        (b"x" * 200_000, "It has nothing."),
        (
            f"{HEADER}{KEY},2026-03-01 10:00:00,1\n{KEY},2026-03-01 10:00:00,2\n".encode(),
            "Lines 2-3 of messages.csv are of one message and differ, which is so of 1 message.",
        ),
    ],
)
def test_a_file_that_is_no_export_is_refused_in_a_sentence_without_a_number(
    tmp_path: Path, content: bytes, sentence: str | bytes
) -> None:
    file = tmp_path / "messages.csv"
    file.write_bytes(content)
    sentence = sentence.decode() if isinstance(sentence, bytes) else sentence
    with pytest.raises(pva.SchemaError, match=re.escape(sentence)) as refused:
        pva.read_messages_csv(file)
    assert "4155550100" not in f"{refused.value}{refused.value.available}"
    assert refused.value.__suppress_context__ or refused.value.__context__ is None


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"path": "not-there.csv"}, r"not-there\.csv, which cannot be read \(No such file"),
        ({"path": "."}, r"which cannot be read \(Is a directory\)"),
        ({"path": 5}, "path is of type int"),
        ({"path": "x.csv", "tz": "Paris"}, "tz is 'Paris'; it is the name of an IANA time zone"),
        ({"path": "x.csv", "backend": "dask"}, "backend is 'dask'; it can be 'polars' or 'pandas'"),
    ],
)
def test_a_wrong_argument_is_refused_in_a_sentence(
    arguments: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(pva.FilterError, match=sentence):
        pva.read_messages_csv(**arguments)


def test_a_file_with_a_header_alone_is_an_empty_table(write: Write, tmp_path: Path) -> None:
    file = tmp_path / "messages.csv"
    file.write_text(HEADER, encoding="utf-8")
    frame, doubts = read(file)
    assert (frame.schema, frame.height, doubts) == (MESSAGES.polars(), 0, [])


def test_the_page_names_every_column_that_is_read() -> None:
    rows = re.findall(
        r"^\| `(.+)` \| `(\w+)` \|$", HOW_TO.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert dict(rows) == console_export.COLUMNS


def test_the_page_merges_as_written_and_reports_what_disagrees(
    write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pva.demo(sessions=120) as client:
        pulled = pva.load_messages(since="90d", client=client)
        local = pulled["message_time"].dt.convert_time_zone("America/New_York")
        rows = [
            {header: plain(row[name]) if name else "" for header, name in DOWNLOADED.items()}
            | {"Message Time": at.isoformat()}
            for row, at in zip(pulled.to_dicts(), local, strict=True)
        ]
        rows[0]["Status"] = "sent"
        rows[1]["Total Charge (USD)"] = "123.45"
        rows[2]["Message UUID"] = KEY  # not listed by the API
        (tmp_path / "messages.csv").write_text(export(rows, list(DOWNLOADED)), encoding="utf-8")
        monkeypatch.chdir(tmp_path)
        page: dict[str, Any] = {"client": client}
        for block in re.findall(
            r"```python\n(.*?)```", HOW_TO.read_text(encoding="utf-8"), re.DOTALL
        ):
            exec(block, page)  # noqa: S102 - the page's own lines
    assert page["disagreements"].select("column", "exported", "pulled").rows() == [
        ("message_state", "sent", pulled["message_state"][0]),
        ("total_amount", "123.45000000", str(pulled["total_amount"][1])),
    ]
    assert page["only_exported"]["message_uuid"].to_list() == [KEY]
    assert page["messages"].height == pulled.height + 1
