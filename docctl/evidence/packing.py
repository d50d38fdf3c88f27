"""What goes into an evidence pack, and how it is written: originals, records, the trail, checkpoints, manifest, checker."""

import hashlib
import json
import os
import re
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Table, or_, select
from sqlalchemy.orm import Session

from docctl import audit, checkpoints, clock, decisions, intervals
from docctl.audit import Action, AuditEntry
from docctl.database import Base, iso
from docctl.decisions import Decision, DecisionLine
from docctl.documents import Document
from docctl.evidence import page
from docctl.lifecycle import Signature
from docctl.people import Account, Reader
from docctl.revisions import Revision
from docctl.rules import Refused, Sentence
from docctl.site import Site
from docctl.text import code_key, number

FORMAT = 1
CHECKER = Path(__file__).with_name("check.py")
# Rows about a document or a revision that are told elsewhere in the pack, or can be read out of its files.
ELSEWHERE = frozenset({"revision", "signature", "audit_entry", "content_text", "content_page", "content_heading"})


@dataclass(frozen=True)
class Subject:
    """What a pack is about: its name on the cover, and the ids of its documents, revisions and decisions."""

    name: str
    documents: list[int]
    revisions: list[int]
    decisions: list[int]
    noun: str = ""
    record_id: int | None = None


def of_document(session: Session, document: Document) -> Subject:
    """Return everything about one document: every revision, and every decision that has a line about it."""
    rows = session.scalars(select(Revision.id).where(Revision.document_id == document.id).order_by(Revision.id))
    lines = select(DecisionLine.decision_id).where(DecisionLine.document_id == document.id).distinct()
    name = f"{document.code} {document.title}"
    return Subject(name, [document.id], list(rows), sorted(session.scalars(lines)), "document", document.id)


def of_decision(session: Session, decision: Decision) -> Subject:
    """Return everything that a decision did: what it issued, and what it superseded or withdrew."""
    ids = {line.revision_id for line in decision.lines if line.revision_id}
    ids |= {row.id for row in decisions.replaced(session, decision).values()}
    documents = sorted({line.document_id for line in decision.lines})
    return Subject(decision.number or decision.title, documents, sorted(ids), [decision.id], "decision", decision.id)


def of_day(session: Session, on: datetime) -> Subject:
    """Return everything that was in force at an instant, with the decisions that put it there."""
    rows = intervals.in_force(session, on)
    ids = [row.revision_id for row in rows]
    query = select(Revision.decision_id).where(Revision.id.in_(ids), Revision.decision_id.is_not(None)).distinct()
    found = sorted(number for number in session.scalars(query) if number is not None)
    return Subject(f"{clock.local(on):%d/%m/%Y}", [row.document_id for row in rows], ids, found)


def may_take(by: Reader) -> bool:
    """Say whether somebody may take evidence, which contains the whole trail."""
    return by.has("auditor", "controller")


def find_decision(session: Session, reference: str) -> Decision:
    """Return the decision with an id or a number; raises Refused when there is none or more than one."""
    query = select(Decision).where(Decision.number_key == code_key(reference)[:80])
    found = list(session.scalars(query.order_by(Decision.id)))
    if not found and (key := number(reference.strip())) is not None and (by_id := session.get(Decision, key)):
        found = [by_id]
    if len(found) == 1:
        return found[0]
    raise Refused(
        Sentence(
            "Có {n} quyết định mang số “{number}”. Hãy ghi số thứ tự trong sổ quyết định.",
            "{n} decisions bear the number {number}. Give the id from the list of decisions.",
        ).fill(n=len(found), number=reference),
        field="decision",
    )


