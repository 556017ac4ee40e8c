"""Every public function, given what is no argument of it: one sentence, and nothing of the value.

The functions and their arguments come from the public list, so that a new one is tried too.
"""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest

import plivo_analysis as pva
from plivo_analysis.api.checks import ParameterKind
from plivo_analysis.api.resources import RESOURCES

if TYPE_CHECKING:
    from collections.abc import Iterator

# A number in a column's name, in a value and in the middle of a text.
RECIPIENT = "14155550123"
TABLE = pl.DataFrame({f"of {RECIPIENT}": [RECIPIENT] * 3, "b": 1, "c": 2})
WRONG = {
    "a table": TABLE,
    "a table of pandas": TABLE.to_pandas(),
    "a number": 7.5,
    "an object": object(),
    "bytes": RECIPIENT.encode(),
    "a list": [RECIPIENT, 1],
    "a dictionary": {RECIPIENT: 1},
    "a class": int,
    "a function": len,
    "text": f"x{RECIPIENT} x",
}
# Whatever is called with the progress, or taken for true.
FREE = {"progress", "client_options", "panels", "every_session", "sentence"}
OF_TEXT = {"title", "account", "currency", "path"} | {
    parameter.name
    for resource in RESOURCES.values()
    for parameter in resource.parameters
    if parameter.kind in {ParameterKind.TEXT, ParameterKind.ID, ParameterKind.SENDER}
}


@pytest.fixture(scope="module")
def client() -> Iterator[pva.Client]:
    with pva.demo(sessions=60) as made:
        yield made


@pytest.fixture(scope="module")
def right(client: pva.Client, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A right value for each argument that has no default, by its name."""
    path = tmp_path_factory.mktemp("console") / "export.csv"
    path.write_text("Message UUID,Message Time\n")
    sessions = pva.load_sessions(since="90d", client=client)
    messages = pva.load_messages(since="90d", client=client)
    return {
        "table": "sessions",
        "path": path,
        "attempts": pva.explode_attempts(sessions),
        "messages": messages,
        "session_uuid": sessions["session_uuid"][0],
        **dict.fromkeys(("sessions", "before", "after", "frame"), sessions),
    }


def functions() -> dict[str, Any]:
    public = {name: getattr(pva, name) for name in pva.__all__ if name != "show_versions"}
    public |= {f"figures.{name}": getattr(pva.figures, name) for name in pva.figures.__all__}
    return {name: value for name, value in public.items() if inspect.isfunction(value)}


# What each figure draws, where the metric has another name.
DRAWN = {"fallback": "fallback_rates", "paths": "channel_paths", "outcomes": "attempt_outcomes"}
DRAWN |= {"delivery": "delivery_rates"}
CASES = [
    (name, argument)
    for name, function in functions().items()
    for argument in inspect.signature(function).parameters
    if argument not in FREE
]


@pytest.mark.parametrize(("name", "argument"), CASES)
def test_what_is_no_argument_is_refused_in_a_sentence(
    name: str, argument: str, client: pva.Client, right: dict[str, Any]
) -> None:
    function = functions()[name]
    parameters = inspect.signature(function).parameters
    given = {known: right[known] for known in _needed(function)}
    if "client" in parameters:
        given["client"] = client
    if name.startswith("figures."):
        drawn = name.removeprefix("figures.")
        metric = getattr(pva, DRAWN.get(drawn, drawn))
        given["frame"] = metric(*(right[known] for known in _needed(metric)))
    if name == "cost_report" and argument != "estimate":
        given["sessions"] = right["sessions"]
    for kind, value in WRONG.items():
        if kind != "text" or argument not in OF_TEXT or name == "read_messages_csv":
            _refused_in_a_sentence(function, given | {argument: value})


@pytest.mark.parametrize("option", ["backend", "currency", "requests_per_minute", "store"])
def test_what_is_no_option_of_a_client_is_refused_in_a_sentence(option: str) -> None:
    right = {"currency": "text", "requests_per_minute": "a number", "store": "text"}
    for kind, value in WRONG.items():
        if right.get(option) != kind:
            _refused_in_a_sentence(pva.demo, {"sessions": 1, option: value})


def _refused_in_a_sentence(function: Any, arguments: dict[str, Any]) -> None:
    with pytest.raises(pva.PlivoAnalysisError) as refused:
        function(**arguments)
    message = str(refused.value)
    assert RECIPIENT not in message, message
    assert 10 < len(message) < 400, message
    assert message.endswith("."), message


def _needed(function: Any) -> list[str]:
    parameters = inspect.signature(function).parameters.items()
    return [name for name, at in parameters if at.default is at.empty and name not in FREE]
