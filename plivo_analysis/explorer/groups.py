"""By what the rail groups, and which columns that means."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from plivo_analysis.explorer.dataset import APPLICATION, COUNTRY
from plivo_analysis.explorer.source import HOUR, PERIOD

if TYPE_CHECKING:
    from collections.abc import Mapping

ENTRY = "entry_channel"

SESSION_GROUPS: Mapping[str, str] = MappingProxyType(
    {
        "channel": ENTRY,
        "country": COUNTRY,
        "application": APPLICATION,
        "day": PERIOD,
        "hour of day": HOUR,
    }
)
MESSAGE_GROUPS: Mapping[str, str] = MappingProxyType(
    {
        "type": "message_type",
        "country": COUNTRY,
        "state": "message_state",
        "error code": "error_code",
        "day": PERIOD,
        "hour of day": HOUR,
    }
)


def own_channel(by: tuple[str, ...]) -> tuple[str, ...]:
    """The same grouping of attempts and of money, which have a channel of their own.

    Example:
        >>> own_channel(("entry_channel",)), own_channel(("hour",))
        (('channel',), ('hour',))
    """
    return tuple("channel" if name == ENTRY else name for name in by)
