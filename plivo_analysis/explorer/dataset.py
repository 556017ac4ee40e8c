"""What was loaded, kept in the form that every view counts at once.

Exploding costs more than counting, so it is done once a load, and what does not depend on a
choice is counted then. A choice of channels is a filter of frames that are there already.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import polars as pl

from plivo_analysis.explorer.source import HOUR, PERIOD
from plivo_analysis.figures import style
from plivo_analysis.metrics.reconcile import reconcile
from plivo_analysis.tables.columns import ATTEMPTS, CHARGES
from plivo_analysis.tables.explode import exploded

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from datetime import datetime

    from plivo_analysis.values.schema import Table

COUNTRY = "destination_country_iso2"
APPLICATION = "app_uuid"

_NUMBER = "__session"  # a session's place in the table: found faster than its uuid
_SHOWN = "shown"
_KEY = "session_uuid"  # as a number it is a third as long, and compared in half the time
_OF_BOTH = ("session_uuid", APPLICATION, COUNTRY, "created_at", PERIOD, HOUR, _NUMBER)
# Fewer columns, none of them nested: a choice of channels copies what it keeps.
_COUNTED = (*_OF_BOTH, "alias", "status", "entry_channel", "path", "total_charge")
_STEPPED = (
    *_OF_BOTH,
    "attempt_number",
    "attempts",
    "channel",
    "outcome",
    "step",
    "charge",
    "entry_channel",
    "session_status",
)
_BILLED = (*_OF_BOTH, "line_number", "line", "channel", "amount")


class Dataset(Protocol):
    """What views need of what was loaded."""

    @property
    def frames(self) -> Mapping[str, pl.DataFrame]:
        """The frames to count, by name."""

    @property
    def rows(self) -> int:
        """How many records there are."""

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """The range of time that was asked for."""

    @property
    def chosen(self) -> tuple[str, ...] | None:
        """Which part of what was loaded this is; None for all."""

    def known(self, column: str) -> list[str]:
        """The values of a column, sorted."""


@dataclass(frozen=True, slots=True)
class Sessions:
    """Sessions, exploded.

    Args:
        frames: ``sessions``, ``steps`` (attempts) and ``charges``, with the columns that are
            counted only, ``attempts``, ``unreconciled``, and ``whole``: sessions with all that
            was loaded.
        bounds: The range of time that was asked for.
        names: What each application is called, by its id.
        channels: The channels of the attempts, in their order.
        chosen: The channels that sessions were kept for; None for all sessions.
    """

    frames: Mapping[str, pl.DataFrame]
    bounds: tuple[datetime, datetime]
    names: Mapping[str, str]
    channels: tuple[str, ...]
    chosen: tuple[str, ...] | None = None

    @classmethod
    def of(cls, sessions: pl.DataFrame, bounds: tuple[datetime, datetime]) -> Sessions:
        """Explode a sessions table."""
        sessions = with_own(sessions, "created_at").with_row_index(_NUMBER)
        attempts = with_own(_exploded(sessions, ATTEMPTS), "created_at")
        numbers = sessions.select("session_uuid", _NUMBER)
        frames = {
            "whole": sessions,
            "sessions": _slim(sessions, _COUNTED),
            "attempts": attempts,
            "steps": _slim(attempts, _STEPPED),
            "charges": _slim(with_own(_exploded(sessions, CHARGES), "created_at"), _BILLED),
            "unreconciled": reconcile(sessions).join(numbers, on="session_uuid", how="left"),
        }
        channels = sorted(attempts["channel"].unique().to_list(), key=style.place)
        return cls(frames, bounds, names_of_applications(sessions), tuple(channels))

    @property
    def rows(self) -> int:
        """How many sessions there are."""
        return self.frames["sessions"].height

    def known(self, column: str) -> list[str]:
        """The values of a column of sessions, sorted."""
        return known(self.frames["whole"], column)

    def only(self, channels: Collection[str]) -> Sessions:
        """The sessions with an attempt on one of these channels, and those attempts."""
        if set(channels) >= set(self.channels):
            return self
        chosen = tuple(channel for channel in self.channels if channel in channels)
        return replace(self, frames=_Chosen(self.frames, chosen), chosen=chosen)

    def named(self, frame: pl.DataFrame) -> pl.DataFrame:
        """A frame with applications under their names, to be read by people."""
        if APPLICATION not in frame.columns:
            return frame
        return frame.with_columns(pl.col(APPLICATION).replace(dict(self.names)))

    @property
    def attempts(self) -> pl.DataFrame:
        """The attempts that are looked at: on the chosen channels."""
        return self.frames["attempts" if self.chosen is None else _SHOWN]


class _Chosen(dict[str, pl.DataFrame]):
    """The rows of the sessions that have an attempt that is shown, worked out when asked for."""

    def __init__(self, whole: Mapping[str, pl.DataFrame], channels: Sequence[str]) -> None:
        super().__init__()
        self._whole = whole
        self._shown = whole["steps"]["channel"].is_in(channels)
        numbers = whole["steps"][_NUMBER].filter(self._shown).unique()
        self._keep = whole["sessions"][_NUMBER].is_in(numbers.implode())

    def __missing__(self, name: str) -> pl.DataFrame:
        if name == _SHOWN:
            self[name] = self._whole["attempts"].filter(self._shown)
        else:
            frame = self._whole[name]
            self[name] = frame.filter(self._keep.gather(frame[_NUMBER]))
        return self[name]


@dataclass(frozen=True, slots=True)
class Messages:
    """Messages, as they were loaded.

    Args:
        frames: ``messages``.
        bounds: The range of time that was asked for.
        chosen: None: all messages are looked at.
    """

    frames: Mapping[str, pl.DataFrame]
    bounds: tuple[datetime, datetime]
    chosen: tuple[str, ...] | None = None

    @classmethod
    def of(cls, messages: pl.DataFrame, bounds: tuple[datetime, datetime]) -> Messages:
        """Keep a messages table."""
        return cls({"messages": with_own(messages, "message_time")}, bounds)

    @property
    def rows(self) -> int:
        """How many messages there are."""
        return self.frames["messages"].height

    def known(self, column: str) -> list[str]:
        """The values of a column of messages, sorted."""
        return known(self.frames["messages"], column)


def _exploded(sessions: pl.DataFrame, table: Table) -> pl.DataFrame:
    made = exploded(sessions, table, [_NUMBER])
    assert isinstance(made, pl.DataFrame)  # noqa: S101 - lazy only where the sessions are
    return made


def _slim(frame: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Some columns of a frame, to be counted only: a session's place tells it as well as its id."""
    return frame.select(columns).with_columns(pl.col(_NUMBER).cast(pl.String).alias(_KEY))


