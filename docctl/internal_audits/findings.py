"""Findings and their corrective-action slips: raised at a unit with a due date, answered with proof, verified by another."""

import hashlib
import re
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from docctl import (
    audit,
    authority,
    clock,
    deadlines,
    decisions,
    documents,
    holidays,
    lifecycle,
    notices,
    revisions,
    workflow,
)
from docctl.audit import Action, AuditEntry
from docctl.contents import Content
from docctl.decisions import Decision
from docctl.documents import Document
from docctl.internal_audits import auditing
from docctl.internal_audits.table import (
    FINDING,
    MAJOR,
    MINOR,
    OBSERVATION,
    PROOF,
    Evidence,
    InternalAudit,
    Nonconformity,
    Sample,
)
from docctl.lifecycle import Stale
from docctl.people import Reader, Reauthenticated
from docctl.revisions import Revision
from docctl.rules import Facts, NoRole, Refused, Sentence, lacks
from docctl.units import Unit
from docctl.workflow import Act

MONTHS = 2  # In which a corrective report is due, unless the auditor says otherwise.
REMIND_AT = (30, 14, 7, 1)  # Days before the due date; from then on every day.
OPEN = "open"
WORDS = ("cause", "correction", "remedy", "proof")
GRADES: dict[str, Sentence] = {
    MAJOR: Sentence("Không phù hợp nặng", "Major nonconformity"),
    MINOR: Sentence("Không phù hợp nhẹ", "Minor nonconformity"),
    OBSERVATION: Sentence("Khuyến nghị", "Observation"),
}
SIDES: dict[str, Sentence] = {
    FINDING: Sentence("Bằng chứng của phát hiện", "Evidence of the finding"),
    PROOF: Sentence("Bằng chứng khắc phục", "Proof of the correction"),
}


def due_date(session: Session) -> date:
    """Return the day by which a finding of today is to be corrected: two months by the Civil Code (art. 147-148)."""
    return deadlines.deadline(clock.today(), MONTHS, holidays.days(session))


def raise_finding(
    session: Session,
    found: InternalAudit,
    *,
    by: Reader,
    unit: Unit,
    statement: str,
    grade: str = MINOR,
    requirement: str = "",
    due_on: date | None = None,
    sample: Sample | None = None,
    point: str = "",
) -> Nonconformity:
    """Raise a finding of an audit under way; the slip goes to the unit, which hears of it."""
    follows = lifecycle.newest(session, "nonconformity")
    state = workflow.fire(follows, None, "raise", Facts(actor=by.id, roles=by.roles_in(None)))
    if not auditing.is_under_way(found):
        raise Refused(
            Sentence(
                "Chỉ lập phiếu khi cuộc đánh giá đang diễn ra.", "Findings are raised while the audit is under way."
            )
        )
    statement, due_on = auditing.clean(statement), due_on or due_date(session)
    if not statement:
        raise Refused(Sentence("Hãy ghi điều không phù hợp.", "Write down what does not conform."), field="statement")
    if grade not in GRADES:
        raise Refused(Sentence("Hãy chọn mức độ.", "Choose a grade."), field="grade")
    if due_on < clock.today():
        raise Refused(Sentence("Hạn không được ở quá khứ.", "The due date may not be in the past."), field="due_on")
    last = select(func.max(Nonconformity.position)).where(Nonconformity.internal_audit_id == found.id)
    made = Nonconformity(
        internal_audit_id=found.id,
        position=(session.scalar(last) or 0) + 1,
        audit_sample_id=sample.id if sample else None,
        point=point,
        grade=grade,
        unit_id=unit.id,
        requirement=auditing.clean(requirement),
        statement=statement,
        due_on=due_on,
        cause="",
        correction="",
        remedy="",
        proof="",
        verification="",
        state=state,
        **lifecycle.begun(follows),
        raised_by_id=by.id,
        created_at=clock.now(),
    )
    session.add(made)
    session.flush()
    audit.record(
        session,
        Action.NONCONFORMITY_RAISED,
        by=by.account,
        noun=made.NOUN,
        record_id=made.id,
        document_id=sample.document_id if sample else None,
        **recorded(made),
    )
    notices.announce(session, made.NOUN, made.id, state, by=by.account)
    return made


