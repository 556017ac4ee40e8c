"""How many sessions left the channel they began on, and how many that saved."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

import narwhals as nw

from plivo_analysis.errors import SchemaError
from plivo_analysis.frames import result
from plivo_analysis.metrics.engines import count, refuse_doubled
from plivo_analysis.metrics.grouping import Grouping, Key
from plivo_analysis.metrics.intervals import ratio, wilson, with_interval
from plivo_analysis.metrics.tables import open_exploded
from plivo_analysis.schema import ATTEMPTS, FALLBACK_RATES
from plivo_analysis.vocabulary import SETTLED, UNKNOWN, VERIFIED, fold_status

if TYPE_CHECKING:
    from collections.abc import Iterable

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
        >>> from plivo_analysis.explode import explode_attempts
        >>> from plivo_analysis.frames import from_rows
        >>> from plivo_analysis.schema import SESSIONS
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
    refuse_doubled(lazy.filter(nw.col("attempt_number") == 1), "session_uuid", ATTEMPTS)
    grouping = Grouping(names, FALLBACK_RATES)
    # A session of one attempt took no step: most sessions need no group of their own.
    single = grouping.count(lazy.filter(nw.col("attempts") == 1), "session_status")
    several = _of_several(lazy.filter(nw.col("attempts") != 1), names)
    counted = count(several, [*names, "session_status"], None, **_counts())
    groups: defaultdict[Key, Counter[str]] = defaultdict(Counter)
    for row in single:
        _add(groups, grouping.key(row), row, Counter(evaluable=row["__rows"]))
    for row in counted:
        _refuse_partial(row, lazy.collect_schema().names())
        names_of_counts = [name.removeprefix("__") for name in row if name.startswith("__")]
        counts = Counter({name: row[f"__{name}"] for name in names_of_counts})
        _add(groups, grouping.key(row), row, counts)
    rates = {key: _rates(group, confidence) for key, group in groups.items()}
    return result(grouping.frame(rates, counted.schema), frame)


def _of_several(lazy: nw.LazyFrame[Any], names: Iterable[str]) -> nw.LazyFrame[Any]:
    """One row a session of several attempts: how many of them are what."""
    channel, entry = nw.col("channel"), nw.col("entry_channel")
    known = channel != UNKNOWN
    elsewhere = known & (channel != entry)
    at_home = ~known | (channel == entry)
    last = nw.col("attempt_number") == nw.col("attempts")
    marks = {
        "__switches": nw.col("step") == "switch",
        "__retries": nw.col("step") == "retry",
        "__indeterminate": nw.col("step") == "indeterminate",
        "__ends_elsewhere": last & elsewhere,
        "__perhaps_at_home": at_home & (nw.col("outcome") != "not_reached"),
        "__reached_elsewhere": elsewhere & (nw.col("outcome") == "reached"),
    }
    keys = dict.fromkeys(["session_uuid", *names, "session_status"])
    return lazy.group_by(*keys).agg(
        *(mark.cast(nw.Int64).sum().alias(name) for name, mark in marks.items()),
        nw.len().alias("__listed"),
        nw.col("attempts").max().alias("__attempts"),
        nw.col("attempt_number").sum().alias("__numbers"),
    )


def _counts() -> dict[str, nw.Expr]:
    """Sessions counted by what their attempts were."""
    fell_back = nw.col("__switches") > 0
    evaluable = fell_back | (nw.col("__indeterminate") == 0)
    certain = (nw.col("__perhaps_at_home") == 0) & (nw.col("__reached_elsewhere") > 0)
    attempts = nw.col("__attempts")
    whole = nw.col("__listed") == attempts
    in_order = nw.col("__numbers") * 2 == attempts * (attempts + 1)
    kinds = {
        "evaluable": evaluable,
        "not_evaluable": ~evaluable,
        "fell_back": fell_back,
        "retried": evaluable & (nw.col("__retries") > 0),
        "last_touch": fell_back & (nw.col("__ends_elsewhere") > 0),
        "certain": fell_back & certain,
        "partial": ~(whole & in_order),
    }
    return {name: kind.cast(nw.Int64).sum() for name, kind in kinds.items()}


def _refuse_partial(row: dict[str, Any], available: list[str]) -> None:
    if row["__partial"]:
        raise SchemaError(
            f"{row['__partial']} sessions have other attempts than their number says: some are "
            "missing, doubled, or differ in a by column. Filter sessions, not attempts.",
            available=available,
        )


def _add(
    groups: defaultdict[Key, Counter[str]], key: Key, row: dict[str, Any], counts: Counter[str]
) -> None:
    status = fold_status(row["session_status"])
    if status not in SETTLED:
        return
    group = groups[key]
    for name in ("evaluable", "not_evaluable", "fell_back", "retried"):
        group[name] += counts[name]
    if status == VERIFIED:
        for name, kind in (
            ("rescued", "fell_back"),
            ("rescued_last_touch", "last_touch"),
            ("rescued_certain", "certain"),
        ):
            group[name] += counts[kind]


def _rates(group: Counter[str], confidence: float) -> dict[str, Any]:
    sessions, fell_back, rescued = group["evaluable"], group["fell_back"], group["rescued"]
    return {
        "sessions": sessions,
        "fell_back": fell_back,
        **with_interval("fallback_rate", fell_back, sessions, confidence),
        "retried": group["retried"],
        "retry_rate": ratio(group["retried"], sessions),
        "rescued": rescued,
        **with_interval("rescue_rate", rescued, fell_back, confidence),
        "rescued_last_touch": group["rescued_last_touch"],
        "rescued_certain": group["rescued_certain"],
        "not_evaluable": group["not_evaluable"],
    }
