"""One answer of the API → records, and where the listing goes on.

A body is parsed strictly: UTF-8, no NaN, no doubled names, numbers to the last digit. What
is no page is an error, never an empty page, since an empty page says that the account has no
records. What is far beyond any page, in records or in values, is refused before it can fill
the memory: the limit on a body's bytes alone would let a few bytes become a gigabyte of objects.

An address that the server names is never fetched. Of ``meta.next`` only the offset and the
cursor in its query are read: they are sent, if at all, to the address that we know.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import parse_qsl, urlsplit

from plivo_analysis.api.resources import MESSAGE_RESOURCE, SESSION_RESOURCE
from plivo_analysis.api.words import SETTLED, fold_status
from plivo_analysis.errors import BadResponseError
from plivo_analysis.parsing.messages import read_message
from plivo_analysis.parsing.notes import note, shown
from plivo_analysis.parsing.oddities import Code
from plivo_analysis.parsing.sessions import read_session

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from plivo_analysis.parsing.notes import Note, Record

READERS: Mapping[str, Callable[[object], Record]] = {
    SESSION_RESOURCE.name: read_session,
    MESSAGE_RESOURCE.name: read_message,
}
"""What reads one record, by the name of its resource."""

_FALLBACK_KEY = "objects"
_LONGEST_CURSOR = 2048
_MOST_RECORDS = 1_000  # of a page; it is asked for 20
_MOST_VALUES = 200_000  # twenty sessions of a thousand attempts have fewer
_OFFSET = re.compile(r"[0-9]{1,9}")
_REMEDY = "Try again in a minute; if it stays so, check the base URL (PLIVO_API_URL)."


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a listing.

    Args:
        records: What it holds, each id once, in the server's order.
        received: How many it held before ids met twice were made one.
        has_next: Whether the server names a next page. It may turn out to be empty.
        next_offset: The offset in that name, if there is one.
        next_cursor: The cursor in that name, if there is one.
        notes: What was odd about the page itself.
        api_id: The server's id of this request; support asks for it.

    Example:
        >>> Page((), 0, False, None, None, (), None).has_next
        False
    """

    records: tuple[Record, ...]
    received: int
    has_next: bool
    next_offset: int | None
    next_cursor: str | None
    notes: tuple[Note, ...]
    api_id: str | None


def parse_json(body: bytes) -> object:
    """JSON, strictly: a body that two readers could understand differently is refused.

    Args:
        body: The bytes of an answer, in UTF-8, with or without a byte order mark.

    Returns:
        Objects as dicts, lists, text, integers, fractions as ``Decimal`` to the last digit,
        booleans and ``None``.

    Raises:
        BadResponseError: It is no JSON: empty, a web page, cut off, not UTF-8; or it holds
            NaN, an infinity, a name twice in one object, a number without bounds, nesting
            without bounds or more values than any page.

    Example:
        >>> parse_json(b'{"charge": 0.0800}')
        {'charge': Decimal('0.0800')}
    """
    if sum(map(body.count, (b",", b"{", b"["))) > _MOST_VALUES:
        raise BadResponseError(f"The answer holds more values than any page. {_REMEDY}")
    try:
        text = body.decode("utf-8-sig")
        return json.loads(
            text,
            parse_float=_fraction,
            parse_constant=_no_constant,
            object_pairs_hook=_object,
        )
    except UnicodeDecodeError:
        reason = "The answer is not UTF-8 text."
    except json.JSONDecodeError as error:
        reason = _what_it_is(text, error)
    except RecursionError:
        reason = "The answer is nested without end."
    except ValueError as error:  # ours below, or an integer of thousands of digits
        reason = str(error) if isinstance(error, _RefusedError) else "A number is too long."
    raise BadResponseError(f"{reason} {_REMEDY}")


class _RefusedError(ValueError):
    """JSON that the standard parser takes and we do not."""


