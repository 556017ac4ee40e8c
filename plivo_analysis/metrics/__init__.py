"""Frames to small frames: every number that this package counts.

A metric is written once for every engine. Its group-by runs where the rows are: polars for
polars, pandas and pyarrow (whose rows it reads through Arrow), DuckDB for a relation, Spark
for its DataFrame. The few result rows are then finished in exact Python, so that a number is
the same on every engine, to the last digit.

Dask and ibis, read through narwhals, give the same numbers on exploded and flat tables. Only
periods through ibis are refused where its engine is not DuckDB, the one that was tried.

``engines`` opens a table and counts on it, ``grouping`` says by what, ``ticks`` and
``periods`` put instants into buckets of a time zone, ``money`` and ``intervals`` finish sums
and rates, ``cautions`` says what a sum or a group would hide.
"""
