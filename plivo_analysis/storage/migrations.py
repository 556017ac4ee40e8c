"""The store's tables, form by form: what each release of them added to the one before.

The file says in ``user_version`` which form it has. A new file goes through all of them, an
old one through those that it lacks, in one transaction: a process killed on the way leaves
the old form, never one between. A form that was released is never changed.
"""

from __future__ import annotations

_FIRST = """
CREATE TABLE page (
    id INTEGER PRIMARY KEY,
    resource TEXT NOT NULL,
    query TEXT NOT NULL,
    body BLOB NOT NULL,
    read_at INTEGER NOT NULL
) STRICT;
CREATE TABLE record (
    resource TEXT NOT NULL,
    key TEXT NOT NULL,
    instant INTEGER NOT NULL,
    open INTEGER NOT NULL,
    final_at INTEGER NOT NULL,
    raw TEXT NOT NULL,
    page INTEGER NOT NULL,
    read_at INTEGER NOT NULL,
    PRIMARY KEY (resource, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX record_by_instant ON record (resource, instant);
CREATE INDEX record_not_final ON record (resource, instant) WHERE final_at > 0;
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
    raw TEXT NOT NULL,
    page INTEGER NOT NULL,
    read_at INTEGER NOT NULL,
    PRIMARY KEY (resource, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE member (
    resource TEXT NOT NULL,
    scope TEXT NOT NULL,
    key TEXT NOT NULL,
    PRIMARY KEY (resource, scope, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE complete (
    resource TEXT NOT NULL,
    scope TEXT NOT NULL,
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    read_at INTEGER NOT NULL,
    flags TEXT NOT NULL
) STRICT;
CREATE INDEX complete_by_scope ON complete (resource, scope, start);
CREATE TABLE bookmark (
    resource TEXT NOT NULL,
    scope TEXT NOT NULL,
    "end" INTEGER NOT NULL,
    reached INTEGER NOT NULL,
    anchor TEXT NOT NULL,
    PRIMARY KEY (resource, scope, "end")
) STRICT, WITHOUT ROWID;
CREATE TABLE fact (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""

# Seals find what a flipped bit changed. Days are counted, so that none of their records can
# go missing in silence, and their changes are, so that what is derived of them can be judged.
_SECOND = """
ALTER TABLE page ADD COLUMN cut INTEGER NOT NULL DEFAULT 0;
ALTER TABLE record ADD COLUMN seal INTEGER NOT NULL DEFAULT 0;
UPDATE record SET seal = seal(resource, key, instant, open, final_at, raw);
ALTER TABLE complete ADD COLUMN seal INTEGER NOT NULL DEFAULT 0;
UPDATE complete SET seal = seal(resource, scope, start, "end", read_at, flags);
CREATE TABLE day (
    resource TEXT NOT NULL,
    day INTEGER NOT NULL,
    records INTEGER NOT NULL,
    changes INTEGER NOT NULL,
    PRIMARY KEY (resource, day)
) STRICT, WITHOUT ROWID;
INSERT INTO day SELECT resource, day_of(instant), COUNT(*), 1 FROM record GROUP BY 1, 2;
CREATE TABLE segment (
    resource TEXT NOT NULL,
    day INTEGER NOT NULL,
    part TEXT NOT NULL,
    changes INTEGER NOT NULL,
    maker TEXT NOT NULL,
    size INTEGER NOT NULL,
    crc INTEGER NOT NULL,
    PRIMARY KEY (resource, day, part)
) STRICT, WITHOUT ROWID;
CREATE TABLE forgotten (
    digest TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;
"""

# Who is reading which range at the moment.
_THIRD = """
CREATE TABLE claim (
    owner TEXT PRIMARY KEY,
    resource TEXT NOT NULL,
    scope TEXT NOT NULL,
    start INTEGER NOT NULL,
    "end" INTEGER NOT NULL,
    bottom INTEGER NOT NULL,
    beat INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
"""

# A bookmark holds all that a walk knows, not only how far it has come. Records lie in the
# order in which they came: by key, each would touch pages of its own, and most would spill.
_FOURTH = """
ALTER TABLE record RENAME TO record_by_key;
DROP INDEX record_by_instant;
DROP INDEX record_not_final;
CREATE TABLE record (
    resource TEXT NOT NULL,
    key TEXT NOT NULL,
    instant INTEGER NOT NULL,
    open INTEGER NOT NULL,
    final_at INTEGER NOT NULL,
    raw TEXT NOT NULL,
    page INTEGER NOT NULL,
    read_at INTEGER NOT NULL,
    seal INTEGER NOT NULL,
    PRIMARY KEY (resource, key)
) STRICT;
INSERT INTO record SELECT * FROM record_by_key ORDER BY page;
DROP TABLE record_by_key;
CREATE INDEX record_by_instant ON record (resource, instant);
CREATE INDEX record_not_final ON record (resource, instant) WHERE final_at > 0;
DROP TABLE bookmark;
CREATE TABLE bookmark (
    resource TEXT NOT NULL,
    scope TEXT NOT NULL,
    "end" INTEGER NOT NULL,
    reached INTEGER NOT NULL,
    walk TEXT NOT NULL,
    seal INTEGER NOT NULL,
    PRIMARY KEY (resource, scope, "end")
) STRICT, WITHOUT ROWID;
"""

FORMS = (_FIRST, _SECOND, _THIRD, _FOURTH)
VERSION = len(FORMS)
TABLES = frozenset(
    {
        "page",
        "record",
        "history",
        "note",
        "set_aside",
        "member",
        "complete",
        "bookmark",
        "fact",
        "day",
        "segment",
        "forgotten",
        "claim",
    }
)


def statements(form: str) -> list[str]:
    """The statements of a form, one by one, so that they can stand in one transaction.

    Example:
        >>> [len(statements(form)) for form in FORMS]
        [13, 9, 1, 10]
    """
    return [statement for part in form.split(";\n") if (statement := part.strip())]
