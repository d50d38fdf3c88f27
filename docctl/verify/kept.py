"""Checks what an office has set up against the trail, which repeats each row as it became whenever one was written."""

import hashlib
from typing import Any

from sqlalchemy import Boolean, Connection

from docctl import audit
from docctl.database import Base, Kept
from docctl.verify.findings import Findings, loaded, number, plain, stream

TOLD = "SELECT sequence, detail FROM audit_entry WHERE detail LIKE '%\"kept\":{%' ORDER BY sequence"
SAID = "SELECT detail FROM audit_entry WHERE sequence = :sequence"

Claims = dict[str, dict[str, tuple[int, bytes]]]


def check(connection: Connection, findings: Findings) -> None:
    """Compare every row with what the trail last said of it; of each only a digest stays in memory."""
    tables = audit.kept_tables()
    claims: Claims = {name: {} for name in tables}
    for entry in stream(connection, TOLD):
        for name, rows in ((loaded(entry.detail) or {}).get("kept") or {}).items():
            for key, row in rows.items():
                claims.setdefault(name, {})[key] = (entry.sequence, _digest(row) if row is not None else b"")
    for name, kind in sorted(tables.items()):
        _compared(connection, name, kind, claims.pop(name), findings)


def _compared(
    connection: Connection, name: str, kind: type[Kept], told: dict[str, tuple[int, bytes]], findings: Findings
) -> None:
    table = Base.metadata.tables[name]
    columns = [column.name for column in table.columns if column.name not in kind.UNTOLD]
    keys = [column.name for column in table.primary_key.columns]
    booleans = {column.name for column in table.columns if isinstance(column.type, Boolean)}
    total = number(connection, f'SELECT count(*) FROM "{name}"')  # noqa: S608 - a name of ours.
    quoted, order = (", ".join(f'"{column}"' for column in some) for some in (columns, keys))
    rows = stream(connection, f'SELECT {quoted} FROM "{name}" ORDER BY {order}')  # noqa: S608 - names of ours.
    findings.checked[name] = 0
    for done, row in enumerate(rows, start=1):
        findings.count(name)
        values = {column: plain(value) for column, value in row._mapping.items()}
        values |= {column: bool(values[column]) for column in booleans if values[column] in (0, 1)}
        values |= {column: audit.sealed(values[column]) for column in kind.SEALED}
        key = audit.key_text(row._mapping[column] for column in keys)
        values |= kind.beside(connection, key)
        sequence, digest = told.pop(key, (0, b""))
        if not digest:
            findings.found("state", f"{name} {key}", "the trail does not tell of it")
        elif _digest(values) != digest:
            findings.found("state", f"{name} {key}", _difference(connection, name, key, values, sequence))
        findings.step(name, done, total)
    for key, (sequence, digest) in told.items():
        if digest:
            findings.found("state", f"{name} {key}", f"entry {sequence} tells of it, and it is gone")


def _difference(connection: Connection, name: str, key: str, values: dict[str, Any], sequence: int) -> str:
    said: dict[str, Any] = {}
    for entry in stream(connection, SAID, sequence=sequence):
        said = ((loaded(entry.detail) or {}).get("kept") or {}).get(name, {}).get(key) or {}
    differing = sorted(column for column in values.keys() | said.keys() if values.get(column) != said.get(column))
    return f"{', '.join(differing) or 'it'}: not what entry {sequence} of the trail says"


def _digest(row: dict[str, Any]) -> bytes:
    return hashlib.sha256(audit.canonical(row).encode()).digest()
