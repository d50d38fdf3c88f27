"""Records as plain values: the JSON of the command line and of the programs' interface, the same for both."""

from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from docctl import clock, decisions, distribution, recall, requests
from docctl.audit import AuditEntry
from docctl.decisions import Check, Decision
from docctl.distribution import ControlledCopy, Distribution, Ledger, ReadTask
from docctl.documents import Document
from docctl.lifecycle import Signature
from docctl.recall import Recall, RecallLine
from docctl.requests import ChangeRequest
from docctl.revisions import Revision, Standing
from docctl.workflow import Act


def instant(value: datetime | None) -> str | None:
    """Write an instant in the office's time zone, with its offset."""
    return clock.local(value).isoformat() if value else None


def day(value: date | None) -> str | None:
    """Write a day as YYYY-MM-DD."""
    return value.isoformat() if value else None


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
        "date": day(row.signed_on),
        "title": row.title,
        "effective_from": day(row.effective_from),
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


def request(session: Session, row: ChangeRequest, locale: str) -> dict[str, Any]:
    """Return a change request: what it asks for, what is still missing, and what was said of it."""
    missing = requests.missing(session, row) if row.state == "draft" else []
    return {
        "request": row.id,
        "number": row.number_text,
        "kind": row.kind,
        "state": row.state,
        "lock": row.lock,
        "document": row.document_id,
        "code": row.about_code,
        "title": row.subject,
        "unit": row.unit.code,
        "edition": row.edition_text or None,
        "effective_on": day(row.effective_on),
        "requester": row.requester.name,
        "reason": row.why,
        "affected": [code for code in row.affected.split(", ") if code],
        "replaced_by": row.replaced_by_id,
        "drafter": row.drafter.name if row.drafter else None,
        "draft_due": day(row.draft_due),
        "legal_basis": row.legal_basis,
        "law_effective_on": day(row.law_effective_on),
        "changes": [[r.section, r.old, r.new, r.basis] for r in row.change_rows],
        "missing": [sentence.get(locale) for sentence in missing],
        "opinions": [
            {"of": o.signature.seat, "title": o.signature.title, "conclusion": o.conclusion, "remark": o.remark}
            for o in requests.opinions(session, row)
        ],
        "revision": row.revision_id,
        "decision": row.decision_id,
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
        "uncovered": [
            row | {"procedure": known.procedure}
            for row, known in zip(plain(found.uncovered), found.uncovered, strict=True)
        ],
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


def ledger(count: Ledger) -> dict[str, Any]:
    """Return where copies are, and whether that adds up."""
    return {**count.__dict__, "balances": count.balances}


def distributed(session: Session, row: Distribution) -> dict[str, Any]:
    """Return what was distributed of a revision: how many were asked to read it, and the ledger of its copies."""
    return {
        "revision": row.revision_id,
        "document": row.revision.document_id,
        "code": row.revision.document.code,
        "title": row.revision.title,
        "edition": row.revision.edition_code,
        "status": row.revision.status(),
        "effective_from": instant(row.revision.effective_from),
        "made_at": instant(row.made_at),
        "asked": row.asked,
        "issued": row.issued,
        "ledger": ledger(distribution.ledger(session, row.revision)),
    }


def copy(row: ControlledCopy, locale: str) -> dict[str, Any]:
    """Return a controlled copy: its mark is what the QR on it says."""
    return {
        "copy": row.id,
        "mark": row.mark,
        "revision": row.revision_id,
        "document": row.revision.document_id,
        "code": row.revision.document.code,
        "title": row.revision.title,
        "edition": row.revision.edition_code,
        "number": row.number_text,
        "medium": row.medium,
        "holder": row.holder.get(locale),
        "state": row.state,
        "lock": row.lock,
        "delivered_at": instant(row.delivered_at),
        "received_at": instant(row.received_at),
        "settled_at": instant(row.settled_at),
        "condition": row.condition,
    }


def read_task(row: ReadTask) -> dict[str, Any]:
    """Return a read task; one whose revision ended unread is `superseded`."""
    return {
        "task": row.id,
        "revision": row.revision_id,
        "document": row.revision.document_id,
        "code": row.revision.document.code,
        "title": row.revision.title,
        "edition": row.revision.edition_code,
        "person": row.account.name,
        "state": row.status(),
        "lock": row.lock,
        "asked_at": instant(row.asked_at),
        "opened_at": instant(row.opened_at),
        "understood_at": instant(row.understood_at),
        "exempt_reason": row.exempt_reason,
    }


def recalled(session: Session, row: Recall) -> dict[str, Any]:
    """Return a recall with its ledger; its copies are apart."""
    return {
        "recall": row.id,
        "decision": recall.decision_number(session, row),
        "number": row.number,
        "date": day(row.held_on),
        "basis": row.basis,
        "participants": row.participants,
        "due_on": day(row.due_on),
        "state": row.state,
        "lock": row.lock,
        "ledger": ledger(recall.ledger(session, row)),
    }


def recall_line(row: RecallLine, locale: str) -> dict[str, Any]:
    """Return a copy of a recall, with the day by which it is asked back."""
    return copy(row.copy, locale) | {"due_on": day(row.due_on), "late": row.late}


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
