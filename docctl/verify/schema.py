"""Checks the database itself: its pages, keys, pragmas, and that every table, index and trigger is as migrations make it."""

import tempfile
from functools import cache
from pathlib import Path

from sqlalchemy import Connection, text

from docctl.database import PRAGMAS, Database, upgrade
from docctl.verify.findings import Findings

# The version row is data; statistics and bookkeeping are SQLite's own.
OBJECTS = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%' ORDER BY type, name"
VERSION = "SELECT version_num FROM alembic_version"

Made = dict[tuple[str, str], tuple[str, str | None]]


def check(connection: Connection, findings: Findings) -> None:
    """Check the database; on PostgreSQL, whose server keeps its own pages and keys, there is nothing to do here yet."""
    if connection.dialect.name != "sqlite":
        return
    findings.step("schema", 0, 1)
    for row in connection.execute(text("PRAGMA integrity_check")):
        if row[0] != "ok":
            findings.found("integrity", "database", str(row[0]))
    for row in connection.execute(text("PRAGMA foreign_key_check")):
        findings.found("foreign key", f"{row[0]} row {row[1]}", f"its {row[2]} does not exist")
    for name, wanted in (*PRAGMAS.items(), ("journal_mode", "wal")):
        found = connection.execute(text(f"PRAGMA {name}")).scalar()
        if found != wanted:
            findings.found("pragma", name, f"is {found}, must be {wanted}")
    _compare(connection, findings)
    findings.step("schema", 1, 1)


def _compare(connection: Connection, findings: Findings) -> None:
    wanted, version = as_migrated()
    stored = _objects(connection)
    for (kind, name), (table, sql) in wanted.items():
        findings.count(f"{kind}s" if kind != "index" else "indexes")
        if (kind, name) not in stored:
            findings.found("schema", f"{kind} {name}", f"of table {table} is missing")
        elif stored[kind, name] != (table, sql):
            findings.found(
                "schema", f"{kind} {name}", f"differs from what the migrations make: {stored[kind, name][1]}"
            )
    for kind, name in stored.keys() - wanted.keys():
        findings.found("schema", f"{kind} {name}", "is not of docctl's making")
    found = connection.execute(text(VERSION)).scalars().all()
    if list(found) != [version]:
        findings.found("schema", "version", f"is {', '.join(map(str, found)) or 'missing'}, must be {version}")


@cache
def as_migrated() -> tuple[Made, str]:
    """Return every table, index and trigger that the migrations make in an empty database, and the schema's version."""
    with tempfile.TemporaryDirectory(prefix="docctl-") as folder:
        fresh = Database(f"sqlite:///{Path(folder) / 'fresh.db'}")
        try:
            version = upgrade(fresh)
            with fresh.engine.connect() as connection:
                return _objects(connection), version
        finally:
            fresh.dispose()


def _objects(connection: Connection) -> Made:
    return {(row.type, row.name): (row.tbl_name, row.sql) for row in connection.execute(text(OBJECTS))}
