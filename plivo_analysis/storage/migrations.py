"""The store's tables, and how an older file is brought to their present form.

``PRAGMA user_version`` says which form a file has. ``FORMS[n]`` holds the statements that lead
from form n to form n + 1; a new file runs all of them. To change a table after a release,
append a form and leave the earlier ones as they are: files of every release must still open.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

# Instants are microseconds. A scope is the keyed hash of a filter, empty for none: filters hold
# telephone numbers. `read_at` is the account's time when the answer came.
#
# `record` is stored in the order in which rows came: stored by key, each of a page's twenty rows
# would dirty a database page of its own, since keys are random. Its index by key does so, and is
# half of what SQLite spends on a page. So it is kept small: eight characters tell nearly all keys
# apart, and what looks a key up compares the whole of it as well. No constraint can then say that
# a key comes once; `Merging` looks keys up in the transaction that writes them.
#
# A record is final once it was read at or after `final_at`, the moment from which it may no longer
# change.
#
# `day.changes` counts the changes of a day's records in the transaction that makes them. A
# Parquet file notes the count it was made at and is valid as long as the two are equal; so a
# row of `day` is never deleted, which would let the count begin again.
_FIRST = """
CREATE TABLE page (
    id INTEGER PRIMARY KEY,
    resource TEXT NOT NULL,
    query TEXT NOT NULL,
    body BLOB NOT NULL,
    read_at INTEGER NOT NULL,
    first INTEGER NOT NULL,
    last INTEGER NOT NULL,
    redacted INTEGER NOT NULL
) STRICT;
CREATE TABLE record (
    id INTEGER PRIMARY KEY,
    resource TEXT NOT NULL,
    key TEXT NOT NULL,
    instant INTEGER NOT NULL,
    open INTEGER NOT NULL,
    final_at INTEGER NOT NULL,
    raw TEXT NOT NULL,
    page INTEGER NOT NULL,
    read_at INTEGER NOT NULL,
    checksum INTEGER NOT NULL
) STRICT;
CREATE INDEX record_by_key ON record (substr(key, 1, 8));
CREATE INDEX record_by_instant ON record (resource, instant);
CREATE INDEX record_not_final ON record (resource, instant) WHERE final_at > read_at;
CREATE TABLE history (
    resource TEXT NOT NULL,
    key TEXT NOT NULL,
    raw TEXT NOT NULL,
    page INTEGER NOT NULL,
    read_at INTEGER NOT NULL
) STRICT;
CREATE INDEX history_by_key ON history (resource, key);
CREATE TABLE note (
    resource TEXT NOT NULL,
    key TEXT NOT NULL,
    instant INTEGER,
    code TEXT NOT NULL,
    path TEXT NOT NULL,
    value TEXT NOT NULL,
    read_at INTEGER NOT NULL,
    PRIMARY KEY (resource, key, code, path)
) STRICT, WITHOUT ROWID;
CREATE TABLE set_aside (
    resource TEXT NOT NULL,
    key TEXT NOT NULL,
    instant INTEGER NOT NULL,
    raw TEXT NOT NULL,
    page INTEGER NOT NULL,
    read_at INTEGER NOT NULL,
    PRIMARY KEY (resource, key)
) STRICT;
CREATE TABLE scope (
    scope TEXT PRIMARY KEY,
    shown TEXT NOT NULL,
    numbers TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE listed (
    resource TEXT NOT NULL,
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    PRIMARY KEY (resource, scope, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE completed_range (
    resource TEXT NOT NULL,
    scope TEXT NOT NULL,
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    read_at INTEGER NOT NULL,
    flags TEXT NOT NULL,
    checksum INTEGER NOT NULL
) STRICT;
CREATE INDEX completed_range_by_scope ON completed_range (resource, scope, start);
CREATE TABLE checkpoint (
    resource TEXT NOT NULL,
    scope TEXT NOT NULL,
    "end" INTEGER NOT NULL,
    reached INTEGER NOT NULL,
    state TEXT NOT NULL,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (resource, scope, "end")
) STRICT, WITHOUT ROWID;
CREATE TABLE lease (
    owner TEXT PRIMARY KEY,
    resource TEXT NOT NULL,
    scope TEXT NOT NULL,
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    bottom INTEGER NOT NULL,
    beat INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE fact (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE day (
    resource TEXT NOT NULL,
    day INTEGER NOT NULL,
    records INTEGER NOT NULL,
    changes INTEGER NOT NULL,
    PRIMARY KEY (resource, day)
) STRICT, WITHOUT ROWID;
CREATE TABLE parquet_file (
    resource TEXT NOT NULL,
    day INTEGER NOT NULL,
    name TEXT NOT NULL,
    changes INTEGER NOT NULL,
    maker TEXT NOT NULL,
    size INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (resource, day, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE tombstone (
    digest TEXT PRIMARY KEY,
    digits INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
"""

FORMS: tuple[str, ...] = (_FIRST,)
TABLES = frozenset(re.findall(r"CREATE TABLE (\w+)", "".join(FORMS)))


def form_of(connection: sqlite3.Connection) -> int:
    """The form that a file has; 0 where it is new and empty."""
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a file to the present form, in one transaction.

    A process killed on the way leaves the old form, never one between. The form is read again
    within the transaction: another process may have done the work while this one waited.
    """
    connection.execute("BEGIN IMMEDIATE")
    try:
        for form in FORMS[form_of(connection) :]:
            for statement in form.split(";\n"):
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version={len(FORMS)}")
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise
