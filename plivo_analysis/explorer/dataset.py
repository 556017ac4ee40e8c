"""What was loaded, in the frames that every view counts at once.

Exploding costs more than counting, so it is done once a load. A choice of entry channels is a
filter of frames that are there already.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

import narwhals as nw
import polars as pl

from plivo_analysis.api.columns import MESSAGES, SESSIONS
from plivo_analysis.api.resources import MESSAGE_RESOURCE, SESSION_RESOURCE
from plivo_analysis.explorer.code_line import HOUR, PERIOD
from plivo_analysis.figures import style
from plivo_analysis.insights.journeys import count_masked, journey_rates
from plivo_analysis.metrics.engines import COUNTED, count
from plivo_analysis.metrics.fallback import count_sessions
from plivo_analysis.metrics.reconcile import reconcile
from plivo_analysis.tables.explode import exploded
from plivo_analysis.tables.exploded_columns import ATTEMPTS, CHARGES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from plivo_analysis.api.resources import Resource
    from plivo_analysis.values.table_types import Table

ENTRY = "entry_channel"
COUNTRY = "destination_country_iso2"
APPLICATION = "app_uuid"
MESSAGE_TYPE = "message_type"

SESSION_GROUPS: Mapping[str, str] = MappingProxyType(
    {
        "country": COUNTRY,
        "application": APPLICATION,
        "channel": ENTRY,
        "network": "destination_network",
        "day": PERIOD,
        "hour of day": HOUR,
    }
)
MESSAGE_GROUPS: Mapping[str, str] = MappingProxyType(
    {
        "type": MESSAGE_TYPE,
        "country": COUNTRY,
        "state": "message_state",
        "error code": "error_code",
        "day": PERIOD,
        "hour of day": HOUR,
    }
)

_KEY = "session_uuid"
# A choice asks for many numbers at once, so that the rows are counted beforehand by all that
# metrics group by or look at. What is asked then is summed from a fraction of the rows.
_COMMON = (*SESSION_GROUPS.values(), "created_at")
_COUNTED = (*_COMMON, "status", "path", "total_charge")
_STEPS = (*_COMMON, "channel", "outcome", "charge")
_FALLBACK = (*_COMMON, "session_status")
_LINES = (*_COMMON, "channel", "line", "amount")
_MESSAGES = (
    *(*MESSAGE_GROUPS.values(), "message_time", "message_direction"),
    *("units", "total_amount", "carrier_fees"),
)


@dataclass(frozen=True, slots=True)
class Dataset:
    """What was loaded, or the part of it that was chosen.

    Args:
        resource: What kind of record it holds.
        frames: ``whole``: the records with every column, and ``records``: counted by the columns
            that metrics look at. Sessions have ``attempts`` and ``unreconciled`` too; counted
            ``steps`` (attempts), ``fallback`` (sessions, by what their attempts were) and
            ``charges``; and ``journeys``: their rates by application, none where recipients are
            masked.
        names: What each application is called, by its id.
        channels: The channels that sessions began on, in their order.
        chosen: Those that sessions were kept for; None for all records.
    """

    resource: Resource
    frames: Mapping[str, pl.DataFrame]
    names: Mapping[str, str] = field(default_factory=dict)
    channels: tuple[str, ...] = ()
    chosen: tuple[str, ...] | None = None

    @classmethod
    def of_sessions(cls, sessions: pl.DataFrame) -> Dataset:
        """Explode a sessions table."""
        sessions = with_day_and_hour(sessions, "created_at")
        attempts = _exploded(sessions, ATTEMPTS)
        hourly = nw.from_native(_by_hour(attempts, "created_at"))
        entries = sessions.select(_KEY, ENTRY)
        frames = {
            "whole": sessions,
            "records": _counted(sessions, SESSIONS, _COUNTED, "created_at"),
            "attempts": attempts,
            "steps": _counted(attempts, ATTEMPTS, _STEPS, "created_at"),
            "fallback": count_sessions(hourly, _FALLBACK),
            "charges": _counted(_exploded(sessions, CHARGES), CHARGES, _LINES, "created_at"),
            "unreconciled": reconcile(sessions).join(entries, on=_KEY, how="left"),
            "journeys": _journeys(sessions),
        }
        channels = sorted(sessions[ENTRY].drop_nulls().unique().to_list(), key=style.place)
        return cls(SESSION_RESOURCE, frames, names_of_applications(sessions), tuple(channels))

    @classmethod
    def of_messages(cls, messages: pl.DataFrame) -> Dataset:
        """Count a messages table."""
        # A page of the table sorts the rows, which costs much more where they lie in pieces.
        messages = with_day_and_hour(messages, "message_time").rechunk()
        counted = _counted(messages, MESSAGES, _MESSAGES, "message_time")
        return cls(MESSAGE_RESOURCE, {"whole": messages, "records": counted})

    @property
    def rows(self) -> int:
        """How many records there are."""
        return int(self.frames["records"][COUNTED].sum())

    @property
    def unpriced(self) -> int:
        """How many of them have no amount yet."""
        records = self.frames["records"]
        return int(records.filter(pl.col(self.resource.amount).is_null())[COUNTED].sum())

    def known(self, column: str) -> list[str]:
        """The distinct values of a column of the records, sorted, without null."""
        return sorted(self.frames["whole"][column].drop_nulls().unique().to_list())

    def only(self, channels: tuple[str, ...]) -> Dataset:
        """The sessions that began on one of these channels; all records where none is named."""
        if not channels:
            return self
        return replace(self, frames=_Filtered(self.frames, channels), chosen=channels)

    def named(self, frame: pl.DataFrame) -> pl.DataFrame:
        """A frame with applications under their names."""
        if APPLICATION not in frame.columns:
            return frame
        return frame.with_columns(pl.col(APPLICATION).replace(dict(self.names)))


class _Filtered(dict[str, pl.DataFrame]):
    """The rows of the sessions that began on some channels; each frame when it is first read."""

    def __init__(self, frames: Mapping[str, pl.DataFrame], channels: Sequence[str]) -> None:
        super().__init__()
        self._frames, self._channels = frames, channels

    def __missing__(self, name: str) -> pl.DataFrame:
        if name == "journeys":  # sessions that were left out may have joined two of them
            self[name] = _journeys(self["whole"])
        else:
            self[name] = self._frames[name].filter(pl.col(ENTRY).is_in(self._channels))
        return self[name]


def _journeys(sessions: pl.DataFrame) -> pl.DataFrame:
    # Two people may look alike once masked, and their sessions would make one journey.
    is_masked = count_masked(sessions["recipient"]) > 0
    found: pl.DataFrame = journey_rates(sessions.clear() if is_masked else sessions, APPLICATION)
    return found


def _exploded(sessions: pl.DataFrame, table: Table) -> pl.DataFrame:
    frame = exploded(sessions, table)
    assert isinstance(frame, pl.DataFrame)  # noqa: S101 - lazy only where the sessions are
    return with_day_and_hour(frame, "created_at")


def _by_hour(frame: pl.DataFrame, instant: str) -> pl.LazyFrame:
    # No bucket of the explorer is shorter, and an instant of its own would make each row a group.
    return frame.lazy().with_columns(pl.col(instant).dt.truncate("1h"))


def _counted(
    frame: pl.DataFrame, table: Table, columns: Sequence[str], instant: str
) -> pl.DataFrame:
    return count(nw.from_native(_by_hour(frame, instant)), table, columns, {})


def with_day_and_hour(frame: pl.DataFrame, instant: str) -> pl.DataFrame:
    """A frame with the day and the hour of its instants, in UTC.

    Example:
        >>> from datetime import UTC, datetime
        >>> times = pl.DataFrame({"t": [datetime(2026, 10, 1, 8, 30, tzinfo=UTC)]})
        >>> with_day_and_hour(times, "t").select("period", "hour").row(0)[1]
        8
    """
    time = pl.col(instant).dt
    return frame.with_columns(time.truncate("1d").alias(PERIOD), time.hour().alias(HOUR))


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
