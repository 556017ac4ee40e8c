"""``sql``: ask what is stored in SQL, and print the answer or write it to a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from plivo_analysis.cli.accounts import account
from plivo_analysis.cli.output import print_table, recipients_shown, writer
from plivo_analysis.errors import FilterError
from plivo_analysis.loaders.recipients import disguise
from plivo_analysis.loaders.scan import connect
from plivo_analysis.storage.parquet_cache import TABLES
from plivo_analysis.values.masking import mask_text
from plivo_analysis.values.table_types import Table

if TYPE_CHECKING:
    import argparse

# Says of the columns of all four tables, under their own names, what they hold of numbers. A
# column that the statement makes is in none, and any number in its text is masked.
_ANSWER = Table(
    "answers",
    "a row of an answer",
    tuple(column for tables in TABLES.values() for table in tables for column in table.columns),
)


def sql(options: argparse.Namespace) -> None:
    """Answer one statement from the store; the server is asked nothing."""
    write = writer(options.out)
    shown = recipients_shown(options, otherwise="full" if options.out else "masked")
    with account(options) as client, connect(client) as connection:
        import duckdb  # noqa: PLC0415 - an extra, which `connect` has found to be there

        rows, reason = None, "Give one that begins with SELECT or FROM."
        try:
            kinds = [one.type for one in connection.extract_statements(options.statement)]
            if kinds == [duckdb.StatementType.SELECT]:
                rows = connection.sql(options.statement).pl()
        except duckdb.Error as error:
            # The first sentence; a value that did not fit may be a telephone number.
            reason = mask_text(str(error).splitlines()[0])
        if rows is None:
            raise FilterError(f"This statement cannot be answered. {reason}")
        frame = disguise(rows, _ANSWER, shown, client.store)
    if write is None:
        print_table(frame)
    else:
        write(frame, options.out)
        print(f"{frame.height:,} rows in {options.out.resolve()}")