def write(session: Session, slip: Nonconformity, *, by: Reader, seen: int | None = None, **words: str) -> None:
    """Write the corrective report: cause, correction, action against recurrence, and what proves it; the unit head's."""
    if sentence := writing_refusal(slip, by=by):
        raise sentence
    if seen is not None and seen != slip.lock:
        raise Stale
    before = {name: getattr(slip, name) for name in WORDS}
    after = {name: auditing.clean(words.get(name, before[name])) for name in WORDS}
    for name, value in after.items():
        setattr(slip, name, value)
    about = _document(slip)
    audit.edited(
        session, Action.NONCONFORMITY_EDITED, slip, by=by.account, before=before, after=after, document_id=about
    )


def writing_refusal(slip: Nonconformity, *, by: Reader) -> Refused | None:
    """Return why somebody may not write the corrective report, or None."""
    if not {"reviewer", "controller"} & by.roles_in(slip.unit_id):
        return NoRole(
            Sentence(
                "Chỉ trưởng đơn vị được giao hoặc người kiểm soát tài liệu được ghi báo cáo khắc phục.",
                "Only the head of the unit, or a document controller, may write the corrective report.",
            )
        )
    if slip.state != OPEN:
        return Refused(
            Sentence(
                "Báo cáo khắc phục đã ký hoặc phiếu đã kết thúc nên không sửa được.",
                "The corrective report is signed or the slip has ended, so it cannot be changed.",
            )
        )
    return None


def act(
    session: Session,
    slip: Nonconformity,
    trigger: str,
    *,
    by: Reader,
    reason: str = "",
    signing: Reauthenticated | None = None,
    seen: int | None = None,
) -> str:
    """Take a slip through one trigger of its workflow."""
    content, changes = slip.content_hash or "", {}
    now = clock.now()
    if trigger == "answer":
        content = content_hash(slip)
        changes = {"content_hash": content, "answered_by_id": by.id, "answered_at": now}
    elif trigger == "send_back":
        changes = {"content_hash": None, "answered_by_id": None, "answered_at": None, "round": slip.round + 1}
    elif trigger == "close":
        changes = {"verification": reason.strip(), "closed_by_id": by.id, "closed_at": now}
    return lifecycle.move(
        session,
        slip,
        trigger,
        by=by,
        facts=facts(slip, by=by, reason=reason),
        signing=signing,
        seen=seen,
        content_hash=content,
        authority=authority.words(session, by, slip.unit_id) if trigger == "answer" else "",
        document_id=_document(slip),
        changes=changes,
    )


def facts(slip: Nonconformity, *, by: Reader, reason: str = "") -> Facts:
    """Gather everything that a rule may ask about a slip and a person; its author is who answered it."""
    return Facts(
        actor=by.id,
        roles=by.roles_in(slip.unit_id),
        author=slip.answered_by_id,
        missing=_missing(slip),
        reason=reason.strip(),
    )


def acts(session: Session, slip: Nonconformity, *, by: Reader) -> list[Act]:
    """Return every act that a person could press on the page of a slip."""
    return workflow.acts(lifecycle.workflow_of(session, slip), slip.state, facts(slip, by=by))


def waiting_for(session: Session, slip: Nonconformity, *, by: Reader) -> Sentence:
    """Say who acts next on a slip."""
    return workflow.waiting_for(lifecycle.workflow_of(session, slip), slip.state, facts(slip, by=by))


def is_pending(slip: Nonconformity) -> bool:
    """Say whether somebody still has to act on a slip."""
    return slip.state in ("open", "answered")


def is_late(slip: Nonconformity) -> bool:
    """Say whether the unit has not answered and the day has passed."""
    return slip.state == OPEN and slip.days_left < 0


