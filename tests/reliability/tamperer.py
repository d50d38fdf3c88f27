"""Whoever alters the record behind everybody's back: SQLite and bytes only, nothing of docctl, nothing of how it verifies.

Has every right on the database and knows how the trail is hashed, since that is no secret.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pysqlite3
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

HASHED = "sequence, at, actor_id, actor, actor_title, action, noun, record_id, document_id, detail"
SIDES = ("-wal", "-shm", "-journal")


@contextmanager
def opened(database: Path) -> Iterator[Any]:
    """Open a database as nobody's program does: no keys, no checks, and every trigger taken off until the end."""
    with closing(pysqlite3.connect(str(database), isolation_level=None)) as connection:
        connection.execute("PRAGMA ignore_check_constraints=ON")
        connection.execute("PRAGMA foreign_keys=OFF")
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        connection.execute("BEGIN IMMEDIATE")
        for name, _ in triggers:
            connection.execute(f'DROP TRIGGER "{name}"')
        yield connection
        for _, sql in triggers:
            connection.execute(sql)
        connection.execute("COMMIT")


def asked(database: Path, query: str) -> list[tuple[Any, ...]]:
    """Return the rows of a query."""
    with closing(pysqlite3.connect(str(database))) as connection:
        return list(connection.execute(query).fetchall())


def columns(database: Path, table: str) -> list[tuple[str, str]]:
    """Return the columns of a table with their declared types."""
    return [(str(row[1]), str(row[2])) for row in asked(database, f'PRAGMA table_info("{table}")')]


def alter(database: Path, table: str, column: str, kind: str) -> str:
    """Change one column of one row to another value that could stand there; returns the old and the new value."""
    with opened(database) as connection:
        where = f'"{column}" IS NOT NULL AND "{column}" <> \'\''
        query = f'SELECT rowid, "{column}" FROM "{table}" WHERE {where} ORDER BY rowid LIMIT 1'
        found = connection.execute(query).fetchone()
        if found is None:
            found = connection.execute(f'SELECT rowid, "{column}" FROM "{table}" ORDER BY rowid LIMIT 1').fetchone()
        row, old = found
        for new in _others(old, kind):
            try:
                connection.execute(f'UPDATE "{table}" SET "{column}" = ? WHERE rowid = ?', (new, row))
            except pysqlite3.IntegrityError:
                continue  # Another row has it already.
            return f"{old!r} → {new!r}"
    raise AssertionError(f"{table}.{column} could not be altered")


def _others(old: Any, kind: str) -> Iterator[Any]:
    if "BOOL" in kind and old in (0, 1):
        yield 1 - old
    elif isinstance(old, int):
        yield from (old + 1, old + 1000)
    elif old is None and "INT" in kind:
        yield from (1, 2)
    elif old is None or old == "":
        yield "2019-01-01" if kind == "DATE" else "2019-01-01T00:00:00.000000Z" if kind == "VARCHAR(27)" else "khác"
    elif len(old) == 64 and kind == "VARCHAR(64)":
        yield old[:-1] + ("0" if old[-1] != "0" else "1")
    elif kind == "DATE":
        yield from ("2001-02-03", "2001-02-04")
    elif kind == "VARCHAR(27)":
        yield "2019" + old[4:]
    else:
        yield from (old + "~", old[:-1])


