"""A metric's frame as plain rows, and which of its columns group it.

Figures draw a few rows, so they leave the dataframe behind at once: Python values, lists in
traces (a figure's JSON stays readable), one code for polars and pandas.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from plivo_analysis.api.vocabulary import UNKNOWN
from plivo_analysis.figures import style
from plivo_analysis.metrics.cautions import currencies
from plivo_analysis.metrics.grouping import PERIOD
from plivo_analysis.tables.checks import column_names, table_rows
from plivo_analysis.tables.explode import CURRENCY
from plivo_analysis.values.typesetting import clean, weekday

if TYPE_CHECKING:
    from collections.abc import Sequence

    from plivo_analysis.values.table_types import Table

CHANNELS = frozenset({"channel", "entry_channel"})
HOUR_COLUMN = "hour"  # of the day, which analysts add to group by
_COLUMN_NAMES = {
    HOUR_COLUMN: "hour of day",
    "destination_country_iso2": "country",
    "app_uuid": "application",
    "alias": "application",
}

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class MetricRows:
    """The rows of a metric's frame.

    Args:
        rows: Each row as a dictionary of Python values.
        by: The columns that group it, without the period.
        periodic: Whether it has a period.
        currencies: The currencies that the frame itself names.

    Example:
        >>> table = MetricRows(rows=[{"channel": "sms"}], by=("channel",), periodic=False)
        >>> table.channel, table.colour(table.rows[0])
        ('channel', '#3D6DB5')
    """

    rows: list[Row]
    by: tuple[str, ...]
    periodic: bool
    currencies: tuple[str, ...] = ()

    @property
    def channel(self) -> str | None:
        """The first grouping column that holds channels."""
        return next((column for column in self.by if column in CHANNELS), None)

    def channel_of(self, row: Row) -> str:
        """The channel of a row; empty where the table has no channels."""
        return str(row[self.channel] or UNKNOWN) if self.channel else ""

    def colour(self, row: Row) -> str:
        """The colour of a row's channel, or the grey of "all" where the table has no channels."""
        return style.colour(row[self.channel]) if self.channel else style.ALL_COLOUR

    def groups(self, columns: Sequence[str]) -> dict[tuple[Any, ...], list[Row]]:
        """The rows of each group by some columns: channels in their order, others as they come."""
        found: dict[tuple[Any, ...], list[Row]] = {}
        for row in self.rows:
            found.setdefault(key(row, columns), []).append(row)
        if columns and columns[0] in CHANNELS:
            return {group: found[group] for group in sorted(found, key=lambda g: style.place(g[0]))}
        return found


def metric_rows(frame: Any, metric: Table) -> MetricRows:
    """Read a metric's frame of any engine.

    Args:
        frame: What the metric gave, polars or pandas.
        metric: The table that it gives; whatever else the frame has groups it.

    Raises:
        SchemaError: When the frame lacks one of the metric's columns.

    Example:
        >>> import polars as pl
        >>> from plivo_analysis.metrics.spend import SPEND
        >>> counted = {"lines": [2], "amount": [None], "unpriced": [2]}
        >>> metric_rows(pl.DataFrame({"channel": ["sms"]} | counted), SPEND).by
        ('channel',)
    """
    rows = table_rows(frame, metric.names, f"This draws what {metric.name} gives")
    names = column_names(frame)
    # A metric's result tells its grouping by its columns: those that the metric did not add.
    by = [name for name in names if name not in {*metric.names, PERIOD}]
    labels = {row[CURRENCY] for row in rows} if CURRENCY in by else set()
    # One currency of all rows tells no groups apart, and would stand in each label and heading.
    if len(labels) == 1 and any(labels):
        by.remove(CURRENCY)
    return MetricRows(rows, tuple(by), PERIOD in names, tuple(currencies(frame)))


def key(row: Row, columns: Sequence[str]) -> tuple[Any, ...]:
    """The values of some columns of a row.

    Example:
        >>> key({"a": 1, "b": 2}, ["b"])
        (2,)
    """
    return tuple(row[column] for column in columns)


def group_title(group: Sequence[Any], columns: Sequence[str]) -> str:
    """A group's name for people, not yet escaped.

    Example:
        >>> group_title(("sms", None), ("entry_channel", "alias"))
        'SMS · not given'
        >>> group_title((8,), ("hour",)), group_title((), ())
        ('08:00', 'All')
        >>> group_title((datetime(2026, 10, 14),), ("period",))
        'Wed 14 Oct'
    """
    return (
        " · ".join(
            style.name(value) if column in CHANNELS else clean(_value_text(value, column))
            for value, column in zip(group, columns, strict=True)
        )
        or "All"
    )


def grouped_by(columns: Sequence[str]) -> str:
    """What a heading says of the grouping columns; nothing where there are none.

    Example:
        >>> grouped_by(("entry_channel",)), grouped_by(("hour", "alias")), grouped_by(())
        (' by entry channel', ' by hour of day and application', '')
    """
    names = [style.label(_COLUMN_NAMES.get(name, name.replace("_", " "))) for name in columns]
    return f" by {' and '.join(names)}" if names else ""


def _value_text(value: Any, column: str) -> str:
    if value is None:
        return "not given"
    if isinstance(value, datetime):
        return weekday(value)
    return f"{value:02}:00" if column == HOUR_COLUMN and isinstance(value, int) else str(value)