def link(
    session: Session,
    slip: Nonconformity,
    *,
    by: Reader,
    side: str,
    revision: Revision | None = None,
    decision: Decision | None = None,
    entry: AuditEntry | None = None,
    content: Content | None = None,
    file_name: str = "",
    note: str = "",
) -> Evidence:
    """Link a record to a slip: as evidence of the finding (an auditor) or as proof of the correction (the unit)."""
    if sentence := linking_refusal(slip, side, by=by):
        raise sentence
    given = [each for each in (revision, decision, entry, content) if each is not None]
    if len(given) != 1:
        raise Refused(
            Sentence(
                "Hãy nêu một bằng chứng: một phiên bản, một quyết định, một mục nhật ký hoặc một tệp.",
                "Name one piece of evidence: a revision, a decision, an entry of the trail, or a file.",
            ),
            field="record",
        )
    row = Evidence(
        nonconformity_id=slip.id,
        side=side,
        revision_id=revision.id if revision else None,
        decision_id=decision.id if decision else None,
        entry_sequence=entry.sequence if entry else None,
        entry_hash=entry.hash if entry else "",
        sha256=content.sha256 if content else None,
        file_name=file_name if content else "",
        note=auditing.clean(note),
        added_by_id=by.id,
        added_at=clock.now(),
    )
    session.add(row)
    session.flush()
    columns = ("nonconformity_id", "side", "revision_id", "decision_id", "entry_sequence", "entry_hash", "sha256")
    more = ("file_name", "note", "added_by_id", "added_at")
    audit.record(
        session,
        Action.NONCONFORMITY_EVIDENCED,
        by=by.account,
        noun="nonconformity_evidence",
        record_id=row.id,
        document_id=_document(slip),
        **{name: getattr(row, name) for name in (*columns, *more)},
    )
    session.refresh(slip, ["evidence"])
    return row


def look_up(session: Session, reference: str, *, by: Reader) -> dict[str, Any]:
    """Return the record that somebody names, as `link` takes it, of those that this person may see.

    A document's code means its edition in force, or else its newest one; a number of a decision that decision; a number
    alone the entry of the trail (for those who read it); the address of a page its record. Raises Refused for anything else.
    """
    reference = " ".join(reference.split())
    entry = re.fullmatch(r"(?:.*#entry-|#)?(\d{1,9})", reference)
    if entry and by.has(*audit.READERS):
        if found := session.get(AuditEntry, int(entry[1])):
            return {"entry": found}
    elif page := re.search(r"/(revisions|decisions|documents)/(\d{1,9})", reference):
        if page[1] == "revisions" and (revision := revisions.load(session, int(page[2]), by=by)):
            return {"revision": revision}
        if page[1] == "decisions" and (decision := decisions.load(session, int(page[2]), by=by)):
            return {"decision": decision}
        if page[1] == "documents" and (standing := _standing(session, session.get(Document, int(page[2])), by)):
            return {"revision": standing}
    else:
        numbered = session.scalars(select(Decision).where(Decision.number == reference)).all() if reference else []
        if len(numbered) == 1 and (decision := decisions.load(session, numbered[0].id, by=by)):
            return {"decision": decision}
        coded = documents.with_code(session, reference) if reference else []
        if len(coded) == 1 and (standing := _standing(session, session.get(Document, coded[0]), by)):
            return {"revision": standing}
    raise Refused(
        Sentence(
            "Không tìm thấy “{what}”. Hãy ghi mã tài liệu, số quyết định, số mục nhật ký, hoặc dán địa chỉ trang.",
            "There is no “{what}”. Give the code of a document, the number of a decision or of an entry of the trail, or paste "
            "the address of a page.",
        ).fill(what=reference[:80]),
        field="reference",
    )


def linking_refusal(slip: Nonconformity, side: str, *, by: Reader) -> Refused | None:
    """Return why somebody may not link evidence on a side of a slip, or None."""
    if side == PROOF:
        return writing_refusal(slip, by=by)
    if not by.has("auditor"):
        return NoRole(auditing.ONLY_AUDITOR)
    if not is_pending(slip):
        return Refused(Sentence("Phiếu đã kết thúc.", "The slip has ended."))
    return None


