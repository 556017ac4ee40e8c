"""One answer of the API → records, and where the listing goes on.

What is no page is an error, never an empty page, since an empty page says that the account has
no records. So is a page that contradicts itself.

An address that the server names is never fetched. Of ``meta.next`` only the offset and the
cursor in its query are read: they are sent, if at all, to the address that we know.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from plivo_analysis.api.resources import MESSAGE_RESOURCE, SESSION_RESOURCE
from plivo_analysis.api.vocabulary import SETTLED, fold_status
from plivo_analysis.errors import BadResponseError
from plivo_analysis.parsing import fields
from plivo_analysis.parsing.messages import read_message
from plivo_analysis.parsing.oddities import Code
from plivo_analysis.parsing.records import note, shown
from plivo_analysis.parsing.sessions import read_session
from plivo_analysis.parsing.strict_json import REMEDY, parse_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from plivo_analysis.api.resources import Resource
    from plivo_analysis.parsing.records import Note, Record

READERS: Mapping[str, Callable[[object], Record]] = {
    SESSION_RESOURCE.name: read_session,
    MESSAGE_RESOURCE.name: read_message,
}
"""What reads one record, by the name of its resource."""

_FALLBACK_KEY = "objects"
_LONGEST_CURSOR = 2048
_MOST_RECORDS = 1_000  # of a page; it is asked for 20
_OFFSET = re.compile(r"[0-9]{1,9}")
_ACCOUNT = re.compile(r"/v1/Account/([MS]A[A-Z0-9]{18})/")


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


def read_page(body: bytes, resource: Resource, account: str, offset: int | None = None) -> Page:
    """Read one page of a listing.

    Args:
        body: The bytes of the answer.
        resource: What is listed. A page without the list of its name that has ``objects`` is
            read too, and noted. ``null`` is an empty list.
        account: The account that was asked; a ``meta.next`` elsewhere is noted, and so is a
            record of another account.
        offset: The offset that was asked for; by default the one that the page itself names.

    Returns:
        The page. A record that it holds twice is there once: where the two differ, a settled
        one is taken before an open one, else the later; both cases are noted on the record.

    Raises:
        BadResponseError: It is not a page of the documented form, or contradicts itself: an
            error or a failure beside records, or no records although it counts some.

    Example:
        >>> page = read_page(
        ...     b'{"api_id": "a", "meta": {"next": "?offset=20"}, "sessions": null}',
        ...     SESSION_RESOURCE,
        ...     "MAXXXXXXXXXXXXXXXXXX",
        ... )
        >>> page.records, page.has_next, page.next_offset
        ((), True, 20)
    """
    answer = _answer(body)
    notes: list[Note] = []
    listed = _listed(answer, resource.list_key, notes)
    meta = answer.get("meta")
    if isinstance(meta, dict):
        path = f"/v1/Account/{account}/{resource.path}"
        has_next, next_offset, cursor = _next(meta.get("next"), path, notes)
        _check_meta(meta, len(listed), has_next, offset, notes)
    else:
        has_next, next_offset, cursor = False, None, None
        notes.append(note(Code.META_MISSING, "meta", meta if meta is not None else ""))
    read = READERS[resource.name]
    records = _once([_of_account(read(item), account) for item in listed])
    api_id = answer.get("api_id")
    named = shown(api_id) if isinstance(api_id, str) and api_id.strip() else None
    return Page(records, len(listed), has_next, next_offset, cursor, tuple(notes), named)


def read_one(body: bytes, resource: Resource) -> Record:
    """Read the answer to a request for one record: the record itself, with ``api_id``.

    Args:
        body: The bytes of the answer.
        resource: What it is.

    Returns:
        The record; it may be set aside for what it holds, as in a page.

    Raises:
        BadResponseError: It is no record of the documented form, or has no id.

    Example:
        >>> read_one(b'{"api_id": "a", "error": "not found"}', SESSION_RESOURCE)
        Traceback (most recent call last):
        ...
        plivo_analysis.errors.BadResponseError: The server says "not found" in place of ...
    """
    answer = _answer(body)
    content = {name: value for name, value in answer.items() if name != "api_id"}
    record = READERS[resource.name](content)
    if record.row is None and record.key.startswith("sha256:"):
        raise BadResponseError(f"The answer holds no record with an id. {REMEDY}")
    return record


def _answer(body: bytes) -> dict[str, Any]:
    """The answer as an object that is no error."""
    answer = parse_json(body)
    if not isinstance(answer, dict):
        raise BadResponseError(f"The answer is JSON, but not an object. {REMEDY}")
    error = answer.get("error") or answer.get("errors")
    if error:  # blank, null or an empty list says that there was none
        raise BadResponseError(
            f'The server says "{shown(error)}" in place of records, although it answered with'
            f" a status of success. {REMEDY}"
        )
    if answer.get("status") == "error" or answer.get("partial") is True:
        raise BadResponseError(
            "The server says that the answer is an error or a part, although it answered with a "
            f"status of success. {REMEDY}"
        )
    if fields.flag(answer.get("success"))[0] is False:
        raise BadResponseError(
            "The server says that the request was no success, although it answered with a status "
            f"of success. {REMEDY}"
        )
    return answer


def _listed(answer: dict[str, Any], list_key: str, notes: list[Note]) -> list[Any]:
    key = list_key
    if key not in answer and _FALLBACK_KEY in answer:
        key = _FALLBACK_KEY
        notes.append(note(Code.CONTAINER_OTHER, key))
    if key not in answer:
        raise BadResponseError(f"The answer has no list of {list_key}. {REMEDY}")
    listed = answer[key]
    if listed is None:
        return []
    if not isinstance(listed, list):
        raise BadResponseError(f"What the answer gives as {list_key} is not a list. {REMEDY}")
    if len(listed) > _MOST_RECORDS:
        raise BadResponseError(f"The answer lists {len(listed):,} {list_key} at once. {REMEDY}")
    return listed


def _next(
    named: object, expected_path: str, notes: list[Note]
) -> tuple[bool, int | None, str | None]:
    """Whether a next page is named, and the offset and the cursor in its query."""
    if named is None:
        return False, None, None
    if not isinstance(named, str) or not named.strip():
        notes.append(note(Code.META_ODD, "meta.next", named))
        # What is there and no text still says that more follows: to take it for the end would
        # lose rows, to go on costs a request. Blank, 0 and false are read as "nothing".
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
    # Two of one name, a word for a number, endless text: which of them is meant cannot be known.
    if (offsets and offset is None) or (cursors and cursor is None):
        notes.append(note(Code.META_ODD, "meta.next", url.query))
    return True, offset, cursor


def _check_meta(
    meta: dict[str, Any], received: int, has_next: bool, asked: int | None, notes: list[Note]
) -> None:
    """Note what a page says of itself and cannot be; refuse one that hides records it counts."""
    numbers: dict[str, int] = {}
    for name in ("limit", "offset", "total_count"):
        value = meta.get(name)
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            numbers[name] = value
        elif value is not None:
            notes.append(note(Code.META_ODD, f"meta.{name}", value))
    # Only noted: how many rows the server puts on a page is learnt from the pages themselves.
    limit = numbers.get("limit", received)
    if received > limit or (has_next and received < limit):
        notes.append(note(Code.PAGE_SIZE, "meta.limit", f"{received} for a limit of {limit}"))
    # The offset that was asked for before the one that the page names, which may be wrong.
    start = numbers.get("offset") if asked is None else asked
    total = numbers.get("total_count")
    if total is None:
        return
    if received and total < numbers.get("offset", 0) + received:
        notes.append(note(Code.META_ODD, "meta.total_count", total))
    # An empty page says that there is nothing more. One that counts more rows than have been
    # passed must not be believed, or the rest would be called complete.
    if not received and start is not None and total > start:
        raise BadResponseError(
            f"The answer lists no records from number {start:,} on, but counts {total:,}. {REMEDY}"
        )


def _of_account(record: Record, asked: str) -> Record:
    """The record, noted if it names another account than the one asked for.

    A main account also lists what its subaccounts sent, and a subaccount's records may name the
    main one: only two main accounts, or two subaccounts, cannot be meant.
    """
    uri = None if record.row is None else record.row.get("resource_uri")
    named = _ACCOUNT.match(uri) if uri else None
    if named is None or named[1] == asked or named[1][0] != asked[0]:
        return record
    foreign = note(Code.ACCOUNT_FOREIGN, "resource_uri", named[1])
    return replace(record, notes=(*record.notes, foreign))


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
    added = note(code, "")
    return chosen if added in chosen.notes else replace(chosen, notes=(*chosen.notes, added))


def _trust(record: Record) -> int:
    """A record set aside is worth less than an open one, and that less than a settled one."""
    if record.row is None:
        return 0
    return 2 if fold_status(record.row.get("status")) in SETTLED else 1
