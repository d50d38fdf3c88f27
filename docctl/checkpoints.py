"""Checkpoints: signed heads of the trail, with digests of tables, files and schema, kept where the database is not."""

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from sqlalchemy import Connection, inspect, select, text
from sqlalchemy.orm import Session

from docctl import audit, clock
from docctl.audit import Action, AuditEntry
from docctl.config import Settings
from docctl.database import iso
from docctl.files.store import Store
from docctl.rules import Refused, Sentence
from docctl.site import Site

FORMAT = 1
NAME = "checkpoints.jsonl"
KEY = "checkpoint_key"
EVERY_ENTRIES = 100
EVERY = timedelta(seconds=60)

# What lives outside the trail: sessions, counters of failures, answers kept for repeats, letters and what waits to be told,
# and what people search for, which is nobody's business but their own.
OUTSIDE = frozenset(
    {"sign_in", "failed_sign_in", "first_answer", "news", "notice", "mail", "reading_reminder", "recall_reminder"}
    | {"recent_search", "asked_words", "search_day", "saved_search", "saved_hit"}
)
# The digests leave out the trail itself, whose head says it all, and the bulk of the texts, of which the trail tells.
UNDIGESTED = OUTSIDE | {"audit_entry", "content_text", "content_page", "content_heading", "alembic_version"}
# Columns that change without a word in the trail: what a person chooses for himself alone, and how far a PDF has come.
UNTOLD = {
    "account": frozenset({"locale"}),
    "rendition": frozenset({"status", "tracked", "comments", "reason_vi", "reason_en", "changed_at"}),
}
# A PDF that was only asked for is no record yet.
RECORDED = {"rendition": "sha256 IS NOT NULL OR choice <> ''"}


@dataclass(frozen=True)
class Checkpoint:
    """A signed head: who holds one can tell whether the trail up to it was cut, rewritten or rolled back."""

    format: int
    epoch: int
    at: str
    sequence: int
    hash: str
    tables: dict[str, dict[str, Any]]
    files: dict[str, Any]
    schema: str
    previous: str
    key: str
    signature: str = ""

    @property
    def signed(self) -> bytes:
        """The bytes that the signature is over: every field but itself, as JSON in one way only."""
        fields = asdict(self)
        del fields["signature"]
        return audit.canonical(fields).encode()

    def valid(self) -> bool:
        """Say whether the signature is over these words and by the key that the checkpoint names."""
        try:
            Ed25519PublicKey.from_public_bytes(bytes.fromhex(self.key)).verify(
                bytes.fromhex(self.signature), self.signed
            )
        except (InvalidSignature, ValueError):
            return False
        return True

    def line(self) -> str:
        """Return the checkpoint as one line of JSON."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    def digest(self) -> str:
        """Return the SHA-256, in hex, by which the next checkpoint names this one."""
        return hashlib.sha256(self.line().encode()).hexdigest()


def folder(settings: Settings) -> Path:
    """Return the append-only folder of the checkpoints: the one of the settings, else one in the storage folder."""
    return settings.checkpoints or settings.storage / "checkpoints"


def make(site: Site) -> Checkpoint:
    """Sign the present head and append it; head and digests are read in one snapshot of the database."""
    with _locked(site.settings) as file:
        return _append(site, file, _last(file))


def follow(site: Site) -> Checkpoint | None:
    """Append a checkpoint when one is due: after 100 entries, after 60 s with an entry, after an executed decision."""
    with site.database.reading() as session:
        if not _due(session, last(site.settings)):
            return None
    with _locked(site.settings) as file:
        newest = _last(file)
        with site.database.reading() as session:
            if not _due(session, newest):
                return None  # Another process was quicker.
        return _append(site, file, newest)


def last(settings: Settings) -> Checkpoint | None:
    """Return the newest checkpoint, None before the first."""
    path = folder(settings) / NAME
    if not path.is_file():
        return None
    with path.open("rb") as file:
        return _last(file)


def read(path: Path) -> list[Checkpoint]:
    """Read the checkpoints of a file, or of every .json and .jsonl file in a folder; raises Refused for what is none."""
    return [point for row in rows(path) for point in row]


def rows(path: Path) -> list[list[Checkpoint]]:
    """Read the same file by file: within one each follows the one before it, between two there may be any number."""
    files = sorted([*path.glob("*.jsonl"), *path.glob("*.json")]) if path.is_dir() else [path]
    found = []
    for file in files:
        try:
            found.append([parsed(line) for line in file.read_text(encoding="utf-8").splitlines() if line.strip()])
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise Refused(
                Sentence(
                    "{file} không phải tệp mốc kiểm soát của docctl: {error}.",
                    "{file} is no file of docctl checkpoints: {error}.",
                ).fill(file=file, error=error)
            ) from error
    return found


def public_key(settings: Settings) -> str:
    """Return the site's public key, in hex; the pair is made once and kept in the storage folder."""
    return _public(_key(settings))


def sign(settings: Settings, message: bytes) -> str:
    """Return the site's signature over a message, in hex."""
    return _key(settings).sign(message).hex()


def epoch(session: Session) -> int:
    """Return the number of the chain's epoch: 1, and one more after every restore."""
    restored = select(AuditEntry.sequence).where(AuditEntry.action == Action.TRAIL_RESTORED)
    return 1 + len(session.scalars(restored).all())


