"""What a list request asks for: its page, its window of time and its filters, or a refusal.

The names are those of the API's documentation and, beyond it, the arguments that the official
SDKs send: ``country`` and ``alias`` of sessions, the WhatsApp and campaign fields of messages.
A name not known here is ignored, as the service does; a value not known matches nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plivo_analysis.emulator.wiretime import DAY, read_bound

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

LARGEST_PAGE = 20
DEFAULT_WINDOW = DAY
_FORMS = ("", "__gt", "__gte", "__lt", "__lte")


class QueryError(ValueError):
    """The request is malformed; its text goes into the body of a 400.

    Example:
        >>> str(QueryError("limit should be between 1 and 20"))
        'limit should be between 1 and 20'
    """


@dataclass(frozen=True)
class Resource:
    """One kind of record: where it is listed and what its list understands.

    Attributes:
        path: The address below the account.
        list_key: The name of the list in an answer.
        key: The field that identifies a record.
        time_field: The record's field that orders the list and that time bounds speak of.
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


SESSIONS = Resource(
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
            "country",
            "alias",
        }
    ),
)
MESSAGES = Resource(
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
            "tendlc_campaign_id",
            "tendlc_registration_status",
            "destination_country_iso2",
            "conversation_id",
            "conversation_origin",
        }
    ),
)


@dataclass(frozen=True)
class Query:
    """A list request, understood.

    Attributes:
        limit: Rows a page.
        offset: Rows to pass over.
        cursor: Where to go on, in a service that pages by cursor.
        low: The first microsecond of the window, or nothing.
        high: The microsecond after the window, or nothing.
        filters: Names and values that a row must match.
        repeated: What the address of the next page repeats: all names but the page's.

    Example:
        >>> parse_query([("limit", "5")], SESSIONS).limit
        5
    """

    limit: int
    offset: int
    cursor: str | None
    low: int | None
    high: int | None
    filters: dict[str, str]
    repeated: tuple[tuple[str, str], ...]


def parse_query(
    pairs: Iterable[tuple[str, str]],
    resource: Resource,
    *,
    ignored: Collection[str] = (),
    precision: int = 1,
) -> Query:
    """Understand the names and values of a query.

    Args:
        pairs: Names and values as sent.
        resource: What is listed.
        ignored: Names that this server pays no heed to.
        precision: Microseconds to which this server cuts time bounds.

    Raises:
        QueryError: The limit, the offset or a time is malformed.

    Example:
        >>> asked = [("session_time__gt", "1970-01-01 00:00"), ("status", "expired")]
        >>> query = parse_query(asked, SESSIONS)
        >>> query.low, query.filters
        (1, {'status': 'expired'})
    """
    given = {name: value for name, value in pairs if value and name not in ignored}
    times = {form: resource.time_name + form for form in _FORMS}
    bounds = {form: _bound(given[name], name) for form, name in times.items() if name in given}
    low, high = _window({form: micros - micros % precision for form, micros in bounds.items()})
    filters = {name: value for name, value in given.items() if name in resource.filters}
    return Query(
        limit=_whole(given, "limit", LARGEST_PAGE, 1, LARGEST_PAGE),
        offset=_whole(given, "offset", 0, 0, None),
        cursor=given.get("cursor"),
        low=low,
        high=high,
        filters=filters,
        repeated=tuple(
            (name, value)
            for name, value in given.items()
            if name in resource.filters or name in times.values()
        ),
    )


def _bound(text: str, name: str) -> int:
    try:
        return read_bound(text)
    except ValueError:
        raise QueryError(f"{name} should be in the format YYYY-MM-DD HH:MM[:ss[.uuuuuu]]") from None


def _window(bounds: dict[str, int]) -> tuple[int | None, int | None]:
    lows = [micros + (form == "__gt") for form, micros in bounds.items() if "lt" not in form]
    highs = [micros + (form != "__lt") for form, micros in bounds.items() if "gt" not in form]
    return max(lows, default=None), min(highs, default=None)


def _whole(given: dict[str, str], name: str, default: int, least: int, most: int | None) -> int:
    text = given.get(name, str(default))
    if text.isascii() and text.isdigit() and int(text[:18]) >= least:
        number = int(text[:18])
        if most is None or number <= most:
            return number
    raise QueryError(
        f"{name} should be {least} or more"
        if most is None
        else f"{name} should be between {least} and {most}"
    )
