"""Frames to small frames: every number that this package counts.

A metric stands beside the columns of its result, and is written once for every engine. Its
group-by runs where the rows are: polars for polars, pandas and pyarrow (whose rows it reads
through Arrow), DuckDB for a relation, Spark for its DataFrame. The few result rows are then
finished in exact Python, so that a number is the same on every engine, to the last digit.

``engines`` opens a table and counts on it, ``grouping`` says by what, ``columns`` declares a
result, ``periods`` makes the buckets of a time zone, ``money`` and ``confidence_intervals`` finish
sums and rates, ``cautions`` says what a sum or a group would hide.
"""
