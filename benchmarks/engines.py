"""The same tables in the hands of every engine that is installed."""

from __future__ import annotations

import importlib.util
import shutil
import warnings
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd

from plivo_analysis.tables.convert import plain_arrow, to_backend

if TYPE_CHECKING:
    from collections.abc import Callable

    import polars as pl

_SPARK = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.driver.memory": "2g",
    "spark.log.level": "ERROR",
    "spark.sql.shuffle.partitions": "2",  # one a core, as one would set it for so few rows
}


def engines() -> dict[str, Callable[[pl.DataFrame], Any]]:
    """What gives a polars table to each engine, by the engine's name.

    Spark is among them where it can run; where it cannot, that is printed.
    """
    known: dict[str, Callable[[pl.DataFrame], Any]] = {
        "polars": lambda frame: frame,
        "polars, lazy": lambda frame: frame.lazy(),
        "pandas of Arrow": lambda frame: to_backend(frame, "pandas"),
        "pandas of objects": lambda frame: pd.DataFrame(frame.to_dicts(), dtype=object),
        "pyarrow": plain_arrow,
        "DuckDB": lambda frame: connected(held=frame).table("held"),
    }
    for name in ("pyspark", "java"):
        if not (importlib.util.find_spec(name) or shutil.which(name)):
            print(f"PySpark is left out: there is no {name} here")
            return known
    return {**known, "PySpark, local": _in_spark}


def connected(**tables: pl.DataFrame) -> duckdb.DuckDBPyConnection:
    """A connection to DuckDB that holds tables of its own."""
    connection = duckdb.connect()
    for name, frame in tables.items():
        connection.register("given", plain_arrow(frame))
        connection.execute(f"CREATE TABLE {name} AS FROM given")
    return connection


def _in_spark(frame: pl.DataFrame) -> Any:
    from pyspark.sql import SparkSession  # noqa: PLC0415 - not everywhere, and slow to import

    builder = SparkSession.builder.master("local[2]")
    for name, value in _SPARK.items():
        builder = builder.config(name, value)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of the newest pandas, which is not used here
        held = builder.getOrCreate().createDataFrame(plain_arrow(frame)).coalesce(2).cache()
    held.count()  # from here on it is in Spark's memory
    return held
