"""What the account answers to a request, before it goes over any wire.

The order of things is: credentials, method, the address, the limiter, the list.
"""

from __future__ import annotations

import base64
import hmac
import json
import uuid
from datetime import timedelta
from email.utils import format_datetime
from math import ceil
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from plivo_analysis.emulator.faults import Response
from plivo_analysis.emulator.listing import MESSAGES, SESSIONS, BadRequest
from plivo_analysis.emulator.misbehaviour import Behaviour
from plivo_analysis.emulator.pages import Lister, retrieve

if TYPE_CHECKING:
    from plivo_analysis.emulator.account import Account
    from plivo_analysis.emulator.limiters import ServerLimiter
    from plivo_analysis.emulator.listing import Listing

# The text of a 401 and its lack of an api_id are those of the official SDKs' samples.
_JSON = json.JSONEncoder(separators=(",", ":"))
_NO_CREDENTIALS = {"error": "authentication credentials were not provided"}
_CHALLENGE = {"WWW-Authenticate": 'Basic realm="api"'}


class Service:
    """The three calls of one account, and retrieving a message.

    Args:
        account: What is served.
        limiter: Counts list requests and refuses those too many. May be replaced at any time.
        behaviour: Departures from the documentation. May be replaced at any time.
        message_limiter: Counts lists of messages apart from those of sessions, where given.

    Example:
        >>> from plivo_analysis.emulator.account import Account
        >>> Service(Account.of()).answer("GET", "/v1/", "").status
        401
    """

    def __init__(
        self,
        account: Account,
        limiter: ServerLimiter | None = None,
        behaviour: Behaviour | None = None,
        message_limiter: ServerLimiter | None = None,
    ) -> None:
        self.account = account
        self.limiter = limiter
        self.message_limiter = message_limiter
        self.behaviour = behaviour or Behaviour()

    @property
    def behaviour(self) -> Behaviour:
        """Departures from the documentation. May be set at any time."""
        return self._behaviour

    @behaviour.setter
    def behaviour(self, behaviour: Behaviour) -> None:
        self._behaviour, self._lister = behaviour, Lister(self.account, behaviour)
        self._cache: dict[Listing, list[Response]] = {}

    def dated(self, response: Response) -> Response:
        """A response with the account's time in its ``Date`` header, unless it has one."""
        if not self._behaviour.date:
            return response
        now = self.account.now + self._behaviour.date_skew
        return response.with_defaults(Date=format_datetime(now, usegmt=True))

    def answer(
        self, method: str, target: str, authorization: str, cache_control: str = ""
    ) -> Response:
        """What to answer.

        Args:
            method: GET, or one that is refused.
            target: The address with its query, as it stands in the request's first line.
            authorization: The header of that name, or an empty text.
            cache_control: The header of that name, or an empty text.
        """
        parts = urlsplit(target)
        if not self._knows(authorization):
            return _as_json(401, _NO_CREDENTIALS).with_defaults(**_CHALLENGE)
        if method != "GET":
            return _refusal(405, "method not allowed")
        prefix, _, rest = parts.path.removeprefix("/v1/Account/").partition("/")
        if prefix != self.account.auth_id:
            return _refusal(404, "not found")
        # A cache answers in front of the service: what it repeats costs nothing of the limit.
        for listing in (SESSIONS, MESSAGES):
            if rest == listing.path:
                cached = self._cached(listing, cache_control)
                return cached or self._limited(listing) or self._list(listing, parts.query)
            key = rest.removeprefix(listing.path).removesuffix("/")
            if rest == f"{listing.path}{key}/" and "/" not in key:
                found = retrieve(self.account, listing, key)
                return _success(found) if found else _refusal(404, "not found")
        return _refusal(404, "not found")

    def _list(self, listing: Listing, query: str) -> Response:
        pairs = parse_qsl(query, keep_blank_values=True)
        try:
            response = _success(self._lister.page(listing, pairs))
        except BadRequest as refused:
            return _refusal(400, str(refused))
        self._cache[listing] = [response] * self._behaviour.cached_answers
        return response

    def _cached(self, listing: Listing, cache_control: str) -> Response | None:
        if self._behaviour.cache_heeds_no_cache and "no-cache" in cache_control:
            return None
        left = self._cache.get(listing)
        return left.pop() if left else None

    def _limited(self, listing: Listing) -> Response | None:
        limiter = (self.message_limiter if listing is MESSAGES else None) or self.limiter
        if limiter is None or (wait := limiter.admit()) is None:
            return None
        # The documentation names no header that tells when to ask again, so that none is the
        # default; a client has to cope with either form of it.
        refusal, seconds = _refusal(429, "too many requests"), ceil(wait)
        if limiter.retry_after is None:
            return refusal
        free = self.account.now + timedelta(seconds=seconds)
        dated = limiter.retry_after == "date"
        after = format_datetime(free, usegmt=True) if dated else str(seconds)
        return refusal.with_defaults(**{"Retry-After": after})

    def _knows(self, authorization: str) -> bool:
        kind, _, given = authorization.partition(" ")
        own = base64.b64encode(f"{self.account.auth_id}:{self.account.auth_token}".encode())
        # Compared in a time that does not tell how much of a wrong token was right.
        return kind.lower() == "basic" and hmac.compare_digest(given.encode(), own)


def _success(content: dict[str, Any]) -> Response:
    return _as_json(200, {"api_id": str(uuid.uuid4()), **content})


def _refusal(status: int, error: str) -> Response:
    return _as_json(status, {"api_id": str(uuid.uuid4()), "error": error})


def _as_json(status: int, content: dict[str, Any]) -> Response:
    return Response(status, _JSON.encode(content).encode())
