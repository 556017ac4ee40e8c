"""The answers of a service that keeps to its documentation: a page, a record, a refusal.

Behaviours that depart from it live in ``behaviours`` and share the parts below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus, urlencode

from plivo_analysis.emulator.queries import DEFAULT_WINDOW, SESSIONS
from plivo_analysis.emulator.shelf import visible

if TYPE_CHECKING:
    from plivo_analysis.emulator.account import Account
    from plivo_analysis.emulator.queries import Query, Resource


def window(account: Account, query: Query) -> tuple[int, int, int]:
    """The window to answer, in microseconds, and the account's present.

    Without any bound it is the last 24 hours. It ends at the present and begins no earlier
    than 90 days before it.

    Example:
        >>> from plivo_analysis.emulator.account import Account
        >>> from plivo_analysis.emulator.queries import parse_query
        >>> low, high, now = window(Account.of(), parse_query([], SESSIONS))
        >>> (now - low) // 3_600_000_000
        24
    """
    low, high, now = account.served()
    if query.low is None and query.high is None:
        return now - DEFAULT_WINDOW, high, now
    if query.low is not None:
        low = max(low, query.low)
    if query.high is not None:
        high = min(high, query.high)
    return low, high, now


def list_page(account: Account, resource: Resource, query: Query) -> dict[str, Any]:
    """A page of the list, newest first, as the documentation prints it.

    Example:
        >>> from plivo_analysis.emulator.account import Account
        >>> from plivo_analysis.emulator.queries import parse_query
        >>> list_page(Account.of(), SESSIONS, parse_query([], SESSIONS))["sessions"]
        []
    """
    shelf = account.shelf(resource)
    with account.lock:
        low, high, now = window(account, query)
        places = shelf.find(low, high, query.filters, now, skip=query.offset, count=query.limit + 1)
        rows = [shelf.record(place, now) for place in places[: query.limit]]
    following = query.offset + query.limit if len(places) > query.limit else None
    return {
        "meta": meta(account, resource, query, following),
        resource.list_key: [visible(row) for row in rows],
    }


def meta(
    account: Account, resource: Resource, query: Query, following: int | None
) -> dict[str, Any]:
    """What a page says of itself.

    Args:
        account: Whose list it is.
        resource: What is listed.
        query: What was asked.
        following: The offset of the next page, if there is one.

    Example:
        >>> from plivo_analysis.emulator.account import Account
        >>> from plivo_analysis.emulator.queries import parse_query
        >>> query = parse_query([("status", "expired")], SESSIONS)
        >>> meta(Account.of(), SESSIONS, query, 20)["next"]
        '/v1/Account/MADEMO00000000000000/Verify/Session/?limit=20&status=expired&offset=20'
    """
    previous = max(0, query.offset - query.limit) if query.offset else None
    return {
        "limit": query.limit,
        "offset": query.offset,
        "next": page_address(account, resource, query, offset=following),
        "previous": page_address(account, resource, query, offset=previous),
    }


def page_address(
    account: Account, resource: Resource, query: Query, **position: int | str | None
) -> str | None:
    """The relative address of another page: the limit, the filters, then the position.

    Example:
        >>> from plivo_analysis.emulator.account import Account
        >>> from plivo_analysis.emulator.queries import parse_query
        >>> page_address(Account.of(), SESSIONS, parse_query([], SESSIONS), cursor="abc")
        '/v1/Account/MADEMO00000000000000/Verify/Session/?limit=20&cursor=abc'
    """
    known = [(name, value) for name, value in position.items() if value is not None]
    if not known:
        return None
    names = urlencode([("limit", query.limit), *query.repeated, *known], quote_via=quote_plus)
    return f"/v1/Account/{account.auth_id}/{resource.path}?{names}"


def retrieve(account: Account, resource: Resource, key: str) -> dict[str, Any] | None:
    """One record, or nothing where there is none or it is older than 90 days.

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
    shelf = account.shelf(resource)
    with account.lock:
        low, high, now = account.served()
        place = shelf.place_of(key)
        if place is None or not low <= shelf.time(place) < high:
            return None
        record = visible(shelf.record(place, now))
    return _as_retrieved(record) if resource is SESSIONS else record


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