def digests(connection: Connection) -> dict[str, dict[str, Any]]:
    """Return rows and SHA-256 of every table that the trail answers for, whatever this process knows of it."""
    there = inspect(connection).get_table_names()
    return {name: _digest(connection, name) for name in sorted(there) if name not in UNDIGESTED}


def schema_digest(connection: Connection) -> str:
    """Return the SHA-256 over every table, index and trigger; on PostgreSQL over the schema's version."""
    if connection.dialect.name == "sqlite":
        query = "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name"
    else:
        query = "SELECT 'version', version_num, '' FROM alembic_version"
    rows = [list(row) for row in connection.execute(text(query))]
    return hashlib.sha256(audit.canonical(rows).encode()).hexdigest()


def files_digest(connection: Connection, store: Store) -> dict[str, Any]:
    """Return count and SHA-256 over the names of the files that rows name and that are there."""
    digest, count = hashlib.sha256(), 0
    for row in connection.execute(text("SELECT sha256 FROM content ORDER BY sha256")):
        if store.path(row.sha256).is_file():
            digest.update(row.sha256.encode())
            count += 1
    return {"count": count, "sha256": digest.hexdigest()}


def _due(session: Session, newest: Checkpoint | None) -> bool:
    head = audit.head(session)
    if newest is None:
        return head.sequence > 0
    if head.sequence == newest.sequence and head.hash == newest.hash:
        return False
    if abs(head.sequence - newest.sequence) >= EVERY_ENTRIES or head.sequence < newest.sequence:
        return True
    if clock.now() - datetime.fromisoformat(newest.at) >= EVERY:
        return True
    moved = select(AuditEntry).where(AuditEntry.sequence > newest.sequence, AuditEntry.action == Action.DECISION_MOVED)
    return any(entry.values.get("trigger") == "execute" for entry in session.scalars(moved))


def _append(site: Site, file: Any, newest: Checkpoint | None) -> Checkpoint:
    key = _key(site.settings)
    with site.database.reading() as session:
        head = audit.head(session)
        connection = session.connection()
        unsigned = Checkpoint(
            FORMAT,
            epoch(session),
            iso(clock.now()),
            head.sequence,
            head.hash,
            digests(connection),
            files_digest(connection, site.store),
            schema_digest(connection),
            newest.digest() if newest else "",
            _public(key),
        )
    made = Checkpoint(**{**asdict(unsigned), "signature": key.sign(unsigned.signed).hex()})
    file.seek(0, os.SEEK_END)
    file.write(made.line().encode() + b"\n")
    file.flush()
    os.fsync(file.fileno())
    return made


def _digest(connection: Connection, table: str) -> dict[str, Any]:
    looked = inspect(connection)
    names = sorted({column["name"] for column in looked.get_columns(table)} - UNTOLD.get(table, frozenset()))
    quoted = ", ".join(f'"{name}"' for name in names)
    order = ", ".join(f'"{name}"' for name in looked.get_pk_constraint(table)["constrained_columns"] or names)
    which = RECORDED.get(table, "1 = 1")
    query = f'SELECT {quoted} FROM "{table}" WHERE {which} ORDER BY {order}'  # noqa: S608 - names of our own tables.
    digest, count = hashlib.sha256(names_line(names)), 0
    for row in connection.execute(text(query), execution_options={"yield_per": 500}):
        digest.update(audit.canonical([_plain(value) for value in row]).encode() + b"\n")
        count += 1
    return {"rows": count, "sha256": digest.hexdigest()}


def names_line(names: list[str]) -> bytes:
    """Return the line of column names that a table's digest begins with."""
    return audit.canonical(names).encode() + b"\n"


def _plain(value: Any) -> Any:
    return value.hex() if isinstance(value, bytes) else value


@contextmanager
def _locked(settings: Settings) -> Iterator[Any]:
    """Open the file of checkpoints for appending, alone."""
    place = folder(settings)
    place.mkdir(parents=True, exist_ok=True)
    with (place / NAME).open("a+b") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file


def _last(file: Any) -> Checkpoint | None:
    """Return the newest whole line's checkpoint; a line that a crash broke off is passed over."""
    file.seek(0, os.SEEK_END)
    file.seek(max(0, file.tell() - (1 << 16)))
    for line in reversed(file.read().split(b"\n")):
        try:
            return parsed(line.decode())
        except (ValueError, TypeError):
            continue
    return None


def parsed(line: str) -> Checkpoint:
    """Read a checkpoint from its line; raises ValueError or TypeError for what is none."""
    values = json.loads(line)
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise ValueError("another format")
    found = Checkpoint(**values)
    if not isinstance(found.sequence, int) or not isinstance(found.hash, str):
        raise ValueError("no head")
    return found


def _key(settings: Settings) -> Ed25519PrivateKey:
    kept = settings.storage / KEY
    try:
        fresh = Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()).hex()
        with os.fdopen(os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(fresh)
    except FileExistsError:
        pass  # Made earlier, or by another process this moment: everybody uses what is there.
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(kept.read_text().strip()))


def _public(key: Ed25519PrivateKey) -> str:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()
