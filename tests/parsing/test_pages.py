"""What is a page, what is none, and where a listing goes on."""

import contextlib
import json
import time
import tracemalloc
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from plivo_analysis.api.columns import MESSAGES, SESSIONS
from plivo_analysis.api.resources import MESSAGE_RESOURCE, SESSION_RESOURCE
from plivo_analysis.errors import BadResponseError
from plivo_analysis.parsing.pages import Page, read_one, read_page
from plivo_analysis.parsing.strict_json import parse_json

GOLDEN = Path(__file__).parents[1] / "golden" / "sessions.json"
ACCOUNT = "MADEMO00000000000000"
PATH = f"/v1/Account/{ACCOUNT}/Verify/Session/"
UUID = "51e965f3-65a5-4ca0-9542-571541180091"
OTHER_UUID = "60ea68db-b123-46d9-9eb2-1201d516dbbd"


def session(uuid: str = UUID, **changes: Any) -> dict[str, Any]:
    return {
        "session_uuid": uuid,
        "created_at": "2026-03-01T10:00:00Z",
        "status": "in-progress",
        "charges": {"total_charge": "0", "validation_charge": "0", "attempt_charges": None},
    } | changes


def body(*sessions: object, **changes: Any) -> bytes:
    answer = {
        "api_id": "3a7a0d6d-1b85-4593-921c-373e673a5799",
        "meta": {"limit": 20, "offset": 0, "next": None, "previous": None},
        "sessions": list(sessions),
    }
    return json.dumps(answer | changes).encode()


def page_of(answer: bytes) -> Page:
    return read_page(answer, SESSION_RESOURCE, ACCOUNT)


def page_with_next(named: object, count: int = 20, **meta: Any) -> Page:
    uuids = [f"{n:08x}-65a5-4ca0-9542-571541180091" for n in range(count)]
    place = {"limit": 20, "offset": 0, "next": named, "previous": None} | meta
    return page_of(body(*map(session, uuids), meta=place))


def codes(page: Page) -> list[str]:
    return [one.code for one in page.notes]


# JSON


def test_numbers_come_to_the_last_digit() -> None:
    text = b"[0.1000000000000000000000000000001, 1e400, -0.0, 12345678901234567890, 1E-2]"
    found = parse_json(text)
    assert isinstance(found, list)
    assert [str(number) for number in found] == [
        "0.1000000000000000000000000000001",
        "1E+400",
        "-0.0",
        "12345678901234567890",
        "0.01",
    ]
    assert [type(number) for number in found] == [Decimal, Decimal, Decimal, int, Decimal]


def test_a_byte_order_mark_is_no_fault() -> None:
    assert parse_json(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"", "The answer is empty"),
        (b" \r\n", "The answer is empty"),
        (b"\xef\xbb\xbf", "The answer is empty"),
        (b"<!DOCTYPE html><title>503</title>", "The answer is a web page, not JSON"),
        (b"  <html>14155550126</html>", "The answer is a web page, not JSON"),
        (b'{"sessions": [{"session_uuid"', "not JSON, or was cut off"),
        (b'{"a": 1} {"b": 2}', "not JSON, or was cut off"),
        (b"{'a': 1}", "not JSON, or was cut off"),
        (b'{"a": 1,}', "not JSON, or was cut off"),
        (b'["a\nb"]', "not JSON, or was cut off"),
        (b"[01]", "not JSON, or was cut off"),
        (b"too many requests", "not JSON, or was cut off"),
        (b'["\xff"]', "The answer is not UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "The answer is not UTF-8"),
        (b'["\xed\xa0\x80"]', "The answer is not UTF-8"),
        (b'{"charge": NaN}', "holds NaN, which is no JSON"),
        (b"[Infinity]", "holds Infinity, which is no JSON"),
        (b"[-Infinity]", "holds -Infinity, which is no JSON"),
        (b'{"status": "verified", "status": "expired"}', "an object with a name twice"),
        (b'[{"a": {"b": 1, "b": 1}}]', "an object with a name twice"),
        (b"[" + b"9" * 5_000 + b"]", "A number is too long"),
        (b"[1e" + b"9" * 30 + b"]", "a number beyond any range"),
        (b"[1e-" + b"9" * 30 + b"]", "a number beyond any range"),
        (b"[" * 200_000, "nested without end"),
        (b'{"a":' * 200_000, "nested without end"),
    ],
)
def test_what_is_not_strict_json_is_refused_with_a_remedy(answer: bytes, reason: str) -> None:
    with pytest.raises(BadResponseError, match=reason) as refused:
        parse_json(answer)
    assert str(refused.value).endswith("check the base URL (PLIVO_API_URL).")
    assert "14155550126" not in str(refused.value)
    assert refused.value.__context__ is None  # it would carry the whole body


