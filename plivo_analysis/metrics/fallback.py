"""How many sessions left the channel they began on, and how many that saved."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw
import polars as pl

from plivo_analysis.api.vocabulary import SETTLED, UNKNOWN, VERIFIED, fold_status
from plivo_analysis.errors import SchemaError
from plivo_analysis.metrics.columns import count_column, rate_column, rate_columns
from plivo_analysis.metrics.engines import (
    KEY,
    collect,
    counting,
    exact,
    is_counted,
    keyed,
    refuse_doubled_keys,
)
from plivo_analysis.metrics.grouping import Grouping
from plivo_analysis.tables.checks import column_names
from plivo_analysis.tables.convert import folded
from plivo_analysis.tables.exploded_columns import ATTEMPTS, OF_THE_SESSION
from plivo_analysis.values.table_types import Table
from plivo_analysis.values.typesetting import plural

if TYPE_CHECKING:
    from collections.abc import Iterable

_NEEDED = ["attempts", "channel", "outcome", "step", "entry_channel", "session_status"]
_MARKS = (
    "__switch",
    "__retry",
    "__indeterminate",
    "__ends_elsewhere",
    "__perhaps_at_home",
    "__reached_elsewhere",
)
# Sessions of one attempt were not asked for marks: they have none.
_SWITCH, _RETRY, _INDETERMINATE, _ENDS_ELSEWHERE, _PERHAPS_AT_HOME, _REACHED_ELSEWHERE = (
    pl.col(mark).fill_null(value=False) for mark in _MARKS
)
_EVALUABLE = _SWITCH | ~_INDETERMINATE
_RESCUED = _SWITCH & (pl.col("__status") == VERIFIED)

FALLBACK_RATES = Table(
    name="fallback_rates",
    row="A group of sessions: how many left their channel, and how many that saved.",
    columns=(
        count_column("sessions", "Settled, with an attempt, and clear about fallback.", _EVALUABLE),
        count_column("fell_back", "Of these, with at least one switch of channel.", _SWITCH),
        *rate_columns("fallback_rate", "fell_back", "sessions"),
        count_column(
            "retried", "With at least one retry on the same channel.", _EVALUABLE & _RETRY
        ),
        rate_column("retry_rate", "retried", "sessions"),
        count_column("rescued", "Fell back and verified: possibly by the fallback.", _RESCUED),
        *rate_columns("rescue_rate", "rescued", "fell_back"),
        count_column(
            "rescued_last_touch",
            "Rescued, and last tried elsewhere than first.",
            _RESCUED & _ENDS_ELSEWHERE,
        ),
        count_column(
            "rescued_certain",
            "Rescued, not reached where they began, reached elsewhere.",
            _RESCUED & _REACHED_ELSEWHERE & ~_PERHAPS_AT_HOME,
        ),
        count_column(
            "not_evaluable", "Settled, with an attempt, but with unknown channels.", ~_EVALUABLE
        ),
    ),
)

_OF_A_SESSION = {"attempts", "session_status", *OF_THE_SESSION}
_OF_AN_ATTEMPT = {
    name: (
        f"{name!r} is an attempt's own, and fallback_rates counts sessions, which have several "
        "attempts. Group by a column that is the same for all of them, as 'entry_channel' or "
        "'session_status'."
        + (" The channel of a session itself is its last one." if name == "channel" else "")
    )
    for name in ATTEMPTS.names
    if name not in _OF_A_SESSION
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
    counted = frame if is_counted(column_names(frame), ATTEMPTS) else None
    needed = _NEEDED if counted is None else [*_MARKS, "session_status"]
    grouping = Grouping.of(
        frame,
        by,
        FALLBACK_RATES,
        ATTEMPTS,
        needed,
        confidence=confidence,
        refused=_OF_AN_ATTEMPT,
    )
    if counted is None:
        counted = count_sessions(grouping.lazy, [*grouping.by, "session_status"])
    status = folded(counted["session_status"], fold_status)
    settled = counted.with_columns(status.alias("__status")).filter(status.is_in(SETTLED))
    return grouping.frame(grouping.sum(settled))


def count_sessions(lazy: nw.LazyFrame[Any], keys: Iterable[str]) -> pl.DataFrame:
    """Sessions counted by the given keys, and by what their attempts were.

    ``fallback_rates`` takes what this gives in place of the attempts, where the keys hold what
    it groups by and ``session_status``.

    What a session did is only known with all of its attempts. They are all there if its
    attempts are as many as each of them says, no number comes twice (no row key comes twice at
    all), and the numbers go from 1 to that many.
    """
    # A null number is no 1: such a row goes the long way, where it is found not to be whole.
    only = ((nw.col("attempts") == 1) & (nw.col("attempt_number") == 1)).fill_null(value=False)
    keys = list(dict.fromkeys(keys))
    marked = [*keys, *_MARKS, "__whole"]
    refuse_doubled_keys(lazy, ATTEMPTS)
    for parts in keyed(lazy, ["session_uuid"]):
        found = [
            collect(
                # A session of one attempt took no step: most need no group of their own.
                counting(part.filter(only), keys, {}),
                counting(_of_several(part.filter(~only), keys), marked, {}),
            )
            for part in parts
        ]
        singles, others = (pl.concat(frames) for frames in zip(*found, strict=True))
        # A null compares to null: a session of unknown numbers is not known to be whole.
        partial = others.filter(~pl.col("__whole").fill_null(value=False))["__rows"].sum()
        # Two sessions of one hash look like a partial one: the keys decide.
        if not partial:
            return exact(pl.concat([singles, others], how="diagonal"), {})
    raise SchemaError(
        f"{plural(partial, 'session')} with other attempts than their number says: some are "
        "missing, doubled, or differ in a by column. Filter sessions, not attempts.",
        available=lazy.collect_schema().names(),
    )


def _of_several(lazy: nw.LazyFrame[Any], keys: Iterable[str]) -> nw.LazyFrame[Any]:
    """One row a session of several attempts: what any of them was, and whether all are there."""
    channel, entry, step = nw.col("channel"), nw.col("entry_channel"), nw.col("step")
    # An unknown channel may be the entry channel, so a code that arrived there may have been
    # used: only a known other channel is elsewhere.
    elsewhere = (channel != UNKNOWN) & (channel != entry)
    number, attempts = nw.col("attempt_number"), nw.col("attempts")
    marks = (
        step == "switch",
        step == "retry",
        step == "indeterminate",
        elsewhere & (number == attempts),
        ~elsewhere & (nw.col("outcome") != "not_reached"),
        elsewhere & (nw.col("outcome") == "reached"),
    )
    listed, first, last = nw.col("__listed"), nw.col("__first"), nw.col("__last")
    return (
        lazy.with_columns(**dict(zip(_MARKS, marks, strict=True)))
        # A session whose attempts differ in one of the keys makes two groups here. Each of them has
        # fewer attempts than it says, and is refused as partial.
        .group_by(KEY, *keys)
        .agg(
            # any, not a sum above 0: Spark does not add booleans.
            nw.col(*_MARKS).any(),
            nw.len().alias("__listed"),
            attempts.max().alias("__attempts"),
            number.min().alias("__first"),
            number.max().alias("__last"),
        )
        .with_columns(__whole=(listed == nw.col("__attempts")) & (first == 1) & (last == listed))
    )
