"""What was learnt of an account's server: how it bounds, orders, cuts and limits its lists.

A server may change for the better, and a lesson may have been a chance. So it holds for a week;
then the quickest way is tried again, and the lesson is learnt again if need be.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from plivo_analysis.api.resources import RESOURCES
from plivo_analysis.sync.page_request import PAGE_ROWS, Listing
from plivo_analysis.sync.paginator import RESOLUTIONS
from plivo_analysis.values.spans import DAY, Span, from_us, to_us
from plivo_analysis.values.typesetting import plural

if TYPE_CHECKING:
    from plivo_analysis.storage.store import Store
    from plivo_analysis.sync.paginator import Paginator

_HOLDS = 7 * DAY
_UNORDERED = "unordered"
_SEEN = ", seen "
_STEPS = dict(zip(RESOLUTIONS, ("microsecond", "second", "minute", "day"), strict=True))


@dataclass(frozen=True, slots=True)
class ServerProfile:
    """Lessons on one resource.

    Args:
        store: Where they are kept, as facts ``{resource} {lesson}``.
        resource: The resource's name.

    Example:
        >>> from plivo_analysis.storage.store import Store
        >>> profile = ServerProfile(Store(None), "sessions")
        >>> listing = profile.listing(Span(0, DAY), now=0)
        >>> listing.resolution, listing.ordered, listing.longest_range
        (1, True, None)
    """

    store: Store
    resource: str

    def listing(
        self, span: Span, now: int, *, stable: bool = True, confirm_empty: bool = True
    ) -> Listing:
        """The listing of a range, as the server is taken to list it."""
        longest, full = (self._fact("page", now) or f"0 {PAGE_ROWS}").split()
        limit = self._fact("range", now)
        return Listing(
            span,
            resolution=int(self._fact("resolution", now) or RESOLUTIONS[0]),
            ordered=self._fact("order", now) != _UNORDERED,
            stable=stable,
            confirm_empty=confirm_empty,
            longest_range=int(limit) if limit else None,
            longest_page=int(longest),
            full_page=int(full),
        )

    def learn(self, paginator: Paginator, now: int) -> None:
        """Keep what reading a range found out."""
        listing = paginator.listing
        lessons = {
            "resolution": paginator.resolution_learnt,
            "order": None if listing.ordered else _UNORDERED,
            "page": f"{listing.longest_page} {listing.full_page}" if listing.page_seen else None,
            "range": listing.longest_range,
        }
        for lesson, value in lessons.items():
            # The day of what is merely believed stays: it must not be believed for ever.
            known = lesson in ("order", "range") and self._fact(lesson, now) == str(value)
            if value is not None and not known:
                self.keep(lesson, str(value), now)

    def _fact(self, lesson: str, now: int) -> str | None:
        value, _, day = (self.store.fact(f"{self.resource} {lesson}") or "").partition(_SEEN)
        holds = value and now < to_us(datetime.fromisoformat(day).replace(tzinfo=UTC)) + _HOLDS
        return value if holds else None

    def keep(self, lesson: str, value: str, now: int) -> None:
        """Keep a lesson: ``resolution``, ``order``, ``page`` or ``range``."""
        text = f"{value}{_SEEN}{from_us(now):%Y-%m-%d}"
        if self.store.fact(f"{self.resource} {lesson}") != text:
            self.store.learn(f"{self.resource} {lesson}", text)


def in_words(fact: str, value: str) -> str:
    """A fact of the store as a sentence for people; an answer of the doctor's is one already.

    Args:
        fact: Its name.
        value: What is kept under it.

    Example:
        >>> in_words("sessions page", "20 20, seen 2026-11-02")
        'sessions: up to 20 rows a page (seen 2026-11-02)'
        >>> in_words("doctor order", "newest first")
        'doctor order: newest first'
    """
    resource, _, lesson = fact.partition(" ")
    learnt, dated, day = value.partition(_SEEN)
    words = {
        "page": lambda: f"up to {plural(int(learnt.split()[0]), 'row')} a page",
        "range": lambda: f"at most {plural(int(learnt) // DAY, 'day')} a request",
        "resolution": lambda: f"bounds of time count by the {_STEPS[int(learnt)]}",
        "order": lambda: (
            "listed in no order of time" if learnt == _UNORDERED else f"listed {learnt}"
        ),
    }
    if resource not in RESOURCES or lesson not in words:
        return f"{fact}: {value}"
    return f"{resource}: {words[lesson]()}" + (f" (seen {day})" if dated else "")
