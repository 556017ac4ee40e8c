"""The rate limit, met on purpose: what a refusal says, and whether lists share one budget.

Nothing but a refusal can tell. It is provoked by a burst of small requests in a window without
others, and other programs of the account may have to wait because of it. So it is done only
when asked for, and what it spends counts towards the account's limit like any other request.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from plivo_analysis.api.resources import MESSAGE_RESOURCE, RESOURCES, SESSION_RESOURCE
from plivo_analysis.errors import APIError
from plivo_analysis.system.clock import wait_in_steps
from plivo_analysis.values.typesetting import plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from plivo_analysis.client import Client

UNKNOWN = "unknown"
LIMIT, RETRY_AFTER, SCOPE = "limit", "Retry-After", "scope of the limit"
ONE_BUDGET = "sessions and messages share one"
TWO_BUDGETS = "sessions and messages have one each"

_HIGHEST = 300  # requests a minute that are spent on a question
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that only a live account could tell.

    Args:
        name: What was asked.
        answer: What was found; ``unknown`` where the account's records could not tell.
    """

    name: str
    answer: str


def meet_limit(client: Client) -> Iterator[Finding]:
    """Ask until the server refuses, and find out what that means.

    A server that counts by the clock's minutes may see the burst in two of them. Twice what is
    granted, and one more, passes at once nowhere.

    Args:
        client: The account.

    Yields:
        How many requests passed, what a refusal says of its end, and what it is counted over.

    Raises:
        PlivoAnalysisError: A request failed in another way than by the limit.

    Example:
        >>> import plivo_analysis as pva
        >>> with pva.demo(sessions=10) as client:
        ...     print(next(meet_limit(client)).answer)
        unknown: a client without a limit of its own cannot meet one
    """
    limit = client.limiter.limit
    if limit > _HIGHEST:
        yield Finding(LIMIT, f"{UNKNOWN}: a client without a limit of its own cannot meet one")
        return
    limiters = [client.limiter.of(resource.path) for resource in RESOURCES.values()]
    # Requests of a minute ago are still counted: with them the burst would seem too small.
    wait_in_steps(client.clock, max(limiter.wait_estimate(limit) for limiter in limiters))
    began = client.clock.monotonic()
    passed, refusal = 0, None
    sessions, probe = SESSION_RESOURCE.path, client.transport.probe
    while passed <= 2 * limit and (refusal := probe(sessions)) is None:
        passed += 1
    if refusal is None:
        took = client.clock.monotonic() - began
        yield Finding(LIMIT, f"not met by {plural(passed, 'request')} in {took:.0f} s")
        return
    yield Finding(LIMIT, f"{plural(passed, 'request')} passed, then one was refused")
    seconds = refusal.retry_after
    yield Finding(RETRY_AFTER, "not given" if seconds is None else f"{seconds:.0f} s")
    scope = _scope(client)
    if scope in (ONE_BUDGET, TWO_BUDGETS):
        # For every program of the account: the state is a file that they share. It begins with a
        # window in which nothing is sent.
        with client.limiter.states.open() as account:
            account.count_apart(scope == TWO_BUDGETS)
        for limiter in limiters:
            with limiter.state() as window:
                window.pause(window.window, client.clock.monotonic())
    yield Finding(SCOPE, scope)


def _scope(client: Client) -> str:
    """What passes while sessions are refused.

    The limit may free a request at any moment, so that a list of messages that passed proves
    something only if sessions are still refused after it.
    """
    for _ in range(_ROUNDS):
        try:
            if client.transport.probe(MESSAGE_RESOURCE.path):
                return ONE_BUDGET
        except APIError as error:
            return f"{UNKNOWN}: messages are refused ({type(error).__name__})"
        if client.transport.probe(SESSION_RESOURCE.path):
            return TWO_BUDGETS
    return UNKNOWN
