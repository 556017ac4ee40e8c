"""The code line: the exact Python that gives what is on the screen.

A view is counted and written by the same :class:`Call`, so that the two cannot part. The code on
the page asks for a telephone number where it needs one; the explorer's ``code`` holds it.
"""

from __future__ import annotations

import inspect
import json
import re
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import TYPE_CHECKING, Any

from plivo_analysis.templates.rendering import render

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from markupsafe import Markup

PERIOD, HOUR = "period", "hour"

_LONGEST = 110
# The group is kept by `split`, so that every second part is a string.
_STRING = re.compile(r'("(?:[^"\\]|\\.)*")')

_ADDED = {
    ("polars", PERIOD): '{0}.with_columns({0}["{1}"].dt.truncate("1d").alias("period"))',
    ("polars", HOUR): '{0}.with_columns({0}["{1}"].dt.hour().alias("hour"))',
    ("pandas", PERIOD): '{0}.assign(period={0}["{1}"].dt.floor("D"))',
    ("pandas", HOUR): '{0}.assign(hour={0}["{1}"].dt.hour)',
}


@dataclass(frozen=True, slots=True)
class Call:
    """A metric and its arguments, to be counted here or written down.

    Args:
        metric: The public function.
        frame: The name of the dataset's frame that it counts: the exploded one where there is one.
        arguments: Its arguments beside the frame.

    Example:
        >>> from plivo_analysis.metrics.spend import spend
        >>> Call(spend, "charges", {"by": ("channel",), "every": "1d"}).text("sessions")
        'pva.spend(sessions, every="1d")'
    """

    metric: Callable[..., Any]
    frame: str
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def text(self, subject: str) -> str:
        """The call as source, of the frame under this name; defaults are left out."""
        parameters = inspect.signature(self.metric).parameters
        written = [
            f"{name}={literal(value)}"
            for name, value in self.arguments.items()
            if value != parameters[name].default
        ]
        return f"pva.{self.metric.__name__}({', '.join([subject, *written])})"


def literal(value: object) -> str:
    """A value of an argument as source.

    Example:
        >>> literal("30d"), literal(("a", "b")), literal(("a",))
        ('"30d"', '["a", "b"]', '"a"')
        >>> from datetime import UTC
        >>> [literal(datetime(2026, 10, 1, hour, tzinfo=UTC)) for hour in (0, 8)]
        ['"2026-10-01"', '"2026-10-01T08:00Z"']
    """
    if isinstance(value, datetime):
        if value.time() == time():
            return f'"{value:%Y-%m-%d}"'
        precision = "auto" if value.second or value.microsecond else "minutes"
        return f'"{value.replace(tzinfo=None).isoformat(timespec=precision)}Z"'
    if isinstance(value, tuple):
        parts = [literal(part) for part in value]
        return parts[0] if len(parts) == 1 else f"[{', '.join(parts)}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)  # what JSON escapes, Python reads alike
    return repr(value)


def loader_call(name: str, noun: str, arguments: Mapping[str, Any]) -> str:
    """The call of a loader as source, on one line or one argument a line.

    Example:
        >>> loader_call("load_sessions", "sessions", {"since": "30d"})
        'sessions = pva.load_sessions(since="30d", client=client)'
    """
    written = [f"{key}={literal(value)}" for key, value in arguments.items()]
    written.append("client=client")
    line = f"{noun} = pva.{name}({', '.join(written)})"
    if len(line) <= _LONGEST:
        return line
    inside = "".join(f"    {argument},\n" for argument in written)
    return f"{noun} = pva.{name}(\n{inside})"


def added_columns(backend: str, frame: str, names: Sequence[str], instant: str) -> list[str]:
    """The lines that add day and hour to a frame, where they are among some columns.

    Args:
        backend: ``"polars"`` or ``"pandas"``.
        frame: The frame's name.
        names: The columns that a call groups by.
        instant: The column of instants that day and hour are made of.

    Example:
        >>> added_columns("pandas", "sessions", ["hour"], "created_at")
        ['sessions = sessions.assign(hour=sessions["created_at"].dt.hour)']
    """
    return [
        f"{frame} = {_ADDED[backend, name].format(frame, instant)}"
        for name in names
        if name in (PERIOD, HOUR)
    ]


def entry_channel_filter(backend: str, channels: Sequence[str]) -> str:
    """The line that keeps the sessions that began on one of these channels.

    Example:
        >>> entry_channel_filter("polars", ["voice"])
        'sessions = sessions.filter(sessions["entry_channel"].is_in(["voice"]))'
    """
    chosen = f"[{', '.join(literal(channel) for channel in channels)}]"
    if backend == "polars":
        return f'sessions = sessions.filter(sessions["entry_channel"].is_in({chosen}))'
    return f'sessions = sessions[sessions["entry_channel"].isin({chosen})]'


def code_line(code: str) -> Markup:
    """The code on the screen and the button that copies it.

    The button works in the browser alone, so that it copies while a cell is running, too.

    Example:
        >>> line = code_line('x = "<b>"')
        >>> "<b>" in line, '<span class="pva-string">&#34;&lt;b&gt;&#34;</span>' in line
        (False, True)
    """
    return render("explorer/code_line.html", parts=_STRING.split(code), code=code)