@given(st.binary())
@example(b'{"a": "\\ud800"}')
@example(b"1E+999999999999999999999")
@settings(max_examples=300)
def test_any_bytes_are_read_or_refused(answer: bytes) -> None:
    with contextlib.suppress(BadResponseError):
        parse_json(answer)


@given(st.text(alphabet='{}[]":,-+.eE0123456789 \\uduntrfalsNI', max_size=60))
@settings(max_examples=500)
def test_anything_like_json_is_read_or_refused(answer: str) -> None:
    try:
        found = parse_json(answer.encode())
    except BadResponseError:
        return
    assert found == json.loads(answer, parse_float=Decimal)


@given(st.binary(max_size=200), st.integers(0, 400), st.integers(0, 400))
def test_a_damaged_page_is_read_or_refused(noise: bytes, start: int, length: int) -> None:
    whole = body(session(), session(OTHER_UUID))
    try:
        page = page_of(whole[:start] + noise + whole[start + length :])
    except BadResponseError:
        return
    assert len({record.key for record in page.records}) == len(page.records)


# Pages


def test_the_golden_records_make_a_page() -> None:
    golden = json.loads(GOLDEN.read_text())["sessions"]
    page = page_of(body(*golden))
    assert [record.key for record in page.records] == [one["session_uuid"] for one in golden]
    assert (page.has_next, page.next_offset, page.next_cursor) == (False, None, None)
    assert page.notes == ()
    assert page.api_id == "3a7a0d6d-1b85-4593-921c-373e673a5799"


def test_a_page_of_messages_lies_under_objects() -> None:
    record = {
        "message_uuid": UUID,
        "message_time": "2026-03-01 10:00:00+00:00",
        "total_amount": "0.0035",
    }
    answer = {"api_id": "a", "meta": {"limit": 20, "offset": 0, "next": None}, "objects": [record]}
    page = read_page(json.dumps(answer).encode(), MESSAGE_RESOURCE, ACCOUNT)
    assert [one.key for one in page.records] == [UUID]
    assert page.notes == ()


@pytest.mark.parametrize("sessions", [None, []])
def test_an_empty_page_is_empty(sessions: object) -> None:
    page = page_of(body(sessions=sessions))
    assert page.records == ()
    assert page.notes == ()


def test_records_under_objects_are_read_and_noted() -> None:
    answer = json.loads(body(session()))
    answer["objects"] = answer.pop("sessions")
    page = page_of(json.dumps(answer).encode())
    assert len(page.records) == 1
    assert codes(page) == ["container_other"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"null", "JSON, but not an object"),
        (b"[]", "JSON, but not an object"),
        (b'"ok"', "JSON, but not an object"),
        (b"{}", "has no list of sessions"),
        (b'{"api_id": "a", "meta": {}, "error": ""}', "has no list of sessions"),
        (b'{"sessions": {}}', "gives as sessions is not a list"),
        (b'{"sessions": "none"}', "gives as sessions is not a list"),
        (b'{"sessions": 0}', "gives as sessions is not a list"),
        (b'{"error": "not found"}', 'The server says "not found" in place of records'),
        (b'{"error": {"code": 7}}', 'The server says "{"code":7}" in place of records'),
        (b'{"sessions": [], "error": "half"}', 'The server says "half" in place of records'),
    ],
)
def test_what_is_no_page_is_never_an_empty_page(answer: bytes, reason: str) -> None:
    with pytest.raises(BadResponseError) as refused:
        page_of(answer)
    assert reason in str(refused.value)
    assert "Try again" in str(refused.value)


