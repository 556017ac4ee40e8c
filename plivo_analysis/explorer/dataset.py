"""What was loaded: how a load ended, and its records in the frames that views count.

Exploding costs more than counting, so it is done once a load. A choice of entry channels is a
filter of frames that are there already.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import narwhals as nw
import polars as pl

from plivo_analysis.api.columns import MESSAGES, SESSIONS
from plivo_analysis.api.resources import MESSAGE_RESOURCE, SESSION_RESOURCE
from plivo_analysis.api.vocabulary import fold_status
from plivo_analysis.explorer.code_line import HOUR, PERIOD, Call
from plivo_analysis.figures import style
from plivo_analysis.insights.journeys import count_masked, journey_rates
from plivo_analysis.metrics.engines import COUNTED, count
from plivo_analysis.metrics.fallback import count_sessions
from plivo_analysis.metrics.reconcile import reconcile
from plivo_analysis.report.period import Period
from plivo_analysis.tables.explode import explode_attempts, explode_charges
from plivo_analysis.tables.exploded_columns import ATTEMPTS, CHARGES

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence
    from datetime import datetime

    from plivo_analysis.api.resources import Resource
    from plivo_analysis.explorer.load_cost import LoadRequest
    from plivo_analysis.metrics.certainty import Completeness
    from plivo_analysis.metrics.estimates import Estimate
    from plivo_analysis.values.spans import Span

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

JOURNEYS = Call(journey_rates, "whole", {"by": (APPLICATION,)})

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
            that metrics look at. Sessions have ``attempts`` and ``unreconciled`` too, and counted
            ``steps`` (attempts), ``fallback`` (sessions, by what their attempts were) and
            ``charges``.
        names: What each application is called, by its id.
        channels: The channels that sessions began on, in their order.
        chosen: Those that sessions were kept for; None for all records.
        counted: What was counted of it so far, by the call, for all views and groupings.
        parts: What was chosen of it so far, by the channels: to go back to one costs nothing.
    """

    resource: Resource
    frames: Mapping[str, pl.DataFrame]
    names: Mapping[str, str] = field(default_factory=dict)
    channels: tuple[str, ...] = ()
    chosen: tuple[str, ...] | None = None
    counted: dict[Hashable, pl.DataFrame] = field(default_factory=dict)
    parts: dict[tuple[str, ...], Dataset] = field(default_factory=dict)

    @classmethod
    def of(cls, resource: Resource, records: pl.DataFrame) -> Dataset:
        """The dataset of a table of records."""
        return (
            cls.of_sessions(records) if resource is SESSION_RESOURCE else cls.of_messages(records)
        )

    @classmethod
    def of_sessions(cls, sessions: pl.DataFrame) -> Dataset:
        """Explode a sessions table."""
        sessions = with_day_and_hour(sessions, "created_at")
        attempts = with_day_and_hour(explode_attempts(sessions), "created_at")
        charges = with_day_and_hour(explode_charges(sessions), "created_at")
        entries = sessions.select("session_uuid", ENTRY)
        hourly = _by_hour(attempts, "created_at")
        frames = {
            "whole": sessions,
            "records": count(_by_hour(sessions, "created_at"), SESSIONS, _COUNTED, {}),
            "attempts": attempts,
            "unreconciled": reconcile(sessions).join(entries, on="session_uuid", how="left"),
            "steps": count(hourly, ATTEMPTS, _STEPS, {}),
            "fallback": count_sessions(hourly, _FALLBACK),
            "charges": count(_by_hour(charges, "created_at"), CHARGES, _LINES, {}),
        }
        channels = sorted(sessions[ENTRY].drop_nulls().unique().to_list(), key=style.place)
        dataset = cls(SESSION_RESOURCE, frames, names_of_applications(sessions), tuple(channels))
        if dataset.names_recipients:
            dataset.count(JOURNEYS)  # with the load, since it takes longer than a redraw may
        return dataset

    @classmethod
    def of_messages(cls, messages: pl.DataFrame) -> Dataset:
        """Count a messages table."""
        # A page of the table sorts the rows, which costs much more where they lie in pieces.
        messages = with_day_and_hour(messages, "message_time").rechunk()
        counted = count(_by_hour(messages, "message_time"), MESSAGES, _MESSAGES, {})
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

    @property
    def names_recipients(self) -> bool:
        """Whether no recipient is masked: two people may look alike then, and make one journey."""
        return count_masked(self.frames["whole"]["recipient"]) == 0

    def known(self, column: str) -> list[str]:
        """The distinct values of a column of the records, sorted, without null."""
        return sorted(self.frames["whole"][column].drop_nulls().unique().to_list())

    def only(self, channels: tuple[str, ...]) -> Dataset:
        """The sessions that began on one of these channels; all records where none is named."""
        if not channels:
            return self
        if channels not in self.parts:
            frames = _Filtered(self.frames, channels)
            self.parts[channels] = replace(self, frames=frames, chosen=channels, counted={})
        return self.parts[channels]

    def count(self, call: Call) -> pl.DataFrame:
        """A metric's table."""
        key = (call.metric, call.frame, tuple(call.arguments.items()))
        if key not in self.counted:
            self.counted[key] = call.metric(self.frames[call.frame], **call.arguments)
        return self.counted[key]

    def named(self, frame: pl.DataFrame) -> pl.DataFrame:
        """A frame with applications under their names."""
        if APPLICATION not in frame.columns:
            return frame
        return frame.with_columns(pl.col(APPLICATION).replace(dict(self.names)))


