"""Records as plain values: the JSON of the command line and of the programs' interface, the same for both."""

from datetime import datetime
from typing import Any

from docctl import clock, decisions
from docctl.audit import AuditEntry
from docctl.decisions import Check, Decision
from docctl.documents import Document
from docctl.lifecycle import Signature
from docctl.revisions import Revision, Standing
from docctl.workflow import Act


def instant(value: datetime | None) -> str | None:
    """Write an instant in the office's time zone, with its offset."""
    return clock.local(value).isoformat() if value else None


def document(row: Document) -> dict[str, Any]:
    """Return what a document is; its revisions are apart."""
    return {
        "document": row.id,
        "code": row.code,
        "title": row.title,
        "type": row.type.code,
        "unit": row.unit.code,
        "field": row.field,
        "code_clash": row.code_clash,
    }


def revision(row: Revision) -> dict[str, Any]:
    """Return a revision: `state` is the stored one, `status` what it is today by its dates."""
    return {
        "revision": row.id,
        "document": row.document_id,
        "code": row.document.code,
        "title": row.title,
        "edition": row.edition_code,
        "amendment": row.amendment,
        "state": row.state,
        "status": row.status(),
        "file": row.file_name,
        "sha256": row.file_sha256,
        "effective_from": instant(row.effective_from),
        "effective_to": instant(row.effective_to),
        "origin": row.origin,
        "lock": row.lock,
    }


def signature(row: Signature, round: int) -> dict[str, Any]:
    """Return a signature; it is void when its round is not the present one."""
    return {
        "meaning": row.meaning,
        "person": row.person,
        "title": row.title,
        "at": instant(row.signed_at),
        "void": row.round != round,
    }


def act(given: Act, locale: str) -> dict[str, Any]:
    """Return a trigger: allowed, or the sentence that refuses it."""
    return {
        "trigger": given.trigger,
        "allowed": given.refusal is None,
        "refusal": given.refusal.get(locale) if given.refusal else None,
    }


def decision(row: Decision) -> dict[str, Any]:
    """Return a decision with its lines."""
    return {
        "decision": row.id,
        "number": row.number,
        "date": row.signed_on.isoformat() if row.signed_on else None,
        "title": row.title,
        "effective_from": row.effective_from.isoformat() if row.effective_from else None,
        "state": row.state,
        "lock": row.lock,
        "lines": [
            {
                "line": line.position,
                "action": line.action,
                "document": line.document_id,
                "code": line.document.code,
                "title": line.revision.title if line.revision else line.document.title,
                "revision": line.revision_id,
                "reason": line.reason,
            }
            for line in row.lines
        ],
    }


def check(found: Check, locale: str) -> dict[str, Any]:
    """Return a dry run: every error and warning with its line, and the counts of what executing will do."""

    def plain(problems: list[decisions.Problem]) -> list[dict[str, Any]]:
        return [{"line": row.line, "code": row.code, "reason": row.sentence.get(locale)} for row in problems]

    return {
        "errors": plain(found.errors),
        "warnings": plain(found.warnings),
        "issued": found.issued,
        "superseded": found.superseded,
        "withdrawn": found.withdrawn,
        "in_force_before": found.in_force_before,
        "in_force_after": found.in_force_after,
        "copies_to_recall": found.copies_to_recall,
        "copies_to_issue": found.copies_to_issue,
        "readers": found.readers,
        "uncovered": plain(found.uncovered),
    }


def standing(row: Standing) -> dict[str, Any]:
    """Return a revision in force with its interval and decision, as they were known."""
    return {
        "document": row.revision.document_id,
        "code": row.revision.document.code,
        "title": row.revision.title,
        "revision": row.revision.id,
        "edition": row.revision.edition_code,
        "amendment": row.revision.amendment,
        "effective_from": instant(row.effective_from),
        "effective_to": instant(row.effective_to),
        "sha256": row.revision.file_sha256,
        "decision": row.decision,
    }


def entry(row: AuditEntry) -> dict[str, Any]:
    """Return an entry of the trail, with its hash and the hash before it."""
    return {
        "sequence": row.sequence,
        "at": instant(row.at),
        "actor": row.actor,
        "actor_title": row.actor_title,
        "action": row.action,
        "noun": row.noun,
        "record": row.record_id,
        "document": row.document_id,
        "detail": row.values,
        "prev_hash": row.prev_hash,
        "hash": row.hash,
    }