@pytest.mark.parametrize("sessions", [[], None])
@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"errors": ["no such filter"]}, "in place of records"),
        ({"errors": {"limit": "too high"}}, "in place of records"),
        ({"success": False}, "no success"),
        ({"status": "error"}, "an error or a part"),
        ({"partial": True}, "an error or a part"),
        ({"success": "false"}, "no success"),
        ({"meta": {"next": None, "offset": 0, "total_count": 300}}, "from number 0 on, but counts"),
        ({"meta": {"next": None, "offset": 20, "total_count": 21}}, "counts 21"),
    ],
)
def test_an_answer_that_contradicts_itself_is_no_page(
    sessions: object, more: dict[str, Any], reason: str
) -> None:
    answer = json.dumps({"api_id": "a", "sessions": sessions, **more}).encode()
    with pytest.raises(BadResponseError, match=f"{reason}.*Try again in a minute"):
        page_of(answer)


def test_records_beside_a_failure_are_no_page_either() -> None:
    for more in ({"errors": ["half of it"]}, {"success": False}, {"error": "half of it"}):
        with pytest.raises(BadResponseError):
            page_of(body(session(), **more))


@pytest.mark.parametrize("success", [True, "true", None, "", "maybe"])
def test_a_page_that_says_it_succeeded_or_nothing_of_it_is_one(success: object) -> None:
    assert len(page_of(body(session(), success=success, errors=[])).records) == 1


@pytest.mark.parametrize(
    ("meta", "offset", "refused"),
    [
        ({"total_count": 40}, 40, False),
        ({"total_count": 0}, 0, False),
        ({"total_count": 40}, 20, True),
        ({"total_count": 40, "offset": 40}, 0, True),
        ({"total_count": 40, "offset": 0}, 40, False),
        ({"total_count": 40}, None, False),
        ({"total_count": 40, "offset": 0}, None, True),
        ({"total_count": "forty"}, 0, False),
    ],
)
def test_no_records_beside_a_count_beyond_the_offset_are_no_page(
    meta: dict[str, Any], offset: int | None, refused: bool
) -> None:
    answer = json.dumps({"meta": {"next": None, **meta}, "sessions": []}).encode()
    if refused:
        with pytest.raises(BadResponseError, match="counts 40"):
            read_page(answer, SESSION_RESOURCE, ACCOUNT, offset)
    else:
        assert read_page(answer, SESSION_RESOURCE, ACCOUNT, offset).records == ()


MAIN, OTHER = "MAXXXXXXXXXXXXXXXXXX", "MAYYYYYYYYYYYYYYYYYY"
SUB, OTHER_SUB = "SAXXXXXXXXXXXXXXXXXX", "SAYYYYYYYYYYYYYYYYYY"


@pytest.mark.parametrize(
    ("asked", "named", "noted"),
    [
        (MAIN, MAIN, False),
        (MAIN, SUB, False),
        (SUB, MAIN, False),
        (SUB, SUB, False),
        (MAIN, OTHER, True),
        (SUB, OTHER_SUB, True),
        (MAIN, None, False),
    ],
)
def test_a_message_of_another_account_is_noted_and_a_subaccounts_is_not(
    asked: str, named: str | None, noted: bool
) -> None:
    uri = None if named is None else f"/v1/Account/{named}/Message/{UUID}/"
    message = {"message_uuid": UUID, "message_time": "2026-03-01 10:00:00+00:00"}
    answer = {"meta": {"next": None}, "objects": [{**message, "resource_uri": uri}]}
    page = read_page(json.dumps(answer).encode(), MESSAGE_RESOURCE, asked)
    found = [note.code for note in page.records[0].notes if note.code != "amount_missing"]
    assert found == (["account_foreign"] if noted else [])


