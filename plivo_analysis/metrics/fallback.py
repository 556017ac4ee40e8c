"""How many sessions left the channel they began on, and how many that saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw
import polars as pl

from plivo_analysis.api.words import SETTLED, UNKNOWN, VERIFIED, fold_status
from plivo_analysis.errors import SchemaError
from plivo_analysis.metrics.columns import FALLBACK_RATES
from plivo_analysis.metrics.engines import (
    KEY,
    Counted,
    collect,
    counting,
    distinct,
    doubled,
    keyed,
    raise_doubled,
)
from plivo_analysis.metrics.grouping import Grouping
from plivo_analysis.metrics.inputs import open_exploded
from plivo_analysis.metrics.intervals import ratio, wilson, with_interval
from plivo_analysis.tables.columns import ATTEMPTS
from plivo_analysis.tables.convert import result

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_NEEDED = [
    "session_uuid",
    "attempt_number",
    "attempts",
    "channel",
    "outcome",
    "step",
    "entry_channel",
    "session_status",
]
_MARKS = (
    "__switch",
    "__retry",
    "__indeterminate",
    "__ends_elsewhere",
    "__perhaps_at_home",
    "__reached_elsewhere",
)
_SETTLED = ("__evaluable", "__not_evaluable")
_PROOF = ("__listed", "__attempts", "__numbers")
_WHOLE = (pl.col("__listed") == pl.col("__attempts")) & (
    pl.col("__numbers") * 2 == pl.col("__attempts") * (pl.col("__attempts") + 1)
)
_INSTEAD = {"channel": "entry_channel", "status": "session_status"}
_OF_AN_ATTEMPT = {
    name: (
        f"{name!r} is an attempt's own, and fallback_rates counts sessions, which have several "
        f"attempts. Group by a column that is the same for all of them, as "
        f"{_INSTEAD.get(name, 'entry_channel')!r}."
    )
    for name in (
        "attempt_uuid",
        "attempt_number",
        "channel",
        "status",
        "outcome",
        "time",
        "charge",
        "charge_note",
        "previous_channel",
        "step",
    )
}


def fallback_rates(
    frame: Any,
    by: str | Iterable[str] = ("entry_channel",),
    *,
    confidence: float = 0.95,
) -> Any:
    """How many sessions fell back to another channel, and whether that rescued them.

    A session fell back if it has at least one switch of channel, however many. The rates are
    over evaluable sessions: settled, with an attempt, and with a switch or with no step next
    to an unknown channel; the other settled ones are ``not_evaluable``. Sessions of one
    attempt stay in the denominator. By ``entry_channel``, the channel of the earliest attempt,
    the groups partition the sessions and their rates, weighted by ``sessions``, average to the
    overall one. A second send on the same channel is a retry (Didit, LOX24), and a session
    can be both. No vendor publishes a fallback rate; the parts follow Twilio's verification
    attempts and Vonage's Verify analytics. It says what happened, not who decided it.

    Every attempt delivers the same code, so which one was used cannot be known: rescue is a
    range. ``rescued`` is possible (fell back and verified), ``rescued_last_touch`` asks that
    the last attempt was on a known channel other than the first, ``rescued_certain`` that no
    attempt on the entry channel or an unknown one can have arrived and one on another channel
    did. That last one holds if delivery reports are right; without trust in them the lower
    bound is 0. Intervals are Wilson's (Wilson 1927; Brown, Cai & DasGupta 2001).

    Args:
        frame: A sessions table (polars, pandas or pyarrow), or an attempts table on any
            engine (these, a DuckDB relation, PySpark) with all the attempts of its sessions.
        by: Columns of sessions to group by; in an attempts table their constant copies
            (``entry_channel``, ``path``, ``session_status``, ``app_uuid``, ...).
        confidence: The coverage of the intervals.

    Returns:
        A small frame (pandas for pandas, else polars), one row a group of settled sessions
        with an attempt: the ``by`` columns, then ``sessions`` (evaluable), ``fell_back,
        fallback_rate, fallback_rate_low, fallback_rate_high, retried, retry_rate, rescued,
        rescue_rate, rescue_rate_low, rescue_rate_high, rescued_last_touch, rescued_certain,
        not_evaluable``: counts of sessions, and rates as parts of one (null where their
        denominator is 0).

    Raises:
        SchemaError: The frame is neither table, a session or attempt comes twice, a session's
            attempts are not all there, or ``by`` names an attempt's own column.
        FilterError: ``confidence`` does not lie between 0 and 1.

    Example:
        >>> from plivo_analysis.tables.explode import explode_attempts
        >>> from plivo_analysis.tables.convert import from_rows
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> tried = [{"channel": word, "attempt_uuid": word, "status": "failed", "time": None}
        ...          for word in ("sms", "voice")]
        >>> row = dict.fromkeys(SESSIONS.names) | {"session_uuid": "s", "status": "expired",
        ...     "attempt_details": tried, "entry_channel": "sms"}
        >>> rates = fallback_rates(explode_attempts(from_rows([row], SESSIONS)))
        >>> rates.select("entry_channel", "sessions", "fell_back", "rescued").rows()
        [('sms', 1, 1, 0)]
    """
    wilson(0, 0, confidence)
    lazy, names = open_exploded(
        frame, by, FALLBACK_RATES, ATTEMPTS, _NEEDED, refused=_OF_AN_ATTEMPT
    )
    grouping = Grouping(names, FALLBACK_RATES)
    counted = _count(lazy, list(dict.fromkeys([*names, "session_status"])))
    tallied = _tallied(counted, names)
    groups = ((grouping.key(row), row) for row in tallied.iter_rows(named=True))
    rates = {key: _rates(row, confidence) for key, row in groups if any(row[k] for k in _SETTLED)}
    return result(grouping.frame(rates, tallied.schema), frame)


def _count(lazy: nw.LazyFrame[Any], keys: Iterable[str]) -> Counted:
    """Sessions counted by the given keys, and by what their attempts were."""
    for each in keyed(lazy, "session_uuid"):
        firsts = each.filter(nw.col("attempt_number") == 1)
        # A session of one attempt took no step: most sessions need no group of their own.
        single = counting(each.filter(nw.col("attempts") == 1), keys)
        several = counting(_of_several(each, keys), [*keys, *_MARKS, *_PROOF])
        seen, singles, others = collect(distinct(firsts), single, several)
        partial = others.filter(~_WHOLE)["__rows"].sum()
        if not (doubled(seen) or partial):
            return Counted(pl.concat([singles, others], how="diagonal"), ())
    if doubled(seen):
        raise_doubled(lazy, ATTEMPTS)
    raise SchemaError(
        f"{partial} sessions have other attempts than their number says: some are missing, "
        "doubled, or differ in a by column. Filter sessions, not attempts.",
        available=lazy.collect_schema().names(),
    )


def _of_several(lazy: nw.LazyFrame[Any], keys: Iterable[str]) -> nw.LazyFrame[Any]:
    """One row a session of several attempts: what any of them was, and whether all are there."""
    channel, entry = nw.col("channel"), nw.col("entry_channel")
    known, step = channel != UNKNOWN, nw.col("step")
    elsewhere = known & (channel != entry)
    last = nw.col("attempt_number") == nw.col("attempts")
    marks = (
        step == "switch",
        step == "retry",
        step == "indeterminate",
        last & elsewhere,
        ~elsewhere & (nw.col("outcome") != "not_reached"),
        elsewhere & (nw.col("outcome") == "reached"),
    )
    return (
        lazy.filter(nw.col("attempts") != 1)
        .with_columns(**dict(zip(_MARKS, marks, strict=True)))
        .group_by(KEY, *keys)
        .agg(
            nw.col(*_MARKS).any(),
            nw.len().alias("__listed"),
            nw.col("attempts").max().alias("__attempts"),
            nw.col("attempt_number").sum().alias("__numbers"),
        )
    )


def _tallied(counted: Counted, by: Sequence[str]) -> pl.DataFrame:
    """The settled sessions of each group, counted by what became of them."""
    rows = counted.whole()
    words = {word: fold_status(word) for word in rows["session_status"].unique()}
    status = pl.col("session_status").cast(pl.String)
    settled = status.is_in([word for word, folded in words.items() if folded in SETTLED])
    verified = status.is_in([word for word, folded in words.items() if folded == VERIFIED])
    # Sessions of one attempt were not asked for marks: they have none.
    switch, retry, indeterminate, ends_elsewhere, perhaps_at_home, reached_elsewhere = (
        pl.col(mark).cast(pl.Boolean).fill_null(value=False) for mark in _MARKS
    )
    evaluable = switch | ~indeterminate
    rescued = switch & verified
    kinds = {
        "evaluable": evaluable,
        "not_evaluable": ~evaluable,
        "fell_back": switch,
        "retried": evaluable & retry,
        "rescued": rescued,
        "rescued_last_touch": rescued & ends_elsewhere,
        "rescued_certain": rescued & reached_elsewhere & ~perhaps_at_home,
    }
    sums = {f"__{name}": pl.col("__rows").filter(kind).sum() for name, kind in kinds.items()}
    rows = rows.filter(settled)
    return rows.group_by(by).agg(**sums) if by else rows.select(**sums)


def _rates(group: Mapping[str, Any], confidence: float) -> dict[str, Any]:
    sessions, fell_back, rescued = group["__evaluable"], group["__fell_back"], group["__rescued"]
    return {
        "sessions": sessions,
        "fell_back": fell_back,
        **with_interval("fallback_rate", fell_back, sessions, confidence),
        "retried": group["__retried"],
        "retry_rate": ratio(group["__retried"], sessions),
        "rescued": rescued,
        **with_interval("rescue_rate", rescued, fell_back, confidence),
        "rescued_last_touch": group["__rescued_last_touch"],
        "rescued_certain": group["__rescued_certain"],
        "not_evaluable": group["__not_evaluable"],
    }