def with_own(frame: pl.DataFrame, instant: str) -> pl.DataFrame:
    """A frame with the day and the hour of its instants, in UTC.

    Example:
        >>> from datetime import UTC, datetime
        >>> times = pl.DataFrame({"t": [datetime(2026, 10, 1, 8, 30, tzinfo=UTC)]})
        >>> with_own(times, "t").select("period", "hour").row(0)[1]
        8
    """
    time = pl.col(instant).dt
    return frame.with_columns(time.truncate("1d").alias(PERIOD), time.hour().alias(HOUR))


def known(frame: pl.DataFrame, column: str) -> list[str]:
    """The distinct values of a column, sorted, without null.

    Example:
        >>> known(pl.DataFrame({"alias": ["b", None, "a", "b"]}), "alias")
        ['a', 'b']
    """
    return sorted(frame[column].drop_nulls().unique().to_list())


def names_of_applications(sessions: pl.DataFrame) -> dict[str, str]:
    """What each application is called: the name that it had last, or its id.

    A name is optional on the wire and may be used twice; then the id's beginning tells apart.

    Example:
        >>> from datetime import datetime
        >>> days = [datetime(2026, 10, day) for day in (1, 2, 3)]
        >>> apps = {"app_uuid": ["a", "a", "b"], "alias": ["old", "shop", None]}
        >>> names_of_applications(pl.DataFrame({**apps, "created_at": days}))
        {'a': 'shop', 'b': 'b'}
    """
    last = pl.col("alias").sort_by("created_at").drop_nulls().last()
    named = sessions.drop_nulls("app_uuid").group_by("app_uuid").agg(last).sort("app_uuid")
    uses = Counter(named["alias"].to_list())
    return {
        uuid: uuid if name is None else name if uses[name] == 1 else f"{name} {uuid[:8]}"
        for uuid, name in named.iter_rows()
    }