def test_the_servers_own_words_are_shown_masked_and_short() -> None:
    error = "no route to +1 415 555 0126 \x1b[31m" + "x" * 5_000
    with pytest.raises(BadResponseError) as refused:
        page_of(json.dumps({"error": error}).encode())
    assert "no route to 1 ••• ••• ••26" in str(refused.value)
    assert "\x1b" not in str(refused.value)
    assert len(str(refused.value)) < 300


def test_one_bad_record_does_not_spoil_its_page() -> None:
    page = page_of(body(session(), None, {"session_uuid": "?"}, session(OTHER_UUID)))
    assert [record.row is None for record in page.records] == [False, True, True, False]


def test_a_record_nested_too_deep_does_not_spoil_its_page() -> None:
    deep: object = 1
    for _ in range(100):
        deep = [deep]
    page = page_of(body(session(new=deep), session(OTHER_UUID)))
    assert [record.row is None for record in page.records] == [True, False]


# One id, once


def test_the_same_record_again_counts_once() -> None:
    page = page_of(body(session(), session(OTHER_UUID), dict(reversed(session().items()))))
    assert [record.key for record in page.records] == [UUID, OTHER_UUID]
    assert [one.code for one in page.records[0].notes] == ["record_repeated"]
    assert page.records[1].notes == ()


@pytest.mark.parametrize(
    ("first", "second", "chosen"),
    [
        ("in-progress", "verified", "verified"),
        ("verified", "in-progress", "verified"),
        ("Verified", "expired", "expired"),
        ("new word", "in-progress", "in-progress"),
    ],
)
def test_of_two_states_a_settled_one_is_taken_else_the_later(
    first: str, second: str, chosen: str
) -> None:
    page = page_of(body(session(status=first), session(OTHER_UUID), session(status=second)))
    assert [record.key for record in page.records] == [UUID, OTHER_UUID]
    row = page.records[0].row
    assert row is not None
    assert row["status"] == chosen
    assert [one.code for one in page.records[0].notes] == ["record_twice"]


@pytest.mark.parametrize("order", [1, -1])
def test_a_readable_record_is_taken_before_one_set_aside(order: int) -> None:
    both = [session(), session(created_at="?")][::order]
    page = page_of(body(*both))
    assert len(page.records) == 1
    assert page.records[0].row is not None


def test_three_of_one_are_noted_once() -> None:
    page = page_of(body(session(), session(), session()))
    assert [one.code for one in page.records[0].notes] == ["record_repeated"]


# Where the listing goes on


@pytest.mark.parametrize(
    ("named", "offset", "cursor"),
    [
        (f"{PATH}?limit=20&offset=20", 20, None),
        (f"{PATH}?offset=0", 0, None),
        (f"{PATH.rstrip('/')}?limit=20&offset=40&status=verified", 40, None),
        (f"{PATH}?limit=20&cursor=b3BhcXVl%3D%3D", None, "b3BhcXVl=="),
        (f"{PATH}?cursor=x&offset=20", 20, "x"),
        (f"{PATH}?limit=20", None, None),
        (f"{PATH}?cursor=", None, None),
        (PATH, None, None),
        ("?limit=20&offset=20", 20, None),
    ],
)
def test_only_the_offset_and_the_cursor_of_next_are_read(
    named: str, offset: int | None, cursor: str | None
) -> None:
    page = page_with_next(named)
    assert (page.has_next, page.next_offset, page.next_cursor) == (True, offset, cursor)
    assert page.notes == ()