def save(site: Site, subject: Subject, target: Path, *, by: Account | None) -> dict[str, Any]:
    """Write a pack and return its manifest; that it was taken is an entry of the trail, which the pack includes.

    Raises Refused when a file is missing or altered: evidence that lacks something must not look whole.
    """
    with site.database.writing() as session:
        audit.record(
            session,
            Action.EVIDENCE_TAKEN,
            by=by,
            noun=subject.noun or "evidence",
            record_id=subject.record_id,
            document_id=subject.record_id if subject.noun == "document" else None,
            subject=subject.name,
        )
    checkpoints.make(site)
    handle, name = tempfile.mkstemp(dir=target.absolute().parent, prefix=f".{target.name}.")
    partial = Path(name)
    try:
        with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            manifest = _write(site, subject, _Archive(archive))
        partial.replace(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    return manifest


class _Archive:
    """An archive that remembers the SHA-256 of everything put into it."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self.files: list[dict[str, Any]] = []

    def put(self, path: str, data: bytes) -> None:
        """Write a file and note it for the manifest."""
        self.archive.writestr(path, data)
        self.files.append({"path": path, "sha256": hashlib.sha256(data).hexdigest(), "size": len(data)})

    def put_json(self, path: str, value: Any) -> None:
        """Write a value as readable JSON."""
        self.put(
            path, (json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True, default=_plain) + "\n").encode()
        )


def _write(site: Site, subject: Subject, archive: _Archive) -> dict[str, Any]:
    with site.database.reading() as session:
        head = audit.head(session)
        rows = [_revision(site, session, archive, number) for number in subject.revisions]
        signatures = _signatures(session, subject)
        made = [_plain_row(session.get_one(Decision, number)) for number in subject.decisions]
        records = _records(session, subject)
        archive.put("trail.jsonl", "".join(_trail(session)).encode())
        told = _about(session, subject)
        office = page.office(session)
    points = [point.line() for point in checkpoints.read(checkpoints.folder(site.settings) / checkpoints.NAME)]
    archive.put("checkpoints.jsonl", ("\n".join(points) + "\n").encode())
    archive.put_json("signatures.json", signatures)
    archive.put_json("decisions.json", made)
    archive.put_json("records.json", records)
    archive.put("check.py", CHECKER.read_bytes())
    manifest: dict[str, Any] = {
        "format": FORMAT,
        "subject": subject.name,
        "office": office,
        "made_at": iso(clock.now()),
        "head": {"sequence": head.sequence, "hash": head.hash},
        "key": checkpoints.public_key(site.settings),
        "revisions": rows,
    }
    html = page.index(manifest, made, signatures, records, told)
    archive.put("index.html", html.encode())
    manifest["files"] = archive.files
    raw = (json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()
    archive.archive.writestr("manifest.json", raw)
    archive.archive.writestr("manifest.sig", checkpoints.sign(site.settings, raw) + "\n")
    return manifest


def _revision(site: Site, session: Session, archive: _Archive, number: int) -> dict[str, Any]:
    revision = session.get_one(Revision, number)
    path = ""
    if revision.file_sha256:
        if not site.store.check(revision.file_sha256):
            raise Refused(
                Sentence(
                    "Tệp của {code} lần {edition} đã mất hoặc bị thay đổi nên chưa lập được hồ sơ. Hãy chạy `docctl verify`.",
                    "The file of {code} edition {edition} is missing or altered, so no pack was made. Run `docctl verify`.",
                ).fill(code=revision.document.code, edition=revision.edition_text)
            )
        path = f"originals/{revision.id}-{_safe(revision.document.code)}-{_safe(revision.file_name or 'file')}"
        with site.store.open(revision.file_sha256) as file:
            archive.put(path, file.read())
    return {
        **_plain_row(revision),
        "code": revision.document.code,
        "edition_text": revision.edition_text,
        "status": revision.status(),
        "original": path,
    }


def _signatures(session: Session, subject: Subject) -> list[dict[str, Any]]:
    query = select(Signature).where(
        or_(Signature.revision_id.in_(subject.revisions), Signature.decision_id.in_(subject.decisions))
    )
    return [_plain_row(row) for row in session.scalars(query.order_by(Signature.id))]


def _records(session: Session, subject: Subject) -> dict[str, list[dict[str, Any]]]:
    """Return every row of every other table that names one of the documents, revisions or decisions."""
    wanted = {"document_id": subject.documents, "revision_id": subject.revisions, "decision_id": subject.decisions}
    found: dict[str, list[dict[str, Any]]] = {}
    for name, table in sorted(Base.metadata.tables.items()):
        conditions = [table.c[column].in_(ids) for column, ids in wanted.items() if column in table.c]
        if name in ELSEWHERE or not conditions:
            continue
        rows = session.execute(select(table).where(or_(*conditions)).order_by(*table.primary_key)).mappings()
        listed = [{key: _simple(value) for key, value in row.items()} for row in rows]
        if listed:
            found[name] = listed
    documents: Table = Document.__table__  # type: ignore[assignment]  # A declarative class has a Table.
    rows = session.execute(select(documents).where(documents.c.id.in_(subject.documents))).mappings()
    found["document"] = [{key: _simple(value) for key, value in row.items()} for row in rows]
    return found


def _trail(session: Session) -> Iterator[str]:
    for entry in audit.entries(session):
        yield json.dumps(_plain_row(entry), ensure_ascii=False, sort_keys=True) + "\n"


def _about(session: Session, subject: Subject) -> list[dict[str, Any]]:
    """Return the entries of the trail about the subject, for the readable index."""
    query = select(AuditEntry).where(
        or_(
            AuditEntry.document_id.in_(subject.documents[:500]),
            (AuditEntry.noun == "decision") & AuditEntry.record_id.in_(subject.decisions[:500]),
        )
    )
    return [_plain_row(row) for row in session.scalars(query.order_by(AuditEntry.sequence).limit(5000))]


def _plain_row(row: Any) -> dict[str, Any]:
    return {column.name: _simple(getattr(row, column.name)) for column in row.__table__.columns}


def _simple(value: Any) -> Any:
    if isinstance(value, datetime):
        return iso(value)
    if isinstance(value, bytes):
        return value.hex()
    return value.isoformat() if hasattr(value, "isoformat") else value


def _plain(value: Any) -> str:
    return str(_simple(value))


def _safe(name: str) -> str:
    return re.sub(r"[^\w.-]+", "_", name)[:80]
