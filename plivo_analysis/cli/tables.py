"""The commands whose answer is a table: ``pull``, ``estimate`` and ``sql``.

A table goes to the terminal, or into a file that another program reads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from plivo_analysis.api.resources import RESOURCES, SESSION_RESOURCE
from plivo_analysis.cli.accounts import account
from plivo_analysis.errors import FilterError
from plivo_analysis.loaders.coverage import issues
from plivo_analysis.loaders.estimate import estimate as estimated
from plivo_analysis.loaders.load import load_messages, load_sessions
from plivo_analysis.loaders.recipients import disguise
from plivo_analysis.loaders.scan import connect
from plivo_analysis.metrics.estimates import group_text
from plivo_analysis.metrics.samples import MEASURES
from plivo_analysis.report.files import csv_bytes, parquet_bytes
from plivo_analysis.storage.day_files import TABLES
from plivo_analysis.system.files import write_atomically
from plivo_analysis.values.masking import mask_text
from plivo_analysis.values.table_types import Table
from plivo_analysis.values.typesetting import clean, plural

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from pathlib import Path

    from plivo_analysis.api.resources import Resource
    from plivo_analysis.metrics.estimates import Estimate

_LOADERS: dict[str, Callable[..., Any]] = {"sessions": load_sessions, "messages": load_messages}
_GROUPS = {"country": "destination_country_iso2", "network": "destination_network"}
_SPREADSHEET = ".csv"

# Says of the columns of all four tables, under their own names, what they hold of numbers. A
# column that the statement makes is in none, and any number in its text is masked.
_ANSWER = Table(
    "answers",
    "a row of an answer",
    tuple(column for tables in TABLES.values() for table in tables for column in table.columns),
)


def pull(options: argparse.Namespace) -> None:
    """Load, and write or count. A file that a spreadsheet opens is masked unless asked for."""
    resource = RESOURCES[options.resource]
    encode = _encoder(options.out)
    shown = _recipients_shown(options, otherwise="full")
    span = {"since": options.since, "until": options.until}
    filters = _filters(options, resource)
    with account(options) as client:
        if options.dry_run:
            # The explorer's sentences need widgets, which no other command has to wait for.
            from plivo_analysis.explorer import load_cost, wording  # noqa: PLC0415

            given = {name: value for name, value in (span | filters).items() if value is not None}
            cost = load_cost.load_cost(load_cost.LoadRequest(client, resource, given))
            print(*wording.before(cost, resource.noun), sep="\n")
            return
        frame = _LOADERS[resource.name](
            **span,
            **filters,
            client=client,
            backend="polars",
            recipients=shown,
            progress=False if options.quiet else None,
        )
        # What is not fit for analysis is in no table, so that its rows are a lower bound.
        some_set_aside = issues(resource.name, **span, client=client)["set_aside"].any()
    if encode is not None:
        write_atomically(options.out, encode(frame), private=True)
    if not options.quiet:
        place = f" in {options.out.resolve()}" if options.out else ", kept in the store"
        at_least = "at least " if some_set_aside else ""
        print(f"{at_least}{plural(frame.height, resource.noun)}{place}")


def estimate(options: argparse.Namespace) -> None:
    """Print the estimate as a sentence and, by groups, as a table."""
    within = _share(options.within)
    with account(options) as client:
        found = estimated(
            since=options.since,
            until=options.until,
            by=[_GROUPS.get(name, name) for name in options.by],
            within=within,
            requests=options.requests,
            **_filters(options, SESSION_RESOURCE),
            client=client,
            backend="polars",
            progress=False if options.quiet else None,
        )
    print(found)
    if options.by:
        print_table(_in_words(found))


def _in_words(found: Estimate) -> pl.DataFrame:
    """The groups of an estimate: each number with its interval, as screen and report show it."""
    numbers = {
        measure: [
            words.value + (f" ({words.interval})" if words.interval else "")
            for row in found.frame.rows(named=True)
            for words in [group_text(row, measure, found.currency, exact=found.exact)]
        ]
        for measure in MEASURES
    }
    groups: pl.DataFrame = found.frame.select(pl.selectors.string())
    return groups.with_columns(
        pl.Series(measure, texts, pl.String) for measure, texts in numbers.items()
    )


def sql(options: argparse.Namespace) -> None:
    """Answer one statement from the store; the server is asked nothing."""
    encode = _encoder(options.out)
    shown = _recipients_shown(options, otherwise="full" if options.out else "masked")
    with account(options) as client, connect(client) as connection:
        import duckdb  # noqa: PLC0415 - an extra, which `connect` has found to be there

        rows, reason = None, "Give one that begins with SELECT or FROM."
        try:
            # A statement that writes could change the store or leave files: only a query runs.
            kinds = [
                statement.type for statement in connection.extract_statements(options.statement)
            ]
            if kinds == [duckdb.StatementType.SELECT]:
                rows = connection.sql(options.statement).pl()
        except duckdb.Error as error:
            # The first sentence; a value that did not fit may be a telephone number.
            reason = mask_text(str(error).splitlines()[0])
        if rows is None:
            raise FilterError(f"This statement cannot be answered. {reason}")
        frame = disguise(rows, _ANSWER, shown, client.store)
    if encode is None:
        print_table(frame)
    else:
        write_atomically(options.out, encode(frame), private=True)
        print(f"{plural(frame.height, 'row')} in {options.out.resolve()}")


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


def _filters(options: argparse.Namespace, resource: Resource) -> dict[str, Any]:
    return {parameter.name: getattr(options, parameter.name) for parameter in resource.parameters}


def _share(text: str | None) -> float | None:
    """A width as a part of one, from "5%" or "0.05"."""
    if text is None:
        return None
    try:
        number = float(text.removesuffix("%"))
    except ValueError:
        raise FilterError(f"--within is {text!r}; it takes 5% or 0.05.") from None
    return number / 100 if text.endswith("%") else number


def _recipients_shown(options: argparse.Namespace, *, otherwise: str) -> str:
    """How numbers are shown where the command does not say: masked in a spreadsheet."""
    if options.recipients is not None:
        return str(options.recipients)
    return "masked" if options.out and options.out.suffix == _SPREADSHEET else otherwise


def _encoder(path: Path | None) -> Callable[[pl.DataFrame], bytes] | None:
    """What makes a file of this name of a table; None where no file is named.

    Raises:
        FilterError: It is no file that a table can be written to.
    """
    if path is None:
        return None
    encoders = {".parquet": parquet_bytes, _SPREADSHEET: csv_bytes}
    # Both are told before the pull: afterwards the requests would have been spent for nothing.
    if path.suffix not in encoders:
        raise FilterError(f"--out is {str(path)!r}; it takes a .parquet or a .csv file.")
    if not path.parent.is_dir():
        raise FilterError(f"--out: there is no folder {str(path.parent)!r}; make it first.")
    return encoders[path.suffix]