@pytest.mark.parametrize(
    "named",
    [
        f"https://evil.example{PATH}?offset=20",
        f"http://127.0.0.1:9{PATH}?offset=20",
        f"//evil.example{PATH}?offset=20",
        f"https://api.plivo.com@evil.example{PATH}?offset=20",
        f"file://{PATH}?offset=20",
        "javascript:alert(1)?offset=20",
        f"{PATH.replace('MADEMO', 'MAEVIL')}?offset=20",
        "/v1/Account/MADEMO00000000000000/Message/?offset=20",
        f"{PATH}../../Message/?offset=20",
        f"\\\\evil.example{PATH}?offset=20",
        f"/\t/evil.example{PATH}?offset=20",
        f"{PATH}\n?offset=20",
    ],
)
def test_a_foreign_next_is_noted_and_gives_no_more_than_a_number(named: str) -> None:
    page = page_with_next(named)
    assert (page.has_next, page.next_offset) == (True, 20)
    assert codes(page) == ["next_foreign"]


@pytest.mark.parametrize("named", ["http://[::1?offset=20", f"{PATH}?{'a=1&' * 200}offset=20"])
def test_a_next_that_is_no_address_says_only_that_there_is_more(named: str) -> None:
    page = page_with_next(named)
    assert (page.has_next, page.next_offset, page.next_cursor) == (True, None, None)
    assert codes(page) == ["next_foreign"]


@pytest.mark.parametrize(
    ("query", "offset", "cursor"),
    [
        ("offset=-20", None, None),
        ("offset=abc", None, None),
        ("offset=", None, None),
        ("offset=2_0", None, None),
        ("offset=\u0662\u0660", None, None),
        ("offset=9999999999", None, None),
        ("offset=20&offset=40", None, None),
        ("cursor=a&cursor=b", None, None),
    ],
)
def test_an_odd_offset_or_cursor_is_not_guessed(
    query: str, offset: int | None, cursor: str | None
) -> None:
    page = page_with_next(f"{PATH}?{query}")
    assert (page.has_next, page.next_offset, page.next_cursor) == (True, offset, cursor)
    assert codes(page) == ["meta_odd"]


def test_a_cursor_of_any_length_is_not_taken() -> None:
    page = page_with_next(f"{PATH}?cursor={'a' * 2049}")
    assert page.next_cursor is None
    assert codes(page) == ["meta_odd"]


@pytest.mark.parametrize(
    ("named", "more"), [("", False), (False, False), (0, False), (True, True), ({"a": 1}, True)]
)
def test_a_next_that_is_no_text_is_noted(named: object, more: bool) -> None:
    page = page_with_next(named)
    assert page.has_next is more
    assert codes(page) == ["meta_odd"]


@pytest.mark.parametrize("meta", [None, [], "meta", 7])
def test_a_page_without_meta_works(meta: object) -> None:
    page = page_of(body(session(), meta=meta))
    assert len(page.records) == 1
    assert not page.has_next
    assert codes(page) == ["meta_missing"]


@pytest.mark.parametrize(
    ("meta", "noted"),
    [
        ({"limit": "20"}, ["meta_odd"]),
        ({"offset": -1}, ["meta_odd"]),
        ({"offset": 20, "total_count": 10}, ["meta_odd"]),
        ({"total_count": 0}, ["meta_odd"]),
        ({"total_count": "many"}, ["meta_odd"]),
        ({"total_count": 20}, []),
        ({"total_count": 10_000}, []),
        ({"limit": 10}, ["page_size"]),
    ],
)
def test_what_meta_says_wrongly_is_noted_and_the_page_works(
    meta: dict[str, Any], noted: list[str]
) -> None:
    page = page_with_next(None, **meta)
    assert len(page.records) == 20
    assert codes(page) == noted


@pytest.mark.parametrize(
    ("count", "named", "noted"),
    [
        (25, None, ["page_size"]),
        (17, f"{PATH}?offset=20", ["page_size"]),
        (17, None, []),
        (0, f"{PATH}?offset=20", ["page_size"]),
    ],
)
def test_a_page_of_another_size_than_its_limit_is_noted(
    count: int, named: str | None, noted: list[str]
) -> None:
    page = page_with_next(named, count)
    assert len(page.records) == count
    assert codes(page) == noted


