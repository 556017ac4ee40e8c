"""Fallback and spend of 100,000 sessions on every engine, beside what one would write by hand."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import polars as pl

import plivo_analysis as pva
from benchmarks import data, peers
from benchmarks.harness import measure, show
from plivo_analysis.frames import plain_arrow, to_backend

if TYPE_CHECKING:
    from collections.abc import Callable

LONG = False
SESSIONS = 100_000
BY_PANDAS = "pandas json_normalize, merge, groupby"
BY_HAND = "polars by hand, exploded tables"

ENGINES: dict[str, Callable[[pl.DataFrame], Any]] = {
    "polars": lambda frame: frame,
    "polars, lazy": lambda frame: frame.lazy(),
    "pandas of Arrow": lambda frame: to_backend(frame, "pandas"),
    "pandas of objects": lambda frame: pd.DataFrame(frame.to_dicts(), dtype=object),
    "pyarrow": plain_arrow,
}
# Of which of three tables (flat sessions, attempts, charges) each metric counts.
METRICS: dict[str, tuple[int, Callable[[Any], object]]] = {
    "fallback_rates": (1, pva.fallback_rates),
    "attempt_outcomes": (1, pva.attempt_outcomes),
    "spend": (2, pva.spend),
    "spend by day": (2, lambda charges: pva.spend(charges, every="1d", tz="Europe/Paris")),
    "success_rates": (0, pva.success_rates),
    "cost_per_verified": (0, pva.cost_per_verified),
    "channel_paths": (0, pva.channel_paths),
}


def main() -> None:
    """Measure explosion, the two metrics that matter most, then every metric by engine."""
    sessions = data.sessions(SESSIONS)
    rows = data.wire(sessions)
    attempts, charges = pva.explode_attempts(sessions), pva.explode_charges(sessions)
    _check(rows, attempts, charges)
    show(
        f"attempts of {SESSIONS:,} sessions with their charges",
        measure(
            {
                BY_PANDAS: lambda: peers.normalised(rows),
                "pandas explode, json_normalize, merge": lambda: peers.exploded(rows),
                "explode_attempts": lambda: pva.explode_attempts(sessions),
                "explode_charges": lambda: pva.explode_charges(sessions),
            },
            share=0.2,
        ),
        against="pandas explode, json_normalize, merge",
        goal="explode_attempts ≥ 50 ×",
    )
    held = _held(sessions.drop("attempt_details", "attempt_charges"), attempts, charges)
    connection = _connected(attempts, charges)
    both = measure(
        {
            BY_PANDAS: lambda: peers.fallback_and_spend(rows),
            BY_HAND: lambda: peers.by_hand_in_polars(attempts, charges),
            "DuckDB by hand, exploded tables": lambda: peers.by_hand_in_duckdb(connection),
            "from the sessions table, polars": lambda: _both(sessions, sessions),
            **{name: partial(_both, *tables[1:]) for name, tables in held.items()},
        },
        share=0.1,
    )
    show("fallback + spend", both, against=BY_PANDAS, goal="exploded tables ≥ 300 ×")
    show("the same", both, against=BY_HAND, goal="polars ≥ 0.83 ×, which is 1.2 × the time")
    for name, (place, metric) in METRICS.items():
        by_engine = {each: partial(metric, tables[place]) for each, tables in held.items()}
        show(name, measure(by_engine, seconds=3), against="polars")


def _both(attempts: Any, charges: Any) -> None:
    pva.fallback_rates(attempts)
    pva.spend(charges)


def _held(*tables: pl.DataFrame) -> dict[str, tuple[Any, Any, Any]]:
    """Sessions, attempts and charges on every engine."""
    engines = {**ENGINES, "DuckDB": _relation}
    held = {name: tuple(map(convert, tables)) for name, convert in engines.items()}
    return {name: (first, second, third) for name, (first, second, third) in held.items()}


def _relation(frame: pl.DataFrame) -> duckdb.DuckDBPyRelation:
    return _connected(frame).table("attempts")


def _connected(
    attempts: pl.DataFrame, charges: pl.DataFrame | None = None
) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for name, frame in (("attempts", attempts), ("charges", charges)):
        if frame is not None:
            connection.register("given", plain_arrow(frame))
            connection.execute(f"CREATE TABLE {name} AS FROM given")
    return connection


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
