"""What travels between page and kernel: files of any size, and the settings in the address."""

from __future__ import annotations

import base64
import gzip
import html
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plivo_analysis.emulator import Account, generate
from plivo_analysis.explorer.download import PART, Download
from plivo_analysis.explorer.messages import MessageExplorer
from plivo_analysis.explorer.sessions import SessionExplorer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

LONG = 60  # seconds that no load here takes


@pytest.fixture
def explore(connect: Any, serve: Any) -> Iterator[Callable[..., Any]]:
    """Make explorers of an account, and close them with the test."""
    made: list[Any] = []
    client = connect(serve(generate(sessions=50)))

    def make(kind: Any = SessionExplorer, **filters: Any) -> Any:
        made.append(kind(client, **filters))
        return made[-1]

    yield make
    for explorer in made:
        explorer.close()


def received(download: Download) -> tuple[str, bytes]:
    """The file as the page puts it together: it asks for each part when it has the one before."""
    parts: list[str] = []
    while True:
        markup = download._part.value
        (file, number, total, data) = re.findall(
            r'data-file="(.*?)".*data-number="(\d+)" data-parts="(\d+)">(.*?)</span>', markup
        )[0]
        assert int(number) == len(parts)
        parts.append(data)
        if len(parts) == int(total):
            return file, base64.b64decode("".join(parts))
        download._next.value = f"{len(parts)} 1764000000000"


@pytest.mark.parametrize("size", [PART, 5 * PART, 5 * PART + 1])
def test_a_large_file_arrives_whole_in_parts_that_a_server_lets_through(size: int) -> None:
    content = bytes(number * 7919 % 251 for number in range(size))
    download = Download()
    download.send("rows.xlsx", content)
    assert len(download._part.value) < PART + 1000
    assert received(download) == ("rows.xlsx", content)


def test_a_large_text_is_compressed_on_the_way() -> None:
    content = "".join(f"{number * 7919 % 1_000_003}\n" for number in range(400_000)).encode()
    download = Download()
    download.send("rows.csv", content)
    file, compressed = received(download)
    assert file == "rows.csv.gz"
    assert gzip.decompress(compressed) == content


@pytest.mark.parametrize("words", ["", "9999", "-1", "x", "1.5 3"])
def test_a_part_that_does_not_exist_is_not_sent(words: str) -> None:
    download = Download()
    download.send("rows.xlsx", bytes(2 * PART))
    before = download._part.value
    download._next.value = words
    assert download._part.value == before


def test_the_sessions_csv_is_flat_and_masked(explore: Any) -> None:
    explorer = explore(since="90d")
    explorer.load.click()
    assert explorer.wait(LONG)
    explorer.exports["rows"].click()
    link = html.unescape(explorer._layout.download.status.value)
    assert 'download="sessions.csv"' in link
    rows = base64.b64decode(link.split("base64,")[1].split('"')[0]).decode("utf-8-sig")
    header, *lines = rows.splitlines()
    assert header.startswith("session_uuid,app_uuid,alias,recipient")
    assert "attempt_details" not in header
    assert len(lines) == explorer.frame.height
    assert not [n for n in explorer.frame["recipient"].drop_nulls() if n in rows]


# The address.


def query(explorer: Any) -> dict[str, list[str]]:
    (found,) = re.findall(r'data-query="(.*?)"', explorer._layout.address.value)
    return parse_qs(html.unescape(found))


def test_settings_survive_a_reload_by_the_address(explore: Any) -> None:
    explorer = explore(since="7d", country="IN", status="expired")
    explorer.group.value = "application"
    explorer.tabs.selected_index = 3
    (found,) = re.findall(r'data-query="(.*?)"', explorer._layout.address.value)
    again = explore()
    again.restore("token=secret&theme=dark&" + html.unescape(found))
    assert again.filters == explorer.filters
    assert again.group.value == "application"
    assert again.tabs.selected_index == 3


def test_entry_channels_survive_a_reload_and_a_second_one_before_the_load(explore: Any) -> None:
    explorer = explore(since="90d")
    explorer.load.click()
    assert explorer.wait(LONG)
    explorer.channels["voice"].value = True
    first, second = explore(), explore()
    first.restore(urlencode(query(explorer), doseq=True))
    second.restore(urlencode(query(first), doseq=True) + "&channels=14155550100")
    assert "channels" not in query(second)
    second.restore(urlencode(query(first), doseq=True))
    second.load.click()
    assert second.wait(LONG)
    assert [name for name, toggle in second.channels.items() if toggle.value] == ["voice"]
    assert second._state.dataset.rows == explorer._state.dataset.rows
    second.channels["voice"].value = False
    assert "channels" not in query(second)


def test_a_fixed_range_survives_too(explore: Any) -> None:
    explorer = explore(since="2026-10-01", until="2026-10-08T12:30Z")
    again = explore()
    again.restore("&".join(f"{name}={value[0]}" for name, value in query(explorer).items()))
    assert again.filters == explorer.filters


@pytest.mark.parametrize(
    ("kind", "filters"),
    [
        (SessionExplorer, {"recipient": "14155550100"}),
        (MessageExplorer, {"from_number": "14155550100", "to_number": "447700900123"}),
    ],
)
def test_a_telephone_number_is_never_in_the_address(
    explore: Any, kind: Any, filters: dict[str, str]
) -> None:
    address = explore(kind, **filters)._layout.address.value
    assert not [number for number in filters.values() if number in address]
    assert not [name for name in filters if name in address]


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_no_query_breaks_an_explorer(words: str) -> None:
    explorer = EXPLORER
    explorer.restore(f"since={words}&status={words}&group={words}&tab={words}&{words}")
    known = {one.name for one in explorer.resource.parameters if not one.kind.is_number}
    assert set(explorer.filters) <= {"since", "until", *known}


EXPLORER: Any = None


@pytest.fixture(autouse=True, scope="module")
def one_explorer() -> Iterator[None]:
    """An explorer for a law of many examples, on an account of nothing."""
    import plivo_analysis as pva  # noqa: PLC0415 - here only

    global EXPLORER  # noqa: PLW0603 - hypothesis takes no fixture of a function
    with pva.demo(sessions=1) as client:
        EXPLORER = SessionExplorer(client)
        yield
        EXPLORER.close()


def test_an_account_without_records_has_an_address_too(serve: Any, connect: Any) -> None:
    explorer = SessionExplorer(connect(serve(Account.of())), since="30d")
    assert query(explorer)["since"] == ["30d"]
    explorer.close()
