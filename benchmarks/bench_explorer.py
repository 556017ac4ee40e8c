"""The explorer of 100,000 sessions: every view after every choice, and Cancel in a wait.

What a choice showed before is kept; here it is forgotten each time, so that each turn is a
person's first after a load. What a browser then takes to draw is not in it.
"""

from __future__ import annotations

import statistics
import time
from typing import Any

import polars as pl

import plivo_analysis as pva
from benchmarks import data
from benchmarks.harness import once
from plivo_analysis.api.resources import MESSAGE_RESOURCE, SESSION_RESOURCE
from plivo_analysis.explorer.load import Loaded, LoadRequest, Outcome
from plivo_analysis.explorer.messages import MessageExplorer
from plivo_analysis.explorer.sessions import SessionExplorer
from plivo_analysis.metrics.certainty import Completeness
from plivo_analysis.values.spans import DAY, Span, to_us

LONG = False
SESSIONS = 100_000
_ROUNDS = 5
_CANCELS = 5
_GOAL_MS = 200
_CANCEL_GOAL_MS = 500


def main() -> None:
    """Measure both explorers' choices, then Cancel."""
    with pva.demo(sessions=20) as client:
        sessions = data.sessions(SESSIONS)
        explorer = SessionExplorer(client)
        _put(explorer, sessions, LoadRequest(client, SESSION_RESOURCE, {}))
        print(f"{SESSIONS:,} sessions, ms until a view is sent (goal: < {_GOAL_MS})")
        _choices(explorer)
        _channels(explorer)
        messages = MessageExplorer(client)
        _put(messages, _messages(client), LoadRequest(client, MESSAGE_RESOURCE, {}))
        print(f"{SESSIONS:,} messages, ms until a view is sent (goal: < {_GOAL_MS})")
        _choices(messages)
    _cancel()


def _put(explorer: Any, frame: pl.DataFrame, request: LoadRequest) -> None:
    """Put a table on the screen as a load would."""
    start = to_us(data.START)
    outcome = Outcome(Span(start, start + data.DAYS * DAY), whole=True)
    explorer._show(Loaded(request, frame, outcome, Completeness(frame.height), data.START))


def _messages(client: pva.Client) -> pl.DataFrame:
    """So many messages: the demo account's, again and again, each with an id of its own."""
    few = pva.load_messages(since="90d", client=client)
    many = pl.concat([few] * -(-SESSIONS // few.height)).head(SESSIONS)
    uuids = pl.int_range(SESSIONS).cast(pl.String).alias("message_uuid")
    spread = pl.lit(data.START) + pl.duration(seconds=pl.int_range(SESSIONS) * 77)
    return many.with_columns(uuids, spread.cast(many.schema["message_time"]).alias("message_time"))


def _choices(explorer: Any) -> None:
    """Every grouping on every tab."""
    tabs = [explorer.tabs.get_title(place) for place in range(len(explorer.tabs.children))]
    print(f"  {'grouped by':<16}" + "".join(f"{title:>16}" for title in tabs))
    for group in explorer.group.options:
        other = next(name for name in explorer.group.options if name != group)
        _line(group, _on_each_tab(explorer, explorer.group, other, group))


def _channels(explorer: Any) -> None:
    """One entry channel, on every tab: the KPI cards are counted anew too."""
    explorer.group.value = "channel"
    for name, toggle in explorer.channels.items():
        _line(f"only {name}", _on_each_tab(explorer, toggle, False, True))


def _on_each_tab(explorer: Any, widget: Any, before: object, after: object) -> list[float]:
    """The best of several first times of one choice, in milliseconds, for each tab."""
    took = []
    for place in range(len(explorer.tabs.children)):
        explorer.tabs.selected_index = place
        rounds = []
        for _ in range(_ROUNDS):
            widget.value = before
            explorer._counted.clear()
            explorer._choose()
            rounds.append(once(lambda: setattr(widget, "value", after)))
        widget.value = before
        took.append(min(rounds) * 1000)
    return took


def _line(name: str, took: list[float]) -> None:
    over = "  over the goal" if max(took) >= _GOAL_MS else ""
    print(f"  {name:<16}" + "".join(f"{each:>16,.0f}" for each in took) + over)


def _cancel() -> None:
    """From the click on Cancel, in the middle of a wait for the limit, until nothing runs."""
    took = []
    for _ in range(_CANCELS):
        with pva.demo(sessions=300, requests_per_minute=3) as client:
            explorer = SessionExplorer(client, since="90d")
            explorer.load.click()
            while "Next request in" not in explorer._layout.wait.value:
                time.sleep(0.01)
            took.append(once(lambda panel=explorer: _end(panel)) * 1000)
            explorer.close()
    middle, worst = statistics.median(took), max(took)
    print(f"Cancel in a wait, ms until nothing runs (goal: < {_CANCEL_GOAL_MS})")
    print(f"  median {middle:,.0f}, worst of {_CANCELS} {worst:,.0f}")


def _end(explorer: Any) -> None:
    explorer.cancel.click()
    explorer.wait()
