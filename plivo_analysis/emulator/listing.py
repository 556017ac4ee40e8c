"""What can be listed, what a list request asks for, and which records match it.

Everything here keeps to the API's documentation; ``misbehaviour`` departs from it. The names of
filters are those of the documentation and, beyond it, the arguments that the official SDKs send:
``country`` and ``alias`` of sessions, the WhatsApp and campaign fields of messages. A name not
known here is ignored, as the service does; a value not known matches nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from plivo_analysis.emulator.times import read_bound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Record = dict[str, Any]

LARGEST_PAGE = 20  # "List all sessions": limit is 1 to 20
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
    adjust: Callable[[str, int], int] = lambda _suffix, micros: micros,
) -> ListRequest:
    """Understand the names and values of a query.

    Args:
        pairs: Names and values as sent.
        listing: What is listed.
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
    given = {name: value for name, value in pairs if value}
    names = {suffix: listing.time_name + suffix for suffix in _SUFFIXES}
    bounds = {}
    for suffix, name in names.items():
        if name in given:
            try:
                bounds[suffix] = adjust(suffix, read_bound(given[name]))
            except ValueError:
                form = "YYYY-MM-DD HH:MM[:ss[.uuuuuu]]"
                raise BadRequest(f"{name} should be in the format {form}") from None
    # Of several lower bounds the highest counts, of upper ones the lowest; a bound without a suffix
    # is both, and names one instant.
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
        filters={
            name: _digits(value) if name in _NUMBERS else value
            for name, value in given.items()
            if name in listing.filters
        },
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


# Filters that have another name in a record, filters that are compared without a plus sign, and
# filters whose values the attempts of a session hold.
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

    A telephone number of a filter has no plus sign any more (``parse_request`` takes it away);
    the record's may have one. A status matches whatever the
    record's case; the filter's own case counts, as the service's does. A record without the
    field does not match, unless ``lenient``.

    Example:
        >>> matches({"recipient": "+14155550100"}, {"recipient": "14155550100"})
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
        return _digits(known[0]) == value
    if name == "status":
        return str(known[0]).lower() == value
    return value in known


def _digits(number: object) -> str:
    return str(number).strip().removeprefix("+")