@dataclass(frozen=True, slots=True)
class Loaded:
    """The result of a load: the records that the store holds, and how asking for them ended.

    Args:
        request: What was to be loaded.
        frame: What the store holds of it.
        dataset: The same in the frames that views count.
        span: The range, exact.
        complete: How much of the range the frame holds.
        read_at: The account's time then.
        whole: Whether all of the range was read. A load that goes on is neither whole nor
            cancelled, and has no error.
        cancelled: Whether the user cancelled it.
        error: What ended it early, kept it from being whole, or failed in the period before.
        unconfirmed: Filters that no row says anything of, so that nothing shows they were kept.
        previous: The same of the period before; None where not all of it is stored.
        estimate: Gives by a column what was read says of all of it; None where that is all of it,
            or says nothing.
    """

    request: LoadRequest
    frame: pl.DataFrame
    dataset: Dataset
    span: Span
    complete: Completeness
    read_at: datetime
    whole: bool = False
    cancelled: bool = False
    error: BaseException | None = None
    unconfirmed: tuple[str, ...] = ()
    previous: Loaded | None = None
    estimate: Callable[[str], Estimate] | None = None

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """The range as datetimes."""
        return self.span.datetimes()

    @property
    def period(self) -> Period:
        """The range as the period of a report."""
        return Period.of(self.bounds, ZoneInfo("UTC"))

    @property
    def still_open(self) -> int:
        """How many of the records may still change."""
        resource = self.request.resource
        counts = self.frame[resource.status].value_counts().iter_rows()
        return sum(number for word, number in counts if fold_status(word) in resource.open_words)

    @property
    def arguments(self) -> dict[str, Any]:
        """The loader's arguments that give the same again, later too: the range is fixed."""
        since, until = self.bounds
        return {"since": since, "until": until, **self.request.filters}


class _Filtered(dict[str, pl.DataFrame]):
    """The rows of the sessions that began on some channels; each frame when it is first read."""

    def __init__(self, frames: Mapping[str, pl.DataFrame], channels: Sequence[str]) -> None:
        # Only the tab on the screen is drawn, so that most frames of a choice are never read, and
        # filtering all of them would be most of the time that a choice takes.
        super().__init__()
        self._frames, self._channels = frames, channels

    def __missing__(self, name: str) -> pl.DataFrame:
        self[name] = self._frames[name].filter(pl.col(ENTRY).is_in(self._channels))
        return self[name]


def _by_hour(frame: pl.DataFrame, instant: str) -> nw.LazyFrame[pl.LazyFrame]:
    # No bucket of the explorer is shorter, and an instant of its own would make each row a group.
    return nw.from_native(frame.lazy().with_columns(pl.col(instant).dt.truncate("1h")))


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
