"""How a service may depart from its documentation when it lists: one knob for each way.

The knobs are independent and may be combined. With none turned the answers are those of
``listing``. Which of them the real service shows is unknown, so a client must stand them all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

_NONE = timedelta(0)


@dataclass(frozen=True)
class Behaviour:
    """The knobs. The default of each is the documented behaviour.

    Attributes:
        inserts: Sessions that begin after each list request, at the head of the list. The
            account's clock moves by a millisecond for each.
        ages: How far the account's clock moves after each list request.
        settles: Sessions in progress, the newest first, that are verified after each list
            request.
        late: How long one row in sixteen stays unseen after its time.
        order: The order of the list. Random means anew for each request.
        ties: The order of rows of one instant. Random means anew for each request.
        paging: ``offset``: as documented. ``cursor``: ``next`` holds a cursor, an offset is
            ignored. ``hybrid``: ``next`` holds a cursor, but an offset beside it wins.
            ``endless``: position is ignored, ``next`` is always set.
        next_page: ``true``: set where there are more rows. ``null``: never set. ``always``:
            set on the last page too, which leads to an empty one.
        next_url: What stands as ``next`` wherever it is set, such as another host's address.
        short_by: Rows that are left out at the end of a page, with ``next`` set, the first
            time that a question is asked.
        page_size: Rows a page, whatever limit is asked for.
        duplicates: A page's first row comes again at its end: the same, or with another
            status.
        empty: An empty list as ``[]`` or as null.
        list_key: Another name of the list; an empty text leaves the list out.
        meta: As documented, left out, null, or with its numbers as text.
        total_count: Left out; the true count; or a wrong one.
        ignores: Names of a query that are not heeded: bounds, filters, the offset.
        precision: What time bounds are cut to: a second, a minute.
        date: Whether answers have a ``Date`` header.
        date_skew: How far that header is off.

    Example:
        >>> Behaviour(order="oldest").lists_as_documented, Behaviour(ages=timedelta(1)).changes
        (False, True)
    """

    inserts: int = 0
    ages: timedelta = _NONE
    settles: int = 0
    late: timedelta = _NONE
    order: Literal["newest", "oldest", "random"] = "newest"
    ties: Literal["stable", "random"] = "stable"
    paging: Literal["offset", "cursor", "hybrid", "endless"] = "offset"
    next_page: Literal["true", "null", "always"] = "true"
    next_url: str | None = None
    short_by: int = 0
    page_size: int | None = None
    duplicates: Literal["none", "same", "different"] = "none"
    empty: Literal["list", "null"] = "list"
    list_key: str | None = None
    meta: Literal["full", "missing", "null", "text"] = "full"
    total_count: Literal["absent", "true", "wrong"] = "absent"
    ignores: tuple[str, ...] = ()
    precision: timedelta = timedelta(microseconds=1)
    date: bool = True
    date_skew: timedelta = _NONE

    @property
    def changes(self) -> bool:
        """Whether the account changes by being asked."""
        return bool(self.inserts or self.ages or self.settles)

    @property
    def lists_as_documented(self) -> bool:
        """Whether a page is what the documentation says."""
        return self == Behaviour(
            inserts=self.inserts,
            ages=self.ages,
            settles=self.settles,
            date=self.date,
            date_skew=self.date_skew,
        )
