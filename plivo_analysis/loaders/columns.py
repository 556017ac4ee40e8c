"""The tables that speak of the data rather than of the account: coverage and oddities."""

from __future__ import annotations

from plivo_analysis.values.schema import Column, Kind, Table

COVERAGE = Table(
    name="coverage",
    row="A part of a range of time in one state.",
    key=("start", "filters"),
    columns=(
        Column("start", Kind.TIME, "Where the part begins.", unit="UTC", nullable=False),
        Column("end", Kind.TIME, "Where it ends, not included.", unit="UTC", nullable=False),
        Column("state", Kind.TEXT, "complete, live, missing or expired.", nullable=False),
        Column("rows", Kind.COUNT, "Records kept.", unit="records", nullable=False),
        Column("open", Kind.COUNT, "How many may still change.", unit="records", nullable=False),
        Column("read_at", Kind.TIME, "When it was read.", unit="UTC"),
        Column("filters", Kind.TEXT, "What it was read with; empty for everything."),
        Column("flags", Kind.TEXT, "What was out of the ordinary."),
    ),
)

ISSUES = Table(
    name="issues",
    row="Something odd about one record.",
    key=("key", "code", "path"),
    columns=(
        Column("key", Kind.TEXT, "The record's uuid, or a hash of it.", nullable=False),
        Column("instant", Kind.TIME, "When the record began.", unit="UTC"),
        Column("code", Kind.TEXT, "What was odd.", nullable=False),
        Column("meaning", Kind.TEXT, "The same in words.", nullable=False),
        Column("path", Kind.TEXT, "The field.", nullable=False),
        Column("value", Kind.TEXT, "What was there, numbers masked.", nullable=False),
        Column("set_aside", Kind.FLAG, "Whether the record is in no table.", nullable=False),
        Column("read_at", Kind.TIME, "When it was read.", unit="UTC", nullable=False),
    ),
)
