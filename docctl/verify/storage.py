"""Checks what lies beside the database: every stored file by its SHA-256, and the index's place in the trail."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, text

from docctl.files.store import Store
from docctl.retention import tombstones
from docctl.search import Engine
from docctl.verify.findings import Findings, number, stream


@dataclass(frozen=True)
class Scope:
    """Which files are read again: all, none (only looked for), or part `part` of `parts`, by their names."""

    quick: bool = False
    part: int = 1
    parts: int = 1

    def reads(self, sha256: str) -> bool:
        """Say whether the bytes of a file are read again."""
        return not self.quick and int(sha256[:8], 16) % self.parts == self.part - 1

    def words(self) -> str:
        """Say in a word what of the files was read."""
        return "looked for" if self.quick else "all read" if self.parts == 1 else f"part {self.part}/{self.parts} read"


def _is_gone(path: Path, disposed_at: object) -> bool:
    """Say whether a file that was disposed of is not there; bytes that came back later are a new upload's."""
    at = disposed_at if isinstance(disposed_at, datetime) else datetime.fromisoformat(str(disposed_at))
    return not path.is_file() or path.stat().st_mtime > at.timestamp()


def check_files(store: Store, scope: Scope, connection: Connection, findings: Findings) -> None:
    """Read the files again; those that no row names are counted, since a crash during an upload leaves them."""
    total = number(connection, "SELECT count(*) FROM content")
    there = 0
    findings.checked["content"] = 0  # Their rows were counted already; now their files are.
    findings.count("content_disposed", 0)
    buried = {row.sha256: row.disposed_at for row in stream(connection, tombstones.buried_query())}
    for done, row in enumerate(stream(connection, "SELECT sha256, size FROM content ORDER BY sha256"), start=1):
        findings.count("content")
        path = store.path(row.sha256)
        if row.sha256 in buried and _is_gone(path, buried[row.sha256]):
            # Its tombstone says under which minutes it went.
            findings.count("content_disposed")
            there += path.is_file()
        elif row.sha256 in buried:
            there += 1
            findings.found("file", f"content {row.sha256}", "was disposed of, and its file is still there")
        elif not path.is_file():
            findings.found("file", f"content {row.sha256}", f"its file is missing{_whose(connection, row.sha256)}")
        else:
            there += 1
            if scope.reads(row.sha256) and not store.check(row.sha256):
                whose = _whose(connection, row.sha256)
                findings.found(
                    "file", f"content {row.sha256}", f"its file has other bytes than it was stored with{whose}"
                )
            elif path.stat().st_size != row.size:
                findings.found("file", f"content {row.sha256}", f"its size is said to be {row.size} bytes")
        findings.step("files", done, total)
    findings.count("files", kept := sum(1 for _ in store.names()))
    findings.count("files_without_rows", kept - there)


def _whose(connection: Connection, sha256: str) -> str:
    """Say what a file is: the original of which revisions, or the PDF that they are read and printed as."""
    said = []
    for what, query in (
        ("the original of", "SELECT id FROM revision WHERE file_sha256 = :sha256 ORDER BY id"),
        (
            "the rendition of",
            "SELECT revision.id FROM rendition JOIN revision ON file_sha256 = source_sha256 "
            "WHERE rendition.sha256 = :sha256 AND rendition.sha256 <> source_sha256 ORDER BY revision.id",
        ),
    ):
        if found := [str(row.id) for row in stream(connection, query, sha256=sha256)]:
            said.append(f"{what} revision {', '.join(found[:5])}")
    return f" ({'; '.join(said)})" if said else ""


def check_index(engine: Engine, connection: Connection, findings: Findings) -> None:
    """Check that the index has not read entries that the trail does not have; one that is behind catches up by itself."""
    position, mark = engine.position(), engine.mark()
    findings.count("index_position", position)
    end = number(connection, "SELECT max(sequence) FROM audit_entry")
    known = text("SELECT hash FROM audit_entry WHERE sequence = :position")
    if position > end:
        findings.found("index", "search index", f"is at entry {position}, past the trail's end at {end}")
    elif position and mark != connection.execute(known, {"position": position}).scalar():
        findings.found("index", "search index", f"followed another trail up to entry {position}: run docctl reindex")
