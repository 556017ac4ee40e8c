"""Fallback and spend of 100,000 sessions on every engine, beside what one would write by hand."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import polars as pl

import plivo_analysis as pva
from benchmarks import data, peers
from benchmarks.engines import connected, engines
from benchmarks.harness import judge, measure, show, size

if TYPE_CHECKING:
    from collections.abc import Callable

LONG = False
SESSIONS = 100_000
ZONE = "Europe/Paris"
BY_PANDAS = "pandas json_normalize, merge, groupby"
BY_EXPLODE = "pandas explode, json_normalize, merge"
BY_HAND = "polars by hand, exploded tables"
IN_SQL = "DuckDB by hand, exploded tables"

METRICS: dict[str, tuple[str, Callable[[Any], object]]] = {
    "fallback_rates": ("attempts", pva.fallback_rates),
    "attempt_outcomes": ("attempts", pva.attempt_outcomes),
    "spend": ("charges", pva.spend),
    "spend by day": ("charges", lambda charges: pva.spend(charges, every="1d", tz=ZONE)),
    "success_rates": ("sessions", pva.success_rates),
    "cost_per_verified": ("sessions", pva.cost_per_verified),
    "channel_paths": ("sessions", pva.channel_paths),
    "message_spend": ("messages", pva.message_spend),
    "delivery_rates": ("messages", lambda messages: pva.delivery_rates(messages, "error_code")),
}


def main() -> None:
    """Measure explosion, the two metrics that matter most, then every metric by engine."""
    sessions = data.sessions(size(SESSIONS))
    rows = data.wire(sessions)
    attempts, charges = pva.explode_attempts(sessions), pva.explode_charges(sessions)
    _check(rows, attempts, charges)
    best = measure(
        {
            BY_PANDAS: lambda: peers.normalised(rows),
            BY_EXPLODE: lambda: peers.exploded(rows),
            "explode_attempts": lambda: pva.explode_attempts(sessions),
            "explode_charges": lambda: pva.explode_charges(sessions),
            "reconcile": lambda: pva.reconcile(sessions),
        },
        share=0.2,
    )
    show(f"attempts of {SESSIONS:,} sessions with their charges", best, against=BY_EXPLODE)
    exploding = best["explode_attempts"]
    judge("explode_attempts against pandas", best[BY_EXPLODE] / exploding, 70, "×", least=True)
    judge(f"explode_attempts, {SESSIONS:,} sessions", exploding * 1000, 30, "ms")
    judge(f"reconcile, {SESSIONS:,} sessions", best["reconcile"] * 1000, 60, "ms")
    tables = {
        "sessions": sessions.drop("attempt_details", "attempt_charges"),
        "attempts": attempts,
        "charges": charges,
        "messages": data.messages(size(SESSIONS)),
    }
    held = {
        engine: {name: convert(table) for name, table in tables.items()}
        for engine, convert in engines().items()
    }
    connection = connected(attempts=attempts, charges=charges)
    both = measure(
        {
            BY_PANDAS: lambda: peers.fallback_and_spend(rows),
            BY_HAND: lambda: (
                peers.by_hand_in_polars(attempts, charges),
                peers.refused_in_polars(attempts, charges),
            ),
            "the same, doubled keys not refused": lambda: peers.by_hand_in_polars(
                attempts, charges
            ),
            IN_SQL: lambda: (
                peers.by_hand_in_duckdb(connection),
                peers.refused_in_duckdb(connection),
            ),
            "in SQL, doubled keys not refused": lambda: peers.by_hand_in_duckdb(connection),
            "from the sessions table, polars": lambda: _both(sessions, sessions),
            **{
                engine: partial(_both, of_engine["attempts"], of_engine["charges"])
                for engine, of_engine in held.items()
            },
        },
        share=0.1,
    )
    show("fallback + spend", both, against=BY_PANDAS)
    judge("fallback + spend against polars by hand", both["polars"] / both[BY_HAND], 1.2, "×")
    judge("fallback + spend against DuckDB by hand", both["DuckDB"] / both[IN_SQL], 1.25, "×")
    by_day = METRICS["spend by day"][1]
    days = measure(
        {BY_HAND: lambda: peers.spend_by_day(charges, ZONE), "polars": lambda: by_day(charges)}
    )
    show("spend by day in a zone", days, against=BY_HAND)
    judge("spend by day in a zone against by hand", days["polars"] / days[BY_HAND], 1.1, "×")
    for name, (table, metric) in METRICS.items():
        by_engine = {engine: partial(metric, of[table]) for engine, of in held.items()}
        show(name, measure(by_engine, seconds=3), against="polars")


def _both(attempts: Any, charges: Any) -> None:
    pva.fallback_rates(attempts)
    pva.spend(charges)


def _check(rows: list[dict[str, Any]], attempts: pl.DataFrame, charges: pl.DataFrame) -> None:
    """All candidates count the same: a ratio of different work would say nothing."""
    ours = pva.fallback_rates(attempts)
    by_pandas, _ = peers.fallback_and_spend(rows)
    for frame in (
        pl.from_pandas(by_pandas.reset_index()),
        peers.by_hand_in_polars(attempts, charges)[0],
    ):
        wanted = ours.select(name for name in frame.columns if name in ours.columns)
        got = frame.select(wanted.columns).cast(dict(wanted.schema))
        if not got.equals(wanted):
            raise AssertionError(f"the candidates differ: {got} against {wanted}")
