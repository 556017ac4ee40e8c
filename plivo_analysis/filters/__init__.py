"""What a caller asks for, checked before anything is sent.

``choice`` holds the filters; ``values`` checks what single parameters may be; ``times`` reads
every form of ``since`` and ``until``.
"""

from plivo_analysis.filters.choice import (
    MESSAGE_DIRECTIONS,
    MESSAGE_STATES,
    MESSAGE_TYPES,
    ORIGINS,
    REGISTRATIONS,
    SESSION_STATUSES,
    Confirmation,
    MessageFilter,
    Query,
    SessionFilter,
    shown,
    shown_scope,
)
from plivo_analysis.filters.times import api_time, parse_instant, parse_range
from plivo_analysis.filters.values import checked_uuid

__all__ = [
    "MESSAGE_DIRECTIONS",
    "MESSAGE_STATES",
    "MESSAGE_TYPES",
    "ORIGINS",
    "REGISTRATIONS",
    "SESSION_STATUSES",
    "Confirmation",
    "MessageFilter",
    "Query",
    "SessionFilter",
    "api_time",
    "checked_uuid",
    "parse_instant",
    "parse_range",
    "shown",
    "shown_scope",
]
