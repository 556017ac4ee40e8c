"""A finding: one thing that only a live account could tell."""

from __future__ import annotations

from dataclasses import dataclass

UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found out.

    Args:
        name: What was asked.
        answer: What was found; ``unknown`` where the account's records could not tell.

    Example:
        >>> Finding("order", "newest first").answer
        'newest first'
    """

    name: str
    answer: str
