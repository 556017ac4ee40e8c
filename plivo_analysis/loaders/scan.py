"""What is stored, for more rows than fit the memory: a lazy polars table, or SQL in DuckDB.

Complete days are read from the Parquet files that the store keeps; the other days, such as
today, are in memory, parsed once. Nothing is asked of the server.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from plivo_analysis.api.checks import checked_word
from plivo_analysis.api.times import parse_instant
from plivo_analysis.errors import FilterError, PlivoAnalysisError
from plivo_analysis.loaders.answer import account
from plivo_analysis.storage.day_files import TABLES, resource_of
from plivo_analysis.storage.parquet_cache import locate
from plivo_analysis.sync.reader import RETENTION
from plivo_analysis.tables.convert import plain_arrow
from plivo_analysis.values.spans import EVER, Span, to_us

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

    from plivo_analysis.client import Client
    from plivo_analysis.loaders.answer import Instant

_TABLES = {table.name: table for tables in TABLES.values() for table in tables}


def scan(
    table: str, *, since: Instant = None, until: Instant = None, client: Client | None = None
) -> pl.LazyFrame:
    """Look at what is stored without loading it: the server is asked nothing.

    Every metric takes the result, and needs the memory of its answer rather than that of the
    rows. What else is done with it is up to polars: ``.filter``, ``.group_by``,
    ``.collect(engine="streaming")``, ``.sink_parquet(path)``.

    Args:
        table: ``"sessions"``, ``"attempts"``, ``"charges"`` or ``"messages"``; the attempts and
            charges are those of :func:`explode_attempts` and :func:`explode_charges`.
        since: The start, in the forms that :func:`load_sessions` takes; by default whatever is
            stored, however old. Days before it are not opened.
        until: The end, not included; by default as far as there is something.
        client: The account; by default the environment's.

    Returns:
        The table, with the columns and order of the loaded one. :func:`coverage` says how whole
        the range is. The table is what is stored now: after a pull, a purge or ``forget``,
        scan again.

    Raises:
        FilterError: An argument is wrong.
        SchemaError: A session's money is beyond all bounds, so that it has no attempts or charges.

    Example:
        >>> import plivo_analysis as pva
        >>> client = pva.demo(sessions=200)
        >>> sessions = pva.load_sessions(since="90d", client=client)
        >>> pva.scan("sessions", client=client).collect().equals(sessions)
        True
        >>> attempts = pva.scan("attempts", since="30d", client=client)
        >>> pva.fallback_rates(attempts).height > 1
        True
    """
    wanted = _TABLES[checked_word("table", table, tuple(_TABLES))]
    of = account(client)
    now = of.now()
    start = EVER.start if since is None else to_us(parse_instant(since, now=now, name="since"))
    end = EVER.end if until is None else to_us(parse_instant(until, now=now, name="until"))
    if start >= end:
        raise FilterError("The time range holds no time. Give a since that is earlier than until.")
    span = Span(start, end)
    places = locate(of.store, wanted, span, oldest=to_us(now) - RETENTION)
    parts = [pl.scan_parquet(at) if isinstance(at, list) else at.lazy() for at in places]
    stored = pl.concat(parts or [wanted.polars().to_frame().lazy()])
    if span == EVER:
        return stored
    first, last = span.datetimes()
    return stored.filter(pl.col(resource_of(wanted).instant).is_between(first, last, closed="left"))


def connect(client: Client | None = None) -> DuckDBPyConnection:
    """What is stored, in SQL: a DuckDB connection with four views; the server is asked nothing.

    Args:
        client: The account; by default the environment's.

    Returns:
        A connection of its own with the views ``sessions``, ``attempts``, ``charges`` and
        ``messages``, whose columns DATA.md names. Its time zone is UTC. No statement on a view
        can change the store. The views are what is stored now: after a pull, a purge or
        ``forget``, connect again.

    Raises:
        PlivoAnalysisError: DuckDB is not installed; it comes with the extra ``sql``.
        SchemaError: A session's money is beyond all bounds, so that it has no attempts or charges.

    Example:
        >>> import plivo_analysis as pva
        >>> client = pva.demo(sessions=200)
        >>> sessions = pva.load_sessions(since="90d", client=client)
        >>> with pva.connect(client) as sql:
        ...     sql.sql("SELECT count(*) FROM sessions").fetchall()
        [(200,)]
    """
    of = account(client)
    try:
        import duckdb  # noqa: PLC0415 - an extra, and only this needs it
    except ImportError:
        raise PlivoAnalysisError(
            "SQL needs DuckDB, which is not installed: pip install 'plivo_analysis[sql]'."
        ) from None
    connection = duckdb.connect()
    # In another zone, days and hours would silently be those of this computer.
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("CREATE SCHEMA rest")  # the days without files; the views alone are in main
    oldest = to_us(of.now()) - RETENTION
    for name, table in _TABLES.items():
        places = locate(of.store, table, EVER, oldest=oldest)
        rest = [table.polars().to_frame(), *(at for at in places if isinstance(at, pl.DataFrame))]
        connection.register("given", plain_arrow(pl.concat(rest)))
        connection.execute(f"CREATE TABLE rest.{name} AS FROM given")
        connection.unregister("given")
        files = [str(path) for at in places if isinstance(at, list) for path in at]
        select = f"FROM rest.{name}"
        if files:
            select += f" UNION ALL FROM read_parquet([{', '.join(map(_quoted, files))}])"
        connection.execute(f"CREATE VIEW {name} AS {select}")
    return connection


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
