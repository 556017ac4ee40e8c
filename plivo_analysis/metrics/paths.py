"""The ways that sessions took through the channels."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import narwhals as nw

from plivo_analysis.api.words import VERIFIED, fold_status
from plivo_analysis.metrics.cautions import refuse_mixed_currencies
from plivo_analysis.metrics.columns import CHANNEL_PATHS
from plivo_analysis.metrics.grouping import Grouping, Key
from plivo_analysis.metrics.inputs import open_sessions
from plivo_analysis.metrics.money import Money
from plivo_analysis.tables.convert import result

if TYPE_CHECKING:
    from collections.abc import Iterable


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
        SchemaError: A column is missing, a ``session_uuid`` comes twice, or the
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
    lazy, names = open_sessions(sessions, by, CHANNEL_PATHS, needed)
    refuse_mixed_currencies(sessions, names)
    grouping = Grouping(names, CHANNEL_PATHS)
    counted = grouping.count(
        lazy.filter(~nw.col("path").is_null()),
        "path",
        "status",
        money={"charge": "total_charge"},
    )
    groups: defaultdict[Key, _Path] = defaultdict(_Path)
    for row in counted:
        groups[(*grouping.key(row), row["path"])].add(row)
    paths = [(key[:-1], group.row(key[-1])) for key, group in groups.items()]
    ordered = grouping.frame(paths, counted.schema, lambda row: (-row["sessions"], row["path"]))
    return result(ordered, sessions)


@dataclass(slots=True)
class _Path:
    sessions: int = 0
    verified: int = 0
    charge: Money = field(default_factory=Money)

    def add(self, row: dict[str, Any]) -> None:
        self.sessions += row["__rows"]
        self.verified += row["__rows"] * (fold_status(row["status"]) == VERIFIED)
        self.charge.add(row["__charge"], row["__rows"], row["__no_charge"])

    def row(self, path: str) -> dict[str, Any]:
        return {
            "path": path,
            "sessions": self.sessions,
            "verified": self.verified,
            "total_charge": self.charge.amount,
            "unpriced": self.charge.unknown,
        }