def _fraction(digits: str) -> Decimal:
    try:
        return Decimal(digits)
    except InvalidOperation:
        raise _RefusedError("The answer holds a number beyond any range.") from None


def _no_constant(word: str) -> NoReturn:
    raise _RefusedError(f"The answer holds {word}, which is no JSON.")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _RefusedError("The answer holds an object with a name twice.")
    return found


def _what_it_is(text: str, error: json.JSONDecodeError) -> str:
    start = text.lstrip()[:1]
    if not start:
        return "The answer is empty."
    if start == "<":
        return "The answer is a web page, not JSON; a proxy or a log-in may stand in between."
    return f"The answer is not JSON, or was cut off (character {error.pos} of {len(text)})."


def read_page(
    body: bytes, *, list_key: str, read: Callable[[object], Record], expected_path: str
) -> Page:
    """Read one page of a listing.

    Args:
        body: The bytes of the answer.
        list_key: Where the records are: ``sessions`` or ``objects``. A page without it that
            has ``objects`` is read too, and noted. ``null`` is an empty list.
        read: Reads one record, such as `plivo_analysis.parsing.sessions.read_session`.
        expected_path: The path that was asked for; a ``meta.next`` elsewhere is noted.

    Returns:
        The page. A record that it holds twice is there once: where the two differ, a settled
        one is taken before an open one, else the later; both cases are noted on the record.

    Raises:
        BadResponseError: It is not a page of the documented form.

    Example:
        >>> from plivo_analysis.parsing.sessions import read_session
        >>> page = read_page(
        ...     b'{"api_id": "a", "meta": {"next": "/v1/x/?offset=20"}, "sessions": null}',
        ...     list_key="sessions", read=read_session, expected_path="/v1/x/",
        ... )
        >>> page.records, page.has_next, page.next_offset
        ((), True, 20)
    """
    answer = _answer(body)
    notes: list[Note] = []
    listed = _listed(answer, list_key, notes)
    meta = answer.get("meta")
    if isinstance(meta, dict):
        has_next, offset, cursor = _next(meta.get("next"), expected_path, notes)
        _check_meta(meta, len(listed), has_next, notes)
    else:
        has_next, offset, cursor = False, None, None
        notes.append(note(Code.META_MISSING, "meta", meta if meta is not None else ""))
    records = _once([read(item) for item in listed])
    return Page(records, len(listed), has_next, offset, cursor, tuple(notes), _api_id(answer))


def read_one(body: bytes, *, read: Callable[[object], Record]) -> Record:
    """Read the answer to a request for one record: the record itself, with ``api_id``.

    Args:
        body: The bytes of the answer.
        read: Reads one record, such as `plivo_analysis.parsing.sessions.read_session`.

    Returns:
        The record; it may be set aside for what it holds, as in a page.

    Raises:
        BadResponseError: It is no record of the documented form, or has no id.

    Example:
        >>> from plivo_analysis.parsing.sessions import read_session
        >>> read_one(b'{"api_id": "a", "error": "not found"}', read=read_session)
        Traceback (most recent call last):
        ...
        plivo_analysis.errors.BadResponseError: The server says "not found" in place of ...
    """
    answer = _answer(body)
    record = read({name: value for name, value in answer.items() if name != "api_id"})
    if record.row is None and record.key.startswith("sha256:"):
        raise BadResponseError(f"The answer holds no record with an id. {_REMEDY}")
    return record


def _answer(body: bytes) -> dict[str, Any]:
    """The answer as an object that is no error."""
    answer = parse_json(body)
    if not isinstance(answer, dict):
        raise BadResponseError(f"The answer is JSON, but not an object. {_REMEDY}")
    error = answer.get("error")
    if error:  # blank or null says that there was none
        raise BadResponseError(
            f'The server says "{shown(error)}" in place of records, although it answered with'
            f" a status of success. {_REMEDY}"
        )
    return answer


