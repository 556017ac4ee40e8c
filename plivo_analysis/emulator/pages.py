"""What answers a request: a page of a list, or one record, as the documentation prints them.

``misbehaviour`` answers in other ways.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus, urlencode

from plivo_analysis.emulator.listing import SESSIONS, visible
from plivo_analysis.emulator.times import DAY

if TYPE_CHECKING:
    from plivo_analysis.emulator.account import Account
    from plivo_analysis.emulator.listing import Listing, ListRequest

DEFAULT_WINDOW = DAY  # "List all sessions": a list without times is of the last day


def window(account: Account, request: ListRequest) -> tuple[int, int, int]:
    """The window to answer, in microseconds, and the account's present.

    Without any bound it is the last 24 hours. It ends at the present and begins no earlier
    than 90 days before it.

    Example:
        >>> from plivo_analysis.emulator.account import Account
        >>> from plivo_analysis.emulator.listing import parse_request
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
        >>> from plivo_analysis.emulator.listing import parse_request
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
        >>> from plivo_analysis.emulator.listing import parse_request
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
        >>> from plivo_analysis.emulator.listing import parse_request
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
