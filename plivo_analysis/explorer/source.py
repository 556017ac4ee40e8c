"""The code line: the exact Python that gives what is on the screen.

A view is counted and written by the same :class:`Call`, so that the two cannot part.
"""

from __future__ import annotations

import inspect
import json
from dataclasses import dataclass, field
from datetime import datetime, time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import polars as pl

PERIOD, HOUR = "period", "hour"

_LONGEST = 110

_MADE = {
    ("polars", PERIOD): '{0}.with_columns({0}["{1}"].dt.truncate("1d").alias("period"))',
    ("polars", HOUR): '{0}.with_columns({0}["{1}"].dt.hour().alias("hour"))',
    ("pandas", PERIOD): '{0}.assign(period={0}["{1}"].dt.floor("D"))',
    ("pandas", HOUR): '{0}.assign(hour={0}["{1}"].dt.hour)',
}


@dataclass(frozen=True, slots=True)
class Call:
    """A metric and what it is given, to be counted here or written down.

    Args:
        metric: The public function.
        kept: The name of the frame that it counts here: the exploded one where there is one.
        given: Its arguments beside the frame.

    Example:
        >>> from plivo_analysis.metrics.spend import spend
        >>> Call(spend, "charges", {"by": ("channel",), "every": "1d"}).text("sessions")
        'pva.spend(sessions, every="1d")'
    """

    metric: Callable[..., Any]
    kept: str
    given: Mapping[str, Any] = field(default_factory=dict)

    def count(self, frames: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
        """What the metric says of the frames kept."""
        counted: pl.DataFrame = self.metric(frames[self.kept], **self.given)
        return counted

    def text(self, subject: str) -> str:
        """The call as source, of the frame under this name."""
        usual = inspect.signature(self.metric).parameters
        given = [
            f"{name}={literal(value)}"
            for name, value in self.given.items()
            if value != usual[name].default
        ]
        return f"pva.{self.metric.__name__}({', '.join([subject, *given])})"

    @property
    def own(self) -> list[str]:
        """The columns of ours that it groups by."""
        return [name for name in self.given.get("by", ()) if name in (PERIOD, HOUR)]


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


def loader(name: str, noun: str, arguments: Mapping[str, Any]) -> str:
    """The call of a loader as source, on one line or one argument a line.

    Example:
        >>> loader("load_sessions", "sessions", {"since": "30d"})
        'sessions = pva.load_sessions(since="30d", client=client)'
    """
    given = [f"{key}={literal(value)}" for key, value in arguments.items()]
    given.append("client=client")
    line = f"{noun} = pva.{name}({', '.join(given)})"
    if len(line) <= _LONGEST:
        return line
    inside = "".join(f"    {argument},\n" for argument in given)
    return f"{noun} = pva.{name}(\n{inside})"


def with_own(
    backend: str, frame: str, names: Sequence[str], instant: str, to: str = ""
) -> list[str]:
    """The lines that give a frame the columns of ours that a call groups by.

    Args:
        backend: ``"polars"`` or ``"pandas"``.
        frame: The frame's name.
        names: The columns.
        instant: The column of instants that they are made of.
        to: The name of the result; by default the same.

    Example:
        >>> with_own("pandas", "sessions", ["hour"], "created_at")
        ['sessions = sessions.assign(hour=sessions["created_at"].dt.hour)']
    """
    return [f"{to or frame} = {_MADE[backend, name].format(frame, instant)}" for name in names]


def with_channels(backend: str, channels: Sequence[str]) -> list[str]:
    """The lines that keep the sessions with an attempt on one of these channels.

    Example:
        >>> for line in with_channels("polars", ["voice"]):
        ...     print(line)
        attempts = pva.explode_attempts(sessions)
        attempts = attempts.filter(attempts["channel"].is_in(["voice"]))
        sessions = sessions.join(attempts, on="session_uuid", how="semi")
    """
    chosen = f"[{', '.join(literal(channel) for channel in channels)}]"
    lines = ["attempts = pva.explode_attempts(sessions)"]
    if backend == "polars":
        return [
            *lines,
            f'attempts = attempts.filter(attempts["channel"].is_in({chosen}))',
            'sessions = sessions.join(attempts, on="session_uuid", how="semi")',
        ]
    return [
        *lines,
        f'attempts = attempts[attempts["channel"].isin({chosen})]',
        'sessions = sessions[sessions["session_uuid"].isin(attempts["session_uuid"])]',
    ]
