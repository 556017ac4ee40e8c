"""``pull``: load records, keep them, and write them to a file if one is named."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import polars as pl

from plivo_analysis.api.resources import RESOURCES
from plivo_analysis.cli.accounts import account
from plivo_analysis.errors import FilterError
from plivo_analysis.loaders.coverage import issues
from plivo_analysis.loaders.load import load_messages, load_sessions
from plivo_analysis.report.files import csv_bytes, parquet_bytes
from plivo_analysis.system.files import write_whole

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from pathlib import Path

_LOADERS: dict[str, Callable[..., Any]] = {"sessions": load_sessions, "messages": load_messages}
_SPREADSHEET = ".csv"


def pull(options: argparse.Namespace) -> None:
    """Load, and write or count. A file that a spreadsheet opens is masked unless asked for."""
    write = writer(options.out)
    shown = recipients_shown(options, otherwise="full")
    names = [parameter.name for parameter in RESOURCES[options.resource].parameters]
    span = {"since": options.since, "until": options.until}
    with account(options) as client:
        frame = _LOADERS[options.resource](
            **span,
            **{name: getattr(options, name) for name in names},
            client=client,
            backend="polars",
            recipients=shown,
            progress=False if options.quiet else None,
        )
        # What is not fit for analysis is in no table, so that its rows are a lower bound.
        some_set_aside = issues(options.resource, **span, client=client)["set_aside"].any()
    if write is not None:
        write(frame, options.out)
    if not options.quiet:
        place = f" in {options.out.resolve()}" if options.out else ", kept in the store"
        at_least = "at least " if some_set_aside else ""
        print(f"{at_least}{frame.height:,} {options.resource}{place}")


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
