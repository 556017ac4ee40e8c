"""Frames to small frames: every number that this package counts.

A metric is written once for every engine. Its group-by runs where the rows are: polars for
polars, pandas and pyarrow (whose rows it reads through Arrow), DuckDB for a relation, Spark
for its DataFrame. The few result rows are then finished in exact Python, so that a number is
the same on every engine, to the last digit.

Dask and ibis, read through narwhals, give the same numbers on exploded and flat tables; but
ibis says instants in the zone of its engine's session, and periods are refused there.

``engines`` opens a table and counts on it, ``grouping`` says by what, ``periods`` puts
instants into buckets of a time zone, ``money`` and ``intervals`` finish sums and rates.
"""