# One record


def test_one_record_is_read_without_the_api_id() -> None:
    answer = json.dumps({"api_id": "a", **session(), "new": 1}).encode()
    record = read_one(answer, SESSION_RESOURCE)
    assert record.key == UUID
    assert record.row is not None
    assert record.row["extra"] == '{"new":1}'
    assert "api_id" not in record.raw


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b'{"api_id": "a", "error": "not found"}', 'The server says "not found"'),
        (b'{"api_id": "a"}', "holds no record with an id"),
        (b"[]", "JSON, but not an object"),
        (b"<html>", "a web page"),
    ],
)
def test_what_is_no_record_is_an_error(answer: bytes, reason: str) -> None:
    with pytest.raises(BadResponseError, match=reason):
        read_one(answer, SESSION_RESOURCE)


def test_one_record_may_be_set_aside() -> None:
    record = read_one(json.dumps(session(created_at="?")).encode(), SESSION_RESOURCE)
    assert record.row is None
    assert record.key == UUID


# Any bytes

LITTLE = 64 << 20  # bytes


def page_if_any(answer: bytes, key: str = "sessions") -> Page | None:
    """The page, or nothing where it is refused."""
    resource = SESSION_RESOURCE if key == "sessions" else MESSAGE_RESOURCE
    with contextlib.suppress(BadResponseError):
        return read_page(answer, resource, ACCOUNT)
    return None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inside: (
        st.lists(inside, max_size=5) | st.dictionaries(st.text(max_size=8), inside, max_size=5)
    ),
    max_leaves=30,
)
NAMES = st.sampled_from([*SESSIONS.names, *MESSAGES.names, "charges", "session_uuid", "new"])
RECORDS = st.lists(JSON | st.dictionaries(NAMES, JSON, max_size=8), max_size=6)
ANSWERS = st.fixed_dictionaries(
    {},
    optional={
        "sessions": RECORDS | JSON,
        "objects": RECORDS | JSON,
        "meta": JSON | st.dictionaries(st.sampled_from(["next", "limit", "offset"]), JSON),
        "error": JSON,
        "api_id": JSON,
    },
)


@given(
    answer=st.binary(max_size=500) | ANSWERS.map(lambda answer: json.dumps(answer).encode()),
    noise=st.binary(max_size=8),
    place=st.integers(0, 500),
    key=st.sampled_from(["sessions", "objects"]),
)
@settings(max_examples=150)
def test_any_bytes_are_a_page_or_refused(answer: bytes, noise: bytes, place: int, key: str) -> None:
    for body_of_it in (answer, answer[:place] + noise + answer[place + len(noise) :]):
        page = page_if_any(body_of_it, key)
        if page is not None:
            assert len({record.key for record in page.records}) == len(page.records)


def in_list(items: bytes) -> bytes:
    return b'{"sessions": [%s]}' % items.rstrip(b",")


def in_record(name: bytes, items: bytes) -> bytes:
    known = b'"session_uuid": "%s", "created_at": "2026-03-01T10:00:00Z"' % UUID.encode()
    return in_list(b'{%s, "%s": [%s]}' % (known, name, items.rstrip(b",")))


