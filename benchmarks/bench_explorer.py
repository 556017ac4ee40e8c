"""The explorer of 100,000 sessions: every view after every choice, and Cancel in a wait.

What a choice showed before is kept; here it is forgotten each time, so that each turn is a
person's first after a load. What a browser then takes to draw is not in it.
"""

from __future__ import annotations

import time
from typing import Any

import polars as pl

import plivo_analysis as pva
from benchmarks import data
from benchmarks.harness import judge, once, size
from plivo_analysis.api.resources import MESSAGE_RESOURCE, SESSION_RESOURCE
from plivo_analysis.explorer.dataset import JOURNEYS, Dataset, Loaded
from plivo_analysis.explorer.load_cost import LoadRequest
from plivo_analysis.explorer.messages import MessageExplorer
from plivo_analysis.explorer.sessions import SessionExplorer
from plivo_analysis.metrics.certainty import Completeness
from plivo_analysis.values.spans import DAY, Span, to_us

LONG = False
SESSIONS = 100_000
_ROUNDS = 3
_CANCELS = 5


def main() -> None:
    """Measure both explorers' choices, then Cancel."""
    with pva.demo(sessions=20) as client:
        explorer = opened(client, data.sessions(size(SESSIONS)))
        judge(f"slowest redraw, {SESSIONS:,} sessions", choices(explorer), 200, "ms")
        judge(f"leaving channels out, {SESSIONS:,} sessions", _channels(explorer), 200, "ms")
        messages = MessageExplorer(client)
        _put(messages, _messages(client), LoadRequest(client, MESSAGE_RESOURCE, {}))
        judge(f"slowest redraw, {SESSIONS:,} messages", choices(messages), 200, "ms")
    _cancel()


def opened(client: pva.Client, sessions: pl.DataFrame) -> SessionExplorer:
    """An explorer that shows these sessions."""
    explorer = SessionExplorer(client)
    _put(explorer, sessions, LoadRequest(client, SESSION_RESOURCE, {}))
    return explorer


def _put(explorer: Any, frame: pl.DataFrame, request: LoadRequest) -> None:
    """Put a table on the screen as a load would."""
    start = to_us(data.START)
    span, complete = Span(start, start + data.DAYS * DAY), Completeness(frame.height)
    dataset = Dataset.of(request.resource, frame)
    explorer._show(Loaded(request, frame, dataset, span, complete, data.START, whole=True))


def _messages(client: pva.Client) -> pl.DataFrame:
    """So many messages: the demo account's, again and again, each with an id of its own."""
    rows, few = size(SESSIONS), pva.load_messages(since="90d", client=client)
    many = pl.concat([few] * -(-rows // few.height)).head(rows)
    uuids = pl.int_range(rows).cast(pl.String).alias("message_uuid")
    spread = pl.lit(data.START) + pl.duration(seconds=pl.int_range(rows) * 77)
    return many.with_columns(uuids, spread.cast(many.schema["message_time"]).alias("message_time"))


def choices(explorer: Any, *, rounds: int = _ROUNDS) -> float:
    """Every grouping on every tab: the milliseconds of the slowest."""
    tabs = [explorer.tabs.get_title(place) for place in range(len(explorer.tabs.children))]
    print(f"  {'grouped by, ms':<16}" + "".join(f"{title:>16}" for title in tabs))
    slowest = []
    for group in explorer.group.options:
        other = next(name for name in explorer.group.options if name != group)
        took = _on_each_tab(explorer, explorer.group, (other, group), rounds)
        slowest.append(_line(group, took))
    return max(slowest)


def _channels(explorer: Any) -> float:
    """One entry channel without the others, on every tab: the KPI cards are counted anew too."""
    explorer.group.value = "channel"
    return max(
        _line(f"only {name}", _on_each_tab(explorer, toggle, (False, True), _ROUNDS))
        for name, toggle in explorer.channels.items()
    )


def _on_each_tab(
    explorer: Any, widget: Any, values: tuple[object, object], rounds: int
) -> list[float]:
    """The best of several first times of one choice, in milliseconds, for each tab."""
    took = []
    before, after = values
    for place in range(len(explorer.tabs.children)):
        explorer.tabs.selected_index = place
        times = []
        for _ in range(rounds):
            widget.value = before
            _forget(explorer._loading.loaded.dataset)
            explorer._choose()
            times.append(once(lambda: setattr(widget, "value", after)))
        widget.value = before
        took.append(min(times) * 1000)
    return took


def _forget(dataset: Dataset) -> None:
    """Forget what was counted since the load."""
    for key in [key for key in dataset.counted if key[0] is not JOURNEYS.metric]:
        del dataset.counted[key]
    dataset.parts.clear()


def _line(name: str, took: list[float]) -> float:
    print(f"  {name:<16}" + "".join(f"{milliseconds:>16,.0f}" for milliseconds in took))
    return max(took)


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
    judge("Cancel in a wait, until nothing runs", max(took), 500, "ms")


def _end(explorer: Any) -> None:
    explorer.cancel.click()
    explorer.wait()
