"""The ladder: which way of reading a range next, when the last one gave cause for doubt.

Seek on the finest grid first, for it costs least. A row outside the bounds, or a witness that
stayed away, means that the server's bounds are coarser than ours: a coarser grid. Rows out of
order, or a page that leads nowhere: bisect; for a while only, where a witness stayed away
from the coarsest grid too. More rows in one step than a page holds: ties. If that fails too,
the step is given up and named, and the walk goes on below it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from plivo_analysis.sync.bisection import Bisection
from plivo_analysis.sync.keyset_paging import KeysetPaging
from plivo_analysis.sync.steps import Anomaly, PageRequest, PageSeen
from plivo_analysis.sync.ties import Ties
from plivo_analysis.values.spans import MINUTE, SECOND, Span, ceil, floor, merge, subtract

RESOLUTIONS = (1, SECOND, MINUTE)

_SPARE_REQUESTS = 50
_DETOUR = 3  # parts that are bisected where a witness vanished
_OF_THE_GRID = frozenset({Anomaly.FILTER, Anomaly.WITNESS})


@dataclass(slots=True)
class Paginator:
    """Read one range whole, or say which part could not be read.

    Args:
        span: The range, on whole minutes.
        grid: How fine the server's bounds are, as far as known.
        ordered: Whether the server lists newest first, as far as known.
        witness: Whether rows stay in the listing while it is read.

    Attributes:
        aged: Rows before this instant may vanish; it moves on while the walk goes.
        flags: What was out of the ordinary.
        missing: What could not be read whole.
        not_honoured: Whether the server kept to no bound at all.
        grid_learnt: The grid that put an end to doubts, if one did: worth remembering.

    Example:
        >>> ladder = Paginator(Span(0, MINUTE))
        >>> ladder.receive(PageSeen(rows=(("a", 5),), count=1, has_next=False))
        >>> ladder.done, ladder.covered()
        (True, [Span(start=0, end=60000000)])
    """

    span: Span
    grid: int = field(default=RESOLUTIONS[0], kw_only=True)
    ordered: bool = field(default=True, kw_only=True)
    witness: bool = field(default=True, kw_only=True)
    aged: int = field(default=0, init=False)
    flags: frozenset[str] = field(default=frozenset(), init=False)
    missing: list[Span] = field(default_factory=list, init=False)
    not_honoured: bool = field(default=False, init=False)
    grid_learnt: int | None = field(default=None, init=False)
    _on_trial: bool = field(default=False, init=False)
    _detour: int = field(default=0, init=False)
    _covered: list[Span] = field(default_factory=list, init=False)
    _requests: int = field(default=0, init=False)
    _moves: int = field(default=0, init=False)
    _ties: Ties | None = field(default=None, init=False)
    _main: KeysetPaging | Bisection = field(init=False)

    def __post_init__(self) -> None:
        self._main = self._begin(self.span)

    def keep_to(self, span: Span) -> None:
        """Mind a part of the range only; what is known of the rest is kept elsewhere."""
        self.span = self.span.clip(span)
        self._covered = _clipped(self._covered, span)
        self.missing = _clipped(self.missing, span)
        self._main.stop_at(self.span.start)

    def stop_at(self, start: int) -> None:
        """Leave what lies below an instant to somebody else; on a whole minute."""
        self.span = Span(max(start, self.span.start), self.span.end)
        self._main.stop_at(start)

    @property
    def done(self) -> bool:
        """Whether there is nothing left to ask."""
        return self._ties is None and self._main.done

    @property
    def reached(self) -> int:
        """Above this instant all is covered or missing."""
        return self._main.reached

    @property
    def open_end(self) -> int:
        """Where the lowest part ends that is not read whole, in whole minutes.

        Whoever asks what is left finds it open from there down.
        """
        return subtract(self.span, self.minutes())[0].end

    def covered(self) -> list[Span]:
        """What is read whole, in order."""
        return merge(self._covered)

    def minutes(self) -> list[Span]:
        """The whole minutes that are read whole, in order."""
        inward = [
            Span(ceil(span.start, MINUTE), floor(span.end, MINUTE)) for span in self.covered()
        ]
        return [span for span in inward if span.length]

    def query(self) -> PageRequest:
        """The next page to ask for."""
        return (self._ties or self._main).query()

    def receive(self, seen: PageSeen) -> None:
        """Take what came back and choose the next step."""
        self._requests += 1
        if self._ties is None:
            self._go_on(self._main, seen)
        else:
            self._go_on_with_ties(self._ties, seen)
        if not self.done and self._requests > self._allowed:
            self._give_up_rest()

    @property
    def _allowed(self) -> int:
        clean = self._moves + 1
        return 2 * clean + _SPARE_REQUESTS

    def _go_on(self, main: KeysetPaging | Bisection, seen: PageSeen) -> None:
        before = main.reached
        main.aged = self.aged
        doubt = main.receive(seen)
        if isinstance(main, Bisection):
            self._moves += main.gained
        if doubt is None:
            self._cover(Span(main.reached, before))
            self._learn()
            self._come_back(moved=main.reached < before)
            return
        self.flags |= {doubt.value}
        if doubt is Anomaly.TIE:
            self._learn()
            self._read_ties()
        elif doubt in _OF_THE_GRID and self.grid < RESOLUTIONS[-1]:
            self._coarsen()
            self._restart(main.reached, bisect=isinstance(main, Bisection))
        elif doubt is Anomaly.FILTER:
            self.not_honoured = True
            self._give_up_rest()
        elif isinstance(main, KeysetPaging):
            self.ordered = self.ordered and doubt is not Anomaly.ORDER
            self._on_trial = False
            self._detour = _DETOUR if doubt is Anomaly.WITNESS else 0
            self._restart(main.reached, bisect=True)
        else:
            self.missing.append(main.part)
            self._skip_to(main.part.start)

    def _come_back(self, *, moved: bool) -> None:
        """KeysetPaging again below the place where a witness had vanished for good."""
        if self._detour and moved:
            self._detour -= 1
            if not self._detour and not self.done:
                self._restart(self._main.reached, bisect=False)

    def _go_on_with_ties(self, ties: Ties, seen: PageSeen) -> None:
        doubt = ties.receive(seen)
        self._moves += ties.gained
        if doubt is not None:
            self.flags |= {doubt.value}
        if doubt is None and not ties.done:
            return
        self._ties = None
        if doubt is Anomaly.FILTER and self.grid < RESOLUTIONS[-1]:
            self._coarsen()
            self._restart(ties.span.end, bisect=isinstance(self._main, Bisection))
            return
        if doubt is not None:
            self.missing.append(ties.span)
        else:
            self.flags |= {"probable"}
            self._cover(ties.span)
        self._skip_to(ties.span.start)

    def _skip_to(self, reached: int) -> None:
        """Go on below an instant, and below what is read whole already beneath it."""
        self._main.skip_to(reached)
        self._cover(Span(self._main.reached, reached))

    def _cover(self, span: Span) -> None:
        self._moves += span.length > 0
        if self._covered and self._covered[-1].start == span.end:
            self._covered[-1] = Span(span.start, self._covered[-1].end)
        elif span.length:
            self._covered.append(span)

    def _begin(self, span: Span, *, bisect: bool = False) -> KeysetPaging | Bisection:
        if self.ordered and not bisect:
            return KeysetPaging(span, grid=self.grid, witness=self.witness)
        return Bisection(span, grid=self.grid, witness=self.witness)

    def _coarsen(self) -> None:
        self.grid = RESOLUTIONS[RESOLUTIONS.index(self.grid) + 1]
        self._on_trial = True

    def _learn(self) -> None:
        """A page was taken on the grid that a doubt led to: it was the right one."""
        if self._on_trial and self.witness:  # else rows may have left by themselves
            self.grid_learnt = self.grid
        self._on_trial = False

    def _restart(self, reached: int, *, bisect: bool) -> None:
        """Read what is left in another way; the witnesses stay the same."""
        before = self._main
        end = min(self.span.end, ceil(reached, self.grid))
        self._main = self._begin(Span(self.span.start, end), bisect=bisect)
        if isinstance(self._main, KeysetPaging) and isinstance(before, KeysetPaging):
            self._main.expect(before.anchor)

    def _read_ties(self) -> None:
        end = self._main.reached
        self._ties = Ties(Span(max(self.span.start, end - self.grid), end))

    def _give_up_rest(self) -> None:
        """Name all that is neither covered nor missing yet as missing, and end."""
        self.missing = merge([*self.missing, *subtract(self.span, [*self._covered, *self.missing])])
        self._main.skip_to(self.span.start)
        self._ties = None


def _clipped(parts: list[Span], span: Span) -> list[Span]:
    return [part for each in parts if (part := each.clip(span)).length]