WHOLE = 8 << 20  # what the transport lets pass
HOSTILE = {
    "objects": in_list(b"{}," * (WHOLE // 3)),
    "as many objects as values": in_list(b"{}," * 90_000),
    "numbers": in_list(b"1," * (WHOLE // 2)),
    "one number": in_list(b"9" * WHOLE),
    "one fraction": in_list(b"0." + b"9" * WHOLE),
    "fractions": in_record(b"new", b"0.1," * 199_000),
    "lists": in_record(b"new", b"[]," * 99_000),
    "nesting": in_list(b"[" * WHOLE),
    "nesting of objects": b'{"sessions":' * (WHOLE // 12),
    "names": in_list(b"{%s}" % b",".join(b'"%d":1' % each for each in range(190_000))),
    "a text": in_list(b'"%s"' % (b"x" * WHOLE)),
    "escapes": in_list(b'"%s"' % (b"\\u0041" * (WHOLE // 6))),
    "attempts that are none": in_record(b"attempt_details", b"1," * 199_000),
    "attempts": in_record(
        b"attempt_details", b"".join(b'{"attempt_uuid":"%d"},' % each for each in range(99_000))
    ),
    "attempts of unknown fields": in_record(
        b"attempt_details", b"".join(b'{"a":%d},' % each for each in range(20_000))
    ),
    "charges": in_record(
        b"charges", b"".join(b'{"charge":"%d"},' % each for each in range(99_000))
    ),
    "sessions": in_list(
        b"".join(
            b'{"session_uuid":"51e965f3-65a5-4ca0-9542-%012d","created_at":"2026-03-01T10:00:00Z"},'
            % each
            for each in range(WHOLE // 100)
        )
    ),
    "a long number": body(*(session(recipient="1 " * 100_000) for _ in range(20))),
    "a long name": body(*(session(alias="X" * 65_536) for _ in range(20))),
    "an error of numbers": b'{"error": "%s"}' % (b"14155550126 " * (WHOLE // 12)),
    "a long next": body(meta={"next": "?a=1&" * (WHOLE // 5)}),
    "blanks": b" " * WHOLE,
}


@pytest.fixture(scope="module")
def usual() -> bytes:
    attempts = [
        {"attempt_uuid": f"a{each}", "channel": "sms", "time": "2026-03-01T10:00:00Z"}
        for each in range(2)
    ]
    sessions = (f"51e965f3-65a5-4ca0-9542-{each:012}" for each in range(20))
    return body(*(session(uuid, attempt_details=attempts) for uuid in sessions))


def processor_seconds(answers: list[bytes]) -> float:
    began = time.process_time()
    for answer in answers:
        page_if_any(answer)
    return time.process_time() - began


@pytest.mark.parametrize("answer", HOSTILE.values(), ids=list(HOSTILE))
def test_a_page_made_to_be_slow_costs_little_more_than_usual_pages_of_its_size(
    answer: bytes, usual: bytes
) -> None:
    # Compared within one run, so that a slow or busy machine slows both. What costs more than
    # its length allows costs hundreds of times as much, every time that it is read.
    for _ in range(3):
        as_many_bytes = processor_seconds([usual] * 20) * WHOLE / (20 * len(usual))
        if processor_seconds([answer]) < 3 * as_many_bytes:
            return
    pytest.fail("reading it took more than three times what usual pages take")


@pytest.mark.parametrize("shape", ["objects", "numbers", "fractions", "a text", "blanks"])
def test_a_page_made_to_be_large_takes_little_memory(shape: str) -> None:
    tracemalloc.start()
    try:
        page_if_any(HOSTILE[shape])
        assert tracemalloc.get_traced_memory()[1] < LITTLE
    finally:
        tracemalloc.stop()


def test_a_page_of_more_records_than_any_is_refused_and_one_of_many_is_read() -> None:
    many = [session(f"51e965f3-65a5-4ca0-9542-{each:012}") for each in range(1_001)]
    assert len(page_of(body(*many[:1_000])).records) == 1_000
    with pytest.raises(BadResponseError, match="lists 1,001 sessions at once"):
        page_of(body(*many))


def test_ten_thousand_attempts_fit_into_a_page() -> None:
    attempts = [{"attempt_uuid": f"a{each}", "channel": "sms"} for each in range(10_000)]
    page = page_of(body(session(attempt_details=attempts), session(OTHER_UUID)))
    assert page.records[0].row is not None
    assert page.records[0].row["attempts"] == 10_000
