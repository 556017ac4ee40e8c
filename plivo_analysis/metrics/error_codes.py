"""What the error codes of message records mean.

A verification's attempt carries no code; it is reached through the message record with the
same uuid. The table is open: codes that are not in it are kept as they are. Sources: the
documentation's messages and Verify pages, the carriers' codes in the vendor's support pages.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

MEANINGS: Mapping[str, str] = MappingProxyType(
    {
        "000": "Delivered; no error.",
        "10": "Invalid message: the carrier refused its content.",
        "20": "Network error at the carrier; temporary.",
        "30": "Taken for spam.",
        "40": "Invalid sender.",
        "50": "Invalid receiver.",
        "60": "Dropped: it went in a loop or had no way to go.",
        "70": "The receiver is out of reach for good.",
        "80": "The receiver is out of reach for now.",
        "90": "No route to the receiver.",
        "100": "Not allowed by the carrier.",
        "110": "Too long.",
        "200": "The receiver has opted out.",
        "201": "US toll-free senders cannot write to Canada.",
        "420": "Waited too long in the queue; not billed.",
        "450": "The destination country is switched off; not billed.",
        "451": "Stopped by the fraud threshold.",
        "452": "Stopped as possible pumping by Fraud Shield.",
        "900": "Not enough credit.",
        "1000": "Unknown error.",
    }
)


def meaning(code: str | None) -> str | None:
    """What a code means; None where that is not known here.

    Args:
        code: An error code as the API writes it, leading zeros kept.

    Example:
        >>> meaning("450")
        'The destination country is switched off; not billed.'
    """
    return None if code is None else MEANINGS.get(code)
