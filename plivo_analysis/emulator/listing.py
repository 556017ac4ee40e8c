"""One list request: what it asks for, which records match, the page or record that answers it.

Everything here keeps to the API's documentation; ``misbehaviour`` departs from it. The names of
filters are those of the documentation and, beyond it, the arguments that the official SDKs send:
``country`` and ``alias`` of sessions, the WhatsApp and campaign fields of messages. A name not
known here is ignored, as the service does; a value not known matches nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus, urlencode

from plivo_analysis.emulator.times import DAY, read_bound

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from plivo_analysis.emulator.account import Account

    Record = dict[str, Any]

# Both from "List all sessions": limit is 1 to 20, and a list without times is of the last day.
LARGEST_PAGE = 20
DEFAULT_WINDOW = DAY
_SUFFIXES = ("", "__gt", "__gte", "__lt", "__lte")


class BadRequest(ValueError):  # noqa: N818 - named as HTTP names a 400
    """The request is malformed; its text goes into the body of a 400.

    Example:
        >>> str(BadRequest("limit should be between 1 and 20"))
        'limit should be between 1 and 20'
    """


@dataclass(frozen=True)
class Listing:
    """One kind of record: where it is listed and what its list understands.

    Attributes:
        path: The address below the account.
        list_key: The name of the list in an answer.
        key: The field that identifies a record.
        time_field: The record's field that orders the list and that time bounds compare with.
        time_name: The name of the time bounds in a query.
        filters: The other names that filter.

    Example:
        >>> SESSIONS.path, MESSAGES.list_key
        ('Verify/Session/', 'objects')
    """

    path: str
    list_key: str
    key: str
    time_field: str
    time_name: str
    filters: frozenset[str]


SESSIONS = Listing(
    path="Verify/Session/",
    list_key="sessions",
    key="session_uuid",
    time_field="created_at",
    time_name="session_time",
    filters=frozenset(
        {
            "app_uuid",
            "recipient",
            "subaccount",
            "status",
            "brand_name",
            "app_hash",
            "country",  # sent by the SDKs, not documented
            "alias",  # sent by the SDKs, not documented
        }
    ),
)
MESSAGES = Listing(
    path="Message/",
    list_key="objects",
    key="message_uuid",
    time_field="message_time",
    time_name="message_time",
    filters=frozenset(
        {
            "subaccount",
            "message_direction",
            "message_state",
            "message_type",
            "error_code",
            "powerpack_id",
            "from_number",
            "to_number",
            "destination_country_iso2",
            "tendlc_campaign_id",
            "tendlc_registration_status",
            "conversation_id",
            "conversation_origin",
        }
    ),
)


@dataclass(frozen=True)
class ListRequest:
    """A list request, understood.

    Attributes:
        listing: What is listed.
        limit: Rows a page.
        offset: Rows to pass over.
        cursor: Where to go on, in a service that pages by cursor.
        low: The first microsecond of the window, or ``None``.
        high: The microsecond after the window, or ``None``.
        filters: Names and values that a row must match.
        repeated: What the address of the next page repeats: everything but the position.

    Example:
        >>> parse_request([("limit", "5")], SESSIONS).limit
        5
    """

    listing: Listing
    limit: int
    offset: int
    cursor: str | None
    low: int | None
    high: int | None
    filters: dict[str, str]
    repeated: tuple[tuple[str, str], ...]


def parse_request(
    pairs: Iterable[tuple[str, str]],
    listing: Listing,
    *,
    ignored: Collection[str] = (),
    adjust: Callable[[str, int], int] = lambda _suffix, micros: micros,
) -> ListRequest:
    """Understand the names and values of a query.

    Args:
        pairs: Names and values as sent.
        listing: What is listed.
        ignored: Names that this server ignores.
        adjust: What this server makes of a time bound, from its suffix and microseconds.

    Raises:
        BadRequest: The limit, the offset or a time is malformed.

    Example:
        >>> asked = [("session_time__gt", "1970-01-01 00:00"), ("status", "expired")]
        >>> request = parse_request(asked, SESSIONS)
        >>> request.low, request.filters
        (1, {'status': 'expired'})
    """
    # Of a name that is given twice the last value counts, and an empty one is as if not given.
    given = {name: value for name, value in pairs if value and name not in ignored}
    names = {suffix: listing.time_name + suffix for suffix in _SUFFIXES}
    bounds = {}
    for suffix, name in names.items():
        if name in given:
            try:
                bounds[suffix] = adjust(suffix, read_bound(given[name]))
            except ValueError:
                form = "YYYY-MM-DD HH:MM[:ss[.uuuuuu]]"
                raise BadRequest(f"{name} should be in the format {form}") from None
    # Half-open: "greater than" begins one microsecond later, "up to and including" ends one later.
    lows = [micros + (suffix == "__gt") for suffix, micros in bounds.items() if "lt" not in suffix]
    highs = [micros + (suffix != "__lt") for suffix, micros in bounds.items() if "gt" not in suffix]
    return ListRequest(
        listing=listing,
        limit=_whole(given, "limit", LARGEST_PAGE, 1, LARGEST_PAGE),
        offset=_whole(given, "offset", 0, 0, None),
        cursor=given.get("cursor"),
        low=max(lows, default=None),
        high=min(highs, default=None),
        filters={name: value for name, value in given.items() if name in listing.filters},
        repeated=tuple(
            (name, value)
            for name, value in given.items()
            if name in listing.filters or name in names.values()
        ),
    )


def _whole(given: dict[str, str], name: str, default: int, least: int, most: int | None) -> int:
    text = given.get(name, str(default))
    # Eighteen digits are more than any list has rows; Python refuses to read thousands of them.
    if text.isascii() and text.isdigit() and int(text[:18]) >= least:
        number = int(text[:18])
        if most is None or number <= most:
            return number
    allowed = f"{least} or more" if most is None else f"between {least} and {most}"
    raise BadRequest(f"{name} should be {allowed}")


# What a record calls otherwise than the filter, what is compared without a plus sign, and what
# its attempts hold in its place.
_FIELDS = {"country": "destination_country_iso2"}
_NUMBERS = frozenset({"recipient", "from_number", "to_number"})
_OF_ATTEMPTS = frozenset({"brand_name", "app_hash"})
CHANGES, VISIBLE_FROM = "_changes", "_visible_from"
_HIDDEN = frozenset(f"_{name}" for name in SESSIONS.filters | MESSAGES.filters)
_HIDDEN |= {CHANGES, VISIBLE_FROM}


def visible(record: Record) -> Record:
    """A record without what the account knows of it but does not show.

    Hidden are fields named like a filter with an underscore before it (``_subaccount``),
    ``_changes`` and ``_visible_from``.

    Example:
        >>> visible({"status": "expired", "_subaccount": "SA1"})
        {'status': 'expired'}
    """
    if _HIDDEN.isdisjoint(record):
        return record
    return {name: value for name, value in record.items() if name not in _HIDDEN}


def matches(record: Record, filters: dict[str, str], *, lenient: bool = False) -> bool:
    """Whether a record has these values.

    A telephone number matches with and without its plus sign. A status matches whatever the
    record's case; the filter's own case counts, as the service's does. A record without the
    field does not match, unless ``lenient``.

    Example:
        >>> matches({"recipient": "14155550100"}, {"recipient": "+14155550100"})
        True
        >>> matches({"status": "Expired"}, {"status": "expired"})
        True
        >>> matches({"status": "expired"}, {"status": "Expired"})
        False
    """
    return all(_has(record, name, value, lenient) for name, value in filters.items())


def _has(record: Record, name: str, value: str, lenient: bool) -> bool:
    known = [record.get(_FIELDS.get(name, name)), record.get(f"_{name}")]
    if name in _OF_ATTEMPTS:
        known += [attempt.get(name) for attempt in record.get("attempt_details") or ()]
    if lenient and not any(known):
        return True
    if name in _NUMBERS:
        return _digits(known[0]) == _digits(value)
    if name == "status":
        return str(known[0]).lower() == value
    return value in known


def _digits(number: object) -> str:
    return str(number).removeprefix("+").strip()


def window(account: Account, request: ListRequest) -> tuple[int, int, int]:
    """The window to answer, in microseconds, and the account's present.

    Without any bound it is the last 24 hours. It ends at the present and begins no earlier
    than 90 days before it.

    Example:
        >>> from plivo_analysis.emulator.account import Account
        >>> low, high, now = window(Account.of(), parse_request([], SESSIONS))
        >>> (now - low) // 3_600_000_000
        24
    """
    low, high, now = account.served()
    if request.low is None and request.high is None:
        return now - DEFAULT_WINDOW, high, now
    if request.low is not None:
        low = max(low, request.low)
    if request.high is not None:
        high = min(high, request.high)
    return low, high, now


def list_page(account: Account, request: ListRequest) -> dict[str, Any]:
    """A page of the list, newest first, as the documentation prints it.

    Example:
        >>> from plivo_analysis.emulator.account import Account
        >>> list_page(Account.of(), parse_request([], SESSIONS))["sessions"]
        []
    """
    index = account.records(request.listing)
    with account.lock:
        low, high, now = window(account, request)
        # One more than asked: whether it is there says whether there is a next page.
        handles = index.find(
            low, high, request.filters, now, skip=request.offset, count=request.limit + 1
        )
        rows = [index.record(handle, now) for handle in handles[: request.limit]]
    following = request.offset + request.limit if len(handles) > request.limit else None
    return {
        "meta": meta(account, request, following),
        request.listing.list_key: [visible(row) for row in rows],
    }


def meta(account: Account, request: ListRequest, following: int | None) -> dict[str, Any]:
    """A page's ``meta``.

    Args:
        account: Whose list it is.
        request: What was asked.
        following: The offset of the next page, if there is one.

    Example:
        >>> from plivo_analysis.emulator.account import Account
        >>> request = parse_request([("status", "expired")], SESSIONS)
        >>> meta(Account.of(), request, 20)["next"]
        '/v1/Account/MADEMO00000000000000/Verify/Session/?limit=20&status=expired&offset=20'
    """
    # Null at both ends, as in the documentation's samples.
    previous = max(0, request.offset - request.limit) if request.offset else None
    return {
        "limit": request.limit,
        "offset": request.offset,
        "next": page_address(account, request, offset=following),
        "previous": page_address(account, request, offset=previous),
    }


def page_address(
    account: Account, request: ListRequest, **position: int | str | None
) -> str | None:
    """The relative address of another page: the limit, the filters, then the position.

    Example:
        >>> from plivo_analysis.emulator.account import Account
        >>> page_address(Account.of(), parse_request([], SESSIONS), cursor="abc")
        '/v1/Account/MADEMO00000000000000/Verify/Session/?limit=20&cursor=abc'
    """
    known = [(name, value) for name, value in position.items() if value is not None]
    if not known:
        return None
    # With the filters, as the sample of messages has them; that of sessions had none to repeat.
    names = urlencode([("limit", request.limit), *request.repeated, *known], quote_via=quote_plus)
    return f"/v1/Account/{account.auth_id}/{request.listing.path}?{names}"


def retrieve(account: Account, listing: Listing, key: str) -> dict[str, Any] | None:
    """One record, or ``None`` where there is none or it is older than 90 days.

    A session is spelt as the documentation's page on retrieving one spells it: its status
    begins with a capital and the statuses of its calls are in small letters, while the list
    has them the other way round.

    Example:
        >>> from plivo_analysis.emulator.account import Account
        >>> call = {"channel": "voice", "status": "EARLY MEDIA"}
        >>> session = {"session_uuid": "a", "status": "expired", "attempt_details": [call]}
        >>> found = retrieve(Account.of([session]), SESSIONS, "a")
        >>> found["status"], found["attempt_details"][0]["status"]
        ('Expired', 'early media')
    """
    index = account.records(listing)
    with account.lock:
        low, high, now = account.served()
        handle = index.handle_of(key)
        if handle is None or not (low <= index.time(handle) < high and index.shows(handle, now)):
            return None
        record = visible(index.record(handle, now))
    return _as_retrieved(record) if listing is SESSIONS else record


def _as_retrieved(session: dict[str, Any]) -> dict[str, Any]:
    respelt = dict(session)
    if isinstance(session.get("status"), str):
        respelt["status"] = session["status"].capitalize()
    if isinstance(session.get("attempt_details"), list):
        respelt["attempt_details"] = [
            {**attempt, "status": attempt["status"].lower()}
            if isinstance(attempt, dict) and isinstance(attempt.get("status"), str)
            else attempt
            for attempt in session["attempt_details"]
        ]
    return respelt
