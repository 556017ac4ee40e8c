"""The ways that sessions took through the channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import narwhals as nw
import polars as pl

from plivo_analysis.api.columns import SESSIONS
from plivo_analysis.api.vocabulary import VERIFIED, fold_status
from plivo_analysis.metrics.engines import ROWS
from plivo_analysis.metrics.grouping import Grouping, count_column, sum_column
from plivo_analysis.metrics.money import money_of
from plivo_analysis.values.table_types import Kind, Table, computed

if TYPE_CHECKING:
    from collections.abc import Iterable

CHANNEL_PATHS = Table(
    name="channel_paths",
    row="A path of channels, and the sessions that took it.",
    columns=(
        computed("path", Kind.TEXT, "The channels in order: sms → voice.", nullable=True),
        count_column("sessions", "Of any status, with an attempt.", "sessions"),
        count_column("verified", "Of these, verified.", "sessions"),
        sum_column("total_charge", "What they were billed."),
        count_column("unpriced", "Sessions without a total_charge.", "sessions"),
    ),
)


def channel_paths(sessions: Any, by: str | Iterable[str] = ()) -> Any:
    """How many sessions took each path of channels, how many of them ended verified.

    A path is the channels of a session's attempts in the order of time, ``"sms → voice"``. A
    second send on the same channel shows as such (``"sms → sms"``): a retry, as Didit and
    LOX24 count it. Sessions of every status are in, those without an attempt are not.

    Args:
        sessions: A sessions table on any engine: polars (eager, lazy), pandas, pyarrow, a
            DuckDB relation, PySpark. Only ``session_uuid``, ``path``, ``status``,
            ``total_charge`` and the ``by`` columns are read.
        by: Columns of sessions to group by.

    Returns:
        A small frame (pandas for pandas, else polars): the ``by`` columns, then ``path,
        sessions, verified`` (sessions), ``total_charge`` (decimal, the account's currency;
        null where none is known), ``unpriced`` (sessions without one). Sorted by the ``by``
        columns, then ``sessions`` descending, then ``path``.

    Raises:
        SchemaError: A column is missing, ``by`` names ``channel`` (a session's last one), a
            ``session_uuid`` comes twice, or the
            charges are of several currencies, by a column ``currency``.

    Example:
        >>> from decimal import Decimal
        >>> import polars as pl
        >>> sessions = pl.DataFrame({"session_uuid": ["a"], "path": ["sms → voice"],
        ...                          "status": ["verified"], "total_charge": [Decimal("0.113")]})
        >>> channel_paths(sessions).rows()
        [('sms → voice', 1, 1, Decimal('0.11300000'), 0)]
    """
    needed = ["path", "status", "total_charge"]
    grouping = Grouping.of(sessions, by, CHANNEL_PATHS, SESSIONS, needed)
    counted = grouping.count(
        {"path": None, "status": fold_status},
        sums={"charge": "total_charge"},
        where=~nw.col("path").is_null(),
    )
    groups = grouping.sum(
        counted,
        "__path",
        sessions=ROWS,
        verified=ROWS.filter(pl.col("__status") == VERIFIED),
        total_charge=money_of("charge"),
    )
    return grouping.frame(
        groups,
        lambda group: {"unpriced": group["total_charge"].unknown},
        order={"__sessions": True, "__path": False},
    )
