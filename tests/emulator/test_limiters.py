"""The three ways of counting, on a clock that the test turns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from plivo_analysis.emulator import Account, FixedWindow, SlidingWindow, TokenBucket

if TYPE_CHECKING:
    from collections.abc import Callable

    from plivo_analysis.emulator.limiters import ServerLimiter


class Clock:
    def __init__(self) -> None:
        self.time = 30.0

    def __call__(self) -> float:
        return self.time


def admitted(limiter: ServerLimiter, requests: int) -> int:
    return sum(limiter.admit() is None for _ in range(requests))


def test_a_fixed_window_starts_anew_on_the_minute() -> None:
    clock = Clock()
    limiter = FixedWindow(clock=clock)
    assert admitted(limiter, 25) == 20
    assert limiter.admit() == 30.0
    clock.time = 60.0
    assert admitted(limiter, 25) == 20


def test_a_sliding_window_frees_a_place_a_minute_after_it_was_taken() -> None:
    clock = Clock()
    limiter = SlidingWindow(clock=clock)
    assert admitted(limiter, 10) == 10
    clock.time = 50.0
    assert admitted(limiter, 15) == 10
    assert limiter.admit() == 40.0
    clock.time = 89.9
    assert admitted(limiter, 1) == 0
    clock.time = 90.0
    assert admitted(limiter, 15) == 10


def test_a_bucket_fills_by_one_token_in_three_seconds() -> None:
    clock = Clock()
    limiter = TokenBucket(clock=clock)
    assert admitted(limiter, 25) == 20
    clock.time += 3.1
    assert admitted(limiter, 2) == 1
    clock.time += 1000
    assert admitted(limiter, 25) == 20


def test_a_window_of_one_request_lets_one_pass_in_three_seconds() -> None:
    clock = Clock()
    limiter = SlidingWindow(1, seconds=3.0, clock=clock)
    assert admitted(limiter, 5) == 1
    clock.time += 2.9
    assert limiter.admit() == pytest.approx(0.1)
    clock.time += 0.1
    assert admitted(limiter, 5) == 1


@pytest.mark.parametrize("path", ["Verify/Session/", "Message/"])
@pytest.mark.parametrize(
    ("retry_after", "header"),
    [("seconds", "13"), ("date", "Mon, 02 Nov 2026 06:58:13 GMT"), (None, None)],
)
def test_a_refusal_says_when_to_come_again(
    serve: Callable[..., Any], path: str, retry_after: Any, header: str | None
) -> None:
    clock = Clock()
    clock.time = 47.5
    caller = serve(limiter=FixedWindow(1, retry_after=retry_after, clock=clock))
    assert caller.ask(path).status_code == 200
    reply = caller.ask(path)
    assert (reply.status_code, reply.json()["error"]) == (429, "too many requests")
    assert reply.headers.get("Retry-After") == header


def test_lists_of_messages_may_be_counted_apart(serve: Callable[..., Any]) -> None:
    clock = Clock()
    caller = serve(limiter=FixedWindow(1, clock=clock), message_limiter=FixedWindow(2, clock=clock))
    paths = ["Verify/Session/", "Message/", "Verify/Session/", "Message/", "Message/"]
    assert [caller.ask(path).status_code for path in paths] == [200, 200, 429, 200, 429]


def test_the_lists_share_one_count_and_single_records_are_free(
    serve: Callable[..., Any],
) -> None:
    record = {"session_uuid": "a", "created_at": "2026-11-02T06:00:00Z"}
    caller = serve(Account.of([record]), limiter=FixedWindow(2, clock=Clock()))
    paths = ["Verify/Session/a/", "Verify/Session/", "Message/", "Message/", "Verify/Session/a/"]
    assert [caller.ask(path).status_code for path in paths] == [200, 200, 200, 429, 200]
