"""DATA.md: the tables, the filters and the words of the trade, written out from the declarations.

``python docs/data_page.py`` prints it; a test fails when the file is stale.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import plivo_analysis
from plivo_analysis.api.columns import MESSAGES, SESSIONS
from plivo_analysis.api.resources import RESOURCES
from plivo_analysis.loaders.coverage import COVERAGE, ISSUES
from plivo_analysis.tables.exploded_columns import ATTEMPTS, CHARGES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from plivo_analysis.api.resources import Resource
    from plivo_analysis.values.table_types import Column, Table

_INTRODUCTION = """\
# Data

Every table of this package: what one row is, and what each column holds. This file is
written from the tables as data by `make data`: the `columns.py` of a room, and beside each metric
the columns of its result.

Text is plain text, counts are whole numbers, rates are fractions between 0 and 1 (changes of
rates between −1 and 1), numbers are floats in the unit that stands beside them, times are in UTC
to the microsecond, money is decimal with 8 digits after the point, telephone numbers are
text. A value that is not known is null, which is never the same as 0. Columns in italics are
computed here; the others keep the API's own names and words.
"""

_WORDS = {
    "session": "One verification: one recipient within the life of one code. Every attempt of a "
    "session delivers the same code.",
    "attempt": "One delivery of the code on one channel.",
    "channel": "How an attempt is delivered: sms, voice, whatsapp. A session's own channel is "
    "the last one used; its entry channel is that of the earliest attempt.",
    "settled": "A session that is verified or expired. One in progress is open.",
    "conversion": "Verified sessions ÷ settled sessions; here called the success rate.",
    "fallback": "A change of channel between two attempts of a session. It says what happened, "
    "not who decided it.",
    "retry": "Another attempt on the same channel.",
    "rescue": "A session that fell back and verified. Which attempt's code was used cannot be "
    "known, so that a rescue is a range: certain, by the last channel used, possible.",
    "cost per verification": "What settled sessions cost ÷ those that verified, failures "
    "included; `direct` leaves the failures out.",
    "waste": "What settled sessions cost that did not verify.",
    "validation": "The part of a session's price that is billed for the check of the code.",
    "unallocated": "What a session was billed beyond its known lines; negative where less.",
    "derived": "The one missing charge of a session, worked out as the positive remainder.",
    "message detail record (MDR)": "What the API keeps of one message.",
}

_FILTERS = """\
## Filters

What the loaders, the command line (with hyphens for underscores) and the explorer can ask the
API for. A filter that a column confirms is checked again on every row; of one that none
confirms, only the server's own list says which records passed it. What may change for a record
while its list is read makes the list less than a snapshot.
"""

_LOADED = (SESSIONS, MESSAGES)
_EXPLODED = (ATTEMPTS, CHARGES)
_METRICS = ("plivo_analysis.metrics", "plivo_analysis.insights")
_RECEIPTS = (COVERAGE, ISSUES)


def markdown() -> str:
    """The text of DATA.md.

    Example:
        >>> markdown().startswith("# Data")
        True
    """
    chapters = [
        ("Loaded from the API", "", _LOADED),
        ("Exploded", "One row an attempt, one row a line of the bill.", _EXPLODED),
        (
            "Results of metrics",
            "The columns of `by`, and `period` where `every` is given, come before these.",
            _results(),
        ),
        ("About the data", "", _RECEIPTS),
    ]
    parts = [_INTRODUCTION]
    for title, sentence, tables in chapters:
        parts.append(f"## {title}\n")
        if sentence:
            parts.append(f"{sentence}\n")
        parts += [_table(table) for table in tables]
        if tables is _LOADED:
            parts.append(_FILTERS)
            parts += [_filters(resource) for resource in RESOURCES.values()]
    parts.append("## Words\n")
    parts.append("".join(f"- **{word}** — {meaning}\n" for word, meaning in _WORDS.items()))
    return "\n".join(parts)


def _results() -> list[Table]:
    """The results of the public metrics: a metric's stands beside it, named as it is."""
    found = []
    for name in plivo_analysis.__all__:
        module = getattr(getattr(plivo_analysis, name), "__module__", None) or ""
        if module.startswith(_METRICS):
            found.append(vars(sys.modules[module]).get(name.upper()))
    return [table for table in found if table is not None]


def _filters(resource: Resource) -> str:
    head = "| filter | takes | confirmed by | may change | meaning |\n|---|---|---|---|---|\n"
    rows = "".join(
        f"| `{parameter.name}` "
        f"| {', '.join(f'`{word}`' for word in parameter.choices) or parameter.kind} "
        f"| {f'`{parameter.column}`' if parameter.column else 'no column'} "
        f"| {'yes' if parameter.changes else 'no'} | {parameter.meaning} |\n"
        for parameter in resource.parameters
    )
    return f"### Filters of {resource.name}\n\n{head}{rows}"


def _table(table: Table) -> str:
    key = f" Key: {', '.join(f'`{name}`' for name in table.key)}." if table.key else ""
    head = "| column | kind | unit | null | meaning |\n|---|---|---|---|---|\n"
    return f"### {table.name}\n\n{table.row}{key}\n\n{head}{''.join(_rows(table.columns))}"


def _rows(columns: Iterable[Column], prefix: str = "") -> Iterable[str]:
    for column in columns:
        name = f"`{prefix}{column.name}`"
        shown = f"*{name}*" if column.computed else name
        null = "yes" if column.nullable else "no"
        yield f"| {shown} | {column.kind} | {column.unit} | {null} | {column.meaning} |\n"
        yield from _rows(column.fields, f"{prefix}{column.name}[].")


if __name__ == "__main__":
    sys.stdout.write(markdown())
