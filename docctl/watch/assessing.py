"""The acts of the legal watch: a change of a law opens assessments, each is judged, answered by a request, and ended."""

import hashlib
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from docctl import audit, authority, clock, deadlines, external, holidays, lifecycle, requests, workflow
from docctl.audit import Action
from docctl.documents import Document
from docctl.external import Change, ExternalChange, ExternalDocument
from docctl.people import Reader, Reauthenticated
from docctl.procedures import Procedure
from docctl.requests import ChangeRequest, Words
from docctl.revisions import WAS_ISSUED, Revision
from docctl.rules import Facts, Refused, Sentence
from docctl.watch import citing
from docctl.watch.table import OPEN, LegalAssessment
from docctl.workflow import Act

_WHY = Sentence("{number} {does} {law} từ {day}. {reason}", "{number} {does} {law} from {day}. {reason}")
DOES = {
    external.AMENDED: Sentence("sửa đổi", "amends"),
    external.REPLACED: Sentence("thay thế", "replaces"),
    external.REPEALED: Sentence("bãi bỏ", "repeals"),
}


def amend(
    session: Session, law: ExternalDocument, change: Change, *, by: Reader, seen: int | None = None
) -> list[LegalAssessment]:
    """Note in the register that another act changes a law, and open an assessment for all that cite it."""
    made = external.amend(session, law, change, by=by, seen=seen)
    return open_for(session, law, made, by=by)


def open_for(session: Session, law: ExternalDocument, change: ExternalChange, *, by: Reader) -> list[LegalAssessment]:
    """Open an assessment for each document in force and each live procedure that cites a changed law."""
    if change.effective_from is None:
        return []
    found = [
        _opened(session, law, change, by=by, document=row.document, revision=row.revision)
        for row in citing.citing(session, law)
    ]
    found += [
        _opened(session, law, change, by=by, procedure=procedure)
        for procedure in citing.citing_procedures(session, law)
    ]
    return [row for row in found if row is not None]


def unassessed(session: Session) -> list[tuple[ExternalDocument, ExternalChange, list[citing.Cited]]]:
    """Return the changes of laws that took effect after the editions citing them did, and were never assessed."""
    known = {
        (row.external_document_id, row.cause_key, row.document_id) for row in session.scalars(select(LegalAssessment))
    }
    by_law: dict[int, list[citing.Cited]] = {}
    laws: dict[int, ExternalDocument] = {}
    for row in citing.all_cited(session):
        if row.counts and row.law is not None:
            by_law.setdefault(row.law.id, []).append(row)
            laws[row.law.id] = row.law
    found = []
    for law_id, rows in by_law.items():
        for change in laws[law_id].changes:
            waiting = [
                row
                for row in rows
                if change.effective_from is not None
                and row.revision.effective_from is not None
                and clock.local(row.revision.effective_from).date() < change.effective_from
                and (law_id, _key(change), row.document.id) not in known
            ]
            if waiting:
                found.append((laws[law_id], change, waiting))
    return found


def open_unassessed(session: Session, *, by: Reader) -> list[LegalAssessment]:
    """Open the assessments that `unassessed` names, as after an import of the register."""
    made = []
    for law, change, rows in unassessed(session):
        for row in rows:
            opened = _opened(session, law, change, by=by, document=row.document, revision=row.revision)
            made += [opened] if opened else []
    return made


def act(
    session: Session,
    assessment: LegalAssessment,
    trigger: str,
    *,
    by: Reader,
    reason: str = "",
    signing: Reauthenticated | None = None,
    seen: int | None = None,
) -> str:
    """Take an assessment through one trigger of its workflow; returns the new state."""
    known = facts(session, assessment, by=by, reason=reason)
    changes: dict[str, Any] = {}
    if trigger in ("require_change", "find_no_effect"):
        changes["finding"] = reason.strip()
    if trigger == "find_no_effect":
        changes["finished_on"] = clock.today()
    if trigger == "finish":
        changes["finished_on"] = worked_in_on(session, assessment)
    if trigger == "reconsider":
        changes |= {"finding": "", "round": assessment.round + 1}
    signed = _signed_content(assessment, reason.strip()) if trigger == "find_no_effect" else ""
    return lifecycle.move(
        session,
        assessment,
        trigger,
        by=by,
        facts=known,
        signing=signing,
        seen=seen,
        content_hash=signed,
        authority=authority.words(session, by, assessment.unit_id) if signed else "",
        document_id=assessment.document_id,
        changes=changes,
    )


def facts(session: Session, assessment: LegalAssessment, *, by: Reader, reason: str = "") -> Facts:
    """Gather everything that a rule may ask about an assessment and a person."""
    return Facts(
        actor=by.id,
        roles=by.roles_in(assessment.unit_id),
        worked_in=worked_in_on(session, assessment) is not None,
        reason=reason.strip(),
    )


def acts(session: Session, assessment: LegalAssessment, *, by: Reader) -> list[Act]:
    """Return every act that a person could press on the page of an assessment."""
    known = facts(session, assessment, by=by)
    return workflow.acts(lifecycle.workflow_of(session, assessment), assessment.state, known)


def waiting_for(session: Session, assessment: LegalAssessment, *, by: Reader) -> Sentence:
    """Say who acts next on an assessment."""
    follows = lifecycle.workflow_of(session, assessment)
    return workflow.waiting_for(follows, assessment.state, facts(session, assessment, by=by))


