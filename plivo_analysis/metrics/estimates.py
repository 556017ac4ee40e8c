"""``Estimate``: what some pages of a listing say of all of it, as users see it."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from typing import TYPE_CHECKING, Any

from plivo_analysis.values.typesetting import percent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from plivo_analysis.metrics.samples import Interval


@dataclass(frozen=True, slots=True, repr=False)
class Estimate:
    """What some pages of a listing say of all of it, at this moment.

    Args:
        frame: One row a group: the ``by`` columns, then ``sessions``, ``spend``,
            ``success_rate``, ``fallback_rate``, ``cost_per_verified``, each followed by
            ``…_low`` and ``…_high`` (Float64; null where it is too early to say; alike where
            the numbers are exact). Money is in the account's currency.
        requests: How many requests this call took.
        read: How many sessions are read, of earlier calls too.
        of: How many there are; between how many and how many, while that is not known (None
            where nothing bounds them yet).
        exact: Whether all of them are read, so that nothing is estimated.
        since: The start of the range.
        until: Its end.
        confidence: The coverage of the intervals.
        total: Each measure of all sessions, whatever ``by`` names.
        currency: What amounts are in.

    Example:
        >>> import plivo_analysis as pva
        >>> with pva.demo(sessions=200) as client:
        ...     found = pva.estimate(since="30d", client=client)
        >>> found.read == found.of
        True
    """

    frame: Any
    requests: int
    read: int
    of: int | tuple[int, int | None]
    exact: bool
    since: datetime
    until: datetime
    confidence: float
    total: Mapping[str, Interval] = field(repr=False)
    currency: str

    def __repr__(self) -> str:
        """The numbers in a sentence: what they are, how sure, of what, and as of when."""
        about = "" if self.exact else "≈ "
        money = f"{{:,.2f}} {self.currency}".format
        shown = [
            _shown("spend", self.total["spend"], money, about),
            _shown("success", self.total["success_rate"], percent, about),
            _shown("fallback", self.total["fallback_rate"], percent, about),
            _shown("cost per verified", self.total["cost_per_verified"], _unit(self), about),
        ]
        span = f"{self.since:%Y-%m-%d %H:%M} to {self.until:%Y-%m-%d %H:%M} UTC"
        if self.exact:
            return f"{self.read:,} sessions of {span}, all read: {'; '.join(shown)}."
        if isinstance(self.of, int):
            of = f"{self.of:,} sessions"
            part = f"{percent(self.read / self.of if self.of else 0)} of the range"
        else:
            low, high = self.of
            of = f"at least {low:,} sessions" if high is None else f"{low:,} to {high:,} sessions"
            part = f"{self.read:,} sessions"
        return (
            f"{of} of {span}: {'; '.join(shown)}. Estimated at this moment from {part}, read "
            f"evenly over it, with intervals of {percent(self.confidence, 0)}; call again to read "
            "further."
        )

    def _repr_html_(self) -> str:
        return f"<p>{escape(repr(self))}</p>"


def _unit(of: Estimate) -> Any:
    return f"{{:,.4f}} {of.currency}".format


def _shown(name: str, number: Interval, form: Any, about: str) -> str:
    if number.value is None or number.low is None or number.high is None:
        return f"{name} too early to say"
    between = f" ({form(number.low)} to {form(number.high)})" if about else ""
    return f"{name} {about}{form(number.value)}{between}"
