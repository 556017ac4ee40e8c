"""Frames of one kind made into frames of another, without a digit lost on the way.

``convert`` turns whole frames into polars and back; ``casting`` puts values into columns of
exactly their types.
"""

from plivo_analysis.frames.convert import (
    BACKENDS,
    as_polars,
    column_names,
    from_rows,
    missing_columns,
    plain_arrow,
    result,
    select,
    to_backend,
)

__all__ = [
    "BACKENDS",
    "as_polars",
    "column_names",
    "from_rows",
    "missing_columns",
    "plain_arrow",
    "result",
    "select",
    "to_backend",
]
