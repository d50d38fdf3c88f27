"""Checks the trail against signed checkpoints that somebody kept: only they show a cut tail or a rewritten history."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, text

from docctl import checkpoints
from docctl.audit import GENESIS, Head
from docctl.checkpoints import Checkpoint
from docctl.files.store import Store
from docctl.verify.findings import Findings, loaded, number, plain

AT = "SELECT hash FROM audit_entry WHERE sequence = :sequence"
SINCE = "SELECT at FROM audit_entry WHERE sequence = :sequence"
RESTORED = "SELECT sequence, detail FROM audit_entry WHERE action = 'trail.restored' ORDER BY sequence"


@dataclass(frozen=True)
class Tail:
    """The entries that no checkpoint vouches for: how many, and since when (the time of the first of them)."""

    entries: int
    since: str

    def as_dict(self) -> dict[str, object]:
        """Return the tail as the JSON of the command line."""
        return {"entries": self.entries, "since": self.since}


def check(
    given: Iterable[Iterable[Checkpoint]],
    key: str,
    store: Store,
    head: Head,
    connection: Connection,
    findings: Findings,
) -> Tail:
    """Compare every checkpoint with the trail; returns what is newer than the newest one that is true.

    Within a row each must follow the one before it; rows, as the files of somebody who keeps one a day, may have gaps.
    """
    newest = number_ = 0
    for row in given:
        before = ""
        for point in row:
            number_ += 1
            findings.count("checkpoint")
            record = f"checkpoint {number_} of entry {point.sequence}"
            if point.key != key:
                findings.found("checkpoint", record, "is signed with another key than this site's: it is forged")
            elif not point.valid():
                findings.found("checkpoint", record, "its signature is not over its words: it was altered")
            elif _agrees(point, head, connection, record, findings):
                newest = max(newest, point.sequence)
                if point.sequence == head.sequence:
                    _present(point, record, store, connection, findings)
            if before and point.previous and point.previous != before:
                findings.found("checkpoint", record, "does not follow the one before it: checkpoints are missing")
            before = point.digest()
    return tail_after(newest, head, connection)


def tail_after(newest: int, head: Head, connection: Connection) -> Tail:
    """Return the entries past a sequence."""
    if newest >= head.sequence:
        return Tail(0, "")
    since = connection.execute(text(SINCE), {"sequence": newest + 1}).scalar()
    return Tail(head.sequence - newest, str(plain(since) or ""))


def _agrees(point: Checkpoint, head: Head, connection: Connection, record: str, findings: Findings) -> bool:
    if point.sequence > head.sequence:
        detail = f"the trail ends at entry {head.sequence}: its tail was cut, or an older database was put in its place"
        findings.found("checkpoint", record, detail + _restored(connection))
        return False
    here = GENESIS if not point.sequence else connection.execute(text(AT), {"sequence": point.sequence}).scalar()
    if here != point.hash:
        findings.found(
            "checkpoint", record, "the trail has another entry there: its history was rewritten" + _restored(connection)
        )
        return False
    return True


def _present(point: Checkpoint, record: str, store: Store, connection: Connection, findings: Findings) -> None:
    """Compare tables, files and schema: nothing was done since, so every byte that counts must be the same."""
    tables = checkpoints.digests(connection)
    for name in sorted(tables.keys() | point.tables.keys()):
        if tables.get(name) != point.tables.get(name):
            findings.found("checkpoint", f"table {name}", f"differs from {record}, and no entry was written since")
    if checkpoints.files_digest(connection, store) != point.files:
        findings.found("checkpoint", "files", f"are not those of {record}, and no entry was written since")
    if checkpoints.schema_digest(connection) != point.schema:
        findings.found("checkpoint", "schema", f"is not that of {record}, and no entry was written since")
    if number(connection, "SELECT count(*) FROM audit_entry") != point.sequence:
        findings.found("checkpoint", "audit_entry", f"has not the {point.sequence} entries of {record}")


def _restored(connection: Connection) -> str:
    rows = connection.execute(text(RESTORED)).all()
    if not rows:
        return ""
    values = loaded(rows[-1].detail) or {}
    return (
        f"; entry {rows[-1].sequence} says that epoch {values.get('epoch')} began there with a backup "
        f"up to entry {values.get('sequence')}"
    )
