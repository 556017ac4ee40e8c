"""Take along: the view as CSV or workbook, the sessions as a report, by a link to save.

The file travels in the link itself, so that it reaches a browser whose user has no Python and
no folder here. A server lets a few hundred kilobytes through at once; what is larger is
written beside the notebook instead.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import TYPE_CHECKING

from plivo_analysis.errors import StoreError
from plivo_analysis.explorer.html import Markup, tag
from plivo_analysis.loaders.recipients import masked
from plivo_analysis.report.files import csv_bytes, workbook

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from plivo_analysis.values.schema import Table

_THROUGH = 600_000  # bytes
_KINDS = {
    "csv": "text/csv;charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "html": "text/html;charset=utf-8",
}
_THOUSAND = 1000


def as_csv(frame: pl.DataFrame, table: Table) -> bytes:
    """A table as CSV, its telephone numbers masked.

    Example:
        >>> import polars as pl
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> frame = pl.DataFrame({"recipient": ["14155550100"]})
        >>> as_csv(frame, SESSIONS).decode().splitlines()
        ['\ufeffrecipient', '1 ••• ••• ••00']
    """
    return csv_bytes(masked(frame, table))


def as_workbook(name: str, frame: pl.DataFrame, table: Table, facts: Mapping[str, str]) -> bytes:
    """A table as a workbook, its telephone numbers masked.

    Example:
        >>> import polars as pl
        >>> from plivo_analysis.api.columns import SESSIONS
        >>> as_workbook("spend", pl.DataFrame({"lines": [1]}), SESSIONS, {"Title": "t"})[:2]
        b'PK'
    """
    return workbook({name: masked(frame, table)}, facts)


def saved(name: str, kind: str, content: bytes, folder: Path | None = None) -> Markup:
    """A link that saves a file, or the word that it was written into the folder.

    Args:
        name: The file's name without its kind.
        kind: csv, xlsx or html.
        content: What is in it.
        folder: Where a large one is written; by default where the notebook runs.

    Raises:
        StoreError: It cannot be written.

    Example:
        >>> saved("spend", "csv", b"lines").startswith('<a class="pva-save" download="spend.csv"')
        True
    """
    file = f"{name}.{kind}"
    if len(content) > _THROUGH:
        try:
            (Path.cwd() if folder is None else folder).joinpath(file).write_bytes(content)
        except OSError as failed:
            reason = failed.strerror or "it cannot be written"
            raise StoreError(f"{file} was not written: {reason}.") from failed
        return tag("span", f"{file} ({_size(content)}) is beside the notebook.")
    address = f"data:{_KINDS[kind]};base64,{base64.b64encode(content).decode()}"
    return tag(
        "a", f"Save {file}", f" · {_size(content)}", class_="pva-save", download=file, href=address
    )


def _size(content: bytes) -> str:
    kilo = len(content) / _THOUSAND
    return f"{max(1, round(kilo)):,} kB" if kilo < _THOUSAND else f"{kilo / _THOUSAND:,.1f} MB"