def worked_in_on(session: Session, assessment: LegalAssessment) -> date | None:
    """Return the day on which the law was worked in, None as long as it is not.

    Of a document: when an edition later than the citing one took effect, or it was withdrawn. Of a procedure: when a
    decision that came after the change published it anew, amended or repealed it.
    """
    if assessment.procedure is not None:
        after = [
            event.on
            for event in assessment.procedure.events
            if event.on is not None and assessment.effective_from <= event.on <= clock.today()
        ]
        return min(after, default=None)
    cited = session.get(Revision, assessment.revision_id)
    later = select(Revision).where(
        Revision.document_id == assessment.document_id,
        Revision.state.in_(WAS_ISSUED),
        Revision.id != assessment.revision_id,
        or_(Revision.effective_to.is_(None), Revision.effective_to > Revision.effective_from),
    )
    days = [
        clock.local(row.effective_from).date()
        for row in session.scalars(later)
        if row.effective_from and cited and cited.effective_from and row.effective_from > cited.effective_from
    ]
    if cited is not None and cited.state == "withdrawn" and cited.effective_to:
        days.append(clock.local(cited.effective_to).date())
    return min((day for day in days if day <= clock.today()), default=None)


def request_refusal(session: Session, assessment: LegalAssessment, *, by: Reader) -> Sentence | None:
    """Return why somebody may not open the change request of an assessment, or None."""
    if assessment.document is None:
        return Sentence(
            "Thủ tục do cơ quan khác công bố; hãy theo dõi quyết định công bố.",
            "Another office publishes the procedure; watch for its decision.",
        )
    if assessment.change_request_id is not None:
        return Sentence("Phiếu yêu cầu đã được mở.", "The change request is open already.")
    if assessment.state not in OPEN:
        return Sentence("Đánh giá đã kết thúc.", "The assessment has ended.")
    return requests.drafting_refusal(session, by=by)


def open_request(session: Session, assessment: LegalAssessment, *, by: Reader, locale: str = "vi") -> ChangeRequest:
    """Open a change request that says which law changed, from when on, until when it is to be worked in, and why."""
    if sentence := request_refusal(session, assessment, by=by):
        raise Refused(sentence)
    assert assessment.document is not None  # The refusal has just said so.
    why = _WHY.fill(
        number=assessment.cause_number,
        does=DOES[assessment.cause_kind],
        law=assessment.law.number,
        day=assessment.effective_from.strftime("%d/%m/%Y"),
        reason=assessment.finding,
    )
    words = Words(
        document=assessment.document,
        reason=why.get(locale).strip(),
        legal_basis=f"{assessment.cause_number}; {assessment.law.number}",
        law_effective_on=assessment.effective_from,
        draft_due=assessment.deadline,
    )
    made = requests.draft(session, by=by, kind=requests.AMEND, words=words)
    assessment.change_request_id, assessment.change_request = made.id, made
    assessment.lock += 1
    session.flush()
    audit.record(
        session,
        Action.ASSESSMENT_REQUESTED,
        by=by.account,
        noun="legal_assessment",
        record_id=assessment.id,
        document_id=assessment.document_id,
        change_request_id=made.id,
    )
    return made


def recorded(row: LegalAssessment) -> dict[str, Any]:
    """Return every controlled column, for the trail entry with which an assessment begins."""
    return {
        "external_document_id": row.external_document_id,
        "cause_kind": row.cause_kind,
        "cause_number": row.cause_number,
        "cause_key": row.cause_key,
        "effective_from": row.effective_from,
        "deadline": row.deadline,
        "revision_id": row.revision_id,
        "procedure_id": row.procedure_id,
        "state": row.state,
        "finding": row.finding,
        "change_request_id": row.change_request_id,
        "finished_on": row.finished_on,
        "round": row.round,
        "workflow": row.workflow,
        "workflow_version": row.workflow_version,
        "created_at": row.created_at,
    }


def _opened(
    session: Session,
    law: ExternalDocument,
    change: ExternalChange,
    *,
    by: Reader,
    document: Document | None = None,
    revision: Revision | None = None,
    procedure: Procedure | None = None,
) -> LegalAssessment | None:
    assert change.effective_from is not None  # Changes without a day open nothing.
    same = select(LegalAssessment.id).where(
        LegalAssessment.external_document_id == law.id,
        LegalAssessment.cause_key == _key(change),
        LegalAssessment.document_id == (document.id if document else None),
        LegalAssessment.procedure_id == (procedure.id if procedure else None),
    )
    if session.scalars(same).first():
        return None
    follows = lifecycle.newest(session, "legal_assessment")
    state = workflow.fire(follows, None, "raise", Facts(actor=by.id, roles=by.roles_in(None)))
    row = LegalAssessment(
        external_document_id=law.id,
        cause_kind=change.kind,
        cause_number=change.number,
        cause_key=_key(change),
        effective_from=change.effective_from,
        deadline=deadlines.deadline(change.effective_from, holidays=holidays.days(session)),
        document_id=document.id if document else None,
        revision_id=revision.id if revision else None,
        procedure_id=procedure.id if procedure else None,
        state=state,
        finding="",
        **lifecycle.begun(follows),
        created_at=clock.now(),
    )
    row.law, row.document, row.procedure = law, document, procedure
    session.add(row)
    session.flush()
    audit.record(
        session,
        Action.ASSESSMENT_OPENED,
        by=by.account,
        noun="legal_assessment",
        record_id=row.id,
        document_id=row.document_id,
        **recorded(row),
    )
    return row


def _key(change: ExternalChange) -> str:
    return f"{change.kind} {change.number_key}"


def _signed_content(row: LegalAssessment, reason: str) -> str:
    """Return the SHA-256, in hex, of what whoever finds no effect signs."""
    said: Sequence[Any] = (row.external_document_id, row.cause_key, row.document_id, row.revision_id, row.procedure_id)
    return hashlib.sha256(audit.canonical([*said, reason]).encode()).hexdigest()