def flip(path: Path, bit: int) -> None:
    """Turn one bit of a file over."""
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.seek(bit // 8)
        byte = file.read(1)[0]
        file.seek(bit // 8)
        file.write(bytes([byte ^ 1 << bit % 8]))


def lay(bytes_of: bytes, database: Path) -> None:
    """Put a database in place, without what lay beside the one before."""
    for suffix in SIDES:
        database.with_name(database.name + suffix).unlink(missing_ok=True)
    database.write_bytes(bytes_of)


def copy(source: Path, target: Path) -> None:
    """Copy a database into one file, whatever its log still holds."""
    with closing(pysqlite3.connect(str(source))) as old, closing(pysqlite3.connect(str(target))) as new:
        old.backup(new)


def cut_tail(database: Path, entries: int) -> None:
    """Cut the newest entries off the trail."""
    with opened(database) as connection:
        query = "DELETE FROM audit_entry WHERE sequence > (SELECT max(sequence) FROM audit_entry) - ?"
        connection.execute(query, (entries,))


def take_out(database: Path, sequence: int) -> None:
    """Take an entry out of the middle, and let the others close ranks."""
    with opened(database) as connection:
        connection.execute("DELETE FROM audit_entry WHERE sequence = ?", (sequence,))


def swap(database: Path, table: str, key: str, one: int, other: int) -> None:
    """Let two rows change places."""
    with opened(database) as connection:
        for was, becomes in ((one, -1), (other, one), (-1, other)):
            connection.execute(f'UPDATE "{table}" SET "{key}" = ? WHERE "{key}" = ?', (becomes, was))


def hash_again(database: Path, *, close_ranks: bool = False) -> None:
    """Chain the whole trail anew, so that each entry has the hash of what it now says."""
    with opened(database) as connection:
        rows = connection.execute(f"SELECT {HASHED} FROM audit_entry ORDER BY sequence").fetchall()
        connection.execute("UPDATE audit_entry SET hash = 'x' || sequence")
        last = "0" * 64
        for number, row in enumerate(rows, start=1):
            said = [number if close_ranks else row[0], *row[1:], last]
            digest = hashlib.sha256(json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()
            connection.execute(
                "UPDATE audit_entry SET sequence = ?, prev_hash = ?, hash = ? WHERE sequence = ?",
                (said[0], last, digest, row[0]),
            )
            last = digest


def rewrite(database: Path, table: str, column: str, row: int, new: str) -> None:
    """Alter a value, every word of the trail about it, and every hash after it: nothing contradicts anything then."""
    with opened(database) as connection:
        query = f'SELECT "{column}" FROM "{table}" WHERE id = ?'
        (old,) = connection.execute(query, (row,)).fetchone()
        connection.execute(f'UPDATE "{table}" SET "{column}" = ? WHERE id = ?', (new, row))
        said, becomes = (
            json.dumps({column: value}, ensure_ascii=False, separators=(",", ":"))[1:-1] for value in (old, new)
        )
        connection.execute(
            "UPDATE audit_entry SET detail = replace(detail, ?, ?) WHERE noun = ? AND record_id = ?",
            (said, becomes, table, row),
        )
    hash_again(database)


def forged(line: str, **changed: Any) -> str:
    """Change what a checkpoint says and sign it with a key of one's own, which the checkpoint then names."""
    key = Ed25519PrivateKey.generate()
    said = {**json.loads(line), **changed, "key": key.public_key().public_bytes_raw().hex()}
    del said["signature"]
    words = json.dumps(said, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
    return json.dumps(said | {"signature": key.sign(words).hex()})


def replace(source: Path, target: Path) -> None:
    """Put a whole database in the place of another."""
    for suffix in SIDES:
        target.with_name(target.name + suffix).unlink(missing_ok=True)
    shutil.copy(source, target)


def contents(database: Path, left_out: dict[str, set[str] | None]) -> str:
    """Return the SHA-256 of everything that a database says, read by scans of its tables alone; "" when it cannot be read.

    `left_out` names tables (None) and columns that do not count. Values are taken as the bytes and numbers stored.
    """
    digest = hashlib.sha256()
    try:
        with closing(pysqlite3.connect(f"file:{database}?mode=ro&immutable=1", uri=True)) as connection:
            connection.text_factory = bytes
            master = connection.execute(
                "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%' "
                "ORDER BY type, name"
            ).fetchall()
            digest.update(repr(master).encode())
            for pragma in ("user_version", "application_id", "encoding"):
                digest.update(repr(connection.execute(f"PRAGMA {pragma}").fetchone()).encode())
            for kind, name, _, _ in master:
                if kind != b"table" or left_out.get(name.decode(), set()) is None:
                    continue
                listed = connection.execute(f'SELECT * FROM "{name.decode()}" NOT INDEXED ORDER BY +rowid')
                drop = left_out.get(name.decode()) or set()
                keep = [place for place, column in enumerate(listed.description) if column[0] not in drop]
                for row in listed:
                    digest.update(repr([row[place] for place in keep]).encode())
    except (pysqlite3.Error, UnicodeDecodeError):
        return ""
    return digest.hexdigest()
