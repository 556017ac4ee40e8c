"""Segments: what the store holds of each day, as Parquet that analysis and other engines read.

The store stays the truth; everything here is derived of it and can be deleted at any time.
For each UTC day that is complete there is one file a table: ``sessions``, ``attempts`` and
``charges`` (exploded, so that a metric is filter, group and sum), and ``messages``, below
``segments/`` in the account's folder::

    duckdb.sql("from 'segments/attempts/*.parquet'")
    polars.scan_parquet("segments/attempts/*.parquet")
    spark.read.parquet("segments/attempts")

``files`` writes and reads one file, ``shelf`` answers a range from files where they are valid
and from the store where they are not, ``matching`` applies a filter to columns. It stands
above ``store`` and ``explode``, since it makes the one into the other, and below whoever asks.
"""

from plivo_analysis.segments.files import FOLDER, PARTS, day_name, encode, segment_files
from plivo_analysis.segments.matching import chosen, matches
from plivo_analysis.segments.shelf import by_day, compact, discard_stale, parts, read

__all__ = [
    "FOLDER",
    "PARTS",
    "by_day",
    "chosen",
    "compact",
    "day_name",
    "discard_stale",
    "encode",
    "matches",
    "parts",
    "read",
    "segment_files",
]