def _listed(answer: dict[str, Any], list_key: str, notes: list[Note]) -> list[Any]:
    key = list_key
    if key not in answer and _FALLBACK_KEY in answer:
        key = _FALLBACK_KEY
        notes.append(note(Code.CONTAINER_OTHER, key))
    if key not in answer:
        raise BadResponseError(f"The answer has no list of {list_key}. {_REMEDY}")
    listed = answer[key]
    if listed is None:
        return []
    if not isinstance(listed, list):
        raise BadResponseError(f"What the answer gives as {list_key} is not a list. {_REMEDY}")
    if len(listed) > _MOST_RECORDS:
        raise BadResponseError(f"The answer lists {len(listed):,} {list_key} at once. {_REMEDY}")
    return listed


def _api_id(answer: dict[str, Any]) -> str | None:
    api_id = answer.get("api_id")
    return shown(api_id) if isinstance(api_id, str) and api_id.strip() else None


def _next(
    named: object, expected_path: str, notes: list[Note]
) -> tuple[bool, int | None, str | None]:
    """Whether a next page is named, and the offset and the cursor in its query."""
    if named is None:
        return False, None, None
    if not isinstance(named, str) or not named.strip():
        notes.append(note(Code.META_ODD, "meta.next", named))
        return bool(named) and not isinstance(named, str), None, None
    try:
        url = urlsplit(named)
        query = parse_qsl(url.query, keep_blank_values=True, max_num_fields=100)
    except ValueError:
        notes.append(note(Code.NEXT_FOREIGN, "meta.next", named))
        return True, None, None
    here = url.path.rstrip("/") in {"", expected_path.rstrip("/")}
    if url.scheme or url.netloc or not here or not named.isprintable():
        notes.append(note(Code.NEXT_FOREIGN, "meta.next", named))
    offsets = [value for name, value in query if name == "offset"]
    cursors = [value for name, value in query if name == "cursor" and value]
    offset = int(offsets[0]) if len(offsets) == 1 and _OFFSET.fullmatch(offsets[0]) else None
    cursor = cursors[0] if len(cursors) == 1 and len(cursors[0]) <= _LONGEST_CURSOR else None
    if (offsets and offset is None) or (cursors and cursor is None):
        notes.append(note(Code.META_ODD, "meta.next", url.query))
    return True, offset, cursor


def _check_meta(meta: dict[str, Any], received: int, has_next: bool, notes: list[Note]) -> None:
    """Note what a page says of itself and cannot be; the walk counts for itself."""
    said: dict[str, int] = {}
    for name in ("limit", "offset", "total_count"):
        value = meta.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            said[name] = value
        elif value is not None:
            notes.append(note(Code.META_ODD, f"meta.{name}", value))
    limit = said.get("limit", received)
    if received > limit or (has_next and received < limit):
        notes.append(note(Code.PAGE_SIZE, "meta.limit", f"{received} for a limit of {limit}"))
    reached = said.get("offset", 0) + received
    if received and said.get("total_count", reached) < reached:
        notes.append(note(Code.META_ODD, "meta.total_count", said["total_count"]))


def _once(records: list[Record]) -> tuple[Record, ...]:
    """Each id once, at its first place."""
    kept: dict[str, Record] = {}
    for record in records:
        before = kept.get(record.key)
        kept[record.key] = record if before is None else _one_of(before, record)
    return tuple(kept.values())


def _one_of(before: Record, later: Record) -> Record:
    if before.raw == later.raw:
        chosen, code = before, Code.RECORD_REPEATED
    else:
        chosen, code = (later if _trust(later) >= _trust(before) else before), Code.RECORD_TWICE
    said = note(code, "")
    return chosen if said in chosen.notes else replace(chosen, notes=(*chosen.notes, said))


def _trust(record: Record) -> int:
    """A record set aside is worth less than an open one, and that less than a settled one."""
    if record.row is None:
        return 0
    return 2 if fold_status(record.row.get("status")) in SETTLED else 1