def visible(session: Session, *, by: Reader, audit_id: int | None = None) -> list[Nonconformity]:
    """Return the slips that somebody may see, open ones first, those due first before others."""
    query = select(Nonconformity)
    if audit_id is not None:
        query = query.where(Nonconformity.internal_audit_id == audit_id)
    rows = [row for row in session.scalars(query) if may_see(row, by=by)]
    return sorted(rows, key=lambda row: (not is_pending(row), row.due_on, row.id))


def of_audit(session: Session, found: InternalAudit) -> list[Nonconformity]:
    """Return the findings of an audit by number."""
    query = select(Nonconformity).where(Nonconformity.internal_audit_id == found.id)
    return list(session.scalars(query.order_by(Nonconformity.position)))


def pending(session: Session, *, by: Reader) -> list[Nonconformity]:
    """Return the slips that somebody still has to act on and this person may see, the oldest due date first."""
    query = select(Nonconformity).where(Nonconformity.state.in_(("open", "answered"))).order_by(Nonconformity.due_on)
    return [row for row in session.scalars(query) if may_see(row, by=by)]


def to_remind(session: Session, *, by: Reader) -> list[Nonconformity]:
    """Return the open slips of this person's units whose due date is near today, or has passed."""
    return [
        row
        for row in pending(session, by=by)
        if row.state == OPEN
        and "reviewer" in by.roles_in(row.unit_id)
        and (row.days_left in REMIND_AT or row.days_left <= 0)
    ]


def may_see(slip: Nonconformity, *, by: Reader) -> bool:
    """Say whether somebody may see a slip: whoever sees audits, and the head of the unit that it went to."""
    return auditing.may_see(by) or "reviewer" in by.roles_in(slip.unit_id)


def load(session: Session, slip_id: int, *, by: Reader) -> Nonconformity | None:
    """Return a slip as far as the person may see it."""
    slip = session.get(Nonconformity, slip_id)
    return slip if slip is not None and may_see(slip, by=by) else None


def content_hash(slip: Nonconformity) -> str:
    """Return the SHA-256, in hex, of what the unit head signs: the finding, the corrective report and its proof."""
    said = [slip.internal_audit_id, slip.position, slip.grade, slip.statement, *(getattr(slip, name) for name in WORDS)]
    proof = [
        [row.revision_id, row.decision_id, row.entry_hash, row.sha256] for row in slip.evidence if row.side == PROOF
    ]
    return hashlib.sha256(audit.canonical([*said, proof]).encode()).hexdigest()


def recorded(slip: Nonconformity) -> dict[str, Any]:
    """Return every controlled column, for the trail entry with which a slip begins."""
    columns = ("internal_audit_id", "position", "audit_sample_id", "point", "grade", "unit_id", "requirement")
    more = ("statement", "due_on", *WORDS, "verification", "state", "round", "workflow", "workflow_version")
    last = ("content_hash", "raised_by_id", "created_at", "answered_by_id", "answered_at", "closed_by_id", "closed_at")
    return {name: getattr(slip, name) for name in (*columns, *more, *last)}


def _missing(slip: Nonconformity) -> Sentence | None:
    return lacks(
        Sentence("Báo cáo khắc phục còn thiếu: {what}.", "The corrective report still lacks: {what}."),
        (
            (Sentence("nguyên nhân", "the cause"), slip.cause),
            (Sentence("hành động khắc phục", "the corrective action"), slip.remedy),
            (Sentence("bằng chứng khắc phục", "what proves it"), slip.proof),
        ),
    )


def _standing(session: Session, document: Document | None, by: Reader) -> Revision | None:
    if document is None:
        return None
    found = [*revisions.in_force(session, document=document), revisions.newest_issued(session, document)]
    return next((row for row in found if row is not None and revisions.load(session, row.id, by=by)), None)


def _document(slip: Nonconformity) -> int | None:
    return slip.sample.document_id if slip.sample else None
