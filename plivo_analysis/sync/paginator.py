"""The paginator: which page of a range to ask for next, and which parts are read whole.

It asks nothing itself, so that it can be tried against thousands of imagined servers. Keyset
paging at the finest resolution comes first, for it costs least. What follows on an anomaly:

=========  =========================================================================
anomaly    next step
=========  =========================================================================
bounds     a coarser resolution: the server cuts time bounds; at last it ignores them
overlap    a coarser resolution; at the minute ask whether the row is gone or bounds
           are cut to the day
order      bisection of what is left
stuck      bisection of what is left; bisection itself names the part as missing
tie        offsets or the cursor within that step of the resolution
refusal    ranges of at most 30 days
=========  =========================================================================

If all of it fails, the part is named as missing and the rest is read. A page that is empty
against expectation is no anomaly yet: it is asked for once more.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, is_dataclass
from types import UnionType
from typing import Any, Self, cast, get_args, get_origin, get_type_hints

from plivo_analysis.sync.bisection import Bisection, Ties
from plivo_analysis.sync.keyset_paging import KeysetPaging
from plivo_analysis.sync.page_request import Anomaly, Listing, PageRequest, PageSeen
from plivo_analysis.values.spans import DAY, MINUTE, SECOND, Span, ceil, floor, merge, subtract

RESOLUTIONS = (1, SECOND, MINUTE, DAY)
LONGEST_RANGE = 30 * DAY  # what Plivo documents for some lists

_VERSION = 2  # of what to_json writes; a checkpoint of another one is not resumed
_SPARE_REQUESTS = 50


@dataclass(slots=True)
class Paginator:
    """Read one range whole, or say which part could not be read.

    Args:
        method: How the listing is read.
        flags: What was out of the ordinary.
        missing: What could not be read whole.
        read: What is read whole, page by page.
        withdrawn: What was called read and is not any more.
        not_honoured: Whether the server kept to no bound at all.
        resolution_learnt: The resolution that put an end to anomalies: worth remembering.
        before_anomaly: The resolution before the last anomaly, until a page proves another one.
        unfit: Whether none of a page's rows was fit for a table.
        was_empty: Whether the page was empty when it was asked for before.
        top: Where reading began; above the range, where only the rest of it is read now.
        requests: How many pages came.
        moves: How many of them led further down.
        ties: Reads one step of the resolution, where it holds more rows than a page.

    Example:
        >>> paginator = Paginator.of(Listing(Span(0, MINUTE)))
        >>> paginator.receive(PageSeen(rows=(("a", 5),), count=1, has_next=False))
        >>> paginator.request().span  # the end is proven, not believed
        Span(start=-60000000, end=6)
        >>> paginator.receive(PageSeen(rows=(("a", 5),), count=1, has_next=False))
        >>> paginator.done, paginator.covered()
        (True, [Span(start=0, end=60000000)])
    """

    method: KeysetPaging | Bisection
    top: int
    flags: frozenset[str] = frozenset()
    missing: list[Span] = field(default_factory=list)
    read: list[Span] = field(default_factory=list)
    withdrawn: list[Span] = field(default_factory=list)
    not_honoured: bool = False
    resolution_learnt: int | None = None
    before_anomaly: int | None = None
    unfit: bool = False
    was_empty: bool = False
    requests: int = 0
    moves: int = 0
    ties: Ties | None = None

    @classmethod
    def of(cls, listing: Listing) -> Self:
        """A paginator that is to read a listing."""
        return cls(_method(listing, listing.span.end + MINUTE), listing.span.end)

    @property
    def listing(self) -> Listing:
        """What is read, and what is known of it."""
        return self.method.listing

    @property
    def span(self) -> Span:
        """The range that is read."""
        return self.listing.span

    def to_json(self) -> str:
        """All that it knows, so that another process goes on exactly where it stood.

        Example:
            >>> Paginator.of(Listing(Span(0, 5))).to_json()[:60]
            '{"version":2,"method":{"listing":{"span":{"start":0,"end":5}'
        """
        state = {"version": _VERSION, **asdict(self)}
        return json.dumps(state, default=sorted, separators=(",", ":"))  # a set as a sorted list

    @classmethod
    def from_json(cls, text: str) -> Self | None:
        """The paginator that :meth:`to_json` wrote; None where another release did.

        Example:
            >>> paginator = Paginator.of(Listing(Span(0, 5)))
            >>> Paginator.from_json(paginator.to_json()) == paginator
            True
            >>> Paginator.from_json('{"version":0}') is None
            True
        """
        state = json.loads(text)
        if state.get("version") != _VERSION:
            return None
        return cast("Self", _restored(cls, state))

    def keep_to(self, span: Span) -> None:
        """Mind a part of the range only; the rest is left to others, or known already."""
        self.listing.span = self.span.clip(span)
        self.read = _clipped(self.read, span)
        self.missing = _clipped(self.missing, span)

    @property
    def done(self) -> bool:
        """Whether there is nothing left to ask."""
        return not self.span.length or (
            self.ties is None and self.method.reached <= self.span.start
        )

    @property
    def reached(self) -> int:
        """Above this instant all is read or missing."""
        return min(self.method.reached, self.span.end)

    @property
    def open_end(self) -> int:
        """Where the lowest part ends that is not read whole, in whole minutes.

        Everything below is unread. Gaps above it, as a part that is missing, are asked for anew by
        the next pull; this one alone is gone on with.
        """
        return subtract(self.span, self.minutes())[0].end

    def covered(self) -> list[Span]:
        """What is read whole, in order."""
        return merge(self.read)

    def minutes(self) -> list[Span]:
        """The whole minutes that are read whole, in order."""
        inward = [
            Span(ceil(span.start, MINUTE), floor(span.end, MINUTE)) for span in self.covered()
        ]
        return [span for span in inward if span.length]

    def request(self) -> PageRequest:
        """The next page to ask for."""
        return (self.ties or self.method).request()

    def receive(self, seen: PageSeen) -> None:
        """Take what came back and choose the next step."""
        self.requests += 1
        self.unfit = self.unfit or seen.unfit
        if seen.outside(self.request().span):  # such a page says nothing of order or end
            self.ties = None
            self._doubt_bounds(Anomaly.BOUNDS)
        elif self.ties is not None:
            self._go_on_with_ties(self.ties, seen)
        elif seen.unfit and not seen.rows and not self.moves:
            self._give_up_rest()  # nothing here can be read, and nothing else was
        elif self._is_doubtful_empty(seen):
            self.was_empty = True
        else:
            self.was_empty = False
            self._go_on(self.method, seen)
        self.listing.see(seen.count)
        # A server that repeats itself must not be asked for ever: twice what a server without
        # anomalies would take, and some more for a short range.
        if not self.done and self.requests > 2 * (self.moves + 1) + _SPARE_REQUESTS:
            self._give_up_rest()

    def refuse(self) -> bool:
        """Take a refusal of the range for its length; whether a shorter one can be asked for."""
        if self.request().span.length <= LONGEST_RANGE:
            return False
        self.listing.longest_range = LONGEST_RANGE
        return True

    def _is_doubtful_empty(self, seen: PageSeen) -> bool:
        """Whether an empty page is to be asked for again: a replica that lags may answer so once.

        Short ranges are empty often and soon read again, so that asking twice would only cost.
        """
        span = self.method.asked
        if seen.count or seen.has_next or self.was_empty or self.request() != PageRequest(span):
            return False
        is_due = any(at in span for at in self.method.known.values())
        return is_due or (self.listing.confirm_empty and span.length - 2 * MINUTE > DAY)

    def _go_on(self, method: KeysetPaging | Bisection, seen: PageSeen) -> None:
        before, checking = method.reached, isinstance(method, KeysetPaging) and method.is_checking
        anomaly = method.receive(seen)
        if anomaly is None:
            # A row that was deleted meanwhile has led to the minute. Now that it is known to be
            # gone, and the bounds to hold, the finer resolution comes back: at the minute, each
            # page of dense traffic would repeat up to a minute's rows.
            if checking and self.before_anomaly is not None:
                self.listing.resolution = self.before_anomaly
                self.before_anomaly = None
            if method.reached < before:
                self._cover(Span(method.reached, before))
                self._accept_resolution()
            return
        if anomaly in (Anomaly.BOUNDS, Anomaly.OVERLAP):
            self._doubt_bounds(anomaly)
            return
        self.flags |= {anomaly.value}
        if anomaly is Anomaly.TIE:
            self._accept_resolution()
            self._read_ties(method)
        elif isinstance(method, KeysetPaging):
            self.listing.ordered &= anomaly is not Anomaly.ORDER
            self._begin(method.reached, method.known, bisect=True)
        else:
            self._give_up(method.part)

    def _doubt_bounds(self, anomaly: Anomaly) -> None:
        """A row lies outside the bounds, or did not come back: are the bounds cut?"""
        method, listing = self.method, self.listing
        self.flags |= {anomaly.value}
        if self.before_anomaly is None:
            self.before_anomaly = listing.resolution
        # The next coarser resolution asks for whole seconds or minutes: such bounds mean the same
        # to a server that cuts them and to one that does not.
        if listing.resolution < MINUTE:
            listing.resolution = RESOLUTIONS[RESOLUTIONS.index(listing.resolution) + 1]
            self._begin(method.reached, method.known, bisect=isinstance(method, Bisection))
        elif anomaly is Anomaly.OVERLAP and isinstance(method, Bisection):
            self._give_up(method.part)
        elif anomaly is Anomaly.OVERLAP and listing.resolution == MINUTE and method.known:
            # Bounds cut to the day are rare and cost all that was read: a row may just be gone.
            method.check_bounds()  # type: ignore[union-attr] # not a bisection
        elif listing.resolution == MINUTE:
            self._start_anew()
        else:  # not even whole days are kept to
            self.not_honoured = anomaly is Anomaly.BOUNDS
            self._give_up_rest()

    def _start_anew(self) -> None:
        """Bounds that are cut to the day: what was believed of them so far was never true.

        The range's own end was cut like any other bound, so that all of it is read anew. What
        lies above it, where an earlier call had begun, is missing until the next call.
        """
        self.withdrawn.append(Span(self.reached, self.top))
        self.missing = [part for part in [Span(self.span.end, self.top)] if part.length]
        self.read, self.listing.resolution = [], DAY
        self._begin(self.span.end + MINUTE, {})

    def _go_on_with_ties(self, ties: Ties, seen: PageSeen) -> None:
        known = len(ties.known)
        anomaly = ties.receive(seen, self.listing)
        self.moves += len(ties.known) > known
        if anomaly is not None:
            self.flags |= {anomaly.value}
            self.ties = None
            self._give_up(ties.span)
        elif ties.done:
            self.ties = None
            self.flags |= {"probable"}
            self._cover(ties.span)
            self.method.skip_to(ties.span.start)

    def _read_ties(self, method: KeysetPaging | Bisection) -> None:
        # No bound falls within a step, so that no smaller range parts its rows.
        step = self.listing.resolution
        reached = ceil(method.reached, step)
        self.ties = Ties(
            Span(reached - step, reached),
            method.asked,
            newest_first=isinstance(method, KeysetPaging),
            stable=self.listing.stable,
        )

    def _cover(self, span: Span) -> None:
        """Note a part as read, or as missing where none of its rows is fit for a table."""
        self.moves += 1
        # Pages reach beyond the range by a minute at each end; what is called read does not.
        part = span.clip(self.span)
        if self.unfit:
            self.missing.append(part)  # to call it read would say that there was nothing
        elif part.length and self.read and self.read[-1].start == part.end:
            self.read[-1] = Span(part.start, self.read[-1].end)
        elif part.length:
            self.read.append(part)
        self.unfit = False

    def _begin(self, reached: int, known: dict[str, int], *, bisect: bool = False) -> None:
        """Read what is left in another way; the rows that have to come back stay the same."""
        self.method = _method(self.listing, reached, bisect=bisect)
        self.method.expect(known)

    def _accept_resolution(self) -> None:
        """A page was taken at the resolution that an anomaly led to: it was the right one."""
        # Rows that are not stable may have left by themselves.
        if self.before_anomaly is not None and self.listing.stable:
            self.resolution_learnt = self.listing.resolution
        self.before_anomaly = None

    def _give_up(self, part: Span) -> None:
        """Name a part as missing and go on below it."""
        self.missing.append(part.clip(self.span))
        self.unfit = False
        self.method.skip_to(part.start)

    def _give_up_rest(self) -> None:
        """Name all that is neither read nor missing yet as missing, and end."""
        self.missing = merge([*self.missing, *subtract(self.span, [*self.read, *self.missing])])
        self.method.skip_to(self.span.start)
        self.ties = None


def _method(listing: Listing, reached: int, *, bisect: bool = False) -> KeysetPaging | Bisection:
    # Keyset paging takes the oldest row of a page for its last: only an ordered list can be read
    # so. Bisection asks a little more often, and needs no order.
    kind = KeysetPaging if listing.ordered and not bisect else Bisection
    return kind(listing, ceil(reached, listing.resolution))


def _clipped(parts: list[Span], span: Span) -> list[Span]:
    return [clipped for part in parts if (clipped := part.clip(span)).length]


def _restored(kind: Any, plain: Any) -> Any:
    """What JSON made of a state, put together by the types of its fields."""
    if plain is None:
        return None
    kinds = get_args(kind) if isinstance(kind, UnionType) else (kind,)
    if isinstance(plain, dict):
        # Of several states, the one that has these fields.
        state: Any
        for state in filter(is_dataclass, kinds):
            if plain.keys() >= (hints := get_type_hints(state)).keys():
                return state(**{name: _restored(hint, plain[name]) for name, hint in hints.items()})
    if isinstance(plain, list) and get_origin(kinds[0]) is list:
        return [_restored(get_args(kinds[0])[0], part) for part in plain]
    return frozenset(plain) if isinstance(plain, list) else plain
