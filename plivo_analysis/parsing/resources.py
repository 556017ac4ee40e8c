"""What can be listed: sessions and messages, each described once.

The walk, the store and the loaders serve both through these descriptions, so that a third
resource is a third description.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from plivo_analysis.api.columns import MESSAGES, SESSIONS
from plivo_analysis.api.words import IN_PROGRESS, fold_status
from plivo_analysis.parsing.messages import read_message
from plivo_analysis.parsing.sessions import read_session
from plivo_analysis.values.spans import DAY, to_us

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from plivo_analysis.parsing.notes import Record
    from plivo_analysis.values.schema import Table

FINAL: Final = 0
NEVER: Final = 2**62


@dataclass(frozen=True, slots=True)
class Resource:
    """One kind of record that the API lists.

    Args:
        name: A plural noun, as in the command line.
        table: The table that its records fill.
        path: Below ``/v1/Account/{auth_id}/``.
        list_key: Where a page holds its records.
        time_parameter: The query parameter that bounds a listing.
        key: The column that tells records apart.
        instant: The column that the time parameter filters.
        status: The column that says how far a record is.
        amount: The column whose absence means that the price is yet to come.
        numbers: The columns that hold telephone numbers.
        open_words: The folded statuses that may still change.
        open_for: How long after its instant such a status may still change.
        open_listings: The filters that together list what is open.
        read: Turns one JSON record into one clean row.
    """

    name: str
    table: Table
    path: str
    list_key: str
    time_parameter: str
    key: str
    instant: str
    status: str
    amount: str
    numbers: tuple[str, ...]
    open_words: frozenset[str]
    open_for: int
    open_listings: tuple[Mapping[str, str], ...]
    read: Callable[[object], Record]

    def is_open(self, row: Mapping[str, Any]) -> bool:
        """Whether a row's status may still change."""
        return fold_status(row[self.status]) in self.open_words

    def final_at(self, row: Mapping[str, Any]) -> int:
        """When a row stops changing: an instant in microseconds, ``FINAL`` or ``NEVER``.

        A price that has not come a day after the record began is taken as not coming.
        """
        at = to_us(row[self.instant])
        if self.is_open(row):
            return min(NEVER, at + self.open_for)
        return at + DAY if row[self.amount] is None else FINAL


SESSION_RESOURCE = Resource(
    name="sessions",
    table=SESSIONS,
    path="Verify/Session/",
    list_key="sessions",
    time_parameter="session_time",
    key="session_uuid",
    instant="created_at",
    status="status",
    amount="total_charge",
    numbers=("recipient",),
    open_words=frozenset({IN_PROGRESS}),
    open_for=NEVER,
    open_listings=(MappingProxyType({"status": "in-progress"}),),
    read=read_session,
)

MESSAGE_RESOURCE = Resource(
    name="messages",
    table=MESSAGES,
    path="Message/",
    list_key="objects",
    time_parameter="message_time",
    key="message_uuid",
    instant="message_time",
    status="message_state",
    amount="total_amount",
    numbers=("from_number", "to_number"),
    open_words=frozenset({"queued", "sent"}),
    open_for=DAY,  # where a carrier gives no receipts, sent is the last word
    open_listings=(
        MappingProxyType({"message_state": "queued"}),
        MappingProxyType({"message_state": "sent"}),
    ),
    read=read_message,
)

RESOURCES: Mapping[str, Resource] = MappingProxyType(
    {resource.name: resource for resource in (SESSION_RESOURCE, MESSAGE_RESOURCE)}
)
