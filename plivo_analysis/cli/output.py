"""What commands print and write: a table on the terminal, a table in a file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import polars as pl

from plivo_analysis.errors import FilterError
from plivo_analysis.report.files import csv_bytes, parquet_bytes
from plivo_analysis.system.files import write_whole
from plivo_analysis.values.typesetting import clean

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from pathlib import Path

_SPREADSHEET = ".csv"


def print_table(frame: pl.DataFrame) -> None:
    """Print every row and column of a table."""
    # A name of the account's could hold signs that drive a terminal.
    text = pl.col(pl.String).map_elements(clean, return_dtype=pl.String)
    with pl.Config(
        tbl_hide_dataframe_shape=True,
        tbl_hide_column_data_types=True,
        tbl_formatting="UTF8_FULL_CONDENSED",
        tbl_rows=-1,
        tbl_cols=-1,
        tbl_width_chars=-1,  # a squeezed column has no name; `less -S` scrolls a wide one
        tbl_cell_numeric_alignment="RIGHT",
        float_precision=4,
    ):
        print(frame.with_columns(text))


def recipients_shown(options: argparse.Namespace, *, otherwise: str) -> str:
    """How numbers are shown where the command does not say: masked in a spreadsheet."""
    if options.recipients is not None:
        return str(options.recipients)
    return "masked" if options.out and options.out.suffix == _SPREADSHEET else otherwise


def writer(path: Path | None) -> Callable[[pl.DataFrame, Path], None] | None:
    """What writes a table to a file of this name; None where no file is named.

    Raises:
        FilterError: It is no file that a table can be written to.
    """
    if path is None:
        return None
    writers = {".parquet": _write_parquet, _SPREADSHEET: _write_csv}
    if path.suffix not in writers:
        raise FilterError(f"--out is {str(path)!r}; it takes a .parquet or a .csv file.")
    if not path.parent.is_dir():
        raise FilterError(f"--out: there is no folder {str(path.parent)!r}; make it first.")
    return writers[path.suffix]


def _write_parquet(frame: pl.DataFrame, path: Path) -> None:
    write_whole(path, parquet_bytes(frame), private=True)


def _write_csv(frame: pl.DataFrame, path: Path) -> None:
    """Lists become JSON, since a CSV cell holds one text; money keeps its digits."""
    nested = [name for name, dtype in frame.schema.items() if isinstance(dtype, pl.List)]
    flat = frame.with_columns(
        pl.Series(
            name,
            [
                None if rows is None else json.dumps(rows, default=str, ensure_ascii=False)
                for rows in frame[name].to_list()
            ],
            dtype=pl.String,
        )
        for name in nested
    )
    write_whole(path, csv_bytes(flat), private=True)
