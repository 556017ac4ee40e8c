"""How a service may depart from its documentation when it lists: one knob for each way.

The knobs are independent and may be combined. With none turned the service is the documented
one. Which of them the real service shows is unknown, so a client must survive them all.
``pages`` makes the pages that they ask for.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from datetime import timedelta
from typing import Literal

_NONE = timedelta(0)
MICROSECOND = timedelta(microseconds=1)


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
        order: The order of the list. ``random`` is another one for each request, ``shuffled``
            the same one for all, which has nothing to do with time.
        ties: The order of rows of one instant. Random means anew for each request.
        skips_in_ties: Whether a page that begins within rows of one instant leaves its first
            row out.
        paging: ``offset``: as documented. ``cursor``: ``next`` holds a cursor, an offset is
            ignored. ``hybrid``: ``next`` holds a cursor, but an offset beside it wins.
            ``endless``: position is ignored, ``next`` is always set.
        offset_unit: What an offset counts.
        largest_offset: A greater offset is taken for this one.
        empty_from: Pages at this offset and above are empty, though ``next`` led there.
        longest_list: Rows that a list holds at most; it ends there as if nothing followed.
        longest_range: A request for a wider window is refused with a 400. One that names
            one end only is as wide as what it can list.
        next_page: ``true``: set where there are more rows. ``null``: never set. ``always``:
            set on the last page too, which leads to an empty one.
        next_url: What stands as ``next`` wherever it is set, such as another host's address.
        page_size: Rows a page, whatever limit is asked for.
        short_by: Rows that are left out at the end of a page, with ``next`` set, the first
            time that a question is asked.
        empty_first_time: Whether the first answer to each question is an empty page, as from
            a replica that lags.
        cached_answers: How often a cache in front of the service gives its answer again, for
            each list, whatever is asked.
        cache_heeds_no_cache: Whether a request with ``Cache-Control: no-cache`` passes by it.
        duplicates: A page's first row comes again at its end: the same, with another status,
            or with a time a minute earlier.
        empty: An empty list as ``[]`` or as null.
        list_key: Another name of the list; an empty text leaves the list out.
        meta: As documented, left out, null, or with its numbers as text.
        total_count: Left out; the true count; or a wrong one.
        ignores: Names of a query that are ignored: bounds, filters, the offset.
        lenient_filters: Whether a row that lacks a filter's field passes that filter.
        precision: What time bounds are truncated to: a second, a minute.
        upper_precision: What upper time bounds are truncated to, such as a day.
        gte_is_gt: Whether ``__gte`` leaves out rows of that very instant.
        oddity: What is odd about every listed row: it is a text, it has no key, or nobody can read
            its time. Records that are odd in other ways are given by hand.
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
    order: Literal["newest", "oldest", "random", "shuffled"] = "newest"
    ties: Literal["stable", "random"] = "stable"
    skips_in_ties: bool = False
    paging: Literal["offset", "cursor", "hybrid", "endless"] = "offset"
    offset_unit: Literal["rows", "pages"] = "rows"
    largest_offset: int | None = None
    empty_from: int | None = None
    longest_list: int | None = None
    longest_range: timedelta | None = None
    next_page: Literal["true", "null", "always"] = "true"
    next_url: str | None = None
    page_size: int | None = None
    short_by: int = 0
    empty_first_time: bool = False
    cached_answers: int = 0
    cache_heeds_no_cache: bool = True
    duplicates: Literal["none", "same", "different", "moved"] = "none"
    empty: Literal["list", "null"] = "list"
    list_key: str | None = None
    meta: Literal["full", "missing", "null", "text"] = "full"
    total_count: Literal["absent", "true", "wrong"] = "absent"
    ignores: tuple[str, ...] = ()
    lenient_filters: bool = False
    precision: timedelta = MICROSECOND
    upper_precision: timedelta = MICROSECOND
    gte_is_gt: bool = False
    oddity: Literal["none", "not a record", "no key", "unreadable time"] = "none"
    date: bool = True
    date_skew: timedelta = _NONE

    @property
    def changes(self) -> bool:
        """Whether the account changes by being asked."""
        return bool(self.inserts or self.ages or self.settles)

    @property
    def lists_as_documented(self) -> bool:
        """Whether a page is what the documentation says."""
        turned = {knob.name for knob in fields(self) if getattr(self, knob.name) != knob.default}
        return turned <= _BESIDE_THE_LIST


# These change the account, the headers or what a cache says, but not how a list is made.
_BESIDE_THE_LIST = {"inserts", "ages", "settles", "date", "date_skew"}
_BESIDE_THE_LIST |= {"cached_answers", "cache_heeds_no_cache"}
